"""The marks that the line model weighs on HTML pages, beside those of text: what the markup says of a line."""

from __future__ import annotations

from typing import Final

import polars as pl

from copydesk.markup import INSIDE, NAMED, TAGS
from copydesk.windows import above, below, sum_of_page

_SHARE = (1, 5, 15, 30, 50, 70, 85, 95)
_YES_NO = (1,)
_KINDS: Final = tuple(f"in_{kind}" for kind in (*INSIDE, *NAMED, "hidden"))
_ELEMENTS: Final = ("element", "parent", "grandparent")
HTML_VALUES: Final[dict[str, tuple[str, ...]]] = {
    "tag": TAGS, "block_tag": TAGS, **{f"block_tag_1_{side}": ("outside", *TAGS) for side in ("above", "below")},
}  # fmt: skip
HTML_MARKS: Final[dict[str, tuple[int, ...]]] = {
    "tag": (), "block_tag": (), "block_tag_1_above": (), "block_tag_1_below": (),
    "link_percent": (1, 10, 30, 60, 90), "link_percent_1_above": (0, 1, 30, 90), "link_percent_1_below": (0, 1, 30, 90),
    **dict.fromkeys(_KINDS, _YES_NO),
    **{f"prose_in_{element}": _SHARE for element in _ELEMENTS},
    **{f"lines_in_{element}": (2, 3, 5, 9, 17, 40) for element in _ELEMENTS},
    "same_parent_above": _YES_NO, "same_parent_below": _YES_NO,
    "prose_in_parent_above": (0, *_SHARE), "prose_in_parent_below": (0, *_SHARE),
}  # fmt: skip
"""As in `line_marks.LINE_MARKS`: the lower edges of a number's buckets; none where the mark is a named value."""
HTML_CROSSES: Final = (
    ("weight", "block_tag"), ("prose_in_parent", "block_tag"), ("prose_in_parent", "link_percent"),
    ("prose_in_grandparent", "prose_in_parent"), ("decision", "prose_in_parent"), ("weight", "link_percent"),
    ("in_body_name", "prose_in_parent"), ("in_list", "prose_in_grandparent"), ("in_related_name", "prose_in_parent"),
)  # fmt: skip


def html_marks(lines: pl.DataFrame) -> pl.DataFrame:
    """The columns of HTML_MARKS, as whole numbers, for lines of HTML pages with the marks of `html.render`."""
    prose = (pl.col("weight") * pl.col("prose").cast(pl.Int64)).alias("prose_weight")
    lines = lines.with_columns(prose).with_columns(page_prose=pl.max_horizontal(sum_of_page(prose), 1))
    lines = lines.with_columns(
        *(
            (pl.col("prose_weight").sum().over("page", e) * 100 // pl.col("page_prose")).alias(f"prose_in_{e}")
            for e in _ELEMENTS
        ),
        *(pl.len().over("page", e).alias(f"lines_in_{e}") for e in _ELEMENTS),
    )
    for side, look in (("above", above), ("below", below)):
        lines = lines.with_columns(
            (look(pl.col("block_tag").cast(pl.Int64) + 1).fill_null(0)).alias(f"block_tag_1_{side}"),
            look(pl.col("link_percent").cast(pl.Int64)).fill_null(-1).alias(f"link_percent_1_{side}"),
            (look(pl.col("parent")) == pl.col("parent")).fill_null(False).alias(f"same_parent_{side}"),
            look(pl.col("prose_in_parent")).fill_null(-1).alias(f"prose_in_parent_{side}"),
        )
    return lines.select(pl.col(mark).cast(pl.Int64) for mark in HTML_MARKS)
