"""Measure the messages per second through the embedded queue in batches of ten, depending on how many wait in it.

    python -m tests.benchmarks.embedded_queue [SECONDS]

The limit is a bare loop of `sqlite3` with fixed statements on the same file. Both take turns in one run, since
the computer may be busy: compare ratios, not runs.
"""

from __future__ import annotations

import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from desktop_app.queues import embedded
from desktop_app.queues.embedded import EmbeddedQueue
from desktop_app.queues.messages import MAX_ENTRIES, FileMessage, Outgoing, encode
from tests.benchmarks._results import at_least, note

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from desktop_app.queues.client import QueueClient

DEPTHS = (10, 1_000, 100_000)
SECONDS = 2.0
TURNS = 10
LEAST_OF_BARE = 0.35
LEAST_OF_SHALLOW = 0.5
BODY = encode(FileMessage("00000000-0000-4000-8000-000000000000", 1))
TEN = [Outgoing(BODY)] * MAX_ENTRIES
SEND = "INSERT INTO message (message_id, body, sent_at) VALUES (?, ?, ?)"
RECEIVE = """
UPDATE message SET visible_at = ?, receive_count = receive_count + 1, receiver = ?
WHERE id IN (SELECT id FROM message WHERE visible_at <= ? ORDER BY visible_at DESC, id LIMIT ?)
RETURNING id, message_id, receive_count, body
"""
DELETE = "DELETE FROM message WHERE id = ? AND receive_count = ? AND message_id = ?"


def rates(seconds: float, *round_trips: Callable[[], object]) -> list[float]:
    """Return the messages per second of each function, which sends, receives and deletes ten; they take turns."""
    counts, took = [0] * len(round_trips), [0.0] * len(round_trips)
    for _ in range(TURNS):
        for at, round_trip in enumerate(round_trips):
            begun = time.perf_counter()
            while time.perf_counter() - begun < seconds / TURNS:
                round_trip()
                counts[at] += MAX_ENTRIES
            took[at] += time.perf_counter() - begun
    return [count / spent for count, spent in zip(counts, took, strict=True)]


def through(queue: QueueClient) -> Callable[[], object]:
    """Send, receive and delete ten messages with a client."""

    def round_trip() -> None:
        queue.send(TEN)
        messages = queue.receive(limit=MAX_ENTRIES, wait_s=0, visibility_s=30)
        queue.delete([message.receipt_handle for message in messages])

    return round_trip


def bare(connection: sqlite3.Connection) -> Callable[[], object]:
    """Do the same with fixed statements: without a queue, handles, error handling and threads."""

    def round_trip() -> None:
        now = time.time_ns() // 1_000_000
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(SEND, [("id", BODY, now)] * MAX_ENTRIES)
        connection.execute("COMMIT")
        rows = connection.execute(RECEIVE, (now + 30_000, "", now, MAX_ENTRIES)).fetchall()
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(DELETE, [(row_id, count, name) for row_id, name, count, _ in rows])
        connection.execute("COMMIT")

    return round_trip


def fill(queue: QueueClient, depth: int) -> None:
    """Send messages until this many wait."""
    for _ in range(queue.state().total, depth, MAX_ENTRIES):
        queue.send(TEN)


def main(seconds: float) -> int:
    shallow = 0.0
    with tempfile.TemporaryDirectory(prefix="filemill-benchmark-") as folder:
        path = Path(folder) / "queue"
        with closing(EmbeddedQueue(path)) as queue, closing(embedded._open(path)) as connection:
            for depth in DEPTHS:
                fill(queue, depth)
                own, ceiling = rates(seconds, through(queue), bare(connection))
                shallow = shallow or own
                what = f"embedded queue with {depth:,} messages: send, receive, delete"
                peer = "the same statements without a queue"
                at_least(what, own, "messages/s", peer=peer, against=ceiling, goal=LEAST_OF_BARE)
                if own != shallow:
                    peer = f"with {DEPTHS[0]}"
                    at_least(what, own, "messages/s", peer=peer, against=shallow, goal=LEAST_OF_SHALLOW)
            began = time.perf_counter()
            queue.state()
            note(f"its counts with {DEPTHS[-1]:,} messages", f"{(time.perf_counter() - began) * 1000:.1f} ms")
    return 0


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS))
