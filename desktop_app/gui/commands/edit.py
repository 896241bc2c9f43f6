"""The Edit menu: copying rows and paths, selecting.

Undo and Redo are the actions of `ListCommands.undo`; Filter is connected in `filtering.list_filter`.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QGuiApplication

from desktop_app.gui.commands.clipboard import clip_of_paths, clip_of_rows
from desktop_app.gui.i18n import tr, translated
from desktop_app.gui.table.columns import COLUMN_OF_ID, COLUMNS
from desktop_app.gui.widgets.notice import Kind, Notice

if TYPE_CHECKING:
    from desktop_app.domain.errors import KnownError
    from desktop_app.gui.commands.actions import Actions
    from desktop_app.gui.commands.clipboard import Clip
    from desktop_app.gui.ports import JobReader
    from desktop_app.gui.table.view import JobsView
    from desktop_app.gui.tasks import Tasks
    from desktop_app.gui.wording import Wording


class EditCommands(QObject):
    """Copy Rows, Copy Path, Select All, Select None.

    Signals:
        notice(Notice): What a person should know about it.

    Args:
        actions: The actions.
        view: Where rows are selected; Qt's owner.
        reader: Where the selected jobs are read.
        reads: The pool for that.
        wording: Makes the cells' texts.
    """

    notice = Signal(object)

    def __init__(self, actions: Actions, view: JobsView, reader: JobReader, reads: Tasks, wording: Wording) -> None:
        super().__init__(view)
        self._view = view
        self._reader = reader
        self._reads = reads
        self._wording = wording
        actions.copy.triggered.connect(self.copy_rows)
        actions.copy_path.triggered.connect(self.copy_paths)
        actions.select_all.triggered.connect(view.selectAll)
        actions.select_none.triggered.connect(view.clearSelection)

    @Slot()
    def copy_rows(self) -> None:
        """Copy the selected rows, with the columns that are shown, in their order on the screen."""
        shown = [layout for layout in self._view.header.layout_of_columns() if not layout.hidden]
        columns = [COLUMNS[COLUMN_OF_ID[layout.id]] for layout in shown]
        read = partial(clip_of_rows, self._reader, self._view.selected_ids(), columns, self._wording)
        self._reads.run(read, self._take_rows, self._complain)

    @Slot()
    def copy_paths(self) -> None:
        """Copy where the selected files lie."""
        self._reads.run(
            partial(clip_of_paths, self._reader, self._view.selected_ids()), self._take_paths, self._complain
        )

    def _take_rows(self, clip: Clip) -> None:
        QGuiApplication.clipboard().setMimeData(clip.mime_data())
        self.notice.emit(Notice(tr("Copied %Ln row(s).", "", clip.rows), passing=True))

    def _take_paths(self, clip: Clip) -> None:
        QGuiApplication.clipboard().setMimeData(clip.mime_data())
        self.notice.emit(Notice(tr("Copied %Ln path(s).", "", clip.rows), passing=True))

    def _complain(self, error: KnownError) -> None:
        self.notice.emit(Notice(translated(error.text), Kind.PROBLEM))
