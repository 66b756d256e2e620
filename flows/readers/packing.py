"""From a file to what is in it: compressed streams and archives unpacked, within bounds and without surprises.

A stream that breaks does not raise: it ends, and says why. So a reader keeps all that came before the break, and
names the rest.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import re
import tempfile
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import IO, Any, NamedTuple

import pyarrow as pa

from flows.readers.found import Found
from flows.readers.frame import ReadOptions
from flows.readers.known import KnownPages

__all__ = ["ARCHIVE", "BROKEN", "CODECS", "BadArchiveError", "Entry", "Watched", "entries", "why_of"]

BUFFER_BYTES = 1 << 18
"""Bytes that a stream reads ahead: what a kind is told by, and a first line must fit in."""
_STEP_BYTES = 1 << 14
"""Bytes unpacked at a time: what pyarrow had in hand where a zst file breaks is lost."""
_LAYERS = 2  # a page packed twice: once by its server, once by its crawler
ARCHIVE = b"PK\x03\x04"
_EMPTY_ARCHIVE = b"PK\x05\x06"


class BadArchiveError(Exception):
    """An archive that cannot be read, or not further."""


BROKEN = (OSError, ValueError, MemoryError, pa.ArrowException, BadArchiveError)
"""What reading a broken file may raise: pyarrow's, of names that are no UTF-8 and of lengths that nobody has, too."""


class Codec(NamedTuple):
    """A way to compress a stream: its first bytes, and how it is opened."""

    magic: re.Pattern[bytes]
    open: Callable[[IO[bytes]], Any]


CODECS = {
    ".gz": Codec(re.compile(rb"\x1f\x8b\x08"), lambda file: gzip.GzipFile(fileobj=file)),
    ".zst": Codec(re.compile(rb"\x28\xb5\x2f\xfd"), lambda file: pa.CompressedInputStream(file, "zstd")),
    ".bz2": Codec(re.compile(rb"BZh[1-9]1AY&SY"), bz2.BZ2File),
    ".xz": Codec(re.compile(rb"\xfd7zXZ\x00"), lzma.LZMAFile),
}
"""By the ending that such files usually have."""


def why_of(error: BaseException) -> str:
    """An error in one line: what the system says of it, else the first line of its own words."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return (str(error).splitlines() or [""])[0] or type(error).__name__


class Watched(io.RawIOBase):
    """A stream that counts what is read from it, and that ends where it breaks: `trouble` then says why."""

    def __init__(self, inner: IO[bytes] | Any, spend: Callable[[int], str | None] | None = None) -> None:
        self._inner = inner
        # What comes before a break is given out by `read1`, and thrown away by `read`.
        self._read = getattr(inner, "read1", inner.read)
        self._spend = spend
        self._trouble: str | None = None
        self.count = 0

    @property
    def trouble(self) -> str | None:
        """Why the stream ended before its end; None where it did not."""
        return self._trouble

    def readable(self) -> bool:  # noqa: D102
        return True

    def seekable(self) -> bool:  # noqa: D102
        # fsspec's stream of unknown size says that it can seek, and cannot
        return self._spend is None and bool(self._inner.seekable()) and getattr(self._inner, "size", 0) is not None

    def seek(self, offset: int, whence: int = 0) -> int:  # noqa: D102
        return int(self._inner.seek(offset, whence))

    def tell(self) -> int:  # noqa: D102
        return int(self._inner.tell()) if self.seekable() else self.count

    def readinto(self, target: Any) -> int:
        """Fill `target` as far as there is something: short reads would let chance decide what a peek sees."""
        filled = 0
        while filled < len(target) and self._trouble is None:
            try:
                data = self._read(min(len(target) - filled, _STEP_BYTES))
            except Exception as error:
                self._trouble = why_of(error)
                break
            if not data:
                break
            self.count += len(data)
            if self._spend and (refused := self._spend(len(data))):
                self._trouble = refused
                break
            target[filled : filled + len(data)] = data
            filled += len(data)
        return filled

    def close(self) -> None:  # noqa: D102
        if not self.closed:
            self._inner.close()
        super().close()


class _Allowance:
    """What a packed file may still unpack to. Members of an archive share one."""

    def __init__(self, packed: Callable[[], int], options: ReadOptions) -> None:
        self._packed, self._options, self._spent = packed, options, 0
        self.refused: str | None = None

    def spend(self, size: int) -> str | None:
        self._spent += size
        packed = self._packed()
        if self._spent <= max(self._options.max_unpacked_bytes, packed * self._options.max_ratio):
            return None
        self.refused = (
            f"unpacks to more than {self._options.max_ratio} times its {packed:,} bytes"
            f" and more than {self._options.max_unpacked_bytes:,} bytes: refused as a zip bomb"
        )
        return self.refused


@dataclass(slots=True)
class Entry:
    """A file to read, unpacked, or a member of an archive.

    `name` names its pages, `table` stands before `#` in the source of a table's pages, `inside` is true for a member.
    `passed_over` counts what a reader leaves out, by reason; pages that are `known` it need not look at more closely.
    """

    name: str
    table: str
    stream: io.BufferedReader[Any]
    layers: list[Watched]
    inside: bool = False
    passed_over: Counter[str] = field(default_factory=Counter)
    known: KnownPages | None = None

    @property
    def head(self) -> bytes:
        """The first bytes, as many as are read ahead; looking at them reads nothing."""
        return self.stream.peek(BUFFER_BYTES)

    @property
    def trouble(self) -> str | None:
        """Why the stream ended before its end, said by the layer that broke first."""
        return next((layer.trouble for layer in self.layers if layer.trouble), None)

    def whole(self) -> IO[bytes]:
        """The stream with all of its bytes within reach; packed ones go to a file on disk first.

        Raises BadArchiveError where these do not come out whole.
        """
        if self.stream.seekable():
            return self.stream
        spool = tempfile.TemporaryFile()  # noqa: SIM115  (it goes when nobody holds it any more)
        while data := self.stream.read(BUFFER_BYTES):
            spool.write(data)
        if self.trouble:
            raise BadArchiveError(self.trouble)
        spool.seek(0)
        return spool


def entries(
    found: Found, options: ReadOptions, *, folder: bool, watch: Callable[[Watched], None] = lambda _: None
) -> Iterator[Entry]:
    """What is in a file: itself, or the members of an archive, named as if they lay in a folder.

    Each entry must be read before the next one is asked for; one that breaks has trouble, and raises nothing. `watch`
    is given the stream that counts the file's bytes. Raises OSError where the file cannot be opened, and
    BadArchiveError.
    """
    raw = Watched(found.open())
    watch(raw)
    with raw:
        entry = _unpacked(raw, found.name, found.name if folder else "", _Allowance(lambda: raw.count, options))
        if not entry.head.startswith((ARCHIVE, _EMPTY_ARCHIVE)):
            yield entry
            return
        if len(entry.layers) > 1:
            raise BadArchiveError("an archive inside a compressed file; unpack it first")
        try:
            archive = zipfile.ZipFile(entry.stream)
            size = entry.stream.seek(0, io.SEEK_END)
        except (zipfile.BadZipFile, NotImplementedError, *BROKEN) as error:
            raise BadArchiveError(f"a broken zip archive: {why_of(error)}") from error
        members = [member for member in archive.infolist() if not member.is_dir()]
        if not members:
            raise BadArchiveError("an archive without files")
        allowance = _Allowance(lambda: size, options)
        for member in members:
            name = f"{found.name}/{member.filename}" if folder else member.filename
            stream = Watched(_Member(archive, member), allowance.spend)
            yield _unpacked(stream, name, name if folder else "", allowance, inside=True)
            if allowance.refused:
                raise BadArchiveError(allowance.refused)


def _unpacked(raw: Watched, name: str, table: str, allowance: _Allowance, *, inside: bool = False) -> Entry:
    """The entry in a stream, with up to two layers of compression taken off."""
    layers = [raw]
    stream = io.BufferedReader(raw, BUFFER_BYTES)
    for _ in range(_LAYERS):
        head = stream.peek(BUFFER_BYTES)
        codec = next((codec for codec in CODECS.values() if codec.magic.match(head)), None)
        if codec is None:
            break
        layers.append(Watched(codec.open(stream), allowance.spend))
        stream = io.BufferedReader(layers[-1], BUFFER_BYTES)
    return Entry(name, table, stream, layers, inside)


class _Member:
    """A member of an archive, opened when it is first read: only then is it known to be locked or broken."""

    def __init__(self, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
        self._archive, self._member = archive, member
        self._file: IO[bytes] | None = None

    def read(self, size: int) -> bytes:
        self._file = self._file or self._archive.open(self._member)
        return self._file.read(size)

    def seekable(self) -> bool:
        return False

    def close(self) -> None:
        if self._file:
            self._file.close()
