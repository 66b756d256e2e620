"""The log of a run: sentences a person reads, and on request one JSON object a line in the file that
`COPYDESK_LOG_JSON` names.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flows.errors import UsageError

VARIABLE = "COPYDESK_LOG_JSON"
_LOGGERS = ("prefect.flow_runs", "prefect.task_runs")
_FIELDS = ("flow_run_id", "flow_run_name", "task_run_id", "task_run_name")


class _Lines(logging.Formatter):
    """A record as one line of JSON; what is no text of UTF-8 is escaped."""

    def format(self, record: logging.LogRecord) -> str:
        at = dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat(timespec="milliseconds")
        row = {"time": at, "level": record.levelname, "message": record.getMessage()}
        row |= {name: str(value) for name in _FIELDS if (value := getattr(record, name, None)) is not None}
        if record.exc_info:
            row["exception"] = self.formatException(record.exc_info)
        return json.dumps(row, ensure_ascii=True)


def _worth_reading(record: logging.LogRecord) -> bool:
    """Whether a task's record says more than that the task, which told of its work, has ended well."""
    return not record.getMessage().startswith("Finished in state Completed(")


@contextmanager
def run_log() -> Iterator[None]:
    """Keep the log of what runs inside to sentences, and append it to a file where that is asked for."""
    tasks = logging.getLogger("prefect.task_runs")
    tasks.addFilter(_worth_reading)
    try:
        with _json_lines():
            yield
    finally:
        tasks.removeFilter(_worth_reading)


@contextmanager
def _json_lines() -> Iterator[None]:
    """Append what flows and tasks of this process log, where it is asked for. Raises UsageError for no such place."""
    named = os.environ.get(VARIABLE)
    if not named:
        yield
        return
    try:
        handler = logging.FileHandler(Path(named), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write the log {named}: {error.strerror}; name another file") from error
    handler.setFormatter(_Lines())
    handler.setLevel(logging.INFO)
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    for logger in loggers:
        logger.addHandler(handler)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeHandler(handler)
        handler.close()
