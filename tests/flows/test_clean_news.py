"""The flow, as plain Python on a real server: what it publishes, records and refuses."""

from __future__ import annotations

import json
import random
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pytest
from shard_runs import HOSTILE, PROSE, digests

from flows.errors import GateError, RunError, UsageError
from flows.server import OwnServer
from flows.snapshots import check_files
from flows.verify import verify_output
from schemas import DATASETS

pytestmark = pytest.mark.server

Flow = Callable[..., dict[str, Any]]
Published = tuple[Path, dict[str, Any]]


def write_pages(path: Path, rows: list[tuple[str, str]]) -> Path:
    path.write_text("".join(json.dumps({"id": i, "text": t}) + "\n" for i, t in rows), "utf-8")
    return path


def duck(output: Path) -> dict[str, list[Any]]:
    """What DuckDB reads of each dataset: the number of rows, and the columns. In a process of its own, as it litters."""
    code = (
        "import duckdb, json, sys\nfound = {}\nfor name in sys.argv[2:]:\n"
        "    rows = duckdb.sql(f\"from '{sys.argv[1]}/{name}/*.parquet'\")\n"
        "    found[name] = [len(rows.fetchall()), rows.columns]\nprint(json.dumps(found))"
    )
    words = [sys.executable, "-c", code, str(output), *(d.name for d in DATASETS)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    found: dict[str, list[Any]] = json.loads(done.stdout)
    return found


def files(output: Path) -> dict[str, str]:
    """Digests of the part files of all datasets but `runs`, which tells of times."""
    found = digests(output / "current")
    return {name: digest for name, digest in found.items() if not name.startswith("runs/")}


def test_every_reader_reads_every_dataset(seeds_published: Published) -> None:
    output, result = seeds_published
    read = duck(output)
    rows = {d.name: pl.read_parquet(output / d.name).height for d in DATASETS}
    assert (rows["articles"], rows["quarantine"], rows["runs"]) == (result["articles"], result["quarantined"], 1)
    for dataset in DATASETS:
        folder = output / dataset.name
        frames = (pl.read_parquet(folder), pd.read_parquet(folder))
        columns = list(dataset.columns)
        assert [[len(f), list(f.columns)] for f in frames] == [[rows[dataset.name], columns]] * 2
        assert read[dataset.name] == [rows[dataset.name], columns]
        assert {path.suffix for path in folder.iterdir()} == {".parquet"}
    assert pl.read_parquet(output / "runs")["run_id"].to_list() == [result["run_id"]]


def test_the_report_and_the_layout(seeds_published: Published) -> None:
    output, result = seeds_published
    latest = output / "reports" / "latest"
    assert (latest / "report.html").is_file()
    assert f'href="{result["run_id"]}/report.html"' in (output / "reports" / "index.html").read_text("utf-8")
    report = json.loads((latest / "report.json").read_text("utf-8"))
    assert report["balance"]["pages_in"] == result["pages_in"]
    assert [law["passed"] for law in report["balance"]["laws"]] == [True] * 4
    assert Path(result["report"]).samefile(latest / "report.html")
    assert (output / "current").resolve() == Path(result["snapshot"]).resolve()
    assert not [p.name for p in (output / ".snapshots").iterdir() if p.name.startswith(".")]


def test_no_run_no_clock_and_no_machine_stands_in_a_row(seeds_published: Published) -> None:
    output, result = seeds_published
    for name in ("articles", "ledger", "quarantine", "duplicates"):
        (path,) = (output / name).glob("*.parquet")
        raw = path.read_bytes()
        text = str(pl.read_parquet(path).rows())
        for foreign in (result["run_id"], str(output), str(output.parent)):
            assert foreign.encode() not in raw
            assert foreign not in text


def test_every_task_run_is_recorded(server: OwnServer, clean: Flow, tmp_path: Path) -> None:
    from flows.clean_news import clean_news
    from flows.launch import drain

    source = write_pages(tmp_path / "pages.jsonl", [(f"p{n}", PROSE) for n in range(9)])
    state = clean_news(source=source, output=tmp_path / "out", id_column="id", return_state=True)
    result = state.result()
    drain()
    flow_run = str(state.state_details.flow_run_id)
    assert server.finish(flow_run, result["task_runs"])
    rows = server._ask("/task_runs/filter", {"flow_runs": {"id": {"any_": [flow_run]}}})
    assert {row["name"] for row in rows} == {
        "read pages", "clean shard-00000", "find duplicates", "publish snapshot", "write report",
    }  # fmt: skip
    assert {row["state_type"] for row in rows} == {"COMPLETED"}
    assert len(rows) == result["task_runs"] == 5
    logs = server._ask("/logs/filter", {"logs": {"flow_run_id": {"any_": [flow_run]}}})
    assert any(re.match(r"Read 9 pages \(.*\) from ", row["message"]) for row in logs)
    artifacts = server._ask("/artifacts/filter", {"flow_runs": {"id": {"any_": [flow_run]}}})
    assert {row["key"] for row in artifacts} == {
        "copydesk-report", "copydesk-checks", "copydesk-page", "copydesk-progress",
    }  # fmt: skip
    assert max(len(str(row["data"])) for row in artifacts) < 200_000


def test_order_and_workers_do_not_show(clean: Flow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from prefect.task_runners import ThreadPoolTaskRunner

    from flows import clean_news

    monkeypatch.setattr(clean_news, "SHARD_BYTES", 5_000)
    rows = [(f"page {n}", f"Headline {n}\n\nBy Ann Lee\n\n" + f"{PROSE} The {n}th time. " * 4) for n in range(40)]
    rows += [(f"hostile {n}", text) for n, text in enumerate(HOSTILE)]
    written = []
    for run, workers in enumerate((1, 3)):
        random.Random(run).shuffle(rows)
        if run:
            source = tmp_path / "another.parquet"
            pl.DataFrame(rows, schema=["id", "text"], orient="row").write_parquet(source)
        else:
            source = write_pages(tmp_path / "pages.jsonl", rows)
        runner: Any = ThreadPoolTaskRunner(max_workers=workers)
        result = clean_news.clean_news.with_options(task_runner=runner)(
            source=source, output=tmp_path / str(run), id_column="id", max_quarantined=1
        )
        assert result["pages_in"] == len(rows)
        assert verify_output(tmp_path / str(run)) == 0
        written.append(files(tmp_path / str(run)))
    assert written[0] == written[1]
    assert len(written[0]) > 6


def test_a_failed_gate_publishes_nothing(clean: Flow, output: Path, tmp_path: Path) -> None:
    source = write_pages(tmp_path / "pages.jsonl", [("a", PROSE), ("b", ""), ("c", "")])
    before = files(output)
    with pytest.raises(GateError, match=r"1 of 3 pages became articles; 2 wait .* 66.7% .* Nothing was published; see .*report.html") as found:  # fmt: skip
        clean(source=source, output=output, id_column="id", fresh=True)
    assert files(output) == before
    assert verify_output(output) == 0
    page = Path(re.search(r"see (\S+)", str(found.value))[1])  # type: ignore[index]
    assert json.loads(page.with_suffix(".json").read_text("utf-8"))["verdict"]["status"] == "failed"
    assert (output / "reports" / "latest" / "report.html").samefile(page)
    result = clean(source=source, output=output, id_column="id", fresh=True, publish_failed=True)
    assert pl.read_parquet(output / "runs")["verdict"].to_list()[-1] == "failed"
    assert result["articles"] == 1


def test_no_article_at_all(clean: Flow, tmp_path: Path) -> None:
    source = write_pages(tmp_path / "pages.jsonl", [("b", "")])
    with pytest.raises(GateError, match="0 of 1 pages became articles"):
        clean(source=source, output=tmp_path / "out", id_column="id", max_quarantined=1)
    clean(source=source, output=tmp_path / "out", id_column="id", publish_failed=True)
    for name, rows in (("articles", 0), ("ledger", 0), ("quarantine", 1), ("runs", 1)):
        folder = tmp_path / "out" / name
        assert len(pl.read_parquet(folder)) == len(pd.read_parquet(folder)) == rows
        assert duck(tmp_path / "out")[name][0] == rows
    assert verify_output(tmp_path / "out") == 0


def test_a_source_without_pages(clean: Flow, tmp_path: Path) -> None:
    (tmp_path / "none.jsonl").write_text("\n\n", "utf-8")
    with pytest.raises(GateError, match="0 of 0 pages became articles"):
        clean(source=tmp_path / "none.jsonl", output=tmp_path / "out")


def test_a_folder_of_trouble(clean: Flow, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "good.txt").write_text(f"A headline\n\n{PROSE}\n", "utf-8")
    (folder / "binary.txt").write_bytes(bytes(range(256)) * 20)
    (folder / "nul.txt").write_bytes(b"A headline\0\n\n" + PROSE.encode())
    (folder / "gone.txt").symlink_to("nowhere.txt")
    (folder / "notes.md").write_text("not a page", "utf-8")
    (folder / "long.txt").write_text("word " * 6_000_000, "utf-8")  # 30 MB, one line
    (folder / "lines.jsonl").write_text(
        f'{{"text": "{PROSE}"}}\n{{"text": broken\n{{"text": "{PROSE} More."}}\n', "utf-8"
    )
    (folder / "broken.parquet").write_bytes(b"PAR1" * 50)
    result = clean(source=folder, output=tmp_path / "out", max_quarantined=1)
    articles, quarantine = pl.read_parquet(tmp_path / "out/articles"), pl.read_parquet(tmp_path / "out/quarantine")
    assert sorted(articles["doc_id"]) == ["good.txt", "lines.jsonl:1", "lines.jsonl:3"]
    why = {d: [r["check"] for r in reasons] for d, reasons in quarantine.select("doc_id", "reasons").iter_rows()}
    assert why == {
        "binary.txt": ["binary"], "nul.txt": ["binary"], "long.txt": ["page_too_large"],
        "lines.jsonl:2": ["broken_json"], "broken.parquet": ["unreadable"],
    }  # fmt: skip
    assert sorted(name.split()[0] for name in result["skipped"]) == ["gone.txt", "notes.md"]
    assert verify_output(tmp_path / "out") == 0


def test_a_law_that_breaks_in_one_of_many_shards(
    clean: Flow, output: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows import clean_news

    def one_breaks(shard: Path, folder: Path, **more: Any) -> Path:
        if shard.stem == "shard-00001":
            raise RunError("law 2 (Characters add up) is broken: p: lost; nothing was published")
        return clean_shard(shard, folder, **more)

    clean_shard = clean_news.clean_shard
    monkeypatch.setattr(clean_news, "SHARD_BYTES", 200)
    monkeypatch.setattr(clean_news, "clean_shard", one_breaks)
    before = files(output)
    source = write_pages(tmp_path / "pages.jsonl", [(f"p{n}", PROSE) for n in range(12)])
    with pytest.raises(RunError, match=r"law 2 .* is broken"):
        clean(source=source, output=output, id_column="id")
    assert files(output) == before
    assert not check_files((output / "current").resolve())


def test_a_disk_that_is_full(clean: Flow, output: Path, seeds: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import errno

    from flows import clean_news, outcome

    def full(*_: Any, **__: Any) -> Path:
        raise OSError(errno.ENOSPC, "No space left on device", "part-00000.parquet")

    monkeypatch.setattr(outcome, "write_part", full)
    said = "cannot write part-00000.parquet: No space left on device; free some space .* nothing was published"
    with pytest.raises(RunError, match=said):
        clean(source=seeds, output=output)
    assert verify_output(output) == 0
    monkeypatch.undo()
    monkeypatch.setattr(clean_news, "write_report", full)
    with pytest.raises(RunError, match=r"snapshot .* is published without its report"):
        clean(source=seeds, output=output)
    assert verify_output(output) == 0
    assert len(pl.read_parquet(output / "runs")) == 2


def test_what_stumbled_is_tried_again(clean: Flow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from flows import clean_news

    tried = []

    def stumbles(shard: Path, folder: Path, **more: Any) -> Path:
        tried.append(shard)
        if len(tried) == 1:
            raise OSError(5, "Input/output error")
        return clean_shard(shard, folder, **more)

    clean_shard = clean_news.clean_shard
    monkeypatch.setattr(clean_news, "clean_shard", stumbles)
    source = write_pages(tmp_path / "pages.jsonl", [("a", PROSE)])
    assert clean(source=source, output=tmp_path / "out", id_column="id")["articles"] == 1
    assert len(tried) == 2


@pytest.mark.parametrize("wrong", [{"source": "nowhere"}, {"rules": [Path("nowhere")]}, {"output": "/proc/copydesk"}])
def test_a_request_that_cannot_be_met(clean: Flow, seeds: Path, tmp_path: Path, wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        clean(**{"source": seeds, "output": tmp_path / "out", **wrong})


def test_the_parameters_make_a_form() -> None:
    from prefect.exceptions import ParameterTypeError

    from flows.clean_news import clean_news

    form = clean_news.parameters
    assert form.required == ["source"]
    assert set(form.properties) == {
        "source", "output", "text_column", "html_column", "id_column", "url_column", "fetched_column", "rules", "publishers", "memory", "learn", "fresh", "prune", "replay", "gates", "max_quarantined", "keep",
        "publish_failed", "workers", "dask",
    }  # fmt: skip
    assert form.properties["source"]["type"] == form.properties["output"]["type"] == "string"
    share, nothing = form.properties["max_quarantined"]["anyOf"]
    assert (share, nothing) == ({"type": "number", "minimum": 0, "maximum": 1}, {"type": "null"})
    assert form.properties["publish_failed"]["type"] == "boolean"
    assert all(p["description"] for p in form.properties.values())
    with pytest.raises(ParameterTypeError, match="max_quarantined"):
        clean_news.validate_parameters({"source": "x", "max_quarantined": 3})


def test_a_second_run_links_what_it_does_not_clean(clean: Flow, output: Path, seeds: Path, tmp_path: Path) -> None:
    from flows.progress import hearing

    def parts() -> dict[str, int]:
        found = (output / "current").glob("[!.]*/*.parquet")
        return {p.name: p.stat().st_ino for p in found if p.parent.name != "runs"}

    before = parts()
    result = clean(source=seeds, output=output)
    assert parts() == before
    assert result["verdict"]["sentence"].endswith("No page was new or changed.")
    runs = pl.read_parquet(output / "runs").sort("started_at")
    names = ["pages_new", "pages_changed", "pages_unchanged", "pages_gone", "pages_pruned"]
    assert runs.select(names).rows() == [(32, 0, 0, 0, 0), (0, 0, 32, 0, 0)]
    assert runs["pages_in"].to_list() == [32, 32]
    assert runs.drop("run_id", "started_at", "finished_at", "seconds", "steps", *names).unique().height == 1
    report = json.loads((output / "reports" / "latest" / "report.json").read_text("utf-8"))
    assert report["run"]["refresh"] == {name: result[name] for name in names}
    page = (output / "reports" / "latest" / "report.html").read_text("utf-8")
    assert "Its pages: 32 unchanged." in page
    # other rules: the run says so before it cleans, and a replay moves what they let pass
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "x.toml").write_text(
        'role = "share"\n[[rule]]\nname = "x_banner"\nwhy = "Shown."\nlines = ["get the x app"]\n'
        'drops = ["Get the X app"]\nkeeps = ["The X app"]\n', "utf-8"
    )  # fmt: skip
    said: list[str] = []
    with hearing(said.append):
        replayed = clean(source=output / "quarantine", output=output, rules=[rules], replay=True)
        anew = clean(source=seeds, output=output, rules=[rules])
    assert [replayed[name] for name in names] == [0, 2, 30, 0, 0]
    assert [anew[name] for name in names] == [0, 30, 2, 0, 0]
    assert [re.sub(r"\d\.[^,) ]+", "r", line) for line in said] == [
        "The rule-set changed (r (schema r) -> r (schema r)): 30 pages are cleaned anew."
    ]
    assert verify_output(output) == 0
    assert not [p.name for p in (output / ".snapshots").iterdir() if p.name.startswith(".")]


def test_bad_new_pages_do_not_hide_among_many_good_ones(clean: Flow, output: Path, tmp_path: Path) -> None:
    before = files(output)
    source = write_pages(tmp_path / "pages.jsonl", [(f"p{n}", PROSE if n % 4 == 0 else "") for n in range(24)])
    said = r"6 of 24 pages became articles; 18 wait .* 75% .* 24 pages were new or changed, and judged here; in all"
    with pytest.raises(GateError, match=said):
        clean(source=source, output=output, id_column="id")
    assert files(output) == before
    few = write_pages(tmp_path / "few.jsonl", [(f"p{n}", PROSE if n else "") for n in range(4)])
    result = clean(source=few, output=output, id_column="id")
    assert result["verdict"]["sentence"] == (
        "33 of 36 pages became articles; 3 wait in the quarantine. 4 pages were new or changed."
    )
    assert (result["pages_new"], result["pages_gone"]) == (4, 32)


def test_learning_again_from_the_same_pages_cleans_none(clean: Flow, tmp_path: Path) -> None:
    lines = "Ring the quay desk at any hour.\n\n"
    rows = [{"id": f"p{n}", "url": f"https://quay.example/{n}", "text": f"Story {n}\n\n{PROSE} {n}.\n\n{PROSE} The {n}th.\n\n{lines}"}
            for n in range(12)]  # fmt: skip
    source = tmp_path / "pages.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    asked = {"source": source, "output": tmp_path / "out", "id_column": "id", "url_column": "url", "learn": True}
    first = clean(**asked)
    before = files(tmp_path / "out")
    second = clean(**asked)
    assert (first["pages_new"], second["pages_unchanged"], second["pages_changed"]) == (12, 12, 0)
    assert files(tmp_path / "out") == before
    rows[0]["text"] += "More of it."
    source.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    assert clean(**asked)["pages_changed"] in (1, 12)  # all, where the memory became another
    assert verify_output(tmp_path / "out") == 0


@pytest.mark.parametrize("more", [{"learn": True}, {"fresh": True}, {"prune": True}])
def test_a_replay_takes_nothing_else(clean: Flow, output: Path, more: dict[str, bool]) -> None:
    with pytest.raises(UsageError, match="a replay cleans the quarantine alone"):
        clean(source=output / "quarantine", output=output, replay=True, **more)
    with pytest.raises(UsageError, match="has no snapshot to replay; run `copydesk run SOURCE"):
        clean(source="quarantine", output=output / "nowhere", replay=True)
