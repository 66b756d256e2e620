"""Quality gates: what must hold for a run to be published, and what is only said.

Every gate is a row of `GATES`; its thresholds come from a settings file (`flows.gate_settings`). A gate sees one figure
of the run, and warns or fails where that lies beyond a threshold.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from flows.drift import (
    SHARES,
    Delivered,
    drifted,
    fewer_pages,
    most_cut,
    publishers_drifted,
    told,
    usual_of,
    vanished,
    whole_run,
)
from flows.figures import Figures
from flows.wording import measure, share

Verdict = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Gate:
    """One gate: what it looks at, how its figure is counted (share or count), and what to do where it fires."""

    name: str
    what: str
    unit: str
    cure: str
    at_least: bool = False


@dataclasses.dataclass(frozen=True)
class Limits:
    """The thresholds of a gate; None: it never warns, or never fails."""

    warn: float | None
    fail: float | None


@dataclasses.dataclass(frozen=True)
class Gates:
    """The settings of a run: the limits of every gate by name, and from how much the usual is told."""

    limits: Mapping[str, Limits]
    runs: int
    fewest_runs: int
    fewest_pages: int


GATES = (
    Gate("articles", "Articles in the run, at least.", "count",
         "Look at the quarantine's reasons in the report: an empty source, another column (`--text-column`, "
         "`--html-column`), or pages of no article.", at_least=True),
    Gate("quarantined", "Share of the pages that are quarantined.", "share",
         "Read the commonest reason in the report. `empty_page` and `unreadable`: the crawl broke, fetch again. "
         "`not_an_article`: lists and front pages came along, or a site hides its text from the crawler. "
         "Where so many are usual for your source, raise the threshold."),
    Gate("without_headline", "Share of the articles without a headline.", "share",
         "Open some of these pages with `copydesk explain`. Where the text was taken without the title, give the HTML "
         "(`--html-column`)."),
    Gate("without_date", "Share of the articles without a day of publication.", "share",
         "Open some of these pages with `copydesk explain`. Where the page prints no date, give the HTML or the URL "
         "column; where it prints \"3 hours ago\", the column of the fetch (`--fetched-column`)."),
    Gate("without_byline", "Share of the articles without an author.", "share",
         "Agency copy and briefs have none. Where bylines stand on the pages, `copydesk explain` shows what they were "
         "taken for: add a rule, or report it with the line."),
    Gate("cut", "Share of a publisher's characters that is cut as furniture, of the worst publisher.", "share",
         "Look at the publisher's worst pages in the report. Where articles are cut, `copydesk rules hits` on its pages"
         " names the rule; where the pages are mostly menus, that is how the site is made: raise the threshold."),
    Gate("fewer_pages", "How far the run is below the usual number of pages, as a share of it.", "share",
         "Look at the crawl first: a part of it did not arrive. Where the run was meant to be small, read on."),
    Gate("drift", "How far a share of the whole run is from the usual, in points from 0 to 1.", "share",
         "The report's table by publisher shows who moved it. A new rule set moves all at once: compare `ruleset` in "
         "`runs`. What was published and stays so becomes the usual after some runs."),
    Gate("publisher_drift", "The same for one publisher, of the one that moved most.", "share",
         "The site was most likely rebuilt. Open a new page of it with `copydesk explain`, then add a rule or"
         " a profile, or learn its furniture anew (`copydesk learn`)."),
    Gate("vanished", "Publishers that the usual run has and this one has not.", "count",
         "See whether the crawler still gets its pages (blocked, moved, paywalled), or whether the outlet changed its "
         "name: then a profile's `mastheads` and `domains` want the new one."),
    Gate("furniture", "Sites whose furniture is no longer what site memory knows.", "count",
         "The site was rebuilt: run `copydesk learn` on its new pages and give the new memory."),
)  # fmt: skip
"""Every gate, in the order in which they are told."""


def judge(
    figures: Figures, gates: Gates, delivered: Delivered | None = None, furniture: Sequence[Mapping[str, Any]] = ()
) -> Verdict:
    """The verdict on a run: `status` (passed, warned, failed), a sentence for a person, and each gate's figure.

    `figures` are those of the pages that are judged, `delivered` is for comparing with earlier runs, `furniture` is
    from `drift.site_furniture`. A gate that has nothing to look at (no usual yet, no site memory) is left out.
    """
    found = _figures(figures, gates, delivered, furniture)
    rows = [_judged(gate, gates.limits[gate.name], *found[gate.name]) for gate in GATES if gate.name in found]
    failed = [row for row in rows if not row["passed"] and row["level"] == "fail"]
    warned = [row for row in rows if not row["passed"] and row["level"] == "warn"]
    status = "failed" if failed else "warned" if warned else "passed"
    waiting = figures["quarantined"]
    sentence = (
        f"{figures['articles']:,} of {figures['pages_in']:,} pages became articles; "
        f"{waiting:,} {'waits' if waiting == 1 else 'wait'} in the quarantine."
    )
    if status != "passed":
        told_of = "; ".join(map(_with_limit, failed or warned))
        sentence += f" {told_of[0].upper()}{told_of[1:]}."
    return {"status": status, "sentence": sentence, "gates": rows}


def _figures(
    figures: Figures, gates: Gates, delivered: Delivered | None, furniture: Sequence[Mapping[str, Any]]
) -> dict[str, tuple[float, str]]:
    """What each gate sees: its figure, and what to say of it."""
    whole = whole_run(figures["publishers"])
    shares = {name: counted(whole) or 0.0 for name, (_, counted) in SHARES.items()}
    articles = figures["articles"]
    found: dict[str, tuple[float, str]] = {
        "articles": (articles, "not one page became an article" if not articles else
                     f"{articles:,} {'page' if articles == 1 else 'pages'} became articles"),
        "quarantined": (shares["quarantined"], f"{share(shares['quarantined'])} of the pages were quarantined"),
        **{
            f"without_{field}": (shares[f"without_{field}"],
                                 f"{share(shares[f'without_{field}'])} of the articles have no {field}")
            for field in ("headline", "date", "byline")
        },
        "cut": most_cut(figures["publishers"], gates.fewest_pages),
    }  # fmt: skip
    usual = usual_of(delivered.past, gates.runs, gates.fewest_runs) if delivered else None
    if delivered and usual:
        found["fewer_pages"] = fewer_pages(delivered.pages, usual)
        found["drift"] = drifted(whole, usual)
        found["publisher_drift"] = publishers_drifted(figures["publishers"], usual, gates.fewest_pages)
        found["vanished"] = vanished(delivered.publishers, usual, gates.fewest_pages)
    if furniture:
        changed = [row for row in furniture if row["changed"]]
        found["furniture"] = (len(changed), told(changed))
    return found


def _judged(gate: Gate, limits: Limits, value: float, message: str) -> dict[str, Any]:
    def beyond(limit: float | None) -> bool:
        return limit is not None and (value < limit if gate.at_least else value > limit)

    level = "fail" if beyond(limits.fail) or limits.warn is None else "warn"
    return {
        "gate": gate.name, "level": level, "value": value,
        "threshold": limits.fail if level == "fail" else limits.warn,
        "passed": not (beyond(limits.warn) or beyond(limits.fail)),
        "message": message, "unit": gate.unit, "what": gate.what, "cure": gate.cure,
    }  # fmt: skip


def _with_limit(row: Mapping[str, Any]) -> str:
    written = measure(row["threshold"], row["unit"])
    return f"{row['message']} (gate {row['gate']}, limit {written})"
