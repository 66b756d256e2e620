"""Running a command and measuring it: seconds of the clock, of the CPU, and memory."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

from flows.workers import ENGINE

ROOT = Path(__file__).resolve().parent.parent
WATCH_SECONDS = 0.2
"""Between two looks at the memory of what is measured."""


def measure(command: list[str], work: Path) -> dict[str, float]:
    """Run a command; its CPU seconds and peak memory are those of all its processes (the peak: of the largest)."""
    env = {k: v for k, v in os.environ.items() if k not in ("PYTHONDONTWRITEBYTECODE", "PREFECT_API_URL")}
    # bytecode as on any machine, though in a folder that goes with the benchmark
    env |= {"PYTHONPYCACHEPREFIX": str(work / "bytecode"), "PREFECT_HOME": str(work / "prefect")}
    env |= {"PYTHONPATH": str(ROOT), **ENGINE}
    log = work / "log.txt"
    began = time.perf_counter()
    with log.open("ab") as sink:
        process = subprocess.Popen(command, stdout=sink, stderr=sink, stdin=subprocess.DEVNULL, env=env, cwd=work)
        peaks: dict[int, int] = {}
        done = threading.Event()
        watch = threading.Thread(target=_watch_memory, args=(process.pid, peaks, done))
        watch.start()
        _, status, usage = os.wait4(process.pid, 0)
        done.set()
        watch.join()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        said = log.read_text(errors="replace")[-2000:]
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}:\n{said}")
    scale = 2**20 if sys.platform == "darwin" else 2**10
    return {
        "cpu_seconds": usage.ru_utime + usage.ru_stime,
        "wall_seconds": time.perf_counter() - began,
        "peak_mb": max(peaks.values()) / 2**10 if peaks else usage.ru_maxrss / scale,
    }


def _watch_memory(pid: int, peaks: dict[int, int], done: threading.Event) -> None:
    """Note the highest memory (kB) of a process and each of its children, where the system tells it (Linux).

    `ru_maxrss` begins with what the benchmark itself held when it forked, which is more than a run takes.
    """
    while not done.wait(WATCH_SECONDS):
        for process in _tree(pid):
            with contextlib.suppress(OSError):
                lines = Path(f"/proc/{process}/status").read_text(encoding="ascii", errors="replace").splitlines()
                high = next((int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), 0)
                peaks[process] = max(peaks.get(process, 0), high)


def _tree(pid: int) -> list[int]:
    """A process and its children's children."""
    found = [pid]
    for process in found:
        for children in Path(f"/proc/{process}/task").glob("*/children"):
            with contextlib.suppress(OSError):
                found += map(int, children.read_text(encoding="ascii").split())
    return found
