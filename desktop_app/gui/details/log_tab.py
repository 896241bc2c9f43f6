"""The details' tab with what the log says about a file."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import QFrame, QLabel, QPlainTextEdit, QStackedWidget, QWidget

from desktop_app.gui.details.copying import CopyPage
from desktop_app.gui.texts import tr

if TYPE_CHECKING:
    from desktop_app.gui.wording import Wording

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
