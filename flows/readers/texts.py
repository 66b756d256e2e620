"""Text and HTML files: one page each."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator

from flows.readers.frame import (
    KEEP_BYTES,
    Form,
    Page,
    ReadOptions,
    page_of_bytes,
    too_large,
    unreadable,
)
from flows.readers.packing import Entry

__all__ = ["Gathered", "gather", "read_html", "read_text"]

_CHUNK_BYTES = 1 << 20


class Gathered:
    """The bytes of a stream, or, where they are too many to keep, their count and hash."""

    __slots__ = ("hash", "raw", "size")

    def __init__(self, raw: bytes | None, size: int, digest: str = "") -> None:
        self.raw, self.size, self.hash = raw, size, digest


def gather(read: Callable[[int], bytes]) -> Gathered:
    """All that `read` gives, call by call."""
    chunks = []
    size = 0
    while chunk := read(_CHUNK_BYTES):
        chunks.append(chunk)
        size += len(chunk)
        if size > KEEP_BYTES:
            break
    else:
        return Gathered(b"".join(chunks), size)
    digest = hashlib.sha256()
    for chunk in chunks:
        digest.update(chunk)
    chunks.clear()
    while chunk := read(_CHUNK_BYTES):
        digest.update(chunk)
        size += len(chunk)
    return Gathered(None, size, digest.hexdigest()[:32])


def read_text(entry: Entry, options: ReadOptions) -> Iterator[Page]:
    """The page of one text file; a file that cannot be read to its end gives a page that says why."""
    yield _page(entry, options, "text")


def read_html(entry: Entry, options: ReadOptions) -> Iterator[Page]:
    """The same for HTML."""
    yield _page(entry, options, "html")


def _page(entry: Entry, options: ReadOptions, form: Form) -> Page:
    found = gather(entry.stream.read)
    if entry.trouble:
        kept = found.raw if found.size <= options.max_page_bytes else None
        return unreadable(entry.name, entry.name, entry.trouble, raw=kept or None)
    if found.raw is None:
        page = Page(entry.name, entry.name, None, found.hash)
        page.problems.append(too_large(found.size, form, options))
        return page
    return page_of_bytes(found.raw, entry.name, entry.name, options, form, form=form)
