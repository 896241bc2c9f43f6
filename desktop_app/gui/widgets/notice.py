"""Message bars, a bar that shows work in progress, and announcements for screen readers."""

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
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from desktop_app.gui.i18n import tr
from desktop_app.gui.widgets.dialogs import IconLabel, plain_label, restyle, spaced

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop_app.gui.operations import Operation, Operations
    from desktop_app.gui.theme.theme import Theme


class Strip(QWidget):
    """The base class of bars with a frame. A bar is hidden until it has something to show.

    Attributes:
        frame: The visible frame; the parent of the widgets in `row`. Its object name is `notice`, for the style sheet.
        row: The horizontal layout inside the frame.

    Args:
        name: The accessible name.
        parent: The parent.
    """

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.frame = QFrame(self)
        self.frame.setObjectName("notice")
        spaced(QVBoxLayout(self), 0, (8, 4, 8, 4)).addWidget(self.frame)
        self.row = spaced(QHBoxLayout(self.frame), 8, (12, 4, 4, 4))
        self.hide()


SHORT_MS = 10_000
"""The time after which a passing message disappears, in milliseconds."""

_ICON = 18

_MIN_TEXT_WIDTH = 460
"""The minimum width of the text, in pixels, for placing several buttons beside it."""


_BAR_WIDTH = 180

_PROGRESS_EVERY_MS = 15_000
"""The shortest time between two announcements of the progress of a long operation."""


class Kind(StrEnum):
    """The severity of a message, which determines its background and icon."""

    INFO = "info"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class NoticeAction:
    """A button in a message bar.

    Attributes:
        text: The text of the button.
        run: The function to call when the button is pressed.
        keeps: Whether the message stays open when the button is pressed.
    """

    text: str
    run: Callable[[], object]
    keeps: bool = False


@dataclass(frozen=True, slots=True)
class Notice:
    """A message for the user.

    Attributes:
        text: The text, which is never interpreted as HTML.
        kind: The severity.
        actions: The buttons.
        passing: Whether the message disappears after `SHORT_MS`.
        title: A summary of a few words, shown above the text; may be empty.
        times: The number of times that the same problem has occurred recently.
        offers_undo: Whether a button undoes or redoes the latest change, so that the next one withdraws the message.
    """

    text: str
    kind: Kind = Kind.INFO
    actions: tuple[NoticeAction, ...] = ()
    passing: bool = False
    title: str = ""
    times: int = 1
    offers_undo: bool = False


_ICONS = {Kind.INFO: ("info", "muted"), Kind.WARNING: ("warning", "text"), Kind.PROBLEM: ("status-failed", "failed")}


class NoticeBar(Strip):
    """A bar that shows one message at a time; a new message replaces the old one.

    Signals:
        dismissed(str): The user closed the message; the argument is its text.
    """

    dismissed = Signal(str)

    def __init__(self, name: str, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(name, parent)
        self._theme = theme
        self._notice: Notice | None = None
        self._icon = IconLabel(_ICON, self.frame)
        self._text = plain_label("", self.frame)
        self._text.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._title = plain_label("", self.frame, "noticeTitle")
        self._texts = spaced(QVBoxLayout(), 3)
        self._texts.addWidget(self._title)
        self._texts.addWidget(self._text)
        self._box = QWidget(self.frame)
        self._box_row = spaced(QHBoxLayout(self._box), 8)
        self._box.hide()
        self._buttons: list[QPushButton] = []
        self._close = QToolButton(self.frame)
        self._close.setAccessibleName(tr("Dismiss this message"))
        self._close.setToolTip(tr("Dismiss"))
        self._close.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._close.setIconSize(QSize(14, 14))
        self._close.setIcon(theme.icon("cancel"))
        self._close.clicked.connect(self._dismiss)
        self.row.addWidget(self._icon)
        self.row.addLayout(self._texts, 1)
        self.row.addWidget(self._box)
        self.row.addWidget(self._close)
        self._timer = QTimer(self, singleShot=True, interval=SHORT_MS)
        self._timer.timeout.connect(self.clear)

    @property
    def notice(self) -> Notice | None:
        """Return the current message; None if there is none."""
        return self._notice

    @property
    def buttons(self) -> list[QPushButton]:
        """Return the buttons of the current message, from left to right."""
        return list(self._buttons)

    def show_notice(self, notice: Notice) -> None:
        """Show a message, and announce it to screen readers unless it repeats the last one."""
        is_repeated = notice.times > 1 or (
            self._notice is not None and (self._notice.title, self._notice.text) == (notice.title, notice.text)
        )
        self.clear()
        self._notice = notice
        self._text.setText(notice.text)
        counted = tr("{title} ({times} times)").format(title=notice.title, times=notice.times)
        self._title.setText(counted if notice.times > 1 else notice.title)
        self._title.setVisible(bool(notice.title))
        for action in notice.actions:
            button = QPushButton(action.text, self._box)
            if not action.keeps:
                button.clicked.connect(self.clear)
            # Not `action.run` itself: PySide can't connect a method of an object that does not support weak references.
            button.clicked.connect(lambda _checked=False, run=action.run: run())
            self._box_row.addWidget(button)
            self._buttons.append(button)
        # The close button comes last, although it was created first.
        for first, second in pairwise([self._close, *self._buttons, self._close]):
            self.setTabOrder(first, second)
        self._place_buttons()
        self._icon.show_icon(self._theme.icon(*_ICONS[notice.kind]))
        self.frame.setProperty("kind", notice.kind.value)
        restyle(self.frame)
        self.show()
        if notice.passing:
            self._timer.start()
        if not is_repeated:
            announcement = f"{notice.title}. {notice.text}" if notice.title else notice.text
            QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, announcement))

    def _place_buttons(self) -> None:
        """Place the buttons beside the text, or below it if the text would become too narrow."""
        self._box.setVisible(bool(self._buttons))
        self.row.removeWidget(self._box)
        self._texts.removeWidget(self._box)
        if len(self._buttons) > 1 and self.width() < self._box.sizeHint().width() + _MIN_TEXT_WIDTH:
            self._texts.addWidget(self._box, 0, Qt.AlignmentFlag.AlignLeft)
        else:
            self.row.insertWidget(self.row.count() - 1, self._box)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Rearrange the buttons to fit the new width."""
        super().resizeEvent(event)
        self._place_buttons()

    @Slot()
    def clear(self) -> None:
        """Close the message without emitting `dismissed`."""
        self._timer.stop()
        self._notice = None
        self.hide()
        for button in self._buttons:
            self._box_row.removeWidget(button)
            button.hide()  # `deleteLater` removes it only when control returns to the event loop
            button.deleteLater()
        self._buttons.clear()

    @Slot()
    def _dismiss(self) -> None:
        text = self._text.text()
        self.clear()
        self.dismissed.emit(text)

    def enterEvent(self, event: QEnterEvent) -> None:
        """Keep a passing message open while the pointer is over it."""
        self._timer.stop()
        super().enterEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        """Restart the timer of a passing message."""
        if self._notice is not None and self._notice.passing:
            self._timer.start()
        super().leaveEvent(event)


class _OperationRow(QWidget):
    """Shows a running operation: its text, its progress and a Stop button."""

    def __init__(self, operation: Operation, parent: QWidget) -> None:
        super().__init__(parent)
        self._operation = operation
        self._text = plain_label("", self)
        self._bar = QProgressBar(self, textVisible=False)
        self._bar.setFixedWidth(_BAR_WIDTH)
        self._stop = QPushButton(tr("Stop"), self)
        self._stop.clicked.connect(operation.stop)
        row = spaced(QHBoxLayout(self), 10)
        row.addWidget(self._text, 1)
        row.addWidget(self._bar)
        row.addWidget(self._stop)

    def draw(self) -> None:
        """Show the current state of the operation."""
        operation = self._operation
        self._text.setText(operation.text)
        self._bar.setVisible(operation.total > 0)  # without a total, Qt's bar would only move to and fro
        self._bar.setMaximum(operation.total)
        self._bar.setValue(operation.done)
        self._bar.setAccessibleName(operation.text)
        self._stop.setEnabled(not operation.is_stopped)
        self._stop.setText(tr("Stopping…") if operation.is_stopped else tr("Stop"))
        self._stop.setAccessibleDescription(operation.text)


class BusyStrip(Strip):
    """A bar that shows the running operations below each other. It is hidden while there are none.

    Args:
        operations: The running operations.
        parent: The parent.
    """

    def __init__(self, operations: Operations, parent: QWidget) -> None:
        super().__init__(tr("Work in progress"), parent)
        self._operations = operations
        self._rows: dict[Operation, _OperationRow] = {}
        self._column = spaced(QVBoxLayout(), 4)
        self.row.addLayout(self._column, 1)
        self._announcer = Announcer(self, every_ms=_PROGRESS_EVERY_MS)
        operations.changed.connect(self._draw)

    @Slot()
    def _draw(self) -> None:
        shown = self._operations.shown
        for operation in [ended for ended in self._rows if ended not in shown]:
            row = self._rows.pop(operation)
            self._column.removeWidget(row)
            row.hide()
            row.deleteLater()
        for operation in shown:
            if operation not in self._rows:
                row = self._rows[operation] = _OperationRow(operation, self.frame)
                self._column.addWidget(row)
                row.show()
            self._rows[operation].draw()
        self.setVisible(bool(shown))
        if shown:
            self._announcer.announce(shown[-1].text)


ANNOUNCE_EVERY_MS = 5_000
"""The minimum time between two announcements, in milliseconds."""


class Announcer(QObject):
    """Makes polite announcements to screen readers, at most one every `every_ms` milliseconds.

    If several texts are waiting, only the newest is announced.

    Args:
        window: The window that the announcements belong to.
        every_ms: The minimum time between two announcements, in milliseconds.
    """

    def __init__(self, window: QWidget, *, every_ms: int = ANNOUNCE_EVERY_MS) -> None:
        super().__init__(window)
        self._window = window
        self._waiting = ""
        self._silence = QTimer(self, singleShot=True, interval=every_ms)
        self._silence.timeout.connect(self._announce_waiting)

    @Slot(str)
    def announce(self, text: str) -> None:
        """Announce a text now, or as soon as the minimum time since the last announcement has passed."""
        if self._silence.isActive():
            self._waiting = text
            return
        self._waiting = ""
        self._silence.start()
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self._window, text))

    @Slot()
    def _announce_waiting(self) -> None:
        if self._waiting:
            self.announce(self._waiting)
