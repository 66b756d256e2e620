"""The page as a whole: where the article begins and ends, which line is its headline, what stands twice.

Works on the marked lines of a batch and adds one Boolean or reference column an idea; decides no role.
"""

from __future__ import annotations

import polars as pl

from copydesk.headlines import find_headlines
from copydesk.lines import full_stop
from copydesk.marks import LONG_WEIGHT, PROSE_WEIGHT
from copydesk.rules import RuleBook
from copydesk.windows import above, below, first_line_where, last_line_where, sum_after, sum_before, sum_of_page

HEAD_SHARE = 0.2
"""A rule for the head of a page counts before this share of its prose, one for the tail after `TAIL_SHARE`."""
TAIL_SHARE = 0.7
CUT_BUDGET = 0.3
"""Share of a page's prose that a header may take with it when it reaches to the page's end."""
THREAD = 3
"""Entries that make a thread of readers' comments."""
LATE_HEAD_WEIGHT = 700
"""Prose that may stand between a headline and its byline: captions and a standfirst, not the article."""
LATE_START = 6
"""Lines from what reads like a first paragraph down to a headline from which on the former is a box among menus."""

_PROSE_WEIGHT = pl.when(pl.col("prose")).then(pl.col("weight")).otherwise(0)
_PROSE_SO_FAR = {"before": sum_before(_PROSE_WEIGHT), "total": sum_of_page(_PROSE_WEIGHT)}
"""The weight of the prose above a line, and of all prose of its page."""


def rule_facts(book: RuleBook) -> pl.DataFrame:
    """The rules as a table: `rule` (number), `rule_name`, `rule_role`, `where`, `reach`, `weak`."""
    rows = [(n, r.name, r.role, r.where, r.reach, r.weak) for n, r in enumerate(book.rules)]
    schema = {
        "rule": pl.UInt16, "rule_name": pl.String, "rule_role": pl.String, "where": pl.String, "reach": pl.String,
        "weak": pl.Boolean,
    }  # fmt: skip
    return pl.DataFrame(rows, schema=schema, orient="row")


def page_structure(
    pages: pl.DataFrame, lines: pl.DataFrame, hits: pl.DataFrame, book: RuleBook
) -> pl.DataFrame:
    """Add to the marked lines of a batch (`pages` has `page` and `url`):

    `rule_name`, `rule_role`: the furniture rule that holds for the line where it stands, or null;
    `cut_name`, `cut_role`: the rule of the header whose reach takes the line, or null; `in_thread`: that is a thread's;
    `prose`: a paragraph of the article as far as its shape, rules and place say;
    `in_head`, `in_tail`: before the first and after the last such paragraph;
    `repeats`: the same text stands before it on the page;
    `headline`, `holds_headline`: the page's headline, and a line that says it as well.
    """
    lines = _fired_rules(lines, hits, book)
    lines = _reach(lines)
    lines = find_headlines(_zones(lines), pages)
    return _late_start(lines)


def _fired_rules(lines: pl.DataFrame, hits: pl.DataFrame, book: RuleBook) -> pl.DataFrame:
    facts = rule_facts(book)
    everywhere = facts.filter((pl.col("where") == "anywhere") & ~pl.col("weak")).select("rule")
    certain = hits.join(everywhere, on="rule", how="semi").select("line").unique()
    lines = lines.with_columns(
        hit=pl.col("line").is_in(certain["line"].implode()) | pl.col("known_rule").is_not_null()
    )
    shape = (
        (pl.col("sentence") | (pl.col("weight") >= LONG_WEIGHT))
        & ~pl.col("hit")
        & ~pl.col("kind").is_in(["byline", "date", "caption", "credit"]).fill_null(False)
    )
    lines = lines.with_columns(prose=shape & (pl.col("weight") >= PROSE_WEIGHT))
    lines = lines.with_columns(
        **_PROSE_SO_FAR,
        prose_before=sum_before(pl.col("prose")),
        prose_after=sum_after(pl.col("prose")),
    )
    marked = pl.col("line").is_in(hits["line"].unique().implode())
    short = ((pl.col("weight") < 40) & ~pl.col("ends")).cast(pl.Int8)
    around = pl.sum_horizontal(above(short, n).fill_null(0) for n in (-2, -1, 1, 2))
    beside = above(marked).fill_null(False) | below(marked).fill_null(False)
    stamps = (
        hits.join(facts.filter(pl.col("reach") == "thread"), on="rule")
        .unique("line", keep="first", maintain_order=True)
        .select("line", stamp_name="rule_name", stamp_role="rule_role")
    )
    lines = lines.join(stamps, on="line", how="left", maintain_order="left")
    lines = lines.with_columns(company=beside | (around >= 3), rank=pl.col("line") - pl.col("first"))
    head = (pl.col("before") <= HEAD_SHARE * pl.col("total")) | (pl.col("prose_before") <= 1)
    tail = (pl.col("before") >= TAIL_SHARE * pl.col("total")) | (pl.col("prose_after") <= 1)
    holds = (pl.col("company") | ~pl.col("weak")) & (
        (pl.col("where") == "anywhere")
        | ((pl.col("where") == "top") & (pl.col("rank") < 3))
        | ((pl.col("where") == "head") & head)
        | ((pl.col("where") == "tail") & tail)
        | ((pl.col("where") == "edge") & (head | tail))
        | ((pl.col("where") == "inside") & ~head & ~tail)
    )
    fired = (
        hits.join(
            lines.select("line", "rank", "company", "before", "total", "prose_before", "prose_after"),
            on="line",
        )
        .join(facts, on="rule")
        .filter(holds)
        .sort("line", "weak", "rule")
        .unique("line", keep="first", maintain_order=True)
        .select("line", "rule_name", "rule_role", "reach", "weak")
    )
    lines = lines.join(fired, on="line", how="left", maintain_order="left")
    return lines.with_columns(prose=pl.col("prose") & pl.col("rule_name").is_null())


def _reach(lines: pl.DataFrame) -> pl.DataFrame:
    """Carry a header's rule to the lines it reaches, within its budget."""
    lines = lines.with_columns(**_PROSE_SO_FAR)
    ends_page = (
        (pl.col("reach") == "rest")
        & (pl.col("before") >= (1 - CUT_BUDGET) * pl.col("total"))
        & (pl.col("before") > 0)
    ).fill_null(False)
    # lines over readers' texts: a thread, however much of the page it fills
    entry = pl.col("stamp_name").is_not_null() & below(pl.col("ends")).fill_null(False) & (pl.col("before") > 0)
    lines = lines.with_columns(entry=entry & (sum_of_page(entry) >= THREAD))
    first = (
        lines.filter(ends_page | pl.col("entry"))
        .unique("page", keep="first", maintain_order=True)
        .select(
            "page",
            cut_line=pl.when("entry").then(pl.col("line") - 1).otherwise("line"),
            end_name=pl.when("entry").then("stamp_name").otherwise("rule_name"),
            end_role=pl.when("entry").then("stamp_role").otherwise("rule_role"),
            thread="entry",
        )
    )
    lines = lines.join(first, on="page", how="left", maintain_order="left")
    ended = pl.col("line") > pl.col("cut_line")
    # a list header takes the short lines below it, up to a paragraph, a full stop or the next rule's line; not the
    # line right above a paragraph, which may be its sub-heading; and nothing where no paragraph stands before it
    header = pl.col("reach").is_in(["list", "rest"]).fill_null(False) & (pl.col("before") > 0)
    stops = (
        pl.col("prose")
        | pl.col("sentence")
        | full_stop(pl.col("text"))
        | (pl.col("kind") == "byline").fill_null(False)
        | ((pl.col("kind") == "date").fill_null(False) & (pl.col("prose_after") > 0))
        | (below(pl.col("prose")).fill_null(False) & ~pl.col("bullet"))
    )
    lines = lines.with_columns(block=sum_before(header | stops) + (header | stops).cast(pl.Int64))
    lists = (
        lines.filter(header)
        .select("page", "block", list_name="rule_name", list_role="rule_role")
        .unique(["page", "block"], keep="first", maintain_order=True)
    )
    return (
        lines.join(lists, on=["page", "block"], how="left", maintain_order="left")
        .with_columns(
            cut_name=pl.coalesce("list_name", pl.when(ended).then("end_name")),
            cut_role=pl.coalesce("list_role", pl.when(ended).then("end_role")),
            ended=ended.fill_null(False),
            in_thread=(ended & pl.col("thread")).fill_null(False),
        )
        # in a header's list, words that are weak by themselves are its items
        .with_columns(
            pl.when(pl.col("weak") & pl.col("cut_name").is_not_null())
            .then(None)
            .otherwise(pl.col(c))
            .alias(c)
            for c in ("rule_name", "rule_role")
        )
        .with_columns(prose=pl.col("prose") & pl.col("cut_name").is_null())
        .drop("cut_line", "end_name", "end_role", "list_name", "list_role", "block")
        .drop("entry", "stamp_name", "stamp_role", "thread")
    )


def _zones(lines: pl.DataFrame) -> pl.DataFrame:
    lines = lines.with_columns(
        first_prose=first_line_where(pl.col("prose")),
        last_prose=last_line_where(pl.col("prose")),
        **_PROSE_SO_FAR,
        repeats=~(pl.col("page").cast(pl.UInt64) * (1 << 32) + pl.col("text_id")).is_first_distinct(),
    )
    # a byline or date below a deck or caption: the head reaches down to it
    late = (
        pl.col("kind").is_in(["date", "byline", "cue"])
        & pl.col("rule_name").is_null()
        & (pl.col("before") <= LATE_HEAD_WEIGHT)
        & (pl.col("before") <= 0.25 * pl.col("total"))
    )
    lines = lines.with_columns(head_end=last_line_where(late))
    start = pl.max_horizontal(pl.col("first_prose"), pl.col("head_end") + 1)
    return lines.with_columns(
        in_head=(pl.col("line") < start).fill_null(True),
        in_tail=(pl.col("line") > pl.col("last_prose")).fill_null(False),
    )


def _late_start(lines: pl.DataFrame) -> pl.DataFrame:
    """Let the article begin at a headline that stands far below what reads like a first paragraph, and above most of
    the prose. (Of 99 checked pages like that, 93 have nothing of their article above, and none more than an eighth.)"""
    late = lines.filter(
        pl.col("headline"),
        pl.col("line") >= pl.col("first_prose") + LATE_START,
        2 * pl.col("before") <= pl.col("total"),
    )
    if late.is_empty():
        return lines
    starts = late.select("page", start="line", skipped="prose_before")
    lines = lines.join(starts, on="page", how="left", maintain_order="left").with_columns(
        prose=pl.col("prose") & (pl.col("line") > pl.col("start")).fill_null(True),
        prose_before=(pl.col("prose_before") - pl.col("skipped").fill_null(0)).clip(0),
    )
    return _zones(lines.drop("start", "skipped"))
