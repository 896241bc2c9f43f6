"""The composition root of the window, which creates, connects, starts and shuts down all parts.

Import this module only after `gui.startup.display` has found a display, since it imports Qt's widgets. Most of the
program is imported after the empty window has been painted; `tests/gui/test_first_paint.py` holds this.
"""

from __future__ import annotations

import logging
import os
import sys
from functools import partial
from typing import TYPE_CHECKING, NoReturn

from PySide6.QtCore import QCoreApplication, QEvent, QEventLoop, QLocale, QObject, Qt, QTimer, Signal, Slot
from PySide6.QtWidgets import QApplication

from desktop_app.config.paths import chosen_language, database_path, find_home, readable_settings
from desktop_app.domain.errors import KnownError, SettingsError, StoreDamagedError
from desktop_app.gui.i18n import use_language, user_locale
from desktop_app.gui.startup.display import exit_without_display, recover_from_platform
from desktop_app.gui.startup.instance_lock import InstanceLock
from desktop_app.gui.startup.qt_runtime import MainThreadGarbageCollector, install_message_handler
from desktop_app.gui.theme.theme import Theme, ensure_font, program_icon
from desktop_app.gui.window.main_window import MainWindow
from desktop_app.gui.window_memory import WindowMemory

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from desktop_app.bootstrap import Program
    from desktop_app.config.settings import Connection
    from desktop_app.gui.connection.controller import ConnectionController, QueueLoops
    from desktop_app.gui.diagnostics.crash import CrashHook
    from desktop_app.gui.startup.shutdown import Step
    from desktop_app.gui.startup.single_instance import InstanceServer, Request
    from desktop_app.gui.startup.stop_signals import QtStopSignals
    from desktop_app.gui.window.list_controller import ListController
    from desktop_app.gui.window.main_window import Place
    from desktop_app.services.support.report import SupportSources

log = logging.getLogger(__name__)

DONE, TROUBLE = 0, 1
LONGEST_PAINT_MS = 300
"""How long the start waits for the first paint, which may not come: a window can be minimized or on another desktop."""
WITHOUT_DISPLAY_MS = 1_000
"""How long changes to the list may take to be written after the display is lost."""


class RunningWindow(QObject):
    """Starts the window and its background loops, and shuts the loops down when the window is closed.

    Signals:
        ended(): The shutdown has finished, or its deadline has passed; see `left_over`.

    Attributes:
        left_over: The names of the shutdown steps that did not finish in time.

    Args:
        window: The window.
        jobs: The controller of the window's list.
        begin: Called to start the loops.
        steps: The steps that shut down the loops.
        close_rest: Called after all steps to close the queue and the main thread's database connection.
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
    ) -> None:
        from desktop_app.gui.startup.shutdown import Shutdown

        super().__init__()
        self.window = window
        self.jobs = jobs
        self.left_over: list[str] = []
        self._begin = begin
        self._loop_steps = tuple(steps)
        self._close_rest = close_rest
        self._shutdown = Shutdown([*steps, *jobs.steps()], parent=self)
        self._shutdown.finished.connect(self._finish)
        window.closed.connect(self._begin_shutdown)

    def start(self, paths: Sequence[str] = (), place: Place | None = None) -> None:
        """Show the window and add the given files, folders and URLs. The loops start once the window shows the list.

        Args:
            paths: The files, folders and URLs.
            place: What the window showed before it was closed to be opened again.

        Raises:
            StoreError: If the database can't be read.
        """
        self.jobs.opened.connect(self._begin)
        self.window.open(place)
        if paths:
            self.window.add(paths)

    def exit_without_display(self) -> NoReturn:
        """Stop the loops without the event loop, which waits for the lost display, and exit the process."""
        from desktop_app.gui.startup.shutdown import run_steps

        try:
            self.jobs.stop()
            run_steps(self._loop_steps)
            self.jobs.close(WITHOUT_DISPLAY_MS)
            self._close_rest()
        finally:
            exit_without_display()

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
    """Create Qt's application object. Call it before any other Qt object is created."""
    install_message_handler(on_fatal=recover_from_platform, on_display_lost=exit_without_display)
    if sys.platform == "linux":
        from desktop_app.gui.desktop.bus_connection import disable_unresponsive_buses

        disable_unresponsive_buses(os.environ)
    application = QApplication(["filemill"])
    if not application.screens():
        recover_from_platform()
    use_language(application, user_locale(chosen_language(os.environ)))
    application.setApplicationName("Filemill")
    application.setDesktopFileName("filemill")
    application.setWindowIcon(program_icon())
    # Closing the window only starts the shutdown; the event loop must run until the threads have stopped.
    application.setQuitOnLastWindowClosed(False)
    MainThreadGarbageCollector(application).start()
    return application


def run_window(application: QApplication, paths: Sequence[str], signals: QtStopSignals) -> int:
    """Open the window and run Qt's event loop until the window is closed and its threads have stopped.

    Args:
        application: The application from `make_application`.
        paths: The files, folders and URLs to add.
        signals: The stop signals; they close the window.

    Returns:
        The exit code: 0 if the window was closed or a running instance accepted the paths; 1 if the start failed.

    Raises:
        KnownError: If a path is relative, and the current folder no longer exists.
    """
    if paths:
        from desktop_app.sources.location import from_here

        paths = from_here(paths)
    theme = Theme()
    theme.follow(application, readable_settings().theme, with_font=False)
    signals.connect(application.closeAllWindows)
    lock = claim_instance(application, paths, signals)
    if isinstance(lock, int):
        return lock
    window = show_empty_window(theme)
    ensure_font(application)  # only now, because the empty window shows no text
    from desktop_app.gui.diagnostics.crash import CrashDialogs, CrashHook
    from desktop_app.gui.startup.single_instance import serve_later_instances

    instance = serve_later_instances(lock) if lock is not None else None
    hook = CrashHook()
    hook.install()
    hung: list[RunningWindow] = []
    try:
        place: Place | None = None
        while True:
            program = open_with_dialogs(os.environ)
            if program is None:
                return TROUBLE
            if place is not None:
                program = program.reconnected(place.connection)
            running = assemble(program, theme, window)
            CrashDialogs(hook, program.home.logs, running.window, running.window.help.show_report)
            show_until_closed(running, application, signals, hook, instance, partial(running.start, paths, place))
            if running.left_over:
                hung.append(running)
            place = running.window.reopens_at
            if place is None or signals.is_set():
                break
            log.info("the window is opened again")
            paths = ()
            delete_window(running.window)
            window = None
            use_language(application, user_locale(chosen_language(os.environ)))
    finally:
        hook.uninstall()
        if instance is not None:
            instance.close()
    if hung:
        # Destroying a QThread that is still running would abort the process. Exiting loses nothing: every status is
        # in the database, and the leases expire once they are no longer extended.
        names = ", ".join(name for running in hung for name in running.left_over)
        log.info("exiting while still running: %s", names)
        logging.shutdown()
        os._exit(DONE)
    delete_window(running.window)  # while the application exists
    return DONE


def show_empty_window(theme: Theme) -> MainWindow | None:
    """Show the window in its saved place, and wait until it is painted. Its parts are not imported yet.

    Returns:
        The window; None if the home folder can't be used, which `open_with_dialogs` shows.
    """
    try:
        window = MainWindow(WindowMemory(find_home().folder / "window.ini"), theme)
    except SettingsError:
        return None
    waiting = QEventLoop()
    window.painted.connect(waiting.quit, Qt.ConnectionType.QueuedConnection)
    timer = QTimer(singleShot=True, interval=LONGEST_PAINT_MS)
    timer.timeout.connect(waiting.quit)
    timer.start()
    window.show_empty()
    waiting.exec(QEventLoop.ProcessEventsFlag.ExcludeUserInputEvents)
    timer.stop()
    window.painted.disconnect(waiting.quit)
    return window


def show_until_closed(
    running: RunningWindow,
    application: QApplication,
    signals: QtStopSignals,
    hook: CrashHook,
    instance: InstanceServer | None,
    start: Callable[[], None],
) -> None:
    """Open a window and run Qt's event loop until the window is closed and its threads have stopped.

    Args:
        running: The window.
        application: The application.
        signals: The stop signals; they close the window.
        hook: The source of errors to show.
        instance: The server that receives the requests from later instances, if there is one.
        start: Called to show the window and to start its loops.
    """
    window = running.window

    def leave_instance() -> None:
        if instance is not None and window.reopens_at is not None:
            instance.set_handler(None)
        elif instance is not None:
            # During the shutdown, a new start opens another window: two programs can share the list.
            instance.close()

    with signals.connected(window.close):
        hook.known.connect(window.show_error)
        running.ended.connect(application.quit)
        start()
        install_message_handler(on_display_lost=running.exit_without_display)
        window.closed.connect(leave_instance)
        if instance is not None:
            instance.set_handler(partial(handle_request, window))
        if signals.is_set():  # while no window was connected
            QTimer.singleShot(0, window.close)
        application.exec()


def delete_window(window: MainWindow) -> None:
    """Delete a closed window with its children, so that none of them is translated or drawn again."""
    window.deleteLater()
    QCoreApplication.sendPostedEvents(window, QEvent.Type.DeferredDelete)


def claim_instance(
    application: QApplication, paths: Sequence[str], signals: QtStopSignals
) -> InstanceLock | int | None:
    """Become the only instance for this list, or pass the paths to the running one.

    Returns:
        The lock, which this program holds; None if there can be no lock; or the exit code if this program has to exit.
    """
    token = activation_token()
    try:
        home = find_home()
        home.create()
        lock = InstanceLock(home.run, database_path(home, os.environ.get("FILEMILL_DATABASE", "")))
        if not signals.is_set() and lock.try_lock():
            return lock
        # Qt's network module is imported before the first paint only if another instance is running.
        from desktop_app.gui.startup.single_instance import Outcome, Request, become_first_instance

        ensure_font(application)  # for a dialog
        outcome = become_first_instance(lock, Request(tuple(paths), token), signals.is_set)
    except (SettingsError, OSError) as error:
        log.info("no lock for the window: %s", error)
        return None  # if the cause also prevents opening the database, that error is shown
    if outcome is Outcome.FIRST:
        return lock
    return DONE if outcome is Outcome.HANDED_OVER else TROUBLE


def activation_token() -> str:
    """Return the activation token that the desktop passed to this program; empty if there is none."""
    return os.environ.pop("XDG_ACTIVATION_TOKEN", "") or os.environ.get("DESKTOP_STARTUP_ID", "")


def handle_request(window: MainWindow, request: Request) -> None:
    """Add the files from a later instance to the window, and raise the window."""
    from desktop_app.gui.startup.single_instance import activate

    if request.names:
        window.add(request.names)
    activate(window, request.token)


def open_with_dialogs(environment: Mapping[str, str]) -> Program | None:
    """Open the program, showing errors in a dialog. Return None if the user quits."""
    from desktop_app.gui.startup.dialogs import StartErrorDialog

    while True:
        try:
            return open_or_replace_damaged(environment)
        except KnownError as error:
            log.warning("can't start: %s %s", error.text, error.detail)
            if not StartErrorDialog(error, find_home().folder).wants_another_try():
                return None


def open_or_replace_damaged(environment: Mapping[str, str]) -> Program | None:
    """Open the program; if the database is damaged, let the user replace it. Return None if the user quits.

    Raises:
        KnownError: If the program can't be opened, or the damaged database can't be replaced.
    """
    from desktop_app.bootstrap import backups, open_program
    from desktop_app.gui.startup.dialogs import DamageChoice, DamagedDatabaseDialog

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
            if choice is DamageChoice.USE_BACKUP and newest is not None:
                copies.restore(newest)
            else:
                copies.set_aside()


def assemble(program: Program, theme: Theme, window: MainWindow | None = None) -> RunningWindow:
    """Create the parts of the window and its loops without starting the loops.

    Args:
        program: The program.
        theme: The colours and icons.
        window: The empty window; None to create one that is not shown yet.
    """
    from desktop_app.bootstrap import build_registry, build_watching_loop, note_output, watched_folders
    from desktop_app.config.settings import update_settings
    from desktop_app.gui.connection.controller import ConnectionController
    from desktop_app.gui.desktop.native import desktop_of
    from desktop_app.gui.watching.controller import FolderWatching
    from desktop_app.gui.window.list_controller import ListController
    from desktop_app.gui.wording import Wording
    from desktop_app.services.support.connection_advisor import ConnectionAdvisor
    from desktop_app.services.support.previews import Previews
    from desktop_app.store.processors import WorkerProcessors

    if program.settings.paused:
        program.control.pause()
    wording = Wording(QLocale(), partial(build_registry, program))
    previews = Previews()
    connection = ConnectionController(
        partial(make_loops, program),
        program.control,
        ConnectionAdvisor(program.queue_file),
        resolve=program.queues.resolve,
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
        make_fast=WorkerProcessors(program.database).make_fast,
        duplicates=lambda: readable_settings().duplicates,
        note_output=lambda path: note_output(program, path, path),
    )
    watching = FolderWatching(partial(build_watching_loop, program), watched_folders(program), jobs.tasks, jobs)
    window = window or MainWindow(WindowMemory(program.home.folder / "window.ini"), theme)
    window.build(
        jobs,
        connection,
        control=program.control,
        save_paused=lambda paused: update_settings(program.home.settings_file, paused=paused),
        wording=wording,
        clock=program.clock,
        desktop=desktop_of,
        support=support_sources(program, connection),
        processors=lambda: tuple(build_registry(program)),
        type_rules=lambda: readable_settings().type_rules,
        preview=previews.of,
        watching=watching,
        strict_order=program.settings.fifo_order == "strict",
    )

    def begin() -> None:
        connection.start()
        watching.start()

    def close() -> None:
        connection.close()
        previews.close()
        program.close()

    return RunningWindow(
        window,
        jobs,
        begin=begin,
        steps=[*connection.steps(), watching.step(), window.connection.step()],
        close_rest=close,
    )


def make_loops(program: Program, connection: Connection) -> QueueLoops:
    """Create the loops for a connection without starting them. Files added from now on belong to the new queue."""
    from desktop_app.bootstrap import build_gated_consumer, build_sender, connect_queue
    from desktop_app.gui.connection.controller import ConsumerThread, QueueLoops, SenderThread

    program = program.reconnected(connection)

    def report_waiting(text: str) -> None:
        loops.waiting_for.emit(text)

    connector = connect_queue(program, report_waiting)
    sender = SenderThread(lambda report: build_sender(program, connector, report, on_new_key=sender.key_changed.emit))
    loops = QueueLoops(
        connection,
        ConsumerThread(partial(build_gated_consumer, program, connector)),
        sender,
        foreign_messages=program.foreign,
        give_up=connector.give_up,
        interrupt=connector.interrupt,
        close=connector.close,
    )
    return loops


def support_sources(program: Program, controller: ConnectionController) -> SupportSources:
    """Return the sources of the data for a support report."""
    from dataclasses import replace

    from desktop_app.bootstrap import connect_queue
    from desktop_app.config.settings import load_settings
    from desktop_app.services.support.report import SupportSources

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
