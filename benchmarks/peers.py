"""The tools that people use today, each over the pages of a Parquet file with `id` and `text`, as copydesk is run.

None of them is a dependency: INSTALL brings them, within the bounds of the extra `bench` in pyproject.toml, and leaves
what is locked as it is. The locks do not cover them, as nothing of ours runs on them.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

INSTALL = ".venv/bin/python -m pip install -U pip && .venv/bin/python -m pip install -e '.[bench]'"


def datatrove(pages: Path, output: Path) -> None:
    """The line filters of C4, by datatrove's own reader, executor and writer; no page is dropped whole."""
    from datatrove.executor import LocalPipelineExecutor  # noqa: PLC0415
    from datatrove.pipeline.filters import C4QualityFilter  # noqa: PLC0415
    from datatrove.pipeline.readers import ParquetReader  # noqa: PLC0415
    from datatrove.pipeline.writers import ParquetWriter  # noqa: PLC0415

    steps = [
        ParquetReader(str(pages.parent), glob_pattern=pages.name, read_metadata=False),
        C4QualityFilter(min_num_sentences=-1, filter_lorem_ipsum=False, filter_curly_bracket=False),
        ParquetWriter(str(output)),
    ]
    LocalPipelineExecutor(steps, tasks=1).run()


def trafilatura(pages: Path, output: Path) -> None:
    """The main text of HTML pages without their comments, and otherwise with the settings that it comes with."""
    from trafilatura import extract  # noqa: PLC0415

    _each(pages, output, lambda page: extract(page, include_comments=False))


def resiliparse(pages: Path, output: Path) -> None:
    """The rendering of HTML pages' main content: what comes before cleaning where pages are text."""
    from resiliparse.extract.html2text import extract_plain_text  # noqa: PLC0415

    _each(pages, output, lambda page: extract_plain_text(page, main_content=True))


def newspaper4k(pages: Path, output: Path) -> None:
    """The text of HTML pages, with authors, date and title, which it always looks for; none where it would first
    download what it needs for the page's language (Korean)."""
    from newspaper import Article  # noqa: PLC0415

    def text_of(page: str) -> str | None:
        article = Article("https://page.example/", fetch_images=False)
        article.download(input_html=page)
        try:
            article.parse()
        except (ImportError, LookupError):
            return None
        return str(article.text)

    _each(pages, output, text_of)


def _each(pages: Path, output: Path, text_of: Callable[[str], str | None]) -> None:
    """Write what a function of a page makes of each."""
    output.mkdir(parents=True, exist_ok=True)
    schema = pa.schema([("id", pa.string()), ("text", pa.string())])
    written = output / "pages.parquet"
    with pq.ParquetFile(pages) as file, pq.ParquetWriter(written, schema, compression="zstd") as writer:
        for batch in file.iter_batches(100, columns=["id", "text"]):
            texts = [text_of(page) for page in batch["text"].to_pylist()]
            writer.write_batch(pa.record_batch([batch["id"], pa.array(texts, pa.string())], schema=schema))


class Peer(NamedTuple):
    """A tool, and what it reads. Its distribution has its name."""

    run: Callable[[Path, Path], None]
    html: bool


PEERS = {
    "datatrove": Peer(datatrove, html=False),
    "trafilatura": Peer(trafilatura, html=True),
    "newspaper4k": Peer(newspaper4k, html=True),
    "resiliparse": Peer(resiliparse, html=True),
}


def installed(name: str) -> str | None:
    """The version of a peer, or None."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
