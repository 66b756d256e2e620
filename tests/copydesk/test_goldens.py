"""Every sample page becomes the record that a person wrote for it, field by field."""

from __future__ import annotations

import json
import sys
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import copydesk
from copydesk.cleaning import PAGE
from flows.decode import decode

sys.path.insert(0, str(Path(__file__).parents[1]))
from goldens import FIELDS, differences, outcome

ROOT = Path(__file__).parents[2]
GOLDENS = sorted((ROOT / "tests" / "golden").glob("*.json"))
KNOWN = {
    "017_spanish-trenecito": 'one title below "Noticia relacionada", right above a paragraph: it could be a sub-heading',
    "016_french-passerelle": "the line model cuts a last paragraph of eight words behind a newsletter box",
}
"""Pages whose body, and so furniture, is not what the person wrote, and why."""


@cache
def records() -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    found = {}
    for path in GOLDENS:
        golden = json.loads(path.read_text(encoding="utf-8"))
        text = decode((ROOT / "seeds" / golden["file"]).read_bytes()).text or ""
        found[path.stem] = (outcome(copydesk.clean(text, doc_id=golden["file"])), golden)
    return found


def test_every_seed_has_a_golden() -> None:
    assert {p.stem for p in (ROOT / "seeds").glob("*.txt")} == {p.stem for p in GOLDENS}
    assert len(GOLDENS) >= 20


@pytest.mark.parametrize("field", [*FIELDS, "outcome", "reasons", "furniture"])
@pytest.mark.parametrize("page", [p.stem for p in GOLDENS])
def test_field(page: str, field: str, request: pytest.FixtureRequest) -> None:
    if page in KNOWN and field in ("body", "furniture"):
        request.applymarker(pytest.mark.xfail(strict=True, reason=KNOWN[page]))
    found, golden = records()[page]
    if golden["outcome"] == "quarantine" and field not in ("outcome", "reasons"):
        return
    only = {**golden, **{k: found.get(k) for k in golden if k != field}}
    assert list(differences(found, only)) == []


def test_seeds_alone_and_together_are_the_same() -> None:
    texts = {p.stem: decode((ROOT / "seeds" / f"{p.stem}.txt").read_bytes()).text or "" for p in GOLDENS}
    rows = [{"doc_id": k, "source": k, "text": t, "content_hash": "0" * 32, "problems": []} for k, t in texts.items()]
    together = copydesk.clean_pages(pl.DataFrame(rows[::-1], schema=PAGE))
    alone = [copydesk.clean(t, doc_id=k) for k, t in texts.items()]
    columns = [c for c in together.articles.columns if c != "content_hash"]
    for name in ("articles", "ledger"):
        one = getattr(together, name).sort("doc_id", maintain_order=True)
        many = pl.concat([getattr(a, name) for a in alone]).sort("doc_id", maintain_order=True)
        assert one.select(c for c in one.columns if c in columns or name == "ledger").equals(
            many.select(c for c in many.columns if c in columns or name == "ledger")
        )
