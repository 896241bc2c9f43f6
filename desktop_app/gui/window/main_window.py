"""The window: arranges its parts, and remembers how it was left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QMainWindow, QVBoxLayout, QWidget

from desktop_app.gui.adding.add_flow import AddFlow, FileChooser
from desktop_app.gui.adding.dropping import DropOverlay, DropTarget
from desktop_app.gui.commands import menus
from desktop_app.gui.commands.actions import Actions
from desktop_app.gui.commands.file_commands import WindowCommands
from desktop_app.gui.commands.help_commands import HelpCommands
from desktop_app.gui.commands.queue_commands import Pausing, QueueCommands
from desktop_app.gui.connection.banner import trouble_banner
from desktop_app.gui.connection.desk import ConnectionDesk
from desktop_app.gui.connection.foreign_watch import ForeignWatch
from desktop_app.gui.desktop.ports import ADD_FILES, ADD_FOLDER
from desktop_app.gui.details.loader import make_details
from desktop_app.gui.details.pane import DetailsSplit
from desktop_app.gui.export.command import ExportCommand
from desktop_app.gui.filtering.filter_box import FilterBox
from desktop_app.gui.filtering.list_filter import ListFilter
from desktop_app.gui.filtering.sidebar import Sidebar
from desktop_app.gui.i18n import tr, translated
from desktop_app.gui.progress.presenter import ProgressPresenter
from desktop_app.gui.progress.status_bar import JobsStatusBar
from desktop_app.gui.table.selection_sums import SelectedTotals
from desktop_app.gui.table.view import JobsView
from desktop_app.gui.widgets.notice import BusyStrip, Kind, Notice, NoticeBar
from desktop_app.gui.window.empty_pages import EmptyState, NoMatch, Pages
from desktop_app.gui.window.pane_keys import PaneKeys
from desktop_app.gui.window.tool_bar import ToolBar
from desktop_app.gui.wording import DASH

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QCloseEvent, QResizeEvent

    from desktop_app.config.settings import Connection
    from desktop_app.domain.job import StatusCounts
    from desktop_app.gui.window.window_parts import WindowParts


_SIZE = (1100, 700)

_LEAST = (720, 440)


class MainWindow(QMainWindow):
    """Shows the list of jobs and takes files in.

    Signals:
        closed(): The window was closed; what runs behind it can be ended. Emitted once.

    Attributes:
        offers: Everything that can be done.
        selected: How many files are selected, and their sums.
        view, filter, sidebar, details, no_match, notices, banner, busy, exporting, status, overlay: Its parts.
        foreign, adding: What is done about other programs' messages, and about new files.
        export, insight: The ways to an exported list, to the log and the support report.
        run, progress: The run that is under way, and what is told of it.
        pausing: The way to a pause.
    """

    closed = Signal()

    def __init__(self, needs: WindowParts) -> None:
        super().__init__()
        self._needs = needs
        self._workbench = needs.workbench
        self._was_closed = False
        look = needs.look
        self.offers = Actions(self, look)
        self.filter = FilterBox(look, self)
        self.sidebar = Sidebar(needs.wording, look, self)
        self.view = JobsView(self._workbench.model, look, self)
        self.banner = NoticeBar(tr("Trouble"), look, self)
        self.notices = NoticeBar(tr("Message"), look, self)
        self.busy = BusyStrip(self)
        self.exporting = BusyStrip(self)
        self.status = JobsStatusBar(needs.wording, look, self)
        self.connecting = ConnectionDesk(needs.session, needs.advisor, look, self)
        self.offers.connection.triggered.connect(self.connecting.open)
        self.status.connection_pressed.connect(self.connecting.open)
        self._chooser = FileChooser(needs.memory, self)
        self.foreign = ForeignWatch(needs.session.foreign, self.offers.foreign, self)
        trouble_banner(self.banner, needs, self.connecting, self.foreign, say=self.say, window=self)
        self.connecting.complained.connect(self.complain)
        self._commands = WindowCommands(self.offers, self.view, self._workbench, self._chooser, self)
        self.export = ExportCommand(
            self.offers.export, self.exporting, self.view, self._workbench, needs.memory, needs.wording, self
        )
        self.insight = HelpCommands(self.offers, self._workbench.beside, needs.support, needs.memory, look, self)
        bench = self._workbench
        list_filter = ListFilter(
            self.offers, self.filter, self.sidebar, self.view, bench.model, bench.totals, bench.groups, self
        )
        list_filter.retry_wanted.connect(bench.commands.retry_problems)
        self.no_match = NoMatch(list_filter.clear_filter, list_filter.show_all, look, self)
        self._empty = EmptyState(self.offers, look)
        self._pages = Pages(self.view, self._empty, self.no_match, self)
        self.selected = SelectedTotals(self.view, bench.model, bench.reader, bench.reads, self)
        self.details = make_details(self.offers, self.view, self.selected, needs, self)
        self.run = self._workbench.watch_run(queue=needs.session.connection.key, clock=needs.clock)
        self.progress = ProgressPresenter(
            self.run,
            status=self.status,
            notices=self.notices,
            selected=self.selected,
            actions=self.offers,
            states=needs.states,
            desktop=needs.desktop(self),
            memory=needs.memory,
            clock=needs.clock,
            theme=look,
            wording=needs.wording,
            window=self,
        )
        self._split = DetailsSplit(self._pages, self.details, self)
        self.adding = AddFlow(self._workbench, self.view, look, needs.wording, self)
        self._arrange()
        self.overlay = DropOverlay(look, self)
        DropTarget(self, self.overlay, needs.wording).dropped.connect(self.add)
        panes = (self._tools, self.sidebar, self.banner, self._pages, self.details, self.notices)
        last = (self.progress.dock, self.status)
        PaneKeys(self.offers.next_pane, self.offers.previous_pane, (*panes, *last), self)
        self.pausing = Pausing(needs, self.offers, self)
        QueueCommands(needs, self.offers, self.view).said.connect(self.say)
        self._connect()

    def _arrange(self) -> None:
        self.setMinimumSize(*_LEAST)
        self.resize(*_SIZE)
        menus.fill_menu_bar(self, self.offers, self._workbench.commands.undo, self.view.header)
        self._tools = ToolBar(self.offers, self.filter, self)
        self.addToolBar(self._tools)
        self.setStatusBar(self.status)
        central = QWidget(self)
        column = QVBoxLayout(central)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.banner)
        column.addWidget(self._split, 1)
        column.addWidget(self.busy)
        column.addWidget(self.exporting)
        column.addWidget(self.notices)
        whole = QWidget(self)
        row = QHBoxLayout(whole)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.sidebar)
        row.addWidget(central, 1)
        self.setCentralWidget(whole)

    def _connect(self) -> None:
        bench = self._workbench
        bench.problem.connect(self.complain)
        bench.model.listed.connect(self._update)
        bench.totals.changed.connect(self._show_counts)
        bench.adder.said.connect(self._show_busy)
        for speaker in (
            self.adding,
            bench.additions,
            bench.commands,
            self.export,
            self.insight,
            self.progress.notifications,
        ):
            speaker.said.connect(self.say)
        for part in (self.adding, self.insight, self.progress):
            self.closed.connect(part.close)
        self._commands.said.connect(self.say)
        self._needs.states.text_changed.connect(self.status.show_connection)
        self.run.changed.connect(self._show_title)
        self.foreign.counted.connect(self.status.show_foreign)
        self.busy.stopped.connect(bench.adder.stop)
        self.pausing.said.connect(self.say)
        self.pausing.pace_changed.connect(self._needs.states.take_pace)
        self.pausing.pace_changed.connect(self._show_title)
        self.view.selection_changed.connect(self._update)
        for action in (self.offers.sidebar, self.offers.details):
            action.toggled.connect(self._update)
        self.view.menu_wanted.connect(self._show_menu)

    def open(self) -> None:
        """Show the window as it was left, and begin to read the list.

        Raises:
            StoreError: If the database can't be read.
        """
        self._workbench.start()
        self.restoreGeometry(self._needs.memory.geometry)
        self.view.restore(self._needs.memory)
        self.offers.sidebar.setChecked(self._needs.memory.shows_sidebar)
        self.offers.details.setChecked(self._needs.memory.shows_details)
        self._split.restore(self._needs.memory)
        self.status.show_connection(self._needs.states.text)
        self.follow_connection(self._needs.session.connection)
        self.pausing.open()
        self.show()

    @Slot(object)
    def follow_connection(self, connection: Connection) -> None:
        """The window is about this queue from now on."""
        self._needs.wording.queue = connection.key
        self._empty.follow(connection)
        self.foreign.watch(self._needs.session.foreign)
        self.run.follow_queue(connection.key)
        self._show_counts(self._workbench.totals.counts)
        self._show_title()
        self.view.viewport().update()

    @Slot(list)
    def add(self, paths: Sequence[str]) -> None:
        """Add files, folders and `file:` addresses, and do what the icon's menu asks; the window says how it ended."""
        requested = {ADD_FILES: self.offers.add_files, ADD_FOLDER: self.offers.add_folder}
        for path in paths:
            if path in requested:
                requested[path].trigger()
        self._workbench.adder.add([path for path in paths if path not in requested])

    # --- saying things

    @Slot(object)
    def say(self, notice: Notice) -> None:
        """Show a message in the window."""
        self.notices.show_notice(notice)

    @Slot(str)
    def complain(self, text: str) -> None:
        """Say what went wrong; a text that is shown already is not said again."""
        shown = self.notices.notice
        if shown is None or shown.text != text:
            self.say(Notice(text, Kind.PROBLEM))

    @Slot(str, bool)
    def _show_busy(self, text: str, can_stop: bool) -> None:  # noqa: FBT001 - a slot
        self.busy.say(text, can_stop=can_stop)

    # --- following the list

    @Slot()
    def _update(self) -> None:
        model, counts = self._workbench.model, self._workbench.totals.counts
        listed = model.rowCount()
        self._pages.update_page(model, total=counts.total, typed=self.filter.text())
        # Beside the first words of an empty list there is nothing to choose.
        has_files = bool(counts.total or listed)
        self.sidebar.setVisible(self.offers.sidebar.isChecked() and has_files)
        self.status.show_statuses(shown=has_files and self.sidebar.isHidden())
        self._split.show_details(shown=self.offers.details.isChecked() and has_files)
        self.filter.setEnabled(has_files)
        self.offers.update(total=counts.total, listed=listed, selected=self.view.selected_count(), failed=counts.failed)

    @Slot(object)
    def _show_counts(self, counts: StatusCounts) -> None:
        self.status.show_counts(counts)
        failed = f" ({self._needs.wording.number(counts.failed)})" if counts.failed else ""
        self.offers.retry_failed.setIconText(tr("Retry Failed") + failed)
        self._update()

    @Slot()
    def _show_title(self) -> None:
        progress = self.run.progress
        done = f"{self._needs.wording.percent(progress.fraction)}{DASH}" if progress.is_busy else ""
        self.setWindowTitle(
            f"{self.pausing.title}{done}{translated(self._needs.session.connection.label)}{DASH}Filemill"
        )

    @Slot(QPoint)
    def _show_menu(self, place: QPoint) -> None:
        menus.context_menu(self.offers, self).popup(place)

    # --- coming and going

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Let the parts follow."""
        super().resizeEvent(event)
        self.status.fit()
        self._split.fit(event.size().width())
        self.overlay.setGeometry(self.rect())

    def closeEvent(self, event: QCloseEvent) -> None:
        """Vanish at once; what runs behind the window ends afterwards. Safe to come twice."""
        event.accept()
        if self._was_closed:
            return
        self._was_closed = True
        self.pausing.close()
        memory = self._needs.memory
        memory.geometry = self.saveGeometry()
        memory.shows_sidebar = self.offers.sidebar.isChecked()
        memory.shows_details = self.offers.details.isChecked()
        self._split.remember(memory)
        self.view.remember(memory)
        memory.save()
        self.hide()
        self.closed.emit()
