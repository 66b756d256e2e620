"""One run as a row of the `runs` dataset, and the report that is drawn from it and its history."""

from __future__ import annotations

import datetime as dt
import platform
from importlib.metadata import version
from typing import Any

import polars as pl

from copydesk import __version__
from copydesk.cleaning import Desk
from copydesk.markup import MARKUP
from copydesk.precedence import LINE_MODELS, MODEL, PRECEDENCE
from copydesk.roles import FURNITURE
from copydesk.rules import RuleBook
from flows.changes import changes
from flows.figures import Figures
from flows.gates import Verdict
from flows.laws import Law
from schemas import ARTICLES, RUNS, SCHEMA_VERSION
from schemas.articles import WARNINGS

HISTORY = 30
LIBRARIES = ("polars", "pyarrow", "pandera", "prefect")

FAILURES = {
    "binary": "The page's bytes are no text.",
    "undecodable": "No known encoding fits the page's bytes.",
    "unreadable": "The file could not be read.",
    "page_too_large": "The page is larger than a page may be.",
    "broken_json": "The line is no valid JSON object.",
    "no_text": "The record has no text.",
    "no_id": "The record has no id.",
    "duplicate_id": "Several pages share this id and differ.",
    "empty_page": "The page has no text at all.",
    "law_2": "The pieces of the page are not the page: a defect of copydesk, please report it.",
    "law_4": "A field does not stand on the page: a defect of copydesk, please report it.",
    "not_an_article": "Nothing on the page reads like a paragraph of an article.",
}
"""What the checks of the quarantine say to a person."""


def versions(desk: Desk) -> dict[str, str]:
    """What made the rows: copydesk, its rules, the schema, Python and the libraries."""
    ours = {
        "copydesk": __version__,
        "ruleset": desk.ruleset,
        **({"site memory": desk.memory.version} if desk.memory else {}),
        "schema": SCHEMA_VERSION,
        "python": platform.python_version(),
    }
    return ours | {name: version(name) for name in LIBRARIES}


def run_row(run: dict[str, Any], figures: Figures, verdict: Verdict) -> pl.DataFrame:
    """The run as one row of `runs`."""
    row = {
        **{k: run[k] for k in ("run_id", "started_at", "finished_at", "seconds", "source", "bytes_in", "bytes_out")},
        "verdict": verdict["status"],
        **{f"duplicates_{kind}": count for kind, count in run["duplicates"].items()},
        **{k: figures[k] for k in ("pages_in", "articles", "quarantined")},
        **{
            k: figures[k]
            for k in ("characters_in", "characters_kept", "characters_furniture", "characters_quarantined")
        },
        **run["refresh"],
        "by_publisher": figures["publishers"],
        "by_role": figures["roles"],
        "by_rule": [{k: v for k, v in r.items() if k != "examples"} for r in figures["rules"]],
        "failures": [{"name": f["check"], "pages": f["pages"]} for f in figures["failures"]],
        "warnings": [{"name": w["warning"], "pages": w["pages"]} for w in figures["warnings"]],
        "ruleset": run["versions"]["ruleset"],
        "versions": [{"name": k, "version": v} for k, v in run["versions"].items()],
        "steps": run["steps"],
    }
    return pl.DataFrame([{name: row[name] for name in RUNS.columns}], schema=RUNS.columns, orient="row")


def build_report(
    run: dict[str, Any],
    figures: Figures,
    verdict: Verdict,
    laws: list[Law],
    desk: Desk,
    history: pl.DataFrame,
    furniture: list[dict[str, Any]],
) -> dict[str, Any]:
    """The report as a JSON-ready dict; `history` is the runs dataset with this run in it, `furniture` from `drift`."""
    known = {r.name: (r.file, r.why, r.role) for r in desk.rules.rules}
    fired = {r["rule"] for r in figures["rules"]}
    instant = dt.datetime.isoformat
    history = history.sort("started_at", "run_id")
    return {
        "run": {
            **{k: run[k] for k in ("run_id", "name", "seconds", "source", "output", "parameters", "versions")},
            "refresh": run["refresh"],
            "started_at": instant(run["started_at"]),
            "finished_at": instant(run["finished_at"]),
        },
        "verdict": verdict,
        "balance": {
            **{k: figures[k] for k in ("pages_in", "articles", "quarantined", "characters_in", "characters_kept")},
            "characters_furniture": figures["characters_furniture"],
            "characters_quarantined": figures["characters_quarantined"],
            "duplicates": run["duplicates"],
            "laws": [{"law": w.number, "name": w.name, "passed": w.passed, "detail": w.detail} for w in laws],
        },
        "roles": [r | {"kind": "furniture" if r["role"] in FURNITURE else "field"} for r in figures["roles"]],
        "rules": [
            r | dict(zip(("file", "why"), reason(r["rule"], r["role"], desk.rules), strict=True))
            for r in figures["rules"]
        ],
        "never_fired": [
            {"rule": name, "role": role, "file": file, "why": why}
            for name, (file, why, role) in known.items()
            if name not in fired
        ],
        "publishers": figures["publishers"],
        "memory": furniture,
        "failures": [
            f | {"meaning": FAILURES.get(f["check"], _column_meaning(f["column"]))} for f in figures["failures"]
        ],
        "warnings": [w | {"meaning": WARNINGS[w["warning"]]} for w in figures["warnings"]],
        "steps": run["steps"],
        "worst_pages": figures["worst_pages"],
        "history": history_rows(history.tail(HISTORY)),
        "changes": changes(*history.tail(2).to_dicts()) if len(history) > 1 else {},
    }


PIECE_RULES: dict[str, tuple[str, str]] = {
    "credit_line": ("dissect.py", "A line that is only a picture credit."),
    "caption_printed_twice": ("dissect.py", "One caption printed twice in a line, or on two."),
    "headline_path": ("headline_cuts.py", "Sections with arrows between them before the headline, on its line."),
    "kicker_in_brackets": ("headline_cuts.py", "Words in square brackets before the headline."),
    "kicker_quotation": ("headline_cuts.py", "A quotation run together with the headline behind it."),
    "kicker_before_bar": ("headline_cuts.py", "Words before the headline on its line, and a bar between."),
    "kicker_before_slug": ("headline_cuts.py", "Words before the headline that the page's address lacks."),
    "kicker_before_title": ("headline_cuts.py", "Words before the headline that the page's own title lacks."),
    "masthead_behind_headline": ("headline_cuts.py", "The outlet's name behind the headline, on its line."),
    "section_behind_headline": ("headline_cuts.py", "A word or two behind the headline, and a bar between."),
    "other_behind_headline": ("headline_cuts.py", "What else stands behind the headline and a bar."),
    "loss_guard": ("guards.py", "A rule would have taken most of the page's paragraphs, and took none."),
    "site_memory": ("site memory", "The line stands on many pages of the site."),
    "publisher_furniture": ("publisher profile", "The publisher's profile names the line as furniture."),
    "byline_closing": ("spans.py", "Who wrote the article, in brackets behind its last sentence."),
    "dateline_printed": ("spans.py", "Place, day and agency before the first paragraph."),
}
"""Rules that cut a line into pieces, or look at more than a line: where they stand, and why."""


def reason(rule: str, role: str, book: RuleBook) -> tuple[str, str]:
    """Where a rule of the ledger stands, and why it gives that role; empty where nobody says."""
    if rule in PIECE_RULES:
        return PIECE_RULES[rule]
    asked = rule in LINE_MODELS.values()
    for decision in MODEL if asked else PRECEDENCE:
        if (asked or decision.rule == rule) and decision.role in (role, None):
            return "precedence.py", decision.why
    for markup in MARKUP:
        if markup.name == rule:
            return "markup.py", markup.why
    return next(((r.file, r.why) for r in book.rules if r.name == rule), ("", ""))


def _column_meaning(column: str | None) -> str:
    found = ARTICLES.schema.columns.get(column or "")
    return (
        f"The article's {column} breaks its contract: {found.description}"
        if found
        else "A check of the contract failed."
    )


def history_rows(runs: pl.DataFrame) -> list[dict[str, Any]]:
    """Each run of the dataset `runs` as the report and the index of all runs follow it, the oldest first."""
    rows = []
    for r in runs.sort("started_at", "run_id").iter_rows(named=True):
        articles = r["articles"] or None
        dated = sum(p["with_day"] for p in r["by_publisher"])
        signed = sum(p["with_byline"] for p in r["by_publisher"])
        rows.append(
            {
                "run_id": r["run_id"],
                "started_at": r["started_at"].isoformat(),
                **{k: r[k] for k in ("verdict", "source", "pages_in", "articles", "quarantined", "seconds")},
                "quarantined_share": r["quarantined"] / r["pages_in"] if r["pages_in"] else None,
                "with_day_share": dated / articles if articles else None,
                "with_byline_share": signed / articles if articles else None,
                "characters_furniture_share": r["characters_furniture"] / r["characters_in"]
                if r["characters_in"]
                else None,
            }
        )
    return rows
