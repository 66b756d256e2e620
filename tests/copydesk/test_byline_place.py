"""Which lines of a page are its bylines: whole invented pages in, their authors out."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from together import articles

import copydesk
from copydesk.cleaning import PAGE

HEADLINE = "Ferry fares to the outer islands rise by a tenth in May"
BODY = [
    "The council said on Monday evening that the ferry to the outer islands will cost a tenth more from May onwards.",
    "The harbour office had asked for twice as much, and said that the old boats were becoming dear to keep afloat.",
    "Islanders who have a yearly pass pay the old fare until the autumn, when the passes have to be bought again.",
    "The last rise was seven years ago, and the boats were as full in the year after it as they were in the year before.",
]
URL = "https://paper.example/ferry-fares-to-the-outer-islands-rise-by-a-tenth-in-may"
DATE = "5 May 2024, 10:30"


def page(*lines: str, head: tuple[str, ...] = (), tail: tuple[str, ...] = (), body: list[str] | None = None) -> str:
    """A page: `head` above the headline, `lines` between it and the body, `tail` below."""
    return "\n\n".join([*head, HEADLINE, *lines, *(body or BODY), *tail])


def names(text: str) -> list[str]:
    articles = copydesk.clean(text, url=URL).articles
    return [a["name"] for a in articles["authors"].item()] if len(articles) else []


PLACED = {
    "below the headline": (page("Ann Lee"), ["Ann Lee"]),
    "below the headline, above the date": (page("Ann Lee", DATE), ["Ann Lee"]),
    "below the date": (page(DATE, "Ann Lee"), ["Ann Lee"]),
    "behind a bullet": (page("• Ann Lee", DATE), ["Ann Lee"]),
    "in capitals": (page("ANN LEE", DATE), ["ANN LEE"]),
    "above the headline, beside the date": (page(head=("Ann Lee", DATE)), ["Ann Lee"]),
    "two lines": (page("Ann Lee", "Bob Miller", DATE), ["Ann Lee", "Bob Miller"]),
    "with a cue on a line of its own": (page("By", "Ann Lee", DATE), ["Ann Lee"]),
    "one word below a cue": (page("Written by", "Eliz", DATE), ["Eliz"]),
    "a list below a cue": (page("By", "• Ann Lee,", "• Bob Miller &", "• Carl Jones", DATE), ["Ann Lee", "Bob Miller", "Carl Jones"]),
    "reporters, each with an address": (
        page("김철수 기자", "kim@example.kr", "박영희 기자", "park@example.kr", DATE), ["김철수", "박영희"],
    ),
    "below a standfirst": (
        page("Passes bought before the summer keep the old price until they run out in the autumn.", "Ann Lee", DATE), ["Ann Lee"],
    ),
    "signed below the text": (page(tail=("Ann Lee",)), ["Ann Lee"]),
    "an author box below the text": (
        page(tail=("Ann Lee", "Ann Lee is a reporter who covers the harbour and the islands for this newspaper.")), ["Ann Lee"],
    ),
    "a signature with a post": (page(tail=("Ann Lee", "Political correspondent")), ["Ann Lee"]),
    "in brackets behind the text": (page(body=[*BODY[:-1], " ".join(BODY[1:]) + " (Ann Lee, Bob Miller)"]), ["Ann Lee", "Bob Miller"]),
    "an agency above a person": (page("By AFP", "Ann Lee"), ["Ann Lee"]),
    "the staff": (page("By Staff Reporter", DATE), ["Staff Reporter"]),
    "an account of the house above a person": (page("by Harbour D | 5 May 2024", "ANN LEE"), ["ANN LEE"]),
    "an account of the house alone": (page("by Harbour D | 5 May 2024"), ["Harbour D"]),
    "an agency's story number": (page("Von Ann Lee", tail=("© dpa-infocom, dpa:240505-99-000000/1",)), ["Ann Lee", "dpa"]),
    "an agency's story number alone": (page(DATE, tail=("© dpa-infocom, dpa:240505-99-000000/1",)), ["dpa"]),
    "a button behind the name": (page("By Ann Lee Follow", DATE), ["Ann Lee"]),
    "the house and agencies below the text": (page(tail=("red, ORF.at/Agenturen",)), ["ORF.at"]),
    "behind what a theme counts": (page("5 May 2024 · 30 min · 6279 words · Ann Lee"), ["Ann Lee"]),
    "between a count and a change": (page("109 Comments | Ann Lee |    Last Updated: May 5, 2024"), ["Ann Lee"]),
    "above the reading time": (page("Ann Lee", "8 min read"), ["Ann Lee"]),
    "an author box with more text below": (
        page(tail=("Ann Lee", "Ann Lee is a reporter who covers the harbour and the islands for this newspaper.", *BODY)), ["Ann Lee"],
    ),
    "the same name twice": (page("By Ann Lee", DATE, tail=("Ann Lee",)), ["Ann Lee"]),
}  # fmt: skip


@pytest.mark.parametrize("case", PLACED)
def test_a_name_in_its_place_is_an_author(case: str) -> None:
    text, expected = PLACED[case]
    assert names(text) == expected


SPOKEN_OF = [
    "Ann Lee told the council that the boats were old, and that nobody had asked the people who work on them.",
    "Councillors thanked Ann Lee, who has led the harbour office for ten years, and then voted for the smaller rise.",
    "For her part Ann Lee said that she would ask again next year, and that the fares were still lower than elsewhere.",
]
NOT_PLACED = {
    "boxes of several people": page(
        tail=("Ann Lee", "Ann Lee is the pilot of the ferry and has been for as long as anybody on the islands can remember.",
              "Bob Ray", "Bob Ray is the keeper of the pier and has been for as long as anybody on the islands can remember.", *BODY)),
    "a sub-heading": page("By Bob Miller", body=[BODY[0], "Ann Lee", *SPOKEN_OF]),
    "whom the text speaks of": page(body=[BODY[0], "Ann Lee", *SPOKEN_OF]),
    "a teaser": page(tail=("Related stories", "Harbour office asks for new boats", "By Ann Lee", "1 May 2024")),
    "another story's author above the headline": page(
        "Bob Miller", DATE, head=("Harbour office asks for new boats", "by Ann Lee", "1 May 2024", "A bridge would cost more")
    ),
    "a menu": page("Bob Miller", DATE, head=("By role", "By use case", "By Ann Lee's team", "Pricing", "Login", "Shop", "Home", "About", "News")),
    "the reviewer": page("Reviewed by", "Ann Lee", "By Bob Miller", DATE),
    "a caption": page("By Bob Miller", DATE, "Ann Lee looks out over the harbour on Monday. (Photo: Carl Jones)"),
    "who took the pictures": page("By Bob Miller", DATE, "Photo: Ann Lee"),
    "an author box alone": page(
        tail=("Ann Lee is a reporter who covers the harbour and the islands for this newspaper, and lives by the sea.",)
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", NOT_PLACED)
def test_a_name_elsewhere_is_none(case: str) -> None:
    assert "Ann Lee" not in names(NOT_PLACED[case])


def test_spellings_that_disagree_are_flagged() -> None:
    article = copydesk.clean(page("By Choi He-suk", DATE, tail=("By Choi Hee-suk, staff reporter",))).articles
    assert "byline_conflict" in article["warnings"].item()
    assert [a["name"] for a in article["authors"].item()] == ["Choi He-suk"]


def test_what_a_later_line_says_of_a_name_is_kept() -> None:
    article = copydesk.clean(page("By Ann Lee", DATE, tail=("By Ann Lee, staff reporter (ann@example.com)",))).articles
    author = article["authors"].item()[0]
    assert (author["role"], author["email"]) == ("staff reporter", "ann@example.com")


NAME = st.builds(
    "{} {}".format,
    st.sampled_from(["Anna", "Déborah", "João", "Min-hee", "Łukasz", "Jean-Paul", "Åse", "M. R."]),
    st.sampled_from(["Muster", "O'Hara", "van der Berg", "de la Cruz", "Yılmaz", "McKay", "Kowalska"]),
)
BYLINE = st.one_of(
    NAME.map(lambda n: (n, ("By " + n,))),
    NAME.map(lambda n: (n, ("Von " + n, DATE))),
    NAME.map(lambda n: (n, ("By", n, DATE))),
    NAME.map(lambda n: (n, (n, DATE))),
    NAME.map(lambda n: (n, (n + " | " + DATE,))),
)
FURNITURE_ABOVE = st.lists(
    st.sampled_from(["Skip to content", "• Home", "• World", "• Sport", "Sign in", "Subscribe", "Menu", "Search", "E-paper", "Weather"]),
    max_size=8, unique=True,
)  # fmt: skip
FURNITURE_BELOW = st.lists(
    st.sampled_from([
        "Share this article", "Related stories", "• Harbour office asks for new boats", "• A bridge would cost more", "Most read",
        "• Ten walks for the autumn", "Sign up to our newsletter", "Privacy policy", "Terms of use", "Contact us", "Back to top",
        "© 2024 The Harbour Times", "Follow us on Facebook",
    ]),
    max_size=8, unique=True,
)  # fmt: skip


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(BYLINE, FURNITURE_ABOVE, FURNITURE_BELOW), min_size=10, max_size=20))
def test_furniture_changes_no_author(drawn: list[tuple[tuple[str, tuple[str, ...]], list[str], list[str]]]) -> None:
    bare = [page(*lines) for (_, lines), _, _ in drawn]
    dressed = [page(*lines, head=tuple(above), tail=tuple(below)) for (_, lines), above, below in drawn]
    found = [[a["name"] for a in article["authors"]] for article in articles([*bare, *dressed], URL)]
    assert found == 2 * [[name] for (name, _), _, _ in drawn]


@settings(max_examples=10, deadline=None)
@given(st.permutations(sorted(PLACED)))
def test_a_page_has_the_same_authors_in_any_batch(order: list[str]) -> None:
    rows = [
        {"doc_id": case, "url": URL, "source": case, "text": PLACED[case][0], "content_hash": "x", "problems": []} for case in order
    ]
    found = copydesk.clean_pages(pl.DataFrame(rows, schema=PAGE)).articles
    authors = {row["doc_id"]: [a["name"] for a in row["authors"]] for row in found.select("doc_id", "authors").to_dicts()}
    assert authors == {case: expected for case, (_, expected) in PLACED.items()}
