"""The store while it lives: one writer, many readers, and a kill at any moment."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import textwrap
import threading
import time
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from writing import DATASETS, names, run, write

from flows.errors import RunError
from flows.snapshots import SnapshotStore, check_files


@pytest.fixture
def store(tmp_path: Path) -> SnapshotStore:
    return SnapshotStore(tmp_path / "output", grace=timedelta(0)).open()


def child(code: str, *arguments: str) -> subprocess.Popen[str]:
    """A process of our own, that imports what a writer needs and runs `code`."""
    imports = f"""
        import sys, time
        sys.path[:0] = [{str(Path(__file__).parent)!r}, {str(Path(__file__).parents[2])!r}]
        from datetime import timedelta
        from pathlib import Path
        from writing import SnapshotStore, run
        store = SnapshotStore(Path(sys.argv[1]), keep=2, grace=timedelta(0)).open()
    """
    script = textwrap.dedent(imports) + textwrap.dedent(code)
    command = [sys.executable, "-c", script, *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_a_second_writer_is_told_who_holds_the_lock(tmp_path: Path) -> None:
    holder = child(
        """
        with store.lock():
            print("held", flush=True)
            time.sleep(60)
        """,
        str(tmp_path / "out"),
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        store = SnapshotStore(tmp_path / "out").open()
        with (
            pytest.raises(RunError, match=rf"written by process {holder.pid} on .* since 20.*; wait for"),
            store.lock(),
        ):
            pass
    finally:
        holder.kill()
        holder.wait()
        if holder.stdout:
            holder.stdout.close()
    run(store, 1)  # The system has freed the lock of the dead process.


def test_two_writers_in_one_process(store: SnapshotStore) -> None:
    with store.lock(), pytest.raises(RunError, match=f"process {os.getpid()} "):
        run(SnapshotStore(store.output), 1)
    run(store, 2)


def test_nothing_is_written_without_the_lock(store: SnapshotStore) -> None:
    with pytest.raises(RunError, match="is not locked by this run"):
        store.begin("one")
    with store.lock():
        staging = store.begin("one")
        write(staging, 1)
    with pytest.raises(RunError, match="is not locked by this run"):
        store.publish(staging, DATASETS, {})


def test_readers_never_see_two_runs_at_once(store: SnapshotStore) -> None:
    """A reader overtaken between listing and opening may miss a file; it never gets another run's rows."""
    run(store, 0)
    done = threading.Event()
    seen: list[set[int]] = []
    overtaken = 0

    def read() -> None:
        nonlocal overtaken
        while not done.is_set():
            try:
                frame = pl.read_parquet(store.output / "articles")
            except (FileNotFoundError, pl.exceptions.ComputeError):
                overtaken += 1
                continue
            assert frame.height == 150
            seen.append(set(frame["mark"]))

    reader = threading.Thread(target=read)
    reader.start()
    for mark in range(1, 25):
        run(store, mark)
    done.set()
    reader.join()
    assert len(seen) > 5
    assert all(len(marks) == 1 for marks in seen)
    assert overtaken <= len(seen)


@pytest.mark.slow
def test_kill_9_at_any_moment(tmp_path: Path) -> None:
    """Ten writers, each killed at another moment of its endless publishing."""
    output = tmp_path / "out"
    chance = random.Random(7)
    published = 0
    for life in range(10):
        writer = child(
            f"""
            print("ready", flush=True)
            for mark in range({life} * 1000, {life} * 1000 + 1000):
                run(store, mark)
            """,
            str(output),
        )
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
        time.sleep(chance.uniform(0.0, 0.4))
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        writer.stdout.close()
        store = SnapshotStore(output, keep=2, grace=timedelta(0)).open()
        current = store.current()
        if current is not None:
            published += 1
            assert check_files(current) == []
            marks = {name: set(pl.read_parquet(output / name)["mark"]) for name in DATASETS}
            assert len(set.union(*marks.values())) == 1
            assert pl.read_parquet(output / "articles").height == 150
    assert published >= 8
    run(SnapshotStore(output, keep=1, grace=timedelta(0)).open(), 99_999)
    assert names(output / ".snapshots") == ["run-99999"]
