"""Loss guards: what would take too much of a page's paragraphs takes none of them, and the page says so.

A rule that is wrong on one page can cost it the whole article. The ledger of a page that a guard has held back names
`loss_guard` for every paragraph that it kept, and the article carries the warning of that name.
"""

from __future__ import annotations

import polars as pl

from copydesk.marks import PROSE_WEIGHT
from copydesk.precedence import LINE_MODELS
from copydesk.roles import FURNITURE

RULE_BUDGET = 0.6
"""Share of the weight of a page's paragraphs that one rule may take. Cookie notices take 0.54 of a short page."""
PAGE_BUDGET = 0.9
"""Share that all rules together may take."""
FEW = 3
"""Paragraphs that may always go: a page of a teaser and its paywall has no more."""


def hold_losses(lines: pl.DataFrame) -> pl.DataFrame:
    """Give back to the body what a rule, or all of a page's rules, would take beyond the budget.

    `lines` have been decided. A second copy is no loss, and a thread of comments is longer than most articles: neither
    counts. A page of which nothing at all would stay is left to the quarantine, whole.
    """
    paragraph = pl.col("sentence") & (pl.col("weight") >= PROSE_WEIGHT)
    taken = pl.col("role").is_in(FURNITURE) & (pl.col("role") != "repeat") & ~pl.col("in_thread")
    paragraphs = lines.filter(paragraph).select(
        "page", "line", "rule", "weight", taken=taken.fill_null(True), kept=pl.col("role") == "body"
    )
    # the line model weighs the whole page and has a budget of its own
    by_rule = paragraphs.with_columns(taken=pl.col("taken") & ~pl.col("rule").is_in(list(LINE_MODELS.values())))
    losses = by_rule.group_by("page", "rule").agg(
        loss=pl.col("weight").filter("taken").sum(), count=pl.col("taken").sum()
    )
    pages = paragraphs.group_by("page").agg(
        total=pl.col("weight").sum(),
        page_loss=pl.col("weight").filter("taken").sum(),
        page_count=pl.col("taken").sum(),
        kept=pl.col("kept").any(),
    )
    over = (
        losses.join(pages, on="page")
        .filter(
            "kept",
            ((pl.col("loss") > RULE_BUDGET * pl.col("total")) & (pl.col("count") > FEW))
            | ((pl.col("page_loss") > PAGE_BUDGET * pl.col("total")) & (pl.col("page_count") > FEW)),
        )
        .select("page", "rule")
    )
    held = paragraphs.filter("taken").join(over, on=["page", "rule"], how="semi")["line"]
    if held.is_empty():
        return lines
    kept = pl.col("line").is_in(held.implode())
    return lines.with_columns(
        role=pl.when(kept).then(pl.lit("body")).otherwise("role"),
        rule=pl.when(kept).then(pl.lit("loss_guard")).otherwise("rule"),
        confidence=pl.when(kept).then(0.5).otherwise("confidence").cast(pl.Float32),
        in_pieces=pl.col("in_pieces") & ~kept,
    )
