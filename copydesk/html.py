"""HTML pages to lines: every block of a page becomes a line of text, with what its markup says of it.

The page is parsed by lexbor (through selectolax), as browsers do, and serialised again, so that every element is
closed. The tags of all pages of a batch are then rows of one frame, in which the place of a line in its tree is a
matter of running sums: an opened element counts one, its end takes it back.
"""

from __future__ import annotations

import dataclasses
from typing import Final, NamedTuple

import polars as pl
from selectolax.lexbor import LexborHTMLParser

from copydesk.lines import split_lines

UNSEEN: Final = ("script", "style", "noscript", "template", "svg", "iframe", "object", "canvas", "head", "math", "noembed", "noframes")
"""Elements whose text no reader of the page sees."""
VOID: Final = (
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr",
    "frame", "basefont", "bgsound", "keygen",
)  # fmt: skip
"""Elements without an end (https://html.spec.whatwg.org/#void-elements)."""
BLOCKS: Final = {
    "gap": ("p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "table", "blockquote", "figure", "section", "article",
            "header", "footer", "aside", "nav", "main", "pre", "dl", "hr", "form", "fieldset", "details", "address"),
    "line": ("div", "li", "tr", "td", "th", "dt", "dd", "br", "figcaption", "caption", "body", "summary", "option", "select",
             "button", "label", "legend", "center", "video", "audio", "picture", "dialog", "menu", "hgroup", "tbody", "thead"),
}  # fmt: skip
"""Elements that begin a line and end one: with a blank line about them, and without."""
TAGS: Final = (
    "other", "p", "h1", "h2", "h3", "h4", "h5", "h6", "li", "div", "td", "figcaption", "blockquote", "button", "label",
    "section", "article", "header", "footer", "aside", "nav", "main", "dd", "dt", "a", "span", "time", "option",
)  # fmt: skip
"""The elements in which a line is told to stand."""
INSIDE: Final[dict[str, tuple[str, ...]]] = {
    "a": ("a",), "article": ("article",), "main": ("main",), "aside": ("aside",), "nav": ("nav",), "footer": ("footer",),
    "header": ("header",), "figure": ("figure", "figcaption", "picture"), "list": ("ul", "ol", "menu"), "table": ("table",),
    "form": ("form", "fieldset", "select"), "quote": ("blockquote",), "heading": ("h1", "h2", "h3", "h4", "h5", "h6"),
    "bold": ("b", "strong"), "time": ("time",), "button": ("button",), "paragraph": ("p",), "address": ("address",),
}  # fmt: skip
"""What a line may stand in, by the elements that say so."""
NAMED: Final[dict[str, str]] = {
    "body_name": r"(?:article|story|entry|post|content|main|page|news|item)[-_]?_?(?:body|content|text|main|copy)|body[-_]?(?:copy|text|content)|articlebody|articletext|richtext|wysiwyg|prose\b|paywall",
    "headline_name": r"headline|titulo|(?:article|entry|post|page|story)[-_]*title|hed\b",
    "standfirst_name": r"standfirst|stand-first|\bdek\b|[-_]dek\b|sub[-_]?(?:title|head(?:line)?)|subhed|lead\b|chapo|vorspann|teaser[-_]?text|summary|excerpt|bajada|entradilla|sommario|occhiello|intro",
    "byline_name": r"byline|author|autor|auteur|contributor|writer|firma\b|published|pubdate|dateline|timestamp|\bdate\b|[-_]date\b|post-meta|entry-meta|article-meta",
    "caption_name": r"caption|credit|legend|figcap|image|photo|media|gallery|slideshow|video|player|bildunter|wp-block-image|embed",
    "related_name": r"related|recommend|more[-_](?:from|on|stories|news|articles)|read[-_]?(?:more|next|also)|also[-_]|similar|further|up-?next|next[-_]|prev|recirc|promo|teaser|trending|popular|most[-_]?(?:read|viewed|popular)|top[-_]?stories|latest|card\b|[-_]card|feed\b|carousel|slider|headlines\b|outbrain|taboola|related-?link|siehe|lire[-_]aussi|lees[-_]ook|relacionad",
    "share_name": r"share|sharing|social|facebook|twitter|whatsapp|follow|print|bookmark|tool(?:s|bar)?\b|icon|action|addthis|sharedaddy|like\b|reaction",
    "newsletter_name": r"newsletter|subscri|sign-?up|signup|register|login|paywall|piano|offer|membership|donat|support|optin|mailing|regwall|abo\b|[-_]abo",
    "advert_name": r"\bad\b|\bads\b|[-_]ads?\b|\bads?[-_]|advert|sponsor|banner|dfp|google|promo|commercial|anzeige|werbung|publi(?:cidad|cite)",
    "comments_name": r"comment|disqus|discussion|reply|replies|respond|kommentar|comentario|coral|openweb|viafoura",
    "menu_name": r"\bnav|[-_]nav|menu|breadcrumb|header|masthead|topbar|footer|sitemap|sidebar|side-?bar|rail\b|aside|widget|utility|copyright|legal|cookie|consent|gdpr|privacy|modal|popup|overlay|banner|skip-?(?:link|to)|search|pagination|pager|logo|brand|weather|ticker|lang",
    "tags_name": r"\btags?\b|[-_]tags?\b|tags?[-_]|topic|keyword|categor|\bcat[-_]|section[-_]?(?:name|label)|kicker|eyebrow|label",
    "bio_name": r"\bbio\b|[-_]bio|about|profile|author[-_]?(?:box|info|card|desc|bio)|vcard|avatar",
    "live_name": r"live|blog-post|liveblog|timeline|update",
    "hidden_name": r"hidden|hide\b|visually|sr-only|screen-?reader|offscreen|invisible|collapse|display-?none|a11y|print-only",
}  # fmt: skip
"""What the class, id and like attributes of an element say of all that stands in it (RE2 syntax, lower case)."""

MAKE_LINES: Final = [tag for kind in BLOCKS.values() for tag in kind if tag not in VOID]
ENTITIES: Final = {"&lt;": "<", "&gt;": ">", "&nbsp;": "\u00a0", "&amp;": "&"}
"""What lexbor writes of the characters that text must not hold (https://html.spec.whatwg.org/#escapingString)."""
_TOKEN = r"(?:<!--(?s:.*?)-->|</?[a-zA-Z](?:[^>\"]|\"[^\"]*\")*>)[^<]*"
_ROW = 1 << 32


@dataclasses.dataclass(frozen=True)
class Markup:
    """What the markup of a line settles: the rule's name, the role it gives, on which columns of `render`, and why."""

    name: str
    role: str
    when: pl.Expr
    why: str


_APART = (pl.col("in_article") == 0) & (pl.col("in_main") == 0) & (pl.col("in_paragraph") == 0)
MARKUP: Final = (
    Markup("markup_nav", "navigation", (pl.col("in_nav") > 0) & (pl.col("in_heading") == 0), "Inside <nav>."),
    Markup("markup_footer", "navigation", (pl.col("in_footer") > 0) & _APART, "Inside a <footer> that is not the article's."),
    Markup("markup_option", "navigation", pl.col("tag") == TAGS.index("option"), "A choice of a form."),
    Markup("markup_button", "navigation", (pl.col("in_button") > 0) & _APART, "A button."),
    Markup("markup_list_of_links", "navigation", (pl.col("in_list") > 0) & (pl.col("link_percent") > 90) & _APART & (pl.col("in_byline_name") == 0),
           "A link in a list that stands in no article."),
)  # fmt: skip
"""Lines that their place in the page's tree makes furniture, whatever they say: the first row that holds."""


class Rendered(NamedTuple):
    """The lines of HTML pages: `texts` has `page` and `text`; `marks` a row a line of it, see `render`."""

    texts: pl.DataFrame
    marks: pl.DataFrame


def serialised(html: str) -> str:
    """The visible part of a page as lexbor understands it, every element closed."""
    tree = LexborHTMLParser(html)
    if tree.body is None:
        return ""
    tree.strip_tags(list(UNSEEN))
    return tree.body.html or ""


def render(pages: pl.DataFrame) -> Rendered:
    """Render the HTML of pages (`page`, UInt32, ascending; `html`).

    `marks` has `page` and `line_no` as `split_lines` counts them, and for each line: `tag` (number in TAGS),
    `link_percent` of its characters, `in_*` for INSIDE and NAMED (how many such elements it stands in), `depth`,
    `element`, `parent` and `grandparent` (rows that name the elements in which it stands, alike for lines that share one).
    """
    bodies = pl.Series("html", [serialised(html) for html in pages["html"].to_list()], dtype=pl.String)
    tags = _tags(pages.select("page", html=bodies))
    return _lines(pages, _tree(tags))


def html_lines(pages: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """The pages with their HTML rendered as `text`, the lines that are to be looked at, and the spans of the others.

    `pages` has `page` and `html`. The lines are those of `split_lines` with the marks of `render`; the others are those
    that MARKUP settles.
    """
    texts, marks = render(pages)
    pages = pages.with_columns(text=texts["text"])
    lines = split_lines(pages)
    lines = lines.hstack(marks.drop("page", "line_no"))
    number = pl.coalesce(*(pl.when(rule.when).then(pl.lit(n, pl.UInt8)) for n, rule in enumerate(MARKUP)))
    lines = lines.with_columns(markup=number)
    facts = pl.DataFrame({"markup": range(len(MARKUP)), "role": [m.role for m in MARKUP], "rule": [m.name for m in MARKUP]})
    settled = lines.join(facts.cast({"markup": pl.UInt8}), on="markup", maintain_order="left").with_columns(
        line=pl.lit(None, pl.UInt32), confidence=pl.lit(1.0, pl.Float32)
    )
    return pages, lines.filter(pl.col("markup").is_null()).drop("markup"), settled


def _tags(bodies: pl.DataFrame) -> pl.DataFrame:
    """A row a tag: `page`, `row`, `name`, `opens`, `closes`, `named` (its naming attributes), `hidden`, `text` behind it."""
    tokens = (
        bodies.select("page", token=pl.col("html").str.extract_all(_TOKEN))
        .explode("token", empty_as_null=True)
        .filter(~pl.col("token").str.starts_with("<!--").fill_null(True))
        .with_row_index("row")
    )
    name = pl.col("token").str.slice(1, 24).str.strip_chars_start("/").str.extract(r"^([a-zA-Z0-9:_-]+)", 1)
    token = pl.col("token")
    tokens = tokens.with_columns(
        name=name,
        closes=token.str.starts_with("</"),
        text=token.str.extract(r">([^>]*)$", 1),
    )
    attributed = tokens.filter(~pl.col("closes") & token.str.contains(" ", literal=True)).select("row", "token")
    attributed = attributed.with_columns(
        attributes=pl.col("token")
        .str.extract_all(r"\s(?:class|id|itemprop|role|data-[a-z-]*(?:component|type|testid|name|module))=\"[^\"]*\"")
        .list.join(" "),
        hidden=pl.col("token").str.contains(
            r"\s(?:hidden(?:=|\s|>)|aria-hidden=\"true\"|style=\"[^\"]*(?:display:\s*none|visibility:\s*hidden))"
        ),
    )
    tokens = tokens.join(attributed.select("row", "attributes", "hidden"), on="row", how="left", maintain_order="left")
    return tokens.with_columns(
        opens=~pl.col("closes") & ~pl.col("name").is_in(VOID), hidden=pl.col("hidden").fill_null(False)
    ).drop("token")


def _tree(tags: pl.DataFrame) -> pl.DataFrame:
    """Add where each tag stands: `top`, the row of the element in which the text behind it is, and for an end `mate`,
    the row of its beginning; `block` and `parent`, the same as `top` for elements that make lines."""
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
    place = pl.col("page").cast(pl.UInt64) * _ROW + depth.over("page").clip(0).cast(pl.UInt64)
    rows = tags.select("row", place=place, open=pl.when(pl.col("opens") & counted).then("row"))
    rows = rows.sort("place", maintain_order=True).with_columns(pl.col("open").forward_fill())
    return rows.sort("row")["open"].fill_null(0)


def _inside(tags: pl.DataFrame, at: pl.Series) -> pl.DataFrame:
    """How many elements of each kind the text behind some tags (`at`, their rows) stands in: a column a kind."""
    names = tags["attributes"].drop_nulls().str.to_lowercase().unique()
    known = pl.DataFrame({"lower": names}).with_columns(
        pl.col("lower").str.contains(pattern).cast(pl.Int32).alias(kind) for kind, pattern in NAMED.items()
    )
    named = (
        tags.filter(pl.col("opens") & pl.col("attributes").is_not_null() & (pl.col("name") != "body"))
        .select("row", "hidden", lower=pl.col("attributes").str.to_lowercase())
        .join(known, on="lower", how="left", maintain_order="left")
    )
    plain = tags.select("name", "opens", "mate", "closes")
    start = tags.select(pl.col("row").first().over("page"))["row"].gather(at)
    none = pl.Series([0], dtype=pl.Int32).new_from_index(0, len(tags))
    found = {}
    for kind in (*INSIDE, *NAMED, "hidden"):
        if kind in INSIDE:
            opened = plain.select((pl.col("opens") & pl.col("name").is_in(INSIDE[kind])).cast(pl.Int32)).to_series()
        else:
            rows = named.filter(pl.col(kind).cast(pl.Boolean))["row"]
            opened = none.clone().scatter(rows, 1)
        ended = opened.gather(plain["mate"].fill_null(0)) * plain["closes"].cast(pl.Int32)
        through = (opened - ended).cum_sum()
        found[f"in_{kind}"] = (through.gather(at) - (through - opened).gather(start)).clip(0)
    return pl.DataFrame(found)


def _lines(pages: pl.DataFrame, tags: pl.DataFrame) -> Rendered:
    gap = pl.col("name").is_in(BLOCKS["gap"])
    starts = pl.col("makes") | pl.col("name").is_in(["br", "hr"]) | (pl.col("page") != pl.col("page").shift(1)).fill_null(True)
    tags = tags.with_columns(
        line=starts.cast(pl.UInt32).cum_sum(),
        gaps=gap.cast(pl.UInt32).cum_sum(),
        items=((pl.col("name") == "li") & pl.col("opens")).cast(pl.UInt32).cum_sum(),
        links=((pl.col("name") == "a") & (pl.col("opens") | pl.col("closes"))).cast(pl.Int32) * pl.when("opens").then(1).otherwise(-1),
    ).with_columns(linked=pl.col("links").cum_sum().over("page") > 0)
    characters = pl.col("text").str.len_chars()
    told = tags.filter(pl.col("text").str.contains(r"\S").fill_null(False))
    lines = told.group_by("page", "line", maintain_order=True).agg(
        text=pl.col("text").str.join(""),
        row=pl.col("row").first(), gaps=pl.col("gaps").first(), items=pl.col("items").first(),
        top=pl.col("top").first(), block=pl.col("block").first(),
        linked=characters.filter("linked").sum(), characters=characters.sum(),
    )  # fmt: skip
    text = pl.col("text").str.replace_many(ENTITIES).str.replace_all(r"\s+", " ").str.strip_chars()
    same = (pl.col("page") == pl.col("page").shift(1)).fill_null(False)
    lines = lines.with_columns(text=text).filter(pl.col("text") != "")
    lines = lines.with_columns(
        bullet=(pl.col("items") != pl.col("items").shift(1)).fill_null(True),
        gap=same & (pl.col("gaps") != pl.col("gaps").shift(1)),
    ).with_columns(gap=pl.col("gap") & ~(pl.col("bullet") & pl.col("bullet").shift(1).fill_null(False)))
    printed = pl.when("bullet").then(pl.lit("  • ") + pl.col("text")).otherwise("text")
    printed = pl.when("gap").then(pl.lit("\n") + printed).otherwise(printed)
    texts = lines.group_by("page", maintain_order=True).agg(text=printed.str.join("\n"))
    texts = pages.select("page").join(texts, on="page", how="left", maintain_order="left")
    # a gap is a line of its own in the text
    through = (1 + pl.col("gap").cast(pl.UInt32)).cum_sum()
    names = tags["name"]
    parent = pl.col("parent")
    of_block = tags.select("parent", grandparent=parent.gather(parent))[lines["block"]]
    marks = lines.select(
        "page", element="block",
        line_no=(through - through.first()).over("page"),
        link_percent=pl.col("linked") * 100 // pl.col("characters"),
        tag=_tag(names.gather(lines["top"])), block_tag=_tag(names.gather(lines["block"])),
    ).hstack(of_block).hstack(_inside(tags, lines["row"]))  # fmt: skip
    return Rendered(texts, marks)


def _tag(names: pl.Series) -> pl.Series:
    return names.replace_strict({tag: n for n, tag in enumerate(TAGS)}, default=0, return_dtype=pl.UInt8)
