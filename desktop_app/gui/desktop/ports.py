"""The interfaces for desktop integration. An implementation may do nothing if the desktop lacks the feature."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable


class Topic(StrEnum):
    """The topic of a notification. A new notification replaces the previous one about the same topic."""

    ENDED = "ended"
    FAILURE = "failure"
    TROUBLE = "trouble"


@dataclass(frozen=True, slots=True)
class Notification:
    """A desktop notification.

    Attributes:
        topic: The topic.
        title, body: The texts, without markup.
        is_urgent: Whether the user needs to do something.
    """

    topic: Topic
    title: str
    body: str
    is_urgent: bool = False


class Notifier(Protocol):
    """Shows notifications. Main thread; never blocks."""

    def show(self, notification: Notification) -> None:
        """Show a notification."""
        ...

    def on_click(self, call: Callable[[Topic], None]) -> None:
        """Call a function when the user clicks a notification."""
        ...

    def close(self) -> None:
        """Stop showing notifications."""
        ...


class Taskbar(Protocol):
    """The program's entry on the taskbar or in the dock. Main thread; never blocks."""

    def show(self, fraction: float | None, failed: int) -> None:
        """Show the progress of the run (from 0 to 1; None hides it) and the number of failed files."""
        ...


class Awake(Protocol):
    """Prevents the computer from sleeping when idle. Main thread; never blocks."""

    def keep(self, *, awake: bool) -> None:
        """Prevent sleep, or allow it again."""
        ...


@dataclass(frozen=True, slots=True)
class Desktop:
    """The desktop integration of a window."""

    notifier: Notifier
    taskbar: Taskbar
    awake: Awake

    def close(self) -> None:
        """Stop showing notifications, hide the progress, and allow sleep."""
        self.notifier.close()
        self.taskbar.show(None, 0)
        self.awake.keep(awake=False)


class NoDesktop:
    """Implements all interfaces for a desktop without these features."""

    def show(self, *_: object) -> None:
        """Do nothing."""

    def on_click(self, call: Callable[[Topic], None]) -> None:
        """Do nothing."""

    def keep(self, *, awake: bool) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


def no_desktop() -> Desktop:
    """Return an integration that does nothing."""
    none = NoDesktop()
    return Desktop(none, none, none)
