"""Makes a whole window a place to drop files on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Signal
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent

from desktop_app.gui.adding.dropped import dragged_paths, drop_text, named_places

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from desktop_app.gui.adding.drop_overlay import DropOverlay
    from desktop_app.gui.wording import Wording


class DropTarget(QObject):
    """Hears what is dragged over a window, and says on its overlay what a drop would do.

    Signals:
        dropped(list): The paths that were dropped.
    """

    dropped = Signal(list)

    def __init__(self, window: QWidget, overlay: DropOverlay, wording: Wording) -> None:
        super().__init__(window)
        self._overlay = overlay
        self._wording = wording
        self._welcome = False
        window.setAcceptDrops(True)
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take the events of a drag; all others go their way."""
        if isinstance(event, QDragEnterEvent):
            self._enter(event)
        elif isinstance(event, QDragMoveEvent):
            self._move(event)
        elif event.type() is QEvent.Type.DragLeave:
            self._overlay.hide()
            event.accept()
        elif isinstance(event, QDropEvent):
            self._drop(event)
        else:
            return super().eventFilter(watched, event)
        return True

    def _enter(self, event: QDragEnterEvent) -> None:
        """Taken in any case: who refuses here is not told when the drag leaves."""
        paths = dragged_paths(event.mimeData())
        self._welcome = bool(paths)
        self._overlay.say(drop_text(paths, self._wording), welcome=self._welcome)
        event.acceptProposedAction()

    def _move(self, event: QDragMoveEvent) -> None:
        """Let the mouse pointer show whether a drop would do something."""
        if self._welcome:  # as it came in: thousands of paths can't be read at each step of the mouse
            event.acceptProposedAction()
        else:
            event.ignore()

    def _drop(self, event: QDropEvent) -> None:
        self._overlay.hide()
        if dragged_paths(event.mimeData()):
            event.acceptProposedAction()
            self.dropped.emit(named_places(event.mimeData()))
