"""What of a source is new, changed, unchanged or gone since the last snapshot.

Inputs whose bytes are as they were are not read. Of the others every page is told by its hash; what the snapshot knows
is left out, in tables before its text is looked at, and the rest is yielded to be cleaned. Pages that share an id
decide together what becomes of them (`shards.admit`), so an id is unchanged only where all its pages are, and otherwise
all of them are cleaned. Where only profiles or the site memory changed, only the pages that they may touch are.
"""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

import polars as pl

from copydesk.versions import Versions
from flows.contracts import NAMED
from flows.errors import RunError
from flows.progress import tell
from flows.readers import PAGE_SCHEMA, Source
from flows.readers.known import KnownPages, page_hashes
from flows.staging import weight_of
from flows.state import INPUTS, State
from flows.touched import touched
from schemas import SCHEMA_VERSION
from schemas.runs import REFRESHED

_SEEN = {"doc_id": pl.String, "page_hash": pl.String, "input": pl.UInt32, "bytes": pl.Int64, "staged": pl.Boolean}


@dataclasses.dataclass(frozen=True)
class Plan:
    """What a run makes of a snapshot.

    `pages` and `inputs` are the next snapshot's (`state.PAGES`, `state.INPUTS`); `part` is null for pages that are
    cleaned in this run. The rows of the ids in `dropped` leave the parts they stand in. `counts` has REFRESHED, in
    pages: all but the pruned add up to `pages`. `anew` pages are cleaned only because other rules cleaned them before;
    `was` names these, or `sites` those of which profiles or site memory now say something else, where that is all.
    `left` counts pages that keep their rows by them, as nobody has the pages any more. After the run the rows of the
    parts `same` are those that its rules make, though others made them.
    """

    pages: pl.DataFrame
    inputs: pl.DataFrame
    dropped: pl.DataFrame
    counts: dict[str, int]
    anew: int = 0
    was: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()
    left: int = 0
    same: tuple[int, ...] = ()

    def to_clean(self) -> pl.DataFrame:
        """The pages that are cleaned in this run."""
        return self.pages.filter(pl.col("part").is_null())

    def announced(self, ruleset: str) -> str | None:
        """What is cleaned anew because of other rules, for people, before it is done; None where nothing is."""
        if not self.anew:
            return None
        keep = f"; {self.left:,} that left the source keep their rows" if self.left else ""
        one = self.anew == 1
        if self.sites:
            more = f" and {len(self.sites) - NAMED:,} more" if len(self.sites) > NAMED else ""
            named = f"{', '.join(self.sites[:NAMED])}{more}"
            return (
                f"What profiles or site memory say of {named} changed: {self.anew:,} "
                f"{'page that they may touch is' if one else 'pages that they may touch are'} cleaned anew{keep}."
            )
        now = f"{ruleset} (schema {SCHEMA_VERSION})"
        pages = f"{self.anew:,} {'page is' if one else 'pages are'}"
        return f"The rule-set changed ({', '.join(self.was)} -> {now}): {pages} cleaned anew{keep}."


class _Fresh(NamedTuple):
    """What of the last snapshot still holds with these rules: its `pages`; the others are `stale`. The rows of these
    pages stand in parts of other versions that have their base: `alike`, which differ in what they say of `sites`."""

    pages: pl.DataFrame
    stale: pl.DataFrame
    alike: frozenset[int]
    sites: tuple[str, ...]


class Refresh:
    """One reading of a source beside the state of the last snapshot.

    `fresh` trusts nothing of that state and drops what is not in the source, `prune` does only the latter. `whole`
    yields every page, for a run that must see them all before it knows its rules.
    """

    def __init__(
        self, source: Source, state: State, *, fresh: bool = False, prune: bool = False, whole: bool = False
    ) -> None:
        self.source = source
        self._state = state
        self._trusted = not fresh
        self._prune = prune or fresh
        self._whole = whole
        self._prints: list[str | None] = []
        self._same: dict[int, int] = {}
        self._seen = pl.DataFrame(schema=_SEEN)
        self._plans: dict[str, Plan] = {}
        self._held: dict[str, _Fresh] = {}

    @property
    def bytes_in(self) -> int:
        """The bytes of the source as stored, 0 where nobody knows."""
        return self.source.total_bytes

    def describe(self) -> str:
        """What is read, for people."""
        return self.source.describe()

    def left_out(self) -> list[str]:
        """What in the source is not read, for people."""
        return [*self.source.left_out(), *(f"{s.name} ({s.why})" for s in self.source.skipped)]

    def batches(self, versions: Versions) -> Iterator[pl.DataFrame]:
        """The pages that are to be cleaned, as page frames; with `whole`, all. May be called again to begin anew."""
        self._look_at_inputs()
        self._plans.clear()
        fresh_pages = self._state.pages.clear() if self._whole else self._fresh(versions).pages
        self._same = {} if self._whole else self._unread(fresh_pages)
        over = self._state.inputs["passed_over"]
        self.source.passed_over.update({number: Counter(json.loads(over[row])) for number, row in self._same.items()})
        seen = []
        known = KnownPages(fresh_pages["page_hash"])
        inputs = self._state.inputs.with_row_index("input").filter(pl.col("read_as") == self.source.read_as)
        alike = KnownPages(fresh_pages.join(inputs, on="input", how="semi")["page_hash"])
        for batch in self._read([n for n in range(len(self.source.inputs)) if n not in self._same], alike):
            marked = batch.with_columns(staged=~known.have(batch["page_hash"]))
            seen.append(marked.select(*_SEEN))
            if len(wanted := marked.filter("staged")):
                yield wanted.select(*PAGE_SCHEMA)
        self._seen = pl.concat(seen) if seen else pl.DataFrame(schema=_SEEN)
        yield from self._read_again(versions)

    def _look_at_inputs(self) -> None:
        """Take the fingerprint of every input, once."""
        if not self._prints:
            total, done = self.source.total_bytes, 0
            for found in self.source.inputs:
                tell("check", done, total)
                self._prints.append(found.fingerprint())
                done += found.bytes or 0
            tell("check", total, total)

    def _read(self, numbers: list[int], known: KnownPages | None = None) -> Iterator[pl.DataFrame]:
        """Page frames with `input`, `page_hash` and `bytes`."""
        for batch in self.source.pages(numbers, known):
            tell("read", self.source.bytes_read, self.source.total_bytes)
            yield batch.with_columns(page_hash=page_hashes(batch), bytes=weight_of())

    def _fresh(self, versions: Versions) -> _Fresh:
        if versions.ruleset not in self._held:
            self._held[versions.ruleset] = self._found_fresh(versions)
        return self._held[versions.ruleset]

    def _found_fresh(self, now: Versions) -> _Fresh:
        pages = self._state.pages
        parts = {n: part for n, part in self._state.parts.items() if self._trusted and part.fits}
        same = [n for n, part in parts.items() if part.ruleset == now.ruleset]
        sites: dict[str, set[str]] = {}
        alike, moved = set[int](), pages.select("doc_id").clear()
        for was in self._state.versions.values():
            made = {n for n, part in parts.items() if part.ruleset == was.ruleset}
            if made and was.ruleset != now.ruleset and was.base == now.base:
                changed = was.changed(now)
                sites |= changed
                alike |= made
                moved = moved.vstack(touched(self._state, sorted(made), set().union(*changed.values())))
        fresh = pl.concat([
            pages.filter(pl.col("part").is_in(same)),
            pages.filter(pl.col("part").is_in(sorted(alike))).join(moved, on="doc_id", how="anti"),
        ])
        stale = pages.join(fresh.select("doc_id").unique(), on="doc_id", how="anti")
        elsewhere = stale.filter(~pl.col("part").is_in(sorted(alike)))
        return _Fresh(fresh, stale, frozenset(alike), () if len(elsewhere) else tuple(sorted(sites)))

    def _unread(self, fresh: pl.DataFrame) -> dict[int, int]:
        """Inputs that need not be read, with the row of the state that says what is in them.

        They are as they were, and all their pages stand in the snapshot, cleaned by these rules.
        """
        before = self._state.inputs.with_row_index("row")
        there = fresh.group_by("input").agg(there=pl.len())
        whole = (
            before.join(there, left_on="row", right_on="input", how="left")
            .filter(pl.col("there").fill_null(0) == pl.col("pages"), pl.col("fingerprint").is_not_null())
            .filter(pl.lit(value=bool(len(fresh))))
        )
        rows = {(u, n, r, p): row for row, u, n, r, p in
                whole.select("row", "uri", "name", "read_as", "fingerprint").iter_rows()}  # fmt: skip
        found = {
            number: rows.get((found.uri, found.name, self.source.read_as, self._prints[number] or ""))
            for number, found in enumerate(self.source.inputs)
        }
        return {number: row for number, row in found.items() if row is not None}

    def _current(self) -> pl.DataFrame:
        """The pages that are in the source now: those read, and those of inputs that were not."""
        renumbered = pl.DataFrame(
            {"input": list(self._same.values()), "now": list(self._same)}, schema={"input": pl.UInt32, "now": pl.UInt32}
        )
        unread = self._state.pages.join(renumbered, on="input").with_columns(input="now", staged=pl.lit(value=False))
        return pl.concat([self._seen, unread.select(*_SEEN)])

    def _read_again(self, versions: Versions) -> Iterator[pl.DataFrame]:
        """Pages that were taken for known, or not read, though another page of their id is new, changed or gone."""
        if self._whole:
            return
        now = self._current()
        wanted_ids = self.plan(versions).to_clean().select("doc_id").unique()
        missing = now.filter(~pl.col("staged")).join(wanted_ids, on="doc_id", how="semi")
        found = 0
        for batch in self._read(sorted(missing["input"].unique())) if len(missing) else ():
            wanted = batch.join(missing.unique(["input", "page_hash"]), on=["input", "page_hash"], how="semi")
            found += len(wanted)
            if len(wanted):
                yield wanted.select(*PAGE_SCHEMA)
        if found != len(missing):
            raise RunError(f"{self.source.name} changed while it was read; run it again; nothing was published")

    def plan(self, versions: Versions) -> Plan:
        """What the run does, once `batches` has come to its end."""
        if versions.ruleset not in self._plans:
            self._plans[versions.ruleset] = self._planned(versions)
        return self._plans[versions.ruleset]

    def _planned(self, versions: Versions) -> Plan:
        now, before, fresh = self._current(), self._state.pages, self._fresh(versions)
        stale = fresh.stale
        signs = [before.select("page_hash", "doc_id", n=pl.lit(-1)), now.select("page_hash", "doc_id", n=pl.lit(1))]
        moved = pl.concat(signs).group_by("page_hash", "doc_id").agg(pl.col("n").sum()).filter(pl.col("n") != 0)
        differ = pl.concat([moved.select("doc_id"), stale.select("doc_id")]).unique()
        again, settled = (now.join(differ, on="doc_id", how=how) for how in ("semi", "anti"))
        changed, new = (again.join(before, on="doc_id", how=how) for how in ("semi", "anti"))
        gone = before.join(now, on="doc_id", how="anti")
        kept, pruned = (gone.clear(), gone) if self._prune else (gone, gone.clear())
        anew = stale.join(now, on="doc_id", how="semi").join(moved, on="doc_id", how="anti")
        inputs, kept = self._inputs_after(now, kept)
        left = stale.join(kept, on="doc_id", how="semi")
        home = before.select("doc_id", "part").unique("doc_id")
        pages = [
            settled.join(home, on="doc_id", how="left"),
            again.with_columns(part=pl.lit(None, pl.UInt32)),
            kept,
        ]
        return Plan(
            pages=pl.concat([p.select(before.columns) for p in pages]),
            inputs=inputs,
            dropped=pl.concat([changed.select("doc_id"), pruned.select("doc_id")]).unique(),
            counts=dict(zip(REFRESHED, map(len, (new, changed, settled, kept, pruned)), strict=True)),
            anew=len(anew) if self._trusted else 0,
            was=tuple(sorted({self._made(n) for n in anew["part"].unique()})),
            sites=fresh.sites,
            left=len(left),
            same=tuple(sorted(fresh.alike - set(left["part"].to_list()))),
        )

    def _made(self, part: int) -> str:
        made = self._state.parts[part]
        return f"{made.ruleset} (schema {made.schema})"

    def _inputs_after(self, now: pl.DataFrame, kept: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        """The inputs of the next snapshot, and `kept` (pages that are gone) with their numbers among them."""
        counts = dict(now.group_by("input").len().iter_rows())
        found, over = self.source.inputs, self.source.passed_over
        columns = {
            "uri": [f.uri for f in found], "name": [f.name for f in found],
            "read_as": [self.source.read_as] * len(found), "fingerprint": self._prints,
            "pages": [counts.get(n, 0) for n in range(len(found))], "current": [True] * len(found),
            "passed_over": [json.dumps(some, sort_keys=True) if (some := over.get(n)) else "{}"
                            for n in range(len(found))],
        }  # fmt: skip
        inputs = pl.DataFrame(columns, schema=dict(INPUTS))
        left = kept.select("input").unique().sort("input").with_row_index("now", offset=len(inputs))
        old = self._state.inputs.with_row_index("input").join(left, on="input", maintain_order="right")
        old = old.with_columns(current=pl.lit(value=False)).select(*INPUTS)
        return pl.concat([inputs, old]), kept.join(left, on="input").with_columns(input="now").select(kept.columns)
