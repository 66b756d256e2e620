"""HTML from file to published snapshot: the same article by every door, and the laws hold."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

import copydesk
from flows.readers import ReadOptions, open_source
from flows.shards import clean_shard
from flows.staging import stage

LEAD = "Fares on the island ferry rise by a tenth in May, the harbour council said on Monday after a long debate."
NEXT = "Two of the five members voted against it, among them the mayor, who had asked for a ticket that families can afford."
STATED = {
    "@context": "https://schema.org", "@type": "NewsArticle", "headline": "Ferry fares to rise",
    "datePublished": "2024-05-03T09:15:00+02:00", "author": {"@type": "Person", "name": "Ann Lee"},
}  # fmt: skip


def page(*, stated: dict[str, object] | None, byline: str = "", title: str = "Ferry fares to rise") -> str:
    """An article of two paragraphs, with what it prints and what it states of itself."""
    script = f'<script type="application/ld+json">{json.dumps(stated)}</script>' if stated else ""
    return (
        f"<!doctype html><html lang=en><head><title>{title} | Harbour Post</title>{script}</head><body>"
        f"<nav><a href=/>News</a></nav><article><h1>{title}</h1>{byline}<p>{LEAD}<p>{NEXT}</article>"
        "<footer>© Harbour Post</footer></body></html>"
    )


def articles(folder: Path, source: Path, **options: str) -> pl.DataFrame:
    """Clean a source as a run does, laws and contracts included; returns its articles."""
    for shard in stage(open_source(source, ReadOptions(**options)).batches(), folder / "staged"):
        clean_shard(shard.path, folder)
    return pl.read_parquet(folder / "articles" / "*.parquet")


@pytest.mark.parametrize(
    ("stated", "byline", "authors", "sources"),
    [
        (None, "<p>By Ann Lee, 3 May 2024</p>", ["Ann Lee"], {}),
        (STATED, "", ["Ann Lee"], {"authors": "json-ld", "published": "json-ld"}),
        (STATED, "<p>By Ann Lee</p>", ["Ann Lee"], {"published": "json-ld"}),
        (STATED, "<p>By Ann Lee<p>May 3, 2024 9:15 CEST</p>", ["Ann Lee"], {"published": "json-ld"}),
        (STATED, "<p>By Ann Lee and AFP</p>", ["Ann Lee", "AFP"], {"published": "json-ld"}),
        (STATED | {"author": {"@type": "Organization", "name": "Harbour Post"}}, "<p>By Ann Lee</p>", ["Ann Lee"], {"published": "json-ld"}),
        (
            STATED | {"author": {"@type": "Person", "name": "Bob Ray"}},
            "<p>By Ann Lee</p>", ["Bob Ray"], {"authors": "json-ld", "published": "json-ld"},
        ),
    ],
)  # fmt: skip
def test_what_is_stated_and_what_is_printed(
    stated: dict[str, object] | None, byline: str, authors: list[str], sources: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "ferry.html").write_text(page(stated=stated, byline=byline), "utf-8")
    row = articles(tmp_path, tmp_path / "ferry.html").row(0, named=True)
    assert [a["name"] for a in row["authors"]] == authors
    assert {f["field"]: f["source"] for f in row["from_metadata"]} == sources
    assert str(row["published_on"]) == "2024-05-03"
    assert row["headline"] == "Ferry fares to rise"
    assert row["body"] == f"{LEAD}\n\n{NEXT}"
    assert ("metadata_conflict" in row["warnings"]) == (authors == ["Bob Ray"])
    if stated:
        assert row["published_at"].isoformat() == "2024-05-03T07:15:00+00:00"
        assert row["published_zone_source"] == "metadata"


@pytest.mark.parametrize(
    ("printed", "conflict"),
    [
        ("<p>By Ann Lee<p>May 4, 2024", False),  # a clock elsewhere
        ("<p>By Ann Lee<p>May 9, 2024", True),
        ("<p>By Ann Lee<p>June 1, 2024", False),  # the day of the last change
        ("<p>By Ann Lee and Bob Ray<p>May 3, 2024", False),  # one of them is stated
    ],
)
def test_a_conflict_is_a_real_one(printed: str, conflict: bool) -> None:
    stated = STATED | {"dateModified": "2024-06-01T10:00:00+02:00"}
    found = copydesk.clean(html=page(stated=stated, byline=printed)).articles.row(0, named=True)
    assert ("metadata_conflict" in found["warnings"]) == conflict


@pytest.mark.parametrize(
    ("printed", "title", "headline", "kicker"),
    [
        ("Ferries: Fares to rise by a tenth in May", "Fares to rise by a tenth in May", "Fares to rise by a tenth in May", "Ferries"),
        (
            "Life on the island - Fares to rise by a tenth in May", "Harbour: Fares to rise by a tenth in May",
            "Fares to rise by a tenth in May", "Life on the island",
        ),
        # the same kicker, and no title elsewhere
        ("Ferries: Fares to rise by a tenth in May", "Ferries – Fares to rise by a tenth in May", "Ferries: Fares to rise by a tenth in May", None),
        ("Ferries: Fares to rise by a tenth in May", "Ferry fares", "Ferries: Fares to rise by a tenth in May", None),
    ],
)  # fmt: skip
def test_a_kicker_is_told_by_the_pages_other_title(printed: str, title: str, headline: str, kicker: str | None) -> None:
    html = f"""<html><head><meta property="og:title" content="{title}"></head><body><article><h1>{printed}</h1>
    <p>By Ann Lee</p><p>{LEAD}</p><p>{NEXT}</p></article></body></html>"""
    found = copydesk.clean(html=html).articles.row(0, named=True)
    assert (found["headline"], found["kicker"]) == (headline, kicker)


def test_a_page_of_html_is_the_same_article_by_every_door(tmp_path: Path) -> None:
    html = page(stated=STATED)
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "ferry.html").write_text(html, "utf-8")
    (tmp_path / "pages.jsonl").write_text(json.dumps({"html": html}) + "\n", "utf-8")
    pl.DataFrame({"html": [html]}).write_parquet(tmp_path / "pages.parquet")
    doors = (tmp_path / "a", tmp_path / "pages.jsonl", tmp_path / "pages.parquet")
    rows = [articles(tmp_path / f"{n}", door).drop("doc_id", "source") for n, door in enumerate(doors)]
    assert rows[0].equals(rows[1])
    assert rows[0].equals(rows[2])


def test_a_page_of_html_without_an_article_is_kept_as_it_came(tmp_path: Path) -> None:
    html = "<nav><a href=/>News</a></nav><ul><li><a href=/a>Harbour wall</a></ul>"
    (tmp_path / "front.html").write_text(html, "utf-8")
    for shard in stage(open_source(tmp_path / "front.html", ReadOptions()).batches(), tmp_path / "staged"):
        clean_shard(shard.path, tmp_path)
    kept = pl.read_parquet(tmp_path / "quarantine" / "*.parquet").row(0, named=True)
    assert kept["html"] == html
    assert kept["reasons"]
