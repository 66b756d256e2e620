"""`copydesk rules`: the rules listed, tested, and seen at work."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from copydesk import clean_pages
from copydesk.cleaning import Desk
from copydesk.precedence import PRECEDENCE
from copydesk.roles import ROLES
from copydesk.rules import RuleError, check_examples
from flows.errors import UsageError
from flows.figures import add_up, shard_figures
from flows.laws import whole_texts
from flows.readers import ReadOptions, open_source
from flows.request import open_rules


def list_rules(role: str | None, rules: Sequence[Path]) -> None:
    """Print every rule, of one role where one is named: the line rules, then the decisions by place."""
    if role is not None and role not in ROLES:
        raise UsageError(f"no role {role!r}: roles are {', '.join(sorted(ROLES))}")
    table = _table("role", "rule", "file", "why")
    for rule in open_rules(rules).rules.rules:
        if role in (None, rule.role):
            table.add_row(rule.role, rule.name, rule.file, Text(rule.why))
    for decision in PRECEDENCE:
        if decision.rule and role in (None, decision.role):
            table.add_row(decision.role or "", decision.rule, "by its place", Text(decision.why))
    _print(table)


def test_rules(rules: Sequence[Path]) -> None:
    """Load all rules, try all of their examples, and say how many there are."""
    book = open_rules(rules).rules
    try:
        check_examples(book)
    except RuleError as error:
        raise UsageError(str(error)) from error
    examples = sum(len(r.drops) + len(r.keeps) for r in book.rules)
    files = len({r.file for r in book.rules})
    print(f"{len(book.rules)} rules in {files} files hold their {examples} examples (version {book.version})")


def show_hits(source: str, columns: dict[str, Any], rules: Sequence[Path], publishers: Sequence[Path]) -> None:
    """Clean the source without writing anything, and print what each rule decided."""
    desk = open_rules(rules, publishers)
    figures = add_up(_figures(batch, desk) for batch in open_source(source, ReadOptions(**columns)).batches())
    table = _table("rule", "role", "pages", "spans", "characters", "example")
    for row in figures["rules"]:
        example = row["examples"][0]["text"] if row["examples"] else ""
        table.add_row(
            row["rule"], row["role"], *(f"{row[k]:,}" for k in ("pages", "spans", "characters")), Text(example[:80])
        )
    _print(table)
    fired = {r["rule"] for r in figures["rules"]}
    silent = [r.name for r in desk.rules.rules if r.name not in fired]
    print(f"{len(silent)} of {len(desk.rules.rules)} rules never fired: {', '.join(silent) or 'none'}")


def _figures(batch: Any, desk: Desk) -> dict[str, Any]:
    cleaned = clean_pages(batch, desk=desk)
    return shard_figures(cleaned, whole_texts(cleaned.articles, cleaned.ledger))


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), show_edge=False)
    for name in columns:
        number = name in ("pages", "spans", "characters")
        table.add_column(name, justify="right" if number else "left", no_wrap=name not in ("why", "example"))
    return table


def _print(table: Table) -> None:
    Console(highlight=False).print(table)
