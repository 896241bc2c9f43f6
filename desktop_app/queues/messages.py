"""Encode and decode messages, and define the data exchanged with a queue.

A message contains only an id: `{"v": 1, "file_id": "<uuid>", "generation": n}`. Everything else, such as the path,
comes from the database, so messages do not have to be trusted. A message in any other form is foreign: it is never
deleted or acted on.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from enum import StrEnum
from json.encoder import encode_basestring_ascii
from typing import TYPE_CHECKING, NamedTuple, TypeGuard

from desktop_app.domain.sentences import Sentence

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from desktop_app.domain.errors import QueueTrouble


VERSION = 1

MAX_BODY_CHARS = 1_024
"""The maximum length of a body to parse. Filemill's own messages have about 80 characters."""

MAX_GENERATION = 2**31 - 1

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")

_OWN_BODY = re.compile(rf'\{{"v":{VERSION},"file_id":"({_UUID.pattern})","generation":([1-9][0-9]{{0,9}})\}}')
"""A body as `encode` writes it, which takes less time to recognize than JSON."""

_KEYS = {"v", "file_id", "generation"}


class ForeignReason(StrEnum):
    """The reason that a message is foreign."""

    TOO_LONG = Sentence("longer than any Filemill message")
    NOT_JSON = Sentence("not JSON")
    WRONG_SHAPE = Sentence("not a Filemill message")
    NEWER_VERSION = Sentence("from a newer version of Filemill")
    UNKNOWN_FILE = Sentence("a file in another list")


class ForeignMessageError(ValueError):
    """The body is not a Filemill message; `why` is the reason."""

    def __init__(self, why: ForeignReason) -> None:
        super().__init__(str(why))
        self.why = why


class FileMessage(NamedTuple):
    """A request to process one generation of a job."""

    file_id: str
    generation: int


def encode(message: FileMessage) -> str:
    """Return the body of a message: about 80 ASCII characters."""
    return f'{{"v":{VERSION},"file_id":{encode_basestring_ascii(message.file_id)},"generation":{message.generation}}}'


def decode(body: str) -> FileMessage:
    """Parse a received body strictly.

    Raises:
        ForeignMessageError: If the body is not a Filemill message.
    """
    if (own := _OWN_BODY.fullmatch(body)) and int(own[2]) <= MAX_GENERATION:
        return FileMessage(own[1], int(own[2]))
    if len(body) > MAX_BODY_CHARS:
        raise ForeignMessageError(ForeignReason.TOO_LONG)
    try:
        fields = _DECODER.decode(body)
    except (ValueError, RecursionError) as error:
        raise ForeignMessageError(ForeignReason.NOT_JSON) from error
    if not isinstance(fields, dict) or not _is_count(version := fields.get("v")):
        raise ForeignMessageError(ForeignReason.WRONG_SHAPE)
    if version > VERSION and "file_id" in fields:
        raise ForeignMessageError(ForeignReason.NEWER_VERSION)
    match fields:
        case {"file_id": str(file_id), "generation": generation} if (
            version == VERSION and set(fields) == _KEYS and _is_count(generation) and _UUID.fullmatch(file_id)
        ):
            return FileMessage(file_id, generation)
    raise ForeignMessageError(ForeignReason.WRONG_SHAPE)


def _is_count(value: object) -> TypeGuard[int]:
    """Return whether a value is an integer between 1 and `MAX_GENERATION`. True and 1.0 are not integers."""
    return type(value) is int and 1 <= value <= MAX_GENERATION


def _no_double_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("duplicate key")
    return fields


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_no_double_keys, parse_constant=_no_constant)

MAX_ENTRIES = 10

MAX_REQUEST_BYTES = 1_048_576
"""The maximum size of a message, and of a whole batch: 1 MiB (AWS, since August 2025)."""

MAX_WAIT_SECONDS = 20
"""The maximum duration of a long poll (AWS)."""

DEFAULT_RETENTION_SECONDS = 4 * 24 * 3600


@dataclass(frozen=True, slots=True)
class QueueInfo:
    """A queue.

    Attributes:
        url: Its URL.
        name: Its name.
        is_fifo: Whether it is a FIFO queue.
        max_message_bytes: The maximum size of a message.
        max_entries: The maximum number of messages that can be sent at once.
    """

    url: str
    name: str
    is_fifo: bool
    max_message_bytes: int = MAX_REQUEST_BYTES
    max_entries: int = MAX_ENTRIES


@dataclass(frozen=True, slots=True)
class QueueState:
    """The attributes of a queue. The counts are approximate and can lag by a minute (AWS: GetQueueAttributes)."""

    visible: int
    in_flight: int
    delayed: int
    created_at_ms: int
    retention_s: int
    dead_letter_arn: str = ""
    """The ARN of the dead-letter queue; empty if there is none."""
    delay_s: int = 0
    """How long each sent message stays invisible at first, in seconds."""

    @property
    def total(self) -> int:
        """The total number of messages in the queue."""
        return self.visible + self.in_flight + self.delayed


class Outgoing(NamedTuple):
    """A message to send. `group_id` and `deduplication_id` are used only for FIFO queues."""

    body: str
    group_id: str = ""
    deduplication_id: str = ""

    @property
    def size(self) -> int:
        """The size in bytes, as SQS measures it."""
        return len(self.body.encode())


class Received(NamedTuple):
    """A received message. Its `receipt_handle` becomes invalid when the message is received again."""

    message_id: str
    receipt_handle: str
    body: str
    receive_count: int
    group_id: str


class EntryResult(NamedTuple):
    """The result for one entry of a batch. `message_id` is set only for sent messages; so is `body_md5`, by SQS.

    `trouble` is None if the entry succeeded; otherwise, `text` describes the error.
    """

    message_id: str = ""
    body_md5: str = ""
    trouble: QueueTrouble | None = None
    text: str = ""

    @property
    def is_done(self) -> bool:
        """Whether the entry succeeded."""
        return self.trouble is None


def plan_batches(
    messages: Sequence[Outgoing], *, max_entries: int = MAX_ENTRIES, max_bytes: int = MAX_REQUEST_BYTES
) -> Iterator[list[int]]:
    """Split messages into batches within the limits of a queue; yield the positions of each batch's messages.

    A message that is too large is put in a batch of its own, so that no other message is rejected along with it.
    """
    batch: list[int] = []
    total = 0
    for position, message in enumerate(messages):
        size = message.size
        if batch and (len(batch) == max_entries or total + size > max_bytes):
            yield batch
            batch, total = [], 0
        batch.append(position)
        total += size
    if batch:
        yield batch
