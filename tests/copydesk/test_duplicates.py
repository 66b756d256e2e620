"""Which articles repeat one another: labelled pairs, and what holds of any set of articles."""

from __future__ import annotations

import datetime as dt
import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from copydesk import duplicates
from copydesk.cleaning import digests
from copydesk.duplicates import (
    COMPARISONS,
    REPEATS,
    SIMILAR,
    SKETCH,
    Found,
    compare_group,
    find_repeats,
    in_order,
    sketch,
)
from copydesk.lines import single_spaced
from copydesk.shingles import SHINGLES, Shingles, likeness, shingle, similarities, similarity

LABELLED = tomllib.loads(Path(__file__).with_name("duplicate_pairs.toml").read_text(encoding="utf-8"))
DAY = dt.date(2024, 5, 3)


def bodies_of(pair: dict[str, Any]) -> tuple[str, str]:
    one = (LABELLED["story"][pair["story"]] if "story" in pair else pair["text"]).strip()
    if "other" in pair:
        return one, pair["other"].strip()
    other = one
    for old, new in pair.get("changes", []):
        assert old in other
        other = other.replace(old, new)
    paragraphs = other.split("\n\n")[: -pair["cut"] if "cut" in pair else None]
    return one, "\n\n".join(filter(None, [pair.get("above"), *paragraphs, pair.get("below")]))


NOTHING = pl.DataFrame(schema=COMPARISONS)


def compared(
    bodies: dict[str, str],
    days: Sequence[dt.date | None] = (),
    order: Sequence[int] = (),
    known: pl.DataFrame = NOTHING,
    fetched: list[str] | None = None,
    pieces: int = 1,
) -> Found:
    """What repeats what among bodies by id, each published on its day, given in this order; `fetched` gets the ids of
    the bodies that were looked at."""
    frame = pl.DataFrame(
        {"doc_id": list(bodies), "body": list(bodies.values()), "published_on": list(days) or [DAY] * len(bodies)},
        schema={"doc_id": pl.String, "body": pl.String, "published_on": pl.Date},
    ).with_columns(published_at=pl.lit(None, pl.Datetime("us", "UTC")))
    frame = frame.with_columns(body_hash=digests(frame.select(single_spaced(pl.col("body"))).to_series()))
    frame = frame[list(order)] if order else frame
    unique = frame.unique("body_hash", keep="first", maintain_order=True)

    def fetch(ids: Sequence[str]) -> list[pl.DataFrame]:
        if fetched is not None:
            fetched.extend(ids)
        return [pl.DataFrame({"doc_id": [i], "body": [bodies[i]]}) for i in ids]

    found = find_repeats(
        frame.drop("body"), sketch(unique["body_hash"], unique["body"]),
        lambda groups: (compare_group(group, fetch, known) for group in groups), pieces,
    )  # fmt: skip
    assert dict(found.rows.schema) == REPEATS
    assert dict(found.comparisons.schema) == COMPARISONS
    return found


def repeats(bodies: dict[str, str], days: Sequence[dt.date | None] = (), order: Sequence[int] = ()) -> pl.DataFrame:
    return compared(bodies, days, order).rows


@pytest.mark.parametrize("pair", LABELLED["pair"], ids=lambda p: p["name"])
def test_a_labelled_pair(pair: dict[str, Any]) -> None:
    one, other = bodies_of(pair)
    found = repeats({"one": one, "other": other})
    assert [(row["doc_id"], row["duplicate_of"]) for row in found.to_dicts()] == [("other", "one")] * pair["near"]
    if pair["near"]:
        assert found["similarity"].item() == pytest.approx(similarity(one, other))


def test_the_threshold_stands_in_the_middle_of_the_evidence() -> None:
    near = [similarity(*bodies_of(p)) for p in LABELLED["pair"] if p["near"]]
    other = [similarity(*bodies_of(p)) for p in LABELLED["pair"] if not p["near"]]
    assert min(near) > SIMILAR + 0.1
    assert max(other) < SIMILAR - 0.1


FERRY, MILL = (LABELLED["story"][name].strip() for name in ("ferry", "mill"))


def test_the_first_of_a_cluster_is_the_earliest_then_the_smallest_id() -> None:
    bodies = {"c": FERRY, "b": FERRY + " It said.", "a": FERRY, "d": FERRY}
    later = dt.date(2024, 5, 4)
    assert repeats(bodies, [DAY, DAY, later, None])["duplicate_of"].to_list() == ["b", "b", "b"]
    assert repeats(bodies, [DAY, later, DAY, DAY]).rows() == [
        ("b", "a", "near", pytest.approx(0.99, abs=0.01)), ("c", "a", "exact", 1.0), ("d", "a", "exact", 1.0),
    ]  # fmt: skip


def test_white_space_makes_no_other_body_and_one_other_word_does() -> None:
    found = repeats({"a": FERRY, "b": FERRY.replace(" ", "\n"), "c": FERRY.replace("ferry", "boat")})
    assert found["kind"].to_list() == ["exact", "near"]


def test_small_changes_do_not_chain() -> None:
    """Of stories that change step by step, those far from the first start a cluster of their own."""
    words = [f"word{n:03}" for n in range(300)]
    sentences = [" ".join(words[n : n + 10]) + "." for n in range(0, 300, 10)]
    other = [" ".join(w.upper().replace("WORD", "term") for w in s.split()) for s in sentences]
    chain = {f"{n:02}": "\n\n".join([*other[:n], *sentences[n:]]) for n in range(0, 31, 3)}
    found = repeats(chain)
    of = dict(found.select("doc_id", "duplicate_of").iter_rows())
    assert of["03"] == "00"
    assert "09" not in of
    for doc_id, first in of.items():
        assert similarity(chain[doc_id], chain[first]) >= SIMILAR


def test_what_does_not_hang_together_may_be_compared_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    bodies = {f"{n}-{side}": body for n, pair in enumerate(LABELLED["pair"])
              for side, body in zip("ab", bodies_of(pair), strict=True)}  # fmt: skip
    at_once = compared(bodies)
    assert len(at_once.rows) > 5
    monkeypatch.setattr(duplicates, "WORTH_A_PIECE", 1)
    apart = compared(bodies, pieces=100)
    assert apart.rows.equals(at_once.rows)
    assert apart.comparisons.equals(at_once.comparisons)


def test_short_and_empty_texts() -> None:
    found = repeats({"a": "Yes.", "b": "Yes.", "c": "No.", "d": "–", "e": ""})
    assert found.rows() == [("b", "a", "exact", 1.0)]
    assert repeats({}).is_empty()


def test_many_copies_of_one_story_and_many_of_one_form() -> None:
    """Large clusters are found whole, and one notice below every story ties nothing together."""
    notice = "This newspaper is owned by those who read it. Write to the editor at any hour. All letters are answered."
    stories = {f"s{n:03}": " ".join(f"Sentence {n * 50 + i} has its own words, number {n * 50 + i}." for i in range(20)) for n in range(300)}
    copies = {f"t{n:03}": FERRY.replace("eleven", str(n)) for n in range(200)}
    found = repeats({k: f"{v}\n\n{notice}" for k, v in stories.items()} | copies)
    assert found["duplicate_of"].unique().to_list() == ["t000"]
    assert len(found) == 199


PIECES = [p for text in (FERRY, MILL) for p in text.split("\n\n")]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.lists(st.sampled_from(PIECES), min_size=1, max_size=8), min_size=1, max_size=12),
    st.lists(st.sampled_from([DAY, dt.date(2024, 5, 4), None]), min_size=12, max_size=12),
    st.randoms(use_true_random=False),
)
def test_what_holds_of_any_articles(texts: list[list[str]], days: list[dt.date | None], random: Any) -> None:
    bodies = {f"{n:02}": "\n\n".join(pieces) for n, pieces in enumerate(texts)}
    found = repeats(bodies, days[: len(bodies)])
    order = random.sample(range(len(bodies)), len(bodies))
    assert repeats(bodies, days[: len(bodies)], order).equals(found)
    assert found["doc_id"].to_list() == sorted(set(found["doc_id"]))
    assert not set(found["doc_id"]) & set(found["duplicate_of"])
    rank = {n: (d is None, d or DAY, n) for n, d in zip(bodies, days, strict=False)}
    for one, first, kind, alike in found.iter_rows():
        assert rank[first] < rank[one]
        assert (kind == "exact") == (bodies[one] == bodies[first])
        assert alike == pytest.approx(similarity(bodies[one], bodies[first]))
        assert alike >= SIMILAR - 1e-6


VERSIONS = [*PIECES, *(p.replace("ferry", "boat").replace("mill", "plant") for p in PIECES)]
DAYS = st.sampled_from([DAY, dt.date(2024, 5, 4), None])
ARTICLES = st.dictionaries(
    st.integers(0, 9), st.tuples(st.lists(st.sampled_from(VERSIONS), min_size=1, max_size=6), DAYS), max_size=10
)


@settings(max_examples=30, deadline=None)
@given(st.lists(ARTICLES, min_size=2, max_size=4))
def test_what_was_compared_before_changes_nothing_but_the_work(history: list[dict[int, tuple[list[str], Any]]]) -> None:
    """Articles come, go, change and change places in time: the rows are those of a comparison from nothing."""
    known = NOTHING
    for articles in history:
        bodies = {f"{n}": "\n\n".join(pieces) for n, (pieces, _) in articles.items()}
        days = [day for _, day in articles.values()]
        fetched: list[str] = []
        found = compared(bodies, days, known=known, fetched=fetched)
        anew = compared(bodies, days)
        assert found.rows.equals(anew.rows)
        assert found.comparisons.equals(anew.comparisons)
        known = found.comparisons
        fetched.clear()
        assert compared(bodies, days, known=known, fetched=fetched).rows.equals(anew.rows)
        assert fetched == []


def test_only_what_new_articles_are_compared_with_is_looked_at() -> None:
    words = [f"w{n:04} x{n:04} y{n:04} z{n:04}." for n in range(200)]
    stories = {f"s{n}{v}": " ".join(words[n * 40 : n * 40 + 38 + v]) for n in range(5) for v in range(2)}
    before = compared(stories)
    assert len(before.rows) == 5
    fetched: list[str] = []
    new = compared(stories | {"s2b": stories["s21"] + " And more."}, known=before.comparisons, fetched=fetched)
    assert sorted(fetched) == ["s20", "s2b"]
    assert new.rows["doc_id"].to_list() == ["s01", "s11", "s21", "s2b", "s31", "s41"]
    fetched.clear()
    # the first of a cluster goes: its copies are compared with one another, which nobody foresaw
    del stories["s20"]
    gone = compared(stories | {"s2b": stories["s21"] + " And more."}, known=new.comparisons, fetched=fetched)
    assert gone.rows.equals(compared(stories | {"s2b": stories["s21"] + " And more."}).rows)
    assert dict(gone.rows.select("doc_id", "duplicate_of").iter_rows())["s2b"] == "s21"


WORDS = st.sampled_from(["ferry", "Ferry", "the", "café", "½", "x_y", "日本", "のニュース", "สวัสดี", "İstanbul", "ΟΔΟΣ", "–", "7"])


@settings(deadline=None)
@given(st.lists(st.lists(WORDS, max_size=30).map(" ".join), min_size=2, max_size=6))
def test_likeness_is_the_share_of_runs_of_words_in_common(bodies: list[str]) -> None:
    """By the plainest way to say so: Python's own sets of tuples of words."""
    spaceless = re.compile("[\u0e00-\u0eff\u3040-\u30ff\u4e00-\u9fff]")

    def runs(body: str) -> set[tuple[str, ...]]:
        words = re.findall(r"\w+", body.lower())
        if spaceless.search(body):
            words = re.findall(rf"{spaceless.pattern}|(?:(?!{spaceless.pattern})\w)+", body.lower())
        return {tuple(words[n : n + 5]) for n in range(max(1, len(words) - 4))}

    shingles = shingle(pl.Series(bodies))
    assert dict(shingles.schema) == SHINGLES
    for one, a in enumerate(bodies):
        said = similarities(pl.Series([a] * len(bodies)), pl.Series(bodies))
        for other, b in enumerate(bodies):
            share = len(runs(a) & runs(b)) / len(runs(a) | runs(b))
            assert said[other] == share
            alike = likeness(Shingles(shingles, one), Shingles(shingles, other), SIMILAR)
            assert alike == (share if share >= SIMILAR else None)


def test_a_sketch_depends_on_its_body_alone_and_stays_what_it_was() -> None:
    hashes = pl.Series(["a", "b", "c"])
    together = sketch(hashes, pl.Series([FERRY, MILL, "–"]))
    assert dict(together.schema) == SKETCH
    assert together.row(0) == sketch(hashes[:1], pl.Series([FERRY])).row(0)
    assert set(together.row(2)[1:]) == {None}
    # another number here means another METHOD: sketches are kept from run to run, and by different machines
    assert together.row(0)[1:4] == (4012134355, 3251320436, 1970419639)


def test_an_article_with_a_time_goes_before_one_with_the_day_alone() -> None:
    noon = dt.datetime(2024, 5, 3, 12, tzinfo=dt.UTC)
    frame = pl.DataFrame(
        {"doc_id": ["a", "b", "c"], "body_hash": ["x"] * 3, "published_on": [DAY, DAY, None], "published_at": [None, noon, None]},
        schema={"doc_id": pl.String, "body_hash": pl.String, "published_on": pl.Date, "published_at": pl.Datetime("us", "UTC")},
    )  # fmt: skip
    assert in_order(frame)["doc_id"].to_list() == ["b", "a", "c"]
