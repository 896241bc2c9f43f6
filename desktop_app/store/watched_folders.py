"""The watched folders of this computer, the files seen in them, and the transactions that add these files."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING, Any

from desktop_app.domain.errors import KnownError
from desktop_app.domain.fields import Choice
from desktop_app.domain.sentences import Sentence
from desktop_app.domain.watched_folder import WatchedFolder, seen_key
from desktop_app.store.adding import ROWS_A_PART
from desktop_app.store.backends.sqlite import among
from desktop_app.store.models import BatchRow, SeenFileRow, WatchRow
from desktop_app.store.rows import joined_path, parts, split_path, storable

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from desktop_app.domain.job import NewFile
    from desktop_app.store.adding import Intake
    from desktop_app.store.database import Database

FORGOTTEN_MS = 90 * 24 * 3600 * 1000
"""How long after its disappearance a file is remembered: as long as a disk is likely to be away."""

_CHOICES = ("subfolders", "only", "leave_out", "processor", "options", "settle_s", "adds_existing", "is_paused")
_COLUMNS = (*_CHOICES, "in_window", "added", "is_begun")
"""The fields of `WatchedFolder` that are stored in columns of the same name."""
_FINDS_OTHER_FILES = ("folder", "subfolders", "only", "leave_out", "adds_existing")
"""The choices after whose change other files are in the folder at first."""


class WatchedFolders:
    """Reads and writes the watched folders of this computer. Any thread.

    What has been seen is written in the same transaction as the files that are added. So no file is added twice or
    missed if the program is killed, and two programs that watch the same folder add each file once.

    Args:
        database: The database.
        intake: Adds the files.
        computer: The name of this computer.
    """

    def __init__(self, database: Database, intake: Intake, *, computer: str = "") -> None:
        self._database = database
        self._intake = intake
        self._computer = computer or socket.gethostname()

    @property
    def epoch(self) -> int:
        """How often the database was replaced. Keys of one epoch are not valid in another."""
        return self._database.epoch

    def all(self, *, in_window: bool = True) -> list[WatchedFolder]:
        """Return the folders that the window watches, or those that `filemill watch` has watched, by path.

        Raises:
            StoreError: If the database can't be read.
        """
        is_meant = (WatchRow.computer == storable(self._computer)) & (WatchRow.in_window == int(in_window))
        with self._database.read():
            return self._select(is_meant)

    def _select(self, where: Any) -> list[WatchedFolder]:  # noqa: ANN401 - peewee's expressions have no type
        columns = [getattr(WatchRow, name) for name in _COLUMNS]
        query = WatchRow.select(WatchRow.id, WatchRow.folder, WatchRow.raw_folder, *columns).where(where)
        return [_folder_of(row) for row in self._database.run(query.order_by(WatchRow.folder).tuples())]

    def save(self, folder: WatchedFolder) -> WatchedFolder:
        """Store a new folder, or the choices of an existing one; return it with its key.

        If other files can be in the folder than before, those that are there at first are looked for again. What was
        seen stays known, unless the files that are there are to be added now.

        Raises:
            KnownError: If the folder is watched already.
            StoreError: If the database can't be written.
        """
        text, raw = split_path(folder.folder)
        values: dict[str, Any] = {name: getattr(folder, name) for name in (*_CHOICES, "in_window")}
        values |= {"folder": text, "raw_folder": raw, "computer": storable(self._computer)}
        values |= {name: int(value) for name, value in values.items() if isinstance(value, bool)}
        values |= {name: storable(values[name]) for name in ("only", "leave_out")}
        with self._database.write():
            is_same = (WatchRow.folder == text) & (WatchRow.computer == values["computer"])
            is_same &= (WatchRow.in_window == values["in_window"]) & (WatchRow.id != folder.key)
            if self._select(is_same):
                raise KnownError(Sentence("{folder} is watched already.", folder=text))
            query = WatchRow.select(WatchRow.id, WatchRow.is_begun, *(getattr(WatchRow, n) for n in _FINDS_OTHER_FILES))
            before = next(iter(self._database.run(query.where(WatchRow.id == folder.key).tuples())), None)
            if before is None:
                new = WatchRow.insert(**values, is_begun=0, added=0, day="")
                key = int(self._database.run(new))
                return self._select(WatchRow.id == key)[0]
            key, is_begun, *choices = before
            is_begun = is_begun and choices == [values[name] for name in _FINDS_OTHER_FILES]
            if folder.adds_existing and not choices[_FINDS_OTHER_FILES.index("adds_existing")]:
                self._database.run(SeenFileRow.delete().where(SeenFileRow.watch == key))
            self._database.run(WatchRow.update(**values, is_begun=int(is_begun)).where(WatchRow.id == key))
            return self._select(WatchRow.id == key)[0]

    def remove(self, key: int) -> None:
        """Watch a folder no longer. The files that were added stay on the list.

        Raises:
            StoreError: If the database can't be written.
        """
        with self._database.write():
            self._database.run(SeenFileRow.delete().where(SeenFileRow.watch == key))
            self._database.run(WatchRow.delete().where(WatchRow.id == key))

    def seen(self, key: int) -> set[int]:
        """Return the keys of the files that were seen in a folder; see `seen_key`.

        Raises:
            StoreError: If the database can't be read.
        """
        query = SeenFileRow.select(SeenFileRow.key).where(SeenFileRow.watch == key)
        with self._database.read():
            return {found for (found,) in self._database.run(query.tuples())}

    def begin(self, folder: WatchedFolder, existing: Collection[int]) -> None:
        """Record that the files that were in a folder at first have been found.

        Args:
            folder: The folder.
            existing: The keys of those files that are not to be added.

        Raises:
            StoreError: If the database can't be written. The files are then looked for again.
        """
        for part in parts(existing, ROWS_A_PART):
            with self._database.write():
                self._note(folder.key, part)
        with self._database.write():
            self._database.run(WatchRow.update(is_begun=1).where(WatchRow.id == folder.key))

    def note_outputs(self, files: Sequence[NewFile]) -> None:
        """Record that files were written by Filemill itself, so that they are not added if they are in watched folders.

        Args:
            files: The files. Those whose size or modification time is unknown are left out.

        Raises:
            StoreError: If the database can't be written.
        """
        for folder in (*self.all(), *self.all(in_window=False)):
            keys = [
                seen_key(name, file.size, file.modified_ns)
                for file in files
                if (name := relative_name(file.path, folder.folder))
                and file.size is not None
                and file.modified_ns is not None
            ]
            for part in parts(keys, ROWS_A_PART):
                with self._database.write():
                    self._note(folder.key, part)

    def add(
        self,
        folder: WatchedFolder,
        files: Mapping[int, NewFile],
        *,
        queue: str,
        day: str,
        now_ms: int,
        processor_of: Callable[[str], str],
    ) -> int | None:
        """Add files of a folder to its batch of the day, unless they were seen or are on the list and unchanged.

        Args:
            folder: The folder.
            files: The files by their keys; at most `ROWS_A_PART`.
            queue: The key of the queue.
            day: The day, as in ISO 8601.
            now_ms: The current time, in milliseconds since 1970.
            processor_of: Returns the name of the processor for a path, if it is chosen by the type.

        Returns:
            The number of files added; None if the folder is no longer watched.

        Raises:
            StoreError: If the database can't be written. No file was added.
        """
        with self._database.write(durable=True):
            query = WatchRow.select(WatchRow.batch, WatchRow.day).where(WatchRow.id == folder.key)
            row = next(iter(self._database.run(query.tuples())), None)
            if row is None:
                return None
            new = self._note(folder.key, list(files))
            listed = self._intake.listed([files[key] for key in new], lambda: False)
            wanted = [files[key] for key, is_listed in zip(new, listed, strict=True) if not is_listed]
            if wanted:
                batch_id = self._batch(row[0], folder) if row[1] == day else 0
                added = self._intake.add(
                    wanted,
                    queue=queue,
                    name=f"{folder.name} {day}",
                    now_ms=now_ms,
                    choice=Choice(folder.processor, folder.options),
                    processor_of=processor_of,
                    batch_id=batch_id,
                )
                change = WatchRow.update(batch=added.batch_id, day=day, added=WatchRow.added + len(wanted))
                self._database.run(change.where(WatchRow.id == folder.key))
        return len(wanted)

    def _batch(self, key: int | None, folder: WatchedFolder) -> int:
        """Return the key of a batch if its files are processed like those of the folder, otherwise 0."""
        chosen = BatchRow.processor == folder.processor, BatchRow.options == folder.options
        return int(self._database.scalar(BatchRow.select(BatchRow.id).where(BatchRow.id == key, *chosen)) or 0)

    def _note(self, watch: int, keys: Sequence[int]) -> list[int]:
        """Record files of a folder as seen; return the keys of those that were not seen before."""
        if not keys:
            return []
        known = SeenFileRow.select(SeenFileRow.key).where(SeenFileRow.watch == watch, among(SeenFileRow.key, keys))
        seen = {key for (key,) in self._database.run(known.tuples())}
        new = [key for key in dict.fromkeys(keys) if key not in seen]
        if new:
            self._database.insert_all(SeenFileRow, ["key"], [(key,) for key in new], {"watch_id": watch})
        return new

    def forget_gone(self, key: int, present: Collection[int], *, now_ms: int) -> int:
        """Record which files are no longer in a folder, and forget those that have been gone for a long time.

        Args:
            key: The key of the folder.
            present: The keys of all files that are in it now.
            now_ms: The current time, in milliseconds since 1970.

        Returns:
            The number of files forgotten.

        Raises:
            StoreError: If the database can't be written.
        """
        of_folder = SeenFileRow.watch == key
        is_present = among(SeenFileRow.key, list(present))
        is_gone = SeenFileRow.gone_at.is_null(False)
        with self._database.write():
            back = SeenFileRow.update(gone_at=None).where(of_folder, is_gone, is_present)
            gone = SeenFileRow.update(gone_at=now_ms).where(of_folder, ~is_gone, ~is_present)
            self._database.run(back)
            self._database.run(gone)
            old = SeenFileRow.delete().where(of_folder, SeenFileRow.gone_at < now_ms - FORGOTTEN_MS)
            return int(self._database.run(old))


def relative_name(path: str, folder: str) -> str:
    """Return the path of a file relative to a folder that contains it; empty if the folder does not."""
    start = folder if folder.endswith(os.sep) else folder + os.sep
    return path[len(start) :] if path.startswith(start) else ""


def _folder_of(row: Sequence[Any]) -> WatchedFolder:
    key, text, raw, *values = row
    named = dict(zip(_COLUMNS, values, strict=True))
    for name in ("subfolders", "adds_existing", "is_paused", "in_window", "is_begun"):
        named[name] = bool(named[name])
    return WatchedFolder(folder=joined_path(text, raw), key=key, **named)
