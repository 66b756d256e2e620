"""Who is told how a run gets on: nobody, unless the caller in this process listens."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

Listener = Callable[[str, float, float], None]
"""Called with the step, what of it is done, and how much there is (bytes read, pages cleaned)."""

_listener: list[Listener] = []
_hearer: list[Callable[[str], None]] = []


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Have `listener` told of the progress of runs in this process, from whatever thread."""
    _listener.append(listener)
    try:
        yield
    finally:
        _listener.remove(listener)


@contextmanager
def hearing(hearer: Callable[[str], None]) -> Iterator[None]:
    """Have `hearer` told what a person must know before a run goes on."""
    _hearer.append(hearer)
    try:
        yield
    finally:
        _hearer.remove(hearer)


def say(sentence: str) -> None:
    """Say what a person must know before the run goes on."""
    for hearer in _hearer:
        hearer(sentence)


def tell(step: str, done: float, total: float) -> None:
    """Say how far a step is."""
    for listener in _listener:
        listener(step, done, total)
