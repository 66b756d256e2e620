"""What a person sees of a run in Prefect's interface: how far it is, and in the end what it did."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote
from uuid import UUID

from prefect.artifacts import (
    create_link_artifact,
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)

from flows.progress import listening
from flows.report import artifact_table, markdown_summary
from flows.snapshots import is_bucket

REPORTS_URL = "COPYDESK_REPORTS_URL"
"""The environment variable that says where `output/reports` is served; without it the link is the file's."""
SECONDS = 1.0
"""Between two updates: each is a request to the server."""
_SHARE_OF = {"read": (0, 20), "learn": (20, 20), "clean": (20, 95)}


@contextmanager
def progress_shown() -> Iterator[None]:
    """Show how far the run is, from 0 to 100; it stops where the run does."""
    made = create_progress_artifact(0.0, key="copydesk-progress", description="Reading and cleaning")
    shown = cast(UUID, made)  # the type also tells of async callers
    last = time.monotonic()

    def show(step: str, done: float, total: float) -> None:
        nonlocal last
        if time.monotonic() - last < SECONDS or step not in _SHARE_OF:
            return
        last = time.monotonic()
        begin, end = _SHARE_OF[step]
        update_progress_artifact(shown, progress=begin + (end - begin) * (done / total if total else 1))

    with listening(show):
        yield
    update_progress_artifact(shown, progress=100.0)


def show_report(report: dict[str, Any], page: str) -> None:
    """Show the report in Prefect: a summary, a table capped in length, and a link to the page (a path or URL)."""
    link = report_link(page)
    head, _, rest = markdown_summary(report).partition("\n")
    create_markdown_artifact(
        f"{head}\n\n[The whole report]({link}): `{page}`\n{rest}",
        key="copydesk-report", description=report["verdict"]["sentence"],
    )  # fmt: skip
    told = "Checks, warnings and the rules that fired"
    create_table_artifact(artifact_table(report), key="copydesk-checks", description=told)
    name = page.rpartition("/")[2]
    create_link_artifact(link, link_text=name, key="copydesk-page", description="The report of this run")


def report_link(page: str) -> str:
    """The address of a report's page: where the reports are served, else that of the file or object."""
    served = os.environ.get(REPORTS_URL)
    if served:
        return f"{served.rstrip('/')}/{'/'.join(quote(part) for part in page.split('/')[-2:])}"
    return page if is_bucket(page) else Path(page).absolute().as_uri()
