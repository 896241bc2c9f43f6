"""Very many files in little memory."""

from __future__ import annotations

from desktop_app.domain.job import NewFile
from desktop_app.sources.file_list import FileList, SomeFiles

FILES = [NewFile("/a", 1, 7), NewFile("/b", None, None), NewFile("/c", 0, -5), NewFile("/d", 1 << 45, 10**18)]


def test_files_come_out_as_they_went_in() -> None:
    found = FileList(FILES)
    assert list(found) == FILES
    assert (len(found), found[1], found[-1], found[1:3]) == (4, FILES[1], FILES[3], FILES[1:3])
    assert found == FILES
    assert found == FileList(FILES)
    assert found != FILES[:3]
    assert found != 4


def test_some_of_them_are_a_sequence_too() -> None:
    some = SomeFiles(FileList(FILES), [3, 0])
    assert list(some) == [FILES[3], FILES[0]]
    assert (len(some), some[1], some[:1]) == (2, FILES[0], [FILES[3]])
    assert list(SomeFiles(some, [1])) == [FILES[0]]
