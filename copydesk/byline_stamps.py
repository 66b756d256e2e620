"""Dates at the edges of a byline: cut off before its names are read."""

from __future__ import annotations

import re

__all__ = ["has_digit", "is_date_head", "without_date"]

# Months in full and in their usual short forms: a bare "mar" would find "Martin 30".
_MONTH = (
    "jan(?:uary|uar|v|vier)?|feb(?:ruary|ruar|r|braio)?|mar(?:ch|zo|s|t|ts)?|märz|apr(?:il|ile)?|may|mai|mayo|maggio"
    "|maio|maj|june?|juni|juin|giugno|junio|junho|july?|juli|juil(?:let)?|julio|julho|luglio|aug(?:ust|usti|ustus)?"
    "|août|agosto|ago|sept?(?:ember|embre|iembre|tembre)?|setembro|oct(?:ober|obre|ubre)?|okt(?:ober)?|ottobre|outubro"
    "|nov(?:ember|embre|iembre|embro)?|dec(?:ember)?|dez(?:ember|embro)?|déc(?:embre)?|dic(?:iembre|embre)?|février"
    "|févr|avril|gennaio|enero|febrero|abril|janeiro|fevereiro"
)
_DAY = (
    "(?:mon|tues?|wednes|wed|thu(?:rs)?|thur|fri|satur|sat|sun)(?:day)?|montag|dienstag|mittwoch|donnerstag|freitag"
    "|samstag|sonntag|lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche"
)
# A word begins here, or the renderer glued it to the name: "Ann LeeNovember 20".
_START = r"(?:(?<![^\W\d_])|(?-i:(?<=[a-zà-ÿ])(?=[A-Z])))"
_CALENDAR = (
    rf"{_START}(?:(?:{_DAY})\.?,?\s+)?"
    rf"(?:(?:{_MONTH})\.?\s+\d{{1,4}}|\d{{1,2}}(?:st|nd|rd|th|º|er)?\.?[\s-]+(?:de\s+)?(?:{_MONTH})(?![^\W\d_]))"
)
_NUMBERS = r"\d{1,4}[./-]\d{1,2}[./-]\d|\d{1,2}[:.]\d\d\b|\b(?:19|20)\d\d\b"
_AGO = r"\d{1,3}[\s–-]*(?:min|hour|day|week|month|year|hr|mth|h|d|w)(?:ute)?s?\b"
_COUNT = r"\s[–-]\s*\d{1,4}\s*\Z|\s\d{1,4}\s+(?:comments?|replies|shares|kommentare)\Z"
_DATE = re.compile(
    rf"(?:(?<![^\W\d_])\(?(?:on|am|at|vom|le|el|il|um)\s+)?(?:{_CALENDAR}|{_NUMBERS}|{_AGO}|{_COUNT})|{_START}(?:{_DAY})\Z",
    re.I,
)
_STAMP = re.compile(
    r"(?:(?<=[a-zà-ÿ])|(?<=[\s,.|–—-])|\A)(?:Last )?"
    r"(?:[Pp]ublished|[Uu]pdated|[Pp]osted|PUBLISHED|UPDATED|Veröffentlicht|Aktualisiert|Publié|Mis à jour"
    r"|Publicado|Actualizado|Pubblicato)(?![^\W\d_])(?! by).*"
)
_STAMP_PARTS = (
    "ublished", "UBLISHED", "pdated", "PDATED", "osted", "eröffentlicht", "ktualisiert", "ublié", "à jour", "ublicado",
    "ctualizado", "ubblicato",
)  # fmt: skip
"""Cheaper to look for than the stamp itself."""
_DIGIT = re.compile(r"[\d²³¹⁰-⁹₀-₉①-⑳]")
_FOOTNOTE = re.compile(r"(?<=[a-zà-ÿ])\d{1,2}(?=,|\Z)")
_FORUM_ID = re.compile(r"\(\s*\d{4,}\s*\)")
_HEAD_MONTH = (
    "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|mär|mai|okt|dez|fév|avr|juin|août|ago|set|ott|gen|giu|lug|dic"
    "|ene|abr"
)
_HEAD_DAY = (
    "mon|tue|wed|thu|fri|sat|sun|mo|di|mi|do|fr|sa|so|lun|mar|mer|jeu|ven|sam|dim|mié|jue|vie|sáb|dom|gio"
)
_HEAD_WORD = re.compile(
    rf"\d\w*|(?:{_HEAD_MONTH}|{_HEAD_DAY})[a-zà-ÿ]*|[A-Z]{{2,4}}"
    r"|am|pm|uhr|on|at|last|published|posted|updated|um|de|min|read|of|the|le|t|z|st|nd|rd|th",
    re.I,
)


def has_digit(text: str) -> bool:
    """Whether a digit of any script stands there (a superscript is one too)."""
    return _DIGIT.search(text) is not None


def without_date(body: str) -> str | None:
    """The list before a date, without the marks of footnotes.

    None where a date alone stands there, and where a long number in brackets shows a forum's user.
    """
    if any(map(body.__contains__, _STAMP_PARTS)):
        body = _STAMP.sub("", body).rstrip()
    if not has_digit(body):
        return body
    if _FORUM_ID.search(body):
        return None
    body = _FOOTNOTE.sub("", body)
    if date := _DATE.search(body):
        return body[: date.start()].rstrip(" \t,;|–—-·•(") or None
    return body


def is_date_head(head: str) -> bool:
    """Whether nothing but a date stands before a cue: "Do 25.04.24 | 14:07 Uhr | "."""
    if len(head) >= 70 or not has_digit(head):
        return False
    return all(_HEAD_WORD.fullmatch(w) for w in re.findall(r"\w+", head))
