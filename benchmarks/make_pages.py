"""Make many news pages out of few, so that a run over them costs what a run over a crawl would cost.

Each made page is a copy of a given one in which words, numbers and names differ, so that most of its lines stand on
no other page. What a site prints on all its pages (menus, buttons, labels, legal lines) stays as it is, as in life.
The same arguments give the same file.

    python benchmarks/make_pages.py pages.parquet --count 20000
    python benchmarks/make_pages.py pages.parquet --from crawl.parquet --id-column id --url-column url
"""

from __future__ import annotations

import argparse
import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

SEEDS = Path(__file__).parent.parent / "seeds"
COUNT = 20_000
SEED = 20_260_101
BATCH = 1_000
"""Pages of a row group."""
LONG_LINE = 60
"""From here on a line is text, and its ordinary words differ from page to page; names and numbers always do."""
WORD_SHARE = 0.35
"""Share of the ordinary words of a text line that differ."""
RARE = 3
"""A capitalised word on more of the given pages than this is no name of a story: a month, an agency, a button."""

_PIECE = re.compile(r"[^\W\d_]+|\d+")
_WIDE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


class Page(NamedTuple):
    """One given page."""

    page_id: str
    url: str | None
    text: str


class Slot(NamedTuple):
    """A place in a page's text where the made pages differ: the piece that stands there, and what may."""

    at: int
    piece: str
    choices: Sequence[str] | None  # None: a number, or a character that changes places with the next


class Form(NamedTuple):
    """A page taken apart: all pieces in order, and the slots among them."""

    page: Page
    pieces: list[str]
    slots: list[Slot]


def read_seeds() -> list[Page]:
    """The seed pages that are UTF-8 text."""
    pages = []
    for path in sorted(SEEDS.glob("*.txt")):
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        if text.strip():
            pages.append(Page(path.stem, f"https://{path.stem.split('_')[-1].split('-')[0]}.example/{path.stem}", text))
    return pages


def read_pages(path: Path, text_column: str, id_column: str | None, url_column: str | None) -> list[Page]:
    """The pages of a Parquet file that have a text."""
    names = [n for n in (text_column, id_column, url_column) if n]
    table = pq.read_table(path, columns=names)
    texts = table[text_column].to_pylist()
    ids = table[id_column].to_pylist() if id_column else [f"{n:06}" for n in range(len(texts))]
    urls = table[url_column].to_pylist() if url_column else [None] * len(texts)
    return [Page(str(i), u, t) for i, u, t in zip(ids, urls, texts, strict=True) if t]


def take_apart(pages: Sequence[Page]) -> list[Form]:
    """Find in each page the pieces that may differ, and what may stand in their place."""
    where: dict[str, set[int]] = defaultdict(set)
    lines: Counter[tuple[str, str]] = Counter()
    for number, page in enumerate(pages):
        for word in _PIECE.findall(page.text):
            where[word].add(number)
        lines.update((_host(page), line) for line in {line.strip() for line in page.text.split("\n")})
    names, words = defaultdict(list), defaultdict(list)
    for word in sorted(where):
        if not word.isascii() or len(word) < 3:
            continue
        if word.istitle() and len(where[word]) <= RARE and word.lower() not in where:
            names[len(word)].append(word)
        elif word.islower() and len(word) >= 5 and len(where[word]) > 1:
            words[word[0], len(word)].append(word)
    named = {word for group in names.values() for word in group}
    forms = []
    for page in pages:
        pieces: list[str] = []
        slots: list[Slot] = []
        for line in page.text.splitlines(keepends=True):
            furniture = lines[_host(page), line.strip()] > 1
            long = len(line) >= LONG_LINE or len(_WIDE.findall(line)) >= LONG_LINE // 3
            end = 0
            for found in [] if furniture else _PIECE.finditer(line):
                piece = found.group()
                choices: Sequence[str] | None = None
                if piece in named:
                    choices = names[len(piece)]
                elif long and (group := words.get((piece[0], len(piece)))) and piece.islower():
                    choices = group
                elif not piece.isdigit() and not (long and len(piece) > 5 and _WIDE.match(piece)):
                    continue
                pieces += [line[end : found.start()], piece]
                slots.append(Slot(len(pieces) - 1, piece, choices))
                end = found.end()
            pieces.append(line[end:])
        forms.append(Form(page, pieces, slots))
    return forms


def make(forms: Sequence[Form], count: int, seed: int = SEED) -> Iterator[Page]:
    """Make `count` pages, each given page in its turn; the first round is the given pages themselves."""
    for number in range(count):
        form, turn = forms[number % len(forms)], number // len(forms)
        page = form.page
        # a string seed does not depend on the process
        yield vary(form, turn, random.Random(f"{seed} {number}")) if turn else page


def spread(pages: Sequence[Page], most: int) -> list[Page]:
    """At most so many of the pages, as they are, from all places of the list."""
    return [pages[n * len(pages) // most] for n in range(most)] if len(pages) > most else list(pages)


def vary(form: Form, turn: int, chance: random.Random) -> Page:
    """One more page of the form: the same word becomes the same other word wherever it stands."""
    pieces = form.pieces.copy()
    known: dict[str, str] = {}
    for at, piece, choices in form.slots:
        if piece not in known:
            known[piece] = _another(piece, choices, chance)
        pieces[at] = known[piece]
    page = form.page
    url = page.url and page.url + ("&" if "?" in page.url else "?") + f"copy={turn}"
    return Page(f"{page.page_id}~{turn:05}", url, "".join(pieces))


def _another(piece: str, choices: Sequence[str] | None, chance: random.Random) -> str:
    if choices is not None:
        # a name always differs, an ordinary word now and then
        return chance.choice(choices) if piece[0].isupper() or chance.random() < WORD_SHARE else piece
    if not piece.isdigit():
        at = chance.randrange(len(piece) - 1)
        return piece[:at] + piece[at + 1] + piece[at] + piece[at + 2 :]
    value = int(piece)
    if len(piece) <= 2:
        # days stay days, months months, hours hours
        top = 12 if value <= 12 else 23 if value <= 23 else 28 if value <= 28 else 59
        low = 1 if value <= 12 else 13 if value <= 23 else 24 if value <= 28 else 29
        return str(chance.randint(low, top)).zfill(len(piece)) if 0 < value <= 59 else piece
    if len(piece) == 4 and 1990 <= value <= 2030:
        return str(chance.randint(2005, 2025))
    return piece[0] + "".join(chance.choice("0123456789") for _ in piece[1:])


def write(pages: Iterator[Page], path: Path) -> int:
    """Write pages as one Parquet file with the columns id, url and text; returns how many."""
    schema = pa.schema([("id", pa.string()), ("url", pa.string()), ("text", pa.string())])
    total = 0
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        batch: list[Page] = []
        for page in pages:
            batch.append(page)
            if len(batch) == BATCH:
                total += _write_batch(writer, batch, schema)
                batch = []
        if batch:
            total += _write_batch(writer, batch, schema)
    return total


def _write_batch(writer: pq.ParquetWriter, batch: list[Page], schema: pa.Schema) -> int:
    columns = [pa.array(values, pa.string()) for values in zip(*batch, strict=True)]
    writer.write_table(pa.table(columns, schema=schema))
    return len(batch)


def _host(page: Page) -> str:
    return (page.url or page.page_id).split("//")[-1].split("/")[0]


def make_file(
    path: Path,
    *,
    count: int = COUNT,
    source: Path | None = None,
    text_column: str = "text",
    id_column: str | None = None,
    url_column: str | None = None,
    seed: int = SEED,
    unvaried: bool = False,
) -> int:
    """Write `count` made pages to `path`, from a Parquet of pages or else from the seeds; returns how many.

    `unvaried` takes at most so many of the given pages instead, as they are: HTML, where a word may be markup.
    """
    pages = read_pages(source, text_column, id_column, url_column) if source else read_seeds()
    if not pages:
        raise SystemExit(f"{source or SEEDS}: no page with a text")
    return write(iter(spread(pages, count)) if unvaried else make(take_apart(pages), count, seed), path)


def main() -> None:
    """Read the command line and write the file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("output", type=Path, help="the Parquet file to write: id, url, text")
    parser.add_argument("--count", type=int, default=COUNT, help=f"pages to make (default {COUNT:,})")
    parser.add_argument("--seed", type=int, default=SEED, help="another seed makes other pages")
    parser.add_argument("--from", dest="source", type=Path, help="a Parquet of pages (default: the seeds)")
    parser.add_argument("--text-column", default="text")
    parser.add_argument("--unvaried", action="store_true", help="take at most so many of the given pages, as they are")
    parser.add_argument("--id-column")
    parser.add_argument("--url-column")
    options = vars(parser.parse_args())
    output = options.pop("output")
    print(f"{output}: {make_file(output, **options):,} pages")


if __name__ == "__main__":
    main()
