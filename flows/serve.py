"""The process of our own Prefect server: `python -P serve.py FD`, started by `flows.server` and by nobody else.

Serves on the listening socket FD. Ends when its parent does, however that ended: it reads its standard input,
a pipe whose other end the parent holds open, and the system closes that with the parent.
"""

from __future__ import annotations

import gc
import os
import signal
import socket
import sys
import threading
from typing import Any


def serve(listening: socket.socket) -> None:
    """Serve Prefect's API until told to stop."""
    gc.disable()  # the imports make a million objects that stay: looking through them costs a sixth of the start
    import uvicorn  # noqa: PLC0415
    from prefect.server.api import collections  # noqa: PLC0415
    from prefect.server.api.server import create_app  # noqa: PLC0415
    from prefect.server.database.configurations import AioSqliteConfiguration  # noqa: PLC0415

    # a page on work pools would fetch these lists from the internet; without an address it takes those that it has
    collections.KNOWN_VIEWS.update(dict.fromkeys(collections.KNOWN_VIEWS, ""))
    AioSqliteConfiguration.begin_sqlite_stmt = _begin_writing  # type: ignore[method-assign, assignment]
    app: Any = create_app(final=True)
    gc.freeze()
    gc.enable()
    config = uvicorn.Config(app, log_level="warning", lifespan="on", access_log=False)
    uvicorn.Server(config).run(sockets=[listening])


def _begin_writing(_: object, connection: Any) -> None:
    """Begin a transaction of Prefect's on SQLite as one that writes, which all do for which Prefect asks for one.

    As Prefect begins them, one that reads first and then wants to write is turned away at once where another wrote in
    between ("database is locked"), whatever the time it may wait; its client asks again, and after some times gives up.
    One that says so at its beginning waits for its turn.
    """
    from prefect.server.database.configurations import SQLITE_BEGIN_MODE  # noqa: PLC0415

    if SQLITE_BEGIN_MODE.get() is not None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _end_with_parent() -> None:
    """Wait for the end of standard input, then ask this process to stop in an orderly way."""
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    threading.Thread(target=_end_with_parent, daemon=True).start()
    serve(socket.socket(fileno=int(sys.argv[1])))
