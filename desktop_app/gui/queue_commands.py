"""What a person does about the order and the pace of the queue, other than pausing: Process Next, Check Queue Now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

from desktop_app.gui.texts import tr
from desktop_app.gui.widgets.notice import Notice

if TYPE_CHECKING:
    from desktop_app.gui.actions import Actions
    from desktop_app.gui.table.jobs_view import JobsView
    from desktop_app.gui.window_needs import WindowNeeds
    from desktop_app.moved import Moved


class QueueCommands(QObject):
    """Connects the actions.

    Signals:
        said(Notice): What a person should know about it.
    """

    said = Signal(object)

    def __init__(self, needs: WindowNeeds, actions: Actions, view: JobsView) -> None:
        super().__init__(view)
        self._needs = needs
        self._view = view
        actions.process_next.triggered.connect(self.process_next)
        actions.check_queue.triggered.connect(self.check_queue)

    @Slot()
    def process_next(self) -> None:
        """Let the selected files that wait come before all others."""
        commands = self._needs.workbench.commands
        commands.process_next(self._view.selected_ids(), self._say_moved)

    def _say_moved(self, moved: Moved) -> None:
        self.said.emit(Notice(moved_text(moved, may_begin=self._needs.switch.may_begin), passing=True))

    @Slot()
    def check_queue(self) -> None:
        """Send, receive and look after what is missing now, not when it is time."""
        self._needs.session.try_now()
        self.said.emit(Notice(tr("Looking at the queue now."), passing=True))


def moved_text(moved: Moved, *, may_begin: bool) -> str:
    """What became of files that should be next.

    Args:
        moved: It.
        may_begin: False while it is paused.
    """
    if not moved.keys:
        return tr("Only files that wait for this queue can be next; these are in work already, or have ended.")
    if moved.is_served:
        if may_begin:
            return tr("%Ln file(s) (is|are) processed next.", "", len(moved.keys))
        return tr("%Ln file(s) (is|are) processed next once you resume.", "", len(moved.keys))
    texts = []
    if moved.front:
        texts.append(tr("%Ln file(s) moved to the front.", "", moved.front))
    if moved.sent:
        text = tr("%Ln file(s) (is|are) in the queue already, where the order can't be changed.", "", moved.sent)
        texts.append(text)
    return " ".join(texts)
