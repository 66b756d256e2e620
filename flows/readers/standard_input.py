"""Standard input as a file: a run looks at its source more than once, and a pipe can be read but once."""

from __future__ import annotations

import shutil
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import IO

from flows.errors import UsageError
from flows.readers.found import Found, local_file

__all__ = ["spooled_input"]


@cache
def _spool() -> tuple[IO[bytes], int]:
    """A file on disk with all of standard input, which goes with the process."""
    spool = tempfile.NamedTemporaryFile(prefix="copydesk-stdin-")  # noqa: SIM115  (it lives as long as we)
    shutil.copyfileobj(sys.stdin.buffer, spool, 1 << 20)
    spool.flush()
    return spool, spool.tell()


def spooled_input() -> Found:
    """Standard input. Raises UsageError where it is empty, a terminal, or there is no room for it on disk."""
    try:
        if sys.stdin is None or sys.stdin.isatty():
            raise UsageError("nothing is piped into standard input; try: cat pages.jsonl | copydesk run -")
        spool, size = _spool()
    except OSError as error:
        raise UsageError(f"cannot read standard input: {error.strerror or error}") from error
    if not size:
        raise UsageError("standard input is empty; check the command before the pipe")
    # it is told from nothing that was piped in before: its pages are always looked at
    return Found(local_file(Path(spool.name), "stdin", "", size).open, "stdin", "", size, "-")
