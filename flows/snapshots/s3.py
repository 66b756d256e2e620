"""An output in a bucket: snapshots behind one small object, which a conditional write swaps.

A run works in a local folder and publishes by uploading: files first, their manifest last, then the pointer. A snapshot
without a manifest is none. Files that a snapshot has in common with the last one are copied inside the bucket.

A writer takes the pointer before it does anything else: it writes it anew with a name of its own, so that its tag is
another. Whoever has taken it before, and thinks that it is still the only writer, can no longer publish.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import shutil
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from flows.errors import CopydeskError, RunError, UsageError
from flows.progress import tell
from flows.snapshots.bucket import NO_CONDITIONS, Bucket, Taken
from flows.snapshots.files import MANIFEST, STATE, check_files, parts_of, read_manifest, state_of
from flows.snapshots.lease import hold_object
from flows.snapshots.local import read_format, refuse_strangers
from flows.snapshots.scratch import IN_USE, Scratch
from flows.snapshots.shelf import FORMAT, HARMLESS, MARKER, File

__all__ = ["POINTER", "S3Shelf"]

POINTER = "current.json"
_LOCK = ".lock"
_SNAPSHOTS = "snapshots/"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
"""What may name a snapshot: a key may be anything, and becomes a path here."""
_PAGE = re.compile(rf"reports/{_NAME.pattern}/report\.html")
_KEPT_BACK = 100
"""Reports of runs that were not published that are fetched for the index of all runs, the newest."""


class S3Shelf:
    """Objects below a prefix; see `shelf.Shelf`. May be pickled: then both share one local folder."""

    def __init__(self, url: str) -> None:
        self._bucket = Bucket(url)
        self.name = self._bucket.url
        self._scratch: Scratch | None = None
        self._tag: str | None = None
        self._shown: str | None = None
        self._beside: dict[str, tuple[int, int]] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "home": self.home, "_scratch": None}

    @cached_property
    def home(self) -> Path:
        """The local folder that stands in for the bucket, laid out as an output in a folder is."""
        self._scratch = Scratch()
        (self._scratch.path / ".snapshots").mkdir()
        return self._scratch.path

    def is_ours(self) -> bool:
        """Whether the prefix has our marker."""
        return self._bucket.read(MARKER) is not None

    def claim(self) -> None:
        """Find our marker, or set it where nothing else lies; see that conditions are kept to."""
        marker = json.dumps({"format": FORMAT}).encode() + b"\n"
        found = self._bucket.read(MARKER)
        if found is None:
            names = [n for folders in (True, False) for n in self._bucket.names(folders=folders)]
            refuse_strangers(self.name, sorted(set(names) - HARMLESS), "prefix")
            try:
                self._bucket.write(MARKER, marker, None)
            except Taken:
                found = self._bucket.read(MARKER)
        if found is not None:
            read_format(found.data, self._bucket.address(MARKER), self.name)
        if not self._bucket.refuses(MARKER, marker):
            raise UsageError(f"cannot publish in {self.name}: {NO_CONDITIONS}")
        self._bucket.delete([f"{MARKER}-probe"])  # nothing is there: only the right to is asked for

    @contextmanager
    def hold(self) -> Iterator[None]:
        """The lock object, and the pointer."""
        with hold_object(self._bucket, _LOCK):
            pointer, tag = self._pointer()
            try:
                self._point({"format": FORMAT, "run_id": None, **pointer}, tag)
                yield
            finally:
                self._tag = None

    def _pointer(self) -> tuple[dict[str, Any], str | None]:
        """What the pointer says, and its tag; nothing where there is none."""
        found = self._bucket.read(POINTER)
        if found is None:
            return {}, None
        try:
            said = json.loads(found.data)
            if said["run_id"] is None or _NAME.fullmatch(said["run_id"]):
                return dict(said), found.etag
        except (ValueError, KeyError, TypeError):
            pass
        raise RunError(
            f"{self._bucket.address(POINTER)} cannot be read; put it right: JSON with the `run_id` of a snapshot"
        )

    def _point(self, pointer: Mapping[str, Any], tag: str | None) -> None:
        """Write the pointer over the one with this tag."""
        told = {**pointer, "writer": secrets.token_hex(8)}  # so that no two of them have one tag
        try:
            self._tag = self._bucket.write(POINTER, (json.dumps(told, indent=1) + "\n").encode(), tag)
        except Taken:
            raise RunError(
                f"another run has taken {self.name} over, which this one held for too long without a sign;"
                " the snapshot before it stands; run it again"
            ) from None

    def begin(self, run_id: str) -> Path:
        """A folder here. Snapshots without a manifest, and uploads that were not ended, are removed there."""
        current = self._pointer()[0].get("run_id")
        for name in self._names():
            if not self._mirrored(name) and name != current:
                self._bucket.delete(self._bucket.sizes(f"{_SNAPSHOTS}{name}/"))
        self._bucket.abort_uploads(_SNAPSHOTS)
        beside = [n for n in self._bucket.names(folders=False) if n.startswith(".") and n not in {MARKER, _LOCK}]
        self._bucket.download((name, self.home / name) for name in beside)
        self._beside = {name: _version(self.home / name) for name in beside}
        path = self.home / ".snapshots" / f".staging-{run_id}"
        path.mkdir()
        return path

    def current(self) -> Path | None:
        """The snapshot that the pointer names."""
        name = self._pointer()[0].get("run_id")
        if name is None:
            return None
        self._mirrored(name)
        return self._folder(name)

    def snapshots(self) -> list[Path]:
        """The snapshots with a manifest."""
        return [self._folder(name) for name in self._names() if self._mirrored(name)]

    def _names(self) -> list[str]:
        return [name for name in self._bucket.names(_SNAPSHOTS, folders=True) if _NAME.fullmatch(name)]

    def _folder(self, name: str) -> Path:
        return self.home / ".snapshots" / name

    def _mirrored(self, name: str) -> bool:
        """Have the folder of a snapshot here, with its manifest; whether there is one."""
        folder = self._folder(name)
        folder.mkdir(exist_ok=True)
        if not (folder / MANIFEST).exists():
            try:
                self._bucket.download([(f"{_SNAPSHOTS}{name}/{MANIFEST}", folder / MANIFEST)])
            except FileNotFoundError:
                return False
        return True

    def fetch(self, snapshot: Path, files: Iterable[File] | None = None) -> None:
        """Download what is not here yet."""
        root = f"{_SNAPSHOTS}{snapshot.name}/"
        if files is None:
            names = [key.removeprefix(root) for key in self._bucket.sizes(root)]
        else:
            names = [f"{folder}/{name}" for folder, name in files]
        if odd := [name for name in names if ".." in Path(name).parts]:
            raise RunError(f"{self._bucket.address(root + odd[0])} is no name for a file; remove the object")
        missing = [name for name in names if not (snapshot / name).exists()]
        if not missing:
            return
        try:
            self._bucket.download((root + name, snapshot / name) for name in missing)
        except FileNotFoundError as error:
            raise RunError(
                f"a file of snapshot {snapshot.name} is not in {self.name}; copydesk verify says which, and"
                " copydesk run --fresh cleans everything anew"
            ) from error

    def keep(self, previous: Path, staging: Path, file: File) -> None:
        """Nothing is moved before the snapshot is published."""
        manifest = read_manifest(previous)
        folder, name = file
        if file not in parts_of(manifest) and name not in state_of(manifest):
            raise RunError(
                f"{folder}/{name} is not in the current snapshot; run with --fresh to clean everything anew"
            )

    def publish(self, staging: Path, run_id: str, kept: Mapping[File, str], datasets: Sequence[str]) -> Path:
        """Copy and upload all files, the manifest last, and swap the pointer."""
        manifest = read_manifest(staging) or {}
        root, before = f"{_SNAPSHOTS}{run_id}/", f"{_SNAPSHOTS}{self._pointer()[0].get('run_id')}/"
        digests = _digests(manifest)
        written = {str(p.relative_to(staging)): p for p in staging.rglob("*") if p.is_file() and p.name != MANIFEST}
        copied = {f"{folder}/{name}": f"{folder}/{new}" for (folder, name), new in kept.items()}
        try:
            self._bucket.copy((before + old, root + new) for old, new in copied.items())
        except FileNotFoundError as error:
            raise RunError(
                f"a file of the current snapshot is not in {self.name} any more; copydesk verify says which, and"
                " copydesk run --fresh cleans everything anew; the snapshot before it stands"
            ) from error
        told = _Progress(sum(path.stat().st_size for path in written.values()))
        self._bucket.upload(((path, root + name, digests.get(name)) for name, path in sorted(written.items())), told)
        self._bucket.upload([(staging / MANIFEST, root + MANIFEST, None)])
        target = staging.rename(self._folder(run_id))
        self.switch(target, datasets)
        return target

    def switch(self, snapshot: Path, datasets: Sequence[str]) -> None:
        """Swap the pointer, if it is still the one that this writer took."""
        text = (snapshot / MANIFEST).read_bytes()
        manifest = json.loads(text)
        pointer = {
            "format": FORMAT, "run_id": snapshot.name, "snapshot": f"{_SNAPSHOTS}{snapshot.name}",
            "sequence": manifest.get("sequence"), "published_at": manifest.get("published_at"),
            "manifest_sha256": hashlib.sha256(text).hexdigest(),
        }  # fmt: skip
        if self._tag is None:
            raise RunError(f"{self.name} is not locked by this run")
        self._point(pointer, self._tag)
        self._shown = snapshot.name

    def tidy(self, datasets: Sequence[str]) -> None:
        """Upload what lies beside the snapshots (caches), where it is another than before."""
        found = {p.name: p for p in self.home.iterdir() if p.is_file() and p.name.startswith(".")}
        new = [n for n, p in found.items() if n != IN_USE and self._beside.get(n) != _version(p)]
        self._bucket.upload((found[name], name, None) for name in new)

    def remove(self, snapshot: Path) -> None:
        """Remove a snapshot, its manifest first: without it, it is none."""
        root = f"{_SNAPSHOTS}{snapshot.name}/"
        self._bucket.delete([root + MANIFEST])
        self._bucket.delete(self._bucket.sizes(root))
        shutil.rmtree(snapshot, ignore_errors=True)

    def damage(self, snapshot: Path) -> list[str]:
        """Files whose sum the server knows are not read."""
        root = f"{_SNAPSHOTS}{snapshot.name}/"
        due = _digests(read_manifest(snapshot))
        there = {key.removeprefix(root) for key in self._bucket.sizes(root)}
        sums = self._bucket.digests(root + name for name in sorted(there & set(due)))
        sound = {name for name in there & set(due) if sums.get(root + name) == due[name]}
        self._bucket.download((root + name, snapshot / name) for name in sorted(there - sound - {MANIFEST}))
        return check_files(snapshot, frozenset(sound))

    def sizes(self, snapshot: Path) -> dict[str, int]:
        """Bytes of each object: no two snapshots share one."""
        return self._bucket.sizes(f"{_SNAPSHOTS}{snapshot.name}/")

    def reports(self, known: frozenset[str]) -> set[str]:
        """The runs with a report here or there."""
        local = self.home / "reports"
        here = {path.name for path in local.iterdir() if path.is_dir()} if local.is_dir() else set()
        keys = set(self._bucket.sizes("reports/"))
        pages = {key.split("/")[1] for key in keys if _PAGE.fullmatch(key)} - {"latest"}
        wanted = sorted(pages - here - known, reverse=True)[:_KEPT_BACK]
        names = [name for run in wanted if (name := f"reports/{run}/report.json") in keys]
        self._bucket.download((name, self.home / name) for name in names)
        return here | pages

    def show_report(self, run_id: str) -> None:
        """Upload the report of a run, as itself and as the latest, and the index; of one that is there, copy it."""
        try:
            self._show_report(run_id)
        except CopydeskError as error:
            published = f"snapshot {run_id} is published without its report"
            raise RunError(f"{error}; {published if run_id == self._shown else 'nothing was published'}") from error

    def _show_report(self, run_id: str) -> None:
        local = self.home / "reports" / run_id
        if local.is_dir():
            files = [path for path in sorted(local.iterdir()) if path.is_file()]
            self._bucket.upload((p, f"reports/{name}/{p.name}", None) for p in files for name in (run_id, "latest"))
            index = local.parent / "index.html"
            self._bucket.upload((p, f"reports/{p.name}", None) for p in (index,) if p.is_file())
        else:
            names = self._bucket.names(f"reports/{run_id}/", folders=False)
            self._bucket.copy((f"reports/{run_id}/{name}", f"reports/latest/{name}") for name in names)

    def address(self, path: Path) -> str:
        """The URL of what stands here for an object."""
        key = str(path.relative_to(self.home))
        return self._bucket.address(key.removeprefix("."))


class _Progress:
    """Tells how many bytes are up, from whatever thread."""

    def __init__(self, total: int) -> None:
        self._done, self._total = 0, total
        self._one_by_one = threading.Lock()

    def __call__(self, size: int) -> None:
        with self._one_by_one:
            self._done += size
            tell("publish", self._done, self._total)


def _digests(manifest: Mapping[str, object] | None) -> dict[str, str]:
    """The sha256 of each file that a manifest names, by its path in the snapshot."""
    digests = {f"{dataset}/{name}": part["sha256"] for (dataset, name), part in parts_of(manifest).items()}
    return digests | {f"{STATE}/{name}": file["sha256"] for name, file in state_of(manifest).items()}


def _version(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_mtime_ns, status.st_size
