"""Printed dates: the table of cases, the words in the data files, zones, and what is printed reads back."""

from __future__ import annotations

import doctest
import tomllib
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from unicodedata import combining, normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copydesk import dates, datewords, zones
from copydesk.dates import PrintedDate, find_dates, instant, is_date_line, lone_time, stated_offset

TABLE = tomllib.loads((Path(__file__).parent / "cases" / "dates.toml").read_text("utf-8"))
WORDS = tomllib.loads((Path(datewords.__file__).parent / "data" / "dates.toml").read_text("utf-8"))


def written(line: str, found: PrintedDate) -> str:
    """A date as the table writes it."""
    parts = [found.label or "", str(found.on or "-")]
    if found.time:
        parts.append(found.time.isoformat("seconds" if found.precision == "second" else "minutes"))
    parts += [found.zone or "", *(f"!{w}" for w in found.warnings)]
    text = " ".join(p for p in parts if p)
    return text if found.raw == line else f"{text} | {found.raw}"


def cases() -> list[Any]:
    rows = []
    for group in TABLE["group"]:
        told = {k: group[k] for k in ("day_first", "language", "fetched") if k in group}
        marks = [pytest.mark.xfail(strict=True)] if group.get("known_failures") else []
        for line, *want in group["cases"]:
            rows.append(pytest.param(line, want, told, id=f"{group['name']}: {line}", marks=marks))
    return rows


@pytest.mark.parametrize(("line", "want", "told"), cases())
def test_dates_of_a_line(line: str, want: list[str], told: dict[str, Any]) -> None:
    assert [written(line, found) for found in find_dates(line, **told)] == want


def test_the_table_is_as_long_as_it_claims_and_has_no_line_twice_in_a_group() -> None:
    assert sum(len(group["cases"]) for group in TABLE["group"]) >= 600
    for group in TABLE["group"]:
        lines = [line for line, *_ in group["cases"]]
        assert len(lines) == len(set(lines)), group["name"]


def test_spans_are_in_order_and_hold_what_was_printed() -> None:
    for line, _, told in (row.values for row in cases()):
        end = 0
        for found in find_dates(line, **told):
            assert end <= found.start < found.end <= len(line), line
            assert found.raw == found.raw.strip()
            assert found.raw in line[found.start : found.end]
            assert found.on is not None or found.warnings or found.label == "modified", line
            assert (found.time is None) == (found.precision == "day")
            end = found.end


@pytest.mark.parametrize("line", TABLE["date_lines"]["yes"])
def test_a_line_of_dates(line: str) -> None:
    assert is_date_line(line, find_dates(line))


@pytest.mark.parametrize("line", TABLE["date_lines"]["no"])
def test_a_line_that_says_more(line: str) -> None:
    assert not is_date_line(line, find_dates(line))


EXAMPLES = [pair for row in WORDS["labels"].values() for pair in row.get("examples", {}).items()]


@pytest.mark.parametrize(("line", "label"), EXAMPLES)
def test_every_label_example(line: str, label: str) -> None:
    assert [found.label for found in find_dates(line)] == [label]


PHRASES = [
    (phrase, kind)
    for row in WORDS["labels"].values()
    for kind in ("published", "modified")
    for phrase in row.get(kind, ())
]


@pytest.mark.parametrize(("phrase", "kind"), PHRASES)
def test_every_label_before_a_day(phrase: str, kind: str) -> None:
    lines = [f"{phrase}: 2024-05-01 10:30", f"{phrase.title()} 2024-05-01"]
    if phrase.capitalize() != phrase:
        lines.append(f"EDT{phrase.capitalize()} 2024-05-01")
    for line in lines:
        assert [found.label for found in find_dates(line)] == [kind], line


@pytest.mark.parametrize("remark", WORDS["remarks"]["examples"])
def test_a_remark_may_share_the_line(remark: str) -> None:
    line = f"5 May 2024 • {remark}"
    assert is_date_line(line, find_dates(line))


@pytest.mark.parametrize(
    ("line", "want"),
    [
        ("15:59 Uhr", (time(15, 59), None, "minute")),
        ("5:50 PM", (time(17, 50), None, "minute")),
        ("• 03:26 pm", (time(15, 26), None, "minute")),
        ("5:50 PM EST", (time(17, 50), "EST", "minute")),
        ("11.05 Uhr", (time(11, 5), None, "minute")),
        ("18 Uhr", (time(18), None, "minute")),
        ("20:00:15", (time(20, 0, 15), None, "second")),
        ("kl. 13.05", (time(13, 5), None, "minute")),
        ("20時01分", (time(20, 1), None, "minute")),
        ("15", None),
        ("25:10", None),
        ("15:44 Uhr, Lille", None),
        ("2:38 min", None),
        ("1:23:45 h of film", None),
        ("", None),
    ],
)
def test_a_time_alone_on_its_line(line: str, want: tuple[time, str | None, str] | None) -> None:
    assert lone_time(line) == want


# -- zones ---------------------------------------------------------------------------------------------

SEOUL, BERLIN = "Asia/Seoul", "Europe/Berlin"
WINTER, SUMMER = date(2024, 1, 15), date(2024, 7, 15)


@pytest.mark.parametrize(
    ("zone", "on", "told", "hours"),
    [
        ("KST", WINTER, {}, 9),
        ("UTC", WINTER, {}, 0),
        ("Z", WINTER, {}, 0),
        ("GMT", SUMMER, {}, 0),
        ("EST", WINTER, {}, -5),
        ("EDT", SUMMER, {}, -4),
        ("EST", WINTER, {"country": "au"}, 10),
        ("ET", WINTER, {}, -5),
        ("ET", SUMMER, {}, -4),
        ("PT", SUMMER, {}, -7),
        ("CET", WINTER, {}, 1),
        ("CEST", SUMMER, {}, 2),
        ("MESZ", SUMMER, {}, 2),
        ("Eastern Time", SUMMER, {}, -4),
        ("heure de Paris", WINTER, {}, 1),
        ("МСК", WINTER, {}, 3),
        ("CST", WINTER, {}, None),
        ("CST", WINTER, {"country": "us"}, -6),
        ("CST", WINTER, {"country": "CN"}, 8),
        ("CST", WINTER, {"publisher_zone": "America/Chicago"}, -6),
        ("CST", SUMMER, {"publisher_zone": "America/Chicago"}, -6),
        ("CST", WINTER, {"publisher_zone": "Asia/Shanghai"}, 8),
        ("CST", WINTER, {"publisher_zone": "Asia/Taipei", "country": "us"}, 8),
        ("CST", WINTER, {"publisher_zone": "America/New_York"}, None),
        ("CST", WINTER, {"publisher_zone": "America/New_York", "country": "us"}, -6),
        ("IST", WINTER, {}, None),
        ("IST", WINTER, {"publisher_zone": "Asia/Kolkata"}, 5.5),
        ("IST", WINTER, {"publisher_zone": "Asia/Jerusalem"}, 2),
        ("IST", SUMMER, {"country": "IE"}, 1),
        ("BST", SUMMER, {}, None),
        ("BST", SUMMER, {"country": "uk"}, 1),
        ("BST", SUMMER, {"publisher_zone": "Europe/London"}, 1),
        ("BST", WINTER, {"publisher_zone": "Asia/Dhaka"}, 6),
        ("BST", WINTER, {"publisher_zone": "Europe/Paris"}, None),
        ("AST", WINTER, {"publisher_zone": "Asia/Riyadh"}, 3),
        ("+09:00", WINTER, {}, 9),
        ("-0330", WINTER, {}, -3.5),
        ("GMT+2", WINTER, {}, 2),
        ("UTC -5", WINTER, {}, -5),
        ("UTC+05:30", WINTER, {}, 5.5),
        ("+25:00", WINTER, {}, None),
        ("Uhr", WINTER, {}, None),
        ("XYZ", WINTER, {"country": "us", "publisher_zone": "America/Chicago"}, None),
        ("CST", WINTER, {"publisher_zone": "No/Where"}, None),
    ],
)
def test_stated_offset(zone: str, on: date, told: dict[str, str], hours: float | None) -> None:
    assert stated_offset(zone, on, **told) == (None if hours is None else timedelta(hours=hours))


@pytest.mark.parametrize(
    ("on", "at", "zone", "publisher", "want"),
    [
        (date(2019, 4, 26), time(16, 27), "KST", None, ("2019-04-26T07:27", "KST", "stated")),
        (
            date(2019, 4, 28),
            time(17, 42),
            None,
            SEOUL,
            ("2019-04-28T08:42", SEOUL, "publisher"),
        ),
        (date(2019, 4, 26), time(16, 27), "KST", "America/New_York", ("2019-04-26T07:27", "KST", "stated")),
        (
            date(2024, 7, 15),
            time(0, 30),
            None,
            BERLIN,
            ("2024-07-14T22:30", BERLIN, "publisher"),
        ),
        (date(2024, 7, 15), time(10), "CST", "Asia/Shanghai", ("2024-07-15T02:00", "CST", "stated")),
        (date(2024, 7, 15), time(10), "CST", None, (None, None, None)),
        (date(2024, 7, 15), time(10), "CST", "Europe/Paris", (None, None, None)),
        (date(2024, 7, 15), None, "KST", SEOUL, (None, None, None)),
        (None, time(10), "KST", SEOUL, (None, None, None)),
        (date(2024, 7, 15), time(10), None, None, (None, None, None)),
        (date(2024, 7, 15), time(10), None, "No/Where", (None, None, None)),
        (date(2024, 3, 31), time(2, 30), None, BERLIN, (None, None, None)),  # the hour that is not
        (
            date(2024, 10, 27),
            time(2, 30),
            None,
            BERLIN,
            (None, None, None),
        ),  # the hour that is twice
        (date(2024, 10, 27), time(2, 30), "CEST", BERLIN, ("2024-10-27T00:30", "CEST", "stated")),
    ],
)
def test_instant(
    on: date | None, at: time | None, zone: str | None, publisher: str | None, want: tuple[str | None, ...]
) -> None:
    moment, used, source = instant(on, at, zone=zone, publisher_zone=publisher)
    assert (moment and f"{moment:%Y-%m-%dT%H:%M}", used, source) == want
    assert moment is None or moment.tzinfo is UTC


def test_every_zone_of_the_table_can_be_read_and_printed() -> None:
    table = zones.zones()
    for name in table.names:
        line = f"5 May 2024 10:30 {name}"
        if name != "Z":
            assert [found.zone for found in find_dates(line)] == [name]
        country = next(iter(table.open.get(name, {"US": None})))
        assert stated_offset(name, SUMMER, country=country) is not None


# -- what is printed reads back ---------------------------------------------------------------------------

MONTHS = [
    (language, number, word)
    for language, entries in WORDS["months"].items()
    for number, entry in enumerate(entries, 1)
    for word in entry.split()
]
DAYS = st.dates(date(1990, 1, 1), date(2060, 12, 31))
TIMES = st.times().map(lambda t: t.replace(second=0, microsecond=0))
LABELS = st.sampled_from(
    ["", "Published ", "Posted on : ", "Updated: ", "Veröffentlicht am ", "Mis à jour le "]
)
FORMS = [
    "{d:%Y-%m-%d} {t:%H:%M}",
    "{d:%Y-%m-%d}T{t:%H:%M}:00+09:00",
    "{d:%d.%m.%Y} | {t:%H:%M} Uhr",
    "{d:%d.%m.%Y}, {t:%H.%M} Uhr",
    "{d:%B} {d.day}, {d:%Y} - {t:%H:%M}",
    "{d:%b}. {d.day}, {d:%Y}, {t:%I:%M} {half} EST",
    "{d:%b}.{d.day},{d:%Y} {t:%H:%M} KST",
    "{d:%a}, {d:%b} {d.day} {d:%Y}{t:%I:%M} {half} EDT",
    "{d:%A} {d.day} {d:%B} {d:%Y} {t:%H:%M}",
    "{d:%a} {d.day} {d:%b} {d:%Y} {t:%H.%M} CET",
    "{t:%H:%M} JST, {d:%B} {d.day}, {d:%Y}",
    "{t:%I:%M}{half} {d:%b} {d.day}, {d:%Y}",
    "{d.day} {d:%b}, {d:%Y} {t:%H:%M}",
    "{d.day} {d:%B} {d:%Y} • {t:%I:%M}{half}",
    "{d:%B} {d.day}, {d:%Y} / {t:%I:%M} {half}",
    "{d.year}年{d.month}月{d.day}日 {t.hour}時{t:%M}分",
    "{d.year}년 {d.month}월 {d.day}일 {t:%H:%M}",
    "{d:%Y.%m.%d} {t:%H:%M}",
    "{d:%Y/%m/%d} {t:%H:%M}",
    "{d.day}. {d.month}. {d.year} {t:%H:%M}",
    "{d.day} de {d:%B} de {d:%Y} às {t:%H}h{t:%M}",
]


@pytest.mark.parametrize("form", FORMS)
@given(on=DAYS, at=TIMES, label=LABELS)
def test_what_is_printed_reads_back(form: str, on: date, at: time, label: str) -> None:
    line = label + form.format(d=on, t=at, half="PM" if at.hour >= 12 else "AM")
    [found] = find_dates(line)
    assert (found.on, found.time, found.start, found.end) == (on, at, 0, len(line))
    assert (found.label is None) == (label == "")
    assert not found.warnings
    assert is_date_line(line, [found])


@given(on=DAYS, at=TIMES, day_first=st.booleans(), short=st.booleans(), mark=st.sampled_from("/-"))
def test_numeric_days_read_back_in_the_order_that_is_asked_for(
    on: date, at: time, day_first: bool, short: bool, mark: str
) -> None:
    year = "%y" if short and 2000 <= on.year < 2060 else "%Y"
    form = mark.join(["%d", "%m", year] if day_first else ["%m", "%d", year])
    [found] = find_dates(f"{on:{form}} {at:%H:%M}", day_first=day_first)
    assert (found.on, found.time, found.warnings) == (on, at, ())


@given(on=DAYS)
def test_a_weekday_settles_the_order(on: date) -> None:
    [found] = find_dates(f"{on:%A} {on:%d/%m/%Y}")
    other = on.day <= 12 and date(on.year, on.day, on.month)
    if not other or other.weekday() != on.weekday():
        assert (found.on, found.warnings) == (on, ())


@pytest.mark.parametrize(("language", "number", "word"), MONTHS)
def test_every_month_word(language: str, number: int, word: str) -> None:
    capitals = word.replace("i", "İ").upper() if language == "tr" else word.upper()
    bare = "".join(c for c in normalize("NFD", capitals) if not combining(c))
    for printed in (
        word,
        word.title(),
        normalize("NFC", bare),
        *([capitals] if len(capitals) == len(word) else []),
    ):
        [found] = find_dates(f"5 {printed} 2024 10:30", language=language)
        assert found.on == date(2024, number, 5), printed


PIECES = [
    *".,/-:|h(年月日",
    "3",
    "5",
    "12",
    "24",
    "2024",
    "May",
    "Mai",
    "PM",
    "vor",
    "ago",
    "heute",
    "Published",
    "EST",
]


@given(st.text(max_size=80))
def test_any_text_can_be_read(text: str) -> None:
    found = find_dates(text, fetched=datetime(2026, 7, 2, 8, 30))  # noqa: DTZ001
    assert all(0 <= f.start < f.end <= len(text) for f in found)
    is_date_line(text, found)
    lone_time(text)


@given(st.lists(st.sampled_from(PIECES), max_size=14))
def test_any_pieces_of_dates_can_be_read(pieces: list[str]) -> None:
    for text in (" ".join(pieces), "".join(pieces)):
        found = find_dates(text)
        assert all(a.end <= b.start for a, b in pairwise(found))
        is_date_line(text, found)


@pytest.mark.parametrize("module", [dates, zones])
def test_the_examples_in_the_docs(module: Any) -> None:
    assert doctest.testmod(module).failed == 0
