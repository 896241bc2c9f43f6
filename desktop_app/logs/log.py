"""Write the log: to a rotating file that all programs with the same home share, and to the terminal with `--debug`.

Several processes write at once (a window, workers, one-shot commands), so the standard rotating handler does not work:
each process would keep writing to the file that another has renamed. Here a record is one `write` to a file opened for
appending, which the system keeps whole. Before each write, the handler checks whether the name still refers to its open
file, and rotation is done under a lock. Windows does not rename a file that another process has open: the rotation is
then postponed, and the file grows until it succeeds.

The log says what happened, never what files or messages contain; at DEBUG it may contain message ids.
"""

from __future__ import annotations

import logging
import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from filelock import FileLock
from filelock import Timeout as LockTimeout

from desktop_app.domain.job import display_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


MAX_BYTES = 1_000_000

KEPT_FILES = 5

_LOG_NAME = "filemill.log"

_FORMAT = "%(asctime)s %(levelname)-7s [%(process)d %(threadName)s] %(name)s: %(message)s"

_APPENDING = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)

# Verbose libraries, which at DEBUG log even signatures and bodies: never below this level, even with --debug.
_QUIET = {"boto3": "WARNING", "botocore": "WARNING", "urllib3": "WARNING", "werkzeug": "WARNING"}

_QUIET |= {"moto": "WARNING", "peewee": "INFO", "filelock": "WARNING"}


def log_file(folder: Path) -> Path:
    """Return the newest log file; older ones have the suffixes `.1` … `.4`."""
    return folder / _LOG_NAME


def log_files(folder: Path) -> list[Path]:
    """Return the paths of all possible log files, oldest first; some may not exist."""
    newest = log_file(folder)
    return [*(newest.with_name(f"{newest.name}.{number}") for number in range(KEPT_FILES - 1, 0, -1)), newest]


@contextmanager
def start_logging(folder: Path, *, debug: bool) -> Iterator[None]:
    """Log the program's messages and Python's warnings to the log file within the context. Main thread.

    Never raises: without a writable folder the program runs without a log.

    Args:
        folder: The folder of the log files; created for the first record.
        debug: Log at DEBUG instead of INFO, and also to standard error.
    """
    handlers: list[logging.Handler] = [SharedFileHandler(log_file(folder))]
    if debug:
        handlers.append(logging.StreamHandler())
    root = logging.getLogger()
    level_before = root.level
    root.setLevel(logging.DEBUG if debug else logging.INFO)
    for name, quiet in _QUIET.items():
        logging.getLogger(name).setLevel(quiet)
    for handler in handlers:
        handler.setFormatter(_Formatter())
        root.addHandler(handler)
    logging.captureWarnings(True)
    try:
        yield
    finally:
        logging.captureWarnings(False)
        root.setLevel(level_before)
        for handler in handlers:
            root.removeHandler(handler)
            handler.close()


class _Formatter(logging.Formatter):
    """Formats times as UTC, and escapes messages so that they can neither forge a record nor control the terminal."""

    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"

    def __init__(self) -> None:
        super().__init__(_FORMAT)
        self.converter = time.gmtime

    def format(self, record: logging.LogRecord) -> str:
        return "\n    ".join(display_text(line) for line in super().format(record).split("\n"))


class SharedFileHandler(logging.Handler):
    """Appends records to a file that other processes append to, too. Any thread.

    Args:
        path: The newest file.
        max_bytes: The size at which the file is rotated and becomes `.1`.
        kept_files: The maximum number of files, including the newest.
    """

    def __init__(self, path: Path, *, max_bytes: int = MAX_BYTES, kept_files: int = KEPT_FILES) -> None:
        super().__init__()
        self._path = path
        self._max_bytes = max_bytes
        self._limit = max_bytes
        self._kept_files = kept_files
        self._descriptor = -1

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record. It is lost if it can't be written (a full disk), since there is nowhere to report it."""
        try:
            data = (self.format(record) + "\n").encode("utf-8", "backslashreplace")
            self._make_ready(len(data))
            os.write(self._descriptor, data)
        except OSError:
            self._close_file()
        except Exception:  # noqa: BLE001 - a mistake in a log call: logging's own way to tell
            self.handleError(record)

    def close(self) -> None:
        """Close the file."""
        self.acquire()
        try:
            self._close_file()
        finally:
            self.release()
        super().close()

    def _make_ready(self, more: int) -> None:
        """Open the newest file if necessary, and rotate it if it has no room for this many bytes."""
        if self._descriptor < 0 or not self._is_current():
            self._open()
        size = os.fstat(self._descriptor).st_size
        if size and size + more > self._limit:
            self._turn_over(more)

    def _is_current(self) -> bool:
        try:
            return os.path.samestat(self._path.stat(), os.fstat(self._descriptor))
        except FileNotFoundError:
            return False

    def _open(self) -> None:
        self._close_file()
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._descriptor = os.open(self._path, _APPENDING, 0o600)

    def _close_file(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _turn_over(self, more: int) -> None:
        """Rotate the files, unless another process does so or has just done so."""
        try:
            with FileLock(f"{self._path}.lock", timeout=0, mode=0o600):
                self._open()
                if os.fstat(self._descriptor).st_size + more > self._limit:
                    self._close_file()
                    self._rename()
                    self._limit = self._max_bytes
        except LockTimeout:
            pass  # another process is rotating; this record still goes to the old file
        except PermissionError:  # Windows: another process has it open
            self._limit += self._max_bytes
        if self._descriptor < 0:
            self._open()

    def _rename(self) -> None:
        for number in range(self._kept_files - 1, 0, -1):
            older = self._path.with_name(f"{self._path.name}.{number}")
            newer = self._path if number == 1 else self._path.with_name(f"{self._path.name}.{number - 1}")
            if newer.exists():
                newer.replace(older)
