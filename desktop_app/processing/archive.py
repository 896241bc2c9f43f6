"""Test archives: zip, tar, and files compressed with gzip, bzip2, xz or Zstandard.

Nothing is written, and only one level is unpacked: an archive in an archive is an entry like any other. What an archive
says about its own sizes is not trusted.
"""

from __future__ import annotations

import posixpath
import re
import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from desktop_app.domain.fields import Field, Option
from desktop_app.domain.sentences import display_text, mark, shortened
from desktop_app.processing.decompression import (
    MOST_MEMORY_BYTES,
    STREAMS,
    DamagedError,
    Decompressor,
    StoredData,
    TooMuchMemoryError,
)
from desktop_app.processing.processor import Limits, bad_content, opened, too_large
from desktop_app.processing.zip_entries import ZipEnd, check_entry, find_end, read_entries

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from desktop_app.domain.fields import Value
    from desktop_app.processing.processor import Watch
    from desktop_app.sources.local import Source

_FAIL, _REPORT = "fail", "report"
_GB = 1_000_000_000
_HARMLESS_BYTES = 100_000_000
"""The unpacked size up to which any ratio is allowed."""
_READ_BYTES = 1 << 18
_BLOCK_BYTES = 512
_MOST_READ_BYTES = 1 << 17
"""The maximum size of one extended header in a tar file."""
_MANY_DIGITS = re.compile(rb"[0-9]{200}")
"""For `tarfile`, digits in a header take time in proportion to the square of their number."""
_MOST_HEADER_BYTES = 1 << 20
"""The maximum size of all headers of an entry in a tar file."""
_MOST_GLOBAL_HEADERS = 1000
_LONGEST_NAME = 255
_ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_OTHER_STARTS = {
    b"!<arch>\n": "an ar archive, such as a Debian package",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"Rar!\x1a\x07": "a RAR archive",
    b"MSCF": "a cabinet file",
    b"07070": "a cpio archive",
    b"xar!": "a xar archive",
}
_DRIVE = re.compile(r"[A-Za-z]:")


class ArchiveProcessor:
    """Tests archives. Has no state, so all threads can share it."""

    name = "archive"
    version = 1
    title = mark("Archive test (zip, tar, gzip, …)")
    fields = (
        Field("format", str, mark("Format")),
        Field("entries", int, mark("Entries")),
        Field("unpacked_size", int, mark("Unpacked size"), "bytes"),
        Field("ratio", float, mark("Ratio")),
        Field("encrypted", bool, mark("Encrypted")),
        Field("bad_entries", int, mark("Bad entries")),
        Field("first_bad_entry", str, mark("First bad entry")),
        Field("untested_entries", int, mark("Untested entries")),
        Field("unsafe_entries", int, mark("Unsafe entries")),
    )
    options: tuple[Option, ...] = (
        Option("test", True, mark("Test the content"), hint=mark("Unpacks everything, without writing it.")),
        Option(
            "bad_entries",
            _FAIL,
            mark("Archives with bad entries"),
            choices=(_FAIL, _REPORT),
            choice_titles=(mark("Fail"), mark("Only report")),
            hint=mark("Bad entries can be counted in zip files. Other archives always fail: the rest can't be read."),
        ),
        Option(
            "unsafe_entries",
            _REPORT,
            mark("Archives with unsafe entries"),
            choices=(_REPORT, _FAIL),
            choice_titles=(mark("Only report"), mark("Fail")),
            hint=mark("Unsafe are devices, and names and links that lead out of the folder that is unpacked to."),
        ),
        Option("most_entries", 1_000_000, mark("Most entries"), least=1, most=100_000_000),
        Option(
            "most_ratio",
            1_000,
            mark("Highest ratio"),
            least=1,
            most=1_000_000,
            hint=mark("Archives that unpack to more times their size fail, from 100 MB on."),
        ),
        Option("most_unpacked", 1_000, mark("Largest unpacked size in GB"), least=1, most=1_000_000),
    )
    unavailable = ""
    limits: Limits | None = Limits()

    def accepts(self, path: str) -> bool:  # noqa: ARG002 - see `Processor.accepts`
        """Return True: archives have all kinds of names."""
        return True

    def process(self, source: Source, options: Mapping[str, Value], watch: Watch) -> Mapping[str, Value]:  # noqa: ARG002
        """Test an archive; see `Processor.process`."""
        start = source.read_at(0, _BLOCK_BYTES)
        wanted = _Wanted(
            bool(options["test"]),
            options["bad_entries"] == _FAIL,
            options["unsafe_entries"] == _FAIL,
            int(options["most_entries"]),
            int(options["most_ratio"]) * source.size,
            int(options["most_unpacked"]) * _GB,
        )
        if start.startswith(_ZIP_STARTS):
            return _check_zip(source, wanted)
        for mark_, (ending, make) in STREAMS.items():
            if start.startswith(mark_):
                if make is None:
                    raise bad_content(f"it is a .{ending} file, which this version of Python can't read")
                return _check_stream(source, wanted, ending, mark_, make)
        if _is_tar(start, source.path):
            return _check_stream(source, wanted, "", b"", StoredData)
        for mark_, kind in _OTHER_STARTS.items():
            if start.startswith(mark_):
                raise bad_content(f"it is {kind}, which can't be tested")
        return _check_zip(source, wanted)  # other data, such as a program, can be before a zip file


class _Wanted(NamedTuple):
    """What the options say.

    Attributes:
        tests: Whether to read the content.
        fails_if_bad, fails_if_unsafe: Whether archives with such entries fail.
        most_entries: The maximum number of entries.
        most_by_ratio: The maximum unpacked size in bytes, unless it is harmless.
        most_unpacked: The maximum unpacked size in bytes.
    """

    tests: bool
    fails_if_bad: bool
    fails_if_unsafe: bool
    most_entries: int
    most_by_ratio: int
    most_unpacked: int

    def check_entries(self, entries: int) -> None:
        """Raise the error for an archive that has too many entries."""
        if entries > self.most_entries:
            raise too_large(f"it has more than {self.most_entries} entries")

    def check_unpacked(self, size: int) -> None:
        """Raise the error for an archive that unpacks to too many bytes."""
        if size > self.most_unpacked:
            raise too_large(f"it unpacks to more than {self.most_unpacked // _GB} GB")
        if size > max(self.most_by_ratio, _HARMLESS_BYTES):
            raise too_large("it unpacks to too many times its size, as a decompression bomb does")


@dataclass(slots=True)
class _Tally:
    """What was found in an archive; see the fields of the processor."""

    wanted: _Wanted
    entries: int = 0
    unpacked: int = 0
    is_encrypted: bool = False
    bad: int = 0
    first_bad: str = ""
    untested: int = 0
    unsafe: int = 0

    def add_bad(self, name: str, why: object) -> None:
        """Add an entry that is damaged.

        Raises:
            FileError: If the archive fails for it.
        """
        self.bad += 1
        self.first_bad = self.first_bad or _shown(name)
        if self.wanted.fails_if_bad:
            values: dict[str, Value] = {"entries": self.entries, "bad_entries": 1, "first_bad_entry": self.first_bad}
            raise bad_content(f"the entry “{self.first_bad}” {why}", values)

    def add_unsafe(self, name: str) -> None:
        """Add an entry that would not be unpacked to a file in the folder.

        Raises:
            FileError: If the archive fails for it.
        """
        self.unsafe += 1
        if self.wanted.fails_if_unsafe:
            raise bad_content(f"the entry “{_shown(name)}” is a device, or leads out of the folder that is unpacked to")

    def values(self, form: str, file_size: int) -> dict[str, Value]:
        """Return the values of the fields.

        Args:
            form: The format.
            file_size: The size of the archive in bytes.
        """
        values: dict[str, Value] = {
            "format": form,
            "entries": self.entries,
            "unpacked_size": self.unpacked,
            "ratio": round(self.unpacked / file_size, 2),
            "encrypted": self.is_encrypted,
            "bad_entries": self.bad,
            "untested_entries": self.untested,
            "unsafe_entries": self.unsafe,
        }
        if self.bad:
            values["first_bad_entry"] = self.first_bad
        return values


def _shown(name: str) -> str:
    return shortened(display_text(name[:_LONGEST_NAME]), _LONGEST_NAME)


def _leads_out(name: str, folder: str = "") -> bool:
    """Return whether a name or the target of a link is not inside of the folder that is unpacked to.

    Args:
        name: The name or target.
        folder: The folder in the archive that a target is relative to.
    """
    path = name.replace("\\", "/")
    if path.startswith("/") or _DRIVE.match(path) or "\0" in path:
        return True
    path = posixpath.normpath(posixpath.join(folder, path))
    return path == ".." or path.startswith("../")


# --- zip


def _check_zip(source: Source, wanted: _Wanted) -> Mapping[str, Value]:
    directory = opened(source)
    end = find_end(directory, source.size)
    if end is None:
        if source.read_at(0, 4).startswith(_ZIP_STARTS):
            raise bad_content("the end of the zip file is missing")
        raise bad_content("it is no archive of a known format")
    wanted.check_entries(end.entries)
    found = _Tally(wanted)
    _list_zip(directory, end, found)
    if wanted.tests:
        _test_zip(directory, opened(source), end, found)
    return found.values("zip", source.size)


def _list_zip(directory: BinaryIO, end: ZipEnd, found: _Tally) -> None:
    """Read the directory of a zip file.

    Raises:
        FileError: If it is not valid, has too many entries, or unpacks to too many bytes.
    """
    packed = 0
    for entry in read_entries(directory, end):
        found.entries += 1
        found.unpacked += entry.size
        packed += entry.least_bytes
        found.is_encrypted |= entry.is_encrypted
        found.untested += not (found.wanted.tests and entry.can_be_tested)
        found.wanted.check_entries(found.entries)
        if packed > end.start - end.shift:
            raise bad_content("its entries overlap, as in a decompression bomb")
        if _leads_out(entry.name):
            found.add_unsafe(entry.name)
    if (found.entries - end.entries) % (1 << 16):  # without ZIP64, the number has 16 bits
        raise bad_content(f"its directory has {found.entries} entries instead of {end.entries}")
    found.wanted.check_unpacked(found.unpacked)


def _test_zip(directory: BinaryIO, content: BinaryIO, end: ZipEnd, found: _Tally) -> None:
    """Read the content of a zip file.

    Raises:
        FileError: If an entry is damaged, and the archive fails for it.
    """
    for entry in read_entries(directory, end):
        if not entry.can_be_tested:
            continue
        try:
            target = check_entry(content, entry, end.start)
        except DamagedError as error:
            found.add_bad(entry.name, error)
        else:
            if target and _leads_out(target.decode("utf-8", "replace"), posixpath.dirname(entry.name)):
                found.add_unsafe(entry.name)


# --- compressed files and tar


def _check_stream(
    source: Source, wanted: _Wanted, ending: str, mark_: bytes, make: Callable[[], Decompressor]
) -> Mapping[str, Value]:
    """Test a compressed file, which may contain a tar file, or a tar file that is not compressed.

    Args:
        source: The file.
        wanted: What the options say.
        ending: The usual ending of the name of a compressed file.
        mark_: The first bytes of a compressed file.
        make: Returns a decompressor.
    """
    content = _Content(opened(source, _READ_BYTES), wanted, mark_, make)
    found = _Tally(wanted)
    try:
        if _is_tar(content.peek(_BLOCK_BYTES), source.path):
            _read_tar(content, found)
            ending = f"tar.{ending}" if ending else "tar"
        else:
            found.entries = 1
            found.untested = int(not wanted.tests)
        if wanted.tests:
            content.skip_all()
    except DamagedError as error:
        raise bad_content(f"the {ending or 'tar'} file {error}") from error
    except TooMuchMemoryError as error:
        raise too_large(f"unpacking it needs more than {MOST_MEMORY_BYTES >> 20} MiB of memory") from error
    if not ending.startswith("tar"):
        found.unpacked = content.tell()
    return found.values(ending, source.size)


class _Content:
    """The decompressed content of a file, which is read once, forwards.

    Args:
        file: The file.
        wanted: Limits the size.
        start: The first bytes of each compressed stream in the file; empty if it is not compressed.
        make: Returns a decompressor.
    """

    def __init__(self, file: BinaryIO, wanted: _Wanted, start: bytes, make: Callable[[], Decompressor]) -> None:
        self._file = file
        self._wanted = wanted
        self._start = start
        self._make = make
        self._parts = self._decompressed()
        self._part = b""
        self._at = 0  # the position in the part
        self._position = 0
        self.header_bytes = 0

    def tell(self) -> int:
        """Return the position."""
        return self._position

    def peek(self, size: int) -> bytes:
        """Return the next bytes without reading them; fewer at the end."""
        while len(self._part) - self._at < size and (part := next(self._parts, b"")):
            self._part, self._at = self._part[self._at :] + part, 0
        return self._part[self._at : self._at + size]

    def read(self, size: int) -> bytes:
        """Read bytes of a header; `tarfile` calls this.

        Raises:
            DamagedError: If the header can't be one.
            FileError: If the headers of an entry are too large.
        """
        self.header_bytes += size
        if size > _MOST_READ_BYTES or self.header_bytes > _MOST_HEADER_BYTES:
            raise too_large("the description of an entry is too large")
        data = self.peek(size)
        if _MANY_DIGITS.search(data):
            raise DamagedError("has an entry whose description is damaged")
        self._at += len(data)
        self._position += len(data)
        return data

    def skip(self, size: int) -> bool:
        """Read bytes; return whether there were so many."""
        while size:
            if self._at == len(self._part):
                self._part, self._at = next(self._parts, b""), 0
                if not self._part:
                    return False
            step = min(size, len(self._part) - self._at)
            self._at += step
            self._position += step
            size -= step
        return True

    def skip_all(self) -> None:
        """Read the rest."""
        self._position += len(self._part) - self._at
        self._part, self._at = b"", 0
        for part in self._parts:
            self._position += len(part)

    def _decompressed(self) -> Iterator[bytes]:
        size = 0
        stream = self._make()
        while data := self._file.read(_READ_BYTES):
            while data:
                for part in stream.parts(data):
                    size += len(part)
                    self._wanted.check_unpacked(size)
                    yield part
                data = stream.rest if self._start else b""
                if data or (self._start and stream.is_over):
                    # Several streams can follow one another, with zeros in between or at the end.
                    data = self._next_stream(data)
                    if not data:
                        return
                    stream = self._make()
        if not stream.is_over:
            raise DamagedError("ends too early")

    def _next_stream(self, data: bytes) -> bytes:
        """Return the beginning of the stream after another one, whose data was read; empty if there is none."""
        data = data.lstrip(b"\0")
        while len(data) < len(self._start) and (more := self._file.read(_READ_BYTES)):
            data = (data + more).lstrip(b"\0")
        if data and not data.startswith(self._start):
            raise DamagedError("is followed by other data")
        return data


def _is_tar(block: bytes, path: str) -> bool:
    """Return whether a tar file begins with a block. One without entries is recognized by its name."""
    if not block.strip(b"\0"):
        return ".tar" in path.lower() or path.lower().endswith((".tgz", ".tbz2", ".txz"))
    try:
        tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except (tarfile.TarError, ValueError):
        return False
    return True


_TAR_FAULTS = (tarfile.TarError, ValueError, LookupError, ArithmeticError, RecursionError)
"""What `tarfile` raises for headers that are not valid."""


def _read_tar(content: _Content, found: _Tally) -> None:
    """Read the entries of a tar file.

    Raises:
        DamagedError: If it is damaged.
        FileError: If it has too many entries, or unpacks to too many bytes.
    """
    for member in _members(content):
        found.entries += 1
        found.wanted.check_entries(found.entries)
        found.unpacked += member.size if member.isreg() else 0
        found.wanted.check_unpacked(found.unpacked)
        is_link = member.issym() or member.islnk()
        folder = posixpath.dirname(member.name) if member.issym() else ""
        if member.isdev() or _leads_out(member.name) or (is_link and _leads_out(member.linkname, folder)):
            found.add_unsafe(member.name)


def _members(content: _Content) -> Iterator[tarfile.TarInfo]:
    """Yield the entries of a tar file whose content was read."""
    try:
        # The constructor reads the first entry. The iterator of `tarfile` would keep all, and end at a damaged one.
        file = tarfile.TarFile(fileobj=content, encoding="utf-8", errors="surrogateescape")  # type: ignore[arg-type]
        member = file.next()
        while member is not None:
            left = file.offset - content.tell()
            if left < 0 or member.size < 0:
                raise DamagedError(f"has an entry “{_shown(member.name)}” with a negative size")
            if not content.skip(left):
                raise DamagedError(f"does not contain all of the entry “{_shown(member.name)}”")
            yield member
            content.header_bytes = 0
            if len(file.pax_headers) > _MOST_GLOBAL_HEADERS:
                raise too_large("its description is too large")
            # Some programs leave out the zeros at the end.
            member = tarfile.TarInfo.fromtarfile(file) if content.peek(_BLOCK_BYTES).strip(b"\0") else None
    except _TAR_FAULTS as error:
        raise DamagedError("has an entry whose description is damaged") from error
