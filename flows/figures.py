"""The figures of a shard, and how shards add up: what the `runs` dataset and the report are drawn from."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any

import polars as pl

from copydesk.cleaning import Cleaned
from copydesk.lines import dense
from copydesk.roles import BODY_ROLES, FURNITURE

EXAMPLES = 5
RULE_EXAMPLES = 3
VALUE_LENGTH = 200
WORST_PAGES = 5
WORST_PIECES = 40
PIECE_LENGTH = 1200
PIECE_LINES = 14

Figures = dict[str, Any]


def shard_figures(cleaned: Cleaned, whole: pl.DataFrame) -> Figures:
    """Count one shard. `whole` is its ledger with every text (`laws.whole_texts`)."""
    articles, quarantine = cleaned.articles, cleaned.quarantine
    spans = whole.with_columns(
        characters=pl.col("dense").str.len_chars().cast(pl.Int64),
        furniture=pl.col("role").is_in(FURNITURE),
    )
    return {
        "pages_in": cleaned.pages,
        "articles": len(articles),
        "quarantined": len(quarantine),
        "characters_in": cleaned.characters,
        "characters_kept": int(spans.filter(~pl.col("furniture"))["characters"].sum()),
        "characters_furniture": int(spans.filter("furniture")["characters"].sum()),
        "characters_quarantined": characters_of(quarantine["text"]),
        "roles": _counts(spans, "role"),
        "rules": _rules(spans),
        "publishers": _publishers(articles, spans, len(quarantine)),
        "failures": _failures(quarantine),
        "warnings": _warnings(articles),
        "worst_pages": _worst(articles, spans),
    }


def memory_figures(cleaned: Cleaned) -> list[dict[str, Any]]:
    """Of each site, its `pages` that are articles and the lines of site memory `seen` on them, each once a page."""
    kept = cleaned.sites.join(cleaned.articles.select("doc_id"), on="doc_id", how="semi")
    counts = kept.group_by("site").agg(
        pages=pl.len().cast(pl.Int64), seen=pl.col("remembered").sum().cast(pl.Int64)
    )
    return counts.sort("site").to_dicts()


def add_up(shards: Iterable[Figures]) -> Figures:
    """Add the figures of shards, in shard order: the sums, and the first examples of each kind."""
    total: Figures = {}
    keys = {
        "roles": ("role",), "rules": ("rule", "role"), "publishers": ("publisher",),
        "failures": ("check", "column"), "warnings": ("warning",), "memory": ("site",),
    }  # fmt: skip
    for figures in shards:
        for name, value in figures.items():
            if isinstance(value, int):
                total[name] = total.get(name, 0) + value
            elif name == "worst_pages":
                total[name] = [*total.get(name, []), *value]
            else:
                _add_rows(total.setdefault(name, {}), value, keys[name])
    worst = sorted(total.get("worst_pages", []), key=lambda p: (-p["share_removed"], p["doc_id"]))[:WORST_PAGES]
    out: Figures = {name: total.get(name, 0) for name in COUNTS}
    for name, by in keys.items():
        rows = total.get(name, {}).values()
        size = "pages" if name in ("failures", "warnings", "publishers", "memory") else "characters"
        out[name] = sorted(rows, key=lambda r: (-r[size], *(str(r[k]) for k in by)))
    return out | {"worst_pages": worst}


COUNTS = (
    "pages_in", "articles", "quarantined",
    "characters_in", "characters_kept", "characters_furniture", "characters_quarantined",
)  # fmt: skip


def characters_of(texts: pl.Series) -> int:
    """Characters that are not white space."""
    return int(dense(texts).str.len_chars().sum() or 0)


def _add_rows(into: dict[tuple[Any, ...], dict[str, Any]], rows: list[dict[str, Any]], keys: tuple[str, ...]) -> None:
    for row in rows:
        key = tuple(row[k] for k in keys)
        if key not in into:
            into[key] = dict(row)
            continue
        for name, value in row.items():
            if isinstance(value, int):
                into[key][name] += value
            elif name == "examples":
                limit = RULE_EXAMPLES if "rule" in keys else EXAMPLES
                into[key][name] = [*into[key][name], *value][:limit]


def _counts(spans: pl.DataFrame, *by: str) -> list[dict[str, Any]]:
    rows = spans.group_by(by).agg(
        spans=pl.len().cast(pl.Int64),
        characters=pl.col("characters").sum(),
        pages=pl.col("doc_id").n_unique().cast(pl.Int64),
    )
    return rows.sort(by).to_dicts()


def _rules(spans: pl.DataFrame) -> list[dict[str, Any]]:
    """Spans, characters and pages of each rule, with examples of what furniture it took from where."""
    beside = {
        "before": pl.col("text").shift(1).over("doc_id").str.tail(VALUE_LENGTH),
        "after": pl.col("text").shift(-1).over("doc_id").str.head(VALUE_LENGTH),
        "own_line_before": (pl.col("line_no").shift(1).over("doc_id") != pl.col("line_no")).fill_null(True),
        "own_line_after": (pl.col("line_no").shift(-1).over("doc_id") != pl.col("line_no")).fill_null(True),
    }
    # only the few first spans of each rule need their neighbours, and only pages that hold one are looked at
    shown = spans.filter("furniture").group_by("rule", maintain_order=True).head(RULE_EXAMPLES)
    context = spans.join(shown.select("doc_id").unique(), on="doc_id", how="semi", maintain_order="left").with_columns(
        **beside
    )
    shown = shown.select("doc_id", "char_start").join(
        context, on=["doc_id", "char_start"], how="left", maintain_order="left"
    )
    examples: dict[str, list[dict[str, Any]]] = {}
    for row in shown.iter_rows(named=True):
        before, after = row["before"] or "", row["after"] or ""
        examples.setdefault(row["rule"], []).append(
            {
                "doc_id": row["doc_id"],
                "line_no": row["line_no"],
                "before": before + ("\n" if before and row["own_line_before"] else ""),
                "text": row["text"][:VALUE_LENGTH],
                "after": ("\n" if after and row["own_line_after"] else "") + after,
            }
        )
    return [row | {"examples": examples.get(row["rule"], [])} for row in _counts(spans, "rule", "role")]


def _publishers(articles: pl.DataFrame, spans: pl.DataFrame, quarantined: int) -> list[dict[str, Any]]:
    characters = spans.group_by("doc_id").agg(
        characters_in=pl.col("characters").sum(),
        characters_furniture=pl.col("characters").filter("furniture").sum(),
    )
    rows = (
        articles.join(characters, on="doc_id", how="left")
        .group_by("publisher")
        .agg(
            pages=pl.len().cast(pl.Int64),
            articles=pl.len().cast(pl.Int64),
            quarantined=pl.lit(0, pl.Int64),
            with_headline=pl.col("headline").count().cast(pl.Int64),
            with_byline=(pl.col("authors").list.len() > 0).sum().cast(pl.Int64),
            with_day=pl.col("published_on").count().cast(pl.Int64),
            with_instant=pl.col("published_at").count().cast(pl.Int64),
            characters_in=pl.col("characters_in").sum(),
            characters_furniture=pl.col("characters_furniture").sum(),
        )
        .sort("publisher", nulls_last=True)
    )
    found = rows.to_dicts()
    if quarantined:
        # a page that became no article has no publisher we could be sure of
        unknown = next((r for r in found if r["publisher"] is None), None)
        if unknown is None:
            unknown = dict.fromkeys(rows.columns, 0) | {"publisher": None}
            found.append(unknown)
        unknown["pages"] += quarantined
        unknown["quarantined"] = quarantined
    return found


def _failures(quarantine: pl.DataFrame) -> list[dict[str, Any]]:
    reasons = quarantine.select("doc_id", "source", "reasons").explode("reasons", empty_as_null=True).unnest("reasons")
    found = []
    for (check, column), group in reasons.group_by(["check", "column"], maintain_order=True):
        examples = group.select("doc_id", "source", "value").head(EXAMPLES).to_dicts()
        found.append({"check": check, "column": column, "pages": group["doc_id"].n_unique(), "examples": examples})
    return found


def _warnings(articles: pl.DataFrame) -> list[dict[str, Any]]:
    shown = {
        "ambiguous_date": "published_raw", "zone_unknown": "published_raw", "relative_date": "published_raw",
        "weekday_mismatch": "published_raw", "date_conflict": "published_raw",
        "modified_before_published": "modified_raw", "no_headline": "body", "body_truncated": "end",
    }  # fmt: skip
    values = articles.with_columns(end=pl.col("body").str.tail(VALUE_LENGTH)).explode("warnings", empty_as_null=True)
    found = []
    for (warning,), group in values.drop_nulls("warnings").group_by(["warnings"], maintain_order=True):
        value = pl.col(shown[warning]) if warning in shown else pl.col("byline_raw").list.join(" / ")
        if warning in ("no_byline", "no_date"):
            value = pl.col("headline")
        examples = group.head(EXAMPLES).select("doc_id", "source", value=value.str.head(VALUE_LENGTH)).to_dicts()
        found.append({"warning": warning, "pages": len(group), "examples": examples})
    return found


def _worst(articles: pl.DataFrame, spans: pl.DataFrame) -> list[dict[str, Any]]:
    """The pages that lost the largest share of their characters, with their spans."""
    shares = (
        spans.group_by("doc_id", maintain_order=True)
        .agg(share_removed=pl.col("characters").filter("furniture").sum() / pl.col("characters").sum())
        .sort("share_removed", "doc_id", descending=[True, False])
        .head(WORST_PAGES)
    )
    names = dict(articles.select("doc_id", "publisher").iter_rows())
    pages = []
    for doc_id, share in shares.iter_rows():
        pieces = _pieces(spans.filter(pl.col("doc_id") == doc_id))
        pages.append(
            {
                "doc_id": doc_id,
                "publisher": names.get(doc_id),
                "share_removed": share,
                "pieces": pieces[:WORST_PIECES],
                "pieces_left_out": max(len(pieces) - WORST_PIECES, 0),
            }
        )
    return pages


def _pieces(spans: pl.DataFrame) -> list[dict[str, Any]]:
    """A page's spans as they stand, neighbours of one role and rule as one piece.

    Each is cut to PIECE_LENGTH, furniture to PIECE_LINES as well; `left_out` is the number of characters cut off.
    """
    pieces = []
    for (role, rule), group in itertools.groupby(spans.iter_rows(named=True), lambda r: (r["role"], r["rule"])):
        rows = list(group)
        text = rows[0]["text"]
        for before, row in itertools.pairwise(rows):
            text += ("\n" if row["line_no"] != before["line_no"] else " ") + row["text"]
        kind = "furniture" if rows[0]["furniture"] else "body" if role in BODY_ROLES else "field"
        shown = text[:PIECE_LENGTH]
        if kind == "furniture":
            shown = "\n".join(shown.split("\n")[:PIECE_LINES])
        pieces.append(
            {
                "role": role,
                "rule": rule,
                "kind": kind,
                "spans": len(rows),
                "text": shown,
                "left_out": len(text) - len(shown),
            }
        )
    return pieces
