"""Output of the commands: results on standard output, messages and progress on standard error."""

from __future__ import annotations

import errno
import io
import logging
import os
import select
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Never, TextIO

from desktop_app.domain.errors import KnownError, UsageError
from desktop_app.domain.sentences import display_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tqdm import tqdm

    from desktop_app.domain.job import Job

log = logging.getLogger(__name__)

_UNITS = ("kB", "MB", "GB", "TB", "PB", "EB")
_STEP = 1000
SLOW_SECONDS = 3.0
"""When to say on a terminal what is being waited for."""


class OutputClosedError(Exception):
    """Standard output is a pipe whose reader has exited, as with `| head`; the program exits without an error."""


def prepare_streams() -> None:
    """Make the standard streams escape characters that their encoding can't represent."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def emit(text: str, *, flush: bool = False) -> None:
    """Write a line of the result to standard output.

    Raises:
        OutputClosedError: If the reader of the pipe has exited.
        KnownError: If the line can't be written, for example because the disk is full.
    """
    _write(text + "\n", flush=flush)


def finish_output() -> None:
    """Flush standard output; required before the program exits and whenever a reader is waiting for the output.

    Raises:
        OutputClosedError: If the reader of the pipe has exited.
        KnownError: If the output can't be written, for example because the disk is full.
    """
    _write("", flush=True)


def _write(text: str, *, flush: bool) -> None:
    if sys.stdout is None:  # a GUI program on Windows has no standard output
        return
    try:
        sys.stdout.write(text)
        if flush:
            sys.stdout.flush()
    except OSError as error:
        raise _output_error(error) from error


def _output_error(error: OSError) -> Exception:
    """Return the exception for a failed write, and redirect standard output so that the flush at exit succeeds."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
    except io.UnsupportedOperation:
        pass  # an in-memory stream has no descriptor to redirect
    # Windows reports EINVAL for a pipe without a reader.
    if isinstance(error, BrokenPipeError) or (os.name == "nt" and error.errno == errno.EINVAL):
        return OutputClosedError()
    return KnownError(f"The output can't be written: {error.strerror or error}.")


def reader_gone() -> bool:
    """Return whether standard output is a pipe whose other end is closed; False if this is unknown."""
    if sys.stdout is None or not hasattr(select, "poll"):
        return False
    poller = select.poll()
    try:
        poller.register(sys.stdout.fileno(), 0)
    except io.UnsupportedOperation:
        return False
    return any(events & (select.POLLERR | select.POLLHUP) for _, events in poller.poll(0))


def say(text: str) -> None:
    """Write a one-line message to standard error. If that is a file on a full disk, the program goes on without it."""
    if sys.stderr is None:
        return
    try:
        sys.stderr.write(f"filemill: {display_text(text)}\n")
        sys.stderr.flush()
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        log.info("the disk is full; not written to standard error: %s", text)


@contextmanager
def announced_if_slow(text: str) -> Iterator[None]:
    """Write a message to standard error, if it is a terminal and the work inside takes longer than `SLOW_SECONDS`."""
    timer = threading.Timer(SLOW_SECONDS, say, (text,))
    timer.daemon = True
    if is_terminal(sys.stderr):
        timer.start()
    try:
        yield
    finally:
        timer.cancel()


def is_terminal(stream: TextIO | None) -> bool:
    """Return whether a stream is a terminal."""
    return stream is not None and stream.isatty()


def is_confirmed(question: str, *, if_nobody: str) -> bool:
    """Ask a question on the terminal, and return whether the answer is yes.

    Args:
        question: The question.
        if_nobody: What to say if there is no terminal, so that nobody can be asked.

    Raises:
        UsageError: If nobody can be asked.
    """
    if not is_terminal(sys.stdin):
        raise UsageError(if_nobody)
    say(f"{question} [y/N]")
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def emit_json(jobs: Iterable[Job]) -> None:
    """Write jobs to standard output, one JSON object per line.

    Raises:
        OutputClosedError: If the reader of the pipe has exited.
        KnownError: If a line can't be written, for example because the disk is full.
    """
    from desktop_app.services.support.export import json_line

    for job in jobs:
        emit(json_line(job))


def human_size(count: int) -> str:
    """Format a number of bytes in a readable form, such as `940 B` or `3.4 MB`."""
    if count < _STEP:
        return f"{count} B"
    value = float(count)
    for unit in _UNITS:
        value /= _STEP
        # A larger value, such as 999.95, would be rounded to 1000.0.
        if value < _STEP - 0.05 or unit == _UNITS[-1]:
            break
    return f"{value:.1f} {unit}"


def counted(count: int, one: str) -> str:
    """Format a number with its noun, such as `1 file` or `1,200 files`."""
    return f"{count:,} {one if count == 1 else one + 's'}"


def quoted(text: str) -> str:
    """Enclose text in quotation marks, and escape it for display within a sentence."""
    return f"“{display_text(text)}”"


def _size(terminal: TextIO) -> tuple[int, int]:
    """Return the number of columns that can be written to without a line break, and of lines, of a terminal.

    A terminal that does not know its size, such as a serial line, has 80 columns and 24 lines.
    """
    try:
        columns, lines = os.get_terminal_size(terminal.fileno())
    except OSError:
        columns = lines = 0
    return (columns or 80) - 1, lines or 24


class Progress:
    """A progress bar on standard error; hidden if standard error is not a terminal. One thread at a time.

    Args:
        label: The text before the bar.
        unit: The unit that is counted, in the plural.
    """

    def __init__(self, label: str, unit: str) -> None:
        self._bar: tqdm[Never] | None = None
        self._text = ""
        self._is_cleared = False
        if is_terminal(sys.stderr):
            from tqdm import tqdm

            # tqdm would hide the bar on a terminal that does not know its size.
            size = _size(sys.stderr)
            self._bar = tqdm(
                desc=label, unit=f" {unit}", file=sys.stderr, leave=False, mininterval=0.1, ncols=size[0], nrows=size[1]
            )
            self._bar.dynamic_ncols = _size  # type: ignore[assignment] # a function, which the stubs do not know

    def move_to(self, done: int, total: int | None) -> None:
        """Show the bar with the number of units done and the total, which is None if unknown."""
        if self._bar is None:
            return
        rested, self._text = bool(self._text), ""
        if rested:
            self._bar.bar_format = None
            self._bar.unpause()  # the time without the bar does not count for the speed
        self._bar.total = total
        self._bar.update(done - self._bar.n)
        if rested:
            self._bar.refresh()

    def rest(self, text: str) -> None:
        """Show a text instead of the bar, until the next call to `move_to`."""
        if self._bar is None or (text == self._text and not self._is_cleared):
            return
        self._text, self._is_cleared = text, False
        self._bar.bar_format = text.replace("{", "{{").replace("}", "}}")
        self._bar.refresh()

    def interrupt(self) -> None:
        """Clear the line for a message; the bar or the text reappears below the message."""
        if self._bar is not None:
            self._bar.clear()
            self._is_cleared = True

    def close(self) -> None:
        """Remove the bar for good. Can be called more than once."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None
