"""A header whose columns can be shown and hidden, moved and sized; how they were left is remembered by their names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Slot
from PySide6.QtWidgets import QAbstractScrollArea, QHeaderView

from desktop_app.gui.table.column_widths import first_width, status_word_width
from desktop_app.gui.table.columns import COLUMN_OF_ID, COLUMNS, FIRST_ORDER, LINES, NAME, PROGRESS, REASON, STATUS
from desktop_app.gui.table.sort_header import SortHeader
from desktop_app.gui.window_memory import ColumnLayout

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtWidgets import QWidget

    from desktop_app.gui.look.look import Look

_MIN_WIDTH = 48
_MIN_ELASTIC_CHARACTERS = 26
_FOR_PROBLEMS = {REASON: True, PROGRESS: False, LINES: False}


class ColumnHeader(SortHeader):
    """Name always stays; the columns fill the width."""

    def __init__(self, look: Look, parent: QWidget) -> None:
        super().__init__(look, parent)
        self._least = 0
        self._for_now: dict[int, bool] = {}  # whether they are shown otherwise
        self.setSectionsMovable(True)
        self.setStretchLastSection(False)
        self.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        self.setMinimumSectionSize(_MIN_WIDTH)
        self.setResizeContentsPrecision(0)  # what is to be seen; never a thousand rows

    def show_column(self, number: int, shown: bool) -> None:  # noqa: FBT001 - a slot of `toggled`
        """Show or hide a column; to stay."""
        self._for_now.pop(number, None)
        self._set_shown(number, shown=shown)

    def suit_problems(self, only_problems: bool) -> None:  # noqa: FBT001
        """While only problems are listed, show reasons, and not what is empty for all of them. Not remembered."""
        if only_problems:
            for number, shown in _FOR_PROBLEMS.items():
                if self.isSectionHidden(number) is shown:
                    self._for_now[number] = not shown
                    self._set_shown(number, shown=shown)
        else:
            for number, shown in self._for_now.items():
                self._set_shown(number, shown=shown)
            self._for_now.clear()

    def shows(self, number: int) -> bool:
        """Whether a column is to be seen."""
        return not self.isSectionHidden(number)

    def _set_shown(self, number: int, *, shown: bool) -> None:
        self.setSectionHidden(number, not shown)
        self._least = 0
        if number == REASON and shown:
            self.resizeSection(STATUS, status_word_width(self.font()))
        self.fit()

    @Slot()
    def reset(self) -> None:
        """All columns in their first order and width."""
        self._for_now.clear()
        self._least = 0
        first = [COLUMN_OF_ID[name] for name in FIRST_ORDER]
        for place, number in enumerate([*first, *(other for other in range(len(COLUMNS)) if other not in first)]):
            self.setSectionHidden(number, False)
            self.moveSection(self.visualIndex(number), place)
            self.resizeSection(number, first_width(number, self.font()))
            self.setSectionHidden(number, not COLUMNS[number].shown)
        self.fit()

    def fit(self) -> None:
        """Let the elastic column take the room that the others leave, as long as it stays readable."""
        elastic = self._elastic()
        others = sum(self.sectionSize(number) for number in range(self.count()) if number != elastic)
        least = max(self._least, _MIN_ELASTIC_CHARACTERS * self.fontMetrics().averageCharWidth())
        self.resizeSection(elastic, max(least, self._room() - others))

    def _room(self) -> int:
        """The width of the rows: the header itself follows that a moment later."""
        table = self.parent()
        return (table if isinstance(table, QAbstractScrollArea) else self).viewport().width()

    def _elastic(self) -> int:
        """Reasons are the longest texts."""
        return next((number for number in (REASON, STATUS) if self.shows(number)), NAME)

    @Slot()
    def fit_all(self) -> None:
        """Make each column as wide as its title and what is to be seen of it."""
        self.resizeSections(QHeaderView.ResizeMode.ResizeToContents)
        self._least = self.sectionSize(self._elastic())
        self.fit()

    def layout_of_columns(self) -> list[ColumnLayout]:
        """The columns as they are to be remembered, in their order on the screen."""
        found = []
        for place in range(self.count()):
            number = self.logicalIndex(place)
            hidden = self.isSectionHidden(number)
            # A hidden column has no width; it gets its old one back when it is shown.
            with QSignalBlocker(self):
                self.setSectionHidden(number, False)
                width = self.sectionSize(number)
                self.setSectionHidden(number, hidden)
            found.append(ColumnLayout(COLUMNS[number].id, width, not self._for_now.get(number, not hidden)))
        return found

    def take_layout(self, layout: Sequence[ColumnLayout]) -> None:
        """Arrange the columns as they were; those that are not named stay in their first place behind the others."""
        self.reset()
        known = [column for column in layout if column.id in COLUMN_OF_ID]
        for place, column in enumerate(known):
            number = COLUMN_OF_ID[column.id]
            self.moveSection(self.visualIndex(number), place)
            self.setSectionHidden(number, False)
            self.resizeSection(number, max(_MIN_WIDTH, column.width))
            self.setSectionHidden(number, column.hidden and number != NAME)
        self.fit()
