"""The contracts: what each check says of a row, and the Arrow schemas that follow from them."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pyarrow as pa
import pytest

from copydesk.cleaning import LEDGER as LEDGER_COLUMNS
from copydesk.cleaning import PAGE
from copydesk.cleaning import QUARANTINE as QUARANTINE_COLUMNS
from copydesk.fields import ARTICLE
from schemas import ARTICLES, DATASETS, LEDGER, PAGES, QUARANTINE, RUNS, Dataset, SchemaError
from schemas.contract import VALUE_LENGTH

HASH = "0" * 32
UTC = dt.UTC
ARTICLE_ROW: dict[str, Any] = {
    "doc_id": "a", "url": None, "publisher": "P", "language": "en", "headline": "H", "kicker": None, "standfirst": None,
    "authors": [{"name": "Ann Lee", "kind": "person", "role": None, "email": None, "affiliation": None}], "byline_raw": ["By Ann Lee"],
    "published_on": dt.date(2024, 5, 3), "published_at": dt.datetime(2024, 5, 3, 9, tzinfo=UTC), "published_precision": "minute",
    "published_zone": "GMT", "published_zone_source": "stated", "published_raw": "3 May 2024 09:00 GMT",
    "modified_on": None, "modified_at": None, "modified_raw": None, "dateline": None, "captions": [{"text": "T", "credit": None}],
    "section": None, "tags": [], "body": "B.", "word_count": 1, "from_metadata": [], "warnings": [],
    "content_hash": HASH, "text_hash": HASH, "body_hash": HASH, "source": "a.txt", "ruleset": "1",
}  # fmt: skip
SPAN: dict[str, Any] = {
    "doc_id": "a", "line_no": 0, "char_start": 0, "char_end": 3, "role": "share", "rule": "r", "confidence": 1.0, "text": "abc",
}  # fmt: skip
PAGE_ROW: dict[str, Any] = {
    "doc_id": "a", "url": None, "source": "a", "text": "t", "raw": None, "content_hash": HASH, "encoding": "utf-8", "problems": [],
}  # fmt: skip
WAITING: dict[str, Any] = {
    "doc_id": "a", "source": "a", "content_hash": HASH, "text": "t", "raw": None,
    "reasons": [{"check": "c", "column": None, "value": None}], "ruleset": "1",
}  # fmt: skip
GOOD = {ARTICLES.name: ARTICLE_ROW, LEDGER.name: SPAN, PAGES.name: PAGE_ROW, QUARANTINE.name: WAITING}
AUTHOR = ARTICLE_ROW["authors"][0]


def frame(dataset: Dataset, *rows: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=dataset.columns, orient="row")


def checks(dataset: Dataset, *rows: dict[str, Any]) -> list[str]:
    return dataset.failures(frame(dataset, *rows))["check"].to_list()


@pytest.mark.parametrize("dataset", [ARTICLES, LEDGER, PAGES, QUARANTINE], ids=lambda d: d.name)
def test_a_good_row_passes(dataset: Dataset) -> None:
    assert checks(dataset, GOOD[dataset.name]) == []
    assert dataset.failures(dataset.empty()).is_empty()


FAILING: list[tuple[Dataset, dict[str, Any], str]] = [
    (ARTICLES, {"doc_id": " "}, "text_is_not_blank"),
    (ARTICLES, {"language": "English"}, "language_is_bcp47"),
    (ARTICLES, {"headline": ""}, "text_is_not_blank"),
    (ARTICLES, {"headline": "x" * 601}, "headline_is_short"),
    (ARTICLES, {"authors": [AUTHOR | {"name": " "}]}, "author_has_name"),
    (ARTICLES, {"authors": [AUTHOR, AUTHOR | {"name": None}]}, "author_has_name"),
    (ARTICLES, {"authors": [AUTHOR | {"kind": "robot"}]}, "author_kind_is_known"),
    (ARTICLES, {"authors": [AUTHOR | {"kind": None}]}, "author_kind_is_known"),
    (ARTICLES, {"published_on": dt.date(1066, 10, 14), "published_at": None}, "day_is_plausible"),
    (ARTICLES, {"published_precision": None}, "day_has_precision"),
    (ARTICLES, {"published_precision": "roughly"}, "precision_is_known"),
    (ARTICLES, {"published_zone": None}, "instant_has_day_and_zone"),
    (ARTICLES, {"published_at": dt.datetime(2024, 5, 9, tzinfo=UTC)}, "instant_is_near_its_day"),
    (ARTICLES, {"published_zone_source": "guessed"}, "zone_source_is_known"),
    (ARTICLES, {"modified_on": dt.date(3000, 1, 1)}, "day_is_plausible"),
    (ARTICLES, {"captions": [{"text": None, "credit": None}]}, "caption_is_not_blank"),
    (ARTICLES, {"body": "\n \n"}, "text_is_not_blank"),
    (ARTICLES, {"word_count": 0}, "words_are_counted"),
    (ARTICLES, {"warnings": ["no_such"]}, "warning_is_known"),
    (ARTICLES, {"text_hash": "abc"}, "hash_is_32_hex_digits"),
    (LEDGER, {"line_no": -1}, "line_is_counted"),
    (LEDGER, {"char_end": 0}, "span_is_not_empty"),
    (LEDGER, {"role": "fluff"}, "role_is_known"),
    (LEDGER, {"rule": ""}, "rule_is_named"),
    (LEDGER, {"confidence": 1.5}, "confidence_is_a_share"),
    (LEDGER, {"text": None}, "text_is_kept"),
    (PAGES, {"doc_id": ""}, "id_is_not_blank"),
    (PAGES, {"doc_id": "x" * 2001}, "id_is_short"),
    (PAGES, {"url": "h" * 8001}, "url_is_short"),
    (QUARANTINE, {"reasons": []}, "reason_is_given"),
]


@pytest.mark.parametrize(
    ("dataset", "change", "check"), FAILING, ids=[f"{d.name}-{'-'.join(c)}-{k}" for d, c, k in FAILING]
)
def test_a_failing_row(dataset: Dataset, change: dict[str, Any], check: str) -> None:
    good = GOOD[dataset.name]
    more = {"doc_id": "b"} if "doc_id" not in change else {}
    failures = dataset.failures(frame(dataset, good, good | more | change))
    assert check in failures["check"].to_list()
    assert set(failures["row"]) == {1}
    assert max((len(v) for v in failures["value"] if v), default=0) <= VALUE_LENGTH


def test_what_may_be_null_passes() -> None:
    nothing = {n: None for n, c in ARTICLES.schema.columns.items() if c.nullable}
    assert checks(ARTICLES, ARTICLE_ROW | nothing) == []
    assert checks(LEDGER, SPAN | {"role": "body", "text": None}) == []


def test_ids_are_unique() -> None:
    assert checks(ARTICLES, ARTICLE_ROW, ARTICLE_ROW) == ["value_is_unique", "value_is_unique"]
    assert checks(QUARANTINE, WAITING, WAITING) == []  # ids may be what is wrong


@pytest.mark.parametrize("dataset", [ARTICLES, LEDGER, QUARANTINE], ids=lambda d: d.name)
def test_what_belongs_to_no_row_is_our_own_fault(dataset: Dataset) -> None:
    good = frame(dataset, GOOD[dataset.name])
    for wrong in (good.drop("doc_id"), good.with_columns(more=pl.lit(1)), good.with_columns(doc_id=pl.lit(1))):
        with pytest.raises(SchemaError, match=dataset.name):
            dataset.failures(wrong)


def test_the_library_and_the_contracts_agree() -> None:
    for dataset, columns in (
        (ARTICLES, ARTICLE),
        (LEDGER, LEDGER_COLUMNS),
        (QUARANTINE, QUARANTINE_COLUMNS),
        (PAGES, PAGE),
    ):
        assert pl.Schema(dataset.columns) == pl.Schema(columns)


@pytest.mark.parametrize("dataset", DATASETS, ids=lambda d: d.name)
def test_the_arrow_schema_is_plain_and_explicit(dataset: Dataset) -> None:
    schema = dataset.arrow_schema(more="said")
    assert schema.names == list(dataset.columns)
    assert schema.metadata[b"more"] == b"said"
    assert schema.metadata[b"copydesk.schema"].startswith(dataset.name.encode())

    def plain(kind: pa.DataType) -> bool:
        if pa.types.is_list(kind):
            return plain(kind.value_type)
        if pa.types.is_struct(kind):
            return all(plain(kind.field(n).type) for n in range(kind.num_fields))
        return not (
            pa.types.is_null(kind)
            or pa.types.is_large_string(kind)
            or pa.types.is_string_view(kind)
            or pa.types.is_dictionary(kind)
        )

    assert all(plain(field.type) for field in schema)
    for field in schema:
        assert field.nullable == dataset.schema.columns[field.name].nullable


@pytest.mark.parametrize("dataset", [*DATASETS, PAGES], ids=lambda d: d.name)
def test_every_column_says_what_it_is(dataset: Dataset) -> None:
    for column in dataset.schema.columns.values():
        assert column.description
        assert column.description.endswith(".")


def test_runs() -> None:
    assert RUNS.failures(RUNS.empty()).is_empty()
