"""How well pages are cleaned, and where what is missing was lost.

Over checked pages (`id`, `url` and a text column; the gold beside a score.py) it prints the scores by set and by
language, the pages that cleaning made worse, and the rules that lost words of the article or let other words in:

    python -m benchmarks.quality PAGES.parquet GOLD.parquet --text text_full --json quality.json
    python -m benchmarks.quality PAGES.parquet GOLD.parquet --show related_header

Without pages it compares our own seeds, and ../shared/eval where it exists, with the floor in tests/quality_floor.json.
The floor goes up by --write-floor, and down only if --lower-floor is given too.
"""

from __future__ import annotations

import argparse
import collections
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT)]

import polars as pl  # noqa: E402

from benchmarks import scoring  # noqa: E402
from copydesk.cleaning import Cleaned  # noqa: E402
from copydesk.roles import BODY_ROLES  # noqa: E402

WORSE = 0.02
"""A page whose F1 falls by more than this below that of its uncleaned text is worse than no cleaning."""
CONTEXT = 200
"""Characters on either side of a span: they hold the three tokens that its first and last shingles reach into."""
SHOWN = 40
"""Spans that --show prints."""

Shingles = Callable[[str], "collections.Counter[Any]"]


class Span(NamedTuple):
    """A span of a page's ledger."""

    role: str
    rule: str
    text: str


class Loss(NamedTuple):
    """Shingles, which are about as many as tokens, that one span lost or wrongly kept."""

    side: str  # "lost" or "kept"
    role: str
    rule: str
    tokens: int
    text: str


def page_scores(pages: pl.DataFrame, gold: pl.DataFrame, cleaned: Cleaned, names: dict[str, Any]) -> pl.DataFrame:
    """One row a gold page: id, set, language, precision, recall, f1, and the f1 of its uncleaned text."""
    bodies = dict(cleaned.articles.select("doc_id", "body").iter_rows())
    texts = dict(pages.select("doc_id", "text").iter_rows())
    rows = []
    for row in gold.select("id", "set", "language", "body").to_dicts():
        body = "\n".join(row.pop("body"))
        precision, recall, f1 = names["body_scores"](body, bodies.get(row["id"]) or "")
        uncleaned = names["body_scores"](body, texts.get(row["id"]) or "")[2]
        rows.append(row | {"precision": precision, "recall": recall, "f1": f1, "uncleaned": uncleaned})
    return pl.DataFrame(rows)


def by_language(scores: pl.DataFrame) -> pl.DataFrame:
    """The mean scores of each language, the commonest first, and of all pages."""
    means = (pl.len().alias("n"), *(pl.col(c).mean() for c in ("precision", "recall", "f1", "uncleaned")))
    rows = scores.group_by("language", maintain_order=True).agg(means).sort("n", "language", descending=[True, False])
    return pl.concat([rows, scores.select(language=pl.lit("all")).head(1).hstack(scores.select(means))])


def worse(scores: pl.DataFrame) -> pl.DataFrame:
    """The pages that are worse than no cleaning, the worst first."""
    fall = pl.col("uncleaned") - pl.col("f1")
    return scores.filter(fall > WORSE).sort(fall, descending=True).select("id", "language", "f1", "uncleaned")


def page_losses(gold: str, found: str, spans: Sequence[Span], shingles: Shingles) -> Iterator[Loss]:
    """Every shingle of the gold that is not in the found body, and the other way round, by the span it touches.

    A shingle is counted once: where it touches two spans, for the one of which more is wrong, or else for the shorter.
    What touches none is yielded last, with the role "-": it is not in the page's lines, or only in what was joined.
    """
    kept = [span for span in spans if span.role in BODY_ROLES]
    wanted, got = shingles(gold), shingles(found)
    for side, order, wrong in (("lost", spans, wanted - got), ("kept", kept, got - wanted)):
        left = wrong.copy()
        texts = [span.text for span in order]
        suspects = []
        for n, span in enumerate(order):
            if wrong and (side == "kept" or span.role not in BODY_ROLES):
                own = shingles(span.text)
                suspects.append((-(own & wrong).total() / max(own.total(), 1), len(span.text), n))
        for *_, n in sorted(suspects):
            span = order[n]
            before, after = "\n".join(texts[max(0, n - 3) : n])[-CONTEXT:], "\n".join(texts[n + 1 : n + 4])[:CONTEXT]
            # what touches the span: all of the three together that is not in a neighbour alone
            touching = shingles(f"{before}\n{span.text}\n{after}") - shingles(before) - shingles(after)
            hit = touching & left
            if hit:
                left -= hit
                yield Loss(side, span.role, span.rule, hit.total(), span.text)
        if left:
            yield Loss(side, "-", "not in the page's lines" if side == "lost" else "where lines are joined",
                       left.total(), "")  # fmt: skip


def losses(gold: pl.DataFrame, cleaned: Cleaned, shingles: Shingles) -> pl.DataFrame:
    """Every loss of every gold page: id, the fields of Loss, and `f1`, its part of what the mean F1 falls short of 1.

    1 - F1 = (lost + wrongly kept) / (gold + found), so the parts add up to 1 - F1 of all pages.
    """
    bodies = dict(cleaned.articles.select("doc_id", "body").iter_rows())
    spans: dict[str, list[Span]] = collections.defaultdict(list)
    failed = pl.col("reasons").list.eval(pl.element().struct.field("check")).list.join(", ")
    quarantined = dict(cleaned.quarantine.select("doc_id", failed).iter_rows())
    for doc_id, role, rule, text in cleaned.spans.select("doc_id", "role", "rule", "text").iter_rows():
        checks_failed = quarantined.get(doc_id)
        # a page that was quarantined lost everything by the checks it failed, whatever its spans are
        spans[doc_id].append(Span("quarantined", checks_failed, text) if checks_failed else Span(role, rule, text))
    rows = []
    for doc_id, paragraphs in gold.select("id", "body").iter_rows():
        body, found = "\n".join(paragraphs), bodies.get(doc_id) or ""
        size = shingles(body).total() + shingles(found).total()
        rows += [
            {"id": doc_id, **loss._asdict(), "f1": loss.tokens / size / len(gold)}
            for loss in page_losses(body, found, spans[doc_id], shingles)
        ]
    schema = {"id": pl.String, "side": pl.String, "role": pl.String, "rule": pl.String, "tokens": pl.Int64,
              "text": pl.String, "f1": pl.Float64}  # fmt: skip
    return pl.DataFrame(rows, schema=schema)


def by_rule(found: pl.DataFrame) -> pl.DataFrame:
    """The losses of each side, role and rule: pages, spans, tokens and F1, the dearest first."""
    sums = (pl.col("id").n_unique().alias("pages"), pl.len().alias("spans"), pl.col("tokens", "f1").sum())
    return found.group_by("side", "role", "rule", maintain_order=True).agg(sums).sort(
        "side", "f1", "role", "rule", descending=[True, True, False, False]
    )  # fmt: skip


def table(frame: pl.DataFrame, *, indent: int = 2) -> Iterator[str]:
    """A frame as lines for a person: words to the left, numbers to the right, shares to four places."""
    cells = [frame.columns, *([f"{v:.4f}" if isinstance(v, float) else str(v) for v in row] for row in frame.rows())]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    left = [dtype == pl.String for dtype in frame.dtypes]
    for row in cells:
        fields = (c.ljust(w) if words else c.rjust(w) for c, w, words in zip(row, widths, left, strict=True))
        yield " " * indent + "  ".join(fields).rstrip()


def report(pages: Path, gold_file: Path, text: str, show: list[str]) -> tuple[dict[str, Any], Iterator[str]]:
    """Clean and score; the figures for a program and the lines for a person."""
    gold = pl.read_parquet(gold_file)
    frame, cleaned = scoring.clean_parquet(pages, text)
    scored = scoring.score(gold_file, cleaned.articles, text)
    scores = page_scores(frame, gold, cleaned, scored.names)
    languages, fallen = by_language(scores), worse(scores)
    found = losses(gold, cleaned, scored.names["shingles"])
    rules = by_rule(found)
    figures = scored.figures | {
        "languages": languages.to_dicts(), "pages": len(scores), "worse": fallen.to_dicts(),
        "losses": rules.to_dicts(),
    }  # fmt: skip

    def lines() -> Iterator[str]:
        yield scored.printed.rstrip()
        yield "\nby language"
        yield from table(languages)
        share = len(fallen) / len(scores)
        yield f"\nworse than no cleaning by more than {WORSE} F1: {len(fallen)} of {len(scores)} pages ({share:.1%})"
        yield from table(fallen)
        for side, title in (("lost", "words of the article lost"), ("kept", "other words kept")):
            part = rules.filter(side=side).drop("side")
            yield f"\n{title}: {part['tokens'].sum():,} tokens, {part['f1'].sum():.4f} F1"
            yield from table(part)
        for rule in show:
            yield f"\n{rule}"
            spans = found.filter(pl.col("rule") == rule).sort("tokens", descending=True).head(SHOWN)
            yield from table(spans.select("side", "id", "tokens", text=pl.col("text").str.slice(0, 120)))

    return figures, lines()


def floor(options: argparse.Namespace) -> int:
    """Print our scores beside the floor; the exit code is 1 where one is below, or may not be written."""
    found = {name: scores for name in ("seeds", *scoring.PAGES) if (scores := scoring.measure(name)) is not None}
    old = json.loads(scoring.FLOOR.read_text(encoding="utf-8"))
    rows = [
        {"pages": name, "score": field, "now": value, "floor": old.get(name, {}).get(field, "-")}
        for name, scores in found.items()
        for field, value in scores.items()
    ]
    print("\n".join(table(pl.DataFrame(rows, strict=False))))
    if options.write_floor:
        lowered = scoring.write_floor(found, scoring.FLOOR, lower=options.lower_floor)
        if lowered and not options.lower_floor:
            print("\nnothing written: --lower-floor is needed to lower\n  " + "\n  ".join(lowered))
            return 1
        print(f"\nwritten: {scoring.FLOOR}" + "".join(f"\n  lowered: {row}" for row in lowered))
        return 0
    return int(any(scoring.below(scores, old.get(name, {})) for name, scores in found.items()))


def main(arguments: list[str] | None = None) -> int:
    """Read the command line, clean, score and print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.quality", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pages", type=Path, nargs="?", help="a Parquet of pages: id, url and the text")
    parser.add_argument("gold", type=Path, nargs="?", help="their checked answers")
    parser.add_argument("--text", default="text", help="the column to clean: text (default) or text_full")
    parser.add_argument("--show", action="append", default=[], metavar="RULE", help="print what this rule lost or kept")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    parser.add_argument("--write-floor", action="store_true", help="make the scores of now the floor, if none is lower")
    parser.add_argument("--lower-floor", action="store_true", help="with --write-floor: even if some are lower")
    options = parser.parse_args(arguments)
    if options.lower_floor and not options.write_floor:
        parser.error("--lower-floor goes with --write-floor")
    if options.pages is None:
        return floor(options)
    if options.gold is None or options.write_floor:
        parser.error("give PAGES and GOLD, or neither of them for the floor")
    figures, lines = report(options.pages, options.gold, options.text, options.show)
    print("\n".join(lines))
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
