"""`copydesk learn` and runs with a memory: the same file from any order and shards, proposals, and the warning."""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import invented_site as site
import polars as pl
import pytest
from shard_runs import digests

from copydesk.cleaning import open_desk
from copydesk.memory import load_memory
from copydesk.publishers import load_profiles
from flows import cli, learn
from flows.drift import site_furniture, told
from flows.errors import UsageError
from flows.figures import add_up
from flows.gate_settings import load_gates
from flows.gates import judge
from flows.readers import ReadOptions, open_source
from flows.request import open_rules
from flows.shards import clean_shard
from flows.staging import stage

COLUMNS = {"text_column": "text", "id_column": "id", "url_column": "url"}
OPTIONS = ("--id-column", "id", "--url-column", "url")


def write(path: Path, rows: list[dict[str, str]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


@pytest.fixture
def crawl(tmp_path: Path) -> Path:
    return write(tmp_path / "crawl.jsonl", site.pages())


@pytest.fixture
def memory(crawl: Path, tmp_path: Path) -> Path:
    learn.learn(str(crawl), COLUMNS, (), (), tmp_path / "memory.toml")
    return tmp_path / "memory.toml"


@pytest.fixture
def copydesk(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path):  # type: ignore[no-untyped-def]
    def call(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["copydesk", *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            cli.main()
        spoken = capsys.readouterr()
        return int(left.value.code or 0), spoken.out, spoken.err

    monkeypatch.chdir(tmp_path)
    return call


def cleaned(source: Path, folder: Path, *, shard_bytes: int = 32_000_000, **desk: Any) -> dict[str, Any]:
    """Stage and clean the source into `folder`, without Prefect; returns the figures."""
    shards = stage(open_source(source, ReadOptions(**COLUMNS)).batches(), folder / "pages", shard_bytes=shard_bytes)
    figures = [clean_shard(s.path, folder, desk=open_desk(**desk)) for s in shards]
    return add_up(json.loads(path.read_text("utf-8")) for path in figures)


def test_order_shards_and_groups_do_not_show_in_the_file(
    memory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = site.pages()
    for number, (shard_bytes, group_rows) in enumerate(((4_000, 5_000_000), (9_000, 20))):
        random.Random(number).shuffle(rows)
        monkeypatch.setattr(learn, "SHARD_BYTES", shard_bytes)
        monkeypatch.setattr(learn, "GROUP_ROWS", group_rows)
        again = tmp_path / f"again-{number}.toml"
        learn.learn(str(write(tmp_path / f"{number}.jsonl", rows)), COLUMNS, (), (), again)
        assert again.read_bytes() == memory.read_bytes()
    assert not [p.name for p in tmp_path.iterdir() if p.name.startswith(".copydesk")]
    assert set(load_memory(memory).entries["line"]) >= {site.NOTICE, site.BOX}


def test_the_rows_name_the_memory_and_do_not_depend_on_shards(crawl: Path, memory: Path, tmp_path: Path) -> None:
    cleaned(crawl, tmp_path / "one", memory=memory)
    cleaned(crawl, tmp_path / "two", memory=memory, shard_bytes=4_000)
    cleaned(crawl, tmp_path / "none")
    read = {name: pl.read_parquet(tmp_path / name / "articles" / "*.parquet").sort("doc_id") for name in ("one", "two", "none")}
    assert read["one"].equals(read["two"])
    assert len(digests(tmp_path / "two")) > len(digests(tmp_path / "one"))
    versions, other = open_rules((), (), memory).versions, pl.col("doc_id") == "other"
    (own,) = versions.of_rows.filter(pl.col("site") == site.SITE)["ruleset"]
    assert read["one"].filter(~other)["ruleset"].unique().to_list() == [own]
    assert read["one"].filter(other).equals(read["none"].filter(other))  # of whose site it says nothing
    bodies = {name: "\n".join(frame.filter(pl.col("doc_id") != "other")["body"]) for name, frame in read.items()}
    assert site.NOTICE in bodies["none"] and site.NOTICE not in bodies["one"]
    assert bodies["one"].count(site.REAL) == 3
    for column in ("headline", "byline_raw", "authors", "published_on"):
        assert read["one"][column].equals(read["none"][column])


def test_learning_again_keeps_what_a_person_judged(crawl: Path, memory: Path) -> None:
    text = memory.read_text("utf-8")
    lines = [line.replace("learnt", "rejected") if site.NOTICE in line else line for line in text.splitlines()]
    memory.write_text("\n".join(lines) + "\n", "utf-8")
    learn.learn(str(crawl), COLUMNS, (), (), memory)
    assert memory.read_text("utf-8").splitlines() == lines
    memory.write_text("format = 1\n[[site]", "utf-8")
    with pytest.raises(UsageError, match=r"memory\.toml: not valid TOML"):  # and it is not written over
        learn.learn(str(crawl), COLUMNS, (), (), memory)
    assert memory.read_text("utf-8") == "format = 1\n[[site]"


def test_proposals_are_profiles_that_act(crawl: Path, tmp_path: Path, copydesk: Callable[..., tuple[int, str, str]]) -> None:
    code, out, err = copydesk("learn", crawl, *OPTIONS, "--memory", "m.toml", "--propose", "outlets")
    assert (code, err) == (0, "")
    assert "10 pages" in out and site.SITE in out and "m.toml" in out
    profile = tmp_path / "outlets" / f"{site.SITE}.toml"
    (read,) = [p for p in load_profiles([tmp_path / "outlets"]).profiles if p.file == profile.name]
    assert read.domains == (site.SITE,)
    assert {line for line, _ in read.furniture} == {site.NOTICE, site.BOX}  # the others the rules take anyway
    figures = cleaned(crawl, tmp_path / "out", publishers=[tmp_path / "outlets"])
    assert {r["rule"]: r["pages"] for r in figures["rules"]}["publisher_furniture"] == 9
    # a file that is there is a person's
    profile.write_text(profile.read_text("utf-8") + "# mine\n", "utf-8")
    code, out, _ = copydesk("learn", crawl, *OPTIONS, "--memory", "m.toml", "--propose", "outlets")
    assert code == 0 and "was left as it is" in out
    assert profile.read_text("utf-8").endswith("# mine\n")


def test_proposals_add_to_the_profile_that_a_site_has(crawl: Path, memory: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    mine = f'name = "The Harbour Times"\nwhy = "w"\ndomains = ["{site.SITE}"]\n'
    (tmp_path / "mine" / "times.toml").write_text(mine, "utf-8")
    desk = open_rules((), [tmp_path / "mine"])
    assert learn.write_proposals(load_memory(memory), desk, tmp_path / "more") == {f"{site.SITE}.toml": 2}
    both = load_profiles([tmp_path / "mine", tmp_path / "more"])
    assert set(both.furniture["site"]) == {site.SITE}
    figures = cleaned(crawl, tmp_path / "out", publishers=[tmp_path / "mine", tmp_path / "more"])
    assert {p["publisher"] for p in figures["publishers"]} == {"The Harbour Times", "other.example"}


def test_a_site_that_lost_its_furniture_is_named(memory: Path, tmp_path: Path) -> None:
    known = load_memory(memory)
    usual = cleaned(tmp_path / "crawl.jsonl", tmp_path / "usual", memory=memory, shard_bytes=4_000)
    assert usual["memory"] == [{"site": site.SITE, "pages": 9, "seen": 45}, {"site": "other.example", "pages": 1, "seen": 0}]
    (row,) = site_furniture(usual["memory"], known)
    assert (row["seen"], row["usual"], row["changed"]) == (5.0, 5.0, False)
    rebuilt = [row | {"text": site.page(n, furniture=False)} for n, row in enumerate(site.pages()[:6])]
    figures = cleaned(write(tmp_path / "rebuilt.jsonl", rebuilt), tmp_path / "rebuilt", memory=memory)
    (row,) = site_furniture(figures["memory"], known)
    assert row["changed"] and "a page shows 0.0 of the lines" in row["sentence"] and "`copydesk learn`" in row["sentence"]
    verdict = judge(figures, load_gates(), None, [row])
    assert verdict["status"] == "warned"
    assert f"he furniture of {site.SITE} is no longer what site memory knows" in verdict["sentence"]
    # four pages are too few to say so, and without a memory nothing is said
    few = cleaned(write(tmp_path / "few.jsonl", rebuilt[:4]), tmp_path / "few", memory=memory)
    assert [r["changed"] for r in site_furniture(few["memory"], known)] == [False]
    assert site_furniture(figures["memory"], None) == [] == cleaned(tmp_path / "few.jsonl", tmp_path / "none")["memory"]
    assert told([{"site": f"s{n}"} for n in range(5)]) == "the furniture of s0, s1, s2 and 2 more is no longer what site memory knows"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "crawl.jsonl", "--memory", "none.toml"], "no such file: none.toml; make a site memory with `copydesk learn"),
        (["run", "crawl.jsonl", "--memory", "bad.toml"], "bad.toml: not a site memory of format 1"),
        (["explain", "crawl.jsonl", "--memory", "bad.toml"], "bad.toml: not a site memory of format 1"),
        (["learn", "crawl.jsonl", "--memory", "bad.toml"], "bad.toml: not a site memory of format 1"),
        (["run", "crawl.jsonl", "--memory", "memory.toml", "--learn"], "drop --learn or --memory"),
        (["learn", "crawl.jsonl"], "--memory"),
        (["learn", "nowhere", "--memory", "m.toml"], "no such file or folder: nowhere"),
        (["learn", "crawl.jsonl", "--memory", "no/such/m.toml"], "no such folder"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_one_line(
    memory: Path, tmp_path: Path, copydesk: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch, arguments: list[str], said: str
) -> None:  # fmt: skip
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    (tmp_path / "bad.toml").write_text("lines = 3\n", "utf-8")
    code, out, err = copydesk(*arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert said in err


def test_pages_without_a_site_teach_nothing(tmp_path: Path, copydesk: Callable[..., tuple[int, str, str]]) -> None:
    write(tmp_path / "crawl.jsonl", site.pages())
    code, out, _ = copydesk("learn", "crawl.jsonl", "--memory", "m.toml")
    assert code == 0 and "--url-column" in out
    assert load_memory(tmp_path / "m.toml").entries.is_empty()
    write(tmp_path / "none.jsonl", [])
    assert copydesk("learn", "none.jsonl", "--memory", "m.toml")[0] == 0


@pytest.mark.server
def test_a_run_that_learns_first(clean: Callable[..., dict[str, Any]], crawl: Path, memory: Path, tmp_path: Path) -> None:
    result = clean(source=crawl, output=tmp_path / "out", **COLUMNS, learn=True)
    kept = Path(result["report"]).parent / "memory.toml"
    assert kept.read_bytes() == memory.read_bytes()
    given = clean(source=crawl, output=tmp_path / "again", **COLUMNS, memory=kept)
    rows = [pl.read_parquet(tmp_path / name / "articles") for name in ("out", "again")]
    assert rows[0].equals(rows[1])
    report = json.loads((tmp_path / "again" / "reports" / "latest" / "report.json").read_text("utf-8"))
    assert report["run"]["versions"]["site memory"] == load_memory(kept).version
    assert [row["site"] for row in report["memory"]] == [site.SITE]
    html = Path(given["report"]).read_text("utf-8")
    assert "Furniture that site memory knows" in html and "site_memory" in html
