"""Captions: the text under a picture and who is credited for it."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

from copydesk.byline_words import any_of

__all__ = ["doubled", "split_caption"]

LONGEST = 1500
"""Characters of the longest caption; a longer line is prose."""
LONGEST_CREDIT = 90
TAIL = 120
"""Characters at a line's end within which its credit stands."""

_WORD = re.compile(r"\w+")
_WIDE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_SENTENCE = re.compile(r"[.!?”\"’)…。」]\s+(?=[^a-z])|(?<=[。」])(?=\S)")
_PARTS = re.compile(r"\s*[/,|+]\s*|\s+(?:via|by|and|und)\s+|\s[-–]\s|:\s")
_SMALL = frozenset(
    (
        "via", "and", "und", "et", "de", "of", "by", "for", "von", "van", "y", "e", "the", "der", "dpa",
        "epa", "afp", "ap", "la", "del", "di", "courtesy", "file", "photo", "images", "archive", "archiv",
        "sda", "apa", "dpa-bildfunk", "le", "du", "al", "bin", "da", "dos",
    )
)  # fmt: skip
"""Words in small letters that may stand in a credit."""


@dataclass(frozen=True, slots=True)
class _Tables:
    first_words: frozenset[str]
    """First words of labels and agencies: without one of them (or a sign) nothing is tried."""
    bracket: re.Pattern[str]
    in_bracket: re.Pattern[str]
    labelled: re.Pattern[str]
    by: re.Pattern[str]
    sign: re.Pattern[str]
    piped: re.Pattern[str]
    maker: re.Pattern[str]
    """Who takes, sells or sends pictures."""


@lru_cache(maxsize=1)
def _tables() -> _Tables:
    data: dict[str, Any] = tomllib.loads((files("copydesk") / "data" / "credits.toml").read_text("utf-8"))
    agency, wide, more = any_of(data["agencies"]), any_of(data["wide_agencies"]), any_of(data["agency_words"])
    label, by, by_label = any_of(data["labels"]), any_of(data["by"]), any_of(data["by_labels"])
    before = r"(?:\A|(?<=[\s.!?…”\"’'»)|\]。」]))"
    who = rf"(?P<credit>\S[^!?。:：]{{0,{LONGEST_CREDIT}}})"
    phrases = (*data["agencies"], *data["labels"], *data["by_labels"])
    return _Tables(
        first_words=frozenset(m.group() for p in phrases if (m := _WORD.match(p))),
        bracket=re.compile(r"[(\[（［【〔](?P<in>[^()\[\]（）［］【】〔〕]{2,90})[)\]）］】〕][.。]?\Z"),
        in_bracket=re.compile(
            rf"(?:{label}\s*(?:[:：=＝|/]\s*©?|©|\s{by}\s)|©|{by_label}\s+{by}\s)\s*(?P<credit>\S.*)", re.I
        ),
        labelled=re.compile(rf"{before}{label}\s*[:：=＝]\s*[©(]?\s*{who}\Z"),
        by=re.compile(
            rf"{before}{by_label}\s+{by}\s+(?P<credit>[A-ZÀ-ÞЀ-Я@\d][^!?]{{1,{LONGEST_CREDIT}}})\Z"
        ),
        sign=re.compile(rf"(?:\A|(?<=[\s.]))[©Ⓒⓒ]\s*{who}\Z"),
        piped=re.compile(
            rf"(?:\A|(?<=[.!?”\"’)]\s))(?P<credit>(?:[^|.!?]{{2,40}}\s\|\s){{1,3}}{agency}(?:\s?{more})?)\Z"
        ),
        maker=re.compile(rf"(?<![^\W_])(?:{agency}(?:\s?{more})?|{wide})(?![^\W_])"),
    )


def split_caption(text: str) -> tuple[str, str | None] | None:
    """Split a caption line into its text and its credit, or None where no credit cue is there.

    The text is empty where the line is a credit alone. A parenthesis inside a sentence is no credit, and
    neither is a line that only ends in an agency's name ("…, according to Reuters.").

    >>> split_caption("A bridge in the rain. (Yonhap)")
    ('A bridge in the rain.', 'Yonhap')
    >>> split_caption("Readers sit by the window at night. (Dalbit Public Library)")
    ('Readers sit by the window at night.', 'Dalbit Public Library')
    >>> split_caption("The agency (Yonhap) said so.") is None
    True
    """
    line = text.strip()
    if not 3 <= len(line) <= LONGEST:
        return None
    if m := _COMMA_LABEL.match(line):
        return ("", m["rest"]) if m["label"] != "caption" else (m["rest"], None)
    table = _tables()
    tail = line[-TAIL:]
    shift = len(line) - len(tail)
    sign = "©" in tail or "ⓒ" in tail or "Ⓒ" in tail
    known = not table.first_words.isdisjoint(_WORD.findall(tail)) or bool(_WIDE.search(tail))
    if not (known or sign):
        return _named(line)
    if tail[-1] in ")]）］】〕.。" and (m := table.bracket.search(tail)):
        credit = _bracketed(m["in"].strip(), table)
        if credit:
            return line[: shift + m.start()].strip(), credit
    patterns = []
    if known and "|" in tail:
        patterns.append(table.piped)
    if known and (":" in tail or "=" in tail or "：" in tail or "＝" in tail):
        patterns.append(table.labelled)
    if known:
        patterns.append(table.by)
    if sign and not (shift == 0 and _is_notice(line)):
        patterns.append(table.sign)
    for pattern in patterns:
        m = pattern.search(tail)
        if m and _is_credit(m["credit"], most=1 if pattern is table.sign or pattern is table.piped else 2):
            caption = line[: shift + m.start()].strip(" \t|-–—([")
            return caption, m["credit"].strip(" \t)]").rstrip(".。")
    if known:
        ends = [m.end() for m in _SENTENCE.finditer(tail)]
        last = ends[-1] if ends else 0
        if (last or not shift) and _names_maker(tail[last:], table):
            return line[: shift + last].strip(), tail[last:]
    return _named(line)


def _named(line: str) -> tuple[str, str] | None:
    """A sentence and, in brackets behind its full stop, whoever took or sent the picture."""
    m = _SENTENCE_AND_NAME.match(line) if line[-1] == ")" else None
    return (m["caption"], m["credit"]) if m and _is_title_case(m["credit"]) else None


_COMMA_LABEL = re.compile(
    r"(?:Image|Photo|Picture) (?P<label>source|credit|copyright|caption), ?(?P<rest>\S.*)"
)
_SENTENCE_AND_NAME = re.compile(
    r"(?P<caption>.{20,600}[.!?][\"”’']?) "
    r"\((?P<credit>(?:(?:photo |image |picture )?(?:provided |courtesy )?(?:by|of|via) )?"
    r"[A-ZÀ-Þ][^().:]{2,70})\)"
)


def _is_title_case(credit: str) -> bool:
    """Whether a bracketed text after a full stop reads like a maker's name: most of its words are capitalised."""
    if re.match(r"(?:photo |image |picture )?(?:provided |courtesy )?(?:by|of|via) ", credit):
        return any(c.isupper() for c in credit)
    words = [w for w in re.split(r"[^\w'’-]+", credit) if len(w) > 3]
    return any(w[0].isupper() for w in words) and sum(w[0].isupper() for w in words) * 5 >= len(words) * 2


def _is_notice(line: str) -> bool:
    """A page's copyright notice: "© 2024 The Daily. All rights reserved."."""
    low = line.lower()
    dated = re.match(r"(?:copyright\s*)?[©ⓒⓒ]\s*(?:copyright\s*)?\d{4}", low)
    return bool(dated) or any(words in low for words in ("copyright", "rights reserved", "riproduzione"))


def _bracketed(inside: str, table: _Tables) -> str | None:
    if m := table.in_bracket.fullmatch(inside):
        credit = m["credit"].strip(" ©:")
        return credit if credit and _is_credit(credit, most=2) else None
    return inside if _names_maker(inside, table) else None


def _names_maker(text: str, table: _Tables) -> bool:
    """Whether a few names, one of them an agency, are all: "Ann Lee / AFP via Getty Images"."""
    text = text.rstrip(".")
    if len(text) > LONGEST_CREDIT or "。" in text or "（" in text or not table.maker.search(text):
        return False
    return all(
        len(words) <= 5 and all(w[0].isupper() or w[0] >= "\u3040" or w in _SMALL for w in words)
        for words in (part.split() for part in _PARTS.split(text))
    )


def _is_credit(credit: str, *, most: int) -> bool:
    """Names and agencies have few words and no sentence in them; `most` words may be in small letters."""
    words = credit.split()
    if len(words) > 10 or sum(1 for w in words if w[0].islower() and w not in _SMALL) > most:
        return False
    stop = credit.find(". ")
    return not (stop > 3 and len(words) > 4)


def doubled(text: str) -> int | None:
    """Index where the second copy begins when a line is one text printed twice, else None.

    >>> doubled("A caption. (Yonhap) A caption. (Yonhap)")
    20
    """
    lead = len(text) - len(text.lstrip())
    size = len(text.rstrip()) - lead
    if size < 16:
        return None
    for gap in (1, 0, 2, 3):
        if (size - gap) % 2:
            continue
        half = (size - gap) // 2
        second = lead + half + gap
        if text[lead] != text[second] or text[lead + half : second].strip(" |·-–\t\u00a0"):
            continue
        if text.startswith(text[lead : lead + half], second) and any(c.isalpha() for c in text[second:]):
            return second
    return None
