"""Which line of a page is its headline.

Every title-like line above or about the first paragraph is scored by the table SIGNS, and the best one of its page is
taken. What part of it is the headline, `headline_cuts` says.
"""

from __future__ import annotations

import dataclasses
import unicodedata
from urllib.parse import unquote

import polars as pl

from copydesk.line_model import kind_of
from copydesk.marks import PROSE_WEIGHT
from copydesk.windows import above, below, lines_to_next

LATE_TITLE = 2
"""Paragraphs that may stand above a headline: a caption or two whose headline was lost at the top."""
LINKED = ("related", "most_read", "other")
"""What a headline may be on the pages that link to it, as site memory knows them. What recurs as something else is a
headline only where its page's address tells it."""
LEAD = 3
"""Paragraphs whose first words (`LEAD_LENGTH` characters of each) are looked for in titles."""
LEAD_LENGTH = 100
NEAR_WHO = 4
"""Lines below a headline within which its byline or date stands."""
MENU = 8
"""Lines for each paragraph among them from which on they are menus and boxes rather than an article."""
ADDRESSED = 3
"""Words of a headline in the page's address that show what the page is about."""
LABEL = 30
"""Weight from which a title is more than the name of a section or a kicker."""
FAR = 9
"""Lines from which on it makes no difference how far below a byline stands."""

_APART = '#$%&*=@©®™.,:;!?…"“”„«»‹›()[]{}<>|/_+-–—·•、。「」『』【】（）！？：' + "".join(
    map(chr, range(0x3041, 0x3097))
)
"""What parts words: marks, and the Japanese syllables that are endings and particles between words."""


def _folding() -> dict[str, str]:
    """What is spelt in another way in a slug: accents, letters that it spells with two, marks."""
    accents = {chr(n): unicodedata.normalize("NFD", chr(n))[0] for n in range(0xC0, 0x250)}
    letters = {
        "ß": "ss", "æ": "a", "œ": "o", "ø": "o", "ð": "d", "þ": "th", "ł": "l", "đ": "d", "ı": "i",
        "ae": "a", "oe": "o", "ue": "u", "aa": "a", "'": "", "’": "", "‘": "", "\u00ad": "", "\u0307": "",
    }  # fmt: skip
    changed = {k: v for k, v in accents.items() if k != v and k == k.lower()}
    return changed | letters | dict.fromkeys(_APART, " ")


_FOLDED = _folding()


@dataclasses.dataclass(frozen=True)
class Sign:
    """What speaks for or against a line as the headline: a number from 0 to 1 and its weight in the score."""

    name: str
    weight: float
    value: pl.Expr
    why: str


SIGNS: tuple[Sign, ...] = (
    Sign("slug", 4.0, 2 * pl.col("in_slug") / (pl.col("many") + pl.col("slug_many") + 1),
         "Most outlets write a page's address from its headline."),
    Sign("lead", 3.5, pl.col("in_lead") / (pl.col("many") + 4), "The first paragraphs say it again in more words."),
    Sign("length", 1.5, pl.min_horizontal("weight", 70) / 70, "Headlines are longer than the names of sections."),
    Sign("long", -3.5, (pl.col("weight") - 90).clip(0, 90) / 90, "Standfirsts and captions are longer still."),
    Sign("tiny", -1.0, pl.col("weight") < 20, "One word or two are a section more often than a headline."),
    Sign("who_below", 2.5, pl.col("to_who") <= NEAR_WHO, "A byline or a date stands within four lines below."),
    Sign("gap_below", 3.0, pl.col("gap_below"), "A blank line stands below: menus and lists have none."),
    Sign("gap_above", 2.0, pl.col("gap"), "A blank line stands above."),
    Sign("first", 1.0, (pl.col("place") == 1) & (pl.col("weight") >= LABEL),
         "The first title that is more than a label."),
    Sign("late", -1.5, pl.col("prose_before") > 0, "A paragraph stands above."),
    Sign("full_stop", -3.5, pl.col("text").str.contains(r"[.。]$"), "Headlines rarely end in a full stop."),
    Sign("sentences", -2.5, pl.col("sentences"), "Several sentences, or a long one, are a standfirst or a caption."),
    Sign("name", -2.0, pl.col("kind").is_not_null(), "A name alone is a byline."),
    Sign("glued", -1.5, pl.col("text").str.count_matches(r"\p{Ll}\p{Lu}") >= 2, "Words run together are a menu."),
)  # fmt: skip
"""Weights rounded from a conditional logit on labelled pages, cross-validated by site."""


def find_headlines(lines: pl.DataFrame, pages: pl.DataFrame) -> pl.DataFrame:
    """Add to the lines of a batch `headline`: the page's headline, `holds_headline`: a line that says it as well, and
    `addressed`: a headline that the page's address spells.

    `lines` are those of `page_structure` up to its zones; `pages` has `page` and `url`.
    """
    who = pl.col("kind").is_in(["date", "byline", "cue"]).fill_null(False)
    titles = (
        _title_lines(lines.with_columns(to_who=lines_to_next(who, FAR), gap_below=below(pl.col("gap")).fill_null(True)))
        .join(_slugs(pages), on="page", how="left", maintain_order="left")
        .join(_leads(lines), on="page", how="left", maintain_order="left")
        .with_columns(words=_words(pl.col("text")), place=(pl.col("weight") >= LABEL).cum_sum().over("page"))
        .with_columns(
            many=pl.col("words").list.len(),
            slug_many=pl.col("slug").list.len().fill_null(0),
            in_slug=pl.col("words").list.set_intersection("slug").list.len().fill_null(0),
            in_lead=pl.col("words").list.set_intersection("lead").list.len().fill_null(0),
        )
    )
    told = (pl.col("in_slug") >= 2) & (2 * pl.col("in_slug") >= pl.min_horizontal("many", "slug_many"))
    # below what reads like an article's first paragraphs only a line of which the address spells more than of any above
    in_slug_above = pl.when("early").then("in_slug").max().over("page").fill_null(0)
    spelt = (pl.col("in_slug") >= ADDRESSED) & (3 * pl.col("in_slug") >= 2 * pl.col("slug_many"))
    spelt = spelt & (pl.col("in_slug") > in_slug_above)
    uncut = pl.col("cut_name").is_null()
    fits = pl.col("high") & ~pl.col("sentences") & uncut
    lost = ~pl.col("high") & (pl.col("weight") >= LABEL) & uncut
    best = (
        titles.filter(pl.col("early") | spelt)
        .filter(told | ((fits | lost) & (pl.col("known_role").is_null() | pl.col("known_role").is_in(LINKED))))
        .with_columns(score=pl.sum_horizontal(sign.value.cast(pl.Float64) * sign.weight for sign in SIGNS))
        .sort("page", "score", "line", descending=[False, True, False])
        .unique("page", keep="first", maintain_order=True)
    )
    best = _alone(best, titles)
    return lines.with_columns(
        headline=pl.col("line").is_in(best["line"].implode()),
        holds_headline=pl.col("line").is_in(best["longer"].drop_nulls().implode()),
        addressed=pl.col("line").is_in(best.filter(pl.col("in_slug") >= ADDRESSED)["line"].implode()),
    )


def _title_lines(lines: pl.DataFrame) -> pl.DataFrame:
    """The lines that could be headlines by their form and place."""
    kind = pl.col("kind").is_null() | (pl.col("kind") == "name")
    early = pl.col("in_head") | (pl.col("line") < pl.col("first_prose")) | (pl.col("prose_before") <= LATE_TITLE)
    title = (
        pl.col("rule_name").is_null()
        & ~pl.col("ended")
        & kind
        & pl.col("weight").is_between(4, 260)
        & ~pl.col("bullet")
    )
    twin = (pl.col("text_id") == above(pl.col("text_id"))) | (pl.col("text_id") == below(pl.col("text_id")))
    high = (pl.col("line") <= pl.max_horizontal("first_prose", "head_end")).fill_null(True)
    columns = [
        "page",
        "line",
        "text",
        "weight",
        "kind",
        "sentence",
        "to_who",
        "gap",
        "gap_below",
        "prose_before",
        "cut_name",
        "known_role",
    ]
    # a page of HTML says by its headings and titles where its headline is
    among_menus = (pl.col("weight") >= LABEL) & (MENU * pl.col("prose_before") <= pl.col("line") - pl.col("first"))
    late = ((pl.col("to_who") <= NEAR_WHO) | among_menus) & (kind_of(lines) == "text")
    caption = pl.col("twin") & pl.col("text").str.contains(r"[.!?。][)\"”’]?( \(.*\))?$")
    several = pl.col("sentence") & pl.col("text").str.contains(r"\pL{2}[.!?]\s+\W?\p{Lu}|[^?？]$")
    return (
        lines.select(
            *columns,
            high=high,
            twin=twin.fill_null(False),
            early=early,
            fits=title & (early | late) & (high | ~pl.col("ends")),
        )
        .filter("fits")
        .with_columns(sentences=several)
        .filter(~pl.col("sentences") | (pl.col("weight") < PROSE_WEIGHT), ~caption)
    )


def _slugs(pages: pl.DataFrame) -> pl.DataFrame:
    """The words in the part of a page's address that has most of them: `page`, `slug`."""
    return slug_parts(pages).select("page", slug=_words(pl.col("part")))


def slug_parts(pages: pl.DataFrame) -> pl.DataFrame:
    """`page` and `part`: the part of its address that has most words, two at least."""
    urls = pages.select("page", "url").drop_nulls()
    plain = [unquote(url) if "%" in url else url for url in urls["url"].to_list()]
    path = pl.col("url").str.replace(r"^[a-z]+://[^/]+", "").str.replace(r"(?:\.[a-z]{3,5})?(?:[?#].*)?$", "")
    return (
        urls.with_columns(url=pl.Series(plain, dtype=pl.String))
        .select("page", part=path.str.split("/"))
        .explode("part", empty_as_null=True)
        .with_columns(many=pl.col("part").str.count_matches(r"\pL{2,}"))
        .filter(pl.col("many") >= 2)
        .sort("page", "many", descending=[False, True], maintain_order=True)
        .unique("page", keep="first", maintain_order=True)
        .select("page", "part")
    )


def _leads(lines: pl.DataFrame) -> pl.DataFrame:
    """The words with which the first paragraphs of a page begin: `page`, `lead`."""
    first = lines.filter(pl.col("prose") & (pl.col("prose_before") < LEAD))
    return (
        first.group_by("page", maintain_order=True)
        .agg(lead=pl.col("text").str.head(LEAD_LENGTH).str.join(" "))
        .select("page", lead=_folded(pl.col("lead")).str.split(" "))
    )


def _folded(text: pl.Expr) -> pl.Expr:
    """In lower case, without accents, with one letter for those that slugs spell with two, and blanks for marks."""
    return text.str.to_lowercase().str.replace_many(_FOLDED)


def _words(text: pl.Expr) -> pl.Expr:
    return _folded(text).str.split(" ").list.set_difference(pl.lit([""]))


def _alone(best: pl.DataFrame, titles: pl.DataFrame) -> pl.DataFrame:
    """Where a line holds another title of its page whole, with a path before it or a name behind, take that title."""
    longer = best.select("page", longer="line", whole="text", whole_weight="weight")
    tail = pl.col("whole").str.slice(pl.col("text").str.len_chars())
    held = (
        titles.join(longer, on="page", how="inner", maintain_order="left")
        .filter(pl.col("weight") < pl.col("whole_weight"), pl.col("text").str.count_matches(r"\s") >= 2)
        .filter(
            (pl.col("whole").str.ends_with(pl.col("text")) & (5 * pl.col("weight") >= 2 * pl.col("whole_weight")))
            | (pl.col("whole").str.starts_with(pl.col("text")) & tail.str.contains(r"^\s+[|–—»>(-]"))
        )
        .sort("page", "weight", "line", descending=[False, True, False])
        .unique("page", keep="first", maintain_order=True)
        .select("page", "longer", shorter="line")
    )
    return best.join(held, on="page", how="left", maintain_order="left").with_columns(
        line=pl.coalesce("shorter", "line")
    )


def letters(text: pl.Expr) -> pl.Expr:
    """The letters and digits of a text, folded, without what stands between."""
    return _folded(text).str.replace_all(" ", "", literal=True)
