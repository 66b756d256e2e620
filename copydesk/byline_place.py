"""Which lines are the page's bylines: a cue says so, or a bare name stands where bylines stand.

A bare name is a byline by its place and what stands beside it, never by being a name: menus, captions, teasers and
sub-headings are full of names.
"""

from __future__ import annotations

import polars as pl

from copydesk.byline_words import words
from copydesk.bylines import name_in_place
from copydesk.windows import above, below, beside, sum_above

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
SPOKEN_OF = 2
"""Paragraphs that hold the name of somebody whom the article is about."""
TAIL = 0.7
"""Share of a page's prose behind which a signature stands."""
AFTER_SIGNATURE = 2
"""Paragraphs that may stand below a signature: who the author is, a notice."""
UNREAD_WEIGHT = 70
"""Weight of the heaviest line that is read as names only because it stands where a byline does."""
BIO = (
    r"^\p{Lu}\S* \P{Ll}?\pL[^.!?]{0,40} (?:is|has|was|works|writes|covers|reports|joined|ist|hat|schreibt|arbeitet"
    r"|est|écrit|travaille|es|escribe|trabaja|è|scrive|lavora|é|escreve|schrijft|werkt|är|skriver|er|jest|pisze)(?-u:\b)"
)
"""How a note on an author begins: "Ann Lee is a reporter"."""
TEASERS = ("related", "most_read")
"""Right below a line of these a byline belongs to another article."""

_MEMBER = pl.col("who").is_in(["name", "byline", "cue"])
_DATED = (
    (pl.col("kind") == "date")
    | ((pl.col("kind") == "byline") & ~pl.col("persons"))
    | pl.col("rule_name").str.starts_with("reading_time")
)
"""A date, or what stands with one: a byline that names nobody ("by | 5 November"), how long the article takes."""
_GLUE = pl.col("rule_name").is_in(["address_alone", "lone_symbol"]) | (pl.col("weight") <= 1)
"""What stands between the lines of one byline: an address, a sign."""


def find_bylines(lines: pl.DataFrame) -> pl.DataFrame:
    """Add to the lines of a batch which of them are bylines, and which belong together:

    `bare_byline`: a name without a cue that counts as a byline;
    `far_byline`: a line with a cue that does not count: a menu's, a teaser's;
    `byline_rank`: 0 where bylines stand, 1 elsewhere in the text and below it; null for other lines;
    `byline_block`: the same number for lines that stand one below the other.

    `lines` has `persons` (whether a parsed byline names a person) and what `structure.page_structure` and `assemble`
    found: `free`, `after_headline`, `headline_line`, `again_headline`.
    """
    in_place = pl.col("line").is_in(_unread(lines).implode())
    lines = lines.with_columns(
        who=pl.when(in_place).then(pl.lit("name")).otherwise("kind"), dated=_DATED.fill_null(False)
    )
    apart = ~(_MEMBER | _GLUE).fill_null(False) | (pl.col("line") == pl.col("first"))
    lines = lines.with_columns(byline_block=apart.cast(pl.UInt32).cum_sum())
    found = _choose(_judge(_look_around(lines), lines))
    lines = lines.drop("who", "dated").join(found, on="line", how="left", maintain_order="left")
    return lines.with_columns(pl.col("bare_byline", "far_byline").fill_null(False))


def _unread(lines: pl.DataFrame) -> pl.Series:
    """The lines that only their place makes names: "• Ann Lee", "ANN LEE" between headline and date.

    Everywhere else they are a menu's or a heading, so the parser of single lines does not read them.
    """
    likely = lines.select(
        "line", "text",
        open=pl.col("kind").is_null() & pl.col("free") & ~pl.col("ends") & ~pl.col("headline")
        & (pl.col("weight") <= UNREAD_WEIGHT) & (pl.col("before") <= LATE_WEIGHT),
        under=pl.col("line").cast(pl.Int64) - pl.col("headline_line").cast(pl.Int64),
        beside_date=pl.any_horizontal(*(above(_DATED, by).fill_null(False) for by in range(-NEAR, NEAR + 1) if by)),
        below_cue=sum_above((pl.col("kind") == "cue").fill_null(False), MOST) > 0,
        bullet="bullet",
        lone_bullet=pl.col("bullet") & pl.col("after_headline") & ~above(pl.col("bullet")).fill_null(False)
        & ~below(pl.col("bullet")).fill_null(False),
    ).filter(
        "open",
        (pl.col("beside_date") & (pl.col("under") >= -ABOVE_HEADLINE).fill_null(True))
        | (pl.col("bullet") & (pl.col("under").is_between(1, 2).fill_null(False) | pl.col("below_cue")))
        | pl.col("lone_bullet"),
    )  # fmt: skip
    found = [line for line, text in likely.select("line", "text").iter_rows() if name_in_place(text)]
    return pl.Series("line", found, dtype=pl.UInt32)


def _look_around(lines: pl.DataFrame) -> pl.DataFrame:
    """The lines that name people, with what stands beside each."""
    line = pl.col("line").cast(pl.Int64)

    def near(column: str, by: int) -> pl.Expr:
        return beside(lines[column], by)

    role_above = pl.coalesce(near("rule_role", -1), near("cut_role", -1))
    rule_above = pl.coalesce(near("rule_name", -1), near("cut_name", -1))
    text_above, text_below = near("text", -1), near("text", 1)
    reviewed = text_above.str.contains(words().other_cue).fill_null(False)
    return (
        lines.filter(_MEMBER & pl.col("cut_name").is_null() & ~pl.col("ended"))
        .with_columns(
            under=line - pl.col("headline_line").cast(pl.Int64),
            name=pl.col("free") & (pl.col("who") == "name") & ~reviewed,
            near_date=pl.any_horizontal(*(near("dated", by).fill_null(False) for by in range(-NEAR, NEAR + 1) if by)),
            below_text=(near("weight", -1) >= 40).fill_null(False),
            below_end=near("ends", -1).fill_null(False),
            below_open=text_above.str.contains(r"(?:,|&|\band|\bund)$").fill_null(False),
            below_box=((near("rule_role", -1) == "author_bio") & (near("weight", -1) <= 40)).fill_null(False),
            below_teaser=(role_above.is_in(TEASERS) & ~rule_above.str.starts_with("tags_")).fill_null(False),
            next_text=text_below.fill_null(""),
            next_prose=near("prose", 1).fill_null(False),
            next_name=(near("who", 1) == "name").fill_null(False),
            next_again=near("again_headline", 1).fill_null(False),
            next_open=(
                near("who", 1).is_null() & near("weight", 1).is_between(2, 40) & ~near("ends", 1)
            ).fill_null(False),
            then_prose=near("prose", 2).fill_null(False),
            first_name=pl.col("text").str.extract(r"(\p{Lu}[\pL'’-]+)"),
            last_name=pl.col("text").str.extract(r"(\p{Lu}[\pL'’-]+)[^\pL]*$"),
        )
        .with_columns(
            early=pl.col("in_head")
            | ((pl.col("before") <= LATE_WEIGHT) & (pl.col("before") <= LATE_SHARE * pl.col("total"))),
            after=(pl.col("under") > 0).fill_null(False),
            near_above=pl.col("under").is_between(-ABOVE_HEADLINE, -1).fill_null(False),
        )
    )


def _judge(people: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    """Which of the lines could be the page's byline, and how likely: `choice`, 0 the likeliest.

    Adds `placed_cue`, `names_person`, `far_byline`, `joined` (a name of a list under one cue) and `choice`, null for
    all but bare names.
    """
    after, early, head, dated = (pl.col(name) for name in ("after", "early", "in_head", "near_date"))
    byline = pl.col("who") == "byline"
    # a menu's or a teaser's; below the head a cue and one word are a heading, and behind a bullet a reader's comment
    one_word = pl.col("text").str.contains(r"^\PL*\p{Latin}+ \p{Latin}+\PL*$")
    far = byline & (
        ((pl.col("under") < -FAR_ABOVE).fill_null(False) & ~dated & ~pl.col("text").str.contains(r"\d"))
        | (pl.col("below_teaser") & ~head)
        | (~early & ((pl.col("bullet") & ~dated) | one_word))
    )
    # "By" with nothing behind it names nobody
    empty = (pl.col("who") == "cue") & ~pl.col("next_name") & ~pl.col("next_open")
    too_high = (pl.col("under") < -ABOVE_HEADLINE).fill_null(False)
    people = people.with_columns(far_byline=far).with_columns(
        placed_cue=(pl.col("who") != "name") & ~pl.col("far_byline") & ~empty & early & ~too_high
    )
    people = people.with_columns(
        names_person=pl.col("placed_cue") & (pl.col("persons").fill_null(False) | (pl.col("who") == "cue"))
    )
    placed_cue, names_person = pl.col("placed_cue"), pl.col("names_person")
    any_cue = placed_cue.any().over("page")
    person_below_headline = (names_person & ~pl.col("near_above")).any().over("page")
    # a cue settles it; but an agency's byline leaves room for a person's, and one above the headline for one below
    cued = person_below_headline | (names_person.any().over("page") & ~dated)
    cued_before = (byline & ~pl.col("far_byline")).cast(pl.Int64).cum_sum().over("page") > 0
    leads_in = pl.col("below_text") | pl.col("next_prose") | pl.col("then_prose")
    in_place = (
        (after & early & (dated | pl.col("under").is_between(1, 2) | pl.col("below_box")))
        | (after & head & leads_in)
        | (pl.col("under").is_null() & head & (dated | pl.col("next_prose")))
        | (pl.col("near_above") & (dated | pl.col("below_box")))
    ).fill_null(False)
    between = after & early & ~head & pl.col("gap") & (pl.col("next_prose") | pl.col("next_again"))
    below_article = (
        (pl.col("before") > 0)
        & (pl.col("before") >= TAIL * pl.col("total"))
        & ~head
        & pl.col("gap")
        & (pl.col("prose_after") <= AFTER_SIGNATURE)
    )
    boxed = pl.col("name") & after & ~head & pl.col("gap") & pl.col("next_text").str.contains(BIO)
    boxed = boxed & pl.col("next_text").str.starts_with(pl.col("text"))
    people = people.with_columns(
        boxed=boxed & (boxed.sum().over("page") == 1) & ~cued & ~cued_before,
        sure=pl.col("name") & in_place & ~cued,
        between=pl.col("name") & between & ~any_cue,
        signed=pl.col("name") & below_article & ~cued & ~cued_before,
        joined=pl.col("name")
        & (
            (placed_cue & (pl.col("who") == "cue")).any().over("byline_block")
            | (pl.col("below_open") & placed_cue.any().over("byline_block"))
        ),
    )
    doubtful = people.filter(pl.col("sure") | pl.col("between") | pl.col("signed") | pl.col("boxed"))
    subject = pl.col("line").is_in(_spoken_of(doubtful, lines).implode())
    told = (pl.col("next_text").str.len_chars() >= 40) & (
        pl.col("next_text").str.head(30).str.contains(pl.col("last_name"), literal=True)
        | pl.col("next_text").str.starts_with(pl.col("first_name") + pl.lit(" "))
    ).fill_null(False)
    post = pl.col("next_text").str.contains(words().role_line)
    closes = pl.col("below_end") & ~pl.col("next_prose") & ~pl.col("next_name") & ~subject
    beside_cue = ~any_cue | (pl.col("next_prose") & ~subject) | (dated & names_person.any().over("page"))
    sure = pl.col("sure") & (~subject | dated) & beside_cue
    return people.with_columns(
        choice=pl.when(sure & ~pl.col("near_above")).then(0)
        .when(sure).then(1)
        .when(pl.col("between") & ~subject).then(2)
        .when((pl.col("signed") & (told | post | pl.col("below_box") | closes)) | (pl.col("boxed") & ~subject))
        .then(SIGNATURE)
    )  # fmt: skip


SIGNATURE = 3
"""The choice of a name that signs the article below its text."""


def _choose(people: pl.DataFrame) -> pl.DataFrame:
    """`line`, `bare_byline`, `far_byline` and `byline_rank`: of the bare names the best block of a page."""
    best = people.drop_nulls("choice").sort("page", "choice", "line").unique("page", keep="first", maintain_order=True)
    best = best.select("page", chosen="byline_block", chosen_choice="choice")
    people = people.join(best, on="page", how="left", maintain_order="left")
    people = people.with_columns(
        in_block=pl.col("name") & (pl.col("byline_block") == pl.col("chosen")).fill_null(False)
    ).with_columns(
        bare_byline=(pl.col("in_block") & (pl.col("in_block").sum().over("page") <= MOST)) | pl.col("joined")
    )
    placed_name = pl.col("bare_byline") & (pl.col("joined") | (pl.col("chosen_choice") < SIGNATURE))
    settled = ~placed_name.any().over("page") | (pl.col("names_person") & ~pl.col("near_above"))
    counts = pl.col("bare_byline") | ((pl.col("who") != "name") & ~pl.col("far_byline"))
    rank = pl.when(placed_name | (pl.col("placed_cue") & settled)).then(0).when(counts).then(1)
    return people.select("line", "bare_byline", "far_byline", byline_rank=rank.cast(pl.UInt8))


def _spoken_of(people: pl.DataFrame, lines: pl.DataFrame) -> pl.Series:
    """The lines of names of whom the page's own paragraphs speak: no authors."""
    prose = lines.filter(pl.col("prose") & pl.col("after_headline")).select("page", paragraph="text")
    spoken = (
        people.select("page", "line", needle=pl.lit(" ") + pl.col("last_name"))
        .drop_nulls()
        .join(prose, on="page")
        .filter(pl.col("paragraph").str.contains(pl.col("needle"), literal=True))
    )
    return spoken.group_by("line").len().filter(pl.col("len") >= SPOKEN_OF)["line"]
