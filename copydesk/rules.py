"""Line rules: data in `rules/*.toml`, loaded strictly, matched on every distinct line once.

A rule file is TOML: an optional `role` for all its rules, then `[[rule]]` tables with the fields of `Rule`.
A rule matches a line's *key*: its first 200 characters in lower case, without a leading bullet, with straight
quotes and single spaces. `drops` and `keeps` are lines that it must and must not match; they are checked
whenever the file is loaded.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import re
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from copydesk.lines import BULLET, KEY_LENGTH, LONG_KEY_LENGTH
from copydesk.literals import START_LENGTHS, Need, branches, need
from copydesk.roles import ROLES

Place = Literal["anywhere", "top", "head", "tail", "edge", "inside"]
Reach = Literal["line", "list", "rest", "thread"]

RULES_FOLDER = Path(__file__).parent / "rules"
QUOTES = {
    "İ": "i",
    "’": "'",
    "‘": "'",
    "ʼ": "'",
    "“": '"',
    "”": '"',
    "„": '"',
    "\u00a0": " ",
    "\u00ad": "",
    "\u200b": "",
    "\ufeff": "",
}
ENDS = " \t:：.…!?？！。>»›→↓↑▲▼►|•·-–—*+#«[]()【】「」＜＞（）"


class RuleError(ValueError):
    """A rule or profile file that cannot be trusted; the message names the file, the rule and the cure."""


@dataclasses.dataclass(frozen=True, slots=True)
class Rule:
    """One rule: which lines it marks, what it says they are, and how far it reaches.

    lines: whole lines, as keys without outer punctuation. starts: beginnings of a line, up to a word's end where
    they end in an ASCII letter. pattern: a regular expression (RE2 syntax) searched in the key. A line matches by
    any of the three. max_length: characters of the longest line it may match.
    where: the part of the page in which it counts (top: its first three lines, head: before or about the first
    paragraph, tail: the last quarter and behind, edge: head or tail, inside: between them).
    weak: the words stand alone in real text too, so the rule holds only beside another line that some rule matches,
    or among short lines.
    reach: `line` alone; `list`, with the short lines that follow; `rest`, with all that follows on the page;
    `thread`: three such lines or more, each over a text, make a thread from the first of them to the page's end.
    """

    name: str
    role: str
    why: str
    file: str
    lines: tuple[str, ...] = ()
    starts: tuple[str, ...] = ()
    pattern: str | None = None
    max_length: int = 120
    where: Place = "anywhere"
    reach: Reach = "line"
    weak: bool = False
    drops: tuple[str, ...] = ()
    keeps: tuple[str, ...] = ()

    @property
    def regex(self) -> str | None:
        """`starts` and `pattern` as one regular expression over the key; None where the rule has neither."""
        parts = [] if self.pattern is None else [self.pattern]
        # an ASCII word end is cheap and is one wherever the phrase ends in an ASCII letter or digit
        for phrases, end in (
            ([s for s in self.starts if s[-1].isascii() and s[-1].isalnum()], r"\b"),
            ([s for s in self.starts if not (s[-1].isascii() and s[-1].isalnum())], ""),
        ):
            if phrases:
                parts.append("^(?:" + "|".join(re.escape(s).replace("\\ ", " ") for s in phrases) + ")" + end)
        return "|".join(parts) or None

    @property
    def branches(self) -> list[str]:
        """The alternatives of `regex`."""
        return branches(self.regex) if self.regex else []


@dataclasses.dataclass(frozen=True)
class RuleBook:
    """All rules of a run, in file and then reading order, and the version that names exactly them."""

    rules: tuple[Rule, ...]
    version: str

    @functools.cached_property
    def whole_lines(self) -> pl.DataFrame:
        """Every phrase of every rule's `lines`: `bare`, `rule` (its number) and its `max_length`."""
        rows = [(phrase, n, rule.max_length) for n, rule in enumerate(self.rules) for phrase in rule.lines]
        schema = {"phrase": pl.String, "rule": pl.UInt16, "max_length": pl.UInt32}
        phrases = pl.DataFrame(rows, schema=schema, orient="row")
        return phrases.select(bare_key(pl.col("phrase")).alias("bare"), "rule", "max_length").unique(
            maintain_order=True
        )

    @functools.cached_property
    def _needs(self) -> pl.DataFrame:
        """What a line must show for a rule's expression to be tried: `literal`, `start` (whether it must stand at
        the line's start), `rule` and its `max_length`."""
        rows = [
            (literal, start, number, self.rules[number].max_length)
            for number, expressions in enumerate(self._expressions)
            for branch in expressions.sure
            for start, literals in ((True, need(branch).starts), (False, need(branch).holds))
            for literal in sorted(literals)
        ]
        schema = {"literal": pl.String, "start": pl.Boolean, "rule": pl.UInt16, "max_length": pl.UInt32}
        return pl.DataFrame(rows, schema=schema, orient="row").unique(maintain_order=True)

    @functools.cached_property
    def _expressions(self) -> tuple[_Expressions, ...]:
        return tuple(_expressions(rule) for rule in self.rules)

    def match(self, texts: pl.Series) -> pl.DataFrame:
        """Match distinct lines. Returns `text_id` (UInt32, position in `texts`) and `rule` (UInt16), sorted."""
        longest = max((r.max_length for r in self.rules), default=0)
        heads = (
            pl.DataFrame({"text": texts})
            .with_columns(text_id=pl.int_range(pl.len(), dtype=pl.UInt32), length=pl.col("text").str.len_chars())
            .filter(pl.col("length") <= longest)
            .select("text_id", "length", key=line_key(pl.col("text")))
        )
        whole = (
            heads.with_columns(bare=pl.col("key").str.strip_chars(ENDS))
            .join(self.whole_lines, on="bare")
            .filter(pl.col("length") <= pl.col("max_length"))
            .select("text_id", "rule")
        )
        hits = pl.concat([whole, self._where_touched(heads), *self._everywhere(heads)])
        return _pairs(hits["text_id"], hits["rule"])

    def _where_touched(self, heads: pl.DataFrame) -> pl.DataFrame:
        """Search the branches that are sure of a literal in the lines that show it."""
        touched = self._touched(heads)
        keys = _arrow(touched["key"])
        found, start = [], 0
        for length, number in touched.select(pl.col("rule").rle()).unnest("rule").iter_rows():
            expression = "|".join(self._expressions[number].sure)
            found.append(pc.match_substring_regex(keys.slice(start, length), expression))
            start += length
        mask = pa.chunked_array(found, pa.bool_())
        return touched.select("text_id", "rule").filter(_series(mask))

    def _everywhere(self, heads: pl.DataFrame) -> Iterator[pl.DataFrame]:
        """Search the other branches in all lines that are not too long."""
        shortest_first = heads.sort("length", "text_id")
        keys = _arrow(shortest_first["key"])
        for number, (rule, expressions) in enumerate(zip(self.rules, self._expressions, strict=True)):
            if expressions.unsure:
                fitting = int(shortest_first["length"].search_sorted(rule.max_length, side="right"))
                found = pc.match_substring_regex(keys.slice(0, fitting), "|".join(expressions.unsure))
                rows = _series(found).arg_true()
                yield shortest_first[rows].select("text_id", rule=pl.lit(number, pl.UInt16))

    def _touched(self, heads: pl.DataFrame) -> pl.DataFrame:
        """The lines that show a literal of a rule and are not too long for it: `text_id`, `key`, `rule`, by rule."""
        starts = self._needs.filter("start").drop("start")
        found = [
            heads.select("text_id", "length", literal=pl.col("key").str.head(length)).join(
                starts.filter(pl.col("literal").str.len_chars() == length), on="literal"
            )
            for length in START_LENGTHS
        ]
        holds = self._needs.filter(~pl.col("start")).drop("start")
        # few rules look at long lines: most literals are searched in short ones only
        for least, most in ((0, KEY_LENGTH), (KEY_LENGTH, 1 << 30)):
            literals = holds.filter(pl.col("max_length") > least)["literal"].unique(maintain_order=True)
            if len(literals):
                standing = pl.col("key").str.extract_many(literals.implode(), overlapping=True)
                found.append(
                    heads.filter(pl.col("length") > least, pl.col("length") <= most)
                    .select("text_id", "length", literal=standing)
                    .filter(pl.col("literal").list.len() > 0)
                    .explode("literal", empty_as_null=True)
                    .join(holds, on="literal")
                )
        hits = pl.concat(f.filter(pl.col("length") <= pl.col("max_length")).select("rule", "text_id") for f in found)
        hits = _pairs(hits["rule"], hits["text_id"])
        return hits.join(heads.select("text_id", "key"), on="text_id", how="left", maintain_order="left")


class _Expressions(NamedTuple):
    """The branches of a rule's expression: those that are sure of a literal (`need`), and the others."""

    sure: tuple[str, ...]
    unsure: tuple[str, ...]


def _expressions(rule: Rule) -> _Expressions:
    parts = rule.branches
    sure = tuple(part for part in parts if need(part) != Need())
    return _Expressions(sure, tuple(part for part in parts if part not in sure))


def _pairs(first: pl.Series, second: pl.Series) -> pl.DataFrame:
    """The distinct pairs of two columns of whole numbers, in order: as one number a pair they sort ten times faster."""
    size = 1 << 32
    both = (first.cast(pl.UInt64) * size + second.cast(pl.UInt64)).sort()
    both = both.filter((both != both.shift(1)).fill_null(True))
    return pl.DataFrame({first.name: (both // size).cast(first.dtype), second.name: (both % size).cast(second.dtype)})


def _arrow(texts: pl.Series) -> pa.Array:
    return texts.to_arrow(compat_level=pl.CompatLevel.oldest())


def _series(values: pa.Array | pa.ChunkedArray) -> pl.Series:
    return pl.Series(pl.from_arrow(values))


def line_key(text: pl.Expr) -> pl.Expr:
    """The form of a line that rules match: head, lower case, plain quotes, single spaces, no bullet.

    The head of a line is all of it up to KEY_LENGTH characters, and the first LONG_KEY_LENGTH of a longer one.
    """
    return (
        text.str.head(pl.when(text.str.len_chars() <= KEY_LENGTH).then(KEY_LENGTH).otherwise(LONG_KEY_LENGTH))
        .str.replace_many(QUOTES)
        .str.replace(BULLET, "")
        .str.replace_all(r"\s{2,}|[\s--[ ]]", " ")
        .str.to_lowercase()
        .str.strip_chars()
    )


def bare_key(text: pl.Expr) -> pl.Expr:
    """`line_key` without outer punctuation: what the `lines` of a rule are compared with."""
    return line_key(text).str.strip_chars(ENDS)


def load_rules(folders: Iterable[Path] = ()) -> RuleBook:
    """Load our rules and those of the given folders, strictly.

    The examples of our own rules are not tried again: the tests did that (`check_examples`), and it would cost every
    start a fifth of a second.

    Raises RuleError, naming file and rule, for an unknown key or role, a missing `why`, `drops` or `keeps`,
    a duplicate name, a bad pattern or an example that does not hold.
    """
    rules: list[Rule] = []
    ours = 0
    digest = hashlib.sha256()
    for folder in (RULES_FOLDER, *folders):
        for path in sorted(folder.glob("*.toml")):
            source = path.read_bytes()
            digest.update(path.name.encode() + b"\0" + source)
            rules += _read_file(path, source)
        ours = ours or len(rules)
    names: dict[str, Rule] = {}
    for rule in rules:
        if rule.name in names:
            raise RuleError(f"{rule.file}: rule {rule.name!r} stands in {names[rule.name].file} already: rename one")
        names[rule.name] = rule
    book = RuleBook(tuple(rules), digest.hexdigest()[:12])
    check_examples(book, after=ours)
    return book


@functools.cache
def our_rules() -> RuleBook:
    """The rules that ship with copydesk, loaded once."""
    return load_rules()


def parse_toml(file: str, source: bytes) -> dict[str, Any]:
    """The table of a rule or profile file; raises RuleError where it is no TOML."""
    try:
        return tomllib.loads(source.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RuleError(f"{file}: not valid TOML: {error}") from None


def _read_file(path: Path, source: bytes) -> list[Rule]:
    name = path.name
    table = parse_toml(name, source)
    role = table.pop("role", None)
    entries = table.pop("rule", [])
    if table or not isinstance(entries, list):
        raise RuleError(f"{name}: unknown key {sorted(table)}: a rule file has `role` and `[[rule]]` tables only")
    return [_read_rule(name, n, entry, role) for n, entry in enumerate(entries, 1)]


def _read_rule(file: str, number: int, entry: dict[str, Any], role: str | None) -> Rule:
    label = f"{file}: rule {entry.get('name', f'number {number}')!r}"
    known = {f.name for f in dataclasses.fields(Rule)} - {"file"}
    if unknown := sorted(set(entry) - known):
        raise RuleError(f"{label}: unknown key {unknown}: known are {sorted(known)}")
    if missing := [k for k in ("name", "why", "drops", "keeps") if not entry.get(k)]:
        raise RuleError(f"{label}: {missing} missing: a rule says why it is, what it drops and what it keeps")
    if not re.fullmatch(r"[a-z][a-z0-9_]*", entry["name"]):
        raise RuleError(f"{label}: a name is lower_snake_case")
    values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in entry.items()}
    fields: dict[str, Any] = {"role": role, **values, "file": file}
    rule = Rule(**fields)
    if rule.role not in ROLES:
        raise RuleError(f"{label}: role {rule.role!r} is none of {sorted(ROLES)}")
    if rule.where not in get_args(Place) or rule.reach not in get_args(Reach):
        raise RuleError(f"{label}: where is one of {get_args(Place)}, reach one of {get_args(Reach)}")
    if not (rule.lines or rule.regex):
        raise RuleError(f"{label}: needs `lines`, `starts` or `pattern`")
    if (
        rule.max_length > KEY_LENGTH
        and rule.pattern
        and re.search(r"(?<!\\)\$", re.sub(r"\[[^\]]*\]", "", rule.pattern))
    ):
        raise RuleError(f"{label}: matches on the first {KEY_LENGTH} characters, so `$` cannot mean the line's end")
    return rule


def check_examples(book: RuleBook, *, after: int = 0) -> None:
    """Try the rules behind the first `after` on their own examples.

    Raises RuleError where one does not match its `drops`, matches its `keeps` or has a bad pattern.
    """
    rules = list(enumerate(book.rules))[after:]
    examples = [(n, line, True) for n, r in rules for line in r.drops]
    examples += [(n, line, False) for n, r in rules for line in r.keeps]
    if not examples:
        return
    texts = pl.Series("text", [line.strip() for _, line, _ in examples], dtype=pl.String)
    try:
        hits = set(book.match(texts).iter_rows())
    except pa.ArrowInvalid:
        _name_bad_pattern(book)
        raise
    for text_id, (number, line, wanted) in enumerate(examples):
        if ((text_id, number) in hits) != wanted:
            rule = book.rules[number]
            verb = "does not match its example in drops" if wanted else "matches its example in keeps"
            raise RuleError(f"{rule.file}: rule {rule.name!r} {verb}: {line!r}")


def _name_bad_pattern(book: RuleBook) -> None:
    for rule in book.rules:
        try:
            pc.match_substring_regex(_arrow(pl.Series([""])), rule.regex or "")
        except pa.ArrowInvalid as error:
            raise RuleError(f"{rule.file}: rule {rule.name!r}: bad pattern: {str(error).splitlines()[0]}") from None
