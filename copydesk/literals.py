"""What a text must contain for a pattern to match: spares nearly every line nearly every regular expression.

The idea is FilteredRE2's (https://github.com/google/re2, filtered_re2.h): one pass looks for all literals of all
rules at once, and a rule's own expression is tried only where one of its literals stands.
"""

from __future__ import annotations

from collections.abc import Iterator

SHORTEST = 3
"""Shorter literals stand on too many lines to spare anything (two characters do outside ASCII)."""


def required_literals(pattern: str) -> frozenset[str] | None:
    """Literals of which every match of `pattern` (Rust syntax) contains at least one; None where none are sure.

    >>> sorted(required_literals(r"^(?:read|see) also\\s*:"))
    [' also']
    >>> sorted(required_literals(r"^(?:lire|voir)\\s+|^notre enquête"))
    ['lire', 'notre enquête', 'voir']
    >>> required_literals(r"^\\d+ ?min$") is None
    False
    >>> required_literals(r"^[a-z]+$") is None
    True
    """
    found: set[str] = set()
    for branch in _branches(pattern):
        best = _best_of_branch(branch)
        if best is None:
            return None
        found |= best
    return frozenset(found)


def _signs(pattern: str, at: int = 0) -> Iterator[tuple[int, str]]:
    """The brackets of groups and the alternation signs from `at` on, outside classes and escapes, with their places."""
    while at < len(pattern):
        c = pattern[at]
        if c == "\\":
            at += 1
        elif c == "[":
            at = _class_end(pattern, at)
        elif c in "()|":
            yield at, c
        at += 1


def _branches(pattern: str) -> list[str]:
    """Split at the alternation signs outside all groups."""
    parts, start, depth = [], 0, 0
    for at, sign in _signs(pattern):
        depth += (sign == "(") - (sign == ")")
        if sign == "|" and depth == 0:
            parts.append(pattern[start:at])
            start = at + 1
    return [*parts, pattern[start:]]


def _best_of_branch(branch: str) -> set[str] | None:
    """The choice of literals in one branch that stands on the fewest lines, as far as their lengths tell."""
    choices: list[set[str]] = []
    run, at = "", 0

    def end_run() -> None:
        nonlocal run
        if run:
            choices.append({run})
        run = ""

    while at < len(branch):
        c = branch[at]
        if c == "(":
            end_run()
            close = _group_end(branch, at)
            inner = branch[at + 1 : close]
            at = close + 1
            if not _optional(branch, at) and not inner.startswith("?-u"):
                literals = required_literals(inner.removeprefix("?:"))
                if literals:
                    choices.append(set(literals))
        elif c == "[":
            end_run()
            at = _class_end(branch, at) + 1
        elif c == "\\" and branch[at + 1 : at + 2].isalnum():
            end_run()
            at += 2
            if branch[at - 1] in "pP":
                at = branch.index("}", at) + 1 if branch[at : at + 1] == "{" else at + 1
        elif c in ".^$*+?{":
            end_run()
            at = branch.index("}", at) + 1 if c == "{" else at + 1
        else:
            at += 1 if c != "\\" else 2
            if _optional(branch, at):
                end_run()
            else:
                run += branch[at - 1]
    end_run()
    sure = [s for s in choices if min(map(_worth, s)) >= SHORTEST]
    return min(sure, key=lambda s: sum(0.35 ** _worth(literal) for literal in s), default=None)


def _worth(literal: str) -> int:
    if literal.isascii():
        return len(literal)
    # a sign or a wide character says as much as three letters
    return sum(3 if c in "©®™▶►▼▲■●◆" or c >= "\u2e80" else 1 for c in literal)


def _optional(pattern: str, at: int) -> bool:
    return pattern[at : at + 1] in ("?", "*") or pattern[at : at + 2] in ("{0", "{,")


def _class_end(pattern: str, at: int) -> int:
    end = at + 2 if pattern[at + 1] == "^" else at + 1
    if pattern[end] == "]":
        end += 1
    while pattern[end] != "]":
        end += 2 if pattern[end] == "\\" else 1
    return end


def _group_end(pattern: str, at: int) -> int:
    """Where the group that opens at `at` closes."""
    depth = 0
    for end, sign in _signs(pattern, at):
        depth += (sign == "(") - (sign == ")")
        if depth == 0:
            return end
    raise ValueError(f"a group is never closed: {pattern!r}")
