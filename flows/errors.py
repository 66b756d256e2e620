"""The errors a person may see.

Each message is one line that names the thing and the cure. The command line prints that line and leaves with
the error's `exit_code`; a traceback is for errors outside this family, because those are our own bugs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar


class CopydeskError(Exception):
    """Something went wrong that a person can put right.

    >>> str(UsageError("no such file:\\n  pages.parquet; check the path"))
    'no such file: pages.parquet; check the path'
    """

    exit_code: ClassVar[int] = 3

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))


class GateError(CopydeskError):
    """The run did what it was asked to, and its figures are outside the bounds that were set.

    `result` is what the flow would have returned.
    """

    exit_code = 1

    def __init__(self, message: str, result: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.result = result or {}


class UsageError(CopydeskError):
    """The request cannot be met as put: no such path, a missing column, somebody else's folder."""

    exit_code = 2


class RunError(CopydeskError):
    """The run could not be finished; nothing of it was published."""

    exit_code = 3
