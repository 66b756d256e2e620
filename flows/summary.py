"""What a person sees of a run on the terminal: a bar while it goes, a table when it is done."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from flows.gates import GATES, Gates
from flows.progress import hearing, listening
from flows.snapshots import is_bucket
from flows.wording import measure, shown
from schemas.runs import REFRESHED

STATUS = {"passed": "green", "warned": "yellow", "failed": "red"}
STEPS = {
    "start": "starting", "check": "looking", "read": "reading", "clean": "cleaning", "learn": "learning",
    "compare": "comparing", "publish": "uploading",
}
PIPED_WIDTH = 120
"""Columns where there is no terminal to ask."""
_NAMED = 3


def open_console(width: int = 0) -> Console:
    """Standard output: `width` columns, else the terminal's; plain and wide enough where it is none."""
    return Console(width=width or (None if sys.stdout.isatty() else PIPED_WIDTH), highlight=False)


@contextmanager
def progress_bar() -> Iterator[None]:
    """A bar for each step on standard error: reading in bytes, cleaning in pages, with their rates."""
    columns = (
        TextColumn("{task.description:<9}"), BarColumn(), TaskProgressColumn(), TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bars: dict[str, TaskID] = {"start": progress.add_task(STEPS["start"], total=None, rate="")}

        def show(step: str, done: float, total: float) -> None:
            if step not in bars:
                progress.update(bars["start"], visible=False)
                bars[step] = progress.add_task(STEPS[step], total=total or None, rate="")
            bar = next(task for task in progress.tasks if task.id == bars[step])
            speed = bar.finished_speed or bar.speed or 0
            rate = f"{speed / 1e6:,.1f} MB/s" if step in ("check", "read", "publish") else f"{speed:,.0f} pages/s"
            progress.update(bars[step], completed=done, total=total or None, rate=rate if speed else "")

        with listening(show), hearing(lambda said: progress.console.print(Text(said), soft_wrap=True)):
            yield


def print_summary(result: dict[str, Any], output: str) -> None:
    """The summary at the end of a run, on standard output."""
    console = open_console()
    verdict = result["verdict"]
    console.print(
        Text.assemble((verdict["status"], f"bold {STATUS[verdict['status']]}"), "  ", verdict["sentence"]),
        soft_wrap=True,
    )
    table = Table(box=None, show_header=False, padding=(0, 1), pad_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column()
    cut = result["characters_furniture"] / result["characters_in"] if result["characters_in"] else 0
    steps = ", ".join(f"{s['step']} {s['seconds']:.1f}" for s in result["steps"])
    beside = "; ".join(filter(None, (_refreshed(result), _skipped(result["skipped"]))))
    rows = (
        ("pages in", f"{result['pages_in']:,}", beside),
        ("articles", f"{result['articles']:,}", _listed(result["warnings"])),
        ("quarantined", f"{result['quarantined']:,}", _listed(result["failures"])),
        ("repeats", f"{sum(result['duplicates'].values()):,}", _repeats(result["duplicates"])),
        ("furniture", f"{cut:.1%}", "of all characters, each in the ledger with its rule"),
        ("seconds", f"{result.get('seconds_in_all', result['seconds']):.1f}", f"in all; {steps}"),
    )
    for label, figure, more in rows:
        table.add_row(label, figure, Text(more))
    console.print(table)
    where = result["snapshot"] if is_bucket(output) else Path(output)
    datasets = f"{where}/articles, ledger, quarantine, duplicates, runs"
    console.print(Text.assemble(("datasets  ", "dim"), datasets), soft_wrap=True)
    console.print(Text.assemble(("report    ", "dim"), result["report"]), soft_wrap=True)


def _listed(counts: dict[str, int]) -> str:
    """'no_date 4, no_byline 2, ...': the commonest first, cut to a line."""
    rows = sorted(counts.items(), key=lambda r: (-r[1], r[0]))
    text = ", ".join(f"{name} {count:,}" for name, count in rows[:4])
    return text + (f" and {len(rows) - 4} more kinds" if len(rows) > 4 else "")


def _refreshed(result: dict[str, Any]) -> str:
    """'200 new, 19,800 unchanged': what the run found beside the last snapshot; nothing for a first run."""
    counts = {name.removeprefix("pages_"): result[name] for name in REFRESHED}
    if counts["new"] == result["pages_in"] and not counts["pruned"]:
        return ""
    return ", ".join(f"{count:,} {name}" for name, count in counts.items() if count)


def _repeats(counts: dict[str, int]) -> str:
    """How many articles are copies, and of which kind."""
    return f"exact {counts['exact']:,}, near {counts['near']:,}: in duplicates, nothing is deleted"


def _skipped(names: list[str]) -> str:
    """What lay in the folder and is not read."""
    if not names:
        return ""
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return f"not read: {', '.join(shown(name, 60) for name in names[:_NAMED])}{more}"


def print_gates(gates: Gates) -> None:
    """The thresholds in force, on standard output."""
    table = Table(box=None, padding=(0, 1), pad_edge=False)
    for name, justify in (("gate", "left"), ("warns", "right"), ("fails", "right"), ("what is judged", "left")):
        table.add_column(name, justify=justify, header_style="dim")  # type: ignore[arg-type]
    for gate in GATES:
        limits = gates.limits[gate.name]
        written = ("off" if limit is None else measure(limit, gate.unit) for limit in (limits.warn, limits.fail))
        table.add_row(gate.name, *written, Text(gate.what))
    console = open_console()
    console.print(table)
    console.print(
        f"The usual: the median of the last {gates.runs} runs, from {gates.fewest_runs} on; "
        f"a publisher is judged from {gates.fewest_pages} articles on.",
        style="dim", soft_wrap=True,
    )  # fmt: skip
