"""Files that lie elsewhere: `s3://`, `https://`, `gs://`, `az://` and whatever else fsspec has a package for."""

from __future__ import annotations

import json
import re
from functools import partial
from typing import Any

from flows.errors import UsageError
from flows.readers.found import Found, Listing, Skipped
from flows.readers.listing import kind_by_name
from flows.readers.packing import why_of

__all__ = ["file_system", "is_remote", "list_remote"]

_URL = re.compile(r"[a-zA-Z][\w+.-]+://")
_PACKAGES = {
    "s3": "'copydesk[s3]'", "s3a": "'copydesk[s3]'", "http": "aiohttp", "https": "aiohttp", "gs": "gcsfs",
    "gcs": "gcsfs", "az": "adlfs", "abfs": "adlfs", "abfss": "adlfs", "sftp": "paramiko", "ssh": "paramiko",
}  # fmt: skip
"""What to install for a scheme."""
_CHANGES = (
    "ETag", "etag", "md5", "md5Hash", "content_md5", "crc32c", "checksum", "generation", "version_id", "VersionId",
    "LastModified", "last_modified", "Last-Modified", "updated", "mtime",
)  # fmt: skip
"""What stores say of a file that is another where its content is: a file of which they say none is always read."""
_BLOCK_BYTES = 4_000_000
"""Bytes fetched at a time."""


def is_remote(given: str) -> bool:
    """Whether a source is a URL rather than a path."""
    return bool(_URL.match(given))


def list_remote(url: str) -> tuple[Listing, bool]:
    """What a URL names, and whether that is a single file. A pattern or a folder is listed at any depth.

    Raises UsageError for a scheme without its package, and for what is not there or not open to us.
    """
    scheme = url.partition("://")[0].lower()
    files = file_system(url, scheme)
    files.invalidate_cache()  # what a run before this one listed may be another by now
    try:
        path = files._strip_protocol(url)
        # `?` begins the query of an http address, and is no pattern there
        pattern = any(mark in path for mark in ("*[" if scheme in {"http", "https"} else "*?["))
        if pattern:
            listed = files.glob(path, detail=True)
            root = path[: re.search(r"[*?\[]", path).start()].rpartition("/")[0]  # type: ignore[union-attr]
        else:
            info = files.info(path)
            if info["type"] != "directory":
                name = path.split("?")[0].rstrip("/").rpartition("/")[2] or path
                return Listing([_found(files, path, name, info, "")], []), True
            listed = files.find(path, detail=True)
            root = path
    except FileNotFoundError as error:
        said = str(error) if str(error) not in {"", url} else "no such file, folder or bucket"
        raise UsageError(f"cannot open {url}: {said}; check the address") from error
    except PermissionError as error:
        raise UsageError(f"no right to read {url}: {why_of(error)}; check the credentials") from error
    except Exception as error:  # each package has errors of its own: no network, no credentials, no such host
        raise UsageError(
            f"cannot open {url}: {type(error).__name__}: {why_of(error)}; check the address and the credentials"
        ) from error
    return _listing(files, listed, root, pattern=pattern), False


def file_system(url: str, scheme: str) -> Any:
    """The fsspec file system of a URL. Raises UsageError where its package is not there."""
    import fsspec  # noqa: PLC0415

    try:
        files, _ = fsspec.core.url_to_fs(url)
    except ImportError as error:
        package = _PACKAGES.get(scheme)
        cure = f"pip install {package}" if package else why_of(error)
        raise UsageError(f"{scheme}:// needs a package that is not there; {cure}") from error
    except ValueError as error:
        raise UsageError(f"cannot open {url}: {why_of(error)}; known are s3, https, gs, az and more") from error
    return files


def _listing(files: Any, listed: dict[str, dict[str, Any]], root: str, *, pattern: bool) -> Listing:
    found, skipped = [], []
    for path, info in sorted(listed.items()):
        name = path.removeprefix(root).lstrip("/")
        if info["type"] == "directory" or not name:
            continue
        kind, why = kind_by_name(name)
        if any(part.startswith(".") for part in name.split("/")):
            skipped.append(Skipped(name, "hidden"))
        elif why and not pattern:
            skipped.append(Skipped(name, why))
        else:
            found.append(_found(files, path, name, info, kind))
    return Listing(found, skipped)


def _found(files: Any, path: str, name: str, info: dict[str, Any], kind: str) -> Found:
    opened = partial(files.open, path, "rb", block_size=_BLOCK_BYTES)
    said = {key: str(info[key]) for key in _CHANGES if info.get(key) is not None}
    print_ = json.dumps({"size": info.get("size"), **said}, sort_keys=True) if said else None
    return Found(opened, name, kind, info.get("size"), files.unstrip_protocol(path), lambda: print_)
