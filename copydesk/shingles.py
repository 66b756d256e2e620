"""What two bodies share word for word: the runs of words of each, by their hashes, and how many are in both.

Many pairs are compared and few are alike, so a pair is told unlike by a part of its runs where that is sure already.
"""

from __future__ import annotations

import functools

import polars as pl

SHINGLE = 5
"""Words that are compared at a time."""
FIRST_LOOK = 40
"""Of a hundred shingles so many are compared first: enough to be sure of most pairs that are not alike."""
SHINGLES: dict[str, pl.DataType] = {
    "first_look": pl.List(pl.UInt64()), "rest": pl.List(pl.UInt64()), "size": pl.UInt32(),
}  # fmt: skip
"""Of one body: its shingles, in two parts, each perhaps with some twice, and how many different ones there are."""

_SPACELESS = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_ANY_SPACELESS = f"[{_SPACELESS}]"
_SPACELESS_WORD = rf"[{_SPACELESS}]|[\p{{L}}\p{{N}}_&&[^{_SPACELESS}]]+"
_WORD = r"[\p{L}\p{N}_]+"
_PRIME = 0x9E3779B97F4A7C15


class Shingles:
    """The runs of words of one body, each by a hash of 64 bits, so that none meet: a row of `SHINGLES` as sets.

    The rest is made a set when it is first asked for: most bodies are told apart by the first look.
    """

    def __init__(self, shingles: pl.DataFrame, row: int) -> None:
        self.first_look = frozenset(shingles["first_look"][row].to_list())
        self.size = int(shingles["size"][row])
        self._rest = shingles["rest"][row]

    @functools.cached_property
    def rest(self) -> frozenset[int]:
        """Those that are not for the first look."""
        return frozenset(self._rest.to_list())


def shingle(bodies: pl.Series) -> pl.DataFrame:
    """The shingles of each body, as `SHINGLES`: every run of `SHINGLE` words, or all words where there are fewer.

    Which of them are for the first look is decided by their hashes alone.
    """
    words = pl.DataFrame({"word": _words(bodies.fill_null("").str.to_lowercase())}).with_row_index("body")
    short = words.filter(pl.col("word").list.len() < SHINGLE)
    if len(short):
        # filled up with a word that no text has, so that each has one run
        padding = pl.lit("").repeat_by(SHINGLE - pl.col("word").list.len())
        words = words.update(short.with_columns(pl.concat_list("word", padding)), on="body")
    flat = words.explode("word").select("body", word=pl.col("word").hash())
    mixed = pl.lit(0, pl.UInt64)
    for place in range(SHINGLE):
        mixed = (mixed ^ pl.col("word").shift(place)) * pl.lit(_PRIME, pl.UInt64)
    runs = flat.select("body", run=mixed).filter(pl.col("body") == pl.col("body").shift(SHINGLE - 1))
    first = (pl.col("run") // 2**32) % 100 < FIRST_LOOK
    shingles = words.select("body")
    for name, wanted in (("first_look", first), ("rest", ~first)):
        lists = runs.filter(wanted).group_by("body", maintain_order=True).agg(pl.col("run").alias(name))
        shingles = shingles.join(lists, on="body", how="left", maintain_order="left")
    shingles = shingles.with_columns(pl.col("first_look", "rest").fill_null([]))
    size = pl.col("first_look").list.n_unique() + pl.col("rest").list.n_unique()
    return shingles.with_columns(size=size).select(*SHINGLES)


def likeness(one: Shingles, other: Shingles, at_least: float) -> float | None:
    """The share of shingles that two bodies have in common, of all that either has; None where it is not `at_least`."""
    total = one.size + other.size
    both = len(one.first_look & other.first_look)
    most = both + min(one.size - len(one.first_look), other.size - len(other.first_look))
    if most / (total - most) < at_least:
        return None
    both += len(one.rest & other.rest)
    alike = both / (total - both)
    return alike if alike >= at_least else None


def similarity(one: str, other: str) -> float:
    """The share of shingles that two bodies have in common, of all that either has (Jaccard), 0 to 1.

    Case, punctuation and spaces do not count.

    >>> similarity("The ferry runs on Monday, it said.", "the ferry runs - on Monday it said")
    1.0
    >>> similarity("One two three four five six.", "One two three four five seven.")
    0.3333333333333333
    """
    (alike,) = similarities(pl.Series([one]), pl.Series([other]))
    return alike


def similarities(ones: pl.Series, others: pl.Series) -> list[float]:
    """The `similarity` of each body with the one in its place among the `others`."""
    here, there = shingle(ones), shingle(others)
    pairs = ((Shingles(here, row), Shingles(there, row)) for row in range(len(ones)))
    return [likeness(one, other, 0.0) or 0.0 for one, other in pairs]


def _words(lowered: pl.Series) -> pl.Series:
    """The words of bodies; in scripts without spaces (Chinese, Japanese, Thai, Lao, Khmer, Burmese) the characters."""
    spaceless = lowered.str.contains(_ANY_SPACELESS)
    if not spaceless.any():
        return lowered.str.extract_all(_WORD)
    parts = [
        pl.DataFrame({"row": rows, "word": lowered.filter(mask).str.extract_all(pattern)})
        for mask, pattern in ((spaceless, _SPACELESS_WORD), (~spaceless, _WORD))
        for rows in [mask.arg_true()]
    ]
    return pl.concat(parts).sort("row")["word"]
