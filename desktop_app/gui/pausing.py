"""Pause, Resume, Stop After the Current Files: from the actions to the switch, and back to what the window shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

from desktop_app.errors import KnownError
from desktop_app.gui.texts import tr, translated
from desktop_app.gui.widgets.notice import Kind, Notice, NoticeAction
from desktop_app.services.switch import Pace

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from desktop_app.gui.actions import Actions
    from desktop_app.gui.window_needs import WindowNeeds


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

    def __init__(self, needs: WindowNeeds, actions: Actions, window: QWidget) -> None:
        super().__init__(window)
        self._switch = needs.switch
        self._remember = needs.remember_paused
        self._actions = actions
        self._totals = needs.workbench.totals
        self._shown = Pace.RUNNING
        actions.pause.triggered.connect(self.toggle)
        actions.stop_after_current.triggered.connect(self.finish)
        self._turned.connect(self._follow)
        self._switch.on_change(self._hear)

    @property
    def title(self) -> str:
        """What stands before the window's title."""
        if self._shown is Pace.PAUSED:
            return tr("[Paused]") + " "
        return tr("[Pausing]") + " " if self._shown is Pace.FINISHING else ""

    def open(self) -> None:
        """Show how it was left, and say so: nobody should wait for files that nobody works on."""
        self._show()
        if self._shown is Pace.PAUSED:
            self._say(tr("Filemill is paused, as it was left. No file is begun until you resume."), lasts=True)

    def close(self) -> None:
        """Hear nothing any more."""
        self._switch.forget(self._hear)

    @Slot()
    def toggle(self) -> None:
        """Pause, or go on; also from the middle of stopping after the current files."""
        if self._switch.pace is Pace.RUNNING:
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
        if self._switch.pace is not Pace.RUNNING:
            return
        self._say(tr("Filemill pauses as soon as the files in work are finished."), lasts=True)
        self._switch.finish()
        self._keep(paused=True)

    def _hear(self, _pace: Pace) -> None:
        """On any thread."""
        self._turned.emit()

    @Slot()
    def _follow(self) -> None:
        before = self._shown
        self._show()
        if (before, self._shown) == (Pace.FINISHING, Pace.PAUSED):
            text = tr("Paused after the current files. %Ln file(s) (waits|wait).", "", self._totals.counts.pending)
            self._say(text, lasts=True)

    def _show(self) -> None:
        pace = self._switch.pace
        self._shown = pace
        if pace is Pace.RUNNING:
            self._actions.change(self._actions.pause, tr("&Pause"), tr("Begin no file until you resume"), "pause")
        else:
            self._actions.change(self._actions.pause, tr("Res&ume"), tr("Go on with the files that wait"), "resume")
        self._actions.stop_after_current.setEnabled(pace is Pace.RUNNING)
        self.pace_changed.emit(pace)

    def _say(self, text: str, *, lasts: bool = False) -> None:
        resume = (NoticeAction(tr("Resume"), self.resume),) if lasts else ()
        self.said.emit(Notice(text, actions=resume, passing=not lasts))

    def _keep(self, *, paused: bool) -> None:
        try:
            self._remember(paused)
        except KnownError as error:
            self.said.emit(Notice(translated(error.text), Kind.WARNING))
