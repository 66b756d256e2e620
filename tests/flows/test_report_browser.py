"""The report in a real browser: nothing is fetched, nothing is logged, nothing runs, nothing overflows."""

from __future__ import annotations

import base64
import copy
import itertools
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flows.report import write_report

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
SAMPLE = json.loads(Path(__file__).with_name("report_sample.json").read_text("utf-8"))
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--remote-debugging-pipe",
)  # fmt: skip
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
)

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium (Debian: apt-get install chromium)"),
]


class Browser:
    """One tab of a headless Chromium, driven through its debugging pipe; keeps every event it sends."""

    def __init__(self, profile: Path) -> None:
        theirs_in, self._out = os.pipe()
        self._in, theirs_out = os.pipe()

        def wire() -> None:  # Chromium reads its orders from 3 and answers on 4
            spare_in, spare_out = os.dup(theirs_in), os.dup(theirs_out)
            os.dup2(spare_in, 3)
            os.dup2(spare_out, 4)

        self._process = subprocess.Popen(
            [str(CHROMIUM), *FLAGS, f"--user-data-dir={profile}", "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, close_fds=False,
            preexec_fn=wire,  # noqa: PLW1509  (two dup2 calls; nothing else can give it these numbers)
        )  # fmt: skip
        os.close(theirs_in)
        os.close(theirs_out)
        self._buffer, self._number, self._session = b"", 0, ""
        self.events: list[dict[str, Any]] = []
        tabs = self.order("Target.getTargets")["targetInfos"]
        tab = next(target["targetId"] for target in tabs if target["type"] == "page")
        self._session = self.order("Target.attachToTarget", targetId=tab, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.order(f"{domain}.enable")

    def _message(self, patience: float) -> dict[str, Any] | None:
        end = time.monotonic() + patience
        while b"\0" not in self._buffer:
            if not select.select([self._in], [], [], max(end - time.monotonic(), 0))[0]:
                return None
            piece = os.read(self._in, 1 << 20)
            if not piece:
                raise RuntimeError("Chromium closed its pipe")
            self._buffer += piece
        message, _, self._buffer = self._buffer.partition(b"\0")
        return dict(json.loads(message))

    def order(self, method: str, **params: Any) -> dict[str, Any]:
        self._number += 1
        order = {"id": self._number, "method": method, "params": params}
        if self._session:
            order["sessionId"] = self._session
        os.write(self._out, json.dumps(order).encode() + b"\0")
        while message := self._message(60):
            if message.get("id") == self._number:
                assert "error" not in message, (method, message["error"])
                return dict(message.get("result", {}))
            self.events.append(message)
        raise TimeoutError(method)

    def open(self, page: Path, width: int = 1280, dark: bool = False) -> None:
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.order("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1,
                   mobile=width < 700)  # fmt: skip
        self.order("Emulation.setEmulatedMedia", features=scheme)
        self.events.clear()
        self.order("Page.navigate", url=page.as_uri())
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            message = self._message(60)
            assert message, "the page did not load"
            self.events.append(message)

    def value(self, expression: str) -> Any:
        answer = self.order("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def seen(self, *methods: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event.get("method") in methods]

    def shoot(self, path: Path) -> None:
        picture = self.order("Page.captureScreenshot", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(picture["data"]))

    def close(self) -> None:
        try:
            self._session = ""
            self.order("Browser.close")
            self._process.wait(timeout=20)
        finally:
            if self._process.poll() is None:
                self._process.kill()
                self._process.wait()
            os.close(self._in)
            os.close(self._out)


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
    if not isinstance(value, str) or key in {"kind", "level", "status", "started_at"}:
        return value
    turn[0] += 1
    return HOSTILE[turn[0] % len(HOSTILE)] + value


def many_publishers(count: int = 1000) -> dict[str, Any]:
    report = copy.deepcopy(SAMPLE)
    row = report["publishers"][1]
    report["publishers"] = [
        {**row, "publisher": f"paper-{n}.example", "quarantined": n % 7} for n in range(count)
    ]
    return report


REPORTS = {
    "sample": lambda: SAMPLE,
    "hostile": lambda: poisoned(SAMPLE, [0]),
    "empty": dict,
    "thousand": many_publishers,
}


@pytest.mark.parametrize("width", [360, 768, 1280])
@pytest.mark.parametrize("name", REPORTS)
def test_loads_nothing_logs_nothing_and_stays_in_its_width(
    browser: Browser, tmp_path: Path, name: str, width: int
) -> None:
    page, _ = write_report(REPORTS[name](), tmp_path)
    browser.open(page, width)
    browser.value("document.querySelectorAll('details').forEach(part => part.open = true)")
    fits = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    assert browser.value(fits), "the page scrolls sideways"
    asked = [event["params"]["request"]["url"] for event in browser.seen("Network.requestWillBeSent")]
    assert [url for url in asked if not url.startswith("data:")] == [page.as_uri()]
    assert not browser.seen("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded")
    assert browser.value("document.title") != "owned"
    alive = "document.querySelectorAll('script, img, iframe, object, [onload], [onerror]').length"
    assert browser.value(alive) == 0


def test_headings_come_in_order_and_tables_are_labelled(browser: Browser, tmp_path: Path) -> None:
    page, _ = write_report(SAMPLE, tmp_path)
    browser.open(page)
    levels = browser.value("[...document.querySelectorAll('h1,h2,h3,h4')].map(h => +h.tagName[1])")
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    assert browser.value("[...document.querySelectorAll('table')].every(t => t.caption?.textContent.trim())")
    assert browser.value("[...document.querySelectorAll('th')].every(th => th.scope)")
    assert browser.value("['main', 'header', 'nav', 'footer'].every(tag => document.querySelector(tag))")
    ids = browser.value("[...document.querySelectorAll('[id]')].map(part => part.id)")
    assert len(ids) == len(set(ids))
    anchors = browser.value("[...document.querySelectorAll('a')].map(a => a.hash.slice(1)).filter(Boolean)")
    assert set(anchors) <= set(ids)


def test_the_first_tab_stop_skips_to_the_verdict(browser: Browser, tmp_path: Path) -> None:
    page, _ = write_report(SAMPLE, tmp_path)
    browser.open(page)
    for kind in ("keyDown", "keyUp"):
        browser.order("Input.dispatchKeyEvent", type=kind, key="Tab", code="Tab", windowsVirtualKeyCode=9)
    assert browser.value("document.activeElement.hash") == "#verdict"
    assert browser.value("document.activeElement.getBoundingClientRect().left") >= 0


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


def test_a_thousand_publishers_open_fast(browser: Browser, tmp_path: Path) -> None:
    page, _ = write_report(many_publishers(), tmp_path)
    assert page.stat().st_size < 1_500_000
    start = time.monotonic()
    browser.open(page)
    browser.value("document.body.offsetHeight")
    assert time.monotonic() - start < 5
    assert browser.value("document.querySelectorAll('#publishers .column > .scroll tbody tr').length") == 25
