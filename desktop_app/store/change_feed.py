"""The change feed: the jobs that any program has written since a reader's last query.

Every write transaction increments a counter and stores its value, the revision, in each row that it writes
(see `Database.write`). A reader keeps a `Cursor` and queries the rows with a greater revision.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from desktop_app.domain.job import Changes, Cursor
from desktop_app.store.backends.sqlite import joined_keys, split_keys
from desktop_app.store.models import CounterRow, JobRow
from desktop_app.store.rows import jobs_from, read_rows
from desktop_app.store.statements import Statement, parameter

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop_app.store.database import Database


MAX_CHANGES = 2_000

_REVISION = Statement(lambda: CounterRow.select(CounterRow.value).where(CounterRow.name == "revision"))

# One statement, since the main thread executes it and may have to wait for the interpreter lock after each.
_NEWS = Statement(
    lambda: CounterRow.select(
        CounterRow.value,
        joined_keys(JobRow.select(JobRow.id).where(JobRow.revision > parameter("revision")).limit(MAX_CHANGES + 1)),
    ).where(CounterRow.name == "revision")
)


class ChangeFeed:
    """Provides the changes after a cursor. Any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add_listener(self, listener: Callable[[], object]) -> None:
        """See `Database.add_listener`."""
        self._database.add_listener(listener)

    def remove_listener(self, listener: Callable[[], object]) -> None:
        """See `Database.remove_listener`."""
        self._database.remove_listener(listener)

    def cursor(self) -> Cursor:
        """Return the position after the last write by any program. Fast.

        Raises:
            StoreError: If the database can't be read.
        """
        with self._database.read():
            return self._newest()

    def since(self, cursor: Cursor) -> Changes:
        """Return the jobs written after a cursor, in their current state.

        Returns:
            The changes. If there are more than `MAX_CHANGES`, they are omitted and `overflow` is True. If the database
            was replaced, `replaced` is True as well.

        Raises:
            StoreError: If the database can't be read.
        """
        with self._database.read():
            # Counted first, with the index alone: during a large change, all of them are omitted.
            revision, keys = next(iter(self._database.rows(_NEWS, revision=cursor.revision)), (0, None))
            newest = Cursor(int(revision), self._database.epoch)
            if newest.epoch != cursor.epoch or newest.revision < cursor.revision:
                # The second case is an older copy that was written over the file.
                return Changes(newest, overflow=True, replaced=True)
            if len(changed := split_keys(keys)) > MAX_CHANGES:
                return Changes(newest, overflow=True)
            if not changed:
                return Changes(newest)
            rows = read_rows(self._database, changed)
            listed = jobs_from(columns for _, removed_at, columns in rows if removed_at is None)
        removed = tuple(row_id for row_id, removed_at, _ in rows if removed_at is not None)
        return Changes(newest, tuple(listed), removed)

    def _newest(self) -> Cursor:
        found = self._database.rows(_REVISION)
        return Cursor(int(found[0][0] or 0) if found else 0, self._database.epoch)
