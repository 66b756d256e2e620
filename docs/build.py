"""Writes what is generated from the code, most of it documentation: `make docs`. tests/test_docs.py sees that it was
done."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import sys
from pathlib import Path

from benchmarks.cost import fit
from benchmarks.cost import table as costs
from benchmarks.pipeline_table import table
from copydesk.literals import as_json as as_json_needs
from copydesk.rules import our_rules
from flows.explain import explain_page
from flows.gate_settings import load_gates
from flows.gates import GATES
from flows.wording import measure
from schemas import DATASETS
from schemas.articles import ARTICLES
from schemas.dictionary import as_json, column_table, dictionary
from schemas.evolution import RELEASED

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "results"
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


def gates() -> str:
    """Every gate with its thresholds and what to do where it fires."""
    shipped = load_gates().limits
    rows = ["| gate | what it judges | warns | fails | what to do |", "| --- | --- | --- | --- | --- |"]
    for gate in GATES:
        limits = (shipped[gate.name].warn, shipped[gate.name].fail)
        written = ("" if limit is None else measure(limit, gate.unit) for limit in limits)
        rows.append(f"| `{gate.name}` | {gate.what} | {' | '.join(written)} | {gate.cure} |")
    return "\n".join(rows)


def measurements() -> dict[str, str]:
    """What the kept reports of the benchmarks say, as their own tables print it."""
    few, many = (json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8")) for name in ("few", "many"))
    tables = {"speed": table(many), "cost": costs(list(fit(few, many)))}
    return {name: "```text\n" + "\n".join(line.rstrip() for line in lines) + "\n```" for name, lines in tables.items()}


def generated() -> dict[str, dict[str, str]]:
    """The generated parts of each page, by the name in their markers."""
    return {
        "README.md": {"explain": explained(), "articles": column_table(ARTICLES)},
        "docs/running.md": {"gates": gates()},
        "docs/benchmarks.md": measurements(),
    }


def filled(page: str, text: str) -> str:
    """A page with every part between `<!-- name -->` and `<!-- /name -->` as the code has it."""
    for name, part in generated()[page].items():
        place = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
        text, count = place.subn(lambda found, part=part: found[1] + part + "\n" + found[2], text)
        if count != 1:
            raise ValueError(f"{page} has {count} parts marked {name!r}, not one")
    return text


def dictionary_json() -> str:
    """The data dictionary as the text of a JSON file."""
    return json.dumps(as_json(DATASETS), indent=1, ensure_ascii=False) + "\n"


def needs() -> str:
    """What the expressions of our rules need, worked out, as the text of a file that is looked up at every start."""
    return as_json_needs(branch for rule in our_rules().rules for branch in rule.branches)


def main() -> None:
    """Write all that is generated anew; with `--released`, also the schema that later ones are held to."""
    for page in generated():
        (ROOT / page).write_text(filled(page, (ROOT / page).read_text(encoding="utf-8")), encoding="utf-8")
    (ROOT / "docs" / "data-dictionary.md").write_text(dictionary(DATASETS), encoding="utf-8")
    (ROOT / "docs" / "data-dictionary.json").write_text(dictionary_json(), encoding="utf-8")
    (ROOT / "copydesk" / "data" / "needs.json").write_text(needs(), encoding="utf-8")
    if "--released" in sys.argv[1:]:
        RELEASED.write_text(dictionary_json(), encoding="utf-8")


if __name__ == "__main__":
    os.environ["NO_COLOR"] = "1"
    main()
