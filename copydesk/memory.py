"""Site memory: the lines that recur on a site's pages, kept in a file that a person can read and an input of a run.

`learning.py` makes the file; here it is read, and its lines are found again on pages.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from copydesk.lines import KEY_LENGTH
from copydesk.publishers import ProfileBook
from copydesk.roles import FURNITURE
from copydesk.rules import RuleError, line_key, parse_toml

FORMAT = 1
STATUSES = ("learnt", "accepted", "rejected")
"""Of a line: as counted; a person says it is furniture; a person says it is not."""
ENTRY: dict[str, Any] = {
    "site": pl.String, "line": pl.String, "pages": pl.Int64, "of": pl.Int64, "kept": pl.Int64, "role": pl.String,
    "status": pl.String,
}  # fmt: skip
"""A line of a site: on how many of the site's pages it stands, of how many, on how many of these it
stays in the article without a memory, and the role it gets."""
KNOWN: dict[str, Any] = {
    "site": pl.String, "key": pl.String, "known_role": pl.String, "known_rule": pl.String,
    "known_confidence": pl.Float32, "in_memory": pl.Boolean,
}  # fmt: skip

HEAD = """\
# Site memory of copydesk: lines that stand on many pages of a site, and so are no part of its articles.
#
# pages: distinct articles of the site that the line stands on, of all that were read (`pages` of the site).
# kept:  on how many of them it would stay in the article without a memory: what this memory changes.
# Yours to edit: `role`, and `status`, which is learnt, accepted (a person agrees: certain, and proposed for a profile
# whatever the counts say) or rejected (never used). Learning again into this file keeps what you accepted and rejected.
"""


@dataclasses.dataclass(frozen=True)
class Memory:
    """A site memory: its entries (ENTRY), the pages read of each site, and the version that names exactly them."""

    file: str
    version: str
    entries: pl.DataFrame
    pages: Mapping[str, int]

    @functools.cached_property
    def usual(self) -> dict[str, float]:
        """How many of a site's lines that are in use stood on a page, on average, when they were learnt."""
        used = self.entries.filter(pl.col("status") != "rejected", pl.col("of") > 0)
        return dict(used.group_by("site").agg(pl.col("pages").sum() / pl.col("of").first()).iter_rows())


def memory_key(text: pl.Expr) -> pl.Expr:
    """What a line is remembered by: the key that rules see, or all of a line that is longer than that."""
    return pl.when(text.str.len_chars() <= KEY_LENGTH).then(line_key(text)).otherwise(text)


def known_furniture(profiles: ProfileBook, memory: Memory | None) -> pl.DataFrame:
    """The table KNOWN: what profiles say and, where they say nothing, what the memory holds.

    A person's word is certain; a line that was only counted is as sure as n / (n + 1), n the pages it stands on.
    """
    by_hand = profiles.furniture.select(
        "site", key=memory_key(pl.col("line")), known_role="role", known_rule=pl.lit("publisher_furniture"),
        known_confidence=pl.lit(1.0),
    )  # fmt: skip
    entries = memory.entries if memory else pl.DataFrame(schema=ENTRY)
    learnt = entries.filter(pl.col("status") != "rejected").select(
        "site", key=memory_key(pl.col("line")), known_role="role", known_rule=pl.lit("site_memory"),
        known_confidence=pl.when(pl.col("status") == "accepted").then(1.0)
        .otherwise(pl.col("pages") / (pl.col("pages") + 1)),
    )  # fmt: skip
    known = pl.concat([by_hand, learnt]).with_columns(
        in_memory=(pl.col("known_rule") == "site_memory").any().over("site", "key")
    )
    return known.unique(["site", "key"], keep="first", maintain_order=True).select(
        pl.col(n).cast(t) for n, t in KNOWN.items()
    )


def mark_known(lines: pl.DataFrame, sites: pl.DataFrame, known: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Mark the lines that are known as furniture of their page's site.

    `lines` are those of `mark_lines`, `sites` is from `find_sites`, `known` from `known_furniture`. Returns the lines
    with `known_rule`, `known_role` and `known_confidence` (null where the line is not known), and `page` with
    `remembered`: how many different lines of the memory stand on it.
    """
    marks = ("known_rule", "known_role", "known_confidence")
    here = sites.select("page", "site").join(known.select("site").unique(), on="site")
    if not len(here):
        blank = [pl.lit(None, KNOWN[name]).alias(name) for name in marks]
        return lines.with_columns(blank), pl.DataFrame(schema={"page": pl.UInt32, "remembered": pl.UInt32})
    asked = lines.select("page", "line", "text_id", "text").join(here, on="page")
    keys = asked.unique("text_id").select("text_id", key=memory_key(pl.col("text")))
    found = asked.join(keys, on="text_id").join(known, on=["site", "key"])
    remembered = found.filter("in_memory").group_by("page").agg(remembered=pl.col("key").n_unique())
    return lines.join(found.select("line", *marks), on="line", how="left", maintain_order="left"), remembered


def load_memory(path: Path) -> Memory:
    """Read a memory file strictly. Raises RuleError, which names the file and the cure, and OSError."""
    return _read_memory(path.name, path.read_bytes())


@functools.lru_cache(maxsize=2)
def _read_memory(file: str, source: bytes) -> Memory:
    table = parse_toml(file, source)
    if table.get("format") != FORMAT or set(table) - {"format", "site"} or not isinstance(table.get("site", []), list):
        raise RuleError(
            f"{file}: not a site memory of format {FORMAT} (`format = {FORMAT}`, then `[[site]]` tables): "
            "make one with `copydesk learn`"
        )
    rows: list[tuple[Any, ...]] = []
    pages: dict[str, int] = {}
    for number, site in enumerate(table.get("site", []), 1):
        name = site.get("name") if isinstance(site, dict) else None
        label = f"{file}: site {name or f'number {number}'!r}"
        if not (
            name and isinstance(name, str) and set(site) == {"name", "pages", "lines"}
            and _count(site["pages"]) and isinstance(site["lines"], list)
        ):  # fmt: skip
            raise RuleError(f"{label}: a site has `name`, `pages` and `lines`: mend it, or learn anew")
        if name in pages:
            raise RuleError(f"{label} stands twice: drop one of them")
        pages[name] = site["pages"]
        rows += [_read_entry(label, name, site["pages"], entry) for entry in site["lines"]]
    entries = pl.DataFrame(rows, schema=ENTRY, orient="row")
    twice = entries.filter(pl.struct("site", memory_key(pl.col("line")).alias("key")).is_duplicated())
    if len(twice):
        raise RuleError(f"{file}: site {twice['site'][0]!r}, line {twice['line'][0]!r} stands twice: drop one of them")
    return Memory(file, hashlib.sha256(source).hexdigest()[:12], entries, pages)


def _read_entry(label: str, site: str, of: int, entry: Any) -> tuple[Any, ...]:
    line = entry.get("line") if isinstance(entry, dict) else None
    label = f"{label}, line {line!r:.80}"
    wanted = {"line", "pages", "kept", "role", "status"}
    if not isinstance(entry, dict) or set(entry) != wanted or not (isinstance(line, str) and line.strip()):
        raise RuleError(f"{label}: a line has {sorted(wanted)} and nothing else: mend it, or learn anew")
    if not (_count(entry["pages"]) and _count(entry["kept"]) and entry["kept"] <= entry["pages"] <= of):
        raise RuleError(f"{label}: kept is at most pages, and pages at most the site's {of}: mend it, or learn anew")
    if entry["role"] not in FURNITURE:
        raise RuleError(f"{label}: role {entry['role']!r} is none of {sorted(FURNITURE)}")
    if entry["status"] not in STATUSES:
        raise RuleError(f"{label}: status {entry['status']!r} is none of {list(STATUSES)}")
    return site, line, entry["pages"], of, entry["kept"], entry["role"], entry["status"]


def _count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def write_memory(entries: pl.DataFrame, pages: Mapping[str, int]) -> str:
    """The memory as TOML: sites by name, and the lines of each by what they change, how often they stand, and text."""
    parts = [HEAD, f"format = {FORMAT}\n"]
    order = entries.sort("site", "kept", "pages", "line", descending=[False, True, True, False])
    for (site,), lines in order.group_by(["site"], maintain_order=True):
        parts.append(f"\n[[site]]\nname = {quoted(str(site))}\npages = {pages[str(site)]}\nlines = [\n")
        parts += [
            f'  {{ pages = {row["pages"]}, kept = {row["kept"]}, role = "{row["role"]}", '
            f'status = "{row["status"]}", line = {quoted(row["line"])} }},\n'
            for row in lines.iter_rows(named=True)
        ]
        parts.append("]\n")
    return "".join(parts)


def quoted(text: str) -> str:
    r"""A TOML string in which nothing is invisible.

    >>> print(quoted('say "so"\u200b'))
    "say \"so\"\u200b"
    """

    def seen(c: str) -> str:
        if c.isprintable():
            return c
        return f"\\U{ord(c):08x}" if ord(c) > 0xFFFF else f"\\u{ord(c):04x}"

    return "".join(map(seen, json.dumps(text, ensure_ascii=False)))
