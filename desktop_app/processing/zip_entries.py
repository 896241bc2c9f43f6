"""Read the entries of zip files one after another.

The standard library's `zipfile` reads the whole directory into memory first, and trusts the number and the sizes in it.
"""

from __future__ import annotations

import stat
import struct
import zlib
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from desktop_app.processing.decompression import DamagedError, Decompressor, StoredData, bzip2, raw_deflate
from desktop_app.processing.processor import bad_content

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_END = struct.Struct("<4s4H2LH")
_END_64_LOCATOR = struct.Struct("<4sLQL")
_END_64 = struct.Struct("<4sQ2H2L4Q")
_ENTRY = struct.Struct("<4s6H3L5H2L")
_LOCAL_ENTRY = struct.Struct("<4s5H3L2H")
_END_MARK, _END_64_LOCATOR_MARK, _END_64_MARK = b"PK\x05\x06", b"PK\x06\x07", b"PK\x06\x06"
_ENTRY_MARK, _LOCAL_MARK = b"PK\x01\x02", b"PK\x03\x04"
_LONGEST_COMMENT = 0xFFFF
_IN_EXTRA = 0xFFFFFFFF
"""A size or an offset that stands in the extra field for ZIP64."""
_EXTRA_64 = 1
_ENCRYPTED, _UTF_8 = 1, 1 << 11
_READ_BYTES = 1 << 16
_LONGEST_TARGET = 4096

_METHODS: Mapping[int, Callable[[], Decompressor]] = {0: StoredData, 8: raw_deflate, 12: bzip2}


class ZipEnd(NamedTuple):
    """The end of a zip file, which tells where the directory is.

    Attributes:
        entries: The number of entries that the directory should have.
        start: The position of the directory.
        size: Its size in bytes.
        shift: How many bytes of other data, such as a program, are before the zip file; added to each position.
    """

    entries: int
    start: int
    size: int
    shift: int


class ZipEntry(NamedTuple):
    """An entry of the directory.

    Attributes:
        raw_name: The name as bytes.
        name: The name.
        flags: The flags, as in the format's description.
        method: The compression method.
        crc: The CRC-32 of the content.
        packed_size: The size of the compressed data in bytes.
        size: The size of the content in bytes.
        position: The position of the entry in the file.
        mode: The type and the permissions of the file, as in `st_mode`; 0 if they are not known.
    """

    raw_name: bytes
    name: str
    flags: int
    method: int
    crc: int
    packed_size: int
    size: int
    position: int
    mode: int

    @property
    def is_encrypted(self) -> bool:
        """Whether a password is needed."""
        return bool(self.flags & _ENCRYPTED)

    @property
    def can_be_tested(self) -> bool:
        """Whether the entry can be read."""
        return not self.is_encrypted and self.method in _METHODS

    @property
    def least_bytes(self) -> int:
        """The least number of bytes that the entry takes in the file, without the directory."""
        return _LOCAL_ENTRY.size + len(self.raw_name) + self.packed_size


def find_end(file: BinaryIO, file_size: int) -> ZipEnd | None:
    """Return the end of a zip file; None if it is no zip file, or its end is missing.

    Raises:
        FileError: If it is not valid.
    """
    tail_start = max(0, file_size - _LONGEST_COMMENT - _END.size)
    file.seek(tail_start)
    tail = file.read()
    at = _end_in(tail)
    if at < 0:
        return None
    _, disk, first_disk, _, entries, size, start, _ = _END.unpack_from(tail, at)
    end = tail_start + at
    file.seek(max(0, end - _END_64_LOCATOR.size))
    locator = file.read(_END_64_LOCATOR.size)
    if end >= _END_64_LOCATOR.size and locator.startswith(_END_64_LOCATOR_MARK):
        _, _, position_64, disks = _END_64_LOCATOR.unpack(locator)
        disk, first_disk = max(0, disks - 1), 0
        end -= _END_64_LOCATOR.size + _END_64.size
        # Other data before the zip file moves the record, which is usually just before its locator.
        for position in (end, position_64):
            if 0 <= position < file_size:
                file.seek(position)
                record = file.read(_END_64.size)
                if len(record) == _END_64.size and record.startswith(_END_64_MARK):
                    *_, entries, size, start = _END_64.unpack(record)
                    end = position
                    break
        else:
            raise bad_content("the record at its end is damaged")
    if disk or first_disk:
        raise bad_content("it is one part of an archive that has several")
    shift = end - size - start
    if shift < 0:
        raise bad_content("the record at its end is damaged, or its beginning is missing")
    return ZipEnd(entries, start + shift, size, shift)


def _end_in(tail: bytes) -> int:
    """Return where the record at the end begins; -1 if there is none.

    The comment after it can contain the mark as well, so one whose comment has the right length is preferred.
    """
    limit = max(0, len(tail) - _END.size + len(_END_MARK))
    last = at = tail.rfind(_END_MARK, 0, limit)
    while at >= 0:
        if at + _END.size + int.from_bytes(tail[at + _END.size - 2 : at + _END.size], "little") == len(tail):
            return at
        at = tail.rfind(_END_MARK, 0, at)
    return last


def read_entries(file: BinaryIO, end: ZipEnd) -> Iterator[ZipEntry]:
    """Yield the entries of the directory.

    Args:
        file: The file, which nothing else may read meanwhile.
        end: The end of the zip file.

    Raises:
        FileError: If the directory is not valid.
    """
    file.seek(end.start)
    left = end.size
    while left:
        head = file.read(min(left, _ENTRY.size))
        if len(head) < _ENTRY.size or not head.startswith(_ENTRY_MARK):
            raise bad_content("its directory is damaged")
        (
            _,
            _,
            _,
            flags,
            method,
            _,
            _,
            crc,
            packed_size,
            size,
            name_bytes,
            extra_bytes,
            comment_bytes,
            _,
            _,
            attributes,
            position,
        ) = _ENTRY.unpack(head)
        more = file.read(min(left - _ENTRY.size, name_bytes + extra_bytes + comment_bytes))
        if len(more) < name_bytes + extra_bytes + comment_bytes:
            raise bad_content("its directory is damaged")
        left -= _ENTRY.size + len(more)
        if _IN_EXTRA in {size, packed_size, position}:
            size, packed_size, position = _sizes_64(
                more[name_bytes : name_bytes + extra_bytes], size, packed_size, position
            )
        raw_name = more[:name_bytes]
        name = raw_name.decode("utf-8" if flags & _UTF_8 else "cp437", "replace")
        yield ZipEntry(raw_name, name, flags, method, crc, packed_size, size, position + end.shift, attributes >> 16)


def _sizes_64(extra: bytes, size: int, packed_size: int, position: int) -> tuple[int, int, int]:
    """Return the sizes and the position, those that stand in the extra field replaced."""
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, at)
        if kind == _EXTRA_64:
            values = iter(struct.unpack_from(f"<{min(length, len(extra) - at - 4) // 8}Q", extra, at + 4))
            size, packed_size, position = (
                next(values, given) if given == _IN_EXTRA else given for given in (size, packed_size, position)
            )
            break
        at += 4 + length
    return size, packed_size, position


def check_entry(file: BinaryIO, entry: ZipEntry, directory_start: int) -> bytes:
    """Read an entry, and compare its size and checksum.

    Args:
        file: The file.
        entry: The entry, which must be one that can be tested.
        directory_start: The position of the directory, before which the data has to end.

    Returns:
        The target of a symbolic link; empty for anything else.

    Raises:
        DamagedError: If it is damaged.
        FileError: If the file can't be read.
    """
    _seek_content(file, entry, directory_start)
    target = b""
    is_link = stat.S_ISLNK(entry.mode)
    decompressor = _METHODS[entry.method]()
    left, size, crc = entry.packed_size, 0, 0
    while left:
        data = file.read(min(left, _READ_BYTES))
        if not data:
            raise DamagedError("is not completely in the file")
        left -= len(data)
        for part in decompressor.parts(data):
            size += len(part)
            crc = zlib.crc32(part, crc)
            if size > entry.size:
                raise DamagedError("is larger than it says")
            if is_link:
                target = (target + part)[:_LONGEST_TARGET]
    if size < entry.size or (entry.packed_size and not decompressor.is_over):
        raise DamagedError("is smaller than it says")
    if crc != entry.crc:
        raise DamagedError("has another checksum than it should have")
    return target


def _seek_content(file: BinaryIO, entry: ZipEntry, directory_start: int) -> None:
    """Move to the data of an entry; see `check_entry`."""
    if entry.position + entry.least_bytes > directory_start:
        raise DamagedError("is not completely in the file")
    file.seek(entry.position)
    head = file.read(_LOCAL_ENTRY.size)
    if len(head) < _LOCAL_ENTRY.size or not head.startswith(_LOCAL_MARK):
        raise DamagedError("is not where the directory says")
    *_, name_bytes, extra_bytes = _LOCAL_ENTRY.unpack(head)
    if file.read(name_bytes) != entry.raw_name:
        raise DamagedError("has another name in the directory")
    file.seek(extra_bytes, 1)
    if file.tell() + entry.packed_size > directory_start:
        raise DamagedError("is not completely in the file")
