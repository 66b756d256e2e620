"""CSV and TSV: one page a row. The header tells the separator; a row that does not fit it is a page with its bytes.

Rows are split as bytes, since no encoding in use hides a quote, a separator or a line end in a character; each value
is then decoded by itself, as a file would be.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator

from flows.errors import UsageError
from flows.readers.frame import Page, ReadOptions, content_hash, problem, unreadable
from flows.readers.jsonl import lines_of, refuse_utf16
from flows.readers.packing import Entry
from flows.readers.records import page_of_record

__all__ = ["check_csv", "columns_of_head", "read_csv"]

_SEPARATORS = ",\t;|"


def columns_of_head(head: bytes) -> list[str]:
    """The columns that the first line of a file names, if it is the header of a table."""
    line, _, _ = head.removeprefix(b"\xef\xbb\xbf").partition(b"\n")
    return _columns(_text(line.removesuffix(b"\r")))


def check_csv(entry: Entry, options: ReadOptions) -> None:
    """Raise UsageError when the header of `entry` lacks a column that was asked for, or names one twice."""
    refuse_utf16(entry)
    columns = columns_of_head(entry.head)
    if wrong := options.missing(columns):
        raise UsageError(f"{entry.name} has {wrong}")
    wanted = {*options.asked.values(), *options.contents}
    twice = next((name for name in columns if name in wanted and columns.count(name) > 1), None)
    if twice is not None:
        raise UsageError(f"{entry.name} has more than one column {twice!r}; rename all but one")


def read_csv(entry: Entry, options: ReadOptions) -> Iterator[Page]:
    """The pages of `entry`, each named by the line that its row begins on; the header is line 1.

    An empty field is one that the row does not have: CSV knows no other.
    """
    tape = _Tape(line.raw or b"" for line in lines_of(entry.stream))
    header = next(tape, None)
    if header is None:
        if entry.trouble:
            yield unreadable(entry.name, entry.name, entry.trouble)
        return
    columns = _columns(header)
    # Enough for every page that is taken; what is beyond it is a quote that nobody closed.
    csv.field_size_limit(max(csv.field_size_limit(), 4 * options.max_page_bytes))
    wanted = {*options.asked.values(), *options.contents}
    rows = csv.reader(tape, delimiter=_separator(header), strict=True)
    while True:
        tape.rewind()
        wrong, row = None, None
        try:
            row = next(rows, None)
        except csv.Error as error:
            wrong = str(error)
        if entry.trouble and tape.ended:
            yield unreadable(entry.name, entry.name, entry.trouble, f"line {tape.line}", tape.raw or None)
            return
        if row is None and wrong is None:
            return
        if row is not None and not row:
            continue
        if row is not None and len(row) != len(columns):
            wrong = f"fields: {len(row)}, the header has {len(columns)}"
        name = f"{entry.name}:{tape.line}"
        if wrong is not None:
            page = Page(name, f"{entry.table}#{name}", None, content_hash(tape.raw), raw=tape.raw)
            page.problems.append(problem("broken_csv", "row", f"line {tape.line}: {wrong}"))
            yield page
            continue
        cells = zip(columns, row or (), strict=True)
        record = {column: _value(value) for column, value in cells if value and column in wanted}
        yield page_of_record(record, tape.raw, name, f"line {tape.line}", entry.table, options)


class _Tape:
    """Lines on their way into the parser, and the bytes of those that it took since the last row."""

    def __init__(self, lines: Iterable[bytes]) -> None:
        self._lines = iter(lines)
        self._taken: list[bytes] = []
        self._number = 0
        self._next = next(self._lines, None)

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self._next is None:
            raise StopIteration
        raw, self._next = self._next, next(self._lines, None)
        self._number += 1
        self._taken.append(raw)
        return _text(raw) + "\n"

    @property
    def ended(self) -> bool:
        """Whether the last line was given: where the file broke, it broke in this one."""
        return self._next is None

    def rewind(self) -> None:
        """Forget the lines of the last row."""
        self._taken.clear()

    @property
    def raw(self) -> bytes:
        return b"\n".join(self._taken)

    @property
    def line(self) -> int:
        """The line that the row begins on."""
        return self._number - len(self._taken) + 1


def _text(raw: bytes) -> str:
    """Bytes as a string that keeps each of them: what is no UTF-8 becomes half characters."""
    return raw.decode("utf-8", "surrogateescape")


def _value(text: str) -> str | bytes:
    """A field as a string, or, where it is no UTF-8, as the bytes that it was."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogateescape")
    return text


def _separator(header: str) -> str:
    return max(_SEPARATORS, key=header.count)


def _columns(header: str) -> list[str]:
    try:
        return next(csv.reader([header], delimiter=_separator(header), strict=True), [])
    except csv.Error:
        return []
