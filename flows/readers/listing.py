"""What a folder holds: the files to read, and the files left alone with the reason."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

__all__ = ["FOLDER_KINDS", "Found", "Listing", "Skipped", "list_folder", "shown_path"]

FOLDER_KINDS = {".txt": "text", ".text": "text", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet"}
"""Endings read from a folder. A `.json` beside pages is mostly a crawler's notes: it must be named itself."""


@dataclass(frozen=True, slots=True)
class Found:
    """A file to read: where it is, its name relative to the folder, its kind and size on disk."""

    path: Path
    name: str
    kind: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file or folder that is not read, and why not."""

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Listing:
    """Everything in a folder, in the order of names."""

    found: list[Found]
    skipped: list[Skipped]


def shown_path(path: Path) -> str:
    """`path` with forward slashes; bytes of a name that are no UTF-8 are written as escapes."""
    return os.fsencode(path.as_posix()).decode("utf-8", "backslashreplace")


def list_folder(folder: Path) -> Listing:
    """List `folder` and all below it.

    Links are followed, and no file or folder is taken twice: what lies in the folder itself goes before a
    link to it, and of several links the first by name wins. A link to a folder above is a loop, left alone.
    """
    walk = _Walk(folder)
    walk.enter(folder)
    walk.follow_links()
    return walk.listing()


class _Walk:
    """One walk over a folder: `files` and `links` are names with paths, `real` what was taken already."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.files: list[tuple[str, Path]] = []
        self.links: list[tuple[str, Path]] = []
        self.real: set[str] = set()
        self.folders: set[str] = set()
        self.skipped: list[Skipped] = []

    def enter(self, folder: Path) -> None:
        """Sort what lies in and below `folder` into files and links, without following any link."""
        self.folders.add(os.path.realpath(folder))
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            name = shown_path(folder.relative_to(self.root)) + "/"
            self.skipped.append(Skipped(name, f"cannot be listed: {error.strerror}"))
            return
        for entry in entries:
            path = Path(entry.path)
            name = shown_path(path.relative_to(self.root))
            if entry.name.startswith("."):
                self.skipped.append(Skipped(name, "hidden"))
            elif entry.is_symlink():
                self.links.append((name, path))
            elif entry.is_dir():
                if os.path.realpath(path) not in self.folders:
                    self.enter(path)
            elif (target := os.path.realpath(path)) not in self.real:
                self.real.add(target)
                self.files.append((name, path))

    def follow_links(self) -> None:
        """Add what links lead to. A linked folder may hold links too, which wait for their turn by name."""
        while self.links:
            self.links.sort(reverse=True)
            name, path = self.links.pop()
            target = Path(os.path.realpath(path))
            if not target.exists():
                self.skipped.append(Skipped(name, "a link to nothing"))
            elif str(target) in self.real or str(target) in self.folders:
                self.skipped.append(Skipped(name, "a link to what is read already"))
            elif not target.is_dir():
                self.real.add(str(target))
                self.files.append((name, path))
            elif any(Path(folder).is_relative_to(target) for folder in self.folders):
                self.skipped.append(Skipped(name, "a link to a folder above"))
            else:
                self.enter(path)

    def listing(self) -> Listing:
        """The files by kind, in the order of names."""
        found = []
        for name, path in sorted(self.files):
            ending = path.suffix.lower()
            kind = FOLDER_KINDS.get(ending)
            if kind is None:
                self.skipped.append(Skipped(name, f"ending {ending or '(none)'} is not read"))
                continue
            try:
                regular, size = path.is_file(), path.stat().st_size
            except OSError:
                regular, size = True, 0  # Gone or locked since: reading it makes the page that says so.
            if regular:
                found.append(Found(path, name, kind, size))
            else:
                self.skipped.append(Skipped(name, "not a regular file"))
        return Listing(found, sorted(self.skipped, key=lambda skipped: skipped.name))
