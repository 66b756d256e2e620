"""The main job: news pages in, a published and audited dataset out.

The recipe: open the source and the output, see what is new and stage it in shards, clean every shard and rewrite the
parts that lose rows, check the laws and the gates over all of them, publish a snapshot, and draw the report. Tasks pass
paths and small dicts.
"""

from __future__ import annotations

import dataclasses
import json
import os
import secrets
import shutil
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import polars as pl
from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.futures import as_completed
from prefect.logging import get_run_logger
from prefect.task_runners import ThreadPoolTaskRunner
from prefect.utilities.annotations import quote
from pydantic import BeforeValidator, Field

from copydesk.cleaning import Desk
from copydesk.versions import Versions
from flows import outcome
from flows.arrange import Arrangement, Made, Shard, arrange, made
from flows.artifacts import progress_shown, show_report
from flows.defaults import KEEP, WORKERS
from flows.desk_files import DeskFiles, copy_desk
from flows.drift import Delivered, site_furniture
from flows.duplicates import compare_articles, sketch_part, write_duplicates
from flows.ending import announced, refused_in_a_sentence
from flows.errors import GateError, RunError
from flows.gate_settings import load_gates
from flows.gates import judge
from flows.history import build_report, run_row, versions
from flows.learn import learn_from_shards
from flows.progress import say, tell
from flows.refresh import Plan, Refresh
from flows.replay import Replay
from flows.report import write_report
from flows.report_index import write_index
from flows.request import Request, open_request, open_rules
from flows.rewrite import Rewrite, of_parts, rewrite_part
from flows.shards import SHARD_BYTES, clean_shard
from flows.snapshots import SnapshotStore, Staging
from flows.staging import stage
from flows.state import State, read_state, write_state
from flows.workers import lost, release, task_runner
from schemas import DATASETS, SCHEMA_VERSION

MEMORY = "memory.toml"

PathText = Annotated[str, BeforeValidator(lambda path: os.fspath(path) if isinstance(path, os.PathLike) else path)]
"""A path as text, so that Prefect draws a plain field for it; Python callers may pass a Path."""


def _may_help(_task: Any, _run: Any, state: Any) -> bool:
    """Try again after what may pass by itself (a file system that stumbled), not after a refusal."""
    return isinstance(state.result(raise_on_failure=False), OSError)


_RETRY: dict[str, Any] = {"retries": 2, "retry_delay_seconds": [1, 5], "retry_condition_fn": _may_help}


@task(name="read pages", task_run_name="read pages", cache_policy=NO_CACHE, **_RETRY)
@refused_in_a_sentence
def read_pages(reading: Refresh | Replay, versions: Versions, folder: Path) -> list[Shard]:
    """Read what is to be cleaned, and stage it as shards below `folder`."""
    shards = stage(reading.batches(versions), folder, shard_bytes=SHARD_BYTES)
    tell("read", 1, 1)
    counts = reading.plan(versions).counts
    told = ", ".join(f"{n:,} {name.removeprefix('pages_')}" for name, n in counts.items() if n)
    read = sum(counts[name] for name in ("pages_new", "pages_changed", "pages_unchanged"))
    get_run_logger().info("Read %s pages (%s) from %s.", f"{read:,}", told or "none", reading.describe())
    return [{"path": s.path, "pages": s.pages} for s in shards]


@task(name="clean shard", task_run_name="clean {shard.stem}", cache_policy=NO_CACHE, **_RETRY)
@refused_in_a_sentence
def clean_one_shard(shard: Path, folder: Path, desk: DeskFiles, number: int) -> Path:
    """Clean one shard into the part files `number` below `folder`; returns the path of its figures."""
    _look_for(folder)
    return clean_shard(shard, folder, desk=desk.open(), number=number)


@task(name="rewrite part", task_run_name="rewrite part-{rewrite.number}", cache_policy=NO_CACHE, **_RETRY)
@refused_in_a_sentence
def rewrite_one_part(state: State, rewrite: Rewrite, dropped: Path, folder: Path) -> Path:
    """Write one part anew without the rows that are replaced or pruned; returns the path of its figures."""
    _look_for(folder)
    return rewrite_part(state, rewrite, dropped, folder)


def _look_for(folder: Path) -> None:
    if not folder.is_dir():
        raise RunError(
            f"the run was stopped, or {socket.gethostname()}, a worker, does not share the output folder: no {folder}"
        )


@task(name="learn site memory", task_run_name="learn site memory", cache_policy=NO_CACHE)
@refused_in_a_sentence
def learn_memory(shards: list[Shard], folder: Path, desk: Desk) -> Path:
    """Learn which lines recur on each site's pages; the memory goes into `folder`, in the end beside the report."""
    text = learn_from_shards([(s["path"], s["pages"]) for s in shards], folder, desk)
    (folder / MEMORY).write_text(text, encoding="utf-8")
    return folder / MEMORY


@task(name="find duplicates", task_run_name="find duplicates", cache_policy=NO_CACHE)
@refused_in_a_sentence
def find_duplicates(staging: Staging, output: Path, ruleset: str) -> dict[str, int]:
    """Write which articles repeat another; returns how many of each kind."""
    return write_duplicates(staging, output, ruleset=ruleset)


@task(name="sketch articles", task_run_name="sketch {part.stem}", cache_policy=NO_CACHE, **_RETRY)
@refused_in_a_sentence
def sketch_one_part(part: Path, wanted: Path, made: Path) -> Path:
    """Sketch the articles of one part that no run has sketched before."""
    return sketch_part(part, wanted, made)


@task(name="compare articles", task_run_name="compare {group.stem}", cache_policy=NO_CACHE, **_RETRY)
@refused_in_a_sentence
def compare_one_group(group: Path, parts: list[Path], known: Path, made: Path) -> Path:
    """Compare the articles of one group with one another."""
    return compare_articles(group, parts, known, made)


@task(name="publish snapshot", task_run_name="publish snapshot", cache_policy=NO_CACHE)
@refused_in_a_sentence
def publish_snapshot(store: SnapshotStore, staging: Staging, manifest: dict[str, Any], keep: int) -> Path:
    """Swap the new snapshot in, at once; `keep` snapshots stay."""
    store.keep = keep
    folder = store.publish(staging, [d.name for d in DATASETS], manifest)
    get_run_logger().info("Published snapshot %s.", folder.name)
    return folder


@task(name="write report", task_run_name="write report", cache_policy=NO_CACHE)
@refused_in_a_sentence
def publish_report(report: dict[str, Any], store: SnapshotStore) -> str:
    """Write the report's page and JSON, and the same as Prefect artifacts; returns where readers find the page."""
    written, _ = write_report(report, store.report_folder(report["run"]["run_id"]))
    page = store.address(written)
    show_report(report, page)
    get_run_logger().info("Wrote the report to %s.", page)
    return page


@flow(
    name="clean-news",
    flow_run_name="clean {source}",
    validate_parameters=True,
    task_runner=ThreadPoolTaskRunner(max_workers=1),  # type: ignore[arg-type]
)
@refused_in_a_sentence
@announced
def clean_news(
    source: PathText,
    output: PathText = "output",
    text_column: str | None = None,
    html_column: str | None = None,
    id_column: str | None = None,
    url_column: str | None = None,
    fetched_column: str | None = None,
    rules: list[Path] = [],  # noqa: B006
    publishers: list[Path] = [],  # noqa: B006
    memory: Path | None = None,
    learn: bool = False,
    fresh: bool = False,
    prune: bool = False,
    replay: bool = False,
    gates: Path | None = None,
    max_quarantined: Annotated[float, Field(ge=0, le=1)] | None = None,
    publish_failed: bool = False,
    keep: Annotated[int, Field(ge=1)] = KEEP,
    workers: Annotated[int, Field(ge=1)] = WORKERS,
    dask: str | None = None,
) -> dict[str, Any]:
    """Clean news pages into the datasets articles, ledger, quarantine, duplicates and runs, and publish them at once.

    Pages that the current snapshot has, cleaned by the same rules, keep their rows. Returns the run's figures, verdict,
    seconds and the paths of the snapshot and the report. Raises GateError where a quality gate failed, UsageError for
    a source or output that cannot be used, RunError otherwise.

    Args:
        source: A file, a folder, a pattern, a URL or `-`, of any kind that `open_source` reads.
        output: The folder to publish in, made where there is none, or s3://bucket/prefix.
        text_column: Column or key that holds a page's text; `text`, where none is named.
        html_column: Column or key that holds a page's HTML; `html`, where a table has no `text`.
        id_column: Column or key that holds a page's id; without it, file and line.
        url_column: Column or key that holds a page's URL; it names the publisher.
        fetched_column: Column or key that holds when a page was fetched; "3 hours ago" counts from it.
        rules: Folders of your own rule files, beside ours.
        publishers: Folders of your own publisher profiles, beside ours.
        memory: A site memory that `copydesk learn` made: furniture that recurs on a site's pages.
        learn: Learn a site memory from the pages of this very run first; it is kept beside the report.
        fresh: Clean every page anew and keep nothing else, as if the output were empty; its history stays.
        prune: Drop pages that are not in the source; without it they stay.
        replay: Clean the pages in the output's quarantine again; nothing is read from the source.
        gates: A settings file with thresholds of your own; `copydesk gates` prints the one that is shipped.
        max_quarantined: Share of pages (0 to 1) that may be quarantined before the run fails; above `gates`.
        publish_failed: Publish even where a quality gate fails.
        keep: Snapshots that stay, this one among them; and beyond them any that were current in the last hour.
        workers: Shards cleaned at once, each by a process of its own on a core of its own; 1 is this very process.
        dask: A Dask cluster to clean shards on: the address of its scheduler, or `local`, `local:4` for one made here.
    """
    clock = outcome.Clock()
    limits = load_gates(gates, max_quarantined)
    columns = {
        "text_column": text_column, "html_column": html_column, "id_column": id_column, "url_column": url_column,
        "fetched_column": fetched_column,
    }  # fmt: skip
    kind = {"learn": learn, "fresh": fresh, "prune": prune, "replay": replay}
    request = open_request(source, output, columns, rules, publishers, memory, **kind, workers=workers, dask=dask)
    store = request.store
    run_id = f"{clock.started:%Y%m%dT%H%M%S}Z-{secrets.token_hex(2)}"
    snapshot = None
    with store.lock(), progress_shown(), _staged(store, run_id) as (staging, scratch):
        state = read_state(staging.previous, staging.fetch)
        reading = request.reading(state)
        shards, request, learnt = _read(request, reading, scratch, (rules, publishers, memory), clock)
        memory = learnt or memory
        made_by = request.desk.versions
        plan = reading.plan(made_by)
        state = state.by(made_by.ruleset, plan.same)
        if said := plan.announced(made_by.ruleset):
            say(said)
            get_run_logger().warning(said)
        shards = _chosen(shards, plan, scratch) if learnt else shards
        parts = arrange(state, plan, shards, staging, scratch)
        desk = copy_desk(rules, publishers, memory, made_by.ruleset, scratch / "desk")
        done, duplicates = _make(staging, store.output, state, parts, desk, (workers, dask), clock)
        figures = done.whole
        held = outcome.hold_laws(figures, parts.pages)
        furniture = site_furniture(done.cleaned["memory"], request.desk.memory)
        judged = figures if replay else outcome.judged(done.cleaned, figures)
        past = outcome.past_runs(staging)
        delivered = None if replay else Delivered(figures["publishers"], plan.counts, past)
        verdict = outcome.told(judge(judged, limits, delivered, furniture), plan.counts, figures)
        run = {
            "run_id": run_id, "name": f"clean {source}", "started_at": clock.started, "source": source,
            "output": output, "steps": clock.steps, "bytes_in": reading.bytes_in,
            "bytes_out": outcome.fill_datasets(staging, made_by.ruleset), "versions": versions(request.desk),
            "refresh": plan.counts, "duplicates": duplicates, **clock.now(),
            "parameters": {**columns, "rules": rules, "publishers": publishers, **kind,
                           "memory": f"reports/{run_id}/{MEMORY}" if learnt else memory,
                           "gates": gates, "max_quarantined": max_quarantined},
        }  # fmt: skip
        runs = outcome.write_history(staging, past.vstack(run_row(run, figures, verdict)), made_by.ruleset)
        if verdict["status"] != "failed" or publish_failed:
            with clock.step("publish"):
                write_state(staging, state, parts.pages, plan.inputs, done.parts, made_by)
                manifest = {
                    "schema": SCHEMA_VERSION,
                    "ruleset": made_by.ruleset,
                    "source": source,
                    "pages_in": figures["pages_in"],
                    "inputs": len(plan.inputs),
                    **plan.counts,
                }
                snapshot = publish_snapshot(store, staging, manifest, keep)
        with clock.step("report"):
            report = build_report(run | clock.now(), figures, verdict, held, request.desk, runs, furniture)
            if learnt:
                shutil.copyfile(learnt, store.report_folder(run_id) / MEMORY)
            # quoted, or Prefect would look through all of it for results of other tasks
            page = publish_report(quote(report), store)  # type: ignore[call-overload]
            _list_report(store, run_id, runs)
    result = {
        "run_id": run_id, "task_runs": len(done.parts) + 3 + learn + (snapshot is not None), "verdict": verdict,
        "snapshot": store.address(snapshot) if snapshot else None,
        "report": page, "steps": clock.steps, "skipped": reading.left_out(), **plan.counts,
        "duplicates": duplicates,
        **{k: figures[k] for k in ("pages_in", "articles", "quarantined", "characters_in", "characters_furniture")},
        "warnings": {w["warning"]: w["pages"] for w in figures["warnings"]},
        "failures": {f["check"]: f["pages"] for f in figures["failures"]},
        **clock.now(),
    }  # fmt: skip
    if snapshot is None:
        raise GateError(f"{verdict['sentence']} Nothing was published; see {page}", result)
    return result


@contextmanager
def _staged(store: SnapshotStore, run_id: str) -> Iterator[tuple[Staging, Path]]:
    """The staging of a run, and a folder for what is gone when it ends. What was not published is thrown away."""
    staging = store.begin(run_id)
    scratch = staging.path.with_name(f".staging-pages-{run_id}")
    try:
        yield staging, scratch
    except OSError as error:
        current = store.current()
        published = current is not None and current.name == run_id
        done = f"snapshot {run_id} is published without its report" if published else "nothing was published"
        what = f"{error.filename or store.name}: {error.strerror or error}"
        raise RunError(f"cannot write {what}; free some space or check its rights; {done}") from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
        store.discard(staging)


def _read(
    request: Request,
    reading: Refresh | Replay,
    scratch: Path,
    given: tuple[list[Path], list[Path], Path | None],
    clock: outcome.Clock,
) -> tuple[list[Shard], Request, Path | None]:
    """Stage the pages, and learn a memory from them where that was asked for: then the request has it as well."""
    with clock.step("read"):
        shards = read_pages(reading, request.desk.versions, scratch)
    if not request.learn:
        return shards, request, None
    with clock.step("learn"):
        memory = learn_memory(shards, scratch, request.desk)
        return shards, dataclasses.replace(request, desk=open_rules(*given[:2], memory)), memory


def _make(
    staging: Staging,
    output: Path,
    state: State,
    plan: Arrangement,
    desk: DeskFiles,
    where: tuple[int, str | None],
    clock: outcome.Clock,
) -> tuple[Made, dict[str, int]]:
    """Write the parts of a snapshot, and which of its articles repeat another: on the same workers."""
    with task_runner(*where, len(plan.cleaned) + len(plan.rewrites)) as (runner, workers):
        with clock.step("clean"):
            done = _clean_all(state, plan, staging.path, desk, runner)
        with clock.step("compare"):
            if workers == 1:
                return done, find_duplicates(staging, output, desk.ruleset)
            return done, _compare_all(staging, output, desk.ruleset, runner, workers)


def _clean_all(state: State, plan: Arrangement, folder: Path, desk: DeskFiles, runner: Any) -> Made:
    """Clean every shard and rewrite parts, as many at once as there are workers."""
    folder = folder.absolute()
    work: dict[int, tuple[Any, dict[str, Any]]] = {
        number: (clean_one_shard, {"shard": shard["path"].absolute(), "folder": folder, "desk": desk, "number": number})
        for number, shard in plan.cleaned.items()
    }
    for rewrite in plan.rewrites:
        given = {"state": of_parts(state, rewrite), "rewrite": rewrite, "dropped": plan.dropped.absolute()}
        work[rewrite.number] = rewrite_one_part, {**given, "folder": folder}
    pages = {number: shard["pages"] for number, shard in plan.cleaned.items()}
    figures: dict[int, Path] = {}
    tell("clean", 0, sum(pages.values()))
    for number, path in _each(runner, work):
        figures[number] = path
        _tell_of(number, figures, pages)
    return made(state, plan, figures, desk.ruleset)


def _compare_all(staging: Staging, output: Path, ruleset: str, runner: Any, workers: int) -> dict[str, int]:
    """Find which articles repeat another in pieces, as many at once as there are workers."""
    tasks: dict[Any, Any] = {sketch_part: sketch_one_part, compare_articles: compare_one_group}

    def spread(function: Callable[..., Path], pieces: Iterable[Mapping[str, Any]]) -> Iterator[Path]:
        done = dict(_each(runner, {n: (tasks[function], dict(piece)) for n, piece in enumerate(pieces)}))
        return (done[n] for n in sorted(done))

    return write_duplicates(staging, output, ruleset=ruleset, spread=spread, workers=workers)


def _each(runner: Any, work: Mapping[int, tuple[Any, dict[str, Any]]]) -> Iterator[tuple[int, Path]]:
    """Do numbered pieces of work (a task and what it is given), and yield the result of each as it is there."""
    left, futures = dict(work), {}
    try:
        for number, (todo, given) in work.items():
            futures[runner.submit(todo, given)] = number
    except Exception as error:
        if not lost(error):
            raise
    for future in as_completed(list(futures)):
        number = futures[future]
        try:
            result = future.result()
        except Exception as error:
            if not lost(error):
                raise
            continue
        release(future)
        del left[number]
        yield number, result
    if left:
        said = f"A worker process was killed: what is left, {len(left)} of {len(work)} pieces, is done in this one."
        get_run_logger().warning(said)
        say(said)
    for number, (todo, given) in left.items():
        yield number, todo(**given)


def _tell_of(number: int, figures: dict[int, Path], pages: dict[int, int]) -> None:
    """Say that a part was written, and how far all are."""
    told = json.loads(figures[number].read_bytes())
    what = "Cleaned" if number in pages else "Rewrote"
    said = f"{what} part %s: %s of its %s pages are articles."
    get_run_logger().info(said, number, f"{told['articles']:,}", f"{told['pages_in']:,}")
    tell("clean", sum(pages.get(n, 0) for n in figures), sum(pages.values()))


def _list_report(store: SnapshotStore, run_id: str, runs: pl.DataFrame) -> None:
    """Draw the index of all runs anew, and have the new report where readers look for it, and as `reports/latest`."""
    write_index(store.report_folder(run_id).parent, runs, store.reports(runs["run_id"]))
    store.show_report(run_id)


def _chosen(shards: list[Shard], plan: Plan, folder: Path) -> list[Shard]:
    """Of all pages, staged, those that are to be cleaned."""
    ids = plan.to_clean()
    if len(ids) == sum(s["pages"] for s in shards):
        return shards
    batches = (pl.read_ipc(s["path"]).join(ids, on="doc_id", how="semi", maintain_order="left") for s in shards)
    return [{"path": s.path, "pages": s.pages} for s in stage(batches, folder / "chosen", shard_bytes=SHARD_BYTES)]
