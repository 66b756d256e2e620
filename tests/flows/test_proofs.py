"""What must hold whatever happens: kills at any moment, readers during swaps, full disks, two writers, damage."""

from __future__ import annotations

import json
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pytest
from proving import RUN_PHASES, announce, ask, child, edit, often
from refreshing import rows, same_rows
from test_refresh import page
from writing import run

from benchmarks.refresh import refresh
from flows import arrange, laws
from flows.errors import RunError, UsageError
from flows.export import export
from flows.snapshots import SnapshotStore, check_files
from flows.state import read_state
from flows.verify import verify_output

pytestmark = pytest.mark.slow

BY_ID = {"id_column": "id"}
PAGES = 12
"""Pages of the source at any time."""


def refreshed(source: Path, output: Path, **more: Any) -> None:
    arrange.MANY = 2
    refresh(source, output, BY_ID, run_id=uuid.uuid4().hex, shard_bytes=3_000, prune=True, **more)


def hidden(output: Path) -> list[str]:
    """What a run has lying about that is not published."""
    return [p.name for p in (output / ".snapshots").iterdir() if p.name.startswith(".")]


def prove_whole(output: Path) -> None:
    """The current snapshot reads whole: its files, its pages and its characters add up."""
    current = SnapshotStore(output).current()
    assert current is not None
    assert check_files(current) == []
    found = rows(output)
    ids = [*found["articles"]["doc_id"], *found["quarantine"]["doc_id"]]
    assert sorted(ids) == sorted(read_state(current).pages["doc_id"])
    assert len(ids) == PAGES
    whole = laws.whole_texts(found["articles"], found["ledger"])
    for law in (laws.characters_add_up(found["articles"], whole), laws.every_span_has_a_rule(found["ledger"])):
        assert law.passed, law.broken
    assert set(found["duplicates"]["duplicate_of"]) <= set(found["articles"]["doc_id"])


def refresh_without_end(tell: Connection, source: Path, output: Path, seed: int) -> None:
    """Complete one run and look for orphans; then edit and run without end, and say where each run is."""
    chance = random.Random(seed)
    refreshed(source, output)
    tell.send(("left", hidden(output)))
    announce(tell.send)
    while True:
        edit(source, chance)
        tell.send("edit")
        refreshed(source, output)


def test_killed_at_any_moment(tmp_path: Path) -> None:
    """Each life completes one run over what the last left behind, and is killed in one of the phases of a later one."""
    source, output, chance = tmp_path / "in", tmp_path / "out", random.Random(5)
    edit(source, chance)
    killed: Counter[str] = Counter()
    for life in range(often(100, len(RUN_PHASES))):
        with child(refresh_without_end, source, output, life) as (process, told):
            assert told.recv() == ("left", [])
            wanted = RUN_PHASES[life % len(RUN_PHASES)]
            while (phase := told.recv()) != wanted:
                pass
            time.sleep(chance.uniform(0.0, 0.03))
            process.kill()
            process.join()
            try:
                while True:
                    phase = told.recv()
            except EOFError:
                killed[phase] += 1
        prove_whole(output)
    refreshed(source, output)
    assert hidden(output) == []
    refresh(source, tmp_path / "new", BY_ID, run_id="new", prune=True)
    assert same_rows(output, tmp_path / "new")
    assert len(killed) >= len(RUN_PHASES) - 3, killed
    print(f"killed in {dict(killed)}")


def read_without_end(tell: Connection, articles: Path, reader: str) -> None:
    """Count rows as a recipe of docs/reading.md does, until told to stop; says what was counted, and each error."""
    read: dict[str, Callable[[Path], int]] = {
        "duckdb": lambda p: int(duckdb.sql(f"select count(*) from '{p}/*.parquet'").fetchall()[0][0]),
        "polars": lambda p: len(pl.read_parquet(p)),
        "pandas": lambda p: len(pd.read_parquet(p)),
    }
    counts: Counter[int] = Counter()
    errors: list[str] = []
    read[reader](articles.resolve())
    tell.send("ready")
    while not tell.poll():
        try:
            counts[read[reader](articles.resolve())] += 1
        except Exception as error:
            errors.append(repr(error))
    tell.send((dict(counts), errors))


def test_readers_during_swaps(tmp_path: Path) -> None:
    """DuckDB, Polars and pandas never see an error, nor a count that no snapshot had."""
    store = SnapshotStore(tmp_path / "output").open()
    run(store, 0)
    articles = store.output / "articles"
    with (
        child(read_without_end, articles, "duckdb") as (_, one),
        child(read_without_end, articles, "polars") as (_, two),
        child(read_without_end, articles, "pandas") as (_, three),
    ):
        readers = {"duckdb": one, "polars": two, "pandas": three}
        for told in readers.values():
            assert told.recv() == "ready"
        published = {3 * 50}
        for swap in range(1, often(200, 40) + 1):
            run(store, swap, parts=1 + swap % 7)
            published.add((1 + swap % 7) * 50)
            time.sleep(0.01)
        for name, told in readers.items():
            told.send("stop")
            counts, errors = told.recv()
            assert errors == [], name
            assert set(counts) <= published, name
            assert sum(counts.values()) > 10, name
            assert len(counts) > 3, name
            print(f"{name}: {sum(counts.values())} readings, {len(counts)} counts")


def refresh_some(tell: Connection, source: Path, output: Path, times: int) -> None:
    said: Counter[str] = Counter()
    while said["done"] < times:
        try:
            refreshed(source, output)
            said["done"] += 1
        except RunError as error:
            said[str(error)] += 1
            time.sleep(0.05)
    tell.send(said)


def test_two_writers_at_once(tmp_path: Path) -> None:
    """Each run is either done or refused with the name of the other; the output is whole."""
    source, output = tmp_path / "in", tmp_path / "out"
    edit(source, random.Random(1))
    refreshed(source, output)
    times = often(30, 5)
    with (
        child(refresh_some, source, output, times) as (one, told_one),
        child(refresh_some, source, output, times) as (two, told_two),
    ):
        for told, other in ((told_one, two), (told_two, one)):
            said = told.recv()
            assert said.pop("done") == times
            assert all(s.startswith(f"{output} is being written by ") for s in said)
            assert all(f"process {other.pid} on " in s or "another process" in s for s in said), said
    prove_whole(output)
    assert hidden(output) == []


def limited(phase: str, size: int, work: Callable[..., Any], *arguments: Any) -> Any:
    """`work` in a process whose files cannot grow beyond `size` bytes once `phase` begins: as on a disk that is full
    then, writing fails in the middle."""

    def full(begun: str) -> None:
        if begun == phase:
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    announce(full)
    return work(*arguments)


def make_parts(source: Path, output: Path) -> None:
    """An output of several parts, so that the next run rewrites some and puts others together."""
    for count in (3, 6, 9):
        source.mkdir(exist_ok=True)
        (source / "p.jsonl").write_text("".join(json.dumps(page(n)) + "\n" for n in range(count)), "utf-8")
        arrange.MANY = 99
        refresh(source, output, BY_ID, run_id=f"part-{count}", shard_bytes=3_000)


def replayed(output: Path) -> None:
    refresh("none", output, {}, run_id=uuid.uuid4().hex, replay=True)


FULL_DISK: dict[str, Callable[[Path, Path], Any]] = {
    "refresh, rewrite, compaction": refreshed,
    "replay": lambda _, output: replayed(output),
    "export": lambda _, output: export(output, str(output.parent / "all.jsonl.gz"), "jsonl"),
}
WRITING = ("read", "clean", "rewrite", "compare", "remember", "seal")
"""Phases in which something is written."""


def work_on(what: str, source: Path, output: Path) -> None:
    FULL_DISK[what](source, output)


@pytest.mark.parametrize("what", FULL_DISK)
def test_a_disk_that_fills_up(tmp_path: Path, what: str) -> None:
    """In whatever phase the disk is full: one line, the last snapshot stands, and the next run goes through."""
    source, output = tmp_path / "in", tmp_path / "out"
    make_parts(source, output)
    pages = [page(n) if n % 3 else {"id": page(n)["id"], "text": page(n)["text"] + " Late."} for n in range(1, PAGES + 1)]
    pages[-1]["text"] = "Menu\nHome"
    (source / "p.jsonl").write_text("".join(json.dumps(p) + "\n" for p in pages), "utf-8")
    if what == "replay":
        refreshed(source, output)
    before = {p.name: p.read_bytes() for p in output.glob("*/*.parquet")}
    for phase in ("export",) if what == "export" else WRITING:
        for size in (0, 1_000):
            error = ask(limited, phase, size, work_on, what, source, output)
            # what fails while a run writes, the flow makes a sentence of (test_a_disk_that_is_full)
            assert isinstance(error, (RunError, UsageError, OSError)), (phase, size, error)
            assert "File too large" in str(error)
            assert len(str(error).splitlines()) == 1
            print(f"{phase}, {size}: {error}")
            assert {p.name: p.read_bytes() for p in output.glob("*/*.parquet")} == before, error
            assert check_files((output / "current").resolve()) == []
    assert ask(work_on, what, source, output) is None
    if what == "export":
        assert {p.name for p in tmp_path.iterdir()} == {"in", "out", "all.jsonl.gz"}
        return
    prove_whole(output)
    assert hidden(output) == []
    refresh(source, tmp_path / "new", BY_ID, run_id="new", prune=True)
    assert same_rows(output, tmp_path / "new")


def refreshed_by_nobody(source: Path, output: Path) -> None:
    if os.geteuid() == 0:
        refreshed(source, Path(tempfile.mkdtemp()) / "out")  # all is imported that nobody has no right to
        os.seteuid(65534)
    refreshed(source, output)


@pytest.mark.parametrize("where", ["out", "out/.snapshots", "out/.lock"])
def test_a_folder_that_nobody_may_write_to(where: str) -> None:
    folder = Path(tempfile.mkdtemp())
    try:
        folder.chmod(0o755)
        source, output = folder / "in", folder / "out"
        edit(source, random.Random(2))
        refreshed(source, output)
        for path in [output, *output.rglob("*")]:
            if not path.is_symlink():
                path.chmod(0o777 if path.is_dir() else 0o666)
        (folder / where).chmod(0o555 if (folder / where).is_dir() else 0o444)
        edit(source, random.Random(3))
        error = ask(refreshed_by_nobody, source, output)
        # what fails while a run writes, the flow makes a sentence of (test_a_disk_that_is_full)
        assert isinstance(error, (RunError, UsageError, OSError)), error
        assert isinstance(error, RunError) or where == "out"
        assert "Permission denied" in str(error)
        assert len(str(error).splitlines()) == 1
        prove_whole(output)
        (folder / where).chmod(0o777)
        refreshed(source, output)
        prove_whole(output)
    finally:
        shutil.rmtree(folder)


def test_any_file_that_is_gone_or_has_one_bit_turned_is_found(tmp_path: Path) -> None:
    """Wherever the bit is; and a run over what is left either refuses in a line, or leaves it to be found again."""
    source, output, chance = tmp_path / "in", tmp_path / "out", random.Random(4)
    edit(source, chance)
    refreshed(source, output)
    current = (output / "current").resolve()
    files = [p for p in current.rglob("*") if p.is_file() and p.name != "manifest.json"]
    assert {p.parent.name for p in files} == {"articles", "ledger", "quarantine", "duplicates", ".state"}
    for path in files:
        raw = path.read_bytes()
        name = f"{path.parent.name}/{path.name}"
        for _ in range(often(50, 10)):
            bit = chance.randrange(8 * len(raw))
            path.write_bytes(raw[: bit // 8] + bytes([raw[bit // 8] ^ 1 << bit % 8]) + raw[bit // 8 + 1 :])
            assert check_files(current) == [f"{name} is altered: its content is not what was published"]
        path.unlink()
        assert check_files(current) == [f"{name} is missing"]
        path.write_bytes(raw)
    assert check_files(current) == []


@pytest.mark.server
def test_whole_commands_killed_at_any_moment(tmp_path: Path, seeds: Path) -> None:
    """`copydesk run` from its first import to its report, killed anywhere; what is there afterwards is proved."""
    output, chance = tmp_path / "out", random.Random(6)
    command = [sys.executable, "-m", "flows.cli", "run", str(seeds), "-o", str(output), "--fresh"]
    quiet = {"cwd": Path(__file__).parents[2], "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    began = time.monotonic()
    assert subprocess.run(command, **quiet, check=False).returncode == 0  # type: ignore[call-overload]
    took = time.monotonic() - began
    left = 0
    for _ in range(often(20, 2)):
        process = subprocess.Popen(command, **quiet)  # type: ignore[call-overload]
        time.sleep(chance.uniform(0.0, took))
        process.kill()
        process.wait()
        left += bool(hidden(output))
        assert verify_output(output) == 0
    assert subprocess.run(command, **quiet, check=False).returncode == 0  # type: ignore[call-overload]
    assert hidden(output) == []
    assert verify_output(output) == 0
    print(f"{left} kills left something behind")


@pytest.mark.server
def test_a_small_disk_that_is_full(tmp_path: Path, seeds: Path) -> None:
    """The whole command on a file system of its own that is too small for it: one line, and exit code 3."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1500k", "tmpfs", disk], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("this user may not mount a file system")
    try:
        output = disk / "out"

        def command() -> subprocess.CompletedProcess[str]:
            words = [sys.executable, "-m", "flows.cli", "run", str(seeds), "-o", str(output), "--fresh", "--keep", "1"]
            return subprocess.run(words, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False)

        first = command()
        assert first.returncode == 0, first.stderr
        free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
        (disk / "filler").write_bytes(b"x" * max(0, free - 100_000))
        before = rows(output)
        second = command()
        assert second.returncode == 3, second.stderr
        assert "No space left on device" in second.stderr
        assert "Traceback" not in second.stderr
        assert check_files((output / "current").resolve()) == []
        assert all(rows(output)[name].equals(before[name]) for name in before)
    finally:
        subprocess.run(["umount", "-l", disk], check=True)
