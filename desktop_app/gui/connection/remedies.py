"""What a person is offered for a trouble: the first button does what mends it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QGuiApplication

from desktop_app.config.settings import Connection
from desktop_app.domain.errors import Cause, QueueError, SettingsError
from desktop_app.gui.connection.sign_in import can_sign_in
from desktop_app.gui.i18n import tr, translated
from desktop_app.gui.widgets.dialogs import PairsDialog
from desktop_app.gui.widgets.notice import Notice, NoticeAction

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from PySide6.QtWidgets import QWidget

    from desktop_app.gui.connection.desk import ConnectionDesk
    from desktop_app.gui.connection.status import Trouble
    from desktop_app.gui.ports import Office


_CLOCKS = (("gnome-control-center", "datetime"), ("kcmshell6", "kcm_clock"), ("kcmshell5", "kcm_clock"))

_CLOCK_PAGES = {"win32": "ms-settings:dateandtime", "darwin": "x-apple.systempreferences:com.apple.preference.datetime"}


class Remedies(QObject):
    """Makes the buttons for the causes that `errors.Cause` lists.

    Signals:
        said(Notice): What came of pressing one.

    Args:
        office: The connection of now.
        desk: The dialog, and what is looked up.
        start_again: Starts loops that have ended by themselves.
        show_foreign: Shows the messages that are not ours.
        folder: Where the list is kept.
        window: The parent of dialogs; closed by what can only be mended at a start.
    """

    said = Signal(object)

    def __init__(
        self,
        office: Office,
        desk: ConnectionDesk,
        *,
        start_again: Callable[[], None],
        show_foreign: Callable[[], object],
        folder: Path,
        window: QWidget,
    ) -> None:
        super().__init__(window)
        self._office = office
        self._desk = desk
        self._start_again = start_again
        self._show_foreign = show_foreign
        self._folder = folder
        self._window = window

    def buttons(self, trouble: Trouble) -> tuple[NoticeAction, ...]:
        """The buttons for a trouble, the best first; none where there is nothing better than to try again."""
        make = {
            Cause.NO_SIGN_IN: self._for_no_sign_in,
            Cause.SESSION_ENDED: self._for_ended_session,
            Cause.KEYS_REFUSED: self._for_refused_keys,
            Cause.CLOCK_WRONG: self._for_wrong_clock,
            Cause.NO_REGION: self._for_no_region,
            Cause.NO_QUEUE: self._for_no_queue,
            Cause.NO_RIGHT: self._for_no_right,
            Cause.OFFLINE: self._for_patience,
            Cause.NOT_SQS: self._for_patience,
            Cause.PROXY: self._for_the_network,
            Cause.NOT_TRUSTED: self._for_the_network,
            Cause.SETUP: self._for_set_up,
            Cause.LOCAL_QUEUE: self._for_local_queue,
            Cause.FOREIGN: self._for_foreign,
            Cause.DISK_FULL: self._for_the_disk,
            Cause.DATABASE_READ_ONLY: self._for_the_disk,
            Cause.DATABASE_BUSY: self._for_patience,
            Cause.DATABASE_DAMAGED: self._for_damage,
        }.get(trouble.cause)
        return make(trouble) if make is not None else ()

    def _for_no_sign_in(self, trouble: Trouble) -> tuple[NoticeAction, ...]:
        return (self._choose("profile"), self._work_locally(), self._details(trouble))

    def _for_ended_session(self, trouble: Trouble) -> tuple[NoticeAction, ...]:
        command = trouble.error.command if isinstance(trouble.error, QueueError) else ""
        if not command:
            return (self._choose("profile"), self._try(tr("Try Now")), self._work_locally())
        copy = NoticeAction(tr("Copy Command"), partial(self._copy_command, command), keeps=True)
        if not can_sign_in():
            return (copy, self._try(tr("Try Now")), self._work_locally())
        start = NoticeAction(tr("Sign In…"), partial(self._desk.sign_in.start, command), keeps=True)
        return (start, copy, self._work_locally())

    def _for_refused_keys(self, trouble: Trouble) -> tuple[NoticeAction, ...]:
        return (self._choose("profile"), self._try(tr("Test Again")), self._details(trouble))

    def _for_wrong_clock(self, _: Trouble) -> tuple[NoticeAction, ...]:
        return (self._try(tr("Try Again")), *_clock_settings())

    def _for_no_region(self, trouble: Trouble) -> tuple[NoticeAction, ...]:
        return (self._choose("region"), self._details(trouble))

    def _for_no_queue(self, _: Trouble) -> tuple[NoticeAction, ...]:
        connection, again = self._office.connection, self._try(tr("Try Now"))
        if connection.endpoint_url:
            return (self._choose("queue"), again)
        look = partial(self._desk.regions.start, connection)
        return (self._choose("queue"), NoticeAction(tr("Look in Other Regions"), look, keeps=True), again)

    def _for_no_right(self, trouble: Trouble) -> tuple[NoticeAction, ...]:
        right = trouble.error.right if isinstance(trouble.error, QueueError) else None
        if right is None:
            return (self._details(trouble),)
        text = f"{translated(right.letter())}\n\n{right.policy()}\n"
        copy = NoticeAction(tr("Copy Request for Administrator"), partial(self._copy_request, text), keeps=True)
        if right.action == "sqs:SendMessage":
            return (copy, self._try(tr("Try Now")))
        without = NoticeAction(tr("Work Without Receiving"), self._stop_receiving)
        return (copy, without, self._try(tr("Try Now")))

    def _for_patience(self, trouble: Trouble) -> tuple[NoticeAction, ...]:
        return (self._try(tr("Try Now")), self._details(trouble))

    def _for_the_network(self, trouble: Trouble) -> tuple[NoticeAction, ...]:
        return (self._details(trouble), self._try(tr("Try Now")))

    def _for_set_up(self, trouble: Trouble) -> tuple[NoticeAction, ...]:
        return (self._choose("queue"), self._details(trouble))

    def _for_local_queue(self, trouble: Trouble) -> tuple[NoticeAction, ...]:
        return (self._try(tr("Try Now")), self._details(trouble), self._choose("queue"))

    def _for_foreign(self, _: Trouble) -> tuple[NoticeAction, ...]:
        show = NoticeAction(tr("Show Messages"), self._show_foreign, keeps=True)
        return (self._choose("queue"), show, NoticeAction(tr("Process Only Ours"), self._process_only_ours))

    def _for_the_disk(self, _: Trouble) -> tuple[NoticeAction, ...]:
        return (self._open_folder(), self._try(tr("Try Now")))

    def _for_damage(self, _: Trouble) -> tuple[NoticeAction, ...]:
        return (NoticeAction(tr("Quit"), self._window.close), self._open_folder())

    # --- the buttons

    def _choose(self, field: str) -> NoticeAction:
        text = {"profile": tr("Choose Profile…"), "region": tr("Choose Region…"), "queue": tr("Choose Queue…")}[field]
        return NoticeAction(text, partial(self._desk.show_dialog, field), keeps=True)

    def _try(self, text: str) -> NoticeAction:
        return NoticeAction(text, self._office.try_now, keeps=True)

    def _details(self, trouble: Trouble) -> NoticeAction:
        return NoticeAction(tr("Details"), partial(self.show_details, trouble), keeps=True)

    def _work_locally(self) -> NoticeAction:
        return NoticeAction(tr("Work Locally"), self._use_this_computer)

    def _open_folder(self) -> NoticeAction:
        url = QUrl.fromLocalFile(str(self._folder))
        return NoticeAction(tr("Open Folder"), partial(QDesktopServices.openUrl, url), keeps=True)

    # --- what they do

    def _use_this_computer(self) -> None:
        self._attempt(lambda: self._office.choose(Connection(), process_here=True))

    def _stop_receiving(self) -> None:
        self._attempt(self._office.stop_processing)

    def _process_only_ours(self) -> None:
        self._office.foreign.tolerate()
        self._start_again()

    def _attempt(self, act: Callable[[], None]) -> None:
        try:
            act()
        except SettingsError as error:
            self.said.emit(Notice(translated(error.text)))

    def _copy_command(self, command: str) -> None:
        QGuiApplication.clipboard().setText(command)
        self.said.emit(
            Notice(tr("Copied: {command}. Run it in a terminal; what waits goes on then.").format(command=command))
        )

    def _copy_request(self, text: str) -> None:
        QGuiApplication.clipboard().setText(text)
        self.said.emit(Notice(tr("The request was copied. Send it to who manages this AWS account."), passing=True))

    def show_details(self, trouble: Trouble) -> PairsDialog:
        """Open a window with all that is known about a trouble, to be copied."""
        error = trouble.error
        pairs = [
            (tr("What happened"), trouble.text),
            (tr("Cause"), trouble.cause.value),
            (tr("Connection"), self._office.connection.label),
            (tr("What was answered"), error.detail if error is not None else ""),
            (tr("Shown at (UTC)"), datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")),
        ]
        dialog = PairsDialog(
            tr("Details"),
            tr("This is what is known about it. Copy it to ask somebody for help."),
            (tr("What"), tr("Text")),
            [pair for pair in pairs if pair[1]],
            self._window,
        )
        dialog.show()
        return dialog


def _clock_settings() -> tuple[NoticeAction, ...]:
    """Opens the system's page for date and time, where it is known how."""
    text = tr("Open Date & Time Settings").replace("&", "&&")
    page = _CLOCK_PAGES.get(sys.platform)
    if page is not None:
        return (NoticeAction(text, partial(QDesktopServices.openUrl, QUrl(page)), keeps=True),)
    for name, argument in _CLOCKS:
        program = shutil.which(name)
        if program is not None:
            return (NoticeAction(text, partial(_start, program, argument), keeps=True),)
    return ()


def _start(program: str, argument: str) -> None:
    subprocess.Popen([program, argument], start_new_session=True)  # noqa: S603 - the system's own, found on its path
