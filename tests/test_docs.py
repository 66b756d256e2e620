"""The documentation says what the code does: tables are generated, examples run, nothing is left out."""

from __future__ import annotations

import doctest
import importlib
import inspect
import re
import runpy
import subprocess
import tomllib
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import typer
from packaging.requirements import Requirement

import copydesk
from copydesk.memory import load_memory
from copydesk.publishers import PUBLISHERS_FOLDER, Profile, load_profiles
from copydesk.rules import RULES_FOLDER, Rule, load_rules
from schemas import DATASETS
from schemas.dictionary import dictionary

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
GUIDE = (ROOT / "docs" / "rules-and-profiles.md").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCKS = ("requirements.lock", "requirements-dev.lock")
PACKAGES = ("copydesk", "schemas", "flows")
WITH_EXAMPLES = [
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for package in PACKAGES
    for path in sorted((ROOT / package).rglob("*.py"))
    if re.search(r"^\s*>>> ", path.read_text(encoding="utf-8"), re.MULTILINE)
]


def blocks(language: str, text: str = README) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Every command of the command line, by its whole name."""
    if hasattr(command, "commands"):
        for name, child in command.commands.items():
            yield from commands(child, (*path, name))
    else:
        yield " ".join(path), command


def command_line() -> list[tuple[str, Any]]:
    from flows.cli import app

    return list(commands(typer.main.get_command(app)))


@pytest.fixture
def no_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)


# what is generated


def test_the_data_dictionary_is_what_the_schemas_say() -> None:
    written = (ROOT / "docs" / "data-dictionary.md").read_text(encoding="utf-8")
    assert written == dictionary(DATASETS), "run `make docs`"
    as_json = runpy.run_path(str(ROOT / "docs" / "build.py"))["dictionary_json"]()
    assert (ROOT / "docs" / "data-dictionary.json").read_text(encoding="utf-8") == as_json, "run `make docs`"


def test_what_rules_need_is_what_is_worked_out_for_them() -> None:
    needs = runpy.run_path(str(ROOT / "docs" / "build.py"))["needs"]()
    assert (ROOT / "copydesk" / "data" / "needs.json").read_text(encoding="utf-8") == needs, "run `make docs`"


@pytest.mark.parametrize("page", ["README.md", "docs/running.md"])
def test_the_generated_parts_are_what_the_code_says(page: str, no_colour: None) -> None:
    build = runpy.run_path(str(ROOT / "docs" / "build.py"))
    text = (ROOT / page).read_text(encoding="utf-8")
    assert build["filled"](page, text) == text, "run `make docs`"


# what is named


@pytest.mark.parametrize("name, command", command_line(), ids=lambda v: v if isinstance(v, str) else "")
def test_every_command_and_option_is_in_the_readme(name: str, command: Any) -> None:
    assert f"copydesk {name}" in README
    options = {max(p.opts, key=len) for p in command.params if p.param_type_name == "option"} - {"--help"}
    assert sorted(o for o in options if o not in README) == []
    assert command.help


def test_every_parameter_of_the_flow_is_in_the_readme() -> None:
    from flows.clean_news import clean_news

    assert [p for p in inspect.signature(clean_news.fn).parameters if f"`{p}`" not in README] == []


@pytest.mark.parametrize("kind", [Rule, Profile], ids=["rule", "profile"])
def test_every_key_of_rules_and_profiles_is_in_the_guide(kind: type) -> None:
    table = GUIDE.split(f"| key of a {kind.__name__.lower()} |")[1].split("\n\n")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) and set(
        re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)
    ) == {f.name for f in fields(kind)} - {"file"}


def test_every_exit_code_is_in_the_readme() -> None:
    from flows.errors import CopydeskError

    codes = {0, *(kind.exit_code for kind in CopydeskError.__subclasses__())}
    assert {int(c) for c in re.findall(r"^\| (\d) \|", README, re.MULTILINE)} == codes


def test_the_changelog_opens_with_this_version() -> None:
    version = PROJECT["project"]["version"]
    newest = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert newest and newest[1] == version == copydesk.__version__


@pytest.mark.parametrize(
    "page", sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]), ids=lambda p: p.name
)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("path", sorted((ROOT / "docs" / "decisions").glob("*.md")), ids=lambda p: p.stem)
def test_a_decision_is_five_lines(path: Path) -> None:
    title, *lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line]
    assert title.startswith(f"# {int(path.name[:4])}. ")
    assert [line.split("**")[1].rstrip(".") for line in lines] == [
        "What",
        "Why",
        "Looked at",
        "Cost",
        "Look again",
    ]


def test_every_make_target_is_in_the_help() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE)) - {"help"}
    assert targets == set(re.findall(r'@echo "make (\w+)', makefile))


# what is shown


def test_the_rules_of_the_readme_load(tmp_path: Path) -> None:
    rule, profile, memory = blocks("toml")
    (tmp_path / "memory.toml").write_text(memory, encoding="utf-8")
    assert load_memory(tmp_path / "memory.toml").entries["line"].str.starts_with("Got a story").all()
    for name, text in (("rules", rule), ("publishers", profile)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "readme.toml").write_text(text, encoding="utf-8")
    assert load_rules([tmp_path / "rules"]).rules[-1].name == "courier_app_banner"
    assert load_profiles([tmp_path / "publishers"]).profiles[-1].name == "The Harbour Times"


@pytest.mark.parametrize("block", blocks("python"), ids=lambda b: b.split("\n")[0])
def test_python_of_the_readme_is_python(block: str) -> None:
    compile(block, "README.md", "exec")


def test_the_library_example_of_the_readme_runs(capsys: pytest.CaptureFixture[str]) -> None:
    (example,) = (b for b in blocks("python") if b.startswith("import copydesk"))
    exec(compile(example, "README.md", "exec"), {})
    assert capsys.readouterr().out.startswith("Ferry fares rise Ann Lee ['no_date']")


@pytest.mark.parametrize("module", WITH_EXAMPLES)
def test_docstrings_show_what_happens(module: str) -> None:
    result = doctest.testmod(importlib.import_module(module))
    assert result.attempted and not result.failed


# what ships


def test_every_rule_and_profile_file_loads_and_is_used() -> None:
    book, profiles = load_rules(), load_profiles()
    assert {r.file for r in book.rules} == {p.name for p in RULES_FOLDER.iterdir()}
    assert {p.file for p in profiles.profiles} == {p.name for p in PUBLISHERS_FOLDER.iterdir()}


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_holds_pins_and_hashes_alone(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert "://" not in text
    entries = re.split(r"\n(?=\S)", text.strip())
    pin = re.compile(
        r"[a-z0-9-]+(?:\[[a-z0-9, -]+\])?==[^\s;]+[^\n]* \\\n(?: +--hash=sha256:[0-9a-f]{64}(?: \\\n|$))+"
    )
    assert [entry[:60] for entry in entries if not pin.fullmatch(entry)] == []


def test_locks_hold_every_dependency_within_its_bounds() -> None:
    groups = PROJECT["dependency-groups"]
    wanted = {LOCKS[0]: [*PROJECT["project"]["dependencies"], *groups["build"]]}
    wanted[LOCKS[1]] = [*wanted[LOCKS[0]], *groups["dev"]]
    pins = {}
    for lock, needs in wanted.items():
        found = re.findall(
            r"^([a-z0-9-]+)(?:\[[^\]]*\])?==([^\s;]+)",
            (ROOT / lock).read_text(encoding="utf-8"),
            re.MULTILINE,
        )
        pins[lock] = dict(found)
        for need in map(Requirement, needs):
            assert need.specifier.contains(pins[lock][need.name]), (
                f"{need} is not what {lock} holds: run `make lock`"
            )
    assert pins[LOCKS[0]].items() <= pins[LOCKS[1]].items()


def test_no_file_is_tied_to_a_machine_or_registry() -> None:
    known = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if known.returncode:
        pytest.skip("not a git working tree, so there is no list of its files")
    host = re.compile("py" + r"pi\.org|python" + r"hosted\.|registry\.n" + r"pmjs|deb\.d" + "ebian")
    place = re.compile(r"(?:^|[^A-Za-z0-9_.])/(?:w" + "ork|r" + "oot)/", re.MULTILINE)
    found = []
    for name in filter(None, known.stdout.split("\0")):
        path = ROOT / name
        if not path.is_file() or path.suffix in (".parquet", ".png"):
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        found += [name for pattern in (host, place) if pattern.search(text)]
    assert found == []
