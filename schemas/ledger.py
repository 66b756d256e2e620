"""The contract of `ledger`: one row a span of a page's text."""

from __future__ import annotations

import pandera.polars as pa
import polars as pl

from copydesk.roles import FIELDS, FURNITURE
from schemas.contract import Dataset, across, check, column, one_of

LEDGER = Dataset(
    "ledger",
    "a span of a page's text, with its role and the rule that gave it",
    pa.DataFrameSchema(
        {
            "doc_id": column(pl.String, "The page.", nullable=False),
            "line_no": column(pl.Int32, "The line of the page's text, from 0.", check("line_is_counted", lambda c: c >= 0), nullable=False),
            "char_start": column(pl.Int32, "First character of the span in the page's text.", check("start_is_counted", lambda c: c >= 0), nullable=False),
            "char_end": column(pl.Int32, "The character behind the span.", across("span_is_not_empty", pl.col("char_end") > pl.col("char_start")), nullable=False),
            "role": column(pl.String, "The part it plays: a field of the article, or a kind of furniture.", one_of("role_is_known", FIELDS + FURNITURE), across("text_is_kept", pl.col("text").is_not_null() | pl.col("role").is_in(["body", "subheading"])), nullable=False),
            "rule": column(pl.String, "The rule that gave it its role.", check("rule_is_named", lambda c: c.str.contains(r"\S")), nullable=False),
            "confidence": column(pl.Float32, "How sure the rule is, 0 to 1.", check("confidence_is_a_share", lambda c: c.is_between(0, 1)), nullable=False),
            "text": column(pl.String, "The span as it stood; null only where it stands verbatim in the article's body."),
        },
        strict=True,
        ordered=True,
        name="ledger",
    ),
)  # fmt: skip
