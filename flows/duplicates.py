"""The dataset `duplicates` of a snapshot: found anew in every run over all its articles, none of which is touched.

Sketches, and which bodies were compared with what outcome, are kept from run to run beside the snapshots, by the hashes
of the bodies, so that a run looks at new bodies alone. These files may be deleted at any time; they are made again.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from copydesk import __version__
from copydesk.cleaning import digest
from copydesk.duplicates import (
    COMPARISONS,
    KINDS,
    METHOD,
    SKETCH,
    Compared,
    compare_group,
    find_repeats,
    in_order,
    sketch,
)
from copydesk.shingles import similarities
from flows.contracts import NAMED
from flows.errors import RunError
from flows.parts import read_part, write_part
from flows.progress import tell
from flows.snapshots import Staging
from schemas import ARTICLES, DUPLICATES

BATCH_ROWS = 2_000
"""Bodies that are sketched at once."""
PIECES = 2
"""Groups that are compared for each of many workers: so that none waits long for the last."""
_KNOWN, _COMPARISONS = "known.arrow", ".comparisons"
_ROUNDING = 1e-6
_CACHES = {".sketches.parquet": SKETCH, ".compared.parquet": COMPARISONS}
"""What is kept from run to run, and its columns."""
_KEYS = ("doc_id", "body_hash", "published_on", "published_at")


Spread = Callable[[Callable[..., Path], Iterable[Mapping[str, Any]]], Iterable[Path]]
"""Calls a function of this module with each of several arguments, wherever it likes, and gives the results in order."""


def here(function: Callable[..., Path], pieces: Iterable[Mapping[str, Any]]) -> Iterator[Path]:
    """The `Spread` of one process: this one."""
    return (function(**piece) for piece in pieces)


def write_duplicates(
    staging: Staging, output: Path, *, ruleset: str, spread: Spread = here, workers: int = 1
) -> dict[str, int]:
    """Write the dataset `duplicates` over the articles in `staging`; returns the number of its rows of each kind.

    Where the articles are those of the snapshot before, its part is kept as it is. `spread` does the work in pieces,
    some for each of so many `workers`.
    """
    kept = _kept(staging, ruleset)
    if kept is not None:
        return kept
    parts = [part.absolute() for part in staging.parts(ARTICLES.name)]  # a worker may have another folder as its own
    frames = [ARTICLES.empty().select(_KEYS), *(pl.read_parquet(p, columns=[*_KEYS]) for p in parts)]
    articles = pl.concat(f.with_columns(part=pl.lit(n, pl.Int32)) for n, f in enumerate(frames, -1))
    known = {name: _cached(output / name, columns) for name, columns in _CACHES.items()}
    sketched, compared = known.values()
    scratch = staging.path.with_name(f".staging-compared-{staging.run_id}").absolute()
    scratch.mkdir()
    try:
        sketches = _sketches(articles.select("body_hash", "part"), parts, sketched, scratch, spread)
        compared.write_ipc(scratch / _KNOWN)

        def compare(groups: Iterator[pl.DataFrame]) -> Iterator[Compared]:
            for made in spread(compare_articles, _pieces(groups, parts, scratch)):
                yield Compared(pl.read_ipc(made), pl.read_ipc(made.with_suffix(_COMPARISONS)))

        rows, comparisons = find_repeats(articles, sketches, compare, workers * PIECES if workers > 1 else 1)
        wrong = DUPLICATES.failures(rows)
        if len(wrong):
            raise RunError(
                f"duplicates breaks its contract: {wrong.row(0)}; this is a defect of copydesk: please report it"
            )
        write_part(rows, DUPLICATES, staging.dataset(DUPLICATES.name) / "part-00000.parquet", ruleset=ruleset)
        for name, frame in zip(_CACHES, (sketches, comparisons), strict=True):
            if not frame.equals(known[name]):
                _cache(frame, output / name, scratch)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return _counts(rows)


def sketch_part(part: Path, wanted: Path, made: Path) -> Path:
    """Sketch the bodies of a part whose hashes stand in the file `wanted`, into the file `made`."""
    rows = _rows([part], pl.read_ipc(wanted), "body_hash")
    found = pl.concat([pl.DataFrame(schema=SKETCH), *(sketch(new["body_hash"], new["body"]) for new in rows)])
    found.write_ipc(made)
    return made


def compare_articles(group: Path, parts: Sequence[Path], known: Path, made: Path) -> Path:
    """Compare the articles of a GROUP, whose bodies stand in `parts`: NEAR into `made`, COMPARISONS beside it."""
    found = compare_group(pl.read_ipc(group), lambda ids: _bodies(parts, ids), pl.read_ipc(known))
    found.near.write_ipc(made)
    found.comparisons.write_ipc(made.with_suffix(_COMPARISONS))
    return made


def _pieces(groups: Iterable[pl.DataFrame], parts: Sequence[Path], scratch: Path) -> Iterator[dict[str, Any]]:
    for number, frame in enumerate(groups):
        group = scratch / f"group-{number:05}.arrow"
        frame.write_ipc(group)
        yield {"group": group, "parts": parts, "known": scratch / _KNOWN, "made": scratch / f"compared-{group.name}"}


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


def _sketches(
    hashes: pl.DataFrame, parts: Sequence[Path], known: pl.DataFrame, scratch: Path, spread: Spread
) -> pl.DataFrame:
    """The sketch of each body, in the order of `hashes` (`body_hash`, `part`): those that are `known`, and the others
    made now."""
    hashes = hashes.unique("body_hash", keep="first", maintain_order=True)
    missing = hashes.join(known, on="body_hash", how="anti")
    pieces, counts = [], []
    for (number,), wanted in missing.group_by(["part"], maintain_order=True):
        part = parts[int(str(number))]
        file = scratch / f"{part.stem}.arrow"
        wanted.select("body_hash").write_ipc(file)
        pieces.append({"part": part, "wanted": file, "made": scratch / f"sketched-{file.name}"})
        counts.append(len(wanted))
    made = [known]
    for done, path in zip(accumulate(counts), spread(sketch_part, pieces), strict=True):
        made.append(pl.read_ipc(path))
        tell("compare", done, len(missing))
    sketches = pl.concat(made).unique("body_hash", keep="first")
    return hashes.select("body_hash").join(sketches, on="body_hash", how="left", maintain_order="left")


def _cached(cache: Path, columns: Mapping[str, type[pl.DataType]]) -> pl.DataFrame:
    """What earlier runs kept, or no rows where there is nothing that we would make the same."""
    try:
        table = pq.read_table(cache)
        found = pl.DataFrame(table)
    except (OSError, pa.ArrowException, pl.exceptions.PolarsError):
        return pl.DataFrame(schema=columns)
    good = dict(found.schema) == columns and table.schema.metadata == _said_of(found)
    return found if good else pl.DataFrame(schema=columns)


def _said_of(frame: pl.DataFrame) -> dict[bytes, bytes]:
    """What a cache says of itself: how it was made, and a digest of its rows, as no manifest knows of it."""
    hashes = frame.hash_rows().rechunk().to_arrow().buffers()[1]
    return {b"method": METHOD.encode(), b"rows": digest(memoryview(hashes or b"")).encode()}


def _cache(frame: pl.DataFrame, cache: Path, scratch: Path) -> None:
    """Put something where the next run finds it, whole or not at all."""
    table = pa.table(frame.to_arrow()).replace_schema_metadata(_said_of(frame))
    pq.write_table(table, scratch / cache.name, compression="zstd")
    (scratch / cache.name).replace(cache)


def _bodies(parts: Sequence[Path], doc_ids: Sequence[str]) -> Iterator[pl.DataFrame]:
    """Some articles, as frames of `doc_id` and `body`."""
    return _rows(parts, pl.DataFrame({"doc_id": doc_ids}, schema={"doc_id": pl.String}), "doc_id")


def _rows(parts: Sequence[Path], wanted: pl.DataFrame, key: str) -> Iterator[pl.DataFrame]:
    """The bodies of the articles with one of the `wanted` keys; row groups that have none of them are not read."""
    for part in parts if len(wanted) else ():
        with pq.ParquetFile(part) as file:
            for group in range(file.num_row_groups):
                keys = pl.DataFrame(file.read_row_group(group, [key]))
                if keys.join(wanted, on=key, how="semi").is_empty():
                    continue
                for batch in file.iter_batches(BATCH_ROWS, row_groups=[group], columns=[key, "body"]):
                    rows = pl.DataFrame(batch).join(wanted, on=key, how="semi", maintain_order="left")
                    if len(rows):
                        yield rows


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
        bodies = pl.concat(_bodies(parts, [*batch["doc_id"], *batch["duplicate_of"]]))
        ones, others = (
            batch.select(doc_id=name).join(bodies, on="doc_id", how="left", maintain_order="left")["body"]
            for name in ("doc_id", "duplicate_of")
        )
        found = similarities(ones, others)
        off = (pl.Series(found, dtype=pl.Float64) - batch["similarity"]).abs() > _ROUNDING
        lines += _breaches(batch.with_columns(breach=pl.when(off).then(pl.lit("is not as similar as it says"))))
    return f"{len(stated):,} copies of {stated['duplicate_of'].n_unique():,} articles", lines


def _breaches(rows: pl.DataFrame) -> list[str]:
    bad = rows.drop_nulls("breach").sort("doc_id")
    more = [f"and {len(bad) - NAMED:,} more articles"] if len(bad) > NAMED else []
    return [f"{doc_id}: {breach}" for doc_id, breach in bad.select("doc_id", "breach").head(NAMED).iter_rows()] + more
