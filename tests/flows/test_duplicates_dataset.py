"""The dataset `duplicates` of a snapshot: in every run over all its articles, and the same however it was come by."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from shard_runs import page, run_pages

from copydesk import duplicates as library
from copydesk.shingles import likeness
from flows.duplicates import prove_duplicates, write_duplicates
from flows.snapshots import SnapshotStore
from schemas import ARTICLES, DUPLICATES

SENTENCES = [f"On day {n} the harbour council met for hour {n * 7} and put {n * 3} boats on list {n * 11}." for n in range(40)]


def story(start: int, end: int) -> str:
    return "\n\n".join(" ".join(SENTENCES[n : n + 3]) for n in range(start, end, 3))


PAGES = [
    page("a", f"Boats counted\n\n{story(0, 12)}"),
    page("b", f"Boats counted again\n\n{story(0, 12)}"),
    page("c", f"Boats counted\n\n{story(0, 15)}"),
    page("d", f"Other boats\n\n{story(21, 36)}"),
]
EXPECTED = [("b", "a", "exact"), ("c", "a", "near")]


@pytest.fixture(scope="module")
def articles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cleaned")
    run_pages(PAGES, folder)
    return folder / "articles"


Publish = Callable[..., dict[str, int]]


@pytest.fixture
def publish(articles: Path, tmp_path: Path) -> Publish:
    """Publish the articles, or keep those of the snapshot before; returns the counts of their copies."""
    store = SnapshotStore(tmp_path / "output").open()

    def call(run: str, *, keep: bool = False, ruleset: str = "r1", parts: Path = articles) -> dict[str, int]:
        with store.lock():
            staging = store.begin(run)
            for part in sorted((staging.previous / "articles" if keep and staging.previous else parts).iterdir()):
                target = staging.dataset("articles") / part.name
                target.hardlink_to(part) if keep else target.write_bytes(part.read_bytes())
            counts = write_duplicates(staging, store.output, ruleset=ruleset)
            store.publish(staging, ["articles", "duplicates"], {})
        return counts

    return call


def rows(output: Path) -> pl.DataFrame:
    return pl.read_parquet(output / "duplicates")


def test_copies_are_named_and_nothing_else_changes(publish: Publish, tmp_path: Path) -> None:
    assert publish("one") == {"exact": 1, "near": 1}
    found = rows(tmp_path / "output")
    assert found.select("doc_id", "duplicate_of", "kind").rows() == EXPECTED
    assert DUPLICATES.failures(found).is_empty()
    assert len(pl.read_parquet(tmp_path / "output" / "articles")) == len(PAGES)
    assert prove_duplicates((tmp_path / "output" / "current").resolve()) == ("2 copies of 1 articles", [])


def test_the_same_articles_keep_their_part(publish: Publish, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publish("one")
    (part,) = (tmp_path / "output" / "duplicates").iterdir()
    inode = part.stat().st_ino
    with monkeypatch.context() as nothing_is_read:
        nothing_is_read.setattr("flows.duplicates.find_repeats", None)
        assert publish("two", keep=True) == {"exact": 1, "near": 1}
    (part,) = (tmp_path / "output" / "duplicates").iterdir()
    assert part.stat().st_ino == inode
    publish("three", keep=True, ruleset="r2")
    (part,) = (tmp_path / "output" / "duplicates").iterdir()
    assert part.stat().st_ino != inode


def test_sketches_are_made_once_and_whatever_is_wrong_with_the_cache_does_not_matter(
    publish: Publish, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sketched: list[int] = []

    def counting(hashes: pl.Series, bodies: pl.Series) -> pl.DataFrame:
        sketched.append(len(hashes))
        return library.sketch(hashes, bodies)

    monkeypatch.setattr("flows.duplicates.sketch", counting)
    cache = tmp_path / "output" / ".sketches.parquet"

    def again(run: str) -> tuple[int, bytes]:
        sketched.clear()
        publish(run)
        (part,) = (tmp_path / "output" / "duplicates").iterdir()
        return sum(sketched), part.read_bytes()

    made, first = again("one")
    assert made == 4  # two pages of one body stand in one batch
    whole = cache.read_bytes()
    assert again("two") == (0, first)
    for n, spoilt in enumerate((whole[:200], b"", None, _altered(cache))):
        cache.unlink()
        if spoilt is not None:
            cache.write_bytes(spoilt)
        assert again(f"spoilt-{n}") == (4, first)
        assert cache.read_bytes() == whole
    monkeypatch.setattr("flows.duplicates.METHOD", "another")
    assert again("another-method")[0] == 4
    assert not [p for p in (tmp_path / "output" / ".snapshots").iterdir() if p.name.startswith(".")]


def _altered(cache: Path) -> bytes:
    """A cache in which one number is another, in a file that is sound otherwise."""
    table = pq.read_table(cache)
    numbers = table.column(table.num_columns - 1).to_pylist()
    numbers[0] = (numbers[0] or 0) + 1
    other = cache.with_name("other.parquet")
    last = table.num_columns - 1
    pq.write_table(table.set_column(last, table.field(last), pa.array(numbers, table.field(last).type)), other)
    raw = other.read_bytes()
    other.unlink()
    return raw


def test_bodies_are_compared_once(publish: Publish, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def counting(*arguments: Any) -> Any:
        asked.append(1)
        return likeness(*arguments)

    monkeypatch.setattr(library, "likeness", counting)
    cache = tmp_path / "output" / ".compared.parquet"

    def again(run: str) -> tuple[int, bytes]:
        asked.clear()
        publish(run)
        (part,) = (tmp_path / "output" / "duplicates").iterdir()
        return len(asked), part.read_bytes()

    made, first = again("one")
    assert made > 0
    whole = cache.read_bytes()
    assert again("two") == (0, first)
    cache.write_bytes(_altered(cache))
    assert again("spoilt") == (made, first)
    assert cache.read_bytes() == whole


def test_no_articles_no_copies(publish: Publish, tmp_path: Path) -> None:
    from flows.parts import write_part

    empty = tmp_path / "empty"
    empty.mkdir()
    write_part(ARTICLES.empty(), ARTICLES, empty / "part-00000.parquet", ruleset="r1")
    assert publish("none", parts=empty) == {"exact": 0, "near": 0}
    assert rows(tmp_path / "output").is_empty()


@pytest.mark.parametrize("sizes", [{}, {"buckets": 7, "shard_bytes": 1}], ids=["one shard", "many"])
def test_the_file_is_the_same_in_any_order_and_any_shards(sizes: dict[str, int], publish: Publish, tmp_path: Path) -> None:
    publish("one")
    before = (next((tmp_path / "output" / "duplicates").iterdir())).read_bytes()
    run_pages(PAGES[::-1], tmp_path / "again", **sizes)
    publish("two", parts=tmp_path / "again" / "articles")
    assert next((tmp_path / "output" / "duplicates").iterdir()).read_bytes() == before


@pytest.mark.server
def test_a_run_finds_the_update_among_the_seeds(seeds_published: tuple[Path, dict[str, Any]]) -> None:
    output, result = seeds_published
    assert result["duplicates"] == {"exact": 0, "near": 1}
    found = rows(output)
    assert found.select("doc_id", "duplicate_of").rows() == [("008_wire-tide-clock-update.txt", "007_wire-tide-clock.txt")]
    run = pl.read_parquet(output / "runs").row(0, named=True)
    assert (run["duplicates_exact"], run["duplicates_near"]) == (0, 1)
    assert "Of the articles, 0 have the body of another, and 1 is a near copy of one" in Path(result["report"]).read_text("utf-8")
