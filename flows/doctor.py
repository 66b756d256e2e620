"""`copydesk doctor`: looks at all that a run needs, one line each, with the cure of what is wrong."""

from __future__ import annotations

import dataclasses
import json
import locale
import os
import platform
import shutil
import socket
import sys
import tempfile
import tomllib
import urllib.request
import zoneinfo
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any

from flows.errors import CopydeskError, RunError
from flows.server import configured_api, prefect_home

ROOMY = 2_000_000_000
TIGHT = 200_000_000
"""Bytes free in the output: fewer than the first are noted, fewer than the second are wrong."""
SECONDS = 10
_ELSEWHERE = "choose another output folder, or change its rights"
_ZONES = ("Europe/London", "America/New_York", "Asia/Seoul")


@dataclasses.dataclass(frozen=True)
class Finding:
    """What one check found: `state` is ok, note (it runs, but look) or wrong; `cure` says what to do."""

    check: str
    state: str
    found: str
    cure: str = ""


@dataclasses.dataclass(frozen=True)
class Asked:
    """What a run would be given."""

    output: Path | str
    rules: Sequence[Path] = ()
    publishers: Sequence[Path] = ()
    memory: Path | None = None
    gates: Path | None = None


def examine(asked: Asked) -> list[Finding]:
    """Make every check, whatever the others found."""
    findings: list[Finding] = []
    for name, check in CHECKS.items():
        try:
            findings += check(asked)
        except CopydeskError as error:
            found, _, cure = str(error).partition("; ")
            findings.append(Finding(name, "wrong", found, cure or "see docs/running.md"))
        except Exception as error:  # a check that breaks has found something, too
            findings.append(Finding(name, "wrong", f"{type(error).__name__}: {error}", "please report it"))
    return findings


def diagnose(asked: Asked, *, as_json: bool) -> int:
    """Print what was found; the exit code: 1 where something is wrong."""
    findings = examine(asked)
    wrong = sum(f.state == "wrong" for f in findings)
    if as_json:
        print(json.dumps({"well": not wrong, "findings": [dataclasses.asdict(f) for f in findings]}, indent=1))
    else:
        for f in findings:
            cure = f"; {f.cure}" if f.cure else ""
            print(f"{f.state:<5}  {f.check:<9}  {' '.join((f.found + cure).split())}")
        print("all is well" if not wrong else f"{wrong} {'thing is' if wrong == 1 else 'things are'} wrong")
    return 1 if wrong else 0


def _python(_: Asked) -> Iterator[Finding]:
    """An older one than copydesk needs cannot even load this module."""
    yield Finding("python", "ok", f"{platform.python_version()} ({sys.executable})")


def needed() -> list[str]:
    """What copydesk asks for, as its package says, or its pyproject.toml where it is not installed."""
    try:
        return [need for need in requires("copydesk") or [] if "extra ==" not in need]
    except PackageNotFoundError:
        project = Path(__file__).parent.parent / "pyproject.toml"
        found: list[str] = tomllib.loads(project.read_text(encoding="utf-8"))["project"]["dependencies"]
        return found


def _packages(_: Asked) -> Iterator[Finding]:
    from packaging.requirements import Requirement  # noqa: PLC0415

    wrong = []
    needs = [Requirement(need) for need in needed()]
    for need in needs:
        try:
            has = version(need.name)
        except PackageNotFoundError:
            wrong.append(f"{need.name} is missing")
            continue
        if not need.specifier.contains(has, prereleases=True):
            wrong.append(f"{need.name} {has} is not {need.specifier}")
    cure = "install what is locked: pip install --require-hashes -r requirements.lock"
    found = "; ".join(wrong) or f"{len(needs)} packages are as copydesk asks for them"
    yield Finding("packages", "wrong" if wrong else "ok", found, cure if wrong else "")


def _text(_: Asked) -> Iterator[Finding]:
    encodings = {
        "file names": sys.getfilesystemencoding(),
        "files": locale.getpreferredencoding(do_setlocale=False),
        "terminal": getattr(sys.stdout, "encoding", None) or "utf-8",
    }
    odd = [f"{what} in {name}" for what, name in encodings.items() if name.replace("-", "").lower() != "utf8"]
    cure = "export LC_ALL=C.UTF-8 PYTHONUTF8=1: until then, letters beyond ASCII are printed as escapes"
    yield Finding("text", "note" if odd else "ok", "; ".join(odd) or "UTF-8 everywhere", cure if odd else "")


def _zones(_: Asked) -> Iterator[Finding]:
    try:
        for name in _ZONES:
            zoneinfo.ZoneInfo(name)
        yield Finding("zones", "ok", f"{len(zoneinfo.available_timezones())} time zones")
    except zoneinfo.ZoneInfoNotFoundError as error:
        yield Finding("zones", "wrong", f"no zone data: {error}", "pip install tzdata, or the system's package of it")


def _output(asked: Asked) -> Iterator[Finding]:
    from flows.snapshots import SnapshotStore, is_bucket  # noqa: PLC0415

    if is_bucket(asked.output):
        yield from _bucket(str(asked.output))
        return
    here = Path(asked.output).absolute()
    there = next(p for p in (here, *here.parents) if p.exists())
    if here.is_file():
        SnapshotStore(here).open()  # says what is wrong with it
    if not os.access(there, os.W_OK | os.X_OK):
        yield Finding("output", "wrong", f"{there} cannot be written", _ELSEWHERE)
        return
    state, note = "ok", ""
    if (here / ".copydesk").exists():
        try:
            with SnapshotStore(here).open().lock():
                pass
        except RunError as error:
            state, note = "note", f"; {error}"
    elif here.exists():
        SnapshotStore(here).open()  # refuses other people's folder, and is what a run would do
    else:
        try:
            with (
                tempfile.TemporaryDirectory(prefix=".copydesk-doctor-", dir=there) as probe,
                SnapshotStore(Path(probe) / "output").open().lock(),
            ):
                pass
        except OSError as error:
            yield Finding("output", "wrong", f"{there} cannot be written: {error.strerror}", _ELSEWHERE)
            return
    yield Finding("output", state, f"{asked.output} can be written, with links and locks{note}")
    yield _space(there, _bytes_of(here / "current"), str(asked.output), "output folder")


def _bucket(output: str) -> Iterator[Finding]:
    """A marker is left where there was none, as a run would: a bucket cannot be tried out otherwise."""
    from flows.snapshots import SnapshotStore  # noqa: PLC0415

    store = SnapshotStore(output).open()
    state, note = "ok", ""
    try:
        with store.lock():
            pass
    except RunError as error:
        state, note = "note", f"; {error}"
    yield Finding("output", state, f"{output} can be written, with conditional writes{note}")
    current = store.current()
    size = sum(store.sizes(current).values()) if current else 0
    yield _space(Path(tempfile.gettempdir()), size, f"the work on {output}", "TMPDIR")


def _space(there: Path, size: int, what: str, name: str) -> Finding:
    """Whether another snapshot of as many bytes finds room."""
    free = shutil.disk_usage(there).free
    need = max(TIGHT, 2 * size)
    state = "wrong" if free < need else "note" if free < max(ROOMY, 4 * size) else "ok"
    cure = f"free some, or choose another {name}: a run writes a whole snapshot beside the last"
    return Finding("space", state, f"{free / 1e9:,.1f} GB free for {what}", "" if state == "ok" else cure)


def _bytes_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*.parquet")) if folder.is_dir() else 0


def _rules(asked: Asked) -> Iterator[Finding]:
    from flows.request import open_rules  # noqa: PLC0415

    desk = open_rules(asked.rules, asked.publishers, asked.memory)
    count = f"{len(desk.rules.rules)} rules and {len(desk.profiles.profiles)} profiles load"
    yield Finding("rules", "ok", f"{count} (ruleset {desk.ruleset})")


def _gates(asked: Asked) -> Iterator[Finding]:
    from flows.gate_settings import load_gates  # noqa: PLC0415

    load_gates(asked.gates)
    yield Finding("gates", "ok", f"{asked.gates or 'the shipped ones'} load")


def _server(_: Asked) -> Iterator[Finding]:
    api = configured_api()
    if api is None:
        with socket.create_server(("127.0.0.1", 0)):
            pass
        home = next(p for p in (prefect_home(), *prefect_home().absolute().parents) if p.exists())
        if not os.access(home, os.W_OK):
            cure = "set PREFECT_HOME to a folder of yours"
            yield Finding("server", "wrong", f"{prefect_home()} cannot be written", cure)
        else:
            yield Finding("server", "ok", "none is configured: each run starts one of its own, for as long as it takes")
        return
    try:
        _get(api, "/health")
        has, ours = str(_get(api, "/admin/version")), version("prefect")
    except (OSError, ValueError) as error:
        yield Finding(
            "server", "wrong", f"{api} does not answer ({getattr(error, 'reason', error)})",
            "start it, or unset PREFECT_API_URL: then copydesk starts one for the run",
        )  # fmt: skip
        return
    same = has.split(".")[:2] == ours.split(".")[:2]
    cure = "" if same else "upgrade the older one: they are made for each other only within 3.x's minor version"
    yield Finding("server", "ok" if same else "note", f"{api} answers: Prefect {has}, here {ours}", cure)


def _get(api: str, path: str) -> Any:
    request = urllib.request.Request(api + path)
    auth = os.environ.get("PREFECT_API_AUTH_STRING")
    if auth:
        import base64  # noqa: PLC0415

        request.add_header("Authorization", f"Basic {base64.b64encode(auth.encode()).decode()}")
    if key := os.environ.get("PREFECT_API_KEY"):
        request.add_header("Authorization", f"Bearer {key}")
    with urllib.request.urlopen(request, timeout=SECONDS) as answer:
        return json.load(answer)


CHECKS: dict[str, Callable[[Asked], Iterator[Finding]]] = {
    "python": _python, "packages": _packages, "text": _text, "zones": _zones, "output": _output, "rules": _rules,
    "gates": _gates, "server": _server,
}  # fmt: skip
