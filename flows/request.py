"""What a run is asked for, opened and checked before anything is started or written."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from copydesk import open_desk
from copydesk.cleaning import Desk
from copydesk.memory import Memory, load_memory
from copydesk.rules import RuleError
from flows.errors import UsageError
from flows.readers import ReadOptions, Source, open_source
from flows.refresh import Refresh
from flows.replay import Replay
from flows.snapshots import SnapshotStore
from flows.snapshots.files import state_of
from flows.state import State
from flows.workers import check_workers


@dataclasses.dataclass(frozen=True)
class Request:
    """The rules, the source and the output of a run, all of them usable."""

    desk: Desk
    source: Source | None
    store: SnapshotStore
    fresh: bool = False
    prune: bool = False
    learn: bool = False

    def reading(self, state: State) -> Refresh | Replay:
        """What is to be read: the source, or without one the quarantine."""
        if self.source is None:
            return Replay(state)
        return Refresh(self.source, state, fresh=self.fresh, prune=self.prune, whole=self.learn)


def open_request(
    source: str,
    output: str,
    columns: Mapping[str, Any],
    rules: Sequence[Path],
    publishers: Sequence[Path],
    memory: Path | None = None,
    *,
    learn: bool = False,
    fresh: bool = False,
    prune: bool = False,
    replay: bool = False,
    workers: int = 1,
    dask: str | None = None,
) -> Request:
    """Open everything a run needs; `columns` are those of ReadOptions. With `replay` there is no source.

    Raises UsageError, which names the cure.
    """
    if learn and memory:
        raise UsageError("a run either learns a site memory or is given one: drop --learn or --memory")
    if replay and (learn or fresh or prune):
        raise UsageError("a replay cleans the quarantine alone: drop learn, fresh and prune, or run the source")
    if replay and not state_of(SnapshotStore(output).manifest()):
        raise UsageError(f"{output} has no snapshot to replay; run `copydesk run SOURCE --output {output}` first")
    check_workers(workers, dask)
    found = None if replay else open_source(source, ReadOptions(**columns))
    desk = open_rules(rules, publishers, memory)
    return Request(desk, found, SnapshotStore(output).open(), fresh, prune, learn)


def open_rules(rules: Sequence[Path], publishers: Sequence[Path] = (), memory: Path | None = None) -> Desk:
    """The desk with the user's folders beside ours, and his site memory. Raises UsageError for what is none."""
    if memory is not None:
        open_memory(memory)
    for folder, kind in (*((f, "rule files") for f in rules), *((f, "publisher profiles") for f in publishers)):
        if not folder.is_dir():
            raise UsageError(f"no such folder: {folder}; name a folder of {kind} (*.toml)")
        if not any(folder.glob("*.toml")):
            raise UsageError(f"{folder} has no *.toml file; name a folder of {kind}")
    try:
        return open_desk(rules, publishers, memory)
    except RuleError as error:
        raise UsageError(str(error)) from error
    except OSError as error:
        raise UsageError(f"cannot read {error.filename}: {error.strerror}; check its rights") from error


def open_memory(path: Path) -> Memory:
    """The site memory in a file. Raises UsageError, which names the file and the cure."""
    if not path.is_file():
        raise UsageError(f"no such file: {path}; make a site memory with `copydesk learn SOURCE --memory {path}`")
    try:
        return load_memory(path)
    except RuleError as error:
        raise UsageError(str(error)) from error
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}; check its rights") from error
