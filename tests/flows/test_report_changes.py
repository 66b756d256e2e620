"""What changed between two runs, and the pieces of a page that the report shows."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from run_rows import publisher, run_row, runs_frame

import copydesk
from flows.changes import changes
from flows.figures import PIECE_LENGTH, PIECE_LINES, shard_figures
from flows.laws import whole_texts

SAME = run_row(0)


def rules(**spans: int) -> list[dict[str, Any]]:
    return [{"rule": name, "role": "other", "spans": n, "characters": n, "pages": n} for name, n in spans.items()]


@pytest.mark.parametrize(
    ("before", "now", "where", "found"),
    [
        (SAME, run_row(1, publisher("b.example", 10)), ("publishers", "appeared"), ["b.example"]),
        (SAME, run_row(1, publisher("b.example", 10)), ("publishers", "vanished"), ["tideline.example"]),
        (SAME, run_row(1, publisher(None, 3)), ("publishers", "appeared"), []),
        (SAME, run_row(1, by_rule=rules(paragraph=1, poll_box=2, quiz=7)), ("rules", "appeared"), ["quiz", "poll_box"]),
        (SAME, run_row(1, by_rule=[]), ("rules", "vanished"), ["paragraph"]),
        (SAME, run_row(1, warnings=[{"name": "no_date", "pages": 2}]), ("warnings", "appeared"), ["no_date"]),
        (run_row(0, failures=[{"name": "empty_page", "pages": 2}]), SAME, ("failures", "vanished"), ["empty_page"]),
    ],
)  # fmt: skip
def test_what_appeared_and_vanished(before: Any, now: Any, where: tuple[str, str], found: list[str]) -> None:
    assert [row["name"] for row in changes(before, now)[where[0]][where[1]]] == found


@pytest.mark.parametrize(
    ("articles", "byline", "cut", "found"),
    [
        (10, 0.5, 0.2, ["byline"]),
        (10, 0.9, 0.2, []),
        (10, 1.0, 0.6, ["cut"]),
        (10, 0.7, 0.9, ["cut", "byline"]),
        (4, 0.0, 0.9, []),  # too few to say
    ],
)
def test_a_publisher_whose_shares_moved_is_named(articles: int, byline: float, cut: float, found: list[str]) -> None:
    moved = changes(SAME, run_row(1, publisher("tideline.example", articles, byline=byline, cut=cut)))["moved"]
    assert [row["share"] for row in moved] == found


def test_rules_of_an_older_row_are_not_guessed() -> None:
    assert changes(run_row(0, by_rule=None), run_row(1))["rules"] is None


def test_another_source_and_other_rules_are_said() -> None:
    found = changes(SAME, run_row(1, source="elsewhere", ruleset="2"))
    assert (found["same_source"], found["same_rules"]) == (False, False)
    assert found["since"]["ruleset"] == "1"


names = st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 9))


@settings(deadline=None)
@given(names, names)
def test_nothing_is_both_new_and_gone_and_a_run_differs_not_from_itself(old: Any, new: Any) -> None:
    before, now = run_row(0, by_rule=rules(**old)), run_row(1, by_rule=rules(**new))
    found = changes(*runs_frame(before, now).to_dicts())["rules"]
    assert {row["name"] for row in found["appeared"]} == set(new) - set(old)
    assert {row["name"] for row in found["vanished"]} == set(old) - set(new)
    same = changes(now, now)
    assert not any([*same["rules"].values(), *same["publishers"].values(), same["moved"], same["roles"]])


def test_neighbours_of_one_rule_are_one_piece_and_long_furniture_is_cut_short() -> None:
    story = "\n\n".join(f"The council said on day {n} that the ferry would sail again before the winter." for n in range(30))
    menu = "\n".join(["Home"] * 20)
    page = copydesk.clean(f"Ferry fares rise\n\nBy Ann Lee\n\n{story}\n\n{menu}\n")
    pieces = shard_figures(page, whole_texts(page.articles, page.ledger))["worst_pages"][0]["pieces"]
    assert all((a["role"], a["rule"]) != (b["role"], b["rule"]) for a, b in itertools.pairwise(pieces))
    body = next(piece for piece in pieces if piece["kind"] == "body")
    assert (len(body["text"]), body["spans"]) == (PIECE_LENGTH, 30)
    assert body["left_out"] > 0
    home = pieces[-1]
    assert (home["role"], home["kind"], home["spans"]) == ("navigation", "furniture", 20)
    assert len(home["text"].split("\n")) == PIECE_LINES
    assert home["left_out"] == 6 * len("\nHome")
    assert sum(piece["spans"] for piece in pieces) == len(page.spans)
