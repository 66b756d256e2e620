"""A file that was found, and a listing of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any

__all__ = ["Found", "Listing", "Skipped", "local_file"]


@dataclass(frozen=True, slots=True)
class Found:
    """A file to read: how to open it, its name relative to the folder, its kind and its size as stored.

    `kind` is what its name says ("packed" where that is only how it is compressed); its first bytes decide when it is
    read. `bytes` is None where nobody knows.
    """

    open: Callable[[], IO[bytes] | Any]
    name: str
    kind: str
    bytes: int | None


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
    return Found(partial(_open, path), name, kind, size)


def _open(path: Path) -> IO[bytes] | Any:
    return path.open("rb", buffering=0)
