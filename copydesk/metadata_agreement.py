"""How a page's sources agree: titles without what sites put round them, the closest of equal dates, disagreements."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from copydesk.bylines import same_person
from copydesk.said import Said, SaidAuthors, SaidDate, folded, same_address

__all__ = ["authors_differ", "closest_first", "dates_differ", "headlines", "headlines_differ", "outlets_of"]

SAME_INSTANT = 600
"""Seconds between two instants that are one: systems save a page more than once."""


def outlets_of(names: Iterable[str], url: str | None) -> frozenset[str]:
    """The folded names of the site: as it gives them, and the host with and without its end."""
    found = {folded(name) for name in names}
    address = same_address(url)
    if address:
        host = address.partition("/")[0]
        found |= {folded(host), folded(host.rpartition(".")[0]), host.split(".")[-2] if "." in host else host}
    return frozenset(f for f in found | {f.replace(" ", "") for f in found} if len(f) > 1)


_SEPARATOR = re.compile(r"(?:(?<=\s)(?:[|\-–—·•»:/]|::)(?=\s)|[|｜ㅣ])\s*")
MOST_SEPARATORS = 6


def headlines(titles: tuple[Said, ...], outlets: frozenset[str]) -> tuple[Said, ...]:
    """The titles without what sites put before and behind them: their name, or what no other title has.

    Of several `h1` the one that shares the most words with the other titles comes first.
    """
    bare = {said.text: folded(said.text) for said in titles}
    cut = {
        text: _trimmed(text, {other for other in bare.values() if other and other != own}, outlets)
        if _SEPARATOR.search(text)
        else text
        for text, own in bare.items()
    }
    found = [said._replace(text=cut[said.text]) for said in titles]
    heads = [n for n, said in enumerate(found) if said.slot == "h1"]
    if len(heads) > 1:
        others = set(" ".join(bare[said.text] for said in titles if said.slot != "h1").split())
        best = max(heads, key=lambda n: (len(others.intersection(folded(found[n].text).split())), -n))
        found.insert(heads[0], found.pop(best))
    return tuple(found)


def _trimmed(title: str, others: Collection[str], outlets: frozenset[str]) -> str:
    cuts = [(m.start(), m.end()) for m in _SEPARATOR.finditer(title)][:MOST_SEPARATORS]
    for start, _ in cuts:
        if folded(title[:start]) in others:
            return title[:start].rstrip()
    for _, end in cuts:
        if folded(title[end:]) in others and not _is_outlet(title[end:], outlets):
            return title[end:]
    if cuts and cuts[-1][0] and _is_outlet(title[cuts[-1][1] :], outlets):
        return title[: cuts[-1][0]].rstrip()
    if cuts and cuts[0][0] and _is_outlet(title[: cuts[0][0]], outlets):
        return title[cuts[0][1] :] or title
    return title


def _is_outlet(text: str, outlets: frozenset[str]) -> bool:
    bare = folded(text)
    return bare in outlets or bare.replace(" ", "") in outlets


def headlines_differ(said: tuple[Said, ...]) -> bool:
    """Whether two headlines share less than half of their words (pages give a shorter one to search engines)."""
    words = [set(folded(s.text).split()) for s in said if s.slot not in ("h1", "title")]
    return any(len(a & b) * 2 < min(len(a), len(b)) for a in words[:1] for b in words[1:] if a and b)


def authors_differ(said: tuple[SaidAuthors, ...]) -> bool:
    """Whether two sources name persons, and none that the other names, nor a part of one."""
    people = [{a.name for a in s.authors[:20] if a.kind == "person"} for s in said[:6]]
    first = people[0] if people else set()
    words = {word for name in first for word in folded(name).split()}
    return any(
        names
        and words.isdisjoint(word for name in names for word in folded(name).split())
        and all(same_person(a, b) == "different" for a in first for b in names)
        for names in people[1:]
        if first
    )


def _same_date(first: SaidDate, other: SaidDate) -> bool:
    """Whether two sources name one date, the other perhaps more closely."""
    if first.on == other.on and first.time in (None, other.time):
        return True
    at, other_at = first.at, other.at
    return at is not None and other_at is not None and abs((at - other_at).total_seconds()) <= SAME_INSTANT


def _closeness(date: SaidDate) -> tuple[bool, bool, bool]:
    """A time says more than a day, with a zone more than without, and a clock at home gives the day as printed."""
    return date.time is not None, date.zone is not None, date.zone not in (None, "Z", "+00:00")


def dates_differ(said: tuple[SaidDate, ...]) -> bool:
    """Whether two sources name days that are two and more apart: one apart they are where a zone is between them."""
    return bool(said) and (max(s.on for s in said) - min(s.on for s in said)).days > 1


def closest_first(said: list[SaidDate]) -> tuple[SaidDate, ...]:
    """The dates with the one in front that tells the first one's date the most closely."""
    if len(said) > 1 and not all(front := _closeness(said[0])):
        closer = [date for date in said[1:] if _closeness(date) > front and _same_date(said[0], date)]
        if closer:
            closest = max(closer, key=_closeness)
            said = [closest, *(date for date in said if date is not closest)]
    return tuple(said)
