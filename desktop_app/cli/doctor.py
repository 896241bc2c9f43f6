"""`filemill doctor`."""

from __future__ import annotations

import os
import sys
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from desktop_app.cli.output import counted, emit
from desktop_app.cli.parser import Command
from desktop_app.domain.errors import KnownError
from desktop_app.domain.job import display_text, iso_utc

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Iterator

    from desktop_app.bootstrap import Program
    from desktop_app.config.paths import Home


@dataclass(frozen=True, slots=True)
class Finding:
    """What the doctor has found out about one thing: how it is, or what to do about it."""

    is_fine: bool
    topic: str
    text: str


def _options(parser: ArgumentParser) -> None:
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument(
        "--use-copy", action="store_true", help="put a damaged database aside and use the newest copy of it"
    )
    choice.add_argument(
        "--start-empty", action="store_true", help="put a damaged database aside and start with an empty list"
    )


def _doctor(options: Namespace) -> int:
    if options.use_copy or options.start_empty:
        _repair(use_copy=options.use_copy)
    good, bad = ("✓", "✗") if _can_print("✓✗") else ("[ok]", "[no]")
    is_fine = True
    for finding in _findings():
        mark = good if finding.is_fine else bad
        emit(f"{mark} {finding.topic}: {display_text(finding.text)}", flush=True)
        is_fine = is_fine and finding.is_fine
    return 0 if is_fine else 1


def _repair(*, use_copy: bool) -> None:
    """Put a damaged database aside; one that is fine is left alone.

    Raises:
        KnownError: If there is nothing to repair, no copy to use, or the files can't be moved.
    """
    from desktop_app.bootstrap import backups

    copies = backups()
    if not copies.is_needed():
        raise KnownError("The database is not damaged, so nothing was done.")
    if not use_copy:
        emit(f"The damaged database was put aside as {copies.put_aside()}.")
        return
    newest = next(iter(copies.all()), None)
    if newest is None:
        raise KnownError("There is no copy of the database. With --start-empty the list begins afresh.")
    aside = copies.restore(newest)
    emit(f"The damaged database was put aside as {aside}; the copy of {iso_utc(newest.made_at)} takes its place.")


def _can_print(text: str) -> bool:
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "ascii")
    except UnicodeEncodeError:
        return False
    return True


def _findings() -> Iterator[Finding]:
    """Look at one thing after the other; nothing is looked at that rests on something which is not fine."""
    from desktop_app.bootstrap import open_program
    from desktop_app.config.paths import find_home

    topic = "Folder"
    try:
        home = find_home()
        home.create()
        yield Finding(True, topic, str(home.folder))
        topic = "Settings"
        yield Finding(True, topic, _settings(home))
        topic = "Database"
        with closing(open_program()) as program:
            yield Finding(True, topic, _database(program))
            topic = "Queue"
            yield Finding(True, topic, _queue(program))
            yield from _rights(program)
    except KnownError as error:
        yield Finding(False, topic, f"{error.text} ({error.detail})" if error.detail else error.text)


def _settings(home: Home) -> str:
    from desktop_app.config.settings import connection_from, load_settings

    connection = connection_from(load_settings(home.settings_file), os.environ)
    source = str(home.settings_file) if home.settings_file.exists() else "the defaults"
    return f"{source}; queue: {connection.label}"


def _database(program: Program) -> str:
    return f"{program.database.path}, {counted(program.jobs.counts().total, 'file')} on the list"


def _queue(program: Program) -> str:
    from desktop_app.bootstrap import connect_queue

    with closing(connect_queue(program)) as connector:
        info = connector.connect().info
    return f"{program.connection.label} answers; it is a {'FIFO' if info.is_fifo else 'standard'} queue"


def _rights(program: Program) -> Iterator[Finding]:
    """Yield what the test of a connection tells besides: who one is, and each right by itself."""
    from desktop_app.domain.connection_checks import Check, Verdict
    from desktop_app.queues.checks import probe

    if program.connection.is_local:
        return
    for found in probe(program.connection, program.queue_file, lambda: False):
        if found.check not in {Check.SERVER, Check.QUEUE}:
            yield Finding(found.verdict is not Verdict.TROUBLE, "Connection", found.text)


DOCTOR = Command(
    name="doctor",
    usage="[--use-copy | --start-empty]",
    summary="check the set-up and the queue, and say what to fix",
    details="The exit code is 1 if anything blocks.",
    add_options=_options,
    run=_doctor,
)
