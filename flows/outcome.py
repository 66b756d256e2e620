"""What a run has made of its snapshot: the laws over all parts, sizes, the row in the history, the words for people."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import polars as pl

from flows import laws
from flows.errors import RunError
from flows.figures import Figures
from flows.gates import Verdict
from flows.parts import read_parts, write_part
from flows.snapshots import Staging
from schemas import ARTICLES, LEDGER, QUARANTINE, RUNS

FEWEST_JUDGED = 20
"""Pages from which the pages of one run are judged by themselves: of fewer, a share says little, and the gates look at
the whole snapshot."""


def hold_laws(figures: Figures, pages: pl.DataFrame) -> list[laws.Law]:
    """The laws over all parts, each of which held its own; `pages` are those that were read (`state.PAGES`).

    Raises RunError where one is broken.
    """
    kept, cut = figures["characters_kept"], figures["characters_furniture"]
    waiting = figures["characters_quarantined"]
    spans = sum(r["spans"] for r in figures["roles"])
    held = [
        laws.pages_add_up(len(pages), figures["articles"], figures["quarantined"]),
        laws.characters_balance(figures["characters_in"], kept, cut, waiting),
        laws.Law(3, "No rule, no removal", f"{spans:,} spans name one of {len(figures['rules'])} rules"),
        laws.Law(
            4, "Nothing is invented", f"the printed fields of {figures['articles']:,} articles stand on their pages"
        ),
    ]
    laws.hold(held)
    return held


def judged(cleaned: Figures, whole: Figures) -> Figures:
    """The figures that the gates look at: of the pages cleaned in this run, where they are enough."""
    return cleaned if cleaned["pages_in"] >= FEWEST_JUDGED else whole


def told(verdict: Verdict, counts: Mapping[str, int], figures: Figures) -> Verdict:
    """The verdict with a word on how much of the snapshot this run looked at."""
    cleaned = counts["pages_new"] + counts["pages_changed"]
    if cleaned == figures["pages_in"]:
        return verdict
    one = "1 page was" if cleaned == 1 else f"{cleaned:,} pages were"
    more = f"{one} new or changed" if cleaned else "No page was new or changed"
    if cleaned >= FEWEST_JUDGED:
        more += f", and judged here; in all there are {figures['articles']:,} articles"
    return verdict | {"sentence": f"{verdict['sentence']} {more}."}


def fill_datasets(staging: Staging, ruleset: str) -> int:
    """Give a dataset without rows a file, so that readers find its columns; returns the bytes of all."""
    size = 0
    for dataset in (ARTICLES, LEDGER, QUARANTINE):
        if not staging.bytes_of(dataset.name):
            path = staging.dataset(dataset.name) / "part-00000.parquet"
            write_part(dataset.empty(), dataset, path, ruleset=ruleset)
        size += staging.bytes_of(dataset.name)
    return size


def past_runs(staging: Staging) -> pl.DataFrame:
    """The dataset `runs` as it is published: the runs before this one."""
    return read_parts(staging.past(RUNS.name), RUNS)


def write_history(staging: Staging, runs: pl.DataFrame, ruleset: str) -> pl.DataFrame:
    """Write the runs so far and this one as the dataset `runs`, and return them."""
    wrong = RUNS.failures(runs)
    if len(wrong):
        raise RunError(f"runs breaks its contract: {wrong.row(0)}; this is a defect of copydesk: please report it")
    write_part(runs, RUNS, staging.dataset(RUNS.name) / "part-00000.parquet", ruleset=ruleset)
    return runs


class Clock:
    """Wall time of a run and its steps."""

    def __init__(self) -> None:
        self.started = dt.datetime.now(dt.UTC)
        self._began = time.perf_counter()
        self.steps: list[dict[str, Any]] = []

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time what is done inside as the step `name`."""
        began = time.perf_counter()
        yield
        self.steps.append({"step": name, "seconds": round(time.perf_counter() - began, 3)})

    def now(self) -> dict[str, Any]:
        """When it is, and the seconds since the start."""
        return {"finished_at": dt.datetime.now(dt.UTC), "seconds": round(time.perf_counter() - self._began, 3)}
