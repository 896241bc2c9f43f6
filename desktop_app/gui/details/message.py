"""The details' tab about a file's message: ids and numbers for who looks the file up in AWS or in a log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from desktop_app.gui.details.copying import CopyPage
from desktop_app.gui.details.facts import FactsGrid
from desktop_app.gui.texts import tr

if TYPE_CHECKING:
    from desktop_app.gui.details.words import Facts

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
