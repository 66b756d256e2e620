"""The main job: news pages in, a published and audited dataset out.

The recipe: open the source and the output, stage the pages in shards, clean every shard, check the laws and
the gates over all of them, publish a snapshot, and draw the report. Tasks pass paths and small dicts.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import os
import secrets
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.futures import as_completed
from prefect.logging import get_run_logger
from prefect.task_runners import ThreadPoolTaskRunner
from pydantic import BeforeValidator, Field

from copydesk.cleaning import Desk
from flows import laws
from flows.artifacts import progress_shown, show_report
from flows.drift import site_furniture
from flows.errors import GateError, RunError
from flows.figures import Figures, add_up
from flows.gate_settings import load_gates
from flows.gates import judge
from flows.history import build_report, past_runs, run_row, versions
from flows.learn import learn_from_shards
from flows.ending import announced, refused_in_a_sentence
from flows.parts import write_part
from flows.progress import tell
from flows.readers import ReadOptions, open_source
from flows.report import write_report
from flows.report_index import write_index
from flows.request import Request, open_request, open_rules
from flows.shards import SHARD_BYTES, clean_shard
from flows.snapshots import SnapshotStore, Staging
from flows.staging import stage
from flows.wording import counted
from schemas import ARTICLES, DATASETS, LEDGER, QUARANTINE, RUNS, SCHEMA_VERSION

MEMORY = "memory.toml"
WORKERS = min(4, os.cpu_count() or 1)

PathText = Annotated[str, BeforeValidator(lambda path: os.fspath(path) if isinstance(path, os.PathLike) else path)]
"""A path as text, so that Prefect draws a plain field for it; Python callers may pass a Path."""


def _may_help(_task: Any, _run: Any, state: Any) -> bool:
    """Try again after what may pass by itself (a file system that stumbled), not after a refusal."""
    return isinstance(state.result(raise_on_failure=False), OSError)


_RETRY: dict[str, Any] = {"retries": 2, "retry_delay_seconds": [1, 5], "retry_condition_fn": _may_help}


@task(name="read pages", task_run_name="read {source}", cache_policy=NO_CACHE, **_RETRY)
@refused_in_a_sentence
def read_pages(source: str, options: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Read the source and stage its pages as `shards` below `folder`; `left_out` is what in its files was no page."""
    pages = open_source(source, ReadOptions(**options))

    def watched() -> Iterator[Any]:
        for batch in pages.batches():
            tell("read", pages.bytes_read, pages.total_bytes)
            yield batch

    shards = stage(watched(), folder, shard_bytes=SHARD_BYTES)
    tell("read", pages.total_bytes, pages.total_bytes)
    count = sum(s.pages for s in shards)
    get_run_logger().info("Read %s pages from %s into %s.", f"{count:,}", pages.describe(), counted(shards, "shard"))
    return {"shards": [{"path": s.path, "pages": s.pages} for s in shards], "left_out": pages.left_out()}


@task(name="clean shard", task_run_name="clean {shard.stem}", cache_policy=NO_CACHE, **_RETRY)
@refused_in_a_sentence
def clean_one_shard(
    shard: Path, folder: Path, rules: Sequence[Path], publishers: Sequence[Path], memory: Path | None
) -> Path:
    """Clean one shard into part files below `folder`; returns the path of its figures."""
    if not folder.is_dir():
        raise RunError("the run was stopped")
    figures = clean_shard(shard, folder, rules=rules, publishers=publishers, memory=memory)
    told = json.loads(figures.read_bytes())
    get_run_logger().info(
        "Cleaned %s: %s of its %s pages are articles.", shard.stem, f"{told['articles']:,}", f"{told['pages_in']:,}"
    )
    return figures


@task(name="learn site memory", task_run_name="learn site memory", cache_policy=NO_CACHE)
@refused_in_a_sentence
def learn_memory(shards: list[dict[str, Any]], folder: Path, desk: Desk) -> Path:
    """Learn which lines recur on each site's pages; the memory goes into `folder`, in the end beside the report."""
    text = learn_from_shards([(s["path"], s["pages"]) for s in shards], folder, desk)
    (folder / MEMORY).write_text(text, encoding="utf-8")
    return folder / MEMORY


@task(name="publish snapshot", task_run_name="publish snapshot", cache_policy=NO_CACHE)
@refused_in_a_sentence
def publish_snapshot(store: SnapshotStore, staging: Staging, manifest: dict[str, Any]) -> Path:
    """Swap the new snapshot in, at once."""
    folder = store.publish(staging, [d.name for d in DATASETS], manifest)
    get_run_logger().info("Published snapshot %s.", folder.name)
    return folder


@task(name="write report", task_run_name="write report", cache_policy=NO_CACHE)
@refused_in_a_sentence
def publish_report(report: dict[str, Any], folder: Path) -> Path:
    """Write the report's page and JSON, and the same as Prefect artifacts."""
    page, _ = write_report(report, folder)
    show_report(report, page)
    get_run_logger().info("Wrote the report to %s.", page)
    return page


@flow(
    name="clean-news",
    flow_run_name="clean {source}",
    validate_parameters=True,
    task_runner=ThreadPoolTaskRunner(max_workers=WORKERS),  # type: ignore[arg-type]
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
    gates: Path | None = None,
    max_quarantined: Annotated[float, Field(ge=0, le=1)] | None = None,
    publish_failed: bool = False,
) -> dict[str, Any]:
    """Clean news pages into the datasets articles, ledger, quarantine and runs, and publish them at once.

    Returns the run's figures, verdict, seconds and the paths of the snapshot and the report. Raises GateError
    where a quality gate failed, UsageError for a source or output that cannot be used, RunError otherwise.

    Args:
        source: A file, a folder, a pattern, a URL or `-`, of any kind that `open_source` reads.
        output: The folder to publish in; made where there is none.
        text_column: Column or key that holds a page's text; `text`, where none is named.
        html_column: Column or key that holds a page's HTML; `html`, where a table has no `text`.
        id_column: Column or key that holds a page's id; without it, file and line.
        url_column: Column or key that holds a page's URL; it names the publisher.
        fetched_column: Column or key that holds when a page was fetched; "3 hours ago" counts from it.
        rules: Folders of your own rule files, beside ours.
        publishers: Folders of your own publisher profiles, beside ours.
        memory: A site memory that `copydesk learn` made: furniture that recurs on a site's pages.
        learn: Learn a site memory from the pages of this very run first; it is kept beside the report.
        gates: A settings file with thresholds of your own; `copydesk gates` prints the one that is shipped.
        max_quarantined: Share of pages (0 to 1) that may be quarantined before the run fails; above `gates`.
        publish_failed: Publish even where a quality gate fails.
    """
    clock = _Clock()
    limits = load_gates(gates, max_quarantined)
    columns = {
        "text_column": text_column, "html_column": html_column, "id_column": id_column, "url_column": url_column,
        "fetched_column": fetched_column,
    }  # fmt: skip
    request = open_request(source, output, columns, rules, publishers, memory, learn=learn)
    store = request.store
    run_id = f"{clock.started:%Y%m%dT%H%M%S}Z-{secrets.token_hex(2)}"
    snapshot = None
    with store.lock(), progress_shown():
        staging = store.begin(run_id)
        pages_folder = staging.path.with_name(f".staging-pages-{run_id}")
        try:
            with clock.step("read"):
                read = read_pages(source, columns, pages_folder)
                shards = read["shards"]
            if learn:
                with clock.step("learn"):
                    memory = learn_memory(shards, pages_folder, request.desk)
                    request = dataclasses.replace(request, desk=open_rules(rules, publishers, memory))
                    learnt = memory.read_bytes()
            ruleset = request.desk.ruleset
            with clock.step("clean"):
                figures = _clean_all(shards, staging.path, rules, publishers, memory)
            shutil.rmtree(pages_folder, ignore_errors=True)
            held = _laws(figures, sum(s["pages"] for s in shards))
            furniture = site_furniture(figures["memory"], request.desk.memory)
            verdict = judge(figures, limits, _past(staging), furniture)
            run = {
                "run_id": run_id, "name": f"clean {source}", "started_at": clock.started, "source": source,
                "output": output, "steps": clock.steps, **_sizes(request, staging, ruleset), **clock.now(),
                "parameters": {**columns, "rules": rules, "publishers": publishers,
                               "memory": f"reports/{run_id}/{MEMORY}" if learn else memory,
                               "gates": gates, "max_quarantined": max_quarantined},
            }  # fmt: skip
            runs = _history(staging, run_row(run, figures, verdict), ruleset)
            if verdict["status"] != "failed" or publish_failed:
                with clock.step("publish"):
                    manifest = {
                        "schema": SCHEMA_VERSION,
                        "ruleset": ruleset,
                        "source": source,
                        "pages_in": figures["pages_in"],
                    }
                    snapshot = publish_snapshot(store, staging, manifest)
            else:
                store.discard(staging)
            with clock.step("report"):
                report = build_report(run | clock.now(), figures, verdict, held, request.desk, runs, furniture)
                if learn:
                    (store.report_folder(run_id) / MEMORY).write_bytes(learnt)
                page = publish_report(report, store.report_folder(run_id))
                _list_report(store, run_id, runs)
        except BaseException as error:
            shutil.rmtree(pages_folder, ignore_errors=True)
            store.discard(staging)
            if isinstance(error, OSError):
                done = (
                    f"snapshot {snapshot.name} is published without its report" if snapshot else "nothing was published"
                )
                what = f"{error.filename or output}: {error.strerror or error}"
                raise RunError(f"cannot write {what}; free some space or check its rights; {done}") from error
            raise
    result = {
        "run_id": run_id, "task_runs": len(shards) + 2 + learn + (snapshot is not None), "verdict": verdict,
        "snapshot": str(snapshot) if snapshot else None,
        "report": str(page), "steps": clock.steps,
        "skipped": [*read["left_out"], *(f"{s.name} ({s.why})" for s in request.source.skipped)],
        **{k: figures[k] for k in ("pages_in", "articles", "quarantined", "characters_in", "characters_furniture")},
        "warnings": {w["warning"]: w["pages"] for w in figures["warnings"]},
        "failures": {f["check"]: f["pages"] for f in figures["failures"]},
        **clock.now(),
    }  # fmt: skip
    return _published(result)


def _clean_all(
    shards: list[dict[str, Any]],
    folder: Path,
    rules: Sequence[Path],
    publishers: Sequence[Path],
    memory: Path | None,
) -> Figures:
    """Clean every shard, as many at once as the task runner allows, and add their figures up in shard order."""
    pages = sum(s["pages"] for s in shards)
    futures = {clean_one_shard.submit(s["path"], folder, rules, publishers, memory): s for s in shards}
    done = 0
    tell("clean", done, pages)
    for future in as_completed(list(futures)):
        future.result()
        done += futures[future]["pages"]
        tell("clean", done, pages)
    figures = [json.loads(Path(f.result()).read_text(encoding="utf-8", errors="surrogatepass")) for f in futures]
    return add_up(figures)


def _laws(figures: Figures, pages_in: int) -> list[laws.Law]:
    """The laws over the whole run. Each shard held its own; here the shards must add up."""
    kept, cut = figures["characters_kept"], figures["characters_furniture"]
    waiting = figures["characters_quarantined"]
    spans = sum(r["spans"] for r in figures["roles"])
    held = [
        laws.pages_add_up(pages_in, figures["articles"], figures["quarantined"]),
        laws.characters_balance(figures["characters_in"], kept, cut, waiting),
        laws.Law(3, "No rule, no removal", f"{spans:,} spans name one of {len(figures['rules'])} rules"),
        laws.Law(
            4, "Nothing is invented", f"the printed fields of {figures['articles']:,} articles stand on their pages"
        ),
    ]
    for law in held:
        if not law.passed:
            raise RunError(f"law {law.number} ({law.name}) is broken: {'; '.join(law.broken)}; nothing was published")
    return held


def _sizes(request: Request, staging: Staging, ruleset: str) -> dict[str, Any]:
    """Bytes in and out, and versions. A dataset without rows gets a file here, so that readers find its columns."""
    for dataset in (ARTICLES, LEDGER, QUARANTINE):
        if not any(staging.dataset(dataset.name).iterdir()):
            write_part(dataset.empty(), dataset, staging.dataset(dataset.name) / "part-00000.parquet", ruleset=ruleset)
    bytes_out = sum(p.stat().st_size for p in staging.path.rglob("*.parquet"))
    return {"bytes_in": request.source.total_bytes, "bytes_out": bytes_out, "versions": versions(request.desk)}


def _past(staging: Staging) -> Any:
    """The dataset `runs` as it is published: the runs before this one."""
    return past_runs(staging.previous / RUNS.name if staging.previous else None)


def _published(result: dict[str, Any]) -> dict[str, Any]:
    """The result of a run that was published. Raises GateError where a gate kept it back."""
    if result["snapshot"] is None:
        raise GateError(f"{result['verdict']['sentence']} Nothing was published; see {result['report']}", result)
    return result


def _history(staging: Staging, row: Any, ruleset: str) -> Any:
    """Write the runs so far and this one as the dataset `runs`, and return it."""
    runs = _past(staging).vstack(row)
    wrong = RUNS.failures(runs)
    if len(wrong):
        raise RunError(f"runs breaks its contract: {wrong.row(0)}; this is a defect of copydesk: please report it")
    write_part(runs, RUNS, staging.dataset(RUNS.name) / "part-00000.parquet", ruleset=ruleset)
    return runs


def _list_report(store: SnapshotStore, run_id: str, runs: Any) -> None:
    """Point `reports/latest` at the new report, and draw the index of all runs anew."""
    store.point_latest(run_id)
    write_index(store.report_folder(run_id).parent, runs)


class _Clock:
    """Wall time of a run and its steps."""

    def __init__(self) -> None:
        self.started = dt.datetime.now(dt.UTC)
        self._began = time.perf_counter()
        self.steps: list[dict[str, Any]] = []

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self.steps.append({"step": name, "seconds": round(time.perf_counter() - began, 3)})

    def now(self) -> dict[str, Any]:
        return {"finished_at": dt.datetime.now(dt.UTC), "seconds": round(time.perf_counter() - self._began, 3)}
