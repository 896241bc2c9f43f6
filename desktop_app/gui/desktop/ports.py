"""What the window asks of the desktop around it. Each may do nothing, where the desktop does not have it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from PySide6.QtGui import QGuiApplication

if TYPE_CHECKING:
    from collections.abc import Callable

ADD_FILES, ADD_FOLDER = "filemill://add-files", "filemill://add-folder"
"""What the entries of the icon's menu on the desktop ask for: addresses, so that they travel as names of files do.
The packages name them in the desktop entry, so this module imports no Qt."""


class Topic(StrEnum):
    """What a notification is about; a newer one takes the place of an older one about the same."""

    ENDED = "ended"
    FAILURE = "failure"
    TROUBLE = "trouble"


@dataclass(frozen=True, slots=True)
class Notification:
    """A message on the desktop.

    Attributes:
        topic: What it is about.
        title, body: Plain text.
        is_urgent: Whether it asks for something to be done.
    """

    topic: Topic
    title: str
    body: str
    is_urgent: bool = False


class Notifier(Protocol):
    """Shows notifications. Main thread; never waits."""

    def show(self, notification: Notification) -> None:
        """Show one."""
        ...

    def on_click(self, call: Callable[[Topic], None]) -> None:
        """Call this when the person presses one."""
        ...

    def close(self) -> None:
        """Show none any more."""
        ...


class Taskbar(Protocol):
    """The program's place on the task bar or in the dock. Main thread; never waits."""

    def show(self, fraction: float | None, failed: int) -> None:
        """Show how far the run is, 0…1, or None if there is none, and how many of its files have failed."""
        ...

    def close(self) -> None:
        """Show nothing any more."""
        ...


class Awake(Protocol):
    """Keeps the computer from falling asleep by itself. Main thread; never waits."""

    def keep(self, *, awake: bool) -> None:
        """Keep it awake, or no longer."""
        ...

    def close(self) -> None:
        """No longer, for good."""
        ...


@dataclass(frozen=True, slots=True)
class Desktop:
    """The desktop around the window."""

    notifier: Notifier
    taskbar: Taskbar
    awake: Awake

    def close(self) -> None:
        """Ask nothing of it any more."""
        for part in (self.notifier, self.taskbar, self.awake):
            part.close()


class NoDesktop:
    """A desktop that has none of it."""

    def show(self, *_: object) -> None:
        """Nothing."""

    def on_click(self, call: Callable[[Topic], None]) -> None:
        """Never."""

    def keep(self, *, awake: bool) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""


def no_desktop() -> Desktop:
    """Return a desktop that has none of it."""
    none = NoDesktop()
    return Desktop(none, none, none)


def show_badge(number: int) -> None:
    """Show a number on the program's icon, where Qt knows how; 0 takes it away."""
    application = QGuiApplication.instance()
    if isinstance(application, QGuiApplication):
        application.setBadgeNumber(number)
