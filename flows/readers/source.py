"""A source: what the user named, opened and checked, ready to be read."""

from __future__ import annotations

import json
import os
import stat
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import polars as pl

from copydesk import __version__
from flows.errors import UsageError
from flows.readers.csvs import check_csv, read_csv
from flows.readers.found import Found, Listing, local_file
from flows.readers.frame import Page, PageBuffer, ReadOptions, unreadable
from flows.readers.jsonl import check_jsonl, read_jsonl
from flows.readers.kinds import ENDINGS, FOREIGN, SHOWN, ending_of, kind_of, sure_kind
from flows.readers.known import KnownPages
from flows.readers.listing import fixed_folder, list_folder, list_glob, shown_path
from flows.readers.packing import BROKEN, Entry, Watched, entries, why_of
from flows.readers.remote import is_remote, list_remote
from flows.readers.standard_input import spooled_input
from flows.readers.tables import check_arrow, check_parquet, read_arrow, read_parquet
from flows.readers.texts import read_html, read_text
from flows.readers.warc import read_warc

__all__ = ["Source", "open_source"]


class _Reader(NamedTuple):
    """How a kind of file is read; `check` raises UsageError where it cannot serve as asked."""

    read: Callable[[Entry, ReadOptions], Iterator[Page | pl.DataFrame] | Iterator[Page]]
    check: Callable[[Entry, ReadOptions], None] | None = None


def _refuse_archive(entry: Entry, _: ReadOptions) -> Iterator[Page]:
    yield unreadable(entry.name, entry.name, "an archive within an archive; unpack it first")


_READERS = {
    "text": _Reader(read_text),
    "html": _Reader(read_html),
    "jsonl": _Reader(read_jsonl, check_jsonl),
    "csv": _Reader(read_csv, check_csv),
    "parquet": _Reader(read_parquet, check_parquet),
    "arrow": _Reader(read_arrow, check_arrow),
    "warc": _Reader(read_warc),
    "zip": _Reader(_refuse_archive),
}
READERS_VERSION = f"{__version__}.1"
"""Goes up whenever a reader makes other pages of the same bytes: then no input passes for read."""
_NAMES_SHOWN = 5
_MEMBERS_CHECKED = 100
"""Members of an archive whose columns are looked at before anything is read."""


class Source:
    """An opened source. `batches` and `pages` may be called again to read it anew.

    `kind` is "folder" or the kind of a single file, in the words of `SHOWN`'s keys ("text file" for one of text);
    `inputs` its files, in order; `total_bytes` its size as stored, 0 where it is not known; `skipped` what a folder
    holds that is not read. `read_as` names all that decides which pages the bytes of an input are.
    `bytes_read` is how far the latest reading has come, `passed_over` counts by input what was no page.
    """

    def __init__(self, name: str, kind: str, listing: Listing, options: ReadOptions) -> None:
        self.name = name
        self.kind = kind
        self.skipped = listing.skipped
        self.passed_over: dict[int, Counter[str]] = {}
        sizes = [file.bytes for file in listing.found]
        self.total_bytes = sum(size for size in sizes if size is not None) if None not in sizes else 0
        self.inputs = listing.found
        self._options = options
        self._done = 0
        self._reading: Watched | None = None

    @property
    def bytes_read(self) -> int:
        """The bytes read so far, as stored; never more than `total_bytes` where that is known."""
        so_far = self._done + (self._reading.count if self._reading else 0)
        return min(so_far, self.total_bytes) if self.total_bytes else so_far

    @cached_property
    def read_as(self) -> str:
        """Two readings of the same bytes by the same name give the same pages where this is the same."""
        asked = {name: value for name, value in asdict(self._options).items() if name != "batch_bytes"}
        # in a folder a page's id has the file before it, and its reader lets less pass
        return json.dumps({"readers": READERS_VERSION, "folder": self.kind == "folder", **asked}, sort_keys=True)

    def describe(self) -> str:
        """One line for a person: what is read, how much, and what is not."""
        counts = Counter(file.kind for file in self.inputs)
        parts = [f"{count:,} {SHOWN[kind]}{'s' if count != 1 else ''}" for kind in SHOWN if (count := counts[kind])]
        line = f"{self.name}: {', '.join(parts)}, {_size(self.total_bytes) if self.total_bytes else 'size unknown'}"
        if self.skipped:
            named = [f"{skipped.name} ({skipped.why})" for skipped in self.skipped[:_NAMES_SHOWN]]
            more = len(self.skipped) - len(named)
            line += f"; {len(self.skipped):,} not read: {', '.join(named)}{f' and {more:,} more' if more else ''}"
        if out := self.left_out():
            line += f"; passed over: {', '.join(out)}"
        return line

    def left_out(self) -> list[str]:
        """What was passed over in all inputs, with how many of each: nothing vanishes without a word."""
        total = sum(self.passed_over.values(), Counter())
        return [f"{what} ({count:,})" for what, count in sorted(total.items())]

    def batches(self) -> Iterator[pl.DataFrame]:
        """The pages as page frames of about `batch_bytes` each, in the order of names and rows."""
        return (batch.drop("input") for batch in self.pages(range(len(self.inputs))))

    def pages(self, numbers: Iterable[int], known: KnownPages | None = None) -> Iterator[pl.DataFrame]:
        """The pages of some `inputs`, as `batches`; the column `input` (UInt32) behind the others says of which.

        Pages that are `known`, from readings with the same `read_as`, may come with their text as it is stored; their
        digests are right.
        """
        self._done, self._reading = 0, None
        buffer = PageBuffer(self._options.batch_bytes)
        for number in numbers:
            found = self.inputs[number]
            self.passed_over[number] = Counter()
            for read in self._read(found, self.passed_over[number], known):
                if isinstance(read, Page):
                    if buffer.add(read, number):
                        yield buffer.take()
                    continue
                if len(buffer):
                    yield buffer.take()
                yield read.with_columns(input=pl.lit(number, pl.UInt32))
            self._done += (self._reading.count if self._reading else 0) if found.bytes is None else found.bytes
            self._reading = None
        if len(buffer):
            yield buffer.take()

    def _read(
        self, found: Found, passed_over: Counter[str], known: KnownPages | None
    ) -> Iterator[Page | pl.DataFrame]:
        """All that is in a file; a file that cannot be read, or not as asked, is a page that says so."""
        try:
            for entry in entries(found, self._options, folder=self.kind == "folder", watch=self._watch):
                entry.passed_over, entry.known = passed_over, known
                kind = _kind(entry, self._options)
                if kind is None:
                    passed_over["member of an archive: neither its ending nor its content is read"] += 1
                    continue
                try:
                    yield from _READERS[kind].read(entry, self._options)
                except UsageError as error:
                    yield unreadable(entry.name, entry.name, str(error))
        except BROKEN as error:
            yield unreadable(found.name, found.name, why_of(error))

    def _watch(self, raw: Watched) -> None:
        self._reading = raw


def open_source(path: str | Path, options: ReadOptions | None = None) -> Source:
    """Open a file, a folder, a pattern (`crawl/**/*.html.gz`), a URL (`s3://`, `https://`), or `-`: standard input.

    A folder is read whole, at any depth: the endings in `kinds.ENDINGS`, packed or not, and whatever else is surely
    HTML or a table by its first bytes. What a single file is, its first bytes say. Nothing is read yet but names, and
    the columns of tables.

    Raises UsageError for a path that is not there or not open to us, a folder with nothing to read, a table
    without the columns asked for, and a kind of file we know that we cannot read.
    """
    options = options or ReadOptions()
    given = os.fspath(path)
    if given == "-":
        found = spooled_input()
        return _open_file(found, "standard input", options)
    if is_remote(given):
        listing, single = list_remote(given)
        name = given.rstrip("/").rpartition("/")[2] or given
        return _open_file(listing.found[0], given, options) if single else _open_listing(name, given, listing, options)
    path = Path(path)
    try:
        status = path.stat()
    except FileNotFoundError:
        if fixed_folder(given) is not None:
            return _open_listing(given, given, list_glob(given), options)
        raise UsageError(f"no such file or folder: {path}; check the path") from None
    except OSError as error:
        raise UsageError(f"cannot open {path}: {error.strerror or error}; check the path and its rights") from error
    if stat.S_ISDIR(status.st_mode):
        if not os.access(path, os.R_OK | os.X_OK):
            raise UsageError(f"no right to read the folder {path}; try: chmod u+rx {path}")
        return _open_listing(path.name or str(path), str(path), list_folder(path), options)
    if not stat.S_ISREG(status.st_mode):
        raise UsageError(f"{path} is neither a file nor a folder; save its content to a file first, or pipe it to `-`")
    if not os.access(path, os.R_OK):
        raise UsageError(f"no right to read {path}; try: chmod u+r {path}")
    found = local_file(path, shown_path(Path(path.name)), "", status.st_size)
    return _open_file(found, str(path), options)


def _open_file(found: Found, given: str, options: ReadOptions) -> Source:
    """One file, of whatever kind its first bytes say."""
    ending = Path(found.name).suffix.lower()
    if ending in FOREIGN:
        raise UsageError(f"{given}: {ending} is not read; {FOREIGN[ending]}")
    kinds: list[str] = []
    try:
        for entry in islice(entries(found, options, folder=False), _MEMBERS_CHECKED):
            kind = _kind(entry, options) or "text"
            kinds.append("zip" if entry.inside else kind)
            _check(kind, entry, options)
    except BROKEN as error:
        shown = SHOWN[ENDINGS.get(ending_of(found.name), "text")]
        raise UsageError(f"cannot read {given} as {shown}: {why_of(error)}; check the file") from error
    kind = kinds[0]
    listing = Listing([replace(found, kind=kind)], [])
    name = "standard input" if given == "standard input" else found.name
    return Source(name, "text file" if kind == "text" else kind, listing, options)


def _open_listing(name: str, given: str, listing: Listing, options: ReadOptions) -> Source:
    """A folder, a pattern or a bucket."""
    if not listing.found:
        skipped = listing.skipped
        seen = f" ({len(skipped):,} not read, such as {skipped[0].name})" if skipped else ""
        raise UsageError(f"nothing to read in {given}{seen}; it needs {', '.join(ENDINGS)} files, packed or not")
    for found in listing.found:
        if found.kind in {"text", "html", "warc"}:
            continue
        try:
            for entry in islice(entries(found, options, folder=True), _MEMBERS_CHECKED):
                _check(_kind(entry, options), entry, options)
        except BROKEN:
            continue  # Reading it gives the page that says why.
    return Source(name, "folder", listing, options)


def _kind(entry: Entry, options: ReadOptions) -> str | None:
    """The kind of an entry; None for a member of an archive that is none of ours."""
    head = entry.head
    if entry.inside and ending_of(entry.name) not in ENDINGS and sure_kind(head, options) is None:
        return None
    return kind_of(head, entry.name, options)


def _check(kind: str | None, entry: Entry, options: ReadOptions) -> None:
    check = _READERS[kind].check if kind else None
    if check and not entry.trouble:
        check(entry, options)


def _size(size: int) -> str:
    amount = float(size)
    for unit in ("bytes", "kB", "MB", "GB"):
        if amount < 1000:
            return f"{amount:,.0f} {unit}" if unit == "bytes" else f"{amount:,.1f} {unit}"
        amount /= 1000
    return f"{amount:,.1f} TB"
