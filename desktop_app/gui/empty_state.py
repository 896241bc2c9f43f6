"""What stands in the table's place while there is nothing in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from desktop_app.gui.look.look import program_icon
from desktop_app.gui.texts import tr

if TYPE_CHECKING:
    from desktop_app.gui.actions import Actions
    from desktop_app.gui.look.look import Look
    from desktop_app.settings import Connection

_ICON = 80


class EmptyState(QWidget):
    """Tells a person what to do first, and offers just that.

    Attributes:
        words: What happens to files.
        first: The button for what is done first.
        other_queue: The way to a queue of one's own.
    """

    def __init__(self, actions: Actions, look: Look, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("empty")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._look = look
        icon = QLabel(self)
        icon.setPixmap(program_icon().pixmap(QSize(_ICON, _ICON), self.devicePixelRatio()))
        title = QLabel(tr("Add files to process"), self)
        title.setObjectName("emptyTitle")
        self.words = words = QLabel(self)
        words.setObjectName("emptyText")
        words.setWordWrap(True)
        words.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self._buttons = [
            (QPushButton(action.text(), self), action) for action in (actions.add_files, actions.add_folder)
        ]
        self._buttons[0][0].setObjectName("primary")
        self.first = self._buttons[0][0]
        buttons = QHBoxLayout()
        buttons.setSpacing(10)
        buttons.addStretch()
        for button, action in self._buttons:
            button.clicked.connect(action.trigger)
            buttons.addWidget(button)
        self.other_queue = QPushButton(tr("Use my AWS &queue instead…"), self)
        self.other_queue.setObjectName("link")
        self.other_queue.setCursor(Qt.CursorShape.PointingHandCursor)
        self.other_queue.clicked.connect(actions.connection.trigger)
        buttons.addStretch()
        column = QVBoxLayout(self)
        column.setContentsMargins(40, 0, 40, 0)
        column.setSpacing(14)
        column.addStretch(4)
        for widget in (icon, title):
            column.addWidget(widget, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addWidget(words)  # without an alignment: else Qt would not give it the height of two lines
        column.addSpacing(6)
        column.addLayout(buttons)
        column.addWidget(self.other_queue, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(5)
        look.changed.connect(self._draw)
        self._draw()

    def follow(self, connection: Connection) -> None:
        """Say what happens to files on this queue."""
        self.other_queue.setVisible(connection.is_local)
        self.words.setText(_first_words(connection))

    def _draw(self) -> None:
        colours = self._look.colours
        for button, action in self._buttons:
            name = str(action.data())
            primary = button.objectName() == "primary"
            button.setIcon(self._look.icon(name, colours.selected_text if primary else ""))


def _first_words(connection: Connection) -> str:
    if connection.is_local:
        return tr(
            "Drop files or folders anywhere in this window. "
            "They are processed on this computer – no AWS account needed."
        )
    return tr(
        "Drop files or folders anywhere in this window. They are processed as the queue {queue} hands them out."
    ).format(queue=connection.queue_name)
