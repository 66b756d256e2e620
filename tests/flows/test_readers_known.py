"""Pages that were read before: a table tells them without looking at their text, and never takes a new page for one."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.readers import ReadOptions, open_source
from flows.readers.known import KnownPages, page_hashes

OPTIONS = ReadOptions(id_column="id", url_column="url", max_page_bytes=60)
TEXTS = (
    "The ferry runs.", "One\r\nTwo\rThree", "\ufeffMarked", "\ufeffThe cafÃ© â€“ reopened", "The cafÃ© â€“ reopened", "", None,
    "NUL \0 and so on", "%PDF-1.7 is how it opens", "\x1b$B escape", "x" * 80, "ID3 \0", "日本", "\x01\x02\x03",
)  # fmt: skip
ROW = st.tuples(st.sampled_from(["a", "b", "c", "", None]), st.sampled_from(TEXTS), st.sampled_from(["", "https://a.example/", None]))
TABLE = st.tuples(st.lists(ROW, max_size=8), st.sampled_from(["text", "html"]), st.booleans())


def write(path: Path, table: tuple[list[tuple[Any, Any, Any]], str, bool]) -> None:
    rows, column, as_bytes = table
    texts = [None if text is None else text.encode() if as_bytes else text for _, text, _ in rows]
    kind = pa.binary() if as_bytes else pa.string()
    columns = {"id": [r[0] for r in rows], "url": [r[2] for r in rows]}
    pq.write_table(pa.table(columns | {column: pa.array(texts, kind)}, schema=pa.schema(
        [("id", pa.string()), ("url", pa.string()), (column, kind)]
    )), path, row_group_size=3)  # fmt: skip


def pages(path: Path, known: KnownPages | None = None) -> pl.DataFrame:
    frames = [f.with_columns(page_hash=page_hashes(f)) for f in open_source(path, OPTIONS).pages([0], known)]
    return pl.concat(frames) if frames else pl.DataFrame(schema={"page_hash": pl.String})


@settings(max_examples=150, deadline=None)
@given(TABLE, TABLE)
def test_pages_have_the_same_digests_whatever_is_known_and_new_ones_the_same_content(before: Any, now: Any) -> None:
    """Also where a table of bytes becomes one of text, or its column of text one of HTML."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pages.parquet"
        write(path, before)
        known = KnownPages(pages(path)["page_hash"])
        write(path, now)
        plain, told = pages(path), pages(path, known)
    assert told["page_hash"].to_list() == plain["page_hash"].to_list()
    if len(plain):
        new = ~known.have(plain["page_hash"])
        assert told.filter(new).equals(plain.filter(new))
        same = [*plain.columns[:3], "content_hash", "encoding", "problems"]
        assert told.select(same).equals(plain.select(same))


def test_digests_are_known_or_not() -> None:
    known = KnownPages(pl.Series(["b", "d", "b"]))
    assert known.have(pl.Series(["a", "b", "c", "d", "e"])).to_list() == [False, True, False, True, False]
    assert KnownPages(pl.Series([], dtype=pl.String)).have(pl.Series(["a"])).to_list() == [False]
    assert known.have(pl.Series([], dtype=pl.String)).to_list() == []
