"""The message: an id, and nothing that has to be trusted.

`{"v": 1, "file_id": "<uuid>", "generation": n}`. The path comes from the database row. Anything else is a foreign
message, which is never deleted or acted on.
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
"""Ours have about 80; the limit is checked before parsing, as a protection against deep nesting."""

MAX_GENERATION = 2**31 - 1

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")

_KEYS = {"v", "file_id", "generation"}


class Foreignness(StrEnum):
    """Why a message is foreign."""

    TOO_LONG = Sentence("longer than any of ours")
    NOT_JSON = Sentence("not JSON")
    WRONG_SHAPE = Sentence("not a message of Filemill")
    NEWER_VERSION = Sentence("from a newer version of Filemill")
    UNKNOWN_FILE = Sentence("a file of another list")


class ForeignMessageError(ValueError):
    """The body is not one of our messages; says why."""

    def __init__(self, why: Foreignness) -> None:
        super().__init__(str(why))
        self.why = why


@dataclass(frozen=True, slots=True)
class FileMessage:
    """Requests the processing of one submission of a file."""

    file_id: str
    generation: int


def encode(message: FileMessage) -> str:
    """Return the body to send: ASCII, about 80 bytes."""
    fields = {"v": VERSION, "file_id": message.file_id, "generation": message.generation}
    return json.dumps(fields, separators=(",", ":"))


def decode(body: str) -> FileMessage:
    """Parse a received body strictly.

    Raises:
        ForeignMessageError: If it is not one of our messages.
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
    """Return whether a value is an integer from 1 to SQLite's maximum; True and 1.0 are not."""
    return type(value) is int and 1 <= value <= MAX_GENERATION


def _no_double_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("duplicate key")
    return fields


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


MAX_ENTRIES = 10

MAX_REQUEST_BYTES = 1_048_576
"""AWS: the limit for all messages of a batch together, 1 MiB since August 2025, as for one message."""

MAX_WAIT_SECONDS = 20
"""AWS: the longest poll."""

DEFAULT_RETENTION_SECONDS = 4 * 24 * 3600


@dataclass(frozen=True, slots=True)
class QueueInfo:
    """A queue's URL, its kind, and its maximum message size in bytes."""

    url: str
    name: str
    is_fifo: bool
    max_message_bytes: int = MAX_REQUEST_BYTES


@dataclass(frozen=True, slots=True)
class QueueState:
    """A queue's attributes; the counts are approximate and may lag by a minute (AWS: GetQueueAttributes)."""

    visible: int
    in_flight: int
    delayed: int
    created_at_ms: int
    retention_s: int
    dead_letter_arn: str = ""
    """The ARN of the dead-letter queue; empty if there is none."""

    @property
    def total(self) -> int:
        """The number of all messages in the queue."""
        return self.visible + self.in_flight + self.delayed


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to send; `group_id` and `deduplication_id` only for a FIFO queue."""

    body: str
    group_id: str = ""
    deduplication_id: str = ""

    @property
    def size(self) -> int:
        """The number of bytes that count towards the limits."""
        return len(self.body.encode())


@dataclass(frozen=True, slots=True)
class Received:
    """A received message; `receipt_handle` is valid for this receive only."""

    message_id: str
    receipt_handle: str
    body: str
    receive_count: int
    group_id: str


@dataclass(frozen=True, slots=True)
class EntryResult:
    """The result of one entry: successful if `trouble` is None. Ids and digests are set only for sent messages."""

    message_id: str = ""
    body_md5: str = ""
    trouble: QueueTrouble | None = None
    text: str = ""

    @property
    def is_done(self) -> bool:
        """Whether the entry succeeded."""
        return self.trouble is None


def plan_batches(messages: Sequence[Outgoing], max_bytes: int = MAX_REQUEST_BYTES) -> Iterator[list[int]]:
    """Split messages into batches by count and by UTF-8 bytes; return their positions, in order.

    A message that is too large gets a batch of its own, so that only it is rejected.
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
