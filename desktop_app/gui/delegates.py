"""How the cells are painted that hold more than text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPalette
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from desktop_app.gui.columns import ALIGNMENTS
from desktop_app.gui.wording import progress_of
from desktop_app.jobs import Status

if TYPE_CHECKING:
    from PySide6.QtCore import QObject

    from desktop_app.gui.jobs_model import JobsModel
    from desktop_app.gui.look import Look

Index = QModelIndex | QPersistentModelIndex

STATUS_ICONS = {
    Status.PENDING: "status-pending",
    Status.PROCESSING: "status-processing",
    Status.PROCESSED: "status-processed",
    Status.FAILED: "status-failed",
}
_ICON_SIZE = QSize(16, 16)
_BAR_HEIGHT = 6
_MARGIN = 8
_TRACK_ALPHA = 70


class CellDelegate(QStyledItemDelegate):
    """A plain cell. It has no ring of its own, since rows are what is chosen.

    Qt's own way asks the model for eight roles of every cell, each a call from C++ into Python for which Python's lock
    has to be had; while other threads work, that doubles the time of a repaint. Here it is one call a cell.
    """

    def __init__(self, model: JobsModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._model = model

    def initStyleOption(self, option: QStyleOptionViewItem, index: Index) -> None:
        """See Qt."""
        column = index.column()
        option.text = self._model.text(index.row(), column)
        option.displayAlignment = ALIGNMENTS[column]
        option.features |= QStyleOptionViewItem.ViewItemFeature.HasDisplay
        option.state &= ~QStyle.StateFlag.State_HasFocus


class StatusDelegate(CellDelegate):
    """A status as a shape, a word and a colour; on a selected row all of it in the selection's colour."""

    def __init__(self, model: JobsModel, look: Look, parent: QObject | None = None) -> None:
        super().__init__(model, parent)
        self._look = look

    def initStyleOption(self, option: QStyleOptionViewItem, index: Index) -> None:
        """See Qt."""
        super().initStyleOption(option, index)
        job = self._model.job(index.row())
        if job is None:
            return
        colour = self._look.colours.of(job.status)
        option.icon = self._look.icon(STATUS_ICONS[job.status], colour)
        option.decorationSize = _ICON_SIZE
        option.features |= QStyleOptionViewItem.ViewItemFeature.HasDecoration
        if job.status is not Status.PROCESSED:
            # What went well is told by its shape; words in colour are for what is going on or went wrong.
            option.palette.setColor(QPalette.ColorRole.Text, QColor(colour))


class ProgressDelegate(CellDelegate):
    """A bar and, beside it rather than on it, the percentage."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """See Qt."""
        job = self._model.job(index.row())
        done = None if job is None else progress_of(job)
        if done is None:
            super().paint(painter, option, index)
            return
        # The ground, without the text that stands elsewhere.
        ground = QStyleOptionViewItem(option)
        self.initStyleOption(ground, index)
        text, ground.text = ground.text, ""
        style = option.widget.style()
        style.drawControl(QStyle.ControlElement.CE_ItemViewItem, ground, painter, option.widget)
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        self._paint_bar(painter, ground, done, text, selected=selected)

    def _paint_bar(
        self, painter: QPainter, option: QStyleOptionViewItem, done: float, text: str, *, selected: bool
    ) -> None:
        palette = option.palette
        ink = palette.color(QPalette.ColorRole.HighlightedText if selected else QPalette.ColorRole.Text)
        fill = ink if selected else palette.color(QPalette.ColorRole.Accent)
        track = QColor(fill)
        track.setAlpha(_TRACK_ALPHA)
        inner = option.rect.adjusted(_MARGIN, 0, -_MARGIN, 0)
        wide = option.fontMetrics.horizontalAdvance("100\N{NO-BREAK SPACE}%")
        bar = QRectF(inner.x(), inner.center().y() - _BAR_HEIGHT / 2 + 1, inner.width() - wide - _MARGIN, _BAR_HEIGHT)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        if bar.width() > _BAR_HEIGHT:
            radius = _BAR_HEIGHT / 2
            painter.setBrush(track)
            painter.drawRoundedRect(bar, radius, radius)
            painter.setBrush(fill)
            painter.drawRoundedRect(
                QRectF(bar.x(), bar.y(), max(_BAR_HEIGHT, bar.width() * done), bar.height()), radius, radius
            )
        painter.setPen(ink)
        place = QRect(inner.right() - wide, inner.y(), wide + 1, inner.height())
        painter.drawText(place, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, text)
        painter.restore()
