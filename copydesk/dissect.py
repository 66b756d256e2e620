"""Lines that are bylines, dates or captions, taken apart into pieces with one role each.

These few lines are parsed by functions over one string; every distinct line is parsed once.
"""

from __future__ import annotations

import dataclasses
import re
from datetime import date as date_type
from datetime import time as time_type
from typing import Any

import polars as pl
import pyarrow as pa

from copydesk.byline_words import words
from copydesk.bylines import Author, Byline, agency_of_story, closing_byline, is_byline_cue, parse_byline
from copydesk.credits import doubled, split_caption
from copydesk.dates import PrintedDate, find_dates, is_date_line

AUTHOR = pl.Struct(
    {"name": pl.String, "kind": pl.String, "role": pl.String, "email": pl.String, "affiliation": pl.String}
)
PIECE = pl.Struct({"start": pl.UInt32, "end": pl.UInt32, "role": pl.String, "rule": pl.String})
DATE = pl.Struct(
    {
        "raw": pl.String, "label": pl.String, "on": pl.Date, "time": pl.Time, "precision": pl.String,
        "zone": pl.String, "warnings": pl.List(pl.String), "other": pl.Date, "day_first": pl.Boolean, "back": pl.Int64,
        "yearless": pl.Date,
    }
)  # fmt: skip
"""A date as `PrintedDate` has it. `label` is what the line says that it is: the second day or time without a label
of its own, on a line that has a publication, is a change."""
CAPTION = pl.Struct({"text": pl.String, "credit": pl.String})
DISSECTION: dict[str, Any] = {
    "text_id": pl.UInt32,
    # date, byline, name (a bare name), cue (only "By"), caption, credit; null: a short line with a date in it, such as
    # "Local news | May 5, 2024 | 3 comments", which is the page's date only where its place says so
    "kind": pl.String,
    "pieces": pl.List(PIECE),
    "authors": pl.List(AUTHOR),
    "byline_raw": pl.String,
    "persons": pl.Boolean,  # whether one of the authors is a person, by full name: "Harbour D" may be an account
    "truncated": pl.Boolean,
    "dates": pl.List(DATE),
    "caption": CAPTION,
}

LONGEST = 320
"""Characters of the longest line that is looked at; a caption may be four times as long."""
BYLINE_LENGTH = 160
DATE_LENGTH = 220
NAME_LENGTH = 90
WIDE_NAME_LENGTH = 8
LONGEST_CAPTION = 240
"""Characters of a line that is a caption where a full name in brackets closes it."""
SENTENCE_LENGTH = 70
STAMP_LENGTH = 160
"""Characters of the longest line that is neither byline nor date line and may still give the page's date."""

# Which lines are worth a parser's time. Each is cheap over a column, and wider than its parser: of 137,000 real lines
# they pass a fifth, and what they miss of the parsers' finds (1 % and less) is nearly all mistakes.
_DATE = (
    r"\d\D+(?:19|20)\d\d|(?:19|20)\d\d(?:\D+\d|\d{4})"
    r"|(?:^|[^\d$€£.,:])[0-2]?\d[:.h][0-5]\d|\d[./-]\d{1,2}[./-]\d|\d ?(?:月|일|시|분|時間|日|分)|\d+ ?[A-Za-z]+ ago"
    r"|(?:vor|il y a|hace|há|[Uu]pdated|[Pp]ublished|[Pp]osted|Aktualisiert|Stand)(?-u:\b).*\d"
    r"|\d+ ?\pL+ (?:temu|önce|назад|sedan|siden|geleden|fa)$"
)
_SHORT_NAME = re.compile(r"\A\S+ [A-Z]\Z")
_PART = re.compile(r"[^|•·∙⋅]+")
_COUNT = re.compile(
    r"[\d.,]+\s*(?:mins?|minutes?|min\.? read|minutes? read|words?|comments?|views?|shares?|reads?|likes?|replies"
    r"|minuten|min\. lesezeit|wörter|kommentare?|mots|commentaires?|minutos|palabras|comentarios?|minuti|parole)\.?",
    re.I,
)
"""What a theme counts beside a date."""
_FULL_STOPS = (".", "!", "?", "…", "。", "”", "\"")
_MARKS = " \t\u00a0|/\\•·∙⋅,;:()[]{}–—-"
_REPORTER = (
    "기자", "특파원", "통신원", "記者", "记者", "通讯员", "編集", "文＝", "@", "eporter", "orrespondent",
    "riter", "ditor", "STAFF", "staff", "Staff", "olumnist", "ontributor", "Reuters", "ssociated Press", "redak",
    "Redak", "ournalist", "roducer", "pecial to", "News", "dpa", "AFP",
    "【", "取材", "支局", "報導", "ライター", "文・", "орреспондент",
    "nviad", "orrespons", "genturen", "orrispondent", "eriodist", "ornalist", "nviat", "orrespondant",
)  # fmt: skip
_NAME = (
    r"^(?:\(?\p{Lu}[^\s\d]*|[a-z]{1,3} \p{Lu}[^\s\d]*)(?:\s+(?:\p{Lu}[^\s\d]*|\([^\s()]+\)"
    r"|and|und|et|y|e|och|og|i|en|de|del|della|la|le|van|von|zu|der|den|di|da|dos|das|bin|al|ibn|in|for|the|of|mit|avec|with|aus|con|ve|&|[|/,·•–—-]+)){1,9}"
    r"(?: \d+ (?:minutes?|hours?|days?))?$"
)
_CREDIT = (
    "hoto", "oto:", "oto ", "Foto", "FOTO", "mage", "Bild", "bild", "redit", "Getty", "GETTY", "getty", "euters",
    "REUTERS", "llustration", "icture", "AP", "AFP", "dpa", "DPA", "raphic", "rafik", "ourtesy", "EPA", "ANSA", "EFE",
    "hutterstock", "Alamy", "iStock", "mago", "IMAGO", "nsplash", "Video", "creenshot", "rédit", "Fotografía", "magen",
    "写真", "사진", "제공", "画像", "撮影", "Фото", "фото", "djęcie", "otoğraf", "뉴시스", "뉴스1", "연합뉴스",
)  # fmt: skip
_LABELLED_END = r"[.!?\"”’»)] (?:Foto|Bild|Photo|Image|Picture|Credit|Grafik|Fotó|Kuva|Фото)s? ?[:：©] ?[^.!?:]{3,60}$"
_CREDIT_END = r"[)）\]】]\W*$|^(?:Image|Picture|Photo) |[|©ⓒ]"


def dissect_lines(texts: pl.DataFrame) -> pl.DataFrame:
    """Take apart the lines that may be bylines, dates or captions; `texts` has `text_id` and distinct `text`."""
    found: dict[str, list[Any]] = {name: [] for name in DISSECTION}
    for text_id, line, date, byline, caption in _candidates(texts).iter_rows():
        row = dissect(line, date=date, byline=byline, caption=caption)
        if row:
            row["text_id"] = text_id
            for name, values in found.items():
                values.append(row.get(name))
    # by way of Arrow: Polars makes a series of each list, at 80 µs a line
    schema = pl.DataFrame(schema=DISSECTION).to_arrow(compat_level=pl.CompatLevel.oldest()).schema
    return pl.DataFrame(pa.table([pa.array(found[f.name], f.type) for f in schema], schema=schema))


def _candidates(texts: pl.DataFrame) -> pl.DataFrame:
    """The lines that are worth a parser's time: `text_id`, `text`, and for which: `date`, `byline`, `caption`."""
    text, length = pl.col("text"), pl.col("length")
    texts = texts.with_columns(length=text.str.len_chars()).filter(length <= 4 * LONGEST)
    # a line that closes like a sentence is a byline or a date only where it is short
    short = texts.filter(
        (length <= SENTENCE_LENGTH) | ((length <= DATE_LENGTH) & ~text.str.contains(r"[.!?…。]$"))
    )
    dates = short.filter(text.str.contains(r"\d")).filter(text.str.contains(_DATE))
    bylines = short.filter(length <= BYLINE_LENGTH).filter(
        text.str.contains(words().cue_line)
        | text.str.contains_any(list(_REPORTER))
        | ((length <= NAME_LENGTH) & (text.str.contains(_NAME) | text.str.contains(words().call_line)))
        | ((length <= WIDE_NAME_LENGTH) & (text.str.len_bytes() * 10 > length * 16))
    )
    end = text.str.tail(90)
    captions = pl.concat(
        [
            texts.filter(length <= LONGEST).filter(end.str.contains_any(list(_CREDIT)) | end.str.contains(_CREDIT_END)),
            texts.filter(length > LONGEST).filter(end.str.contains(_LABELLED_END)),
            texts.filter(text.str.ends_with(")")).filter(end.str.contains(r"\([^()]{2,80}\)$")),
        ]
    )
    kinds = {"date": dates, "byline": bylines, "caption": captions}
    return texts.select("text_id", "text", *(
        pl.col("text_id").is_in(frame["text_id"].implode()).alias(kind) for kind, frame in kinds.items()
    )).filter(pl.any_horizontal(*kinds))


def dissect(text: str, *, date: bool = True, byline: bool = True, caption: bool = True) -> dict[str, Any] | None:
    """One line's kind, pieces and parsed values; None where it is none of what is asked for."""
    if byline and (agency := agency_of_story(text)):
        whole = [(0, len(text), "byline", "agency_story_number")]
        numbered = Byline(0, len(text), text, (Author(agency, "agency"),), True, False)
        return {"kind": "byline", "pieces": _tile(text, whole), **_byline(numbered)}
    found = find_dates(text) if date else []
    if found:
        found = _labelled(found)
        if is_date_line(text, found):
            return {"kind": "date", "pieces": _tile(text, _date_pieces(found)), "dates": _dates(found)}
        beside = _byline_beside(text, found)
        if beside:
            pieces = sorted([*_date_pieces(found), (beside.start, beside.end, "byline", "byline_printed")])
            pieces = sorted([*pieces, *_between(text, pieces)])
            return {"kind": "byline", "pieces": _tile(text, pieces), "dates": _dates(found), **_byline(beside)}
    if byline:
        if is_byline_cue(text):
            return {"kind": "cue", "pieces": _tile(text, [(0, len(text), "byline", "byline_printed")])}
        signed = parse_byline(text)
        if signed:
            kind = "byline" if signed.cued else "name"
            whole = [(0, len(text), "byline", "byline_printed")]
            if found and signed.cued:
                whole = [(0, found[0].start, "byline", "byline_printed"), *_date_pieces(found)]
            return {"kind": kind, "pieces": _tile(text, whole), **_byline(signed), "dates": _dates(found) or None}
    # a paragraph that closes with names is signed by them; what is as long as a caption names who took the picture
    signed_below = len(text) > LONGEST_CAPTION and text[-1] == ")" and closing_byline(text) is not None
    return (_caption(text) if caption and not signed_below else None) or (_stamp(text, found) if found else None)


def _between(text: str, pieces: list[tuple[int, int, str, str]]) -> list[tuple[int, int, str, str]]:
    """What stands in a line before, between and behind its pieces and is more than marks."""
    starts = [0, *(end for _, end, _, _ in pieces)]
    ends = [*(start for start, _, _, _ in pieces), len(text)]
    return [
        (a, b, "other", "beside_date") for a, b in zip(starts, ends, strict=True) if text[a:b].strip(_MARKS)
    ]


def _stamp(text: str, found: list[PrintedDate]) -> dict[str, Any] | None:
    """A short line with a date and a few other words: a section, a place, a count of comments."""
    if len(text) > STAMP_LENGTH or text.endswith((":", "：")):
        return None
    if text.endswith(_FULL_STOPS) and not found[0].label:
        return None
    dates = _date_pieces(found)
    pieces = sorted([*dates, *_between(text, dates)])
    return {"kind": None, "pieces": _tile(text, pieces), "dates": _dates(found)}


def _caption(text: str) -> dict[str, Any] | None:
    second = doubled(text)
    first = text[:second].rstrip() if second else text
    split = split_caption(first)
    if split is None:
        return None
    caption, credit = split
    pieces = []
    if caption:
        at = first.find(caption)
        pieces.append((at, at + len(caption), "caption", "caption_with_credit"))
    if credit:
        at = first.rfind(credit)
        # the parenthesis before the credit belongs to it
        at = pieces[-1][1] if pieces and at > pieces[-1][1] else at
        pieces.append((at, len(first), "credit", "caption_with_credit" if caption else "credit_line"))
    if second:
        pieces.append((second, len(text), "repeat", "caption_printed_twice"))
    return {
        "kind": "caption" if caption else "credit",
        "pieces": _tile(text, pieces),
        "caption": {"text": caption or None, "credit": credit},
    }


def _byline_beside(text: str, found: list[PrintedDate]) -> Byline | None:
    """The byline that shares its line with dates: what stands before, between or behind them."""
    edges = [0, *(e for d in found for e in (d.start, d.end)), len(text)]
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        rest = text[start:end].strip(" |•·-–—/,:;")
        if rest:
            byline = parse_byline(rest) or _byline_among(rest)
            if byline:
                return _moved(byline, text.index(rest, start))
            return None
    return None


def _byline_among(text: str) -> Byline | None:
    """The one name among what a theme counts beside its date: "30 min · 6279 words · Ann Lee"."""
    parts = [part.strip() for part in _PART.findall(text)]
    named = [part for part in parts if not _COUNT.fullmatch(part)]
    byline = parse_byline(named[0]) if len(parts) > 1 and len(named) == 1 else None
    return byline and _moved(byline, text.index(named[0]))


def _moved(byline: Byline, by: int) -> Byline:
    return dataclasses.replace(byline, start=byline.start + by, end=byline.end + by)


def _labelled(found: list[PrintedDate]) -> list[PrintedDate]:
    """The dates of a line: of several without a label the earliest is the publication, the others are changes."""
    bare = [d for d in found if not d.label]
    if not bare or len(found) == 1:
        return found
    first = min(bare, key=lambda d: (d.on is None, d.on or date_type.max, d.time or time_type.min))
    keeps = None if any(d.label == "published" for d in found) else first
    return [d if d.label or d is keeps else dataclasses.replace(d, label="modified") for d in found]


def _date_pieces(found: list[PrintedDate]) -> list[tuple[int, int, str, str]]:
    return [(d.start, d.end, d.label or "published", "date_printed") for d in found]


def _tile(text: str, pieces: list[tuple[int, int, str, str]]) -> list[dict[str, Any]]:
    """Stretch pieces so that they cover the line: each runs to the start of the next."""
    starts = [0, *(p[0] for p in pieces[1:])]
    ends = [*starts[1:], len(text)]
    return [
        {"start": s, "end": e, "role": role, "rule": rule}
        for s, e, (_, _, role, rule) in zip(starts, ends, pieces, strict=True)
        if s < e
    ]


def _byline(byline: Byline) -> dict[str, Any]:
    return {
        "authors": [author_row(a) for a in byline.authors],
        "byline_raw": byline.raw,
        "persons": any(a.kind == "person" and not _SHORT_NAME.search(a.name) for a in byline.authors),
        "truncated": byline.truncated,
    }


def author_row(a: Author) -> dict[str, Any]:
    """An author as a row of AUTHOR."""
    return {"name": a.name, "kind": a.kind, "role": a.role, "email": a.email, "affiliation": a.affiliation}


def _dates(found: list[PrintedDate]) -> list[dict[str, Any]]:
    return [
        {
            "raw": d.raw, "label": d.label, "on": d.on, "time": d.time, "precision": d.precision,
            "zone": d.zone, "warnings": list(d.warnings), "other": d.other, "day_first": d.day_first, "back": d.back,
            "yearless": d.yearless,
        }
        for d in found
    ]  # fmt: skip
