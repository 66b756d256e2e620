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

import heapq
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

import polars as pl
import rensa

from copydesk.shingles import Shingles, likeness, shingle

METHOD = "1"
"""Goes up when other sketches or other decisions come of the same articles."""
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

HELD = 20_000
"""Articles whose shingles are held at once, some 25 kB each; more where more hang together."""
WORTH_A_PIECE = 500
"""Articles that are compared sooner than handed to another process."""
REMEMBERED = 1_000
"""Articles whose shingles are held as sets at once, 30 to 100 kB each; copies come close together in time."""

REPEATS: dict[str, type[pl.DataType]] = {
    "doc_id": pl.String, "duplicate_of": pl.String, "kind": pl.String, "similarity": pl.Float32,
}  # fmt: skip
KINDS = ("exact", "near")
BAND_NAMES = tuple(f"band_{n:02}" for n in range(BANDS))
SKETCH: dict[str, type[pl.DataType]] = {"body_hash": pl.String, **dict.fromkeys(BAND_NAMES, pl.UInt32)}
"""A body's sketch, by its hash: what `find_repeats` wants."""
COMPARISONS: dict[str, type[pl.DataType]] = {"one": pl.UInt64, "other": pl.UInt64, "similarity": pl.Float64}
"""Two bodies, each by the first 16 digits of its hash, and how alike they are; null where that is below `SIMILAR`."""

GROUP: dict[str, pl.DataType] = {"doc_id": pl.String(), "hash": pl.UInt64(), "bands": pl.List(pl.UInt64())}
"""Articles with different bodies, in order of publication, each with the first 16 digits of its body's hash and the
bands in which it agrees with another: what `compare_group` wants."""
NEAR: dict[str, pl.DataType] = {"first": pl.String(), "like": pl.String(), "similarity": pl.Float64()}
"""An article, an earlier one that it is like, and how alike they are."""

Bodies = Callable[[Sequence[str]], Iterable[pl.DataFrame]]
"""Fetches articles by their `doc_id`, in any order, as frames of `doc_id` and `body`."""

_CUTS = ".,;:!?()[]\"“”„«»—–…、。，！？；：「」『』（）"


class Compared(NamedTuple):
    """What comes of a group: those like an earlier one (`NEAR`), and the `COMPARISONS` that say so."""

    near: pl.DataFrame
    comparisons: pl.DataFrame


class Found(NamedTuple):
    """What `find_repeats` says: `REPEATS`, in order of `doc_id`, and the `COMPARISONS` that it rests on."""

    rows: pl.DataFrame
    comparisons: pl.DataFrame


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


def in_order(articles: pl.DataFrame) -> pl.DataFrame:
    """`doc_id` and `body_hash` of articles, in order of publication; on one day those with a time go first."""
    day = pl.coalesce(pl.col("published_at").dt.date(), "published_on")
    return articles.sort(day, "published_at", "doc_id", nulls_last=True).select("doc_id", "body_hash")


def find_repeats(
    articles: pl.DataFrame,
    sketches: pl.DataFrame,
    compare: Callable[[Iterator[pl.DataFrame]], Iterable[Compared]],
    pieces: int = 1,
) -> Found:
    """The articles that repeat another, and the comparisons that say so.

    `articles` has `doc_id`, `body_hash`, `published_on` and `published_at`; `sketches` is a `SKETCH` with each
    `body_hash` once. `compare` gets what has to be compared in groups (GROUP), as many as `pieces` or more, and gives
    what `compare_group` makes of each, wherever that is done. The rows do not depend on how many there are.
    """
    ranked = in_order(articles)
    firsts = ranked.unique("body_hash", keep="first", maintain_order=True)
    sketched = firsts.select("doc_id", "body_hash").join(sketches, on="body_hash", how="left", maintain_order="left")
    done = list(compare(_groups(sketched, pieces)))
    near = pl.concat([pl.DataFrame(schema=NEAR), *(found.near for found in done)])
    cluster = firsts.select("body_hash", first="doc_id").join(near, on="first", how="left")
    rows = (
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
    comparisons = pl.concat([pl.DataFrame(schema=COMPARISONS), *(found.comparisons for found in done)])
    return Found(rows, comparisons.sort("one", "other"))


def compare_group(group: pl.DataFrame, bodies: Bodies, known: pl.DataFrame) -> Compared:
    """Compare the articles of a GROUP with those before them. `known` are `COMPARISONS` that need not be made again, of
    these articles or others; `bodies` fetches the articles that have to be looked at."""
    ids = group["doc_id"]
    articles = list(enumerate(group["bands"].to_list()))
    compare = _Comparing(group, articles, bodies, known)
    found = [(ids[one], ids[like], alike) for one, like, alike in _stars(articles, compare)]
    return Compared(pl.DataFrame(found, schema=NEAR, orient="row"), compare.made())


def _groups(firsts: pl.DataFrame, pieces: int) -> Iterator[pl.DataFrame]:
    """Articles that agree in a band with another, as GROUP: what one needs is not needed for the next.

    Each is of `HELD` articles at most, or a few more, or as many as hang together.
    """
    agree = {band: pl.col(band).is_not_null() & pl.col(band).is_duplicated() for band in BAND_NAMES}
    candidates = firsts.filter(pl.any_horizontal(agree.values()))
    # a band and its hash as one number, so that all bands can lie in one list
    marked = (
        pl.when(agree[band]).then(pl.col(band).cast(pl.UInt64) + n * 2**32) for n, band in enumerate(BAND_NAMES)
    )
    candidates = candidates.select(
        "doc_id",
        hash=pl.col("body_hash").str.head(16).str.to_integer(base=16, dtype=pl.UInt64),
        bands=pl.concat_list(marked).list.drop_nulls(),
    )
    edges = candidates.select(place=pl.int_range(pl.len(), dtype=pl.UInt32), band="bands").explode("band").drop_nulls()
    # each takes the lowest name that stands in one of its bands, until none changes
    first = pl.int_range(len(candidates), dtype=pl.UInt32, eager=True).alias("first")
    while True:
        named = edges.with_columns(first=first.gather(edges["place"]))
        named = named.with_columns(pl.col("first").min().over("band")).group_by("place").agg(pl.col("first").min())
        lower = named.sort("place")["first"]
        lower = lower.gather(lower)
        if lower.equals(first):
            break
        first = lower
    at_once = min(HELD, max(WORTH_A_PIECE, -(-len(candidates) // pieces)))
    group = first.value_counts().sort("first").with_columns(group=pl.col("count").cum_sum() // at_once)
    candidates = candidates.with_columns(first=first).join(group, on="first", how="left", maintain_order="left")
    for part in candidates.partition_by("group", maintain_order=True):
        yield part.select(*GROUP)


_Compare = Callable[[int, int], float | None]


def _stars(articles: Iterable[tuple[int, Sequence[int]]], compare: _Compare) -> Iterator[tuple[int, int, float]]:
    """Each article that is like the first of a cluster, with that one and how alike they are.

    Articles are told by their places, in order; of each, the bands in which it agrees with another. `compare` gives
    null for two that are not alike.
    """
    leaders: defaultdict[int, list[int]] = defaultdict(list)
    for place, mine in articles:
        shared: Counter[int] = Counter()
        for band in mine:
            shared.update(leaders[band])
        closest: Iterable[int] = shared
        if len(shared) > COMPARED:
            closest = heapq.nsmallest(COMPARED, shared, key=lambda leader: (-shared[leader], leader))
        for leader in sorted(closest):
            alike = compare(place, leader)
            if alike is not None:
                yield place, leader, alike
                break
        else:
            for band in mine:
                leaders[band].append(place)


class _Comparing:
    """How alike two articles of a group are, by their places: as is known, or by their bodies, fetched when needed."""

    def __init__(
        self, group: pl.DataFrame, articles: Sequence[tuple[int, Sequence[int]]], bodies: Bodies, known: pl.DataFrame
    ) -> None:
        self._ids = group["doc_id"].to_list()
        self._hashes = group["hash"].to_list()
        for name in ("one", "other"):
            known = known.join(group, left_on=name, right_on="hash", how="semi")
        self._known: dict[tuple[int, int], float | None] = {(a, b): alike for a, b, alike in known.iter_rows()}
        self._bodies = bodies
        self._held: dict[str, tuple[pl.DataFrame, int]] = {}
        self._sets = lru_cache(maxsize=REMEMBERED)(self._sets_of)
        self._made: list[tuple[int, int, float | None]] = []
        if self._known:
            self._fetch_unknown(articles)

    def __call__(self, place: int, leader: int) -> float | None:
        pair = self._hashes[place], self._hashes[leader]
        alike = self._known[pair] if pair in self._known else likeness(self._sets(place), self._sets(leader), SIMILAR)
        self._made.append((*pair, alike))
        return alike

    def _fetch_unknown(self, articles: Sequence[tuple[int, Sequence[int]]]) -> None:
        """Fetch the bodies that will be asked for, if no two are alike of which that is not known."""
        wanted: set[int] = set()

        def supposed(place: int, leader: int) -> float | None:
            pair = self._hashes[place], self._hashes[leader]
            if pair not in self._known:
                wanted.update((place, leader))
            return self._known.get(pair)

        for _ in _stars(articles, supposed):
            pass
        self._fetch([self._ids[place] for place in sorted(wanted)])

    def made(self) -> pl.DataFrame:
        """All comparisons that were asked for."""
        return pl.DataFrame(self._made, schema=COMPARISONS, orient="row")

    def _sets_of(self, place: int) -> Shingles:
        if self._ids[place] not in self._held:
            self._fetch([doc_id for doc_id in self._ids if doc_id not in self._held])
        return Shingles(*self._held[self._ids[place]])

    def _fetch(self, doc_ids: Sequence[str]) -> None:
        for batch in self._bodies(doc_ids):
            shingles = shingle(batch["body"])
            self._held.update((doc_id, (shingles, row)) for row, doc_id in enumerate(batch["doc_id"]))


def _mixed(names: Iterable[str]) -> pl.Expr:
    """Several hashes as one of 32 bits, order counting."""
    one = pl.lit(0, pl.UInt64)
    for name in names:
        one = (one ^ pl.col(name)) * pl.lit(0x9E3779B97F4A7C15, pl.UInt64)
    return (one // 2**32).cast(pl.UInt32)
