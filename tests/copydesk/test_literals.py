"""What a line must show for an expression to match is never asked of a line that does not need it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copydesk.literals import Need, branches, work_out

CASES = [
    # starts at the line's start
    (r"^(?:read|see) also *:", {"read als", "see also"}, set()),
    (r"^follow .{2,60}@[a-z]+", {"follow"}, set()),
    (r"^(?:also )?sign(?:ing)? up\b", {"also sign up", "also signing", "sign u", "signing "}, set()),
    (r"^[»>] ?more on", {"» more o", "> more o", "»more on", ">more on"}, set()),
    (r"^(?:▶ *)+[^ ]", {"▶", "▶ "}, set()),
    # stands anywhere
    (r"all rights? reserved", set(), {"all right reserved", "all rights reserved"}),
    (r"^.{0,60}(?:newsletter|in-?box)$", set(), {"newsletter", "inbox", "in-box"}),
    (r"^[a-z]+ (?:is|was) (?:a reporter|an editor)\b", set(), {" is a reporter", " was a reporter", " is an editor", " was an editor"}),
    (r"^\pL+ ago", set(), {" ago"}),
    (r"^(?:img)? ?\d/\d", {"img ", *"0123456789", *(f"img{n}" for n in range(10))}, set()),
    (r"^[#(]\pL", {"#", "("}, set()),
    # nothing is sure
    (r"^[a-z]+$", set(), set()),
    (r"^(?:tel|p|t)? ?\d+$", set(), set()),
    (r"^(?i:share)", set(), set()),
    (r"[[:alpha:]]+", set(), set()),
    (r"(unclosed", set(), set()),
]  # fmt: skip


@pytest.mark.parametrize(("expression", "starts", "holds"), CASES)
def test_need(expression: str, starts: set[str], holds: set[str]) -> None:
    assert work_out(expression) == Need(frozenset(starts), frozenset(holds))


def test_branches_are_split_outside_groups_and_classes() -> None:
    assert branches(r"^a(?:b|c)|[|)(]d|e\|f") == [r"^a(?:b|c)", "[|)(]d", r"e\|f"]


_piece = st.recursive(
    st.sampled_from(["read", "more", "s", " ", "[ab]", "[^c]", ".", "@", "\\d", "é", "関連"]),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=4).map("".join),
        st.lists(inner, min_size=2, max_size=3).map(lambda ways: f"(?:{'|'.join(ways)})"),
        st.tuples(inner, st.sampled_from(["?", "*", "+", "{0,2}", "{1,2}"])).map(lambda p: f"(?:{p[0]}){p[1]}"),
    ),
    max_leaves=8,
)


@given(st.tuples(st.sampled_from(["", "^"]), _piece).map("".join), st.data())
def test_every_match_shows_what_is_needed(expression: str, data: st.DataObject) -> None:
    found = work_out(branches(expression)[0])
    # to RE2 a digit is an ASCII digit
    line = data.draw(st.from_regex(re.compile(branches(expression)[0], re.ASCII), fullmatch=False)).lstrip(" ")
    if re.search(branches(expression)[0], line, re.ASCII):
        assert not found.starts or line.startswith(tuple(found.starts))
        assert not found.holds or any(literal in line for literal in found.holds)
