"""Whole runs over shards in tests, without Prefect."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from flows.figures import Figures, add_up
from flows.readers import PAGE_SCHEMA, ReadOptions, content_hash, open_source
from flows.shards import clean_shard
from flows.staging import stage

HOSTILE = (
    "<script>alert(1)</script>\n\n{{ 7 * 7 }} [bold]{0}%s\n",
    "\u202eright to left\u2066\n\n\u200b\u200c\ufeff\n\nA\u0301\u0302\u0303 paragraph. " * 20,
    "By " * 5000,
    "\n" * 10_000,
    " \t\u00a0\u3000\u2028\x85\x1c \n" * 50,
    "x" * 200_000,
    "• " * 3000 + "\n" + "    • a\n" * 2000,
    "Published : " + "2024-01-01 " * 500,
    "(((((((((([[[[[[[[[[{{{{{{{{{{" * 50
    + "\n\nA sentence that goes on for long enough to be a paragraph of text, one would say.",
    "\x01\x02\x1b[31m Red\n\nA paragraph that is long enough to be one, with a bell \x07 in it, and an end.",
    "글" * 3000 + ".\n\n" + "記者" * 500,
    "a\r\nb\rc\u2029d",
)
"""Texts that somebody will send us."""
PROSE = "The harbour council said on Monday that the ferry would run again from May, after repairs to the pier."


def page(doc_id: str, text: str | None = PROSE, **more: Any) -> dict[str, Any]:
    raw = (text or "").encode("utf-8")
    return {"doc_id": doc_id, "url": None, "source": f"#{doc_id}", "text": text, "raw": None,
            "content_hash": content_hash(raw), "encoding": "utf-8", "problems": [], **more}  # fmt: skip


def run_pages(pages: Sequence[dict[str, Any]], folder: Path, **sizes: int) -> tuple[dict[str, pl.DataFrame], Figures]:
    return run_frames([pl.DataFrame(list(pages), schema=dict(PAGE_SCHEMA))], folder, **sizes)


def run_source(
    source: Path, folder: Path, options: ReadOptions | None = None, **sizes: int
) -> tuple[dict[str, pl.DataFrame], Figures]:
    return run_frames(open_source(source, options).batches(), folder, **sizes)


def run_frames(
    batches: Any, folder: Path, *, workers: int = 1, **sizes: int
) -> tuple[dict[str, pl.DataFrame], Figures]:
    """Stage and clean everything; returns the rows of each dataset that has any, and the figures."""
    shards = stage(batches, folder / "pages", **sizes)
    with ThreadPoolExecutor(workers) as pool:
        # the last shard first: the order in which they are done must not matter
        work = partial(clean_shard, folder=folder)
        done = list(pool.map(work, [s.path for s in reversed(shards)]))
    figures = add_up(json.loads(path.read_text("utf-8")) for path in reversed(done))
    names = ("articles", "ledger", "quarantine")
    return {n: pl.read_parquet(folder / n / "*.parquet") for n in names if (folder / n).is_dir()}, figures


def digests(folder: Path) -> dict[str, str]:
    """The sha256 of every part file, by its name; not of a snapshot's state, which tells of its inputs."""
    return {
        str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(folder.glob("[!.]*/*.parquet"))
    }


def written(output: Path) -> dict[str, str]:
    """Digests of all part files but those of `runs`, which tells of times."""
    return {name: digest for name, digest in digests(output / "current").items() if not name.startswith("runs/")}
