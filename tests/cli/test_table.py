"""The columns of the table fit the terminal."""

from __future__ import annotations

from dataclasses import replace

import pytest

from desktop_app.cli.table import JobTable, cells, totals
from desktop_app.domain.job import Job, Status, StatusCounts
from tests.helpers import NEW_JOB, a_reason

ID = "0f8fad5b-d9cb-469f-a165-70867728950e"


def job(path: str, *, status: Status = Status.PENDING, reason: str = "", size: int | None = None) -> Job:
    return replace(NEW_JOB, id=ID, file_path=path, status=status, reason=a_reason(reason), file_size=size)


@pytest.mark.parametrize("width", [20, 60, 80, 200])
def test_long_path_keeps_its_end(width: int) -> None:
    (line,) = JobTable(width).rows(job("/a/very" + "/long" * 60 + "/path.txt"))
    assert line.endswith("/path.txt")
    assert "..." in line
    assert cells(line) <= max(width, 69)


def test_wide_characters_take_two_cells_and_accents_none() -> None:
    assert (cells("abc"), cells("文字"), cells("e\u0301"), cells("ü文")) == (3, 4, 1, 3)
    (line,) = JobTable(80).rows(job("/" + "文" * 60 + ".txt"))
    assert 79 <= cells(line) <= 80
    assert line.endswith("文.txt")


def test_pipe_gets_whole_paths_and_reasons_on_one_line() -> None:
    path, reason = "/x" * 200, "word " * 60
    (line,) = JobTable().rows(job(path, status=Status.FAILED, reason=reason.strip()))
    assert line.startswith(ID)
    assert line.endswith(f"{path} - {reason.strip()}")


def test_reason_that_fits_is_behind_the_path() -> None:
    (line,) = JobTable(120).rows(job("/a.txt", status=Status.FAILED, reason="Gone"))
    assert line.endswith("/a.txt - Gone")


def test_hostile_name_and_reason_can_not_break_the_table() -> None:
    for width in (None, 80):
        for line in JobTable(width).rows(job("/a\n\x1b[2J\udce9\u202e", reason="b\r\nc")):
            assert line.isprintable()


def test_unknown_size_and_lines_are_empty() -> None:
    (line,) = JobTable(100).rows(job("/a.txt"))
    assert line.split() == [ID[:8], "PENDING", "/a.txt"]


def test_totals_name_every_status() -> None:
    counts = StatusCounts(pending=1200, processing=3, processed=4, failed=5)
    assert totals(counts) == "1,212 files: 1,200 PENDING, 3 PROCESSING, 4 PROCESSED, 5 FAILED"
