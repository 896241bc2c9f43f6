"""Process a file in a child process: for files that were being processed when a program ended unexpectedly.

If the file caused that, only the child process crashes. The child is this program itself (`_process PATH`), so this
works in a frozen program, too. It writes JSON, one value per line: `["progress", done, total]`, and finally
`["done", size, lines, values]` or `["failed", code, arguments, passing, detail]`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from desktop_app.domain.errors import FileError
from desktop_app.domain.reasons import Reason, ReasonCode
from desktop_app.processing.processor import Cancelled
from desktop_app.processing.registry import FileResult

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from desktop_app.processing.processor import Watch
    from desktop_app.processing.registry import ProcessorRegistry

CANCEL_CHECK_SECONDS = 0.1


class ProcessDiedError(Exception):
    """The child process ended without a result."""


class _PipeWatch:
    """Writes the progress for the parent process; never cancelled, since the parent ends the child."""

    def on_progress(self, bytes_done: int, bytes_total: int) -> None:
        _say("progress", bytes_done, bytes_total)

    def cancelled(self) -> bool:
        return False


def _say(*words: object) -> None:
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


def serve_one(path: str, registry: ProcessorRegistry) -> int:
    """Run the child process: process one file and write the result to standard output. Return the exit code 0."""
    try:
        result = registry.process(path, _PipeWatch())
    except FileError as error:
        _say("failed", error.reason.code, error.reason.arguments, error.passing, error.detail)
    else:
        _say("done", result.file_size, result.lines_count, dict(result.values))
    return 0


class IsolatedProcessing:
    """Processes files like a registry, each in a child process of its own. Any thread, several at once.

    Args:
        command: The command line that starts the child; the path is appended.
    """

    def __init__(self, command: Sequence[str] | None = None) -> None:
        self._command = list(command or _own_command("_process"))

    def process(self, path: str, watch: Watch) -> FileResult:
        """Process one file, as `ProcessorRegistry.process` does.

        Raises:
            FileError: If the file can't be processed.
            Cancelled: If the watch said so.
            ProcessDiedError: If the child process ended without a result.
        """
        with subprocess.Popen(  # noqa: S603 - our own program
            [*self._command, path],
            env=_own_environment(os.environ),
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


def _own_command(*words: str) -> list[str]:
    """Return the command line that starts this program, in a checkout, installed, or frozen."""
    if getattr(sys, "frozen", False):
        return [sys.executable, *words]
    return [sys.executable, "-m", "desktop_app", *words]


def _own_environment(inherited: Mapping[str, str]) -> dict[str, str]:
    """Return an environment in which `_own_command` finds this copy of the program from any working directory."""
    environment = dict(inherited)
    if getattr(sys, "frozen", False):
        # Otherwise the child of a one-file program would use its parent's unpacked files, which the parent deletes.
        environment["PYINSTALLER_RESET_ENVIRONMENT"] = "1"
        return environment
    environment["PYTHONSAFEPATH"] = "1"  # the working directory must not be searched for modules
    package_parent = Path(__file__).resolve().parents[2]
    if package_parent.name not in {"site-packages", "dist-packages"}:
        path = environment.get("PYTHONPATH")
        environment["PYTHONPATH"] = f"{package_parent}{os.pathsep}{path}" if path else str(package_parent)
    return environment
