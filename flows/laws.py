"""The laws of the design, as checks over datasets: the same ones in every run and in `copydesk verify`."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

import polars as pl

from copydesk.cleaning import digests
from copydesk.lines import dense
from copydesk.roles import BODY_ROLES, ROLES
from flows.errors import RunError

NAMED = 3
"""Pages that a broken law names."""


@dataclasses.dataclass(frozen=True)
class Law:
    """A law and how it fared: `broken` holds one line a breach, and is empty where it holds.

    `pages` are those that break it, where it is one of pages: `doc_id`, and `value`, what is amiss.
    """

    number: int
    name: str
    detail: str
    broken: tuple[str, ...] = ()
    pages: pl.DataFrame | None = None

    @property
    def passed(self) -> bool:
        """Whether the law holds."""
        return not self.broken


def hold(checked: Iterable[Law]) -> None:
    """Raise RunError at the first law that is broken."""
    for law in checked:
        if not law.passed:
            raise RunError(f"law {law.number} ({law.name}) is broken: {'; '.join(law.broken)}; nothing was published")


def whole_texts(articles: pl.DataFrame, ledger: pl.DataFrame) -> pl.DataFrame:
    """The ledger with every text filled in: where it is null, the article's body has it, block by block.

    Both frames hold whole pages. A null text that no block of the body answers stays null. `dense` is added,
    the text without white space.
    """
    blocks = articles.select("doc_id", text_in_body=pl.col("body").str.split("\n\n")).explode(
        "text_in_body", empty_as_null=True
    )
    in_body = pl.col("text").is_null()
    nth = in_body.cast(pl.UInt32).cum_sum() - 1
    if ledger.filter(in_body)["doc_id"].equals(blocks["doc_id"]):
        # sound files line up as they stand; joining them would find the same at several times the cost
        answer = ledger.select(pl.when(in_body).then(nth)).to_series()
        whole = ledger.with_columns(text=pl.coalesce("text", blocks["text_in_body"].gather(answer)))
    else:
        blocks = blocks.with_columns(block=pl.int_range(pl.len(), dtype=pl.UInt32).over("doc_id"))
        whole = (
            ledger.with_columns(block=pl.when(in_body).then(nth.over("doc_id")))
            .join(blocks, on=["doc_id", "block"], how="left", maintain_order="left")
            .with_columns(text=pl.coalesce("text", "text_in_body"))
            .drop("block", "text_in_body")
        )
    return whole.with_columns(dense=dense(whole["text"]))


def pages_add_up(pages_in: int, articles: int, quarantined: int) -> Law:
    """Law 1: pages in = articles + quarantined."""
    detail = f"{pages_in:,} pages in = {articles:,} articles + {quarantined:,} quarantined"
    broken = (
        () if pages_in == articles + quarantined else (f"{pages_in:,} pages in, but {articles + quarantined:,} out",)
    )
    return Law(1, "Pages add up", detail, broken)


def characters_balance(characters_in: int, kept: int, furniture: int, quarantined: int) -> Law:
    """Law 2 over sums: characters in = kept + furniture + quarantined (none of them white space)."""
    total = kept + furniture + quarantined
    parts = f"{kept:,} in articles + {furniture:,} furniture + {quarantined:,} quarantined"
    detail = f"{characters_in:,} characters in = {parts}"
    broken = () if total == characters_in else (f"{characters_in:,} characters in, but {total:,} out",)
    return Law(2, "Characters add up", detail, broken)


def characters_add_up(articles: pl.DataFrame, whole: pl.DataFrame) -> Law:
    """Law 2: the spans of a page, in order, are its text, and those kept its body. `whole` is from `whole_texts`."""
    same_page = pl.col("doc_id") == pl.col("doc_id").shift(1)
    in_order = (pl.col("char_start") >= pl.col("char_end").shift(1)) & (pl.col("line_no") >= pl.col("line_no").shift(1))
    kept = pl.col("role").is_in(BODY_ROLES)
    pages = (
        whole.with_columns(
            follows=(~same_page | in_order).fill_null(True),
            fits=(pl.col("text").str.len_chars() <= pl.col("char_end") - pl.col("char_start")).fill_null(False),
        )
        .group_by("doc_id", maintain_order=True)
        .agg(
            dense=pl.col("dense").str.join(""),
            ordered=pl.col("follows").all(),
            fitting=pl.col("fits").all(),
            lost=pl.col("text").is_null().any(),
            kept=pl.col("text").filter(kept).str.join("\n\n"),
        )
    )
    sums = articles.select("doc_id", "text_hash", "body").join(
        pages, on="doc_id", how="full", coalesce=True, maintain_order="left_right"
    )
    sums = sums.with_columns(found=digests(sums["dense"]))
    breach = (
        pl.when(pl.col("text_hash").is_null()).then(pl.lit("has spans but no article"))
        .when(pl.col("dense").is_null()).then(pl.lit("has an article but no spans"))
        .when(pl.col("lost")).then(pl.lit("a span's text stands neither in the ledger nor in the body"))
        .when(~pl.col("ordered")).then(pl.lit("spans overlap or are out of order"))
        .when(~pl.col("fitting")).then(pl.lit("a span is longer than its place on the page"))
        .when(pl.col("found") != pl.col("text_hash")).then(pl.lit("its spans are not its text (text_hash differs)"))
        .when(pl.col("kept") != pl.col("body")).then(pl.lit("its body is not what the ledger kept"))
    )  # fmt: skip
    bad = sums.with_columns(breach=breach).filter(pl.col("breach").is_not_null()).sort("doc_id")
    detail = f"{len(whole):,} spans hold every character of {len(articles):,} articles"
    bad = bad.select("doc_id", value="breach")
    return Law(2, "Characters add up", detail, _named(bad, "{}: {}", "pages"), bad)


def _named(rows: pl.DataFrame, line: str, things: str) -> tuple[str, ...]:
    """A line for each of the first rows, and one for how many more there are."""
    lines = tuple(line.format(*row) for row in rows.head(NAMED).iter_rows())
    return lines + ((f"and {len(rows) - NAMED:,} more {things}",) if len(rows) > NAMED else ())


def every_span_has_a_rule(ledger: pl.DataFrame) -> Law:
    """Law 3: every span names the rule that gave it its role, and the role is a known one."""
    nameless = ledger.filter(
        (pl.col("rule").str.strip_chars() == "").fill_null(True) | ~pl.col("role").is_in(ROLES).fill_null(False)
    )
    lines = _named(
        nameless.select("doc_id", "line_no", "role", "rule"), "{}: line {} has role {!r} by rule {!r}", "spans"
    )
    return Law(3, "No rule, no removal", f"{len(ledger):,} spans name one of {ledger['rule'].n_unique()} rules", lines)


_PRINTED: tuple[tuple[str, pl.Expr, tuple[str, ...]], ...] = (
    ("headline", pl.col("headline"), ("headline",)),
    ("kicker", pl.col("kicker"), ("kicker",)),
    ("standfirst", pl.col("standfirst").str.split("\n\n"), ("standfirst",)),
    (
        "author",
        pl.col("authors").list.eval(pl.element().struct.field("name")),
        ("byline", "dateline", "credit", "contact", "author_bio"),
    ),
    ("dateline", pl.col("dateline"), ("dateline",)),
    ("section", pl.col("section"), ("section",)),
    ("published_raw", pl.col("published_raw"), ("published", "modified", "byline")),
    ("modified_raw", pl.col("modified_raw"), ("published", "modified", "byline")),
    ("caption", pl.col("captions").list.eval(pl.element().struct.field("text")), ("caption",)),
    ("credit", pl.col("captions").list.eval(pl.element().struct.field("credit")), ("caption", "credit")),
)
"""What is printed on a page: its name, its values in the article, and the roles of the spans it stands in."""
_STATED_AS = {"author": "authors", "published_raw": "published", "modified_raw": "modified"}
"""What the article's `from_metadata` calls some of them."""


def fields_stand_on_the_page(articles: pl.DataFrame, whole: pl.DataFrame) -> Law:
    """Law 4, as far as files can show it: printed fields stand in spans of their role, but for white space."""
    shown = sorted({role for _, _, roles in _PRINTED for role in roles})
    fields = whole.filter(pl.col("role").is_in(shown)).select("doc_id", "role", "dense")
    broken: list[str] = []
    pages = [pl.DataFrame(schema={"doc_id": pl.String, "value": pl.String})]
    stated = articles.select("doc_id", pl.col("from_metadata").list.eval(pl.element().struct.field("field")))
    for name, values, roles in _PRINTED:
        # what the page's HTML states of itself is not printed on it
        printed_here = ~stated["from_metadata"].list.contains(_STATED_AS.get(name, name))
        found = articles.select("doc_id", value=values).filter(printed_here)
        if isinstance(found.schema["value"], pl.List):
            found = found.explode("value", empty_as_null=True)
        printed = fields.filter(pl.col("role").is_in(roles)).group_by("doc_id").agg(pl.col("dense").str.join("\n"))
        bad = (
            found.filter(pl.col("value").is_not_null())
            .join(printed, on="doc_id", how="left", maintain_order="left")
            .filter(
                ~pl.col("dense")
                .str.contains(pl.col("value").str.replace_all(r"\s+", ""), literal=True)
                .fill_null(False)
            )
        )
        broken += _named(
            bad.select("doc_id", "value"), f"{{}}: {name} {{!r:.200}} stands in no span of its role", "pages"
        )
        pages.append(bad.select("doc_id", value=pl.format("{}: {}", pl.lit(name), "value")))
    detail = f"the printed fields of {len(articles):,} articles stand on their pages"
    return Law(4, "Nothing is invented", detail, tuple(broken), pl.concat(pages))
