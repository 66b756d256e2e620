"""Looking from a line to its neighbours and its page, over all lines of a batch at once.

The frames hold every line of every page, in order, with `line` (row number), `page`, and `first` and `last` (the row
numbers of the page's first and last line). Shifts, running sums and gathers over whole columns then do what
`.over("page")` would do by hashing every row anew. Sums are of whole numbers, so that no page's rounding depends on
the pages before it.
"""

from __future__ import annotations

import polars as pl


def above(value: pl.Expr, lines: int = 1) -> pl.Expr:
    """The value on the line that many lines above on the same page; null where there is none."""
    return pl.when(pl.col("page").shift(lines) == pl.col("page")).then(value.shift(lines))


def below(value: pl.Expr, lines: int = 1) -> pl.Expr:
    """The value on the line that many lines below on the same page; null where there is none."""
    return above(value, -lines)


def beside(values: pl.Series, lines: int) -> pl.Expr:
    """Of a frame that holds some of the lines: the value on the line that many lines below (above, if negative).

    `values` has one for every line of the batch; null where the page has no such line.
    """
    row = pl.col("line").cast(pl.Int64) + lines
    return pl.lit(values).gather(pl.when(row.is_between(pl.col("first"), pl.col("last"))).then(row))


def sum_before(value: pl.Expr) -> pl.Expr:
    """The sum over the page's lines above this one; `value` is whole numbers or Booleans without nulls."""
    through = value.cast(pl.Int64).cum_sum() - value.cast(pl.Int64)
    return through - through.gather(pl.col("first"))


def sum_after(value: pl.Expr) -> pl.Expr:
    """The sum over the page's lines below this one; `value` is whole numbers or Booleans without nulls."""
    through = value.cast(pl.Int64).cum_sum()
    return through.gather(pl.col("last")) - through


def sum_of_page(value: pl.Expr) -> pl.Expr:
    """The sum over all lines of the page."""
    through = value.cast(pl.Int64).cum_sum()
    return through.gather(pl.col("last")) - (through - value.cast(pl.Int64)).gather(pl.col("first"))


def first_line_where(true: pl.Expr) -> pl.Expr:
    """The row number of the page's first line where it is true; null where there is none."""
    line = pl.when(true).then(pl.col("line")).backward_fill().gather(pl.col("first"))
    return pl.when(line <= pl.col("last")).then(line)


def last_line_where(true: pl.Expr) -> pl.Expr:
    """The row number of the page's last line where it is true; null where there is none."""
    line = pl.when(true).then(pl.col("line")).forward_fill().gather(pl.col("last"))
    return pl.when(line >= pl.col("first")).then(line)


def lines_to_next(true: pl.Expr, most: int) -> pl.Expr:
    """How many lines below the page's next line stands where it is true; `most` where none is so near."""
    line = pl.when(true).then(pl.col("line")).shift(-1).backward_fill()
    near = (line <= pl.col("last")) & (line - pl.col("line") < most)
    return pl.when(near).then(line - pl.col("line")).otherwise(most)


def sum_above(value: pl.Expr, lines: int) -> pl.Expr:
    """The sum over that many lines above on the same page, without the line itself; whole numbers without nulls."""
    before = value.cast(pl.Int64).cum_sum() - value.cast(pl.Int64)
    row = pl.col("line").cast(pl.Int64)
    return before - before.gather(pl.max_horizontal(row - lines, pl.col("first").cast(pl.Int64)))


def sum_below(value: pl.Expr, lines: int) -> pl.Expr:
    """The sum over that many lines below on the same page, without the line itself; whole numbers without nulls."""
    through = value.cast(pl.Int64).cum_sum()
    row = pl.col("line").cast(pl.Int64)
    return through.gather(pl.min_horizontal(row + lines, pl.col("last").cast(pl.Int64))) - through


def best_stretch(lines: pl.DataFrame) -> tuple[pl.Series, pl.Series]:
    """For every line the first and last row number of its page's run of lines with the highest sum of `gain`.

    `gain` is whole numbers; of equal runs the one that ends first, and of these the shortest. A run has a line at
    least.
    """
    runs = lines.select("page", "line", "first", "last", "gain").with_columns(before=sum_before(pl.col("gain")))
    runs = runs.with_columns(low=pl.col("before").cum_min().over("page"))
    runs = runs.with_columns(from_line=pl.when(pl.col("before") == pl.col("low")).then("line").forward_fill())
    best = (
        runs.with_columns(sum=pl.col("before") + pl.col("gain") - pl.col("low"))
        .group_by("page", maintain_order=True)
        .agg(row=pl.col("line").get(pl.col("sum").arg_max()), start=pl.col("from_line").get(pl.col("sum").arg_max()))
    )
    found = runs.select("page").join(best, on="page", how="left", maintain_order="left")
    return found["start"].cast(pl.Int64), found["row"].cast(pl.Int64)
