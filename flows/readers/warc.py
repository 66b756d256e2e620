"""WARC and WET: the pages of a crawl archive, one a record. What is no page is passed over, and counted by reason.

A page's id is its WARC-Record-ID: every record must have one, and no two records share one, while two captures of one
URL may well bear the same second.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from fastwarc.stream_io import BrotliReader, ChunkedReader, GzipReader, ZstdReader
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
_CODINGS: dict[str, Callable[[Any], Any]] = {
    "chunked": ChunkedReader,
    "gzip": GzipReader,
    "x-gzip": GzipReader,
    "deflate": partial(GzipReader, zlib=True),
    "br": BrotliReader,
    "zstd": ZstdReader,
}
"""HTTP's transfer and content codings. They are undone record by record: FastWARC's own iterator gives up a whole file
where one record's coding is broken."""
_PLAIN = re.compile(rb"(?:\xef\xbb\xbf)?\s*<")
_CHARSET = re.compile(r"charset\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)
_WHOLE_BLOCK_BYTES = 1 << 20


def read_warc(entry: Entry, options: ReadOptions) -> Iterator[Page]:
    """The pages of `entry`: responses and resources that are HTML, and the texts of a WET file.

    Where the file breaks, all whole records are kept, the cut one is named, and so is the rest.
    """
    records = ArchiveIterator(entry.stream, parse_http=False, stream_detect=False, quirks_mode=True, fsspec_args=False)
    position = 0
    named = False
    while True:
        try:
            record = next(records, None)
            if record is None:
                break
            position = record.stream_pos
            page = _page(record, entry, options)
        except OSError as error:
            yield unreadable(entry.name, entry.name, entry.trouble or why_of(error), f"byte {position}")
            return
        if isinstance(page, str):
            entry.passed_over[page] += 1
        else:
            named = any(p["check"] == "unreadable" for p in page.problems)
            yield page
    if entry.trouble and not named:
        yield unreadable(entry.name, entry.name, entry.trouble, f"byte {position}")


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
        return "html", None, ["http header"]
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
    raw, wrong = got.raw, None
    if got.size < length:
        wrong = f"the record is cut: {got.size:,} of {length:,} bytes"
    elif codings == ["http header"]:
        wrong = "no HTTP header in the record"
    else:
        raw, wrong = _undone(got.raw, codings, options)
    if wrong is None:
        return page_of_bytes(raw, doc_id, "", options, form, form=form, charset=charset)
    page = Page(doc_id, "", None, content_hash(raw), raw=raw or None)
    page.problems.append(problem("unreadable", form, wrong))
    return page


def _undone(raw: bytes, codings: list[str], options: ReadOptions) -> tuple[bytes, str | None]:
    """`raw` without its codings, and what is wrong with it: then it is as it stood.

    A payload that is HTML to the eye is taken as it is, whatever the header says: crawlers store pages unpacked under
    the header that came with them.
    """
    plain = raw
    for coding in codings:
        if _PLAIN.match(plain):
            break
        if coding not in _CODINGS:
            return raw, f"coding {coding[:40]!r} is not known"
        reader = _CODINGS[coding](io.BytesIO(plain))
        parts, size = [], 0
        try:
            while part := reader.read(_WHOLE_BLOCK_BYTES):
                parts.append(part)
                size += len(part)
                if size > max(options.max_unpacked_bytes, len(raw) * options.max_ratio):
                    return raw, f"{coding}: unpacks to more than {size:,} bytes: refused as a zip bomb"
        except OSError as error:
            return raw, f"{coding}: {why_of(error)}"
        plain = b"".join(parts)
    return plain, None
