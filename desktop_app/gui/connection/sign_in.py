"""Runs AWS's own command to sign in again, which opens a web page for it."""

from __future__ import annotations

import shlex
import shutil
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QProcess, Signal, Slot

from desktop_app.gui.i18n import tr
from desktop_app.gui.widgets.notice import Kind, Notice, NoticeAction

if TYPE_CHECKING:
    from collections.abc import Callable


def can_sign_in() -> bool:
    """Whether AWS's command line is installed here."""
    return shutil.which("aws") is not None


class SignIn(QObject):
    """One sign-in at a time; nothing is asked for or kept by us.

    Signals:
        said(Notice): How it goes.

    Args:
        then: Called when the person has signed in.
        parent: Qt's owner.
    """

    said = Signal(object)

    def __init__(self, then: Callable[[], None], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._then = then
        self._process: QProcess | None = None

    @property
    def is_running(self) -> bool:
        """Whether a sign-in is under way."""
        return self._process is not None

    def start(self, command: str) -> None:
        """Begin, unless one is under way.

        Args:
            command: Such as `aws sso login --profile prod`.
        """
        if self._process is not None:
            return
        name, *words = shlex.split(command)
        process = QProcess(self)
        process.setProcessChannelMode(QProcess.ProcessChannelMode.MergedChannels)
        process.setStandardInputFile(QProcess.nullDevice())
        process.finished.connect(self._finish)
        process.errorOccurred.connect(self._give_up)
        self._process = process
        self.said.emit(
            Notice(
                tr("A web page opens for it. What waits goes on as soon as you are signed in."),
                actions=(NoticeAction(tr("Cancel"), self.stop),),
                title=tr("Signing in: {command}").format(command=command),
            )
        )
        process.start(shutil.which(name) or name, words)

    @Slot()
    def stop(self) -> None:
        """End it; the person does not want it any more, or the window closes."""
        process, self._process = self._process, None
        if process is not None:
            process.finished.disconnect(self._finish)
            process.errorOccurred.disconnect(self._give_up)
            process.kill()
            process.waitForFinished(500)
            process.deleteLater()

    @Slot(int)
    def _finish(self, code: int) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        lines = bytes(process.readAll().data()).decode(errors="replace").strip().splitlines()
        process.deleteLater()
        if code == 0:
            self.said.emit(Notice(tr("Signed in. What waited goes on."), passing=True))
            self._then()
            return
        why = lines[-1] if lines else tr("It ended with {code}.").format(code=code)
        self.said.emit(Notice(why, Kind.PROBLEM, title=tr("The sign-in did not succeed")))

    @Slot()
    def _give_up(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            why = process.errorString()
            process.deleteLater()
            self.said.emit(Notice(why, Kind.PROBLEM, title=tr("The sign-in could not be started")))
