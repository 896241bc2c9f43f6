"""Shows the run in the status bar, in the graphs, in notices and on the desktop."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot

from desktop_app.gui.commands.actions import Actions, text_of
from desktop_app.gui.connection.status import ConnectionStatus, ConnectionText, Mark, Need, Trouble
from desktop_app.gui.desktop.ports import Desktop, Notification, Notifier, Topic
from desktop_app.gui.desktop.tray import Tray
from desktop_app.gui.i18n import tr
from desktop_app.gui.progress.run import Progress, RunEnd
from desktop_app.gui.progress.run_watch import Pace, RunWatch, Span
from desktop_app.gui.progress.texts import TimeLeft, end_text, pace_sentence, pace_text, selection_text
from desktop_app.gui.progress.throughput import ThroughputDock
from desktop_app.gui.startup.single_instance import activate
from desktop_app.gui.widgets.notice import Kind, Notice, NoticeAction, NoticeBar

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtGui import QAction
    from PySide6.QtWidgets import QMainWindow

    from desktop_app.domain.clock import Clock
    from desktop_app.gui.progress.status_bar import JobsStatusBar
    from desktop_app.gui.table.job_feed import Selected, SelectedTotals
    from desktop_app.gui.theme.theme import Theme
    from desktop_app.gui.window_memory import WindowMemory
    from desktop_app.gui.wording import Wording


EVERY_MS = 5_000
"""After a run is reported, all runs that end within this time are reported together."""

AWAKE_MS = 5_000
"""The computer may go to sleep if no file is started within this time."""

_RETRY_MS = 250

_NOT_RUNNING = frozenset({Mark.RETRYING, Mark.NEEDED, Mark.STOPPED, Mark.PAUSED})

_ALL_FILES, _FAILED_FILES = 0, -1
"""The positions in `Actions.status_views`."""


class RunNotifications(QObject):
    """Reports the results of runs in the window, and both results and problems on the desktop.

    Nothing is shown on the desktop while the window is active.

    Signals:
        notice(Notice): A message to show in the window.

    Attributes:
        last_failed: The number of failed files in the last reported result.
        level: What is shown on the desktop: `all`, `problems` or `none`.

    Args:
        notifier: The notifier for the desktop.
        is_watched: A function that returns whether the window is active.
        has_room: A function that returns whether the window can show a notice without replacing a warning or a notice
            with buttons.
        export: The action that the notice's button triggers.
        wording: The formatter for numbers and times.
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
        self._text = ""
        self._room_timer = QTimer(self, interval=_RETRY_MS)
        self._room_timer.timeout.connect(self._show_in_window)
        self._export = export
        self._wording = wording
        self.last_failed = 0
        self.level = "all"
        self._closed = False
        self._unreported: RunEnd | None = None
        self._failure_reported = False
        self._has_worked = False
        self._reported_trouble = ""
        self._interval_timer = QTimer(self, singleShot=True, interval=every_ms)
        self._interval_timer.timeout.connect(self._report_end)

    # --- the run

    @Slot(object)
    def follow_progress(self, progress: Progress) -> None:
        """Report the first failure of a run."""
        if not progress.is_busy or not progress.failed:
            self._failure_reported = False
        elif not self._failure_reported:
            self._failure_reported = True
            text = tr("The other files are not affected. Open Filemill to see why the file failed and what you can do.")
            self._notify(Notification(Topic.FAILURE, tr("A file has failed"), text))

    @Slot(object)
    def follow_end(self, end: RunEnd) -> None:
        """Report the result of a run, or hold it back for a while if another run was reported shortly before."""
        if self._unreported is not None:
            before = self._unreported
            end = RunEnd(before.files + end.files, before.failed + end.failed, before.took_ms + end.took_ms)
        self._unreported = end
        if not self._interval_timer.isActive():
            self._report_end()

    @Slot()
    def _report_end(self) -> None:
        end, self._unreported = self._unreported, None
        if end is None:
            return
        self._interval_timer.start()
        self.last_failed = end.failed
        text = end_text(end, self._wording)
        self._text = text
        self._show_in_window()
        title = tr("Finished with problems") if end.failed else tr("Finished")
        self._notify(Notification(Topic.ENDED, title, text, is_urgent=bool(end.failed)))

    @Slot()
    def _show_in_window(self) -> None:
        """Show the notice once the window no longer shows a warning or another one with buttons, such as Undo."""
        if not self._has_room():
            self._room_timer.start()
            return
        self._room_timer.stop()
        if self._text:
            export = NoticeAction(text_of(self._export), self._export.trigger)
            actions = (export,) if self._export.isEnabled() else ()  # the list may be empty by now
            self.notice.emit(Notice(self._text, actions=actions, passing=True))
            self._text = ""

    # --- the connection

    @Slot(object)
    def follow_connection(self, text: ConnectionText) -> None:
        """Report that processing can't continue until the user signs in, fixes the connection or restarts a loop."""
        self._has_worked = self._has_worked or text.mark is Mark.RUNNING
        if text.mark in {Mark.NEEDED, Mark.STOPPED}:
            self._report_trouble(text.text, text.detail)
        elif text.mark is Mark.RUNNING:
            self._reported_trouble = ""

    @Slot(object)
    def follow_trouble(self, trouble: Trouble | None) -> None:
        """Report that processing was switched off because of too many foreign messages."""
        if trouble is not None and trouble.need is Need.PERMISSION and self._has_worked:
            self._has_worked = False
            self._report_trouble(tr("Processing is off"), trouble.text)

    def _report_trouble(self, title: str, text: str) -> None:
        if title != self._reported_trouble:
            self._reported_trouble = title
            self._notify(Notification(Topic.TROUBLE, title, text, is_urgent=True))

    @Slot(str, str)
    def report_pause(self, title: str, text: str) -> None:
        """Report that a batch is paused and needs a decision."""
        self._notify(Notification(Topic.TROUBLE, title, text, is_urgent=True))

    def _notify(self, notification: Notification) -> None:
        is_problem = notification.is_urgent or notification.topic is not Topic.ENDED
        is_wanted = self.level == "all" or (self.level == "problems" and is_problem)
        if is_wanted and not self._closed and not self._is_watched():
            self._notifier.show(notification)

    def close(self) -> None:
        """Stop reporting."""
        self._closed = True
        self._interval_timer.stop()
        self._room_timer.stop()


class ProgressPresenter(QObject):
    """Shows the run in the status bar, in the graphs, in notices and on the desktop.

    Attributes:
        dock: The graphs.
        notifications: The notifications about runs and problems.
        tray: The tray icon.

    Args:
        run: The run.
        status, notices: The status bar and the notice bar of the window.
        selected: The number of selected files, and their totals.
        actions: The actions of the window.
        connection: The status of the connection.
        desktop: The desktop integration of the window.
        memory: The saved state of the window.
        clock: The clock.
        theme: The colours of the graphs.
        wording: The formatter for numbers and times.
        window: The window, which is also the parent.
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
        self._awake_timer = QTimer(self, singleShot=True, interval=AWAKE_MS)
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
        actions.keep_in_tray.toggled.connect(partial(setattr, memory, "keeps_in_tray"))

    # --- the graphs

    def _make_dock(self, theme: Theme) -> ThroughputDock:
        memory, action = self._memory, self._actions.throughput
        dock = ThroughputDock(self._run.history, self._clock, theme, self._wording, self._window)
        dock.choose(next((span for span in Span if span.name == memory.throughput_span), dock.span))
        dock.chosen.connect(self._save_span)
        self._window.addDockWidget(Qt.DockWidgetArea.BottomDockWidgetArea, dock)
        dock.setVisible(memory.shows_throughput)
        action.setChecked(memory.shows_throughput)
        action.toggled.connect(dock.setVisible)
        action.toggled.connect(partial(setattr, memory, "shows_throughput"))
        self._status.throughput_pressed.connect(action.toggle)
        return dock

    @Slot(object)
    def _save_span(self, span: Span) -> None:
        self._memory.throughput_span = span.name

    # --- the status bar

    @Slot(object)
    def _show_pace(self, pace: Pace) -> None:
        series = self._run.history.series(Span.MINUTE, self._clock.now_ms() / 1000)
        self._status.show_pace(
            left=self._time_left.text(pace.left_s),
            text=pace_text(pace, self._wording),
            sentence=pace_sentence(pace, self._wording),
            values=series.bytes if pace.by_bytes or not pace.files else series.files,
        )

    @Slot(object)
    def _show_selected(self, selected: Selected) -> None:
        text = ""
        if selected.count:
            text = selection_text(selected.count, selected.sums, self._wording, selected.fields)
        self._status.show_selection(text)

    @Slot(object)
    def _follow_connection(self, text: ConnectionText) -> None:
        self._run.set_estimating(enabled=text.mark not in _NOT_RUNNING)

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
        self._run.changed.connect(notifications.follow_progress)
        self._run.ended.connect(notifications.follow_end)
        connection.text_changed.connect(notifications.follow_connection)
        connection.trouble_changed.connect(notifications.follow_trouble)
        self._desktop.notifier.on_click(self._open_topic)
        return notifications

    def _has_room(self) -> bool:
        shown = self._notices.notice
        return shown is None or (shown.kind is Kind.INFO and not shown.actions)

    @Slot(object)
    def _show_on_desktop(self, progress: Progress) -> None:
        self._desktop.taskbar.show(progress.fraction if progress.is_busy else None, progress.failed)
        if progress.processing:
            self._desktop.awake.keep(awake=True)
            self._awake_timer.stop()
        elif not progress.is_busy:
            self._let_sleep()
        elif not self._awake_timer.isActive():
            self._awake_timer.start()  # the next file may start soon, or processing is paused

    @Slot()
    def _let_sleep(self) -> None:
        self._awake_timer.stop()
        self._desktop.awake.keep(awake=False)

    def _open_topic(self, topic: Topic) -> None:
        """Show the window and any files that a clicked notification is about."""
        activate(self._window)
        if topic is Topic.FAILURE or (topic is Topic.ENDED and self.notifications.last_failed):
            self._actions.status_views[_FAILED_FILES].trigger()
        elif topic is Topic.ENDED:
            self._actions.status_views[_ALL_FILES].trigger()

    @Slot()
    def close(self) -> None:
        """Stop reporting, remove everything from the desktop and let the computer sleep."""
        self.notifications.close()
        self._awake_timer.stop()
        self._desktop.close()
