"""The list of jobs as Qt's table model: keys in memory, rows read when they are looked at, changes in one stroke."""

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

# Plain numbers: data() is called some thousand times a repaint.
_DISPLAY = int(Qt.ItemDataRole.DisplayRole)

_ALIGNMENT = int(Qt.ItemDataRole.TextAlignmentRole)

_TOOL_TIP = int(Qt.ItemDataRole.ToolTipRole)

_ACCESSIBLE = int(Qt.ItemDataRole.AccessibleTextRole)

_ANSWERED = frozenset({_DISPLAY, _TOOL_TIP, _ACCESSIBLE})

# With this hint the columns keep their widths; the signal without arguments would not carry it.
_LAYOUT_SIGNATURE = ("QList<QPersistentModelIndex>", "QAbstractItemModel::LayoutChangeHint")

_SORTED_BY_ROWS = QAbstractItemModel.LayoutChangeHint.VerticalSortHint

_NO_PARENT = QModelIndex()

_MAX_RUNS = 100
"""More separate places than this are cheaper to change by loading the whole order anew."""

_FIXED = frozenset({"name", ADDED, "folder", "type", "batch_name", "id"})
"""The sort keys whose values never change; by any other a change may move a row."""


SOON_MS = 100

GENTLE_MS = 2_000
"""How often rows may move by themselves: more often nobody can read them."""


@dataclass(frozen=True, slots=True)
class LoadedIds:
    """The keys of the listed jobs as they were read; `newest` is the greatest of them."""

    filter: Filter
    order: Sort
    ids: array[int]
    newest: int


class IdLoader(QObject):
    """Reads which jobs are listed, in which order. Only the newest answer counts.

    Signals:
        loaded(LoadedIds): The answer.
        problem(str): It could not be read; a plain text.

    Attributes:
        filter, order: What was asked for last.
        newest: The greatest key that is known to be listed.
        has_begun, has_loaded: Whether anything was asked for, and has come.
        removed: Jobs that were removed since it was asked for: they may be in the answer that is under way.
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
        # A filter that is typed does not wait for an order of a million rows that is no longer wanted.
        self._task = CoalescedTask(self._prepare, tasks, self, rest=4, overlaps=True)
        self._task.result.connect(self._take)
        self._task.failed.connect(self._report)

    @property
    def is_running(self) -> bool:
        """True while an answer is under way."""
        return self._task.is_running

    def load(self, where: Filter, order: Sort) -> None:
        """Read now; an answer that is under way is no longer wanted."""
        self.filter = where
        self.order = order
        self.has_begun = True
        self._task.restart()

    def load_soon(self, *, gently: bool = False) -> None:
        """Read the same again in a moment, once for many calls.

        Args:
            gently: True if rows would only change places; then not more often than a person can follow.
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
    """The jobs that pass a filter, in an order, each a row. Fit for a million of them. Main thread only.

    The database is the truth: whatever is shown was read from there. The order is a snapshot; where a change may have
    moved a row, the order is loaded again on the pool and swapped in with the selection kept.

    Signals:
        problem(str): Rows can't be read; a plain text.
        listed(): The number of rows may have changed.

    Args:
        reader: Where jobs are read.
        tasks: The pool that loads orders.
        wording: Makes the texts.
        parent: Qt's owner.

    Attributes:
        wording: What makes the texts.
    """

    problem = Signal(str)
    listed = Signal()

    def __init__(self, reader: JobReader, tasks: Tasks, wording: Wording, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.wording = wording
        self._cache = PageCache(reader)
        self._shown = NO_FILTER, BY_ADDING
        self._inserted_while_loading = False  # rows that may not be in the order that is being read
        self._unread = False
        self._loader = IdLoader(reader, tasks, self)
        self._loader.loaded.connect(self._swap)
        self._loader.problem.connect(self.problem)

    @property
    def filter(self) -> Filter:
        """Which jobs are to be listed; the rows follow a moment later."""
        return self._loader.filter

    @property
    def order(self) -> Sort:
        """In which order they are to be listed; the rows follow a moment later."""
        return self._loader.order

    @property
    def shown_filter(self) -> Filter:
        """The filter whose rows these are."""
        return self._shown[0]

    @property
    def shown_order(self) -> Sort:
        """The order that the rows are in."""
        return self._shown[1]

    @property
    def ids(self) -> array[int]:
        """The keys of the listed jobs, in the list's order; not to be changed."""
        return self._cache.ids

    @property
    def is_loaded(self) -> bool:
        """False until the list was read for the first time: only then does an empty list mean that there are none."""
        return self._loader.has_loaded

    # --- what Qt asks

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
        """Return a cell for a screen reader. The first one speaks for the whole row: one key press tells everything."""
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
        """Load another order; the rows stay as they are until it is there. A second key stays with its first."""
        key = COLUMNS[column].sort_key if 0 <= column < len(COLUMNS) else None
        if key is not None:
            first, *rest = self.order.terms
            term = SortTerm(key, order is Qt.SortOrder.DescendingOrder)
            self.set_order(Sort((term, *rest) if key == first.key else (term,)))

    def set_order(self, order: Sort) -> None:
        """Load another order; which jobs are listed stays as it is."""
        if order != self.order or not self._loader.has_begun:
            self._loader.load(self.filter, order)
            self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, len(COLUMNS) - 1)

    # --- what the window asks

    def set_filter(self, where: Filter) -> None:
        """List only what passes a filter, in the same order; the rows stay as they are until it was read."""
        if where != self.filter:
            self._loader.load(where, self.order)

    def reload(self) -> None:
        """Load the order again now, for changes that the change feed does not place (rows that were brought back)."""
        self._loader.load(self.filter, self.order)

    def text(self, row: int, column: int) -> str:
        """Return a cell's text, as `data` gives it, for delegates: without the way through Qt."""
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
            # Not again for every cell: the next change, or the next look, tries anew.
            self._cache.set_unread(number)
            self._unread = True
            self.problem.emit(translated(error.text))
            return None

    @Slot()
    def look_again(self) -> None:
        """Read the visible rows afresh: after trouble with the database, or when "today" has become yesterday."""
        self._cache.forget()
        self._unread = False
        self._all_changed()

    # --- changes

    @Slot(object)
    def apply(self, changes: Changes) -> None:
        """Show what the database says has changed."""
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
        """Add the rows that are new, and have the order loaded again where it can't be known from here."""
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
                self._loader.load_soon()  # rows that were brought back

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
        """Put a loaded order in place. Persistent indexes (selection, current row) follow their jobs."""
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
