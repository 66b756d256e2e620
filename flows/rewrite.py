"""Parts that lose rows are written anew without them, and parts that are small become one. Knows nothing of Prefect.

A run adds its pages as new parts, so parts grow many. When more than MANY of them hold less than SMALL_BYTES of pages
each, they are put together, in the order of their numbers, into parts of SHARD_BYTES. A part is never put together
with rows of another rule-set. Only runs that write anything do so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import polars as pl

from copydesk.cleaning import Cleaned
from flows import laws
from flows.errors import RunError
from flows.figures import characters_of, shard_figures
from flows.parts import read_part, write_part
from flows.refresh import Plan
from flows.shards import SHARD_BYTES, hold_laws, write_figures
from flows.state import State
from schemas import ARTICLES, LEDGER, QUARANTINE, SCHEMA_VERSION

SMALL_BYTES = SHARD_BYTES // 2
MANY = 8


class Rewrite(NamedTuple):
    """A part that is made of parts of the last snapshot: its number, theirs, and how many pages it has."""

    number: int
    parts: tuple[int, ...]
    pages: int


class Arrangement(NamedTuple):
    """What becomes of the parts of the last snapshot. Parts that neither stay nor are rewritten are gone."""

    kept: tuple[int, ...]
    rewrites: tuple[Rewrite, ...]

    def place(self, pages: pl.DataFrame) -> pl.DataFrame:
        """`pages` with the numbers of their parts as they are then."""
        moved = {old: r.number for r in self.rewrites for old in r.parts}
        return pages.with_columns(part=pl.col("part").replace(moved))

    def free_numbers(self, many: int) -> list[int]:
        """The lowest numbers that no part has."""
        taken = {*self.kept, *(r.number for r in self.rewrites)}
        return [n for n in range(many + len(taken)) if n not in taken][:many]


def arrange(state: State, plan: Plan) -> Arrangement:
    """Decide what becomes of each part."""
    stay = plan.pages.filter(pl.col("part").is_not_null())
    sizes = {part: (pages, size) for part, pages, size in
             stay.group_by("part").agg(pl.len(), pl.col("bytes").sum()).iter_rows()}  # fmt: skip
    had: dict[int, int] = dict(state.pages.group_by("part").len().iter_rows())
    changed = [n for n, (pages, _) in sizes.items() if pages != had[n] or state.parts[n].schema != SCHEMA_VERSION]
    together = list(_together(state, sizes)) if changed or len(stay) < len(plan.pages) or len(sizes) < len(had) else []
    merged = {n for group in together for n in group}
    groups = [*together, *((n,) for n in changed if n not in merged)]
    rewrites = sorted(Rewrite(min(group), tuple(group), sum(sizes[n][0] for n in group)) for group in groups)
    return Arrangement(tuple(sorted(set(sizes) - merged - set(changed))), tuple(rewrites))


def _together(state: State, sizes: dict[int, tuple[int, int]]) -> Iterator[list[int]]:
    """Groups of small parts that are to be one."""
    small = sorted(n for n, (_, size) in sizes.items() if size < SMALL_BYTES)
    if len(small) <= MANY:
        return
    for ruleset in sorted({state.parts[n].ruleset for n in small}):
        group: list[int] = []
        weight = 0
        for number in (n for n in small if state.parts[n].ruleset == ruleset):
            group.append(number)
            weight += sizes[number][1]
            if weight >= SHARD_BYTES:
                yield group
                group, weight = [], 0
        if len(group) > 1:
            yield group


def rewrite_part(state: State, rewrite: Rewrite, dropped: Path, folder: Path, figures: Path) -> Path:
    """Write one part anew below `folder`, without the rows of the ids in the file `dropped`.

    Returns `figures`, the path that its figures are written to, counted by the same function as those of a shard.
    Raises RunError where a law is broken, or a part of the last snapshot cannot be read.
    """
    ids = pl.read_parquet(dropped)
    ruleset = state.parts[rewrite.parts[0]].ruleset
    rows: dict[str, pl.DataFrame] = {}
    for dataset in (ARTICLES, LEDGER, QUARANTINE):
        paths = _files(state, rewrite.parts, dataset.name)
        found = [read_part(p, dataset).join(ids, on="doc_id", how="anti", maintain_order="left") for p in paths]
        rows[dataset.name] = (pl.concat(found) if found else dataset.empty()).sort("doc_id", maintain_order=True)
        if any(state.parts[n].schema != SCHEMA_VERSION for n in rewrite.parts):
            wrong = dataset.failures(rows[dataset.name])
            if len(wrong):
                raise RunError(f"{paths[0]} does not fit schema {SCHEMA_VERSION}: {wrong.row(0)}; run with --fresh")
    articles, ledger, quarantine = rows.values()
    whole = laws.whole_texts(articles, ledger)
    characters = int(whole["dense"].str.len_chars().sum()) + characters_of(quarantine["text"])
    cleaned = Cleaned(articles, ledger, quarantine, ledger, rewrite.pages, characters, pl.DataFrame())
    hold_laws(cleaned, whole, rewrite.pages)
    for dataset in (ARTICLES, LEDGER, QUARANTINE):
        if len(rows[dataset.name]):
            (folder / dataset.name).mkdir(parents=True, exist_ok=True)
            path = folder / dataset.name / f"part-{rewrite.number:05}.parquet"
            write_part(rows[dataset.name], dataset, path, ruleset=ruleset)
    return write_figures(shard_figures(cleaned, whole), figures)


def _files(state: State, parts: Iterable[int], dataset: str) -> list[Path]:
    assert state.snapshot is not None
    return [state.snapshot / d / name for n in parts for d, name in state.files.get(n, []) if d == dataset]


