"""The list of jobs as a Qt table model: keys in memory, rows read on demand, changes applied in batches."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import (
    QAbstractItemModel,
    QAbstractTableModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
    Signal,
    Slot,
)

from desktop_app.domain.errors import KnownError
from desktop_app.domain.query import ADDED, BY_ADDING, NO_FILTER, Sort, SortTerm
from desktop_app.gui.i18n import translated
from desktop_app.gui.table.columns import ALIGNMENTS, COLUMNS, NAME, spoken_heading
from desktop_app.gui.table.page_cache import CachedRow, KeyOrder, PageCache, runs
from desktop_app.gui.tasks import CoalescedTask
from desktop_app.gui.wording import tool_tip

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from desktop_app.domain.job import Changes, Job
    from desktop_app.domain.query import Filter
    from desktop_app.gui.ports import JobReader
    from desktop_app.gui.tasks import Tasks
    from desktop_app.gui.wording import Wording


Index = QModelIndex | QPersistentModelIndex

# Plain integers: data() is called thousands of times per repaint.
_DISPLAY = int(Qt.ItemDataRole.DisplayRole)

_ALIGNMENT = int(Qt.ItemDataRole.TextAlignmentRole)

_TOOL_TIP = int(Qt.ItemDataRole.ToolTipRole)

_ACCESSIBLE = int(Qt.ItemDataRole.AccessibleTextRole)

_ANSWERED = frozenset({_DISPLAY, _TOOL_TIP, _ACCESSIBLE})

# With this hint the columns keep their widths; without arguments the signal would not pass it.
_LAYOUT_SIGNATURE = ("QList<QPersistentModelIndex>", "QAbstractItemModel::LayoutChangeHint")

_SORTED_BY_ROWS = QAbstractItemModel.LayoutChangeHint.VerticalSortHint

_NO_PARENT = QModelIndex()

_MAX_RUNS = 100
"""With more separate changes than this, reloading the whole order is cheaper."""

_FIXED = frozenset({"name", ADDED, "folder", "type", "batch_name", "id"})
"""The sort keys whose values never change; by any other a change may move a row."""


SOON_MS = 100

GENTLE_MS = 2_000
"""The shortest time between two automatic reorderings: more often, rows could not be read."""


@dataclass(frozen=True, slots=True)
class LoadedIds:
    """The keys of the listed jobs, as read; `newest` is the greatest of them."""

    filter: Filter
    order: Sort
    ids: array[int]
    newest: int


class IdLoader(QObject):
    """Reads which jobs are listed and in which order. Only the newest result counts.

    Signals:
        loaded(LoadedIds): The result.
        problem(str): The plain text of an error.

    Attributes:
        filter, order: The last request.
        newest: The greatest key that is known to be listed.
        has_begun, has_loaded: Whether anything was requested, and loaded.
        removed: Jobs removed since the request, which may still be in its result.
    """

    loaded = Signal(object)
    problem = Signal(str)

    def __init__(self, reader: JobReader, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.filter = NO_FILTER
        self.order = BY_ADDING
        self.newest = 0
        self.has_begun = False
        self.has_loaded = False
        self.removed: set[int] = set()
        self._reader = reader
        # A new filter must not wait for an outdated order of a million rows.
        self._task = CoalescedTask(self._prepare, tasks, self, rest=4, overlaps=True)
        self._task.result.connect(self._take)
        self._task.failed.connect(self._report)

    @property
    def is_running(self) -> bool:
        """Return whether a result is pending."""
        return self._task.is_running

    def load(self, where: Filter, order: Sort) -> None:
        """Read now; a pending result is dropped."""
        self.filter = where
        self.order = order
        self.has_begun = True
        self._task.restart()

    def load_soon(self, *, gently: bool = False) -> None:
        """Read the same again soon, once for many calls.

        Args:
            gently: Whether rows only change places, so that a longer delay is enough.
        """
        self._task.request(GENTLE_MS if gently else SOON_MS)

    def _prepare(self) -> Callable[[], LoadedIds]:
        self.removed.clear()
        return partial(self._read, self.filter, self.order)

    def _read(self, where: Filter, order: Sort) -> LoadedIds:
        """Return the keys. Runs on the pool."""
        ids = self._reader.ids(where, order)
        return LoadedIds(where, order, ids, max(ids, default=0))

    @Slot(object)
    def _take(self, loaded: LoadedIds) -> None:
        self.newest = max(self.newest, loaded.newest)
        self.has_loaded = True
        self.loaded.emit(loaded)

    @Slot(object)
    def _report(self, error: KnownError) -> None:
        self.problem.emit(translated(error.text))
        self.load_soon(gently=True)


class JobsModel(QAbstractTableModel):
    """The model of the jobs that pass a filter, in an order. Made for a million rows. Main thread.

    The database is the truth: everything shown was read from it. The order is a snapshot; where a change may have
    moved a row, the order is loaded again on the pool and swapped in with the selection kept.

    Signals:
        problem(str): Rows can't be read; the plain text of the error.
        listed(): The number of rows may have changed.

    Args:
        reader: Reads jobs.
        tasks: The pool that loads orders.
        wording: Formats the texts.
        parent: The parent.

    Attributes:
        wording: Formats the texts.
    """

    problem = Signal(str)
    listed = Signal()

    def __init__(self, reader: JobReader, tasks: Tasks, wording: Wording, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.wording = wording
        self._cache = PageCache(reader)
        self._shown = NO_FILTER, BY_ADDING
        self._inserted_while_loading = False  # rows that may be missing in the order being read
        self._unread = False
        self._loader = IdLoader(reader, tasks, self)
        self._loader.loaded.connect(self._swap)
        self._loader.problem.connect(self.problem)

    @property
    def filter(self) -> Filter:
        """Return the requested filter; the rows follow a moment later."""
        return self._loader.filter

    @property
    def order(self) -> Sort:
        """Return the requested order; the rows follow a moment later."""
        return self._loader.order

    @property
    def shown_filter(self) -> Filter:
        """Return the filter of the current rows."""
        return self._shown[0]

    @property
    def shown_order(self) -> Sort:
        """Return the order of the current rows."""
        return self._shown[1]

    @property
    def ids(self) -> array[int]:
        """Return the keys of the listed jobs in order; must not be modified."""
        return self._cache.ids

    @property
    def is_loaded(self) -> bool:
        """Return whether the list has been read: before that, an empty list does not mean that there are no jobs."""
        return self._loader.has_loaded

    # --- overrides of Qt

    def rowCount(self, parent: Index = _NO_PARENT) -> int:
        """See Qt."""
        return 0 if parent.isValid() else len(self._cache.ids)

    def columnCount(self, parent: Index = _NO_PARENT) -> int:
        """See Qt."""
        return 0 if parent.isValid() else len(COLUMNS)

    def data(self, index: Index, role: int = _DISPLAY) -> Any:  # noqa: ANN401 - as Qt has it
        """See Qt."""
        if role not in _ANSWERED:
            return ALIGNMENTS[index.column()] if role == _ALIGNMENT and index.isValid() else None
        cached = self._row(index.row()) if index.isValid() else None
        if cached is None:
            return None
        if role == _DISPLAY:
            return self._text(cached, index.column())
        if role == _ACCESSIBLE:
            return self._spoken(cached, index.column())
        return tool_tip(COLUMNS[index.column()].hint(self.wording, cached.job)) or None

    def _spoken(self, cached: CachedRow, number: int) -> str:
        """Return a cell for screen readers. The first cell has the whole row, so that one key press reads it all."""
        if number == NAME:
            return self.wording.row(cached.job)
        return f"{COLUMNS[number].heading}: {self._text(cached, number)}"

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = _DISPLAY) -> Any:  # noqa: ANN401
        """See Qt."""
        if orientation is not Qt.Orientation.Horizontal or not 0 <= section < len(COLUMNS):
            return None
        if role == _DISPLAY:
            return COLUMNS[section].heading
        if role == _ACCESSIBLE:
            return spoken_heading(section, self.order)
        return ALIGNMENTS[section] if role == _ALIGNMENT else None

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Load another order; the rows stay until it is read. The second key is kept with an unchanged first one."""
        key = COLUMNS[column].sort_key if 0 <= column < len(COLUMNS) else None
        if key is not None:
            first, *rest = self.order.terms
            term = SortTerm(key, order is Qt.SortOrder.DescendingOrder)
            self.set_order(Sort((term, *rest) if key == first.key else (term,)))

    def set_order(self, order: Sort) -> None:
        """Load another order with the same filter."""
        if order != self.order or not self._loader.has_begun:
            self._loader.load(self.filter, order)
            self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, len(COLUMNS) - 1)

    # --- for the window

    def set_filter(self, where: Filter) -> None:
        """Load another filter with the same order; the rows stay until it is read."""
        if where != self.filter:
            self._loader.load(where, self.order)

    def reload(self) -> None:
        """Load the order again now, for changes that the change feed can't place (restored rows)."""
        self._loader.load(self.filter, self.order)

    def text(self, row: int, column: int) -> str:
        """Return a cell's text as `data` does, but without the detour through Qt; for delegates."""
        cached = self._row(row)
        return "" if cached is None else self._text(cached, column)

    def _text(self, cached: CachedRow, column: int) -> str:
        text = cached.texts.get(column)
        if text is None:
            text = cached.texts[column] = COLUMNS[column].text(self.wording, cached.job)
        return text

    def row_of(self, key: int) -> int | None:
        """Return the row of a job, or None if it is not listed."""
        return next(iter(self._cache.rows_of((key,), self._key_order)), None)

    def job(self, row: int) -> Job | None:
        """Return the job of a row; None if it is gone, or there is no such row."""
        cached = self._row(row) if 0 <= row < self.rowCount() else None
        return None if cached is None else cached.job

    def _row(self, number: int) -> CachedRow | None:
        try:
            return self._cache.row(number)
        except KnownError as error:
            # Not again for each cell: the next change or repaint tries again.
            self._cache.set_unread(number)
            self._unread = True
            self.problem.emit(translated(error.text))
            return None

    @Slot()
    def look_again(self) -> None:
        """Read the visible rows again: after database errors, or when "today" has become yesterday."""
        self._cache.forget()
        self._unread = False
        self._all_changed()

    # --- changes

    @Slot(object)
    def apply(self, changes: Changes) -> None:
        """Apply changes of the database."""
        if changes.overflow or self._unread:
            self.look_again()
        if changes.overflow:
            self._loader.load_soon()
            return
        self._remove(changes.removed)
        rows = [row for job in changes.jobs if (row := self._cache.patch(job)) is not None]
        if rows:
            self.dataChanged.emit(self.index(min(rows), 0), self.index(max(rows), len(COLUMNS) - 1))
        self._place(changes.jobs)

    def _all_changed(self) -> None:
        if self._cache.ids:
            self.dataChanged.emit(self.index(0, 0), self.index(len(self._cache.ids) - 1, len(COLUMNS) - 1))

    def _remove(self, keys: Sequence[int]) -> None:
        if not keys:
            return
        if self._loader.is_running:
            self._loader.removed.update(keys)
        gone = runs(self._cache.rows_of(keys, self._key_order))
        if len(gone) > _MAX_RUNS:
            self._loader.load_soon()
            return
        for first, last in reversed(gone):
            self.beginRemoveRows(_NO_PARENT, first, last)
            self._cache.remove(first, last + 1)
            self.endRemoveRows()
        if gone:
            self.listed.emit()

    def _place(self, jobs: Sequence[Job]) -> None:
        """Add new rows, and reload the order where their position can't be known."""
        shown = self.shown_order
        new = [job.row_id for job in jobs if job.row_id > self._loader.newest]
        if not (self.shown_filter.is_empty and self.filter.is_empty and self._loader.has_loaded):
            self._loader.load_soon()
        elif not shown.is_by_adding:
            if new or (jobs and not shown.keys <= _FIXED):
                self._loader.load_soon(gently=not new)
        elif new:
            self._insert(new)
        else:
            keys = [job.row_id for job in jobs]
            if len(self._cache.rows_of(keys, self._key_order)) < len(keys):
                self._loader.load_soon()  # restored rows

    def _insert(self, new: Sequence[int]) -> None:
        descending = self.shown_order.terms[0].descending
        keys = array("q", sorted(new, reverse=descending))
        start = 0 if descending else len(self._cache.ids)
        self.beginInsertRows(_NO_PARENT, start, start + len(keys) - 1)
        self._cache.insert(start, keys)
        self.endInsertRows()
        self._loader.newest = max(new)
        self._inserted_while_loading = self._inserted_while_loading or self._loader.is_running
        self.listed.emit()

    @property
    def _key_order(self) -> KeyOrder:
        if not self.shown_order.is_by_adding:
            return KeyOrder.NONE
        return KeyOrder.DESCENDING if self.shown_order.terms[0].descending else KeyOrder.ASCENDING

    @Slot(object)
    def _swap(self, loaded: LoadedIds) -> None:
        """Replace the order with a loaded one. Persistent indexes (selection, current row) follow their jobs."""
        ids = loaded.ids
        if self._loader.removed:
            ids = array("q", (key for key in ids if key not in self._loader.removed))
        self._shown = loaded.filter, loaded.order
        if ids != self._cache.ids:
            self.layoutAboutToBeChanged[_LAYOUT_SIGNATURE].emit([], _SORTED_BY_ROWS)  # type: ignore[index]
            old = self.persistentIndexList()
            keys = [self._cache.ids[index.row()] for index in old]
            self._cache.replace(ids)
            rows = {self._cache.ids[row]: row for row in self._cache.rows_of(keys, self._key_order)}
            self.changePersistentIndexList(
                old,
                [
                    self.index(rows[key], index.column()) if key in rows else QModelIndex()
                    for key, index in zip(keys, old, strict=True)
                ],
            )
            self.layoutChanged[_LAYOUT_SIGNATURE].emit([], _SORTED_BY_ROWS)  # type: ignore[index]
        if self._inserted_while_loading:
            self._inserted_while_loading = False
            self._loader.load_soon()
        self.listed.emit()
