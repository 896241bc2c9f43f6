"""`filemill submit`, `filemill retry` and `filemill remove`: what changes the list, and sends messages."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from desktop_app.cli.output import counted, emit, emit_json, human_size, progress, say
from desktop_app.cli.parser import Command
from desktop_app.cli.status import look_up
from desktop_app.domain.errors import KnownError, QueueError, UsageError
from desktop_app.domain.job import Status, display_text
from desktop_app.domain.query import ListQuery
from desktop_app.services.stop_signals import StopSignals

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Iterable, Sequence

    from desktop_app.bootstrap import Program
    from desktop_app.domain.job import Job
    from desktop_app.sources.scan import ScanResult
    from desktop_app.store.job_list import JobList

_SECONDS = 10.0
_SECONDS_A_MESSAGE = 0.05
LOCAL_HINT = "The files are processed while the window or `filemill worker` runs."
FOLDER_REFUSED = "This is a folder; add --recursive to include the files in it"
_ID_DETAILS = "An ID is what `filemill status` shows, or an unambiguous beginning of it."


def _submit_options(parser: ArgumentParser) -> None:
    parser.add_argument("--recursive", action="store_true", help="go into folders")
    parser.add_argument("--json", action="store_true", help="print a JSON object a line for each file added")


def _submit(options: Namespace) -> int:
    if not options.names:
        raise UsageError("Name at least one file to add. See `filemill submit --help`.")
    found = _scan(options.names, recursive=options.recursive)
    from desktop_app.bootstrap import open_program

    with closing(open_program()) as program:
        added = program.editor.add(found.files) if found.files else None
        _send_now(program, len(found.files))
        if not options.json:
            size = sum(file.size or 0 for file in found.files)
            emit(f"Added {counted(len(found.files), 'file')} ({human_size(size)}).")
        elif added is not None:
            # As the database has them now: some may have been sent, or even processed, meanwhile.
            emit_json(program.jobs.all(ListQuery(batches=frozenset({added.batch_id}))))
    return 1 if found.refused else 0


def _scan(names: Sequence[str], *, recursive: bool) -> ScanResult:
    """Look at what was named, and tell what can't be added."""
    from desktop_app.sources.scan import FOLDER, scan

    with StopSignals() as stop, progress("Looking", "files") as bar:
        found = scan(names, recursive=recursive, cancelled=stop.is_set, on_found=lambda count: bar.move_to(count, None))
    if found.cancelled:
        raise KnownError("Stopped. Nothing was added.")
    for refusal in found.refused:
        text = FOLDER_REFUSED if refusal.text == FOLDER else refusal.text
        say(f"{display_text(refusal.path)}: {text}.")
    return found


def _retry_options(parser: ArgumentParser) -> None:
    parser.add_argument("--failed", action="store_true", help="all files that are FAILED")


def _remove_options(parser: ArgumentParser) -> None:
    parser.add_argument("--processed", action="store_true", help="all files that are PROCESSED")
    parser.add_argument("--all", action="store_true", help="everything")


def _retry(options: Namespace) -> int:
    _want_one("retry", "--failed or ids", options.failed, options.names)
    from desktop_app.bootstrap import open_program

    with closing(open_program()) as program:
        chosen = _chosen(program.jobs, options.names, Status.FAILED)
        count = program.editor.retry(chosen)
        if options.names and count < len(chosen):
            say(f"{counted(len(chosen) - count, 'file')} left alone: only what has ended can be tried again.")
        _send_now(program, count)
        emit(f"Put {counted(count, 'file')} back to be processed again.")
    return 0


def _remove(options: Namespace) -> int:
    _want_one("remove", "--processed, --all or ids", options.processed, options.all, options.names)
    from desktop_app.bootstrap import open_program

    with closing(open_program()) as program:
        statuses = [] if options.all else [Status.PROCESSED]
        count = program.editor.remove(_chosen(program.jobs, options.names, *statuses))
        emit(f"Took {counted(count, 'file')} off the list. The files themselves are untouched.")
    return 0


def _chosen(job_list: JobList, ids: Sequence[str], *statuses: Status) -> Sequence[int]:
    """Return the keys of the jobs that were named; if none was, of all with one of the statuses (none given = any)."""
    if ids:
        return [job.row_id for job in _look_up_all(job_list, ids)]
    return job_list.ids(ListQuery(statuses=frozenset(statuses)))


def _want_one(command: str, choices: str, *given: object) -> None:
    """Refuse a command line that names nothing, or several things of which one would be ignored."""
    if sum(map(bool, given)) != 1:
        raise UsageError(f"Give either {choices}. See `filemill {command} --help`.")


def _look_up_all(job_list: JobList, ids: Iterable[str]) -> tuple[Job, ...]:
    """Find jobs for something that changes them: all, or nothing is done.

    Raises:
        KnownError: If an id leads to none or to several.
        StoreError: If the database can't be read.
    """
    found = look_up(job_list, ids)
    if found.problems:
        raise KnownError(f"{' '.join(found.problems)} Nothing was changed.")
    return found.jobs


def _send_now(program: Program, count: int) -> None:
    """Send what waits for the queue, for a bounded time; trouble is told and is no failure: it is sent later.

    The embedded queue lives only as long as a program that processes, so nothing is sent to it from here.

    Args:
        program: The program.
        count: How many messages were just added.

    Raises:
        StoreError: If the database can't be written.
    """
    if not count:
        return
    if program.connection.is_local:
        say(LOCAL_HINT)
        return
    from desktop_app.bootstrap import connect_queue, send_all

    try:
        with closing(connect_queue(program)) as connector:
            report = send_all(program, connector, deadline_s=_SECONDS + count * _SECONDS_A_MESSAGE)
    except QueueError as error:
        say(f"{error.text} The files are safe on the list; their messages are sent later.")
        return
    except KeyboardInterrupt:
        say("Stopped. The files are safe on the list; what was not sent is sent later.")
        return
    if report.trouble:
        say(f"{report.trouble} The files are safe on the list; their messages are sent later.")
    elif report.waiting:
        say(f"{counted(report.waiting, 'message')} could not be sent in time; the window or a worker sends them.")


SUBMIT = Command(
    name="submit",
    usage="[--recursive] [--json] PATH|URL …",
    summary="add files to the list and send their messages",
    details="What can't be added is told on standard error, the rest is added; the exit code is 1 then. A queue\n"
    "that can't be reached is a warning only: the messages are sent later, by the window or by a worker.",
    names="PATH|URL",
    add_options=_submit_options,
    run=_submit,
)

RETRY = Command(
    name="retry",
    usage="(--failed | ID …)",
    summary="process files again that have ended",
    details=_ID_DETAILS,
    names="ID",
    add_options=_retry_options,
    run=_retry,
)

REMOVE = Command(
    name="remove",
    usage="(--processed | --all | ID …)",
    summary="take files off the list; the files themselves are untouched",
    details=_ID_DETAILS,
    names="ID",
    add_options=_remove_options,
    run=_remove,
)
