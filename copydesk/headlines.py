"""Headlines: which line of a page is its headline, and which part of that line.

Every title-like line above or about the first paragraph is scored by the table SIGNS, and the best one of its page is
taken. A renderer may have glued a kicker, a path of sections or the outlet's name to it: those are cut off.
"""

from __future__ import annotations

import dataclasses
import re
import unicodedata
from urllib.parse import unquote

import polars as pl

from copydesk.marks import PROSE_WEIGHT, weight
from copydesk.publishers import host
from copydesk.said import folded
from copydesk.windows import above, below, lines_to_next

LATE_TITLE = 2
"""Paragraphs that may stand above a headline: a caption or two whose headline was lost at the top."""
LINKED = ("related", "most_read", "other")
"""What a headline may be on the pages that link to it, as site memory knows them. What recurs as something else is a
headline only where its page's address tells it."""
LEAD = 3
"""Paragraphs whose first words (`LEAD_LENGTH` characters of each) are looked for in titles."""
LEAD_LENGTH = 100
ADDRESSED = 3
"""Words of a headline in the page's address that show what the page is about."""
LABEL = 30
"""Weight from which a title is more than the name of a section or a kicker."""
FAR = 9
"""Lines from which on it makes no difference how far below a byline stands."""
SLUG_START = 20
"""Letters at the start of a slug that tell where in a line the headline begins."""
SLUG_WHOLE = 25
"""Letters of the shortest headline that is told by being the slug."""
KICKER_LEAST = 5
"""Letters of the shortest kicker that is cut off because the slug begins behind it: "The" is none."""

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
    Sign("who_below", 2.5, pl.col("to_who") <= 4, "A byline or a date stands within four lines below."),
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
    uncut = pl.col("cut_name").is_null()
    fits = pl.col("high") & ~pl.col("sentences") & uncut
    lost = ~pl.col("high") & (pl.col("weight") >= LABEL) & uncut
    best = (
        titles.filter(told | ((fits | lost) & (pl.col("known_role").is_null() | pl.col("known_role").is_in(LINKED))))
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
    caption = pl.col("twin") & pl.col("text").str.contains(r"[.!?。][)\"”’]?( \(.*\))?$")
    several = pl.col("sentence") & pl.col("text").str.contains(r"\pL{2}[.!?]\s+\W?\p{Lu}|[^?？]$")
    return (
        lines.select(*columns, high=high, twin=twin.fill_null(False), fits=title & early & (high | ~pl.col("ends")))
        .filter("fits")
        .with_columns(sentences=several)
        .filter(~pl.col("sentences") | (pl.col("weight") < PROSE_WEIGHT), ~caption)
    )


def _slugs(pages: pl.DataFrame) -> pl.DataFrame:
    """The words in the part of a page's address that has most of them: `page`, `slug`."""
    return _slug_parts(pages).select("page", slug=_words(pl.col("part")))


def _slug_parts(pages: pl.DataFrame) -> pl.DataFrame:
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


PARTS = re.compile(r"\s*[:：–—|｜/]\s*|\s-\s+")
"""What stands between a kicker and its headline where both are in one line."""
TITLE_LEAST = 20
"""Letters of the shortest title that is told by standing at the end of another one."""
MARKS = r"[|｜>›»]|\s[-–—:]\s|^[\[\"“”„»«]"
"""What stands in every line that is cut without a slug."""
PATH = r"^((?:[^>›»«]{2,40}\s[>›»]\s+)+)[^\s>›»«]+\s[^>›»«]{8,}$"
"""Sections with arrows between them, as a path to the page; French quotation marks are none."""
BARS = r"\s[|｜]\s|｜"
NAME_BEHIND = r"^\S.*\S(\s+[-–—:]\s+[^-–—:|]{2,40})$"
BRACKETS = r"^(\[[^\[\]]*\pL[^\[\]]*\]\s*)\S"
QUOTATION = r"^([\"“”„»«][^\"“”„»«]{3,60}[\"“”„»«])\p{Lu}.{11,}$"
"""A quotation with the next word right behind it: two lines of a heading, run together."""
NO_KICKER = r"^\p{Ll}{1,3}\s*$"
"""Small words, with which no kicker ends; a slug may leave them out ("Why the")."""
_NONE = pl.lit(None, pl.String)


def cut_headlines(
    lines: pl.DataFrame, pages: pl.DataFrame, publishers: pl.DataFrame, metadata: pl.DataFrame | None = None
) -> pl.DataFrame:
    """Where the headline begins and ends in its line, for the lines that hold more.

    `lines` have their `role`, `pages` have `page` and `url`, `publishers` is what `match_publishers` found, `metadata`
    what HTML pages say of themselves. Returns
    `line`, `start` and `stop` (characters of the line), `first_role` and `first_rule` of what stands before, and
    `last_role` and `last_rule` of what stands behind.
    """
    marks = MARKS if metadata is None else f"{MARKS}|{PARTS.pattern}"
    names = pl.concat_list(letters(pl.col("publisher")), letters(pl.col("masthead"))).list.drop_nulls()
    rows = (
        lines.filter(pl.col("role") == "headline")
        .select("page", "line", "text", start=pl.lit(0, pl.Int64), stop=_length(pl.col("text")))
        .join(_slug_parts(pages), on="page", how="left", maintain_order="left")
    )
    rows = (
        _slug_begins(rows)
        .filter(pl.col("text").str.contains(marks) | (pl.col("at") > 0))
        .join(pages.select("page", "url"), on="page", how="left", maintain_order="left")
        .join(publishers.select("page", "publisher", "masthead"), on="page", how="left", maintain_order="left")
        .with_columns(names=names, host=host(pl.col("url")))
        .with_columns(first_role=_NONE, first_rule=_NONE, last_role=_NONE, last_rule=_NONE)
    )
    if metadata is not None:
        rows = rows.join(metadata.select("page", titles=title_texts()), on="page", how="left", maintain_order="left")
        before = [_before_title(text, titles or []) for text, titles in rows.select("text", "titles").iter_rows()]
        rows = rows.with_columns(before=pl.Series(before, dtype=pl.Int64))
        rows = _cut_before(rows, "kicker_before_title", "kicker", pl.col("before"))
    rows = _cut_before(rows, "headline_path", "navigation", _length(_core().str.extract(PATH, 1)))
    rows = _cut_bars(rows)
    rows = rows.with_columns(behind=_core().str.extract(NAME_BEHIND, 1))
    rows = _cut_behind(rows, pl.when(_is_outlet(pl.col("behind"))).then(_length(pl.col("behind"))))
    rows = _cut_before(rows, "kicker_in_brackets", "kicker", _length(_core().str.extract(BRACKETS, 1)))
    rows = _cut_before(rows, "kicker_quotation", "kicker", _length(_core().str.extract(QUOTATION, 1)))
    rows = _cut_before_slug(rows)
    return rows.filter((pl.col("start") > 0) | pl.col("last_role").is_not_null()).select(
        "line", pl.col("start", "stop").cast(pl.UInt32), "first_role", "first_rule", "last_role", "last_rule"
    )


def title_texts() -> pl.Expr:
    """The titles that a page's metadata gives, without what its site puts round them."""
    return pl.col("headline").list.eval(pl.element().struct.field("text"))


def _before_title(line: str, titles: list[str]) -> int:
    """How many characters of a headline's line stand before what its page gives as its title elsewhere, alone or
    behind another kicker.

    >>> _before_title("Ferries: Fares rise by a tenth in May", ["Fares rise by a tenth in May"])
    9
    """
    kicked = [title for title in titles if letters_of(title) != letters_of(line)]
    for mark in PARTS.finditer(line):
        rest = letters_of(line[mark.end() :])
        if len(rest) < TITLE_LEAST:
            break
        kicker = set(folded(line[: mark.start()]).split())
        if any(letters_of(title) == rest or _another_kicker(title, rest, kicker) for title in kicked):
            return mark.end()
    return 0


def _another_kicker(title: str, rest: str, kicker: set[str]) -> bool:
    """Whether a title has the same letters behind a kicker that shares no word with ours."""
    return any(
        letters_of(title[mark.end() :]) == rest and kicker.isdisjoint(folded(title[: mark.start()]).split())
        for mark in PARTS.finditer(title)
    )


def letters_of(text: str) -> str:
    """As `letters`, of one text."""
    return folded(text).replace(" ", "")


def _length(text: pl.Expr) -> pl.Expr:
    return text.str.len_chars().cast(pl.Int64)


def _core() -> pl.Expr:
    """What is left of the line as its headline."""
    return pl.col("text").str.slice(pl.col("start"), pl.col("stop") - pl.col("start"))


def letters(text: pl.Expr) -> pl.Expr:
    """The letters and digits of a text, folded, without what stands between."""
    return _folded(text).str.replace_all(" ", "", literal=True)


def _cut_before(rows: pl.DataFrame, rule: str, role: str, length: pl.Expr) -> pl.DataFrame:
    """Cut that many characters off the front of the headlines; null: none."""
    rows = rows.with_columns(length=pl.when(length > 0).then(length).fill_null(0))
    return rows.with_columns(
        start=pl.col("start") + pl.col("length"),
        first_role=pl.when(pl.col("length") > 0).then(pl.lit(role)).otherwise("first_role"),
        first_rule=pl.when(pl.col("length") > 0).then(pl.lit(rule)).otherwise("first_rule"),
    )


def _cut_behind(rows: pl.DataFrame, length: pl.Expr) -> pl.DataFrame:
    """Cut that many characters off the end, the outlet's name or else a section; null: none."""
    rows = rows.with_columns(length=pl.when(length > 0).then(length).fill_null(0))
    behind = pl.col("text").str.slice(pl.col("stop") - pl.col("length")).str.strip_chars(" |｜")
    section = (weight(behind) <= LABEL) & ~behind.str.contains(r"[|｜\pN]")
    role = (
        pl.when(_is_outlet(behind))
        .then(pl.lit("masthead"))
        .when(section)
        .then(pl.lit("section"))
        .otherwise(pl.lit("other"))
    )
    rows = rows.with_columns(cut_role=pl.when(pl.col("length") > 0).then(role))
    return rows.with_columns(
        stop=pl.col("stop") - pl.col("length"),
        last_role=pl.coalesce("cut_role", "last_role"),
        last_rule=pl.coalesce(pl.format("{}_behind_headline", "cut_role"), "last_rule"),
    )


def _cut_bars(rows: pl.DataFrame) -> pl.DataFrame:
    """Of several parts with bars between them, the heaviest is the headline."""
    parts = pl.when(_core().str.contains(BARS)).then(_core()).str.extract_all(r"[^|｜]*[|｜]?\s*")
    lengths = pl.col("parts").list.eval(pl.element().str.len_chars().cast(pl.Int64))
    rows = rows.with_columns(parts=parts).with_columns(lengths=lengths)
    heaviest = pl.col("lengths").list.arg_max()
    rows = rows.with_columns(
        before=pl.col("lengths").list.head(heaviest).list.sum(),
        behind=pl.col("lengths").list.slice(heaviest + 1).list.sum(),
    )
    # the bar goes with what is cut
    bar = _length(pl.col("parts").list.get(heaviest, null_on_oob=True).str.extract(r"(\s*[|｜]\s*)$", 1)).fill_null(0)
    rows = rows.with_columns(behind=pl.when(pl.col("behind") > 0).then(pl.col("behind") + bar))
    rows = _cut_behind(rows, pl.col("behind"))
    return _cut_before(rows, "kicker_before_bar", "kicker", pl.col("before"))


def _is_outlet(text: pl.Expr) -> pl.Expr:
    """Whether a text is the page's publisher, by its name or as the host of its address spells it."""
    own = letters(text)
    label = pl.col("host").str.extract(r"([^.]+)\.(?:(?:co|com|org|net|ac|gov)\.)?[a-z]+$", 1)
    in_host = (own.str.len_chars() >= 4) & letters(pl.col("host")).str.contains(own, literal=True)
    opens = (label.str.len_chars() >= 3) & own.str.starts_with(label)
    return (pl.col("names").list.contains(own) | (own == label) | in_host | opens).fill_null(False)


def _slug_begins(rows: pl.DataFrame) -> pl.DataFrame:
    """Where among the letters (bytes of them) of a line the slug begins: `at`; `slug` and `letters`, both folded."""
    rows = rows.with_columns(letters=letters(pl.col("text")), slug=letters(pl.col("part")))
    begins = pl.when(pl.col("slug").str.len_chars() >= SLUG_START).then(pl.col("slug").str.head(SLUG_START))
    return rows.with_columns(at=pl.col("letters").str.find(begins, literal=True))


def _cut_before_slug(rows: pl.DataFrame) -> pl.DataFrame:
    """Where the slug, word for word the headline, begins behind the first words of the line: those are a kicker.

    Between the two stands nothing, or a blank and no mark at all: what ends in a colon is part of the headline. Behind
    a blank the slug has to be the rest of the line, and the line no title with Capitals Throughout: many slugs are the
    last words of such a one.
    """
    words = (
        pl.col("text")
        .str.replace_all(r"(\s)(\S)", "$1\n$2")
        .str.replace_all(r"([\p{Ll}\"“”»«’'.?!)])(\p{Lu})", "$1\n$2")
        .str.split("\n")
    )
    length = letters(pl.col("word")).str.len_bytes()
    rest = pl.col("letters").cast(pl.Binary).bin.slice(pl.col("at")).cast(pl.String)
    whole = (rest.str.len_chars() >= SLUG_WHOLE) & (
        pl.col("slug").str.starts_with(rest)
        | ((pl.col("slug").str.len_chars() >= 2 * SLUG_START) & rest.str.starts_with(pl.col("slug")))
    )
    cuts = (
        rows.filter(pl.col("at") > 0, pl.col("first_role").is_null(), pl.col("last_role").is_null())
        .select("line", "at", "slug", "letters", "text", word=words)
        .explode("word", empty_as_null=True)
        .with_columns(through=length.cum_sum().over("line"), slug_cut=_length(pl.col("word")).cum_sum().over("line"))
        .filter((pl.col("through") == pl.col("at")) & (pl.col("at") >= KICKER_LEAST))
        .unique("line", keep="first", maintain_order=True)
        .filter(
            ~pl.col("word").str.contains(r"\s$")
            | (
                whole
                & pl.col("word").str.contains(r"[\pL\pN\"“”»«!?]\s+$")
                & ~pl.col("word").str.contains(NO_KICKER)
                & pl.col("text").str.contains(r"\s\p{Ll}{5}")
                & pl.col("text").str.slice(pl.col("slug_cut")).str.contains(r"^\W?[\p{Lu}\pN]")
            )
        )
        .select("line", "slug_cut")
    )
    rows = rows.join(cuts, on="line", how="left", maintain_order="left")
    return _cut_before(rows, "kicker_before_slug", "kicker", pl.col("slug_cut"))
