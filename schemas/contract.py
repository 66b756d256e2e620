"""What a dataset's contract is made of: a pandera schema, and what follows from it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pandera.polars as pa
import polars as pl
import pyarrow as arrow

SCHEMA_VERSION = "1.1"
"""Goes up by .1 for what is added, by 1 for anything a reader could trip over (`evolution`). In every file's footer."""
FOOTER_SCHEMA = "copydesk.schema"
FOOTER = {
    FOOTER_SCHEMA: "The dataset and the version of its schema, such as 'articles 1.0'.",
    "copydesk.ruleset": "The version of the rules, line model, profiles and site memory by which the file was written.",
    "copydesk.version": "The version of copydesk that wrote the file.",
}
"""What the footer of each part file says, by key. Each column's meaning stands there too, as its `description`."""
VALUE_LENGTH = 200
"""Characters of a failing value that are kept."""


class SchemaError(Exception):
    """A frame that breaks its contract in a way that belongs to no row: ours to mend, the run fails."""


@dataclasses.dataclass(frozen=True)
class Dataset:
    """A dataset: its name, what one row is, and the pandera schema that every row passes."""

    name: str
    row: str
    schema: pa.DataFrameSchema

    @property
    def vocabularies(self) -> dict[str, tuple[str, ...]]:
        """The closed vocabularies, by the column that takes its words from one: `role`, or `authors.kind` inside it."""
        return {
            f"{name}.{path}" if path else name: tuple(words)
            for name, column in self.schema.columns.items()
            for check in column.checks
            for path, words in (check.statistics or {}).items()
        }

    @property
    def columns(self) -> dict[str, pl.DataType]:
        """Column names and Polars types, in order."""
        return {name: _polars_type(column) for name, column in self.schema.columns.items()}

    def empty(self) -> pl.DataFrame:
        """The dataset without rows."""
        return pl.DataFrame(schema=self.columns)

    def arrow_schema(self, **footer: str) -> arrow.Schema:
        """The one Arrow schema of every file of the dataset: each column with its meaning as its metadata, and in the
        file's own the schema version and `footer`.
        """
        fields = [
            arrow.field(
                name,
                arrow_type(_polars_type(column)),
                nullable=bool(column.nullable),
                metadata={"description": column.description or ""},
            )
            for name, column in self.schema.columns.items()
        ]
        return arrow.schema(fields, metadata={FOOTER_SCHEMA: f"{self.name} {SCHEMA_VERSION}", **footer})

    def failures(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Validate an eager frame. Returns `row` (its number), `check`, `column`, `value`: one row a failure.

        Raises SchemaError where a failure belongs to no row: a missing or surplus column, a wrong type.
        """
        try:
            self.schema.validate(frame, lazy=True)
        except pa.errors.SchemaErrors as errors:
            return self._rows(errors.failure_cases)
        return pl.DataFrame(schema=FAILURE)

    def _rows(self, cases: pl.DataFrame) -> pl.DataFrame:
        cases = cases.with_columns(pl.col("index").cast(pl.UInt32, strict=False))
        frameless = cases.filter(pl.col("index").is_null())
        if len(frameless):
            first = frameless.row(0, named=True)
            raise SchemaError(
                f"{self.name}: {first['column']}: {first['check']}: {str(first['failure_case'])[:VALUE_LENGTH]}"
            )
        return cases.select(
            row="index",
            check="check",
            column=pl.when(pl.col("schema_context") == "Column").then(pl.col("column").cast(pl.String)),
            value=pl.col("failure_case").cast(pl.String).str.head(VALUE_LENGTH),
        ).sort("row", "check")


FAILURE = {"row": pl.UInt32, "check": pl.String, "column": pl.String, "value": pl.String}


def _polars_type(column: pa.Column) -> pl.DataType:
    kind: pl.DataType = column.dtype.type
    return kind


def arrow_type(kind: Any) -> arrow.DataType:
    """The plain Arrow type that every reader knows for a Polars type."""
    if isinstance(kind, pl.List):
        return arrow.list_(arrow_type(kind.inner))
    if isinstance(kind, pl.Struct):
        return arrow.struct([arrow.field(f.name, arrow_type(f.dtype)) for f in kind.fields])
    if isinstance(kind, pl.Datetime):
        return arrow.timestamp(kind.time_unit, tz=kind.time_zone)
    plain = {
        pl.String: arrow.string(), pl.Binary: arrow.binary(), pl.Date: arrow.date32(), pl.Boolean: arrow.bool_(),
        pl.Int32: arrow.int32(), pl.Int64: arrow.int64(), pl.Float32: arrow.float32(), pl.Float64: arrow.float64(),
    }  # fmt: skip
    return plain[type(kind) if isinstance(kind, pl.DataType) else kind]


def column(kind: Any, meaning: str, *checks: pa.Check, nullable: bool = True) -> pa.Column:
    """A column of a contract; `meaning` is what the data dictionary says of it."""
    return pa.Column(kind, list(checks), nullable=nullable, description=meaning)


def check(
    name: str, ok: Callable[[pl.Expr], pl.Expr], vocabulary: Mapping[str, Iterable[str]] | None = None
) -> pa.Check:
    """A check of one column, named for the reasons in the quarantine; a null passes.

    `vocabulary` says which words it allows, for the data dictionary: by field inside the column, "" for itself.
    """
    words = {path: tuple(allowed) for path, allowed in (vocabulary or {}).items()}
    return pa.Check(
        lambda data: data.lazyframe.select(ok(pl.col(data.key))), name=name, error=name, statistics=words
    )


def across(name: str, ok: pl.Expr) -> pa.Check:
    """A check of one column beside others of its row; a null passes.

    It hangs on a column because pandera 0.35 cannot build the failure cases of a frame-wide check over structs.
    """
    return pa.Check(
        lambda data: data.lazyframe.select(pl.col(data.key).is_null() | ok.fill_null(True)),
        name=name,
        error=name,
    )


def one_of(name: str, words: tuple[str, ...]) -> pa.Check:
    """The column's values are of a closed vocabulary."""
    return check(name, lambda c: c.is_in(words), {"": words})


UNIQUE = check("value_is_unique", lambda c: c.is_unique())
"""No two rows share the value."""
