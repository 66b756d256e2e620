"""Loads what a small run would load step by step, while our own Prefect server starts on another core.

Two invented pages go through the run's own steps in a folder that is gone afterwards. Nothing here decides anything: a
run that was not warmed up writes the same files, half a second later.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from flows.errors import CopydeskError

_LATE = ("fastapi.encoders",)
"""What Prefect imports only when a flow with parameters starts."""
_TEXT = (
    "Ferry fares rise\n\nBy Ann Lee, Staff Reporter\n\nPublished: 3 May 2024 09:15 GMT\n\n" + "Fares rise in May. " * 9
)
_PAGES = {"page.txt": _TEXT.encode(), "legacy.txt": (_TEXT + "À Évian aussi, dès mai.").encode("latin-1")}


def warm_up(rules: Sequence[Path], publishers: Sequence[Path]) -> None:
    """Read, stage and clean the pages by these rules, and load the report's templates."""
    from flows.templating import load_templates  # noqa: PLC0415

    for name in _LATE:
        importlib.import_module(name)
    load_templates()
    # no room for it, or no right to it: the run itself says so where it matters
    with suppress(CopydeskError, OSError), TemporaryDirectory(prefix="copydesk-") as made:
        _clean(Path(made), rules, publishers)


def _clean(folder: Path, rules: Sequence[Path], publishers: Sequence[Path]) -> None:
    from copydesk import open_desk  # noqa: PLC0415
    from flows.readers import PAGE_SCHEMA, ReadOptions, open_source  # noqa: PLC0415
    from flows.shards import clean_shard  # noqa: PLC0415
    from flows.staging import stage  # noqa: PLC0415

    source = folder / "pages"
    source.mkdir()
    for name, page in _PAGES.items():
        (source / name).write_bytes(page)
    found = open_source(str(source), ReadOptions())
    batches = (batch.select(*PAGE_SCHEMA) for batch in found.pages(range(len(found.inputs))))
    for shard in stage(batches, folder / "shards"):
        clean_shard(shard.path, folder, desk=open_desk(rules, publishers))
