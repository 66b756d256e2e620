"""Starting a run from the command line: the server, the flow, its progress, and the summary at its end."""

from __future__ import annotations

import gc
import os
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from flows.errors import RunError
from flows.progress import hearing
from flows.server import QUIET, OwnServer, configured_api, prefect_home
from flows.workers import ENGINE, check_server

DRAIN_SECONDS = 10
SERVER_LOG = "copydesk-server.log"


def launch(parameters: dict[str, Any], *, verbose: bool) -> None:
    """Run `clean_news` with `parameters`; prints progress and a summary. Raises what the flow raises."""
    began = time.perf_counter()
    for name, value in (QUIET | ENGINE).items():
        os.environ.setdefault(name, value)
    os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "INFO" if verbose else "CRITICAL")
    try:
        with ExitStack() as stack:
            server = None
            if configured_api() is None:
                check_server(parameters["dask"])
                server = stack.enter_context(OwnServer(prefect_home() / SERVER_LOG))
                point_to(server)
            stack.enter_context(_bar(verbose=verbose))
            result = _run(parameters, server)
    except KeyboardInterrupt:
        raise RunError("stopped; the last snapshot stands") from None
    result["seconds_in_all"] = round(time.perf_counter() - began, 2)
    from flows.summary import print_summary  # noqa: PLC0415

    print_summary(result, parameters["output"])


def name_files(*, log_json: Path | None, metrics: Path | None) -> None:
    """Name, for this process and those that it starts, the files that tell of its runs."""
    for variable, path in (("COPYDESK_LOG_JSON", log_json), ("COPYDESK_METRICS", metrics)):
        if path is not None:
            os.environ[variable] = str(path.absolute())


def point_to(server: OwnServer) -> None:
    """Have this process, and those that it starts, use `server`."""
    os.environ["PREFECT_API_URL"] = server.url
    for name in ("NO_PROXY", "no_proxy"):
        others = os.environ.get(name)
        os.environ[name] = f"127.0.0.1,{others}" if others else "127.0.0.1"


def _bar(*, verbose: bool) -> Any:
    if verbose or not sys.stderr.isatty():
        return hearing(lambda said: print(f"copydesk: {said}", file=sys.stderr, flush=True))
    from flows.summary import progress_bar  # noqa: PLC0415

    return progress_bar()


def _run(parameters: dict[str, Any], server: OwnServer | None) -> dict[str, Any]:
    with no_collection():
        check(parameters)
        from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings  # noqa: PLC0415

        from flows.clean_news import clean_news  # noqa: PLC0415

        if server is not None:
            from flows.warm_up import warm_up  # noqa: PLC0415

            warm_up(parameters["rules"], parameters["publishers"])
    if server is not None:
        server.wait()
    # a heartbeat would hold up the end of the flow by up to a second, and nobody watches this one
    try:
        with temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
            state: Any = clean_news(**parameters, return_state=True)
    except RuntimeError as error:
        if "Failed to reach API" not in str(error):
            raise
        raise RunError(
            f"the Prefect server {configured_api()} does not answer;"
            " start it, or unset PREFECT_API_URL: then copydesk starts one for the run"
        ) from error
    finally:
        drain()  # also where the run was stopped: what is still in hand would wait for a server that is gone
    outcome = state.result(raise_on_failure=False)
    if server is not None and state.state_details.flow_run_id is not None:
        expected = outcome["task_runs"] if isinstance(outcome, dict) else None
        server.finish(str(state.state_details.flow_run_id), expected)
    result: dict[str, Any] = state.result()
    return result


def drain() -> None:
    """Wait until Prefect's client has sent what it has still in hand: logs, and the events of task runs."""
    from prefect.events.worker import EventsWorker  # noqa: PLC0415
    from prefect.logging.handlers import APILogWorker  # noqa: PLC0415

    APILogWorker.drain_all(timeout=DRAIN_SECONDS)
    EventsWorker.drain_all(timeout=DRAIN_SECONDS)


def check(parameters: dict[str, Any]) -> None:
    """Answer a request that cannot be met before Prefect is waited for; the flow itself checks again."""
    from flows.gate_settings import load_gates  # noqa: PLC0415
    from flows.request import open_request  # noqa: PLC0415

    load_gates(parameters["gates"], parameters["max_quarantined"])
    columns = ("text_column", "html_column", "id_column", "url_column", "fetched_column")
    others = ("learn", "fresh", "prune", "replay", "workers", "dask")
    open_request(
        parameters["source"], parameters["output"], {name: parameters[name] for name in columns},
        parameters["rules"], parameters["publishers"], parameters["memory"],
        **{name: parameters[name] for name in others},
    )  # fmt: skip


@contextmanager
def no_collection() -> Iterator[None]:
    """Imports make a million objects that stay: looking through them again and again costs a sixth of the time."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
