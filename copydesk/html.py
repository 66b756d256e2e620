"""HTML pages to lines: every block of a page becomes a line of text, with what its markup says of it.

Each page is parsed by lexbor (through selectolax), as browsers do, and serialised again, so that every element is
closed. The tags of all pages of a batch are then rows of one frame, in which the place of a line in its tree is a
matter of running sums: an element that opens counts one, its end takes it back.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import polars as pl
from selectolax.lexbor import LexborHTMLParser

from copydesk.lines import split_lines
from copydesk.markup import INSIDE, MARKUP, NAMED, TAGS, names
from copydesk.metadata import metadata_frame, read_metadata

UNSEEN: Final = (
    "script", "style", "noscript", "template", "svg", "iframe", "object", "canvas", "head", "math", "noembed",
    "noframes",
)  # fmt: skip
"""Elements whose text no reader of the page sees."""
VOID: Final = (
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr",
    "frame", "basefont", "bgsound", "keygen",
)  # fmt: skip
"""Elements without an end (https://html.spec.whatwg.org/#serialising-html-fragments)."""
APART: Final = (
    "p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "table", "blockquote", "figure", "section", "article",
    "header", "footer", "aside", "nav", "main", "pre", "dl", "hr", "form", "fieldset", "details", "address",
)  # fmt: skip
"""Elements that begin a line and end one, with a blank line about them."""
BLOCKS: Final = (
    *APART, "div", "li", "tr", "td", "th", "dt", "dd", "figcaption", "caption", "body", "summary", "option", "select",
    "button", "label", "legend", "center", "video", "audio", "picture", "dialog", "menu", "hgroup", "tbody", "thead",
    "br",
)  # fmt: skip
"""Elements that begin a line and end one."""
MAKE_LINES: Final = [tag for tag in BLOCKS if tag not in VOID]
ENTITIES: Final = {"&lt;": "<", "&gt;": ">", "&nbsp;": "\u00a0", "&amp;": "&"}
"""What lexbor writes of the characters that text must not hold (https://html.spec.whatwg.org/#escapingString)."""
MOST_CHARACTERS: Final = 50_000_000
"""Characters of the longest page that is parsed; a longer one has no text."""
_NO_PAGE: Final = LexborHTMLParser("")

_TOKEN = r"(?:<!--(?s:.*?)-->|</?[a-zA-Z](?:[^>\"]|\"[^\"]*\")*>)[^<]*"
_NAMING = r"\s(?:class|id|itemprop|role)=\"[^\"]*\""
_HIDING = r"\s(?:hidden(?:=|\s|>)|aria-hidden=\"true\"|style=\"[^\"]*(?:display:\s*none|visibility:\s*hidden))"


class Rendered(NamedTuple):
    """The lines of HTML pages: `texts` has `page` and `text`, `marks` a row for each of its lines; see `render`."""

    texts: pl.DataFrame
    marks: pl.DataFrame


class HtmlPages(NamedTuple):
    """Pages with their HTML rendered as `text`, the lines that are to be looked at, the spans of the others, and what
    the pages say of themselves (`page` and METADATA)."""

    pages: pl.DataFrame
    lines: pl.DataFrame
    settled: pl.DataFrame
    metadata: pl.DataFrame


def read_html(pages: pl.DataFrame) -> HtmlPages:
    """Read HTML pages; `pages` has `page`, `url`, `html` and `fetched_at`.

    The lines are those of `split_lines` with the marks of `render`; the others are those
    that MARKUP settles, with the columns of `cut_spans`.
    """
    bodies, said = [], []
    for url, html, fetched in pages.select("url", "html", "fetched_at").iter_rows():
        tree = LexborHTMLParser(html) if len(html) <= MOST_CHARACTERS else _NO_PAGE
        said.append(read_metadata(tree, url, fetched=fetched))
        bodies.append(serialised(tree))
    texts, marks = render(pages.select("page", html=pl.Series(bodies, dtype=pl.String)))
    pages = pages.with_columns(text=texts["text"])
    lines = split_lines(pages).hstack(marks)
    settled_by = pl.coalesce(*(pl.when(rule.when).then(pl.lit(n, pl.UInt8)) for n, rule in enumerate(MARKUP)))
    lines = lines.with_columns(markup=settled_by)
    facts = pl.DataFrame(
        {"markup": range(len(MARKUP)), "role": [m.role for m in MARKUP], "rule": [m.name for m in MARKUP]},
        schema_overrides={"markup": pl.UInt8},
    )
    settled = lines.join(facts, on="markup", maintain_order="left").with_columns(
        line=pl.lit(None, pl.UInt32), confidence=pl.lit(1.0, pl.Float32)
    )
    metadata = pages.select("page").hstack(metadata_frame(said))
    return HtmlPages(pages, lines.filter(pl.col("markup").is_null()).drop("markup"), settled, metadata)


def render(pages: pl.DataFrame) -> Rendered:
    """Render the bodies of pages (`page`, UInt32, ascending; `html`, every element closed): a line a block, with a
    bullet before the items of lists.

    `marks` has for each line: `link_percent` of its characters; `tag` and `block_tag`, the elements in which it stands
    (numbers in TAGS); `in_*` for INSIDE and NAMED, how many such elements; `element`, `parent` and `grandparent`,
    numbers that are alike for lines in the same element.
    """
    return _lines(pages, _tree(_tags(pages)))


def serialised(tree: LexborHTMLParser) -> str:
    """The visible part of a page as lexbor understands it, every element closed."""
    if tree.body is None:
        return ""
    tree.strip_tags(list(UNSEEN))
    return tree.body.html or ""


def _tags(bodies: pl.DataFrame) -> pl.DataFrame:
    """A row a tag: `page`, `row`, `name`, `opens`, `closes`, `naming` (its attributes that name it), `hidden`, and the
    `text` behind it."""
    token = pl.col("token")
    tokens = (
        bodies.select("page", token=pl.col("html").str.extract_all(_TOKEN))
        .explode("token", empty_as_null=True)
        .drop_nulls("token")
        .with_row_index("row")
    )
    tokens = tokens.with_columns(
        # a comment opens nothing, but text stands behind it
        name=token.str.slice(1, 24).str.strip_chars_start("/").str.extract(r"^(!--|[a-zA-Z0-9:_-]+)", 1),
        closes=token.str.starts_with("</"),
        text=token.str.extract(r">([^>]*)$", 1),
    )
    attributes = (
        tokens.filter(~pl.col("closes") & token.str.contains(" ", literal=True))
        .select("row", naming=token.str.extract_all(_NAMING).list.join(" "), hidden=token.str.contains(_HIDING))
        .with_columns(naming=pl.when(pl.col("naming") != "").then(pl.col("naming").str.to_lowercase()))
    )
    tokens = tokens.join(attributes, on="row", how="left", maintain_order="left")
    return tokens.with_columns(opens=~pl.col("closes") & ~pl.col("name").is_in([*VOID, "!--"])).drop("token")


def _tree(tags: pl.DataFrame) -> pl.DataFrame:
    """Add where each tag stands: `top`, the row of the element in which the text behind it is, and for an end `mate`,
    the row of its beginning; `block` and `parent`, the same of elements that make lines."""
    tags = tags.with_columns(makes=pl.col("name").is_in(MAKE_LINES))
    tags = tags.with_columns(top=_innermost(tags, pl.lit(True)), block=_innermost(tags, pl.col("makes")))
    before = pl.col("top", "block").shift(1).fill_null(0)
    return tags.with_columns(before.name.suffix("_before")).with_columns(
        mate=pl.when("closes").then("top_before"),
        parent=pl.when(pl.col("opens") & pl.col("makes")).then("block_before").otherwise(0),
    )


def _innermost(tags: pl.DataFrame, counted: pl.Expr) -> pl.Series:
    """The row of the innermost element, of those counted, that is open behind each tag."""
    depth = ((pl.col("opens") & counted).cast(pl.Int32) - (pl.col("closes") & counted).cast(pl.Int32)).cum_sum()
    # at one depth of a page, the element that was opened last is the one that is still open
    place = pl.col("page").cast(pl.UInt64) * (1 << 32) + depth.over("page").clip(0).cast(pl.UInt64)
    rows = tags.select("row", place=place, open=pl.when(pl.col("opens") & counted).then("row"))
    rows = rows.sort("place", maintain_order=True).with_columns(pl.col("open").forward_fill())
    return rows.sort("row")["open"].fill_null(0)


def _inside(tags: pl.DataFrame, at: pl.Series) -> pl.DataFrame:
    """How many elements of each kind the text behind some tags (`at`, their rows) stands in: a column a kind."""
    naming = tags["naming"].drop_nulls().unique()
    kinds = pl.DataFrame({"naming": naming}).with_columns(
        pl.col("naming").str.contains(pattern).alias(kind) for kind, pattern in names().items()
    )
    # what the page as a whole is called says nothing of its parts
    named = tags.filter(pl.col("opens") & (pl.col("name") != "body")).select("row", "naming", "hidden", "name")
    named = named.join(kinds, on="naming", how="left", maintain_order="left")
    start = tags.select(pl.col("row").first().over("page"))["row"].gather(at)
    closes, mate = tags["closes"].cast(pl.Int32), tags["mate"].fill_null(0)
    nothing = pl.Series([0], dtype=pl.Int32).new_from_index(0, len(tags))
    found = {}
    for kind in (*INSIDE, *NAMED, "hidden"):
        rows = named.filter(pl.col("name").is_in(INSIDE[kind]) if kind in INSIDE else pl.col(kind))["row"]
        opened = nothing.clone().scatter(rows, 1)
        through = (opened - opened.gather(mate) * closes).cum_sum()
        # from the page's own start: an element that a page leaves open is no matter of the next one
        found[f"in_{kind}"] = (through.gather(at) - (through - opened).gather(start)).clip(0)
    return pl.DataFrame(found)


def _lines(pages: pl.DataFrame, tags: pl.DataFrame) -> Rendered:
    starts = pl.col("makes") | pl.col("name").is_in(["br", "hr"]) | (pl.col("page") != pl.col("page").shift(1))
    link = pl.col("name") == "a"
    tags = tags.with_columns(
        line=starts.fill_null(True).cast(pl.UInt32).cum_sum(),
        gaps=pl.col("name").is_in(APART).cast(pl.UInt32).cum_sum(),
        items=((pl.col("name") == "li") & pl.col("opens")).cast(pl.UInt32).cum_sum().over("page"),
        linked=((link & pl.col("opens")).cast(pl.Int32) - (link & pl.col("closes")).cast(pl.Int32))
        .cum_sum()
        .over("page")
        > 0,
    )
    characters = pl.col("text").str.len_chars()
    lines = (
        tags.filter(pl.col("text").str.contains(r"\S").fill_null(False))
        .group_by("page", "line", maintain_order=True)
        .agg(
            pl.col("text").str.join(""),
            *(pl.col(name).first() for name in ("row", "gaps", "items", "top", "block")),
            linked=characters.filter("linked").sum(),
            characters=characters.sum(),
        )
    )
    text = pl.col("text").str.replace_many(ENTITIES).str.replace_all(r"\s+", " ").str.strip_chars()
    lines = lines.with_columns(text=text).filter(pl.col("text") != "")
    same_page = (pl.col("page") == pl.col("page").shift(1)).fill_null(False)
    lines = lines.with_columns(
        bullet=pl.col("items") != pl.when(same_page).then(pl.col("items").shift(1)).otherwise(0),
        gap=same_page & (pl.col("gaps") != pl.col("gaps").shift(1)),
    ).with_columns(gap=pl.col("gap") & ~(pl.col("bullet") & pl.col("bullet").shift(1).fill_null(False)))
    printed = pl.when("bullet").then(pl.lit("  • ") + pl.col("text")).otherwise("text")
    printed = pl.when("gap").then(pl.lit("\n") + printed).otherwise(printed)
    texts = lines.group_by("page", maintain_order=True).agg(text=printed.str.join("\n"))
    texts = pages.select("page").join(texts, on="page", how="left", maintain_order="left")
    texts = texts.with_columns(pl.col("text").fill_null(""))
    name, parent = tags["name"], tags["parent"]
    marks: dict[str, Any] = {
        "link_percent": lines["linked"] * 100 // lines["characters"],
        "tag": _tag(name.gather(lines["top"])),
        "block_tag": _tag(name.gather(lines["block"])),
        "element": lines["block"],
        "parent": parent.gather(lines["block"]),
        "grandparent": parent.gather(parent.gather(lines["block"])),
    }
    return Rendered(texts, pl.DataFrame(marks).hstack(_inside(tags, lines["row"])))


def _tag(name: pl.Series) -> pl.Series:
    return name.replace_strict({tag: n for n, tag in enumerate(TAGS)}, default=0, return_dtype=pl.UInt8)
