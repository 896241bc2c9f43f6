"""Decompress data in parts of limited size, so that memory use does not depend on what the data says about itself."""

from __future__ import annotations

import bz2
import lzma
import zlib
from importlib import import_module
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import ModuleType

_zstd: ModuleType | None
try:
    _zstd = import_module("compression.zstd")
except ModuleNotFoundError:  # before Python 3.14
    _zstd = None
_FAULTS: tuple[type[Exception], ...] = (
    (OSError, ValueError) if _zstd is None else (OSError, ValueError, _zstd.ZstdError)
)
"""What the standard library raises for data that is not valid."""

MOST_PART_BYTES = 1 << 20
"""The maximum size of a part."""
MOST_MEMORY_BYTES = 256 << 20
"""The maximum memory for decompressing; `xz -9` needs 65 MiB."""


class DamagedError(Exception):
    """Data can't be decompressed. The text is the rest of a sentence that begins with what it is."""


class TooMuchMemoryError(Exception):
    """Decompressing needs too much memory."""


class Decompressor(Protocol):
    """Decompresses one stream of data."""

    @property
    def is_over(self) -> bool:
        """Whether the end of the stream was found."""
        ...

    @property
    def rest(self) -> bytes:
        """The data after the end of the stream."""
        ...

    def parts(self, data: bytes) -> Iterator[bytes]:
        """Decompress more data; yield parts of at most `MOST_PART_BYTES`.

        Raises:
            DamagedError: If the data is not valid.
            TooMuchMemoryError: If that needs more than `MOST_MEMORY_BYTES`.
        """
        ...


class StoredData:
    """Returns data that is not compressed."""

    is_over = True
    rest = b""

    def parts(self, data: bytes) -> Iterator[bytes]:
        """See `Decompressor.parts`."""
        yield data


class _Zlib:
    """Decompresses deflate data with a raw or a gzip header; zlib also compares the CRC of the latter."""

    def __init__(self, window_bits: int) -> None:
        self._stream = zlib.decompressobj(window_bits)

    @property
    def is_over(self) -> bool:
        return self._stream.eof

    @property
    def rest(self) -> bytes:
        return self._stream.unused_data

    def parts(self, data: bytes) -> Iterator[bytes]:
        stream = self._stream
        while not stream.eof:
            try:
                part = stream.decompress(data, MOST_PART_BYTES)
            except zlib.error as error:
                raise DamagedError(_what_zlib_found(str(error))) from error
            if part:
                yield part
            data = stream.unconsumed_tail
            if not data and len(part) < MOST_PART_BYTES:
                return


def _what_zlib_found(text: str) -> str:
    if "incorrect data check" in text or "incorrect length check" in text:
        return "has another checksum than it should have"
    return "has compressed data that is not valid"


class _PlainStream(Protocol):
    """The interface that the decompressors for bzip2, xz and Zstandard share."""

    @property
    def eof(self) -> bool: ...

    @property
    def needs_input(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int) -> bytes: ...


class _Plain:
    """Decompresses data with a class of the standard library."""

    def __init__(self, stream: _PlainStream) -> None:
        self._stream = stream

    @property
    def is_over(self) -> bool:
        return self._stream.eof

    @property
    def rest(self) -> bytes:
        return self._stream.unused_data if self._stream.eof else b""

    def parts(self, data: bytes) -> Iterator[bytes]:
        stream = self._stream
        while not stream.eof:
            try:
                part = stream.decompress(data, MOST_PART_BYTES)
            except lzma.LZMAError as error:
                if "Memory usage limit" in str(error):
                    raise TooMuchMemoryError from error
                raise DamagedError("has compressed data that is not valid") from error
            except _FAULTS as error:
                raise DamagedError("has compressed data that is not valid") from error
            if part:
                yield part
            data = b""
            if stream.needs_input:
                return


def raw_deflate() -> Decompressor:
    """Return a decompressor for deflate data without a header, as in a zip file."""
    return _Zlib(-zlib.MAX_WBITS)


def bzip2() -> Decompressor:
    """Return a decompressor for bzip2."""
    return _Plain(bz2.BZ2Decompressor())


def _gzip() -> Decompressor:
    return _Zlib(16 + zlib.MAX_WBITS)


def _xz() -> Decompressor:
    return _Plain(lzma.LZMADecompressor(lzma.FORMAT_XZ, MOST_MEMORY_BYTES))


def _zstandard() -> Decompressor:
    return _Plain(import_module("compression.zstd").ZstdDecompressor())


STREAMS: Mapping[bytes, tuple[str, Callable[[], Decompressor] | None]] = {
    b"\x1f\x8b": ("gz", _gzip),
    b"BZh": ("bz2", bzip2),
    b"\xfd7zXZ\0": ("xz", _xz),
    b"\x28\xb5\x2f\xfd": ("zst", None if _zstd is None else _zstandard),
}
"""The compressed streams by their first bytes: the ending of their names, and the decompressor, if there is one."""
