"""Telling pages by their digests, and those that an earlier run has read already from those that are new."""

from __future__ import annotations

import polars as pl

from copydesk.cleaning import digests

__all__ = ["KnownPages", "page_hashes"]


class KnownPages:
    """The digests (`page_hashes`) of pages that were read before."""

    def __init__(self, hashes: pl.Series) -> None:
        self._hashes = hashes.unique().sort()

    def have(self, hashes: pl.Series) -> pl.Series:
        """Of each digest, whether it is that of a known page."""
        if self._hashes.is_empty():
            return pl.Series([False], dtype=pl.Boolean).new_from_index(0, len(hashes))
        places = self._hashes.search_sorted(hashes).clip(upper_bound=len(self._hashes) - 1)
        return self._hashes.gather(places) == hashes


def page_hashes(pages: pl.DataFrame) -> pl.Series:
    """Of each page frame row, the digest of all that its rows depend on, beside the rules.

    Its text or HTML follows from its bytes and their encoding. Lengths keep what stands side by side apart.
    """
    told = [
        part
        for column in ("doc_id", "source", "url", "encoding")
        for part in (pl.col(column).str.len_bytes().cast(pl.String).fill_null("-"), pl.col(column).fill_null(""))
    ]
    form = pl.when(pl.col("html").is_not_null()).then(pl.lit("h")).when(pl.col("text").is_not_null()).then(pl.lit("t"))
    problems = pl.col("problems").list.eval(pl.element().struct.json_encode()).list.join(" ").fill_null("")
    fetched = pl.col("fetched_at").dt.epoch("us").cast(pl.String).fill_null("-")
    whole = pl.concat_str("content_hash", form.otherwise(pl.lit("-")), fetched, *told, problems, separator="|")
    return digests(pages.select(whole).to_series())
