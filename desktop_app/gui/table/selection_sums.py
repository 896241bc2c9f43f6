"""What is selected, added up: for whoever shows it, whether one file is selected or a million."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QElapsedTimer, QObject, QTimer, Signal, Slot

if TYPE_CHECKING:
    from desktop_app.domain.errors import KnownError
    from desktop_app.domain.query import SelectionSums
    from desktop_app.gui.ports import JobReader
    from desktop_app.gui.table.model import JobsModel
    from desktop_app.gui.table.view import JobsView
    from desktop_app.gui.tasks import Tasks

_EVERY_MS = 250
"""How often it is added up again while the list changes."""
_REST = 9
"""Sums that take long are made less often: they rest so many times as long as they took."""


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
    """Follows the selection and the files in it. Adding up is done beside the main thread, one sum at a time.

    Signals:
        changed(Selected): At once with the new count, a moment later with the sums, and whenever these change.

    Attributes:
        now: What was told last.
    """

    changed = Signal(object)

    def __init__(self, view: JobsView, model: JobsModel, reader: JobReader, reads: Tasks) -> None:
        super().__init__(view)
        self.now = Selected()
        self._view = view
        self._reader = reader
        self._reads = reads
        self._token = 0
        self._adding = False
        self._took = QElapsedTimer()
        self._cost_ms = 0
        self._again = QTimer(self)
        self._again.setSingleShot(True)
        self._again.timeout.connect(self._add_up)
        view.selection_changed.connect(self._follow_selection)
        model.dataChanged.connect(self._follow_later)
        model.listed.connect(self._follow_later)

    @Slot()
    def _follow_selection(self) -> None:
        self._token += 1  # sums of what was selected before are no longer wanted
        self._tell(Selected(self._view.selected_count()))
        self._add_up()

    @Slot()
    def _follow_later(self) -> None:
        if self.now.count and not self._again.isActive():
            self._again.start(max(_EVERY_MS, _REST * self._cost_ms))

    @Slot()
    def _add_up(self) -> None:
        if self._adding:
            self._again.start(_EVERY_MS)
            return
        count = self._view.selected_count()
        if not count:
            self._tell(Selected())
            return
        self._adding = True
        self._took.start()
        work = partial(self._reader.sums, self._view.selected_ids())
        self._reads.run(work, partial(self._take, self._token, count), self._give_up)

    def _take(self, token: int, count: int, sums: SelectionSums) -> None:
        self._adding = False
        self._cost_ms = self._took.elapsed()
        if token == self._token:
            self._tell(Selected(count, sums))

    def _give_up(self, error: KnownError) -> None:  # noqa: ARG002 - the change feed reads the same database and says so
        self._adding = False

    def _tell(self, selected: Selected) -> None:
        if selected != self.now:
            self.now = selected
            self.changed.emit(selected)
