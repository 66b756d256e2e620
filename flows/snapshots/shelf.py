"""What the store needs of the place where an output lies: a local folder, or a bucket.

The protocol of publishing is the store's and is the same everywhere. A shelf knows how things are put, switched and
removed in its place. Both hand out snapshots as local folders: one on a bucket has the manifest in it, and other files
once they were fetched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

__all__ = ["FORMAT", "HARMLESS", "MARKER", "Fetch", "File", "Shelf", "nothing_to_fetch"]

FORMAT = 1
MARKER = ".copydesk"
HARMLESS = frozenset({"README.md", ".gitignore", ".gitkeep", ".DS_Store"})
"""What may lie in an output that is to become ours."""

File = tuple[str, str]
"""A file of a snapshot: the folder it lies in, and its name."""
Fetch = Callable[[Path, Iterable[File]], object]
"""Sees that files of a snapshot are in its folder."""


class Shelf(Protocol):
    """A place for an output. What fails raises RunError or UsageError with the cure, or OSError as the disk does."""

    name: str
    """As people name it."""

    @property
    def home(self) -> Path:
        """The local folder of the output, or the one that stands in for a bucket in this process."""

    def is_ours(self) -> bool:
        """Whether an output of copydesk lies here."""

    def claim(self) -> None:
        """Make the layout in a new or empty place, or recognise our own; see that it can hold an output."""

    def hold(self) -> AbstractContextManager[None]:
        """Be the only writer."""

    def begin(self, run_id: str) -> Path:
        """A new, empty, local folder to write a snapshot in; what killed runs left is removed. Under the lock."""

    def current(self) -> Path | None:
        """The current snapshot."""

    def snapshots(self) -> list[Path]:
        """All whole snapshots, in any order."""

    def fetch(self, snapshot: Path, files: Iterable[File] | None = None) -> None:
        """See that files of a snapshot are in its folder; all that lie in its place, where none are named."""

    def keep(self, previous: Path, staging: Path, file: File) -> None:
        """Have a file of the `previous` snapshot in the next one, which is made in `staging`."""

    def publish(self, staging: Path, run_id: str, kept: Mapping[File, str], datasets: Sequence[str]) -> Path:
        """Put the snapshot in its place, and make it the current one in one step.

        `kept` are the files of the snapshot before that are also this one's, with their names in this one.
        """

    def switch(self, snapshot: Path, datasets: Sequence[str]) -> None:
        """Make another snapshot the current one, in one step."""

    def tidy(self, datasets: Sequence[str]) -> None:
        """What may wait for the next run: after a snapshot was published or switched to."""

    def remove(self, snapshot: Path) -> None:
        """Remove a snapshot, which nobody then sees in part."""

    def damage(self, snapshot: Path) -> list[str]:
        """A line for each file that is not as it was published; reads no more than it must to tell."""

    def sizes(self, snapshot: Path) -> dict[str, int]:
        """Bytes of each file of a snapshot; files that are one on the disk have one key."""

    def reports(self, known: frozenset[str]) -> set[str]:
        """The runs whose report has a page. Of those that are not `known`, see that `report.json` is in its folder."""

    def show_report(self, run_id: str) -> None:
        """Have the report of a run where readers look for it, and as `latest`."""

    def address(self, path: Path) -> str:
        """Where readers find what is `path` in this process."""


def nothing_to_fetch(snapshot: Path, files: Iterable[File] | None = None) -> None:
    """Fetch nothing, where all files of a snapshot are in its folder."""
