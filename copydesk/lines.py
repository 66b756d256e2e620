"""Pages to lines: every line of a batch of pages as one row, with what can be measured on it alone."""

from __future__ import annotations

import polars as pl

KEY_LENGTH = 200
LONG_KEY_LENGTH = 100
"""Characters of a line's head that rules match on; a longer line is prose unless its head says otherwise."""

BULLET = r"^(?:[•·▪◦‣●■□▶►▸»›*–—-]|\d{1,2}\.)\s+"
WIDE_BLANKS = list(
    "\x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
)
"""White space outside ASCII, as Unicode has it (`\\s` of Polars)."""
SENTENCE_END = r"[.!?…。！？؟।][\"'”’»«)\]」』】）]*$"


def split_lines(pages: pl.DataFrame) -> pl.DataFrame:
    """Split the pages' text into lines that are not blank.

    `pages` has `page` (UInt32, ascending) and `text`. Returns a row a line, in page and line order:
    `page`, `line_no` (from 0, blank lines count), `char_start` and `char_end` (characters in the page's
    text, half-open, outer white space left out) and `text` (stripped of outer white space).
    """
    length = pl.col("line").str.len_chars().cast(pl.UInt32)
    left = length - pl.col("line").str.strip_chars_start().str.len_chars().cast(pl.UInt32)
    return (
        pages.select("page", line=pl.col("text").str.split("\n"))
        .explode("line", empty_as_null=True)
        .with_row_index("line_no")
        .with_columns(line_start=(length + 1).cum_sum() - length - 1)
        .with_columns(
            pl.col("line_no", "line_start") - pl.col("line_no", "line_start").first().over("page"),
        )
        .with_columns(char_start=pl.col("line_start") + left, text=pl.col("line").str.strip_chars())
        .filter(pl.col("text") != "")
        .select(
            "page",
            "line_no",
            "char_start",
            char_end=pl.col("char_start") + pl.col("text").str.len_chars().cast(pl.UInt32),
            text="text",
        )
    )


def dense(texts: pl.Series) -> pl.Series:
    r"""The texts without white space: what law 2 counts and hashes.

    >>> dense(pl.Series(["a b\n\u3000c", None])).to_list()
    ['abc', None]
    """
    # bytes lose ASCII's white space at a third of an expression's time; the others stand on few texts
    thin = [None if t is None else t.translate(None, b" \n\t\r\x0b\x0c") for t in texts.cast(pl.Binary).to_list()]
    texts = pl.Series(texts.name, thin, dtype=pl.Binary).cast(pl.String)
    wide = (texts.str.len_bytes() > texts.str.len_chars()).arg_true()
    wide = wide.filter(texts.gather(wide).str.contains_any(WIDE_BLANKS))
    return texts.scatter(wide, texts.gather(wide).str.replace_all(r"\s+", "")) if len(wide) else texts


def single_spaced(text: pl.Expr) -> pl.Expr:
    """A text with each run of white space as one blank."""
    return text.str.replace_all(r"[\s--[ ]]\s*| \s+", " ")


def full_stop(text: pl.Expr) -> pl.Expr:
    """Whether a line ends in a full stop, with nothing behind it."""
    return text.str.ends_with(".") | text.str.ends_with("。")
