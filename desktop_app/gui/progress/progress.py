"""What a person hears of the run while it is on: wires those who find out to those who show it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QTimer, Slot

from desktop_app.gui.connection.status import Mark
from desktop_app.gui.desktop.ports import Topic
from desktop_app.gui.desktop.tray import Tray
from desktop_app.gui.progress.history import Span
from desktop_app.gui.progress.run_news import RunNews
from desktop_app.gui.progress.texts import TimeLeft, pace_sentence, pace_text, selection_text
from desktop_app.gui.progress.throughput_dock import ThroughputDock

if TYPE_CHECKING:
    from PySide6.QtWidgets import QMainWindow

    from desktop_app.domain.clock import Clock
    from desktop_app.gui.commands.actions import Actions
    from desktop_app.gui.connection.status import ConnectionStatus, ConnectionText
    from desktop_app.gui.desktop.ports import Desktop
    from desktop_app.gui.progress.run import Progress
    from desktop_app.gui.progress.run_watch import Pace, RunWatch
    from desktop_app.gui.progress.status_bar import JobsStatusBar
    from desktop_app.gui.table.selection_sums import Selected, SelectedTotals
    from desktop_app.gui.theme.theme import Theme
    from desktop_app.gui.widgets.notice import NoticeBar
    from desktop_app.gui.window_memory import WindowMemory
    from desktop_app.gui.wording import Wording


_NOTHING_GOES_ON = frozenset({Mark.RETRYING, Mark.NEEDED, Mark.STOPPED, Mark.PAUSED})

_FAILED_VIEW = -1

DROWSY_MS = 5_000
"""The next file is begun sooner than this; if it is not, the computer may fall asleep."""


class Feedback(QObject):
    """Keeps status bar, graphs and desktop at the run.

    Attributes:
        dock: The graphs.
        news: What is told at the end of a run and in trouble.
        tray: The icon in the tray, if the person wants it.

    Args:
        run: The run.
        status, notices: Where it is shown, where its end is told.
        selected: What is selected.
        actions: The actions.
        connection: What is known of the connection.
        memory: What is shown at the next start.
        theme, wording: How it looks and reads.
        clock: The time.
        desktop: The desktop around the window.
        window: The window; Qt's owner.
    """

    def __init__(
        self,
        run: RunWatch,
        status: JobsStatusBar,
        notices: NoticeBar,
        selected: SelectedTotals,
        actions: Actions,
        *,
        connection: ConnectionStatus,
        memory: WindowMemory,
        theme: Theme,
        wording: Wording,
        clock: Clock,
        desktop: Desktop,
        window: QMainWindow,
    ) -> None:
        super().__init__(window)
        self._run = run
        self._status = status
        self._notices = notices
        self._actions = actions
        self._window = window
        self._connection = connection
        self._memory = memory
        self._theme = theme
        self._clock = clock
        self._wording = wording
        self._time_left = TimeLeft()
        self._desktop = desktop
        self._drowsy = QTimer(self)
        self._drowsy.setSingleShot(True)
        self._drowsy.setInterval(DROWSY_MS)
        self._drowsy.timeout.connect(self._let_sleep)
        run.changed.connect(status.show_progress)
        run.changed.connect(self._show_on_desktop)
        run.paced.connect(self._show_pace)
        selected.changed.connect(self._show_selected)
        connection.text_changed.connect(self._heed_connection)
        self.dock = self._make_dock()
        self.news = self._make_news()
        self.tray = Tray(window, actions.keep_in_tray, (actions.pause, actions.quit))
        actions.keep_in_tray.setChecked(memory.keeps_in_tray)
        actions.keep_in_tray.toggled.connect(self._remember_tray)

    # --- the graphs

    def _make_dock(self) -> ThroughputDock:
        memory, action = self._memory, self._actions.throughput
        dock = ThroughputDock(self._run.history, self._clock, self._theme, self._wording, self._window)
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
        """The line belongs to its number: files, or bytes where a file takes long."""
        series = self._run.history.series(Span.MINUTE, self._clock.now_ms() / 1000)
        return series.files if pace.files else series.bytes

    @Slot(object)
    def _show_selected(self, selected: Selected) -> None:
        self._status.show_selection(
            selection_text(selected.count, selected.sums, self._wording) if selected.count else ""
        )

    @Slot(object)
    def _heed_connection(self, text: ConnectionText) -> None:
        self._run.foresee(may_foresee=text.mark not in _NOTHING_GOES_ON)

    # --- the desktop

    def _make_news(self) -> RunNews:
        news = RunNews(
            self._desktop.notifier,
            self._actions.export,
            self._wording,
            self._window,
            is_watched=self._window.isActiveWindow,
            has_room=self._has_room,
        )
        self._run.changed.connect(news.take_progress)
        self._run.ended.connect(news.take_end)
        self._connection.text_changed.connect(news.take_connection)
        self._connection.trouble_changed.connect(news.take_trouble)
        self._desktop.notifier.on_click(self._open_about)
        return news

    def _has_room(self) -> bool:
        shown = self._notices.notice
        return shown is None or not shown.actions

    @Slot(object)
    def _show_on_desktop(self, progress: Progress) -> None:
        self._desktop.taskbar.show(progress.fraction if progress.is_busy else None, progress.failed)
        if progress.processing:
            self._desktop.awake.keep(awake=True)
            self._drowsy.stop()
        elif not progress.is_busy:
            self._let_sleep()
        elif not self._drowsy.isActive():
            self._drowsy.start()  # between two files, or paused

    @Slot()
    def _let_sleep(self) -> None:
        self._drowsy.stop()
        self._desktop.awake.keep(awake=False)

    def _open_about(self, topic: Topic) -> None:
        """A notification was pressed: show the window, and what it was about."""
        self.tray.bring_back()
        if topic is Topic.FAILURE or (topic is Topic.ENDED and self.news.last_failed):
            self._actions.status_views[_FAILED_VIEW].trigger()
        elif topic is Topic.ENDED:
            self._actions.status_views[0].trigger()

    @Slot(bool)
    def _remember_tray(self, kept: bool) -> None:  # noqa: FBT001 - a slot
        self._memory.keeps_in_tray = kept

    @Slot()
    def close(self) -> None:
        """The window was closed: what its loops say while they end is no news any more."""
        self.news.close()
        self._drowsy.stop()
        self._desktop.close()
