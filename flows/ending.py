"""How a run ends: as a sentence in Prefect, an event that automations hear, and figures for a monitor.

`announced` and `refused_in_a_sentence` are put on the flow and its tasks; the recipe itself knows nothing of this.
"""

from __future__ import annotations

import functools
import inspect
import logging
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

from prefect.events import emit_event
from prefect.logging import get_run_logger
from prefect.runtime import flow_run
from prefect.states import Completed, Failed

from flows.errors import CopydeskError
from flows.metrics import check_metrics, write_metrics
from flows.run_log import run_log
from flows.snapshots import is_bucket

EVENT = "copydesk.run"
"""Events are `copydesk.run.passed`, `.warned` and `.failed`."""

_ENGINE_LOGGERS = ("prefect.flow_runs", "prefect.engine")
"""Where Prefect's engine, in a process of its own, logs the error of a failed run once more as it leaves."""

P = ParamSpec("P")
R = TypeVar("R")


def refused_in_a_sentence(work: Callable[P, R]) -> Callable[P, R]:
    """Let a refusal end a flow or task as failed with its one line, where Prefect would log a traceback."""

    @functools.wraps(work)
    def told(*given: P.args, **named: P.kwargs) -> R:
        try:
            return work(*given, **named)
        except CopydeskError as error:
            # callers get `error` raised as ever; only its state and log are a sentence
            for name in _ENGINE_LOGGERS:
                logging.getLogger(name).addFilter(_once)
            return cast(R, Failed(message=str(error), data=error))

    return _with_types(told, work)


def _once(record: logging.LogRecord) -> bool:
    """Whether a record is to be logged: not a refusal with its traceback, which was told in a sentence before."""
    return not (record.exc_info and isinstance(record.exc_info[1], CopydeskError))


def announced(flow: Callable[P, dict[str, Any]]) -> Callable[P, dict[str, Any]]:
    """Tell Prefect's automations and the metrics file how a run ended, however it did.

    A flow returns its `verdict` among its result; a CopydeskError may carry the same as `result`.
    """
    signature = inspect.signature(flow)

    @functools.wraps(flow)
    def told(*given: P.args, **named: P.kwargs) -> dict[str, Any]:
        asked = signature.bind(*given, **named).arguments
        began = time.time()
        with run_log():
            check_metrics()
            try:
                result = flow(*given, **named)
            except BaseException as error:
                result = getattr(error, "result", None) or {}
                _tell(asked, began, "failed", str(error) or type(error).__name__, result)
                raise
            _tell(asked, began, result["verdict"]["status"], result["verdict"]["sentence"], result)
        # callers get `result`, and Prefect shows the sentence
        return cast(dict[str, Any], Completed(message=result["verdict"]["sentence"], data=result))

    return _with_types(told, flow)


def _with_types(told: Callable[P, R], work: Callable[P, R]) -> Callable[P, R]:
    """Prefect draws a form from the types, and would look for their names in the module of the wrapper."""
    signature = inspect.signature(work, eval_str=True)
    told.__signature__ = signature  # type: ignore[attr-defined]
    told.__annotations__ = {name: p.annotation for name, p in signature.parameters.items()}
    return told


def _tell(asked: Mapping[str, Any], began: float, status: str, sentence: str, result: Mapping[str, Any]) -> None:
    given = str(asked.get("output", "output"))
    output = given if is_bucket(given) else str(Path(given).absolute())
    gates = [row for row in result.get("verdict", {}).get("gates", []) if not row["passed"]]
    with suppress(Exception):  # what is heard of a run must not change how it ended
        emit_event(
            f"{EVENT}.{status}",
            resource={"prefect.resource.id": f"copydesk.output.{output}", "prefect.resource.name": output},
            payload={
                "sentence": sentence, "source": str(asked["source"]), "output": output,
                "flow_run": flow_run.get_name() or "", "run_id": result.get("run_id"),
                "report": result.get("report"), "published": bool(result.get("snapshot")),
                "gates": [{name: row[name] for name in ("gate", "level", "message", "cure")} for row in gates],
            },
        )  # fmt: skip
    level = {"passed": logging.INFO, "warned": logging.WARNING}.get(status, logging.ERROR)
    get_run_logger().log(level, "The run %s: %s", status, sentence)
    try:
        write_metrics(began, status, output, result)
    except OSError as error:
        get_run_logger().warning("The metrics were not written: %s.", error.strerror)
