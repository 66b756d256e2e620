"""The commands of those who run copydesk every day. Part of `flows.cli`; heavy imports wait until they are needed."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Optional

import typer

operate = typer.Typer()

ONLY_HERE = {"verbose", "log_json", "metrics"}
"""Options of `copydesk run` that are no parameters of the flow."""


def flow_parameters(options: Mapping[str, Any]) -> dict[str, Any]:
    """The flow's parameters among the options of a command."""
    given = {name: value for name, value in options.items() if name not in ONLY_HERE}
    return given | {"replay": False}


def add_serve(app: typer.Typer, run: Callable[..., None]) -> None:
    """Add `serve` to `app`: it takes every option of `run` that says what is cleaned, and when."""

    def serve(
        *,
        cron: Annotated[
            Optional[str],  # noqa: UP045  (typer reads it)
            typer.Option("--cron", metavar="LINE", help="When to run: minute, hour, day, month and weekday."),
        ] = None,
        timezone: Annotated[
            str, typer.Option("--timezone", metavar="ZONE", help="The zone of --cron, such as Europe/London.")
        ] = "UTC",
        name: Annotated[str, typer.Option("--name", help="Name of the deployment.")] = "daily",
        port: Annotated[
            int, typer.Option("--port", min=1, max=65535, help="Port of the server it starts where there is none.")
        ] = 4200,
        log_json: Path | None = None,
        metrics: Path | None = None,
        **options: Any,
    ) -> None:
        """Clean pages on a schedule and on demand, in one process that stays: runs, schedule, and a Prefect server.

        Takes every option of `copydesk run`. Uses the server of your Prefect profile or PREFECT_API_URL; where there is
        none, it starts one on --port with its interface, and keeps it as long as it runs. A run that is due while
        another is at it is cancelled. Ctrl-C stops it; what is published stays.

        Examples:

            copydesk serve /data/crawl -o /data/clean --cron '0 5 * * *' --timezone Europe/London

            prefect deployment run clean-news/daily
        """
        from flows.launch import name_files  # noqa: PLC0415
        from flows.schedule import serve as hold  # noqa: PLC0415

        name_files(log_json=log_json, metrics=metrics)
        hold(flow_parameters(options), name=name, cron=cron, timezone=timezone, port=port)

    taken = inspect.signature(run, eval_str=True).parameters
    _take(serve, [p for name, p in taken.items() if name not in ONLY_HERE - {"log_json", "metrics"}])
    app.command()(serve)


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


@operate.command()
def alert(
    url: Annotated[
        str,
        typer.Argument(envvar="COPYDESK_WEBHOOK", help="Where to post: a webhook of Slack, Teams, ntfy or your own."),
    ],
    missing_after: Annotated[
        Optional[float],  # noqa: UP045  (typer reads it)
        typer.Option(
            "--missing-after", metavar="HOURS", min=0.003, help="Tell when nothing was published for so long; 26."
        ),
    ] = None,
    silent_after: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option(
            "--silent-after", metavar="SECONDS", min=10, help="When a run without a sign of life counts as dead; 600."
        ),
    ] = None,
) -> None:
    """Be told when something is wrong: put automations on your Prefect server that post to a webhook.

    They tell of a run that failed (a gate, or else), that broke off, and of a day without one. The body is JSON with
    the keys text, event, source, report and gates. Say it again to change the address or the times.

    Examples:

        copydesk alert https://hooks.example.com/news

        copydesk alert https://hooks.example.com/news --missing-after 2
    """
    from flows.alert import set_alert  # noqa: PLC0415

    hours = None if missing_after is None else missing_after * 3600
    for name in set_alert(url, silent_after=silent_after, missing_after=hours):
        typer.echo(f"set   {name}")


def add_doctor(app: typer.Typer, run: Callable[..., None]) -> None:
    """Add `doctor` to `app`: it takes those options of `run` that name files and folders."""

    def doctor(
        *,
        as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
        **options: Any,
    ) -> None:
        """See whether everything is in place for a run, before it is.

        Looks at Python and its packages, encodings, time zones, the output folder and its file system, disk space,
        rules, profiles and gates, and the Prefect server. Prints a line each, and for what is wrong the cure; exits 1
        where anything is.

        Example: copydesk doctor -o /data/clean
        """
        from flows.doctor import Asked, diagnose  # noqa: PLC0415

        raise typer.Exit(diagnose(Asked(**options), as_json=as_json))

    named = ("output", "rules", "publishers", "memory", "gates")
    _take(doctor, [inspect.signature(run, eval_str=True).parameters[name] for name in named])
    app.command()(doctor)


def _take(command: Callable[..., None], taken: list[inspect.Parameter]) -> None:
    """Give `command` these parameters in place of its `**options`, and its own behind them."""
    names = {p.name for p in taken}
    own = inspect.signature(command, eval_str=True).parameters.values()
    both = [*taken, *(p for p in own if p.name not in names and p.kind is not inspect.Parameter.VAR_KEYWORD)]
    both = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in both]
    command.__signature__ = inspect.Signature(both)  # type: ignore[attr-defined]
    command.__annotations__ = {p.name: p.annotation for p in both}
