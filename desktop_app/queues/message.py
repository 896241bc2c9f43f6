"""The message: an id, and nothing to trust.

`{"v": 1, "file_id": "<uuid>", "generation": n}`. The path comes from the database row. What is not exactly this is
foreign: never deleted, never obeyed.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeGuard

from desktop_app.sentences import Sentence

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
