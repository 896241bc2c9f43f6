from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from desktop_app.logs.log import SharedFileHandler, log_file, start_logging
from desktop_app.logs.tail import LogTail, records_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LINE = "2026-11-24T09:28:11.123Z WARNING [4120 sender] desktop_app.services.sending.sender: slow: [very] slow"


@pytest.fixture
def handler(tmp_path: Path) -> Iterator[SharedFileHandler]:
    made = SharedFileHandler(log_file(tmp_path), max_bytes=2_000, kept_files=5)
    yield made
    made.close()


def write(handler: SharedFileHandler, *texts: str) -> None:
    for text in texts:
        handler.handle(logging.LogRecord("x", logging.INFO, "", 0, text, None, None))


def messages(tail: LogTail) -> list[str]:
    return [record.text for record in tail.read()]


def test_record_is_parsed() -> None:
    (record,) = records_of([LINE, "    Traceback:", "      File x", "    ValueError: y"])
    assert (record.level, record.time) == (logging.WARNING, "2026-11-24T09:28:11.123Z")
    assert record.source == "desktop_app.services.sending.sender"
    assert record.message == "slow: [very] slow\nTraceback:\n  File x\nValueError: y"
    assert record.text.startswith(LINE)
    assert record.text.count("\n") == 3


@pytest.mark.expected_log("it has ended", "ERROR")
def test_lines_written_by_the_log_are_parsed(tmp_path: Path) -> None:
    with start_logging(tmp_path, debug=False):
        try:
            raise ValueError("oh")  # noqa: TRY301
        except ValueError:
            logging.getLogger("desktop_app.x").exception("it has ended")
    record = LogTail(tmp_path).read()[-1]
    assert (record.level, record.source) == (logging.ERROR, "desktop_app.x")
    assert record.message.startswith("it has ended\nTraceback")
    assert record.message.endswith("ValueError: oh")


def test_lines_of_others_are_records_without_a_level() -> None:
    records = list(records_of(["    left over", "something else", LINE]))
    assert [(record.level, record.message) for record in records[:2]] == [(0, "    left over"), (0, "something else")]
    assert records[2].level == logging.WARNING


def test_only_new_lines_are_returned(tmp_path: Path, handler: SharedFileHandler) -> None:
    tail = LogTail(tmp_path)
    assert messages(tail) == []
    write(handler, "one", "two")
    assert messages(tail) == ["one", "two"]
    assert messages(tail) == []
    write(handler, "three")
    assert messages(tail) == ["three"]


def test_no_line_is_missed_or_repeated_during_rotation(tmp_path: Path, handler: SharedFileHandler) -> None:
    tail = LogTail(tmp_path)
    told: list[str] = []
    sent = [f"{number:04} " + "x" * 90 for number in range(400)]
    for start in range(0, len(sent), 7):
        write(handler, *sent[start : start + 7])
        told += messages(tail)
    assert told == sent
    assert log_file(tmp_path).with_name("filemill.log.4").exists()


def test_old_files_come_first(tmp_path: Path, handler: SharedFileHandler) -> None:
    sent = [f"{number:04} " + "x" * 90 for number in range(60)]
    write(handler, *sent)
    assert messages(LogTail(tmp_path)) == sent


def test_incomplete_record_is_read_the_next_time(tmp_path: Path) -> None:
    file = log_file(tmp_path)
    file.write_text("whole\nha", encoding="utf-8")
    tail = LogTail(tmp_path)
    assert messages(tail) == ["whole"]
    with file.open("a", encoding="utf-8") as stream:
        stream.write("lf\n")
    assert messages(tail) == ["half"]


def test_emptied_file_is_read_from_its_beginning(tmp_path: Path) -> None:
    file = log_file(tmp_path)
    file.write_text("something long\n", encoding="utf-8")
    tail = LogTail(tmp_path)
    tail.read()
    file.write_text("new\n", encoding="utf-8")
    assert messages(tail) == ["new"]


def test_bytes_that_are_not_text_are_shown(tmp_path: Path) -> None:
    log_file(tmp_path).write_bytes(b"caf\xe9\n")
    assert messages(LogTail(tmp_path)) == ["caf\\xe9"]
