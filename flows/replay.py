"""`copydesk replay`: the quarantined pages of the current snapshot as a source, to be cleaned again."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from copydesk.versions import Versions
from flows.errors import RunError
from flows.parts import read_part
from flows.progress import tell
from flows.readers import PAGE_SCHEMA
from flows.readers.frame import READ_CHECKS
from flows.refresh import Plan
from flows.state import State
from schemas import ARTICLES, QUARANTINE
from schemas.runs import REFRESHED


class Replay:
    """The pages of the quarantine beside the state of their snapshot; read as a `Refresh` is.

    Pages whose id stands in articles as well (a copy of a page that was let in) stay as they are.
    """

    def __init__(self, state: State) -> None:
        self._state = state
        self._files = state.paths(QUARANTINE.name)
        self._ids = pl.DataFrame(schema={"doc_id": pl.String})

    @property
    def bytes_in(self) -> int:
        """The bytes of the quarantine."""
        return sum(path.stat().st_size for path in self._files)

    def describe(self) -> str:
        """What is read, for people."""
        return "the quarantine"

    def left_out(self) -> list[str]:
        """Nothing is."""
        return []

    def batches(self, _: Versions) -> Iterator[pl.DataFrame]:
        """The pages as page frames."""
        articles = [read_part(path, ARTICLES, ["doc_id"]) for path in self._state.paths(ARTICLES.name)]
        admitted = pl.concat(articles) if articles else self._ids
        ids = []
        for number, path in enumerate(self._files):
            tell("read", number, len(self._files))
            rows = read_part(path, QUARANTINE).join(admitted, on="doc_id", how="anti", maintain_order="left")
            ids.append(rows.select("doc_id"))
            if len(rows):
                yield pages_of(rows)
        if ids:
            waiting = pl.concat(ids)
            self._ids = waiting.unique()
            if len(waiting) != len(self._state.pages.join(self._ids, on="doc_id", how="semi")):
                raise RunError("the quarantine is not what the snapshot says it is; copydesk verify says where")

    def plan(self, _: Versions) -> Plan:
        """What the run does, once `batches` has come to its end."""
        before = self._state.pages
        again = before.join(self._ids, on="doc_id", how="semi").with_columns(part=pl.lit(None, pl.UInt32))
        rest = before.join(self._ids, on="doc_id", how="anti")
        here = self._state.inputs.with_row_index("input").filter("current").select("input")
        settled = len(rest.join(here, on="input", how="semi"))
        counts = dict(zip(REFRESHED, (0, len(again), settled, len(rest) - settled, 0), strict=True))
        return Plan(pl.concat([again.select(before.columns), rest]), self._state.inputs, self._ids, counts)


def pages_of(quarantine: pl.DataFrame) -> pl.DataFrame:
    """The pages that became these rows of the quarantine, as they were read."""
    return quarantine.with_columns(
        # what was rendered of HTML is made anew, as is all that was found out after reading
        text=pl.when(pl.col("html").is_null()).then("text"),
        problems=pl.col("reasons").list.filter(pl.element().struct.field("check").is_in(READ_CHECKS)),
    ).select(pl.col(name).cast(kind) for name, kind in PAGE_SCHEMA.items())
