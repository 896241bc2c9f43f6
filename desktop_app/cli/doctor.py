"""The command `filemill doctor`, which checks the setup and the queue."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from desktop_app.cli.output import announced_if_slow, counted, emit, quoted, say
from desktop_app.cli.parser import Command
from desktop_app.cli.queue_calls import result_of
from desktop_app.domain.assurances import text_in_test
from desktop_app.domain.connection_checks import Check, Verdict
from desktop_app.domain.errors import KnownError
from desktop_app.domain.job import iso_utc
from desktop_app.domain.sentences import display_text
from desktop_app.services.stop_signals import StopSignals, raising_stop_signals

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Iterator

    from desktop_app.bootstrap import Program
    from desktop_app.config.paths import Home


_MARKS = {Verdict.FINE: "✓", Verdict.NOTE: "!", Verdict.TROUBLE: "✗"}
_PLAIN_MARKS = {Verdict.FINE: "[ok]", Verdict.NOTE: "[!]", Verdict.TROUBLE: "[no]"}
_LITTLE_SPACE = 16 * 1024**2


def _options(parser: ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON object per line for each check")
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
    marks = _MARKS if _can_print("".join(_MARKS.values())) else _PLAIN_MARKS
    code = 0
    with raising_stop_signals():
        for verdict, topic, text in _findings():
            if options.json:
                emit(json.dumps({"verdict": verdict, "topic": topic, "text": text}), flush=True)
            else:
                emit(f"{marks[verdict]} {topic}: {display_text(text)}", flush=True)
            code = 1 if verdict is Verdict.TROUBLE else code
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


def _findings() -> Iterator[tuple[Verdict, str, str]]:
    """Run the checks, stopping at a failure that makes the remaining checks impossible.

    Yields:
        The verdict of a check, its topic, and either the state found or what to fix.
    """
    from desktop_app.bootstrap import open_program
    from desktop_app.config.paths import find_home
    from desktop_app.processing.line_feeds import describe_counting

    topic = "Folder"
    try:
        home = find_home()
        home.create()
        yield _folder(home)
        yield from _temporary_folder()
        yield from _log(home)
        topic = "Settings"
        yield Verdict.FINE, topic, _settings(home)
        topic = "Database"
        with closing(open_program()) as program:
            yield Verdict.FINE, topic, _database(program)
            yield Verdict.FINE, "Processing", describe_counting()
            topic = "Queue"
            yield Verdict.FINE, topic, _queue(program)
            yield from _rights(program)
    except KnownError as error:
        text = text_in_test(error)
        yield Verdict.TROUBLE, topic, f"{text} ({error.detail})" if error.detail else text


def _folder(home: Home) -> tuple[Verdict, str, str]:
    free = shutil.disk_usage(home.folder).free
    if free < _LITTLE_SPACE:
        mib = free // 1024**2
        return Verdict.TROUBLE, "Folder", f"{home.folder}: only {mib} MiB are free on its disk. Free some space."
    return Verdict.FINE, "Folder", str(home.folder)


def _temporary_folder() -> Iterator[tuple[Verdict, str, str]]:
    """Check the temporary folder, which SQLite needs for large sorts."""
    named = os.environ.get("TMPDIR", "")
    try:
        used = tempfile.gettempdir()
    except FileNotFoundError:
        text = "There is no temporary folder that can be written to. Set TMPDIR to the path of a folder."
        yield Verdict.TROUBLE, "Temporary folder", text
        return
    if named and not (Path(named).is_dir() and os.access(named, os.W_OK)):
        text = f"TMPDIR is {quoted(named)}, which is not a folder that can be written to; {used} is used instead."
        yield Verdict.NOTE, "Temporary folder", text


def _log(home: Home) -> Iterator[tuple[Verdict, str, str]]:
    from desktop_app.logs.log import check_log, log_file

    try:
        check_log(home.logs)
    except OSError as error:
        why = error.strerror or error
        text = f"{log_file(home.logs)} can't be written: {why}. Until it can, nothing is logged."
        yield Verdict.NOTE, "Log", text


def _settings(home: Home) -> str:
    from desktop_app.config.settings import connection_from, load_settings

    connection = connection_from(load_settings(home.settings_file), os.environ)
    if not connection.is_local:
        from desktop_app.queues.identity import resolve

        connection = resolve(connection)
    source = str(home.settings_file) if home.settings_file.exists() else "the defaults"
    return f"{source}; queue: {connection.label}"


def _database(program: Program) -> str:
    """Check the whole database, and return its path and content.

    Raises:
        StoreDamagedError: If it is damaged.
    """
    from desktop_app.store.backups import check_database

    checked = check_database(program.database.path)
    text = f"{program.database.path}, {counted(program.jobs.counts().total, 'file')} in the list"
    return text if checked.is_complete else f"{text}; quick check done in {checked.seconds:.1f} s"


def _queue(program: Program) -> str:
    from desktop_app.bootstrap import connect_queue

    if program.connection.is_local and program.queue_file.exists():
        from desktop_app.queues.embedded import check_queue_file

        check_queue_file(program.queue_file)
    waiting = f"Waiting for {program.connection.label} …"
    with (
        closing(StopSignals()) as stop,
        announced_if_slow(waiting),
        closing(connect_queue(program, say)) as connector,
    ):
        info = result_of(lambda: connector.connect().info, program.database, connector.interrupt, stop)
    if info is None:
        raise KeyboardInterrupt
    return f"{program.connection.label} responds; it is a {'FIFO' if info.is_fifo else 'standard'} queue"


def _rights(program: Program) -> Iterator[tuple[Verdict, str, str]]:
    """Check the identity and each permission, unless the queue is local."""
    from desktop_app.queues.checks import probe

    if program.connection.is_local:
        return
    with closing(StopSignals()) as stop:
        findings = probe(program.connection, program.queue_file, stop.is_set)
        while found := result_of(lambda: next(findings, None), program.database, lambda: None, stop):
            if found.check not in {Check.SERVER, Check.QUEUE}:
                yield found.verdict, "Connection", found.text
        if stop.is_set():
            raise KeyboardInterrupt


DOCTOR = Command(
    name="doctor",
    usage="[--json] [--use-copy | --start-empty]",
    summary="check the setup and the queue, and say what to fix",
    details="The exit code is 1 if a check fails. With --json, the verdict of a check is fine, note or trouble.",
    add_options=_options,
    run=_doctor,
)
