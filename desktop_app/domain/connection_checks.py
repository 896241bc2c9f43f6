"""What there is to choose from for a connection, and what a test of one finds: the vocabulary of both faces."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from desktop_app.domain.errors import KnownError


class ProfileKind(StrEnum):
    """How a profile of the AWS configuration signs in."""

    KEYS = "keys"
    SSO = "SSO"
    LOGIN = "console sign-in"
    ROLE = "assumes a role"
    WEB_IDENTITY = "web identity"
    PROCESS = "program"
    NOTHING = "no sign-in of its own"


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile of the AWS configuration files.

    Attributes:
        name: As it stands there.
        kind: How it signs in.
        region: The one it names; may be empty.
        trouble: Why it can't be used, a plain sentence; empty if nothing is known against it.
    """

    name: str
    kind: ProfileKind
    region: str = ""
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Profiles:
    """All of them, and where they were looked for.

    Attributes:
        found: In the order of the files.
        files: Where the configuration and the credentials are looked for, there or not.
        trouble: Why the files can't be read; empty if they can.
    """

    found: tuple[Profile, ...] = ()
    files: tuple[str, ...] = ()
    trouble: str = ""

    def named(self, name: str) -> Profile | None:
        """Return the profile with this name."""
        return next((profile for profile in self.found if profile.name == name), None)


@dataclass(frozen=True, slots=True)
class FoundQueue:
    """A queue that may be chosen.

    Attributes:
        name: Its name.
        url: Its URL.
        region: Where it is.
    """

    name: str
    url: str
    region: str = ""


class Check(StrEnum):
    """What a test of a connection looks at, in this order."""

    CREDENTIALS = "credentials"
    IDENTITY = "identity"
    SERVER = "server"
    QUEUE = "queue"
    SEND = "send"
    RECEIVE = "receive"
    EXTEND = "extend"
    DELETE = "delete"
    DEAD_LETTERS = "dead letters"


class Verdict(StrEnum):
    """How one thing is."""

    FINE = "fine"
    NOTE = "note"
    """Worth knowing; nothing is kept from working."""
    TROUBLE = "trouble"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a test has found out about one thing.

    Attributes:
        check: What it is about.
        verdict: How it is.
        text: A plain sentence.
        error: For TROUBLE: what was in the way.
    """

    check: Check
    verdict: Verdict
    text: str
    error: KnownError | None = None
