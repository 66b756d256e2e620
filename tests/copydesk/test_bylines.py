"""Bylines: the table of printed forms, and what must hold for every list of names."""

from __future__ import annotations

import tomllib
from itertools import chain
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from copydesk.bylines import Author, behind_cue, closing_byline, is_byline_cue, parse_byline, same_person

TABLE = tomllib.loads((Path(__file__).parent / "cases" / "bylines.toml").read_text("utf-8"))
CUED = list(chain.from_iterable(group.items() for group in TABLE["cued"].values()))
BARE = list(chain.from_iterable(group.items() for group in TABLE["bare"].values()))
NONE = list(chain.from_iterable(TABLE["none"].values()))
FIELDS = {"role": "role", "mail": "email", "of": "affiliation"}


def authors(expected: str) -> list[Author]:
    """The authors of the table's notation."""
    out = []
    for printed in expected.split(" + ") if expected else []:
        name, *rest = printed.split("; ")
        kind = "person"
        for word in ("agency", "staff"):
            if name.startswith(word + ": "):
                kind, name = word, name.removeprefix(word + ": ")
        values = {FIELDS[part.split(" ", 1)[0]]: part.split(" ", 1)[1] for part in rest}
        out.append(Author(name, kind, **values))  # type: ignore[arg-type]
    return out


def check(line: str, expected: str) -> None:
    found = parse_byline(line)
    assert found is not None
    assert list(found.authors) == authors(expected)


@pytest.mark.parametrize(("line", "expected"), CUED)
def test_cued(line: str, expected: str) -> None:
    check(line, expected)
    found = parse_byline(line)
    assert found is not None and found.cued and not found.truncated
    assert found.raw == line.strip() == line[found.start : found.end]


@pytest.mark.parametrize(("line", "expected"), BARE)
def test_bare(line: str, expected: str) -> None:
    check(line, expected)
    found = parse_byline(line)
    assert found is not None and not found.cued


@pytest.mark.parametrize(("line", "expected"), list(TABLE["truncated"].items()))
def test_truncated(line: str, expected: str) -> None:
    check(line, expected)
    found = parse_byline(line)
    assert found is not None and found.truncated and found.cued


@pytest.mark.parametrize("line", NONE)
def test_none(line: str) -> None:
    assert parse_byline(line) is None


@pytest.mark.parametrize(
    ("line", "expected"),
    [pytest.param(*case, marks=pytest.mark.xfail(strict=True)) for case in TABLE["known_failures"].items()],
)
def test_known_failures(line: str, expected: str) -> None:
    check(line, expected)


def test_the_table_is_broad() -> None:
    assert len(CUED) + len(BARE) + len(TABLE["truncated"]) >= 400
    assert len(NONE) >= 200


@pytest.mark.parametrize(
    "line",
    ["By", "by", "By:", "• By", "Von", "von:", "Par", "Por", "di", "Written by", "Door", "作者：", "記者"],
)
def test_cue_alone(line: str) -> None:
    assert is_byline_cue(line)


@pytest.mark.parametrize(
    "line",
    [
        "By Ann Lee",
        "Bye",
        "Text",
        "Story",
        "기자",
        "",
        "Editing by",
        "Photos",
        "Interview",
        "Contributors",
        "Foto:",
    ],
)
def test_no_cue_alone(line: str) -> None:
    assert not is_byline_cue(line)


@pytest.mark.parametrize(
    ("line", "language", "names"),
    [
        ("Di Maria", "it", ["Maria"]),
        ("Von Regan", "de", ["Regan"]),
        ("Por Ana", "es-MX", ["Ana"]),
        ("Par Anna", "fr", ["Anna"]),
    ],
)
def test_the_language_settles_one_word(line: str, language: str, names: list[str]) -> None:
    found = parse_byline(line, language=language)
    assert found is not None and [a.name for a in found.authors] == names
    assert parse_byline(line, language="en") is None


@pytest.mark.parametrize(
    ("paragraph", "names"),
    [
        (
            "Das sagte er am Montag. (Anna Muster aus Berlin, Bernd Beispiel)",
            ["Anna Muster", "Bernd Beispiel"],
        ),
        ("„Nein“, sagte sie. (Anna Muster)", ["Anna Muster"]),
        ("人質が拘束されている。【エルサレム松岡大地、カイロ金子淳】", ["松岡大地", "金子淳"]),
    ],
)
def test_closing(paragraph: str, names: list[str]) -> None:
    found = closing_byline(paragraph)
    assert found is not None and [a.name for a in found.authors] == names
    assert paragraph[found.start : found.end].startswith(("(", "【"))


@pytest.mark.parametrize(
    "paragraph",
    [
        "He left (it was late).",
        "He left. (You can read it here.)",
        "Er kam. (kas)",
        "It is done. (VIDEO)",
        "No bracket.",
        "",
    ],
)
def test_not_closing(paragraph: str) -> None:
    assert closing_byline(paragraph) is None


@pytest.mark.parametrize(
    ("a", "b", "verdict"),
    [
        ("Choi He-suk", "Choi Hee-suk", "variant"),
        ("Maya Gebeily", "Maya Gebeilly", "variant"),
        ("JOHN SMITH", "John Smith", "same"),
        ("Ann Lee", "Ann  Lee", "same"),
        ("Sam O'Brien", "Sam O’Brien", "same"),
        ("Park Min-hee", "Park Minhee", "same"),
        ("José Díaz", "Jose Diaz", "variant"),
        ("John Ford", "John M. Ford", "variant"),
        ("J. Smith", "John Smith", "variant"),
        ("Kim Min-su", "Min-su Kim", "variant"),
        ("Jon Hilton", "John Hilton", "variant"),
        ("Lee Young-hee", "Lee Yeong-hee", "variant"),
        ("Kim Min-su", "Kim Min-ju", "different"),
        ("Ann Lee", "Bob Lee", "different"),
        ("Ann Lee", "Ann Miller", "different"),
        ("Ann Lee", "", "different"),
        ("Anna", "Ann", "different"),
        ("김정은", "김정은", "same"),
        ("김정은", "김정운", "different"),
        ("J. Smith", "Ann Smith", "different"),
        ("Jörg Müller", "Joerg Mueller", "different"),
        ("山田太郎", "山田 太郎", "same"),
    ],
)
def test_same_person(a: str, b: str, verdict: str) -> None:
    assert same_person(a, b) == verdict
    assert same_person(b, a) == verdict


GIVEN = [
    "Anna",
    "Bernd",
    "Clara",
    "Déborah",
    "Éva",
    "João",
    "Min-hee",
    "Zoë",
    "Łukasz",
    "Jean-Paul",
    "Ömer",
    "Åse",
]
FAMILY = [
    "Muster",
    "O'Hara",
    "van der Berg",
    "de la Cruz",
    "Dupont-Petit",
    "Yılmaz",
    "Öz",
    "Kowalska",
    "von Habsheim",
    "Ñáñez",
    "McKay",
    "Al-Masri",
]
LATIN = st.builds("{} {}".format, st.sampled_from(GIVEN), st.sampled_from(FAMILY))
FORMS = {
    "en": ("By ", "and"),
    "de": ("Von ", "und"),
    "fr": ("Par ", "et"),
    "es": ("Por ", "y"),
    "it": ("di ", "e"),
    "pt": ("Por ", "e"),
    "nl": ("Door ", "en"),
    "nb": ("Av ", "og"),
    "sv": ("Av ", "och"),
    "pl": ("Autorzy: ", "i"),
    "tr": ("Haber: ", "ve"),
    "en-x-label": ("Authors: ", "&"),
}


@given(
    st.lists(LATIN, min_size=1, max_size=4, unique_by=str.casefold),
    st.sampled_from(sorted(FORMS)),
    st.booleans(),
)
def test_a_joined_list_is_read_back(names: list[str], language: str, cued: bool) -> None:
    cue, join = FORMS[language]
    line = ", ".join(names[:-1]) + (f" {join} " if len(names) > 1 else "") + names[-1]
    found = parse_byline(cue + line if cued else line, language=language)
    assert found is not None
    assert [a.name for a in found.authors] == names
    assert found.cued is cued


KOREAN = st.builds(
    "{}{}".format, st.sampled_from("김이박최정한"), st.sampled_from(["민수", "영희", "철수", "지원"])
)
CHINESE = st.builds("{}{}".format, st.sampled_from("王李张刘陈"), st.sampled_from(["小明", "华", "建国"]))
JAPANESE = st.builds(
    "{}{}".format, st.sampled_from(["山田", "鈴木", "佐藤"]), st.sampled_from(["太郎", "一郎", "花子"])
)
WIDE = st.one_of(
    st.lists(KOREAN, min_size=1, max_size=4, unique=True).map(lambda n: (n, "·".join(n) + " 기자")),
    st.lists(KOREAN, min_size=1, max_size=4, unique=True).map(
        lambda n: (n, ", ".join(f"{x} 기자" for x in n))
    ),
    st.lists(CHINESE, min_size=1, max_size=4, unique=True).map(lambda n: (n, "记者 " + " ".join(n))),
    st.lists(JAPANESE, min_size=1, max_size=4, unique=True).map(lambda n: (n, "取材・文＝" + "、".join(n))),
    st.lists(JAPANESE, min_size=1, max_size=4, unique=True).map(lambda n: (n, f"【ソウル＝{'、'.join(n)}】")),
)


@given(WIDE)
def test_a_wide_list_is_read_back(case: tuple[list[str], str]) -> None:
    names, line = case
    found = parse_byline(line)
    assert found is not None and [a.name for a in found.authors] == names and found.cued


PIECES = st.lists(
    st.one_of(
        st.text(max_size=12),
        st.sampled_from(
            [
                "By ",
                "Von ",
                "Ann Lee",
                ", ",
                " and ",
                "(",
                ")",
                "@",
                "기자",
                "記者",
                "|",
                " – ",
                "2024",
                "Reuters",
            ]
        ),
    ),
    max_size=12,
).map("".join)


@settings(max_examples=300)
@given(PIECES, st.sampled_from([None, "en", "de", "ko", "xx"]))
def test_never_raises_and_stays_within(text: str, language: str | None) -> None:
    is_byline_cue(text)
    for found in (parse_byline(text, language=language), closing_byline(text)):
        if found:
            assert 0 <= found.start < found.end <= len(text)
            assert all(a.name.strip() for a in found.authors)
    found = parse_byline(text, language=language)
    if found:
        assert text[found.start : found.end] == found.raw


@pytest.mark.parametrize(
    "unit", ["By ", "Ann Lee, ", "a", "(", "| ", "and ", "Ann ", "1 ", "記", "기", ". ", "- "]
)
def test_long_lines_are_cheap(unit: str) -> None:
    for size in (300, 5000):
        parse_byline((unit * size)[:size])
        closing_byline((unit * size)[:size] + " (Ann Lee)")


@pytest.mark.parametrize(
    "line",
    [
        "Texte Ombudsman\t\tWomen's National Basketball Association (WNBA)\t\tCommissioner",
        "By Ann (Harbour Post) Lee",
    ],
)
def test_no_name_is_put_together_from_what_stands_apart(line: str) -> None:
    found = parse_byline(line)
    assert all("".join(a.name.split()) in "".join(line.split()) for a in (found.authors if found else ()))


@pytest.mark.parametrize(
    "cue, below, names",
    [
        ("By", "• Ann Lee on May 5, 2024", ["Ann Lee"]),
        ("Protokoll:", "Bernd Beispiel", ["Bernd Beispiel"]),
        # a cue that needs its colon is no part of the name below it
        ("• Protokoll", "• Hen Fighters", None),
        ("By", "the time we arrived", None),
    ],
)
def test_a_name_below_a_cue_alone(cue: str, below: str, names: list[str] | None) -> None:
    found = behind_cue(cue, below)
    assert (found and [author.name for author in found.authors]) == names
