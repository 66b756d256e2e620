"""Which of the dates printed on a page are its own: the publication and the last change.

A page also shows the dates of other stories, of readers' comments, of the day on which it was fetched. Every date that
stands on a line of its own, in a byline or beside a few words is scored by the table SIGNS; the best one of its page is
the publication, if it is good enough, and the change is looked for around it. What one line cannot tell is settled
here by the rest of the page: the order of numeric days, and the day that "3 hours ago" was.

The same choice gives the lines their roles and the article its fields.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from copydesk.dateforms import puts_day_first
from copydesk.dates import day_before, lone_time
from copydesk.datewords import words
from copydesk.dissect import DATE
from copydesk.publishers import EARLIEST, LATEST
from copydesk.windows import beside
from copydesk.zones import country_zone

BAR = 8
"""Score from which on a date is taken for the page's: below it, none is likelier to be right."""
CROWD = 4
"""Dates of one kind that make a list of dated teasers or comments rather than one story's stamp."""
NEAR = 3
"""Lines within which two stamps belong together."""
CHANGE_NEAR = 12
"""Lines within which a labelled change belongs to the publication; a page without one may have it anywhere."""
SHORT_LINE = 24
"""Characters of the longest line that is nothing but a label ("Published") or a time."""
TIME_SHAPE = r"^\W*(?:\pL{1,6}\.? )?\d{1,2} ?[:.h時시]\d\d"
LATEST_DAY = dt.date(LATEST, 12, 31)
STAMP_WORDS = 9
"""Words, with a month's, on a line that is neither byline nor date line and may still give the page's date."""
TITLE = 20
"""Weight of a headline that is not found in another line by chance."""


@dataclasses.dataclass(frozen=True)
class Sign:
    """What speaks for or against a date as the page's publication: when it holds, and its weight in the score."""

    name: str
    weight: int
    holds: pl.Expr
    why: str


_BELOW = pl.col("below_headline")
_CUT = pl.col("cut_name").is_not_null() | pl.col("ended")
_ADDRESSED = (pl.col("on") == pl.col("address_day")) | (pl.col("other") == pl.col("address_day"))
_CHANGE = pl.col("label") == "modified"
_CROWD = pl.col("crowd") >= CROWD

SIGNS: tuple[Sign, ...] = (
    Sign("address", 27, _ADDRESSED & ~_CROWD, "The page's address names the day."),
    Sign("address_of_many", 14, _ADDRESSED & _CROWD, "It does, but other stories are of the same day."),
    Sign("other_address", -11, pl.col("address_day").is_not_null() & ~_ADDRESSED.fill_null(False),
         "The page's address names another day."),
    Sign("titled", 30, pl.col("titled"), "The headline stands again on its line."),
    Sign("published", 14, pl.col("label") == "published", "A label says so."),
    Sign("change", -22, _CHANGE, "A label says that it is a change: the publication only where no other is printed."),
    Sign("second_change", -12, _CHANGE & (pl.col("nth") > 0), "A change behind another date of the line."),
    Sign("changed", 4, pl.col("changed") & ~_CHANGE.fill_null(False), "Its line has a change as well."),
    Sign("timed", 9, pl.col("time").is_not_null(), "It has a time of day."),
    Sign("time_below", 5, pl.col("time").is_null() & pl.col("time_below"), "A time stands alone below it."),
    Sign("byline", 7, pl.col("kind") == "byline", "It stands beside the byline."),
    Sign("below", 6, _BELOW > 0, "It stands below the headline,"),
    Sign("soon_below", 17, _BELOW.is_between(1, 9) & ~pl.col("in_tail"), "soon below it,"),
    Sign("later_below", 4, _BELOW.is_between(10, 20) | (_BELOW.is_between(1, 9) & pl.col("in_tail")),
         "below a standfirst, a picture and buttons,"),
    Sign("right_above", 20, _BELOW.is_between(-3, -1), "or right above it."),
    Sign("above", -8, _BELOW.is_between(-9, -4), "Further above the headline it is the day of the fetch or a menu's."),
    Sign("no_headline", 10, _BELOW.is_null(), "No headline was found."),
    Sign("head", 15, pl.col("in_head"), "It stands above the first paragraph."),
    Sign("furniture", -27, pl.col("rule_name").is_not_null(), "A furniture rule matches its line."),
    Sign("cut", -20, _CUT, "It stands below a header that ends the article, or in its list."),
    Sign("crowd", -6, _CROWD, "The page has many dates of its kind."),
)  # fmt: skip
"""Weights, in tenths, rounded from a conditional logit on labelled pages, cross-validated by site; that of `titled`,
which is rare, is set by hand."""

OWN: dict[str, Any] = {
    "page": pl.UInt32, "field": pl.String, "line": pl.UInt32, "role": pl.String, "replaced": pl.Boolean,
    "address_day": pl.Date,
    **{f.name: f.dtype for f in DATE.fields},
}  # fmt: skip
"""A date of a page: its `field` (published, modified), its line with the role that the ledger gives its piece, whether
a change `replaced` a publication that is not printed, the day in the page's address, and what
`dissect` read, settled."""


def own_dates(
    pages: pl.DataFrame, lines: pl.DataFrame, dissections: pl.DataFrame, sites: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Choose the dates of every page.

    `pages` has `page`, `url` and `fetched_at`, `lines` are those of `page_structure`, `sites` is from `find_sites`.
    Returns the lines with
    own_date: the line's pieces hold a date of the page; `date_role`: the role of its date pieces where it is another
    than its words alone say, or of the whole line where it is the label above a date or the time below;
    again_date: a line of dates that says the day of publication again;
    and the dates (OWN).
    """
    rows = _scored(_settled(_printed(pages, lines, dissections), sites))
    chosen = _chosen(rows)
    chosen, beside = _with_time_below(chosen, rows, lines)
    return _marked(lines, rows, chosen, beside), chosen


def _printed(pages: pl.DataFrame, lines: pl.DataFrame, dissections: pl.DataFrame) -> pl.DataFrame:
    """A row a date that could be the page's: where it stands and what it says."""
    dated = dissections.select("text_id", "dates").filter(pl.col("dates").list.len() > 0)
    stands = (
        lines.lazy()
        .select(
            "page", "line", "first", "last", "text_id", "text", "kind", "rule_name", "cut_name", "ended", "in_head",
            "in_tail", "headline",
        )
        .filter(pl.col("text_id").is_in(dated["text_id"].implode()), ~pl.col("headline"))
        .collect()
        .join(dated, on="text_id", maintain_order="left")
    )  # fmt: skip
    stands = stands.with_columns(
        above_text=_short_beside(lines, -1),
        time_below=_is_time(_short_beside(lines, 1)) | _is_time(_short_beside(lines, 2)),
    )
    heads = lines.filter("headline").select(
        "page",
        headline_line=pl.col("line").cast(pl.Int64),
        headline_text=pl.when(pl.col("weight") >= TITLE).then("text"),
    )
    rows = stands.join(heads, on="page", how="left", maintain_order="left")
    rows = rows.join(
        pages.select("page", "fetched_at").with_columns(address_day=address_day(pages["url"])),
        on="page", how="left", maintain_order="left",
    )  # fmt: skip
    rows = rows.with_columns(nth=pl.int_ranges(pl.col("dates").list.len())).explode("dates", "nth", empty_as_null=True)
    rows = rows.unnest("dates").with_columns(
        changed=(pl.col("label") == "modified").fill_null(False).any().over("line"),
        titled=pl.col("text").str.contains(pl.col("headline_text"), literal=True).fill_null(False),
        below_headline=pl.col("line").cast(pl.Int64) - pl.col("headline_line"),
    )
    wordy = pl.col("kind").is_null() & (pl.col("text").str.count_matches(r"\pL{2,}") > STAMP_WORDS)
    rows = rows.filter(pl.col("titled") | ~wordy)
    # the label may stand alone on the line above
    label = pl.col("above_text").str.strip_chars(" :|•").str.to_lowercase()
    alone = {word: kind for word, kind in words().labels.items() if kind != "state"}
    return rows.with_columns(
        label_above=pl.when(
            pl.col("label").is_null() & (pl.col("nth") == 0)
        ).then(label.replace_strict(alone, default=None, return_dtype=pl.String))
    ).with_columns(label=pl.coalesce("label", "label_above"))


def _short_beside(lines: pl.DataFrame, by: int) -> pl.Expr:
    """The text of the line that many lines below on the page, where it is short."""
    text = beside(lines["text"], by)
    return pl.when(text.str.len_chars() <= SHORT_LINE).then(text)


def _is_time(text: pl.Expr) -> pl.Expr:
    return text.str.contains(TIME_SHAPE).fill_null(False)


ADDRESS_DAYS = (
    r"/((?:19|20)\d\d)[/-](0?[1-9]|1[0-2])[/-](0?[1-9]|[12]\d|3[01])(?:[/_-]|$)",
    r"[/_-](?:[A-Za-z]{1,4})?((?:19|20)\d\d)(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(?:[/_.TA-Za-z-]|\d{4,6}(?:\D|$)|$)",
)
"""A day in an address: "/2024/12/02/", "/2023-04/28/", "/20250113/", "dmf20250202_"."""
_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
ADDRESS_MONTHS = {
    f"/{name}/": f"/{number:02}/" for number, month in enumerate(_MONTHS, 1) for name in (month, month[:3])
}
"""Months that addresses write out: "/2024/may/03/"."""


def address_day(urls: pl.Series) -> pl.Series:
    """The day that each page's address names, or null.

    >>> urls = ["https://a.example/2024/12/02/fares", "https://a.example/2024/May/3/fares", "https://a.example/1234"]
    >>> [str(day) for day in address_day(pl.Series(urls))]
    ['2024-12-02', '2024-05-03', 'None']
    """
    url = pl.col(urls.name).str.replace(r"[?#].*$", "").str.replace_many(ADDRESS_MONTHS, ascii_case_insensitive=True)
    day = pl.coalesce(
        pl.date(*(url.str.extract(pattern, n).cast(pl.Int32) for n in (1, 2, 3))) for pattern in ADDRESS_DAYS
    )
    return urls.to_frame().select(day).to_series()


def _settled(rows: pl.DataFrame, sites: pl.DataFrame) -> pl.DataFrame:
    """What the page settles: the order of numeric days, relative days; and the days that cannot be."""
    facts = sites.select("page", "zone", "country", "numeric_dates", "founded")
    rows = rows.join(facts, on="page", how="left", maintain_order="left")
    shown = pl.col("day_first")
    proven = pl.when(shown.any().over("page") != (~shown).any().over("page")).then(shown.any().over("page"))
    country = pl.col("country").replace_strict(
        {c: order for c in sites["country"].unique().drop_nulls() if (order := puts_day_first(c)) is not None},
        default=None, return_dtype=pl.Boolean,
    )  # fmt: skip
    # a reading that the address names or another line writes out, or the only one that is not after the fetch, needs
    # no order
    latest = pl.col("fetched_at").dt.offset_by("14h").dt.date()  # it may be tomorrow where the page was made
    later, later_other = (pl.col("on") > latest).fill_null(False), (pl.col("other") > latest).fill_null(False)
    addressed, other_addressed = pl.col("on") == pl.col("address_day"), pl.col("other") == pl.col("address_day")
    named = pl.when(other_addressed).then(True).when(addressed).then(False)
    only = pl.when(later & ~later_other).then(True).when(later_other & ~later).then(False)
    plain = rows.filter(pl.col("other").is_null()).drop_nulls("on").group_by("page").agg(plain="on")
    rows = rows.join(plain, on="page", how="left", maintain_order="left")
    stands, other_stands = (pl.col("plain").list.contains(pl.col(c)).fill_null(False) for c in ("on", "other"))
    written_out = pl.when(stands != other_stands).then(other_stands)
    rows = rows.with_columns(
        order=pl.when(pl.col("other").is_not_null()).then(
            pl.coalesce(
                named.max().over("page"), proven, written_out, pl.col("numeric_dates") == "day_first", only, country
            )
        )
    ).drop("plain")
    rows = rows.with_columns(
        on=pl.when("order").then("other").otherwise("on"),
        other=pl.when(pl.col("order").is_null()).then("other"),
        warnings=pl.when(pl.col("order").is_not_null())
        .then(pl.col("warnings").list.set_difference(["ambiguous_date"]))
        .otherwise("warnings"),
    )
    rows = _anchored(rows)
    possible = (pl.col("on").dt.year() >= pl.coalesce("founded", pl.lit(EARLIEST))) & (
        pl.col("on") <= pl.coalesce(latest, pl.lit(LATEST_DAY))
    )
    return rows.with_columns(possible=possible.fill_null(True))


def _anchored(rows: pl.DataFrame) -> pl.DataFrame:
    """Relative and yearless days, counted from the fetch where it is known."""
    row = pl.int_range(pl.len(), dtype=pl.UInt32)
    rows = rows.with_columns(row=row)
    unset = pl.col("on").is_null() & (pl.col("back").is_not_null() | pl.col("yearless").is_not_null())
    open_rows = rows.filter(unset, pl.col("fetched_at").is_not_null())
    found = []
    for number, fetched, zone, country, back, yearless in open_rows.select(
        "row", "fetched_at", "zone", "country", "back", "yearless"
    ).iter_rows():
        local = zone or country_zone(country)
        at = fetched.astimezone(ZoneInfo(local)) if local else fetched
        found.append((number, day_before(at, back=back, yearless=yearless)))
    days = pl.DataFrame(found, schema={"row": pl.UInt32, "day": pl.Date}, orient="row")
    rows = rows.join(days, on="row", how="left", maintain_order="left")
    return rows.with_columns(on=pl.coalesce("on", "day")).drop("day")


def _scored(rows: pl.DataFrame) -> pl.DataFrame:
    rows = rows.with_columns(crowd=pl.len().over("page", "kind", "label"))
    return rows.with_columns(
        score=pl.sum_horizontal(sign.holds.fill_null(False).cast(pl.Int32) * sign.weight for sign in SIGNS)
    )


def _chosen(rows: pl.DataFrame) -> pl.DataFrame:
    """The publication and the change of every page: rows of OWN."""
    good = rows.filter(pl.col("score") > BAR).sort(
        pl.col("page"), pl.col("on").is_null() | ~pl.col("possible"), -pl.col("score"), "line", "nth"
    )
    best = good.unique("page", keep="first", maintain_order=True)
    # a day that cannot be is not taken; where there is no other, it stands as printed, with a warning
    best = best.with_columns(
        on=pl.when("possible").then("on"),
        other=pl.when("possible").then("other"),
        warnings=pl.when("possible").then("warnings").otherwise(pl.concat_list("warnings", pl.lit("implausible_date"))),
    )
    best = _earlier_neighbour(best, rows)
    stands = best.select("page", best_line="line", best_row="row", best_on="on", best_label="label")
    others = rows.join(stands, on="page", how="left", maintain_order="left").filter(
        "possible",
        ((pl.col("row") != pl.col("best_row")) | (pl.col("best_label") == "modified")).fill_null(True),
    )
    distance = (pl.col("line").cast(pl.Int64) - pl.col("best_line").cast(pl.Int64)).abs()
    beside = (
        pl.col("label").is_null() & pl.col("best_label").is_null() & (pl.col("kind") == "date") & (pl.col("nth") == 0)
        & (distance <= NEAR) & (pl.col("on") > pl.col("best_on"))
    )  # fmt: skip
    free = pl.col("rule_name").is_null() & ~_CUT
    near = pl.when(pl.col("best_line").is_null()).then(pl.col("in_head")).otherwise(distance <= CHANGE_NEAR)
    change = (
        others.filter((_CHANGE & (near | (distance == 0)) & (free | (distance == 0))) | beside)
        .with_columns(distance=distance)
        .sort(pl.col("page"), pl.col("on").is_null(), "distance", "line", "nth", nulls_last=False)
        .unique("page", keep="first", maintain_order=True)
    )
    # a page that prints no date but its change: that day stands for the publication, and the article says so
    alone = change.join(best, on="page", how="anti").filter(pl.col("on").is_not_null())
    replaced = (pl.col("label") == "modified").fill_null(False)
    role = pl.when(replaced).then(pl.lit("modified")).otherwise(pl.lit("published"))
    parts = [
        pl.concat([best.select(rows.columns), alone.select(rows.columns)]).with_columns(
            field=pl.lit("published"), role=role, replaced=replaced & pl.col("on").is_not_null()
        ),
        change.with_columns(field=pl.lit("modified"), role=pl.lit("modified"), replaced=pl.lit(False)),
    ]
    return pl.concat(part.select(pl.col(n).cast(t) for n, t in OWN.items()) for part in parts)


def _earlier_neighbour(best: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """Of two days without labels on neighbouring lines the earlier is the publication."""
    stands = best.filter(pl.col("label").is_null(), pl.col("kind") == "date").select(
        "page", best_line="line", best_on="on", best_score="score"
    )
    beside = (
        rows.join(stands, on="page", maintain_order="left")
        .filter(
            "possible", pl.col("label").is_null(), pl.col("kind") == "date", pl.col("nth") == 0, pl.col("score") > BAR,
            (pl.col("line").cast(pl.Int64) - pl.col("best_line").cast(pl.Int64)).abs() <= NEAR,
            pl.col("on") < pl.col("best_on"), pl.col("best_score") - pl.col("score") <= NEAR,
        )
        .unique("page", keep="first", maintain_order=True)
    )  # fmt: skip
    return pl.concat([beside.select(best.columns), best]).unique("page", keep="first", maintain_order=True)


def _with_time_below(
    chosen: pl.DataFrame, rows: pl.DataFrame, lines: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Give a day without a time the time that stands alone within two lines below it.

    Returns the dates, and the lines of those times: `line`, `date_role`.
    """
    untimed = chosen.filter(pl.col("time").is_null(), pl.col("on").is_not_null(), pl.col("back").is_null())
    untimed = untimed.join(rows.select("line", "first", "last").unique("line"), on="line", maintain_order="left")
    untimed = untimed.select("line", "role", *(_short_beside(lines, n).alias(str(n)) for n in (1, 2)))
    found: list[tuple[Any, ...]] = []
    taken = set(chosen["line"].to_list())
    for line, role, *texts in untimed.iter_rows():
        for n, text in enumerate(texts, 1):
            at = lone_time(text) if text and line + n not in taken else None
            if at:
                found.append((line, line + n, role, text, *at))
                break
    schema: dict[str, Any] = {
        "line": pl.UInt32, "time_line": pl.UInt32, "date_role": pl.String, "printed": pl.String, "clock": pl.Time,
        "clock_zone": pl.String, "clock_precision": pl.String,
    }  # fmt: skip
    times = pl.DataFrame(found, schema=schema, orient="row").unique("line", keep="first", maintain_order=True)
    chosen = chosen.join(times.drop("date_role"), on="line", how="left", maintain_order="left").with_columns(
        time=pl.coalesce("time", "clock"),
        zone=pl.coalesce("zone", "clock_zone"),
        precision=pl.coalesce("clock_precision", "precision"),
    )
    return chosen.select(list(OWN)), times.select(line="time_line", date_role="date_role")


def _marked(lines: pl.DataFrame, rows: pl.DataFrame, chosen: pl.DataFrame, times: pl.DataFrame) -> pl.DataFrame:
    """The lines with `own_date`, `date_role` and `again_date`."""
    # a line with both dates keeps the roles that its words give
    role = pl.when(pl.col("role").n_unique() == 1).then(pl.col("role").first())
    own = chosen.group_by("line", maintain_order=True).agg(date_role=role, own_date=pl.lit(True))
    labels = rows.filter(pl.col("label_above").is_not_null()).join(own, on="line").select(
        line=pl.col("line") - 1, date_role="label_above"
    )
    first = chosen.filter(pl.col("field") == "published").select("page", first_on="on")
    again = rows.join(first, on=["page"]).filter(pl.col("kind") == "date", pl.col("on") == pl.col("first_on"))
    marks = pl.concat([own, times, labels], how="diagonal").unique("line", keep="first", maintain_order=True)
    return lines.join(marks, on="line", how="left", maintain_order="left").with_columns(
        own_date=pl.col("own_date").fill_null(False),
        again_date=pl.col("line").is_in(again["line"].unique().implode()),
    )
