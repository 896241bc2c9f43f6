"""The dialogs shown before the window: failed start, damaged database, another instance not responding."""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING

from PySide6.QtCore import QDateTime, QLocale, Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QAbstractButton, QMessageBox

from desktop_app.gui.i18n import tr, translated
from desktop_app.gui.widgets.dialogs import MessageBox

if TYPE_CHECKING:
    from pathlib import Path

    from desktop_app.domain.errors import KnownError


class _WarningDialog(MessageBox):
    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self.setWindowTitle(title)
        self.setIcon(QMessageBox.Icon.Warning)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setText(text)


class StartErrorDialog(_WarningDialog):
    """Explains why Filemill can't start, and offers to try again.

    Args:
        error: The error.
        folder: The home folder; a button opens it if it exists.
    """

    def __init__(self, error: KnownError, folder: Path) -> None:
        super().__init__(tr("Filemill Can't Start"), translated(error.text))
        self._folder = folder
        if error.detail:
            self.setDetailedText(error.detail)
        self._again = self.addButton(tr("Try Again"), QMessageBox.ButtonRole.AcceptRole)
        self._open = self.addButton(tr("Open Folder"), QMessageBox.ButtonRole.ActionRole) if folder.is_dir() else None
        self.setEscapeButton(self.addButton(tr("Quit"), QMessageBox.ButtonRole.RejectRole))
        self.setDefaultButton(self._again)

    def wants_another_try(self) -> bool:
        """Show the dialog. Return True for Try Again, False for Quit."""
        self.exec()
        while self._open is not None and self.clickedButton() is self._open:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._folder)))
            self.exec()
        return self.clickedButton() is self._again


class DamageChoice(Enum):
    """How to replace a damaged database."""

    USE_BACKUP = auto()
    START_EMPTY = auto()
    QUIT = auto()


class DamagedDatabaseDialog(_WarningDialog):
    """Warns that the list can't be read, and offers the newest backup or an empty list.

    Args:
        error: The error.
        backup_time: The time of the newest backup in milliseconds since 1970; None if there is no backup.
        locale: The locale for the time.
    """

    def __init__(self, error: KnownError, backup_time: int | None, locale: QLocale) -> None:
        super().__init__(tr("The List Can't Be Read"), tr("The database that holds the list of files is damaged."))
        self.setInformativeText(
            tr("The damaged database is kept in either case. Your files themselves were not changed.")
        )
        self.setDetailedText(f"{translated(error.text)}\n\n{error.detail}")
        quit_button = self.addButton(tr("Quit"), QMessageBox.ButtonRole.RejectRole)
        self._choices: dict[QAbstractButton, DamageChoice] = {
            quit_button: DamageChoice.QUIT,
            self.addButton(
                tr("Start With an Empty List"), QMessageBox.ButtonRole.DestructiveRole
            ): DamageChoice.START_EMPTY,
        }
        self.setEscapeButton(quit_button)
        self.setDefaultButton(quit_button)
        if backup_time is not None:
            when = locale.toString(QDateTime.fromMSecsSinceEpoch(backup_time), QLocale.FormatType.ShortFormat)
            use = self.addButton(tr("Use the Backup from {when}").format(when=when), QMessageBox.ButtonRole.AcceptRole)
            self._choices[use] = DamageChoice.USE_BACKUP
            self.setDefaultButton(use)

    def choose(self) -> DamageChoice:
        """Show the dialog and return the choice."""
        self.exec()
        return self._choices[self.clickedButton()]


class NotRespondingChoice(Enum):
    """What to do about an instance that does not respond."""

    WAIT = auto()
    STOP = auto()
    CANCEL = auto()


class NotRespondingDialog(_WarningDialog):
    """Warns that Filemill is running but not responding, and offers to wait or to stop it.

    Args:
        pid: The process ID of the other instance; None if unknown.
        started_at: The time of its start, in milliseconds since 1970.
        can_stop: Whether to offer stopping it. False if the process ID may belong to another program.
        locale: The locale for the time.
    """

    def __init__(self, pid: int | None, started_at: int, *, can_stop: bool, locale: QLocale) -> None:
        super().__init__(tr("Filemill"), tr("Filemill is running but not responding."))
        wait = self.addButton(tr("Wait"), QMessageBox.ButtonRole.AcceptRole)
        cancel = self.addButton(tr("Cancel"), QMessageBox.ButtonRole.RejectRole)
        self.setDefaultButton(wait)
        self.setEscapeButton(cancel)
        self._choices: dict[QAbstractButton, NotRespondingChoice] = {
            wait: NotRespondingChoice.WAIT,
            cancel: NotRespondingChoice.CANCEL,
        }
        if pid is None:
            more = tr("It may still be starting. You can wait a little longer.")
        else:
            when = QDateTime.fromMSecsSinceEpoch(started_at).time()
            more = tr("It was started at {time}. Its process ID is {number}.").format(
                time=locale.toString(when, QLocale.FormatType.ShortFormat), number=pid
            )
        if can_stop:
            more += " " + tr("Stopping it is safe: unfinished files will be processed again.")
            stop = self.addButton(tr("Stop and Restart"), QMessageBox.ButtonRole.DestructiveRole)
            self._choices[stop] = NotRespondingChoice.STOP
        self.setInformativeText(more)

    def choose(self) -> NotRespondingChoice:
        """Show the dialog and return the choice."""
        self.exec()
        return self._choices[self.clickedButton()]
