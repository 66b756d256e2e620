"""Bad input, each tried: one clear line or a page that says why, and never a traceback."""

from __future__ import annotations

import gzip
import io
import json
import random
import zipfile
import zlib
from pathlib import Path

import brotli
import polars as pl
import pyarrow as pa
import pytest
from crawls import HTML, URL, http, record
from reading import checks, digest, read, rows

from flows.errors import UsageError
from flows.readers import ReadOptions, open_source

RAW = HTML.encode()
CHUNKED = b"%x\r\n" % len(RAW) + RAW + b"\r\n0\r\n\r\n"
NOISE = random.Random(1)


def words(count: int) -> str:
    return " ".join(NOISE.choice(("ferry", "fares", "rise", "council", "monday", "clerk")) for _ in range(count))


def test_a_cut_gzip_of_lines_keeps_the_whole_ones(tmp_path: Path) -> None:
    lines = [json.dumps({"text": words(30)}) for _ in range(500)]
    raw = gzip.compress("\n".join(lines).encode())
    (tmp_path / "p.jsonl.gz").write_bytes(raw[: len(raw) // 2])
    *whole, last = rows(open_source(tmp_path / "p.jsonl.gz"))
    assert 200 < len(whole) < 300
    assert [page["text"] for page in whole] == [json.loads(line)["text"] for line in lines[: len(whole)]]
    assert last["doc_id"] == f"p.jsonl.gz:line {len(whole) + 1}"
    assert checks(last) == ["unreadable"]
    assert "ended before the end-of-stream" in last["problems"][0]["value"]
    assert lines[len(whole)].encode().startswith(last["raw"])


@pytest.mark.parametrize("ending", ["gz", "xz", "bz2", "zst"])
@pytest.mark.parametrize("kind", ["html", "csv", "warc"])
def test_what_is_cut_is_named(tmp_path: Path, kind: str, ending: str) -> None:
    import bz2
    import lzma

    pack = {"gz": gzip.compress, "xz": lzma.compress, "bz2": bz2.compress,
            "zst": lambda raw: pa.compress(raw, "zstd", asbytes=True)}[ending]  # fmt: skip
    page = f"<html>{words(100)}</html>"
    raw = {
        "html": page.encode(),
        "csv": ("text\n" + "".join(f"{words(100)}\n" for _ in range(50))).encode(),
        "warc": b"".join(record(http(f"<html>{words(100)}</html>".encode())) for _ in range(50)),
    }[kind]
    packed = pack(raw)
    (tmp_path / f"p.{kind}.{ending}").write_bytes(packed[: len(packed) * 3 // 4])
    pages = rows(open_source(tmp_path))
    assert [page for page in pages[:-1] if page["problems"]] == []
    assert checks(pages[-1]) == ["unreadable"]


def test_a_crawl_cut_anywhere_keeps_its_whole_records(tmp_path: Path) -> None:
    records = [
        record(b"software: ours", "warcinfo", content_type="application/warc-fields"),
        record(http(RAW), record_id="1"),
        record(http(b"\x89PNG", "image/png")),
        record(http(RAW), record_id="3"),
        record("Naïve text".encode(), "conversion", content_type="text/plain", record_id="4"),
    ]
    whole = b"".join(records)
    ends = [sum(map(len, records[: n + 1])) for n in range(len(records))]
    for cut in [*range(5, len(whole), 7), *ends, len(whole) - 5]:
        (tmp_path / "c.warc").write_bytes(whole[:cut])
        pages = rows(open_source(tmp_path / "c.warc"))
        there = [n for n in (1, 3, 4) if ends[n] - 4 <= cut]
        assert [page["doc_id"] for page in pages if not page["problems"]] == [str(n) for n in there]
        inside = next((n for n, end in enumerate(ends) if end - 4 > cut), None)
        named = sum(checks(page) == ["unreadable"] for page in pages)
        if inside in {1, 3, 4} and cut > ends[inside - 1]:
            assert named == 1, cut
        else:  # nothing of a page is lost
            assert named <= 1


RESPONSES = {
    "plain": http(RAW),
    "chunked": http(CHUNKED, "text/html", "200 OK", "Transfer-Encoding: chunked"),
    "gzip": http(gzip.compress(RAW), "text/html", "200 OK", "Content-Encoding: gzip"),
    "brotli": http(brotli.compress(RAW), "text/html", "200 OK", "Content-Encoding: br"),
    "deflate": http(zlib.compress(RAW), "text/html", "200 OK", "Content-Encoding: deflate"),
    "bare deflate": http(zlib.compress(RAW)[2:-4], "text/html", "200 OK", "Content-Encoding: deflate"),
    "zstd": http(pa.compress(RAW, "zstd", asbytes=True), "text/html", "200 OK", "Content-Encoding: zstd"),
    "both": http(
        b"%x\r\n" % len(gzip.compress(RAW)) + gzip.compress(RAW) + b"\r\n0\r\n\r\n",
        "text/html", "200 OK", "Content-Encoding: gzip", "Transfer-Encoding: chunked",
    ),
    "said to be gzip": http(RAW, "text/html", "200 OK", "Content-Encoding: gzip"),
    "said to be chunked": http(RAW, "text/html", "200 OK", "Transfer-Encoding: chunked"),
    "no type": http(RAW, ""),
    "xhtml": http(RAW, "application/xhtml+xml"),
}  # fmt: skip
BROKEN = {
    "coding 'snappy' is not known": http(gzip.compress(RAW), "text/html", "200 OK", "Content-Encoding: snappy"),
    "cut after": http(gzip.compress(RAW)[:-12], "text/html", "200 OK", "Content-Encoding: gzip"),
    "chunked: unexpected end": http(CHUNKED[3:200], "text/html", "200 OK", "Transfer-Encoding: chunked")
    .replace(b"\r\n\r\n", b"\r\n\r\nfff\r\n", 1),
    "gzip: ": http(b"\x1f\x8b" + b"\1\2\3\4" * 20, "text/html", "200 OK", "Content-Encoding: gzip"),
    "unpacks to more than": http(gzip.compress(bytes(3000)), "text/html", "200 OK", "Content-Encoding: gzip"),
    "no HTTP header": b"",
}  # fmt: skip


def test_codings_of_http(tmp_path: Path) -> None:
    (tmp_path / "c.warc").write_bytes(b"".join(record(b, url=f"{URL}?{n}") for n, b in enumerate(RESPONSES.values())))
    pages = rows(open_source(tmp_path / "c.warc"))
    assert [(page["html"], page["content_hash"], page["problems"]) for page in pages] == [
        (HTML, digest(RAW), [])
    ] * len(RESPONSES)


def test_broken_codings_of_http(tmp_path: Path) -> None:
    raw = b"".join(record(block, record_id=said) + record(http(RAW)) for said, block in BROKEN.items())
    (tmp_path / "c.warc").write_bytes(raw)
    pages = rows(open_source(tmp_path / "c.warc", ReadOptions(max_page_bytes=2000)))
    assert sum(page["html"] == HTML for page in pages) == len(BROKEN)
    wrong = {page["doc_id"]: page for page in pages if page["problems"]}
    assert list(wrong) == list(BROKEN)
    for said, page in wrong.items():
        assert checks(page) == ["unreadable"]
        assert said in page["problems"][0]["value"]
        assert BROKEN[said].endswith(page["raw"] or b"")


def test_what_is_no_page_is_passed_over_and_counted(tmp_path: Path) -> None:
    records = [
        record(b"", "warcinfo", content_type="application/warc-fields"),
        record(b"GET / HTTP/1.1\r\n\r\n", "request", content_type="application/http; msgtype=request"),
        record(http(b""), "revisit"),
        record(b"", "metadata", content_type="application/warc-fields"),
        record(b"20240501 192.0.2.1", url="dns:harbour.example", content_type="text/dns"),
        record(http(b"User-agent: *", "text/plain"), url="https://harbour.example/robots.txt"),
        record(http(b"\x89PNG", "image/png")),
        record(http(RAW, "text/html", "404 Not Found")),
        record(http(b"", "text/html", "301 Moved")),
        record(b"{}", "resource", content_type="application/json"),
        record(RAW, "resource", content_type="text/html"),
    ]
    (tmp_path / "c.warc").write_bytes(b"".join(records))
    source = open_source(tmp_path / "c.warc")
    assert [page["html"] for page in rows(source)] == [HTML]
    assert source.left_out() == [
        "WARC record: metadata (1)", "WARC record: request (1)", "WARC record: revisit (1)",
        "WARC record: warcinfo (1)", "WARC resource: not HTML (1)", "WARC response: not HTML (2)",
        "WARC response: not HTTP (1)", "WARC response: status 3xx (1)", "WARC response: status 4xx (1)",
    ]  # fmt: skip
    assert "passed over: WARC record: metadata (1), " in source.describe()
    assert len(rows(source)) == 1
    assert sum(source.passed_over[0].values()) == 10


@pytest.mark.parametrize(("charset", "label"), [("euc-kr", "euc-kr"), ("euc-kr", "utf-8"), ("euc-kr", "iso-8859-1")])
def test_a_charset_in_the_header(tmp_path: Path, charset: str, label: str) -> None:
    page = "<html><body>서울시는 월요일 새로운 교통 대책을 발표했다. 다음 달부터 요금이 오른다.</body></html>"
    (tmp_path / "c.warc").write_bytes(record(http(page.encode(charset), f"text/html; charset={label}")))
    (row,) = rows(open_source(tmp_path / "c.warc"))
    assert (row["html"], row["encoding"]) == (page, "cp949")


def test_no_crawl_at_all(tmp_path: Path) -> None:
    (tmp_path / "c.warc").write_bytes(b"WARC/1.0 or so they say\r\n\r\n" * 3)
    assert [checks(page) for page in rows(open_source(tmp_path / "c.warc"))] == [["unreadable"]]


def test_a_large_page(tmp_path: Path) -> None:
    raw = b"<html>" + b"x" * 50_000_000
    (tmp_path / "p.html").write_bytes(raw)
    page = read(tmp_path / "p.html")["p.html"]
    assert (page["html"], len(page["raw"]), checks(page)) == (None, len(raw), ["page_too_large"])
    assert page["problems"][0]["value"] == "50,000,006 bytes, the limit is 20,000,000"


@pytest.mark.parametrize(
    "name", ["bomb.html.gz", "bomb.txt.gz", "bomb.jsonl.gz", "bomb.csv.gz", "bomb.warc.gz", "bomb.zip"]
)
def test_a_bomb_is_refused(tmp_path: Path, name: str) -> None:
    heads = {"jsonl": b'{"text": "', "csv": b"text\n", "warc": record(http(RAW))}
    raw = heads.get(name.split(".")[1], b"") + bytes(5_000_000)
    if name.endswith(".zip"):
        with zipfile.ZipFile(tmp_path / name, "w", zipfile.ZIP_DEFLATED) as archive:
            for n in range(3):
                archive.writestr(f"{n}.html", raw)
    else:
        (tmp_path / name).write_bytes(gzip.compress(raw))
    pages = rows(open_source(tmp_path, ReadOptions(max_unpacked_bytes=1_000_000)))
    refused = [page for page in pages if page["problems"]]
    assert refused
    assert all("refused as a zip bomb" in page["problems"][0]["value"] for page in refused)
    assert all(len(page["raw"] or b"") < 4_000_000 for page in refused)


def test_a_bomb_named_by_itself_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "bomb.parquet.gz").write_bytes(gzip.compress(b"PAR1" + bytes(5_000_000)))
    with pytest.raises(UsageError, match="refused as a zip bomb") as caught:
        open_source(tmp_path / "bomb.parquet.gz", ReadOptions(max_unpacked_bytes=1_000_000))
    assert "\n" not in str(caught.value)


def archive_of(path: Path, *members: tuple[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, raw in members:
            archive.writestr(name, raw)
    return path


def test_an_archive_with_broken_members(tmp_path: Path) -> None:
    noise = NOISE.randbytes(5000)
    path = archive_of(
        tmp_path / "a.zip", ("a.html", RAW), ("b.txt", noise), ("notes.md", b"notes"), ("in.zip", b"PK\3\4")
    )
    raw = bytearray(path.read_bytes())
    at = raw.index(noise[:50]) + 2000
    raw[at : at + 100] = bytes(100)
    path.write_bytes(raw)
    source = open_source(path)
    pages = {page["doc_id"]: page for page in rows(source)}
    assert pages["a.html"]["html"] == HTML
    assert "Bad CRC-32" in pages["b.txt"]["problems"][0]["value"]
    assert "an archive within an archive" in pages["in.zip"]["problems"][0]["value"]
    assert source.left_out() == ["member of an archive: neither its ending nor its content is read (1)"]


def test_a_locked_member(tmp_path: Path) -> None:
    path = archive_of(tmp_path / "a.zip", ("a.html", RAW))
    raw = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        raw[raw.index(mark) + offset] |= 1
    path.write_bytes(raw)
    assert "encrypted" in read(path)["a.html"]["problems"][0]["value"]


def zip_bytes(*members: tuple[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, raw in members:
            archive.writestr(name, raw)
    return file.getvalue()


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (zip_bytes, "an archive without files"),
        (lambda: zip_bytes(("a.html", RAW))[:-30], "a broken zip archive"),
        (lambda: gzip.compress(zip_bytes(("a.html", RAW))), "an archive inside a compressed file"),
    ],
)
def test_archives_that_cannot_be_read(tmp_path: Path, raw: object, said: str) -> None:
    (tmp_path / "a.zip").write_bytes(raw())  # type: ignore[operator]
    with pytest.raises(UsageError, match=f"cannot read .*a.zip as zip archive: {said}"):
        open_source(tmp_path / "a.zip")
    page = read(tmp_path)["a.zip"]
    assert (checks(page), page["problems"][0]["value"].startswith(said)) == (["unreadable"], True)


def test_an_arrow_file_that_points_beyond_its_bytes(tmp_path: Path) -> None:
    table = pl.DataFrame({"text": ["a page of words"] * 20}).to_arrow(compat_level=pl.CompatLevel.oldest())
    file = io.BytesIO()
    with pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)
    raw = file.getvalue().replace((15).to_bytes(8, "little"), (2**40).to_bytes(8, "little"), 1)
    assert raw != file.getvalue()
    (tmp_path / "p.arrow").write_bytes(raw)
    assert [checks(page) for page in rows(open_source(tmp_path / "p.arrow"))] == [["unreadable"]]


def test_tables_with_nested_columns_beside_the_text(tmp_path: Path) -> None:
    pl.DataFrame({"text": ["fine"], "tags": [["a"]], "more": [{"a": 1}]}).write_parquet(tmp_path / "p.parquet")
    assert read(tmp_path / "p.parquet")["p.parquet:0"]["text"] == "fine"
    with pytest.raises(UsageError, match=r"column 'tags' is (large_)?list.*must be text or bytes.*set --html-column"):
        open_source(tmp_path / "p.parquet", ReadOptions(html_column="tags"))
