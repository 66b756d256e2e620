"""What a page's HTML says of itself: every page here is invented."""

import datetime as dt
import json
import time

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from copydesk.json_ld import REPAIRS, read_block
from copydesk.metadata import METADATA, Metadata, metadata_frame, read_metadata
from copydesk.said import Name, read_address, read_date, read_language, read_names, read_text

URL = "https://www.harbourtimes.example/news/2024/05/01/ferry-fares"
TITLE = "Ferry fares rise by a tenth"
ARTICLE = {"@type": "NewsArticle", "headline": TITLE, "url": URL, "datePublished": "2024-05-01T10:00:00+01:00"}


def ld(*values: object) -> str:
    return "".join(
        f'<script type="application/ld+json">{v if isinstance(v, str) else json.dumps(v)}</script>' for v in values
    )


def read(html: str, url: str | None = URL, fetched: dt.datetime | None = None) -> Metadata:
    return read_metadata(LexborHTMLParser(html), url, fetched=fetched)


def names(said: Metadata) -> list[tuple[str, str]]:
    return [(a.name, a.kind) for a in said.authors[0].authors] if said.authors else []


def test_a_page_with_everything() -> None:
    said = read(
        '<html lang="en_GB"><head><title>Ferry fares rise by a tenth | The Harbour Times</title>'
        '<meta property="og:title" content="Ferry fares rise by a tenth | The Harbour Times">'
        '<meta property="og:site_name" content="The Harbour Times"><meta property="og:type" content="article">'
        '<meta name="description" content="Fish &amp;amp; chips &lt;b&gt;dearer&lt;/b&gt;">'
        '<link rel="canonical" href="/news/2024/05/01/ferry-fares">'
        + ld(
            {
                "@context": "https://schema.org",
                **ARTICLE,
                "@type": "https://schema.org/ReportageNewsArticle",
                "author": [{"@type": "Person", "name": "Ann Lee", "jobTitle": "Transport editor"}],
                "dateModified": "2024-05-01T11:30:00Z",
                "articleSection": ["Transport", "News"],
                "keywords": "ferries, fares,Ferries",
                "isAccessibleForFree": "False",
                "articleBody": "<p>Fares rise.</p><p>It&#8217;s a tenth.</p>" + "<p>So it goes on the island.</p>" * 30,
                "image": {"@type": "ImageObject", "caption": "The ferry at the quay."},
            }
        )
    )
    assert said.kind[0].text == "ReportageNewsArticle"
    assert said.headline[0] == (TITLE, "json-ld", "json-ld")
    assert {h.text for h in said.headline} == {TITLE}
    assert {t.text for t in said.titles} == {TITLE, f"{TITLE} | The Harbour Times"}
    assert said.description[0].text == "Fish & chips dearer"
    assert names(said) == [("Ann Lee", "person")]
    assert said.authors[0].authors[0].role == "Transport editor"
    assert str(said.published[0].at) == "2024-05-01 10:00:00+01:00"
    assert (said.published[0].on, said.published[0].zone) == (dt.date(2024, 5, 1), "+01:00")
    assert said.modified[0].zone == "Z"
    assert said.section[0].text == "Transport"
    assert [t.text for t in said.tags] == ["ferries", "fares"]
    assert said.language[0].text == "en-GB"
    assert said.canonical[0].text == "https://www.harbourtimes.example/news/2024/05/01/ferry-fares"
    assert said.site_name[0].text == "The Harbour Times"
    assert said.free is False
    assert said.captions == ("The ferry at the quay.",)
    assert said.body is not None and said.body.startswith("Fares rise.\nIt’s a tenth.\nSo it") and said.body_whole
    assert said.conflicts == () and said.notes == ()


@pytest.mark.parametrize(
    "values",
    [
        [[{"@type": "WebSite", "name": "x"}, {**ARTICLE, "author": "Ann Lee"}]],
        [
            {
                "@graph": [
                    {"@type": "Organization"},
                    {**ARTICLE, "author": {"@id": "#a"}},
                    {"@id": "#a", "@type": "Person", "name": "Ann Lee"},
                ]
            }
        ],
        [{"@type": "WebPage", "mainEntity": {**ARTICLE, "author": {"name": ["Ann Lee"]}}}],
        [{"@type": ["Thing", "NewsArticle"], "headline": TITLE, "author": [["Ann Lee"]]}],
        [{"headline": TITLE, "author": {"givenName": "Ann", "familyName": "Lee"}}],
        # the page's own among others: by its address, by its headline
        [
            {**ARTICLE, "url": "https://b.example/1", "headline": "Quite another story", "author": "Bob Ray"},
            {**ARTICLE, "author": "Ann Lee"},
        ],
        [
            {"@type": "BlogPosting", "headline": "Quite another story", "author": "Bob Ray"},
            {"@type": "Article", "headline": TITLE, "author": "Ann Lee"},
        ],
        # related stories are not looked at
        [
            {"@type": "ItemList", "itemListElement": [{**ARTICLE, "author": "Bob Ray"}]},
            {**ARTICLE, "author": "Ann Lee"},
        ],
        ['{"broken": "he said "no" to it"}', {**ARTICLE, "author": "Ann Lee"}],
    ],
)
def test_the_pages_own_object_is_found(values: list[object]) -> None:
    assert names(read(f"<h1>{TITLE}</h1>" + ld(*values))) == [("Ann Lee", "person")]


def test_an_article_whose_address_and_headline_are_anothers_is_not_the_pages() -> None:
    other = {
        "@type": "NewsArticle",
        "headline": "Quite another story",
        "url": "https://b.example/1",
        "author": "Bob Ray",
    }
    assert read(f"<h1>{TITLE}</h1>" + ld(other)).authors == ()


@pytest.mark.parametrize("repair", REPAIRS, ids=lambda r: r.name)
def test_each_repair_mends_its_example(repair) -> None:
    with pytest.raises(ValueError):
        json.loads(repair.example)
    values, notes = read_block(repair.example)
    assert values == [repair.mended]
    assert notes == (f"json-ld mended: {repair.name}",)


def test_repairs_leave_strings_alone() -> None:
    values, _ = read_block(r'{"a": "x,] ,, } { : , \' \" // <!-- ", "b": [1,],}')
    assert values == [{"a": "x,] ,, } { : , ' \" // <!-- ", "b": [1]}]


@pytest.mark.parametrize(
    ("text", "values", "notes"),
    [
        ('{"a": "two\nlines\tand a tab"}', [{"a": "two\nlines\tand a tab"}], ()),
        ('{"a": 1}{"b": 2}', [{"a": 1}, {"b": 2}], ()),
        ('{"a": 1} }', [{"a": 1}], ()),
        ("", [], ()),
        ("<p>no</p>", [], ("json-ld broken",)),
        ('{"a": "he said "no""}', [], ("json-ld broken",)),
        ("[" * 10_000, [], ("json-ld broken",)),
        ('{"a":' * 10_000 + "1" + "}" * 10_000, [], ("json-ld broken",)),
    ],
)
def test_blocks(text: str, values: list[object], notes: tuple[str, ...]) -> None:
    assert read_block(text) == (values, notes)


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (["By Ann Lee and Bob Ray"], [("Ann Lee", "person"), ("Bob Ray", "person")]),
        (["Ann Lee;Bob Ray"], [("Ann Lee", "person"), ("Bob Ray", "person")]),
        (["Ann Lee", "ann lee"], [("Ann Lee", "person")]),
        (["ann@harbourtimes.example"], []),
        (["https://harbourtimes.example/profile/ann-lee", "/authors/ann"], []),
        (["admin"], [("admin", "staff")]),
        (["Reuters"], [("Reuters", "agency")]),
        (["The Harbour Times"], [("The Harbour Times", "agency")]),
        (["Harbour Times Desk"], [("Harbour Times Desk", "agency")]),
        (["The Harbour Times", "Ann Lee"], [("Ann Lee", "person")]),
        (["harbourtimes.example"], [("harbourtimes.example", "agency")]),
        (["jsmith88"], [("jsmith88", "person")]),
        (["null", "{{author}}", "", "  ", "42"], []),
        (["News"], []),
        (["김민수 기자"], [("김민수", "person")]),
    ],
)
def test_names(given: list[str], found: list[tuple[str, str]]) -> None:
    read = read_names([Name(n) for n in given], {"the harbour times", "harbour times", "harbourtimes example"})
    assert [(a.name, a.kind) for a in read] == found


@pytest.mark.parametrize(
    ("host", "author", "kind"),
    [
        ("theislandherald", "The Island Herald", "agency"),
        ("islandherald", "The Island Herald", "agency"),
        ("islandherald", "Island Herald", "agency"),
        ("hcmp", "Harbour City Morning Post", "agency"),
        ("islandherald", "Ann Lee", "person"),
        ("al", "Ann Lee", "person"),  # two initials are no outlet's
    ],
)
def test_the_outlet_is_no_person_though_only_its_host_names_it(host: str, author: str, kind: str) -> None:
    said = read_metadata(LexborHTMLParser(ld({**ARTICLE, "author": author, "publisher": None})), f"https://www.{host}.example/a")
    assert [(a.name, a.kind) for a in said.authors[0].authors] == [(author, kind)]


@pytest.mark.parametrize(
    ("creators", "names"),
    [
        (["Lee, Ann", "Ray, Bob B."], ["Ann Lee", "Bob B. Ray"]),
        (["Ann Lee, Bob Ray"], ["Ann Lee", "Bob Ray"]),
    ],
)
def test_libraries_put_the_last_name_first(creators: list[str], names: list[str]) -> None:
    said = read("".join(f'<meta name="dc.creator" content="{name}">' for name in creators))
    assert [a.name for a in said.authors[0].authors] == names


def test_sources_that_share_a_part_of_a_name_do_not_differ() -> None:
    meta = '<meta name="author" content="A. Lee">'
    assert "authors" not in read(meta + ld({**ARTICLE, "author": "Ann Lee"})).conflicts
    assert "authors" in read(meta.replace("A. Lee", "Bob Ray") + ld({**ARTICLE, "author": "Ann Lee"})).conflicts


def test_an_organization_that_stands_as_author_is_typed_as_such() -> None:
    author = {"@type": "NewsMediaOrganization", "name": "Island Wire"}
    assert names(read(ld({**ARTICLE, "author": author}))) == [("Island Wire", "agency")]


def test_a_source_that_names_a_person_is_believed_before_one_that_names_the_house() -> None:
    said = read(
        '<meta name="author" content="Ann Lee">'
        + ld({**ARTICLE, "author": {"@type": "Organization", "name": "Island Wire"}})
    )
    assert names(said) == [("Ann Lee", "person")]
    assert said.authors[1].source == "json-ld"


@pytest.mark.parametrize(
    ("raw", "on", "clock", "zone"),
    [
        ("2024-05-01T10:00:00+09:00", "2024-05-01", "10:00:00", "+09:00"),
        ("2024-05-01T10:00:00-0430", "2024-05-01", "10:00:00", "-04:30"),
        ("2024-05-01T10:00Z", "2024-05-01", "10:00:00", "Z"),
        ("2024-05-01T10:00:00.123456789Z", "2024-05-01", "10:00:00", "Z"),
        ("20240501T100000Z", "2024-05-01", "10:00:00", "Z"),
        ("2024-05-01 10:00:00", "2024-05-01", "10:00:00", None),
        ("2024-05-01", "2024-05-01", None, None),
        # midnight is how systems write a day
        ("2024-05-01T00:00:00Z", "2024-05-01", None, None),
        ("1714557600", "2024-05-01", "10:00:00", "Z"),
        ("1714557600000", "2024-05-01", "10:00:00", "Z"),
        ("Wed, 01 May 2024 10:00:00 GMT", "2024-05-01", "10:00:00", "GMT"),
        ("May 1, 2024 10:00 am", "2024-05-01", "10:00:00", None),
    ],
)
def test_dates(raw: str, on: str, clock: str | None, zone: str | None) -> None:
    date = read_date(raw, "meta", "date")
    assert date is not None
    assert (str(date.on), date.time and str(date.time), date.zone) == (on, clock, zone)
    assert (date.at is None) == (zone is None or zone == "GMT")


@pytest.mark.parametrize(
    "raw",
    [
        "1970-01-01T00:00:00Z",
        "0001-01-01T00:00:00",
        "9999-12-31",
        "soon",
        "",
        "2024",
        "2024-13-45",
        None,
        0,
        -1,
        10**30,
        [],
        {},
    ],
)
def test_what_is_no_date(raw: object) -> None:
    assert read_date(raw, "meta", "date") is None


def test_a_date_behind_the_fetch_is_ignored() -> None:
    fetched = dt.datetime(2024, 4, 1, tzinfo=dt.UTC)
    assert read(ld(ARTICLE), fetched=fetched).published == ()
    assert read(ld(ARTICLE), fetched=fetched.replace(month=5)).published


def test_the_closest_of_equal_dates_comes_first() -> None:
    said = read(
        '<meta name="date" content="2024-05-01T10:00:00+01:00">'
        + ld({**ARTICLE, "datePublished": "2024-05-01 10:00:00"})
    )
    assert [d.slot for d in said.published] == ["date", "json-ld"]
    said = read(
        '<meta name="date" content="2024-05-02T10:00:00+01:00">' + ld({**ARTICLE, "datePublished": "2024-05-01"})
    )
    assert [d.slot for d in said.published] == ["json-ld", "date"]


def test_disagreement_is_kept() -> None:
    said = read(
        '<html lang="en"><meta property="og:locale" content="de_DE"><meta name="author" content="Bob Ray">'
        '<meta property="article:published_time" content="2021-01-01T10:00:00Z"><meta property="og:title" content="Harbour museum opens">'
        + ld({**ARTICLE, "author": "Ann Lee"})
    )
    assert said.conflicts == ("headline", "authors", "published", "language")
    assert [d.on.year for d in said.published] == [2024, 2021]
    assert [names for s in said.authors for names in s.raw] == ["Ann Lee", "Bob Ray"]


def test_meta_elements() -> None:
    said = read(
        '<meta name="Parsely-Author" content="Ann Lee"><meta name="sailthru.date" content="2024-05-01T10:00:00Z">'
        '<meta property="ARTICLE:SECTION" content="Transport"><meta name="news_keywords" content="ferries;fares">'
        '<meta http-equiv="Content-Language" content="ko"><meta name="twitter:title" content="Ferry fares rise">'
    )
    assert names(said) == [("Ann Lee", "person")]
    assert said.published[0][6:] == ("meta", "sailthru.date")
    assert said.section[0] == ("Transport", "opengraph", "article:section")
    assert [t.text for t in said.tags] == ["ferries", "fares"]
    assert said.language[0].text == "ko"
    assert said.headline[0].text == "Ferry fares rise"


@pytest.mark.parametrize("name", ["published", "w-published-date", "publication_date"])
def test_a_day_as_people_write_it(name: str) -> None:
    said = read(f'<meta name="{name}" content="May 1, 2024">')
    assert [(d.on, d.slot) for d in said.published] == [(dt.date(2024, 5, 1), name)]


def test_labels() -> None:
    said = read(
        '<meta name="twitter:label1" content="Written by"><meta name="twitter:data1" content="Ann Lee">'
        '<meta name="twitter:label2" content="Est. reading time"><meta name="twitter:data2" content="3 minutes">'
    )
    assert names(said) == [("Ann Lee", "person")]


@pytest.mark.parametrize(
    "name",
    [
        "label",
        "time",
        "h1",
        "title",
        "json-ld",
        "microdata",
        "rel author",
        "html lang",
        "twitter:data",
        "twitter:labels",
    ],
)
def test_meta_elements_that_are_called_like_another_slot(name: str) -> None:
    assert read(f'<meta name="{name}" content="Ann Lee">').authors == ()


def test_citations_have_the_last_name_first() -> None:
    said = read('<meta name="citation_author" content="Lee, Ann"><meta name="citation_author" content="Ray, Bob">')
    assert names(said) == [("Ann Lee", "person"), ("Bob Ray", "person")]


MICRODATA = """
<div itemscope itemtype="http://schema.org/NewsArticle"><h1 itemprop="name headline">Ferry fares rise by a tenth</h1>
<span itemprop="author" itemscope itemtype="https://schema.org/Person">By <b itemprop="name">Ann Lee</b></span>
<meta itemprop="datePublished" content="2024-05-01T10:00:00+01:00">
<div itemprop="comment" itemscope itemtype="https://schema.org/Comment"><span itemprop="author">Bob Ray</span></div></div>
<div itemscope itemtype="http://schema.org/NewsArticle"><span itemprop="author">Zoe Kim</span></div>
"""


def test_microdata_of_the_first_article() -> None:
    said = read(MICRODATA)
    assert names(said) == [("Ann Lee", "person")]
    assert len(said.authors) == 1
    assert said.headline[0] == (TITLE, "microdata", "microdata")
    assert said.published[0].source == "microdata"
    assert said.kind[0].text == "NewsArticle"


def test_time_and_links_near_the_headline() -> None:
    said = read(
        '<nav><time datetime="2020-01-01">1 January</time></nav><h1>Ferry fares rise</h1>'
        '<time class="updated" datetime="2024-05-02T10:00:00Z">x</time><time datetime="2024-05-01T10:00:00Z">x</time>'
        '<a rel="nofollow author" href="/ann">Ann Lee</a>'
    )
    assert (said.published[0].on.day, said.modified[0].on.day) == (1, 2)
    assert said.published[0].source == "time"
    assert said.authors[0][0] == ("Ann Lee",) and said.authors[0].source == "link"


@pytest.mark.parametrize(
    ("titles", "headline"),
    [
        (["Ferry fares rise - The Harbour Times"], "Ferry fares rise"),
        (["The Harbour Times: what it was", "x"], "The Harbour Times: what it was"),
        (["Ferry fares rise | Transport | Region", "Ferry fares rise"], "Ferry fares rise"),
        (["Ferry fares – a rise", "Harbour museum"], "Ferry fares – a rise"),
        (["harbourtimes.example | Ferry fares rise"], "Ferry fares rise"),
        (["The Harbour Times"], "The Harbour Times"),
    ],
)
def test_titles_without_the_site(titles: list[str], headline: str) -> None:
    html = '<meta property="og:site_name" content="The Harbour Times">'
    html += "".join(f'<meta property="og:title" content="{t}">' for t in titles)
    assert read(html).headline[0].text == headline


def test_of_several_headings_the_one_like_the_title() -> None:
    said = read("<title>Ferry fares rise by a tenth in May</title><h1>Menu</h1><h1>Ferry fares rise by a tenth</h1>")
    assert said.headline[0].text == TITLE


@pytest.mark.parametrize(
    ("href", "address"),
    [
        ("javascript:alert(1)", None), ("data:text/html,x", None), ("mailto:a@b.example", None), ("ftp://a.example/", None),
        ("", None), ("http://[", None), ("https://", None), ("https:///x", None), ("a b", None), ("x" * 3_000, None),
        ("//cdn.example/a", "https://cdn.example/a"), ("?a=1", URL + "?a=1"), ("HTTPS://a.example/B", "HTTPS://a.example/B"),
        (" https://a.example/ ", "https://a.example/"), ("java\nscript:alert(1)", None),
    ],
)  # fmt: skip
def test_addresses(href: str, address: str | None) -> None:
    assert read_address(href, URL) == address


@pytest.mark.parametrize(
    ("value", "tag"),
    [
        ("en-us", "en-US"),
        ("DE_de.UTF-8", "de-DE"),
        ("zh_Hant_TW", "zh-Hant-TW"),
        ("Deutsch", None),
        ("", None),
        ("x" * 99, None),
        ("und", None),
        (5, None),
    ],
)
def test_languages(value: object, tag: str | None) -> None:
    assert read_language(value) == tag


def test_texts_hold_nothing_that_arrow_refuses() -> None:
    assert read_text("a\x00b\ud800c\ufeff\u200b \n d") == "abc d"
    assert read_text("a < b > c") == "a < b > c"
    assert read_text("<p>a</p><p>b</p>", lines=True) == "a\nb"
    assert read_text("&lt;b&gt;a&lt;/b&gt;") == "a"


def big(html: str) -> Metadata:
    """Reads a page that is out to hurt, in little time."""
    tree = LexborHTMLParser(html)
    start = time.process_time()
    said = read_metadata(tree, URL)
    assert time.process_time() - start < 2
    metadata_frame([said])
    return said


@pytest.mark.parametrize(
    "html",
    [
        ld({**ARTICLE, "articleBody": "word " * 1_000_000}),
        ld("[" * 100_000), ld('{"a":' * 10_000 + "1" + "}" * 10_000), ld('{"@graph":[' * 900 + "]}" * 900),
        ld('{"a": "' + "\\" * 900_000), ld('{"a": ' + '"b" ' * 200_000), ld("{" + "," * 900_000), ld("// " * 300_000),
        ld(*[ARTICLE] * 2_000),
        ld({**ARTICLE, "author": [{"@type": "Person", "name": f"Ann Lee{n}"} for n in range(1_000)]}),
        ld({**ARTICLE, "author": [[f"Ann Lee{n}"] * 300 for n in range(300)]}),
        ld({**ARTICLE, "author": {"name": "Ann, Bob; " * 100_000}}),
        ld({**ARTICLE, "keywords": ["a,b,c" * 10_000] * 1_000, "headline": "| " * 100_000}),
        ld({**ARTICLE, "headline": "<" * 500_000, "description": "&" * 500_000}),
        ld({**ARTICLE, "articleBody": "<p " * 300_000}), ld({**ARTICLE, "articleBody": "&amp;" * 190_000}),
        '<meta name="author" content="Ann Lee">' * 50_000, '<meta property="og:title" content="' + "x" * 5_000_000 + '">',
        '<meta name="citation_author" content="Lee, Ann">' * 3_000,
        '<div itemscope itemtype="https://schema.org/Article">' * 5_000 + '<p itemprop="author">x' * 5_000,
        '<div itemprop="headline">' * 20_000 + "word " * 200_000, "<h1>" * 20_000 + "word " * 200_000,
        '<time datetime="2024-05-01">' * 50_000, '<a rel="author">Ann Lee</a>' * 50_000, "<title>x" + " | y" * 100_000,
        '<link rel="canonical" href="//' + "a." * 100_000 + '">',
    ],
)  # fmt: skip
def test_nothing_in_a_page_makes_it_slow(html: str) -> None:
    said = big(html)
    assert len(said.body or "") <= 1_000_000
    assert all(len(s.authors) <= 100 for s in said.authors)


SLOTS = [
    "og:title",
    "author",
    "article:published_time",
    "date",
    "keywords",
    "og:locale",
    "og:url",
    "og:site_name",
    "twitter:label1",
    "twitter:data1",
    "citation_author",
    "og:type",
    "article:section",
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["@type", "@id", "name", "@graph", "url"]) | st.text(max_size=5), inner, max_size=4
        )
    ),
    max_leaves=12,
)
KEYS = [
    "@type",
    "headline",
    "author",
    "datePublished",
    "dateModified",
    "articleBody",
    "keywords",
    "url",
    "mainEntityOfPage",
    "image",
    "publisher",
    "inLanguage",
    "isAccessibleForFree",
    "articleSection",
    "description",
]


def escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace('"', "&quot;")


@settings(max_examples=300, deadline=None)
@given(
    metas=st.lists(st.tuples(st.sampled_from(SLOTS), st.text(max_size=60)), max_size=6),
    node=st.dictionaries(st.sampled_from(KEYS), JSON, max_size=8),
    block=st.text(alphabet="{}[]\",:\\'/*<!->;a1 \n\u0000", max_size=40),
    title=st.text(max_size=40),
    url=st.none() | st.text(max_size=30),
)
def test_whatever_stands_there_is_read_without_error_and_alike(metas, node, block, title, url) -> None:
    html = f"<title>{title}</title>" + "".join(f'<meta name="{k}" content="{escaped(v)}">' for k, v in metas)
    html += ld({"@type": "NewsArticle", **node}, block)
    html += f'<div itemprop="author">{title}</div><time datetime="{escaped(title)}"></time><a rel="author">{title}</a>'
    html = html.encode("utf-8", "replace").decode()
    said = read(html, url)
    assert said == read(html, url)
    frame = metadata_frame([said, Metadata()])
    assert frame.schema == pl.Schema(METADATA)
    assert all(
        s.text and len(s.text) <= 5_000
        for s in (*said.headline, *said.titles, *said.description, *said.tags, *said.section)
    )
    assert all(s.text.lower().startswith(("http://", "https://")) for s in said.canonical)
    assert all(d.zone is None or d.time is not None for d in (*said.published, *said.modified))


def test_no_pages_make_an_empty_frame() -> None:
    assert metadata_frame([]).schema == pl.Schema(METADATA)


def test_a_frame_has_the_values() -> None:
    row = metadata_frame([read(MICRODATA)]).row(0, named=True)
    assert row["authors"][0]["authors"][0]["name"] == "Ann Lee"
    assert row["published"][0]["on"] == dt.date(2024, 5, 1)
