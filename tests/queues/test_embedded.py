"""The embedded queue beyond the client's contract: its file, its programs, and errors of both."""

from __future__ import annotations

import multiprocessing
import os
import sqlite3
import stat
import sys
import threading
import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from desktop_app.domain.errors import Cause, QueueError, QueueTrouble
from desktop_app.queues import embedded
from desktop_app.queues.embedded import RETENTION_SECONDS, EmbeddedQueue
from desktop_app.queues.messages import MAX_ENTRIES, ForeignMessageError, Outgoing, decode
from tests.helpers import wait_until
from tests.helpers.rights import without_special_rights

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from desktop_app.queues.messages import Received

    Program = Callable[..., EmbeddedQueue]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "queue"


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Return an event that is set once a receive waits for a message, so that later messages wake it."""
    waits = threading.Event()

    class WatchedCondition(threading.Condition):
        def wait(self, timeout: float | None = None) -> bool:
            waits.set()  # while the lock is held
            return super().wait(timeout)

    monkeypatch.setattr(embedded, "Condition", WatchedCondition)
    return waits


@pytest.fixture
def program(path: Path, waits: threading.Event) -> Iterator[Program]:
    """Return a function that opens the queue as another program."""
    made: list[EmbeddedQueue] = []

    def make(receiver: str = "") -> EmbeddedQueue:
        made.append(EmbeddedQueue(path, receiver=receiver))
        return made[-1]

    yield make
    for queue in made:
        queue.close()


@pytest.fixture
def queue(program: Program) -> EmbeddedQueue:
    return program("here/1")


def send(queue: EmbeddedQueue, *bodies: str) -> None:
    assert all(result.is_done for result in queue.send([Outgoing(body) for body in bodies]))


def receive(queue: EmbeddedQueue, *, limit: int = 10, wait_s: int = 0, visibility_s: int = 60) -> list[Received]:
    return queue.receive(limit=limit, wait_s=wait_s, visibility_s=visibility_s)


def bodies(queue: EmbeddedQueue, **options: int) -> list[str]:
    return [message.body for message in receive(queue, **options)]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Return a function that moves the computer's clock by some seconds."""
    off = [0]
    monkeypatch.setattr(embedded, "_now_ms", lambda: time.time_ns() // 1_000_000 + off[0])

    def move(seconds: int) -> None:
        off[0] += seconds * 1000

    return move


# Messages


def test_messages_outlive_the_program(program: Program) -> None:
    first = program()
    send(first, "a", "b")
    (taken,) = receive(first, limit=1)
    created_at = first.state().created_at_ms
    first.close()
    again = program()
    assert again.state().created_at_ms == created_at
    assert (again.state().visible, again.state().in_flight) == (1, 1)
    assert bodies(again) == ["b"]
    assert again.delete([taken.receipt_handle])[0].is_done
    assert again.state().total == 1


def test_messages_arrive_in_the_order_of_sending(queue: EmbeddedQueue) -> None:
    send(queue, *(f"{number:02}" for number in range(25)))
    assert [bodies(queue), bodies(queue), bodies(queue)] == [
        [f"{number:02}" for number in range(start, min(start + 10, 25))] for start in (0, 10, 20)
    ]


def test_released_messages_do_not_wait_behind_new_ones(queue: EmbeddedQueue, clock: Callable[[int], None]) -> None:
    send(queue, "first")
    receive(queue, visibility_s=30)
    send(queue, *(f"new {number}" for number in range(20)))
    assert "first" not in bodies(queue, limit=1)
    clock(31)
    assert bodies(queue, limit=1) == ["first"]


def test_visibility_is_counted_from_its_last_change(queue: EmbeddedQueue, clock: Callable[[int], None]) -> None:
    send(queue, "a")
    (message,) = receive(queue, visibility_s=30)
    clock(20)
    assert queue.change_visibility([(message.receipt_handle, 30)])[0].is_done
    clock(20)
    assert receive(queue) == []
    clock(11)
    assert bodies(queue) == ["a"]


def test_handle_ends_with_the_next_receive(queue: EmbeddedQueue) -> None:
    send(queue, "a")
    (old,) = receive(queue, visibility_s=0)
    (new,) = receive(queue)
    assert new.receive_count == 2
    assert queue.delete([old.receipt_handle])[0].is_done, "as SQS says; nothing is deleted"
    assert queue.change_visibility([(old.receipt_handle, 0)])[0].trouble is QueueTrouble.LEASE_LOST
    assert queue.state().in_flight == 1
    assert queue.delete([new.receipt_handle])[0].is_done
    assert queue.state().total == 0


def test_handle_of_a_deleted_queue_is_invalid_in_the_next(queue: EmbeddedQueue, path: Path) -> None:
    send(queue, "a")
    (old,) = receive(queue)
    path.unlink()
    send(queue, "b")
    (new,) = receive(queue)
    assert old.receipt_handle.split(".")[:2] == new.receipt_handle.split(".")[:2]
    queue.delete([old.receipt_handle])
    assert queue.change_visibility([(old.receipt_handle, 0)])[0].trouble is QueueTrouble.LEASE_LOST
    assert queue.state().in_flight == 1


def test_messages_older_than_the_retention_are_deleted(queue: EmbeddedQueue, clock: Callable[[int], None]) -> None:
    send(queue, "old")
    clock(RETENTION_SECONDS - 10)
    send(queue, "young")
    assert (queue.state().total, queue.state().retention_s) == (2, RETENTION_SECONDS)
    clock(20)
    assert queue.state().total == 1
    assert bodies(queue) == ["young"]


def test_clock_set_back_hides_no_waiting_message(queue: EmbeddedQueue, clock: Callable[[int], None]) -> None:
    clock(3600)
    send(queue, "a", "b")
    (given_back,) = receive(queue, limit=1)
    queue.change_visibility([(given_back.receipt_handle, 0)])
    clock(-3600)
    assert bodies(queue) == ["a", "b"]


def test_clock_a_year_ahead_hides_no_message_for_a_year(queue: EmbeddedQueue, clock: Callable[[int], None]) -> None:
    send(queue, "a")
    clock(365 * 24 * 3600)
    receive(queue)
    clock(-365 * 24 * 3600)
    assert queue.state().visible == 1
    assert bodies(queue) == ["a"]


# Waiting


def test_send_in_the_same_process_wakes_a_receive_at_once(
    queue: EmbeddedQueue, waits: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "POLL_SECONDS", 60)
    received: list[str] = []
    poll = threading.Thread(target=lambda: received.extend(bodies(queue, wait_s=20)))
    poll.start()
    assert waits.wait(10)
    send(queue, "a")
    poll.join(10)
    assert received == ["a"]


def test_released_message_wakes_a_receive_at_once(
    queue: EmbeddedQueue, waits: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "POLL_SECONDS", 60)
    send(queue, "a")
    (message,) = receive(queue)
    received: list[str] = []
    poll = threading.Thread(target=lambda: received.extend(bodies(queue, wait_s=20)))
    poll.start()
    assert waits.wait(10)
    queue.change_visibility([(message.receipt_handle, 0)])
    poll.join(10)
    assert received == ["a"]


def test_message_of_another_program_is_received(program: Program, waits: threading.Event) -> None:
    here, there = program(), program()
    received: list[str] = []
    poll = threading.Thread(target=lambda: received.extend(bodies(here, wait_s=20)))
    poll.start()
    assert waits.wait(10)
    send(there, "a")
    poll.join(10)
    assert received == ["a"]


def test_waiting_receive_gets_a_message_that_becomes_visible(queue: EmbeddedQueue) -> None:
    send(queue, "a")
    receive(queue, visibility_s=1)
    assert bodies(queue, wait_s=10) == ["a"]


def test_closing_ends_a_waiting_receive(queue: EmbeddedQueue, waits: threading.Event) -> None:
    refused: list[QueueError] = []

    def poll() -> None:
        with pytest.raises(QueueError) as closed:
            receive(queue, wait_s=20)
        refused.append(closed.value)

    thread = threading.Thread(target=poll)
    thread.start()
    assert waits.wait(10)
    queue.close()
    queue.close()
    thread.join(5)
    assert [error.trouble for error in refused] == [QueueTrouble.OFFLINE]
    with pytest.raises(QueueError, match="has been closed"):
        queue.connect()


def test_closing_does_not_wait_for_a_hung_call(queue: EmbeddedQueue, path: Path) -> None:
    """As if another program was suspended in the middle of a write."""
    send(queue, "a")
    ended: list[object] = []

    def call() -> None:
        try:
            ended.append(queue.send([Outgoing("b")]))
        except QueueError as error:
            ended.append(error.trouble)

    with closing(sqlite3.connect(path)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        thread = threading.Thread(target=call)
        thread.start()
        wait_until(lambda: not _can_be_had(queue._turn), what="the call has begun")
        begun = time.monotonic()
        queue.close()
        assert time.monotonic() - begun < 1
        assert not ended
    thread.join(20)
    assert len(ended) == 1
    assert queue._connection is None


def _can_be_had(turn: threading.Condition) -> bool:
    if turn.acquire(blocking=False):
        turn.release()
        return True
    return False


# Programs


def _send_and_receive(path: Path, name: str, count: int, out: multiprocessing.Queue[list[str]]) -> None:
    got: list[str] = []
    with closing(EmbeddedQueue(path, receiver=name)) as queue:
        for start in range(0, count, MAX_ENTRIES):
            send(queue, *(f"{name} {number}" for number in range(start, start + MAX_ENTRIES)))
            messages = receive(queue)
            assert all(result.is_done for result in queue.delete([message.receipt_handle for message in messages]))
            got += [message.body for message in messages]
    out.put(got)


def test_programs_that_start_at_once_share_the_file_and_get_each_message_once(path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    out: multiprocessing.Queue[list[str]] = context.Queue()
    names = [f"p{number}" for number in range(3)]
    processes = [context.Process(target=_send_and_receive, args=(path, name, 200, out)) for name in names]
    for process in processes:
        process.start()
    got = [body for _ in processes for body in out.get(timeout=60)]
    for process in processes:
        process.join(30)
        assert process.exitcode == 0
    assert sorted(got) == sorted(f"{name} {number}" for name in names for number in range(200))
    with closing(EmbeddedQueue(path)) as queue:
        assert queue.state().total == 0


def test_threads_share_it(queue: EmbeddedQueue) -> None:
    send(queue, *(str(number) for number in range(400)))
    got: list[str] = []

    def consume() -> None:
        while messages := receive(queue):
            queue.delete([message.receipt_handle for message in messages])
            got.extend(message.body for message in messages)

    threads = [threading.Thread(target=consume) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(got, key=int) == [str(number) for number in range(400)]


def test_messages_of_a_dead_program_are_visible_at_once_to_another(program: Program) -> None:
    dead, alive, nameless, here = program("h/dead"), program("h/alive"), program(), program("h/here")
    send(here, "a", "b", "c", "d")
    for one in (dead, alive, nameless):
        receive(one, limit=1)
    asked: list[str] = []

    def is_alive(name: str) -> bool:
        asked.append(name)
        return name != "h/dead"

    here.release_abandoned(is_alive)
    assert sorted(asked) == ["h/alive", "h/dead"]
    assert sorted(bodies(here)) == ["a", "d"]


# The file


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX modes")
def test_file_is_for_the_owner_only(queue: EmbeddedQueue, path: Path) -> None:
    send(queue, "a")
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert modes == {"queue": 0o600, "queue-wal": 0o600, "queue-shm": 0o600}


@pytest.mark.skipif(sys.platform == "win32", reason="an open file can't be deleted there")
def test_deleted_file_is_created_again_for_all(program: Program, path: Path) -> None:
    here, there = program(), program()
    send(here, "lost with the file")
    created_at = there.state().created_at_ms
    for file in list(path.parent.iterdir()):
        file.unlink()
    wait_until(lambda: time.time_ns() // 1_000_000 > created_at)
    send(there, "new")
    assert bodies(here) == ["new"]
    assert here.state().created_at_ms == there.state().created_at_ms > created_at


def trouble(queue: EmbeddedQueue) -> QueueError:
    """Return the error of each call, which must be the same, and that of a connection test."""
    with pytest.raises(QueueError) as known:
        queue.connect()
    with pytest.raises(QueueError):
        queue.send([Outgoing("a")])
    assert known.value.title == "The local queue can't be used"
    return known.value


def test_missing_folder_is_a_known_error(tmp_path: Path) -> None:
    with closing(EmbeddedQueue(tmp_path / "gone" / "queue")) as queue:
        error = trouble(queue)
        assert (error.cause, error.trouble) == (Cause.LOCAL_QUEUE, QueueTrouble.SETUP)
        assert str(tmp_path / "gone") in error.text
        (tmp_path / "gone").mkdir()
        send(queue, "a")


@pytest.mark.parametrize("what", ["file", "folder"])
def test_read_only_file_is_a_known_error(queue: EmbeddedQueue, path: Path, what: str) -> None:
    send(queue, "a")
    queue.reset()
    locked, mode = (path, 0o400) if what == "file" else (path.parent, 0o500)
    before = stat.S_IMODE(locked.stat().st_mode)
    locked.chmod(mode)
    with without_special_rights():
        error = trouble(queue)
    locked.chmod(before)
    assert error.cause is Cause.LOCAL_QUEUE
    assert "can't be written. Check the permissions" in error.text
    assert bodies(queue) == ["a"]


def test_full_disk_is_a_known_error_and_loses_nothing(queue: EmbeddedQueue) -> None:
    send(queue, "a")
    assert queue._connection is not None
    (pages,) = queue._connection.execute("PRAGMA page_count").fetchone()
    queue._connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(QueueError, match="is full or not writable") as full:
        queue.send([Outgoing("b" * 100_000)])
    assert full.value.cause is Cause.DISK_FULL
    assert bodies(queue) == ["a"]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a small file system")  # noqa: PTH110
def test_full_disk_is_found_by_the_connection_test(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import resource
    import signal

    with closing(EmbeddedQueue(path)) as queue:
        send(queue, "a")
        queue.reset()
        # Limit the file size, so that SQLite reports a full disk.
        limit = resource.getrlimit(resource.RLIMIT_FSIZE)
        before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, limit[1]))
        try:
            with pytest.raises(QueueError) as full:
                queue.connect()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limit)
            signal.signal(signal.SIGXFSZ, before)
        assert full.value.cause is Cause.DISK_FULL
        assert bodies(queue) == ["a"]


@pytest.mark.parametrize("content", [b"no database " * 1000, b"SQLite format 3\0" + b"\xff" * 8000])
def test_damaged_file_is_a_known_error_until_it_is_deleted(queue: EmbeddedQueue, path: Path, content: bytes) -> None:
    path.write_bytes(content)
    error = trouble(queue)
    assert error.cause is Cause.LOCAL_QUEUE
    assert "is damaged. Delete it, then try again" in error.text
    path.unlink()
    send(queue, "a")
    assert bodies(queue) == ["a"]


def test_file_without_tables_is_a_known_error(queue: EmbeddedQueue, path: Path) -> None:
    send(queue, "a")
    with closing(sqlite3.connect(path)) as other:
        other.execute("DROP TABLE message")
    with pytest.raises(QueueError, match="is damaged"):
        queue.send([Outgoing("b")])


@pytest.mark.parametrize("body", ["cast(x'ff00fe' AS TEXT)", "x'ff00fe'", "12", "'[' || char(0) || ']'"])
def test_foreign_contents_block_nothing(queue: EmbeddedQueue, path: Path, body: str) -> None:
    send(queue, "before")
    with closing(sqlite3.connect(path)) as other, other:
        other.execute(f"INSERT INTO message (message_id, body, sent_at) VALUES (x'ff', {body}, 1)")
    send(queue, "after")

    received = receive(queue)

    assert [received[0].body, received[2].body] == ["before", "after"]
    with pytest.raises(ForeignMessageError):
        decode(received[1].body)


def test_message_with_any_id_can_be_deleted(queue: EmbeddedQueue, path: Path) -> None:
    """Once the largest id is used, SQLite chooses random ids of up to 19 digits."""
    send(queue, "largest")
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("UPDATE message SET id = ?", ((1 << 63) - 1,))
    send(queue, *(str(number) for number in range(20)))
    handles = [message.receipt_handle for message in receive(queue, limit=30)]

    results = queue.delete([*handles, "9999999999999999999.1.00000000-0000-0000-0000-000000000000"])

    assert [result.is_done for result in results] == [True] * 21 + [False]
    assert queue.state().total == 0


def test_file_without_its_creation_time_is_another_queue(queue: EmbeddedQueue, path: Path) -> None:
    send(queue, "waits")
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("DELETE FROM queue")

    assert queue.state().created_at_ms == 0


def test_newer_file_is_not_changed(queue: EmbeddedQueue, program: Program, path: Path) -> None:
    send(queue, "of the newer one")
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("PRAGMA user_version = 2")

    error = trouble(program("older/2"))

    assert "newer version of Filemill" in error.text
    assert (error.trouble, error.cause) == (QueueTrouble.SETUP, Cause.LOCAL_QUEUE)


def test_file_that_is_locked_too_long_is_retried(
    queue: EmbeddedQueue, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "_BUSY_SECONDS", 0.05)
    send(queue, "a")
    queue.reset()
    with closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(QueueError, match="did not respond in time") as busy:
            queue.connect()
        assert busy.value.trouble is QueueTrouble.OFFLINE
        other.rollback()
    assert bodies(queue) == ["a"]


def test_bug_is_no_known_error(queue: EmbeddedQueue) -> None:
    queue.connect()
    with pytest.raises(sqlite3.ProgrammingError), queue._write() as connection:
        connection.execute("SELECT ?")
    send(queue, "a")
    assert bodies(queue) == ["a"], "the transaction that the bug left is over"
