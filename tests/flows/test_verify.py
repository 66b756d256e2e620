"""`verify` proves the laws from the files alone, and says in a line what was altered."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from tampering import part, rewrite, where

from flows.errors import UsageError
from flows.verify import verify_output

pytestmark = pytest.mark.server

Change = Callable[[pl.DataFrame], pl.DataFrame]


def verdict(output: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    code = verify_output(output)
    return code, capsys.readouterr().out


def first(frame: pl.DataFrame, role: str) -> int:
    return int(frame.with_row_index().filter(pl.col("role") == role)["index"][0])


def furniture_text(text: str) -> Change:
    return lambda f: where("text", first(f, "masthead"), text)(f)


def test_what_was_published_is_proved(output: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, said = verdict(output, capsys)
    assert code == 0
    assert said.count("holds") == 7
    assert said.splitlines()[-1].startswith("proved")
    assert "32 pages in = " in said


def body(change: Callable[[str], str]) -> Change:
    return lambda f: f.with_columns(
        body=pl.Series([change(b) if n == 3 else b for n, b in enumerate(f["body"])], dtype=pl.String)
    )


ALTERED: dict[str, tuple[str, Change, str]] = {
    "a ledger row is gone": ("ledger", lambda f: f.slice(1), "its spans are not its text"),
    "a furniture span's text": ("ledger", furniture_text("The Other Herald"), "its spans are not its text"),
    "furniture is called body": ("ledger", lambda f: where("role", first(f, "share"), "body")(f), "its body is not what the ledger kept"),
    "body is called furniture": ("ledger", lambda f: where("role", first(f, "body"), "share")(f), "role text_is_kept"),
    "a rule's name is blank": ("ledger", where("rule", 5, " "), "rule rule_is_named"),
    "a role nobody knows": ("ledger", where("role", 5, "fluff"), "role role_is_known"),
    "spans change places": ("ledger", lambda f: f.reverse(), "out of order"),
    "a span that starts before its page": ("ledger", where("char_start", 7, -4), "start_is_counted"),
    "a span too long for its place": ("ledger", lambda f: f.with_columns(char_end=pl.col("char_start") + 1), "longer than its place"),
    "a word of a body": ("articles", body(lambda b: b[:-4] + "not."), "its body is not the one that was hashed"),
    "a paragraph of a body": ("articles", body(lambda b: b.rsplit("\n\n", 1)[0]), "its body is not the one that was hashed"),
    "a blank inside a word": ("articles", body(lambda b: b[:20] + " " + b[20:]), "its body is not the one that was hashed"),
    "a body and its hash": (
        "articles",
        lambda f: where("body_hash", 3, "0" * 32)(body(lambda b: b + " And more.")(f)),
        "is not the one that was hashed",
    ),
    "a headline": ("articles", where("headline", 2, "What nobody wrote"), "headline 'What nobody wrote' stands in no span"),
    "an author": ("articles", where("authors", 2, [{"name": "No Body", "kind": "person", "role": None, "email": None, "affiliation": None}]), "author 'No Body'"),
    "a caption": ("articles", where("captions", 2, [{"text": "No picture", "credit": None}]), "caption 'No picture'"),
    "a printed date": ("articles", where("published_raw", 2, "1 January 1999"), "published_raw '1 January 1999'"),
    "a hash of a text": ("articles", where("text_hash", 2, "0" * 32), "its spans are not its text (text_hash differs)"),
    "an article is gone": ("articles", lambda f: f.slice(1), "32 pages in, but 31 out"),
    "an article stands twice": ("articles", lambda f: pl.concat([f, f.head(1)]), "doc_id value_is_unique"),
    "an article has another id": ("articles", where("doc_id", 1, "elsewhere.txt"), "has spans but no article"),
    "a quarantined page is gone": ("quarantine", lambda f: f.slice(1), "32 pages in, but 31 out"),
    "a quarantined page is shorter": ("quarantine", lambda f: f.with_columns(pl.col("text").str.head(20)), "characters in, but"),
    "a quarantined page has another id": ("quarantine", where("doc_id", 1, "elsewhere.txt"), "'elsewhere.txt' does not stand in the datasets as often as in the page index"),
    "a reason is gone": ("quarantine", lambda f: f.with_columns(reasons=pl.lit([], f.schema["reasons"])), "reason_is_given"),
    "a day without precision": ("articles", lambda f: f.with_columns(published_precision=pl.lit(None, pl.String)), "day_has_precision"),
    "a copy of itself": ("duplicates", lambda f: f.with_columns(duplicate_of="doc_id"), "duplicate_of repeats_another"),
    "a copy that is no article": ("duplicates", where("doc_id", 0, "nobody"), "nobody: is no article"),
    "a copy of no article": ("duplicates", where("duplicate_of", 0, "nobody"), "repeats what is no article"),
    "a copy the wrong way round": ("duplicates", lambda f: f.rename({"doc_id": "duplicate_of", "duplicate_of": "doc_id"}).select(f.columns), "is earlier than what it repeats"),
    "an exact copy that is none": ("duplicates", lambda f: f.with_columns(kind=pl.lit("exact"), similarity=pl.lit(1, pl.Float32)), "is not the kind of copy that it is called"),
    "more alike than it is": ("duplicates", lambda f: f.with_columns(similarity=pl.lit(0.99, pl.Float32)), "is not as similar as it says"),
    "another number of pages": ("runs", lambda f: f.with_columns(pages_in=pl.lit(33, pl.Int64)), "pages_in"),
    "another run": ("runs", where("run_id", 0, "another"), "holds 0 rows for run"),
}  # fmt: skip


@pytest.mark.parametrize("name", ALTERED)
def test_the_laws_notice(name: str, output: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dataset, change, line = ALTERED[name]
    rewrite(output, dataset, change)
    code, said = verdict(output, capsys)
    assert code == 1, said
    assert "holds   files" in said  # the manifest was made to agree
    assert line in said
    assert said.splitlines()[-1].startswith("not proved")
    assert max(map(len, said.splitlines())) < 700


def test_a_column_of_another_type(output: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import pyarrow.parquet as pq

    path = part(output, "ledger")
    table = pq.read_table(path)
    at = table.schema.get_field_index("line_no")
    table = table.set_column(at, "line_no", table["line_no"].cast("int64"))
    rewrite(output, "ledger", lambda f: f)
    pq.write_table(table, path)
    fix_manifest(output, path)
    code, said = verdict(output, capsys)
    assert code == 1
    assert "column line_no is int64 and should be int32" in said


def fix_manifest(output: Path, path: Path) -> None:
    import hashlib
    import json

    manifest = output / "current" / "manifest.json"
    said = json.loads(manifest.read_text("utf-8"))
    for entry in said["files"]:
        if entry["name"] == path.name:
            entry |= {"bytes": path.stat().st_size, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    manifest.write_text(json.dumps(said), "utf-8")


@pytest.mark.parametrize("dataset", ["articles", "ledger", "quarantine", "duplicates", "runs"])
def test_one_flipped_byte(dataset: str, output: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = part(output, dataset)
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.unlink()
    path.write_bytes(raw)
    code, said = verdict(output, capsys)
    assert code == 1
    assert f"{dataset}/{path.name} is altered" in said
    assert "law 1" not in said


@pytest.mark.parametrize("dataset", ["articles", "quarantine"])
def test_a_part_that_is_gone_and_one_too_many(dataset: str, output: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = part(output, dataset)
    path.rename(path.with_name("part-00009.parquet"))
    code, said = verdict(output, capsys)
    assert code == 1
    assert f"{path.name} is missing" in said
    assert "part-00009.parquet is extra" in said


def test_hostile_words_in_a_breach_do_not_reach_the_terminal(output: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rewrite(output, "articles", where("headline", 2, "Red \x1b[31m alert [bold]\u202e"))
    code, said = verdict(output, capsys)
    assert code == 1
    assert "\x1b" not in said
    assert "\u202e" not in said
    assert "[bold]" in said


def test_a_folder_that_is_not_ours(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is no output of copydesk"):
        verify_output(tmp_path)
    with pytest.raises(UsageError, match="is no output of copydesk"):
        verify_output(tmp_path / "nowhere")


def test_an_output_without_a_snapshot(tmp_path: Path) -> None:
    from flows.snapshots import SnapshotStore

    SnapshotStore(tmp_path / "out").open()
    with pytest.raises(UsageError, match="has no published snapshot: run"):
        verify_output(tmp_path / "out")


def test_the_figures_of_the_flow_are_those_of_the_files(
    seeds_published: tuple[Path, dict[str, Any]],
) -> None:
    output, result = seeds_published
    assert result["articles"] == pl.read_parquet(output / "articles").height
    assert result["quarantined"] == pl.read_parquet(output / "quarantine").height
    assert result["pages_in"] == result["articles"] + result["quarantined"] == 32
