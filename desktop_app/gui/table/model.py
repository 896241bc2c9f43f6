"""The list of jobs as Qt's table model: keys in memory, rows read when they are looked at, changes in one stroke."""

from __future__ import annotations

from array import array
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import (
    QAbstractItemModel,
    QAbstractTableModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
    QTimer,
    Signal,
    Slot,
)

from desktop_app.domain.errors import KnownError
from desktop_app.domain.query import ListQuery, SortBy
from desktop_app.gui.i18n import translated
from desktop_app.gui.table.columns import ALIGNMENTS, COLUMNS, NAME, spoken_heading
from desktop_app.gui.table.page_cache import CachedRow, IdLoader, KeyOrder, LoadedIds, PageCache, runs
from desktop_app.gui.wording import tool_tip

if TYPE_CHECKING:
    from collections.abc import Sequence

    from desktop_app.domain.job import Changes, Job
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

_FIXED = frozenset({SortBy.NAME, SortBy.ADDED, SortBy.FOLDER, SortBy.TYPE, SortBy.BATCH, SortBy.ID})
"""What never changes of a job; by anything else a change may move a row."""


class JobsModel(QAbstractTableModel):
    """All jobs that a query lists, each a row. Fit for a million of them. Main thread only.

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
        self._shown = ListQuery()
        self._came_in_flight = False  # rows that may not be in the order that is being read
        self._unread = False
        self._loader = IdLoader(reader, tasks, self)
        self._loader.loaded.connect(self._swap)
        self._loader.problem.connect(self.problem)

    @property
    def query(self) -> ListQuery:
        """Which jobs are to be listed, in which order; the rows follow a moment later."""
        return self._loader.query

    @property
    def shown(self) -> ListQuery:
        """Whose rows these are: the query that was read last."""
        return self._shown

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
        """The first column speaks for the whole row, so that one key press tells everything."""
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
            return spoken_heading(section, self.query)
        return ALIGNMENTS[section] if role == _ALIGNMENT else None

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Load another order; the rows stay as they are until it is there. A second key stays with its first."""
        if 0 <= column < len(COLUMNS):
            old, key = self.query, COLUMNS[column].sort_by
            then_by = old.then_by if key is old.sort_by else None
            descending = order is Qt.SortOrder.DescendingOrder
            self.order_like(replace(old, sort_by=key, descending=descending, then_by=then_by))

    def order_like(self, query: ListQuery) -> None:
        """Load the order of a query; which jobs are listed stays as it is."""
        old = self.query
        query = old.in_order_of(query)
        if query != old or not self._loader.has_begun:
            self._loader.load(query)
            self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, len(COLUMNS) - 1)

    # --- what the window asks

    def narrow(self, query: ListQuery) -> None:
        """List only what a query lists, in the order of now; the rows stay as they are until it was read."""
        old = self.query
        query = query.in_order_of(old)
        if query != old:
            self._loader.load(query)

    def reload(self) -> None:
        """Load the order again now, for changes that the change feed does not place (rows that were brought back)."""
        self._loader.load(self.query)

    def text(self, row: int, column: int) -> str:
        """A cell's text, as `data` gives it, for delegates: without the way through Qt."""
        cached = self._row(row)
        return "" if cached is None else self._text(cached, column)

    def _text(self, cached: CachedRow, column: int) -> str:
        text = cached.texts.get(column)
        if text is None:
            text = cached.texts[column] = COLUMNS[column].text(self.wording, cached.job)
        return text

    def row_of(self, key: int) -> int | None:
        """The row of a job, or None if it is not listed."""
        return next(iter(self._cache.rows_of((key,), self._key_order)), None)

    def job(self, row: int) -> Job | None:
        """The job of a row; None if it is gone, or there is no such row."""
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
        if self._loader.in_flight:
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
        shown = self._shown
        new = [job.row_id for job in jobs if job.row_id > self._loader.newest]
        if shown.is_narrowed or self.query.is_narrowed or not self._loader.has_loaded:
            self._loader.load_soon()
        elif not shown.is_by_adding:
            if new or (jobs and not _FIXED.issuperset({shown.sort_by, shown.then_by or SortBy.ADDED})):
                self._loader.load_soon(gently=not new)
        elif new:
            self._insert(new)
        else:
            keys = [job.row_id for job in jobs]
            if len(self._cache.rows_of(keys, self._key_order)) < len(keys):
                self._loader.load_soon()  # rows that were brought back

    def _insert(self, new: Sequence[int]) -> None:
        descending = self._shown.descending
        keys = array("q", sorted(new, reverse=descending))
        start = 0 if descending else len(self._cache.ids)
        self.beginInsertRows(_NO_PARENT, start, start + len(keys) - 1)
        self._cache.insert(start, keys)
        self.endInsertRows()
        self._loader.newest = max(new)
        self._came_in_flight = self._came_in_flight or self._loader.in_flight
        self.listed.emit()

    @property
    def _key_order(self) -> KeyOrder:
        if not self._shown.is_by_adding:
            return KeyOrder.NONE
        return KeyOrder.DESCENDING if self._shown.descending else KeyOrder.ASCENDING

    @Slot(object)
    def _swap(self, loaded: LoadedIds) -> None:
        """Put a loaded order in place. Persistent indexes (selection, current row) follow their jobs."""
        ids = loaded.ids
        if self._loader.removed:
            ids = array("q", (key for key in ids if key not in self._loader.removed))
        self._shown = loaded.query
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
        if self._came_in_flight:
            self._came_in_flight = False
            self._loader.load_soon()
        self.listed.emit()


EVERY_MS = 250


class JobFeed(QObject):
    """The change feed as a signal. The question is cheap, so it needs nobody to tell it when to ask.

    Signals:
        changed(Changes): What other threads and other programs have written since the last time.
        problem(KnownError): The database can't be read; said once, until it was read again or the text is another.
        recovered(): It can be read again after `problem`.
    """

    changed = Signal(object)
    problem = Signal(object)
    recovered = Signal()

    def __init__(self, reader: JobReader, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._reader = reader
        self._revision = 0
        self._problem = ""
        self._timer = QTimer(self)
        self._timer.setInterval(EVERY_MS)
        self._timer.timeout.connect(self.look)

    def start(self) -> None:
        """Begin with what is written from now on. Who loads the list afterwards misses nothing.

        Raises:
            StoreError: If the database can't be read.
        """
        self._revision = self._reader.revision()
        self._timer.start()

    def stop(self) -> None:
        """Ask no more."""
        self._timer.stop()

    @Slot()
    def look(self) -> None:
        """Ask now."""
        try:
            revision = self._reader.revision()
            changes = self._reader.changes_since(self._revision) if revision != self._revision else None
        except KnownError as error:
            self._say(error)
            return
        if self._problem:
            self._problem = ""
            self.recovered.emit()
        if changes is not None:
            self._revision = changes.revision
            self.changed.emit(changes)

    def _say(self, error: KnownError) -> None:
        if error.text != self._problem:
            self._problem = error.text
            self.problem.emit(error)
