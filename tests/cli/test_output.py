"""Output on the terminal, and signals and errors from it."""

from __future__ import annotations

import errno
import io
import os
import queue
import sys
import threading
from contextlib import closing
from typing import Any

import pytest

from desktop_app.cli import output
from desktop_app.cli.main import run
from desktop_app.cli.output import (
    Progress,
    announced_if_slow,
    counted,
    emit,
    finish_output,
    human_size,
    reader_gone,
    say,
)
from desktop_app.domain.errors import KnownError


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (999_949, "999.9 kB"),
        (999_950, "1.0 MB"),
        (3_400_000, "3.4 MB"),
        (10**18, "1.0 EB"),
        (10**22, "10000.0 EB"),
    ],
)
def test_size_is_readable(count: int, text: str) -> None:
    assert human_size(count) == text


def test_counted_things() -> None:
    assert [counted(0, "file"), counted(1, "file"), counted(1200, "file")] == ["0 files", "1 file", "1,200 files"]


def test_slow_work_is_announced(monkeypatch: pytest.MonkeyPatch) -> None:
    said: queue.Queue[str] = queue.Queue()
    monkeypatch.setattr(output, "say", said.put)
    monkeypatch.setattr(output, "SLOW_SECONDS", 0)
    monkeypatch.setattr(output, "is_terminal", lambda _: True)
    with announced_if_slow("Waiting …"):
        assert said.get(timeout=20) == "Waiting …"


def test_quick_work_is_not_announced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output, "SLOW_SECONDS", 3600)
    monkeypatch.setattr(output, "is_terminal", lambda _: True)
    before = set(threading.enumerate())
    with announced_if_slow("Waiting …"):
        (timer,) = set(threading.enumerate()) - before
    timer.join(timeout=20)
    assert not timer.is_alive()


def test_slow_work_is_not_announced_in_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    before = set(threading.enumerate())
    monkeypatch.setattr(output, "is_terminal", lambda _: False)
    with announced_if_slow("Waiting …"):
        assert set(threading.enumerate()) == before


class Failing(io.StringIO):
    """A stream that can't be written."""

    def __init__(self, error: OSError) -> None:
        super().__init__()
        self._error = error

    def write(self, text: str, /) -> int:
        raise self._error

    def flush(self) -> None:
        raise self._error


def test_closed_pipe_is_no_error(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setattr(sys, "stdout", Failing(BrokenPipeError(32, "Broken pipe")))

    def print_much(_: object) -> int:
        emit("x")
        raise AssertionError("went on after the reader had gone")

    assert run([], open_window=print_much) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("write", [lambda: emit("x"), lambda: emit("x", flush=True), finish_output])
def test_full_disk_behind_the_output_is_a_sentence(monkeypatch: pytest.MonkeyPatch, write: Any) -> None:
    monkeypatch.setattr(sys, "stdout", Failing(OSError(28, "No space left on device")))
    with pytest.raises(KnownError, match="can't be written: No space left on device"):
        write()


def test_program_without_streams_prints_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    emit("x")
    say("x")
    finish_output()
    assert not reader_gone()
    with closing(Progress("Doing", "things")) as bar:
        bar.move_to(1, 2)
        bar.interrupt()


def test_name_in_a_sentence_can_neither_break_the_line_nor_send_control_codes(capsys: Any) -> None:
    assert run(["submit", "--x=\x1b[31m\n\u202e\udcff"], open_window=lambda _: 0) == 2
    assert capsys.readouterr().err == (
        "filemill: unrecognized arguments: --x=\\x1b[31m\\n\\u202e\\xff. See `filemill submit --help`.\n"
    )


def test_streams_escape_characters_outside_their_encoding(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="latin-1"))
    output.prepare_streams()
    emit("ü 文", flush=True)
    assert raw.getvalue() == b"\xfc \\u6587\n"


@pytest.mark.skipif(os.name == "nt", reason="Windows can't tell")
def test_closed_pipe_is_detected(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    with os.fdopen(writing, "w", encoding="utf-8") as stream, monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", stream)
        assert not reader_gone()
        os.close(reading)
        assert reader_gone()
        emit("x")
        with pytest.raises(output.OutputClosedError):
            finish_output()
        finish_output()


def test_stream_without_a_descriptor_has_a_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    assert not reader_gone()


def use_terminal(monkeypatch: pytest.MonkeyPatch, columns: int, lines: int) -> None:
    """Make standard error a terminal of a size; zeros stand for an unknown one."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setattr(sys.stderr, "fileno", lambda: 2)
    monkeypatch.setattr("os.get_terminal_size", lambda _: os.terminal_size((columns, lines)))


def test_bar_moves_on_a_terminal_and_makes_room(capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with closing(Progress("Doing", "things")) as bar:
        bar.move_to(3, 4)
        bar.interrupt()
        say("A word.")
        bar.move_to(4, 4)
    assert "Doing" in capsys.readouterr().err


def test_text_in_place_of_the_bar_fits_the_line_and_reappears_below_a_message(
    capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_terminal(monkeypatch, 20, 24)
    with closing(Progress("Doing", "things")) as bar:
        bar.rest("Waiting for {n} things to do …")
        bar.rest("Waiting for {n} things to do …")
        assert capsys.readouterr().err.count("Waiting for {n} thi") == 1
        bar.interrupt()
        bar.rest("Waiting for {n} things to do …")
        assert "\rWaiting for {n} thi" in capsys.readouterr().err
        bar.move_to(1, 2)
        assert "Doing:  50%" in capsys.readouterr().err
    bar.rest("closed")
    assert "closed" not in capsys.readouterr().err


def test_terminal_that_does_not_know_its_size_shows_the_bar_and_the_text(
    capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_terminal(monkeypatch, 0, 0)
    with closing(Progress("Doing", "things")) as bar:
        bar.rest("Waiting for things …")
        assert "\rWaiting for things …" in capsys.readouterr().err
        bar.move_to(1, 2)
        assert "Doing:  50%" in capsys.readouterr().err


def test_pipe_gets_no_bar(capsys: Any) -> None:
    with closing(Progress("Doing", "things")) as bar:
        bar.move_to(3, 4)
        bar.rest("Waiting …")
    assert capsys.readouterr().err == ""


class FullDisk(io.StringIO):
    """A file on a full disk."""

    def write(self, _: str) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_message_for_a_file_on_a_full_disk_does_not_end_the_program(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sys, "stderr", FullDisk())
    with caplog.at_level("INFO"):
        output.say("The disk is full.")
    assert "not written to standard error: The disk is full." in caplog.text
