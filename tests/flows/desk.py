"""A machine as `docs/running.md` sets it up: its own commands, each process watched, nothing of anybody else's."""

from __future__ import annotations

import http.server
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from conftest import ROOT

from flows.server import OwnServer

# loaded by every process: it writes down whom each talks to
AUDITOR = """
import os, sys
def _audit(event, arguments):
    if event in ("socket.connect", "socket.sendto", "socket.getaddrinfo", "socket.gethostbyname"):
        place = arguments[1] if event in ("socket.connect", "socket.sendto") else arguments
        host = place[0] if isinstance(place, tuple) else place
        if isinstance(host, bytes): host = host.decode()
        with open(os.environ["AUDIT"], "a") as file: print(event, host, file=file)
sys.addaudithook(_audit)
"""
HERE = {"127.0.0.1", "localhost", "::1", "None"}
STRACE = "strace -D -f -qq --seccomp-bpf -e trace=connect,sendto" if shutil.which("strace") else ""
STAYS = ("prefect server start", "prefect worker start", "copydesk serve")
"""Commands that stay until they are stopped."""
RUNNING = (ROOT / "docs" / "running.md").read_text("utf-8")


def page_commands(section: str) -> list[str]:
    """The commands of one section of docs/running.md, in order."""
    text = re.split(rf"\n##+ {section}\n", RUNNING)[1].split("\n##")[0]
    return [line[2:] for block in re.findall(r"```console\n(.*?)```", text, re.DOTALL) for line in block.splitlines()]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as held:
        return int(held.getsockname()[1])


def until(what: Callable[[], Any], *, alive: subprocess.Popen[bytes] | None = None, seconds: float = 180) -> Any:
    """Wait for something to be so; fails where a process that is needed for it has ended."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := what():
            return found
        assert alive is None or alive.poll() is None, f"{alive.args!r} has ended"  # type: ignore[union-attr]
        time.sleep(0.2)
    raise AssertionError(f"waited in vain for {what}")


def peers(trace: Path) -> set[str]:
    """The addresses that processes under strace wanted to reach, whatever language asked."""
    said = trace.read_text("utf-8", "replace")
    return set(re.findall(r'(?:sin_addr=inet_addr\("|inet_pton\(AF_INET6, ")([^"]+)', said))


class Webhook:
    """A receiver on loopback that keeps what is posted to it."""

    def __init__(self) -> None:
        received: list[dict[str, Any]] = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                received.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.received = received
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/news"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class Machine:
    """Runs commands as the page gives them, with the words of `instead` put in; keeps what each process says."""

    def __init__(self, folder: Path, port: int, instead: Mapping[str, str] = {}, **environment: str) -> None:
        self.folder, self.port = folder, port
        self.instead = {"127.0.0.1:4200": f"127.0.0.1:{port}", "prefect server start": f"prefect server start --port {port}"}
        self.instead |= instead
        self.processes: list[subprocess.Popen[bytes]] = []
        bin_folder, site = folder / "bin", folder / "site"
        for made in (bin_folder, site):
            made.mkdir(parents=True)
        for name, module in (("copydesk", "flows.cli"), ("prefect", "prefect")):
            (bin_folder / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" -m {module} "$@"\n', "utf-8")
            (bin_folder / name).chmod(0o755)
        (site / "sitecustomize.py").write_text(AUDITOR, "utf-8")
        self.audit = folder / "audit"
        self.trace: Path | None = None  # set it, and what stays runs under strace
        foreign = ("PREFECT_", "DO_NOT_TRACK", "COPYDESK_")
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith(foreign)} | {
            "PREFECT_HOME": str(folder / "prefect"), "AUDIT": str(self.audit), "NO_COLOR": "1", "COLUMNS": "200",
            "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": f"{site}{os.pathsep}{ROOT}", **environment,
        }  # fmt: skip
        self.server = OwnServer(folder / "unused.log")
        self.server.url = f"http://127.0.0.1:{port}/api"

    def ask(self, path: str, body: dict[str, Any] | None = None) -> Any:
        return self.server._ask(path, body)

    def answers(self) -> bool:
        try:
            return bool(self.ask("/health"))
        except OSError:
            return False

    def run(self, command: str) -> str:
        """Run one command, of those that stay until it is up; what it printed."""
        for there, here in self.instead.items():
            command = command.replace(there, here)
        if command.startswith("export "):
            self.environment |= dict(pair.split("=", 1) for pair in command.removeprefix("export ").split())
            return ""
        if command.startswith(STAYS):
            self.start(command)
            return ""
        done = subprocess.run(
            ["sh", "-c", command], cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False
        )
        (self.folder / "commands.log").open("a").write(f"$ {command}\n{done.stdout}{done.stderr}")
        assert done.returncode == 0 or "deployment run" in command, f"{command}\n{done.stdout}{done.stderr}"
        return done.stdout

    def start(self, command: str) -> subprocess.Popen[bytes]:
        log = (self.folder / f"{command.split(maxsplit=1)[0]}-{command.split()[1]}.log").open("ab")
        traced = f"{STRACE} -o {self.trace}-{command.split()[1]} " if self.trace and STRACE else ""
        process = subprocess.Popen(
            ["sh", "-c", f"exec {traced}{command}"], cwd=ROOT, env=self.environment, stdin=subprocess.DEVNULL, stdout=log,
            stderr=log, start_new_session=True,
        )  # fmt: skip
        self.processes.append(process)
        if "worker" in command:
            until(lambda: self.ask("/work_pools/filter", {}), alive=process)
        else:
            until(self.answers, alive=process)
        return process

    def stop(self) -> None:
        """Stop what stays, the last first, as Ctrl-C does."""
        for process in reversed(self.processes):
            process.send_signal(signal.SIGINT)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def said(self) -> str:
        """What all processes printed so far."""
        return "".join(path.read_text("utf-8", "replace") for path in self.folder.glob("*.log"))

    def asked(self) -> set[str]:
        """The hosts that any process wanted to talk to."""
        lines = self.audit.read_text("utf-8").splitlines() if self.audit.exists() else []
        return {line.split(maxsplit=1)[1] for line in lines}
