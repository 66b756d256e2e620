"""Where shards are cleaned does not show in what is written, and a worker that is killed loses nothing."""

from __future__ import annotations

import dataclasses
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from shard_runs import digests

from flows import desk_files, workers
from flows.errors import RunError, UsageError
from flows.verify import verify_output

RULE = """role = "newsletter"

[[rule]]
name = "own_notice"
why = "A notice that stands on every page of one site."
pattern = "^written at the quay"
drops = ["Written at the quay by eleven people."]
keeps = ["The quay was written off by the town."]
"""
PAGES = 60
SHARD_BYTES = 3_000

Clean = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Pages, and rules of one's own."""
    folder = tmp_path_factory.mktemp("given")
    (folder / "rules").mkdir()
    (folder / "rules" / "own.toml").write_text(RULE, "utf-8")
    (folder / "pages").mkdir()
    for n in range(PAGES):
        lines = [f"The ferry of the {n}th island sails again", "By Ann Lee", f"{n % 28 + 1} May 2024"]
        lines += [f"On island {n} the council said in its {k}th report that the boat would run from May." for k in range(6)]
        (folder / "pages" / f"{n}.txt").write_text("\n\n".join([*lines, "Written at the quay by eleven people."]), "utf-8")
    return {"source": folder / "pages", "rules": [folder / "rules"]}


@pytest.fixture
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    from flows import clean_news

    monkeypatch.setattr(clean_news, "SHARD_BYTES", SHARD_BYTES)


def written(output: Path) -> dict[str, str]:
    """Digests of all that was published, but the history: that has times."""
    return {name: digest for name, digest in digests(output / "current").items() if not name.startswith("runs")}


@pytest.fixture(scope="module")
def expected(clean: Clean, given: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What one worker writes."""
    from flows import clean_news

    output = tmp_path_factory.mktemp("one") / "output"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clean_news, "SHARD_BYTES", SHARD_BYTES)
        result = clean(**given, output=output)
    assert result["articles"] == PAGES
    found = written(output)
    assert len([name for name in found if name.startswith("articles")]) > 8
    return found


@pytest.fixture
def cluster() -> Iterator[Any]:
    """A Dask cluster of two workers that was there before the run."""
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=2, threads_per_worker=1, memory_limit=None, dashboard_address=None, env=workers.ENGINE
    ) as cluster:
        yield cluster


def killed_in_mid_run(folder: Path, victims: Callable[[], list[int]]) -> threading.Thread:
    """Kill one of the processes when the first part has been written; the thread ends when it is done."""

    def wait() -> None:
        while not list(folder.glob(".snapshots/.staging-*/articles/*.parquet")):
            time.sleep(0.005)
        os.kill(victims()[0], signal.SIGKILL)

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    return thread


@pytest.mark.slow
@pytest.mark.usefixtures("small_shards")
@pytest.mark.parametrize("where", [{"workers": 2}, {"dask": "local:2"}], ids=str)
def test_the_same_bytes_from_any_workers(
    where: dict[str, Any], clean: Clean, given: dict[str, Any], expected: dict[str, str], tmp_path: Path
) -> None:
    result = clean(**given, output=tmp_path / "out", **where)
    assert (result["articles"], result["quarantined"]) == (PAGES, 0)
    assert written(tmp_path / "out") == expected
    assert verify_output(tmp_path / "out") == 0
    assert not multiprocessing.active_children()


@pytest.mark.slow
@pytest.mark.usefixtures("small_shards")
def test_a_dask_worker_that_is_killed(
    clean: Clean, given: dict[str, Any], expected: dict[str, str], cluster: Any, tmp_path: Path
) -> None:
    before = {worker.pid for worker in cluster.workers.values()}
    killer = killed_in_mid_run(tmp_path / "out", lambda: [worker.pid for worker in cluster.workers.values()])
    result = clean(**given, output=tmp_path / "out", dask=cluster.scheduler_address)
    killer.join()
    assert {worker.pid for worker in cluster.workers.values()} != before
    assert (result["articles"], result["quarantined"]) == (PAGES, 0)
    assert written(tmp_path / "out") == expected
    assert verify_output(tmp_path / "out") == 0


@pytest.mark.slow
@pytest.mark.usefixtures("small_shards")
def test_a_worker_process_that_is_killed(
    clean: Clean, given: dict[str, Any], expected: dict[str, str], tmp_path: Path
) -> None:
    from flows.progress import hearing

    said: list[str] = []
    killer = killed_in_mid_run(
        tmp_path / "out", lambda: [p.pid for p in multiprocessing.active_children() if p.pid is not None]
    )
    with hearing(said.append):
        result = clean(**given, output=tmp_path / "out", workers=2)
    killer.join()
    assert said[0].startswith("A worker process was killed: what is left, ")
    assert (result["articles"], result["quarantined"]) == (PAGES, 0)
    assert written(tmp_path / "out") == expected
    assert verify_output(tmp_path / "out") == 0


def test_one_shard_starts_no_process(
    clean: Clean, given: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def started(*_: Any, **__: Any) -> None:
        raise AssertionError("a process was started")

    monkeypatch.setattr(multiprocessing.context.SpawnProcess, "start", started)
    assert clean(**given, output=tmp_path / "out", workers=2)["articles"] == PAGES


@pytest.mark.parametrize(
    ("count", "dask", "said"),
    [
        (2, "local", "drop --workers or --dask"),
        (1, "here", "'here' is no Dask cluster; name its scheduler"),
        (1, "local:0", "'local:0' is no Dask cluster"),
        (1, "tcp://127.0.0.1:1", "no Dask scheduler answers at tcp://127.0.0.1:1: Connection refused"),
    ],
)
def test_workers_that_cannot_be_had(count: int, dask: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        workers.check_workers(count, dask)


def test_dask_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    workers.check_workers(2, None)
    with pytest.raises(UsageError, match=r"pip install .copydesk\[dask\]"):
        workers.check_workers(1, "local:2")


def test_workers_elsewhere_must_reach_the_server() -> None:
    for near in (None, "local", "local:3", "127.0.0.1:8786", "tcp://localhost:8786"):
        workers.check_server(near)
    with pytest.raises(UsageError, match="must reach the Prefect server"):
        workers.check_server("tcp://10.0.0.5:8786")


def test_a_desk_goes_by_its_version(tmp_path: Path) -> None:
    from copydesk import open_desk

    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "own.toml").write_text(RULE, "utf-8")
    ruleset = open_desk([rules]).ruleset
    files = desk_files.copy_desk([rules], [], None, ruleset, tmp_path / "desk")
    (rules / "own.toml").write_text(RULE.replace("newsletter", "contact"), "utf-8")
    assert files.open().ruleset == files.ruleset == ruleset  # what is changed meanwhile changes nothing
    assert files.open() is files.open()
    other = tuple((name, "0.1" if name == "polars" else found) for name, found in files.made_by)
    with pytest.raises(RunError, match=r"the worker on .* has polars \d.* instead of 0\.1: install there"):
        dataclasses.replace(files, made_by=other).open()
    with pytest.raises(RunError, match=r"has rule-set .* instead of "):
        dataclasses.replace(files, rules=()).open()


def test_an_output_that_a_worker_does_not_share(given: dict[str, Any], tmp_path: Path) -> None:
    from flows.clean_news import clean_one_shard

    files = desk_files.copy_desk(given["rules"], [], None, "r", tmp_path / "desk")
    with pytest.raises(RunError, match=r"does not share the output folder: no .*/nowhere$"):
        clean_one_shard.fn.__wrapped__(tmp_path / "shard-00000.arrow", tmp_path / "nowhere", files, 0)
