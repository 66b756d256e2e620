"""The index of all runs, without a browser."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from run_rows import run_row, runs_frame, write_index

from flows.report import write_report
from flows.report_index import RUNS_LISTED, RUNS_SHOWN
from flows.snapshots import durable

SAMPLE: dict[str, Any] = json.loads(Path(__file__).with_name("report_sample.json").read_text("utf-8"))


def kept_back(reports: Path, run_id: str, **run: Any) -> None:
    report = {**SAMPLE, "run": {**SAMPLE["run"], "run_id": run_id, **run}, "history": []}
    write_report(report | {"verdict": {**SAMPLE["verdict"], "status": "failed"}}, reports / run_id)


def rows_of(page: Path) -> list[str]:
    table = page.read_text("utf-8").partition('id="runs"')[2]
    return [" ".join(re.sub("<[^>]*>", " ", row).split()) for row in re.findall(r"<tr><th scope=\"row\".*?</tr>", table)]


def test_every_run_is_listed_the_newest_first_and_linked_while_its_report_is_there(tmp_path: Path) -> None:
    rows = [run_row(day, verdict=verdict) for day, verdict in enumerate(("passed", "warned", "passed"))]
    for row in rows[1:]:
        write_report({**SAMPLE, "run": {**SAMPLE["run"], "run_id": row["run_id"]}}, tmp_path / row["run_id"])
    page = write_index(tmp_path, runs_frame(*rows))
    listed = rows_of(page)
    assert [row[:17] for row in listed] == ["3 Nov 2026 05:00 ", "2 Nov 2026 05:00 ", "1 Nov 2026 05:00 "]
    assert "its report is gone" in listed[2]
    links = re.findall(r'href="([^"#]*/report.html)"', page.read_text("utf-8"))
    assert {link.split("/")[0] for link in links} == {row["run_id"] for row in rows[1:]}
    assert all((tmp_path / link).is_file() for link in links)
    assert "46 of 49 pages became articles" in page.read_text("utf-8").partition("<h1")[2].partition("</h1>")[0]


def test_a_run_that_a_gate_kept_back_is_listed_from_its_report(tmp_path: Path) -> None:
    kept_back(tmp_path, "20261102T060000Z-beef", started_at="2026-11-02T06:00:00+00:00", source="a <b>crawl</b>")
    page = write_index(tmp_path, runs_frame(run_row(0), run_row(2)))
    newest, failed, _ = rows_of(page)
    assert newest.startswith("3 Nov")
    assert failed.startswith("2 Nov 2026 06:00 failed not published 49 46 3")
    assert "a &lt;b&gt;crawl&lt;/b&gt;" in page.read_text("utf-8")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"run": 1}', "\x00"])
def test_a_broken_report_costs_its_own_row_only(tmp_path: Path, text: str) -> None:
    (tmp_path / "20261102T060000Z-dead").mkdir()
    (tmp_path / "20261102T060000Z-dead" / "report.json").write_text(text, "utf-8")
    (tmp_path / "latest").symlink_to("20261102T060000Z-dead")
    assert len(rows_of(write_index(tmp_path, runs_frame(run_row(0))))) == 1


def test_before_any_run_the_index_says_so(tmp_path: Path) -> None:
    assert "Nothing has run here yet." in write_index(tmp_path, runs_frame()).read_text("utf-8")


def test_a_long_history_is_folded_and_capped(tmp_path: Path) -> None:
    page = write_index(tmp_path, runs_frame(*(run_row(day) for day in range(RUNS_LISTED + 7))))
    assert len(rows_of(page)) == RUNS_LISTED
    text = page.read_text("utf-8")
    assert f"The other {RUNS_LISTED - RUNS_SHOWN} runs" in text
    assert "7 older runs stand in the dataset" in text


def test_an_index_that_cannot_be_written_leaves_the_last_one_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = write_index(tmp_path, runs_frame(run_row(0)))
    before = page.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(durable.os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_index(tmp_path, runs_frame(run_row(0), run_row(1)))
    assert page.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["index.html"]
