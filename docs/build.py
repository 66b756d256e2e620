"""Writes what the documentation says from the code: `make docs`. tests/test_docs.py sees that it was done."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import sys
from pathlib import Path

from flows.explain import explain_page
from schemas import DATASETS
from schemas.articles import ARTICLES
from schemas.dictionary import as_json, column_table, dictionary
from schemas.evolution import RELEASED

ROOT = Path(__file__).parent.parent
EXAMPLE = "seeds/003_hani-night-bus.txt"
WIDTH = 96
SHOWN = 2
"""Paragraphs of the example that are shown; the others are left out of the README."""


def explained() -> str:
    """What `copydesk explain` prints of the example page, most of its paragraphs left out."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.chdir(ROOT):
        explain_page(EXAMPLE, url=None, rules=(), publishers=(), width=WIDTH)
    kept: list[str] = []
    paragraphs = 0
    for block in re.split(r"\n\s*\n", printed.getvalue().rstrip()):
        paragraph = re.match(r"\s*\d+\s+body\s", block) is not None
        paragraphs += paragraph
        if paragraph and paragraphs > SHOWN:
            if paragraphs == SHOWN + 1:
                kept.append("  ...")
            continue
        kept.append("\n".join(line.rstrip() for line in block.splitlines()))
    return f"```console\n$ copydesk explain {EXAMPLE}\n" + "\n\n".join(kept) + "\n```"


def generated() -> dict[str, str]:
    """The README's generated parts, by the name in their markers."""
    return {"explain": explained(), "articles": column_table(ARTICLES)}


def filled(readme: str) -> str:
    """The README with every part between `<!-- name -->` and `<!-- /name -->` as the code has it."""
    for name, text in generated().items():
        part = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
        readme, count = part.subn(lambda found, text=text: found[1] + text + "\n" + found[2], readme)
        if count != 1:
            raise ValueError(f"README.md has {count} parts marked {name!r}, not one")
    return readme


def dictionary_json() -> str:
    """The data dictionary as the text of a JSON file."""
    return json.dumps(as_json(DATASETS), indent=1, ensure_ascii=False) + "\n"


def main() -> None:
    """Write README.md and the data dictionary anew; with `--released`, also the schema that later ones are held to."""
    readme = ROOT / "README.md"
    readme.write_text(filled(readme.read_text(encoding="utf-8")), encoding="utf-8")
    (ROOT / "docs" / "data-dictionary.md").write_text(dictionary(DATASETS), encoding="utf-8")
    (ROOT / "docs" / "data-dictionary.json").write_text(dictionary_json(), encoding="utf-8")
    if "--released" in sys.argv[1:]:
        RELEASED.write_text(dictionary_json(), encoding="utf-8")


if __name__ == "__main__":
    os.environ["NO_COLOR"] = "1"
    main()
