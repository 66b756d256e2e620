"""JSON lines and Parquet, and everything that can be wrong with a record."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reading import BY_ID, checks, digest, lines, read, rows

from flows.errors import UsageError
from flows.readers import ReadOptions, open_source


@pytest.mark.parametrize("ending", [".jsonl", ".ndjson", ".json", ".JSONL"])
def test_json_lines(tmp_path: Path, ending: str) -> None:
    path = lines(
        tmp_path / f"pages{ending}",
        "\ufeff" + json.dumps({"body": "a\r\nb\u2028c", "key": 7, "link": "https://example.com/a"}) + "\n",
        "\n",
        {"body": "서울", "key": "k", "link": None},
    )
    options = ReadOptions(text_column="body", id_column="key", url_column="link")
    pages = read(path, options)
    assert {k: (p["text"], p["url"], p["source"]) for k, p in pages.items()} == {
        "7": ("a\nb\u2028c", "https://example.com/a", "#7"),
        "k": ("서울", None, "#k"),
    }
    assert pages["7"]["content_hash"] == digest("a\r\nb\u2028c".encode())


def test_without_an_id_column_lines_are_named(tmp_path: Path) -> None:
    path = lines(tmp_path / "pages.jsonl", {"text": "one", "id": "x"}, "\n", {"text": "two", "id": "y"})
    assert {k: p["source"] for k, p in read(path).items()} == {
        "pages.jsonl:1": "#pages.jsonl:1",
        "pages.jsonl:3": "#pages.jsonl:3",
    }


BROKEN = {
    '{"text": "a" "b"}': "line 2: Expecting ',' delimiter at column 14",
    '{"text": "cut': "line 2: Unterminated string starting at at column 10",
    "[1, 2]": "line 2: a list, not an object",
    '"text"': "line 2: a str, not an object",
    "garbage": "line 2: Expecting value at column 1",
    '{"text": ' + "[" * 100_000: "line 2: ",
    '{"n": ' + "1" * 5000 + "}": "line 2: Exceeds the limit",
}


@pytest.mark.parametrize("broken", BROKEN)
def test_a_broken_line_is_a_page_and_reading_goes_on(tmp_path: Path, broken: str) -> None:
    path = lines(tmp_path / "pages.jsonl", {"text": "one"}, broken + "\r\n", {"text": "three"})
    pages = read(path)
    assert [page["text"] for page in pages.values()] == ["one", None, "three"]
    page = pages["pages.jsonl:2"]
    assert page["raw"] == broken.encode()
    assert page["content_hash"] == digest(broken.encode())
    (problem,) = page["problems"]
    assert (problem["check"], problem["column"]) == ("broken_json", "line")
    assert problem["value"].startswith(BROKEN[broken])
    assert len(problem["value"]) <= 200


@pytest.mark.parametrize(
    ("record", "check"),
    [
        ({"id": "b"}, "no_text"),
        ({"id": "b", "text": None}, "no_text"),
        ({"id": "b", "text": ["a", "b"]}, "no_text"),
        ({"id": "b", "text": 5}, "no_text"),
        ({"id": "b", "text": "a\0b"}, "binary"),
        ({"id": "b", "text": "\ud800"}, "undecodable"),
        ({"id": "b", "text": "x" * 2000}, "page_too_large"),
    ],
)
def test_records_without_a_usable_text(tmp_path: Path, record: dict[str, object], check: str) -> None:
    path = lines(tmp_path / "pages.jsonl", {"id": "a", "text": "fine"}, record)
    pages = read(path, ReadOptions(id_column="id", max_page_bytes=1000))
    assert (pages["b"]["text"], checks(pages["b"])) == (None, [check])
    assert pages["b"]["source"] == "#b"
    assert pages["a"]["text"] == "fine"


@pytest.mark.parametrize("value", [None, "", "  ", True, [1], {"a": 1}, 1.5, "\ud800"])
def test_an_id_that_identifies_nothing(tmp_path: Path, value: object) -> None:
    page = read(lines(tmp_path / "p.jsonl", {"id": value, "text": "words"}), BY_ID)["p.jsonl:1"]
    assert (page["text"], checks(page)) == ("words", ["no_id"])


def test_a_legacy_line(tmp_path: Path) -> None:
    path = tmp_path / "pages.jsonl"
    text = "서울시는 월요일 새로운 교통 대책을 발표했다. 다음 달부터 버스 요금이 오를 것으로 보인다."
    path.write_bytes(
        json.dumps({"text": text}, ensure_ascii=False).encode("cp949") + b"\n" + b'{"text": "\xff"}\n'
    )
    pages = read(path)
    assert pages["pages.jsonl:1"]["text"] == text
    assert checks(pages["pages.jsonl:2"]) == ["broken_json"]


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        (["one\r\ntwo", "\ufeffthree\rfour", None, "a\0b", "y" * 101], pa.string()),
        (["one\r\ntwo", "\ufeffthree\rfour", None, "a\0b", "y" * 101], pa.large_string()),
        (
            ["one\r\ntwo", "\ufeffthree\rfour", None, "a\0b", "y" * 101],
            pa.dictionary(pa.int32(), pa.string()),
        ),
        ([b"one\r\ntwo", b"\xef\xbb\xbfthree\rfour", None, b"a\0b", b"y" * 101], pa.binary()),
        ([b"one\r\ntwo", b"\xef\xbb\xbfthree\rfour", None, b"a\0b", b"y" * 101], pa.large_binary()),
    ],
)
def test_parquet(tmp_path: Path, values: list[Any], dtype: pa.DataType) -> None:
    path = tmp_path / "pages.parquet"
    urls = ["https://example.com/a", "", None, None, None]
    table = {"id": pa.array([5, 6, 7, 8, 9]), "text": pa.array(values, dtype), "url": pa.array(urls)}
    pq.write_table(pa.table(table), path, row_group_size=2)
    pages = read(path, ReadOptions(id_column="id", url_column="url", max_page_bytes=100))
    assert {k: (p["text"], p["raw"], checks(p)) for k, p in pages.items()} == {
        "5": ("one\ntwo", None, []),
        "6": ("three\nfour", None, []),
        "7": (None, None, ["no_text"]),
        "8": (None, b"a\0b", ["binary"]),
        "9": (None, b"y" * 101, ["page_too_large"]),
    }
    assert pages["5"]["content_hash"] == digest(b"one\r\ntwo")
    assert pages["5"]["source"] == "#5"
    assert [pages[k]["url"] for k in "567"] == ["https://example.com/a", None, None]
    assert [pages[k]["encoding"] for k in "579"] == ["utf-8", None, None]


def test_legacy_bytes_in_a_column(tmp_path: Path) -> None:
    text = "Мэрия Москвы в понедельник объявила о новом плане. Проезд подорожает, сказал Иванов."
    pq.write_table(pa.table({"text": [text.encode("koi8-r"), b"plain"]}), tmp_path / "p.parquet")
    pages = read(tmp_path / "p.parquet")
    assert (pages["p.parquet:0"]["text"], pages["p.parquet:0"]["encoding"]) == (text, "koi8-r")
    assert pages["p.parquet:1"]["encoding"] == "utf-8"


def test_strings_that_are_no_utf8(tmp_path: Path) -> None:
    wrong = pa.array(["Ünïcödé tèxt, sériöus".encode() + b"\xff", b"fine"]).view(pa.string())
    pq.write_table(pa.table({"text": wrong}), tmp_path / "p.parquet")
    pages = read(tmp_path / "p.parquet")
    assert checks(pages["p.parquet:0"]) == ["undecodable"]
    assert pages["p.parquet:1"]["text"] == "fine"


def test_ids_that_are_missing(tmp_path: Path) -> None:
    frame = pl.DataFrame({"id": ["a", None, "", " "], "text": ["1", "2", "3", "4"]})
    frame.write_parquet(tmp_path / "p.parquet")
    pages = read(tmp_path / "p.parquet", BY_ID)
    assert {k: checks(p) for k, p in pages.items()} == {
        "a": [], "p.parquet:1": ["no_id"], "p.parquet:2": ["no_id"], "p.parquet:3": ["no_id"],
    }  # fmt: skip
    assert pages["p.parquet:1"]["text"] == "2"


def test_duplicate_ids_are_kept(tmp_path: Path) -> None:
    pl.DataFrame({"id": ["a", "a"], "text": ["1", "2"]}).write_parquet(tmp_path / "p.parquet")
    assert [row["text"] for row in rows(open_source(tmp_path / "p.parquet", BY_ID))] == ["1", "2"]


def test_a_shuffled_table_gives_the_same_rows(tmp_path: Path) -> None:
    frame = pl.DataFrame({"id": [f"p{n}" for n in range(50)], "text": [f"text {n}" for n in range(50)]})
    frame.write_parquet(tmp_path / "one.parquet")
    frame.sample(fraction=1, shuffle=True, seed=1).write_parquet(tmp_path / "two.parquet")
    assert read(tmp_path / "one.parquet", BY_ID) == read(tmp_path / "two.parquet", BY_ID)


def test_all_null_text_and_dotted_names(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a.b": pa.nulls(2)}), tmp_path / "p.parquet")
    pages = read(tmp_path / "p.parquet", ReadOptions(text_column="a.b"))
    assert [checks(page) for page in pages.values()] == [["no_text"], ["no_text"]]


def test_one_column_for_everything(tmp_path: Path) -> None:
    pl.DataFrame({"text": ["https://example.com"]}).write_parquet(tmp_path / "p.parquet")
    options = ReadOptions(id_column="text", url_column="text")
    assert list(read(tmp_path / "p.parquet", options)) == ["https://example.com"]


def test_large_row_groups_come_in_parts(tmp_path: Path) -> None:
    texts = ["x" * (10 if n % 50 else 20_000) for n in range(1000)]
    pl.DataFrame({"text": texts}).write_parquet(tmp_path / "p.parquet")
    frames = list(open_source(tmp_path / "p.parquet", ReadOptions(batch_bytes=50_000)).batches())
    assert max(int(frame["text"].str.len_bytes().sum()) for frame in frames) <= 70_000
    assert pl.concat(frames)["text"].to_list() == texts
    assert pl.concat(frames)["doc_id"].to_list() == [f"p.parquet:{n}" for n in range(1000)]


def test_a_table_that_breaks_half_way(tmp_path: Path) -> None:
    path = tmp_path / "p.parquet"
    frame = pl.DataFrame({"text": [os.urandom(50).hex() for _ in range(3000)]})
    frame.write_parquet(path, row_group_size=1000)
    raw = bytearray(path.read_bytes())
    middle = len(raw) // 2
    raw[middle - 400 : middle + 400] = b"\xff" * 800
    path.write_bytes(raw)
    pages = rows(open_source(path))
    assert len(pages) == 1001
    assert pages[-1]["doc_id"] == "p.parquet:row 1000"
    assert checks(pages[-1]) == ["unreadable"]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.one_of(st.none(), st.text(st.characters(exclude_categories=["Cs"]))), min_size=1, max_size=20)
)
def test_both_kinds_of_table_give_the_same_pages(tmp_path_factory: Any, texts: list[str | None]) -> None:
    folder = tmp_path_factory.mktemp("same")
    frame = pl.DataFrame(
        {"id": [str(n) for n in range(len(texts))], "text": texts}, schema_overrides={"text": pl.String}
    )
    frame.write_parquet(folder / "p.parquet")
    lines(folder / "p.jsonl", *frame.to_dicts())
    assert read(folder / "p.parquet", BY_ID) == read(folder / "p.jsonl", BY_ID)


WHEN = datetime(2024, 5, 7, 8, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("given", "want"),
    [
        ("2024-05-07T08:30:00Z", WHEN), ("2024-05-07 10:30:00+02:00", WHEN), ("2024-05-07 08:30", WHEN),
        ("yesterday", None), ("", None), (None, None), (1715070600, None),
    ],
)  # fmt: skip
def test_the_time_of_fetching_in_json_lines(tmp_path: Path, given: Any, want: datetime | None) -> None:
    path = lines(tmp_path / "pages.jsonl", {"text": "one", "id": "x", "seen": given})
    assert read(path, ReadOptions(id_column="id", fetched_column="seen"))["x"]["fetched_at"] == want


@pytest.mark.parametrize(
    "column",
    [
        pa.array(["2024-05-07T10:30:00+02:00"]),
        pa.array([WHEN], pa.timestamp("ms", "UTC")),
        pa.array([WHEN], pa.timestamp("ns", "Europe/Berlin")),
        pa.array([WHEN.replace(tzinfo=None)], pa.timestamp("us")),
    ],
    ids=["text", "UTC", "Berlin", "without a zone"],
)
def test_the_time_of_fetching_in_parquet(tmp_path: Path, column: pa.Array) -> None:
    path = tmp_path / "pages.parquet"
    pq.write_table(pa.table({"id": ["x"], "text": ["one"], "seen": column}), path)
    assert read(path, ReadOptions(id_column="id", fetched_column="seen"))["x"]["fetched_at"] == WHEN


def test_a_number_is_no_time_of_fetching(tmp_path: Path) -> None:
    path = tmp_path / "pages.parquet"
    pq.write_table(pa.table({"text": ["one"], "seen": [1715070600]}), path)
    with pytest.raises(UsageError, match=r"must be timestamps or text in ISO 8601; .* set --fetched-column"):
        read(path, ReadOptions(fetched_column="seen"))
