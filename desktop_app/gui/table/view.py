"""The table view of jobs, which stays fast with a million rows."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

from PySide6.QtCore import (
    QEvent,
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRect,
    Qt,
    Signal,
    Slot,
)
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QShowEvent,
)
from PySide6.QtWidgets import QAbstractItemView, QFrame, QHeaderView, QTableView

from desktop_app.domain.query import BY_ADDING, Sort, SortTerm
from desktop_app.gui.i18n import tr
from desktop_app.gui.table.cells import CellDelegate, ProgressDelegate, StatusDelegate
from desktop_app.gui.table.columns import COLUMN_OF_ID, COLUMN_OF_SORT, COLUMNS, PROGRESS, STATUS
from desktop_app.gui.table.header import JobsHeader
from desktop_app.gui.widgets.dialogs import show_rows
from desktop_app.gui.window_memory import SortLayout

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtWidgets import QWidget

    from desktop_app.gui.table.model import JobsModel
    from desktop_app.gui.theme.theme import Theme
    from desktop_app.gui.window_memory import WindowMemory


_ROW_PADDING = 12

_KEY_REASONS = frozenset(
    {Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason, Qt.FocusReason.ShortcutFocusReason}
)

_MOVING_KEYS = frozenset({Qt.Key.Key_Home, Qt.Key.Key_End, Qt.Key.Key_Up, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown})

_CTRL_SHIFT = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier


class JobsView(QTableView):
    """The view of a `JobsModel`; selects whole rows.

    Signals:
        menu_wanted(QPoint): The context menu was requested at this screen position.
        selection_changed(): The selection has changed.
    """

    menu_wanted = Signal(QPoint)
    selection_changed = Signal()

    def __init__(self, model: JobsModel, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._jobs = model
        self._theme = theme
        self._uses_keys = False
        self.setAccessibleName(tr("Files"))
        self.setFrameShape(QFrame.Shape.NoFrame)
        show_rows(self)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setWordWrap(False)
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        self._set_row_height()
        self._header = JobsHeader(theme, self)
        self.setHorizontalHeader(self._header)
        self.setItemDelegate(CellDelegate(model, theme, self))
        self.setItemDelegateForColumn(STATUS, StatusDelegate(model, theme, self._header.shows, self))
        self.setItemDelegateForColumn(PROGRESS, ProgressDelegate(model, theme, self))
        self.setModel(model)
        self._header.stand_alone(model)
        self._header.reset()
        self.setTabOrder(self, self._header)
        self._header.order_changed.connect(self._sort)
        self._header.keys.reached.connect(self._reach)
        self.selectionModel().selectionChanged.connect(self._tell_selection)
        theme.changed.connect(self.viewport().update)

    def _set_row_height(self) -> None:
        rows = self.verticalHeader()
        # Fixed, because Qt would otherwise ask for the height of every row of a page.
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        rows.setMinimumSectionSize(16)
        rows.setDefaultSectionSize(self.fontMetrics().height() + _ROW_PADDING)

    @property
    def header(self) -> JobsHeader:
        """Return the header."""
        return self._header

    # --- saved layout

    def restore(self, memory: WindowMemory) -> None:
        """Restore columns and sort order; load the list after this."""
        layout = memory.columns()
        if layout:
            self._header.take_layout(layout)
        self._header.set_order(_order_of(memory.sort_order()))
        self._sort()

    def remember(self, memory: WindowMemory) -> None:
        """Save columns and sort order."""
        memory.set_columns(self._header.layout_of_columns())
        terms = self._header.order().terms
        memory.set_sort_order([SortLayout(COLUMNS[COLUMN_OF_SORT[term.key]].id, term.descending) for term in terms])

    @Slot()
    def _sort(self) -> None:
        self._jobs.set_order(self._header.order())

    @Slot(int)
    def _reach(self, number: int) -> None:
        """Scroll horizontally until a column is visible."""
        begin, bar = self._header.sectionViewportPosition(number), self.horizontalScrollBar()
        beyond = begin + self._header.sectionSize(number) - self.viewport().width()
        step = begin if begin < 0 else min(begin, max(0, beyond))
        bar.setValue(bar.value() + (-step if self.isRightToLeft() else step))

    # --- selection

    def selected_rows(self) -> list[tuple[int, int]]:
        """Return the selected rows in order as runs, first and last of each, instead of a million indexes."""
        return sorted((part.top(), part.bottom()) for part in self.selectionModel().selection().toList())

    def selected_count(self) -> int:
        """Return the number of selected rows."""
        return sum(last - first + 1 for first, last in self.selected_rows())

    def selected_ids(self) -> array[int]:
        """Return the keys of the selected jobs, in the list's order."""
        ids: array[int] = array("q")
        for first, last in self.selected_rows():
            ids.extend(self._jobs.ids[first : last + 1])
        return ids

    def select_rows(self, first: int, last: int) -> None:
        """Select only these rows; make the first one current and visible."""
        index = self._jobs.index(first, 0)
        rows = QItemSelection(index, self._jobs.index(last, len(COLUMNS) - 1))
        self.selectionModel().setCurrentIndex(index, QItemSelectionModel.SelectionFlag.NoUpdate)
        self.selectionModel().select(rows, QItemSelectionModel.SelectionFlag.ClearAndSelect)
        self.scrollTo(index)

    def _tell_selection(self) -> None:
        self.selection_changed.emit()

    # --- overrides of Qt

    def moveCursor(self, action: QAbstractItemView.CursorAction, modifiers: Qt.KeyboardModifier) -> QModelIndex:
        """Go to the first and last row on Home and End, as in a list, instead of to the first and last cell."""
        current, rows = self.currentIndex(), self._jobs.rowCount()
        if rows and action is QAbstractItemView.CursorAction.MoveHome:
            return self._jobs.index(0, max(0, current.column()))
        if rows and action is QAbstractItemView.CursorAction.MoveEnd:
            return self._jobs.index(rows - 1, max(0, current.column()))
        return super().moveCursor(action, modifiers)

    def keyboardSearch(self, search: str) -> None:
        """Do nothing: Qt's search by typing would read every row on this thread."""

    def scrollTo(
        self,
        index: QModelIndex | QPersistentModelIndex,
        hint: QAbstractItemView.ScrollHint = QAbstractItemView.ScrollHint.EnsureVisible,
    ) -> None:
        """Scroll as Qt does, but with an up-to-date range: on a busy computer Qt's may be outdated."""
        self.updateGeometries()
        super().scrollTo(index, hint)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit the columns to the new width."""
        super().resizeEvent(event)
        self._header.fit()

    def showEvent(self, event: QShowEvent) -> None:
        """Fit the rows: the font may have changed before the table was shown."""
        super().showEvent(event)
        self._set_row_height()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Request the context menu: beside the current row for a key, else at the mouse."""
        if event.reason() == QContextMenuEvent.Reason.Keyboard:
            self.menu_wanted.emit(self.viewport().mapToGlobal(self.visualRect(self.currentIndex()).bottomLeft()))
        else:
            self.menu_wanted.emit(event.globalPos())
        event.accept()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Draw the focus ring after keyboard navigation."""
        self._uses_keys = event.reason() in _KEY_REASONS
        super().focusInEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Hide the focus ring while the mouse is used."""
        self._uses_keys = False
        super().mousePressEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Clear the selection on Escape; make navigation keys select; leave the rest to Qt."""
        self._uses_keys = True
        if event.key() == Qt.Key.Key_Escape and self.selectionModel().hasSelection():
            self.clearSelection()
            event.accept()
            return
        if event.key() == Qt.Key.Key_F10 and event.modifiers() == _CTRL_SHIFT:
            self._header.open_menu(self._header.mapToGlobal(QPoint(0, self._header.height())))
            return
        super().keyPressEvent(event)
        if event.key() in _MOVING_KEYS and not event.modifiers() and not self.selectionModel().hasSelection():
            # When the list gets the focus, Qt makes the first row current without selecting it; a key that leads to the
            # current row would then select nothing.
            row = self.currentIndex().row()
            if row >= 0:
                self.select_rows(row, row)

    def changeEvent(self, event: QEvent) -> None:
        """Follow the font."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._set_row_height()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the focus ring around the current row; cells have none."""
        super().paintEvent(event)
        index = self.currentIndex()
        if not (self._uses_keys and self.hasFocus()) or not index.isValid():
            return
        row = self.visualRect(index)
        selected = self.selectionModel().isSelected(index)
        colours = self._theme.colours
        painter = QPainter(self.viewport())
        painter.setPen(QPen(QColor(colours.selected_text if selected else colours.accent), 1))
        painter.drawRect(QRect(0, row.y(), self.viewport().width() - 1, row.height() - 1).adjusted(1, 1, -1, -1))
        painter.end()


def _order_of(layouts: Sequence[SortLayout]) -> Sort:
    """Return a saved sort order, up to the first column that this version does not have."""
    terms: list[SortTerm] = []
    for layout in layouts:
        key = COLUMNS[COLUMN_OF_ID[layout.column]].sort_key if layout.column in COLUMN_OF_ID else None
        if key is None:
            break
        terms.append(SortTerm(key, layout.descending))
    return Sort(tuple(terms)) if terms else BY_ADDING
