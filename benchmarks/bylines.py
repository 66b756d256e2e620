"""Whose authors are right: copydesk on plain text beside tools that read the HTML and its metadata.

Over checked pages (`id`, `url`, text columns and `html`; the gold beside a score.py) it prints a table with a row a
tool: the share of pages whose list of authors is exact, of all and of those whose authors stand in the text, and how
many of the names that it gave are in the gold and the other way round.

    python -m benchmarks.bylines PAGES.parquet GOLD.parquet --text text_full --json bylines.json

A tool that is not installed has no row: the extra `bench` brings them.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT)]

import polars as pl  # noqa: E402

import copydesk  # noqa: E402
from benchmarks import scoring  # noqa: E402
from benchmarks.peers import installed  # noqa: E402

Authors = list[str]


def trafilatura(html: str, url: str | None) -> Authors:
    """The authors of one page; trafilatura gives them as one text with semicolons."""
    from trafilatura import extract_metadata  # noqa: PLC0415

    found = extract_metadata(html, default_url=url)
    return [name.strip() for name in ((found and found.author) or "").split(";") if name.strip()]


def newspaper4k(html: str, url: str | None) -> Authors:
    """The authors of one page; nothing is fetched, pictures neither."""
    import newspaper  # noqa: PLC0415

    settings = newspaper.Config()
    settings.fetch_images = False
    article = newspaper.Article(url or "https://example.com/", config=settings)
    article.download(input_html=html)
    article.parse()
    return list(article.authors)


READERS: dict[str, Callable[[str, str | None], Authors]] = {"trafilatura": trafilatura, "newspaper4k": newspaper4k}


def read(reader: Callable[[str, str | None], Authors], pages: pl.DataFrame) -> pl.DataFrame:
    """`doc_id` and `authors` of every page; a page that a tool fails on has none."""
    rows = []
    for doc_id, url, html in pages.select("id", "url", "html").iter_rows():
        try:
            names = reader(html or "", url)
        except Exception:  # a peer's failure is the peer's score, not ours
            names = []
        rows.append({"doc_id": doc_id, "authors": [{"name": name} for name in names]})
    return pl.DataFrame(rows, schema={"doc_id": pl.String, "authors": pl.List(pl.Struct({"name": pl.String}))})


def shares(articles: pl.DataFrame, gold: pl.DataFrame, plain: Callable[[str], str]) -> dict[str, float]:
    """How many of the names given are in the gold, and how many of the gold's were given."""
    checked = gold.filter(pl.col("authors").is_not_null())
    given = dict(articles.select("doc_id", "authors").iter_rows())
    hit = found = wanted = 0
    for doc_id, names in checked.select("id", "authors").iter_rows():
        right, got = {plain(n) for n in names}, {plain(a["name"]) for a in given.get(doc_id) or []}
        hit, found, wanted = hit + len(right & got), found + len(got), wanted + len(right)
    return {"names given": found, "of them in gold": hit / max(found, 1), "of gold given": hit / max(wanted, 1)}


def measure(pages: Path, gold_file: Path, text: str) -> list[dict[str, Any]]:
    """A row a tool, ours first."""
    gold, frame = pl.read_parquet(gold_file), pl.read_parquet(pages)
    results = []
    copydesk.clean("What is read once at the start is no page's cost.")
    start = time.process_time()
    ours = scoring.clean_parquet(pages, text)[1].articles
    results.append(("copydesk", text, ours, time.process_time() - start))
    for name, reader in READERS.items():
        version = installed(name)
        if version:
            start = time.process_time()
            found = read(reader, frame)
            results.append((f"{name} {version}", "html", found, time.process_time() - start))
    rows = []
    for name, source, articles, seconds in results:
        scored = scoring.score(gold_file, articles, text)
        for pages_of, figures in scored.figures["fields"].items():
            if "authors exact" in figures:
                rows.append({
                    "tool": name, "reads": source, "pages": pages_of,
                    "exact": figures["authors exact"], "exact, in text": figures["authors exact, in text"],
                    "F1": figures.get("author F1", 0.0), **shares(articles, gold, scored.names["plain"]),
                    "CPU ms a page": seconds / len(frame) * 1000,
                })  # fmt: skip
    return rows


def main(arguments: list[str] | None = None) -> int:
    """Read the command line, run the tools and print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.bylines", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pages", type=Path, help="a Parquet of pages: id, url, the text column and html")
    parser.add_argument("gold", type=Path, help="their checked answers")
    parser.add_argument("--text", default="text_full", help="the column that copydesk cleans (text_full)")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    options = parser.parse_args(arguments)
    rows = measure(options.pages, options.gold, options.text)
    with pl.Config(tbl_cols=-1, tbl_width_chars=160, tbl_hide_dataframe_shape=True, float_precision=3):
        print(pl.DataFrame(rows))
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
