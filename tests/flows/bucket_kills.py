"""Kills a run at each of its requests to a bucket, in turn; prints what was found, as JSON. A process of its own.

    python bucket_kills.py s3://bucket/prefix STEP
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from writing import SnapshotStore, run

from flows.snapshots import bucket, check_files
from flows.snapshots.files import read_manifest

CALLS = ("call_s3", "put_file", "get_file", "cp_file")


def forked(work: Callable[[], None]) -> int:
    """Do something in a process of its own, with nothing open of ours; returns its exit code, negative where killed."""
    pid = os.fork()
    if not pid:
        try:
            work()
        except BaseException as error:
            print(repr(error), file=sys.stderr, flush=True)
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def killed_at(url: str, mark: int, last: int) -> None:
    """Run, and be killed when the request of that number was answered."""
    opened, count = bucket.Bucket._files, 0
    bucket.ASKED_AT_ONCE = bucket.AT_ONCE = 1

    class Files:
        def __init__(self, files: Any) -> None:
            self.files = files

        def __getattr__(self, name: str) -> Any:
            found = getattr(self.files, name)
            if name not in CALLS:
                return found

            def call(*given: Any, **named: Any) -> Any:
                nonlocal count
                answer = found(*given, **named)
                count += 1
                if count == last:
                    os.kill(os.getpid(), signal.SIGKILL)
                return answer

            return call

    bucket.Bucket._files = lambda self: Files(opened(self))  # type: ignore[method-assign]
    run(SnapshotStore(url, keep=2, grace=timedelta(0)).open(), mark)


def whole(url: str, marks: set[int]) -> None:
    """The current snapshot is one of these, and whole, and all others in the list are as well."""
    store = SnapshotStore(url)
    current = store.current()
    assert current is not None
    assert current.name in {f"run-{mark:04}" for mark in marks}, current.name
    assert [check_files(store.fetch(path)) for path in store.snapshots()] == [[] for _ in store.snapshots()]


def next_run(url: str, mark: int) -> None:
    """The next run comes through, at once, and leaves nothing that no manifest names."""
    store = SnapshotStore(url, keep=2, grace=timedelta(0)).open()
    run(store, mark)
    whole(url, {mark})
    named = {p.name: {f"{f['dataset']}/{f['name']}" for f in (read_manifest(p) or {})["files"]} for p in store.snapshots()}  # type: ignore[index]
    there = {tuple(key.split("/", 2)[1:]) for key in bucket.Bucket(url).sizes("snapshots/")}
    assert there == {(run_id, name) for run_id, files in named.items() for name in {*files, "manifest.json"}}


def main(url: str, step: int) -> None:
    kills = 0
    assert not forked(lambda: next_run(url, 1))
    for last in range(1, 1_000, step):
        mark = 2 * last
        code = forked(lambda mark=mark, last=last: killed_at(url, mark, last))
        assert code in (0, -signal.SIGKILL)
        kills += code != 0
        before = max(1, mark - 2 * step + 1)
        assert not forked(lambda mark=mark, before=before: whole(url, {mark, before})), last
        assert not forked(lambda mark=mark: next_run(url, mark + 1)), last
        if not code:
            break
    print(json.dumps({"kills": kills}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
