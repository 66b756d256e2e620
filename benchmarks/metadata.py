"""How far a page's own metadata agrees with checked answers: what the order of `copydesk/data/metadata.toml` is from.

    python -m benchmarks.metadata PAGES.parquet GOLD.parquet

It prints what score.py says of articles made of metadata alone, for each slot how often its value is the checked one,
where the misses come from, and the CPU time that reading takes beside parsing.
"""

from __future__ import annotations

import argparse
import collections
import datetime as dt
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT)]

import polars as pl  # noqa: E402
from selectolax.lexbor import LexborHTMLParser  # noqa: E402

from benchmarks import scoring  # noqa: E402
from copydesk.metadata import Metadata, read_metadata  # noqa: E402

WARM_UP = '<meta name="author" content="Ann Lee"><meta name="date" content="May 5, 2019">'


def read_pages(pages: pl.DataFrame) -> tuple[dict[str, Metadata], float, float]:
    """The metadata of every page, and the CPU microseconds a page that parsing and reading take."""
    read_metadata(LexborHTMLParser(WARM_UP), None)
    found, parsing, reading = {}, 0.0, 0.0
    for doc_id, url, html in pages.select("id", "url", "html").iter_rows():
        start = time.process_time()
        tree = LexborHTMLParser(html)
        parsed = time.process_time()
        found[doc_id] = read_metadata(tree, url)
        reading += time.process_time() - parsed
        parsing += parsed - start
    return found, parsing / len(pages) * 1e6, reading / len(pages) * 1e6


def as_articles(found: dict[str, Metadata]) -> pl.DataFrame:
    """Articles that hold nothing but metadata."""
    rows = [
        (
            doc_id,
            said.body or "",
            said.headline[0].text if said.headline else None,
            [{"name": a.name} for a in said.authors[0].authors] if said.authors else [],
            said.published[0].on if said.published else None,
            at.astimezone(dt.UTC) if said.published and (at := said.published[0].at) else None,
        )
        for doc_id, said in found.items()
    ]
    return pl.DataFrame(rows, schema=scoring.ARTICLE, orient="row")


def by_slot(found: dict[str, Metadata], gold: pl.DataFrame, plain: Any) -> pl.DataFrame:
    """For each field and slot on how many pages it says something, and on how many what the gold has."""
    right: collections.Counter[tuple[str, str]] = collections.Counter()
    said: collections.Counter[tuple[str, str]] = collections.Counter()

    def count(field: str, slot: str, agrees: bool) -> None:
        said[field, slot] += 1
        right[field, slot] += agrees

    for row in gold.iter_rows(named=True):
        page = found[row["id"]]
        if row["headline"] is not None:
            first = {h.slot: h.text for h in reversed(page.headline)}
            for slot, text in first.items():
                count("headline", slot, plain(text) == plain(row["headline"]))
        if row["authors"] is not None:
            names = {plain(name) for name in row["authors"]}
            for source in page.authors:
                count("authors", source.slot, {plain(a.name) for a in source.authors} == names)
        if row["date_published"] is not None:
            stated = dt.datetime.fromisoformat(row["date_published"])
            for date in page.published:
                at = date.at.astimezone(stated.tzinfo) if date.at and stated.tzinfo else None
                count("published", date.slot, stated.date() in (date.on, at and at.date()))
    rows = [(field, slot, n, right[field, slot]) for (field, slot), n in said.items()]
    table = pl.DataFrame(rows, schema=["field", "slot", "pages", "agree"], orient="row")
    return table.sort("field", pl.col("pages"), "slot", descending=[False, True, False])


def misses(found: dict[str, Metadata], gold: pl.DataFrame, plain: Any) -> pl.DataFrame:
    """What the pages say where the first value is not the gold's, by cause."""
    causes: collections.Counter[tuple[str, str]] = collections.Counter()
    for row in gold.iter_rows(named=True):
        page = found[row["id"]]
        if row["headline"] is not None:
            texts = [plain(h.text) for h in page.headline]
            if plain(row["headline"]) not in texts[:1]:
                second = plain(row["headline"]) in texts
                causes["headline", "another of its titles" if second else "none of its titles"] += 1
        if row["authors"] is not None:
            names = {plain(name) for name in row["authors"]}
            lists = [{plain(a.name) for a in source.authors} for source in page.authors] or [set()]
            if lists[0] != names:
                house = page.authors and all(a.kind != "person" for a in page.authors[0].authors)
                causes["authors", (
                    "no source names any" if not lists[0]
                    else "another source is right" if names in lists
                    else "only the house, or staff" if house
                    else "gold has nobody" if not names
                    else "some of them" if lists[0] & names
                    else "others"
                )] += 1  # fmt: skip
        if row["date_published"] is not None:
            stated = dt.datetime.fromisoformat(row["date_published"])
            first = page.published[0] if page.published else None
            at = first.at if first else None
            if first is None:
                causes["published", "no source names any"] += 1
            elif stated.date() not in (first.on, at and stated.tzinfo and at.astimezone(stated.tzinfo).date()):
                causes["published", (
                    "gold has the day of the change" if any(d.on == stated.date() for d in page.modified)
                    else "another source is right" if any(d.on == stated.date() for d in page.published)
                    else "one day off" if abs((first.on - stated.date()).days) == 1
                    else "another day"
                )] += 1  # fmt: skip
            elif stated.tzinfo and not (at and abs((at - stated).total_seconds()) < 60):
                causes["instant", "a day only" if first.time is None else "no zone" if at is None else "another"] += 1
    return pl.DataFrame([(*k, n) for k, n in sorted(causes.items())], schema=["field", "cause", "pages"], orient="row")


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pages", type=Path)
    parser.add_argument("gold", type=Path)
    given = parser.parse_args(arguments)
    found, parsing, reading = read_pages(pl.read_parquet(given.pages))
    gold = pl.read_parquet(given.gold)
    scored = scoring.score(given.gold, as_articles(found), "html")
    print(scored.printed)
    with pl.Config(tbl_rows=-1, fmt_str_lengths=60, tbl_hide_dataframe_shape=True, tbl_hide_column_data_types=True):
        print(by_slot(found, gold, scored.names["plain"]))
        print(misses(found, gold, scored.names["plain"]))
    print(f"parsing {parsing:.0f} µs, reading {reading:.0f} µs of CPU time a page")


if __name__ == "__main__":
    main()
