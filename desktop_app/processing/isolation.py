"""Process a file in a child process if it was being processed when the program ended unexpectedly.

If the file caused the crash, only the child process crashes again. The child process is another instance of this
program, started with the arguments `_process PATH`. It writes one JSON array per line to standard output:
`["progress", done, total]`, and finally `["done", size, lines, values]` or
`["failed", code, arguments, passing, detail]`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from desktop_app.config.child_environment import child_environment
from desktop_app.domain.errors import FileError
from desktop_app.domain.reasons import Reason, ReasonCode
from desktop_app.processing.processor import Cancelled, Watch
from desktop_app.processing.registry import FileResult, ProcessorRegistry

if TYPE_CHECKING:
    from collections.abc import Sequence


CANCEL_CHECK_SECONDS = 0.1


class ProcessDiedError(Exception):
    """The child process exited without a result."""


class _PipeWatch:
    """Writes the progress to standard output. Never cancels: the parent process kills this process instead."""

    def on_progress(self, bytes_done: int, bytes_total: int) -> None:
        _say("progress", bytes_done, bytes_total)

    def cancelled(self) -> bool:
        return False


def _say(*words: object) -> None:
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


def serve_one(path: str, registry: ProcessorRegistry) -> int:
    """Process one file and write the result to standard output; return exit code 0."""
    try:
        result = registry.process(path, _PipeWatch())
    except FileError as error:
        _say("failed", error.reason.code, error.reason.arguments, error.passing, error.detail)
    else:
        _say("done", result.file_size, result.lines_count, dict(result.values))
    return 0


class IsolatedProcessing:
    """Processes each file in a separate child process. Any thread.

    Args:
        command: The command line of the child process, without the path.
    """

    def __init__(self, command: Sequence[str] | None = None) -> None:
        self._command = list(command or _own_command())

    def process(self, path: str, watch: Watch) -> FileResult:
        """Process one file; see `ProcessorRegistry.process`.

        Raises:
            FileError: If the file can't be processed.
            Cancelled: If `watch` cancelled the processing.
            ProcessDiedError: If the child process exited without a result.
        """
        with subprocess.Popen(  # noqa: S603 - our own program
            [*self._command, path],
            env=_own_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            encoding="utf-8",
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        ) as child:
            ended = threading.Event()
            guard = threading.Thread(target=_end_if_cancelled, args=(child, watch, ended), daemon=True)
            guard.start()
            try:
                return self._follow(child, watch)
            finally:
                ended.set()
                child.kill()
                guard.join()

    def _follow(self, child: subprocess.Popen[str], watch: Watch) -> FileResult:
        for line in child.stdout or ():
            match json.loads(line):
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
    """Return the command line that starts the child process, without the path."""
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
