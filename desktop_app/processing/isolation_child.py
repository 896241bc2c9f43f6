"""Handle requests in a child process; `isolation.py` starts it and describes the protocol.

Nothing that a processor does here can make the parent process wait, or be taken for the answer to another request. What
can't be undone, such as leaked memory or a process that is still running, is reported, so that the parent replaces this
process.
"""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import signal
import sys
import threading
import time
import traceback
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, NoReturn, TextIO

from desktop_app.domain.errors import FileError
from desktop_app.domain.reasons import Reason, ReasonCode
from desktop_app.processing.image import MOST_THUMBNAIL_PIXELS, THUMBNAIL_LIMITS, thumbnail
from desktop_app.processing.processor import PluginCode
from desktop_app.sources.local import open_source

if sys.platform != "win32":
    import fcntl
    import resource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from desktop_app.domain.fields import Value
    from desktop_app.processing.processor import Limits
    from desktop_app.processing.registry import ProcessorRegistry

LOOK_EVERY_SECONDS = 0.25
LONG_ACCESS_SECONDS = 0.25
"""From this time on, an access to a file is reported. Most are shorter, and would cost less than their reports."""
MOST_GROWTH_BYTES = 256 << 20
"""How much the address space may have grown between files until this process is replaced."""
MOST_OPEN_FILES = 64
"""How many more files than at the start may be open between files until this process is replaced."""
_STANDARD_STREAMS = 3
_MOST_DETAIL = 4000
"""The maximum number of characters of a traceback or a detail."""
_NO_VALUES: Mapping[str, Value] = MappingProxyType({})
_NEEDS_MEMORY = Reason(ReasonCode.TOO_LARGE, {"why": "it needs more memory than is allowed"})
_LIMITS_ADDRESS_SPACE = sys.platform not in {"win32", "darwin"}
"""Whether the system enforces a limit on the address space; macOS accepts one and ignores it."""


class _Answers:
    """Writes the answers to the pipe. Any thread.

    Args:
        pipe: The pipe.
    """

    def __init__(self, pipe: TextIO) -> None:
        self._pipe = pipe
        self._lock = threading.Lock()

    def say(self, *words: object) -> None:
        """Write an answer, which begins with the number of the request."""
        line = json.dumps(words) + "\n"
        with self._lock:
            self._pipe.write(line)
            self._pipe.flush()


class _RequestWatch:
    """Reports the progress of one request, and accesses that take long. Never cancels: the parent kills this process.

    Attributes:
        attempt_id: See `Watch.attempt_id`.
        most_memory: The limit on the memory of this process that `_Watchdog` enforces, in bytes; None for no limit.

    Args:
        answers: Where to write.
        number: The number of the request.
        now: Returns the time in seconds.
    """

    def __init__(self, answers: _Answers, number: int, now: Callable[[], float] = time.monotonic) -> None:
        self.attempt_id = ""
        self._now = now
        self.most_memory: int | None = None
        self._answers = answers
        self._number = number
        self._lock = threading.Lock()
        self._accessing_since: float | None = None
        self._is_told = False

    def on_progress(self, bytes_done: int, bytes_total: int) -> None:
        self._answers.say(self._number, "progress", bytes_done, bytes_total)

    def on_access(self, *, begins: bool) -> None:
        with self._lock:
            self._accessing_since = self._now() if begins else None
            if self._is_told:
                self._is_told = False
                self._answers.say(self._number, "access", False)

    def cancelled(self) -> bool:
        return False

    def look(self) -> None:
        """Report an access that takes long, and end this process if it uses too much memory. Any thread."""
        with self._lock:
            since = self._accessing_since
            if since is not None and not self._is_told and self._now() - since > LONG_ACCESS_SECONDS:
                self._is_told = True
                self._answers.say(self._number, "access", True)
        if self.most_memory is not None and _used_memory() > self.most_memory:
            self._answers.say(self._number, "replace")
            self._answers.say(self._number, *_failed(_NEEDS_MEMORY))
            os._exit(1)


class _Watchdog(threading.Thread):
    """Looks at the current request four times a second, and ends this process if its parent process has ended.

    It sleeps while there is no request, and the main thread does not have to wake it for each of many.

    Args:
        requests: The pipe for requests.
    """

    def __init__(self, requests: TextIO) -> None:
        super().__init__(name="watchdog", daemon=True)
        self._requests = requests.fileno()
        self._current: _RequestWatch | None = None
        self._has_begun = threading.Event()
        self._never = threading.Event()

    @contextmanager
    def watching(self, watch: _RequestWatch) -> Iterator[None]:
        """Enter a context in which a request is watched."""
        self._current = watch
        self._has_begun.set()
        try:
            yield
        finally:
            self._current = None

    def run(self) -> None:
        """Look from time to time."""
        while True:
            self._has_begun.clear()
            if (current := self._current) is None:
                self._has_begun.wait()
            else:
                with suppress(MemoryError):  # the limit applies to this thread, too
                    current.look()
                    if _is_closed(self._requests):
                        _end_group()
            self._never.wait(LOOK_EVERY_SECONDS)


def _is_closed(pipe: int) -> bool:
    """Return whether the other end of a pipe is closed. On Windows, this is only seen when the pipe is read."""
    if sys.platform == "win32":
        return False
    poll = select.poll()
    poll.register(pipe, select.POLLHUP)
    return any(event & select.POLLHUP for _, event in poll.poll(0))


def _end_group() -> NoReturn:
    """End this process, and those that it has started unless they have left its group."""
    if sys.platform != "win32" and os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


@contextmanager
def private_pipes() -> Iterator[tuple[TextIO, TextIO]]:
    """Enter a context with the pipes for requests and answers, which were standard input and output.

    Libraries and the programs that they start get no input, and what they print goes to standard error. A process that
    a library forks from this one can neither take requests, nor answer, nor keep the pipes open.
    """
    pipes = os.dup(0), os.dup(1)
    _disconnect(0)
    os.dup2(2, 1)
    if sys.platform != "win32":
        os.register_at_fork(after_in_child=lambda: _disconnect(*pipes))
        with suppress(OSError):  # no dumps of the memory after a crash
            resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
        with suppress(OSError):  # on Linux: if the computer runs out of memory, end this process rather than others
            Path("/proc/self/oom_score_adj").write_text("500", encoding="ascii")
    with (
        open(pipes[0], encoding="utf-8") as requests,  # noqa: PTH123 - a descriptor
        open(pipes[1], "w", encoding="utf-8") as answers,  # noqa: PTH123 - a descriptor
    ):
        yield requests, answers


def _disconnect(*descriptors: int) -> None:
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in descriptors:
        os.dup2(nothing, descriptor)
    os.close(nothing)


def serve_requests(requests: TextIO, registry: ProcessorRegistry, pipe: TextIO) -> int:
    """Handle requests until there are no more, and write the answers to a pipe; return exit code 0."""
    answers = _Answers(pipe)
    watchdog = _Watchdog(requests)
    watchdog.start()
    at_start = _State()
    for request in requests:
        number, *words = json.loads(request)
        watch = _RequestWatch(answers, number)
        with watchdog.watching(watch):
            answer = _guarded(partial(_handle, words, watch, registry))
        if at_start.must_be_replaced():
            answers.say(number, "replace")
        answers.say(number, *answer)
    return 0


def _handle(words: list[object], watch: _RequestWatch, registry: ProcessorRegistry) -> tuple[object, ...]:
    """Return the answer to a request."""
    match words:
        case ["process", str(path), str(attempt), str(processor), str(options)]:
            watch.attempt_id = attempt
            with _limited_memory(registry.limits(processor), watch):
                result = registry.process(path, watch, processor=processor, options=options)
            return "done", result.file_size, result.lines_count, dict(result.values)
        case ["thumbnail", str(path), int(pixels)]:
            with _limited_memory(THUMBNAIL_LIMITS, watch), open_source(path) as source:
                content = thumbnail(source, min(pixels, MOST_THUMBNAIL_PIXELS))
            return "thumbnail", base64.b64encode(content).decode()
        case ["process", str(path), str(attempt), str(processor), str(options), [str(kind), str(source), str(digest)]]:
            from desktop_app.processing.plugins import registry_of  # only plug-ins need it

            plugin = PluginCode(kind, source, digest)
            return _handle(["process", path, attempt, processor, options], watch, registry_of(plugin))
        case ["describe", [str(kind), str(source), str(digest)]]:
            from desktop_app.processing.plugins import describe

            return "described", describe(PluginCode(kind, source, digest))
        case ["probe", str(place)]:
            with suppress(OSError):  # an error is an answer too
                shutil.disk_usage(place)  # asks the server of a share, whose other answers may be cached
            return ("answered",)
    raise ValueError(f"not a request: {words}")


def _guarded(work: Callable[[], tuple[object, ...]]) -> tuple[object, ...]:
    """Return the answer of a function, or the answer that says how it failed."""
    try:
        return work()
    except FileError as error:
        return _failed(error.reason, passing=error.passing, detail=error.detail, values=error.values)
    except MemoryError:
        return _failed(_NEEDS_MEMORY, detail="MemoryError")
    except BaseException as error:  # noqa: BLE001 - a processor may also raise SystemExit
        where = traceback.format_exc(limit=-10)
        return "bug", traceback.format_exception_only(error)[-1].strip()[-_MOST_DETAIL:], where[-_MOST_DETAIL:]


def _failed(
    reason: Reason, *, passing: bool = False, detail: str = "", values: Mapping[str, Value] = _NO_VALUES
) -> tuple[object, ...]:
    arguments = {
        name: value if isinstance(value, int) else str(value)[:_MOST_DETAIL] for name, value in reason.arguments.items()
    }
    return "failed", reason.code, arguments, passing, detail[:_MOST_DETAIL], dict(values)


@contextmanager
def _limited_memory(limits: Limits | None, watch: _RequestWatch) -> Iterator[None]:
    """Enter a context in which this process can use only so much more memory; None for no limit.

    Where the system has no such limit, the watchdog looks at the memory that is used. It can't do so while compiled
    code keeps the interpreter lock, so that such code can exceed the limit.
    """
    if limits is None:
        yield
        return
    wanted = _used_memory() + limits.memory_bytes
    if sys.platform == "win32" or not _LIMITS_ADDRESS_SPACE:
        watch.most_memory = wanted
        yield
        return
    before = resource.getrlimit(resource.RLIMIT_AS)
    _, hard = before
    resource.setrlimit(resource.RLIMIT_AS, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def _used_memory() -> int:
    """Return the memory of this process in bytes.

    It is the address space on Linux, the largest resident size so far on macOS, and the committed memory on Windows.
    """
    if sys.platform == "win32":
        return _committed_memory()
    try:
        statistics = os.open("/proc/self/statm", os.O_RDONLY)
    except OSError:  # macOS
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    pages = os.read(statistics, 64).split()[0]  # this is done for each file; `io` would take twice as long
    os.close(statistics)
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


if sys.platform == "win32":

    def _committed_memory() -> int:
        """Return the committed memory of this process in bytes."""
        import ctypes
        from ctypes import wintypes

        class Counters(ctypes.Structure):
            _fields_ = (
                ("size", wintypes.DWORD),
                ("page_faults", wintypes.DWORD),
                ("sizes", ctypes.c_size_t * 8),  # the seventh is PagefileUsage; the eighth, PeakPagefileUsage
            )

        counters = Counters(size=ctypes.sizeof(Counters))
        kernel = ctypes.WinDLL("kernel32")
        kernel.GetCurrentProcess.restype = wintypes.HANDLE
        kernel.K32GetProcessMemoryInfo.argtypes = (wintypes.HANDLE, ctypes.POINTER(Counters), wintypes.DWORD)
        kernel.K32GetProcessMemoryInfo(kernel.GetCurrentProcess(), ctypes.byref(counters), counters.size)
        return int(counters.sizes[6])


class _State:
    """What this process had at the start, and what it has now."""

    def __init__(self) -> None:
        self._memory: int | None = None
        self._threads = threading.active_count()
        self._most_files = _next_descriptor() + MOST_OPEN_FILES

    def must_be_replaced(self) -> bool:
        """Return whether a processor has left something behind that this process can't get rid of."""
        memory = _used_memory()
        if self._memory is None:
            self._memory = memory  # the first file has also loaded the libraries
        return (
            memory > self._memory + MOST_GROWTH_BYTES
            or threading.active_count() > self._threads
            or _next_descriptor() < _STANDARD_STREAMS  # files would take the places of the standard streams
            or _next_descriptor(self._most_files) > self._most_files
            or _has_children()
        )


def _next_descriptor(least: int = 0) -> int:
    """Return the lowest number, from `least` on, that no open file has.

    The lowest one of all says little about many open files: it may have become free after they were opened. On Windows,
    `least` is ignored.
    """
    descriptor = os.open(os.devnull, os.O_RDONLY)
    found = descriptor
    if sys.platform != "win32" and descriptor < least:
        found = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, least)
        os.close(found)
    os.close(descriptor)
    return found


def _has_children() -> bool:
    """Return whether processes that were started by this one are still running, or were not waited for."""
    if not hasattr(os, "waitid"):  # Windows; macOS before Python 3.13
        return False
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True
