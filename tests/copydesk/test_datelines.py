"""Datelines: what stands before the first paragraph's own text, and what only looks like it."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from copydesk.datelines import dateline_byline, opens_with_dateline, split_dateline

FOUND = [
    ("SEOUL, Aug. 3 (Yonhap) -- The ministry said", "SEOUL, Aug. 3 (Yonhap)", "The"),
    ("SEOUL, Aug. 3 (Yonhap) — The ministry said", "SEOUL, Aug. 3 (Yonhap)", "The"),
    ("VIENNA — The house where he was born", "VIENNA", "The"),
    ("VIENNA – The house where he was born", "VIENNA", "The"),
    ("VIENNA -- The house where he was born", "VIENNA", "The"),
    ("VIENNA - The house where he was born", "VIENNA", "The"),
    ("  VIENNA — The house where he was born", "VIENNA", "The"),
    ("LONDON (Reuters) - Oil prices fell", "LONDON (Reuters)", "Oil"),
    ("LONDON (Reuters) – Oil prices fell", "LONDON (Reuters)", "Oil"),
    ("NEW YORK, Nov 19 (Reuters) - Oil prices fell", "NEW YORK, Nov 19 (Reuters)", "Oil"),
    ("NEW YORK, November 19, 2024 (Reuters) - Oil prices", "NEW YORK, November 19, 2024 (Reuters)", "Oil"),
    ("BEIRUT/THE HAGUE, March 7 (Reuters) - An officer", "BEIRUT/THE HAGUE, March 7 (Reuters)", "An"),
    ("CLEVELAND, Ohio – The brothers will tour", "CLEVELAND, Ohio", "The"),
    ("STRASBOURG, France (AP) — The union is near", "STRASBOURG, France (AP)", "The"),
    ("HANOI, Vietnam (AP) — U.S. officials said", "HANOI, Vietnam (AP)", "U.S."),
    ("LOS ANGELES (AP) — To him, it is no goal", "LOS ANGELES (AP)", "To"),
    ("LOS ANGELES (KABC) -- Two people were hurt", "LOS ANGELES (KABC)", "Two"),
    ("ST. LOUIS (AP) — Two people were hurt", "ST. LOUIS (AP)", "Two"),
    ("NEW DELHI: Their savings are gone", "NEW DELHI", "Their"),
    ("ISLAMABAD: The court ruled", "ISLAMABAD", "The"),
    ("WASHINGTON (AP) — Two officers were charged", "WASHINGTON (AP)", "Two"),
    ("WASHINGTON (January 24, 2017) — Calm is popular", "WASHINGTON (January 24, 2017)", "Calm"),
    ("RAJSHAHI, Dec 20, 2025 (BSS) - Gardens grow", "RAJSHAHI, Dec 20, 2025 (BSS)", "Gardens"),
    ("DUBLIN, Jan. 5, 2024 (GLOBE NEWSWIRE) -- The firm", "DUBLIN, Jan. 5, 2024 (GLOBE NEWSWIRE)", "The"),
    ("DUBLIN, Jan. 5, 2024 /PRNewswire/ -- The firm", "DUBLIN, Jan. 5, 2024 /PRNewswire/", "The"),
    ("BEIJING, Aug. 3 (Xinhua) -- China said", "BEIJING, Aug. 3 (Xinhua)", "China"),
    ("FLUSHING MEADOWS — Six players won", "FLUSHING MEADOWS", "Six"),
    ("Berlin (dpa) - Die Regierung hat", "Berlin (dpa)", "Die"),
    ("Berlin (dpa/bb) – Die Regierung hat", "Berlin (dpa/bb)", "Die"),
    ("Frankfurt/Main (dpa) - Die Bank hat", "Frankfurt/Main (dpa)", "Die"),
    ("Hong Kong (CNN) — The city has", "Hong Kong (CNN)", "The"),
    ("PARIS, 3 août (AFP) - Le ministre a", "PARIS, 3 août (AFP)", "Le"),
    ("PARIS, 4 mars (Reuters) - Wall Street est", "PARIS, 4 mars (Reuters)", "Wall"),
    ("MADRID, 3 Abr. (EUROPA PRESS) - El gobierno ha", "MADRID, 3 Abr. (EUROPA PRESS)", "El"),
    ("Madrid, 3 abr (EFE).- El gobierno ha", "Madrid, 3 abr (EFE)", "El"),
    ("ROMA, 3 apr. (askanews) - Il governo ha", "ROMA, 3 apr. (askanews)", "Il"),
    ("MOSCOW, April 3. /TASS/. The ministry said", "MOSCOW, April 3. /TASS/", "The"),
    ("МОСКВА, 3 апреля. /ТАСС/. Министерство сообщило", "МОСКВА, 3 апреля. /ТАСС/", "Министерство"),
    ("WARSZAWA (PAP) – Rząd ogłosił", "WARSZAWA (PAP)", "Rząd"),
    ("ISTANBUL (AA) - Bakan konuştu", "ISTANBUL (AA)", "Bakan"),
    ("NEW YORK - Giorgia è arrivata", "NEW YORK", "Giorgia"),
    ("(CNN) — The city has", "(CNN)", "The"),
    ("(ANSA) - ROMA, 03 APR - Il governo", "(ANSA) - ROMA, 03 APR", "Il"),
    ("(ANSA) - ROMA è stata", "(ANSA)", "ROMA"),
    ("GLENHOLLOW — The mill that gave the town its name", "GLENHOLLOW", "The"),
    ("(Reuters) - Oil prices fell", "(Reuters)", "Oil"),
    ("PARIS — “No”, she said", "PARIS", "“No”,"),
    ("PARIS — 12 people were hurt", "PARIS", "12"),
    ("(서울=연합뉴스) 홍길동 기자 = 정부는 3일", "(서울=연합뉴스)", "정부는"),
    ("[서울=뉴시스]홍길동 기자 = 정부는 3일", "[서울=뉴시스]", "정부는"),
    ("(서울=뉴스1) 홍길동 김철수 기자 = 정부는", "(서울=뉴스1)", "정부는"),
    ("[이데일리 홍길동 기자] 정부는 3일", "[이데일리 홍길동 기자]", "정부는"),
    ("【ソウル共同】韓国の政府は", "【ソウル共同】", "韓国の政府は"),
    ("【ワシントン時事】米政府は", "【ワシントン時事】", "米政府は"),
    ("［東京　３日　ロイター］ - 政府は３日", "［東京　３日　ロイター］", "政府は３日"),
    ("[東京 3日 ロイター] - 政府は３日", "[東京 3日 ロイター]", "政府は３日"),
    ("　【ソウル＝山田太郎】韓国の政府は", "【ソウル＝山田太郎】", "韓国の政府は"),
    ("【AFP=時事】フランスの政府は", "【AFP=時事】", "フランスの政府は"),
    ("新华社北京8月3日电（记者王小明）国务院", "新华社北京8月3日电（记者王小明）", "国务院"),
    ("中新网8月3日电 据报道", "中新网8月3日电", "据报道"),
    ("（中央社台北3日電）行政院今天", "（中央社台北3日電）", "行政院今天"),
]

NONE = [
    "ADVERTISEMENT — Star Tours",
    "ROUTERS — Assign DNS servers",
    "LONGER ANSWER – watch this video",
    "KNIME — short for a longer name — is a program",
    "(no place) — The ministry said on Monday",
    "NATO said on Monday that it would",
    "LONDON is calling to the faraway towns",
    "COVID-19 — the disease caused by a virus",
    "REBECCA Cooke is running for office",
    "REBECCA Cooke — who won — is back",
    "Berlin. Die Regierung hat",
    "Berlin - die Hauptstadt",
    "CLAIM: The agency called the force an enemy",
    "BOTTOM LINE: No. 14 visits the Rebels",
    "THE FACTS: After he left, the rest is known.",
    "TOP PERFORMERS: Matthew Hill is averaging 17 points",
    "LAST 10 GAMES: Rebels: 4-6, averaging 70 points",
    "UPDATE: Since this was written, a judge ruled",
    "LAURA HILL: Joining me now, Chris.",
    "BIDEN’S AMERICA: Shops close",
    "WOW – The photography in your mail",
    "NVIDIA’s key strengths: Advanced chips",
    "IKEA has a cult following",
    "USAA offers life insurance",
    "FYI: If you purchase a plan",
    "NOTE: Not all services are offered",
    "DISCLAIMER: The information",
    "CPU: Intel Core Ultra 7",
    "TLDR: We’re postponing",
    "SRF News: Mehrere Staaten haben",
    "A THIRD case of the plague",
    "A Real Estate Investment Trust — typically called a REIT",
    "CLOTHING FOR BACKPACKING – The clothing you pack",
    "BACKPACKING FOOD – Good food is important",
    "RT @Party: Text of a post",
    "ATENÇÃO: Comentários com",
    "AI's not just cutting clips - it's speaking",
    "P.S. — I don’t think so",
    "CMAT thinks she has no hope – “I’m up",
    "A Home Office spokesman said: “No”",
    "Apple (AAPL) - Get Report",
    "US Open 2023 results: Six players",
    "(Don’t answer that) - he said",
    "(1) - First",
    "(I know, radical statement, right?)",
    "",
    "A",
    "PARIS",
    "PARIS —",
    "(서울시) 정부는",
    "기자 회견이",
    "【速報】地震が",
    "（写真）山の",
    "[기획] 정부는",
    "I — The first part",
    "TV - The screen",
    "LONDON’S mayor — The man",
    "PARIS Hilton — The heiress",
]


@pytest.mark.parametrize(("paragraph", "dateline", "first"), FOUND)
def test_found(paragraph: str, dateline: str, first: str) -> None:
    found = split_dateline(paragraph)
    assert found is not None
    assert found[0] == dateline
    assert paragraph[found[1] :].split(maxsplit=1)[0] == first


@pytest.mark.parametrize("paragraph", NONE)
def test_none(paragraph: str) -> None:
    assert split_dateline(paragraph) is None
    assert dateline_byline(paragraph) is None


@pytest.mark.parametrize(
    ("paragraph", "raw", "names"),
    [
        ("(서울=연합뉴스) 홍길동 기자 = 정부는 3일", "홍길동 기자", ["홍길동"]),
        ("[서울=뉴시스]홍길동 기자 = 정부는 3일", "홍길동 기자", ["홍길동"]),
        ("(서울=뉴스1) 홍길동·김철수 기자 = 정부는", "홍길동·김철수 기자", ["홍길동", "김철수"]),
        ("[이데일리 홍길동 기자] 정부는 3일", "이데일리 홍길동 기자", ["홍길동"]),
        ("　【ソウル＝山田太郎】韓国の政府は", "【ソウル＝山田太郎】", ["山田太郎"]),
        ("新华社北京8月3日电（记者王小明）国务院", "记者王小明", ["王小明"]),
    ],
)
def test_the_reporter_in_a_dateline(paragraph: str, raw: str, names: list[str]) -> None:
    found = dateline_byline(paragraph)
    assert found is not None and found.cued
    assert found.raw == raw == paragraph[found.start : found.end]
    assert [a.name for a in found.authors] == names


@pytest.mark.parametrize(
    "paragraph", ["VIENNA — The house", "LONDON (Reuters) - Oil", "【ソウル共同】韓国の"]
)
def test_no_reporter_in_a_dateline(paragraph: str) -> None:
    assert dateline_byline(paragraph) is None


KNOWN_FAILURES = [
    ("SPRINGFIELD HEIGHTS — Six players won", "SPRINGFIELD HEIGHTS", "Six"),
    ("МОСКВА, 3 апр — РИА Новости. Министерство", "МОСКВА, 3 апр — РИА Новости", "Министерство"),
    ("Paris, France | AFP | Le ministre", "Paris, France | AFP", "Le"),
]


@pytest.mark.parametrize(
    ("paragraph", "dateline", "first"),
    [pytest.param(*c, marks=pytest.mark.xfail(strict=True)) for c in KNOWN_FAILURES],
)
def test_known_failures(paragraph: str, dateline: str, first: str) -> None:
    test_found(paragraph, dateline, first)


@given(st.lists(st.one_of(st.text(max_size=60), st.sampled_from([f[0] for f in FOUND] + NONE)), max_size=8))
def test_a_column_is_read_as_its_paragraphs_are(texts: list[str]) -> None:
    column = opens_with_dateline(pl.Series([t.strip() for t in texts], dtype=pl.String)).to_list()
    assert column == [split_dateline(t.strip()) is not None for t in texts]


def test_the_shape_lets_every_dateline_through() -> None:
    assert opens_with_dateline(pl.Series([paragraph.strip() for paragraph, _, _ in FOUND])).all()


@given(st.text(max_size=150))
def test_never_raises_and_stays_within(text: str) -> None:
    found = split_dateline(text)
    if found:
        assert found[0] in text and 0 < found[1] <= len(text)
    byline = dateline_byline(text)
    if byline:
        assert text[byline.start : byline.end] == byline.raw


PLACES = st.sampled_from(["SEOUL", "NEW YORK", "SÃO PAULO", "ST. LOUIS", "BEIRUT/LONDON"])
DAYS = st.sampled_from(["", ", Aug. 3", ", March 7", ", 3 août", ", Jan 5, 2024"])
AGENCIES = st.sampled_from(["", " (AP)", " (Reuters)", " (AFP)", " (Yonhap)"])
DASHES = st.sampled_from([" - ", " -- ", " – ", " — "])


@given(PLACES, DAYS, AGENCIES, DASHES)
def test_every_built_dateline_is_read(place: str, day: str, agency: str, dash: str) -> None:
    text = f"{place}{day}{agency}"
    assert split_dateline(f"{text}{dash}The ministry said") == (text, len(text + dash))


@pytest.mark.parametrize("unit", ["A", "A ", "NEW YORK, ", "(", "【", "A. ", "PARIS/"])
def test_long_lines_are_cheap(unit: str) -> None:
    for size in (300, 20000):
        split_dateline((unit * size)[:size])
