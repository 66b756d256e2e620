"""Captions and credits, and lines printed twice."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copydesk.credits import doubled, split_caption

SPLIT = [
    ("A bridge in the rain. (Yonhap)", "A bridge in the rain.", "Yonhap"),
    ("A bridge in the rain (Yonhap)", "A bridge in the rain", "Yonhap"),
    ("The minister speaks in Seoul, Monday. (Yonhap)", "The minister speaks in Seoul, Monday.", "Yonhap"),
    (
        "A truck outside a shop in Hialeah, Fla. (AP Photo/Ann Lee, File)",
        "A truck outside a shop in Hialeah, Fla.",
        "AP Photo/Ann Lee, File",
    ),
    ("Voting begins in autumn. (AP Video by Bob Miller)", "Voting begins in autumn.", "Bob Miller"),
    ("A founder in court (AFP)", "A founder in court", "AFP"),
    ("A dog. Photograph: Ann Lee/Agency", "A dog.", "Ann Lee/Agency"),
    ("A city by night (Image: GETTY)", "A city by night", "GETTY"),
    ("A city by night (Image: GETTY )", "A city by night", "GETTY"),
    ("A city by night (Image: Ann Lee/Getty Images)", "A city by night", "Ann Lee/Getty Images"),
    ("(Image: © Ann Lee Collaboration)", "", "Ann Lee Collaboration"),
    ("(Image credit: Shutterstock)", "", "Shutterstock"),
    ("Ein Hund im Regen. Foto: dpa", "Ein Hund im Regen.", "dpa"),
    ("Ein Hund im Regen. Bild: Anna Muster/dpa", "Ein Hund im Regen.", "Anna Muster/dpa"),
    (
        "Ein Hund im Regen. Bild: Keystone/The White House via AP/Ann Lee",
        "Ein Hund im Regen.",
        "Keystone/The White House via AP/Ann Lee",
    ),
    ("Das Heim im Ort © Gemeinde Musterdorf", "Das Heim im Ort", "Gemeinde Musterdorf"),
    (
        "A cyclist in La Paz, Bolivia. © Reuters / David Hill",
        "A cyclist in La Paz, Bolivia.",
        "Reuters / David Hill",
    ),
    ("A man on a donkey rides home. Jaafar HILL / AFP", "A man on a donkey rides home.", "Jaafar HILL / AFP"),
    ("A dog in the rain. Getty Images", "A dog in the rain.", "Getty Images"),
    ("A dog in the rain. Ann Lee/AFP via Getty Images", "A dog in the rain.", "Ann Lee/AFP via Getty Images"),
    ("A dog. Photo by Ann Lee", "A dog.", "Ann Lee"),
    ("A dog. | Photo by Ann Lee", "A dog.", "Ann Lee"),
    (
        "“There is pain in that.”Photograph by Danielle Hill for The Weekly",
        "“There is pain in that.”",
        "Danielle Hill for The Weekly",
    ),
    ("Natalie Hill | Bloomberg | Getty Images", "", "Natalie Hill | Bloomberg | Getty Images"),
    ("Bloomberg | Getty Images", "", "Bloomberg | Getty Images"),
    ("Image Credits: UiPath", "", "UiPath"),
    ("Illustration by Arina Hill", "", "Arina Hill"),
    ("Illustrations by Monica Hill", "", "Monica Hill"),
    ("Photograph by Fred Hill / MUSE Collection / Getty", "", "Fred Hill / MUSE Collection / Getty"),
    ("Photo: Crédit A / AFP", "", "Crédit A / AFP"),
    ("Photo: David Hill, STF / Associated Press", "", "David Hill, STF / Associated Press"),
    ("Photo: Hau Hill, AP", "", "Hau Hill, AP"),
    ("Image: Springfield Municipality / Facebook", "", "Springfield Municipality / Facebook"),
    ("Noel Hill/Getty Images", "", "Noel Hill/Getty Images"),
    ("STR/AFP via Getty Images", "", "STR/AFP via Getty Images"),
    ("Getty Images", "", "Getty Images"),
    ("© Aaron Hill", "", "Aaron Hill"),
    ("Une rue. Photo Ann Lee", None, None),
    ("Una calle. Foto: EFE", "Una calle.", "EFE"),
    ("Una strada (Foto: ANSA)", "Una strada", "ANSA"),
    ("Ulica w deszczu. Fot. Jan Kowalski", None, None),
    ("Ulica w deszczu. Fot.: Jan Kowalski", "Ulica w deszczu.", "Jan Kowalski"),
    ("Улица. Фото: ТАСС", "Улица.", "ТАСС"),
    ("写真＝山田太郎", "", "山田太郎"),
    ("雨の橋（写真：ロイター）", "雨の橋", "ロイター"),
    ("雨の橋（ロイター）", "雨の橋", "ロイター"),
    ("[사진=연합뉴스]", "", "연합뉴스"),
    ("비 오는 다리. [사진=연합뉴스]", "비 오는 다리.", "연합뉴스"),
    ("비 오는 다리. (제공=서울시)", "비 오는 다리.", "서울시"),
    ("비 오는 다리. 연합뉴스", "비 오는 다리.", "연합뉴스"),
    ("雨中的桥。图片来源：新华社", "雨中的桥。", "新华社"),
]

NO_CREDIT = [
    "The agency (Yonhap) said so.",
    "He spoke to the press (it was late)",
    "It rose again, according to Reuters.",
    "He told Reuters.",
    "The paper told the Associated Press",
    "Rep. Ann Lee (D-Springfield), who finds the plan odd, left.",
    "(Don’t answer that)",
    "(You can read it here.)",
    "The photo: a story of hope",
    "Image 1 of 9",
    "The picture is clear: nobody knows.",
    "A photo by the river shows it.",
    "June 10 – Tampa, FL @ Credit Union Park",
    "New Release (Upgrade to Premium)",
    "© 2024 The Daily Hill. All Rights Reserved.",
    "Copyright © 2024 The Daily Hill",
    "© RIPRODUZIONE RISERVATA",
    "The credit: a loan for all who want it and can pay.",
    "He said on Monday that the photo was his.",
    "Black Friday (2024)",
    "They beat Springfield (3-1)",
    "The company (NASDAQ: ABC) fell.",
    "Buy now (was $159)",
    "Boil for 10 minutes (if over 1000 feet, adjust for altitude)",
    "He works for Getty Images and lives in London with a dog.",
    "NASA said that the agency plans to go on with the tests",
    "",
    "ab",
    "A plain line.",
    "(Graphic: Wages of all workers in 2019 - here)",
    "그는 (연합뉴스) 말했다.",
    "記者は（ロイター）に語った。",
]


@pytest.mark.parametrize(("line", "text", "credit"), SPLIT)
def test_split(line: str, text: str | None, credit: str | None) -> None:
    assert split_caption(line) == (None if text is None else (text, credit))
    if text is not None:
        assert split_caption(f"  {line}  ") == (text, credit)


@pytest.mark.parametrize("line", NO_CREDIT)
def test_no_credit(line: str) -> None:
    assert split_caption(line) is None


KNOWN_FAILURES = [
    (
        "© Amazon A box on a doorstep in the rain with a label.",
        "A box on a doorstep in the rain with a label.",
        "Amazon",
    ),
    ("Une rue de Paris. Photo Ann Lee", "Une rue de Paris.", "Ann Lee"),
    ("Ulica w deszczu. Fot. Jan Kowalski", "Ulica w deszczu.", "Jan Kowalski"),
    ("The flaming star. Trevor Hill.", "The flaming star.", "Trevor Hill"),
]


@pytest.mark.parametrize(
    ("line", "text", "credit"),
    [pytest.param(*c, marks=pytest.mark.xfail(strict=True)) for c in KNOWN_FAILURES],
)
def test_known_failures(line: str, text: str, credit: str) -> None:
    assert split_caption(line) == (text, credit)


@pytest.mark.parametrize("gap", ["", " ", "  ", " | "])
@pytest.mark.parametrize(
    "text", ["A caption. (Yonhap)", "Ein längerer Satz über einen Hund.", "비 오는 다리. (연합뉴스)"]
)
def test_doubled(text: str, gap: str) -> None:
    line = text + gap + text
    assert doubled(line) == len(text + gap)
    assert doubled(f"  {line} ") == len(text + gap) + 2


@pytest.mark.parametrize(
    "line",
    [
        "",
        "haha",
        "A caption. (Yonhap) Another caption. (Yonhap)",
        "tut tut",
        "______________________",
        "A line that stands once.",
        "A b. A b. A c.",
    ],
)
def test_not_doubled(line: str) -> None:
    assert doubled(line) is None


@given(st.text(max_size=200))
def test_never_raises(text: str) -> None:
    found = split_caption(text)
    if found:
        assert found[0] in text and (found[1] or "") in text
    second = doubled(text)
    if second is not None:
        assert text[second:].rstrip() and text.lstrip().startswith(text[second:].rstrip())


@given(st.text(alphabet=st.characters(categories=["L"]), min_size=10, max_size=80))
def test_any_text_printed_twice_is_seen(text: str) -> None:
    assert doubled(f"{text} {text}") is not None


@pytest.mark.parametrize("unit", ["Photo: ", "(", "© ", "Getty ", "Ann Lee / ", "a | ", "a", "사진=", "AP/"])
def test_long_lines_are_cheap(unit: str) -> None:
    for size in (300, 1500, 20000):
        split_caption((unit * size)[:size])
        split_caption((unit * size)[:size] + ")")
        doubled((unit * size)[:size] + "x")
