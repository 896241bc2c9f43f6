"""Processes a file in a process of its own: for files that were being processed when a program ended unexpectedly.

If it was the file's doing, the same again costs only that process. The child is this program itself (`_process PATH`),
so it works in a frozen program too. It speaks JSON, a line each: `["progress", done, total]`, then
`["done", size, lines, values]` or `["failed", problem, passing, text, detail]`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from desktop_app.domain.errors import FileError, FileProblem
from desktop_app.processing.processor import Cancelled
from desktop_app.processing.registry import FileResult

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from desktop_app.processing.processor import Watch
    from desktop_app.processing.registry import ProcessorRegistry

CANCEL_CHECK_SECONDS = 0.1
CRASHED = "The program ended while it worked on this file"


class ProcessDiedError(Exception):
    """The child ended without an answer."""


class _PipeWatch:
    """Writes the progress for the parent; never cancelled, since the parent ends the child."""

    def on_progress(self, bytes_done: int, bytes_total: int) -> None:
        _say("progress", bytes_done, bytes_total)

    def cancelled(self) -> bool:
        return False


def _say(*words: object) -> None:
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


def serve_one(path: str, registry: ProcessorRegistry) -> int:
    """Run the child: process one file and write the result to standard output. Returns the exit code, always 0."""
    try:
        result = registry.process(path, _PipeWatch())
    except FileError as error:
        _say("failed", error.problem, error.passing, error.text, error.detail)
    else:
        _say("done", result.file_size, result.lines_count, dict(result.values))
    return 0


class IsolatedProcessing:
    """Processes files as a registry does, each in a child process of its own. Any thread, several at once.

    Args:
        command: Starts the child; the path is added.
    """

    def __init__(self, command: Sequence[str] | None = None) -> None:
        self._command = list(command or _own_command("_process"))

    def process(self, path: str, watch: Watch) -> FileResult:
        """Like `ProcessorRegistry.process`.

        Raises:
            FileError: If the file can't be processed.
            Cancelled: If the watch said so.
            ProcessDiedError: If the child ended without an answer.
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
                case ["failed", str(problem), bool(passing), str(text), str(detail)]:
                    raise FileError(FileProblem(problem), text, passing=passing, detail=detail)
        if watch.cancelled():
            raise Cancelled
        raise ProcessDiedError(f"{CRASHED}: exit code {child.wait()}")


def _end_if_cancelled(child: subprocess.Popen[str], watch: Watch, ended: threading.Event) -> None:
    while not ended.wait(CANCEL_CHECK_SECONDS):
        if watch.cancelled():
            child.kill()
            return


def _own_command(*words: str) -> list[str]:
    """Return the command line of this program with other arguments, in a checkout, installed, or frozen."""
    if getattr(sys, "frozen", False):
        return [sys.executable, *words]
    return [sys.executable, "-m", "desktop_app", *words]


def _own_environment(inherited: Mapping[str, str]) -> dict[str, str]:
    """Return an environment in which `_own_command` finds this copy of the program, whatever the current folder is."""
    environment = dict(inherited)
    if getattr(sys, "frozen", False):
        # Else a one-file program's child would live in its parent's unpacked files, which end with the parent.
        environment["PYINSTALLER_RESET_ENVIRONMENT"] = "1"
        return environment
    environment["PYTHONSAFEPATH"] = "1"  # the current folder holds nothing of ours
    package_parent = Path(__file__).resolve().parents[2]
    if package_parent.name not in {"site-packages", "dist-packages"}:
        path = environment.get("PYTHONPATH")
        environment["PYTHONPATH"] = f"{package_parent}{os.pathsep}{path}" if path else str(package_parent)
    return environment
