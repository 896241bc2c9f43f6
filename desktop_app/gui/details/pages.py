"""The pages of the details: summary, facts, message and log lines of a file."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QFontDatabase, QGuiApplication
from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QGridLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from desktop_app.gui.i18n import tr
from desktop_app.gui.wording import tool_tip

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtGui import QResizeEvent

    from desktop_app.gui.details.words import Facts, Summary
    from desktop_app.gui.wording import Wording


_TWO_COLUMNS_FROM = 760


def leading(widget: QWidget) -> Qt.AlignmentFlag:
    """Return the alignment to the start of a line in the current layout direction."""
    side = Qt.AlignmentFlag.AlignRight if widget.isRightToLeft() else Qt.AlignmentFlag.AlignLeft
    return side | Qt.AlignmentFlag.AlignAbsolute | Qt.AlignmentFlag.AlignVCenter


def caption_label(text: str, parent: QWidget) -> QLabel:
    """Return a caption for a value."""
    label = QLabel(text, parent)
    label.setObjectName("detailsCaption")
    label.setTextFormat(Qt.TextFormat.PlainText)
    return label


def value_field(name: str, parent: QWidget) -> QLineEdit:
    """Return a read-only field whose value can be scrolled and copied."""
    field = QLineEdit(parent)
    field.setObjectName("detailsValue")
    field.setReadOnly(True)
    field.setAlignment(leading(field))
    field.setAccessibleName(name)
    return field


class FactsGrid(QWidget):
    """Shows `Facts`; keeps the text selection in a value that does not change.

    Args:
        most: The maximum number of facts.
        parent: The parent.
    """

    def __init__(self, most: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._facts: Facts = ()
        self._columns = 1
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(12)
        self._grid.setVerticalSpacing(4)
        # All are created at once, so that Tab visits them in order.
        self._fields = [(caption_label("", self), value_field("", self)) for _ in range(most)]
        for pair in self._fields:
            for widget in pair:
                widget.hide()
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)

    @property
    def facts(self) -> Facts:
        """Return the shown facts."""
        return self._facts

    def show_facts(self, facts: Facts) -> None:
        """Show these values."""
        if facts == self._facts:
            return
        is_same_form = [caption for caption, _ in facts] == [caption for caption, _ in self._facts]
        self._facts = facts
        if not is_same_form:
            self._place()
        for (_, field), (_, value) in zip(self._fields, facts, strict=False):
            if field.text() != value:
                field.setText(value)
                field.setToolTip(tool_tip(value))
                field.setCursorPosition(0)

    def _place(self) -> None:
        rows = -(-len(self._facts) // self._columns)
        for number, (caption, field) in enumerate(self._fields):
            self._grid.removeWidget(caption)
            self._grid.removeWidget(field)
            is_used = number < len(self._facts)
            if is_used:
                name = self._facts[number][0]
                caption.setText(name)
                field.setAccessibleName(name)
                column, row = divmod(number, rows)
                self._grid.addWidget(caption, row, 2 * column)
                self._grid.addWidget(field, row, 2 * column + 1)
            caption.setVisible(is_used)
            field.setVisible(is_used)
        self._grid.setColumnStretch(1, 1)
        self._grid.setColumnStretch(3, self._columns - 1)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Use two columns where there is room."""
        super().resizeEvent(event)
        columns = 2 if event.size().width() >= _TWO_COLUMNS_FROM else 1
        if columns != self._columns:
            self._columns = columns
            self._place()


_SUMMARY_NARROW = 640

_SUMMARY_ROWS = 3
"""The number of facts in the first column."""


def text_label(name: str, parent: QWidget) -> QLabel:
    """Return a label with text that can be selected with the mouse."""
    label = QLabel(parent)
    label.setObjectName(name)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    label.setAlignment(leading(label))
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label


class SummaryPage(QScrollArea):
    """The page that shows a `Summary`; reads nothing itself."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("detailsPage")
        self.setAccessibleName(tr("Summary"))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWidgetResizable(True)
        inside = self._inside = QWidget(self)
        inside.setObjectName("detailsInside")
        self._happened = text_label("detailsHappened", inside)
        self._advice = text_label("detailsText", inside)
        self._path = value_field(tr("Path"), inside)
        self._path.setObjectName("detailsPath")
        self._path_caption = caption_label(tr("Path"), inside)
        self._shown_facts: Facts = ()
        self._fact_labels: list[QLabel] = []
        self._is_narrow = False
        self._facts = QGridLayout()
        self._facts.setHorizontalSpacing(12)
        self._facts.setVerticalSpacing(4)
        self._facts.addWidget(self._path_caption, 0, 0)
        self._facts.addWidget(self._path, 0, 1, 1, 3)
        column = QVBoxLayout(inside)
        column.setContentsMargins(14, 10, 14, 10)
        column.setSpacing(6)
        column.addWidget(self._happened)
        column.addWidget(self._advice)
        column.addSpacing(2)
        column.addLayout(self._facts)
        column.addStretch(1)
        self.setWidget(inside)

    def show_summary(self, summary: Summary) -> None:
        """Show this content."""
        for widget, text in (
            (self._happened, summary.happened),
            (self._advice, summary.advice),
            (self._path, summary.path),
        ):
            if widget.text() != text:
                widget.setText(text)
            widget.setVisible(bool(text))
        self._path_caption.setVisible(bool(summary.path))
        self._path.setToolTip(tool_tip(summary.path))
        if not self._path.hasFocus():
            self._path.setCursorPosition(0)
        if summary.facts != self._shown_facts:
            self._show_facts(summary.facts)

    def _show_facts(self, facts: Facts) -> None:
        old, self._shown_facts = self._shown_facts, facts
        if [caption for caption, _ in facts] != [caption for caption, _ in old]:
            self._make_labels()
        for label, (_, value) in zip(self._fact_labels[1::2], facts, strict=True):
            label.setText(value)

    def _make_labels(self) -> None:
        for label in self._fact_labels:
            label.hide()
            self._facts.removeWidget(label)
            label.deleteLater()
        self._fact_labels.clear()
        inside = self._inside
        for caption, _ in self._shown_facts:
            value = text_label("detailsFact", inside)
            value.setWordWrap(False)
            self._fact_labels += [caption_label(caption, inside), value]
        self._place_facts()

    def _place_facts(self) -> None:
        rows = len(self._fact_labels) if self._is_narrow else _SUMMARY_ROWS
        for number, label in enumerate(self._fact_labels):
            fact, part = divmod(number, 2)
            self._facts.addWidget(label, 1 + fact % rows, 2 * (fact // rows) + part)
            label.show()
        self._facts.setColumnStretch(1, 1)
        self._facts.setColumnStretch(3, 0 if self._is_narrow else 1)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put the facts below each other where there is little room."""
        super().resizeEvent(event)
        is_narrow = event.size().width() < _SUMMARY_NARROW
        if is_narrow != self._is_narrow:
            self._is_narrow = is_narrow
            self._place_facts()


_NARROW, _TALL = 560, 240


class CopyPage(QWidget):
    """A page with a Copy button beside its content, or below it where the page is narrow and tall.

    Attributes:
        copy: The Copy button.
    """

    def __init__(self, tip: str, text: Callable[[], str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._text = text
        self._tip = tip
        self.setObjectName("detailsInside")
        self._box = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._box.setContentsMargins(14, 10, 14, 10)
        self._box.setSpacing(10)

    def take_content(self, content: QWidget) -> None:
        """Lay out the complete content and the button; call it once."""
        self.copy = QPushButton(tr("Copy"), self)  # created here, so that Tab reaches it after the content
        self.copy.setToolTip(self._tip)
        self.copy.setAccessibleDescription(self._tip)
        self.copy.clicked.connect(self.copy_all)
        self._box.addWidget(content, 1)
        self._box.addWidget(self.copy, 0, Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeading)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put the button where it takes the least room."""
        super().resizeEvent(event)
        is_column = event.size().width() < _NARROW and event.size().height() > _TALL
        directions = QBoxLayout.Direction
        self._box.setDirection(directions.TopToBottom if is_column else directions.LeftToRight)

    @Slot()
    def copy_all(self) -> None:
        """Put the whole content on the clipboard."""
        QGuiApplication.clipboard().setText(self._text())


_LINE = re.compile(r"(?P<moment>\S+Z) (?P<level>[A-Z]+) +\[.*?\] \S+: job [0-9a-f-]{36}: (?P<text>.*)")

_USUAL = frozenset({"DEBUG", "INFO"})


class LogPage(CopyPage):
    """The page that shows log lines, newest last; reads nothing itself.

    Attributes:
        text: The lines.
        none: The text shown without lines.
    """

    def __init__(self, wording: Wording, parent: QWidget | None = None) -> None:
        super().__init__(tr("Copy these lines in full"), lambda: "".join(f"{line}\n" for line in self._lines), parent)
        self._wording = wording
        self._lines: tuple[str, ...] = ()
        self.text = QPlainTextEdit(self)
        self.text.setObjectName("detailsLog")
        self.text.setAccessibleName(tr("Log lines about this file"))
        self.text.setReadOnly(True)
        self.text.setTabChangesFocus(True)
        self.text.setFrameShape(QFrame.Shape.NoFrame)
        self.text.setLineWrapMode(QPlainTextEdit.LineWrapMode.WidgetWidth)
        self.text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        interaction = Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        self.text.setTextInteractionFlags(interaction)
        self.none = QLabel(self)
        self.none.setObjectName("detailsCaption")
        self.none.setTextFormat(Qt.TextFormat.PlainText)
        self.none.setWordWrap(True)
        self.none.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeading)
        self._stack = QStackedWidget(self)
        self._stack.addWidget(self.none)
        self._stack.addWidget(self.text)
        self.take_content(self._stack)
        self.wait()

    @property
    def lines(self) -> tuple[str, ...]:
        """Return the shown lines."""
        return self._lines

    def wait(self) -> None:
        """Show that the log is being read for another file."""
        self._take(())
        self.none.setText(tr("Reading the log…"))

    def show_lines(self, lines: tuple[str, ...]) -> None:
        """Show these lines; keep the selection, and stay at the end if the view was there."""
        self._take(lines)
        self.none.setText(
            tr(
                "The log has no entries for this file. Only problems and your own actions are logged. See "
                "Attempts for what happened."
            )
        )

    def _take(self, lines: tuple[str, ...]) -> None:
        old, self._lines = self._lines, lines
        if lines == old and lines:
            return
        bar = self.text.verticalScrollBar()
        at_end = bar.value() >= bar.maximum()
        if old and lines[: len(old)] == old:
            self.text.appendPlainText("\n".join(map(self._short, lines[len(old) :])))
        else:
            self.text.setPlainText("\n".join(map(self._short, lines)))
            at_end = True
        if at_end:
            bar.setValue(bar.maximum())
        self._stack.setCurrentWidget(self.text if lines else self.none)
        self.copy.setEnabled(bool(lines))

    def _short(self, line: str) -> str:
        """Return a line with local time and without the parts common to all lines."""
        parts = _LINE.fullmatch(line)
        if parts is None:
            return line
        moment = datetime.fromisoformat(parts["moment"])
        level = "" if parts["level"] in _USUAL else f"{parts['level']}: "
        return f"{self._wording.stamp(int(moment.timestamp() * 1000))}  {level}{parts['text']}"


_MOST_FACTS = 9


class MessagePage(CopyPage):
    """The page that shows the facts of a message; reads nothing itself.

    Attributes:
        grid: The facts.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(tr("Copy all details of the message"), self._lines, parent)
        area = QScrollArea(self)
        area.setObjectName("detailsPage")
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidgetResizable(True)
        inside = QWidget(area)
        inside.setObjectName("detailsInside")
        self.grid = FactsGrid(_MOST_FACTS, inside)
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.grid)
        column.addStretch(1)
        area.setWidget(inside)
        self.take_content(area)

    def show_facts(self, facts: Facts) -> None:
        """Show these values."""
        self.grid.show_facts(facts)
        self.copy.setEnabled(bool(facts))

    def _lines(self) -> str:
        return "".join(f"{caption}: {value}\n" for caption, value in self.grid.facts)
