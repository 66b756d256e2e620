"""What a page's HTML says of itself, one value at a time: texts, dates, names, addresses and languages made whole.

A page can say anything: every reader here takes any string, cuts it to its length, and returns None for what is no
value of its kind. Nothing is guessed: a time without an offset stays without one.
"""

from __future__ import annotations

import datetime as dt
import html
import re
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

from selectolax.lexbor import LexborHTMLParser

from copydesk.byline_types import Author
from copydesk.byline_words import words
from copydesk.bylines import parse_byline
from copydesk.dates import find_dates
from copydesk.publishers import EARLIEST, LATEST

__all__ = [
    "Name", "Said", "SaidAuthors", "SaidDate", "folded", "read_address", "read_date", "read_language", "read_names",
    "read_text", "same_address",
]  # fmt: skip

LONGEST_TEXT = 5_000
"""Characters of the longest text that is kept, but for an article's body."""
LONGEST_NAME = 320
"""Characters of the longest string that is read for names: the longest byline."""
LONGEST_DATE = 80
LONGEST_ADDRESS = 2_000
MOST_NAMES = 100
WIDEST_OFFSET = 14 * 60
"""Minutes: Kiritimati's."""

_TAG = re.compile(r"<(?:[A-Za-z/!][^<>]{0,2000})?>")
_BLOCK = re.compile(r"<(?:/(?:p|div|li|ul|ol|h[1-6]|blockquote|section|tr|figure)|br)\b[^<>]{0,200}>", re.I)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z]{2,10}\d{0,2});")
_NO_TEXT = re.compile("[\x00-\x08\x0e-\x1b\x7f\u200b\u2028\u2029\ufeff\ud800-\udfff]")
"""What no text holds, and what Arrow refuses: control characters, halves of surrogate pairs."""
_OFFSET = re.compile(r"(?:(?P<utc>Z)|[+-]\d\d:?\d\d|[+-]\d\d)\Z", re.I)
_EPOCH = re.compile(r"(1\d{9}|[2-3]\d{9})(\d{3})?\Z")
"""Seconds or milliseconds since 1970, from 2001 on: ten or thirteen digits."""
_LANGUAGE = re.compile(r"([A-Za-z]{2,3})(?:[-_]([A-Za-z]{4}))?(?:[-_]([A-Za-z]{2}|\d{3}))?(?:[-_.@].*)?\Z")
_WIDE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_BLANK = re.compile(r"\s")
_ABSOLUTE = re.compile(r"https?://[\w-]+(?:\.[\w-]+)+(?::\d{1,5})?(?:[/?#]|\Z)", re.I)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_BEFORE_HOST = re.compile(r"\A[a-z]+://(?:www\d?|m|amp|mobile)\.|\A[a-z]+://", re.I)
_NOT_PAGE = re.compile(r"[?#].*\Z|(?<=\w):\d+(?=/)", re.DOTALL)
_NOT_WORD = re.compile(r"[\W_]+")
_DOMAIN = re.compile(r"(?:[\w-]+\.)+(?:com|org|net|info|news|tv|[a-z]{2})\Z", re.I)
_EMAIL = re.compile(r"(?:mailto:)?[\w.+-]+@[\w-]+(?:\.[\w-]+)+\Z")
_NOBODY = frozenset(
    {
        "null",
        "none",
        "undefined",
        "n/a",
        "na",
        "author",
        "unknown",
        "false",
        "true",
        "anonymous author",
        "[object object]",
        "{}",
    }
)
_BROKEN = ("{{", "}}", "<%", "%>", "${", "\\u00")


class Said(NamedTuple):
    """One text: what it says, the kind of source, and the very slot (see `data/metadata.toml`)."""

    text: str
    source: str
    slot: str


class SaidDate(NamedTuple):
    """One date: `on` and `time` as the page's clock has them (naive); `zone` only where an offset stands in `raw`.

    `other` is the second reading of a numeric day whose order is open, as in `dates.PrintedDate`. A time of exactly
    midnight is a day without a time: that is how systems write one.
    """

    raw: str
    on: dt.date
    time: dt.time | None
    precision: str
    zone: str | None
    other: dt.date | None
    source: str
    slot: str

    @property
    def at(self) -> dt.datetime | None:
        """The instant, with the offset that stands there; None where none does."""
        if self.time is None or self.zone is None:
            return None
        offset = "+00:00" if self.zone == "Z" else self.zone
        try:
            return dt.datetime.fromisoformat(f"{self.on}T{self.time}{offset}")
        except ValueError:  # a zone by its name
            return None


class SaidAuthors(NamedTuple):
    """The authors that one source names: as they stand there, and as they are read."""

    raw: tuple[str, ...]
    authors: tuple[Author, ...]
    source: str
    slot: str


class Name(NamedTuple):
    """One name as a source gives it; `organization` is True or False only where the source says so."""

    name: str
    organization: bool | None = None
    role: str | None = None
    email: str | None = None
    affiliation: str | None = None


def read_text(value: object, *, longest: int = LONGEST_TEXT, lines: bool = False) -> str | None:
    """A text without entities, tags and control characters, in single blanks; None where nothing is left.

    `lines` keeps the line breaks.

    >>> read_text("Fish &amp;amp; <b>chips</b>  rise ")
    'Fish & chips rise'
    """
    if not isinstance(value, str):
        return None
    text = value[: longest * 2]
    if "&" in text:
        for _ in range(2):  # escaped twice by more than one system
            if not _ENTITY.search(text):
                break
            text = html.unescape(text)
    if "<" in text and _TAG.search(text):
        text = LexborHTMLParser(_BLOCK.sub("\n", text)).text()
    each = text.splitlines() if lines else [text]
    text = "\n".join(line for part in each if (line := _one_line(part)))
    return text[:longest].rstrip() or None


def _one_line(text: str) -> str:
    # what is not printable may be no more than a line break or a hard blank
    return " ".join((text if text.isprintable() else _NO_TEXT.sub("", text)).split())


@lru_cache(maxsize=4096)
def folded(text: str) -> str:
    """A text's letters and digits in small letters, with single blanks: what two spellings are compared by."""
    return _NOT_WORD.sub(" ", text.casefold()).strip()


def read_date(value: object, source: str, slot: str, *, latest: dt.datetime | None = None) -> SaidDate | None:
    """A date by ISO 8601, by seconds since 1970, or as newsrooms print it.

    None for what is no day, for the first day of 1970 (a clock that was never set), and for what lies more than a
    day behind `latest` (an instant).

    >>> str(read_date("2019-04-26T16:27:00+0900", "meta", "date").at)
    '2019-04-26 16:27:00+09:00'
    """
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value) if 0 < value < 10**13 else None
    if not isinstance(value, str) or not 6 <= len(value) <= LONGEST_DATE * 2:
        return None
    raw = read_text(value, longest=LONGEST_DATE)
    found = (_machine_date(raw, source, slot) or _printed_date(raw, source, slot)) if raw else None
    if found is None or not EARLIEST <= found.on.year <= LATEST:
        return None
    if found.on in (dt.date(1970, 1, 1), dt.date(1969, 12, 31)):
        return None
    if latest is not None and found.on > latest.date() + dt.timedelta(days=1):
        return None
    return found


def _machine_date(raw: str, source: str, slot: str) -> SaidDate | None:
    if epoch := _EPOCH.match(raw):
        at = dt.datetime.fromtimestamp(int(epoch[1]), dt.UTC)
        return SaidDate(raw, at.date(), at.time(), "second", "Z", None, source, slot)
    try:
        at = dt.datetime.fromisoformat(raw)
    except ValueError:
        return None
    if len(raw) <= 10:
        return SaidDate(raw, at.date(), None, "day", None, None, source, slot)
    clock = at.time().replace(microsecond=0)
    if not (clock.hour or clock.minute or clock.second):
        return SaidDate(raw, at.date(), None, "day", None, None, source, slot)
    zone, rest = None, raw[8:]
    if at.tzinfo is not None:
        stated = _OFFSET.search(rest)
        minutes, odd = divmod(at.utcoffset() or dt.timedelta(), dt.timedelta(minutes=1))
        if stated is None or odd or abs(minutes) > WIDEST_OFFSET:
            return None
        rest = rest[: stated.start()]
        sign, size = "-" if minutes < 0 else "+", abs(minutes)
        zone = "Z" if stated["utc"] else f"{sign}{size // 60:02}:{size % 60:02}"
    seconds = rest.count(":") > 1 or (":" not in rest and len(rest) > len("T1000"))
    return SaidDate(raw, at.date(), clock, "second" if seconds else "minute", zone, None, source, slot)


def _printed_date(raw: str, source: str, slot: str) -> SaidDate | None:
    found = [d for d in find_dates(raw) if d.on]
    if len(found) != 1 or found[0].on is None:
        return None
    d = found[0]
    midnight = d.time == dt.time(0)
    return SaidDate(
        raw, found[0].on, None if midnight else d.time, "day" if midnight else d.precision,
        None if midnight else d.zone, d.other, source, slot,
    )  # fmt: skip


@lru_cache(maxsize=1024)
def read_language(value: object) -> str | None:
    """A language tag as BCP 47 writes it; None for the name of a language and for other things.

    >>> read_language("en_us"), read_language("zh-hant-TW"), read_language("German")
    ('en-US', 'zh-Hant-TW', None)
    """
    if not isinstance(value, str) or not (found := _LANGUAGE.match(value.strip()[:40])):
        return None
    language, script, region = found.groups()
    if len(language) == 3 and language.lower() in ("und", "mul", "zxx"):
        return None
    return "-".join(filter(None, (language.lower(), script and script.title(), region and region.upper())))


def read_address(value: object, base: str | None) -> str | None:
    """An absolute address of the web; None for everything else, such as `javascript:` and `data:`.

    >>> read_address("/a?b=1", "https://news.example/x"), read_address("javascript:alert(1)", None)
    ('https://news.example/a?b=1', None)
    """
    if not isinstance(value, str):
        return None
    text = _NO_TEXT.sub("", value[: LONGEST_ADDRESS + 1].strip())
    if not text or len(text) > LONGEST_ADDRESS or _BLANK.search(text):
        return None
    if _ABSOLUTE.match(text):
        return text
    try:
        address = text if _SCHEME.match(text) else urljoin(base or "", text)
        parts = urlsplit(address)
        known = parts.scheme.lower() in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return None
    return address if known else None


def same_address(address: str | None) -> str | None:
    """What two spellings of one page's address share: no scheme, `www.`, query, fragment and closing slash."""
    if not address:
        return None
    return _NOT_PAGE.sub("", _BEFORE_HOST.sub("", address)).rstrip("/").lower() or None


def read_names(names: Iterable[Name], outlets: Iterable[str] = ()) -> tuple[Author, ...]:
    """Authors from the names that a source gives, in its order, once each.

    A string that lists several, or has "By" before a name or a role behind it, is read as a byline. `outlets` are
    the folded names of the site and its publisher: as an author they are nobody in person.

    >>> [(a.name, a.kind) for a in read_names([Name("By Ann Lee and Bob Ray"), Name("https://a.example/ann")])]
    [('Ann Lee', 'person'), ('Bob Ray', 'person')]
    """
    own = frozenset(outlets)
    found: dict[str, Author] = {}
    for name in names:
        for author in _read_name(name, own):
            found.setdefault(author.name.casefold(), author)
        if len(found) > MOST_NAMES:
            break
    authors = tuple(found.values())[:MOST_NAMES]
    if len(authors) > 1 and any(a.kind == "person" for a in authors):
        # beside somebody's name the site's own says where he works, not who wrote
        authors = tuple(a for a in authors if a.kind == "person" or folded(a.name) not in own)
    return authors


def _read_name(said: Name, own: frozenset[str]) -> tuple[Author, ...]:
    text = read_text(said.name, longest=LONGEST_NAME)
    if not text or "://" in text or text.startswith(("/", "#", "www.")) or any(b in text for b in _BROKEN):
        return ()
    text = text.strip(" ,;|")
    if text.lower() in _NOBODY or not any(c.isalpha() for c in text) or _EMAIL.match(text):
        return ()
    whole = Author(text, "agency", said.role, said.email, said.affiliation)
    if ";" in text:
        parts = [said._replace(name=part) for part in text.split(";")[:MOST_NAMES]]
        return tuple(author for part in parts for author in _read_name(part, own))
    bare = folded(text)
    if bare in own or (said.organization is None and (_is_of(bare, own) or _spells(bare, own))) or _DOMAIN.match(text):
        return (whole,)
    if " " not in bare and bare in words().not_name:  # a section: "Nachrichten"
        return ()
    authors = _as_byline(text)
    if said.organization:
        staff = len(authors) == 1 and authors[0].kind == "staff"
        return (replace(whole, kind="staff"),) if staff else (whole,)
    if not authors:
        # a user's name, a single name in small letters: a name because the source says so
        return (Author(text, "person", said.role, said.email, said.affiliation),) if _is_short(text) else ()
    if len(authors) > 1:
        return authors
    [author] = authors
    return (
        Author(
            author.name, author.kind, author.role or said.role, author.email or said.email,
            author.affiliation or said.affiliation,
        ),
    )  # fmt: skip


def _is_of(name: str, own: frozenset[str]) -> bool:
    """Whether a folded name begins or ends with the site's: "n tv nachrichten" of "n tv"."""
    return any(len(o) > 2 and (name.startswith(f"{o} ") or name.endswith(f" {o}")) for o in own)


def _spells(name: str, own: frozenset[str]) -> bool:
    """Whether a folded name is the site's as its host spells it: without blanks, without its article, by its initials
    ("south china morning post" of "scmp")."""
    words_ = name.split()
    bare = "".join(words_)
    initials = "".join(word[0] for word in words_)
    return bare in own or (words_[:1] == ["the"] and bare[3:] in own) or (len(words_) > 2 and initials in own)


def _is_short(text: str) -> bool:
    return len(text) <= 60 and len(text.split()) <= 6 and text[-1:] not in "!?:"


@lru_cache(maxsize=4096)
def _as_byline(text: str) -> tuple[Author, ...]:
    """The authors of a string that stands where authors do: a byline with its cue, or as behind one."""
    first = text.partition(" ")[0]
    cued = _WIDE.search(text) or first.lower().rstrip(":") in words().cue_words
    found = parse_byline(text) if cued else parse_byline(f"By {text}")
    return found.authors if found else ()
