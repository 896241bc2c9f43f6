"""The setup of the torture test: files with known numbers, a queue, the proxy, and real programs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from desktop_app.queues.embedded import EmbeddedQueue
from desktop_app.queues.messages import Outgoing
from tests.helpers.sqs.kit import boto_client
from tests.helpers.sqs.simulator import REGION
from tests.store.kit import rows_of

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable

ROOT = Path(__file__).resolve().parents[2]
LONG_SHARE = 0.015
STATUS_SECONDS = 120.0
_FOREIGN_VARIABLES = ("AWS_", "FILEMILL_")
FOREIGN_BODIES = (
    "not json",
    "[" * 4000,
    "{}",
    '{"v":1,"file_id":"00000000-0000-0000-0000-000000000000","generation":1}',
    '{"v":2,"file_id":"00000000-0000-0000-0000-000000000000","generation":1,"more":[]}',
    '{"v":true,"file_id":7,"generation":"1"}',
    '{"Type":"Notification","MessageId":"1","Message":"{}"}',
    '{"Records":[{"eventSource":"aws:s3","s3":{"object":{"key":"a"}}}]}',
)
"""The number of foreign messages: few enough that the program keeps consuming the queue."""


@dataclass(frozen=True)
class Expected:
    """The expected result for a file."""

    size: int
    lines: int


def write_files(folder: Path, count: int, chance: random.Random) -> dict[str, Expected]:
    """Create files of all kinds; return the expected results by path.

    A few are large, so that programs can be killed while they process them; these are sparse files.
    """
    known = {}
    for number in range(count):
        lines, end = chance.randrange(40), chance.choice(["\n", "\r\n"])
        text = "".join(f"{chance.randrange(10**6)}{end}" for _ in range(lines))
        if lines and chance.random() < 0.3:
            text = text[: -len(end)]  # the last line does not end with a line feed
        path = folder / f"{number // 500:03}" / f"file {number}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
        size = len(text.encode())
        if chance.random() < LONG_SHARE:
            gap = chance.randrange(50, 300) * 1_000_000
            os.truncate(path, size + gap)
            # Zero bytes are not line feeds: they make the last line longer, or add one.
            size, lines = size + gap, lines + (text.endswith("\n") or not text)
        known[str(path)] = Expected(size, lines)
    return known


class Queue(Protocol):
    """The queue, accessed without the proxy."""

    def put(self, body: str) -> None:
        """Send a message as another program."""
        ...

    def counts(self) -> tuple[int, int]:
        """Return the numbers of visible messages and of messages in flight."""
        ...

    def take_all(self, seconds: float) -> list[str]:
        """Receive until the queue is empty or the time is over; return the bodies."""
        ...

    def close(self) -> None: ...


class Embedded:
    """The embedded queue in a home folder."""

    def __init__(self, home: Path) -> None:
        self._queue = EmbeddedQueue(home / "filemill.db.queue")

    def put(self, body: str) -> None:
        self._queue.send([Outgoing(body)])

    def counts(self) -> tuple[int, int]:
        state = self._queue.state()
        return state.visible, state.in_flight

    def take_all(self, seconds: float) -> list[str]:
        end, bodies = time.monotonic() + seconds, list[str]()
        while sum(self.counts()) > len(bodies) and time.monotonic() < end:
            bodies += [message.body for message in self._queue.receive(limit=10, wait_s=1, visibility_s=600)]
        return bodies

    def close(self) -> None:
        self._queue.close()


class Server:
    """An SQS server and its queue."""

    def __init__(self, *, fifo: bool) -> None:
        self.fifo = fifo
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("server.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self.address = self._process.stdout.readline().strip()
        self.sqs = boto_client(endpoint_url=self.address)
        self.queue = "torture.fifo" if fifo else "torture"
        attributes: Any = {"FifoQueue": "true"} if fifo else {}
        self.url = self.sqs.create_queue(QueueName=self.queue, Attributes=attributes)["QueueUrl"]

    def put(self, body: str) -> None:
        own: Any = {"MessageGroupId": f"g{hash(body)}", "MessageDeduplicationId": f"d{hash(body)}"} if self.fifo else {}
        self.sqs.send_message(QueueUrl=self.url, MessageBody=body, **own)

    def counts(self) -> tuple[int, int]:
        names: Any = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found: Any = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)["Attributes"]
        visible, hidden = (int(found.get(name, 0)) for name in names)
        return visible, hidden

    def take_all(self, seconds: float) -> list[str]:
        end, bodies = time.monotonic() + seconds, list[str]()
        while sum(self.counts()) > len(bodies) and time.monotonic() < end:
            answer = self.sqs.receive_message(
                QueueUrl=self.url, MaxNumberOfMessages=10, WaitTimeSeconds=1, VisibilityTimeout=600
            )
            bodies += [message["Body"] for message in answer.get("Messages", [])]
        return bodies

    def close(self) -> None:
        self.sqs.close()
        self._process.communicate(timeout=30)


@dataclass
class Programs:
    """Starts the real `filemill` as a user would.

    Args:
        home: FILEMILL_HOME.
        queue: FILEMILL_QUEUE; empty for the embedded queue.
        endpoint_url: The address of SQS.
    """

    home: Path
    queue: str = ""
    endpoint_url: str = ""
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def database(self) -> Path:
        return self.home / "filemill.db"

    def _environment(self) -> dict[str, str]:
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(_FOREIGN_VARIABLES) and not name.lower().endswith("_proxy")
        }
        return kept | {
            "FILEMILL_HOME": str(self.home),
            "FILEMILL_QUEUE": self.queue,
            "AWS_ENDPOINT_URL_SQS": self.endpoint_url,
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_REGION": REGION,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "PYTHONPATH": str(ROOT),
        }

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start a program; its output goes to files, so that no pipe fills up."""
        number = len(self.started)
        with (self.home.parent / f"program-{number}.out").open("w") as out:
            program = subprocess.Popen(
                [sys.executable, "-m", "desktop_app", *words],
                env=self._environment(),
                cwd=self.home.parent,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                text=True,
            )
        self.started.append(program)
        return program

    def output_of(self, program: subprocess.Popen[str]) -> str:
        return (self.home.parent / f"program-{self.started.index(program)}.out").read_text(errors="replace")

    def listed(self) -> set[str]:
        """Return the paths on the list, read from the database."""
        return {path for (path,) in rows_of(self.database, "SELECT file_path FROM job")}

    def order(self) -> list[str]:
        """Return the ids of the jobs in the order of adding."""
        return [job for (job,) in rows_of(self.database, "SELECT uuid FROM job ORDER BY id")]

    def standing(self) -> tuple[dict[int, int], int]:
        """Return the number of jobs by status and of outbox entries, read from the database."""
        statuses = dict(rows_of(self.database, "SELECT status, count(*) FROM job GROUP BY status"))
        ((waiting,),) = rows_of(self.database, "SELECT count(*) FROM outbox")
        return statuses, waiting

    def end_all(self) -> None:
        for program in self.started:
            if program.poll() is None:
                program.kill()
                program.wait()


def kill(program: subprocess.Popen[str]) -> None:
    program.send_signal(signal.SIGKILL)
    program.wait()


def parts(paths: Iterable[str], size: int) -> list[list[str]]:
    """Split into parts of at most this many."""
    every = list(paths)
    return [every[start : start + size] for start in range(0, len(every), size)]
