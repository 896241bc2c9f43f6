"""The dialogs for problems before the window opens: a failed start, a damaged database, an unresponsive instance."""

from __future__ import annotations

from enum import Enum, auto
from functools import partial
from typing import TYPE_CHECKING, Generic, TypeVar

from PySide6.QtCore import QLocale, Qt, QUrl
from PySide6.QtWidgets import QAbstractButton, QMessageBox, QPushButton

from desktop_app.gui.i18n import tr, translated
from desktop_app.gui.programs import open_url
from desktop_app.gui.widgets.dialogs import MessageBox
from desktop_app.gui.wording import Wording

if TYPE_CHECKING:
    from pathlib import Path

    from desktop_app.domain.errors import KnownError


_Role = QMessageBox.ButtonRole
_Choice = TypeVar("_Choice")


class _WarningDialog(MessageBox, Generic[_Choice]):
    def __init__(self, title: str, text: str) -> None:
        super().__init__(QMessageBox.Icon.Warning, title, text, textFormat=Qt.TextFormat.PlainText)
        self._choices: dict[QAbstractButton, _Choice] = {}

    def _offer(self, choice: _Choice, text: str, role: _Role) -> QPushButton:
        button = self.addButton(text, role)
        self._choices[button] = choice
        return button

    def choose(self) -> _Choice:
        """Show the dialog and return the user's choice."""
        self.exec()
        pressed: QAbstractButton | None = self.clickedButton()  # PySide's stubs omit None
        return self._choices[self.escapeButton() if pressed is None else pressed]


class StartErrorDialog(_WarningDialog["bool | None"]):
    """Explains why Filemill can't start, and offers to try again.

    Args:
        error: The error.
        folder: The home folder; if it exists, a button opens it.
    """

    def __init__(self, error: KnownError, folder: Path) -> None:
        super().__init__(tr("Filemill Can't Start"), translated(error.text))
        self._folder = folder
        if error.detail:
            self.setDetailedText(error.detail)
        self.setDefaultButton(self._offer(True, tr("Try Again"), _Role.AcceptRole))
        if folder.is_dir():
            self._offer(None, tr("Open Folder"), _Role.ActionRole)
        self.setEscapeButton(self._offer(False, tr("Quit"), _Role.RejectRole))

    def wants_another_try(self) -> bool:
        """Show the dialog. Return True for Try Again, False for Quit."""
        while (choice := self.choose()) is None:
            text = tr("No program on this computer can show the folder “{name}”.").format(name=self._folder)
            open_url(QUrl.fromLocalFile(str(self._folder)), self, partial(self.setInformativeText, text))
        return choice


class DamageChoice(Enum):
    """The user's choice for a damaged database."""

    USE_BACKUP = auto()
    START_EMPTY = auto()
    QUIT = auto()


class DamagedDatabaseDialog(_WarningDialog[DamageChoice]):
    """Warns that the list can't be read, and offers the newest backup or an empty list.

    Args:
        error: The error.
        backup_time: The time of the newest backup in milliseconds since the Unix epoch; None if there is no backup.
        locale: The locale for formatting the time.
    """

    def __init__(self, error: KnownError, backup_time: int | None, locale: QLocale) -> None:
        super().__init__(tr("The List Can't Be Read"), tr("The database that holds the list of files is damaged."))
        self.setInformativeText(
            tr("The damaged database is kept in either case. Your files themselves were not changed.")
        )
        self.setDetailedText(f"{translated(error.text)}\n\n{error.detail}")
        quit_button = self._offer(DamageChoice.QUIT, tr("Quit"), _Role.RejectRole)
        empty = tr("Start With an Empty List")
        self._offer(DamageChoice.START_EMPTY, empty, _Role.DestructiveRole)
        self.setEscapeButton(quit_button)
        self.setDefaultButton(quit_button)
        if backup_time is not None:
            use = tr("Use the Backup from {when}").format(when=Wording(locale).moment(backup_time))
            self.setDefaultButton(self._offer(DamageChoice.USE_BACKUP, use, _Role.AcceptRole))


class NotRespondingChoice(Enum):
    """The user's choice for an instance that is not responding."""

    WAIT = auto()
    STOP = auto()
    CANCEL = auto()


class NotRespondingDialog(_WarningDialog[NotRespondingChoice]):
    """Warns that Filemill is running but not responding, and offers to wait or to stop it.

    Args:
        pid: The process ID of the other instance; None if unknown.
        started_at: When the other instance was started, in milliseconds since the Unix epoch.
        can_stop: Whether to offer to stop it. Pass False if the process ID might belong to another program.
        locale: The locale for formatting the time.
    """

    def __init__(self, pid: int | None, started_at: int, *, can_stop: bool, locale: QLocale) -> None:
        super().__init__(tr("Filemill"), tr("Filemill is running but not responding."))
        self.setDefaultButton(self._offer(NotRespondingChoice.WAIT, tr("Wait"), _Role.AcceptRole))
        self.setEscapeButton(self._offer(NotRespondingChoice.CANCEL, tr("Cancel"), _Role.RejectRole))
        if pid is None:
            more = tr("It may still be starting. You can wait a little longer.")
        else:
            more = tr("It was started at {time}. Its process ID is {number}.").format(
                time=Wording(locale).moment(started_at), number=pid
            )
        if can_stop:
            more += " " + tr("Stopping it is safe: unfinished files will be processed again.")
            self._offer(NotRespondingChoice.STOP, tr("Stop and Restart"), _Role.DestructiveRole)
        self.setInformativeText(more)
