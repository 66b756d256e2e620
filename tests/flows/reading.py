"""Reading a source in tests."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import polars as pl

from flows.readers import PAGE_SCHEMA, ReadOptions, Source, open_source

BY_ID = ReadOptions(id_column="id")


def read(path: Path, options: ReadOptions | None = None) -> dict[str, dict[str, Any]]:
    """The pages of a source by doc_id."""
    return {page["doc_id"]: page for page in rows(open_source(path, options))}


def rows(source: Source) -> list[dict[str, Any]]:
    frames = list(source.batches())
    for frame in frames:
        assert frame.schema == pl.Schema(PAGE_SCHEMA)
        assert frame["doc_id"].null_count() == 0
    assert source.bytes_read == source.total_bytes
    return [row for frame in frames for row in frame.to_dicts()]


def checks(page: dict[str, Any]) -> list[str]:
    return [problem["check"] for problem in page["problems"]]


def digest(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()[:32]


def lines(path: Path, *records: object) -> Path:
    path.write_text("".join(r if isinstance(r, str) else json.dumps(r) + "\n" for r in records), "utf-8")
    return path
