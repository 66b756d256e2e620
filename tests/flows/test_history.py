"""Every rule that the ledger can name has its reason in the report."""

from __future__ import annotations

from pathlib import Path

import pytest
from run_rows import run_row, runs_frame

import copydesk
from copydesk.precedence import LINE_MODELS
from copydesk.rules import our_rules
from flows.decode import decode
from flows.history import reason
from flows.parts import read_parts
from schemas import RUNS

SEEDS = sorted((Path(__file__).parents[2] / "seeds").glob("*.txt"))
CUT_FROM_HEADLINES = [
    ("headline_path", "navigation"), ("kicker_in_brackets", "kicker"), ("kicker_quotation", "kicker"),
    ("kicker_before_bar", "kicker"), ("kicker_before_slug", "kicker"), ("kicker_before_title", "kicker"), ("masthead_behind_headline", "masthead"),
    ("section_behind_headline", "section"), ("other_behind_headline", "other"),
]  # fmt: skip


@pytest.mark.parametrize("page", SEEDS, ids=lambda p: p.stem)
def test_what_a_page_names_has_a_reason(page: Path) -> None:
    spans = copydesk.clean(decode(page.read_bytes()).text or "").spans
    nameless = [r for r in spans.select("rule", "role").unique().iter_rows() if not all(reason(*r, our_rules()))]
    assert nameless == []


@pytest.mark.parametrize(("rule", "role"), [*CUT_FROM_HEADLINES, ("loss_guard", "body"), ("site_memory", "other")])
def test_what_code_cuts_has_a_reason(rule: str, role: str) -> None:
    assert all(reason(rule, role, our_rules()))


@pytest.mark.parametrize("model", LINE_MODELS.values())
def test_the_line_model_says_what_it_did(model: str) -> None:
    assert "keeps" in reason(model, "body", our_rules())[1]
    assert "cuts" in reason(model, "other", our_rules())[1]


def test_a_rule_of_a_file_gives_its_own_reason_whatever_the_line_model_says() -> None:
    rule = next(r for r in our_rules().rules if r.role == "navigation")
    assert reason(rule.name, rule.role, our_rules()) == (rule.file, rule.why)


def test_runs_from_before_a_column_was_there_are_read_as_not_knowing_it(tmp_path: Path) -> None:
    runs_frame(run_row(0)).drop("by_rule").write_parquet(tmp_path / "part-00000.parquet")
    past = read_parts(sorted(tmp_path.glob("*.parquet")), RUNS)
    assert past.columns == list(RUNS.columns)
    assert past["by_rule"].to_list() == [None]
    assert len(RUNS.failures(past)) == 0
