"""One writer at a time, where no system frees the lock of a process that died: the lock runs out by itself."""

from __future__ import annotations

import json
import os
import secrets
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from flows.errors import CopydeskError, RunError
from flows.snapshots.bucket import Bucket, Found, Taken

__all__ = ["hold_object"]

SECONDS = 120.0
"""A lock that was not renewed for as long has run out: its holder died, or lost the network."""
RENEWED = 20.0
"""Seconds from one renewal to the next."""


@contextmanager
def hold_object(bucket: Bucket, key: str) -> Iterator[None]:
    """Hold the lock object at `key`, which says who holds it, and renew it for as long.

    Only the clock of the server counts. The lock of a process that died on this machine is taken at once, any other
    when it has run out. Raises RunError, with the holder's name, while another writer has it.
    """
    found = bucket.read(key)
    if found is not None and (holder := _holder(found)):
        ends = datetime.now(UTC) + timedelta(seconds=SECONDS - found.age)
        raise RunError(
            f"{bucket.url} is being written by {holder}; wait for that run, or stop it: the lock of a run that died"
            f" runs out by itself, at {ends:%H:%M:%S} UTC"
        )
    me = _me()
    try:
        etag = bucket.write(key, _text(me), found.etag if found else None)
    except Taken:
        raise RunError(f"{bucket.url} is being written by another run, which came just before; wait for it") from None
    ended = threading.Event()

    def renew() -> None:
        nonlocal etag
        while not ended.wait(RENEWED):
            me["renewed"] += 1
            try:
                etag = bucket.write(key, _text(me), etag)
            except Taken:
                return  # another took it, and the pointer with it: nothing of this run can be published
            except CopydeskError:
                continue  # the next time may do

    renewing = threading.Thread(target=renew, name="lock", daemon=True)
    renewing.start()
    try:
        yield
    finally:
        ended.set()
        renewing.join()
        with suppress(Taken, CopydeskError):  # it runs out
            bucket.write(key, b"", etag)


def _me() -> dict[str, Any]:
    started = datetime.now(UTC).isoformat(timespec="seconds")
    me: dict[str, Any] = {"pid": os.getpid(), "host": socket.gethostname(), "started_at": started}
    return me | {"machine": _machine(), "token": secrets.token_hex(8), "renewed": 0}


def _text(me: dict[str, Any]) -> bytes:
    return (json.dumps(me) + "\n").encode()


def _holder(found: Found) -> str | None:
    """Who holds the lock, for people; None where nobody does any more."""
    if not found.data or found.age > SECONDS:
        return None
    try:
        said = json.loads(found.data)
        pid = int(said["pid"])
        if said["machine"] is not None and said["machine"] == _machine() and not _lives(pid):
            return None
        return f"process {pid} on {said['host']} since {said['started_at']}"
    except (ValueError, KeyError, TypeError):
        return "another process"


def _machine() -> str | None:
    """A name of this machine since its start, and of the numbers that its processes have; None where nobody says."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return None


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass
    return True
