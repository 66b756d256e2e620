"""Part files: how every Parquet file of every dataset is written, and read back."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq

from copydesk import __version__
from flows.errors import RunError
from schemas import Dataset

ROW_GROUP_BYTES = 32_000_000
"""Bytes of a row group before compression: what a reader holds at once."""
ROW_BYTES = 200
"""Of them, what a row takes beside its text."""
ZSTD_LEVEL = 3
"""pyarrow's own is 1: a tenth more bytes, for 20 ms less of CPU time a thousand pages."""
REPEATING = frozenset({
    "publisher", "language", "role", "rule", "ruleset", "confidence", "doc_id", "published_zone",
    "published_zone_source",
})  # fmt: skip
"""Columns whose values repeat, and so are cheaper as a dictionary."""
PLACES = frozenset({"line_no", "char_start", "char_end"})
"""Columns of numbers that grow by little from row to row."""
BY_DIFFERENCE = "DELTA_BINARY_PACKED"


def write_part(frame: pl.DataFrame, dataset: Dataset, path: Path, *, ruleset: str) -> int:
    """Write one part file with the dataset's own Arrow schema, zstd and page index; returns its rows.

    The bytes depend on the rows, the schema, the rule-set and the version of copydesk alone.
    """
    schema = dataset.arrow_schema(**{"copydesk.ruleset": ruleset, "copydesk.version": __version__})
    # in one piece, and counted by its values: how a frame came to lie in memory must not show in the file
    table = frame.select(schema.names).to_arrow().cast(schema).combine_chunks()
    size = ROW_BYTES * len(frame) + sum(frame.select(pl.col(pl.String).str.len_bytes().sum()).row(0))
    rows = max(1, len(frame) * ROW_GROUP_BYTES // max(size, 1))
    pq.write_table(
        table, path, row_group_size=rows, compression="zstd", compression_level=ZSTD_LEVEL, write_page_index=True,
        use_dictionary=_named(dataset, REPEATING),
        column_encoding=dict.fromkeys(_named(dataset, PLACES), BY_DIFFERENCE),
    )  # fmt: skip
    return len(frame)


def put_part(frame: pl.DataFrame, dataset: Dataset, folder: Path, number: int, *, ruleset: str, scratch: Path) -> None:
    """Write a part of a dataset below `folder`, whole or not at all; without rows there is none. See `whole_file`."""
    if len(frame):
        path = folder / dataset.name / f"part-{number:05}.parquet"
        path.parent.mkdir(exist_ok=True)
        with whole_file(path, scratch) as unfinished:
            write_part(frame, dataset, unfinished, ruleset=ruleset)


@contextmanager
def whole_file(path: Path, scratch: Path) -> Iterator[Path]:
    """Give a path in `scratch`, on the same file system, and put what is written there at `path` at once.

    A process that is killed leaves nothing at `path`, and two that do the same work do not meet.
    """
    unfinished = scratch / f"{path.name}.{secrets.token_hex(4)}"
    try:
        yield unfinished
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def read_part(path: Path, dataset: Dataset, columns: Sequence[str] = ()) -> pl.DataFrame:
    """The rows of one part file, with the contract's column types; `columns` are all where none is named.

    Columns that its schema did not have yet are null. Raises RunError, with the cure, for a file that cannot be read.
    """
    try:
        frame = pl.read_parquet(path, columns=list(columns) or None, glob=False, hive_partitioning=False)
    except (OSError, pl.exceptions.PolarsError) as error:
        said = (str(error).splitlines() or [""])[0]
        raise RunError(
            f"cannot read {dataset.name}/{path.name}: {said}; copydesk verify says what else is amiss, and"
            " copydesk run --fresh cleans everything anew"
        ) from error
    kinds = {name: kind for name, kind in dataset.columns.items() if not columns or name in columns}
    return frame.select(
        (pl.col(name) if name in frame.columns else pl.lit(None)).cast(kind).alias(name) for name, kind in kinds.items()
    )


def read_parts(paths: Iterable[Path], dataset: Dataset) -> pl.DataFrame:
    """All rows of some part files; see `read_part`."""
    parts = [read_part(path, dataset) for path in paths]
    return pl.concat(parts) if parts else dataset.empty()


def _named(dataset: Dataset, names: frozenset[str]) -> list[str]:
    """Those of some columns that a dataset has."""
    return sorted(names & set(dataset.columns))
