"""Shards depend on the set of pages, and on nothing else."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.errors import RunError, UsageError
from flows.readers import PAGE_SCHEMA, content_hash
from flows.staging import HTML_OF_TEXT, StagedShard, bucket_of, stage


def page(doc_id: str, text: str | None = "words", raw: bytes | None = None) -> dict[str, object]:
    problems = [] if text is not None else [{"check": "binary", "column": "text", "value": "NUL at byte 0"}]
    digest = content_hash((text or "").encode() if raw is None else raw)
    return {"doc_id": doc_id, "url": None, "source": f"#{doc_id}", "text": text, "raw": raw,
            "content_hash": digest, "encoding": "utf-8" if text else None, "problems": problems}  # fmt: skip


def frame(pages: list[dict[str, object]]) -> pl.DataFrame:
    return pl.DataFrame(pages, schema=dict(PAGE_SCHEMA))


def read(shards: list[StagedShard]) -> list[pl.DataFrame]:
    return [pl.read_ipc(shard.path) for shard in shards]


def staged(batches: list[pl.DataFrame], **sizes: int) -> list[pl.DataFrame]:
    with TemporaryDirectory() as folder:
        return read(stage(batches, Path(folder), **sizes))


PAGES = st.lists(
    st.builds(
        page,
        st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=6),
        st.one_of(st.none(), st.text(st.characters(exclude_categories=["Cs"]), max_size=30)),
    ),
    min_size=1,
    max_size=40,
)


@settings(max_examples=40, deadline=None)
@given(pages=PAGES, data=st.data())
def test_order_and_batches_do_not_matter(pages: list[dict[str, object]], data: st.DataObject) -> None:
    sizes = {"buckets": data.draw(st.sampled_from([8, 256, 1_000, 65_536])), "shard_bytes": 60}
    shuffled = data.draw(st.permutations(pages))
    cuts = sorted(data.draw(st.sets(st.integers(1, len(pages)), max_size=5)) | {0, len(pages)})
    parts = [frame(shuffled[start:end]) for start, end in pairwise(cuts)]
    whole = staged([frame(pages)], **sizes)
    for flush_bytes in (1, 100, 10_000_000):
        again = staged(parts, flush_bytes=flush_bytes, **sizes)
        assert [part.to_dicts() for part in again] == [part.to_dicts() for part in whole]
    assert sum(part.height for part in whole) == len(pages)
    for part in whole:
        keys = part.select("doc_id", "content_hash").rows()
        assert keys == sorted(keys)


def test_shards_are_alike_and_stated_right(tmp_path: Path) -> None:
    pages = [page(f"p{n}", "é" * 50) for n in range(300)]
    shards = stage([frame(pages)], tmp_path, buckets=32, shard_bytes=5_000)
    assert len(shards) > 2
    assert [shard.number for shard in shards] == list(range(len(shards)))
    for shard, pages_of in zip(shards, read(shards), strict=True):
        assert 2_500 < shard.bytes < 6_500
        assert shard.bytes == 2 * shard.characters == 100 * pages_of.height
        assert shard.pages == pages_of.height
    assert sorted(path.name for path in tmp_path.iterdir()) == [shard.path.name for shard in shards]


def test_shards_do_not_grow_with_the_pages(tmp_path: Path) -> None:
    pages = [page(f"p{n}", "é" * 50) for n in range(30_000)]
    shards = stage([frame(pages)], tmp_path, shard_bytes=5_000, flush_bytes=1_000_000)
    assert len(shards) > 400
    assert max(shard.bytes for shard in shards) < 6_000
    assert min(shard.bytes for shard in shards) > 4_000


def test_a_shard_of_large_html_is_larger(tmp_path: Path) -> None:
    for letters, larger in ((200_000, HTML_OF_TEXT), (30_000, 1)):
        texts = [page(f"p{n}", "é" * letters) for n in range(64)]
        pages = [p | {"text": None, "html": p["text"]} for p in texts]
        of_text, of_html = (stage([frame(p)], tmp_path / f"{name}-{letters}", shard_bytes=letters * 16)
                            for name, p in (("text", texts), ("html", pages)))  # fmt: skip
        assert (len(of_text), len(of_html)) == (9, -(-9 // larger))
        assert sum(s.bytes for s in of_html) == sum(s.bytes for s in of_text)


@pytest.mark.parametrize("column, line", [("text", "a\n"), ("html", "<p>a</p><p><b>b</b></p>")])
def test_shards_of_short_lines_are_more(tmp_path: Path, column: str, line: str) -> None:
    of_short, of_long = (
        stage(
            [frame([page(f"p{n}") | {"text": None, column: content} for n in range(64)])], tmp_path, shard_bytes=400_000
        )
        for content in (line * 5_000, "a" * len(line) * 5_000)
    )
    assert len(of_short) > 4 * len(of_long)


def test_a_page_stays_in_its_bucket() -> None:
    assert bucket_of("a.txt") == 51_977
    assert {bucket_of(str(n), 4) for n in range(100)} == {0, 1, 2, 3}


def test_small_input_is_one_shard_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "flush-00000.arrow").write_bytes(b"from a killed run")
    (shard,) = stage([frame([page("b"), page("a", None, b"\0")])], tmp_path)
    assert pl.read_ipc(shard.path)["doc_id"].to_list() == ["a", "b"]
    assert pl.read_ipc(shard.path).schema == pl.Schema(PAGE_SCHEMA)
    assert [path.name for path in tmp_path.iterdir()] == ["shard-00000.arrow"]


def test_no_pages_no_shards(tmp_path: Path) -> None:
    assert stage([], tmp_path / "new") == []
    assert stage([frame([])], tmp_path) == []


def test_pages_without_any_bytes_are_staged(tmp_path: Path) -> None:
    shards = stage([frame([page(str(n), None) for n in range(20)])], tmp_path, flush_bytes=1)
    assert [shard.pages for shard in shards] == [20]
    assert shards[0].bytes == 0


def test_progress_is_told(tmp_path: Path) -> None:
    told: list[int] = []
    stage([frame([page("a")]), frame([page("b")])], tmp_path, progress=lambda pages, _: told.append(pages))
    assert told == [1, 2]


def test_a_full_disk_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pl.DataFrame, "write_ipc", full)
    with pytest.raises(RunError, match="No space left on device; free some space"):
        stage([frame([page("a")])], tmp_path)


def test_a_reading_error_is_passed_on(tmp_path: Path) -> None:
    def batches() -> object:
        yield frame([page("a")])
        raise UsageError("no such column")

    with pytest.raises(UsageError):
        stage(batches(), tmp_path)  # type: ignore[arg-type]
