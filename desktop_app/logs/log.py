"""Write the log to a file shared by all programs with the same home folder and, with `--debug`, to stderr.

Several processes (a window, workers, short commands) write at the same time. The standard rotating handler does not
support this: each process would keep writing to the file that another one has renamed. This handler writes each record
with one call to a file opened for appending, so records are never interleaved. Before each write, it checks whether the
path still refers to its open file, and it holds a lock while it rotates the files. Windows can't rename a file that
another process has open; the file then grows until the rotation succeeds.

The log never contains the contents of files or messages. At the DEBUG level, it can contain message IDs.
"""

from __future__ import annotations

import logging
import os
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from filelock import Timeout as LockTimeout

from desktop_app.config.private_files import create_private_folder, make_private, private_lock
from desktop_app.domain.secrets import masked, without_known_secrets
from desktop_app.domain.sentences import display_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


MAX_BYTES = 1_000_000
KEPT_FILES = 5
_LOG_NAME = "filemill.log"
_FORMAT = "%(asctime)s %(levelname)-7s [%(process)d %(threadName)s] %(name)s: %(message)s"
_OWN_LOGGERS = __name__.partition(".")[0]
# With O_NONBLOCK, opening fails at once if the file is a named pipe without a reader.
_APPENDING = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
_LIBRARY_LEVELS = dict.fromkeys(("boto3", "botocore", "urllib3", "werkzeug", "moto", "filelock"), logging.WARNING)
_LIBRARY_LEVELS["peewee"] = logging.INFO
"""The levels for libraries, even with `--debug`: at lower levels, some log signatures and message bodies."""
_FEW_JOBS = 20


def log_file(folder: Path) -> Path:
    """Return the path of the current log file. Older files have the suffixes `.1` to `.4`."""
    return folder / _LOG_NAME


def log_files(folder: Path) -> list[Path]:
    """Return the paths of all log files, oldest first. Some of the files may not exist."""
    newest = log_file(folder)
    return [*(newest.with_name(f"{newest.name}.{number}") for number in range(KEPT_FILES - 1, 0, -1)), newest]


def level_for(jobs: int) -> int:
    """Return the level for per-job messages when several jobs are changed together: DEBUG if there are many jobs."""
    return logging.INFO if jobs <= _FEW_JOBS else logging.DEBUG


@contextmanager
def start_logging(folder: Path, *, debug: bool, is_detailed: bool = False) -> Iterator[None]:
    """Log messages and Python warnings to the log file within the context. Main thread; never raises.

    Args:
        folder: The folder of the log files; it is created when the first record is written. If it is not writable,
            nothing is logged.
        debug: Whether to log at DEBUG instead of INFO, and also to standard error.
        is_detailed: Whether to log at DEBUG in any case; `set_detailed` can change this.
    """
    handlers: list[logging.Handler] = [SharedFileHandler(log_file(folder))]
    if debug:
        handlers.append(logging.StreamHandler())
    root = logging.getLogger()
    level_before = root.level
    set_detailed(is_detailed=debug or is_detailed)
    for name, level in _LIBRARY_LEVELS.items():
        logging.getLogger(name).setLevel(level)
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


def set_detailed(*, is_detailed: bool) -> None:
    """Log at DEBUG or at INFO from now on."""
    logging.getLogger().setLevel(logging.DEBUG if is_detailed else logging.INFO)


def check_log(folder: Path) -> None:
    """Open the log file for appending, as the next record would.

    Raises:
        OSError: If it can't be written.
    """
    handler = SharedFileHandler(log_file(folder))
    try:
        handler.open()
    finally:
        handler.close()


class _Formatter(logging.Formatter):
    """Formats times in UTC, masks secrets, and escapes control characters.

    Control characters could forge a record or control the terminal. Tracebacks and the records of libraries are masked
    completely; Filemill's own texts, which contain the names of files, only where they contain a secret in use.
    """

    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"

    def __init__(self) -> None:
        super().__init__(_FORMAT)
        self.converter = time.gmtime

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        is_own = record.name.startswith(_OWN_LOGGERS) and not record.exc_info
        text = without_known_secrets(text) if is_own else masked(text)
        return "\n    ".join(display_text(line) for line in text.split("\n"))


class SharedFileHandler(logging.Handler):
    """Appends records to a log file that several processes share. Thread-safe.

    Args:
        path: The path of the current file.
        max_bytes: The maximum size of the file; a record that would exceed it causes a rotation.
        kept_files: The maximum number of files, including the current one.
    """

    def __init__(self, path: Path, *, max_bytes: int = MAX_BYTES, kept_files: int = KEPT_FILES) -> None:
        super().__init__()
        self._path = path
        self._max_bytes = max_bytes
        self._limit = max_bytes
        self._kept_files = kept_files
        self._descriptor = -1
        # Later, a missing home means that it was moved or that its disk was removed.
        self._may_create_home = not os.path.isdir(path.parent.parent)  # noqa: PTH112 - never raises
        if os.path.lexists(path):
            with suppress(OSError):  # `emit` tries again
                self._descriptor = os.open(path, _APPENDING, 0o600)
        self._was_opened = self._descriptor >= 0

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record. A record that can't be written, for example to a full disk, is dropped."""
        try:
            data = (self.format(record) + "\n").encode("utf-8", "backslashreplace")
            self._prepare(len(data))
            os.write(self._descriptor, data)
        except OSError:
            self._close_file()
        except Exception:  # noqa: BLE001 - an invalid logging call; `logging` reports it on standard error
            self.handleError(record)

    def close(self) -> None:
        """Close the file."""
        self.acquire()
        try:
            self._close_file()
        finally:
            self.release()
        super().close()

    def _prepare(self, more: int) -> None:
        """Open the current file if necessary, and rotate the files if this many more bytes would exceed the limit."""
        if self._descriptor < 0 or not self._is_current():
            self.open()
        size = os.fstat(self._descriptor).st_size
        if size and size + more > self._limit:
            self._rotate(more)

    def _is_current(self) -> bool:
        try:
            return os.path.samestat(self._path.stat(), os.fstat(self._descriptor))
        except FileNotFoundError:
            return False

    def open(self) -> None:
        """Open the file. If the folder disappears later, go on in the open file: do not create the folder again."""
        folder = self._path.parent
        home = folder.parent
        if self._may_create_home:
            create_private_folder(folder)
        elif home.is_dir() and (not self._was_opened or (home / "run").is_dir()):
            folder.mkdir(mode=0o700, exist_ok=True)
        try:
            descriptor = os.open(self._path, _APPENDING, 0o600)
        except OSError:
            if self._descriptor >= 0:
                return
            raise
        self._close_file()
        self._descriptor = descriptor
        self._may_create_home = False
        self._was_opened = True
        make_private(self._path)

    def _close_file(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _rotate(self, more: int) -> None:
        """Rotate the files, unless another process is doing so or has just done so."""
        try:
            with private_lock(self._path.with_name(f"{self._path.name}.lock"), timeout=0):
                self.open()
                if os.fstat(self._descriptor).st_size + more > self._limit:
                    self._close_file()
                    self._rename()
                    self._limit = self._max_bytes
        except LockTimeout:
            pass  # another process is rotating the files; this record goes to the previous file
        except PermissionError:  # on Windows, if another process has the file open
            self._limit += self._max_bytes
        if self._descriptor < 0:
            self.open()

    def _rename(self) -> None:
        for number in range(self._kept_files - 1, 0, -1):
            older = self._path.with_name(f"{self._path.name}.{number}")
            newer = self._path if number == 1 else self._path.with_name(f"{self._path.name}.{number - 1}")
            if newer.exists():
                newer.replace(older)
