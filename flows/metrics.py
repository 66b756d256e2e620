"""The figures of the last run for a monitor: a file in Prometheus' text format, whole or not at all.

For node exporter's textfile collector (name it `*.prom`), or any OpenMetrics reader. `COPYDESK_METRICS` names the file.
A run that failed keeps when a run was last published.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from flows.errors import UsageError
from flows.snapshots.durable import write_whole

VARIABLE = "COPYDESK_METRICS"
_STATUS = ("passed", "warned", "failed")
_PUBLISHED = "copydesk_last_published_timestamp_seconds"

Sample = tuple[Mapping[str, str], float]


def check_metrics() -> None:
    """Raise UsageError where metrics are asked for in a place that cannot hold them."""
    named = os.environ.get(VARIABLE)
    if named and not os.access(Path(named).parent, os.W_OK):
        raise UsageError(f"cannot write the metrics {named}: name a file in a folder of yours")


def write_metrics(began: float, status: str, output: str, result: Mapping[str, Any]) -> None:
    """Write the metrics of one run where they are asked for; `result` is what the flow returns, or {} where it broke.

    Raises OSError as the disk does.
    """
    named = os.environ.get(VARIABLE)
    if not named:
        return
    path = Path(named)
    text = metrics_text(began, time.time(), status, output, result, _published(path))
    write_whole(path, text.encode())  # the collector reads names that end in .prom, and no unfinished one does


def metrics_text(
    began: float, ended: float, status: str, output: str, result: Mapping[str, Any], published: float | None
) -> str:
    """The metrics of one run; `published` is when a run before it was last published, in seconds since 1970."""
    whose = {"output": output}
    if result.get("snapshot"):
        published = ended
    metrics: list[tuple[str, str, Iterable[Sample]]] = [
        ("copydesk_run_verdict", "How the last run ended: 1 for its status.",
         [({**whose, "status": s}, float(s == status)) for s in _STATUS]),
        ("copydesk_run_started_timestamp_seconds", "When the last run began.", [(whose, began)]),
        ("copydesk_run_finished_timestamp_seconds", "When the last run ended.", [(whose, ended)]),
        (_PUBLISHED, "When a run was last published.", [(whose, published)] if published is not None else []),
    ]  # fmt: skip
    if result:
        metrics += [
            ("copydesk_run_duration_seconds", "Wall time of each step of the last run.",
             [({**whose, "step": s["step"]}, s["seconds"]) for s in result["steps"]]),
            ("copydesk_run_pages", "Pages of the last run by what became of them.",
             [({**whose, "outcome": name}, result[key])
              for name, key in (("article", "articles"), ("quarantined", "quarantined"))]),
            ("copydesk_run_characters", "Characters of the last run that are not white space.",
             [({**whose, "part": name}, result[f"characters_{name}"]) for name in ("in", "furniture")]),
            ("copydesk_run_warnings", "Articles of the last run by warning.",
             [({**whose, "warning": n}, count) for n, count in result["warnings"].items()]),
            ("copydesk_run_failures", "Quarantined pages of the last run by check.",
             [({**whose, "check": n}, count) for n, count in result["failures"].items()]),
            ("copydesk_run_gate_value", "What each gate saw in the last run.",
             [({**whose, "gate": g["gate"]}, g["value"]) for g in result["verdict"]["gates"]]),
            ("copydesk_run_gate_passed", "1 where the gate passed.",
             [({**whose, "gate": g["gate"]}, float(g["passed"])) for g in result["verdict"]["gates"]]),
        ]  # fmt: skip
    lines = []
    for name, text, samples in metrics:
        rows = [f"{name}{{{_labels(labels)}}} {value:.15g}" for labels, value in samples]
        lines += [f"# HELP {name} {text}", f"# TYPE {name} gauge", *rows] if rows else []
    return "\n".join(lines) + "\n"


def _labels(labels: Mapping[str, str]) -> str:
    escaped = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})
    return ",".join(f'{name}="{value.translate(escaped)}"' for name, value in labels.items())


def _published(path: Path) -> float | None:
    """When a run was last published, by the file that the last run wrote."""
    try:
        found = re.search(rf"^{_PUBLISHED}\{{.*\}} ([0-9.e+]+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    except (OSError, ValueError):
        return None
    return float(found[1]) if found else None
