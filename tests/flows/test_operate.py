"""From an empty machine to an alert, by the commands of docs/running.md on a real server; every path, the same result."""

from __future__ import annotations

import datetime as dt
import inspect
import json
import re
import socket
import zoneinfo
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import ROOT
from desk import HERE, Machine, Webhook, free_port, page_commands, until
from shard_runs import written
from test_telemetry import read_metrics

from flows.alert import set_alert
from flows.errors import UsageError
from flows.schedule import _schedule
from flows.server import OwnServer

Published = tuple[Path, dict[str, Any]]


def runs_of(machine: Machine, deployment: str, **more: Any) -> list[dict[str, Any]]:
    asked = {"deployments": {"name": {"any_": [deployment]}}, "flow_runs": more, "sort": "EXPECTED_START_TIME_ASC"}
    found: list[dict[str, Any]] = machine.ask("/flow_runs/filter", asked)
    return found


def fired(machine: Machine, deployment: str) -> dict[str, Any] | None:
    """The first run that the schedule of a deployment started and that has ended."""
    done = runs_of(machine, deployment, state={"type": {"any_": ["COMPLETED", "FAILED", "CRASHED"]}})
    return next((run for run in done if run["auto_scheduled"]), None)


class Scene:
    """What happened on the machine, once for all tests."""

    def __init__(self, folder: Path, webhook: Webhook) -> None:
        self.folder, self.webhook = folder, webhook
        self.machine = Machine(
            folder, free_port(),
            {"--all": f"--all --prefect-file {folder / 'prefect.yaml'}", "/data/today": "seeds",
             "https://hooks.example.com/news": webhook.url},
            COPYDESK_LOG_JSON=str(folder / "log.jsonl"), COPYDESK_METRICS=str(folder / "copydesk.prom"),
        )  # fmt: skip

    def play(self) -> None:
        machine = self.machine
        # what a person sets in prefect.yaml
        given = (ROOT / "prefect.yaml").read_text("utf-8")
        assert all(given.count(line) == 1 for line in ("cron: 0 5 * * *", "output: output"))
        given = given.replace("cron: 0 5 * * *", "cron: '* * * * *'").replace("output: output", f"output: {self.folder / 'worker'}")
        (self.folder / "prefect.yaml").write_text(given, "utf-8")
        *before, with_defaults, gated = page_commands("A server with workers")
        for command in before:
            machine.run(command)
        (serve,) = (c for c in page_commands("One process") if c.startswith("copydesk serve"))
        served = machine.start(
            serve.replace("/data/clean", str(self.folder / "served")).replace("/data/crawl", "seeds").replace("'0 5 * * *'", "'* * * * *'")
            + " --name served"
        )
        assert "on-demand" in with_defaults and "max_quarantined=0.01" in gated
        self.gated = machine.run(gated.replace("--watch", f"--watch --param output={self.folder / 'gated'}"))
        self.daily, self.served = (self.first(name, process) for name, process in (("daily", machine.processes[1]), ("served", served)))
        until(lambda: webhook_texts(self.webhook))
        for run in (self.daily, self.served):
            assert machine.server.finish(run["id"], 5)

    def first(self, deployment: str, process: Any) -> dict[str, Any]:
        """The first run that a schedule started; it is the last, too."""
        run = until(lambda: fired(self.machine, deployment), alive=process)
        self.machine.ask(f"/deployments/{run['deployment_id']}/pause_deployment", {})
        return dict(run)


def webhook_texts(webhook: Webhook) -> list[str]:
    return [post["text"] for post in webhook.received]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    webhook = Webhook()
    scene = Scene(tmp_path_factory.mktemp("desk"), webhook)
    try:
        scene.play()
        yield scene
    finally:
        scene.machine.stop()
        webhook.close()


@pytest.mark.slow
@pytest.mark.server
class TestFromAnEmptyMachine:
    """The scene, looked at from all sides."""

    def test_scheduled_runs_fire_on_their_minute(self, scene: Scene) -> None:
        for run in (scene.daily, scene.served):
            assert run["state_type"] == "COMPLETED"
            assert run["auto_scheduled"]
            due = dt.datetime.fromisoformat(run["expected_start_time"])
            assert due.second == 0
            # a process is begun in advance, as it takes seconds to come up
            assert dt.datetime.fromisoformat(run["start_time"]) > due - dt.timedelta(seconds=15)
            assert run["name"] == "clean seeds"
            assert run["state"]["message"] == "30 of 32 pages became articles; 2 wait in the quarantine."
            assert "copydesk" in run["tags"]

    def test_every_path_gives_the_same_files(self, scene: Scene, seeds_published: Published) -> None:
        plain = written(seeds_published[0])
        assert plain
        scene.machine.run(f"copydesk run seeds --output {scene.folder / 'by-hand'}")
        for path in ("worker", "served", "by-hand"):
            assert written(scene.folder / path) == plain, path

    def test_a_deployment_keeps_runs_apart(self, scene: Scene) -> None:
        kept = {d["name"]: d for d in scene.machine.ask("/deployments/filter", {})}
        assert {name: d["concurrency_options"]["collision_strategy"] for name, d in kept.items()} == {
            "daily": "CANCEL_NEW", "served": "CANCEL_NEW", "on-demand": "ENQUEUE",
        }  # fmt: skip
        assert {d["global_concurrency_limit"]["limit"] for d in kept.values()} == {1}
        (schedule,) = kept["daily"]["schedules"]
        assert schedule["schedule"] == {"cron": "* * * * *", "timezone": "Europe/London", "day_or": True}
        assert kept["on-demand"]["schedules"] == []
        assert kept["daily"]["parameters"]["source"] == "seeds"
        form = kept["daily"]["parameter_openapi_schema"]["properties"]
        assert form["publish_failed"]["type"] == "boolean"

    def test_a_failed_gate_is_a_sentence_an_event_and_a_message(self, scene: Scene) -> None:
        said = (
            r"30 of 32 pages became articles; 2 wait in the quarantine\. 6\.2% of the pages were quarantined"
            r" \(gate quarantined, limit 1%\)\. Nothing was published; see \S+/report\.html"
        )
        (run,) = runs_of(scene.machine, "on-demand")
        assert run["state_type"] == "FAILED"
        assert re.fullmatch(said, run["state"]["message"])
        assert not (scene.folder / "gated" / "current").exists()
        assert "Flow run finished in state 'Failed'" in scene.gated
        (post,) = scene.webhook.received
        assert re.fullmatch(rf"copydesk, {re.escape(str(scene.folder / 'gated'))}: {said}", post["text"])
        assert (post["event"], post["gates"][0]["gate"]) == ("copydesk.run.failed", "quarantined")
        assert Path(post["report"]).is_file()
        events = scene.machine.ask("/events/filter", {"filter": {"event": {"prefix": ["copydesk.run"]}}})["events"]
        assert {e["event"] for e in events} == {"copydesk.run.failed", "copydesk.run.passed"}

    def test_every_task_run_is_recorded_and_named(self, scene: Scene) -> None:
        for run in (scene.daily, scene.served):
            rows = scene.machine.ask("/task_runs/filter", {"flow_runs": {"id": {"any_": [run["id"]]}}})
            assert sorted(row["name"] for row in rows) == [
                "clean shard-00000", "find duplicates", "publish snapshot", "read pages", "write report",
            ]  # fmt: skip
            assert {row["state_type"] for row in rows} == {"COMPLETED"}

    def test_no_traceback_and_nothing_leaves_the_machine(self, scene: Scene) -> None:
        logs = scene.machine.ask("/logs/filter", {"limit": 200})
        assert not [row["message"] for row in logs if "Traceback" in row["message"]]
        # Prefect's server on SQLite tries a thing again where two want to write at once, and logs that
        traced = re.findall(r"^\w+(?:\.\w+)*(?:Error|Exception).*", scene.machine.said(), re.MULTILINE)
        assert not [line for line in traced if "database is locked" not in line]
        for log in ("prefect-worker.log", "copydesk-serve.log", "commands.log"):
            assert "Traceback" not in (scene.folder / log).read_text("utf-8"), log
        assert "127.0.0.1" in scene.machine.asked()
        assert scene.machine.asked() <= HERE

    def test_metrics_and_logs_of_whole_runs(self, scene: Scene) -> None:
        metrics = read_metrics((scene.folder / "copydesk.prom").read_text("utf-8"))
        assert metrics["copydesk_run_verdict"]
        lines = [json.loads(line) for line in (scene.folder / "log.jsonl").read_text("utf-8").splitlines()]
        assert {"time", "level", "message", "flow_run_name"} <= set(lines[0])
        assert not any(line["message"].startswith("Finished in state Completed(") for line in lines)
        assert any(line["message"].startswith("The run failed: 30 of 32 pages") for line in lines)


@pytest.mark.slow
@pytest.mark.server
def test_serve_brings_its_own_server_and_takes_it_along(tmp_path: Path) -> None:
    machine = Machine(tmp_path, free_port())
    try:
        serve, _, now, _ = page_commands("One process")
        serve = serve.replace("/data/crawl", "seeds").replace("/data/clean", str(tmp_path / "out"))
        process = machine.start(f"{serve} --port {machine.port}")
        until(lambda: "run now" in machine.said(), alive=process)
        (kept,) = machine.ask("/deployments/filter", {})
        assert kept["schedules"][0]["schedule"]["cron"] == "0 5 * * *"
        machine.run(f"export PREFECT_API_URL={machine.server.url}")
        machine.run(now)
        (run,) = until(lambda: runs_of(machine, "daily", state={"type": {"any_": ["COMPLETED"]}}), alive=process)
        assert machine.server.finish(run["id"], 5)
        assert (tmp_path / "out" / "reports" / "latest" / "report.html").is_file()
        process.terminate()  # as systemd does; the other tests stop theirs as Ctrl-C does
        assert process.wait(60) == 0
    finally:
        machine.stop()
    assert not machine.answers()
    assert "stopped   no run is due until it is served again" in machine.said()
    assert "Traceback" not in machine.said()
    assert "Warning" not in machine.said()
    assert "temporary server" not in machine.said()
    assert machine.asked() <= HERE


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
        with pytest.raises(UsageError, match=rf"port {port} is taken .*; where that is your Prefect server, set PREFECT_API"):
            OwnServer(tmp_path / "log", port).start()


@pytest.mark.parametrize(
    ("cron", "zone", "said"),
    [
        ("0 5 * *", "UTC", r"'0 5 \* \*' is no cron line; give minute, hour, day, month and weekday"),
        ("tomorrow", "UTC", "'tomorrow' is no cron line"),
        ("0 5 * * *", "London", "no such time zone: London; name one of the IANA's, such as Europe/London"),
    ],
)
def test_a_schedule_that_is_none(cron: str, zone: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        _schedule(cron, zone)


@pytest.mark.parametrize(("url", "said"), [("hooks.example.com", "is no address of a webhook"), ("https://hooks.example.com", "automations live on a server that stays")])  # fmt: skip
def test_an_alert_that_cannot_be_set(url: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path))
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    with pytest.raises(UsageError, match=said):
        set_alert(url)


def test_the_deployments_name_every_parameter_of_the_flow() -> None:
    """A parameter that is added to the flow is added to prefect.yaml, with the same default."""
    from flows.clean_news import clean_news

    written = yaml.safe_load((ROOT / "prefect.yaml").read_text("utf-8"))
    defaults = {name: p.default for name, p in inspect.signature(clean_news.fn).parameters.items()}
    assert [d["name"] for d in written["deployments"]] == ["daily", "on-demand"]
    for deployment in written["deployments"]:
        assert deployment["parameters"] == defaults | {"source": "seeds"}
        assert deployment["concurrency_limit"]["limit"] == 1
        zone = [s["timezone"] for s in deployment.get("schedules", [])]
        assert set(zone) <= zoneinfo.available_timezones()
