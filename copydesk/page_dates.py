"""Which of the dates printed on a page are its own: the day of publication, and of the last change.

A page shows the dates of other stories, of comments, of the day on which it was fetched. Every date that stands on a
line of its own or beside few words is scored by the table SIGNS, and the best one of its page is taken, if it is good
enough. The same choice gives the lines their roles and the article its fields.
"""

from __future__ import annotations

import dataclasses

import polars as pl

from copydesk.windows import above, below

LABELS_ALONE = 24
"""Characters of the longest line that is nothing but a label ("Published")."""


@dataclasses.dataclass(frozen=True)
class Sign:
    """What speaks for or against a date as the page's own: a Boolean column and its weight in the score."""

    name: str
    weight: float
    holds: pl.Expr
    why: str


def printed_dates(pages: pl.DataFrame, lines: pl.DataFrame, dissections: pl.DataFrame) -> pl.DataFrame:
    """Every date that could be the page's, one row each, with what the signs speak of.

    `lines` are those of `page_structure`; `pages` has `page` and `url`.
    """
    dated = dissections.select("text_id", "dates").filter(pl.col("dates").list.len() > 0)
    who = pl.col("kind").is_in(["byline", "cue", "name"]).fill_null(False)
    near = [above(who, n).fill_null(False) for n in (-2, -1, 1, 2)]
    rows = (
        lines.with_columns(who_near=pl.any_horizontal(near), alone=~above(pl.col("line_no") == pl.col("line_no") - 1).fill_null(False))
        .join(dated, on="text_id", maintain_order="left")
        .filter(~pl.col("headline"))
    )
    heads = lines.filter("headline").select("page", headline_line="line").unique("page", keep="first")
    rows = rows.join(heads, on="page", how="left", maintain_order="left").join(
        address_days(pages), on="page", how="left", maintain_order="left"
    )
    row = pl.int_range(pl.len(), dtype=pl.UInt32)
    rows = rows.with_columns(row=row, many=pl.col("dates").list.len()).explode("dates", empty_as_null=True).unnest("dates")
    rows = rows.with_columns(nth=pl.int_range(pl.len(), dtype=pl.UInt32).over("row"))
    below_headline = pl.col("line").cast(pl.Int64) - pl.col("headline_line").cast(pl.Int64)
    to_prose = pl.col("first_prose").cast(pl.Int64) - pl.col("line").cast(pl.Int64)
    crowd = (pl.len() - 1).over("page", "kind", "label")
    return rows.with_columns(
        below_headline=below_headline, to_prose=to_prose, crowd=crowd,
        newest=(pl.col("on") == pl.col("on").max().over("page")) & (pl.col("on").n_unique().over("page")>1),
        same=pl.len().over("page","on"),
    )


def address_days(pages: pl.DataFrame) -> pl.DataFrame:
    """The day that a page's address names: `page`, `address_day`."""
    year, month, day = r"((?:19|20)\d\d)", r"(0[1-9]|1[0-2])", r"(0[1-9]|[12]\d|3[01])"
    patterns = (rf"/{year}[/-]{month}[/-]{day}(?:[/_-]|$)", rf"[/_-](?:[A-Za-z]{{2,5}})?{year}{month}{day}(?:[/_.TA-Za-z-]|\d{{4,6}}(?:\D|$)|$)")
    url = pl.col("url").str.replace(r"[?#].*$", "")
    found = pl.coalesce(
        pl.concat_str(url.str.extract(p, 1), url.str.extract(p, 2), url.str.extract(p, 3), separator="-") for p in patterns
    )
    return pages.select("page", address_day=found.str.to_date("%Y-%m-%d", strict=False))
