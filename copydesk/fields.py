"""Spans to articles: one row a page, every field from spans of its role."""

from __future__ import annotations

import datetime as dt
import difflib
from typing import Any

import polars as pl

from copydesk.bylines import same_person
from copydesk.dates import instant
from copydesk.datewords import words
from copydesk.dissect import AUTHOR, CAPTION
from copydesk.language import detect_language
from copydesk.lines import single_spaced
from copydesk.roles import BODY_ROLES

ARTICLE: dict[str, Any] = {
    "doc_id": pl.String, "url": pl.String, "publisher": pl.String, "language": pl.String,
    "headline": pl.String, "kicker": pl.String, "standfirst": pl.String,
    "authors": pl.List(AUTHOR), "byline_raw": pl.List(pl.String),
    "published_on": pl.Date, "published_at": pl.Datetime("us", "UTC"), "published_precision": pl.String,
    "published_zone": pl.String, "published_zone_source": pl.String, "published_raw": pl.String,
    "modified_on": pl.Date, "modified_at": pl.Datetime("us", "UTC"), "modified_raw": pl.String,
    "dateline": pl.String, "captions": pl.List(CAPTION), "section": pl.String, "tags": pl.List(pl.String),
    "body": pl.String, "word_count": pl.Int32, "warnings": pl.List(pl.String),
    "content_hash": pl.String, "text_hash": pl.String, "body_hash": pl.String,
    "source": pl.String, "ruleset": pl.String,
}  # fmt: skip
"""The columns of the articles dataset, in order."""

WIDE_WORD = r"[\u3040-\u30ff\u3400-\u9fff]|[^\s\u3040-\u30ff\u3400-\u9fff]+"
CUT_OFF_WEIGHT = 60
ALIKE = 0.85
"""Likeness (difflib's ratio) from which two lone bylines of a page are one name spelt in two ways."""


def article_fields(
    pages: pl.DataFrame,
    spans: pl.DataFrame,
    lines: pl.DataFrame,
    dissections: pl.DataFrame,
    datelines: pl.DataFrame,
    publishers: pl.DataFrame,
    dates: pl.DataFrame,
) -> pl.DataFrame:
    """Build the fields of every page: `page` and the columns of ARTICLE except hashes, source and ruleset."""
    rows = pages.select("page", "doc_id", "url").join(publishers, on="page", how="left", maintain_order="left")
    rows = rows.join(datelines.select("page", "dateline"), on="page", how="left", maintain_order="left")
    for part in (
        _texts(spans),
        _tags(spans),
        _bylines(spans, lines, dissections, datelines),
        _captions(spans, lines, dissections),
        _body(spans),
    ):
        rows = rows.join(part, on="page", how="left", maintain_order="left")
    held = spans.filter(pl.col("rule") == "loss_guard")["page"].unique()
    rows = rows.with_columns(held=pl.col("page").is_in(held.implode()))
    rows = rows.with_columns(language=pl.Series(detect_language(rows["body"].fill_null("")), dtype=pl.String))
    rows = _dates(rows, spans, dates)
    return _warnings(rows).with_columns(tags=pl.col("tags").fill_null([]))


def _texts(spans: pl.DataFrame) -> pl.DataFrame:
    """The fields that are one span's text: the first of its role on the page."""

    def of(role: str) -> pl.Expr:
        return pl.col("text").filter(pl.col("role") == role)

    picked = spans.filter(pl.col("role").is_in(["headline", "kicker", "standfirst", "section"]))
    return (
        picked.group_by("page", maintain_order=True)
        .agg(
            headline=of("headline").first(),
            kicker=of("kicker").first().str.strip_chars("[]|｜:–—- "),
            standfirst=of("standfirst").str.join("\n\n"),
            section=of("section").first(),
        )
        .with_columns(standfirst=pl.when(pl.col("standfirst") != "").then("standfirst"))
    )


def _tags(spans: pl.DataFrame) -> pl.DataFrame:
    """The topics that stand in a list below a header for tags, or behind it on its line."""
    listed = spans.filter(pl.col("rule").str.starts_with("tags_")).select(
        "page",
        tag=pl.col("text").str.replace(r"^[•▪◦‣●■*–-]\s+", ""),
        header=~pl.col("text").str.contains(r"^[•▪◦‣●■*–-]\s"),
    )
    return listed.filter(~pl.col("header")).group_by("page", maintain_order=True).agg(tags="tag")


def _body(spans: pl.DataFrame) -> pl.DataFrame:
    kept = spans.filter(pl.col("role").is_in(BODY_ROLES)).select("page", "role", "text")
    uneven = kept["text"].str.contains(r"[\s--[ ]]|  ")
    evened = kept.filter(uneven).select(single_spaced(pl.col("text"))).to_series()
    normal = kept["text"].scatter(uneven.arg_true(), evened)
    body = kept.with_columns(normal=normal).group_by("page", maintain_order=True).agg(
        body=pl.col("text").str.join("\n\n"), normal=pl.col("normal").str.join(" "),
        last=pl.col("text").last(), last_role=pl.col("role").last()
    )  # fmt: skip
    ended = pl.col("last").str.contains(r"[.!?…。！？:)\]】」』”\"'’»*]\s*$|[♦■●◆]$")
    cut_off = (pl.col("last_role") == "body") & ~ended & (pl.col("last").str.len_chars() >= CUT_OFF_WEIGHT)
    return body.select("page", "body", "normal", cut_off=cut_off).with_columns(word_count=count_words(pl.col("normal")))


def count_words(text: pl.Expr) -> pl.Expr:
    """Words of a single-spaced text: runs without white space; a Chinese or Japanese character is a word."""
    runs = text.str.count_matches(" ", literal=True) + 1
    wide = text.str.len_bytes() * 2 > text.str.len_chars() * 3
    return pl.coalesce(pl.when(wide).then(text).str.count_matches(WIDE_WORD), runs).cast(pl.Int32)


def _bylines(
    spans: pl.DataFrame, lines: pl.DataFrame, dissections: pl.DataFrame, datelines: pl.DataFrame
) -> pl.DataFrame:
    """Authors from the page's first byline that names some; every byline as printed; how they disagree."""
    printed = (
        spans.filter(pl.col("role") == "byline")
        .select("page", "line", printed="text")
        .join(lines.select("line", "text_id"), on="line", how="left", maintain_order="left")
        .join(
            dissections.select("text_id", "authors", "truncated", "kind"),
            on="text_id",
            how="left",
            maintain_order="left",
        )
        .filter((pl.col("kind") != "cue").fill_null(True))
        .drop("text_id")
    )
    in_dateline = datelines.drop_nulls("byline_raw").select(
        "page",
        "line",
        printed="byline_raw",
        authors="authors",
        truncated=pl.lit(False),
        kind=pl.lit("byline"),
    )
    printed = (
        pl.concat([printed, in_dateline])
        .sort("line", maintain_order=True)
        .with_columns(names=pl.col("authors").list.len().fill_null(0))
    )
    named = printed.filter(pl.col("names") > 0)
    first = named.unique("page", keep="first", maintain_order=True)
    # bare names on lines of their own, one below the other, are authors together
    bare = named.filter(pl.col("kind") == "name")
    together = (
        bare.join(
            first.filter(pl.col("kind") == "name").select("page"),
            on="page",
            how="semi",
            maintain_order="left",
        )
        .explode("authors", empty_as_null=True)
        .unique(["page", "authors"], keep="first", maintain_order=True)
        .group_by("page", maintain_order=True)
        .agg("authors", truncated=pl.col("truncated").any())
    )
    cued = first.filter(pl.col("kind") != "name").select("page", "authors", "truncated")
    authors = pl.concat([cued, together])
    several = named.filter(pl.len().over("page") > 1).group_by("page", maintain_order=True).agg("authors")
    conflicts = [(page,) for page, lists in several.iter_rows() if _disagree(lists)]
    completed = [(page, _completed(lists)) for page, lists in several.iter_rows()]
    more = pl.DataFrame(completed, schema={"page": pl.UInt32, "completed": pl.List(AUTHOR)}, orient="row")
    authors = (
        authors.join(more, on="page", how="left", maintain_order="left")
        .with_columns(
            authors=pl.when(pl.col("completed").list.len() == pl.col("authors").list.len())
            .then("completed")
            .otherwise("authors")
        )
        .drop("completed")
    )
    raw = printed.group_by("page", maintain_order=True).agg(byline_raw="printed")
    conflict = pl.DataFrame(conflicts, schema={"page": pl.UInt32}, orient="row").with_columns(conflict=pl.lit(True))
    return raw.join(authors, on="page", how="left").join(conflict, on="page", how="left")


def _disagree(bylines: list[list[dict[str, str]]]) -> bool:
    """Whether a later byline spells a name of the first in another way."""
    first, *others = ([a["name"] for a in authors if a["kind"] == "person"] for authors in bylines)
    # one author at the top and one at the end, all but alike: one person, whichever letter is the wrong one
    if any(len(first) == len(later) == 1 and ALIKE <= _likeness(first[0], later[0]) < 1 for later in others):
        return True
    return any(
        same_person(a, b) == "variant" and b not in first and a not in later
        for later in others
        for b in later
        for a in first
    )


def _likeness(a: str, b: str) -> float:
    return difflib.SequenceMatcher(None, a.casefold(), b.casefold()).ratio()


def _completed(bylines: list[list[dict[str, str | None]]]) -> list[dict[str, str | None]]:
    """The first byline's authors, with the role, e-mail and affiliation that a later byline gives the same name."""
    first, *others = bylines
    known = {a["name"]: a for later in others for a in later}
    return [{k: v or known.get(a["name"], {}).get(k) for k, v in a.items()} for a in first]


def _captions(spans: pl.DataFrame, lines: pl.DataFrame, dissections: pl.DataFrame) -> pl.DataFrame:
    rows = (
        spans.filter(pl.col("role").is_in(["caption", "credit"]))
        .join(lines.select("line", "text_id", "in_pieces"), on="line", how="left", maintain_order="left")
        .join(dissections.select("text_id", "caption"), on="text_id", how="left", maintain_order="left")
        .with_columns(caption=pl.when("in_pieces").then("caption"))
        .unnest("caption", separator=".")
        .select(
            "page",
            "line",
            text=pl.when("in_pieces").then("caption.text").otherwise(pl.when(pl.col("role") == "caption").then("text")),
            credit=pl.when("in_pieces")
            .then("caption.credit")
            .otherwise(pl.when(pl.col("role") == "credit").then("text")),
        )
        .unique(["page", "line"], keep="first", maintain_order=True)
    )
    # a credit alone belongs to the caption beside it that has none: the one above, else the one below
    open_above = (
        (pl.col("credit").shift(1).is_null() & pl.col("text").shift(1).is_not_null()).over("page").fill_null(False)
    )
    open_below = (
        (pl.col("credit").shift(-1).is_null() & pl.col("text").shift(-1).is_not_null()).over("page").fill_null(False)
    )
    lone = pl.col("text").is_null()
    rows = rows.with_columns(goes_up=lone & open_above, goes_down=lone & ~open_above & open_below)
    rows = rows.with_columns(
        credit=pl.coalesce(
            "credit",
            pl.when(pl.col("goes_up").shift(-1).over("page")).then(pl.col("credit").shift(-1)),
            pl.when(pl.col("goes_down").shift(1).over("page")).then(pl.col("credit").shift(1)),
        )
    ).filter(~pl.col("goes_up") & ~pl.col("goes_down"))
    return (
        rows.select("page", caption=pl.struct("text", "credit"))
        .unique(["page", "caption"], keep="first", maintain_order=True)
        .group_by("page", maintain_order=True)
        .agg(captions="caption")
    )


def _dates(rows: pl.DataFrame, spans: pl.DataFrame, dates: pl.DataFrame) -> pl.DataFrame:
    """The page's dates, where the ledger has them as such."""
    stand = spans.lazy().filter(pl.col("role").is_in(["published", "modified"])).select("line", "role").collect()
    dates = dates.join(stand, on=["line", "role"], how="semi", maintain_order="left")
    # two times of one page are told by one clock: a zone printed behind one of them is the other's
    dates = dates.join(
        dates.select("page", "zone").drop_nulls().unique("page", keep="first", maintain_order=True),
        on="page", how="left", suffix="_of_page", maintain_order="left",
    )  # fmt: skip
    for name in ("published", "modified"):
        first = dates.filter(pl.col("field") == name).select(
            "page",
            pl.col("on").alias(f"{name}_on"),
            pl.col("other").alias(f"{name}_other"),
            pl.col("time").alias(f"{name}_time"),
            pl.col("precision").alias(f"{name}_precision"),
            pl.when(pl.col("time").is_not_null()).then(pl.coalesce("zone", "zone_of_page")).alias(f"{name}_stated"),
            pl.col("raw").alias(f"{name}_raw"),
            pl.col("warnings").alias(f"{name}_warnings"),
            pl.col("replaced").alias(f"{name}_replaced"),
            pl.col("address_day").alias(f"{name}_address_day"),
        )
        rows = rows.join(first, on="page", how="left", maintain_order="left")
        # an order that nothing on the page proves: as its language has it
        day_first = pl.col("language").is_in(list(words().day_first))
        rows = rows.with_columns(
            pl.when(day_first & pl.col(f"{name}_other").is_not_null())
            .then(f"{name}_other")
            .otherwise(f"{name}_on")
            .alias(f"{name}_on"),
            pl.when(pl.col(f"{name}_on").is_not_null()).then(f"{name}_precision").alias(f"{name}_precision"),
        )
        rows = rows.join(
            _instants(rows, name), on=[f"{name}_on", f"{name}_time", f"{name}_stated", "zone", "country", "language"],
            how="left", nulls_equal=True, maintain_order="left",
        )  # fmt: skip
    return rows.with_columns(address_differs=pl.col("published_on") != pl.col("published_address_day"))


def _instants(rows: pl.DataFrame, name: str) -> pl.DataFrame:
    """Instant, zone and its source for each distinct printed time."""
    keys = [f"{name}_on", f"{name}_time", f"{name}_stated", "zone", "country", "language"]
    distinct = rows.select(keys).unique(maintain_order=True).filter(pl.col(f"{name}_on").is_not_null())
    found = [(*key, *_instant(*key)) for key in distinct.iter_rows()]
    types = (pl.Date, pl.Time, pl.String, pl.String, pl.String, pl.String)
    schema: dict[str, Any] = dict(zip(keys, types, strict=True)) | {
        f"{name}_at": pl.Datetime("us", "UTC"), f"{name}_zone": pl.String, f"{name}_zone_source": pl.String,
    }  # fmt: skip
    return pl.DataFrame(found, schema=schema, orient="row")


def _instant(
    on: dt.date,
    time: dt.time | None,
    stated: str | None,
    zone: str | None,
    country: str | None,
    language: str | None,
) -> tuple[dt.datetime | None, str | None, str | None]:
    """`instant`; a stated zone that stays open (BST, CST) is still the zone as stated."""
    at, used, source = instant(on, time, zone=stated, publisher_zone=zone, country=country, language=language)
    return (at, used, source) if used or not stated or time is None else (None, stated, "stated")


def _warnings(rows: pl.DataFrame) -> pl.DataFrame:
    date_warnings = pl.concat_list(
        pl.col("published_warnings").fill_null([]), pl.col("modified_warnings").fill_null([])
    )
    found: dict[str, pl.Expr] = {
        "no_headline": pl.col("headline").is_null(),
        "no_byline": pl.col("authors").is_null() | (pl.col("authors").list.len() == 0),
        "byline_conflict": pl.col("conflict"),
        "byline_truncated": pl.col("truncated"),
        "no_date": pl.col("published_on").is_null(),
        "zone_unknown": (pl.col("published_time").is_not_null() & pl.col("published_at").is_null())
        | (pl.col("modified_time").is_not_null() & pl.col("modified_at").is_null()),
        "date_from_change": pl.col("published_replaced"),
        "date_conflict": pl.col("address_differs"),
        "modified_before_published": pl.col("modified_at") < pl.col("published_at"),
        "body_truncated": pl.col("cut_off"),
        "loss_guard": pl.col("held"),
    }
    own = pl.concat_list(
        pl.when(when.fill_null(False)).then(pl.lit(name)) for name, when in found.items()
    ).list.drop_nulls()
    return rows.with_columns(
        warnings=pl.concat_list(own, date_warnings).list.unique().list.sort(),
        authors=pl.col("authors").fill_null([]),
        byline_raw=pl.col("byline_raw").fill_null([]),
        captions=pl.col("captions").fill_null([]),
    )
