"""Run the commands of presets through `supervisor.py`, which ends each one with everything that it has started."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import weakref
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from desktop_app.config.child_environment import (
    child_environment,
    own_command,
    with_own_package,
    without_credentials,
)
from desktop_app.domain.errors import FileError
from desktop_app.domain.reasons import Reason, ReasonCode
from desktop_app.domain.sentences import foreign_text
from desktop_app.processing.processor import Cancelled, Watch
from desktop_app.processing.supervisor import KILL_SECONDS, TERM_SECONDS
from desktop_app.sources.local import file_error, unprocessable_kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class CommandEnd:
    """What is known about a command that has ended.

    Attributes:
        code: The exit code; if a signal has ended it, the negative number of the signal.
        stopped: The limit at which it was ended: `time` or `quiet`; empty if it has ended by itself.
        out, err: The end of what it has printed to its standard output and standard error.
        is_out_whole: Whether `out` is all that it has printed there.
        failure: The reason that it gave in a line `openjd_fail: …`; may be empty.
        status: What it said last in a line `openjd_status: …`; may be empty.
        file_size: The size of the file, in bytes, when the command was started.
        seconds: How long it took, in seconds.
    """

    code: int
    stopped: str
    out: str
    err: str
    is_out_whole: bool
    failure: str
    status: str
    file_size: int
    seconds: float


class SupervisorDiedError(Exception):
    """The process that supervises a command exited without an answer, which is a bug, or it was killed."""


class CommandRunner:
    """Runs commands. The processes that supervise them are kept for the next commands. Any thread.

    Args:
        command: The command line of such a process.
    """

    def __init__(self, command: Sequence[str] | None = None) -> None:
        self._command = list(command or own_command("_commands"))
        self._idle: list[subprocess.Popen[str]] = []
        self._lock = threading.Lock()
        # They end by themselves together with this program, since their standard input ends then.
        self.close = weakref.finalize(self, _end_all, self._idle)

    def run(
        self,
        argv: Sequence[str],
        path: str,
        *,
        folder: Path,
        variables: Sequence[str],
        time_limit_s: float,
        quiet_limit_s: float,
        watch: Watch,
    ) -> CommandEnd:
        """Run a command for a file, and return how it has ended. Nothing that it has started is then left.

        Args:
            argv: The program, as an absolute path, and its arguments.
            path: The file. It is examined before and after the command runs.
            folder: The working folder.
            variables: The names of further environment variables for the command.
            time_limit_s: The longest time that it may take, in seconds.
            quiet_limit_s: The longest time for which it may print nothing, in seconds; 0 for no limit.
            watch: Receives the progress, and can cancel the command.

        Raises:
            FileError: If the file can't be read or has changed meanwhile, or the command can't be started.
            Cancelled: If `watch` has cancelled it.
            SupervisorDiedError: If it is not known what the command has done.
        """
        with self._supervisor() as supervisor:
            request = [list(argv), path, str(folder), list(variables), time_limit_s, quiet_limit_s]
            try:
                if supervisor.stdin is not None:
                    supervisor.stdin.write(json.dumps(request) + "\n")
                    supervisor.stdin.flush()
            except OSError as error:
                raise SupervisorDiedError(str(error)) from error
            watch.on_access(begins=True)
            try:
                return _follow(supervisor, watch)
            finally:
                watch.on_access(begins=False)

    def end_idle(self) -> None:
        """End the processes that are kept for the next commands, which start new ones if necessary."""
        with self._lock:
            idle, self._idle[:] = list(self._idle), []
        _end_all(idle)

    @contextmanager
    def _supervisor(self) -> Iterator[subprocess.Popen[str]]:
        """Enter a context with a process that is idle; after an error, it is ended with its command."""
        with self._lock:
            supervisor = self._idle.pop() if self._idle else None
        if supervisor is not None and supervisor.poll() is not None:  # it was killed
            _end(supervisor)
            supervisor = None
        supervisor = supervisor or _start(self._command)
        try:
            yield supervisor
        except FileError:
            self._keep(supervisor)
            raise
        except BaseException:
            _end(supervisor)
            raise
        self._keep(supervisor)

    def _keep(self, supervisor: subprocess.Popen[str]) -> None:
        with self._lock:
            self._idle.append(supervisor)


def _start(command: Sequence[str]) -> subprocess.Popen[str]:
    """Start a process that supervises commands.

    Raises:
        SupervisorDiedError: If it can't be started, for example because there are too many processes.
    """
    try:
        return subprocess.Popen(  # noqa: S603 - our own program
            command,
            env=_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            encoding="utf-8",
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            start_new_session=True,  # Ctrl+C in the terminal reaches only this program
        )
    except OSError as error:
        raise SupervisorDiedError(f"The process that supervises commands can't be started: {error}") from error


def _end(supervisor: subprocess.Popen[str]) -> None:
    """End a process with the command that it supervises."""
    with supervisor:
        _close_pipes(supervisor)
        try:
            supervisor.wait(TERM_SECONDS + KILL_SECONDS + 2)
        except subprocess.TimeoutExpired:
            supervisor.kill()


def _close_pipes(supervisor: subprocess.Popen[str]) -> None:
    for pipe in (supervisor.stdin, supervisor.stdout):  # it must not wait until somebody reads its answer either
        if pipe is not None:
            with suppress(OSError):
                pipe.close()


def _end_all(idle: list[subprocess.Popen[str]]) -> None:
    for supervisor in idle:
        _close_pipes(supervisor)  # so that they end at the same time
    while idle:
        _end(idle.pop())


def _follow(supervisor: subprocess.Popen[str], watch: Watch) -> CommandEnd:
    """Read the answers until the command has ended.

    Raises:
        FileError, Cancelled, SupervisorDiedError: See `CommandRunner.run`.
    """
    size = pid = 0
    for line in supervisor.stdout or ():
        if watch.cancelled():
            raise Cancelled
        match json.loads(line):
            case ["opened", int(size)]:
                watch.on_access(begins=False)
            case ["started", int(pid)]:
                pass
            case ["tick"]:
                if pid:
                    watch.on_access(begins=False)  # it takes its time, but nothing hangs
            case ["progress", int() | float() as percent]:
                watch.on_progress(round(size * percent / 100), size)
            case ["ended", dict(end)]:
                return _end_of(end, size)
            case [str(problem), *about]:
                raise _not_run(problem, about)
    raise _died(supervisor, pid)


def _died(supervisor: subprocess.Popen[str], pid: int) -> SupervisorDiedError:
    """Kill a command that its supervisor can't end any more, and return the error."""
    if pid and sys.platform != "win32":
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
    return SupervisorDiedError(f"The process that supervises the command exited with code {supervisor.wait()}")


def _not_run(problem: str, about: Sequence[Any]) -> FileError:
    """Return the error for a command that was not started; see `supervisor.py`."""
    match problem, about:
        case "refused", [int(mode)]:
            return FileError(Reason(unprocessable_kind(mode) or ReasonCode.NOT_ORDINARY))
        case "system", [int(number), str(text), windows_error]:
            return _file_error(number, text, windows_error)
        case "not started", [str(text)]:
            return FileError(Reason(ReasonCode.COMMAND_NOT_STARTED, {"why": foreign_text(text)}))
    raise ValueError(f"unknown answer: {problem} {about}")


def _end_of(end: Mapping[str, Any], size: int) -> CommandEnd:
    if (about := end.get("system")) is not None:
        raise _file_error(*about)
    if end.get("is_changed"):
        raise FileError(Reason(ReasonCode.CHANGED_WHILE_READ), passing=True)
    return CommandEnd(
        code=end["code"],
        stopped=end["stopped"],
        out=end.get("out", ""),
        err=end.get("err", ""),
        is_out_whole=end.get("out_is_whole", True),
        failure=end.get("failure", ""),
        status=end.get("status", ""),
        file_size=size,
        seconds=end["seconds"],
    )


def _file_error(number: int, text: str, windows_error: int | None) -> FileError:
    """Return the error for what the operating system said about the file."""
    if not number:
        return FileError(Reason(ReasonCode.IMPOSSIBLE_NAME), detail=text)
    if windows_error is None:
        return file_error(OSError(number, text))
    return file_error(OSError(number, text, None, windows_error))


def _environment() -> dict[str, str]:
    """Return the environment for the process that supervises commands."""
    return with_own_package(without_credentials(child_environment()))
