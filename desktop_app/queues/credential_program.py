"""Run the program of a `credential_process` setting with limits: no input, no terminal, little output, little time."""

from __future__ import annotations

import contextlib
import math
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import wait
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from desktop_app.config.child_environment import child_environment
from desktop_app.domain.background import in_background
from desktop_app.domain.sentences import Sentence

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Value = TypeVar("Value")

LIMIT_SECONDS = 30.0
MOST_BYTES = 1 << 20
SLOW_SECONDS = 3.0
"""When to say that a program is being waited for."""
_HELD_OPEN_SECONDS = 1.0
"""How long to wait for the end of the output after the program has exited. A child of it might hold the pipe open."""
_CHECK_SECONDS = 0.05
_SHORT_CHECK_SECONDS = 0.005
_ENDING_SECONDS = 2.0
_CHUNK_BYTES = 1 << 16


class ProgramError(Exception):
    """A program did not run as required.

    Attributes:
        text: A sentence that says what is wrong and what to do.
    """

    def __init__(self, text: Sentence) -> None:
        super().__init__(text)
        self.text = text


class ProgramRunner:
    """Waits for what provides credentials, above all the programs of `credential_process` settings. Thread-safe.

    Args:
        should_stop: A function that returns whether to give up; called every `_CHECK_SECONDS` while waiting.
        notify: Called with a sentence if that takes longer than `SLOW_SECONDS`, on the thread that is waiting.
    """

    def __init__(self, should_stop: Callable[[], bool], notify: Callable[[str], object]) -> None:
        self._should_stop = should_stop
        self._notify = notify

    def run(self, command: Sequence[str], title: Sentence) -> bytes:
        """Run a program in a session of its own, and return its output. Its error output is discarded.

        Args:
            command: The program and its arguments.
            title: The program, as the subject of a sentence.

        Raises:
            ProgramError: If the program can't be started, fails, prints too much or takes too long, or if
                `should_stop` returned True. The program and its children have then been killed.
        """
        if self._should_stop():
            raise _stopped(title)
        running = _Running(command)
        try:
            running.start()
            self._wait(running, title)
        except BaseException:
            running.kill()
            raise
        if not running.has_ended.is_set():
            running.kill()  # a child still holds the pipe open
        return running.output

    def call(self, work: Callable[[], Value], title: Sentence) -> Value:
        """Call a function that may ask the user for a password, on a thread of its own, and return its result.

        There is no limit of time, because the user may be looking for the password.

        Args:
            work: The function. It goes on, without effect, after this method has given up.
            title: What provides the credentials, as the subject of a sentence.

        Raises:
            ProgramError: If `should_stop` returned True.
        """
        result = in_background(work, "credentials")
        slow_at = time.monotonic() + SLOW_SECONDS
        while not wait([result], _CHECK_SECONDS).done:
            if self._should_stop():
                raise ProgramError(Sentence("{program} has not provided credentials.", program=title))
            if time.monotonic() > slow_at:
                slow_at = math.inf
                self._say_slow(title)
        return result.result()

    def _say_slow(self, title: Sentence) -> None:
        self._notify(Sentence("{program} has not provided credentials yet. Waiting for it …", program=title))

    def _wait(self, running: _Running, title: Sentence) -> None:
        """Wait until a program has exited and its output is complete."""
        started = time.monotonic()
        slow_at = started + SLOW_SECONDS
        while not running.is_over():
            now = time.monotonic()
            if self._should_stop():
                raise _stopped(title)
            if now - started > LIMIT_SECONDS:
                raise _timed_out(title)
            if now > slow_at:
                slow_at = math.inf
                self._say_slow(title)
        if (error := running.error) is not None:
            raise ProgramError(not_started(title, getattr(error, "strerror", None) or str(error))) from error
        if running.is_too_long:
            raise _too_long(title)
        if running.exit_code:
            raise _failed(title, running.exit_code)


def not_started(title: Sentence, reason: str) -> Sentence:
    """Return the sentence about a program that can't be started."""
    return Sentence(
        "{program} could not be started: {reason}. Check credential_process in the AWS configuration.",
        program=title,
        reason=reason,
    )


def _stopped(title: Sentence) -> ProgramError:
    return ProgramError(Sentence("{program} was ended before it provided credentials.", program=title))


def _timed_out(title: Sentence) -> ProgramError:
    text = Sentence(
        "{program} did not finish within {seconds} s and was ended. Run it in a terminal to see what it is waiting "
        "for.",
        program=title,
        seconds=round(LIMIT_SECONDS),
    )
    return ProgramError(text)


def _too_long(title: Sentence) -> ProgramError:
    text = Sentence(
        "{program} printed more than {count} bytes. Check credential_process in the AWS configuration.",
        program=title,
        count=MOST_BYTES,
    )
    return ProgramError(text)


def _failed(title: Sentence, code: int) -> ProgramError:
    if code < 0:  # not on Windows
        number = -code
        name = signal.Signals(number).name if number in set(signal.Signals) else number
        text = Sentence(
            "{program} was ended by the signal {signal}. Run it in a terminal to see why.", program=title, signal=name
        )
        return ProgramError(text)
    text = Sentence(
        "{program} failed with exit code {code}. Run it in a terminal to see why.", program=title, code=code
    )
    return ProgramError(text)


class _Running:
    """A program, started and read on a thread of its own.

    Windows can't wait for a pipe with a timeout. Besides, a signal can interrupt the main thread at any time, even
    while it starts a program, which would then be left running.

    Attributes:
        error: The exception because of which the program could not be started, if any.
        has_ended: An event that is set at the end of the output, or when it becomes too long.
        is_too_long: Whether the output is longer than `MOST_BYTES`.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None
        self._chunks: list[bytes] = []
        self._thread = threading.Thread(target=self._run, name="credential program", daemon=True)
        self._was_started = threading.Event()
        self._exited_at = 0.0
        self.error: Exception | None = None
        self.has_ended = threading.Event()
        self.is_too_long = False

    def start(self) -> None:
        """Start the program."""
        self._thread.start()

    @property
    def output(self) -> bytes:
        """The output so far."""
        return b"".join(self._chunks)

    @property
    def exit_code(self) -> int | None:
        """The exit code; None if the program has not been started or is running."""
        return None if self._process is None else self._process.poll()

    def is_over(self) -> bool:
        """Wait for up to `_CHECK_SECONDS`; return whether the program has exited, or its output is too long."""
        has_ended = self.has_ended.wait(_CHECK_SECONDS)
        if self.error is not None or self.is_too_long:
            return True
        if self.exit_code is not None:
            self._exited_at = self._exited_at or time.monotonic()
            return has_ended or time.monotonic() - self._exited_at > _HELD_OPEN_SECONDS
        if has_ended:  # the program has closed its output
            time.sleep(_SHORT_CHECK_SECONDS)
        return False

    def kill(self) -> None:
        """Kill the program and its children, and wait for the program to end."""
        if self._thread.ident is not None:
            self._was_started.wait(_ENDING_SECONDS)
        if self._process is not None:
            _kill_tree(self._process)

    def _run(self) -> None:
        try:
            self._process = subprocess.Popen(  # noqa: S603 - the user's own setting
                self._command,
                env=child_environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                **_own_session(),
            )
        except (OSError, ValueError, IndexError) as error:  # an empty command has no first element
            self.error = error
        self._was_started.set()
        if self._process is not None and self._process.stdout is not None:
            with self._process.stdout as stream:
                self._read(stream.fileno())
        self.has_ended.set()

    def _read(self, descriptor: int) -> None:
        count = 0
        while chunk := os.read(descriptor, _CHUNK_BYTES):
            count += len(chunk)
            if count > MOST_BYTES:
                self.is_too_long = True
                return
            self._chunks.append(chunk)


def _own_session() -> dict[str, Any]:
    """Return the options for `Popen` that detach a program from the terminal and from its signals."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW}
    return {"start_new_session": True}


def _kill_tree(process: subprocess.Popen[bytes]) -> None:
    """Kill a program and its children, and wait for the program to end."""
    if sys.platform == "win32":
        command = ["taskkill", "/F", "/T", "/PID", str(process.pid)]
        subprocess.run(  # noqa: S603
            command,
            env=child_environment(),
            check=False,
            capture_output=True,
            creationflags=subprocess.CREATE_NO_WINDOW,
        )
        process.kill()
    else:
        children = _descendants(process.pid)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        for child in children:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(child, signal.SIGKILL)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_ENDING_SECONDS)


def _descendants(pid: int) -> list[int]:
    """Return the processes that a process has started, also those in other process groups; Linux only."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            # The name of a program, in parentheses, can contain blanks and parentheses.
            parent = int(entry.read_bytes().rpartition(b")")[2].split()[1])
            children.setdefault(parent, []).append(int(entry.parent.name))
    found = [pid]
    for one in found:
        found += children.get(one, [])
    return found[1:]
