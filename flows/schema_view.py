"""`copydesk schema`: the contract of the datasets, printed, or held against files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from rich.table import Table
from rich.text import Text

from flows.contracts import dataset_of, file_differences
from flows.errors import UsageError
from flows.published import published_store
from flows.snapshots import SnapshotStore, is_bucket
from flows.summary import open_console
from flows.wording import shown
from schemas import DATASETS, SCHEMA_VERSION, Dataset
from schemas.dictionary import as_json, shortened


def print_schema(name: str | None, *, as_document: bool) -> None:
    """Print the schema of one dataset or of all: as tables, or as the JSON of the data dictionary."""
    chosen = [_named(name)] if name else list(DATASETS)
    said = as_json(chosen)
    if as_document:
        print(json.dumps(said, indent=1, ensure_ascii=False))
        return
    console = open_console()
    for dataset in chosen:
        table = Table(
            "column", "type", "null", "what it says", title_justify="left", pad_edge=False,
            title=f"{dataset.name} {SCHEMA_VERSION}: one row is {dataset.row}", box=None, title_style="bold",
        )  # fmt: skip
        for column in said["datasets"][dataset.name]["columns"]:
            words = "".join(f" {p}: {', '.join(w)}." for p, w in column.get("vocabulary", {}).items())
            table.add_row(
                Text(column["name"], "bold"),
                Text(column["type"], "cyan"),
                "yes" if column["nullable"] else "",
                Text.assemble(column["meaning"], (words, "dim"), (f" e.g. {shortened(column['example'])}", "dim")),
            )
        console.print(table)
        console.print()


def check_schema(given: Path | str, name: str | None) -> int:
    """Print a line a difference between files and their schema; returns the exit code, 0 or 1."""
    console = open_console()
    dataset = _named(name) if name else None
    files = differences = 0
    for where, lines in _checked(given, dataset):
        files += 1
        for line in lines:
            differences += 1
            console.print(Text.assemble(("differs  ", "red"), shown(f"{where}: {line}", 500)), soft_wrap=True)
    if differences:
        console.print(Text(f"{differences:,} differences from schema {SCHEMA_VERSION} in {files:,} files"))
        return 1
    console.print(Text.assemble(("agrees", "green"), f"  {files:,} files with schema {SCHEMA_VERSION}"))
    return 0


def _named(name: str) -> Dataset:
    for dataset in DATASETS:
        if dataset.name == name:
            return dataset
    raise UsageError(f"no dataset {name!r}; there are {', '.join(d.name for d in DATASETS)}")


def _checked(given: Path | str, dataset: Dataset | None) -> Iterator[tuple[str, Iterator[str]]]:
    """Each file with its differences; an output of ours has every dataset."""
    if is_bucket(given) or SnapshotStore(given).is_ours():
        store = published_store(given)
        snapshot = store.current()
        for due in [dataset] if dataset else DATASETS:
            parts = store.parts(snapshot, due.name) if snapshot else []
            if not parts:
                yield due.name, iter(["no file of this dataset is here"])
            yield from ((f"{due.name}/{part.name}", file_differences(part, due)) for part in parts)
        return
    path = Path(given)
    parts = [path] if path.is_file() else _parts(path)
    if not parts:
        what = "no such file or folder" if not path.exists() else "no Parquet file in"
        raise UsageError(f"{what}: {path}; name an output folder, the folder of a dataset, or a file")
    for part in parts:
        found = dataset or dataset_of(part)
        if found is None:
            raise UsageError(f"{part} does not say which dataset it is of: name it, `copydesk schema articles --check`")
        yield part.name, file_differences(part, found)


def _parts(folder: Path) -> list[Path]:
    return sorted(folder.resolve().glob("*.parquet")) if folder.is_dir() else []
