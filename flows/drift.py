"""How a run differs from the last ones, publisher by publisher, and whether a site has been rebuilt."""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import polars as pl

from copydesk.memory import Memory
from flows.wording import ratio, share

Tally = Mapping[str, Any]
"""The counts of one publisher, or of a whole run, as in `runs.by_publisher`."""


def _without(field: str) -> Callable[[Tally], float | None]:
    return lambda tally: ratio(tally["articles"] - tally[f"with_{field}"], tally["articles"])


SHARES: dict[str, tuple[str, Callable[[Tally], float | None]]] = {
    "quarantined": ("quarantined", lambda tally: ratio(tally["quarantined"], tally["pages"])),
    "without_headline": ("without a headline", _without("headline")),
    "without_date": ("without a date", _without("day")),
    "without_byline": ("without a byline", _without("byline")),
    "cut": ("cut", lambda tally: ratio(tally["characters_furniture"], tally["characters_in"])),
}
"""The shares that are followed from run to run: how each is said, and how it is counted."""
_COUNTS = (
    "pages", "articles", "quarantined", "with_headline", "with_byline", "with_day", "characters_in",
    "characters_furniture",
)  # fmt: skip


_READ = ("pages_new", "pages_changed", "pages_unchanged")


@dataclasses.dataclass(frozen=True)
class Delivered:
    """What a run came to, for comparing it with the runs before: the snapshot's `publishers`, the `counts` of pages by
    what became of them (`schemas.runs.REFRESHED`), and the dataset `runs` before it.
    """

    publishers: Sequence[Tally]
    counts: Mapping[str, int]
    past: pl.DataFrame

    @property
    def pages(self) -> int:
        """Pages that the source brought, new to the output or not."""
        return sum(self.counts[name] for name in _READ)


@dataclasses.dataclass(frozen=True)
class Usual:
    """The medians of the last runs: pages that the source brought, shares of all, and of each publisher its articles
    and shares, what its articles grew by from run to run, and how many there were in the `last` run.

    A publisher's articles count as 0 in a run without it.
    """

    runs: int
    pages: float
    shares: Mapping[str, float]
    publishers: Mapping[str, tuple[float, Mapping[str, float]]]
    growth: Mapping[str, float]
    last: Mapping[str, int]


def whole_run(publishers: Iterable[Tally]) -> Tally:
    """The counts of all publishers together."""
    rows = list(publishers)
    return {name: sum(row[name] for row in rows) for name in _COUNTS}


def usual_of(past: pl.DataFrame | None, runs: int, fewest: int) -> Usual | None:
    """What is usual in the last `runs` rows of the dataset `runs`; None where there are fewer than `fewest`."""
    if past is None or len(past) < max(fewest, 1):
        return None
    last = past.sort("started_at", "run_id").tail(runs)
    tallies: list[list[Tally]] = last["by_publisher"].to_list()
    wholes = [whole_run(rows) for rows in tallies]
    by_name: dict[str, list[Tally]] = {}
    for row in (row for rows in tallies for row in rows if row["publisher"] is not None):
        by_name.setdefault(row["publisher"], []).append(row)
    publishers = {}
    for name, rows in by_name.items():
        articles = [row["articles"] for row in rows] + [0] * (len(last) - len(rows))
        publishers[name] = (statistics.median(articles), _medians(rows))
    pages = last.select(pl.coalesce(pl.sum_horizontal(*_READ, ignore_nulls=False), "pages_in")).to_series()
    by_run = [{row["publisher"]: row["articles"] for row in rows} for rows in tallies]
    growth = {
        name: statistics.median(now.get(name, 0) - before.get(name, 0) for before, now in pairwise(by_run))
        for name in by_name
        if len(by_run) > 1
    }
    return Usual(len(last), statistics.median(pages.to_list()), _medians(wholes), publishers, growth, by_run[-1])


def _medians(tallies: Sequence[Tally]) -> dict[str, float]:
    found = {}
    for name, (_, counted) in SHARES.items():
        known = [value for tally in tallies if (value := counted(tally)) is not None]
        if known:
            found[name] = statistics.median(known)
    return found


def most_cut(publishers: Iterable[Tally], fewest: int) -> tuple[float, str]:
    """The largest share of characters cut of a publisher with `fewest` articles, and a sentence on it."""
    shares = [
        (SHARES["cut"][1](row) or 0.0, str(row["publisher"] or "pages of no known publisher"))
        for row in publishers if row["articles"] >= fewest
    ]  # fmt: skip
    value, name = max(shares, default=(0.0, ""), key=lambda found: found[0])
    return value, f"{share(value)} of the characters of {name} were cut" if name else "no publisher has so many pages"


def fewer_pages(pages: int, usual: Usual) -> tuple[float, str]:
    """How far a run is below the usual number of pages, as a share of it, and a sentence."""
    missing = max(1 - pages / usual.pages, 0.0) if usual.pages else 0.0
    return missing, f"{pages:,} pages came, where {usual.pages:,.0f} are usual"


def drifted(whole: Tally, usual: Usual) -> tuple[float, str]:
    """The largest distance of a share of the whole run from the usual, and a sentence on it."""
    return _furthest([("", whole, usual.shares)])


def publishers_drifted(publishers: Iterable[Tally], usual: Usual, fewest: int) -> tuple[float, str]:
    """The same for the publisher that moved most, of those with `fewest` articles now and in the usual run."""
    judged = [
        (f" of {row['publisher']}", row, usual.publishers[row["publisher"]][1])
        for row in publishers
        if row["articles"] >= fewest and usual.publishers.get(row["publisher"], (0, {}))[0] >= fewest
    ]
    return _furthest(judged)


def _furthest(judged: Iterable[tuple[str, Tally, Mapping[str, float]]]) -> tuple[float, str]:
    """What is missing matters where there is more of it; what is cut, in both directions: menus may come through."""
    best = (0.0, "the shares are as usual")
    for whose, tally, before in judged:
        for name, (said, counted) in SHARES.items():
            now = counted(tally)
            if now is None or name not in before:
                continue
            moved = abs(now - before[name]) if name == "cut" else now - before[name]
            if moved > best[0]:
                things = {"quarantined": "pages", "cut": "characters"}.get(name, "articles")
                best = (moved, f"{share(now)} of the {things}{whose} are {said}, where {share(before[name])} are usual")
    return best


def vanished(publishers: Iterable[Tally], usual: Usual, fewest: int) -> tuple[float, str]:
    """How many usual publishers brought nothing, and their names.

    Gone is one that has no article any more, or, where an output grows with every run, one that grows by `fewest` and
    did not, in a run in which others did.
    """
    here = {row["publisher"]: row["articles"] for row in publishers}
    grew = sum(here.values()) > sum(usual.last.values())
    gone = [
        name for name, (articles, _) in sorted(usual.publishers.items())
        if (articles >= fewest and not here.get(name))
        or (grew and usual.growth.get(name, 0) >= fewest and here.get(name, 0) <= usual.last.get(name, 0))
    ]  # fmt: skip
    return len(gone), f"no page came from {_named(gone)}" if gone else "every usual publisher is here"


FEWEST_PAGES = 5
"""Pages of a site from which its furniture can be judged."""
FALL = 0.5
"""A site whose pages show less than this of their usual furniture has changed."""
NAMED = 3


def site_furniture(sites: Sequence[Mapping[str, Any]], memory: Memory | None) -> list[dict[str, Any]]:
    """Of each site of the run that the memory knows: `site`, `pages`, lines of memory on a page as `seen` and `usual`,
    whether that is a change, and a `sentence` where it is. `sites` is what `memory_figures` counted, added up.
    """
    rows = []
    for row in sites:
        usual = memory.usual.get(row["site"], 0.0) if memory else 0.0
        if usual:
            seen = row["seen"] / row["pages"]
            changed = row["pages"] >= FEWEST_PAGES and seen < FALL * usual
            sentence = (
                f"Its furniture changed: a page shows {seen:.1f} of the lines that site memory knows, on average of "
                f"{row['pages']:,} pages, where {usual:.1f} were usual. If the site was rebuilt, run `copydesk learn` "
                "on its new pages; until then no memory cleans what is new."
            )
            rows.append(
                {"site": row["site"], "pages": row["pages"], "seen": seen, "usual": usual, "changed": changed}
                | ({"sentence": sentence} if changed else {})
            )
    return rows


def told(changed: Sequence[Mapping[str, Any]]) -> str:
    """The sites whose furniture changed, as half a sentence."""
    if not changed:
        return "every site shows the furniture that site memory knows"
    return f"the furniture of {_named([row['site'] for row in changed])} is no longer what site memory knows"


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
