"""The part files of a snapshot and the manifest that names them."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TypedDict

import pyarrow as pa
import pyarrow.parquet as pq

from flows.errors import RunError
from flows.snapshots.durable import digest_file

__all__ = [
    "MANIFEST",
    "STATE",
    "PartFile",
    "StateFile",
    "check_files",
    "check_state",
    "describe_parts",
    "describe_state",
    "parts_of",
    "read_manifest",
    "seal_parts",
    "state_of",
]

MANIFEST = "manifest.json"
STATE = ".state"
"""The folder beside the datasets with what the next run needs to know of this one."""

_SEALED = re.compile(r"(?P<stem>.+)-[0-9a-f]{16}\.parquet")


class PartFile(TypedDict):
    """One line of a manifest's `files`."""

    dataset: str
    name: str
    rows: int
    bytes: int
    sha256: str


class StateFile(TypedDict):
    """One line of a manifest's `state`."""

    name: str
    bytes: int
    sha256: str


def read_manifest(snapshot: Path) -> dict[str, object] | None:
    """The manifest of a snapshot, or None where there is none that can be read."""
    try:
        manifest = json.loads((snapshot / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return manifest if isinstance(manifest, dict) else None


def parts_of(manifest: Mapping[str, object] | None) -> dict[tuple[str, str], PartFile]:
    """The part files that a manifest names, by dataset and name."""
    files = (manifest or {}).get("files")
    return {(part["dataset"], part["name"]): part for part in files} if isinstance(files, list) else {}


def state_of(manifest: Mapping[str, object] | None) -> dict[str, StateFile]:
    """The files of state that a manifest names, by name."""
    files = (manifest or {}).get("state")
    return {file["name"]: file for file in files} if isinstance(files, list) else {}


def describe_state(folder: Path, kept: Mapping[str, StateFile | None]) -> list[StateFile]:
    """Describe the files of state; those that are `kept` were described by the snapshot before."""
    found: list[StateFile] = []
    for name in sorted({path.name for path in _entries(folder)} | set(kept)):
        path = folder / name
        old = kept.get(name)
        found.append(old or {"name": name, "bytes": path.stat().st_size, "sha256": digest_file(path)})
    return found


def check_state(
    snapshot: Path, manifest: Mapping[str, object] | None, sound: Collection[str] = ()
) -> list[str]:
    """One line for each file of state that is missing or altered, of those that are not known to be `sound`."""
    complaints = []
    for name, file in sorted(state_of(manifest).items()):
        if f"{STATE}/{name}" in sound:
            continue
        complaints += _altered(snapshot / STATE / name, f"{STATE}/{name}", file["bytes"], file["sha256"])
    return complaints


def _altered(path: Path, name: str, size: int, digest: str) -> list[str]:
    """What is wrong with a file that a manifest names."""
    if not path.is_file():
        return [f"{name} is missing"]
    if (found := path.stat().st_size) != size:
        return [f"{name} is altered: {found:,} bytes instead of {size:,}"]
    return [] if digest_file(path) == digest else [f"{name} is altered: its content is not what was published"]


def seal_parts(folder: Path, dataset: str, kept: Mapping[str, PartFile | None]) -> dict[str, PartFile]:
    """Describe the part files of one dataset, and put the hash of the whole dataset into each one's name.

    `part-00000.parquet` becomes `part-00000-<16 hex digits>.parquet`. A reader lists a dataset, then opens
    its files by path, and a new snapshot may come between the two. If that changed nothing, the names are the
    same and the reader gets what it listed; otherwise no name is, and it fails instead of mixing snapshots.
    Parts that are `kept` were described by the snapshot before, and need not lie in `folder`.

    Returns each part by the name that it had. Raises RunError for a dataset with no part file, one that is not
    whole, or anything else in its folder.
    """
    parts: dict[str, tuple[str, PartFile]] = {}
    for name in sorted({path.name for path in _entries(folder)} | set(kept)):
        path = folder / name
        old = kept.get(name)
        if old is None and (path.suffix != ".parquet" or path.is_symlink() or not path.is_file()):
            raise RunError(f"{dataset}/{name} is not a part file; nothing but Parquet may lie in a dataset")
        stem = _stem(name)
        if stem in parts:
            raise RunError(f"{dataset}/{name} and {parts[stem][0]} are one part; write each once")
        parts[stem] = name, old or _describe(path, dataset)
    if not parts:
        raise RunError(f"dataset {dataset} has no part file; write one, even with no rows")
    seal = hashlib.sha256("".join(f"{stem} {part['sha256']}\n" for stem, (_, part) in parts.items()).encode())
    sealed: dict[str, PartFile] = {}
    for stem, (name, part) in parts.items():
        new = f"{stem}-{seal.hexdigest()[:16]}.parquet"
        if (folder / name).exists():
            (folder / name).rename(folder / new)
        sealed[name] = PartFile(**{**part, "name": new})
    return sealed


def _describe(path: Path, dataset: str) -> PartFile:
    try:
        rows = int(pq.read_metadata(path).num_rows)
    except (OSError, pa.ArrowException) as error:
        raise RunError(f"{dataset}/{path.name} is no whole Parquet file ({error}); run it again") from error
    size = path.stat().st_size
    return {"dataset": dataset, "name": path.name, "rows": rows, "bytes": size, "sha256": digest_file(path)}


def check_files(snapshot: Path, sound: Collection[str] = ()) -> list[str]:
    """Compare a snapshot with its manifest: one line for each file that is missing, extra or altered.

    An empty list means that every byte is as it was published. `sound` are files, as `folder/name`, of which that is
    known: they need not be there.
    """
    manifest = read_manifest(snapshot)
    if manifest is None:
        return [f"{MANIFEST} is missing or cannot be read"]
    parts = parts_of(manifest)
    state = state_of(manifest)
    complaints = []
    for (dataset, name), part in sorted(parts.items()):
        if f"{dataset}/{name}" not in sound:
            complaints += _altered(snapshot / dataset / name, f"{dataset}/{name}", part["bytes"], part["sha256"])
    complaints += check_state(snapshot, manifest, sound)
    for folder in sorted(_entries(snapshot)):
        if folder.is_dir():
            named = {name for dataset, name in parts if dataset == folder.name}
            known = set(state) if folder.name == STATE else named
            extra = sorted(path.name for path in _entries(folder) if path.name not in known)
            complaints += [f"{folder.name}/{name} is extra: the manifest does not name it" for name in extra]
        elif folder.name != MANIFEST:
            complaints.append(f"{folder.name} is extra: the manifest does not name it")
    return complaints


def describe_parts(parts: Iterable[PartFile]) -> dict[str, dict[str, int]]:
    """Files, rows and bytes of each dataset."""
    totals: dict[str, dict[str, int]] = {}
    for part in parts:
        total = totals.setdefault(part["dataset"], {"files": 0, "rows": 0, "bytes": 0})
        total["files"] += 1
        total["rows"] += part["rows"]
        total["bytes"] += part["bytes"]
    return totals


def _entries(folder: Path) -> Iterator[Path]:
    return folder.iterdir() if folder.is_dir() else iter(())


def _stem(name: str) -> str:
    """The name of a part as its writer gave it, without seal and ending."""
    sealed = _SEALED.fullmatch(name)
    return sealed["stem"] if sealed else name.removesuffix(".parquet")
