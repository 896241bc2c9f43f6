"""The window's composition root: opens, wires, starts, and ends everything in order."""

from __future__ import annotations

import logging
import os
import sys
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from desktop_app.config.paths import database_path, find_home
from desktop_app.domain.errors import SettingsError
from desktop_app.gui.life.display import NO_DISPLAY, display
from desktop_app.gui.life.signal_line import SignalLine

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from PySide6.QtWidgets import QApplication

    from desktop_app.bootstrap import Program
    from desktop_app.config.settings import Connection
    from desktop_app.domain.errors import StoreDamagedError
    from desktop_app.gui.connection.controller import ConnectionController
    from desktop_app.gui.connection.loops import QueueLoops
    from desktop_app.gui.diagnostics.crash import CrashHook
    from desktop_app.gui.life.running import RunningWindow
    from desktop_app.gui.life.single_instance import Request, SingleInstance
    from desktop_app.gui.theme.theme import Theme
    from desktop_app.services.support.report import SupportSources

log = logging.getLogger(__name__)

DONE, TROUBLE, WRONG_USE = 0, 1, 2


def run_window(paths: Sequence[str]) -> int:
    """Open the window and stay until it is closed.

    Args:
        paths: Files, folders and addresses to add at once.

    Returns:
        The exit code: 0 closed, or another window has taken the paths; 1 it could not start (said in a dialog); 2 there
        is no display.
    """
    line = SignalLine()
    try:
        application = application_on_display()
        if application is None:
            print(NO_DISPLAY, file=sys.stderr)  # noqa: T201 - there is nowhere else to say it
            return WRONG_USE
        return run_window_in(application, paths, line)
    finally:
        line.close()


def application_on_display() -> QApplication | None:
    """Qt's application object, or None where there is no display."""
    with display(os.environ) as found:
        return make_application() if found else None


def run_window_in(application: QApplication, paths: Sequence[str], line: SignalLine | None = None) -> int:
    """The rest of `run_window`."""
    from desktop_app.gui.diagnostics.crash import CrashHook
    from desktop_app.gui.life.stop_signals import StopSignals
    from desktop_app.gui.theme.theme import Theme

    line = line or SignalLine()
    theme = Theme()
    theme.follow(application)
    hook = CrashHook()
    hook.install()
    signals = StopSignals(line)
    signals.stop_asked.connect(application.closeAllWindows)
    instance: SingleInstance | None = None
    try:
        start = take_place(paths, line)
        if isinstance(start, int):
            return start
        instance = start
        program = open_or_say_why_not(os.environ)
        if program is None:
            return TROUBLE
        running = assemble(program, theme)
        signals.stop_asked.connect(running.window.close)
        stay_open(application, running, hook, program, paths, instance)
    finally:
        hook.uninstall()
        if instance is not None:
            instance.close()
        signals.close()
    if running.left_over:
        # A thread of Qt's that still runs can't be destroyed: Qt would abort the process. Nothing is lost by leaving:
        # the database is the truth, and a lease that nobody extends runs out.
        log.warning("ended while still running: %s", ", ".join(running.left_over))
        logging.shutdown()
        os._exit(DONE)
    return DONE


def take_place(paths: Sequence[str], line: SignalLine) -> SingleInstance | int | None:
    """Take the place of the list's one window, or hand the paths to the program that has it.

    Returns:
        What hears of later starts, None if nothing can, or the exit code if this program need not go on.
    """
    from desktop_app.gui.life.one_window import become_first
    from desktop_app.gui.life.second_launch import Outcome, desktop_token
    from desktop_app.gui.life.single_instance import Request, SingleInstance
    from desktop_app.gui.life.window_place import WindowPlace
    from desktop_app.sources.scan import from_here

    try:
        home = find_home()
        home.create()
        place = WindowPlace(home.run, database_path(home, os.environ.get("FILEMILL_DATABASE", "")))
        start = become_first(place, Request(from_here(paths), desktop_token()), line.take)
    except (SettingsError, OSError) as error:
        log.info("no place for the window: %s", error)
        return None  # if it is of any weight, it is said when the list is opened
    if isinstance(start, SingleInstance):
        return start
    return DONE if start is Outcome.HANDED_OVER else TROUBLE


def stay_open(
    application: QApplication,
    running: RunningWindow,
    hook: CrashHook,
    program: Program,
    paths: Sequence[str],
    instance: SingleInstance | None,
) -> None:
    """Run Qt's event loop until the window is closed and what ran behind it has ended."""
    from desktop_app.gui.diagnostics.crash import CrashDialogs
    from desktop_app.gui.life.one_window import bring_forward

    window = running.window
    hook.known.connect(window.complain)
    CrashDialogs(hook, program.home.logs, window, window.help.show_report)
    running.ended.connect(application.quit)
    running.start(paths)

    def take(request: Request) -> None:
        if request.names:
            window.add(request.names)
        bring_forward(window, request.token)

    if instance is not None:
        # A start while this one ends opens a window of its own; programs share the list.
        window.closed.connect(instance.close)
        instance.open_to(take)
    application.exec()


def make_application() -> QApplication:
    """Qt's application object, before anything else of Qt's."""
    from PySide6.QtWidgets import QApplication

    from desktop_app.config.paths import chosen_language
    from desktop_app.gui.i18n import use_language
    from desktop_app.gui.life import qt_log
    from desktop_app.gui.life.garbage import MainThreadGarbage
    from desktop_app.gui.theme.theme import program_icon
    from desktop_app.gui.wording import user_locale

    qt_log.install()
    application = QApplication(["filemill"])
    use_language(application, user_locale(chosen_language(os.environ)))
    application.setApplicationName("Filemill")
    application.setDesktopFileName("filemill")
    application.setWindowIcon(program_icon())
    # Closing the window is the beginning of the end, not the end: threads still have to stop.
    application.setQuitOnLastWindowClosed(False)
    MainThreadGarbage(application).start()
    return application


def open_or_say_why_not(environment: Mapping[str, str]) -> Program | None:
    """Open settings and database; what stands in the way is said in a dialog. None if the person gives up."""
    from desktop_app.domain.errors import KnownError
    from desktop_app.gui.life.start_problem import StartProblem

    while True:
        try:
            return open_or_mend(environment)
        except KnownError as error:
            log.warning("can't start: %s %s", error.text, error.detail)
            if not StartProblem(error, find_home().folder).wants_another_try():
                return None


def open_or_mend(environment: Mapping[str, str]) -> Program | None:
    """Open settings and database; for a damaged database the person chooses what to do. None to quit.

    Raises:
        KnownError: If they can't be opened, or the damaged database can't be replaced.
    """
    from desktop_app.bootstrap import open_program
    from desktop_app.domain.errors import StoreDamagedError

    while True:
        try:
            return open_program(environment)
        except StoreDamagedError as error:
            log.warning("the database is damaged: %s", error.detail)
            if not mend_list(error, environment):
                return None


def mend_list(error: StoreDamagedError, environment: Mapping[str, str]) -> bool:
    """Let the person choose what takes the place of a damaged database; False to quit.

    Raises:
        KnownError: If the files can't be moved.
    """
    from PySide6.QtCore import QLocale

    from desktop_app.bootstrap import backups
    from desktop_app.gui.life.damaged_list import Choice, DamagedList

    copies = backups(environment)
    newest = next(iter(copies.all()), None)
    choice = DamagedList(error, newest.made_at if newest else None, QLocale()).choose()
    if choice is Choice.USE_COPY and newest is not None:
        copies.restore(newest)
    elif choice is Choice.START_EMPTY:
        copies.put_aside()
    return choice is not Choice.QUIT


def assemble(program: Program, theme: Theme) -> RunningWindow:
    """Put the window, its threads and the queue together. Nothing runs yet."""
    from PySide6.QtCore import QLocale

    from desktop_app.gui.connection.controller import ConnectionController
    from desktop_app.gui.desktop.native import desktop_of
    from desktop_app.gui.life.running import RunningWindow
    from desktop_app.gui.window.list_controller import ListController
    from desktop_app.gui.window.main_window import MainWindow
    from desktop_app.gui.window_memory import WindowMemory
    from desktop_app.gui.wording import Wording
    from desktop_app.services.support.connection_advisor import ConnectionAdvisor

    wording = Wording(QLocale())
    connection = ConnectionController(
        partial(make_loops, program),
        ConnectionAdvisor(program.home.run),
        connection=program.connection,
        process_here=program.may_process.is_set(),
        settings_file=program.home.settings_file,
        clock=program.clock,
    )
    jobs = ListController(
        program.jobs,
        program.intake,
        program.database.session,
        wording,
        queue=connection.connection.key,
        clock=program.clock,
    )
    window = MainWindow(
        jobs,
        connection,
        try_now=program.try_now,
        pause_control=program.switch,
        remember_paused=program.remember_paused,
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


def make_loops(program: Program, connection: Connection, *, process_here: bool) -> QueueLoops:
    """Return the loops of a connection, not started; files added from now on belong to its queue.

    Args:
        program: What both faces stand on.
        connection: Which queue.
        process_here: Whether its files may be processed on this computer; the embedded queue's always may.
    """
    from desktop_app.bootstrap import build_gated_consumer, build_sender, connect_queue
    from desktop_app.gui.connection.loops import ConsumerThread, QueueLoops, SenderThread

    program = program.reconnected(connection, process_here=process_here)
    connector = connect_queue(program)
    return QueueLoops(
        connection,
        ConsumerThread(partial(build_gated_consumer, program, connector)),
        SenderThread(partial(build_sender, program, connector)),
        permission=program.may_process,
        foreign_messages=program.foreign,
        close=connector.close,
    )


def support_sources(program: Program, controller: ConnectionController) -> SupportSources:
    """Return what a support report tells of."""
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
