"""The page frame: what every reader yields, one row a page."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal, TypedDict

import polars as pl
import pyarrow as pa

from copydesk.cleaning import digest
from flows.decode import decode

__all__ = [
    "KEEP_BYTES",
    "PAGE_SCHEMA",
    "READ_CHECKS",
    "Form",
    "Page",
    "PageBuffer",
    "Problem",
    "ReadOptions",
    "content_hash",
    "moment",
    "page_of_bytes",
    "problem",
    "problem_lists",
    "too_large",
    "unreadable",
]

VALUE_CHARACTERS = 200
KEEP_BYTES = 1_000_000_000
"""Bytes of a page above this are counted, hashed and named, but not kept: no Parquet value holds 2 GB."""

PAGE_SCHEMA: Mapping[str, pl.DataType] = {
    "doc_id": pl.String(),
    "url": pl.String(),
    "source": pl.String(),
    "text": pl.String(),
    "html": pl.String(),
    "raw": pl.Binary(),
    "content_hash": pl.String(),
    "encoding": pl.String(),
    "problems": pl.List(pl.Struct({"check": pl.String(), "column": pl.String(), "value": pl.String()})),
    "fetched_at": pl.Datetime("us", "UTC"),
}


Form = Literal["text", "html"]
"""What a page came as, and the column of the page frame that it goes to."""


class Problem(TypedDict):
    """What a reader found wrong with a page: the check that failed, where, and what was there."""

    check: str
    column: str
    value: str


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How tables are read, and how much at once. Sizes are in bytes.

    Where neither column is named, `text` is read and, where a page has none, `html`. Where both are, a page's HTML goes
    before its text. A packed file may unpack to `max_unpacked_bytes`, and beyond that to `max_ratio` times its size.
    """

    text_column: str | None = None
    html_column: str | None = None
    id_column: str | None = None
    url_column: str | None = None
    fetched_column: str | None = None
    max_page_bytes: int = 20_000_000
    batch_bytes: int = 32_000_000
    max_unpacked_bytes: int = 100_000_000
    max_ratio: int = 200

    @property
    def contents(self) -> dict[str, Form]:
        """The columns that may hold a page, each as text or HTML, in the order in which they are looked at."""
        forms: dict[str, Form] = {}
        for name, form in ((self.html_column, "html"), (self.text_column, "text")):
            if name is not None:
                forms.setdefault(name, form)  # type: ignore[arg-type]
        return forms or {"text": "text", "html": "html"}

    @property
    def asked(self) -> dict[str, str]:
        """The columns that a table must have, with the option that names each."""
        flags = {
            "--text-column": self.text_column,
            "--html-column": self.html_column,
            "--id-column": self.id_column,
            "--url-column": self.url_column,
            "--fetched-column": self.fetched_column,
        }
        return {flag: name for flag, name in flags.items() if name is not None}

    def missing(self, names: Collection[str]) -> str | None:
        """What is wrong with a table of these columns: a line that says what it lacks and how to name it; or None."""
        there = f"its columns are {', '.join(names) or 'none'}"
        for flag, name in self.asked.items():
            if name not in names:
                return f"no column {name!r}; {there}; set {flag}"
        if not any(name in names for name in self.contents):
            return f"neither a column 'text' nor 'html'; {there}; set --text-column or --html-column"
        return None


@dataclass(slots=True)
class Page:
    """One page on its way into a frame."""

    doc_id: str
    source: str
    text: str | None
    content_hash: str
    html: str | None = None
    url: str | None = None
    raw: bytes | None = None
    encoding: str | None = None
    problems: list[Problem] = field(default_factory=list)
    fetched_at: datetime | None = None

    def fill(self, form: Form, text: str | None, encoding: str | None) -> None:
        """Give the page its text or its HTML."""
        if form == "html":
            self.html = text
        else:
            self.text = text
        self.encoding = encoding


def moment(text: str | None) -> datetime | None:
    """The instant that a text in ISO 8601 names, without a zone in UTC; None where it names none.

    >>> str(moment("2024-05-01T10:30:00+02:00"))
    '2024-05-01 08:30:00+00:00'
    """
    try:
        at = datetime.fromisoformat((text or "").strip())
    except ValueError:
        return None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


READ_CHECKS = (
    "binary", "undecodable", "unreadable", "page_too_large", "broken_json", "broken_csv", "no_text", "no_id",
)  # fmt: skip
"""All that a reader may find wrong: of a page's reasons in the quarantine, those that no rule can change."""


def problem(check: str, column: str, value: str) -> Problem:
    """A problem, its value cut to the length that reports show. Raises ValueError for a check not in READ_CHECKS."""
    if check not in READ_CHECKS:
        raise ValueError(f"{check!r} is not in READ_CHECKS")
    return {"check": check, "column": column, "value": value[:VALUE_CHARACTERS]}


def content_hash(raw: bytes | memoryview) -> str:
    """The first 32 hex digits of the sha256 of a page's bytes.

    >>> content_hash(b"")
    'e3b0c44298fc1c149afbf4c8996fb924'
    """
    return digest(raw)


def page_of_bytes(
    raw: bytes,
    doc_id: str,
    source: str,
    options: ReadOptions,
    column: str = "text",
    *,
    form: Form = "text",
    charset: str | None = None,
) -> Page:
    """The page that `raw` decodes to; bytes that are no text, or are too many, stay bytes with a problem.

    `column` is where problems are said to be, `form` what the text is, `charset` what the server said of it.
    """
    page = Page(doc_id, source, None, content_hash(raw))
    if len(raw) > options.max_page_bytes:
        page.raw = raw
        page.problems.append(too_large(len(raw), column, options))
        return page
    decoded = decode(raw, charset)
    page.fill(form, decoded.text, decoded.encoding)
    if decoded.problem:
        page.raw = raw
        page.problems.append(problem(decoded.problem, column, decoded.detail or ""))
    return page


def too_large(size: int, column: str, options: ReadOptions) -> Problem:
    """The problem of a page of `size` bytes."""
    kept = "" if size <= KEEP_BYTES else "; too large to keep even as bytes"
    return problem("page_too_large", column, f"{size:,} bytes, the limit is {options.max_page_bytes:,}{kept}")


def problem_lists(problems: Sequence[list[Problem]]) -> pl.Series:
    """The column `problems`. It goes by way of Arrow: Polars makes a series of each list, at 80 µs a page."""
    fields = [(name, pa.large_string()) for name in Problem.__annotations__]
    series = pl.from_arrow(pa.array(problems, pa.large_list(pa.struct(fields))))
    if not isinstance(series, pl.Series):
        raise TypeError("an array must become a series")
    return series


def unreadable(name: str, source: str, why: str, at: str = "", raw: bytes | None = None) -> Page:
    """The page that stands for a file, or the rest of one, that nobody can read: it is counted and named."""
    page = Page(f"{name}:{at}" if at else name, source, None, content_hash(raw or b""), raw=raw)
    page.problems.append(problem("unreadable", "text", f"from {at} on: {why}" if at else why))
    return page


class PageBuffer:
    """Gathers pages until they are worth a frame."""

    def __init__(self, batch_bytes: int) -> None:
        self._batch_bytes = batch_bytes
        self._pages: list[Page] = []
        self._inputs: list[int] = []
        self._bytes = 0

    def add(self, page: Page, number: int) -> bool:
        """Take `page` of the input `number`; true when the buffer is full."""
        self._pages.append(page)
        self._inputs.append(number)
        # Text may take up to four bytes a character; the average of Latin and Korean is near two.
        self._bytes += 2 * len(page.text or page.html or "") + len(page.raw or b"") + 500
        return self._bytes >= self._batch_bytes

    def take(self) -> pl.DataFrame:
        """The pages gathered so far as a frame, with the column `input` behind; the buffer is empty again."""
        pages, self._pages, self._bytes = self._pages, [], 0
        inputs, self._inputs = self._inputs, []
        columns = {
            name: pl.Series([getattr(page, name) for page in pages], dtype=dtype)
            for name, dtype in PAGE_SCHEMA.items()
            if name != "problems"
        }
        columns["problems"] = problem_lists([page.problems for page in pages])
        columns["input"] = pl.Series(inputs, dtype=pl.UInt32)
        return pl.DataFrame(columns).select(*PAGE_SCHEMA, "input")

    def __len__(self) -> int:
        return len(self._pages)
