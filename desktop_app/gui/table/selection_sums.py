"""The sums of the selection, for one file or a million."""

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
"""The shortest time between two sums while the list changes."""


@dataclass(frozen=True, slots=True)
class Selected:
    """The number of selected files and their sums.

    Attributes:
        count: The number of files.
        sums: Their statuses, sizes and lines; None while being calculated.
    """

    count: int = 0
    sums: SelectionSums | None = None


class SelectedTotals(QObject):
    """Follows the selection and changes of its files. If the database can't be read, there is only the count.

    Signals:
        changed(Selected): At once with the new count, then with the sums, and whenever these change.

    Attributes:
        current: The last emitted value.

    Args:
        view: Has the selection.
        model: The view's model.
        reader: Reads jobs.
        tasks: The pool for summing.
        parent: The parent.
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
