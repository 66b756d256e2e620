"""Bytes to text: ten encodings and more, short and long, and what must stay bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.decode import _BYTES_OF_MISREAD, REPAIRED, Decoded, decode, decode_string, repair

LINES = {
    "cp1252": "“The council’s choice was très difficile,” said Zoë Müller, mayor of Besançon, on Monday.",
    "iso-8859-1": "Le maire a déclaré mercredi que la rénovation de l'école coûterait près de deux millions.",
    "cp949": "서울시는 월요일 새로운 교통 대책을 발표했다. 시민들은 요금이 오를 것으로 본다. 똠방각하",
    "euc-kr": "서울시는 월요일 새로운 교통 대책을 발표했다. 다음 달부터 버스 요금이 오를 것으로 보인다.",
    "shift_jis": "東京都は月曜日、新しい交通計画を発表した。来月から運賃が上がる見通しだ。",
    "euc-jp": "東京都は月曜日、新しい交通計画を発表した。来月から運賃が上がる見通しだ。",
    "iso-2022-jp": "東京都は月曜日、新しい交通計画を発表した。来月からバスの運賃が上がる見通しだと述べた。",
    "gb18030": "北京市政府星期一宣布了新的交通计划。下个月起公共汽车票价将上涨，负责人王伟说。",
    "big5": "臺北市政府星期一宣布了新的交通計畫。下個月起公車票價將上漲，負責人王偉表示。",
    "koi8-r": "Мэрия Москвы в понедельник объявила о новом плане. Проезд подорожает, сказал Иванов.",
    "cp1251": "Мэрия Москвы в понедельник объявила о новом плане. Проезд подорожает, сказал Иванов.",
    "cp1250": "Starosta v pondělí oznámil nový dopravní plán. Příští měsíc zdraží jízdné, řekl Jiří Dvořák.",
    "cp1253": "Ο δήμος της Αθήνας ανακοίνωσε τη Δευτέρα ένα νέο σχέδιο για τις συγκοινωνίες.",
    "cp1254": "İstanbul Belediyesi pazartesi günü yeni ulaşım planını açıkladı, dedi Şahin Güneş.",
    "cp1255": "עיריית תל אביב הודיעה ביום שני על תוכנית תחבורה חדשה. מחירי הנסיעה יעלו בחודש הבא.",
}
ENGLISH = "The council met on Monday to discuss the new bus plan. Fares will rise in March, it said.\n"
SHAPES = {
    "line": lambda line: line,
    "long": lambda line: (line + "\n") * 40,
    "one line in an English page": lambda line: ENGLISH * 20 + line + "\n" + ENGLISH * 20,
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("encoding", LINES)
def test_legacy_encodings(encoding: str, shape: str) -> None:
    text = SHAPES[shape](LINES[encoding])
    decoded = decode(text.encode(encoding))
    assert decoded.text == text
    assert decoded.problem is None
    assert decoded.encoding is not None


@pytest.mark.parametrize(
    "words",
    ["The café.", "The naïve plan", "“Yes,” he said.", "The council’s plan", "Price £5", "By José Núñez",
     "© 2024 Example News", "• First", "Malmö — The mayor"],
)  # fmt: skip
def test_a_stray_western_character_in_english(words: str) -> None:
    text = ENGLISH + words + "\n" + ENGLISH
    assert decode(text.encode("cp1252")).text == text


@pytest.mark.parametrize(
    ("encoding", "mark"),
    [("utf-8", b"\xef\xbb\xbf"), ("utf-16-le", b"\xff\xfe"), ("utf-16-be", b"\xfe\xff"),
     ("utf-32-le", b"\xff\xfe\0\0"), ("utf-32-be", b"\0\0\xfe\xff")],
)  # fmt: skip
def test_byte_order_marks(encoding: str, mark: bytes) -> None:
    decoded = decode(mark + "Café 서울\r\nnext".encode(encoding))
    assert (decoded.text, decoded.encoding, decoded.problem) == ("Café 서울\nnext", encoding, None)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"", ""),
        (b"one\r\ntwo\rthree\n\rfour", "one\ntwo\nthree\n\nfour"),
        ("a\u00a0b\u2028c\x0cd".encode(), "a\u00a0b\u2028c\x0cd"),
        (b"cafe\xcc\x81", "cafe\u0301"),
        (b"BZh is how his name begins", "BZh is how his name begins"),
        (b"ID3 in the news", "ID3 in the news"),
        (b"one \x07 bell in a page of words", "one \x07 bell in a page of words"),
    ],
)
def test_nothing_but_line_ends_is_changed(raw: bytes, text: str) -> None:
    assert decode(raw).text == text


def test_a_declared_charset_is_believed_when_it_fits() -> None:
    page = '<html><head><meta charset="euc-kr"><title>뷁</title></head>'
    decoded = decode(page.encode("cp949"))
    assert (decoded.text, decoded.encoding) == (page, "cp949")


def test_a_declared_charset_is_not_believed_against_utf8() -> None:
    page = '<meta http-equiv="Content-Type" content="text/html; charset=iso-8859-1"> Café'
    assert decode(page.encode()).text == page


BINARY = {
    "NUL": b"some text\0and more",
    "controls": bytes(range(1, 9)) * 10 + b"abc",
    "PDF": b"%PDF-1.7\n1 0 obj",
    "PNG": b"\x89PNG\r\n\x1a\n",
    "JPEG": b"\xff\xd8\xff\xe0",
    "gzip": b"\x1f\x8b\x08\x00",
    "zip": b"PK\x03\x04\x14\x00",
    "Parquet": b"PAR1\x15\x04\x15",
    "bzip2": b"BZh91AY&SY\x94$|\x0f\x00",
    "UTF-16 with NUL": b"\xff\xfea\0\0\0b\0",
}
UNDECODABLE = {
    "UTF-8 with one bad byte": "Ünïcödé tèxt, sériöus".encode() + b"\xff",
    "UTF-8 cut in a character": ("서울시는 월요일 " * 5).encode()[:-3],
    "noise": bytes(range(128, 256)) * 5,
    "half a UTF-16 character": b"\xff\xfea\0b",
}


@pytest.mark.parametrize("name", BINARY)
def test_binary(name: str) -> None:
    decoded = decode(BINARY[name])
    assert (decoded.text, decoded.problem) == (None, "binary")
    assert decoded.detail


@pytest.mark.parametrize("name", UNDECODABLE)
def test_undecodable(name: str) -> None:
    decoded = decode(UNDECODABLE[name])
    assert (decoded.text, decoded.encoding, decoded.problem) == (None, None, "undecodable")
    assert decoded.detail


@pytest.mark.xfail(reason="two bytes are all the evidence there is", strict=True)
@pytest.mark.parametrize(("character", "encoding"), [("猫", "shift_jis"), ("貓", "big5")])
def test_one_asian_character_in_an_english_page(character: str, encoding: str) -> None:
    text = f"{ENGLISH}The word {character} means cat.\n"
    assert decode(text.encode(encoding)).text == text


@given(st.binary(max_size=300))
def test_any_bytes_give_text_or_a_problem(raw: bytes) -> None:
    decoded = decode(raw)
    assert (decoded.text is None) == (decoded.problem is not None)
    assert decoded == decode(raw)
    if decoded.text is not None:
        assert "\r" not in decoded.text


@given(st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"]), max_size=300))
def test_utf8_comes_back_whole(text: str) -> None:
    if not text.startswith("\ufeff"):
        assert decode(text.encode()).text == text


@pytest.mark.parametrize(
    ("given_text", "text", "problem"),
    [
        ("one\r\ntwo", "one\ntwo", None),
        ("\ufeffone", "one", None),
        ("a\0b", None, "binary"),
        ("\ud800", None, "undecodable"),
        ("\x01\x02\x03", None, "binary"),
    ],
)
def test_strings_of_tables(given_text: str, text: str | None, problem: str | None) -> None:
    decoded = decode_string(given_text)
    assert (decoded.text, decoded.problem) == (text, problem)


MOJIBAKE = {
    "cafÃ© â€“ reopened": "café – reopened",
    "It\u00e2\u0080\u0099s Zo\u00c3\u00ab": "It’s Zoë",  # read as Latin-1
    "ãƒ•ã‚§ãƒªãƒ¼": "フェリー",
    "one â€™\n• a list\n\xa0\ntwo â€œthreeâ€\x9d": "one ’\n• a list\n\xa0\ntwo “three”",  # line by line
}


@pytest.mark.parametrize("text", MOJIBAKE)
def test_certain_mojibake_is_repaired_and_recorded(text: str) -> None:
    for decoded in (decode(text.encode()), decode_string(text)):
        assert (decoded.text, decoded.encoding, decoded.problem) == (MOJIBAKE[text], REPAIRED, None)


@pytest.mark.parametrize(
    "text",
    ["AMANHÃ\xa0", "Ã© or Ã©, one sequence twice", "a café, and cafÃ© â€“ on one line", "Spaß\xa0für", "naïve – “quoted”",
     "Ã", "â€", "Â", "1 €", "©2024", "São Paulo"],
)  # fmt: skip
def test_uncertain_mojibake_is_left(text: str) -> None:
    assert decode(text.encode()) == Decoded(text, "utf-8")


@given(st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"]), max_size=60))
def test_what_repair_gives_is_what_was_misread(text: str) -> None:
    if (right := repair(text)) is not None:
        lines = zip(text.split("\n"), right.split("\n"), strict=True)
        for before, after in lines:
            assert before == after or after.encode() == before.translate(_BYTES_OF_MISREAD).encode("latin-1")


@pytest.mark.parametrize("encoding", ["cp949", "shift_jis", "euc-jp", "gb18030", "big5", "koi8-r", "cp1251", "cp1253", "cp1255"])
@pytest.mark.parametrize("label", ["iso-8859-1", "utf-8", "windows-1252", "no-such-charset", "x\0y"])
def test_a_wrong_label_is_overruled(encoding: str, label: str) -> None:
    assert decode(LINES[encoding].encode(encoding), label).text == LINES[encoding]
    page = f'<html><head><meta charset="{label}"></head><body><p>{LINES[encoding]}</p></body></html>'
    assert decode(page.encode(encoding)).text == page if "\0" not in label else True


@pytest.mark.parametrize("encoding", [e for e in LINES if not e.startswith("iso-2022")])
def test_a_right_label_is_believed(encoding: str) -> None:
    raw = LINES[encoding].encode(encoding)
    assert decode(raw, encoding).text == LINES[encoding]
    assert decode(raw[:2] + ENGLISH.encode(), encoding).problem is None


def test_where_header_and_page_differ_the_guess_settles_it() -> None:
    page = f'<meta charset="windows-1250"><p>{LINES["cp1250"]}</p>'
    assert decode(page.encode("cp1250"), "iso-8859-1").encoding == "cp1250"
    page = f'<meta charset="iso-8859-1"><p>{LINES["cp1250"]}</p>'
    assert decode(page.encode("cp1250"), "windows-1250").encoding == "cp1250"


def test_a_label_does_not_make_torn_utf8_readable() -> None:
    raw = '<meta charset="iso-8859-1"> Ünïcödé tèxt, sériöus'.encode() + b"\xff"
    assert decode(raw, "iso-8859-1").problem == "undecodable"
