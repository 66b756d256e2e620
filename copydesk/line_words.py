"""What the words of a line say of it: "newsletter" and "please" stand in furniture, "said" and "which" do not.

Each word has one whole number of points, in thousandths of a logit. A line's word score is their sum over its words,
over the root of how many these are, so that a line is not sure for its length alone.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import polars as pl

WORD_MARKS: Final[dict[str, tuple[int, ...]]] = {
    "word_score": (-3000, -2000, -1500, -1000, -600, -300, 0, 300, 600, 1000, 1500, 2000, 3000)
}
"""As in `line_marks.LINE_MARKS`: the lower edges of a number's buckets."""
LONGEST_HEAD: Final = 250
"""Characters of a line's head that are read: 150 say less, 400 no more."""
_WIDE = r"\u3040-\u30ff\u3400-\u9fff"
_PAIR = rf"[{_WIDE}]{{2}}"
_WORD = rf"{_PAIR}|[\pL\pM--[{_WIDE}]]+|0|[?!]"
_FIRST_WIDE = rf"(^|[^{_WIDE}])[{_WIDE}]"


class Words(NamedTuple):
    """The score of a line of which no word is known, and the words that are: `word`, `points`."""

    start: int
    points: pl.DataFrame


def words_of(texts: pl.DataFrame) -> pl.DataFrame:
    """The words of distinct texts (`text_id`, `text`): a row for each time that one stands there, `text_id` and `word`.

    Words are in lower case, each number is "0", and in Chinese and Japanese each two neighbours are a word.
    """
    head = pl.col("text").str.head(LONGEST_HEAD).str.to_lowercase().str.replace_all(r"\d+", "0")
    heads = texts.select("text_id", head=head)
    # pairs do not overlap in a search: without the first character of each run it finds the others
    wide = heads.filter(pl.col("head").str.contains(_PAIR))
    others = wide.select("text_id", word=pl.col("head").str.replace_all(_FIRST_WIDE, "$1").str.extract_all(_PAIR))
    words = pl.concat([heads.select("text_id", word=pl.col("head").str.extract_all(_WORD)), others])
    return words.explode("word", empty_as_null=True).drop_nulls()


def word_scores(found: pl.DataFrame, words: Words) -> pl.DataFrame:
    """The word score of each text that shows a known word: `text_id`, `word_score`; `found` is that of `words_of`."""
    known = found.join(words.points, on="word")
    score = words.start + (pl.col("points").sum() / pl.len().sqrt()).round().cast(pl.Int32)
    return known.group_by("text_id").agg(word_score=score)


def read_words(found: dict[str, Any]) -> Words:
    """The words as JSON has them, checked; raises ValueError where a number is not whole or a key unknown."""
    start, points = found.pop("start"), found.pop("points")
    for word, number in (("start", start), *points.items()):
        if type(number) is not int:
            raise ValueError(f"the points of {word!r} are {number!r}, not a whole number")
    if found:
        raise ValueError(f"unknown key {sorted(found)}")
    schema = {"word": pl.String, "points": pl.Int32}
    return Words(start, pl.DataFrame(list(points.items()), schema=schema, orient="row"))
