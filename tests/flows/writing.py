"""Writing snapshots in tests."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from flows.snapshots import SnapshotStore, Staging

DATASETS = ("articles", "ledger", "runs")
PARTS = 3


def write(staging: Staging, mark: int, parts: int = PARTS) -> None:
    """Write datasets whose every row says which run it belongs to."""
    for name in DATASETS:
        for n in range(parts):
            frame = pl.DataFrame({"doc_id": [f"{n}-{row}" for row in range(50)], "mark": [mark] * 50})
            frame.write_parquet(staging.dataset(name) / f"part-{n:05}.parquet")


def run(store: SnapshotStore, mark: int, parts: int = PARTS) -> Path:
    with store.lock():
        staging = store.begin(f"run-{mark:04}")
        write(staging, mark, parts)
        return store.publish(staging, DATASETS, {"ruleset": "r1"})


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())
