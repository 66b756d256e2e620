"""The versions that rows carry: of the rules, and of what profiles and site memory say of a page's own site.

So a profile that is edited, or a memory that is learnt anew, changes the rows of its own sites' pages and no others.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
from collections.abc import Mapping

import polars as pl

from copydesk.publishers import ProfileBook


@dataclasses.dataclass(frozen=True)
class Site:
    """What profiles and site memory say of one site: its version, and its signs.

    A page is taken for the site's only where a sign stands in its address or its text: a domain or a masthead.
    """

    version: str
    signs: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Versions:
    """`ruleset` names all that decides rows, `base` the part of it that decides every row: the code, its tables, the
    rules and the line model. `sites` are those that a profile or the memory speaks of."""

    ruleset: str
    base: str
    sites: Mapping[str, Site] = dataclasses.field(default_factory=dict)

    @functools.cached_property
    def of_rows(self) -> pl.DataFrame:
        """`site` and `ruleset`: what stands in the rows of the sites; `base` stands in all others."""
        rows = [(site, f"{self.base}-{known.version}") for site, known in self.sites.items()]
        return pl.DataFrame(rows, schema={"site": pl.String, "ruleset": pl.String}, orient="row")

    def changed(self, other: Versions) -> dict[str, set[str]]:
        """The sites of which two versions with the same base say different things, each with its signs in both."""
        sites = {
            site: (self.sites.get(site), other.sites.get(site)) for site in sorted({*self.sites, *other.sites})
        }
        return {
            site: {sign for known in both if known for sign in known.signs}
            for site, both in sites.items()
            if both[0] != both[1]
        }


def site_versions(profiles: ProfileBook, known: pl.DataFrame) -> dict[str, Site]:
    """The sites that profiles or a memory speak of; `known` is `memory.known_furniture` of both."""
    signs = {p.site: p.signs for p in profiles.profiles if p.signs}
    rows = profiles.table.drop("profile").iter_rows(named=True)
    facts = {row["site"]: row for row in rows if row["site"] in signs}
    lines = known.select("site", "key", "known_role", "known_rule", "known_confidence").sort("site", "key")
    said = {str(site): found.rows() for (site,), found in lines.group_by(["site"], maintain_order=True)}
    return {
        site: Site(_digest([facts.get(site), signs.get(site), said.get(site)]), signs.get(site, (site,)))
        for site in sorted({*signs, *said})
    }


def _digest(said: object) -> str:
    return hashlib.sha256(json.dumps(said, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:12]
