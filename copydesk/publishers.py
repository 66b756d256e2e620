"""Publisher profiles: what we know of one outlet, as data in `publishers/*.toml`, loaded strictly."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import polars as pl

from copydesk.roles import FURNITURE
from copydesk.rules import RuleError, parse_toml
from copydesk.zones import country_of_domain

ORDERS = ("day_first", "month_first")
EARLIEST, LATEST = 1605, 2100
"""Years in which a newspaper may have been founded: the first one is of 1605 (Relation, Strasbourg)."""
PUBLISHERS_FOLDER = Path(__file__).parent / "publishers"


@dataclasses.dataclass(frozen=True, slots=True)
class Profile:
    """One outlet. domains: of its pages and its e-mail addresses, subdomains included. mastheads: lines that
    are its name and nothing else. zone: IANA zone of times printed without one. country: ISO 3166, lower case.
    numeric_dates: `day_first` or `month_first`, the order of days such as 04/05/2024. founded: the year of its first
    issue; no date of its pages is older.
    furniture: lines of its pages that are never the article's, each with its role. A profile that has furniture but
    neither domains nor mastheads adds to the profile of the same name.
    """

    name: str
    why: str
    file: str
    domains: tuple[str, ...] = ()
    mastheads: tuple[str, ...] = ()
    zone: str | None = None
    country: str | None = None
    numeric_dates: str | None = None
    founded: int | None = None
    furniture: tuple[tuple[str, str], ...] = ()

    @property
    def signs(self) -> tuple[str, ...]:
        """What its pages are known by: domains and mastheads. None where it only adds to another profile."""
        return (*self.domains, *self.mastheads)

    @property
    def site(self) -> str:
        """What site memory files its pages under: its first domain, else its name."""
        return self.domains[0] if self.domains else self.name


@dataclasses.dataclass(frozen=True)
class ProfileBook:
    """All profiles of a run and the version that names exactly them."""

    profiles: tuple[Profile, ...]
    version: str

    @functools.cached_property
    def table(self) -> pl.DataFrame:
        """`profile` (its number), `site`, `publisher`, `zone`, `country`, `numeric_dates`, `founded`."""
        rows = [
            (n, p.site, p.name, p.zone, p.country, p.numeric_dates, p.founded) for n, p in enumerate(self.profiles)
        ]
        schema = {
            "profile": pl.UInt16, "site": pl.String, "publisher": pl.String, "zone": pl.String, "country": pl.String,
            "numeric_dates": pl.String, "founded": pl.Int32,
        }  # fmt: skip
        return pl.DataFrame(rows, schema=schema, orient="row")

    @functools.cached_property
    def furniture(self) -> pl.DataFrame:
        """Every furniture line of every profile: `site`, `line`, `role`."""
        homes = {p.name: p.site for p in self.profiles if p.signs}
        rows = [(homes[p.name], line, role) for p in self.profiles for line, role in p.furniture]
        return pl.DataFrame(rows, schema={"site": pl.String, "line": pl.String, "role": pl.String}, orient="row")

    @functools.cached_property
    def domains(self) -> pl.DataFrame:
        """Every domain of every profile: `domain`, `profile`."""
        rows = [(d, n) for n, p in enumerate(self.profiles) for d in p.domains]
        return pl.DataFrame(rows, schema={"domain": pl.String, "profile": pl.UInt16}, orient="row")

    @functools.cached_property
    def mastheads(self) -> pl.DataFrame:
        """Every masthead line: `text`, `profile`."""
        rows = [(m, n) for n, p in enumerate(self.profiles) for m in p.mastheads]
        return pl.DataFrame(rows, schema={"text": pl.String, "profile": pl.UInt16}, orient="row")


def load_profiles(folders: Iterable[Path] = ()) -> ProfileBook:
    """Load our profiles and those of the given folders.

    Raises RuleError, naming the file, for an unknown key, a missing name or why, an unknown zone or role, a domain
    or masthead that two profiles claim, or furniture for a profile that is not there.
    """
    profiles, digest, owners = [], hashlib.sha256(), dict[str, str]()
    for folder in (PUBLISHERS_FOLDER, *folders):
        for path in sorted(folder.glob("*.toml")):
            source = path.read_bytes()
            digest.update(path.name.encode() + b"\0" + source)
            profile = _read_profile(path.name, source)
            profiles.append(profile)
            for claim in profile.signs:
                if claim in owners:
                    raise RuleError(
                        f"{path.name}: {claim!r} belongs to {owners[claim]} already: drop it from one of them"
                    )
                owners[claim] = path.name
    homes = {p.name for p in profiles if p.signs}
    for profile in profiles:
        if profile.name not in homes:
            raise RuleError(
                f"{profile.file}: no profile is named {profile.name!r}: give `domains` or `mastheads`, or the name "
                "of the profile that the furniture belongs to"
            )
    return ProfileBook(tuple(profiles), digest.hexdigest()[:12])


@functools.cache
def our_profiles() -> ProfileBook:
    """The profiles that ship with copydesk, loaded once."""
    return load_profiles()


def _read_profile(file: str, source: bytes) -> Profile:
    entry = parse_toml(file, source)
    known = {f.name for f in dataclasses.fields(Profile)} - {"file"}
    if unknown := sorted(set(entry) - known):
        raise RuleError(f"{file}: unknown key {unknown}: known are {sorted(known)}")
    if missing := [k for k in ("name", "why") if not entry.get(k)]:
        raise RuleError(f"{file}: {missing} missing: a profile says whose it is and why it is needed")
    if not (entry.get("domains") or entry.get("mastheads") or entry.get("furniture")):
        raise RuleError(f"{file}: needs `domains` or `mastheads`, or no page can ever match it")
    entry["furniture"] = _read_furniture(file, entry.get("furniture", []))
    if zone := entry.get("zone"):
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError):
            raise RuleError(f"{file}: zone {zone!r} is no IANA zone (such as 'Asia/Seoul')") from None
    if (order := entry.get("numeric_dates", ORDERS[0])) not in ORDERS:
        raise RuleError(f"{file}: numeric_dates {order!r} is none of {list(ORDERS)}")
    if type(founded := entry.get("founded", EARLIEST)) is not int or not EARLIEST <= founded <= LATEST:
        raise RuleError(f"{file}: founded {founded!r} is no year from {EARLIEST} to {LATEST}")
    values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in entry.items()}
    return Profile(**values, file=file)


def _read_furniture(file: str, entries: Any) -> list[tuple[str, str]]:
    lines: dict[str, str] = {}
    for entry in entries if isinstance(entries, list) else [entries]:
        if not (isinstance(entry, dict) and entry.keys() == {"line", "role"} and str(entry["line"]).strip()):
            raise RuleError(f'{file}: furniture {entry!r}: each is {{ line = "...", role = "..." }}')
        if entry["role"] not in FURNITURE:
            raise RuleError(
                f"{file}: furniture {entry['line']!r}: role {entry['role']!r} is none of {sorted(FURNITURE)}"
            )
        if entry["line"] in lines:
            raise RuleError(f"{file}: furniture {entry['line']!r} stands twice: drop one of them")
        lines[entry["line"]] = entry["role"]
    return list(lines.items())


COPYRIGHT_NAME = (
    r"(?i)(?:©|ⓒ|\(c\)|copyright)[\s©ⓒ]*(?:(?:19|20)\d\d(?:\s?[-–]\s?(?:19|20)\d\d)?)?[\s,:]*"
    r"([^\s\d.,|©ⓒ][^.,|©ⓒ]{1,38}?)\s*(?:[.,|]|all rights|alle rechte|tous droits|todos los|무단|無断|$)"
)
"""The owner that a copyright line names."""


def find_sites(pages: pl.DataFrame, lines: pl.DataFrame, book: ProfileBook) -> pl.DataFrame:
    """Find each page's site and outlet: its profile by the URL's host, a masthead line or an e-mail address on the
    page; else the host alone.

    `pages` has `page` and `url`; `lines` has `page` and `text`. Returns `page`, `site` (the profile's first domain,
    else the host; null where neither is known), `publisher` (the profile's name, else the host), `masthead` (that of
    the profile, as a line of the page; or null), `zone`, `country` (the profile's, else the one that the host's end
    names), `numeric_dates` and `founded`.
    """
    hosts = pages.select("page", host=host(pl.col("url")))
    by_host = _by_domain(hosts.select("page", domain="host"), book)
    named = lines.select("page", "text").join(book.mastheads, on="text", maintain_order="left")
    mail = (
        lines.filter(pl.col("text").str.contains("@", literal=True))
        .select(
            "page",
            domain=pl.col("text").str.extract(r"@([A-Za-z0-9.-]+\.[A-Za-z]{2,})", 1).str.to_lowercase(),
        )
        .drop_nulls()
    )
    found = (
        pl.concat([by_host, named.select("page", "profile"), _by_domain(mail, book)])
        .unique("page", keep="first", maintain_order=True)
        .join(book.table, on="profile")
    )
    mastheads = (
        named.join(found, on=["page", "profile"], how="semi", maintain_order="left")
        .select("page", masthead="text")
        .unique("page", keep="first", maintain_order=True)
    )
    ends = hosts.select("host").unique().drop_nulls()
    ends = ends.with_columns(
        domain_country=pl.Series([country_of_domain(h) for h in ends["host"].to_list()], dtype=pl.String)
    )
    return (
        hosts.join(ends, on="host", how="left", maintain_order="left")
        .join(found, on="page", how="left", maintain_order="left")
        .join(mastheads, on="page", how="left", maintain_order="left")
        .select(
            "page", pl.coalesce("site", "host").alias("site"), pl.coalesce("publisher", "host").alias("publisher"),
            "masthead", "zone", pl.coalesce("country", "domain_country").alias("country"), "numeric_dates", "founded",
        )
    )  # fmt: skip


def match_publishers(sites: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    """Complete `publisher` where no profile and no URL named it: the name on the page's first lines or in its
    copyright line. `sites` is from `find_sites`, `lines` from `page_structure`.
    """
    top = lines.filter(pl.col("rule_name") == "masthead_first_line").select("page", named="text")
    owner = (
        lines.filter(pl.col("in_tail"), pl.col("weight") <= 200)
        .select("page", named=pl.col("text").str.extract(COPYRIGHT_NAME, 1).str.strip_chars())
        .drop_nulls()
    )
    named = pl.concat([top, owner]).unique("page", keep="first", maintain_order=True)
    return (
        sites.join(named, on="page", how="left", maintain_order="left")
        .with_columns(publisher=pl.coalesce("publisher", "named"))
        .drop("named")
    )


def host(url: pl.Expr) -> pl.Expr:
    """The host of a URL, without `www.`."""
    return url.str.extract(r"^[a-zA-Z]+://(?:[^/@]*@)?(?:www\.)?([^/:?#]+)", 1).str.to_lowercase()


def _by_domain(rows: pl.DataFrame, book: ProfileBook) -> pl.DataFrame:
    """Match `domain` or a parent of it against the profiles."""
    distinct = rows.select("domain").unique().drop_nulls()
    parents = distinct.with_columns(
        parent=pl.col("domain").map_elements(
            lambda d: [d.split(".", n)[-1] for n in range(d.count("."))], return_dtype=pl.List(pl.String)
        )
    ).explode("parent", empty_as_null=True)
    known = parents.join(book.domains, left_on="parent", right_on="domain").unique("domain", keep="first")
    return rows.join(known.select("domain", "profile"), on="domain", maintain_order="left").select(
        "page", "profile"
    )
