"""From bytes to text, or to a plain reason why not.

Order of evidence: a byte order mark, strict UTF-8, the charset of the HTTP header, that of the page's own `<meta>`
or XML declaration, and only then a guess by chardet. A declared charset is overruled by a guess that is sure of
another one. The guess sees nothing but the lines that hold bytes beyond ASCII: a page of English with one Korean
byline drowns the evidence otherwise. What no one can read stays bytes, since a wrong guess invents text.

UTF-8 that somebody read as cp1252 or Latin-1 ("Ã©") is turned back where that is certain; see `repair`.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

import chardet

__all__ = ["CONTROL_SHARE", "MOJIBAKE", "REPAIRED", "SUSPECT", "Decoded", "decode", "decode_string", "repair"]

CONTROL_SHARE = 0.05
"""A text with a larger share of control characters than this is taken for binary."""

_SAMPLE_BYTES = 65_536
_CONFIDENT = 0.05  # Noise and torn UTF-8 stay below 0.04; a line of real text reaches 0.15, a word 0.07.
_SURE = 0.08  # Below this a stray accent or quote in English counts for more than the guess.
_OVERRULES = 0.4
"""From here a guess beats what is declared: right guesses reach it in all scripts but Latin, wrong ones do not."""
_TORN_UTF8_SHARE = 0.75

_BOMS = (  # UTF-32 first: its little-endian mark begins with that of UTF-16.
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)

_MAGIC = {
    b"%PDF-": "PDF",
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"\xff\xd8\xff": "JPEG",
    b"GIF87a": "GIF",
    b"GIF89a": "GIF",
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"PK\x03\x04": "zip",
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"Rar!\x1a\x07": "rar",
    b"PAR1": "Parquet",
    b"ARROW1": "Arrow",
    b"OggS": "Ogg",
    b"ID3": "MP3",
    b"wOFF": "font",
    b"wOF2": "font",
    b"\x7fELF": "program",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "Office document",
    b"SQLite format 3\x00": "SQLite",
}

# Encodings in which pages are really written. Leaving the rest out is what keeps three accented letters from
# turning into DOS Greek.
_CANDIDATES = (
    "cp1250", "cp1251", "cp1252", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp1258", "cp874",
    "iso8859-2", "iso8859-5", "iso8859-7", "koi8-r", "koi8-u",
    "cp949", "cp932", "euc_jis_2004", "gb18030", "big5hkscs",
)  # fmt: skip

# As browsers do: a declared name stands for the larger set that people really type in.
_SUPERSETS = {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
    "euc_kr": "cp949",
    "shift_jis": "cp932",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "big5": "big5hkscs",
}

_ESCAPED = (  # These are ASCII to the eye of a UTF-8 decoder.
    (b"\x1b$)C", "iso2022_kr"),
    (b"\x1b$B", "iso2022_jp_2"),
    (b"\x1b$@", "iso2022_jp_2"),
    (b"\x1b(J", "iso2022_jp_2"),
)

SUSPECT = r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]"
"""A pattern for texts that `decode_string` must look at; all others can only need their line ends changed."""

REPAIRED = "utf-8 (repaired from cp1252)"
"""The encoding of a text in which UTF-8 was read as cp1252 or Latin-1 before us, and is now read right."""

_MISREAD = {ord(bytes([n]).decode("cp1252", "ignore") or chr(n)): n for n in range(0x80, 0x100)}
_MISREAD |= {n: n for n in range(0x80, 0xA0)}  # Latin-1, and what browsers do where cp1252 has nothing
"""The byte that each character was misread from: in cp1252, or in Latin-1."""


def _class_of(first: int, last: int) -> str:
    """A regex class of the characters that the bytes `first` to `last` are misread as."""
    return "[" + "".join(re.escape(chr(c)) for c, n in sorted(_MISREAD.items()) if first <= n <= last) + "]"


_TAIL = _class_of(0x80, 0xBF)
_PAIR = _class_of(0xC2, 0xDF) + _TAIL
_TRIPLE = f"{_class_of(0xE0, 0xEF)}{_TAIL}{{2}}|{_class_of(0xF0, 0xF4)}{_TAIL}{{3}}"
MOJIBAKE = f"{_PAIR}|{_TRIPLE}"
"""A pattern for texts that `repair` must look at."""
_SEQUENCES = re.compile(MOJIBAKE)
_TAIL_BYTES = b"(?:" + b"|".join(re.escape(chr(c).encode()) for c, n in sorted(_MISREAD.items()) if n < 0xC0) + b")"
_MAYBE = re.compile(rb"\xc3(?:[\x82-\x9f]T|[\xa0-\xaf]TT|[\xb0-\xb4]TTT)".replace(b"T", _TAIL_BYTES))
"""MOJIBAKE in UTF-8: a search for one byte costs a fiftieth of one for characters."""
_BYTES_OF_MISREAD = {character: chr(byte) for character, byte in _MISREAD.items()}

_CONTROLS = bytes({*range(0x20), 0x7F} - set(b"\t\n\v\f\r\x1b"))
_HIGH = bytes(range(0x80, 0x100))
_META_CHARSET = re.compile(
    rb"<meta\b[^>]{0,200}?\bcharset\s*=\s*[\"']?\s*([\w.:-]{2,40})|<\?xml\b[^>]{0,60}?\bencoding\s*=\s*[\"']([\w.:-]{2,40})",
    re.IGNORECASE,
)
_WESTERN = ("€“”‘’„…–—•™ŠšŽžœ\xa0¡£§©«®°²³·º»½¿ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜßàáâãäåæçèéêëìíîïñòóôõöøùúûü").encode(
    "cp1252"
)
_C1_CONTROL = re.compile("[\x80-\x84\x86-\x9f]")
_BEYOND_ASCII = re.compile("[^\0-\x7f]+")
_TAG = re.compile(rb"<[^<>]*>")
_HIGH_RUN = re.compile(rb"[\x80-\xff]{3}")


@dataclass(frozen=True, slots=True)
class Decoded:
    """What became of some bytes: a text with its encoding, or a problem with its detail.

    `problem` is None, `"binary"` (no text at all) or `"undecodable"` (text, but in no sure encoding).
    """

    text: str | None
    encoding: str | None
    problem: str | None = None
    detail: str | None = None


def decode(raw: bytes, charset: str | None = None) -> Decoded:
    r"""Decode `raw`, which a server may have said to be in `charset`.

    Line ends become `\n`, a byte order mark goes, and UTF-8 that was misread is repaired; nothing else is changed.
    The same arguments always give the same answer. Left alone on purpose: Unicode normal forms, non-breaking
    spaces, form feeds, and mojibake where a repair is not certain.

    >>> decode("The “Café” reopens\r\nToday".encode("cp1252"))
    Decoded(text='The “Café” reopens\nToday', encoding='cp1252', problem=None, detail=None)
    >>> decode(b"%PDF-1.7 ...").problem
    'binary'
    """
    for mark, encoding in _BOMS:
        if raw.startswith(mark):
            return _strictly(raw[len(mark) :], encoding)
    for magic, kind in _MAGIC.items():
        if raw.startswith(magic) and not _plain(raw[:512], magic):
            return Decoded(None, None, "binary", f"looks like {kind}")
    if problem := _binary(raw):
        return Decoded(None, None, "binary", problem)
    if b"\x1b" in raw:
        for sequence, encoding in _ESCAPED:
            if sequence in raw and (text := _try(raw, encoding)) is not None:
                return Decoded(text, encoding)
    try:
        return _repaired(_newlines(raw.decode("utf-8")), raw)
    except UnicodeDecodeError as error:
        return _legacy(raw, error, charset)


def decode_string(text: str) -> Decoded:
    r"""The same for a text that a table has decoded already: it may still be binary, or no text at all.

    >>> decode_string("One\rTwo").text
    'One\nTwo'
    >>> decode_string("PNG\0\1\2").problem
    'binary'
    """
    try:
        raw = text.encode("utf-8")
    except UnicodeEncodeError as error:
        return Decoded(None, None, "undecodable", f"half a character (lone surrogate) at {error.start}")
    if problem := _binary(raw):
        return Decoded(None, None, "binary", problem)
    return _repaired(_newlines(text.removeprefix("\ufeff")), raw)


def repair(text: str) -> str | None:
    """`text` with the lines put right in which UTF-8 was read as cp1252 or Latin-1; None where none certainly is.

    A line is put right where all of its characters beyond ASCII, turned back into bytes, are sound UTF-8, and where
    what these lines of the text hold cannot be a word by chance: one sequence of three bytes or more ("â€™"), or two
    different ones of two bytes.

    >>> repair("The cafÃ© â€“ reopened"), repair("AMANHÃ\xa0, O JOGO"), repair("Le cafÃ© rénové â€¦")
    ('The café – reopened', None, None)
    """
    lines = text.split("\n")
    right = {}
    found: set[str] = set()
    for n, line in enumerate(lines):
        if line.isascii():
            continue
        runs = set(_BEYOND_ASCII.findall(line))
        try:
            for run in runs:
                _reread(run)
        except UnicodeError:
            continue
        if sequences := [sequence for run in runs for sequence in _SEQUENCES.findall(run)]:
            right[n] = _BEYOND_ASCII.sub(lambda run: _reread(run[0]), line)
            found.update(sequences)
    if len(found) < 2 and not any(len(sequence) > 2 for sequence in found):
        return None
    return "\n".join(right.get(n, line) for n, line in enumerate(lines))


def _reread(misread: str) -> str:
    return misread.translate(_BYTES_OF_MISREAD).encode("latin-1").decode("utf-8")


def _repaired(text: str, raw: bytes) -> Decoded:
    right = repair(text) if _MAYBE.search(raw) else None
    return Decoded(text, "utf-8") if right is None else Decoded(right, REPAIRED)


def _strictly(raw: bytes, encoding: str) -> Decoded:
    """`raw` as its byte order mark says, and in no other way."""
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as error:
        return Decoded(None, None, "undecodable", f"marked as {encoding}, but broken at byte {error.start}")
    if problem := _binary(text.encode("utf-8")):
        return Decoded(None, None, "binary", problem)
    return Decoded(_newlines(text), encoding)


def _legacy(raw: bytes, error: UnicodeDecodeError, charset: str | None) -> Decoded:
    """Text that is not UTF-8: as declared, as guessed, or not at all."""
    # Without tags: chardet believes a `<meta charset>` that it finds, and a page may be one line of markup.
    lines = _TAG.sub(b"\n", raw).split(b"\n")
    sample = b"\n".join(line for line in lines if not line.isascii())[:_SAMPLE_BYTES]
    if _is_torn_utf8(sample):
        return Decoded(None, None, "undecodable", f"UTF-8, but broken at byte {error.start}")
    guess = chardet.detect(
        sample,
        prefer_superset=True,
        compat_names=False,
        include_encodings=(*_CANDIDATES, "utf-8"),
        no_match_encoding="utf-8",  # Which we know that it is not: "no match" must not come out as a guess.
    )
    encoding, confidence = str(guess["encoding"]), float(guess["confidence"] or 0.0)
    declared = [name for name in (_codec(charset), _codec(_in_page(raw))) if name]
    if declared and (encoding == "utf-8" or confidence < _OVERRULES):
        declared.sort(key=lambda name: name != encoding)  # Where header and page differ, the guess may settle it.
        for name in declared:
            if (text := _try(raw, name)) is not None:
                return Decoded(text, name)
    if confidence < _SURE and _is_western(sample):
        encoding, confidence = "cp1252", _SURE
    text = _try(raw, encoding) if confidence >= _CONFIDENT else None
    if text is not None and not _C1_CONTROL.search(text):  # Only a wrong guess finds these in a page.
        return Decoded(text, encoding)
    return Decoded(None, None, "undecodable", f"not UTF-8 (byte {error.start}), and no other encoding fits")


def _in_page(raw: bytes) -> str | None:
    """The name in the page's own `<meta charset>` or XML declaration."""
    found = _META_CHARSET.search(raw[:4096])
    return (found[1] or found[2]).decode("ascii", "replace") if found else None


def _codec(name: str | None) -> str | None:
    """The codec of a declared charset, when Python knows it and pages are written in it."""
    try:
        known = codecs.lookup(name or "").name
    except (LookupError, ValueError):  # ValueError: a NUL or the like in the name
        return None
    known = _SUPERSETS.get(known, known)
    return known if known in _CANDIDATES or known in _SUPERSETS else None


def _try(raw: bytes, encoding: str) -> str | None:
    try:
        text = raw.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        return None
    return _newlines(text)


def _is_torn_utf8(sample: bytes) -> bool:
    """Whether most bytes beyond ASCII are sound UTF-8, so that another encoding would only give mojibake."""
    high = _count(sample, _HIGH)
    sound = len(sample.decode("utf-8", "ignore").encode("utf-8")) - (len(sample) - high)
    return sound >= 4 and sound >= _TORN_UTF8_SHARE * high


def _is_western(sample: bytes) -> bool:
    """Whether the sample reads as ASCII words with a stray accent, quote or dash: too little for a detector.

    Asian encodings put bytes beyond ASCII in longer runs or use ones that mean nothing here; other alphabets
    fill whole words with them.
    """
    high = _count(sample, _HIGH)
    return high * 4 <= len(sample) and high == _count(sample, _WESTERN) and not _HIGH_RUN.search(sample)


def _binary(raw: bytes) -> str | None:
    """Why `raw` cannot be text, or None."""
    if b"\0" in raw:
        return f"NUL at byte {raw.index(0)}"
    controls = _count(raw, _CONTROLS)
    if controls > CONTROL_SHARE * len(raw):
        return f"{controls} control characters in {len(raw)} bytes"
    return None


def _plain(head: bytes, magic: bytes) -> bool:
    """Whether a page merely opens with letters that are also a magic number ("BZh...", "ID3 ...")."""
    return magic.isalnum() and not _binary(head) and head.isascii()


def _count(raw: bytes, of: bytes) -> int:
    return len(raw) - len(raw.translate(None, of))


def _newlines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
