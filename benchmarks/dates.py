"""How well dates are read, beside dateparser, htmldate and trafilatura: one table, or with --json a file as well.

    python -m benchmarks.dates ../shared/eval/pages.parquet ../shared/eval/gold.parquet

Strings: the cases of tests/copydesk/cases/dates.toml. copydesk is given the line and what its group tells it,
dateparser (`search_dates`, in the group's language or in any) the same. A case is right where all its days, and in the
second column their times of day, are found and no other; the known failures count. The cases were written beside our
own parser: its share says that it does what it was made for, dateparser's what it would take to use it instead.

Pages: copydesk reads a text column (`--text`), the others the HTML with its metadata. A day is right where it is the
gold's, an instant where it is to the minute. `in text` counts the pages whose day or time score.py finds in the text;
`day wrong` is the share of all pages whose day is found and not the gold's.

The peers are the extra `bench` of pyproject.toml; one that is not installed is left out.
"""

from __future__ import annotations

import argparse
import datetime as dt
import importlib
import json
import logging
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT)]

import polars as pl  # noqa: E402

from benchmarks import scoring  # noqa: E402
from benchmarks.peers import installed  # noqa: E402
from copydesk.dates import find_dates  # noqa: E402

CASES = ROOT / "tests" / "copydesk" / "cases" / "dates.toml"
ANCHOR = dt.datetime(2000, 1, 1)  # noqa: DTZ001
"""What dateparser counts from where a group names no fetch."""

Moment = tuple[str | None, str | None]
"""A day and a time of day in ISO 8601."""
Told = dict[str, Any]


def cases() -> list[tuple[str, list[Moment], Told]]:
    """The lines with the dates that stand in them, in order, and what a reader is told."""
    found = []
    for group in tomllib.loads(CASES.read_text("utf-8"))["group"]:
        told = {k: group[k] for k in ("day_first", "language", "fetched") if k in group}
        found += [(line, [_expected(w) for w in want], told) for line, *want in group["cases"]]
    return found


def _expected(written: str) -> Moment:
    """The day and time of a case: "[label] day|- [time] [zone] [!warning] [| as printed]"."""
    words = written.partition(" | ")[0].split()
    words = words[1:] if words[0] in ("published", "modified") else words
    time = words[1] if len(words) > 1 and words[1][:2].isdigit() and words[1][2:3] == ":" else None
    return (None if words[0] == "-" else words[0]), time and time[:5]


def read_by_copydesk(line: str, told: Told) -> list[Moment]:
    """What our parser finds in a line."""
    return [(f.on and f.on.isoformat(), f.time and f"{f.time:%H:%M}") for f in find_dates(line, **told)]


def read_by_dateparser(line: str, told: Told) -> list[Moment]:
    """What dateparser's search finds in a line, with the settings that the group's facts amount to."""
    from dateparser.search import search_dates  # noqa: PLC0415

    settings: dict[str, Any] = {"RELATIVE_BASE": told.get("fetched", ANCHOR), "RETURN_TIME_AS_PERIOD": True}
    if "day_first" in told:
        settings["DATE_ORDER"] = "DMY" if told["day_first"] else "MDY"
    languages = [told["language"].partition("-")[0]] if "language" in told else None
    try:
        found = search_dates(line, languages=languages, settings=settings) or []
    except Exception:  # a tool that breaks on a line has not read it
        return []
    timed = any(":" in printed or "." in printed for printed, _ in found)
    return [(at.date().isoformat(), f"{at:%H:%M}" if timed and (at.hour or at.minute) else None) for _, at in found]


def compare_strings(readers: dict[str, Callable[[str, Told], list[Moment]]]) -> dict[str, dict[str, float]]:
    """Shares of the cases that each reader gets right: those with dates, by day and by time, and those without."""
    rows, known = {}, cases()
    for name, read in readers.items():
        right = {"days": 0, "days and times": 0, "no date where none is": 0}
        dated = [case for case in known if any(day for day, _ in case[1])]
        empty = [case for case in known if not case[1]]
        for line, want, told in dated:
            found = read(line, told)
            right["days"] += [day for day, _ in found if day] == [day for day, _ in want if day]
            right["days and times"] += [m for m in found if m[0]] == [m for m in want if m[0]]
        right["no date where none is"] = sum(not read(line, told) for line, _, told in empty)
        sizes = {"no date where none is": len(empty)}
        rows[name] = {what: n / sizes.get(what, len(dated)) for what, n in right.items()}
        rows[name] |= {"lines with dates": len(dated), "lines without": len(empty)}
    return rows


def by_htmldate(html: str, url: str | None) -> dict[str, Any]:
    """The publication that htmldate finds."""
    from htmldate import find_date  # noqa: PLC0415

    day = find_date(html, url=url, original_date=True)
    return {"published_on": dt.date.fromisoformat(day) if day else None}


def by_trafilatura(html: str, url: str | None) -> dict[str, Any]:
    """The publication that trafilatura's metadata name."""
    from trafilatura import extract_metadata  # noqa: PLC0415

    found = extract_metadata(html, default_url=url)
    day = found.date if found else None
    return {"published_on": dt.date.fromisoformat(day[:10]) if day else None}


def compare_pages(
    pages: Path, gold: Path, column: str, tools: dict[str, Callable[..., Any]]
) -> dict[str, dict[str, float]]:
    """What score.py says of each tool's days and instants, and the share of the pages whose day is wrong."""
    cleaned = scoring.clean_parquet(pages, column)[1].articles
    found = {f"copydesk ({column})": cleaned}
    if tools:
        given = pl.read_parquet(pages, columns=["id", "url", "html"]).to_dicts()
        for name, tool in tools.items():
            rows = [{"doc_id": p["id"], **tool(p["html"], p["url"])} for p in given]
            found[f"{name} (html)"] = pl.DataFrame(rows, schema={"doc_id": pl.String, "published_on": pl.Date})
    days = pl.read_parquet(gold).filter(pl.col("date_published").is_not_null())
    days = days.select(doc_id="id", gold=pl.col("date_published").str.slice(0, 10).str.to_date())
    rows_of = {}
    for name, articles in found.items():
        figures = scoring.score(gold, articles, column).figures["fields"]
        row = {k: v for part in figures.values() for k, v in part.items() if k.startswith(("day", "instant", "date"))}
        dated = days.join(articles.select("doc_id", "published_on").drop_nulls(), on="doc_id")
        row["day wrong"] = dated.filter(pl.col("gold") != pl.col("published_on")).height / max(days.height, 1)
        rows_of[name] = row
    return rows_of


def table(rows: dict[str, dict[str, float]]) -> str:
    """Tools as rows, figures as columns."""
    columns = list(dict.fromkeys(c for row in rows.values() for c in row))
    width = max(len(name) for name in rows)
    lines = [" " * width + "".join(f"  {c:>{max(len(c), 6)}}" for c in columns)]
    for name, row in rows.items():
        cells = (row.get(c) for c in columns)
        texts = ("–" if v is None else f"{v:.3f}" if isinstance(v, float) else f"{v}" for v in cells)
        padded = (f"  {t:>{max(len(c), 6)}}" for c, t in zip(columns, texts, strict=True))
        lines.append(f"{name:<{width}}" + "".join(padded))
    return "\n".join(lines)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pages", type=Path, nargs="?", help="Parquet with id, url, html and the text column")
    parser.add_argument("gold", type=Path, nargs="?", help="gold.parquet, with score.py beside it or above")
    parser.add_argument("--text", default="text_full", help="the column that copydesk reads")
    parser.add_argument("--json", type=Path, help="write the figures here as well")
    given = parser.parse_args()
    logging.disable(logging.CRITICAL)
    readers: dict[str, Callable[[str, Told], list[Moment]]] = {"copydesk": read_by_copydesk}
    if installed("dateparser"):
        readers[f"dateparser {installed('dateparser')}"] = read_by_dateparser
    figures = {"strings": compare_strings(readers)}
    print("strings\n" + table(figures["strings"]))
    if given.pages and given.gold:
        html = "html" in pl.read_parquet_schema(given.pages)
        tools = {n: f for n, f in (("htmldate", by_htmldate), ("trafilatura", by_trafilatura)) if html and installed(n)}
        for name in tools:
            importlib.import_module(name)
        figures["pages"] = compare_pages(given.pages, given.gold, given.text, tools)
        print("\npages\n" + table(figures["pages"]))
    if given.json:
        given.json.write_text(json.dumps(figures, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
