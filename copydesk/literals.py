"""What a line must show for a rule's expression to match: spares nearly every line nearly every expression.

The idea is FilteredRE2's (https://github.com/google/re2, filtered_re2.h): look for the literals of all rules at once,
and try a rule's own expression only where one of them stands. Most rules look at a line's beginning: theirs need no
search at all, only a look at its first characters.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import json
import math
import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from importlib.resources import files
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

Node = tuple[Any, Any]
"""A piece of a parsed expression: what it is, and its parts."""

SHORTEST = 3
"""Shorter literals stand on too many lines to spare anything (two characters do outside ASCII)."""
START_LENGTHS = (1, 2, 3, 4, 6, 8, 12)
"""The lengths at which beginnings are compared: one of 7 characters by its first 6."""
MOST = 500
"""Literals of one expression, beyond which its alternatives are not spelt out further."""
SMALL_CLASS = 12
"""Characters of a class that is spelt out, beside digits."""
DIGITS = frozenset("0123456789")


@dataclasses.dataclass(frozen=True)
class Need:
    """What every match of an expression has: one of `starts` at the line's start, or one of `holds` anywhere in it.

    One of the two is empty; where both are, nothing is sure.
    """

    starts: frozenset[str] = frozenset()
    holds: frozenset[str] = frozenset()


def need(branch: str) -> Need:
    """What a match of an expression needs: looked up for those of our own rules, worked out for any other."""
    return _of_our_rules().get(branch) or work_out(branch)


def as_json(branches: Iterable[str]) -> str:
    """What the expressions need, worked out, as the text of `data/needs.json`: a line for each."""
    table = {b: {k: sorted(v) for k, v in dataclasses.asdict(work_out(b)).items() if v} for b in sorted(set(branches))}
    rows = (f"{json.dumps(b, ensure_ascii=False)}: {json.dumps(v, ensure_ascii=False)}" for b, v in table.items())
    return "{\n" + ",\n".join(rows) + "\n}\n"


@functools.cache
def _of_our_rules() -> dict[str, Need]:
    # worked out, they would cost every start half a second
    table = json.loads((files("copydesk") / "data" / "needs.json").read_bytes())
    return {branch: Need(**{k: frozenset(v) for k, v in parts.items()}) for branch, parts in table.items()}


@functools.cache
def work_out(branch: str) -> Need:
    """What a match of an expression (RE2 syntax, without `|` outside groups) needs.

    >>> sorted(work_out(r"^(?:read|see) also *:").starts)
    ['read als', 'see also']
    >>> sorted(work_out(r"[^.]+ (?:lire|voir) +").holds)
    [' lire', ' voir']
    >>> work_out(r"^[a-z]+$")
    Need(starts=frozenset(), holds=frozenset())
    """
    # Python's parser knows RE2's syntax but for classes by name, which it need not tell apart here
    plain = re.sub(r"\[:\^?\w+:\]|\\[pP](?:\w|\{[^}]*\})", r"\\w", branch)
    try:
        with warnings.catch_warnings(action="ignore"):
            tree = parser.parse(plain)
    except re.error:
        return Need()
    if tree.state.flags & re.IGNORECASE:
        return Need()
    nodes = _runs(tree)
    starts = {""}
    if nodes and nodes[0] == (sre.AT, sre.AT_BEGINNING):
        # no key begins with a blank
        starts = {start.lstrip(" ") for start in _beginnings(nodes[1:])[0]}
    if all(_worth(start) >= SHORTEST for start in starts):
        return _at_start(starts)
    if holds := _inside(nodes):
        return Need(holds=frozenset(holds))
    # a digit or a sign at its beginning is on fewer lines than none
    return _at_start(starts) if all(s and (_worth(s) >= SHORTEST or not s[0].isalpha()) for s in starts) else Need()


def _at_start(starts: Iterable[str]) -> Need:
    return Need(starts=frozenset(s[: max(n for n in START_LENGTHS if n <= len(s))] for s in starts))


def branches(pattern: str) -> list[str]:
    """Split an expression at the alternation signs outside all groups."""
    parts, start, depth = [], 0, 0
    for at, sign in _signs(pattern):
        depth += (sign == "(") - (sign == ")")
        if sign == "|" and depth == 0:
            parts.append(pattern[start:at])
            start = at + 1
    return [*parts, pattern[start:]]


def _signs(pattern: str) -> Iterator[tuple[int, str]]:
    """The brackets of groups and the alternation signs outside classes and escapes, with their places."""
    for found in re.finditer(r"\\.|\[\^?\]?(?:\\.|\[:\w+:\]|[^\]\\])*\]|[()|]", pattern, re.DOTALL):
        if found[0] in "()|":
            yield found.start(), found[0]


RUN = "run"
"""A node of our own: characters in a row, as a string."""


def _runs(nodes: Iterable[Node]) -> list[Node]:
    """The nodes with each row of characters as one."""
    found: list[Node] = []
    for literal, row in itertools.groupby(nodes, key=lambda node: node[0] is sre.LITERAL):
        parts = list(row)
        found += [(RUN, "".join(chr(part) for _, part in parts))] if literal else parts
    return found


def _beginnings(nodes: Sequence[Node]) -> tuple[set[str], bool]:
    """Strings of which every match of the nodes begins with one; and whether they are all of what can match."""
    found = {""}
    for at, (op, part) in enumerate(nodes):
        if op in (sre.MAX_REPEAT, sre.MIN_REPEAT) and part[0] == 0 and part[1] != 1:
            # none, and so what follows, or at least one
            more = _beginnings(nodes[at + 1 :])[0] | _beginnings(_runs(part[2]))[0]
            return _joined(found, more) or found, False
        piece, whole = _spelt(op, part)
        longer = _joined(found, piece)
        if longer is None:
            return found, False
        found = longer
        if not whole or min(map(len, found)) >= START_LENGTHS[-1]:
            return found, whole and at == len(nodes) - 1
    return found, True


def _spelt(op: Any, part: Any) -> tuple[set[str], bool]:
    """The same for one node that is not repeated at will; the empty string where nothing is sure."""
    if op is RUN:
        return {part}, True
    if op is sre.AT:
        return {""}, True
    if op is sre.IN:
        spelt = _members(part)
        # what follows a digit is spelt out ten times over, and spares little more
        return (spelt, not spelt >= DIGITS) if spelt else ({""}, False)
    if op is sre.SUBPATTERN and not part[1]:
        return _beginnings(_runs(part[3]))
    if op is sre.BRANCH:
        found = [_beginnings(_runs(way)) for way in part[1]]
        return set().union(*(f for f, _ in found)), all(whole for _, whole in found)
    if op in (sre.MAX_REPEAT, sre.MIN_REPEAT):
        least, most, inner = part
        found_inner, whole = _beginnings(_runs(inner))
        return found_inner | ({""} if least == 0 else set()), whole and most == 1
    return {""}, False


def _members(parts: list[Node]) -> set[str]:
    """The characters of a small class; none where it is large, negated or named."""
    found: set[str] = set()
    for op, part in parts:
        if op is sre.LITERAL:
            found.add(chr(part))
        elif op is sre.RANGE and part[1] - part[0] < SMALL_CLASS:
            found |= {chr(c) for c in range(part[0], part[1] + 1)}
        elif (op, part) == (sre.CATEGORY, sre.CATEGORY_DIGIT):
            found |= DIGITS
        else:
            return set()
    return found if len(found - DIGITS) <= SMALL_CLASS else set()


def _joined(left: set[str], right: set[str]) -> set[str] | None:
    """Every string of one followed by every string of the other; None where they would be too many."""
    return {a + b for a in left for b in right} if len(left) * len(right) <= MOST else None


def _inside(nodes: Sequence[Node]) -> set[str] | None:
    """Strings of which every match holds one, the choice that stands on the fewest lines as far as lengths tell."""
    choices: list[set[str]] = []
    run = {""}
    for op, part in nodes:
        piece, whole = _spelt(op, part)
        longer = _joined(run, piece)
        choices.append(longer or run)
        run = longer if longer and whole else {""}
        if op is sre.SUBPATTERN and not part[1]:
            choices.append(_inside(_runs(part[3])) or {""})
        elif op is sre.BRANCH:
            ways = [_inside(_runs(way)) or {""} for way in part[1]]
            choices.append(set().union(*ways))
        elif op in (sre.MAX_REPEAT, sre.MIN_REPEAT) and part[0] > 0:
            choices.append(_inside(_runs(part[2])) or {""})
    sure = [s for s in choices if "" not in s and min(map(_worth, s)) >= SHORTEST]
    return min(sure, key=lambda s: math.fsum(0.35 ** _worth(literal) for literal in s), default=None)


def _worth(literal: str) -> int:
    if literal.isascii():
        # "is " stands on as many lines as "is"
        return len(literal.strip()) + literal.count("@")
    # a sign or a wide character says as much as three letters
    return sum(3 if c in "©®™▶►▼▲■●◆" or c >= "\u2e80" else 1 for c in literal)
