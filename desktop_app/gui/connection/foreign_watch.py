"""Counts the messages in the queue that are not ours, and shows the newest of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from desktop_app.domain.job import display_text
from desktop_app.domain.sentences import mark
from desktop_app.gui.i18n import tr, translated
from desktop_app.gui.widgets.dialogs import PairsDialog

if TYPE_CHECKING:
    from PySide6.QtGui import QAction
    from PySide6.QtWidgets import QWidget

    from desktop_app.services.consuming.foreign_messages import ForeignMessage, ForeignMessages

_EVERY_MS = 1_000
_TITLE = mark("Other Programs' Messages")


class ForeignWatch(QObject):
    """Looks once a second, so that no message has to be told to the main thread.

    Signals:
        counted(int): How often a foreign message has come, when that changes.

    Args:
        mail: What came.
        action: Shows them; offered while there are any.
        window: The dialog's parent.
    """

    counted = Signal(int)

    def __init__(self, mail: ForeignMessages, action: QAction, window: QWidget) -> None:
        super().__init__(window)
        self._mail = mail
        self._action = action
        self._window = window
        self._count = 0
        action.setEnabled(False)
        action.triggered.connect(self.show_newest)
        timer = QTimer(self)
        timer.timeout.connect(self.look)
        timer.start(_EVERY_MS)

    def watch(self, mail: ForeignMessages) -> None:
        """Look at another queue's from now on."""
        self._mail = mail
        self.look()

    @Slot()
    def look(self) -> None:
        """Count now."""
        count = self._mail.count
        if count != self._count:
            self._count = count
            self._action.setEnabled(count > 0)
            self.counted.emit(count)

    @Slot()
    def show_newest(self) -> PairsDialog:
        """Open a window with the newest ones, as plain text."""
        pairs = [(_what(message), display_text(message.body)) for message in self._mail.newest()]
        dialog = PairsDialog(
            translated(_TITLE),
            tr("These came from the queue and are not Filemill's. They were left as they are; here are the newest."),
            (tr("What it is"), tr("What it says")),
            pairs,
            self._window,
        )
        dialog.show()
        return dialog


def _what(message: ForeignMessage) -> str:
    return tr("{what}, delivered (once|%Ln times)", "", message.receive_count).format(what=translated(message.why))
