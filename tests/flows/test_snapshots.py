"""The store: what is published, what is not, what stays, and every byte accounted for."""

from __future__ import annotations

import json
import os
from datetime import timedelta
from pathlib import Path

import duckdb
import pandas as pd
import polars as pl
import pytest
from writing import DATASETS, PARTS, names, run, write

from flows.errors import RunError, UsageError
from flows.snapshots import SnapshotStore, Staging, check_files
from flows.snapshots.durable import digest_file


@pytest.fixture
def store(tmp_path: Path) -> SnapshotStore:
    return SnapshotStore(tmp_path / "output", grace=timedelta(0)).open()


def test_a_run_is_read_by_everybody(store: SnapshotStore) -> None:
    snapshot = run(store, 1)
    articles = store.output / "articles"
    assert snapshot == store.output / ".snapshots" / "run-0001"
    assert store.current() == snapshot.resolve()
    assert names(store.output) == [
        ".copydesk", ".lock", ".snapshots", "articles", "current", "ledger", "reports", "runs",
    ]  # fmt: skip
    assert str(articles.readlink()) == "current/articles"
    assert str((store.output / "current").readlink()) == ".snapshots/run-0001"
    assert pl.read_parquet(articles).height == len(pd.read_parquet(articles)) == 150
    assert duckdb.sql(f"select count(*) from '{articles}/*.parquet'").fetchall() == [(150,)]
    assert check_files(snapshot) == []
    assert [path.parent.name for path in store.previous_runs()] == ["runs"] * PARTS


def test_the_manifest_names_every_part(store: SnapshotStore) -> None:
    snapshot = run(store, 1)
    manifest = json.loads((snapshot / "manifest.json").read_text())
    assert manifest == store.manifest()
    assert (manifest["ruleset"], manifest["run_id"], manifest["sequence"]) == ("r1", "run-0001", 1)
    assert {name: total["rows"] for name, total in manifest["datasets"].items()} == dict.fromkeys(
        DATASETS, 150
    )
    assert len(manifest["files"]) == PARTS * len(DATASETS)
    for part in manifest["files"]:
        path = snapshot / part["dataset"] / part["name"]
        assert path.stat().st_size == part["bytes"]
        assert part["sha256"] == digest_file(path)


def test_nothing_yet(store: SnapshotStore) -> None:
    assert (store.current(), store.manifest(), store.snapshots(), store.previous_runs()) == (
        None,
        None,
        [],
        [],
    )
    assert names(store.output) == [".copydesk", ".snapshots", "reports"]


def test_an_output_folder_can_be_moved(store: SnapshotStore, tmp_path: Path) -> None:
    run(store, 1)
    store.output.rename(tmp_path / "elsewhere")
    assert pl.read_parquet(tmp_path / "elsewhere" / "articles").height == 150


def test_unchanged_parts_are_linked(store: SnapshotStore, monkeypatch: pytest.MonkeyPatch) -> None:
    first = run(store, 1)
    hashed: list[Path] = []
    with store.lock():
        staging = store.begin("next")
        for part in (first / "articles").iterdir():
            staging.keep("articles", part.name)
        monkeypatch.setattr("flows.snapshots.files.digest_file", lambda path: hashed.append(path) or "0" * 64)
        second = store.publish(staging, ["articles"], {})
    monkeypatch.undo()
    assert hashed == []
    assert names(first / "articles") == names(second / "articles")
    for part in (first / "articles").iterdir():
        assert part.samefile(second / "articles" / part.name)
    assert check_files(second) == []
    assert names(store.output) == [".copydesk", ".lock", ".snapshots", "articles", "current", "reports"]


def test_a_part_that_cannot_be_linked_is_copied(
    store: SnapshotStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = run(store, 1)
    name = names(first / "articles")[0]

    def refused(*_: object) -> None:
        raise OSError(31, "Too many links")

    with store.lock():
        staging = store.begin("next")
        monkeypatch.setattr(os, "link", refused)
        staging.keep("articles", name)
        assert (staging.path / "articles" / name).read_bytes() == (first / "articles" / name).read_bytes()
        second = store.publish(staging, ["articles"], {})
    assert check_files(second) == []
    assert len(names(second / "articles")) == 1


def test_keeping_what_is_not_there(store: SnapshotStore) -> None:
    with store.lock(), pytest.raises(RunError, match="there is no snapshot yet"):
        store.begin("first").keep("articles", "part.parquet")
    run(store, 1)
    with store.lock(), pytest.raises(RunError, match=r"articles/part.parquet is not in the current snapshot"):
        store.begin("second").keep("articles", "part.parquet")


def test_names_change_together_or_not_at_all(store: SnapshotStore) -> None:
    """A reader overtaken by a swap must not find some of the names that it has listed."""
    first = names(run(store, 1) / "articles")
    with store.lock():
        staging = store.begin("same")
        write(staging, 1)
        assert names(store.publish(staging, DATASETS, {}) / "articles") == first
    with store.lock():
        staging = store.begin("one-part-more")
        write(staging, 1, parts=PARTS + 1)
        assert not set(names(store.publish(staging, DATASETS, {}) / "articles")) & set(first)


def part_twice(staging: Staging) -> None:
    path = staging.path / "articles" / "part-00000.parquet"
    path.with_name("part-00000-0123456789abcdef.parquet").write_bytes(path.read_bytes())


def stray_file(staging: Staging) -> None:
    (staging.path / "articles" / "_SUCCESS").touch()


def empty_dataset(staging: Staging) -> None:
    for path in (staging.path / "articles").iterdir():
        path.unlink()


def torn_file(staging: Staging) -> None:
    path = staging.path / "articles" / "part-00000.parquet"
    path.write_bytes(path.read_bytes()[:-10])


def unnamed_dataset(staging: Staging) -> None:
    staging.dataset("other")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (part_twice, "part-00000.parquet and part-00000-0123456789abcdef.parquet are one part"),
        (stray_file, "articles/_SUCCESS is not a part file"),
        (empty_dataset, "dataset articles has no part file; write one, even with no rows"),
        (torn_file, "articles/part-00000.parquet is no whole Parquet file"),
        (unnamed_dataset, "holds other, which is no dataset named"),
    ],
)
def test_what_is_amiss_is_not_published(store: SnapshotStore, spoil: object, said: str) -> None:
    first = run(store, 1)
    with store.lock():
        staging = store.begin("bad")
        write(staging, 2)
        spoil(staging)  # type: ignore[operator]
        with pytest.raises(RunError, match=said):
            store.publish(staging, DATASETS, {})
        assert store.current() == first.resolve()
        store.discard(staging)
    assert names(store.output / ".snapshots") == ["run-0001"]


def test_a_full_disk_leaves_the_last_snapshot(store: SnapshotStore, monkeypatch: pytest.MonkeyPatch) -> None:
    first = run(store, 1)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RunError, match="No space left on device; the snapshot before it stands"):
        run(store, 2)
    monkeypatch.undo()
    assert store.current() == first.resolve()
    run(store, 3)
    assert names(store.output / ".snapshots") == ["run-0001", "run-0003"]


def test_a_folder_in_the_place_of_a_link(store: SnapshotStore) -> None:
    (store.output / "articles").mkdir()
    with pytest.raises(RunError, match="output/articles is in the way"):
        run(store, 1)
    assert store.current() is None


@pytest.mark.parametrize("run_id", ["", "..", ".hidden", "a/b", "a b", "../../etc"])
def test_run_ids(store: SnapshotStore, run_id: str) -> None:
    with store.lock(), pytest.raises(UsageError, match="is no plain name"):
        store.begin(run_id)


def test_a_run_id_is_taken_once(store: SnapshotStore) -> None:
    run(store, 1)
    with pytest.raises(UsageError, match=r"run run-0001 is in .* already"):
        run(store, 1)


def test_the_last_ones_stay(tmp_path: Path) -> None:
    store = SnapshotStore(tmp_path / "output", keep=2, grace=timedelta(0)).open()
    for mark in (5, 3, 4, 1):  # Their order is that of publication, not of names.
        run(store, mark)
    assert [path.name for path in store.snapshots()] == ["run-0004", "run-0001"]


def test_what_was_current_a_moment_ago_stays(tmp_path: Path) -> None:
    store = SnapshotStore(tmp_path / "output", keep=1, grace=timedelta(hours=1)).open()
    for mark in range(4):
        run(store, mark)
    assert len(store.snapshots()) == 4
    for path in store.snapshots()[:3]:
        manifest = json.loads((path / "manifest.json").read_text())
        manifest["published_at"] = "2020-01-01T00:00:00+00:00"
        (path / "manifest.json").write_text(json.dumps(manifest))
    run(store, 9)
    # 0 and 1 were superseded long ago. 2 is old, but its successor was published just now.
    assert [path.name for path in store.snapshots()] == ["run-0002", "run-0003", "run-0009"]


def test_a_store_set_back_by_hand_goes_on(tmp_path: Path) -> None:
    store = SnapshotStore(tmp_path / "output", keep=1, grace=timedelta(0)).open()
    run(store, 1)
    store.grace = timedelta(hours=1)
    run(store, 2)
    (store.output / "current").unlink()
    (store.output / "current").symlink_to(".snapshots/run-0001")
    store.grace = timedelta(0)
    assert pl.read_parquet(store.output / "articles")["mark"].unique().to_list() == [1]
    run(store, 3)
    assert [path.name for path in store.snapshots()] == ["run-0003"]


def test_what_killed_runs_left_is_removed(store: SnapshotStore) -> None:
    with store.lock():
        write(store.begin("killed"), 1)
    assert store.snapshots() == []
    run(store, 2)
    assert names(store.output / ".snapshots") == ["run-0002"]


def test_check_files_names_what_is_wrong(store: SnapshotStore) -> None:
    snapshot = run(store, 1)
    one, two, three = names(snapshot / "articles")
    (snapshot / "articles" / one).unlink()
    (snapshot / "articles" / two).write_bytes(b"short")
    raw = bytearray((snapshot / "articles" / three).read_bytes())
    raw[10] ^= 1
    (snapshot / "articles" / three).write_bytes(raw)
    (snapshot / "ledger" / "stray.parquet").touch()
    (snapshot / "notes.txt").touch()
    (snapshot / "other").mkdir()
    (snapshot / "other" / "a.parquet").touch()
    complaints = check_files(snapshot)
    assert complaints[0] == f"articles/{one} is missing"
    assert complaints[1].startswith(f"articles/{two} is altered: 5 bytes instead of ")
    assert complaints[2] == f"articles/{three} is altered: its content is not what was published"
    assert sorted(complaints[3:]) == [
        "ledger/stray.parquet is extra: the manifest does not name it",
        "notes.txt is extra: the manifest does not name it",
        "other/a.parquet is extra: the manifest does not name it",
    ]
    (snapshot / "manifest.json").write_text("{")
    assert check_files(snapshot) == ["manifest.json is missing or cannot be read"]


def test_harmless_files_are_fine(tmp_path: Path) -> None:
    for name in ("README.md", ".gitignore", ".gitkeep", ".copydesk-123"):
        (tmp_path / name).touch()
    run(SnapshotStore(tmp_path).open(), 1)
    run(SnapshotStore(tmp_path).open(), 2)
    assert (tmp_path / "README.md").exists()


def test_files_of_others_are_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.docx").touch()
    with pytest.raises(
        UsageError, match=r"holds files that are not ours \(thesis.docx\); choose a new or empty"
    ):
        SnapshotStore(tmp_path).open()
    assert names(tmp_path) == ["thesis.docx"]


def test_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").touch()
    with pytest.raises(UsageError, match="out is a file; choose a folder"):
        SnapshotStore(tmp_path / "out").open()


@pytest.mark.parametrize(
    ("marker", "said"), [('{"format": 2}', "written by a newer copydesk"), ("{", "cannot be read")]
)
def test_a_marker_we_do_not_know(tmp_path: Path, marker: str, said: str) -> None:
    (tmp_path / ".copydesk").write_text(marker)
    with pytest.raises(UsageError, match=said):
        SnapshotStore(tmp_path).open()


@pytest.mark.parametrize("call", ["os.link", "pathlib.Path.symlink_to"])
def test_a_disk_without_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    def refused(*_: object) -> None:
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(call, refused)
    with pytest.raises(UsageError, match="without symlinks and hard links"):
        SnapshotStore(tmp_path / "out").open()
    assert names(tmp_path / "out") == []


def test_no_right_to_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refused)
    with pytest.raises(UsageError, match=r"cannot write to .*Permission denied; choose another"):
        SnapshotStore(tmp_path / "out").open()


def test_reports(store: SnapshotStore) -> None:
    for run_id in ("one", "two"):
        (store.report_folder(run_id) / "report.html").write_text(run_id)
        store.show_report(run_id)
    latest = store.output / "reports" / "latest"
    assert (str(latest.readlink()), (latest / "report.html").read_text()) == ("two", "two")
