"""Opening an output, and publishing into it."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from flows.defaults import KEEP
from flows.errors import CopydeskError, RunError, UsageError
from flows.snapshots.durable import write_file
from flows.snapshots.files import (
    MANIFEST,
    STATE,
    PartFile,
    describe_parts,
    describe_state,
    parts_of,
    read_manifest,
    seal_parts,
    state_of,
)
from flows.snapshots.local import LocalShelf
from flows.snapshots.shelf import FORMAT, File, Shelf

__all__ = ["SnapshotStore", "Staging", "is_bucket"]

GRACE = timedelta(hours=1)

_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
_BUCKET = re.compile(r"s3a?://", re.IGNORECASE)
_URL = re.compile(r"[a-zA-Z][\w+.-]+:/")


def is_bucket(output: Path | str) -> bool:
    """Whether an output lies in a bucket rather than in a folder."""
    return bool(_BUCKET.match(str(output)))


def _shelf(output: Path | str) -> Shelf:
    """The place that an output names. Raises UsageError where it is none that can hold one."""
    if is_bucket(output):
        from flows.snapshots.s3 import S3Shelf  # noqa: PLC0415

        return S3Shelf(str(output))
    if _URL.match(str(output)):
        raise UsageError(f"cannot publish in {output}; name a folder, or s3://bucket/prefix")
    return LocalShelf(Path(output))


class Staging:
    """A snapshot in the making: part files are written to `dataset(name)`, or kept from the one before.

    `previous` is the folder of that one, or None; its files are there once they were fetched.
    """

    def __init__(self, run_id: str, path: Path, previous: Path | None, shelf: Shelf) -> None:
        self.run_id = run_id
        self.path = path
        self.previous = previous
        self.kept: set[File] = set()
        self._shelf = shelf
        self._before = read_manifest(previous) if previous else None

    def dataset(self, name: str) -> Path:
        """The folder of one dataset, made when it is not there yet. What is kept may lie elsewhere: see `parts`."""
        folder = self.path / name
        folder.mkdir(exist_ok=True)
        return folder

    def keep(self, dataset: str, name: str) -> None:
        """Have a part of the current snapshot in this one: not written, hashed or uploaded anew."""
        if self.previous is None:
            raise RunError(f"there is no snapshot yet to keep {dataset}/{name} from")
        self._shelf.keep(self.previous, self.path, (dataset, name))
        self.kept.add((dataset, name))

    def fetch(self, snapshot: Path, files: Iterable[File] | None = None) -> None:
        """See that files of a snapshot can be read in its folder."""
        self._shelf.fetch(snapshot, files)

    def parts(self, dataset: str) -> list[Path]:
        """The part files of a dataset so far, in the order of their names: those written, and those kept."""
        found = {path.name: path for path in (self.path / dataset).glob("*.parquet")}
        elsewhere = [file for file in sorted(self.kept) if file[0] == dataset and file[1] not in found]
        if self.previous is not None and elsewhere:
            self.fetch(self.previous, elsewhere)
            found |= {name: self.previous / folder / name for folder, name in elsewhere}
        return [found[name] for name in sorted(found)]

    def bytes_of(self, dataset: str) -> int:
        """The bytes of the part files of a dataset so far; 0 where it has none."""
        sizes = {name: part["bytes"] for name, part in self.kept_of(dataset).items() if part}
        sizes |= {path.name: path.stat().st_size for path in (self.path / dataset).glob("*.parquet")}
        return sum(sizes.values())

    def past(self, dataset: str) -> list[Path]:
        """The part files of a dataset of the snapshot before."""
        if self.previous is None:
            return []
        self.fetch(self.previous, [file for file in parts_of(self._before) if file[0] == dataset])
        return sorted((self.previous / dataset).glob("*.parquet"))

    def is_kept(self, dataset: str) -> bool:
        """Whether a dataset has the parts of the snapshot before, every one of them and no other."""
        before = {file for file in parts_of(self._before) if file[0] == dataset}
        kept = {file for file in self.kept if file[0] == dataset}
        written = {path.name for path in (self.path / dataset).glob("*.parquet")}
        return bool(before) and before == kept and written <= {name for _, name in kept}

    def kept_of(self, folder: str) -> dict[str, Any]:
        """The kept files of a folder, and what the manifest of the snapshot before says of each."""
        known: dict[str, Any] = {n: part for (d, n), part in parts_of(self._before).items() if d == folder}
        known |= state_of(self._before) if folder == STATE else {}
        return {name: known.get(name) for d, name in self.kept if d == folder}


class SnapshotStore:
    """An output: a folder, or `s3://bucket/prefix`. `open` it, take the `lock`, `begin` a run, and `publish` it.

    `keep` snapshots stay, and beyond them those that were current less than `grace` ago: some reader may
    still be in one. Snapshots are handed out as folders; of one in a bucket `fetch` brings the files.
    """

    def __init__(self, output: Path | str, *, keep: int = KEEP, grace: timedelta = GRACE) -> None:
        self.shelf = _shelf(output)
        self.keep = max(1, keep)
        self.grace = grace
        self._locked = False

    @property
    def name(self) -> str:
        """The output as people name it."""
        return self.shelf.name

    @property
    def output(self) -> Path:
        """The output's folder; of a bucket, the one that stands in for it in this process."""
        return self.shelf.home

    def is_ours(self) -> bool:
        """Whether an output of copydesk lies there."""
        return self.shelf.is_ours()

    def open(self) -> SnapshotStore:
        """Make the layout in a new or empty place, or recognise our own.

        Raises UsageError for a place with other people's files in it, one that a newer copydesk wrote, and one that
        cannot hold an output (a folder: symlinks and hard links; a bucket: conditional writes).
        """
        self.shelf.claim()
        return self

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Be the only writer. Raises RunError, with the holder's name, while another is at it."""
        with self.shelf.hold():
            self._locked = True
            try:
                yield
            finally:
                self._locked = False

    def begin(self, run_id: str) -> Staging:
        """Start a run under the lock; what killed runs left is removed.

        Raises RunError without the lock, and UsageError for a run id that is taken or is no plain name.
        """
        self._need_lock()
        if not _RUN_ID.fullmatch(run_id):
            raise UsageError(f"run id {run_id!r} is no plain name; use letters, digits, '.', '_' and '-'")
        if any(path.name == run_id for path in self.shelf.snapshots()):
            raise UsageError(f"run {run_id} is in {self.name} already; choose another run id")
        try:
            path = self.shelf.begin(run_id)
        except OSError as error:
            raise RunError(f"cannot write to {self.name}: {error.strerror}; check its rights") from error
        return Staging(run_id, path, self.current(), self.shelf)

    def discard(self, staging: Staging) -> None:
        """Throw a staging away; the current snapshot stands."""
        shutil.rmtree(staging.path, ignore_errors=True)

    def publish(self, staging: Staging, datasets: Sequence[str], manifest: Mapping[str, object]) -> Path:
        """Make `staging` the current snapshot, in one step that a reader sees whole or not at all.

        The hash of its dataset is put into the name of each part file (see `seal_parts`). `manifest` is
        written beside the datasets, with `format`, `run_id`, `sequence`, `published_at`, `datasets`, `files`
        and `state` added. Returns the folder of the new snapshot. Raises RunError, and publishes nothing, when
        anything is amiss.
        """
        self._need_lock()
        with self._or_the_last_stands(f"publish run {staging.run_id}"):
            strays = sorted({path.name for path in staging.path.iterdir()} - {*datasets, STATE})
            if strays:
                raise RunError(f"staging of {staging.run_id} holds {', '.join(strays)}, which is no dataset named")
            parts: list[PartFile] = []
            kept = {(STATE, name): name for folder, name in staging.kept if folder == STATE}
            for name in datasets:
                sealed = seal_parts(staging.path / name, name, staging.kept_of(name))
                parts += sorted(sealed.values(), key=lambda part: part["name"])
                kept |= {(name, old): part["name"] for old, part in sealed.items() if (name, old) in staging.kept}
            state = describe_state(staging.path / STATE, staging.kept_of(STATE))
            whole = {**manifest, **self._statement(staging.run_id, parts), "state": state}
            text = json.dumps(whole, indent=2, ensure_ascii=False, default=str) + "\n"
            write_file(staging.path / MANIFEST, text)
            target = self.shelf.publish(staging.path, staging.run_id, kept, datasets)
        with suppress(OSError, CopydeskError):  # What is left to tidy waits for the next run; this one is published.
            self.shelf.tidy(datasets)
            self._retire()
        return target

    def switch(self, snapshot: Path) -> None:
        """Make another whole snapshot the current one, in one step, and `reports/latest` its report.

        Raises RunError without the lock, and where it cannot be done: then the current one stands.
        """
        self._need_lock()
        datasets = sorted({dataset for dataset, _ in parts_of(read_manifest(snapshot))})
        with self._or_the_last_stands(f"switch to {snapshot.name}"):
            self.shelf.switch(snapshot, datasets)
        with suppress(OSError, CopydeskError):
            self.shelf.tidy(datasets)
            if snapshot.name in self.shelf.reports(frozenset({snapshot.name})):
                self.shelf.show_report(snapshot.name)

    @contextmanager
    def _or_the_last_stands(self, what: str) -> Iterator[None]:
        """Say of a disk that will not, that nothing changed for readers."""
        try:
            yield
        except OSError as error:
            raise RunError(
                f"could not {what} in {self.name}: {error.strerror or error}; the snapshot before it stands"
            ) from error

    def current(self) -> Path | None:
        """The folder of the current snapshot, links resolved: it stays while a new one is published."""
        return self.shelf.current()

    def manifest(self) -> dict[str, object] | None:
        """The manifest of the current snapshot."""
        current = self.current()
        return read_manifest(current) if current else None

    def snapshots(self) -> list[Path]:
        """All whole snapshots, oldest first."""
        return sorted(self.shelf.snapshots(), key=lambda path: (_sequence(path), path.name))

    def fetch(self, snapshot: Path, files: Iterable[File] | None = None) -> Path:
        """See that files of a snapshot are in its folder, which is returned; all of them, where none are named."""
        self.shelf.fetch(snapshot, files)
        return snapshot

    def parts(self, snapshot: Path, dataset: str) -> list[Path]:
        """The part files of a dataset in a snapshot, to be read."""
        self.shelf.fetch(snapshot, [file for file in parts_of(read_manifest(snapshot)) if file[0] == dataset])
        return sorted((snapshot / dataset).glob("*.parquet"))

    def previous_runs(self) -> list[Path]:
        """The part files of the dataset `runs` in the current snapshot: the history of runs."""
        current = self.current()
        return self.parts(current, "runs") if current else []

    def damage(self, snapshot: Path) -> list[str]:
        """A line for each file of a snapshot that is missing, extra or altered; see `check_files`."""
        return self.shelf.damage(snapshot)

    def sizes(self, snapshot: Path) -> dict[str, int]:
        """Bytes of each file of a snapshot, by a key that snapshots share which share the file."""
        return self.shelf.sizes(snapshot)

    def report_folder(self, run_id: str) -> Path:
        """The folder to write the report of one run in, made when it is not there yet."""
        folder = self.output / "reports" / run_id
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def reports(self, known: Iterable[str]) -> set[str]:
        """The runs whose report has a page; of those not among `known`, `report.json` is in `report_folder`."""
        return self.shelf.reports(frozenset(known))

    def show_report(self, run_id: str) -> None:
        """Have the report of `run_id`, and the index beside it, where readers look for them, and as `latest`."""
        self.shelf.show_report(run_id)

    def address(self, path: Path) -> str:
        """Where readers find a file or folder of the output: its path, or its URL."""
        return self.shelf.address(path)

    def _need_lock(self) -> None:
        if not self._locked:
            raise RunError(f"{self.name} is not locked by this run; write inside `with store.lock():`")

    def _statement(self, run_id: str, parts: list[PartFile]) -> dict[str, object]:
        """What the store itself says in a manifest."""
        return {
            "format": FORMAT,
            "run_id": run_id,
            "sequence": 1 + max((_sequence(path) for path in self.shelf.snapshots()), default=0),
            "published_at": datetime.now(UTC).isoformat(),
            "datasets": describe_parts(parts),
            "files": parts,
        }

    def _retire(self) -> None:
        """Remove old snapshots."""
        snapshots = self.snapshots()
        current = self.current()
        now = datetime.now(UTC)
        for old, successor in pairwise(snapshots[: 1 - self.keep or None]):
            if old.resolve() != current and now - _published_at(successor) >= self.grace:
                self.shelf.remove(old)


def _sequence(snapshot: Path) -> int:
    number = (read_manifest(snapshot) or {}).get("sequence")
    return number if isinstance(number, int) else 0


def _published_at(snapshot: Path) -> datetime:
    said = (read_manifest(snapshot) or {}).get("published_at")
    try:
        return datetime.fromisoformat(str(said))
    except ValueError:
        return datetime.fromtimestamp(snapshot.stat().st_mtime, UTC)
