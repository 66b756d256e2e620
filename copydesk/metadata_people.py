"""Who a page's sources say wrote it: names out of JSON-LD's objects, of labels and of links."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from copydesk.bylines import is_byline_cue
from copydesk.json_ld import MOST_VALUES, texts_of, types_of
from copydesk.said import Name, read_text

__all__ = ["people"]

LONGEST_ROLE = 200
LAST_NAME_FIRST = ("citation_author", "dc.creator", "dcterms.creator")
"""Slots of libraries, in which a name stands as in a list of literature."""


def people(slot: str, held: list[Any], resolved: Callable[[Any], Any], organization: Collection[str]) -> list[Name]:
    """The names that a slot holds, in its order; `organization` are the types of those, in small letters."""
    if slot == "label":
        return _labelled(held)
    if slot == "rel author":
        return _linked(held)
    names: list[Name] = []
    for value in held:
        each = value[:MOST_VALUES] if isinstance(value, list) else [value]
        for item in each:
            names += _names(resolved(item), organization)
        if len(names) >= MOST_VALUES:
            break
    return [_turned(name) for name in names] if slot in LAST_NAME_FIRST else names


def _names(value: Any, organization: Collection[str]) -> list[Name]:
    if isinstance(value, Name):
        return [value]
    if isinstance(value, str):
        return [Name(value)]
    if not isinstance(value, dict):
        return []
    types = types_of(value)
    hint = False if "person" in types else True if not set(types).isdisjoint(organization) else None
    names = list(texts_of(value.get("name")))
    if not names:
        both = [text for key in ("givenName", "familyName") for text in texts_of(value.get(key))]
        names = [" ".join(both[:4])] if both else []
    role = read_text(next(texts_of(value.get("jobTitle")), None), longest=LONGEST_ROLE) if hint is not True else None
    email = read_text(next(texts_of(value.get("email")), None), longest=LONGEST_ROLE)
    email = email.removeprefix("mailto:") if email and "@" in email else None
    return [Name(name, hint, role, email) for name in names]


def _labelled(held: list[tuple[str, str]]) -> list[Name]:
    """The value beside a label that is a byline's cue: label1 "Written by", data1 "Ann Lee"."""
    values = dict(held)
    return [
        Name(values[f"data{n}"])
        for n in "123"
        if f"data{n}" in values and is_byline_cue(values.get(f"label{n}", "")[:40])
    ]


def _linked(held: list[tuple[str, bool]]) -> list[Name]:
    """The names of links to authors: those behind the headline, if few; a list of stories has many."""
    texts = dict.fromkeys(" ".join(text.split()) for text, headed in held if headed) or dict.fromkeys(
        " ".join(text.split()) for text, _ in held
    )
    names = [t for t in texts if t]
    return [Name(t) for t in (names if len(names) <= 3 else names[:1])]


def _turned(said: Name) -> Name:
    """A name as lists of literature have it, "Lee, Ann", in the order in which it is spoken; not two names, each of
    more words than one."""
    last, comma, first = said.name.partition(", ")
    one = comma and "," not in first and not (" " in last and " " in first)
    return said._replace(name=f"{first} {last}") if one else said
