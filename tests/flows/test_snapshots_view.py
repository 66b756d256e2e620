"""`copydesk snapshots`: what is listed, how two snapshots differ, and going back in one step."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from flows.compare import compare
from flows.errors import RunError, UsageError
from flows.parts import write_part
from flows.snapshots import SnapshotStore, check_files
from flows.snapshots_view import diff_snapshots, list_snapshots, rollback
from schemas import DATASETS, DUPLICATES
from schemas.examples import EXAMPLES

Rows = dict[str, list[dict[str, Any]]]
ROW = EXAMPLES["articles"]
SPAN = EXAMPLES["ledger"]


def publish(output: Path, run: str, rows: Rows, keep: tuple[str, ...] = ()) -> Path:
    """Publish a snapshot of these rows; the parts of `keep` are those of the snapshot before."""
    store = SnapshotStore(output, grace=timedelta(0)).open()
    with store.lock():
        staging = store.begin(run)
        for dataset in DATASETS:
            if dataset.name in keep and staging.previous:
                for part in (staging.previous / dataset.name).iterdir():
                    staging.keep(dataset.name, part.name)
                continue
            frame = pl.DataFrame(rows.get(dataset.name, []), schema=dataset.columns, orient="row")
            write_part(frame, dataset, staging.dataset(dataset.name) / "part-00000.parquet", ruleset="r1")
        return store.publish(staging, [d.name for d in DATASETS], {"pages_in": len(rows.get("articles", []))})


@pytest.fixture
def two(tmp_path: Path) -> Path:
    """Two snapshots: an article more, one less, one with another headline and no section, and spans."""
    output = tmp_path / "out"
    publish(output, "run-a", {
        "articles": [ROW | {"doc_id": "kept"}, ROW | {"doc_id": "left"}, ROW | {"doc_id": "told", "headline": "Old [bold]words"}],
        "ledger": [SPAN | {"doc_id": "kept"}, SPAN | {"doc_id": "left"}],
        "runs": [EXAMPLES["runs"] | {"run_id": "run-a"}],
    })  # fmt: skip
    publish(output, "run-b", {
        "articles": [ROW | {"doc_id": "come"}, ROW | {"doc_id": "kept"}, ROW | {"doc_id": "told", "headline": "New words", "section": None}],
        "ledger": [SPAN | {"doc_id": "kept", "role": "other"}, SPAN | {"doc_id": "come"}],
        "runs": [EXAMPLES["runs"] | {"run_id": run, "verdict": verdict} for run, verdict in (("run-a", "passed"), ("run-b", "warned"))],
    })  # fmt: skip
    return output


def folder(output: Path, run: str) -> Path:
    return output / ".snapshots" / run


def test_a_difference_by_dataset_and_by_field(two: Path) -> None:
    found = {d.dataset: d for d in compare(folder(two, "run-a"), folder(two, "run-b"))}
    assert {n: (d.added, d.changed, d.gone) for n, d in found.items()} == {
        "articles": (1, 1, 1), "ledger": (1, 1, 1), "quarantine": (0, 0, 0), "duplicates": (0, 0, 0), "runs": (1, 0, 0),
    }  # fmt: skip
    articles = found["articles"]
    assert (articles.added_keys, articles.gone_keys) == (["come"], ["left"])
    assert {name: count for name, (count, _) in articles.fields.items()} == {"headline": 1, "section": 1}
    (example,) = articles.fields["section"][1]
    assert (example.key, example.before, example.after) == ("told", "National", None)
    assert found["ledger"].fields["role"][1][0].key == "kept 24 1502"
    back = {d.dataset: (d.added, d.changed, d.gone) for d in compare(folder(two, "run-b"), folder(two, "run-a"))}
    assert back["articles"] == (1, 1, 1)
    assert back["runs"] == (0, 0, 1)


def test_parts_that_both_have_are_not_read(two: Path) -> None:
    rows: Rows = {"runs": [EXAMPLES["runs"]]}
    publish(two, "run-c", rows, keep=("articles", "ledger"))
    for part in folder(two, "run-c").glob("articles/*.parquet"):
        part.write_bytes(b"not read")
    found = {d.dataset: d for d in compare(folder(two, "run-b"), folder(two, "run-c"))}
    assert (found["articles"].added, found["articles"].changed, found["articles"].gone) == (0, 0, 0)
    with pytest.raises(RunError, match=r"cannot read articles/part-.*copydesk verify says"):
        list(compare(folder(two, "run-a"), folder(two, "run-c")))


def test_a_row_that_moved_to_another_part_is_the_same(two: Path) -> None:
    store = SnapshotStore(two, grace=timedelta(0)).open()
    with store.lock():
        staging = store.begin("run-c")
        for dataset in DATASETS:
            frame = pl.read_parquet(two / dataset.name)
            for n, rows in enumerate(frame[::-1].iter_slices(1) if len(frame) else [frame]):
                write_part(rows, dataset, staging.dataset(dataset.name) / f"part-{n:05}.parquet", ruleset="r2")
        store.publish(staging, [d.name for d in DATASETS], {})
    assert {(d.added, d.changed, d.gone) for d in compare(folder(two, "run-b"), folder(two, "run-c"))} == {(0, 0, 0)}


def test_what_is_printed(two: Path, capsys: pytest.CaptureFixture[str]) -> None:
    diff_snapshots(two, None, None)
    said = capsys.readouterr().out
    assert said.startswith("from run-a to run-b\n")
    assert "+ come, - left" in said
    assert "articles.headline: 1 changed\n    told: 'Old [bold]words' -> 'New words'" in said
    assert "articles.section: 1 changed\n    told: 'National' -> null" in said
    diff_snapshots(two, "run-b", "a")
    assert capsys.readouterr().out.startswith("from run-b to run-a\n")


def test_the_list_says_what_is_shared_and_what_is_current(two: Path, capsys: pytest.CaptureFixture[str]) -> None:
    publish(two, "run-c", {"runs": [EXAMPLES["runs"] | {"run_id": "run-c", "verdict": "failed"}]}, keep=("articles",))
    list_snapshots(two)
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.split() == ["run", "published", "pages", "verdict", "own", "shared"]
    assert [line.split()[0] for line in lines] == ["run-a", "run-b", "run-c"]
    assert [line.endswith("current") for line in map(str.rstrip, lines)] == [False, False, True]
    assert ["passed" in lines[0], "warned" in lines[1], "failed" in lines[2]] == [True] * 3
    assert " 0 bytes" in lines[0]
    assert " 0 bytes" not in lines[1] + lines[2]


def test_going_back_and_forth(two: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (two / "reports" / "run-a").mkdir()
    (two / "reports" / "run-a" / "report.html").touch()
    rollback(two, None)
    said = capsys.readouterr().out
    assert f"Readers of {two} now see run-a" in said
    assert "articles                 3 rows" in said
    assert "run-b stays: `copydesk snapshots rollback run-b" in said
    assert set(pl.read_parquet(two / "articles")["doc_id"]) == {"kept", "left", "told"}
    assert (two / "reports" / "latest").readlink() == Path("run-a")
    with pytest.raises(UsageError, match="run-a is the oldest snapshot"):
        rollback(two, None)
    with pytest.raises(UsageError, match="run-a is the current snapshot already"):
        rollback(two, "run-a")
    rollback(two, "b")
    assert set(pl.read_parquet(two / "articles")["doc_id"]) == {"kept", "come", "told"}


def test_the_next_run_goes_on_from_where_one_went_back_to(two: Path) -> None:
    rollback(two, None)
    publish(two, "run-c", {"runs": [EXAMPLES["runs"]]}, keep=("articles",))
    assert set(pl.read_parquet(two / "articles")["doc_id"]) == {"kept", "left", "told"}
    assert [p.name for p in SnapshotStore(two).snapshots()] == ["run-a", "run-b", "run-c"]
    assert check_files((two / "current").resolve()) == []


def test_a_snapshot_without_a_dataset_and_back(two: Path) -> None:
    """Links come and go with the datasets of the snapshot that is current."""
    store = SnapshotStore(two, grace=timedelta(0)).open()
    with store.lock():
        staging = store.begin("run-c")
        for dataset in DATASETS:
            if dataset is not DUPLICATES:
                write_part(dataset.empty(), dataset, staging.dataset(dataset.name) / "part-00000.parquet", ruleset="r")
        store.publish(staging, [d.name for d in DATASETS if d is not DUPLICATES], {})
    assert not (two / "duplicates").exists()
    assert {d.dataset: d.gone for d in compare(folder(two, "run-b"), folder(two, "run-c"))}["articles"] == 3
    rollback(two, "run-b")
    assert len(pl.read_parquet(two / "duplicates")) == 0
    rollback(two, "run-c")
    assert not (two / "duplicates").is_symlink()


def test_what_cannot_be_done(two: Path, tmp_path: Path) -> None:
    for name, line in (("nothing", "no snapshot 'nothing'"), ("run", "2 snapshots have 'run' in their name")):
        with pytest.raises(UsageError, match=line):
            rollback(two, name)
        with pytest.raises(UsageError, match=line):
            diff_snapshots(two, name, None)
    with pytest.raises(UsageError, match="is no output of copydesk"):
        list_snapshots(tmp_path)
    part = next(folder(two, "run-a").glob("ledger/*.parquet"))
    part.write_bytes(part.read_bytes()[:-1])
    with pytest.raises(RunError, match=r"run-a is not as it was published: ledger/.* is altered.*nothing was changed"):
        rollback(two, None)
    assert (two / "current").resolve().name == "run-b"
    with SnapshotStore(two).lock(), pytest.raises(RunError, match="is being written by"):
        rollback(two, "run-a")


def test_an_output_without_a_snapshot(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    SnapshotStore(tmp_path / "out").open()
    list_snapshots(tmp_path / "out")
    assert "has no snapshot yet" in capsys.readouterr().out
    with pytest.raises(UsageError, match="has no published snapshot"):
        rollback(tmp_path / "out", None)


def test_the_command_and_the_flow_keep_as_many() -> None:
    import inspect

    from flows import cli
    from flows.clean_news import clean_news
    from flows.snapshots.store import KEEP

    assert inspect.signature(cli.run).parameters["keep"].default == KEEP
    assert inspect.signature(clean_news.fn).parameters["keep"].default == KEEP


@pytest.mark.server
def test_a_run_keeps_what_it_is_told_to(output: Path, seeds: Path, clean: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SnapshotStore.__init__.__kwdefaults__, "grace", timedelta(0))
    clean(source=seeds / "003_hani-night-bus.txt", output=output, keep=1)
    assert len(SnapshotStore(output).snapshots()) == 1
