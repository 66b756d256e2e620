"""JSON-LD: a page's blocks read, mended where the fault is certain, and the object found that is the page's own."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

from copydesk.said import folded, same_address

__all__ = ["REPAIRS", "Node", "Repair", "find_nodes", "read_block", "texts_of", "types_of"]

Node: TypeAlias = dict[str, Any]

LONGEST_BLOCK = 1_000_000
"""Characters of the longest block that is read; an article of 100,000 words is shorter."""
MOST_NODES = 500
"""Objects looked at per page."""
MOST_TYPES = 10
MOST_VALUES = 200
"""Values taken from one list."""
LONGEST_HEADLINE = 300
CLEAR = 15
"""Characters from which on a headline inside another one is the same headline, with an outlet's name behind it."""
ANOTHER = -4
"""The agreement of an object whose address and headline are both another page's."""


class Repair(NamedTuple):
    """One mending: `example` is a block that it mends, to `mended`."""

    name: str
    why: str
    mend: Callable[[str], str]
    example: str
    mended: Any


_STRING = r'"(?:[^"\\]++|\\.)*+"'


def _outside_strings(pattern: str, put: str) -> Callable[[str], str]:
    """A substitution that leaves the strings of the block as they are."""
    found = re.compile(rf"{_STRING}|({pattern})", re.DOTALL)
    return lambda text: found.sub(lambda m: m[0] if m[1] is None else put, text)


_HEAD = re.compile(r"\A(?:\s|\ufeff|//[ \t]*(?=<)|/\*|\*/|<!--|<!\[CDATA\[)++")
_TAIL = re.compile(r"(?:\s|//[ \t]*(?=\]\]|-->)|/\*|\*/|-->|\]\]>|;)+\Z")
TAIL_LENGTH = 100


def _unwrapped(text: str) -> str:
    text = _HEAD.sub("", text)
    return text[:-TAIL_LENGTH] + _TAIL.sub("", text[-TAIL_LENGTH:])


_ESCAPED_QUOTE = re.compile(r"\\(.)", re.DOTALL)

REPAIRS: tuple[Repair, ...] = (
    Repair("wrapper", "Comment or CDATA marks round it, a semicolon behind it.", _unwrapped,
           '//<![CDATA[\n{"a": 1};\n//]]>', {"a": 1}),
    Repair("escaped_whole", "Escaped for HTML as a whole: an object cannot begin with an entity.",
           lambda text: html.unescape(text) if re.match(r"\s*[\[{]\s*&quot;", text) else text,
           "{&quot;a&quot;: 1}", {"a": 1}),
    Repair("odd_escape", "JSON knows no such escape: the backslash stands for nothing.",
           lambda text: _ESCAPED_QUOTE.sub(lambda m: m[0] if m[1] in '"\\/bfnrtu' else m[1], text),
           r'{"a": "the council\'s"}', {"a": "the council's"}),
    Repair("no_value", "A key without a value.", _outside_strings(r"(?<=:)(?=\s*[,}\]])", " null"),
           '{"a": , "b": }', {"a": None, "b": None}),
    Repair("double_comma", "Commas with nothing between them.", _outside_strings(r",(?:\s*,)+", ","),
           '{"a": 1,, "b": [1, , 2]}', {"a": 1, "b": [1, 2]}),
    Repair("last_comma", "A comma behind the last value.", _outside_strings(r",(?=\s*[}\]])", ""),
           '{"a": [1, 2,], "b": ",]",}', {"a": [1, 2], "b": ",]"}),
    Repair("no_comma", "No comma between two objects.", _outside_strings(r"(?<=\})(?=\s*\{)", ","),
           '{"a": [{"b": 1} {"b": 2}]}', {"a": [{"b": 1}, {"b": 2}]}),
)  # fmt: skip
"""What is mended where a block is no JSON, in this order, until it is. (Line breaks and other control characters
inside a string are read as they stand, and so are several objects in a row.)"""

_DECODER = json.JSONDecoder(strict=False)


def read_block(text: str) -> tuple[list[Any], tuple[str, ...]]:
    """The values of a block, and notes: what was mended, or that it could not be read.

    >>> read_block('{"a": 1,} {"b": 2}')
    ([{'a': 1}, {'b': 2}], ('json-ld mended: last_comma',))
    >>> read_block('{"a": "he said "no" to it"}')
    ([], ('json-ld broken',))
    """
    if len(text) > LONGEST_BLOCK:
        return [], ("json-ld too long",)
    text = text.strip()
    if not text:
        return [], ()
    values = _values(text)
    if values is not None:
        return values, ()
    notes = []
    for repair in REPAIRS:
        mended = repair.mend(text)
        if mended == text:
            continue
        text = mended
        notes.append(f"json-ld mended: {repair.name}")
        values = _values(text)
        if values is not None:
            return values, tuple(notes)
    return [], ("json-ld broken",)


def _values(text: str) -> list[Any] | None:
    """The values that stand in a row, up to the first that is none; None where there are none."""
    found: list[Any] = []
    position = 0
    while position < len(text) and len(found) < MOST_VALUES:
        if text[position].isspace() or (found and text[position] in ",;"):
            position += 1
            continue
        try:
            value, position = _DECODER.raw_decode(text, position)
        except (ValueError, RecursionError):
            break
        found.append(value)
    return found or None


def types_of(node: Node) -> tuple[str, ...]:
    """The types of an object, without schema.org's address, in small letters."""
    stated = node.get("@type")
    if isinstance(stated, str):
        return (_bare_type(stated),)
    return tuple(_bare_type(t) for t in stated[:MOST_TYPES] if isinstance(t, str)) if isinstance(stated, list) else ()


@lru_cache(maxsize=1024)
def _bare_type(stated: str) -> str:
    return stated.rpartition("/")[2].rpartition(":")[2].lower()


def texts_of(value: Any, keys: Collection[str] = ("name", "@value")) -> Iterator[str]:
    """The texts of a value: itself, those of its list, an object's by the first of the keys that it has."""
    for item in value[:MOST_VALUES] if isinstance(value, list) else (value,):
        held: Any = item
        if isinstance(held, dict):
            held = next((held[k] for k in keys if isinstance(held.get(k), str)), None)
        if isinstance(held, str):
            yield held


@dataclass(frozen=True, slots=True)
class Nodes:
    """The objects of a page: its `article`, what it has besides that is the `page` itself, those of the `site`, and
    all that have an address, by it.
    """

    article: Node | None
    page: Node | None
    site: tuple[Node, ...]
    by_id: dict[str, Node]


def find_nodes(
    values: Iterable[Any],
    *,
    types: dict[str, str],
    holders: Collection[str],
    addresses: Collection[str],
    titles: Collection[str],
) -> Nodes:
    """Find the page's objects among the values of its blocks.

    `types` says of a type (in small letters) whether it is an article, page or site; `holders` are the keys that are
    looked into; `addresses` (from `same_address`) and `titles` (folded) are what else the page says of itself.
    An article whose address and headline are both another's is not the page's.
    """
    nodes = list(_nodes(values, holders))
    by_id: dict[str, Node] = {}
    for node in nodes:
        if isinstance(at := node.get("@id"), str) and len(node) > 1:
            by_id.setdefault(at, node)
    best: dict[str, tuple[int, Node]] = {}
    site: list[Node] = []
    for node in nodes:
        kind = _kind(node, types)
        if kind == "site":
            site.append(node)
        elif kind:
            score = _agreement(node, addresses, titles)
            if score > ANOTHER and (kind not in best or score > best[kind][0]):
                best[kind] = (score, node)
    article, page = best.get("article"), best.get("page")
    return Nodes(article and article[1], page and page[1], tuple(site[:10]), by_id)


def _nodes(values: Iterable[Any], holders: Collection[str]) -> Iterator[Node]:
    """The objects of a page in order, those that lie in another behind it."""
    waiting: list[Any] = list(values)[::-1]
    left = MOST_NODES
    while waiting and left:
        value = waiting.pop()
        if isinstance(value, list):
            waiting.extend(value[MOST_NODES::-1])
        elif isinstance(value, dict):
            left -= 1
            yield value
            waiting.extend(held for key in holders if isinstance(held := value.get(key), dict | list))


def _kind(node: Node, types: dict[str, str]) -> str | None:
    kinds = [types[t] for t in types_of(node) if t in types]
    if "article" in kinds:
        return "article"
    # an article by what it says, whatever it is called
    if isinstance(node.get("headline"), str) and ("datePublished" in node or "author" in node):
        return "article"
    return kinds[0] if kinds else None


def _agreement(node: Node, addresses: Collection[str], titles: Collection[str]) -> int:
    """How well an object's address and headline agree with the page's; `ANOTHER` where both are another's."""
    own = [a for key in ("url", "mainEntityOfPage", "@id") for a in texts_of(node.get(key), ("@id", "url"))]
    known = {shared for a in own if (shared := same_address(a))}
    at = 0 if not known or not addresses else -2 if known.isdisjoint(addresses) else 4
    said = next((t for key in ("headline", "name") for t in texts_of(node.get(key))), None)
    bare = folded(said[:LONGEST_HEADLINE]) if said else ""
    titled = 0 if not bare or not titles else 3 if any(_alike(bare, t) for t in titles) else -2
    return at + titled


def _alike(a: str, b: str) -> bool:
    return a == b or (len(a) >= CLEAR and a in b) or (len(b) >= CLEAR and b in a)
