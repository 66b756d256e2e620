"""Puts the automations that notify people on the Prefect server, and the webhook that they call."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from flows.errors import RunError, UsageError
from flows.server import configured_api

AUTOMATIONS = Path(__file__).with_name("automations.yaml")
BLOCK = "copydesk-alert"
SILENT = "copydesk: a run went silent"
MISSING = "copydesk: nothing was published"


def read_automations(webhook: str, within: Mapping[str, float | None] = {}) -> list[dict[str, Any]]:
    """The shipped automations; `webhook` is the id of the block document that they call.

    `within` has other seconds than the shipped ones for the automations that wait, SILENT and MISSING.
    """
    automations: list[dict[str, Any]] = yaml.safe_load(AUTOMATIONS.read_text(encoding="utf-8"))["automations"]
    for automation in automations:
        automation["actions"] = [
            action | ({"block_document_id": webhook} if "block_document_id" in action else {})
            for action in automation["actions"]
        ]
        if seconds := within.get(automation["name"]):
            automation["trigger"]["within"] = seconds
    return automations


def set_alert(url: str, *, silent_after: float | None = None, missing_after: float | None = None) -> list[str]:
    """Have the configured server call `url` as the automations say; returns their names, made or brought up to date.

    After `silent_after` seconds without a sign of life a run counts as broken off, and `missing_after` seconds without
    anything published are told of; without them, after those of the shipped file.
    Raises UsageError without a server or for what is no URL, RunError where the server does not answer.
    """
    if not url.startswith(("http://", "https://")):
        raise UsageError(f"{url!r} is no address of a webhook; give one that begins with https:// or http://")
    api = configured_api()
    if api is None:
        raise UsageError(
            "automations live on a server that stays: start one (`copydesk serve`, or `prefect server start`)"
            " and set PREFECT_API_URL to it"
        )
    from httpx import HTTPError  # noqa: PLC0415
    from prefect.automations import Automation  # noqa: PLC0415
    from prefect.blocks.webhook import Webhook  # noqa: PLC0415

    try:
        block = Webhook.model_validate({"url": url, "headers": {"Content-Type": "application/json"}})
        webhook: Any = block.save(BLOCK, overwrite=True)
        names = []
        for wanted in read_automations(str(webhook), {SILENT: silent_after, MISSING: missing_after}):
            _put(Automation, wanted)
            names.append(wanted["name"] + ("" if wanted["enabled"] else " (switched off)"))
    except (HTTPError, RuntimeError) as error:
        raise RunError(f"the Prefect server {api} did not take the automations: {error}") from error
    return names


def _put(kind: Any, wanted: dict[str, Any]) -> None:
    """Make an automation, or bring the one of its name up to date; whether it is switched on stays as it is."""
    automation = kind.model_validate(json.loads(json.dumps(wanted)))
    try:
        known = kind.read(name=wanted["name"])
    except ValueError:
        automation.create()
        return
    automation.id = known.id
    automation.enabled = known.enabled
    automation.update()
