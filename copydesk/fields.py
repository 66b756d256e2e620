"""Spans to articles: one row a page, every field from spans of its role."""

from __future__ import annotations

import datetime as dt
import difflib
from typing import Any

import polars as pl

from copydesk.bylines import behind_cue, name_in_place, same_person
from copydesk.dates import instant
from copydesk.datewords import words
from copydesk.dissect import AUTHOR, CAPTION, author_row
from copydesk.language import LONGER, detect_language
from copydesk.lines import single_spaced
from copydesk.page_metadata import SOURCED, choose_date, choose_texts, from_metadata
from copydesk.roles import BODY_ROLES

ARTICLE: dict[str, Any] = {
    "doc_id": pl.String, "url": pl.String, "publisher": pl.String, "language": pl.String,
    "headline": pl.String, "kicker": pl.String, "standfirst": pl.String,
    "authors": pl.List(AUTHOR), "byline_raw": pl.List(pl.String),
    "published_on": pl.Date, "published_at": pl.Datetime("us", "UTC"), "published_precision": pl.String,
    "published_zone": pl.String, "published_zone_source": pl.String, "published_raw": pl.String,
    "modified_on": pl.Date, "modified_at": pl.Datetime("us", "UTC"), "modified_raw": pl.String,
    "dateline": pl.String, "captions": pl.List(CAPTION), "section": pl.String, "tags": pl.List(pl.String),
    "body": pl.String, "word_count": pl.Int32, "from_metadata": SOURCED, "warnings": pl.List(pl.String),
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
    closings: pl.DataFrame,
    publishers: pl.DataFrame,
    dates: pl.DataFrame,
    metadata: pl.DataFrame | None,
) -> pl.DataFrame:
    """Build the fields of every page: `page` and the columns of ARTICLE except hashes, source and ruleset.

    `metadata` is what the HTML of pages says of them (`page` and METADATA); None for text.
    """
    rows = pages.select("page", "doc_id", "url").join(publishers, on="page", how="left", maintain_order="left")
    rows = rows.join(datelines.select("page", "dateline"), on="page", how="left", maintain_order="left")
    for part in (
        _texts(spans),
        _tags(spans),
        _bylines(spans, lines, dissections, datelines, closings),
        _captions(spans, lines, dissections),
        _body(spans),
    ):
        rows = rows.join(part, on="page", how="left", maintain_order="left")
    held = spans.filter(pl.col("rule") == "loss_guard")["page"].unique()
    rows = rows.with_columns(held=pl.col("page").is_in(held.implode()))
    heads = rows["body"].fill_null("").str.head(LONGER)
    rows = rows.with_columns(language=pl.Series(detect_language(heads), dtype=pl.String))
    if metadata is not None:
        rows = choose_texts(rows, metadata)
    rows = _dates(rows, spans, dates, metadata)
    return _warnings(rows).with_columns(tags=pl.col("tags").fill_null([]), from_metadata=from_metadata(rows))


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
    spans: pl.DataFrame,
    lines: pl.DataFrame,
    dissections: pl.DataFrame,
    datelines: pl.DataFrame,
    closings: pl.DataFrame,
) -> pl.DataFrame:
    """Authors from the page's best byline that names some; every byline as printed; how they disagree.

    The best is the first where bylines stand, else the first elsewhere; lines that stand one below the other are one
    byline. What may be an account of the house ("Harbour D") yields to a full name, and the agency whose story number
    is printed comes on top.
    """
    printed = (
        spans.filter((pl.col("role") == "byline") & (pl.col("rule") != "byline_closing"))
        .select("page", "line", "rule", printed="text")
        .join(
            lines.select("line", "text_id", "byline_rank", "byline_block"), on="line", how="left", maintain_order="left"
        )
        .join(
            dissections.select("text_id", "authors", "truncated", "kind", "persons"),
            on="text_id",
            how="left",
            maintain_order="left",
        )
    )
    printed = _by_place(printed).filter((pl.col("kind") != "cue").fill_null(True)).drop("text_id")
    in_text = pl.concat([
        datelines.drop_nulls("byline_raw").select("page", "line", "authors", "byline_raw"),
        closings.select("page", "line", "authors", "byline_raw"),
    ]).select(
        "page", "line", printed="byline_raw", byline_rank=pl.lit(1, pl.UInt8), byline_block=pl.lit(None, pl.UInt32),
        authors="authors", truncated=pl.lit(False), kind=pl.lit("byline"), persons=pl.lit(True),
        rule=pl.lit("byline_closing"),
    )  # fmt: skip
    printed = pl.concat([printed, in_text.select(printed.columns)]).sort("line", maintain_order=True)
    named = printed.filter(pl.col("authors").list.len().fill_null(0) > 0).with_columns(
        rank=pl.col("byline_rank").fill_null(1),
        block=pl.col("byline_block").cast(pl.Int64).fill_null(-1),
        wire=pl.col("rule") == "agency_story_number",
        account=~pl.col("persons").fill_null(True)
        & pl.col("authors").list.eval(pl.element().struct.field("kind") == "person").list.any(),
    )
    best = named.sort("page", "wire", "rank", "account", maintain_order=True)
    with_best = pl.all_horizontal(pl.col(c) == pl.col(c).first().over("page") for c in ("rank", "block"))
    chosen = best.filter(with_best | pl.col("wire"))
    authors = (
        chosen.explode("authors", empty_as_null=True)
        .unique(["page", "authors"], keep="first", maintain_order=True)
        .group_by("page", maintain_order=True)
        .agg("authors", truncated=pl.col("truncated").any())
    )
    several = best.filter(pl.len().over("page") > 1).group_by("page", maintain_order=True).agg(others="authors")
    several = authors.select("page", "authors").join(several, on="page", maintain_order="left")
    told = [(page, _disagree([one, *more]), _completed([one, *more])) for page, one, more in several.iter_rows()]
    schema: dict[str, Any] = {"page": pl.UInt32, "conflict": pl.Boolean, "completed": pl.List(AUTHOR)}
    authors = (
        authors.join(pl.DataFrame(told, schema=schema, orient="row"), on="page", how="left", maintain_order="left")
        .with_columns(authors=pl.coalesce("completed", "authors"))
        .drop("completed")
    )
    raw = printed.group_by("page", maintain_order=True).agg(byline_raw="printed")
    return raw.join(authors, on="page", how="left")


def _by_place(printed: pl.DataFrame) -> pl.DataFrame:
    """Read what only its place makes a byline: what stands below a cue alone ("By"), and names that no parser read."""
    below_cue = (
        (pl.col("rule") == "byline_cue_and_name")
        & (pl.col("kind").shift(1) == "cue")
        & ~pl.col("kind").is_in(["byline", "cue", "date"]).fill_null(False)
    )
    unread = printed.with_columns(cue=pl.when(below_cue).then(pl.col("printed").shift(1))).filter(
        pl.col("cue").is_not_null() | (pl.col("kind").is_null() & (pl.col("rule") == "byline_bare_name"))
    )
    read = []
    for line, cue, text in unread.select("line", "cue", "printed").iter_rows():
        found = behind_cue(cue, text) if cue else name_in_place(text)
        if found:
            read.append((line, [author_row(a) for a in found.authors], found.truncated))
    schema: dict[str, Any] = {"line": pl.UInt32, "named": pl.List(AUTHOR), "cut_off": pl.Boolean}
    found_below = pl.DataFrame(read, schema=schema, orient="row")
    return (
        printed.join(found_below, on="line", how="left", maintain_order="left")
        .with_columns(authors=pl.coalesce("named", "authors"), truncated=pl.coalesce("cut_off", "truncated"))
        .drop("named", "cut_off")
    )


def _disagree(bylines: list[list[dict[str, str]]]) -> bool:
    """Whether a later byline spells a name of the first in another way."""
    first, *others = ([a["name"] for a in authors if a["kind"] == "person"] for authors in bylines)
    # one author at the top and one at the end, all but alike: one person, whichever letter is the wrong one
    if any(len(first) == len(later) == 1 and _alike(first[0], later[0]) for later in others):
        return True
    return any(
        b not in first and a not in later and same_person(a, b) == "variant"
        for later in others
        for b in later
        for a in first
    )


def _alike(a: str, b: str) -> bool:
    """Whether two names are all but the same."""
    a, b = a.casefold(), b.casefold()
    match = difflib.SequenceMatcher(None, a, b)
    return a != b and match.real_quick_ratio() >= ALIKE and match.quick_ratio() >= ALIKE and match.ratio() >= ALIKE


def _completed(bylines: list[list[dict[str, str | None]]]) -> list[dict[str, str | None]]:
    """The first byline's authors, with the role, e-mail and affiliation that a later byline gives the same name."""
    first, *others = bylines
    known: dict[str | None, dict[str, str | None]] = {}
    for later in others:
        for author in later:
            told = known.setdefault(author["name"], author)
            known[author["name"]] = {k: v or author[k] for k, v in told.items()}
    kept: dict[str | None, dict[str, str | None]] = {}
    for author in first:
        kept.setdefault((author["name"] or "").casefold(), known.get(author["name"], author))
    return list(kept.values())


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


def _dates(
    rows: pl.DataFrame, spans: pl.DataFrame, dates: pl.DataFrame, metadata: pl.DataFrame | None
) -> pl.DataFrame:
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
        if metadata is not None:
            rows = choose_date(rows, metadata, name)
        rows = rows.join(
            _instants(rows, name), on=[f"{name}_on", f"{name}_time", f"{name}_stated", "zone", "country", "language"],
            how="left", nulls_equal=True, maintain_order="left",
        )  # fmt: skip
    if metadata is not None:
        of_metadata = pl.col("published_said").is_not_null() & (pl.col("published_zone_source") == "stated")
        source = pl.when(of_metadata).then(pl.lit("metadata")).otherwise("published_zone_source")
        unchanged = pl.col("modified_said").is_not_null() & (pl.col("modified_at") == pl.col("published_at"))
        change = [f"modified_{c}" for c in ("on", "at", "time", "raw", "said")]
        rows = rows.with_columns(
            source.alias("published_zone_source"),
            *(pl.when(~unchanged.fill_null(False)).then(c).alias(c) for c in change),
        )
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


def _metadata_conflict(rows: pl.DataFrame) -> pl.Expr:
    if "conflicts" not in rows.columns:
        return pl.lit(False)
    # a source that names others counts for nothing where the page prints the names that are believed
    authors = pl.col("conflicts").list.contains("authors") & pl.col("authors_said").is_not_null()
    stated = pl.col("conflicts").list.contains("published") | authors
    return stated.fill_null(False) | pl.col("authors_differ") | pl.col("published_differs")


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
        "metadata_conflict": _metadata_conflict(rows),
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
