"""Sources that lie elsewhere: the rules for URLs, and S3 against a server of our own (moto)."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from crawls import FETCHED, HTML, URL, http, record
from reading import rows

from flows.errors import UsageError
from flows.readers import ReadOptions, open_source
from flows.readers.remote import is_remote

RAW = HTML.encode()


@pytest.mark.parametrize(
    ("given", "remote"),
    [("s3://b/k", True), ("https://a.example/x", True), ("a/b.txt", False), ("C:/pages", False), ("./s3:/x", False)],
)
def test_what_is_a_url(given: str, remote: bool) -> None:
    assert is_remote(given) is remote


def test_a_scheme_without_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    import fsspec

    def missing(*_: Any, **__: Any) -> Any:
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr(fsspec.core, "url_to_fs", missing)
    for scheme, cure in {
        "s3": r"pip install 'copydesk\[s3\]'",
        "gs": "pip install gcsfs",
        "az": "pip install adlfs",
    }.items():
        with pytest.raises(UsageError, match=f"{scheme}:// needs a package that is not there; {cure}"):
            open_source(f"{scheme}://bucket/pages.jsonl")


def test_a_scheme_that_nobody_knows() -> None:
    with pytest.raises(UsageError, match="cannot open carrier-pigeon://a: Protocol not known"):
        open_source("carrier-pigeon://a")


def test_what_is_not_there() -> None:
    with pytest.raises(UsageError, match=r"cannot open memory://nothing/here: .*; check the address"):
        open_source("memory://nothing/here")


def test_a_folder_elsewhere() -> None:
    import fsspec

    files = fsspec.filesystem("memory")
    for name in ("a.html", "sub/b.txt", "notes.md", ".hidden.txt"):
        files.pipe(f"/crawl/{name}", RAW)
    source = open_source("memory://crawl")
    assert [page["doc_id"] for page in rows(source)] == ["a.html", "sub/b.txt"]
    assert [(s.name, s.why) for s in source.skipped] == [
        (".hidden.txt", "hidden"),
        ("notes.md", "ending .md is not read"),
    ]
    assert [page["doc_id"] for page in rows(open_source("memory://crawl/**/*.txt"))] == ["sub/b.txt"]
    assert rows(open_source("memory://crawl/a.html"))[0]["html"] == HTML
    # a store that says neither time nor tag of a file: it is read in every run
    assert [i.fingerprint() for i in source.inputs] == [None] * len(source.inputs)


def test_a_file_that_is_gone_since(monkeypatch: pytest.MonkeyPatch) -> None:
    import fsspec

    files = fsspec.filesystem("memory")
    files.pipe("/gone/a.html", RAW)
    files.pipe("/gone/b.html", RAW)
    source = open_source("memory://gone")
    files.rm("/gone/a.html")
    first, second = rows(source)
    assert (first["problems"][0]["check"], second["html"]) == ("unreadable", HTML)


def test_a_file_of_unknown_size(monkeypatch: pytest.MonkeyPatch) -> None:
    import fsspec
    from fsspec.implementations.memory import MemoryFileSystem

    fsspec.filesystem("memory").pipe("/unknown/a.jsonl", b'{"text": "words"}\n' * 3)
    info = MemoryFileSystem.info
    monkeypatch.setattr(MemoryFileSystem, "info", lambda self, path, **kw: {**info(self, path, **kw), "size": None})
    source = open_source("memory://unknown/a.jsonl")
    assert (source.total_bytes, source.describe()) == (0, "a.jsonl: 1 JSON lines file, size unknown")
    assert [len(batch) for batch in source.batches()] == [3]
    assert source.bytes_read == 54


@pytest.mark.slow
def test_s3_gives_the_same_pages(bucket: str, tmp_path: Path) -> None:
    import s3fs

    files = s3fs.S3FileSystem()
    table = pl.DataFrame({"id": ["p"], "html": [HTML], "url": [URL], "at": [FETCHED]})
    table.write_parquet(tmp_path / "pages.parquet")
    (tmp_path / "pages.jsonl.gz").write_bytes(gzip.compress(table.write_ndjson().encode()))
    (tmp_path / "page.html").write_bytes(RAW)
    (tmp_path / "crawl.warc.gz").write_bytes(
        b"".join(gzip.compress(record(http(RAW), record_id=f"r{n}")) for n in range(3))
    )
    columns = ReadOptions(id_column="id", url_column="url", fetched_column="at")
    for path in tmp_path.iterdir():
        files.pipe(f"{bucket}/day/{path.name}", path.read_bytes())
        options = columns if path.name.startswith("pages") else None
        here, there = open_source(path, options), open_source(f"s3://{bucket}/day/{path.name}", options)
        assert rows(there) == rows(here)
        assert there.total_bytes == here.total_bytes
    folder = {page["doc_id"] for page in rows(open_source(f"s3://{bucket}/day"))}
    assert folder == {page["doc_id"] for page in rows(open_source(tmp_path))}
    assert len(rows(open_source(f"s3://{bucket}/**/*.warc.gz"))) == 3
    (before,) = open_source(f"s3://{bucket}/day/page.html").inputs
    assert before.fingerprint() == next(i for i in open_source(f"s3://{bucket}/day").inputs if i.uri == before.uri).fingerprint()
    files.pipe(f"{bucket}/day/page.html", RAW.replace(b"a", b"b"))
    (after,) = open_source(f"s3://{bucket}/day/page.html").inputs
    assert after.uri == before.uri == f"s3://{bucket}/day/page.html"
    assert None not in (before.fingerprint(), after.fingerprint())
    assert after.fingerprint() != before.fingerprint()


@pytest.mark.slow
@pytest.mark.parametrize(
    "url", ["s3://no-such-bucket/pages", "s3://{bucket}/no-such-key.html", "s3://no-such-bucket/*.html"]
)
def test_what_is_not_on_s3(bucket: str, url: str) -> None:
    with pytest.raises(UsageError, match=r"cannot open s3://|nothing to read in s3://") as caught:
        open_source(url.format(bucket=bucket))
    assert "\n" not in str(caught.value)
