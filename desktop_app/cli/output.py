"""What the terminal shows: results on standard output, everything else on standard error."""

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
    """Who read our output has gone (`| head`): there is nothing more to do, and nothing went wrong."""


def prepare_streams() -> None:
    """Let names come out that the terminal's encoding does not have: escaped, instead of ending the program."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def emit(text: str, *, flush: bool = False) -> None:
    """Write a line of the result to standard output.

    Raises:
        OutputClosedError: If nobody reads it any more.
        KnownError: If it can't be written, as on a full disk.
    """
    if sys.stdout is None:  # started without one, as a window program on Windows is
        return
    try:
        sys.stdout.write(text + "\n")
        if flush:
            sys.stdout.flush()
    except OSError as error:
        raise _output_error(error) from error


def finish_output() -> None:
    """Bring out what is still buffered; call it before the program ends, and where somebody waits for it.

    Raises:
        OutputClosedError: If nobody reads it any more.
        KnownError: If it can't be written, as on a full disk.
    """
    if sys.stdout is None:
        return
    try:
        sys.stdout.flush()
    except OSError as error:
        raise _output_error(error) from error


def _output_error(error: OSError) -> Exception:
    """Return what a failed write means; the stream leads nowhere from then on, since Python flushes it at the end."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
    except io.UnsupportedOperation:
        pass  # a stream of memory, as in tests, has no descriptor to turn away
    # Windows says EINVAL for a pipe that nobody reads.
    if isinstance(error, BrokenPipeError) or (os.name == "nt" and error.errno == errno.EINVAL):
        return OutputClosedError()
    return KnownError(f"The output can't be written: {error.strerror or error}.")


def reader_gone() -> bool:
    """Return whether standard output is a pipe whose other end was closed; False where that can't be known."""
    if sys.stdout is None or not hasattr(select, "poll"):
        return False
    poller = select.poll()
    try:
        poller.register(sys.stdout.fileno(), 0)
    except io.UnsupportedOperation:
        return False
    return any(events & (select.POLLERR | select.POLLHUP) for _, events in poller.poll(0))


def say(text: str) -> None:
    """Tell a person something that is not a result: one line on standard error, whatever a name in it is made of."""
    if sys.stderr is not None:
        sys.stderr.write(f"filemill: {display_text(text)}\n")
        sys.stderr.flush()


def is_terminal(stream: TextIO | None) -> bool:
    """Return whether a person looks at this stream, rather than a file or another program."""
    return stream is not None and stream.isatty()


def emit_json(jobs: Iterable[Job]) -> None:
    """Write jobs to standard output, an object a line.

    Raises:
        OutputClosedError: If nobody reads it any more.
        KnownError: If it can't be written, as on a full disk.
    """
    for job in jobs:
        emit(json_line(job))


def human_size(count: int) -> str:
    """Return a number of bytes for a person: `940 B`, `3.4 MB`."""
    if count < _STEP:
        return f"{count} B"
    value = float(count)
    for unit in _UNITS:
        value /= _STEP
        # 999.95 would be written as 1000.0
        if value < _STEP - 0.05 or unit == _UNITS[-1]:
            break
    return f"{value:.1f} {unit}"


def counted(count: int, one: str) -> str:
    """Return a number with its noun: `1 file`, `1,200 files`."""
    return f"{count:,} {one if count == 1 else one + 's'}"


def quoted(text: str) -> str:
    """Return a foreign text within a sentence."""
    return f"“{display_text(text)}”"


class Progress(Protocol):
    """Something on a terminal that moves while work is done."""

    def move_to(self, done: int, total: int | None) -> None:
        """Show how much is done of how much; None = not known."""
        ...

    def interrupt(self) -> None:
        """Make room for a line of text."""
        ...


@contextmanager
def progress(label: str, unit: str) -> Iterator[Progress]:
    """Show a progress bar on standard error, while it is entered, if a person looks at it; nothing in a pipe."""
    if not is_terminal(sys.stderr):
        yield _NoProgress()
        return

    with closing(ProgressBar(label, unit)) as bar:
        yield bar


class _NoProgress:
    """Silence."""

    def move_to(self, done: int, total: int | None) -> None:
        """Nothing to show."""

    def interrupt(self) -> None:
        """Nothing is in the way."""


class ProgressBar:
    """A bar on standard error. One thread at a time.

    Args:
        label: Stands before it.
        unit: What is counted, in the plural.
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
        """Make room for a line of text; the bar comes back below it."""
        self._bar.clear()

    def close(self) -> None:
        """Take it away."""
        self._bar.close()
