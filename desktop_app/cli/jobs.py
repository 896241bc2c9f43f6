"""The commands `filemill submit`, `filemill retry` and `filemill remove`, which change the list."""

from __future__ import annotations

from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING

from desktop_app.cli.output import Progress, announced_if_slow, counted, emit, emit_json, human_size, quoted, say
from desktop_app.cli.parser import Command
from desktop_app.cli.queue_calls import result_of
from desktop_app.cli.status import look_up
from desktop_app.domain.assurances import FILES_STAY
from desktop_app.domain.errors import KnownError, QueueError, UsageError
from desktop_app.domain.fields import BY_TYPE, Choice, OptionError, stored_options, typed_options
from desktop_app.domain.job import Status
from desktop_app.domain.query import Filter
from desktop_app.domain.sentences import display_text
from desktop_app.services.adding.names import batch_name
from desktop_app.services.stop_signals import StopSignals
from desktop_app.sources.file_list import SomeFiles

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Sequence

    from desktop_app.bootstrap import Program
    from desktop_app.sources.scan import ScanResult
    from desktop_app.store.job_list import JobList

_SECONDS = 10.0
_SECONDS_A_MESSAGE = 0.05
LOCAL_HINT = "The files are processed as soon as the window or `filemill worker` is running."
_STAY = FILES_STAY.removesuffix(".")
"""The beginning of a sentence in the texts of many errors of the queue."""
FOLDER_REFUSED = "This is a folder; add --recursive to include the files in it"
_ID_DETAILS = "`filemill status` shows the IDs; an unambiguous prefix of an ID is enough."


def _submit_options(parser: ArgumentParser) -> None:
    parser.add_argument("--recursive", action="store_true", help="include the files in folders and their subfolders")
    parser.add_argument(
        "--name", default="", metavar="BATCH", help="the name of the batch; by default, it is made from the paths"
    )
    parser.add_argument(
        "--duplicates",
        choices=("skip", "add"),
        help="what to do with files that are on the list already and have not changed; "
        "by default, what is set in the settings, or else skip",
    )
    add_processor_options(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object per line for each file")


def add_processor_options(parser: ArgumentParser) -> None:
    """Add the options that choose a processor; see `chosen_processor`."""
    parser.add_argument(
        "--processor", metavar="NAME", help="what is done to the files; `filemill processors` shows the names"
    )
    parser.add_argument(
        "--option", action="append", default=[], metavar="KEY=VALUE", help="set an option of the processor"
    )


def chosen_processor(program: Program, options: Namespace) -> Choice | None:
    """Return the chosen processor and its options; None if none was chosen.

    Raises:
        UsageError: If this computer does not have the processor, or the options are not valid.
    """
    if options.processor is None:
        if options.option:
            raise UsageError("--option needs --processor.")
        return None
    from desktop_app.bootstrap import build_registry

    registry = build_registry(program)
    processor = registry.find(options.processor)
    if processor is None:
        known = ", ".join(one.name for one in registry)
        raise UsageError(f"There is no processor {quoted(options.processor)} on this computer. There are: {known}.")
    try:
        return Choice(processor.name, stored_options(typed_options(processor.options, options.option)))
    except OptionError as error:
        raise UsageError(error.text) from error


def _submit(options: Namespace) -> int:
    if not options.names:
        raise UsageError("Name at least one file to add. See `filemill submit --help`.")
    found = _scan(options.names, recursive=options.recursive)
    from desktop_app.bootstrap import open_program

    with closing(open_program()) as program:
        choice = chosen_processor(program, options)
        listed = program.editor.listed_jobs(found.files)
        adds_again = (options.duplicates or program.settings.duplicates) == "add"
        new = [place for place in range(len(found.files)) if adds_again or place not in listed]
        files = SomeFiles(found.files, new)
        added = None
        if files:
            automatic_name = partial(batch_name, found=found)
            added = program.editor.add(
                files,
                name=display_text(options.name),
                automatic_name=automatic_name,
                choice=choice or BY_TYPE,
            )
        _report_listed(len(listed), adds_again=adds_again)
        _send_now(program, len(files))
        if not options.json:
            size = sum(file.size or 0 for file in files)
            emit(f"Added {counted(len(files), 'file')} ({human_size(size)}).")
            return 1 if found.refused else 0
        # Read the jobs again: they may have been sent, or even processed, in the meantime.
        if added is not None:
            emit_json(program.jobs.all(Filter(batches=frozenset({added.batch_id}))))
        if not adds_again:
            emit_json(program.jobs.listed(sorted(listed.values())))
    return 1 if found.refused else 0


def _report_listed(count: int, *, adds_again: bool) -> None:
    """Tell what was done with the files that were on the list already and had not changed."""
    if not count:
        return
    done = "added again" if adds_again else "skipped; --duplicates add adds them again"
    say(f"{counted(count, 'file')} on the list already and unchanged: {done}.")


def _scan(names: Sequence[str], *, recursive: bool) -> ScanResult:
    """Scan the given paths and report the entries that can't be added."""
    from desktop_app.domain.reasons import ReasonCode
    from desktop_app.sources.scan import scan

    with closing(StopSignals()) as stop, closing(Progress("Looking", "files")) as bar:
        found = scan(names, recursive=recursive, cancelled=stop.is_set, on_found=lambda count: bar.move_to(count, None))
    if found.cancelled:
        raise KnownError("Stopped. Nothing was added.")
    for refusal in found.refused:
        text = FOLDER_REFUSED if refusal.reason.code is ReasonCode.NAMED_FOLDER else refusal.reason
        say(f"{refusal.path}: {text}.")
    return found


def _retry_options(parser: ArgumentParser) -> None:
    parser.add_argument("--failed", action="store_true", help="all FAILED files")
    add_processor_options(parser)


def _remove_options(parser: ArgumentParser) -> None:
    parser.add_argument("--processed", action="store_true", help="all PROCESSED files")
    parser.add_argument("--all", action="store_true", help="all files")


def _retry(options: Namespace) -> int:
    _require_one("retry", "--failed or IDs", options.failed, options.names)
    from desktop_app.bootstrap import open_program

    with closing(open_program()) as program:
        choice = chosen_processor(program, options)
        chosen = _chosen(program.jobs, options.names, Status.FAILED)
        count = program.editor.retry(chosen, choice=choice)
        if options.names and count < len(chosen):
            say(f"{counted(len(chosen) - count, 'file')} left alone: only PROCESSED and FAILED files can be retried.")
        _send_now(program, count)
        emit(f"Retrying {counted(count, 'file')}.")
    return 0


def _remove(options: Namespace) -> int:
    _require_one("remove", "--processed, --all or IDs", options.processed, options.all, options.names)
    from desktop_app.bootstrap import open_program

    with closing(open_program()) as program:
        statuses = [] if options.all else [Status.PROCESSED]
        count = program.editor.remove(_chosen(program.jobs, options.names, *statuses))
        emit(f"Removed {counted(count, 'file')} from the list. The files themselves are not changed.")
    return 0


def _chosen(job_list: JobList, ids: Sequence[str], *statuses: Status) -> Sequence[int]:
    """Return the keys of the jobs with the given IDs or, without IDs, of all jobs with one of the statuses.

    Args:
        job_list: The list.
        ids: The IDs; may be empty.
        *statuses: The statuses; none for all jobs.

    Raises:
        KnownError: If an ID matches no job or several jobs.
        StoreError: If the database can't be read.
    """
    if not ids:
        return job_list.ids(Filter(statuses=frozenset(statuses)))
    jobs, problems = look_up(job_list, ids)
    if problems:
        raise KnownError(f"{' '.join(problems)} Nothing was changed.")
    return [job.row_id for job in jobs]


def _require_one(command: str, choices: str, *given: object) -> None:
    """Raise an error unless the command line selects jobs in exactly one way."""
    if sum(map(bool, given)) != 1:
        raise UsageError(f"Give either {choices}. See `filemill {command} --help`.")


def _send_now(program: Program, count: int) -> None:
    """Send waiting messages for a limited time. Queue errors are only reported, as the messages can be sent later.

    Nothing is sent to the embedded queue; the program that processes the files sends those messages.

    Args:
        program: The program.
        count: The number of new messages.

    Raises:
        StoreError: If the database can't be written.
    """
    if not count:
        return
    if program.connection.is_local:
        if not program.identity.is_served(program.connection.key):
            say(LOCAL_HINT)
        return
    from desktop_app.bootstrap import connect_queue, send_all

    try:
        with (
            closing(StopSignals()) as stop,
            announced_if_slow(f"Sending messages to {program.connection.label} …"),
            closing(connect_queue(program, say)) as connector,
        ):
            send = partial(send_all, program, connector, deadline_s=_SECONDS + count * _SECONDS_A_MESSAGE)
            report = result_of(send, program.database, connector.interrupt, stop)
    except QueueError as error:
        say(_sent_later(error.text))
        return
    if report is None:
        say("Stopped. The files are saved; the remaining messages will be sent later.")
        return
    if report.trouble:
        say(_sent_later(report.trouble))
    elif report.waiting:
        say(f"{counted(report.waiting, 'message')} could not be sent in time; the window or a worker will send them.")


def _sent_later(trouble: str) -> str:
    """Return the text of an error that kept messages from being sent. It says once that no file is lost."""
    if _STAY in trouble:
        return f"{trouble} Their messages will be sent later."
    return f"{trouble} The files are saved; their messages will be sent later."


SUBMIT = Command(
    name="submit",
    usage="[--recursive] [--json] [--processor NAME] PATH …",
    summary="add files to the list and send their messages",
    details="Files that can't be added are reported on standard error and the exit code is 1; the others are added.\n"
    "With --json, files that are skipped because they are on the list already are printed, too.\n"
    "A queue that can't be reached is not a failure: the window or a worker will send the messages later.",
    names="PATH",
    add_options=_submit_options,
    run=_submit,
)

RETRY = Command(
    name="retry",
    usage="[--processor NAME] (--failed | ID …)",
    summary="process PROCESSED or FAILED files again",
    details=_ID_DETAILS,
    names="ID",
    add_options=_retry_options,
    run=_retry,
)

REMOVE = Command(
    name="remove",
    usage="(--processed | --all | ID …)",
    summary="remove files from the list; the files themselves are not changed",
    details=_ID_DETAILS,
    names="ID",
    add_options=_remove_options,
    run=_remove,
)
