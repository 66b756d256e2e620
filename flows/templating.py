"""Draw a page from its template, with everything that it needs inside it."""

from __future__ import annotations

import base64
import functools
import hashlib
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from flows.wording import bar, day_and_time, duration, measure, moment, number, percent, ratio, share, shown, tenths

TEMPLATES = Path(__file__).with_name("templates")
STATUS = {"passed": "Passed", "warned": "Passed, with warnings", "failed": "Failed", "unknown": "No verdict"}
ICON = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Crect width='16' height='16' rx='3' fill='%232450b5'/%3E%3Cpath d='M3 8h10M4 4.5h8M4 11.5h5' stroke='white' stroke-width='1.4'/%3E%3C/svg%3E"  # fmt: skip  # noqa: E501


def _allowed(text: str) -> str:
    """Name an inline style or script in a content policy, by its hash."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@functools.cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
    environment.filters.update(
        {
            writer.__name__: writer
            for writer in (number, share, tenths, percent, duration, moment, day_and_time, shown, measure, bar)
        }
    )
    # The policy allows no style attribute, so a bar's length is one of 101 classes.
    lengths = "".join(f".w{percent}{{--w:{percent}%}}" for percent in range(101))
    style = "\n" + (TEMPLATES / "report.css").read_text(encoding="utf-8") + lengths + "\n"
    script = "\n" + (TEMPLATES / "report.js").read_text(encoding="utf-8")
    policy = (
        f"default-src 'none'; style-src {_allowed(style)}; script-src {_allowed(script)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    environment.globals.update(
        ratio=ratio, STATUS=STATUS, style=Markup(style), script=Markup(script), policy=policy, icon=Markup(ICON)
    )
    return environment


def load_templates() -> None:
    """Load all templates: done while nothing else is to do, it spares the first page a fifth of a second."""
    for name in _environment().list_templates(extensions=["j2"]):
        _environment().get_template(name)


def draw(template: str, view: dict[str, Any]) -> str:
    """Draw a template as one HTML page that loads nothing; every value is escaped.

    Raises KeyError, or jinja2's UndefinedError, where `view` lacks what the template shows.
    """
    return _environment().get_template(template).render(view)
