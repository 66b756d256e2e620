"""Runs into a bucket, and every command over what they published there: the same as over a folder."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import s3fs
from refreshing import without_prefect
from s3_server import S3Server
from typer.testing import CliRunner

from flows.cli import app
from flows.cli_operate import flow_parameters
from flows.errors import GateError, RunError, UsageError
from flows.parts import read_part
from flows.snapshots import SnapshotStore, check_files
from flows.snapshots.bucket import Bucket
from schemas import ARTICLES, DATASETS, RUNS

pytestmark = [pytest.mark.slow, pytest.mark.server]

Clean = Callable[..., dict[str, Any]]
Published = tuple[str, dict[str, Any]]


def copied(url: str, bucket: str) -> str:
    """A copy of an output, to do with as one likes."""
    there = f"s3://{bucket}/output"
    files = s3fs.S3FileSystem(use_listings_cache=False)
    for key in Bucket(url).sizes():
        files.cp_file(f"{url}/{key}", f"{there}/{key}")
    return there


def say(*words: str) -> tuple[int, str]:
    """What a command answers: its exit code, and what it printed."""
    done = CliRunner().invoke(app, words)
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.output


def rows(url: str, dataset: Any) -> pl.DataFrame:
    store = SnapshotStore(url)
    current = store.current()
    assert current is not None
    return pl.concat([read_part(path, dataset) for path in store.parts(current, dataset.name)])


def test_a_run_publishes_the_same_bytes(seeds_in_bucket: Published, seeds_published: tuple[Path, dict[str, Any]]) -> None:
    url, result = seeds_in_bucket
    folder, _ = seeds_published
    store = SnapshotStore(url)
    current = store.current()
    assert current is not None
    assert check_files(store.fetch(current)) == []
    for dataset in DATASETS:
        if dataset is not RUNS:  # it says when
            here = {p.name: p.read_bytes() for p in (folder / dataset.name).iterdir()}
            assert {p.name: p.read_bytes() for p in (current / dataset.name).iterdir()} == here
    assert result["snapshot"] == f"{url}/snapshots/{result['run_id']}"
    assert result["report"] == f"{url}/reports/{result['run_id']}/report.html"
    files = s3fs.S3FileSystem(use_listings_cache=False)
    page = files.cat(result["report"])
    assert page == files.cat(f"{url}/reports/latest/report.html")
    assert b"<html" in page
    assert files.info(result["report"])["ContentType"].startswith("text/html")
    assert f"{result['run_id']}/report.html" in files.cat(f"{url}/reports/index.html").decode()
    assert json.loads(files.cat(f"{url}/reports/{result['run_id']}/report.json"))["run"]["output"] == url


def test_the_commands_over_it(seeds_in_bucket: Published, tmp_path: Path) -> None:
    url, result = seeds_in_bucket
    code, said = say("verify", url)
    assert (code, "proved" in said) == (0, True), said
    code, said = say("schema", "--check", url)
    assert (code, "agrees" in said) == (0, True), said
    assert say("export", url, str(tmp_path / "articles.jsonl"), "--unique")[0] == 0
    lines = (tmp_path / "articles.jsonl").read_text("utf-8").splitlines()
    assert len(lines) == result["articles"] - sum(result["duplicates"].values())
    code, said = say("snapshots", "list", url)
    assert (code, result["run_id"] in said, "current" in said) == (0, True, True)
    code, said = say("doctor", "-o", url, "--json")
    findings = {f["check"]: f for f in json.loads(said)["findings"]}
    assert findings["output"]["state"] == "ok"
    assert findings["output"]["found"] == f"{url} can be written, with conditional writes"
    with pytest.raises(UsageError, match="is the oldest snapshot"):
        say("snapshots", "rollback", "-o", url)
    with pytest.raises(UsageError, match="is no output of copydesk"):
        say("verify", f"{url}/reports")


def test_a_flipped_byte(seeds_in_bucket: Published, bucket: str) -> None:
    url = copied(seeds_in_bucket[0], bucket)
    key = next(key for key in Bucket(url).sizes("snapshots/") if "/ledger/" in key)
    files = s3fs.S3FileSystem(use_listings_cache=False)
    raw = bytearray(files.cat(f"{url}/{key}"))
    raw[len(raw) // 2] ^= 1
    files.pipe(f"{url}/{key}", bytes(raw))
    code, said = say("verify", url)
    assert (code, "is altered: its content is not what was published" in said) == (1, True)


def test_the_next_run_uploads_what_is_new(
    clean: Clean, seeds_in_bucket: Published, seeds: Path, bucket: str, s3: S3Server, tmp_path: Path
) -> None:
    url = copied(seeds_in_bucket[0], bucket)
    source = Path(shutil.copytree(seeds, tmp_path / "seeds"))
    s3.requests.clear()
    same = clean(source=seeds, output=url)
    assert same["pages_unchanged"] == same["pages_in"]
    parts = [r for r in s3.requests if r.method == "PUT" and r.path.endswith(".parquet")]
    sent = [r for r in parts if not r.copies]
    assert {r.path.split("/")[-2] for r in sent} <= {"runs", ".state"}
    assert {r.path.split("/")[-2] for r in parts if r.copies} >= {"articles", "ledger", "quarantine", "duplicates"}
    assert not any(r.method == "GET" and "/ledger/" in r.path for r in s3.requests)
    page = next(path for path in sorted(source.glob("*.txt")) if path.stat().st_size > 1_000)
    page.write_text(page.read_text("utf-8").replace("a", "e", 3), "utf-8")
    changed = clean(source=source, output=url, prune=True)
    assert changed["pages_in"] == same["pages_in"]
    assert len(rows(url, RUNS)) == 3
    whole = tmp_path / "whole"
    clean(source=source, output=whole)
    here = pl.read_parquet(whole / "articles").sort("doc_id")
    assert rows(url, ARTICLES).sort("doc_id").equals(here)
    code, said = say("verify", url)
    assert code == 0, said
    code, said = say("snapshots", "diff", "-o", url)
    assert (code, f"from {same['run_id']} to {changed['run_id']}" in said) == (0, True)
    code, said = say("snapshots", "rollback", "-o", url)
    assert (code, f"now see {same['run_id']}" in said) == (0, True)
    latest, own = (Bucket(url).read(f"reports/{name}/report.html") for name in ("latest", same["run_id"]))
    assert latest is not None
    assert own is not None
    assert latest.data == own.data


def test_replay(clean: Clean, seeds_in_bucket: Published, bucket: str) -> None:
    url = copied(seeds_in_bucket[0], bucket)
    before = seeds_in_bucket[1]
    again = clean(source=f"{url}/quarantine", output=url, replay=True)
    assert (again["articles"], again["quarantined"]) == (before["articles"], before["quarantined"])
    assert len(rows(url, RUNS)) == 2
    with pytest.raises(UsageError, match=r"has no snapshot to replay; run `copydesk run SOURCE --output s3://"):
        clean(source="-", output=f"s3://{bucket}/empty", replay=True)


def test_a_gate_keeps_it_back(clean: Clean, seeds: Path, seeds_in_bucket: Published, bucket: str) -> None:
    url = copied(seeds_in_bucket[0], bucket)
    before = Bucket(url).sizes("snapshots/")
    with pytest.raises(GateError, match=rf"Nothing was published; see {url}/reports/.*/report.html") as caught:
        clean(source=seeds, output=url, max_quarantined=0.0, fresh=True)
    assert Bucket(url).sizes("snapshots/") == before
    kept_back = caught.value.result["run_id"]
    files = s3fs.S3FileSystem(use_listings_cache=False)
    assert files.exists(caught.value.result["report"])
    assert clean(source=seeds, output=url)["snapshot"]
    index = files.cat(f"{url}/reports/index.html").decode()
    assert f"{kept_back}/report.html" in index  # another process wrote it: its figures were fetched


def test_one_writer_at_a_time(clean: Clean, seeds: Path, seeds_in_bucket: Published, bucket: str) -> None:
    url = copied(seeds_in_bucket[0], bucket)
    with SnapshotStore(url).lock(), pytest.raises(RunError, match="is being written by process"):
        clean(source=seeds, output=url)


def test_the_url_reaches_the_flow_as_it_was_given() -> None:
    taken: dict[str, Any] = {}
    import flows.launch

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(flows.launch, "launch", lambda parameters, **_: taken.update(parameters))
        say("run", "seeds", "-o", "s3://bucket/news")
        assert taken["output"] == "s3://bucket/news"
        say("replay", "s3://bucket/news")
    assert (taken["source"], taken["output"]) == ("s3://bucket/news/quarantine", "s3://bucket/news")
    given = {"output": "s3://b", "verbose": True}
    assert flow_parameters(given) == {"output": "s3://b", "replay": False}


def test_many_small_runs_give_the_rows_of_one(bucket: str, seeds: Path, tmp_path: Path) -> None:
    """Parts are kept, rewritten and put together as in a folder: after each run both have the same files."""
    url, folder, source = f"s3://{bucket}/out", tmp_path / "out", tmp_path / "source"
    source.mkdir()
    pages = sorted(seeds.glob("*.txt"))[:12]
    for number in range(3):
        for page in pages[number * 2 : number * 2 + 2]:
            shutil.copy(page, source)
        if number == 2:
            (source / pages[0].name).unlink()
        for output in (url, str(folder)):
            without_prefect.refresh(
                source, output, {}, run_id=f"run-{number}", shard_bytes=2_000, prune=number == 2
            )
        store = SnapshotStore(url)
        current = store.current()
        assert current is not None
        assert check_files(store.fetch(current)) == []
        for name in ("articles", "ledger", "quarantine", ".state"):
            there = {p.name: p.read_bytes() for p in (current / name).iterdir()}
            here = {p.name: p.read_bytes() for p in (folder / "current" / name).iterdir()}
            assert there.keys() == here.keys()
            if name != ".state":
                assert there == here
