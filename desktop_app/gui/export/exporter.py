"""Writes jobs to a file on a pool thread, and reports the progress and the result."""

from __future__ import annotations

import errno
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

from desktop_app.config.atomic_write import NotWrittenError, write_whole
from desktop_app.domain.query import Filter, Sort
from desktop_app.domain.sentences import display_text
from desktop_app.gui.desktop.file_manager import Opener
from desktop_app.gui.i18n import tr, translated
from desktop_app.gui.widgets.notice import Kind, Notice, NoticeAction
from desktop_app.services.support.export import csv_writer, json_writer

if TYPE_CHECKING:
    from array import array
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from desktop_app.domain.errors import KnownError
    from desktop_app.domain.job import Job
    from desktop_app.gui.operations import Operation, Operations
    from desktop_app.gui.ports import JobReader
    from desktop_app.gui.tasks import Tasks
    from desktop_app.gui.wording import Wording

_JOBS_PER_STEP = 500
_NO_ROOM = frozenset({errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)})
_NO_RIGHT = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_NO_PLACE = frozenset({errno.ENOENT, errno.ENOTDIR})


class Format(StrEnum):
    """The file formats. Their values are saved in the settings and must never change."""

    CSV = "csv"
    CSV_SEMICOLON = "csv;"
    JSON = "json"

    @property
    def suffix(self) -> str:
        """Return the suffix of the file name."""
        return ".json" if self is Format.JSON else ".csv"


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """What to export, and where.

    Attributes:
        rows: The jobs to export, as a filter or as keys in the order of the export.
        order: The order of the jobs if `rows` is a filter.
        fields: The fields to export, from `ALL_FIELDS` and those of results. `result` stands for all of these.
        form: The format of the file.
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
    """Raised when the user has stopped the export."""


class Exporter(QObject):
    """Exports jobs to files, one file at a time.

    Signals:
        notice(Notice): The result, for the user.
        refused(ExportRequest, NotWrittenError): The target can't be written; the user has to choose another file.

    Args:
        reader: The job reader.
        tasks: The pool that writes the file.
        operations: The running operations.
        wording: The formatter for texts.
        note_output: Called on the pool with the path of each file that was written.
        parent: The parent.
    """

    notice = Signal(object)
    refused = Signal(object, object)

    def __init__(
        self,
        reader: JobReader,
        tasks: Tasks,
        operations: Operations,
        wording: Wording,
        *,
        note_output: Callable[[Path], object] = lambda _: None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._reader = reader
        self._tasks = tasks
        self._operations = operations
        self._wording = wording
        self._note_output = note_output
        self._operation: Operation | None = None
        self._opener = Opener(tasks, self)
        self._opener.notice.connect(self.notice)

    @property
    def is_busy(self) -> bool:
        """Return whether a file is being written."""
        return self._operation is not None

    def start(self, request: ExportRequest) -> None:
        """Start an export. Must not be called while another one is running."""
        operation = self._operation = self._operations.begin(self._describe)
        work = partial(self._write, request, operation)
        self._tasks.run(work, partial(self._finish, request), partial(self._fail, request), self._end)

    @Slot()
    def stop(self) -> None:
        """Stop the export and discard the unfinished file."""
        if self._operation is not None:
            self._operation.stop()

    def _describe(self, done: int, total: int) -> str:
        if not total:
            return tr("Exporting the list…")
        text = tr("Exporting the list: {done} of {total}")
        return text.format(done=self._wording.number(done), total=self._wording.files(total))

    # --- on the pool

    def _write(self, request: ExportRequest, operation: Operation) -> int | None:
        """Write the file. Return the number of jobs, or None if the export was stopped."""
        count = 0

        def watched(jobs: Iterable[Job], total: int) -> Iterator[Job]:
            nonlocal count
            for job in jobs:
                if count % _JOBS_PER_STEP == 0 and not operation.proceed(count, total):
                    raise _StoppedError
                yield job
                count += 1

        with self._reader.snapshot():
            write = json_writer(request.fields)
            if request.form is not Format.JSON:
                names = [field.name for field in self._reader.result_fields()]
                write = csv_writer(request.fields, ";" if request.form is Format.CSV_SEMICOLON else ",", names)
            rows = request.rows
            keys = self._reader.ids(rows, request.order) if isinstance(rows, Filter) else rows
            jobs = watched(self._reader.listed(keys), len(keys))
            try:
                write_whole(request.target, lambda stream: write(stream, jobs), replace=request.replace)
            except _StoppedError:
                return None
        self._note_output(request.target)
        return count

    # --- on the main thread

    def _end(self) -> None:
        if self._operation is not None:
            self._operations.end(self._operation)
            self._operation = None

    def _finish(self, request: ExportRequest, count: int | None) -> None:
        self._end()
        if count is None:
            self.notice.emit(Notice(tr("The export was stopped. Nothing was written."), passing=True))
            return
        text = tr("Exported %Ln file(s) to “{name}”.", "", count).format(name=display_text(request.target.name))
        show = NoticeAction(tr("Show in Folder"), partial(self._opener.show, [str(request.target)]))
        self.notice.emit(Notice(text, actions=(show,)))

    def _fail(self, request: ExportRequest, error: KnownError) -> None:
        self._end()
        if isinstance(error, NotWrittenError):
            self.refused.emit(request, error)
        else:
            self.notice.emit(Notice(translated(error.text), Kind.PROBLEM))


def why_not_written(target: Path, error: NotWrittenError) -> str:
    """Return a plain text that says why a file can't be written, and what the user can do about it."""
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
