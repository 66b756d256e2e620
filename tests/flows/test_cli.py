"""The command line: help that teaches, one clear line for what cannot be done, and its exit code."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import polars as pl
import pytest
from shard_runs import PROSE

from flows import cli

NOWHERE = "http://127.0.0.1:9/api"
"""A server that is never asked: what is wrong with a request is said before Prefect is needed."""


class Spoken:
    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err


@pytest.fixture
def copydesk(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path):  # type: ignore[no-untyped-def]
    def call(*arguments: object) -> Spoken:
        monkeypatch.setenv("PREFECT_API_URL", NOWHERE)
        monkeypatch.setattr(sys, "argv", ["copydesk", *map(str, arguments)])
        monkeypatch.setenv("COLUMNS", "100")
        with pytest.raises(SystemExit) as left:
            cli.main()
        spoken = capsys.readouterr()
        return Spoken(int(left.value.code or 0), spoken.out, spoken.err)

    monkeypatch.chdir(tmp_path)
    return call


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    folder = tmp_path / "pages"
    folder.mkdir()
    (folder / "one.txt").write_text(f"A headline\n\nBy Ann Lee\n\n{PROSE}\n", "utf-8")
    return folder


def one_line(spoken: Spoken, code: int, *words: str) -> None:
    assert spoken.code == code, spoken.err
    assert spoken.out == ""
    assert spoken.err.startswith("copydesk: ")
    assert spoken.err.count("\n") == 1, spoken.err
    assert "Traceback" not in spoken.err
    for word in words:
        assert word in spoken.err


@pytest.mark.parametrize("command", [[], ["run"], ["replay"], ["learn"], ["explain"], ["verify"], ["gates"], ["serve"], ["doctor"], ["alert"], ["schema"], ["export"], ["snapshots"], ["snapshots", "list"], ["snapshots", "diff"], ["snapshots", "rollback"], ["rules"], ["rules", "list"], ["rules", "test"], ["rules", "hits"]], ids=" ".join)  # fmt: skip
def test_help_teaches(copydesk, command: list[str]) -> None:  # type: ignore[no-untyped-def]
    spoken = copydesk(*command, "--help")
    assert spoken.code == 0
    assert spoken.err == ""
    assert "Usage: copydesk" in spoken.out
    assert len(spoken.out.splitlines()) > 8
    if command in ([], ["run"], ["learn"], ["explain"]):
        assert "xample" in spoken.out or "Start here" in spoken.out
    if not command:
        assert "Exit codes: 0 good" in spoken.out


@pytest.mark.parametrize("arguments", [["run"], ["frob"], ["run", "x", "--nope"], ["run", "x", "-w", "0"], ["explain"], ["run", "x", "--max-quarantined", "2"]], ids=" ".join)  # fmt: skip
def test_wrong_usage(copydesk, arguments: list[str]) -> None:  # type: ignore[no-untyped-def]
    one_line(copydesk(*arguments), 2, "--help")


def test_no_such_path(copydesk, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    one_line(copydesk("run", "nowhere"), 2, "no such file or folder: nowhere; check the path")
    assert not (tmp_path / "output").exists()


def test_an_empty_folder(copydesk, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "empty").mkdir()
    one_line(copydesk("run", "empty"), 2, "nothing to read in empty")


def test_a_replay_of_nothing(copydesk, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    one_line(copydesk("replay", str(tmp_path / "out")), 2, "has no snapshot to replay", "copydesk run SOURCE")
    assert not (tmp_path / "out").exists()


def test_a_table_without_the_column(copydesk, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    pl.DataFrame({"id": [1], "content": ["a"]}).write_parquet(tmp_path / "t.parquet")
    one_line(copydesk("run", "t.parquet"), 2, "neither a column 'text' nor 'html'", "id, content", "--text-column")
    one_line(copydesk("run", "t.parquet", "--text-column", "content", "--url-column", "u"), 2, "no column 'u'")
    (tmp_path / "t.jsonl").write_text(json.dumps({"content": "a"}) + "\n", "utf-8")
    one_line(copydesk("run", "t.jsonl"), 2, "'text'", "--text-column")


def test_a_file_that_is_not_what_it_says(copydesk, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "t.parquet").write_bytes(b"PAR1 not at all")
    one_line(copydesk("run", "t.parquet"), 2, "t.parquet")
    (tmp_path / "t.csv").write_text("a,b\n", "utf-8")
    one_line(copydesk("run", "t.csv"), 2, "t.csv has neither a column 'text' nor 'html'", "a, b", "--text-column")


def test_an_output_that_is_not_ours(copydesk, pages: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").touch()
    one_line(copydesk("run", pages, "-o", "mine"), 2, "files that are not ours", "thesis.tex")
    (tmp_path / "file").touch()
    one_line(copydesk("run", pages, "-o", "file"), 2, "file is a file")
    one_line(copydesk("verify", "mine"), 2, "is no output of copydesk")


def test_an_output_that_cannot_be_written(copydesk, pages: Path) -> None:  # type: ignore[no-untyped-def]
    one_line(copydesk("run", pages, "-o", "/proc/copydesk"), 2, "cannot write to /proc/copydesk")


RULE = """role = "share"
[[rule]]
name = "mine"
why = "a button of ours"
lines = ["Press here"]
drops = ["Press here"]
keeps = ["Press here to win, they said."]
"""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (RULE.replace("why", "reason"), ["mine.toml", "mine", "unknown key"]),
        (RULE.replace('drops = ["Press here"]', 'drops = ["Something else"]'), ["mine.toml", "mine", "Something else"]),
        (RULE.replace('"share"', '"fluff"'), ["mine.toml", "fluff"]),
        (RULE + "[", ["mine.toml", "not valid TOML"]),
        (RULE.replace('lines = ["Press here"]', 'pattern = "("'), ["mine.toml", "mine", "bad pattern"]),
    ],
    ids=["unknown key", "failing example", "unknown role", "no TOML", "bad pattern"],
)
def test_a_bad_rule(copydesk, pages: Path, tmp_path: Path, text: str, words: list[str]) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "mine.toml").write_text(text, "utf-8")
    for command in (["run", pages], ["explain", pages / "one.txt"], ["rules", "test"], ["rules", "hits", pages]):
        one_line(copydesk(*command, "--rules", "rules"), 2, *words)


def test_a_bad_profile_and_folders_that_hold_none(copydesk, pages: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "outlets").mkdir()
    one_line(copydesk("run", pages, "--publishers", "outlets"), 2, "outlets has no *.toml file")
    (tmp_path / "outlets" / "x.toml").write_text(
        'name = "X"\nwhy = "w"\ndomains = ["x.example"]\ncolour = 1\n', "utf-8"
    )
    one_line(copydesk("run", pages, "--publishers", "outlets"), 2, "x.toml", "unknown key ['colour']")
    one_line(copydesk("run", pages, "--rules", "nowhere"), 2, "no such folder: nowhere")


def test_rules(copydesk, pages: Path) -> None:  # type: ignore[no-untyped-def]
    spoken = copydesk("rules", "test")
    assert (spoken.code, spoken.err) == (0, "")
    assert "hold their" in spoken.out
    listed = copydesk("rules", "list", "--role", "share")
    assert listed.code == 0
    assert len(listed.out.splitlines()) > 3
    one_line(copydesk("rules", "list", "--role", "fluff"), 2, "no role 'fluff'", "masthead")
    hits = copydesk("rules", "hits", pages)
    assert (hits.code, hits.err) == (0, "")
    assert "never fired" in hits.out


def test_gates(copydesk, pages: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    shipped = copydesk("gates")
    (tmp_path / "g.toml").write_text(shipped.out, "utf-8")
    shown = copydesk("gates", "g.toml")
    assert (shown.code, shown.err) == (0, "")
    assert "quarantined         20%    50%  Share of the pages" in shown.out
    (tmp_path / "bad.toml").write_text("[gates]\nquarantine = {}\n", "utf-8")
    for command in (["gates", "bad.toml"], ["run", pages, "--gates", "bad.toml"]):
        one_line(copydesk(*command), 2, "bad.toml: unknown gate 'quarantine'; did you mean 'quarantined'?")


def test_explain(copydesk, seeds: Path) -> None:  # type: ignore[no-untyped-def]
    spoken = copydesk("explain", seeds / "000_kh-island-ferries.txt")
    assert (spoken.code, spoken.err) == (0, "")
    assert "\x1b" not in spoken.out  # piped: no colours
    lines = spoken.out.splitlines()
    assert max(map(len, lines)) <= 120
    text = " ".join(line.split("▌ ")[-1].split("░ ")[-1].split("   ")[0] for line in lines)
    for word in ("Island ferries return to winter timetable", "Link copied", "That project has no budget yet."):
        assert word in text
    assert "░ • Link copied" in spoken.out
    assert "share_controls" in spoken.out
    for mark in ("▌ kept", "░ furniture"):
        assert mark in spoken.out


@pytest.mark.parametrize("width", [40, 80, 200])
@pytest.mark.parametrize(
    "name", ["000_kh-island-ferries.txt", "020_korean-market-bus.txt", "026_furniture-only.txt", "027_empty.txt"]
)
def test_explain_fits_its_width_and_shows_every_line(copydesk, seeds: Path, name: str, width: int) -> None:  # type: ignore[no-untyped-def]
    from rich.cells import cell_len

    spoken = copydesk("explain", seeds / name, "--width", width)
    assert spoken.code == 0
    assert max(cell_len(line) for line in spoken.out.splitlines()) <= width
    if width == 200:
        for line in (seeds / name).read_text("utf-8").splitlines():
            assert "".join(line.split()[-1:]) in spoken.out


def test_explain_of_hostile_and_missing_pages(copydesk, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "h.txt").write_text(f"Red \x1b[31m [bold red]alert[/] \u202eback\n\n{PROSE}\n", "utf-8")
    spoken = copydesk("explain", "h.txt")
    assert spoken.code == 0
    assert "\x1b" not in spoken.out
    assert "\u202e" not in spoken.out
    assert "[bold red]alert[/]" in spoken.out
    (tmp_path / "b.bin").write_bytes(b"\0\1\2" * 100)
    one_line(copydesk("explain", "b.bin"), 2, "b.bin: binary")
    one_line(copydesk("explain", "nowhere.txt"), 2, "no such file: nowhere.txt")
    one_line(copydesk("explain", tmp_path), 2, "is a folder")


def test_our_own_bugs_are_one_line_too(copydesk, pages: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("first line\nsecond line")

    monkeypatch.setattr("flows.explain.explain_page", broken)
    one_line(copydesk("explain", pages / "one.txt"), 3, "ZeroDivisionError: first line (COPYDESK_DEBUG=1 shows where)")
    monkeypatch.setenv("COPYDESK_DEBUG", "1")
    monkeypatch.setattr(sys, "argv", ["copydesk", "explain", "x"])
    with pytest.raises(ZeroDivisionError):
        cli.main()
