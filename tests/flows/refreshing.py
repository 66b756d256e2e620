"""Runs over a source that changes, as the flow does them, without Prefect."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

from benchmarks import refresh as without_prefect
from benchmarks.refresh import rows, same_rows
from flows.refresh import Plan
from flows.snapshots import check_files

__all__ = ["refresh", "rows", "same_rows"]

_runs = itertools.count()


def refresh(source: Path | str, output: Path, *, shard_bytes: int = 2_000, **more: Any) -> Plan:
    """Refresh `output` from `source`, in small shards; `more` has the columns' names and the options of the flow."""
    columns = {name: more.pop(name) for name in list(more) if name.endswith("_column")}
    run_id = f"run-{next(_runs):06}"
    plan: Plan = without_prefect.refresh(source, output, columns, run_id=run_id, shard_bytes=shard_bytes, **more)
    assert check_files((output / "current").resolve()) == []
    return plan
