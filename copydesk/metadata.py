"""What a page's HTML says of itself, outside its text: JSON-LD, OpenGraph, `meta`, microdata, `<time>`, links.

`read_metadata` gives every field as all that the page's sources say, the most believable first: the first is the
value, and one behind it that differs is a disagreement, which is kept. Which slots are read for which field, and whom
to believe, is `data/metadata.toml`. Nothing here is taken from the text of the article: that is the lines' business.
"""

from __future__ import annotations

import datetime as dt
import re
import tomllib
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from itertools import islice
from typing import Any, NamedTuple

import polars as pl
import pyarrow as pa
from selectolax.lexbor import LexborHTMLParser, LexborNode

from copydesk.bylines import is_byline_cue, same_person
from copydesk.dissect import AUTHOR
from copydesk.json_ld import LONGEST_BLOCK, MOST_VALUES, Node, Nodes, find_nodes, read_block, texts_of, types_of
from copydesk.said import (
    LONGEST_NAME,
    LONGEST_TEXT,
    Name,
    Said,
    SaidAuthors,
    SaidDate,
    folded,
    read_address,
    read_date,
    read_language,
    read_names,
    read_text,
    same_address,
)

__all__ = ["METADATA", "Metadata", "metadata_frame", "read_metadata"]

MOST_ELEMENTS = 4_000
"""Elements looked at in one pass over a page: pages have some 40, the largest of 938 had 500."""
MOST_TEXT = 2_000_000
"""Characters of text read per page, from all elements together."""
LONGEST_TITLE = 1_000
SAME_INSTANT = 600
"""Seconds between two instants that are one: systems save a page more than once."""
MOST_TAGS = 100
MOST_SAID = 20
"""Texts kept for one field."""
MOST_HEADINGS = 3
MOST_ITEMS = 80
"""Microdata properties and `time` elements looked at."""
DEEPEST = 60
"""Ancestors looked at for the scope of a microdata property."""
WHOLE_BODY = 500
"""Characters from which on an `articleBody` can be a whole article."""

_STATED = 'meta, title, script[type*="ld+json" i], link[rel~=canonical], h1'
_MARKED = "h1, time[datetime], a[rel~=author], [itemprop]"
"""What is asked only where nothing states the author and the day: teasers of other stories are marked likewise."""
_ENDS = ("...", "…", "[...]", "[…]")


class Metadata(NamedTuple):
    """What a page says of itself. Each field has all that its sources say, the most believable first.

    `kind` is a type of schema.org or OpenGraph ("NewsArticle", "video.other"); `titles` are all that the page gives for
    headlines, as they stand there (`headline` has them without the site's name); `tags` come from one source. `body`
    is JSON-LD's `articleBody` as plain text, a line a paragraph where it has lines, and `body_whole` whether it looks
    whole. `free` is `isAccessibleForFree`. `conflicts` are the fields whose sources differ: `headline`, `authors`,
    `published`, `modified`, `language`, `canonical`. `notes` say what was mended or left.
    """

    kind: tuple[Said, ...] = ()
    headline: tuple[Said, ...] = ()
    titles: tuple[Said, ...] = ()
    description: tuple[Said, ...] = ()
    authors: tuple[SaidAuthors, ...] = ()
    published: tuple[SaidDate, ...] = ()
    modified: tuple[SaidDate, ...] = ()
    section: tuple[Said, ...] = ()
    tags: tuple[Said, ...] = ()
    language: tuple[Said, ...] = ()
    canonical: tuple[Said, ...] = ()
    site_name: tuple[Said, ...] = ()
    captions: tuple[str, ...] = ()
    body: str | None = None
    body_whole: bool = False
    free: bool | None = None
    conflicts: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


_SAID = pl.List(pl.Struct({"text": pl.String, "source": pl.String, "slot": pl.String}))
_SAID_DATE = pl.List(
    pl.Struct(
        {
            "raw": pl.String, "on": pl.Date, "time": pl.Time, "precision": pl.String, "zone": pl.String,
            "other": pl.Date, "source": pl.String, "slot": pl.String,
        }
    )
)  # fmt: skip
_SAID_AUTHORS = pl.List(
    pl.Struct({"raw": pl.List(pl.String), "authors": pl.List(AUTHOR), "source": pl.String, "slot": pl.String})
)
METADATA: dict[str, Any] = {
    "kind": _SAID, "headline": _SAID, "titles": _SAID, "description": _SAID, "authors": _SAID_AUTHORS,
    "published": _SAID_DATE, "modified": _SAID_DATE, "section": _SAID, "tags": _SAID, "language": _SAID,
    "canonical": _SAID, "site_name": _SAID, "captions": pl.List(pl.String), "body": pl.String,
    "body_whole": pl.Boolean, "free": pl.Boolean, "conflicts": pl.List(pl.String), "notes": pl.List(pl.String),
}  # fmt: skip
"""The fields of `Metadata` as Polars columns."""

_KEYS: dict[str, tuple[str, ...]] = {
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
_SOURCES = {
    "json-ld": "json-ld", "json-ld page": "json-ld", "json-ld site": "json-ld", "microdata": "microdata",
    "time": "time", "h1": "heading", "title": "title", "rel author": "link", "rel canonical": "link",
    "html lang": "html",
}  # fmt: skip
"""The kind of source of the slots that are no `meta` element's."""
_MODIFIED_CLASSES = ("updated", "modified", "update", "lastmod", "last-mod")
_PUBLISHED_CLASSES = ("published", "publish", "pubdate", "entry-date", "posted", "created")


@dataclass(frozen=True, slots=True)
class _Table:
    """`data/metadata.toml`: the slots of each field, the names of all `meta` elements in them, and types."""

    ranks: dict[str, dict[str, int]]
    """Field -> its slots, with their ranks."""
    names: frozenset[str]
    types: dict[str, str]
    spelt: dict[str, str]
    organization: frozenset[str]
    holders: tuple[str, ...]


@lru_cache(maxsize=1)
def _table() -> _Table:
    raw: dict[str, Any] = tomllib.loads((files("copydesk") / "data" / "metadata.toml").read_text("utf-8"))
    ranks = {name: {slot: n for n, slot in enumerate(listed)} for name, listed in raw["slots"].items()}
    kinds = {kind: raw["types"][kind] for kind in ("site", "page", "article")}
    return _Table(
        ranks=ranks,
        names=frozenset(slot for listed in ranks.values() for slot in listed) - _SOURCES.keys(),
        types={t.lower(): kind for kind, types in kinds.items() for t in types},
        spelt={t.lower(): t for types in kinds.values() for t in types},
        organization=frozenset(t.lower() for t in raw["types"]["organization"]),
        holders=tuple(raw["types"]["holders"]),
    )


def _source(slot: str) -> str:
    return _SOURCES.get(slot) or ("opengraph" if slot.startswith(("og:", "article:")) else "meta")


@dataclass(slots=True)
class _Found:
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


def read_metadata(tree: LexborHTMLParser, url: str | None, *, fetched: dt.datetime | None = None) -> Metadata:
    """Read what a parsed page says of itself, whatever it says; nothing is raised.

    `tree` still has its scripts. `url` is the page's address, if known; `fetched` (aware) the time after which
    nothing can have been published.

    >>> said = read_metadata(LexborHTMLParser("<meta property=og:title content='Ferry fares rise'>"), None)
    >>> said.headline[0]
    Said(text='Ferry fares rise', source='opengraph', slot='og:title')
    """
    table = _table()
    found = _collect_stated(tree, table)
    reader = _Reader(table, found, url, fetched)
    if not (reader.values("authors") and reader.values("published")):
        _collect_marked(tree, found, table)
    return reader.read()


def _collect_stated(tree: LexborHTMLParser, table: _Table) -> _Found:
    """One pass over the elements that are there to say something of the page."""
    found = _Found()
    slots, names = found.slots, table.names
    language = tree.root.attributes.get("lang") if tree.root is not None else None
    if language:
        slots["html lang"] = [language]
    for node in tree.css(_STATED)[:MOST_ELEMENTS]:
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


def _collect_marked(tree: LexborHTMLParser, found: _Found, table: _Table) -> None:
    """One pass over the elements of the page's text that are marked as saying something."""
    headed = False
    for node in tree.css(_MARKED)[:MOST_ELEMENTS]:
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


def _meta(found: _Found, attributes: dict[str, str | None], names: frozenset[str]) -> None:
    content = attributes.get("content")
    if not content:
        return
    for key in ("property", "name", "http-equiv"):
        name = attributes.get(key)
        if not name:
            continue
        name = name.lower()
        if name.startswith("twitter:") and name[8:13] in ("label", "data1", "data2", "data3"):
            found.slots.setdefault("label", []).append((name[8:], content))
        elif name in names:
            held = found.slots.setdefault(name, [])
            if len(held) < MOST_VALUES:
                held.append(content)


_MICRODATA = frozenset(key.lower() for keys in _KEYS.values() for key in keys) - {
    "name",
    "url",
    "mainentityofpage",
    "@id",
}


def _microdata(found: _Found, node: LexborNode, attributes: dict[str, str | None], table: _Table) -> None:
    """Keep an element's value for its properties, where they are the article's."""
    properties = _MICRODATA.intersection((attributes.get("itemprop") or "").lower().split())
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


def _microdata_name(found: _Found, node: LexborNode, attributes: dict[str, str | None], table: _Table) -> list[Name]:
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


class _Reader:
    """Reads the values that a page's elements hold, field by field."""

    def __init__(self, table: _Table, found: _Found, url: str | None, fetched: dt.datetime | None) -> None:
        self.table, self.found, self.url, self.fetched = table, found, read_address(url, None), fetched
        self.notes: dict[str, None] = {}
        self.read_texts: dict[str, str | None] = {}
        self.nodes = self._find_nodes()
        self.outlets: frozenset[str] = frozenset()

    def _find_nodes(self) -> Nodes:
        values: list[Any] = []
        for block in self.found.blocks[:MOST_VALUES]:
            read, notes = read_block(block)
            values += read
            self.notes.update(dict.fromkeys(notes))
        slots = self.found.slots
        addresses = [self.url, *slots.get("rel canonical", [])[:1], *slots.get("og:url", [])[:1]]
        shared = {same_address(read_address(a, self.url)) for a in addresses}
        texts = {*slots.get("og:title", [])[:1], *slots.get("title", []), *slots.get("h1", [])}
        titles = {folded(text) for t in texts if (text := self.text(t, LONGEST_TITLE))}
        return find_nodes(
            values, types=self.table.types, holders=self.table.holders,
            addresses={a for a in shared if a}, titles={t for t in titles if t},
        )  # fmt: skip

    def read(self) -> Metadata:
        site_name = self.texts("site_name", longest=200)
        self.outlets = _outlets((said.text for said in site_name), self.url)
        titles = self.texts("headline", longest=LONGEST_TITLE)
        headline = _headlines(titles, self.outlets)
        authors, published, modified = self.authors(), self.dates("published"), self.dates("modified")
        language, canonical = self.languages(), self.addresses()
        body = self.body()
        conflicts = {
            "headline": _headlines_differ(headline),
            "authors": _authors_differ(authors),
            "published": _dates_differ(published),
            "modified": _dates_differ(modified),
            "language": len({said.text.partition("-")[0] for said in language}) > 1,
            "canonical": len({said.text for said in canonical}) > 1
            and len({same_address(s.text) for s in canonical}) > 1,
        }
        return Metadata(
            kind=self.kinds(),
            headline=headline,
            titles=titles,
            description=self.texts("description", most=1),
            authors=authors,
            published=published,
            modified=modified,
            section=self.texts("section", longest=200, most=1),
            tags=self.tags(),
            language=language,
            canonical=canonical,
            site_name=site_name,
            captions=self.captions(),
            body=body,
            body_whole=body is not None and len(body) >= WHOLE_BODY and not body.endswith(_ENDS),
            free=_truth(self.nodes.article.get("isAccessibleForFree")) if self.nodes.article else None,
            conflicts=tuple(name for name, differ in conflicts.items() if differ),
            notes=tuple(self.notes),
        )

    def values(self, name: str) -> list[tuple[str, list[Any]]]:
        """Each slot of a field that holds something, with what it holds, in the order of belief."""
        ranks = self.table.ranks[name]
        said: list[tuple[str, list[Any]]] = []
        for slot in sorted(ranks.keys() & self.found.slots.keys() | self.special & ranks.keys(), key=ranks.__getitem__):
            held: Any = self.found.slots[slot] if slot in self.found.slots else self.special_value(slot, name)
            if held:
                said.append((slot, held))
        return said

    def special_value(self, slot: str, name: str) -> list[Any] | None:
        """What a slot that is no `meta` element's holds for a field."""
        nodes = self.nodes
        if slot == "json-ld":
            return self.of_node(name, nodes.article)
        if slot == "json-ld page":
            return self.of_node(name, nodes.page)
        if slot == "json-ld site":
            return [text for node in nodes.site for text in texts_of(node.get("name"), ("name",))]
        if slot == "microdata":
            return next((v for key in _KEYS[name] if (v := self.found.microdata.get(key.lower()))), None)
        return self.times(name) if slot == "time" else self.found.links

    @property
    def special(self) -> set[str]:
        """The slots beside those of `meta` elements that hold something."""
        held = {
            "json-ld": self.nodes.article, "json-ld page": self.nodes.page, "json-ld site": self.nodes.site,
            "microdata": self.found.microdata, "time": self.found.times, "rel author": self.found.links,
        }  # fmt: skip
        return {slot for slot, value in held.items() if value}

    def of_node(self, name: str, node: Node | None) -> list[Any] | None:
        """The value of the first key that a node has for a field, with what it refers to put in its place."""
        if node is None:
            return None
        for key in _KEYS[name]:
            value = node.get(key)
            if value:
                each = value[:MOST_VALUES] if isinstance(value, list) else [value]
                return [self.resolved(v) for v in each]
        return None

    def resolved(self, value: Any) -> Any:
        """An object, where only its @id stands."""
        if isinstance(value, dict) and len(value) <= 2 and isinstance(at := value.get("@id"), str):
            return self.nodes.by_id.get(at, value)
        return value

    def texts(self, name: str, *, longest: int = LONGEST_TEXT, most: int = MOST_SAID) -> tuple[Said, ...]:
        """What the sources say, once each and source by source, up to so many."""
        said: list[Said] = []
        for slot, held in self.values(name):
            texts = {text: None for value in texts_of(held[:MOST_HEADINGS]) if (text := self.text(value, longest))}
            said += [Said(text, _source(slot), slot) for text in texts]
            if len(said) >= most:
                break
        return tuple(said)

    def text(self, value: str, longest: int) -> str | None:
        """`read_text`, once for what several sources say alike."""
        if value not in self.read_texts:
            self.read_texts[value] = read_text(value)
        text = self.read_texts[value]
        return text and text[:longest]

    def kinds(self) -> tuple[Said, ...]:
        said = []
        for slot in self.table.ranks["kind"]:
            node = {"json-ld": self.nodes.article, "json-ld page": self.nodes.page}.get(slot)
            types: tuple[str, ...] = ()
            if node:
                types = types_of(node)
            elif slot == "microdata":
                types = (self.found.kind,) if self.found.kind else ()
            elif slot in self.found.slots:
                types = (read_text(self.found.slots[slot][0], longest=60) or "",)
            best = next((t for t in types if t in self.table.spelt), types[0] if types else "")
            if best:
                said.append(Said(self.table.spelt.get(best, best)[:60], _source(slot), slot))
        return tuple(said)

    def dates(self, name: str) -> tuple[SaidDate, ...]:
        said = []
        known: dict[Any, SaidDate] = {}
        for slot, held in self.values(name):
            for value in held[:3]:
                text = next(texts_of(value), None) if isinstance(value, dict | list) else value
                date = known.get(text) or read_date(text, _source(slot), slot, latest=self.fetched)
                if date:
                    known[text] = date
                    said.append(date._replace(source=_source(slot), slot=slot))
                    break
        if len(said) > 1:
            closest = max((d for d in said if _same_date(said[0], d)), key=_closeness)
            if _closeness(closest) > _closeness(said[0]):
                said.remove(closest)
                said.insert(0, closest)
        return tuple(said)

    def times(self, name: str) -> list[str]:
        """The `datetime` of the first `time` element for a field: by its class, else the first behind the headline."""
        own, other = _PUBLISHED_CLASSES, _MODIFIED_CLASSES
        if name == "modified":
            own, other = other, own
        times = [t for t in self.found.times if t[2]] or self.found.times
        for text, classes, _ in times[:4]:
            if any(c in classes for c in own) and not (name == "published" and any(c in classes for c in other)):
                return [text]
        if name == "modified":
            return []
        return [text for text, classes, _ in times[:2] if not any(c in classes for c in other)][:1]

    def authors(self) -> tuple[SaidAuthors, ...]:
        said = []
        for slot, held in self.values("authors"):
            names = (
                _labelled(held) if slot == "label" else _linked(held) if slot == "rel author"
                else list(islice(_people(held, self.resolved, self.table), MOST_VALUES))
            )  # fmt: skip
            if slot == "citation_author":
                names = [_turned(n) for n in names]
            if authors := read_names(names, self.outlets):
                raw = tuple(text for n in names[:MOST_TAGS] if (text := read_text(n.name, longest=320)))
                said.append(SaidAuthors(raw, authors, _source(slot), slot))
        # a source that names somebody in person is believed before one that names the house
        said.sort(key=lambda s: all(a.kind != "person" for a in s.authors))
        return tuple(said)

    def tags(self) -> tuple[Said, ...]:
        for slot, held in self.values("tags"):
            tags: dict[str, str] = {}
            for value in texts_of(held, ("name", "@value")):
                parts = value[:10_000].split(";" if ";" in value and "," not in value else ",")
                for part in parts:
                    text = read_text(part, longest=200)
                    if text and "://" not in text:
                        tags.setdefault(text.casefold(), text)
            if tags:
                return tuple(Said(text, _source(slot), slot) for text in list(tags.values())[:MOST_TAGS])
        return ()

    def languages(self) -> tuple[Said, ...]:
        return tuple(
            Said(language, _source(slot), slot)
            for slot, held in self.values("language")
            if (
                language := next(
                    (tag for v in texts_of(held, ("alternateName", "name", "@value")) if (tag := read_language(v))),
                    None,
                )
            )
        )

    def addresses(self) -> tuple[Said, ...]:
        said = []
        for slot, held in self.values("canonical"):
            for value in texts_of(held, ("@id", "url")):
                if address := read_address(value, self.url):
                    said.append(Said(address, _source(slot), slot))
                    break
        return tuple(said)

    def body(self) -> str | None:
        held = self.nodes.article.get("articleBody") if self.nodes.article else None
        return read_text("\n".join(texts_of(held, ("@value",))), longest=LONGEST_BLOCK, lines=True) if held else None

    def captions(self) -> tuple[str, ...]:
        images = self.nodes.article.get("image") if self.nodes.article else None
        found: dict[str, None] = {}
        for image in (images if isinstance(images, list) else [images])[:MOST_TAGS]:
            image = self.resolved(image)
            if isinstance(image, dict) and (text := read_text(next(texts_of(image.get("caption")), None))):
                found[text] = None
        return tuple(found)


def _people(held: Iterable[Any], resolved: Any, table: _Table) -> Iterator[Name]:
    """The names in the values of an author: strings, objects, and those within lists of them."""
    for value in held:
        value = resolved(value)
        if isinstance(value, str):
            yield Name(value)
        elif isinstance(value, Name):
            yield value
        elif isinstance(value, list):
            yield from (n for v in value[:MOST_VALUES] for n in _person(resolved(v), table))
        else:
            yield from _person(value, table)


def _person(value: Any, table: _Table) -> Iterator[Name]:
    if isinstance(value, str | Name):
        yield value if isinstance(value, Name) else Name(value)
    if not isinstance(value, dict):
        return
    types = types_of(value)
    hint = False if "person" in types else True if table.organization.intersection(types) else None
    names = list(texts_of(value.get("name"), ("name", "@value")))
    if not names:
        both = [t for key in ("givenName", "familyName") for t in texts_of(value.get(key), ())]
        names = [" ".join(both)] if both else []
    role, email = (read_text(next(texts_of(value.get(key)), None), longest=200) for key in ("jobTitle", "email"))
    email = email.removeprefix("mailto:") if email and "@" in email else None
    for name in names:
        yield Name(name, hint, role if hint is not True else None, email)


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
    """A name as lists of literature have it, "Lee, Ann", in the order in which it is spoken."""
    last, comma, first = said.name.partition(", ")
    return said._replace(name=f"{first} {last}") if comma and "," not in first else said


def _outlets(names: Iterable[str], url: str | None) -> frozenset[str]:
    """The folded names of the site: as it gives them, and the host with and without its end."""
    found = {folded(name) for name in names}
    address = same_address(url)
    if address:
        host = address.partition("/")[0]
        found |= {folded(host), folded(host.rpartition(".")[0]), host.split(".")[-2] if "." in host else host}
    return frozenset(f for f in found | {f.replace(" ", "") for f in found} if len(f) > 1)


_SEPARATOR = re.compile(r"(?:(?<=\s)(?:[|\-–—·•»:/]|::)(?=\s)|[|｜ㅣ])\s*")
MOST_SEPARATORS = 6


def _headlines(titles: tuple[Said, ...], outlets: frozenset[str]) -> tuple[Said, ...]:
    """The titles without what sites put before and behind them: their name, or what no other title has.

    Of several `h1` the one that shares the most words with the other titles comes first.
    """
    bare = {said.text: folded(said.text) for said in titles}
    cut = {
        text: _trimmed(text, {other for other in bare.values() if other != own}, outlets)
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
    for start, end in cuts:
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


def _truth(value: Any) -> bool | None:
    said = str(value).strip().lower()[:10] if isinstance(value, str | bool) else ""
    return {"true": True, "false": False}.get(said)


def _headlines_differ(said: tuple[Said, ...]) -> bool:
    """Whether two headlines share less than half of their words (pages give a shorter one to search engines)."""
    words = [set(folded(s.text).split()) for s in said if s.slot not in ("h1", "title")]
    return any(len(a & b) * 2 < min(len(a), len(b)) for a in words[:1] for b in words[1:] if a and b)


def _authors_differ(said: tuple[SaidAuthors, ...]) -> bool:
    """Whether two sources name persons, and none that the other names."""
    people = [{a.name for a in s.authors[:20] if a.kind == "person"} for s in said[:6]]
    first = people[0] if people else set()
    return any(
        names and first.isdisjoint(names) and all(same_person(a, b) == "different" for a in first for b in names)
        for names in people[1:]
    )


def _same_date(first: SaidDate, other: SaidDate) -> bool:
    """Whether two sources name one date, the other perhaps more closely."""
    if first.at and other.at:
        return abs((first.at - other.at).total_seconds()) <= SAME_INSTANT
    return first.on == other.on and first.time in (None, other.time)


def _closeness(date: SaidDate) -> tuple[bool, bool, bool]:
    """A time says more than a day, with a zone more than without, and a clock at home gives the day as printed."""
    return date.time is not None, date.zone is not None, date.zone not in (None, "Z", "+00:00")


def _dates_differ(said: tuple[SaidDate, ...]) -> bool:
    """Whether two sources name days that are two and more apart: one apart they are where a zone is between them."""
    return bool(said) and (max(s.on for s in said) - min(s.on for s in said)).days > 1


def metadata_frame(pages: Iterable[Metadata]) -> pl.DataFrame:
    """The metadata of pages as columns: see METADATA."""
    # by way of Arrow, which takes named tuples for structs
    schema = pl.DataFrame(schema=METADATA).to_arrow(compat_level=pl.CompatLevel.oldest()).schema
    columns = list(zip(*(_row(page) for page in pages), strict=True)) or [()] * len(METADATA)
    return pl.DataFrame(pa.table([pa.array(c, f.type) for c, f in zip(columns, schema, strict=True)], schema=schema))


def _row(page: Metadata) -> Metadata:
    plain: Any = tuple(
        said._replace(authors=[(a.name, a.kind, a.role, a.email, a.affiliation) for a in said.authors])  # type: ignore[arg-type]
        for said in page.authors
    )
    return page._replace(authors=plain)
