"""An invented page and crawl archives made of it, for tests."""

from __future__ import annotations

import uuid

HTML = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Ferry fares rise – The Harbour Times</title></head>
<body><nav>News | Sport</nav><article><h1>Ferry fares rise</h1><p class="byline">By Zoë Lee</p>
<p>Fares on the island ferry rise by a tenth in May, the council’s clerk said on Monday evening.</p></article>
</body></html>
"""
URL = "https://harbour.example/ferry-fares"
FETCHED = "2024-05-01T10:00:00Z"


def http(body: bytes, kind: str = "text/html; charset=utf-8", status: str = "200 OK", *headers: str) -> bytes:
    """An HTTP response."""
    lines = [f"HTTP/1.1 {status}", *([f"Content-Type: {kind}"] if kind else []), *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


def record(
    block: bytes,
    kind: str = "response",
    url: str = URL,
    content_type: str = "application/http; msgtype=response",
    record_id: str | None = None,
) -> bytes:
    """A WARC record."""
    lines = [
        "WARC/1.0", f"WARC-Type: {kind}", f"WARC-Record-ID: <urn:uuid:{record_id or uuid.uuid4()}>",
        f"WARC-Date: {FETCHED}", f"WARC-Target-URI: {url}", f"Content-Type: {content_type}",
        f"Content-Length: {len(block)}", "", "",
    ]  # fmt: skip
    return "\r\n".join(lines).encode() + block + b"\r\n\r\n"
