"""The numbered points at which a program is killed. Only for a child process, whose classes it patches.

Each point arms the child: the n-th pass kills it with SIGKILL, which leaves it no time to clean up.
"""

from __future__ import annotations

import os
import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

from botocore.httpsession import URLLib3Session

import desktop_app.processing.outputs as outputs_module
import desktop_app.services.consuming.results as results_module
import desktop_app.store.adding as intake_module
from desktop_app.processing.outputs import Outputs
from desktop_app.queues.client import BotoClient
from desktop_app.queues.embedded import EmbeddedQueue
from desktop_app.services.consuming.worker_pool import WorkerPool, _MessageWatch
from desktop_app.store.adding import Intake
from desktop_app.store.claims import Claims
from desktop_app.store.database import Database
from desktop_app.store.outbox import Outbox
from desktop_app.store.results import Work

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator

    Arm = Callable[[], None]


def die() -> NoReturn:
    """Kill this process: nothing is flushed, no `finally` runs."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("alive after SIGKILL")


class _Nth:
    """Returns True once, at the n-th call. Any thread."""

    def __init__(self, number: int) -> None:
        self._left = number
        self._lock = threading.Lock()

    def __call__(self) -> bool:
        with self._lock:
            self._left -= 1
            return self._left == 0


def before(owner: Any, name: str, nth: int = 1) -> Arm:
    """Kill before a function runs."""

    def arm() -> None:
        original, is_it = getattr(owner, name), _Nth(nth)

        def wrapper(*args: Any, **kwargs: Any) -> Any:
            if is_it():
                die()
            return original(*args, **kwargs)

        setattr(owner, name, wrapper)

    return arm


def after(owner: Any, name: str, nth: int = 1) -> Arm:
    """Kill after a function has run, before it returns."""

    def arm() -> None:
        original, is_it = getattr(owner, name), _Nth(nth)

        def wrapper(*args: Any, **kwargs: Any) -> Any:
            result = original(*args, **kwargs)
            if is_it():
                die()
            return result

        setattr(owner, name, wrapper)

    return arm


def at_commit(owner: Any, name: str, nth: int = 1) -> Arm:
    """Kill at the end of a function's transaction, before the commit."""

    def arm() -> None:
        original, is_it, inside = getattr(owner, name), _Nth(nth), threading.local()
        write = Database.write

        def wrapper(*args: Any, **kwargs: Any) -> Any:
            inside.is_it = is_it()
            try:
                return original(*args, **kwargs)
            finally:
                inside.is_it = False

        @contextmanager
        def writing(self: Database, *, durable: bool = False, epoch: int | None = None) -> Iterator[int]:
            with write(self, durable=durable, epoch=epoch) as revision:
                yield revision
                if getattr(inside, "is_it", False):
                    die()

        setattr(owner, name, wrapper)
        Database.write = writing  # type: ignore[method-assign]

    return arm


def in_transaction(name: str, nth: int = 1) -> Arm:
    """Kill at the end of a transaction of the embedded queue, before the commit."""

    def arm() -> None:
        original, is_it, inside = getattr(EmbeddedQueue, name), _Nth(nth), threading.local()
        write = EmbeddedQueue._write

        def wrapper(*args: Any, **kwargs: Any) -> Any:
            inside.is_it = is_it()
            try:
                return original(*args, **kwargs)
            finally:
                inside.is_it = False

        @contextmanager
        def writing(self: EmbeddedQueue) -> Iterator[sqlite3.Connection]:
            with write(self) as connection:
                yield connection
                if getattr(inside, "is_it", False):
                    die()

        setattr(EmbeddedQueue, name, wrapper)
        EmbeddedQueue._write = writing  # type: ignore[method-assign]

    return arm


def after_request(operation: str, nth: int = 1) -> Arm:
    """Kill after the queue has executed a request, before the response is read."""

    def arm() -> None:
        original, is_it = URLLib3Session.send, _Nth(nth)

        def send(self: Any, request: Any) -> Any:
            reply = original(self, request)
            target = request.headers["X-Amz-Target"]
            text = target.decode() if isinstance(target, bytes) else str(target)
            if text == f"AmazonSQS.{operation}" and is_it():
                die()
            return reply

        URLLib3Session.send = send  # type: ignore[method-assign]

    return arm


SENDER: dict[str, Arm] = {
    "P0 before the claim is committed": at_commit(Outbox, "claim"),
    "P1 after the claim": after(Outbox, "claim"),
    "P2 sent, reply not read": after_request("SendMessageBatch", 2),
    "P3 reply read, not noted": after(BotoClient, "send", 2),
    "P3 before the note is committed": at_commit(Outbox, "mark_sent"),
    "P4 after the note": after(Outbox, "mark_sent"),
}
CONSUMER: dict[str, Arm] = {
    "C0 received, reply not read": after_request("ReceiveMessage"),
    "C0 received, not claimed": before(Claims, "claim"),
    "C0 before the claim is committed": at_commit(Claims, "claim"),
    "C1 after the claim, before the work": after(Claims, "claim"),
    "C2 in the middle of the work": before(_MessageWatch, "cancelled", 2),  # called before each chunk
    "C3 after the work": after(WorkerPool, "_outcome"),
    "C3 before the result is committed": at_commit(Work, "finish"),
    "C4 after the commit, before the delete": before(results_module, "_log_end"),
    "C4 on the way into the delete": before(BotoClient, "delete"),
    "C5 deleted, reply not read": after_request("DeleteMessageBatch"),
    "C6 reply to the delete read": after(BotoClient, "delete"),
}
RELEASE: dict[str, Arm] = {
    "R0 before the row's return is committed": at_commit(Work, "give_back"),
    "R1 after the row's return": after(Work, "give_back"),
    "R2 on the way into the release": before(BotoClient, "change_visibility"),
    "R3 released, reply not read": after_request("ChangeMessageVisibilityBatch"),
    "R4 reply to the release read": after(BotoClient, "change_visibility"),
}
HEARTBEAT: dict[str, Arm] = {
    "H0 row extended, message not": after(Work, "extend"),
    "H1 message extended, reply not read": after_request("ChangeMessageVisibilityBatch"),
}
RECOVERY: dict[str, Arm] = {
    "F0 before the dead worker's rows are free": at_commit(Claims, "free_dead_leases"),
    "F1 after the dead worker's rows are free": after(Claims, "free_dead_leases"),
}
INTAKE: dict[str, Arm] = {
    "I0 between the rows and the outbox": before(intake_module, "enqueue"),
    "I1 before the commit": at_commit(Intake, "add"),
    "I2 in the second part, between the rows and the outbox": before(intake_module, "enqueue", 2),
    "I3 after the commit": after(Intake, "add"),
}
DEAD_LETTERS: dict[str, Arm] = {
    "D0 before the row's end is committed": at_commit(Claims, "dead_letter"),
    "D1 after the row's end": after(Claims, "dead_letter"),
    "D2 deleted, reply not read": after_request("DeleteMessageBatch"),
}
RETRY: dict[str, Arm] = {
    "G0 before the new generation is committed": at_commit(Intake, "retry"),
    "G1 after the new generation": after(Intake, "retry"),
}
EMBEDDED: dict[str, Arm] = {
    "E0 before the messages are committed": in_transaction("send"),
    "E1 sent, not noted": after(EmbeddedQueue, "send"),
    "E2 received, not claimed": after(EmbeddedQueue, "_take", 2),
    "E3 before the delete is committed": in_transaction("delete"),
    "E4 deleted": after(EmbeddedQueue, "delete"),
    "E5 before the messages of the dead are released": before(EmbeddedQueue, "release_abandoned"),
    "E6 after the messages of the dead are released": after(EmbeddedQueue, "release_abandoned"),
}
"""Kill before an operation of the embedded queue."""
PUBLISHING: dict[str, Arm] = {
    "O0 after the command": before(Outputs, "check"),
    "O1 output checked, result not reported": after(Outputs, "check", 2),
    "O2 before the result is committed": at_commit(Work, "finish"),
    "O3 committed, nothing published": before(Outputs, "publish"),
    "O4 one file is published": before(outputs_module, "_rename_new", 2),
    "O5 in the middle of publishing into a folder that exists": before(outputs_module, "_rename_new", 6),
    "O6 published, still recorded": before(Outputs, "_forget"),
    "O7 published": after(Outputs, "publish"),
}
ALL = PUBLISHING | SENDER | CONSUMER | RELEASE | HEARTBEAT | RECOVERY | INTAKE | DEAD_LETTERS | RETRY | EMBEDDED
