"""Articles that repeat one another: exact copies by the hash of their body, near ones by the words they share.

Comparing every article with every other is out of the question, so each gets a sketch first (MinHash over its clauses,
in bands): only articles that agree in a whole band are compared, and then by what they really share. Whether two
articles are near copies is decided by that alone, never by the sketch.

An article is held against the *first* of each cluster, in order of publication, and joins the first that it is like;
where there is none it starts a cluster of its own. So whatever is called a copy is like the very article that it is
said to be a copy of, a chain of small changes does not tie two different stories together, and the outcome depends on
the set of articles alone.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache

import polars as pl
import rensa

METHOD = "1"
"""Goes up when other sketches or other decisions come of the same articles."""
SHINGLE = 5
"""Words that are compared at a time."""
SIMILAR = 0.6
"""Share of their shingles (of both together) that two near copies have in common.

Of the labelled pairs of the tests copies share 0.77 and more, other stories in the same form (weather, markets,
earthquakes) 0.45 and less; 925 real articles hold no pair between 0.21 and 0.99.
"""
BANDS = 40
BAND_ROWS = 3
"""A band is so many hashes. Articles that share 0.45 of their clauses agree in a band 98 times in a hundred, those that
share 0.03 once in a thousand."""
SEED = 20240501
CLAUSE_BYTES = 12
"""What is shorter is no clause: too many pages have it."""
COMPARED = 50
"""Firsts of clusters that an article is compared with at most, those with the most bands in common."""

REMEMBERED = 1_000
"""Articles whose shingles are held at once, about 100 kB each; copies come close together in time."""

REPEATS: dict[str, type[pl.DataType]] = {
    "doc_id": pl.String, "duplicate_of": pl.String, "kind": pl.String, "similarity": pl.Float32,
}  # fmt: skip
KINDS = ("exact", "near")
BAND_NAMES = tuple(f"band_{n:02}" for n in range(BANDS))
SKETCH: dict[str, type[pl.DataType]] = {"body_hash": pl.String, **dict.fromkeys(BAND_NAMES, pl.UInt32)}
"""A body's sketch, by its hash: what `find_repeats` wants."""

Bodies = Callable[[Sequence[str]], Mapping[str, str]]

_CUTS = ".,;:!?()[]\"“”„«»—–…、。，！？；：「」『』（）"
_SPACELESS = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_ANY_SPACELESS = re.compile(rf"[{_SPACELESS}]")
_SPACELESS_WORD = re.compile(rf"[{_SPACELESS}]|[^\W{_SPACELESS}]+")
_WORD = re.compile(r"\w+")


def sketch(hashes: pl.Series, bodies: pl.Series) -> pl.DataFrame:
    """The sketch of each body, as `SKETCH`: a number a band, all null where a body has no clause.

    It depends on the body alone, not on what stands beside it, and is the same on every machine.
    """
    clauses = (
        bodies.fill_null("")
        .str.replace_many(list(_CUTS), ["\n"] * len(_CUTS))
        .str.split("\n")
        .list.eval(pl.element().str.strip_chars().filter(pl.element().str.len_bytes() >= CLAUSE_BYTES))
    )
    digests = rensa.RMinHash.digest_matrix_from_token_sets(clauses.to_list(), BANDS * BAND_ROWS, SEED).to_rows()
    frame = pl.DataFrame(digests, schema=[(f"h{n}", pl.UInt64) for n in range(BANDS * BAND_ROWS)], orient="row")
    some = clauses.list.len() > 0
    return frame.select(
        hashes.alias("body_hash"),
        *(pl.when(some).then(_mixed(f"h{n * BAND_ROWS + i}" for i in range(BAND_ROWS))).alias(name)
        for n, name in enumerate(BAND_NAMES)),
    )  # fmt: skip


def similarity(one: str, other: str) -> float:
    """The share of shingles that two bodies have in common, of all that either has (Jaccard), 0 to 1.

    Case, punctuation and spaces do not count.

    >>> similarity("The ferry runs on Monday, it said.", "the ferry runs - on Monday it said")
    1.0
    >>> similarity("One two three four five six.", "One two three four five seven.")
    0.3333333333333333
    """
    return _alike(_shingles(one), _shingles(other))


def in_order(articles: pl.DataFrame) -> pl.DataFrame:
    """`doc_id` and `body_hash` of articles, in order of publication; on one day those with a time go first."""
    day = pl.coalesce(pl.col("published_at").dt.date(), "published_on")
    return articles.sort(day, "published_at", "doc_id", nulls_last=True).select("doc_id", "body_hash")


def find_repeats(articles: pl.DataFrame, sketches: pl.DataFrame, bodies: Bodies) -> pl.DataFrame:
    """The articles that repeat another, as `REPEATS`, in order of `doc_id`.

    `articles` has `doc_id`, `body_hash`, `published_on` and `published_at`; `sketches` is a `SKETCH` with each
    `body_hash` once. `bodies` fetches the bodies of the articles that have to be compared, by `doc_id`.
    """
    ranked = in_order(articles)
    firsts = ranked.unique("body_hash", keep="first", maintain_order=True)
    sketched = firsts.select("doc_id", "body_hash").join(sketches, on="body_hash", how="left", maintain_order="left")
    near = _near(sketched, bodies)
    cluster = firsts.select("body_hash", first="doc_id").join(near, on="first", how="left")
    return (
        ranked.join(cluster, on="body_hash", how="left")
        .with_columns(duplicate_of=pl.coalesce("like", "first"))
        .filter(pl.col("doc_id") != pl.col("duplicate_of"))
        .select(
            "doc_id",
            "duplicate_of",
            kind=pl.when(pl.col("like").is_null()).then(pl.lit("exact")).otherwise(pl.lit("near")),
            similarity=pl.col("similarity").fill_null(1.0).cast(pl.Float32),
        )
        .sort("doc_id")
    )


def _near(firsts: pl.DataFrame, bodies: Bodies) -> pl.DataFrame:
    """Of articles with different bodies, in order, those like an earlier one: `first`, `like`, `similarity`."""
    meeting = pl.any_horizontal(pl.col(b).is_not_null() & pl.col(b).is_duplicated() for b in BAND_NAMES)
    candidates = firsts.filter(meeting)
    texts = bodies(candidates["doc_id"].to_list())
    shingles = lru_cache(maxsize=REMEMBERED)(lambda doc_id: _shingles(texts[doc_id]))
    leaders: dict[tuple[int, int], list[int]] = {}
    ids = candidates["doc_id"].to_list()
    found: list[tuple[str, str, float]] = []
    for rank, hashes in enumerate(candidates.select(BAND_NAMES).iter_rows()):
        shared = Counter(leader for band in enumerate(hashes) for leader in leaders.get(band, ()))
        closest = sorted(shared, key=lambda leader: (-shared[leader], leader))[:COMPARED]
        mine = shingles(ids[rank])
        for leader in sorted(closest):
            alike = _alike(mine, shingles(ids[leader]))
            if alike >= SIMILAR:
                found.append((ids[rank], ids[leader], alike))
                break
        else:
            for band in enumerate(hashes):
                leaders.setdefault(band, []).append(rank)
    return pl.DataFrame(
        found, schema={"first": pl.String, "like": pl.String, "similarity": pl.Float64}, orient="row"
    )


def _alike(one: frozenset[int], other: frozenset[int]) -> float:
    both = len(one & other)
    return both / (len(one) + len(other) - both)


def _shingles(body: str) -> frozenset[int]:
    """Every run of `SHINGLE` words, or all words where there are fewer, by its hash: 64 bits, so that none meet."""
    words = _words(body.lower())
    if len(words) < SHINGLE:
        return frozenset([hash(tuple(words))])
    return frozenset(map(hash, zip(*(words[n:] for n in range(SHINGLE)), strict=False)))


def _words(body: str) -> list[str]:
    """The words of a body; in scripts without spaces (Chinese, Japanese, Thai, Lao, Khmer, Burmese) its characters."""
    return (_SPACELESS_WORD if _ANY_SPACELESS.search(body) else _WORD).findall(body)


def _mixed(names: Iterable[str]) -> pl.Expr:
    """Several hashes as one of 32 bits, order counting."""
    one = pl.lit(0, pl.UInt64)
    for name in names:
        one = (one ^ pl.col(name)) * pl.lit(0x9E3779B97F4A7C15, pl.UInt64)
    return (one // 2**32).cast(pl.UInt32)
