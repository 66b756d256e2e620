"""The marks that the line model weighs: what a line shows, where it stands, and what stands around it.

Every mark is a whole number or one of a few named values, so that the model is a table of buckets and its sums are
exact. `line_marks` makes those of a line and its place; `page_marks` those that come from the lines' first scores.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from copydesk.precedence import NAMES, SHORT
from copydesk.roles import ROLES
from copydesk.windows import above, below, best_stretch, sum_above, sum_after, sum_before, sum_below, sum_of_page

HEAD = 60
"""Characters of a line's head on which shares and signs are measured: as good as all of it, and cheap."""

CLOSERS = "\"'”’»)]」』】"
LINE_ENDS: Final = {
    "full_stop": ".。", "question": "?？", "exclamation": "!！", "ellipsis": "…", "colon": ":：", "comma_or_dash": ",;–—-",
    "digit": "0123456789", "arrow": "→»›>↓▼+", "quote": "", "parenthesis": "",
}  # fmt: skip
"""How a line ends: its last character before closing quotes and brackets; these only where they follow a word."""
LINE_STARTS: Final = {
    "bullet": "•▪◦‣●■*", "dash": "-–—", "digit": "0123456789", "quote": "\"“„«‘「'", "parenthesis": "[(（【", "lower_case": "",
}  # fmt: skip
"""How a line starts: its first character."""

_ROLES = ("none", *sorted(ROLES))
_DECISIONS = ("outside", *dict.fromkeys(NAMES))
VALUES: Final[dict[str, tuple[str, ...]]] = {
    "line_end": ("other", *LINE_ENDS),
    "line_start": ("other", *LINE_STARTS),
    "decision": _DECISIONS,
    "furniture_above": _ROLES,
    "furniture_below": _ROLES,
    **{f"line_end_{n}": ("outside", "other", *LINE_ENDS) for n in ("1_above", "1_below", "2_above", "2_below")},
    **{f"decision_{n}": _DECISIONS for n in ("1_above", "1_below", "2_above", "2_below")},
}
"""The marks that are named values rather than numbers."""

_BEFORE = (
    "related",
    "share",
    "author_bio",
    "comments",
    "legal",
    "newsletter",
    "media",
    "advert",
    "navigation",
    "paywall",
)
_AFTER = ("legal", "comments", "share", "navigation")

_YES_NO = (1,)
_COUNT = (1, 2, 3, 6)
_LINES = (-30, -10, -5, -3, -2, -1, 0, 1, 2, 3, 5, 10, 30)
_WEIGHTS = (1, 14, 28, 60, 80, 150, 300)
LINE_MARKS: Final[dict[str, tuple[int, ...]]] = {
    # the line's own text
    "weight": (8, 14, 20, 28, 40, 60, 80, 120, 180, 260, 400, 700),
    "digit_percent": (1, 4, 10, 20, 40), "title_tenths": (0, 1, 2, 4, 6, 8, 10), "year_in_label": _YES_NO, "quote_mark": _YES_NO,
    "ellipsis": _YES_NO, "sentence": _YES_NO, "bullet": _YES_NO, "line_end": (), "line_start": (),
    # its place
    "gap_above": _YES_NO, "gap_below": _YES_NO, "times_on_page": (2, 3, 5), "lines_from_top": (1, 3, 6, 10, 15, 25, 50, 100),
    "lines_from_bottom": (1, 2, 3, 5, 8, 15, 30, 60, 120), "place_percent": (1, 5, 15, 30, 50, 70, 85, 95, 99),
    "paragraphs_above": (1, 2, 3, 5, 10), "paragraphs_below": (1, 2, 3, 5, 10), "prose_weight_above": (1, 200, 600, 1500, 3000, 6000),
    "prose_place_percent": (0, 1, 10, 30, 60, 80, 95, 100), "lines_from_headline": (-30, -5, -1, 0, 1, 2, 3, 5, 8, 15, 30),
    "lines_from_first_paragraph": _LINES, "lines_from_last_paragraph": _LINES,
    "in_head": _YES_NO, "in_tail": _YES_NO, "above_byline_or_date": _YES_NO, "short_run": (1, 2, 3, 5, 8, 15, 30),
    "decision": (),
    # the page
    "page_lines": (8, 15, 25, 40, 70, 120, 250), "page_prose_percent": (20, 40, 60, 75, 85, 95),
    "page_short_percent": (10, 20, 35, 50, 65, 80), "page_prose_weight": (1, 500, 1500, 3000, 6000, 12000),
    # what stands around
    "weight_1_above": _WEIGHTS, "weight_1_below": _WEIGHTS,
    **{f"{mark}_{n}": () for mark in ("line_end", "decision") for n in ("1_above", "1_below", "2_above", "2_below")},
    "short_in_3_above": (1, 2, 3), "furniture_in_8_above": (1, 2, 3, 5, 7), "furniture_in_8_below": (1, 2, 3, 5, 7),
    "prose_in_3_below": (1, 200, 500, 1000), "names_and_dates_in_8_above": (1, 2, 3, 4), "names_and_dates_in_8_below": (1, 2, 3, 4),
    "dates_above": _COUNT, "bylines_above": _COUNT, "furniture_above": (), "furniture_below": (),
    "weight_since_furniture": (1, 100, 300, 1000, 3000),
    **{f"{role}_lines_above": _COUNT for role in _BEFORE}, **{f"{role}_lines_below": _COUNT for role in _AFTER},
}  # fmt: skip
"""The marks of a line: the lower edges of a number's buckets; none where the mark is a named value (see VALUES)."""

_MASS = (10, 60, 180, 500, 1200, 3000)
PAGE_MARKS: Final[dict[str, tuple[int, ...]]] = {
    "top_score": (-3000, -2000, -1000, 0, 1000, 2000, 3000, 4000, 5000),
    "line_score": (-5000, -4000, -3000, -2500, -2000, -1500, -1000, -500, 0, 500, 1000, 1500, 2000, 3000, 4000),
    "score_1_above": (-8000, -3000, -2000, -1000, 0, 1000, 2000, 4000), "score_1_below": (-8000, -3000, -2000, -1000, 0, 1000, 2000, 4000),
    "mass_in_3_above": _MASS, "mass_in_3_below": _MASS, "mass_in_8_above": _MASS, "mass_in_8_below": _MASS,
    "mass_in_20_above": _MASS, "mass_in_20_below": _MASS,
    "share_in_3_above": (5, 15, 30, 50, 70, 90), "share_in_8_above": (5, 15, 30, 50, 70, 90), "share_in_8_below": (5, 15, 30, 50, 70, 90),
    "share_in_20_above": (5, 15, 30, 50, 70, 90), "share_in_20_below": (5, 15, 30, 50, 70, 90),
    "mass_above_percent": (1, 5, 20, 50, 80, 95, 99), "page_mass": (120, 300, 600, 1200, 2400, 4800, 9000),
    "page_purity_percent": (10, 20, 30, 50, 70, 85, 95), "sure_lines_above": (1, 2, 3, 6, 12), "sure_lines_below": (1, 2, 3, 6, 12),
    "lines_from_stretch_start": (-30, -10, -5, -3, -2, -1, 0, 1, 3, 10), "lines_from_stretch_end": (-10, -3, 0, 1, 2, 3, 5, 10, 30),
    "stretch_percent": (50, 70, 80, 90, 97),
}  # fmt: skip
"""The marks that the lines' first scores make. Mass is a line's weight times its chance to be the article's; the
stretch is the run of lines with most mass less what is not the article."""
CROSSES: Final = {
    "line": (("furniture_above", "weight_since_furniture"),),
    "page": (("furniture_above", "weight_since_furniture"), ("line_score", "page_mass"), ("line_score", "page_purity_percent"),
             ("weight", "page_purity_percent")),
}  # fmt: skip
"""Pairs of marks that are weighed together, in each of the two steps."""
TEXT_CROSSES: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "line": (),
    "page": (("line_score", "page_lines"), ("line_score", "page_short_percent"), ("line_score", "lines_from_stretch_end")),
}
"""Those of pages given as text, which may be a whole page or its main content: HTML has better marks of that."""


def text_marks(texts: pl.DataFrame) -> pl.DataFrame:
    """The marks that a line's text alone shows, for distinct texts (`text_id`, `text`)."""
    head = pl.col("head")
    first, end, last = (
        pl.col("text").str.head(1),
        pl.col("text").str.tail(8).str.strip_chars_end(CLOSERS),
        pl.col("text").str.tail(1),
    )
    words = head.str.count_matches(" ", literal=True).cast(pl.Int64)
    return (
        texts.with_columns(head=pl.col("text").str.head(HEAD))
        .with_columns(end=_number_of(end.str.tail(1), LINE_ENDS), last=last, start=_number_of(first, LINE_STARTS))
        .select(
            "text_id",
            digit_percent=head.str.count_matches("[0-9]").cast(pl.Int64) * 100 // head.str.len_chars().cast(pl.Int64),
            title_tenths=pl.when(words == 0)
            .then(-1)
            .otherwise(head.str.count_matches(r" \p{Lu}").cast(pl.Int64) * 10 // words),
            year=head.str.contains(r"(?:19|20)[0-9][0-9]"),
            quote_mark=head.str.contains(r"[\"“”«»„「]"),
            ellipsis=pl.col("text").str.ends_with("…") | pl.col("text").str.ends_with("..."),
            line_end=pl.when(pl.col("end") > 0)
            .then("end")
            .when(pl.col("last").is_in(list("\"'”’»」』")))
            .then(_place(LINE_ENDS, "quote"))
            .when(pl.col("last").is_in(list(")]】")))
            .then(_place(LINE_ENDS, "parenthesis"))
            .otherwise(0),
            line_start=pl.when(pl.col("start") > 0)
            .then("start")
            .when(head.str.contains(r"^\p{Ll}"))
            .then(_place(LINE_STARTS, "lower_case"))
            .otherwise(0),
        )
    )


def _number_of(character: pl.Expr, groups: dict[str, str]) -> pl.Expr:
    """The number of the group, from 1, in which the character is; 0 where it is in none."""
    table = {c: n for n, characters in enumerate(groups.values(), 1) for c in characters}
    return character.replace_strict(table, default=0, return_dtype=pl.Int64)


def _place(groups: dict[str, str], name: str) -> int:
    return list(groups).index(name) + 1


def line_marks(lines: pl.DataFrame) -> pl.DataFrame:
    """The columns of LINE_MARKS, as whole numbers, for the lines of a batch.

    `lines` is what `assemble` knows before the model is asked, with `decision`, the row of the table of precedence
    that holds for the line so far.
    """
    texts = lines.select("text_id", "text").unique("text_id", keep="first", maintain_order=True)
    marks = text_marks(texts)
    lines = lines.select(
        "page", "line", "first", "last", "text_id", "weight", "ends", "sentence", "bullet", "gap", "prose", "in_head", "in_tail",
        "prose_before", "prose_after", "before", "total", "standfirst_place", "first_prose", "last_prose", "headline_line",
        "kind", "rule_role", "cut_role", "decision",
    ).join(marks, on="text_id", how="left", maintain_order="left")  # fmt: skip
    line = pl.col("line").cast(pl.Int64)
    size = (pl.col("last") - pl.col("first") + 1).cast(pl.Int64)
    short = (pl.col("weight") < SHORT) & ~pl.col("ends")
    lines = lines.with_columns(
        short=short,
        furniture=(pl.col("rule_role").is_not_null() | pl.col("cut_role").is_not_null()),
        people=pl.col("kind").is_in(["date", "name", "byline"]).fill_null(False)
        | (pl.col("rule_role") == "comments").fill_null(False),
        date=(pl.col("kind") == "date").fill_null(False) & (pl.col("prose_before") > 0),
        byline=(pl.col("kind") == "byline").fill_null(False) & (pl.col("prose_before") > 0),
        role_number=pl.col("rule_role").replace_strict(
            {r: n for n, r in enumerate(_ROLES)}, default=0, return_dtype=pl.Int64
        ),
        decision=pl.col("decision").replace_strict(
            {n: _DECISIONS.index(d) for n, d in enumerate(NAMES)}, return_dtype=pl.Int64
        ),
        weight_above=sum_before(pl.col("weight")),
        page_weight=sum_of_page(pl.col("weight")),
        run=(~short | (pl.col("line") == pl.col("first"))).cast(pl.UInt32).cum_sum(),
        line_of_rule=pl.when(pl.col("rule_role").is_not_null()).then(line),
    )
    upper = above(pl.col("line_of_rule").forward_fill())
    lower = below(pl.col("line_of_rule").backward_fill())
    lines = lines.with_columns(
        short_run=pl.col("short").sum().over("run"),
        times_on_page=pl.len().over(pl.col("page").cast(pl.UInt64) * (1 << 32) + pl.col("text_id")),
        upper=pl.when(upper >= pl.col("first")).then(upper),
        lower=pl.when(lower <= pl.col("last")).then(lower),
    )
    in_role = {r: (pl.col("role_number") == _ROLES.index(r)) for r in {*_BEFORE, *_AFTER}}
    return lines.with_columns(
        short_run=pl.when("short").then("short_run").otherwise(0),
        year_in_label=pl.col("year") & ~pl.col("sentence"),
        gap_above=pl.col("gap"),
        gap_below=below(pl.col("gap")).fill_null(True),
        lines_from_top=line - pl.col("first"),
        lines_from_bottom=pl.col("last").cast(pl.Int64) - line,
        place_percent=pl.col("weight_above") * 100 // pl.col("page_weight"),
        paragraphs_above="prose_before",
        paragraphs_below="prose_after",
        prose_weight_above="before",
        prose_place_percent=pl.when(pl.col("total") == 0).then(-1).otherwise(pl.col("before") * 100 // pl.max_horizontal("total", 1)),
        lines_from_headline=(line - pl.col("headline_line")).fill_null(-999),
        lines_from_first_paragraph=(line - pl.col("first_prose")).fill_null(-999),
        lines_from_last_paragraph=(line - pl.col("last_prose")).fill_null(-999),
        above_byline_or_date="standfirst_place",
        page_lines=size,
        page_prose_percent=pl.col("total") * 100 // pl.col("page_weight"),
        page_short_percent=sum_of_page(pl.col("short")) * 100 // size,
        page_prose_weight="total",
        **{f"weight_1_{side}": look(pl.col("weight")).fill_null(0) for side, look in (("above", above), ("below", below))},
        **{
            f"{mark}_{n}_{side}": look(pl.col(mark) + shift, n).fill_null(0)
            for mark, shift in (("line_end", 1), ("decision", 0))
            for n in (1, 2)
            for side, look in (("above", above), ("below", below))
        },
        short_in_3_above=sum_above(pl.col("short"), 3),
        furniture_in_8_above=sum_above(pl.col("furniture"), 8),
        furniture_in_8_below=sum_below(pl.col("furniture"), 8),
        prose_in_3_below=sum_below(pl.col("prose") * pl.col("weight"), 3),
        names_and_dates_in_8_above=sum_above(pl.col("people"), 8),
        names_and_dates_in_8_below=sum_below(pl.col("people"), 8),
        dates_above=sum_before(pl.col("date")),
        bylines_above=sum_before(pl.col("byline")),
        furniture_above=pl.col("role_number").gather(pl.col("upper")).fill_null(0),
        furniture_below=pl.col("role_number").gather(pl.col("lower")).fill_null(0),
        weight_since_furniture=(
            pl.col("weight_above") - (pl.col("weight_above") + pl.col("weight")).gather(pl.col("upper"))
        ).fill_null(1 << 30),
        **{f"{r}_lines_above": sum_before(in_role[r] & (pl.col("prose_before") > 0)) for r in _BEFORE},
        **{f"{r}_lines_below": sum_after(in_role[r]) for r in _AFTER},
    ).select("page", "line", "first", "last", *(pl.col(c).cast(pl.Int32) for c in LINE_MARKS))  # fmt: skip


def page_marks(lines: pl.DataFrame) -> pl.DataFrame:
    """Add the columns of PAGE_MARKS to lines with `weight`, `line_score`, `top_score` (null where rules have decided the
    line, the page) and `chance`.

    `chance` is the first score as a chance in thousandths, 0 where a rule has decided.
    """
    lines = lines.with_columns(
        top_score=pl.col("top_score").fill_null(-9000),
        line_score=pl.col("line_score").fill_null(-9000),
        size=pl.col("weight") + LINE_COST,
    ).with_columns(mass=pl.col("size") * pl.col("chance") // 1000)
    lines = lines.with_columns(
        mass_above=sum_before(pl.col("mass")),
        page_mass=sum_of_page(pl.col("mass")),
        sure=pl.col("chance") > 800,
        gain=pl.col("size") * (pl.col("chance") - 500),
        **{f"mass_in_{n}_above": sum_above(pl.col("mass"), n) for n in (3, 8, 20)},
        **{f"mass_in_{n}_below": sum_below(pl.col("mass"), n) for n in (3, 8, 20)},
    )
    start, end = best_stretch(lines)
    line = pl.col("line").cast(pl.Int64)
    lines = lines.with_columns(
        start=start,
        end=end,
        score_1_above=above(pl.col("line_score")).fill_null(-9000),
        score_1_below=below(pl.col("line_score")).fill_null(-9000),
        **{
            f"share_in_{n}_{side}": pl.col(f"mass_in_{n}_{side}")
            * 100
            // pl.max_horizontal(window(pl.col("size"), n), 1)
            for n, side, window in (
                (3, "above", sum_above), (8, "above", sum_above), (8, "below", sum_below),
                (20, "above", sum_above), (20, "below", sum_below),
            )
        },
        mass_above_percent=pl.col("mass_above") * 100 // pl.max_horizontal("page_mass", 1),
        page_purity_percent=pl.col("page_mass") * 100 // sum_of_page(pl.col("size")),
        sure_lines_above=sum_before(pl.col("sure")),
        sure_lines_below=sum_after(pl.col("sure")),
    )  # fmt: skip
    through = pl.col("mass_above") + pl.col("mass")
    return lines.with_columns(
        lines_from_stretch_start=line - pl.col("start"),
        lines_from_stretch_end=line - pl.col("end"),
        stretch_percent=(through.gather(pl.col("end")) - pl.col("mass_above").gather(pl.col("start")))
        * 100
        // pl.max_horizontal("page_mass", 1),
    )


LINE_COST = 20
"""What a line costs beside its weight: kept or lost in error it also breaks the text around it."""
