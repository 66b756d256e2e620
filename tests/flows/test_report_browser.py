"""The report and the index in a real browser: nothing is fetched, logged, run or out of its width, and all can be reached."""

from __future__ import annotations

import copy
import importlib.util
import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from chrome import CHROMIUM, Browser
from run_rows import publisher, run_row, runs_frame, write_index

from flows.report import write_report

SAMPLE = json.loads(Path(__file__).with_name("report_sample.json").read_text("utf-8"))
HOSTILE = (
    "<script>document.title='owned'</script>",
    '"><img src=x onerror="document.title=\'owned\'">',
    "</style></title><svg onload=document.title='owned'>",
    "javascript:document.title='owned'",
    "{{ 7 * 7 }}{% raw %}",
    "w" * 10_000,
    "\u202eright to left\u2066",
    "\x00\x1b[31m\ud800",
    "\n\n\n",
    "\u200b\ufeff\u2028\U000e0041" + "e\u0301\u0301\u0301\u0301\u0301\u0301\u0301" * 20,
    "</script><script>document.title='owned'</script>",
)

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium (Debian: apt-get install chromium)"),
]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    tab = Browser(tmp_path_factory.mktemp("chromium"))
    yield tab
    tab.close()


def poisoned(value: Any, turn: list[int], key: str = "") -> Any:
    """Put hostile text wherever a page, a file or a rule could have put text."""
    if isinstance(value, dict):
        return {name: poisoned(item, turn, name) for name, item in value.items()}
    if isinstance(value, list):
        return [poisoned(item, turn) for item in value]
    if not isinstance(value, str) or key in {"kind", "level", "status", "started_at", "run_id"}:
        return value
    turn[0] += 1
    return HOSTILE[turn[0] % len(HOSTILE)] + value


def crowded(publishers: int = 1000, rules: int = 400) -> dict[str, Any]:
    """A report of many outlets and rules, none of which is like another."""
    report = copy.deepcopy(SAMPLE)
    row, rule = report["publishers"][1], report["rules"][0]
    report["publishers"] = [{**row, "publisher": f"paper-{n}.example", "quarantined": n % 7} for n in range(publishers)]
    report["rules"] = [{**rule, "rule": f"{rule['rule']}_{n}", "spans": rules - n} for n in range(rules)]
    names = [{"name": f"paper-{n}.example", "pages": 1} for n in range(publishers)]
    report["changes"]["publishers"] = {"appeared": names, "vanished": names}
    return report


def write_runs(folder: Path, hostile: bool = False) -> Path:
    """An index over forty runs, one of which failed and one of which has its report."""
    verdicts = {7: "failed", 11: "warned"}
    source = "".join(HOSTILE).replace("\ud800", "") if hostile else "crawl"
    rows = [
        run_row(day, publisher("a.example", 40 + day % 9, byline=day / 40), verdict=verdicts.get(day, "passed"), source=source)
        for day in range(40)
    ]
    write_report(SAMPLE, folder / rows[-1]["run_id"])
    return write_index(folder, runs_frame(*rows))


PAGES: dict[str, Callable[[Path], Path]] = {
    "sample": lambda folder: write_report(SAMPLE, folder)[0],
    "hostile": lambda folder: write_report(poisoned(SAMPLE, [0]), folder)[0],
    "empty": lambda folder: write_report({}, folder)[0],
    "crowded": lambda folder: write_report(crowded(), folder)[0],
    "index": write_runs,
    "hostile index": lambda folder: write_runs(folder, hostile=True),
    "empty index": lambda folder: write_index(folder, runs_frame()),
}

OVERFLOWING = """
[...document.querySelectorAll('body *')].filter(part => !part.closest('.scroll, .vh, .skip, svg') &&
  part.getClientRects().length && part.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
  .map(part => part.tagName + '.' + part.className).slice(0, 5)
"""
# The layout moves only where somebody asked for it: the browser's own count of what jumped.
JUMPED = """
new Promise(told => { let sum = 0; new PerformanceObserver(list => {
  for (const entry of list.getEntries()) sum += entry.value; }).observe({type: 'layout-shift', buffered: true});
  setTimeout(() => told(sum), 100); })
"""


# a thousand publishers at one width: laying all of them out is what takes the time
@pytest.mark.parametrize(
    ("name", "width"), [(n, w) for n in PAGES for w in (390, 768, 1280) if n != "crowded" or w == 390]
)
def test_loads_nothing_logs_nothing_and_stays_in_its_width(
    browser: Browser, tmp_path: Path, name: str, width: int
) -> None:
    page = PAGES[name](tmp_path)
    browser.open(page, width)
    assert browser.value(JUMPED) == 0
    browser.value("document.querySelectorAll('details').forEach(part => part.open = true)")
    fits = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    assert browser.value(fits), browser.value(OVERFLOWING)
    asked = [event["params"]["request"]["url"] for event in browser.seen("Network.requestWillBeSent")]
    assert [url for url in asked if not url.startswith("data:")] == [page.as_uri()]
    assert not browser.seen("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded")
    assert browser.value("document.title") != "owned"
    alive = "document.querySelectorAll('script, img, iframe, object, [onload], [onerror], [style]').length"
    assert browser.value(alive) == 1, "more than the page's own script"


@pytest.mark.parametrize("name", ["sample", "index"])
def test_headings_come_in_order_and_tables_are_labelled(browser: Browser, tmp_path: Path, name: str) -> None:
    browser.open(PAGES[name](tmp_path))
    levels = browser.value("[...document.querySelectorAll('h1,h2,h3,h4')].map(h => +h.tagName[1])")
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    assert browser.value("[...document.querySelectorAll('table')].every(t => t.caption?.textContent.trim())")
    assert browser.value("[...document.querySelectorAll('th')].every(th => th.scope)")
    assert browser.value("['main', 'header', 'nav', 'footer'].every(tag => document.querySelector(tag))")
    assert browser.value("[...document.querySelectorAll('svg')].every(svg => svg.ariaLabel || svg.ariaHidden)")
    ids = browser.value("[...document.querySelectorAll('[id]')].map(part => part.id)")
    assert len(ids) == len(set(ids))
    anchors = browser.value("[...document.querySelectorAll('a')].map(a => a.hash.slice(1)).filter(Boolean)")
    assert set(anchors) <= set(ids)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("name", ["sample", "index"])
def test_axe_finds_no_barrier(browser: Browser, tmp_path: Path, name: str, dark: bool) -> None:
    found = importlib.util.find_spec("axe_core_python")
    assert found is not None
    assert found.origin is not None
    browser.open(PAGES[name](tmp_path), dark=dark)
    browser.value("document.querySelectorAll('details').forEach(part => part.open = true)")
    browser.value(Path(found.origin).with_name("axe.min.js").read_text("utf-8") + ";0")
    rules = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"], "resultTypes": ["violations"]}
    result = browser.value(
        f"axe.run(document, {json.dumps(rules)}).then(r => r.violations.map(v => v.id + ': ' + v.nodes[0].html))"
    )
    assert result == []


def test_the_keyboard_goes_from_the_verdict_to_the_reason_of_a_cut(browser: Browser, tmp_path: Path) -> None:
    browser.open(PAGES["sample"](tmp_path))
    browser.press("Tab")
    assert browser.value("document.activeElement.hash") == "#verdict"
    assert browser.value("document.activeElement.getBoundingClientRect().left") >= 0
    order = [browser.press("Tab") or browser.value("document.activeElement.hash || document.activeElement.tagName")
             for _ in range(9)]  # fmt: skip
    assert order == ["#balance", "#look", "#trends", "#publishers", "#roles", "#rules", "#pages", "#colophon", "A"]
    visible = "getComputedStyle(document.activeElement).outlineStyle"
    assert browser.value(visible) == "solid"
    # the last stop before the first struck piece of the first page, and one further
    browser.value("[...document.querySelectorAll('.galley[open] .line.furniture a')][0].focus()")
    browser.press("Tab")
    assert browser.value("document.activeElement.tagName") == "DEL"
    assert browser.value(visible) == "solid"
    tip = "document.getElementById(document.activeElement.getAttribute('aria-describedby'))"
    assert browser.value(f"{tip}.checkVisibility() && {tip}.textContent.length > 40")
    browser.press("Escape")
    assert not browser.value(f"{tip}.checkVisibility()")


def test_tables_sort_and_filter_over_their_fold(browser: Browser, tmp_path: Path) -> None:
    browser.open(PAGES["crowded"](tmp_path))
    shown = "[...document.querySelectorAll('#publishers .pool > .scroll tbody tr')].map(row => row.cells[{}].textContent)"
    button = "document.querySelectorAll('#publishers thead')[0].querySelectorAll('button')[{}]"
    browser.value(f"{button.format(0)}.focus()")
    browser.press("Enter")
    assert browser.value(shown.format(0))[:2] == ["paper-0.example", "paper-1.example"]
    assert browser.value("document.querySelector('#publishers th').ariaSort") == "ascending"
    browser.press("Enter")
    assert browser.value(shown.format(0))[0] == "paper-999.example"
    browser.value(f"{button.format(3)}.click()")
    assert browser.value(shown.format(3)) == ["6"] * 25
    find = "const field = document.querySelector('#publishers input'); field.value = {!r}; field.dispatchEvent(new Event('input'))"
    browser.value(find.format("PAPER-99"))
    status = "document.querySelector('#publishers [role=status]').textContent"
    assert browser.value(status) == "11 of 1,000"
    assert len(browser.value(shown.format(0))) == 11
    assert not browser.value("document.querySelector('#publishers details').checkVisibility()")
    browser.value("{" + find.format("") + "}")
    everything = "document.querySelectorAll('#publishers tbody tr:not([hidden])').length"
    assert browser.value(everything) == 1000


def test_without_scripts_everything_is_there(browser: Browser, tmp_path: Path) -> None:
    page, _ = write_report(crowded(publishers=60, rules=40), tmp_path)
    browser.order("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.open(page)
        tree = json.dumps(browser.order("DOM.getDocument", depth=-1))
    finally:
        browser.order("Emulation.setScriptExecutionDisabled", value=False)
    assert [tree.count(name) for name in ("paper-59.example", "related_headings_39")] == [3, 5]  # its row, its card, three examples
    assert '"BUTTON"' not in tree


CONTRAST = """
(() => {
  const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const rgba = colour => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data]; };
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255).map(
    v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4).reduce(
    (sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const ground = part => { for (; part; part = part.parentElement) {
    const colour = rgba(getComputedStyle(part).backgroundColor); if (colour[3] > 250) return colour; }
    return [255, 255, 255]; };
  const poor = new Set();
  for (const part of document.querySelectorAll('body *')) {
    const speaks = node => node.nodeType === 3 && node.textContent.trim();
    if (![...part.childNodes].some(speaks)) continue;
    const [a, b] = [light(rgba(getComputedStyle(part).color)), light(ground(part))];
    const contrast = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (contrast < 4.5) poor.add(part.tagName + '.' + part.className + ' ' + contrast.toFixed(2));
  }
  return [...poor];
})()
"""


@pytest.mark.parametrize("status", ["passed", "warned", "failed"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_all_text_has_contrast(browser: Browser, tmp_path: Path, dark: bool, status: str) -> None:
    report = copy.deepcopy(SAMPLE)
    report["verdict"]["status"] = status
    for gate in report["verdict"]["gates"]:
        gate["passed"] = False
    page, _ = write_report(report, tmp_path)
    browser.open(page, dark=dark)
    assert browser.value(CONTRAST) == []


def test_a_thousand_publishers_and_four_hundred_rules_stay_small_and_folded(browser: Browser, tmp_path: Path) -> None:
    page = PAGES["crowded"](tmp_path)
    assert page.stat().st_size < 2_000_000
    browser.open(page)
    assert browser.value("document.querySelectorAll('#publishers .pool > .scroll tbody tr').length") == 25
