"""Comparing a cleaned page with a golden record, field by field."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import polars as pl

from copydesk.cleaning import Cleaned
from copydesk.roles import FURNITURE

FIELDS = (
    "publisher", "language", "headline", "kicker", "standfirst", "authors", "byline_raw",
    "published_on", "published_at", "published_precision", "published_zone", "published_zone_source", "published_raw",
    "modified_on", "modified_at", "modified_raw", "dateline", "captions", "section", "tags", "body", "warnings",
)  # fmt: skip


def outcome(cleaned: Cleaned) -> dict[str, Any]:
    """A cleaned page in the form of a golden record."""
    if not len(cleaned.articles):
        return {
            "outcome": "quarantine",
            "reasons": [r["check"] for r in cleaned.quarantine["reasons"].item()],
            "furniture": furniture(cleaned.spans),
        }
    article = cleaned.articles.row(0, named=True)
    found = {name: plain(article[name]) for name in FIELDS}
    return found | {
        "outcome": "article",
        "reasons": [],
        "body": article["body"].split("\n\n"),
        "furniture": furniture(cleaned.spans),
    }


def furniture(spans: pl.DataFrame) -> dict[str, str]:
    """The lines that are wholly furniture, with their role."""
    wholly = spans.group_by("line_no", maintain_order=True).agg(
        all=pl.col("role").is_in(FURNITURE).all(), role=pl.col("role").first()
    )
    return {str(n): role for n, every, role in wholly.iter_rows() if every}


def plain(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    return value.isoformat() if isinstance(value, dt.date) else value


def differences(found: dict[str, Any], golden: dict[str, Any]) -> Iterator[str]:
    """One line for each field that is not as the golden record says."""
    names = (
        (*FIELDS, "outcome", "reasons", "furniture")
        if golden["outcome"] == "article"
        else ("outcome", "reasons")
    )
    for name in names:
        want, got = golden.get(name), found.get(name)
        if want == got:
            continue
        if name == "body" and got is not None:
            yield from (f"body lacks {line!r}" for line in want if line not in got)
            yield from (f"body has {line!r}" for line in got if line not in want)
            if sorted(want) == sorted(got):
                yield "body is in another order"
        elif name == "furniture" and got is not None:
            for line in sorted({*want, *got}, key=int):
                if want.get(line) != got.get(line):
                    yield f"line {line}: {got.get(line)}, not {want.get(line)}"
        else:
            yield f"{name}: {got!r}, not {want!r}"
