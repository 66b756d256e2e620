"""The quality floor holds and goes down only by name; the quality report counts what it says."""

from __future__ import annotations

import collections
import itertools
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from benchmarks import quality, scoring

FLOOR = json.loads(scoring.FLOOR.read_text(encoding="utf-8"))
LEAD = "The council said on Monday evening that fares on the island ferry rise by a tenth in May."
NEXT = "Passengers who hold a yearly ticket pay the old fare until the end of the summer, it said."
SCORER = '''
"""A stand-in for a scorer: words instead of shingles, one share for all."""
import collections, json, sys

def shingles(text):
    return collections.Counter(text.split())

def body_scores(gold, found):
    g, f = shingles(gold), shingles(found)
    hit = (g & f).total()
    return (hit / f.total(), hit / g.total(), 2 * hit / (f + g).total()) if hit else (0.0, 0.0, 0.0)

def main():
    print("scored", sys.argv[sys.argv.index("--text") + 1])
    with open(sys.argv[sys.argv.index("--json") + 1], "w") as file:
        json.dump({"body": {"all": {"f1": 0.5}}, "fields": {"made": {"headline exact, in text": 1.0}}}, file)

main()
'''


# the floor


def test_every_entry_of_the_floor_is_known() -> None:
    assert set(FLOOR) == {"seeds", *scoring.PAGES}


@pytest.mark.parametrize("name", FLOOR)
def test_quality_is_not_below_the_floor(name: str) -> None:
    found = scoring.measure(name)
    if found is None:
        pytest.skip("other people's pages are not part of the project")
    assert scoring.below(found, FLOOR[name]) == []


@pytest.fixture
def floor_file(tmp_path: Path) -> Path:
    path = tmp_path / "floor.json"
    path.write_text('{"seeds": {"body F1": 0.9, "day exact": 0.5}, "elsewhere": {"body F1": 0.7}}')
    return path


def test_the_floor_goes_up_by_itself_and_what_was_not_measured_stays(floor_file: Path) -> None:
    assert scoring.write_floor({"seeds": {"body F1": 0.95678, "day exact": 0.5}}, floor_file) == []
    assert json.loads(floor_file.read_text()) == {
        "seeds": {"body F1": 0.956, "day exact": 0.5},
        "elsewhere": {"body F1": 0.7},
    }


@pytest.mark.parametrize(
    "scores, said",
    [
        ({"body F1": 0.8999, "day exact": 0.9}, ["seeds, body F1: 0.8990, not 0.9"]),
        ({"body F1": 0.9}, ["seeds, day exact: nan, not 0.5"]),  # a score that is gone is lower
    ],
)
def test_the_floor_goes_down_only_by_name(floor_file: Path, scores: dict[str, float], said: list[str]) -> None:
    before = floor_file.read_text()
    assert scoring.write_floor({"seeds": scores}, floor_file) == said
    assert floor_file.read_text() == before
    assert scoring.write_floor({"seeds": scores}, floor_file, lower=True) == said
    assert json.loads(floor_file.read_text())["seeds"].keys() == scores.keys()


def test_the_command_line_lowers_the_floor_only_by_name(
    floor_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    scores = {"body F1": 0.8, "day exact": 0.9}
    monkeypatch.setattr(scoring, "FLOOR", floor_file)
    monkeypatch.setattr(scoring, "measure", lambda name: scores if name == "seeds" else None)
    before = floor_file.read_text()
    assert quality.main([]) == 1  # below the floor
    assert quality.main(["--write-floor"]) == 1
    assert "--lower-floor is needed to lower\n  seeds, body F1: 0.8000, not 0.9" in capsys.readouterr().out
    assert floor_file.read_text() == before
    assert quality.main(["--write-floor", "--lower-floor"]) == 0
    assert json.loads(floor_file.read_text())["seeds"] == scores
    assert quality.main([]) == 0


@pytest.mark.parametrize("wrong", [["--lower-floor"], ["pages.parquet"], ["p", "g", "--write-floor"]])
def test_wrong_usage_is_said(wrong: list[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        quality.main(wrong)


@pytest.mark.parametrize(
    "found, wanted, f1",
    [
        (["a b", "c"], ["a b", "c"], 1.0),
        ([""], ["a"], 0.0),
        (["aa", "aa"], ["aa"], 2 / 3),  # the second copy is not in the record
        ([], [], 1.0),
    ],
)
def test_paragraph_f1(found: list[str], wanted: list[str], f1: float) -> None:
    assert scoring.paragraph_f1(found, wanted) == pytest.approx(f1)


def test_an_empty_field_must_be_empty() -> None:
    golden: dict[str, Any] = {"headline": None, "authors": [], "published_on": None, "body": [LEAD]}
    assert set(scoring.compare({"body": LEAD}, golden).values()) == {1.0}
    invented = scoring.compare({"body": LEAD, "headline": "Made up", "authors": [{"name": "A B"}]}, golden)
    assert (invented["headline exact"], invented["authors exact"], invented["day exact"]) == (0.0, 0.0, 1.0)


# the report


def span(role: str, text: str) -> quality.Span:
    return quality.Span("body" if role == "x" else role, role, text)


def pairs(text: str) -> Any:
    """Shingles of two words."""
    return collections.Counter(itertools.pairwise(text.split()))


@pytest.mark.parametrize(
    "gold, spans, losses",
    [
        ("a b c d", [span("body", "a b"), span("body", "c d")], []),
        # what was cut is lost with the shingles that join it to its neighbours, and those of the gap are kept wrongly
        (
            "a b c d e f",
            [span("body", "a b"), span("share", "c d"), span("body", "e f")],
            [("lost", "share", 3), ("kept", "body", 1)],
        ),
        # a short line between paragraphs has no shingle of its own, but those it makes with its neighbours
        ("a b c d", [span("body", "a b"), span("x", "x"), span("body", "c d")], [("kept", "x", 2), ("lost", "-", 1)]),
        # what no line of the page holds
        ("a b y z", [span("body", "a b")], [("lost", "-", 2)]),
        # the second copy of a line that the gold has once
        ("a b", [span("repeat", "a b"), span("body", "a b")], []),
        # furniture that was cut is no loss
        ("a b", [span("share", "x y z"), span("body", "a b")], []),
    ],
)  # fmt: skip
def test_page_losses(gold: str, spans: list[quality.Span], losses: list[tuple[str, str, int]]) -> None:
    found = " ".join(s.text for s in spans if s.role == "body")
    counted = list(quality.page_losses(gold, found, spans, pairs))
    assert sorted((loss.side, loss.rule if loss.text else "-", loss.tokens) for loss in counted) == sorted(losses)
    for side, more, less in (("lost", gold, found), ("kept", found, gold)):
        total = sum(loss.tokens for loss in counted if loss.side == side)
        assert total == (pairs(more) - pairs(less)).total()


@pytest.fixture
def checked(tmp_path: Path) -> tuple[Path, Path]:
    """Two articles and a page that is none, whose gold says that it is one; the scorer in the folder above."""
    folder = tmp_path / "pages"
    folder.mkdir()
    (tmp_path / "score.py").write_text(SCORER)
    text = f"Ferry fares rise\n\nBy Ann Lee\n\n{LEAD}\n\n{NEXT}"
    pl.DataFrame(
        {"id": ["a", "b", "c"], "url": [None] * 3, "text": [text, text + "\n\nRelated stories\n\nOld news", "Menu\nHome"]},
        schema_overrides={"url": pl.String},
    ).write_parquet(folder / "pages.parquet")  # fmt: skip
    pl.DataFrame(
        {
            "id": ["a", "b", "c"],
            "set": ["made"] * 3,
            "language": ["en", "en", "de"],
            "body": [[LEAD, NEXT], [LEAD], ["Menu", "Home"]],
        }
    ).write_parquet(folder / "gold.parquet")
    return folder / "pages.parquet", folder / "gold.parquet"


def test_the_quality_report(checked: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "quality.json"
    assert quality.main([*map(str, checked), "--json", str(out), "--show", "not_an_article"]) == 0
    figures, printed = json.loads(out.read_text()), capsys.readouterr().out
    assert figures["body"] == {"all": {"f1": 0.5}}
    assert [(row["language"], row["n"]) for row in figures["languages"]] == [("en", 2), ("de", 1), ("all", 3)]
    assert [row["id"] for row in figures["worse"]] == ["c"]
    assert figures["languages"][0]["uncleaned"] < figures["languages"][0]["f1"]
    # the losses are all that the mean F1 falls short of 1
    assert sum(row["f1"] for row in figures["losses"]) == pytest.approx(1 - figures["languages"][-1]["f1"])
    assert {(row["side"], row["role"]) for row in figures["losses"]} == {
        ("lost", "quarantined"),
        ("kept", "body"),
    }
    for words in (
        "scored text",
        "worse than no cleaning by more than 0.02 F1: 1 of 3 pages",
        "words of the article lost",
    ):
        assert words in printed


def test_a_gold_without_a_scorer_is_said(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"no score\.py"):
        scoring.score(tmp_path / "a" / "gold.parquet", pl.DataFrame({"doc_id": ["a"], "body": ["b"]}))
