"""The automatic names of batches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from desktop_app.domain.job import NewFile
from desktop_app.services.adding.names import batch_name, unused_name
from desktop_app.sources.file_list import FileList
from desktop_app.sources.scan import NamedFolder, ScanResult

if TYPE_CHECKING:
    from collections.abc import Sequence


def found(*parts: str | tuple[str, Sequence[str]]) -> ScanResult:
    """Return the result of a scan of files and of folders, which are given with the names of their files."""
    files = FileList()
    folders: list[NamedFolder] = []
    for part in parts:
        start = len(files)
        for path in [part] if isinstance(part, str) else [f"{part[0]}/{name}" for name in part[1]]:
            files.add(path, 1, 1)
        if not isinstance(part, str):
            folders.append(NamedFolder(part[0], range(start, len(files)), range(0)))
    return ScanResult(files, (), folders=tuple(folders))


REPORTS, BILLS, NOTES = (("/data/Reports", "abc"), ("/data/Bills", "de"), ("/data/Notes", "fg"))


@pytest.mark.parametrize(
    ("parts", "name"),
    [
        (["/data/Reports/a.csv"], "a.csv"),
        (["/data/Reports/a.csv", "/data/Reports/b.csv", "/data/Reports/c.csv"], "3 files from Reports"),
        (["/data/Reports/a.csv", "/data/Bills/b.csv"], "2 files from data"),
        (["/data/a.csv", "/data/b/c.csv"], "2 files from data"),
        (["/data/ab.csv", "/data/abc.csv"], "2 files from data"),
        (["/a.csv", "/b.csv"], "a.csv and b.csv"),
        (["/in/a.csv", "/out/b.csv", "/c.csv"], "a.csv and 2 more files"),
        ([REPORTS], "Reports"),
        ([("/data/Reports", ["deep/a", "deep/b"])], "Reports"),
        ([("/data/Reports", ["a"])], "a"),
        ([("/", "abc")], "/"),
        ([REPORTS, BILLS], "Reports and Bills"),
        ([REPORTS, BILLS, NOTES], "3 folders in data"),
        ([("/a", "x"), ("/a-b", "y"), ("/a/b", "z")], "a and 2 more folders"),
        ([REPORTS, "/data/z"], "4 files from data"),
        ([("/data/Reports", []), "/data/z", "/data/y"], "2 files from data"),
        ([("/data/bad\udcff\n", "ab")], r"bad\xff\n"),
    ],
)
def test_name_tells_what_was_added(parts: list[str | tuple[str, Sequence[str]]], name: str) -> None:
    result = found(*parts)
    assert batch_name(result.files, result) == name


def test_name_tells_what_was_added_of_what_was_found() -> None:
    one = found(("/data/Reports", [str(number) for number in range(1500)]))
    assert batch_name(one.files[:1200], one) == "1,200 files from Reports"
    assert batch_name(one.files[:1200], one, str) == "1200 files from Reports"
    assert batch_name(one.files[7:8], one) == "7"
    several = found(REPORTS, BILLS)
    assert batch_name(several.files[:3], several) == "Reports"
    assert batch_name(several.files[3:], several) == "Bills"
    assert batch_name([several.files[0], several.files[3]], several) == "2 files from data"
    assert batch_name(several.files[1:5], several) == "4 files from data"
    three = found("/data/Reports/a", "/data/Reports/b", "/data/Reports/c")
    assert batch_name([NewFile("/data/Reports/a", 1, 1), NewFile("/data/Reports/c", 1, 1)], three) == (
        "2 files from Reports"
    )


def test_used_name_gets_a_number() -> None:
    assert unused_name("Reports", set()) == "Reports"
    assert unused_name("Reports", {"Reports 2", "reports"}) == "Reports"
    assert unused_name("Reports", {"Reports", "Reports (2)", "Reports (4)"}) == "Reports (3)"
