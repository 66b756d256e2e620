"""Runs from Python, recorded as those of the command line are."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from flows.launch import SERVER_LOG, drain
from flows.server import QUIET, OwnServer, configured_api, prefect_home


@contextmanager
def recorded() -> Iterator[None]:
    """Have what runs in this block recorded whole: by the configured Prefect server, else by one of our own.

    Our own ends with the block, when it has recorded every task run; the server that Prefect itself starts for a flow
    without one is stopped before it has. Raises RunError where it does not start.
    """
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    if configured_api() is not None:
        try:
            yield
        finally:
            drain()
        return
    with OwnServer(prefect_home() / SERVER_LOG) as server:
        from prefect.settings import (  # noqa: PLC0415
            PREFECT_API_URL,
            PREFECT_FLOWS_HEARTBEAT_FREQUENCY,
            temporary_settings,
        )

        server.wait()
        open_before = server.open_task_runs()
        with temporary_settings({PREFECT_API_URL: server.url, PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
            try:
                yield
            finally:
                drain()
                server.finish_all(open_before)
