"""Site memory: what it learns of an invented site, what it must not learn, and how its file is read."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import invented_site as site
import polars as pl
import pytest

from copydesk import clean, clean_pages, open_desk
from copydesk.cleaning import PAGE
from copydesk.learning import entries_of, judged_lines, recurring_lines, tally
from copydesk.memory import Memory, load_memory, write_memory
from copydesk.publishers import load_profiles
from copydesk.rules import RuleError


def frame(rows: list[dict[str, str]]) -> pl.DataFrame:
    pages = [
        {"doc_id": r["id"], "url": r["url"], "source": r["id"], "text": r["text"], "content_hash": "0" * 32, "problems": []}
        for r in rows
    ]
    return pl.DataFrame(pages, schema=PAGE)


def learnt(rows: list[dict[str, str]], earlier: Memory | None = None, batches: int = 1) -> str:
    """The memory of these pages as text, cleaned in so many batches."""
    parts = [tally(clean_pages(frame(rows[n::batches]))) for n in range(batches)]
    lines = pl.concat(parts)
    counts, judged = recurring_lines(lines), judged_lines(earlier)
    of = counts.select("site", "of").unique()
    counts = counts.filter(pl.col("enough") | pl.col("key").is_in(judged["key"].implode()))
    texts = lines.filter(pl.col("key").is_in(counts["key"].implode())).select("key", "text")
    entries = entries_of(counts, texts, of, judged)
    return write_memory(entries, dict(entries.select("site", "of").iter_rows()))


@pytest.fixture(scope="module")
def memory_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("memory") / "memory.toml"
    path.write_text(learnt(site.pages()), "utf-8")
    return path


def lines_of(memory: Memory) -> dict[str, dict[str, Any]]:
    return {row["line"]: row for row in memory.entries.iter_rows(named=True)}


def test_furniture_is_learnt_and_articles_are_not(memory_file: Path) -> None:
    found = lines_of(load_memory(memory_file))
    assert set(found) == {site.NOTICE, site.BOX, "Tides today", "Harbour life", "Moorings for let"}
    assert {row["site"] for row in found.values()} == {site.SITE}
    # eight articles: the revised copy of one counts with it
    assert {(row["pages"], row["of"]) for row in found.values()} == {(8, 8)}
    assert (found[site.NOTICE]["kept"], found[site.NOTICE]["role"]) == (8, "other")
    assert (found["Tides today"]["kept"], found["Tides today"]["role"]) == (0, "navigation")


def test_a_page_with_its_memory(memory_file: Path) -> None:
    text = site.page(1)
    alone = clean(text, url=site.url(1))
    remembered = clean(text, url=site.url(1), desk=open_desk(memory=memory_file))
    before, after = (c.articles.row(0, named=True) for c in (alone, remembered))
    assert site.NOTICE in before["body"] and site.BOX in before["body"]
    body = site.article(site.TOPICS[1])
    assert after["body"] == "\n\n".join([*body[:3], site.REAL, *body[3:]])
    same = ("headline", "authors", "byline_raw", "published_on", "section", "text_hash")
    assert [after[name] for name in same] == [before[name] for name in same]
    assert after["authors"][0]["name"] == "Marta Lindqvist"
    taken = remembered.spans.filter(pl.col("rule") == "site_memory")
    assert {site.NOTICE, site.BOX} <= set(taken["text"])
    assert taken["confidence"].round(3).unique().to_list() == [pytest.approx(0.889)]  # eight pages: 8 / 9
    assert remembered.sites.row(0) == ("page", site.SITE, 5)


def test_other_sites_and_pages_without_one_are_left_alone(memory_file: Path) -> None:
    desk = open_desk(memory=memory_file)
    for url in ("https://other.example/a", None):
        known, plain = clean(site.page(5), url=url, desk=desk), clean(site.page(5), url=url)
        assert known.spans.equals(plain.spans)


@pytest.mark.parametrize("batches", [2, 5])
def test_order_and_batches_do_not_show(memory_file: Path, batches: int) -> None:
    rows = site.pages()
    random.Random(batches).shuffle(rows)
    assert learnt(rows, batches=batches) == memory_file.read_text("utf-8")


def test_copies_of_one_article_teach_nothing() -> None:
    """Twelve revisions, each with another sentence: they are one article, and the site has too few to learn from."""
    rows = [
        {"id": f"v{n}", "url": site.url(0), "text": site.page(0, site.article("ferry", more=f" Version {n} of the bill."))}
        for n in range(12)
    ]
    assert "[[site]]" not in learnt(rows)


def test_a_sentence_inside_articles_needs_more_pages_than_a_notice_below_them() -> None:
    seven = [row for row in site.pages() if row["id"] in {f"p{n}" for n in range(7)}]
    text = learnt(seven)
    assert site.NOTICE in text and site.BOX not in text


def test_a_headline_that_other_pages_link_to_stays_one(memory_file: Path, tmp_path: Path) -> None:
    link = site.HEADLINES[2]
    rows = [row | {"text": f"{row['text']}\n\n{link}"} if row["id"] != "p2" else row for row in site.pages()]
    assert link not in learnt(rows)  # it is the headline of one page
    # and where its page was not there to learn from, the memory has it, but not as what a headline cannot be
    path = tmp_path / "m.toml"
    path.write_text(learnt([row for row in rows if row["id"] != "p2"]), "utf-8")
    assert link in lines_of(load_memory(path))
    page = clean(site.page(2), url=site.url(2), desk=open_desk(memory=path))
    assert page.articles["headline"].item() == link


def test_bylines_dates_and_names_are_never_learnt() -> None:
    rows = [row | {"text": row["text"] + "\n\nMarta Lindqvist\n\n3 May 2024\n\nPhoto: Marta Lindqvist"} for row in site.pages()]
    found = learnt(rows)
    assert site.NOTICE in found
    assert '"Marta Lindqvist"' not in found and '"3 May 2024"' not in found and "Photo" not in found


def test_the_version_names_the_memory(memory_file: Path, tmp_path: Path) -> None:
    plain, desk = open_desk(), open_desk(memory=memory_file)
    changed = tmp_path / "changed.toml"
    changed.write_text(memory_file.read_text("utf-8").replace('role = "navigation"', 'role = "share"', 1), "utf-8")
    versions = {plain.ruleset, desk.ruleset, open_desk(memory=changed).ruleset}
    assert len(versions) == 3
    assert all(version.startswith(plain.ruleset) for version in versions)


def test_what_a_person_judged_counts_and_stays(memory_file: Path, tmp_path: Path) -> None:
    text = memory_file.read_text("utf-8")
    judged = tmp_path / "judged.toml"
    lines = text.splitlines()
    lines = [line.replace('"learnt"', '"rejected"') if site.NOTICE in line else line for line in lines]
    lines = [line.replace('"learnt"', '"accepted"').replace('"other"', '"newsletter"') if site.BOX in line else line for line in lines]
    judged.write_text("\n".join(lines), "utf-8")
    spans = clean(site.page(1), url=site.url(1), desk=open_desk(memory=judged)).spans
    by_text = {row["text"]: (row["role"], row["rule"], row["confidence"]) for row in spans.iter_rows(named=True)}
    assert by_text[site.NOTICE][0] == "body"
    assert by_text[site.BOX] == ("newsletter", "site_memory", 1.0)
    # learnt again from half of the pages: the judged lines stay, with their counts of now
    again = tmp_path / "again.toml"
    again.write_text(learnt(site.pages()[:4], load_memory(judged)), "utf-8")
    found = lines_of(load_memory(again))
    assert (found[site.NOTICE]["status"], found[site.NOTICE]["pages"]) == ("rejected", 4)
    assert (found[site.BOX]["status"], found[site.BOX]["role"], found[site.BOX]["pages"]) == ("accepted", "newsletter", 4)
    # and from pages of another site too, with none
    again.write_text(learnt(site.pages()[-1:], load_memory(judged)), "utf-8")
    assert {row["status"]: row["pages"] for row in lines_of(load_memory(again)).values()} == {"rejected": 0, "accepted": 0}


GOOD = """format = 1
[[site]]
name = "a.example"
pages = 9
lines = [
  { pages = 7, kept = 2, role = "share", status = "learnt", line = "Send this to a friend" },
]
"""


def test_what_is_written_is_read(memory_file: Path, tmp_path: Path) -> None:
    memory = load_memory(memory_file)
    assert write_memory(memory.entries, memory.pages) == memory_file.read_text("utf-8")
    odd = memory.entries.head(1).with_columns(line=pl.lit('a "b" \\ \x07\u200b\u202e\U000e0001 é'))
    path = tmp_path / "odd.toml"
    path.write_text(write_memory(odd, memory.pages), "utf-8")
    assert load_memory(path).entries.equals(odd)
    assert "\u200b" not in path.read_text("utf-8")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("format = 1", "format = 2"), "not a site memory of format 1"),
        (("format = 1", "format = 1\nextra = 2"), "not a site memory of format 1"),
        (("[[site]]", "[[site]"), "not valid TOML"),
        (('name = "a.example"\n', ""), "site 'number 1': a site has `name`, `pages` and `lines`"),
        (("pages = 9", 'pages = "9"'), "site 'a.example': a site has"),
        (("pages = 7", "pages = 10"), "pages at most the site's 9"),
        (("kept = 2", "kept = 8"), "kept is at most pages"),
        (("kept = 2", "kept = true"), "kept is at most pages"),
        (('"share"', '"body"'), "role 'body' is none of"),
        (('"learnt"', '"perhaps"'), "status 'perhaps' is none of ['learnt', 'accepted', 'rejected']"),
        (('line = "Send', 'text = "Send'), "a line has"),
        (('"Send this to a friend"', '" "'), "a line has"),
        (("lines = [", 'lines = [{ pages = 1, kept = 0, role = "share", status = "learnt", line = "• SEND this to a friend" },'), "stands twice"),
        (("[[site]]", '[[site]]\nname = "a.example"\npages = 1\nlines = []\n[[site]]'), "stands twice"),
    ],
)
def test_a_bad_memory_names_its_file_and_the_cure(tmp_path: Path, change: tuple[str, str], said: str) -> None:
    assert change[0] in GOOD
    (tmp_path / "m.toml").write_text(GOOD, "utf-8")
    load_memory(tmp_path / "m.toml")
    (tmp_path / "m.toml").write_text(GOOD.replace(*change), "utf-8")
    with pytest.raises(RuleError) as error:
        load_memory(tmp_path / "m.toml")
    assert str(error.value).startswith("m.toml: ")
    assert said in str(error.value)


PROFILE = """name = "The Harbour Times"
why = "a test"
domains = ["harbourtimes.example"]
furniture = [{ line = "Moorings for let", role = "advert" }]
"""
MORE = f"""name = "The Harbour Times"
why = "what we accepted"
furniture = [{{ line = "{site.NOTICE}", role = "other" }}]
"""


def test_a_profile_acts_without_a_memory_and_goes_before_it(memory_file: Path, tmp_path: Path) -> None:
    (tmp_path / "times.toml").write_text(PROFILE, "utf-8")
    (tmp_path / "times_more.toml").write_text(MORE, "utf-8")
    for memory in (None, memory_file):
        desk = open_desk(publishers=[tmp_path], memory=memory)
        page = clean(site.page(1), url=site.url(1), desk=desk)
        assert page.articles["publisher"].item() == "The Harbour Times"
        rules = {row["text"]: (row["role"], row["rule"]) for row in page.spans.iter_rows(named=True)}
        assert rules["Moorings for let"] == ("advert", "publisher_furniture")
        assert rules[site.NOTICE] == ("other", "publisher_furniture")
        assert rules[site.BOX][1] == ("site_memory" if memory else "paragraph")
        assert page.sites["remembered"].item() == (5 if memory else 0)


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"b.toml": MORE}, "b.toml: no profile is named 'The Harbour Times'"),
        ({"a.toml": PROFILE.replace('"advert"', '"body"')}, "a.toml: furniture 'Moorings for let': role 'body' is none of"),
        ({"a.toml": PROFILE.replace("line =", "text =")}, "a.toml: furniture {'text'"),
        ({"a.toml": PROFILE.replace("}]", '}, { line = "Moorings for let", role = "other" }]')}, "stands twice"),
        ({"a.toml": PROFILE.replace("[{", "{").replace("}]", "}").replace("role", "rolle")}, "a.toml: furniture"),
    ],
)
def test_bad_furniture_names_its_file(tmp_path: Path, files: dict[str, str], said: str) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text, "utf-8")
    with pytest.raises(RuleError) as error:
        load_profiles([tmp_path])
    assert said in str(error.value)
