"""Programs that use the embedded queue, for the tests: in this process and in others."""

from __future__ import annotations

import os
import signal
import socket
import struct
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from desktop_app.queues import local
from desktop_app.queues.local import LocalQueue
from desktop_app.queues.local_facts import LOOPBACK, ServerFacts, facts_file, read_facts
from tests import helpers
from tests.sqs.kit import boto_client

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DEADLINE = 20.0
ROOT = Path(local.__file__).resolve().parents[2]
SERVE = """
import sys
from pathlib import Path
from desktop_app.queues.local_server import serve
sys.exit(serve(Path(sys.argv[1]), first_grace=3.0, grace=0.2))
"""
PROGRAM = """
import sys
from pathlib import Path
from desktop_app.queues.local import LocalQueue
run, serve = sys.argv[1:]
queue = LocalQueue.attach(Path(run), command=[sys.executable, "-c", serve, run])
print(queue.instance_id, flush=True)
sys.stdin.read()
"""
on_posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals, modes and sessions")


def serve_command(run: Path) -> list[str]:
    return [sys.executable, "-c", SERVE, str(run)]


def attach(run: Path, timeout: float = DEADLINE) -> LocalQueue:
    return LocalQueue.attach(run, command=serve_command(run), timeout=timeout)


def wait_until(condition: Callable[[], bool], what: str) -> None:
    helpers.wait_until(condition, DEADLINE, what)


def facts_of(run: Path) -> ServerFacts:
    facts = read_facts(run)
    assert facts is not None
    return facts


def is_listening(port: int) -> bool:
    try:
        socket.create_connection((LOOPBACK, port), timeout=5).close()
    except OSError:
        return False
    return True


def wait_until_ended(run: Path, facts: ServerFacts) -> None:
    wait_until(lambda: not is_listening(facts.control_port), "the control port is closed")
    wait_until(lambda: not is_listening(int(facts.endpoint_url.rpartition(":")[2])), "the endpoint is closed")
    assert not facts_file(run).exists()


def kill(pid: int) -> None:
    if sys.platform == "win32":
        os.kill(pid, signal.SIGTERM)
    else:
        os.kill(pid, signal.SIGKILL)


def sqs(queue: LocalQueue, region: str = "us-east-1") -> Any:
    return boto_client(endpoint_url=queue.endpoint_url, region_name=region)


class Program:
    """Another program on the same folder, in a process of its own, that holds the queue until it ends."""

    def __init__(self, run: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(run), SERVE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
        )

    def instance_id(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()

    def end(self) -> None:
        self._process.communicate("")
        assert self._process.returncode == 0


def waiting_for_servers() -> set[threading.Thread]:
    """Each stands for a server that we started and that still runs."""
    return {thread for thread in threading.enumerate() if thread.name == "local-queue-wait"}


@contextmanager
def no_server_left() -> Iterator[None]:
    """Checks that no server that was started inside is left behind."""
    before = waiting_for_servers()
    yield
    wait_until(lambda: waiting_for_servers() <= before, "all servers have ended")


def reset_at_close(connection: socket.socket) -> None:
    """Let the connection end by a reset, as that of a killed program may."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
