"""Time zones as newsrooms print them: what "KST", "ET" or "GMT+2" says on a given day.

The table is `data/zones.toml`. A name that several places use (CST, IST, BST) is settled by the
publisher's own zone or country, and stays open where neither decides: an hour is never guessed.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from functools import cache
from importlib.resources import files
from typing import Any, Literal
from zoneinfo import ZoneInfo

Source = Literal["stated", "publisher", "country", "language"]

_OFFSET = re.compile(r"(?:GMT|UTC)?\s?([+\-−])\s?(\d{1,2}):?(\d\d)?")
_ALIASES = {"UK": "GB", "EL": "GR"}
_LONGEST = timedelta(hours=14)


@dataclass(frozen=True, slots=True)
class Zones:
    """The zone table: fixed offsets, places with a clock of their own, names with several meanings, the clocks of
    countries, and what the end of a domain says of the country.
    """

    fixed: Mapping[str, timedelta]
    places: Mapping[str, str]
    open: Mapping[str, Mapping[str, timedelta]]
    usual: Mapping[str, timedelta]
    countries: Mapping[str, str]
    languages: Mapping[str, str]
    generic_domains: frozenset[str]
    domains: Mapping[str, str]

    @property
    def names(self) -> list[str]:
        """Every printed name, the longest first (as a pattern wants them)."""
        return sorted({*self.fixed, *self.places, *self.open}, key=lambda n: (-len(n), n))


def _offset(text: str) -> timedelta | None:
    found = _OFFSET.fullmatch(text)
    if not found:
        return None
    sign, hours, minutes = found.groups()
    size = timedelta(hours=int(hours), minutes=int(minutes or 0))
    if size > _LONGEST or int(minutes or 0) > 59:
        return None
    return size if sign == "+" else -size


def _read(text: str) -> timedelta:
    offset = _offset(text)
    if offset is None:
        raise ValueError(f"zones.toml: {text!r} is no UTC offset")
    return offset


@cache
def zones() -> Zones:
    """The table of `data/zones.toml`, read on first use. Raises ValueError where an offset is no offset."""
    raw: dict[str, Any] = tomllib.loads((files("copydesk") / "data" / "zones.toml").read_text("utf-8"))
    return Zones(
        fixed={name: _read(o) for name, o in raw["fixed"].items()},
        places=dict(raw["places"]),
        open={
            name: {country: _read(o) for o, countries in row["offsets"].items() for country in countries}
            for name, row in raw["open"].items()
        },
        usual={name: _read(row["usual"]) for name, row in raw["open"].items() if "usual" in row},
        countries=dict(raw["countries"]),
        languages=dict(raw["languages"]),
        generic_domains=frozenset(raw["domains"]["generic"]),
        domains=dict(raw["domains"]["of"]),
    )


def country_of_domain(host: str) -> str | None:
    """The country (ISO 3166, lower case) that the end of a host names, or None.

    >>> country_of_domain("news.example.co.uk"), country_of_domain("example.tv"), country_of_domain("example.com")
    ('gb', None, None)
    >>> country_of_domain("example.co"), country_of_domain("example.com.co")
    (None, 'co')
    """
    *_, before, end = ("", *host.lower().rstrip(".").split("."))
    table = zones()
    if end in table.domains:
        return table.domains[end].lower() or None
    # "co" is anyone's, but below "com.co" Colombia's
    generic = end.upper() in table.generic_domains and before not in ("com", "co", "org", "net", "gov", "edu")
    return end if len(end) == 2 and end.isascii() and end.isalpha() and not generic else None


def country_zone(country: str | None) -> str | None:
    """The IANA zone of a country whose press keeps one clock.

    >>> country_zone("de"), country_zone("us")
    ('Europe/Berlin', None)
    """
    code = (country or "").upper()
    return zones().countries.get(_ALIASES.get(code, code))


def zone_pattern() -> str:
    """A regular expression for a printed zone. Case counts; a name may be glued to a word ("EDTUpdated")."""
    names = "|".join(re.escape(name) for name in zones().names if name != "Z")
    return rf"(?:(?:GMT|UTC)\s?[+\-−]\s?\d{{1,2}}(?::?\d\d)?|(?:{names})(?![^\W\dA-Z_]|[A-Z](?![a-z])))"


def _zone_of(name: str | None) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (KeyError, ValueError, OSError):
        return None


def _own_meaning(zone: str, clock: ZoneInfo, on: date) -> timedelta | None:
    """The offset that a place's own clock calls by this name in that year ("CST" in Chicago, in Shanghai)."""
    for day in (on, date(on.year, 1, 1), date(on.year, 7, 1)):
        noon = datetime.combine(day, time(12), clock)
        if noon.tzname() == zone:
            return noon.utcoffset()
    return None


def _clock(zone: str, on: date, country: str | None, publisher_zone: str | None) -> tzinfo | None:
    table = zones()
    zone = zone.strip(" ()")
    if zone in table.places:
        return _zone_of(table.places[zone])
    offset = table.fixed.get(zone)
    if offset is None and zone in table.open:
        own = _zone_of(publisher_zone)
        offset = _own_meaning(zone, own, on) if own else None
        if offset is None and country:
            country = country.upper()
            offset = table.open[zone].get(_ALIASES.get(country, country))
        if offset is None and own:
            # The publisher's clock may show one of the meanings without using the name (Dhaka, "+06").
            shown = {datetime.combine(date(on.year, m, 1), time(12), own).utcoffset() for m in (1, 7)}
            meant = {o for o in table.open[zone].values() if shown == {o}}
            offset = meant.pop() if len(meant) == 1 else None
        if offset is None:
            offset = table.usual.get(zone)
    if offset is None:
        offset = _offset(zone)
    return None if offset is None else timezone(offset)


def stated_offset(
    zone: str, on: date, *, country: str | None = None, publisher_zone: str | None = None
) -> timedelta | None:
    """The UTC offset of a printed zone on a day (at noon), or None where the name stays open.

    `country` is an ISO 3166 code, `publisher_zone` an IANA name; either settles a name of several meanings.

    >>> stated_offset("KST", date(2019, 4, 26))
    datetime.timedelta(seconds=32400)
    >>> stated_offset("CST", date(2019, 4, 26)) is None
    True
    >>> stated_offset("CST", date(2019, 4, 26), publisher_zone="Asia/Shanghai")
    datetime.timedelta(seconds=28800)
    """
    clock = _clock(zone, on, country, publisher_zone)
    return None if clock is None else datetime.combine(on, time(12), clock).utcoffset()


def instant(
    on: date | None,
    at: time | None,
    *,
    zone: str | None,
    publisher_zone: str | None,
    country: str | None = None,
    language: str | None = None,
) -> tuple[datetime | None, str | None, Source | None]:
    """The instant in UTC of a printed day and time, the zone it was read in, and where that zone comes from.

    A printed zone counts before the publisher's, this before the one clock of the country's press, and this before that
    of the language's (BCP 47), which is asked only where no country is known. A printed zone that stays open gives no
    instant rather than the publisher's. So do a day without a time, and a wall time that the zone's clock shows twice
    or never.

    >>> at, zone, source = instant(date(2019, 4, 28), time(17, 42), zone=None, publisher_zone="Asia/Seoul")
    >>> str(at), zone, source
    ('2019-04-28 08:42:00+00:00', 'Asia/Seoul', 'publisher')
    """
    if on is None or at is None:
        return None, None, None
    source: Source
    if zone is not None:
        clock, used, source = _clock(zone, on, country, publisher_zone), zone, "stated"
    elif publisher_zone is not None:
        clock, used, source = _zone_of(publisher_zone), publisher_zone, "publisher"
    elif local := country_zone(country):
        clock, used, source = _zone_of(local), local, "country"
    elif country is None and (local := zones().languages.get((language or "").partition("-")[0])):
        clock, used, source = _zone_of(local), local, "language"
    else:
        return None, None, None
    if clock is None:
        return None, None, None
    wall = datetime.combine(on, at, clock)
    if wall.utcoffset() != wall.replace(fold=1).utcoffset():
        return None, None, None
    return wall.astimezone(UTC), used, source
