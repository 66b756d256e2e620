"""How a contract may change: what each difference between two data dictionaries means to those who read the files."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RELEASED = Path(__file__).with_name("released.json")
"""The data dictionary as last released: what today's is held against."""

Dictionary = Mapping[str, Any]
"""A data dictionary, as `dictionary.as_json` makes it."""


@dataclass(frozen=True, slots=True)
class Change:
    """One difference, in words, and whether a program that read the old files could trip over it."""

    line: str
    breaking: bool


def released() -> Dictionary:
    """The data dictionary of the last release."""
    found: Dictionary = json.loads(RELEASED.read_text(encoding="utf-8"))
    return found


def changes(old: Dictionary, new: Dictionary) -> list[Change]:
    """What has changed from one data dictionary to another; words that merely explain do not count.

    Added datasets, columns, words and footer keys, and columns that are never null any more, harm nobody. What
    is gone, has another type, or may be null where it could not, may.
    """
    found = [Change(f"footer: {word}", gone) for word, gone in _compared(old["footer"], new["footer"], "key")]
    for name, before in old["datasets"].items():
        after = new["datasets"].get(name)
        if after is None:
            found.append(Change(f"{name}: the dataset is gone", breaking=True))
            continue
        found += [Change(f"{name}: {line}", breaking) for line, breaking in _columns(before, after)]
    return found + [Change(f"{n}: a new dataset", breaking=False) for n in new["datasets"] if n not in old["datasets"]]


def version_due(version: str, found: list[Change]) -> str:
    """The lowest version that `found` may be published as, after `version`.

    >>> version_due("1.4", []), version_due("1.4", [Change("a: new", False)]), version_due("1.4", [Change("", True)])
    ('1.4', '1.5', '2.0')
    """
    major, minor = map(int, version.split("."))
    if any(change.breaking for change in found):
        return f"{major + 1}.0"
    return f"{major}.{minor + 1}" if found else version


def _columns(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[tuple[str, bool]]:
    old, new = ({column["name"]: column for column in dataset["columns"]} for dataset in (before, after))
    yield from ((f"column {line}", gone) for line, gone in _compared(old, new, ""))
    for name in old.keys() & new.keys():
        was, now = old[name], new[name]
        if was["type"] != now["type"]:
            yield f"column {name} was {was['type']} and is {now['type']}", True
        if was["nullable"] != now["nullable"]:
            yield f"column {name} {'may be null now' if now['nullable'] else 'is never null now'}", now["nullable"]
        words, more = was.get("vocabulary", {}), now.get("vocabulary", {})
        for path in sorted(words.keys() | more.keys()):
            yield from (
                (f"{path} {line}", gone) for line, gone in _compared(words.get(path, ()), more.get(path, ()), "word")
            )


def _compared(old: Any, new: Any, kind: str) -> Iterator[tuple[str, bool]]:
    """Names that are gone (which breaks) and names that are new."""
    yield from ((f"{kind} {name} is gone".strip(), True) for name in old if name not in new)
    yield from ((f"{kind} {name} is new".strip(), False) for name in new if name not in old)
