"""Opening an output folder, and publishing into it."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

from flows.defaults import KEEP
from flows.errors import RunError, UsageError
from flows.snapshots.durable import replace_link, sync_folder, sync_tree, write_file
from flows.snapshots.files import MANIFEST, STATE, PartFile, describe_parts, describe_state, read_manifest, seal_parts
from flows.snapshots.lock import hold

__all__ = ["SnapshotStore", "Staging"]

FORMAT = 1
GRACE = timedelta(hours=1)

_MARKER = ".copydesk"
_HARMLESS = {"README.md", ".gitignore", ".gitkeep", ".DS_Store"}
_LEFT_OVER = (".staging-", ".trash-")
_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")


@dataclass(frozen=True, slots=True)
class Staging:
    """A snapshot in the making: part files are written to `dataset(name)`, or kept from the one before."""

    run_id: str
    path: Path
    previous: Path | None

    def dataset(self, name: str) -> Path:
        """The folder of one dataset, made when it is not there yet."""
        folder = self.path / name
        folder.mkdir(exist_ok=True)
        return folder

    def keep(self, dataset: str, name: str) -> Path:
        """Hard-link a part of the current snapshot into this one: not written or hashed anew."""
        if self.previous is None:
            raise RunError(f"there is no snapshot yet to keep {dataset}/{name} from")
        target = self.dataset(dataset) / name
        source = self.previous / dataset / name
        try:
            os.link(source, target)
        except FileNotFoundError:
            raise RunError(
                f"{dataset}/{name} is not in the current snapshot; run with --fresh to clean everything anew"
            ) from None
        except OSError:
            shutil.copy2(source, target)  # Too many links to one file.
        return target


class SnapshotStore:
    """The output folder. `open` it, take the `lock`, `begin` a run, and `publish` it.

    `keep` snapshots stay, and beyond them those that were current less than `grace` ago: some reader may
    still be in one.
    """

    def __init__(self, output: Path, *, keep: int = KEEP, grace: timedelta = GRACE) -> None:
        self.output = Path(output)
        self.keep = max(1, keep)
        self.grace = grace
        self._snapshots = self.output / ".snapshots"
        self._locked = False

    def open(self) -> SnapshotStore:
        """Make the layout in a new or empty folder, or recognise our own.

        Raises UsageError for a folder with other people's files in it, one that a newer copydesk wrote, and a
        place that cannot hold symlinks and hard links.
        """
        try:
            self._claim()
            self._snapshots.mkdir(exist_ok=True)
            (self.output / "reports").mkdir(exist_ok=True)
        except OSError as error:
            raise UsageError(
                f"cannot write to {self.output}: {error.strerror or error}; choose another output folder"
            ) from error
        return self

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Be the only writer. Raises RunError, with the holder's name, while another is at it."""
        with hold(self.output / ".lock"):
            self._locked = True
            try:
                yield
            finally:
                self._locked = False

    def begin(self, run_id: str) -> Staging:
        """Start a run under the lock, on the file system of the snapshots; what killed runs left is removed.

        Raises RunError without the lock, and UsageError for a run id that is taken or is no plain name.
        """
        self._need_lock()
        if not _RUN_ID.fullmatch(run_id):
            raise UsageError(f"run id {run_id!r} is no plain name; use letters, digits, '.', '_' and '-'")
        if (self._snapshots / run_id).exists():
            raise UsageError(f"run {run_id} is in {self.output} already; choose another run id")
        path = self._snapshots / f".staging-{run_id}"
        try:
            for entry in self._snapshots.iterdir():
                if entry.name.startswith(_LEFT_OVER):
                    shutil.rmtree(entry)
            path.mkdir()
        except OSError as error:
            raise RunError(
                f"cannot write to {self._snapshots}: {error.strerror}; check its rights"
            ) from error
        return Staging(run_id, path, self.current())

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
        target = self._snapshots / staging.run_id
        with self._or_the_last_stands(f"publish run {staging.run_id}"):
            self._check_datasets(staging, datasets)
            parts = [
                part for name in datasets for part in seal_parts(staging.path / name, name, staging.previous)
            ]
            state = describe_state(staging.path / STATE, staging.previous)
            whole = {**manifest, **self._statement(staging.run_id, parts), "state": state}
            text = json.dumps(whole, indent=2, ensure_ascii=False, default=str) + "\n"
            write_file(staging.path / MANIFEST, text)
            sync_tree(staging.path)
            staging.path.rename(target)
            sync_folder(self._snapshots)
            self._link_datasets(datasets)
            replace_link(self.output / "current", f".snapshots/{staging.run_id}")
        with suppress(OSError):  # What is left to tidy waits for the next run; this one is published.
            self._unlink_others(datasets)
            self._retire()
        return target

    def switch(self, snapshot: Path) -> None:
        """Make another whole snapshot the current one, in one step, and `reports/latest` its report.

        Raises RunError without the lock, and where a link cannot be written: then the current one stands.
        """
        self._need_lock()
        datasets = sorted(path.name for path in snapshot.iterdir() if path.is_dir() and path.name[0] != ".")
        with self._or_the_last_stands(f"switch to {snapshot.name}"):
            self._link_datasets(datasets)
            replace_link(self.output / "current", f".snapshots/{snapshot.name}")
        with suppress(OSError):
            self._unlink_others(datasets)
            if (self.output / "reports" / snapshot.name).is_dir():
                self.point_latest(snapshot.name)

    @contextmanager
    def _or_the_last_stands(self, what: str) -> Iterator[None]:
        """Say of a disk that will not, that nothing changed for readers."""
        try:
            yield
        except OSError as error:
            raise RunError(
                f"could not {what} in {self.output}: {error.strerror or error}; the snapshot before it stands"
            ) from error

    def current(self) -> Path | None:
        """The folder of the current snapshot, links resolved: it stays while a new one is published."""
        try:
            target = (self.output / "current").resolve(strict=True)
        except OSError:
            return None
        return target if target.is_dir() else None

    def manifest(self) -> dict[str, object] | None:
        """The manifest of the current snapshot."""
        current = self.current()
        return read_manifest(current) if current else None

    def snapshots(self) -> list[Path]:
        """All whole snapshots, oldest first."""
        if not self._snapshots.is_dir():
            return []
        found = [
            path for path in self._snapshots.iterdir() if not path.name.startswith(".") and path.is_dir()
        ]
        return sorted(found, key=lambda path: (_sequence(path), path.name))

    def previous_runs(self) -> list[Path]:
        """The part files of the dataset `runs` in the current snapshot: the history of runs."""
        current = self.current()
        return sorted((current / "runs").glob("*.parquet")) if current else []

    def report_folder(self, run_id: str) -> Path:
        """The folder for the report of one run, made when it is not there yet."""
        folder = self.output / "reports" / run_id
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def point_latest(self, run_id: str) -> None:
        """Point `reports/latest` at the report of `run_id`, in one step."""
        sync_tree(self.report_folder(run_id))
        replace_link(self.output / "reports" / "latest", run_id)

    def _claim(self) -> None:
        """Find our marker, or set it where nothing else lies."""
        if self.output.exists() and not self.output.is_dir():
            raise UsageError(f"{self.output} is a file; choose a folder for the output")
        self.output.mkdir(parents=True, exist_ok=True)
        marker = self.output / _MARKER
        if marker.exists():
            try:
                form = int(json.loads(marker.read_text(encoding="utf-8"))["format"])
            except (ValueError, KeyError, TypeError):
                raise UsageError(f"{marker} cannot be read; choose another output folder") from None
            if form > FORMAT:
                raise UsageError(
                    f"{self.output} was written by a newer copydesk (format {form}); upgrade copydesk"
                )
            return
        strangers = sorted(path.name for path in self.output.iterdir() if path.name not in _HARMLESS)
        strangers = [name for name in strangers if not name.startswith(_MARKER)]  # What a killed start left.
        if strangers:
            raise UsageError(
                f"{self.output} holds files that are not ours ({', '.join(strangers[:3])}"
                f"{', ...' if len(strangers) > 3 else ''}); choose a new or empty output folder"
            )
        self._probe_links()
        # A marker is whole or not there: half a marker would lock us out of our own folder.
        fresh = self.output / f"{_MARKER}-{os.getpid()}"
        write_file(fresh, json.dumps({"format": FORMAT}) + "\n")
        fresh.replace(marker)
        sync_folder(self.output)

    def _probe_links(self) -> None:
        probe = self.output / f"{_MARKER}-probe-{os.getpid()}"
        try:
            shutil.rmtree(probe, ignore_errors=True)
            probe.mkdir()
            (probe / "file").touch()
            os.link(probe / "file", probe / "hard")
            (probe / "soft").symlink_to("file")
        except OSError as error:
            raise UsageError(
                f"{self.output} is on a file system without symlinks and hard links ({error.strerror});"
                f" choose a folder on a local disk"
            ) from error
        finally:
            shutil.rmtree(probe, ignore_errors=True)

    def _need_lock(self) -> None:
        if not self._locked:
            raise RunError(f"{self.output} is not locked by this run; write inside `with store.lock():`")

    def _check_datasets(self, staging: Staging, datasets: Sequence[str]) -> None:
        strays = sorted({path.name for path in staging.path.iterdir()} - {*datasets, STATE})
        if strays:
            raise RunError(
                f"staging of {staging.run_id} holds {', '.join(strays)}, which is no dataset named"
            )
        for name in datasets:
            link = self.output / name
            if link.exists() and not link.is_symlink():
                raise RunError(f"{link} is in the way of the dataset of that name; move it elsewhere")

    def _statement(self, run_id: str, parts: list[PartFile]) -> dict[str, object]:
        """What the store itself says in a manifest."""
        return {
            "format": FORMAT,
            "run_id": run_id,
            "sequence": 1 + max((_sequence(path) for path in self.snapshots()), default=0),
            "published_at": datetime.now(UTC).isoformat(),
            "datasets": describe_parts(parts),
            "files": parts,
        }

    def _link_datasets(self, datasets: Sequence[str]) -> None:
        """See that each dataset has its link."""
        for name in datasets:
            link = self.output / name
            if not link.is_symlink() or str(link.readlink()) != f"current/{name}":
                replace_link(link, f"current/{name}")
        sync_folder(self.output)

    def _unlink_others(self, datasets: Sequence[str]) -> None:
        """Remove the links of datasets that are no more."""
        for link in self.output.iterdir():
            gone = link.is_symlink() and link.name not in datasets
            if gone and str(link.readlink()) == f"current/{link.name}":
                link.unlink()

    def _retire(self) -> None:
        """Remove old snapshots, each by a rename first, so that none is ever seen in part."""
        snapshots = self.snapshots()
        current = self.current()
        now = datetime.now(UTC)
        for old, successor in pairwise(snapshots[: 1 - self.keep or None]):
            if old.resolve() == current or now - _published_at(successor) < self.grace:
                continue
            trash = self._snapshots / f".trash-{old.name}"
            old.rename(trash)
            shutil.rmtree(trash)


def _sequence(snapshot: Path) -> int:
    number = (read_manifest(snapshot) or {}).get("sequence")
    return number if isinstance(number, int) else 0


def _published_at(snapshot: Path) -> datetime:
    said = (read_manifest(snapshot) or {}).get("published_at")
    try:
        return datetime.fromisoformat(str(said))
    except ValueError:
        return datetime.fromtimestamp(snapshot.stat().st_mtime, UTC)
