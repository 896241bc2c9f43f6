"""The details' first tab: what happened to the selected file, what is behind it, and the facts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from desktop_app.gui.details.facts import caption_label, leading, value_field
from desktop_app.gui.i18n import tr
from desktop_app.gui.wording import tool_tip

if TYPE_CHECKING:
    from PySide6.QtGui import QResizeEvent

    from desktop_app.gui.details.words import Facts, Summary


NARROW = 640

_ROWS = 3
"""Facts below each other; the next ones stand beside them."""


def text_label(name: str, parent: QWidget) -> QLabel:
    """A text that can be selected with the mouse."""
    label = QLabel(parent)
    label.setObjectName(name)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    label.setAlignment(leading(label))
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label


class SummaryPage(QScrollArea):
    """Shows a `Summary`; asks nothing itself."""

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
        """Show this."""
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
        rows = len(self._fact_labels) if self._is_narrow else _ROWS
        for number, label in enumerate(self._fact_labels):
            fact, part = divmod(number, 2)
            self._facts.addWidget(label, 1 + fact % rows, 2 * (fact // rows) + part)
            label.show()
        self._facts.setColumnStretch(1, 1)
        self._facts.setColumnStretch(3, 0 if self._is_narrow else 1)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Where there is little room, facts stand below each other."""
        super().resizeEvent(event)
        is_narrow = event.size().width() < NARROW
        if is_narrow != self._is_narrow:
            self._is_narrow = is_narrow
            self._place_facts()
