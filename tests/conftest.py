"""What all tests share: a Prefect home of their own, one server for those that need one, one published output."""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]

from s3_server import S3Server  # noqa: E402

from flows.server import QUIET, OwnServer  # noqa: E402

# Before anything imports Prefect: nobody's own profile, database or server has a part in these tests.
HOME = Path(tempfile.mkdtemp(prefix="copydesk-prefect-"))
atexit.register(shutil.rmtree, HOME, ignore_errors=True)
os.environ |= {**QUIET, "PREFECT_HOME": str(HOME), "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL"}
for name in ("PREFECT_API_URL", "PREFECT_PROFILE", "PREFECT_PROFILES_PATH"):
    os.environ.pop(name, None)


@pytest.fixture(scope="session")
def seeds() -> Path:
    return ROOT / "seeds"


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnServer]:
    """A Prefect server that answers, for flows in this process; one a session, as it takes seconds to start."""
    from flows.launch import drain

    with OwnServer(tmp_path_factory.mktemp("server") / "server.log") as server:
        from prefect.settings import PREFECT_API_URL, PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

        server.wait()
        with temporary_settings({PREFECT_API_URL: server.url, PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
            yield server
            drain()


@pytest.fixture(scope="session")
def clean(server: OwnServer) -> Callable[..., dict[str, Any]]:
    """The flow `clean_news`, run as plain Python."""
    from flows.clean_news import clean_news

    return clean_news


@pytest.fixture(scope="session")
def seeds_published(
    clean: Callable[..., dict[str, Any]], seeds: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, Any]]:
    """The seeds, published once: the output folder, which nobody may change, and what the flow returned."""
    output = tmp_path_factory.mktemp("seeds") / "output"
    return output, clean(source=seeds, output=output)


@pytest.fixture
def output(seeds_published: tuple[Path, dict[str, Any]], tmp_path: Path) -> Path:
    """A copy of the published seeds, to do with as one likes."""
    return Path(shutil.copytree(seeds_published[0], tmp_path / "output", symlinks=True))


@pytest.fixture(scope="session")
def s3() -> Iterator[S3Server]:
    """An S3 server of our own; the variables that lead to it are set."""
    pytest.importorskip("s3fs")
    pytest.importorskip("moto.server")
    with S3Server() as server, pytest.MonkeyPatch.context() as patch:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
            patch.delenv(name, raising=False)
        for name, value in server.environment.items():
            patch.setenv(name, value)
        yield server


@pytest.fixture
def bucket(s3: S3Server) -> Iterator[str]:
    """The name of an empty bucket of the test's own, on a server that behaves."""
    s3.requests.clear()
    yield s3.make_bucket()
    s3.tamper = None


@pytest.fixture(scope="session")
def seeds_in_bucket(clean: Callable[..., dict[str, Any]], seeds: Path, s3: S3Server) -> tuple[str, dict[str, Any]]:
    """The seeds, published in a bucket once: the output, which nobody may change, and what the flow returned."""
    output = f"s3://{s3.make_bucket()}/output"
    return output, clean(source=seeds, output=output)
