"""Where a page's HTML says something of itself: the elements that are looked at, and what they hold unread.

Which slots are read for which field, and whom to believe, is `data/metadata.toml`.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from typing import Any

from selectolax.lexbor import LexborHTMLParser, LexborNode

from copydesk.said import Name

__all__ = ["FIELDS", "KEYS", "Found", "Table", "collect_marked", "collect_stated", "table"]

MOST_ELEMENTS = 4_000
"""Elements looked at in one pass over a page: pages have some 40, the largest of 938 had 500."""
MOST_TEXT = 2_000_000
"""Characters of text read per page, from all elements together."""
MOST_ITEMS = 80
"""Microdata properties, `time` elements and links looked at."""
MOST_HEADINGS = 3
MOST_VALUES = 200
"""Values taken from one slot."""
DEEPEST = 60
"""Ancestors looked at for the scope of a microdata property."""

STATED = 'meta, title, script[type*="ld+json" i], link[rel~=canonical], h1'
MARKED = "h1, time[datetime], a[rel~=author], [itemprop]"
"""What is asked only where nothing states the author and the day: teasers of other stories are marked likewise."""

KEYS: dict[str, tuple[str, ...]] = {
    "headline": ("headline", "name", "alternativeHeadline"),
    "description": ("description",),
    "authors": ("author", "creator"),
    "published": ("datePublished", "uploadDate", "dateCreated"),
    "modified": ("dateModified",),
    "section": ("articleSection",),
    "tags": ("keywords",),
    "language": ("inLanguage",),
    "canonical": ("url", "mainEntityOfPage", "@id"),
    "site_name": ("publisher",),
}
"""What schema.org calls each field, in JSON-LD and in microdata; the first that is there counts."""
SOURCES = {
    "json-ld": "json-ld", "json-ld page": "json-ld", "json-ld site": "json-ld", "microdata": "microdata",
    "time": "time", "rel author": "link", "rel canonical": "link", "h1": "heading", "title": "title",
    "html lang": "html", "label": "meta",
}  # fmt: skip
"""The kind of source of the slots that are not the name of a `meta` element."""
FIELDS = (*KEYS, "kind")


@dataclass(frozen=True, slots=True)
class Table:
    """`data/metadata.toml`: the slots of each field, the names of all `meta` elements in them, and types."""

    fields: dict[str, tuple[tuple[int, str], ...]]
    """Slot -> the fields that it says something for, each with its rank among their slots."""
    sources: dict[str, str]
    names: frozenset[str]
    types: dict[str, str]
    spelt: dict[str, str]
    organization: frozenset[str]
    holders: tuple[str, ...]


@lru_cache(maxsize=1)
def table() -> Table:
    """The table, read from the package at the first call."""
    raw: dict[str, Any] = tomllib.loads((files("copydesk") / "data" / "metadata.toml").read_text("utf-8"))
    fields: dict[str, list[tuple[int, str]]] = {}
    for name in FIELDS:
        for rank, slot in enumerate(raw["slots"][name]):
            fields.setdefault(slot, []).append((rank, name))
    kinds = {kind: raw["types"][kind] for kind in ("site", "page", "article")}
    return Table(
        fields={slot: tuple(ranks) for slot, ranks in fields.items()},
        sources={slot: _source(slot) for slot in fields},
        names=frozenset(fields) - SOURCES.keys(),
        types={t.lower(): kind for kind, types in kinds.items() for t in types},
        spelt={t.lower(): t for types in kinds.values() for t in types},
        organization=frozenset(t.lower() for t in raw["types"]["organization"]),
        holders=tuple(raw["types"]["holders"]),
    )


def _source(slot: str) -> str:
    return SOURCES.get(slot) or ("opengraph" if slot.startswith(("og:", "article:")) else "meta")


@dataclass(slots=True)
class Found:
    """What the elements of a page hold, before it is read."""

    slots: dict[str, list[Any]] = field(default_factory=dict)
    blocks: list[str] = field(default_factory=list)
    microdata: dict[str, list[Any]] = field(default_factory=dict)
    """By property, in small letters: those of the article's scope, and those outside any."""
    kind: str | None = None
    scope: int | None = None
    """The element that is the article's scope, by its number."""
    beside: dict[str, int] = field(default_factory=dict)
    """Of the properties outside any scope, the element that holds the first."""
    times: list[tuple[str, str, bool]] = field(default_factory=list)
    """`datetime`, classes, whether behind the headline."""
    links: list[tuple[str, bool]] = field(default_factory=list)
    """Texts of links to authors, and whether behind the headline."""
    left: int = MOST_TEXT
    items: int = MOST_ITEMS

    def text(self, node: LexborNode) -> str:
        """An element's text, as long as there is room for any."""
        if self.left <= 0:
            return ""
        text = node.text(separator=" ")
        self.left -= len(text)
        return text


def collect_stated(tree: LexborHTMLParser, table: Table) -> Found:
    """One pass over the elements that are there to say something of the page."""
    found = Found()
    slots, names = found.slots, table.names
    language = tree.root.attributes.get("lang") if tree.root is not None else None
    if language:
        slots["html lang"] = [language]
    for node in tree.css(STATED)[:MOST_ELEMENTS]:
        tag = node.tag
        if tag == "meta":
            _meta(found, node.attributes, names)
        elif tag == "script":
            found.blocks.append(found.text(node))
        elif tag == "title":
            # an SVG has titles as well: the page's is the first
            if "title" not in slots:
                slots["title"] = [found.text(node)]
        elif tag == "h1":
            if len(titles := slots.setdefault("h1", [])) < MOST_HEADINGS:
                titles.append(found.text(node))
        elif href := node.attributes.get("href"):
            slots.setdefault("rel canonical", []).append(href)
    return found


def collect_marked(tree: LexborHTMLParser, found: Found, table: Table) -> None:
    """One pass over the elements of the page's text that are marked as saying something."""
    headed = False
    for node in tree.css(MARKED)[:MOST_ELEMENTS]:
        tag, attributes = node.tag, node.attributes
        if tag == "h1":
            headed = True
        elif tag == "time" and len(found.times) < MOST_ITEMS and "itemprop" not in attributes:
            if text := attributes.get("datetime"):
                found.times.append((text, _classes(node), headed))
        elif tag == "a" and "itemprop" not in attributes and len(found.links) < MOST_ITEMS:
            found.links.append((found.text(node), headed))
        if "itemprop" in attributes and found.items > 0:
            _microdata(found, node, attributes, table)


def _classes(node: LexborNode) -> str:
    parent = node.parent
    above = parent.attributes.get("class") if parent is not None else None
    return f"{node.attributes.get('class') or ''} {above or ''}".lower()


def _meta(found: Found, attributes: dict[str, str | None], names: frozenset[str]) -> None:
    content = attributes.get("content")
    if not content:
        return
    for key in ("property", "name", "http-equiv"):
        name = attributes.get(key)
        if not name:
            continue
        name = name.lower()
        if name in names:
            held = found.slots.setdefault(name, [])
            if len(held) < MOST_VALUES:
                held.append(content)
        elif name.startswith(("twitter:label", "twitter:data")):
            found.slots.setdefault("label", []).append((name[8:], content))


_MICRODATA = frozenset(key.lower() for keys in KEYS.values() for key in keys) - {
    "name",
    "url",
    "mainentityofpage",
    "@id",
}


def _microdata(found: Found, node: LexborNode, attributes: dict[str, str | None], table: Table) -> None:
    """Keep an element's value for its properties, where they are the article's."""
    properties: set[str] = set(_MICRODATA).intersection((attributes.get("itemprop") or "").lower().split())
    if not properties:
        return
    found.items -= 1
    scope, kind = _scope(node.parent)
    # the first article's: those behind it are related stories
    if scope is not None:
        if table.types.get(kind) != "article":
            return
        if found.scope is None:
            found.scope, found.kind = scope, kind
        elif found.scope != scope:
            return
    elif (parent := node.parent) is not None:
        properties = {name for name in properties if found.beside.setdefault(name, parent.mem_id) == parent.mem_id}
    value: Any
    if node.tag == "meta":
        value = attributes.get("content")
    elif "author" in properties or "creator" in properties:
        value = _microdata_name(found, node, attributes, table)
    else:
        value = attributes.get("content") or attributes.get("datetime") or found.text(node)
    for name in properties:
        if value and len(held := found.microdata.setdefault(name, [])) < MOST_VALUES:
            held.append(value)


def _microdata_name(found: Found, node: LexborNode, attributes: dict[str, str | None], table: Table) -> list[Name]:
    kind = (attributes.get("itemtype") or "").rpartition("/")[2].lower()
    named = node.css("[itemprop~=name]")[:MOST_ITEMS] if "itemscope" in attributes else []
    named = [n for n in named if n.mem_id != node.mem_id]
    texts = [n.attributes.get("content") or found.text(n) for n in named]
    if not texts:
        texts = [attributes.get("content") or found.text(node)]
    hint = True if kind in table.organization else False if kind == "person" else None
    return [Name(text, hint) for text in texts]


def _scope(node: LexborNode | None) -> tuple[int | None, str]:
    """The nearest element above with a microdata scope, by its number, and its type in small letters."""
    for _ in range(DEEPEST):
        if node is None:
            break
        attributes = node.attributes
        if "itemscope" in attributes or "itemtype" in attributes:
            return node.mem_id, (attributes.get("itemtype") or "").rstrip("/").rpartition("/")[2].lower()
        node = node.parent
    return None, ""
