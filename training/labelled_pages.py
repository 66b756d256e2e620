"""Labelled pages: their lines as the cleaner sees them, and which of these belong to the body.

A line's label is whether most of its shingles of four tokens are in the page's body. A line's weight is its tokens,
as a share of the body's and not more than a tenth of it: the mean body F1 over pages is what counts.
"""

from __future__ import annotations

import bisect
import collections
import re
import unicodedata
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from copydesk.cleaning import open_desk, supposed_lines
from copydesk.html import read_html
from copydesk.line_model import all_marks
from copydesk.precedence import PRECEDENCE
from copydesk.roles import BODY_ROLES

TOKEN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|\w+")
"""As the scorer of the labelled pages takes a text apart."""
FOLDS = 5
LARGEST = 0.1
"""The share of a body that a line counts for at most; without it a few long comments outweigh all else."""
LEAST_BODY = 150


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
