"""The command `filemill watch`, which adds the files that come into a folder until Ctrl+C."""

from __future__ import annotations

from contextlib import ExitStack, closing
from dataclasses import replace
from typing import TYPE_CHECKING

from desktop_app.cli.jobs import LOCAL_HINT, add_processor_options, choice_of
from desktop_app.cli.output import Progress, counted, emit, quoted, say
from desktop_app.cli.parser import Command, whole_number
from desktop_app.cli.worker import STOP_HINT, ErrorReporter, LoopThread, join_loops, raise_errors
from desktop_app.domain.errors import KnownError, UsageError
from desktop_app.domain.fields import Choice
from desktop_app.domain.watched_folder import (
    DEFAULT_SETTLE_S,
    LEAST_SETTLE_S,
    MOST_SETTLE_S,
    UNFINISHED,
    WatchedFolder,
)
from desktop_app.services.loops import Backoff, LoopState, Phase, StopRequest
from desktop_app.services.stop_signals import StopSignals

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Callable

    from desktop_app.bootstrap import Program
    from desktop_app.queues.connector import QueueConnector
    from desktop_app.services.adding.watching import FolderStatus
    from desktop_app.services.loops import Loop
    from desktop_app.store.watched_folders import WatchedFolders

_SEND_SECONDS = 10.0
"""How long messages are sent before it is looked whether to stop."""
_SEND_EVERY_SECONDS = 60.0
_LONGEST_PAUSE_SECONDS = 3600.0


def _options(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--pattern", action="append", default=[], help="add only files that match, such as '*.csv'; can be repeated"
    )
    parser.add_argument(
        "--leave-out",
        action="append",
        metavar="PATTERN",
        help="do not add files that match; can be repeated. By default, hidden and unfinished files are left out: "
        f"{UNFINISHED}",
    )
    parser.add_argument("--no-subfolders", action="store_true", help="leave out the files in subfolders")
    add_processor_options(parser)
    parser.add_argument(
        "--settle",
        type=whole_number(LEAST_SETTLE_S, MOST_SETTLE_S),
        default=DEFAULT_SETTLE_S,
        metavar="N",
        help=f"add a file once it has not changed for N seconds (default: {DEFAULT_SETTLE_S})",
    )
    parser.add_argument(
        "--existing",
        choices=("add", "leave"),
        default="leave",
        help="what to do with the files that are in the folder when it is watched for the first time (default: leave)",
    )


def _watch(options: Namespace) -> int:
    if len(options.names) != 1:
        raise UsageError("Name one folder to watch. See `filemill watch --help`.")
    path = _path_of(options.names[0])
    from desktop_app.bootstrap import build_watching_loop, connect_queue, open_program, watched_folders

    program = open_program()
    with closing(StopSignals()) as stop, closing(program), closing(Progress("", "files")) as bar, ExitStack() as stack:
        choice = choice_of(program, options) or Choice()
        store = watched_folders(program)
        folder = _saved(
            store,
            WatchedFolder(
                path,
                subfolders=not options.no_subfolders,
                only=_joined(options.pattern),
                leave_out=UNFINISHED if options.leave_out is None else _joined(options.leave_out),
                processor=choice.processor,
                options=choice.options,
                settle_s=options.settle,
                adds_existing=options.existing == "add",
                in_window=False,
            ),
        )
        request = StopRequest()
        reporter = _Reporter(folder, bar, lambda: _hint(program))
        loops: dict[str, Loop] = {
            # Saved again in another database, if that takes the place of this one.
            "watching": build_watching_loop(program, folders=lambda: [_saved(store, folder)], report=reporter.report)
        }
        interrupt: Callable[[], None] = request.set
        if not program.connection.is_local:
            errors = ErrorReporter(bar, stop)
            connector = stack.enter_context(closing(connect_queue(program, errors.notify)))
            loops["sender"] = _Sending(program, connector, errors)
            interrupt = connector.interrupt
        threads = [LoopThread(name, loop, request, stop.set) for name, loop in loops.items()]
        bar.rest(f"Watching {quoted(folder.name)} … {STOP_HINT}")
        for thread in threads:
            thread.start()
        while stop.pause(_LONGEST_PAUSE_SECONDS):
            pass
        request.set()
        interrupt()
        join_loops(threads)
        raise_errors(threads)
    return 0


def _path_of(name: str) -> str:
    """Return the absolute path of the folder, which need not be there now.

    Raises:
        UsageError: If the name is not a path on this computer.
    """
    from desktop_app.sources.location import RefusedNameError, absolute, mounted_path

    try:
        return absolute(mounted_path(name))
    except (RefusedNameError, ValueError, OSError) as error:
        raise UsageError(f"{quoted(name)} is not a folder on this computer.") from error


def _joined(patterns: list[str]) -> str:
    """Return patterns as one text; the semicolon at the end keeps spaces in a single one."""
    return "".join(f"{pattern}; " for pattern in patterns).rstrip()


def _saved(store: WatchedFolders, wanted: WatchedFolder) -> WatchedFolder:
    """Save what to watch, and return it with what is known of an earlier `filemill watch` of the same folder."""
    known = next((folder for folder in store.all(in_window=False) if folder.folder == wanted.folder), wanted)
    return store.save(replace(wanted, key=known.key))


def _hint(program: Program) -> str:
    """Return a sentence if nobody will process the files."""
    is_served = not program.connection.is_local or program.identity.is_served(program.connection.key)
    return "" if is_served else LOCAL_HINT


class _Reporter:
    """Prints what happens to the folder. The loop's thread.

    Args:
        folder: The folder.
        bar: The progress line, which is cleared before each message.
        hint: Returns a sentence to print after the first files were added; empty if there is none.
    """

    def __init__(self, folder: WatchedFolder, bar: Progress, hint: Callable[[], str]) -> None:
        self._bar = bar
        self._hint: Callable[[], str] | None = hint
        self._added = folder.added
        self._text: str | None = None
        self._not_opened = 0

    def report(self, statuses: tuple[FolderStatus, ...]) -> None:
        """Print what has changed."""
        from desktop_app.services.adding.watching import FolderState  # with peewee, which other commands do not need

        for status in statuses:
            self._bar.interrupt()
            if status.text != self._text and status.state is not FolderState.STARTING:
                say(status.text or f"Watching {quoted(status.folder.folder)}.")
                self._text = status.text
            if status.not_opened > self._not_opened:
                say(f"{counted(status.not_opened, 'file')} can't be opened yet.")
            self._not_opened = status.not_opened
            if status.folder.added > self._added:
                emit(f"Added {counted(status.folder.added - self._added, 'file')}.", flush=True)
                self._added = status.folder.added
                if self._hint is not None and (hint := self._hint()):
                    say(hint)
                self._hint = None


class _Sending:
    """A `Loop` that sends the messages of the files that were added.

    Args:
        program: The program.
        connector: The connector for its queue.
        errors: Prints errors; the messages are sent later.
    """

    def __init__(self, program: Program, connector: QueueConnector, errors: ErrorReporter) -> None:
        self._program = program
        self._connector = connector
        self._errors = errors

    def run(self, stop: StopRequest) -> None:
        """Send messages until a stop is requested."""
        from desktop_app.bootstrap import send_all

        backoff = Backoff()
        try:
            while not stop.is_set():
                try:
                    report = send_all(self._program, self._connector, deadline_s=_SEND_SECONDS)
                    trouble, is_done = report.trouble, not report.waiting
                except KnownError as error:
                    trouble, is_done = error.text, False
                if trouble:
                    self._errors.report("sender", LoopState(Phase.WAITING, trouble))
                    stop.wait(backoff.next())
                    continue
                self._errors.report("sender", LoopState(Phase.RUNNING))
                backoff.reset()
                if is_done:
                    self._program.control.wait_to_send(_SEND_EVERY_SECONDS, stop)
        finally:
            self._program.database.release()


WATCH = Command(
    name="watch",
    usage="[--pattern PATTERN …] [--processor NAME] [--settle N]\n                      [--existing add|leave] FOLDER",
    summary="add the files that come into a folder, until Ctrl+C",
    details="New and changed files are added once they have not changed for a time and can be opened. The files of a "
    "day become one batch.\n"
    "What was seen is remembered: after a restart, files that came in between are added, and no file is added twice. "
    "If the folder goes away, it is watched again when it is back.\n"
    "On network shares, and if the system can't tell what changes, the folder is looked at every few seconds.",
    names="FOLDER",
    add_options=_options,
    run=_watch,
)
