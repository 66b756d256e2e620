"""Bylines in Korean, Japanese and Chinese: the mark of a reporter decides, surnames confirm.

The marks (기자, 記者, 记者) are kept as the author's `role`, as printed.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.resources import files
from typing import Any

from copydesk.byline_types import Author
from copydesk.byline_words import any_of

__all__ = ["CUES", "Found", "parse_wide"]

CUES = frozenset(["作者", "记者", "記者", "撰文", "文", "執筆", "筆者", "取材・文", "글"])
LONGEST = 90

Found = tuple[list[Author], bool, bool]
"""(authors, cued, truncated)"""

_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", re.ASCII)
_BRACKETS = "()（）[]［］【】〔〕{}<>〈〉"
_DATE = re.compile(
    r"(?:입력|수정|승인|등록|업데이트)?\s*:?\s*\(?(?:19|20)\d\d\s*[-./년年].*\Z|\d{1,2}[:時]\d\d.*\Z"
)
_HANGUL = re.compile(r"[가-힣]")
_HAN = "\u3400-\u9fff々〆ヶ"
_KANA = "\u3040-\u30ff"


@dataclass(frozen=True, slots=True)
class _Tables:
    korean: re.Pattern[str]
    korean_name: re.Pattern[str]
    korean_front: re.Pattern[str]
    korean_staff: frozenset[str]
    korean_not: frozenset[str]
    japanese_front: re.Pattern[str]
    japanese_back: re.Pattern[str]
    japanese_desk: re.Pattern[str]
    japanese_next: re.Pattern[str]
    japanese_surname: re.Pattern[str]
    japanese_not: tuple[str, ...]
    japanese_agencies: frozenset[str]
    place_agency: re.Pattern[str]
    chinese: re.Pattern[str]
    chinese_name: re.Pattern[str]
    chinese_other: re.Pattern[str]
    agencies: frozenset[str]


@lru_cache(maxsize=1)
def _tables() -> _Tables:
    data: dict[str, Any] = tomllib.loads((files("copydesk") / "data" / "bylines.toml").read_text("utf-8"))
    ko, ja, zh = data["korean"], data["japanese"], data["chinese"]
    name = rf"(?:{any_of(ko['double_surnames'])}[가-힣]{{1,2}}|[{ko['surnames']}][가-힣]{{1,3}})"
    role = rf"(?:{any_of(ko['role_heads'])}\s?)*{any_of(ko['roles'])}"
    zh_name = rf"(?:[{zh['surnames']}][\u3400-\u9fff]{{1,2}}|[{zh['surnames']}]\s[\u3400-\u9fff])"
    marks = any_of(ja["author"] + ja["photo"] + ja["other"])
    return _Tables(
        korean=re.compile(
            rf"(?<![가-힣])(?P<names>{name}(?:\s*[·,ㆍ・/]\s*{name})*)\s*(?P<role>{role})(?=\Z|[\s·,ㆍ/|=＝)\]】(])"
        ),
        korean_name=re.compile(name),
        korean_front=re.compile(rf"{any_of(ko['front'])}\s*[:：=]?\s*(?P<name>{name})"),
        korean_staff=frozenset(ko["staff"]),
        korean_not=frozenset(ko["not_names"]),
        japanese_front=re.compile(rf"(?P<cue>{marks})(?P<by>\s*[・･／/＝=:：|｜]\s*|[\s　]+)"),
        japanese_back=re.compile(rf"(?P<role>{any_of(ja['roles'])})\Z"),
        japanese_desk=re.compile(rf"(?P<desk>[^\s　]{{1,12}}?{any_of(ja['desks'])})[\s　]+(?P<name>\S.*)"),
        japanese_next=re.compile(rf"[\s　]+(?={any_of(ja['photo'] + ja['other'])}\s*[・･／＝=:：|｜])"),
        japanese_surname=re.compile(any_of(ja["surnames"])),
        japanese_not=tuple(ja["not_endings"]),
        japanese_agencies=frozenset(ja["agencies"]),
        place_agency=re.compile(
            rf"(?P<place>[{_KANA}{_HAN}・]{{2,12}}?)[\s　\d０-９日月]*(?P<agency>{any_of(ja['agencies'])})\Z"
        ),
        chinese=re.compile(
            rf"(?P<desk>[\u3400-\u9fff]{{0,8}}?)(?P<cue>{any_of(zh['author'])})(?P<by>\s*[:：/／|｜丨・]\s*|\s*)(?P<names>{zh_name}(?:[\s、，,]+{zh_name}){{0,5}})"
            r"(?P<tail>\s*[／/]?\s*[\u3400-\u9fff]{2,4}(?:报道|報導|報道|电|電)|\s+(?:报道|報導))?\Z"
        ),
        chinese_name=re.compile(zh_name),
        chinese_other=re.compile(rf"{any_of(zh['other'])}\s*[:：/／]"),
        agencies=frozenset(a for a in data["agencies"]["names"] if any(c >= "\u3040" for c in a)),
    )


def parse_wide(raw: str) -> Found | None:
    """Read a line with Korean, Japanese or Chinese letters as a byline, or return None."""
    if len(raw) > LONGEST:
        return None
    email = None
    if "@" in raw and (m := _EMAIL.search(raw)):
        email = m.group()
        raw = raw.replace(email, " ")
    if any(c.isdigit() for c in raw):
        raw = _DATE.sub("", raw)
    line = raw.strip(" \t\u3000•·|/-–—*▶■▲◇@")
    table = _tables()
    if line in table.agencies:
        return [Author(line, "agency")], False, False
    found = _korean(line, table) if _HANGUL.search(line) else _han(line, table)
    if found and email and found[0]:
        found[0][-1] = replace(found[0][-1], email=email)
    return found


def _korean(line: str, table: _Tables) -> Found | None:
    text = line.strip(_BRACKETS + " ")
    if text in table.korean_staff:
        return [Author(text, "staff")], True, False
    if text.startswith(("사진", "그래픽", "영상", "편집")) and "글" not in text[:5]:
        return None
    authors: list[Author] = []
    at = 0
    for m in table.korean.finditer(text):
        before = text[at : m.start()].strip(" \t,·ㆍ|/=＝" + _BRACKETS)
        before = re.sub(r"\A(?:글[·ㆍ,]?\s*사진|글|취재)\s*[=:]?\s*", "", before)
        if before and (at or len(before) > 20 or len(before.split()) > 3 or before[-1] in ".다는"):
            return None
        role = " ".join(m["role"].split())
        names = re.split(r"\s*[·,ㆍ・/]\s*", m["names"])
        authors += [Author(name, role=role, affiliation=before or None) for name in names]
        at = m.end()
    if authors:
        rest = text[at:].strip(" \t,·|/=＝@" + _BRACKETS)
        return (authors, True, False) if not rest or re.fullmatch(r"외\s*\d+\s*명", rest) else None
    if named := table.korean_front.fullmatch(text):
        return ([Author(named["name"])], True, False) if named["name"] not in table.korean_not else None
    if len(text) == 3 and table.korean_name.fullmatch(text) and text not in table.korean_not and text == line:
        return [Author(text)], False, False
    return None


def _han(line: str, table: _Tables) -> Found | None:
    bracketed = line[:1] in "（(【［[〔" and line[-1:] in "）)】］]〕"
    text = line.strip(_BRACKETS + " \u3000")
    if not text or table.chinese_other.match(text):
        return None
    if bracketed and (found := _in_brackets(text, table)):
        return found
    if m := table.chinese.fullmatch(text):
        desk = m["desk"].strip()
        # "本报" and the like say which paper; a lone "文" is a mark only with a stroke behind it
        if m["cue"] in ("文", "报道", "報導") and not m["by"].strip():
            return None
        role = m["cue"] if m["cue"] in ("记者", "記者", "通讯员", "特派员", "特派員") else None
        names = table.chinese_name.findall(m["names"])
        return [Author(n, role=role, affiliation=desk or None) for n in names], True, False
    if m := table.japanese_front.match(text):
        return _after_mark(text, m, table)
    if (m := table.japanese_back.search(text)) and len(text) < 40:
        people = _names(text[: m.start()], table, sure=True)
        return ([replace(p, role=m["role"]) for p in people], True, False) if people else None
    if m := re.fullmatch(
        rf"(?P<name>{table.chinese_name.pattern})\s*[／/]\s*[\u3400-\u9fff]{{2,4}}(?:报道|報導|報道)", text
    ):
        return [Author(m["name"])], True, False
    if (m := table.japanese_desk.fullmatch(text)) and (people := _names(m["name"], table, sure=False)):
        return [replace(p, role=m["desk"]) for p in people], True, False
    people = _names(text, table, sure=False)
    return (people, False, False) if people else None


def _in_brackets(text: str, table: _Tables) -> Found | None:
    """【ソウル＝山田太郎】, 【ソウル共同】, 【エルサレム松岡大地、カイロ金子淳】"""
    if m := re.fullmatch(r"(?P<place>[^＝=]{1,20})[＝=](?P<who>[^＝=]{2,30})", text):
        if m["who"].strip() in table.japanese_agencies or m["place"] in table.japanese_agencies:
            return [Author(text, "agency")], True, False
        people = _names(m["who"], table, sure=True)
        return (
            ([replace(p, affiliation=p.affiliation or m["place"]) for p in people], True, False)
            if people
            else None
        )
    if text in table.japanese_agencies:
        return [Author(text, "agency")], True, False
    if m := table.place_agency.fullmatch(text):
        return [Author(m["agency"], "agency", affiliation=m["place"].strip())], True, False
    out: list[Author] = []
    for part in re.split(r"[、，,]", text):
        m = re.fullmatch(
            rf"(?P<place>[ァ-ヶー・]{{2,10}})?(?P<name>{table.japanese_surname.pattern}[{_HAN}{_KANA}]{{1,3}})",
            part.strip(),
        )
        if not m:
            return None
        out.append(Author(m["name"], affiliation=m["place"]))
    return out, True, False


def _after_mark(text: str, m: re.Match[str], table: _Tables) -> Found | None:
    cue, rest = m["cue"], table.japanese_next.split(text[m.end() :], maxsplit=1)[0]
    sure = bool(m["by"].strip())
    if cue in ("写真", "撮影", "カメラ", "編集", "翻訳", "監修", "訳", "校正"):
        return None
    people = _names(rest, table, sure=sure)
    if not people:
        return None
    role = "記者" if cue == "記者" else None
    return [replace(p, role=p.role or role) for p in people], True, False


def _names(text: str, table: _Tables, *, sure: bool) -> list[Author]:
    """A list of names; `sure` where a mark says that names stand there, else surnames must confirm each."""
    people: list[Author] = []
    for part in re.split(r"[、，,・／/]|と(?=[\u3400-\u9fff])|\s{2,}", text):
        name = part.strip(" \u3000")
        if not name:
            continue
        apart = re.fullmatch(rf"[{_HAN}]{{1,3}}[ \u3000][{_HAN}{_KANA}]{{1,4}}", name)
        joined = re.fullmatch(rf"[{_HAN}]{{1,4}}[{_HAN}{_KANA}]{{0,4}}", name)
        surname = table.japanese_surname.match(name)
        if name.endswith(table.japanese_not) and not (surname and len(name) <= 4 and sure):
            return []
        if (sure and (apart or (joined and 2 <= len(name) <= 6))) or (
            not sure
            and (
                (apart and len(name) <= 7)
                or (joined and surname and 3 <= len(name) <= 5 and len(name) > surname.end())
            )
        ):
            people.append(Author(name))
        else:
            return []
    return people
