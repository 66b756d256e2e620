"""`copydesk learn`: read pages, count which lines recur on the pages of each site, and write them as a site memory.

The pages are read and staged as for a run and cleaned without a memory. Of each shard stays a row a line, on disk;
then whole sites are counted, as many at a time as fit, so that memory does not grow with the pages.
"""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq
from rich import box
from rich.table import Table
from rich.text import Text

from copydesk import clean_pages
from copydesk.cleaning import Desk
from copydesk.learning import LABEL, TALLY, entries_of, judged_lines, recurring_lines, tally
from copydesk.memory import Memory, load_memory, quoted, write_memory
from flows.errors import RunError, UsageError
from flows.progress import tell
from flows.readers import ReadOptions, open_source
from flows.request import open_memory, open_rules
from flows.shards import SHARD_BYTES, admit
from flows.staging import stage
from flows.summary import open_console, progress_bar
from flows.wording import shown

GROUP_ROWS = 2_000_000
"""Lines that are counted at a time, in whole sites: about 0.8 GB at the peak. A larger site is counted alone."""
SITES_SHOWN = 20


def learn(
    source: str,
    columns: dict[str, Any],
    rules: Sequence[Path],
    publishers: Sequence[Path],
    memory: Path,
    propose: Path | None = None,
) -> None:
    """Learn a site memory from the pages of `source`, write it to `memory`, and print what is in it.

    An earlier file there keeps what a person accepted and rejected; all counts are made anew. `propose` names a folder
    for publisher profiles with the lines as furniture. Raises UsageError and RunError.
    """
    desk = open_rules(rules, publishers)
    pages = open_source(source, ReadOptions(**columns))
    earlier = open_memory(memory) if memory.exists() else None
    if not memory.absolute().parent.is_dir():
        raise UsageError(f"no such folder: {memory.absolute().parent}; make it first, or name another file")
    try:
        folder = Path(tempfile.mkdtemp(prefix=".copydesk-learn-", dir=memory.absolute().parent))
    except OSError as error:
        raise UsageError(f"cannot write beside {memory}: {error.strerror}; name another file") from error
    try:
        with progress_bar() if sys.stderr.isatty() else nullcontext():

            def watched() -> Iterator[pl.DataFrame]:
                for batch in pages.batches():
                    tell("read", pages.bytes_read, pages.total_bytes)
                    yield batch

            shards = stage(watched(), folder / "pages", shard_bytes=SHARD_BYTES)
            text = learn_from_shards([(s.path, s.pages) for s in shards], folder, desk, earlier)
        new = folder / memory.name
        new.write_text(text, encoding="utf-8")
        new.replace(memory)
    except OSError as error:
        what = f"cannot write {memory}: {error.strerror or error}"
        raise RunError(f"{what}; free some space or check its rights") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    learnt = load_memory(memory)
    _print(learnt, memory, sum(s.pages for s in shards))
    if propose:
        _print_proposals(write_proposals(learnt, desk, propose), propose)


def learn_from_shards(
    shards: Iterable[tuple[Path, int]], folder: Path, desk: Desk, earlier: Memory | None = None
) -> str:
    """The memory, as the text of its file, of staged pages (shards with their number of pages).

    `desk` has no memory itself; `folder` is for files in between, which it leaves there.
    """
    shards = list(shards)
    pq.write_table(pl.DataFrame(schema=TALLY).to_arrow(), folder / "lines-none.parquet")
    rows, pages = Counter[str](), Counter[str]()
    done = 0
    for number, (shard, count) in enumerate(shards):
        tell("learn", done, sum(n for _, n in shards))
        lines = tally(clean_pages(admit(pl.read_ipc(shard)), desk=desk))
        for site, some_rows, some_pages in (
            lines.group_by("site").agg(pl.len(), pages=pl.col("page").n_unique()).iter_rows()
        ):
            rows[site] += some_rows
            pages[site] += some_pages
        # by site, in small row groups: a group of sites is then read without most of the file
        pq.write_table(lines.to_arrow(), folder / f"lines-{number:05}.parquet", row_group_size=50_000)
        done += count
    tell("learn", done, done)
    return _memory_of(folder, {site: rows[site] for site in sorted(rows) if pages[site] >= LABEL.pages}, earlier)


def _memory_of(folder: Path, rows: dict[str, int], earlier: Memory | None) -> str:
    """Count the lines in `folder`, group of sites by group of sites; `rows` has the sites in order."""
    judged = judged_lines(earlier)
    counts, texts, of = [], [], []
    for first, last in list(_groups(rows)) or [("", "")]:
        here = pl.col("site").is_between(pl.lit(first), pl.lit(last))
        lines = pl.scan_parquet(folder / "lines-*.parquet").filter(here)
        found = recurring_lines(lines.drop("text").collect())
        of.append(found.select("site", "of").unique())
        found = found.filter(pl.col("enough") | pl.col("key").is_in(judged["key"].implode()))
        counts.append(found)
        texts.append(lines.select("key", "text").filter(pl.col("key").is_in(found["key"].implode())).unique().collect())
    entries = entries_of(pl.concat(counts), pl.concat(texts), pl.concat(of), judged)
    return write_memory(entries, dict(entries.select("site", "of").iter_rows()))


def _groups(rows: dict[str, int]) -> Iterator[tuple[str, str]]:
    """The first and the last site of each group."""
    first, last, held = "", "", 0
    for site, count in rows.items():
        if held and held + count > GROUP_ROWS:
            yield first, last
            held = 0
        first, last, held = (first if held else site), site, held + count
    if held:
        yield first, last


def write_proposals(memory: Memory, desk: Desk, folder: Path) -> dict[str, int]:
    """Write a profile for each site with lines that would stay without a memory, or that a person accepted.

    Returns the lines proposed by file name. A file that is there already is left alone, and has -1.
    """
    worth = (pl.col("status") == "accepted") | ((pl.col("status") == "learnt") & (pl.col("kept") > 0))
    homes = {p.site: p.name for p in desk.profiles.profiles}
    known = {(site, line) for site, line, _ in desk.profiles.furniture.iter_rows()}
    found: dict[str, int] = {}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for (site,), lines in memory.entries.filter(worth).group_by(["site"], maintain_order=True):
            rows = [row for row in lines.iter_rows(named=True) if (site, row["line"]) not in known]
            if not rows:
                continue
            path = folder / f"{re.sub(r'[^a-z0-9.-]+', '_', str(site).lower())}.toml"
            found[path.name] = -1 if path.exists() else len(rows)
            if not path.exists():
                path.write_text(_profile(str(site), homes.get(str(site)), rows), encoding="utf-8")
    except OSError as error:
        raise RunError(f"cannot write to {folder}: {error.strerror or error}; name another folder") from error
    return found


def _profile(site: str, home: str | None, rows: list[dict[str, Any]]) -> str:
    """A profile as TOML: of its own, or one that adds to the profile that the site has."""
    why = f"Lines that recur on pages of {site}, proposed by copydesk learn: keep those that are never an article's."
    whose = [] if home else [f"domains = [{quoted(site)}]"]
    parts = [f"name = {quoted(home or site)}", f"why = {quoted(why)}", *whose, "furniture = ["]
    for row in rows:
        parts.append(f"  # on {row['pages']:,} of {row['of']:,} pages; on {row['kept']:,} it would stay in the article")
        parts.append(f"  {{ line = {quoted(row['line'])}, role = {quoted(row['role'])} }},")
    return "\n".join([*parts, "]", ""])


def _print(memory: Memory, path: Path, pages: int) -> None:
    """What was learnt, the sites with most lines that would stay without a memory first."""
    console = open_console()
    sites = (
        memory.entries.filter(pl.col("status") != "rejected")
        .group_by("site")
        .agg(pl.col("of").first(), lines=pl.len(), kept=(pl.col("kept") > 0).sum())
        .sort("kept", "lines", "site", descending=[True, True, False])
    )
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), show_edge=False)
    for name in ("site", "articles", "lines", "of them new to the rules"):
        table.add_column(name, justify="left" if name == "site" else "right")
    for site, of, lines, kept in sites.head(SITES_SHOWN).iter_rows():
        table.add_row(Text(shown(site, 60)), f"{of:,}", f"{lines:,}", f"{kept:,}")
    if len(sites):
        console.print(table)
    more = f", {SITES_SHOWN} of them shown" if len(sites) > SITES_SHOWN else ""
    lines = [f"{pages:,} pages; lines that recur: {sites['lines'].sum():,}, on sites: {len(sites):,}{more}"]
    if not len(sites):
        lines.append(f"a site needs {LABEL.pages} articles or more, and a URL (--url-column) or a profile")
    lines += [
        f"memory    {path} (version {memory.version})",
        f"read it, set `status` where you judge otherwise, then: copydesk run ... --memory {path}",
    ]
    for line in lines:
        console.print(Text(line), soft_wrap=True)


def _print_proposals(found: dict[str, int], folder: Path) -> None:
    console = open_console()
    for name, lines in found.items():
        said = f"{lines:,} lines" if lines >= 0 else "is there already and was left as it is"
        console.print(Text(f"proposed  {folder / name}: {said}"), soft_wrap=True)
    if found:
        console.print(Text(f"delete what is wrong, then: copydesk run ... --publishers {folder}"), soft_wrap=True)
