"""Learning site memory: on how many articles of a site does each line stand?

Two steps, so that it grows to very many pages. `tally` turns cleaned pages into a row a line, of any batch, in any
order; `recurring_lines` counts the rows of whole sites, any number of sites at a time. Only equality of whole lines
and sums of whole numbers decide, so order and batches do not show in what is learnt.
"""

from __future__ import annotations

import dataclasses
import hashlib
from typing import Any

import polars as pl

from copydesk.cleaning import Cleaned
from copydesk.dissect import dissect
from copydesk.marks import LONG_WEIGHT, ends_sentence, weight
from copydesk.memory import ENTRY, Memory, memory_key
from copydesk.precedence import PRECEDENCE
from copydesk.roles import FURNITURE

TALLY: dict[str, Any] = {
    "site": pl.String, "page": pl.UInt64, "article": pl.UInt64, "key": pl.UInt64, "char_start": pl.UInt32,
    "weight": pl.Int32, "sentence": pl.Boolean, "verdict": pl.String, "text": pl.String,
}  # fmt: skip
"""A line of a page: hashes of the page's id, of its body and of site and line; where it stands; what it weighs, and
whether it reads like a sentence; what the rules made of it: a furniture role, OPEN, FIELD or HEADLINE."""

OPEN = "open"
"""Kept as text only because nothing spoke against it: memory may say that it is furniture."""
FIELD = "field"
"""Byline, date, section and the like: they recur by right (an author's name does on all his pages)."""
HEADLINE = "headline"
"""The page's headline: on one page alone, it is that article's, however often others link to it."""
_FIELD_ROLES = ("kicker", "byline", "dateline", "published", "modified", "credit", "section", "repeat")
_MEMORY_ROW = next(n for n, d in enumerate(PRECEDENCE) if d.rule_from == "known_rule")
_SURE_RULES = [d.rule for d in PRECEDENCE[:_MEMORY_ROW] if d.rule]

SENTENCE_WEIGHT = 40
OWN_SHARE = 50
"""Percent of a page's sentences, by weight, that no other page of the site has: from this on it is an article of its
own. The copies of one article share theirs, and count as one."""


@dataclasses.dataclass(frozen=True)
class Support:
    """How much a line needs to be learnt: articles of the site that it stands on, and percent of all of them."""

    pages: int
    percent: int


LABEL = Support(3, 20)
"""A line that is no sentence: a menu's word, a button. Little is lost where it was a sub-heading."""
EDGE = Support(4, 40)
"""A sentence above or below the article's own paragraphs on most of its pages: a notice, a box."""
INSIDE = Support(8, 60)
"""A sentence between them: a background paragraph recurs there too, and is lost if it is learnt."""


def tally(cleaned: Cleaned) -> pl.DataFrame:
    """A row (TALLY) for each line of each article whose site is known, as cleaned without a memory."""
    pages = cleaned.sites.join(cleaned.articles.select("doc_id", "body_hash"), on="doc_id")
    pages = pages.select(
        "doc_id",
        "site",
        page=pl.Series([_hash(i) for i in pages["doc_id"]], dtype=pl.UInt64),
        article=pl.Series([int(h[:16], 16) for h in pages["body_hash"]], dtype=pl.UInt64),
    )
    role, size = pl.col("role"), weight(pl.col("text"))
    ends = ends_sentence(pl.col("text"))
    as_it_is = role.is_in([HEADLINE, *FURNITURE])
    field = role.is_in(_FIELD_ROLES) | (~as_it_is & pl.col("rule").is_in(_SURE_RULES))
    return (
        cleaned.spans.join(pages, on="doc_id", maintain_order="left")
        .with_columns(
            key=_line_hash("text"),
            weight=size,
            sentence=(ends & (size >= SENTENCE_WEIGHT)) | (size >= LONG_WEIGHT),
            verdict=pl.when(field)
            .then(pl.lit(FIELD))
            .when(as_it_is)
            .then(role)
            .otherwise(pl.lit(OPEN)),
        )
        .select(pl.col(n).cast(t) for n, t in TALLY.items())
        .sort("site", "page", "char_start")
    )


def _hash(doc_id: str) -> int:
    return int.from_bytes(hashlib.sha256(doc_id.encode("utf-8", "surrogatepass")).digest()[:8], "big")


def recurring_lines(lines: pl.DataFrame) -> pl.DataFrame:
    """Count the lines of whole sites over their distinct articles.

    `lines` are rows of TALLY, `text` not needed. Returns a row a line that stands on an article: `site`, `key`,
    `pages`, `of`, `kept` (as in ENTRY), `role` (the furniture role that the rules gave it most often, else by its
    shape and place), and `enough`: whether that supports learning it.
    """
    lines = lines.sort("page", "char_start").unique(["page", "key"], keep="first", maintain_order=True)
    lines = _distinct_articles(lines).with_columns(own=_BODY & ~pl.col("key").is_duplicated())
    of = lines.group_by("site").agg(of=pl.col("page").n_unique())
    own_place = pl.col("char_start").filter("own")
    edges = lines.group_by("page").agg(first_own=own_place.min(), last_own=own_place.max())
    lines = lines.filter(~pl.col("own")).join(edges, on="page")
    start = pl.col("char_start")
    counts = lines.group_by("key").agg(
        pl.col("site").first(),
        pages=pl.len(),
        kept=(pl.col("verdict") == OPEN).sum(),
        fields=pl.col("verdict").is_in([FIELD, HEADLINE]).sum(),
        headlines=(pl.col("verdict") == HEADLINE).sum(),
        inside=((start > pl.col("first_own")) & (start < pl.col("last_own"))).sum(),
        above=(start < pl.col("first_own")).sum(),
        sentence=pl.col("sentence").any(),
    )
    roles = (
        lines.filter(~pl.col("verdict").is_in([OPEN, FIELD, HEADLINE]))
        .group_by("key", "verdict")
        .len()
        .sort("key", "len", "verdict", descending=[False, True, False])
        .unique("key", keep="first", maintain_order=True)
        .select("key", given="verdict")
    )
    by_place = (
        pl.when(~pl.col("sentence") & (2 * pl.col("above") >= pl.col("pages")))
        .then(pl.lit("navigation"))
        .otherwise(pl.lit("other"))
    )

    def supported(need: Support) -> pl.Expr:
        return (pl.col("pages") >= need.pages) & (pl.col("pages") * 100 >= pl.col("of") * need.percent)

    enough = (
        pl.when(~pl.col("sentence")).then(supported(LABEL))
        # what the rules take by themselves needs no memory; what they leave on one page alone may be at home there,
        # and a teaser elsewhere
        .when(pl.col("kept") < 2).then(False)
        .when(2 * pl.col("inside") < pl.col("pages")).then(supported(EDGE))
        .otherwise(supported(INSIDE))
    ) & (2 * pl.col("fields") < pl.col("pages")) & (pl.col("headlines") != 1)  # fmt: skip
    return (
        counts.join(of, on="site")
        .join(roles, on="key", how="left")
        .select(
            "site", "key", pl.col("pages", "of", "kept").cast(pl.Int64), role=pl.coalesce("given", by_place),
            enough=enough,
        )
    )  # fmt: skip


_BODY = pl.col("sentence") & (pl.col("verdict") == OPEN)
"""A sentence that the rules keep."""


def _distinct_articles(lines: pl.DataFrame) -> pl.DataFrame:
    """The lines of those pages that are articles of their own, and of one page of each bundle of copies.

    Where most of a page's sentences stand on other pages of the site too, it is a copy, as a revised article is: it
    goes into one bundle with the pages that share its longest such sentence.
    """
    pages = lines.select("site", "article", "page").unique().sort("site", "article", "page")
    pages = pages.unique(["site", "article"], keep="first", maintain_order=True).select("page")
    lines = lines.join(pages, on="page", how="semi", maintain_order="left")
    lines = lines.with_columns(shared=_BODY & pl.col("key").is_duplicated(), body=_BODY)
    sizes = lines.group_by("page").agg(
        text=pl.col("weight").filter("body").sum(), shared=pl.col("weight").filter("shared").sum()
    )
    own = (pl.col("text") - pl.col("shared")) * 100 >= pl.col("text") * OWN_SHARE
    copies = (
        lines.filter("shared")
        .join(sizes.filter(~own), on="page", how="semi")
        .sort("page", "weight", "char_start", descending=[False, True, False])
        .unique("page", keep="first", maintain_order=True)
        .unique("key", keep="first", maintain_order=True)
    )
    kept = pl.concat([sizes.filter(own, pl.col("text") > 0).select("page"), copies.select("page")])
    return lines.drop("shared", "body").join(kept, on="page", how="semi", maintain_order="left")


def judged_lines(memory: Memory | None) -> pl.DataFrame:
    """The lines of an earlier memory that a person accepted or rejected: `site`, `key`, `line`, `role`, `status`."""
    entries = memory.entries if memory else pl.DataFrame(schema=ENTRY)
    return entries.filter(pl.col("status") != "learnt").select("site", "line", "role", "status", key=_line_hash("line"))


def entries_of(counts: pl.DataFrame, texts: pl.DataFrame, of: pl.DataFrame, judged: pl.DataFrame) -> pl.DataFrame:
    """The entries (ENTRY) of a memory: lines with enough support that are no byline, date or caption by their shape,
    and those that a person judged, with the role and status that he gave them and the counts as they are now.

    `counts` is from `recurring_lines`, `texts` has `key` and `text` of its lines, `of` the articles of each `site`.
    """
    printed = texts.group_by("key").agg(printed=pl.col("text").min())
    # names, bylines, dates and credits recur by right, also where the rules took them for something else
    by_right = pl.Series("by_right", [dissect(line) is not None for line in printed["printed"]], dtype=pl.Boolean)
    found = counts.drop("of").join(printed.with_columns(by_right), on="key")
    said = judged.rename({"role": "said_role"})
    rows = found.join(said, on=["site", "key"], how="full", coalesce=True).join(of, on="site", how="left")
    rows = rows.filter((pl.col("enough") & ~pl.col("by_right")).fill_null(False) | pl.col("status").is_not_null())
    return rows.with_columns(
        pl.col("pages", "kept", "of").fill_null(0),
        line=pl.coalesce("line", "printed"),
        role=pl.coalesce("said_role", "role"),
        status=pl.col("status").fill_null("learnt"),
    ).select(pl.col(n).cast(t) for n, t in ENTRY.items())


def _line_hash(text: str) -> pl.Expr:
    """What the lines of a site are told apart by while they are counted; nothing of it is kept."""
    return pl.concat_str("site", memory_key(pl.col(text)), separator="\n").hash()
