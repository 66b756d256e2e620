"""Marks: what each line of a page shows, measured or matched, before anything is decided.

Everything that depends on a line's text alone is worked out once for each distinct text and joined back.
"""

from __future__ import annotations

import polars as pl

from copydesk.dissect import dissect_lines
from copydesk.lines import SENTENCE_END
from copydesk.rules import RuleBook
from copydesk.windows import above

PROSE_WEIGHT = 80
"""A sentence of this weight is a paragraph; shorter ones may be captions, decks or buttons."""
LONG_WEIGHT = 220
"""Text of this weight is a paragraph even where its last sentence has no end."""


def mark_lines(lines: pl.DataFrame, book: RuleBook) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Mark all lines of a batch.

    `lines` are those of `split_lines`. Returns
    lines: the same with `line` (UInt32, row number), `text_id`, the measures and `kind`;
    hits: `line`, `rule` (number in the book), every rule that matched a line, wherever it stands;
    dissections: `text_id` and the pieces of the lines that are bylines, dates or captions.
    """
    lines = lines.with_row_index("line")
    lines = lines.with_columns(
        first=pl.col("line").min().over("page"),
        last=pl.col("line").max().over("page"),
    )
    texts = lines.select("text").unique(maintain_order=True).with_row_index("text_id")
    dissections = dissect_lines(texts)
    lines = (
        lines.join(texts, on="text", how="left", maintain_order="left")
        .with_columns(
            weight=weight(pl.col("text")), ends=ends_sentence(pl.col("text"))
        )
        .join(dissections.select("text_id", "kind", "persons"), on="text_id", how="left", maintain_order="left")
        .with_columns(
            bullet=pl.col("text").str.contains(r"^(?:[•▪◦‣●■*–-]|\d{1,2}\.)\s"),
            gap=(pl.col("line_no") - above(pl.col("line_no"))).fill_null(2) > 1,
        )
        .with_columns(
            sentence=pl.col("ends")
            & ((pl.col("weight") >= PROSE_WEIGHT) | pl.col("text").str.contains(r"[.!?。]\s")),
        )
    )
    hits = (
        lines.select("line", "text_id").join(book.match(texts["text"]), on="text_id").select("line", "rule")
    )
    return lines, hits, dissections


def ends_sentence(text: pl.Expr) -> pl.Expr:
    """Whether a line closes like a sentence; quotes and brackets may stand behind its full stop."""
    return text.str.tail(8).str.contains(SENTENCE_END)


def weight(text: pl.Expr) -> pl.Expr:
    """How much a text says, in Latin letters: a Chinese, Japanese or Korean character counts two and a half."""
    characters = text.str.len_chars()
    wide = text.str.len_bytes() * 5 > characters * 11
    return pl.when(wide).then(characters * 5 // 2).otherwise(characters).cast(pl.Int64)
