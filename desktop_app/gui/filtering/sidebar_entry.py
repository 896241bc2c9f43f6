"""An entry in the sidebar: an icon, a text that wraps instead of being elided, and a number."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QRect, QSize, Qt, Signal, Slot
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QFocusEvent,
    QFont,
    QFontMetrics,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QStaticText,
    QTextOption,
    QTransform,
)
from PySide6.QtWidgets import QAbstractButton, QApplication, QStyle, QToolButton, QWidget

from desktop_app.gui.i18n import isolated_in
from desktop_app.gui.wording import tool_tip

if TYPE_CHECKING:
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
    """The content of an entry. Empty parts are not shown.

    Attributes:
        text: The text.
        count: The formatted number.
        spoken: The text for screen readers, including the number.
        note: A second line in a muted colour.
        icon: The name of the icon.
        colour: The icon's colour, as the name of an attribute of `Colours`.
        hint: The tool tip.
        action: The text of the button that is shown while the entry is chosen.
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
    """A button for one filter. A click only emits `picked`; it does not check the button.

    Signals:
        picked(bool): The entry was clicked; True if Ctrl was held, which adds the entry to the choice.
        moved(int): A key that moves the focus to another entry was pressed.
        action_clicked(): The button in the entry was clicked.
        menu_requested(QPoint): The context menu was requested at a screen position.

    Attributes:
        facts: The content, set with `show_facts`.
        inline: The button in the entry; visible while the entry is chosen and has an action.
    """

    picked = Signal(bool)
    moved = Signal(int)
    action_clicked = Signal()
    menu_requested = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.facts = EntryFacts("", "", "")
        self._shows_ring = False
        self.setCheckable(True)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.inline = QToolButton(self)
        self.inline.setObjectName("inline")
        self.inline.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.inline.setIconSize(QSize(14, 14))
        self.inline.setFixedSize(_INLINE, _INLINE)
        self.inline.hide()
        self.inline.clicked.connect(self.action_clicked)
        self.clicked.connect(self._pick)
        theme.changed.connect(self._draw)

    def show_facts(self, facts: EntryFacts, *, chosen: bool) -> None:
        """Show new content, and check the button if the entry is chosen."""
        self.facts = facts
        self.setAccessibleName(facts.spoken)
        self.setToolTip(tool_tip(facts.hint))
        self.setChecked(chosen)
        self.inline.setAccessibleName(facts.action)
        self.inline.setToolTip(facts.action)
        self.inline.setVisible(bool(facts.action) and chosen)
        self._draw()

    def _draw(self) -> None:
        self.inline.setIcon(self._theme.icon("retry", self._theme.colours.selected_text))
        self.update()

    # --- layout

    def natural_width(self) -> int:
        """Return the width in pixels at which no text wraps."""
        metrics = self.fontMetrics()
        text_width = max(
            metrics.horizontalAdvance(self.facts.text),
            QFontMetrics(self._note_font()).horizontalAdvance(self.facts.note),
        )
        return text_width + self._fixed_width() + 2

    def set_width(self, width: int) -> None:
        """Set the width, and adapt the height to the wrapped text."""
        text_width = width - self._fixed_width()
        height = self._text_layout(self.facts.text, self.font(), text_width).size().height() + 2 * _PADDING
        if self.facts.note:
            height += self._text_layout(self.facts.note, self._note_font(), text_width).size().height()
        height = math.ceil(height)
        self.setFixedSize(width, max(height, _INLINE + 2 if self.facts.action else 0))
        count = self._count_width()
        place = QRect(width - _SIDE - count - _INLINE - 4, (self.height() - _INLINE) // 2, _INLINE, _INLINE)
        self.inline.setGeometry(QStyle.visualRect(self.layoutDirection(), self.rect(), place))

    def sizeHint(self) -> QSize:
        """Return the size set by `set_width`."""
        return self.size()

    def _fixed_width(self) -> int:
        """Return the width in pixels of everything except the text."""
        icon = _ICON + _ICON_GAP if self.facts.icon else 0
        inline = _INLINE if self.facts.action else 0
        return 2 * _SIDE + icon + _COUNT_GAP + inline + self._count_width()

    def _count_width(self) -> int:
        return self.fontMetrics().horizontalAdvance(self.facts.count)

    def _note_font(self) -> QFont:
        font = QFont(self.font())
        font.setPointSizeF(font.pointSizeF() * _NOTE_SIZE)
        return font

    def _text_layout(self, text: str, font: QFont, text_width: int) -> QStaticText:
        """Return a text layout that is `text_width` pixels wide and breaks lines between words where possible."""
        options = QTextOption(QStyle.visualAlignment(self.layoutDirection(), Qt.AlignmentFlag.AlignLeft))
        options.setTextDirection(self.layoutDirection())
        options.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        layout = QStaticText(isolated_in(text, self.layoutDirection()))
        layout.setTextFormat(Qt.TextFormat.PlainText)
        layout.setTextOption(options)
        layout.setTextWidth(text_width)
        layout.prepare(QTransform(), font)
        return layout

    # --- painting

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002 - Qt's signature
        """Paint the background, the focus ring and the content."""
        colours = self._theme.colours
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        background = self.rect().adjusted(1, 0, -1, 0)
        chosen = self.isChecked()
        if chosen or self.underMouse():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(colours.selection if chosen else colours.hover))
            painter.drawRoundedRect(background, _RADIUS, _RADIUS)
        if self.hasFocus() and self._shows_ring:
            painter.setPen(QPen(QColor(colours.text if chosen else colours.accent), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(background.adjusted(1, 1, -1, -1), _RADIUS, _RADIUS)
        self._paint_content(painter, colours.selected_text if chosen else "")
        painter.end()

    def _paint_content(self, painter: QPainter, selected: str) -> None:
        """Paint the icon, the text and the number.

        Args:
            painter: The painter.
            selected: The colour of all three if the entry is chosen; otherwise empty.
        """
        colours, facts = self._theme.colours, self.facts
        direction, rect = self.layoutDirection(), self.rect()
        left = _SIDE
        if facts.icon:
            height = self.fontMetrics().height()
            place = QRect(left, _PADDING + (height - _ICON) // 2, _ICON, _ICON)
            colour = selected or str(getattr(colours, facts.colour))
            self._theme.icon(facts.icon, colour).paint(painter, QStyle.visualRect(direction, rect, place))
            left += _ICON + _ICON_GAP
        text_width = self.width() - self._fixed_width()
        layout = self._text_layout(facts.text, self.font(), text_width)
        start = QStyle.visualRect(direction, rect, QRect(left, 0, text_width, 1)).left()
        painter.setPen(QColor(selected or colours.text))
        painter.drawStaticText(start, _PADDING, layout)
        painter.setPen(QColor(selected or colours.muted))
        end = int(QStyle.visualAlignment(direction, Qt.AlignmentFlag.AlignRight) | Qt.AlignmentFlag.AlignTop)
        number = QRect(rect.width() - _SIDE - self._count_width(), _PADDING, self._count_width() + 1, rect.height())
        painter.drawText(QStyle.visualRect(direction, rect, number), end, facts.count)
        if facts.note:
            painter.setFont(self._note_font())
            note = self._text_layout(facts.note, self._note_font(), text_width)
            painter.drawStaticText(start, _PADDING + math.ceil(layout.size().height()), note)

    # --- overrides of Qt

    def nextCheckState(self) -> None:
        """Do nothing, because a click does not check the button."""

    @Slot()
    def _pick(self) -> None:
        self.picked.emit(bool(QApplication.keyboardModifiers() & Qt.KeyboardModifier.ControlModifier))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Emit `moved` for keys that move the focus, and `picked` for Enter."""
        match event.key():
            case Qt.Key.Key_Up | Qt.Key.Key_Down | Qt.Key.Key_Home | Qt.Key.Key_End as key:
                self.moved.emit(int(key))
            case Qt.Key.Key_Return | Qt.Key.Key_Enter:
                self._pick()
            case _:
                super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show the focus ring if the focus was moved with the keyboard."""
        self._shows_ring = event.reason() in _KEY_REASONS
        super().focusInEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Request the context menu at the mouse pointer, or below the entry if the keyboard was used."""
        by_keyboard = event.reason() == QContextMenuEvent.Reason.Keyboard
        place: QPoint = self.mapToGlobal(self.rect().bottomLeft()) if by_keyboard else event.globalPos()
        self.menu_requested.emit(place)
        event.accept()
