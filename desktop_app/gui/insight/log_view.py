"""The table of the log window: rows of one height, the newest in sight as long as nobody looks elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QItemSelection, Signal, Slot
from PySide6.QtWidgets import QAbstractItemView, QFrame, QHeaderView, QTableView

from desktop_app.gui.insight.log_model import LEVEL, MESSAGE, SOURCE, TIME
from desktop_app.gui.texts import tr
from desktop_app.gui.widgets.row_table import show_rows

if TYPE_CHECKING:
    from PySide6.QtGui import QShowEvent
    from PySide6.QtWidgets import QWidget

    from desktop_app.gui.insight.log_model import LogModel

_ROW_PADDING = 6
_WIDTHS = {TIME: 25, LEVEL: 13, SOURCE: 20}
"""In average characters."""


class LogView(QTableView):
    """Shows a `LogModel`.

    Signals:
        followed(bool): Whether the newest record is kept in sight has changed, by scrolling or by choosing a row.
        chosen(int): Another row was chosen; -1 = none.
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
        """Whether the newest record is kept in sight."""
        return self._follows

    @Slot(bool)
    def follow(self, follows: bool) -> None:  # noqa: FBT001 - a slot
        """Keep the newest record in sight, or stay where it is."""
        self._follows = follows
        if follows:
            self._show_newest()

    def selected_rows(self) -> list[int]:
        """The chosen rows, from top to bottom."""
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
        """Who scrolls up reads there; who comes back to the end goes on with what is new."""
        if not self._is_moving:
            self._set_follows(follows=value >= self.verticalScrollBar().maximum())

    def _set_follows(self, *, follows: bool) -> None:
        if follows is not self._follows:
            self._follows = follows
            self.followed.emit(follows)

    # --- what Qt asks

    def selectionChanged(self, selected: QItemSelection, deselected: QItemSelection) -> None:
        """Who has chosen a row wants to read it; it is not taken away."""
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
        """The font may have changed since the table was made."""
        super().showEvent(event)
        self._fit()
        if self._follows:
            self._show_newest()
