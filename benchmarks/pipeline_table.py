"""The report of `pipeline.py` as a table for a person."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from benchmarks.peers import PEERS

LIBRARIES = ("polars", "pyarrow", "pandera", "prefect")
HTML = "html"
"""The column whose pages are HTML."""


def measured(runs: dict[str, Any]) -> dict[str, Any]:
    """The runs without the peers that are not there."""
    return {part: run for part, run in runs.items() if "not_installed" not in run}


def table(report: dict[str, Any]) -> Iterator[str]:
    """The report as lines for a person."""
    at, columns = report["machine"], report["columns"]
    versions = ", ".join(f"{name} {at[name]}" for name in ("python", *LIBRARIES, *PEERS) if name in at)
    yield f"{at['cpu']}, {at['cores']} cores, {at['memory_gb']} GB; {versions}"
    for column, found in columns.items():
        told = found["pages"]
        size, lines = told["characters"] / told["pages"], told["lines"] / told["pages"]
        distinct = told["distinct_lines"] / told["lines"]
        yield f"{column}: {told['pages']:,} pages of {size:,.0f} characters, {lines:.1f} lines, {distinct:.0%} distinct"
    yield ""
    # MB are of text or HTML, and like the floor's multiple they are after start
    heads = ("pages", "CPU s", "of it start", "pages/CPU s", "after start", "MB/CPU s", "x floor", "peak MB", "body F1")
    yield f"  {'':12}{'input':10}" + "".join(f"{head:>12}" for head in heads)
    for column, found in columns.items():
        for part, run in found["runs"].items():
            row = f"  {part:12}{column:10}"
            if "not_installed" in run:
                yield f"{row} not installed: {run['not_installed']}"
                continue
            cells = (
                f"{found['pages']['pages']:,}",
                f"{run['cpu_seconds']:.2f}",
                f"{run['start_cpu_seconds']:.2f}",
                f"{run['pages_per_cpu_second']:,.0f}",
                f"{run['pages_per_cpu_second_after_start']:,.0f}",
                f"{run['mb_per_cpu_second_after_start']:,.1f}",
                f"{run['times_the_floor_after_start']:.1f}" if "floor" in found["runs"] else "",
                f"{run['peak_mb']:,.0f}",
                f"{run['body_f1']:.3f}" if "body_f1" in run else "",
            )
            yield row + "".join(f"{cell:>12}" for cell in cells)
    yield from _beside_peers(columns)
    for column, found in columns.items():
        if steps := list(_steps(found["runs"], found["pages"]["pages"])):
            yield f"\n  {f'steps of the pipeline on {column}':36}{'CPU s':>9}{'ms/page':>9}{'share':>7}"
            yield from steps


def beside(report: dict[str, Any], earlier: dict[str, Any]) -> Iterator[str]:
    """What has changed since an earlier report, by figures that another hour or machine changes least: the ratio to the
    floor of the same run, where both have it, and body F1."""
    yield f"\n  {'since the earlier run':34}{'x floor':>18}{'body F1':>18}"
    for column, found in report["columns"].items():
        before = measured(earlier["columns"].get(column, {"runs": {}})["runs"])
        for part, run in measured(found["runs"]).items():
            if part == "floor" or part not in before:
                continue
            was = before[part]
            cells = [
                f"{was[name]:.{digits}f} -> {run[name]:.{digits}f}" if name in was and name in run else ""
                for name, digits in (("times_the_floor_after_start", 1), ("body_f1", 3))
            ]
            yield f"  {part:12}{column:22}" + "".join(f"{cell:>18}" for cell in cells)


def _beside_peers(columns: dict[str, Any]) -> Iterator[str]:
    """How many times the pages of each peer the pipeline cleans in a CPU second."""
    speed = "pages_per_cpu_second_after_start"
    for column, found in columns.items():
        peers = {part: run for part, run in measured(found["runs"]).items() if part in PEERS}
        for ours in ([column] if column != HTML else columns) if peers else ():
            if "pipeline" in columns[ours]["runs"]:
                for peer, run in peers.items():
                    times = columns[ours]["runs"]["pipeline"][speed] / run[speed]
                    yield f"  pipeline on {ours}: {times:.1f} x the pages per CPU second of {peer} on {column}"


def _steps(runs: dict[str, Any], pages: int) -> Iterator[str]:
    if "pipeline" in runs:
        run = runs["pipeline"]
        for step, seconds in sorted(run["steps"].items(), key=lambda s: -s[1]):
            share = seconds / run["cpu_seconds"]
            yield f"  {step:36}{seconds:>9.2f}{1000 * seconds / pages:>9.3f}{share:>7.0%}"
    if "prefect_and_report_cpu_seconds" in runs.get("command", {}):
        seconds = runs["command"]["prefect_and_report_cpu_seconds"]
        yield f"  {'Prefect, its server and the report':36}{seconds:>9.2f}{1000 * seconds / pages:>9.3f}"
