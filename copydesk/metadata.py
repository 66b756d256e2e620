"""What a page's HTML says of itself, outside its text: JSON-LD, OpenGraph, `meta`, microdata, `<time>`, links.

`read_metadata` gives every field as all that the page's sources say, the most believable first: the first is the
value, and one behind it that differs is a disagreement, which is kept. Which slots are read for which field, and whom
to believe, is `data/metadata.toml`. Nothing here is taken from the text of the article: that is the lines' business.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any, NamedTuple

import polars as pl
import pyarrow as pa
from selectolax.lexbor import LexborHTMLParser

from copydesk.dissect import AUTHOR
from copydesk.json_ld import LONGEST_BLOCK, Node, Nodes, find_nodes, read_block, texts_of, types_of
from copydesk.metadata_agreement import (
    authors_differ,
    closest_first,
    dates_differ,
    headlines,
    headlines_differ,
    outlets_of,
)
from copydesk.metadata_people import people
from copydesk.metadata_sources import (
    FIELDS,
    KEYS,
    MOST_HEADINGS,
    MOST_VALUES,
    Found,
    Table,
    collect_marked,
    collect_stated,
    table,
)
from copydesk.said import (
    LONGEST_NAME,
    LONGEST_TEXT,
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

__all__ = ["METADATA", "Metadata", "metadata_frame", "read_metadata", "stated_article"]


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

LONGEST_TITLE = 1_000
LONGEST_SECTION = 200
MOST_TAGS = 100
MOST_SAID = 20
"""Texts kept for one field."""
WHOLE_BODY = 500
"""Characters from which on an `articleBody` can be a whole article."""
_ENDS = ("...", "…", "[...]", "[…]")
_PUBLISHED_CLASSES = ("published", "publish", "pubdate", "entry-date", "posted", "created")
_MODIFIED_CLASSES = ("updated", "modified", "update", "lastmod", "last-mod")


def read_metadata(tree: LexborHTMLParser, url: str | None, *, fetched: dt.datetime | None = None) -> Metadata:
    """Read what a parsed page says of itself, whatever it says; nothing is raised.

    `tree` still has its scripts. `url` is the page's address, if known; `fetched` (aware) the time after which
    nothing can have been published.

    >>> said = read_metadata(LexborHTMLParser("<meta property=og:title content='Ferry fares rise'>"), None)
    >>> said.headline[0]
    Said(text='Ferry fares rise', source='opengraph', slot='og:title')
    """
    slots = table()
    found = collect_stated(tree, slots)
    reader = _Reader(slots, found, url, fetched)
    if not (reader.values("authors") and reader.values("published")):
        collect_marked(tree, found, slots)
        reader.look()
    return reader.read()


class _Reader:
    """Reads the values that a page's elements hold, field by field."""

    def __init__(self, slots: Table, found: Found, url: str | None, fetched: dt.datetime | None) -> None:
        self.table, self.found, self.url, self.fetched = slots, found, read_address(url, None), fetched
        self.notes: dict[str, None] = {}
        self.read_texts: dict[str, str | None] = {}
        self.outlets: frozenset[str] = frozenset()
        self.nodes = self.find_nodes()
        self.slots: dict[str, list[tuple[int, str]]] = {}
        self.look()

    def find_nodes(self) -> Nodes:
        values: list[Any] = []
        for block in self.found.blocks[:MOST_VALUES]:
            read, notes = read_block(block)
            values += read
            self.notes.update(dict.fromkeys(notes))
        if not values:
            return Nodes(None, None, (), {})
        slots = self.found.slots
        stated = {self.url, *slots.get("rel canonical", ())[:1], *slots.get("og:url", ())[:1]}
        addresses = {same_address(read_address(a, self.url)) for a in stated if a}
        texts = {*slots.get("og:title", ())[:1], *slots.get("title", ()), *slots.get("h1", ())}
        titles = {folded(text) for t in texts if (text := self.text(t, LONGEST_TITLE))}
        return find_nodes(
            values, types=self.table.types, holders=self.table.holders,
            addresses={a for a in addresses if a}, titles={t for t in titles if t},
        )  # fmt: skip

    def read(self) -> Metadata:
        site_name = self.texts("site_name", longest=LONGEST_SECTION)
        self.outlets = outlets_of((said.text for said in site_name), self.url)
        titles = self.texts("headline", longest=LONGEST_TITLE)
        headline = headlines(titles, self.outlets)
        authors, published, modified = self.authors(), self.dates("published"), self.dates("modified")
        language, canonical = self.languages(), self.addresses()
        body = self.body()
        conflicts = {
            "headline": headlines_differ(headline),
            "authors": authors_differ(authors),
            "published": dates_differ(published),
            "modified": dates_differ(modified),
            "language": len({said.text.partition("-")[0] for said in language}) > 1,
            "canonical": len({said.text for said in canonical}) > 1
            and len({same_address(said.text) for said in canonical}) > 1,
        }
        return Metadata(
            kind=self.kinds(),
            headline=headline,
            titles=titles,
            description=self.texts("description", most=1),
            authors=authors,
            published=published,
            modified=modified,
            section=self.texts("section", longest=LONGEST_SECTION, most=1),
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

    def look(self) -> None:
        """Lay out, in the order of belief, the slots of each field that may hold something."""
        found, nodes = self.found, self.nodes
        special = {
            "json-ld": nodes.article, "json-ld page": nodes.page, "json-ld site": nodes.site, "time": found.times,
            "microdata": found.microdata or found.kind, "rel author": found.links,
        }  # fmt: skip
        self.slots = {field: [] for field in FIELDS}
        for slot in (*found.slots, *(slot for slot, there in special.items() if there)):
            for rank, field in self.table.fields[slot]:
                self.slots[field].append((rank, slot))
        for ranked in self.slots.values():
            ranked.sort()

    def values(self, name: str) -> list[tuple[str, str, list[Any]]]:
        """Each slot of a field that holds something: slot, kind of source, values; in the order of belief."""
        said: list[tuple[str, str, list[Any]]] = []
        for _, slot in self.slots[name]:
            held: Any = self.found.slots.get(slot) or self.special(slot, name)
            if held:
                said.append((slot, self.table.sources[slot], held))
        return said

    def special(self, slot: str, name: str) -> list[Any] | None:
        """What a slot that is no `meta` element's holds for a field."""
        if slot in ("json-ld", "json-ld page"):
            node = self.nodes.article if slot == "json-ld" else self.nodes.page
            return self.of_node(name, node) if node else None
        if slot == "json-ld site":
            return [text for node in self.nodes.site for text in texts_of(node.get("name"))]
        if slot == "microdata":
            return next((v for key in KEYS[name] if (v := self.found.microdata.get(key.lower()))), None)
        return self.times(name) if slot == "time" else self.found.links

    def of_node(self, name: str, node: Node) -> list[Any] | None:
        """The value of the first key that a node has for a field, with what it refers to put in its place."""
        for key in KEYS[name]:
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

    def text(self, value: str, longest: int) -> str | None:
        """`read_text`, once for what several sources say alike."""
        if value not in self.read_texts:
            self.read_texts[value] = read_text(value)
        text = self.read_texts[value]
        return text and text[:longest]

    def texts(self, name: str, *, longest: int = LONGEST_TEXT, most: int = MOST_SAID) -> tuple[Said, ...]:
        """What the sources say, once each and source by source, up to so many."""
        said: list[Said] = []
        for slot, source, held in self.values(name):
            texts = {text: None for value in texts_of(held[:MOST_HEADINGS]) if (text := self.text(value, longest))}
            said += [Said(text, source, slot) for text in texts]
            if len(said) >= most:
                break
        return tuple(said)

    def kinds(self) -> tuple[Said, ...]:
        said = []
        for _, slot in self.slots["kind"]:
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
                said.append(Said(self.table.spelt.get(best, best)[:60], self.table.sources[slot], slot))
        return tuple(said)

    def dates(self, name: str) -> tuple[SaidDate, ...]:
        said = []
        known: dict[Any, SaidDate] = {}
        for slot, source, held in self.values(name):
            for value in held[:3]:
                text = next(texts_of(value), None) if isinstance(value, dict | list) else value
                date = known.get(text) or read_date(text, source, slot, latest=self.fetched)
                if date:
                    known[text] = date
                    said.append(date._replace(source=source, slot=slot))
                    break
        return closest_first(said)

    def times(self, name: str) -> list[str]:
        """The `datetime` of the first `time` element for a field: by its class, else the first behind the headline."""
        times = [t for t in self.found.times if t[2]] or self.found.times
        said = [
            (text, any(c in classes for c in _PUBLISHED_CLASSES), any(c in classes for c in _MODIFIED_CLASSES))
            for text, classes, _ in times[:4]
        ]
        if name == "modified":
            return [text for text, _, changed in said if changed][:1]
        return [text for text, own, changed in said if own and not changed][:1] or [
            text for text, _, changed in said[:2] if not changed
        ][:1]

    def authors(self) -> tuple[SaidAuthors, ...]:
        said = []
        for slot, source, held in self.values("authors"):
            names = people(slot, held, self.resolved, self.table.organization)
            if authors := read_names(names, self.outlets):
                raw = tuple(text for n in names[:MOST_TAGS] if (text := read_text(n.name, longest=LONGEST_NAME)))
                said.append(SaidAuthors(raw, authors, source, slot))
        # a source that names somebody in person is believed before one that names the house
        said.sort(key=lambda s: all(a.kind != "person" for a in s.authors))
        return tuple(said)

    def tags(self) -> tuple[Said, ...]:
        for slot, source, held in self.values("tags"):
            tags: dict[str, str] = {}
            for value in texts_of(held):
                part = value[:LONGEST_TEXT]
                for piece in part.split(";" if ";" in part and "," not in part else ","):
                    text = read_text(piece, longest=LONGEST_SECTION)
                    if text and "://" not in text:
                        tags.setdefault(text.casefold(), text)
            if tags:
                return tuple(Said(text, source, slot) for text in list(tags.values())[:MOST_TAGS])
        return ()

    def languages(self) -> tuple[Said, ...]:
        said = []
        for slot, source, held in self.values("language"):
            tags = (read_language(v) for v in texts_of(held, ("alternateName", "name", "@value")))
            if tag := next(filter(None, tags), None):
                said.append(Said(tag, source, slot))
        return tuple(said)

    def addresses(self) -> tuple[Said, ...]:
        said = []
        for slot, source, held in self.values("canonical"):
            addresses = (read_address(v, self.url) for v in texts_of(held, ("@id", "url")))
            if address := next(filter(None, addresses), None):
                said.append(Said(address, source, slot))
        return tuple(said)

    def body(self) -> str | None:
        held = self.nodes.article.get("articleBody") if self.nodes.article else None
        return read_text("\n".join(texts_of(held)), longest=LONGEST_BLOCK, lines=True) if held else None

    def captions(self) -> tuple[str, ...]:
        images = self.nodes.article.get("image") if self.nodes.article else None
        each = [self.resolved(image) for image in (images if isinstance(images, list) else [images])[:MOST_TAGS]]
        texts = (next(texts_of(image.get("caption")), None) for image in each if isinstance(image, dict))
        return tuple(dict.fromkeys(caption for text in texts if (caption := read_text(text))))


def _truth(value: Any) -> bool | None:
    said = str(value).strip().lower()[:10] if isinstance(value, str | bool) else ""
    return {"true": True, "false": False}.get(said)


def stated_article() -> pl.Expr:
    """Whether the metadata of a page (columns of METADATA) call it an article, with its day of publication."""
    kinds = pl.col("kind").list.eval(pl.element().struct.field("text").str.contains("(?:Article|Posting)$"))
    return kinds.list.any() & (pl.col("published").list.len() > 0)


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
