"""The line model: weights loaded strictly, the same answer in any batch, and what it must never do."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

import copydesk
from copydesk.cleaning import PAGE
from copydesk.line_model import (
    BEST_SCORE,
    BEST_WEIGHT,
    CHANCE,
    ModelError,
    buckets,
    first_chances,
    load_model,
    mark_names,
    numbered_marks,
    our_model,
    weights_file,
)
from copydesk.line_trees import points_of, read_tree, sum_of_points
from copydesk.line_words import LONGEST_HEAD, read_words, word_scores, words_of
from copydesk.precedence import LINE_MODELS

LEAD = "The ferry to Portansel will sail every hour from May, the harbour board said on Monday, after two summers of queues."
MORE = (
    "A second boat, the Anna Maria, was bought from a yard in Norway for four million crowns and is being painted this month.",
    "Traders on the island had asked for it since the bridge was closed to lorries, and the shops now hope for a busy year.",
    "“We have waited a long time for this,” said Jonas Lind, who keeps the bakery on the quay and opens it at five each day.",
    "The board will decide in autumn whether the boat stays through the winter, when the sea is rough and few people travel.",
)
TEASERS = (
    "Pier closed this week. Lorries have to take the road by the mill until the planks are mended, the board says.",
    "School wins prize for its garden. Judges liked the pond, the hives and the bean rows that pupils planted in March.",
)
PAGE_OF_NEWS = "\n\n".join(["Ferry to sail every hour", "By Ann Lee", LEAD, *MORE])


def kept(text: str) -> list[str]:
    return copydesk.clean(text).articles["body"].item().split("\n\n")


@pytest.mark.parametrize("kind", LINE_MODELS)
def test_shipped_weights_load_and_name_the_model(kind: str) -> None:
    model = our_model(kind)
    assert (model.kind, model.about["name"]) == (kind, LINE_MODELS[kind])
    for step in ("line", "page"):
        names = mark_names(kind, step)
        assert list(model.weights[step]) == names
        assert all(len(model.weights[step][mark]) == len(buckets(mark)) for mark in names)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda t: t["line"].pop("weight"),
        lambda t: t["line"].update(luck={"yes": 1}),
        lambda t: t["page"]["weight"].update({"from 9999": 1}),
        lambda t: t["page"]["weight"].pop("from 400"),
        lambda t: t["line"]["weight"].update({"from 400": 0.5}),
        lambda t: t["line"].update(start="1"),
        lambda t: t["about"].update(name="line_model_0"),
        lambda t: t.pop("page"),
        lambda t: t.update(more={}),
        lambda t: t.pop("trees"),
        lambda t: t["trees"].append(0.5),
        lambda t: t["trees"].append(["luck", 1, 2, 3]),
        lambda t: t["trees"].append(["decision", 1, 2, 3]),
        lambda t: t["trees"].append(["weight", 1.5, 2, 3]),
        lambda t: t["trees"].append(["weight", 1, 2]),
        lambda t: t["trees"].append(["weight", 1, 2, ["weight", 5, 1, "3"]]),
        lambda t: t.pop("words"),
        lambda t: t["words"].pop("start"),
        lambda t: t["words"].update(start=0.5),  # one of the words is "start"
        lambda t: t["words"].update(more=1),
        lambda t: t["words"].update(points=["ferry"]),
        lambda t: t["words"]["points"].update(ferry=1.5),
        lambda t: t["words"]["points"].update(ferry=True),
    ],
)
def test_a_weights_file_that_does_not_fit_is_refused(spoil, tmp_path: Path) -> None:
    table = json.loads(weights_file("text").read_text())
    spoil(table)
    (tmp_path / "w.json").write_text(json.dumps(table))
    with pytest.raises(ModelError, match=r"w\.json"):
        load_model(tmp_path / "w.json")


def test_a_tree_gives_each_line_the_points_of_its_answers() -> None:
    tree = read_tree(["weight", 10, -5, ["bullet", 1, 20, ["weight", 30, 7, 8]]], numbered_marks("text"))
    lines = pl.DataFrame({"weight": [9, 10, 29, 30, 30], "bullet": [1, 0, 1, 1, 0]})
    assert lines.select(points_of(tree)).to_series().to_list() == [-5, 20, 7, 8, 20]
    assert lines.select(sum_of_points((tree, 100, tree))).to_series().to_list() == [90, 140, 114, 116, 140]


def test_html_has_no_words() -> None:
    assert our_model("html").words is None
    assert our_model("text").words is not None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Ferry fares rise!", ["ferry", "fares", "rise", "!"]),
        ("It’s 3.5 % in 2024, isn't it?", ["it", "s", "0", "0", "in", "0", "isn", "t", "it", "?"]),
        ("ÉLÉVES_2 à l'École", ["éléves", "0", "à", "l", "école"]),
        ("新华社AB電2灯", ["新华", "ab", "0", "华社"]),
        ("東京タワーの灯、海と港", ["東京", "タワ", "ーの", "海と", "京タ", "ワー", "の灯", "と港"]),
        ("서울 연합뉴스", ["서울", "연합뉴스"]),
        ("हिन्दी समाचार", ["हिन्दी", "समाचार"]),
        ("• — »", []),
        ("a" * LONGEST_HEAD + " b", ["a" * LONGEST_HEAD]),
    ],
)
def test_words(text: str, words: list[str]) -> None:
    found = words_of(pl.DataFrame({"text_id": [7], "text": [text]}, schema_overrides={"text_id": pl.UInt32}))
    assert found["word"].to_list() == words


def test_a_line_scores_by_its_words_over_the_root_of_their_number() -> None:
    words = read_words({"start": -50, "points": {"share": -900, "this": -100, "said": 700, "page": 2, "0": 1}})
    texts = ["Share this page 1 2", "Share, share", "said nobody", "nobody"]
    found = word_scores(words_of(pl.DataFrame({"text_id": range(4), "text": texts})), words).sort("text_id")
    # "nobody" is no word that is known
    assert found.rows() == [(0, -50 + round((-900 - 100 + 2 + 1 + 1) / 5**0.5)), (1, -50 - round(1800 / 2**0.5)), (2, 650)]


def test_a_page_whose_best_lines_score_low_is_raised_as_a_whole() -> None:
    many = BEST_WEIGHT // 2 + 1
    marks = pl.DataFrame(
        [
            # page, weight, asked, first score, as raised
            (0, 1, True, -1000, BEST_SCORE + 3000), (0, many, True, -3000, BEST_SCORE + 1000), (0, 5, False, None, None),
            (0, many, True, -4000, BEST_SCORE), (0, many, True, -9000, BEST_SCORE - 5000),
            (1, many, True, BEST_SCORE + 2, BEST_SCORE + 2), (1, many, True, BEST_SCORE + 1, BEST_SCORE + 1), (1, 9, True, -4000, -4000),
            (2, 3, True, -700, BEST_SCORE + 100), (2, 3, True, -800, BEST_SCORE), (3, 8, False, None, None),
        ],
        schema=["page", "weight", "unsure", "first", "raised"],
        orient="row",
    )  # fmt: skip
    found = first_chances(marks, marks.filter("unsure")["first"])
    assert found["line_score"].to_list() == marks["raised"].to_list()
    assert found["top_score"].to_list() == [-4000] * 5 + [BEST_SCORE + 1] * 3 + [-800] * 2 + [None]


def test_chances_rise_with_the_score() -> None:
    assert list(CHANCE) == sorted(CHANCE)
    assert CHANCE[len(CHANCE) // 2] == 500


def test_a_page_is_decided_alike_in_any_batch() -> None:
    texts = {
        "a": PAGE_OF_NEWS, "b": "Home\nNews\nSport\n\n" + PAGE_OF_NEWS + "\n\nRead more\nBoat sinks off Marlow\nMenu",
        "c": "\n".join(f"• Item {n} of a list" for n in range(12)), "d": PAGE_OF_NEWS.replace("ferry", "train"),
    }  # fmt: skip
    rows = [{"doc_id": k, "source": k, "text": t, "content_hash": k, "problems": []} for k, t in texts.items()]
    pages = pl.DataFrame(rows, schema=PAGE)
    together = copydesk.clean_pages(pages).spans.sort("doc_id", "char_start")
    backwards = copydesk.clean_pages(pages.reverse()).spans.sort("doc_id", "char_start")
    alone = pl.concat([copydesk.clean_pages(p).spans for p in pages.iter_slices(1)]).sort("doc_id", "char_start")
    assert together.equals(backwards)
    assert together.equals(alone)


@pytest.mark.parametrize("sentence", [LEAD, *MORE])
def test_paragraphs_of_a_plain_story_stay(sentence: str) -> None:
    assert sentence in kept(PAGE_OF_NEWS)


@pytest.mark.parametrize("lines", [12, 40])
def test_a_page_is_never_emptied(lines: int) -> None:
    text = "\n".join(f"• Entry number {n} of the winners" for n in range(lines))
    spans = copydesk.clean(text).spans
    assert spans["role"].is_in(["body", "subheading"]).any()


def test_the_ledger_names_the_model_and_its_confidence() -> None:
    menu = [f"{w} {n}" for n in range(4) for w in ("Island", "Harbour", "Weather", "Tides", "Shop", "People", "Boats")]
    teasers = [t for n in range(2) for t in (f"Pier closed for week {n}", *TEASERS)]
    spans = copydesk.clean("\n".join([*menu, "", PAGE_OF_NEWS, "", *teasers, *menu])).spans
    ours = spans.filter(pl.col("rule") == LINE_MODELS["text"])
    assert len(ours)
    assert ours["confidence"].is_between(0, 1).all()
    kept = spans.filter(pl.col("role") == "body")["text"]
    assert not kept.is_in(menu).any()
    assert kept.is_in([LEAD, *MORE]).sum() == len(MORE) + 1
