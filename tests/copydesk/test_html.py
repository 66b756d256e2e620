"""HTML pages: what lines they become, what their markup settles, and that nothing in them can do harm."""

from __future__ import annotations

import json

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser
from together import frame

import copydesk
from copydesk.cleaning import PAGE as PAGE_COLUMNS
from copydesk.cleaning import open_desk, supposed_lines
from copydesk.html import Rendered, read_html, render, serialised
from copydesk.line_model import all_marks
from copydesk.markup import MARKUP, TAGS

LEAD = "Fares on the island ferry rise by a tenth in May, the harbour council said on Monday evening after a long debate."
NEXT = "Two of the five members voted against it, among them the mayor, who had asked for a ticket that families can afford."
PAGE = f"""<!doctype html><html lang="en"><head><title>Ferry fares rise - Harbour Post</title><style>p {{}}</style></head>
<body class="no-js article-page"><nav><ul><li><a href="/">News</a><li><a href="/sport">Sport</a></ul></nav>
<main><article><h1>Ferry fares rise by a tenth</h1><div class="byline">By <a href="/ann">Ann Lee</a></div>
<time datetime="2024-05-03">3 May 2024</time><div class="share-bar"><button>Share</button><a href="#">Print</a></div>
<div class="article-body"><p>{LEAD}<p>{NEXT}</div>
<aside class="related"><h2>Related stories</h2><ul><li><a href="/a">Harbour wall to be mended</a></ul></aside>
</article></main><footer><p>&copy; 2024 Harbour Post &amp; Co.</p></footer><script>var x = "<p>no</p>";</script></body></html>"""


def lines_of(html: str) -> list[str]:
    """The lines of one page, without those that are blank."""
    text = read_html(pages(html)).pages["text"].item()
    return [line for line in text.split("\n") if line]


def pages(*html: str) -> pl.DataFrame:
    """A frame of pages."""
    columns = {"url": pl.lit(None, pl.String), "fetched_at": pl.lit(None, pl.Datetime("us", "UTC"))}
    return pl.DataFrame({"html": html}, schema={"html": pl.String}).with_columns(**columns).with_row_index("page")


def rendered(*html: str) -> Rendered:
    """Pages as their lines and marks."""
    return render(pages(*(serialised(LexborHTMLParser(h)) for h in html)))


@pytest.mark.parametrize(
    ("html", "lines"),
    [
        ("<p>One</p><p>Two", ["One", "Two"]),
        ("<p>One<br>Two</p>", ["One", "Two"]),
        ("<div>A <b>bold</b> word and <a href=x>a link</a>.</div>", ["A bold word and a link."]),
        ("<ul><li>One<li>Two <i>and</i> more</ul>", ["  • One", "  • Two and more"]),
        ("<p>a &amp;amp; b &lt; c&nbsp;d</p>", ["a &amp; b < c d"]),
        ("<p title='a > b'>Text</p>", ["Text"]),
        ('<p data-x="<p>no</p>">Text</p>', ["Text"]),
        ("<p>One<!-- <p>no</p> --> two</p>", ["One two"]),
        ("<p>One</p><script>if (a < b) {}</script><style>p {}</style><noscript>no</noscript>", ["One"]),
        # a row of a table is a line, but for cells that are there for the layout
        ("<table><tr><th>Team<th>Goals<tr><td>Harbour <b>FC</b><td>2</table>", ["Team Goals", "Harbour FC 2"]),
        ("<table><tr><td><p>Menu</p><td>Text</table>", ["Menu", "Text"]),
        (f"<table><tr><td>Menu<td>{'long ' * 50}end</table>", ["Menu", "long " * 50 + "end"]),
        ("<table><tr><td><table><tr><td>1<td>2</table><td>3</table>", ["1 2", "3"]),
        # white space between two elements, and words that style sheets hold apart
        ("<h1><span>Harbour</span>\n<span>Fares rise</span></h1>", ["Harbour Fares rise"]),
        ("<p>By <a href=x>Ann Lee</a><span>Staff writer</span></p>", ["By Ann Lee Staff writer"]),
        ("<p><b>M</b><i>id</i>-<b>May</b><i>, not June</i></p>", ["Mid-May, not June"]),
        ("no markup at all", ["no markup at all"]),
        ("<p> \n </p>", []),
        ("", []),
    ],
)  # fmt: skip
def test_lines(html: str, lines: list[str]) -> None:
    assert lines_of(html) == lines


def test_marks_of_a_page() -> None:
    texts, marks = rendered(PAGE)
    found = marks.with_columns(text=pl.Series([line for line in texts["text"].item().split("\n") if line]))
    row = {r["text"].strip(" •"): r for r in found.to_dicts()}
    assert TAGS[row["Ferry fares rise by a tenth"]["tag"]] == "h1"
    assert row["By Ann Lee"]["link_percent"] == 70
    assert (row["By Ann Lee"]["in_byline_name"], row["By Ann Lee"]["in_article"]) == (1, 1)
    assert row[LEAD]["parent"] == row[NEXT]["parent"] != row["3 May 2024"]["parent"]
    assert row[LEAD]["element"] != row[NEXT]["element"]
    assert (row[LEAD]["in_body_name"], row[LEAD]["in_paragraph"], row[LEAD]["in_related_name"]) == (1, 1, 0)
    assert (row["Harbour wall to be mended"]["in_related_name"], row["Harbour wall to be mended"]["in_aside"]) == (1, 1)
    assert row["News"]["in_nav"] == 1


def test_a_page_comes_out_as_its_article() -> None:
    cleaned = copydesk.clean(html=PAGE, url="https://post.example/ferry-fares-rise-by-a-tenth")
    article = cleaned.articles.row(0, named=True)
    assert article["headline"] == "Ferry fares rise by a tenth"
    assert article["body"] == f"{LEAD}\n\n{NEXT}"
    assert [a["name"] for a in article["authors"]] == ["Ann Lee"]
    assert str(article["published_on"]) == "2024-05-03"
    ruled = dict(cleaned.spans.select("text", "rule").iter_rows())
    assert ruled["© 2024 Harbour Post & Co."] == "markup_footer"
    assert ruled["• News"] == "markup_nav"


TREE = """<body><header><p>Menu</p></header><div class="story"><div class="text"><p>{lead}</p><p>{next}</p>
<div class="box"><p>In a box</p></div><p>{lead}</p></div><div class="teaser"><p>Another story</p></div></div>
<div><div><div><p>Far away</p></div></div></div></body>"""


def test_marks_of_the_tree() -> None:
    html = TREE.format(lead=LEAD, next=NEXT)
    # the same page before and behind it: each page begins anew
    read = read_html(pages("<p>Short</p>", html, html))
    marks = all_marks(supposed_lines(read.pages, open_desk(), read.lines).lines)
    assert read.lines.filter(page=2)["text"].to_list() == ["Menu", LEAD, NEXT, "In a box", LEAD, "Another story", "Far away"]
    for page in (1, 2):
        found = marks.filter(page=page)
        ups, downs = found["up_from_prose"].to_list(), found["down_from_prose"].to_list()
        # the bulk is where the paragraphs lie: one of them is no step away, the others one up and one down
        at = ups.index(0)
        assert downs[at] == 0
        assert {(ups[n], downs[n]) for n in (1, 2, 4) if n != at} == {(1, 1)}
        assert (ups[3], downs[3]) == (1, 2)
        assert (ups[5], downs[5]) == (2, 2)
        assert ups[0] == ups[6] == 3
        assert [held for n, held in enumerate(found["held_nearer_prose"]) if n in (0, 5, 6)] == [100] * 3


@pytest.mark.parametrize(
    ("stated", "marks"), [(None, [-1, -1, -1]), (f"{LEAD} {LEAD} {LEAD} {LEAD}\n{NEXT} {NEXT}", [0, 1, 1])]
)
def test_what_stands_in_the_article_that_the_page_states(stated: str | None, marks: list[int]) -> None:
    said = {"@type": "NewsArticle", "headline": "Fares rise", "author": "Ann Lee", "articleBody": stated}
    html = f'<script type="application/ld+json">{json.dumps(said)}</script><p>Read this too</p><p>{LEAD}</p><p>{NEXT}</p>'
    assert read_html(pages(html)).lines["stated"].to_list() == marks


def test_every_line_is_looked_at_or_settled() -> None:
    seen, lines, settled, _ = read_html(pages(PAGE))
    assert len(lines) + len(settled) == sum(1 for line in seen["text"].item().split("\n") if line)
    assert set(settled["rule"]) <= {rule.name for rule in MARKUP}


def test_a_page_does_not_depend_on_its_batch() -> None:
    broken = "<div class='related'><p>One</a></b></p>" + '<p "=">Two'
    alone = rendered(PAGE)
    together = rendered(broken, PAGE, broken)
    theirs = together.marks.filter(pl.Series(_pages_of(together)) == 1).drop(NUMBERS)
    assert together.texts["text"][1] == alone.texts["text"][0]
    assert theirs.equals(alone.marks.drop(NUMBERS))


NUMBERS = ["element", "parent", "grandparent", "alike"]
"""Numbers that say which lines share something, and nothing besides."""


def _pages_of(rendered: Rendered) -> list[int]:
    texts = rendered.texts["text"].to_list()
    return [n for n, text in enumerate(texts) for line in text.split("\n") if line]


@pytest.mark.parametrize(
    "html", ["<div>" * 100_000 + "deep", "<p>" + "word " * 2_000_000, "<a href='" + "x" * 3_000_000 + "'>l</a>"]
)
def test_large_pages(html: str) -> None:
    assert lines_of(html)


def test_a_page_that_nests_too_deep_keeps_its_text() -> None:
    html = "".join(f"<div class='x'><b>word{n} " for n in range(20_000)) + "<p>one<p>two</b></div>the end"
    text = " ".join(copydesk.clean(html=html).spans["text"])
    assert text.split() == [*(f"word{n}" for n in range(20_000)), "one", "two", "the", "end"]


def test_mixed_batches_keep_their_order() -> None:
    text = f"Ferry fares rise\n\nBy Ann Lee\n\n{LEAD}\n\n{NEXT}"
    rows = [
        {"doc_id": f"p{n}", "source": f"p{n}", "content_hash": "x", **({"html": PAGE} if n % 2 else {"text": text})}
        for n in range(5)
    ]
    batch = pl.DataFrame(rows, schema=PAGE_COLUMNS)
    cleaned = copydesk.clean_pages(batch)
    assert cleaned.articles["doc_id"].to_list() == [f"p{n}" for n in range(5)]
    assert cleaned.pages == 5


_tag = st.sampled_from(["p", "div", "a", "li", "ul", "nav", "b", "h1", "br", "table", "td", "script", "textarea", "plaintext"])
_piece = st.one_of(
    st.text(max_size=12),
    _tag.map(lambda t: f"<{t}>"),
    _tag.map(lambda t: f"</{t}>"),
    st.tuples(_tag, st.text(max_size=8)).map(lambda p: f'<{p[0]} class="{p[1]}">'),
    st.sampled_from(["<!--", "-->", "<![CDATA[", "]]>", "&lt;", "&#x0;", '<p "', "<p '>'", "\x00"]),
)


@settings(max_examples=6, deadline=None)
@given(st.lists(st.lists(_piece, max_size=30).map("".join), min_size=10, max_size=20))
def test_nothing_in_a_page_breaks_it(drawn: list[str]) -> None:
    pages = frame(drawn, form="html")
    cleaned = copydesk.clean_pages(pages)
    assert sorted([*cleaned.articles["doc_id"], *cleaned.quarantine["doc_id"]]) == sorted(pages["doc_id"])
    spans = dict.fromkeys(pages["doc_id"], "")
    for doc_id, text in cleaned.spans.select("doc_id", "text").iter_rows():
        spans[doc_id] += text
    found, given = (
        pl.Series(texts, dtype=pl.String).str.replace_all(r"\s", "")
        for texts in (list(spans.values()), read_html(pages.with_row_index("page")).pages["text"])
    )
    assert found.to_list() == given.to_list()
    assert found.str.len_chars().sum() == cleaned.characters
