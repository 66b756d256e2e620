"""The index of all runs: one page beside the reports, drawn anew at the end of every run.

Runs that were published stand in the dataset `runs`; those that a gate kept back left only their report.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

import polars as pl

from flows.history import history_rows
from flows.pictures import strip
from flows.report_view import trends
from flows.snapshots.durable import write_whole
from flows.templating import STATUS, draw
from flows.wording import ratio

RUNS_LISTED = 400
RUNS_SHOWN = 30
RUNS_FOLLOWED = 60
"""Runs in the small lines."""
KEPT_BACK_READ = 100
"""Reports of unpublished runs that are looked into, the newest first."""
INDEX = "index.html"


def write_index(reports: Path, runs: pl.DataFrame, pages: Collection[str]) -> Path:
    """Write ``index.html`` into the folder of all reports, whole or not at all; returns its path.

    `runs` is the dataset of that name; a run that it lacks is taken from its ``report.json``, and marked as not
    published. `pages` are the runs whose report there is to link to. Raises OSError as the disk does.
    """
    folders = {path.name for path in reports.iterdir() if path.is_dir() and not path.is_symlink()}
    published = runs.sort("started_at", "run_id").tail(RUNS_LISTED)
    rows = [row | {"published": True} for row in history_rows(published)]
    known = set(runs["run_id"])
    for name in sorted(folders - known, reverse=True)[:KEPT_BACK_READ]:
        row = _kept_back(reports / name / "report.json")
        rows += [row] if row else []
    rows.sort(key=lambda row: (row["started_at"], row["run_id"]))
    left_out = max(len(known) - len(published), 0) + max(len(rows) - RUNS_LISTED, 0)
    rows = rows[-RUNS_LISTED:]
    for row in rows:
        row["has_report"] = row["run_id"] in pages
    page = reports / INDEX
    write_whole(page, draw("index.html.j2", _view(rows, left_out, reports)).encode("utf-8", "replace"))
    return page


def _kept_back(path: Path) -> dict[str, Any] | None:
    """A run that was not published, from its report; None where there is no whole report."""
    try:
        report = json.loads(path.read_text(encoding="utf-8", errors="replace"))
        run, balance = report["run"], report["balance"]
        last: dict[str, Any] = next((r for r in report["history"] if r["run_id"] == run["run_id"]), {})
        return {
            "run_id": path.parent.name,
            "started_at": str(run["started_at"]),
            "verdict": report["verdict"]["status"],
            "source": str(run["source"]),
            **{name: balance[name] for name in ("pages_in", "articles", "quarantined")},
            "quarantined_share": ratio(balance["quarantined"], balance["pages_in"]),
            "with_day_share": last.get("with_day_share"),
            "with_byline_share": last.get("with_byline_share"),
            "characters_furniture_share": ratio(balance["characters_furniture"], balance["characters_in"]),
            "seconds": run["seconds"],
            "published": False,
        }
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _sentence(report: Path) -> str:
    """What the report says of its run; empty where there is none."""
    try:
        return str(json.loads(report.read_text(encoding="utf-8", errors="replace"))["verdict"]["sentence"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _view(rows: list[dict[str, Any]], left_out: int, reports: Path) -> dict[str, Any]:
    counts = {status: sum(row["verdict"] == status for row in rows) for status in STATUS}
    last = rows[-1] if rows else {}
    followed = rows[-RUNS_FOLLOWED:]
    return {
        "rows": rows[::-1],
        "last": last,
        "status": last.get("verdict") if last.get("verdict") in STATUS else "unknown",
        "sentence": _sentence(reports / last["run_id"] / "report.json") if last else "",
        "counts": counts,
        "left_out": left_out,
        "strip": strip([row["verdict"] for row in followed]),
        "trends": trends(followed) if rows else [],
        "RUNS_SHOWN": RUNS_SHOWN,
    }
