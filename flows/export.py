"""`copydesk export`: the articles of the current snapshot in the forms that other tools read, a batch at a time."""

from __future__ import annotations

import datetime as dt
import gzip
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from flows.errors import RunError, UsageError
from flows.published import current_snapshot, published_store
from flows.snapshots import SnapshotStore
from schemas import ARTICLES, DUPLICATES

BATCH_ROWS = 2_000
"""Articles held at once."""

Row = dict[str, Any]


def as_document(row: Row) -> Row:
    """An article as corpus tools (datatrove, dolma) read documents: `id`, `text`, and all else as `metadata`."""
    return {
        "id": row["doc_id"],
        "text": row["body"],
        "metadata": {name: _plain(value) for name, value in row.items() if name not in ("doc_id", "body")},
    }


def as_news_article(row: Row) -> Row:
    """An article as a schema.org NewsArticle in JSON-LD; what is not known is left out."""
    where = row["publisher"]
    return _filled(
        {
            "@context": "https://schema.org",
            "@type": "NewsArticle",
            "identifier": row["doc_id"],
            "url": row["url"],
            "headline": row["headline"],
            "description": row["standfirst"],
            "author": [_author(author) for author in row["authors"]],
            "datePublished": _plain(row["published_at"] or row["published_on"]),
            "dateModified": _plain(row["modified_at"] or row["modified_on"]),
            "dateline": row["dateline"],
            "articleSection": row["section"],
            "keywords": row["tags"],
            "publisher": where and {"@type": "Organization", "name": where},
            "inLanguage": row["language"],
            "image": [
                _filled({"@type": "ImageObject", "caption": c["text"], "creditText": c["credit"]})
                for c in row["captions"]
            ],
            "wordCount": row["word_count"],
            "articleBody": row["body"],
        }
    )


FORMS: dict[str, Callable[[Row], Row]] = {"jsonl": as_document, "json-ld": as_news_article}
"""What an export may be written as, one JSON object a line."""


def export(output: Path | str, target: str, form: str, *, unique: bool = False) -> int:
    """Write the articles of `output` to the file `target` ('-': standard output); returns how many.

    The file is packed by its ending (.gz, .zst), stands there whole or not at all, and is the same for the same
    snapshot. `unique` leaves out the articles that repeat another. Raises UsageError and RunError.
    """
    if form not in FORMS:
        raise UsageError(f"no form {form!r}; there are {', '.join(FORMS)}")
    store = published_store(output)
    snapshot = current_snapshot(store)
    count = 0
    with _open(target, store.output) as file:
        for rows in _batches(store, snapshot, unique=unique):
            write = FORMS[form]
            file.write("".join(json.dumps(write(row), ensure_ascii=False) + "\n" for row in rows).encode())
            count += len(rows)
    return count


def _batches(store: SnapshotStore, snapshot: Path, *, unique: bool) -> Iterator[list[Row]]:
    """Articles in the order of their files, a few at a time."""
    repeats = pl.read_parquet(store.parts(snapshot, DUPLICATES.name), columns=["doc_id"]) if unique else None
    for part in store.parts(snapshot, ARTICLES.name):
        for batch in pq.ParquetFile(part).iter_batches(batch_size=BATCH_ROWS):
            frame = pl.DataFrame(batch)
            if repeats is not None:
                frame = frame.join(repeats, on="doc_id", how="anti", maintain_order="left")
            yield frame.to_dicts()


@contextmanager
def _open(target: str, output: Path) -> Iterator[Any]:
    """Where lines go: packed by the ending, and moved to their place when they are all there."""
    if target == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    path = Path(target)
    if path.is_dir():
        raise UsageError(f"{path} is a folder; name a file to write")
    if path.resolve().parent.is_relative_to((output / ".snapshots").resolve()):
        raise UsageError(f"{path} lies among the published datasets; write elsewhere")
    if not path.parent.is_dir():
        raise UsageError(f"no such folder: {path.parent}; make it first")
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with _packed(fresh, path.suffix) as file:
            yield file
        fresh.replace(path)
    except OSError as error:
        what = f"{error.filename or path}: {error.strerror or error}"
        raise RunError(f"the export stopped at {what}; free some space or check its rights") from error
    finally:
        fresh.unlink(missing_ok=True)


@contextmanager
def _packed(path: Path, ending: str) -> Iterator[Any]:
    """A file to write bytes to. No clock and no name go into it: the same in, the same out."""
    if ending == ".gz":
        with path.open("wb") as raw, gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as file:
            yield file
    elif ending == ".zst":
        with pa.output_stream(str(path), compression="zstd") as file:
            yield file
    else:
        with path.open("wb") as file:
            yield file


def _author(author: Row) -> Row:
    """A person, or an organisation where an agency or the staff wrote it."""
    person = author["kind"] == "person"
    employer = author["affiliation"]
    return _filled(
        {
            "@type": "Person" if person else "Organization",
            "name": author["name"],
            "jobTitle" if person else "description": author["role"],
            "email": author["email"],
            "affiliation" if person else "parentOrganization": employer
            and {"@type": "Organization", "name": employer},
        }
    )


def _filled(row: Row) -> Row:
    return {name: value for name, value in row.items() if value not in (None, [], "")}


def _plain(value: Any) -> Any:
    """A value as JSON has it: days and instants in ISO 8601, an instant with `Z`."""
    if isinstance(value, dt.datetime):
        return value.isoformat().replace("+00:00", "Z")
    return value.isoformat() if isinstance(value, dt.date) else value
