"""One writer at a time."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from flows.errors import RunError, UsageError

__all__ = ["hold"]


@contextmanager
def hold(path: Path) -> Iterator[None]:
    """Hold the lock file at `path`, which then says who holds it.

    The system frees the lock of a process that died, so there is never anything to clean up by hand.
    Raises RunError, with the holder's name, while another writer has it, and where the file cannot be written.
    """
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise _unwritable(path, error) from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in {errno.EWOULDBLOCK, errno.EACCES}:
                raise RunError(
                    f"{path.parent} is being written by {_holder(handle)}; wait for that run, or stop it"
                ) from None
            raise UsageError(
                f"{path.parent} is on a file system without locks ({error.strerror}); choose a local folder"
            ) from error
        try:
            _write(handle, _name())
        except OSError as error:
            raise _unwritable(path, error) from error
        try:
            yield
        finally:
            _write(handle, "")
    finally:
        os.close(handle)


def _unwritable(path: Path, error: OSError) -> RunError:
    return RunError(f"cannot write {path}: {error.strerror}; free some space or check its rights")


def _name() -> str:
    started = datetime.now(UTC).isoformat(timespec="seconds")
    return json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "started_at": started}) + "\n"


def _write(handle: int, text: str) -> None:
    os.ftruncate(handle, 0)
    os.pwrite(handle, text.encode(), 0)


def _holder(handle: int) -> str:
    try:
        said = json.loads(os.pread(handle, 4096, 0))
        return f"process {said['pid']} on {said['host']} since {said['started_at']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"  # It has just taken the lock, or just let go of it.
