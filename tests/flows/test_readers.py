"""Text files and folders, and every source that is refused."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from reading import BY_ID, checks, digest, lines, read, rows

from flows.errors import UsageError
from flows.readers import ReadOptions, open_source
from flows.readers.listing import list_folder


def test_one_text_file(tmp_path: Path) -> None:
    path = tmp_path / "page.txt"
    path.write_bytes(b"\xef\xbb\xbfCaf\xc3\xa9\r\nnext")
    source = open_source(path)
    assert (source.kind, source.total_bytes, source.describe()) == (
        "text file", 14, "page.txt: 1 text file, 14 bytes"
    )  # fmt: skip
    assert rows(source) == [
        {"doc_id": "page.txt", "url": None, "source": "page.txt", "text": "Café\nnext", "html": None, "raw": None,
         "content_hash": digest(path.read_bytes()), "encoding": "utf-8", "problems": [], "fetched_at": None}
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("raw", "check"),
    [
        (b"%PDF-1.7", "binary"),
        (b"a\0b", "binary"),
        ("Ünïcödé tèxt, sériöus".encode() + b"\xff", "undecodable"),
        (b"x" * 101, "page_too_large"),
    ],
)
def test_what_is_no_text_keeps_its_bytes(tmp_path: Path, raw: bytes, check: str) -> None:
    (tmp_path / "page.txt").write_bytes(raw)
    page = read(tmp_path / "page.txt", ReadOptions(max_page_bytes=100))["page.txt"]
    assert (page["text"], page["raw"], page["encoding"], checks(page)) == (None, raw, None, [check])
    assert page["content_hash"] == digest(raw)


def test_an_empty_file_is_an_empty_text(tmp_path: Path) -> None:
    (tmp_path / "page.txt").touch()
    page = read(tmp_path / "page.txt")["page.txt"]
    assert (page["text"], page["raw"], page["problems"]) == ("", None, [])


def test_a_page_beyond_all_bounds_is_counted_but_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.readers.texts.KEEP_BYTES", 1000)
    monkeypatch.setattr("flows.readers.frame.KEEP_BYTES", 1000)
    monkeypatch.setattr("flows.readers.jsonl.KEEP_BYTES", 1000)
    options = ReadOptions(max_page_bytes=500)
    raw = b"x" * 3000
    (tmp_path / "page.txt").write_bytes(raw)
    lines(tmp_path / "pages.jsonl", {"text": "x" * 3000}, {"text": "fine"})
    pages = read(tmp_path, options)
    assert pages["page.txt"]["raw"] is None
    assert pages["page.txt"]["content_hash"] == digest(raw)
    assert "3,000 bytes" in pages["page.txt"]["problems"][0]["value"]
    assert checks(pages["pages.jsonl:1"]) == ["page_too_large"]
    assert pages["pages.jsonl:2"]["text"] == "fine"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "news"
    (root / "sub" / "deep").mkdir(parents=True)
    (root / ".git").mkdir()
    for name in (
        "a.txt",
        "sub/b.TXT",
        "sub/deep/c.text",
        ".hidden.txt",
        ".git/d.txt",
        "notes.md",
        "e.pdf",
        "no",
    ):
        (root / name).write_text(f"text of {name}")
    lines(root / "sub" / "pages.jsonl", {"text": "one", "id": "x"}, {"text": "two", "id": "y"})
    pl.DataFrame({"id": ["z"], "text": ["three"]}).write_parquet(root / "t.parquet")
    return root


def test_folder(folder: Path) -> None:
    source = open_source(folder, BY_ID)
    pages = {page["doc_id"]: page for page in rows(source)}
    assert {name: page["source"] for name, page in pages.items()} == {
        "a.txt": "a.txt",
        "sub/b.TXT": "sub/b.TXT",
        "sub/deep/c.text": "sub/deep/c.text",
        "x": "sub/pages.jsonl#x",
        "y": "sub/pages.jsonl#y",
        "z": "t.parquet#z",
    }
    assert pages["sub/b.TXT"]["text"] == "text of sub/b.TXT"
    assert source.kind == "folder"
    assert [(s.name, s.why) for s in source.skipped] == [
        (".git", "hidden"),
        (".hidden.txt", "hidden"),
        ("e.pdf", "ending .pdf is not read"),
        ("no", "ending (none) is not read"),
        ("notes.md", "ending .md is not read"),
    ]
    assert source.describe().startswith("news: 3 text files, 1 JSON lines file, 1 Parquet file, ")
    assert "5 not read: .git (hidden), .hidden.txt (hidden), e.pdf" in source.describe()


def test_links_are_read_once(folder: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "f.txt").write_text("outside")
    (outside / "back").symlink_to(folder)
    links = {
        "loop": folder, "up": tmp_path, "sub/self": folder / "sub", "aa.txt": folder / "a.txt",
        "nothing.txt": "gone", "far": outside, "far2": outside, "g.txt": outside / "f.txt",
    }  # fmt: skip
    for name, target in links.items():
        (folder / name).symlink_to(target)
    listing = list_folder(folder)
    assert [found.name for found in listing.found] == [
        "a.txt", "far/f.txt", "sub/b.TXT", "sub/deep/c.text", "sub/pages.jsonl", "t.parquet",
    ]  # fmt: skip
    why = {skipped.name: skipped.why for skipped in listing.skipped}
    assert why["up"] == "a link to a folder above"
    assert why["nothing.txt"] == "a link to nothing"
    for name in ("loop", "sub/self", "aa.txt", "far2", "g.txt", "far/back"):
        assert why[name] == "a link to what is read already"


def test_files_that_cannot_be_read_are_pages(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = open_source(folder)
    (folder / "a.txt").unlink()
    opened = Path.open

    def guarded(path: Path, *args: Any, **kwargs: Any) -> Any:
        if path.name in {"b.TXT", "pages.jsonl"}:
            raise PermissionError(13, "Permission denied")
        return opened(path, *args, **kwargs)

    monkeypatch.setattr(Path, "open", guarded)
    pages = {page["doc_id"]: page for page in rows(source)}
    for name, why in (
        ("a.txt", "No such file or directory"),
        ("sub/b.TXT", "Permission denied"),
        ("sub/pages.jsonl", "Permission denied"),
    ):
        assert pages[name]["problems"] == [{"check": "unreadable", "column": "text", "value": why}]
        assert (pages[name]["text"], pages[name]["raw"]) == (None, None)
    assert pages["sub/deep/c.text"]["text"] == "text of sub/deep/c.text"


def test_a_folder_that_cannot_be_listed_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scandir = os.scandir

    def guarded(path: Path) -> Any:
        if Path(path).name == "deep":
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", guarded)
    skipped = {entry.name: entry.why for entry in open_source(folder).skipped}
    assert skipped["sub/deep/"] == "cannot be listed: Permission denied"


def test_a_pipe_in_a_folder_does_not_hang(folder: Path) -> None:
    os.mkfifo(folder / "pipe.txt")
    assert ("pipe.txt", "not a regular file") in [(s.name, s.why) for s in open_source(folder).skipped]


def test_a_name_that_is_no_utf8(tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.txt")).write_text("words")
    assert list(read(tmp_path)) == ["caf\\xe9.txt"]


def test_a_broken_table_in_a_folder_is_a_page(folder: Path) -> None:
    (folder / "broken.parquet").write_bytes(b"PAR1 nothing of the kind")
    page = read(folder)["broken.parquet"]
    assert (page["text"], checks(page)) == (None, ["unreadable"])


def test_batches_are_bounded(tmp_path: Path) -> None:
    for n in range(20):
        (tmp_path / f"{n:02}.txt").write_text("x" * 1000)
    frames = list(open_source(tmp_path, ReadOptions(batch_bytes=5_000)).batches())
    assert len(frames) > 5
    assert max(frame["text"].str.len_bytes().sum() for frame in frames) <= 5_000


def nothing(path: Path) -> Path:
    return path / "nowhere"


def empty(path: Path) -> Path:
    return path


def no_text_in_it(path: Path) -> Path:
    (path / "a.pdf").touch()
    return path


def empty_csv(path: Path) -> Path:
    (path / "a.csv").touch()
    return path / "a.csv"


def tar(path: Path) -> Path:
    (path / "a.tar").touch()
    return path / "a.tar"


def pipe(path: Path) -> Path:
    os.mkfifo(path / "pipe")
    return path / "pipe"


def not_parquet(path: Path) -> Path:
    (path / "a.parquet").write_text("id,text")
    return path / "a.parquet"


def utf16(path: Path) -> Path:
    (path / "a.jsonl").write_text('{"text": "a"}', encoding="utf-16")
    return path / "a.jsonl"


def whole_json(path: Path) -> Path:
    (path / "a.json").write_text(json.dumps({"articles": [{"text": "a"}]}, indent=1))
    return path / "a.json"


def other_keys(path: Path) -> Path:
    return lines(path / "a.jsonl", {"body": "a", "url": "b"})


def other_columns(path: Path) -> Path:
    pl.DataFrame({"body": ["a"], "url": ["b"]}).write_parquet(path / "a.parquet")
    return path


def number_text(path: Path) -> Path:
    pl.DataFrame({"text": [1]}).write_parquet(path / "a.parquet")
    return path / "a.parquet"


def list_text(path: Path) -> Path:
    pl.DataFrame({"text": [["a"]]}).write_parquet(path / "a.parquet")
    return path / "a.parquet"


def struct_text(path: Path) -> Path:
    pl.DataFrame({"text": [{"a": "b"}]}).write_parquet(path / "a.parquet")
    return path / "a.parquet"


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (nothing, "no such file or folder: .*nowhere; check the path"),
        (empty, "nothing to read in .*; it needs .txt, .text, .html, .htm, .*packed or not"),
        (no_text_in_it, r"nothing to read in .*1 not read, such as a.pdf"),
        (empty_csv, "a.csv has neither a column 'text' nor 'html'; its columns are none"),
        (tar, "a.tar: .tar is not read; unpack it with tar"),
        (pipe, "neither a file nor a folder"),
        (not_parquet, "cannot read .*a.parquet as Parquet file: .*; check the file"),
        (utf16, "a.jsonl is UTF-16; turn it into UTF-8: iconv"),
        (whole_json, "a.json is one JSON document, not one record a line; convert it: jq"),
        (other_keys, "a.jsonl has, in its first 1 records, neither a column 'text' nor 'html'; its columns are body, url"),
        (other_columns, "a.parquet has neither a column 'text' nor 'html'; its columns are body, url; set --text-column"),
        (number_text, "column 'text' is int64, but must be text or bytes; .* set --text-column"),
        (list_text, "column 'text' is (large_)?list"),
        (struct_text, "column 'text' is struct"),
    ],
)
def test_refused(tmp_path: Path, make: Any, said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        open_source(make(tmp_path))
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (ReadOptions(id_column="key"), "no column 'key'; its columns are id, text, at; set --id-column"),
        (ReadOptions(url_column="link"), "no column 'link'; .* set --url-column"),
        (ReadOptions(id_column="at"), "column 'at' is double, but must be text or whole numbers"),
        (ReadOptions(url_column="id"), "column 'id' is int64, but must be text"),
    ],
)
def test_refused_columns(tmp_path: Path, options: ReadOptions, said: str) -> None:
    pl.DataFrame({"id": [1], "text": ["a"], "at": [1.5]}).write_parquet(tmp_path / "a.parquet")
    with pytest.raises(UsageError, match=said):
        open_source(tmp_path / "a.parquet", options)


@pytest.mark.parametrize("name", ["", "a.txt"])
def test_no_right_to_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    (tmp_path / "a.txt").touch()
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(UsageError, match=r"no right to read .*; try: chmod u\+r"):
        open_source(tmp_path / name)
