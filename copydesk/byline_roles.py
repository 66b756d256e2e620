"""Roles: what a byline says of a person, told from names and from the papers they write for."""

from __future__ import annotations

import re

from copydesk.byline_words import Words
from copydesk.names import is_person_name

__all__ = ["is_outlet", "read_role", "split_role"]

_ROLE_TAIL = re.compile(
    r"(?:\s+(?:in|for|at|of|i|en|à|de|a|aus|für|til)\s+[^,]{2,40}|\s+at\s+large|-in-chief)\Z", re.I
)
_DESK_WORDS = ("staff", "desk", "team")


def is_outlet(part: str, table: Words) -> bool:
    """Whether one of its words says that a paper, an agency or a university is meant."""
    return part.startswith("The ") or not table.outlet.isdisjoint(part.lower().split())


def split_role(tokens: list[str], table: Words) -> tuple[str, str, str | None] | None:
    """Split "Ann Lee Political Correspondent" between name and role."""
    low = [t.lower() for t in tokens]
    if table.modifiers.isdisjoint(low) and table.heads.isdisjoint(low):
        return None
    for k in range(2, min(5, len(tokens))):
        if low[k] not in table.modifiers and low[k] not in table.heads:
            continue
        if not table.modifiers.isdisjoint(low[:k]):
            return None
        name = " ".join(tokens[:k])
        role = read_role(" ".join(tokens[k:]), table)
        if role and is_person_name(name, table=table):
            return name, role[0], role[1]
    return None


def read_role(part: str, table: Words) -> tuple[str, str | None] | None:
    """Read "IGN Staff" or "Yomiuri Shimbun Staff Writers" as (role, affiliation)."""
    if len(part) > 70:
        return None
    core = _ROLE_TAIL.sub("", part)
    head = table.role_end.search(core.lower())
    tokens = part.split()
    if not head:
        if tokens and tokens[-1].lower() in _DESK_WORDS and len(tokens) <= 4:
            return tokens[-1], " ".join(tokens[:-1]) or None
        return None
    k = len(core[: head.start()].split())
    while k and tokens[k - 1].lower() in table.modifiers:
        k -= 1
    before = tokens[:k]
    if not before:
        return part, None
    prefix = " ".join(before)
    if len(before) > 5 or any(c.isdigit() for c in prefix):
        return None
    shouting = all(t[0].isupper() for t in before) and any(t.isupper() and len(t) > 1 for t in before)
    if prefix.lower() in table.agencies or is_outlet(prefix, table) or shouting:
        return " ".join(tokens[k:]), prefix
    return part, None
