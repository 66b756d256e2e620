"""A rule that would take most of an article takes none of it, and the article says so."""

from __future__ import annotations

from pathlib import Path

import pytest

import copydesk
from copydesk.cleaning import Cleaned, open_desk

RULE = """
role = "advert"
[[rule]]
name = "mentions_ferry"
why = "Written for one page, and wrong on most."
pattern = 'ferry'
max_length = 300
drops = ["Book your ferry now"]
keeps = ["Book your train now"]
"""
FERRY = [
    f"The ferry of {town} sails again from Monday, the council said, after a winter in which nobody could cross."
    for town in ("Marlow", "Henley", "Goring", "Wargrave", "Sonning")
]
OTHER = "The town hall stays shut on Thursday, as the mayor and all of her staff are on the island for the day."


def _clean(paragraphs: list[str], folder: Path) -> Cleaned:
    (folder / "own.toml").write_text(RULE)
    return copydesk.clean("\n\n".join(["Boats sail again in spring", *paragraphs]), desk=open_desk([folder]))


def _rules(cleaned: Cleaned) -> list[str]:
    return cleaned.ledger.filter(cleaned.ledger["role"] != "headline")["rule"].to_list()


def test_beyond_its_budget_a_rule_takes_nothing(tmp_path: Path) -> None:
    cleaned = _clean([*FERRY, OTHER], tmp_path)
    assert cleaned.articles["body"].item().split("\n\n") == [*FERRY, OTHER]
    assert "loss_guard" in cleaned.articles["warnings"].item()
    assert _rules(cleaned) == ["loss_guard"] * 5 + ["paragraph"]


@pytest.mark.parametrize(
    ("paragraphs", "why"),
    [
        ([*FERRY[:3], OTHER], "three paragraphs may always go"),
        ([*FERRY[:4], OTHER, OTHER.replace("Thursday", "Friday"), OTHER.replace("mayor", "clerk")], "within the budget"),
    ],
)
def test_within_its_budget_it_takes_them(paragraphs: list[str], why: str, tmp_path: Path) -> None:
    cleaned = _clean(paragraphs, tmp_path)
    assert "loss_guard" not in cleaned.articles["warnings"].item(), why
    assert not any("ferry" in p for p in cleaned.articles["body"].item().split("\n\n"))


def test_where_nothing_would_stay_the_page_is_quarantined_whole(tmp_path: Path) -> None:
    cleaned = _clean(FERRY, tmp_path)
    assert cleaned.articles.is_empty()
    assert cleaned.quarantine["reasons"].item()[0]["check"] == "not_an_article"
    assert FERRY[0] in cleaned.quarantine["text"].item()
