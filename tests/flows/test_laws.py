"""The laws over frames: what they hold, and which line they say."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from copydesk import clean_pages
from copydesk.cleaning import Cleaned
from copydesk.lines import dense
from flows import laws
from flows.readers import open_source
from flows.shards import admit, lawful, validate


@pytest.fixture(scope="module")
def cleaned(seeds: Path) -> Cleaned:
    return clean_pages(pl.concat(open_source(seeds).batches()))


@pytest.fixture(scope="module")
def whole(cleaned: Cleaned) -> pl.DataFrame:
    return laws.whole_texts(cleaned.articles, cleaned.ledger)


@given(texts=st.lists(st.one_of(st.none(), st.text(st.characters(exclude_categories=["Cs"]), max_size=40), st.sampled_from([" ", "\u3000a\x85", "\x1c b", "\u200b"])), min_size=1))  # fmt: skip
@settings(deadline=None)
def test_dense_is_what_the_expression_says(texts: list[str | None]) -> None:
    series = pl.Series(texts, dtype=pl.String)
    assert dense(series).equals(series.str.replace_all(r"\s+", ""), null_equal=True)


def test_pages() -> None:
    assert laws.pages_add_up(3, 2, 1).passed
    assert laws.pages_add_up(3, 1, 1).broken == ("3 pages in, but 2 out",)
    assert laws.characters_balance(6, 1, 2, 3).passed
    assert laws.characters_balance(6, 1, 2, 4).broken == ("6 characters in, but 7 out",)


def test_the_ledger_holds_every_page(cleaned: Cleaned, whole: pl.DataFrame) -> None:
    """Put back together by line and place, the spans are the pages."""
    assert whole["text"].null_count() == 0
    assert laws.characters_add_up(cleaned.articles, whole).passed
    assert laws.every_span_has_a_rule(cleaned.ledger).passed
    assert laws.fields_stand_on_the_page(cleaned.articles, whole).passed


def test_spans_lie_on_the_page_where_they_say(seeds: Path, cleaned: Cleaned, whole: pl.DataFrame) -> None:
    texts = dict(pl.concat(open_source(seeds).batches()).select("doc_id", "text").iter_rows())
    for span in whole.iter_rows(named=True):
        page = texts[span["doc_id"]]
        assert page[span["char_start"] : span["char_end"]].strip() == span["text"]
        assert page.count("\n", 0, span["char_start"]) == span["line_no"]


def test_only_what_the_body_holds_is_null(cleaned: Cleaned) -> None:
    assert set(cleaned.ledger.filter(pl.col("text").is_null())["role"]) <= {"body", "subheading"}


def test_many_breaches_are_named_in_few_lines(cleaned: Cleaned, whole: pl.DataFrame) -> None:
    spoilt = cleaned.articles.with_columns(text_hash=pl.lit("0" * 32))
    broken = laws.characters_add_up(spoilt, whole).broken
    assert len(broken) == laws.NAMED + 1
    assert re.fullmatch(r"and \d+ more pages", broken[-1])
    nameless = cleaned.ledger.with_columns(rule=pl.lit(""))
    assert len(laws.every_span_has_a_rule(nameless).broken) == laws.NAMED + 1


@pytest.mark.parametrize(
    "column, value, check, told",
    [
        ("headline", "A headline of its own", "law_4", "headline: A headline of its own"),
        ("text_hash", "0" * 32, "law_2", "its spans are not its text (text_hash differs)"),
    ],
)
def test_a_page_that_breaks_a_law_waits_and_the_others_do_not(
    seeds: Path, column: str, value: str, check: str, told: str
) -> None:
    pages = pl.concat(open_source(seeds).batches())
    admitted = validate(clean_pages(admit(pages)), pages)
    broken = admitted.articles["doc_id"][3]
    spoilt = pl.when(pl.col("doc_id") == broken).then(pl.lit(value)).otherwise(column)
    spoilt_articles = admitted.articles.with_columns(spoilt.alias(column))
    kept, whole = lawful(dataclasses.replace(admitted, articles=spoilt_articles), pages)
    assert len(kept.articles) == len(admitted.articles) - 1
    (held,) = kept.quarantine.filter(pl.col("doc_id") == broken).iter_rows(named=True)
    assert held["reasons"] == [{"check": check, "column": "body", "value": told}]
    assert broken not in {*kept.ledger["doc_id"], *whole["doc_id"]}


def test_a_field_in_other_words(cleaned: Cleaned, whole: pl.DataFrame) -> None:
    for column in ("headline", "kicker", "dateline", "section", "published_raw", "modified_raw"):
        has = cleaned.articles.filter(pl.col(column).is_not_null()).head(1)
        (line,) = laws.fields_stand_on_the_page(has.with_columns(pl.lit("Otherwise").alias(column)), whole).broken
        assert line == f"{has['doc_id'].item()}: {column} 'Otherwise' stands in no span of its role"


def test_no_rows(cleaned: Cleaned) -> None:
    none, spans = cleaned.articles.clear(), cleaned.ledger.clear()
    whole = laws.whole_texts(none, spans)
    assert laws.characters_add_up(none, whole).passed
    assert laws.every_span_has_a_rule(spans).passed
    assert laws.fields_stand_on_the_page(none, whole).passed
