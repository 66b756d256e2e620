"""Draw a run's report: one HTML page that needs nothing but a browser, its JSON, and Prefect's artifacts.

The page is drawn from one dict (the same that is written as ``report.json``) and from nothing else: no
clock, no database, no network. Everything that came out of a page is hostile until escaped, so the
templates escape everything, and the page's content policy forbids all loading, and every style and script but its own.
"""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

from flows.report_view import Report, report_view
from flows.snapshots.durable import write_whole
from flows.templating import STATUS, draw
from flows.wording import duration, moment, number, share, shown

SUMMARY_BYTES = 9_500  # Prefect keeps every markdown artifact for good
MARKDOWN_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|!~&])")


def render(report: Report) -> str:
    """Draw the report as one HTML page that loads nothing.

    Sections that are missing or empty say so in a friendly line. Raises KeyError, or jinja2's
    UndefinedError, where a row lacks one of its fields.
    """
    return draw("report.html.j2", report_view(report))


def write_report(report: Report, folder: Path) -> tuple[Path, Path]:
    """Write ``report.html`` and ``report.json`` into `folder`, each whole or not at all; return their paths.

    A number that JSON does not know (NaN, infinity) is written as null. Raises OSError as the disk does.
    """
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(_plain(report), ensure_ascii=False, indent=1, allow_nan=False, default=str) + "\n"
    # A lone surrogate becomes \udcXX, which is how JSON spells it anyway.
    written = (("report.html", render(report).encode("utf-8", "replace")),
               ("report.json", text.encode("utf-8", "backslashreplace")))  # fmt: skip
    for name, data in written:
        write_whole(folder / name, data)
    return folder / "report.html", folder / "report.json"


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _md(value: object, limit: int = 160) -> str:
    """Escape for markdown: one line, and nothing in it is a link, an image, HTML or the end of a cell."""
    return MARKDOWN_SPECIAL.sub(r"\\\1", " ".join(shown(value, limit).split())).replace("://", ":\u200b//")


def _balance_row(part: Report) -> str:
    return f"| … {part['label']} | {number(part['value'])} | {share(part['share'])} |"


def markdown_summary(report: Report) -> str:
    """Summarise the report in markdown for a Prefect artifact: at most 10 kB, whatever is in it."""
    view = report_view(report)
    run, balance = view["run"], view["balance"]
    took = duration(run.get("seconds"))
    lines = [
        f"# {STATUS[view['status']]}", "", _md(view["verdict"].get("sentence"), 600), "",
        f"Run {_md(run.get('run_id'))}, {_md(moment(run.get('started_at')))}, took {took}.", "",
        "| Balance | | |", "|:--|--:|--:|", f"| Pages in | {number(balance.get('pages_in'))} | |",
        *map(_balance_row, view["page_flow"]),
        f"| Characters in | {number(balance.get('characters_in'))} | |",
        *(_balance_row(part) for part in view["character_flow"] if part["value"]),
    ]  # fmt: skip
    blocks = (
        ("Laws broken", ("Law", "What is wrong"),
         [(law["name"], law["detail"]) for law in view["laws_broken"]]),
        ("Gates that did not pass", ("Gate", "Level", "What is wrong"),
         [(gate["gate"], gate["level"], gate["message"]) for gate in view["gates_open"]]),
        ("Failures", ("Check", "Pages", "Meaning"),
         [(row["check"], number(row["pages"]), row["meaning"]) for row in view["failures"]]),
        ("Warnings", ("Warning", "Pages", "Meaning"),
         [(row["warning"], number(row["pages"]), row["meaning"]) for row in view["warnings"]]),
        ("Most cut, by role", ("Role", "Characters", "Pages"),
         [(row["role"], number(row["characters"]), number(row["pages"])) for row in view["cut_roles"][:8]]),
    )  # fmt: skip
    if nothing := [title.lower() for title, _, rows in blocks if not rows]:
        lines += ["", f"None: {', '.join(nothing)}."]
    for title, head, rows in blocks:
        if not rows:
            continue
        block = ["", f"## {title}", "", f"| {' | '.join(head)} |", "|:--" * len(head) + "|"]
        block += ["| " + " | ".join(map(_md, row)) + " |" for row in rows[:12]]
        block += ["", f"… and {len(rows) - 12:,} more in the report."] if len(rows) > 12 else []
        if len("\n".join(lines + block).encode("utf-8", "replace")) > SUMMARY_BYTES:
            lines += ["", "The rest is in the report."]
            break
        lines += block
    return "\n".join(lines) + "\n"


def artifact_table(report: Report, limit: int = 200) -> list[Report]:
    """List checks, warnings and the rules that fired as rows of one Prefect table artifact, at most `limit` of them.

    The rules that never fired are in the report: as rows of zeros, they would be most of the table.
    """
    view = report_view(report)
    found = [("check", row["check"], row, "meaning") for row in view["failures"]]
    found += [("warning", row["warning"], row, "meaning") for row in view["warnings"]]
    found += [("rule", row["rule"], row, "why") for row in view["rules"]]
    return [
        {"kind": kind, "name": shown(name), "role": row.get("role"), "pages": row["pages"], "spans": row.get("spans"),
         "characters": row.get("characters"), "why": shown(row[why])}
        for kind, name, row, why in found[: max(limit, 0)]
    ]  # fmt: skip
