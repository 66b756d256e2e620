"""Putting the pages of a run in one order, whatever order they came in.

Each page has a fixed place: its bucket by the hash of its doc_id, and inside its shard by doc_id and content
hash. So the shards, and with them every file a run writes, depend on the set of pages alone (law 5).

Pages are buffered, and a full buffer is written out as one Arrow file, in the order of the buckets and in BATCHES
record batches. In the end each run of buckets is read back from all of these, sorted, and written as a shard. At no
time is more in memory than one buffer and its sorted copy, or one shard and its sorted copy; buckets are so many that
one outgrows a shard only where all pages together have two terabytes of text.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pyarrow as pa

from flows.errors import RunError

__all__ = ["StagedShard", "bucket_of", "stage", "weight_of"]

BUCKETS = 65_536
BATCHES = 256
"""Record batches of a buffer on disk: each takes some bytes, however empty it is."""
HTML_OF_TEXT = 4
"""Bytes of HTML that weigh as one of text in a shard: most of a page is markup and scripts."""
HTML_PAGE = 64_000
"""A page of so much HTML or less weighs all of it: some are nearly all text, and what is cleaned at once must fit."""
LINE = 50
"""Bytes that a line weighs at least: cleaning holds some 2 kB of a line, however short. News has more."""
TAGS_OF_LINE = 4
"""Tags of an HTML page that make a line."""
# The first two are the order that is promised. The rest break ties between pages of one id, so that no two
# pages that differ could change places.
_ORDER = (
    pl.col("doc_id"),
    pl.col("content_hash"),
    pl.col("source"),
    pl.col("url"),
    pl.col("encoding"),
    pl.col("fetched_at"),
    pl.col("text").is_null(),
    pl.col("html").is_null(),
    pl.col("problems").list.eval(pl.element().struct.json_encode()).list.join(" "),
)
_BUCKET = "__bucket"


@dataclass(frozen=True, slots=True)
class StagedShard:
    """One file of pages in their order. `bytes` counts text and HTML as UTF-8, raw bytes as they are."""

    number: int
    path: Path
    pages: int
    characters: int
    bytes: int


def bucket_of(doc_id: str, buckets: int = BUCKETS) -> int:
    """The bucket of a page, from the first four bytes of its doc_id's sha256."""
    return int.from_bytes(hashlib.sha256(doc_id.encode()).digest()[:4], "big") % buckets


def stage(
    batches: Iterable[pl.DataFrame],
    folder: Path,
    *,
    buckets: int = BUCKETS,
    shard_bytes: int = 32_000_000,
    flush_bytes: int = 128_000_000,
    progress: Callable[[int, int], None] | None = None,
) -> list[StagedShard]:
    """Write `batches` of the page frame to `folder` as shards, `shard-00000.arrow` onwards.

    The shards and their content depend on the set of pages, `buckets` and `shard_bytes`, and not on the order
    of pages, the size of batches or `flush_bytes`. Shards weigh about the same, `shard_bytes` of text or HTML_OF_TEXT
    times as much HTML at most, and one bucket more. `progress` is told the pages and bytes staged so far
    after each batch. No pages, no shards.

    Raises RunError when the disk is full or will not be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for stray in (*folder.glob("shard-*.arrow"), *folder.glob("flush-*.arrow")):
            stray.unlink()
        return _stage(batches, folder, (buckets, shard_bytes, flush_bytes), progress)
    except OSError as error:
        raise RunError(
            f"cannot stage pages in {folder}: {error.strerror or error}; free some space or write elsewhere"
        ) from error


def _stage(
    batches: Iterable[pl.DataFrame],
    folder: Path,
    sizes: tuple[int, int, int],
    progress: Callable[[int, int], None] | None,
) -> list[StagedShard]:
    buckets, shard_bytes, flush_bytes = sizes
    weights = [0] * buckets
    waiting: list[pl.DataFrame] = []
    flushed: list[Path] = []
    held = pages = total = 0
    for batch in batches:
        if batch.is_empty():
            continue
        placed = _placed(batch, buckets)
        for bucket, size, weight in placed.group_by(_BUCKET).agg(weight_of().sum(), _as_text().sum()).iter_rows():
            weights[bucket] += weight
            held += size
            total += size
        pages += placed.height
        waiting.append(placed)
        if held >= flush_bytes:
            flushed.append(_flush(waiting, folder / f"flush-{len(flushed):05}.arrow", buckets))
            waiting, held = [], 0
        if progress:
            progress(pages, total)
    if not pages:
        return []
    groups = _groups(weights, shard_bytes)
    if flushed and waiting:
        flushed.append(_flush(waiting, folder / f"flush-{len(flushed):05}.arrow", buckets))
        waiting = []
    rows = _from_disk(flushed, groups, buckets) if flushed else _from_memory(waiting, groups)
    shards = [_write_shard(frame, folder, number) for number, frame in enumerate(rows)]
    for path in flushed:
        path.unlink()
    return shards


def _placed(batch: pl.DataFrame, buckets: int) -> pl.DataFrame:
    """`batch` with the bucket of each page."""
    places = [bucket_of(doc_id, buckets) for doc_id in batch["doc_id"].to_list()]
    return batch.with_columns(pl.Series(_BUCKET, places, dtype=pl.UInt32))


def weight_of() -> pl.Expr:
    """The bytes of a page. One more, so that pages without any still count."""
    return (
        pl.col("text").str.len_bytes().cast(pl.Int64).fill_null(0)
        + pl.col("html").str.len_bytes().cast(pl.Int64).fill_null(0)
        + pl.col("raw").bin.size().cast(pl.Int64).fill_null(0)
        + 1
    ).alias("weight")


def _as_text() -> pl.Expr:
    """The bytes of text that take as long to clean as a page: what fills a shard."""
    html = pl.col("html").str.len_bytes().cast(pl.Int64).fill_null(0)
    text = weight_of() - html
    lines = _count("text", "\n")
    lines_of_html = _count("html", "<") // TAGS_OF_LINE
    of_html = pl.max_horizontal(html // HTML_OF_TEXT, pl.min_horizontal(html, HTML_PAGE), lines_of_html * LINE)
    return (pl.max_horizontal(text, lines * LINE) + of_html).alias("as_text")


def _count(column: str, sign: str) -> pl.Expr:
    return pl.col(column).str.count_matches(sign, literal=True).cast(pl.Int64).fill_null(0)


def _groups(weights: list[int], shard_bytes: int) -> list[range]:
    """Consecutive buckets in groups of about the same weight: as few as hold `shard_bytes` or less each."""
    groups: list[range] = []
    total = sum(weights)
    count = -(-total // shard_bytes)
    start = weight = full = 0
    for bucket, more in enumerate(weights):
        weight += more
        if weight * count // total > full:
            full = weight * count // total
            groups.append(range(start, bucket + 1))
            start = bucket + 1
    return groups


def _width(buckets: int) -> int:
    """Buckets whose pages share a record batch of a buffer on disk."""
    return -(-buckets // BATCHES)


def _flush(waiting: list[pl.DataFrame], path: Path, buckets: int) -> Path:
    """Write the buffer as one Arrow file, sorted by bucket: record batch `n` has the `n`th `_width` of buckets."""
    frame = pl.concat(waiting).sort(_BUCKET)
    counts = dict(frame.group_by(pl.col(_BUCKET) // _width(buckets)).len().iter_rows())
    table = frame.to_arrow(compat_level=pl.CompatLevel.oldest())
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        start = 0
        for number in range(BATCHES):
            count = counts.get(number, 0)
            part = table.slice(start, count).combine_chunks()
            for batch in part.to_batches() or [pa.RecordBatch.from_pylist([], schema=table.schema)]:
                writer.write_batch(batch)
            start += count
    return path


def _from_disk(flushed: list[Path], groups: list[range], buckets: int) -> Iterator[pl.DataFrame]:
    width = _width(buckets)
    for group in groups:
        parts = []
        for path in flushed:
            # Opened anew for each shard: a long run has more flushes than a process may have open files.
            with pa.memory_map(str(path)) as source:
                reader = pa.ipc.open_file(source)
                for number in range(group.start // width, (group.stop - 1) // width + 1):
                    batch = reader.get_batch(number)
                    of_rows = pl.Series(batch.column(_BUCKET))
                    start, stop = of_rows.search_sorted(pl.Series([group.start, group.stop])).to_list()
                    if stop > start:
                        parts.append(batch.slice(start, stop - start))
        yield _frame(pa.Table.from_batches(parts)).drop(_BUCKET)


def _from_memory(waiting: list[pl.DataFrame], groups: list[range]) -> Iterator[pl.DataFrame]:
    whole = pl.concat(waiting)
    for group in groups:
        yield whole.filter(pl.col(_BUCKET).is_between(group.start, group.stop, closed="left")).drop(_BUCKET)


def _frame(table: pa.Table) -> pl.DataFrame:
    frame = pl.from_arrow(table)
    if not isinstance(frame, pl.DataFrame):
        raise TypeError("a table must become a frame")
    return frame


def _write_shard(frame: pl.DataFrame, folder: Path, number: int) -> StagedShard:
    path = folder / f"shard-{number:05}.arrow"
    frame = frame.sort(_ORDER, nulls_last=True, maintain_order=True)
    # The oldest layout is the one every Arrow reader knows.
    frame.rechunk().write_ipc(path, compression="uncompressed", compat_level=pl.CompatLevel.oldest())
    size = frame.select(weight_of().sum() - pl.len(), pl.col("text").str.len_chars().sum()).row(0)
    return StagedShard(number, path, frame.height, characters=int(size[1]), bytes=int(size[0]))
