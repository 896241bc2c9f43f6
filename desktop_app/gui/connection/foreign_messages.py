"""Foreign messages in the queue: counted while the window is open, the newest shown on demand."""

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

    from desktop_app.gui.connection.controller import ConnectionController
    from desktop_app.services.consuming.foreign_messages import ForeignMessage

_EVERY_MS = 1_000
_TITLE = mark("Other Programs' Messages")


class ForeignMessagesWatch(QObject):
    """Counts foreign messages once a second: one signal per message could flood the main thread.

    Signals:
        counted(int): The number of foreign messages received; emitted when it changes.

    Args:
        controller: The connection.
        action: Shows the messages; enabled while there are any.
        window: The dialog's parent.
    """

    counted = Signal(int)

    def __init__(self, controller: ConnectionController, action: QAction, window: QWidget) -> None:
        super().__init__(window)
        self._controller = controller
        self._action = action
        self._window = window
        self._count = 0
        action.setEnabled(False)
        action.triggered.connect(self.show_newest)
        controller.changed.connect(self.count)
        timer = QTimer(self)
        timer.timeout.connect(self.count)
        timer.start(_EVERY_MS)

    @Slot()
    def count(self) -> None:
        """Count now."""
        count = self._controller.foreign_messages.count
        if count != self._count:
            self._count = count
            self._action.setEnabled(count > 0)
            self.counted.emit(count)

    @Slot()
    def show_newest(self) -> PairsDialog:
        """Show the newest foreign messages as plain text."""
        pairs = [(_what(message), display_text(message.body)) for message in self._controller.foreign_messages.newest()]
        dialog = PairsDialog(
            translated(_TITLE),
            tr(
                "These messages came from the queue but are not Filemill's. They were left unchanged. The "
                "newest are shown here."
            ),
            (tr("Description"), tr("Body")),
            pairs,
            self._window,
        )
        dialog.show()
        return dialog


def _what(message: ForeignMessage) -> str:
    return tr("{what}, delivered (once|%Ln times)", "", message.receive_count).format(what=translated(message.why))
