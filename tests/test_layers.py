"""The packages know what they may know: flows know schemas and copydesk, and copydesk knows neither."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MAY_IMPORT = {
    "copydesk": {"copydesk"},
    "schemas": {"schemas", "copydesk"},
    "flows": {"flows", "schemas", "copydesk"},
}
OURS = {"copydesk", "schemas", "flows", "tests", "benchmarks", "training", "docs"}
FRAMEWORKS = ("prefect", "pandera", "flows", "schemas")

MODULES = [p for package in MAY_IMPORT for p in sorted((ROOT / package).rglob("*.py"))]

CLEAN_WITHOUT_FRAMEWORKS = f"""
import sys
for name in {FRAMEWORKS!r}:
    sys.modules[name] = None  # an import of it raises
import copydesk
paragraph = "Fares on the island ferry rise by a tenth in May, the council said on Monday evening."
page = copydesk.clean("Ferry fares rise\\n\\nBy Ann Lee\\n\\n" + paragraph)
assert page.articles["headline"].item() == "Ferry fares rise"
"""

WATCH_THE_IMPORT = """
import json, sys, threading
import polars, pyarrow  # what these open is theirs
events = []
def watch(event, args):
    if event == "open" and isinstance(args[0], str):
        events.append(["open", args[0]])
    elif event in ("socket.connect", "subprocess.Popen", "os.mkdir", "os.remove", "os.rename", "os.putenv"):
        events.append([event, str(args[0])])
threads = threading.active_count()
sys.addaudithook(watch)
import {package}
modules = (".py", ".pyc", ".so")
seen = [e for e in events if not (e[0] == "open" and (e[1].endswith(modules) or "__pycache__" in e[1]))]
print(json.dumps([seen, threading.active_count() - threads]))
"""


def imported(path: Path) -> set[str]:
    """The packages that a module imports, anywhere in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(
                (node.module or "").split(".")[0] if not node.level else path.relative_to(ROOT).parts[0]
            )
    return found


def run_python(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_go_one_way(path: Path) -> None:
    package = path.relative_to(ROOT).parts[0]
    assert imported(path) & OURS <= MAY_IMPORT[package]


@pytest.mark.parametrize(
    "path", [p for p in MODULES if p.is_relative_to(ROOT / "copydesk")], ids=lambda p: p.name
)
def test_the_library_names_no_framework(path: Path) -> None:
    assert not imported(path) & set(FRAMEWORKS)


def test_the_library_cleans_without_prefect_and_pandera() -> None:
    run_python(CLEAN_WITHOUT_FRAMEWORKS)


def test_importing_the_library_does_no_work() -> None:
    seen, threads = json.loads(run_python(WATCH_THE_IMPORT.format(package="copydesk")))
    assert (seen, threads) == ([], 0)


def test_the_command_line_waits_with_heavy_imports() -> None:
    heavy = run_python(
        "import flows.cli, sys; print(sorted({'prefect', 'polars', 'pandera'} & set(sys.modules)))"
    )
    assert heavy.strip() == "[]"
