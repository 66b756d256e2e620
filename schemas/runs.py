"""The contract of `runs`: one row a run, the history that reports and trends are drawn from."""

from __future__ import annotations

import pandera.polars as pa
import polars as pl

from schemas.contract import UNIQUE, Dataset, across, check, column, one_of

VERDICTS = ("passed", "warned", "failed")
REFRESHED = ("pages_new", "pages_changed", "pages_unchanged", "pages_gone", "pages_pruned")
"""What a run found beside the last snapshot; all but the pruned pages add up to those of the new one."""
_COUNTED = check("count_is_not_negative", lambda c: c >= 0)
_INSTANT = pl.Datetime("us", "UTC")
_PUBLISHER = pl.Struct(
    {
        "publisher": pl.String, "pages": pl.Int64, "articles": pl.Int64, "quarantined": pl.Int64,
        "with_headline": pl.Int64, "with_byline": pl.Int64, "with_day": pl.Int64, "with_instant": pl.Int64,
        "characters_in": pl.Int64, "characters_furniture": pl.Int64,
    }
)  # fmt: skip
_ROLE = pl.Struct({"role": pl.String, "spans": pl.Int64, "characters": pl.Int64, "pages": pl.Int64})
_RULE = pl.Struct({"rule": pl.String, "role": pl.String, "spans": pl.Int64, "characters": pl.Int64, "pages": pl.Int64})
_COUNT = pl.Struct({"name": pl.String, "pages": pl.Int64})
_VERSION = pl.Struct({"name": pl.String, "version": pl.String})
_STEP = pl.Struct({"step": pl.String, "seconds": pl.Float64})

RUNS = Dataset(
    "runs",
    "a run",
    pa.DataFrameSchema(
        {
            "run_id": column(pl.String, "Names the run, its snapshot and its report.", UNIQUE, nullable=False),
            "started_at": column(_INSTANT, "When it began, UTC.", nullable=False),
            "finished_at": column(_INSTANT, "When its datasets were complete, UTC.", across("run_ends_after_it_began", pl.col("finished_at") >= pl.col("started_at")), nullable=False),
            "verdict": column(pl.String, "passed, warned or failed (the quality gates).", one_of("verdict_is_known", VERDICTS), nullable=False),
            "source": column(pl.String, "What was read.", nullable=False),
            "pages_in": column(pl.Int64, "Pages of the snapshot.", _COUNTED, across("pages_add_up", pl.col("pages_in") == pl.col("articles") + pl.col("quarantined")), nullable=False),
            "articles": column(pl.Int64, "Pages that became articles.", _COUNTED, nullable=False),
            "quarantined": column(pl.Int64, "Pages that did not.", _COUNTED, nullable=False),
            "bytes_in": column(pl.Int64, "Bytes of the source.", _COUNTED, nullable=False),
            "bytes_out": column(pl.Int64, "Bytes of the articles, ledger and quarantine files.", _COUNTED, nullable=False),
            "characters_in": column(pl.Int64, "Characters of all pages that are not white space.", _COUNTED, nullable=False),
            "characters_kept": column(pl.Int64, "Of them, in fields of articles.", _COUNTED, nullable=False),
            "characters_furniture": column(pl.Int64, "Of them, furniture of articles.", _COUNTED, nullable=False),
            "characters_quarantined": column(pl.Int64, "Of them, on quarantined pages.", _COUNTED, nullable=False),
            "by_publisher": column(pl.List(_PUBLISHER), "What each publisher's pages gave.", nullable=False),
            "by_role": column(pl.List(_ROLE), "Spans and characters of each role.", nullable=False),
            "failures": column(pl.List(_COUNT), "Quarantined pages by check.", nullable=False),
            "warnings": column(pl.List(_COUNT), "Articles by warning.", nullable=False),
            "ruleset": column(pl.String, "Version of the rules, line model, profiles and site memory.", nullable=False),
            "versions": column(pl.List(_VERSION), "Versions of copydesk, the schema and the libraries.", nullable=False),
            "steps": column(pl.List(_STEP), "Wall seconds of each step.", nullable=False),
            "seconds": column(pl.Float64, "Wall seconds from start to datasets.", _COUNTED, nullable=False),
            "by_rule": column(pl.List(_RULE), "Spans and characters that each rule gave each role; null in rows from before rules were counted."),
            "pages_new": column(pl.Int64, "Pages whose id was not in the snapshot before.", _COUNTED, across("refreshed_pages_add_up", pl.col("pages_in") == pl.sum_horizontal(REFRESHED[:-1]))),
            "pages_changed": column(pl.Int64, "Pages whose rows were replaced, as they or the rule-set changed.", _COUNTED),
            "pages_unchanged": column(pl.Int64, "Pages of the source whose rows stayed.", _COUNTED),
            "pages_gone": column(pl.Int64, "Pages that are not in the source, and whose rows stayed.", _COUNTED),
            "pages_pruned": column(pl.Int64, "Pages that were not in the source, and were dropped.", _COUNTED),
        },
        strict=True,
        ordered=True,
        name="runs",
    ),
)  # fmt: skip
