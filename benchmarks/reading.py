"""What reading costs, by kind of source: MB of pages a CPU second, and peak memory at two sizes.

The pages are invented (varied seeds, wrapped in HTML of about the size of a news page), or taken from a Parquet file.
Each source is read in a process of its own, and nothing is cleaned; with `--publish`, `copydesk run` makes a published
dataset of it, and MB are those of the file.

    python benchmarks/reading.py
    python benchmarks/reading.py --counts 2000 20000 --from pages.parquet --column html
    python benchmarks/reading.py --counts 2000 20000 --from pages.parquet --publish
"""

from __future__ import annotations

import argparse
import gzip
import html
import json
import random
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

sys.path[:0] = [str(Path(__file__).resolve().parent.parent)]

from benchmarks import measuring  # noqa: E402

SEEDS = Path(__file__).parent.parent / "seeds"
PAGE_BYTES = 60_000
"""Bytes of an invented page: scripts and menus make up most of a news page's HTML."""
KINDS = ("warc.gz", "warc", "jsonl.gz", "jsonl", "parquet", "arrow", "csv", "zip")
COLUMNS = ("kind", "pages", "MB", "stored", "MB/CPU s", "pages/CPU s", "idle MB", "peak MB")
_MEASURE = """
import json, sys, time
from pathlib import Path
from flows.readers import ReadOptions, open_source
def peak():  # of this process alone: getrusage begins with what the parent had
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
idle = peak()
began = time.process_time()
pages = size = wrong = 0
for batch in open_source(sys.argv[1]).batches():
    pages += batch.height
    size += int(batch["html"].str.len_bytes().sum())
    wrong += int((batch["problems"].list.len() > 0).sum())
seconds = time.process_time() - began
print(json.dumps([pages, size, wrong, seconds, idle, peak()]))
"""


def invented(count: int) -> Iterator[str]:
    """Pages of HTML: the words of the seeds in another order on each, in markup that hardly repeats."""
    words = " ".join(path.read_text("utf-8", errors="ignore") for path in sorted(SEEDS.rglob("*.txt"))).split()
    chance = random.Random(20_261_122)
    for n in range(count):
        parts = [f'<!doctype html><html><head><meta charset="utf-8"><title>Page {n}</title></head><body>']
        size = 0
        while size < PAGE_BYTES:
            text = html.escape(" ".join(chance.choices(words, k=40)))
            parts.append(f'<p class="c{chance.randrange(1000)}" data-id="{chance.randrange(10**9)}">{text}</p>')
            size += len(parts[-1])
        yield "\n".join([*parts, "</body></html>"])


def given(path: Path, column: str, count: int) -> Iterator[str]:
    """The pages of a column, over and over until there are enough."""
    pages = pl.read_parquet(path, columns=[column])[column].drop_nulls().to_list()
    return (f"{pages[n % len(pages)]}<!-- {n} -->" for n in range(count))


def write(pages: Iterator[str], path: Path) -> None:
    """Write pages as the kind that the path ends in."""
    kind = path.name.partition(".")[2]
    if kind in {"parquet", "arrow"}:
        _write_table(pages, path, kind)
    elif kind == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for n, page in enumerate(pages):
                archive.writestr(f"{n}.html", page)
    else:
        packed = kind.endswith(".gz")
        with path.open("wb") as file:
            if kind == "csv":
                file.write(b"html\n")
            for n, page in enumerate(pages):
                raw = _ROW[kind.removesuffix(".gz")](n, page)
                file.write(gzip.compress(raw, 1) if packed else raw)


def _write_table(pages: Iterator[str], path: Path, kind: str) -> None:
    schema = pa.schema([("html", pa.large_string())])
    writer = pq.ParquetWriter(path, schema) if kind == "parquet" else pa.ipc.new_file(path, schema)
    with writer:
        batch: list[str] = []
        for page in pages:
            batch.append(page)
            if len(batch) == 500:
                writer.write_table(pa.table([batch], schema=schema))
                batch = []
        if batch:
            writer.write_table(pa.table([batch], schema=schema))


def record(n: int, page: str) -> bytes:
    """A WARC record with the page as the response of a server."""
    body = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n" + page.encode()
    head = (
        f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Record-ID: <urn:uuid:{n:032x}>\r\nWARC-Date: 2026-11-01T00:00:00Z\r\n"
        f"WARC-Target-URI: https://news.example/{n}\r\nContent-Type: application/http; msgtype=response\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body + b"\r\n\r\n"


_ROW = {
    "warc": record,
    "jsonl": lambda _, page: json.dumps({"html": page}, ensure_ascii=False).encode() + b"\n",
    "csv": lambda _, page: b'"' + page.replace('"', '""').encode() + b'"\n',
}


def measure(path: Path) -> list[float]:
    """Pages, bytes of HTML, pages with problems, CPU seconds, and memory before and at the peak in kB."""
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE, str(path)], check=True, capture_output=True, text=True, cwd=SEEDS.parent
    )
    numbers: list[float] = json.loads(done.stdout)
    return numbers


def publish(path: Path, work: Path) -> list[float]:
    """The same for `copydesk run`: the bytes are those of the file, the problems pages in quarantine, and no memory
    before."""
    output = work / "output"
    shutil.rmtree(output, ignore_errors=True)
    command = [sys.executable, "-m", "flows.cli", "run", str(path), "-o", str(output), "--max-quarantined", "1"]
    found = measuring.measure(command, work)
    run = pl.read_parquet(output / "runs").row(-1, named=True)
    return [run["pages_in"], path.stat().st_size, run["quarantined"], found["cpu_seconds"], 0, found["peak_mb"] * 1024]


def main() -> None:
    """Write, read and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--counts", type=int, nargs="+", default=[2_000, 20_000])
    parser.add_argument("--kinds", nargs="+", default=["warc.gz"], choices=KINDS)
    parser.add_argument("--from", dest="source", type=Path, help="a Parquet file with pages")
    parser.add_argument("--column", default="html")
    parser.add_argument("--publish", action="store_true", help="clean and publish as well, by `copydesk run`")
    options = parser.parse_args()
    widths = dict(zip(COLUMNS, (10, 8, 9, 9, 10, 13, 9, 9), strict=True))
    print("".join(f"{name:>{width}}" for name, width in widths.items()))
    with tempfile.TemporaryDirectory() as folder:
        for kind in options.kinds:
            for count in options.counts:
                path = Path(folder) / f"pages.{kind}"
                source = options.source
                write(given(source, options.column, count) if source else invented(count), path)
                found = publish(path, Path(folder)) if options.publish else measure(path)
                pages, size, wrong, seconds, idle, peak = found
                if pages != count or (wrong and not options.publish):
                    raise SystemExit(f"{kind}: {pages} pages read, {wrong} with problems, {count} written")
                stored = path.stat().st_size
                rates = (size / 1e6 / seconds, pages / seconds)
                figures = (pages, size / 1e6, stored / 1e6, *rates, idle / 1e3, peak / 1e3)
                cells = [kind, *(f"{figure:,.0f}" for figure in figures)]
                print("".join(f"{cell:>{w}}" for cell, w in zip(cells, widths.values(), strict=True)), flush=True)
                path.unlink()


if __name__ == "__main__":
    main()
