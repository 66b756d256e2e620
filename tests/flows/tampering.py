"""Altering a published output in tests, with or without putting the manifest right."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from schemas import DATASETS

BY_NAME = {dataset.name: dataset for dataset in DATASETS}


def part(output: Path, dataset: str) -> Path:
    """The one part file of a dataset of the current snapshot."""
    (path,) = (output / "current" / dataset).glob("*.parquet")
    return path


def rewrite(output: Path, dataset: str, change: Callable[[pl.DataFrame], pl.DataFrame]) -> None:
    """Rewrite a part with its rows changed, and make the manifest say so: only the laws can notice."""
    path = part(output, dataset)
    frame = change(pl.read_parquet(path))
    schema = pq.read_schema(path)
    path.unlink()  # it may be linked into another snapshot
    pq.write_table(pa.table(frame.select(schema.names).to_arrow()).cast(schema), path, compression="zstd")
    manifest = path.parents[1] / "manifest.json"
    said = json.loads(manifest.read_text("utf-8"))
    for entry in said["files"]:
        if entry["dataset"] == dataset:
            raw = path.read_bytes()
            entry |= {"bytes": len(raw), "rows": len(frame), "sha256": hashlib.sha256(raw).hexdigest()}
    manifest.write_text(json.dumps(said), "utf-8")


def where(column: str, row: int, value: object) -> Callable[[pl.DataFrame], pl.DataFrame]:
    """A change of one value of one row."""

    def change(frame: pl.DataFrame) -> pl.DataFrame:
        values = frame[column].to_list()
        values[row] = value
        return frame.with_columns(pl.Series(column, values, dtype=frame.schema[column]))

    return change
