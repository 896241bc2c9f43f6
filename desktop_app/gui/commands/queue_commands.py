"""What a person does about the order and the pace of the queue, other than pausing: Process Next, Check Queue Now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

from desktop_app.domain.errors import KnownError
from desktop_app.gui.i18n import tr, translated
from desktop_app.gui.widgets.notice import Kind, Notice, NoticeAction
from desktop_app.services.control import RunMode

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from desktop_app.domain.job import PriorityResult
    from desktop_app.gui.commands.actions import Actions
    from desktop_app.gui.table.view import JobsView
    from desktop_app.gui.window.window_parts import WindowParts


class QueueCommands(QObject):
    """Connects the actions.

    Signals:
        said(Notice): What a person should know about it.
    """

    said = Signal(object)

    def __init__(self, needs: WindowParts, actions: Actions, view: JobsView) -> None:
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

    def _say_moved(self, moved: PriorityResult) -> None:
        self.said.emit(Notice(moved_text(moved, may_begin=self._needs.switch.may_begin), passing=True))

    @Slot()
    def check_queue(self) -> None:
        """Send, receive and look after what is missing now, not when it is time."""
        self._needs.try_now()
        self.said.emit(Notice(tr("Looking at the queue now."), passing=True))


def moved_text(moved: PriorityResult, *, may_begin: bool) -> str:
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


class Pausing(QObject):
    """Connects the actions. How it stands is the switch's business, which the consumer's thread turns too.

    Signals:
        pace_changed(Pace): How it stands now.
        said(Notice): What a person should know about it.

    Args:
        needs: The switch, what keeps for the next start whether it is paused, and how many files wait.
        actions: `pause` and `stop_after_current` are used.
        window: Qt's owner.
    """

    pace_changed = Signal(object)
    said = Signal(object)
    _turned = Signal()

    def __init__(self, needs: WindowParts, actions: Actions, window: QWidget) -> None:
        super().__init__(window)
        self._switch = needs.switch
        self._remember = needs.remember_paused
        self._actions = actions
        self._totals = needs.workbench.totals
        self._shown = RunMode.RUNNING
        actions.pause.triggered.connect(self.toggle)
        actions.stop_after_current.triggered.connect(self.finish)
        self._turned.connect(self._follow)
        self._switch.on_change(self._hear)

    @property
    def title(self) -> str:
        """What stands before the window's title."""
        if self._shown is RunMode.PAUSED:
            return tr("[Paused]") + " "
        return tr("[Pausing]") + " " if self._shown is RunMode.FINISHING else ""

    def open(self) -> None:
        """Show how it was left, and say so: nobody should wait for files that nobody works on."""
        self._show()
        if self._shown is RunMode.PAUSED:
            self._say(tr("Filemill is paused, as it was left. No file is begun until you resume."), lasts=True)

    def close(self) -> None:
        """Hear nothing any more."""
        self._switch.forget(self._hear)

    @Slot()
    def toggle(self) -> None:
        """Pause, or go on; also from the middle of stopping after the current files."""
        if self._switch.pace is RunMode.RUNNING:
            self._switch.pause()
            self._say(tr("Paused. What is in work goes on to its end; no other file is begun."))
            self._keep(paused=True)
        else:
            self.resume()

    def resume(self) -> None:
        """Go on."""
        self._switch.resume()
        self._say(tr("Files are processed again."))
        self._keep(paused=False)

    @Slot()
    def finish(self) -> None:
        """Pause after the current files."""
        if self._switch.pace is not RunMode.RUNNING:
            return
        self._say(tr("Filemill pauses as soon as the files in work are finished."), lasts=True)
        self._switch.finish()
        self._keep(paused=True)

    def _hear(self, _pace: RunMode) -> None:
        """On any thread."""
        self._turned.emit()

    @Slot()
    def _follow(self) -> None:
        before = self._shown
        self._show()
        if (before, self._shown) == (RunMode.FINISHING, RunMode.PAUSED):
            text = tr("Paused after the current files. %Ln file(s) (waits|wait).", "", self._totals.counts.pending)
            self._say(text, lasts=True)

    def _show(self) -> None:
        pace = self._switch.pace
        self._shown = pace
        if pace is RunMode.RUNNING:
            self._actions.change(self._actions.pause, tr("&Pause"), tr("Begin no file until you resume"), "pause")
        else:
            self._actions.change(self._actions.pause, tr("Res&ume"), tr("Go on with the files that wait"), "resume")
        self._actions.stop_after_current.setEnabled(pace is RunMode.RUNNING)
        self.pace_changed.emit(pace)

    def _say(self, text: str, *, lasts: bool = False) -> None:
        resume = (NoticeAction(tr("Resume"), self.resume),) if lasts else ()
        self.said.emit(Notice(text, actions=resume, passing=not lasts))

    def _keep(self, *, paused: bool) -> None:
        try:
            self._remember(paused)
        except KnownError as error:
            self.said.emit(Notice(translated(error.text), Kind.WARNING))
