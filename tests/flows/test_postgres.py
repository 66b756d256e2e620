"""The server on PostgreSQL, for more than one machine: a run and its task runs are recorded there."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from desk import HERE, Machine, free_port, page_commands, until
from test_operate import runs_of

pytestmark = [pytest.mark.slow, pytest.mark.server]


def program(name: str) -> str | None:
    """A program of PostgreSQL, which Debian keeps off the path."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return shutil.which(name) or (str(found[-1]) if found else None)


def other_user() -> dict[str, int]:
    """PostgreSQL refuses to run as root: whom to be instead."""
    if os.geteuid():
        return {}
    for name in ("postgres", "nobody"):
        try:
            known = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": known.pw_uid, "group": known.pw_gid}
    pytest.skip("PostgreSQL does not run as root, and there is no user to be instead")


@pytest.fixture
def database() -> Iterator[str]:
    """The address of a database of our own on loopback."""
    initdb, postgres = program("initdb"), program("postgres")
    if not (initdb and postgres):
        pytest.skip("PostgreSQL is not installed: needs initdb and postgres (apt install postgresql)")
    who = other_user()
    folder = Path(tempfile.mkdtemp(prefix="copydesk-postgres-"))
    port = free_port()
    server = None
    try:
        if who:
            os.chown(folder, who["user"], who["group"])
        made = subprocess.run(
            [initdb, "-D", folder / "data", "-U", "prefect", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"],
            cwd=folder, capture_output=True, text=True, check=False, **who,  # type: ignore[call-overload]
        )  # fmt: skip
        if made.returncode:
            pytest.skip(f"PostgreSQL does not start here: {made.stderr.strip().splitlines()[-1:]}")
        server = subprocess.Popen(
            [postgres, "-D", folder / "data", "-p", str(port), "-k", folder, "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"],
            cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **who,
        )  # fmt: skip
        until(lambda: "ready" in (folder / "data" / "postmaster.pid").read_text() if (folder / "data" / "postmaster.pid").exists() else False, alive=server)
        yield f"postgresql+asyncpg://prefect@127.0.0.1:{port}/postgres"
    finally:
        if server is not None:
            server.terminate()
            server.wait()
        shutil.rmtree(folder, ignore_errors=True)


def test_a_run_is_recorded_on_postgresql(database: str, tmp_path: Path) -> None:
    export, _ = page_commands("A server with workers")[:2]
    address = "postgresql+asyncpg://prefect:secret@db.example.com/prefect"
    more = page_commands("More than one machine")
    machine = Machine(tmp_path, free_port(), {address: database, "--host 0.0.0.0": "--host 127.0.0.1"})
    try:
        for command in (export, *more):
            machine.run(command)
        machine.run(f"export PREFECT_API_URL={machine.server.url}")
        machine.run(f"copydesk run seeds --output {tmp_path / 'out'}")
        (run,) = machine.ask("/flow_runs/filter", {})
        assert (run["name"], run["state_type"]) == ("clean seeds", "COMPLETED")
        assert machine.server.finish(run["id"], 5)
        assert runs_of(machine, "daily") == []
        assert not (tmp_path / "prefect" / "prefect.db").exists()
        assert "Traceback" not in machine.said()
        assert machine.asked() <= HERE
    finally:
        machine.stop()
