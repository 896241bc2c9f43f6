"""What is selected, added up: for whoever shows it, whether one file is selected or a million."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

from desktop_app.gui.tasks import CoalescedTask

if TYPE_CHECKING:
    from array import array
    from collections.abc import Callable

    from desktop_app.domain.query import SelectionSums
    from desktop_app.gui.ports import JobReader
    from desktop_app.gui.table.model import JobsModel
    from desktop_app.gui.table.view import JobsView
    from desktop_app.gui.tasks import Tasks

_EVERY_MS = 250
"""How often it is added up again while the list changes."""


@dataclass(frozen=True, slots=True)
class Selected:
    """How many files are selected, and what they are together.

    Attributes:
        count: How many; known at once.
        sums: Their statuses, sizes and lines; None for as long as they are being added up.
    """

    count: int = 0
    sums: SelectionSums | None = None


class SelectedTotals(QObject):
    """Follows the selection and the files in it. Where the database can't be read, the count is all there is.

    Signals:
        changed(Selected): At once with the new count, a moment later with the sums, and whenever these change.

    Attributes:
        current: What was told last.

    Args:
        view: Whose selection.
        model: What the view shows.
        reader: Where jobs are read.
        tasks: The pool that adds up.
        parent: Qt's owner.
    """

    changed = Signal(object)

    def __init__(
        self, view: JobsView, model: JobsModel, reader: JobReader, tasks: Tasks, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.current = Selected()
        self._view = view
        self._reader = reader
        self._task = CoalescedTask(self._prepare, tasks, self)
        self._task.result.connect(self._tell)
        view.selection_changed.connect(self._follow_selection)
        model.dataChanged.connect(self._follow_later)
        model.listed.connect(self._follow_later)

    @Slot()
    def _follow_selection(self) -> None:
        self._tell(Selected(self._view.selected_count()))
        self._task.restart()

    @Slot()
    def _follow_later(self) -> None:
        if self.current.count:
            self._task.request(_EVERY_MS)

    def _prepare(self) -> Callable[[], Selected] | None:
        count = self._view.selected_count()
        if not count:
            self._tell(Selected())
            return None
        return partial(self._add_up, count, self._view.selected_ids())

    def _add_up(self, count: int, ids: array[int]) -> Selected:
        """Return the count with its sums. Runs on the pool."""
        return Selected(count, self._reader.sums(ids))

    @Slot(object)
    def _tell(self, selected: Selected) -> None:
        if selected != self.current:
            self.current = selected
            self.changed.emit(selected)
