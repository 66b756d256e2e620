"""The line model: whole numbers that settle the lines of which the rules are not sure.

Two steps, the same for every line. First each line gets a score from what it shows and where it stands
(`line_marks`, and on pages of text `line_words`): the sum of one whole number a mark, in thousandths of a logit. A page
on which even the best lines score low is raised as a whole: its template is strange, not all of its lines furniture.
Then each line gets a second score from the same marks and from what the first scores say of its surroundings and its
page (`page_marks`): the mean of such a sum, the scorecard, and of small trees over the marks. The second score is the
line's chance to be the article's.

A page keeps the lines from that chance upwards that makes the most of the body F1 to be expected: on a page of clear
text half a chance is wanted, on a page of lists and fragments less. As to keep all is one of the choices, the model
never empties a page.

The weights are `data/line_model.json` and, for HTML pages, `data/html_line_model.json`, both written by
`training/train_line_model.py`.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import math
from pathlib import Path
from typing import Any, Final

import polars as pl

from copydesk.html_marks import HTML_CROSSES, HTML_MARKS, HTML_PAGE_MARKS, HTML_VALUES, html_marks, html_page_marks
from copydesk.line_marks import (
    CROSSES,
    LINE_COST,
    LINE_MARKS,
    PAGE_MARKS,
    TEXT_CROSSES,
    VALUES,
    line_marks,
    page_marks,
)
from copydesk.line_trees import Tree, read_tree, sum_of_points
from copydesk.line_words import WORD_MARKS, Words, read_words, word_scores, words_of
from copydesk.precedence import LINE_MODELS, PRECEDENCE
from copydesk.roles import BODY_ROLES, FIELDS
from copydesk.windows import above, below

_MARKS: Final[dict[str, dict[str, tuple[int, ...]]]] = {
    "text": LINE_MARKS | WORD_MARKS, "html": LINE_MARKS | HTML_MARKS,
}  # fmt: skip
_PAGE_MARKS: Final = {"text": PAGE_MARKS, "html": PAGE_MARKS | HTML_PAGE_MARKS}
_VALUES: Final = VALUES | HTML_VALUES
_CROSSES: Final[dict[str, dict[str, tuple[tuple[str, str], ...]]]] = {
    "text": TEXT_CROSSES, "html": HTML_CROSSES,
}  # fmt: skip
LEAST_CHANCES: Final = (0, 50, 100, 150, 200, 250, 300, 350, 400, 450, 500)
"""The least chances, in thousandths, among which a page chooses."""
MASS_BUDGET = 40
"""Percent of the expected body that the model may cut for the sake of the rest: its loss guard."""
SURE_TO_ADD = 500
"""A line that the rules would cut is kept only from this chance upwards, in thousandths, however poor its page."""
SURE_TO_ADD_LABEL = 900
"""The same for a label that is no item of a list."""
SURE_TO_ADD_ABOVE = 900
"""The same for a label between the headline and the first paragraph: buttons and names of shows stand there."""
LIST = 3
"""Short lines in a row that make a list."""
SURE_TO_TAKE = 800
"""The same for a line that the rules would make a field of the article: its standfirst, a caption, its kicker."""
SURE_TO_CUT_FRAMED = 50
"""A sentence with a paragraph right above and below is cut only below this chance: such a one is rarely furniture."""
KEPT_ROWS: Final = [n for n, d in enumerate(PRECEDENCE) if d.role in BODY_ROLES]
FIELD_ROWS: Final = [n for n, d in enumerate(PRECEDENCE) if d.role in FIELDS and d.role not in BODY_ROLES]
"""The rows of the table that keep a line as the article's text, and those that make a field of it."""
SUPPOSED: Final = {
    "supposed": pl.col("soft").is_in(KEPT_ROWS),
    "field": pl.col("soft").is_in(FIELD_ROWS),
    "framed": (pl.col("ends") & ~pl.col("bullet") & above(pl.col("prose")) & below(pl.col("prose"))).fill_null(False),
    "high": pl.col("in_head"),
}
"""What the rules would do with a line, and where it stands: what the model must be sure of to do otherwise."""
BEST_WEIGHT = 400
"""The weight of the lines of highest score that are a page's best."""
BEST_SCORE = 2500
"""The first score, in thousandths of a logit, to which a page's best lines are raised; 500 to 2,500 serve alike."""
_STEP = 50
_FAR = 8000
CHANCE: Final = tuple(round(1000 / (1 + math.exp(-s / 1000))) for s in range(-_FAR, _FAR + 1, _STEP))
"""The chance in thousandths for each score, in steps of `_STEP`: a table, so that it is exact."""


class ModelError(ValueError):
    """A weights file that cannot be trusted; the message says what is wrong with it."""


@dataclasses.dataclass(frozen=True)
class LineModel:
    """The weights for one kind of page (`text`, `html`): for each step (`line`, `page`) and mark, one whole number a
    bucket, in thousandths of a logit; the trees of the second step; and the words, where the kind has marks of them.

    A line that the rules would keep is cut only below the chance `sure_to_cut` (thousandths), however clear its page.
    """

    kind: str
    about: dict[str, Any]
    sure_to_cut: int
    start: dict[str, int]
    weights: dict[str, dict[str, tuple[int, ...]]]
    trees: tuple[Tree, ...]
    words: Words | None

    def scores(self, found: pl.DataFrame, step: str) -> pl.Series:
        """The lines' scores of a step, in thousandths of a logit, from their buckets (`codes`)."""
        return found.select(score=self._sums[step]).to_series()

    def second_scores(self, found: pl.DataFrame, marks: pl.DataFrame) -> pl.Series:
        """The mean of the scorecard's scores of the second step, from the lines' buckets, and of the trees' points."""
        return (self.scores(found, "page") + marks.select(points=self._points).to_series()) // 2

    @functools.cached_property
    def _points(self) -> pl.Expr:
        return sum_of_points(self.trees)

    @functools.cached_property
    def _sums(self) -> dict[str, pl.Expr]:
        return {
            step: pl.sum_horizontal(
                pl.lit(pl.Series(row, dtype=pl.Int64)).gather(pl.col(name)) for name, row in rows.items()
            )
            + self.start[step]
            for step, rows in self.weights.items()
        }


def marks_of(kind: str, step: str) -> dict[str, tuple[int, ...]]:
    """The marks of a step (`line` or `page`) with their edges."""
    return _MARKS[kind] if step == "line" else _MARKS[kind] | _PAGE_MARKS[kind]


def numbered_marks(kind: str) -> list[str]:
    """The marks of the second step that are numbers: what trees may ask for."""
    return [mark for mark, edges in marks_of(kind, "page").items() if edges]


def crosses_of(kind: str, step: str) -> tuple[tuple[str, str], ...]:
    """The pairs of marks of a step that are weighed together."""
    return (*CROSSES[step], *_CROSSES[kind][step])


def mark_names(kind: str, step: str) -> list[str]:
    """The marks and crosses of a step, as the weights file names them."""
    return [*marks_of(kind, step), *(f"{a} x {b}" for a, b in crosses_of(kind, step))]


def buckets(mark: str) -> list[str]:
    """The names of a mark's buckets: its values, or the lower edges of its numbers."""
    if " x " in mark:
        one, other = mark.split(" x ")
        return [f"{a}, {b}" for a in buckets(one) for b in buckets(other)]
    edges = (marks_of("text", "page") | marks_of("html", "page"))[mark]
    return (
        [f"from {e}" if n else f"below {edges[0]}" for n, e in enumerate((None, *edges))]
        if edges
        else list(_VALUES[mark])
    )


def codes(marks: pl.DataFrame, kind: str, step: str, known: pl.DataFrame | None = None) -> pl.DataFrame:
    """For each mark and cross of a step (a column each) the number of the bucket in which each line is.

    `known` are those of the step before, which are not made again.
    """
    plain, crossed = _code_expressions(kind, step)
    made = set(known.columns) if known is not None else set()
    found = marks.select(code for name, code in plain.items() if name not in made)
    found = known.hstack(found) if known is not None else found
    return found.with_columns(code for name, code in crossed.items() if name not in made)


@functools.cache
def _code_expressions(kind: str, step: str) -> tuple[dict[str, pl.Expr], dict[str, pl.Expr]]:
    plain = {
        name: (
            pl.lit(pl.Series(edges, dtype=pl.Int32)).search_sorted(pl.col(name), side="right")
            if edges
            else pl.col(name).cast(pl.UInt32)
        ).alias(name)
        for name, edges in marks_of(kind, step).items()
    }
    crossed = {
        f"{one} x {other}": (pl.col(one) * len(buckets(other)) + pl.col(other)).alias(f"{one} x {other}")
        for one, other in crosses_of(kind, step)
    }
    return plain, crossed


def chance(scores: pl.Expr) -> pl.Expr:
    """Scores as chances in thousandths; 0 for null."""
    table = pl.lit(pl.Series(CHANCE, dtype=pl.Int64))
    return table.gather(((scores.clip(-_FAR, _FAR) + _FAR) // _STEP).cast(pl.UInt32)).fill_null(0)


def ask_model(lines: pl.DataFrame, model: LineModel | None = None) -> pl.DataFrame:
    """Ask the model about those lines of a batch for which `unsure` is true.

    `lines` is what `line_marks` wants and `unsure`. Returns a row a line: `model_keeps`, whether the line is the
    article's, and `model_chance`, the chance of that in thousandths; null where the model was not asked.
    """
    model = model or our_model(kind_of(lines))
    marks = all_marks(lines)
    if model.words:
        marks = marks.with_columns(word_score=word_score_of(lines, model.words))
    found = codes(marks.filter("unsure"), model.kind, "line")
    marks = second_marks(first_chances(marks, model.scores(found, "line")))
    asked = marks.filter("unsure")
    found = codes(asked, model.kind, "page", found)
    return kept_lines(marks, model.second_scores(found, asked), model.sure_to_cut)


def kind_of(lines: pl.DataFrame) -> str:
    """Whether lines are those of text or of HTML pages."""
    return "html" if "link_percent" in lines.columns else "text"


def all_marks(lines: pl.DataFrame) -> pl.DataFrame:
    """The marks of a line and its place, with what decides of it beside them."""
    marks = line_marks(lines).with_columns(lines.select("unsure", **SUPPOSED))
    return marks.hstack(html_marks(lines)) if kind_of(lines) == "html" else marks


def word_score_of(lines: pl.DataFrame, words: Words) -> pl.Series:
    """The word score of each line: of those that are open, the others get that of a line without known words."""
    texts = lines.select("text_id", "text", "unsure").filter("unsure").unique("text_id")
    found = word_scores(words_of(texts), words)
    found = lines.select("text_id").join(found, on="text_id", how="left", maintain_order="left")
    return found["word_score"].fill_null(words.start)


def first_chances(marks: pl.DataFrame, scores: pl.Series) -> pl.DataFrame:
    """Add to the marks what `page_marks` wants, from the first scores of the open lines.

    `top_score` is that of the page's best lines, `line_score` the line's own, raised where that of the best is low, and
    `chance` what that makes in thousandths.
    """
    asked = marks.select("page", "weight", "unsure").filter("unsure").with_columns(score=scores)
    asked = asked.sort("page", "score", descending=[False, True])
    enough = pl.col("weight").cum_sum() >= pl.min_horizontal(pl.lit(BEST_WEIGHT), pl.col("weight").sum())
    best = asked.group_by("page", maintain_order=True).agg(top_score=pl.col("score").filter(enough).first())
    top = marks.select("page").join(best, on="page", how="left", maintain_order="left")["top_score"]
    marks = marks.with_columns(top, line_score=_among_all(scores))
    marks = marks.with_columns(pl.col("line_score") + (BEST_SCORE - pl.col("top_score")).clip(lower_bound=0))
    return marks.with_columns(chance=chance(pl.col("line_score")))


def _among_all(scores: pl.Series) -> pl.Expr:
    """The scores of the open lines, in order, as a column of all lines; null where the model is not asked."""
    place = pl.col("unsure").cast(pl.UInt32).cum_sum() - 1
    return pl.lit(scores).gather(pl.when("unsure").then(place))


def second_marks(marks: pl.DataFrame) -> pl.DataFrame:
    """Add the marks that the lines' first scores make; `marks` is what `first_chances` left."""
    marks = page_marks(marks)
    return html_page_marks(marks) if "alike" in marks.columns else marks


def kept_lines(marks: pl.DataFrame, scores: pl.Series, sure_to_cut: int) -> pl.DataFrame:
    """The lines that, by the second scores of the open lines, make the most of the body F1 that their page can expect.

    `marks` has `page`, `weight`, `short_run`, `unsure` and the columns of SUPPOSED. Returns `model_keeps` and
    `model_chance`.
    """
    lines = marks.select("page", "unsure", *SUPPOSED, "short_run", size=pl.col("weight") + LINE_COST).with_columns(
        chance=chance(_among_all(scores))
    )
    # of whole numbers until the one division, so that the page's choice is exact
    size, mass = pl.col("size"), pl.col("size") * pl.col("chance")
    hoped = {}
    for n in LEAST_CHANCES:
        kept = pl.col("unsure") & (pl.col("chance") >= n)
        right = mass.filter(kept).sum()
        hoped[str(n)] = pl.when(right * 100 >= mass.sum() * (100 - MASS_BUDGET)).then(right).otherwise(0) / (
            size.filter(kept).sum() * 1000 + mass.sum()
        )
    choice = lines.group_by("page", maintain_order=True).agg(**hoped)
    best = pl.max_horizontal(*hoped)
    choice = choice.select(
        "page", least=pl.coalesce(*(pl.when(pl.col(n) == best).then(int(n)) for n in hoped), pl.lit(0))
    )
    lines = lines.join(choice, on="page", how="left", maintain_order="left")
    wanted = (
        pl.when(pl.col("supposed") & pl.col("framed"))
        .then(pl.min_horizontal("least", pl.lit(SURE_TO_CUT_FRAMED)))
        .when("supposed")
        .then(pl.min_horizontal("least", pl.lit(sure_to_cut)))
        .when("field")
        .then(pl.max_horizontal("least", pl.lit(SURE_TO_TAKE)))
        .when("high")
        .then(pl.max_horizontal("least", pl.lit(SURE_TO_ADD_ABOVE)))
        .when(pl.col("short_run") < LIST)
        .then(pl.max_horizontal("least", pl.lit(SURE_TO_ADD_LABEL)))
        .otherwise(pl.max_horizontal("least", pl.lit(SURE_TO_ADD)))
    )
    return lines.select(
        model_keeps=pl.when("unsure").then(pl.col("chance") >= wanted),
        model_chance=pl.when("unsure").then("chance"),
    )


def load_model(path: Path) -> LineModel:
    """Read a weights file; raises ModelError where it does not name exactly the marks and buckets that we make."""
    try:
        table = json.loads(path.read_bytes())
        about, steps = table["about"], {step: table[step] for step in ("line", "page")}
        kinds = {name: kind for kind, name in LINE_MODELS.items()}
        if about["name"] not in kinds:
            raise ModelError(f"{path.name}: holds {about['name']!r}, none of {list(kinds)}")
        kind = kinds[about["name"]]
        weighs_words = _MARKS[kind].keys() >= WORD_MARKS.keys()
        known = {"about", "sure_to_cut", "line", "page", "trees", *(["words"] if weighs_words else [])}
        if unknown := sorted(set(table) - known):
            raise ModelError(f"{path.name}: unknown key {unknown}")
        numbered = frozenset(numbered_marks(kind))
        return LineModel(
            kind,
            about,
            _whole(path, "sure_to_cut", table["sure_to_cut"]),
            {step: _whole(path, "start", steps[step].pop("start")) for step in steps},
            {
                step: {mark: _row(path, mark, steps[step].pop(mark)) for mark in mark_names(kind, step)}
                | _none_left(path, steps[step])
                for step in steps
            },
            tuple(read_tree(tree, numbered) for tree in table["trees"]),
            read_words(table["words"]) if weighs_words else None,
        )
    except (ValueError, TypeError, KeyError, AttributeError) as error:
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


def weights_file(kind: str) -> Path:
    """Where the weights for a kind of page are."""
    return Path(__file__).parent / "data" / f"{LINE_MODELS[kind].removesuffix('_1')}.json"


@functools.cache
def our_model(kind: str = "text") -> LineModel:
    """The model that ships with copydesk for a kind of page, loaded once."""
    return load_model(weights_file(kind))
