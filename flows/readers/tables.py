"""Parquet and Arrow tables: one page a row, read a part at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import IO

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from flows.decode import MOJIBAKE, REPAIRED, SUSPECT, decode_string
from flows.errors import UsageError
from flows.readers.frame import (
    PAGE_SCHEMA,
    Form,
    Page,
    Problem,
    ReadOptions,
    content_hash,
    moment,
    page_of_bytes,
    problem,
    problem_lists,
    too_large,
    unreadable,
)
from flows.readers.known import KnownPages, page_hashes
from flows.readers.packing import BROKEN, Entry, why_of

__all__ = ["check_arrow", "check_parquet", "read_arrow", "read_parquet"]

_MAX_ROWS = 16_384
_Sure = Callable[[pl.Series, pl.Series], pl.Series]
_NEVER = pl.lit(None, PAGE_SCHEMA["fetched_at"])
_ARROW_FILE = b"ARROW1"
_AS_BYTES = {
    pa.string(): pa.binary(), pa.large_string(): pa.large_binary(), pa.string_view(): pa.binary_view(),
}  # fmt: skip
_ODD = f"{SUSPECT}|{MOJIBAKE}"
"""A pattern for texts that `decode_string` must look at; all others can only need their line ends changed."""


def check_parquet(entry: Entry, options: ReadOptions) -> None:
    """Raise UsageError when `entry` lacks a column that was asked for, or its type cannot serve."""
    _check(entry.name, pq.read_schema(entry.whole()), options)


def check_arrow(entry: Entry, options: ReadOptions) -> None:
    """The same for an Arrow file or stream."""
    _check(entry.name, _open_arrow(entry.whole()).schema, options)


def read_parquet(entry: Entry, options: ReadOptions) -> Iterator[pl.DataFrame | Page]:
    """The pages of `entry` as page frames.

    Rows without an id are named `<file>:<row>`, the first row being 0. A table that breaks half way gives its pages
    so far and one page for the rest.
    """
    row = 0
    try:
        with pq.ParquetFile(entry.whole(), memory_map=False, pre_buffer=False, buffer_size=1 << 20) as file:
            columns = _columns(file.schema_arrow, options)
            for group in range(file.metadata.num_row_groups):
                rows = _rows_at_once(file, group, options)
                for batch in file.iter_batches(rows, row_groups=[group], columns=columns):
                    yield from _parts(_pages(batch, row, entry, options), options.batch_bytes)
                    row += batch.num_rows
    except BROKEN as error:
        yield unreadable(entry.name, entry.name, entry.trouble or why_of(error), f"row {row}" if row else "")


def read_arrow(entry: Entry, options: ReadOptions) -> Iterator[pl.DataFrame | Page]:
    """The same for an Arrow file (Feather) or stream. A record batch of it is in memory at a time, however large."""
    row = 0
    try:
        for whole in _record_batches(_open_arrow(entry.whole())):
            columns = _columns(whole.schema, options)
            for name in columns:
                _validate(whole.column(name))
            size = sum(whole.column(name).nbytes for name in columns)
            rows = max(1, min(_MAX_ROWS, options.batch_bytes * whole.num_rows // max(size, 1)))
            for start in range(0, whole.num_rows, rows):
                batch = _without_views(whole.select(columns).slice(start, rows))
                yield from _parts(_pages(batch, row, entry, options), options.batch_bytes)
                row += batch.num_rows
    except BROKEN as error:
        yield unreadable(entry.name, entry.name, entry.trouble or why_of(error), f"row {row}" if row else "")


def _validate(column: pa.Array) -> None:
    """Raise ArrowInvalid for a column that points beyond its bytes: a broken Arrow file would crash the process.

    Strings are looked at as bytes: those that are no UTF-8 are found out later, one by one.
    """
    if pa.types.is_dictionary(column.type):
        _validate(column.dictionary)
        pa.DictionaryArray.from_arrays(column.indices, pa.nulls(len(column.dictionary)))
    else:
        as_bytes = _AS_BYTES.get(column.type)
        (column.view(as_bytes) if as_bytes else column).validate(full=True)


def _without_views(batch: pa.RecordBatch) -> pa.RecordBatch:
    """`batch` with its views of strings as strings: pyarrow's own cast follows what a broken null points to."""
    columns = []
    for column in batch.columns:
        if pa.types.is_string_view(column.type) or pa.types.is_binary_view(column.type):
            raw = pa.array(column.view(pa.binary_view()).to_pylist(), pa.large_binary())
            columns.append(raw.view(pa.large_string()) if pa.types.is_string_view(column.type) else raw)
        else:
            columns.append(column)
    return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)


def _open_arrow(file: IO[bytes]) -> pa.RecordBatchFileReader | pa.RecordBatchStreamReader:
    head = file.read(len(_ARROW_FILE))
    file.seek(0)
    return pa.ipc.open_file(file) if head == _ARROW_FILE else pa.ipc.open_stream(file)


def _record_batches(
    reader: pa.RecordBatchFileReader | pa.RecordBatchStreamReader,
) -> Iterator[pa.RecordBatch]:
    if isinstance(reader, pa.RecordBatchFileReader):
        return (reader.get_batch(n) for n in range(reader.num_record_batches))
    return iter(reader)


def _check(name: str, schema: pa.Schema, options: ReadOptions) -> None:
    if wrong := options.missing(schema.names):
        raise UsageError(f"{name} has {wrong}")
    contents = [("--text-column" if form == "text" else "--html-column", column)
                for column, form in options.contents.items()]  # fmt: skip
    wanted = (
        *((flag, column, _is_textual, "text or bytes") for flag, column in contents),
        ("--id-column", options.id_column, _is_identity, "text or whole numbers"),
        ("--url-column", options.url_column, _is_string, "text"),
        ("--fetched-column", options.fetched_column, _is_moment, "timestamps or text in ISO 8601"),
    )
    for flag, column, fits, needed in wanted:
        if column is None or column not in schema.names:
            continue
        columns = ", ".join(schema.names)
        count = schema.names.count(column)
        if count > 1:
            raise UsageError(f"{name} has {count} columns {column!r}; its columns are {columns}; set {flag}")
        kind = _plain(schema.field(column).type)
        if not fits(kind):
            raise UsageError(
                f"{name}: column {column!r} is {kind}, but must be {needed}; its columns are {columns}; set {flag}"
            )


def _columns(schema: pa.Schema, options: ReadOptions) -> list[str]:
    """The columns to read. Raises UsageError where they cannot serve."""
    _check("the table", schema, options)
    asked = dict.fromkeys((*options.contents, *options.asked.values()))
    return [name for name in asked if name in schema.names]


def _plain(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _is_string(kind: pa.DataType) -> bool:
    types = pa.types
    return bool(
        types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind) or types.is_null(kind)
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
    """Rows of a row group that make about one batch, by the size of its columns of text."""
    stated = file.metadata.row_group(group)
    size = sum(
        int(stated.column(n).total_uncompressed_size)
        for n in range(stated.num_columns)
        if stated.column(n).path_in_schema in options.contents
    )
    if not size or not stated.num_rows:
        return _MAX_ROWS
    return max(1, min(_MAX_ROWS, options.batch_bytes * int(stated.num_rows) // size))


def _pages(batch: pa.RecordBatch, row: int, entry: Entry, options: ReadOptions) -> pl.DataFrame:
    """The page frame of some rows, the first of them being `row`."""
    problems: list[list[Problem]] = [[] for _ in range(batch.num_rows)]
    ids = _ids(batch, row, entry.name, options, problems)
    told = pl.DataFrame({"doc_id": ids}).with_columns(
        url=_strings(batch.column(options.url_column)) if options.url_column else pl.lit(None, pl.String),
        source=f"{entry.table}#" + ids,
        fetched_at=_moments(batch.column(options.fetched_column)) if options.fetched_column else _NEVER,
    )
    told = told.with_columns(pl.col("url").replace("", None))
    columns = {name: form for name, form in options.contents.items() if name in batch.schema.names}
    # where a page may stand in either of two columns, all are looked at
    known = entry.known if len(columns) == 1 else None
    frame = None
    for name, form in columns.items():
        given = None if frame is None else frame["there"]
        sure = partial(_sure, told.with_columns(problems=problem_lists(problems)), form, known) if known else None
        content = _content(batch.column(name), name, form, given, options, problems, sure)
        if frame is not None and given is not None:
            content = pl.DataFrame([frame[n].zip_with(given, content[n]) for n in frame.columns])
        frame = content
    if frame is None:
        raise UsageError("a table without text")  # `_columns` has refused it before
    for n in (~frame["there"]).arg_true():
        problems[n].append(problem("no_text", next(iter(columns)), "null"))
    return frame.with_columns(told).with_columns(problems=problem_lists(problems)).select(*PAGE_SCHEMA)


def _sure(told: pl.DataFrame, form: Form, known: KnownPages, text: pl.Series, hashes: pl.Series) -> pl.Series:
    """Of rows whose text needs no look, its encoding: with that it is a page that was read before. Null for the others.

    A byte order mark is left to be looked at, as a table of bytes reads it in another way.
    """
    other = "html" if form == "text" else "text"
    pages = told.with_columns(pl.lit(None, pl.String).alias(other), text.alias(form), content_hash=hashes)
    found = pl.Series([None], dtype=pl.String).new_from_index(0, len(text))
    left = (~text.str.starts_with("\ufeff")).fill_null(value=False).arg_true()
    for encoding in ("utf-8", REPAIRED):
        have = known.have(page_hashes(pages[left].with_columns(encoding=pl.lit(encoding))))
        found = found.scatter(left.filter(have), encoding)
        left = left.filter(~have)
    return found


def _content(
    values: pa.Array,
    column: str,
    form: Form,
    given: pl.Series | None,
    options: ReadOptions,
    problems: list[list[Problem]],
    sure: _Sure | None,
) -> pl.DataFrame:
    """What a column of pages gives to the page frame, and `there`: whether a row has a value at all.

    Rows that are `given` by another column already are left out. Adds to `problems` what is wrong with a value.
    """
    if not _is_binary(_plain(values.type)):
        values = values.cast(pa.large_string())
        try:
            values.validate(full=True)
        except pa.ArrowInvalid:
            values = values.cast(pa.large_binary())  # Some writers label bytes as strings.
    else:
        values = values.cast(pa.large_binary())
    if given is not None:
        values = pc.if_else(pa.array(given.to_list(), pa.bool_()), pa.scalar(None, values.type), values)
    if pa.types.is_large_binary(values.type):
        frame = _decoded(values, column, options, problems)
    else:
        frame = _checked(values, column, options, problems, sure)
    other = "html" if form == "text" else "text"
    return frame.rename({"text": form}).with_columns(
        pl.lit(None, pl.String).alias(other), there=_series(values.is_valid())
    )


def _ids(batch: pa.RecordBatch, row: int, name: str, options: ReadOptions, problems: list[list[Problem]]) -> pl.Series:
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
        return pl.Series([None if v is None else v.decode("utf-8", "backslashreplace") for v in raw], dtype=pl.String)
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


def _checked(
    text: pa.Array, column: str, options: ReadOptions, problems: list[list[Problem]], sure: _Sure | None
) -> pl.DataFrame:
    """A column of strings: everything at once, only the odd rows one by one, and those that are `sure` not at all."""
    given = _series(text)
    clean = given.clone()  # `scatter` changes the series itself
    hashes = pl.Series(_hashes(text), dtype=pl.String)
    rows, look = pl.int_range(len(given), eager=True), given
    if sure:
        settled = sure(given, hashes)
        rows = settled.is_null().arg_true()
        look = given.gather(rows)
    encoding: dict[int, str] = {}
    bad = set()
    for n in rows.filter(look.str.len_bytes() > options.max_page_bytes):
        problems[n].append(too_large(len(given[n].encode()), column, options))
        bad.add(n)
    repaired: dict[int, str] = {}
    for n in rows.filter(look.str.contains(_ODD)):
        if n in bad:
            continue
        decoded = decode_string(given[n])
        if decoded.text is None:
            problems[n].append(problem(str(decoded.problem), column, decoded.detail or ""))
            bad.add(n)
        elif decoded.encoding != "utf-8":
            repaired[n], encoding[n] = decoded.text, str(decoded.encoding)
    # Each of these copies what it changes, so no other rows are touched.
    if repaired:
        clean = clean.scatter(list(repaired), list(repaired.values()))
    if len(marked := rows.filter(look.str.starts_with("\ufeff"))):
        clean = clean.scatter(marked, clean.gather(marked).str.strip_prefix("\ufeff"))
    if len(returns := rows.filter(look.str.contains("\r", literal=True))):
        ended = clean.gather(returns).str.replace_all("\r\n", "\n", literal=True)
        clean = clean.scatter(returns, ended.str.replace_all("\r", "\n", literal=True))
    raw = pl.Series([None], dtype=pl.Binary).new_from_index(0, len(given))
    if bad:
        good = pl.Series([n not in bad for n in range(len(given))], dtype=pl.Boolean)
        raw = raw.zip_with(good, given.cast(pl.Binary))
        clean = clean.zip_with(good, pl.Series([None], dtype=pl.String).new_from_index(0, len(given)))
    encodings = pl.select(pl.when(clean.is_not_null()).then(pl.lit("utf-8"))).to_series()
    if sure:
        encodings = settled.zip_with(settled.is_not_null(), encodings)
    if encoding:
        encodings = encodings.scatter(list(encoding), list(encoding.values()))
    return pl.DataFrame({"text": clean, "raw": raw, "content_hash": hashes, "encoding": encodings})


def _decoded(text: pa.Array, column: str, options: ReadOptions, problems: list[list[Problem]]) -> pl.DataFrame:
    """A column of bytes, decoded one by one."""
    pages = []
    for n, raw in enumerate(text.to_pylist()):
        page = Page("", "", None, content_hash(b""))
        if raw is not None:
            page = page_of_bytes(raw, "", "", options, column)
            problems[n] += page.problems
        pages.append(page)
    names = ("text", "raw", "content_hash", "encoding")
    return pl.DataFrame({name: pl.Series([getattr(p, name) for p in pages], dtype=PAGE_SCHEMA[name]) for name in names})


def _parts(frame: pl.DataFrame, batch_bytes: int) -> list[pl.DataFrame]:
    """`frame` cut where its text grows beyond `batch_bytes`: a row group states a sum, and sizes vary."""
    sizes = (pl.col("text").str.len_bytes(), pl.col("html").str.len_bytes(), pl.col("raw").bin.size())
    size = pl.sum_horizontal(part.cast(pl.Int64).fill_null(0) for part in sizes)
    total = frame.select(size.cum_sum() // max(batch_bytes, 1)).to_series()
    if frame.height < 2 or total[-1] == 0:
        return [frame]
    return frame.with_columns(total.alias("__part")).partition_by("__part", maintain_order=True, include_key=False)
