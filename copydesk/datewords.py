"""The words of printed dates (`data/dates.toml`) as look-up tables and patterns, built on first use."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal
from unicodedata import combining, normalize

from copydesk.zones import zone_pattern

Label = Literal["published", "modified"]
LabelKind = Literal["published", "modified", "state"]

DIGIT = "[0-9０-９]"
SPACE = r"[ \t\u00a0\u2009\u202f\u3000]"
YEAR = r"(?:19|20)\d\d"
# A renderer glues what follows a year to it: "20232:23 PM", "202430. Januar". Other digits make it no year.
UNGLUED = r"(?!\d(?!\d?(?:[:：h]\d\d|\.?\s?[^\W\d_])))"

_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800}


@dataclass(frozen=True, slots=True)
class Words:
    """Look-up tables (keys in lower case) and patterns, all from `data/dates.toml`."""

    months: Mapping[str, int]
    weekdays: Mapping[str, frozenset[int]]
    doubtful_weekdays: frozenset[str]
    doubtful_months: frozenset[str]
    guards: frozenset[str]
    eras: Mapping[str, int]
    labels: Mapping[str, LabelKind]
    label_sizes: Mapping[str, tuple[int, ...]]
    labels_behind: re.Pattern[str]
    cjk_behind: tuple[str, ...]
    weekday_joints: tuple[str, ...]
    hour_alone: frozenset[str]
    day_joints: frozenset[str]
    units: Mapping[str, int]
    before: tuple[str, ...]
    after: frozenset[str]
    lead: tuple[str, ...]
    day_first: frozenset[str]
    month_first_regions: frozenset[str]
    mixed_regions: frozenset[str]
    morning: frozenset[str]
    afternoon: frozenset[str]
    hints: tuple[str, ...]
    loose: re.Pattern[str]
    loose_days: Mapping[str, int]
    weekday_behind: re.Pattern[str]
    time_right: re.Pattern[str]
    time_left: re.Pattern[str]
    time_here: re.Pattern[str]
    time_alone: re.Pattern[str]
    remark: re.Pattern[str]
    idle: frozenset[str]

    def hinted(self, low: str) -> bool:
        """Whether a line (in lower case) may hold a relative day without a number."""
        return any(map(low.__contains__, self.hints))


def _either(words: Iterable[str]) -> str:
    return "|".join(re.escape(w) for w in sorted(set(words), key=lambda w: (-len(w), w)))


def _spellings(word: str) -> set[str]:
    """A word as it stands, without its accents, and as a dotless capital I is lowered."""
    bare = "".join(c for c in normalize("NFD", word) if not combining(c))
    return {word, normalize("NFC", bare), word.replace("ı", "i")}


def _flat(table: Mapping[str, str], key: str, separator: str | None = None) -> list[str]:
    return [w.strip() for w in table.get(key, "").split(separator) if w.strip()]


def _listed(tables: Iterable[Mapping[str, list[str]]]) -> dict[str, frozenset[int]]:
    """Word -> the entries (from 0) under which it stands, over all languages."""
    found: dict[str, set[int]] = {}
    for table in tables:
        for entries in table.values():
            for number, words in enumerate(entries):
                for word in words.split():
                    for spelling in _spellings(word):
                        found.setdefault(spelling, set()).add(number)
    return {word: frozenset(numbers) for word, numbers in found.items()}


def _months(table: Mapping[str, list[str]]) -> dict[str, int]:
    found = _listed([table])
    torn = sorted(word for word, numbers in found.items() if len(numbers) > 1)
    if torn or any(len(entries) != 12 for entries in table.values()):
        raise ValueError(f"dates.toml: months that are two months or languages without twelve: {torn}")
    return {word: min(numbers) + 1 for word, numbers in found.items()}


def _labels(table: Mapping[str, Mapping[str, Any]]) -> dict[str, LabelKind]:
    found: dict[str, LabelKind] = {}
    kinds: tuple[LabelKind, ...] = ("published", "modified", "state")
    for language, row in table.items():
        if unknown := set(row) - {*kinds, "examples"}:
            raise ValueError(f"dates.toml: labels.{language} has unknown keys {sorted(unknown)}")
        for kind in kinds:
            for phrase in row.get(kind, ()):
                for spelling in _spellings(phrase):
                    if found.setdefault(spelling, kind) != kind:
                        raise ValueError(f"dates.toml: label {spelling!r} ({language}) means two things")
    return found


def _sizes(labels: Iterable[str]) -> dict[str, tuple[int, ...]]:
    """Last word of a label -> the lengths of the labels that end in it, the longest first."""
    found: dict[str, set[int]] = {}
    for label in labels:
        found.setdefault(re.split(r"[\W\d]+", label)[-1], set()).add(len(label))
    return {word: tuple(sorted(sizes, reverse=True)) for word, sizes in found.items()}


def _time(raw: Mapping[str, Any]) -> str:
    """A time of day with its zone: groups half, h, sep, mi, s, cjk, cmi, cs, ap, tail, z."""
    half = _either([*raw["joints"]["morning"], *raw["joints"]["afternoon"], "AM", "PM"])
    tail = _either(raw["joints"]["hour"])
    after = _either(raw["doubtful"]["after"])
    return rf"""
        (?:(?P<half>{half}){SPACE}?)?
        (?P<h>{DIGIT}{{1,2}})(?!\d)
        (?:(?P<sep>{SPACE}?[:：]{SPACE}?|{SPACE}?[hH]{SPACE}?|\.)(?P<mi>[0-5０-５]{DIGIT})(?!\d)
           (?:[:.](?P<s>[0-5]\d)(?!\d)(?:[.,]\d{{1,6}})?)?
          |{SPACE}?(?P<cjk>[時时시点點]){SPACE}?(?:(?P<cmi>[0-5０-５]?{DIGIT}){SPACE}?[分분]{SPACE}?
           (?:(?P<cs>[0-5]?\d){SPACE}?[秒초])?)?
        )?
        (?:{SPACE}?(?P<ap>[aApP]\.?{SPACE}?[mM](?:\.|(?![^\W\dA-Z_]|[A-Z](?![a-z])))))?
        (?![:.]\d)(?!{SPACE}?(?:(?:{after})(?![^\W\d_])|[€$£%]))
        (?:{SPACE}?(?P<tail>(?i:{tail}))(?![^\W\dA-Z_]|[A-Z](?![a-z])))?
        (?:{SPACE}?[(（]?(?P<z>{zone_pattern()}|(?<=\d)Z(?![^\W_])|(?<=\d){SPACE}?\+\d\d:?\d\d(?!\d)
           |(?<=:\d\d:\d\d){SPACE}?-\d\d:?\d\d(?!\d)|(?<=\.\d\d\d)-\d\d:?\d\d(?!\d))[)）]?)?
    """


def _loose(
    raw: Mapping[str, Mapping[str, Any]], time_: str, joint: str
) -> tuple[str, dict[str, int], list[str]]:
    """Relative days without a number ("an hour ago", "gestern um 12:19"): pattern, days back, cheap hints."""
    days: dict[str, int] = {}
    ones: list[str] = []
    hints: set[str] = set()
    for row in raw.values():
        for back, key in enumerate(("today", "yesterday")):
            for word in _flat(row, key, ","):
                days[word] = back
                hints.add(word)
        units = _either(w for words in row["units"].values() for w in words.split() if len(w) > 2)
        one = _either(_flat(row, "one"))
        for word in _flat(row, "before", ",") if one else ():
            ones.append(rf"{re.escape(word)}\s(?:{one})\s(?P<>{units})")
            hints.add(word + " ")
        for word in _flat(row, "after") if one else ():
            ones.append(rf"(?:{one})\s?(?P<>{units})\s{re.escape(word)}")
            hints.add(" " + word)
    numbered = "|".join(part.replace("(?P<>", f"(?P<u{n}>") for n, part in enumerate(ones))
    words, numbered = _either(days), re.sub(r"\\? ", r"\\s", numbered)
    pattern = rf"""
        (?:(?<![^\W\d_])|(?<=[a-zà-ÿ])(?=(?-i:[A-Z])))
        (?:(?P<day>{words})(?![^\W_])(?:[,.]?\s{{0,2}}(?:(?:{joint})[.:]?\s)?(?-i:{time_}))?
          |(?:{numbered})(?![^\W\dA-Z_]))
    """
    return pattern, days, sorted(hints)


@cache
def words() -> Words:
    """The tables and patterns. Raises ValueError where `dates.toml` contradicts itself."""
    raw: dict[str, Any] = tomllib.loads((files("copydesk") / "data" / "dates.toml").read_text("utf-8"))
    joints, relative = raw["joints"], raw["relative"]
    weekdays = _listed([raw["weekdays"], raw["weekdays_short"]])
    labels = _labels(raw["labels"])
    time_ = _time(raw)
    joint = _either(joints["time"]).replace(r"\ ", r"\s")
    loose, loose_days, hints = _loose(relative, time_, joint)
    behind = "|".join(
        rf"(?P<{kind}>{_either(raw['labels_behind'][kind])})" for kind in ("published", "modified")
    )
    idle = {w for phrase in [*labels, *joints["day"], *joints["time"]] for w in phrase.split()}
    idle |= {*weekdays, *joints["hour"], *raw["remarks"]["words"], *loose_days}
    cjk_weekday = "|".join(
        sorted((w for w in weekdays if len(w) > 1 and ord(w[0]) > 0x2FFF), key=len, reverse=True)
    )
    behind_day = (
        rf"\.?{SPACE}?[(（]{SPACE}?(?P<wd>[^\W\d_]{{1,12}})\.?{SPACE}?[)）]|{SPACE}?(?P<wd2>{cjk_weekday})"
    )
    leading = _either(w for w in joints["day"] if " " not in w and len(w) > 1)
    flags = re.VERBOSE
    return Words(
        months=_months(raw["months"]),
        weekdays=weekdays,
        doubtful_weekdays=frozenset(raw["doubtful"]["weekdays"]),
        doubtful_months=frozenset(raw["doubtful"]["months"]),
        guards=frozenset(raw["doubtful"]["before"]),
        eras=dict(raw["eras"]),
        labels=labels,
        label_sizes=_sizes(labels),
        labels_behind=re.compile(rf"\s?(?:{behind})(?!\s?[:：]?\s?[\d０-９])"),
        cjk_behind=tuple(w for kind in raw["labels_behind"].values() for w in kind),
        weekday_joints=tuple(w + " " for w in joints["weekday"]),
        hour_alone=frozenset(joints["hour_alone"]),
        day_joints=frozenset(joints["day"]),
        units={
            word: _SECONDS[unit]
            for row in relative.values()
            for unit, listed in row["units"].items()
            for word in listed.split()
        },
        before=tuple(w for row in relative.values() for w in _flat(row, "before", ",")),
        after=frozenset(w for row in relative.values() for w in _flat(row, "after")),
        lead=tuple(w + " " for row in relative.values() for w in _flat(row, "lead")),
        day_first=frozenset(raw["order"]["day_first"]),
        month_first_regions=frozenset(raw["order"]["month_first_regions"]),
        mixed_regions=frozenset(raw["order"]["mixed_regions"]),
        morning=frozenset([*joints["morning"], "AM"]),
        afternoon=frozenset([*joints["afternoon"], "PM"]),
        hints=tuple(hints),
        loose=re.compile(loose, flags | re.IGNORECASE),
        loose_days=loose_days,
        weekday_behind=re.compile(behind_day, flags),
        time_right=re.compile(
            rf"""(?:{behind_day})?
            (?P<gap>[\s,;|•·∙–—⋅\-/@:.]{{0,6}}[(（]?|T)
            (?P<joint>(?:(?i:{joint})(?![^\W\d_])[.:]?[\s:]{{0,2}}){{0,2}})
            {time_}""",
            flags,
        ),
        time_left=re.compile(
            rf"(?<!\d[:.,/])(?<![\d€$£\-]){time_}(?P<gap>[\s,;•·⋅|–—\-/]{{0,4}})(?:(?i:{leading})\s)?$", flags
        ),
        time_here=re.compile(time_, flags),
        time_alone=re.compile(rf"[\s•·|,\-–—]*(?:(?i:{joint})[.:]?\s?)?{time_}[\s.,|)]*", flags),
        remark=re.compile("|".join(f"(?:{p})" for p in raw["remarks"]["patterns"]), re.IGNORECASE),
        idle=frozenset(idle),
    )
