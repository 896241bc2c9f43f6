"""The interfaces for desktop integration. Each may do nothing where the desktop lacks the feature."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from PySide6.QtGui import QGuiApplication

if TYPE_CHECKING:
    from collections.abc import Callable


class Topic(StrEnum):
    """The topic of a notification; a newer one replaces an older one about the same topic."""

    ENDED = "ended"
    FAILURE = "failure"
    TROUBLE = "trouble"


@dataclass(frozen=True, slots=True)
class Notification:
    """A desktop notification.

    Attributes:
        topic: The topic.
        title, body: Plain text.
        is_urgent: Whether the user has to act.
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
    """The program's entry on the task bar or in the dock. Main thread; never blocks."""

    def show(self, fraction: float | None, failed: int) -> None:
        """Show the run's progress (0…1; None without a run) and its number of failed files."""
        ...

    def close(self) -> None:
        """Remove what is shown, and show nothing more."""
        ...


class Awake(Protocol):
    """Keeps the computer from sleeping when idle. Main thread; never blocks."""

    def keep(self, *, awake: bool) -> None:
        """Keep the computer awake, or allow sleep again."""
        ...

    def close(self) -> None:
        """Allow sleep for good."""
        ...


@dataclass(frozen=True, slots=True)
class Desktop:
    """The desktop integration of a window."""

    notifier: Notifier
    taskbar: Taskbar
    awake: Awake

    def close(self) -> None:
        """Close all parts."""
        for part in (self.notifier, self.taskbar, self.awake):
            part.close()


class NoDesktop:
    """A desktop without any of these features."""

    def show(self, *_: object) -> None:
        """Do nothing."""

    def on_click(self, call: Callable[[Topic], None]) -> None:
        """Do nothing."""

    def keep(self, *, awake: bool) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


def no_desktop() -> Desktop:
    """Return a desktop without any of these features."""
    none = NoDesktop()
    return Desktop(none, none, none)


def show_badge(number: int) -> None:
    """Show a number on the program's icon, where Qt supports it; 0 removes it."""
    application = QGuiApplication.instance()
    if isinstance(application, QGuiApplication):
        application.setBadgeNumber(number)
