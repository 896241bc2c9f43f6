"""The Summary, Message and Log tabs of the details, and the base class of tabs with a Copy button."""

from __future__ import annotations

import itertools
import re
from datetime import datetime
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QFontDatabase, QGuiApplication, QPixmap, QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from desktop_app.domain.sentences import shortened
from desktop_app.gui.i18n import tr
from desktop_app.gui.widgets.dialogs import leading, plain_label, read_only_text, spaced
from desktop_app.gui.wording import Wording, tool_tip

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop_app.gui.details.texts import Facts, Summary
    from desktop_app.services.support.previews import Preview


_TWO_COLUMNS_FROM = 760
"""The minimum width, in pixels, for two columns on the Message tab."""


def caption_label(text: str, parent: QWidget) -> QLabel:
    """Return a label for the caption of a value."""
    label = QLabel(text, parent, textFormat=Qt.TextFormat.PlainText)
    label.setObjectName("detailsCaption")
    label.setAlignment(leading(label))
    return label


def value_field(name: str, parent: QWidget) -> QLineEdit:
    """Return a read-only field for a possibly long value, which can be scrolled and copied.

    Args:
        name: The accessible name.
        parent: The parent.
    """
    field = QLineEdit(parent, readOnly=True)
    field.setObjectName("detailsValue")
    field.setAlignment(leading(field))
    field.setAccessibleName(name)
    return field


def text_label(name: str, parent: QWidget) -> QLabel:
    """Return a label whose text can be selected with the mouse.

    Args:
        name: The object name, for the style sheet.
        parent: The parent.
    """
    label = plain_label("", parent, name)
    label.setAlignment(leading(label))
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label


def _add_inside(area: QScrollArea) -> QWidget:
    """Make an area scroll only vertically, and return a new widget inside it."""
    area.setObjectName("detailsPage")
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setWidgetResizable(True)
    inside = QWidget(area)
    inside.setObjectName("detailsInside")
    area.setWidget(inside)
    return inside


class FactsGrid(QWidget):
    """A grid of captions and read-only fields. Fields whose values do not change keep their text selection.

    Args:
        max_facts: The maximum number of facts.
        parent: The parent.
    """

    def __init__(self, max_facts: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._facts: Facts = ()
        self._columns = 1
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(12)
        self._grid.setVerticalSpacing(4)
        # Created in order and reused, because the Tab order is the order of creation.
        self._fields = [(caption_label("", self), value_field("", self)) for _ in range(max_facts)]
        for pair in self._fields:
            for widget in pair:
                widget.hide()
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)

    @property
    def facts(self) -> Facts:
        """Return the facts that are shown."""
        return self._facts

    def show_facts(self, facts: Facts) -> None:
        """Show these facts."""
        old, self._facts = self._facts, facts
        if [caption for caption, _ in facts] != [caption for caption, _ in old]:
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
        """Use one or two columns, depending on the width."""
        super().resizeEvent(event)
        columns = 2 if event.size().width() >= _TWO_COLUMNS_FROM else 1
        if columns != self._columns:
            self._columns = columns
            self._place()


_SUMMARY_COLUMNS_FROM = 640
"""The minimum width, in pixels, for several columns on the Summary tab."""

_SUMMARY_ROWS = 3
"""The least number of facts in each of these columns."""

_MOST_SUMMARY_COLUMNS = 3

_LONGEST_FACT = 80
_SHORT_FIELD = 24

_PREVIEW = 128
"""The largest width and height of a picture in a preview."""


class SummaryPage(QScrollArea):
    """The Summary tab. If it is wide, it shows a small picture or the first lines of the file beside the facts.

    Signals:
        field_requested(str): The user wants to see the field with this name as a column of the list.
    """

    field_requested = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(tr("Summary"))
        inside = self._inside = _add_inside(self)
        self._happened = text_label("detailsHappened", inside)
        self._advice = text_label("detailsText", inside)
        self._path = value_field(tr("Path"), inside)
        self._path.setObjectName("detailsPath")
        self._path_caption = caption_label(tr("Path"), inside)
        self._shown_facts: Facts = ()
        self._pairs: list[tuple[QLabel | QPushButton, QLabel | QLineEdit]] = []
        """The caption and the value of each fact."""
        self._field_names: dict[str, str] = {}
        self._is_narrow = False
        self._facts = QGridLayout()
        self._facts.setHorizontalSpacing(12)
        self._facts.setVerticalSpacing(2)
        self._facts.addWidget(self._path_caption, 0, 0)
        self._facts.addWidget(self._path, 0, 1, 1, 3)
        self._preview = QLabel(inside, textFormat=Qt.TextFormat.PlainText)
        self._preview.setObjectName("detailsPreview")
        self._preview.setAlignment(Qt.AlignmentFlag.AlignTop | leading(self._preview))
        self._preview.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self._preview.hide()
        row = spaced(QHBoxLayout(inside), 16, (14, 10, 14, 10))
        column = spaced(QVBoxLayout(), 6)
        column.addWidget(self._happened)
        column.addWidget(self._advice)
        column.addSpacing(2)
        column.addLayout(self._facts)
        column.addStretch(1)
        row.addLayout(column, 1)
        row.addWidget(self._preview, 0, Qt.AlignmentFlag.AlignTop)

    @property
    def is_narrow(self) -> bool:
        """Whether there is no room for a preview."""
        return self._is_narrow

    @property
    def preview_pixels(self) -> int:
        """The largest width and height of a preview's picture, in pixels of the screen."""
        return min(_PREVIEW * 2, round(_PREVIEW * self.devicePixelRatioF()))

    def show_preview(self, preview: Preview | None) -> None:
        """Show a preview; None to show none."""
        self._preview.clear()
        if preview is not None and preview.picture is not None:
            picture = QPixmap()
            picture.loadFromData(preview.picture, "PNG")
            picture.setDevicePixelRatio(self.devicePixelRatioF())
            self._preview.setPixmap(picture)
            self._preview.setAccessibleName(tr("Preview of the picture"))
        elif preview is not None and preview.text:
            metrics = self._preview.fontMetrics()
            lines = preview.text.split("\n")
            width = self.width() // 3
            self._preview.setText(
                "\n".join(metrics.elidedText(line, Qt.TextElideMode.ElideRight, width) for line in lines)
            )
            self._preview.setAccessibleName(tr("First lines of the file"))
        self._preview.setVisible(not self._is_narrow and bool(preview and (preview.picture or preview.text)))

    def show_summary(self, summary: Summary) -> None:
        """Show this summary."""
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
            self._field_names = dict(summary.fields)
            self._show_facts(summary.facts)

    def _show_facts(self, facts: Facts) -> None:
        before, self._shown_facts = self._shown_facts, facts
        if [caption for caption, _ in facts] != [caption for caption, _ in before]:
            self._make_labels()
        for (_, value), (_, text) in zip(self._pairs, facts, strict=True):
            if isinstance(value, QLabel):
                value.setText(shortened(text, _LONGEST_FACT))
                value.setToolTip(tool_tip(text) if len(text) > _LONGEST_FACT else "")
            elif value.text() != text:
                value.setText(text)
                value.setCursorPosition(0)
                value.setToolTip(tool_tip(text) if len(text) > _SHORT_FIELD else "")

    def _make_labels(self) -> None:
        for widget in itertools.chain.from_iterable(self._pairs):
            widget.hide()
            self._facts.removeWidget(widget)
            widget.deleteLater()
        self._pairs.clear()
        for caption, _ in self._shown_facts:
            pair = self._caption(caption), self._value(caption)
            for widget in pair:
                widget.setMinimumHeight(self._path.sizeHint().height())  # as high as the row of the path
            self._pairs.append(pair)
        self._place_facts()

    def _value(self, caption: str) -> QLabel | QLineEdit:
        """Return the widget for a value; one of a field of the result, which can be long, scrolls."""
        if caption in self._field_names:
            field = value_field(caption, self._inside)
            field.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
            return field
        label = text_label("detailsFact", self._inside)
        label.setWordWrap(False)
        label.setContentsMargins(0, 1, 0, 0)  # Qt draws a text that can be selected one pixel higher
        return label

    def _caption(self, caption: str) -> QLabel | QPushButton:
        """Return the caption of a fact; that of a field of the result is a button that shows its column."""
        name = self._field_names.get(caption)
        if name is None:
            return caption_label(caption, self._inside)
        button = QPushButton(caption, self._inside, flat=True)
        button.setObjectName("detailsField")
        button.setToolTip(tr("Show this field as a column"))
        button.setAccessibleDescription(button.toolTip())
        button.clicked.connect(lambda: self.field_requested.emit(name))
        return button

    def _place_facts(self) -> None:
        rows = max(_SUMMARY_ROWS, -(-len(self._shown_facts) // _MOST_SUMMARY_COLUMNS))
        if self._is_narrow:
            rows = len(self._pairs)
        for fact, pair in enumerate(self._pairs):
            for part, widget in enumerate(pair):
                self._facts.addWidget(widget, 1 + fact % rows, 2 * (fact // rows) + part)
                widget.show()
        self._facts.setColumnStretch(1, 1)
        for column in (3, 5):
            self._facts.setColumnStretch(column, 0 if self._is_narrow else 1)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Show the facts in one column if the page is narrow."""
        super().resizeEvent(event)
        is_narrow = event.size().width() < _SUMMARY_COLUMNS_FROM
        if is_narrow != self._is_narrow:
            self._is_narrow = is_narrow
            self._place_facts()
            if is_narrow:
                self.show_preview(None)


_NARROW, _TALL = 560, 240


class CopyPage(QWidget):
    """The base class of tabs with a Copy button.

    The button is beside the content, or below it if the page is narrow and tall.

    Attributes:
        copy: The Copy button; created by `set_content`.
        none: The label that is shown while there is no content.

    Args:
        tip: The tool tip of the button.
        text: Called to get the text to copy.
        parent: The parent.
    """

    def __init__(self, tip: str, text: Callable[[], str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._text = text
        self._tip = tip
        self.setObjectName("detailsInside")
        self.none = plain_label("", self, "detailsCaption")
        self.none.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeading)
        self._stack = QStackedWidget(self)
        self._stack.addWidget(self.none)
        self._box = spaced(QBoxLayout(QBoxLayout.Direction.LeftToRight, self), 10, (14, 10, 14, 10))

    def set_content(self, content: QWidget) -> None:
        """Add the content and the button. Call this once, when the content is complete."""
        self._stack.addWidget(content)
        # Created after the content, because the Tab order is the order of creation.
        self.copy = QPushButton(tr("Copy"), self)
        self.copy.setToolTip(self._tip)
        self.copy.setAccessibleDescription(self._tip)
        self.copy.clicked.connect(self.copy_all)
        self._box.addWidget(self._stack, 1)
        self._box.addWidget(self.copy, 0, Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeading)

    def show_content(self, *, shown: bool) -> None:
        """Show the content and enable the button; without content, show `none` and disable the button."""
        self._stack.setCurrentIndex(int(shown))
        self.copy.setEnabled(shown)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Place the button beside or below the content."""
        super().resizeEvent(event)
        is_column = event.size().width() < _NARROW and event.size().height() > _TALL
        directions = QBoxLayout.Direction
        self._box.setDirection(directions.TopToBottom if is_column else directions.LeftToRight)

    @Slot()
    def copy_all(self) -> None:
        """Copy the whole content to the clipboard."""
        QGuiApplication.clipboard().setText(self._text())


_LINE = re.compile(r"(?P<moment>\S+Z) (?P<level>[A-Z]+) +\[.*?\] \S+: job [0-9a-f-]{36}: (?P<text>.*)")

_ORDINARY_LEVELS = frozenset({"DEBUG", "INFO"})


class LogPage(CopyPage):
    """The Log tab, with the newest line at the end.

    Attributes:
        lines: The current lines as they are in the log file.
        text: The text area for the lines.
    """

    def __init__(self, wording: Wording, parent: QWidget | None = None) -> None:
        super().__init__(tr("Copy these entries in full"), lambda: "".join(f"{line}\n" for line in self.lines), parent)
        self._wording = wording
        self.lines: tuple[str, ...] = ()
        self.text = read_only_text(tr("Log entries about this file"), self)
        self.text.setObjectName("detailsLog")
        self.text.setFrameShape(QFrame.Shape.NoFrame)
        self.set_content(self.text)
        self.show_reading()

    def show_reading(self) -> None:
        """Remove all lines and show that the log is being read."""
        self._set_lines(())
        self.none.setText(tr("Reading the log…"))

    def show_lines(self, lines: tuple[str, ...]) -> None:
        """Show these lines.

        If lines have only been appended, the selection is kept, and the view scrolls only if it was at the end.
        """
        self._set_lines(lines)
        self.none.setText(
            tr(
                "The log has no entries for this file. Only problems and your own actions are logged. See "
                "Attempts for what happened."
            )
        )

    def _set_lines(self, lines: tuple[str, ...]) -> None:
        old, self.lines = self.lines, lines
        if lines == old and lines:
            return
        bar = self.text.verticalScrollBar()
        at_end = bar.value() >= bar.maximum()
        if old and lines[: len(old)] == old:
            self.text.appendPlainText("\n".join(map(self._shortened, lines[len(old) :])))
        else:
            self.text.setPlainText("\n".join(map(self._shortened, lines)))
            at_end = True
        if at_end:
            bar.setValue(bar.maximum())
        self.show_content(shown=bool(lines))

    def _shortened(self, line: str) -> str:
        """Shorten a line: use local time; omit the logger, thread and job ID, and the level if it is DEBUG or INFO."""
        parts = _LINE.fullmatch(line)
        if parts is None:
            return line
        moment = datetime.fromisoformat(parts["moment"])
        level = "" if parts["level"] in _ORDINARY_LEVELS else f"{parts['level']}: "
        return f"{self._wording.stamp(int(moment.timestamp() * 1000))}  {level}{parts['text']}"


_MAX_FACTS = 9


class MessagePage(CopyPage):
    """The Message tab.

    Attributes:
        grid: The facts about the message.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(tr("Copy all details of the message"), self._lines_to_copy, parent)
        area = QScrollArea(self)
        inside = _add_inside(area)
        self.grid = FactsGrid(_MAX_FACTS, inside)
        column = spaced(QVBoxLayout(inside), 0)
        column.addWidget(self.grid)
        column.addStretch(1)
        self.set_content(area)

    def show_facts(self, facts: Facts) -> None:
        """Show these facts."""
        self.grid.show_facts(facts)
        self.show_content(shown=bool(facts))

    def _lines_to_copy(self) -> str:
        return "".join(f"{caption}: {value}\n" for caption, value in self.grid.facts)
