"""The window's connection commands: the dialog, the banner and foreign messages."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

from desktop_app.gui.connection.banner import TroubleBanner
from desktop_app.gui.connection.dialog import ConnectionDialog
from desktop_app.gui.connection.foreign_messages import ForeignMessagesWatch
from desktop_app.gui.connection.queue_page import QueuePage
from desktop_app.gui.connection.remedies import Remedies
from desktop_app.gui.startup.shutdown import Step
from desktop_app.gui.tasks import Stream, Tasks

if TYPE_CHECKING:
    from pathlib import Path

    from PySide6.QtGui import QAction
    from PySide6.QtWidgets import QWidget

    from desktop_app.gui.connection.controller import ConnectionController
    from desktop_app.gui.theme.theme import Theme
    from desktop_app.gui.widgets.notice import NoticeBar
    from desktop_app.services.control import ProcessingControl

_THREADS = 4
"""The number of simultaneous requests to AWS."""


class ConnectionCommands(QObject):
    """Opens the Connection dialog and fills the banner, without blocking the main thread.

    Signals:
        notice(Notice): A result for the user.
        failed(str): The plain text of an error.

    Attributes:
        dialog: The dialog while it is open.
        banner: Shows the most important problem.
        foreign: Counts and shows foreign messages.

    Args:
        controller: The connection.
        bar: The notice bar of the banner.
        show_foreign: The action that shows foreign messages.
        control: Pauses and wakes the loops.
        folder: The folder of the list.
        theme: The colours and icons.
        window: The parent of dialogs.
    """

    notice = Signal(object)
    failed = Signal(str)

    def __init__(
        self,
        controller: ConnectionController,
        bar: NoticeBar,
        show_foreign: QAction,
        *,
        control: ProcessingControl,
        folder: Path,
        theme: Theme,
        window: QWidget,
    ) -> None:
        super().__init__(window)
        self._controller = controller
        self._theme = theme
        self._window = window
        # None of them uses the database.
        self._tasks = Tasks(nullcontext, threads=_THREADS, parent=self)
        self._tasks.problem.connect(self.failed)
        # They outlive the dialog: work in progress when it is closed still reports to them.
        self._listing, self._testing = Stream(self._tasks, self), Stream(self._tasks, self)
        self.dialog: ConnectionDialog | None = None
        self.foreign = ForeignMessagesWatch(controller, show_foreign, window)
        self._remedies = Remedies(
            controller,
            self._tasks,
            open_dialog=self.open_at,
            show_foreign=self.foreign.show_newest,
            try_now=control.try_now,
            folder=folder,
            window=window,
        )
        self._remedies.notice.connect(self.notice)
        self.banner = TroubleBanner(bar, self._remedies.buttons)
        controller.status.trouble_changed.connect(self.banner.set_loop_trouble)

    @Slot()
    def open(self) -> None:
        """Open the dialog or bring it to the front."""
        self.open_at("")

    def open_at(self, field: str) -> ConnectionDialog:
        """Open the dialog or bring it to the front, with the focus on a field.

        Args:
            field: `profile`, `region` or `queue`; empty for the first control.
        """
        if self.dialog is None:
            queue = QueuePage(
                self._controller,
                self._tasks,
                listing=self._listing,
                testing=self._testing,
                button_for=self._remedies.button_in_dialog,
                theme=self._theme,
            )
            self.dialog = ConnectionDialog([queue], queue.connect_to_entered, self._window)
            self.dialog.failed.connect(self.failed)
            self.dialog.finished.connect(self._forget_dialog)
            self.dialog.open()
        if field:
            self.dialog.focus_on(field)
        self.dialog.raise_()
        self.dialog.activateWindow()
        return self.dialog

    @Slot()
    def _forget_dialog(self) -> None:
        self.dialog = None

    def step(self) -> Step:
        """Return the shutdown step that ends this; requests to AWS have a time-out."""
        return Step("looking up", self._stop, lambda: self._tasks.close(0))

    def _stop(self) -> None:
        if self.dialog is not None:
            self.dialog.reject()
        self._remedies.stop()
        self._tasks.close(0)
