"""What the next run costs, where little or nothing has changed since the first.

Made pages lie in a folder as one Parquet file. Four runs into one output: from nothing, over the same pages, with 1 %
new pages at the end of the file, and with 1 % new pages in a file of their own. Then the rows are compared with those
of a run from nothing over all of them.

- pipeline: read, stage, clean, validate, check the laws, write, compare and publish, without Prefect, measured inside
  its process: its start is not in it. `cleaning` leaves comparing out, which takes long where most pages are near
  copies.
- command: `copydesk run` as a user types it, the whole process; the seconds of its steps are from the dataset `runs`.

Compare shares of one run of this script; seconds differ from machine to machine and from hour to hour.

    python benchmarks/refresh.py --from pages.parquet
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT)]

import pyarrow as pa  # noqa: E402
import pyarrow.parquet as pq  # noqa: E402

from benchmarks import make_pages  # noqa: E402
from benchmarks.measuring import measure  # noqa: E402
from benchmarks.pipeline import machine  # noqa: E402

COLUMNS = {"text_column": "text", "id_column": "id", "url_column": "url"}
NEW = 0.01
STAGES = ("first", "unchanged", "appended", "new_file")
PARTS = ("pipeline", "command")


def refresh(
    source: Path | str,
    output: Path | str,
    columns: dict[str, str],
    *,
    run_id: str,
    rules: Sequence[Path] = (),
    publishers: Sequence[Path] = (),
    memory: Path | None = None,
    shard_bytes: int | None = None,
    steps: dict[str, float] | None = None,
    **kind: bool,
) -> Any:
    """All that the flow does with the pages, but Prefect, the history and the report; returns the plan.

    `kind` has the options `prune`, `fresh` and `replay` of the flow; `steps` gets the CPU seconds of each step.
    """
    from flows import outcome  # noqa: PLC0415
    from flows.arrange import Shard, arrange, made  # noqa: PLC0415
    from flows.duplicates import write_duplicates  # noqa: PLC0415
    from flows.request import open_request  # noqa: PLC0415
    from flows.rewrite import rewrite_part  # noqa: PLC0415
    from flows.shards import SHARD_BYTES, clean_shard  # noqa: PLC0415
    from flows.staging import stage  # noqa: PLC0415
    from flows.state import read_state, write_state  # noqa: PLC0415
    from schemas import ARTICLES, DUPLICATES, LEDGER, QUARANTINE  # noqa: PLC0415

    clock = [time.process_time()]

    def ended(step: str) -> None:
        clock.append(time.process_time())
        if steps is not None:
            steps[step] = clock[-1] - clock[-2]

    request = open_request(str(source), str(output), columns, list(rules), list(publishers), memory, **kind)
    store, versions = request.store, request.desk.versions
    ruleset = versions.ruleset
    with store.lock():
        staging = store.begin(run_id)
        scratch = staging.path.with_name(".staging-pages")
        state = read_state(staging.previous, staging.fetch)
        reading = request.reading(state)
        staged = stage(reading.batches(versions), scratch, shard_bytes=shard_bytes or SHARD_BYTES)
        shards: list[Shard] = [{"path": s.path, "pages": s.pages} for s in staged]
        plan = reading.plan(versions)
        state = state.by(ruleset, plan.same)
        ended("read")
        parts = arrange(state, plan, shards, staging, scratch)
        desk = request.desk
        figures = {n: clean_shard(s["path"], staging.path, desk=desk, number=n) for n, s in parts.cleaned.items()}
        figures |= {r.number: rewrite_part(state, r, parts.dropped, staging.path) for r in parts.rewrites}
        done = made(state, parts, figures, ruleset)
        ended("clean")
        write_duplicates(staging, store.output, ruleset=ruleset)
        ended("compare")
        outcome.hold_laws(done.whole, parts.pages)
        outcome.fill_datasets(staging, ruleset)
        write_state(staging, state, parts.pages, plan.inputs, done.parts, versions)
        datasets = [d.name for d in (ARTICLES, LEDGER, QUARANTINE, DUPLICATES)]
        store.publish(staging, datasets, {"pages_in": done.whole["pages_in"]})
        shutil.rmtree(scratch)
        ended("publish")
    return plan


def rows(output: Path) -> dict[str, Any]:
    """All rows of each dataset but the history, in one order."""
    from flows.parts import read_parts  # noqa: PLC0415
    from schemas import ARTICLES, DUPLICATES, LEDGER, QUARANTINE  # noqa: PLC0415

    order = {LEDGER.name: ["doc_id", "char_start", "char_end"], QUARANTINE.name: ["doc_id", "content_hash", "source"]}
    found = {
        d.name: read_parts(sorted((output / d.name).glob("*.parquet")), d)
        for d in (ARTICLES, LEDGER, QUARANTINE, DUPLICATES)
    }
    return {name: frame.sort(order.get(name, ["doc_id"]), maintain_order=True) for name, frame in found.items()}


def same_rows(one: Path, other: Path) -> bool:
    """Whether two outputs have the same rows, whatever part files they stand in."""
    here, there = rows(one), rows(other)
    return all(here[name].equals(there[name]) for name in here)


def _pipeline(source: Path, output: Path, figures: Path, run_id: str) -> None:
    """One refresh in this process, its seconds without the imports."""
    import flows.arrange  # noqa: PLC0415, F401
    from copydesk import clean  # noqa: PLC0415
    from schemas import ARTICLES, PAGES  # noqa: PLC0415

    clean("Ferry fares rise\n\n" + "Fares rise in May. " * 9)
    for dataset in (PAGES, ARTICLES):
        dataset.failures(dataset.empty())
    began, cpu = time.perf_counter(), time.process_time()
    steps: dict[str, float] = {}
    plan = refresh(source, output, COLUMNS, run_id=run_id, steps=steps)
    spent, took = time.process_time() - cpu, time.perf_counter() - began
    told = {"cpu_seconds": spent, "cleaning": spent - steps["compare"], "wall_seconds": took, **plan.counts}
    figures.write_text(json.dumps(told), encoding="utf-8")


def _measured(part: str, source: Path, output: Path, work: Path, stage: str) -> dict[str, float]:
    if part == "pipeline":
        figures = work / "figures.json"
        here = str(Path(__file__).resolve())
        measure([sys.executable, here, "--part", str(source), str(output), str(figures), f"run-{stage}"], work)
        found: dict[str, float] = json.loads(figures.read_text(encoding="utf-8"))
        return found
    options = ["--text-column", "text", "--id-column", "id", "--url-column", "url", "--max-quarantined", "1"]
    command = [sys.executable, "-m", "flows.cli", "run", str(source), "--output", str(output), *options]
    seconds = measure(command, work)
    import polars as pl  # noqa: PLC0415

    last = pl.read_parquet(output / "runs").sort("started_at").row(-1, named=True)
    steps = sum(s["seconds"] for s in last["steps"])  # the row is written before the steps publish and report
    return seconds | {"step_seconds": steps, **{k: v for k, v in last.items() if k.startswith("pages_")}}


def run(*, source: Path | None = None, count: int = make_pages.COUNT, parts: Sequence[str] = PARTS) -> dict[str, Any]:
    """Make the pages, measure, and return the report."""
    runs: dict[str, Any] = {}
    new = max(1, round(count * NEW))
    with tempfile.TemporaryDirectory(prefix="copydesk-bench-") as folder:
        work = Path(folder)
        made = work / "made.parquet"
        if source:
            shutil.copyfile(source, made)
        else:
            make_pages.make_file(made, count=count + 2 * new)
        table = pq.read_table(made)
        count = min(count, len(table) - 2 * new)
        for part in parts:
            pages, output = work / part, work / f"output-{part}"
            pages.mkdir()
            _write(table.slice(0, 1), pages / "pages.parquet")
            for name in ("warm", "start"):  # the first run makes bytecode and Prefect's database: it does not count
                shutil.rmtree(output, ignore_errors=True)
                found = {name: _measured(part, pages, output, work, name)}
            shutil.rmtree(output)
            _write(table.slice(0, count), pages / "pages.parquet")
            for name in STAGES:
                if name == "appended":
                    _write(table.slice(0, count + new), pages / "pages.parquet")
                if name == "new_file":
                    _write(table.slice(count + new, new), pages / "more.parquet")
                found[name] = _measured(part, pages, output, work, name)
            again = work / f"again-{part}"
            _measured(part, pages, again, work, "again")
            runs[part] = found | {"same_rows": same_rows(output, again)}
    return {"machine": machine(), "pages": count, "runs": runs}


def _write(pages: pa.Table, path: Path) -> None:
    pq.write_table(pages, path, compression="zstd", row_group_size=1_000)


def table(report: dict[str, Any]) -> Iterator[str]:
    """The report as lines for a person."""
    at = report["machine"]
    yield f"{at['cpu']}, {at['cores']} cores, {at['memory_gb']} GB; {report['pages']:,} pages"
    yield ""
    heads = ("new", "unchanged", "CPU s", "% of first", "cleaning s", "% of first", "wall s", "% of first", "steps s")
    yield f"  {'':10}{'run':12}" + "".join(f"{head:>12}" for head in heads)
    for part, found in report["runs"].items():
        start = found["start"] if part == "command" else {}
        for name in ("start", *STAGES):
            run = found[name]
            cells = [f"{run['pages_new']:,}", f"{run['pages_unchanged']:,}"]
            for seconds in ("cpu_seconds", "cleaning", "wall_seconds"):
                began = start.get(seconds, 0.0)
                first = found["first"].get(seconds, 0.0) - began
                told = seconds in run
                cells += [f"{run[seconds]:.2f}", f"{(run[seconds] - began) / first:.1%}"] if told else ["", ""]
            cells.append(f"{run['step_seconds']:.2f}" if "step_seconds" in run else "")
            yield f"  {part:10}{name:12}" + "".join(f"{cell:>12}" for cell in cells)
        same = "the same rows as" if found["same_rows"] else "OTHER ROWS than"
        yield f"  {part}: {same} a run from nothing"
    yield "  cleaning: CPU seconds of all steps but comparing"
    yield "  shares of the command are after its start (a run over one page)"


def main() -> None:
    """Read the command line, run, and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--from", dest="source", type=Path, help="a Parquet of pages: id, url, text (default: made)")
    parser.add_argument("--count", type=int, default=make_pages.COUNT, help=f"pages (default {make_pages.COUNT:,})")
    parser.add_argument("--no-prefect", action="store_true", help="leave the command out")
    parser.add_argument("--json", type=Path, help="write the report here too")
    parser.add_argument("--part", nargs=4, metavar=("PAGES", "OUTPUT", "FIGURES", "RUN"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part:
        *paths, run_id = options.part
        _pipeline(*map(Path, paths), run_id)
        return
    parts = PARTS[:1] if options.no_prefect else PARTS
    report = run(source=options.source, count=options.count, parts=parts)
    if options.json:
        options.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    print("\n".join(table(report)))


if __name__ == "__main__":
    main()
