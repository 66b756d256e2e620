"""WARC and WET: the pages of a crawl archive, one a record. What is no page is passed over, and counted by reason.

A page's id is its WARC-Record-ID: every record must have one, and no two records share one, while two captures of one
URL may well bear the same second.
"""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from typing import IO, Any

from fastwarc.stream_io import BrotliReader, ChunkedReader, ZstdReader
from fastwarc.warc import ArchiveIterator, WarcRecord

from flows.readers.frame import (
    Form,
    Page,
    ReadOptions,
    content_hash,
    moment,
    page_of_bytes,
    problem,
    too_large,
    unreadable,
)
from flows.readers.packing import Entry, why_of
from flows.readers.texts import Gathered, gather

__all__ = ["read_warc"]

_HTML_TYPES = {"text/html", "application/xhtml+xml"}
_PLAIN = re.compile(rb"(?:\xef\xbb\xbf)?\s*<")
_CHARSET = re.compile(r"charset\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)
_READ_BYTES = 1 << 20
_TAIL_BYTES = 1 << 16
_HEADER_START = b"WARC/"
_BLANK_LINE = re.compile(rb"(?:\r?\n){2,}")


class CodingError(Exception):
    """A payload that does not come out whole."""


def read_warc(entry: Entry, options: ReadOptions) -> Iterator[Page]:
    """The pages of `entry`: responses and resources that are HTML, and the texts of a WET file.

    Where the file breaks, all whole records are kept, and the cut one is named.
    """
    stream = _Tail(entry.stream)
    records, wrong = None, None
    position, held, seen = 0, None, False  # where the latest record begins, what it is, and whether there was any
    while wrong is None:
        try:
            records = records or ArchiveIterator(
                stream,  # type: ignore[arg-type]
                parse_http=False,
                stream_detect=False,
                quirks_mode=True,
                fsspec_args=False,
            )
            record = next(records, None)
            if record is None:
                break
            found = _page(record, entry, options)
        except OSError as error:
            wrong = why_of(error)
        except BaseException as error:  # what FastWARC's Rust side raises when it panics is no Exception
            if type(error).__name__ != "PanicException":
                raise
            wrong = "FastWARC cannot go on"
        else:
            yield from _given(held, entry)
            position, held, seen = record.stream_pos, found, True
    cut = stream.cut_header()
    if cut is not None:
        wrong = "the header of a record is cut"
        held, position = (held, cut) if cut > position else (None, position)
    elif not seen:
        wrong = wrong or "no WARC record in it"
    yield from _given(held, entry)
    named = isinstance(held, Page) and any(p["check"] == "unreadable" for p in held.problems)
    if entry.trouble and not named:
        wrong = entry.trouble
    if wrong:
        yield unreadable(entry.name, entry.name, wrong, f"byte {position}")


def _given(found: Page | str | None, entry: Entry) -> Iterator[Page]:
    if isinstance(found, str):
        entry.passed_over[found] += 1
    elif found is not None:
        yield found


class _Tail:  # no whole file for mypy, but all that ArchiveIterator calls
    """A stream that remembers its last bytes: FastWARC takes a file that ends within a record's header for whole."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._tail = b""
        self._count = 0

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        self._count += len(data)
        self._tail = (self._tail + data)[-_TAIL_BYTES:]
        return data

    def tell(self) -> int:
        return self._count

    def cut_header(self) -> int | None:
        """Where the header begins, of a record or of the response in one, that the stream ends in."""
        rest = _BLANK_LINE.split(self._tail)[-1]
        if rest.startswith(b"HTTP/"):
            return 0
        if rest and (rest.startswith(_HEADER_START) or _HEADER_START.startswith(rest)):
            return self._count - len(rest)
        return None


def _page(record: WarcRecord, entry: Entry, options: ReadOptions) -> Page | str:
    """The page in a record, or what the record is that is no page."""
    take = _TAKEN.get(str(record.record_type))
    if take is None:
        return f"WARC record: {record.record_type}"
    found = take(record)
    if isinstance(found, str):
        return found
    form, charset, codings = found
    length = record.content_length
    got = gather(record.reader.read)
    doc_id = (record.record_id or f"{entry.name}:byte {record.stream_pos}").removeprefix("<").removesuffix(">")
    doc_id = doc_id.removeprefix("urn:uuid:")
    page = _read(got, length, codings, form, charset, doc_id, options)
    page.source = f"{entry.table}#{doc_id}"
    page.url = (record.headers.get("WARC-Target-URI") or "").strip("<>") or None
    page.fetched_at = moment(record.headers.get("WARC-Date"))
    return page


_Content = tuple[Form, str | None, list[str]]
"""What a record holds: text or HTML, the charset that was said of it, and the codings to undo, in order."""


def _response(record: WarcRecord) -> _Content | str:
    if not record.is_http:
        return "WARC response: not HTTP"
    record.parse_http(auto_decode="none", quirks_mode=True)
    headers = record.http_headers
    status = headers.status_code
    if status is None:
        return "html", None, ["no HTTP header"]
    if not 200 <= status < 300:
        return f"WARC response: status {status // 100}xx"
    kind = headers.get("Content-Type") or ""
    if kind and kind.partition(";")[0].strip().lower() not in _HTML_TYPES:
        return "WARC response: not HTML"
    named = f"{headers.get('Content-Encoding') or ''},{headers.get('Transfer-Encoding') or ''}".lower().split(",")
    codings = [name.strip() for name in reversed(named) if name.strip() not in {"", "identity"}]
    return "html", _charset(kind), codings


def _resource(record: WarcRecord) -> _Content | str:
    kind = record.headers.get("Content-Type") or ""
    if kind.partition(";")[0].strip().lower() not in _HTML_TYPES:
        return "WARC resource: not HTML"
    return "html", _charset(kind), []


def _conversion(record: WarcRecord) -> _Content | str:
    kind = record.headers.get("Content-Type") or ""
    if kind.partition(";")[0].strip().lower() != "text/plain":
        return "WARC conversion: not plain text"
    return "text", _charset(kind) or "utf-8", []


_TAKEN: dict[str, Callable[[WarcRecord], _Content | str]] = {
    "response": _response,
    "resource": _resource,
    "conversion": _conversion,
}


def _charset(kind: str) -> str | None:
    found = _CHARSET.search(kind)
    return found[1] if found else None


def _read(
    got: Gathered, length: int, codings: list[str], form: Form, charset: str | None, doc_id: str, options: ReadOptions
) -> Page:
    """The page of a payload that should have `length` bytes."""
    if got.raw is None:
        page = Page(doc_id, "", None, got.hash)
        page.problems.append(too_large(got.size, form, options))
        return page
    try:
        if got.size < length:
            raise CodingError(f"the record is cut: {got.size:,} of {length:,} bytes")
        raw = _undone(got.raw, codings, options)
    except CodingError as error:
        page = Page(doc_id, "", None, content_hash(got.raw), raw=got.raw or None)
        page.problems.append(problem("unreadable", form, str(error)))
        return page
    return page_of_bytes(raw, doc_id, "", options, form, form=form, charset=charset)


def _undone(raw: bytes, codings: list[str], options: ReadOptions) -> bytes:
    """`raw` without its codings. Raises CodingError where they are broken, cut, or unpack to too much.

    A payload that is HTML to the eye is taken as it is, whatever the header says: crawlers store pages unpacked under
    the header that came with them.
    """
    for coding in codings:
        if _PLAIN.match(raw):
            break
        if coding not in _CODINGS:
            raise CodingError(f"coding {coding[:40]!r} is not known")
        try:
            raw = _CODINGS[coding](raw, options.max_page_bytes)
        except (OSError, zlib.error) as error:
            raise CodingError(f"{coding}: {why_of(error)}") from error
    return raw


def _inflated(raw: bytes, limit: int) -> bytes:
    """gzip, zlib, and the bare deflate that some servers send under the name of the latter."""
    header = zlib.MAX_WBITS | 32 if raw[:1] in {b"\x1f", b"\x78", b"\x58", b"\x48", b"\x38"} else -zlib.MAX_WBITS
    stream = zlib.decompressobj(header)
    plain = stream.decompress(raw, limit + 1)
    if len(plain) > limit:
        raise CodingError(f"unpacks to more than {limit:,} bytes, the limit")
    if not stream.eof:
        raise CodingError(f"cut after {len(plain):,} bytes")
    return plain


def _drained(reader: Callable[[Any], Any], raw: bytes, limit: int) -> bytes:
    """All that one of FastWARC's readers makes of `raw`."""
    stream = reader(io.BytesIO(raw))
    parts, size = [], 0
    while part := stream.read(_READ_BYTES):
        parts.append(part)
        size += len(part)
        if size > limit:
            raise CodingError(f"unpacks to more than {limit:,} bytes, the limit")
    return b"".join(parts)


_CODINGS: dict[str, Callable[[bytes, int], bytes]] = {
    "chunked": partial(_drained, ChunkedReader),
    "gzip": _inflated,
    "x-gzip": _inflated,
    "deflate": _inflated,
    "br": partial(_drained, BrotliReader),
    "zstd": partial(_drained, ZstdReader),
}
"""HTTP's transfer and content codings. They are undone record by record: FastWARC's own iterator gives up a whole file
where one record's coding is broken, and takes a cut gzip for whole."""
