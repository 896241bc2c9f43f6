"""The embedded queue's server process: moto's SQS on loopback, for as long as a program of this user needs it."""

from __future__ import annotations

import logging
import os
import secrets
import signal
import socket
import sys
import threading
import time
import uuid
from typing import TYPE_CHECKING

import filelock

from desktop_app.queues.local_facts import LOOPBACK, ServerFacts, read_facts, remove_facts, write_facts
from desktop_app.queues.local_lifelines import Lifelines

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

QUEUE_NAME = "filemill"
ALREADY_RUNNING = 3
"""The exit code of a server that found another one on its folder."""
_QUEUE_ATTRIBUTES = {"VisibilityTimeout": "30", "MessageRetentionPeriod": str(14 * 24 * 3600)}
_PREDECESSOR_SECONDS = 5.0
_LOOK_SECONDS = 0.2
_SLEEP_LONG = 3600.0

_log = logging.getLogger(__name__)


def log_file(run_folder: Path) -> Path:
    """What the server has to say."""
    return run_folder / "local-queue.log"


def serve(run_folder: Path, *, first_grace: float = 10.0, grace: float = 1.0) -> int:
    """Be the server of one run folder until its last program has gone, or until SIGTERM or SIGINT. Main thread only.

    A lock that the kernel lets go of with the process makes sure that a folder has one server, whatever else happens.

    Args:
        run_folder: Where the facts, the log and the lock lie; it must be there.
        first_grace: Seconds that the first program has to come.
        grace: Seconds without any program after which the server ends.

    Returns:
        The exit code: 0, or `ALREADY_RUNNING`.
    """
    _start_log(run_folder)
    held = _wait_for_turn(run_folder)
    if held is None:
        _log.warning("another server runs on %s", run_folder)
        return ALREADY_RUNNING
    with held, _stop_signals() as stop:
        _serve_alone(run_folder, stop, first_grace=first_grace, grace=grace)
    return 0


def _wait_for_turn(run_folder: Path) -> AbstractContextManager[object] | None:
    """The lock of the folder's one server; None if another one keeps it, which may take a moment to see.

    One that has left its facts and listens is there to stay; any other may just be starting, or ending.
    """
    only_one = filelock.FileLock(run_folder / "local-queue.server.lock", mode=0o600)
    last_try = time.monotonic() + _PREDECESSOR_SECONDS
    while time.monotonic() < last_try:
        try:
            return only_one.acquire(timeout=_LOOK_SECONDS)
        except filelock.Timeout:
            facts = read_facts(run_folder)
            if facts is not None and _is_listening(facts.control_port):
                break
    return None


def _is_listening(port: int) -> bool:
    try:
        socket.create_connection((LOOPBACK, port), timeout=_LOOK_SECONDS).close()
    except OSError:
        return False
    return True


def _serve_alone(run_folder: Path, stop: socket.socket, *, first_grace: float, grace: float) -> None:
    # moto takes half a second to load, and reads this when it does: web pages have no business here.
    os.environ["MOTO_DISABLE_GLOBAL_CORS"] = "1"
    from desktop_app.queues.local_http import SqsHttpServer
    from desktop_app.queues.local_moto import SqsApplication

    application = SqsApplication()
    with SqsHttpServer(application) as http, socket.create_server((LOOPBACK, 0)) as listener:
        host = f"{LOOPBACK}:{http.port}"
        facts = ServerFacts(
            pid=os.getpid(),
            control_port=listener.getsockname()[1],
            token=secrets.token_urlsafe(32),
            endpoint_url=f"http://{host}",
            queue_url=application.create_queue(QUEUE_NAME, _QUEUE_ATTRIBUTES, host),
            instance_id=str(uuid.uuid4()),
        )
        # It is never shut down, it ends with the process: so its look at a stop flag may be rare.
        threading.Thread(target=http.serve_forever, args=(_SLEEP_LONG,), name="http", daemon=True).start()
        write_facts(run_folder, facts)
        _log.info("serving on %s", facts.endpoint_url)
        try:
            Lifelines(listener, facts, first_grace=first_grace, grace=grace).run(stop)
        finally:
            remove_facts(run_folder, facts)
        _log.info("ended")


def _stop_signals() -> socket.socket:
    """A socket that has something to read once SIGTERM or SIGINT has come; a select wakes up by it everywhere."""
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    # The other end must live as long as the process.
    signal.set_wakeup_fd(writer.detach())
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    return reader


def _start_log(run_folder: Path) -> None:
    """Log to what the starting program gave as stderr; a frozen windowed program on Windows has none."""
    handler = logging.StreamHandler() if sys.stderr else logging.FileHandler(log_file(run_folder), encoding="utf-8")
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", handlers=[handler]
    )
