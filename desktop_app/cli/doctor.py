"""The command `filemill doctor`, which checks the setup and the queue."""

from __future__ import annotations

import os
import sys
from contextlib import closing
from typing import TYPE_CHECKING

from desktop_app.cli.output import counted, emit, say
from desktop_app.cli.parser import Command
from desktop_app.domain.errors import KnownError
from desktop_app.domain.job import display_text, iso_utc
from desktop_app.services.stop_signals import raising_stop_signals

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Iterator

    from desktop_app.bootstrap import Program
    from desktop_app.config.paths import Home


def _options(parser: ArgumentParser) -> None:
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument(
        "--use-copy", action="store_true", help="set a damaged database aside and use the newest backup"
    )
    choice.add_argument(
        "--start-empty", action="store_true", help="set a damaged database aside and start with an empty list"
    )


def _doctor(options: Namespace) -> int:
    if options.use_copy or options.start_empty:
        _repair(use_copy=options.use_copy)
    good, bad = ("✓", "✗") if _can_print("✓✗") else ("[ok]", "[no]")
    code = 0
    with raising_stop_signals():
        for is_fine, topic, text in _findings():
            emit(f"{good if is_fine else bad} {topic}: {display_text(text)}", flush=True)
            code = code if is_fine else 1
    return code


def _repair(*, use_copy: bool) -> None:
    """Replace a damaged database with the newest backup or an empty list.

    Raises:
        KnownError: If the database is not damaged, there is no backup to use, or the files can't be moved.
    """
    from desktop_app.bootstrap import backups

    copies = backups()
    if not copies.is_needed():
        raise KnownError("The database is not damaged, so nothing was done.")
    if not use_copy:
        emit(f"The damaged database was moved to {copies.set_aside()}.")
        return
    newest = next(iter(copies.all()), None)
    if newest is None:
        raise KnownError("There is no backup of the database. Use --start-empty to start with an empty list.")
    aside = copies.restore(newest)
    emit(f"The damaged database was moved to {aside}; the backup of {iso_utc(newest.made_at)} replaces it.")


def _can_print(text: str) -> bool:
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "ascii")
    except UnicodeEncodeError:
        return False
    return True


def _findings() -> Iterator[tuple[bool, str, str]]:
    """Run the checks, stopping at a failure that makes the remaining checks impossible.

    Yields:
        Whether the check passed, its topic, and either the state found or what to fix.
    """
    from desktop_app.bootstrap import open_program
    from desktop_app.config.paths import find_home

    topic = "Folder"
    try:
        home = find_home()
        home.create()
        yield True, topic, str(home.folder)
        topic = "Settings"
        yield True, topic, _settings(home)
        topic = "Database"
        with closing(open_program()) as program:
            yield True, topic, _database(program)
            topic = "Queue"
            yield True, topic, _queue(program)
            yield from _rights(program)
    except KnownError as error:
        yield False, topic, f"{error.text} ({error.detail})" if error.detail else error.text


def _settings(home: Home) -> str:
    from desktop_app.config.settings import connection_from, load_settings

    connection = connection_from(load_settings(home.settings_file), os.environ)
    if not connection.is_local:
        from desktop_app.queues.identity import resolve

        connection = resolve(connection)
    source = str(home.settings_file) if home.settings_file.exists() else "the defaults"
    return f"{source}; queue: {connection.label}"


def _database(program: Program) -> str:
    return f"{program.database.path}, {counted(program.jobs.counts().total, 'file')} in the list"


def _queue(program: Program) -> str:
    from desktop_app.bootstrap import connect_queue

    with closing(connect_queue(program, say)) as connector:
        info = connector.connect().info
    return f"{program.connection.label} responds; it is a {'FIFO' if info.is_fifo else 'standard'} queue"


def _rights(program: Program) -> Iterator[tuple[bool, str, str]]:
    """Check the identity and each permission, unless the queue is local."""
    from desktop_app.domain.connection_checks import Check, Verdict
    from desktop_app.queues.checks import probe

    if program.connection.is_local:
        return
    for found in probe(program.connection, program.queue_file, lambda: False):
        if found.check not in {Check.SERVER, Check.QUEUE}:
            yield found.verdict is not Verdict.TROUBLE, "Connection", found.text


DOCTOR = Command(
    name="doctor",
    usage="[--use-copy | --start-empty]",
    summary="check the setup and the queue, and say what to fix",
    details="The exit code is 1 if a check fails.",
    add_options=_options,
    run=_doctor,
)
