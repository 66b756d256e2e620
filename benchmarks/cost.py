"""What cleaning a large corpus costs, from two reports of `pipeline.py` over few and over many of the same pages.

For each input, CPU seconds are taken as a start and so much for each page, fitted to the first report and held against
the second: how far the two are apart is printed. Then what that makes of a million pages, and of a year of CC-NEWS.

    python benchmarks/pipeline.py --count 5000 --json few.json
    python benchmarks/pipeline.py --count 20000 --json many.json
    python benchmarks/cost.py few.json many.json
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

YEAR_OF_CC_NEWS = 140_000_000
"""Articles: 1.35 billion from August 2016 to spring 2026 (Lazzaroni, Lasser, Solovev 2026, arXiv:2605.18337)."""
CORES = (32, 320)
READING = ("reading and staging",)
"""The steps that one process does for all, however many clean."""


@dataclasses.dataclass(frozen=True)
class Cost:
    """What an input costs, a page: CPU seconds (of which `reading` in one process), bytes of text or HTML in, bytes of
    Parquet out. `error` is how far a fit to few pages misses the many, as a share; None where both are of the same
    pages, as those of HTML are, which are real ones and few."""

    column: str
    seconds: float
    reading: float
    bytes_in: float
    bytes_out: float
    error: float | None


def fit(few: dict[str, Any], many: dict[str, Any]) -> Iterator[Cost]:
    """The costs of each input that both reports have; raises ValueError where the second is of fewer pages."""
    for column, found in many["columns"].items():
        if column not in few["columns"]:
            continue
        (small, pages_small), (large, pages_large) = (
            (report["columns"][column]["runs"]["pipeline"], report["columns"][column]["pages"]["pages"])
            for report in (few, many)
        )
        if pages_large < pages_small:
            raise ValueError(f"{column}: the second report has {pages_large:,} pages, the first {pages_small:,}")
        start = small["start_cpu_seconds"]
        foretold = start + (small["cpu_seconds"] - start) / pages_small * pages_large
        yield Cost(
            column, (large["cpu_seconds"] - large["start_cpu_seconds"]) / pages_large,
            sum(large["steps"][step] for step in READING) / pages_large,
            found["pages"]["text_bytes"] / pages_large, large["bytes_out"] / pages_large,
            foretold / large["cpu_seconds"] - 1 if pages_large > pages_small else None,
        )  # fmt: skip


def table(costs: list[Cost], pages: int = YEAR_OF_CC_NEWS) -> Iterator[str]:
    """The costs as lines for a person, and those of `pages` pages on CORES."""
    heads = f"{'CPU hours':>11}{'of it reading':>15}{'GB in':>8}{'GB out':>8}{'fit off by':>12}"
    yield f"  {'a million pages of':20}{heads}"
    for cost in costs:
        error = "" if cost.error is None else f"{cost.error:+.1%}"
        yield (
            f"  {cost.column:20}{cost.seconds * 1e6 / 3600:>11.2f}{cost.reading * 1e6 / 3600:>15.2f}"
            f"{cost.bytes_in / 1e3:>8.1f}{cost.bytes_out / 1e3:>8.1f}{error:>12}"
        )
    yield f"\n  {f'{pages:,} pages as':20}{'CPU days':>11}{'TB in':>8}{'TB out':>8}" + "".join(
        f"{f'days on {cores}':>14}" for cores in CORES
    ) + f"{'days of reading':>18}"
    for cost in costs:
        days = cost.seconds * pages / 86_400
        # one process reads and stages for all that clean: where it takes longer, it is what the run takes
        reading = cost.reading * pages / 86_400
        yield (
            f"  {cost.column:20}{days:>11.1f}{cost.bytes_in * pages / 1e12:>8.2f}{cost.bytes_out * pages / 1e12:>8.2f}"
            + "".join(f"{max((days - reading) / cores, reading):>14.1f}" for cores in CORES)
            + f"{reading:>18.1f}"
        )


def main() -> None:
    """Read the two reports and print the costs."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("few", type=Path, help="a report over few pages (pipeline.py --json)")
    parser.add_argument("many", type=Path, help="a report over many")
    parser.add_argument("--pages", type=int, default=YEAR_OF_CC_NEWS, help="pages of the corpus (default %(default)s)")
    options = parser.parse_args()
    few, many = (json.loads(path.read_text(encoding="utf-8")) for path in (options.few, options.many))
    try:
        costs = list(fit(few, many))
    except ValueError as error:
        parser.error(str(error))
    print("\n".join(table(costs, options.pages)))


if __name__ == "__main__":
    main()
