"""Which pages of a snapshot a changed profile or site memory may touch: all others keep their rows."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import polars as pl

from flows.parts import read_part
from flows.state import State
from schemas import ARTICLES, LEDGER, QUARANTINE

_NONE = pl.DataFrame(schema={"doc_id": pl.String})


def touched(state: State, parts: Collection[int], signs: Iterable[str]) -> pl.DataFrame:
    """The ids (`doc_id`) of those pages of some parts on which one of the signs stands, and of all in quarantine.

    A page is taken for a site's by a domain in its address or in an e-mail address, or by a masthead that is a line of
    it; so one that bears no sign of a site is not the site's, by its old profile or by its new one. Raises RunError
    where a part cannot be read.
    """
    wanted = sorted(signs)
    if not wanted:
        return _NONE

    def bears(*columns: str) -> pl.Expr:
        return pl.any_horizontal(
            pl.col(c).str.contains_any(wanted, ascii_case_insensitive=True).fill_null(value=False) for c in columns
        )

    found = [read_part(path, QUARANTINE, ["doc_id"]) for path in state.paths(QUARANTINE.name, parts)]
    for dataset, columns in ((ARTICLES, ("url", "body")), (LEDGER, ("text",))):
        found += [
            read_part(path, dataset, ["doc_id", *columns]).filter(bears(*columns)).select("doc_id")
            for path in state.paths(dataset.name, parts)
        ]
    return pl.concat([_NONE, *found]).unique()
