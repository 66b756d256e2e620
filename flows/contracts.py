"""Parquet files held against their contract: the same look in `copydesk verify` and `copydesk schema --check`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from flows.errors import UsageError
from schemas import DATASETS, SCHEMA_VERSION, Dataset
from schemas.contract import FOOTER_SCHEMA
from schemas.dictionary import type_words

NAMED = 3
"""Rows of a file that are named for each check."""
BATCH_ROWS = 50_000


def open_parquet(path: Path) -> pq.ParquetFile:
    """A Parquet file. Raises UsageError where it is none."""
    try:
        return pq.ParquetFile(path)
    except (OSError, pa.ArrowException) as error:
        raise UsageError(f"{path} is no Parquet file that can be read: {error}") from error


def dataset_of(path: Path) -> Dataset | None:
    """The dataset that a file says it is of, in its footer; else the one its folder is named for."""
    stated = _stated(open_parquet(path).schema_arrow)
    names = {d.name: d for d in DATASETS}
    return names.get(stated[0] if stated else path.resolve().parent.name)


def column_differences(schema: pa.Schema, dataset: Dataset) -> list[str]:
    """Where a file's columns are not those of the contract, a line each: missing, surplus, retyped, out of order.

    That a file writes its text as `large_string` or as a dictionary is no difference: its readers see text.
    """
    lines = list(_version_differences(schema, dataset))
    wanted = dataset.arrow_schema()
    for field in wanted:
        at = schema.get_field_index(field.name)
        if at < 0:
            lines.append(f"column {field.name} ({type_words(field.type)}) is missing")
        elif (found := type_words(plain(schema.field(at).type))) != (due := type_words(field.type)):
            lines.append(f"column {field.name} is {found} and should be {due}")
    surplus = [f for f in schema if f.name not in wanted.names]
    lines += [f"column {f.name} ({type_words(plain(f.type))}) is not in the schema" for f in surplus]
    if not lines and schema.names != wanted.names:
        lines.append("its columns stand in another order")
    return lines


def row_differences(rows: pl.DataFrame, dataset: Dataset, first_row: int = 0) -> list[str]:
    """Where rows break their contract, a line for the first few of each check; rows count from `first_row`."""
    failures = dataset.failures(rows)
    few = failures.group_by("check", maintain_order=True).head(NAMED).select("row", "column", "check", "value")
    return [
        f"row {first_row + row}: {column or ''} {check} {value!r}".replace("  ", " ")
        for row, column, check, value in few.sort("row", maintain_order=True).iter_rows()
    ]


def file_differences(path: Path, dataset: Dataset) -> Iterator[str]:
    """All that a file lacks of its contract: its columns, and where these are right its rows, a batch at a time."""
    file = open_parquet(path)
    lines = column_differences(file.schema_arrow, dataset)
    yield from lines
    if lines:
        return
    first = 0
    for batch in file.iter_batches(batch_size=BATCH_ROWS):
        rows = contract_types(pl.DataFrame(batch), dataset)
        yield from row_differences(rows, dataset, first)
        first += len(rows)


def contract_types(rows: pl.DataFrame, dataset: Dataset) -> pl.DataFrame:
    """The columns of a dataset, in their order and with their types."""
    return rows.select(pl.col(name).cast(kind) for name, kind in dataset.columns.items())


def plain(kind: pa.DataType) -> pa.DataType:
    """The type that a reader sees, whatever layout a writer chose.

    >>> str(plain(pa.large_list(pa.dictionary(pa.int32(), pa.large_string()))))
    'list<item: string>'
    """
    if pa.types.is_dictionary(kind):
        return plain(kind.value_type)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return pa.list_(plain(kind.value_type))
    if pa.types.is_struct(kind):
        return pa.struct([pa.field(f.name, plain(f.type)) for f in kind])
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return pa.string()
    if pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind):
        return pa.binary()
    return kind


def _stated(schema: pa.Schema) -> tuple[str, str] | None:
    """Dataset and schema version, as a file's footer states them."""
    words = (schema.metadata or {}).get(FOOTER_SCHEMA.encode(), b"").decode(errors="replace").split()
    return (words[0], words[1]) if len(words) == 2 else None


def _version_differences(schema: pa.Schema, dataset: Dataset) -> Iterator[str]:
    stated = _stated(schema)
    if stated is None:
        return
    name, version = stated
    if name != dataset.name:
        yield f"its footer says that it is of {name}, not of {dataset.name}"
    if version.split(".")[0] != SCHEMA_VERSION.split(".")[0]:
        yield f"it is of schema {version}; this copydesk knows {SCHEMA_VERSION}"
