"""An entry in the sidebar: an icon, a text that is elided after one or two lines, a number, and a note below."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt, Signal, Slot
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
    QTextLayout,
    QTextOption,
)
from PySide6.QtWidgets import QAbstractButton, QApplication, QLineEdit, QStyle, QToolButton, QWidget

from desktop_app.gui.i18n import isolated_in, tr
from desktop_app.gui.wording import tool_tip

if TYPE_CHECKING:
    from desktop_app.gui.theme.theme import Theme


_SIDE = 10

_ICON = 16

_ICON_GAP = 8

_COUNT_GAP = 10

_PADDING = 5

_NOTE_GAP = 1

_BAR_GAP = 3
"""Between a note and the bar below it."""

_INLINE = 24

_RADIUS = 5

_BAR = 3

_MOST_LINES = 2

_KEY_REASONS = frozenset(
    {Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason, Qt.FocusReason.OtherFocusReason}
)

_NOTE_SIZE = 0.9

_DOT = "\N{MIDDLE DOT}"

_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class EntryFacts:
    """The content of an entry. Empty parts are not shown.

    Attributes:
        text: The text.
        count: The formatted number.
        spoken: The text for screen readers, including the number.
        note: A second line in a muted colour.
        alert: The end of the second line, in the colour of failed files; a dot separates it from the note.
        icon: The name of the icon.
        colour: The icon's colour, as the name of an attribute of `Colours`.
        hint: The tool tip.
        action: The text of the button that is shown while the entry is chosen.
        done: The fraction of the files that are finished, shown as a bar; None for no bar.
        wraps: Whether a long text continues on a second line.
    """

    text: str
    count: str
    spoken: str
    note: str = ""
    alert: str = ""
    icon: str = ""
    colour: str = "text"
    hint: str = ""
    action: str = ""
    done: float | None = None
    wraps: bool = False


class SidebarEntry(QAbstractButton):
    """A button for one filter. A click only emits `picked`; it does not check the button.

    Signals:
        picked(bool): The entry was clicked; True if Ctrl was held, which adds the entry to the choice.
        moved(int): A key that moves the focus to another entry was pressed.
        action_clicked(): The button in the entry was clicked.
        menu_requested(QPoint): The context menu was requested at a screen position.
        focused(bool): The entry has got or lost the focus.
        renamed(str): The user has typed a new text; see `edit`.

    Attributes:
        facts: The content, set with `show_facts`.
        inline: The button in the entry; visible while the entry is chosen and has an action.
        editor: The text field of `edit`; None unless the text is being edited.
    """

    picked = Signal(bool)
    moved = Signal(int)
    action_clicked = Signal()
    menu_requested = Signal(object)
    focused = Signal(bool)
    renamed = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._lines: list[str] = []
        self.facts = EntryFacts("", "", "")
        self.editor: _Editor | None = None
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
        self.inline.setIcon(theme.icon("retry"))

    def show_facts(self, facts: EntryFacts, *, chosen: bool) -> None:
        """Show new content, and check the button if the entry is chosen."""
        if facts == self.facts and chosen == self.isChecked():
            return
        self.facts = facts
        self.setAccessibleName(facts.spoken)
        self.setChecked(chosen)
        self.inline.setAccessibleName(facts.action)
        self.inline.setToolTip(facts.action)
        self.inline.setVisible(bool(facts.action) and chosen)
        self.set_width(self.width())
        self.update()

    # --- layout

    @staticmethod
    def width_for(text: str, count: str, metrics: QFontMetrics) -> int:
        """Return the width in pixels that an entry with an icon needs for a text and a number."""
        texts = metrics.horizontalAdvance(text) + metrics.horizontalAdvance(count)
        return 2 * _SIDE + _ICON + _ICON_GAP + texts + _COUNT_GAP + 2

    def set_width(self, width: int) -> None:
        """Set the width, and adapt the text and the height to it."""
        facts, metrics = self.facts, self.fontMetrics()
        room = max(1, width - self._fixed_width())
        if facts.wraps:
            self._lines = _wrapped(facts.text, self.font(), room)
        else:
            self._lines = [metrics.elidedText(facts.text, Qt.TextElideMode.ElideMiddle, room)]
        height = metrics.height() * len(self._lines) + 2 * _PADDING
        if facts.note or facts.alert:
            height += _NOTE_GAP + math.ceil(QFontMetrics(self._note_font()).height())
        if facts.done is not None:
            height += _BAR_GAP + _BAR
        self.setFixedSize(width, max(height, _INLINE + 2 if facts.action else 0))
        whole = facts.text if "".join(self._lines) != facts.text else ""
        self.setToolTip(tool_tip("\n".join(filter(None, (whole, facts.hint)))))
        place = QRect(
            width - _SIDE - self._count_width() - _INLINE - 4, (self.height() - _INLINE) // 2, _INLINE, _INLINE
        )
        self.inline.setGeometry(QStyle.visualRect(self.layoutDirection(), self.rect(), place))
        if self.editor is not None:
            self.editor.setGeometry(self._editor_place())

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

    # --- editing

    def edit(self, text: str) -> None:
        """Let the user edit the text in place. Enter and leaving the field emit `renamed`; Escape does not."""
        if self.editor is not None:
            return
        self.editor = editor = _Editor(text, self)
        editor.ended.connect(self._end_editing)
        editor.setGeometry(self._editor_place())
        editor.show()
        editor.setFocus(Qt.FocusReason.OtherFocusReason)
        editor.selectAll()

    def _editor_place(self) -> QRect:
        return self.rect().adjusted(2, 1, -2, -1)

    @Slot(bool)
    def _end_editing(self, is_accepted: bool) -> None:  # noqa: FBT001 - a slot
        editor, self.editor = self.editor, None
        if editor is None:
            return
        text, had_focus = editor.text().strip(), editor.hasFocus()
        editor.hide()
        editor.deleteLater()
        if had_focus:
            self.setFocus(Qt.FocusReason.OtherFocusReason)
        # Not `isModified`, which is False if a screen reader has set the text.
        if is_accepted and text and text != editor.first:
            self.renamed.emit(text)

    # --- painting

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002 - Qt's signature
        """Paint the background, the focus ring and the content."""
        colours = self._theme.colours
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        background = self.rect().adjusted(1, 0, -1, 0)
        chosen = self.isChecked()
        if chosen or self.underMouse():
            fill = QColor(colours.tint if chosen else colours.hover)
            has_edge = colours.hover_edge != colours.hover  # in high contrast
            painter.setPen(QColor(colours.hover_edge) if has_edge else Qt.PenStyle.NoPen)
            painter.setBrush(fill)
            painter.drawRoundedRect(background, _RADIUS, _RADIUS)
        if self.hasFocus() and self._shows_ring:
            painter.setPen(QPen(QColor(colours.accent), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(background.adjusted(1, 1, -1, -1), _RADIUS, _RADIUS)
        self._paint_content(painter)
        painter.end()

    def _paint_content(self, painter: QPainter) -> None:
        """Paint the icon, the text, the number, the note and the bar."""
        colours, facts, line = self._theme.colours, self.facts, self.fontMetrics().height()
        left = _SIDE
        if facts.icon:
            place = QRect(left, _PADDING + (line - _ICON) // 2, _ICON, _ICON)
            self._theme.icon(facts.icon, facts.colour).paint(painter, self._visual(place))
            left += _ICON + _ICON_GAP
        room = self.width() - self._fixed_width()
        painter.setPen(QColor(colours.text))
        for at, text in enumerate(self._lines):
            self._paint_text(painter, QRect(left, _PADDING + at * line, room, line), text)
        painter.setPen(QColor(colours.muted))
        count = self._count_width()
        self._paint_text(painter, QRect(self.width() - _SIDE - count, _PADDING, count + 1, line), facts.count)
        self._paint_note(painter, left, _PADDING + len(self._lines) * line + _NOTE_GAP)
        if facts.done is not None:
            self._paint_bar(painter, left)

    def _paint_note(self, painter: QPainter, left: int, top: int) -> None:
        facts, colours = self.facts, self._theme.colours
        painter.setFont(self._note_font())
        metrics = painter.fontMetrics()
        room = self.width() - left - _SIDE
        dot, gap = (_DOT, metrics.horizontalAdvance(" ")) if facts.note and facts.alert else ("", 0)
        note = metrics.elidedText(
            facts.note, Qt.TextElideMode.ElideRight, room - metrics.horizontalAdvance(dot + facts.alert) - 2 * gap
        )
        for text, colour in ((note, colours.muted), (dot, colours.muted), (facts.alert, colours.failed)):
            painter.setPen(QColor(colour))
            self._paint_text(painter, QRect(left, top, room, metrics.height()), text)
            left += metrics.horizontalAdvance(text) + gap

    def _paint_bar(self, painter: QPainter, left: int) -> None:
        colours = self._theme.colours
        place = QRect(left, self.height() - _PADDING - _BAR, self.width() - left - _SIDE, _BAR)
        done = QRect(place.topLeft(), QSize(round(place.width() * (self.facts.done or 0)), _BAR))
        painter.setPen(Qt.PenStyle.NoPen)
        for rect, colour in ((place, colours.line), (done, colours.accent)):
            painter.setBrush(QColor(colour))
            painter.drawRoundedRect(QRectF(self._visual(rect)), _BAR / 2, _BAR / 2)

    def _visual(self, place: QRect) -> QRect:
        return QStyle.visualRect(self.layoutDirection(), self.rect(), place)

    def _paint_text(self, painter: QPainter, place: QRect, text: str) -> None:
        """Paint a text on the baseline of its font. Characters of other fonts would make Qt paint it lower."""
        metrics, visual = painter.fontMetrics(), self._visual(place)
        shown = isolated_in(text, self.layoutDirection())
        left = visual.x() + visual.width() - metrics.horizontalAdvance(shown) if self.isRightToLeft() else visual.x()
        painter.drawText(QPoint(left, visual.y() + metrics.ascent()), shown)

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
            case Qt.Key.Key_F10 if event.modifiers() == Qt.KeyboardModifier.ShiftModifier:
                self._request_menu()
            case _:
                super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show the focus ring if the focus was moved with the keyboard."""
        self._shows_ring = event.reason() in _KEY_REASONS
        super().focusInEvent(event)
        self.focused.emit(True)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Report that the focus has moved on, but not into a menu."""
        super().focusOutEvent(event)
        if event.reason() is not Qt.FocusReason.PopupFocusReason:
            self.focused.emit(False)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Request the context menu at the mouse pointer, or below the entry if the keyboard was used."""
        if event.reason() == QContextMenuEvent.Reason.Keyboard:
            self._request_menu()
        else:
            self.menu_requested.emit(event.globalPos())
        event.accept()

    def _request_menu(self) -> None:
        place: QPoint = self.mapToGlobal(self.rect().bottomLeft())
        self.menu_requested.emit(place)


class _Editor(QLineEdit):
    """The text field in which a name is edited.

    Signals:
        ended(bool): The user has left the field; True to use the text.

    Attributes:
        first: The text at the beginning.
    """

    ended = Signal(bool)

    def __init__(self, text: str, parent: QWidget) -> None:
        super().__init__(text, parent, maxLength=_LONGEST_NAME)
        self.first = self.text()
        self.setObjectName("renaming")
        self.setAccessibleName(tr("Batch name"))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Use the text on Enter, and discard it on Escape."""
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Escape}:
            event.accept()
            self.ended.emit(event.key() != Qt.Key.Key_Escape)
        else:
            super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Use the text when the focus moves on, but not when a menu opens or another window is activated."""
        super().focusOutEvent(event)
        if event.reason() not in {Qt.FocusReason.PopupFocusReason, Qt.FocusReason.ActiveWindowFocusReason}:
            self.ended.emit(True)


def _wrapped(text: str, font: QFont, width: int) -> list[str]:
    """Return a text as up to `_MOST_LINES` lines, of which the last is elided if the text is longer."""
    units = text.encode("utf-16-le")  # in which Qt counts
    layout = QTextLayout(text, font)
    options = QTextOption()
    options.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
    layout.setTextOption(options)
    layout.beginLayout()
    lines: list[str] = []
    while (line := layout.createLine()).isValid():
        line.setLineWidth(width)
        rest = units[2 * line.textStart() :]
        if len(lines) + 1 == _MOST_LINES:
            last = rest.decode("utf-16-le", "replace")
            lines.append(QFontMetrics(font).elidedText(last, Qt.TextElideMode.ElideRight, width))
            break
        lines.append(rest[: 2 * line.textLength()].decode("utf-16-le", "replace"))
    layout.endLayout()
    return lines or [""]
