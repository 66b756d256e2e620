"""Reading pages from a text file, a folder, JSON lines or Parquet into page frames, in bounded memory.

    for pages in open_source("pages.parquet", ReadOptions(text_column="body")).batches():
        ...

What is wrong with a page never stops the reading: the page is yielded with its problems. What is wrong with
the request is a UsageError before anything is read.
"""

from flows.readers.frame import PAGE_SCHEMA, ReadOptions, content_hash
from flows.readers.listing import Skipped
from flows.readers.source import Source, open_source

__all__ = ["PAGE_SCHEMA", "ReadOptions", "Skipped", "Source", "content_hash", "open_source"]
