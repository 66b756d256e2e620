"""An output in a folder: snapshots behind one symlink."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from flows.errors import RunError, UsageError
from flows.snapshots.durable import replace_link, sync_folder, sync_tree, write_file
from flows.snapshots.files import check_files
from flows.snapshots.lock import hold
from flows.snapshots.shelf import FORMAT, HARMLESS, MARKER, File, nothing_to_fetch

__all__ = ["LocalShelf", "read_format"]

_LEFT_OVER = (".staging-", ".trash-")


class LocalShelf:
    """A folder on a file system with symlinks, hard links and locks; see `shelf.Shelf`."""

    def __init__(self, output: Path) -> None:
        self.name = str(output)
        self.home = output
        self._snapshots = output / ".snapshots"

    def is_ours(self) -> bool:
        """Whether the folder has our marker."""
        return (self.home / MARKER).is_file()

    def claim(self) -> None:
        """Make the layout, or recognise it; see `shelf.Shelf`."""
        try:
            self._claim()
            self._snapshots.mkdir(exist_ok=True)
            (self.home / "reports").mkdir(exist_ok=True)
        except OSError as error:
            raise UsageError(
                f"cannot write to {self.home}: {error.strerror or error}; choose another output folder"
            ) from error

    def _claim(self) -> None:
        """Find our marker, or set it where nothing else lies."""
        if self.home.exists() and not self.home.is_dir():
            raise UsageError(f"{self.home} is a file; choose a folder for the output")
        self.home.mkdir(parents=True, exist_ok=True)
        marker = self.home / MARKER
        if marker.exists():
            read_format(marker.read_bytes(), str(marker), self.name)
            return
        strangers = sorted(path.name for path in self.home.iterdir() if path.name not in HARMLESS)
        refuse_strangers(self.name, strangers, "folder")
        self._probe_links()
        # A marker is whole or not there: half a marker would lock us out of our own folder.
        fresh = self.home / f"{MARKER}-{os.getpid()}"
        write_file(fresh, json.dumps({"format": FORMAT}) + "\n")
        fresh.replace(marker)
        sync_folder(self.home)

    def _probe_links(self) -> None:
        probe = self.home / f"{MARKER}-probe-{os.getpid()}"
        try:
            shutil.rmtree(probe, ignore_errors=True)
            probe.mkdir()
            (probe / "file").touch()
            os.link(probe / "file", probe / "hard")
            (probe / "soft").symlink_to("file")
        except OSError as error:
            raise UsageError(
                f"{self.home} is on a file system without symlinks and hard links ({error.strerror});"
                f" choose a folder on a local disk"
            ) from error
        finally:
            shutil.rmtree(probe, ignore_errors=True)

    def hold(self) -> AbstractContextManager[None]:
        """The lock file, which the system frees when its holder dies."""
        return hold(self.home / ".lock")

    def begin(self, run_id: str) -> Path:
        """A folder on the file system of the snapshots."""
        path = self._snapshots / f".staging-{run_id}"
        for entry in self._snapshots.iterdir():
            if entry.name.startswith(_LEFT_OVER):
                shutil.rmtree(entry)
        path.mkdir()
        return path

    def current(self) -> Path | None:
        """The folder of the current snapshot, links resolved: it stays while a new one is published."""
        try:
            target = (self.home / "current").resolve(strict=True)
        except OSError:
            return None
        return target if target.is_dir() else None

    def snapshots(self) -> list[Path]:
        """All folders of snapshots."""
        if not self._snapshots.is_dir():
            return []
        return [path for path in self._snapshots.iterdir() if not path.name.startswith(".") and path.is_dir()]

    def fetch(self, snapshot: Path, files: Iterable[File] | None = None) -> None:
        """All files are here."""
        nothing_to_fetch(snapshot, files)

    def keep(self, previous: Path, staging: Path, file: File) -> None:
        """Hard-link the file: not written or hashed anew."""
        folder, name = file
        source, target = previous / folder / name, staging / folder / name
        target.parent.mkdir(exist_ok=True)
        try:
            os.link(source, target)
        except FileNotFoundError:
            raise RunError(
                f"{folder}/{name} is not in the current snapshot; run with --fresh to clean everything anew"
            ) from None
        except OSError:
            shutil.copy2(source, target)  # Too many links to one file.

    def publish(self, staging: Path, run_id: str, kept: Mapping[File, str], datasets: Sequence[str]) -> Path:
        """Rename the folder to its own name, and swap one symlink."""
        for name in datasets:
            link = self.home / name
            if link.exists() and not link.is_symlink():
                raise RunError(f"{link} is in the way of the dataset of that name; move it elsewhere")
        target = self._snapshots / run_id
        sync_tree(staging)
        staging.rename(target)
        sync_folder(self._snapshots)
        self.switch(target, datasets)
        return target

    def switch(self, snapshot: Path, datasets: Sequence[str]) -> None:
        """See that each dataset has its link, and swap `current`."""
        for name in datasets:
            link = self.home / name
            if not link.is_symlink() or str(link.readlink()) != f"current/{name}":
                replace_link(link, f"current/{name}")
        sync_folder(self.home)
        replace_link(self.home / "current", f".snapshots/{snapshot.name}")

    def tidy(self, datasets: Sequence[str]) -> None:
        """Remove the links of datasets that are no more."""
        for link in self.home.iterdir():
            gone = link.is_symlink() and link.name not in datasets
            if gone and str(link.readlink()) == f"current/{link.name}":
                link.unlink()

    def remove(self, snapshot: Path) -> None:
        """Remove a snapshot, by a rename first."""
        trash = self._snapshots / f".trash-{snapshot.name}"
        snapshot.rename(trash)
        shutil.rmtree(trash)

    def damage(self, snapshot: Path) -> list[str]:
        """All files are read."""
        return check_files(snapshot)

    def sizes(self, snapshot: Path) -> dict[str, int]:
        """Bytes of each file, by inode: a file that several snapshots have is one."""
        entries = (Path(folder) / name for folder, _, names in os.walk(snapshot) for name in names)
        return {str(status.st_ino): status.st_size for status in (path.stat() for path in entries)}

    def reports(self, known: frozenset[str]) -> set[str]:
        """The runs with a page in their folder among the reports."""
        pages = (self.home / "reports").glob("*/report.html")
        return {page.parent.name for page in pages if not page.parent.is_symlink()}

    def show_report(self, run_id: str) -> None:
        """Point `reports/latest` at the report, in one step."""
        sync_tree(self.home / "reports" / run_id)
        replace_link(self.home / "reports" / "latest", run_id)

    def address(self, path: Path) -> str:
        """The path itself."""
        return str(path)


def read_format(marker: bytes, where: str, output: str) -> None:
    """Raise UsageError for a marker that no copydesk as old as this one wrote."""
    try:
        form = int(json.loads(marker)["format"])
    except (ValueError, KeyError, TypeError):
        raise UsageError(f"{where} cannot be read; choose another output folder") from None
    if form > FORMAT:
        raise UsageError(f"{output} was written by a newer copydesk (format {form}); upgrade copydesk")


def refuse_strangers(output: str, names: Sequence[str], what: str) -> None:
    """Raise UsageError where other people's files lie in what is to become ours."""
    strangers = [name for name in names if not name.startswith(MARKER)]  # What a killed start left.
    if strangers:
        raise UsageError(
            f"{output} holds files that are not ours ({', '.join(strangers[:3])}"
            f"{', ...' if len(strangers) > 3 else ''}); choose a new or empty output {what}"
        )
