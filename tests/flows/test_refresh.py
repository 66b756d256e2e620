"""The next run: what it takes for new, changed, unchanged and gone, and that its rows are those of a run from nothing."""

from __future__ import annotations

import dataclasses
import json
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from refreshing import refresh, rows, same_rows
from shard_runs import PROSE

from copydesk import open_desk
from copydesk.versions import Versions
from flows import arrange
from flows.errors import RunError
from flows.figures import COUNTS, add_up
from flows.readers import ReadOptions, open_source
from flows.readers.frame import READ_CHECKS
from flows.readers.known import page_hashes
from flows.refresh import Plan, Refresh
from flows.replay import pages_of
from flows.snapshots import SnapshotStore, check_files
from flows.state import PartState, State, read_state
from schemas import QUARANTINE, SCHEMA_VERSION

BY_ID = ReadOptions(id_column="id")
Rows = list[tuple[int, int]]
"""Of a file, the ids and texts of its pages."""


@dataclasses.dataclass(frozen=True)
class Step:
    """A run: the files of the source, the rules, and what is asked for."""

    files: dict[str, Rows]
    ruleset: str
    prune: bool
    fresh: bool


def write(folder: Path, files: dict[str, Rows]) -> None:
    for path in folder.iterdir():
        path.unlink()
    (folder / "none.jsonl").write_text("", "utf-8")  # a folder without any file is refused
    for name, pages in files.items():
        lines = [json.dumps({"id": f"p{n}", "text": f"{PROSE} {text}"}) for n, text in pages]
        (folder / f"{name}.jsonl").write_text("\n".join(lines), "utf-8")


PAGES = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 1)), max_size=4)
STEPS = st.builds(
    Step,
    files=st.dictionaries(st.sampled_from("abc"), PAGES),
    ruleset=st.sampled_from(["one", "one", "one", "two"]),
    prune=st.booleans(),
    fresh=st.sampled_from([False, False, False, False, True]),
)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(STEPS, min_size=2, max_size=5))
def test_every_id_has_the_rows_of_a_run_from_nothing(history: list[Step]) -> None:
    """Whatever happens to a source: an id whose pages or rules changed is cleaned, from all its pages, and no other."""
    state = State.none()
    stands: dict[str, tuple[Counter[str], str]] = {}  # of each id, the pages and the rules that its rows are made of
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number, step in enumerate(history):
            write(folder, step.files)
            hashes = _hashes(folder)
            reading = Refresh(open_source(folder, BY_ID), state, prune=step.prune, fresh=step.fresh)
            staged = _counted(reading.batches(Versions(step.ruleset, step.ruleset)))
            plan = reading.plan(Versions(step.ruleset, step.ruleset))
            there = {doc_id: (pages, step.ruleset) for doc_id, pages in hashes.items()}
            wanted = {d: there[d][0] for d in there if step.fresh or stands.get(d) != there[d]}
            assert staged == wanted
            gone = {} if step.prune or step.fresh else {d: stands[d] for d in stands if d not in there}
            before, stands = stands, there | gone
            state = _after(state, plan, number, step.ruleset)
            assert _counted([state.pages]) == {d: pages for d, (pages, _) in stands.items()}
            assert {d: state.parts[p].ruleset for d, p in state.pages.select("doc_id", "part").iter_rows()} == {
                d: made for d, (_, made) in stands.items()
            }
            left = {d for d in before if d in wanted or d not in stands}
            assert set(plan.dropped["doc_id"]) == left
            new, changed, unchanged, kept, pruned = plan.counts.values()
            assert new + changed == sum(p.total() for p in wanted.values())
            assert new + changed + unchanged == sum(p.total() for p in hashes.values())
            assert kept == sum(p.total() for p, _ in gone.values())
            assert pruned == sum(p.total() for d, (p, _) in before.items() if d not in stands)


def _hashes(folder: Path) -> dict[str, Counter[str]]:
    frames = open_source(folder, BY_ID).batches()
    return _counted(frame.with_columns(page_hash=page_hashes(frame)) for frame in frames)


def _counted(frames: Any) -> dict[str, Counter[str]]:
    found: dict[str, Counter[str]] = {}
    for frame in frames:
        hashes = frame["page_hash"] if "page_hash" in frame.columns else page_hashes(frame)
        for doc_id, page in zip(frame["doc_id"], hashes, strict=True):
            found.setdefault(doc_id, Counter())[page] += 1
    return found


def _after(state: State, plan: Plan, number: int, ruleset: str) -> State:
    """The state after a run whose pages all went into the part `number`."""
    pages = plan.pages.with_columns(pl.col("part").fill_null(number))
    parts = state.parts | {number: PartState(ruleset, SCHEMA_VERSION, {})}
    return State(Path("snapshot"), pages, plan.inputs, parts, {})


TEXT = f"Ferry runs again\n\nBy Ann Lee\n\n{PROSE} {PROSE}"
HTML = "<html><head><title>Pier</title></head><body><h1>Pier mended</h1><p>{}</p><p>{}</p></body></html>"


def page(number: int, text: str = TEXT) -> dict[str, Any]:
    return {"id": f"p{number:02}", "text": f"{text} The {number}th time." if text else text}


def write_folder(folder: Path, files: dict[str, list[dict[str, Any]]]) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, pages in files.items():
        (folder / name).write_text("".join(json.dumps(p) + "\n" for p in pages), "utf-8")
    (folder / "page.html").write_text(HTML.format(PROSE, PROSE), "utf-8")
    (folder / "list.html").write_text("<nav><a href=/>News</a></nav><ul><li><a href=/a>Wall</a></ul>", "latin-1")
    (folder / "noise.txt").write_bytes(bytes(range(256)) * 4)


A = [page(n) for n in range(12)]
B = [page(n) for n in range(12, 20)] + [page(30, ""), page(31, "Menu\nHome")]
HISTORY: list[tuple[str, dict[str, list[dict[str, Any]]], tuple[int, ...]]] = [
    ("from nothing", {"a.jsonl": A, "b.jsonl": B}, (25, 0, 0, 0, 0)),
    ("nothing", {"a.jsonl": A, "b.jsonl": B}, (0, 0, 25, 0, 0)),
    ("an edit, and a page more", {"a.jsonl": [page(0, TEXT + " Late."), *A[1:], page(20)], "b.jsonl": B}, (1, 1, 24, 0, 0)),
    ("a twin in another file", {"a.jsonl": A, "b.jsonl": [*B, page(3)], "c.jsonl": [page(5, "Other.")]}, (0, 5, 22, 0, 1)),
    ("the twins gone, a file gone", {"a.jsonl": A[3:]}, (0, 2, 10, 0, 13)),
    ("back again, and files renamed", {"x.jsonl": A, "y.jsonl": B}, (13, 9, 3, 0, 0)),
]  # fmt: skip
"""What happened to the source, its files then, and how many pages are new, changed, unchanged, gone and pruned."""


@pytest.mark.slow
def test_rows_and_figures_of_a_history_are_those_of_runs_from_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With real cleaning: parts that lose rows are rewritten, small ones put together, others are the same files."""
    monkeypatch.setattr(arrange, "MANY", 2)
    source, output = tmp_path / "in", tmp_path / "out"
    links = 0
    for what, files, counts in HISTORY:
        write_folder(source, files)
        before = _files(output)
        plan = refresh(source, output, id_column="id", prune=True, shard_bytes=4_000)
        assert tuple(plan.counts.values()) == counts, what
        after = _files(output)
        links += len(set(before.values()) & set(after.values()))
        if what == "nothing":
            assert before == after
            continue
        shutil.rmtree(tmp_path / "new", ignore_errors=True)
        refresh(source, tmp_path / "new", id_column="id", shard_bytes=4_000)
        assert same_rows(output, tmp_path / "new"), what
        assert _sums(output) == _sums(tmp_path / "new"), what
        ids = pl.concat([rows(output)[name].select("doc_id") for name in ("articles", "quarantine")])
        assert sorted(ids["doc_id"]) == sorted(_state(output).pages["doc_id"])
    assert links > 0


def _state(output: Path) -> State:
    return read_state(SnapshotStore(output).current())


def _files(output: Path) -> dict[str, int]:
    """The inodes of the part files by their names."""
    found = (output / "current").glob("[!.]*/*.parquet")
    return {f"{p.parent.name}/{p.name}": p.stat().st_ino for p in found}


def _sums(output: Path) -> dict[str, Any]:
    """All sums of the figures, without the examples."""
    figures = add_up(part.figures for part in _state(output).parts.values())
    told = {name: figures[name] for name in COUNTS}
    for name in ("roles", "rules", "publishers", "failures", "warnings"):
        told[name] = sorted(str({k: v for k, v in row.items() if k != "examples"}) for row in figures[name])
    return told


def test_small_parts_are_put_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrange, "MANY", 2)
    source, output = tmp_path / "in.jsonl", tmp_path / "out"
    numbers = []
    for run in range(5):
        source.write_text("".join(json.dumps(page(n)) + "\n" for n in range(run + 1)), "utf-8")
        plan = refresh(source, output, id_column="id")
        assert list(plan.counts.values()) == [1, 0, run, 0, 0]
        state = _state(output)
        numbers.append(dict(sorted(state.pages.group_by("part").len().iter_rows())))
    # the fourth run finds three small parts, makes them one, and takes a number that is free
    assert numbers == [{0: 1}, {0: 1, 1: 1}, {0: 1, 1: 1, 2: 1}, {0: 3, 1: 1}, {0: 3, 1: 1, 2: 1}]
    assert rows(output)["articles"]["doc_id"].to_list() == [f"p{n:02}" for n in range(5)]


def test_gone_pages_stay_until_they_are_pruned_or_replaced(tmp_path: Path) -> None:
    one, two, output = tmp_path / "one", tmp_path / "two", tmp_path / "out"
    for folder, pages in ((one, [page(1), page(2)]), (two, [page(2, TEXT + " Again."), page(3)])):
        folder.mkdir()
        (folder / "p.jsonl").write_text("".join(json.dumps(p) + "\n" for p in pages), "utf-8")
    refresh(one, output, id_column="id")
    assert list(refresh(two, output, id_column="id").counts.values()) == [1, 1, 0, 1, 0]
    bodies = dict(rows(output)["articles"].select("doc_id", "body").iter_rows())
    assert sorted(bodies) == ["p01", "p02", "p03"]
    assert "Again." in bodies["p02"]
    # what the first source had is known still, but for the page that was replaced
    assert list(refresh(one, output, id_column="id").counts.values()) == [0, 1, 1, 1, 0]
    other = tmp_path / "rules"
    other.mkdir()
    (other / "x.toml").write_text(
        'role = "share"\n[[rule]]\nname = "x_banner"\nwhy = "Shown."\nlines = ["get the x app"]\n'
        'drops = ["Get the X app"]\nkeeps = ["The X app"]\n', "utf-8"
    )  # fmt: skip
    was = rows(output)["articles"]["ruleset"][0]
    plan = refresh(one, output, id_column="id", rules=[other])
    assert list(plan.counts.values()) == [0, 2, 0, 1, 0]
    rulesets = dict(rows(output)["articles"].select("doc_id", "ruleset").iter_rows())
    assert rulesets["p03"] == was != rulesets["p01"]
    names = [f"{open_desk(rules).ruleset} (schema {SCHEMA_VERSION})" for rules in ([], [other])]
    said = plan.announced(open_desk([other]).ruleset)
    assert said == (
        f"The rule-set changed ({names[0]} -> {names[1]}): 2 pages are cleaned anew; 1 that left the source keep their"
        " rows."
    )
    assert list(refresh(one, output, id_column="id", rules=[other], prune=True).counts.values()) == [0, 0, 2, 0, 1]
    assert list(refresh(one, output, id_column="id", rules=[other], fresh=True).counts.values()) == [0, 2, 0, 0, 0]


def test_unchanged_inputs_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from flows.readers.source import Source

    source, output = tmp_path / "in", tmp_path / "out"
    write_folder(source, {"a.jsonl": A[:2], "b.jsonl": [*B[:2], page(0)]})
    read: list[list[str]] = []
    inner = Source.pages

    def pages(self: Source, numbers: Any, known: Any = None) -> Any:
        numbers = list(numbers)
        read.append([self.inputs[n].name for n in numbers])
        return inner(self, numbers, known)

    monkeypatch.setattr(Source, "pages", pages)
    refresh(source, output, id_column="id")
    assert read == [["a.jsonl", "b.jsonl", "list.html", "noise.txt", "page.html"]]
    read.clear()
    refresh(source, output, id_column="id")
    assert read == [[]]
    read.clear()
    # the twin leaves one file: the page in the other is read again, as it is no twin any more
    (source / "b.jsonl").write_text("".join(json.dumps(p) + "\n" for p in B[:2]), "utf-8")
    assert list(refresh(source, output, id_column="id").counts.values()) == [0, 1, 6, 0, 0]
    assert read == [["b.jsonl"], ["a.jsonl"]]
    read.clear()
    # the same bytes read in another way are other pages
    refresh(source, output)
    assert read[0] == ["a.jsonl", "b.jsonl", "list.html", "noise.txt", "page.html"]


def test_quarantined_pages_are_made_again_as_they_were_read(tmp_path: Path) -> None:
    write_folder(tmp_path / "in", {"a.jsonl": [*B, page(12, TEXT + " Twin.")], "b.jsonl": [{"id": " ", "text": "x"}]})
    (tmp_path / "in" / "broken.jsonl").write_text('{"id": "q", "text": broken\n', "utf-8")
    frames = list(open_source(tmp_path / "in", BY_ID).batches())
    read = _counted(frames)
    refresh(tmp_path / "in", tmp_path / "out", id_column="id")
    waiting = rows(tmp_path / "out")[QUARANTINE.name]
    again = _counted([pages_of(waiting)])
    assert again == {doc_id: read[doc_id] for doc_id in waiting["doc_id"]}
    reasons = {r["check"] for row in waiting["reasons"] for r in row}
    assert {"duplicate_id", "not_an_article", "empty_page", "binary", "broken_json", "no_id"} <= reasons
    assert {"duplicate_id", "not_an_article", "empty_page"}.isdisjoint(READ_CHECKS)


def test_a_replay_gives_the_rows_of_a_run_over_the_source(tmp_path: Path) -> None:
    rules = tmp_path / "rules"
    rules.mkdir()
    rule = 'role = "share"\n[[rule]]\nname = "x_banner"\nwhy = "Shown."\nlines = ["{}"]\ndrops = ["{}"]\nkeeps = ["Tea"]\n'
    strict = rule.format(PROSE.lower(), PROSE)
    (rules / "x.toml").write_text(strict, "utf-8")
    source, output = tmp_path / "in", tmp_path / "out"
    long = f"Head\n\n{PROSE}"
    write_folder(source, {"a.jsonl": [*A[:3], {"id": "s", "text": long}, {"id": "u", "text": "Menu"}, A[0]]})
    refresh(source, output, id_column="id", rules=[rules])
    before = rows(output)
    counts = {"quarantine": len(before["quarantine"]), "articles": len(before["articles"])}
    assert counts["quarantine"] >= 4
    shutil.rmtree(source)  # nobody needs it any more
    (rules / "x.toml").write_text(rule.format("get the x app", "Get the X app"), "utf-8")
    plan = refresh(tmp_path / "gone", output, rules=[rules], replay=True)
    after = rows(output)
    assert plan.counts["pages_changed"] == counts["quarantine"] - 1  # the twin of a page that was let in stays
    assert "s" in set(after["articles"]["doc_id"]) - set(before["articles"]["doc_id"])
    assert [r["check"] for r in after["quarantine"].filter(doc_id="p00")["reasons"][0]] == ["duplicate_id"]
    assert sum(len(after[n]) for n in counts) == sum(counts.values())
    write_folder(source, {"a.jsonl": [*A[:3], {"id": "s", "text": long}, {"id": "u", "text": "Menu"}, A[0]]})
    refresh(source, tmp_path / "new", id_column="id", rules=[rules])
    fresh = rows(tmp_path / "new")
    replayed = plan.to_clean()["doc_id"].implode()
    for name, frame in after.items():
        here = pl.col("doc_id").is_in(replayed)
        assert frame.filter(here).equals(fresh[name].filter(here)), name
    # the next run finds the articles by other rules, and the replayed pages as they are
    plan = refresh(source, output, id_column="id", rules=[rules])
    assert plan.anew == counts["articles"] + 1
    assert same_rows(output, tmp_path / "new")


def test_standard_input_is_read_in_every_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from flows.readers import standard_input

    output = tmp_path / "out"
    for run, pages in enumerate(([page(0)], [page(0), page(1)])):
        path = tmp_path / f"{run}.jsonl"
        path.write_text("".join(json.dumps(p) + "\n" for p in pages), "utf-8")
        standard_input._spool.cache_clear()
        with path.open() as piped:
            monkeypatch.setattr(sys, "stdin", piped)
            plan = refresh("-", output, id_column="id")
        assert list(plan.counts.values()) == [1, 0, run, 0, 0]
    standard_input._spool.cache_clear()
    assert rows(output)["articles"]["doc_id"].to_list() == ["p00", "p01"]


def _flip(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.unlink()
    path.write_bytes(bytes(raw))


@pytest.mark.parametrize(
    ("where", "harm", "said"),
    [
        (".state/pages.parquet", _flip, r"\.state/pages.parquet is altered.* run with --fresh"),
        (".state/inputs.parquet", Path.unlink, r"\.state/inputs.parquet is missing.* run with --fresh"),
        ("articles/*.parquet", Path.unlink, r"articles/part-.* run with --fresh"),
        ("ledger/*.parquet", lambda p: (p.unlink(), p.write_bytes(b"PAR1" * 9)), r"cannot read ledger/part-.* --fresh"),
    ],
    ids=["flipped", "missing", "part missing", "part broken"],
)
def test_a_damaged_snapshot_is_named_with_its_cure(
    tmp_path: Path, where: str, harm: Callable[[Path], Any], said: str
) -> None:
    source, output = tmp_path / "in.jsonl", tmp_path / "out"
    source.write_text("".join(json.dumps(page(n)) + "\n" for n in range(2)), "utf-8")
    refresh(source, output, id_column="id", shard_bytes=100_000)
    current = (output / "current").resolve()
    harm(next(current.glob(where)))
    assert check_files(current) != []
    if "broken" in said or "cannot" in said:
        source.write_text(json.dumps(page(0)) + "\n" + json.dumps(page(1, TEXT + " New.")) + "\n", "utf-8")
    with pytest.raises(RunError, match=said):
        refresh(source, output, id_column="id", shard_bytes=100_000)
    assert (output / "current").resolve() == current
