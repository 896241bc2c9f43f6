"""The delegates that paint the cells of the table.

They do not use Qt's own painting code, which asks the model for eight roles per cell. Each request is a call from C++
to Python, which has to acquire the GIL. Repainting 39 rows takes 13 ms with Qt's code (twice as long while other
threads are busy), but only 6 ms with these delegates.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontDatabase, QFontMetrics, QIcon, QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from desktop_app.domain.job import Status
from desktop_app.gui.i18n import isolated
from desktop_app.gui.table.columns import ALIGNMENTS, COLUMNS, PROGRESS, REASON
from desktop_app.gui.wording import progress_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop_app.gui.table.model import JobsModel
    from desktop_app.gui.theme.theme import Theme


Index = QModelIndex | QPersistentModelIndex

STATUS_ICONS = {
    Status.PENDING: "status-pending",
    Status.PROCESSING: "status-processing",
    Status.PROCESSED: "status-processed",
    Status.FAILED: "status-failed",
}

CELL_PADDING = 8

_ICON = 16

ICON_ROOM = _ICON + 6
"""The width of an icon and the gap beside it together."""

_ICON_SIZE = QSize(_ICON, _ICON)

_BAR_HEIGHT = 6

_TRACK_ALPHA = 70

_WIDEST_PERCENT = "100\N{NO-BREAK SPACE}%"

_SELECTED = QStyle.StateFlag.State_Selected


class CellDelegate(QStyledItemDelegate):
    """Paints a cell that contains text. Cells have no focus ring, because whole rows are selected."""

    def __init__(self, model: JobsModel, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self._theme = theme

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Paint the content, on the selection colour if the cell is selected."""
        text = self.text_of(index)
        selected = bool(option.state & _SELECTED)
        colours = self._theme.colours
        if selected:
            painter.fillRect(option.rect, QColor(colours.selection))
        if text:
            content_rect = option.rect.adjusted(CELL_PADDING, 0, -CELL_PADDING, 0)
            painter.setPen(QColor(colours.selected_text if selected else colours.text))
            self.paint_content(painter, option, index, content_rect, text)

    def paint_content(
        self, painter: QPainter, option: QStyleOptionViewItem, index: Index, rect: QRect, text: str
    ) -> None:
        """Paint the content of a cell.

        Args:
            painter: The painter; its pen has the colour of the text.
            option: The cell's style options.
            index: The cell.
            rect: The cell's rectangle, without the padding.
            text: The cell's text; never empty.
        """
        column, metrics = COLUMNS[index.column()], option.fontMetrics
        if column.is_code:
            painter.setFont(_code_font(option.font))
            metrics = painter.fontMetrics()
        if metrics.horizontalAdvance(text) > rect.width():
            mode = Qt.TextElideMode.ElideMiddle if column.is_path else Qt.TextElideMode.ElideRight
            text = metrics.elidedText(text, mode, rect.width())
        if option.direction is Qt.LayoutDirection.RightToLeft:
            text = isolated(text)
        painter.drawText(rect, QStyle.visualAlignment(option.direction, ALIGNMENTS[index.column()]), text)
        if column.is_code:
            painter.setFont(option.font)

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Return a size that fits the whole text."""
        metrics = QFontMetrics(_code_font(option.font)) if COLUMNS[index.column()].is_code else option.fontMetrics
        return QSize(metrics.horizontalAdvance(self.text_of(index)) + 2 * CELL_PADDING + 1, option.fontMetrics.height())

    def text_of(self, index: Index) -> str:
        """Return the text of a cell."""
        return self._model.text(index.row(), index.column())


class StatusDelegate(CellDelegate):
    """Paints the status of a job as a coloured icon and a word.

    The word is followed by the progress or the reason unless that has a visible column of its own.

    Args:
        model: The model.
        theme: The theme.
        shows: Called with a column number; returns whether that column is shown.
        parent: The parent.
    """

    def __init__(
        self, model: JobsModel, theme: Theme, shows: Callable[[int], bool], parent: QObject | None = None
    ) -> None:
        super().__init__(model, theme, parent)
        self._shows = shows

    def text_of(self, index: Index) -> str:
        """Return the status, followed by its details unless these have a visible column of their own."""
        job = self._model.job(index.row())
        if job is not None and self._shows(PROGRESS if job.status is Status.PROCESSING else REASON):
            return self._model.wording.word(job.status)
        return super().text_of(index)

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Return a size that fits the icon and the whole text."""
        return super().sizeHint(option, index) + QSize(ICON_ROOM, 0)

    def paint_content(
        self, painter: QPainter, option: QStyleOptionViewItem, index: Index, rect: QRect, text: str
    ) -> None:
        """Paint the icon and the text."""
        job = self._model.job(index.row())
        if job is None:
            return
        selected = bool(option.state & _SELECTED)
        colour = self._theme.colours.of(job.status)
        icon_rect = QStyle.alignedRect(
            option.direction, ALIGNMENTS[index.column()], rect.size().boundedTo(_ICON_SIZE), rect
        )
        icon = self._theme.icon(STATUS_ICONS[job.status], colour)
        icon.paint(painter, icon_rect, mode=QIcon.Mode.Selected if selected else QIcon.Mode.Normal)
        if not selected and job.status is not Status.PROCESSED:
            # The words of processed files are not coloured, so that the others stand out.
            painter.setPen(QColor(colour))
        text_rect = QRect(rect)
        text_rect.setLeft(rect.left() + ICON_ROOM)
        super().paint_content(painter, option, index, QStyle.visualRect(option.direction, rect, text_rect), text)


class ProgressDelegate(CellDelegate):
    """Paints the progress of a job as a bar with the percentage beside it."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:  # noqa: ARG002 - Qt's signature
        """Return a size that leaves room for a readable bar, even if the cell is empty."""
        return QSize(option.fontMetrics.horizontalAdvance(_WIDEST_PERCENT) + 8 * _BAR_HEIGHT + 3 * CELL_PADDING, 0)

    def paint_content(
        self, painter: QPainter, option: QStyleOptionViewItem, index: Index, rect: QRect, text: str
    ) -> None:
        """Paint the percentage and the bar."""
        job = self._model.job(index.row())
        done = None if job is None else progress_of(job)
        if done is None:
            return
        percent_width = option.fontMetrics.horizontalAdvance(_WIDEST_PERCENT)
        percent_rect = QRect(rect.right() - percent_width, rect.top(), percent_width + 1, rect.height())
        painter.drawText(
            QStyle.visualRect(option.direction, rect, percent_rect),
            QStyle.visualAlignment(option.direction, Qt.AlignmentFlag.AlignRight) | Qt.AlignmentFlag.AlignVCenter,
            text,
        )
        length = rect.width() - percent_width - CELL_PADDING
        if length <= _BAR_HEIGHT:
            return
        bar = QRect(rect.left(), rect.center().y() - _BAR_HEIGHT // 2 + 1, length, _BAR_HEIGHT)
        part = QRect(bar)
        part.setWidth(max(_BAR_HEIGHT, round(length * done)))
        fill = painter.pen().color() if option.state & _SELECTED else QColor(self._theme.colours.accent)
        track = QColor(fill)
        track.setAlpha(_TRACK_ALPHA)
        radius = _BAR_HEIGHT / 2
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        for shape, colour in ((bar, track), (part, fill)):
            painter.setBrush(colour)
            painter.drawRoundedRect(QRectF(QStyle.visualRect(option.direction, rect, shape)), radius, radius)
        painter.restore()


def _code_font(text_font: QFont) -> QFont:
    """Return the system's monospaced font in the same size as the text font."""
    font = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
    font.setPointSizeF(text_font.pointSizeF())
    return font
