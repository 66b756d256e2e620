"""A local folder for as long as a process works on an output in a bucket."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from pathlib import Path

__all__ = ["IN_USE", "Scratch"]

_NAME = "copydesk-bucket-"
IN_USE = ".in-use"


class Scratch:
    """A temporary folder (TMPDIR says where) that goes with this object; what killed processes left goes first."""

    def __init__(self) -> None:
        for old in Path(tempfile.gettempdir()).glob(f"{_NAME}*"):
            _remove_unused(old)
        self._folder = tempfile.TemporaryDirectory(prefix=_NAME, ignore_cleanup_errors=True)
        self.path = Path(self._folder.name).resolve()
        fresh = self.path / f"{IN_USE}-new"
        self._lock = fresh.open("w")
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        fresh.rename(self.path / IN_USE)  # held before it has its name: nobody takes the folder for an old one


def _remove_unused(folder: Path) -> None:
    try:
        handle = os.open(folder / IN_USE, os.O_RDWR)
    except OSError:
        return  # of another user, or just being made
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)
    except OSError:
        pass  # somebody works in it
    finally:
        os.close(handle)
