"""The dialogs before the window: failed start, damaged database, first instance not responding."""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING

from PySide6.QtCore import QDateTime, QLocale, Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QMessageBox

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
    """The dialog that says why Filemill can't start.

    Args:
        error: What is wrong.
        folder: The folder of settings and database; offered for opening if it exists.
    """

    def __init__(self, error: KnownError, folder: Path) -> None:
        super().__init__(tr("Filemill Can't Start"), translated(error.text))
        self._folder = folder
        if error.detail:
            self.setDetailedText(error.detail)
        self._again = self.addButton(tr("Try Again"), QMessageBox.ButtonRole.AcceptRole)
        self._open = self.addButton(tr("Open Folder"), QMessageBox.ButtonRole.ActionRole) if folder.is_dir() else None
        quit_button = self.addButton(tr("Quit"), QMessageBox.ButtonRole.RejectRole)
        self.setDefaultButton(self._again)
        self.setEscapeButton(quit_button)

    def wants_another_try(self) -> bool:
        """Show the dialog; return True for Try Again, False for Quit."""
        while True:
            self.exec()
            if self._open is None or self.clickedButton() is not self._open:
                return self.clickedButton() is self._again
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._folder)))


class DamageChoice(Enum):
    """The choices of what replaces a damaged database."""

    USE_COPY = auto()
    START_EMPTY = auto()
    QUIT = auto()


class DamagedDatabaseDialog(_WarningDialog):
    """The dialog that says that the list can't be read, and offers the newest backup or an empty list.

    Args:
        error: What is wrong.
        copy_made_at: When the newest backup was made, in milliseconds since 1970; None if there is none.
        locale: Formats the time.
    """

    def __init__(self, error: KnownError, copy_made_at: int | None, locale: QLocale) -> None:
        super().__init__(tr("The List Can't Be Read"), tr("The database that holds the list of files is damaged."))
        self.setInformativeText(
            tr("The damaged database is kept in either case. Your files themselves were not changed.")
        )
        self.setDetailedText(f"{translated(error.text)}\n\n{error.detail}")
        self._copy = None
        if copy_made_at is not None:
            when = locale.toString(QDateTime.fromMSecsSinceEpoch(copy_made_at), QLocale.FormatType.ShortFormat)
            self._copy = self.addButton(
                tr("Use the Backup from {when}").format(when=when), QMessageBox.ButtonRole.AcceptRole
            )
        self._empty = self.addButton(tr("Start With an Empty List"), QMessageBox.ButtonRole.DestructiveRole)
        quit_button = self.addButton(tr("Quit"), QMessageBox.ButtonRole.RejectRole)
        self.setDefaultButton(self._copy or quit_button)
        self.setEscapeButton(quit_button)

    def choose(self) -> DamageChoice:
        """Show the dialog and return the choice."""
        self.exec()
        if self._copy is not None and self.clickedButton() is self._copy:
            return DamageChoice.USE_COPY
        return DamageChoice.START_EMPTY if self.clickedButton() is self._empty else DamageChoice.QUIT


class NotRespondingChoice(Enum):
    """The choices for an instance that does not respond."""

    WAIT = auto()
    END_IT = auto()
    CANCEL = auto()


class NotRespondingDialog(_WarningDialog):
    """The dialog that says that Filemill is running but not responding: wait, stop it, or give up.

    Args:
        pid: The process ID of the other instance; None if unknown.
        started_at: When it started, in milliseconds since 1970.
        can_end: Whether it may be stopped, because the process is known for sure.
        locale: Formats the time.
    """

    def __init__(self, pid: int | None, started_at: int, *, can_end: bool, locale: QLocale) -> None:
        super().__init__(tr("Filemill"), tr("Filemill is running but not responding."))
        if pid is None:
            more = tr("It may still be starting. You can wait a little longer.")
        else:
            when = QDateTime.fromMSecsSinceEpoch(started_at).time()
            more = tr("It was started at {time} and is process {number}.").format(
                time=locale.toString(when, QLocale.FormatType.ShortFormat), number=pid
            )
        self.setInformativeText(f"{more} {tr('Ending it is safe: its files start again.')}" if can_end else more)
        self._wait = self.addButton(tr("Wait"), QMessageBox.ButtonRole.AcceptRole)
        self._end = self.addButton(tr("Stop It and Start"), QMessageBox.ButtonRole.DestructiveRole) if can_end else None
        cancel = self.addButton(tr("Cancel"), QMessageBox.ButtonRole.RejectRole)
        self.setDefaultButton(self._wait)
        self.setEscapeButton(cancel)

    def choose(self) -> NotRespondingChoice:
        """Show the dialog and return the choice."""
        self.exec()
        if self.clickedButton() is self._wait:
            return NotRespondingChoice.WAIT
        is_end = self._end is not None and self.clickedButton() is self._end
        return NotRespondingChoice.END_IT if is_end else NotRespondingChoice.CANCEL
