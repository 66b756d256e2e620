#!/usr/bin/env python3
"""Train the line model on labelled pages, score it on sites that it has not seen, and write its weights.

usage: python -m training.train_line_model FOLDER[:WEIGHT] ... [--column text ...] [--write FILE] [--seeds N]

FOLDER     holds pages.parquet (`id`, `url` and text columns) and gold.parquet (`id`, `set`, `site`, `language`,
           `body`: a list of paragraphs); WEIGHT is how much its pages count (1)
--column   the text columns to train on (text and text_full): one model for all of them
--write    the weights file to write (copydesk/data/line_model.json)
--repeats  how many ways of parting the sites into folds are scored (1)

A line's label is whether most of its shingles of four tokens are in the page's body. A line's weight is its tokens,
as a share of the body's and not more than a tenth of it: the mean body F1 over pages is what counts.

Cross-validation parts the pages by site. For each fold both steps are trained without its sites; the first scores of
the training lines themselves come from an inner cross-validation, so that the second step sees first scores as good
or bad as those of an unseen site. The chance below which a line is cut is chosen for each fold on the other folds.
Needs scikit-learn and LightGBM (the extra `train`).
"""

from __future__ import annotations

import argparse
import bisect
import collections
import datetime as dt
import json
import math
import re
import unicodedata
import zlib
from pathlib import Path
from typing import Any, NamedTuple

import lightgbm
import numpy as np
import polars as pl
import scipy.sparse
from sklearn.linear_model import LogisticRegression

from copydesk.cleaning import open_desk, supposed_lines
from copydesk.html import read_html
from copydesk.line_model import (
    all_marks,
    buckets,
    codes,
    first_chances,
    kept_lines,
    mark_names,
    numbered_marks,
    second_marks,
    weights_file,
)
from copydesk.line_trees import Tree, sum_of_points
from copydesk.precedence import LINE_MODELS, PRECEDENCE
from copydesk.roles import BODY_ROLES

TOKEN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|\w+")
"""As the scorer of the labelled pages takes a text apart."""
FOLDS = 5
STRENGTH = 0.1
"""The inverse of the penalty on the squared weights; 0.03 to 1 score the same."""
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
LARGEST = 0.1
"""The share of a body that a line counts for at most; without it a few long comments outweigh all else."""
LEAST_BODY = 150
LIKE = 0.0003
"""Mean F1 by which two choices may differ and be alike."""
SURE_TO_CUT = (150, 200, 250, 300, 400, 500)
"""The chances, in thousandths, among which `sure_to_cut` is chosen: on other sites than it is scored on."""


def tokens(text: str) -> list[str]:
    """The tokens of a text, as the scorer sees them."""
    return TOKEN.findall(unicodedata.normalize("NFKC", text).lower())


def shingles(words: list[str]) -> collections.Counter[tuple[str, ...]]:
    """Every four neighbouring tokens, with how often they occur."""
    n = min(4, len(words)) or 1
    return (
        collections.Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))
        if words
        else collections.Counter()
    )


def body_f1(gold: collections.Counter[tuple[str, ...]], words: list[str]) -> float:
    """The F1 of a body (as tokens) against the gold one (as shingles)."""
    found = shingles(words)
    hit = (gold & found).total()
    return 2 * hit / (gold.total() + found.total()) if hit else 0.0


def labels(lines: list[list[str]], gold: list[str], paragraphs: set[tuple[str, ...]]) -> list[bool]:
    """Whether each line (as tokens) belongs to the body.

    Short lines and lines that stand twice occur in a body by chance: they count only where their neighbours do.
    """
    bag = shingles(gold)
    places: dict[tuple[str, ...], list[int]] = collections.defaultdict(list)
    for n in (1, 2, 3, 4):
        for i in range(len(gold) - n + 1):
            places[tuple(gold[i : i + n])].append(i)
    share, at = [0.0] * len(lines), {}
    for k, words in enumerate(lines):
        if len(words) >= 4:
            own = shingles(words)
            share[k] = (own & bag).total() / own.total()
            stands = [p - i for i in range(len(words) - 3) for p in places.get(tuple(words[i : i + 4]), ())]
            if share[k] > 0.5 and len(words) >= 8 and stands:
                at[k] = sorted(stands[:50])[len(stands[:50]) // 2]
    sure = sorted(at)
    for k, words in enumerate(lines):
        if not 0 < len(words) < 4 or tuple(words) not in places:
            continue
        j = bisect.bisect_left(sure, k)
        low = at[sure[j - 1]] if j else None
        high = at[sure[j]] if j < len(sure) else None
        whole = tuple(words) in paragraphs
        reach = (400, 400) if whole else (300, len(words) + 30)
        near = (
            (low is None or low - 2 <= p)
            and (high is None or p <= high + 2)
            and ((low is not None and p - low < reach[0]) or (high is not None and high - p < reach[1]))
            for p in places[tuple(words)]
        )
        share[k] = float((whole or len(words) > 1) and any(near))
    found = [s > 0.5 for s in share]
    twins: dict[tuple[str, ...], list[int]] = collections.defaultdict(list)
    for k, words in enumerate(lines):
        if found[k]:
            twins[tuple(words)].append(k)
    for words_, rows in twins.items():
        spare = len(rows) - len(places.get(words_[:4], ()) or (0,))
        if spare > 0:
            support = {
                k: sum(
                    len(lines[j]) / (1 + abs(j - k))
                    for j in range(max(0, k - 6), min(len(lines), k + 7))
                    if j not in rows and found[j]
                )
                for k in rows
            }
            for k in sorted(rows, key=lambda k: (support[k], -k))[:spare]:
                found[k] = False
    return found


class Pages:
    """All labelled pages as one batch: `facts` a row a page, `lines` what `line_marks` wants, and the labels."""

    def __init__(self, folders: list[tuple[Path, float]], columns: list[str]) -> None:
        parts = []
        for folder, weight in folders:
            pages = pl.read_parquet(folder / "pages.parquet")
            gold = pl.read_parquet(folder / "gold.parquet").select("id", "set", "site", "language", "body")
            parts += [
                pages.join(gold, on="id", maintain_order="left").select(
                    "id", "url", "set", "language", "body", pl.col("site").fill_null(pl.col("id")),
                    text=column, column=pl.lit(column), page_weight=pl.lit(weight),
                    fetched_at=pl.lit(None, pl.Datetime("us", "UTC")),
                )
                for column in columns
            ]  # fmt: skip
        self.facts = pl.concat(parts).with_row_index("page")
        self.kind = "html" if columns == ["html"] else "text"
        lines = None
        if self.kind == "html":
            self.facts, lines, *_ = read_html(self.facts.rename({"text": "html"}))
        self.lines = supposed_lines(self.facts, open_desk(), lines).lines
        self.words = [tokens(t) for t in self.lines["text"]]
        self.page = self.lines["page"].to_numpy()
        self.bounds = {
            p: (a, b + 1) for p, a, b in self.lines.select("page", "first", "last").unique("page").iter_rows()
        }
        gold_words = [tokens("\n".join(body)) for body in self.facts["body"]]
        self.gold = [shingles(w) for w in gold_words]
        label = np.zeros(len(self.lines), bool)
        for p, (a, b) in self.bounds.items():
            paragraphs = {tuple(tokens(t)) for t in self.facts["body"][p]}
            label[a:b] = labels(self.words[a:b], gold_words[p], paragraphs)
        self.label = label
        self.unsure = self.lines["unsure"].to_numpy()
        self.rows = np.flatnonzero(self.unsure)
        size = np.array([len(g) for g in gold_words])
        length = np.array([len(w) for w in self.words]) + 3
        weight = np.minimum(length / np.maximum(size, LEAST_BODY)[self.page], LARGEST)
        weight = weight * self.facts["page_weight"].to_numpy()[self.page]
        self.weight = weight / weight[self.rows].mean()
        self.marks = all_marks(self.lines)

    def folds(self, seed: int, parts: int = FOLDS) -> np.ndarray[Any, Any]:
        """The fold of each line: all pages of a site share one."""
        return self.site_folds(seed, parts)[self.page]

    def site_folds(self, seed: int, parts: int = FOLDS) -> np.ndarray[Any, Any]:
        """The fold of each page."""
        return np.array([zlib.crc32(f"{seed} {site}".encode()) % parts for site in self.facts["site"]])

    def f1(self, kept: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """The body F1 of each page for the lines that are kept."""
        scores = np.zeros(len(self.facts))
        for p, (a, b) in self.bounds.items():
            scores[p] = body_f1(self.gold[p], [w for k in range(a, b) if kept[k] for w in self.words[k]])
        return scores

    def kept_by_rules(self) -> np.ndarray[Any, Any]:
        """Whether the rules alone would keep each line."""
        body = [n for n, d in enumerate(PRECEDENCE) if d.role in BODY_ROLES]
        return self.lines["decision"].is_in(body).to_numpy()

    def table(self, scores: np.ndarray[Any, Any], by: str = "set") -> pl.DataFrame:
        """The mean score of each column and set, or only of news and the rest (`all`)."""
        facts = self.facts.with_columns(f1=pl.Series(scores), group=pl.col("set") == "wcxb")
        keys = ["column", "group"] if by == "all" else ["column", by]
        return facts.group_by(keys).agg(pl.len().alias("pages"), pl.col("f1").mean()).sort(keys)


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
        model = LogisticRegression(C=STRENGTH, max_iter=200, tol=1e-3)
        model.fit(self.matrix[rows], label[rows], sample_weight=weight[rows])
        return round(1000 * model.intercept_[0]), np.round(1000 * model.coef_[0]).astype(np.int64)

    def score(self, fitted: tuple[int, np.ndarray[Any, Any]]) -> np.ndarray[Any, Any]:
        """The scores of all rows, in thousandths of a logit."""
        return self.matrix @ fitted[1] + fitted[0]


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
    """Both steps: for each its marks and its scorecard (start, weights), then the trees of the second."""

    first: Any
    names: list[str]
    second: Any
    trees: tuple[Tree, ...]


def train(
    pages: Pages, first: Step, used: np.ndarray[Any, Any], fold: np.ndarray[Any, Any], seen: int | None
) -> tuple[Trained, np.ndarray[Any, Any]]:
    """Both steps on the rows `used`; returns their weights and all rows' second scores.

    `fold` is the fold of each row; `seen` the one that is left out (None: none).
    """
    label, weight = pages.label[pages.rows], pages.weight[pages.rows]
    everything = np.flatnonzero(used)
    one = first.fit(label, weight, everything)
    scores = first.score(one)
    for inner in range(FOLDS):
        if inner != seen:
            apart = first.fit(label, weight, np.flatnonzero(used & (fold != inner)))
            scores = np.where(fold == inner, first.score(apart), scores)
    asked, second = second_step(pages, scores)
    two = second.fit(label, weight, everything)
    trees = grow(pages, asked, everything)
    return Trained(one, second.names, two, trees), second_scores(asked, second, two, trees)


def second_step(pages: Pages, scores: np.ndarray[Any, Any]) -> tuple[pl.DataFrame, Step]:
    """The second marks of the open lines by their first scores, and the step that weighs them."""
    marks = second_marks(first_chances(pages.marks, pl.Series(scores)))
    return marks.filter("unsure"), Step(marks, pages.kind, "page")


def second_scores(asked: pl.DataFrame, second: Step, fitted: Any, trees: tuple[Tree, ...]) -> np.ndarray[Any, Any]:
    """The mean of the scorecard's and the trees', as the model takes it."""
    return (second.score(fitted) + asked.select(sum_of_points(trees)).to_series().to_numpy()) // 2


def keep(pages: Pages, scores: np.ndarray[Any, Any], sure_to_cut: int) -> np.ndarray[Any, Any]:
    """Whether the model keeps each line."""
    return (
        kept_lines(pages.marks, pl.Series(scores), sure_to_cut)["model_keeps"].fill_null(False).to_numpy()
        & pages.unsure
    )


def cross_validated(pages: Pages, first: Step, seed: int) -> np.ndarray[Any, Any]:
    """The second scores of all open lines, each from weights that have not seen its site."""
    fold = pages.folds(seed)[pages.rows]
    scores = np.zeros(len(pages.rows), np.int64)
    for left_out in range(FOLDS):
        _, second = train(pages, first, fold != left_out, fold, left_out)
        scores = np.where(fold == left_out, second, scores)
    return scores


def cautious(scores: np.ndarray[Any, Any]) -> int:
    """The first choice that is as good as the best: of two like ones the one that cuts less."""
    return int(np.argmax(scores >= scores.max() - LIKE))


def as_file(first_names: list[str], trained: Trained, about: dict[str, Any], sure_to_cut: int) -> str:
    """The weights as the text of their file: one mark or tree a line."""
    table: dict[str, Any] = {"about": about, "sure_to_cut": sure_to_cut}
    steps = (("line", first_names, trained.first), ("page", trained.names, trained.second))
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
    return f'{text.rstrip()[:-1].rstrip()},\n "trees": [\n  {trees}\n ]\n}}\n'


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
    first = Step(pages.marks, pages.kind, "line")
    runs, choices = [], []
    for seed in range(a.repeats):
        unseen_scores = cross_validated(pages, first, seed)
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
    trained, _ = train(pages, first, np.ones(len(pages.rows), bool), fold, None)
    asked, second = second_step(pages, first.score(trained.first))
    sure_to_cut = SURE_TO_CUT[cautious(np.mean(choices, axis=0))]
    own = pages.f1(keep(pages, second_scores(asked, second, trained.second, trained.trees), sure_to_cut))
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
    written.write_text(as_file(first.names, trained, about, sure_to_cut))
    print("wrote", written)


if __name__ == "__main__":
    main()
