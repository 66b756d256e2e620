"""The one place where roles are decided: from all marks of a line, by a table read from the top."""

from __future__ import annotations

import dataclasses
from typing import Any

import polars as pl

from copydesk.bylines import Byline
from copydesk.datelines import dateline_byline, split_dateline
from copydesk.dissect import AUTHOR, author_row
from copydesk.windows import above, any_on_page, below, first_line_where, last_line_where, sum_before

SHORT = 60
"""A line lighter than this that ends no sentence is a label rather than text."""


@dataclasses.dataclass(frozen=True)
class Decision:
    """A row of the precedence table: the rule id for the ledger, the role, when it holds, and why.

    `role` None: the role comes from the furniture rule or header named in `rule_from`, or from the line's pieces.
    """

    rule: str
    role: str | None
    when: pl.Expr
    why: str
    confidence: float = 1.0
    rule_from: str | None = None
    role_from: str | None = None
    pieces: bool = False


def _kind(*kinds: str) -> pl.Expr:
    return pl.col("kind").is_in(kinds).fill_null(False)


_UNCUT = pl.col("cut_name").is_null()
BOXES = ("newsletter", "advert", "paywall", "share", "comments", "related", "most_read", "legal")
"""Furniture that stands in boxes of several lines."""
_LABEL = ~pl.col("ends") & (pl.col("weight") < SHORT)
_AFTER_HEADLINE = pl.col("after_headline")

_OPEN = pl.col("cut_name").is_null() & ~pl.col("ended")
_ENDS = pl.col("ends")

PRECEDENCE: tuple[Decision, ...] = (
    Decision(
        "masthead_of_publisher", "masthead", pl.col("masthead"),
        "The line is the name of the outlet, as its profile or the page's own copyright line spells it.",
    ),
    Decision("", None, pl.col("ended") & pl.col("rule_name").is_null(), "A header above ended the article.",
             rule_from="cut_name", role_from="cut_role"),
    Decision("date_printed", None, _kind("date") & pl.col("date_counts"), "A line of dates in the page's head or tail.",
             pieces=True),
    Decision("byline_printed", None, _kind("byline") & _OPEN & ~pl.col("repeats") & (pl.col("in_head") | pl.col("in_tail") | ~pl.col("sentence")),
             "A line that says who wrote the article.", pieces=True),
    Decision("byline_cue_and_name", "byline", pl.col("cued_name") | (_kind("cue") & pl.col("cue_counts")),
             "'By' on one line, the name on the next."),
    Decision("headline_title_line", "headline", pl.col("headline"),
             "The most title-like line above the first paragraph.", 0.9),
    Decision("headline_printed_again", "repeat", pl.col("again_headline"), "The headline stands a second time."),
    Decision("section_above_headline", "section",
             pl.col("above_headline_anyway") & pl.col("next_is_headline") & (pl.col("gap") | pl.col("below_masthead")) & (pl.col("weight") <= 30)
             & (pl.col("rule_role").is_null() | pl.col("rule_name").str.starts_with("section_")) & ~pl.col("text").str.contains(r"\s\S+\s"),
             "A word or two right above the headline: the section.", 0.6),
    Decision("section_in_menu", "navigation", (pl.col("rule_role") == "section") & ~(pl.col("next_is_headline") & (pl.col("gap") | pl.col("below_masthead"))),
             "The name of a section that is not right above the headline: a menu's."),
    Decision("copyright_of_publisher", "legal", pl.col("owner_line"), "A copyright sign and the outlet's name, below the text."),
    Decision("", None, pl.col("rule_name").is_not_null() & ~_kind("caption") & ~(_kind("credit") & pl.col("rule_role").is_in(["caption", "credit"])),
             "A furniture rule matches the line where it stands.", rule_from="rule_name", role_from="rule_role"),
    Decision("byline_bare_name", "byline", pl.col("bare_byline"),
             "A name alone between headline and text, and no other byline there.", 0.8),
    Decision("caption_printed_again", "repeat", pl.col("again_caption"), "A caption stands a second time."),
    Decision("caption_with_credit", None, _kind("caption", "credit"), "A line that ends in a picture credit.", pieces=True),
    Decision("", None, pl.col("rule_name").is_not_null(), "A furniture rule matches the line where it stands.",
             rule_from="rule_name", role_from="rule_role"),
    Decision("", None, pl.col("between_role").is_in(BOXES), "A line between two of one furniture box.", 0.8,
             rule_from="between_rule", role_from="between_role"),
    Decision("caption_above_credit", "caption",
             (below(pl.col("kind")) == "credit") & ~below(pl.col("gap")) & pl.col("weight").is_between(12, 400)
             & pl.col("free") & ~pl.col("headline"),
             "The line right above a picture credit.", 0.8),
    Decision("caption_printed_twice", "caption", pl.col("twin"), "The same line stands twice in a row: a caption.", 0.9),
    Decision("", None, pl.col("cut_name").is_not_null(), "A short line below a furniture header.",
             rule_from="cut_name", role_from="cut_role", confidence=0.9),
    Decision("byline_printed_again", "repeat", _kind("name", "byline") & pl.col("repeats"), "A byline stands a second time."),
    Decision("caption_above_headline", "caption", pl.col("above_headline") & pl.col("sentence") & (pl.col("weight") <= 350),
             "A sentence above the headline: the picture's caption.", 0.7),
    Decision("kicker_above_headline", "kicker",
             pl.col("above_headline") & pl.col("next_is_headline") & (pl.col("weight") <= 60) & ~_ENDS & ~pl.col("bullet"),
             "A few words right above the headline.", 0.6),
    Decision("line_above_headline", "navigation", pl.col("above_headline"), "Anything else above the headline.", 0.7),
    Decision("standfirst_below_headline", "standfirst",
             pl.col("in_head") & _AFTER_HEADLINE & pl.col("standfirst_place") & pl.col("weight").is_between(40, 400),
             "A sentence between the headline and the byline or date.", 0.7),
    Decision("deck_below_headline", "standfirst",
             pl.col("in_head") & pl.col("below_headline") & pl.col("weight").is_between(40, 250) & ~pl.col("text").str.contains(r"[.。]$"),
             "A line without a full stop right below the headline.", 0.6),
    Decision("label_below_headline", "other", pl.col("in_head") & _AFTER_HEADLINE & _LABEL & (pl.col("weight") < 26),
             "A short label between the headline and the first paragraph.", 0.6),
    Decision("label_after_last_paragraph", "other", pl.col("in_tail") & _LABEL & ~pl.col("bullet"),
             "A short line after the last paragraph.", 0.6),
    Decision("subheading_short_line", "subheading", ~_ENDS & (pl.col("weight") < 100) & ~pl.col("bullet") & ~pl.col("in_tail"),
             "A short line without a full stop among paragraphs.", 0.7),
    Decision("paragraph", "body", pl.lit(True), "Everything else is the article.", 0.9),
)  # fmt: skip


def decide_roles(lines: pl.DataFrame, publishers: pl.DataFrame) -> pl.DataFrame:
    """Give every line of a batch its decision: adds `decision` (row of PRECEDENCE), `role`, `rule`, `confidence`.

    `publishers` is what `match_publishers` found.
    """
    outlet = publishers.select("page", outlet=pl.coalesce("masthead", "publisher"))
    lines = lines.join(outlet, on="page", how="left", maintain_order="left").with_columns(
        masthead=(
            (pl.col("text").str.strip_chars("/|–—- ") == pl.col("outlet"))
            & (pl.col("in_head") | pl.col("in_tail"))
        ).fill_null(False)
    )
    lines = _context(lines)
    lines = lines.with_columns(
        decision=pl.coalesce(
            *(pl.when(d.when.fill_null(False)).then(pl.lit(n, pl.UInt8)) for n, d in enumerate(PRECEDENCE))
        )
    )
    own = dict(enumerate(PRECEDENCE))
    borrowed = [n for n, d in own.items() if d.rule_from]
    role, rule = pl.lit(None, pl.String), pl.lit(None, pl.String)
    for n in borrowed:
        role = pl.when(pl.col("decision") == n).then(pl.col(own[n].role_from or "")).otherwise(role)
        rule = pl.when(pl.col("decision") == n).then(pl.col(own[n].rule_from or "")).otherwise(rule)
    return lines.with_columns(
        role=pl.coalesce(
            role,
            pl.col("decision").replace_strict({n: d.role for n, d in own.items()}, return_dtype=pl.String),
        ),
        rule=pl.coalesce(
            rule,
            pl.col("decision").replace_strict({n: d.rule for n, d in own.items()}, return_dtype=pl.String),
        ),
        confidence=pl.col("decision").replace_strict(
            {n: d.confidence for n, d in own.items()}, return_dtype=pl.Float32
        ),
        in_pieces=pl.col("decision").is_in([n for n, d in own.items() if d.pieces]),
    )


def _context(lines: pl.DataFrame) -> pl.DataFrame:
    """What a line is to its neighbours and its page, in the words of the table."""
    headline = first_line_where(pl.col("headline"))
    free = pl.col("rule_name").is_null() & _UNCUT
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
        again_headline=(pl.col("text") == pl.col("headline_text")).fill_null(False)
        & (pl.col("line") != pl.col("headline_line")),
        next_is_headline=below(pl.col("headline")).fill_null(False),
        below_masthead=above(pl.col("masthead")).fill_null(False)
        | (above(pl.col("rule_name")) == "masthead_first_line").fill_null(False),
        below_headline=above(pl.col("headline")).fill_null(False),
    )
    cue_before = above(_kind("cue")).fill_null(False)
    lines = lines.with_columns(
        cued_name=cue_before & (_kind("name") | (pl.col("weight") <= 40)) & ~pl.col("sentence") & free,
        cue_counts=(below(pl.col("kind")) == "name").fill_null(False)
        | (below(pl.col("weight")) <= 40),
        twin=((pl.col("text") == below(pl.col("text"))).fill_null(False))
        & (pl.col("weight") >= 30)
        & (pl.col("weight") <= 400),
    ).with_columns(
        again_caption=(
            pl.col("repeats")
            & (
                _kind("caption", "credit")
                | (
                    (pl.col("text") == above(pl.col("text")))
                    & (pl.col("weight") >= 30)
                    & (pl.col("weight") <= 400)
                )
            )
        ).fill_null(False)
    )
    around = above(pl.col("rule_role"))
    lines = lines.with_columns(
        between_role=pl.when(
            (around == below(pl.col("rule_role")))
            & free
            & ~pl.col("prose")
            & ~pl.col("text").str.contains(r"[.。]$")
        ).then(around),
        between_rule=above(pl.col("rule_name")),
    )
    # dates count in the head; in the tail only where the head has none
    head_date = any_on_page(_kind("date") & pl.col("in_head") & free)
    head_byline = any_on_page(_kind("byline", "cue") & pl.col("in_head") & free)
    bare = _kind("name") & pl.col("in_head") & _AFTER_HEADLINE & free & ~pl.col("repeats")
    lines = lines.with_columns(
        date_counts=(pl.col("in_head") | (pl.col("in_tail") & ~head_date)) & _OPEN,
        bare_byline=bare & ~head_byline,
    )
    lines = lines.with_columns(
        bare_byline=pl.col("bare_byline") & (sum_before(pl.col("bare_byline").fill_null(False)) < 3)
    )
    who_or_when = (
        (pl.col("date_counts") & _kind("date"))
        | (_kind("byline", "cue") & pl.col("in_head"))
        | pl.col("bare_byline")
    )
    last_who = last_line_where(who_or_when & pl.col("in_head"))
    return lines.with_columns(standfirst_place=(pl.col("line") < last_who).fill_null(False))


def cut_spans(lines: pl.DataFrame, dissections: pl.DataFrame, datelines: pl.DataFrame) -> pl.DataFrame:
    """Lines to spans: `page`, `line`, `line_no`, `char_start`, `char_end`, `role`, `rule`, `confidence`, `text`."""
    keep = ["page", "line", "line_no", "char_start", "text"]
    whole = lines.filter(~pl.col("in_pieces"))
    pieces = (
        lines.filter("in_pieces")
        .select(*keep, "text_id", "confidence")
        .join(dissections.select("text_id", "pieces"), on="text_id")
        .explode("pieces", empty_as_null=True)
        .unnest("pieces")
    )
    kicker = pl.col("text").str.extract(r"^(\[[^\[\]]{2,40}\]\s*)\S", 1)
    kickers = (
        whole.filter(pl.col("role") == "headline")
        .with_columns(cut=kicker.str.len_chars())
        .filter(pl.col("cut") > 0)
    )
    cuts = pl.concat(
        [
            kickers.select(
                "line",
                pl.col("cut").cast(pl.UInt32),
                first_role=pl.lit("kicker"),
                first_rule=pl.lit("kicker_in_brackets"),
            ),
            datelines.select(
                "line", "cut", first_role=pl.lit("dateline"), first_rule=pl.lit("dateline_printed")
            ),
        ]
    )
    length = pl.col("text").str.len_chars().cast(pl.UInt32)
    whole = whole.join(cuts, on="line", how="left", maintain_order="left")
    heads = whole.filter(pl.col("cut") > 0).select(
        *keep,
        start=pl.lit(0, pl.UInt32),
        end="cut",
        role="first_role",
        rule="first_rule",
        confidence=pl.lit(1.0, pl.Float32),
    )
    rests = whole.select(
        *keep, start=pl.col("cut").fill_null(0), end=length, role="role", rule="rule", confidence="confidence"
    )
    spans = pl.concat([heads, rests, pieces.select(heads.columns)]).sort("line", "start")
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


DATELINE_SHAPE = r"^[(\[【［]|^.{2,80}(?: [-–—]+ |--|—|: | = )"


def find_datelines(lines: pl.DataFrame) -> pl.DataFrame:
    """Where a page's first paragraph opens with a dateline.

    Returns `page`, `line`, `cut` (where the paragraph's own text begins), `dateline` as printed, and the reporter
    who stands in it: `authors`, `byline_raw`.
    """
    first = (
        lines.filter(pl.col("role") == "body")
        .unique("page", keep="first", maintain_order=True)
        .filter(pl.col("text").str.contains(DATELINE_SHAPE))
    )
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


def _authors(byline: Byline | None) -> list[dict[str, str | None]]:
    return [author_row(a) for a in byline.authors] if byline else []
