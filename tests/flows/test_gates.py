"""The gates: each fires where it should and says what a person understands; their settings load strictly."""

from __future__ import annotations

import datetime as dt
import tomllib
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from flows.drift import Delivered, usual_of
from flows.errors import UsageError
from flows.figures import COUNTS
from flows.gate_settings import SHIPPED, load_gates
from flows.gates import GATES, judge
from schemas import RUNS

TALLY = {
    "pages": 100, "articles": 100, "quarantined": 0, "with_headline": 100, "with_byline": 90, "with_day": 95,
    "with_instant": 50, "characters_in": 10_000, "characters_furniture": 3_000,
}  # fmt: skip


def tally(publisher: str | None, articles: int = 100, **counts: int) -> dict[str, Any]:
    """A publisher's counts as usual, for so many articles."""
    return {"publisher": publisher, **{name: n * articles // 100 for name, n in TALLY.items()}, **counts}


def waiting(pages: int) -> dict[str, Any]:
    return tally(None, 0, pages=pages, quarantined=pages)


def figures(*publishers: dict[str, Any]) -> dict[str, Any]:
    sums = {name: sum(row[name] for row in publishers) for name in ("articles", "quarantined")}
    return dict.fromkeys(COUNTS, 0) | sums | {"pages_in": sum(sums.values()), "publishers": list(publishers)}


def history(*runs: list[dict[str, Any]]) -> pl.DataFrame:
    """The dataset `runs` with these publishers, one run a day."""
    empty = {"bytes_in": 0, "bytes_out": 0, "by_role": [], "by_rule": [], "failures": [], "warnings": [], "versions": [], "steps": [],
             "seconds": 1.0, "pages_changed": 0, "pages_unchanged": 0, "pages_gone": 0, "pages_pruned": 0, "ruleset": "r", "source": "s", "verdict": "passed"}  # fmt: skip
    rows = []
    for day, publishers in enumerate(runs, 1):
        at = dt.datetime(2024, 5, day, tzinfo=dt.UTC)
        empty |= {"pages_new": sum(row["pages"] for row in publishers)}
        counts = {name: value for name, value in figures(*publishers).items() if name in RUNS.columns}
        rows.append(empty | counts | {"run_id": f"r{day}", "started_at": at, "finished_at": at, "by_publisher": publishers})
    return pl.DataFrame([{n: row.get(n) for n in RUNS.columns} for row in rows], schema=RUNS.columns, orient="row")


def delivered(past: pl.DataFrame, *publishers: dict[str, Any]) -> Delivered:
    """A run that cleaned everything anew."""
    pages = sum(row["pages"] for row in publishers)
    return Delivered(publishers, {"pages_new": pages, "pages_changed": 0, "pages_unchanged": 0}, past)


USUAL = [tally("Times"), tally("Post"), tally("Echo", 30)]
BARE = {"with_headline": 0, "with_byline": 0, "with_day": 0}

CASES: dict[str, tuple[list[dict[str, Any]], str, str]] = {
    # what the run has, with three usual runs before it: the gates that fire, and what is said
    "as usual": (USUAL, "", ""),
    "better than usual": ([tally("Times", with_byline=100), *USUAL[1:]], "", ""),
    "no article": ([waiting(1)], "articles quarantined fewer_pages drift vanished", "not one page became an article"),
    "a third waits": ([*USUAL, waiting(100)], "quarantined drift", "30.3% of the pages were quarantined"),
    "nothing is found": ([*USUAL, tally("New", 2000, **BARE)], "without_headline without_date without_byline drift", "89.7% of the articles have no headline"),
    "a publisher is all cut": ([*USUAL, tally("New", characters_furniture=9_900)], "cut drift", "99% of the characters of New were cut"),
    "half the crawl": ([tally("Times", 40), tally("Post", 20), tally("Echo", 25)], "fewer_pages", "85 pages came, where 230 are usual"),
    "bylines of one outlet are gone": ([tally("Times", with_byline=40), *USUAL[1:]], "drift publisher_drift", "60% of the articles of Times are without a byline, where 10% are usual"),
    "menus of one outlet come through": ([*USUAL[:2], tally("Echo", 30, characters_in=30_000, characters_furniture=0)], "drift", "12% of the characters are cut, where 30% are usual"),
    "an outlet is gone": ([tally("Times"), tally("Post", 130)], "vanished", "no page came from Echo"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_gates_fire_where_they_should(case: str) -> None:
    publishers, fired, said = CASES[case]
    verdict = judge(figures(*publishers), load_gates(), delivered(history(USUAL, USUAL, USUAL), *publishers), [])
    open_ones = [row for row in verdict["gates"] if not row["passed"]]
    assert [row["gate"] for row in open_ones] == fired.split()
    assert said in "; ".join(row["message"] for row in open_ones)
    levels = {row["level"] for row in open_ones}
    assert verdict["status"] == ("failed" if "fail" in levels else "warned" if levels else "passed")
    for row in open_ones:
        if row["level"] == "fail" or verdict["status"] == "warned":
            assert f"(gate {row['gate']}, limit " in verdict["sentence"]


@pytest.mark.parametrize(
    ("pages", "said"),
    [(0, "100 of 100 pages became articles; 0 wait in"), (1, "; 1 waits in the"), (2, "; 2 wait in the")],
)
def test_the_sentence(pages: int, said: str) -> None:
    assert said in judge(figures(tally("Times"), waiting(pages)), load_gates())["sentence"]


@pytest.mark.parametrize("level", ["warn", "fail"])
@pytest.mark.parametrize("gate", GATES, ids=lambda gate: gate.name)
def test_warn_and_fail_are_apart(gate: Any, level: str, tmp_path: Path) -> None:
    """Each gate of the table can warn alone and fail alone, by its settings."""
    always = 10**9 if gate.at_least else 0
    odd = [tally("Times", **BARE, characters_furniture=9_999), waiting(5)]
    others = "\n".join(f'{g.name} = {{ warn = "off", fail = "off" }}' for g in GATES if g.name != gate.name)
    other = {"warn": "fail", "fail": "warn"}[level]
    (tmp_path / "g.toml").write_text(f'[gates]\n{gate.name} = {{ {level} = {always}, {other} = "off" }}\n{others}\n', "utf-8")
    changed = [{"site": "times.example", "changed": True}]
    verdict = judge(figures(*odd), load_gates(tmp_path / "g.toml"), delivered(history(USUAL, USUAL, USUAL), *odd), changed)
    assert verdict["status"] == {"warn": "warned", "fail": "failed"}[level]
    assert [row["gate"] for row in verdict["gates"] if not row["passed"]] == [gate.name]


def test_what_is_usual() -> None:
    runs = history(USUAL, USUAL[:2], [tally("Times", 40), tally("Post")], [])
    assert usual_of(runs, 10, 5) is usual_of(None, 10, 1) is None
    usual = usual_of(runs, 10, 3)
    assert usual is not None
    assert (usual.runs, usual.pages) == (4, 170)
    assert {name: articles for name, (articles, _) in usual.publishers.items()} == {"Times": 70, "Post": 100, "Echo": 0}
    last = usual_of(runs, 1, 1)  # the last run had no page at all
    assert last is not None
    assert (last.pages, dict(last.publishers)) == (0, {})
    assert [row["gate"] for row in judge(figures(*USUAL), load_gates(), delivered(runs.tail(1), *USUAL))["gates"]] == [
        g.name for g in GATES if g.name not in {"fewer_pages", "drift", "publisher_drift", "vanished", "furniture"}
    ]


def test_the_shipped_settings_name_every_gate_with_what_it_is() -> None:
    assert list(tomllib.loads(SHIPPED.read_text("utf-8"))["gates"]) == [gate.name for gate in GATES]
    for gate in GATES:
        assert gate.what.endswith(".") and gate.cure.endswith(".")


def test_settings_of_your_own(tmp_path: Path) -> None:
    own = tmp_path / "g.toml"
    own.write_text('[judged]\nruns = 5\n[gates]\nquarantined = { fail = 0.3 }\ndrift = { fail = 0.5, warn = "off" }\n', "utf-8")
    gates = load_gates(own)
    assert (gates.runs, gates.fewest_runs) == (5, 3)
    assert (gates.limits["quarantined"].warn, gates.limits["quarantined"].fail) == (0.2, 0.3)
    assert (gates.limits["drift"].warn, gates.limits["drift"].fail) == (None, 0.5)
    # what the command line says stands above the file
    assert load_gates(own, 0.1).limits["quarantined"] == load_gates(None, 0.1).limits["quarantined"]
    assert (load_gates(own, 0.1).limits["quarantined"].warn, load_gates(own, 1).limits["quarantined"].fail) == (0.1, 1)


WRONG = {
    "[gate]\n": "unknown table 'gate'; did you mean 'gates'?",
    "[gates]\nquarantine = { warn = 0.1 }": "unknown gate 'quarantine'; did you mean 'quarantined'?",
    "[gates]\nxyz = { warn = 0.1 }": "unknown gate 'xyz'; known are articles, quarantined",
    "[gates]\ncut = { warm = 0.1 }": "unknown key of cut 'warm'; did you mean 'warn'?",
    "[gates]\ncut = { warn = 10 }": "cut: warn is 10; give a share from 0 to 1, or 'off'",
    '[gates]\ncut = { warn = "no" }': "cut: warn is 'no'; give a share",
    "[gates]\ncut = { warn = true }": "cut: warn is True; give a share",
    "[gates]\nvanished = { fail = -1 }": "vanished: fail is -1; give a count from 0, or 'off'",
    "[gates]\nvanished = { fail = nan }": "vanished: fail is nan; give a count",
    "[gates]\ncut = 0.5": "cut is 0.5; give a table, such as { warn = 0.2, fail = 0.5 }",
    "gates = 1": "[gates] is 1; give a table",
    "[gates]\nquarantined = { warn = 0.6 }": "quarantined would fail before it warns: warn 0.6 is above fail 0.5",
    "[gates]\narticles = { warn = 5, fail = 10 }": "articles would fail before it warns: warn 5 is below fail 10",
    "[judged]\nrun = 3": "unknown key of [judged] 'run'; did you mean 'runs'?",
    "[judged]\nruns = 0": "runs is 0; give a whole number from 1",
    "[judged]\nruns = 2.5": "runs is 2.5; give a whole number from 1",
    "[": "not valid TOML",
}


@pytest.mark.parametrize("text", WRONG)
def test_wrong_settings_are_named_with_their_cure(text: str, tmp_path: Path) -> None:
    (tmp_path / "g.toml").write_text(text, "utf-8")
    with pytest.raises(UsageError) as said:
        load_gates(tmp_path / "g.toml")
    assert str(said.value).startswith(f"{tmp_path / 'g.toml'}: ")
    assert WRONG[text] in str(said.value)


def test_settings_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no such file: nowhere.toml; `copydesk gates > nowhere.toml` writes one"):
        load_gates(Path("nowhere.toml"))
    (tmp_path / "latin.toml").write_bytes(b"# \xe9\n")
    with pytest.raises(UsageError, match="not valid TOML"):
        load_gates(tmp_path / "latin.toml")


def test_an_output_that_grows_is_compared_by_what_came(tmp_path: Path) -> None:
    """Each run adds a day's pages; a publisher that added none is missed, though its older articles are there."""
    days = [[tally("Times", 100 * n), tally("Post", 50 * n), tally("Echo", 3 * n)] for n in range(1, 5)]
    past = history(*days[:3])
    cases = {
        "every usual publisher is here": days[3],
        "no page came from Post": [days[3][0], days[2][1], days[3][2]],
    }
    for said, whole in cases.items():
        came = {"pages_new": 153, "pages_changed": 0, "pages_unchanged": 0}
        verdict = judge(figures(tally("Times")), load_gates(), Delivered(whole, came, past))
        assert said in {row["message"] for row in verdict["gates"] if row["gate"] == "vanished"}
    # a run over what is there already brings nothing new, and nobody has vanished
    again = Delivered(days[2], {"pages_new": 0, "pages_changed": 0, "pages_unchanged": 459}, past)
    verdict = judge(figures(*days[2]), load_gates(), again)
    assert all(row["passed"] for row in verdict["gates"])
    # fewer pages than the source usually brings
    few = Delivered(days[3], {"pages_new": 10, "pages_changed": 0, "pages_unchanged": 0}, past)
    assert "10 pages came, where 306 are usual" in str(judge(figures(*days[3]), load_gates(), few)["gates"])
