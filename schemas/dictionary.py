"""The data dictionary: what the contracts say, as Markdown tables for people and as JSON for programs."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as arrow

from copydesk.roles import FIELDS, FURNITURE
from schemas.articles import ARTICLES, WARNINGS
from schemas.contract import FOOTER, SCHEMA_VERSION, Dataset, arrow_type
from schemas.examples import EXAMPLES
from schemas.ledger import LEDGER

EXAMPLE_LENGTH = 90
"""Characters of an example that a table shows."""


def as_json(datasets: Sequence[Dataset]) -> dict[str, Any]:
    """The whole data dictionary as JSON-ready values: `schema_version`, `footer`, and `datasets` by name.

    Each dataset has `row`, `columns` and `checks` (the columns of each); a column `name`, `type`, `nullable`,
    `meaning`, `example`, and where its words are closed `vocabulary`, by its path.
    """
    return {
        "schema_version": SCHEMA_VERSION,
        "footer": dict(FOOTER),
        "datasets": {
            d.name: {"row": d.row, "columns": _columns(d), "checks": _checks(d)} for d in datasets
        },
    }


def column_table(dataset: Dataset) -> str:
    """One row a column: name, type, whether it may be null, meaning."""
    rows = [
        (f"`{c['name']}`", c["type"], "yes" if c["nullable"] else "", c["meaning"]) for c in _columns(dataset)
    ]
    return _table(("column", "type", "null", "what it says"), rows)


def example_table(dataset: Dataset) -> str:
    """One row a column: its example, as JSON."""
    rows = [(f"`{c['name']}`", f"`{shortened(c['example'])}`") for c in _columns(dataset)]
    return _table(("column", "for example"), rows)


def check_table(dataset: Dataset) -> str:
    """One row a check, as named in the reasons of the quarantine: its name and the columns it looks at."""
    return _table(
        ("check", "columns"),
        [(f"`{check}`", ", ".join(f"`{n}`" for n in names)) for check, names in _checks(dataset).items()],
    )


def shortened(example: Any) -> str:
    """An example of a column as JSON, cut to what a table can show."""
    text = json.dumps(example, ensure_ascii=False)
    return text if len(text) <= EXAMPLE_LENGTH else text[:EXAMPLE_LENGTH] + "…"


def _columns(dataset: Dataset) -> list[dict[str, Any]]:
    found = []
    for (name, kind), column in zip(dataset.columns.items(), dataset.schema.columns.values(), strict=True):
        words = {p: list(w) for p, w in dataset.vocabularies.items() if p.split(".")[0] == name}
        found.append(
            {
                "name": name,
                "type": type_words(arrow_type(kind)),
                "nullable": bool(column.nullable),
                "meaning": column.description or "",
                "example": _plain(EXAMPLES[dataset.name][name]),
                **({"vocabulary": words} if words else {}),
            }
        )
    return found


def _checks(dataset: Dataset) -> dict[str, list[str]]:
    """The columns that each check looks at."""
    columns: dict[str, list[str]] = {}
    for name, column in dataset.schema.columns.items():
        for check in column.checks:
            columns.setdefault(str(check.name), []).append(name)
    return columns


def _plain(value: Any) -> Any:
    """A value as JSON has it: days and instants in ISO 8601."""
    return value.isoformat() if isinstance(value, dt.date) else value


def warning_table() -> str:
    """One row a word of the articles' `warnings`."""
    return _table(
        ("warning", "what it tells a reader"), [(f"`{name}`", meaning) for name, meaning in WARNINGS.items()]
    )


def dictionary(datasets: tuple[Dataset, ...]) -> str:
    """The whole data dictionary as one Markdown page."""
    return "\n".join(_page(datasets))


def type_words(kind: arrow.DataType) -> str:
    """An Arrow type in the words of the documentation.

    >>> type_words(arrow.list_(arrow.struct([("text", arrow.string()), ("credit", arrow.string())])))
    'list of struct (text string, credit string)'
    >>> type_words(arrow.timestamp("us", tz="UTC"))
    'timestamp[us, UTC]'
    """
    if arrow.types.is_list(kind):
        return f"list of {type_words(kind.value_type)}"
    if arrow.types.is_struct(kind):
        return f"struct ({', '.join(f'{f.name} {type_words(f.type)}' for f in kind)})"
    if arrow.types.is_timestamp(kind):
        return f"timestamp[{kind.unit}, {kind.tz}]"
    plain = {"date32[day]": "date", "double": "float64", "float": "float32", "bool": "boolean"}
    return plain.get(str(kind), str(kind))


def _page(datasets: tuple[Dataset, ...]) -> Iterator[str]:
    yield "# Data dictionary"
    yield ""
    yield "<!-- Written by `make docs` from the schemas: change those. -->"
    yield ""
    yield f"Schema version {SCHEMA_VERSION}. A column may be null where its table says. The same for programs is in"
    yield "[data-dictionary.json](data-dictionary.json), which `copydesk schema --json` prints."
    yield "\n## What stands in a file's footer\n"
    yield _table(("key", "what it says"), [(f"`{key}`", meaning) for key, meaning in FOOTER.items()])
    yield "\nEach column carries its meaning there too, as its `description`."
    yield "\n## What may change\n"
    yield "Within a major version things are only added: datasets, columns, words of a vocabulary, keys of the footer."
    yield "What could trip a reader (a column that is gone, has another type, or may be null where it could not; a word"
    yield "that is gone) makes a new major version. A test holds this against the schema as last released."
    for dataset in datasets:
        yield f"\n## `{dataset.name}`\n\nOne row is {dataset.row}.\n"
        yield column_table(dataset)
        if dataset is ARTICLES:
            yield f"\n### Warnings\n\n{warning_table()}"
        if dataset is LEDGER:
            yield f"\n### Roles\n\nFields of the article: {_words(FIELDS)}."
            yield f"\nFurniture: {_words(FURNITURE)}."
        for path, words in dataset.vocabularies.items():
            if path not in ("warnings", "role"):
                yield f"\nWords of `{path}`: {_words(words)}."
        yield f"\n### An example\n\n{example_table(dataset)}"
        yield f"\n### Checks\n\nEvery row passed them all.\n\n{check_table(dataset)}"
    yield ""


def _words(words: tuple[str, ...]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
