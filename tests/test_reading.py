"""The recipes of docs/reading.md, run from the very text of the page: all readers see the same."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from schemas import SCHEMA_VERSION

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "reading.md").read_text(encoding="utf-8")
RECIPES = dict(re.findall(r"^<!-- recipe: (\w+) -->\n```python\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE))
READERS = ("polars", "duckdb", "pandas", "pyspark", "datasets")
SLOW = ("pyspark", "datasets")
BUCKET = ("bucket_polars", "bucket_duckdb", "bucket_pandas", "bucket_datasets")
PYTHON = {"pyspark": os.environ.get("SPARK_PYTHON", sys.executable)}
"""PySpark has an environment of its own: where it is installed, pandera imports it, half a second in every process."""

pytestmark = pytest.mark.server


@pytest.fixture
def here(seeds_published: tuple[Path, dict[str, Any]], tmp_path: Path) -> Path:
    """A folder in which `output` is what was published."""
    (tmp_path / "output").symlink_to(seeds_published[0])
    return tmp_path


def follow(name: str, folder: Path, output: str = "", **environment: str) -> list[str]:
    """Run a recipe in a process of its own, as a person would; returns the lines it prints."""
    own = {"HF_HOME": str(folder / "hf"), "HF_HUB_OFFLINE": "1", "SPARK_LOCAL_IP": "127.0.0.1", **environment}
    recipe = RECIPES[name].replace("s3://news/output", output) if output else RECIPES[name]
    done = subprocess.run(
        [PYTHON.get(name, sys.executable), "-c", recipe], cwd=folder, capture_output=True, text=True, check=False,
        env={**os.environ, **own},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.splitlines()


def need_spark() -> None:
    if shutil.which("java") is None:
        pytest.skip("PySpark needs Java, and there is none on the PATH")
    look = "import importlib.util as i, sys; sys.exit(not i.find_spec('pyspark'))"
    if subprocess.run([PYTHON["pyspark"], "-c", look], check=False).returncode:
        pytest.skip("PySpark is not installed: name a Python that has it by SPARK_PYTHON")


@pytest.mark.parametrize("reader", [pytest.param(r, marks=[pytest.mark.slow] * (r in SLOW)) for r in READERS])
def test_every_reader_sees_the_same(reader: str, here: Path) -> None:
    if reader == "pyspark":
        need_spark()
    articles = [row for part in (here / "output/articles").glob("*.parquet") for row in pq.read_table(part).to_pylist()]
    people = Counter(a["name"] for row in articles for a in row["authors"] if a["kind"] == "person")
    assert len(people) > 20
    (copies,) = (pq.read_table(part)["doc_id"].to_pylist() for part in (here / "output/duplicates").glob("*.parquet"))
    assert copies
    assert follow(reader, here) == [
        f"{len(articles)} articles",
        *(f"{name} {count}" for name, count in sorted(people.items())),
        f"{len(articles) - len(copies)} without copies",
    ]


@pytest.mark.slow
@pytest.mark.parametrize("name", BUCKET)
def test_every_reader_of_a_bucket_sees_the_same(
    name: str, seeds_in_bucket: tuple[str, dict[str, Any]], tmp_path: Path
) -> None:
    url, result = seeds_in_bucket
    # of a server without TLS, Polars must be told; `datasets` takes a bucket for a part of the hub
    alone = {"AWS_ALLOW_HTTP": "true", "HF_HUB_OFFLINE": "0", "HF_HUB_DISABLE_TELEMETRY": "1"}
    assert follow(name, tmp_path, url, **alone) == [
        f"{result['articles']} articles",
        f"{result['articles'] - sum(result['duplicates'].values())} without copies",
    ]


def test_a_reader_in_one_snapshot(here: Path) -> None:
    (said,) = follow("pinned", here)
    assert re.fullmatch(r"[1-9]\d* share buttons were cut", said)


def test_what_a_file_says_of_itself(here: Path) -> None:
    assert follow("footer", here) == [f"articles {SCHEMA_VERSION}", "'SEOUL, Aug. 3 (Yonhap)', cut from the first paragraph."]


def test_every_recipe_is_run() -> None:
    assert set(RECIPES) == {*READERS, *BUCKET, "pinned", "footer"}
    assert PAGE.count("```python") == len(RECIPES)
