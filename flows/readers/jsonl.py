"""JSON: one page a line, or one an item of a list. A broken line is a page too, with its bytes and the reason."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from itertools import islice
from typing import IO, Any

from flows.decode import decode
from flows.errors import UsageError
from flows.readers.frame import KEEP_BYTES, Page, ReadOptions, content_hash, problem, too_large, unreadable
from flows.readers.packing import Entry
from flows.readers.records import page_of_record
from flows.readers.texts import Gathered

__all__ = ["check_jsonl", "lines_of", "read_jsonl", "refuse_utf16"]

_BOM = b"\xef\xbb\xbf"
_PEEK_LINES = 100
_ESCAPE_BYTES = 6  # A character of text takes at most "\uXXXX" of JSON.
_CHUNK_BYTES = 1 << 18
_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\]"]', re.DOTALL)
"""What decides where an item ends: whole strings, brackets, and the quote of a string that goes on beyond the bytes."""


def check_jsonl(entry: Entry, options: ReadOptions) -> None:
    """Look at the first records of `entry`.

    Raises UsageError when they are not JSON at all, or none of them has a column that was asked for.
    """
    refuse_utf16(entry)
    keys: dict[str, None] = {}
    records = 0
    for line in islice(_records(entry), _PEEK_LINES):
        record = None if line.raw is None else _record(line.raw)
        if isinstance(record, dict):
            records += 1
            keys.update(dict.fromkeys(record))
        elif records == 0 and line.raw is not None and line.raw.strip() == b"{":
            raise UsageError(
                f"{entry.name} is one JSON document, not one record a line; convert it:"
                f" jq -c '.articles[]' {entry.name} > pages.jsonl (with the name of its list)"
            )
    if records and (wrong := options.missing(keys)):
        raise UsageError(f"{entry.name} has, in its first {records} records, {wrong}")


def refuse_utf16(entry: Entry) -> None:
    """Raise UsageError for a table in UTF-16, whose lines cannot be told by their bytes."""
    if entry.head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise UsageError(
            f"{entry.name} is UTF-16; turn it into UTF-8: iconv -f UTF-16 -t UTF-8 {entry.name} > pages.utf8"
        )


def read_jsonl(entry: Entry, options: ReadOptions) -> Iterator[Page]:
    """The pages of `entry`. Blank lines are no pages, but are counted.

    A page is named by its line, from 1; in a list, by its item.
    """
    number = 0
    held: Gathered | None = None
    for line in _records(entry):
        if held is not None and (held.raw is None or held.raw.strip()):
            yield _page(held, number, entry, options)
        held = line
        number += 1
    # The last line waits until it is known whether the file broke within it.
    if entry.trouble:
        raw = held.raw if held and held.raw is not None and len(held.raw) <= options.max_page_bytes else None
        yield unreadable(entry.name, entry.name, entry.trouble, f"line {number}" if number else "", raw)
    elif held is not None and (held.raw is None or held.raw.strip()):
        yield _page(held, number, entry, options)


def _records(entry: Entry) -> Iterator[Gathered]:
    if entry.head.removeprefix(_BOM).lstrip()[:1] == b"[" and _opens_list(entry.head):
        return _items(entry.stream)
    return lines_of(entry.stream)


def _opens_list(head: bytes) -> bool:
    """Whether the file is a list of records, rather than lines of which the first is a broken one."""
    return bool(re.match(rb"(?:\xef\xbb\xbf)?\s*\[\s*\{", head))


def lines_of(file: IO[bytes]) -> Iterator[Gathered]:
    r"""The lines of `file`, split at `\n` only: JSON strings may hold every other line break."""
    first = True
    while raw := file.readline(KEEP_BYTES):
        if len(raw) == KEEP_BYTES and not raw.endswith(b"\n"):
            yield _endless(file, raw)
            continue
        size = len(raw)
        if first:
            raw = raw.removeprefix(_BOM)
            first = False
        yield Gathered(raw.removesuffix(b"\n").removesuffix(b"\r"), size)


def _endless(file: IO[bytes], raw: bytes) -> Gathered:
    digest, size = hashlib.sha256(raw), len(raw)
    while not raw.endswith(b"\n") and (raw := file.readline(1 << 20)):
        digest.update(raw)
        size += len(raw)
    return Gathered(None, size, digest.hexdigest()[:32])


def _items(file: IO[bytes]) -> Iterator[Gathered]:
    """The items of a list, each as it stands; what is no item, up to the next one, is given as it stands too."""
    held = file.read(_CHUNK_BYTES)
    held = held[held.index(b"[") + 1 :]
    more = True
    while True:
        end = _end_of_item(held)
        if end is None and more and len(held) < KEEP_BYTES:
            # Twice as much each time, so that an item is not looked through again and again.
            chunk = file.read(max(_CHUNK_BYTES, len(held)))
            more = bool(chunk)
            held += chunk
            continue
        if end is None:
            rest = held.strip(b" \t\r\n,")
            if rest not in {b"", b"]"}:
                yield Gathered(rest, len(held))
            return
        item, held = held[:end], held[end:]
        yield Gathered(item.lstrip(b" \t\r\n,"), end)


def _end_of_item(held: bytes) -> int | None:
    """Where the first object in `held` ends; None where it does not."""
    depth = 0
    for token in _TOKEN.finditer(held):
        mark = token[0]
        if mark in {b"{", b"["}:
            depth += 1
        elif mark in {b"}", b"]"}:
            depth -= 1
            if depth < 0:
                return None
            if depth == 0:
                return token.end()
        elif mark == b'"':
            return None
    return None


def _page(line: Gathered, number: int, entry: Entry, options: ReadOptions) -> Page:
    name = f"{entry.name}:{number}"
    raw = line.raw
    if raw is None or len(raw) > options.max_page_bytes * _ESCAPE_BYTES:
        page = Page(name, f"{entry.table}#{name}", None, line.hash or content_hash(raw or b""), raw=raw)
        page.problems.append(too_large(line.size, "line", options))
        return page
    record = _record(raw)
    if not isinstance(record, dict):
        page = Page(name, f"{entry.table}#{name}", None, content_hash(raw), raw=raw)
        page.problems.append(problem("broken_json", "line", f"line {number}: {record}"))
        return page
    return page_of_record(record, raw, name, f"line {number}", entry.table, options)


def _record(raw: bytes) -> dict[str, Any] | str:
    """The object on a line, or what is wrong with it."""
    try:
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError:
            decoded = decode(raw)
            if decoded.text is None:
                return f"{decoded.problem}: {decoded.detail}"
            text = decoded.text
        record = json.loads(text)
    except json.JSONDecodeError as error:
        return f"{error.msg} at column {error.colno}"
    except (ValueError, RecursionError) as error:
        return str(error)
    return record if isinstance(record, dict) else f"a {type(record).__name__}, not an object"
