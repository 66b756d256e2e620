"""What a folder or a pattern holds: the files to read, and the files left alone with the reason."""

from __future__ import annotations

import glob
import os
import stat
from pathlib import Path

from flows.readers.found import Found, Listing, Skipped, local_file
from flows.readers.frame import ReadOptions
from flows.readers.kinds import ENDINGS, ending_of, is_packed, sure_kind
from flows.readers.packing import BROKEN, entries

__all__ = ["fixed_folder", "kind_by_name", "list_folder", "list_glob", "shown_path"]


def shown_path(path: Path) -> str:
    """`path` with forward slashes; bytes of a name that are no UTF-8 are written as escapes."""
    return _shown(path.as_posix())


def _shown(name: str) -> str:
    return os.fsencode(name).decode("utf-8", "backslashreplace")


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
        real = os.path.realpath(folder)
        self.folders.add(real)
        above = shown_path(folder.relative_to(self.root))
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            name = shown_path(folder.relative_to(self.root)) + "/"
            self.skipped.append(Skipped(name, f"cannot be listed: {error.strerror}"))
            return
        for entry in entries:
            path = Path(entry.path)
            name = _shown(entry.name) if above == "." else f"{above}/{_shown(entry.name)}"
            target = f"{real.rstrip('/')}/{entry.name}"  # asking the system for it, file by file, takes seconds
            if entry.name.startswith("."):
                self.skipped.append(Skipped(name, "hidden"))
            elif entry.is_symlink():
                self.links.append((name, path))
            elif entry.is_dir():
                if target not in self.folders:
                    self.enter(path)
            elif target not in self.real:
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

    def listing(self, *, named: bool = False) -> Listing:
        """The files by kind, in the order of names. Files that the user `named` are taken whatever they are called."""
        found = []
        for name, path in sorted(self.files):
            try:
                status = path.stat()
                regular, size = stat.S_ISREG(status.st_mode), status.st_size
            except OSError:
                regular, size = True, 0  # Gone or locked since: reading it makes the page that says so.
            if not regular:
                self.skipped.append(Skipped(name, "not a regular file"))
                continue
            kind, why = kind_by_name(name)
            file = local_file(path, name, kind, size)
            if why is None or named or _is_surely_ours(file):
                found.append(file)
            else:
                self.skipped.append(Skipped(name, why))
        return Listing(found, sorted(self.skipped, key=lambda skipped: skipped.name))


def kind_by_name(name: str) -> tuple[str, str | None]:
    """The kind that a file has by its name, and why it is not read from a folder, if it is not.

    A `.json` beside pages is mostly a crawler's notes: it must be named itself.
    """
    ending = ending_of(name)
    kind = ENDINGS.get(ending) or ("packed" if is_packed(name) else "text")
    return kind, None if ending in ENDINGS and ending != ".json" else f"ending {ending or '(none)'} is not read"


def _is_surely_ours(file: Found) -> bool:
    """Whether the first bytes of a file leave no doubt: a crawler may have saved its pages under any name."""
    if ending_of(file.name) == ".json":
        return False
    try:
        for entry in entries(file, ReadOptions(), folder=True):
            return not entry.inside and sure_kind(entry.head, ReadOptions()) is not None
    except BROKEN:
        pass
    return False


def fixed_folder(pattern: str) -> str | None:
    """The folders that a pattern begins with, before any wildcard; None where it is no pattern."""
    if not glob.has_magic(pattern):
        return None
    parts = pattern.split("/")
    first = next(n for n, part in enumerate(parts) if glob.has_magic(part))
    return "/".join(parts[:first]) or ("/" if pattern.startswith("/") else ".")


def list_glob(pattern: str) -> Listing:
    """The files that match a pattern, in which `**` stands for folders at any depth; named below its fixed part."""
    walk = _Walk(Path(fixed_folder(pattern) or "."))
    for match in sorted(glob.glob(pattern, recursive=True)):  # noqa: PTH207  (it knows absolute patterns)
        path = Path(match)
        target = os.path.realpath(path)
        if not path.is_dir() and target not in walk.real:
            walk.real.add(target)
            walk.files.append((shown_path(Path(os.path.relpath(path, walk.root))), path))
    return walk.listing(named=True)
