"""Which dates of a page are its own: chosen among those of other stories, settled by the page, one with the ledger."""

from __future__ import annotations

import doctest
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from together import articles

import copydesk
from copydesk import page_dates, zones
from copydesk.cleaning import Desk, open_desk
from copydesk.publishers import Profile, ProfileBook

TITLE = "Island ferry fares rise by a tenth after a stormy winter"
PROSE = (
    "Fares on the island ferry rise by a tenth in May, the harbour council said after a long meeting on Monday evening.",
    "The council blamed the price of fuel and the repair of the north pier, which lost forty planks to the January gales.",
    "Islanders with a card of residence keep their discount, and children under six travel free as they always have done.",
)


def page(*stamps: str, above: tuple[str, ...] = (), below: tuple[str, ...] = (), prose: tuple[str, ...] = PROSE) -> str:
    return "\n\n".join((*above, TITLE, *stamps, *prose, *below))


def article(text: str, desk: Desk | None = None, **told: Any) -> dict[str, Any]:
    return copydesk.clean(text, desk=desk, **told).articles.row(0, named=True)


def desk_of(**known: Any) -> Desk:
    profile = Profile("Quay Post", "a test", "quay.toml", domains=("quaypost.example",), **known)
    return Desk(open_desk().rules, ProfileBook((profile,), "test"))


TEASERS = tuple(f"{place} council meets on the budget\n{day} May 2024" for day, place in enumerate(("Norham", "Eastby", "Weston", "Sudley", "Ayre"), 3))


@pytest.mark.parametrize(
    ("text", "day"),
    [
        (page("By Ann Lee", "7 May 2024"), "2024-05-07"),
        (page("7 May 2024", above=("Thursday, 9 May 2024", "Home", "News", "Sport", "Weather", "Harbour", "Contact")), "2024-05-07"),
        (page("By Ann Lee", "7 May 2024 | Harbour | 3 comments"), "2024-05-07"),
        (page("Harbour desk • 7 May 2024"), "2024-05-07"),
        (page("7 May 2024", below=("More news", *TEASERS)), "2024-05-07"),
        (page(above=("7 May 2024",)), "2024-05-07"),
        (page("By Ann Lee", below=("Published: 7 May 2024",)), "2024-05-07"),
        (page("Published", "7 May 2024", "Updated", "8 May 2024"), "2024-05-07"),
        (page("8 May 2024", "7 May 2024"), "2024-05-07"),
        (page(above=(f"{TITLE} | Quay Post | 7 May 2024",)), "2024-05-07"),
        (page("By Ann Lee"), None),
        (page("By Ann Lee", below=("More news", *TEASERS)), None),
        (page("By Ann Lee", prose=("The pier was opened by the mayor on 7 May 1949 before a crowd of two thousand islanders and guests.", *PROSE)), None),
    ],
    ids=["below the headline", "not the day of the fetch", "among other words", "behind the desk", "not a teaser's",
         "above the headline", "labelled at the end", "label above", "the earlier of two", "beside the title",
         "none", "only teasers", "only in a sentence"],
)  # fmt: skip
def test_the_day_of_a_page(text: str, day: str | None) -> None:
    assert article(text)["published_on"] == (day and date.fromisoformat(day))


def test_a_sentence_with_a_date_stays_in_the_body() -> None:
    sentence = "The pier was opened on 7 May 1949."
    assert sentence in article(page("7 May 2024", prose=(*PROSE[:2], sentence, PROSE[2])))["body"]


@pytest.mark.parametrize(
    ("stamp", "told", "day", "sure"),
    [
        ("03/05/2024", {"url": "https://quay.example/2024/05/03/fares"}, date(2024, 5, 3), True),
        ("03/05/2024", {"url": "https://quay.example/2024/03/05/fares"}, date(2024, 3, 5), True),
        ("03/05/2024", {"url": "https://quay.co.uk/fares"}, date(2024, 5, 3), True),
        ("03/05/2024", {"url": "https://quay.ca/fares"}, date(2024, 3, 5), False),
        ("03/05/2024", {"fetched_at": datetime(2024, 3, 6, tzinfo=UTC)}, date(2024, 3, 5), True),
        ("03/05/2024\n\nUpdated: 13/05/2024", {}, date(2024, 5, 3), True),
        ("03/05/2024\n\nUpdated: 03/15/2024", {}, date(2024, 3, 5), True),
        ("03/05/2024", {}, date(2024, 3, 5), False),
    ],
    ids=["address", "address too", "country", "country of both", "fetch", "day first", "month first", "open"],
)  # fmt: skip
def test_the_order_of_numeric_days(stamp: str, told: dict[str, Any], day: date, sure: bool) -> None:
    found = article(page(stamp), **told)
    assert (found["published_on"], "ambiguous_date" not in found["warnings"]) == (day, sure)


@pytest.mark.parametrize(
    ("others", "day", "sure"),
    [
        (("New berths, 3 May 2024",), date(2024, 5, 3), True),
        (("New berths, 5 March 2024",), date(2024, 3, 5), True),
        (("New berths, 3 May 2024", "Old berths, 5 March 2024"), date(2024, 3, 5), False),
    ],
    ids=["day first", "month first", "both"],
)
def test_a_numeric_day_is_the_one_that_the_page_writes_out(others: tuple[str, ...], day: date, sure: bool) -> None:
    found = article(page("03/05/2024", below=("More news", *others)))
    assert (found["published_on"], "ambiguous_date" not in found["warnings"]) == (day, sure)


@pytest.mark.parametrize(("order", "month"), [("day_first", 5), ("month_first", 3)])
def test_the_order_that_a_profile_states(order: str, month: int) -> None:
    found = article(page("03/05/2024"), desk_of(numeric_dates=order), url="https://quaypost.example/fares")
    assert found["published_on"].month == month and "ambiguous_date" not in found["warnings"]


@pytest.mark.parametrize(
    ("stamp", "url", "fetched", "day"),
    [
        ("Published 3 hours ago", None, datetime(2024, 5, 7, 10, tzinfo=UTC), date(2024, 5, 7)),
        ("Published 3 hours ago", None, datetime(2024, 5, 7, 1, tzinfo=UTC), date(2024, 5, 6)),
        # in Seoul it is ten in the morning
        ("Published 3 hours ago", "https://quay.kr/fares", datetime(2024, 5, 7, 1, tzinfo=UTC), date(2024, 5, 7)),
        ("Veröffentlicht: gestern um 12:19 Uhr", "https://kai.de/a", datetime(2024, 5, 7, 10, tzinfo=UTC), date(2024, 5, 6)),
        ("Published: 8 August", None, datetime(2024, 5, 7, 10, tzinfo=UTC), date(2023, 8, 8)),
        ("Published 3 hours ago", None, None, None),
    ],
)  # fmt: skip
def test_relative_days_count_from_the_fetch(stamp: str, url: str | None, fetched: datetime | None, day: date | None) -> None:
    found = article(page(stamp), url=url, fetched_at=fetched)
    assert found["published_on"] == day
    assert "relative_date" in found["warnings"]


def test_no_date_is_after_the_fetch_or_before_the_outlet() -> None:
    late = article(page("7 May 2024"), fetched_at=datetime(2024, 5, 1, tzinfo=UTC))
    assert late["published_on"] is None and {"implausible_date", "no_date"} <= set(late["warnings"])
    early = article(page("7 May 1924"), desk_of(founded=1950), url="https://quaypost.example/fares")
    assert early["published_on"] is None and "implausible_date" in early["warnings"]


@pytest.mark.parametrize(
    ("stamp", "url", "want"),
    [
        ("7 May 2024 10:30", "https://quay.de/fares", ("2024-05-07T08:30", "Europe/Berlin", "country")),
        ("7 January 2024 10:30", "https://quay.co.uk/fares", ("2024-01-07T10:30", "Europe/London", "country")),
        ("7 May 2024 10:30 KST", "https://quay.de/fares", ("2024-05-07T01:30", "KST", "stated")),
        ("7 May 2024 10:30 BST", "https://quay.co.uk/fares", ("2024-05-07T09:30", "BST", "stated")),
        ("7 May 2024 10:30 IST", "https://quay.in/fares", ("2024-05-07T05:00", "IST", "stated")),
        ("7 May 2024 10:30 (Seoul time)", None, ("2024-05-07T01:30", "Seoul time", "stated")),
        ("7 May 2024 10:30 | Updated: 7 May 2024 11:30 CEST", None, ("2024-05-07T08:30", "CEST", "stated")),
        ("7 May 2024\n10:30 Uhr", "https://quay.at/fares", ("2024-05-07T08:30", "Europe/Vienna", "country")),
        ("7 May 2024 10:30", "https://quay.us/fares", (None, None, None)),
        ("7 May 2024 10:30", "https://quay.com/fares", (None, None, None)),
        ("7 May 2024 10:30", "https://quay.tv/fares", (None, None, None)),
        ("7 May 2024 10:30 CST", "https://quay.com/fares", (None, "CST", "stated")),
    ],
)
def test_zones(stamp: str, url: str | None, want: tuple[str | None, ...]) -> None:
    found = article(page(stamp), url=url)
    at = found["published_at"]
    assert (at and f"{at:%Y-%m-%dT%H:%M}", found["published_zone"], found["published_zone_source"]) == want
    assert ("zone_unknown" in found["warnings"]) == (at is None)


def test_a_change_alone_stands_for_the_publication_and_says_so() -> None:
    found = article(page("Updated: 7 May 2024"))
    assert found["published_on"] == found["modified_on"] == date(2024, 5, 7)
    assert "date_from_change" in found["warnings"]
    both = article(page("5 May 2024", "Updated: 7 May 2024"))
    assert (both["published_on"], both["modified_on"]) == (date(2024, 5, 5), date(2024, 5, 7))
    assert "date_from_change" not in both["warnings"]


def test_an_address_of_another_day_is_warned_of() -> None:
    found = article(page("7 May 2024"), url="https://quay.example/2024/05/06/fares")
    assert found["published_on"] == date(2024, 5, 7) and "date_conflict" in found["warnings"]


STAMPS = (
    "7 May 2024", "7 May 2024 | Updated: 8 May 2024 10:30", "8 May 2024\n7 May 2024", "Updated: 7 May 2024",
    "7 May 2024 | Harbour", "By Ann Lee | 7 May 2024", "7 May 2024\n10:30", "Published\n7 May 2024",
)  # fmt: skip


@pytest.mark.parametrize("stamp", STAMPS)
def test_the_ledger_and_the_fields_name_the_same_lines(stamp: str) -> None:
    cleaned = copydesk.clean(page(stamp, above=("Thursday, 9 May 2024", "Home", "News", "Sport"), below=TEASERS))
    found = cleaned.articles.row(0, named=True)
    texts = {role: "\n".join(cleaned.spans.filter(role=role)["text"]) for role in ("published", "modified")}
    for role in texts:
        raw = found[f"{role}_raw"]
        printed = "modified" if role == "published" and "date_from_change" in found["warnings"] else role
        assert (raw or "") in texts[printed]
    assert bool(found["modified_on"]) == bool(texts["modified"])


FURNITURE = (
    "Subscribe to our newsletter", "Share on Facebook", "Read more", "Follow us on Twitter", "Print this page", "Advertisement",
    "© 2024 Quay Post. All rights reserved.", "Sign in", "Listen to this article", "Skip to main content",
)  # fmt: skip


DRESSED = st.tuples(
    st.sampled_from(STAMPS),
    st.lists(st.sampled_from(FURNITURE), max_size=5, unique=True),
    st.lists(st.sampled_from((*FURNITURE, *TEASERS)), max_size=8, unique=True),
)


@given(st.lists(DRESSED, min_size=10, max_size=20))
@settings(max_examples=5, deadline=None)
def test_furniture_around_a_page_changes_no_date(drawn: list[tuple[str, list[str], list[str]]]) -> None:
    fields = [f"{role}_{part}" for role in ("published", "modified") for part in ("on", "at", "raw")]
    plain = articles(page(stamp) for stamp, _, _ in drawn)
    dressed = articles(page(stamp, above=tuple(above), below=tuple(below)) for stamp, above, below in drawn)
    assert [[a[f] for f in fields] for a in dressed] == [[a[f] for f in fields] for a in plain]


@pytest.mark.parametrize(
    ("url", "day"),
    [
        ("https://a.example/2024/12/02/fares", date(2024, 12, 2)),
        ("https://a.example/news/2024-12-02/fares.html", date(2024, 12, 2)),
        ("https://a.example/news/20241202/fares.html", date(2024, 12, 2)),
        ("https://a.example/cnt/dmf20241202_96887132", date(2024, 12, 2)),
        ("https://a.example/fares-20241202105634-nt.html", date(2024, 12, 2)),
        ("https://a.example/world/2024/dec/02/fares", date(2024, 12, 2)),
        ("https://a.example/blog/2024/December/2/fares", date(2024, 12, 2)),
        ("https://a.example/2024/12/fares", None),
        ("https://a.example/article/20241345", None),
        ("https://a.example/fares-2024120", None),
        ("https://a.example/fares?day=2024-12-02", None),
        (None, None),
    ],
)
def test_the_day_in_an_address(url: str | None, day: date | None) -> None:
    import polars as pl

    assert page_dates.address_day(pl.Series("url", [url], dtype=pl.String)).to_list() == [day]


def test_every_country_and_language_has_a_clock() -> None:
    table = zones.zones()
    for name in (*table.countries.values(), *table.languages.values()):
        assert zones.instant(date(2024, 5, 7), datetime(2024, 5, 7, 10).time(), zone=None, publisher_zone=name)[0], name  # noqa: DTZ001
    assert not {"US", "RU", "BR", "CA", "AU", "MX"} & set(table.countries)


@pytest.mark.parametrize("module", [page_dates, zones])
def test_the_examples_in_the_docs(module: Any) -> None:
    assert doctest.testmod(module).failed == 0
