"""The table view of jobs, which stays fast with a million rows."""

from __future__ import annotations

from array import array
from functools import partial
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
from PySide6.QtWidgets import QAbstractItemView, QFrame, QHeaderView, QTableView, QToolTip, QWidget

from desktop_app.domain.query import BY_ADDING, Sort, SortTerm
from desktop_app.gui.i18n import tr
from desktop_app.gui.table.cells import CellDelegate, ProgressDelegate, StatusDelegate
from desktop_app.gui.table.columns import NAME, PROGRESS, STATUS, Columns
from desktop_app.gui.table.header import JobsHeader
from desktop_app.gui.widgets.dialogs import show_rows
from desktop_app.gui.window_memory import SortLayout, WindowMemory

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from desktop_app.gui.table.model import JobsModel
    from desktop_app.gui.theme.theme import Theme


_ROW_PADDING, _COMPACT_ROW_PADDING = 12, 4

_KEY_REASONS = frozenset(
    {Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason, Qt.FocusReason.ShortcutFocusReason}
)

_MOVING_KEYS = frozenset(
    {Qt.Key.Key_Home, Qt.Key.Key_End, Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown}
)

_NO_UPDATE = QItemSelectionModel.SelectionFlag.NoUpdate

_CTRL_SHIFT = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier


class JobsView(QTableView):
    """A view of a `JobsModel` in which whole rows are selected.

    Signals:
        menu_requested(QPoint): The context menu was requested at a screen position.
        selection_changed(): The selection has changed.

    Attributes:
        header: The horizontal header.
    """

    menu_requested = Signal(QPoint)
    selection_changed = Signal()

    def __init__(self, model: JobsModel, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._jobs = model
        self._theme = theme
        self._uses_keys = False
        self._is_compact = False
        self._following: int | None = None  # the key of the row to select when the selected ones are removed
        self._waiting: Callable[[], None] | None = None  # a selection to make once the list is complete
        self._current_before: int | None = None  # the key of the current row, until its place is known
        self._is_longer = False  # rows were added after the visible ones, and not laid out yet
        self._is_rearranged = False  # any other rows were added, removed or moved, and not laid out yet
        self.setAccessibleName(tr("Files"))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        # Scrolling then repaints only the new rows; see `paintEvent`. Otherwise, Qt repaints all of them.
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self._set_row_height()
        self.header = header = JobsHeader(theme, model.wording, model.columns, self)
        self.setHorizontalHeader(header)
        show_rows(self)
        self.setItemDelegate(CellDelegate(model, theme, header, self))
        self.setItemDelegateForColumn(STATUS, StatusDelegate(model, theme, header, self))
        self.setItemDelegateForColumn(PROGRESS, ProgressDelegate(model, theme, header, self))
        self.setModel(model)
        # The header has its own selection model, which stays empty. With the view's, it would check for each column
        # whether all rows are selected; after Ctrl+A on a million rows, this would freeze the window for seconds.
        self.header.setSelectionModel(QItemSelectionModel(model, self.header))
        self.header.reset()
        self.setTabOrder(self, self.header)
        self.header.order_changed.connect(self._sort)
        self.header.reached.connect(self._scroll_to_column)
        self.selectionModel().selectionChanged.connect(self.selection_changed)
        model.rowsInserted.connect(self._note_added)
        for rearranged in (model.rowsRemoved, model.layoutChanged, model.modelReset):
            rearranged.connect(self._note_rearranged)
        model.columnsInserted.connect(self._select_new_columns)
        model.may_show_first = self._may_show_first
        model.rearranged.connect(self._show_current_or_top)
        model.rows_changed.connect(self._restore_current)
        model.rows_changed.connect(self._select_following)
        model.rows_changed.connect(self._select_waiting)
        self.selection_changed.connect(self._forget_waiting)
        self.verticalScrollBar().valueChanged.connect(QToolTip.hideText)  # Qt keeps it when the keyboard scrolls

    def _set_row_height(self) -> None:
        rows = self.verticalHeader()
        # Otherwise, Qt would ask the delegates for the height of each visible row.
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        rows.setMinimumSectionSize(16)
        padding = _COMPACT_ROW_PADDING if self._is_compact else _ROW_PADDING
        rows.setDefaultSectionSize(self.fontMetrics().height() + padding)

    @Slot(bool)
    def set_compact(self, compact: bool) -> None:  # noqa: FBT001 - a slot for `toggled`
        """Make the rows lower, so that more of them fit, or as high as by default."""
        self._is_compact = compact
        self._set_row_height()
        self.updateGeometries()  # Qt keeps the scroll range that the old height needed

    # --- saved layout

    def restore(self, memory: WindowMemory) -> None:
        """Restore the columns and the sort order, and load the list in that order."""
        layout = memory.columns()
        if layout:
            self.header.restore_layout(layout)
        self.header.set_order(_order_of(memory.sort_order(), self._jobs.columns))
        self._sort()

    def remember(self, memory: WindowMemory) -> None:
        """Save the columns and the sort order."""
        memory.set_columns(self.header.column_layout())
        columns, terms = self._jobs.columns, self.header.order().terms
        numbers = [(columns.of_sort(term.key), term.descending) for term in terms]
        memory.set_sort_order([SortLayout(columns[number].id, down) for number, down in numbers if number is not None])

    @Slot()
    def _sort(self) -> None:
        self._jobs.set_order(self.header.order())

    @Slot(int)
    def _scroll_to_column(self, number: int) -> None:
        """Scroll horizontally until a column is visible."""
        begin, bar = self.header.sectionViewportPosition(number), self.horizontalScrollBar()
        beyond = begin + self.header.sectionSize(number) - self.viewport().width()
        step = begin if begin < 0 else min(begin, max(0, beyond))
        bar.setValue(bar.value() + (-step if self.isRightToLeft() else step))

    @Slot(str)
    def show_field(self, name: str) -> None:
        """Show the column of a field of results, and scroll to it.

        Args:
            name: The name of the field. Nothing happens if it is not known.
        """
        number = self._jobs.columns.of_field(name)
        if number is not None:
            self.header.show_column(number, True)
            self._scroll_to_column(number)

    # --- selection

    @Slot()
    def _select_new_columns(self) -> None:
        """Extend the selection to columns that were added: Qt leaves their cells unselected."""
        rows = QItemSelection()
        for first, last in self.selected_rows():
            rows.select(self._jobs.index(first, 0), self._jobs.index(last, len(self._jobs.columns) - 1))
        self.selectionModel().select(rows, QItemSelectionModel.SelectionFlag.ClearAndSelect)

    def selected_rows(self) -> list[tuple[int, int]]:
        """Return the selected rows in ascending order, as pairs of the first and last row of each block.

        Listing each row instead would be slow with a million selected rows.
        """
        return sorted((part.top(), part.bottom()) for part in self.selectionModel().selection().toList())

    def selectionChanged(self, selected: QItemSelection, deselected: QItemSelection) -> None:
        """Paint the selection, and report its first changed cells to assistive technology.

        Qt itself reports only these, but lists the index of each changed cell to find them; when a screen reader is
        active, selecting or removing 60,000 rows would freeze the window for seconds.
        """
        super().selectionChanged(_first_cell(selected), _first_cell(deselected))
        self.viewport().update()

    def selected_count(self) -> int:
        """Return the number of selected rows."""
        return sum(last - first + 1 for first, last in self.selected_rows())

    def selected_ids(self) -> array[int]:
        """Return the keys of the selected jobs, in the order of the list."""
        ids: array[int] = array("q")
        for first, last in self.selected_rows():
            ids.extend(self._jobs.ids[first : last + 1])
        return ids

    @Slot()
    def selectAll(self) -> None:
        """Select all rows; while the list is being read, once it is complete: it may only show its first rows yet."""
        self._select_soon(super().selectAll)

    @Slot()
    def clearSelection(self) -> None:
        """Clear the selection."""
        self._forget_waiting()
        super().clearSelection()

    def select_a_row(self) -> None:
        """If nothing is selected, select the current row or, if there is none, the first row."""
        if not self.selected_count():
            self._select_soon(self._select_current)

    def _select_current(self) -> None:
        row = max(0, self.currentIndex().row())
        if self._jobs.rowCount() and not self.selected_count():
            self.select_rows(row, row)

    def _select_soon(self, select: Callable[[], None]) -> None:
        """Select rows as soon as those of the requested filter are shown, unless the user does something else first."""
        self._waiting = select
        self._select_waiting()

    @Slot()
    def _select_waiting(self) -> None:
        if self._waiting is not None and self._jobs.is_current:
            select, self._waiting = self._waiting, None
            select()

    @Slot()
    def _forget_waiting(self) -> None:
        self._waiting = None

    def select_rows(self, first: int, last: int) -> None:
        """Select only the rows from `first` to `last`, make the first one current, and scroll to it."""
        index = self._jobs.index(first, 0)
        rows = QItemSelection(index, self._jobs.index(last, len(self._jobs.columns) - 1))
        self.selectionModel().setCurrentIndex(index, QItemSelectionModel.SelectionFlag.NoUpdate)
        self.selectionModel().select(rows, QItemSelectionModel.SelectionFlag.ClearAndSelect)
        self.scrollTo(index)

    def continue_after_removal(self) -> None:
        """Select the row after the selected ones once these are removed, so that the keyboard can go on from there.

        Call this before a person's command removes the selected rows. Rows that disappear otherwise have no follower:
        the next command of the person would change a file that was not chosen.
        """
        blocks, current = self.selected_rows(), self.currentIndex().row()
        block = next(((first, last) for first, last in blocks if first <= current <= last), None)
        if block is None:
            return
        before, after = block[0] - 1, block[1] + 1
        last_of, first_of = dict(blocks), {last: first for first, last in blocks}
        while after in last_of:
            after = last_of[after] + 1
        while before in first_of:
            before = first_of[before] - 1
        row = after if after < len(self._jobs.ids) else before
        self._following = self._jobs.ids[row] if row >= 0 else None

    @Slot()
    def _select_following(self) -> None:
        if self._following is not None and not self.selectionModel().hasSelection():
            row, self._following = self._jobs.row_of(self._following), None
            if row is not None:
                self.select_rows(row, row)

    def _may_show_first(self, keys: frozenset[int]) -> bool:
        """Return whether the first rows of another list may be shown: the selection must not get lost.

        The current row may be missing among them if it is not selected. It becomes current again later.
        """
        if self.selected_count() > len(keys) or not keys.issuperset(self.selected_ids()):
            return False
        row = self.currentIndex().row()
        if 0 <= row < len(self._jobs.ids):
            key = self._jobs.ids[row]
            self._current_before = None if key in keys else key
        return True

    @Slot()
    def _restore_current(self) -> None:
        """Make the row current again that was current before the first rows of another list were shown."""
        if self._current_before is None or not self._jobs.is_current:
            return
        row, self._current_before = self._jobs.row_of(self._current_before), None
        if row is not None and not self.currentIndex().isValid():
            self.setAutoScroll(False)
            self.selectionModel().setCurrentIndex(self._jobs.index(row, NAME), _NO_UPDATE)
            self.setAutoScroll(True)

    @Slot()
    def _show_current_or_top(self) -> None:
        """Keep the selected row in view after the list was sorted or filtered; without one, start at the top."""
        self._following = None
        current = self.currentIndex()
        rows = self.selected_rows()
        if current.isValid() and self.selectionModel().isSelected(current):
            self.scrollTo(current.siblingAtColumn(NAME), QAbstractItemView.ScrollHint.PositionAtCenter)
        elif rows:
            self.scrollTo(self._jobs.index(rows[0][0], NAME), QAbstractItemView.ScrollHint.PositionAtCenter)
        else:
            self.scrollToTop()

    # --- overrides of Qt

    @Slot(QModelIndex, int, int)
    def _note_added(self, _parent: QModelIndex, first: int, _last: int) -> None:
        row_below = self.rowAt(self.viewport().height())
        if 0 <= row_below < first:
            self._is_longer = True
        else:
            self._is_rearranged = True

    @Slot()
    def _note_rearranged(self) -> None:
        self._is_rearranged = True

    def doItemsLayout(self) -> None:
        """Paint all rows again, unless the list has only become longer: that takes a quarter of the time (measured)."""
        is_longer, self._is_longer = self._is_longer and not self._is_rearranged, False
        self._is_rearranged = False
        if is_longer:
            self.updateGeometries()
        else:
            super().doItemsLayout()

    def moveCursor(self, action: QAbstractItemView.CursorAction, modifiers: Qt.KeyboardModifier) -> QModelIndex:
        """Make Home and End go to the first and last row instead of the first and last cell of a row."""
        current, rows = self.currentIndex(), len(self._jobs.ids)
        if current.isValid() and self.isColumnHidden(current.column()):
            # From a cell in a hidden column, Qt does not move up or down.
            current = current.siblingAtColumn(NAME)
            self.selectionModel().setCurrentIndex(current, QItemSelectionModel.SelectionFlag.NoUpdate)
        if rows and action is QAbstractItemView.CursorAction.MoveHome:
            return self._jobs.index(0, max(0, current.column()))
        if rows and action is QAbstractItemView.CursorAction.MoveEnd:
            return self._jobs.index(rows - 1, max(0, current.column()))
        target = super().moveCursor(action, modifiers)
        return target if target.row() < rows else target.siblingAtRow(rows - 1)

    def indexAt(self, position: QPoint) -> QModelIndex:
        """Return the cell at a position. Placeholders, whose files are not known yet, can't be clicked or selected."""
        index = super().indexAt(position)
        return index if index.row() < len(self._jobs.ids) else QModelIndex()

    def keyboardSearch(self, search: str) -> None:
        """Do nothing, because Qt's search by typing would read every row on the main thread."""

    def scrollTo(
        self,
        index: QModelIndex | QPersistentModelIndex,
        hint: QAbstractItemView.ScrollHint = QAbstractItemView.ScrollHint.EnsureVisible,
    ) -> None:
        """Scroll as Qt does, but first update the scroll range, which can be outdated on a busy computer."""
        self.updateGeometries()
        super().scrollTo(index, hint)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit the columns to the new width, and keep the selected row in view, for example above the details."""
        current = self.currentIndex().siblingAtColumn(NAME)
        middle = self.visualRect(current).center().y()
        was_shown = self.selectionModel().isSelected(current) and 0 <= middle < event.oldSize().height()
        super().resizeEvent(event)
        self.header.fit()
        if was_shown and middle >= event.size().height():
            self.scrollTo(current)

    def showEvent(self, event: QShowEvent) -> None:
        """Set the row height again, because the font may have changed while the table was hidden."""
        super().showEvent(event)
        self._set_row_height()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Request the context menu at the mouse pointer, or below the current row if the keyboard was used."""
        if event.reason() == QContextMenuEvent.Reason.Keyboard:
            self.menu_requested.emit(self.viewport().mapToGlobal(self.visualRect(self.currentIndex()).bottomLeft()))
        else:
            self.menu_requested.emit(event.globalPos())
        event.accept()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show the focus ring if the focus was moved with the keyboard."""
        self._uses_keys = event.reason() in _KEY_REASONS
        super().focusInEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Hide the focus ring until the keyboard is used."""
        self._uses_keys = False
        self.viewport().update()
        self._forget_waiting()
        super().mousePressEvent(event)

    def currentChanged(
        self, current: QModelIndex | QPersistentModelIndex, previous: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Paint the focus ring of the whole rows anew; Qt would paint only two cells."""
        super().currentChanged(current, previous)
        self.viewport().update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Clear the selection on Escape, open the column menu on Ctrl+Shift+F10, or move the selection."""
        self._uses_keys = True
        self._forget_waiting()
        if event.key() == Qt.Key.Key_End and not self._jobs.is_loaded:
            self._select_soon(partial(self._press, event.key(), event.modifiers()))
            event.accept()
            return
        if event.key() == Qt.Key.Key_Escape and self.selectionModel().hasSelection():
            self.clearSelection()
            event.accept()
            return
        if event.key() == Qt.Key.Key_F10 and event.modifiers() == _CTRL_SHIFT:
            self.header.open_menu(self.header.mapToGlobal(QPoint(0, self.header.height())))
            return
        super().keyPressEvent(event)
        current = self.currentIndex()
        is_selected = not current.isValid() or self.selectionModel().isSelected(current)
        if event.key() in _MOVING_KEYS and not event.modifiers() and not is_selected:
            # Qt selects nothing if the key leads to the row that is already current. After the table has received the
            # focus, this is the first row; after Ctrl+End, the last one.
            self.select_rows(current.row(), current.row())

    def _press(self, key: int, modifiers: Qt.KeyboardModifier) -> None:
        self.keyPressEvent(QKeyEvent(QEvent.Type.KeyPress, key, modifiers))

    def changeEvent(self, event: QEvent) -> None:
        """Adapt the row height to a new font."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._set_row_height()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the table, with the focus ring around the whole current row."""
        background = QPainter(self.viewport())
        background.fillRect(event.rect(), QColor(self._theme.colours.base))
        background.end()
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


def _first_cell(selection: QItemSelection) -> QItemSelection:
    if selection.isEmpty():
        return selection
    cell = selection.first().topLeft()
    return QItemSelection(cell, cell)


def _order_of(layouts: Sequence[SortLayout], columns: Columns) -> Sort:
    """Return the saved sort order, up to the first column that does not exist in this version."""
    terms: list[SortTerm] = []
    for layout in layouts:
        number = columns.of_id(layout.column)
        key = None if number is None else columns[number].sort_key
        if key is None:
            break
        terms.append(SortTerm(key, layout.descending))
    return Sort(tuple(terms)) if terms else BY_ADDING
