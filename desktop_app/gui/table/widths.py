"""The automatic widths of the table's columns, and which columns there is room for.

Numbers, sizes and times are never cut off: their columns are as wide as the widest text that is likely, and grow when a
wider one is shown. They never shrink, so that the columns do not move back and forth. Name and Reason share the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from desktop_app.domain.job import Status
from desktop_app.gui.table.columns import COLUMN_OF_ID, NAME, REASON, STATUS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from PySide6.QtGui import QFontMetrics

    from desktop_app.gui.table.columns import Columns
    from desktop_app.gui.wording import Wording


CELL_PADDING = 8

ICON = 16

ICON_ROOM = ICON + 6
"""The width of an icon and the gap beside it together."""

LEAST_WIDTH = 48
"""The width below which no column can be dragged."""

LEAST_BAR = 36
"""The width of the shortest progress bar in the Status column."""

BAR_GAP = 6
"""The gap between a progress bar and the percentage."""

_LEAST = {NAME: 140, REASON: 120}
"""The widths in pixels below which Name and Reason are not made narrower."""

_READABLE_CHARACTERS = {NAME: 24, REASON: 20}
"""Other columns are left out before Name and Reason have less room than this."""

_NAME_SHARE = 0.6
"""The part of the room for Name and Reason that Name can take if they do not both fit. It tells the files apart."""

_USUAL_CHARACTERS = {NAME: 24, REASON: 24}
"""The widths that Name and Reason are expected to need before longer texts have been shown."""

_STEP = 24
"""Name and Reason grow in steps of this many pixels, so that they do not move at each slightly longer text."""

_DROPPED = tuple(COLUMN_OF_ID[name] for name in ("took", "added", "size", "lines"))
"""The columns that are left out of a table too narrow for all, the first ones first."""

_NOT_MEASURED = 1 << 30


class ColumnWidths:
    """Calculates the widths of the columns whose width was not chosen by a person.

    Attributes:
        widest: The widest text seen so far in each column, in pixels. Texts are compared with it while being painted,
            so columns that do not depend on their content have a very large value.

    Args:
        wording: The formatter of the texts.
        metrics: The metrics of the cells' font.
        columns: The columns. Call `add` for each of them, in their order.
    """

    def __init__(self, wording: Wording, metrics: QFontMetrics, columns: Columns) -> None:
        self._wording = wording
        self._metrics = metrics
        self._columns = columns
        self._titles: list[int] = []
        self.widest: list[int] = []
        words = max(metrics.horizontalAdvance(wording.word(status)) for status in Status)
        bar = LEAST_BAR + BAR_GAP + metrics.horizontalAdvance(wording.percent(1))
        self._status = ICON_ROOM + max(words, bar)

    def add(self, title: int) -> None:
        """Begin with the usual width of the texts in the next column.

        Args:
            title: The width of its title in pixels.
        """
        number = len(self.widest)
        column = self._columns[number]
        self._titles.append(title)
        self.widest.append(_NOT_MEASURED)
        if column.numeric:
            self.widest[number] = max(map(self._metrics.horizontalAdvance, column.samples(self._wording)))
        if number in _USUAL_CHARACTERS:
            self._expect_usual(number)

    def forget(self) -> None:
        """Expect texts of usual length in Name and Reason again."""
        for number in _USUAL_CHARACTERS:
            self._expect_usual(number)

    def _expect_usual(self, number: int) -> None:
        self.widest[number] = _USUAL_CHARACTERS[number] * self._metrics.averageCharWidth()

    def note(self, number: int, width: int) -> None:
        """Remember that a text in a column is wider than all before."""
        step = _STEP if number in _USUAL_CHARACTERS else 1
        self.widest[number] = -(-width // step) * step

    def natural(self, number: int) -> int:
        """Return the width with which a column shows all that it has shown so far."""
        column = self._columns[number]
        if number == STATUS:
            content = self._status
        elif self.widest[number] != _NOT_MEASURED:
            content = self.widest[number]
        else:
            content = column.width * self._metrics.averageCharWidth()
        return max(self._titles[number], content + 2 * CELL_PADDING + 2, LEAST_WIDTH)

    def _readable(self, number: int) -> int:
        """Return the width below which a column is not made narrower as long as others can be left out."""
        if number in _READABLE_CHARACTERS:
            return max(_LEAST[number], _READABLE_CHARACTERS[number] * self._metrics.averageCharWidth())
        return self.natural(number)

    def dropped(self, wanted: Sequence[int], kept: Mapping[int, object], room: int) -> set[int]:
        """Return the columns to leave out because the table is too narrow for all.

        Args:
            wanted: The columns to show.
            kept: The columns that a person chose to show, which are never left out.
            room: The width of the table.
        """
        missing = sum(map(self._readable, wanted)) - room
        dropped: set[int] = set()
        for number in _DROPPED:
            if missing > 0 and number in wanted and number not in kept:
                dropped.add(number)
                missing -= self.natural(number)
        return dropped

    def shared(self, shown: Sequence[int], own: Mapping[int, int], room: int) -> dict[int, int]:
        """Return the widths of the columns; Name and Reason share what the others leave.

        Args:
            shown: The columns to show.
            own: The widths that a person chose.
            room: The width of the table.
        """
        widths = {number: own.get(number) or self.natural(number) for number in shown}
        free = [number for number in (NAME, REASON) if number in widths and number not in own]
        rest = room - sum(width for number, width in widths.items() if number not in free)
        if len(free) == 1:
            widths[free[0]] = max(_LEAST[free[0]], rest)
        elif free:
            name, reason = self.natural(NAME), self.natural(REASON)
            if name + reason > rest:
                # What one does not need is left to the other.
                reason = min(reason, rest - min(name, int(rest * _NAME_SHARE)))
            widths[REASON] = max(_LEAST[REASON], min(reason, rest - _LEAST[NAME]))
            widths[NAME] = max(_LEAST[NAME], rest - widths[REASON])
        return widths
