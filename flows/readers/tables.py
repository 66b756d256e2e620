"""Parquet tables: one page a row, read a part of a row group at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from flows.decode import SUSPECT, decode_string
from flows.errors import UsageError
from flows.readers.frame import (
    PAGE_SCHEMA,
    Page,
    PageBuffer,
    Problem,
    ReadOptions,
    content_hash,
    moment,
    page_of_bytes,
    problem,
    problem_lists,
    too_large,
)
from flows.readers.listing import Found
from flows.readers.texts import unreadable

__all__ = ["check_parquet", "read_parquet"]

_MAX_ROWS = 16_384
_NEVER = pl.lit(None, PAGE_SCHEMA["fetched_at"])


def check_parquet(found: Found, options: ReadOptions) -> None:
    """Raise UsageError when `found` lacks a column that was asked for, or its type cannot serve."""
    schema = pq.read_schema(found.path)
    wanted = (
        ("--text-column", options.text_column, _is_textual, "text or bytes"),
        ("--id-column", options.id_column, _is_identity, "text or whole numbers"),
        ("--url-column", options.url_column, _is_string, "text"),
        ("--fetched-column", options.fetched_column, _is_moment, "timestamps or text in ISO 8601"),
    )
    for flag, name, fits, needed in wanted:
        if name is None:
            continue
        count = schema.names.count(name)
        columns = ", ".join(schema.names) or "none"
        if count != 1:
            how_many = "no column" if count == 0 else f"{count} columns"
            raise UsageError(f"{found.name} has {how_many} {name!r}; its columns are {columns}; set {flag}")
        kind = _plain(schema.field(name).type)
        if not fits(kind):
            raise UsageError(
                f"{found.name}: column {name!r} is {kind}, but must be {needed};"
                f" its columns are {columns}; set {flag}"
            )


def read_parquet(found: Found, table: str, options: ReadOptions) -> Iterator[tuple[pl.DataFrame, int]]:
    """The pages of `found` as page frames, each with its share of the bytes on disk.

    Rows without an id are named `<file>:<row>`, the first row being 0. `table` is what stands before `#` in
    the pages' source. A table that breaks half way gives its pages so far and one page for the rest.
    """
    row = 0
    asked = (options.text_column, options.id_column, options.url_column, options.fetched_column)
    columns = [c for c in asked if c is not None]
    try:
        with pq.ParquetFile(found.path, memory_map=False, pre_buffer=False, buffer_size=1 << 20) as file:
            whole = max(file.metadata.num_rows, 1)
            for group in range(file.metadata.num_row_groups):
                rows = _rows_at_once(file, group, options)
                for batch in file.iter_batches(
                    rows, row_groups=[group], columns=list(dict.fromkeys(columns))
                ):
                    frame = _pages(batch, row, found.name, table, options)
                    consumed = found.bytes * (row + batch.num_rows) // whole - found.bytes * row // whole
                    row += batch.num_rows
                    parts = _parts(frame, options.batch_bytes)
                    for n, part in enumerate(parts):
                        yield part, consumed if n == len(parts) - 1 else 0
    except (OSError, pa.ArrowException) as error:
        buffer = PageBuffer(0)
        buffer.add(unreadable(found, error, f"row {row}" if row else ""))
        yield buffer.take(), 0


def _plain(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _is_string(kind: pa.DataType) -> bool:
    types = pa.types
    return bool(
        types.is_string(kind)
        or types.is_large_string(kind)
        or types.is_string_view(kind)
        or types.is_null(kind)
    )


def _is_moment(kind: pa.DataType) -> bool:
    return _is_string(kind) or bool(pa.types.is_timestamp(kind))


def _is_binary(kind: pa.DataType) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind))


def _is_textual(kind: pa.DataType) -> bool:
    return _is_string(kind) or _is_binary(kind)


def _is_identity(kind: pa.DataType) -> bool:
    return _is_string(kind) or bool(pa.types.is_integer(kind))


def _rows_at_once(file: pq.ParquetFile, group: int, options: ReadOptions) -> int:
    """Rows of a row group that make about one batch, by the size of its text column."""
    stated = file.metadata.row_group(group)
    size = sum(
        int(stated.column(n).total_uncompressed_size)
        for n in range(stated.num_columns)
        if stated.column(n).path_in_schema == options.text_column
    )
    if not size or not stated.num_rows:
        return _MAX_ROWS
    return max(1, min(_MAX_ROWS, options.batch_bytes * int(stated.num_rows) // size))


def _pages(batch: pa.RecordBatch, row: int, name: str, table: str, options: ReadOptions) -> pl.DataFrame:
    """The page frame of some rows, the first of them being `row`."""
    problems: list[list[Problem]] = [[] for _ in range(batch.num_rows)]
    ids = _ids(batch, row, name, options, problems)
    text = batch.column(options.text_column)
    known = {
        "doc_id": ids,
        "url": _strings(batch.column(options.url_column)) if options.url_column else None,
        "source": f"{table}#" + ids,
    }
    if not _is_binary(_plain(text.type)):
        text = text.cast(pa.large_string())
        try:
            text.validate(full=True)
        except pa.ArrowInvalid:
            text = text.cast(pa.large_binary())  # Some writers label bytes as strings.
    else:
        text = text.cast(pa.large_binary())
    columns = (
        _decoded(text, options, problems)
        if pa.types.is_large_binary(text.type)
        else _checked(text, options, problems)
    )
    frame = pl.DataFrame({"doc_id": ids, **columns}).with_columns(
        url=pl.lit(None, pl.String) if known["url"] is None else known["url"],
        source=known["source"],
        problems=problem_lists(problems),
        fetched_at=_moments(batch.column(options.fetched_column)) if options.fetched_column else _NEVER,
    )
    return frame.with_columns(pl.col("url").replace("", None)).select(*PAGE_SCHEMA)


def _ids(
    batch: pa.RecordBatch, row: int, name: str, options: ReadOptions, problems: list[list[Problem]]
) -> pl.Series:
    """The doc_id of each row. Adds a problem to each row whose id column identifies nothing."""
    places = pl.Series("doc_id", range(row, row + batch.num_rows), dtype=pl.Int64)
    made = f"{name}:" + places.cast(pl.String)
    if options.id_column is None:
        return made.alias("doc_id")
    given = _strings(batch.column(options.id_column))
    missing = given.is_null() | (given.str.strip_chars() == "")
    for n in missing.arg_true():
        problems[n].append(problem("no_id", options.id_column, f"row {row + n}"))
    return given.zip_with(~missing, made).alias("doc_id")


def _strings(column: pa.Array) -> pl.Series:
    text = column.cast(pa.large_string())
    try:
        text.validate(full=True)
    except pa.ArrowInvalid:
        raw = text.cast(pa.large_binary()).to_pylist()
        return pl.Series(
            [None if v is None else v.decode("utf-8", "backslashreplace") for v in raw], dtype=pl.String
        )
    return _series(text)


def _moments(column: pa.Array) -> pl.Series:
    """Instants in UTC; a timestamp without a zone is taken to be in UTC."""
    if not pa.types.is_timestamp(column.type):
        given = _strings(column).to_list()
        return pl.Series([moment(text) for text in given], dtype=PAGE_SCHEMA["fetched_at"])
    series = _series(column)
    if series.dtype.time_zone is None:  # type: ignore[attr-defined]
        series = series.dt.replace_time_zone("UTC")
    return series.dt.convert_time_zone("UTC").cast(PAGE_SCHEMA["fetched_at"])


def _series(array: pa.Array) -> pl.Series:
    series = pl.from_arrow(array)
    if not isinstance(series, pl.Series):
        raise TypeError("an array must become a series")
    return series


def _hashes(text: pa.Array) -> list[str]:
    """The content hash of each value, straight from the buffers; that of nothing where there is no value."""
    _, offset_buffer, data_buffer = text.buffers()
    if data_buffer is None:
        return [content_hash(b"")] * len(text)
    offsets = memoryview(offset_buffer).cast("q")[text.offset : text.offset + len(text) + 1]
    data = memoryview(data_buffer)
    return [content_hash(data[offsets[n] : offsets[n + 1]]) for n in range(len(text))]


def _checked(text: pa.Array, options: ReadOptions, problems: list[list[Problem]]) -> dict[str, pl.Series]:
    """A column of strings: everything at once, and only the odd rows one by one."""
    column = options.text_column
    given = _series(text)
    sizes = given.str.len_bytes()
    for n in given.is_null().arg_true():
        problems[n].append(problem("no_text", column, "null"))
    bad = set()
    for n in (sizes > options.max_page_bytes).arg_true():
        problems[n].append(too_large(int(sizes[n]), column, options))
        bad.add(n)
    for n in given.str.contains(SUSPECT).arg_true():
        if n not in bad and (decoded := decode_string(given[n])).problem:
            problems[n].append(problem(decoded.problem, column, decoded.detail or ""))
            bad.add(n)
    # Each of these copies the column, so none is done that is not needed.
    clean = given
    if clean.str.starts_with("\ufeff").any():
        clean = clean.str.strip_prefix("\ufeff")
    if clean.str.contains("\r", literal=True).any():
        clean = clean.str.replace_all("\r\n", "\n", literal=True).str.replace_all("\r", "\n", literal=True)
    raw = pl.Series([None], dtype=pl.Binary).new_from_index(0, len(given))
    if bad:
        good = pl.Series([n not in bad for n in range(len(given))], dtype=pl.Boolean)
        raw = raw.zip_with(good, given.cast(pl.Binary))
        clean = clean.zip_with(good, pl.Series([None], dtype=pl.String).new_from_index(0, len(given)))
    return {
        "text": clean,
        "raw": raw,
        "content_hash": pl.Series(_hashes(text), dtype=pl.String),
        "encoding": pl.Series(["utf-8" if there else None for there in clean.is_not_null()], dtype=pl.String),
    }


def _decoded(text: pa.Array, options: ReadOptions, problems: list[list[Problem]]) -> dict[str, Any]:
    """A column of bytes, decoded one by one."""
    pages = []
    for n, raw in enumerate(text.to_pylist()):
        if raw is None:
            page = Page("", "", None, content_hash(b""))
            problems[n].append(problem("no_text", options.text_column, "null"))
        else:
            page = page_of_bytes(raw, "", "", options, options.text_column)
            problems[n] += page.problems
        pages.append(page)
    names = ("text", "raw", "content_hash", "encoding")
    return {name: pl.Series([getattr(p, name) for p in pages], dtype=PAGE_SCHEMA[name]) for name in names}


def _parts(frame: pl.DataFrame, batch_bytes: int) -> list[pl.DataFrame]:
    """`frame` cut where its text grows beyond `batch_bytes`: a row group states a sum, and sizes vary."""
    size = pl.col("text").str.len_bytes().fill_null(0) + pl.col("raw").bin.size().fill_null(0)
    total = frame.select(size.cast(pl.Int64).cum_sum() // max(batch_bytes, 1)).to_series()
    if frame.height < 2 or total[-1] == 0:
        return [frame]
    return frame.with_columns(total.alias("__part")).partition_by(
        "__part", maintain_order=True, include_key=False
    )
