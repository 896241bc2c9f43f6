"""Remedies for connection problems: the buttons in the banner, the AWS sign-in, and the search in other regions."""

from __future__ import annotations

import shutil
import sys
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QProcess, QUrl, Signal, Slot
from PySide6.QtGui import QGuiApplication

from desktop_app.config.settings import Connection
from desktop_app.domain.errors import Cause, KnownError, QueueError, SettingsError
from desktop_app.domain.sentences import command_line, display_text
from desktop_app.gui.connection.status import Need, Trouble
from desktop_app.gui.i18n import tr, translated
from desktop_app.gui.programs import new_process, open_url, start_detached
from desktop_app.gui.tasks import Stream, Tasks
from desktop_app.gui.widgets.dialogs import PairsDialog
from desktop_app.gui.widgets.notice import Kind, Notice, NoticeAction

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from PySide6.QtWidgets import QWidget

    from desktop_app.domain.connection_checks import FoundQueue
    from desktop_app.domain.iam_policy import MissingRight
    from desktop_app.gui.connection.controller import ConnectionController
    from desktop_app.services.support.connection_advisor import ConnectionAdvisor


_CLOCKS = (("gnome-control-center", "datetime"), ("kcmshell6", "kcm_clock"), ("kcmshell5", "kcm_clock"))
_CLOCK_PAGES = {"win32": "ms-settings:dateandtime", "darwin": "x-apple.systempreferences:com.apple.preference.datetime"}
_MAX_REGION_BUTTONS = 3
"""The maximum number of buttons for regions in which a queue was found; further regions are only named."""


class Remedies(QObject):
    """Creates the buttons for a problem, depending on its cause or, if the cause is unknown, on its `Need`.

    Signals:
        notice(Notice): The result of pressing a button.

    Args:
        controller: The current connection.
        tasks: The thread pool for searching other regions.
        open_dialog: Called with the name of a field, to open the Connection dialog with the focus on that field.
        show_foreign: Called to show the foreign messages.
        try_now: Called to make the loops try again at once.
        folder: The folder that contains the database.
        window: The parent of the dialogs; closed by the Quit button.
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
        """Cancel the sign-in and the search."""
        self._regions.stop()
        self._sign_in.stop()

    def buttons(self, trouble: Trouble) -> tuple[NoticeAction, ...]:
        """Return the buttons for a problem, most useful first."""
        special = {
            Cause.SESSION_ENDED: self._for_ended_session,
            Cause.CLOCK_WRONG: self._for_wrong_clock,
            Cause.NO_QUEUE: self._for_no_queue,
            Cause.NO_RIGHT: self._for_no_right,
        }.get(trouble.cause)
        if special is not None:
            return special(trouble)
        by_cause = self._by_cause(trouble)
        return by_cause[trouble.cause] if trouble.cause in by_cause else self._by_need()[trouble.need]

    def button_in_dialog(self, error: KnownError) -> NoticeAction | None:
        """Return the button for an error found by the connection test; None if the user fixes it in the dialog."""
        if not isinstance(error, QueueError):
            return None
        if error.command:
            return self._sign_in_buttons(error.command)[0]
        return self._copy_request(error.right) if error.right is not None else None

    # --- by cause

    def _by_cause(self, trouble: Trouble) -> dict[Cause, tuple[NoticeAction, ...]]:
        profile, region, queue = self._choose_credentials(), self._choose("region"), self._choose("queue")
        try_now, details, folder = self._try(), self._details(trouble), self._open_folder()
        return {
            Cause.NO_SIGN_IN: (profile, try_now, self._work_locally(), details),
            Cause.KEYS_REFUSED: (profile, self._try(tr("Test Again")), details),
            Cause.NO_REGION: (region, details),
            Cause.OFFLINE: (try_now, details),
            Cause.NOT_SQS: (try_now, details),
            Cause.MALFORMED: (try_now, details),
            Cause.PROXY: (details, try_now),
            Cause.NOT_TRUSTED: (details, try_now),
            Cause.PROTOCOL: (queue, details),
            Cause.SETUP: (queue, details),
            Cause.LOCAL_QUEUE: (try_now, details, queue),
            Cause.FOREIGN: (
                queue,
                NoticeAction(tr("Show Messages"), self._show_foreign, keeps=True),
                NoticeAction(tr("Process Anyway"), self._controller.tolerate_foreign_messages),
            ),
            Cause.DISK_FULL: (folder, try_now),
            Cause.DATABASE_READ_ONLY: (folder, try_now),
            Cause.DATABASE_GONE: (try_now,),
            Cause.DATABASE_BUSY: (try_now, details),
            Cause.DATABASE_DAMAGED: (NoticeAction(tr("Quit"), self._window.close), folder),
        }

    def _by_need(self) -> dict[Need, tuple[NoticeAction, ...]]:
        allow = partial(self._attempt, self._controller.allow_processing)
        return {
            Need.NOTHING: (),
            Need.PATIENCE: (self._try(),),
            Need.RESTART: (NoticeAction(tr("Restart"), self._controller.start),),
            Need.CREDENTIALS: (
                NoticeAction(tr("Stop"), self._controller.give_up_waiting),
                self._choose_credentials(),
            ),
            Need.PERMISSION: (NoticeAction(tr("Process Here"), allow),),
        }

    def _for_ended_session(self, trouble: Trouble) -> tuple[NoticeAction, ...]:
        command = trouble.error.command if isinstance(trouble.error, QueueError) else ()
        buttons = self._sign_in_buttons(command) if command else (self._choose("profile"),)
        if len(buttons) == 1:
            buttons = (*buttons, self._try())
        return (*buttons, self._work_locally())

    def _for_wrong_clock(self, _: Trouble) -> tuple[NoticeAction, ...]:
        return (self._try(tr("Try Again")), *self._clock_settings())

    def _for_no_queue(self, _: Trouble) -> tuple[NoticeAction, ...]:
        connection = self._controller.connection
        if not connection.is_on_aws:
            return (self._choose("queue"), self._try())
        search = NoticeAction(tr("Look in Other Regions"), partial(self._regions.start, connection), keeps=True)
        return (self._choose("queue"), search, self._try())

    def _for_no_right(self, trouble: Trouble) -> tuple[NoticeAction, ...]:
        right = trouble.error.right if isinstance(trouble.error, QueueError) else None
        if right is None:
            return (self._details(trouble),)
        buttons = [self._copy_request(right), self._try()]
        if right.action != "sqs:SendMessage":
            send_only = partial(self._attempt, self._controller.stop_processing)
            buttons.insert(1, NoticeAction(tr("Send Only"), send_only))
        return tuple(buttons)

    # --- the buttons

    def _choose(self, field: str) -> NoticeAction:
        text = {
            "profile": tr("Choose Profile…"),
            "region": tr("Choose Region…"),
            "queue": tr("Choose Queue…"),
            "keys": tr("Type Keys…"),
        }[field]
        return NoticeAction(text, partial(self._open_dialog, field), keeps=True)

    def _choose_credentials(self) -> NoticeAction:
        """Return the button that opens the dialog at the profile or, for a server that uses none, at the keys."""
        connection = self._controller.connection
        return self._choose("profile" if connection.is_on_aws or connection.profile else "keys")

    def _try(self, text: str = "") -> NoticeAction:
        return NoticeAction(text or tr("Try Now"), self._try_now, keeps=True)

    def _details(self, trouble: Trouble) -> NoticeAction:
        return NoticeAction(tr("Details"), partial(self._show_details, trouble), keeps=True)

    def _work_locally(self) -> NoticeAction:
        use = partial(self._controller.choose, Connection(), process_here=True)
        return NoticeAction(tr("Work Locally"), partial(self._attempt, use))

    def _open_folder(self) -> NoticeAction:
        return self._opens(tr("Open Folder"), QUrl.fromLocalFile(str(self._folder)))

    def _opens(self, text: str, url: QUrl) -> NoticeAction:
        problem = tr("No program on this computer can open “{name}”.").format(name=url.toDisplayString())
        not_opened = partial(self.notice.emit, Notice(problem, Kind.WARNING))
        return NoticeAction(text, partial(open_url, url, self, not_opened), keeps=True)

    def _sign_in_buttons(self, command: Sequence[str]) -> tuple[NoticeAction, ...]:
        """Return the buttons for signing in again; if the AWS CLI is not installed, only Copy Command."""
        text = tr("Copied: {command}. Run it in a terminal; the waiting files will then be processed.")
        done = Notice(text.format(command=display_text(command_line(command))))
        copy = NoticeAction(tr("Copy Command"), partial(self._copy, command_line(command), done), keeps=True)
        if shutil.which("aws") is None:
            return (copy,)
        return (NoticeAction(tr("Sign In…"), partial(self._sign_in.start, command), keeps=True), copy)

    def _clock_settings(self) -> tuple[NoticeAction, ...]:
        """Return a button that opens the system's date and time settings, or no button if they can't be opened."""
        text = tr("Open Date & Time Settings").replace("&", "&&")
        page = _CLOCK_PAGES.get(sys.platform)
        if page is not None:
            return (self._opens(text, QUrl(page)),)
        for name, argument in _CLOCKS:
            program = shutil.which(name)
            if program is not None:
                return (NoticeAction(text, partial(start_detached, program, [argument]), keeps=True),)
        return ()

    def _copy_request(self, right: MissingRight) -> NoticeAction:
        text = f"{translated(right.request_text())}\n\n{right.policy()}\n"
        done = Notice(tr("The request was copied. Send it to the administrator of this AWS account."), passing=True)
        return NoticeAction(tr("Copy Request"), partial(self._copy, text, done), keeps=True)

    # --- actions

    def _use_found(self, connection: Connection) -> None:
        self._attempt(partial(self._controller.choose, connection, process_here=self._controller.processes_here))

    def _attempt(self, action: Callable[[], None]) -> None:
        try:
            action()
        except SettingsError as error:
            self.notice.emit(Notice(translated(error.text), Kind.PROBLEM))

    def _copy(self, text: str, done: Notice) -> None:
        QGuiApplication.clipboard().setText(text)
        self.notice.emit(done)

    def _show_details(self, trouble: Trouble) -> None:
        """Open a dialog from which the details of a problem can be copied."""
        error = trouble.error
        pairs = [
            (tr("What happened"), trouble.text),
            (tr("Cause"), trouble.cause.value),
            (tr("Connection"), translated(self._controller.connection.label)),
            (tr("Response"), error.detail if error is not None else ""),
            (tr("Shown at (UTC)"), datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")),
        ]
        explanation = tr("Copy these details when you ask for help.")
        pairs = [(name, text) for name, text in pairs if text]
        PairsDialog(tr("Details"), explanation, (tr("Item"), tr("Text")), pairs, self._window, name="details").show()


class SignIn(QObject):
    """Runs the sign-in command of the AWS CLI, which opens a web page. Filemill stores no credentials.

    Signals:
        notice(Notice): The progress or the result of the sign-in.

    Args:
        on_signed_in: Called after the command has succeeded.
        parent: The parent.
    """

    notice = Signal(object)

    def __init__(self, on_signed_in: Callable[[], None], parent: QObject) -> None:
        super().__init__(parent)
        self._on_signed_in = on_signed_in
        self._process: QProcess | None = None

    def start(self, command: Sequence[str]) -> None:
        """Run a command, unless one is already running.

        Args:
            command: The program and its arguments; for example, those of `aws sso login --profile prod`.
        """
        if self._process is not None:
            return
        name, *arguments = command
        process = new_process(self)
        process.setProcessChannelMode(QProcess.ProcessChannelMode.MergedChannels)
        process.setStandardInputFile(QProcess.nullDevice())
        process.finished.connect(self._finish)
        process.errorOccurred.connect(self._fail)
        self._process = process
        text = tr("A web page will open. The waiting files will be processed as soon as you have signed in.")
        title = tr("Signing in: {command}").format(command=display_text(command_line(command)))
        self.notice.emit(Notice(text, actions=(NoticeAction(tr("Cancel"), self.stop),), title=title))
        process.start(shutil.which(name) or name, arguments)

    @Slot()
    def stop(self) -> None:
        """Kill the command if it is running."""
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
            self.notice.emit(Notice(tr("Signed in. The waiting files will now be processed."), passing=True))
            self._on_signed_in()
            return
        why = display_text(lines[-1]) if lines else tr("The command exited with code {code}.").format(code=code)
        self.notice.emit(Notice(why, Kind.PROBLEM, title=tr("The sign-in failed")))

    @Slot()
    def _fail(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.deleteLater()
            why = process.errorString()
            self.notice.emit(Notice(why, Kind.PROBLEM, title=tr("The sign-in could not be started")))


class RegionSearch(QObject):
    """Searches the other regions for a queue, and offers to connect to it there.

    Signals:
        notice(Notice): The progress or the result of the search.

    Args:
        advisor: The advisor that sends the requests.
        tasks: The thread pool for the requests.
        use: Called with the connection that the user has chosen.
        parent: The parent.
    """

    notice = Signal(object)

    def __init__(
        self, advisor: ConnectionAdvisor, tasks: Tasks, use: Callable[[Connection], None], parent: QObject
    ) -> None:
        super().__init__(parent)
        self._advisor = advisor
        self._use = use
        self._stream = Stream(tasks, self)
        self._connection = Connection()
        self._stream.result.connect(self._show_found)
        self._stream.failed.connect(self._show_failure)

    def start(self, connection: Connection) -> None:
        """Search all other regions for a connection's queue, cancelling any previous search."""
        self._connection = connection
        text = tr("Looking for “{name}” in the other regions…").format(name=connection.queue_name)
        self.notice.emit(Notice(text, actions=(NoticeAction(tr("Stop"), self.stop),)))
        self._stream.start(lambda should_stop: [self._advisor.look_in_regions(connection, should_stop)])

    def stop(self) -> None:
        """Cancel the search."""
        self._stream.stop()

    def _show_found(self, found: list[FoundQueue]) -> None:
        connection = self._connection
        name = connection.queue_name
        if not found:
            text = tr(
                "None of the other regions that responded has a queue named “{name}” for this profile. "
                "It may be in another account."
            )
            self.notice.emit(Notice(text.format(name=name), Kind.WARNING))
            return
        actions = tuple(
            NoticeAction(
                tr("Use {region}").format(region=queue.region),
                partial(self._use, replace(connection, queue=queue.url, region=queue.region, endpoint_url="")),
            )
            for queue in found[:_MAX_REGION_BUTTONS]
        )
        regions = ", ".join(queue.region for queue in found)
        text = tr("“{name}” was found in {regions}.").format(name=name, regions=regions)
        self.notice.emit(Notice(text, actions=actions))

    def _show_failure(self, error: KnownError) -> None:
        self.notice.emit(Notice(translated(error.text), Kind.PROBLEM))
