"""The commands of those who run copydesk every day. Part of `flows.cli`; heavy imports wait until they are needed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

operate = typer.Typer()


@operate.command()
def gates(
    file: Annotated[
        Optional[Path],  # noqa: UP045  (typer reads it)
        typer.Argument(help="Settings of your own, to check and show; without it, the ones that are shipped."),
    ] = None,
) -> None:
    """Show the quality gates: what is judged, and from where on a run warns or fails.

    Without a file, prints the settings that are shipped, as a file to change. With one, checks it strictly and prints
    the thresholds in force.

    Examples:

        copydesk gates > gates.toml

        copydesk gates gates.toml

        copydesk run crawl/ --gates gates.toml
    """
    from flows.gate_settings import SHIPPED, load_gates  # noqa: PLC0415

    if file is None:
        typer.echo(SHIPPED.read_text(encoding="utf-8"), nl=False)
        return
    from flows.summary import print_gates  # noqa: PLC0415

    print_gates(load_gates(file))
