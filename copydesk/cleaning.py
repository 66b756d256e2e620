"""Pages in, articles and their ledger out: the whole way, for a batch or for one page."""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from copydesk.assemble import decide_roles, suppose_roles
from copydesk.fields import ARTICLE, article_fields
from copydesk.headline_cuts import cut_headlines
from copydesk.html import read_html
from copydesk.lines import dense, split_lines
from copydesk.marks import mark_lines
from copydesk.memory import Memory, known_furniture, load_memory, mark_known
from copydesk.metadata import stated_article
from copydesk.page_dates import own_dates
from copydesk.publishers import ProfileBook, find_sites, load_profiles, match_publishers, our_profiles
from copydesk.roles import BODY_ROLES
from copydesk.rules import RuleBook, load_rules, our_rules
from copydesk.spans import cut_spans, find_closings, find_datelines
from copydesk.structure import page_structure
from copydesk.versions import Versions, site_versions

LEDGER: dict[str, Any] = {
    "doc_id": pl.String, "line_no": pl.Int32, "char_start": pl.Int32, "char_end": pl.Int32,
    "role": pl.String, "rule": pl.String, "confidence": pl.Float32, "text": pl.String,
}  # fmt: skip
"""The columns of the ledger dataset, in order."""
REASON = pl.Struct({"check": pl.String, "column": pl.String, "value": pl.String})
QUARANTINE: dict[str, Any] = {
    "doc_id": pl.String, "source": pl.String, "content_hash": pl.String, "text": pl.String, "raw": pl.Binary,
    "reasons": pl.List(REASON), "ruleset": pl.String, "url": pl.String, "html": pl.String, "encoding": pl.String,
    "fetched_at": pl.Datetime("us", "UTC"),
}  # fmt: skip
"""The columns of the quarantine dataset, in order."""
PAGE: dict[str, Any] = {
    "doc_id": pl.String, "url": pl.String, "source": pl.String, "text": pl.String, "html": pl.String, "raw": pl.Binary,
    "content_hash": pl.String, "encoding": pl.String, "problems": pl.List(REASON),
    "fetched_at": pl.Datetime("us", "UTC"),
}  # fmt: skip
"""The columns of a page as a reader leaves it: it has `text` or `html`, or neither. `fetched_at`, where it is known, is
what "3 hours ago" counts from."""

FEW_SENTENCES = 4
"""A page without one paragraph is still an article where it has as many short sentences."""
FEW_ITEMS = 10
"""A list is an article where the page's address spells its headline or its metadata say so, and it has as many items:
results, winners. A front page has neither."""
LIBRARY_VERSION = "9"
"""Part of `ruleset`: goes up whenever code changes what a page becomes, as a rule file's content does by itself."""


@dataclasses.dataclass(frozen=True)
class Desk:
    """What decides how pages are cleaned: the rules, the profiles and site memory, each with its version."""

    rules: RuleBook
    profiles: ProfileBook
    memory: Memory | None = None

    @property
    def ruleset(self) -> str:
        """The version of all of it."""
        return self.versions.ruleset

    @functools.cached_property
    def versions(self) -> Versions:
        """The version of all of it, and of what decides the rows of a site; the latter stands in each row."""
        base = f"{LIBRARY_VERSION}.{_tables_version()}-{self.rules.version}"
        memory = f"-{self.memory.version}" if self.memory else ""
        return Versions(f"{base}-{self.profiles.version}{memory}", base, site_versions(self.profiles, self.known))

    @functools.cached_property
    def known(self) -> pl.DataFrame:
        """The furniture that is known line by line, of every site; see `known_furniture`."""
        return known_furniture(self.profiles, self.memory)


@dataclasses.dataclass(frozen=True)
class Cleaned:
    """A cleaned batch: the three datasets as frames with the columns ARTICLE, LEDGER and QUARANTINE.

    `spans` is the ledger with every text, and with the pages that were quarantined after they were read;
    `pages` is how many came in, `characters` how many of theirs are not white space.
    `sites` has a row an article whose site is known: `doc_id`, `site`, and `remembered`, how many different lines of
    site memory stand on it.
    """

    articles: pl.DataFrame
    ledger: pl.DataFrame
    quarantine: pl.DataFrame
    spans: pl.DataFrame
    pages: int
    characters: int
    sites: pl.DataFrame


@functools.cache
def _tables_version() -> str:
    """Names the word tables in `data/` (months, zones, titles, agencies): they decide rows as the rules do."""
    folder = Path(__file__).parent / "data"
    content = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()))
    return content.hexdigest()[:8]


def open_desk(
    rules: Sequence[Path] = (), publishers: Sequence[Path] = (), memory: Path | None = None
) -> Desk:
    """The desk with our rules and profiles, those of the given folders, and a site memory; raises RuleError."""
    return Desk(
        load_rules(rules) if rules else our_rules(),
        load_profiles(publishers) if publishers else our_profiles(),
        load_memory(memory) if memory else None,
    )


def clean(
    text: str | None = None,
    *,
    html: str | None = None,
    url: str | None = None,
    fetched_at: dt.datetime | None = None,
    doc_id: str = "page",
    desk: Desk | None = None,
) -> Cleaned:
    """Clean one page, given as text or as HTML, by the same path as a batch.

    `fetched_at` (with its zone) is when the page was read. Raises TypeError where the page is given as both or neither.

    >>> lead = "Fares on the island ferry rise by a tenth in May, the council said on Monday evening."
    >>> page = clean(f"Ferry fares rise\\n\\nBy Ann Lee\\n\\n{lead}")
    >>> page.articles["headline"].item()
    'Ferry fares rise'
    """
    if (given := html if text is None else text) is None or (text is not None and html is not None):
        raise TypeError("clean takes a page's text or its html")
    raw = given.encode("utf-8", "surrogatepass")
    row: dict[str, Any] = {
        "doc_id": doc_id,
        "url": url,
        "source": doc_id,
        "text": text,
        "html": html,
        "content_hash": digest(raw),
        "problems": [],
        "fetched_at": fetched_at,
    }
    return clean_pages(pl.DataFrame([row], schema=PAGE), desk=desk)


def clean_pages(pages: pl.DataFrame, *, desk: Desk | None = None) -> Cleaned:
    """Clean a batch of pages (columns of PAGE). Every page comes out once: as an article or quarantined."""
    desk = desk or open_desk()
    of_html = pages["html"].is_not_null()
    if of_html.any() and not of_html.all():
        return _together(pages, [_clean_alike(pages.filter(kind), desk) for kind in (~of_html, of_html)])
    return _clean_alike(pages, desk)


def _together(pages: pl.DataFrame, parts: list[Cleaned]) -> Cleaned:
    """Batches of text and of HTML as one, in the order of their pages."""
    place = pages.select("doc_id").unique(keep="first", maintain_order=True).with_row_index("place")

    def joined(frames: list[pl.DataFrame]) -> pl.DataFrame:
        rows = pl.concat(frames).join(place, on="doc_id", how="left", maintain_order="left")
        return rows.sort("place", maintain_order=True).drop("place")

    return Cleaned(
        articles=joined([part.articles for part in parts]),
        ledger=joined([part.ledger for part in parts]),
        quarantine=joined([part.quarantine for part in parts]),
        spans=joined([part.spans for part in parts]),
        pages=len(pages),
        characters=sum(part.characters for part in parts),
        sites=joined([part.sites for part in parts]),
    )


def _clean_alike(pages: pl.DataFrame, desk: Desk) -> Cleaned:
    """Clean pages that are all text, or all HTML."""
    pages = pages.with_row_index("page")
    problem = pl.col("problems").list.len().fill_null(0) > 0
    readable = pages.filter(~problem & (pl.col("text").is_not_null() | pl.col("html").is_not_null()))
    lines, settled, metadata = None, None, None
    if readable["html"].is_not_null().any():
        readable, lines, settled, metadata = read_html(readable)
        pages = pages.update(readable.select("page", "text"), on="page")
    pages = pages.with_columns(dense=dense(pages["text"]))
    readable = pages.join(readable.select("page"), on="page", how="semi", maintain_order="left")
    lines, dissections, sites, remembered, publishers, dates = supposed_lines(readable, desk, lines)
    lines = decide_roles(lines)
    datelines = find_datelines(lines)
    closings = find_closings(lines)
    spans = cut_spans(lines, dissections, datelines, cut_headlines(lines, readable, publishers, metadata), closings)
    if settled is not None:
        spans = pl.concat([spans, settled.select(spans.columns)]).sort("page", "char_start", maintain_order=True)
    fields = article_fields(readable, spans, lines, dissections, datelines, closings, publishers, dates, metadata)
    reasons = _not_articles(fields, lines, metadata)
    good = fields.join(reasons, on="page", how="anti", maintain_order="left")
    made_by = pages.select("page").join(sites.select("page", "site"), on="page", how="left", maintain_order="left")
    made_by = made_by.join(desk.versions.of_rows, on="site", how="left", maintain_order="left").select(
        "page", pl.col("ruleset").fill_null(desk.versions.base)
    )
    articles = _articles(good, readable, made_by)
    spans = _spans(spans, readable)
    ledger = _ledger(spans, good)
    bad = pages.join(good.select("page"), on="page", how="anti", maintain_order="left")
    quarantine = (
        bad.join(reasons, on="page", how="left", maintain_order="left")
        .join(made_by, on="page", how="left", maintain_order="left")
        .with_columns(reasons=pl.concat_list(pl.col("problems").fill_null([]), pl.col("reasons").fill_null([])))
        .select(pl.col(n).cast(t) for n, t in QUARANTINE.items())
    )
    known = good.select("page", "doc_id").join(sites.drop_nulls("site"), on="page", maintain_order="left")
    known = known.join(remembered, on="page", how="left", maintain_order="left")
    known = known.select("doc_id", "site", pl.col("remembered").fill_null(0))
    characters = int(pages["dense"].str.len_chars().sum())
    return Cleaned(articles, ledger, quarantine, spans, len(pages), characters, known)


class Supposed(NamedTuple):
    """The lines of a batch with what the rules make of them, and what is known of their pages on the way."""

    lines: pl.DataFrame
    dissections: pl.DataFrame
    sites: pl.DataFrame
    remembered: pl.DataFrame
    publishers: pl.DataFrame
    dates: pl.DataFrame


def supposed_lines(pages: pl.DataFrame, desk: Desk, lines: pl.DataFrame | None = None) -> Supposed:
    """All that comes before the line model is asked; `pages` has the columns of PAGE and `page` (UInt32, ascending).

    `lines` are those of the pages that are to be looked at, where it is not all of them (`read_html`).
    """
    lines = split_lines(pages) if lines is None else lines
    lines, hits, dissections = mark_lines(lines, desk.rules)
    sites = find_sites(pages, lines, desk.profiles)
    lines, remembered = mark_known(lines, sites, desk.known)
    lines = page_structure(pages, lines, hits, desk.rules)
    publishers = match_publishers(sites, lines)
    lines, dates = own_dates(pages, lines, dissections, sites)
    return Supposed(suppose_roles(lines, publishers), dissections, sites, remembered, publishers, dates)


def digest(data: bytes | memoryview) -> str:
    """The first 32 hex digits of sha256: the hashes of all datasets."""
    return hashlib.sha256(data).hexdigest()[:32]


def digests(values: pl.Series) -> pl.Series:
    """The digest of each text or bytes; null for null."""
    return pl.Series([None if v is None else digest(v) for v in values.cast(pl.Binary)], dtype=pl.String)


def _not_articles(fields: pl.DataFrame, lines: pl.DataFrame, metadata: pl.DataFrame | None) -> pl.DataFrame:
    prose = lines.group_by("page").agg(
        paragraphs=(pl.col("prose") & (pl.col("role") == "body")).sum(),
        sentences=(pl.col("ends") & (pl.col("role") == "body")).sum(),
        items=pl.col("role").is_in(BODY_ROLES).sum(),
        addressed=pl.col("addressed").any(),
        lines=pl.len(),
    )
    facts = fields.select("page").join(prose, on="page", how="left", maintain_order="left")
    empty = pl.col("lines").is_null()
    check = pl.when(empty).then(pl.lit("empty_page")).otherwise(pl.lit("not_an_article"))
    value = (
        pl.when(empty)
        .then(pl.lit("no text"))
        .otherwise(pl.format("{} lines, {} paragraphs", pl.col("lines"), pl.col("paragraphs")))
    )
    stated = [] if metadata is None else metadata.filter(stated_article())["page"].to_list()
    listed = (pl.col("addressed") | pl.col("page").is_in(stated)) & (pl.col("items") >= FEW_ITEMS)
    return facts.filter(
        pl.col("paragraphs").fill_null(0) == 0,
        pl.col("sentences").fill_null(0) < FEW_SENTENCES,
        ~listed.fill_null(False),
    ).select("page", reasons=pl.concat_list(pl.struct(check=check, column=pl.lit("body"), value=value)))


def _articles(good: pl.DataFrame, pages: pl.DataFrame, made_by: pl.DataFrame) -> pl.DataFrame:
    facts = pages.select("page", "source", "content_hash", "dense").join(made_by, on="page", maintain_order="left")
    rows = good.join(facts, on="page", how="left", maintain_order="left")
    return rows.with_columns(
        text_hash=digests(rows["dense"]),
        body_hash=digests(rows["normal"]),
    ).select(pl.col(n).cast(t) for n, t in ARTICLE.items())


def _spans(spans: pl.DataFrame, pages: pl.DataFrame) -> pl.DataFrame:
    return spans.join(pages.select("page", "doc_id"), on="page", how="inner", maintain_order="left").select(
        pl.col(n).cast(t) for n, t in LEDGER.items()
    )


def _ledger(spans: pl.DataFrame, good: pl.DataFrame) -> pl.DataFrame:
    """The spans of the articles, without the texts that their bodies hold."""
    return spans.join(good.select("doc_id"), on="doc_id", how="semi", maintain_order="left").with_columns(
        text=pl.when(~pl.col("role").is_in(BODY_ROLES)).then("text")
    )
