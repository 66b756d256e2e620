"""The shape of a person's name in alphabetic scripts, and whether two spellings are one person."""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

from copydesk.byline_words import Words, words

__all__ = ["is_person_name", "same_person"]

# Letters of the Latin, Greek and Cyrillic blocks; `re` knows no classes for letter case
_UPPER = "A-ZÀ-ÖØ-ÞĀĂĄĆĈĊČĎĐĒĔĖĘĚĜĞĠĢĤĦĨĪĬĮİĴĶĹĻĽĿŁŃŅŇŊŌŎŐŒŔŖŘŚŜŞŠŢŤŦŨŪŬŮŰŲŴŶŸŹŻŽȘȚƠƯḀ-ỿΑ-ΩЀ-Я"
_LOWER = "a-zß-öø-ÿāăąćĉċčďđēĕėęěĝğġģĥħĩīĭįıĵķĺļľŀłńņňŋōŏőœŕŗřśŝşšţťŧũūŭůűųŵŷźżžșțơưḀ-ỿα-ώа-џ"
_TOKEN = re.compile(
    rf"(?:[{_UPPER}]\.(?:-?[{_UPPER}]\.)*"  # initials: "J.", "J.R.R.", "J.-P."
    rf"|[{_UPPER}]{{2,3}}\.?(?=$)"  # "JR", "HW."
    rf"|(?:(?:[dDlLoO]|[Dd]all|[Dd]ell|[Dd]egl)['’]|[aA]l-|[eE]l-)?[{_UPPER}][{_UPPER}{_LOWER}]*\.?"
    rf"(?:['’ʼ`‘-][{_UPPER}{_LOWER}]+){{0,3}})"
)
_NICKNAME = re.compile(rf"[(\"“‘'«„][{_UPPER}][{_UPPER}{_LOWER}-]*[)\"”’'»“]")
_POSSESSIVE = re.compile(r"['’][sS]\Z")
_NUMERALS = frozenset(("ii", "iii", "iv"))
"""Behind a name in capitals only: "Andre Hill III", but "Taya Iv"."""
# The spellings one romanised sound is printed in, folded to one of them, in this order.
_ROMANISED = tuple(
    pair.split(">")
    for pair in [
        "yeo>yo",
        "you>yo",
        "eo>o",
        "eu>u",
        "oo>u",
        "ou>u",
        "ee>i",
        "yi>i",
        "ae>e",
        "ck>k",
        "ph>f",
        "th>t",
        "ie>i",
        "ei>i",
        "y>i",
        "w>v",
    ]
)


def is_person_name(
    name: str, *, alone: bool = False, announced: bool = False, table: Words | None = None
) -> bool:
    """Whether `name` has the shape of a person's full name; with `alone` one word will do ("Regan").

    `announced`: a cue stands before it; the last of three words or more may then be one of the refusal list ("Sarah
    Ann Beach").

    Capitalised words, particles, initials and suffixes, no digits, no word of the refusal list.

    >>> is_person_name("Jan van der Berg"), is_person_name("Top Stories"), is_person_name("Ann Lee said")
    (True, False, False)
    """
    table = table or words()
    tokens = name.split()
    if not tokens or len(tokens) > 8 or len(name) > 60:
        return False
    full = 0
    last = len(tokens) - 1
    for i, token in enumerate(tokens):
        low = token.lower()
        if low in table.prefixes and i == 0:
            continue
        behind = low.rstrip(",") in table.suffixes and i and (low.endswith(".") or token[0].isupper())
        if behind and (low not in _NUMERALS or token.isupper()):
            continue
        if _TOKEN.fullmatch(token) and (token[0].isupper() or "-" in token or "'" in token or "’" in token):
            surname = announced and i == last and full >= 2
            if (low in table.not_name and not surname) or (_POSSESSIVE.search(token) and len(token) > 3):
                return False
            full += len(token.rstrip(".")) > 1 or token[0].isupper()
            continue
        if low in table.particles and i < last:
            continue
        if i and _NICKNAME.fullmatch(token):
            continue
        return False
    if full >= 2:
        # "J. R." alone is no name; one word longer than an initial must stand there
        return full <= 6 and any(len(t.rstrip(".")) > 1 for t in tokens)
    if not alone or full == 0:
        return False
    word = tokens[-1].lower()
    if tokens[-1].isupper() and len(word) <= 3 and len(tokens) == 1:
        return False  # initials
    if "-" in word and not table.heads.isdisjoint(word.split("-")):
        return False  # "Editor-in-Chief"
    return len(word.rstrip(".")) > 1 and word not in table.not_alone


def _folded(name: str) -> str:
    return re.sub(r"[\W_]+", " ", unicodedata.normalize("NFKC", name).casefold()).strip()


def _plain(name: str) -> str:
    """Letters without accents and blanks, doubled ones once."""
    letters = "".join(
        c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c) and c != " "
    )
    return re.sub(r"(.)\1+", r"\1", letters)


def _romanised(name: str) -> str:
    for printed, folded in _ROMANISED:
        name = name.replace(printed, folded)
    return _plain(name)


def _one_letter_missing(a: str, b: str) -> bool:
    """Whether the longer string is the other with one more letter, or has two neighbours swapped."""
    if len(a) > len(b):
        a, b = b, a
    i = next((k for k, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), len(a))
    if len(b) - len(a) == 1:
        return a[i:] == b[i + 1 :]
    return (
        len(a) == len(b)
        and i + 1 < len(a)
        and a[i] == b[i + 1]
        and a[i + 1] == b[i]
        and a[i + 2 :] == b[i + 2 :]
    )


def same_person(a: str, b: str) -> Literal["same", "variant", "different"]:
    """Compare two printed names: `same` but for case and punctuation, a `variant` spelling, or `different`.

    A replaced consonant makes another person ("Kim Min-su", "Kim Min-ju"); a doubled or missing letter, a
    lost accent, another romanisation, an initial or a middle name does not.

    >>> same_person("Choi He-suk", "Choi Hee-suk"), same_person("JOHN SMITH", "John Smith")
    ('variant', 'same')
    """
    fa, fb = _folded(a), _folded(b)
    if not fa or not fb:
        return "different"
    if fa == fb or fa.replace(" ", "") == fb.replace(" ", ""):
        return "same"
    ta, tb = fa.split(), fb.split()
    if sorted(ta) == sorted(tb) and len(ta) > 1:
        return "variant"
    sa, sb = _plain(fa), _plain(fb)
    if sa == sb or _romanised(fa) == _romanised(fb):
        return "variant"
    if min(len(sa), len(sb)) >= 7 and sa[0] == sb[0] and _one_letter_missing(sa, sb):
        return "variant"
    return "variant" if _initials_match(ta, tb) or _initials_match(tb, ta) else "different"


def _initials_match(short: list[str], long: list[str]) -> bool:
    """Whether the last names agree and every other word of the short one is there, or its initial is.

    "j smith" and "john smith" match "john m smith".
    """
    if len(short) < 2 or len(long) < len(short) or _plain(short[-1]) != _plain(long[-1]):
        return False
    rest = iter(long[:-1])
    if not long[0].startswith(short[0][0]):
        return False
    return all(any(w == x or (min(len(w), len(x)) == 1 and w[0] == x[0]) for x in rest) for w in short[:-1])
