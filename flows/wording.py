"""Put numbers, times and pieces of pages into words that a reader of a report can take in."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sized
from datetime import UTC, datetime

EXCERPT = 240  # characters of a page that one example may show

MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
    "November", "December",
)  # fmt: skip

# Characters that would hide, reverse or break what is shown: controls, bidi overrides, lone surrogates, separators of
# lines, and what has no width. The joiners U+200C and U+200D stay: Persian, Hindi and emoji are spelt with them.
UNSEEN = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f"
    r"\u3164\ud800-\udfff\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_MARK = r"[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff]"
# Marks piled on one letter until they cover the lines above and below.
PILED = re.compile(f"(?<={_MARK}{{4}}){_MARK}+")


def number(value: float | None) -> str:
    """Write a count with thousands separators.

    >>> number(1234567), number(0.25), number(None)
    ('1,234,567', '0.25', '–')
    """
    if value is None or not math.isfinite(value):
        return "–"
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.2f}".rstrip("0").rstrip(".")


def counted(things: Sized, name: str) -> str:
    """Write how many things there are, with their name.

    >>> counted([1], "shard"), counted(range(2000), "shard")
    ('1 shard', '2,000 shards')
    """
    return f"{len(things):,} {name}{'' if len(things) == 1 else 's'}"


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


def tenths(value: float | None) -> str:
    """Write a share for a column of a table: always with one decimal, so that the points stand below each other.

    >>> tenths(0.5), tenths(0.0421), tenths(0), tenths(0.00001), tenths(0.99999), tenths(None)
    ('50.0%', '4.2%', '0.0%', '<0.1%', '>99.9%', '–')
    """
    written = share(value)
    return written if written[0] in "<>–" or "." in written else written.removesuffix("%") + ".0%"


def percent(value: float | None) -> str:
    """Write a share as whole percents, where a bar beside it says the rest.

    >>> percent(0.333), percent(0.001), percent(0.999), percent(1), percent(None)
    ('33%', '<1%', '>99%', '100%', '–')
    """
    if value is None or not math.isfinite(value):
        return "–"
    if 0 < value < 0.005 or 0.995 < value < 1:
        return "<1%" if value < 0.5 else ">99%"
    return f"{value:.0%}"


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


def day_and_time(value: str | None) -> str:
    """Write an ISO instant shortly, for a table; what is no instant is shown as it stands.

    >>> day_and_time("2026-11-21T10:15:00Z"), day_and_time("soon")
    ('21 Nov 2026 10:15', 'soon')
    """
    return re.sub(r"^(\d+ \w{3})\w* (\d+), (.*) UTC$", r"\1 \2 \3", moment(value))


def shown(value: object, limit: int = EXCERPT) -> str:
    """Make a page's text safe to look at: cut to `limit` characters, and what cannot be seen named.

    Left alone: markup. Escaping is the template's business, and happens to everything.

    >>> shown("a\\u202eb\\x00"), shown("abcdef", 3), shown(None)
    ('a⟨U+202E⟩b⟨U+0000⟩', 'abc…', '')
    """
    text = "" if value is None else str(value)
    cut = text if len(text) <= limit else text[:limit] + "…"
    seen = UNSEEN.sub(lambda hit: f"⟨U+{ord(hit[0]):04X}⟩", cut)
    return PILED.sub(lambda hit: f"⟨{len(hit[0])} more marks⟩", seen)


def ratio(part: float | None, whole: float | None) -> float | None:
    """Divide, where there is something to divide by."""
    return part / whole if whole and part is not None else None


def bar(value: float | None) -> str:
    """Write a share as the class of its bar, which has a length in whole percents; what is there stays visible.

    >>> bar(0), bar(0.001), bar(0.5), bar(0.999), bar(1), bar(None)
    ('w0', 'w1', 'w50', 'w99', 'w100', 'w0')
    """
    if value is None or not math.isfinite(value) or value <= 0:
        return "w0"
    return "w100" if value >= 1 else f"w{min(max(round(value * 100), 1), 99)}"


def measure(value: float | None, unit: str) -> str:
    """Write a value in its unit: count, share, tenths (a share in a table) or seconds."""
    writers: dict[str, Callable[[float | None], str]] = {"share": share, "tenths": tenths, "seconds": duration}
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
