"""Process files in child processes, so that a crash or an unresponsive network share affects only the child.

They process the files that this program had claimed when it ended unexpectedly, since one of them may be the cause, and
files on network shares, since a thread that is blocked by a share would keep this program from exiting.

A child process is another instance of this program, started with the argument `_process`. It reads JSON requests from
standard input, one per line: `["process", path]` or `["probe", mount point]`. It writes one JSON array per line to
standard output: `["access", begins]` and `["progress", done, total]`, and finally `["done", size, lines, values]`,
`["failed", code, arguments, passing, detail]` or `["answered"]`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from desktop_app.config.child_environment import child_environment
from desktop_app.domain.errors import FileError
from desktop_app.domain.reasons import Reason, ReasonCode
from desktop_app.processing.processor import Cancelled, Watch
from desktop_app.processing.registry import FileResult, ProcessorRegistry

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


CANCEL_CHECK_SECONDS = 0.1


class ProcessDiedError(Exception):
    """The child process exited without a result."""


class _PipeWatch:
    """Writes the progress to standard output. Never cancels: the parent process kills this process instead."""

    def on_progress(self, bytes_done: int, bytes_total: int) -> None:
        _say("progress", bytes_done, bytes_total)

    def on_access(self, *, begins: bool) -> None:
        _say("access", begins)

    def cancelled(self) -> bool:
        return False


def _say(*words: object) -> None:
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


def serve_one(path: str, registry: ProcessorRegistry) -> None:
    """Process one file and write the result to standard output."""
    try:
        result = registry.process(path, _PipeWatch())
    except FileError as error:
        _say("failed", error.reason.code, error.reason.arguments, error.passing, error.detail)
    else:
        _say("done", result.file_size, result.lines_count, dict(result.values))


def serve_requests(requests: Iterable[str], registry: ProcessorRegistry) -> int:
    """Handle requests until there are no more, and write the answers to standard output; return exit code 0."""
    for request in requests:
        match json.loads(request):
            case ["process", str(path)]:
                serve_one(path, registry)
            case ["probe", str(place)]:
                with suppress(OSError):  # an error is an answer too
                    shutil.disk_usage(place)  # asks the server of a share, whose other answers may be cached
                _say("answered")
    return 0


class HelperProcess:
    """A child process that handles requests one after another. It is started when it is needed. One thread.

    Args:
        command: The command line of the child process.
    """

    def __init__(self, command: Sequence[str] | None = None) -> None:
        self._command = list(command or _own_command())
        self._child: subprocess.Popen[str] | None = None

    def process(self, path: str, watch: Watch) -> FileResult:
        """Process one file; see `ProcessorRegistry.process`. After a crash or a cancellation, a new child is started.

        Raises:
            FileError: If the file can't be processed.
            Cancelled: If `watch` cancelled the processing.
            ProcessDiedError: If the child process exited without a result.
        """
        child = self._send("process", path)
        ended = threading.Event()
        guard = threading.Thread(target=_end_if_cancelled, args=(child, watch, ended), daemon=True)
        guard.start()
        try:
            watch.on_access(begins=True)  # until the child process says otherwise
            return _follow(child, watch)
        except FileError:
            raise
        except BaseException:
            self.close()
            raise
        finally:
            watch.on_access(begins=False)
            ended.set()
            guard.join()
            if watch.cancelled():
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


def _follow(child: subprocess.Popen[str], watch: Watch) -> FileResult:
    """Read the output of a child process until it has processed the file; see `HelperProcess.process`."""
    for line in child.stdout or ():
        match json.loads(line):
            case ["access", bool(begins)]:
                watch.on_access(begins=begins)
            case ["progress", int(done), int(total)]:
                watch.on_progress(done, total)
            case ["done", int(size), int() | None as lines, dict(values)]:
                return FileResult(size, lines, values)
            case ["failed", str(code), dict(arguments), bool(passing), str(detail)]:
                raise FileError(Reason(ReasonCode(code), arguments), passing=passing, detail=detail)
    if watch.cancelled():
        raise Cancelled
    raise ProcessDiedError(
        f"The program ended unexpectedly while it was processing this file: exit code {child.wait()}"
    )


def _end_if_cancelled(child: subprocess.Popen[str], watch: Watch, ended: threading.Event) -> None:
    while not ended.wait(CANCEL_CHECK_SECONDS):
        if watch.cancelled():
            child.kill()
            return


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
