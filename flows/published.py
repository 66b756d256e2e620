"""An output as its readers find it."""

from __future__ import annotations

from pathlib import Path

from flows.errors import UsageError
from flows.snapshots import SnapshotStore


def published_store(output: Path | str) -> SnapshotStore:
    """The store of an output: a folder, or s3://bucket/prefix. Raises UsageError where there is none of ours."""
    store = SnapshotStore(output)
    if not store.is_ours():
        raise UsageError(f"{output} is no output of copydesk: name what `copydesk run --output` wrote")
    return store


def current_snapshot(store: SnapshotStore) -> Path:
    """The folder of the current snapshot, links resolved. Raises UsageError where there is none."""
    found = store.current()
    if found is None:
        raise UsageError(
            f"{store.name} has no published snapshot: run `copydesk run SOURCE --output {store.name}` first"
        )
    return found
