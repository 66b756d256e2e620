"""How many bytes a run writes, beside the text that it read: the articles and their ledger, column by column.

The text is what all pages of a column weigh one behind the other, packed by zstd at the level that part files have. The
whole is what one run from nothing publishes; small inputs pay for a schema in each file.

    python benchmarks/size.py pages.parquet --column text --column text_full
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT)]

import pyarrow as pa  # noqa: E402
import pyarrow.parquet as pq  # noqa: E402

from benchmarks.refresh import refresh  # noqa: E402
from flows.parts import ZSTD_LEVEL  # noqa: E402

DATASETS = ("articles", "ledger")
PROMISED = 1.6
"""The articles and the ledger together, at most, beside the packed text."""
SHOWN = 8


def measure(pages: Path, column: str, columns: dict[str, str]) -> dict[str, Any]:
    """The bytes of the pages of one `column` as text and packed, and of what a run over them writes."""
    texts = pq.read_table(pages, columns=[column]).column(0).drop_null()
    raw = b"\n".join(text if isinstance(text, bytes) else text.encode() for text in texts.to_pylist())
    packed = len(pa.Codec("zstd", compression_level=ZSTD_LEVEL).compress(raw, asbytes=True))
    written: dict[str, Counter[str]] = {}
    with tempfile.TemporaryDirectory(prefix="copydesk-bench-") as folder:
        output = Path(folder) / "out"
        refresh(pages, output, columns | {"text_column": column}, run_id="size")
        for dataset in DATASETS:
            written[dataset] = Counter()
            for path in (output / dataset).glob("*.parquet"):
                written[dataset].update(_columns(path))
    whole = sum(count.total() for count in written.values())
    return {"column": column, "pages": len(texts), "text": len(raw), "packed": packed, "written": written,
            "share": whole / packed}  # fmt: skip


def _columns(path: Path) -> Counter[str]:
    """The bytes of each column of a part file, and of its footer and page index."""
    found: Counter[str] = Counter()
    stated = pq.read_metadata(path)
    for group in range(stated.num_row_groups):
        for place in range(stated.num_columns):
            column = stated.row_group(group).column(place)
            found[column.path_in_schema] += column.total_compressed_size
    found["(footer, index)"] = path.stat().st_size - found.total()
    return found


def table(found: dict[str, Any]) -> Iterator[str]:
    """What was measured, for people."""
    yield (
        f"{found['column']}: {found['pages']:,} pages, {found['text']:,} bytes of text, {found['packed']:,} by zstd"
        f" level {ZSTD_LEVEL}; written {found['share']:.2f} of that (at most {PROMISED})"
    )
    for dataset, columns in found["written"].items():
        most = ", ".join(f"{name} {size / found['packed']:.3f}" for name, size in columns.most_common(SHOWN))
        yield f"  {dataset:9}{columns.total():>12,} bytes: {most}"


def main() -> None:
    """Read the command line, measure each column, print; exit code 1 where more is written than promised."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("pages", type=Path, help="a Parquet of pages")
    parser.add_argument("--column", action="append", help="a column of pages (default: text); may be given again")
    parser.add_argument("--id-column", default="id")
    parser.add_argument("--url-column", default="url")
    options = parser.parse_args()
    columns = {"id_column": options.id_column, "url_column": options.url_column}
    found = [measure(options.pages, column, columns) for column in options.column or ["text"]]
    print("\n".join(line for one in found for line in table(one)))
    raise SystemExit(any(one["share"] > PROMISED for one in found))


if __name__ == "__main__":
    main()
