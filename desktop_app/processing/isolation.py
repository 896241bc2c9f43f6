"""Process files in child processes, so that a crash or an unresponsive network share affects only the child.

They run the processors that have `Limits`, since these parse formats that others have written. They also process the
files that this program had claimed when it ended unexpectedly, since one of them may be the cause, and files on network
shares, since a thread that is blocked by a share would keep this program from exiting.

A child process is another instance of this program, started with the argument `_process`. It reads JSON requests from
standard input, one per line: `["process", path, attempt, processor, options]` or `["probe", mount point]`. It writes
one JSON array per line to the pipe that was its standard output: `["access", begins]` and `["progress", done, total]`,
and finally `["done", size, lines, values]`, `["failed", code, arguments, passing, detail]` or `["answered"]`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from desktop_app.config.child_environment import child_environment
from desktop_app.domain.errors import FileError
from desktop_app.domain.fields import DEFAULT_PROCESSOR
from desktop_app.domain.reasons import Reason, ReasonCode
from desktop_app.processing.processor import Cancelled, Limits, Watch
from desktop_app.processing.registry import FileResult, ProcessorRegistry

if sys.platform != "win32":
    import resource

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


CANCEL_CHECK_SECONDS = 0.1


class ProcessDiedError(Exception):
    """The child process exited without a result."""


class _PipeWatch:
    """Writes the progress to the pipe. Never cancels: the parent process kills this process instead."""

    def __init__(self, answers: TextIO, attempt_id: str) -> None:
        self._answers = answers
        self.attempt_id = attempt_id

    def on_progress(self, bytes_done: int, bytes_total: int) -> None:
        _say(self._answers, "progress", bytes_done, bytes_total)

    def on_access(self, *, begins: bool) -> None:
        _say(self._answers, "access", begins)

    def cancelled(self) -> bool:
        return False


def _say(answers: TextIO, *words: object) -> None:
    answers.write(json.dumps(words) + "\n")
    answers.flush()


def _serve_one(
    answers: TextIO, registry: ProcessorRegistry, path: str, attempt: str, processor: str, options: str
) -> None:
    """Process one file and write the result."""
    limits = registry.limits(processor)
    try:
        with _limited_memory(None if limits is None else limits.memory_bytes):
            result = registry.process(path, _PipeWatch(answers, attempt), processor=processor, options=options)
    except FileError as error:
        _say(answers, "failed", error.reason.code, error.reason.arguments, error.passing, error.detail)
    except MemoryError:
        reason = Reason(ReasonCode.TOO_LARGE, {"why": "it needs more memory than is allowed"})
        _say(answers, "failed", reason.code, reason.arguments, False, "MemoryError")
    else:
        _say(answers, "done", result.file_size, result.lines_count, dict(result.values))


@contextmanager
def _limited_memory(allowed_bytes: int | None) -> Iterator[None]:
    """Enter a context in which this process can use only so much more memory; None for no limit."""
    if sys.platform == "win32" or allowed_bytes is None:
        yield
        return
    before = resource.getrlimit(resource.RLIMIT_AS)
    _, hard = before
    wanted = _address_space() + allowed_bytes
    resource.setrlimit(resource.RLIMIT_AS, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def _address_space() -> int:
    """Return the size of this process's address space in bytes; 0 where it can't be read."""
    try:
        pages = int(Path("/proc/self/statm").read_bytes().split()[0])
    except OSError:  # macOS
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def answering() -> Iterator[TextIO]:
    """Enter a context with the pipe for the answers. Whatever a library prints goes to standard error instead."""
    pipe = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    with open(pipe, "w", encoding="utf-8") as answers:  # noqa: PTH123 - a descriptor
        yield answers


def serve_requests(requests: Iterable[str], registry: ProcessorRegistry, answers: TextIO) -> int:
    """Handle requests until there are no more, and write the answers to a pipe; return exit code 0."""
    for request in requests:
        match json.loads(request):
            case ["process", str(path), str(attempt), str(processor), str(options)]:
                _serve_one(answers, registry, path, attempt, processor, options)
            case ["probe", str(place)]:
                with suppress(OSError):  # an error is an answer too
                    shutil.disk_usage(place)  # asks the server of a share, whose other answers may be cached
                _say(answers, "answered")
    return 0


class HelperProcess:
    """A child process that handles requests one after another. It is started when it is needed. One thread.

    Args:
        command: The command line of the child process.
    """

    def __init__(self, command: Sequence[str] | None = None) -> None:
        self._command = list(command or _own_command())
        self._child: subprocess.Popen[str] | None = None

    def process(
        self,
        path: str,
        watch: Watch,
        processor: str = DEFAULT_PROCESSOR,
        options: str = "",
        limits: Limits | None = None,
    ) -> FileResult:
        """Process one file; see `ProcessorRegistry.process`. After a crash or a cancellation, a new child is started.

        Args:
            path: See there.
            watch: See there.
            processor: See there.
            options: See there.
            limits: The limits of the processor, if any.

        Raises:
            FileError: If the file can't be processed, also within the limits.
            Cancelled: If `watch` cancelled the processing.
            ProcessDiedError: If the child process exited without a result.
        """
        child = self._send("process", path, watch.attempt_id, processor, options)
        guard = _Guard(child, watch, limits)
        guard.start()
        try:
            watch.on_access(begins=True)  # until the child process says otherwise
            return _follow(child, watch, guard)
        except FileError:
            raise
        except BaseException:
            self.close()
            raise
        finally:
            watch.on_access(begins=False)
            guard.end()
            if watch.cancelled() or guard.is_too_late:
                self.close()  # it may have been killed just after it had finished the file

    def probe(self, place: str) -> bool:
        """Wait until the file system that is mounted at a place responds; return False if the child process exits."""
        child = self._send("probe", place)
        return bool(child.stdout and child.stdout.readline())

    def close(self) -> None:
        """End the child process. This can block as long as a network share does not respond."""
        child, self._child = self._child, None
        if child is not None:
            child.kill()
            with child:
                pass

    def _send(self, *request: str) -> subprocess.Popen[str]:
        """Send a request to the child process, which is started if it is not running.

        Raises:
            ProcessDiedError: If no child process can be started.
        """
        if self._child is not None and self._child.poll() is not None:
            self.close()
        try:
            if self._child is None:
                self._child = subprocess.Popen(  # noqa: S603 - our own program
                    self._command,
                    env=_own_environment(),
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    encoding="utf-8",
                    creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
                    # In a session of its own, Ctrl+C in the terminal reaches only this program, which then ends it.
                    start_new_session=True,
                )
            pipe = self._child.stdin
            if pipe is not None:
                pipe.write(json.dumps(request) + "\n")
                pipe.flush()
        except OSError as error:
            self.close()
            raise ProcessDiedError(f"The child process can't be used: {error}") from error
        return self._child


class _Guard(threading.Thread):
    """Kills a child process if its file is cancelled, or takes too long.

    Attributes:
        is_too_late: Whether the child process was killed because it took too long.

    Args:
        child: The child process.
        watch: Cancels the file.
        limits: The limits, if any.
    """

    def __init__(self, child: subprocess.Popen[str], watch: Watch, limits: Limits | None) -> None:
        super().__init__(daemon=True)
        self._child = child
        self._watch = watch
        self._seconds = None if limits is None else limits.seconds
        self._read_at = time.monotonic()
        self._bytes_read = -1
        self._ended = threading.Event()
        self.is_too_late = False

    def note_progress(self, bytes_read: int) -> None:
        """Note that the child process has read more of the file."""
        if bytes_read > self._bytes_read:
            self._bytes_read, self._read_at = bytes_read, time.monotonic()

    def end(self) -> None:
        """End the thread."""
        self._ended.set()
        self.join()

    def run(self) -> None:
        """Look from time to time, until `end` is called."""
        while not self._ended.wait(CANCEL_CHECK_SECONDS):
            self.is_too_late = self._seconds is not None and time.monotonic() - self._read_at > self._seconds
            if self.is_too_late or self._watch.cancelled():
                self._child.kill()
                return

    def too_late(self) -> FileError:
        """Return the error for a file that took too long."""
        return FileError(Reason(ReasonCode.TOO_LONG, {"seconds": round(self._seconds or 0)}))


def _follow(child: subprocess.Popen[str], watch: Watch, guard: _Guard) -> FileResult:
    """Read the output of a child process until it has processed the file; see `HelperProcess.process`."""
    for line in child.stdout or ():
        match json.loads(line):
            case ["access", bool(begins)]:
                watch.on_access(begins=begins)
            case ["progress", int(done), int(total)]:
                watch.on_progress(done, total)
                guard.note_progress(done)
            case ["done", int(size), int() | None as lines, dict(values)]:
                return FileResult(size, lines, values)
            case ["failed", str(code), dict(arguments), bool(passing), str(detail)]:
                raise FileError(Reason(ReasonCode(code), arguments), passing=passing, detail=detail)
    if watch.cancelled():
        raise Cancelled
    if guard.is_too_late:
        raise guard.too_late()
    raise ProcessDiedError(
        f"The program ended unexpectedly while it was processing this file: exit code {child.wait()}"
    )


def _own_command() -> list[str]:
    """Return the command line that starts the child process."""
    module = [] if getattr(sys, "frozen", False) else ["-m", "desktop_app"]
    return [sys.executable, *module, "_process"]


def _own_environment() -> dict[str, str]:
    """Return an environment in which `_own_command` starts this copy of the program from any working directory."""
    environment = child_environment()
    if getattr(sys, "frozen", False):
        return environment
    environment["PYTHONSAFEPATH"] = "1"  # do not search the working directory for modules
    package_parent = Path(__file__).resolve().parents[2]
    if package_parent.name not in {"site-packages", "dist-packages"}:
        path = environment.get("PYTHONPATH")
        environment["PYTHONPATH"] = f"{package_parent}{os.pathsep}{path}" if path else str(package_parent)
    return environment
