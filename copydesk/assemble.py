"""The one place where roles are decided: every line of a batch against the precedence table."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from copydesk.byline_place import find_bylines
from copydesk.datelines import opens_with_dateline
from copydesk.guards import hold_losses
from copydesk.line_model import KEPT_ROWS, ask_model, kind_of
from copydesk.lines import full_stop
from copydesk.precedence import FIRM, LINE_MODELS, MODEL, PRECEDENCE, SOFT, Decision, kind_is
from copydesk.windows import above, below, first_line_where, last_line_where


def decide_roles(lines: pl.DataFrame) -> pl.DataFrame:
    """Give every line of a batch its decision: adds `decision` (row of PRECEDENCE), `role`, `rule`, `confidence`.

    `lines` is what `suppose_roles` left.
    """
    model_rule = pl.lit(LINE_MODELS[kind_of(lines)])
    lines = lines.with_columns(ask_model(lines)).with_columns(model_sureness=_sureness(), model_rule=model_rule)
    kept = pl.col("soft").is_in(KEPT_ROWS)
    overruled = pl.col("unsure") & (pl.col("model_keeps") != kept)
    lines = lines.with_columns(
        decision=pl.coalesce("firm", pl.when(overruled).then(_first_row(MODEL, len(FIRM))), "soft")
    )
    own = dict(enumerate(PRECEDENCE))
    role, rule, confidence = pl.lit(None, pl.String), pl.lit(None, pl.String), pl.lit(None, pl.Float32)
    for n, d in own.items():
        here = pl.col("decision") == n
        role = pl.when(here).then(d.role_from).otherwise(role) if d.role_from else role
        rule = pl.when(here).then(d.rule_from).otherwise(rule) if d.rule_from else rule
        confidence = pl.when(here).then(d.confidence_from).otherwise(confidence) if d.confidence_from else confidence
    lines = lines.with_columns(
        role=pl.coalesce(
            role,
            pl.col("decision").replace_strict({n: d.role for n, d in own.items()}, return_dtype=pl.String),
        ),
        rule=pl.coalesce(
            rule,
            pl.col("decision").replace_strict({n: d.rule for n, d in own.items()}, return_dtype=pl.String),
        ),
        confidence=pl.coalesce(
            confidence,
            pl.col("decision").replace_strict({n: d.confidence for n, d in own.items()}, return_dtype=pl.Float32),
        ),
        in_pieces=pl.col("decision").is_in([n for n, d in own.items() if d.pieces]),
    )
    return hold_losses(lines)


def suppose_roles(lines: pl.DataFrame, publishers: pl.DataFrame) -> pl.DataFrame:
    """What the rules alone make of the lines: `firm` and `soft` (rows of PRECEDENCE), `decision`, `unsure`.

    `lines` are those of `own_dates`, `publishers` is what `match_publishers` found.
    """
    outlet = publishers.select("page", outlet=pl.coalesce("masthead", "publisher"))
    lines = lines.join(outlet, on="page", how="left", maintain_order="left").with_columns(
        masthead=(
            (pl.col("text").str.strip_chars("/|–—- ") == pl.col("outlet")) & (pl.col("in_head") | pl.col("in_tail"))
        ).fill_null(False)
    )
    lines = _context(lines)
    lines = lines.with_columns(firm=_first_row(FIRM, 0), soft=_first_row(SOFT, len(FIRM) + len(MODEL)))
    return lines.with_columns(decision=pl.coalesce("firm", "soft"), unsure=pl.col("firm").is_null())


def _first_row(rows: Sequence[Decision], start: int) -> pl.Expr:
    """The number of the first of these rows that holds, counted from `start`; null where none does."""
    return pl.coalesce(*(pl.when(d.when.fill_null(False)).then(pl.lit(n, pl.UInt8)) for n, d in enumerate(rows, start)))


def _sureness() -> pl.Expr:
    """The model's chance that it is right, to two digits."""
    right = pl.when("model_keeps").then("model_chance").otherwise(1000 - pl.col("model_chance"))
    return ((right + 5) // 10).cast(pl.Float32) / 100


def _context(lines: pl.DataFrame) -> pl.DataFrame:
    """What a line is to its neighbours and its page, in the words of the table."""
    headline = first_line_where(pl.col("headline"))
    free = pl.col("rule_name").is_null() & pl.col("cut_name").is_null()
    lines = lines.with_columns(
        free=free,
        owner_line=pl.col("in_tail")
        & pl.col("text").str.contains(r"^[©ⓒ]")
        & (pl.col("text").str.strip_chars("©ⓒ ") == pl.col("outlet")),
        headline_line=headline,
        headline_text=pl.col("text").gather(headline),
    ).with_columns(
        after_headline=(pl.col("line") > pl.col("headline_line")).fill_null(True),
        above_headline=(pl.col("line") < pl.col("headline_line")).fill_null(False) & free,
        above_headline_anyway=(pl.col("line") < pl.col("headline_line")).fill_null(False),
        again_headline=pl.col("holds_headline")
        | ((pl.col("text") == pl.col("headline_text")) & (pl.col("line") != pl.col("headline_line"))).fill_null(False),
        next_is_headline=below(pl.col("headline")).fill_null(False),
        below_masthead=above(pl.col("masthead")).fill_null(False)
        | (above(pl.col("rule_name")) == "masthead_first_line").fill_null(False),
        below_headline=above(pl.col("headline")).fill_null(False),
    )
    cue_before = above(kind_is("cue")).fill_null(False)
    lines = lines.with_columns(
        cued_name=cue_before
        & (kind_is("name") | ((pl.col("weight") <= 40) & ~pl.col("ends")))
        & ~pl.col("sentence")
        & free,
        cue_counts=(below(pl.col("kind")) == "name").fill_null(False) | (below(pl.col("weight")) <= 40),
        twin=((pl.col("text") == below(pl.col("text"))).fill_null(False))
        & (pl.col("weight") >= 30)
        & (pl.col("weight") <= 400),
    ).with_columns(
        again_caption=(
            pl.col("repeats")
            & (
                kind_is("caption", "credit")
                | ((pl.col("text") == above(pl.col("text"))) & (pl.col("weight") >= 30) & (pl.col("weight") <= 400))
            )
        ).fill_null(False)
    )
    early = lines.filter(pl.col("in_head") & (pl.col("weight") >= 40))
    datelines = early.filter(opens_with_dateline(early["text"]))["line"]
    lines = lines.with_columns(opens=pl.col("line").is_in(datelines.implode()))
    around = above(pl.col("rule_role"))
    lines = lines.with_columns(
        between_role=pl.when(
            (around == below(pl.col("rule_role"))) & free & ~pl.col("prose") & ~full_stop(pl.col("text"))
        ).then(around),
        between_rule=above(pl.col("rule_name")),
    )
    lines = find_bylines(lines)
    who_or_when = (
        pl.col("own_date")
        | (kind_is("byline", "cue") & pl.col("in_head"))
        | pl.col("bare_byline")
    )
    last_who = last_line_where(who_or_when & pl.col("in_head"))
    return lines.with_columns(standfirst_place=(pl.col("line") < last_who).fill_null(False))
