"""The contract of what comes in: one row a page, as a reader leaves it."""

from __future__ import annotations

import pandera.polars as pa
import polars as pl

from schemas.contract import UNIQUE, Dataset, across, check, column
from schemas.quarantine import REASON

PAGES = Dataset(
    "pages",
    "a page as it was read",
    pa.DataFrameSchema(
        {
            "doc_id": column(pl.String, "The caller's id, else the page's path or URI below the source.", check("id_is_not_blank", lambda c: c.str.contains(r"\S")), check("id_is_short", lambda c: c.str.len_chars() <= 2000), UNIQUE, nullable=False),
            "url": column(pl.String, "Where the page was fetched from.", check("url_is_short", lambda c: c.str.len_chars() <= 8000)),
            "source": column(pl.String, "The file or record it came from, relative to the source.", nullable=False),
            "text": column(pl.String, "The page's text, decoded, with \\n as line end."),
            "html": column(pl.String, "The page's HTML, decoded, where it came as HTML; `text` is null then.", across("text_or_html", pl.col("text").is_null())),
            "raw": column(pl.Binary, "The page's bytes, where they are no text."),
            "content_hash": column(pl.String, "Of the page's bytes as read.", nullable=False),
            "encoding": column(pl.String, "The encoding the bytes were decoded from."),
            "problems": column(pl.List(REASON), "What the reader found wrong."),
            "fetched_at": column(pl.Datetime("us", "UTC"), "When the page was fetched: what '3 hours ago' counts from."),
        },
        strict=True,
        ordered=True,
        name="pages",
    ),
)  # fmt: skip
