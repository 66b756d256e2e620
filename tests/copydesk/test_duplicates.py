"""Which articles repeat one another: labelled pairs, and what holds of any set of articles."""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from copydesk.cleaning import digests
from copydesk.duplicates import REPEATS, SIMILAR, SKETCH, find_repeats, in_order, similarity, sketch
from copydesk.lines import single_spaced

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


def repeats(bodies: dict[str, str], days: Sequence[dt.date | None] = (), order: Sequence[int] = ()) -> pl.DataFrame:
    """What repeats what among bodies by id, each published on its day, given in this order."""
    frame = pl.DataFrame(
        {"doc_id": list(bodies), "body": list(bodies.values()), "published_on": list(days) or [DAY] * len(bodies)},
        schema={"doc_id": pl.String, "body": pl.String, "published_on": pl.Date},
    ).with_columns(published_at=pl.lit(None, pl.Datetime("us", "UTC")))
    frame = frame.with_columns(body_hash=digests(frame.select(single_spaced(pl.col("body"))).to_series()))
    frame = frame[list(order)] if order else frame
    known = frame.unique("body_hash", keep="first", maintain_order=True)
    found = find_repeats(frame.drop("body"), sketch(known["body_hash"], known["body"]), lambda ids: {i: bodies[i] for i in ids})
    assert dict(found.schema) == REPEATS
    return found


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
