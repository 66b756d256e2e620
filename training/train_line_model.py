#!/usr/bin/env python3
"""Train the line model on labelled pages, score it on sites that it has not seen, and write its weights.

usage: python -m training.train_line_model FOLDER[:WEIGHT] ... [--column text ...] [--write FILE] [--repeats N]

FOLDER     holds pages.parquet (`id`, `url` and text columns) and gold.parquet (`id`, `set`, `site`, `language`,
           `body`: a list of paragraphs); WEIGHT is how much its pages count (1)
--column   the text columns to train on (text and text_full): one model for all of them
--write    the weights file to write (copydesk/data/line_model.json)
--repeats  how many ways of parting the sites into folds are scored (1)

Cross-validation parts the pages by site. For each fold the words and both steps are trained without its sites; the word
scores and first scores of the training lines themselves come from an inner cross-validation, so that the next step sees
scores as good or bad as those of an unseen site. The chance below which a line is cut is chosen for each fold on the
other folds.
Needs scikit-learn and LightGBM (the extra `train`).
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import math
import re
from pathlib import Path
from typing import Any, NamedTuple

import lightgbm
import numpy as np
import polars as pl
import scipy.sparse
from sklearn.linear_model import LogisticRegression

from copydesk.line_model import (
    buckets,
    codes,
    first_chances,
    kept_lines,
    mark_names,
    numbered_marks,
    second_marks,
    weights_file,
    word_score_of,
)
from copydesk.line_trees import Tree, sum_of_points
from copydesk.line_words import Words, words_of
from copydesk.precedence import LINE_MODELS
from training.labelled_pages import FOLDS, Pages

STRENGTH = 0.1
"""The inverse of the penalty on the squared weights; 0.03 to 1 score the same."""
STRENGTH_OF_WORDS = 0.3
"""The same for words: of 0.01 to 1 the one with the least loss on unseen sites."""
LEAST_SITES = 5
"""Sites on which a word stands that has a weight; with 20 the loss on unseen sites is 2 % more."""
TREES = {
    "objective": "binary", "learning_rate": 0.08, "min_sum_hessian_in_leaf": 15, "lambda_l2": 20, "max_bin": 63,
    "feature_fraction": 0.3, "bagging_fraction": 0.7, "bagging_freq": 1,
    "seed": 0, "num_threads": 1, "deterministic": True, "force_row_wise": True, "verbosity": -1,
}  # fmt: skip
"""How LightGBM grows the trees of the second step."""
SHAPE = {
    "text": {"max_depth": 3, "num_leaves": 8, "num_iterations": 200},
    "html": {"max_depth": 4, "num_leaves": 15, "num_iterations": 150},
}
"""Deeper trees gain nothing on text, and each question costs time."""
LIKE = 0.0005
"""Mean F1 by which two choices may differ and be alike."""
SURE_TO_CUT = (150, 200, 250, 300, 400, 500)
"""The chances, in thousandths, among which `sure_to_cut` is chosen: on other sites than it is scored on."""


class WordStep:
    """The words under training: how often each open line shows each, over the root of all that it shows, as a sparse
    matrix."""

    def __init__(self, pages: Pages) -> None:
        self.lines = pages.lines.select("text_id", "text", "unsure")
        lines = pages.lines.select("page", "text_id", "text").filter(pages.unsure)
        found = words_of(lines.unique("text_id", maintain_order=True))
        sites = lines.join(pages.facts.select("page", "site"), on="page").select("text_id", "site").unique()
        on_sites = found.unique().join(sites, on="text_id").group_by("word").agg(sites=pl.col("site").n_unique())
        self.names = on_sites.filter(pl.col("sites") >= LEAST_SITES)["word"].sort()
        numbered = pl.DataFrame({"word": self.names}).with_row_index("column")
        shown = lines.select("text_id").with_row_index("row").join(found.join(numbered, on="word"), on="text_id")
        shown = shown.with_columns(share=1 / pl.len().over("row").sqrt())
        self.matrix = scipy.sparse.csr_matrix(
            (shown["share"].to_numpy(), (shown["row"].to_numpy(), shown["column"].to_numpy())),
            shape=(len(lines), len(self.names)),
        )

    def fit(self, label: np.ndarray[Any, Any], weight: np.ndarray[Any, Any], rows: np.ndarray[Any, Any]) -> Words:
        """Whole-number points of the words, in thousandths of a logit."""
        start, points = _regression(self.matrix[rows], label[rows], weight[rows], STRENGTH_OF_WORDS)
        return Words(start, pl.DataFrame({"word": self.names, "points": points}))

    def score(self, words: Words) -> np.ndarray[Any, Any]:
        """The word scores of all open lines."""
        return word_score_of(self.lines, words).filter(self.lines["unsure"]).to_numpy()


class Step:
    """One step of the model under training: which bucket each line is in, as a sparse matrix of ones."""

    def __init__(self, marks: pl.DataFrame, kind: str, step: str) -> None:
        self.names = mark_names(kind, step)
        found = codes(marks.filter("unsure"), kind, step)
        sizes = [len(buckets(n)) for n in self.names]
        self.starts = np.concatenate([[0], np.cumsum(sizes)])
        columns = np.stack(
            [found[n].to_numpy() + s for n, s in zip(self.names, self.starts[:-1], strict=True)], 1
        )
        n, k = columns.shape
        self.matrix = scipy.sparse.csr_matrix(
            (np.ones(n * k, np.float32), columns.ravel().astype(np.int32), np.arange(0, n * k + 1, k)),
            shape=(n, self.starts[-1]),
        )

    def fit(
        self, label: np.ndarray[Any, Any], weight: np.ndarray[Any, Any], rows: np.ndarray[Any, Any]
    ) -> tuple[int, np.ndarray[Any, Any]]:
        """Whole-number weights in thousandths of a logit: the start and one a bucket."""
        return _regression(self.matrix[rows], label[rows], weight[rows], STRENGTH)

    def score(self, fitted: tuple[int, np.ndarray[Any, Any]]) -> np.ndarray[Any, Any]:
        """The scores of all rows, in thousandths of a logit."""
        return self.matrix @ fitted[1] + fitted[0]


def _regression(
    matrix: scipy.sparse.csr_matrix, label: np.ndarray[Any, Any], weight: np.ndarray[Any, Any], strength: float
) -> tuple[int, np.ndarray[Any, Any]]:
    model = LogisticRegression(C=strength, max_iter=200, tol=1e-3)
    model.fit(matrix, label, sample_weight=weight)
    return round(1000 * model.intercept_[0]), np.round(1000 * model.coef_[0]).astype(np.int64)


def grow(pages: Pages, asked: pl.DataFrame, rows: np.ndarray[Any, Any]) -> tuple[Tree, ...]:
    """The trees of the second step, grown on some of the open lines; `asked` holds the marks of all of them."""
    names = numbered_marks(pages.kind)
    label, weight = pages.label[pages.rows], pages.weight[pages.rows]
    table = asked.select(pl.col(n).cast(pl.Float32) for n in names).to_numpy()
    data = lightgbm.Dataset(table[rows], label[rows].astype(float), weight=weight[rows])
    grown = lightgbm.train(TREES | SHAPE[pages.kind], data).dump_model()["tree_info"]
    return tuple(_tree(t["tree_structure"], names) for t in grown)


def _tree(node: dict[str, Any], names: list[str]) -> Tree:
    """A tree of LightGBM's with whole numbers: where it asks for 12.5 and less, ours asks for less than 13."""
    if "leaf_value" in node:
        return round(1000 * node["leaf_value"])
    below, other = _tree(node["left_child"], names), _tree(node["right_child"], names)
    return names[node["split_feature"]], math.floor(node["threshold"]) + 1, below, other


class Trained(NamedTuple):
    """The words (None: the kind has no marks of them), and both steps: for each its marks and its scorecard (start,
    weights), then the trees of the second."""

    words: Words | None
    first_names: list[str]
    first: Any
    names: list[str]
    second: Any
    trees: tuple[Tree, ...]


def train(
    pages: Pages, words: WordStep | None, used: np.ndarray[Any, Any], fold: np.ndarray[Any, Any], seen: int | None
) -> tuple[Trained, np.ndarray[Any, Any]]:
    """Words and both steps on the rows `used`; returns their weights and all rows' second scores.

    `fold` is the fold of each row; `seen` the one that is left out (None: none).
    """
    label, weight = pages.label[pages.rows], pages.weight[pages.rows]
    everything = np.flatnonzero(used)

    def apart(step: Any) -> tuple[Any, np.ndarray[Any, Any]]:
        """What a step learns, and all rows' scores: those of the rows that it learns from by folds."""
        learnt = step.fit(label, weight, everything)
        scores = step.score(learnt)
        for inner in range(FOLDS):
            if inner != seen:
                without = step.fit(label, weight, np.flatnonzero(used & (fold != inner)))
                scores = np.where(fold == inner, step.score(without), scores)
        return learnt, scores

    known, word_scores = apart(words) if words else (None, None)
    marks = with_words(pages, word_scores)
    first = Step(marks, pages.kind, "line")
    one, scores = apart(first)
    asked, second = second_step(pages.kind, marks, scores)
    two = second.fit(label, weight, everything)
    trees = grow(pages, asked, everything)
    return Trained(known, first.names, one, second.names, two, trees), second_scores(asked, second, two, trees)


def as_shipped(pages: Pages, words: WordStep | None, trained: Trained) -> np.ndarray[Any, Any]:
    """The second scores of all open lines as the written model gives them."""
    marks = with_words(pages, words.score(trained.words) if words and trained.words else None)
    asked, second = second_step(pages.kind, marks, Step(marks, pages.kind, "line").score(trained.first))
    return second_scores(asked, second, trained.second, trained.trees)


def with_words(pages: Pages, scores: np.ndarray[Any, Any] | None) -> pl.DataFrame:
    """The pages' marks with the word scores of the open lines, where there are such."""
    if scores is None:
        return pages.marks
    everywhere = np.zeros(len(pages.lines), np.int32)
    everywhere[pages.rows] = scores
    return pages.marks.with_columns(word_score=everywhere)


def second_step(kind: str, marks: pl.DataFrame, scores: np.ndarray[Any, Any]) -> tuple[pl.DataFrame, Step]:
    """The second marks of the open lines by their first scores, and the step that weighs them."""
    marks = second_marks(first_chances(marks, pl.Series(scores)))
    return marks.filter("unsure"), Step(marks, kind, "page")


def second_scores(asked: pl.DataFrame, second: Step, fitted: Any, trees: tuple[Tree, ...]) -> np.ndarray[Any, Any]:
    """The mean of the scorecard's and the trees', as the model takes it."""
    return (second.score(fitted) + asked.select(sum_of_points(trees)).to_series().to_numpy()) // 2


def keep(pages: Pages, scores: np.ndarray[Any, Any], sure_to_cut: int) -> np.ndarray[Any, Any]:
    """Whether the model keeps each line."""
    return (
        kept_lines(pages.marks, pl.Series(scores), sure_to_cut)["model_keeps"].fill_null(False).to_numpy()
        & pages.unsure
    )


def cross_validated(pages: Pages, words: WordStep | None, seed: int) -> np.ndarray[Any, Any]:
    """The second scores of all open lines, each from weights that have not seen its site."""
    fold = pages.folds(seed)[pages.rows]
    scores = np.zeros(len(pages.rows), np.int64)
    for left_out in range(FOLDS):
        _, second = train(pages, words, fold != left_out, fold, left_out)
        scores = np.where(fold == left_out, second, scores)
    return scores


def cautious(scores: np.ndarray[Any, Any]) -> int:
    """The first choice that is as good as the best: of two like ones the one that cuts less."""
    return int(np.argmax(scores >= scores.max() - LIKE))


def as_file(trained: Trained, about: dict[str, Any], sure_to_cut: int) -> str:
    """The weights as the text of their file: one mark, tree or word a line."""
    table: dict[str, Any] = {"about": about, "sure_to_cut": sure_to_cut}
    steps = (("line", trained.first_names, trained.first), ("page", trained.names, trained.second))
    for step, names, (start, weights) in steps:
        rows: dict[str, Any] = {"start": start}
        at = 0
        for name in names:
            size = len(buckets(name))
            rows[name] = dict(zip(buckets(name), (int(w) for w in weights[at : at + size]), strict=True))
            at += size
        table[step] = rows
    text = json.dumps(table, ensure_ascii=False, indent=1)
    text = re.sub(r"\{\n   ([^{}]*?)\n  \}", lambda m: "{" + re.sub(r",\n\s+", ", ", m[1]) + "}", text)
    trees = ",\n  ".join(json.dumps(tree) for tree in trained.trees)
    text = f'{text.rstrip()[:-1].rstrip()},\n "trees": [\n  {trees}\n ]'
    if trained.words:
        start, points = trained.words
        words = ",\n   ".join(f"{json.dumps(w, ensure_ascii=False)}: {p}" for w, p in points.iter_rows())
        text += f',\n "words": {{\n  "start": {start},\n  "points": {{\n   {words}\n  }}\n }}'
    return text + "\n}\n"


def main() -> None:
    """Train, score, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", help="FOLDER or FOLDER:WEIGHT")
    parser.add_argument("--column", nargs="+", default=["text", "text_full"])
    parser.add_argument("--write", type=Path, help="the weights file; by default the one that ships for such pages")
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--scores", type=Path, help="write the cross-validated score of each page here")
    a = parser.parse_args()
    folders = [(Path(f.rpartition(":")[0] or f), float(f.rpartition(":")[2]) if ":" in f else 1.0) for f in a.folders]
    pages = Pages(folders, a.column)
    print(
        f"{len(pages.facts)} pages, {len(pages.lines)} lines, {len(pages.rows)} of them open to the model", flush=True
    )
    by_rules = pages.f1(pages.kept_by_rules())
    print("rules alone", pages.table(by_rules, "all").rows(), flush=True)
    words = WordStep(pages) if "word_score" in mark_names(pages.kind, "line") else None
    runs, choices = [], []
    for seed in range(a.repeats):
        unseen_scores = cross_validated(pages, words, seed)
        if a.scores:
            np.save(a.scores.with_name(f"unseen_scores_{seed}.npy"), unseen_scores)
        by_choice = np.array([pages.f1(keep(pages, unseen_scores, c)) for c in SURE_TO_CUT])
        fold, count = pages.site_folds(seed), pages.facts["page_weight"].to_numpy()
        best = [cautious(by_choice[:, fold != f] @ count[fold != f] / count[fold != f].sum()) for f in range(FOLDS)]
        runs.append(np.choose(np.array(best)[fold], by_choice))
        choices.append(by_choice @ count / count.sum())
        print("sure_to_cut chosen for each fold", [SURE_TO_CUT[n] for n in best])
        print("cross-validated", pages.table(runs[-1], "all").rows(), flush=True)
    unseen = np.mean(runs, axis=0)
    fold = pages.folds(0)[pages.rows]
    trained, _ = train(pages, words, np.ones(len(pages.rows), bool), fold, None)
    sure_to_cut = SURE_TO_CUT[cautious(np.mean(choices, axis=0))]
    own = pages.f1(keep(pages, as_shipped(pages, words, trained), sure_to_cut))
    print("own score", pages.table(own, "all").rows(), flush=True)
    for by in ("set", "language"):
        print(by, "(pages, rules alone, cross-validated, own)")
        for row, rules, mine in zip(
            pages.table(unseen, by).rows(), pages.table(by_rules, by).rows(), pages.table(own, by).rows(), strict=True
        ):
            print(f"  {row[0]:10} {row[1]!s:12} {row[2]:4} {rules[3]:.4f} {row[3]:.4f} {mine[3]:.4f}")
    if a.scores:
        pages.facts.select(
            "id", "column", "set", rules=pl.Series(by_rules), unseen=pl.Series(unseen), own=pl.Series(own)
        ).write_parquet(a.scores)
    about = {
        "name": LINE_MODELS[pages.kind],
        "trained_on": [f"{f.name}: {c}" for f, _ in folders for c in a.column],
        "pages": len(pages.facts), "lines": len(pages.rows), "trained": dt.datetime.now(dt.UTC).date().isoformat(),
        **{
            name: {f"{c} {'wcxb' if g else 'news'}": round(f, 4) for c, g, _, f in pages.table(scores, "all").rows()}
            for name, scores in (
                ("f1_of_rules_alone", by_rules),
                ("f1_on_unseen_sites", unseen),
                ("f1_on_its_own_pages", own),
            )
        },
        "unit": "thousandths of a logit",
    }  # fmt: skip
    written = a.write or weights_file(pages.kind)
    written.write_text(as_file(trained, about, sure_to_cut))
    print("wrote", written)


if __name__ == "__main__":
    main()
