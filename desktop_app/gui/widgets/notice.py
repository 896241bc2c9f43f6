"""Messages in the window: message bars, a bar for work in progress, and announcements for screen readers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QEnterEvent, QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from desktop_app.gui.i18n import tr

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop_app.gui.theme.theme import Theme


class Strip(QWidget):
    """The base of message bars.

    Attributes:
        frame: The visible box; named `notice` for the style sheet.
        row: The layout of its parts.
    """

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.frame = QFrame(self)
        self.frame.setObjectName("notice")
        around = QVBoxLayout(self)
        around.setContentsMargins(10, 6, 10, 6)
        around.addWidget(self.frame)
        self.row = QHBoxLayout(self.frame)
        self.row.setContentsMargins(12, 6, 7, 6)
        self.row.setSpacing(10)
        self.hide()


SHORT_MS = 10_000
"""How long a message without required action is shown."""

_ICON = 18

_ROOM_FOR_WORDS = 460


class Kind(StrEnum):
    """The importance of a message, shown by its background and symbol."""

    INFO = "info"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class NoticeAction:
    """A button of a message.

    Attributes:
        text: The button's text.
        run: Called when the button is pressed.
        keeps: Whether the message stays when the button is pressed.
    """

    text: str
    run: Callable[[], object]
    keeps: bool = False


@dataclass(frozen=True, slots=True)
class Notice:
    """A message for the user.

    Attributes:
        text: Plain sentences; never HTML.
        kind: The importance.
        actions: The buttons; pressing one closes the message.
        passing: Whether it disappears by itself after `SHORT_MS`.
        title: What happened, in a few words; shown above the text.
        times: How often it occurred lately.
    """

    text: str
    kind: Kind = Kind.INFO
    actions: tuple[NoticeAction, ...] = ()
    passing: bool = False
    title: str = ""
    times: int = 1


_ICONS = {Kind.INFO: "info", Kind.WARNING: "warning", Kind.PROBLEM: "status-failed"}


class NoticeBar(Strip):
    """A bar for one message; a new one replaces it.

    Signals:
        dismissed(str): The user has closed the message with this text.
    """

    dismissed = Signal(str)

    def __init__(self, name: str, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(name, parent)
        self._theme = theme
        self._notice: Notice | None = None
        self._icon = QLabel(self.frame)
        self._icon.setFixedSize(_ICON, _ICON)
        self._text = QLabel(self.frame)
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        self._text.setWordWrap(True)
        self._text.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._title = QLabel(self.frame)
        self._title.setObjectName("noticeTitle")
        self._title.setTextFormat(Qt.TextFormat.PlainText)
        self._title.setWordWrap(True)
        self._words = QVBoxLayout()
        self._words.setSpacing(3)
        self._words.addWidget(self._title)
        self._words.addWidget(self._text)
        self._box = QWidget(self.frame)
        self._box_row = QHBoxLayout(self._box)
        self._box_row.setContentsMargins(0, 0, 0, 0)
        self._box_row.setSpacing(8)
        self._box.hide()
        self._buttons: list[QPushButton] = []
        self._close = QToolButton(self.frame)
        self._close.setAccessibleName(tr("Dismiss this message"))
        self._close.setToolTip(tr("Dismiss"))
        self._close.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._close.setIconSize(QSize(14, 14))
        self._close.clicked.connect(self._dismiss)
        self.row.addWidget(self._icon)
        self.row.addLayout(self._words, 1)
        self.row.addWidget(self._box)
        self.row.addWidget(self._close)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(SHORT_MS)
        self._timer.timeout.connect(self.clear)
        theme.changed.connect(self._draw)

    @property
    def notice(self) -> Notice | None:
        """Return the shown message."""
        return self._notice

    @property
    def buttons(self) -> list[QPushButton]:
        """Return the buttons of the shown message."""
        return list(self._buttons)

    def show_notice(self, notice: Notice) -> None:
        """Show a message and announce it to screen readers."""
        again = self._notice is not None and (self._notice.title, self._notice.text) == (notice.title, notice.text)
        self.clear()
        self._notice = notice
        self._text.setText(notice.text)
        times = tr("{title} ({times} times)").format(title=notice.title, times=notice.times)
        self._title.setText(times if notice.times > 1 else notice.title)
        self._title.setVisible(bool(notice.title))
        for action in notice.actions:
            button = QPushButton(action.text, self._box)
            if not action.keeps:
                button.clicked.connect(self.clear)
            # Not `action.run` itself: PySide can't connect a method of an object without weak references.
            button.clicked.connect(lambda _checked=False, run=action.run: run())
            self._box_row.addWidget(button)
            self._buttons.append(button)
        self._order_keys()
        self._place_buttons()
        self._draw()
        self.show()
        if notice.passing:
            self._timer.start()
        if not again and notice.times == 1:
            said = f"{notice.title}. {notice.text}" if notice.title else notice.text
            QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, said))

    def _order_keys(self) -> None:
        """Set the Tab order of the buttons, the close button last."""
        order = [self._close, *self._buttons, self._close] if self._buttons else []
        for first, second in pairwise(order):
            self.setTabOrder(first, second)

    def _place_buttons(self) -> None:
        """Place the buttons beside the text, or below it where the text would get too narrow."""
        self._box.setVisible(bool(self._buttons))
        needed = self._box.sizeHint().width()
        self.row.removeWidget(self._box)
        self._words.removeWidget(self._box)
        if len(self._buttons) > 1 and self.width() < needed + _ROOM_FOR_WORDS:
            self._words.addWidget(self._box, 0, Qt.AlignmentFlag.AlignLeft)
        else:
            self.row.insertWidget(self.row.count() - 1, self._box)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit the text to the new width."""
        super().resizeEvent(event)
        self._place_buttons()

    @Slot()
    def clear(self) -> None:
        """Close the message."""
        self._timer.stop()
        self._notice = None
        self.hide()
        for button in self._buttons:
            self._box_row.removeWidget(button)
            button.hide()  # now, not when Qt gets to it
            button.deleteLater()
        self._buttons.clear()

    @Slot()
    def _dismiss(self) -> None:
        text = self._text.text()
        self.clear()
        self.dismissed.emit(text)

    @Slot()
    def _draw(self) -> None:
        self._close.setIcon(self._theme.icon("cancel"))
        if self._notice is None:
            return
        kind, colours = self._notice.kind, self._theme.colours
        colour = {Kind.INFO: colours.processing, Kind.WARNING: colours.text, Kind.PROBLEM: colours.failed}[kind]
        self._icon.setPixmap(
            self._theme.icon(_ICONS[kind], colour).pixmap(QSize(_ICON, _ICON), self.devicePixelRatio())
        )
        self.frame.setProperty("kind", kind.value)
        self.style().unpolish(self.frame)
        self.style().polish(self.frame)

    def enterEvent(self, event: QEnterEvent) -> None:
        """Keep the message while the pointer is on it."""
        self._timer.stop()
        super().enterEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        """Let a passing message disappear again."""
        if self._notice is not None and self._notice.passing:
            self._timer.start()
        super().leaveEvent(event)


class BusyStrip(Strip):
    """A strip with a text, a busy bar and a Stop button.

    Signals:
        stopped(): Stop was pressed.
    """

    stopped = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(tr("Work in progress"), parent)
        self._text = QLabel(self.frame)
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        self._bar = QProgressBar(self.frame)
        self._bar.setRange(0, 0)
        self._bar.setTextVisible(False)
        self._bar.setFixedWidth(140)
        self._bar.setAccessibleName(tr("Still working"))
        self._stop = QPushButton(tr("Stop"), self.frame)
        self._stop.clicked.connect(self.stopped)
        self.row.addWidget(self._text, 1)
        self.row.addWidget(self._bar)
        self.row.addWidget(self._stop)

    @property
    def text(self) -> str:
        """Return the text that is shown."""
        return self._text.text()

    def say(self, text: str, *, can_stop: bool) -> None:
        """Show a text; empty hides the strip."""
        self._text.setText(text)
        self._stop.setVisible(can_stop)
        self.setVisible(bool(text))


ANNOUNCE_EVERY_MS = 5_000
"""Milliseconds between two announcements; only the newest waiting one is made."""


class Announcer(QObject):
    """Makes polite announcements to screen readers, at most one per `every_ms`.

    Args:
        window: The window that the announcements belong to.
        every_ms: The silence after each.
    """

    def __init__(self, window: QWidget, *, every_ms: int = ANNOUNCE_EVERY_MS) -> None:
        super().__init__(window)
        self._window = window
        self._waiting = ""
        self._silence = QTimer(self)
        self._silence.setSingleShot(True)
        self._silence.setInterval(every_ms)
        self._silence.timeout.connect(self._say_waiting)

    @Slot(str)
    def say(self, text: str) -> None:
        """Announce this now, or after the silence unless there is something newer."""
        if self._silence.isActive():
            self._waiting = text
            return
        self._waiting = ""
        self._silence.start()
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self._window, text))

    @Slot()
    def _say_waiting(self) -> None:
        if self._waiting:
            self.say(self._waiting)
