"""Decided lines to spans: whole lines, the pieces of those that hold several, and what stands before a text."""

from __future__ import annotations

from typing import Any

import polars as pl

from copydesk.bylines import Byline, closing_byline
from copydesk.datelines import dateline_byline, opens_with_dateline, split_dateline
from copydesk.dissect import AUTHOR, author_row


def cut_spans(
    lines: pl.DataFrame,
    dissections: pl.DataFrame,
    datelines: pl.DataFrame,
    headlines: pl.DataFrame,
    closings: pl.DataFrame,
) -> pl.DataFrame:
    """Lines to spans: `page`, `line`, `line_no`, `char_start`, `char_end`, `role`, `rule`, `confidence`, `text`.

    `datelines`, `headlines` and `closings` say what stands before and behind the text of a line: see
    `find_datelines`, `cut_headlines` and `find_closings`.
    """
    keep = ["page", "line", "line_no", "char_start", "text"]
    whole = lines.filter(~pl.col("in_pieces"))
    pieces = (
        lines.filter("in_pieces")
        .select(*keep, "text_id", "confidence", "own_date", "date_role")
        .join(dissections.select("text_id", "pieces"), on="text_id")
        .explode("pieces", empty_as_null=True)
        .unnest("pieces")
        # what the line's words say of its dates counts where the page has chosen them
        .with_columns(
            role=pl.when(~pl.col("role").is_in(["published", "modified"]))
            .then("role")
            .when("own_date")
            .then(pl.coalesce("date_role", "role"))
            .otherwise(pl.lit("other"))
        )
    )
    cuts = pl.concat(
        [
            headlines,
            datelines.select("line", start="cut", first_role=pl.lit("dateline"), first_rule=pl.lit("dateline_printed")),
            closings.select("line", stop="cut", last_role=pl.lit("byline"), last_rule=pl.lit("byline_closing")),
        ],
        how="diagonal",
    )
    # a page of one paragraph may have both a dateline and a closing byline
    cuts = cuts.group_by("line", maintain_order=True).agg(pl.exclude("line").drop_nulls().first())
    length = pl.col("text").str.len_chars().cast(pl.UInt32)
    whole = whole.join(cuts, on="line", how="left", maintain_order="left").with_columns(
        start=pl.col("start").fill_null(0), stop=pl.coalesce("stop", length)
    )
    sure = pl.lit(1.0, pl.Float32)
    heads = whole.filter(pl.col("start") > 0).select(
        *keep, start=pl.lit(0, pl.UInt32), end="start", role="first_role", rule="first_rule", confidence=sure
    )
    tails = whole.filter(pl.col("stop") < length).select(
        *keep, start="stop", end=length, role="last_role", rule="last_rule", confidence=sure
    )
    rests = whole.select(*keep, "start", end="stop", role="role", rule="rule", confidence="confidence")
    spans = pl.concat([heads, rests, tails, pieces.select(heads.columns)]).sort("line", "start")
    return spans.select(
        "page",
        "line",
        "line_no",
        char_start=pl.col("char_start") + pl.col("start"),
        char_end=pl.col("char_start") + pl.col("end"),
        role="role",
        rule="rule",
        confidence="confidence",
        text=pl.col("text").str.slice(pl.col("start"), pl.col("end") - pl.col("start")).str.strip_chars(),
    )


def find_datelines(lines: pl.DataFrame) -> pl.DataFrame:
    """Where a page's first paragraph opens with a dateline.

    Returns `page`, `line`, `cut` (where the paragraph's own text begins), `dateline` as printed, and the reporter
    who stands in it: `authors`, `byline_raw`.
    """
    first = lines.filter(pl.col("role") == "body").unique("page", keep="first", maintain_order=True)
    first = first.filter(opens_with_dateline(first["text"]))
    rows = []
    for page, line, text in first.select("page", "line", "text").iter_rows():
        found = split_dateline(text)
        if found:
            byline = dateline_byline(text)
            rows.append((page, line, found[1], found[0], _authors(byline), byline.raw if byline else None))
    schema: dict[str, Any] = {
        "page": pl.UInt32, "line": pl.UInt32, "cut": pl.UInt32, "dateline": pl.String,
        "authors": pl.List(AUTHOR), "byline_raw": pl.String,
    }  # fmt: skip
    return pl.DataFrame(rows, schema=schema, orient="row")


def find_closings(lines: pl.DataFrame) -> pl.DataFrame:
    """Where a page's last paragraph closes with who wrote it: "… sagte sie. (Anna Muster)".

    Returns `page`, `line`, `cut` (where the paragraph's own text ends), `authors` and `byline_raw`.
    """
    last = lines.filter(pl.col("role") == "body").unique("page", keep="last", maintain_order=True)
    rows = []
    closed = last.filter(pl.col("text").str.contains("[)】]$"))
    for page, line, text in closed.select("page", "line", "text").iter_rows():
        byline = closing_byline(text)
        if byline:
            rows.append((page, line, byline.start, _authors(byline), byline.raw))
    schema: dict[str, Any] = {
        "page": pl.UInt32, "line": pl.UInt32, "cut": pl.UInt32, "authors": pl.List(AUTHOR), "byline_raw": pl.String,
    }  # fmt: skip
    return pl.DataFrame(rows, schema=schema, orient="row")


def _authors(byline: Byline | None) -> list[dict[str, str | None]]:
    return [author_row(a) for a in byline.authors] if byline else []
