"""Presents the run: status bar, graphs, notices in the window and desktop notifications."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot

from desktop_app.gui.connection.status import ConnectionText, Mark, Need
from desktop_app.gui.desktop.ports import Notification, Topic
from desktop_app.gui.desktop.tray import Tray
from desktop_app.gui.i18n import tr
from desktop_app.gui.progress.history import Span
from desktop_app.gui.progress.run import Progress, RunEnd
from desktop_app.gui.progress.texts import TimeLeft, end_text, pace_sentence, pace_text, selection_text
from desktop_app.gui.progress.throughput import ThroughputDock
from desktop_app.gui.widgets.notice import Notice, NoticeAction

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtGui import QAction
    from PySide6.QtWidgets import QMainWindow

    from desktop_app.domain.clock import Clock
    from desktop_app.gui.commands.actions import Actions
    from desktop_app.gui.connection.status import ConnectionStatus, Trouble
    from desktop_app.gui.desktop.ports import Desktop, Notifier
    from desktop_app.gui.progress.run_watch import Pace, RunWatch
    from desktop_app.gui.progress.status_bar import JobsStatusBar
    from desktop_app.gui.table.job_feed import Selected, SelectedTotals
    from desktop_app.gui.theme.theme import Theme
    from desktop_app.gui.widgets.notice import NoticeBar
    from desktop_app.gui.window_memory import WindowMemory
    from desktop_app.gui.wording import Wording


EVERY_MS = 5_000
"""Runs that end within this time are reported as one."""

AWAKE_MS = 5_000
"""If no file is started within this time, the computer may sleep."""

_RETRY_MS = 250

_NOTHING_GOES_ON = frozenset({Mark.RETRYING, Mark.NEEDED, Mark.STOPPED, Mark.PAUSED})

_FAILED_VIEW = -1


class RunNotifications(QObject):
    """Reports a run in the window if it is active, else on the desktop: once per run, not per file.

    Signals:
        notice(Notice): A message for the window.

    Attributes:
        last_failed: The number of failed files in the last report.

    Args:
        notifier: Shows desktop notifications.
        is_watched: Returns whether the window is active.
        has_room: Returns whether no notice with buttons that may still be needed is shown.
        export: The action offered at the end.
        wording: Formats numbers and times.
        parent: The parent.
        every_ms: See `EVERY_MS`.
    """

    notice = Signal(object)

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
        self._room.setInterval(_RETRY_MS)
        self._room.timeout.connect(self._show_in_window)
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
        """Report the first failure of a run at once: the user may want to act."""
        if not progress.is_busy or not progress.failed:
            self._told_failure = False
        elif not self._told_failure:
            self._told_failure = True
            self._notify(
                Notification(
                    Topic.FAILURE,
                    tr("A file has failed"),
                    tr("The other files continue. Filemill shows why it failed and what to do."),
                )
            )

    @Slot(object)
    def take_end(self, end: RunEnd) -> None:
        """Report the end of a run."""
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
        self._show_in_window()
        title = tr("Finished with problems") if end.failed else tr("Finished")
        self._notify(Notification(Topic.ENDED, title, text, is_urgent=bool(end.failed)))

    @Slot()
    def _show_in_window(self) -> None:
        """Show a notice at once, or later if an Undo notice has not been shown long enough yet."""
        if self._notice is None or self._has_room():
            notice, self._notice = self._notice, None
            self._room.stop()
            if notice is not None:
                self.notice.emit(notice)
        else:
            self._room.start()

    # --- the connection

    @Slot(object)
    def take_connection(self, text: ConnectionText) -> None:
        """Report that a sign-in is needed or a loop has ended: nothing continues until the user acts."""
        self._has_worked = self._has_worked or text.mark is Mark.RUNNING
        if text.mark in {Mark.NEEDED, Mark.STOPPED}:
            self._tell_trouble(text.text, text.detail)
        elif text.mark is Mark.RUNNING:
            self._told_trouble = ""

    @Slot(object)
    def take_trouble(self, trouble: Trouble | None) -> None:
        """Report that processing was switched off because of too many foreign messages."""
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
        """Stop reporting."""
        self._closed = True
        self._silence.stop()
        self._room.stop()


class ProgressPresenter(QObject):
    """Shows the run in the status bar, in the graphs and on the desktop.

    Attributes:
        dock: The graphs.
        notifications: Reports the end of a run and problems.
        tray: The tray icon, if enabled.

    Args:
        run: The run.
        status, notices: The status bar and the notice bar.
        selected: The sums of the selection.
        actions: The actions.
        connection: The status of the connection.
        desktop: The desktop integration of a window.
        memory: Stores whether graphs and tray are shown, and the graphs' span.
        clock: The time.
        theme: The colours of the graphs.
        wording: Formats numbers and times.
        window: The window; the parent.
    """

    def __init__(
        self,
        run: RunWatch,
        *,
        status: JobsStatusBar,
        notices: NoticeBar,
        selected: SelectedTotals,
        actions: Actions,
        connection: ConnectionStatus,
        desktop: Desktop,
        memory: WindowMemory,
        clock: Clock,
        theme: Theme,
        wording: Wording,
        window: QMainWindow,
    ) -> None:
        super().__init__(window)
        self._run = run
        self._status = status
        self._notices = notices
        self._actions = actions
        self._window = window
        self._memory = memory
        self._clock = clock
        self._wording = wording
        self._time_left = TimeLeft()
        self._desktop = desktop
        self._awake_timer = QTimer(self)
        self._awake_timer.setSingleShot(True)
        self._awake_timer.setInterval(AWAKE_MS)
        self._awake_timer.timeout.connect(self._let_sleep)
        run.changed.connect(status.show_progress)
        run.changed.connect(self._show_on_desktop)
        run.paced.connect(self._show_pace)
        selected.changed.connect(self._show_selected)
        connection.text_changed.connect(self._follow_connection)
        self.dock = self._make_dock(theme)
        self.notifications = self._make_notifications(connection)
        self.tray = Tray(window, actions.keep_in_tray, (actions.pause, actions.quit))
        actions.keep_in_tray.setChecked(memory.keeps_in_tray)
        actions.keep_in_tray.toggled.connect(self._remember_tray)

    # --- the graphs

    def _make_dock(self, theme: Theme) -> ThroughputDock:
        memory, action = self._memory, self._actions.throughput
        dock = ThroughputDock(self._run.history, self._clock, theme, self._wording, self._window)
        dock.choose(next((span for span in Span if span.name == memory.throughput_span), dock.span))
        dock.chosen.connect(self._remember_span)
        self._window.addDockWidget(Qt.DockWidgetArea.BottomDockWidgetArea, dock)
        dock.setVisible(memory.shows_throughput)
        action.setChecked(memory.shows_throughput)
        action.toggled.connect(dock.setVisible)
        action.toggled.connect(self._remember_dock)
        self._status.throughput_pressed.connect(action.toggle)
        return dock

    @Slot(bool)
    def _remember_dock(self, shown: bool) -> None:  # noqa: FBT001 - a slot
        self._memory.shows_throughput = shown

    @Slot(object)
    def _remember_span(self, span: Span) -> None:
        self._memory.throughput_span = span.name

    # --- the status bar

    @Slot(object)
    def _show_pace(self, pace: Pace) -> None:
        self._status.show_pace(
            left=self._time_left.text(pace.left_s),
            text=pace_text(pace, self._wording),
            sentence=pace_sentence(pace, self._wording),
            values=self._last_minute(pace),
        )

    def _last_minute(self, pace: Pace) -> tuple[float, ...]:
        """Return the values of the last minute: files, or bytes where a file takes long."""
        series = self._run.history.series(Span.MINUTE, self._clock.now_ms() / 1000)
        return series.files if pace.files else series.bytes

    @Slot(object)
    def _show_selected(self, selected: Selected) -> None:
        self._status.show_selection(
            selection_text(selected.count, selected.sums, self._wording) if selected.count else ""
        )

    @Slot(object)
    def _follow_connection(self, text: ConnectionText) -> None:
        self._run.set_estimating(enabled=text.mark not in _NOTHING_GOES_ON)

    # --- the desktop

    def _make_notifications(self, connection: ConnectionStatus) -> RunNotifications:
        notifications = RunNotifications(
            self._desktop.notifier,
            self._actions.export,
            self._wording,
            self._window,
            is_watched=self._window.isActiveWindow,
            has_room=self._has_room,
        )
        self._run.changed.connect(notifications.take_progress)
        self._run.ended.connect(notifications.take_end)
        connection.text_changed.connect(notifications.take_connection)
        connection.trouble_changed.connect(notifications.take_trouble)
        self._desktop.notifier.on_click(self._open_about)
        return notifications

    def _has_room(self) -> bool:
        shown = self._notices.notice
        return shown is None or not shown.actions

    @Slot(object)
    def _show_on_desktop(self, progress: Progress) -> None:
        self._desktop.taskbar.show(progress.fraction if progress.is_busy else None, progress.failed)
        if progress.processing:
            self._desktop.awake.keep(awake=True)
            self._awake_timer.stop()
        elif not progress.is_busy:
            self._let_sleep()
        elif not self._awake_timer.isActive():
            self._awake_timer.start()  # between two files, or paused

    @Slot()
    def _let_sleep(self) -> None:
        self._awake_timer.stop()
        self._desktop.awake.keep(awake=False)

    def _open_about(self, topic: Topic) -> None:
        """Show the window and the subject of a clicked notification."""
        self.tray.bring_back()
        if topic is Topic.FAILURE or (topic is Topic.ENDED and self.notifications.last_failed):
            self._actions.status_views[_FAILED_VIEW].trigger()
        elif topic is Topic.ENDED:
            self._actions.status_views[0].trigger()

    @Slot(bool)
    def _remember_tray(self, kept: bool) -> None:  # noqa: FBT001 - a slot
        self._memory.keeps_in_tray = kept

    @Slot()
    def close(self) -> None:
        """Show nothing more: the window was closed and its loops are ending."""
        self.notifications.close()
        self._awake_timer.stop()
        self._desktop.close()
