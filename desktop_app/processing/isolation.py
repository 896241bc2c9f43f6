"""Processes a file in a process of its own: for files that were at work when a program ended without a word.

If it was the file's doing, the same again costs only that process. The child is this program itself (`_process PATH`),
so it works in a frozen program too. It speaks JSON, a line each: `["progress", done, total]`, then
`["done", size, lines]` or `["failed", code, arguments, passing, detail]`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

from desktop_app.domain.errors import FileError
from desktop_app.domain.reasons import Reason, ReasonCode
from desktop_app.processing.registry import Cancelled, FileResult
from desktop_app.spawn import own_command, own_environment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from desktop_app.processing.registry import ProcessorRegistry, Watch

CANCEL_CHECK_SECONDS = 0.1


class ProcessDiedError(Exception):
    """The child ended without an answer: what it was made to do ends programs."""


class _Wire:
    """The child's end: tells progress, is never cancelled (the parent ends it)."""

    def on_progress(self, bytes_done: int, bytes_total: int) -> None:
        _say("progress", bytes_done, bytes_total)

    def cancelled(self) -> bool:
        return False


def _say(*words: object) -> None:
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


def serve_one(path: str, registry: ProcessorRegistry) -> int:
    """The child's main: process one file and say the result on standard output. Gives the exit code, always 0."""
    try:
        result = registry.process(path, _Wire())
    except FileError as error:
        _say("failed", error.reason.code, error.reason.arguments, error.passing, error.detail)
    else:
        _say("done", result.file_size, result.lines_count)
    return 0


class IsolatedProcessing:
    """Stands for a registry, with a child for each file. Any thread, several at once.

    Args:
        command: Starts the child; the path is added.
    """

    def __init__(self, command: Sequence[str] | None = None) -> None:
        self._command = list(command or own_command("_process"))

    def process(self, path: str, watch: Watch) -> FileResult:
        """Like `ProcessorRegistry.process`.

        Raises:
            FileError: If the file can't be processed.
            Cancelled: If the watch said so.
            ProcessDiedError: If the child ended without an answer.
        """
        with subprocess.Popen(  # noqa: S603 - our own program
            [*self._command, path],
            env=own_environment(os.environ),
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
                case ["done", int(size), int(lines)]:
                    return FileResult(size, lines)
                case ["failed", str(code), dict(arguments), bool(passing), str(detail)]:
                    raise FileError(Reason(ReasonCode(code), arguments), passing=passing, detail=detail)
        if watch.cancelled():
            raise Cancelled
        raise ProcessDiedError(f"The program ended while it worked on this file: exit code {child.wait()}")


def _end_if_cancelled(child: subprocess.Popen[str], watch: Watch, ended: threading.Event) -> None:
    while not ended.wait(CANCEL_CHECK_SECONDS):
        if watch.cancelled():
            child.kill()
            return
