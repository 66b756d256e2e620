"""What stands beside a day in a line: its weekday, its label, its time of day and zone.

Everything here is about a position in a line and what the characters to its left or right say.
"""

from __future__ import annotations

import re
from datetime import time
from typing import Literal, NamedTuple

from copydesk.datewords import DIGIT, SPACE, LabelKind, words

Precision = Literal["day", "minute", "second"]

_WINDOW = 40  # how far before a day its time may start
_CJK = 0x2FFF
_LONGEST_CJK_LABEL = 6

RUN = re.compile(DIGIT + "+")
_WORD_BEHIND = re.compile(rf",?{SPACE}([^\W\d_]{{4,12}})(?![^\s,)])")
_LABEL_GAP = " \t\u00a0\u202f\u3000:：|·•-–—([（【「.;/→▲■"
STRONG_GAP = re.compile(r"[|•·–—\-/]")


class Clock(NamedTuple):
    """A time of day: where it starts, what it says, and what stands between it and its day."""

    start: int
    at: time
    zone: str | None
    precision: Precision
    gap: str


def _lower(line: str) -> str:
    """Lower case, letter for letter (the plain method makes two of a dotted capital I)."""
    low = line.lower()
    return low if len(low) == len(line) else "".join(c.lower()[0] for c in line)


class Beside:
    """A line, and what its words beside a position say."""

    def __init__(self, line: str) -> None:
        self.text = line
        self.low = _lower(line)
        self.words = words()

    def word_before(self, end: int) -> int:
        """Where the run of letters that ends at `end` starts."""
        line, start = self.text, end
        while (
            start
            and end - start < 24
            and (line[start - 1].isalpha() or (start < end and line[start - 1] in "’'"))
        ):
            start -= 1
        return start

    def glued(self, start: int, end: int) -> int | None:
        """Where the capitalised word begins that is glued to the word before it ("PressApril")."""
        line = self.text
        if line[start + 1 : end].islower():
            return None
        for i in range(end - 2, start, -1):
            if line[i].isupper() and (line[i + 1].islower() or line[i - 1].islower()):
                return i
        return None

    def month_before(self, end: int) -> tuple[int, int, str] | None:
        """Start, number and word of the month that stands before `end`."""
        line, stop = self.text, end
        while stop and end - stop < 3 and line[stop - 1] in " \u00a0.-/\t":
            stop -= 1
        start = self.word_before(stop)
        if stop - start < 3:
            return None
        word = self.low[start:stop]
        if month := self.words.months.get(word):
            return start, month, word
        if (begin := self.glued(start, stop)) and (month := self.words.months.get(self.low[begin:stop])):
            return begin, month, self.low[begin:stop]
        return None

    def weekday_before(self, end: int) -> tuple[int, frozenset[int], bool] | None:
        """Start, the days it may be, and whether it is a weekday beyond doubt."""
        line, stop = self.text, end
        for joint in self.words.weekday_joints:
            if self.low.endswith(joint, 0, stop) and stop > len(joint):
                stop -= len(joint)
                break
        mark = stop
        while stop and mark - stop < 4 and line[stop - 1] in " \u00a0.,\t":
            stop -= 1
        start = self.word_before(stop)
        if start > 1 and line[start - 1] == "-" and self.low[start:stop] == "feira":
            start = self.word_before(start - 1)
        for begin in (start, self.glued(start, stop)):
            if begin is not None and (days := self.words.weekdays.get(self.low[begin:stop])):
                firm = self.low[begin:stop] not in self.words.doubtful_weekdays
                return begin, days, firm or "," in line[stop:mark] or "." in line[stop:mark]
        return None

    def label_before(self, end: int) -> tuple[int, int, LabelKind] | None:
        """Start and end of the label that a date at `end` has, and its kind."""
        line, low, table = self.text, self.low, self.words
        stop = end
        for _ in range(3):
            floor = max(0, stop - 12)
            while stop > floor and line[stop - 1] in _LABEL_GAP:
                stop -= 1
            start = self.word_before(stop)
            if start == stop:
                return None
            for begin in (start, self.glued(start, stop)):
                for size in table.label_sizes.get(low[begin:stop], ()) if begin is not None else ():
                    head = stop - size
                    kind = table.labels.get(low[head:stop]) if head >= 0 else None
                    # A label is a word of its own, or its capital shows that the renderer glued it.
                    if kind and (head in (0, begin) or line[head].isupper() or not line[head - 1].isalpha()):
                        return head, stop, kind
            if ord(line[stop - 1]) > _CJK:
                for size in range(min(_LONGEST_CJK_LABEL, stop - start), 1, -1):
                    if kind := table.labels.get(low[stop - size : stop]):
                        return stop - size, stop, kind
            if low[start:stop] not in table.day_joints:
                return None
            stop = start
        return None

    def clock(self, found: re.Match[str]) -> Clock | None:
        """The time of day of a match of the time pattern; None where the numbers are no time."""
        half, h, sep, mi, s, cjk, cmi, cs, ap, tail, z = found.group(
            "half", "h", "sep", "mi", "s", "cjk", "cmi", "cs", "ap", "tail", "z"
        )
        groups = found.groupdict()
        if mi is None and cjk is None and not ap and not (tail and tail.lower() in self.words.hour_alone):
            return None
        if sep == "." and not (ap or tail or z or groups.get("joint")) and len(h) < 2:
            return None
        hour = int(h)
        late = (ap is not None and ap[0] in "pP") or half in self.words.afternoon
        early = (ap is not None and ap[0] in "aA") or half in self.words.morning
        if late and hour < 12:
            hour += 12
        elif early and hour == 12:
            hour = 0
        if hour > 23:
            return None
        at = time(hour, int(mi or cmi or 0), int(s or cs or 0))
        precise: Precision = "second" if s or cs else "minute"
        return Clock(found.start(), at, z.strip() if z else None, precise, groups.get("gap") or "")

    def clock_right(self, end: int) -> tuple[Clock | None, frozenset[int], int]:
        """The time behind a day, a weekday in brackets between them, and where that ends."""
        none: frozenset[int] = frozenset()
        weekdays = self.words.weekdays
        after = _WORD_BEHIND.match(self.text, end)
        named = weekdays.get(self.low[slice(*after.span(1))], none) if after else none
        if after and named:
            end = after.end()
        found = self.words.time_right.match(self.text, end)
        if found and (at := self.clock(found)):
            name = found["wd"] or found["wd2"]
            days = weekdays.get(name.lower(), none) if name else named
            if days or not name:
                closed = at.gap.endswith(("(", "（")) and self.text.startswith((")", "）"), found.end())
                return at, days, found.end() + closed
        bracket = self.words.weekday_behind.match(self.text, end)
        if bracket and (days := weekdays.get((bracket["wd"] or bracket["wd2"]).lower(), none)):
            return None, days, bracket.end()
        return None, named, end

    def clock_left(self, start: int, floor: int) -> Clock | None:
        """The time before a day: "10:02 AM EST Nov 19, 2019"."""
        floor = max(floor, start - _WINDOW)
        if not RUN.search(self.text, floor, start):
            return None
        for found in self.words.time_left.finditer(self.text, floor, start):
            if at := self.clock(found):
                return at
        return None
