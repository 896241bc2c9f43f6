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
from desktop_app.gui.table.columns import NAME, PROGRESS, UNREAD
from desktop_app.gui.table.widths import BAR_GAP, CELL_PADDING, ICON, ICON_ROOM, LEAST_BAR
from desktop_app.gui.wording import progress_of

if TYPE_CHECKING:
    from desktop_app.gui.table.column_header import ColumnHeader
    from desktop_app.gui.table.model import JobsModel
    from desktop_app.gui.theme.theme import Theme


Index = QModelIndex | QPersistentModelIndex

_ICON_SIZE = QSize(ICON, ICON)

_BAR_HEIGHT = 6

_TRACK_ALPHA = 70

_WIDEST_PERCENT = "100\N{NO-BREAK SPACE}%"

_SELECTED = QStyle.StateFlag.State_Selected

# Plain integers: for each cell, converting the flags takes as long as drawing the text (measured).
_LEFT, _RIGHT = (
    int((side | Qt.AlignmentFlag.AlignVCenter).value)
    for side in (Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignRight)
)


class CellDelegate(QStyledItemDelegate):
    """Paints a cell that contains text. Cells have no focus ring, because whole rows are selected.

    Args:
        model: The model.
        theme: The theme.
        header: The header, which makes columns wider if their texts do not fit.
        parent: The parent.
    """

    def __init__(self, model: JobsModel, theme: Theme, header: ColumnHeader, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self._columns = model.columns
        self._theme = theme
        self._header = header

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Paint the content, on the selection colour if the cell is selected.

        A row that can't be shown yet has a placeholder instead, and never the selection colour.
        """
        text = self.text_of(index)
        colours = self._theme.colours
        if text is None:
            # Qt has painted the selection colour on the whole row.
            is_alternate = bool(option.features & QStyleOptionViewItem.ViewItemFeature.Alternate)
            painter.fillRect(option.rect, QColor(colours.alternate if is_alternate else colours.base))
            if index.column() == NAME:
                painter.setPen(QColor(colours.muted))
                rect = option.rect.adjusted(CELL_PADDING, 0, -CELL_PADDING, 0)
                painter.drawText(rect, QStyle.visualAlignment(option.direction, self._columns[NAME].alignment), UNREAD)
            return
        selected = _SELECTED in option.state
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
        number = index.column()
        column, metrics = self._columns.all[number], option.fontMetrics
        if column.is_code:
            painter.setFont(_code_font(option.font))
            metrics = painter.fontMetrics()
        width = metrics.horizontalAdvance(text)
        if width > self._header.widest[number]:
            self._header.note_width(number, width)
        if width > rect.width():
            text = metrics.elidedText(text, column.elide, rect.width())
        if option.direction is Qt.LayoutDirection.RightToLeft:
            painter.drawText(rect, _LEFT if column.numeric else _RIGHT, isolated(text))
        else:
            painter.drawText(rect, _RIGHT if column.numeric else _LEFT, text)
        if column.is_code:
            painter.setFont(option.font)

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Return a size that fits the whole text."""
        is_code = self._columns[index.column()].is_code
        metrics = QFontMetrics(_code_font(option.font)) if is_code else option.fontMetrics
        text = self.text_of(index) or ""
        return QSize(metrics.horizontalAdvance(text) + 2 * CELL_PADDING + 1, option.fontMetrics.height())

    def text_of(self, index: Index) -> str | None:
        """Return the text of a cell, or None if its row can't be shown yet."""
        return self._model.text(index.row(), index.column())


class StatusDelegate(CellDelegate):
    """Paints the status of a job as a coloured icon and a word, or as an icon and its progress while it is being read.

    If the progress has a visible column of its own, the word is always shown.
    """

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Return the width of the widest status."""
        return QSize(self._header.natural_width(index.column()), option.fontMetrics.height())

    def paint_content(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: Index,
        rect: QRect,
        text: str,  # noqa: ARG002 - the word alone is shown
    ) -> None:
        """Paint the icon, and the word or the progress."""
        job = self._model.job(index.row())
        if job is None:
            return
        wording, header = self._model.wording, self._header
        if job.status is Status.PENDING and wording.has_reason(job):
            header.note_reason()  # failed files are counted, but not those that wait for a reason
        selected = bool(option.state & _SELECTED)
        icon_rect = QStyle.alignedRect(
            option.direction, self._columns[index.column()].alignment, rect.size().boundedTo(_ICON_SIZE), rect
        )
        mode = QIcon.Mode.Selected if selected else QIcon.Mode.Normal
        self._theme.status_icon(job.status).paint(painter, icon_rect, mode=mode)
        rest = QRect(rect)
        rest.setLeft(rect.left() + ICON_ROOM)
        done = progress_of(job)
        if done and not header.shows(PROGRESS):
            percent = wording.percent(done)
            paint_progress(painter, option, QStyle.visualRect(option.direction, rect, rest), done, percent, self._theme)
            return
        if not selected and job.status is not Status.PROCESSED:
            # The words of processed files are not coloured, so that the others stand out.
            painter.setPen(QColor(self._theme.colours.of(job.status)))
        rest = QStyle.visualRect(option.direction, rect, rest)
        super().paint_content(painter, option, index, rest, wording.word(job.status))


class ProgressDelegate(CellDelegate):
    """Paints the progress of a job as a bar with the percentage beside it."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:  # noqa: ARG002 - Qt's signature
        """Return a size that leaves room for a readable bar, even if the cell is empty."""
        return QSize(option.fontMetrics.horizontalAdvance(_WIDEST_PERCENT) + 2 * LEAST_BAR + 2 * CELL_PADDING, 0)

    def paint_content(
        self, painter: QPainter, option: QStyleOptionViewItem, index: Index, rect: QRect, text: str
    ) -> None:
        """Paint the percentage and the bar."""
        job = self._model.job(index.row())
        done = None if job is None else progress_of(job)
        if done is not None:
            paint_progress(painter, option, rect, done, text, self._theme)


def paint_progress(
    painter: QPainter, option: QStyleOptionViewItem, rect: QRect, done: float, percent: str, theme: Theme
) -> None:
    """Paint a bar with the percentage beside it.

    Args:
        painter: The painter; its pen has the colour of the text.
        option: The cell's style options.
        rect: The rectangle to fill.
        done: The fraction that the bar shows.
        percent: The text beside the bar.
        theme: The theme.
    """
    percent_width = option.fontMetrics.horizontalAdvance(_WIDEST_PERCENT)
    percent_rect = QRect(rect.right() - percent_width, rect.top(), percent_width + 1, rect.height())
    painter.drawText(
        QStyle.visualRect(option.direction, rect, percent_rect),
        QStyle.visualAlignment(option.direction, Qt.AlignmentFlag.AlignRight) | Qt.AlignmentFlag.AlignVCenter,
        isolated(percent) if option.direction is Qt.LayoutDirection.RightToLeft else percent,
    )
    length = rect.width() - percent_width - BAR_GAP
    if length <= _BAR_HEIGHT:
        return
    bar = QRect(rect.left(), rect.center().y() - _BAR_HEIGHT // 2 + 1, length, _BAR_HEIGHT)
    part = QRect(bar)
    part.setWidth(max(_BAR_HEIGHT, round(length * done)))
    fill = painter.pen().color() if option.state & _SELECTED else QColor(theme.colours.accent)
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
