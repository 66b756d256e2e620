"""Has a site been rebuilt? The lines of site memory that this run saw, beside those that are usual."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from copydesk.memory import Memory

FEWEST_PAGES = 5
"""Pages of a site from which its furniture can be judged."""
FALL = 0.5
"""A site whose pages show less than this of their usual furniture has changed."""
NAMED = 3


def site_furniture(sites: Sequence[Mapping[str, Any]], memory: Memory | None) -> list[dict[str, Any]]:
    """Of each site of the run that the memory knows: `site`, `pages`, lines of memory on a page as `seen` and `usual`,
    whether that is a change, and a `sentence` where it is. `sites` is what `memory_figures` counted, added up.
    """
    rows = []
    for row in sites:
        usual = memory.usual.get(row["site"], 0.0) if memory else 0.0
        if usual:
            seen = row["seen"] / row["pages"]
            changed = row["pages"] >= FEWEST_PAGES and seen < FALL * usual
            sentence = (
                f"Its furniture changed: a page shows {seen:.1f} of the lines that site memory knows, on average of "
                f"{row['pages']:,} pages, where {usual:.1f} were usual. If the site was rebuilt, run `copydesk learn` "
                "on its new pages; until then no memory cleans what is new."
            )
            rows.append(
                {"site": row["site"], "pages": row["pages"], "seen": seen, "usual": usual, "changed": changed}
                | ({"sentence": sentence} if changed else {})
            )
    return rows


def told(changed: Sequence[Mapping[str, Any]]) -> str:
    """The sites whose furniture changed, as half a sentence."""
    if not changed:
        return "every site shows the furniture that site memory knows"
    names = ", ".join(row["site"] for row in changed[:NAMED])
    more = f" and {len(changed) - NAMED:,} more" if len(changed) > NAMED else ""
    return f"the furniture of {names}{more} is no longer what site memory knows"
