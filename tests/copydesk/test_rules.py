"""Rule files load strictly, and a rule marks what it says it marks."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from copydesk.rules import RuleError, check_examples, load_rules, our_rules

GOOD = """
role = "share"
[[rule]]
name = "my_rule"
why = "A reason."
lines = ["buy our mugs"]
drops = ["Buy our mugs!"]
keeps = ["Buy our mugs, she said, and be glad."]
"""


def test_all_our_rules_load_and_hold_their_examples() -> None:
    book = our_rules()
    check_examples(book)
    assert len(book.rules) > 100
    assert all(rule.why and rule.drops and rule.keeps for rule in book.rules)
    assert len(book.version) == 12


def test_own_folder_is_added(tmp_path: Path) -> None:
    (tmp_path / "mugs.toml").write_text(GOOD)
    book = load_rules([tmp_path])
    assert book.rules[-1].name == "my_rule"
    assert book.version != our_rules().version


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("why = ", "wy = "), "unknown key ['wy']"),
        (('why = "A reason."\n', ""), "['why'] missing"),
        (('keeps = ["Buy our mugs, she said, and be glad."]\n', ""), "['keeps'] missing"),
        (('role = "share"', 'role = "sharing"'), "role 'sharing' is none of"),
        (
            ('drops = ["Buy our mugs!"]', 'drops = ["Sell our mugs!"]'),
            "does not match its example in drops: 'Sell our mugs!'",
        ),
        (
            ("Buy our mugs, she said, and be glad.", "Buy our mugs"),
            "matches its example in keeps: 'Buy our mugs'",
        ),
        (('lines = ["buy our mugs"]', 'pattern = "(buy our mugs"'), "bad pattern"),
        (('lines = ["buy our mugs"]', ""), "needs `lines`, `starts` or `pattern`"),
        (('name = "my_rule"', 'name = "My Rule"'), "a name is lower_snake_case"),
        (('name = "my_rule"', 'name = "share_controls"'), "stands in share.toml already"),
        (('name = "my_rule"', 'name = "my_rule"\nwhere = "middle"'), "where is one of"),
        (('name = "my_rule"', "name = my_rule"), "not valid TOML"),
        (('role = "share"', 'role = "share"\nauthor = "me"'), "unknown key ['author']"),
        (
            ('lines = ["buy our mugs"]', "pattern = 'mugs$'\nmax_length = 300"),
            "`$` cannot mean the line's end",
        ),
    ],
)
def test_a_bad_rule_names_its_file(tmp_path: Path, change: tuple[str, str], said: str) -> None:
    assert change[0] in GOOD
    (tmp_path / "mugs.toml").write_text(GOOD.replace(*change))
    with pytest.raises(RuleError) as error:
        load_rules([tmp_path])
    assert said in str(error.value)
    assert "mugs.toml" in str(error.value)


def test_the_literals_spare_no_line_that_a_pattern_matches() -> None:
    book = our_rules()
    texts = pl.Series(
        "text", sorted({line.strip() for rule in book.rules for line in (*rule.drops, *rule.keeps)})
    )
    hits = set(book.match(texts).iter_rows())
    from copydesk.rules import line_key

    keys = pl.DataFrame({"text": texts}).select(
        line_key(pl.col("text")).alias("key"), length=pl.col("text").str.len_chars()
    )
    for number, rule in enumerate(book.rules):
        if rule.regex:
            alone = keys.with_row_index("text_id").filter(
                pl.col("key").str.contains(rule.regex), pl.col("length") <= rule.max_length
            )
            assert {(t, number) for t in alone["text_id"]} <= hits, rule.name
