"""A shard: every page comes out once, valid or with its reasons, in files that depend on the pages alone."""

from __future__ import annotations

import dataclasses
import json
import random
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shard_runs import HOSTILE, PROSE, digests, page, run_frames, run_pages, run_source

from copydesk import open_desk
from copydesk.cleaning import Cleaned
from flows import shards
from flows.errors import RunError
from flows.parts import read_parts, write_part
from flows.readers import PAGE_SCHEMA, ReadOptions, open_source
from schemas import ARTICLES, DATASETS, LEDGER, QUARANTINE, Dataset


def reasons(quarantine: pl.DataFrame) -> dict[str, list[str]]:
    rows = quarantine.select("doc_id", "reasons").sort("doc_id", maintain_order=True).iter_rows()
    found: dict[str, list[str]] = {}
    for doc_id, why in rows:
        found.setdefault(doc_id, []).extend(r["check"] for r in why)
    return found


def test_every_seed_comes_out_once(seeds: Path, tmp_path: Path) -> None:
    rows, figures = run_source(seeds, tmp_path)
    ids = [*rows["articles"]["doc_id"], *rows["quarantine"]["doc_id"]]
    assert sorted(ids) == sorted(p.name for p in seeds.glob("*.txt"))
    assert figures["pages_in"] == len(ids) == figures["articles"] + figures["quarantined"]
    parts = ("characters_kept", "characters_furniture", "characters_quarantined")
    assert figures["characters_in"] == sum(figures[name] for name in parts) > 0
    assert set(rows["ledger"]["doc_id"]) == set(rows["articles"]["doc_id"])


def test_hostile_pages(tmp_path: Path) -> None:
    pages = [page(f"{n:02}-\U0001f4a9{n}", text) for n, text in enumerate(HOSTILE)]
    pages += [page(f"empty-{n}", text) for n, text in enumerate(("", " ", "\n", "\u200b"))]
    rows, figures = run_pages(pages, tmp_path)
    assert figures["pages_in"] == len(pages) == sum(map(len, (rows.get("articles", ()), rows["quarantine"])))
    for dataset in (ARTICLES, LEDGER, QUARANTINE):
        if dataset.name in rows:
            assert dataset.failures(read_parts((tmp_path / dataset.name).glob("*.parquet"), dataset)).is_empty()


TEXT = st.lists(
    st.one_of(
        st.sampled_from(
            [
                "",
                PROSE,
                "By Ann Lee",
                "Related stories",
                "• Share",
                "3 May 2024 09:15 GMT",
                "(Photo: A. Lee)",
                "Subscribe",
            ]
        ),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=60),
    ),
    max_size=12,
).map("\n".join)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(texts=st.lists(TEXT, min_size=1, max_size=5))
def test_no_text_breaks_a_law(texts: list[str], tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("any")
    rows, figures = run_pages([page(f"p{n}", text) for n, text in enumerate(texts)], folder)
    assert sum(len(rows[n]) for n in ("articles", "quarantine") if n in rows) == len(texts) == figures["pages_in"]


def test_duplicate_ids(tmp_path: Path) -> None:
    same, other = page("same"), page("other")
    pages = [same, same | {"source": "later"}, other, other | page("other", PROSE + " And more."), page("alone")]
    rows, _ = run_pages(pages, tmp_path)
    assert sorted(rows["articles"]["doc_id"]) == ["alone", "same"]
    assert reasons(rows["quarantine"]) == {"same": ["duplicate_id"], "other": ["duplicate_id", "duplicate_id"]}
    assert rows["quarantine"]["text"].null_count() == 0  # whole
    assert rows["articles"].filter(doc_id="same")["source"].item() == "#same"  # the first by its place


@pytest.mark.parametrize(
    ("doc_id", "check"), [(" ", "id_is_not_blank"), ("", "id_is_not_blank"), ("x" * 5000, "id_is_short")]
)
def test_ids_that_are_none(doc_id: str, check: str, tmp_path: Path) -> None:
    rows, _ = run_pages([page(doc_id), page("fine")], tmp_path)
    assert reasons(rows["quarantine"]) == {doc_id: [check]}
    assert rows["articles"]["doc_id"].to_list() == ["fine"]


def test_what_a_reader_found_wrong_is_the_reason(tmp_path: Path) -> None:
    problem = {"check": "binary", "column": "text", "value": "NUL at byte 0"}
    rows, figures = run_pages([page("b", None, raw=b"\0\1", problems=[problem])], tmp_path)
    assert list(rows) == ["quarantine"]
    assert rows["quarantine"]["reasons"].to_list() == [[problem]]
    assert rows["quarantine"]["raw"].item() == b"\0\1"
    assert figures["characters_in"] == 0


def test_lone_surrogates_and_escapes_in_json(tmp_path: Path) -> None:
    source = tmp_path / "pages.jsonl"
    texts = [f"A \\ud800 {PROSE}", f"\\u0000 {PROSE}", f"\\ud83d\\ude00 {PROSE}", PROSE]
    source.write_text("".join(f'{{"id": "p{n}", "text": "{t}"}}\n' for n, t in enumerate(texts)), "utf-8")
    rows, figures = run_source(source, tmp_path / "out", ReadOptions(id_column="id"))
    assert figures["pages_in"] == 4
    assert {"p2", "p3"} <= set(rows["articles"]["doc_id"])
    assert figures["articles"] + figures["quarantined"] == 4


@pytest.mark.parametrize("form", ["text", "html"])
def test_an_article_that_breaks_its_contract_moves_whole(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def spoilt(pages: pl.DataFrame, desk: object) -> Cleaned:
        cleaned = clean_pages(pages, desk=desk)
        bad = pl.col("doc_id") == "bad"
        articles = cleaned.articles.with_columns(
            headline=pl.when(bad).then(pl.lit("x" * 601)).otherwise("headline"),
            word_count=pl.when(bad).then(pl.lit(0, pl.Int32)).otherwise("word_count"),
        )
        return dataclasses.replace(cleaned, articles=articles)

    clean_pages = shards.clean_pages
    monkeypatch.setattr(shards, "clean_pages", spoilt)
    bad = page("bad", None, html=f"<p>{PROSE}</p>", url="https://a.example/b") if form == "html" else page("bad")
    rows, figures = run_pages([bad, page("good")], tmp_path)
    assert rows["articles"]["doc_id"].to_list() == ["good"]
    assert set(rows["ledger"]["doc_id"]) == {"good"}
    assert reasons(rows["quarantine"]) == {"bad": ["headline_is_short", "words_are_counted"]}
    assert rows["quarantine"]["text"].to_list() == [PROSE]
    assert {n: rows["quarantine"][n].item() for n in ("html", "url")} == {n: bad.get(n) for n in ("html", "url")}
    kept = figures["characters_kept"] + figures["characters_furniture"]
    assert figures["characters_in"] == kept + figures["characters_quarantined"]
    assert max(len(r["value"]) for r in rows["quarantine"]["reasons"].item()) <= 200
    assert figures["failures"][0]["pages"] == 1


def test_a_broken_law_stops_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def lossy(pages: pl.DataFrame, desk: object) -> Cleaned:
        cleaned = clean_pages(pages, desk=desk)
        return dataclasses.replace(cleaned, articles=cleaned.articles.slice(1))

    clean_pages = shards.clean_pages
    monkeypatch.setattr(shards, "clean_pages", lossy)
    with pytest.raises(RunError, match=r"law 2 \(Characters add up\) is broken: .*nothing was published"):
        run_pages([page("a", "A headline\n\n" + PROSE)], tmp_path)
    assert not list(tmp_path.glob("*/*.parquet"))


def test_order_workers_and_batches_do_not_show_in_the_files(seeds: Path, tmp_path: Path) -> None:
    pages = [row for batch in open_source(seeds).batches() for row in batch.to_dicts()]
    first, figures = run_pages(pages, tmp_path / "one", shard_bytes=9_000)
    written = digests(tmp_path / "one")
    assert len([name for name in written if name.startswith("articles")]) > 3
    for seed, workers in ((1, 2), (2, 4)):
        random.Random(seed).shuffle(pages)
        folder = tmp_path / f"again-{seed}"
        frames = [pl.DataFrame(pages[n : n + 7], schema=dict(PAGE_SCHEMA)) for n in range(0, len(pages), 7)]
        again, figures_again = run_frames(frames, folder, workers=workers, shard_bytes=9_000, flush_bytes=20_000)
        assert digests(folder) == written
        assert figures_again == figures
        assert all(again[name].equals(first[name]) for name in first)
    # other shards: other files, the same rows
    other, _ = run_pages(pages, tmp_path / "other")
    for name, by in (("articles", ["doc_id"]), ("ledger", ["doc_id", "char_start"]), ("quarantine", ["doc_id"])):
        assert other[name].sort(by).equals(first[name].sort(by))


def test_a_shuffled_table_under_another_name(seeds: Path, tmp_path: Path) -> None:
    rows = [(p.name, p.read_bytes().decode("utf-8", "replace")) for p in sorted(seeds.glob("*.txt"))]
    options = ReadOptions(id_column="id")
    for n, name in enumerate(("pages.parquet", "other name.parquet")):
        random.Random(n).shuffle(rows)
        frame = pl.DataFrame(rows, schema=["id", "text"], orient="row")
        frame.write_parquet(tmp_path / name, row_group_size=10 + n)
        run_source(tmp_path / name, tmp_path / str(n), options, shard_bytes=9_000)
    random.Random(9).shuffle(rows)
    lines = tmp_path / "pages.jsonl"
    lines.write_text("".join(json.dumps({"text": t, "id": i}) + "\n" for i, t in rows), "utf-8")
    run_source(lines, tmp_path / "2", options, shard_bytes=9_000)
    assert digests(tmp_path / "0") == digests(tmp_path / "1") == digests(tmp_path / "2")


def test_part_files(seeds: Path, tmp_path: Path) -> None:
    run_source(seeds, tmp_path)
    for dataset in (ARTICLES, LEDGER, QUARANTINE):
        (path,) = (tmp_path / dataset.name).glob("*.parquet")
        file = pq.ParquetFile(path)
        assert file.schema_arrow.equals(dataset.arrow_schema())
        footer = {k.decode(): v.decode() for k, v in file.schema_arrow.metadata.items()}
        assert footer["copydesk.schema"].startswith(f"{dataset.name} ")
        assert footer["copydesk.ruleset"] == open_desk().ruleset
        columns = [file.metadata.row_group(0).column(n) for n in range(file.metadata.num_columns)]
        assert {c.compression for c in columns} == {"ZSTD"}
        assert all(c.has_offset_index and c.has_column_index for c in columns if c.num_values)
        assert not {"/", str(tmp_path)} & set(footer.values())


@pytest.mark.parametrize("dataset", DATASETS, ids=lambda d: d.name)
def test_a_dataset_without_rows_has_its_columns(dataset: Dataset, tmp_path: Path) -> None:
    write_part(dataset.empty(), dataset, tmp_path / "part-00000.parquet", ruleset="r")
    assert read_parts(tmp_path.glob("*.parquet"), dataset).schema == pl.Schema(dataset.columns)


def test_row_groups_are_bounded_and_do_not_depend_on_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flows.parts.ROW_GROUP_BYTES", 20_000)
    rows = {n: [None] for n in QUARANTINE.columns} | {
        "doc_id": ["d"],
        "source": ["s"],
        "content_hash": ["h"],
        "ruleset": ["r"],
    }
    one = pl.DataFrame(
        rows | {"text": ["x" * 900], "reasons": [[{"check": "c", "column": "t", "value": "v"}]]},
        schema=QUARANTINE.columns,
    )
    whole = pl.concat([one] * 200, rechunk=True)
    pieces = pl.concat([one] * 200, rechunk=False)
    sliced = pl.concat([one, whole, one], rechunk=True).slice(1, 200)
    for n, frame in enumerate((whole, pieces, sliced)):
        write_part(frame, QUARANTINE, tmp_path / f"{n}.parquet", ruleset="r")
    assert pq.ParquetFile(tmp_path / "0.parquet").num_row_groups > 5
    assert len({(tmp_path / f"{n}.parquet").read_bytes() for n in range(3)}) == 1


def test_a_long_line(tmp_path: Path) -> None:
    text = f"A headline\n\n{PROSE}\n\n" + "word " * 1_000_000
    rows, figures = run_pages([page("long", text)], tmp_path)
    assert figures["pages_in"] == 1
    assert sum(map(len, (rows.get("articles", ()), rows.get("quarantine", ())))) == 1
