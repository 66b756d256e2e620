"""One shard: its pages cleaned, validated, checked against the laws, and written. Knows nothing of Prefect."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import polars as pl

from copydesk import clean_pages, open_desk
from copydesk.cleaning import Cleaned, Desk
from copydesk.html import read_html
from flows import laws
from flows.errors import RunError
from flows.figures import Figures, memory_figures, shard_figures
from flows.parts import put_part, whole_file
from schemas import ARTICLES, LEDGER, PAGES, QUARANTINE

SHARD_BYTES = 32_000_000
"""Text of a shard: enough that a batch is worth its start, little enough that two fit in 2 GiB."""


def clean_shard(shard: Path, folder: Path, *, desk: Desk | None = None, number: int | None = None) -> Path:
    """Clean the staged pages of `shard` into part files below `folder`; returns the path of its figures (JSON).

    The parts are `<dataset>/part-<number>.parquet`, absent where they would be empty; without a `number`, the shard's.
    Each file is there whole or not at all, the figures last; done again, it writes the same. Raises RunError where a
    law is broken.
    """
    desk = desk or open_desk()
    pages = pl.read_ipc(shard)
    cleaned, whole = lawful(validate(clean_pages(admit(pages), desk=desk), pages), pages)
    part = int(shard.stem.removeprefix("shard-")) if number is None else number
    for dataset, frame in ((ARTICLES, cleaned.articles), (LEDGER, cleaned.ledger), (QUARANTINE, cleaned.quarantine)):
        put_part(frame, dataset, folder, part, ruleset=desk.ruleset, scratch=shard.parent)
    figures = shard_figures(cleaned, whole)
    if desk.memory:
        figures["memory"] = memory_figures(cleaned)
    return write_figures(figures, shard.with_suffix(".json"))


def admit(pages: pl.DataFrame) -> pl.DataFrame:
    """Add to each page's `problems` what the contract of incoming pages finds.

    Of pages that share an id and are the same to the byte, the first is let in; where they differ, none is.
    """
    failures = PAGES.failures(pages)
    same = pl.struct("doc_id", "content_hash")
    spared = pages.select(
        row=pl.int_range(pl.len(), dtype=pl.UInt32),
        spared=same.is_first_distinct() & (pl.col("content_hash").n_unique().over("doc_id") == 1),
    ).filter("spared")
    duplicate = pl.col("check") == "value_is_unique"
    failures = failures.filter(~(duplicate & pl.col("row").is_in(spared["row"].implode()))).with_columns(
        check=pl.when(duplicate).then(pl.lit("duplicate_id")).otherwise("check")
    )
    if not len(failures):
        return pages
    found = failures.group_by("row").agg(found=pl.struct("check", "column", "value"))
    return (
        pages.with_row_index("row")
        .join(found, on="row", how="left", maintain_order="left")
        .with_columns(problems=pl.concat_list(pl.col("problems").fill_null([]), pl.col("found").fill_null([])))
        .select(pages.columns)
    )


def validate(cleaned: Cleaned, pages: pl.DataFrame) -> Cleaned:
    """Move articles that break their contract to the quarantine, whole and with every reason."""
    articles = cleaned.articles.with_row_index("row")
    failures = ARTICLES.failures(cleaned.articles).join(articles.select("row", "doc_id"), on="row")
    cleaned = _without(cleaned, pages, failures) if len(failures) else cleaned
    cleaned = dataclasses.replace(
        cleaned, quarantine=cleaned.quarantine.sort("doc_id", "content_hash", "source", maintain_order=True)
    )
    # articles that passed are not asked twice: pandera takes a tenth of a second a frame, however few its rows
    moved_articles = [(ARTICLES, cleaned.articles)] if len(failures) else []
    for dataset, frame in (*moved_articles, (LEDGER, cleaned.ledger), (QUARANTINE, cleaned.quarantine)):
        wrong = dataset.failures(frame)
        if len(wrong):
            raise RunError(
                f"{dataset.name} breaks its contract: {wrong.row(0)}; this is a defect of copydesk: please report it"
            )
    return cleaned


def _without(cleaned: Cleaned, pages: pl.DataFrame, failures: pl.DataFrame) -> Cleaned:
    """The articles of `failures` (`doc_id`, `check`, `column`, `value`) moved to the quarantine, at its end."""
    reasons = (
        failures.join(cleaned.articles.select("doc_id", "content_hash", "ruleset"), on="doc_id")
        .group_by("doc_id", "content_hash", "ruleset", maintain_order=True)
        .agg(reasons=pl.struct("check", "column", "value"))
    )
    moved = reasons.join(
        pages.unique(["doc_id", "content_hash"], keep="first", maintain_order=True).drop("problems"),
        on=["doc_id", "content_hash"],
    )
    of_html = moved.filter(pl.col("html").is_not_null())
    if len(of_html):
        rendered = read_html(of_html.with_row_index("page")).pages.select("doc_id", rendered="text")
        moved = moved.join(rendered, on="doc_id", how="left", maintain_order="left").with_columns(
            text=pl.coalesce("text", "rendered")
        )
    return dataclasses.replace(
        cleaned,
        articles=cleaned.articles.join(reasons, on="doc_id", how="anti", maintain_order="left"),
        ledger=cleaned.ledger.join(reasons, on="doc_id", how="anti", maintain_order="left"),
        quarantine=pl.concat([cleaned.quarantine, moved.select(cleaned.quarantine.columns)]),
    )


def lawful(cleaned: Cleaned, pages: pl.DataFrame) -> tuple[Cleaned, pl.DataFrame]:
    """What of a shard keeps the laws, with the whole texts of its ledger; pages that break one go to the quarantine.

    A page breaks a law by a defect of ours, and the others need not wait until it is mended. Raises RunError where a
    law is broken all the same.
    """
    whole, checked = check_laws(cleaned.articles, cleaned.ledger, cleaned.quarantine, len(pages))
    breaches = pl.concat(
        law.pages.select("doc_id", check=pl.lit(f"law_{law.number}"), column=pl.lit("body"), value="value")
        for law in checked
        if law.pages is not None
    )
    if len(breaches):
        cleaned = validate(_without(cleaned, pages, breaches), pages)
        whole, checked = check_laws(cleaned.articles, cleaned.ledger, cleaned.quarantine, len(pages))
    laws.hold(checked)
    return cleaned, whole


def check_laws(
    articles: pl.DataFrame, ledger: pl.DataFrame, quarantine: pl.DataFrame, pages_in: int
) -> tuple[pl.DataFrame, tuple[laws.Law, ...]]:
    """The whole texts of a ledger, and laws 1 to 4 over the rows of a shard or a part."""
    whole = laws.whole_texts(articles, ledger)
    return whole, (
        laws.characters_add_up(articles, whole),
        laws.fields_stand_on_the_page(articles, whole),
        laws.pages_add_up(pages_in, len(articles), len(quarantine)),
        laws.every_span_has_a_rule(ledger),
    )


def write_figures(figures: Figures, path: Path) -> Path:
    """Write a shard's figures beside its pages, whole or not at all."""
    text = json.dumps(figures, ensure_ascii=False, default=str)
    with whole_file(path, path.parent) as unfinished:
        unfinished.write_text(text, encoding="utf-8", errors="surrogatepass")
    return path
