"""An entry of the sidebar: a symbol, a text that wraps, and a number. Nothing is cut off."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QFont,
    QFontMetrics,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QStaticText,
    QTextOption,
    QTransform,
)
from PySide6.QtWidgets import QAbstractButton, QStyle, QToolButton, QWidget

from desktop_app.gui.i18n import isolated_in
from desktop_app.gui.wording import tool_tip

if TYPE_CHECKING:
    from PySide6.QtCore import QPoint
    from PySide6.QtGui import QFocusEvent

    from desktop_app.gui.theme.theme import Theme


_SIDE = 10

_ICON = 16

_ICON_GAP = 8

_COUNT_GAP = 14

_PADDING = 5

_INLINE = 24

_RADIUS = 5

_KEY_REASONS = frozenset(
    {Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason, Qt.FocusReason.OtherFocusReason}
)

_NOTE_SIZE = 0.9


@dataclass(frozen=True, slots=True)
class EntryFacts:
    """The content of an entry.

    Attributes:
        text: The text.
        count: The formatted number.
        spoken: Everything in one sentence, for screen readers.
        note: A second, muted line.
        icon, colour: The symbol, and its colour's name in `Colours`.
        hint: The tool tip.
        action: The text of the button beside the chosen entry; empty for no button.
    """

    text: str
    count: str
    spoken: str
    note: str = ""
    icon: str = ""
    colour: str = "text"
    hint: str = ""
    action: str = ""


class SidebarEntry(QAbstractButton):
    """A checkable entry; its owner decides what a click does.

    Signals:
        picked(bool): It was clicked; True with Ctrl, which adds it to the choice.
        moved(int): A key that moves the focus to another entry.
        acted(): Its button was pressed.
        menu_wanted(QPoint): The context menu was requested at this screen position.
    """

    picked = Signal(bool)
    moved = Signal(int)
    acted = Signal()
    menu_wanted = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._facts = EntryFacts("", "", "")
        self._adds = False
        self._shows_ring = False
        self.setCheckable(True)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self._inline = QToolButton(self)
        self._inline.setObjectName("inline")
        self._inline.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._inline.setIconSize(QSize(14, 14))
        self._inline.setFixedSize(_INLINE, _INLINE)
        self._inline.hide()
        self._inline.clicked.connect(self.acted)
        self.clicked.connect(self._tell)
        theme.changed.connect(self._draw)

    @property
    def facts(self) -> EntryFacts:
        """Return the content."""
        return self._facts

    @property
    def inline(self) -> QToolButton:
        """Return its button, visible while it is chosen and has an action."""
        return self._inline

    def show_facts(self, facts: EntryFacts, *, chosen: bool) -> None:
        """Show this content."""
        self._facts = facts
        self.setAccessibleName(facts.spoken)
        self.setToolTip(tool_tip(facts.hint))
        self.setChecked(chosen)
        self._inline.setAccessibleName(facts.action)
        self._inline.setToolTip(facts.action)
        self._inline.setVisible(bool(facts.action) and chosen)
        self._draw()

    def _draw(self) -> None:
        self._inline.setIcon(self._theme.icon("retry", self._theme.colours.selected_text))
        self.update()

    # --- layout

    def natural_width(self) -> int:
        """Return the width in pixels at which the text fits on one line."""
        metrics = self.fontMetrics()
        words = max(
            metrics.horizontalAdvance(self._facts.text),
            QFontMetrics(self._note_font()).horizontalAdvance(self._facts.note),
        )
        return words + self._around() + 2

    def take_width(self, width: int) -> None:
        """Set the width, and the height that the text then needs."""
        room = width - self._around()
        height = self._words(self._facts.text, self.font(), room).size().height() + 2 * _PADDING
        if self._facts.note:
            height += self._words(self._facts.note, self._note_font(), room).size().height()
        height = math.ceil(height)
        self.setFixedSize(width, max(height, _INLINE + 2 if self._facts.action else 0))
        count = self._count_width()
        place = QRect(width - _SIDE - count - _INLINE - 4, (self.height() - _INLINE) // 2, _INLINE, _INLINE)
        self._inline.setGeometry(QStyle.visualRect(self.layoutDirection(), self.rect(), place))

    def sizeHint(self) -> QSize:
        """See Qt."""
        return self.size()

    def _around(self) -> int:
        icon = _ICON + _ICON_GAP if self._facts.icon else 0
        inline = _INLINE if self._facts.action else 0
        return 2 * _SIDE + icon + _COUNT_GAP + inline + self._count_width()

    def _count_width(self) -> int:
        return self.fontMetrics().horizontalAdvance(self._facts.count)

    def _note_font(self) -> QFont:
        font = QFont(self.font())
        font.setPointSizeF(font.pointSizeF() * _NOTE_SIZE)
        return font

    def _words(self, text: str, font: QFont, room: int) -> QStaticText:
        """Return a text layout that breaks lines between words where possible."""
        options = QTextOption(QStyle.visualAlignment(self.layoutDirection(), Qt.AlignmentFlag.AlignLeft))
        options.setTextDirection(self.layoutDirection())
        options.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        words = QStaticText(isolated_in(text, self.layoutDirection()))
        words.setTextFormat(Qt.TextFormat.PlainText)
        words.setTextOption(options)
        words.setTextWidth(room)
        words.prepare(QTransform(), font)
        return words

    # --- painting

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002 - Qt's
        """Paint background, symbol, text, number and focus ring."""
        colours = self._theme.colours
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ground = self.rect().adjusted(1, 0, -1, 0)
        chosen = self.isChecked()
        if chosen or self.underMouse():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(colours.selection if chosen else colours.hover))
            painter.drawRoundedRect(ground, _RADIUS, _RADIUS)
        if self.hasFocus() and self._shows_ring:
            painter.setPen(QPen(QColor(colours.text if chosen else colours.accent), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(ground.adjusted(1, 1, -1, -1), _RADIUS, _RADIUS)
        self._paint_words(painter, colours.selected_text if chosen else "")
        painter.end()

    def _paint_words(self, painter: QPainter, selected: str) -> None:
        colours, facts = self._theme.colours, self._facts
        direction, whole = self.layoutDirection(), self.rect()
        left = _SIDE
        if facts.icon:
            height = self.fontMetrics().height()
            place = QRect(left, _PADDING + (height - _ICON) // 2, _ICON, _ICON)
            colour = selected or str(getattr(colours, facts.colour))
            self._theme.icon(facts.icon, colour).paint(painter, QStyle.visualRect(direction, whole, place))
            left += _ICON + _ICON_GAP
        room = self.width() - self._around()
        words = self._words(facts.text, self.font(), room)
        start = QStyle.visualRect(direction, whole, QRect(left, 0, room, 1)).left()
        painter.setPen(QColor(selected or colours.text))
        painter.drawStaticText(start, _PADDING, words)
        painter.setPen(QColor(selected or colours.muted))
        end = int(QStyle.visualAlignment(direction, Qt.AlignmentFlag.AlignRight) | Qt.AlignmentFlag.AlignTop)
        number = QRect(whole.width() - _SIDE - self._count_width(), _PADDING, self._count_width() + 1, whole.height())
        painter.drawText(QStyle.visualRect(direction, whole, number), end, facts.count)
        if facts.note:
            painter.setFont(self._note_font())
            note = self._words(facts.note, self._note_font(), room)
            painter.drawStaticText(start, _PADDING + math.ceil(words.size().height()), note)

    # --- overrides of Qt

    def nextCheckState(self) -> None:
        """Change nothing: the owner decides what is chosen."""

    def _tell(self) -> None:
        adds, self._adds = self._adds, False
        self.picked.emit(adds)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Note whether Ctrl was held."""
        self._adds = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        super().mouseReleaseEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        """Note whether Ctrl was held: Space clicks on release."""
        self._adds = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        super().keyReleaseEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move between entries with the arrow keys, choose with Enter."""
        match event.key():
            case Qt.Key.Key_Up | Qt.Key.Key_Down | Qt.Key.Key_Home | Qt.Key.Key_End as key:
                self.moved.emit(int(key))
            case Qt.Key.Key_Return | Qt.Key.Key_Enter:
                self.picked.emit(bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier))
            case _:
                super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Draw the focus ring after keyboard navigation."""
        self._shows_ring = event.reason() in _KEY_REASONS
        super().focusInEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Request the context menu: below the entry for a key, else at the mouse."""
        by_keyboard = event.reason() == QContextMenuEvent.Reason.Keyboard
        place: QPoint = self.mapToGlobal(self.rect().bottomLeft()) if by_keyboard else event.globalPos()
        self.menu_wanted.emit(place)
        event.accept()
