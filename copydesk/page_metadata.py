"""Which of the two a field takes where a page says of itself, in its HTML, what it prints as well, or does not print.

What is printed counts where both say the same; the article's `from_metadata` names the fields that were taken from
elsewhere. The choices rest on how often each was right on checked pages (`benchmarks/metadata.py`).
"""

from __future__ import annotations

import datetime as dt

import polars as pl

from copydesk.bylines import same_person
from copydesk.headline_cuts import TITLE_LEAST
from copydesk.headlines import letters

SOURCED = pl.List(pl.Struct({"field": pl.String, "source": pl.String}))
"""The type of `from_metadata`: fields that are not as printed, and where in the HTML they stand."""
_DATE = ("on", "time", "precision", "zone", "raw")


def choose_date(rows: pl.DataFrame, metadata: pl.DataFrame, name: str) -> pl.DataFrame:
    """Put the date that the metadata has for `name` (published, modified) in place of the one printed; adds
    `{name}_said`, its source.

    A printed day that is earlier by more than one stands: metadata is often written anew with the page. So does a
    printed time where the metadata has but the day, or no zone.
    """
    first = pl.col(name).list.first().struct
    values = {f"said_{f}": first.field(f) for f in _DATE}
    days = pl.concat_list(pl.col("published", "modified").list.eval(pl.element().struct.field("on")))
    said = metadata.select("page", source=first.field("source"), said_days=days, **values)
    rows = rows.join(said, on="page", how="left", maintain_order="left")
    on, time = pl.col(f"{name}_on"), pl.col(f"{name}_time")
    adds = pl.col("said_time").is_not_null() & (pl.col("said_zone").is_not_null() | time.is_null())
    later = on >= pl.col("said_on") - dt.timedelta(days=1)
    # a clock elsewhere shows the day before or after; and what is printed may be the day of the last change
    apart = pl.all_horizontal(~pl.col("said_days").list.contains(on.dt.offset_by(f"{n}d")) for n in (-1, 0, 1))
    wins = pl.col("said_on").is_not_null() & pl.when(on == pl.col("said_on")).then(adds).otherwise(on.is_null() | later)
    both = pl.col("said_on").is_not_null() & on.is_not_null()
    rows = rows.with_columns(wins=wins.fill_null(False), differs=(both & apart).fill_null(False))
    taken = {
        f"{name}_on": "said_on", f"{name}_time": "said_time", f"{name}_precision": "said_precision",
        f"{name}_stated": "said_zone", f"{name}_raw": "said_raw", f"{name}_said": "source",
    }  # fmt: skip
    rows = rows.with_columns(pl.lit(None, pl.String).alias(f"{name}_said"))
    return rows.with_columns(
        *(pl.when("wins").then(pl.col(theirs)).otherwise(pl.col(ours)).alias(ours) for ours, theirs in taken.items()),
        *(
            pl.when(~pl.col("wins")).then(pl.col(f"{name}_{c}")).alias(f"{name}_{c}")
            for c in ("other", "warnings", "replaced")
        ),
        pl.col("differs").alias(f"{name}_differs"),
    ).drop("wins", "differs", "source", "said_days", *(f"said_{f}" for f in _DATE))


def choose_texts(rows: pl.DataFrame, metadata: pl.DataFrame) -> pl.DataFrame:
    """Put headline, authors, section and tags of the metadata in place of those printed, or of none, where they are to
    be believed; adds `headline_said`, `authors_said`, `section_said`, `tags_said` and `authors_differ`."""
    text = pl.element().struct.field("text")
    fields = ("headline", "authors", "section", "tags", "language", "site_name")
    first = {f: pl.col(f).list.first().struct for f in fields}
    said = metadata.select(
        "page",
        "conflicts",
        titles=pl.concat_list("titles", "headline").list.eval(letters(text)),
        said_tags=pl.col("tags").list.eval(text),
        said_authors=first["authors"].field("authors"),
        **{f"said_{f}": first[f].field("text") for f in ("headline", "section", "language", "site_name")},
        **{f"{f}_said": first[f].field("source") for f in ("headline", "authors", "section", "tags")},
    )
    rows = rows.join(said, on="page", how="left", maintain_order="left").with_columns(
        pl.col("language").fill_null(pl.col("said_language")), pl.col("publisher").fill_null(pl.col("said_site_name"))
    )
    own = letters(pl.col("headline"))
    behind = pl.col("titles").list.join("\n", ignore_nulls=True).add("\n").str.contains(own + "\n", literal=True)
    printed = pl.col("titles").list.contains(own) | (behind & (own.str.len_chars() >= TITLE_LEAST))
    printed = printed.fill_null(False)
    ours, theirs = _persons("authors"), _persons("said_authors")
    none, others = pl.col("authors").list.len().fill_null(0) == 0, pl.col("said_authors").list.len() > 0
    # what is printed may name the agency as well
    people = _names("authors", "person") == _names("said_authors", "person")
    same = (_names("authors") == _names("said_authors")) | (ours & theirs & people)
    takes = {
        "headline": pl.col("said_headline").is_not_null() & ~printed,
        "authors": (theirs & ~same) | (others & ~ours & ~same) | (others & none),
        "section": pl.col("section").is_null() & pl.col("said_section").is_not_null(),
        "tags": (pl.col("tags").list.len().fill_null(0) == 0) & (pl.col("said_tags").list.len() > 0),
    }
    rows = rows.with_columns(authors_differ=(ours & theirs & ~same).fill_null(False))
    rows = rows.with_columns(authors_differ=_none_alike(rows))
    rows = rows.with_columns(take.fill_null(False).alias(f"takes_{field}") for field, take in takes.items())
    return rows.with_columns(
        *(pl.when(f"takes_{f}").then(f"said_{f}").otherwise(f).alias(f) for f in takes),
        *(pl.when(f"takes_{f}").then(f"{f}_said").alias(f"{f}_said") for f in takes),
    ).drop(f"takes_{f}" for f in takes)


def from_metadata(rows: pl.DataFrame) -> pl.Expr:
    """The column `from_metadata`, from the columns `*_said`."""
    fields = [column.removesuffix("_said") for column in rows.columns if column.endswith("_said")]
    named = [
        pl.when(pl.col(f"{f}_said").is_not_null()).then(pl.struct(field=pl.lit(f), source=pl.col(f"{f}_said")))
        for f in sorted(fields)
    ]
    return (pl.concat_list(named).list.drop_nulls() if named else pl.lit([], SOURCED)).cast(SOURCED)


def _none_alike(rows: pl.DataFrame) -> pl.Series:
    """Whether none of the persons that a page prints is one of those that it states."""
    person = pl.element().filter(pl.element().struct.field("kind") == "person")
    names = [
        pl.col(column).list.eval(person.struct.field("name")) for column in ("authors", "said_authors")
    ]
    return pl.Series(
        [
            differ and all(same_person(a, b) == "different" for a in printed for b in said)
            for differ, printed, said in rows.select("authors_differ", printed=names[0], said=names[1]).iter_rows()
        ],
        dtype=pl.Boolean,
    )


def _persons(column: str) -> pl.Expr:
    kinds = pl.col(column).list.eval(pl.element().struct.field("kind") == "person")
    return kinds.list.any().fill_null(False)


def _names(column: str, kind: str | None = None) -> pl.Expr:
    authors = pl.element() if kind is None else pl.element().filter(pl.element().struct.field("kind") == kind)
    return pl.col(column).list.eval(letters(authors.struct.field("name"))).list.sort().fill_null([])
