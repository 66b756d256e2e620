"""Reads the gates' settings file, strictly: what it does not know is an error, and what is left out is as shipped."""

from __future__ import annotations

import difflib
import math
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from flows.errors import UsageError
from flows.gates import GATES, Gate, Gates, Limits

SHIPPED = Path(__file__).with_name("gates.toml")
OFF = "off"
_JUDGED = ("runs", "fewest_runs", "fewest_pages")
_LEVELS = ("warn", "fail")


def load_gates(path: Path | None = None, max_quarantined: float | None = None) -> Gates:
    """The shipped gates, with the thresholds of the file `path` in their place, and `max_quarantined` above all.

    Raises UsageError, which names the file and the cure.
    """
    tables = _read(SHIPPED)
    if path is not None:
        if not path.is_file():
            raise UsageError(f"no such file: {path}; `copydesk gates > {path}` writes one to change")
        own = _read(path)
        judged = tables["judged"] | own["judged"]
        limits = {g.name: tables["gates"][g.name] | own["gates"].get(g.name, {}) for g in GATES}
        tables = {"judged": judged, "gates": limits}
    limits = {gate.name: _limits(gate, tables["gates"][gate.name], path or SHIPPED) for gate in GATES}
    if max_quarantined is not None:
        warn = limits["quarantined"].warn
        limits["quarantined"] = Limits(None if warn is None else min(warn, max_quarantined), max_quarantined)
    return Gates(limits, **tables["judged"])


def _read(path: Path) -> dict[str, dict[str, Any]]:
    """The two tables of a settings file, every key and value of it known and sane."""
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}; check its rights") from error
    except ValueError as error:
        raise UsageError(f"{path}: not valid TOML: {error}; `copydesk gates` prints a file that is") from error
    _known(path, "table", tables, ("judged", "gates"))
    judged = _table(path, "[judged]", tables.get("judged", {}))
    gates = _table(path, "[gates]", tables.get("gates", {}))
    _known(path, "key of [judged]", judged, _JUDGED)
    for name, value in judged.items():
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise UsageError(f"{path}: {name} is {value!r}; give a whole number from 1")
    _known(path, "gate", gates, [gate.name for gate in GATES])
    for gate in GATES:
        if gate.name in gates:
            limits = _table(path, gate.name, gates[gate.name])
            _known(path, f"key of {gate.name}", limits, _LEVELS)
            for level, value in limits.items():
                _check(path, gate, level, value)
    return {"judged": judged, "gates": gates}


def _table(path: Path, name: str, value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise UsageError(f"{path}: {name} is {value!r}; give a table, such as {{ warn = 0.2, fail = 0.5 }}")
    return value


def _known(path: Path, what: str, found: Iterable[str], known: Iterable[str]) -> None:
    names = list(known)
    for name in found:
        if name not in names:
            near = difflib.get_close_matches(name, names, 1)
            cure = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(names)}"
            raise UsageError(f"{path}: unknown {what} {name!r}; {cure}")


def _check(path: Path, gate: Gate, level: str, value: object) -> None:
    number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value >= 0
    if value != OFF and not (number and (gate.unit == "count" or float(str(value)) <= 1)):
        want = "a share from 0 to 1" if gate.unit == "share" else "a count from 0"
        raise UsageError(f"{path}: {gate.name}: {level} is {value!r}; give {want}, or {OFF!r}")


def _limits(gate: Gate, found: Mapping[str, Any], path: Path) -> Limits:
    warn, fail = (None if found[level] == OFF else float(found[level]) for level in _LEVELS)
    if warn is not None and fail is not None and (warn < fail if gate.at_least else warn > fail):
        side = "below" if gate.at_least else "above"
        raise UsageError(
            f"{path}: {gate.name} would fail before it warns: warn {warn:g} is {side} fail {fail:g};"
            f" move one of them, or give warn = {OFF!r}"
        )
    return Limits(warn, fail)
