"""Bylines: who wrote a page, read from one printed line.

`parse_byline` reads the line as a whole: where anything in it is neither a name nor what goes with names, it
is no byline. Names are never edited; a word of the refusal lists only makes a line no byline.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from copydesk.byline_cjk import CUES, parse_wide
from copydesk.byline_list import is_bare_name, read_list
from copydesk.byline_stamps import has_digit, is_date_head
from copydesk.byline_types import Author, Byline
from copydesk.byline_words import Words, words
from copydesk.names import same_person

__all__ = [
    "Author", "Byline", "agency_of_story", "behind_cue", "closing_byline", "is_byline_cue", "name_in_place",
    "parse_byline", "same_person",
]  # fmt: skip

LONGEST = 320
"""Characters of the longest line that can be a byline (a news agency's list of reporters and editors)."""
LONGEST_BARE = 110
"""Characters of the longest list of bare names."""

_LEAD = re.compile(r"[\s•·▪●◦*>»|/\\–—-]+")
_WIDE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_FIRST_WORD = re.compile(r"[^\W\d_]+")
_INNER_CUE = re.compile(
    r"(?:\A|(?<=[\s|·•–—]))(?:[Bb][Yy]|[Vv]on|[Pp]ar|[Pp]or|[Dd]i|[Dd]oor|[Aa][vf]):?\s+(?=[^\W\d_])"
)
_SAID = re.compile(r"[\d,;|•·(\[@–—]|\s-\s")
_SPECIAL = re.compile(
    r"(?:,|\s)\s*(?P<role>(?i:special to|special for)\s[^,|]{2,50}|(?<=,\s)[Ff]or [Tt]he [^,|]{2,40})\Z"
)
"""Whom a guest writes for: "Special to the Springfield Sun"."""
_JOINED_ON = re.compile(r"\s+(?:and|und|et|y|e|og|och|en|&)\s*\Z", re.I)
"""What joins a clause to the next: "Texte : A et photos : B"."""
_CLOSING = re.compile(r"[.!?”\"’»…。」)]\s*(?P<list>\([^()]{4,90}\)|【[^【】]{2,40}】)\Z")

_Found = tuple[list[Author], bool, bool]


def is_byline_cue(text: str) -> bool:
    """Whether a line is a cue alone: the name stands on the next line.

    >>> is_byline_cue("By"), is_byline_cue("Von:"), is_byline_cue("By Ann Lee")
    (True, True, False)
    """
    if len(text) > 40:
        return False
    bare = text.strip(" \t\u00a0•·▪|/*>»-–—")
    colon = bare.endswith((":", "："))
    bare = bare.rstrip(":： \u00a0").lower()
    if bare in CUES:
        return True
    table = words()
    return table.cues.get(bare) in ("author", "reporting") and (colon or bare not in table.section_labels)


def parse_byline(text: str, *, language: str | None = None) -> Byline | None:
    """Read a line as a byline, or return None where the line as a whole is none.

    A date at either end is passed over. `language` (BCP 47) only settles what is otherwise in doubt: whether
    one word after a cue such as "Di" is a name.

    >>> parse_byline("By Park Min-hee, staff reporter").authors
    (Author(name='Park Min-hee', kind='person', role='staff reporter', email=None, affiliation=None),)
    >>> parse_byline("By the time we arrived, the doors were shut.") is None
    True
    """
    if len(text) > LONGEST + 40:
        return None
    raw = text.strip()
    if not 2 <= len(raw) <= LONGEST:
        return None
    found = parse_wide(raw) if _WIDE.search(raw) else _narrow(raw.replace("\u00a0", " "), language, words())
    if found is None:
        return None
    authors, cued, truncated = found
    if not _printed(authors, raw):
        return None
    start = len(text) - len(text.lstrip())
    once: dict[str, Author] = {}
    for author in authors:
        once.setdefault(author.name.casefold(), author)
    return Byline(start, start + len(raw), raw, _somebody(list(once.values())), cued, truncated)


def _somebody(authors: list[Author]) -> tuple[Author, ...]:
    """Without the words for nobody in particular ("agencies") beside somebody who is named."""
    named = [a for a in authors if a.kind != "staff" or a.name.lower() not in words().unnamed]
    return tuple(named or authors)


def _printed(authors: Sequence[Author], line: str) -> bool:
    """Whether every name stands in the line as it is given: none is put together from what stands apart."""
    solid = "".join(line.split())
    return all("".join(a.name.split()) in solid for a in authors)


def behind_cue(cue: str, text: str) -> Byline | None:
    """Read a line that stands below a cue alone as if it stood behind it; offsets are of the joined text.

    >>> [a.name for a in behind_cue("By", "• Ann Lee on May 5, 2024").authors]
    ['Ann Lee']
    """
    lead = _LEAD.match(text)
    below = text[lead.end() :] if lead else text
    found = parse_byline(f"{cue.strip()} {below}")
    # without its colon a cue may be read as part of the name
    return found if found and _printed(found.authors, below) else None


def name_in_place(text: str) -> Byline | None:
    """Read a line that stands where bylines do and has no cue: behind a bullet, or in capitals ("ANN LEE").

    None where it is no list of full names, or where one of its words is a common one.

    >>> [a.name for a in name_in_place("• ANN LEE").authors], name_in_place("BLACK DEATH FEARS")
    (['ANN LEE'], None)
    """
    lead = _LEAD.match(text)
    line = text[lead.end() :].strip() if lead else text.strip()
    if not 5 <= len(line) <= LONGEST_BARE or " " not in line:
        return None
    if line != text.strip() and (found := parse_byline(line)):
        return found if any(a.kind == "person" for a in found.authors) else None
    if not line.isupper():
        return None
    people = read_list(line, words(), cued=True, single=False)
    if not people or any(a.kind != "person" or not is_bare_name(a.name) or a.name[-2] == " " for a in people[0]):
        return None
    if not _printed(people[0], line):
        return None
    return Byline(0, len(text), text, tuple(people[0]), False, people[1])


def closing_byline(paragraph: str) -> Byline | None:
    """The names in brackets that close a paragraph: "… sagte er. (Anna Muster aus Berlin, Bernd Beispiel)".

    Offsets are characters in `paragraph`. At least one full name must stand there; initials ("kas") are not
    read.
    """
    end = len(paragraph.rstrip())
    if end < 12 or paragraph[end - 1] not in ")】":
        return None
    begin = max(0, end - 110)
    m = _CLOSING.search(paragraph[begin:end])
    if not m:
        return None
    found = parse_byline(m["list"])
    if found is None or not any(a.kind == "person" for a in found.authors):
        return None
    at = begin + m.start("list")
    return replace(found, start=at, end=end)


def agency_of_story(text: str) -> str | None:
    """The agency whose number for the story the line prints: the text is its own, whoever else signed it.

    >>> agency_of_story("© dpa-infocom, dpa:230101-99-000000/1")
    'dpa'
    """
    return next((name for number, name in words().story_numbers if number.search(text)), None)


def _narrow(raw: str, language: str | None, table: Words) -> _Found | None:
    lead = _LEAD.match(raw)
    line = raw[lead.end() :] if lead else raw
    end = line.rsplit(None, 1)[-1:]
    call = table.calls.search(line) if end and end[0].lower() in table.call_ends else None
    if call and len(line[: call.start()].split()) > 1:
        line = line[: call.start()]
    if line[:1] == "(" and line[-1] == ")" and line.find("(", 1) < 0:
        line = line[1:-1].strip()
    first = _FIRST_WORD.match(line)
    cue = None
    if first:
        known = first.group().lower() in table.cue_words
        cue = table.first.match(line) if known else table.glued.match(line)
    if cue:
        return _cued(line, cue, language, table)
    if len(line) < 160 and has_digit(line):
        inner = _INNER_CUE.search(line)
        if inner and is_date_head(line[: inner.start()]):
            line = line[inner.start() :]
            cue = table.first.match(line)
            return _cued(line, cue, language, table) if cue else None
    if len(line) > LONGEST_BARE or line[-1:] in "?!:" or not _is_list_like(line, table):
        return None
    return _bare(line, table)


def _is_list_like(line: str, table: Words) -> bool:
    """Whether no word stands there that a list of names has no room for: the cheap test."""
    tokens = line.split()
    small = [w for w in tokens if w[0].islower() and w.strip(".,;:()") not in table.list_words and "@" not in w]
    if len(small) > 1 or (small and not has_digit(line)):
        return False
    # what stands behind a comma, a stroke or a date may be anything that is said of a name
    if _SAID.search(line) or line.lower().endswith(table.staff_tails):
        return True
    return table.never.isdisjoint(w.lower() for w in tokens)


def _cued(line: str, cue: re.Match[str], language: str | None, table: Words) -> _Found | None:
    clauses: list[tuple[str, str]] = []
    word, begin = " ".join(cue["cue"].lower().split()), cue.end()
    unmarked = word in table.plain_labels and ":" not in line[begin - 2 : begin]
    inner = table.inner_plain if unmarked else table.inner
    may_follow = not table.inner_words.isdisjoint(_FIRST_WORD.findall(line.lower(), begin))
    for following in inner.finditer(line, begin) if may_follow else ():
        clauses.append((word, _JOINED_ON.sub("", line[begin : following.start()])))
        word, begin = " ".join(following.group().lower().rstrip(" :").split()), following.end()
    clauses.append((word, line[begin:]))
    if word in table.labels and begin == len(line) and line[-1] not in ":：":
        return None
    special = _SPECIAL.search(clauses[0][1])
    if special:
        clauses[0] = (clauses[0][0], clauses[0][1][: special.start()])
    staff = word.partition(" ")[2]
    if begin == len(line) and staff in table.staff:
        return [Author(line[cue.start("cue") :].split(None, 1)[1].rstrip(" :"), "staff")], True, False
    authors: list[Author] = []
    truncated = False
    for word, body in clauses:
        kind = table.cues.get(word, "author")
        if kind == "other":
            continue
        spoken = table.language.get(word)
        single = spoken is None or (language or "").split("-")[0] in spoken
        people = read_list(body.strip(" \t,;"), table, cued=True, single=single)
        if people is None:
            if kind == "author" or not authors:
                return None
            continue
        if kind == "photo":
            authors += [replace(a, role=a.role or "photographer") for a in people[0]]
        elif kind == "reporting" and not word.startswith("reporting"):
            authors += [replace(a, role=a.role or word.removesuffix(" by")) for a in people[0]]
        else:
            authors += people[0]
        truncated |= people[1]
    if all(a.role == "photographer" for a in authors) and authors:
        return None
    if special and authors:
        authors = [replace(a, role=a.role or special["role"]) for a in authors]
    return (authors, True, truncated) if authors or truncated else None


def _bare(line: str, table: Words) -> _Found | None:
    people = read_list(line, table, cued=False, single=False)
    if not people or not people[0]:
        return None
    authors, truncated = people
    if any((a.affiliation or "").lower() in table.pictures for a in authors):
        return None
    return authors, any(a.role for a in authors), truncated
