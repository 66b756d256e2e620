"""`copydesk serve`: one process that holds a deployment, its schedule and its runs, and a server if there is none."""

from __future__ import annotations

import asyncio
import os
import signal
import zoneinfo
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from flows.errors import UsageError
from flows.launch import check, point_to
from flows.server import QUIET, OwnServer, configured_api, prefect_home
from flows.workers import ENGINE

SERVER_LOG = "copydesk-serve.log"
TAGS = ["copydesk"]


def serve(parameters: Mapping[str, Any], *, name: str, cron: str | None, timezone: str, port: int) -> None:
    """Run `clean_news` with `parameters` by `cron`, and whenever somebody asks for it, until stopped.

    A run that is due while another is at it is cancelled. Raises UsageError for what cannot be run or scheduled.
    """
    for variable, value in (QUIET | ENGINE).items():
        os.environ.setdefault(variable, value)
    check(dict(parameters))
    with ExitStack() as stack:
        api = configured_api()
        if api is None:
            server = stack.enter_context(OwnServer(prefect_home() / SERVER_LOG, port))
            point_to(server)  # before Prefect is imported: it looks for its server then
            schedule = _schedule(cron, timezone)
            server.wait()
            api = server.url
        else:
            schedule = _schedule(cron, timezone)
        with suppress(KeyboardInterrupt):
            _hold(parameters, name, schedule, api)
        print("stopped   no run is due until it is served again", flush=True)


def _schedule(cron: str | None, timezone: str) -> Any:
    from prefect.client.schemas.schedules import CronSchedule  # noqa: PLC0415

    if timezone not in zoneinfo.available_timezones():
        raise UsageError(f"no such time zone: {timezone}; name one of the IANA's, such as Europe/London")
    if cron is None:
        return None
    try:
        return CronSchedule(cron=cron, timezone=timezone)
    except ValueError as error:
        raise UsageError(
            f"{cron!r} is no cron line; give minute, hour, day, month and weekday, such as '0 5 * * *'"
        ) from error


def _hold(parameters: Mapping[str, Any], name: str, schedule: Any, api: str) -> None:
    from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy  # noqa: PLC0415
    from prefect.deployments.runner import EntrypointType  # type: ignore[attr-defined]  # noqa: PLC0415
    from prefect.runner import Runner  # noqa: PLC0415

    from flows.clean_news import clean_news  # noqa: PLC0415

    deployment: Any = clean_news.to_deployment(
        name=name,
        schedules=[schedule] if schedule else [],
        parameters={key: _plain(value) for key, value in parameters.items()},
        tags=TAGS,
        concurrency_limit=ConcurrencyLimitConfig(limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW),
        entrypoint_type=EntrypointType.MODULE_PATH,
    )
    runner: Any = Runner()
    runner.add_deployment(deployment)
    due = f"by the cron line '{schedule.cron}' in {schedule.timezone}" if schedule else "when somebody asks for it"
    print(f"serving   clean-news/{name}: {parameters['source']} into {parameters['output']}, {due}")
    print(f"server    {api.removesuffix('/api')}  (elsewhere: export PREFECT_API_URL={api})")
    print(f"run now   prefect deployment run clean-news/{name}", flush=True)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell has what it puts behind a `&` ignore it
    runner.handle_sigterm = _stop_as_ctrl_c
    asyncio.run(runner.start())


def _stop_as_ctrl_c(*_: object) -> None:
    """Stop on SIGTERM, which systemd sends: Prefect's own handler starts to stop and does not wait for it."""
    signal.raise_signal(signal.SIGINT)


def _plain(value: Any) -> Any:
    """A parameter as JSON has it."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, Path) else value
