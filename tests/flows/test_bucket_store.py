"""The store in a bucket, against a real server: what is published, who is let in, and what survives what."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import pickle
import subprocess
import sys
import tempfile
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from s3_server import S3Server, lost_answers, refusal, without_conditions
from writing import DATASETS, PARTS, names, run, write

from flows.errors import CopydeskError, RunError, UsageError
from flows.snapshots import SnapshotStore, check_files, lease
from flows.snapshots import bucket as objects
from flows.snapshots.bucket import Bucket
from flows.snapshots.scratch import Scratch

pytestmark = pytest.mark.slow
HERE = Path(__file__).parent


@pytest.fixture
def url(bucket: str) -> str:
    return f"s3://{bucket}/clean"


def opened(url: str, keep: int = 5) -> SnapshotStore:
    return SnapshotStore(url, keep=keep, grace=timedelta(0)).open()


def keys(url: str, below: str = "") -> list[str]:
    return sorted(Bucket(url).sizes(below))


def pointer(url: str) -> dict[str, Any]:
    found = Bucket(url).read("current.json")
    assert found is not None
    said: dict[str, Any] = json.loads(found.data)
    return said


def marks(url: str) -> list[int]:
    """What a reader finds who follows the recipe: the pointer, then one prefix."""
    import s3fs

    files = s3fs.S3FileSystem(use_listings_cache=False)
    parts = files.glob(f"{url}/{pointer(url)['snapshot']}/articles/*.parquet")
    assert len(parts) == PARTS
    return sorted({mark for part in parts for mark in pl.read_parquet(files.open(part))["mark"].unique()})


def test_the_same_snapshot_as_in_a_folder(url: str, tmp_path: Path) -> None:
    here = SnapshotStore(tmp_path / "out", grace=timedelta(0)).open()
    store = opened(url)
    for mark in (1, 2):
        run(here, mark)
        run(store, mark)
    there = SnapshotStore(url)
    current = there.current()
    assert current is not None
    there.fetch(current)
    assert check_files(current) == []
    local = here.current()
    assert local is not None
    files = {str(p.relative_to(local)): p.read_bytes() for p in local.rglob("*") if p.is_file()}
    fetched = {str(p.relative_to(current)): p.read_bytes() for p in current.rglob("*") if p.is_file()}
    manifests = [json.loads(f.pop("manifest.json")) for f in (files, fetched)]
    assert files == fetched
    assert manifests[0] | {"published_at": ""} == manifests[1] | {"published_at": ""}
    assert keys(url) == [
        ".copydesk", ".lock", "current.json", *sorted(f"snapshots/run-0001/{n}" for n in (*names_in(here, 0), "manifest.json")),
        *sorted(f"snapshots/run-0002/{n}" for n in (*fetched, "manifest.json")),
    ]  # fmt: skip
    said = pointer(url)
    assert (said["run_id"], said["snapshot"], said["sequence"]) == ("run-0002", "snapshots/run-0002", 2)
    assert marks(url) == [2]


def names_in(store: SnapshotStore, at: int) -> list[str]:
    snapshot = store.snapshots()[at]
    return [str(p.relative_to(snapshot)) for p in snapshot.rglob("*.parquet")]


def test_unchanged_parts_are_copied_inside_the_bucket(url: str, s3: S3Server) -> None:
    firstly = opened(url)
    first = run(firstly, 1)
    s3.requests.clear()
    store = opened(url)  # as another process would: nothing of the last run is here
    with store.lock():
        staging = store.begin("next")
        assert staging.previous is not None
        assert staging.past("runs") != []
        for part in names(first / "articles"):
            staging.keep("articles", part)
        assert staging.is_kept("articles")
        assert staging.bytes_of("articles") == sum(p.stat().st_size for p in (first / "articles").iterdir())
        store.publish(staging, ["articles"], {})
    copied = [request for request in s3.requests if request.copies]
    assert len(copied) == PARTS
    assert s3.sent() < 5_000  # the manifest, the pointer and the lock
    assert not any(r.method == "GET" and "/articles/" in r.path for r in s3.requests)
    there = SnapshotStore(url)
    snapshot = there.current()
    assert snapshot is not None
    assert check_files(there.fetch(snapshot)) == []
    assert names(snapshot / "articles") == names(first / "articles")
    assert marks(url) == [1]


def test_the_server_is_told_what_to_expect(url: str, s3: S3Server) -> None:
    store = opened(url)
    snapshot = run(store, 1)
    stated = {r.path.removeprefix("/"): r.sha256 for r in s3.requests if r.path.endswith(".parquet")}
    bucket = url.removeprefix("s3://")
    digests = {
        f"{bucket}/snapshots/{path.relative_to(snapshot.parent)}": hashlib.sha256(path.read_bytes()).digest()
        for path in snapshot.rglob("*.parquet")
    }
    assert stated == {key: base64.b64encode(digest).decode() for key, digest in digests.items()}


def test_kept_parts_are_fetched_when_they_are_read(url: str) -> None:
    firstly = opened(url)
    first = run(firstly, 1)
    store = opened(url)
    with store.lock():
        staging = store.begin("next")
        frame = pl.DataFrame({"doc_id": ["new"], "mark": [7]})
        frame.write_parquet(staging.dataset("articles") / "part-00009.parquet")
        for part in names(first / "articles")[:2]:
            staging.keep("articles", part)
        assert not staging.is_kept("articles")
        assert sorted(pl.read_parquet(staging.parts("articles"))["mark"].unique()) == [1, 7]
        with pytest.raises(RunError, match=r"articles/other.parquet is not in the current snapshot; run with --fresh"):
            staging.keep("articles", "other.parquet")


def test_the_second_of_two_writers_is_told_who_is_first(url: str) -> None:
    store = opened(url)
    with store.lock(), pytest.raises(RunError, match=rf"{url} is being written by process \d+ on .* since .*wait for that run") as caught:
        run(opened(url), 1)
    assert "\n" not in str(caught.value)
    run(opened(url), 2)
    assert marks(url) == [2]


def test_who_was_taken_over_publishes_nothing(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer that was asleep until its lock ran out wakes up after another took it."""
    run(opened(url), 1)
    slow = opened(url)
    with slow.lock():
        staging = slow.begin("slow")
        write(staging, 2)
        monkeypatch.setattr(lease, "SECONDS", -1.0)
        run(opened(url), 3)
        monkeypatch.undo()
        with pytest.raises(RunError, match=r"another run has taken s3://.* over.*the snapshot before it stands; run it again"):
            slow.publish(staging, DATASETS, {})
    assert marks(url) == [3]
    assert [path.name for path in opened(url).snapshots()] == ["run-0001", "run-0003", "slow"]  # whole, though never current
    run(opened(url), 4)
    assert marks(url) == [4]


def test_many_writers_at_once(url: str) -> None:
    """Each is let in or told so in a line, and every snapshot that was published is whole."""
    opened(url)
    outcomes: list[str] = []

    def one(mark: int) -> None:
        try:
            run(opened(url), mark)
            outcomes.append("published")
        except RunError as error:
            outcomes.append(str(error))

    threads = [threading.Thread(target=one, args=(mark,)) for mark in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == 6
    assert outcomes.count("published") >= 1
    assert all(said == "published" or "is being written by" in said for said in outcomes)
    store = SnapshotStore(url)
    assert [check_files(store.fetch(path)) for path in store.snapshots()] == [[]] * outcomes.count("published")


def test_a_lock_is_renewed_and_runs_out(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    store = opened(url)
    place = Bucket(url)

    def lock() -> dict[str, Any]:
        found = place.read(".lock")
        assert found is not None
        return json.loads(found.data) if found.data else {}

    monkeypatch.setattr(lease, "RENEWED", 0.01)
    with store.lock():
        deadline = threading.Event()
        while lock()["renewed"] < 3:
            deadline.wait(0.01)
        held = lock()
    assert lock() == {}
    other = {**held, "machine": "another one"}
    place.upload([(written(other), ".lock", None)])
    with pytest.raises(RunError, match=r"runs out by itself, at \d\d:\d\d:\d\d UTC"), store.lock():
        pass
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    place.upload([(written({**held, "pid": dead.pid}), ".lock", None)])
    with store.lock():  # a process of this machine that is no more holds nothing
        pass
    place.upload([(written(other), ".lock", None)])
    monkeypatch.setattr(lease, "SECONDS", -1.0)
    with store.lock():
        pass


def written(said: dict[str, Any]) -> Path:
    path = Path(tempfile.mkdtemp()) / "lock"
    path.write_text(json.dumps(said), "utf-8")
    return path


def test_a_run_killed_at_any_request(url: str, tmp_path: Path) -> None:
    """After each, the last snapshot is whole, the next run is let in at once, and no orphan survives it."""
    done = subprocess.run(
        [sys.executable, str(HERE / "bucket_kills.py"), url, "9"], check=False, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": f"{HERE}{os.pathsep}{HERE.parent.parent}", "TMPDIR": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout)["kills"] >= 4
    assert not list(tmp_path.glob("copydesk-bucket-*/.snapshots/.staging-run-*"))


def test_pieces_of_a_large_file_that_was_not_finished(url: str) -> None:
    store = opened(url)
    run(store, 1)
    files, name = Bucket(url)._files(), url.removeprefix("s3://").partition("/")[0]
    files.call_s3("create_multipart_upload", Bucket=name, Key="clean/snapshots/run-0002/articles/large.parquet")
    files.call_s3("create_multipart_upload", Bucket=name, Key="of-others")
    run(store, 2)
    left = files.call_s3("list_multipart_uploads", Bucket=name)["Uploads"]
    assert [row["Key"] for row in left] == ["of-others"]


def test_readers_never_see_two_runs_at_once(url: str) -> None:
    store = SnapshotStore(url).open()
    run(store, 0)
    ended, seen, errors = threading.Event(), [], []

    def read() -> None:
        while not ended.is_set():
            try:
                seen.append(tuple(marks(url)))
            except Exception as error:  # any is one too many
                errors.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    for mark in range(1, 12):
        run(store, mark)
    ended.set()
    reader.join()
    assert errors == []
    assert all(len(found) == 1 for found in seen)
    assert len(set(seen)) > 5
    assert seen == sorted(seen)


def test_the_last_ones_stay(url: str) -> None:
    store = opened(url, keep=2)
    for mark in (5, 3, 4, 1):
        run(store, mark)
    assert [path.name for path in SnapshotStore(url).snapshots()] == ["run-0004", "run-0001"]
    assert {key.split("/")[1] for key in keys(url, "snapshots/")} == {"run-0004", "run-0001"}
    graceful = SnapshotStore(url, keep=1, grace=timedelta(hours=1)).open()
    run(graceful, 9)
    assert len(graceful.snapshots()) == 3


def test_going_back(url: str) -> None:
    store = opened(url)
    for mark in (1, 2):
        (store.report_folder(f"run-{mark:04}") / "report.html").write_text(str(mark))
        run(store, mark)
        store.show_report(f"run-{mark:04}")
    there = SnapshotStore(url)
    with there.lock():
        there.switch(there.snapshots()[0])
    assert marks(url) == [1]
    latest = Bucket(url).read("reports/latest/report.html")
    assert latest is not None
    assert latest.data == b"1"
    run(opened(url), 3)
    assert [path.name for path in SnapshotStore(url).snapshots()] == ["run-0001", "run-0002", "run-0003"]
    assert pointer(url)["sequence"] == 3


def test_a_report_that_cannot_be_shown(url: str, s3: S3Server) -> None:
    store = opened(url)
    run(store, 1)
    for run_id, said in (("run-0001", "snapshot run-0001 is published without its report"), ("kept-back", "nothing was published")):
        (store.report_folder(run_id) / "report.html").write_text("words")
        s3.tamper = refusal("403 Forbidden", "AccessDenied")
        with pytest.raises(RunError, match=f"cannot write s3://.*/report.html: access is denied.*; {said}"):
            store.show_report(run_id)
        s3.tamper = None


def test_what_lies_beside_the_snapshots_comes_back(url: str, s3: S3Server) -> None:
    store = opened(url)
    with store.lock():
        staging = store.begin("one")
        write(staging, 1)
        (store.output / ".cache").write_text("dear")
        store.publish(staging, DATASETS, {})
    store = opened(url)
    with store.lock():
        staging = store.begin("two")
        assert (store.output / ".cache").read_text() == "dear"
        write(staging, 2)
        s3.requests.clear()
        store.publish(staging, DATASETS, {})
    assert not any(r.path.endswith(".cache") for r in s3.requests)


def test_damage_is_found(url: str, s3: S3Server) -> None:
    firstly = opened(url)
    snapshot = run(firstly, 1)
    root = f"snapshots/{snapshot.name}/articles/"
    one, two, _ = keys(url, root)
    place = Bucket(url)
    files = place._files()
    raw = bytearray((snapshot / "articles" / Path(one).name).read_bytes())
    raw[10] ^= 1
    files.pipe(f"{url}/{one}", bytes(raw))
    place.delete([two])
    files.pipe(f"{url}/{root}stray.parquet", b"x")
    store = SnapshotStore(url)
    current = store.current()
    assert current is not None
    said = [
        f"articles/{Path(one).name} is altered: its content is not what was published",
        f"articles/{Path(two).name} is missing",
        "articles/stray.parquet is extra: the manifest does not name it",
    ]
    s3.requests.clear()
    assert store.damage(current) == said
    read = {Path(r.path).name for r in s3.requests if r.method == "GET" and r.path.endswith(".parquet")}
    assert read == {Path(one).name, "stray.parquet"}  # of the others the server knows that they are sound
    assert check_files(store.fetch(current)) == said
    other = SnapshotStore(url)
    again = other.current()
    assert again is not None
    with pytest.raises(RunError, match=r"a file of snapshot run-0001 is not in s3://.*; copydesk verify says which"):
        other.parts(again, "articles")
    files.pipe(f"{url}/snapshots/run-0001/../../odd", b"x")
    with pytest.raises(RunError, match="is no name for a file; remove the object"):
        other.fetch(again)


def bad_environment(patch: pytest.MonkeyPatch, **values: str | None) -> None:
    import s3fs

    s3fs.S3FileSystem.clear_instance_cache()
    for name, value in values.items():
        patch.setenv(name, value) if value else patch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("tamper", "said"),
    [
        (refusal("403 Forbidden", "AccessDenied"), "access is denied; check what the credentials may do"),
        (refusal("403 Forbidden", "AccessDenied", "GET"), "access is denied"),
        (refusal("403 Forbidden", "InvalidAccessKeyId", "GET"), "the access key is not known; check AWS_ACCESS_KEY_ID"),
        (refusal("400 Bad Request", "ExpiredToken", "GET"), "the credentials have expired; get new ones"),
        (refusal("403 Forbidden", "AccessDenied", "POST"), "cannot delete s3://.*access is denied"),
        (refusal("501 Not Implemented", "NotImplemented"), "the store has no conditional writes"),
        (without_conditions, "the store has no conditional writes"),
    ],
)
def test_a_store_that_will_not_do(url: str, s3: S3Server, tamper: Any, said: str) -> None:
    s3.tamper = tamper
    with pytest.raises(UsageError, match=said) as caught:
        SnapshotStore(url).open()
    assert "\n" not in str(caught.value)
    assert url in str(caught.value)


def test_no_way_to_the_store(url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    bad_environment(monkeypatch, AWS_ENDPOINT_URL="http://127.0.0.1:9")
    with pytest.raises(UsageError, match="the server cannot be reached; check the network and AWS_ENDPOINT_URL"):
        SnapshotStore(url).open()
    monkeypatch.undo()
    bad_environment(
        monkeypatch, AWS_ACCESS_KEY_ID=None, AWS_SECRET_ACCESS_KEY=None, AWS_EC2_METADATA_DISABLED="true",
        HOME=str(tmp_path),
    )  # fmt: skip
    with pytest.raises(UsageError, match="no credentials were found; set AWS_PROFILE"):
        SnapshotStore(url).open()
    monkeypatch.undo()
    bad_environment(monkeypatch)
    with pytest.raises(UsageError, match="there is no such bucket; make it first"):
        SnapshotStore("s3://no-such-bucket/clean").open()


def test_what_is_no_place_for_an_output(bucket: str) -> None:
    for given, said in {
        "gs://bucket/news": "cannot publish in gs://bucket/news; name a folder, or s3://bucket/prefix",
        "s3://": "names no bucket",
    }.items():
        with pytest.raises(UsageError, match=said):
            SnapshotStore(given).open()
    Bucket(f"s3://{bucket}")._files().pipe(f"{bucket}/theirs/thesis.docx", b"x")
    with pytest.raises(UsageError, match=r"holds files that are not ours \(thesis.docx\); choose a new or empty output prefix"):
        SnapshotStore(f"s3://{bucket}/theirs").open()
    with pytest.raises(UsageError, match=r"not ours \(theirs\)"):
        SnapshotStore(f"s3://{bucket}").open()
    Bucket(f"s3://{bucket}")._files().pipe(f"{bucket}/newer/.copydesk", b'{"format": 2}')
    with pytest.raises(UsageError, match="written by a newer copydesk"):
        SnapshotStore(f"s3://{bucket}/newer").open()


@pytest.mark.parametrize("text", ["", "[]", '{"run": 1}', '{"run_id": "../../x"}'])
def test_a_pointer_that_nobody_can_read(url: str, text: str) -> None:
    run(opened(url), 1)
    good = json.dumps(pointer(url))
    files = Bucket(url)._files()
    files.pipe(f"{url}/current.json", text.encode())
    with pytest.raises(RunError, match=r"current.json cannot be read; put it right: JSON with the `run_id`"):
        run(opened(url), 2)
    files.pipe(f"{url}/current.json", good.encode())
    run(opened(url), 3)
    assert marks(url) == [3]


def test_an_answer_that_is_lost(url: str, s3: S3Server) -> None:
    """A write that was made, and is sent again as nobody heard of it, is not taken for another's."""
    opened(url)
    s3.tamper = lost_answers("current.json")
    run(opened(url), 1)
    s3.tamper = None
    assert marks(url) == [1]


def test_a_store_that_fails_in_the_middle(url: str, s3: S3Server) -> None:
    run(opened(url), 1)
    store = opened(url)
    with store.lock():
        staging = store.begin("bad")
        write(staging, 2)
        s3.tamper = refusal("403 Forbidden", "AccessDenied")
        with pytest.raises(CopydeskError, match=r"cannot write s3://.*: access is denied"):
            store.publish(staging, DATASETS, {})
        s3.tamper = None
    assert marks(url) == [1]
    run(opened(url), 3)
    assert not keys(url, "snapshots/bad/")


def test_large_files_go_in_pieces(bucket: str, s3: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objects, "PIECE_BYTES", 5_300_000)
    place = Bucket(f"s3://{bucket}/x")
    (tmp_path / "large").write_bytes(os.urandom(11_000_000))
    place.upload([(tmp_path / "large", "large", None)])
    assert len([r for r in s3.requests if r.method == "PUT" and r.path.endswith("/large")]) == 3
    place.download([("large", tmp_path / "back")])
    assert (tmp_path / "back").read_bytes() == (tmp_path / "large").read_bytes()


def test_a_shelf_can_be_sent_to_another_process(url: str) -> None:
    store = opened(url)
    snapshot = run(store, 1)
    fetch = pickle.loads(pickle.dumps(store.shelf.fetch))
    for path in (snapshot / "articles").iterdir():
        path.unlink()
    fetch(snapshot)
    assert check_files(snapshot) == []


def test_scratch_goes_with_its_process(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    used = Scratch()
    left = tmp_path / "copydesk-bucket-left"
    left.mkdir()
    (left / ".in-use").touch()
    other = Scratch()
    assert not left.exists()
    assert used.path.is_dir()
    assert used.path != other.path
    del used, other
    assert names(tmp_path) == []


def test_a_pointer_is_never_half_taken(url: str) -> None:
    """Whoever opens the output between two runs finds the pointer of the last snapshot, also while one is at work."""
    run(opened(url), 1)
    store = opened(url)
    with store.lock():
        assert pointer(url)["run_id"] == "run-0001"
        assert marks(url) == [1]

