"""JSON lines: one page a line. A broken line is a page too, with its bytes and the reason."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import IO, Any

from flows.decode import decode, decode_string
from flows.errors import UsageError
from flows.readers.frame import (
    KEEP_BYTES,
    Page,
    ReadOptions,
    content_hash,
    moment,
    page_of_bytes,
    problem,
    too_large,
)
from flows.readers.listing import Found
from flows.readers.texts import unreadable

__all__ = ["check_jsonl", "read_jsonl"]

_BOM = b"\xef\xbb\xbf"
_PEEK_LINES = 100
_ESCAPE_BYTES = 6  # A character of text takes at most "\uXXXX" of JSON.


def check_jsonl(found: Found, options: ReadOptions) -> None:
    """Look at the first lines of `found`.

    Raises UsageError when they are not JSON lines at all, or none of them has a column that was asked for.
    """
    keys: dict[str, None] = {}
    records = 0
    with found.path.open("rb") as file:
        head = file.read(4)
        file.seek(0)
        if head.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise UsageError(
                f"{found.name} is UTF-16; turn it into UTF-8:"
                f" iconv -f UTF-16 -t UTF-8 {found.name} > pages.jsonl"
            )
        for number, line in enumerate(_lines(file, options), 1):
            if number > _PEEK_LINES:
                break
            if line.raw is None:
                continue
            record = _record(line.raw)
            if isinstance(record, dict):
                records += 1
                keys.update(dict.fromkeys(record))
            elif records == 0 and _opens_document(line.raw):
                raise UsageError(
                    f"{found.name} is one JSON document, not one record a line; convert it:"
                    f" jq -c '.[]' {found.name} > pages.jsonl"
                )
    wanted = {"--text-column": options.text_column, "--id-column": options.id_column}
    wanted |= {"--url-column": options.url_column, "--fetched-column": options.fetched_column}
    for flag, name in wanted.items():
        if records and name is not None and name not in keys:
            raise UsageError(
                f"{found.name} has no {name!r} in its first {records} records;"
                f" they have {', '.join(sorted(keys)) or 'nothing'}; set {flag}"
            )


def read_jsonl(found: Found, table: str, options: ReadOptions) -> Iterator[tuple[Page, int]]:
    """The pages of `found` with the bytes that each took on disk. Blank lines are no pages, but are counted.

    `table` is what stands before `#` in the pages' source. Ignored by name: every key that was not asked for,
    a url that is not a string, and a time of fetching that is none in ISO 8601.
    """
    number = 0
    try:
        with found.path.open("rb") as file:
            for number, line in enumerate(_lines(file, options), 1):
                if line.raw is None or line.raw.strip():
                    yield _page(line, number, found.name, table, options), line.bytes
    except OSError as error:
        yield unreadable(found, error, f"line {number + 1}" if number else ""), 0


class _Line:
    """One line: its bytes, or, where they are too many to keep, their count and hash."""

    __slots__ = ("bytes", "hash", "raw")

    def __init__(self, raw: bytes | None, size: int, digest: str = "") -> None:
        self.raw, self.bytes, self.hash = raw, size, digest


def _lines(file: IO[bytes], options: ReadOptions) -> Iterator[_Line]:
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
        yield _Line(raw.removesuffix(b"\n").removesuffix(b"\r"), size)


def _endless(file: IO[bytes], raw: bytes) -> _Line:
    digest, size = hashlib.sha256(raw), len(raw)
    while not raw.endswith(b"\n") and (raw := file.readline(1 << 20)):
        digest.update(raw)
        size += len(raw)
    return _Line(None, size, digest.hexdigest()[:32])


def _page(line: _Line, number: int, name: str, table: str, options: ReadOptions) -> Page:
    doc_id = f"{name}:{number}"
    raw = line.raw
    if raw is None or len(raw) > options.max_page_bytes * _ESCAPE_BYTES:
        page = Page(doc_id, f"{table}#{doc_id}", None, line.hash or content_hash(raw or b""), raw=raw)
        page.problems.append(too_large(line.bytes, "line", options))
        return page
    record = _record(raw)
    if not isinstance(record, dict):
        page = Page(doc_id, f"{table}#{doc_id}", None, content_hash(raw), raw=raw)
        page.problems.append(problem("broken_json", "line", f"line {number}: {record}"))
        return page
    problems = []
    if options.id_column is not None:
        given = _identity(record.get(options.id_column))
        if given is None:
            problems.append(problem("no_id", options.id_column, f"line {number}"))
        doc_id = given or doc_id
    page = _page_of_text(record.get(options.text_column), raw, doc_id, options)
    page.source = f"{table}#{doc_id}"
    page.problems = problems + page.problems
    if options.url_column is not None:
        url = record.get(options.url_column)
        page.url = (decode_string(url).text or None) if isinstance(url, str) else None
    if options.fetched_column is not None:
        fetched = record.get(options.fetched_column)
        page.fetched_at = moment(fetched) if isinstance(fetched, str) else None
    return page


def _page_of_text(text: Any, raw: bytes, doc_id: str, options: ReadOptions) -> Page:
    column = options.text_column
    if text is None:
        page = Page(doc_id, "", None, content_hash(b""))
        page.problems.append(problem("no_text", column, "null"))
        return page
    if not isinstance(text, str):
        page = Page(doc_id, "", None, content_hash(raw), raw=raw)
        page.problems.append(problem("no_text", column, f"a {type(text).__name__}, not a string"))
        return page
    decoded = decode_string(text)
    if decoded.problem == "undecodable":
        page = Page(doc_id, "", None, content_hash(raw), raw=raw)
        page.problems.append(problem("undecodable", column, decoded.detail or ""))
        return page
    data = text.encode("utf-8")
    if decoded.problem or len(data) > options.max_page_bytes:
        return page_of_bytes(data, doc_id, "", options, column)
    return Page(doc_id, "", decoded.text, content_hash(data), encoding="utf-8")


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


def _identity(value: Any) -> str | None:
    """An id from JSON as a string; None for what identifies nothing."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str) or not value.strip():
        return None
    return value if decode_string(value).problem != "undecodable" else None


def _opens_document(raw: bytes) -> bool:
    """Whether a line begins a JSON document that goes on over the next lines, or is a list of records."""
    line = raw.strip()
    return line in {b"[", b"{"} or line.startswith((b"[{", b"[ {"))
