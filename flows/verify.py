"""`copydesk verify`: the laws proved afresh from the published files alone."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq
from rich.text import Text

from copydesk.cleaning import digests
from copydesk.lines import single_spaced
from copydesk.roles import FURNITURE
from flows import laws
from flows.contracts import column_differences, row_differences
from flows.duplicates import prove_duplicates
from flows.figures import characters_of
from flows.parts import read_part, read_parts
from flows.published import current_snapshot, published_store
from flows.snapshots import check_files
from flows.snapshots.files import read_manifest
from flows.state import read_state
from flows.summary import open_console
from flows.wording import shown
from schemas import ARTICLES, DATASETS, LEDGER, QUARANTINE, RUNS, Dataset

_PART = re.compile(r"part-(\d+)")


def verify_output(output: Path | str) -> int:
    """Print a line a check of the current snapshot, and one a breach; returns the exit code, 0 or 1."""
    console = open_console()
    store = published_store(output)
    snapshot = store.fetch(current_snapshot(store))
    failed = False
    for name, check in _checks(snapshot):
        detail, broken = check()
        mark = ("broken", "red") if broken else ("holds ", "green")
        console.print(Text.assemble(mark, f"  {name}: {detail}".rstrip(": ")), soft_wrap=True)
        for line in broken:
            console.print(Text(f"        {shown(line, 500)}"), soft_wrap=True)
        failed = failed or bool(broken)
        if failed and name in _GROUND:
            console.print(f"        {_GROUND[name]}", markup=False, soft_wrap=True)
            break
    end = ("not proved", "red") if failed else ("proved", "green")
    console.print(Text.assemble(end, f"  snapshot {snapshot.name}"), soft_wrap=True)
    return 1 if failed else 0


_GROUND = {
    "files": "the laws are not looked at while files are not what was published",
    "contracts": "the laws are not looked at while rows break their contract",
}
"""Checks that the others stand on, and what is said where they fail."""
Check = Callable[[], tuple[str, list[str]]]


def _checks(snapshot: Path) -> list[tuple[str, Check]]:
    return [
        ("files", lambda: _files(snapshot)),
        ("contracts", lambda: _contracts(snapshot)),
        ("law 1, pages add up", lambda: _pages(snapshot)),
        ("law 2, characters add up", lambda: _characters(snapshot)),
        ("law 3, no rule, no removal", lambda: _by_part(snapshot, lambda _, whole: laws.every_span_has_a_rule(whole))),
        ("law 4, nothing is invented", lambda: _by_part(snapshot, laws.fields_stand_on_the_page)),
        ("duplicates", lambda: prove_duplicates(snapshot)),
    ]


def _files(snapshot: Path) -> tuple[str, list[str]]:
    broken = check_files(snapshot)
    count = len(list(snapshot.rglob("*.parquet")))
    return f"{count} part files are as the manifest says, byte by byte", broken


def _contracts(snapshot: Path) -> tuple[str, list[str]]:
    """Every file has its dataset's own Arrow schema, and every row passes its pandera schema and fits its hashes."""
    broken = []
    for dataset in DATASETS:
        for path in sorted((snapshot / dataset.name).glob("*.parquet")):
            where = f"{dataset.name}/{path.name}"
            differences = column_differences(pq.read_schema(path), dataset)
            broken += [f"{where}: {line}" for line in differences]
            if differences:
                continue
            rows = read_part(path, dataset)
            broken += [f"{where}: {line}" for line in row_differences(rows, dataset)]
            for column, (found, stated) in _hashed(dataset, rows).items():
                odd = rows.filter((found != stated).fill_null(False))["doc_id"]
                broken += [f"{where}: {d}: its {column} is not the one that was hashed" for d in odd.head(3)]
    return "every row passes its schema and fits its hashes", broken


def _hashed(dataset: Dataset, rows: pl.DataFrame) -> dict[str, tuple[pl.Series, pl.Series]]:
    """Columns that can be hashed again, as found and as stated."""
    if dataset is ARTICLES:
        return {"body": (digests(rows.select(single_spaced(pl.col("body"))).to_series()), rows["body_hash"])}
    if dataset is QUARANTINE:
        raw = digests(rows["raw"])
        return {"raw": (raw, rows["content_hash"])}
    return {}


def _run(snapshot: Path) -> dict[str, Any] | str:
    """The row of the run that made the snapshot, or what is wrong with it."""
    run_id = (read_manifest(snapshot) or {}).get("run_id")
    runs = read_parts(sorted((snapshot / "runs").glob("*.parquet")), RUNS)
    mine = runs.filter(pl.col("run_id") == run_id)
    return mine.row(0, named=True) if len(mine) == 1 else f"runs: holds {len(mine)} rows for run {run_id}, not one"


def _pages(snapshot: Path) -> tuple[str, list[str]]:
    run = _run(snapshot)
    if isinstance(run, str):
        return "", [run]
    rows = {
        n: sum(pq.read_metadata(p).num_rows for p in (snapshot / n).glob("*.parquet"))
        for n in ("articles", "quarantine")
    }
    law = laws.pages_add_up(run["pages_in"], rows["articles"], rows["quarantine"])
    ids = {n: _ids(snapshot, n) for n in ("articles", "quarantine")}
    found = ids["articles"]
    twice = found.filter(pl.col("doc_id").is_duplicated()).unique().sort("doc_id")["doc_id"]
    known = read_state(snapshot)
    stands = pl.concat(ids.values())
    signs = [stands.with_columns(n=pl.lit(1)), known.pages.select("doc_id", n=pl.lit(-1))]
    sums = pl.concat(signs).group_by("doc_id").agg(pl.col("n").sum()).sort("doc_id").filter(pl.col("n") != 0)
    odd = sums["doc_id"].head(3) if known.snapshot else ()
    return law.detail, [
        *law.broken,
        *(f"articles: doc_id {d!r} stands twice" for d in twice.head(3)),
        *(f"doc_id {d!r} does not stand in the datasets as often as in the page index" for d in odd),
    ]


def _ids(snapshot: Path, dataset: str) -> pl.DataFrame:
    return pl.concat([pl.read_parquet(p, columns=["doc_id"]) for p in sorted((snapshot / dataset).glob("*.parquet"))])


def _characters(snapshot: Path) -> tuple[str, list[str]]:
    """Law 2 page by page, then in all: what the articles and the quarantine hold is what the run read."""
    kept = furniture = 0

    def law(articles: pl.DataFrame, whole: pl.DataFrame) -> laws.Law:
        nonlocal kept, furniture
        size = whole.select(n=pl.col("dense").str.len_chars(), cut=pl.col("role").is_in(FURNITURE))
        cut = int(size.filter("cut")["n"].sum())
        furniture, kept = furniture + cut, kept + int(size["n"].sum()) - cut
        return laws.characters_add_up(articles, whole)

    detail, broken = _by_part(snapshot, law)
    run = _run(snapshot)
    if isinstance(run, str):
        return detail, [*broken, run]
    parts = sorted((snapshot / QUARANTINE.name).glob("*.parquet"))
    waiting = sum(characters_of(read_part(p, QUARANTINE)["text"]) for p in parts)
    in_all = laws.characters_balance(run["characters_in"], kept, furniture, waiting)
    return f"{detail}; {in_all.detail}", [*broken, *in_all.broken]


def _by_part(snapshot: Path, law: Callable[[pl.DataFrame, pl.DataFrame], laws.Law]) -> tuple[str, list[str]]:
    """Check a law part by part: an article and its spans stand in parts of one number."""
    broken: list[str] = []
    parts: dict[str, dict[str, list[Path]]] = {}
    for name in (ARTICLES.name, LEDGER.name):
        for path in sorted((snapshot / name).glob("*.parquet")):
            number = _PART.match(path.name)
            parts.setdefault(number.group(1) if number else path.name, {}).setdefault(name, []).append(path)
    spans = articles = 0
    for files in parts.values():
        rows = {d.name: read_parts(files.get(d.name, []), d) for d in (ARTICLES, LEDGER)}
        found = law(rows["articles"], laws.whole_texts(rows["articles"], rows["ledger"]))
        broken += found.broken
        spans, articles = spans + len(rows["ledger"]), articles + len(rows["articles"])
    return f"{spans:,} spans of {articles:,} articles", broken
