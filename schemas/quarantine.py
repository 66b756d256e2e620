"""The contract of `quarantine`: one row a page that yields no valid article, whole, with every reason."""

from __future__ import annotations

import pandera.polars as pa
import polars as pl

from schemas.contract import Dataset, check, column

REASON = pl.Struct({"check": pl.String, "column": pl.String, "value": pl.String})

QUARANTINE = Dataset(
    "quarantine",
    "a page that yields no valid article",
    pa.DataFrameSchema(
        {
            "doc_id": column(pl.String, "The page; not unique where ids are what is wrong.", nullable=False),
            "source": column(pl.String, "The file or record it came from, relative to the source.", nullable=False),
            "content_hash": column(pl.String, "Of the page's bytes as read.", nullable=False),
            "text": column(pl.String, "The page's text, whole; of HTML, what was rendered."),
            "raw": column(pl.Binary, "The page's bytes, where they are no text."),
            "reasons": column(pl.List(REASON), "Every check it failed: check, column, value cut to 200 characters.", check("reason_is_given", lambda c: c.list.len() > 0), nullable=False),
            "ruleset": column(pl.String, "Version of what it was cleaned with: the rules, the line model, and what profiles and site memory say of its site.", nullable=False),
            "url": column(pl.String, "Where the page was fetched from, as the caller says."),
            "html": column(pl.String, "The page's HTML, whole and decoded, where it came as HTML."),
            "encoding": column(pl.String, "The encoding the bytes were decoded from."),
            "fetched_at": column(pl.Datetime("us", "UTC"), "When the page was fetched."),
        },
        strict=True,
        ordered=True,
        name="quarantine",
    ),
)  # fmt: skip
