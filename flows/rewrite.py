"""A part of a snapshot, made of parts of the last one without the rows that are replaced. Knows nothing of Prefect."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import NamedTuple

import polars as pl

from copydesk.cleaning import Cleaned
from flows import laws
from flows.errors import RunError
from flows.figures import characters_of, shard_figures
from flows.parts import put_part, read_parts
from flows.shards import check_laws, write_figures
from flows.state import State
from schemas import ARTICLES, LEDGER, QUARANTINE, SCHEMA_VERSION


class Rewrite(NamedTuple):
    """A part that is made of parts of the last snapshot: its number, theirs, and how many pages it has."""

    number: int
    parts: tuple[int, ...]
    pages: int


def of_parts(state: State, rewrite: Rewrite) -> State:
    """What of the state a rewrite needs: that of its parts, without the pages of the whole snapshot."""
    return dataclasses.replace(
        state, pages=state.pages.clear(), inputs=state.inputs.clear(),
        parts={n: state.parts[n] for n in rewrite.parts}, files={n: state.files.get(n, []) for n in rewrite.parts},
    )  # fmt: skip


def rewrite_part(state: State, rewrite: Rewrite, dropped: Path, folder: Path) -> Path:
    """Write one part anew below `folder`, without the rows of the ids in the file `dropped`.

    Returns the path of its figures (JSON, beside `dropped`), counted by the same function as those of a shard. Raises
    RunError where a law is broken, or a part of the last snapshot cannot be read.
    """
    ids = pl.read_parquet(dropped)
    rows: dict[str, pl.DataFrame] = {}
    for dataset in (ARTICLES, LEDGER, QUARANTINE):
        paths = state.paths(dataset.name, rewrite.parts)
        found = read_parts(paths, dataset).join(ids, on="doc_id", how="anti", maintain_order="left")
        rows[dataset.name] = found.sort("doc_id", maintain_order=True)
        if any(state.parts[n].schema != SCHEMA_VERSION for n in rewrite.parts):
            wrong = dataset.failures(rows[dataset.name])
            if len(wrong):
                raise RunError(f"{paths[0]} does not fit schema {SCHEMA_VERSION}: {wrong.row(0)}; run with --fresh")
    articles, ledger, quarantine = rows.values()
    whole, checked = check_laws(articles, ledger, quarantine, rewrite.pages)
    laws.hold(checked)
    characters = int(whole["dense"].str.len_chars().sum()) + characters_of(quarantine["text"])
    cleaned = Cleaned(articles, ledger, quarantine, ledger, rewrite.pages, characters, pl.DataFrame())
    for dataset in (ARTICLES, LEDGER, QUARANTINE):
        ruleset = state.parts[rewrite.parts[0]].ruleset
        put_part(rows[dataset.name], dataset, folder, rewrite.number, ruleset=ruleset, scratch=dropped.parent)
    return write_figures(shard_figures(cleaned, whole), dropped.with_name(f"rewritten-{rewrite.number:05}.json"))
