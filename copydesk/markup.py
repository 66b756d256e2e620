"""What the markup of an HTML page says of its lines: tables of elements and names, and the lines that it settles."""

from __future__ import annotations

import dataclasses
import functools
import tomllib
from pathlib import Path
from typing import Final

import polars as pl

TAGS: Final = (
    "other", "p", "h1", "h2", "h3", "h4", "h5", "h6", "li", "div", "td", "figcaption", "blockquote", "button", "label",
    "section", "article", "header", "footer", "aside", "nav", "main", "dd", "dt", "a", "span", "time", "option",
)  # fmt: skip
"""The elements in which a line is told to stand."""
INSIDE: Final[dict[str, tuple[str, ...]]] = {
    "a": ("a",), "article": ("article",), "main": ("main",), "aside": ("aside",), "nav": ("nav",),
    "footer": ("footer",),
    "header": ("header",), "figure": ("figure", "figcaption", "picture"), "list": ("ul", "ol", "menu"),
    "table": ("table",), "form": ("form", "fieldset", "select"), "quote": ("blockquote",),
    "heading": ("h1", "h2", "h3", "h4", "h5", "h6"), "bold": ("b", "strong"), "time": ("time",), "button": ("button",),
    "paragraph": ("p",), "address": ("address",),
}  # fmt: skip
"""What a line may stand in, by the elements that say so."""


NAMED: Final = tuple(
    f"{kind}_name"
    for kind in (
        "body", "headline", "standfirst", "byline", "caption", "related", "share", "newsletter", "advert", "comments",
        "menu", "tags", "bio", "live", "hidden", "consent", "account", "dialog", "post",
    )
)  # fmt: skip
"""What a line may stand in, by the class, id, role or itemprop of an element."""


@functools.cache
def names() -> dict[str, str]:
    """For each of NAMED a regular expression over those attributes in lower case, from `data/markup.toml`."""
    table = tomllib.loads((Path(__file__).parent / "data" / "markup.toml").read_text("utf-8"))["names"]
    return {kind: "|".join(table[kind.removesuffix("_name")]["words"]) for kind in NAMED}


@dataclasses.dataclass(frozen=True)
class Markup:
    """A rule that settles a line by its place in the page's tree: its name, the role it gives, the condition on the
    marks of `html.render`, and why."""

    name: str
    role: str
    when: pl.Expr
    why: str


_OUTSIDE = (pl.col("in_article") == 0) & (pl.col("in_main") == 0)
_APART = _OUTSIDE & (pl.col("in_paragraph") == 0)
MARKUP: Final = (
    Markup("markup_nav", "navigation", (pl.col("in_nav") > 0) & (pl.col("in_heading") == 0),
           "The line stands in an element for navigation."),
    Markup("markup_footer", "navigation", (pl.col("in_footer") > 0) & _OUTSIDE,
           "The line stands in a footer that is not the article's."),
    Markup("markup_option", "navigation", pl.col("tag") == TAGS.index("option"), "A choice of a form."),
    Markup("markup_button", "navigation", (pl.col("in_button") > 0) & _APART, "A button outside the article."),
    Markup("markup_list_of_links", "navigation",
           (pl.col("in_list") > 0) & (pl.col("link_percent") > 90) & _APART & (pl.col("in_byline_name") == 0),
           "A link in a list that stands in no article."),
)  # fmt: skip
"""Lines that their place makes furniture, whatever they say: the first row that holds."""
