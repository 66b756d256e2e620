"""A source: what the user named, opened and checked, ready to be read."""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import pyarrow as pa

from flows.errors import UsageError
from flows.readers.frame import PageBuffer, ReadOptions
from flows.readers.jsonl import check_jsonl, read_jsonl
from flows.readers.listing import Found, Skipped, list_folder, shown_path
from flows.readers.tables import check_parquet, read_parquet
from flows.readers.texts import read_text

__all__ = ["Source", "open_source"]

_KINDS = {".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl", ".parquet": "parquet"}
_FOREIGN = {
    ".csv": "turn it into Parquet, as with polars.read_csv(...).write_parquet(...)",
    ".tsv": "turn it into Parquet, as with polars.read_csv(...).write_parquet(...)",
    ".gz": "unpack it with gunzip",
    ".zst": "unpack it with unzstd",
    ".bz2": "unpack it with bunzip2",
    ".xz": "unpack it with unxz",
    ".zip": "unpack it with unzip",
    ".tar": "unpack it with tar -xf",
    ".xlsx": "save it as Parquet or JSON lines",
    ".arrow": "turn it into Parquet, as with polars.read_ipc(...).write_parquet(...)",
    ".feather": "turn it into Parquet, as with polars.read_ipc(...).write_parquet(...)",
}
_CHECKS: dict[str, Callable[[Found, ReadOptions], None]] = {"jsonl": check_jsonl, "parquet": check_parquet}
_SHOWN = {"text": "text file", "jsonl": "JSON lines file", "parquet": "Parquet file"}
_NAMES_SHOWN = 5


class Source:
    """An opened source. `batches` may be called again to read it anew.

    `kind` is "text file", "folder", "jsonl" or "parquet"; `total_bytes` its size on disk; `skipped` what a
    folder holds that is not read; `bytes_read` how far the latest `batches` has come.
    """

    def __init__(
        self, path: Path, kind: str, found: list[Found], skipped: list[Skipped], options: ReadOptions
    ) -> None:
        self.path = path
        self.kind = kind
        self.skipped = skipped
        self.total_bytes = sum(file.bytes for file in found)
        self.bytes_read = 0
        self._found = found
        self._options = options

    def describe(self) -> str:
        """One line for a person: what is read, how much, and what is not."""
        counts = Counter(file.kind for file in self._found)
        parts = [
            f"{count:,} {_SHOWN[kind]}{'s' if count != 1 else ''}"
            for kind in _SHOWN
            if (count := counts[kind])
        ]
        line = f"{self.path.name or self.path}: {', '.join(parts)}, {_size(self.total_bytes)}"
        if self.skipped:
            named = [f"{skipped.name} ({skipped.why})" for skipped in self.skipped[:_NAMES_SHOWN]]
            more = len(self.skipped) - len(named)
            line += (
                f"; {len(self.skipped):,} not read: {', '.join(named)}{f' and {more:,} more' if more else ''}"
            )
        return line

    def batches(self) -> Iterator[pl.DataFrame]:
        """The pages as page frames of about `batch_bytes` each, in the order of names and rows."""
        self.bytes_read = 0
        buffer = PageBuffer(self._options.batch_bytes)
        for found in self._found:
            table = found.name if self.kind == "folder" else ""
            if found.kind == "parquet":
                if len(buffer):
                    yield buffer.take()
                for frame, size in read_parquet(found, table, self._options):
                    self.bytes_read += size
                    yield frame
            elif found.kind == "jsonl":
                for page, size in read_jsonl(found, table, self._options):
                    self.bytes_read += size
                    if buffer.add(page):
                        yield buffer.take()
            else:
                self.bytes_read += found.bytes
                if buffer.add(read_text(found, self._options)):
                    yield buffer.take()
        if len(buffer):
            yield buffer.take()
        self.bytes_read = self.total_bytes


def open_source(path: str | Path, options: ReadOptions | None = None) -> Source:
    """Open a text file, a folder, a JSON lines file or a Parquet table.

    A folder is read whole: `*.txt`, `*.text`, `*.jsonl`, `*.ndjson`, `*.parquet`, at any depth. A file with
    an ending we don't know is one page of text. Nothing is read yet but names, and the columns of tables.

    Raises UsageError for a path that is not there or not open to us, a folder with nothing to read, a table
    without the columns asked for, and a kind of file we know that we cannot read.
    """
    options = options or ReadOptions()
    path = Path(path)
    try:
        status = path.stat()
    except FileNotFoundError:
        raise UsageError(f"no such file or folder: {path}; check the path") from None
    except OSError as error:
        raise UsageError(
            f"cannot open {path}: {error.strerror or error}; check the path and its rights"
        ) from error
    if stat.S_ISDIR(status.st_mode):
        return _open_folder(path, options)
    if not stat.S_ISREG(status.st_mode):
        raise UsageError(f"{path} is neither a file nor a folder; save its content to a file first")
    ending = path.suffix.lower()
    if ending in _FOREIGN:
        raise UsageError(f"{path}: {ending} is not read; {_FOREIGN[ending]}")
    if not os.access(path, os.R_OK):
        raise UsageError(f"no right to read {path}; try: chmod u+r {path}")
    kind = _KINDS.get(ending, "text")
    found = Found(path, shown_path(Path(path.name)), kind, status.st_size)
    try:
        _check(found, options)
    except (OSError, pa.ArrowException) as error:
        raise UsageError(f"cannot read {path} as {_SHOWN[kind]}: {error}; check the file") from error
    return Source(path, "text file" if kind == "text" else kind, [found], [], options)


def _open_folder(path: Path, options: ReadOptions) -> Source:
    if not os.access(path, os.R_OK | os.X_OK):
        raise UsageError(f"no right to read the folder {path}; try: chmod u+rx {path}")
    listing = list_folder(path)
    if not listing.found:
        seen = (
            f" ({len(listing.skipped):,} not read, such as {listing.skipped[0].name})"
            if listing.skipped
            else ""
        )
        raise UsageError(
            f"nothing to read in {path}{seen}; it needs .txt, .text, .jsonl, .ndjson or .parquet files"
        )
    for found in listing.found:
        try:
            _check(found, options)
        except (OSError, pa.ArrowException):
            continue  # Reading it gives the page that says why.
    return Source(path, "folder", listing.found, listing.skipped, options)


def _check(found: Found, options: ReadOptions) -> None:
    if found.kind in _CHECKS:
        _CHECKS[found.kind](found, options)


def _size(size: int) -> str:
    amount = float(size)
    for unit in ("bytes", "kB", "MB", "GB"):
        if amount < 1000:
            return f"{amount:,.0f} {unit}" if unit == "bytes" else f"{amount:,.1f} {unit}"
        amount /= 1000
    return f"{amount:,.1f} TB"
