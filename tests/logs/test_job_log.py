"""Finding the lines of the log about one job, in files that are written and rotated meanwhile."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

import pytest

from desktop_app.logs.log import SharedFileHandler, level_for, log_file, start_logging
from desktop_app.logs.tail import MAX_JOB_LINES, JobLog

if TYPE_CHECKING:
    from pathlib import Path

ONE, OTHER = "11111111-0000-4000-8000-000000000000", "22222222-0000-4000-8000-000000000000"
ours = logging.getLogger("desktop_app.test")


def messages(log: JobLog) -> list[str]:
    return [line.partition(": ")[2] for line in log.lines()]


def test_only_lines_about_the_job_are_found_oldest_first(tmp_path: Path) -> None:
    with start_logging(tmp_path, debug=False):
        ours.info("job %s: first", ONE)
        ours.info("job %s: not this one", OTHER)
        ours.info("something else about %s", ONE)
        ours.info("job %s: second", ONE)
    assert messages(JobLog(tmp_path, ONE)) == [f"job {ONE}: first", f"job {ONE}: second"]


def test_folder_without_a_log_has_no_lines(tmp_path: Path) -> None:
    assert JobLog(tmp_path / "no such", ONE).lines() == ()


def test_further_lines_of_a_record_belong_to_it(tmp_path: Path) -> None:
    with start_logging(tmp_path, debug=False):
        ours.info("job %s: a bug\nTraceback\n  line", ONE)
        ours.info("next\nof another")
    assert [line.strip() for line in JobLog(tmp_path, ONE).lines()][1:] == ["Traceback", "line"]


def test_lines_written_later_are_found_later(tmp_path: Path) -> None:
    log = JobLog(tmp_path, ONE)
    with start_logging(tmp_path, debug=False):
        ours.info("job %s: first", ONE)
        assert len(log.lines()) == 1
        ours.info("job %s: second", ONE)
        assert len(log.lines()) == 2
        assert len(log.lines()) == 2


def test_incomplete_line_is_found_once_it_is_complete(tmp_path: Path) -> None:
    log = JobLog(tmp_path, ONE)
    whole = f"T INFO x: job {ONE}: whole\n"
    log_file(tmp_path).write_text(whole[:20])
    assert log.lines() == ()
    with log_file(tmp_path).open("a") as file:
        file.write(whole[20:])
    assert log.lines() == (whole.rstrip(),)


def test_record_read_in_two_parts_keeps_its_further_lines(tmp_path: Path) -> None:
    log = JobLog(tmp_path, ONE)
    log_file(tmp_path).write_text(f"T job {ONE}: a\n")
    assert len(log.lines()) == 1
    with log_file(tmp_path).open("a") as file:
        file.write("    more\nT else\n")
    assert log.lines() == (f"T job {ONE}: a", "    more")


def test_rotated_files_are_read_too(tmp_path: Path) -> None:
    log = JobLog(tmp_path, ONE)
    handler = SharedFileHandler(log_file(tmp_path), max_bytes=400, kept_files=5)
    handler.setFormatter(logging.Formatter("%(message)s"))
    for number in range(15):
        text = f"job {ONE}: {number} {'x' * 60}"
        handler.emit(logging.LogRecord("x", logging.INFO, "", 0, text, None, None))
        found = [int(line.split()[2]) for line in log.lines()]
        assert found == list(range(number + 1))[-len(found) :]
    handler.close()
    assert len(list(tmp_path.glob("filemill.log.?"))) == 4
    assert len(found) >= 12


def test_truncated_file_is_read_from_its_beginning(tmp_path: Path) -> None:
    log = JobLog(tmp_path, ONE)
    log_file(tmp_path).write_text(f"job {ONE}: a\njob {ONE}: b\n")
    assert len(log.lines()) == 2
    log_file(tmp_path).write_text(f"job {ONE}: c\n")
    assert log.lines() == tuple(f"job {ONE}: {text}" for text in "abc")


def test_very_many_lines_are_truncated_at_their_beginning(tmp_path: Path) -> None:
    log_file(tmp_path).write_text("".join(f"job {ONE}: {number}\n" for number in range(MAX_JOB_LINES + 5)))
    lines = JobLog(tmp_path, ONE).lines()
    assert len(lines) == MAX_JOB_LINES
    assert lines[-1] == f"job {ONE}: {MAX_JOB_LINES + 4}"


@pytest.mark.skipif(os.name == "nt", reason="a folder in the file's place")
def test_unreadable_file_is_skipped(tmp_path: Path) -> None:
    log_file(tmp_path).with_name("filemill.log.1").mkdir()
    log_file(tmp_path).write_text(f"job {ONE}: a\n")
    assert len(JobLog(tmp_path, ONE).lines()) == 1


def test_bulk_changes_are_not_listed() -> None:
    assert level_for(1) == logging.INFO
    assert level_for(1_000) == logging.DEBUG
