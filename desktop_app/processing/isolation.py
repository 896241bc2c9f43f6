"""Process files in child processes, so that a crash or an unresponsive network share affects only the child.

They run the processors that have `Limits`, since these parse formats that others have written. They also process the
files that this program had claimed when it ended unexpectedly, since one of them may be the cause, and files on network
shares, since a thread that is blocked by a share would keep this program from exiting.

A child process is another instance of this program, started with the argument `_process`; see `isolation_child.py`. It
reads requests from standard input, one JSON array per line: `[number, "process", path, attempt, processor, options]`,
`[number, "thumbnail", path, pixels]`, `[number, "describe", plug-in]` or `[number, "probe", mount point]`. For the
processor of a plug-in, the first one ends with the plug-in, as in `PluginCode`. The child writes JSON arrays to
standard output, each with the number of the request:

* `[number, "access", is_long]` when an access to the file takes long, and when it ends;
* `[number, "progress", done, total]`;
* `[number, "replace"]` before an answer after which the child should not be used any more;
* the answer: `[number, "done", size, lines, values]`, `[number, "failed", code, arguments, passing, detail, values]`,
  `[number, "bug", error, traceback]`, `[number, "thumbnail", base64]`, `[number, "described", …]` or
  `[number, "answered"]`.

The child is not trusted: lines have a maximum length, whatever is not understood ends it, and values are checked again.
"""

from __future__ import annotations

import base64
import json
import logging
import os
import re
import signal
import struct
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from desktop_app.config.child_environment import child_environment, own_command, with_own_package
from desktop_app.domain.errors import FileError
from desktop_app.domain.fields import DEFAULT_PROCESSOR, BadResultError, stored_lines, stored_result
from desktop_app.domain.reasons import Reason, ReasonCode
from desktop_app.domain.sentences import foreign_text
from desktop_app.processing.image import MOST_THUMBNAIL_PIXELS, THUMBNAIL_LIMITS
from desktop_app.processing.processor import Cancelled, Limits, PluginCode, Watch
from desktop_app.processing.registry import PAUSES_S, FileResult

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from desktop_app.domain.fields import Value


log = logging.getLogger(__name__)

CHECK_SECONDS = 0.1
"""How often the cancellation and the limits are checked."""
MOST_REQUESTS = 5000
"""The number of requests after which a child process is replaced, whatever libraries have left behind in it."""
DESCRIBE_LIMITS = Limits(seconds=20.0)
"""The limits for importing a plug-in to ask it what it can do."""
_LONGEST_LINE = 1 << 20
_EXIT_SECONDS = 1.0
"""How long to wait for the last lines of a child process that has exited, if another process keeps its pipe open."""
_ABORTED = "the library that reads it gave up: it needs more memory than is allowed, or is damaged"
_PNG_START = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
_ENVIRONMENT = re.compile(
    # For the system's libraries, for Python, and to find the files of the user and of Filemill.
    r"PATH|HOME|USER|LOGNAME|LANG|LANGUAGE|LC_.*|TZ|TMPDIR|TEMP|TMP|LD_LIBRARY_PATH|DYLD_.*|XDG_.*_HOME|PYTHON.*"
    r"|VIRTUAL_ENV|COVERAGE_.*|FILEMILL_HOME|SYSTEMROOT|SYSTEMDRIVE|WINDIR|COMSPEC|PATHEXT|USERPROFILE|APPDATA"
    r"|LOCALAPPDATA|PROGRAMDATA",
    re.IGNORECASE,
)
"""The names of the variables that a child process gets. Others can contain credentials, which no processor needs."""


class ProcessDiedError(Exception):
    """The child process exited without a result, or did not keep to the protocol.

    Attributes:
        has_aborted: Whether a library has ended it, as C libraries do if they get no memory.
    """

    has_aborted = False


class ProcessorBugError(Exception):
    """A processor raised an unexpected exception in the child process, whose traceback is added as a note."""


class HelperProcess:
    """A child process that handles requests one after another. It is started when it is needed. One thread at a time.

    Args:
        command: The command line of the child process.
    """

    def __init__(self, command: Sequence[str] | None = None) -> None:
        self._command = list(command or own_command("_process"))
        self._child: _Child | None = None

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
            ProcessorBugError: If the processor raised an unexpected exception.
        """
        plugin = [] if limits is None or limits.plugin is None else [list(limits.plugin)]
        try:
            answer = self._ask(["process", path, watch.attempt_id, processor, options, *plugin], watch, limits)
        except ProcessorBugError as error:
            if not plugin:
                raise
            log.info("a plug-in failed: %s\n%s", error, "\n".join(error.__notes__))
            why = foreign_text(str(error))
            raise FileError(Reason(ReasonCode.PLUGIN_FAILED, {"plugin": processor, "why": why})) from error
        match answer:
            case ["done", int(size), int() | None as lines, dict(values)] if _can_be_stored(lines, values):
                return FileResult(size, lines, cast("dict[str, Value]", values))
        raise self._misunderstood(answer)

    def thumbnail(self, path: str, pixels: int = MOST_THUMBNAIL_PIXELS) -> bytes | None:
        """Return a small picture of an image file; None if there is none.

        Args:
            path: The path as decoded by `os.fsdecode`.
            pixels: The largest width and height, at most `MOST_THUMBNAIL_PIXELS`.

        Returns:
            A PNG that was written by Filemill, so that the window can decode it.
        """
        try:
            answer = self._ask(["thumbnail", path, pixels], None, THUMBNAIL_LIMITS)
            match answer:
                case ["thumbnail", str(text)] if _is_thumbnail(content := base64.b64decode(text), pixels):
                    return content
            raise self._misunderstood(answer)
        except (FileError, ProcessDiedError, ValueError) as error:
            log.info("there is no thumbnail of a file: %s", error)
        except ProcessorBugError:
            log.exception("bug while making a thumbnail")
        return None

    def describe(self, code: PluginCode) -> object:
        """Return what a plug-in tells about itself; see `plugins.described`. Its code is executed in a new process.

        Raises:
            FileError: If the code is not the one that was allowed, or takes too long.
            ProcessDiedError: If the child process exited without an answer.
            ProcessorBugError: If the plug-in raised an exception.
        """
        self.close()
        answer = self._ask(["describe", list(code)], None, replace(DESCRIBE_LIMITS, plugin=code))
        match answer:
            case ["described", told]:
                return told
        raise self._misunderstood(answer)

    def probe(self, place: str) -> bool:
        """Wait until the file system that is mounted at a place responds; return whether it did.

        Raises:
            ProcessDiedError: If the child process exited without an answer.
        """
        return self._ask(["probe", place], None, None) == ["answered"]

    def close(self) -> None:
        """End the child process, and what it has started unless that has left its group; on Windows, only the child.

        This can block as long as a network share does not respond.
        """
        child, self._child = self._child, None
        if child is not None:
            child.end()

    def _ask(self, request: list[object], watch: Watch | None, limits: Limits | None) -> list[object]:
        """Return the answer to a request without its number.

        If a child process dies that has handled other requests before, one of these may be the cause. So a request is
        only blamed for what happens to a new child process. A child process that has loaded a plug-in is used for
        nothing else, since the plug-in may have changed anything in it.
        """
        plugin = None if limits is None else limits.plugin
        if self._child is not None and self._child.plugin != plugin:
            self.close()
        try:
            if self._child is not None:
                try:
                    return self._child.ask(request, watch, limits)
                except ProcessDiedError as error:
                    log.info("another child process is started: %s", error)
                    self.close()
            self._child = _Child(self._command)
            self._child.plugin = plugin
            return self._child.ask(request, watch, limits)
        except ProcessDiedError as error:
            if error.has_aborted and limits is not None:  # another attempt would end in the same way
                raise FileError(Reason(ReasonCode.TOO_LARGE, {"why": _ABORTED}), detail=str(error)) from error
            raise
        finally:
            if self._child is not None and (self._child.is_used_up or self._child.requests >= MOST_REQUESTS):
                self.close()

    def _misunderstood(self, answer: list[object]) -> ProcessDiedError:
        self.close()
        return ProcessDiedError(f"The child process gave an answer that is not valid: {str(answer)[:200]}")


class _Child:
    """A child process, and a thread that reads what it writes.

    The thread keeps only what belongs to the current request, and of that the latest, however much the child writes. It
    also lets the caller go on if a process that was started by the child keeps the pipe open.

    Attributes:
        requests: The number of requests so far, which is the number of the current one.
        is_used_up: Whether it can't be used any more: it has not answered, or has asked to be replaced.
        plugin: The plug-in that it has loaded, if any.

    Args:
        command: The command line.

    Raises:
        ProcessDiedError: If it can't be started.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self.requests = 0
        self.is_used_up = False
        self.plugin: PluginCode | None = None
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                command,
                env=_own_environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
                # In a session of its own, Ctrl+C in the terminal reaches only this program, which then ends the child;
                # and all that the child starts can be ended with it.
                start_new_session=True,
            )
        except OSError as error:
            raise ProcessDiedError(f"The child process can't be started: {error}") from error
        self._changed = threading.Condition()
        self._has_news = False
        self._answer: list[object] | None = None
        self._progress: tuple[int, int] | None = None
        self._is_accessing = False
        self._is_to_be_replaced = False
        self._is_over = False
        self._is_nonsense = False
        self._reader = threading.Thread(target=self._read, name="answers", daemon=True)
        self._reader.start()

    def ask(self, request: list[object], watch: Watch | None, limits: Limits | None) -> list[object]:
        """Send a request, and return the answer without its number.

        Raises:
            FileError: If the child answered so, or took too long.
            Cancelled: If `watch` cancelled the processing.
            ProcessDiedError: If the child process exited without an answer.
            ProcessorBugError: If a processor raised an unexpected exception.
        """
        self.is_used_up = True
        with self._changed:
            self.requests += 1
            self._answer = self._progress = None
            self._is_accessing = False
        self._send(request)
        deadline = _Deadline(limits)
        was_accessing = False
        try:
            while (answer := self._next(watch, deadline)) is None:
                if watch is not None and self._is_accessing is not was_accessing:
                    was_accessing = not was_accessing
                    watch.on_access(begins=was_accessing)
        finally:
            if watch is not None and was_accessing:
                watch.on_access(begins=False)
        self.is_used_up = self._is_to_be_replaced
        return _checked(answer)

    def _send(self, request: list[object]) -> None:
        pipe = self._process.stdin
        try:
            if pipe is not None:
                pipe.write(json.dumps([self.requests, *request]).encode() + b"\n")
                pipe.flush()
        except OSError as error:
            raise ProcessDiedError(f"The child process can't be used: {error}") from error

    def _next(self, watch: Watch | None, deadline: _Deadline) -> list[object] | None:
        """Wait for news, but not long; return the answer, if there is one."""
        with self._changed:
            if not self._has_news:
                self._changed.wait(CHECK_SECONDS)
            self._has_news = False
            answer, progress, is_over = self._answer, self._progress, self._is_over
            self._progress = None
        if progress is not None:
            deadline.note_progress(progress[0])
            if watch is not None:
                watch.on_progress(*progress)
        if answer is not None:
            return answer
        if watch is not None and watch.cancelled():
            raise Cancelled
        deadline.check()
        if is_over or self._has_exited():
            self._kill()
            self._reader.join(_EXIT_SECONDS)
            if self._is_nonsense:
                raise ProcessDiedError("The child process wrote something that is not an answer")
            if self._answer is None:
                code = self._process.wait()
                error = ProcessDiedError(
                    f"The program ended unexpectedly while it was processing this file: {_how_it_ended(code)}"
                )
                error.has_aborted = sys.platform != "win32" and code == -signal.SIGABRT
                raise error
        return self._answer

    def _read(self) -> None:
        """Read the lines of the child process until it closes its end of the pipe, or writes nonsense."""
        pipe = self._process.stdout
        if pipe is None:
            return
        with pipe:
            while line := pipe.readline(_LONGEST_LINE):
                try:
                    words = json.loads(line)
                except (ValueError, RecursionError):
                    words = None
                with self._changed:
                    self._is_nonsense = not self._take(words)
                    if self._is_nonsense:
                        break
                    self._has_news = True
                    self._changed.notify()
        with self._changed:
            self._is_over = self._has_news = True
            self._changed.notify()

    def _take(self, words: object) -> bool:
        """Note what the child process says; return False if it is nonsense."""
        match words:
            case [int(number), *_] if number != self.requests:
                pass  # it is late
            case [_, "access", bool(is_long)]:
                self._is_accessing = is_long
            case [_, "progress", int(done), int(total)]:
                self._progress = done, total
            case [_, "replace"]:
                self._is_to_be_replaced = True
            case [int(), *answer]:
                self._answer = self._answer or answer
            case _:
                return False
        return True

    def _has_exited(self) -> bool:
        """Return whether the process has exited. If possible, it remains a zombie, so that its ID is not reused."""
        if sys.platform == "win32" or not hasattr(os, "waitid") or self._process.returncode is not None:
            return self._process.poll() is not None
        return os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def _kill(self) -> None:
        """Kill the process, and those that it has started unless they have left its group."""
        if sys.platform == "win32":
            self._process.kill()
        else:
            with suppress(ProcessLookupError, PermissionError):  # macOS reports the latter if all have exited
                os.killpg(self._process.pid, signal.SIGKILL)

    def end(self) -> None:
        """Kill the process and what it has started, and wait for it; see `HelperProcess.close`."""
        self._kill()
        if self._process.stdin is not None:
            with suppress(OSError):  # a request that was not sent
                self._process.stdin.close()
        self._process.wait()
        self._reader.join(_EXIT_SECONDS)


class _Deadline:
    """The time until which a child process has to answer, or to read more of its file.

    Args:
        limits: The limits, if any.
        now: Returns the time in seconds.
    """

    def __init__(self, limits: Limits | None, now: Callable[[], float] = time.monotonic) -> None:
        self._seconds = None if limits is None else limits.seconds
        self._now = now
        self._since = now()
        self._bytes_read = -1
        self._rereadings = 0

    def note_progress(self, bytes_read: int) -> None:
        """Note how much of the file was read. A file that changes is reread, but not often."""
        if bytes_read < self._bytes_read and self._rereadings < len(PAUSES_S):
            self._rereadings += 1
            self._bytes_read = -1
        if bytes_read > self._bytes_read:
            self._bytes_read, self._since = bytes_read, self._now()

    def check(self) -> None:
        """Raise a `FileError` if it has taken too long."""
        if self._seconds is not None and self._now() - self._since > self._seconds:
            raise FileError(Reason(ReasonCode.TOO_LONG, {"seconds": round(self._seconds)}))


def _checked(answer: list[object]) -> list[object]:
    """Return an answer unless it is an error, which is raised."""
    match answer:
        case ["failed", str(code), dict(arguments), bool(passing), str(detail), dict(values)] if code in set(
            ReasonCode
        ) and _can_be_stored(None, values):
            told = {str(name): value for name, value in arguments.items() if isinstance(value, str | int)}
            raise FileError(Reason(ReasonCode(code), told), passing=passing, detail=detail, values=values)
        case ["bug", str(what), str(where)]:
            error = ProcessorBugError(what)
            error.add_note(where)
            raise error
    return answer


def _can_be_stored(lines: int | None, values: dict[str, object]) -> bool:
    """Return whether these are the number of lines and the values of a result; see `stored_result`."""
    stored = {name: value for name, value in values.items() if isinstance(value, bool | int | float | str)}
    try:
        stored_result(stored)
        if lines is not None:
            stored_lines(lines)
    except BadResultError:
        return False
    return len(stored) == len(values)


def _is_thumbnail(content: bytes, pixels: int) -> bool:
    """Return whether this is a PNG that has at most a number of pixels in each direction."""
    if not content.startswith(_PNG_START) or len(content) < len(_PNG_START) + 8:
        return False
    sizes = struct.unpack_from(">II", content, len(_PNG_START))
    return all(0 < size <= pixels for size in sizes)


def _how_it_ended(code: int) -> str:
    """Return an exit code with the name of the signal, if it was one."""
    if code < 0:
        with suppress(ValueError):
            return f"signal {signal.Signals(-code).name}"
    return f"exit code {code}"


def _own_environment() -> dict[str, str]:
    """Return the environment for the child process."""
    allowed = {name: value for name, value in child_environment().items() if _ENVIRONMENT.fullmatch(name)}
    return with_own_package(allowed)
