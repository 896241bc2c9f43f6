"""`filemill submit`."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from desktop_app.cli.output import counted, emit, emit_json, human_size, progress, say
from desktop_app.cli.parser import Command
from desktop_app.cli.sending import send_now
from desktop_app.cli.signals import StopSignals
from desktop_app.domain.errors import KnownError, UsageError
from desktop_app.domain.job import display_text
from desktop_app.domain.query import Filter

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Sequence

    from desktop_app.sources.scan import ScanResult


FOLDER_REFUSED = "This is a folder; add --recursive to include the files in it"


def _options(parser: ArgumentParser) -> None:
    parser.add_argument("--recursive", action="store_true", help="go into folders")
    parser.add_argument("--json", action="store_true", help="print a JSON object a line for each file added")


def _submit(options: Namespace) -> int:
    if not options.names:
        raise UsageError("Name at least one file to add. See `filemill submit --help`.")
    found = _scan(options.names, recursive=options.recursive)
    from desktop_app.bootstrap import open_program

    with closing(open_program()) as program:
        added = program.intake.add(found.files) if found.files else None
        send_now(program, len(found.files))
        if not options.json:
            size = sum(file.size or 0 for file in found.files)
            emit(f"Added {counted(len(found.files), 'file')} ({human_size(size)}).")
        elif added is not None:
            # As the database has them now: some may have been sent, or even processed, meanwhile.
            emit_json(program.jobs.all(Filter(batches=frozenset({added.batch_id}))))
    return 1 if found.refused else 0


def _scan(names: Sequence[str], *, recursive: bool) -> ScanResult:
    """Look at what was named, and tell what can't be added."""
    from desktop_app.domain.reasons import ReasonCode
    from desktop_app.sources.scan import scan

    with StopSignals() as stop, progress("Looking", "files") as bar:
        found = scan(names, recursive=recursive, cancelled=stop.is_set, on_found=lambda count: bar.move_to(count, None))
    if found.cancelled:
        raise KnownError("Stopped. Nothing was added.")
    for refusal in found.refused:
        text = FOLDER_REFUSED if refusal.reason.code is ReasonCode.NAMED_FOLDER else refusal.reason
        say(f"{display_text(refusal.path)}: {text}.")
    return found


SUBMIT = Command(
    name="submit",
    usage="[--recursive] [--json] PATH|URL …",
    summary="add files to the list and send their messages",
    details="What can't be added is told on standard error, the rest is added; the exit code is 1 then. A queue\n"
    "that can't be reached is a warning only: the messages are sent later, by the window or by a worker.",
    names="PATH|URL",
    add_options=_options,
    run=_submit,
)
