"""Which line of a page is its headline, and which part of that line. All pages are invented."""

from __future__ import annotations

import polars as pl
import pytest

import copydesk
from copydesk.cleaning import PAGE, open_desk, supposed_lines

LEAD = (
    "The council of Marlow voted on Monday to keep the ferry running through the winter, after a week of talks "
    "with the company and three hours of speeches from the public gallery."
)
MORE = (
    "The boat carries about 900 passengers on a weekday, and nobody in the hall could remember a winter without "
    "it. Fares stay as they are until April, the mayor said, and the night boat returns in May."
)
DEUTSCH = (
    "Der Stadtrat von Marlau hat am Montag beschlossen, die Fähre auch im Winter fahren zu lassen, nachdem eine "
    "Woche lang mit der Reederei verhandelt worden war."
)
URL = "https://www.marlow-echo.example/news/"


def page(*top: str, lead: str = LEAD) -> str:
    return "\n\n".join([*top, lead, MORE])


def spans(text: str, url: str | None = None) -> dict[str, list[str]]:
    """The texts of a page's spans by role."""
    found = copydesk.clean(text, url=url).spans
    return dict(found.group_by("role", maintain_order=True).agg("text").iter_rows())


BOXES = (
    "Our app brings the news of the river to your telephone, and tells you when the bridge has to close for a ship.",
    "Readers who subscribe before the summer get the weekend paper for half a year, and a bag to carry it home in.",
    "The print edition of Saturday has the tide tables for the whole year, to cut out and to hang up in the kitchen.",
)
"""Paragraphs of furniture that no rule knows."""
MENU = tuple(
    f"{word} of the river" for word in ("Banks", "Boats", "Bridges", "Fish", "Floods", "Locks", "Mills", "Swans")
)

# what stands above the first paragraph, the address, and the headline
CHOSEN = [
    pytest.param(("Ferry to run all winter", "By Ann Lee"), None, "Ferry to run all winter", id="byline_below"),
    pytest.param(
        ("Harbour affairs", "Ferry to run all winter after council vote",
         "A week of talks with the company ends in the boat being kept for another winter", "By Ann Lee"),
        None, "Ferry to run all winter after council vote", id="between_kicker_and_standfirst",
    ),
    pytest.param(
        ("Home\nNews\nSport\nWeather\nCulture and life", "Sign in or register today", "Ferry to run all winter, council votes",
         "By Ann Lee"),
        None, "Ferry to run all winter, council votes", id="below_a_menu",
    ),
    pytest.param(
        ("Will this be the last winter of the ferry that the council of Marlow talked about for one long week?",
         "By Ann Lee"),
        URL + "will-this-be-the-last-winter-of-the-ferry",
        "Will this be the last winter of the ferry that the council of Marlow talked about for one long week?",
        id="long_question",
    ),
    pytest.param(
        ("Ein Fest für alle Bürger der Stadt", "Größere Fähre für Marlau beschlossen"),
        "https://www.marlau.example/lokales/groessere-faehre-fuer-marlau-beschlossen-12345.html",
        "Größere Fähre für Marlau beschlossen", id="slug_spells_umlauts_with_two_letters",
    ),
    pytest.param(
        ("Et sommerminne fra gamle dager", "Ny ferje får grønt lys på Ærøskøbing"),
        "https://avis.example/ny-ferje-far-gront-lys-pa-aeroskobing/s/5-12-3456", "Ny ferje får grønt lys på Ærøskøbing",
        id="slug_without_accents",
    ),
    pytest.param(
        ("Последние новости города", "Паром будет ходить всю зиму"),
        "https://gazeta.example/%D0%BF%D0%B0%D1%80%D0%BE%D0%BC-%D0%B1%D1%83%D0%B4%D0%B5%D1%82-%D1%85%D0%BE%D0%B4%D0%B8%D1%82%D1%8C",
        "Паром будет ходить всю зиму", id="slug_in_percents",
    ),
    pytest.param(
        ("Marlow Echo > News > Ferry to run all winter", "Ferry to run all winter", "By Ann Lee"),
        None, "Ferry to run all winter", id="stands_again_behind_its_path",
    ),
    pytest.param(
        ("Share this story: Ferry to run all winter after vote", "Ferry to run all winter after vote", "By Ann Lee"),
        None, "Ferry to run all winter after vote", id="stands_again_behind_a_button",
    ),
    pytest.param(
        ("Winter on the river", "A series about the ferry, its crew and the people of Marlow who ride on it every day of the year.",
         "All parts", "Ferry to run all winter after the council's vote"),
        None, "Ferry to run all winter after the council's vote", id="below_the_blurb_of_a_series",
    ),
    pytest.param(
        (*BOXES, "Ferry to run all winter after the council's vote", "By Ann Lee"),
        URL + "ferry-to-run-all-winter", "Ferry to run all winter after the council's vote", id="below_boxes_but_in_the_address",
    ),
    pytest.param(
        ("Ferry stays all winter", "By Ann Lee", *BOXES, "Ferry stays in town", "By Bob Ray"),
        URL + "ferry-stays-all-winter", "Ferry stays all winter", id="a_teaser_with_words_of_the_address",
    ),
    pytest.param(
        ("Marlow Echo", BOXES[0], *MENU, BOXES[1], *MENU, BOXES[2], *MENU, "Ferry to run all winter after the council's vote"),
        URL + "ferry-to-run-all-winter", "Ferry to run all winter after the council's vote", id="among_menus_without_a_byline",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("top", "url", "headline"), CHOSEN)
def test_the_headline_is_chosen(top: tuple[str, ...], url: str | None, headline: str) -> None:
    assert spans(page(*top), url)["headline"] == [headline]


@pytest.mark.parametrize("menu, above", [(MENU, "box"), (MENU[:4], "article")])
def test_what_stands_far_above_the_headline_is_no_article(menu: tuple[str, ...], above: str) -> None:
    text = page("Marlow Echo", BOXES[0], *menu, "Ferry to run all winter after the council's vote", "Ann Lee", "Ports")
    row = dict.fromkeys(PAGE) | {"doc_id": "page", "url": URL + "ferry-to-run-all-winter", "text": text, "problems": []}
    lines = supposed_lines(pl.DataFrame([row], schema=PAGE).with_row_index("page"), open_desk()).lines
    first = BOXES[0] if above == "article" else LEAD
    assert lines.filter(pl.col("line") == pl.col("first_prose"))["text"].item() == first
    assert lines.filter(pl.col("text") == "Ann Lee")["in_head"].item() == (above == "box")


def test_a_page_without_a_title_has_none() -> None:
    assert "headline" not in spans(page(), URL + "ferry-to-run-all-winter")


def test_a_paragraph_is_no_headline_whatever_the_address_says() -> None:
    found = spans(page("Ferry news", "By Ann Lee"), URL + "council-of-marlow-voted-on-monday-to-keep-the-ferry-running")
    assert LEAD in found["body"]


# the line, the address, and what stands before, as and behind the headline
CUT = [
    pytest.param("Ferry to run all winter | Marlow Echo", URL, None, "Ferry to run all winter", ("masthead", "| Marlow Echo"),
                 id="outlet_behind_bar"),
    pytest.param("Ferry to run all winter – Marlow Echo", URL, None, "Ferry to run all winter", ("masthead", "– Marlow Echo"),
                 id="outlet_behind_dash"),
    pytest.param("Ferry to run all winter | Opinion", None, None, "Ferry to run all winter", ("section", "| Opinion"),
                 id="section_behind_bar"),
    pytest.param("Ferry to run all winter | Europe | ME | 28.04.2023", None, None, "Ferry to run all winter",
                 ("other", "| Europe | ME | 28.04.2023"), id="several_behind_bars"),
    pytest.param("Harbour | The ferry must run all winter", None, ("kicker", "Harbour |"), "The ferry must run all winter", None,
                 id="kicker_before_bar"),
    pytest.param("Marlow > Harbour > Ferry to run all winter", None, ("navigation", "Marlow > Harbour >"), "Ferry to run all winter", None,
                 id="path"),
    pytest.param(": Ferry to run all winter", None, ("kicker", ":"), "Ferry to run all winter", None, id="mark"),
    pytest.param("[Harbour] Ferry to run all winter", None, ("kicker", "[Harbour]"), "Ferry to run all winter", None, id="brackets"),
    pytest.param('"We will row if we must"Marlow keeps its ferry all winter', None, ("kicker", '"We will row if we must"'),
                 "Marlow keeps its ferry all winter", None, id="quotation"),
    pytest.param("Streit am HafenMarlau behält seine Fähre auch im Winter", URL + "marlau-behaelt-seine-faehre-im-winter-1234",
                 ("kicker", "Streit am Hafen"), "Marlau behält seine Fähre auch im Winter", None, id="glued_before_slug"),
    pytest.param("Streit am Hafen Marlau behält seine Fähre auch im Winter", URL + "marlau-behaelt-seine-faehre-auch-im-winter-1234",
                 ("kicker", "Streit am Hafen"), "Marlau behält seine Fähre auch im Winter", None, id="before_slug"),
    pytest.param("Streit am Hafen: Marlau behält seine Fähre auch im Winter", URL + "marlau-behaelt-seine-faehre-auch-im-winter",
                 ("kicker", "Streit am Hafen:"), "Marlau behält seine Fähre auch im Winter", None, id="colon_before_whole_slug"),
    pytest.param("Hafen : Marlau behält seine Fähre auch im Winter", URL + "marlau-behaelt-seine-faehre-auch-im-winter",
                 ("kicker", "Hafen :"), "Marlau behält seine Fähre auch im Winter", None, id="blank_and_colon_before_whole_slug"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "url", "before", "headline", "behind"), CUT)
def test_what_is_glued_to_a_headline_is_cut_off(
    line: str, url: str | None, before: tuple[str, str] | None, headline: str, behind: tuple[str, str] | None
) -> None:
    cleaned = copydesk.clean(page(line, "By Ann Lee", lead=DEUTSCH if "Hafen" in line else LEAD), url=url)
    first = cleaned.spans.filter(pl.col("line_no") == 0)
    wanted = [before, ("headline", headline), behind]
    assert list(first.select("role", "text").iter_rows()) == [w for w in wanted if w]
    assert cleaned.articles["headline"].item() == headline


# look-alikes: lines that are the headline from end to end
WHOLE = [
    pytest.param("Ferry to run all winter – council votes again", URL, id="dash_without_outlet"),
    pytest.param("Hafen: Marlau behält seine Fähre auch im Winter", URL + "marlau-behaelt-seine-faehre", id="colon_before_part_of_slug"),
    pytest.param("Marlow: ferry to run all winter", URL + "ferry-to-run-all-winter-after-vote", id="colon_before_slug"),
    pytest.param("Why the ferry has to run all winter", URL + "ferry-has-to-run-all-winter", id="small_words_before_slug"),
    pytest.param("Top 10 Reasons to Ride the Winter Ferry", URL + "reasons-to-ride-the-winter-ferry", id="title_case_slug"),
    pytest.param("34 towns with winter ferry boats in 2025", URL + "winter-ferry-boats", id="short_slug"),
    pytest.param("“We will row if we must”, the mayor of Marlow says", None, id="quotation_and_comma"),
    pytest.param("Macron : « nous » et « vous » sur le ferry", None, id="french_quotation_marks"),
    pytest.param("YouTube and TikTok sail with the McDonald ferry", URL + "youtube-and-tiktok-sail-with-mcdonald", id="capitals_in_words"),
    pytest.param("[2025] Ferries that run all winter in Marlow", None, id="year_in_brackets"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "url"), WHOLE)
def test_a_headline_stays_whole(line: str, url: str | None) -> None:
    assert spans(page(line, "By Ann Lee"), url)["headline"] == [line]


def test_the_line_that_holds_the_headline_is_a_repeat() -> None:
    found = spans(page("Marlow Echo > News > Ferry to run all winter", "Ferry to run all winter", "By Ann Lee"))
    assert found["repeat"] == ["Marlow Echo > News > Ferry to run all winter"]
