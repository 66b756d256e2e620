"""Our own server, and runs from the command line as a person starts them: quiet, recorded, nothing left behind."""

from __future__ import annotations

import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from conftest import HOME, ROOT
from desk import AUDITOR, HERE, peers
from shard_runs import written

from flows.errors import RunError
from flows.server import QUIET, OwnServer, configured_api
from flows.snapshots import check_files

SLOWED = """
import os, sys, time
os.environ["PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL"] = "CRITICAL"
import flows.clean_news as recipe
recipe.SHARD_BYTES = 4_000
inner = recipe.clean_shard
def slow(*a, **k):
    time.sleep(0.3)
    return inner(*a, **k)
recipe.clean_shard = slow
from flows.cli import main
main()
"""


def command(*arguments: object, code: str | None = None, **more: str) -> subprocess.Popen[str]:
    """`copydesk` in a process of its own, with a server of its own."""
    start = ["-c", code] if code else ["-m", "flows.cli"]
    environment = {k: v for k, v in os.environ.items() if k not in {"PREFECT_API_URL", "DO_NOT_TRACK"}}
    environment.pop("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", None)
    return subprocess.Popen(
        [sys.executable, *start, *map(str, arguments)], text=True, cwd=ROOT, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**environment, "PYTHONPATH": str(ROOT), **more},
    )  # fmt: skip


def servers(of: int | None = None) -> list[int]:
    """Our server processes, by pid: all, or those that a process started."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            line = (folder / "cmdline").read_bytes().split(b"\0")
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except (OSError, ValueError):
            continue
        if any(word.endswith(b"flows/serve.py") for word in line) and of in (None, parent):
            found.append(int(folder.name))
    return found


def gone(pid: int, seconds: float = 30) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except OSError:
            return True
        time.sleep(0.05)
    return False


def wait_for(what: str, process: subprocess.Popen[str], output: Path, seconds: float = 60) -> bool:
    """Wait until a run has come to a moment; false where it ended before."""
    moments = {
        "server": lambda: servers(process.pid),
        "lock": lambda: (output / ".lock").exists() and (output / ".lock").read_text(),
        "shard": lambda: list(output.glob(".snapshots/.staging-2*/articles/*.parquet")),
        "shards": lambda: len(list(output.glob(".snapshots/.staging-2*/articles/*.parquet"))) > 3,
    }
    until = time.monotonic() + seconds
    while time.monotonic() < until and process.poll() is None:
        if moments[what]():
            return True
        time.sleep(0.01)
    return False


@pytest.fixture
def ran(server: OwnServer) -> Iterator[None]:
    """The database of the tests' home is there: only the first server has to make it."""
    yield


@pytest.mark.slow
@pytest.mark.server
def test_a_run_from_the_command_line_is_quiet_offline_recorded_and_leaves_nothing(ran: None, tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(AUDITOR, "utf-8")
    proxy = "http://192.0.2.1:9"  # leads nowhere, and is not asked
    more = {"AUDIT": str(tmp_path / "audit"), "http_proxy": proxy, "https_proxy": proxy, "all_proxy": proxy}
    path = f"{tmp_path / 'site'}{os.pathsep}{ROOT}"
    process = command("run", "seeds", "-o", tmp_path / "out", "-w", 2, **more, PYTHONPATH=path)
    assert wait_for("server", process, tmp_path / "out")
    own = servers(process.pid)
    said, errors = process.communicate(timeout=120)
    assert (process.returncode, errors) == (0, ""), errors
    assert re.match(r"passed  30 of 32 pages became articles; 2 wait in the quarantine\.\n", said)
    assert "\x1b" not in said
    for word in ("pages in", "furniture", "seconds", "datasets", "report.html"):
        assert word in said
    assert all(gone(pid, 5) for pid in own)
    asked = {line.split(maxsplit=1)[1] for line in (tmp_path / "audit").read_text("utf-8").splitlines()}
    assert "127.0.0.1" in asked
    assert asked <= {"127.0.0.1", "localhost", "::1", "None"}, asked
    log = (HOME / "copydesk-server.log").read_text("utf-8")
    assert "Traceback" not in log, log
    run_id = pl.read_parquet(tmp_path / "out/runs")["run_id"].item()
    with sqlite3.connect(HOME / "prefect.db") as database:
        rows = database.execute(
            "select t.name, t.state_type from task_run t join flow_run f on t.flow_run_id = f.id where f.parameters like ?",
            (f"%{tmp_path}%",),
        ).fetchall()
    assert sorted(state for _, state in rows) == ["COMPLETED"] * 5, rows
    assert run_id in said


@pytest.mark.slow
@pytest.mark.server
def test_a_server_that_runs_already_is_used(server: OwnServer, tmp_path: Path) -> None:
    process = command("run", "seeds", "-o", tmp_path / "out", PREFECT_API_URL=server.url)
    _, errors = process.communicate(timeout=120)
    assert (process.returncode, errors) == (0, "")
    flow_run = server._ask("/flow_runs/filter", {"sort": "START_TIME_DESC", "limit": 1})[0]
    assert server.finish(flow_run["id"], 4)
    assert str(tmp_path) in str(flow_run["parameters"])
    assert flow_run["state_type"] == "COMPLETED"


@pytest.mark.server
def test_requests_that_write_at_once_wait_for_each_other(server: OwnServer) -> None:
    """Prefect's own server turns nine of ten of these away: 503, "database is locked"."""
    flow = server._ask("/flows/", {"name": "hammered"})["id"]

    def one(_: int) -> str:
        run = server._ask("/flow_runs/", {"flow_id": flow, "state": {"type": "PENDING"}}, seconds=120)
        for state in ("RUNNING", "COMPLETED"):
            server._ask(f"/flow_runs/{run['id']}/set_state", {"state": {"type": state}}, seconds=120)
        return str(run["id"])

    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(one, range(32)))
    found = server._ask("/flow_runs/filter", {"flows": {"id": {"any_": [flow]}}})
    assert {run["id"]: run["state_type"] for run in found} == dict.fromkeys(made, "COMPLETED")


@pytest.mark.server
@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_stopped(ran: None, number: signal.Signals, tmp_path: Path) -> None:
    process = command("run", "seeds", "-o", tmp_path / "out", "-w", 1, code=SLOWED)
    assert wait_for("shard", process, tmp_path / "out")
    own = servers(process.pid)
    process.send_signal(number)
    said, errors = process.communicate(timeout=60)
    if number == signal.SIGTERM:  # told to end, it ends, as every process does
        assert (process.returncode, said, errors) == (-signal.SIGTERM, "", "")
    else:
        assert (process.returncode, said, errors) == (3, "", "copydesk: stopped; the last snapshot stands\n")
    assert own
    assert all(gone(pid) for pid in own)
    assert not (tmp_path / "out" / "current").exists()
    # a shard in hand may still write while its folder is removed: what it leaves is staging, which the next run removes
    left = [path.name for path in tmp_path.glob("out/.snapshots/*")]
    assert all(name.startswith(".staging-") for name in left)
    assert number == signal.SIGTERM or not left


@pytest.mark.server
@pytest.mark.slow
@pytest.mark.parametrize("moment", ["server", "lock", "shard", "shards"])
def test_a_run_that_is_killed(ran: None, moment: str, output: Path) -> None:
    before = {p.name: p.read_bytes() for p in output.glob("*/*.parquet")}
    # in one process: SLOWED loads Prefect before the run's server is there, which worker processes do not bear
    process = command("run", "seeds", "-o", output, "--fresh", code=SLOWED)
    assert wait_for(moment, process, output)
    own = servers(process.pid)
    process.kill()
    process.communicate(timeout=240)
    assert {p.name: p.read_bytes() for p in output.glob("*/*.parquet")} == before
    assert check_files((output / "current").resolve()) == []
    assert len(pl.read_parquet(output / "articles")) == 30
    assert own
    assert all(gone(pid) for pid in own)
    again = command("run", "seeds", "-o", output)
    _, errors = again.communicate(timeout=120)
    assert (again.returncode, errors) == (0, "")
    assert len(pl.read_parquet(output / "runs")) == 2
    assert not [p.name for p in (output / ".snapshots").iterdir() if p.name.startswith(".")]


@pytest.mark.server
@pytest.mark.slow
@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_no_system_call_leaves_the_machine(ran: None, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    words = ["strace", "-f", "-qq", "-e", "trace=connect,sendto", "-o", trace, sys.executable, "-m", "flows.cli"]
    subprocess.run(
        [*words, "run", "seeds", "-o", tmp_path / "out"], cwd=ROOT, check=True, capture_output=True, timeout=240
    )
    assert peers(trace) <= HERE | {"0.0.0.0"}


@pytest.mark.server
@pytest.mark.slow
def test_a_plain_call_is_recorded_and_the_same(ran: None, seeds_published: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    """As README.md has it, without any server: what is written is what every other way writes, and nothing is lost."""
    (page,) = (block for block in re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL) if "recorded" in block)
    assert page.count("/data/crawl") == page.count("/data/clean") == 1
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(AUDITOR, "utf-8")
    code = page.replace("/data/crawl", "seeds").replace("/data/clean", str(tmp_path / "out"))
    words = ["strace", "-f", "-qq", "--seccomp-bpf", "-e", "trace=connect,sendto", "-o", str(tmp_path / "trace")]
    environment = {k: v for k, v in os.environ.items() if k not in {*QUIET, "PREFECT_API_URL"}}
    done = subprocess.run(
        [*(words if shutil.which("strace") else ()), sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True,
        check=False, env=environment | {"AUDIT": str(tmp_path / "audit"), "PYTHONPATH": f"{tmp_path / 'site'}{os.pathsep}{ROOT}"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert {line.split(maxsplit=1)[1] for line in (tmp_path / "audit").read_text("utf-8").splitlines()} <= HERE
    if (tmp_path / "trace").exists():
        assert peers(tmp_path / "trace") <= HERE | {"0.0.0.0"}
    with sqlite3.connect(HOME / "prefect.db") as database:
        rows = database.execute(
            "select t.state_type from task_run t join flow_run f on t.flow_run_id = f.id where f.parameters like ?", (f"%{tmp_path}%",)
        ).fetchall()
    assert rows == [("COMPLETED",)] * 5
    assert written(tmp_path / "out") == written(seeds_published[0])


@pytest.mark.server
@pytest.mark.slow
@pytest.mark.parametrize("name", ["long.txt", "long.jsonl"])
def test_a_line_of_200_mb(ran: None, name: str, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    with (folder / name).open("w", encoding="utf-8") as file:
        file.write('{"text": "' if name.endswith("jsonl") else "")
        for _ in range(200):
            file.write("word " * 200_000)
        file.write('"}\n' if name.endswith("jsonl") else "")
    (folder / "good.txt").write_text(
        "A headline\n\n" + "The ferry runs again from May, the council said on Monday. " * 3, "utf-8"
    )
    code = (
        "import resource, sys\nfrom flows.cli import main\ntry:\n    main()\nfinally:\n"
        "    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)"
    )
    process = command("run", folder, "-o", tmp_path / "out", code=code)
    said, errors = process.communicate(timeout=240)
    assert process.returncode == 0, errors
    assert int(errors) < 3_500_000  # kB; nearly all of it while the page is read and staged
    assert "page_too_large 1" in said
    assert len(pl.read_parquet(tmp_path / "out" / "articles")) == 1


@pytest.mark.server
def test_the_server_ends_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from flows.server import OwnServer\n"
        "OwnServer(Path(sys.argv[1])).start(); print('up', flush=True); time.sleep(60)"
    )
    process = command(tmp_path / "server.log", code=code)
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    (own,) = servers(process.pid)
    process.kill()
    process.communicate()
    assert gone(own, 40)


def test_a_log_that_cannot_be_written() -> None:
    with pytest.raises(
        RunError, match=r"cannot write the Prefect server's log /proc/no/server.log: .*; set PREFECT_HOME"
    ):
        OwnServer(Path("/proc/no/server.log")).start()


def test_a_server_that_does_not_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_HOME", "/proc/no")
    said = r"the Prefect server ended while starting; its log says why: .*server.log"
    with OwnServer(tmp_path / "server.log") as server, pytest.raises(RunError, match=said):
        server.wait()
    assert (tmp_path / "server.log").stat().st_size


@pytest.mark.slow
def test_a_configured_server_that_does_not_answer(tmp_path: Path) -> None:
    process = command("run", "seeds", "-o", tmp_path / "out", PREFECT_API_URL="http://127.0.0.1:9/api")
    said, errors = process.communicate(timeout=120)
    assert (process.returncode, said) == (3, "")
    assert errors.startswith("copydesk: the Prefect server http://127.0.0.1:9/api does not answer; start it, or unset")
    assert errors.count("\n") == 1


def test_the_configured_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path))
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    assert configured_api() is None
    (tmp_path / "profiles.toml").write_text(
        'active = "b"\n[profiles.a]\nPREFECT_API_URL = "http://a/api"\n[profiles.b]\n', "utf-8"
    )
    assert configured_api() is None
    monkeypatch.setenv("PREFECT_PROFILE", "a")
    assert configured_api() == "http://a/api"
    (tmp_path / "prefect.toml").write_text('[api]\nurl = "http://t/api"\n', "utf-8")
    assert configured_api() == "http://t/api"
    monkeypatch.setenv("PREFECT_API_URL", "http://e/api")
    assert configured_api() == "http://e/api"
    (tmp_path / "prefect.toml").write_text("[", "utf-8")
    monkeypatch.delenv("PREFECT_API_URL")
    assert configured_api() == "http://a/api"
