"""The main window, which creates, arranges and connects the parts from the other packages."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtWidgets import QAbstractButton, QApplication, QMainWindow, QWidget

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from PySide6.QtGui import QCloseEvent, QKeyEvent, QPaintEvent, QResizeEvent

    from desktop_app.config.settings import Connection
    from desktop_app.domain.clock import Clock
    from desktop_app.domain.errors import KnownError
    from desktop_app.domain.job import StatusCounts
    from desktop_app.domain.query import Filter
    from desktop_app.gui.connection.controller import ConnectionController
    from desktop_app.gui.desktop.ports import Desktop
    from desktop_app.gui.ports import ProcessorInfo
    from desktop_app.gui.theme.theme import Theme
    from desktop_app.gui.watching.controller import FolderWatching
    from desktop_app.gui.widgets.notice import Notice
    from desktop_app.gui.window.list_controller import ListController
    from desktop_app.gui.window_memory import WindowMemory
    from desktop_app.gui.wording import Wording
    from desktop_app.services.control import ProcessingControl
    from desktop_app.services.support.previews import Preview
    from desktop_app.services.support.report import SupportSources


_SIZE = QSize(1100, 700)

_MINIMUM_SIZE = QSize(600, 380)

_FRAME = QSize(8, 40)
"""The size of the window's frame, which is not known before the window is shown."""

_RESTART_EVERY_MS = 100
"""How often a restart that waits for something looks whether it has ended."""

_SIDEBAR_FROM = 720
"""In a window narrower than this, the sidebar is hidden until the user shows it."""


@dataclass(frozen=True, slots=True)
class Place:
    """What a window shows and uses, for the window that replaces it.

    Attributes:
        connection: The connection, with the access keys that were typed for the session.
        words: The text in the filter box.
        choice: The choice in the sidebar.
        first: The key of the first visible file; 0 if there is none.
        current: The key of the selected current file; 0 if there is none.
    """

    connection: Connection
    words: str
    choice: Filter
    first: int
    current: int


class MainWindow(QMainWindow):
    """The main window.

    It is created and shown empty, which takes a fraction of the time that its parts take: their modules are imported
    only by `build`. Until then, it can't be closed.

    Signals:
        closed(): The window was closed. Emitted only once.
        painted(): The window was painted for the first time.

    Attributes:
        menu_actions: The actions of the window.
        selected: The number of selected files, and their totals.
        view, filter, sidebar, details, no_match, notices, banner, paused_batches, busy, status, overlay: The
            widgets.
        connection, adding: The commands for the connection and for adding files.
        export, pausing, help, settings, presets, watched: Other commands, which have dialogs or a state.
        progress: The presenter of the run.
        reopens_at: After the window was closed by `restart`, what the window that replaces it has to show; else None.

    Args:
        memory: The saved state of the window.
        theme: The colours and icons.
    """

    closed = Signal()
    painted = Signal()

    def __init__(self, memory: WindowMemory, theme: Theme) -> None:
        super().__init__()
        self._memory = memory
        self._theme = theme
        self._is_built = self._is_painted = False
        self._was_closed = False
        self.setWindowTitle("Filemill")
        room = self.screen().availableGeometry().size() - _FRAME
        self.setMinimumSize(_MINIMUM_SIZE.boundedTo(room))
        self.resize(_SIZE.boundedTo(room))

    def show_empty(self) -> None:
        """Show the window in its saved place, before it is built."""
        self.restoreGeometry(self._memory.geometry)
        self.show()

    def build(
        self,
        jobs: ListController,
        controller: ConnectionController,
        *,
        control: ProcessingControl,
        save_paused: Callable[[bool], object],
        wording: Wording,
        clock: Clock,
        desktop: Callable[[QWidget], Desktop],
        support: SupportSources,
        processors: Callable[[], Sequence[ProcessorInfo]],
        type_rules: Callable[[], str],
        preview: Callable[[str, int], Preview],
        watching: FolderWatching,
        strict_order: bool = False,
    ) -> None:
        """Create the parts of the window.

        Args:
            jobs: The controller of the list.
            controller: The controller of the connection and its loops.
            control: The control for pausing and resuming.
            save_paused: Called to save, for the next start, whether processing is paused; can raise a `KnownError`.
            wording: The formatter for numbers, sizes and times.
            clock: The clock.
            desktop: A function that returns the desktop integration for a window.
            support: The sources of a support report, including the program's folders.
            processors: Returns the processors of this computer, in the order in which to offer them.
            type_rules: Returns the rules by which processors are chosen by file types.
            preview: Makes the preview of the file at a path, with a picture of at most so many pixels; on any thread.
            watching: The watched folders.
            strict_order: Whether all messages to a FIFO queue are sent in one message group.
        """
        from desktop_app.gui.adding.add_flow import AddFlow
        from desktop_app.gui.adding.dropping import DropOverlay, DropTarget
        from desktop_app.gui.commands.actions import Actions
        from desktop_app.gui.connection.commands import ConnectionCommands
        from desktop_app.gui.details.loader import DetailsFollower, DetailsLoader
        from desktop_app.gui.details.pane import DetailsPane
        from desktop_app.gui.filtering.filter_box import FilterBox
        from desktop_app.gui.filtering.sidebar import Sidebar
        from desktop_app.gui.i18n import tr
        from desktop_app.gui.processors.choice import ProcessorChoice
        from desktop_app.gui.progress.presenter import ProgressPresenter
        from desktop_app.gui.progress.status_bar import JobsStatusBar
        from desktop_app.gui.table.job_feed import SelectedTotals
        from desktop_app.gui.table.view import JobsView
        from desktop_app.gui.widgets.dialogs import DialogMemory
        from desktop_app.gui.widgets.notice import BusyStrip, NoticeBar

        memory, theme = self._memory, self._theme
        self._list, self._watching = jobs, watching
        self._controller = controller
        DialogMemory(memory, self)
        self._wording = wording
        self.reopens_at: Place | None = None
        self._restart_timer = QTimer(self, interval=_RESTART_EVERY_MS)
        self._restart_timer.timeout.connect(self.restart)
        self._is_narrow = False
        self._hides_sidebar = False  # whether the sidebar is hidden because the window is narrow
        self.menu_actions = actions = Actions(self, theme)
        self.processors = ProcessorChoice(processors, type_rules, memory, self)
        self.filter = FilterBox(theme, self)
        self.sidebar = Sidebar(wording, theme, self)
        self.view = view = JobsView(jobs.model, theme, self)
        self.banner = NoticeBar(tr("Problem"), theme, self)
        self.paused_batches = NoticeBar(tr("Paused batch"), theme, self)
        self.notices = NoticeBar(tr("Message"), theme, self)
        self.busy = BusyStrip(jobs.operations, self)
        self.status = JobsStatusBar(wording, theme, self)
        self.selected = SelectedTotals(view, jobs.model, jobs.reader, jobs.reads, self)
        self.details = DetailsPane(actions, theme, wording, self)
        loader = DetailsLoader(self.details, jobs.reader, jobs.tasks, support.home.logs, preview)
        DetailsFollower(
            self.details,
            view,
            jobs.model,
            self.selected,
            loader,
            wording,
            self.processors,
            strict_order=strict_order,
        )
        self.connection = ConnectionCommands(
            controller,
            self.banner,
            actions.foreign,
            control=control,
            folder=support.home.folder,
            theme=theme,
            window=self,
        )
        self.progress = ProgressPresenter(
            jobs.run,
            status=self.status,
            notices=self.notices,
            selected=self.selected,
            actions=actions,
            connection=controller.status,
            desktop=desktop(self),
            memory=memory,
            clock=clock,
            theme=theme,
            wording=wording,
            window=self,
        )
        self.adding = AddFlow(
            jobs.adder,
            jobs.feed,
            view,
            jobs.model,
            jobs.tasks,
            choices=self.processors,
            undo=jobs.commands.undo.undo,
            theme=theme,
            wording=wording,
            window=self,
        )
        self._arrange()
        self.overlay = DropOverlay(theme, self)
        DropTarget(self, self.overlay, wording).dropped.connect(self.add)
        self._make_commands(support, control, save_paused)
        self._connect()
        self._is_built = True

    def _make_commands(
        self, support: SupportSources, control: ProcessingControl, save_paused: Callable[[bool], object]
    ) -> None:
        from desktop_app.gui.commands.edit import EditCommands
        from desktop_app.gui.commands.file import ExportCommand, FileCommands
        from desktop_app.gui.commands.help import HelpCommands
        from desktop_app.gui.commands.paused_batches import PausedBatches
        from desktop_app.gui.commands.process_as import ProcessAsCommand
        from desktop_app.gui.commands.queue import LocateCommand, PauseCommands, QueueCommands
        from desktop_app.gui.commands.view import ViewCommands
        from desktop_app.gui.filtering.groups import GroupCommands
        from desktop_app.gui.filtering.search_names import help_rows
        from desktop_app.gui.presets.commands import PresetsCommand
        from desktop_app.gui.settings.commands import SettingsCommand
        from desktop_app.gui.watching.commands import WatchCommands

        actions, jobs, view, memory = self.menu_actions, self._list, self.view, self._memory
        self.export = ExportCommand(
            actions.export,
            view,
            jobs.model,
            jobs.exporter,
            jobs.totals,
            memory=memory,
            wording=self._wording,
            window=self,
        )
        self.pausing = PauseCommands(actions, control, save_paused, jobs.totals, self)
        self.help = HelpCommands(
            actions,
            jobs.tasks,
            support,
            memory,
            self._theme,
            self,
            syntax=lambda: [(row.example, row.meaning) for row in help_rows(jobs.fields.counts)],
        )
        GroupCommands(actions, self.sidebar, self._list_filter, jobs.commands, self.export)
        self.settings = SettingsCommand(
            actions,
            jobs.tasks,
            support,
            theme=self._theme,
            control=control,
            notifications=self.progress.notifications,
            choices=self.processors,
            window=self,
        )
        ProcessAsCommand(actions, self.processors, self)
        self.processors.rules_requested.connect(self.settings.open_rules)
        self.details.summary_page.field_requested.connect(self.view.show_field)
        self.settings.preferences.changed.connect(self.processors.refresh)
        self.presets = PresetsCommand(
            support.home.settings_file, self.processors, control, tasks=jobs.tasks, memory=memory, window=self
        )
        for requested in (self.processors.commands_requested, self.settings.commands_requested):
            requested.connect(self.presets.open)
        paused = PausedBatches(self.paused_batches, jobs.groups, jobs.commands, self.processors, self._wording)
        paused.shown.connect(self.progress.notifications.report_pause)
        self.watched = WatchCommands(actions, self._watching, self.processors, self._wording, self)
        LocateCommand(actions, view, jobs.model, jobs.commands, memory, self)
        panes = (
            *(self._tools, self.sidebar, self.banner, self.paused_batches),
            *(self._pages, self.details, self.notices),
        )
        for commands in (
            FileCommands(actions, jobs.adder, self.processors, memory, self),
            self.export,
            EditCommands(actions, view, jobs.reader, jobs.reads, self._wording),
            ViewCommands(actions, view, jobs.model, jobs.reader, jobs.reads, (*panes, self.progress.dock, self.status)),
            QueueCommands(actions, view, jobs.model, jobs.commands, control, jobs.tasks, self.processors),
            self.pausing,
            self.help,
            self.settings,
            self.watched,
        ):
            commands.notice.connect(self.show_notice)

    def _arrange(self) -> None:
        from PySide6.QtWidgets import QVBoxLayout

        from desktop_app.domain.query import NO_FILTER
        from desktop_app.gui.commands.actions import fill_menu_bar
        from desktop_app.gui.details.pane import DetailsSplit
        from desktop_app.gui.filtering.list_filter import ListFilter
        from desktop_app.gui.filtering.sidebar import SidebarSplit
        from desktop_app.gui.widgets.dialogs import spaced
        from desktop_app.gui.window.empty_pages import EmptyState, NoMatch, Pages
        from desktop_app.gui.window.tool_bar import ToolBar

        jobs, actions = self._list, self.menu_actions
        self._list_filter = list_filter = ListFilter(
            actions,
            self.filter,
            self.sidebar,
            self.view,
            jobs.model,
            jobs.totals,
            jobs.groups,
            self,
            reader=jobs.reader,
            reads=jobs.reads,
        )
        list_filter.retry_requested.connect(jobs.commands.retry_reasons)
        self.adding.show_requested.connect(list_filter.show_batch)
        self.no_match = NoMatch(self.filter.reset, partial(self.sidebar.choose, NO_FILTER), self._theme, self)
        self._empty = EmptyState(actions, self._theme)
        self._pages = Pages(self.view, self._empty, self.no_match, self)
        self._split = DetailsSplit(self._pages, self.details, self)
        fill_menu_bar(self, actions, jobs.commands.undo, self.view.header)
        self._tools = ToolBar(actions, self.filter, self._theme, self)
        self.addToolBar(self._tools)
        self.setStatusBar(self.status)
        central = QWidget(self)
        column = spaced(QVBoxLayout(central), 0)
        column.addWidget(self.filter.message)
        column.addWidget(self.banner)
        column.addWidget(self.paused_batches)
        column.addWidget(self._split, 1)
        # The other way round, a new message would move Stop away from the pointer.
        for bar in (self.notices, self.busy):
            column.addWidget(bar)
        self._panes = SidebarSplit(self.sidebar, central, self)
        self.setCentralWidget(self._panes)

    def _connect(self) -> None:
        jobs, actions = self._list, self.menu_actions
        jobs.problem.connect(self.show_error)
        jobs.model.rows_changed.connect(self._update)
        jobs.totals.changed.connect(self._show_counts)
        jobs.commands.notice.connect(self.show_notice)
        jobs.commands.undo.indexChanged.connect(self._withdraw_undo)
        jobs.feed.replaced.connect(self._withdraw_undo)
        jobs.run.changed.connect(self._show_title)
        self.adding.notice.connect(self.show_notice)
        self.progress.notifications.notice.connect(self.show_notice)
        self._watching.problem.connect(self.show_error)
        for part in (self.adding, self.help, self.settings, self.presets, self.watched, self.progress):
            self.closed.connect(part.close)
        for signal in (actions.connection.triggered, self.status.connection_pressed):
            signal.connect(self.connection.open)
        self.connection.notice.connect(self.show_notice)
        self.connection.failed.connect(self.show_error)
        self.connection.foreign.counted.connect(self.status.show_foreign)
        self.status.foreign_pressed.connect(self.connection.foreign.show_newest)
        jobs.fields.changed.connect(self.filter.know_fields)
        self.view.header.fast_requested.connect(jobs.make_fast)
        jobs.feed.problem.connect(self._show_database_error)
        jobs.feed.recovered.connect(self.connection.banner.clear_database_error)
        self._controller.changed.connect(self.follow_connection)
        self._controller.status.text_changed.connect(self.status.show_connection)
        self.settings.restart_requested.connect(self.restart)
        self.settings.processors_changed.connect(self._controller.restart)
        self.settings.processors_changed.connect(self.processors.refresh)
        self.settings.help_requested.connect(self.help.show_help_about_data)
        jobs.commands.pending_changed.connect(self.selected.sum_now)
        self.closed.connect(jobs.commands.stop)
        self.pausing.mode_changed.connect(self._controller.status.set_mode)
        self.pausing.mode_changed.connect(self._show_title)
        self.view.selection_changed.connect(self._update)
        self.selected.changed.connect(self._update_actions)
        actions.compact.toggled.connect(self.view.set_compact)
        for action in (actions.sidebar, actions.details):
            action.toggled.connect(self._update)
        self.view.menu_requested.connect(self._show_menu)

    def open(self, place: Place | None = None) -> None:
        """Read the list, and show the window with its saved state.

        Args:
            place: What to show; None for the whole list from its beginning.

        Raises:
            StoreError: If the database can't be read.
        """
        if place is not None:
            self.filter.setText(place.words)
            self.sidebar.choose(place.choice)
            # With a timer, since the view scrolls by itself when the filter is applied.
            timer = QTimer(self, singleShot=True, interval=0)
            timer.timeout.connect(partial(self._show_place, place, timer))
            self._list.model.rows_changed.connect(timer.start)
        self._list.start()
        if not self.isVisible():
            self.restoreGeometry(self._memory.geometry)
        self.view.restore(self._memory)
        self._is_narrow = self._hides_sidebar = False
        self.menu_actions.sidebar.setChecked(self._memory.shows_sidebar)
        self._fit_sidebar(self.width())
        self.menu_actions.details.setChecked(self._memory.shows_details)
        self.menu_actions.compact.setChecked(self._memory.compact_rows)
        self._split.restore(self._memory)
        self._panes.restore(self._memory)
        self.status.show_connection(self._controller.status.text)
        self.follow_connection(self._controller.connection)
        self.pausing.open()
        self.show()

    @Slot(object)
    def follow_connection(self, connection: Connection) -> None:
        """Show the files and the run of a connection's queue."""
        self._wording.queue = connection.key
        self._empty.follow(connection)
        self._list.run.follow_queue(connection.key)
        self._show_counts(self._list.totals.counts)
        self._show_title()
        self.view.viewport().update()

    @Slot(list)
    def add(self, paths: Sequence[str]) -> None:
        """Add files, folders and URLs. `ADD_FILES` and `ADD_FOLDER` open the dialogs instead.

        Args:
            paths: Paths and URLs from the command line, a drop, or another start of the program.
        """
        from desktop_app.config.paths import ADD_FILES, ADD_FOLDER

        requested = {ADD_FILES: self.menu_actions.add_files, ADD_FOLDER: self.menu_actions.add_folder}
        for path in paths:
            if path in requested:
                requested[path].trigger()
        names = [path for path in paths if path not in requested]
        self._list.adder.add(names, choice=self.processors.current)

    # --- messages

    @Slot(object)
    def show_notice(self, notice: Notice) -> None:
        """Show a message in the window."""
        self.notices.show_notice(notice)

    @Slot()
    def _withdraw_undo(self) -> None:
        """Close a message whose button would now undo or redo another change."""
        if self.notices.notice is not None and self.notices.notice.offers_undo:
            self.notices.clear()

    @Slot(str)
    def show_error(self, text: str) -> None:
        """Show an error message, unless it is already shown."""
        from desktop_app.gui.widgets.notice import Kind, Notice

        if all(shown is None or shown.text != text for shown in (self.notices.notice, self.banner.notice)):
            self.show_notice(Notice(text, Kind.PROBLEM))

    @Slot(object)
    def _show_database_error(self, error: KnownError) -> None:
        from desktop_app.gui.i18n import translated

        self.connection.banner.set_database_error(error)
        shown = self.notices.notice
        if shown is not None and shown.text == translated(error.text):
            self.notices.clear()  # once is enough

    # --- the list

    @Slot()
    def _update(self) -> None:
        model, counts = self._list.model, self._list.totals.counts
        listed = model.rowCount()
        self._pages.update_page(model, total=counts.total, typed=self.filter.text())
        # Without files, the sidebar and the details would be empty.
        has_files = bool(counts.total or listed)
        self.sidebar.setVisible(self.menu_actions.sidebar.isChecked() and has_files)
        if model.is_loaded:
            self.status.show_listed(None if model.shown_filter.is_empty else listed)
        self.status.show_statuses(shown=has_files and self.sidebar.isHidden())
        self._split.show_details(shown=self.menu_actions.details.isChecked() and has_files)
        self.filter.setEnabled(has_files or not model.is_loaded)  # while it opens, one can already type
        self._tools.emphasize(primary=not self._empty.isVisibleTo(self))
        self._update_actions()

    @Slot()
    def _update_actions(self) -> None:
        from desktop_app.gui.table.job_feed import Selected

        count, known = self.view.selected_count(), self.selected.current
        selected = known if known.count == count else Selected(count)
        self.menu_actions.update(
            self._list.totals.counts,
            selected,
            listed=self._list.model.rowCount(),
            is_loaded=self._list.model.is_loaded,
            queue=self._controller.connection.key,
        )

    @Slot(object)
    def _show_counts(self, counts: StatusCounts) -> None:
        from desktop_app.gui.i18n import tr

        if self._list.totals.is_known:
            self.status.show_counts(counts)
        failed = f" ({self._wording.number(counts.failed)})" if counts.failed else ""
        self.menu_actions.retry_failed.setIconText(tr("Retry Failed") + failed)
        self._update()

    @Slot()
    def _show_title(self) -> None:
        from desktop_app.gui.i18n import translated
        from desktop_app.gui.wording import DASH

        progress = self._list.run.progress
        done = f"{self._wording.percent(progress.fraction)}{DASH}" if progress.is_busy else ""
        self.setWindowTitle(f"{self.pausing.title}{done}{translated(self._controller.connection.label)}{DASH}Filemill")

    @Slot(QPoint)
    def _show_menu(self, place: QPoint) -> None:
        from desktop_app.gui.commands.actions import context_menu

        context_menu(self.menu_actions, self).popup(place)

    # --- showing and closing

    @Slot()
    def restart(self) -> None:
        """Close the window to be replaced by another one, such as one in another language, that shows the same.

        This waits for running operations and open dialogs: closing the window would end them.
        """
        from desktop_app.gui.i18n import tr
        from desktop_app.gui.widgets.notice import Notice, NoticeAction

        if self._list.operations.is_busy or self._list.adder.busy or QApplication.activeModalWidget() is not None:
            if not self._restart_timer.isActive():
                self.settings.close()
                cancel = NoticeAction(tr("Cancel"), self._restart_timer.stop)
                self.show_notice(Notice(tr("Filemill restarts as soon as it has finished this."), actions=(cancel,)))
                self._restart_timer.start()
            return
        ids, current = self._list.model.ids, self.view.currentIndex().row()
        first = self.view.rowAt(0)
        self.reopens_at = Place(
            connection=self._controller.connection,
            words=self.filter.text(),
            choice=self.sidebar.choice,
            first=ids[first] if 0 <= first < len(ids) else 0,
            current=ids[current] if 0 <= current < len(ids) and self.view.selected_count() else 0,
        )
        self.close()

    def _show_place(self, place: Place, timer: QTimer) -> None:
        """Scroll to the place to show, and delete the timer, once the files that match the filter are listed."""
        from PySide6.QtWidgets import QAbstractItemView

        model = self._list.model
        if not (model.is_current and self.filter.is_applied):
            return
        timer.deleteLater()
        current, first = model.row_of(place.current), model.row_of(place.first)
        if current is not None:
            self.view.select_rows(current, current)
        if first is not None:
            self.view.scrollTo(model.index(first, 0), QAbstractItemView.ScrollHint.PositionAtTop)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Press the button that has the focus on Enter as well; outside dialogs, Qt's buttons know only Space."""
        focused = self.focusWidget()
        is_enter = event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}
        if is_enter and not event.isAutoRepeat() and isinstance(focused, QAbstractButton):
            focused.click()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Emit `painted` after the first time."""
        super().paintEvent(event)
        if not self._is_painted:
            self._is_painted = True
            self.painted.emit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Adapt the status bar, the details and the drop overlay to the new size."""
        super().resizeEvent(event)
        if not self._is_built:
            return
        self._fit_sidebar(event.size().width())
        self.status.fit()
        self._split.fit(event.size().width())
        self.overlay.setGeometry(self.rect())

    def _fit_sidebar(self, width: int) -> None:
        """Hide the sidebar when the window becomes narrow, and show it again when it becomes wide."""
        action, is_narrow = self.menu_actions.sidebar, width < _SIDEBAR_FROM
        if is_narrow and not self._is_narrow and action.isChecked():
            self._hides_sidebar = True
            action.setChecked(False)
        elif self._is_narrow and not is_narrow and self._hides_sidebar:
            self._hides_sidebar = False
            action.setChecked(True)
        self._is_narrow = is_narrow

    def closeEvent(self, event: QCloseEvent) -> None:
        """Save the state of the window, hide it and emit `closed`. Later calls do nothing."""
        event.setAccepted(self._is_built)
        if not self._is_built:
            return
        if self._was_closed:
            return
        self._was_closed = True
        self._restart_timer.stop()
        self.pausing.close()
        memory = self._memory
        memory.geometry = self.saveGeometry()
        memory.shows_sidebar = self.menu_actions.sidebar.isChecked() or self._hides_sidebar
        memory.shows_details = self.menu_actions.details.isChecked()
        memory.compact_rows = self.menu_actions.compact.isChecked()
        self._split.remember(memory)
        self._panes.remember(memory)
        self.view.remember(memory)
        memory.save()
        self.hide()
        self.closed.emit()
