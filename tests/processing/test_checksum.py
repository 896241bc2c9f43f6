"""Checksums of files, and lists that they are compared with."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from desktop_app.domain.errors import FileError
from desktop_app.domain.reasons import FileProblem, ReasonCode
from desktop_app.processing import checksum_lists
from desktop_app.processing.checksum import ChecksumProcessor
from desktop_app.processing.processor import Cancelled
from desktop_app.processing.registry import ProcessorRegistry
from desktop_app.sources.local import FileSource, file_error, open_source
from tests.helpers.fakes import RecordingWatch
from tests.helpers.memory import measured_memory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from desktop_app.domain.fields import Value
    from desktop_app.sources.local import Source

MIB = 1 << 20
CONTENT = b"content\n"
SHA256, SHA1, MD5 = (hashlib.new(kind, CONTENT).hexdigest() for kind in ("sha256", "sha1", "md5"))
OTHER_SHA256, OTHER_SHA1, OTHER_MD5 = "0" * 64, "0" * 40, "0" * 32


def process(path: Path | str, registry: ProcessorRegistry | None = None, **options: Value) -> Mapping[str, Value]:
    registry = registry or ProcessorRegistry([ChecksumProcessor()])
    return registry.process(str(path), RecordingWatch(), processor="checksum", options=json.dumps(options)).values


def failure(path: Path | str, **options: Value) -> FileError:
    with pytest.raises(FileError) as caught:
        process(path, None, **options)
    return caught.value


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "folder" / "a.iso"
    path.parent.mkdir()
    path.write_bytes(CONTENT)
    return path


# --- the checksums


@pytest.mark.parametrize(
    ("algorithm", "values"),
    [
        ("sha256", {"sha256": SHA256}),
        ("sha1", {"sha1": SHA1}),
        ("md5", {"md5": MD5}),
        ("all", {"sha256": SHA256, "sha1": SHA1, "md5": MD5}),
    ],
)
def test_chosen_checksums_are_computed(file: Path, algorithm: str, values: dict[str, str]) -> None:
    assert process(file, algorithm=algorithm, lists="none") == values


def test_empty_file_has_a_checksum(file: Path) -> None:
    file.write_bytes(b"")
    assert process(file) == {"sha256": hashlib.sha256(b"").hexdigest(), "verified": False}


def test_large_file_is_read_with_constant_memory(file: Path) -> None:
    os.truncate(file, 256 * MIB)
    with measured_memory() as memory:
        process(file)
    assert memory.peak < 8 * MIB


def real_files() -> list[Path]:
    """Return ten files of other programs: the licences and documents of packages."""
    found = (path for folder in ("/usr/share", "/usr/lib") for path in sorted(Path(folder).rglob("*.gz")))
    return [path for path, _ in zip((path for path in found if path.is_file()), range(10), strict=False)]


@pytest.mark.parametrize("kind", ["sha256", "sha1", "md5"])
def test_checksums_of_real_files_are_those_of_another_program(kind: str) -> None:
    program, files = shutil.which(f"{kind}sum"), real_files()
    if program is None or len(files) < 10:
        pytest.skip("needs sha256sum and a system with documents")
    output = subprocess.run([program, *files], check=True, capture_output=True, text=True).stdout
    assert [process(path, algorithm=kind)[kind] for path in files] == [line.split()[0] for line in output.splitlines()]


def test_files_of_a_debian_package_match_its_own_list() -> None:
    lists = sorted(Path("/var/lib/dpkg/info").glob("*.md5sums"))
    for path in lists:
        lines = path.read_text(encoding="utf-8").splitlines()
        files = [Path("/", line[34:]) for line in lines]
        if 10 <= len(files) <= 100 and all(file.is_file() for file in files):
            text = "\n".join(lines)
            assert [process(file, expected=text)["verified"] for file in files] == [True] * len(files)
            assert "md5" in process(files[0], expected=text)
            return
    pytest.skip("needs a Debian system")


# --- lists beside the file


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("SHA256SUMS", f"{SHA256}  a.iso\n"),
        ("SHA256SUMS", f"{OTHER_SHA256}  b.iso\n{SHA256} *a.iso"),
        ("SHA256SUMS.txt", f"{SHA256.upper()}  ./a.iso\r\n"),
        ("sha256sum.txt", f"# comment\n\n{SHA256} a.iso\n"),
        ("SHA1SUMS", f"{SHA1}  a.iso\n"),
        ("MD5SUMS", f"{MD5}\ta.iso\n"),
        ("checksums.txt", f"SHA256 (a.iso) = {SHA256}\n"),
        ("checksums.txt", f"MD5(a.iso)= {MD5}\n"),
        ("checksums.txt", f"SHA2-256(a.iso)= {SHA256}\n"),
        ("checksums.txt", f"SHA512 (a.iso) = {SHA256 * 2}\nSHA1 (a.iso) = {SHA1}\n"),
        ("a.iso.sha256", f"{SHA256}  a.iso\n"),
        ("a.iso.sha256", SHA256),
        ("a.iso.sha256", f"{SHA256}  build/output/a.iso\n"),
        ("a.iso.sha1", f"{SHA1}\n"),
        ("a.iso.md5", f"  {MD5.upper()}\r\n"),
        ("a.iso.md5sum", f"{MD5}  a.iso\n"),
        ("release.sha256", f"{SHA256}  a.iso\n"),
        ("../SHA256SUMS", f"{SHA256}  folder/a.iso\n"),
        ("../SHA256SUMS", f"{SHA256}  .\\folder\\a.iso\r\n"),
        ("../release.md5", f"{MD5} *./folder//a.iso\n"),
        ("SHA256SUMS", f"\ufeff{SHA256}  a.iso\n"),
        (
            "SHA256SUMS",
            f"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n{SHA256}  a.iso\n-----BEGIN PGP SIGNATURE-----\n",
        ),
    ],
)
def test_file_is_compared_with_a_list(file: Path, name: str, text: str) -> None:
    (file.parent / name).write_text(text, encoding="utf-8", newline="")
    values = process(file)
    assert (values["verified"], values["listed_in"]) == (True, name)

    (file.parent / name).write_text(text.removeprefix("\ufeff"), encoding="utf-16", newline="")
    assert process(file)["verified"] is True

    file.write_bytes(b"something else\n")
    assert failure(file).reason.code is ReasonCode.LIST_MISMATCH
    assert process(file, lists="none").keys() == {"sha256"}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("SHA256SUMS", f"{OTHER_SHA256}  b.iso\n"),
        ("SHA256SUMS", f"{OTHER_SHA256}  folder/a.iso\n"),
        ("../SHA256SUMS", f"{OTHER_SHA256}  a.iso\n"),
        ("../a.iso.sha256", f"{OTHER_SHA256}\n"),
        ("SHA256SUMS", f"{OTHER_SHA256}\n"),
        ("SHA256SUMS", f"{OTHER_SHA256[1:]}  a.iso\n"),
        ("SHA256SUMS", f"{OTHER_SHA256}a.iso\n"),
        ("SHA256SUMS", f"{OTHER_SHA256}   a.iso/\0\n"),
        ("SHA256SUMS", f"SHA256 (a.iso = {OTHER_SHA256}\n"),
        ("SHA256SUMS", f"BLAKE2s (a.iso) = {OTHER_SHA256}\n"),
        ("SHA256SUMS", "<html>404 Not Found</html>"),
        ("SHA256SUMS", "\0" * 1000),
        ("SHA256SUMS", ""),
        ("SHA256SUMS.gpg", f"{OTHER_SHA256}  a.iso\n"),
        ("b.iso.sha256.bak", f"{OTHER_SHA256}  a.iso\n"),
        ("a.iso.txt", f"{OTHER_SHA256}  a.iso\n"),
    ],
)
def test_list_that_does_not_name_the_file_is_not_used(file: Path, name: str, text: str) -> None:
    (file.parent / name).write_text(text, encoding="utf-8")
    assert process(file) == {"sha256": SHA256, "verified": False}
    assert failure(file, must_be_listed=True).text == "It can't be verified: no list contains a checksum for it"


def test_mismatch_shows_both_values(file: Path) -> None:
    (file.parent / "MD5SUMS").write_text(f"{OTHER_MD5}  a.iso\n", encoding="utf-8")
    error = failure(file)
    assert error.reason.code.problem is FileProblem.MISMATCH
    assert error.text == f"The MD5 checksum does not match “MD5SUMS”: expected {OTHER_MD5}, found {MD5}"
    assert error.values == {"sha256": SHA256, "md5": MD5, "listed_in": "MD5SUMS", "verified": False}
    assert not error.passing


def test_chosen_algorithm_is_compared_if_several_are_listed(file: Path) -> None:
    (file.parent / "SHA256SUMS").write_text(f"{SHA256}  a.iso\n", encoding="utf-8")
    (file.parent / "SHA1SUMS").write_text(f"{OTHER_SHA1}  a.iso\n", encoding="utf-8")
    (file.parent / "MD5SUMS").write_text(f"{MD5}  a.iso\n", encoding="utf-8")
    assert process(file) == {"sha256": SHA256, "verified": True, "listed_in": "SHA256SUMS"}
    assert process(file, algorithm="md5") == {"md5": MD5, "verified": True, "listed_in": "MD5SUMS"}
    assert "SHA1SUMS" in failure(file, algorithm="all").text


def test_strongest_listed_algorithm_is_compared_if_the_chosen_one_is_not_listed(file: Path) -> None:
    (file.parent / "SHA1SUMS").write_text(f"{SHA1}  a.iso\n", encoding="utf-8")
    (file.parent / "MD5SUMS").write_text(f"{OTHER_MD5}  a.iso\n", encoding="utf-8")
    assert process(file) == {"sha256": SHA256, "sha1": SHA1, "verified": True, "listed_in": "SHA1SUMS"}


def test_file_has_to_match_all_checksums_that_a_list_has_for_it(file: Path) -> None:
    (file.parent / "SHA256SUMS").write_text(f"{SHA256}  a.iso\n{OTHER_SHA256}  ./a.iso\n", encoding="utf-8")
    assert OTHER_SHA256 in failure(file).text


def test_nearest_list_that_names_the_file_is_used(file: Path) -> None:
    (file.parent.parent / "SHA256SUMS").write_text(f"{OTHER_SHA256}  folder/a.iso\n", encoding="utf-8")
    (file.parent / "MD5SUMS").write_text(f"{MD5}  a.iso\n", encoding="utf-8")
    assert process(file)["listed_in"] == "MD5SUMS"


@pytest.mark.parametrize("name", ["SHA256SUMS", "a.iso.sha256", "SHA256SUMS.gpg", "a.iso.md5.asc"])
def test_list_and_its_signature_need_not_be_listed(file: Path, name: str) -> None:
    path = file.parent / name
    path.write_bytes(CONTENT)
    assert process(path, must_be_listed=True) == {"sha256": SHA256}


def test_list_shows_which_of_its_files_are_missing(file: Path) -> None:
    listed = file.parent.parent / "SHA256SUMS"
    listed.write_text(f"{SHA256}  folder/a.iso\n{SHA256}  gone.iso\n{SHA256} *.\\folder\\b.iso\n", encoding="utf-8")
    values = process(listed, missing_files="report")
    assert (values["listed_files"], values["missing_files"], values["first_missing"]) == (3, 2, "gone.iso")
    error = failure(listed)
    assert error.text.endswith("2 of 3 listed files are missing; the first one is “gone.iso”")
    assert error.values == values
    listed.write_text(f"{SHA256}  .\\folder\\a.iso\n{SHA256}  /gone\n{SHA256}  ../gone\n", encoding="utf-8")
    values = process(listed)
    assert (values["listed_files"], values["missing_files"]) == (1, 0)
    assert "listed_files" not in process(listed, lists="none")
    assert "listed_files" not in process(file)


@pytest.mark.parametrize("text", [SHA256, f"{SHA256}  a.iso\n", f"{SHA256}  build/output/a.iso\n"])
def test_list_of_one_file_misses_nothing(file: Path, text: str) -> None:
    listed = file.parent / "a.iso.sha256"
    listed.write_text(text, encoding="utf-8")
    assert process(listed).get("missing_files", 0) == 0


def test_search_for_missing_files_can_be_cancelled(file: Path) -> None:
    listed = file.parent / "SHA256SUMS"
    listed.write_text("".join(f"{SHA256}  {number}\n" for number in range(100)), encoding="utf-8")
    registry = ProcessorRegistry([ChecksumProcessor()])
    with pytest.raises(Cancelled):
        registry.process(str(listed), RecordingWatch(stop_at_question=50), processor="checksum")


NAMES = [
    b"a b",
    b" a",
    b"*a",
    b"a\\b",
    b"a\nb",
    b"a\rb",
    b"\xff\xfe",
    "ä😀".encode(),
    b"-a",
    b"a  b",
    b"(a) = b",
    b"\\a",
]


@pytest.mark.skipif(sys.platform != "linux", reason="needs a file system with names of all kinds")
@pytest.mark.parametrize("options", [[], ["--binary"], ["--tag"]])
def test_lists_of_sha256sum_with_names_of_all_kinds_are_read(tmp_path: Path, options: list[str]) -> None:
    program = shutil.which("sha256sum")
    if program is None:
        pytest.skip("needs sha256sum")
    names = [os.fsdecode(name) for name in NAMES]
    for name in names:
        (tmp_path / name).write_bytes(os.fsencode(name))
    listed = subprocess.run([program, *options, "--", *names], cwd=tmp_path, check=True, capture_output=True).stdout
    (tmp_path / "SHA256SUMS").write_bytes(listed)
    assert [process(tmp_path / name)["verified"] for name in names] == [True] * len(names)


# --- lists that can't be used


def make_large(path: Path) -> None:
    path.touch()
    os.truncate(path, checksum_lists.MOST_LIST_BYTES + 1)


def make_forbidden(path: Path) -> None:
    path.touch(mode=0)
    if os.access(path, os.R_OK):
        pytest.skip("this user can read everything")


@pytest.mark.parametrize(("make", "why"), [(make_large, "it is larger than 16 MiB"), (make_forbidden, "permission")])
def test_list_that_can_not_be_read_is_named(file: Path, make: Callable[[Path], None], why: str) -> None:
    make(file.parent / "SHA256SUMS")
    error = failure(file)
    assert error.reason.code is ReasonCode.NOT_VERIFIED
    assert str(file.parent / "SHA256SUMS") in error.text
    assert why in error.text
    assert process(file, lists="none") == {"sha256": SHA256}


@pytest.mark.skipif(os.name == "nt", reason="Windows has no named pipes in folders")
@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo, lambda path: path.symlink_to("/dev/zero")])
def test_what_is_not_a_file_is_no_list(file: Path, make: Callable[[Path], None]) -> None:
    make(file.parent / "SHA256SUMS")
    assert process(file)["verified"] is False


@pytest.mark.skipif(os.name == "nt", reason="needs symbolic links")
def test_link_to_nothing_with_the_name_of_a_list_is_an_error(file: Path) -> None:
    (file.parent / "SHA256SUMS").symlink_to("gone")
    assert failure(file).reason.code is ReasonCode.NOT_VERIFIED


def test_folder_that_can_not_be_listed_has_no_lists(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (file.parent / "SHA256SUMS").write_text(f"{OTHER_SHA256}  a.iso\n", encoding="utf-8")
    (file.parent.parent / "MD5SUMS").write_text(f"{MD5}  folder/a.iso\n", encoding="utf-8")
    scandir = os.scandir

    def refuse(path: str) -> Iterator[os.DirEntry[str]]:
        if path == str(file.parent):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert process(file)["listed_in"] == "../MD5SUMS"


def test_folders_on_another_file_system_are_not_searched(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (file.parent.parent / "MD5SUMS").write_text(f"{OTHER_MD5}  folder/a.iso\n", encoding="utf-8")
    stat = os.stat

    def mounted(path: str, **options: bool) -> os.stat_result:
        info = stat(path, **options)
        return os.stat_result([*info[:2], info.st_dev + 1, *info[3:]]) if path == str(file.parent) else info

    monkeypatch.setattr(os, "stat", mounted)
    assert process(file)["verified"] is False


@pytest.mark.parametrize(
    "text",
    [b"0" * (16 * MIB), b"\n" * (16 * MIB), b"\\" * (16 * MIB), b"(" * (16 * MIB), b" \t" * (8 * MIB)],
    ids=["digits", "empty lines", "backslashes", "parentheses", "blanks"],
)
def test_largest_list_is_read_with_limited_memory(file: Path, text: bytes) -> None:
    (file.parent / "SHA256SUMS").write_bytes(text)
    with measured_memory() as memory:
        assert process(file)["verified"] is False
    assert memory.peak < 100 * MIB


def test_error_of_a_share_while_a_list_is_read_is_passing(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (file.parent / "SHA256SUMS").write_text(f"{SHA256}  a.iso\n", encoding="utf-8")

    def refuse(path: str) -> Source:
        raise file_error(OSError(5, "Input/output error"))

    monkeypatch.setattr(checksum_lists, "open_source", refuse)
    assert failure(file).passing


# --- many files, one list


def age(*paths: Path) -> None:
    for path in paths:
        os.utime(path, (1, 1))


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the paths of the lists that are opened."""
    paths: list[str] = []

    def recorded(path: str) -> Source:
        paths.append(path)
        return open_source(path)

    monkeypatch.setattr(checksum_lists, "open_source", recorded)
    return paths


def test_list_is_read_once_for_all_files(tmp_path: Path, opened: list[str]) -> None:
    files = [tmp_path / f"{number}.iso" for number in range(50)]
    for path in files:
        path.write_bytes(CONTENT)
    listed = tmp_path / "SHA256SUMS"
    listed.write_text("".join(f"{SHA256}  {path.name}\n" for path in files), encoding="utf-8")
    age(listed, tmp_path)
    registry = ProcessorRegistry([ChecksumProcessor()])
    assert all(process(path, registry)["verified"] for path in files)
    assert opened == [str(listed)]


def test_list_that_changed_is_read_again(file: Path, opened: list[str]) -> None:
    listed = file.parent / "SHA256SUMS"
    registry = ProcessorRegistry([ChecksumProcessor()])
    for number, checksum in enumerate((SHA256, OTHER_SHA256, SHA256)):
        listed.write_text(f"{checksum}  a.iso\n", encoding="utf-8")
        os.utime(listed, (number + 1, number + 1))
        age(file.parent)
        if checksum == SHA256:
            assert process(file, registry)["verified"]
        else:
            with pytest.raises(FileError):
                process(file, registry)
    assert len(opened) == 3


def test_list_that_was_just_written_is_read_again(file: Path, opened: list[str]) -> None:
    """Another change might leave the same size and modification time."""
    listed = file.parent / "SHA256SUMS"
    listed.write_text(f"{SHA256}  a.iso\n", encoding="utf-8")
    registry = ProcessorRegistry([ChecksumProcessor()])
    process(file, registry)
    process(file, registry)
    assert len(opened) == 2


def test_list_that_is_added_later_is_found(file: Path) -> None:
    registry = ProcessorRegistry([ChecksumProcessor()])
    age(file.parent)
    assert process(file, registry)["verified"] is False
    (file.parent / "SHA256SUMS").write_text(f"{SHA256}  a.iso\n", encoding="utf-8")
    assert process(file, registry)["verified"] is True


def test_lists_in_memory_are_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, opened: list[str]) -> None:
    monkeypatch.setattr(checksum_lists, "_MOST_CACHED_BYTES", 5_000)
    registry = ProcessorRegistry([ChecksumProcessor()])
    files = [tmp_path / str(number) / "a.iso" for number in range(10)]
    for path in files:
        path.parent.mkdir()
        path.write_bytes(CONTENT)
        path.with_name("MD5SUMS").write_text(f"{MD5}  a.iso\n", encoding="utf-8")
        age(path.with_name("MD5SUMS"))
    for path in (*files, files[9], files[0]):
        process(path, registry)
    assert [Path(path).parent.name for path in opened] == [*map(str, range(10)), "0"]


# --- pasted lists


@pytest.mark.parametrize(
    "text",
    [
        SHA256,
        f" {MD5.upper()}\r\n",
        f"{SHA1}  a.iso",
        f"{OTHER_MD5}  b.iso\n{MD5}  folder/a.iso\n{OTHER_MD5}  other/a.iso\n",
        f"{OTHER_MD5}  a.iso\n{MD5}  folder/a.iso\n",
        f"SHA256 (./a.iso) = {SHA256}\n\n; a comment\n",
    ],
)
def test_file_is_compared_with_a_pasted_list(file: Path, text: str) -> None:
    assert process(file, expected=text)["verified"] is True
    assert "listed_in" not in process(file, expected=text)
    file.write_bytes(b"something else")
    assert failure(file, expected=text).reason.code is ReasonCode.MISMATCH


def test_pasted_list_replaces_lists_beside_the_file(file: Path) -> None:
    (file.parent / "SHA256SUMS").write_text(f"{OTHER_SHA256}  a.iso\n", encoding="utf-8")
    assert process(file, expected=f"{SHA256}  a.iso")["verified"] is True
    assert process(file, expected=f"{SHA256}  b.iso") == {"sha256": SHA256, "verified": False}
    assert failure(file, expected=f"{SHA256}  b.iso", must_be_listed=True).reason.code is ReasonCode.NOT_VERIFIED


def test_blanks_are_no_pasted_list(file: Path) -> None:
    (file.parent / "SHA256SUMS").write_text(f"{SHA256}  a.iso\n", encoding="utf-8")
    assert process(file, expected=" \r\n")["listed_in"] == "SHA256SUMS"


def test_absolute_name_in_a_pasted_list_is_found(file: Path) -> None:
    assert process(file, expected=f"{SHA256}  {file}\n{OTHER_SHA256}  /a.iso")["verified"] is True


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("hello", "line 1 of the expected checksums is not"),
        (f"{SHA256}  a.iso\n{SHA256[1:]}  b.iso", "line 2 of the expected checksums is not"),
        (SHA256 * 2, "line 1 of the expected checksums is not"),
        (f"{SHA256}\n{MD5}", "must be the only one"),
        (f"{SHA256}\n{MD5}  a.iso", "must be the only one"),
        ("# nothing", "the expected checksums contain none"),
    ],
)
def test_pasted_list_that_is_not_valid_is_refused(file: Path, text: str, why: str) -> None:
    error = failure(file, expected=text)
    assert error.reason.code is ReasonCode.BAD_OPTIONS
    assert why in error.text


# --- files that change


def test_file_that_is_written_while_it_is_read_is_no_mismatch(file: Path) -> None:
    (file.parent / "SHA256SUMS").write_text(f"{SHA256}  a.iso\n", encoding="utf-8")
    file.write_bytes(CONTENT[:4])

    class Written(FileSource):
        def chunks(self, chunk_bytes: int = 0) -> Iterator[bytes]:
            yield from super().chunks(2)
            file.write_bytes(CONTENT)

    openers = iter([Written, open_source])

    def opener(path: str) -> Source:
        return next(openers)(path)

    registry = ProcessorRegistry([ChecksumProcessor()], opener=opener, pause=lambda _: None)
    assert process(file, registry)["verified"] is True
