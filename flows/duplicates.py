"""The dataset `duplicates` of a snapshot: found anew in every run over all its articles, none of which is touched.

Sketches are kept from run to run in `.sketches.arrow`, by the hash of the body that they were made of, so that a run
makes those of new bodies alone. The file may be deleted at any time; it is made again.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq

from copydesk import __version__
from copydesk.duplicates import KINDS, METHOD, SKETCH, find_repeats, in_order, similarity, sketch
from flows.contracts import NAMED
from flows.errors import RunError
from flows.parts import read_part, write_part
from flows.progress import tell
from flows.snapshots import Staging
from schemas import ARTICLES, DUPLICATES

BATCH_ROWS = 2_000
"""Bodies that are sketched at once."""
_ROUNDING = 1e-6
_CACHE = ".sketches.arrow"
_KEYS = ("doc_id", "body_hash", "published_on", "published_at")


def write_duplicates(staging: Staging, output: Path, *, ruleset: str) -> dict[str, int]:
    """Write the dataset `duplicates` over the articles in `staging`; returns the number of its rows of each kind.

    Where the articles are those of the snapshot before, its part is kept as it is.
    """
    kept = _kept(staging, ruleset)
    if kept is not None:
        return kept
    parts = staging.parts(ARTICLES.name)
    articles = pl.concat([ARTICLES.empty().select(_KEYS), *(pl.read_parquet(p, columns=[*_KEYS]) for p in parts)])
    known = _cached(output / _CACHE)
    sketches = _sketches(articles.select("body_hash").unique(maintain_order=True), parts, known)
    rows = find_repeats(articles, sketches, lambda ids: _bodies(parts, ids))
    wrong = DUPLICATES.failures(rows)
    if len(wrong):
        raise RunError(
            f"duplicates breaks its contract: {wrong.row(0)}; this is a defect of copydesk: please report it"
        )
    write_part(rows, DUPLICATES, staging.dataset(DUPLICATES.name) / "part-00000.parquet", ruleset=ruleset)
    if not sketches.equals(known):
        _cache(sketches, output / _CACHE, staging)
    return _counts(rows)


def _counts(rows: pl.DataFrame) -> dict[str, int]:
    return {kind: int((rows["kind"] == kind).sum()) for kind in KINDS}


def _kept(staging: Staging, ruleset: str) -> dict[str, int] | None:
    """Keep the part of the snapshot before, where it says of the very same articles what we would say."""
    found = staging.past(DUPLICATES.name) if staging.is_kept(ARTICLES.name) else []
    if len(found) != 1:
        return None
    due = DUPLICATES.arrow_schema(**{"copydesk.ruleset": ruleset, "copydesk.version": __version__})
    if pq.read_schema(found[0]).metadata != due.metadata:
        return None
    staging.keep(DUPLICATES.name, found[0].name)
    return _counts(read_part(found[0], DUPLICATES))


def _sketches(hashes: pl.DataFrame, parts: Sequence[Path], known: pl.DataFrame) -> pl.DataFrame:
    """The sketch of each body, in the order of `hashes`: those that are `known`, and the others made now."""
    missing = hashes.join(known, on="body_hash", how="anti")
    made = [known]
    done = 0
    for part in parts if len(missing) else ():
        for batch in pq.ParquetFile(part).iter_batches(batch_size=BATCH_ROWS, columns=["body_hash", "body"]):
            new = pl.DataFrame(batch).join(missing, on="body_hash", how="semi", maintain_order="left")
            made.append(sketch(new["body_hash"], new["body"]))
            done += len(new)
            tell("compare", done, max(done, len(missing)))
    sketches = pl.concat(made).unique("body_hash", keep="first")
    return hashes.join(sketches, on="body_hash", how="left", maintain_order="left")


def _cached(cache: Path) -> pl.DataFrame:
    """The sketches of earlier runs, or none where there are none that we would make the same."""
    try:
        found = pl.read_ipc(cache)
    except (OSError, pl.exceptions.PolarsError):
        found = pl.DataFrame()
    if dict(found.schema) != {**SKETCH, "method": pl.String} or not (found["method"] == METHOD).all():
        return pl.DataFrame(schema=SKETCH)
    return found.drop("method")


def _cache(sketches: pl.DataFrame, cache: Path, staging: Staging) -> None:
    """Put the sketches where the next run finds them, whole or not at all; a killed run leaves nothing for long."""
    folder = staging.path.with_name(f".staging-sketches-{staging.run_id}")
    folder.mkdir()
    try:
        sketches.with_columns(method=pl.lit(METHOD)).write_ipc(folder / cache.name)
        (folder / cache.name).replace(cache)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _bodies(parts: Sequence[Path], doc_ids: Sequence[str]) -> dict[str, str]:
    """The bodies of some articles."""
    wanted = pl.DataFrame({"doc_id": doc_ids}, schema={"doc_id": pl.String})
    found: dict[str, str] = {}
    for part in parts if doc_ids else ():
        for batch in pq.ParquetFile(part).iter_batches(batch_size=BATCH_ROWS, columns=["doc_id", "body"]):
            found.update(pl.DataFrame(batch).join(wanted, on="doc_id", how="semi").iter_rows())
    return found


def prove_duplicates(snapshot: Path) -> tuple[str, list[str]]:
    """Prove the published dataset from the articles beside it: what was proved, and a line for each breach.

    Both articles exist, the one repeated is earlier and repeats none itself, bodies are as alike as stated, and
    no exact copy is left out. Near copies that should be called so and are not are not looked for.
    """
    parts = sorted((snapshot / ARTICLES.name).glob("*.parquet"))
    articles = in_order(pl.concat([pl.read_parquet(p, columns=[*_KEYS]) for p in parts])).with_row_index("rank")
    stated = pl.concat([pl.read_parquet(p) for p in sorted((snapshot / DUPLICATES.name).glob("*.parquet"))])
    other = articles.rename({"doc_id": "duplicate_of", "body_hash": "other_hash", "rank": "other_rank"})
    pairs = (
        stated.join(articles, on="doc_id", how="left")
        .join(other, on="duplicate_of", how="left")
        .with_columns(same=pl.col("body_hash") == pl.col("other_hash"), first=pl.col("duplicate_of"))
    )
    breach = (
        pl.when(pl.col("rank").is_null()).then(pl.lit("is no article"))
        .when(pl.col("other_rank").is_null()).then(pl.lit("repeats what is no article"))
        .when(pl.col("duplicate_of").is_in(stated["doc_id"].implode())).then(pl.lit("repeats what is a copy itself"))
        .when(pl.col("other_rank") >= pl.col("rank")).then(pl.lit("is earlier than what it repeats"))
        .when(pl.col("same") != (pl.col("kind") == "exact")).then(pl.lit("is not the kind of copy that it is called"))
    )  # fmt: skip
    lines = _breaches(pairs.with_columns(breach=breach))
    left_out = articles.join(stated.select("doc_id", first="duplicate_of"), on="doc_id", how="left").filter(
        pl.coalesce("first", "doc_id").n_unique().over("body_hash") > 1
    )
    lines += _breaches(left_out.with_columns(breach=pl.lit("has the body of another, and is not called its copy")))
    for batch in pairs.filter(pl.col("kind") == "near").iter_slices(BATCH_ROWS) if not lines else ():
        bodies = _bodies(parts, [*batch["doc_id"], *batch["duplicate_of"]])
        pairs_of_ids = batch.select("doc_id", "duplicate_of").iter_rows()
        found = [similarity(bodies[one], bodies[two]) for one, two in pairs_of_ids]
        off = (pl.Series(found, dtype=pl.Float64) - batch["similarity"]).abs() > _ROUNDING
        lines += _breaches(batch.with_columns(breach=pl.when(off).then(pl.lit("is not as similar as it says"))))
    return f"{len(stated):,} copies of {stated['duplicate_of'].n_unique():,} articles", lines


def _breaches(rows: pl.DataFrame) -> list[str]:
    bad = rows.drop_nulls("breach").sort("doc_id")
    more = [f"and {len(bad) - NAMED:,} more articles"] if len(bad) > NAMED else []
    return [f"{doc_id}: {breach}" for doc_id, breach in bad.select("doc_id", "breach").head(NAMED).iter_rows()] + more
