"""A file that was found, and a listing of them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any

__all__ = ["Found", "Listing", "Skipped", "local_file"]


def _unknown() -> str | None:
    return None


@dataclass(frozen=True, slots=True)
class Found:
    """A file to read: how to open it, its name relative to the folder, its kind and its size as stored.

    `kind` is what its name says ("packed" where that is only how it is compressed); its first bytes decide when it is
    read. `bytes` is None where nobody knows. `uri` says where it lies, absolutely; `fingerprint` names its content, and
    gives None where nobody can without reading its pages.
    """

    open: Callable[[], IO[bytes] | Any]
    name: str
    kind: str
    bytes: int | None
    uri: str
    fingerprint: Callable[[], str | None] = _unknown


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


def local_file(path: Path, name: str, kind: str, size: int) -> Found:
    """A file on this machine."""
    where = os.path.abspath(path)  # noqa: PTH100  (a link is another input than what it leads to)
    uri = "file://" + os.fsencode(where).decode("utf-8", "backslashreplace")
    return Found(partial(_open, path), name, kind, size, uri, partial(_digest, path))


def _open(path: Path) -> IO[bytes] | Any:
    return path.open("rb", buffering=0)


def _digest(path: Path) -> str | None:
    """The sha256 of a file; None where it cannot be read: reading its pages says why."""
    try:
        with path.open("rb", buffering=0) as file:
            return "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None
