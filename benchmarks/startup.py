"""Where the seconds of a small run go: `copydesk run seeds` beside a Prefect flow that does nothing, started alike.

    python -m benchmarks.startup            three starts of each, in turn; the medians and their ratio
    python -m benchmarks.startup --json f   the same for programs

Four starts: each flow with a server of its own, as `copydesk run` starts it, and each against a server that runs
already. Both are started by the same few lines (`flows.launch`); only the flow differs. CPU seconds are those of all
processes, the own server's too, and tell more where the machine has other things to do.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from flows.server import QUIET, OwnServer

ROOT = Path(__file__).parent.parent

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
    """Medians of the four starts, in turn, and the ratios."""
    with tempfile.TemporaryDirectory(prefix="copydesk-startup-") as made:
        folder = Path(made)
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PREFECT_")} | QUIET
        environment |= {"PREFECT_HOME": str(folder / "prefect"), "PYTHONPATH": str(ROOT)}
        ours = [sys.executable, "-m", "flows.cli", "run", "seeds", "-o", str(folder / "out")]
        starts = {"copydesk": ours, "nothing": [sys.executable, "-c", NOTHING]}
        taken: dict[str, list[tuple[float, float]]] = {}
        os.environ["PREFECT_HOME"] = str(folder / "prefect")
        for words in starts.values():  # the first makes the database, and compiles what was never imported
            seconds(words, environment)
        for _ in range(rounds):
            for name, words in starts.items():
                taken.setdefault(f"{name}, own server", []).append(seconds(words, environment))
        with OwnServer(folder / "server.log") as server:
            server.wait()
            there = environment | {"PREFECT_API_URL": server.url}
            for _ in range(rounds):
                for name, words in starts.items():
                    taken.setdefault(f"{name}, running server", []).append(seconds(words, there))
        report = json.loads((folder / "out" / "reports" / "latest" / "report.json").read_text(encoding="utf-8"))
    medians = {
        name: {
            clock: round(statistics.median(one[place] for one in both), 2)
            for place, clock in enumerate(("wall", "cpu"))
        }
        for name, both in taken.items()
    }
    ratios = {
        f"{kind}, {clock}": round(medians[f"copydesk, {kind}"][clock] / medians[f"nothing, {kind}"][clock], 2)
        for kind in ("own server", "running server")
        for clock in ("wall", "cpu")
    }
    return {"seconds": medians, "ratio": ratios, "steps": report["steps"], "rounds": rounds}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, metavar="FILE")
    asked = parser.parse_args()
    found = measure(asked.rounds)
    for name, value in found["seconds"].items():
        print(f"{value['wall']:6.2f} s  {value['cpu']:6.2f} CPU s  {name}")
    for name, value in found["ratio"].items():
        print(f"{value:6.2f} ×  copydesk beside nothing, {name}")
    print("of it, in the flow: " + ", ".join(f"{s['step']} {s['seconds']:.2f}" for s in found["steps"]))
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
