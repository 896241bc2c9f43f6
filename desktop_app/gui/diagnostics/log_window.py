"""The log window and its table, which follows the newest record until the user scrolls away."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QItemSelection, Qt, QTimer, QUrl, Signal, Slot
from PySide6.QtGui import QAction, QDesktopServices, QFontDatabase, QGuiApplication, QKeySequence
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QSplitter,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from desktop_app.domain.errors import KnownError
from desktop_app.domain.sentences import Sentence
from desktop_app.gui.diagnostics.log_model import LEVEL, MESSAGE, SOURCE, TIME, LogModel
from desktop_app.gui.i18n import tr, translated
from desktop_app.gui.widgets.dialogs import show_rows
from desktop_app.logs.tail import LogTail

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from PySide6.QtGui import QHideEvent, QShowEvent

    from desktop_app.gui.tasks import Tasks
    from desktop_app.gui.theme.theme import Theme
    from desktop_app.logs.tail import LogRecord


_ROW_PADDING = 6

_WIDTHS = {TIME: 25, LEVEL: 13, SOURCE: 20}
"""The column widths in average characters."""


class LogView(QTableView):
    """The table that shows a `LogModel`.

    Signals:
        followed(bool): Following was switched on or off by scrolling or selecting.
        chosen(int): Another row was selected; -1 for none.
    """

    followed = Signal(bool)
    chosen = Signal(int)

    def __init__(self, model: LogModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._follows = True
        self._is_moving = False
        self.setAccessibleName(tr("Log"))
        self.setFrameShape(QFrame.Shape.NoFrame)
        show_rows(self)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerItem)
        self.setWordWrap(False)
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setMinimumSectionSize(16)
        self.setModel(model)
        self.horizontalHeader().setHighlightSections(False)
        self.horizontalHeader().setSectionResizeMode(MESSAGE, QHeaderView.ResizeMode.Stretch)
        self._fit()
        self.verticalScrollBar().valueChanged.connect(self._look_where)
        for signal in (model.rowsAboutToBeInserted, model.rowsAboutToBeRemoved, model.modelAboutToBeReset):
            signal.connect(self._begin_move)
        for signal in (model.rowsInserted, model.rowsRemoved, model.modelReset):
            signal.connect(self._end_move)

    def _fit(self) -> None:
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + _ROW_PADDING)
        for column, characters in _WIDTHS.items():
            self.setColumnWidth(column, characters * self.fontMetrics().averageCharWidth())

    @property
    def follows(self) -> bool:
        """Return whether the newest record is kept in view."""
        return self._follows

    @Slot(bool)
    def follow(self, follows: bool) -> None:  # noqa: FBT001 - a slot
        """Keep the newest record in view, or stop following."""
        self._follows = follows
        if follows:
            self._show_newest()

    def selected_rows(self) -> list[int]:
        """Return the selected rows, from top to bottom."""
        return sorted({index.row() for index in self.selectionModel().selectedRows()})

    def _show_newest(self) -> None:
        self._is_moving = True
        self.scrollToBottom()
        self._is_moving = False

    @Slot()
    def _begin_move(self) -> None:
        self._is_moving = True

    @Slot()
    def _end_move(self) -> None:
        if self._follows:
            self._show_newest()
        self._is_moving = False

    @Slot(int)
    def _look_where(self, value: int) -> None:
        """Stop following when the user scrolls up; follow again at the end."""
        if not self._is_moving:
            self._set_follows(follows=value >= self.verticalScrollBar().maximum())

    def _set_follows(self, *, follows: bool) -> None:
        if follows is not self._follows:
            self._follows = follows
            self.followed.emit(follows)

    # --- overrides of Qt

    def selectionChanged(self, selected: QItemSelection, deselected: QItemSelection) -> None:
        """Show the selected record and stop following, so that it stays in view."""
        super().selectionChanged(selected, deselected)
        row = self.currentIndex().row() if self.selectionModel().hasSelection() else -1
        self.chosen.emit(row)
        if 0 <= row < self.model().rowCount() - 1:
            self._set_follows(follows=False)

    def changeEvent(self, event: QEvent) -> None:
        """Follow the font."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._fit()

    def showEvent(self, event: QShowEvent) -> None:
        """Follow the font, which may have changed before the table was shown."""
        super().showEvent(event)
        self._fit()
        if self._follows:
            self._show_newest()


EVERY_MS = 500

_TYPING_MS = 150

_SIZE = (960, 600)


class LogWindow(QWidget):
    """The log window; reads the log files on the pool, and only while it is visible.

    Signals:
        report_wanted(): The user wants a support report.
    """

    report_wanted = Signal()

    def __init__(self, folder: Path, tasks: Tasks, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Window)
        self._folder = folder
        self._tasks = tasks
        self._tail = LogTail(folder)
        self._is_reading = False
        self.model = LogModel(theme, self)
        self.view = LogView(self.model, self)
        self.whole = QPlainTextEdit(self)
        self.level = QComboBox(self)
        self.filter = QLineEdit(self)
        self.follow = QCheckBox(tr("&Follow"), self)
        self.state = QLabel(self)
        self.setWindowTitle(tr("Log"))
        self.resize(*_SIZE)
        self._arrange()
        self._connect()
        self._timer = QTimer(self)
        self._timer.setInterval(EVERY_MS)
        self._timer.timeout.connect(self.look)
        self._typing = QTimer(self)
        self._typing.setSingleShot(True)
        self._typing.setInterval(_TYPING_MS)
        self._typing.timeout.connect(self._narrow)

    def _arrange(self) -> None:
        for least, text in (
            (0, tr("Everything")),
            (logging.INFO, tr("Info and above")),
            (logging.WARNING, tr("Warnings and above")),
            (logging.ERROR, tr("Errors only")),
        ):
            self.level.addItem(text, least)
        self.level.setAccessibleName(tr("Level"))
        self.filter.setPlaceholderText(tr("Filter the log"))
        self.filter.setAccessibleName(tr("Filter the log"))
        self.filter.setClearButtonEnabled(True)
        self.follow.setChecked(True)
        self.follow.setToolTip(tr("Keep the newest entry in view; scroll up to stop following"))
        self.whole.setReadOnly(True)
        self.whole.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.whole.setFrameShape(QFrame.Shape.NoFrame)
        self.whole.setTabChangesFocus(True)
        self.whole.setAccessibleName(tr("The selected entry"))
        self.whole.setPlaceholderText(tr("Select an entry to read it in full."))
        self.whole.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.state.setTextFormat(Qt.TextFormat.PlainText)
        self.state.setText(tr("Reading the log…"))
        top = QHBoxLayout()
        top.setContentsMargins(12, 10, 12, 10)
        top.setSpacing(8)
        top.addWidget(self.level)
        top.addWidget(self.filter, 1)
        top.addWidget(self.follow)
        halves = QSplitter(Qt.Orientation.Vertical, self)
        halves.addWidget(self.view)
        halves.addWidget(self.whole)
        halves.setStretchFactor(0, 1)
        halves.setSizes([_SIZE[1] - 150, 150])
        halves.setChildrenCollapsible(False)
        bottom = QHBoxLayout()
        bottom.setContentsMargins(12, 10, 12, 10)
        bottom.setSpacing(8)
        bottom.addWidget(self.state, 1)
        for button in self._make_buttons():
            bottom.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(top)
        column.addWidget(halves, 1)
        column.addLayout(bottom)
        self.view.setFocus()

    def _make_buttons(self) -> list[QPushButton]:
        made = []
        for text, slot in (
            (tr("&Copy"), self.copy),
            (tr("C&lear View"), self.clear),
            (tr("&Open Log Folder"), self.open_folder),
            (tr("Save Support &Report…"), self.report_wanted),
        ):
            button = QPushButton(text, self)
            button.clicked.connect(slot)
            made.append(button)
        made[0].setToolTip(tr("Copy the selected entries, or all entries shown if none is selected"))
        made[1].setToolTip(tr("Show only new entries; the log itself is not changed"))
        return made

    def _connect(self) -> None:
        self.level.currentIndexChanged.connect(self._narrow)
        self.filter.textChanged.connect(self._typing_on)
        self.follow.toggled.connect(self.view.follow)
        self.view.followed.connect(self.follow.setChecked)
        self.view.chosen.connect(self._show_whole)
        find = partial(self.filter.setFocus, Qt.FocusReason.ShortcutFocusReason)
        close = self.close
        for keys, run in (("Ctrl+F", find), ("Ctrl+C", self.copy), ("Esc", close), ("Ctrl+W", close)):
            self._key(keys, run)

    def _key(self, keys: str, run: Callable[[], object]) -> None:
        action = QAction(self)
        action.setShortcut(QKeySequence(keys))
        action.triggered.connect(run)
        self.addAction(action)

    # --- reading

    @Slot()
    def look(self) -> None:
        """Read new records."""
        if not self._is_reading:
            self._is_reading = True
            self._tasks.run(self._read, self._take, self._tell)

    def _read(self) -> list[LogRecord]:
        try:
            return self._tail.read()
        except PermissionError as error:
            text = Sentence("You don't have permission to read the log in {folder}.", folder=str(self._folder))
            raise KnownError(text, detail=str(error)) from error

    def _take(self, records: list[LogRecord]) -> None:
        self._is_reading = False
        if records:
            self.model.append(records)
        self._count()

    def _tell(self, error: KnownError) -> None:
        self._is_reading = False
        self.state.setText(translated(error.text))

    def _count(self) -> None:
        shown, held = self.model.rowCount(), self.model.held
        if shown == held:
            self.state.setText(tr("%Ln (entry|entries)", "", shown))
        else:
            number = self.locale().toString(shown)
            self.state.setText(tr("{shown} of %Ln (entry|entries)", "", held).format(shown=number))

    # --- user actions

    @Slot()
    def _typing_on(self) -> None:
        self._typing.start()

    @Slot()
    def _narrow(self) -> None:
        self._typing.stop()
        self.model.narrow(int(self.level.currentData()), self.filter.text())
        self.whole.clear()
        self._count()

    @Slot(int)
    def _show_whole(self, row: int) -> None:
        record = self.model.record(row)
        self.whole.setPlainText(record.text if record else "")

    @Slot()
    def copy(self) -> None:
        """Copy the selected records, or all shown ones if none is selected."""
        cursor = self.whole.textCursor()
        if self.whole.hasFocus() and cursor.hasSelection():
            self.whole.copy()
            return
        rows = self.view.selected_rows()
        QGuiApplication.clipboard().setText(self.model.text(rows or None))
        copied = len(rows) or self.model.rowCount()
        self.state.setText(tr("Copied %Ln (entry|entries).", "", copied))

    @Slot()
    def clear(self) -> None:
        """Show only new records from now on."""
        self.model.clear()
        self.whole.clear()
        self._count()

    @Slot()
    def open_folder(self) -> None:
        """Show the log files in the system's file manager."""
        if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._folder))):
            self.state.setText(tr("The log is in {folder}.").format(folder=self._folder))

    # --- showing and closing

    def showEvent(self, event: QShowEvent) -> None:
        """Start reading."""
        super().showEvent(event)
        self.look()
        self._timer.start()

    def hideEvent(self, event: QHideEvent) -> None:
        """Stop reading."""
        self._timer.stop()
        super().hideEvent(event)
