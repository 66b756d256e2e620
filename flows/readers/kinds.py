"""What kind of file it is, told by its first bytes; where these could be several kinds, its name decides."""

from __future__ import annotations

import json
import re
from posixpath import splitext

from flows.readers.csvs import columns_of_head
from flows.readers.frame import ReadOptions
from flows.readers.packing import ARCHIVE, CODECS

__all__ = ["ENDINGS", "FOREIGN", "SHOWN", "ending_of", "is_packed", "kind_of", "sure_kind"]

ENDINGS = {
    ".txt": "text", ".text": "text",
    ".html": "html", ".htm": "html", ".xhtml": "html", ".shtml": "html",
    ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl",
    ".csv": "csv", ".tsv": "csv",
    ".parquet": "parquet", ".pq": "parquet",
    ".arrow": "arrow", ".arrows": "arrow", ".ipc": "arrow", ".feather": "arrow",
    ".warc": "warc", ".wet": "warc",
    ".zip": "zip",
}  # fmt: skip
SHOWN = {
    "text": "text file", "html": "HTML file", "jsonl": "JSON lines file", "csv": "CSV file", "parquet": "Parquet file",
    "arrow": "Arrow file", "warc": "WARC file", "zip": "zip archive", "packed": "packed file",
}  # fmt: skip
FOREIGN = {
    ".tar": "unpack it with tar -xf", ".tgz": "unpack it with tar -xzf", ".7z": "unpack it with 7z x",
    ".rar": "unpack it with unrar x", ".xlsx": "save it as CSV, Parquet or JSON lines", ".arc": "convert it to WARC",
    ".avro": "save it as Parquet", ".orc": "save it as Parquet", ".wacz": "unpack it with unzip and name its archive/",
}  # fmt: skip
"""Kinds that we know and cannot read, with what to do."""

_MAGIC = ((b"PAR1", "parquet"), (b"ARROW1", "arrow"), (b"\xff\xff\xff\xff", "arrow"), (b"WARC/", "warc"),
          (ARCHIVE, "zip"))  # fmt: skip
_HTML = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml\b[^>]*>\s*)?(?:<!--.{0,2000}?-->\s*)*"
    rb"<(?:!doctype\s+html|html|head|body)\b",
    re.IGNORECASE | re.DOTALL,
)
_HTML_BYTES = 4096


def ending_of(name: str) -> str:
    """The ending of a name in lower case, without that of a compression: `.html` for `a.HTML.gz`."""
    stem, ending = splitext(name)
    if ending.lower() in CODECS:
        ending = splitext(stem)[1]
    return ending.lower() if len(ending) > 1 else ""


def is_packed(name: str) -> bool:
    """Whether a name says that the file is compressed."""
    return splitext(name)[1].lower() in CODECS


def sure_kind(head: bytes, options: ReadOptions) -> str | None:
    """The kind that the first bytes of a file leave no doubt of; None for text of any sort."""
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    if _HTML.match(head[:_HTML_BYTES]):
        return "html"
    keys = _first_keys(head)
    return "jsonl" if any(name in keys for name in options.contents) else None


def kind_of(head: bytes, name: str, options: ReadOptions) -> str:
    """The kind of a file by its first bytes, and by its name where these are text of any sort."""
    kind = sure_kind(head, options) or ENDINGS.get(ending_of(name))
    if kind:
        return kind
    if re.match(rb'(?:\xef\xbb\xbf)?\s*(?:\[\s*)?\{\s*"', head):
        return "jsonl"
    columns = columns_of_head(head)
    return "csv" if len(columns) > 1 and options.missing(columns) is None else "text"


def _first_keys(head: bytes) -> set[str]:
    """The keys of the JSON object on the first line, or of the first of a list of objects; none where there is none."""
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    text = text.removeprefix(b"[").lstrip()
    if not text.startswith(b"{"):
        return set()
    try:
        record, _ = json.JSONDecoder().raw_decode(text.decode("utf-8", "ignore"))
    except (ValueError, RecursionError):
        return set()
    return set(record)
