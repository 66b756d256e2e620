"""Every kind of file, told by its content, packed and plain: the same page from every door."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import lzma
import zipfile
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from crawls import FETCHED, HTML, URL, http, record
from reading import checks, digest, read, rows

from flows.errors import UsageError
from flows.readers import ReadOptions, open_source
from flows.readers.kinds import kind_of
from flows.readers.standard_input import _spool

RAW = HTML.encode()
TABLE = pl.DataFrame({"id": ["p"], "html": [HTML], "url": [URL], "at": [FETCHED]})
COLUMNS = ReadOptions(id_column="id", url_column="url", fetched_column="at")
PLACE = {"doc_id", "source", "url", "fetched_at"}


def written(write: Any, *args: Any) -> bytes:
    file = io.BytesIO()
    write(file, *args)
    return file.getvalue()


def zipped(**members: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, raw in members.items():
            archive.writestr(name.replace("__", "."), raw)
    return file.getvalue()


WARC = record(http(RAW), record_id="p")
FILES = {
    "page.html": RAW,
    "page.htm": RAW,
    "page": RAW,
    "page.txt": RAW,
    "pages.jsonl": TABLE.write_ndjson().encode(),
    "pages.json": json.dumps(TABLE.to_dicts(), indent=2).encode(),
    "pages.csv": TABLE.write_csv().encode(),
    "pages.tsv": TABLE.write_csv(separator="\t").encode(),
    "pages.parquet": written(TABLE.write_parquet),
    "pages.feather": written(TABLE.write_ipc),
    "old.arrow": TABLE.write_ipc(None, compat_level=pl.CompatLevel.oldest()).getvalue(),
    "pages.arrows": written(TABLE.write_ipc_stream),
    "crawl.warc": WARC,
    "crawl": WARC,
    "crawl.zip": zipped(page__html=RAW),
    "tables.zip": zipped(pages__parquet=written(TABLE.write_parquet)),
}
PACKED = {
    "": lambda raw: raw,
    ".gz": gzip.compress,
    ".zst": lambda raw: pa.compress(raw, "zstd", asbytes=True),
    ".xz": lzma.compress,
    ".bz2": bz2.compress,
}


@pytest.mark.parametrize("packing", PACKED)
@pytest.mark.parametrize("name", [name for name in FILES if not name.endswith(".zip")])
def test_the_same_page_from_every_door(tmp_path: Path, name: str, packing: str) -> None:
    path = tmp_path / f"{name}{packing}"
    path.write_bytes(PACKED[packing](FILES[name]))
    (page,) = rows(open_source(path, COLUMNS if name.startswith(("pages", "old")) else None))
    assert {k: v for k, v in page.items() if k not in PLACE} == {
        "text": None, "html": HTML, "raw": None, "content_hash": digest(RAW), "encoding": "utf-8", "problems": [],
    }  # fmt: skip
    assert page["doc_id"] == (path.name if name.startswith("page") and "pages" not in name else "p")
    if page["doc_id"] == "p":
        assert (page["url"], page["fetched_at"].isoformat()) == (URL, "2024-05-01T10:00:00+00:00")
        assert page["source"] == "#p"


@pytest.mark.parametrize("name", ["crawl.zip", "tables.zip"])
def test_a_zip_archive(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(FILES[name])
    source = open_source(tmp_path / name, ReadOptions(html_column="html"))
    assert source.describe().startswith(f"{name}: 1 zip archive, ")
    (page,) = rows(source)
    assert (page["html"], page["doc_id"]) == (HTML, "page.html" if name == "crawl.zip" else "pages.parquet:0")
    (page,) = rows(open_source(tmp_path))
    assert page["doc_id"].startswith(f"{name}/page")


@pytest.mark.parametrize("packing", PACKED)
def test_kinds_are_told_by_content_before_names(tmp_path: Path, packing: str) -> None:
    for n, (name, raw) in enumerate(FILES.items()):
        if name.endswith((".csv", ".tsv", ".zip")):
            continue
        (tmp_path / str(n)).write_bytes(PACKED[packing](raw))
    assert {page["html"] for page in rows(open_source(tmp_path))} == {HTML}


@pytest.mark.parametrize(
    ("head", "name", "kind"),
    [
        (b"plain words", "a.txt", "text"),
        (b"plain words", "a", "text"),
        (b"plain words", "a.HTML.gz", "html"),
        (b"<p>a fragment", "a.html", "html"),
        (b"<!-- made by us -->\n<!DOCTYPE HTML>", "a", "html"),
        (b'<?xml version="1.0"?>\n<html xmlns="...">', "a.txt", "html"),
        (b"<head count of the day", "a.txt", "html"),
        (b"<header of a text", "a.txt", "text"),
        (b'{"text": "a"}', "a.txt", "jsonl"),
        (b'{"error": "gone"}', "a.txt", "text"),
        (b'{"body": "a"}', "-", "jsonl"),
        (b'[ {"text": "a"}', "-", "jsonl"),
        (b"id,text\n1,a", "-", "csv"),
        (b"Once, a text began", "-", "text"),
        (b"", "a.jsonl", "jsonl"),
        (b"", "-", "text"),
    ],
)
def test_kind_of(head: bytes, name: str, kind: str) -> None:
    assert kind_of(head, name, ReadOptions()) == kind


def test_patterns(tmp_path: Path) -> None:
    for name in ("crawl/a/1.html.gz", "crawl/a/b/2.html.gz", "crawl/3.txt", "crawl/a/.hidden/4.html.gz"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(RAW))
    assert list(read(Path(f"{tmp_path}/crawl/**/*.html.gz"))) == ["a/1.html.gz", "a/b/2.html.gz"]
    assert list(read(Path(f"{tmp_path}/crawl/3.*"))) == ["3.txt"]
    with pytest.raises(UsageError, match="nothing to read in"):
        open_source(f"{tmp_path}/crawl/*.warc")
    odd = tmp_path / "a[1].txt"
    odd.write_text("words")
    assert list(read(odd)) == ["a[1].txt"]


def test_columns_of_text_and_of_html(tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {"id": ["a", "b", "c", "d"], "text": ["t", None, "t", None], "html": [None, "<p>", "<p>", None]}
    )
    frame.write_parquet(tmp_path / "p.parquet")
    (tmp_path / "p.jsonl").write_text(frame.write_ndjson())
    (tmp_path / "p.csv").write_text(frame.write_csv())
    frame.write_ipc(tmp_path / "p.arrow")
    wanted = {
        (None, None): ["t", "<p>", "t", None],
        ("text", None): ["t", None, "t", None],
        (None, "html"): [None, "<p>", "<p>", None],
        ("text", "html"): ["t", "<p>", "<p>", None],
    }
    for (text, html), contents in wanted.items():
        options = ReadOptions(id_column="id", text_column=text, html_column=html)
        tables = [read(tmp_path / name, options) for name in ("p.parquet", "p.jsonl", "p.csv", "p.arrow")]
        for pages in tables:
            assert [page["html"] or page["text"] for page in pages.values()] == contents
            assert all(page["html"] is None or page["text"] is None for page in pages.values())
            assert [checks(page) for page in pages.values()] == [[] if c else ["no_text"] for c in contents]
        assert tables[0] == tables[1] == tables[3]


def test_a_bad_text_is_no_problem_where_the_html_is_read(tmp_path: Path) -> None:
    pl.DataFrame({"text": ["a\0b"], "html": ["<p>"]}).write_parquet(tmp_path / "p.parquet")
    page = read(tmp_path / "p.parquet", ReadOptions(text_column="text", html_column="html"))["p.parquet:0"]
    assert (page["html"], page["problems"]) == ("<p>", [])


def test_csv(tmp_path: Path) -> None:
    records = [
        ["id", "text", "url"], ["a", 'He said "no",\nand left.', URL], ["b", "", ""], ["c", "x" * 200_000, ""],
        [], ["d", "short"], ["e", "last", ""],
    ]  # fmt: skip
    with (tmp_path / "p.csv").open("w", newline="") as file:
        csv.writer(file, delimiter=";").writerows(records)
    pages = read(tmp_path / "p.csv", ReadOptions(id_column="id", url_column="url"))
    assert {k: (p["text"] or "")[:30] for k, p in pages.items()} == {
        "a": 'He said "no",\nand left.', "b": "", "c": "x" * 30, "p.csv:7": "", "e": "last",
    }  # fmt: skip
    assert pages["a"]["url"] == URL
    assert pages["p.csv:7"]["raw"] == b"d;short"
    assert pages["p.csv:7"]["problems"] == [
        {"check": "broken_csv", "column": "row", "value": "line 7: fields: 2, the header has 3"}
    ]


def test_csv_with_broken_quotes(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_bytes(
        b'id,text\na,one\nb,"open\nc,"two"\nd,"x" y\ne,three\nf,The na\xefve plan was dropped\ng,"never closed\n'
    )
    pages = read(tmp_path / "p.csv", ReadOptions(id_column="id"))
    assert {k: (p["text"], p["raw"], checks(p)) for k, p in pages.items()} == {
        "a": ("one", None, []),
        "p.csv:3": (None, b'b,"open\nc,"two"', ["broken_csv"]),
        "p.csv:5": (None, b'd,"x" y', ["broken_csv"]),
        "e": ("three", None, []),
        "f": ("The naïve plan was dropped", None, []),
        "p.csv:8": (None, b'g,"never closed', ["broken_csv"]),
    }


def test_a_legacy_csv(tmp_path: Path) -> None:
    text = "서울시는 월요일 새로운 교통 대책을 발표했다. 다음 달부터 버스 요금이 오를 것으로 보인다."
    (tmp_path / "p.csv").write_bytes(f"id,text\na,{text}\n".encode("cp949"))
    page = read(tmp_path / "p.csv", ReadOptions(id_column="id"))["a"]
    assert (page["text"], page["encoding"]) == (text, "cp949")


def test_a_json_list(tmp_path: Path) -> None:
    items = [{"text": 'brackets ] } " in \\ strings', "n": [{"a": []}]}, {"text": "x" * 600_000}, {"text": "three"}]
    (tmp_path / "p.json").write_text(json.dumps(items, indent=1))
    assert [page["text"] for page in rows(open_source(tmp_path / "p.json"))] == [item["text"] for item in items]
    (tmp_path / "p.json").write_text('[{"text": "one"}, {"text": "two"} oops, {"text": "thr')
    assert [(page["text"], checks(page)) for page in rows(open_source(tmp_path / "p.json"))] == [
        ("one", []), ("two", []), (None, ["broken_json"]),
    ]  # fmt: skip


@pytest.mark.parametrize("raw", [RAW, TABLE.write_ndjson().encode(), FILES["pages.parquet"], gzip.compress(WARC)])
def test_standard_input(monkeypatch: pytest.MonkeyPatch, raw: bytes) -> None:
    _spool.cache_clear()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(raw)))
    for _ in range(2):  # a run opens its source more than once
        source = open_source("-")
        assert source.describe().startswith("standard input: 1 ")
        (page,) = rows(source)
        assert page["html"] == HTML
    _spool.cache_clear()


def test_empty_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    _spool.cache_clear()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO()))
    with pytest.raises(UsageError, match="standard input is empty"):
        open_source("-")
    _spool.cache_clear()


def test_html_in_its_own_charset(tmp_path: Path) -> None:
    korean = '<html><head><meta charset="euc-kr"></head><body>서울시는 월요일 새로운 대책을 발표했다.</body></html>'
    (tmp_path / "meta.html").write_bytes(korean.encode("cp949"))
    (tmp_path / "wrong.html").write_bytes(korean.replace("euc-kr", "iso-8859-1").encode("cp949"))
    (tmp_path / "bom.html").write_bytes(b"\xef\xbb\xbf" + korean.encode())
    (tmp_path / "utf16.html").write_bytes(korean.encode("utf-16"))
    (tmp_path / "xml.html").write_bytes(
        '<?xml version="1.0" encoding="windows-1250"?><html>Žluťoučký kůň'.encode("cp1250")
    )
    pages = read(tmp_path)
    assert {k: p["encoding"] for k, p in pages.items()} == {
        "bom.html": "utf-8", "meta.html": "cp949", "utf16.html": "utf-16-le", "wrong.html": "cp949", "xml.html": "cp1250",
    }  # fmt: skip
    assert pages["meta.html"]["html"] == pages["bom.html"]["html"] == pages["utf16.html"]["html"] == korean
    assert "Žluťoučký kůň" in pages["xml.html"]["html"]


def test_repaired_mojibake_is_recorded_in_every_table(tmp_path: Path) -> None:
    frame = pl.DataFrame({"id": ["a", "b"], "text": ["The cafÃ©â€™s owner\r\n", "The café’s owner"]})
    frame.write_parquet(tmp_path / "p.parquet")
    (tmp_path / "p.jsonl").write_text(frame.write_ndjson())
    options = ReadOptions(id_column="id")
    pages = read(tmp_path / "p.parquet", options)
    assert pages == read(tmp_path / "p.jsonl", options)
    assert [(p["text"].strip(), p["encoding"], p["problems"]) for p in pages.values()] == [
        ("The café’s owner", "utf-8 (repaired from cp1252)", []), ("The café’s owner", "utf-8", []),
    ]  # fmt: skip
    assert pages["a"]["content_hash"] == digest("The cafÃ©â€™s owner\r\n".encode())


def test_a_page_of_html_is_staged_whole(tmp_path: Path) -> None:
    from flows.staging import stage

    (tmp_path / "page.html").write_bytes(RAW)
    (shard,) = stage(open_source(tmp_path / "page.html").batches(), tmp_path / "staged")
    assert (shard.bytes, pl.read_ipc(shard.path)["html"].to_list()) == (len(RAW), [HTML])
