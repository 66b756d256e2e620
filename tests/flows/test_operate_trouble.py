"""What goes wrong on a server that stays: runs that overlap, that are killed, that are missing, and who is told."""

from __future__ import annotations

import http.server
import json
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT
from desk import HERE, Machine, Webhook, free_port, peers, until

PROSE = "The ferry runs again from May, the council said on Monday, and fares stay as they are until the autumn. " * 4
PAGES = "".join(
    json.dumps({"text": f"Ferry number {n} runs again\n\nBy Ann Lee\n\n3 May 2024\n\n{PROSE}"}) + "\n" for n in range(3)
).encode()
PATHS = ("served", "daily")
"""The deployment that `copydesk serve` holds, and the scheduled one of a worker."""
pytestmark = [pytest.mark.slow, pytest.mark.server]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # another's process, or one that has ended
        return b""


class HeldSource:
    """A file on loopback that is only handed out while nobody holds it: a run that reads it is as slow as one likes."""

    def __init__(self) -> None:
        free, asked = threading.Event(), []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_HEAD(self) -> None:
                self.send_response(200)
                self.send_header("content-length", str(len(PAGES)))
                self.end_headers()

            def do_GET(self) -> None:
                asked.append(self.path)
                free.wait()
                with suppress(BrokenPipeError):  # who asked was killed
                    self.do_HEAD()
                    self.wfile.write(PAGES)

            def log_message(self, *_: Any) -> None:
                pass

        free.set()
        self.free, self.asked = free, asked
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def hold(self) -> None:
        self.asked.clear()
        self.free.clear()

    def close(self) -> None:
        self.free.set()
        self._server.shutdown()
        self._server.server_close()


class Desk:
    """One server with `copydesk serve`, a worker, the deployments of prefect.yaml, and a webhook."""

    def __init__(self, folder: Path, source: HeldSource, webhook: Webhook) -> None:
        self.folder, self.source, self.webhook = folder, source, webhook
        self.machine = Machine(
            folder, free_port(), {"https://hooks.example.com/news": webhook.url},
            PREFECT_SERVER_DEPLOYMENTS_CONCURRENCY_SLOT_WAIT_SECONDS="2",
        )  # fmt: skip
        self.machine.trace = folder / "trace"

    def set_up(self) -> None:
        machine = self.machine
        machine.run(f"copydesk serve {self.source.url}/served.jsonl -o {self.folder}/served --name served --port {machine.port}")
        for command in ("export DO_NOT_TRACK=1", f"export PREFECT_API_URL={machine.server.url}"):
            machine.run(command)
        machine.run("prefect worker start --pool copydesk --type process")
        given = (ROOT / "prefect.yaml").read_text("utf-8")
        given = given.replace("source: seeds", f"source: {self.source.url}/worker.jsonl")
        given = given.replace("active: true", "active: false").replace("output: output", f"output: {self.folder}/daily")
        (self.folder / "prefect.yaml").write_text(given, "utf-8")
        machine.run(f"prefect --no-prompt deploy --all --prefect-file {self.folder}/prefect.yaml")
        until(lambda: len(machine.ask("/deployments/filter", {})) == 3)

    def start(self, deployment: str, **parameters: Any) -> str:
        """Ask for a run, as a schedule does; its id."""
        kept = next(d for d in self.machine.ask("/deployments/filter", {}) if d["name"] == deployment)
        run = self.machine.ask(f"/deployments/{kept['id']}/create_flow_run", {"parameters": parameters, "state": {"type": "SCHEDULED"}})
        return str(run["id"])

    def run(self, flow_run: str) -> dict[str, Any]:
        return dict(self.machine.ask("/flow_runs/filter", {"flow_runs": {"id": {"any_": [flow_run]}}})[0])

    def ended(self, flow_run: str) -> dict[str, Any]:
        final = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}
        return dict(until(lambda: (run := self.run(flow_run))["state_type"] in final and run))

    def kill(self, flow_run: str) -> None:
        """Kill the process of a run."""
        said = f"PREFECT__FLOW_RUN_ID={flow_run}".encode()
        found = [int(place.parent.name) for place in Path("/proc").glob("[0-9]*/environ") if said in _read(place).split(b"\0")]
        assert found
        for pid in found:
            os.kill(pid, signal.SIGKILL)

    def heard(self, words: str) -> str:
        return str(until(lambda: next((post["text"] for post in self.webhook.received if words in post["text"]), None)))


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    source, webhook = HeldSource(), Webhook()
    desk = Desk(tmp_path_factory.mktemp("trouble"), source, webhook)
    try:
        desk.set_up()
        yield desk
    finally:
        source.free.set()
        desk.machine.stop()
        source.close()
        webhook.close()


def test_a_run_that_is_due_while_another_is_at_it(desk: Desk) -> None:
    desk.source.hold()
    first = {name: desk.start(name) for name in PATHS}
    waiting = desk.start("on-demand", output=str(desk.folder / "asked"))
    until(lambda: len(desk.source.asked) == 3)
    for name in PATHS:  # cancelled, with the reason, and nothing of it ran
        second = desk.ended(desk.start(name))
        assert (second["state_type"], second["state"]["message"]) == ("CANCELLED", "Deployment concurrency limit reached.")
        assert desk.machine.ask("/task_runs/count", {"flow_runs": {"id": {"any_": [second["id"]]}}}) == 0
        assert desk.run(first[name])["state_type"] == "RUNNING"
    queued = desk.start("on-demand", output=str(desk.folder / "asked"))
    until(lambda: desk.run(queued)["state_name"] == "AwaitingConcurrencySlot")
    assert len(desk.source.asked) == 3
    desk.source.free.set()
    for run in (*first.values(), waiting, queued):
        assert desk.ended(run)["state_type"] == "COMPLETED"


def test_every_automation_is_heard(desk: Desk) -> None:
    """Each by what really happens: gates that warn and fail, a killed process, a killed worker, and a day without a run.

    The runs that are killed start in the deployments of the test before: their places are free again.
    """
    machine = desk.machine
    set_ = machine.run("copydesk alert https://hooks.example.com/news --silent-after 10 --missing-after 0.003")
    assert set_.count("set   copydesk: ") == 5
    machine.run("prefect automation resume 'copydesk: a run warned'")
    desk.source.free.set()
    (desk.folder / "warn.toml").write_text("[gates]\nwithout_date = { warn = 0 }\n", "utf-8")
    assert "nothing was published for 0.003 hours" in desk.heard("nothing was published")

    machine.run(f"copydesk run seeds -o {desk.folder}/warned --gates {desk.folder}/warn.toml")
    machine.run(f"copydesk run seeds -o {desk.folder}/failed --max-quarantined 0.01 || true")
    assert desk.heard("gate quarantined, limit 1%").startswith(f"copydesk, {desk.folder}/failed: ")
    assert desk.heard(f"copydesk, {desk.folder}/warned: ")

    desk.source.hold()
    broken = desk.start("served")
    until(lambda: desk.source.asked)
    desk.kill(broken)
    assert desk.ended(broken)["state_type"] == "CRASHED"
    desk.heard(f"the run '{desk.run(broken)['name']}' broke off")

    desk.source.hold()
    silent = desk.start("daily")
    until(lambda: desk.source.asked)
    alive = {"event": {"name": ["prefect.flow-run.heartbeat"]}, "resource": {"id": [f"prefect.flow-run.{silent}"]}}
    until(lambda: machine.ask("/events/filter", {"filter": alive})["events"])
    worker = next(p for p in machine.processes if "worker" in str(p.args))
    os.killpg(worker.pid, signal.SIGKILL)
    desk.kill(silent)
    crashed = desk.ended(silent)
    assert (crashed["state_type"], crashed["state"]["message"]) == (
        "CRASHED", "Its process is gone. What was published before stands.",
    )  # fmt: skip


def test_no_traceback_and_nothing_leaves_the_machine(desk: Desk) -> None:
    for log in ("commands.log", "copydesk-serve.log", "prefect-worker.log"):
        assert "Traceback" not in (desk.folder / log).read_text("utf-8"), log
    assert desk.machine.asked() <= HERE
    # the server, `copydesk serve`, the worker and all runs that they started
    for trace in desk.folder.glob("trace-*"):
        assert peers(trace) <= HERE | {"0.0.0.0"}, trace
