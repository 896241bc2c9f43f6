"""The embedded queue as a program sees it: join the server that runs for this folder, or start it.

The server (`local_server.py`) is a process of its own, shared by all programs on one folder. Each holds a lifeline to
it, a TCP connection that the kernel closes however the program ends; the server ends with the last of them.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

import filelock

from desktop_app.domain.errors import Cause, QueueError, QueueTrouble
from desktop_app.domain.sentences import Sentence
from desktop_app.queues.local_facts import LINE_LIMIT, LOOPBACK, ServerFacts, greeting, read_facts
from desktop_app.queues.local_server import ALREADY_RUNNING, log_file
from desktop_app.spawn import own_command, own_environment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_ANSWER_SECONDS = 5.0
_LOOK_SECONDS = 0.02
if sys.platform == "win32":
    _CREATION_FLAGS = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
else:
    _CREATION_FLAGS = 0


class LocalQueue:
    """A lifeline to the running server. Any thread.

    Args:
        facts: What the server said on it.
        lifeline: The open connection, not blocking; this object closes it.
    """

    def __init__(self, facts: ServerFacts, lifeline: socket.socket) -> None:
        self._facts = facts
        self._lock = threading.Lock()
        self._lifeline: socket.socket | None = lifeline

    @classmethod
    def attach(cls, run_folder: Path, *, command: Sequence[str] | None = None, timeout: float = 30.0) -> LocalQueue:
        """Join the server of this folder, or start one. Blocks; programs that attach at once share one server.

        Args:
            run_folder: Where locks and addresses of running programs lie; made if it is not there.
            command: What starts a server; by default this same program with its hidden sub-command.
            timeout: Seconds to wait at most, for others that are just starting it and for the start itself.

        Raises:
            QueueError: If there is none within that time (OFFLINE), or it can't be started here (SETUP).
        """
        deadline = time.monotonic() + timeout
        run_folder = run_folder.absolute()  # the server has another current directory
        try:
            run_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with filelock.FileLock(run_folder / "local-queue.lock", timeout=timeout, mode=0o600):
                found = read_facts(run_folder)
                joined = _join(found, deadline)
                return joined or _start(run_folder, command or _own_command(run_folder), deadline, stale=found)
        except filelock.Timeout as error:
            raise _no_answer(run_folder) from error
        except OSError as error:
            raise QueueError(
                Sentence(
                    "{folder}: {reason}. Make that folder writable or set FILEMILL_HOME to another one; if it is, "
                    "install the program again.",
                    folder=run_folder,
                    reason=error.strerror or error,
                ),
                title=Sentence("The local queue can't start"),
                trouble=QueueTrouble.SETUP,
                cause=Cause.LOCAL_QUEUE,
                detail=str(error),
            ) from error

    @property
    def endpoint_url(self) -> str:
        """Where SQS answers; for any region and any credentials."""
        return self._facts.endpoint_url

    @property
    def queue_url(self) -> str:
        """The standard queue that is there from the start."""
        return self._facts.queue_url

    @property
    def instance_id(self) -> str:
        """New with each start of the server, which knows no message of the one before."""
        return self._facts.instance_id

    def alive(self) -> bool:
        """Whether the server still runs; does not block. False after `close`."""
        with self._lock:
            if self._lifeline is None:
                return False
            try:
                return bool(self._lifeline.recv(1, socket.MSG_PEEK))
            except BlockingIOError:
                return True
            except OSError:
                return False

    def close(self) -> None:
        """Let go of the server, which ends soon if nobody else holds it. Safe to call twice."""
        with self._lock:
            if self._lifeline is not None:
                self._lifeline.close()
                self._lifeline = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _join(facts: ServerFacts | None, deadline: float) -> LocalQueue | None:
    """A lifeline to the server with these facts; None if there is none, or none that answers as that one."""
    if facts is None:
        return None
    patience = max(_LOOK_SECONDS, min(_ANSWER_SECONDS, deadline - time.monotonic()))
    try:
        lifeline = socket.create_connection((LOOPBACK, facts.control_port), timeout=patience)
    except OSError:
        return None
    try:
        lifeline.sendall(greeting(facts.token))
        with lifeline.makefile("rb") as answer:
            is_the_one = ServerFacts.from_line(answer.readline(LINE_LIMIT)) == facts
    except (OSError, ValueError):
        is_the_one = False
    if not is_the_one:
        lifeline.close()
        return None
    lifeline.setblocking(False)
    return LocalQueue(facts, lifeline)


def _start(run_folder: Path, command: Sequence[str], deadline: float, stale: ServerFacts | None) -> LocalQueue:
    """Start a server and join it, or another one that was just starting without us.

    Args:
        run_folder: See `LocalQueue.attach`; so `command`.
        command: What starts a server.
        deadline: Of `time.monotonic`.
        stale: Facts that nobody answered to; asked again only if a new server finds that the old one still runs.
    """
    child: _Child | None = None
    while time.monotonic() < deadline:
        child = child or _Child(run_folder, command)
        has_ended = child.ended.wait(_LOOK_SECONDS)
        facts = read_facts(run_folder)
        joined = _join(facts, deadline) if facts != stale else None
        if joined is not None:
            return joined
        if has_ended and child.exit_code != ALREADY_RUNNING:
            raise QueueError(
                Sentence(
                    "It ended as soon as it was started; {log} says why. If that does not help, install the program "
                    "again, or use another queue.",
                    log=log_file(run_folder),
                ),
                title=Sentence("The local queue can't start"),
                trouble=QueueTrouble.SETUP,
                cause=Cause.LOCAL_QUEUE,
                detail=_last_line(log_file(run_folder)) or f"exit code {child.exit_code}",
            )
        if has_ended:
            child = stale = None
    raise _no_answer(run_folder)


class _Child:
    """A server process that we started. It is waited for in the background: else it would stay listed when it is dead.

    Raises:
        OSError: If it can't be started.
    """

    def __init__(self, run_folder: Path, command: Sequence[str]) -> None:
        self.ended = threading.Event()
        self.exit_code = 0
        log = os.open(log_file(run_folder), os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
        try:
            process = subprocess.Popen(  # noqa: S603 - our own program
                list(command),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # The disk that the program itself lies on is pinned anyway; no other one may be.
                cwd=Path(sys.executable).anchor or os.sep,
                env=_environment(os.environ),
                # Ctrl+C and a closed terminal are meant for us, not for the server.
                start_new_session=os.name == "posix",
                creationflags=_CREATION_FLAGS,
            )
        finally:
            os.close(log)
        threading.Thread(target=self._wait, args=(process,), name="local-queue-wait", daemon=True).start()

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        self.exit_code = process.wait()
        self.ended.set()


def _own_command(run_folder: Path) -> list[str]:
    """This program once more, as the server."""
    return own_command("_local-queue", str(run_folder))


def _environment(inherited: Mapping[str, str]) -> dict[str, str]:
    """What the server may see: nothing that turns it towards AWS, a proxy or other behaviour of moto."""
    environment = {name: value for name, value in inherited.items() if not _is_harmful(name.upper())}
    # moto imports boto3, which reads the user's files at once and may stumble over them.
    environment["AWS_CONFIG_FILE"] = environment["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull
    return own_environment(environment)


def _is_harmful(name: str) -> bool:
    return name.startswith(("AWS_", "MOTO_")) or name.endswith("_PROXY") or name == "PYTHONWARNINGS"


def _no_answer(run_folder: Path) -> QueueError:
    facts = read_facts(run_folder)
    return QueueError(
        Sentence("If this computer is very busy, wait; else end the process {pid}.", pid=facts.pid)
        if facts
        else Sentence("If this computer is very busy, wait: it is tried again."),
        title=Sentence("The local queue does not answer in time"),
        trouble=QueueTrouble.OFFLINE,
        cause=Cause.LOCAL_QUEUE,
        detail=_last_line(log_file(run_folder)),
    )


def _last_line(path: Path) -> str:
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
    except OSError:
        return ""
    return next((line.strip() for line in reversed(lines) if line.strip()), "")
