"""AWS profiles, queues and the results of a connection test, as shown by the window and the command line."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from desktop_app.domain.sentences import mark

if TYPE_CHECKING:
    from desktop_app.domain.errors import KnownError


class ProfileKind(StrEnum):
    """How an AWS profile obtains credentials."""

    KEYS = mark("access keys")
    SSO = mark("SSO")
    LOGIN = mark("console sign-in")
    ROLE = mark("assumes a role")
    WEB_IDENTITY = mark("web identity")
    PROCESS = mark("credential process")
    NOTHING = mark("no credentials")


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile in the AWS configuration files.

    Attributes:
        name: The profile's name.
        kind: How the profile obtains credentials.
        region: The profile's region; may be empty.
        trouble: A sentence that says why the profile can't be used; empty if no problem is known.
    """

    name: str
    kind: ProfileKind
    region: str = ""
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Profiles:
    """All profiles and the files they were read from.

    Attributes:
        found: The profiles, in the order of the files.
        files: The paths of the configuration and credentials files, whether or not they exist.
        trouble: A sentence that says why the files can't be read; empty if they can.
    """

    found: tuple[Profile, ...] = ()
    files: tuple[str, ...] = ()
    trouble: str = ""

    def named(self, name: str) -> Profile | None:
        """Return the profile with this name, or None."""
        return next((profile for profile in self.found if profile.name == name), None)


@dataclass(frozen=True, slots=True)
class FoundQueue:
    """A queue that the user can choose.

    Attributes:
        name: The queue's name.
        url: The queue's URL.
        region: The queue's region.
    """

    name: str
    url: str
    region: str = ""


class Check(StrEnum):
    """The steps of a connection test, in order."""

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
    """The severity of a finding."""

    FINE = "fine"
    NOTE = "note"
    """The finding is worth knowing but not a problem."""
    TROUBLE = "trouble"


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one step of a connection test.

    Attributes:
        check: The step.
        verdict: The severity.
        text: A sentence that describes the result.
        error: For TROUBLE, the error if one occurred.
    """

    check: Check
    verdict: Verdict
    text: str
    error: KnownError | None = None
