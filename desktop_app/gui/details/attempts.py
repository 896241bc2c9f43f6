"""The Attempts tab of the details: when, how long, where, and with what result."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QGuiApplication, QKeyEvent, QKeySequence, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHeaderView,
    QLabel,
    QStackedWidget,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

from desktop_app.domain.job import display_text
from desktop_app.gui.details.pages import CopyPage
from desktop_app.gui.details.words import attempt_result
from desktop_app.gui.i18n import tr
from desktop_app.gui.widgets.dialogs import show_rows
from desktop_app.gui.wording import tool_tip

if TYPE_CHECKING:
    from collections.abc import Sequence

    from desktop_app.domain.job import Attempt
    from desktop_app.gui.wording import Wording

_TOOK, _COMPUTER, _RESULT = 2, 3, 4
_NARROW = 520
"""In a narrower table, duration and computer are shown below the result."""
_PADDING = 24
_OWN_KEYS = (QKeySequence.StandardKey.Copy, QKeySequence.StandardKey.SelectAll)


class _Wrapped(QStyledItemDelegate):
    """Gives cells the height of their wrapped text; Qt overestimates the width by the style sheet's padding."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        size = super().sizeHint(option, index)
        table = self.parent()
        if index.column() != _RESULT or not isinstance(table, QTableWidget):
            return size
        room = QRect(0, 0, max(1, table.columnWidth(_RESULT) - _PADDING), 10_000)
        text = table.fontMetrics().boundingRect(room, Qt.TextFlag.TextWordWrap, str(index.data()))
        return QSize(size.width(), text.height() + _PADDING // 2)


class AttemptsTable(QTableWidget):
    """The table of attempts, newest first. Ctrl+C copies the selected ones, or all if none is selected."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(0, 0, parent)
        self._rows: list[tuple[str, ...]] = []
        self._is_narrow = False
        self.setObjectName("attempts")
        self.setAccessibleName(tr("Attempts"))
        self.setFrameShape(QFrame.Shape.NoFrame)
        show_rows(self)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setWordWrap(True)
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.setItemDelegate(_Wrapped(self))
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        titles = [tr("Attempt"), tr("Started"), tr("Took"), tr("Computer"), tr("Result")]
        self.setColumnCount(len(titles))
        self.setHorizontalHeaderLabels(titles)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeading | Qt.AlignmentFlag.AlignVCenter)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(len(titles) - 1, QHeaderView.ResizeMode.Stretch)

    def show_rows(self, rows: Sequence[tuple[str, ...]]) -> None:
        """Show these texts and keep the selection."""
        self._rows = list(rows)
        self.setRowCount(len(rows))
        for row, texts in enumerate(rows):
            for column, text in enumerate(self._shown(texts)):
                item = self.item(row, column)
                if item is None:
                    item = QTableWidgetItem()
                    item.setTextAlignment(Qt.AlignmentFlag.AlignLeading | Qt.AlignmentFlag.AlignVCenter)
                    self.setItem(row, column, item)
                if item.text() != text:
                    item.setText(text)
                    item.setToolTip(tool_tip(text))

    def _shown(self, texts: tuple[str, ...]) -> tuple[str, ...]:
        beside = " · ".join(text for text in (texts[_TOOK], texts[_COMPUTER]) if text)
        return (*texts[:_RESULT], f"{texts[_RESULT]}\n{beside}" if self._is_narrow and beside else texts[_RESULT])

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the result column visible."""
        super().resizeEvent(event)
        is_narrow = event.size().width() < _NARROW
        if is_narrow != self._is_narrow:
            self._is_narrow = is_narrow
            for column in (_TOOK, _COMPUTER):
                self.setColumnHidden(column, is_narrow)
            self.show_rows(self._rows)

    def text(self, *, all_rows: bool = False) -> str:
        """Return the titles and the selected rows for a spreadsheet."""
        chosen = sorted({index.row() for index in self.selectedIndexes()})
        rows = self._rows if all_rows or not chosen else [self._rows[row] for row in chosen]
        columns = range(self.columnCount())
        titles = [item.text() if (item := self.horizontalHeaderItem(column)) else "" for column in columns]
        return "".join("\t".join(line) + "\n" for line in (titles, *rows))

    def event(self, event: QEvent) -> bool:
        """Handle Copy and Select All here while this table has the focus, instead of the list of files."""
        if not isinstance(event, QKeyEvent) or event.type() != QEvent.Type.ShortcutOverride:
            return super().event(event)
        if not any(event.matches(key) for key in _OWN_KEYS):
            return super().event(event)
        event.accept()
        return True

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """See the class."""
        if event.matches(QKeySequence.StandardKey.Copy):
            QGuiApplication.clipboard().setText(self.text())
        else:
            super().keyPressEvent(event)


class AttemptsPage(CopyPage):
    """The page that shows attempts; reads nothing itself.

    Attributes:
        table: The attempts.
    """

    def __init__(self, wording: Wording, parent: QWidget | None = None) -> None:
        super().__init__(tr("Copy all attempts for a spreadsheet"), lambda: self.table.text(all_rows=True), parent)
        self._wording = wording
        self.table = AttemptsTable(self)
        self._none = QLabel(tr("This file has not been processed yet."), self)
        self._none.setObjectName("detailsCaption")
        self._none.setWordWrap(True)
        self._none.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeading)
        self._stack = QStackedWidget(self)
        self._stack.addWidget(self._none)
        self._stack.addWidget(self.table)
        self.take_content(self._stack)
        self.show_attempts([])

    def show_attempts(self, attempts: Sequence[Attempt]) -> None:
        """Show these attempts, given oldest first."""
        newest = max((attempt.generation for attempt in attempts), default=0)
        self.table.show_rows([self._row(attempt, newest) for attempt in reversed(attempts)])
        self._stack.setCurrentWidget(self.table if attempts else self._none)
        self.copy.setEnabled(bool(attempts))

    def _row(self, attempt: Attempt, newest: int) -> tuple[str, ...]:
        wording, number = self._wording, self._wording.number(attempt.number)
        if attempt.generation != newest:
            number = tr("{number}, before retry {retry}").format(
                number=number, retry=wording.number(attempt.generation)
            )
        return (
            number,
            wording.stamp(attempt.started_at),
            "" if attempt.took_ms is None else wording.span(attempt.took_ms),
            display_text(attempt.computer),
            attempt_result(attempt),
        )
