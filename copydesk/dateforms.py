"""The printed forms of a day: read at a number in a line, with the other day that it may be.

`dates` puts the parts of a date together; what stands beside the day is read in `dateparts`.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import NamedTuple

from copydesk.dateparts import Beside
from copydesk.datewords import DIGIT, SPACE, UNGLUED, YEAR, words

_CENTURY_PIVOT = 70

_YEAR_FIRST = re.compile(
    rf"({YEAR})(?:{SPACE}?([-./–•·])({SPACE}?)(\d{{1,2}}){SPACE}?\2{SPACE}?(\d{{1,2}})(?!\2\d)"
    rf"|{SPACE}?[年년]{SPACE}?({DIGIT}{{1,2}}){SPACE}?[月월]{SPACE}?({DIGIT}{{1,2}}){SPACE}?[日일号號]?){UNGLUED}"
)
_YEAR_FIRST_WIDE = re.compile(r"([０-９]{4})年([０-９]{1,2})月([０-９]{1,2})日")
_NUMERIC = re.compile(
    rf"(\d{{1,2}})([./\-–])({SPACE}?)(\d{{1,2}})\2(?:{SPACE}?(?={YEAR})|\3)({YEAR}{UNGLUED}|\d\d(?!\d))(?![./]\d|-\d(?!\d?[:h.]\d\d))"
)
_DAY_MONTH = re.compile(
    rf"(\d{{1,2}})(?:st|nd|rd|th|er|ST|ND|RD|TH|:[ae]|\.?[ºª°])?\.?(?:{SPACE}{{0,2}}[-/]|,)?{SPACE}{{0,2}}"
    rf"(?:d['’]|(?:de|of|di){SPACE})?([^\W\d_]{{3,14}})\.?"
)
_THEN_YEAR = re.compile(
    rf"(?:{SPACE}?(?:,|\b(?:de|del|di|of){SPACE}))?[{SPACE[1:-1]}\-/.]{{0,3}}"
    rf"(?:({YEAR}){UNGLUED}|['’](\d\d)(?!\d)|(?<=-)(\d\d)(?!\d))(?:{SPACE}?(?:г\.|года|р\.|року|roku|r\.))?"
)
_YEAR_MONTH_DAY = re.compile(
    rf"({YEAR})(?:{SPACE}?m)?[.,]?{SPACE}{{1,2}}([^\W\d_]{{3,14}})\.?{SPACE}{{1,2}}(\d{{1,2}})(?!\d)(?:{SPACE}?d\.|\.)?"
)
_DAY_YEAR = re.compile(
    rf"(\d{{1,2}})(?:st|nd|rd|th|ST|ND|RD|TH|er)?"
    rf"(?:{SPACE}?[,.]{SPACE}{{0,3}}|{SPACE}{{1,3}}(?:del?{SPACE})?|[-/])(?:({YEAR}){UNGLUED}|['’](\d\d)(?!\d))"
)
_DAY_ALONE = re.compile(r"(\d{1,2})(?:st|nd|rd|th|ST|ND|RD|TH)?(?![\d./])")
SHORT_NUMERIC = re.compile(rf"({DIGIT}{{1,2}})(?:([./])({DIGIT}{{1,2}})\.?|月({DIGIT}{{1,2}})日)(?![./]?\d)")
_ERA = re.compile(rf"([^\W\d_]{{2}})({DIGIT}{{1,2}}|元)年({DIGIT}{{1,2}})月({DIGIT}{{1,2}})日")
AGO = re.compile(r"(\d{1,3})\s?([^\W\d_]+)\.?(?:\s([^\W\d_]+))?")


class Month(NamedTuple):
    """A month beside a number: the number's day where the month stands behind it."""

    number: int
    word: str
    start: int
    end: int
    day: int
    behind: bool


class Day(NamedTuple):
    """The day itself: its span, the day or the two days that it may be (first choice first)."""

    start: int
    end: int
    options: tuple[date, ...]
    weak: int = 0  # 1 counts only beside a label, a time, a weekday, or alone on its line; 2 not even alone
    decided: bool = True
    by_day: date | None = None  # of a numeric day with slashes or dashes: the reading with the day first
    proves: bool | None = None  # whether it shows that its page puts the day first
    yearless: date | None = None  # of a day whose year nothing gives: the day in the year 2000


def latest_day(today: date, month: int, day: int) -> date | None:
    """The latest such day that is not after today."""
    latest = _date(today.year, month, day)
    return latest if latest is not None and latest <= today else _date(today.year - 1, month, day)


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _year(text: str) -> int:
    number = int(text)
    if len(text) == 4:
        return number
    return number + (1900 if number >= _CENTURY_PIVOT else 2000)


def _habit(language: str | None) -> tuple[bool, bool]:
    """Whether a language puts the day first, and whether that is sure."""
    name, _, region = (language or "").replace("_", "-").partition("-")
    table = words()
    if name in table.day_first:
        return True, True
    region = region.rpartition("-")[2].upper()
    if name != "en" or not region or region in table.mixed_regions:
        return False, False
    return region not in table.month_first_regions, True


def puts_day_first(country: str) -> bool | None:
    """Whether a country (ISO 3166) writes numeric days with the day first; None where both orders are in use."""
    table, country = words(), country.upper()
    return None if country in table.mixed_regions else country not in table.month_first_regions


class Line(Beside):
    """One line being read for days, with what the caller knows of its dates."""

    def __init__(
        self,
        line: str,
        day_first: bool | None = None,
        language: str | None = None,
        fetched: datetime | None = None,
    ) -> None:
        super().__init__(line)
        self.asked = day_first
        self.language = language
        self.fetched = fetched
        self.known: date | None = None  # the date before on the line, and whether it put the year first
        self.known_year_first = False
        self.proven: bool | None = None  # the order that another date of the line shows

    @property
    def month_first(self) -> bool:
        """Whether a numeric day is read with its month first."""
        return not (self.asked if self.asked is not None else _habit(self.language)[0])

    def among_cjk(self, start: int, end: int) -> bool:
        """Whether the words beside a number are Chinese, Japanese or Korean labels."""
        beside = self.text[max(0, start - 3) : start]
        return any(ord(c) > 0x2FFF for c in beside) or self.text.endswith(self.words.cjk_behind, end)

    def guarded(self, start: int) -> bool:
        """Whether the word before makes the number a version, a phone number and the like."""
        stop = start
        while stop and start - stop < 3 and self.text[stop - 1] in " .:\u00a0":
            stop -= 1
        if stop and self.text[stop - 1] in "$€£¥+#§":
            return True
        return self.low[self.word_before(stop) : stop] in self.words.guards

    def year_first(self, start: int) -> Day | None:
        """A day that begins with its year: "2025-05-15", "2025年5月15日", "2025 m. gegužės 15 d."."""
        line = self.text
        if start and line[start - 1] in "/-_=.&" and (start == 1 or line[start - 2] != " "):
            return None
        found = _YEAR_FIRST.match(line, start) or _YEAR_FIRST_WIDE.match(line, start)
        if not found:
            found = _YEAR_MONTH_DAY.match(line, start)
            month = self.words.months.get(self.low[slice(*found.span(2))]) if found else None
            return (
                self.made((start, found.end()), int(found[1]), month, int(found[3]), 1)
                if found and month
                else None
            )
        parts = [int(g) for g in found.groups() if g and g[0].isdigit()]
        day = _date(parts[0], parts[1], parts[2])
        return Day(start, found.end(), (day,)) if day else None

    def numeric(self, start: int) -> Day | None:
        """A day in numbers with its year last; two readings where the order is open."""
        found = _NUMERIC.match(self.text, start)
        if not found:
            return None
        if start and self.text[start - 1] in "/-_=." and (start == 1 or not self.text[start - 2].isspace()):
            return None
        first, mark, gap, second, year = found.groups()
        short = len(year) == 2
        if (gap and mark != ".") or (short and self.guarded(start)):
            return None
        end = found.end()
        if short and (self.language or "")[:2] in ("ja", "ko", "zh"):
            day = _date(_year(first), int(second), int(year)) if len(first) == 2 else None
            return Day(start, end, (day,), weak=1) if day else None
        unpadded = mark == "." and len(first + second) < 4
        weak = 2 if short and (unpadded or mark in "-–") else 0
        by_day = _date(_year(year), int(second), int(first))
        by_month = _date(_year(year), int(first), int(second))
        both = tuple(day for day in (by_day, by_month) if day)
        if not both:
            return None
        if len(both) == 1 or by_day == by_month:
            proves = by_day is not None if mark != "." and len(both) == 1 else None
            self.proven = self.proven if proves is None else proves
            return Day(start, end, both[:1], weak, proves=proves)
        if self.asked is not None:
            day_first, sure = self.asked, True
        else:
            day_first, sure = (True, True) if mark == "." else _habit(self.language)
        return Day(start, end, both if day_first else both[::-1], weak, sure, by_day=by_day)

    def month_near(self, start: int) -> Month | None:
        """The month that stands as a word behind or before the number at `start`."""
        found = _DAY_MONTH.match(self.text, start)
        name = self.low[slice(*found.span(2))] if found else ""
        if found and (month := self.words.months.get(name)):
            return Month(month, name, start, found.end(), int(found[1]), True)
        before = self.month_before(start)
        return Month(before[1], before[2], before[0], start, 0, False) if before else None

    def worded(self, start: int, month: Month) -> Day | None:
        """A day with its month as a word: "5 May 2019", "May 5, 2019"."""
        if month.behind:
            if then := _THEN_YEAR.match(self.text, month.end):
                foreign = month.word in self.words.doubtful_months and (self.language or "en")[:2] == "en"
                year = _year(then[1] or then[2] or then[3])
                return self.made((start, then.end()), year, month.number, month.day, bool(then[3]) or foreign)
            if not (before := self.month_before(start)):
                return None
            month = Month(before[1], before[2], before[0], start, 0, False)
        if after := _DAY_YEAR.match(self.text, start):
            return self.made(
                (month.start, after.end()), _year(after[2] or after[3]), month.number, int(after[1])
            )
        return None

    def yearless(self, start: int, month: Month) -> Day | None:
        """The same without a year."""
        if month.behind:
            return self.made((start, month.end), 0, month.number, month.day)
        after = _DAY_ALONE.match(self.text, start)
        return self.made((month.start, after.end()), 0, month.number, int(after[1])) if after else None

    def made(self, span: tuple[int, int], year: int, month: int, day: int, weak: int = 0) -> Day | None:
        """A day from its parts (year 0: it has none), or None where no calendar has it."""
        made = _date(year or 2000, month, day)
        if made is None:
            return None
        return Day(*span, (made,), weak) if year else self.dated(*span, month, day)

    def dated(self, start: int, end: int, month: int, day: int) -> Day:
        """A day without a year: the year of the date before it on the line, else of the fetch."""
        if self.known:
            same_year = _date(self.known.year, month, day)
            return Day(start, end, (same_year,) if same_year else (), weak=1)
        open_day = date(2000, month, day)
        latest = latest_day(self.fetched.date(), month, day) if self.fetched else None
        return Day(start, end, (latest,) if latest else (), weak=1, decided=False, yearless=open_day)

    def era(self, start: int) -> Day | None:
        """A day with a year of a Japanese era, found at the number of its year or (year one) of its month."""
        for head in (start - 2, start - 4):
            found = _ERA.match(self.text, head) if head >= 0 else None
            if found and found[1] in self.words.eras:
                nth = 1 if found[2] == "元" else int(found[2])
                day = _date(self.words.eras[found[1]] + nth, int(found[3]), int(found[4]))
                return Day(head, found.end(), (day,)) if day else None
        return None
