"""Everything about the connection that a person does in the window: opens the dialog, and what banners offer."""

from __future__ import annotations

from contextlib import nullcontext
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QGuiApplication

from desktop_app.domain.errors import KnownError, QueueError, SettingsError
from desktop_app.gui.connection.dialog import ConnectionDialog, LookUps
from desktop_app.gui.connection.region_search import RegionSearch
from desktop_app.gui.connection.sign_in import SignIn, can_sign_in
from desktop_app.gui.i18n import tr, translated
from desktop_app.gui.startup.shutdown import Step
from desktop_app.gui.tasks import Stream, Tasks
from desktop_app.gui.widgets.notice import NoticeAction

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from desktop_app.config.settings import Connection
    from desktop_app.gui.ports import Office
    from desktop_app.gui.theme.theme import Theme
    from desktop_app.services.support.connection_advisor import ConnectionAdvisor

_AT_ONCE = 4


class ConnectionDesk(QObject):
    """Opens the dialog, one at a time, and keeps what it looks up off the main thread.

    Signals:
        complained(str): Something could not be done; a plain text.

    Attributes:
        dialog: The one that is open.
        sign_in: Runs AWS's own command for that.
        regions: Looks for a queue elsewhere.

    Args:
        office: The connection of now.
        advisor: Looks things up.
        look: How the dialog looks.
        window: Its parent.
    """

    complained = Signal(str)

    def __init__(self, office: Office, advisor: ConnectionAdvisor, look: Theme, window: QWidget) -> None:
        super().__init__(window)
        self._office = office
        self._look = look
        self._window = window
        # None of them uses the database.
        self._tasks = Tasks(nullcontext, threads=_AT_ONCE, parent=self)
        self._tasks.problem.connect(self.complained)
        self._look_ups = LookUps(
            advisor, self._tasks, Stream(self._tasks, self), Stream(self._tasks, self), self._remedy
        )
        self.dialog: ConnectionDialog | None = None
        self.sign_in = SignIn(office.try_now, self)
        self.regions = RegionSearch(advisor, self._tasks, self._use, self)

    @Slot()
    def open(self) -> None:
        """Show the dialog, or bring it to the front."""
        self.show_dialog()

    def show_dialog(self, field: str = "") -> ConnectionDialog:
        """Show the dialog, with the keyboard on a field of its form."""
        if self.dialog is None:
            self.dialog = ConnectionDialog(self._office, self._look_ups, self._look, self._window)
            self.dialog.complained.connect(self.complained)
            self.dialog.finished.connect(self._forget)
            self.dialog.open()
        if field:
            self.dialog.focus_on(field)
        self.dialog.raise_()
        self.dialog.activateWindow()
        return self.dialog

    @Slot()
    def _forget(self) -> None:
        self.dialog = None

    def _use(self, connection: Connection) -> None:
        """The person has chosen one of the queues that were found."""
        try:
            self._office.choose(connection, process_here=self._office.processes_here)
        except SettingsError as error:
            self.complained.emit(translated(error.text))

    def _remedy(self, error: KnownError) -> NoticeAction | None:
        """What the dialog offers for what its test has found, beside its own fields."""
        if not isinstance(error, QueueError):
            return None
        if error.command and can_sign_in():
            return NoticeAction(tr("Sign In…"), partial(self.sign_in.start, error.command))
        if error.command:
            return NoticeAction(tr("Copy Command"), partial(QGuiApplication.clipboard().setText, error.command))
        if error.right is not None:
            text = f"{translated(error.right.letter())}\n\n{error.right.policy()}\n"
            return NoticeAction(tr("Copy Request"), partial(QGuiApplication.clipboard().setText, text))
        return None

    def step(self) -> Step:
        """Ending this, as a step of a shutdown. What waits for AWS has a time-out."""
        return Step("looking up", self._stop, lambda: self._tasks.close(0))

    def _stop(self) -> None:
        if self.dialog is not None:
            self.dialog.reject()
        self.regions.stop()
        self.sign_in.stop()
        self._tasks.close(0)
