"""A keyring in memory, in place of the system's; a pytest plug-in: `pytest_plugins = ["tests.helpers.keyring"]`."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, ClassVar

import keyring.backend
import pytest
from keyring.errors import KeyringLocked, PasswordDeleteError

if TYPE_CHECKING:
    from collections.abc import Iterator


class MemoryKeyring(keyring.backend.KeyringBackend):
    """Keeps passwords in a dictionary; can be locked, as after the user has refused to unlock it.

    Attributes:
        entries: The passwords, by service and user name.
        is_locked: Whether the user has refused to unlock it.
        answered: Cleared while the user is being asked for a password; reading then waits.
    """

    priority: ClassVar[float] = 5

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.entries: dict[tuple[str, str], str] = {}
        self.is_locked = False
        self.answered = threading.Event()
        self.answered.set()

    def _require_open(self) -> None:
        if self.is_locked:
            raise KeyringLocked("the user refused to unlock it")

    def get_password(self, service: str, username: str) -> str | None:
        self.answered.wait()
        self._require_open()
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self._require_open()
        self.entries[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        self._require_open()
        if (service, username) not in self.entries:
            raise PasswordDeleteError("not found")
        del self.entries[service, username]


@pytest.fixture
def ring() -> Iterator[MemoryKeyring]:
    """Return the keyring that is used in place of the system's; no reader waits for it after the test."""
    before = keyring.get_keyring()
    made = MemoryKeyring()
    keyring.set_keyring(made)
    yield made
    made.answered.set()
    keyring.set_keyring(before)
