"""Proofs that repeat something many times: how often, and processes that start fast enough for it.

`COPYDESK_PROOFS=full` raises the counts to those that the project promises (100 kills, 200 swaps); it takes minutes.
"""

from __future__ import annotations

import functools
import importlib
import json
import multiprocessing.forkserver
import os
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from unittest import mock

FULL = os.environ.get("COPYDESK_PROOFS") == "full"

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["proving", "refreshing", "pandera.polars", "flows.export"])


@functools.cache
def _warm() -> None:
    """Start the server that children come from; with one thread each they take less of a machine that tests share."""
    with mock.patch.dict(os.environ, POLARS_MAX_THREADS="1"):
        multiprocessing.forkserver.ensure_running()


def often(promised: int, usual: int) -> int:
    """How often a proof repeats itself."""
    return promised if FULL else usual


@contextmanager
def child(work: Callable[..., None], *arguments: Any) -> Iterator[tuple[Any, Connection]]:
    """A process of its own that does `work(connection, *arguments)`, with its end of a connection; killed in the end.

    It comes from a server that has imported everything already, and starts in a hundredth of a second.
    """
    _warm()
    ours, theirs = _context.Pipe()
    process = _context.Process(target=work, args=(theirs, *arguments), daemon=True)
    process.start()
    theirs.close()
    try:
        yield process, ours
    finally:
        process.kill()
        process.join()
        ours.close()


def ask(work: Callable[..., Any], *arguments: Any) -> Any:
    """What `work` gives in a process of its own, or the exception that it raised."""
    with child(_answer, work, *arguments) as (_, told):
        return told.recv()


def _answer(tell: Connection, work: Callable[..., Any], *arguments: Any) -> None:
    try:
        tell.send(work(*arguments))
    except Exception as error:
        tell.send(error if type(error).__module__ in ("flows.errors", "builtins") else repr(error))


PHASES = {
    "read": ("flows.staging", "stage"),
    "clean": ("flows.shards", "clean_shard"),
    "rewrite": ("flows.rewrite", "rewrite_part"),
    "compare": ("flows.duplicates", "write_duplicates"),
    "remember": ("flows.state", "write_state"),
    "seal": ("flows.snapshots.store", "seal_parts"),
    "sync": ("flows.snapshots.local", "sync_tree"),
    "swap": ("flows.snapshots.local", "replace_link"),
    "retire": ("flows.snapshots.store", "pairwise"),
    "export": ("flows.export", "_batches"),
}
"""What a run goes through, and an export, and the function that each begins with."""
RUN_PHASES = [phase for phase in PHASES if phase != "export"]


def announce(tell: Callable[[str], Any]) -> None:
    """Have this process tell when each of the `PHASES` begins."""
    for phase, (module, name) in PHASES.items():
        home = importlib.import_module(module)
        inner = getattr(home, name)

        def begun(*given: Any, _inner: Any = inner, _phase: str = phase, **more: Any) -> Any:
            tell(_phase)
            return _inner(*given, **more)

        setattr(home, name, begun)


def edit(source: Path, chance: random.Random, count: int = 12) -> None:
    """Put other pages into the one file of a source."""
    from test_refresh import page

    source.mkdir(exist_ok=True)
    pages = [page(n, page(n)["text"] + chance.choice("ab")) for n in chance.sample(range(20), count)]
    (source / "new").write_text("".join(json.dumps(p) + "\n" for p in pages), "utf-8")
    (source / "new").replace(source / "p.jsonl")
