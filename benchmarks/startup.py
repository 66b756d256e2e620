"""Where the seconds of a small run go: `copydesk run seeds` beside a Prefect flow that does nothing, started alike.

    python -m benchmarks.startup            three starts of each, in turn: medians, minima and paired ratios
    python -m benchmarks.startup --json f   the same for programs

Four starts: each flow with a server of its own, as `copydesk run` starts it, and each against a server that runs
already. Both are started by the same few lines (`flows.launch`); only the flow differs. A ratio is the median of those
of pairs started one after the other. CPU seconds are those of all processes, the own server's too; they and the minima
tell more where the machine has other things to do. Run it with the Python of an environment that has what users have
(`make run` makes one): hypothesis and pandas, which tests want, are imported by pandera where they are there.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from flows.server import QUIET, OwnServer

ROOT = Path(__file__).parent.parent
CLOCKS = ("wall", "cpu")

NOTHING = '''
import gc, os, sys
from flows.launch import drain, no_collection, point_to
from flows.server import QUIET, OwnServer, configured_api, prefect_home
for name, value in QUIET.items():
    os.environ.setdefault(name, value)
os.environ["PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL"] = "CRITICAL"
server = None
if configured_api() is None:
    server = OwnServer(prefect_home() / "nothing.log")
    server.start()
    point_to(server)
with no_collection():
    from prefect import flow
    from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings
if server is not None:
    server.wait()

@flow
def nothing():
    return None

with temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
    state = nothing(return_state=True)
drain()
if server is not None:
    server.finish(str(state.state_details.flow_run_id), 0)
    server.stop()
'''
"""A flow that does nothing, started as `flows.launch` starts ours: same server, same settings, same wait at the end."""


def seconds(words: list[str], environment: dict[str, str]) -> tuple[float, float]:
    """Wall and CPU seconds of a command that must end well."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(words, cwd=ROOT, env=environment, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.perf_counter() - began, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measure(rounds: int) -> dict[str, Any]:
    """Start all four, in turn."""
    with tempfile.TemporaryDirectory(prefix="copydesk-startup-") as made:
        folder = Path(made)
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PREFECT_")} | QUIET
        environment |= {"PREFECT_HOME": str(folder / "prefect"), "PYTHONPATH": str(ROOT)}
        output = folder / "out"
        ours = [sys.executable, "-m", "flows.cli", "run", "seeds", "-o", str(output)]
        starts = {"copydesk": ours, "nothing": [sys.executable, "-c", NOTHING]}

        def start(name: str, environment: dict[str, str]) -> tuple[float, float]:
            if name == "copydesk":  # each run is a first one: the next would find nothing to clean
                shutil.rmtree(output, ignore_errors=True)
            return seconds(starts[name], environment)

        taken: dict[str, list[tuple[float, float]]] = {}
        os.environ["PREFECT_HOME"] = str(folder / "prefect")
        for name in starts:  # the first makes the database, and compiles what was never imported
            start(name, environment)
        for _ in range(rounds):
            for name in starts:
                taken.setdefault(f"{name}, own server", []).append(start(name, environment))
        with OwnServer(folder / "server.log") as server:
            server.wait()
            there = environment | {"PREFECT_API_URL": server.url}
            for _ in range(rounds):
                for name in starts:
                    taken.setdefault(f"{name}, running server", []).append(start(name, there))
        report = json.loads((folder / "out" / "reports" / "latest" / "report.json").read_text(encoding="utf-8"))
    return {"seconds": seconds_of(taken), "ratio": paired(taken), "steps": report["steps"], "rounds": rounds}


def seconds_of(taken: Mapping[str, Sequence[tuple[float, float]]]) -> dict[str, dict[str, float]]:
    """Median and minimum of each start's wall and CPU seconds."""
    return {
        name: {
            f"{clock} {word}": round(pick(one[place] for one in both), 2)
            for place, clock in enumerate(CLOCKS)
            for word, pick in (("median", statistics.median), ("minimum", min))
        }
        for name, both in taken.items()
    }


def paired(taken: Mapping[str, Sequence[tuple[float, float]]]) -> dict[str, float]:
    """How many times longer copydesk takes than nothing: the median over pairs that were started in turn."""
    return {
        f"{kind}, {clock}": round(
            statistics.median(
                ours[place] / nothing[place]
                for ours, nothing in zip(taken[f"copydesk, {kind}"], taken[f"nothing, {kind}"], strict=True)
            ),
            2,
        )
        for kind in ("own server", "running server")
        for place, clock in enumerate(CLOCKS)
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, metavar="FILE")
    asked = parser.parse_args()
    found = measure(asked.rounds)
    for name, value in found["seconds"].items():
        told = "  ".join(f"{value[f'{clock} median']:5.2f} (least {value[f'{clock} minimum']:5.2f}) {unit}"
                         for clock, unit in (("wall", "s"), ("cpu", "CPU s")))  # fmt: skip
        print(f"{told}  {name}")
    for name, value in found["ratio"].items():
        print(f"{value:6.2f} ×  copydesk beside nothing, {name}")
    print("of it, in the flow: " + ", ".join(f"{s['step']} {s['seconds']:.2f}" for s in found["steps"]))
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
