"""`copydesk snapshots`: what was published and is still there, how two snapshots differ, and going back."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl
from rich.filesize import decimal
from rich.table import Table
from rich.text import Text

from flows.compare import Difference, compare
from flows.errors import RunError, UsageError
from flows.published import current_snapshot, published_store
from flows.snapshots import SnapshotStore
from flows.snapshots.files import read_manifest
from flows.summary import STATUS, open_console
from flows.wording import moment, shown


def list_snapshots(output: Path | str) -> None:
    """Print the snapshots, newest last: run, when, pages, verdict, and bytes of its own beside those it shares."""
    store = published_store(output)
    snapshots = store.snapshots()
    current = store.current()
    every = [store.sizes(snapshot) for snapshot in snapshots]
    holders = Counter(file for sizes in every for file in sizes)
    table = Table("run", "published", "pages", "verdict", "own", "shared", "", box=None, pad_edge=False)
    for column in (2, 4, 5):
        table.columns[column].justify = "right"
    for snapshot, sizes in zip(snapshots, every, strict=True):
        manifest = read_manifest(snapshot) or {}
        own = sum(size for file, size in sizes.items() if holders[file] == 1)
        verdict = _verdict(store, snapshot)
        pages = manifest.get("pages_in")
        table.add_row(
            shown(snapshot.name, 60), moment(str(manifest.get("published_at") or "")),
            f"{pages:,}" if isinstance(pages, int) else "–", Text(verdict, STATUS.get(verdict, "")),
            decimal(own), decimal(sum(sizes.values()) - own), "current" if snapshot.resolve() == current else "",
        )  # fmt: skip
    console = open_console()
    console.print(table if snapshots else f"{output} has no snapshot yet", soft_wrap=not snapshots)


def diff_snapshots(output: Path | str, old: str | None, new: str | None) -> None:
    """Print what changed from one snapshot to another; the last two where none is named."""
    store = published_store(output)
    after = _named(store, new) if new else current_snapshot(store)
    before = _named(store, old) if old else _before(store, after)
    console = open_console()
    console.print(Text(f"from {before.name} to {after.name}"), soft_wrap=True)
    table = Table("dataset", "added", "changed", "gone", "", box=None, pad_edge=False)
    for column in table.columns[1:4]:
        column.justify = "right"
    found = list(compare(before, after, store.fetch))
    for difference in found:
        counts = (difference.added, difference.changed, difference.gone)
        examples = [f"+ {key}" for key in difference.added_keys] + [f"- {key}" for key in difference.gone_keys]
        row = Text(shown(", ".join(shown(e, 40) for e in examples), 160), "dim")
        table.add_row(difference.dataset, *(f"{n:,}" if n else "" for n in counts), row if any(counts) else "the same")
    console.print(table)
    for difference in found:
        _print_fields(difference)


def _print_fields(difference: Difference) -> None:
    console = open_console()
    for name, (count, examples) in difference.fields.items():
        console.print(Text(f"{difference.dataset}.{name}: {count:,} changed", "bold"), soft_wrap=True)
        for example in examples:
            line = f"    {shown(example.key, 60)}: {_value(example.before)} -> {_value(example.after)}"
            console.print(Text(line), soft_wrap=True)


def rollback(output: Path | str, run: str | None) -> None:
    """Make an older snapshot the current one, in one step; the one before the current where none is named."""
    store = published_store(output)
    with store.lock():
        current = current_snapshot(store)
        target = _named(store, run) if run else _before(store, current)
        if target == current:
            raise UsageError(f"{target.name} is the current snapshot already")
        damage = store.damage(target)
        if damage:
            raise RunError(f"{target.name} is not as it was published: {damage[0]}; nothing was changed")
        store.switch(target)
    manifest = read_manifest(target) or {}
    console = open_console()
    console.print(
        Text(f"Readers of {output} now see {target.name}, published {moment(str(manifest.get('published_at')))}:"),
        soft_wrap=True,
    )
    rows = manifest.get("datasets")
    for name, counts in rows.items() if isinstance(rows, dict) else ():
        console.print(Text(f"    {name:<12}{counts['rows']:>14,} rows"))
    console.print(
        Text(f"{current.name} stays: `copydesk snapshots rollback {current.name} -o {output}` brings it back."),
        soft_wrap=True,
    )


def _before(store: SnapshotStore, snapshot: Path) -> Path:
    """The snapshot before another."""
    snapshots = [path.resolve() for path in store.snapshots()]
    at = snapshots.index(snapshot)
    if not at:
        raise UsageError(f"{snapshot.name} is the oldest snapshot of {store.name}: there is none before it")
    return snapshots[at - 1]


def _named(store: SnapshotStore, name: str) -> Path:
    """The snapshot of a run, by its id or any part of it that no other has."""
    snapshots = store.snapshots()
    found = [path for path in snapshots if path.name == name] or [path for path in snapshots if name in path.name]
    if len(found) != 1:
        what = f"{len(found)} snapshots have {name!r} in their name" if found else f"no snapshot {name!r}"
        raise UsageError(f"{what}; see `copydesk snapshots list {store.name}`")
    return found[0].resolve()


def _verdict(store: SnapshotStore, snapshot: Path) -> str:
    """The verdict of the run that made a snapshot."""
    try:
        runs = pl.read_parquet(store.parts(snapshot, "runs"), columns=["run_id", "verdict"])
    except (OSError, RunError, pl.exceptions.PolarsError):
        return "–"
    mine = runs.filter(pl.col("run_id") == snapshot.name)["verdict"]
    return str(mine[0]) if len(mine) == 1 else "–"


def _value(value: Any) -> str:
    return shown(repr(value), 80) if value is not None else "null"
