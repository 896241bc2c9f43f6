"""The commands Watch Folder and Watched Folders.

Their dialogs are imported when they are opened, so that the program starts sooner.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

from desktop_app.domain.sentences import display_text
from desktop_app.domain.watched_folder import WatchedFolder
from desktop_app.gui.i18n import tr, translated
from desktop_app.gui.widgets.notice import Kind, Notice, NoticeAction
from desktop_app.services.adding.watching import FolderState

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from desktop_app.gui.commands.actions import Actions
    from desktop_app.gui.processors.choice import ProcessorChoice
    from desktop_app.gui.watching.controller import FolderWatching
    from desktop_app.gui.watching.dialog import WatchedFoldersDialog
    from desktop_app.gui.watching.form import WatchFolderDialog
    from desktop_app.gui.wording import Wording

_TROUBLE = {FolderState.AWAY, FolderState.HINDERED}


class WatchCommands(QObject):
    """Opens the dialogs, and says when a folder can't be watched.

    Signals:
        notice(Notice): A message for the user.

    Attributes:
        list, form: The open dialogs, or None.

    Args:
        actions: The actions of the window.
        watching: The watched folders.
        choices: What can be done with files.
        wording: The formatter for numbers.
        window: The parent of the dialogs.
    """

    notice = Signal(object)

    def __init__(
        self,
        actions: Actions,
        watching: FolderWatching,
        choices: ProcessorChoice,
        wording: Wording,
        window: QWidget,
    ) -> None:
        super().__init__(window)
        self._watching = watching
        self._choices = choices
        self._wording = wording
        self._window = window
        self._troubled: set[int] = set()
        self.list: WatchedFoldersDialog | None = None
        self.form: WatchFolderDialog | None = None
        actions.watch_folder.triggered.connect(self.watch)
        actions.watched_folders.triggered.connect(self.open)
        watching.changed.connect(self._report_trouble)

    @Slot()
    def watch(self) -> None:
        """Open the dialog for another folder."""
        choice = self._choices.current
        self.edit(WatchedFolder("", processor=choice.processor, options=choice.options))

    @Slot(object)
    def edit(self, folder: WatchedFolder) -> None:
        """Open the dialog for a folder, or bring it to the front if it is open."""
        if self.form is None:
            from desktop_app.gui.watching.form import WatchFolderDialog

            parent = self._window if self.list is None else self.list
            self.form = WatchFolderDialog(folder, self._choices, parent)
            self.form.accepted_folder.connect(self._save)
            self.form.finished.connect(self._forget_form)
            self.form.show()
        self.form.raise_()
        self.form.activateWindow()

    @Slot(object)
    def _save(self, folder: WatchedFolder) -> None:
        if self.form is not None:
            self._watching.save(folder, self.form.close_saved, self.form.show_error)

    @Slot()
    def open(self) -> None:
        """Open the list of folders, or bring it to the front."""
        if self.list is None:
            from desktop_app.gui.watching.dialog import WatchedFoldersDialog

            self.list = WatchedFoldersDialog(self._watching, self._choices, self._wording, self._window)
            self.list.watch_requested.connect(self.watch)
            self.list.edit_requested.connect(self.edit)
            self.list.finished.connect(self._forget_list)
            self.list.show()
        self.list.raise_()
        self.list.activateWindow()

    @Slot()
    def _forget_form(self) -> None:
        self.form = None

    @Slot()
    def _forget_list(self) -> None:
        self.list = None

    @Slot()
    def close(self) -> None:
        """Close the dialogs."""
        for dialog in (self.form, self.list):
            if dialog is not None:
                dialog.close()

    @Slot()
    def _report_trouble(self) -> None:
        """Say once when a folder begins to be unusable."""
        troubled = {status.folder.key: status for status in self._watching.statuses if status.state in _TROUBLE}
        new = [status for key, status in troubled.items() if key not in self._troubled]
        self._troubled = set(troubled)
        if new and self.list is None:
            title = tr("“{name}” can't be watched now").format(name=display_text(new[0].folder.name))
            show = NoticeAction(tr("Watched &Folders…"), self.open)
            self.notice.emit(Notice(translated(new[0].text), Kind.WARNING, (show,), title=title))
