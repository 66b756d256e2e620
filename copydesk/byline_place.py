"""Which lines are the page's bylines: a cue says so, or a bare name stands where bylines stand.

A bare name is a byline by its place and what stands beside it, never by being a name: menus, captions, teasers and
sub-headings are full of names.
"""

from __future__ import annotations

import polars as pl

from copydesk.byline_words import words
from copydesk.bylines import name_in_place
from copydesk.windows import above, below, sum_above

__all__ = ["find_bylines"]

LATE_WEIGHT = 900
"""Prose that may stand between a headline and a bare name: a standfirst, a summary."""
LATE_SHARE = 0.25
"""The share of a page's prose that may."""
NEAR = 2
"""Lines within which a date stands beside a name."""
ABOVE_HEADLINE = 4
"""Lines above a headline in which a byline with a date may stand."""
FAR_ABOVE = 8
"""Lines above a headline from which a byline without a date is a menu's ("By role") or a teaser's."""
MOST = 8
"""Names, one a line, that may be authors together; more are a list."""
AFTER_SIGNATURE = 2
"""Paragraphs that may stand below a signature: who the author is, a notice."""
TAIL = 0.7
"""Share of a page's prose behind which a signature stands."""

UNREAD_WEIGHT = 70
"""Weight of the heaviest line that is read as names only because it stands where a byline does."""

TEASERS = ("related", "most_read")
"""Right below a line of these a byline belongs to another article."""

_MEMBER = pl.col("who").is_in(["name", "byline", "cue"])
_DATED = (pl.col("kind") == "date") | ((pl.col("kind") == "byline") & ~pl.col("persons"))
"""A date, or a byline that names nobody, as it stands with one: "by | 5 November"."""
_GLUE = pl.col("rule_name").is_in(["address_alone", "lone_symbol", "social_handle"]) | (pl.col("weight") <= 1)
"""What stands between the lines of one byline: an address, a sign."""


def find_bylines(lines: pl.DataFrame) -> pl.DataFrame:
    """Add to the lines of a batch which of them are bylines, and which belong together:

    `bare_byline`: a name without a cue that counts as a byline;
    `far_byline`: a line with a cue that does not count: a menu's;
    `byline_rank`: 0 where bylines stand, 1 elsewhere in the text and below it; null for other lines;
    `byline_block`: the same number for lines that stand one below the other.

    `lines` has `persons` (whether a parsed byline names a person) and what `structure.page_structure` and `assemble` found: `free`, `after_headline`, `headline_line`.
    """
    lines = lines.with_columns(who=pl.when(pl.col("line").is_in(_unread(lines).implode())).then(pl.lit("name")).otherwise("kind"))
    lines = lines.with_columns(
        dated=_DATED,
        byline_block=(~(_MEMBER | _GLUE).fill_null(False) | (pl.col("line") == pl.col("first"))).cast(pl.UInt32).cum_sum()
    )
    found = _placed(lines)
    rank = pl.when("placed").then(0).when("counts").then(1)
    found = found.select("line", "bare_byline", "far_byline", byline_rank=rank.cast(pl.UInt8))
    lines = lines.join(found, on="line", how="left", maintain_order="left")
    return lines.drop("who", "dated").with_columns(pl.col("bare_byline", "far_byline").fill_null(False))


def _unread(lines: pl.DataFrame) -> pl.Series:
    """The lines that only their place makes names: "• Ann Lee", "ANN LEE" between headline and date.

    Everywhere else they are a menu's or a heading, so the parser of single lines does not read them.
    """
    under = pl.col("line").cast(pl.Int64) - pl.col("headline_line").cast(pl.Int64)
    date = _DATED.fill_null(False)
    beside_date = pl.any_horizontal(*(above(date, by).fill_null(False) for by in (-NEAR, -1, 1, NEAR)))
    lone_bullet = pl.col("bullet") & ~above(pl.col("bullet")).fill_null(False) & ~below(pl.col("bullet")).fill_null(False)
    here = lines.select(
        "line", "text",
        place=pl.col("kind").is_null() & pl.col("free") & ~pl.col("ends") & ~pl.col("headline")
        & (pl.col("weight") <= UNREAD_WEIGHT) & (pl.col("before") <= LATE_WEIGHT)
        & (
            (beside_date & (under >= -ABOVE_HEADLINE).fill_null(True))
            | (under.is_between(1, 2) & pl.col("bullet"))
            | (lone_bullet & pl.col("after_headline"))
            | (pl.col("bullet") & (sum_above((pl.col("kind") == "cue").fill_null(False), MOST) > 0))
        ).fill_null(False),
    ).filter("place")  # fmt: skip
    found = [line for line, text in here.select("line", "text").iter_rows() if name_in_place(text)]
    return pl.Series("line", found, dtype=pl.UInt32)


def _placed(lines: pl.DataFrame) -> pl.DataFrame:
    """The lines that name people, each with what stands beside it and what follows from that."""
    last_row = len(lines) - 1

    def beside(column: str, by: int) -> pl.Expr:
        """The value that many lines below (above, if negative) the candidate, null beyond its page."""
        row = (pl.col("line").cast(pl.Int64) + by).clip(0, last_row)
        value = pl.lit(lines[column]).gather(row)
        inside = (row == pl.col("line").cast(pl.Int64) + by) & (pl.lit(lines["page"]).gather(row) == pl.col("page"))
        return pl.when(inside).then(value)

    people = lines.filter(_MEMBER & pl.col("cut_name").is_null() & ~pl.col("ended"))
    near_date = pl.any_horizontal(*(beside("dated", by).fill_null(False) for by in range(-NEAR, NEAR + 1) if by))
    people = people.with_columns(
        near_date=near_date,
        name=pl.col("free") & (pl.col("who") == "name") & ~beside("text", -1).str.contains(words().other_cue).fill_null(False),
        under=pl.col("line").cast(pl.Int64) - pl.col("headline_line").cast(pl.Int64),
        below_text=(beside("weight", -1) >= 40).fill_null(False),
        below_end=beside("ends", -1).fill_null(False),
        below_open=beside("text", -1).str.contains(r"(?:,|&|\band|\bund)$").fill_null(False),
        below_box=((beside("rule_role", -1) == "author_bio") & (beside("weight", -1) <= 40)).fill_null(False),
        next_text=beside("text", 1).fill_null(""),
        next_prose=beside("prose", 1).fill_null(False),
        next_name=(beside("who", 1) == "name").fill_null(False),
        next_open=beside("who", 1).is_null() & beside("weight", 1).is_between(2, 40) & ~beside("ends", 1),
        next_again=beside("again_headline", 1).fill_null(False),
        then_prose=beside("prose", 2).fill_null(False),
        in_teaser=(
            pl.coalesce(beside("rule_role", -1), beside("cut_role", -1)).is_in(TEASERS)
            & ~pl.coalesce(beside("rule_name", -1), beside("cut_name", -1)).str.starts_with("tags_")
        ).fill_null(False),
        first_name=pl.col("text").str.extract(r"(\p{Lu}[\pL'’-]+)"),
        last_name=pl.col("text").str.extract(r"(\p{Lu}[\pL'’-]+)[^\pL]*$"),
    )
    early = pl.col("in_head") | (
        (pl.col("before") <= LATE_WEIGHT) & (pl.col("before") <= LATE_SHARE * pl.col("total"))
    )
    after = pl.col("under") > 0
    right_below = pl.col("under").is_between(1, 2)
    leads_in = pl.col("below_text") | pl.col("next_prose") | pl.col("then_prose")
    near_above = pl.col("under").is_between(-ABOVE_HEADLINE, -1)
    people = people.with_columns(
        in_place=(
            (after & early & (pl.col("near_date") | right_below | pl.col("below_box")))
            | (after & pl.col("in_head") & leads_in)
            | (pl.col("under").is_null() & pl.col("in_head") & (pl.col("near_date") | pl.col("next_prose")))
            | (near_above & (pl.col("near_date") | pl.col("below_box")))
        ).fill_null(False),
        between_paragraphs=after & early & ~pl.col("in_head") & pl.col("gap") & (pl.col("next_prose") | pl.col("next_again")),
        below_article=(pl.col("before") > 0) & (pl.col("before") >= TAIL * pl.col("total")) & ~pl.col("in_head")
        & (pl.col("prose_after") <= AFTER_SIGNATURE),
        far_byline=(pl.col("who") == "byline")
        & (((pl.col("under") < -FAR_ABOVE).fill_null(False) & ~pl.col("near_date")) | (pl.col("in_teaser") & ~pl.col("in_head"))),
    )
    # outside the head a cue and one word are a heading ("By audience"), and behind a bullet a reader's comment
    loose = (pl.col("who") == "byline") & ~early & (
        (pl.col("bullet") & ~pl.col("near_date")) | pl.col("text").str.contains(r"^\PL*\p{Latin}+ \p{Latin}+\PL*$")
    )  # fmt: skip
    people = people.with_columns(far_byline=pl.col("far_byline") | loose)
    # "By" with nothing behind it names nobody
    empty_cue = (pl.col("who") == "cue") & ~(pl.col("next_name") | pl.col("next_open").fill_null(False))
    placed_cue = (pl.col("who") != "name") & ~pl.col("far_byline") & ~empty_cue & (
        early & ~(pl.col("under") < -ABOVE_HEADLINE).fill_null(False)
    )  # fmt: skip
    people = people.with_columns(placed_cue=placed_cue)
    # an agency's or the staff's byline leaves room for a person's; so does a byline above the headline for one below
    names_person = pl.col("placed_cue") & (pl.col("persons").fill_null(False) | (pl.col("who") == "cue"))
    cued_page = (names_person & ~near_above.fill_null(False)).any().over("page") | (
        names_person.any().over("page") & ~pl.col("near_date")
    )
    lone_cue = (pl.col("placed_cue") & (pl.col("who") == "cue")).any().over("byline_block")
    cued_above = ((pl.col("who") == "byline") & ~pl.col("far_byline")).cast(pl.Int64).cum_sum().over("page") > 0
    people = people.with_columns(
        sure=pl.col("name") & pl.col("in_place") & ~cued_page,
        joined=pl.col("name") & (lone_cue | (pl.col("below_open") & pl.col("placed_cue").any().over("byline_block"))),
        perhaps=pl.col("name") & pl.col("between_paragraphs") & ~pl.col("placed_cue").any().over("page"),
        signed=pl.col("name") & pl.col("below_article") & pl.col("gap") & ~cued_page & ~cued_above,
    )
    told = (pl.col("next_text").str.len_chars() >= 40) & (
        pl.col("next_text").str.head(30).str.contains(pl.col("last_name"), literal=True)
        | pl.col("next_text").str.starts_with(pl.col("first_name") + pl.lit(" "))
    )
    role = pl.col("next_text").str.contains(words().role_line)
    closes = pl.col("below_end") & ~pl.col("next_prose") & ~pl.col("next_name")
    doubtful = pl.col("perhaps") | pl.col("signed") | pl.col("sure")
    subject = pl.col("line").is_in(_subjects(people.filter(doubtful), lines).implode())
    people = people.with_columns(
        sure=pl.col("sure")
        & (~subject | pl.col("near_date"))
        & (~pl.col("placed_cue").any().over("page") | (pl.col("next_prose") & ~subject) | pl.col("near_date") & names_person.any().over("page")),
        perhaps=pl.col("perhaps") & ~subject,
        signed=pl.col("signed") & (told.fill_null(False) | role | pl.col("below_box") | (closes & ~subject)),
    )
    people = people.with_columns(
        choice=pl.when(pl.col("sure") & ~near_above.fill_null(False)).then(0).when("sure").then(1)
        .when("perhaps").then(2).when("signed").then(3)
    )  # fmt: skip
    # of the bare names the best block on the page, unless it is as long as a list
    best = people.drop_nulls("choice").sort("page", "choice", "line").unique("page", keep="first", maintain_order=True)
    people = people.join(
        best.select("page", chosen="byline_block"), on="page", how="left", maintain_order="left"
    ).with_columns(in_block=pl.col("name") & (pl.col("byline_block") == pl.col("chosen")).fill_null(False))
    few = pl.col("in_block").sum().over("page") <= MOST
    people = people.with_columns(bare_byline=(pl.col("in_block") & few) | pl.col("joined"))
    bare_page = (pl.col("bare_byline") & ~pl.col("signed")).any().over("page")
    first_choice = pl.col("placed_cue") & (~bare_page | (names_person & ~near_above.fill_null(False)))
    return people.with_columns(
        placed=first_choice | (pl.col("bare_byline") & ~pl.col("signed")),
        counts=pl.col("bare_byline") | ((pl.col("who") != "name") & ~pl.col("far_byline")),
    )


def _subjects(people: pl.DataFrame, lines: pl.DataFrame) -> pl.Series:
    """The lines of names of whom the page's own paragraphs speak: no authors."""
    prose = lines.filter(pl.col("prose") & pl.col("after_headline")).select("page", paragraph="text")
    spoken = (
        people.select("page", "line", needle=pl.lit(" ") + pl.col("last_name"))
        .drop_nulls()
        .join(prose, on="page")
        .filter(pl.col("paragraph").str.contains(pl.col("needle"), literal=True))
    )
    return spoken.group_by("line").len().filter(pl.col("len") >= 2)["line"]
