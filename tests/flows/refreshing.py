"""Runs over a source that changes, as the flow does them, without Prefect."""

from __future__ import annotations

import itertools
import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import polars as pl

from flows import outcome
from flows.arrange import Shard, arrange, made
from flows.parts import read_parts
from flows.refresh import Plan
from flows.request import open_request
from flows.rewrite import rewrite_part
from flows.shards import clean_shard
from flows.snapshots import check_files
from flows.staging import stage
from flows.state import read_state, write_state
from schemas import ARTICLES, LEDGER, QUARANTINE

ROWS = (ARTICLES, LEDGER, QUARANTINE)
_runs = itertools.count()


def refresh(
    source: Path | str, output: Path, *, rules: Iterable[Path] = (), shard_bytes: int = 2_000, **kind: Any
) -> Plan:
    """Refresh `output` from `source`; `kind` has `prune`, `fresh`, `replay` and the columns' names."""
    columns = {name: kind.pop(name) for name in list(kind) if name.endswith("_column")}
    request = open_request(str(source), str(output), columns, list(rules), [], **kind)
    store = request.store
    ruleset = request.desk.ruleset
    with store.lock():
        staging = store.begin(f"run-{next(_runs):06}")
        scratch = staging.path.with_name(".staging-pages")
        state = read_state(staging.previous)
        reading = request.reading(state)
        staged = stage(reading.batches(ruleset), scratch, shard_bytes=shard_bytes)
        shards: list[Shard] = [{"path": s.path, "pages": s.pages} for s in staged]
        plan = reading.plan(ruleset)
        parts = arrange(state, plan, shards, staging, scratch)
        figures = {
            n: clean_shard(s["path"], staging.path, rules=list(rules), number=n) for n, s in parts.cleaned.items()
        } | {r.number: rewrite_part(state, r, parts.dropped, staging.path) for r in parts.rewrites}
        done = made(state, parts, figures, ruleset)
        outcome.hold_laws(done.whole, parts.pages)
        assert done.cleaned["pages_in"] == plan.counts["pages_new"] + plan.counts["pages_changed"]
        outcome.fill_datasets(staging, ruleset)
        write_state(staging, state, parts.pages, plan.inputs, done.parts)
        store.publish(staging, [d.name for d in ROWS], {"figures": json.loads(json.dumps(done.whole))})
        shutil.rmtree(scratch)
    assert check_files((output / "current").resolve()) == []
    return plan


def rows(output: Path) -> dict[str, pl.DataFrame]:
    """All rows of each dataset, in one order."""
    order = {"ledger": ["doc_id", "char_start", "char_end"], "quarantine": ["doc_id", "content_hash", "source"]}
    return {
        d.name: read_parts(output / d.name, d).sort(order.get(d.name, ["doc_id"]), maintain_order=True) for d in ROWS
    }


def same_rows(one: Path, other: Path) -> bool:
    """Whether two outputs have the same rows; reasons of one page are compared as they stand."""
    a, b = rows(one), rows(other)
    return all(a[name].equals(b[name]) for name in a)
