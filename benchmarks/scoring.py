"""Score cleaned pages against checked answers, and hold the scores to the floor that git keeps.

Evaluation pages are scored by the `score.py` that stands beside their gold file, or in the folder above: it is run from
where it is, never copied. Our own seeds are scored against their golden records.
"""

from __future__ import annotations

import contextlib
import io
import json
import math
import runpy
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

import copydesk
from copydesk.cleaning import PAGE, Cleaned
from flows.decode import decode

ROOT = Path(__file__).resolve().parent.parent
GOLDEN = ROOT / "tests" / "golden"
FLOOR = ROOT / "tests" / "quality_floor.json"
EVAL = ROOT.parent / "shared" / "eval"

PAGES: dict[str, tuple[Path, str]] = {
    "eval text": (EVAL, "text"),
    "eval text_full": (EVAL, "text_full"),
    "eval html": (EVAL, "html"),
    "wcxb text": (EVAL / "wcxb", "text"),
    "wcxb html": (EVAL / "wcxb", "html"),
}
"""Evaluation pages under the floor: the folder of their `pages.parquet` and `gold.parquet`, and the column to clean."""
HELD = ("headline exact, in text", "authors exact, in text", "day exact, in text")
"""Of score.py's figures for fields, those under the floor."""
HELD_OF_HTML = ("headline exact", "authors exact", "day exact", "instant exact")
"""The same for HTML, which states what it does not print."""

ARTICLE = {
    "doc_id": pl.String, "body": pl.String, "headline": pl.String, "authors": pl.List(pl.Struct({"name": pl.String})),
    "published_on": pl.Date, "published_at": pl.Datetime("us", "UTC"),
}  # fmt: skip
"""The columns that score.py reads."""

Scores = dict[str, float]


class Scored(NamedTuple):
    """What score.py said."""

    figures: dict[str, Any]  # its JSON
    printed: str
    names: dict[str, Any]  # its functions, by name


def page_frame(ids: pl.Series, urls: pl.Series, texts: pl.Series, form: str = "text") -> pl.DataFrame:
    """Pages of text or HTML (`form`) in the columns that `copydesk.clean_pages` reads."""
    given = pl.DataFrame({"doc_id": ids, "url": urls, "source": ids, form: texts})
    return given.select(pl.col(n) if n in given.columns else pl.lit(None, t).alias(n) for n, t in PAGE.items())


def clean_parquet(pages: Path, column: str) -> tuple[pl.DataFrame, Cleaned]:
    """The pages of a Parquet file with the columns `id`, `url` and `column`, and what cleaning makes of them."""
    frame = pl.read_parquet(pages, columns=["id", "url", column])
    frame = page_frame(frame["id"], frame["url"], frame[column], "html" if column == "html" else "text")
    return frame, copydesk.clean_pages(frame)


def score(gold: Path, articles: pl.DataFrame, text: str = "text") -> Scored:
    """Run the score.py of `gold` on articles; columns of ARTICLE that they lack count as empty.

    `text` names the column of the `pages.parquet` beside `gold` whose words count as "in text".
    Raises SystemExit where there is no score.py.
    """
    script = next((f / "score.py" for f in gold.resolve().parents[:2] if (f / "score.py").is_file()), None)
    if script is None:
        raise SystemExit(f"{gold}: no score.py beside it or in the folder above")
    lacking = [pl.lit(None, t).alias(n) for n, t in ARTICLE.items() if n not in articles.columns]
    with tempfile.TemporaryDirectory(prefix="copydesk-score-") as folder:
        found, figures = Path(folder) / "articles.parquet", Path(folder) / "scores.json"
        articles.with_columns(lacking).write_parquet(found)
        arguments, printed = sys.argv, io.StringIO()
        sys.argv = [str(script), str(gold), str(found), "--text", text, "--json", str(figures)]
        try:
            with contextlib.redirect_stdout(printed):
                names = runpy.run_path(str(script), run_name="__main__")
        finally:
            sys.argv = arguments
        return Scored(json.loads(figures.read_text(encoding="utf-8")), printed.getvalue(), names)


def score_pages(folder: Path, column: str) -> Scores:
    """Body F1 and the fields of HELD or HELD_OF_HTML for the evaluation pages of a folder."""
    cleaned = clean_parquet(folder / "pages.parquet", column)[1]
    figures = score(folder / "gold.parquet", cleaned.articles, column).figures
    held = HELD_OF_HTML if column == "html" else HELD
    # wcxb has days alone
    fields = {f"{n} ({p})": found[n] for p, found in figures["fields"].items() for n in held if n in found}
    return {"body F1": figures["body"]["all"]["f1"], **fields}


def score_seeds() -> Scores:
    """How far the seeds become their golden records: shares of the pages that are articles, and the mean body F1.

    A field that is empty in the record must be empty. Body F1 is that of `paragraph_f1`, not that of score.py.
    """
    goldens = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(GOLDEN.glob("*.json"))]
    texts = [decode((ROOT / "seeds" / golden["file"]).read_bytes()).text or "" for golden in goldens]
    files = pl.Series([golden["file"] for golden in goldens])
    cleaned = copydesk.clean_pages(page_frame(files, pl.repeat(None, len(files), dtype=pl.String, eager=True),
                                              pl.Series(texts)))  # fmt: skip
    found = {row["doc_id"]: row for row in cleaned.articles.to_dicts()}
    rows = []
    for golden in (g for g in goldens if g["outcome"] == "article"):
        article = found.get(golden["file"])
        rows.append(compare(article, golden) if article else dict.fromkeys(compare({}, {}), 0.0))
    return {name: sum(row[name] for row in rows) / len(rows) for name in rows[0]}


def compare(article: dict[str, Any], golden: dict[str, Any]) -> Scores:
    """One article beside its golden record: 1.0 where a field is right, and body F1."""
    authors = [[a["name"] for a in record.get("authors") or []] for record in (article, golden)]
    day = article.get("published_on")
    return {
        "body F1": paragraph_f1((article.get("body") or "").split("\n\n"), golden.get("body") or [""]),
        "headline exact": float(article.get("headline") == golden.get("headline")),
        "authors exact": float(authors[0] == authors[1]),
        "day exact": float((day and day.isoformat()) == golden.get("published_on")),
    }


def paragraph_f1(found: list[str], wanted: list[str]) -> float:
    """F1 over whole paragraphs, each weighing its characters.

    >>> round(paragraph_f1(["One.", "Share"], ["One.", "Two."]), 3)
    0.471
    """
    left, hit = list(wanted), 0
    for paragraph in found:
        if paragraph in left:
            left.remove(paragraph)
            hit += len(paragraph)
    total = sum(map(len, found)) + sum(map(len, wanted))
    return 2 * hit / total if total else 1.0


def measure(name: str) -> Scores | None:
    """The scores of one entry of the floor file; None where its pages are not on this machine."""
    if name == "seeds":
        return score_seeds()
    folder, column = PAGES[name]
    return score_pages(folder, column) if (folder / "pages.parquet").is_file() else None


def below(found: Scores, floor: Scores) -> list[str]:
    """The scores that are lower than the floor, or gone, a line each."""
    return [
        f"{name}: {found.get(name, math.nan):.4f}, not {least}"
        for name, least in floor.items()
        if not found.get(name, -1.0) >= least
    ]


def write_floor(found: dict[str, Scores], path: Path, *, lower: bool = False) -> list[str]:
    """Make the scores the floor, rounded down to three places; entries that were not measured stay.

    Unless `lower` is given, nothing is written where any score would go down: what would is returned, a line each.
    """
    old = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    new = {name: {k: math.floor(v * 1000) / 1000 for k, v in scores.items()} for name, scores in found.items()}
    lowered = [f"{name}, {row}" for name in new for row in below(new[name], old.get(name, {}))]
    if not lowered or lower:
        path.write_text(json.dumps(old | new, indent=1) + "\n", encoding="utf-8")
    return lowered
