"""The byline tables of `data/bylines.toml`, read once and compiled."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

__all__ = ["Words", "words"]


@dataclass(frozen=True, slots=True)
class Words:
    """What the byline parser looks up: sets hold lower-case words, patterns are compiled."""

    cues: dict[str, str]
    """Cue -> author, reporting, photo or other."""
    cue_words: frozenset[str]
    """First words of all cues: nothing is tried without one."""
    first: re.Pattern[str]
    """A cue at the start of a line; group `cue`."""
    inner: re.Pattern[str]
    """A cue inside a line that is already known to be a byline; group `cue`."""
    inner_words: frozenset[str]
    """First words of all these: none is looked for without one."""
    inner_plain: re.Pattern[str]
    """The same in a line whose labels have no colon: "Tekst Jan de Vries Beeld Eva Bakker"."""
    plain_labels: frozenset[str]
    glued: re.Pattern[str]
    joins: re.Pattern[str]
    joining: frozenset[str]
    """The words that joins are made of, in small letters."""
    narrow: frozenset[str]
    place: re.Pattern[str]
    heads: frozenset[str]
    modifiers: frozenset[str]
    role_end: re.Pattern[str]
    cue_line: str
    """Pattern (of Polars) for a line that opens with an author's cue."""
    role_line: str
    """Pattern (of Polars) for a line that is a role: "Political correspondent", "Redactora de tribunales"."""
    other_cue: str
    """Pattern (of Polars) for a line that announces editors or reviewers: "Reviewed by"."""
    calls: re.Pattern[str]
    """What a page asks of its reader at the end of a line, behind two words at least: "Follow"."""
    call_ends: frozenset[str]
    """Last words of all these: none is looked for without one."""
    call_line: str
    """Pattern (of Polars) for a line that ends so."""
    story_numbers: tuple[tuple[re.Pattern[str], str], ...]
    """The number that an agency gives a story, with the agency's name."""
    glued_role: re.Pattern[str]
    staff: frozenset[str]
    unnamed: frozenset[str]
    """Words of `staff` that are left out beside somebody who is named."""
    staff_tails: tuple[str, ...]
    agencies: frozenset[str]
    glued_outlet: re.Pattern[str]
    pictures: frozenset[str]
    outlet: frozenset[str]
    particles: frozenset[str]
    suffixes: frozenset[str]
    prefixes: frozenset[str]
    common: frozenset[str]
    """Common words: a bare name holds none of them. Names behind a cue may."""
    labels: frozenset[str]
    titles: frozenset[str]
    """Words of titles that are no reporter's: what holds one is not taken for a second author."""
    linking: frozenset[str]
    leading: tuple[str, ...]
    no_role: frozenset[str]
    articles: frozenset[str]
    place_starts: frozenset[str]
    inner_articles: frozenset[str]
    before_article: frozenset[str]
    section_labels: frozenset[str]
    weak_staff: frozenset[str]
    language: dict[str, list[str]]
    """Short cue -> the languages in which one word behind it may be a name."""
    menu: frozenset[str]
    """Words that stand in headings and menus and in names: a run of nothing but these is no bare name."""
    places: frozenset[str]
    never: frozenset[str]
    """Words that no list of bare names holds, nor what goes with names: one of them settles most lines."""
    list_words: frozenset[str]
    """Words in small letters that may stand in a list of bare names."""
    not_name: frozenset[str]
    not_alone: frozenset[str]


def any_of(phrases: list[str] | tuple[str, ...] | set[str]) -> str:
    """An alternation of literal phrases, longest first; a blank stands for any run of white space."""
    ordered = sorted(set(phrases), key=lambda p: (-len(p), p))
    return "(?:" + "|".join(re.escape(p).replace(r"\ ", r"\s+") for p in ordered) + ")"


def _first_words(cues: Iterable[str]) -> frozenset[str]:
    return frozenset(m.group().lower() for c in cues if (m := re.match(r"[^\W\d_]+", c)))


@lru_cache(maxsize=1)
def words() -> Words:
    """The tables, read from the package at the first call."""
    data: dict[str, Any] = tomllib.loads((files("copydesk") / "data" / "bylines.toml").read_text("utf-8"))
    places: str = tomllib.loads((files("copydesk") / "data" / "datelines.toml").read_text("utf-8"))["places"]
    common_words = (files("copydesk") / "data" / "common_words.txt").read_text("utf-8")
    cues: dict[str, str] = {}
    labels: set[str] = set()
    for table in (t for t in data["cues"].values() if isinstance(t, dict)):
        for kind in ("author", "reporting", "photo", "other"):
            for cue in table.get(kind, ()):
                cues.setdefault(cue, kind)
        for label in table.get("labels", ()):
            labels.add(label)
    by = (" by", " von", " par", " di", " de", " av")
    colon = {c for c, kind in cues.items() if kind in ("photo", "other") and not c.endswith(by)}
    free = set(cues) - colon
    for label in labels:
        cues.setdefault(label, "author")
    labelled, plain = any_of(labels | colon), any_of(data["cues"]["plain_labels"])
    long = {c for c in free if " " in c and (cues[c] != "author" or c.endswith(" by"))}
    inner = any_of(long)
    cue = (
        rf"(?P<cue>{any_of(free)}(?=\s*:|\s|\Z)|{labelled}(?=\s*[:：]|\s+[-–—]\s)|{any_of(labels)}(?=\Z)"
        rf"|{plain}(?=\s+[^\W\d_]+\s+[^\W\d_]+))"
    )
    roles, agencies, grammar = set(data["roles"]["heads"]), data["agencies"]["names"], data["grammar"]
    head = any_of({h.capitalize() for h in roles})
    modifier = any_of({m.capitalize() for m in data["roles"]["modifiers"]})
    paper = any_of({a for a in agencies if a[0].isupper() and len(a) > 3})
    small = (
        data["joins"]["words"], data["joins"]["place"], roles, data["roles"]["modifiers"],
        data["names"]["particles"], data["staff"]["phrases"], agencies,
        ["ago am pm min read hours hour minutes days on"],
    )  # fmt: skip
    beside_names = (
        roles, data["roles"]["modifiers"], data["roles"]["titles"], data["staff"]["phrases"], data["staff"]["tails"],
        agencies, data["agencies"]["outlet_words"], data["joins"]["words"], data["joins"]["place"], grammar["linking"],
        grammar["no_role"], data["names"]["particles"], data["names"]["suffixes"], data["names"]["prefixes"],
    )  # fmt: skip
    allowed = {word.lower() for group in beside_names for phrase in group for word in phrase.split()}
    common = frozenset(w for line in common_words.splitlines() if not line.startswith("#") for w in line.split())
    not_name = frozenset(data["names"]["not_name_words"].split())
    return Words(
        cues=cues,
        cue_words=_first_words((*cues, *labels, *data["cues"]["plain_labels"])),
        first=re.compile(rf"{cue}\s*[:：]?\s*", re.I),
        inner_words=_first_words(long | labels | colon),
        inner=re.compile(rf"(?:(?<=[\s;,.|/])|(?<=\A))(?:{inner}\s*:?|{labelled}\s*:)\s+", re.I),
        inner_plain=re.compile(
            rf"(?:(?<=[\s;,.|/])|(?<=\A))(?:{inner}\s*:?|{labelled}\s*:?)\s+(?=[^\W\d_])", re.I
        ),
        plain_labels=frozenset(data["cues"]["plain_labels"]),
        glued=re.compile(rf"(?P<cue>{any_of(data['cues']['glued'])})(?=[A-ZÀ-Þ][a-zà-ÿ’'-]+\s+[A-ZÀ-Þ])"),
        joins=re.compile(rf"\s+(?P<join>{any_of([j for j in data['joins']['words'] if j != '&'])})\s+", re.I),
        joining=frozenset(word for join in data["joins"]["words"] for word in join.split()),
        narrow=frozenset(data["joins"]["narrow"]),
        place=re.compile(rf"\s+(?:{any_of(data['joins']['place'])})\s+(?=[^\s\d])"),
        heads=frozenset(roles),
        modifiers=frozenset(data["roles"]["modifiers"]),
        role_end=re.compile(rf"(?:\A|(?<=[\s-]))(?P<head>{any_of(roles)})\Z", re.I),
        cue_line=(
            rf"(?i)^[^\pL\pN]{{0,3}}(?:{any_of({c for c in free if cues[c] in ('author', 'reporting')})}(?:\s*:|\s|$)"
            rf"|{any_of(labels)}(?:\s*[:：]|\s[-–—]\s|$)|{plain}\s|(?-i:{any_of(data['cues']['glued'])}\p{{Lu}}))"
        ),
        role_line=(
            rf"(?i)^(?:[\pL&,'’.-]+ ){{0,4}}{any_of(roles)}"
            r"(?:(?:,| (?:in|for|at|of|and|i|en|à|de|a|aus|für|til|bei|van|da|do|di)(?-u:\b)).{2,40})?$"
        ),
        other_cue=rf"(?i)^{any_of([c for c, kind in cues.items() if kind == 'other'])}\s*:?$",
        calls=re.compile(rf"(?<=\S)\s+(?:[|·•–—-]\s*)?{any_of(data['cues']['calls'])}\s*\Z", re.I),
        call_ends=frozenset(call.split()[-1] for call in data["cues"]["calls"]),
        call_line=rf"(?i)\s{any_of(data['cues']['calls'])}$",
        story_numbers=tuple((re.compile(n["pattern"]), n["name"]) for n in data["agencies"]["story_numbers"]),
        glued_role=re.compile(rf"(?<=[a-zà-ÿ.])(?=[A-ZÀ-Þ])(?=(?:{paper}\s+)?(?i:(?:{modifier}\s+){{0,4}}{head})\Z)"),
        staff=frozenset(data["staff"]["phrases"]),
        unnamed=frozenset(data["staff"]["unnamed"]),
        staff_tails=tuple(" " + t for t in data["staff"]["tails"]),
        agencies=frozenset(a.lower() for a in data["agencies"]["names"]),
        glued_outlet=re.compile(rf"(?<=[a-zà-ÿ])(?=(?:{paper}|The [A-Z]\w+(?: [A-Z]\w+){{0,2}})\Z)"),
        pictures=frozenset(data["agencies"]["pictures"]),
        outlet=frozenset(data["agencies"]["outlet_words"]),
        particles=frozenset(data["names"]["particles"]),
        suffixes=frozenset(data["names"]["suffixes"]),
        prefixes=frozenset(data["names"]["prefixes"]),
        labels=frozenset(labels),
        common=common,
        never=(common | not_name) - allowed,
        titles=frozenset(data["roles"]["titles"]),
        linking=frozenset(grammar["linking"]),
        leading=tuple(grammar["leading"]),
        no_role=frozenset(grammar["no_role"]),
        articles=frozenset(grammar["articles"]),
        place_starts=frozenset(grammar["place_starts"]),
        inner_articles=frozenset(grammar["inner_articles"]),
        before_article=frozenset(grammar["before_article"]),
        section_labels=frozenset(grammar["section_labels"]),
        weak_staff=frozenset(grammar["weak_staff"]),
        language=grammar["language"],
        menu=frozenset(data["names"]["menu_words"].split()),
        places=frozenset(p.strip() for p in places.replace("\n", " ").split(",")),
        list_words=frozenset(
            w for group in small for phrase in group for w in phrase.split() if w[0].islower()
        ),
        not_name=not_name,
        not_alone=frozenset(data["names"]["not_alone_words"].split()),
    )
