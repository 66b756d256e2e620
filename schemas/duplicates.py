"""The contract of `duplicates`: one row an article that repeats another."""

from __future__ import annotations

import pandera.polars as pa
import polars as pl

from copydesk.duplicates import KINDS, SIMILAR
from schemas.contract import UNIQUE, Dataset, across, check, column, one_of

DUPLICATES = Dataset(
    "duplicates",
    "an article that repeats another; nothing is deleted",
    pa.DataFrameSchema(
        {
            "doc_id": column(pl.String, "The article that repeats.", UNIQUE, nullable=False),
            "duplicate_of": column(pl.String, "The article that it repeats: the first of its cluster by publication, then doc_id. It repeats none itself.", across("repeats_another", pl.col("duplicate_of") != pl.col("doc_id")), nullable=False),
            "kind": column(pl.String, "exact: the same body but for white space; near: most of its words in the same order (a wire copy, an update).", one_of("kind_is_known", KINDS), nullable=False),
            "similarity": column(pl.Float32, f"Share of five-word runs that both have, of all that either has; from {SIMILAR} for near copies to 1.", check("similarity_is_a_share", lambda c: c.is_between(SIMILAR, 1)), across("exact_is_whole", (pl.col("kind") != "exact") | (pl.col("similarity") == 1)), nullable=False),
        },
        strict=True,
        ordered=True,
        name="duplicates",
    ),
)  # fmt: skip
