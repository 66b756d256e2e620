"""An S3 server on loopback (moto), which counts what it is sent and misbehaves on demand."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]
_numbers = itertools.count()


class Request(NamedTuple):
    """A request: its method, path, bytes of its body, the object it copies, and the sha256 it says its body has."""

    method: str
    path: str
    bytes: int
    copies: str
    sha256: str


class S3Server:
    """A real server in a thread. `tamper` stands between it and its clients while it is set."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.tamper: Callable[[Wsgi, dict[str, Any], Any], Iterable[bytes]] | None = None

    def __enter__(self) -> S3Server:
        from moto.server import ThreadedMotoServer

        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        self._server.start()
        host, port = self._server.get_host_and_port()
        self.environment = {
            "AWS_ENDPOINT_URL": f"http://{host}:{port}", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
        }  # fmt: skip
        inner: Any = self._server._server
        application = inner.app

        def outer(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
            copies = environ.get("HTTP_X_AMZ_COPY_SOURCE", "")
            size = int(environ.get("CONTENT_LENGTH") or 0)
            stated = environ.get("HTTP_X_AMZ_CHECKSUM_SHA256", "")
            self.requests.append(Request(environ["REQUEST_METHOD"], environ["PATH_INFO"], size, copies, stated))
            return self.tamper(application, environ, start) if self.tamper else application(environ, start)

        inner.app = outer
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()

    def make_bucket(self) -> str:
        """Make an empty bucket, and return its name."""
        import s3fs

        name = f"news-{next(_numbers)}"
        s3fs.S3FileSystem().mkdir(name)
        return name

    def sent(self, method: str = "PUT") -> int:
        """Bytes of all bodies so far."""
        return sum(request.bytes for request in self.requests if request.method == method)


def without_conditions(application: Wsgi, environ: dict[str, Any], start: Any) -> Iterable[bytes]:
    """A store that knows nothing of conditional writes."""
    if environ["REQUEST_METHOD"] == "PUT":
        for name in ("HTTP_IF_MATCH", "HTTP_IF_NONE_MATCH"):
            environ.pop(name, None)
    return application(environ, start)


def refusal(status: str, code: str, method: str = "PUT") -> Callable[[Wsgi, dict[str, Any], Any], Iterable[bytes]]:
    """A store that answers every request of a method with an error."""

    def answer(application: Wsgi, environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] != method:
            return application(environ, start)
        body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>no</Message></Error>".encode()
        environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        start(status, [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))])
        return [body]

    return answer


def lost_answers(key: str) -> Callable[[Wsgi, dict[str, Any], Any], Iterable[bytes]]:
    """A store whose answer to the first write of each content of an object is lost: the client sends it again."""
    seen: set[bytes] = set()

    def answer(application: Wsgi, environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        import io

        if environ["REQUEST_METHOD"] != "PUT" or not environ["PATH_INFO"].endswith(key):
            return application(environ, start)
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        if body in seen:
            return application(environ, start)
        seen.add(body)
        list(application(environ, lambda *_: None))
        return refusal("503 Service Unavailable", "SlowDown")(application, environ | {"CONTENT_LENGTH": "0"}, start)

    return answer
