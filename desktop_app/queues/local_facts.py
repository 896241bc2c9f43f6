"""What a program has to know to use the local queue's server: the file it leaves, the line it says."""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

LOOPBACK = "127.0.0.1"
LINE_LIMIT = 4096
"""Bytes; neither side of the control port reads a longer line."""
_REPLACE_SECONDS = 1.0
_NUMBERS = frozenset({"pid", "control_port"})
_MORE_THAN_A_PORT = 65536


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """Where the running server is found, and the token that proves that a caller may read this user's files.

    Attributes:
        pid: The server's process; for people, not for decisions.
        control_port: Where programs keep their lifelines.
        token: What a lifeline has to say first.
        endpoint_url: Where SQS answers.
        queue_url: The queue that is there from the start.
        instance_id: A UUID, new with each start: with another one, all messages are gone.
    """

    pid: int
    control_port: int
    token: str
    endpoint_url: str
    queue_url: str
    instance_id: str

    def to_line(self) -> bytes:
        """One line of JSON."""
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> ServerFacts:
        """Read what `to_line` wrote.

        Raises:
            ValueError: If it is anything else.
        """
        try:
            table = json.loads(line)
        except RecursionError as error:
            raise ValueError("nested too deeply") from error
        kinds = {field.name: int if field.name in _NUMBERS else str for field in fields(cls)}
        if not isinstance(table, dict) or any(type(table.get(name)) is not kind for name, kind in kinds.items()):
            raise ValueError("not the facts of a server")
        if not 0 < table["control_port"] < _MORE_THAN_A_PORT:
            raise ValueError("not a port")
        return cls(**{name: table[name] for name in kinds})


def greeting(token: str) -> bytes:
    """What a program says first on its lifeline."""
    return json.dumps({"token": token}).encode() + b"\n"


def greeted_token(line: bytes) -> str:
    """The token of a greeting; empty if it is none."""
    try:
        table = json.loads(line)
    except (ValueError, RecursionError):
        return ""
    token = table.get("token") if isinstance(table, dict) else None
    return token if isinstance(token, str) else ""


def facts_file(run_folder: Path) -> Path:
    """Where the running server leaves its facts."""
    return run_folder / "local-queue.json"


def read_facts(run_folder: Path) -> ServerFacts | None:
    """What the last server left; None if there is nothing usable. That it still runs, only a lifeline can tell."""
    try:
        with facts_file(run_folder).open("rb") as file:
            return ServerFacts.from_line(file.read(LINE_LIMIT))
    except (OSError, ValueError):
        return None


def write_facts(run_folder: Path, facts: ServerFacts) -> None:
    """Leave the facts for other programs of this user, all at once, readable by nobody else.

    Raises:
        OSError: If the folder can't be written.
    """
    path = facts_file(run_folder)
    temporary = path.with_suffix(".new")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(facts.to_line())
    last_try = time.monotonic() + _REPLACE_SECONDS
    while True:
        try:
            temporary.replace(path)
        except PermissionError:  # Windows: a program is just reading the old one
            if time.monotonic() > last_try:
                raise
            time.sleep(0.01)
        else:
            return


def remove_facts(run_folder: Path, facts: ServerFacts) -> None:
    """Take the facts away, if they are still these. What can't be removed misleads nobody: no lifeline answers."""
    if read_facts(run_folder) == facts:
        try:
            facts_file(run_folder).unlink(missing_ok=True)
        except PermissionError:  # Windows: a program is just reading it
            return
