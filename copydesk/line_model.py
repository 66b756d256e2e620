"""The line model: a scorecard of whole numbers that settles the lines of which the rules are not sure.

Two steps, the same for every line. First each line gets a score from what it shows and where it stands
(`line_marks`): the sum of one whole number a mark, in thousandths of a logit. Then each gets a second score from the
same marks and from what the first scores say of its surroundings and its page (`page_marks`). The second score is the
line's chance to be the article's.

A page keeps the lines from that chance upwards that makes the most of the body F1 to be expected: on a page of clear
text half a chance is wanted, on a page of lists and fragments less. As to keep all is one of the choices, the model
never empties a page.

The weights are `data/line_model.json`, written by `training/train_line_model.py`.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import math
from pathlib import Path
from typing import Any, Final

import polars as pl

from copydesk.line_marks import CROSSES, LINE_COST, LINE_MARKS, PAGE_MARKS, VALUES, line_marks, page_marks
from copydesk.precedence import LINE_MODEL
from copydesk.windows import sum_of_page

WEIGHTS_FILE = Path(__file__).parent / "data" / "line_model.json"
LEAST_CHANCES: Final = (0, 50, 100, 150, 200, 250, 300, 350, 400, 450, 500, 550, 600)
"""The least chances, in thousandths, among which a page chooses."""
_STEP = 50
_FAR = 8000
CHANCE: Final = tuple(round(1000 / (1 + math.exp(-s / 1000))) for s in range(-_FAR, _FAR + 1, _STEP))
"""The chance in thousandths for each score, in steps of `_STEP` thousandths of a logit: a table, so that it is exact."""


class ModelError(ValueError):
    """A weights file that cannot be trusted; the message says what is wrong with it."""


@dataclasses.dataclass(frozen=True)
class LineModel:
    """The weights: for each step (`line`, `page`) and mark, one whole number a bucket, in thousandths of a logit."""

    about: dict[str, Any]
    start: dict[str, int]
    weights: dict[str, dict[str, tuple[int, ...]]]


def marks_of(step: str) -> dict[str, tuple[int, ...]]:
    """The marks of a step (`line` or `page`) with their edges."""
    return LINE_MARKS if step == "line" else LINE_MARKS | PAGE_MARKS


def mark_names(step: str) -> list[str]:
    """The marks and crosses of a step, as the weights file names them."""
    return [*marks_of(step), *(f"{a} x {b}" for a, b in CROSSES[step])]


def buckets(mark: str) -> list[str]:
    """The names of a mark's buckets: its values, or the lower edges of its numbers."""
    if " x " in mark:
        one, other = mark.split(" x ")
        return [f"{a}, {b}" for a in buckets(one) for b in buckets(other)]
    edges = marks_of("page")[mark]
    return (
        [f"from {e}" if n else f"below {edges[0]}" for n, e in enumerate((None, *edges))]
        if edges
        else list(VALUES[mark])
    )


def codes(marks: pl.DataFrame, step: str) -> dict[str, pl.Series]:
    """For each mark and cross of a step the number of the bucket in which each line is."""
    found = {
        name: pl.Series(edges, dtype=pl.Int64).search_sorted(marks[name], side="right")
        if edges
        else marks[name].cast(pl.UInt32)
        for name, edges in marks_of(step).items()
    }
    for one, other in CROSSES[step]:
        found[f"{one} x {other}"] = found[one] * len(buckets(other)) + found[other]
    return found


def score(model: LineModel, marks: pl.DataFrame, step: str) -> pl.Series:
    """The lines' scores of a step, in thousandths of a logit."""
    total = pl.Series("score", [model.start[step]], dtype=pl.Int64).new_from_index(0, len(marks))
    for name, code in codes(marks, step).items():
        total += pl.Series(model.weights[step][name], dtype=pl.Int64).gather(code)
    return total


def chance(scores: pl.Expr) -> pl.Expr:
    """Scores as chances in thousandths; 0 for null."""
    table = pl.lit(pl.Series(CHANCE, dtype=pl.Int64))
    return table.gather(((scores.clip(-_FAR, _FAR) + _FAR) // _STEP).cast(pl.UInt32)).fill_null(0)


def ask_model(lines: pl.DataFrame, model: LineModel | None = None) -> pl.DataFrame:
    """Ask the model about those lines of a batch for which `unsure` is true.

    `lines` is what `line_marks` wants and `unsure`. Returns a row a line: `model_keeps`, whether the line is the
    article's, and `model_chance`, the chance of that in thousandths; null where the model was not asked.
    """
    model = model or our_model()
    marks = line_marks(lines).with_columns(unsure=lines["unsure"])
    marks = page_marks(first_chances(marks, score(model, marks, "line")))
    return kept_lines(marks, score(model, marks, "page"))


def first_chances(marks: pl.DataFrame, scores: pl.Series) -> pl.DataFrame:
    """Add to the marks what `page_marks` wants, from the first scores: `line_score`, `chance`."""
    return marks.with_columns(line_score=pl.when("unsure").then(scores)).with_columns(
        chance=chance(pl.col("line_score"))
    )


def kept_lines(marks: pl.DataFrame, scores: pl.Series) -> pl.DataFrame:
    """The lines that, by their second scores, make the most of the body F1 that their page can expect.

    `marks` has `page`, `line`, `first`, `last`, `weight`, `unsure`. Returns `model_keeps` and `model_chance`.
    """
    lines = marks.select("page", "line", "first", "last", "unsure", size=pl.col("weight") + LINE_COST).with_columns(
        chance=chance(pl.when("unsure").then(scores))
    )
    mass = pl.col("size") * pl.col("chance")
    # of whole numbers until the one division, so that the page's choice is exact
    wanted = sum_of_page(mass)
    hoped = {}
    for least in LEAST_CHANCES:
        kept = pl.col("unsure") & (pl.col("chance") >= least)
        found, right = sum_of_page(kept * pl.col("size")), sum_of_page(kept * mass)
        hoped[str(least)] = right / (found * 1000 + wanted)
    lines = lines.with_columns(**hoped)
    best = pl.max_horizontal(*hoped)
    least = pl.coalesce(
        *(pl.when(pl.col(n) == best).then(pl.lit(int(n), pl.Int64)) for n in hoped), pl.lit(0, pl.Int64)
    )
    return lines.select(
        model_keeps=pl.when("unsure").then(pl.col("chance") >= least),
        model_chance=pl.when("unsure").then("chance"),
    )


def load_model(path: Path) -> LineModel:
    """Read a weights file; raises ModelError where it does not name exactly the marks and buckets that we make."""
    try:
        table = json.loads(path.read_bytes())
        about, steps = table["about"], {step: table[step] for step in ("line", "page")}
        if unknown := sorted(set(table) - {"about", "line", "page"}):
            raise ModelError(f"{path.name}: unknown key {unknown}")
        if about["name"] != LINE_MODEL:
            raise ModelError(f"{path.name}: holds {about['name']!r}, not {LINE_MODEL!r}")
        return LineModel(
            about,
            {step: _whole(path, "start", steps[step].pop("start")) for step in steps},
            {
                step: {mark: _row(path, mark, steps[step].pop(mark)) for mark in mark_names(step)}
                | _none_left(path, steps[step])
                for step in steps
            },
        )
    except (ValueError, KeyError, AttributeError) as error:
        raise (
            error if isinstance(error, ModelError) else ModelError(f"{path.name}: not a weights file: {error!r}")
        ) from None


def _row(path: Path, mark: str, row: dict[str, int]) -> tuple[int, ...]:
    if list(row) != buckets(mark):
        raise ModelError(
            f"{path.name}: {mark!r} has the buckets {list(row)[:20]}, not {buckets(mark)[:20]}: train anew"
        )
    return tuple(_whole(path, mark, w) for w in row.values())


def _whole(path: Path, mark: str, weight: object) -> int:
    if type(weight) is not int:
        raise ModelError(f"{path.name}: a weight of {mark!r} is {weight!r}, not a whole number")
    return weight


def _none_left(path: Path, rest: dict[str, Any]) -> dict[str, tuple[int, ...]]:
    if rest:
        raise ModelError(f"{path.name}: unknown marks {sorted(rest)}: train anew")
    return {}


@functools.cache
def our_model() -> LineModel:
    """The model that ships with copydesk, loaded once."""
    return load_model(WEIGHTS_FILE)
