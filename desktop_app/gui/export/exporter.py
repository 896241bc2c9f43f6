"""Writes the list to a file off the main thread and reports progress and result."""

from __future__ import annotations

import errno
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from threading import Event
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from desktop_app.config.atomic_write import NotWrittenError, write_whole
from desktop_app.domain.job import display_text
from desktop_app.domain.query import Filter
from desktop_app.gui.desktop.file_manager import Opener
from desktop_app.gui.i18n import tr, translated
from desktop_app.gui.widgets.notice import Kind, Notice, NoticeAction
from desktop_app.services.support.export import csv_writer, json_writer

if TYPE_CHECKING:
    from array import array
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from desktop_app.domain.errors import KnownError
    from desktop_app.domain.job import Job
    from desktop_app.domain.query import Sort
    from desktop_app.gui.ports import JobReader
    from desktop_app.gui.tasks import Tasks
    from desktop_app.gui.wording import Wording

PATIENCE_MS = 300
"""Exports that take less time show no progress, which would only flicker."""
_EVERY = 500
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT}) if hasattr(errno, "EDQUOT") else frozenset({errno.ENOSPC})
_NO_RIGHT = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_NO_PLACE = frozenset({errno.ENOENT, errno.ENOTDIR})


class Format(StrEnum):
    """The file formats. The values are stored: never rename one."""

    CSV = "csv"
    CSV_SEMICOLON = "csv;"
    JSON = "json"

    @property
    def suffix(self) -> str:
        """Return the file name suffix."""
        return ".json" if self is Format.JSON else ".csv"


@dataclass(frozen=True, slots=True)
class ExportOrder:
    """An order for the exporter: what to write, and where.

    Attributes:
        rows: The jobs: a filter, or keys in the wanted order.
        order: The order of the jobs that pass a filter.
        fields: Some of `ALL_FIELDS`.
        form: The format.
        target: The file to write.
        replace: Whether an existing file may be replaced.
    """

    rows: Filter | array[int]
    order: Sort
    fields: Sequence[str]
    form: Format
    target: Path
    replace: bool = False


class _StoppedError(Exception):
    """The user has stopped the export."""


class Exporter(QObject):
    """Writes exports, one at a time.

    Signals:
        notice(Notice): The result, to be shown to the user.
        busy(str): The progress, if the export takes longer than `PATIENCE_MS`; empty at the end.
        refused(object, object): An `ExportOrder` whose target can't be written, and a
            `NotWrittenError`: the user has to choose another.

    Args:
        reader: Reads jobs.
        tasks: The pool.
        wording: Formats the texts.
        parent: The parent.
    """

    notice = Signal(object)
    busy = Signal(str)
    refused = Signal(object, object)
    _moved = Signal(int, int)

    def __init__(self, reader: JobReader, tasks: Tasks, wording: Wording, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._reader = reader
        self._tasks = tasks
        self._wording = wording
        self._stop = Event()
        self._is_busy = False
        self._text = ""
        self._patience = QTimer(self)
        self._patience.setSingleShot(True)
        self._patience.setInterval(PATIENCE_MS)
        self._patience.timeout.connect(self._tell_busy)
        self._moved.connect(self._take_progress)
        self._opener = Opener(tasks, self)
        self._opener.notice.connect(self.notice)

    @property
    def is_busy(self) -> bool:
        """Return whether a file is being written."""
        return self._is_busy

    def start(self, order: ExportOrder) -> None:
        """Write a file. Must not be called while another export is running."""
        self._stop.clear()
        self._is_busy = True
        self._text = tr("Exporting the list…")
        self._patience.start()
        self._tasks.run(partial(self._write, order), partial(self._finish, order), partial(self._give_up, order))

    @Slot()
    def stop(self) -> None:
        """Stop the export and discard what was written."""
        self._stop.set()

    # --- on the pool

    def _write(self, order: ExportOrder) -> int | None:
        write = json_writer(order.fields)
        if order.form is not Format.JSON:
            write = csv_writer(order.fields, ";" if order.form is Format.CSV_SEMICOLON else ",")
        count = 0

        def watched(jobs: Iterable[Job], total: int) -> Iterator[Job]:
            nonlocal count
            for job in jobs:
                if count % _EVERY == 0:
                    self._moved.emit(count, total)
                    if self._stop.is_set():
                        raise _StoppedError
                yield job
                count += 1

        with self._reader.snapshot():
            keys = self._reader.ids(order.rows, order.order) if isinstance(order.rows, Filter) else order.rows
            jobs = watched(self._reader.listed(keys), len(keys))
            try:
                write_whole(order.target, lambda stream: write(stream, jobs), replace=order.replace)
            except _StoppedError:
                return None
        return count

    # --- on the main thread

    @Slot(int, int)
    def _take_progress(self, done: int, total: int) -> None:
        text = tr("Exporting the list: {done} of {total}")
        self._text = text.format(done=self._wording.number(done), total=self._wording.files(total))
        if not self._patience.isActive():
            self._tell_busy()

    @Slot()
    def _tell_busy(self) -> None:
        if self._is_busy:
            self.busy.emit(self._text)

    def _end(self) -> None:
        self._is_busy = False
        self._patience.stop()
        self.busy.emit("")

    def _finish(self, order: ExportOrder, count: int | None) -> None:
        self._end()
        if count is None:
            self.notice.emit(Notice(tr("The export was stopped. Nothing was written."), passing=True))
            return
        text = tr("Exported %Ln file(s) to “{name}”.", "", count).format(name=display_text(order.target.name))
        show = NoticeAction(tr("Show in Folder"), partial(self._opener.show, [str(order.target)]))
        self.notice.emit(Notice(text, actions=(show,)))

    def _give_up(self, order: ExportOrder, error: KnownError) -> None:
        self._end()
        if isinstance(error, NotWrittenError):
            self.refused.emit(order, error)
        else:
            self.notice.emit(Notice(translated(error.text), Kind.PROBLEM))


def why_not_written(target: Path, error: NotWrittenError) -> str:
    """Return why a file could not be written and what to do, as plain text."""
    name, folder = display_text(target.name), display_text(str(target.parent))
    if error.code == errno.EEXIST:
        text = tr("“{name}” already exists. Export again to replace it, or choose another name.")
    elif error.code == errno.EISDIR:
        text = tr("“{name}” is a folder. Choose another name.")
    elif error.code in _NO_ROOM:
        text = tr("There is not enough free space on the disk for “{name}”. Free some space, or choose another folder.")
    elif error.code in _NO_RIGHT:
        text = tr("The folder {folder} is not writable. Choose another one.")
    elif error.code in _NO_PLACE:
        text = tr("The folder {folder} does not exist. Choose another one.")
    else:
        return translated(error.text)
    return text.format(name=name, folder=folder)
