"""Text files: one page each."""

from __future__ import annotations

import hashlib
import os

from flows.readers.frame import KEEP_BYTES, Page, ReadOptions, content_hash, page_of_bytes, problem, too_large
from flows.readers.listing import Found

__all__ = ["read_text", "unreadable"]

_CHUNK_BYTES = 1 << 20


def read_text(found: Found, options: ReadOptions) -> Page:
    """The page of one text file; a file that cannot be read gives a page that says why."""
    try:
        with found.path.open("rb", buffering=0) as file:
            if os.fstat(file.fileno()).st_size <= KEEP_BYTES:
                return page_of_bytes(file.read(), found.name, found.name, options)
            digest, size = hashlib.sha256(), 0
            while chunk := file.read(_CHUNK_BYTES):
                digest.update(chunk)
                size += len(chunk)
    except OSError as error:
        return unreadable(found, error)
    page = Page(found.name, found.name, None, digest.hexdigest()[:32])
    page.problems.append(too_large(size, "text", options))
    return page


def unreadable(found: Found, error: Exception, at: str = "") -> Page:
    """The page that stands for a file, or the rest of one, that nobody can read: it is counted and named."""
    why = (error.strerror or type(error).__name__) if isinstance(error, OSError) else str(error)
    name = f"{found.name}:{at}" if at else found.name
    page = Page(name, found.name, None, content_hash(b""))
    page.problems.append(problem("unreadable", "text", f"from {at} on: {why}" if at else why))
    return page
