"""The report page, its JSON and its Prefect artifacts, without a browser."""

from __future__ import annotations

import base64
import copy
import hashlib
import html as html_lib
import json
import math
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows import templating
from flows.pictures import flow
from flows.report import artifact_table, markdown_summary, render, write_report
from flows.report_view import PASSAGE, history_with, trends
from flows.snapshots import durable
from flows.wording import bar, change, duration, moment, number, percent, share, shown, tenths

SAMPLE: dict[str, Any] = json.loads(Path(__file__).with_name("report_sample.json").read_text("utf-8"))
VOID = {"meta", "link", "rect", "path", "circle", "img", "br"}
INVISIBLE = "[\x00-\x08\xad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff\U000e0020-\U000e007f]"


class Outline(HTMLParser):
    """What a page is made of: its tags, its attributes, its text; and whether every tag is closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert not self._open, f"never closed: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag, f"</{tag}> closes another tag"

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def changed(**sections: Any) -> dict[str, Any]:
    return {**copy.deepcopy(SAMPLE), **sections}


def words(html: str) -> str:
    return " ".join("".join(Outline(html).text).split())


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0, "0"),
        (1234567, "1,234,567"),
        (2.0, "2"),
        (0.256, "0.26"),
        (None, "–"),
        (math.nan, "–"),
        (math.inf, "–"),
    ],
)
def test_number(value: float | None, written: str) -> None:
    assert number(value) == written


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0, "0%"),
        (1, "100%"),
        (0.5, "50%"),
        (0.0421, "4.2%"),
        (0.0004, "<0.1%"),
        (0.9996, ">99.9%"),
        (None, "–"),
    ],
)
def test_share_never_rounds_to_nothing_or_all(value: float | None, written: str) -> None:
    assert share(value) == written


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (0, "0.00 s"),
        (8.24, "8.2 s"),
        (59.97, "1 min 0 s"),
        (3599.6, "1 h 0 min"),
        (90_000, "25 h 0 min"),
        (None, "–"),
    ],
)
def test_duration(seconds: float | None, written: str) -> None:
    assert duration(seconds) == written


@pytest.mark.parametrize(
    ("iso", "written"),
    [
        ("2026-11-21T10:15:00Z", "21 November 2026, 10:15 UTC"),
        ("2026-01-01T00:30:00+09:00", "31 December 2025, 15:30 UTC"),
        ("next week", "next week"),
        (None, "–"),
    ],
)
def test_moment(iso: str | None, written: str) -> None:
    assert moment(iso) == written


@pytest.mark.parametrize(
    ("now", "before", "unit", "written"),
    [
        (25, 22, "count", "+3"),
        (1000, 3500, "count", "−2,500"),
        (0.51, 0.50, "share", "+1 point"),
        (0.5, 0.521, "share", "−2.1 points"),
        (8.2, 8.21, "seconds", "no change"),
        (8.2, None, "seconds", ""),
    ],
)
def test_change(now: float, before: float | None, unit: str, written: str) -> None:
    assert change(now, before, unit) == written


@given(st.text(st.characters(), max_size=60))
def test_shown_hides_nothing_and_leaves_nothing_unseen(text: str) -> None:
    seen = shown(text)
    assert not re.search(INVISIBLE, seen)
    seen.encode("utf-8")
    assert shown("naïve — 기사, 記事, «статья», می‌خواهم") == "naïve — 기사, 記事, «статья», می‌خواهم"


def test_marks_piled_on_a_letter_are_counted_instead() -> None:
    assert shown("e" + "\u0301" * 40 + "x") == "e" + "\u0301" * 4 + "⟨36 more marks⟩x"


@pytest.mark.parametrize(
    ("value", "whole", "tenth", "length"),
    [
        (0, "0%", "0.0%", "w0"),
        (0.0001, "<1%", "<0.1%", "w1"),
        (0.004, "<1%", "0.4%", "w1"),
        (0.5, "50%", "50.0%", "w50"),
        (0.9999, ">99%", ">99.9%", "w99"),
        (1, "100%", "100.0%", "w100"),
        (7, "700%", "700.0%", "w100"),
        (-1, "-100%", "-100.0%", "w0"),
        (None, "–", "–", "w0"),
        (math.nan, "–", "–", "w0"),
    ],
)
def test_shares_in_a_column_and_their_bars(value: float | None, whole: str, tenth: str, length: str) -> None:
    assert (percent(value), tenths(value), bar(value)) == (whole, tenth, length)


def test_the_page_says_the_verdict_first_and_the_sections_in_order() -> None:
    html = render(SAMPLE)
    ids = ["verdict", "balance", "look", "trends", "publishers", "roles", "rules", "pages", "colophon"]
    assert re.findall(r'<section id="(\w+)"', html) == ids
    assert "46 of 49 pages became articles" in re.search(r"<h1[^>]*>(.*?)</h1>", html, re.S)[1]  # type: ignore[index]


def test_every_section_explains_itself_in_one_line() -> None:
    html = render(SAMPLE)
    assert len(re.findall(r'<header class="margin"><h2[^>]*>[^<]+</h2><p class="lede">[^<]+</p>', html)) == 8


@pytest.mark.parametrize("report", [SAMPLE, {}], ids=["sample", "empty"])
def test_the_page_is_well_formed_and_loads_nothing(report: dict[str, Any]) -> None:
    outline = Outline(render(report))
    assert outline.tags.count("script") == outline.tags.count("style") == 1
    assert not {"img", "iframe", "object", "embed", "form", "base"} & set(outline.tags)
    assert not [name for name, _ in outline.attributes if name.startswith("on") or name in {"src", "srcset", "style"}]
    links = {value for name, value in outline.attributes if name == "href"}
    assert {link for link in links if not (link or "#").startswith(("#", "data:"))} == {"report.json", "../index.html"}
    css = (templating.TEMPLATES / "report.css").read_text("utf-8")
    assert "url(" not in css
    assert "@import" not in css


def test_the_policy_allows_the_page_s_own_style_and_script_and_nothing_else() -> None:
    html = render(SAMPLE)
    policy = dict(part.split(" ", 1) for part in html_lib.unescape(re.search(r'Policy" content="([^"]*)"', html)[1]).split("; "))  # type: ignore[index]
    for tag, directive in (("style", "style-src"), ("script", "script-src")):
        inline = re.findall(rf"<{tag}>(.*?)</{tag}>", html, re.S)
        allowed = [f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in inline]
        assert policy.pop(directive).split() == allowed
    assert policy == {"default-src": "'none'", "img-src": "data:", "base-uri": "'none'", "form-action": "'none'"}


POISON = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</style><b>",
    "</title></details><b>",
    "&lt;",
    "{{ 1 }}{% raw %}",
)


def poisoned(value: Any, poison: str) -> Any:
    """Put hostile text before every text of a report but those that are closed vocabularies."""
    if isinstance(value, dict):
        closed = {"kind", "status", "level"}
        return {name: item if name in closed else poisoned(item, poison) for name, item in value.items()}
    if isinstance(value, list):
        return [poisoned(item, poison) for item in value]
    return poison + value if isinstance(value, str) else value


@pytest.mark.parametrize("poison", POISON)
def test_hostile_text_stays_text_wherever_it_stands(poison: str) -> None:
    clean, dirty = Outline(render(SAMPLE)), Outline(render(poisoned(SAMPLE, poison)))
    assert set(dirty.tags) <= set(clean.tags)
    assert {name for name, _ in dirty.attributes} <= {name for name, _ in clean.attributes}
    assert "".join(dirty.text).count(poison) > 200


@settings(max_examples=25, deadline=None)
@given(st.text(st.characters(), max_size=80))
def test_any_page_text_can_be_drawn_and_written(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    report = changed()
    report["rules"][0]["examples"][0] = {
        "line_no": 0, **dict.fromkeys(("doc_id", "before", "text", "after"), text)
    }  # fmt: skip
    report["worst_pages"][0]["pieces"][0]["text"] = text
    report["failures"][0]["examples"][0] = {"doc_id": text, "source": text, "value": text}
    html, written = write_report(report, tmp_path_factory.mktemp("report"))
    Outline(html.read_text("utf-8"))
    assert json.loads(written.read_text("utf-8"))["worst_pages"][0]["pieces"][0]["text"] == text


def test_a_long_word_is_cut_however_long_it_came() -> None:
    report = changed()
    report["rules"][0]["examples"][0]["text"] = "w" * 10_000
    report["worst_pages"][0]["pieces"][0]["text"] = "v" * 10_000
    html = render(report)
    assert "w" * 241 not in html
    assert "v" * (PASSAGE + 1) not in html


def test_what_was_cut_is_struck_and_what_became_a_field_is_marked() -> None:
    html = render(SAMPLE)
    assert re.search(r'<del title="related_headings">.*?Related stories', html, re.S)
    assert re.search(r'<del tabindex="0" aria-describedby="why-1-\d+">', html)
    assert re.search(r'<mark title="byline"><bdi>By Wilma Aske</bdi></mark>', html)
    assert not re.search(r"<del[^>]*><[^>]*>cut: </span><bdi>By Wilma Aske", html)


def test_an_unknown_publisher_and_zero_pages_are_shown() -> None:
    row = {**SAMPLE["publishers"][0], "publisher": None, "pages": 0, "articles": 0, "quarantined": 0,
           "with_headline": 0, "with_byline": 0, "with_day": 0, "with_instant": 0,
           "characters_in": 0, "characters_furniture": 0}  # fmt: skip
    assert "<em>unknown</em>" in render(changed(publishers=[row]))


def test_an_empty_report_has_a_friendly_line_everywhere() -> None:
    text = words(render({}))
    for line in ("No pages came in", "No quality gates were set", "No page went to quarantine",
                 "No article carries",
                 "No pages, so no publishers yet", "No text was read", "No rule fired", "No page lost enough",
                 "This is the first run here", "No step was timed"):  # fmt: skip
        assert line in text
    assert "nan" not in text.casefold().split()


def test_the_publishers_that_need_most_come_first_and_the_rest_are_folded() -> None:
    row = SAMPLE["publishers"][0]
    many = [{**row, "publisher": f"paper-{n:04}.example", "quarantined": n} for n in range(1000)]
    html = render(changed(publishers=many))
    assert html.index("paper-0999.example") < html.index("paper-0975.example")
    assert html.index("The other 975 publishers") < html.index("paper-0974.example")


def test_this_run_joins_the_history_where_it_is_not_there_yet() -> None:
    rows = trends(history_with({**SAMPLE, "history": SAMPLE["history"][:-1]}))
    assert [row["now"] for row in rows][:3] == [49, 46, 3]
    assert [row["runs"] for row in rows] == [12] * 7
    assert [row["change"] for row in rows] == [row["change"] for row in trends(SAMPLE["history"])]


def test_the_smallest_part_of_a_flow_is_still_seen_and_the_parts_fill_the_bar() -> None:
    parts = flow([("a", "kept", 10**9), ("b", "cut", 1), ("c", "held", 0)])
    assert [part["drawn"] is not None for part in parts] == [True, True, False]
    assert float(parts[1]["drawn"]["w"]) > 5
    assert sum(float(part["drawn"]["w"]) for part in parts[:2]) == pytest.approx(990, abs=0.1)


def test_the_roles_below_a_part_fill_it_and_the_small_ones_stand_together() -> None:
    roles = [("body", 900), ("headline", 50), *((f"role {n}", 10) for n in range(5))]
    kept, _ = flow([("a", "kept", 1000), ("b", "cut", 1000)], {"kept": roles})
    assert [role["label"] for role in kept["roles"]] == ["body", "headline", "role 0", "role 1", "3 other roles"]
    assert sum(role["value"] for role in kept["roles"]) == 1000
    assert sum(float(role["w"]) for role in kept["roles"]) == pytest.approx(float(kept["drawn"]["w"]), abs=0.1)


def test_what_changed_is_named_and_what_did_not_is_said() -> None:
    text = words(render(SAMPLE))
    for line in ("Publishers that appeared 1 nordblick.example 5 pages", "Publishers that vanished 1 vesper-post.example",
                 "minato-shimbun.example, byline 100% → 33.3%", "Rules that ceased firing 1 poll_box 3 hits",
                 "Other rules", "New warnings byline_truncated 1 page"):  # fmt: skip
        assert line in text
    assert "Another source" not in text
    assert "Nothing else" not in text
    nothing: dict[str, Any] = {"appeared": [], "vanished": []}
    steady = {**SAMPLE["changes"], "same_rules": True, "moved": [], "roles": []}
    steady |= dict.fromkeys(("publishers", "rules", "failures", "warnings"), nothing)
    assert "The same publishers, rules, checks and warnings" in words(render(changed(changes=steady)))


def test_a_failed_gate_and_a_broken_law_are_named() -> None:
    report = changed()
    report["verdict"] = {"status": "failed", "sentence": "Nothing was published.", "gates": [
        {"gate": "quarantined_share", "unit": "share", "level": "fail", "value": 0.5, "threshold": 0.2, "passed": False,
         "message": "Half of all pages are in quarantine."}]}  # fmt: skip
    report["balance"]["laws"][0] = {
        "law": 1,
        "name": "Pages add up",
        "passed": False,
        "detail": "one is gone",
    }
    text = words(render(report))
    assert "Failed: quarantined share Half of all pages are in quarantine. Found 50%, limit 20%." in text
    assert "Pages add up is broken: one is gone" in text


def test_what_is_left_over_is_white_space_only_where_law_2_holds() -> None:
    report = changed()
    assert "white space between lines" in words(render(report))
    report["balance"]["laws"][1]["passed"] = False
    assert "1,204 not accounted for" in words(render(report))


def test_write_report_leaves_two_whole_files_and_nothing_else(tmp_path: Path) -> None:
    folder = tmp_path / "reports" / "run"
    report = changed()
    report["run"]["seconds"] = math.nan
    for _ in range(2):
        html, written = write_report(report, folder)
    assert sorted(path.name for path in folder.iterdir()) == ["report.html", "report.json"]
    assert html.read_text("utf-8") == render(report)
    assert json.loads(written.read_text("utf-8"))["run"]["seconds"] is None
    assert html.stat().st_mode & 0o777 == 0o644


def test_a_report_that_cannot_be_written_leaves_the_last_one_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    html, _ = write_report(SAMPLE, tmp_path)
    before = html.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(durable.os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_report(changed(failures=[]), tmp_path)
    assert html.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.html", "report.json"]


def test_the_summary_holds_verdict_balance_failures_and_warnings() -> None:
    text = markdown_summary(SAMPLE)
    for part in (
        "46 of 49 pages",
        "| Pages in | 49 |",
        "## Failures",
        r"text\_is\_text",
        "## Warnings",
        "navigation",
    ):
        assert part in text
    assert "None." not in text
    quiet = markdown_summary(changed(failures=[], warnings=[]))
    assert re.search(r"^None: .*failures, warnings\.$", quiet, re.MULTILINE)
    assert "## Failures" not in quiet


def test_the_summary_stays_small_and_tame() -> None:
    report = changed()
    row = report["failures"][0]
    report["failures"] = [{**row, "check": f"check_{n}", "meaning": "€" * 5000} for n in range(500)]
    meaning = "<img src=x>|[a](http://b)\n# c"
    report["warnings"] = [{"warning": "w", "pages": 1, "meaning": meaning, "examples": []}] * 90
    text = markdown_summary(report)
    assert len(text.encode()) < 10_000
    report["failures"] = []
    text = markdown_summary(report)
    assert "<img" not in text.replace(r"\<img", "")
    assert "](" not in text.replace(r"\](", "")
    assert "\n# c" not in text


def test_the_table_is_capped_with_checks_first() -> None:
    rows = artifact_table(SAMPLE)
    assert [row["kind"] for row in rows[:3]] == ["check", "check", "warning"]
    assert {tuple(row) for row in rows} == {("kind", "name", "role", "pages", "spans", "characters", "why")}
    assert len(rows) == sum(len(SAMPLE[part]) for part in ("failures", "warnings", "rules"))
    rules = [{**SAMPLE["rules"][0], "rule": f"r{n}"} for n in range(500)]
    assert len(artifact_table(changed(rules=rules))) == 200
    assert artifact_table(changed(rules=rules), limit=3) == rows[:3]
    json.dumps(rows, allow_nan=False)


def test_a_last_run_that_did_not_count_rules() -> None:
    """One of a version before `by_rule`: its report is drawn, and says so."""
    html = render(changed(changes={**SAMPLE["changes"], "rules": None}))
    assert "The last run did not count what each rule did." in html
    assert "Rules that began firing" not in html
