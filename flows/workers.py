"""Where shards are cleaned: in the flow's own process, in processes beside it, or on a Dask cluster.

Imports nothing of Polars: a worker process names its threads before Polars is loaded.
"""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import multiprocessing
import os
import re
import signal
import socket
import threading
from collections.abc import Iterator
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from flows.errors import RunError, UsageError

ALLOCATOR = "dirty_decay_ms:10000"
"""jemalloc, which Polars brings along, keeps freed memory for ten seconds instead of half a one: the next step wants it
again. What it would keep beyond that (`muzzy_decay_ms`) gains nothing, and grows from shard to shard."""
ENGINE = {"POLARS_MAX_THREADS": "1", "_RJEM_MALLOC_CONF": ALLOCATOR}
"""The environment in which Polars is to be loaded: one worker is one core.

A second thread for one shard costs a tenth more CPU time and gains no time."""
INSTALL = "pip install 'copydesk[dask]'"
ANSWER_SECONDS = 5
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
_LOCAL = re.compile(r"local(?::([1-9]\d*))?")


def check_workers(workers: int, dask: str | None) -> None:
    """Raise UsageError for workers that cannot be had, before anything is read or started."""
    if dask is None:
        return
    if workers > 1:
        raise UsageError(f"workers are either here or on Dask: drop --workers or --dask, or use --dask local:{workers}")
    if importlib.util.find_spec("prefect_dask") is None:
        raise UsageError(f"--dask needs a package that is not there; {INSTALL}")
    if _LOCAL.fullmatch(dask):
        return
    place = _scheduler(dask)
    try:
        socket.create_connection(place, timeout=ANSWER_SECONDS).close()
    except OSError as error:
        raise UsageError(
            f"no Dask scheduler answers at {dask}: {error.strerror or error}; start one by `dask scheduler`"
        ) from error


def check_server(dask: str | None) -> None:
    """Raise UsageError where workers would not reach the Prefect server that a run starts for itself."""
    if dask and not _LOCAL.fullmatch(dask) and _scheduler(dask)[0] not in _LOOPBACK:
        raise UsageError(
            f"the workers of {dask} must reach the Prefect server: start one, and export PREFECT_API_URL;"
            " docs/running.md says how"
        )


def _scheduler(dask: str) -> tuple[str, int]:
    try:
        place = urlsplit(dask if "://" in dask else f"tcp://{dask}")
        host, port = place.hostname, place.port
    except ValueError:
        host = port = None
    if not host or not port:
        raise UsageError(f"{dask!r} is no Dask cluster; name its scheduler, such as tcp://10.0.0.5:8786, or local:4")
    return host, port


@contextmanager
def task_runner(workers: int, dask: str | None, pieces: int) -> Iterator[tuple[Any, int]]:
    """The Prefect task runner that takes `pieces` of work, and how many workers it has; what it starts is stopped in
    the end.

    It is the flow's own where nothing else is asked for, and where there is one piece: starting processes for it would
    take longer. Raises RunError where a cluster loses its workers again and again.
    """
    from prefect.context import FlowRunContext  # noqa: PLC0415

    flow_run = FlowRunContext.get()
    if flow_run is None:
        raise RunError("shards are cleaned inside a flow run")
    if dask and (pieces > 1 or not _LOCAL.fullmatch(dask)):
        with _dask(dask, pieces) as runner:
            yield runner, max(1, len(runner.client.nthreads()))
    elif workers > 1 and pieces > 1:
        from prefect.task_runners import ProcessPoolTaskRunner  # noqa: PLC0415

        count = min(workers, pieces)
        with _environment(), ProcessPoolTaskRunner(max_workers=count, initializer=_begin) as runner:
            yield runner, count
    else:
        yield flow_run.task_runner, 1


@contextmanager
def _environment() -> Iterator[None]:
    """ENGINE for the processes that are started inside, except what the caller has set."""
    added = {name: value for name, value in ENGINE.items() if name not in os.environ}
    os.environ |= added
    try:
        yield
    finally:
        for name in added:
            del os.environ[name]


def _begin() -> None:
    """Begin a worker process: load what its tasks want, and end it when the flow's ends, also by SIGKILL."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the flow's to answer
    from flows.launch import no_collection  # noqa: PLC0415

    def wait() -> None:
        parent = multiprocessing.parent_process()
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
    with no_collection():
        importlib.import_module("flows.clean_news")


@contextmanager
def _dask(dask: str, pieces: int) -> Iterator[Any]:
    from distributed.scheduler import KilledWorker  # noqa: PLC0415
    from prefect_dask.task_runners import DaskTaskRunner  # noqa: PLC0415

    local = _LOCAL.fullmatch(dask)
    options: dict[str, Any] = {"address": dask}
    if local:
        count = min(int(local[1] or os.cpu_count() or 1), pieces)
        environment = {name: os.environ.get(name, value) for name, value in ENGINE.items()}
        # a limit of memory would pause a worker that has what it needs; any port will do for what nobody looks at
        options = {"cluster_kwargs": {
            "n_workers": count, "threads_per_worker": 1, "processes": True, "memory_limit": None,
            "dashboard_address": "127.0.0.1:0", "env": environment,
        }}  # fmt: skip
    try:
        with DaskTaskRunner(**options) as runner:
            yield runner
            runner.client.run(_drain)  # what the workers have still to tell of their tasks would go with them
    except KilledWorker as error:
        raise RunError(
            f"worker after worker of the Dask cluster died on a shard: {error.task}; look for what killed them, such as"
            " memory (a worker needs 1.5 GB); nothing was published"
        ) from error


async def _drain() -> None:
    from flows.launch import drain  # noqa: PLC0415

    await asyncio.to_thread(drain)  # Prefect waits only where no event loop runs


def lost(error: BaseException) -> bool:
    """Whether a piece of work has no result because a process that did it, or another beside it, was killed."""
    return isinstance(error, BrokenProcessPool)


def release(future: Any) -> None:
    """Let Dask forget a result that we have: it would make it anew where the worker that has it dies."""
    wrapped = getattr(future, "wrapped_future", None)
    if wrapped is not None and hasattr(wrapped, "release"):
        wrapped.release()
