"""Lay out the small drawings of the report, as numbers that a template writes into SVG."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from flows.wording import ratio

GAP = 10.0
LEAST = 6.0
"""Units of 1,000 that a part has at least, so that one page in a million is still seen."""
ROLES_NAMED = 4
SHADES = 4


def flow(
    parts: Sequence[tuple[str, str, float]], roles: dict[str, Sequence[tuple[str, float]]] | None = None
) -> list[dict[str, Any]]:
    """Lay out a flow 1,000 units wide: what went in above, where it went below, ribbons between.

    `parts` are (label, kind, value); `roles` says of a kind what it consists of, as (role, value).
    """
    there = [(label, kind, max(value, 0)) for label, kind, value in parts]
    whole = sum(value for _, _, value in there)
    live = [part for part in there if part[2] > 0]
    room = 1000 - GAP * max(len(live) - 1, 0)
    wide = _stretched([value for _, _, value in live], room, LEAST)
    above, below = 0.0, 0.0
    drawn: dict[str, dict[str, Any]] = {}
    named: dict[str, list[dict[str, Any]]] = {}
    for (_, kind, value), foot in zip(live, wide, strict=True):
        a, b, c, d = above, above + value / whole * 1000, below, below + foot
        drawn[kind] = {
            "x": f"{c:.2f}", "w": f"{foot:.2f}",
            "path": f"M{a:.2f} 20C{a:.2f} 48 {c:.2f} 36 {c:.2f} 64H{d:.2f}C{d:.2f} 36 {b:.2f} 48 {b:.2f} 20Z",
        }  # fmt: skip
        named[kind] = _segments((roles or {}).get(kind, ()), whole, c, foot)
        above, below = b, d + GAP
    return [
        {"label": label, "kind": kind, "value": value, "share": ratio(value, whole), "drawn": drawn.get(kind),
         "roles": named.get(kind, [])}
        for label, kind, value in there
    ]  # fmt: skip


def _stretched(values: Sequence[float], room: float, least: float) -> list[float]:
    """Widths that fill `room`, in proportion to `values`, save that none starts below `least`."""
    whole = sum(values)
    wide = [max(value / whole * room, least) for value in values] if whole else []
    return [width * room / sum(wide) for width in wide]


def _segments(roles: Iterable[tuple[str, float]], whole: float, left: float, room: float) -> list[dict[str, Any]]:
    """The band below a part: its largest roles and the rest, each with its share of everything."""
    rows = sorted(((role, value) for role, value in roles if value > 0), key=lambda row: (-row[1], row[0]))
    rest = rows[ROLES_NAMED:]
    if len(rest) > 1:
        rows = [*rows[:ROLES_NAMED], (f"{len(rest)} other roles", sum(value for _, value in rest))]
    found = []
    for place, ((role, value), foot) in enumerate(
        zip(rows, _stretched([value for _, value in rows], room, 1.5), strict=True)
    ):
        found.append({"label": role, "value": value, "share": ratio(value, whole), "shade": min(place, SHADES),
                      "x": f"{left:.2f}", "w": f"{foot:.2f}"})  # fmt: skip
        left += foot
    return found


def spark(values: Sequence[float | None]) -> dict[str, Any] | None:
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


def strip(statuses: Sequence[str]) -> list[dict[str, str]]:
    """Lay out one mark a run, from the oldest to the newest, each 10 units wide; the taller, the graver."""
    tall = {"passed": 14, "warned": 22, "failed": 30}
    return [
        {"status": status, "x": str(place * 10), "y": str(30 - tall.get(status, 6)), "h": str(tall.get(status, 6))}
        for place, status in enumerate(statuses)
    ]
