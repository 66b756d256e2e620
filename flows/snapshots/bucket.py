"""Objects below one prefix of an S3 bucket, through s3fs: the few requests that a store of snapshots needs.

Nothing here is cached. What fails is said in one line with its cure (RunError, and UsageError where the bucket itself
cannot be used).
"""

from __future__ import annotations

import base64
import contextlib
import os
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from flows.errors import CopydeskError, RunError, UsageError
from flows.readers.remote import file_system

__all__ = ["Bucket", "Found", "Taken"]

AT_ONCE = 4
"""Files that are moved at the same time."""
ASKED_AT_ONCE = 8
"""Objects that are copied or asked about at the same time: their bytes stay where they are."""
PIECE_BYTES = 16_000_000
"""A file of twice as much and more goes up in pieces, which are tried again one by one."""
PIECES_AT_ONCE = 2
_CONFLICTS = 3
"""Attempts at a conditional write that met another one."""
_REFUSED = {"PreconditionFailed", "412", "NoSuchKey", "404"}
_RIGHTS = "it needs ListBucket, GetObject, PutObject, DeleteObject, AbortMultipartUpload, ListBucketMultipartUploads"
_CURES = {
    "NoSuchBucket": "there is no such bucket; make it first, or check its name and AWS_ENDPOINT_URL",
    "AccessDenied": f"access is denied; check what the credentials may do: {_RIGHTS}",
    "403": f"access is denied; check what the credentials may do: {_RIGHTS}",
    "InvalidAccessKeyId": "the access key is not known; check AWS_ACCESS_KEY_ID or AWS_PROFILE",
    "SignatureDoesNotMatch": "the secret key is wrong; check AWS_SECRET_ACCESS_KEY or AWS_PROFILE",
    "ExpiredToken": "the credentials have expired; get new ones",
    "NoCredentialsError": "no credentials were found; set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    "ProfileNotFound": "the profile is not there; check AWS_PROFILE",
    "PermanentRedirect": "the bucket is in another region; set AWS_DEFAULT_REGION",
    "AuthorizationHeaderMalformed": "the bucket is in another region; set AWS_DEFAULT_REGION",
    "EndpointConnectionError": "the server cannot be reached; check the network and AWS_ENDPOINT_URL",
    "ConnectTimeoutError": "the server does not answer; check the network and AWS_ENDPOINT_URL",
}
"""What a code of S3, or the name of an error on the way to it, means, and its cure."""
NO_CONDITIONS = (
    "the store has no conditional writes (If-Match, If-None-Match), which keep two writers apart;"
    " use Amazon S3, or another store that has them"
)

T = TypeVar("T")
R = TypeVar("R")


class Taken(Exception):  # noqa: N818
    """An object is not what it was when it was read: somebody else has written it."""


class Found(NamedTuple):
    """A small object: its bytes, its tag, and how long ago it was written, by the server's clock."""

    data: bytes
    etag: str
    age: float


class Bucket:
    """The objects below `s3://bucket/prefix`. Keys are relative to it. May be pickled."""

    def __init__(self, url: str) -> None:
        scheme, _, rest = url.partition("://")
        self.bucket, _, prefix = rest.partition("/")
        self.prefix = prefix.strip("/") + "/" if prefix.strip("/") else ""
        self.url = f"{scheme.lower()}://{self.bucket}/{self.prefix}".rstrip("/")
        if not self.bucket:
            raise UsageError(f"{url} names no bucket; name one: s3://bucket/prefix")

    def address(self, key: str) -> str:
        """The URL of an object."""
        return f"{self.url}/{key}"

    def read(self, key: str) -> Found | None:
        """A small object; None where there is none."""
        from fsspec.asyn import sync  # noqa: PLC0415

        def get() -> Found:
            files = self._files()
            found = files.call_s3("get_object", Bucket=self.bucket, Key=self.prefix + key)
            data = sync(files.loop, found["Body"].read)
            said = found["ResponseMetadata"]["HTTPHeaders"].get("date")
            written: datetime = found["LastModified"]
            now = parsedate_to_datetime(said) if said else datetime.now(written.tzinfo)
            return Found(data, found["ETag"], (now - written).total_seconds())

        try:
            with self._said("read", key):
                return get()
        except FileNotFoundError:
            return None

    def write(self, key: str, data: bytes, etag: str | None) -> str:
        """Write a small object over the one with this tag, or where there is none, and return its new tag.

        Raises Taken where the object is another by now.
        """
        condition = {"IfMatch": etag} if etag else {"IfNoneMatch": "*"}
        for attempt in range(_CONFLICTS):
            with self._said("write", key):
                written, code = self._put(key, data, **condition)
            if written:
                return written
            if code in _REFUSED:
                break
            time.sleep(0.2 * (attempt + 1))
        found = self.read(key)
        if found is not None and found.data == data:  # the answer to our own write was lost, and it was sent again
            return found.etag
        raise Taken(key)

    def refuses(self, key: str, data: bytes) -> bool:
        """Whether a write of an object that is there is refused under a condition that does not hold."""
        with self._said("write", key):
            other = '"00000000000000000000000000000000"'
            return not any(self._put(key, data, **c)[0] for c in ({"IfNoneMatch": "*"}, {"IfMatch": other}))

    def _put(self, key: str, data: bytes, **condition: str) -> tuple[str | None, str]:
        """Write under a condition: the new tag, or None and the code of the refusal."""
        try:
            answer = self._files().call_s3(
                "put_object", Bucket=self.bucket, Key=self.prefix + key, Body=data, CacheControl="no-cache",
                ContentType="application/json", **condition,
            )  # fmt: skip
        except OSError as error:
            code = _code(error)
            if code in {"NotImplemented", "501"}:
                raise UsageError(f"cannot publish in {self.url}: {NO_CONDITIONS}") from error
            if code in _REFUSED or code in {"ConditionalRequestConflict", "409"}:
                return None, code
            raise
        return str(answer["ETag"]), ""

    def upload(
        self, files: Iterable[tuple[Path, str, str | None]], done: Callable[[int], None] = lambda _: None
    ) -> None:
        """Upload files, each to its key. With a sha256, in hex, the server checks that what arrives is that.

        `done` is told the bytes of each file that is up.
        """

        def put(file: tuple[Path, str, str | None]) -> None:
            path, key, digest = file
            more: dict[str, str] = _CONTENT.get(path.suffix, {})
            # of an object that goes up in pieces the server checks each piece, by the client's own sums
            if digest and path.stat().st_size < 2 * PIECE_BYTES:
                sha256 = base64.b64encode(bytes.fromhex(digest)).decode()
                more = more | {"ChecksumAlgorithm": "SHA256", "ChecksumSHA256": sha256}
            where = f"{self.bucket}/{self.prefix}{key}"
            with self._said("write", key):
                pieces = {"chunksize": PIECE_BYTES, "max_concurrency": PIECES_AT_ONCE}
                self._files().put_file(str(path), where, **pieces, **more)
            done(path.stat().st_size)

        _all(put, files, AT_ONCE)

    def download(self, files: Iterable[tuple[str, Path]]) -> None:
        """Download objects, each to its file, which is there whole or not at all. Raises FileNotFoundError."""

        def get(file: tuple[str, Path]) -> None:
            key, path = file
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, fresh = tempfile.mkstemp(prefix=".", dir=path.parent)
            os.close(handle)
            try:
                with self._said("read", key):
                    where = f"{self.bucket}/{self.prefix}{key}"
                    pieces = {"chunksize": PIECE_BYTES, "max_concurrency": PIECES_AT_ONCE}
                    self._files().get_file(where, fresh, **pieces)
                Path(fresh).replace(path)
            finally:
                Path(fresh).unlink(missing_ok=True)

        _all(get, files, AT_ONCE)

    def copy(self, keys: Iterable[tuple[str, str]]) -> None:
        """Copy objects within the bucket; their bytes stay there. Raises FileNotFoundError."""

        def copy(pair: tuple[str, str]) -> None:
            with self._said("copy", pair[0]):
                self._files().cp_file(*(f"{self.bucket}/{self.prefix}{key}" for key in pair))

        _all(copy, keys, ASKED_AT_ONCE)

    def digests(self, keys: Iterable[str]) -> dict[str, str]:
        """The sha256, in hex, of each object of which the server keeps one: it looked when the bytes came in."""

        def ask(key: str) -> tuple[str, str] | None:
            with self._said("look at", key):
                found = self._files().call_s3(
                    "head_object", Bucket=self.bucket, Key=self.prefix + key, ChecksumMode="ENABLED"
                )
            said = found.get("ChecksumSHA256", "")
            # of an object that came in pieces it is the sum of their sums
            return (key, base64.b64decode(said).hex()) if said and "-" not in said else None

        return dict(found for found in _all(ask, keys, ASKED_AT_ONCE) if found)

    def sizes(self, below: str = "") -> dict[str, int]:
        """The bytes of every object whose key begins with `below`."""
        return {row["Key"]: row["Size"] for page in self._pages(below) for row in page.get("Contents", [])}

    def names(self, below: str = "", *, folders: bool) -> list[str]:
        """The names right below a folder (which ends with `/`, or is all): those of folders, or those of objects."""
        if folders:
            found = [row["Prefix"] for page in self._pages(below, "/") for row in page.get("CommonPrefixes", [])]
        else:
            found = [row["Key"] for page in self._pages(below, "/") for row in page.get("Contents", [])]
        return [key.removeprefix(below).rstrip("/") for key in found]

    def _pages(self, below: str, delimiter: str = "") -> Iterator[dict[str, Any]]:
        more: dict[str, str] = {"Delimiter": delimiter} if delimiter else {}
        while True:
            with self._said("list", below):
                page: dict[str, Any] = self._files().call_s3(
                    "list_objects_v2", Bucket=self.bucket, Prefix=self.prefix + below, **more
                )
            for kind, field in (("Contents", "Key"), ("CommonPrefixes", "Prefix")):
                page[kind] = [{**row, field: row[field].removeprefix(self.prefix)} for row in page.get(kind, [])]
            yield page
            if not page.get("IsTruncated"):
                return
            more["ContinuationToken"] = page["NextContinuationToken"]

    def delete(self, keys: Iterable[str]) -> None:
        """Delete objects; those that are gone already are fine."""
        wanted = [{"Key": self.prefix + key} for key in keys]
        for start in range(0, len(wanted), 1000):
            with self._said("delete", ""):
                answer = self._files().call_s3(
                    "delete_objects", Bucket=self.bucket,
                    Delete={"Objects": wanted[start : start + 1000], "Quiet": True},
                )  # fmt: skip
            for error in answer.get("Errors", []):
                raise RunError(f"cannot delete s3://{self.bucket}/{error['Key']}: {_meaning(error['Code'])}")

    def abort_uploads(self, below: str) -> None:
        """End uploads in pieces that nobody goes on with: what came of them costs money, and shows in no listing."""
        with self._said("list", below):
            answer = self._files().call_s3(
                "list_multipart_uploads", Bucket=self.bucket, Prefix=self.prefix + below
            )
            for row in answer.get("Uploads", []):
                with contextlib.suppress(FileNotFoundError):
                    self._files().call_s3(
                        "abort_multipart_upload", Bucket=self.bucket, Key=row["Key"], UploadId=row["UploadId"]
                    )

    def _files(self) -> Any:
        return file_system(self.url, "s3")

    @contextlib.contextmanager
    def _said(self, what: str, key: str) -> Iterator[None]:
        """Say what went wrong in a line. FileNotFoundError is left to the caller, but for the bucket itself."""
        try:
            yield
        except (CopydeskError, Taken):
            raise
        except Exception as error:  # s3fs, botocore and aiohttp each have errors of their own
            code = _code(error)
            if isinstance(error, FileNotFoundError) and code != "NoSuchBucket":
                raise
            line = f"cannot {what} {self.address(key) if key else self.url}: {_meaning(code, error)}"
            raise (UsageError(line) if code in _CURES else RunError(line)) from error


_CONTENT: dict[str, dict[str, str]] = {
    ".html": {"ContentType": "text/html; charset=utf-8", "CacheControl": "no-cache"},
    ".json": {"ContentType": "application/json"},
    ".parquet": {"ContentType": "application/vnd.apache.parquet"},
}
"""What is said of a file, by its ending, so that a browser shows a report."""


def _code(error: BaseException) -> str:
    """The code in an answer of S3, or the name of the error."""
    cause = error.__cause__ or error
    said = getattr(cause, "response", None) or getattr(error, "response", None)
    code = said.get("Error", {}).get("Code") if isinstance(said, dict) else None
    return str(code) if code else type(error).__name__


def _meaning(code: str, error: BaseException | None = None) -> str:
    if code in _CURES:
        return _CURES[code]
    first = (str(error).splitlines() or [""])[0] if error else ""
    return f"{code}: {first}; try again" if first else f"{code}; try again"


def _all(work: Callable[[T], R], items: Iterable[T], at_once: int) -> list[R]:
    """Do something with each of many things; after an error, which is raised, nothing more is begun."""
    with ThreadPoolExecutor(at_once, thread_name_prefix="bucket") as threads:
        try:
            return list(threads.map(work, items))
        except BaseException:
            threads.shutdown(cancel_futures=True)
            raise
