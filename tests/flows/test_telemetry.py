"""What machines are told of a run: metrics that a monitor reads, logs as JSON lines."""

from __future__ import annotations

import json
import logging
import re
from pathlib import Path
from typing import Any

import pytest

from flows import metrics
from flows.errors import UsageError
from flows.metrics import check_metrics, metrics_text, write_metrics
from flows.run_log import _Lines, run_log

RESULT: dict[str, Any] = {
    "snapshot": "s", "steps": [{"step": "read", "seconds": 0.5}, {"step": "clean", "seconds": 1.25}], "articles": 30,
    "quarantined": 2, "characters_in": 40_000, "characters_furniture": 4_483, "warnings": {"no_date": 2}, "failures": {},
    "verdict": {"gates": [{"gate": "cut", "value": 0.25, "passed": True}, {"gate": "drift", "value": 0.5, "passed": False}]},
}  # fmt: skip


def read_metrics(text: str) -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
    """Read Prometheus' text format, strictly: each metric has its help and type before its samples, once."""
    found: dict[str, dict[tuple[tuple[str, str], ...], float]] = {}
    lines = text.split("\n")
    assert lines.pop() == ""
    while lines:
        name = re.fullmatch(r"# HELP ([a-z_]+) \S.*", lines.pop(0))[1]  # type: ignore[index]
        assert lines.pop(0) == f"# TYPE {name} gauge"
        assert name not in found
        found[name] = {}
        while lines and not lines[0].startswith("#"):
            sample = re.fullmatch(rf'{name}\{{((?:[a-z]+="(?:[^"\\]|\\.)*",?)+)\}} (\S+)', lines.pop(0))
            labels = re.findall(r'([a-z]+)="((?:[^"\\]|\\.)*)"', sample[1])  # type: ignore[index]
            assert tuple(labels) not in found[name]
            found[name][tuple(labels)] = float(sample[2])  # type: ignore[index]
    return found


def test_the_metrics_of_a_run() -> None:
    found = read_metrics(metrics_text(10, 12.5, "warned", '/o "p"\\', RESULT, None))
    whose = ("output", '/o \\"p\\"\\\\')
    assert found["copydesk_run_verdict"] == {(whose, ("status", s)): float(s == "warned") for s in ("passed", "warned", "failed")}
    assert found["copydesk_last_published_timestamp_seconds"] == {(whose,): 12.5}
    assert found["copydesk_run_gate_passed"] == {(whose, ("gate", "cut")): 1, (whose, ("gate", "drift")): 0}
    assert found["copydesk_run_pages"] == {(whose, ("outcome", "article")): 30, (whose, ("outcome", "quarantined")): 2}
    assert "copydesk_run_failures" not in found


def test_a_run_that_broke_keeps_when_one_was_published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "copydesk.prom"
    monkeypatch.setenv(metrics.VARIABLE, str(path))
    write_metrics(10, "failed", "/o", {})
    assert "copydesk_last_published_timestamp_seconds" not in read_metrics(path.read_text("utf-8"))
    write_metrics(10, "passed", "/o", RESULT)
    published = read_metrics(path.read_text("utf-8"))["copydesk_last_published_timestamp_seconds"]
    write_metrics(10, "failed", "/o", {})
    write_metrics(10, "failed", "/o", RESULT | {"snapshot": None})
    found = read_metrics(path.read_text("utf-8"))
    assert found["copydesk_last_published_timestamp_seconds"] == published
    assert found["copydesk_run_verdict"][(("output", "/o"), ("status", "failed"))] == 1
    assert [p.name for p in tmp_path.iterdir()] == ["copydesk.prom"]


def test_telemetry_in_places_that_are_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COPYDESK_METRICS", str(tmp_path / "no" / "m.prom"))
    with pytest.raises(UsageError, match=r"cannot write the metrics .*m\.prom: name a file in a folder of yours"):
        check_metrics()
    monkeypatch.setenv("COPYDESK_LOG_JSON", str(tmp_path / "no" / "log"))
    with pytest.raises(UsageError, match=r"cannot write the log .*: No such file or directory; name another file"), run_log():
        pass
    monkeypatch.delenv("COPYDESK_METRICS")
    check_metrics()


@pytest.mark.filterwarnings("ignore:Logger 'prefect")
def test_a_log_is_one_object_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "log.jsonl"
    logger = logging.getLogger("prefect.flow_runs")
    monkeypatch.setenv("COPYDESK_LOG_JSON", str(path))
    for _ in range(2):  # appended to, and let go of
        with run_log():
            logger.warning("two\nlines %s", "more", extra={"flow_run_name": "clean seeds", "flow_run_id": None})
            try:
                raise ValueError("bad")
            except ValueError:
                logger.exception("it broke")
    logger.warning("not this")
    rows = [json.loads(line) for line in path.read_text("ascii").splitlines()]
    assert [row["message"] for row in rows] == ["two\nlines more", "it broke"] * 2
    assert rows[0]["flow_run_name"] == "clean seeds"
    assert "flow_run_id" not in rows[0]
    assert rows[1]["exception"].endswith("ValueError: bad")


def test_a_log_line_holds_what_is_no_utf8() -> None:
    record = logging.makeLogRecord({"msg": "a name \udcff of bytes", "levelname": "INFO"})
    assert json.loads(_Lines().format(record).encode("ascii"))["message"] == "a name \udcff of bytes"
