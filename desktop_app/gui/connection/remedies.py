"""The remedies for a problem: buttons, the best first, and what they start."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QProcess, QUrl, Signal, Slot
from PySide6.QtGui import QDesktopServices, QGuiApplication

from desktop_app.config.settings import Connection
from desktop_app.domain.errors import Cause, KnownError, QueueError, SettingsError
from desktop_app.gui.connection.status import Need
from desktop_app.gui.i18n import tr, translated
from desktop_app.gui.tasks import Stream
from desktop_app.gui.widgets.dialogs import PairsDialog
from desktop_app.gui.widgets.notice import Kind, Notice, NoticeAction

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from PySide6.QtWidgets import QWidget

    from desktop_app.domain.connection_checks import FoundQueue
    from desktop_app.domain.iam_policy import MissingRight
    from desktop_app.gui.connection.controller import ConnectionController
    from desktop_app.gui.connection.status import Trouble
    from desktop_app.gui.tasks import Tasks
    from desktop_app.services.support.connection_advisor import ConnectionAdvisor


_CLOCKS = (("gnome-control-center", "datetime"), ("kcmshell6", "kcm_clock"), ("kcmshell5", "kcm_clock"))
_CLOCK_PAGES = {"win32": "ms-settings:dateandtime", "darwin": "x-apple.systempreferences:com.apple.preference.datetime"}
_MOST_REGIONS = 3
"""At most this many of the regions in which a queue was found get a button."""


class Remedies(QObject):
    """Makes the buttons for a problem: by its cause where that is known, else by what the user can do.

    Signals:
        notice(Notice): The result of pressing a button.

    Args:
        controller: The connection.
        tasks: The pool for searching other regions.
        open_dialog: Opens the Connection dialog with the focus on a field.
        show_foreign: Shows the foreign messages.
        try_now: Lets the loops try again at once.
        folder: The folder of the list.
        window: The parent of dialogs; closed by remedies that need a restart.
    """

    notice = Signal(object)

    def __init__(
        self,
        controller: ConnectionController,
        tasks: Tasks,
        *,
        open_dialog: Callable[[str], object],
        show_foreign: Callable[[], object],
        try_now: Callable[[], None],
        folder: Path,
        window: QWidget,
    ) -> None:
        super().__init__(window)
        self._controller = controller
        self._open_dialog = open_dialog
        self._show_foreign = show_foreign
        self._try_now = try_now
        self._folder = folder
        self._window = window
        self._sign_in = SignIn(try_now, self)
        self._regions = RegionSearch(controller.advisor, tasks, self._use_found, self)
        self._sign_in.notice.connect(self.notice)
        self._regions.notice.connect(self.notice)

    def stop(self) -> None:
        """Stop signing in and searching."""
        self._regions.stop()
        self._sign_in.stop()

    def buttons(self, trouble: Trouble) -> tuple[NoticeAction, ...]:
        """Return the buttons for a problem, the best first."""
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
        if make is not None:
            return make(trouble)
        return {
            Need.NOTHING: (),
            Need.PATIENCE: (self._try(tr("Try Now")),),
            Need.RESTART: (NoticeAction(tr("Restart"), self._controller.start),),
            Need.PERMISSION: (
                NoticeAction(tr("Process Here"), partial(self._attempt, self._controller.allow_processing)),
            ),
        }[trouble.need]

    def button_in_dialog(self, error: KnownError) -> NoticeAction | None:
        """Return the button for what a test found; None where the dialog's own fields are the remedy."""
        if not isinstance(error, QueueError):
            return None
        if error.command:
            return self._sign_in_buttons(error.command)[0]
        return self._copy_request(error.right) if error.right is not None else None

    # --- by cause

    def _for_no_sign_in(self, trouble: Trouble) -> tuple[NoticeAction, ...]:
        return (self._choose("profile"), self._work_locally(), self._details(trouble))

    def _for_ended_session(self, trouble: Trouble) -> tuple[NoticeAction, ...]:
        command = trouble.error.command if isinstance(trouble.error, QueueError) else ""
        buttons = self._sign_in_buttons(command) if command else (self._choose("profile"),)
        if len(buttons) == 1:
            buttons = (*buttons, self._try(tr("Try Now")))
        return (*buttons, self._work_locally())

    def _for_refused_keys(self, trouble: Trouble) -> tuple[NoticeAction, ...]:
        return (self._choose("profile"), self._try(tr("Test Again")), self._details(trouble))

    def _for_wrong_clock(self, _: Trouble) -> tuple[NoticeAction, ...]:
        return (self._try(tr("Try Again")), *_clock_settings())

    def _for_no_region(self, trouble: Trouble) -> tuple[NoticeAction, ...]:
        return (self._choose("region"), self._details(trouble))

    def _for_no_queue(self, _: Trouble) -> tuple[NoticeAction, ...]:
        connection, again = self._controller.connection, self._try(tr("Try Now"))
        if connection.endpoint_url:
            return (self._choose("queue"), again)
        look = partial(self._regions.start, connection)
        return (self._choose("queue"), NoticeAction(tr("Look in Other Regions"), look, keeps=True), again)

    def _for_no_right(self, trouble: Trouble) -> tuple[NoticeAction, ...]:
        right = trouble.error.right if isinstance(trouble.error, QueueError) else None
        if right is None:
            return (self._details(trouble),)
        buttons = [self._copy_request(right), self._try(tr("Try Now"))]
        if right.action != "sqs:SendMessage":
            stop = partial(self._attempt, self._controller.stop_processing)
            buttons.insert(1, NoticeAction(tr("Send Only"), stop))
        return tuple(buttons)

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
        return (
            self._choose("queue"),
            show,
            NoticeAction(tr("Process Only Filemill's"), self._controller.tolerate_foreign_messages),
        )

    def _for_the_disk(self, _: Trouble) -> tuple[NoticeAction, ...]:
        return (self._open_folder(), self._try(tr("Try Now")))

    def _for_damage(self, _: Trouble) -> tuple[NoticeAction, ...]:
        return (NoticeAction(tr("Quit"), self._window.close), self._open_folder())

    # --- the buttons

    def _choose(self, field: str) -> NoticeAction:
        text = {"profile": tr("Choose Profile…"), "region": tr("Choose Region…"), "queue": tr("Choose Queue…")}[field]
        return NoticeAction(text, partial(self._open_dialog, field), keeps=True)

    def _try(self, text: str) -> NoticeAction:
        return NoticeAction(text, self._try_now, keeps=True)

    def _details(self, trouble: Trouble) -> NoticeAction:
        return NoticeAction(tr("Details"), partial(self._show_details, trouble), keeps=True)

    def _work_locally(self) -> NoticeAction:
        use = partial(self._controller.choose, Connection(), process_here=True)
        return NoticeAction(tr("Work Locally"), partial(self._attempt, use))

    def _open_folder(self) -> NoticeAction:
        url = QUrl.fromLocalFile(str(self._folder))
        return NoticeAction(tr("Open Folder"), partial(QDesktopServices.openUrl, url), keeps=True)

    def _sign_in_buttons(self, command: str) -> tuple[NoticeAction, ...]:
        """Return the buttons for signing in again; only Copy Command where the AWS CLI is not installed."""
        copy = NoticeAction(tr("Copy Command"), partial(self._copy_command, command), keeps=True)
        if shutil.which("aws") is None:
            return (copy,)
        return (NoticeAction(tr("Sign In…"), partial(self._sign_in.start, command), keeps=True), copy)

    def _copy_request(self, right: MissingRight) -> NoticeAction:
        text = f"{translated(right.request_text())}\n\n{right.policy()}\n"
        return NoticeAction(tr("Copy Request"), partial(self._copy_to_clipboard, text), keeps=True)

    # --- what they do

    def _use_found(self, connection: Connection) -> None:
        self._attempt(partial(self._controller.choose, connection, process_here=self._controller.processes_here))

    def _attempt(self, act: Callable[[], None]) -> None:
        try:
            act()
        except SettingsError as error:
            self.notice.emit(Notice(translated(error.text), Kind.PROBLEM))

    def _copy_command(self, command: str) -> None:
        QGuiApplication.clipboard().setText(command)
        self.notice.emit(
            Notice(tr("Copied: {command}. Run it in a terminal; waiting files then continue.").format(command=command))
        )

    def _copy_to_clipboard(self, text: str) -> None:
        QGuiApplication.clipboard().setText(text)
        self.notice.emit(
            Notice(tr("The request was copied. Send it to the administrator of this AWS account."), passing=True)
        )

    def _show_details(self, trouble: Trouble) -> None:
        """Show all details of a problem, to be copied."""
        error = trouble.error
        pairs = [
            (tr("What happened"), trouble.text),
            (tr("Cause"), trouble.cause.value),
            (tr("Connection"), self._controller.connection.label),
            (tr("Response"), error.detail if error is not None else ""),
            (tr("Shown at (UTC)"), datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")),
        ]
        dialog = PairsDialog(
            tr("Details"),
            tr("Copy these details when you ask for help."),
            (tr("What"), tr("Text")),
            [pair for pair in pairs if pair[1]],
            self._window,
        )
        dialog.show()


def _clock_settings() -> tuple[NoticeAction, ...]:
    """Return the button that opens the system's date and time settings, where that is supported."""
    text = tr("Open Date & Time Settings").replace("&", "&&")
    page = _CLOCK_PAGES.get(sys.platform)
    if page is not None:
        return (NoticeAction(text, partial(QDesktopServices.openUrl, QUrl(page)), keeps=True),)
    for name, argument in _CLOCKS:
        program = shutil.which(name)
        if program is not None:
            return (NoticeAction(text, partial(_start_program, program, argument), keeps=True),)
    return ()


def _start_program(program: str, argument: str) -> None:
    subprocess.Popen([program, argument], start_new_session=True)  # noqa: S603 - the system's own, found on its path


class SignIn(QObject):
    """Runs the AWS CLI's sign-in command, which opens a web page; one at a time. Stores no secrets.

    Signals:
        notice(Notice): The progress and the result.

    Args:
        then: Called when the user has signed in.
        parent: The parent.
    """

    notice = Signal(object)

    def __init__(self, then: Callable[[], None], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._then = then
        self._process: QProcess | None = None

    def start(self, command: str) -> None:
        """Run the command, unless one is running.

        Args:
            command: For example, `aws sso login --profile prod`.
        """
        if self._process is not None:
            return
        name, *words = shlex.split(command)
        process = QProcess(self)
        process.setProcessChannelMode(QProcess.ProcessChannelMode.MergedChannels)
        process.setStandardInputFile(QProcess.nullDevice())
        process.finished.connect(self._finish)
        process.errorOccurred.connect(self._fail)
        self._process = process
        self.notice.emit(
            Notice(
                tr("A web page opens. Filemill continues with the waiting files as soon as you are signed in."),
                actions=(NoticeAction(tr("Cancel"), self.stop),),
                title=tr("Signing in: {command}").format(command=command),
            )
        )
        process.start(shutil.which(name) or name, words)

    @Slot()
    def stop(self) -> None:
        """End the command: the user cancelled it, or the window closes."""
        process, self._process = self._process, None
        if process is not None:
            process.finished.disconnect(self._finish)
            process.errorOccurred.disconnect(self._fail)
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
            self.notice.emit(Notice(tr("Signed in. Filemill continues with the waiting files."), passing=True))
            self._then()
            return
        why = lines[-1] if lines else tr("The command exited with code {code}.").format(code=code)
        self.notice.emit(Notice(why, Kind.PROBLEM, title=tr("The sign-in failed")))

    @Slot()
    def _fail(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            why = process.errorString()
            process.deleteLater()
            self.notice.emit(Notice(why, Kind.PROBLEM, title=tr("The sign-in could not be started")))


class RegionSearch(QObject):
    """Searches for a queue in the other regions and offers to use it there; one search at a time.

    Signals:
        notice(Notice): The progress and the result.

    Args:
        advisor: Searches.
        tasks: The pool for searching.
        use: Called with the connection that the user chooses.
        parent: The parent.
    """

    notice = Signal(object)

    def __init__(
        self, advisor: ConnectionAdvisor, tasks: Tasks, use: Callable[[Connection], None], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._advisor = advisor
        self._use = use
        self._stream = Stream(tasks, self)
        self._connection: Connection | None = None
        self._stream.result.connect(self._show_found)
        self._stream.failed.connect(self._show_failure)

    def start(self, connection: Connection) -> None:
        """Search for this connection's queue in all other regions."""
        self._connection = connection
        self.notice.emit(
            Notice(
                tr("Looking for “{name}” in the other regions…").format(name=connection.queue_name),
                actions=(NoticeAction(tr("Stop"), self.stop),),
            )
        )

        def search(should_stop: Callable[[], bool]) -> Iterable[list[FoundQueue]]:
            return [self._advisor.look_in_regions(connection, should_stop)]

        self._stream.start(search)

    def stop(self) -> None:
        """Stop searching; nothing more is reported."""
        self._stream.stop()

    def _show_found(self, found: list[FoundQueue]) -> None:
        connection = self._connection
        if connection is None:
            return
        name = connection.queue_name
        if not found:
            text = tr(
                "No other region that responded has a queue “{name}” for this profile. It may be in another account."
            )
            self.notice.emit(Notice(text.format(name=name), Kind.WARNING))
            return
        actions = tuple(
            NoticeAction(
                tr("Use {region}").format(region=one.region),
                partial(self._use, replace(connection, queue=one.url, region=one.region, endpoint_url="")),
            )
            for one in found[:_MOST_REGIONS]
        )
        regions = ", ".join(one.region for one in found)
        text = tr("“{name}” was found in {regions}.").format(name=name, regions=regions)
        self.notice.emit(Notice(text, actions=actions))

    def _show_failure(self, error: KnownError) -> None:
        self.notice.emit(Notice(translated(error.text), Kind.PROBLEM))
