"""Datelines: the place, day and agency at the head of a first paragraph."""

from __future__ import annotations

import re
import tomllib
from functools import lru_cache
from importlib.resources import files

import polars as pl

from copydesk.byline_words import words
from copydesk.bylines import Byline, parse_byline

__all__ = ["dateline_byline", "opens_with_dateline", "split_dateline"]

LONGEST = 110
"""Characters within which a dateline ends."""

_UP = "A-ZÀ-ÖØ-ÞĀĂĄĆČĎĐĒĖĘĚĞĢĪİĶĻŁŃŅŇŌŐŘŚŞŠŢŤŪŮŰŹŻŽȘȚЀ-Я"
_WORD = rf"[{_UP}][{_UP}'’.-]*"
_MONTH = r"[A-Za-zÀ-ÿĀ-žа-яА-Я]{3,12}\.?"
_DAY = rf"(?:{_MONTH}\s\d{{1,2}}(?:,\s\d{{4}})?|\d{{1,2}}\.?\s(?:de\s)?{_MONTH}(?:\s(?:de\s)?\d{{4}})?)"
_AGENCY = r"(?:\((?P<agency>[^()]{2,40})\)|/(?P<slashed>[^/()]{2,30})/)"
_REGION = r"[A-ZÀ-Þ][\w.’'-]*(?:\s[A-ZÀ-Þ][\w.’'-]*){0,3}"
_DASH = r"\s*\.?\s*(?:--|[-—–])\s*"
_PLACE = re.compile(
    rf"(?P<place>{_WORD}(?:[ /]{_WORD}){{0,3}})(?P<region>,\s(?!{_DAY}){_REGION})?"
    rf"(?:,?\s(?P<day>{_DAY}))?(?:[.,]?\s*{_AGENCY})?(?P<dash>{_DASH}|:\s+|\.\s*(?=[{_UP}]))"
)
_MIXED = re.compile(
    rf"(?P<place>[{_UP}]\w+(?:[ /-][\w.]+){{0,3}})(?:,\s(?P<region>[A-ZÀ-Þ][\w. ]+?))?"
    rf"(?:,\s(?P<day>{_DAY}))?[.,]?\s*{_AGENCY}(?P<dash>{_DASH})"
)
_ALONE = re.compile(
    r"\((?P<agency>[^()]{2,40})\)(?P<dash>\s*(?:--|[-—–])\s+)"
    rf"(?:{_WORD}(?: {_WORD}){{0,2}}, \d{{1,2}} [{_UP}]{{3,9}}(?P<late_dash>\s(?:--|[-—–])\s))?"
)
"""An agency alone, or before place and day: "(ANSA) - ROMA, 03 APR - "."""
_OWN = re.compile(rf"[\"“‘'«„(\[]*[{_UP}\d]")
_SMALL_WORD = re.compile(rf"(?<![\w-])[^\W\d_{_UP}]+(?![\w-])")
"""A sentence has several of these; "ADVERTISEMENT — Star Tours" has none."""
_KOREAN = re.compile(
    r"(?P<line>[(（\[【［](?:[가-힣·,A-Za-z\d ]{1,20}[=＝])?[가-힣A-Za-z\d·, ]{2,20}[)）\]】］])"
    r"(?:\s*(?P<who>[가-힣·,\s]{2,30}?(?:기자|특파원|통신원))\s*[=＝]\s*)?\s*"
)
_JAPANESE = re.compile(r"[【［\[（(](?P<in>[^】］\])）]{2,40})[】］\])）]\s*(?P<dash>[-–—]\s*)?")
_CHINESE = re.compile(
    r"(?:[（(【〔][^）)】〕]{2,40}(?:電|电|訊|讯|報導|报道)[）)】〕]"
    r"|(?:新华社|新華社|中新社|中新网|本报|人民网|央视网|中央社)[\u4e00-\u9fff]{0,8}\d{1,2}月\d{1,2}日[电電讯訊]\s*"
    r"(?:[（(](?P<who>记者[^）)]{2,20})[）)])?)[\s，,]*"
)
_WIDE_AGENCY = (
    "共同",
    "時事",
    "ロイター",
    "AFP",
    "ＡＦＰ",
    "AP",
    "朝日",
    "毎日",
    "読売",
    "聯合",
    "連合",
    "CNN",
)


SHAPE = (
    r"^(?:[(\[【［〔（]|\p{Lu}{2}.{0,100}[-–—:/]|\p{Lu}.{1,100}[)/]\s*\.?\s*[-–—]|新[华華]社|中新|本报|人民网|央视网|中央社)"
)
"""What every dateline that is read here looks like, cheap over a column; the first brackets and capitals are many."""


def opens_with_dateline(texts: pl.Series) -> pl.Series:
    """Which of the texts (stripped of outer blanks) `split_dateline` reads: a Boolean for each, false for null.

    >>> opens_with_dateline(pl.Series(["VIENNA — The house", "NATO said on Monday", None])).to_list()
    [True, False, False]
    """
    rows = texts.str.head(LONGEST + 20).str.contains(SHAPE).fill_null(False).arg_true()
    found = [row for row, text in zip(rows, texts.gather(rows), strict=True) if _split(text)]
    hits = pl.Series(found, dtype=pl.UInt32)
    return pl.int_range(len(texts), dtype=pl.UInt32, eager=True).is_in(hits.implode())


@lru_cache(maxsize=1)
def _tables() -> tuple[frozenset[str], frozenset[str]]:
    data = tomllib.loads((files("copydesk") / "data" / "datelines.toml").read_text("utf-8"))
    places = frozenset(p.strip() for p in data["places"].replace("\n", " ").split(",") if p.strip())
    return places, frozenset(data["agencies"]) | words().agencies


@lru_cache(maxsize=1)
def _announcing() -> frozenset[str]:
    data = tomllib.loads((files("copydesk") / "data" / "datelines.toml").read_text("utf-8"))
    return frozenset(data["announcing"])


def split_dateline(paragraph: str) -> tuple[str, int] | None:
    """The dateline as printed and the index where the paragraph's own text begins, or None.

    >>> split_dateline("SEOUL, Aug. 3 (Yonhap) -- The ministry said")
    ('SEOUL, Aug. 3 (Yonhap)', 26)
    >>> split_dateline("NATO said on Monday") is None
    True
    """
    found = _split(paragraph)
    return (found[0], found[1]) if found else None


def dateline_byline(paragraph: str) -> Byline | None:
    """The reporter who stands in a dateline: "(서울=연합뉴스) 홍길동 기자 = ", "【ソウル＝山田太郎】".

    Offsets are characters in `paragraph`.
    """
    found = _split(paragraph)
    if not found or not found[2]:
        return None
    begin, end = found[2]
    byline = parse_byline(paragraph[begin:end])
    if byline is None:
        return None
    return Byline(
        byline.start + begin, byline.end + begin, byline.raw, byline.authors, True, byline.truncated
    )


def _split(paragraph: str) -> tuple[str, int, tuple[int, int] | None] | None:
    begin = len(paragraph) - len(paragraph.lstrip())
    head = paragraph[begin : begin + LONGEST + 20]
    if len(head) < 8:
        return None
    first = head[0]
    if first in "(（[【［〔" or first >= "\u3040":
        found = _wide(head) if any(c >= "\u3040" for c in head[:40]) else None
        if found:
            return (
                found[0],
                begin + found[1],
                (begin + found[2][0], begin + found[2][1]) if found[2] else None,
            )
        if first != "(":
            return None
    elif not first.isupper():
        return None
    places, agencies = _tables()
    m = _PLACE.match(head) if len(head) > 1 and head[1].isupper() else None
    m = m or _MIXED.match(head) or _ALONE.match(head)
    if not m or not _sure(m, head, places, agencies):
        return None
    dash = "late_dash" if m.groupdict().get("late_dash") else "dash"
    return head[: m.start(dash)].rstrip(), begin + m.end(), None


def _sure(m: re.Match[str], head: str, places: frozenset[str], agencies: frozenset[str]) -> bool:
    group = m.groupdict()
    agency = (group.get("agency") or group.get("slashed") or "").lower()
    known = agency in agencies or bool(
        agency and any(a.strip() in agencies for a in re.split(r"[/,]", agency))
    )
    if m.re is _ALONE:
        return known
    place = m["place"].lower().rstrip(".")
    in_table = any(p.strip() in places for p in (place, *place.split("/")))
    dash = m["dash"].strip()
    own = bool(_OWN.match(head, m.end()))
    if m.re is _MIXED:
        return (known or in_table) and own
    if dash in {".", ""}:
        return bool(group.get("slashed")) and known and own
    if not own and not known:
        return False
    if dash == "-" and not m["dash"].endswith(" ") and not known:
        return False
    if known:
        return True
    if dash == ":":
        return in_table
    if group["day"]:
        return True
    if in_table:
        # a station or a day may stand in the brackets, prose may not
        return not agency or agency.isalnum() or any(c.isdigit() for c in agency)
    if (
        dash in {"—", "–", "--"}
        and not agency
        and not group["region"]
        and len(place) >= 6
        and place.isalpha()
    ):
        # a town we do not know, in capitals, before a sentence of its own: not a word such as UPDATE or EXCLUSIVE
        return own and place not in _announcing() and len(_SMALL_WORD.findall(head, m.end())) >= 3
    return bool(group["region"]) and not agency and m["dash"].startswith(" ") and place.count(" ") < 3


def _wide(head: str) -> tuple[str, int, tuple[int, int] | None] | None:
    if m := _CHINESE.match(head):
        who = m.span("who") if m["who"] else None
        return m.group().strip().rstrip("，,"), m.end(), who
    if (m := _KOREAN.match(head)) and (
        m["who"] or "=" in m["line"] or "＝" in m["line"] or "기자" in m["line"]
    ):
        who = (
            m.span("who")
            if m["who"]
            else ((m.start("line") + 1, m.end("line") - 1) if "기자" in m["line"] else None)
        )
        return m["line"], m.end(), who
    if m := _JAPANESE.match(head):
        inside = m["in"]
        if (
            "＝" in inside
            or "=" in inside
            or inside.endswith(_WIDE_AGENCY)
            or inside.startswith(("AFP", "ＡＦＰ"))
        ):
            who = (0, m.end("in") + 1) if "＝" in inside or "=" in inside else None
            return head[: m.end("in") + 1], m.end(), who
    return None
