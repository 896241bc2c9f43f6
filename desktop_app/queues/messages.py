"""The message: an id, and nothing to trust.

`{"v": 1, "file_id": "<uuid>", "generation": n}`. The path comes from the database row. What is not exactly this is
foreign: never deleted, never obeyed.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, TypeGuard

from desktop_app.domain.sentences import Sentence

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from desktop_app.domain.errors import QueueTrouble


VERSION = 1

MAX_BODY_CHARS = 1_024
"""Ours have about 80; the limit is looked at before parsing, so that no nesting can hurt."""

MAX_GENERATION = 2**31 - 1

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")

_KEYS = {"v", "file_id", "generation"}


class Foreignness(StrEnum):
    """Why a message is not one of ours."""

    TOO_LONG = Sentence("longer than any of ours")
    NOT_JSON = Sentence("not JSON")
    WRONG_SHAPE = Sentence("not a message of Filemill")
    NEWER_VERSION = Sentence("from a newer version of Filemill")
    UNKNOWN_FILE = Sentence("a file of another list")


class ForeignMessageError(ValueError):
    """A body that is not a message of ours; says why."""

    def __init__(self, why: Foreignness) -> None:
        super().__init__(str(why))
        self.why = why


@dataclass(frozen=True, slots=True)
class FileMessage:
    """Asks for work on one submission of one file."""

    file_id: str
    generation: int


def encode(message: FileMessage) -> str:
    """The body to send: ASCII, about 80 bytes."""
    fields = {"v": VERSION, "file_id": message.file_id, "generation": message.generation}
    return json.dumps(fields, separators=(",", ":"))


def decode(body: str) -> FileMessage:
    """Read a received body, strictly.

    Raises:
        ForeignMessageError: If it is anything but a message of ours.
    """
    if len(body) > MAX_BODY_CHARS:
        raise ForeignMessageError(Foreignness.TOO_LONG)
    try:
        fields = json.loads(body, object_pairs_hook=_no_double_keys, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise ForeignMessageError(Foreignness.NOT_JSON) from error
    version = fields.get("v") if isinstance(fields, dict) else None
    if not _is_count(version):
        raise ForeignMessageError(Foreignness.WRONG_SHAPE)
    if version > VERSION and "file_id" in fields:
        raise ForeignMessageError(Foreignness.NEWER_VERSION)
    file_id, generation = fields.get("file_id"), fields.get("generation")
    if version != VERSION or set(fields) != _KEYS or not _is_count(generation):
        raise ForeignMessageError(Foreignness.WRONG_SHAPE)
    if not isinstance(file_id, str) or not _UUID.fullmatch(file_id):
        raise ForeignMessageError(Foreignness.WRONG_SHAPE)
    return FileMessage(file_id, generation)


def _is_count(value: object) -> TypeGuard[int]:
    """A whole number from 1 on that SQLite can hold; True and 1.0 are none."""
    return type(value) is int and 1 <= value <= MAX_GENERATION


def _no_double_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a key stands twice")
    return fields


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


MAX_ENTRIES = 10

MAX_REQUEST_BYTES = 1_048_576
"""AWS: the sum of a batch's messages, since August 2025 1 MiB as for one message."""

MAX_WAIT_SECONDS = 20
"""AWS: the longest poll."""

DEFAULT_RETENTION_SECONDS = 4 * 24 * 3600


@dataclass(frozen=True, slots=True)
class QueueInfo:
    """What a queue is: its URL, its kind, and the largest message it takes in bytes."""

    url: str
    name: str
    is_fifo: bool
    max_message_bytes: int = MAX_REQUEST_BYTES


@dataclass(frozen=True, slots=True)
class QueueState:
    """What a queue says of itself; the counts are approximate and may lag a minute (AWS: GetQueueAttributes)."""

    visible: int
    in_flight: int
    delayed: int
    created_at_ms: int
    retention_s: int
    dead_letter_arn: str = ""
    """The queue that messages go to which were received too often; empty if there is none."""

    @property
    def total(self) -> int:
        """All messages in the queue."""
        return self.visible + self.in_flight + self.delayed


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to send; `group_id` and `deduplication_id` only for a FIFO queue."""

    body: str
    group_id: str = ""
    deduplication_id: str = ""

    @property
    def size(self) -> int:
        """Bytes that count towards the limits."""
        return len(self.body.encode())


@dataclass(frozen=True, slots=True)
class Received:
    """A message in flight: `receipt_handle` acts on this receive of it only."""

    message_id: str
    receipt_handle: str
    body: str
    receive_count: int
    group_id: str


@dataclass(frozen=True, slots=True)
class EntryResult:
    """What became of one entry: done where `trouble` is None; the ids and digests only for a message that was sent."""

    message_id: str = ""
    body_md5: str = ""
    trouble: QueueTrouble | None = None
    text: str = ""

    @property
    def is_done(self) -> bool:
        """True if the queue did it."""
        return self.trouble is None


def plan_batches(messages: Sequence[Outgoing], max_bytes: int = MAX_REQUEST_BYTES) -> Iterator[list[int]]:
    """Cut messages into batches by count and by UTF-8 bytes; gives their positions, in order.

    A message that is too large alone gets a batch of its own, so that only it is refused.
    """
    batch: list[int] = []
    size = 0
    for position, message in enumerate(messages):
        if batch and (len(batch) == MAX_ENTRIES or size + message.size > max_bytes):
            yield batch
            batch, size = [], 0
        batch.append(position)
        size += message.size
    if batch:
        yield batch
