"""The benchmarks run and report every figure; how large the figures are is not a test's business."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks import make_pages, pipeline

COUNT = 200
BENCHMARKS = Path(pipeline.__file__).parent
RUN_FIGURES = {
    "cpu_seconds", "wall_seconds", "peak_mb", "start_cpu_seconds", "pages_per_cpu_second",
    "pages_per_cpu_second_after_start", "times_the_floor", "times_the_floor_after_start",
}  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pages") / "pages.parquet"
    assert make_pages.make_file(path, count=COUNT) == COUNT
    return path


def test_made_pages_differ_and_keep_their_ids_and_urls(made: Path) -> None:
    table = pq.read_table(made)
    assert table.schema.names == ["id", "url", "text"]
    for column in ("id", "url", "text"):
        assert len(set(table[column].to_pylist())) == COUNT, column


def test_most_text_lines_are_distinct_and_furniture_repeats(made: Path) -> None:
    lines = [row.strip() for text in pq.read_table(made)["text"].to_pylist() for row in text.split("\n")]
    text = [row for row in lines if len(row) >= 80]
    labels = [row for row in lines if 0 < len(row) <= 20 and row.isascii()]
    assert len(set(text)) > 0.9 * len(text)
    assert len(set(labels)) < 0.7 * len(labels)


def test_the_same_seed_makes_the_same_file_and_another_another(made: Path, tmp_path: Path) -> None:
    again, other = tmp_path / "again.parquet", tmp_path / "other.parquet"
    make_pages.make_file(again, count=COUNT)
    make_pages.make_file(other, count=COUNT, seed=7)
    assert again.read_bytes() == made.read_bytes()
    assert other.read_bytes() != made.read_bytes()


def test_pages_are_made_from_a_parquet_with_columns_of_any_name(tmp_path: Path) -> None:
    source, made = tmp_path / "crawl.parquet", tmp_path / "made.parquet"
    line = "The council said on Monday that ferry fares between both islands will rise by a tenth from 4 May 2024."
    rows = {
        "body": [line, None, line + " Again."],
        "key": [1, 2, 3],
        "link": ["https://a.example/1", None, "https://a.example/2"],
    }
    pq.write_table(pa.table(rows), source)
    make_pages.make_file(made, count=6, source=source, text_column="body", id_column="key", url_column="link")
    table = pq.read_table(made)
    assert table["id"].to_pylist()[:2] == ["1", "3"]  # the page without a text is left out
    assert all(url.startswith("https://a.example/") for url in table["url"].to_pylist())


def assert_complete(run: dict[str, Any]) -> None:
    assert set(run) >= RUN_FIGURES
    assert all(run[name] > 0 for name in RUN_FIGURES)


def test_the_benchmark_reports_every_figure(tmp_path: Path) -> None:
    out = tmp_path / "report.json"
    done = subprocess.run(
        [sys.executable, BENCHMARKS / "pipeline.py", "--count", str(COUNT), "--repeats", "1", "--no-prefect", "--json", out],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    report = json.loads(out.read_text())
    assert {"cpu", "cores", "memory_gb", "python", *pipeline.LIBRARIES} <= set(report["machine"])
    found = report["columns"]["text"]
    assert found["pages"]["pages"] == COUNT
    assert set(found["runs"]) == {"floor", "pipeline"}
    for run in found["runs"].values():
        assert_complete(run)
    steps = found["runs"]["pipeline"]["steps"]
    assert set(pipeline.STEPS) < set(steps)
    assert found["runs"]["pipeline"]["pages"] == COUNT
    for word in ("pages/CPU s", "x floor", "peak MB", *pipeline.STEPS):
        assert word in done.stdout


@pytest.mark.server
@pytest.mark.slow
def test_the_command_is_measured_with_prefect() -> None:
    report = pipeline.run(count=COUNT, repeats=1)
    runs = report["columns"]["text"]["runs"]
    assert set(runs) == set(pipeline.PARTS)
    assert_complete(runs["command"])
    assert "prefect_and_report_cpu_seconds" in runs["command"]
    assert any("Prefect" in row for row in pipeline.table(report))
