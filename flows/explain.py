"""`copydesk explain`: one page with every span coloured by its role, and its rule in the margin."""

from __future__ import annotations

import dataclasses
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.panel import Panel
from rich.segment import Segment
from rich.style import Style
from rich.table import Table
from rich.text import Text

from copydesk import clean
from copydesk.cleaning import Cleaned
from copydesk.roles import FIELDS, FURNITURE
from flows.decode import decode
from flows.errors import UsageError
from flows.readers import ReadOptions
from flows.readers.kinds import kind_of
from flows.request import open_rules
from flows.summary import open_console
from flows.wording import UNSEEN, shown

# Colours of the terminal's own palette, and none that is white or black: they read on light and on dark.
STYLES = {
    "headline": "bold blue", "kicker": "bold magenta", "standfirst": "italic blue", "byline": "cyan",
    "dateline": "bold cyan", "published": "green", "modified": "bold green", "caption": "yellow",
    "credit": "bold yellow", "subheading": "bold", "body": "", "section": "magenta",
}  # fmt: skip
FURNITURE_STYLE = "red"
WIDE = 110
"""Columns from which a rule's whole name has room beside the text."""
MARGIN = 21
"""Columns of the margin where there are fewer: a rule's name goes on over the next line."""
SNIFFED = 4096
"""Bytes by which HTML is told from text."""
KEPT, CUT = "▌", "░"
_PLAIN = {KEPT: "|", CUT: ":"}


def explain_page(
    page: str,
    *,
    url: str | None,
    rules: Sequence[Path],
    publishers: Sequence[Path],
    width: int,
    memory: Path | None = None,
) -> None:
    """Clean one page and print it, span by span."""
    raw = _read(page)
    decoded = decode(raw)
    if decoded.text is None:
        raise UsageError(f"{page}: {decoded.problem}: {decoded.detail}; give a file of text or HTML")
    name = "standard input" if page == "-" else page
    of_html = kind_of(raw[:SNIFFED], name, ReadOptions()) == "html"
    text, html = (None, decoded.text) if of_html else (decoded.text, None)
    cleaned = clean(text, html=html, url=url, doc_id=name, desk=open_rules(rules, publishers, memory))
    console = open_console(width)
    console.print(_record(cleaned, name))
    if len(cleaned.spans):
        console.print(_page(cleaned, console))
        console.print()
        console.print(_legend(cleaned))


def _read(page: str) -> bytes:
    if page == "-":
        return sys.stdin.buffer.read()
    path = Path(page)
    if not path.exists():
        raise UsageError(f"no such file: {page}; check the path")
    if not path.is_file():
        raise UsageError(f"{page} is a folder: explain takes one page; `copydesk run {page}` cleans them all")
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{page} cannot be read: {error.strerror}; check its permissions") from None


def _record(cleaned: Cleaned, name: str) -> Panel:
    """What the page became: the article's fields, or why it is none."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", justify="right", no_wrap=True)
    grid.add_column(overflow="fold")
    if not len(cleaned.articles):
        for reason in cleaned.quarantine["reasons"].item():
            grid.add_row(reason["check"], _visible(": ".join(v for v in (reason["column"], reason["value"]) if v)))
        return Panel(grid, title=_visible(f"quarantined · {name}"), title_align="left", border_style="red")
    for label, value in _fields(cleaned.articles.row(0, named=True)):
        grid.add_row(label, _visible(value, STYLES.get(label, "")))
    return Panel(grid, title=_visible(f"article · {name}"), title_align="left", border_style="green")


def _fields(article: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for label in ("publisher", "language", "section", "kicker", "headline", "standfirst"):
        if article[label]:
            yield label, article[label]
    for author in article["authors"]:
        more = [author[k] for k in ("role", "affiliation", "email") if author[k]]
        kind = "" if author["kind"] == "person" else f" [{author['kind']}]"
        yield "byline", author["name"] + kind + "".join(f", {m}" for m in more)
    for label in ("published", "modified"):
        if article[f"{label}_on"]:
            yield label, _when(article, label)
    if article["dateline"]:
        yield "dateline", article["dateline"]
    for caption in article["captions"]:
        yield (
            "caption",
            " · ".join(v for v in (caption["text"], caption["credit"] and f"credit: {caption['credit']}") if v),
        )
    yield "words", f"{article['word_count']:,}"
    if article["warnings"]:
        yield "warnings", ", ".join(article["warnings"])


def _when(article: dict[str, Any], label: str) -> str:
    """A date as it was printed, and what is known of it: no more than a day, or an instant."""
    printed = f"“{article[f'{label}_raw']}” = " if article[f"{label}_raw"] else ""
    instant = article[f"{label}_at"]
    if instant is None:
        return f"{printed}{article[f'{label}_on']}, no instant"
    zone = f" ({article['published_zone']}, {article['published_zone_source']})" if label == "published" else ""
    return f"{printed}{instant:%Y-%m-%d %H:%M:%S} UTC{zone}"


def _page(cleaned: Cleaned, console: Console) -> Table:
    """A row a span: line, role, text, rule. One blank row stands for the page's blank lines."""
    wide = console.width >= WIDE
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), width=console.width, show_edge=False, header_style="dim")
    table.add_column("line", justify="right", style="dim", no_wrap=True)
    table.add_column("role", no_wrap=True)
    table.add_column("text", ratio=1)
    table.add_column("rule", style="dim", no_wrap=True)
    last = -1
    for span in cleaned.spans.iter_rows(named=True):
        cut = span["role"] in FURNITURE
        style = FURNITURE_STYLE if cut else STYLES[span["role"]]
        if last >= 0 and span["line_no"] > last + 1:
            table.add_row("", "", "", "")
        sure = "" if span["confidence"] >= 1 else f" {span['confidence']:.0%}"
        table.add_row(
            "" if span["line_no"] == last else str(span["line_no"]),
            Text(span["role"], style=style or "dim"),
            Ribbon(_visible(span["text"], f"{style} strike" if cut else style), CUT if cut else KEPT, style or "dim"),
            span["rule"] + sure if wide else "\n".join(_broken(span["rule"] + sure, MARGIN)),
        )
        last = span["line_no"]
    return table


@dataclasses.dataclass(frozen=True)
class Ribbon:
    """A text with `mark` before each of its lines, however many it takes."""

    text: Text
    mark: str
    style: str

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        mark = self.mark if console.encoding.startswith("utf") else _PLAIN[self.mark]
        colour = Style.parse(self.style) + Style(bold=False, italic=False)
        inner = options.update(width=max(options.max_width - 2, 1), height=None, justify="default", overflow="fold")
        for line in console.render_lines(self.text, inner, pad=False):
            yield Segment(f"{mark} ", colour)
            yield from line
            yield Segment.line()

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement(3, options.max_width)


def _broken(rule: str, width: int) -> Iterator[str]:
    """A rule's name in lines of at most `width` characters, broken behind an underscore."""
    line = ""
    for word in rule.replace("_", "_\0").replace(" ", "\0 ").split("\0"):
        if line and len(line) + len(word) > width:
            yield line
            line = word.lstrip()
        else:
            line += word
    yield line


def _legend(cleaned: Cleaned) -> Text:
    """Every role on the page in its colour with its spans, and what was kept and cut in characters."""
    spans = cleaned.spans
    size = spans["text"].str.replace_all(r"\s+", "").str.len_chars()
    cut = int(size.filter(spans["role"].is_in(FURNITURE)).sum())
    total = int(size.sum()) or 1
    counts = Counter(spans["role"])
    legend = Text()
    kept = "kept" if len(cleaned.articles) else "not furniture"
    for mark, roles, word, characters in ((KEPT, FIELDS, kept, total - cut), (CUT, FURNITURE, "furniture", cut)):
        legend.append(f" {mark} {word} {characters / total:.0%}", style=FURNITURE_STYLE if mark == CUT else "bold")
        legend.append(f" ({characters:,} characters): ", style="dim")
        found = [r for r in roles if counts[r]]
        for n, role in enumerate(found):
            legend.append(role, style=FURNITURE_STYLE if mark == CUT else STYLES[role])
            legend.append(f" {counts[role]}" + (", " if n < len(found) - 1 else ""), style="dim")
        legend.append("\n" if found else "none\n", style="dim")
    legend.append(" A percentage behind a rule says how sure it is; without one it is certain.", style="dim")
    return legend


def _visible(text: str, style: str = "") -> Text:
    """A page's words for a terminal: characters that would steer it are named instead of sent."""
    return Text(shown(text, len(text)) if UNSEEN.search(text) else text, style=style)
