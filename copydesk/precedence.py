"""The precedence table: what a line is, decided once, by the first row that holds for it.

The columns that the rows speak of are made by `marks.py` (what a line shows), `structure.py` (its place on the page)
and `assemble.py` (what it is to its neighbours).
"""

from __future__ import annotations

import dataclasses
from typing import Final

import polars as pl

from copydesk.lines import full_stop
from copydesk.marks import LONG_WEIGHT
from copydesk.windows import below

SHORT = 60
"""A line lighter than this that ends no sentence is a label rather than text."""


@dataclasses.dataclass(frozen=True)
class Decision:
    """A row of the precedence table: the rule id for the ledger, the role, when it holds, and why.

    `role` None: the role comes from the furniture rule or header named in `rule_from`, or from the line's pieces.
    `confidence_from`: the column that holds the line's own confidence.
    """

    rule: str
    role: str | None
    when: pl.Expr
    why: str
    confidence: float = 1.0
    rule_from: str | None = None
    role_from: str | None = None
    confidence_from: str | None = None
    pieces: bool = False


def kind_is(*kinds: str) -> pl.Expr:
    """Whether the line was dissected as one of these kinds."""
    return pl.col("kind").is_in(kinds).fill_null(False)


LINE_MODELS: Final = {"text": "line_model_1", "html": "html_line_model_1"}
"""What the ledger calls the line model, by what pages are given as: the name of its weights file, with its version."""
BOXES = ("newsletter", "advert", "paywall", "share", "comments", "related", "most_read", "legal")
"""Furniture that stands in boxes of several lines."""
_LABEL = ~pl.col("ends") & (pl.col("weight") < SHORT)
_AFTER_HEADLINE = pl.col("after_headline")
UNCUT = pl.col("cut_name").is_null() & ~pl.col("ended")
_ENDS = pl.col("ends")
_AT_EDGE = pl.col("in_head") | pl.col("in_tail")

FIRM: tuple[Decision, ...] = (
    Decision(
        "masthead_of_publisher", "masthead", pl.col("masthead"),
        "The line is the name of the outlet, as its profile or the page's own copyright line spells it.",
    ),
    Decision("", None, pl.col("ended") & pl.col("rule_name").is_null() & ~pl.col("own_date"), "A header above ended the article.",
             rule_from="cut_name", role_from="cut_role"),
    Decision("date_printed", None, pl.col("own_date"), "The line has the page's date of publication or of its last change.",
             pieces=True),
    Decision("date_printed", None, pl.col("date_role").is_not_null(), "The label above the page's date, or the time below it.",
             role_from="date_role"),
    Decision("byline_printed", None, kind_is("byline") & UNCUT & ~pl.col("repeats") & ~pl.col("far_byline") & (pl.col("in_head") | pl.col("in_tail") | ~pl.col("sentence")),
             "A line that says who wrote the article.", pieces=True),
    Decision("byline_cue_and_name", "byline", pl.col("cued_name") | (kind_is("cue") & pl.col("cue_counts")),
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
    Decision("", None, pl.col("rule_name").is_not_null() & ~kind_is("caption") & ~(kind_is("credit") & pl.col("rule_role").is_in(["caption", "credit"])),
             "A furniture rule matches the line where it stands.", rule_from="rule_name", role_from="rule_role"),
    Decision("byline_bare_name", "byline", pl.col("bare_byline"),
             "A name alone where bylines stand: beside headline, date and text, or under the text as a signature.", 0.8),
    Decision("caption_printed_again", "repeat", pl.col("again_caption"), "A caption stands a second time."),
    Decision("caption_with_credit", None, kind_is("caption", "credit"), "A line that ends in a picture credit.", pieces=True),
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
    Decision("date_printed_again", "repeat", kind_is("date") & _AT_EDGE & pl.col("again_date"),
             "The day of publication stands a second time."),
    Decision("date_of_another", "other", kind_is("date") & _AT_EDGE,
             "A line of dates above or below the article that is not the page's: the day of the fetch, another story's."),
    Decision("byline_printed_again", "repeat", kind_is("name", "byline") & pl.col("repeats"), "A byline stands a second time."),
    Decision("", None, pl.col("known_rule").is_not_null(),
             "The publisher's profile names the line as furniture, or site memory saw it on enough of the site's pages.",
             rule_from="known_rule", role_from="known_role", confidence_from="known_confidence"),
)  # fmt: skip
"""What the rules are sure of: the first row that holds decides."""

_KEPT, _CUT = pl.col("model_keeps"), ~pl.col("model_keeps")
MODEL: tuple[Decision, ...] = (
    Decision("", "subheading", _KEPT & ~_ENDS & (pl.col("weight") < 100) & ~pl.col("bullet") & (below(pl.col("prose"))),
             "A short line that the line model keeps, above a paragraph.", rule_from="model_rule", confidence_from="model_sureness"),
    Decision("", "body", _KEPT, "The line model keeps the line.", rule_from="model_rule", confidence_from="model_sureness"),
    Decision("", "navigation", _CUT & pl.col("in_head") & _LABEL, "A short line above the article that the line model cuts.", rule_from="model_rule", confidence_from="model_sureness"),
    Decision("", "related", _CUT & (pl.col("in_tail") | (pl.col("prose_before") > 0)) & ~_ENDS & pl.col("weight").is_between(30, 120),
             "A line like a title that the line model cuts behind the article.", rule_from="model_rule", confidence_from="model_sureness"),
    Decision("", "other", _CUT, "The line model cuts the line.", rule_from="model_rule", confidence_from="model_sureness"),
)  # fmt: skip
"""Where the model is asked and does not agree with the row of SOFT that holds."""

SOFT: tuple[Decision, ...] = (
    Decision("paragraph_above_headline", "body", pl.col("above_headline") & pl.col("prose") & (pl.col("weight") >= LONG_WEIGHT),
             "A whole paragraph above the headline: a late headline is in doubt sooner than it.", 0.6),
    Decision("caption_above_headline", "caption", pl.col("above_headline") & pl.col("sentence") & (pl.col("weight") <= 350),
             "A sentence above the headline: the picture's caption.", 0.7),
    Decision("kicker_above_headline", "kicker",
             pl.col("above_headline") & pl.col("next_is_headline") & (pl.col("weight") <= 60) & ~_ENDS & ~pl.col("bullet"),
             "A few words right above the headline.", 0.6),
    Decision("line_above_headline", "navigation", pl.col("above_headline"), "Anything else above the headline.", 0.7),
    Decision("standfirst_below_headline", "standfirst",
             pl.col("in_head") & _AFTER_HEADLINE & pl.col("standfirst_place") & ~pl.col("opens") & pl.col("weight").is_between(40, 400),
             "A sentence between the headline and the byline or date.", 0.7),
    Decision("deck_below_headline", "standfirst",
             pl.col("in_head") & pl.col("below_headline") & ~pl.col("opens") & pl.col("weight").is_between(40, 250) & ~full_stop(pl.col("text")),
             "A line without a full stop right below the headline.", 0.6),
    Decision("label_below_headline", "other", pl.col("in_head") & _AFTER_HEADLINE & _LABEL & (pl.col("weight") < 26) & pl.col("first_prose").is_not_null(),
             "A short label between the headline and the first paragraph.", 0.6),
    Decision("label_after_last_paragraph", "other", pl.col("in_tail") & _LABEL & ~pl.col("bullet"),
             "A short line after the last paragraph.", 0.6),
    Decision("subheading_short_line", "subheading", ~_ENDS & (pl.col("weight") < 100) & ~pl.col("bullet") & ~pl.col("in_tail"),
             "A short line without a full stop among paragraphs.", 0.7),
    Decision("paragraph", "body", pl.lit(True), "Everything else is the article.", 0.9),
)  # fmt: skip
"""What the rules only suppose: the line model may overrule it."""

PRECEDENCE: tuple[Decision, ...] = (*FIRM, *MODEL, *SOFT)
NAMES: tuple[str, ...] = tuple(d.rule or d.rule_from or "" for d in PRECEDENCE)
"""What each row of the table is called among the marks of the line model."""
