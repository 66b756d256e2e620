"""Which part of its line the headline is.

A renderer may have glued a kicker, a path of sections or the outlet's name to it: those are cut off.
"""

from __future__ import annotations

import re

import polars as pl

from copydesk.headlines import LABEL, letters, slug_parts
from copydesk.marks import weight
from copydesk.publishers import host
from copydesk.said import folded

SLUG_START = 20
"""Letters at the start of a slug that tell where in a line the headline begins."""
SLUG_WHOLE = 25
"""Letters of the shortest headline that is told by being the slug."""
KICKER_LEAST = 5
"""Letters of the shortest kicker that is cut off because the slug begins behind it: "The" is none."""
PARTS = re.compile(r"\s*[:：–—|｜/]\s*|\s-\s+")
"""What stands between a kicker and its headline where both are in one line."""
TITLE_LEAST = 20
"""Letters of the shortest title that is told by standing at the end of another one."""
MARKS = r"^[:：–—]\s|[|｜>›»]|\s[-–—:]\s|^[\[\"“”„»«]"
"""What stands in every line that is cut without a slug."""
PATH = r"^((?:[^>›»«]{2,40}\s[>›»]\s+)+)[^\s>›»«]+\s[^>›»«]{8,}$"
"""Sections with arrows between them, as a path to the page; French quotation marks are none."""
MARK_BEFORE = r"^([:：–—]\s+)\S"
"""What a renderer left of the line with the kicker above."""
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
        .join(slug_parts(pages), on="page", how="left", maintain_order="left")
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
    rows = _cut_before(rows, "kicker_mark", "kicker", _length(_core().str.extract(MARK_BEFORE, 1)))
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

    Behind a blank the slug has to be the rest of the line, and the line no title with Capitals Throughout: many slugs
    are the last words of such a one.
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
        .unique("line", keep="last", maintain_order=True)
        .filter(
            ~pl.col("word").str.contains(r"\s$")
            | (
                whole
                & pl.col("word").str.contains(r"[\pL\pN\"“”»«!?:：–—-]\s+$")
                & ~pl.col("word").str.contains(NO_KICKER)
                & pl.col("text").str.contains(r"\s\p{Ll}{5}")
                & pl.col("text").str.slice(pl.col("slug_cut")).str.contains(r"^\W?[\p{Lu}\pN]")
            )
        )
        .select("line", "slug_cut")
    )
    rows = rows.join(cuts, on="line", how="left", maintain_order="left")
    return _cut_before(rows, "kicker_before_slug", "kicker", pl.col("slug_cut"))
