"""What a second worker gains: `copydesk run` over the same pages by one worker, by two, and on a Dask cluster of two.

Each is the whole command, as a user types it, in a process of its own; its steps are as the dataset `runs` tells them.
Workers share the step `clean`; the other steps are done by the flow's process. What the three wrote is compared byte by
byte. Compare ratios of one run of this script, on a machine that has two cores to spare.

    python benchmarks/scaling.py --from pages.parquet --id-column id --url-column url
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT)]

from benchmarks import make_pages  # noqa: E402
from benchmarks.measuring import measure  # noqa: E402
from benchmarks.pipeline import machine  # noqa: E402

WAYS = {"one": ["--workers", "1"], "two": ["--workers", "2"], "dask": ["--dask", "local:2"]}
REPEATS = 2


def once(pages: Path, output: Path, work: Path, way: str) -> dict[str, Any]:
    """Run the command once; its figures, the seconds of its steps, and the digest of all part files but the history."""
    shutil.rmtree(output, ignore_errors=True)
    options = ["--id-column", "id", "--url-column", "url", "--max-quarantined", "1", *WAYS[way]]
    command = [sys.executable, "-m", "flows.cli", "run", str(pages), "--output", str(output), *options]
    found: dict[str, Any] = measure(command, work)
    report = json.loads((output / "reports" / "latest" / "report.json").read_text(encoding="utf-8"))
    parts = sorted(p for p in (output / "current").glob("[!.]*/*.parquet") if p.parent.name != "runs")
    digest = hashlib.sha256()
    for path in parts:
        digest.update(f"{path.parent.name}/{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    steps = {s["step"]: s["seconds"] for s in report["steps"]}
    shards = len([p for p in parts if p.parent.name == "articles"])
    return found | {"steps": steps, "shards": shards, "digest": digest.hexdigest()}


def run(*, count: int = make_pages.COUNT, repeats: int = REPEATS, **pages_of: Any) -> dict[str, Any]:
    """Make the pages, measure each way in turn, the quickest of `repeats` counts, and return the report."""
    tries: dict[str, list[dict[str, Any]]] = {way: [] for way in WAYS}
    with tempfile.TemporaryDirectory(prefix="copydesk-bench-") as folder:
        work = Path(folder)
        pages, one = work / "pages.parquet", work / "one.parquet"
        made = make_pages.make_file(pages, count=count, **pages_of)
        make_pages.make_file(one, count=1)
        once(one, work / "output", work, "one")  # makes bytecode and Prefect's database: it does not count
        for _ in range(repeats):
            for way, found in tries.items():
                found.append(once(pages, work / "output", work, way))
    runs = {way: min(found, key=lambda t: t["wall_seconds"]) for way, found in tries.items()}
    cleaning = {way: found["steps"]["clean"] for way, found in runs.items()}
    return {
        "machine": machine(), "pages": made, "runs": runs,
        "two_times_one": runs["one"]["wall_seconds"] / runs["two"]["wall_seconds"],
        "two_times_one_cleaning": cleaning["one"] / max(cleaning["two"], 1e-3),
        "dask_beside_two": runs["dask"]["wall_seconds"] / runs["two"]["wall_seconds"] - 1,
        "dask_beside_two_cleaning": cleaning["dask"] / max(cleaning["two"], 1e-3) - 1,
        "same_bytes": len({t["digest"] for found in tries.values() for t in found}) == 1,
    }  # fmt: skip


def table(report: dict[str, Any]) -> Iterator[str]:
    """The report as lines for a person."""
    at, runs = report["machine"], report["runs"]
    size = f"{report['pages']:,} pages in {runs['one']['shards']} shards"
    yield f"{at['cpu']}, {at['cores']} cores, {at['memory_gb']} GB; {size}"
    yield ""
    names = list(runs["one"]["steps"])
    yield f"  {'':8}" + "".join(f"{head:>12}" for head in ("wall s", "CPU s", "largest MB", *(f"{n} s" for n in names)))
    for way, found in runs.items():
        cells = [f"{found['wall_seconds']:.1f}", f"{found['cpu_seconds']:.1f}", f"{found['peak_mb']:,.0f}"]
        cells += [f"{found['steps'][name]:.1f}" for name in names]
        yield f"  {way:8}" + "".join(f"{cell:>12}" for cell in cells)
    yield ""
    gain, gain_in_all = report["two_times_one_cleaning"], report["two_times_one"]
    yield f"  two workers are {gain:.2f} times as fast as one in cleaning, {gain_in_all:.2f} in all"
    more, more_in_all = report["dask_beside_two_cleaning"], report["dask_beside_two"]
    yield f"  Dask takes {more:+.0%} of the time of two workers in cleaning, {more_in_all:+.0%} in all"
    yield f"  {'the same bytes' if report['same_bytes'] else 'OTHER BYTES'} from all three"


def main() -> None:
    """Read the command line, run, and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--from", dest="source", type=Path, help="a Parquet of pages to vary (default: the seeds)")
    parser.add_argument("--text-column", default="text")
    parser.add_argument("--id-column")
    parser.add_argument("--url-column")
    parser.add_argument("--count", type=int, default=make_pages.COUNT, help=f"pages (default {make_pages.COUNT:,})")
    parser.add_argument("--repeats", type=int, default=REPEATS, help=f"the best of so many counts (default {REPEATS})")
    parser.add_argument("--json", type=Path, help="write the report here too")
    options = vars(parser.parse_args())
    kept = options.pop("json")
    report = run(**options)
    if kept:
        kept.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    print("\n".join(table(report)))


if __name__ == "__main__":
    main()
