"""What becomes of the parts of a snapshot in the next one: kept, written anew, put together, or gone.

A run adds its pages as new parts, so parts grow many. When more than MANY of them hold less than SMALL_BYTES of pages
each, they are put together, in the order of their numbers, into parts of SHARD_BYTES, each of one rule-set. Only a run
that has something to write does so. New parts take the lowest numbers that are free.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple, TypedDict

import polars as pl
import pyarrow.parquet as pq

from flows.errors import RunError
from flows.figures import Figures, add_up
from flows.refresh import Plan
from flows.rewrite import Rewrite
from flows.shards import SHARD_BYTES
from flows.snapshots import Staging
from flows.state import PartState, State
from schemas import ARTICLES, LEDGER, QUARANTINE, SCHEMA_VERSION

SMALL_BYTES = SHARD_BYTES // 2
MANY = 8


class Shard(TypedDict):
    """A file of staged pages, and how many there are."""

    path: Path
    pages: int


class Arrangement(NamedTuple):
    """The next snapshot's `pages` (`state.PAGES`), and how its parts are made: `kept` from the last one, `cleaned` from
    a shard, by number, `rewrites` of parts without the rows of the ids in the file `dropped`.
    """

    pages: pl.DataFrame
    kept: tuple[int, ...]
    cleaned: dict[int, Shard]
    rewrites: tuple[Rewrite, ...]
    dropped: Path


@dataclasses.dataclass(frozen=True)
class Made:
    """The parts that were written, and the figures of the pages that were cleaned and of the whole snapshot."""

    parts: dict[int, PartState]
    cleaned: Figures
    whole: Figures


def arrange(state: State, plan: Plan, shards: list[Shard], staging: Staging, scratch: Path) -> Arrangement:
    """Decide what becomes of each part, and hard-link those that are kept into `staging`."""
    stay = plan.pages.filter(pl.col("part").is_not_null())
    sizes = {part: (pages, size) for part, pages, size in
             stay.group_by("part").agg(pl.len(), pl.col("bytes").sum()).iter_rows()}  # fmt: skip
    had: dict[int, int] = dict(state.pages.group_by("part").len().iter_rows())
    shrunk = {n for n, (pages, _) in sizes.items() if pages != had[n] or state.parts[n].schema != SCHEMA_VERSION}
    writes = shrunk or shards or len(sizes) < len(had)
    together = list(_together(state, sizes)) if writes else []
    merged = {n for group in together for n in group}
    groups = [*together, *((n,) for n in shrunk - merged)]
    rewrites = tuple(sorted(Rewrite(min(g), tuple(g), sum(sizes[n][0] for n in g)) for g in groups))
    kept = tuple(sorted(set(sizes) - merged - shrunk))
    for number in kept:
        for dataset, name in state.files[number]:
            if dataset in (ARTICLES.name, LEDGER.name, QUARANTINE.name):
                staging.keep(dataset, name)
    taken = {*kept, *(r.number for r in rewrites)}
    free = (n for n in range(len(shards) + len(taken)) if n not in taken)
    cleaned = dict(zip(free, shards, strict=False))
    dropped = scratch / "dropped.parquet"
    pq.write_table(plan.dropped.to_arrow(), dropped)
    return Arrangement(_placed(plan.pages, rewrites, cleaned), kept, cleaned, rewrites, dropped)


def _together(state: State, sizes: Mapping[int, tuple[int, int]]) -> Iterator[list[int]]:
    """Groups of small parts that are to be one."""
    small = sorted(n for n, (_, size) in sizes.items() if size < SMALL_BYTES)
    if len(small) <= MANY:
        return
    for made in sorted({(state.parts[n].ruleset, state.parts[n].schema) for n in small}):
        group: list[int] = []
        weight = 0
        for number in (n for n in small if (state.parts[n].ruleset, state.parts[n].schema) == made):
            group.append(number)
            weight += sizes[number][1]
            if weight >= SHARD_BYTES:
                yield group
                group, weight = [], 0
        if len(group) > 1:
            yield group


def _placed(pages: pl.DataFrame, rewrites: tuple[Rewrite, ...], cleaned: Mapping[int, Shard]) -> pl.DataFrame:
    """`pages` with the numbers of the parts that they will stand in."""
    moved = {old: r.number for r in rewrites for old in r.parts}
    pages = pages.with_columns(pl.col("part").replace(moved))
    homes = [
        pl.read_ipc(shard["path"], columns=["doc_id"]).unique().with_columns(home=pl.lit(number, pl.UInt32))
        for number, shard in cleaned.items()
    ]
    if homes:
        pages = pages.join(pl.concat(homes), on="doc_id", how="left")
        pages = pages.with_columns(part=pl.coalesce("part", "home")).drop("home")
    lost = pages.filter(pl.col("part").is_null())
    if len(lost):
        raise RunError(f"{len(lost):,} pages changed while they were read, such as {lost['doc_id'][0]}; run it again")
    return pages


def made(state: State, arrangement: Arrangement, figures: Mapping[int, Path], ruleset: str) -> Made:
    """Add up what was written: `figures` has a file of figures for each part that was cleaned or rewritten."""
    by = {r.number: state.parts[r.parts[0]].ruleset for r in arrangement.rewrites}
    found = {n: json.loads(p.read_text(encoding="utf-8", errors="surrogatepass")) for n, p in figures.items()}
    parts = {
        # what site memory saw is looked at in the run that cleaned the pages, and in no other
        n: PartState(by.get(n, ruleset), SCHEMA_VERSION, {k: v for k, v in rows.items() if k != "memory"})
        for n, rows in found.items()
    }
    every = {n: state.parts[n] for n in arrangement.kept} | parts
    cleaned = add_up(found[n] for n in sorted(arrangement.cleaned))
    return Made(parts, cleaned, add_up(every[n].figures for n in sorted(every)))
