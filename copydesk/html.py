"""HTML pages to lines: every block of a page becomes a line of text, with what its markup says of it.

Each page is parsed by lexbor (through selectolax), as browsers do, and serialised again, so that every element is
closed. The tags of all pages of a batch are then rows of one frame, in which the place of a line in its tree is a
matter of running sums: an element that opens counts one, its end takes it back.
"""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple

import polars as pl
from selectolax.lexbor import LexborHTMLParser

from copydesk.headlines import letters
from copydesk.lines import split_lines
from copydesk.markup import INSIDE, MARKUP, NAMED, TAGS, names
from copydesk.metadata import metadata_frame, read_metadata

UNSEEN: Final = (
    "script", "style", "noscript", "template", "svg", "iframe", "object", "canvas", "head", "math", "noembed",
    "noframes", "img", "source", "input", "link", "meta", "area", "embed", "track", "param",
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
CELLS: Final = ("td", "th")
"""A table's row is one line where its cells hold nothing that begins a line, and none a long text."""
LONGEST_CELL: Final = 200
"""Characters of a text in a cell from which on its table is there for the layout."""
MAKE_LINES: Final = [tag for tag in BLOCKS if tag not in VOID]
ENTITIES: Final = {"&lt;": "<", "&gt;": ">", "&nbsp;": "\u00a0", "&amp;": "&"}
"""What lexbor writes of the characters that text must not hold (https://html.spec.whatwg.org/#escapingString)."""
MOST_CHARACTERS: Final = 50_000_000
"""Characters of the longest page that is parsed; a longer one has no text."""
DEEPEST: Final = 5_000
"""Elements within each other; from there on a page's tags are left out, as a parser's time grows with their square."""
AT_ONCE: Final = 16_000_000
"""Characters of bodies that are rendered at once: their tags take ten times as much memory."""
_NO_PAGE: Final = LexborHTMLParser("")
_NESTING = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)[^<>]*>")
_CLOSED_BY_OTHERS: Final = frozenset(
    (*VOID, "p", "li", "dt", "dd", "tr", "td", "th", "tbody", "thead", "tfoot", "option", "optgroup", "rp", "rt")
)
"""Elements that do not nest for want of their end tag (https://html.spec.whatwg.org/#optional-tags)."""

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
    said, bodies = [], []
    for url, html, fetched in pages.select("url", "html", "fetched_at").iter_rows():
        tree = LexborHTMLParser(_shallow(html)) if len(html) <= MOST_CHARACTERS else _NO_PAGE
        said.append(read_metadata(tree, url, fetched=fetched))
        bodies.append(serialised(tree))
    whole = pages.select("page", html=pl.Series(bodies, dtype=pl.String))
    whole = whole.with_columns(part=pl.col("html").str.len_chars().cum_sum() // AT_ONCE)
    parts = whole.partition_by("part", maintain_order=True, include_key=False) or [whole.drop("part")]
    rendered = [render(part) for part in parts]
    pages = pages.with_columns(text=pl.concat(r.texts["text"] for r in rendered))
    lines = split_lines(pages).hstack(pl.concat(r.marks for r in rendered))
    settled_by = pl.coalesce(*(pl.when(rule.when).then(pl.lit(n, pl.UInt8)) for n, rule in enumerate(MARKUP)))
    lines = lines.with_columns(markup=settled_by)
    # what lies between two lines that are looked at is as low as the lowest line between them
    looked_at = pl.col("markup").is_null()
    between = (looked_at.cast(pl.UInt32).cum_sum() - looked_at.cast(pl.UInt32)).alias("between")
    lines = lines.with_columns(low=pl.col("low").min().over("page", between))
    facts = pl.DataFrame(
        {"markup": range(len(MARKUP)), "role": [m.role for m in MARKUP], "rule": [m.name for m in MARKUP]},
        schema_overrides={"markup": pl.UInt8},
    )
    settled = lines.join(facts, on="markup", maintain_order="left").with_columns(
        line=pl.lit(None, pl.UInt32), confidence=pl.lit(1.0, pl.Float32)
    )
    metadata = pages.select("page").hstack(metadata_frame(said))
    lines = lines.with_columns(stated=_stated(lines, metadata))
    return HtmlPages(pages, lines.filter(pl.col("markup").is_null()).drop("markup"), settled, metadata)


def _stated(lines: pl.DataFrame, metadata: pl.DataFrame) -> pl.Series:
    """Whether each line stands in the whole article that the page's JSON-LD states: 0 not, 1 it does; -1 where it
    states none."""
    bodies = metadata.filter(pl.col("body_whole")).select("page", body=letters(pl.col("body")))
    found = lines.select("page", text=pl.col("text")).with_row_index("row").join(bodies, on="page")
    found = found.select("row", there=pl.col("body").str.contains(letters(pl.col("text")), literal=True).cast(pl.Int8))
    return pl.Series([-1], dtype=pl.Int8).new_from_index(0, len(lines)).scatter(found["row"], found["there"])


def render(pages: pl.DataFrame) -> Rendered:
    """Render the bodies of pages (`page`, UInt32, ascending; `html`, every element closed): a line a block, with a
    bullet before the items of lists.

    `marks` has for each line: `link_percent` of its characters; `tag` and `block_tag`, the elements in which it stands
    (numbers in TAGS); `in_*` for INSIDE and NAMED, how many such elements; `element`, `parent` and `grandparent`,
    numbers that are alike for lines in the same element.
    """
    return _lines(pages, _tree(_tags(pages)))


def _shallow(html: str) -> str:
    """The page without the tags that would nest deeper than any page does on purpose; its text stays."""
    if html.count("<") - 2 * html.count("</") < DEEPEST:
        return html
    depth = 0

    def kept(tag: re.Match[str]) -> str:
        nonlocal depth
        if tag[2].lower() in _CLOSED_BY_OTHERS:
            return tag[0]
        depth = max(0, depth - 1) if tag[1] else depth + 1
        return tag[0] if depth <= DEEPEST else " "

    return _NESTING.sub(kept, html)


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
    tags = tags.with_columns(level=_depth(pl.col("makes")))
    before = pl.col("top", "block").shift(1).fill_null(0)
    return tags.with_columns(before.name.suffix("_before")).with_columns(
        mate=pl.when("closes").then("top_before"),
        parent=pl.when(pl.col("opens") & pl.col("makes")).then("block_before").otherwise(0),
    )


def _innermost(tags: pl.DataFrame, counted: pl.Expr) -> pl.Series:
    """The row of the innermost element, of those counted, that is open behind each tag."""
    # at one depth of a page, the element that was opened last is the one that is still open
    place = pl.col("page").cast(pl.UInt64) * (1 << 32) + _depth(counted).cast(pl.UInt64)
    rows = tags.select("row", place=place, open=pl.when(pl.col("opens") & counted).then("row"))
    rows = rows.sort("place", maintain_order=True).with_columns(pl.col("open").forward_fill())
    return rows.sort("row")["open"].fill_null(0)


def _depth(counted: pl.Expr) -> pl.Expr:
    """How many elements, of those counted, are open behind each tag."""
    depth = (pl.col("opens") & counted).cast(pl.Int32) - (pl.col("closes") & counted).cast(pl.Int32)
    return depth.cum_sum().over("page").clip(0)


def _alike(tags: pl.DataFrame, block: pl.Series) -> pl.Series:
    """A number that is alike for lines in elements of one tag and class, in elements of one tag and class."""
    above = tags["parent"].gather(block)
    called = tags.select("name", "naming")
    alike = called.select(pl.all().gather(block)).hstack(called.select(pl.all().gather(above).name.suffix("_above")))
    return alike.select(pl.struct(pl.all()).rank("dense")).to_series()


def _inside(tags: pl.DataFrame, at: pl.Series) -> pl.DataFrame:
    """How many elements of each kind the text behind some tags (`at`, their rows) stands in: a column a kind."""
    # an element that its page leaves open ends with it
    closed = tags.filter("closes").select("mate", "row").drop_nulls()
    ends = tags.select(end=pl.col("row").last().over("page") + 1).to_series()
    ends = ends.scatter(closed["mate"], closed["row"])
    # what the page as a whole is called says nothing of its parts
    named = tags.select("row", "name", "naming", "hidden", "opens", end=ends).filter(
        pl.col("opens") & (pl.col("name") != "body")
    )
    # of all elements those in which something stands
    named = named.filter(at.search_sorted(named["row"]) < at.search_sorted(named["end"]))
    naming = named["naming"].drop_nulls().unique()
    kinds = pl.DataFrame({"naming": naming}).with_columns(
        pl.col("naming").str.contains(pattern).alias(kind) for kind, pattern in names().items()
    )
    named = named.join(kinds, on="naming", how="left", maintain_order="left")
    found = {}
    for kind in (*INSIDE, *NAMED, "hidden"):
        those = named.filter(pl.col("name").is_in(INSIDE[kind]) if kind in INSIDE else pl.col(kind))
        opened, over = (edge.sort().search_sorted(at, "right") for edge in (those["row"], those["end"]))
        found[f"in_{kind}"] = opened.cast(pl.Int32) - over.cast(pl.Int32)
    return pl.DataFrame(found)


def _cells_of_rows(tags: pl.DataFrame) -> pl.Series:
    """Whether each tag begins or ends a cell of a row that is one line."""
    cell = pl.col("name").is_in(CELLS)
    apart = (pl.col("makes") & ~cell & (pl.col("name") != "tr")) | pl.col("name").is_in(["br", "hr"])
    apart = apart | (pl.col("text").str.len_chars() > LONGEST_CELL)
    so_far = tags.select(apart.fill_null(False).cast(pl.Int32).cum_sum()).to_series()
    rows = tags.filter(pl.col("closes") & (pl.col("name") == "tr")).select("row", "mate").drop_nulls()
    whole = rows.filter(so_far.gather(rows["row"]) == so_far.gather(rows["mate"]))["mate"]
    cells = tags.filter(cell).select("row", of=pl.coalesce("mate", "row"))
    joined = cells.filter(tags["parent"].gather(cells["of"]).is_in(whole.implode()))["row"]
    return pl.Series([False]).new_from_index(0, len(tags)).scatter(joined, True)


def _apart() -> pl.Expr:
    """The text behind each tag, with a blank before it where an element begins right behind the end of another and
    their words would run together: sites put the space between the two by their style sheets."""
    last = pl.when(pl.col("text") != "").then(pl.col("text").str.tail(1)).forward_fill().shift(1)
    run_together = (
        pl.col("opens")
        & ~pl.col("makes")
        & (pl.col("closes") & (pl.col("text") == "")).shift(1)
        & last.str.contains(r"[\p{Ll}\p{N}.!?)\]\"”»:]")
        & pl.col("text").str.contains(r"^[\"“„«]?\p{Lu}")
    )
    return pl.when(run_together.fill_null(False)).then(pl.concat_str(pl.lit(" "), "text")).otherwise("text")


def _lines(pages: pl.DataFrame, tags: pl.DataFrame) -> Rendered:
    joined = _cells_of_rows(tags)
    cell_text = pl.when(joined & pl.col("opens")).then(pl.concat_str(pl.lit(" "), "text"))
    tags = tags.with_columns(text=pl.coalesce(cell_text, "text"))
    tags = tags.with_columns(text=_apart())
    begins = (pl.col("makes") & ~joined) | pl.col("name").is_in(["br", "hr"])
    starts = begins | (pl.col("page") != pl.col("page").shift(1))
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
    holds = pl.col("text").str.contains(r"\S").fill_null(False)
    tags = tags.with_columns(
        holds=holds,
        # both only grow, so that their sum parts the pages as well
        gap_no=holds.cast(pl.UInt32).cum_sum() - holds.cast(pl.UInt32) + pl.col("page"),
        blanks=(~holds & (pl.col("text") != "")).cast(pl.UInt32).cum_sum(),
    )
    tags = tags.with_columns(low=pl.col("level").cum_min().over("gap_no"))
    # white space between two elements is a blank between their words
    same_line = (pl.col("line") == pl.col("line").shift(1)).fill_null(False)
    blank_before = same_line & (pl.col("blanks") != pl.col("blanks").shift(1))
    lines = (
        tags.filter("holds")
        .with_columns(text=pl.coalesce(pl.when(blank_before).then(pl.concat_str(pl.lit(" "), "text")), "text"))
        .group_by("page", "line", maintain_order=True)
        .agg(
            pl.col("text").str.join(""),
            *(pl.col(name).first() for name in ("row", "gaps", "items", "top", "block", "level", "low")),
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
        "alike": _alike(tags, lines["block"]),
        "level": lines["level"],
        "low": lines["low"],
    }
    return Rendered(texts, pl.DataFrame(marks).hstack(_inside(tags, lines["row"])))


def _tag(name: pl.Series) -> pl.Series:
    return name.replace_strict({tag: n for n, tag in enumerate(TAGS)}, default=0, return_dtype=pl.UInt8)
