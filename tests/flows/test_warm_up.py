"""The warm-up before a run: it loads, and changes nothing."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from flows.templating import _environment
from flows.warm_up import warm_up


def test_it_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    warm_up([], [])
    assert list(tmp_path.iterdir()) == []
    loaded = {name for _, name in _environment().cache or ()}
    assert loaded == set(_environment().list_templates(extensions=["j2"]))


def test_it_goes_without_where_it_may_not_write(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/proc/no")
    warm_up([], [])


def test_both_pages_are_cleaned(tmp_path: Path) -> None:
    import polars as pl

    from flows.warm_up import _clean

    _clean(tmp_path, [], [])
    articles = pl.read_parquet(tmp_path / "articles" / "*.parquet")
    assert articles["headline"].to_list() == ["Ferry fares rise"] * 2
    assert sorted(pl.read_ipc(tmp_path / "shards" / "*.arrow")["encoding"].to_list()) != ["utf-8", "utf-8"]
