"""The dialog for a second start whose first does not answer: wait, end it, or give up."""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING

from PySide6.QtCore import QDateTime, QLocale, Qt
from PySide6.QtWidgets import QMessageBox

from desktop_app.gui.i18n import tr
from desktop_app.gui.life.hung_program import can_end
from desktop_app.gui.widgets.dialogs import MessageBox

if TYPE_CHECKING:
    from desktop_app.gui.life.window_place import Holder


class Choice(Enum):
    """What a person wants done about it."""

    WAIT = auto()
    END_IT = auto()
    CANCEL = auto()


class NotAnswering(MessageBox):
    """Says that Filemill runs already and does not answer.

    Args:
        holder: The other program; None if it has not said who it is.
        locale: Writes the time.
    """

    def __init__(self, holder: Holder | None, locale: QLocale) -> None:
        super().__init__()
        self.setWindowTitle(tr("Filemill"))
        self.setIcon(QMessageBox.Icon.Warning)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setText(tr("Filemill is running but does not answer."))
        self.setInformativeText(_more(holder, locale))
        self._wait = self.addButton(tr("Wait"), QMessageBox.ButtonRole.AcceptRole)
        ends = holder is not None and can_end(holder.pid, holder.birth)
        self._end = self.addButton(tr("End It and Start"), QMessageBox.ButtonRole.DestructiveRole) if ends else None
        self._cancel = self.addButton(tr("Cancel"), QMessageBox.ButtonRole.RejectRole)
        self.setDefaultButton(self._wait)
        self.setEscapeButton(self._cancel)

    def choose(self) -> Choice:
        """Show it until the person chooses."""
        self.exec()
        clicked = self.clickedButton()
        if clicked is self._wait:
            return Choice.WAIT
        return Choice.END_IT if self._end is not None and clicked is self._end else Choice.CANCEL


def _more(holder: Holder | None, locale: QLocale) -> str:
    safe = tr("Ending it is safe: its files start again.")
    if holder is None:
        return tr("It may still be starting. You can wait a little longer.")
    time = locale.toString(QDateTime.fromMSecsSinceEpoch(holder.started_at).time(), QLocale.FormatType.ShortFormat)
    who = tr("It was started at {time} and is process {number}.").format(time=time, number=holder.pid)
    return f"{who} {safe}" if can_end(holder.pid, holder.birth) else who
