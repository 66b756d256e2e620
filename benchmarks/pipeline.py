"""How many pages a CPU second cleans, from file to published snapshot, beside doing nothing and beside other tools.

Runs over the same made pages, each in a process of its own, with the CPU seconds of all its processes:

- floor: pyarrow reads the pages and writes them again, as zstd Parquet. Nothing is cleaned.
- pipeline: read, stage, clean, validate, check the laws, write and publish, without Prefect.
- command: `copydesk run` as a user types it, with Prefect, its server and the report.
- datatrove: the line filters of C4, from Parquet to Parquet, as datatrove runs them.
- trafilatura: its main text of HTML pages, from Parquet to Parquet.
- newspaper4k: its text of HTML pages, with what it finds of authors, date and title, from Parquet to Parquet.
- resiliparse: it parses HTML pages and renders their main content, from Parquet to Parquet; nothing is cleaned.

The HTML pages are real ones, not made, and few.

Each is also run over one page: that is its start, which does not grow with the pages. Compare ratios of one run of
this script; seconds differ from machine to machine and from hour to hour.

    python benchmarks/pipeline.py --from pages.parquet --id-column id --url-column url --gold gold.parquet
"""

from __future__ import annotations

import argparse
import functools
import importlib
import json
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT)]

import pyarrow as pa  # noqa: E402
import pyarrow.parquet as pq  # noqa: E402

from benchmarks import make_pages  # noqa: E402
from benchmarks.measuring import measure  # noqa: E402
from benchmarks.peers import INSTALL, PEERS, installed  # noqa: E402
from benchmarks.pipeline_table import HTML, LIBRARIES, beside, measured, table  # noqa: E402

OURS = ("floor", "pipeline", "command")
PARTS = (*OURS, *PEERS)
REPEATS = 2
COLUMNS = ("text", "text_full", "html")
"""The columns of a Parquet of pages that are measured where it has them."""
HTML_PAGES = 300
"""At most so many HTML pages: a reader of HTML takes some 40 ms for each."""

STEPS: dict[str, tuple[str, ...]] = {
    "reading and staging": ("flows.staging:stage",),
    "lines": ("copydesk.cleaning:split_lines", "copydesk.html:split_lines"),
    "parsing HTML": ("copydesk.cleaning:read_html",),
    "metadata": ("copydesk.html:read_metadata", "copydesk.html:metadata_frame"),
    "rendering HTML": ("copydesk.html:render",),
    "rules": ("copydesk.rules:RuleBook.match",),
    "dissect": ("copydesk.marks:dissect_lines",),
    "marks, the rest": ("copydesk.cleaning:mark_lines",),
    "publishers": ("copydesk.cleaning:match_publishers",),
    "structure": ("copydesk.cleaning:page_structure",),
    "assemble": ("copydesk.cleaning:decide_roles", "copydesk.cleaning:cut_spans"),
    "fields": ("copydesk.cleaning:article_fields",),
    "language": ("copydesk.fields:detect_language",),
    "hashes and frames": ("flows.shards:clean_pages",),
    "validation": ("flows.shards:admit", "flows.shards:validate"),
    "laws": ("flows.shards:check_laws",),
    "figures": ("flows.shards:shard_figures", "flows.shards:write_figures"),
    "writing": ("flows.shards:put_part",),
    "rules and profiles loaded": ("flows.shards:open_desk",),
    "publishing": ("flows.snapshots:SnapshotStore.publish",),
}
"""The steps of the pipeline, each with the functions that are it, as the caller of each names them."""


class Timers:
    """CPU seconds of steps; a step inside another counts for itself alone."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = dict.fromkeys(STEPS, 0.0)
        self._inner: list[float] = []

    def watch(self) -> None:
        """Put a timer round every function of STEPS. Raises AttributeError where one is no longer there."""
        for step, places in STEPS.items():
            for place in places:
                module, _, path = place.partition(":")
                owner: Any = importlib.import_module(module)
                *parents, name = path.split(".")
                for parent in parents:
                    owner = getattr(owner, parent)
                setattr(owner, name, self._timed(step, getattr(owner, name)))

    def _timed(self, step: str, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def timed(*args: Any, **kwargs: Any) -> Any:
            began = time.process_time()
            self._inner.append(0.0)
            try:
                return function(*args, **kwargs)
            finally:
                spent = time.process_time() - began
                self.seconds[step] += spent - self._inner.pop()
                if self._inner:
                    self._inner[-1] += spent

        return timed


def floor(pages: Path, output: Path) -> None:
    """Read the pages and write them again, row group by row group."""
    output.mkdir(parents=True, exist_ok=True)
    written = output / "pages.parquet"
    with pq.ParquetFile(pages) as file, pq.ParquetWriter(written, file.schema_arrow, compression="zstd") as writer:
        for group in range(file.metadata.num_row_groups):
            writer.write_table(file.read_row_group(group))


def pipeline(pages: Path, output: Path, figures: Path, form: str) -> None:
    """Everything that the command does with the pages, but Prefect and the report; writes the steps' seconds."""
    timers = Timers()
    timers.watch()
    from flows import shards, staging  # noqa: PLC0415
    from flows.readers import ReadOptions, open_source  # noqa: PLC0415
    from flows.snapshots import SnapshotStore  # noqa: PLC0415

    store = SnapshotStore(output).open()
    with store.lock():
        new = store.begin("20260101T000000Z-0000")
        source = open_source(str(pages), ReadOptions(**{f"{form}_column": "text"}, id_column="id", url_column="url"))
        staged = staging.stage(source.batches(), new.path.with_name(".staging-pages"), shard_bytes=shards.SHARD_BYTES)
        for shard in staged:
            shards.clean_shard(shard.path, new.path)
        names = [d.name for d in sorted(new.path.iterdir()) if d.is_dir() and any(d.iterdir())]
        store.publish(new, names, {})
    parts = sum(path.stat().st_size for path in output.glob(".snapshots/*/*/*.parquet"))
    out = {
        "steps": timers.seconds, "shards": len(staged), "pages": sum(s.pages for s in staged), "bytes_out": parts,
    }  # fmt: skip
    figures.write_text(json.dumps(out), encoding="utf-8")


def command_of(part: str, pages: Path, output: Path, figures: Path, column: str = "text") -> list[str]:
    """The command line of a part; `pages` have what is measured in their column `text`, also HTML."""
    form = HTML if column == HTML else "text"
    if part == "command":
        options = [f"--{form}-column", "text", "--id-column", "id", "--url-column", "url", "--max-quarantined", "1"]
        return [sys.executable, "-m", "flows.cli", "run", str(pages), "--output", str(output), *options]
    return [sys.executable, str(Path(__file__).resolve()), "--part", part, str(pages), str(output), str(figures), form]


def reads(part: str, column: str) -> bool:
    """Whether a part reads such a column."""
    return part in OURS or PEERS[part].html == (column == HTML)


def compare(
    pages: Path,
    work: Path,
    *,
    text_bytes: int,
    parts: tuple[str, ...] = OURS,
    repeats: int = REPEATS,
    column: str = "text",
) -> dict[str, Any]:
    """Measure the parts over `pages` and over one page of them; the best of `repeats` counts.

    A peer that is not there has the one figure `not_installed`: how to get it.
    """
    one, figures = work / "one.parquet", work / "steps.json"
    with pq.ParquetFile(pages) as file:
        pq.write_table(pa.Table.from_batches([next(file.iter_batches(1))]), one, compression="zstd")
    count = pq.read_metadata(pages).num_rows
    runs: dict[str, Any] = {}
    for part in parts:
        if part in PEERS and not installed(part):
            runs[part] = {"not_installed": INSTALL}
            continue
        found = {}
        # the first run over one page writes bytecode and makes Prefect's database: it does not count
        for name, source, times in (("warm", one, 1), ("start", one, repeats), ("whole", pages, repeats)):
            tries = []
            for _ in range(times):
                shutil.rmtree(work / "output", ignore_errors=True)
                tries.append(measure(command_of(part, source, work / "output", figures, column), work))
            found[name] = min(tries, key=lambda t: t["cpu_seconds"])
        whole, start = found["whole"], found["start"]["cpu_seconds"]
        runs[part] = whole | {
            "start_cpu_seconds": start,
            "pages_per_cpu_second": count / whole["cpu_seconds"],
            "pages_per_cpu_second_after_start": count / max(whole["cpu_seconds"] - start, 1e-3),
            "mb_per_cpu_second_after_start": text_bytes / 1e6 / max(whole["cpu_seconds"] - start, 1e-3),
        }
        if part == "pipeline":
            runs[part] |= json.loads(figures.read_text(encoding="utf-8"))
            known = sum(runs[part]["steps"].values())
            runs[part]["steps"]["start of Python, imports, the rest"] = whole["cpu_seconds"] - known
    if "floor" in runs:
        base = runs["floor"]["cpu_seconds"], runs["floor"]["pages_per_cpu_second_after_start"]
        for run in measured(runs).values():
            run["times_the_floor"] = run["cpu_seconds"] / base[0]
            run["times_the_floor_after_start"] = base[1] / run["pages_per_cpu_second_after_start"]
    if "command" in runs and "pipeline" in runs:
        prefect = runs["command"]["cpu_seconds"] - runs["pipeline"]["cpu_seconds"]
        runs["command"]["prefect_and_report_cpu_seconds"] = prefect
    return runs


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        names = [row.partition(":")[2].strip() for row in info.read_text().splitlines() if row.startswith("model name")]
        cpu = names[0] if names else cpu
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "cpu": cpu, "cores": os.cpu_count(), "memory_gb": round(memory, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(), **{name: version(name) for name in LIBRARIES},
        **{name: found for name in PEERS if (found := installed(name))},
    }  # fmt: skip


def describe(pages: Path, figures: Path) -> None:
    """Write the pages in figures."""
    texts = pq.read_table(pages, columns=["text"])["text"].to_pylist()
    lines = [line for text in texts for row in text.split("\n") if (line := row.strip())]
    told = {
        "pages": len(texts),
        "characters": sum(map(len, texts)),
        "bytes": pages.stat().st_size,
        "text_bytes": sum(len(text.encode("utf-8", "surrogatepass")) for text in texts),
        "lines": len(lines),
        "distinct_lines": len(set(lines)),
    }
    figures.write_text(json.dumps(told), encoding="utf-8")


def run(
    *,
    source: Path | None = None,
    text_columns: tuple[str, ...] = ("text",),
    id_column: str | None = None,
    url_column: str | None = None,
    count: int = make_pages.COUNT,
    repeats: int = REPEATS,
    parts: tuple[str, ...] = PARTS,
    gold: Path | None = None,
) -> dict[str, Any]:
    """Make the pages, measure, and return the report; with body F1 where there is a gold for the pages of `source`."""
    columns: dict[str, Any] = {}
    for column in text_columns:
        with tempfile.TemporaryDirectory(prefix="copydesk-bench-") as folder:
            work = Path(folder)
            pages = work / "pages.parquet"
            # in processes of their own: on Linux a process starts with the peak memory of the one that started it
            measure(_make(pages, source, count, text_column=column, id_column=id_column, url_column=url_column), work)
            measure(command_of("describe", pages, work / "output", work / "told.json"), work)
            told = json.loads((work / "told.json").read_text(encoding="utf-8"))
            mine = tuple(part for part in parts if reads(part, column))
            size = told["text_bytes"]
            runs = compare(pages, work, text_bytes=size, parts=mine, repeats=repeats, column=column)
            columns[column] = {"pages": told, "runs": runs}
    if source and gold:
        # after all that is measured, as this process grows by it
        for column, found in columns.items():
            pages_given = make_pages.read_pages(source, column, id_column, url_column)
            for part, run in measured(found["runs"]).items():
                # the command writes what the pipeline writes, and HTML as it stands is no text
                if part != "command" and (part, column) != ("floor", HTML):
                    run["body_f1"] = body_f1(part, pages_given, gold, column)
    return {"machine": machine(), "columns": columns}


def body_f1(part: str, pages: list[make_pages.Page], gold: Path, column: str = "text") -> float:
    """Body F1 of a part by the score.py of `gold`, over the gold's pages as they are."""
    import polars as pl  # noqa: PLC0415

    from benchmarks import scoring  # noqa: PLC0415

    checked = set(pl.read_parquet(gold, columns=["id"])["id"])
    with tempfile.TemporaryDirectory(prefix="copydesk-bench-") as folder:
        work = Path(folder)
        given, output = work / "pages.parquet", work / "output"
        make_pages.write((page for page in pages if page.page_id in checked), given)
        measure(command_of(part, given, output, work / "figures.json", column), work)
        if part == "pipeline":
            articles = pl.read_parquet(output / "articles")
        else:
            articles = pl.read_parquet(output / "*.parquet").select(doc_id="id", body="text")
    return float(scoring.score(gold, articles).figures["body"]["all"]["f1"])


def _make(pages: Path, source: Path | None, count: int, **columns: str | None) -> list[str]:
    """The command line that makes the pages."""
    command = [sys.executable, str(Path(make_pages.__file__).resolve()), str(pages), "--count", str(count)]
    if source:
        named = [(f"--{option.replace('_', '-')}", name) for option, name in columns.items() if name]
        command += ["--from", str(source.resolve()), *(word for pair in named for word in pair)]
        if columns["text_column"] == HTML:
            command += ["--unvaried", "--count", str(min(count, HTML_PAGES))]
    return command


def _columns(source: Path | None, wanted: list[str] | None) -> tuple[str, ...]:
    """The columns to measure: those asked for, else those of COLUMNS that the file has."""
    if wanted or source is None:
        return tuple(wanted or ("text",))
    return tuple(n for n in COLUMNS if n in pq.read_schema(source).names)


def main() -> None:
    """Read the command line, run, and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--from", dest="source", type=Path, help="a Parquet of pages to vary (default: the seeds)")
    parser.add_argument("--text-column", action="append",
                        help=f"repeatable (default: those of {', '.join(COLUMNS)} that are there)")  # fmt: skip
    parser.add_argument("--id-column")
    parser.add_argument("--url-column")
    parser.add_argument("--count", type=int, default=make_pages.COUNT, help=f"pages (default {make_pages.COUNT:,})")
    parser.add_argument("--repeats", type=int, default=REPEATS, help=f"the best of so many counts (default {REPEATS})")
    parser.add_argument("--no-prefect", action="store_true", help="leave the command out")
    parser.add_argument("--no-peers", action="store_true", help="leave the other tools out")
    parser.add_argument("--gold", type=Path, help="checked answers to --from: body F1 too, by its score.py")
    parser.add_argument("--json", type=Path, help="write the report here too")
    parser.add_argument("--beside", type=Path, help="an earlier report (--json): how the ratios have changed since")
    parser.add_argument("--part", nargs=5, help=argparse.SUPPRESS)  # part, pages, output, figures, form of the pages
    options = parser.parse_args()
    if options.part:
        part, *paths, form = options.part
        pages, output, figures = map(Path, paths)
        if part == "pipeline":
            pipeline(pages, output, figures, form)
        elif part == "describe":
            describe(pages, figures)
        elif part in PEERS:
            PEERS[part].run(pages, output)
        else:
            floor(pages, output)
        return
    if options.gold and not (options.source and options.id_column):
        parser.error("--gold goes with --from and --id-column")
    left_out = {"command": options.no_prefect, **dict.fromkeys(PEERS, options.no_peers)}
    report = run(
        source=options.source, text_columns=_columns(options.source, options.text_column), id_column=options.id_column,
        url_column=options.url_column, count=options.count, repeats=options.repeats,
        parts=tuple(part for part in PARTS if not left_out.get(part)), gold=options.gold and options.gold.resolve(),
    )  # fmt: skip
    if options.json:
        options.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    print("\n".join(table(report)))
    if options.beside:
        print("\n".join(beside(report, json.loads(options.beside.read_text(encoding="utf-8")))))
    if HTML not in report["columns"] and not options.no_peers:
        print(f"\n  {', '.join(p for p in PEERS if PEERS[p].html)}: only on pages with a column {HTML} (--from)")


if __name__ == "__main__":
    main()
