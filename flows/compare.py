"""What changed from one snapshot to another: rows added, changed and gone, by dataset and by field.

Part files that both snapshots have are not looked at. Of the others each row becomes its key and a hash of each of its
fields, so that what is held at once is small beside the text; the few rows that are shown are read again.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from flows.parts import read_part
from flows.snapshots.files import parts_of, read_manifest
from flows.snapshots.shelf import Fetch, File, nothing_to_fetch
from schemas import ARTICLES, DATASETS, DUPLICATES, LEDGER, QUARANTINE, RUNS, Dataset

KEYS: dict[str, tuple[str, ...]] = {
    ARTICLES.name: ("doc_id",),
    LEDGER.name: ("doc_id", "line_no", "char_start"),
    QUARANTINE.name: ("doc_id", "source", "content_hash"),
    DUPLICATES.name: ("doc_id",),
    RUNS.name: ("run_id",),
}
"""What names a row of a dataset."""
EXAMPLES = 3


@dataclasses.dataclass(frozen=True, slots=True)
class Example:
    """A row that changed: its key, and a field before and after."""

    key: str
    before: Any
    after: Any


@dataclasses.dataclass(frozen=True, slots=True)
class Difference:
    """How a dataset differs: rows added, gone and changed with examples of their keys, and changes by field."""

    dataset: str
    added: int
    gone: int
    changed: int
    added_keys: list[str]
    gone_keys: list[str]
    fields: dict[str, tuple[int, list[Example]]]


def compare(old: Path, new: Path, fetch: Fetch = nothing_to_fetch) -> Iterator[Difference]:
    """How each dataset differs from the snapshot `old` to `new`. Raises RunError for a part that is lost."""
    for dataset in DATASETS:
        before, after = _differing(old, new, dataset.name, fetch)
        yield _difference(dataset, before, after)


def _differing(old: Path, new: Path, dataset: str, fetch: Fetch) -> tuple[list[Path], list[Path]]:
    """The parts of each snapshot that the other has not."""

    def parts(folder: Path) -> dict[str, File]:
        return {part["sha256"]: f for f, part in parts_of(read_manifest(folder)).items() if f[0] == dataset}

    def fetched(folder: Path, here: dict[str, File], there: dict[str, File]) -> list[Path]:
        files = [file for digest, file in here.items() if digest not in there]
        fetch(folder, files)
        return [folder / name / file for name, file in files]

    before, after = parts(old), parts(new)
    return fetched(old, before, after), fetched(new, after, before)


def _difference(dataset: Dataset, before: Sequence[Path], after: Sequence[Path]) -> Difference:
    keys = KEYS[dataset.name]
    fields = [name for name in dataset.columns if name not in keys]
    rows = _hashed(before, dataset, keys, fields).join(
        _hashed(after, dataset, keys, fields), on=keys, how="full", coalesce=True, suffix="_after", nulls_equal=True
    )
    only_old, only_new = pl.col("here_after").is_null(), pl.col("here").is_null()
    both = rows.filter(~only_old & ~only_new)
    differs = {name: both.filter(pl.col(name) != pl.col(f"{name}_after")).select(keys) for name in fields}
    changed = pl.concat([both.select(keys).clear(), *differs.values()]).n_unique()
    examples = {name: found.sort(keys).head(EXAMPLES) for name, found in differs.items() if len(found)}
    shown = pl.concat([both.select(keys).clear(), *examples.values()]).unique()
    was, now = (_read_rows(parts, dataset, keys, shown) for parts in (before, after))
    return Difference(
        dataset.name,
        int(rows.select(only_new.sum()).item()),
        int(rows.select(only_old.sum()).item()),
        changed,
        _named(rows.filter(only_new), keys),
        _named(rows.filter(only_old), keys),
        {
            name: (
                len(differs[name]),
                [Example(_name(key), was[key][name], now[key][name]) for key in found.iter_rows()],
            )
            for name, found in examples.items()
        },
    )


def _hashed(parts: Sequence[Path], dataset: Dataset, keys: Sequence[str], fields: Sequence[str]) -> pl.DataFrame:
    """Key, `here`, and the hash of every field of each row."""
    schema: dict[str, Any] = {n: dataset.columns[n] for n in keys}
    schema |= dict.fromkeys(fields, pl.UInt64) | {"here": pl.Boolean}
    frames = [pl.DataFrame(schema=schema)]
    for part in parts:
        rows = read_part(part, dataset)
        # a field that an older schema lacks is null, as is one that is not known: neither is a change
        frames.append(rows.select(*keys, *(pl.col(n).hash() for n in fields), here=pl.lit(value=True)))
    return pl.concat(frames)


def _read_rows(
    parts: Sequence[Path], dataset: Dataset, keys: Sequence[str], wanted: pl.DataFrame
) -> dict[tuple[Any, ...], dict[str, Any]]:
    """A few rows, by key."""
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for part in parts if len(wanted) else ():
        rows = read_part(part, dataset).join(wanted, on=keys, how="semi")
        found.update({tuple(row[k] for k in keys): row for row in rows.iter_rows(named=True)})
    return found


def _named(rows: pl.DataFrame, keys: Sequence[str]) -> list[str]:
    return [_name(key) for key in rows.select(keys).sort(keys).head(EXAMPLES).iter_rows()]


def _name(key: tuple[Any, ...]) -> str:
    return " ".join(str(part) for part in key)
