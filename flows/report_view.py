"""What the templates of the report need beside its dict: order, shares, drawings, and what is missing said empty."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from typing import Any

from flows.pictures import flow, spark
from flows.templating import STATUS
from flows.wording import change, measure, ratio

Report = dict[str, Any]

PUBLISHERS_SHOWN = 25
RULES_SHOWN = 15
CARDS_SHOWN = 8
NAMES_SHOWN = 12
PASSAGE = 1200  # characters that one piece of a page may show which is shown as a whole

ROLE_MEANING = {
    "headline": "the title of the article",
    "kicker": "the label above the headline",
    "standfirst": "the summary below the headline",
    "byline": "who wrote it",
    "dateline": "place, day and agency before the first sentence",
    "published": "when it came out",
    "modified": "when it was last changed",
    "caption": "the words below a picture",
    "credit": "who took the picture",
    "subheading": "a heading inside the article",
    "body": "the article itself",
    "section": "the part of the paper it stands in",
    "masthead": "the outlet's name and banner",
    "navigation": "menus and links around the site",
    "share": "buttons to share or follow",
    "related": "links to other stories",
    "most_read": "lists of popular stories",
    "newsletter": "invitations to sign up",
    "advert": "advertising",
    "comments": "readers' comments and the box for them",
    "contact": "addresses and telephone numbers",
    "legal": "copyright, terms and notices",
    "paywall": "invitations to subscribe",
    "author_bio": "a few lines about the author",
    "media": "leftovers of players and galleries",
    "repeat": "second copies of something that was kept",
    "other": "furniture of no other kind",
}

# What is followed from run to run: the field of `history`, its name on the page, and how it is counted.
MEASURES = (
    ("pages_in", "Pages in", "count"),
    ("articles", "Articles", "count"),
    ("quarantined", "Quarantined", "count"),
    ("with_day_share", "Articles with a day", "share"),
    ("with_byline_share", "Articles with a byline", "share"),
    ("characters_furniture_share", "Characters cut", "share"),
    ("seconds", "Time taken", "seconds"),
)

SECTIONS: dict[str, Any] = {
    "run": {}, "verdict": {}, "balance": {}, "roles": [], "rules": [], "never_fired": [], "publishers": [],
    "memory": [], "failures": [], "warnings": [], "steps": [], "worst_pages": [], "history": [],
    "changes": {},
}  # fmt: skip


def publishers_by_need(rows: Iterable[Report]) -> list[Report]:
    """Order publishers by how much is missing: pages lost, then headline, byline and day not found."""

    def judged(row: Report) -> Report:
        articles = row["articles"] or 0
        gaps = [max(articles - (row[f"with_{field}"] or 0), 0) for field in ("headline", "byline", "day")]
        shares = {f"{field}_share": ratio(row[f"with_{field}"], articles)
                  for field in ("headline", "byline", "day", "instant")}  # fmt: skip
        cut = ratio(row["characters_furniture"], row["characters_in"])
        return {**row, **shares, "cut_share": cut, "need": (row["quarantined"] or 0) + sum(gaps) / 3}

    return sorted(
        map(judged, rows),
        key=lambda row: (-row["need"], -(row["pages"] or 0), row["publisher"] is None, str(row["publisher"])),
    )


def _this_run(report: Report) -> Report:
    """Write this run as a row of the history, for where the history does not end with it."""
    balance, publishers = report["balance"], report["publishers"]
    articles = sum(row["articles"] or 0 for row in publishers)
    found = {field: ratio(sum(row[f"with_{field}"] or 0 for row in publishers), articles)
             for field in ("day", "byline")}  # fmt: skip
    return {
        **{name: balance.get(name) for name in ("pages_in", "articles", "quarantined")},
        "run_id": report["run"].get("run_id"), "started_at": report["run"].get("started_at"),
        "with_day_share": found["day"], "with_byline_share": found["byline"],
        "characters_furniture_share": ratio(balance.get("characters_furniture"),
                                            balance.get("characters_in")),
        "seconds": report["run"].get("seconds"),
    }  # fmt: skip


def history_with(report: Report) -> list[dict[str, Any]]:
    """The runs before this one, and this one."""
    history = list(report["history"])
    if not history or history[-1].get("run_id") != report["run"].get("run_id"):
        history.append(_this_run(report))
    return history


def trends(history: Sequence[Report]) -> list[dict[str, Any]]:
    """Set each measure of the last of some runs beside the run before, the usual and a small line of all runs."""
    rows = []
    for name, label, unit in MEASURES:
        values = [run.get(name) for run in history]
        before = values[-2] if len(values) > 1 else None
        earlier = [value for value in values[:-1] if value is not None]
        rows.append({
            "name": name, "label": label, "unit": unit, "tabled": "tenths" if unit == "share" else unit,
            "now": values[-1], "before": before,
            "usual": statistics.median(earlier) if earlier else None,
            "change": change(values[-1], before, unit), "spark": spark(values), "runs": len(values),
        })  # fmt: skip
    return rows


def _gate(gate: Report) -> Report:
    """Write a gate's numbers in its unit."""
    written = {key: measure(gate[key], gate["unit"]) if isinstance(gate.get(key), int | float) else gate.get(key)
               for key in ("value", "threshold")}  # fmt: skip
    return {**gate, **written}


def report_view(report: Report) -> dict[str, Any]:
    """Add to the report what the templates need and would be ugly to compute in them."""
    whole = {key: report.get(key) or empty for key, empty in SECTIONS.items()}
    balance, verdict = whole["balance"], whole["verdict"]
    kept, cut, held = (
        balance.get(f"characters_{part}") or 0 for part in ("kept", "furniture", "quarantined")
    )
    blank = (balance.get("characters_in") or 0) - kept - cut - held
    # What is left over may be called white space only where law 2 was seen to hold.
    even = any(law.get("law") == 2 and law.get("passed") for law in balance.get("laws") or [])
    left_over = "white space between lines" if even else "not accounted for"
    gates = [_gate(gate) for gate in verdict.get("gates") or []]
    roles = sorted(whole["roles"], key=lambda row: -(row["characters"] or 0))
    field_roles = [row for row in roles if row["kind"] != "furniture"]
    cut_roles = [row for row in roles if row["kind"] == "furniture"]
    fields = {row["role"] for row in field_roles}
    rules = sorted(whole["rules"], key=lambda row: (-(row["spans"] or 0), row["rule"], row["role"]))
    rules = [{**row, "furniture": row["role"] not in fields} for row in rules]
    # What a rule keeps is the page itself; what it cuts is worth a look.
    cards = [row for row in rules if row["furniture"] or row["examples"]]
    changed = whole["changes"]
    moves = [changed.get("moved"), changed.get("roles"), not changed.get("same_source"), not changed.get("same_rules")]
    for key in ("publishers", "rules", "failures", "warnings"):
        moves += (changed.get(key) or {}).values()
    return {
        **whole,
        "steady": not any(moves),
        "status": verdict.get("status") if verdict.get("status") in STATUS else "unknown",
        "page_flow": flow([("became articles", "kept", balance.get("articles") or 0),
                            ("went to quarantine", "held", balance.get("quarantined") or 0)]),
        "character_flow": flow([("kept, as fields and body", "kept", kept), ("cut as furniture", "cut", cut),
                                 ("waiting in quarantine", "held", held),
                                (left_over, "blank", blank)],
                               {"kept": [(row["role"], row["characters"] or 0) for row in field_roles],
                                "cut": [(row["role"], row["characters"] or 0) for row in cut_roles]}),
        "gates_open": [gate for gate in gates if not gate.get("passed")],
        "gates_passed": [gate for gate in gates if gate.get("passed")],
        "laws_broken": [law for law in balance.get("laws") or [] if not law.get("passed")],
        "failures": sorted(whole["failures"], key=lambda row: -(row["pages"] or 0)),
        "warnings": sorted(whole["warnings"], key=lambda row: -(row["pages"] or 0)),
        "publishers": publishers_by_need(whole["publishers"]),
        "cut_roles": cut_roles, "field_roles": field_roles,
        "rules": rules, "cards": cards,
        "card_place": {(row["rule"], row["role"]): place for place, row in enumerate(cards)},
        "rule_why": {(row["rule"], row["role"]): row["why"] for row in rules},
        "trends": trends(history_with(whole)),
        "meaning": ROLE_MEANING, "PASSAGE": PASSAGE, "PUBLISHERS_SHOWN": PUBLISHERS_SHOWN,
        "RULES_SHOWN": RULES_SHOWN, "CARDS_SHOWN": CARDS_SHOWN, "NAMES_SHOWN": NAMES_SHOWN,
    }  # fmt: skip


