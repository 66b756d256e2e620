"""The Prefect server behind a run: the one that is configured, else one of our own for as long as it takes.

Our own is started before Prefect is imported, so that both start up together, writes to a log file, and is
stopped only when it has recorded every task run: Prefect's own temporary server drops what it has not
written when its client ends. Imports nothing of Prefect.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import tomllib
import urllib.request
from pathlib import Path
from typing import Any

from flows import serve
from flows.errors import RunError, UsageError

START_SECONDS = 120
RECORD_SECONDS = 30
STOP_SECONDS = 10
STEADY = 4
"""Times in a row, 0.1 s apart, that nothing may be missing where we do not know how many task runs there are."""
_ENDED = {"task_runs": {"state": {"type": {"any_": ["CANCELLED", "COMPLETED", "CRASHED", "FAILED"]}}}}
_LOOPBACK = "127.0.0.1"

QUIET = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_CLI_PROMPT": "false",
    "PREFECT_RESULTS_PERSIST_BY_DEFAULT": "false",
}
"""No telemetry, no questions: set for Prefect's client and server unless the caller set them."""

_OWN_SERVER = {
    "PREFECT_API_URL": "",
    "PREFECT_UI_ENABLED": "0",
    "PREFECT__SERVER_EPHEMERAL": "1",
    "PREFECT__SERVER_FINAL": "1",
    # each event of a task run is written as it comes: a shard makes four of them in seconds
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "1",
    # a guard against other people's pages in a browser, which has no business with a server of seconds
    "PREFECT_SERVER_CSRF_PROTECTION_ENABLED": "false",
    # nothing of these is needed by one run, and each costs start-up
    "PREFECT_API_BLOCKS_REGISTER_ON_START": "false",
    "PREFECT_SERVER_SERVICES_SCHEDULER_ENABLED": "false",
    "PREFECT_SERVER_SERVICES_LATE_RUNS_ENABLED": "false",
    "PREFECT_SERVER_SERVICES_TRIGGERS_ENABLED": "false",
    "PREFECT_SERVER_SERVICES_FOREMAN_ENABLED": "false",
    "PREFECT_SERVER_SERVICES_PAUSE_EXPIRATIONS_ENABLED": "false",
    "PREFECT_SERVER_SERVICES_CANCELLATION_CLEANUP_ENABLED": "false",
}
_LASTING_SERVER = {
    "PREFECT_API_URL": "",
    "PREFECT__SERVER_FINAL": "1",
    "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
}
"""A server that stays: with its interface, and with all services that schedules and automations need."""
PORT = 4200
"""Where a Prefect server is looked for by default."""
_NOT_FOR_OWN_SERVER = ("PREFECT_SERVER_API_AUTH_STRING", "PREFECT_API_AUTH_STRING", "PREFECT_SERVER_API_BASE_PATH")


def prefect_home() -> Path:
    """The folder of Prefect's own files."""
    return Path(os.environ.get("PREFECT_HOME", "~/.prefect")).expanduser()


def configured_api() -> str | None:
    """The API that the environment, a `prefect.toml` here or the active profile names; None where none does."""
    if url := os.environ.get("PREFECT_API_URL"):
        return url
    if url := _toml(Path("prefect.toml")).get("api", {}).get("url"):
        return str(url)
    profiles = _toml(Path(os.environ.get("PREFECT_PROFILES_PATH", prefect_home() / "profiles.toml")))
    active = os.environ.get("PREFECT_PROFILE", profiles.get("active"))
    url = profiles.get("profiles", {}).get(active, {}).get("PREFECT_API_URL")
    return str(url) if url else None


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


class OwnServer:
    """A Prefect server of our own on loopback, with its output in `log`.

    Without a `port` it is there for one run and does what a run needs; on a `port` it is a whole server, with its
    interface, scheduler and automations. `start` returns at once, `wait` when it answers, `finish` when it has recorded
    all task runs of a flow run; leaving the context stops it. It stops by itself when this process ends, even by
    SIGKILL.
    """

    def __init__(self, log: Path, port: int | None = None) -> None:
        self.log = log
        self.port = port
        self.url = ""
        self._process: subprocess.Popen[bytes] | None = None
        self._ready = False
        # no proxy stands between us and loopback, whatever the environment says
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def __enter__(self) -> OwnServer:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start the server process; it comes up while the caller goes on. Raises RunError where it cannot."""
        try:
            self.log.parent.mkdir(parents=True, exist_ok=True)
            output = self.log.open("ab")
        except OSError as error:
            raise RunError(
                f"cannot write the Prefect server's log {self.log}: {error.strerror};"
                " set PREFECT_HOME to a folder of yours"
            ) from error
        # The socket listens from now on: nobody else gets the port, and a question waits until it is answered.
        with output, self._listen() as listening:
            port = listening.getsockname()[1]
            self.url = f"http://{_LOOPBACK}:{port}/api"
            environment = QUIET | {k: v for k, v in os.environ.items() if k not in _NOT_FOR_OWN_SERVER}
            own = _OWN_SERVER
            if self.port is not None:
                own = _LASTING_SERVER | {"PREFECT_SERVER_API_PORT": str(port), "PREFECT_UI_API_URL": self.url}
            self._process = subprocess.Popen(
                [sys.executable, "-P", serve.__file__, str(listening.fileno())],
                stdin=subprocess.PIPE, stdout=output, stderr=output, start_new_session=True,
                pass_fds=[listening.fileno()], env={**environment, **own},
            )  # fmt: skip

    def _listen(self) -> socket.socket:
        try:
            return socket.create_server((_LOOPBACK, self.port or 0), backlog=128)
        except OSError as error:
            raise UsageError(
                f"port {self.port} is taken ({error.strerror}); where that is your Prefect server, set"
                f" PREFECT_API_URL=http://{_LOOPBACK}:{self.port}/api, else name another --port"
            ) from error

    def wait(self) -> None:
        """Wait until the server answers. Raises RunError, naming the log, where it does not."""
        try:
            self._ask("/health", seconds=START_SECONDS)
        except OSError as error:
            ended = self._process is None or self._process.poll() is not None or isinstance(error, ConnectionError)
            why = "ended while starting" if ended else f"did not answer within {START_SECONDS} s"
            raise RunError(f"the Prefect server {why}; its log says why: {self.log}") from error
        self._ready = True

    def finish(self, flow_run_id: str, task_runs: int | None) -> bool:
        """Wait until the server has recorded the end of all task runs of a flow run.

        `task_runs` is how many there are; None where that is not known. False where some are still missing
        after RECORD_SECONDS.
        """
        flow_run = {"flow_runs": {"id": {"any_": [flow_run_id]}}}
        return self._recorded(flow_run, 0, task_runs)

    def open_task_runs(self) -> int:
        """How many task runs have not ended, of all that the server knows: some never will."""
        known = self._ask("/task_runs/count", {})
        return int(known - self._ask("/task_runs/count", _ENDED))

    def finish_all(self, open_before: int) -> bool:
        """Wait until no more task runs than `open_before` have not ended. False where RECORD_SECONDS are not enough."""
        return self._recorded({}, open_before, None)

    def _recorded(self, wanted: dict[str, Any], left: int, task_runs: int | None) -> bool:
        until = time.monotonic() + RECORD_SECONDS
        steady = 0
        while time.monotonic() < until:
            try:
                known = self._ask("/task_runs/count", wanted)
                done = self._ask("/task_runs/count", wanted | _ENDED)
            except OSError:
                return False
            steady = steady + 1 if known <= done + left and known >= (task_runs or 0) else 0
            if steady >= (STEADY if task_runs is None else 1):
                return True
            time.sleep(0.1 if task_runs is None else 0.03)
        return False

    def stop(self) -> None:
        """Stop the server. Waits for its end only if it was up: one that is starting ends by itself, soon."""
        process = self._process
        if process is None:
            return
        self._process = None
        if process.stdin is not None:
            process.stdin.close()
        process.terminate()
        if self._ready:
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _ask(self, path: str, body: dict[str, Any] | None = None, *, seconds: float = 10) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"Content-Type": "application/json"})
        with self._opener.open(request, timeout=seconds) as answer:
            return json.load(answer)
