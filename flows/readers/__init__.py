"""Reading pages from files, folders, tables and crawl archives, packed or not, here or elsewhere, into page frames.

    for pages in open_source("pages.parquet", ReadOptions(text_column="body")).batches():
        ...

Memory is bounded by the size of a batch, not of the source. What is wrong with a page never stops the reading: the page
is yielded with its problems. What is wrong with the request is a UsageError before anything is read.
"""

from flows.readers.found import Skipped
from flows.readers.frame import PAGE_SCHEMA, ReadOptions, content_hash
from flows.readers.source import Source, open_source

__all__ = ["PAGE_SCHEMA", "ReadOptions", "Skipped", "Source", "content_hash", "open_source"]
