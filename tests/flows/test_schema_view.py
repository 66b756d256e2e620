"""`copydesk schema`: what it prints, and a line for each way in which a file differs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest

from copydesk import __version__
from flows.contracts import file_differences
from flows.errors import UsageError
from flows.parts import write_part
from flows.schema_view import check_schema, print_schema
from schemas import ARTICLES, DATASETS, LEDGER, SCHEMA_VERSION
from schemas.contract import FOOTER
from schemas.examples import EXAMPLES

Change = Callable[[pl.DataFrame], pl.DataFrame]


def row() -> pl.DataFrame:
    return pl.DataFrame([EXAMPLES["articles"]], schema=ARTICLES.columns, orient="row")


@pytest.fixture
def part(tmp_path: Path) -> Path:
    path = tmp_path / "articles" / "part-00000.parquet"
    path.parent.mkdir()
    write_part(row(), ARTICLES, path, ruleset="r1")
    return path


def test_all_schemas_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    print_schema(None, as_document=False)
    said = capsys.readouterr().out
    for dataset in DATASETS:
        assert f"{dataset.name} {SCHEMA_VERSION}: one row is {dataset.row}" in said
        for name in dataset.columns:
            assert f"\n{name} " in said
    assert "person, agency, staff" in said


def test_one_schema_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    print_schema("ledger", as_document=True)
    said = json.loads(capsys.readouterr().out)
    assert list(said["datasets"]) == ["ledger"]
    assert [c["name"] for c in said["datasets"]["ledger"]["columns"]] == list(LEDGER.columns)
    with pytest.raises(UsageError, match="no dataset 'legder'; there are articles"):
        print_schema("legder", as_document=True)


def test_the_footer_says_what_wrote_the_file(part: Path) -> None:
    schema = pq.read_schema(part)
    footer = {k.decode(): v.decode() for k, v in schema.metadata.items()}
    assert footer == {"copydesk.schema": f"articles {SCHEMA_VERSION}", "copydesk.ruleset": "r1", "copydesk.version": __version__}  # fmt: skip
    assert footer.keys() == FOOTER.keys()
    assert schema.field("dateline").metadata[b"description"] == ARTICLES.schema.columns["dateline"].description.encode()


DIFFERENT: dict[str, tuple[Change, list[str]]] = {
    "nothing": (lambda f: f, []),
    "a column is missing": (lambda f: f.drop("kicker"), ["column kicker (string) is missing"]),
    "a column too many": (lambda f: f.with_columns(mine=pl.lit(1)), ["column mine (int32) is not in the schema"]),
    "another type": (
        lambda f: f.with_columns(pl.col("word_count").cast(pl.Int64)),
        ["column word_count is int64 and should be int32"],
    ),
    "another order": (lambda f: f.select(reversed(f.columns)), ["its columns stand in another order"]),
    "text as categories": (lambda f: f.with_columns(pl.col("publisher").cast(pl.Categorical)), []),
    "a null": (
        lambda f: f.with_columns(body=pl.lit(None, pl.String)),
        ["row 0: body not_nullable None"],
    ),
    "a word nobody knows": (
        lambda f: pl.concat([f, f.with_columns(doc_id=pl.lit("b"), published_precision=pl.lit("roughly"))]),
        ["row 1: published_precision precision_is_known 'roughly'"],
    ),
}


@pytest.mark.parametrize(("change", "lines"), DIFFERENT.values(), ids=DIFFERENT)
def test_a_file_by_another_hand(change: Change, lines: list[str], tmp_path: Path) -> None:
    change(row()).write_parquet(tmp_path / "mine.parquet")
    assert list(file_differences(tmp_path / "mine.parquet", ARTICLES)) == lines


def test_a_file_of_another_dataset_and_version(part: Path) -> None:
    assert next(file_differences(part, LEDGER)) == "its footer says that it is of articles, not of ledger"
    table = pq.read_table(part)
    pq.write_table(table.replace_schema_metadata({"copydesk.schema": "articles 9.0"}), part)
    assert list(file_differences(part, ARTICLES)) == [f"it is of schema 9.0; this copydesk knows {SCHEMA_VERSION}"]


def test_a_file_a_folder_and_what_is_neither(part: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check_schema(part, None) == check_schema(part.parent, None) == 0
    assert capsys.readouterr().out.count("agrees") == 2
    with pytest.raises(UsageError, match="no such file or folder"):
        check_schema(tmp_path / "nowhere", None)
    with pytest.raises(UsageError, match="no Parquet file in"):
        check_schema(tmp_path, None)
    (tmp_path / "x.parquet").write_text("PAR1?")
    with pytest.raises(UsageError, match=r"x\.parquet is no Parquet file"):
        check_schema(tmp_path / "x.parquet", None)
    row().write_parquet(tmp_path / "x.parquet")
    with pytest.raises(UsageError, match="does not say which dataset"):
        check_schema(tmp_path / "x.parquet", None)
    assert check_schema(tmp_path / "x.parquet", "articles") == 0


@pytest.mark.server
def test_an_output_folder(output: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check_schema(output, None) == 0
    for part in (output / "current" / "ledger").iterdir():
        part.unlink()
    part = next((output / "current" / "articles").iterdir())
    frame = pl.read_parquet(part).drop("tags")
    part.unlink()
    frame.write_parquet(part)
    assert check_schema(output, None) == 1
    said = capsys.readouterr().out
    assert f"articles/{part.name}: column tags (list of string) is missing" in said
    assert "ledger: no file of this dataset is here" in said
    assert "2 differences from schema" in said
