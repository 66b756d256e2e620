"""What a snapshot remembers of its pages, so that the next run cleans only what is new or changed.

It lies in the folder `.state` beside the datasets, named by the manifest with its digests:

- `pages.parquet`: a row a page of the snapshot (PAGES), in the source or gone from it.
- `inputs.parquet`: a row a file that these pages were read from (INPUTS).
- `part-00000.json` and so on: of each part, the rule-set and schema of its rows, and their figures.
- `versions-<rule-set>.json`: of each rule-set that a part names, what it says of which site (`copydesk.versions`).
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq

from copydesk.versions import Site, Versions
from flows.errors import RunError
from flows.figures import Figures
from flows.snapshots import STATE, Staging
from flows.snapshots.files import check_state, parts_of, read_manifest, state_of
from flows.snapshots.shelf import Fetch, nothing_to_fetch
from schemas import SCHEMA_VERSION

PAGES: Mapping[str, pl.DataType] = {
    "doc_id": pl.String(), "page_hash": pl.String(), "input": pl.UInt32(), "part": pl.UInt32(), "bytes": pl.Int64(),
}  # fmt: skip
"""`page_hash` is of all that the page's rows depend on, beside the rules; `input` a row number of INPUTS, `part` the
number of the part files that hold its rows; `bytes` what the page weighed when it was staged."""
INPUTS: Mapping[str, pl.DataType] = {
    "uri": pl.String(), "name": pl.String(), "read_as": pl.String(), "fingerprint": pl.String(),
    "pages": pl.Int64(), "current": pl.Boolean(), "passed_over": pl.String(),
}  # fmt: skip
"""`current` is false where only pages that are gone from the source were read from it; `passed_over` is JSON."""
_PAGES, _INPUTS = "pages.parquet", "inputs.parquet"
_NUMBER = re.compile(r"part-(\d+)")
_CURE = "run with --fresh to clean everything anew, or go back to an earlier snapshot"


@dataclasses.dataclass(frozen=True)
class PartState:
    """The rule-set and schema of the rows of one part, and their figures.

    A run by that rule-set would write the same rows, even where another one wrote them.
    """

    ruleset: str
    schema: str
    figures: Figures

    @property
    def fits(self) -> bool:
        """Whether its rows have the columns of today's."""
        return self.schema == SCHEMA_VERSION


@dataclasses.dataclass(frozen=True)
class State:
    """The state of one snapshot: frames of PAGES and INPUTS, its parts, the names of their files by dataset, and the
    versions that the parts name. `renamed` are parts whose rule-set is no longer the one that the snapshot names.
    """

    snapshot: Path | None
    pages: pl.DataFrame
    inputs: pl.DataFrame
    parts: dict[int, PartState]
    files: dict[int, list[tuple[str, str]]]
    fetch: Fetch = nothing_to_fetch
    versions: Mapping[str, Versions] = dataclasses.field(default_factory=dict)
    renamed: frozenset[int] = frozenset()

    def by(self, ruleset: str, parts: Collection[int]) -> State:
        """The same state, where some parts are said to be of another rule-set, by which they would be the same."""
        renamed = {n: dataclasses.replace(self.parts[n], ruleset=ruleset) for n in parts}
        return dataclasses.replace(self, parts=self.parts | renamed, renamed=frozenset(renamed))

    def paths(self, dataset: str, parts: Iterable[int] | None = None) -> list[Path]:
        """The files of one dataset, by part: of some parts, or of all."""
        if self.snapshot is None:
            return []
        numbers = sorted(self.files) if parts is None else parts
        found = [(d, name) for n in numbers for d, name in self.files.get(n, []) if d == dataset]
        self.fetch(self.snapshot, found)
        return [self.snapshot / d / name for d, name in found]

    @classmethod
    def none(cls) -> State:
        """The state before the first run."""
        return cls(None, pl.DataFrame(schema=dict(PAGES)), pl.DataFrame(schema=dict(INPUTS)), {}, {})


def read_state(snapshot: Path | None, fetch: Fetch = nothing_to_fetch) -> State:
    """The state of a snapshot; that before the first run, where there is none. Raises RunError where it is damaged."""
    manifest = read_manifest(snapshot) if snapshot else None
    if snapshot is None or not state_of(manifest):
        return State.none()
    fetch(snapshot, [(STATE, name) for name in state_of(manifest)])
    if wrong := check_state(snapshot, manifest):
        raise RunError(f"{wrong[0]} in snapshot {snapshot.name}; {_CURE}")
    folder = snapshot / STATE
    parts = {}
    for path in sorted(folder.glob("part-*.json")):
        said = json.loads(path.read_text(encoding="utf-8", errors="surrogatepass"))
        parts[number_of(path.name)] = PartState(said["ruleset"], said["schema"], said["figures"])
    files: dict[int, list[tuple[str, str]]] = {}
    for dataset, name in parts_of(manifest):
        files.setdefault(number_of(name), []).append((dataset, name))
    pages, inputs = pl.read_parquet(folder / _PAGES), pl.read_parquet(folder / _INPUTS)
    versions = {known.ruleset: known for known in map(_read_versions, folder.glob("versions-*.json"))}
    return State(snapshot, pages, inputs, parts, files, fetch, versions)


def _read_versions(path: Path) -> Versions:
    said = json.loads(path.read_text(encoding="utf-8"))
    sites = {site: Site(known["version"], tuple(known["signs"])) for site, known in said["sites"].items()}
    return Versions(said["ruleset"], said["base"], sites)


def write_state(
    staging: Staging,
    before: State,
    pages: pl.DataFrame,
    inputs: pl.DataFrame,
    parts: Mapping[int, PartState],
    versions: Versions,
) -> None:
    """Write the state of a new snapshot; what is as it was `before` is kept. `parts` are those that were written,
    `versions` those of the run."""
    folder = staging.dataset(STATE)
    pages = pages.select(*PAGES).sort("doc_id", "page_hash", "input", "part")
    for name, frame, old in ((_PAGES, pages, before.pages), (_INPUTS, inputs.select(*INPUTS), before.inputs)):
        if before.snapshot and frame.equals(old):
            staging.keep(STATE, name)
        else:
            pq.write_table(frame.to_arrow(), folder / name, compression="zstd")  # Polars' own says no OSError
    kept = set(pages["part"].to_list()) - set(parts)
    written = {**parts, **{n: before.parts[n] for n in kept & before.renamed}}
    for number in sorted(kept - set(written)):
        staging.keep(STATE, _figures_name(number))
    for number, part in written.items():
        text = json.dumps(dataclasses.asdict(part), ensure_ascii=False)
        (folder / _figures_name(number)).write_text(text, encoding="utf-8", errors="surrogatepass")
    for name in {before.parts[n].ruleset for n in kept} | {part.ruleset for part in parts.values()}:
        if name in before.versions:
            staging.keep(STATE, _versions_name(name))
        elif name == versions.ruleset:
            text = json.dumps(dataclasses.asdict(versions), ensure_ascii=False)
            (folder / _versions_name(name)).write_text(text, encoding="utf-8")


def number_of(name: str) -> int:
    """The number in the name of a part file."""
    found = _NUMBER.match(name)
    if not found:
        raise RunError(f"{name} is no part file of copydesk; {_CURE}")
    return int(found[1])


def _figures_name(number: int) -> str:
    return f"part-{number:05}.json"


def _versions_name(ruleset: str) -> str:
    return f"versions-{ruleset}.json"
