"""News of the run: in the window for who looks at it, on the desktop for who does not. One a run, never one a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from desktop_app.gui.connection.status import ConnectionText, Mark, Need
from desktop_app.gui.desktop.ports import Notification, Topic
from desktop_app.gui.i18n import tr
from desktop_app.gui.progress.run import Progress, RunEnd
from desktop_app.gui.progress.texts import end_text
from desktop_app.gui.widgets.notice import Notice, NoticeAction

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtGui import QAction

    from desktop_app.gui.connection.status import Trouble
    from desktop_app.gui.desktop.ports import Notifier
    from desktop_app.gui.wording import Wording


EVERY_MS = 5_000
"""Runs that end in a quick row are told as one."""

_LOOK_FOR_ROOM_MS = 250


class RunNews(QObject):
    """Decides what is told, and where.

    Signals:
        said(Notice): For the window's line of messages.

    Attributes:
        last_failed: How many files failed of what was told last.

    Args:
        notifier: The desktop's messages.
        is_watched: Whether the person looks at the window.
        has_room: Whether nothing stands in the window's line that the person may still want to press.
        export: The action that is offered at the end.
        wording: Numbers and times.
        parent: Qt's owner.
        every_ms: See `EVERY_MS`.
    """

    said = Signal(object)

    def __init__(
        self,
        notifier: Notifier,
        export: QAction,
        wording: Wording,
        parent: QObject | None = None,
        *,
        is_watched: Callable[[], bool],
        has_room: Callable[[], bool],
        every_ms: int = EVERY_MS,
    ) -> None:
        super().__init__(parent)
        self._notifier = notifier
        self._is_watched = is_watched
        self._has_room = has_room
        self._notice: Notice | None = None
        self._room = QTimer(self)
        self._room.setInterval(_LOOK_FOR_ROOM_MS)
        self._room.timeout.connect(self._say_in_window)
        self._export = export
        self._wording = wording
        self.last_failed = 0
        self._closed = False
        self._waiting: RunEnd | None = None
        self._told_failure = False
        self._has_worked = False
        self._told_trouble = ""
        self._silence = QTimer(self)
        self._silence.setSingleShot(True)
        self._silence.setInterval(every_ms)
        self._silence.timeout.connect(self._tell_waiting)

    # --- the run

    @Slot(object)
    def take_progress(self, progress: Progress) -> None:
        """The first failure of a run is told at once: there may be something to be done about it."""
        if not progress.is_busy or not progress.failed:
            self._told_failure = False
        elif not self._told_failure:
            self._told_failure = True
            self._notify(
                Notification(
                    Topic.FAILURE, tr("A file has failed"), tr("The others go on. Filemill says why and what to do.")
                )
            )

    @Slot(object)
    def take_end(self, end: RunEnd) -> None:
        """A run is over."""
        if self._waiting is not None:
            before = self._waiting
            end = RunEnd(before.files + end.files, before.failed + end.failed, before.took_ms + end.took_ms)
        self._waiting = end
        if not self._silence.isActive():
            self._tell_waiting()

    @Slot()
    def _tell_waiting(self) -> None:
        end, self._waiting = self._waiting, None
        if end is None:
            return
        self._silence.start()
        self.last_failed = end.failed
        text = end_text(end, self._wording)
        export = NoticeAction(self._export.text().replace("&", ""), self._export.trigger)
        self._notice = Notice(text, actions=(export,), passing=True)
        self._say_in_window()
        title = tr("Finished, with problems") if end.failed else tr("Finished")
        self._notify(Notification(Topic.ENDED, title, text, is_urgent=bool(end.failed)))

    @Slot()
    def _say_in_window(self) -> None:
        """At once, or when the way back from what the person did last has been there long enough."""
        if self._notice is None or self._has_room():
            notice, self._notice = self._notice, None
            self._room.stop()
            if notice is not None:
                self.said.emit(notice)
        else:
            self._room.start()

    # --- the connection

    @Slot(object)
    def take_connection(self, text: ConnectionText) -> None:
        """Sign-in needed, or ended by itself: nothing goes on before somebody does something."""
        self._has_worked = self._has_worked or text.mark is Mark.RUNNING
        if text.mark in {Mark.NEEDED, Mark.STOPPED}:
            self._tell_trouble(text.text, text.detail)
        elif text.mark is Mark.RUNNING:
            self._told_trouble = ""

    @Slot(object)
    def take_trouble(self, trouble: Trouble | None) -> None:
        """Processing that was going on is switched off: too many messages that are not ours."""
        if trouble is not None and trouble.need is Need.PERMISSION and self._has_worked:
            self._has_worked = False
            self._tell_trouble(tr("Processing is off"), trouble.text)

    def _tell_trouble(self, title: str, text: str) -> None:
        if title != self._told_trouble:
            self._told_trouble = title
            self._notify(Notification(Topic.TROUBLE, title, text, is_urgent=True))

    def _notify(self, notification: Notification) -> None:
        if not self._closed and not self._is_watched():
            self._notifier.show(notification)

    def close(self) -> None:
        """Tell nothing any more."""
        self._closed = True
        self._silence.stop()
        self._room.stop()
