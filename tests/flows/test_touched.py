"""A profile or a memory that changed: only the pages that it may touch are cleaned anew, and all rows are as from nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from refreshing import refresh, rows, same_rows
from shard_runs import PROSE

from copydesk import open_desk
from copydesk.versions import Site, Versions
from flows import arrange
from flows.snapshots import SnapshotStore
from flows.state import read_state

COLUMNS = {"id_column": "id", "url_column": "url"}
TEXT = f"Ferry runs again\n\nBy Ann Lee\n\nPublished: April 28, 2024 - 17:42\n\n{{}}\n\n{PROSE} {PROSE}\n\n{PROSE} It was the {{}}th time."
SIGNS = {
    "host": ("https://www.harbour.example/a", ""),
    "subdomain": ("https://sport.harbour.example/b", ""),
    "masthead": (None, "The Harbour Gazette"),
    "mail": (None, "Write to ann@HARBOUR.example with what you know."),
    "inland": ("https://inland.example/c", ""),
    "none": (None, ""),
    "other host": ("https://notharbour.test/d", ""),
}
HARBOUR = ["host", "subdomain", "masthead", "mail"]
PROFILE = {"name": "The Harbour Gazette", "why": "Shown.", "domains": ["harbour.example"], "mastheads": ["The Harbour Gazette"]}
INLAND = {"name": "The Inland Post", "why": "Shown.", "domains": ["inland.example"]}
FAR = {"name": "The Far Post", "why": "A folder of profiles is not empty.", "domains": ["far.example"]}
NOTICE = "The pages of this paper are written on a boat."


def page(name: str, number: int) -> dict[str, Any]:
    url, line = SIGNS[name]
    return {"id": name, "url": url, "text": TEXT.format(line, number) + f"\n\n{NOTICE}"}


def profiles(folder: Path, *said: dict[str, Any]) -> Path:
    folder.mkdir(exist_ok=True)
    for path in folder.iterdir():
        path.unlink()
    for profile in (FAR, *said):
        lines = [f"{key} = {json.dumps(value)}" for key, value in profile.items() if key != "furniture"]
        lines += [f'[[furniture]]\nline = "{line}"\nrole = "other"' for line in profile.get("furniture", [])]
        (folder / f"{profile['name']}.toml").write_text("\n".join(lines), "utf-8")
    return folder


HISTORY: list[tuple[str, tuple[dict[str, Any], ...], list[str]]] = [
    ("nothing changed", (), []),
    ("a profile more", (PROFILE,), HARBOUR),
    ("a reason put better", (PROFILE | {"why": "Shown again."},), []),
    ("its zone", (PROFILE | {"zone": "Asia/Seoul"},), HARBOUR),
    ("its furniture, and another profile", (PROFILE | {"zone": "Asia/Seoul", "furniture": [NOTICE]}, INLAND), [*HARBOUR, "inland"]),
    ("no masthead", ({k: v for k, v in PROFILE.items() if k != "mastheads"}, INLAND), HARBOUR),
    ("none left; the masthead was nobody's any more", (), ["host", "subdomain", "mail", "inland"]),
]  # fmt: skip
"""What happened to the profiles, those there are then, and the pages that are cleaned anew beside the quarantined one."""


@pytest.mark.parametrize("shard_bytes", [pytest.param(2_000, marks=pytest.mark.slow), 1_000_000])
def test_rows_are_those_of_a_run_from_nothing_and_only_touched_pages_are_cleaned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shard_bytes: int
) -> None:
    monkeypatch.setattr(arrange, "MANY", 2)
    source, output, folder = tmp_path / "in.jsonl", tmp_path / "out", tmp_path / "profiles"
    pages = [*map(page, SIGNS, range(len(SIGNS))), {"id": "held", "url": None, "text": "Menu\nHome"}]
    source.write_text("".join(json.dumps(p) + "\n" for p in pages), "utf-8")
    first = refresh(source, output, publishers=[profiles(folder)], shard_bytes=shard_bytes, **COLUMNS)
    assert first.anew == 0
    for number, (what, said, wanted) in enumerate(HISTORY):
        given: dict[str, Any] = {"publishers": [profiles(folder, *said)], **COLUMNS}
        plan = refresh(source, output, shard_bytes=shard_bytes, **given)
        again = {*wanted, "held"} if wanted else set()
        assert set(plan.to_clean()["doc_id"]) == again, what
        assert plan.counts["pages_changed"] == plan.anew == len(again), what
        refresh(source, tmp_path / f"new-{number}", shard_bytes=shard_bytes, **given)
        assert same_rows(output, tmp_path / f"new-{number}"), what
        # every part is now as good as made by these rules: the next run has nothing to look through
        state = read_state(SnapshotStore(output).current())
        ruleset = open_desk(publishers=[folder]).ruleset
        assert {state.parts[n].ruleset for n in state.pages["part"].unique()} == {ruleset}, what
        assert set(state.versions) == {ruleset}, what


def test_what_is_done_is_said_before_and_gone_pages_keep_their_rows(tmp_path: Path) -> None:
    source, output = tmp_path / "in.jsonl", tmp_path / "out"
    one, two = profiles(tmp_path / "one", PROFILE), profiles(tmp_path / "two", PROFILE | {"zone": "Asia/Seoul"})

    def write(*names: str) -> None:
        source.write_text("".join(json.dumps(page(name, n)) + "\n" for n, name in enumerate(names)), "utf-8")

    write("host", "none", "masthead", "inland")
    refresh(source, output, publishers=[one], shard_bytes=1_000_000, **COLUMNS)
    before = dict(rows(output)["articles"].select("doc_id", "published_zone").iter_rows())
    write("host", "none")
    plan = refresh(source, output, publishers=[two], shard_bytes=1_000_000, **COLUMNS)
    assert plan.announced("any") == (
        "What profiles or site memory say of harbour.example changed: 1 page that they may touch is cleaned anew; 1"
        " that left the source keep their rows."
    )
    zones = dict(rows(output)["articles"].select("doc_id", "published_zone").iter_rows())
    assert zones == before | {"host": "Asia/Seoul"}
    # the page comes back: it is cleaned by what holds now, and the others are left alone
    write("host", "none", "masthead", "inland")
    plan = refresh(source, output, publishers=[two], shard_bytes=1_000_000, **COLUMNS)
    assert plan.to_clean()["doc_id"].to_list() == ["masthead"]
    refresh(source, tmp_path / "new", publishers=[two], shard_bytes=1_000_000, **COLUMNS)
    assert same_rows(output, tmp_path / "new")


def test_a_memory_touches_the_pages_of_its_sites(tmp_path: Path) -> None:
    source, output, memory = tmp_path / "in.jsonl", tmp_path / "out", tmp_path / "memory.toml"
    source.write_text("".join(json.dumps(page(name, n)) + "\n" for n, name in enumerate(SIGNS)), "utf-8")
    refresh(source, output, **COLUMNS)
    entry = f'{{ pages = 3, kept = 3, role = "other", status = "learnt", line = "{NOTICE}" }}'
    memory.write_text(f'format = 1\n[[site]]\nname = "inland.example"\npages = 3\nlines = [{entry}]\n', "utf-8")
    plan = refresh(source, output, memory=memory, **COLUMNS)
    assert plan.to_clean()["doc_id"].to_list() == ["inland"]
    bodies = dict(rows(output)["articles"].select("doc_id", "body").iter_rows())
    assert {name for name, body in bodies.items() if NOTICE not in body} == {"inland"}
    refresh(source, tmp_path / "new", memory=memory, **COLUMNS)
    assert same_rows(output, tmp_path / "new")


def test_a_row_names_the_rules_and_its_site() -> None:
    plain = open_desk()
    assert plain.versions.of_rows["ruleset"].str.starts_with(plain.versions.base).all()
    assert plain.ruleset.startswith(plain.versions.base)


def test_sites_differ_by_what_is_said_of_them() -> None:
    one = Versions("x-1", "x", {"a": Site("1", ("a", "A Post")), "b": Site("1", ("b",)), "c": Site("1", ("c",))})
    two = Versions("x-2", "x", {"a": Site("2", ("a", "A Times")), "b": Site("1", ("b",)), "d": Site("1", ("d",))})
    assert one.changed(two) == {"a": {"a", "A Post", "A Times"}, "c": {"c"}, "d": {"d"}} == two.changed(one)
