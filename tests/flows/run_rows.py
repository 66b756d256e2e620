"""Rows of the dataset `runs`, invented, for tests of what is drawn from them."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import polars as pl

from flows import report_index
from schemas import RUNS

START = dt.datetime(2026, 11, 1, 5, tzinfo=dt.UTC)


def publisher(name: str | None, articles: int, *, byline: float = 1.0, cut: float = 0.2) -> dict[str, Any]:
    return {
        "publisher": name, "pages": articles, "articles": articles, "quarantined": 0, "with_headline": articles,
        "with_byline": round(articles * byline), "with_day": articles, "with_instant": articles,
        "characters_in": articles * 1000, "characters_furniture": round(articles * cut * 1000),
    }  # fmt: skip


def run_row(day: int, *publishers: dict[str, Any], **other: Any) -> dict[str, Any]:
    """One run; what is not named is as unremarkable as can be."""
    publishers = publishers or (publisher("tideline.example", 10),)
    articles = sum(row["articles"] for row in publishers)
    characters = sum(row["characters_in"] for row in publishers)
    cut = sum(row["characters_furniture"] for row in publishers)
    started = START + dt.timedelta(days=day)
    row: dict[str, Any] = {
        "run_id": f"{started:%Y%m%dT%H%M%S}Z-{day:04x}", "started_at": started,
        "finished_at": started + dt.timedelta(seconds=9), "verdict": "passed", "source": "crawl",
        "pages_in": articles, "articles": articles, "quarantined": 0, "bytes_in": 1, "bytes_out": 1,
        "characters_in": characters, "characters_kept": characters - cut, "characters_furniture": cut,
        "characters_quarantined": 0, "by_publisher": list(publishers),
        "by_role": [{"role": "body", "spans": 9, "characters": characters - cut, "pages": articles},
                    {"role": "navigation", "spans": 9, "characters": cut, "pages": articles}],
        "by_rule": [{"rule": "paragraph", "role": "body", "spans": 9, "characters": 9, "pages": 9}],
        "failures": [], "warnings": [], "ruleset": "1", "versions": [], "steps": [], "seconds": 8.0,
    }  # fmt: skip
    return row | other


def runs_frame(*rows: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame([{name: row.get(name) for name in RUNS.columns} for row in rows], schema=RUNS.columns)


def write_index(reports: Path, runs: pl.DataFrame) -> Path:
    """The index over a folder of reports, as a run into a folder draws it."""
    return report_index.write_index(reports, runs, {page.parent.name for page in reports.glob("*/report.html")})
