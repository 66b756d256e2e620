"""The contract of `articles`: one row a page that is an article."""

from __future__ import annotations

import pandera.polars as pa
import polars as pl

from schemas.contract import UNIQUE, Dataset, across, check, column, one_of

WARNINGS = {
    "ambiguous_date": "Day and month could be either way round: read as the language suggests, or left open.",
    "body_truncated": "The last paragraph stops in mid-sentence.",
    "byline_conflict": "Two bylines spell one name in two ways; the upper one counts.",
    "byline_truncated": "The byline is cut off.",
    "date_conflict": "The page's address names another day than the one printed, which counts.",
    "date_from_change": "The page prints no date but that of its last change: it stands for the publication as well.",
    "implausible_date": "The only date is after the page was fetched, or older than the outlet: it is not taken.",
    "loss_guard": "A rule would have cut more than its budget, and was held back.",
    "metadata_conflict": "What the page's HTML states of author or day differs from what it prints, or within itself.",
    "modified_before_published": "The last change is older than the publication.",
    "no_byline": "No byline was found.",
    "no_date": "No date of publication was found.",
    "no_headline": "No headline was found.",
    "relative_date": "A date such as '3 hours ago', read against the time of fetching.",
    "weekday_mismatch": "The weekday beside the date is not that day's.",
    "zone_unknown": "A time of day without a zone that is stated or known: no instant is given.",
}
"""The closed vocabulary of `warnings`, with what each says to a person."""

AUTHOR_KINDS = ("person", "agency", "staff")
PRECISIONS = ("day", "minute", "second")
ZONE_SOURCES = ("stated", "publisher", "country", "language", "metadata")

_AUTHOR = pl.Struct(
    {"name": pl.String, "kind": pl.String, "role": pl.String, "email": pl.String, "affiliation": pl.String}
)
_SOURCED = pl.Struct({"field": pl.String, "source": pl.String})
_CAPTION = pl.Struct({"text": pl.String, "credit": pl.String})
_INSTANT = pl.Datetime("us", "UTC")
_HASH = check("hash_is_32_hex_digits", lambda c: c.str.contains(r"^[0-9a-f]{32}$"))
_FILLED = check("text_is_not_blank", lambda c: c.str.contains(r"\S"))
_PLAUSIBLE = check("day_is_plausible", lambda c: c.dt.year().is_between(1600, 2100))


_INSTANT_KNOWN = across(
    "instant_has_day_and_zone", pl.col("published_on").is_not_null() & pl.col("published_zone").is_not_null()
)
_INSTANT_NEAR = across(
    "instant_is_near_its_day",
    (pl.col("published_at").dt.date() - pl.col("published_on")).dt.total_days().abs() <= 1,
)
_DAY_PRECISE = across("day_has_precision", pl.col("published_precision").is_not_null())


def _names_filled(authors: pl.Expr) -> pl.Expr:
    return authors.list.eval(
        pl.element().struct.field("name").str.contains(r"\S").fill_null(False)
    ).list.all()


def _kinds_known(authors: pl.Expr) -> pl.Expr:
    return authors.list.eval(
        pl.element().struct.field("kind").is_in(AUTHOR_KINDS).fill_null(False)
    ).list.all()


def _captions_filled(captions: pl.Expr) -> pl.Expr:
    some = pl.element().struct.field("text").is_not_null() | pl.element().struct.field("credit").is_not_null()
    return captions.list.eval(some).list.all()


def _warnings_known(warnings: pl.Expr) -> pl.Expr:
    return warnings.list.eval(pl.element().is_in(list(WARNINGS))).list.all()


ARTICLES = Dataset(
    "articles",
    "a page that is an article",
    pa.DataFrameSchema(
        {
            "doc_id": column(pl.String, "The caller's id, else the page's path or URI below the source; unique.", _FILLED, UNIQUE, nullable=False),
            "url": column(pl.String, "Where the page was fetched from, as the caller says."),
            "publisher": column(pl.String, "The outlet, as its profile names it, else the host of the URL."),
            "language": column(pl.String, "Language of the body, BCP 47.", check("language_is_bcp47", lambda c: c.str.contains(r"^[a-z]{2,3}(-[A-Za-z0-9]+)*$"))),
            "headline": column(pl.String, "The headline, without its kicker.", _FILLED, check("headline_is_short", lambda c: c.str.len_chars() <= 600)),
            "kicker": column(pl.String, "The words above or before the headline ('News Focus')."),
            "standfirst": column(pl.String, "The summary between headline and text.", _FILLED),
            "authors": column(pl.List(_AUTHOR), "Who wrote it, in byline order, as spelt: name, kind (person, agency, staff), role, email, affiliation.", check("author_has_name", _names_filled), check("author_kind_is_known", _kinds_known, {"kind": AUTHOR_KINDS}), nullable=False),
            "byline_raw": column(pl.List(pl.String), "Each byline as printed.", nullable=False),
            "published_on": column(pl.Date, "Day of publication as printed.", _PLAUSIBLE, _DAY_PRECISE),
            "published_at": column(_INSTANT, "Instant of publication, in UTC; only where day, time and zone are known.", _INSTANT_KNOWN, _INSTANT_NEAR),
            "published_precision": column(pl.String, "How exactly it is known: day, minute, second.", one_of("precision_is_known", PRECISIONS)),
            "published_zone": column(pl.String, "The zone as stated ('KST'), or as inferred ('Asia/Seoul')."),
            "published_zone_source": column(pl.String, "How the zone is known: stated, publisher, country, language, metadata.", one_of("zone_source_is_known", ZONE_SOURCES)),
            "published_raw": column(pl.String, "The date of publication as printed."),
            "modified_on": column(pl.Date, "Day of the last change as printed.", _PLAUSIBLE),
            "modified_at": column(_INSTANT, "Instant of the last change, in UTC; as published_at."),
            "modified_raw": column(pl.String, "The date of the last change as printed."),
            "dateline": column(pl.String, "'SEOUL, Aug. 3 (Yonhap)', cut from the first paragraph."),
            "captions": column(pl.List(_CAPTION), "Picture captions, once each: text, credit.", check("caption_is_not_blank", _captions_filled), nullable=False),
            "section": column(pl.String, "The section, where the page says."),
            "tags": column(pl.List(pl.String), "Topics, where the page says.", nullable=False),
            "body": column(pl.String, "Paragraphs, sub-headings and list items, a blank line between them.", _FILLED, nullable=False),
            "word_count": column(pl.Int32, "Words of the body; a Chinese or Japanese character is a word.", check("words_are_counted", lambda c: c > 0), nullable=False),
            "from_metadata": column(pl.List(_SOURCED), "Fields that the page does not print so, but its HTML states: field, source (json-ld, opengraph, meta, microdata, time, link, title, heading).", nullable=False),
            "warnings": column(pl.List(pl.String), "What a reader should know, sorted: a closed vocabulary.", check("warning_is_known", _warnings_known, {"": WARNINGS}), nullable=False),
            "content_hash": column(pl.String, "Of the page's bytes as read: first 32 hex digits of sha256, as for all hashes.", _HASH, nullable=False),
            "text_hash": column(pl.String, "Of the page's characters without white space.", _HASH, nullable=False),
            "body_hash": column(pl.String, "Of the body, each run of white space as one blank.", _HASH, nullable=False),
            "source": column(pl.String, "The file or record it came from, relative to the source.", nullable=False),
            "ruleset": column(pl.String, "Version of what made the row: the rules, the line model, and what profiles and site memory say of its site.", nullable=False),
        },
        strict=True,
        ordered=True,
        name="articles",
    ),
)  # fmt: skip
