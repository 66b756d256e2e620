"""An output folder as its readers find it."""

from __future__ import annotations

from pathlib import Path

from flows.errors import UsageError
from flows.snapshots import SnapshotStore


def published_store(output: Path) -> SnapshotStore:
    """The store of an output folder. Raises UsageError where the folder is none of ours."""
    if not (output / ".copydesk").is_file():
        raise UsageError(
            f"{output} is no output folder of copydesk: name the folder that `copydesk run --output` wrote"
        )
    return SnapshotStore(output)


def current_snapshot(store: SnapshotStore) -> Path:
    """The folder of the current snapshot, links resolved. Raises UsageError where there is none."""
    found = store.current()
    if found is None:
        raise UsageError(
            f"{store.output} has no published snapshot: run `copydesk run SOURCE --output {store.output}` first"
        )
    return found
