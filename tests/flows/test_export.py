"""`copydesk export`: what was published, as JSON that other tools read."""

from __future__ import annotations

import gzip
import io
import json
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest

from flows.errors import UsageError
from flows.export import as_document, as_news_article, export
from schemas.examples import EXAMPLES

ARTICLE = EXAMPLES["articles"]
NOTHING: dict[str, Any] = {n: [] if isinstance(v, list) else None for n, v in ARTICLE.items()} | {"doc_id": "a", "body": "B."}


def test_a_document_for_corpus_tools() -> None:
    document = as_document(ARTICLE)
    assert list(document) == ["id", "text", "metadata"]
    assert (document["id"], document["text"]) == (ARTICLE["doc_id"], ARTICLE["body"])
    assert document["metadata"].keys() == ARTICLE.keys() - {"doc_id", "body"}
    assert document["metadata"]["published_at"] == "2019-03-12T08:05:00Z"
    assert document["metadata"]["published_on"] == "2019-03-12"
    assert json.loads(json.dumps(document)) == document
    assert as_document(NOTHING)["metadata"]["url"] is None


def test_a_news_article_of_schema_org() -> None:
    said = as_news_article(ARTICLE)
    assert json.loads(json.dumps(said)) == said
    assert said == {
        "@context": "https://schema.org",
        "@type": "NewsArticle",
        "identifier": "2019/night-bus.txt",
        "url": "https://hani.example/night-bus",
        "headline": "Night bus drivers vote to keep the line",
        "description": "A trial of three months is in its third year.",
        "author": [{"@type": "Person", "name": "Cho Dan-bi", "jobTitle": "staff reporter", "email": "danbi@hani.example"}],
        "datePublished": "2019-03-12T08:05:00Z",
        "dateModified": "2019-03-12T08:41:00Z",
        "dateline": "GUREUM, March 12 (Yonhap)",
        "articleSection": "National",
        "keywords": ["transport", "night buses"],
        "publisher": {"@type": "Organization", "name": "The Hankyoreh"},
        "inLanguage": "en",
        "image": [{"@type": "ImageObject", "caption": "The N7 waits at Gureumjae Station.", "creditText": "Nam Bo-ram/The Hankyoreh"}],
        "wordCount": 19,
        "articleBody": ARTICLE["body"],
    }  # fmt: skip


def test_what_is_not_known_is_left_out_and_a_day_stays_a_day() -> None:
    assert as_news_article(NOTHING) == {
        "@context": "https://schema.org", "@type": "NewsArticle", "identifier": "a", "articleBody": "B.",
    }  # fmt: skip
    assert as_news_article(ARTICLE | {"published_at": None})["datePublished"] == "2019-03-12"
    agency = {"name": "Yonhap", "kind": "agency", "role": None, "email": None, "affiliation": None}
    assert as_news_article(ARTICLE | {"authors": [agency]})["author"] == [{"@type": "Organization", "name": "Yonhap"}]


def read(path: Path) -> list[dict[str, Any]]:
    raw = path.read_bytes()
    if path.suffix == ".gz":
        raw = gzip.decompress(raw)
    if path.suffix == ".zst":
        with pa.CompressedInputStream(pa.BufferReader(raw), "zstd") as stream:
            raw = stream.read()
    return [json.loads(line) for line in raw.decode("utf-8").splitlines()]


@pytest.mark.server
@pytest.mark.parametrize("ending", ["", ".gz", ".zst"])
def test_every_article_is_there_however_it_is_packed(
    ending: str, seeds_published: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    output = seeds_published[0]
    articles = pl.read_parquet(output / "articles")
    target = tmp_path / f"articles.jsonl{ending}"
    assert export(output, str(target), "jsonl") == len(articles)
    rows = read(target)
    assert [r["id"] for r in rows] == articles["doc_id"].to_list()
    assert [r["text"] for r in rows] == articles["body"].to_list()
    first = target.read_bytes()
    export(output, str(target), "jsonl")
    assert target.read_bytes() == first
    assert [p.name for p in tmp_path.iterdir()] == [target.name]
    export(output, str(target), "json-ld")
    assert {r["@type"] for r in read(target)} == {"NewsArticle"}


@pytest.mark.server
def test_without_copies(seeds_published: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    output = seeds_published[0]
    copies = set(pl.read_parquet(output / "duplicates")["doc_id"])
    export(output, str(tmp_path / "a.jsonl"), "jsonl", unique=True)
    assert {r["id"] for r in read(tmp_path / "a.jsonl")} == set(pl.read_parquet(output / "articles")["doc_id"]) - copies
    assert copies


@pytest.mark.server
def test_a_batch_at_a_time_to_standard_output(
    seeds_published: tuple[Path, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    said = io.TextIOWrapper(io.BytesIO())
    monkeypatch.setattr(sys, "stdout", said)
    monkeypatch.setattr("flows.export.BATCH_ROWS", 7)
    count = export(seeds_published[0], "-", "jsonl")
    lines = said.buffer.getvalue().splitlines()  # type: ignore[attr-defined]
    assert len({json.loads(line)["id"] for line in lines}) == len(lines) == count


@pytest.mark.server
def test_where_nothing_may_be_written(output: Path, tmp_path: Path) -> None:
    for target, line in (
        (tmp_path, "is a folder; name a file"),
        (tmp_path / "no" / "a.jsonl", "no such folder"),
        (output / "articles" / "a.jsonl", "lies among the published datasets"),
    ):
        with pytest.raises(UsageError, match=line):
            export(output, str(target), "jsonl")
    with pytest.raises(UsageError, match="no form 'csv'; there are jsonl, json-ld"):
        export(output, "-", "csv")
    with pytest.raises(UsageError, match="is no output of copydesk"):
        export(tmp_path, "-", "jsonl")
    (output / "articles").resolve().joinpath("broken.parquet").write_bytes(b"PAR1")
    (tmp_path / "kept.jsonl").write_text("before")
    with pytest.raises(Exception, match=r"broken|[Pp]arquet"):
        export(output, str(tmp_path / "kept.jsonl"), "jsonl")
    assert (tmp_path / "kept.jsonl").read_text() == "before"
    assert sorted(p.name for p in tmp_path.glob(".kept*")) == []
