"""The dialogs that can come before the window: the start fails, the database is damaged, the first does not answer."""

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
    """Says why Filemill can't start.

    Args:
        error: What is wrong.
        folder: Where settings and database lie; offered to be opened if it is there.
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
        """Show it until the person chooses; return True for Try Again, False for Quit."""
        while True:
            self.exec()
            if self._open is None or self.clickedButton() is not self._open:
                return self.clickedButton() is self._again
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._folder)))


class DamageChoice(Enum):
    """What takes the place of a damaged database."""

    USE_COPY = auto()
    START_EMPTY = auto()
    QUIT = auto()


class DamagedDatabaseDialog(_WarningDialog):
    """Says that the list can't be read, and offers the newest copy of it or an empty one.

    Args:
        error: What is wrong.
        copy_made_at: When the newest copy was made, in milliseconds since 1970; None if there is none.
        locale: Formats the time.
    """

    def __init__(self, error: KnownError, copy_made_at: int | None, locale: QLocale) -> None:
        super().__init__(tr("The List Can't Be Read"), tr("The database that holds the list of files is damaged."))
        self.setInformativeText(
            tr("It is put aside, not deleted, whatever you choose. Your files themselves were never touched.")
        )
        self.setDetailedText(f"{translated(error.text)}\n\n{error.detail}")
        self._copy = None
        if copy_made_at is not None:
            when = locale.toString(QDateTime.fromMSecsSinceEpoch(copy_made_at), QLocale.FormatType.ShortFormat)
            self._copy = self.addButton(
                tr("Use the Copy of {when}").format(when=when), QMessageBox.ButtonRole.AcceptRole
            )
        self._empty = self.addButton(tr("Start With an Empty List"), QMessageBox.ButtonRole.DestructiveRole)
        quit_button = self.addButton(tr("Quit"), QMessageBox.ButtonRole.RejectRole)
        self.setDefaultButton(self._copy or quit_button)
        self.setEscapeButton(quit_button)

    def choose(self) -> DamageChoice:
        """Show it until the person has chosen."""
        self.exec()
        if self._copy is not None and self.clickedButton() is self._copy:
            return DamageChoice.USE_COPY
        return DamageChoice.START_EMPTY if self.clickedButton() is self._empty else DamageChoice.QUIT


class NotRespondingChoice(Enum):
    """What to do about another instance that does not respond."""

    WAIT = auto()
    END_IT = auto()
    CANCEL = auto()


class NotRespondingDialog(_WarningDialog):
    """Says that Filemill runs already and does not respond: wait, end it, or give up.

    Args:
        pid: The other instance's process; None if it is not known.
        started_at: When that one started, in milliseconds since 1970.
        can_end: Whether it may be ended: whether it is known for sure to be that process.
        locale: Formats the time.
    """

    def __init__(self, pid: int | None, started_at: int, *, can_end: bool, locale: QLocale) -> None:
        super().__init__(tr("Filemill"), tr("Filemill is running but does not answer."))
        if pid is None:
            more = tr("It may still be starting. You can wait a little longer.")
        else:
            when = QDateTime.fromMSecsSinceEpoch(started_at).time()
            more = tr("It was started at {time} and is process {number}.").format(
                time=locale.toString(when, QLocale.FormatType.ShortFormat), number=pid
            )
        self.setInformativeText(f"{more} {tr('Ending it is safe: its files start again.')}" if can_end else more)
        self._wait = self.addButton(tr("Wait"), QMessageBox.ButtonRole.AcceptRole)
        self._end = self.addButton(tr("End It and Start"), QMessageBox.ButtonRole.DestructiveRole) if can_end else None
        cancel = self.addButton(tr("Cancel"), QMessageBox.ButtonRole.RejectRole)
        self.setDefaultButton(self._wait)
        self.setEscapeButton(cancel)

    def choose(self) -> NotRespondingChoice:
        """Show it until the person chooses."""
        self.exec()
        if self.clickedButton() is self._wait:
            return NotRespondingChoice.WAIT
        is_end = self._end is not None and self.clickedButton() is self._end
        return NotRespondingChoice.END_IT if is_end else NotRespondingChoice.CANCEL
