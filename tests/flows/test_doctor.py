"""The doctor names each thing that is wrong with its cure, and leaves nothing behind."""

from __future__ import annotations

import http.server
import json
import os
import threading
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from flows import doctor
from flows.doctor import CHECKS, Asked, diagnose, examine
from flows.server import OwnServer
from flows.snapshots import SnapshotStore

V = version("prefect")


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No server of anybody's is asked."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "prefect"))


def found(asked: Asked, check: str) -> tuple[str, str, str]:
    (finding,) = (f for f in examine(asked) if f.check == check)
    return finding.state, finding.found, finding.cure


@pytest.fixture
def odd_server() -> Iterator[str]:
    """A server of another Prefect."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'"3.1.4"' if self.path.endswith("/admin/version") else b"true")

        def log_message(self, *_: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/api"
    server.shutdown()
    server.server_close()


def test_a_machine_that_is_well(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert diagnose(Asked(tmp_path / "out"), as_json=False) == 0
    lines = capsys.readouterr().out.splitlines()
    assert {line.split()[1] for line in lines[:-1]} == {*CHECKS, "space"}
    assert lines[-1] == "all is well"
    assert diagnose(Asked(tmp_path / "out"), as_json=True) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["well"] is True
    assert {f["state"] for f in said["findings"]} <= {"ok", "note"}
    assert list(tmp_path.iterdir()) == []  # nothing is left behind


def test_a_breakage_is_named_with_its_cure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "thesis.tex").touch()
    (tmp_path / "bad.toml").write_text("[gates]\ncuts = {}\n", "utf-8")
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "mine.toml").write_text("[", "utf-8")
    out = tmp_path / "out"
    assert found(Asked(tmp_path / "taken"), "output")[0] == "wrong"
    assert "choose a new or empty output folder" in " ".join(found(Asked(tmp_path / "taken"), "output"))
    (tmp_path / "file").touch()
    assert found(Asked(tmp_path / "file"), "output")[0] == "wrong"
    assert found(Asked(Path("/proc/x")), "output")[:2] == ("wrong", "/proc cannot be written: No such file or directory")
    assert found(Asked(out, gates=tmp_path / "bad.toml"), "gates") == ("wrong", f"{tmp_path / 'bad.toml'}: unknown gate 'cuts'", "did you mean 'cut'?")
    assert found(Asked(out, rules=[tmp_path / "rules"]), "rules")[0] == "wrong"
    assert "mine.toml" in found(Asked(out, rules=[tmp_path / "rules"]), "rules")[1]
    monkeypatch.setattr(doctor, "TIGHT", 10**18)
    assert found(Asked(out), "space")[0::2] == ("wrong", "free some, or choose another output folder: a run writes a whole snapshot beside the last")
    assert diagnose(Asked(out, gates=tmp_path / "bad.toml"), as_json=False) == 1
    assert capsys.readouterr().out.endswith("2 things are wrong\n")


def test_packages_that_clash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "needed", lambda: ["polars>=99", "no-such-package>=1", "prefect>=3,<4"])
    state, said, cure = found(Asked(tmp_path / "out"), "packages")
    assert state == "wrong"
    assert "is not >=99; no-such-package is missing" in said
    assert "requirements.lock" in cure


def test_what_copydesk_needs_is_known_wherever_it_runs_from(monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib.metadata import PackageNotFoundError

    def missing(_: str) -> list[str]:
        raise PackageNotFoundError

    monkeypatch.setattr(doctor, "requires", missing)
    assert any(need.startswith("prefect>=") for need in doctor.needed())


def test_encodings_that_are_not_utf8(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor.locale, "getpreferredencoding", lambda **_: "ANSI_X3.4-1968")
    assert found(Asked(tmp_path / "out"), "text")[:2] == ("note", "files in ANSI_X3.4-1968")


def test_no_zone_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(name: str) -> None:
        raise doctor.zoneinfo.ZoneInfoNotFoundError(f"No time zone found with key {name}")

    monkeypatch.setattr(doctor.zoneinfo, "ZoneInfo", none)
    assert found(Asked(tmp_path / "out"), "zones")[0::2] == ("wrong", "pip install tzdata, or the system's package of it")


def test_an_output_of_ours_and_one_that_is_being_written(tmp_path: Path) -> None:
    store = SnapshotStore(tmp_path / "out").open()
    before = sorted(p.name for p in (tmp_path / "out").iterdir())
    assert found(Asked(tmp_path / "out"), "output")[0] == "ok"
    with store.lock():
        state, said, _ = found(Asked(tmp_path / "out"), "output")
    assert (state, "is being written by" in said) == ("note", True)
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) in (before, sorted([*before, ".lock"]))


def test_servers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, odd_server: str) -> None:
    assert found(Asked(tmp_path / "out"), "server")[0] == "ok"
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    state, said, cure = found(Asked(tmp_path / "out"), "server")
    assert (state, "does not answer" in said, "unset PREFECT_API_URL" in cure) == ("wrong", True, True)
    monkeypatch.setenv("PREFECT_API_URL", odd_server)
    state, said, cure = found(Asked(tmp_path / "out"), "server")
    assert (state, "Prefect 3.1.4, here 3." in said, "upgrade the older" in cure) == ("note", True, True)


@pytest.mark.slow
@pytest.mark.server
def test_a_server_that_answers(server: OwnServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_API_URL", server.url)
    assert found(Asked(tmp_path / "out"), "server") == ("ok", f"{server.url} answers: Prefect {V}, here {V}", "")


def test_a_check_that_breaks_is_a_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: Asked) -> Iterator[Any]:
        raise ZeroDivisionError("oh")

    monkeypatch.setitem(CHECKS, "zones", broken)
    assert found(Asked(tmp_path / "out"), "zones") == ("wrong", "ZeroDivisionError: oh", "please report it")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_an_output_without_rights(tmp_path: Path) -> None:
    (tmp_path / "locked").mkdir(mode=0o500)
    assert found(Asked(tmp_path / "locked" / "out"), "output")[0] == "wrong"
