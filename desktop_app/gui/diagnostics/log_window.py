"""The log window. Its table keeps the newest record in view until the user scrolls up."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QItemSelection, Qt, QTimer, QUrl, Signal, Slot
from PySide6.QtGui import QAction, QGuiApplication, QHideEvent, QKeySequence, QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QSplitter,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from desktop_app.domain.errors import KnownError
from desktop_app.domain.sentences import Sentence
from desktop_app.gui.diagnostics.log_model import LEVEL, MESSAGE, SOURCE, TIME, LogModel
from desktop_app.gui.i18n import tr, translated
from desktop_app.gui.programs import open_url
from desktop_app.gui.widgets.dialogs import (
    ButtonRow,
    SideBySide,
    WindowPlace,
    caption,
    read_only_text,
    show_rows,
    spaced,
)
from desktop_app.logs.tail import LogRecord, LogTail

if TYPE_CHECKING:
    from pathlib import Path

    from desktop_app.gui.tasks import Tasks
    from desktop_app.gui.theme.theme import Theme


_ROW_PADDING = 6

_SOURCE_WIDTH = 28
"""The width of the Source column in average character widths."""

_PADDING = 24
"""The width of a cell without its text, rounded up."""

_ICON = 22
"""The width of an icon and of the gap between it and the text."""


class LogView(QTableView):
    """The table that shows a `LogModel`.

    Signals:
        follows_changed(bool): The user changed `follows` by scrolling or selecting.
        selected(int): The selection has changed; the argument is the current row, or -1 if no row is selected.

    Attributes:
        follows: Whether the newest record is kept in view.
    """

    follows_changed = Signal(bool)
    selected = Signal(int)

    def __init__(self, model: LogModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.follows = True
        self._widest_time, self._level_words = model.widest_time(), model.level_words()
        self._is_moving = False
        self.setAccessibleName(tr("Log"))
        self.setObjectName("log")
        self.setFrameShape(QFrame.Shape.NoFrame)
        show_rows(self)
        self.setWordWrap(False)
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setMinimumSectionSize(16)
        self.setModel(model)
        self.horizontalHeader().setSectionResizeMode(MESSAGE, QHeaderView.ResizeMode.Stretch)
        self._fit_to_font()
        self.verticalScrollBar().valueChanged.connect(self._follow_at_end)
        for signal in (model.rowsAboutToBeInserted, model.rowsAboutToBeRemoved, model.modelAboutToBeReset):
            signal.connect(self._begin_move)
        for signal in (model.rowsInserted, model.rowsRemoved, model.modelReset):
            signal.connect(self._end_move)

    def _fit_to_font(self) -> None:
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + _ROW_PADDING)
        metrics = self.fontMetrics()
        level = max(map(metrics.horizontalAdvance, self._level_words))
        self.setColumnWidth(TIME, metrics.horizontalAdvance(self._widest_time) + _PADDING)
        self.setColumnWidth(LEVEL, level + _ICON + _PADDING)
        self.setColumnWidth(SOURCE, _SOURCE_WIDTH * metrics.averageCharWidth())

    @Slot(bool)
    def follow(self, follows: bool) -> None:  # noqa: FBT001 - connected to `toggled`
        """Start or stop keeping the newest record in view."""
        self.follows = follows
        if follows:
            self._show_newest()

    def selected_rows(self) -> list[int]:
        """Return the numbers of the selected rows in ascending order."""
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
        if self.follows:
            self._show_newest()
        self._is_moving = False

    @Slot(int)
    def _follow_at_end(self, value: int) -> None:
        """Stop following when the user scrolls up; start again when the user scrolls to the end."""
        if not self._is_moving:
            self._set_follows(follows=value >= self.verticalScrollBar().maximum())

    def _set_follows(self, *, follows: bool) -> None:
        if follows is not self.follows:
            self.follows = follows
            self.follows_changed.emit(follows)

    # --- overrides of Qt

    def selectionChanged(self, selected: QItemSelection, deselected: QItemSelection) -> None:
        """Emit `selected`. Stop following if an older record is selected, so that it is not scrolled out of view."""
        super().selectionChanged(selected, deselected)
        row = self.currentIndex().row() if self.selectionModel().hasSelection() else -1
        self.selected.emit(row)
        if 0 <= row < self.model().rowCount() - 1:
            self._set_follows(follows=False)

    def changeEvent(self, event: QEvent) -> None:
        """Adapt the rows and columns to a new font."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._fit_to_font()

    def showEvent(self, event: QShowEvent) -> None:
        """Adapt the rows and columns to the font, which may have changed while the table was hidden."""
        super().showEvent(event)
        self._fit_to_font()
        if self.follows:
            self._show_newest()


_EVERY_MS = 500

_TYPING_MS = 150
"""The delay before a change to the filter text is applied."""

_SIZE = (960, 600)

_TEXT_MARGIN = 8

_NARROW, _LOW = 560, 300


class LogWindow(QWidget):
    """The log window. It reads the log files on the thread pool while it is visible.

    Signals:
        report_requested(): The user wants a support report.

    Args:
        folder: The folder of the log files.
        tasks: The thread pool.
        theme: The colours and icons.
        parent: The parent.
    """

    report_requested = Signal()

    def __init__(self, folder: Path, tasks: Tasks, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Window)
        self._folder = folder
        self._tasks = tasks
        self._tail = LogTail(folder)
        self._is_reading = False
        self.model = LogModel(theme, self)
        self.view = LogView(self.model, self)
        self.whole = read_only_text(tr("The selected entry"), self)
        self.level = QComboBox(self)
        self.filter = QLineEdit(self, placeholderText=tr("Filter the log"), clearButtonEnabled=True)
        self.follow = QCheckBox(tr("&Follow"), self)
        self.state = QLabel(tr("Reading the log…"), self, textFormat=Qt.TextFormat.PlainText)
        self.setWindowTitle(tr("Log"))
        self._arrange()
        self._place = WindowPlace(self, "log", _SIZE)
        self._connect()
        self._timer = QTimer(self, interval=_EVERY_MS)
        self._timer.timeout.connect(self.read)
        self._typing = QTimer(self, singleShot=True, interval=_TYPING_MS)
        self._typing.timeout.connect(self._apply_filter)

    def _arrange(self) -> None:
        for least, text in (
            (0, tr("Everything")),
            (logging.INFO, tr("Info and above")),
            (logging.WARNING, tr("Warnings and above")),
            (logging.ERROR, tr("Errors only")),
        ):
            self.level.addItem(text, least)
        level = tr("Level")
        self.level.setAccessibleName(level)
        self.filter.setAccessibleName(tr("Filter the log"))
        self.follow.setChecked(True)
        self.follow.setToolTip(tr("Scroll automatically to keep the newest entry visible; scroll up to stop following"))
        self.whole.setFrameShape(QFrame.Shape.NoFrame)
        self.whole.document().setDocumentMargin(_TEXT_MARGIN)
        self.whole.setPlaceholderText(tr("Select an entry to read it in full."))
        choice = QWidget(self)
        choice_row = spaced(QHBoxLayout(choice), 8)
        # On Linux, Qt names a combo box by its choice, and a screen reader finds its name in the label.
        choice_row.addWidget(caption(level, self.level))
        choice_row.addWidget(self.level)
        top = spaced(QHBoxLayout(), 8, (12, 10, 12, 10))
        top.addWidget(SideBySide(self.filter, choice, self))
        splitter = QSplitter(Qt.Orientation.Vertical, self, childrenCollapsible=False)
        splitter.addWidget(self.view)
        splitter.addWidget(self.whole)
        splitter.setStretchFactor(0, 3)
        splitter.setStretchFactor(1, 1)
        self.view.setMinimumHeight(48)
        self.whole.setMinimumHeight(16)
        splitter.setSizes([_SIZE[1] - 150, 150])
        bottom = spaced(QVBoxLayout(), 8, (12, 8, 12, 12))
        state = spaced(QHBoxLayout(), 8)
        state.addWidget(self.follow)
        state.addStretch(1)
        state.addWidget(self.state)
        bottom.addLayout(state)
        buttons = ButtonRow(self)
        for text, tip, slot in (
            (tr("&Copy"), tr("Copy the selected entries, or all entries shown if none are selected"), self.copy),
            (tr("C&lear View"), tr("Show only new entries; the log itself is not changed"), self.clear),
            (tr("&Open Log Folder"), "", self.open_folder),
            (tr("Save Support &Report…"), "", self.report_requested),
        ):
            button = buttons.addButton(text, ButtonRow.ButtonRole.ActionRole)
            button.setAutoDefault(False)
            button.setToolTip(tip)
            button.clicked.connect(slot)
        bottom.addWidget(buttons)
        column = spaced(QVBoxLayout(self), 0)
        column.addLayout(top)
        column.addWidget(splitter, 1)
        column.addLayout(bottom)
        self.view.setFocus()

    def _connect(self) -> None:
        self.level.currentIndexChanged.connect(self._apply_filter)
        self.filter.textChanged.connect(lambda: self._typing.start())  # noqa: PLW0108 - drop the text
        self.follow.toggled.connect(self.view.follow)
        self.view.follows_changed.connect(self.follow.setChecked)
        self.view.selected.connect(self._show_whole)
        for keys, slot in (
            ("Ctrl+F", partial(self.filter.setFocus, Qt.FocusReason.ShortcutFocusReason)),
            ("Ctrl+C", self.copy),
            ("Esc", self.close),
            ("Ctrl+W", self.close),
        ):
            action = QAction(self)
            action.setShortcut(QKeySequence(keys))
            action.triggered.connect(slot)
            self.addAction(action)

    # --- reading

    @Slot()
    def read(self) -> None:
        """Read the new records unless they are already being read."""
        if not self._is_reading:
            self._is_reading = True
            self._tasks.run(self._read, self._append, self._show_error)

    def _read(self) -> list[LogRecord]:
        try:
            return self._tail.read()
        except PermissionError as error:
            text = Sentence("You don't have permission to read the log in {folder}.", folder=str(self._folder))
            raise KnownError(text, detail=str(error)) from error

    def _append(self, records: list[LogRecord]) -> None:
        self._is_reading = False
        self.model.append(records)
        self._show_count()

    def _show_error(self, error: KnownError) -> None:
        self._is_reading = False
        self.state.setText(translated(error.text))

    def _show_count(self) -> None:
        shown, total = self.model.rowCount(), self.model.total
        if shown == total:
            self.state.setText(tr("%Ln (entry|entries)", "", shown))
        else:
            number = self.locale().toString(shown)
            self.state.setText(tr("{shown} of %Ln (entry|entries)", "", total).format(shown=number))

    # --- user actions

    @Slot()
    def _apply_filter(self) -> None:
        self._typing.stop()
        self.model.set_filter(int(self.level.currentData()), self.filter.text())
        self.whole.clear()
        self._show_count()

    @Slot(int)
    def _show_whole(self, row: int) -> None:
        self.whole.setPlainText(self.model.text([row]).removesuffix("\n") if row >= 0 else "")

    @Slot()
    def copy(self) -> None:
        """Copy the selected records, or all records shown if none is selected.

        If text is selected in the area below the table and that area has the focus, copy that text instead.
        """
        if self.whole.hasFocus() and self.whole.textCursor().hasSelection():
            self.whole.copy()
            return
        rows = self.view.selected_rows() or range(self.model.rowCount())
        QGuiApplication.clipboard().setText(self.model.text(rows))
        self.state.setText(tr("Copied %Ln (entry|entries).", "", len(rows)))

    @Slot()
    def clear(self) -> None:
        """Remove all records from the table, so that only new ones are shown."""
        self.model.clear()
        self.whole.clear()
        self._show_count()

    @Slot()
    def open_folder(self) -> None:
        """Open the folder of the log files in the file manager, or show its path if that fails."""
        text = tr("The log is in {folder}.").format(folder=self._folder)
        open_url(QUrl.fromLocalFile(str(self._folder)), self, partial(self.state.setText, text))

    # --- showing and closing

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave room for the messages."""
        super().resizeEvent(event)
        self.view.setColumnHidden(SOURCE, event.size().width() < _NARROW)
        self.whole.setVisible(event.size().height() >= _LOW)

    def showEvent(self, event: QShowEvent) -> None:
        """Start reading the log."""
        super().showEvent(event)
        self.read()
        self._timer.start()

    def hideEvent(self, event: QHideEvent) -> None:
        """Stop reading the log."""
        self._timer.stop()
        self._place.save()
        super().hideEvent(event)
