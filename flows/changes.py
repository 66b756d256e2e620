"""What changed from one run to the next: two rows of `runs`, side by side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from flows.wording import ratio

Row = Mapping[str, Any]

FEWEST_ARTICLES = 5
"""Articles that a publisher needs in both runs before its shares are compared."""
MOVED = 0.2
"""A publisher's share that moved by as much is named, as a share (0 to 1)."""
ROLE_MOVED = 0.01
"""A role's share of all characters that moved by as much is named."""
FOUND = ("headline", "byline", "day", "instant")


def changes(before: Row, now: Row) -> dict[str, Any]:
    """What appeared, vanished and moved between two rows of `runs`.

    `rules` is None where one of the rows comes from a version that did not count rules.
    """
    return {
        "since": {"run_id": before["run_id"], "started_at": before["started_at"].isoformat(),
                  "source": before["source"], "ruleset": before["ruleset"]},
        "same_source": before["source"] == now["source"],
        "same_rules": before["ruleset"] == now["ruleset"],
        "publishers": _came_and_went(before["by_publisher"], now["by_publisher"], "publisher", "pages"),
        "moved": _moved(before["by_publisher"], now["by_publisher"]),
        "roles": _roles(before, now),
        "rules": None if before["by_rule"] is None or now["by_rule"] is None
        else _came_and_went(_whole_rules(before), _whole_rules(now), "rule", "spans"),
        "failures": _came_and_went(before["failures"], now["failures"], "name", "pages"),
        "warnings": _came_and_went(before["warnings"], now["warnings"], "name", "pages"),
    }  # fmt: skip


def _whole_rules(run: Row) -> list[dict[str, Any]]:
    """Spans of each rule, whatever roles it gave."""
    spans: dict[str, int] = {}
    for row in run["by_rule"]:
        spans[row["rule"]] = spans.get(row["rule"], 0) + row["spans"]
    return [{"rule": rule, "spans": count} for rule, count in spans.items()]


def _came_and_went(before: Iterable[Row], now: Iterable[Row], key: str, count: str) -> dict[str, list[dict[str, Any]]]:
    """What is in one of two lists alone, the largest first; what has no name is left out."""
    old = {row[key]: row[count] for row in before if row[key] is not None and row[count]}
    new = {row[key]: row[count] for row in now if row[key] is not None and row[count]}

    def only(these: dict[str, int], those: dict[str, int]) -> list[dict[str, Any]]:
        rows = [{"name": name, count: number} for name, number in these.items() if name not in those]
        return sorted(rows, key=lambda row: (-row[count], row["name"]))

    return {"appeared": only(new, old), "vanished": only(old, new)}


def _moved(before: Iterable[Row], now: Iterable[Row]) -> list[dict[str, Any]]:
    """Publishers of whose articles another share has a field, or of whose text another share was cut."""
    old = {row["publisher"]: row for row in before}
    rows = []
    for new in now:
        was = old.get(new["publisher"])
        if was is None or new["publisher"] is None or min(was["articles"], new["articles"]) < FEWEST_ARTICLES:
            continue
        counts = [(field, f"with_{field}", "articles") for field in FOUND]
        for name, part, whole in [*counts, ("cut", "characters_furniture", "characters_in")]:
            a, b = ratio(was[part], was[whole]), ratio(new[part], new[whole])
            if a is not None and b is not None and abs(b - a) >= MOVED:
                rows.append({"publisher": new["publisher"], "share": name, "before": a, "now": b})
    return sorted(rows, key=lambda row: (-abs(row["now"] - row["before"]), row["publisher"], row["share"]))


def _roles(before: Row, now: Row) -> list[dict[str, Any]]:
    """Roles whose share of all characters moved."""
    old, new = (
        {row["role"]: ratio(row["characters"], run["characters_in"]) or 0.0 for row in run["by_role"]}
        for run in (before, now)
    )
    rows = [(role, old.get(role, 0.0), new.get(role, 0.0)) for role in {*old, *new}]
    moved = sorted((row for row in rows if abs(row[2] - row[1]) >= ROLE_MOVED), key=lambda r: (-abs(r[2] - r[1]), r[0]))
    return [{"role": role, "before": a, "now": b} for role, a, b in moved]
