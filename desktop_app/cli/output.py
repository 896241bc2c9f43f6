"""Terminal output: results on standard output, everything else on standard error."""

from __future__ import annotations

import errno
import io
import os
import select
import sys
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Never, Protocol, TextIO

from desktop_app.domain.errors import KnownError
from desktop_app.domain.job import Job, display_text
from desktop_app.services.support.export import json_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tqdm import tqdm
_UNITS = ("kB", "MB", "GB", "TB", "PB", "EB")
_STEP = 1000


class OutputClosedError(Exception):
    """The reader of our output has gone (`| head`): end quietly, it is no failure."""


def prepare_streams() -> None:
    """Escape characters that the terminal's encoding lacks, instead of failing on them."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def emit(text: str, *, flush: bool = False) -> None:
    """Write a line of the result to standard output.

    Raises:
        OutputClosedError: If nobody reads it any more.
        KnownError: If it can't be written, for example because the disk is full.
    """
    if sys.stdout is None:  # no standard output, as in a window program on Windows
        return
    try:
        sys.stdout.write(text + "\n")
        if flush:
            sys.stdout.flush()
    except OSError as error:
        raise _output_error(error) from error


def finish_output() -> None:
    """Flush standard output; call it before the program ends, and where a reader waits for the output.

    Raises:
        OutputClosedError: If nobody reads it any more.
        KnownError: If it can't be written, for example because the disk is full.
    """
    if sys.stdout is None:
        return
    try:
        sys.stdout.flush()
    except OSError as error:
        raise _output_error(error) from error


def _output_error(error: OSError) -> Exception:
    """Return the error for a failed write, and redirect the stream to nowhere, since Python flushes it at exit."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
    except io.UnsupportedOperation:
        pass  # an in-memory stream, as in tests, has no descriptor to redirect
    # Windows reports EINVAL for a pipe without a reader.
    if isinstance(error, BrokenPipeError) or (os.name == "nt" and error.errno == errno.EINVAL):
        return OutputClosedError()
    return KnownError(f"The output can't be written: {error.strerror or error}.")


def reader_gone() -> bool:
    """Return whether standard output is a pipe whose other end is closed; False where that can't be determined."""
    if sys.stdout is None or not hasattr(select, "poll"):
        return False
    poller = select.poll()
    try:
        poller.register(sys.stdout.fileno(), 0)
    except io.UnsupportedOperation:
        return False
    return any(events & (select.POLLERR | select.POLLHUP) for _, events in poller.poll(0))


def say(text: str) -> None:
    """Write a message that is not a result: one line on standard error."""
    if sys.stderr is not None:
        sys.stderr.write(f"filemill: {display_text(text)}\n")
        sys.stderr.flush()


def is_terminal(stream: TextIO | None) -> bool:
    """Return whether this stream is a terminal rather than a file or pipe."""
    return stream is not None and stream.isatty()


def emit_json(jobs: Iterable[Job]) -> None:
    """Write jobs to standard output, one JSON object per line.

    Raises:
        OutputClosedError: If nobody reads it any more.
        KnownError: If it can't be written, for example because the disk is full.
    """
    for job in jobs:
        emit(json_line(job))


def human_size(count: int) -> str:
    """Return a number of bytes in a readable form: `940 B`, `3.4 MB`."""
    if count < _STEP:
        return f"{count} B"
    value = float(count)
    for unit in _UNITS:
        value /= _STEP
        # 999.95 would be rounded to 1000.0
        if value < _STEP - 0.05 or unit == _UNITS[-1]:
            break
    return f"{value:.1f} {unit}"


def counted(count: int, one: str) -> str:
    """Return a number with its noun: `1 file`, `1,200 files`."""
    return f"{count:,} {one if count == 1 else one + 's'}"


def quoted(text: str) -> str:
    """Return a text in quotes, safe to show within a sentence."""
    return f"“{display_text(text)}”"


class Progress(Protocol):
    """An indicator of progress on a terminal."""

    def move_to(self, done: int, total: int | None) -> None:
        """Show how much is done of how much; None = not known."""
        ...

    def interrupt(self) -> None:
        """Clear the line for a message."""
        ...


@contextmanager
def progress(label: str, unit: str) -> Iterator[Progress]:
    """Show a progress bar on standard error within the context if it is a terminal; nothing in a pipe."""
    if not is_terminal(sys.stderr):
        yield _NoProgress()
        return

    with closing(ProgressBar(label, unit)) as bar:
        yield bar


class _NoProgress:
    """No indicator."""

    def move_to(self, done: int, total: int | None) -> None:
        """Do nothing."""

    def interrupt(self) -> None:
        """Do nothing."""


class ProgressBar:
    """A progress bar on standard error. One thread at a time.

    Args:
        label: The text in front of it.
        unit: The unit that is counted, in the plural.
    """

    def __init__(self, label: str, unit: str) -> None:
        from tqdm import tqdm

        self._bar: tqdm[Never] = tqdm(
            desc=label, unit=f" {unit}", file=sys.stderr, leave=False, dynamic_ncols=True, mininterval=0.1
        )

    def move_to(self, done: int, total: int | None) -> None:
        """Show how much is done of how much; None = not known."""
        self._bar.total = total
        self._bar.update(done - self._bar.n)

    def interrupt(self) -> None:
        """Clear the line for a message; the bar reappears below it."""
        self._bar.clear()

    def close(self) -> None:
        """Remove the bar."""
        self._bar.close()
