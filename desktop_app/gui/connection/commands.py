"""The window's connection commands: the Connection dialog, the buttons in the banner, and foreign messages."""

from __future__ import annotations

from contextlib import nullcontext
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from desktop_app.domain.sentences import display_text
from desktop_app.gui.connection.dialog import ConnectionDialog
from desktop_app.gui.connection.queue_page import QueuePage
from desktop_app.gui.connection.remedies import Remedies
from desktop_app.gui.connection.status import TroubleBanner
from desktop_app.gui.i18n import tr, translated
from desktop_app.gui.startup.shutdown import Step
from desktop_app.gui.tasks import Stream, Tasks
from desktop_app.gui.widgets.dialogs import PairsDialog
from desktop_app.gui.widgets.notice import Kind, Notice

if TYPE_CHECKING:
    from pathlib import Path

    from PySide6.QtGui import QAction
    from PySide6.QtWidgets import QWidget

    from desktop_app.config.settings import Connection
    from desktop_app.domain.errors import KnownError
    from desktop_app.gui.connection.controller import ConnectionController
    from desktop_app.gui.theme.theme import Theme
    from desktop_app.gui.widgets.notice import NoticeBar
    from desktop_app.services.consuming.foreign_messages import ForeignMessage
    from desktop_app.services.control import ProcessingControl

_THREADS = 4
"""The maximum number of simultaneous requests to AWS."""


class ConnectionCommands(QObject):
    """Opens the Connection dialog, and shows problems and foreign messages. Requests are sent off the main thread.

    Signals:
        notice(Notice): The result of pressing a button in the banner.
        failed(str): The plain text of an error.

    Attributes:
        dialog: The open Connection dialog, or None.
        banner: The banner for the most important problem.
        foreign: The watch that counts and shows foreign messages.

    Args:
        controller: The current connection.
        bar: The notice bar for the banner.
        show_foreign: The action that shows foreign messages.
        control: The processing control, which can make the loops try again at once.
        folder: The folder that contains the database.
        theme: The colours and icons.
        window: The parent of the dialogs.
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
        self._folder = folder
        self._theme = theme
        self._window = window
        # The tasks do not use the database.
        self._tasks = Tasks(nullcontext, threads=_THREADS, parent=self)
        self._tasks.problem.connect(self.failed)
        # The streams outlive the dialog: a task that is still running when the dialog is closed reports to them.
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
            field: `profile`, `region`, `queue` or `keys`; empty to leave the focus unchanged.
        """
        if self.dialog is None:
            queue = QueuePage(
                self._controller,
                self._tasks,
                listing=self._listing,
                testing=self._testing,
                button_for=self._remedies.button_in_dialog,
                keep_keys=self._keep_keys,
                local_facts=self._local_facts(),
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

    def _local_facts(self) -> str:
        """Return where the queue on this computer lies."""
        return tr("The list and its queue are in {folder}.").format(folder=display_text(str(self._folder)))

    def _keep_keys(self, entered: Connection, before: Connection | None, remember: bool) -> None:  # noqa: FBT001 - a callback
        keep = partial(self._controller.keep_keys, entered, before, remember=remember)
        self._tasks.run(keep, lambda _: None, self._show_keyring_problem)

    def _show_keyring_problem(self, error: KnownError) -> None:
        title = tr("The system's keyring was not changed")
        self.notice.emit(Notice(translated(error.text), Kind.WARNING, title=title))

    @Slot()
    def _forget_dialog(self) -> None:
        self.dialog = None

    def step(self) -> Step:
        """Return the shutdown step that closes the dialog and waits for pending requests, which have a timeout."""
        return Step("requests", self._stop, lambda: self._tasks.close(0))

    def _stop(self) -> None:
        if self.dialog is not None:
            self.dialog.reject()
        self._remedies.stop()
        self._tasks.close(0)


_COUNT_MS = 1_000


class ForeignMessagesWatch(QObject):
    """Counts foreign messages once a second, because a signal for each message could flood the event loop.

    Signals:
        counted(int): The number of different foreign messages received; emitted when it changes.

    Args:
        controller: The current connection.
        action: The action that shows the messages; enabled once there are any.
        window: The parent of the dialog.
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
        timer.start(_COUNT_MS)

    @Slot()
    def count(self) -> None:
        """Update the number of foreign messages."""
        count = self._controller.foreign_messages.count
        if count != self._count:
            self._count = count
            self._action.setEnabled(count > 0)
            self.counted.emit(count)

    @Slot()
    def show_newest(self) -> PairsDialog:
        """Open a dialog with the newest foreign messages, as plain text."""
        pairs = [
            (_description(message), display_text(message.body))
            for message in self._controller.foreign_messages.newest()
        ]
        dialog = PairsDialog(
            tr("Other Programs' Messages"),
            tr(
                "These messages came from the queue but are not Filemill's. They were left unchanged. The "
                "newest are shown here."
            ),
            (tr("Description"), tr("Body")),
            pairs,
            self._window,
            name="foreign",
        )
        dialog.show()
        return dialog


def _description(message: ForeignMessage) -> str:
    return tr("{what}, delivered (once|%Ln times)", "", message.receive_count).format(what=translated(message.why))
