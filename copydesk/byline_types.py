"""What a parsed byline is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Author", "Byline"]


@dataclass(frozen=True, slots=True)
class Author:
    """One name of a byline, as spelt on the page.

    `role` and `affiliation` are kept in the printed form; a place that stands with a name ("Ann Lee in
    Berlin") is an affiliation.
    """

    name: str
    kind: Literal["person", "agency", "staff"] = "person"
    role: str | None = None
    email: str | None = None
    affiliation: str | None = None


@dataclass(frozen=True, slots=True)
class Byline:
    """One byline: `start` and `end` are characters in the text that was given, half-open, outer blanks out.

    `cued`: a mark such as "By", "Von", 기자 or a reporter's role stands there; a bare name has none and is a
    byline by its position only. `truncated`: the line was cut off ("By Choi Hee-suk (", "By").
    """

    start: int
    end: int
    raw: str
    authors: tuple[Author, ...]
    cued: bool
    truncated: bool
