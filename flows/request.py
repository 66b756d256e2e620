"""What a run is asked for, opened and checked before anything is started or written."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from copydesk import open_desk
from copydesk.cleaning import Desk
from copydesk.rules import RuleError
from flows.errors import UsageError
from flows.readers import ReadOptions, Source, open_source
from flows.snapshots import SnapshotStore


@dataclasses.dataclass(frozen=True)
class Request:
    """The rules, the source and the output of a run, all of them usable."""

    desk: Desk
    source: Source
    store: SnapshotStore


def open_request(
    source: str, output: str, columns: Mapping[str, Any], rules: Sequence[Path], publishers: Sequence[Path]
) -> Request:
    """Open everything a run needs; `columns` are those of ReadOptions. Raises UsageError, which names the cure."""
    found = open_source(source, ReadOptions(**columns))
    desk = open_rules(rules, publishers)
    return Request(desk, found, SnapshotStore(Path(output)).open())


def open_rules(rules: Sequence[Path], publishers: Sequence[Path] = ()) -> Desk:
    """The desk with the user's folders beside ours. Raises UsageError for what is no folder of rule files."""
    for folder, kind in (*((f, "rule files") for f in rules), *((f, "publisher profiles") for f in publishers)):
        if not folder.is_dir():
            raise UsageError(f"no such folder: {folder}; name a folder of {kind} (*.toml)")
        if not any(folder.glob("*.toml")):
            raise UsageError(f"{folder} has no *.toml file; name a folder of {kind}")
    try:
        return open_desk(rules, publishers)
    except RuleError as error:
        raise UsageError(str(error)) from error
    except OSError as error:
        raise UsageError(f"cannot read {error.filename}: {error.strerror}; check its rights") from error
