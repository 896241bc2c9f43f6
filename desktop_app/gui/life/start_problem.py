"""The dialog for a start that does not work: what is wrong, and buttons that help to mend it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QMessageBox

from desktop_app.gui.i18n import tr, translated
from desktop_app.gui.widgets.dialogs import MessageBox

if TYPE_CHECKING:
    from pathlib import Path

    from desktop_app.domain.errors import KnownError


class StartProblem(MessageBox):
    """Says why Filemill can't start.

    Args:
        error: What is wrong.
        folder: Where settings and database lie; offered to be opened if it is there.
    """

    def __init__(self, error: KnownError, folder: Path) -> None:
        super().__init__()
        self._folder = folder
        self.setWindowTitle(tr("Filemill Can't Start"))
        self.setIcon(QMessageBox.Icon.Warning)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setText(translated(error.text))
        if error.detail:
            self.setDetailedText(error.detail)
        self._again = self.addButton(tr("Try Again"), QMessageBox.ButtonRole.AcceptRole)
        self._open = self.addButton(tr("Open Folder"), QMessageBox.ButtonRole.ActionRole) if folder.is_dir() else None
        self._quit = self.addButton(tr("Quit"), QMessageBox.ButtonRole.RejectRole)
        self.setDefaultButton(self._again)
        self.setEscapeButton(self._quit)

    def wants_another_try(self) -> bool:
        """Show it until the person chooses; True for Try Again, False for Quit."""
        while True:
            self.exec()
            if self._open is None or self.clickedButton() is not self._open:
                return self.clickedButton() is self._again
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._folder)))
