"""What the window tells a person while they work: message bars, a bar for work in progress, and screen readers."""

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
    """The base of the window's message lines.

    Attributes:
        frame: The visible box; named `notice` for the style sheet.
        row: Where the parts go.
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
"""How long what needs no action stays."""

_ICON = 18

_ROOM_FOR_WORDS = 460


class Kind(StrEnum):
    """How much a message matters; shown by its ground and its shape."""

    INFO = "info"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class NoticeAction:
    """A button of a message.

    Attributes:
        text: What stands on it.
        run: What it does.
        keeps: True if the message stays when it is pressed, since what it says still holds.
    """

    text: str
    run: Callable[[], object]
    keeps: bool = False


@dataclass(frozen=True, slots=True)
class Notice:
    """A message for a person.

    Attributes:
        text: Plain sentences; never HTML.
        kind: How much it matters.
        actions: Buttons; the message goes away when one is pressed.
        passing: True if it may go away by itself after `SHORT_MS`.
        title: What happened, in a few words; the text stands under it.
        times: How often it has come lately.
    """

    text: str
    kind: Kind = Kind.INFO
    actions: tuple[NoticeAction, ...] = ()
    passing: bool = False
    title: str = ""
    times: int = 1


_ICONS = {Kind.INFO: "info", Kind.WARNING: "warning", Kind.PROBLEM: "status-failed"}


class NoticeBar(Strip):
    """A place for one message; a new one takes the place of the old one.

    Signals:
        dismissed(str): The person has closed the message with this text.
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
        """Return the message that is shown."""
        return self._notice

    @property
    def buttons(self) -> list[QPushButton]:
        """Return the buttons of the message that is shown."""
        return list(self._buttons)

    def show_notice(self, notice: Notice) -> None:
        """Show a message and have a screen reader say it."""
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
            # Not `action.run` itself: PySide can't connect a method of an object that has no weak references.
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
        """Put the buttons in the Tab order as they stand, the cross last."""
        order = [self._close, *self._buttons, self._close] if self._buttons else []
        for first, second in pairwise(order):
            self.setTabOrder(first, second)

    def _place_buttons(self) -> None:
        """Place the buttons beside the words; below them where the words would get too narrow."""
        self._box.setVisible(bool(self._buttons))
        needed = self._box.sizeHint().width()
        self.row.removeWidget(self._box)
        self._words.removeWidget(self._box)
        if len(self._buttons) > 1 and self.width() < needed + _ROOM_FOR_WORDS:
            self._words.addWidget(self._box, 0, Qt.AlignmentFlag.AlignLeft)
        else:
            self.row.insertWidget(self.row.count() - 1, self._box)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Give the words room."""
        super().resizeEvent(event)
        self._place_buttons()

    @Slot()
    def clear(self) -> None:
        """Show nothing."""
        self._timer.stop()
        self._notice = None
        self.hide()
        for button in self._buttons:
            self._box_row.removeWidget(button)
            button.hide()  # not only when Qt comes to it
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
        """Keep the message as long as the pointer is on it."""
        self._timer.stop()
        super().enterEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        """Let a passing message go away again."""
        if self._notice is not None and self._notice.passing:
            self._timer.start()
        super().leaveEvent(event)


class BusyStrip(Strip):
    """A line of text, a bar that moves, and Stop.

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
"""What is said sooner after the last word waits; only the newest of what waits is said."""


class Announcer(QObject):
    """Says things politely: after what is being read, at most one each `every_ms`.

    Args:
        window: In whose name it speaks.
        every_ms: How long it is silent after each.
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
        """Say this now, or when the silence is over, unless something newer is said then."""
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
