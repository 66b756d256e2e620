"""The contract as it was released holds: what a reader could trip over needs a new major version."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import polars as pl
import pytest

from schemas import DATASETS, SCHEMA_VERSION, Dataset
from schemas.contract import FOOTER
from schemas.dictionary import as_json
from schemas.evolution import Change, changes, released, version_due
from schemas.examples import EXAMPLES

NOW = as_json(DATASETS)


def number(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def test_the_version_says_what_changed_since_the_last_release() -> None:
    last = released()
    found = changes(last, NOW)
    due = version_due(last["schema_version"], found)
    assert number(SCHEMA_VERSION) >= number(due), f"SCHEMA_VERSION must be {due}: {'; '.join(c.line for c in found)}"
    assert found or last["schema_version"] == SCHEMA_VERSION, "a new version, and nothing that is new"


def column(dictionary: dict[str, Any], dataset: str, name: str) -> dict[str, Any]:
    return next(c for c in dictionary["datasets"][dataset]["columns"] if c["name"] == name)


def drop(dictionary: dict[str, Any], dataset: str, name: str) -> None:
    dictionary["datasets"][dataset]["columns"].remove(column(dictionary, dataset, name))


Edit = Callable[[dict[str, Any]], Any]
EDITS: list[tuple[str, Edit, bool, str]] = [
    ("a column is gone", lambda d: drop(d, "articles", "dateline"), True, "articles: column dateline is gone"),
    ("a column is retyped", lambda d: column(d, "articles", "word_count").update(type="int64"), True, "column word_count was int32 and is int64"),
    ("a struct gets a field", lambda d: column(d, "articles", "captions").update(type="list of struct (text string, credit string, alt string)"), True, "column captions was"),
    ("a column may be null", lambda d: column(d, "articles", "body").update(nullable=True), True, "body may be null now"),
    ("a column is never null", lambda d: column(d, "articles", "url").update(nullable=False), False, "url is never null now"),
    ("a column is new", lambda d: d["datasets"]["articles"]["columns"].append({"name": "x", "type": "string", "nullable": True}), False, "column x is new"),
    ("a dataset is gone", lambda d: d["datasets"].pop("ledger"), True, "ledger: the dataset is gone"),
    ("a dataset is new", lambda d: d["datasets"].update(more={"columns": []}), False, "more: a new dataset"),
    ("a word is gone", lambda d: column(d, "ledger", "role")["vocabulary"]["role"].remove("advert"), True, "role word advert is gone"),
    ("a word is new", lambda d: column(d, "articles", "authors")["vocabulary"]["authors.kind"].append("machine"), False, "authors.kind word machine is new"),
    ("a footer key is gone", lambda d: d["footer"].pop("copydesk.ruleset"), True, "footer: key copydesk.ruleset is gone"),
    ("a meaning is said better", lambda d: column(d, "articles", "body").update(meaning="Text.", example="?"), False, ""),
    ("columns change places", lambda d: d["datasets"]["ledger"]["columns"].reverse(), False, ""),
]  # fmt: skip


@pytest.mark.parametrize(("edit", "breaking", "line"), [e[1:] for e in EDITS], ids=[e[0] for e in EDITS])
def test_a_change_and_the_version_it_needs(edit: Edit, breaking: bool, line: str) -> None:
    new = copy.deepcopy(NOW)
    edit(new)
    found = changes(NOW, new)
    assert [c.breaking for c in found] == ([breaking] if line else [])
    assert line in "".join(c.line for c in found)
    assert version_due("3.7", found) == ("4.0" if breaking else "3.8" if line else "3.7")


def test_the_worst_change_decides() -> None:
    assert version_due("1.9", [Change("new", False), Change("gone", True)]) == "2.0"


@pytest.mark.parametrize("dataset", DATASETS, ids=lambda d: d.name)
def test_the_example_of_the_dictionary_is_a_row_of_the_contract(dataset: Dataset) -> None:
    row = EXAMPLES[dataset.name]
    assert list(row) == list(dataset.columns)
    assert dataset.failures(pl.DataFrame([row], schema=dataset.columns, orient="row")).is_empty()
    missing = {name for name, value in row.items() if value is None}
    assert missing <= {name for name, c in dataset.schema.columns.items() if c.nullable}


def test_the_dictionary_is_json_and_names_every_vocabulary() -> None:
    assert json.loads(json.dumps(NOW)) == NOW
    words = {p: w for d in NOW["datasets"].values() for c in d["columns"] for p, w in c.get("vocabulary", {}).items()}
    assert words["authors.kind"] == ["person", "agency", "staff"]
    assert {"warnings", "role", "published_precision", "published_zone_source", "verdict"} <= words.keys()
    assert NOW["footer"].keys() == FOOTER.keys()
