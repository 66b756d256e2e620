"""One record of a table that is read row by row, and the page that it becomes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flows.decode import decode_string
from flows.readers.frame import (
    Form,
    Page,
    Problem,
    ReadOptions,
    content_hash,
    moment,
    page_of_bytes,
    problem,
)

__all__ = ["page_of_record"]


def page_of_record(
    record: Mapping[str, Any], raw: bytes, name: str, place: str, table: str, options: ReadOptions
) -> Page:
    """The page of a record that stands as `raw` in its file.

    `name` is its id where it has none of its own, `place` says where it is, `table` is what stands before `#` in the
    page's source. Ignored by name: every key that was not asked for, a url that is not a string, and a time of
    fetching that is none in ISO 8601.
    """
    problems: list[Problem] = []
    doc_id = name
    if options.id_column is not None:
        given = _identity(record.get(options.id_column))
        if given is None:
            problems.append(problem("no_id", options.id_column, place))
        doc_id = given or doc_id
    contents = options.contents
    column = next((c for c in contents if record.get(c) is not None), next((c for c in contents if c in record), ""))
    column = column or next(iter(contents))
    page = _page_of_value(record.get(column), raw, column, contents[column], options)
    page.doc_id, page.source = doc_id, f"{table}#{doc_id}"
    page.problems = problems + page.problems
    if options.url_column is not None:
        url = record.get(options.url_column)
        page.url = (decode_string(url).text or None) if isinstance(url, str) else None
    if options.fetched_column is not None:
        fetched = record.get(options.fetched_column)
        page.fetched_at = moment(fetched) if isinstance(fetched, str) else None
    return page


def _page_of_value(value: Any, raw: bytes, column: str, form: Form, options: ReadOptions) -> Page:
    if value is None:
        page = Page("", "", None, content_hash(b""))
        page.problems.append(problem("no_text", column, "null"))
        return page
    if isinstance(value, bytes):
        return page_of_bytes(value, "", "", options, column, form=form)
    if not isinstance(value, str):
        page = Page("", "", None, content_hash(raw), raw=raw)
        page.problems.append(problem("no_text", column, f"a {type(value).__name__}, not a string"))
        return page
    decoded = decode_string(value)
    if decoded.problem == "undecodable":
        page = Page("", "", None, content_hash(raw), raw=raw)
        page.problems.append(problem("undecodable", column, decoded.detail or ""))
        return page
    data = value.encode("utf-8")
    if decoded.problem or len(data) > options.max_page_bytes:
        return page_of_bytes(data, "", "", options, column, form=form)
    page = Page("", "", None, content_hash(data))
    page.fill(form, decoded.text, decoded.encoding)
    return page


def _identity(value: Any) -> str | None:
    """An id as a string; None for what identifies nothing."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str) or not value.strip():
        return None
    return value if decode_string(value).problem != "undecodable" else None
