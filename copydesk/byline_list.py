"""The names of a byline: a printed list taken apart into authors, their roles, desks and addresses."""

from __future__ import annotations

import re
from dataclasses import replace

from copydesk.byline_roles import is_outlet, read_role, split_role
from copydesk.byline_stamps import without_date
from copydesk.byline_types import Author
from copydesk.byline_words import Words, words
from copydesk.names import is_person_name

__all__ = ["is_bare_name", "read_list"]

_UP = "A-ZÀ-ÖØ-ÞĀĂĄĆČĎĐĒĖĘĚĞĢĪİĶĻŁŃŅŇŌŐŘŚŞŠŢŤŪŮŰŹŻŽȘȚЀ-Я"
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_HANDLE = re.compile(
    r"\s*(?:\b(?:Twitter|Instagram|Threads|Bluesky|Mastodon)\s*:?\s*)?(?<![\w.])@\w{2,}|(?<=[a-zà-ÿ])@\w{2,}"
)
_BRACKET = re.compile(r"\s*[(\[]([^()\[\]]*)[)\]]")
_FIRST_NAME = re.compile(rf"(?:\A|[,;|/&]\s*)[{_UP}][\w'’-]+\Z")
_NAME_IN_BRACKETS = re.compile(rf"\s+\([{_UP}][a-zà-ÿ]+\)\s+[{_UP}][\w'’-]*[a-zà-ÿ](?![\w'’-])")
"""A name inside a name: "Paramita (Guha) Ghosh"."""
_SEPARATOR = re.compile(r"\s*(?:(?P<strong>[|•·⋅●∙]|\s[-–—]+(?=\s|\Z)|—|\s{3,})|(?P<weak>[,;/]|\s&\s|\n))\s*")
_SEPARATING = frozenset("|•·⋅●∙—–-,;/&\n")
"""A separator has one of these: most lists of one name have none, and need no search."""
_OPEN_DATE = re.compile(r"\s(?:on|in|am|vom|le|el|il|um)\Z|(?<=\s)(?P<name>\S+)\s(?:On|In)\Z")
"""What stands before a date that is printed on the next line."""
_DANGLING = re.compile(r"(?:[(\[{]|\s(?:and|und|et|y|e|og|och|ve|и|&))\s*\Z|(?<=\w)-\Z", re.I)
_OPENS, _JOINS = frozenset("([{-"), frozenset(("and", "und", "et", "y", "e", "og", "och", "ve", "и", "&"))
_BEFORE_DATE = frozenset(("on", "in", "am", "vom", "le", "el", "il", "um"))
"""Ends that are worth a search for what is left open."""
_PLACE = re.compile(rf"(?:The |the |El |La |Le |Den )?[{_UP}][\w.'’-]*(?: [{_UP}][\w.'’-]*){{0,3}}")
DANGLING_LENGTH = 12
"""Characters at a list's end that show whether it is cut off."""
_GLUED = re.compile(r"[a-zà-ÿ.][^\Wa-zß-öø-ÿ_\d]")
"""Where the renderer may have glued two words: a letter that is not small right behind a small one or a full stop."""
_TITLE_CASE = re.compile(rf"[{_UP}][^.!?;:]*")


def read_list(body: str, table: Words, *, cued: bool, single: bool) -> tuple[list[Author], bool] | None:
    """The authors of a printed list, and whether it is cut off.

    None where something in it is neither a name nor what goes with one. `cued`: a byline's cue stands before
    it. `single`: one word may be a name.
    """
    end = body[-DANGLING_LENGTH:].rsplit(None, 1)[-1:]
    truncated = bool(end) and (end[0][-1] in _OPENS or end[0].lower() in _JOINS) and bool(_DANGLING.search(body))
    if truncated:
        body = _DANGLING.sub("", body)
    undated = without_date(body)
    if undated is None:
        return None
    body = undated.strip(" \t,;:–—-|/·•")
    if body[-3:].lstrip().lower() in _BEFORE_DATE:
        body = _OPEN_DATE.sub(r"\g<name>", body)
    if body.lower() in ("", "and", "in"):
        return ([], True) if cued else None
    held: list[str] = []

    def hold(m: re.Match[str]) -> str:
        if _FIRST_NAME.search(m.string, 0, m.start()) and _NAME_IN_BRACKETS.match(m.string, m.start()):
            return m.group()
        held.append(m[1].strip())
        return f"\x00{len(held) - 1}\x00"

    if "(" in body or "[" in body:
        body = _BRACKET.sub(hold, body)
        if body.count("(") > body.count(")"):
            body, truncated = body[: body.rindex("(")].rstrip(), True
    authors: list[Author] = []
    before, at = "", 0
    separators = [] if _SEPARATING.isdisjoint(body) and "   " not in body else _SEPARATOR.finditer(body)
    for m in [*separators, None]:
        piece = body[at : m.start()] if m else body[at:]
        if (
            cued
            and authors
            and before == ","
            and not table.titles.isdisjoint(piece.lower().split())
            and _closing(authors, body[at:].strip(), before, table)
        ):
            return authors, truncated
        for join, part in _joined(piece, table):
            if part and not _add(authors, part, join or before, held, table, cued=cued, single=single):
                rest = body[at:].strip()
                if cued and authors and _closing(authors, rest, before, table):
                    return authors, truncated
                return None
        if m:
            before, at = ("|" if m["strong"] else m["weak"].strip()), m.end()
    return (authors, truncated) if authors else None


def _closing(authors: list[Author], rest: str, before: str, table: Words) -> bool:
    """Whether `rest` may close the list though it is no item of it.

    Behind a stroke anything short may; behind a comma a title in capitals ("Senior Director, Content &
    Marketing"), which becomes the last author's role.
    """
    if "\x00" in rest:
        return False
    if before == "|" and len(rest) < 60:
        return True
    last = authors[-1]
    words = rest.split()
    if (
        before != ","
        or last.kind != "person"
        or " " not in last.name
        or len(rest) > 90
        or not _TITLE_CASE.fullmatch(rest)
    ):
        return False
    if (
        not all(w[0].isupper() or w in table.linking for w in words)
        or words[0].lower() in table.no_role
        or any(c.isdigit() for c in rest)
    ):
        return False
    authors[-1] = replace(last, role=last.role or rest)
    return True


def _joined(piece: str, table: Words) -> list[tuple[str, str]]:
    """Split "A und B" at its joining words: (joining word or "", part)."""
    out: list[tuple[str, str]] = []
    join, at = "", 0
    low = piece.lower()
    if low.startswith(table.leading):
        lead = next(lead for lead in table.leading if low.startswith(lead))
        join, at = lead.strip(), len(lead)
    joins = [] if table.joining.isdisjoint(low.split()) else table.joins.finditer(piece, at)
    for m in joins:
        word, rest = m["join"].lower(), piece[m.end() :]
        if word in table.narrow:
            following = table.joins.search(rest)
            name = rest[: following.start()] if following else rest
            if rest.lower() not in table.agencies and not is_person_name(name, table=table):
                continue
        if (
            word == "and"
            and piece[at : m.start()].lower() in table.modifiers
            and table.role_end.search(rest.lower())
        ):
            continue
        out.append((join, piece[at : m.start()].strip()))
        join, at = word, m.end()
    out.append((join, piece[at:].strip()))
    return out


def _add(
    authors: list[Author], part: str, before: str, held: list[str], table: Words, *, cued: bool, single: bool
) -> bool:
    """Put one piece of a list with the authors, as a new one or as said of those before; False if neither."""
    asides: list[str] = []
    if "\x00" in part:
        asides = [held[int(i)] for i in re.findall(r"\x00(\d+)\x00", part)]
        part = re.sub(r"\x00\d+\x00", " ", part).strip()
    email: str | None = None
    if "@" in part:
        if found := _EMAIL.search(part):
            email = found.group()
            part = part.replace(email, " ").strip()
        part = _HANDLE.sub("", part).strip()
    if part.endswith(".") and len(part.split()[-1]) > 3 and part.lower().split()[-1] not in table.suffixes:
        part = part[:-1]
    if part:
        said = _read(authors, " ".join(part.split()), before, table, cued=cued, single=single)
        if said is False:
            return False
        if said is not True:
            authors.append(said)
    if not authors:
        return False
    for aside in asides:
        last = authors[-1]
        if found := _EMAIL.search(aside):
            email = found.group()
        elif (joined := aside.partition(" "))[2].lower() in table.agencies and joined[
            0
        ].lower() + " " in table.leading:
            authors.append(Author(joined[2], "agency"))
        elif (kind := table.cues.get(aside.lower())) in ("author", "photo"):
            if kind == "photo":
                authors[-1] = replace(last, role=last.role or "photographer")
        elif role := read_role(aside, table):
            authors[-1] = replace(last, role=last.role or role[0], affiliation=last.affiliation or role[1])
        elif aside.lower() in table.agencies or (
            cued and 1 < len(aside) < 40 and aside[0].isupper() and not any(c.isdigit() for c in aside)
        ):
            authors[-1] = replace(last, affiliation=last.affiliation or aside)
        elif not cued:
            return False
    if email:
        authors[-1] = replace(authors[-1], email=authors[-1].email or email)
    return True


def _read(
    authors: list[Author], part: str, before: str, table: Words, *, cued: bool, single: bool
) -> Author | bool:
    """One piece as a new author; True where it says something of those before, False where it fits not."""
    low = part.lower()
    if low.startswith(("l'", "l’")) and low[2:] in table.agencies:
        part, low = part[2:], low[2:]
    last = authors[-1] if authors else None
    behind = last is not None and last.kind == "person" and not before.isalpha()
    if low in table.pictures:
        return False
    if low in table.agencies or low.removeprefix("the ") in table.agencies:
        if behind:
            _spread(authors, affiliation=part)
            return True
        return Author(part, "agency")
    if behind and last and (role := read_role(part, table)):
        if role[0].lower().endswith("s") and not role[0].lower().endswith("ss"):
            _spread(authors, role=role[0], affiliation=role[1])
        else:
            authors[-1] = replace(last, role=last.role or role[0], affiliation=last.affiliation or role[1])
        return True
    if behind and last and low in table.suffixes:
        # "Jr." belongs to the name, a degree does not
        if low.rstrip(".") in ("jr", "sr", "ii", "iii", "iv"):
            authors[-1] = replace(last, name=f"{last.name}, {part}")
        return True
    if low in table.staff:
        return Author(part, "staff") if cued or authors or low not in table.weak_staff else False
    if (
        low.endswith(table.staff_tails)
        and (cued or part[0].isupper())
        and len(part) < 50
        and not part.endswith("'s staff")
    ):
        name, team = _member_and_team(part.split(), table)
        if name:
            authors.append(Author(name))
        return Author(team, "staff")
    if (staff := _outlet_staff(part, table)) and not behind:
        return staff
    if behind and last and (town := _only_place(part, before, table, cued=cued)):
        authors[-1] = replace(last, affiliation=last.affiliation or town)
        return True
    alone = single and (not behind or all(" " not in a.name for a in authors))
    if person := _person(part, table, cued=cued, single=alone):
        if behind and last and cued and is_outlet(person.name, table):
            authors[-1] = replace(last, affiliation=last.affiliation or part)
            return True
        return person
    if last and behind and cued and not any(c.isdigit() for c in part):
        words = part.split()
        if (place := table.place.match(" " + part)) and _PLACE.fullmatch(part, place.end() - 1):
            authors[-1] = replace(last, affiliation=last.affiliation or part[place.end() - 1 :])
            return True
        if (
            part[0].isupper()
            and len(words) <= 5
            and (is_outlet(part, table) or len(words) == 1 or low in table.places)
        ):
            authors[-1] = replace(last, affiliation=last.affiliation or part)
            return True
        if (
            part[0].islower()
            and len(words) <= 7
            and len(part) <= 60
            and words[0].lower() not in table.no_role
            and before == ","
            and len(part) > 2
        ):
            authors[-1] = replace(last, role=last.role or part)
            return True
    if cued and not authors and is_outlet(part, table) and _is_paper(part.split(), table):
        return Author(part, "agency")
    return False


def _member_and_team(tokens: list[str], table: Words) -> tuple[str | None, str]:
    """Split "Scott Hill Gear Team" between a name and a team that is called by a common word."""
    name, team = " ".join(tokens[:2]), tokens[2:]
    called = len(team) >= 2 and team[0][0].isupper()
    called = called and (team[0].lower() in table.common or team[0].lower() in table.menu)
    if called and is_person_name(name, table=table) and not is_outlet(name, table) and _bare_enough(tokens[:2], table):
        return name, " ".join(team)
    return None, " ".join(tokens)


def _outlet_staff(part: str, table: Words) -> Author | None:
    """The staff of a named outlet: "PA Reporter", "Redazione ANSA"."""
    tokens = part.split()
    if not 2 <= len(tokens) <= 4:
        return None
    low = [t.lower() for t in tokens]
    front, back = " ".join(low[:-1]), " ".join(low[1:])
    if (front in table.agencies and low[-1] in table.heads) or (low[0] in table.staff and back in table.agencies):
        return Author(part, "staff")
    return None


def _only_place(part: str, before: str, table: Words, *, cued: bool) -> str | None:
    """The place that stands behind a name: "Anna Muster, Wien", "João Silva, de São Paulo"."""
    if part.lower() in table.places:
        return part
    lead, _, place = part.partition(" ")
    if cued and before == "," and lead in ("de", "da", "do", "em") and _PLACE.fullmatch(place):
        return place
    return None


def _is_paper(words: list[str], table: Words) -> bool:
    capitals = all(w[0].isupper() or w.lower() in table.linking for w in words) and words[0][0].isupper()
    return capitals and 2 <= len(words) <= 6 and table.menu.isdisjoint(w.lower() for w in words)


def _spread(authors: list[Author], *, role: str | None = None, affiliation: str | None = None) -> None:
    """Say of all persons before, back to one of whom it is said already, what stands behind their names."""
    for i in range(len(authors) - 1, -1, -1):
        author = authors[i]
        if (
            author.kind != "person"
            or (role and author.role)
            or (affiliation and not role and author.affiliation)
        ):
            break
        authors[i] = replace(author, role=author.role or role, affiliation=author.affiliation or affiliation)


def _person(part: str, table: Words, *, cued: bool, single: bool) -> Author | None:
    tokens = part.split()
    if not (part[0].isupper() or tokens[0].lower() in table.particles):
        return None
    half = len(tokens) // 2
    if half >= 2 and tokens[:half] == tokens[half:]:
        tokens = tokens[:half]
        part = " ".join(tokens)
    role = affiliation = None
    glued = _GLUED.search(part)
    if glued and (glue := table.glued_role.search(part)) and glue.start() > 4:
        part, role = part[: glue.start()], part[glue.start() :]
        role, affiliation = read_role(role, table) or (role, None)
    elif len(tokens) > 2 and (split := split_role(tokens, table)):
        part, role, affiliation = split
    elif glued and (glue := table.glued_outlet.search(part)) and " " in part[: glue.start()]:
        part, affiliation = part[: glue.start()], part[glue.start() :]
    elif len(tokens) > 2 and (outlet := _outlet_behind(tokens, table)):
        part, affiliation = outlet
    elif found := _with_place(part, table):
        return found if cued or _bare_enough(found.name.split(), table) else None
    if not is_person_name(part, alone=single, announced=cued, table=table):
        return None
    if not cued and role is None and (part.isupper() or is_outlet(part, table) or len(part.split()) > 5):
        return None
    if not cued and not _bare_enough(part.split(), table):
        return None
    if cued and _is_heading(part.lower().split(), table):
        return None
    return Author(part, role=role, affiliation=affiliation)


def _is_heading(low: list[str], table: Words) -> bool:
    """Whether words that no name has and words of menus are all that stands there: "By use case", "By price range"."""
    ordinary = all(w in table.common or w in table.not_name or w in table.menu for w in low)
    return ordinary and not table.common.isdisjoint(low)


def _outlet_behind(tokens: list[str], table: Words) -> tuple[str, str] | None:
    """Split "BOB MILLER Associated Press" between name and agency."""
    for k in range(2, len(tokens)):
        outlet = " ".join(tokens[k:])
        if outlet.lower() in table.agencies and (len(outlet) > 3 or (outlet.isupper() and not tokens[0].isupper())):
            return " ".join(tokens[:k]), outlet
    return None


def _with_place(part: str, table: Words) -> Author | None:
    """Read "Ann Lee in Berlin"."""
    place = table.place.search(part)
    if not place or " " not in part[: place.start()] or len(part) - place.end() >= 40:
        return None
    if not _PLACE.fullmatch(part, place.end()) or not is_person_name(part[: place.start()], table=table):
        return None
    return Author(part[: place.start()], affiliation=part[place.end() :])


def is_bare_name(name: str) -> bool:
    """Whether a name with the shape of a person's has no word of headings and menus in it."""
    return " " in name and _bare_enough(name.split(), words())


def _bare_enough(tokens: list[str], table: Words) -> bool:
    """Whether a run of capitalised words that nothing announces is a name and no heading."""
    low = [t.lower() for t in tokens]
    if low[0] in table.articles or low[0] in table.place_starts or " ".join(low) in table.places:
        return False
    if not table.common.isdisjoint(low) or table.menu.issuperset(low):
        return False
    # "Umbau des Hauses": in names an article in small letters stands only behind "van", "von" and the like
    return not any(
        t in table.inner_articles and tokens[i] not in table.before_article for i, t in enumerate(tokens[1:])
    )
