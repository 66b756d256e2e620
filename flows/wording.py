"""Put numbers, times and pieces of pages into words that a reader of a report can take in."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime

EXCERPT = 240  # characters of a page that one example may show

MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
    "November", "December",
)  # fmt: skip

# Characters that would hide, reverse or break what is shown: controls, bidi overrides, lone surrogates.
UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def number(value: float | None) -> str:
    """Write a count with thousands separators.

    >>> number(1234567), number(0.25), number(None)
    ('1,234,567', '0.25', '–')
    """
    if value is None or not math.isfinite(value):
        return "–"
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.2f}"


def share(value: float | None) -> str:
    """Write a share (0 to 1) as a percentage; what is nearly nothing or nearly all does not round to it.

    >>> share(0.5), share(0.0421), share(0.00001), share(0.99999), share(None)
    ('50%', '4.2%', '<0.1%', '>99.9%', '–')
    """
    if value is None or not math.isfinite(value):
        return "–"
    if 0 < value < 0.001:
        return "<0.1%"
    if 0.999 < value < 1:
        return ">99.9%"
    return f"{value * 100:.1f}".removesuffix(".0") + "%"


def duration(seconds: float | None) -> str:
    """Write a length of time the way one says it.

    >>> duration(0.042), duration(8.24), duration(192), duration(3900)
    ('0.04 s', '8.2 s', '3 min 12 s', '1 h 5 min')
    """
    if seconds is None or not math.isfinite(seconds):
        return "–"
    if seconds < 59.95:
        return f"{seconds:.2f} s" if seconds < 1 else f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60:,} h {minutes % 60} min"


def moment(value: str | None) -> str:
    """Write an ISO instant as a day and a time in UTC; what is no instant is shown as it stands.

    >>> moment("2026-11-21T10:15:00Z"), moment("soon")
    ('21 November 2026, 10:15 UTC', 'soon')
    """
    if not value:
        return "–"
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        return value
    at = at.astimezone(UTC) if at.tzinfo else at
    return f"{at.day} {MONTHS[at.month - 1]} {at.year}, {at:%H:%M} UTC"


def shown(value: object, limit: int = EXCERPT) -> str:
    """Make a page's text safe to look at: cut to `limit` characters, and what cannot be seen named.

    Left alone: markup. Escaping is the template's business, and happens to everything.

    >>> shown("a\\u202eb\\x00"), shown("abcdef", 3), shown(None)
    ('a⟨U+202E⟩b⟨U+0000⟩', 'abc…', '')
    """
    text = "" if value is None else str(value)
    cut = text if len(text) <= limit else text[:limit] + "…"
    return UNSEEN.sub(lambda hit: f"⟨U+{ord(hit[0]):04X}⟩", cut)


def ratio(part: float | None, whole: float | None) -> float | None:
    """Divide, where there is something to divide by."""
    return part / whole if whole and part is not None else None


def width(value: float | None) -> str:
    """Write a share as the CSS length of its bar; whatever is there stays visible."""
    if value is None or not math.isfinite(value) or value <= 0:
        return "0%"
    return f"{min(max(value * 100, 0.6), 100):.2f}%"


def measure(value: float | None, unit: str) -> str:
    """Write a value in its unit: count, share or seconds."""
    writers: dict[str, Callable[[float | None], str]] = {"share": share, "seconds": duration}
    return writers.get(unit, number)(value)


def change(now: float | None, before: float | None, unit: str) -> str:
    """Say how a value moved; shares move by points.

    >>> change(25, 22, "count"), change(0.5, 0.52, "share"), change(3, 3, "count"), change(3, None, "count")
    ('+3', '−2 points', 'no change', '')
    """
    if now is None or before is None:
        return ""
    step = round((now - before) * 100, 1) if unit == "share" else round(now - before, 1)
    if not step:
        return "no change"
    size = number(abs(step)) if unit == "count" else f"{abs(step):,.1f}".removesuffix(".0")
    words = {"share": " point" if abs(step) == 1 else " points", "seconds": " s"}.get(unit, "")
    return ("+" if step > 0 else "−") + size + words
