"""`filemill retry` and `filemill remove`."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from desktop_app.cli.lookup import look_up_all
from desktop_app.cli.output import counted, emit, say
from desktop_app.cli.parser import Command
from desktop_app.cli.sending import send_now
from desktop_app.domain.errors import UsageError
from desktop_app.domain.job import Status
from desktop_app.domain.query import Filter

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Sequence

    from desktop_app.store.job_list import JobList


_ID_DETAILS = "An ID is what `filemill status` shows, or an unambiguous beginning of it."


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
        count = program.intake.retry(chosen)
        if options.names and count < len(chosen):
            say(f"{counted(len(chosen) - count, 'file')} left alone: only what has ended can be tried again.")
        send_now(program, count)
        emit(f"Put {counted(count, 'file')} back to be processed again.")
    return 0


def _remove(options: Namespace) -> int:
    _want_one("remove", "--processed, --all or ids", options.processed, options.all, options.names)
    from desktop_app.bootstrap import open_program

    with closing(open_program()) as program:
        statuses = [] if options.all else [Status.PROCESSED]
        count = program.intake.remove(_chosen(program.jobs, options.names, *statuses))
        emit(f"Took {counted(count, 'file')} off the list. The files themselves are untouched.")
    return 0


def _chosen(job_list: JobList, ids: Sequence[str], *statuses: Status) -> Sequence[int]:
    """The keys of the jobs that were named; if none was, of all that have one of the statuses (none given = any)."""
    if ids:
        return [job.row_id for job in look_up_all(job_list, ids)]
    return job_list.ids(Filter(statuses=frozenset(statuses)))


def _want_one(command: str, choices: str, *given: object) -> None:
    """Refuse a command line that names nothing, or several things of which one would be ignored."""
    if sum(map(bool, given)) != 1:
        raise UsageError(f"Give either {choices}. See `filemill {command} --help`.")


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
