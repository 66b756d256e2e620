"""Draw a run's report: one HTML page that needs nothing but a browser, its JSON, and Prefect's artifacts.

The page is drawn from one dict (the same that is written as ``report.json``) and from nothing else: no
clock, no database, no network. Everything that came out of a page is hostile until escaped, so the
templates escape everything, the page carries no script, and its content policy forbids all loading.
"""

from __future__ import annotations

import functools
import json
import math
import os
import re
import statistics
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from flows.wording import change, duration, measure, moment, number, ratio, share, shown, width

Report = dict[str, Any]

TEMPLATES = Path(__file__).with_name("templates")
PUBLISHERS_SHOWN = 25
RULES_SHOWN = 12
PASSAGE = 1200  # the same for one span of a page that is shown as a whole
SUMMARY_BYTES = 9_500  # Prefect keeps every markdown artifact for good

STATUS = {"passed": "Passed", "warned": "Passed, with warnings", "failed": "Failed", "unknown": "No verdict"}

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
}  # fmt: skip

MARKDOWN_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|!~&])")


def _flow(parts: Sequence[tuple[str, str, float]]) -> list[dict[str, Any]]:
    """Lay out a flow picture 1,000 units wide: what went in above, where it went below, ribbons between.

    A part that is there at all gets at least 6 units below, so that one page in a million is still seen.
    """
    there = [(label, kind, max(value, 0)) for label, kind, value in parts]
    whole = sum(value for _, _, value in there)
    live = [part for part in there if part[2] > 0]
    gap = 10.0
    room = 1000 - gap * max(len(live) - 1, 0)
    wide = [max(value / whole * room, 6.0) for _, _, value in live]
    scale = room / sum(wide) if wide else 1.0
    flows, above, below = [], 0.0, 0.0
    drawn = {}
    for (_, kind, value), raw in zip(live, wide, strict=True):
        top, foot = value / whole * 1000, raw * scale
        a, b, c, d = above, above + top, below, below + foot
        drawn[kind] = {
            "x": f"{c:.2f}", "w": f"{foot:.2f}",
            "path": f"M{a:.2f} 20C{a:.2f} 48 {c:.2f} 36 {c:.2f} 64H{d:.2f}C{d:.2f} 36 {b:.2f} 48 {b:.2f} 20Z",
        }  # fmt: skip
        above, below = b, d + gap
    for label, kind, value in there:
        flows.append({"label": label, "kind": kind, "value": value, "share": ratio(value, whole),
                      "drawn": drawn.get(kind)})  # fmt: skip
    return flows


def _spark(values: Sequence[float | None]) -> dict[str, Any] | None:
    """Lay out a small line, 160 by 36; gaps stay gaps. None where there is nothing to draw."""
    known = [value for value in values if value is not None and math.isfinite(value)]
    if not known:
        return None
    low, high = min(known), max(known)
    spread = (high - low) or 1.0
    step = 148 / max(len(values) - 1, 1)
    path, last, pen = [], (0.0, 0.0), "M"
    for place, value in enumerate(values):
        if value is None or not math.isfinite(value):
            pen = "M"
            continue
        y = 18.0 if low == high else 31 - (value - low) / spread * 26
        last = (6 + place * step if len(values) > 1 else 80.0, y)
        path.append(f"{pen}{last[0]:.1f} {last[1]:.1f}")
        pen = "L"
    return {"path": "".join(path), "x": f"{last[0]:.1f}", "y": f"{last[1]:.1f}"}


def _publishers(rows: Iterable[Report]) -> list[Report]:
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


def _trends(report: Report) -> list[dict[str, Any]]:
    """Set each measure of this run beside the last run, the usual and a small line of all runs."""
    history = list(report["history"])
    if not history or history[-1].get("run_id") != report["run"].get("run_id"):
        history.append(_this_run(report))
    rows = []
    for name, label, unit in MEASURES:
        values = [run.get(name) for run in history]
        before = values[-2] if len(values) > 1 else None
        earlier = [value for value in values[:-1] if value is not None]
        rows.append({
            "name": name, "label": label, "unit": unit, "now": values[-1], "before": before,
            "usual": statistics.median(earlier) if earlier else None,
            "change": change(values[-1], before, unit), "spark": _spark(values), "runs": len(values),
        })  # fmt: skip
    return rows


def _gate(gate: Report) -> Report:
    """Give a gate's numbers their unit: a limit between 0 and 1 written as a fraction is a share."""
    limit = gate.get("threshold")
    unit = "share" if isinstance(limit, float) and abs(limit) <= 1 else "count"
    written = {key: measure(gate[key], unit) if isinstance(gate.get(key), int | float) else gate.get(key)
               for key in ("value", "threshold")}  # fmt: skip
    return {**gate, **written}


def _view(report: Report) -> dict[str, Any]:
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
    fields = {row["role"] for row in roles if row["kind"] != "furniture"}
    rules = sorted(whole["rules"], key=lambda row: (-(row["characters"] or 0), row["rule"]))
    rules = [{**row, "furniture": row["role"] not in fields} for row in rules]
    return {
        **whole,
        "status": verdict.get("status") if verdict.get("status") in STATUS else "unknown",
        "page_flow": _flow([("became articles", "kept", balance.get("articles") or 0),
                            ("went to quarantine", "held", balance.get("quarantined") or 0)]),
        "character_flow": _flow([("kept, as fields and body", "kept", kept), ("cut as furniture", "cut", cut),
                                 ("waiting in quarantine", "held", held),
                                 (left_over, "blank", blank)]),
        "gates_open": [gate for gate in gates if not gate.get("passed")],
        "gates_passed": [gate for gate in gates if gate.get("passed")],
        "laws_broken": [law for law in balance.get("laws") or [] if not law.get("passed")],
        "failures": sorted(whole["failures"], key=lambda row: -(row["pages"] or 0)),
        "warnings": sorted(whole["warnings"], key=lambda row: -(row["pages"] or 0)),
        "publishers": _publishers(whole["publishers"]),
        "cut_roles": [row for row in roles if row["kind"] == "furniture"],
        "field_roles": [row for row in roles if row["kind"] != "furniture"],
        "rules": rules,
        "rule_place": {row["rule"]: place for place, row in enumerate(rules)},
        "trends": _trends(whole),
        "meaning": ROLE_MEANING, "STATUS": STATUS, "PASSAGE": PASSAGE,
        "PUBLISHERS_SHOWN": PUBLISHERS_SHOWN, "RULES_SHOWN": RULES_SHOWN,
    }  # fmt: skip


@functools.cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
    environment.filters.update(
        {writer.__name__: writer for writer in (number, share, duration, moment, shown, width, measure)}
    )
    environment.globals["ratio"] = ratio
    return environment


def render(report: Report) -> str:
    """Draw the report as one HTML page that loads nothing.

    Sections that are missing or empty say so in a friendly line. Raises KeyError, or jinja2's
    UndefinedError, where a row lacks one of its fields.
    """
    return _environment().get_template("report.html.j2").render(_view(report))


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
        _write_whole(folder / name, data)
    return folder / "report.html", folder / "report.json"


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _write_whole(path: Path, data: bytes) -> None:
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            os.fchmod(file.fileno(), 0o644)  # mkstemp makes files that only their owner may read
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _md(value: object, limit: int = 160) -> str:
    """Escape for markdown: one line, and nothing in it is a link, an image, HTML or the end of a cell."""
    return MARKDOWN_SPECIAL.sub(r"\\\1", " ".join(shown(value, limit).split())).replace("://", ":\u200b//")


def _balance_row(part: Report) -> str:
    return f"| … {part['label']} | {number(part['value'])} | {share(part['share'])} |"


def markdown_summary(report: Report) -> str:
    """Summarise the report in markdown for a Prefect artifact: at most 10 kB, whatever is in it."""
    view = _view(report)
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
    for title, head, rows in blocks:
        block = ["", f"## {title}", ""]
        block += [f"| {' | '.join(head)} |", "|:--" * len(head) + "|"] if rows else ["None."]
        block += ["| " + " | ".join(map(_md, row)) + " |" for row in rows[:12]]
        block += ["", f"… and {len(rows) - 12:,} more in the report."] if len(rows) > 12 else []
        if len("\n".join(lines + block).encode("utf-8", "replace")) > SUMMARY_BYTES:
            lines += ["", "The rest is in the report."]
            break
        lines += block
    return "\n".join(lines) + "\n"


def artifact_table(report: Report, limit: int = 200) -> list[Report]:
    """List checks, warnings and rules as rows of one Prefect table artifact, at most `limit` of them."""
    view = _view(report)
    found = [("check", row["check"], row, "meaning") for row in view["failures"]]
    found += [("warning", row["warning"], row, "meaning") for row in view["warnings"]]
    found += [("rule", row["rule"], row, "why") for row in view["rules"]]
    found += [("rule", row["rule"], {**row, "pages": 0, "spans": 0, "characters": 0}, "why")
              for row in view["never_fired"]]  # fmt: skip
    return [
        {"kind": kind, "name": shown(name), "pages": row["pages"], "spans": row.get("spans"),
         "characters": row.get("characters"), "why": shown(row[why])}
        for kind, name, row, why in found[: max(limit, 0)]
    ]  # fmt: skip
