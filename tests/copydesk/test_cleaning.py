"""The way of a page as a whole: what must stay, what must go, and what must hold for any text."""

from __future__ import annotations

import json

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import copydesk
from copydesk.cleaning import PAGE, digest
from copydesk.fields import ARTICLE

LEAD = (
    "The council of Marlow voted on Monday to keep the ferry running through the winter, after a week of talks "
    "with the company and three hours of speeches from the public gallery."
)
MORE = (
    "The boat carries about 900 passengers on a weekday, and nobody in the hall could remember a winter without "
    "it. Fares stay as they are until April, the mayor said, and the night boat returns in May."
)
LAST = "A second vote is due in the spring, when the company has to say what a new boat would cost the town."

STAYS = [
    "Share prices in the ferry company fell on Monday.",
    "Related stories of abuse emerged in court.",
    "“By the time we arrived, the doors were shut,” one passenger said.",
    "He said no.",
    "The next meeting is on 12 April 2024 at 7pm in the town hall.",
    "Residents can write to harbour@marlow.example until Friday.",
    "Advertisement spending rose by 3 per cent.",
    "Comments from residents were mixed.",
    "Follow the coastal path for a mile and turn left.",
    "Subscribe to the theory or not, the numbers are clear.",
    "Photos from the archive show the pier in 1931.",
    "Read more books, the minister said.",
    "Sign up to the rota, she said, and you will meet everyone.",
    "Most viewed the plan with suspicion.",
    "Published in 1931, the guide praised the view.",
    "“Why not?”",
]
GOES = [
    ("Share this article", "share"),
    ("Link copied", "share"),
    ("Advertisement", "advert"),
    ("Read more: Ferry fares to rise in May", "related"),
    ("Sign up to our newsletter", "newsletter"),
    ("Story continues below", "advert"),
    ("Skip to main content", "navigation"),
]


def page(*middle: str) -> str:
    return "\n\n".join(["Ferry to run all winter", "By Ann Lee", LEAD, *middle, MORE, LAST])


@pytest.mark.parametrize("line", STAYS)
def test_real_sentence_stays(line: str) -> None:
    for text in (page(line), page() + "\n\n" + line):
        body = copydesk.clean(text).articles["body"].item().split("\n\n")
        assert line in body


@pytest.mark.parametrize(("line", "role"), GOES)
def test_furniture_goes(line: str, role: str) -> None:
    cleaned = copydesk.clean(page(line))
    assert line not in cleaned.articles["body"].item().split("\n\n")
    assert cleaned.spans.filter(pl.col("text") == line)["role"].to_list() == [role]


def test_a_sentence_that_stands_twice_stays_twice() -> None:
    body = copydesk.clean(page("The bell rang at noon.", MORE, "The bell rang at noon.")).articles["body"].item()
    assert body.split("\n\n").count("The bell rang at noon.") == 2


THREAD = [
    "Jane Doe says:", "I was on that boat and it was a good boat, whatever the mayor may say.",
    "Tom Roe says:", "The fares are a scandal, and everybody knows it by now.",
    "Ida Poe says:", "Could we please talk about the night boat for once.",
]  # fmt: skip


def test_a_thread_of_comments_ends_the_article() -> None:
    cleaned = copydesk.clean(page() + "\n\n" + "\n\n".join(THREAD * 4))
    assert cleaned.articles["body"].item().split("\n\n") == [LEAD, MORE, LAST]


def test_teasers_with_their_age_are_no_thread() -> None:
    teasers = "\n".join(
        ["More", "2 hours ago", "A boat sinks", "3 hours ago", "A bridge opens", "4 hours ago", "A fair"]
    )
    body = copydesk.clean(page(teasers, MORE, LEAD)).articles["body"].item().split("\n\n")
    assert body[-1] == LAST


@pytest.mark.parametrize("text", ["", " \n \n", "\n\n\n"])
def test_a_page_without_text_is_quarantined(text: str) -> None:
    cleaned = copydesk.clean(text)
    assert [r["check"] for r in cleaned.quarantine["reasons"].item()] == ["empty_page"]
    assert cleaned.quarantine["text"].item() == text


@pytest.mark.parametrize(
    ("line", "role"),
    [
        (f"PORTANSEL, March 4 (Isle Wire) - {LEAD}", "body"),
        (f"PORT ELLERY — {LEAD}", "body"),
        ("Boats cross to the island from March, and cost what they did before the storm.", "standfirst"),
    ],
)
def test_a_paragraph_with_a_dateline_is_no_standfirst(line: str, role: str) -> None:
    cleaned = copydesk.clean(
        f"Ferry to Portansel sails again after a winter ashore\n\n{line}\n\nBy Ann Lee\n\n4 March 2024\n\n{MORE}\n\n{LAST}"
    )
    assert cleaned.spans.filter(pl.col("text").str.ends_with(line[-60:]))["role"].to_list() == [role]


LIST = "Marlow regatta: all winners of 2024\n\n" + "\n".join(
    f"  • {name} Rowing Club"
    for name in [
        "Henley",
        "Goring",
        "Wargrave",
        "Sonning",
        "Reading",
        "Pangbourne",
        "Cookham",
        "Bray",
        "Datchet",
        "Windsor",
    ]
)


@pytest.mark.parametrize(
    ("address", "article"),
    [
        ("https://times.example/sport/marlow-regatta-all-winners-of-2024", True),
        ("https://times.example/sport/", False),
        (None, False),
    ],
)
def test_a_list_is_an_article_where_the_address_names_it(address: str | None, article: bool) -> None:
    cleaned = copydesk.clean(LIST, url=address)
    assert len(cleaned.articles) == article
    assert len(cleaned.quarantine) == (not article)
    if article:
        assert cleaned.articles["body"].item().count("Rowing Club") == 10


@pytest.mark.parametrize(
    ("kind", "day", "article"),
    [("NewsArticle", "2024-03-04", True), ("NewsArticle", "", False), ("WebPage", "2024-03-04", False)],
)
def test_a_list_is_an_article_where_the_metadata_say_so(kind: str, day: str, article: bool) -> None:
    said = {"@context": "https://schema.org", "@type": kind, "headline": LIST.split("\n")[0], "datePublished": day}
    items = "".join(f"<li>{line[4:]}</li>" for line in LIST.split("\n")[2:])
    page = f"<html><head><script type='application/ld+json'>{json.dumps(said)}</script></head><body><main><h1>{said['headline']}</h1><ul>{items}</ul></main></body></html>"
    cleaned = copydesk.clean(html=page, url="https://times.example/sport/123")
    assert len(cleaned.articles) == article
    assert len(cleaned.quarantine) == (not article)


def test_one_page_is_cleaned_as_in_a_batch() -> None:
    texts = [page(), page("Share this article"), "", "Home\nNews\nSport"]
    rows = [
        {"doc_id": str(n), "source": str(n), "text": t, "content_hash": "0" * 32, "problems": []}
        for n, t in enumerate(texts)
    ]
    batch = copydesk.clean_pages(pl.DataFrame(rows, schema=PAGE))
    single = [copydesk.clean(t, doc_id=str(n)) for n, t in enumerate(texts)]
    same = [c for c in ARTICLE if c not in ("source", "content_hash")]
    assert batch.articles.select(same).equals(pl.concat([s.articles for s in single]).select(same))
    assert batch.spans.equals(pl.concat([s.spans for s in single]))


PIECES = st.sampled_from(
    [
        LEAD,
        MORE,
        LAST,
        *STAYS,
        *(g[0] for g in GOES),
        "By Ann Lee",
        "Published : April 28, 2019 - 17:42",
        "",
        "  • Link copied",
    ]
)
ANY_LINE = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.one_of(PIECES, ANY_LINE), max_size=25))
def test_every_character_is_in_exactly_one_span(lines: list[str]) -> None:
    text = "\n".join(lines)
    cleaned = copydesk.clean(text)
    assert len(cleaned.articles) + len(cleaned.quarantine) == 1
    spans = cleaned.spans
    ends = [0, *spans["char_end"].to_list()]
    for start, end, before, span in zip(spans["char_start"], spans["char_end"], ends, spans["text"], strict=False):
        assert start >= before
        assert pl.select(pl.lit(text[start:end]).str.strip_chars()).item() == span
    dense = pl.Series([text]).str.replace_all(r"\s+", "").item()
    assert "".join(pl.Series(spans["text"].to_list(), dtype=pl.String).str.replace_all(r"\s+", "")) == dense
    assert spans["rule"].str.len_chars().min() in (None, *range(1, 99))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.permutations([page(), page("Share this article"), page("He said no."), "Home\nNews", ""]))
def test_pages_do_not_depend_on_their_neighbours(texts: list[str]) -> None:
    rows = [
        {"doc_id": digest(t.encode()), "source": "", "text": t, "content_hash": "0" * 32, "problems": []} for t in texts
    ]
    cleaned = copydesk.clean_pages(pl.DataFrame(rows, schema=PAGE))
    again = copydesk.clean_pages(pl.DataFrame(sorted(rows, key=lambda r: r["doc_id"]), schema=PAGE))
    assert cleaned.articles.sort("doc_id").equals(again.articles.sort("doc_id"))
    assert cleaned.ledger.sort("doc_id", "char_start").equals(again.ledger.sort("doc_id", "char_start"))
