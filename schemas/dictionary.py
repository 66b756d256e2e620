"""The data dictionary: what the contracts say, as Markdown tables for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as arrow

from copydesk.roles import FIELDS, FURNITURE
from schemas.articles import ARTICLES, WARNINGS
from schemas.contract import SCHEMA_VERSION, Dataset, arrow_type
from schemas.ledger import LEDGER


def column_table(dataset: Dataset) -> str:
    """One row a column: name, type, whether it may be null, meaning."""
    rows = [
        (
            f"`{name}`",
            type_words(arrow_type(kind)),
            "yes" if column.nullable else "",
            column.description or "",
        )
        for (name, kind), column in zip(dataset.columns.items(), dataset.schema.columns.values(), strict=True)
    ]
    return _table(("column", "type", "null", "what it says"), rows)


def check_table(dataset: Dataset) -> str:
    """One row a check, as named in the reasons of the quarantine: its name and the columns it looks at."""
    columns: dict[str, list[str]] = {}
    for name, column in dataset.schema.columns.items():
        for check in column.checks:
            columns.setdefault(str(check.name), []).append(f"`{name}`")
    return _table(
        ("check", "columns"), [(f"`{check}`", ", ".join(names)) for check, names in columns.items()]
    )


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
    yield f"Schema version {SCHEMA_VERSION}; it stands in the footer of every file (`copydesk.schema`),"
    yield "beside the version of the rules (`copydesk.ruleset`). A column may be null where its table says."
    for dataset in datasets:
        yield f"\n## `{dataset.name}`\n\nOne row is {dataset.row}.\n"
        yield column_table(dataset)
        if dataset is ARTICLES:
            yield f"\n### Warnings\n\n{warning_table()}"
        if dataset is LEDGER:
            yield f"\n### Roles\n\nFields of the article: {_words(FIELDS)}."
            yield f"\nFurniture: {_words(FURNITURE)}."
        yield f"\n### Checks\n\nEvery row passed them all.\n\n{check_table(dataset)}"
    yield ""


def _words(words: tuple[str, ...]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
