"""The Qt table model of the job list, which keeps only keys in memory and reads the jobs on demand."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
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
from PySide6.QtGui import QAccessible

from desktop_app.domain.errors import KnownError
from desktop_app.domain.keys import NOTHING_PENDING, KeySet
from desktop_app.domain.query import ADDED, BY_ADDING, NO_FILTER, Filter, Sort
from desktop_app.gui.i18n import translated
from desktop_app.gui.table.columns import NAME, STATUS, UNREAD, Columns
from desktop_app.gui.table.page_cache import CachedRow, KeyOrder, PageCache, blocks
from desktop_app.gui.tasks import CoalescedTask, Tasks
from desktop_app.gui.wording import Wording, tool_tip

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from desktop_app.domain.fields import ResultField
    from desktop_app.domain.job import Changes, Job
    from desktop_app.gui.ports import JobReader


Index = QModelIndex | QPersistentModelIndex

# Plain integers, which are faster: `data` is called thousands of times per repaint.
_DISPLAY = int(Qt.ItemDataRole.DisplayRole)

_ALIGNMENT = int(Qt.ItemDataRole.TextAlignmentRole)

_TOOL_TIP = int(Qt.ItemDataRole.ToolTipRole)

_ACCESSIBLE = int(Qt.ItemDataRole.AccessibleTextRole)

_ANSWERED = frozenset({_DISPLAY, _TOOL_TIP, _ACCESSIBLE})

# The signature with a layout hint, which lets the header keep the column widths. The short one passes no hint.
_LAYOUT_SIGNATURE = ("QList<QPersistentModelIndex>", "QAbstractItemModel::LayoutChangeHint")

_SORTED_BY_ROWS = QAbstractItemModel.LayoutChangeHint.VerticalSortHint

_NO_PARENT = QModelIndex()

_MAX_BLOCKS = 100
"""The number of separate blocks of removed rows above which replacing all rows is faster."""
_MAX_CHANGED_BLOCKS = 20
"""The number of separate blocks of changed rows above which they are emitted as one range."""

_FIXED = frozenset({"name", ADDED, "folder", "type", "id"})
"""The sort keys whose values never change. With any other key, a changed job may move to another row."""

FIRST_ROWS = 500
"""The number of rows that are shown first, while the rest of a long list is being read."""

_PART = 50_000

SOON_MS = 100

GENTLE_MS = 2_000
"""The shortest time between two automatic changes to the order. Rows that move more often are hard to read."""


@dataclass(frozen=True, slots=True)
class LoadedIds:
    """The result of loading the list.

    Attributes:
        filter: The applied filter.
        order: The order of the keys.
        ids: The keys of the jobs that match the filter.
        newest: The greatest key; 0 if there is none.
        is_complete: Whether these are all keys. Otherwise, they are the first ones.
    """

    filter: Filter
    order: Sort
    ids: array[int]
    newest: int = 0
    is_complete: bool = True


class JobsModel(QAbstractTableModel):
    """A model of the jobs that match a filter, in a given order. Can hold a million rows. Main thread only.

    The model keeps the jobs' keys in order, and reads all other values from the database on demand. When a change may
    have moved rows, the keys are reloaded on a pool thread and then replaced; the selection is kept.

    A list in another order, or with another filter, is shown as soon as its first rows are known. If it has the same
    rows as before, the others become placeholders, so that the scroll range stays; otherwise, they follow when they are
    known.

    Signals:
        problem(str): The plain text of an error that occurred while jobs were being read.
        rows_changed(): The number or the order of the rows may have changed.
        rearranged(): The rows of another filter or in another order are shown. Emitted after `rows_changed`.

    Args:
        reader: The job reader.
        tasks: The pool that loads keys.
        wording: The formatter of the texts.
        parent: The parent.

    Attributes:
        wording: The formatter of the texts.
        columns: The columns.
        filter, order: The most recently requested filter and order.
        shown_filter, shown_order: The filter and order of the current rows; they change when new rows are loaded.
        is_loaded: Whether all of the shown list has been loaded. Until then, an empty list does not mean that there are
            no jobs, and a list may lack rows or have placeholders at its end.
        may_show_first: Asked with the first keys of another list whether they may be shown before the others are known.
            Rows that are not among them lose their persistent indexes.
    """

    problem = Signal(str)
    rows_changed = Signal()
    rearranged = Signal()
    _first_read = Signal(object)

    def __init__(self, reader: JobReader, tasks: Tasks, wording: Wording, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.wording = wording
        self.filter = self.shown_filter = NO_FILTER
        self.order = self.shown_order = BY_ADDING
        self.is_loaded = False
        self.may_show_first: Callable[[frozenset[int]], bool] = lambda _keys: True
        self._placeholders = 0
        self._reader = reader
        self.columns = Columns()
        self._cache = PageCache(reader, self.columns)
        self._newest = 0  # the greatest key known to be listed
        self._has_requested = False
        self._removed_while_loading: set[int] = set()  # keys that may still be in the result
        self._inserted_while_loading = False  # the result may lack rows
        self._unread = False
        self._has_ignored = False  # a change by others to a job that the user's own pending change concerns
        # Overlapping, so that a new filter does not have to wait until a million rows are loaded in an outdated order.
        self._load_task = CoalescedTask(self._prepare_loading, tasks, self, rest=4, overlaps=True)
        self._load_task.result.connect(self._take_loaded)
        self._load_task.failed.connect(self._retry_loading)
        self._first_read.connect(self._show_first)

    @property
    def ids(self) -> array[int]:
        """Return the keys of the listed jobs in order, without placeholders. The array must not be modified."""
        return self._cache.ids

    @property
    def is_current(self) -> bool:
        """Return whether all rows of the requested filter are shown, in the requested order."""
        return self.is_loaded and (self.shown_filter, self.shown_order) == (self.filter, self.order)

    # --- overrides of Qt

    def rowCount(self, parent: Index = _NO_PARENT) -> int:
        """Return the number of listed jobs, including those whose rows are not known yet."""
        return 0 if parent.isValid() else len(self._cache.ids) + self._placeholders

    def columnCount(self, parent: Index = _NO_PARENT) -> int:
        """Return the number of columns, including hidden ones."""
        return 0 if parent.isValid() else len(self.columns)

    def data(self, index: Index, role: int = _DISPLAY) -> Any:  # noqa: ANN401 - Qt's signature
        """Return a cell's text, tool tip, alignment or text for screen readers."""
        if role not in _ANSWERED:
            return self.columns[index.column()].alignment if role == _ALIGNMENT and index.isValid() else None
        if not index.isValid():
            return None
        cached = self._row(index.row())
        if cached is None:
            return UNREAD if index.column() == NAME and role != _TOOL_TIP else None
        if role == _DISPLAY:
            return self._text(cached, index.column())
        if role == _ACCESSIBLE:
            return self._spoken(cached, index.column())
        return tool_tip(self.columns[index.column()].hint(self.wording, cached.job)) or None

    def _spoken(self, cached: CachedRow, number: int) -> str:
        """Return a cell's text for screen readers. In the Name column, it describes the whole row."""
        if number == NAME:
            return self.wording.row(cached.job)
        return f"{self.columns[number].heading}: {self._text(cached, number)}"

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = _DISPLAY) -> Any:  # noqa: ANN401
        """Return a column's title, alignment or text for screen readers."""
        if orientation is not Qt.Orientation.Horizontal or not 0 <= section < len(self.columns):
            return None
        if role == _DISPLAY:
            return self.columns[section].heading
        if role == _ACCESSIBLE:
            return self.columns.spoken_heading(section, self.order)
        return self.columns[section].alignment if role == _ALIGNMENT else None

    @property
    def _last_column(self) -> int:
        return len(self.columns) - 1

    @Slot(object)
    def show_fields(self, known: Sequence[ResultField]) -> None:
        """Add columns for the fields of results that have none, and follow changes of the others."""
        count = len(self.columns.new_fields(known))
        if count:
            self.beginInsertColumns(_NO_PARENT, len(self.columns), self._last_column + count)
        changed = self.columns.update(known)
        if count:
            self.endInsertColumns()
        if changed:
            self.reread()  # the texts of the cells
            self.headerDataChanged.emit(Qt.Orientation.Horizontal, min(changed), max(changed))

    # --- loading

    def set_order(self, order: Sort) -> None:
        """Load the list in another order."""
        if order != self.order or not self._has_requested:
            self.order = order
            self.reload()
            self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, self._last_column)

    def set_filter(self, where: Filter) -> None:
        """Load the list with another filter."""
        if where != self.filter:
            self.filter = where
            self.reload()

    @Slot()
    def reload(self) -> None:
        """Load the list now, and discard the result of a load in progress."""
        self._has_requested = True
        self._load_task.restart()

    def _reload_later(self, *, gently: bool = False) -> None:
        """Load the list after a delay, once for all calls made during it.

        Args:
            gently: Whether to use the longer delay, because rows may have moved but none are missing.
        """
        self._load_task.request(GENTLE_MS if gently else SOON_MS)

    def _prepare_loading(self) -> Callable[[], LoadedIds]:
        self._removed_while_loading.clear()
        return partial(self._load, self.filter, self.order, shows_first=not self.is_current)

    def _load(self, where: Filter, order: Sort, *, shows_first: bool) -> LoadedIds:
        """Read the keys of the jobs to list. Runs on the pool."""
        if shows_first:
            first = self._reader.ids(where, order, limit=FIRST_ROWS)
            if len(first) < FIRST_ROWS:
                return LoadedIds(where, order, first, max(first, default=0))
            self._first_read.emit(LoadedIds(where, order, first, is_complete=False))
        ids = self._reader.ids(where, order)
        # In parts: Python does not run the main thread during a call, which takes 20 ms for a million keys.
        parts = (ids[start : start + _PART] for start in range(0, len(ids), _PART))
        return LoadedIds(where, order, ids, max(map(max, parts), default=0))

    @Slot(object)
    def _retry_loading(self, error: KnownError) -> None:
        self.problem.emit(translated(error.text))
        self._reload_later(gently=True)

    @Slot(object)
    def _show_first(self, first: LoadedIds) -> None:
        is_wanted = (first.filter, first.order) == (self.filter, self.order) and not self.is_current
        if is_wanted and self._load_task.is_running and self.may_show_first(frozenset(first.ids)):
            self.is_loaded = False
            self._show(first)

    @Slot(object)
    def _take_loaded(self, loaded: LoadedIds) -> None:
        self._newest = max(self._newest, loaded.newest)
        self.is_loaded = True
        if self._inserted_while_loading:
            self._inserted_while_loading = False
            self._reload_later()
        self._show(loaded)

    def _show(self, loaded: LoadedIds) -> None:
        """Show the loaded rows. Persistent indexes, such as those of the selection, move with their jobs."""
        ids = loaded.ids
        if self._removed_while_loading:
            ids = array("q", (key for key in ids if key not in self._removed_while_loading))
        ids = self._reader.pending.removed.removed_from(ids)
        is_other = (self.shown_filter, self.shown_order) != (loaded.filter, loaded.order)
        has_same_rows = self.shown_filter == loaded.filter and not loaded.is_complete
        self.shown_filter, self.shown_order = loaded.filter, loaded.order
        self._replace_ids(ids, placeholders=max(0, self.rowCount() - len(ids)) if has_same_rows else 0)
        self.rows_changed.emit()
        if is_other:
            self.rearranged.emit()

    def _replace_ids(self, ids: array[int], *, placeholders: int = 0) -> None:
        """Show other rows. Persistent indexes, such as those of the selection, move with their jobs."""
        shown, rows = len(self._cache.ids), self.rowCount()
        has_unknown_rows = rows > shown and rows == len(ids) + placeholders
        if (
            has_unknown_rows
            and ids[:shown] == self._cache.ids
            and all(index.row() < shown for index in self.persistentIndexList())
        ):
            # The known rows stay, so that they are neither read nor painted again.
            self._cache.complete(ids)
            self._placeholders = placeholders
            self.dataChanged.emit(self.index(shown, 0), self.index(rows - 1, self._last_column))
        elif ids != self._cache.ids or placeholders != self._placeholders:
            self.layoutAboutToBeChanged[_LAYOUT_SIGNATURE].emit([], _SORTED_BY_ROWS)  # type: ignore[index]
            old = self.persistentIndexList()
            keys = [self._cache.ids[index.row()] if index.row() < shown else None for index in old]
            self._cache.replace(ids)
            self._placeholders = placeholders
            found = [key for key in keys if key is not None]
            row_of = {self._cache.ids[row]: row for row in self._cache.rows_of(found, self._key_order)}
            self.changePersistentIndexList(
                old,
                [
                    QModelIndex() if key is None or key not in row_of else self.index(row_of[key], index.column())
                    for key, index in zip(keys, old, strict=True)
                ],
            )
            self.layoutChanged[_LAYOUT_SIGNATURE].emit([], _SORTED_BY_ROWS)  # type: ignore[index]

    # --- changes by the user, shown before they have been written

    @Slot(object)
    def hide(self, keys: KeySet) -> None:
        """Remove the rows of jobs that are about to be removed from the list."""
        self._remove_blocks(list(islice(keys.places_in(self._cache.ids), _MAX_BLOCKS + 1)), keys)

    @Slot(object)
    def reveal(self, keys: KeySet) -> None:
        """Show the rows of jobs that are about to be restored."""
        is_plain = self.shown_order.is_by_adding and self.shown_filter.is_empty and self.filter.is_empty
        can_merge = is_plain and self.is_loaded
        if self._load_task.is_running or not can_merge:
            self.reload()
        if not can_merge:
            return
        # Reading a million keys from the database takes several times as long as merging two sorted arrays.
        merged = sorted(chain(keys.removed_from(self._cache.ids), keys), reverse=self.shown_order.terms[0].descending)
        self._replace_ids(array("q", merged))
        self._newest = max(self._newest, max(merged, default=0))
        self.rows_changed.emit()

    @Slot()
    def show_resubmitted(self) -> None:
        """Show the status of jobs that are about to be submitted again."""
        self.reread()
        if not (self.shown_filter.is_empty and self.shown_order.keys <= _FIXED):
            self.reload()

    @Slot()
    def catch_up(self) -> None:
        """Load the list if changes by others were ignored while the user's own changes were being written."""
        if self._has_ignored and self._reader.pending == NOTHING_PENDING:
            self._has_ignored = False
            self.reload()

    # --- rows

    def text(self, row: int, column: int) -> str | None:
        """Return a cell's text, or None if the row can't be shown yet. Delegates call this: `data` is slower."""
        cached = self._row(row)
        return None if cached is None else self._text(cached, column)

    def _text(self, cached: CachedRow, column: int) -> str:
        text = cached.texts.get(column)
        if text is None:
            text = cached.texts[column] = self.columns.all[column].text(self.wording, cached.job)
        return text

    def row_of(self, key: int) -> int | None:
        """Return the row of the job with this key, or None if the job is not listed."""
        return next(iter(self._cache.rows_of((key,), self._key_order)), None)

    def job(self, row: int) -> Job | None:
        """Return the job in a row, or None if the job was removed or there is no such row."""
        cached = self._row(row) if 0 <= row < self.rowCount() else None
        return None if cached is None else cached.job

    def _row(self, number: int) -> CachedRow | None:
        if number >= len(self._cache.ids):
            return None
        try:
            return self._cache.row(number)
        except KnownError as error:
            # Otherwise, the page would be read again for each of its cells. It is read again after the next change.
            self._cache.set_unread(number)
            self._unread = True
            self.problem.emit(translated(error.text))
            return None

    @Slot()
    def reread(self) -> None:
        """Read the visible rows again, for example after a database error."""
        self._cache.forget()
        self._unread = False
        if self._cache.ids:
            self.dataChanged.emit(self.index(0, 0), self.index(self.rowCount() - 1, self._last_column))

    @Slot()
    def clear(self) -> None:
        """Remove all rows, whose keys are not valid in the database that has replaced the previous one; load again."""
        self.beginResetModel()
        self._cache.replace(array("q"))
        self._placeholders = 0
        self._newest = 0
        self.endResetModel()
        self.rows_changed.emit()
        self.reload()

    # --- changes

    @Slot(object)
    def apply(self, changes: Changes) -> None:
        """Apply changes made in the database."""
        if changes.overflow or self._unread:
            self.reread()
        if changes.overflow:
            self._reload_later()
            return
        pending = self._reader.pending
        removed = pending.still_removed(changes.removed)
        jobs = [job for job in changes.jobs if job.row_id not in pending.removed]
        if len(removed) < len(changes.removed) or len(jobs) < len(changes.jobs):
            self._has_ignored = True
        self._remove(removed)
        self._emit_changed([found for job in jobs if (found := self._cache.patch(job)) is not None])
        self._place(jobs)

    def _emit_changed(self, changed: Sequence[tuple[int, frozenset[int]]]) -> None:
        """Emit that cells have changed. Only these are painted again: painting all takes most of a frame (measured).

        Args:
            changed: Rows and the columns that have changed in each.
        """
        if not changed:
            return
        rows = blocks(sorted(row for row, _ in changed))
        if len(rows) > _MAX_CHANGED_BLOCKS:
            rows = [(rows[0][0], rows[-1][1])]
        # What has changed may be shown elsewhere, such as in the details, so there is always a column.
        columns = blocks(sorted(frozenset().union(*(columns for _, columns in changed)))) or [(STATUS, STATUS)]
        if QAccessible.isActive():  # the text of the first column describes the whole row
            columns = [(0, self._last_column)]
        for first, last in rows:
            for left, right in columns:
                self.dataChanged.emit(self.index(first, left), self.index(last, right))

    def _remove(self, keys: Sequence[int]) -> None:
        if self._load_task.is_running:
            self._removed_while_loading.update(keys)
        self._remove_blocks(blocks(self._cache.rows_of(keys, self._key_order)), KeySet(keys))

    def _remove_blocks(self, gone: Sequence[tuple[int, int]], keys: KeySet) -> None:
        """Remove blocks of rows, which contain the jobs with these keys."""
        if len(gone) > _MAX_BLOCKS:
            self._replace_ids(keys.removed_from(self._cache.ids), placeholders=self._placeholders)
        else:
            for first, last in reversed(gone):
                self.beginRemoveRows(_NO_PARENT, first, last)
                self._cache.remove(first, last + 1)
                self.endRemoveRows()
        if gone:
            self.rows_changed.emit()

    def _place(self, jobs: Sequence[Job]) -> None:
        """Insert new rows if the list is in the order added; otherwise, reload it if rows may have moved."""
        shown = self.shown_order
        new = [job.row_id for job in jobs if job.row_id > self._newest]
        if not (self.shown_filter.is_empty and self.filter.is_empty and self.is_loaded):
            self._reload_later()
        elif not shown.is_by_adding:
            if new or (jobs and not shown.keys <= _FIXED):
                self._reload_later(gently=not new)
        elif new:
            self._insert(new)
        else:
            keys = [job.row_id for job in jobs]
            if len(self._cache.rows_of(keys, self._key_order)) < len(keys):
                self._reload_later()  # restored jobs are inserted between other rows

    def _insert(self, new: Sequence[int]) -> None:
        descending = self.shown_order.terms[0].descending
        keys = array("q", sorted(new, reverse=descending))
        start = 0 if descending else len(self._cache.ids)
        self.beginInsertRows(_NO_PARENT, start, start + len(keys) - 1)
        self._cache.insert(start, keys)
        self.endInsertRows()
        self._newest = max(new)
        self._inserted_while_loading = self._inserted_while_loading or self._load_task.is_running
        self.rows_changed.emit()

    @property
    def _key_order(self) -> KeyOrder:
        if not self.shown_order.is_by_adding:
            return KeyOrder.NONE
        return KeyOrder.DESCENDING if self.shown_order.terms[0].descending else KeyOrder.ASCENDING
