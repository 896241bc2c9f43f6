"""A tab of the details whose content can be copied as a whole."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QFontDatabase, QGuiApplication
from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QScrollArea,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from desktop_app.gui.details.facts import FactsGrid
from desktop_app.gui.i18n import tr

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtGui import QResizeEvent

    from desktop_app.gui.details.words import Facts
    from desktop_app.gui.wording import Wording


_NARROW, _TALL = 560, 240


class CopyPage(QWidget):
    """A content with a Copy button beside it; below it where the page is narrow and tall.

    Attributes:
        copy: The button.
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
        """Show this, and the button; call it once, with all that is in it."""
        self.copy = QPushButton(tr("Copy"), self)  # here, so that Tab comes to it after the content
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
        """Put all of it on the clipboard."""
        QGuiApplication.clipboard().setText(self._text())


_LINE = re.compile(r"(?P<moment>\S+Z) (?P<level>[A-Z]+) +\[.*?\] \S+: job [0-9a-f-]{36}: (?P<text>.*)")

_USUAL = frozenset({"DEBUG", "INFO"})


class LogPage(CopyPage):
    """Shows lines, the newest last; asks nothing itself.

    Attributes:
        text: The lines.
        none: What is said where there are none.
    """

    def __init__(self, wording: Wording, parent: QWidget | None = None) -> None:
        super().__init__(tr("Copy these lines, whole"), lambda: "".join(f"{line}\n" for line in self._lines), parent)
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
        """What is shown."""
        return self._lines

    def wait(self) -> None:
        """Another file: what the log says about it is not known yet."""
        self._take(())
        self.none.setText(tr("Reading the log…"))

    def show_lines(self, lines: tuple[str, ...]) -> None:
        """Show these; what is selected stays so, and who looks at the end goes on looking at the end."""
        self._take(lines)
        self.none.setText(
            tr(
                "The log says nothing about this file. It notes what goes wrong and what you do; files that go well "
                "would fill it. Attempts has what happened."
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
        """A line without what is the same in all of them, with the person's own time."""
        parts = _LINE.fullmatch(line)
        if parts is None:
            return line
        moment = datetime.fromisoformat(parts["moment"])
        level = "" if parts["level"] in _USUAL else f"{parts['level']}: "
        return f"{self._wording.stamp(int(moment.timestamp() * 1000))}  {level}{parts['text']}"


_MOST_FACTS = 9


class MessagePage(CopyPage):
    """Shows facts; asks nothing itself.

    Attributes:
        grid: The facts.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(tr("Copy all that is known about the message"), self._lines, parent)
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
        """Show these."""
        self.grid.show_facts(facts)
        self.copy.setEnabled(bool(facts))

    def _lines(self) -> str:
        return "".join(f"{caption}: {value}\n" for caption, value in self.grid.facts)
