"""Dates as newsrooms print them: found in a line, with their label, time and zone.

The words (months, labels, relative days) are data, `data/dates.toml`. A line is walked from number to
number; each number that can be part of a day is read together with what stands around it. So a line
without numbers costs next to nothing, and a name beside a date is never part of it.

Left alone on purpose: a month with a year but no day, a day without a year (unless a label says that
the page means itself), a time without a label, and days that no calendar has.

>>> [found] = find_dates("Posted on : Apr.26,2019 16:27 KST")
>>> found.raw, found.label, str(found.on), str(found.time), found.zone
('Apr.26,2019 16:27 KST', 'published', '2019-04-26', '16:27:00', 'KST')
>>> find_dates("Sales rose in April 2019")
[]
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from copydesk.dateforms import AGO, SHORT_NUMERIC, Day, Line, Month, latest_day
from copydesk.dateparts import RUN, STRONG_GAP, Clock, Precision
from copydesk.datewords import Label, LabelKind, words
from copydesk.zones import instant, stated_offset

__all__ = ["PrintedDate", "day_before", "find_dates", "instant", "is_date_line", "lone_time", "stated_offset"]

_LONGEST_LOOSE = 160  # "gestern" in a longer line is prose
_LONGEST_TIME = 60
_MOST_REMARKS = 20
_NO_UNIT = frozenset(".,:;/-–%$€£)'’\"+") | {""}
_AROUND = " \t•|()[]"
_INNER_CAPITAL = re.compile(r"(?<=[^\W\dA-Z_])(?=[A-Z])")
_WORDLIKE = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")


@dataclass(frozen=True, slots=True)
class PrintedDate:
    """A date in a line: where it stands (half-open characters, with its label) and what it says.

    `on` is None only for a relative or yearless date that nothing anchors, and for a modification that
    prints a time alone with no date before it. `time` is naive, `zone` as printed.

    What only the page can settle is left open: `other` is the second reading of a numeric day whose order is a guess
    (where nothing is known, `on` has the month first and `other` the day), `day_first` the order that the day proves
    for its page, `back` how many seconds before the fetch a relative date is, `yearless` a day without its year (in
    the year 2000).
    """

    start: int
    end: int
    raw: str
    label: Label | None
    on: date | None
    time: time | None
    precision: Precision
    zone: str | None
    warnings: tuple[str, ...]
    other: date | None = None
    day_first: bool | None = None
    back: int | None = None
    yearless: date | None = None


def day_before(
    fetched: datetime, *, back: int | None = None, yearless: date | None = None
) -> date | None:
    """The day that a relative or yearless date means on a page fetched then (a local time): see `PrintedDate`.

    A day without a year is the latest one that is not after the fetch.

    >>> str(day_before(datetime(2026, 7, 2, 1, 30), back=3 * 3600))
    '2026-07-01'
    >>> str(day_before(datetime(2026, 7, 2, 1, 30), yearless=date(2000, 8, 8)))
    '2025-08-08'
    """
    if back is not None:
        return (fetched - timedelta(seconds=back)).date()
    return latest_day(fetched.date(), yearless.month, yearless.day) if yearless else None


def find_dates(
    line: str,
    *,
    day_first: bool | None = None,
    language: str | None = None,
    fetched: datetime | None = None,
) -> list[PrintedDate]:
    """The dates of a line, in order.

    `day_first` is the publisher's order of numeric days ("04/05/2024"), `language` a BCP 47 tag that gives
    it where the publisher's is not known ("en-GB"), `fetched` the time that a relative date counts from.
    Warnings: `ambiguous_date` (the order was a guess), `weekday_mismatch`, `relative_date`.

    >>> [str(d.on) for d in find_dates("13/01/2025 10:22 Actualizado a 14/01/2025 15:43")]
    ['2025-01-13', '2025-01-14']
    >>> find_dates("04/05/2024")[0].warnings
    ('ambiguous_date',)
    """
    if not _has_number(line) and (len(line) > _LONGEST_LOOSE // 2 or not words().hinted(line.lower())):
        return []
    desk = _Desk(Line(line, day_first, language, fetched))
    found = desk.read()
    if desk.line.proven is not None and any("ambiguous_date" in f.warnings for f in found):
        return find_dates(line, day_first=desk.line.proven, language=language, fetched=fetched)
    return found


def _has_number(line: str) -> bool:
    # Ten searches for one character are far cheaper than one search for a class of characters.
    for digit in "1203456789":
        if digit in line:
            return True
    return not line.isascii() and ("１" in line or "２" in line)


class _Desk:
    """Puts the parts of each date of one line together."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self.found: list[PrintedDate] = []
        self.times_alone: list[PrintedDate] = []

    def read(self) -> list[PrintedDate]:
        text, position, floor = self.line.text, 0, 0
        while run := RUN.search(text, position):
            printed = self.at(*run.span(), floor=floor)
            position = run.end()
            if printed:
                self.found.append(printed)
                position = floor = max(position, printed.end)
                if printed.on and "relative_date" not in printed.warnings:
                    self.line.known = printed.on
                    self.line.known_year_first = printed.raw[:4].isdigit()
        if len(text) <= _LONGEST_LOOSE and self.line.words.hinted(self.line.low):
            self.read_loose()
        for alone in self.times_alone:
            if not any(f.start < alone.end and alone.start < f.end for f in self.found):
                before = [f for f in self.found if f.end <= alone.start]
                self.found.append(self.anchored(alone, max(before, key=lambda f: f.end, default=None)))
        self.found.sort(key=lambda f: f.start)
        return self.found

    @staticmethod
    def anchored(alone: PrintedDate, before: PrintedDate | None) -> PrintedDate:
        """A time alone on the day of the date before it."""
        if before is None:
            return alone
        relative = tuple(w for w in before.warnings if w in ("relative_date", "ambiguous_date"))
        return replace(
            alone, on=before.on, other=before.other, back=before.back, yearless=before.yearless, warnings=relative
        )

    def at(self, start: int, end: int, floor: int) -> PrintedDate | None:
        """The date that has the number at `start`, if there is one."""
        line, text = self.line, self.line.text
        behind = text[end : end + 1]
        size = end - start
        if size == 4:
            day = line.year_first(start)
            return self.whole(day, floor) if day else None
        if size > 2:
            return None
        inside = start > 1 and text[start - 1] in ".,:/-" and text[start - 2].isdigit() and floor < start - 1
        if not inside:
            day = line.numeric(start) if behind and behind in "./-–" else None
            month = line.month_near(start) if day is None else None
            if month:
                day = line.worded(start, month)
            elif behind and behind in "年月":
                day = line.era(start)
            if day:
                if printed := self.whole(day, floor):
                    return printed
            elif printed := (self.relative(start) if behind not in _NO_UNIT else None) or self.yearless(
                start, floor, month
            ):
                return printed
        if behind and behind in ":.hH：시時 apAP":
            self.time_alone(start)
        return None

    def whole(self, day: Day, floor: int, labelled: bool = False) -> PrintedDate | None:
        """A day with its weekday, time, zone and label; None where a weak one has none of these."""
        line, text = self.line, self.line.text
        start, warnings = day.start, []
        at, named, end = line.clock_right(day.end)
        weekday = line.weekday_before(start) if not named else None
        options = day.options
        if weekday:
            fits = any(o.weekday() in weekday[1] for o in options)
            if fits or weekday[2] or not options:
                start, named = weekday[0], weekday[1]
            else:
                weekday = None
        if at is None or STRONG_GAP.search(at.gap):
            left = line.clock_left(start, floor)
            if left:
                at, start, end = left, left.start, day.end
                if not named and (weekday := line.weekday_before(start)):
                    start, named = weekday[0], weekday[1]
        label = line.label_before(start)
        after = None if label else line.words.labels_behind.match(text, end)
        if labelled and not (label or after):
            return None
        alone = day.weak < 2 and text.strip(_AROUND) == text[start:end]
        if day.weak and not (alone or label or after or at or named):
            return None
        chosen = options[0] if options else None
        other, proves = None, day.proves
        if len(options) > 1:
            fitting = [o for o in options if o.weekday() in named]
            if line.asked is None and len(fitting) == 1:
                chosen, proves = fitting[0], fitting[0] == day.by_day
            elif not day.decided:
                warnings.append("ambiguous_date")
                other = options[1]
        elif not day.decided:
            warnings.append("relative_date")
        if chosen and named and chosen.weekday() not in named:
            warnings.append("weekday_mismatch")
        first, kind = (label[0], self.kind(label[2])) if label else (start, None)
        last = end
        if after:
            kind, last = ("published" if after["published"] else "modified"), after.end()
        return self.printed(
            first, last, (start, end), label=kind, on=chosen, at=at, warnings=warnings,
            other=other, day_first=proves, yearless=day.yearless,
        )  # fmt: skip

    def kind(self, kind: LabelKind) -> Label | None:
        """What a label means here: "Stand" is a modification only beside a publication."""
        if kind != "state":
            return kind
        return "modified" if any(f.label == "published" for f in self.found) else None

    def printed(
        self,
        start: int,
        end: int,
        raw: tuple[int, int],
        *,
        label: Label | None,
        on: date | None,
        at: Clock | None,
        warnings: list[str],
        other: date | None = None,
        day_first: bool | None = None,
        back: int | None = None,
        yearless: date | None = None,
    ) -> PrintedDate:
        return PrintedDate(
            start=start,
            end=end,
            raw=self.line.text[slice(*raw)].strip(),
            label=label,
            on=on,
            time=at.at if at else None,
            precision=at.precision if at else "day",
            zone=at.zone if at else None,
            warnings=tuple(warnings),
            other=other,
            day_first=day_first,
            back=back,
            yearless=yearless,
        )

    def yearless(self, start: int, floor: int, month: Month | None) -> PrintedDate | None:
        """A day without a year, only behind a label: "Last Updated: August 8"."""
        line = self.line
        if month:
            day = line.yearless(start, month)
            return self.whole(day, floor, labelled=True) if day else None
        found = SHORT_NUMERIC.match(line.text, start)
        if not found or not (found[4] or line.known or line.among_cjk(start, found.end())):
            return None
        first, second = int(found[1]), int(found[4] or found[3])
        if not (found[4] or line.known_year_first or line.month_first or not line.known):
            first, second = second, first
        day = line.made((start, found.end()), 0, first, second)
        if day is None or (found[2] and line.clock_right(day.end)[0] is None):  # "kl. 12.10" is a time
            return None
        return self.whole(day, floor, labelled=True)

    def relative(self, start: int) -> PrintedDate | None:
        """A number of minutes, hours, days or weeks ago."""
        line, table = self.line, self.line.words
        found = AGO.match(line.text, start)
        if not found:
            return None
        word, after = found[2].lower(), (found[3] or "").lower()
        if not after and ord(word[-1]) < 0x2FFF and not line.text[max(0, start - 8) : start].strip():
            return None
        head, end = start, found.end(2)
        ahead = line.low[max(0, start - 8) : start].rstrip()
        phrase = next((b for b in table.before if ahead.endswith(b)), None)
        if phrase:
            head = line.low.rindex(phrase, 0, start)
            for tail in table.before:  # glued: "vor 3 Stundenvor 3 Stunden"
                if len(word) > len(tail) + 2 and word.endswith(tail):
                    word, end = word.removesuffix(tail), end - len(tail)
            seconds = table.units.get(word) or table.units.get(self.first_word(found[2]))
            if seconds and word not in table.units:
                end = found.start(2) + len(self.first_word(found[2]))
        elif after and (seconds := table.units.get(word)):
            size = next(
                (n for n in (len(after), len(self.first_word(found[3]))) if after[:n] in table.after), 0
            )
            seconds, end = (seconds if size else None), found.start(3) + size
            if lead := next((b for b in table.lead if line.low.endswith(b, 0, start)), None):
                head = start - len(lead)
        else:
            size = next((n for n in (2, 1) if word[-n:] in table.after and ord(word[-1]) > 0x2FFF), 0)
            seconds = table.units.get(word[:-size]) if size else None
        if not seconds:
            return None
        return self.loose(head, end, seconds * int(found[1]), None)

    @staticmethod
    def first_word(word: str) -> str:
        """The part before a capital inside a word: "ago" of "agoUpdated"."""
        inside = _INNER_CAPITAL.search(word)
        return (word[: inside.start()] if inside else word).lower()

    def loose(self, start: int, end: int, back: int, at: Clock | None) -> PrintedDate:
        label = self.line.label_before(start)
        first, kind = (label[0], self.kind(label[2])) if label else (start, None)
        on = day_before(self.line.fetched, back=back) if self.line.fetched else None
        warnings = ["relative_date"]
        return self.printed(first, end, (start, end), label=kind, on=on, at=at, warnings=warnings, back=back)

    def read_loose(self) -> None:
        """Relative days without a number: "an hour ago", "heute um 12:19 Uhr"."""
        line, table = self.line, self.line.words
        for found in table.loose.finditer(line.text):
            start, end = found.span()
            if any(f.start < end and start < f.end for f in self.found):
                continue
            if found["day"] is None:
                unit = next(v for k, v in found.groupdict().items() if v and k[0] == "u" and k[1:].isdigit())
                self.found.append(self.loose(start, end, table.units[unit.lower()], None))
                continue
            at = line.clock(found) if found["h"] else None
            end = end if at else found.end("day")
            printed = self.loose(start, end, 86400 * table.loose_days[found["day"].lower()], at)
            if at or printed.label or line.text.strip(_AROUND) == printed.raw:
                self.found.append(printed)

    def time_alone(self, start: int) -> None:
        """Keeps a modification that prints only a time ("Actualizado a las 15:10h") for later."""
        line = self.line
        if self.times_alone and self.times_alone[-1].end > start:
            return
        label = line.label_before(start)
        if not label or label[2] != "modified":
            return
        found = line.words.time_right.match(line.text, label[1])
        at = line.clock(found) if found and found.start("h") == start else None
        if found and at:
            raw = (found.start("half") if found["half"] else start, found.end())
            alone = self.printed(label[0], found.end(), raw, label="modified", on=None, at=at, warnings=[])
            self.times_alone.append(alone)


def lone_time(line: str) -> tuple[time, str | None, Precision] | None:
    """The time, zone and precision of a line that is nothing but a time of day ("15:59 Uhr"), else None.

    >>> lone_time("5:50 PM EST")
    (datetime.time(17, 50), 'EST', 'minute')
    >>> lone_time("5:50 PM at the Odeon") is None
    True
    """
    found = words().time_alone.fullmatch(line) if len(line) < _LONGEST_TIME else None
    at = Line(line).clock(found) if found else None
    return (at.at, at.zone, at.precision) if at else None


def is_date_line(line: str, found: list[PrintedDate]) -> bool:
    """Whether a line says nothing but its dates: what remains is separators, labels, a reading time.

    >>> line = "Published Jun 04, 2026  •  Last updated 1 day ago  •  2 minute read"
    >>> is_date_line(line, find_dates(line))
    True
    >>> is_date_line("By Ann Lee May 5, 2019", find_dates("By Ann Lee May 5, 2019"))
    False
    """
    if not found:
        return False
    parts, position = [], 0
    for printed in found:
        parts.append(line[position : printed.start])
        position = max(position, printed.end)
    rest = " ".join([*parts, line[position:]])
    if not _WORDLIKE.search(rest):
        return True
    if len(rest) > _LONGEST_LOOSE:
        return False
    table = words()
    said = _WORDLIKE.findall(rest)
    if all(word.lower() in table.idle for word in said):
        return True
    if len(said) > _MOST_REMARKS or not any(c.isdigit() for c in rest):
        return False  # remarks are few words about a number
    rest = table.time_here.sub(" ", table.remark.sub(" ", rest))
    return all(word.lower() in table.idle for word in _WORDLIKE.findall(rest))
