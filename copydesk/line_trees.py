"""Small decision trees over the line model's marks: what marks mean together, which no sum of single marks can say.

A tree is a number of points, in thousandths of a logit, or a question `[mark, edge, below, other]`: lines whose mark is
below the edge get the points of the tree `below`, all others those of `other`. Marks and points are whole numbers, so
that their sums are exact.
"""

from __future__ import annotations

from collections.abc import Container
from typing import Any, TypeAlias

import polars as pl

Tree: TypeAlias = "int | tuple[str, int, Tree, Tree]"


def read_tree(found: Any, marks: Container[str]) -> Tree:
    """A tree as JSON has it, checked; raises ValueError where it asks for no mark of ours or holds no whole number."""
    if type(found) is int:
        return found
    match found:
        case [str(mark), int(edge), below, other] if mark in marks and type(edge) is int:
            return mark, edge, read_tree(below, marks), read_tree(other, marks)
    raise ValueError(f"{str(found)[:80]} is no tree of [mark, edge, below, other]")


def points_of(tree: Tree) -> pl.Expr:
    """The points that each line has from a tree."""
    if isinstance(tree, int):
        return pl.lit(tree, dtype=pl.Int32)
    mark, edge, below, other = tree
    return pl.when(pl.col(mark) < edge).then(points_of(below)).otherwise(points_of(other))


def sum_of_points(trees: tuple[Tree, ...]) -> pl.Expr:
    """The points that each line has from all trees together."""
    return pl.sum_horizontal(points_of(tree) for tree in trees)
