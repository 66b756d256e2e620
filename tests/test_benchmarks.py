"""The benchmarks run and report every figure; how large the figures are is not a test's business."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from packaging.requirements import Requirement

from benchmarks import (
    cost,
    make_pages,
    metadata,
    peers,
    pipeline,
    pipeline_table,
    reading,
    refresh,
    scaling,
    size,
    startup,
)
from flows.server import QUIET, OwnServer

COUNT = 200
BENCHMARKS = Path(pipeline.__file__).parent
RUN_FIGURES = {
    "cpu_seconds", "wall_seconds", "peak_mb", "start_cpu_seconds", "pages_per_cpu_second",
    "pages_per_cpu_second_after_start", "mb_per_cpu_second_after_start", "times_the_floor", "times_the_floor_after_start",
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


def test_unvaried_pages_are_the_given_ones_from_all_places(tmp_path: Path) -> None:
    source, made = tmp_path / "crawl.parquet", tmp_path / "made.parquet"
    pages = [f"<p>{n}</p>" for n in range(10)]
    pq.write_table(pa.table({"html": pages}), source)
    for most, kept in ((4, [0, 2, 5, 7]), (10, range(10)), (30, range(10))):
        assert make_pages.make_file(made, count=most, source=source, text_column="html", unvaried=True) == len(kept)
        assert pq.read_table(made)["text"].to_pylist() == [pages[n] for n in kept]


def assert_complete(run: dict[str, Any]) -> None:
    assert set(run) >= RUN_FIGURES
    assert all(run[name] > 0 for name in RUN_FIGURES)


@pytest.mark.slow
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
    assert set(found["runs"]) == {"floor", "pipeline", "datatrove"}
    for run in pipeline.measured(found["runs"]).values():
        assert_complete(run)
    steps = found["runs"]["pipeline"]["steps"]
    assert set(pipeline.STEPS) < set(steps)
    assert found["runs"]["pipeline"]["pages"] == COUNT
    assert 0 < found["runs"]["pipeline"]["bytes_out"] < found["pages"]["text_bytes"] * 2
    for word in ("pages/CPU s", "x floor", "peak MB", *pipeline.STEPS):
        assert word in done.stdout


@pytest.mark.server
@pytest.mark.slow
def test_the_command_is_measured_with_prefect() -> None:
    report = pipeline.run(count=COUNT, repeats=1, parts=pipeline.OURS)
    runs = report["columns"]["text"]["runs"]
    assert set(runs) == set(pipeline.OURS)
    assert_complete(runs["command"])
    assert "prefect_and_report_cpu_seconds" in runs["command"]
    assert any("Prefect" in row for row in pipeline.table(report))


# peers


def test_the_extra_holds_the_peers_within_bounds() -> None:
    project = tomllib.loads((BENCHMARKS.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needs = [Requirement(need) for need in project["optional-dependencies"]["bench"]]
    assert {need.name for need in needs} >= set(peers.PEERS)
    assert all({s.operator for s in need.specifier} == {">=", "<"} for need in needs)


@pytest.mark.parametrize(
    "column, parts",
    [
        ("text", ["floor", "pipeline", "command", "datatrove"]),
        ("text_full", ["floor", "pipeline", "command", "datatrove"]),
        ("html", ["floor", "pipeline", "command", "trafilatura", "newspaper4k", "resiliparse"]),
    ],
)
def test_each_part_reads_its_columns(column: str, parts: list[str]) -> None:
    assert [part for part in pipeline.PARTS if pipeline.reads(part, column)] == parts


PAGE = (
    "<html><head><title>Ferry fares rise</title></head><body><nav><a href='/'>Home</a></nav><article><h1>Ferry fares "
    "rise</h1><p>The council said on Monday evening that fares on the island ferry rise by a tenth in May, and that "
    "those who hold a yearly ticket pay the old fare until the end of the summer.</p></article></body></html>"
)
LINES = ["Home", "The council said on Monday that fares will rise.", "Share this", "Nobody { had asked for it."]


@pytest.mark.parametrize(
    "peer, page, kept",
    [
        ("datatrove", "\n".join(LINES), "\n".join(LINES[1::2])),
        ("trafilatura", PAGE, None),
        ("newspaper4k", PAGE, None),
        ("resiliparse", PAGE, None),
    ],
)
def test_a_peer_writes_what_it_keeps(peer: str, page: str, kept: str | None, tmp_path: Path) -> None:
    if not peers.installed(peer):
        pytest.skip(f"{peer} is not installed")
    pages, output = tmp_path / "pages.parquet", tmp_path / "output"
    pq.write_table(pa.table({"id": ["a", "b"], "url": [None, None], "text": [page, page]}), pages)
    run_alone(pipeline.command_of(peer, pages, output, tmp_path / "figures.json"), tmp_path)
    (written,) = output.glob("*.parquet")
    rows = pq.read_table(written, columns=["id", "text"]).to_pylist()
    assert [row["id"] for row in rows] == ["a", "b"]
    assert all(row["text"] == kept if kept else "a tenth in May" in row["text"] for row in rows)


def test_a_peer_that_is_not_there_is_a_line_of_the_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "installed", lambda name: None)
    pages = tmp_path / "pages.parquet"
    pq.write_table(pa.table({"id": ["a"], "text": ["A line."]}), pages)
    runs = pipeline.compare(pages, tmp_path, text_bytes=7, parts=("datatrove",), repeats=1)
    assert runs["datatrove"] == {"not_installed": peers.INSTALL}
    told = {"pages": 1, "characters": 7, "lines": 1, "distinct_lines": 1}
    report = {"machine": pipeline.machine(), "columns": {"text": {"pages": told, "runs": runs}}}
    (row,) = (row for row in pipeline.table(report) if row.split()[:1] == ["datatrove"])
    command = ".venv/bin/python -m pip install -U pip && .venv/bin/python -m pip install -e '.[bench]'"
    assert row.endswith(f"not installed: {command}")


def test_the_table_sets_the_pipeline_beside_the_peers() -> None:
    def run(speed: float, **more: float) -> dict[str, float]:
        return dict.fromkeys(RUN_FIGURES, 1.0) | {"pages_per_cpu_second_after_start": speed} | more

    told = {"pages": 10, "characters": 70, "lines": 10, "distinct_lines": 5}
    columns = {
        "text": {"floor": run(9000), "pipeline": run(900, body_f1=0.93456), "datatrove": run(1800)},
        "html": {"floor": run(50), "trafilatura": run(30)},
    }
    report = {"machine": pipeline.machine(), "columns": {c: {"pages": told, "runs": r} for c, r in columns.items()}}
    report["columns"]["text"]["runs"]["pipeline"]["steps"] = {"rules": 0.5}
    rows = list(pipeline.table(report))
    assert [row.split()[:2] for row in rows if " 10 " in row and "1.00" in row] == [
        [part, column] for column, runs in columns.items() for part in runs
    ]
    assert "0.935" in next(row for row in rows if row.split()[:1] == ["pipeline"])
    assert "  pipeline on text: 0.5 x the pages per CPU second of datatrove on text" in rows
    assert "  pipeline on text: 30.0 x the pages per CPU second of trafilatura on html" in rows


def report(pages: int, cpu: float, start: float = 2.0, **more: float) -> dict[str, Any]:
    run = {"cpu_seconds": cpu, "start_cpu_seconds": start, "steps": {"reading and staging": cpu / 10}, "bytes_out": pages * 500}
    told = {"pages": pages, "text_bytes": pages * 2000}
    return {"columns": {"text": {"pages": told, "runs": {"pipeline": run | more}}}}


def test_costs_are_those_of_many_pages_and_held_against_few() -> None:
    (found,) = cost.fit(report(1000, 3.0), report(5000, 7.5))
    assert (found.seconds, found.reading) == (5.5 / 5000, 0.75 / 5000)
    assert (found.bytes_in, found.bytes_out) == (2000, 500)
    assert found.error == pytest.approx(7.0 / 7.5 - 1)
    (alike,) = cost.fit(report(1000, 3.0), report(1000, 3.0))
    assert (alike.seconds, alike.error) == (1.0 / 1000, None)
    with pytest.raises(ValueError, match="the second report has 999 pages, the first 1,000"):
        list(cost.fit(report(1000, 3.0), report(999, 3.0)))


def test_where_one_process_reads_no_core_more_helps() -> None:
    costs = list(cost.fit(report(1000, 3.0), report(5000, 7.5)))
    *_, row = cost.table(costs, pages=86_400_000)
    # 1.1 CPU days, of it 0.15 of reading, which 32 and 320 cores must wait for
    assert row.split() == ["text", "1.1", "0.17", "0.04", "0.1", "0.1", "0.1"]


def test_a_report_beside_an_earlier_one() -> None:
    now, before = (report(1000, 3.0, times_the_floor_after_start=times, body_f1=f1) for times, f1 in ((20.0, 0.95), (30.0, 0.94)))
    rows = list(pipeline_table.beside(now, before))
    assert rows[-1].split() == ["pipeline", "text", "30.0", "->", "20.0", "0.940", "->", "0.950"]


def run_alone(command: list[str], work: Path) -> None:
    """As `measure`, but with the bytecode that is there."""
    subprocess.run(command, cwd=work, check=True, capture_output=True)


def test_body_f1_is_the_scorers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "measure", run_alone)
    scorer = """
import json, sys, pyarrow.parquet as pq
rows = pq.read_table(sys.argv[2]).to_pylist()
json.dump({"body": {"all": {"f1": len(rows) / 4}}}, open(sys.argv[sys.argv.index("--json") + 1], "w"))
"""
    (tmp_path / "score.py").write_text(scorer)
    gold = tmp_path / "gold.parquet"
    pq.write_table(pa.table({"id": ["a", "b"]}), gold)
    text = f"Ferry fares rise\n\nBy Ann Lee\n\n{LINES[1]} It was the fourth rise of the fare within five years."
    pages = [make_pages.Page(name, None, text) for name in ("a", "b", "not of the gold")]
    assert [pipeline.body_f1(part, pages, gold) for part in ("floor", "pipeline")] == [0.5, 0.5]


def test_the_cases_of_dates_are_read_as_the_table_writes_them() -> None:
    from benchmarks import dates

    figures = dates.compare_strings({"copydesk": dates.read_by_copydesk})["copydesk"]
    assert figures["days"] > 0.97 and figures["no date where none is"] > 0.97
    assert dates._expected("published 2024-05-01 10:30:15 KST !ambiguous_date | 1 May") == ("2024-05-01", "10:30")
    assert dates._expected("- !relative_date") == (None, None)
    assert "copydesk" in dates.table({"copydesk": figures})


def test_metadata_is_held_against_the_answers() -> None:
    html = '<title>Ferry fares rise</title><meta name="author" content="Ann Lee"><meta name="date" content="2024-05-01">'
    pages = pl.DataFrame({"id": ["a"], "url": ["https://a.example/1"], "html": [html]})
    answers = {"headline": ["Ferry fares rise"], "authors": [["Bob Ray"]], "date_published": ["2024-05-01T10:00:00+00:00"]}
    gold = pl.DataFrame({"id": ["a"], **answers})
    found, parsing, reading = metadata.read_pages(pages)
    assert parsing > 0 and reading > 0
    assert metadata.as_articles(found).row(0, named=True)["headline"] == "Ferry fares rise"
    assert metadata.by_slot(found, gold, str.lower).rows() == [
        ("authors", "author", 1, 0), ("headline", "title", 1, 1), ("published", "date", 1, 1),
    ]  # fmt: skip
    assert metadata.misses(found, gold, str.lower).rows() == [("authors", "others", 1), ("instant", "a day only", 1)]


@pytest.mark.parametrize("kind", reading.KINDS)
def test_what_reading_is_measured_on_is_read(tmp_path: Path, kind: str) -> None:
    from flows.readers import open_source

    path = tmp_path / f"pages.{kind}"
    reading.write(reading.invented(3), path)
    pages = [html for batch in open_source(path).batches() for html in batch["html"].to_list()]
    assert pages == list(reading.invented(3))


@pytest.mark.slow
@pytest.mark.server
def test_an_archive_is_published_and_measured(tmp_path: Path) -> None:
    path = tmp_path / "pages.warc.gz"
    reading.write(reading.invented(5), path)
    pages, size, _, seconds, _, peak = reading.publish(path, tmp_path)
    assert (pages, size) == (5, path.stat().st_size)
    assert seconds > 0 and peak > 0


@pytest.mark.slow
@pytest.mark.server
def test_the_flow_that_does_nothing_is_started_and_recorded(server: OwnServer) -> None:
    environment = {**os.environ, **QUIET, "PREFECT_API_URL": server.url, "PYTHONPATH": str(startup.ROOT)}
    wall, cpu = startup.seconds([sys.executable, "-c", startup.NOTHING], environment)
    assert wall > 0 and cpu > 0
    (run,) = server._ask("/flow_runs/filter", {"flows": {"name": {"any_": ["nothing"]}}})
    assert run["state_type"] == "COMPLETED"


def test_bytes_out_beside_bytes_in(tmp_path: Path) -> None:
    pages = tmp_path / "pages.parquet"
    make_pages.make_file(pages, count=60)
    found = size.measure(pages, "text", {"id_column": "id", "url_column": "url"})
    assert found["pages"] == 60
    assert found["text"] > found["packed"] > 0
    assert found["share"] == sum(c.total() for c in found["written"].values()) / found["packed"]
    told = "\n".join(size.table(found))
    assert "zstd level 3" in told
    assert "char_start" in told


@pytest.mark.slow
def test_what_the_next_run_costs() -> None:
    report = refresh.run(count=100, parts=("pipeline",))
    found = report["runs"]["pipeline"]
    assert found["same_rows"] is True
    counts = {name: (found[name]["pages_new"], found[name]["pages_unchanged"]) for name in refresh.STAGES}
    assert counts == {"first": (100, 0), "unchanged": (0, 100), "appended": (1, 100), "new_file": (1, 101)}
    told = "\n".join(refresh.table(report))
    assert "pipeline: the same rows as a run from nothing" in told
    assert all(name in told for name in refresh.STAGES)


@pytest.mark.slow
def test_what_a_second_worker_gains() -> None:
    report = scaling.run(count=100, repeats=1)
    assert report["same_bytes"] is True
    assert list(report["runs"]) == ["one", "two", "dask"]
    for found in report["runs"].values():
        assert {"wall_seconds", "cpu_seconds", "peak_mb"} <= set(found) and found["steps"]["clean"] > 0
    assert report["two_times_one"] > 0 and report["dask_beside_two"] > -1
    told = "\n".join(scaling.table(report))
    assert "the same bytes from all three" in told and "in cleaning" in told
