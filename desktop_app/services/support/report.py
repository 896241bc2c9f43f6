"""Collect a support report, which contains no secrets and no file contents."""

from __future__ import annotations

import os
import platform
import shutil
import threading
from contextlib import closing
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import TYPE_CHECKING

from desktop_app import __version__
from desktop_app.domain.connection_checks import Finding, Verdict
from desktop_app.domain.errors import KnownError
from desktop_app.domain.job import Status, iso_utc
from desktop_app.domain.query import ADDED, Sort
from desktop_app.domain.sentences import display_text, mark
from desktop_app.logs.tail import LogTail
from desktop_app.services.support.masking import Masked, Masker, masker_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from desktop_app.config.paths import Home
    from desktop_app.config.settings import Connection, Settings
    from desktop_app.domain.clock import Clock
    from desktop_app.queues.connector import QueueConnector
    from desktop_app.store.database import Database
    from desktop_app.store.job_list import JobList


LOG_RECORDS = 400

_MARKS = {Verdict.FINE: "✓", Verdict.NOTE: "–", Verdict.TROUBLE: "✗"}

_KNOWN_NAMES = 3_000

_LIBRARIES = ("boto3", "botocore", "peewee", "platformdirs", "filelock", "tomlkit", "moto", "flask")

_TOLD_VARIABLES = ("AWS_REGION", "AWS_DEFAULT_REGION", "LANG", "LC_ALL", "XDG_CURRENT_DESKTOP", "XDG_SESSION_TYPE")

_NAMED_VARIABLES = ("AWS_", "FILEMILL_", "QT_", "SSL_", "REQUESTS_", "http_proxy", "https_proxy", "no_proxy")


class Part(StrEnum):
    """The parts of a report, in order."""

    FAULT = mark("What happened")
    PROGRAM = mark("Program and computer")
    SETTINGS = mark("Settings and connection")
    QUEUE = mark("Queue")
    DATABASE = mark("Database")
    CHECKS = mark("Checks")
    LOG = mark("Log")


@dataclass(frozen=True, slots=True)
class Section:
    """The text of one part of the report, with and without file names."""

    part: Part
    text: str
    with_names: str


@dataclass(frozen=True, slots=True)
class SupportSources:
    """The sources of the information in a report. Functions provide the information that can change.

    Attributes:
        home: The folder that contains the settings, the database and the logs.
        environment: The environment variables.
        settings: A function that returns the current settings.
        connection: A function that returns the current connection.
        connect: A function that returns a connector for the current queue, which the caller has to close.
        test: A function that tests the current connection and yields findings; its argument returns whether to stop.
        database: The database.
        jobs: The list of jobs.
        clock: The clock.
    """

    home: Home
    environment: Mapping[str, str]
    settings: Callable[[], Settings]
    connection: Callable[[], Connection]
    connect: Callable[[], QueueConnector]
    test: Callable[[Callable[[], bool]], Iterator[Finding]]
    database: Database
    jobs: JobList
    clock: Clock


class SupportReport:
    """Collects the sections of a report. One thread at a time; do not use it on the main thread.

    Args:
        sources: The sources of information.
        program: Additional lines for the section about the program.
        fault: A description of the error that has just occurred; empty if none has.
    """

    def __init__(self, sources: SupportSources, *, program: Iterable[str] = (), fault: str = "") -> None:
        self._sources = sources
        self._program = tuple(program)
        self._fault = fault
        self._masker = Masker()
        self._is_stopped = threading.Event()
        self._connector: QueueConnector | None = None

    def stop(self) -> None:
        """Make `ask_queue` return early. Any thread."""
        self._is_stopped.set()
        if self._connector is not None:
            self._connector.interrupt()

    def collect(self) -> list[Section]:
        """Return all sections except the one about the queue, which can take a long time."""
        sources = self._sources
        self._masker = masker_for(sources.environment, sources.home.folder, _known_names(sources.jobs))
        texts = {
            Part.FAULT: self._fault,
            Part.PROGRAM: _lines(self._about_program),
            Part.SETTINGS: _lines(self._about_settings),
            Part.DATABASE: _lines(self._about_database),
            Part.CHECKS: _lines(self._checks),
            Part.LOG: _lines(self._log),
        }
        return [self._section(part, text) for part, text in texts.items() if text]

    def ask_queue(self) -> Section:
        """Return the section about the queue and the connection test. Call `collect` first."""
        return self._section(Part.QUEUE, f"{_lines(self._about_queue)}\n{_lines(self._test_connection)}".rstrip())

    def head(self, *, names: bool) -> str:
        """Return the beginning of the report, which lists the kinds of masked data.

        Args:
            names: Whether the report includes file names.
        """
        masked = {what: count for what, count in self._masker.counts.items() if not (names and what is Masked.FILES)}
        counts = [f"{what.value} ({count})" for what, count in masked.items() if count]
        told = f"Masked: {'; '.join(counts)}." if counts else "Nothing had to be masked."
        return (
            f"Filemill support report, {iso_utc(self._sources.clock.now_ms())}\n"
            f"It contains no content of files and no keys. {told}\n"
        )

    def _section(self, part: Part, text: str) -> Section:
        with_names = self._masker.mask(text, names=True)
        return Section(part, self._masker.mask(with_names, names=False), with_names)

    # --- the parts

    def _about_program(self) -> Iterator[str]:
        from importlib.metadata import PackageNotFoundError, version  # takes long

        yield f"Filemill {__version__}"
        yield f"Python {platform.python_version()} ({platform.python_implementation()})"
        yield from self._program
        for name in _LIBRARIES:
            try:
                yield f"{name} {version(name)}"
            except PackageNotFoundError:
                yield f"{name}: no version known"
        yield f"{platform.platform()}, {platform.machine()}, {os.cpu_count()} processors"
        environment = self._sources.environment
        yield from (f"{name}={environment[name]}" for name in _TOLD_VARIABLES if name in environment)
        also = [
            name for name in sorted(environment) if name.startswith(_NAMED_VARIABLES) and name not in _TOLD_VARIABLES
        ]
        yield f"Other variables that are set: {', '.join(also) or 'none'}"

    def _about_settings(self) -> Iterator[str]:
        settings, connection = self._sources.settings(), self._sources.connection()
        yield from (f"{field.name} = {getattr(settings, field.name)!r}" for field in fields(settings))
        yield f"In use: {connection.label}; profile {connection.profile or 'of the chain'}"
        yield f"Region {connection.region or 'of the chain'}; endpoint {connection.endpoint_url or 'the usual one'}"

    def _about_database(self) -> Iterator[str]:
        database, jobs = self._sources.database, self._sources.jobs
        counts = jobs.counts()
        yield "; ".join(f"{status.name}: {counts.of(status)}" for status in Status)
        for problem in jobs.problems():
            yield f"FAILED for “{problem.code or 'no code'}”: {problem.count}"
        for queue, count in jobs.unfinished_by_queue().items():
            yield f"Unfinished for {queue}: {count}"
        yield f"Revision {jobs.changes.cursor().revision}; newest script {(database.scripts() or ['none'])[-1]}"
        for suffix in ("", "-wal"):
            file = database.path.with_name(database.path.name + suffix)
            if file.exists():
                yield f"{file.name}: {file.stat().st_size} bytes"
        free = shutil.disk_usage(database.path.parent).free
        yield f"Free on its disk: {free // 1_000_000} MB"

    def _checks(self) -> Iterator[str]:
        folder = self._sources.home.folder
        can_write = os.access(folder, os.W_OK)
        yield f"{'✓' if can_write else '✗'} Folder {folder} {'can' if can_write else 'can not'} be written"
        for topic, ask in (("Settings", self._sources.settings), ("Database", self._sources.jobs.changes.cursor)):
            try:
                ask()
            except KnownError as error:
                yield f"✗ {topic}: {error.text} {error.detail}"
            else:
                yield f"✓ {topic}"

    def _log(self) -> Iterator[str]:
        try:
            records = LogTail(self._sources.home.logs).read()
        except OSError as error:
            yield f"The log can't be read: {error.strerror}"
            return
        yield from (record.text for record in records[-LOG_RECORDS:])

    def _about_queue(self) -> Iterator[str]:
        with closing(self._sources.connect()) as self._connector:
            if self._is_stopped.is_set():
                return
            client = self._connector.connect()
            state = client.state()
        yield f"{client.info.name}: a {'FIFO' if client.info.is_fifo else 'standard'} queue"
        yield f"Messages, about: {state.visible} visible, {state.in_flight} in flight, {state.delayed} delayed"
        yield f"Kept for {state.retention_s} s; made at {iso_utc(state.created_at_ms)}"
        yield f"Largest message: {client.info.max_message_bytes} bytes"
        yield f"Dead-letter queue: {state.dead_letter_arn or 'none'}"

    def _test_connection(self) -> Iterator[str]:
        for finding in self._sources.test(self._is_stopped.is_set):
            detail = f" ({finding.error.detail})" if finding.error and finding.error.detail else ""
            yield f"{_MARKS[finding.verdict]} {finding.text}{detail}"


def _lines(facts: Callable[[], Iterator[str]]) -> str:
    """Return the lines that a function yields as one text; if the function fails, the last line reports the error."""
    found: list[str] = []
    try:
        for fact in facts():
            found.append("\n".join(display_text(line) for line in fact.split("\n")))  # noqa: PERF401 - some may fail
    except KnownError as error:
        found.append(f"✗ {error.text} {error.detail}".rstrip())
    except OSError as error:
        found.append(f"✗ {error.strerror or error}")
    return "\n".join(found)


def _known_names(jobs: JobList) -> set[str]:
    """Return the names and paths of the newest files on the list."""
    try:
        keys = jobs.ids(order=Sort.by(ADDED, descending=True))[:_KNOWN_NAMES]
        return {text for job in jobs.listed(keys) for text in (display_text(job.file_path), job.name)}
    except KnownError:
        return set()
