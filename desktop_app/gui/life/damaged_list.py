"""The dialog for a database that is damaged: the person chooses what takes its place."""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING

from PySide6.QtCore import QDateTime, QLocale, Qt
from PySide6.QtWidgets import QMessageBox

from desktop_app.gui.i18n import tr, translated
from desktop_app.gui.widgets.dialogs import MessageBox

if TYPE_CHECKING:
    from desktop_app.domain.errors import KnownError


class Choice(Enum):
    """What the person wants."""

    USE_COPY = auto()
    START_EMPTY = auto()
    QUIT = auto()


class DamagedList(MessageBox):
    """Says that the list can't be read, and offers the newest copy of it or an empty one.

    Args:
        error: What is wrong.
        copy_made_at: When the newest copy was made, in milliseconds since 1970; None if there is none.
        locale: For the time.
    """

    def __init__(self, error: KnownError, copy_made_at: int | None, locale: QLocale) -> None:
        super().__init__()
        self.setWindowTitle(tr("The List Can't Be Read"))
        self.setIcon(QMessageBox.Icon.Warning)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setText(tr("The database that holds the list of files is damaged."))
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

    def choose(self) -> Choice:
        """Show it until the person has chosen."""
        self.exec()
        if self._copy is not None and self.clickedButton() is self._copy:
            return Choice.USE_COPY
        return Choice.START_EMPTY if self.clickedButton() is self._empty else Choice.QUIT
