"""The Attempts tab of the details: when and where each attempt ran, how long it took, and how it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QGuiApplication, QKeyEvent, QKeySequence, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHeaderView,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

from desktop_app.domain.sentences import display_text
from desktop_app.gui.details.pages import CopyPage
from desktop_app.gui.details.texts import attempt_result
from desktop_app.gui.i18n import tr
from desktop_app.gui.widgets.dialogs import WrappedCells, align_titles, show_rows
from desktop_app.gui.wording import Wording, tool_tip

if TYPE_CHECKING:
    from collections.abc import Sequence

    from desktop_app.domain.job import Attempt


_TOOK, _COMPUTER, _RESULT = 2, 3, 4
_NUMERIC = 3
"""The number of columns with a number, a time or a duration, which come first and are aligned to the right."""
_NARROW = 520
"""In a table narrower than this, in pixels, the duration and the computer are shown below the result."""
_KEYS = (QKeySequence.StandardKey.Copy, QKeySequence.StandardKey.SelectAll)


def _side(column: int) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignTrailing if column < _NUMERIC else Qt.AlignmentFlag.AlignLeading
    return side | Qt.AlignmentFlag.AlignVCenter


class AttemptsTable(QTableWidget):
    """The table of attempts, newest first. Ctrl+C copies the selected rows, or all rows if none is selected."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(0, 0, parent)
        self._rows: list[tuple[str, ...]] = []
        self._is_narrow = False
        self.setObjectName("attempts")
        self.setAccessibleName(tr("Attempts"))
        self.setFrameShape(QFrame.Shape.NoFrame)
        show_rows(self)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setItemDelegate(WrappedCells(self))
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        titles = [tr("Attempt"), tr("Started"), tr("Duration"), tr("Computer"), tr("Result")]
        self.setColumnCount(len(titles))
        self.setHorizontalHeaderLabels(titles)
        align_titles(self, [_side(column) for column in range(len(titles))])
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(len(titles) - 1, QHeaderView.ResizeMode.Stretch)

    def set_rows(self, rows: Sequence[tuple[str, ...]]) -> None:
        """Replace the texts of the table; the rows at the selected positions stay selected."""
        self._rows = list(rows)
        self.setRowCount(len(rows))
        for row, texts in enumerate(rows):
            for column, text in enumerate(self._displayed(texts)):
                shown = self.item(row, column)
                if shown is not None and shown.text() == text:
                    continue  # each `setItem` makes Qt measure the rows and columns again
                item = QTableWidgetItem(text)
                item.setTextAlignment(_side(column))
                item.setToolTip(tool_tip(text))
                self.setItem(row, column, item)

    def _displayed(self, texts: tuple[str, ...]) -> tuple[str, ...]:
        """Return the texts to display: in a narrow table, the result includes the texts of the hidden columns."""
        hidden = " · ".join(filter(None, (texts[_TOOK], texts[_COMPUTER])))
        return (*texts[:_RESULT], f"{texts[_RESULT]}\n{hidden}") if self._is_narrow and hidden else texts

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Hide the columns for the duration and the computer in a narrow table."""
        super().resizeEvent(event)
        is_narrow = event.size().width() < _NARROW
        if is_narrow != self._is_narrow:
            self._is_narrow = is_narrow
            for column in (_TOOK, _COMPUTER):
                self.setColumnHidden(column, is_narrow)
            self.set_rows(self._rows)

    def text(self, *, all_rows: bool = False) -> str:
        """Return the titles and the rows as tab-separated lines, which spreadsheets accept.

        Args:
            all_rows: Whether to return all rows even if some are selected.
        """
        chosen = sorted({index.row() for index in self.selectedIndexes()})
        rows = self._rows if all_rows or not chosen else [self._rows[row] for row in chosen]
        columns = range(self.columnCount())
        titles = [item.text() if (item := self.horizontalHeaderItem(column)) else "" for column in columns]
        return "".join("\t".join(line) + "\n" for line in (titles, *rows))

    def event(self, event: QEvent) -> bool:
        """Handle Copy and Select All while the table has the focus, instead of triggering the window's shortcuts."""
        is_override = event.type() == QEvent.Type.ShortcutOverride
        if is_override and isinstance(event, QKeyEvent) and any(event.matches(key) for key in _KEYS):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Copy the selected rows with Ctrl+C."""
        if event.matches(QKeySequence.StandardKey.Copy):
            QGuiApplication.clipboard().setText(self.text())
        else:
            super().keyPressEvent(event)


class AttemptsPage(CopyPage):
    """The Attempts tab.

    Attributes:
        table: The table of attempts.
    """

    def __init__(self, wording: Wording, parent: QWidget | None = None) -> None:
        super().__init__(
            tr("Copy all attempts to paste into a spreadsheet"), lambda: self.table.text(all_rows=True), parent
        )
        self._wording = wording
        self.table = AttemptsTable(self)
        self.none.setText(tr("This file has not been processed yet."))
        self.set_content(self.table)
        self.show_attempts([])

    def show_attempts(self, attempts: Sequence[Attempt]) -> None:
        """Show these attempts, which must be sorted from oldest to newest."""
        self.table.set_rows([self._row(number, attempt) for number, attempt in enumerate(attempts, 1)][::-1])
        self.show_content(shown=bool(attempts))

    def _row(self, number: int, attempt: Attempt) -> tuple[str, ...]:
        """Return the texts of an attempt. Unlike `attempt.number`, its number goes on after a retry."""
        wording = self._wording
        return (
            wording.number(number),
            wording.stamp(attempt.started_at),
            "" if attempt.took_ms is None else wording.span(attempt.took_ms),
            display_text(attempt.computer),
            attempt_result(attempt),
        )
