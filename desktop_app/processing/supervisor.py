"""Run commands for this program, and end each one with everything that it has started.

This is a child process: another instance of this program, started with the argument `_commands`. It reads JSON requests
from standard input, one per line, and runs one command at a time: `[argv, path, folder, names of variables, seconds,
quiet seconds]`. It writes one JSON array per line to standard output: `["opened", size]` when the file was found,
`["started", process ID]`, `["tick"]` several times per second, `["progress", percent]`, and finally `["ended", {…}]`,
`["refused", mode]`, `["system", errno, text, Windows error]` or `["not started", text]`.

It is a process of its own for two reasons. On Linux, `PR_SET_CHILD_SUBREAPER` makes it the parent of every process that
a command leaves behind, whatever session that is in, so that none is missed. Filemill itself would also become the
parent of programs of the user, such as a viewer that was opened from the window. And when Filemill is killed, standard
input ends, so that the command is ended even then. On other systems, the process group is ended; on Windows, the job
object.
"""

from __future__ import annotations

import ctypes
import json
import os
import queue
import re
import signal
import stat
import subprocess
import sys
import threading
import time
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Any, TextIO

from desktop_app.config.child_environment import allowed_variables, child_environment

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    Inbox = queue.SimpleQueue[tuple[Any, ...]]

KEPT_BYTES = 64 * 1024
"""How much is kept of the end of what a command prints, for each of its two streams."""
TICK_SECONDS = 0.2
TERM_SECONDS = 5.0
"""How long a command has to end after it was asked to, before it is killed."""
KILL_SECONDS = 5.0
"""How long the end of killed processes is waited for; those that a disk or share blocks do not end."""
READ_SECONDS = 2.0
"""How long the rest of the output is waited for, if a process that could not be ended keeps the pipe open."""
_READ_BYTES = 64 * 1024
_LONGEST_PROTOCOL_LINE = 4096
_LONGEST_TEXT = 1000
_PROTOCOL_LINE = re.compile(rb"^openjd_(progress|status|fail):[ \t]*([^\r\n]*)\r?\n", re.MULTILINE)
_SUBREAPER = 36
"""`PR_SET_CHILD_SUBREAPER` in Linux's `prctl.h`."""


def serve_commands(requests: Iterable[str], answers: TextIO) -> int:
    """Run the commands in requests one after another, until there are no more; return the exit code 0."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)
    inbox: Inbox = queue.SimpleQueue()

    def read_requests() -> None:
        for line in requests:
            inbox.put(("request", json.loads(line)))
        inbox.put(("end",))

    threading.Thread(target=read_requests, daemon=True).start()
    with suppress(OSError):  # nobody is waiting for an answer any more
        while True:
            match inbox.get():
                case ("request", [argv, path, folder, names, seconds, quiet_seconds]):
                    run = _Run(argv, path, folder, names, inbox)
                    if not run.follow(answers, seconds, quiet_seconds):
                        return 0
                case ("end",):
                    return 0
    return 0


class _Output:
    """What a command prints to one stream, of which only the end is kept. Read by a thread, until the stream ends.

    Attributes:
        at: When something was last printed, in seconds of the monotonic clock.
        progress, status, failure: What the last lines of the protocol of Open Job Description said.
    """

    def __init__(self, stream: IO[bytes], *, has_protocol: bool) -> None:
        self._descriptor = stream.fileno()
        self._has_protocol = has_protocol
        self._kept = bytearray()
        self._is_whole = True
        self._cut = b""
        """The beginning of a line whose end was not read yet."""
        self.at = time.monotonic()
        self.progress: float | None = None
        self.status = self.failure = ""
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self) -> None:
        with suppress(OSError):  # the stream was closed, since its reader has waited for too long
            while chunk := os.read(self._descriptor, _READ_BYTES):
                self.at = time.monotonic()
                self._kept += chunk
                if len(self._kept) > KEPT_BYTES:
                    self._is_whole = False
                    del self._kept[:-KEPT_BYTES]
                if self._has_protocol:
                    self._follow_protocol(chunk)

    def _follow_protocol(self, chunk: bytes) -> None:
        text = self._cut + chunk
        self._cut = text[text.rfind(b"\n") + 1 :][:_LONGEST_PROTOCOL_LINE]
        if b"openjd_" not in text:
            return
        for line in _PROTOCOL_LINE.finditer(text):
            said = line[2].decode("utf-8", "backslashreplace").strip()[:_LONGEST_TEXT]
            match line[1]:
                case b"progress":
                    with suppress(ValueError):
                        self.progress = min(100.0, max(0.0, float(said)))
                case b"status":
                    self.status = said
                case b"fail":
                    self.failure = said

    def tail(self) -> tuple[str, bool]:
        """Return the end of the output, and whether that is all of it."""
        return bytes(self._kept).decode("utf-8", "backslashreplace"), self._is_whole


class _Run:
    """A command that runs. Its file is examined, and the command started and waited for, on a thread.

    Args:
        argv: The program and its arguments.
        path: The file that is processed.
        folder: The working folder.
        names: The names of further environment variables for the command.
        inbox: Receives what happens, beside the requests.
    """

    def __init__(
        self,
        argv: Sequence[str],
        path: str,
        folder: str,
        names: Sequence[str],
        inbox: Inbox,
    ) -> None:
        self._argv = argv
        self._path = path
        self._folder = folder
        self._names = names
        self._inbox = inbox
        self._starting = threading.Lock()
        self._is_over = False
        self._process: subprocess.Popen[bytes] | None = None
        self._family: _Family | None = None
        self._outputs: tuple[_Output, _Output] | None = None
        self._told: float | None = None

    def follow(self, answers: TextIO, seconds: float, quiet_seconds: float) -> bool:
        """Run the command; return False if no further request will come.

        Args:
            answers: The pipe for the answers.
            seconds: The longest time that the command may take.
            quiet_seconds: The longest time for which it may print nothing; 0 for no limit.
        """
        begun = time.monotonic()
        threading.Thread(target=self._run, daemon=True).start()
        stopped = ""
        while True:
            try:
                event = self._inbox.get(timeout=TICK_SECONDS)
            except queue.Empty:
                event = ("tick",)
            match event:
                case ("end",):
                    self._end_everything()
                    return False
                case ("exited", int(code), dict(after)):
                    is_ended = self._end_everything()
                    break
                case ("refused" | "system" | "not started", *_):
                    self._say(answers, *event)
                    return True
                case _:
                    self._say(answers, *event)
            self._tell_progress(answers)
            if not stopped and (stopped := self._reached_limit(begun, seconds, quiet_seconds)):
                is_ended = self._end_everything()
                if not is_ended:  # a disk or share blocks it
                    code, after = -signal.SIGTERM, {}
                    break
        self._say(answers, "ended", self._end(code, after, stopped) | {"seconds": time.monotonic() - begun})
        return is_ended

    def _reached_limit(self, begun: float, seconds: float, quiet_seconds: float) -> str:
        """Return the limit that was reached, `time` or `quiet`; empty if none was."""
        now = time.monotonic()
        if self._outputs is None:
            return ""
        if now - begun > seconds:
            return "time"
        printed_at = max(output.at for output in self._outputs)
        return "quiet" if quiet_seconds and now - printed_at > quiet_seconds else ""

    def _run(self) -> None:
        """Examine the file, run the command, and examine the file again. Runs on a thread, since each can block."""
        try:
            before = os.stat(self._path)  # noqa: PTH116 - a Path would change a name such as "a//b"
        except OSError as error:
            self._inbox.put(("system", *_about(error)))
            return
        except ValueError as error:  # a NUL, or a surrogate that represents no byte
            self._inbox.put(("system", 0, str(error), None))
            return
        if not stat.S_ISREG(before.st_mode):
            self._inbox.put(("refused", before.st_mode))
            return
        self._inbox.put(("opened", before.st_size))
        with self._starting:
            if self._is_over:
                return
            try:
                process = self._process = _start(self._argv, self._folder, self._names)
            except (OSError, ValueError) as error:
                self._inbox.put(("not started", getattr(error, "strerror", None) or str(error)))
                return
            self._family = _Family(process)
        if process.stdout is not None and process.stderr is not None:
            self._outputs = _Output(process.stdout, has_protocol=True), _Output(process.stderr, has_protocol=False)
        self._inbox.put(("started", process.pid))
        code = process.wait()
        after: dict[str, object] = {"is_changed": False}
        try:
            found = os.stat(self._path)  # noqa: PTH116
        except OSError as error:
            after["system"] = _about(error)
        else:
            version = before.st_size, before.st_mtime_ns
            after["is_changed"] = (found.st_size, found.st_mtime_ns) != version
        self._inbox.put(("exited", code, after))

    def _tell_progress(self, answers: TextIO) -> None:
        """Report the progress if it has changed."""
        progress = None if self._outputs is None else self._outputs[0].progress
        if progress is not None and progress != self._told:
            self._told = progress
            self._say(answers, "progress", progress)

    def _say(self, answers: TextIO, *words: object) -> None:
        try:
            answers.write(json.dumps(words) + "\n")
            answers.flush()
        except OSError:
            self._end_everything()
            raise

    def _end_everything(self) -> bool:
        """End the command with all that it has started, or do not start it; return whether nothing is left."""
        with self._starting:
            self._is_over = True
        return self._family is None or self._family.end()

    def _end(self, code: int, after: Mapping[str, object], stopped: str) -> dict[str, object]:
        """Return what is known about a command that has ended."""
        end: dict[str, object] = {**after, "code": code, "stopped": stopped}
        if self._outputs is None or self._process is None:
            return end
        for name, output in zip(("out", "err"), self._outputs, strict=True):
            output.thread.join(READ_SECONDS)
            end[name], end[f"{name}_is_whole"] = output.tail()
        end["status"], end["failure"] = self._outputs[0].status, self._outputs[0].failure
        for stream in self._process.stdout, self._process.stderr:
            if stream is not None:
                stream.close()
        return end


def _about(error: OSError) -> tuple[int, str, int | None]:
    return error.errno or 0, error.strerror or str(error), getattr(error, "winerror", None)


def _environment(names: Sequence[str]) -> dict[str, str]:
    """Return the environment of a command, which contains no credentials; see `allowed_variables`."""
    return allowed_variables(child_environment(), names)


def _start(argv: Sequence[str], folder: str, names: Sequence[str]) -> subprocess.Popen[bytes]:
    """Start a command in a session of its own, or on Windows in a suspended state."""
    return subprocess.Popen(  # noqa: S603 - a command that the user has set up; no shell is involved
        list(argv),
        cwd=folder,
        env=_environment(names),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
        start_new_session=True,
        creationflags=_CREATION_FLAGS,
    )


if sys.platform == "win32":
    from ctypes import wintypes

    _CREATION_FLAGS = subprocess.CREATE_NO_WINDOW | 0x4  # suspended
    _KILL_ON_JOB_CLOSE = 0x2000
    _EXTENDED_LIMITS = 9

    class _BasicLimits(ctypes.Structure):
        _fields_ = (
            ("process_time", wintypes.LARGE_INTEGER),
            ("job_time", wintypes.LARGE_INTEGER),
            ("flags", wintypes.DWORD),
            ("least_working_set", ctypes.c_size_t),
            ("most_working_set", ctypes.c_size_t),
            ("most_processes", wintypes.DWORD),
            ("affinity", ctypes.c_size_t),
            ("priority", wintypes.DWORD),
            ("scheduling", wintypes.DWORD),
        )

    class _Limits(ctypes.Structure):
        _fields_ = (
            ("basic", _BasicLimits),
            ("io", ctypes.c_ulonglong * 6),
            ("sizes", ctypes.c_size_t * 4),
        )

    class _Family:
        """A command and all processes that it starts: a job object, which ends them when it is closed.

        Args:
            process: The command, which is suspended until it is in the job object.
        """

        def __init__(self, process: subprocess.Popen[bytes]) -> None:
            kernel = self._kernel = ctypes.WinDLL("kernel32", use_last_error=True)
            kernel.CreateJobObjectW.restype = wintypes.HANDLE
            self._job = wintypes.HANDLE(kernel.CreateJobObjectW(None, None))
            limits = _Limits()
            limits.basic.flags = _KILL_ON_JOB_CLOSE
            kernel.SetInformationJobObject(self._job, _EXTENDED_LIMITS, ctypes.byref(limits), ctypes.sizeof(limits))
            handle = wintypes.HANDLE(int(vars(process)["_handle"]))  # the standard library has no other access
            kernel.AssignProcessToJobObject(self._job, handle)
            ctypes.WinDLL("ntdll").NtResumeProcess(handle)

        def end(self) -> bool:
            """End all processes, and return True. Can be called more than once."""
            if self._job.value:
                self._kernel.TerminateJobObject(self._job, 1)
                self._kernel.CloseHandle(self._job)
                self._job = wintypes.HANDLE()
            return True

else:
    _CREATION_FLAGS = 0

    class _Family:
        """A command and all processes that it starts.

        Args:
            process: The command, which leads a process group.
        """

        def __init__(self, process: subprocess.Popen[bytes]) -> None:
            self._process = process

        def end(self) -> bool:
            """Ask all processes to end, and kill those that do not within `TERM_SECONDS`; return whether none is left.

            Can be called more than once.
            """
            return self._send(signal.SIGTERM, time.monotonic() + TERM_SECONDS) or self._send(
                signal.SIGKILL, time.monotonic() + KILL_SECONDS
            )

        def _send(self, number: signal.Signals, end: float) -> bool:
            """Send a signal to all processes once, and wait for their end; return whether none is left."""
            signalled: set[int] = set()
            pause_s = 0.001
            while not self._has_ended():
                group = self._process.pid
                if group not in signalled and self._has_group():
                    signalled.add(group)
                    with suppress(ProcessLookupError, PermissionError):
                        os.killpg(group, number)
                for child in _children() - signalled:
                    signalled.add(child)
                    with suppress(ProcessLookupError, PermissionError):
                        os.kill(child, number)
                if time.monotonic() > end:
                    return False
                time.sleep(pause_s)
                pause_s = min(2 * pause_s, 0.05)
            return True

        def _has_group(self) -> bool:
            """Return whether the process group can't be another one that has got the same number since."""
            return self._process.returncode is None or sys.platform != "linux"

        def _has_ended(self) -> bool:
            if self._process.returncode is None:
                return False
            if sys.platform != "linux":
                try:
                    os.killpg(self._process.pid, 0)
                except (ProcessLookupError, PermissionError):
                    return True
                return False
            try:
                while os.waitpid(-1, os.WNOHANG)[0]:  # what the command has left behind, and has ended
                    pass
            except ChildProcessError:
                return True
            return False


def _children() -> set[int]:
    """Return the process IDs of the children of this process; none on systems other than Linux."""
    found = set[int]()
    if sys.platform != "linux":
        return found
    own = os.getpid()
    for name in os.listdir("/proc"):  # noqa: PTH208 - only the names are needed
        if name.isdigit():
            with suppress(OSError), open(f"/proc/{name}/stat", "rb") as stream:  # noqa: PTH123
                # The name of the program is in parentheses and can contain anything.
                if int(stream.read().rpartition(b")")[2].split()[1]) == own:
                    found.add(int(name))
    return found
