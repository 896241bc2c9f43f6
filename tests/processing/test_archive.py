"""Tests of archives."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import shutil
import stat
import struct
import subprocess
import sys
import tarfile
import zipfile
import zlib
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from desktop_app.domain.errors import FileError
from desktop_app.domain.reasons import FileProblem, ReasonCode
from desktop_app.processing.archive import ArchiveProcessor
from desktop_app.processing.isolation import HelperProcess
from desktop_app.processing.processor import Limits
from desktop_app.processing.registry import ProcessorRegistry
from desktop_app.sources.local import SmallSource
from tests.helpers.fakes import RecordingWatch
from tests.helpers.memory import measured_memory

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from desktop_app.domain.fields import Value

MIB = 1 << 20


def process(path: Path, **options: Value) -> Mapping[str, Value]:
    registry = ProcessorRegistry([ArchiveProcessor()])
    return registry.process(str(path), RecordingWatch(), processor="archive", options=json.dumps(options)).values


def check(content: bytes, name: str = "a", **options: Value) -> Mapping[str, Value]:
    """Test an archive that is not in a file."""
    registry = ProcessorRegistry([ArchiveProcessor()], opener=lambda path: SmallSource(content, path))
    return registry.process(name, RecordingWatch(), processor="archive", options=json.dumps(options)).values


def failure(content: bytes, name: str = "a", **options: Value) -> FileError:
    with pytest.raises(FileError) as caught:
        check(content, name, **options)
    return caught.value


def zipped(*names: str, content: bytes = b"content " * 100, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as file:
        for name in names or ("a.txt", "folder/b.txt"):
            file.writestr(name, content)
    return stream.getvalue()


def member(name: str, content: bytes = b"", **attributes: object) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for attribute, value in attributes.items():
        setattr(info, attribute, value)
    return info, content


def tarred(*members: tuple[tarfile.TarInfo, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    stream = io.BytesIO()
    with tarfile.TarFile(fileobj=stream, mode="w", format=form) as file:
        for info, content in members:
            file.addfile(info, io.BytesIO(content))
    return stream.getvalue()


TAR = tarred(member("a.txt", b"content " * 100), member("folder/b.txt", b"b" * 1000))


# --- the values of archives that are right


def test_zip_has_its_entries() -> None:
    content = zipped()
    assert check(content) == {
        "format": "zip",
        "entries": 2,
        "unpacked_size": 1600,
        "ratio": round(1600 / len(content), 2),
        "encrypted": False,
        "bad_entries": 0,
        "untested_entries": 0,
        "unsafe_entries": 0,
    }


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
@pytest.mark.parametrize("size", [0, 1, 100, 3 * MIB])
def test_zip_of_any_usual_method_is_tested(method: int, size: int) -> None:
    content = zipped("a", content=b"x" * size, method=method)
    values = check(content)
    assert (values["unpacked_size"], values["untested_entries"]) == (size, 0)


def test_zip_with_another_method_is_not_tested() -> None:
    values = check(zipped(method=zipfile.ZIP_LZMA))
    assert (values["entries"], values["untested_entries"]) == (2, 2)


def test_empty_zip_has_no_entries() -> None:
    stream = io.BytesIO()
    zipfile.ZipFile(stream, "w").close()
    assert check(stream.getvalue())["entries"] == 0


@pytest.mark.parametrize("before", [b"#!/bin/sh\n" * 100, b"MZ" + bytes(5000)])
def test_zip_after_a_program_is_tested(before: bytes) -> None:
    assert check(before + zipped())["entries"] == 2


@pytest.mark.parametrize("comment", [b"x" * 65_535, b"PK\5\6" + b"x" * 60_000])
def test_zip_with_a_comment_is_tested(comment: bytes) -> None:
    stream = io.BytesIO(zipped())
    with zipfile.ZipFile(stream, "a") as file:
        file.comment = comment
    assert check(stream.getvalue())["entries"] == 2


@pytest.mark.parametrize("before", [b"", b"a program" * 100])
def test_sizes_and_positions_of_more_than_32_bits_are_read(monkeypatch: pytest.MonkeyPatch, before: bytes) -> None:
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 500)
    content = zipped("a", "b", "c", "d")
    assert content.count(b"\xff" * 8) > 3, "the sizes are in the extra fields"
    assert check(before + content)["unpacked_size"] == 3200
    assert "“a” is larger" in failure(content.replace(struct.pack("<Q", 800), struct.pack("<Q", 799))).text


@pytest.mark.parametrize("before", [b"", b"a program" * 100])
def test_zip_with_more_entries_than_sixteen_bits_can_count_is_read(
    monkeypatch: pytest.MonkeyPatch, before: bytes
) -> None:
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 1)
    content = zipped("a", "b", "c")
    assert b"PK\6\6" in content
    assert check(before + content)["entries"] == 3


@pytest.mark.parametrize(
    ("compress", "name"),
    [(bytes, "tar"), (gzip.compress, "tar.gz"), (bz2.compress, "tar.bz2"), (lzma.compress, "tar.xz")],
)
def test_tar_has_its_entries(compress: Callable[[bytes], bytes], name: str) -> None:
    values = check(compress(TAR))
    assert (values["format"], values["entries"], values["unpacked_size"]) == (name, 2, 1800)


@pytest.mark.parametrize(("compress", "name"), [(gzip.compress, "gz"), (bz2.compress, "bz2"), (lzma.compress, "xz")])
@pytest.mark.parametrize("size", [0, 1, 5 * MIB])
def test_compressed_file_has_its_unpacked_size(compress: Callable[[bytes], bytes], name: str, size: int) -> None:
    values = check(compress(b"x" * size))
    assert (values["format"], values["entries"], values["unpacked_size"]) == (name, 1, size)
    values = check(compress(b"x" * size) + compress(b"y" * 10))
    assert values["unpacked_size"] == size + 10


@pytest.mark.skipif(sys.version_info < (3, 14), reason="this version of Python can't read Zstandard")
def test_zstandard_file_has_its_unpacked_size() -> None:
    zstd = pytest.importorskip("compression.zstd")
    assert check(zstd.compress(TAR))["format"] == "tar.zst"


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="this version of Python can read Zstandard")
def test_zstandard_file_is_refused_where_it_can_not_be_read() -> None:
    assert "which this version of Python can't read" in failure(b"\x28\xb5\x2f\xfd" + bytes(20)).text


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_tar_of_any_format_is_read(form: int) -> None:
    name = "/".join(["folder" * 5] * 6) + "/ä"
    values = check(tarred(member(name, b"x"), member("b" * 90, b"y" * 600), form=form))
    assert (values["entries"], values["unpacked_size"]) == (2, 601)


def test_empty_tar_has_no_entries() -> None:
    assert check(bytes(10240), "a.tar")["entries"] == 0
    assert check(gzip.compress(bytes(10240)), "a.tgz")["entries"] == 0


def test_tar_without_zeros_at_the_end_is_valid() -> None:
    assert check(TAR.rstrip(b"\0") + bytes(-len(TAR.rstrip(b"\0")) % 512))["entries"] == 2


def test_archive_in_an_archive_is_an_entry() -> None:
    assert check(zipped("a.zip", content=zipped()))["entries"] == 1
    assert check(gzip.compress(gzip.compress(b"x")))["format"] == "gz"


def test_content_is_read_only_if_it_is_tested() -> None:
    content = bytearray(zipped(method=zipfile.ZIP_STORED))
    content[60] ^= 1
    assert check(bytes(content), test=False)["untested_entries"] == 2
    assert "“a.txt” has another checksum" in failure(bytes(content)).text


# --- entries that are not safe


@pytest.mark.parametrize(
    ("name", "is_unsafe"),
    [
        ("a/b", False),
        ("./a", False),
        ("a/../b", False),
        ("..a/b..", False),
        ("/a", True),
        ("../a", True),
        ("a/../../b", True),
        ("..", True),
        ("\\a", True),
        ("a\\..\\..\\b", True),
        ("C:\\a", True),
        ("c:a", True),
    ],
)
def test_names_that_lead_out_are_counted(name: str, is_unsafe: bool) -> None:
    for content in (zipped(name), tarred(member(name, b"x"))):
        assert check(content)["unsafe_entries"] == is_unsafe
        if is_unsafe:
            assert "leads out of the folder" in failure(content, unsafe_entries="fail").text


@pytest.mark.parametrize(
    ("name", "target", "is_unsafe"),
    [
        ("a/b", "c", False),
        ("a/b", "../c", False),
        ("a/b", "../../c", True),
        ("a/b", "/etc/passwd", True),
        ("b", "..", True),
    ],
)
def test_links_that_lead_out_are_counted(name: str, target: str, is_unsafe: bool) -> None:
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        file.writestr(info, target)
    for content in (stream.getvalue(), tarred(member(name, type=tarfile.SYMTYPE, linkname=target))):
        assert check(content)["unsafe_entries"] == is_unsafe


def test_hard_links_and_devices_are_judged() -> None:
    values = check(
        tarred(
            member("a/b", type=tarfile.LNKTYPE, linkname="c"),
            member("a/c", type=tarfile.LNKTYPE, linkname="../c"),
            member("a/d", type=tarfile.CHRTYPE),
            member("a/e", type=tarfile.BLKTYPE),
            member("a/f", type=tarfile.FIFOTYPE),
            member("a/g", type=tarfile.DIRTYPE),
        )
    )
    assert (values["entries"], values["unsafe_entries"]) == (6, 4)


# --- real archives


def real_archives(*endings: str) -> list[Path]:
    """Return up to ten archives of other programs."""
    roots = [
        Path(sys.base_prefix, "lib"),
        Path("/usr/share/python-wheels"),
        Path("/usr/share/doc"),
        Path("/usr/share/java"),
    ]
    places = ("python3*/ensurepip/_bundled", "python3*/test", "python3*/site-packages", "")
    found = (
        path
        for root in roots
        for place in places
        for folder in (root.glob(place) if place else [root])
        for pattern in ("*", "*/*")
        for path in sorted(folder.glob(pattern))
        if path.name.endswith(endings) and path.is_file()
    )
    return list(islice(found, 10))


def test_real_zip_files_are_what_unzip_says() -> None:
    unzip = shutil.which("unzip")
    paths = real_archives(".whl", ".zip", ".jar", ".egg")
    if unzip is None or not paths:
        pytest.skip("needs unzip and a system with zip files")
    for path in paths:
        subprocess.run([unzip, "-tqq", path], check=True)
        names = subprocess.run([unzip, "-Z1", path], check=True, capture_output=True).stdout.splitlines()
        totals = subprocess.run([unzip, "-Zt", path], check=True, capture_output=True, text=True).stdout
        values = process(path)
        assert (values["entries"], values["bad_entries"]) == (len(names), 0)
        assert f" {values['unpacked_size']} bytes uncompressed" in totals


def test_real_compressed_files_are_what_gzip_says() -> None:
    program = shutil.which("gzip")
    paths = real_archives(".gz")
    if program is None or not paths:
        pytest.skip("needs gzip and a system with documents")
    for path in paths:
        content = subprocess.run([program, "-dc", path], check=True, capture_output=True).stdout
        if not path.name.endswith(".tar.gz"):
            assert process(path)["unpacked_size"] == len(content)


@pytest.mark.parametrize("option", ["--gzip", "--bzip2", "--xz", "--format=ustar", "--format=gnu", "--format=pax"])
def test_files_of_the_tar_program_are_read(tmp_path: Path, option: str) -> None:
    tar = shutil.which("tar")
    if tar is None:
        pytest.skip("needs tar")
    folder = Path(__file__).parents[1] / "helpers"
    path = tmp_path / "a"
    made = subprocess.run(
        [tar, option, "-cf", path, "-C", folder.parent, folder.name], capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip("tar can't compress with this program")
    listed = subprocess.run([tar, "-tf", path], check=True, capture_output=True).stdout.splitlines()
    values = process(path)
    assert values["entries"] == len(listed)
    assert int(values["unpacked_size"]) >= sum(file.stat().st_size for file in folder.glob("*.py"))


# --- broken and hostile files


def with_bytes(content: bytes, at: int, new: bytes) -> bytes:
    return content[:at] + new + content[at + len(new) :]


def in_directory(content: bytes, at: int, new: bytes) -> bytes:
    """Change bytes of the first entry of a zip file's directory."""
    return with_bytes(content, content.index(b"PK\1\2") + at, new)


def at_end(content: bytes, at: int, new: bytes) -> bytes:
    """Change bytes of the record at the end of a zip file."""
    return with_bytes(content, content.rindex(b"PK\5\6") + at, new)


def overlapping() -> bytes:
    """Return a zip file in which many entries have the same content."""
    content = zipped("a", content=bytes(MIB))
    start = content.index(b"PK\1\2")
    entry = content[start : content.rindex(b"PK\5\6")]
    directory = entry * 1000
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1000, 1000, len(directory), start, 0)
    return content[:start] + directory + end


def deflated_zeros(megabytes: int, window_bits: int = -15) -> bytes:
    stream = zlib.compressobj(9, zlib.DEFLATED, window_bits)
    return b"".join(stream.compress(bytes(MIB)) for _ in range(megabytes)) + stream.flush()


def zip_bomb() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as file, file.open("zeros", "w") as entry:
        for _ in range(120):
            entry.write(bytes(MIB))
    return stream.getvalue()


def tar_header(size: bytes, kind: bytes = b"0", real_size: bytes = b"") -> bytes:
    """Return the header of an entry with a size that no program would write."""
    header = bytearray(member("a")[0].tobuf(tarfile.USTAR_FORMAT))
    header[124:136] = size.ljust(12, b"\0")
    header[156:157] = kind
    header[483:495] = real_size.ljust(12, b"\0")
    header[148:156] = b"        "
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header)


CRC_AT, FLAGS_AT, SIZE_AT, PACKED_AT, OFFSET_AT = 16, 8, 24, 20, 42
ZIP = zipped()
GZ = gzip.compress(b"content " * 1000)
HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "nothing": (lambda: b"", "it is no archive of a known format"),
    "text": (lambda: b"text\n" * 1000, "it is no archive of a known format"),
    "zeros": (lambda: bytes(MIB), "it is no archive of a known format"),
    "a Debian package": (lambda: b"!<arch>\ndebian-binary   ", "it is an ar archive, such as a Debian package, which"),
    "7z": (lambda: b"7z\xbc\xaf\x27\x1c\0\4", "it is a 7z archive, which can't be tested"),
    "zip: half": (lambda: ZIP[: len(ZIP) // 2], "the end of the zip file is missing"),
    "zip: without its beginning": (lambda: ZIP[20:], "the record at its end is damaged, or its beginning is missing"),
    "zip: another checksum": (lambda: in_directory(ZIP, CRC_AT, b"0000"), "“a.txt” has another checksum"),
    "zip: another content": (lambda: with_bytes(ZIP, 40, b"\xff\xff\xff"), "“a.txt” has compressed data that is not"),
    "zip: another name": (lambda: with_bytes(ZIP, 30, b"b"), "“a.txt” has another name in the directory"),
    "zip: larger than it says": (lambda: in_directory(ZIP, SIZE_AT, b"\1\0\0\0"), "“a.txt” is larger than it says"),
    "zip: smaller than it says": (lambda: in_directory(ZIP, SIZE_AT, b"\0\0\1\0"), "“a.txt” is smaller than it says"),
    "zip: more data": (lambda: in_directory(ZIP, PACKED_AT, b"\0\1\0\0"), "its entries overlap"),
    "zip: less data": (lambda: in_directory(ZIP, PACKED_AT, b"\1\0\0\0"), "“a.txt” is smaller than it says"),
    "zip: another position": (lambda: in_directory(ZIP, OFFSET_AT, b"\1\0\0\0"), "is not where the directory says"),
    "zip: a position outside": (lambda: in_directory(ZIP, OFFSET_AT, b"\xf0" * 4), "is not completely in the file"),
    "zip: a ZIP64 position without a value": (
        lambda: in_directory(ZIP, OFFSET_AT, b"\xff" * 4),
        "is not completely in the file",
    ),
    "zip: a long name in the directory": (lambda: in_directory(ZIP, 28, b"\xff\xff"), "its directory is damaged"),
    "zip: another directory": (lambda: in_directory(ZIP, 0, b"PK\1\1"), "its directory is damaged"),
    "zip: more entries": (lambda: at_end(ZIP, 8, b"\3\0\3\0"), "its directory has 2 entries instead of 3"),
    "zip: a large directory": (lambda: at_end(ZIP, 12, b"\xff\xff\xff\x7f"), "the record at its end is damaged"),
    "zip: several parts": (lambda: at_end(ZIP, 4, b"\1\0\1\0"), "it is one part of an archive that has several"),
    "zip: a lost ZIP64 record": (
        lambda: ZIP[: ZIP.rindex(b"PK\5\6")] + b"PK\6\7" + bytes(16) + ZIP[ZIP.rindex(b"PK\5\6") :],
        "the record at its end is damaged",
    ),
    "zip: overlapping entries": (overlapping, "its entries overlap, as in a decompression bomb"),
    "zip: a bomb": (zip_bomb, "it unpacks to too many times its size"),
    "gz: half": (lambda: GZ[: len(GZ) // 2], "the gz file ends too early"),
    "gz: without the end": (lambda: GZ[:-1], "the gz file ends too early"),
    "gz: another checksum": (lambda: with_bytes(GZ, len(GZ) - 8, b"0000"), "the gz file has another checksum than"),
    "gz: another size": (lambda: with_bytes(GZ, len(GZ) - 4, b"0000"), "the gz file has another checksum than"),
    "gz: another content": (lambda: with_bytes(GZ, 12, b"\xff\xff\xff\xff"), "has compressed data that is not valid"),
    "gz: other data at the end": (lambda: GZ + b"other data", "the gz file is followed by other data"),
    "gz: a bomb": (lambda: deflated_zeros(120, 31), "it unpacks to too many times its size"),
    "gz: many bombs": (lambda: deflated_zeros(8, 31) * 15, "it unpacks to too many times its size"),
    "bz2: half": (lambda: bz2.compress(TAR)[:-20], "the bz2 file ends too early"),
    "bz2: other data": (lambda: b"BZh9 other data", "the bz2 file has compressed data that is not valid"),
    "bz2: a bomb": (lambda: bz2.compress(bytes(120 * MIB)), "it unpacks to too many times its size"),
    "xz: half": (lambda: lzma.compress(TAR)[:-20], "file ends too early"),
    "xz: another content": (
        lambda: with_bytes(lzma.compress(GZ), 40, b"0000"),
        "has compressed data that is not valid",
    ),
    "xz: a bomb": (lambda: lzma.compress(bytes(120 * MIB), preset=0), "it unpacks to too many times its size"),
    "xz: needs much memory": (
        lambda: lzma.compress(GZ, filters=[{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 1 << 30}]),
        "unpacking it needs more than 256 MiB of memory",
    ),
    "tar: half": (lambda: TAR[:2300], "the tar file does not contain all of the entry “folder/b.txt”"),
    "tar: half a header": (lambda: TAR[:1700], "the tar file has an entry whose description is damaged"),
    "tar: another header": (
        lambda: with_bytes(TAR, 1536, b"x"),
        "the tar file has an entry whose description is damaged",
    ),
    "tar: a negative size": (lambda: tar_header(b"\xff" * 12) + TAR, "“a” with a negative size"),
    "tar: a size that is no number": (lambda: TAR[:1536] + tar_header(b"x"), "whose description is damaged"),
    "tar: a large size": (lambda: tar_header(b"77777777777"), "does not contain all of the entry “a”"),
    "tar: a huge size": (lambda: tar_header(b"\x80" + b"\x7f" * 11), "does not contain all of the entry “a”"),
    "tar: a sparse file of a huge size": (
        lambda: tar_header(b"0", b"S", b"\x80" + b"\x7f" * 11),
        "it unpacks to more than 1000 GB",
    ),
    "tar: a sparse file of a large size": (lambda: tar_header(b"0", b"S", b"7" * 10), "it unpacks to too many times"),
    "tar: a large extended header": (
        lambda: tar_header(b"77777777777", b"x"),
        "the description of an entry is too large",
    ),
    "tar: a large name": (lambda: tar_header(b"77777777777", b"L"), "the description of an entry is too large"),
    "tar: an extended header of digits": (
        lambda: tar_header(b"%011o" % 131_072, b"x") + b"1" * 131_072 + TAR,
        "whose description is damaged",
    ),
    "tar: an extended header without an entry": (lambda: tar_header(b"1000", b"x") + b"9" * 512, "is damaged"),
    "tar: names for names": (lambda: tar_header(b"1", b"L") * 100_000, "is damaged"),
    "tar: names for names for names": (lambda: (tar_header(b"1", b"L") + bytes(512)) * 5000 + TAR, "is damaged"),
    "tar: many global headers": (
        lambda: b"".join(
            tar_header(b"%011o" % 14, b"g") + (b"14 a%06d=bb\n" % number).ljust(512, b"\0") + tar_header(b"0")
            for number in range(1100)
        ),
        "its description is too large",
    ),
    "tar: in a damaged file": (lambda: with_bytes(gzip.compress(TAR), 30, b"\xff\xff\xff"), "data that is not valid"),
}


def test_there_are_enough_hostile_files() -> None:
    assert len(HOSTILE) > 50


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_file_fails_with_a_plain_reason_and_limited_memory(kind: str, tmp_path: Path) -> None:
    make, why = HOSTILE[kind]
    path = tmp_path / "file"
    path.write_bytes(make())
    with measured_memory() as memory, pytest.raises(FileError) as caught:
        process(path)
    assert memory.peak < 16 * MIB
    assert why in caught.value.text
    assert caught.value.reason.code.problem in {FileProblem.BAD_CONTENT, FileProblem.LIMIT}


@pytest.mark.parametrize(
    "make", [lambda: ZIP, lambda: gzip.compress(TAR), lambda: bz2.compress(TAR), lambda: lzma.compress(TAR)]
)
def test_archive_that_is_cut_anywhere_fails(make: Callable[[], bytes]) -> None:
    content = make()
    for end in range(0, len(content), max(1, len(content) // 100)):
        assert failure(content[:end]).reason.code is ReasonCode.BAD_CONTENT


@pytest.mark.parametrize(
    "make",
    [lambda: ZIP, lambda: TAR, lambda: gzip.compress(TAR), lambda: bz2.compress(TAR), lambda: lzma.compress(TAR)],
)
def test_archive_with_any_other_byte_fails_or_is_read(make: Callable[[], bytes]) -> None:
    content = make()
    problems = set()
    for at in range(0, len(content), max(1, len(content) // 400)):
        try:
            check(with_bytes(content, at, bytes([content[at] ^ 0xFF])))
        except FileError as error:
            problems.add(error.reason.code.problem)
    assert {FileProblem.BAD_CONTENT} <= problems <= {FileProblem.BAD_CONTENT, FileProblem.LIMIT}


def test_bad_entries_of_a_zip_file_can_be_counted() -> None:
    content = in_directory(zipped("a\nb", "c"), CRC_AT, b"0000")
    values = check(content, bad_entries="report")
    assert (values["entries"], values["bad_entries"], values["first_bad_entry"]) == (2, 1, "a\\nb")
    assert failure(content).values == {"entries": 2, "bad_entries": 1, "first_bad_entry": "a\\nb"}


def test_encrypted_entries_are_counted_and_not_tested() -> None:
    content = with_bytes(in_directory(ZIP, FLAGS_AT, b"\1"), 6, b"\1")
    values = check(content)
    assert (values["encrypted"], values["untested_entries"]) == (True, 1)


def test_limits_are_options() -> None:
    assert "more than 1 entries" in failure(ZIP, most_entries=1).text
    assert "more than 1 entries" in failure(TAR, most_entries=1).text
    assert "more than 1 entries" in failure(at_end(ZIP, 8, b"\1\0\1\0"), most_entries=1).text
    bomb = deflated_zeros(120, 31)
    assert check(bomb, most_ratio=2000)["unpacked_size"] == 120 * MIB
    assert failure(bomb, most_ratio=100).reason.code is ReasonCode.TOO_LARGE
    sparse = tar_header(b"0", b"S", b"\x80" + (2 * 10**9).to_bytes(11, "big"))
    assert "more than 1 GB" in failure(sparse, most_unpacked=1).text


def large_zip(entries: int) -> bytes:
    """Return a zip file with many empty entries."""
    local = b"".join(
        struct.pack("<4s5H3L2H", b"PK\3\4", 20, 0, 0, 0, 0, 0, 0, 0, 7, 0) + b"%07d" % number
        for number in range(entries)
    )
    directory = b"".join(
        struct.pack("<4s6H3L5H2L", b"PK\1\2", 20, 20, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, number * 37)
        + b"%07d" % number
        for number in range(entries)
    )
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, entries % 65536, entries % 65536, len(directory), len(local), 0)
    return local + directory + end


@pytest.mark.parametrize("compress", [bytes, gzip.compress])
def test_many_entries_need_no_memory(tmp_path: Path, compress: Callable[[bytes], bytes]) -> None:
    entries = 5_000
    paths = [tmp_path / "zip", tmp_path / "tar"]
    paths[0].write_bytes(large_zip(entries))
    paths[1].write_bytes(compress(tar_header(b"0") * entries + bytes(1024)))
    for path in paths:
        with measured_memory() as memory:
            assert process(path)["entries"] == entries
        assert memory.peak < 4 * MIB


@pytest.mark.slow
def test_child_process_survives_all_hostile_files(tmp_path: Path) -> None:
    good = tmp_path / "good.zip"
    good.write_bytes(ZIP)
    with closing(HelperProcess()) as helper:

        def entries(path: Path) -> Value:
            return helper.process(str(path), RecordingWatch(), "archive", limits=Limits()).values["entries"]

        entries(good)
        child = helper._child
        for make, why in HOSTILE.values():
            path = tmp_path / "file"
            path.write_bytes(make())
            with pytest.raises(FileError) as caught:
                entries(path)
            assert why in caught.value.text
            assert entries(good) == 2
        assert helper._child is child
