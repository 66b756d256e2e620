"""The marks that the line model weighs on HTML pages, beside those of text: what the markup says of a line, and where
it stands in the page's tree beside the bulk of the article."""

from __future__ import annotations

from typing import Final

import polars as pl

from copydesk.markup import INSIDE, NAMED, TAGS
from copydesk.windows import above, below, first_line_where, last_line_where, sum_of_page

_SHARE = (1, 5, 15, 30, 50, 70, 85, 95)
_LINKS = (1, 5, 10, 20, 40, 60, 80)
_LINES = (2, 3, 5, 9, 17, 40)
_LEVELS = (1, 2, 3, 4, 5, 6, 8, 10)
_HELD = (1, 10, 25, 40, 55, 70, 80, 90, 96, 99)
_AWAY = (-30, -10, -3, 0, 1, 3, 10, 30)
_PURITY = (2, 5, 10, 20, 35, 50, 65, 80, 90, 97)
_MASS = (1, 3, 10, 25, 50, 75, 90, 97)
_YES_NO = (1,)
NEAR = 2
"""Steps up from the bulk of the article within which its start and end are looked for."""
_KINDS: Final = tuple(f"in_{kind}" for kind in (*INSIDE, *NAMED, "hidden"))
_ELEMENTS: Final = ("element", "parent", "grandparent")
_GROUPS: Final = (*_ELEMENTS, "alike")
"""What a line shares with others of its page: an element, or the tag and class of its element and of the one above."""
PLACES: Final = (*_GROUPS, "low")
"""Columns that are no marks, but of which the second step makes some."""


def _in_tree(of: str) -> dict[str, tuple[int, ...]]:
    """The marks of `_tree_marks`: steps in the page's tree from the bulk of the article up to the element that also
    holds the line, and down to it; how much of that bulk is nearer than the line; lines from its start and end."""
    return {
        f"up_from_{of}": _LEVELS, f"down_from_{of}": _LEVELS,
        f"up_from_{of}_above": (0, *_LEVELS), f"up_from_{of}_below": (0, *_LEVELS),
        f"held_nearer_{of}": _HELD, f"lines_from_{of}_start": _AWAY, f"lines_from_{of}_end": _AWAY,
    }  # fmt: skip


HTML_VALUES: Final[dict[str, tuple[str, ...]]] = {
    "tag": TAGS, "block_tag": TAGS, **{f"block_tag_1_{side}": ("outside", *TAGS) for side in ("above", "below")},
}  # fmt: skip
HTML_MARKS: Final[dict[str, tuple[int, ...]]] = {
    "tag": (), "block_tag": (), "block_tag_1_above": (), "block_tag_1_below": (),
    "link_percent": (1, 10, 30, 60, 90), "link_percent_1_above": (0, 1, 30, 90), "link_percent_1_below": (0, 1, 30, 90),
    **dict.fromkeys(_KINDS, _YES_NO), **{f"in_{kind}": (1, 2) for kind in ("article", "list", "heading")},
    **{f"prose_in_{group}": _SHARE for group in _GROUPS},
    **{f"lines_in_{group}": _LINES for group in _GROUPS},
    **{f"links_in_{group}": _LINKS for group in _GROUPS[1:]},
    "same_parent_above": _YES_NO, "same_parent_below": _YES_NO,
    "prose_in_parent_above": (0, *_SHARE), "prose_in_parent_below": (0, *_SHARE),
    "level": (5, 8, 11, 14, 18), "stated": (0, 1),
    **_in_tree("prose"),
}  # fmt: skip
"""As in `line_marks.LINE_MARKS`: the lower edges of a number's buckets; none where the mark is a named value."""
HTML_PAGE_MARKS: Final[dict[str, tuple[int, ...]]] = {
    **_in_tree("mass"),
    **{f"purity_of_{group}": _PURITY for group in _GROUPS},
    **{f"mass_of_{group}": _MASS for group in _GROUPS},
}
"""The same for marks that the lines' first scores make: how much of what lies in a line's element is the article's, and
how much of the article lies there."""
_LINE_CROSSES = (
    ("weight", "block_tag"), ("prose_in_parent", "block_tag"), ("prose_in_parent", "link_percent"),
    ("prose_in_grandparent", "prose_in_parent"), ("decision", "prose_in_parent"), ("weight", "link_percent"),
    ("in_body_name", "prose_in_parent"), ("in_list", "prose_in_grandparent"), ("in_related_name", "prose_in_parent"),
    ("held_nearer_prose", "lines_from_prose_end"), ("held_nearer_prose", "decision"), ("held_nearer_prose", "weight"),
    ("held_nearer_prose", "link_percent"), ("held_nearer_prose", "block_tag"),
    ("up_from_prose", "down_from_prose"), ("up_from_prose", "lines_from_prose_end"), ("up_from_prose", "decision"),
    ("up_from_prose", "weight"), ("up_from_prose", "block_tag"), ("up_from_prose", "link_percent"),
)  # fmt: skip
HTML_CROSSES: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "line": _LINE_CROSSES,
    "page": (
        *_LINE_CROSSES,
        ("held_nearer_mass", "line_score"), ("held_nearer_mass", "lines_from_mass_end"),
        ("held_nearer_mass", "block_tag"), ("held_nearer_mass", "purity_of_parent"),
        ("up_from_mass", "down_from_mass"), ("up_from_mass", "lines_from_mass_start"),
        ("up_from_mass", "lines_from_mass_end"), ("up_from_mass", "line_score"), ("up_from_mass", "block_tag"),
        ("purity_of_parent", "line_score"), ("purity_of_alike", "line_score"),
        ("mass_of_parent", "line_score"), ("mass_of_grandparent", "line_score"),
    ),
}  # fmt: skip
"""Pairs of marks that are weighed together on HTML pages, in each of the two steps."""


def html_marks(lines: pl.DataFrame) -> pl.DataFrame:
    """The columns of HTML_MARKS, as whole numbers, and of PLACES, for lines of HTML pages with the marks of
    `html.render`."""
    weight, prose = pl.col("weight"), pl.col("weight") * pl.col("prose").cast(pl.Int64)
    page = pl.col("page").cast(pl.UInt64) * (1 << 32)
    lines = lines.with_columns(
        *((page + pl.col(group).cast(pl.UInt64)).alias(group) for group in _GROUPS),
        prose_weight=prose,
        linked_weight=weight * pl.col("link_percent").cast(pl.Int64),
        page_prose=pl.max_horizontal(sum_of_page(prose), 1),
    )
    lines = lines.with_columns(
        *(
            (pl.col("prose_weight").sum().over(group) * 100 // pl.col("page_prose")).alias(f"prose_in_{group}")
            for group in _GROUPS
        ),
        *(pl.len().over(group).alias(f"lines_in_{group}") for group in _GROUPS),
        *(
            (pl.col("linked_weight").sum().over(group) // pl.max_horizontal(weight.sum().over(group), 1)).alias(
                f"links_in_{group}"
            )
            for group in _GROUPS[1:]
        ),
    )
    for side, look in (("above", above), ("below", below)):
        lines = lines.with_columns(
            (look(pl.col("block_tag").cast(pl.Int64) + 1).fill_null(0)).alias(f"block_tag_1_{side}"),
            look(pl.col("link_percent").cast(pl.Int64)).fill_null(-1).alias(f"link_percent_1_{side}"),
            (look(pl.col("parent")) == pl.col("parent")).fill_null(False).alias(f"same_parent_{side}"),
            look(pl.col("prose_in_parent")).fill_null(-1).alias(f"prose_in_parent_{side}"),
        )
    lines = _tree_marks(lines, pl.col("prose_weight"), "prose")
    return lines.select(*(pl.col(mark).cast(pl.Int64) for mark in HTML_MARKS), *PLACES)


def html_page_marks(lines: pl.DataFrame) -> pl.DataFrame:
    """Add the columns of HTML_PAGE_MARKS to the lines of `html_marks` with those of `line_marks.page_marks`."""
    mass = pl.col("mass")
    lines = lines.with_columns(
        *((mass.sum().over(g) * 100 // pl.col("size").sum().over(g)).alias(f"purity_of_{g}") for g in _GROUPS),
        *((mass.sum().over(g) * 100 // pl.max_horizontal("page_mass", 1)).alias(f"mass_of_{g}") for g in _GROUPS),
    )
    return _tree_marks(lines, pl.when(pl.col("chance") >= 500).then(mass).otherwise(0), "mass")


def _tree_marks(lines: pl.DataFrame, bulk: pl.Expr, of: str) -> pl.DataFrame:
    """Add the marks of `_in_tree`. `bulk` says how much of the article a line seems to be; it lies where the element
    is whose own lines have the most of it, and there stands `main`, the first of its heaviest lines.

    Of two lines the element that holds both is as deep as the lowest place between them (`low`), so that a running
    minimum from `main` onwards and back tells how far up each other line leaves its element.
    """
    lines = lines.with_columns(bulk=bulk).with_columns(parent_bulk=pl.col("bulk").sum().over("parent"))
    lines = lines.with_columns(
        densest=pl.col("parent_bulk") == pl.col("parent_bulk").max().over("page")
    ).with_columns(own_bulk=pl.when("densest").then("bulk"))
    main = first_line_where(pl.col("own_bulk") == pl.col("own_bulk").max().over("page"))
    lines = lines.with_columns(main=main)
    line, level, low = pl.col("line"), pl.col("level").cast(pl.Int64), pl.col("low").cast(pl.Int64)
    # later pages count lower forwards, and higher backwards: each begins anew
    page = pl.col("page").cast(pl.Int64) * (1 << 20)
    forwards = pl.when(line > pl.col("main")).then(low - page).cum_min() + page
    backwards = pl.when(line < pl.col("main")).then(low.shift(-1) + page).cum_min(reverse=True) - page
    shared = pl.when(line > pl.col("main")).then(forwards).when(line < pl.col("main")).then(backwards).otherwise(level)
    up = f"up_from_{of}"
    lines = lines.with_columns(shared=shared).with_columns(
        (level.gather(pl.col("main")) - pl.col("shared")).alias(up), (level - pl.col("shared")).alias(f"down_from_{of}")
    )
    rings = lines.group_by("page", up).agg(ring=pl.col("bulk").sum()).sort("page", up)
    nearer = pl.col("ring").cum_sum().over("page") - pl.col("ring")
    whole = pl.max_horizontal(pl.col("ring").sum().over("page"), 1)
    rings = rings.select("page", up, (nearer * 100 // whole).alias(f"held_nearer_{of}"))
    lines = lines.join(rings, on=["page", up], how="left", maintain_order="left")
    near = (pl.col(up) <= NEAR) & (pl.col("bulk") > 0)
    return lines.with_columns(
        (line.cast(pl.Int64) - first_line_where(near).cast(pl.Int64)).fill_null(-999).alias(f"lines_from_{of}_start"),
        (line.cast(pl.Int64) - last_line_where(near).cast(pl.Int64)).fill_null(-999).alias(f"lines_from_{of}_end"),
        above(pl.col(up)).fill_null(-1).alias(f"{up}_above"),
        below(pl.col(up)).fill_null(-1).alias(f"{up}_below"),
    ).drop("bulk", "parent_bulk", "densest", "own_bulk", "main", "shared")

