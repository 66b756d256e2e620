"""The two pages that the project was asked for become exactly the records they must."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

import copydesk
from copydesk.roles import FURNITURE

SHARED = Path(__file__).parents[3] / "shared"

pytestmark = pytest.mark.skipif(
    not SHARED.is_dir(), reason="other people's pages are not part of the project"
)


def expected() -> list[dict]:
    path = SHARED / "seeds" / "expected.json"
    return json.loads(path.read_text()) if path.is_file() else []


@pytest.mark.parametrize("record", expected(), ids=lambda r: r["file"])
def test_record(record: dict) -> None:
    text = (SHARED / "seeds" / record["file"]).read_text(encoding="utf-8")
    cleaned = copydesk.clean(text, doc_id=record["file"])
    article = cleaned.articles.row(0, named=True)
    for field in (
        "publisher",
        "language",
        "kicker",
        "headline",
        "standfirst",
        "dateline",
        "captions",
        "warnings",
    ):
        assert article[field] == record[field], field
    assert [{k: a[k] for k in ("name", "role", "email")} for a in article["authors"]] == record["authors"]
    assert [a["kind"] for a in article["authors"]] == ["person"]
    assert same_instant(article["published_at"], record["date_published"])
    assert same_instant(article["modified_at"], record["date_modified"])
    assert article["published_zone_source"] == record["timezone_source"]
    lines = text.split("\n")
    assert article["body"].split("\n\n") == [lines[n].strip() for n in record["body_lines"]]
    roles = {n: set(group["role"]) for (n,), group in cleaned.ledger.group_by(["line_no"])}
    assert sorted(n for n, r in roles.items() if r & {"body", "subheading"}) == record["body_lines"]
    # the masthead is not cut from the record: it gives the publisher
    wholly = [n for n, r in roles.items() if r <= set(FURNITURE) - {"masthead"}]
    assert sorted(wholly) == record["removed_lines"]
    assert set(roles) == {n for n, line in enumerate(lines) if line.strip()}


def same_instant(found: object, wanted: str | None) -> bool:
    if wanted is None or found is None:
        return found is wanted
    return found == pl.Series([wanted]).str.to_datetime(time_zone="UTC").item()
