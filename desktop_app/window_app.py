"""The composition root of the window: create all parts, connect and start them, and shut them down.

Importing this module imports Qt's widgets, so check `gui.startup.display` first.
"""

from __future__ import annotations

import logging
import os
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QLocale, QObject, Signal, Slot
from PySide6.QtWidgets import QApplication

from desktop_app.bootstrap import backups, build_gated_consumer, build_sender, connect_queue, open_program
from desktop_app.config.paths import chosen_language, database_path, find_home
from desktop_app.config.settings import load_settings, update_settings
from desktop_app.domain.errors import KnownError, SettingsError, StoreDamagedError
from desktop_app.gui.connection.controller import ConnectionController, ConsumerThread, QueueLoops, SenderThread
from desktop_app.gui.desktop.native import desktop_of
from desktop_app.gui.diagnostics.crash import CrashDialogs, CrashHook
from desktop_app.gui.i18n import use_language
from desktop_app.gui.startup.dialogs import DamageChoice, DamagedDatabaseDialog, StartErrorDialog
from desktop_app.gui.startup.qt_runtime import MainThreadGarbageCollector, install_message_handler
from desktop_app.gui.startup.shutdown import DEADLINE_MS, Shutdown, Step
from desktop_app.gui.startup.single_instance import (
    InstanceLock,
    InstanceServer,
    Outcome,
    Request,
    activate,
    activation_token,
    become_first_instance,
)
from desktop_app.gui.theme.theme import Theme, program_icon
from desktop_app.gui.window.list_controller import ListController
from desktop_app.gui.window.main_window import MainWindow
from desktop_app.gui.window_memory import WindowMemory
from desktop_app.gui.wording import Wording, user_locale
from desktop_app.services.support.connection_advisor import ConnectionAdvisor
from desktop_app.services.support.report import SupportSources
from desktop_app.sources.scan import from_here

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from desktop_app.bootstrap import Program
    from desktop_app.config.settings import Connection
    from desktop_app.gui.startup.stop_signals import QtStopSignals

log = logging.getLogger(__name__)

DONE, TROUBLE = 0, 1


class RunningWindow(QObject):
    """The window and everything that runs behind it, which start together and end in order.

    Closing the window ends the loops in the order given, then the window's own tasks.

    Signals:
        ended(): Everything has ended, or the deadline has passed; see `left_over`.

    Attributes:
        window, jobs: The window and the list controller.
        left_over: The names of the parts that did not end in time.

    Args:
        window: The window.
        jobs: The list controller.
        begin: Starts the loops.
        steps: The steps of the shutdown, in order.
        close_rest: Closes the queue and the main thread's database connection at the end.
        deadline_ms: The time limit of the shutdown.
    """

    ended = Signal()

    def __init__(
        self,
        window: MainWindow,
        jobs: ListController,
        *,
        begin: Callable[[], None],
        steps: Sequence[Step],
        close_rest: Callable[[], None],
        deadline_ms: int = DEADLINE_MS,
    ) -> None:
        super().__init__()
        self.window = window
        self.jobs = jobs
        self.left_over: list[str] = []
        self._begin = begin
        self._close_rest = close_rest
        self._shutdown = Shutdown([*steps, jobs.step()], deadline_ms=deadline_ms, parent=self)
        self._shutdown.finished.connect(self._finish)
        window.closed.connect(self._begin_shutdown)

    def start(self, paths: Sequence[str] = ()) -> None:
        """Show the window, start the loops, and add the given paths.

        Raises:
            StoreError: If the database can't be read.
        """
        self.window.open()
        self._begin()
        if paths:
            self.window.add(paths)

    @Slot()
    def _begin_shutdown(self) -> None:
        self.jobs.stop()
        self._shutdown.begin()

    @Slot(list)
    def _finish(self, left_over: list[str]) -> None:
        self.left_over = left_over
        if not self.jobs.close():
            self.left_over = [*self.left_over, "a task"]
        self._close_rest()
        self.ended.emit()


def make_application() -> QApplication:
    """Return Qt's application object, which must be created before all other Qt objects."""
    install_message_handler()
    application = QApplication(["filemill"])
    use_language(application, user_locale(chosen_language(os.environ)))
    application.setApplicationName("Filemill")
    application.setDesktopFileName("filemill")
    application.setWindowIcon(program_icon())
    # Closing the window starts the shutdown but does not quit the program: threads still have to stop.
    application.setQuitOnLastWindowClosed(False)
    MainThreadGarbageCollector(application).start()
    return application


def run_window(application: QApplication, paths: Sequence[str], signals: QtStopSignals) -> int:
    """Open the window and run until it is closed.

    Args:
        application: From `make_application`.
        paths: Files, folders and URLs to add at once.
        signals: Stop signals, which close the window.

    Returns:
        The exit code: 0 if the window was closed, or another window took the paths; 1 if it could not start.
    """
    theme = Theme()
    theme.follow(application)
    hook = CrashHook()
    hook.install()
    signals.connect(application.closeAllWindows)
    instance: InstanceServer | Outcome | None = None
    try:
        instance = single_instance(paths, signals)
        if isinstance(instance, Outcome):
            return DONE if instance is Outcome.HANDED_OVER else TROUBLE
        program = open_with_dialogs(os.environ)
        if program is None:
            return TROUBLE
        running = assemble(program, theme)
        signals.connect(running.window.close)
        run_event_loop(application, running, hook, program, paths, instance)
    finally:
        hook.uninstall()
        if isinstance(instance, InstanceServer):
            instance.close()
    if running.left_over:
        # Destroying a QThread that is still running would abort the process. Exiting loses nothing: the database has
        # the state, and leases that are no longer extended expire.
        log.warning("ended while still running: %s", ", ".join(running.left_over))
        logging.shutdown()
        os._exit(DONE)
    return DONE


def single_instance(paths: Sequence[str], signals: QtStopSignals) -> InstanceServer | Outcome | None:
    """Become the single instance for this list, or pass the paths to the running one.

    Returns:
        The server for requests of later starts; None if there is none; or why this program should end.
    """
    try:
        home = find_home()
        home.create()
        lock = InstanceLock(home.run, database_path(home, os.environ.get("FILEMILL_DATABASE", "")))
        return become_first_instance(lock, Request(from_here(paths), activation_token()), signals.is_set)
    except (SettingsError, OSError) as error:
        log.info("no lock for the window: %s", error)
        return None  # if this matters, opening the list reports it


def run_event_loop(
    application: QApplication,
    running: RunningWindow,
    hook: CrashHook,
    program: Program,
    paths: Sequence[str],
    instance: InstanceServer | None,
) -> None:
    """Run Qt's event loop until the window is closed and everything behind it has ended."""
    window = running.window
    hook.known.connect(window.show_error)
    CrashDialogs(hook, program.home.logs, window, window.help.show_report)
    running.ended.connect(application.quit)
    running.start(paths)

    def handle(request: Request) -> None:
        if request.names:
            window.add(request.names)
        activate(window, request.token)

    if instance is not None:
        # A start during the shutdown opens a window of its own; programs can share the list.
        window.closed.connect(instance.close)
        instance.set_handler(handle)
    application.exec()


def open_with_dialogs(environment: Mapping[str, str]) -> Program | None:
    """Open settings and database; show errors in a dialog. Return None if the user gives up."""
    while True:
        try:
            return open_or_replace_damaged(environment)
        except KnownError as error:
            log.warning("can't start: %s %s", error.text, error.detail)
            if not StartErrorDialog(error, find_home().folder).wants_another_try():
                return None


def open_or_replace_damaged(environment: Mapping[str, str]) -> Program | None:
    """Open settings and database; let the user choose how to replace a damaged database. Return None to quit.

    Raises:
        KnownError: If they can't be opened, or the damaged database can't be replaced.
    """
    while True:
        try:
            return open_program(environment)
        except StoreDamagedError as error:
            log.warning("the database is damaged: %s", error.detail)
            copies = backups(environment)
            newest = next(iter(copies.all()), None)
            choice = DamagedDatabaseDialog(error, newest.made_at if newest else None, QLocale()).choose()
            if choice is DamageChoice.QUIT:
                return None
            if choice is DamageChoice.USE_COPY and newest is not None:
                copies.restore(newest)
            else:
                copies.set_aside()


def assemble(program: Program, theme: Theme) -> RunningWindow:
    """Create the window, its threads and the queue, without starting them."""
    if program.settings.paused:
        program.control.pause()
    wording = Wording(QLocale())
    connection = ConnectionController(
        partial(make_loops, program),
        program.control,
        ConnectionAdvisor(program.queue_file),
        connection=program.connection,
        settings_file=program.home.settings_file,
        clock=program.clock,
    )
    jobs = ListController(
        program.jobs,
        program.editor,
        program.database.session,
        wording,
        queue=connection.connection.key,
        clock=program.clock,
    )
    window = MainWindow(
        jobs,
        connection,
        control=program.control,
        save_paused=lambda paused: update_settings(program.home.settings_file, paused=paused),
        memory=WindowMemory(program.home.folder / "window.ini"),
        theme=theme,
        wording=wording,
        clock=program.clock,
        desktop=desktop_of,
        support=support_sources(program, connection),
        strict_order=program.settings.fifo_order == "strict",
    )

    def close() -> None:
        connection.close()
        program.close()

    return RunningWindow(
        window,
        jobs,
        begin=connection.start,
        steps=[*connection.steps(), window.connection.step()],
        close_rest=close,
    )


def make_loops(program: Program, connection: Connection) -> QueueLoops:
    """Create the loops of a connection, without starting them; files added from now on belong to its queue.

    Args:
        program: The shared parts of the program.
        connection: The connection.
    """
    program = program.reconnected(connection)
    connector = connect_queue(program)
    return QueueLoops(
        connection,
        ConsumerThread(partial(build_gated_consumer, program, connector)),
        SenderThread(partial(build_sender, program, connector)),
        foreign_messages=program.foreign,
        close=connector.close,
    )


def support_sources(program: Program, controller: ConnectionController) -> SupportSources:
    """Return the sources of a support report."""
    return SupportSources(
        home=program.home,
        environment=os.environ,
        settings=partial(load_settings, program.home.settings_file),
        connection=lambda: controller.connection,
        connect=lambda: connect_queue(replace(program, connection=controller.connection)),
        test=lambda should_stop: controller.advisor.test(controller.connection, should_stop),
        database=program.database,
        jobs=program.jobs,
        clock=program.clock,
    )
