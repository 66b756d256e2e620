"""Lines that are bylines, dates or captions, taken apart into pieces with one role each.

These few lines are parsed by functions over one string; every distinct line is parsed once.
"""

from __future__ import annotations

from typing import Any

import polars as pl

from copydesk.bylines import Author, Byline, is_byline_cue, parse_byline
from copydesk.credits import doubled, split_caption
from copydesk.dates import PrintedDate, find_dates, is_date_line

AUTHOR = pl.Struct({"name": pl.String, "kind": pl.String, "role": pl.String, "email": pl.String, "affiliation": pl.String})
PIECE = pl.Struct({"start": pl.UInt32, "end": pl.UInt32, "role": pl.String, "rule": pl.String})
DATE = pl.Struct(
    {
        "raw": pl.String, "label": pl.String, "on": pl.Date, "time": pl.Time, "precision": pl.String,
        "zone": pl.String, "warnings": pl.List(pl.String),
    }
)  # fmt: skip
CAPTION = pl.Struct({"text": pl.String, "credit": pl.String})
DISSECTION = {
    "text_id": pl.UInt32,
    "kind": pl.String,  # date, byline, name (a bare name), cue (only "By"), caption, credit
    "pieces": pl.List(PIECE),
    "authors": pl.List(AUTHOR),
    "byline_raw": pl.String,
    "truncated": pl.Boolean,
    "dates": pl.List(DATE),
    "caption": CAPTION,
}

MAX_LENGTH = 320
DATE_SHAPE = r"\d"
# A line that may be a byline: short, or with an e-mail address or one of the marks of a reporter.
BYLINE_LENGTH = 160
CREDIT_SHAPE = (
    r"(?i)\([^()]{2,90}\)[.\s]*$|[\[【（]|photo|foto|image|bild:|©|credit|getty|reuters|illustration|picture|写真|사진|제공|画像|"
    r"afp|\bAP\b|via |graphic|grafik|fotó|zdjęcie|фото"
)


def dissect_lines(texts: pl.DataFrame) -> pl.DataFrame:
    """Take apart the lines that may be bylines, dates or captions; `texts` has `text_id` and distinct `text`."""
    length = pl.col("text").str.len_chars()
    candidates = texts.filter(
        ((length <= MAX_LENGTH) & (pl.col("text").str.contains(DATE_SHAPE) | pl.col("text").str.contains(CREDIT_SHAPE)))
        | (length <= BYLINE_LENGTH)
        | ((length <= 4 * MAX_LENGTH) & pl.col("text").str.contains(r"\([^()]{2,60}\)$"))
    )
    rows = []
    for text_id, text in candidates.iter_rows():
        row = dissect(text)
        if row:
            rows.append({"text_id": text_id, **row})
    return pl.DataFrame(rows, schema=DISSECTION, orient="row")


def dissect(text: str) -> dict[str, Any] | None:
    """One line's kind, pieces and parsed values; None where it is no byline, date or caption."""
    found = find_dates(text) if len(text) <= MAX_LENGTH and any(c.isdigit() for c in text) else []
    if found:
        if is_date_line(text, found):
            return {"kind": "date", "pieces": _tile(text, _date_pieces(found)), "dates": _dates(found)}
        byline = _byline_beside(text, found)
        if byline:
            pieces = sorted([*_date_pieces(found), (byline.start, byline.end, "byline", "byline_printed")])
            return {"kind": "byline", "pieces": _tile(text, pieces), "dates": _dates(found), **_byline(byline)}
    if len(text) <= BYLINE_LENGTH:
        if is_byline_cue(text):
            return {"kind": "cue", "pieces": _tile(text, [(0, len(text), "byline", "byline_printed")])}
        byline = parse_byline(text)
        if byline:
            kind = "byline" if byline.cued else "name"
            return {"kind": kind, "pieces": _tile(text, [(0, len(text), "byline", "byline_printed")]), **_byline(byline)}
    return _caption(text)


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
    return {"kind": "caption" if caption else "credit", "pieces": _tile(text, pieces), "caption": {"text": caption or None, "credit": credit}}


def _byline_beside(text: str, found: list[PrintedDate]) -> Byline | None:
    """The byline that shares its line with dates: what stands before, between or behind them."""
    edges = [0, *(e for d in found for e in (d.start, d.end)), len(text)]
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        rest = text[start:end].strip(" |•·-–—/,:;")
        if rest:
            byline = parse_byline(rest)
            if byline:
                at = text.index(rest, start)
                return Byline(at + byline.start, at + byline.end, byline.raw, byline.authors, byline.cued, byline.truncated)
            return None
    return None


def _date_pieces(found: list[PrintedDate]) -> list[tuple[int, int, str, str]]:
    pieces, seen = [], False
    for d in found:
        role = "modified" if d.label == "modified" or seen else "published"
        seen = seen or role == "published"
        pieces.append((d.start, d.end, role, "date_printed"))
    return pieces


def _tile(text: str, pieces: list[tuple[int, int, str, str]]) -> list[dict[str, Any]]:
    """Stretch pieces so that they cover the line: each runs to the start of the next."""
    starts = [0, *(p[0] for p in pieces[1:])]
    ends = [*starts[1:], len(text)]
    return [
        {"start": s, "end": e, "role": role, "rule": rule}
        for s, e, (_, _, role, rule) in zip(starts, ends, pieces, strict=True)
    ]


def _byline(byline: Byline) -> dict[str, Any]:
    return {"authors": [author_row(a) for a in byline.authors], "byline_raw": byline.raw, "truncated": byline.truncated}


def author_row(a: Author) -> dict[str, Any]:
    """An author as a row of AUTHOR."""
    return {"name": a.name, "kind": a.kind, "role": a.role, "email": a.email, "affiliation": a.affiliation}


def _dates(found: list[PrintedDate]) -> list[dict[str, Any]]:
    return [
        {
            "raw": d.raw, "label": d.label, "on": d.on, "time": d.time, "precision": d.precision,
            "zone": d.zone, "warnings": list(d.warnings),
        }
        for d in found
    ]  # fmt: skip
