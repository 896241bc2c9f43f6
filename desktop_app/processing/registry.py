"""Run a processor on a file, and check that the file was read completely and did not change.

To add a processor, add a module to this package, and a line to `BUILT_IN`.
"""

from __future__ import annotations

import hashlib
import time
from contextlib import closing
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, Self, TypeGuard, cast

from desktop_app.domain.clock import Clock, SystemClock
from desktop_app.domain.errors import FileError
from desktop_app.domain.fields import (
    DEFAULT_PROCESSOR,
    BadResultError,
    Field,
    OptionError,
    Value,
    checked_options,
    read_options,
    stored_lines,
    stored_result,
)
from desktop_app.domain.reasons import Reason, ReasonCode
from desktop_app.processing.archive import ArchiveProcessor
from desktop_app.processing.checksum import ChecksumProcessor
from desktop_app.processing.image import ImageProcessor
from desktop_app.processing.lines import LINES_COUNT, LineProcessor
from desktop_app.processing.pdf import PdfProcessor
from desktop_app.processing.processor import Cancelled, Limits, Processor, Watch
from desktop_app.processing.table import TableProcessor
from desktop_app.sources.local import CHUNK_BYTES, Change, Result, Source, open_source

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence

    from desktop_app.config.presets import Preset
    from desktop_app.processing.command import CommandProcessor
    from desktop_app.processing.outputs import Outputs, Staged


FIRST_PROGRESS_S = 0.25
"""The time before the first progress report; the progress of smaller files would be visible too briefly."""
PROGRESS_EVERY_S = 0.1
PAUSES_S = (0.1, 0.5)
"""The pauses in seconds before a changed file is reread, so that another program can finish saving it."""


class FileResult(NamedTuple):
    """The result of processing a file.

    Attributes:
        file_size: The size in bytes.
        lines_count: The number of lines; None if they were not counted.
        values: The other values by field name, all of which can be stored.
        staged: The files that a command has written, to be published once the result is committed; None without any.
    """

    file_size: int
    lines_count: int | None = None
    values: Mapping[str, Value] = MappingProxyType({})
    staged: Staged | None = None


class ProcessorRegistry:
    """Finds processors by name and runs them. Any thread.

    Args:
        processors: The processors.
        clock: The clock for limiting the progress reports; None for the system clock.
        opener: The function that opens a path; see `open_source`.
        pause: The function that waits for a number of seconds.
        outputs: The output folders of the commands among the processors; None without commands.
        changed_commands: Returns the commands, which are offered after the processors; None if they have not changed.
    """

    def __init__(
        self,
        processors: Sequence[Processor | CommandProcessor],
        *,
        clock: Clock | None = None,
        opener: Callable[[str], Source] = open_source,
        pause: Callable[[float], None] = time.sleep,
        outputs: Outputs | None = None,
        changed_commands: Callable[[], Sequence[CommandProcessor] | None] = lambda: None,
    ) -> None:
        self.outputs = outputs
        self._fixed = tuple(processors)
        self._processors = {processor.name: processor for processor in processors}
        self._changed_commands = changed_commands
        self.refresh()
        self._clock = clock or SystemClock()
        self._open = opener
        self._pause = pause

    def __iter__(self) -> Iterator[Processor | CommandProcessor]:
        """Iterate over the processors, in the order in which they are offered."""
        return iter(self._processors.values())

    def refresh(self) -> bool:
        """Use the commands as they are set up now; return whether they have changed. One thread at a time.

        Files that are being processed are not affected.
        """
        commands = self._changed_commands()
        if commands is None:
            return False
        self._processors = {processor.name: processor for processor in (*self._fixed, *commands)}
        return True

    def find(self, name: str) -> Processor | CommandProcessor | None:
        """Return the processor with a name; None if this registry does not have it."""
        return self._processors.get(name)

    @property
    def versions(self) -> dict[str, int]:
        """The versions of the processors that can be used on this computer, by name."""
        return {name: processor.version for name, processor in self._processors.items() if not processor.unavailable}

    @property
    def fields(self) -> dict[str, tuple[Field, ...]]:
        """The fields that the processors declare, by the name of the processor."""
        return {name: processor.fields for name, processor in self._processors.items()}

    def limits(self, name: str) -> Limits | None:
        """Return the limits of the child process in which a processor has to run; None if it needs none."""
        processor = self._processors.get(name)
        return None if processor is None else processor.limits

    def is_command(self, name: str) -> bool:
        """Return whether a processor is a command, which opens the file itself, in a process of its own."""
        return _is_command(self._processors.get(name))

    def end_idle(self) -> None:
        """End the processes that are kept for the next files, after a consumer has ended."""
        for processor in self._processors.values():
            if _is_command(processor):
                processor.end_idle()

    def process(
        self,
        path: str,
        watch: Watch,
        opened: Source | None = None,
        processor: str = DEFAULT_PROCESSOR,
        options: str = "",
    ) -> FileResult:
        """Process one file.

        Args:
            path: The path as decoded by `os.fsdecode`.
            watch: Receives the progress, and can cancel the processing.
            opened: The file, if it was opened already.
            processor: The name of the processor.
            options: Its options as they are stored; see `stored_options`.

        Raises:
            FileError: If the file can't be processed, or if it changed every time it was read.
            Cancelled: If `watch` cancelled the processing.
        """
        chosen = self._processors.get(processor)
        if chosen is None:
            raise FileError(Reason(ReasonCode.NOT_AVAILABLE, {"processor": processor, "why": "it is not installed"}))
        if why := chosen.unavailable:
            raise FileError(Reason(ReasonCode.NOT_AVAILABLE, {"processor": processor, "why": why}))
        if not chosen.accepts(path):
            raise FileError(Reason(ReasonCode.NO_PROCESSOR))
        try:
            values = checked_options(chosen.options, read_options(options))
        except OptionError as error:
            raise FileError(Reason(ReasonCode.BAD_OPTIONS, {"why": error.text})) from error
        if _is_command(chosen):
            return self._run_command(chosen, path, watch)
        chosen = cast("Processor", chosen)
        reading = self._read_once(chosen, values, path, watch, opened, with_digest=False)
        for pause_s in PAUSES_S:
            if reading.problem is None:
                return reading.result
            previous = reading
            self._pause(pause_s)
            reading = self._read_once(chosen, values, path, watch, with_digest=True)
            # A backup program may change the status of a file again and again, and some network file systems report
            # another status change time at each call. A file that had the same content twice has not changed.
            if reading.only_status_changed and reading.digest == previous.digest:
                return reading.result
        if reading.problem is not None:
            raise FileError(Reason(reading.problem))
        return reading.result

    def _run_command(self, command: CommandProcessor, path: str, watch: Watch) -> FileResult:
        if watch.cancelled():
            raise Cancelled
        return FileResult(*command.run(path, watch))

    def _read_once(
        self,
        processor: Processor,
        options: Mapping[str, Value],
        path: str,
        watch: Watch,
        opened: Source | None = None,
        *,
        with_digest: bool,
    ) -> _Reading:
        if watch.cancelled():
            raise Cancelled
        on_access = watch.on_access
        if opened is None:
            on_access(begins=True)
            try:
                opened = self._open(path)
            finally:
                on_access(begins=False)
        with opened as source:
            watched = _WatchedSource(source, watch, self._clock, with_digest=with_digest)
            try:
                values = dict(processor.process(watched, options, watch))
            except FileError as error:
                error.values = _storable(processor, error.values)
                # What is wrong with a file that was changed meanwhile may be only that it was not complete.
                if source.change() is not Change.CONTENT:
                    raise
                return _Reading(FileResult(watched.size), ReasonCode.CHANGED_WHILE_READ, False, b"")
            on_access(begins=True)
            try:
                change = source.change()
            finally:
                on_access(begins=False)
        is_complete = not watched.is_streamed or watched.bytes_done == watched.size
        problem = None
        if change is not Change.NONE:
            problem = ReasonCode.CHANGED_WHILE_READ
        elif not is_complete:
            problem = ReasonCode.SIZE_UNTRUE
        _check_fields(processor, values)
        lines_count = values.pop(LINES_COUNT.name, None)
        try:
            lines = None if lines_count is None else stored_lines(lines_count)
            stored_result(values)
        except BadResultError as error:
            raise FileError(Reason(ReasonCode.BAD_RESULT, {"why": str(error)})) from error
        result = FileResult(watched.size, lines, values)
        return _Reading(result, problem, is_complete and change is Change.STATUS, watched.digest())


def _is_command(processor: Processor | CommandProcessor | None) -> TypeGuard[CommandProcessor]:
    """Return whether a processor is a command. Its module is not imported in the child process, which runs none."""
    return processor is not None and not hasattr(processor, "process")


def _storable(processor: Processor, values: Mapping[str, Value]) -> Mapping[str, Value]:
    """Return the values of a file that has failed; none if they can't be stored, since the reason says more."""
    _check_fields(processor, values)
    try:
        stored_result(values)
    except BadResultError:
        return {}
    return values


def _check_fields(processor: Processor, values: Mapping[str, Value]) -> None:
    """Raise a TypeError if a field is not declared or has another type, which is a bug in the processor."""
    kinds = {declared.name: declared.kind for declared in processor.fields}
    for name, value in values.items():
        if type(value) is not kinds.get(name):  # unlike isinstance, does not accept a bool as an int
            raise TypeError(f"the processor {processor.name} does not declare {name}={value!r}")


@dataclass(slots=True)
class _Reading:
    """One reading of a file.

    Attributes:
        result: The result, which is valid only if there is no problem.
        problem: The reason why the file has to be reread.
        only_status_changed: Whether the only problem is that the file's status change time differs.
        digest: The digest of the content; empty if it was not computed.
    """

    result: FileResult
    problem: ReasonCode | None
    only_status_changed: bool
    digest: bytes


class _WatchedSource:
    """A source that reports its progress to a watch, and raises `Cancelled` if the watch cancels the processing."""

    def __init__(self, source: Source, watch: Watch, clock: Clock, *, with_digest: bool) -> None:
        self._source = source
        self._watch = watch
        self._clock = clock
        self._with_digest = with_digest
        self._digest = hashlib.blake2b() if with_digest else None
        self._next_report = 0.0
        self.path, self.size = source.path, source.size
        self.bytes_done = 0
        self.is_streamed = False

    def chunks(self, chunk_bytes: int = CHUNK_BYTES) -> Iterator[bytes]:
        watch, on_access = self._watch, self._watch.on_access
        self.bytes_done = 0
        self.is_streamed = True
        digest = self._digest = hashlib.blake2b() if self._with_digest else None
        self._next_report = self._clock.steady() + FIRST_PROGRESS_S
        chunks = self._source.chunks(chunk_bytes)
        while self.bytes_done < self.size or not self.bytes_done:
            on_access(begins=True)
            try:
                chunk = next(chunks, b"")
                done = self.bytes_done + len(chunk)
                if done == self.size:
                    done += len(next(chunks, b""))  # the end is looked for at once
            finally:
                on_access(begins=False)
            self.bytes_done = done
            if not chunk:
                return
            if watch.cancelled():
                raise Cancelled
            if done > self.size:
                return  # the file has grown; it might grow as fast as it is read
            if digest is not None:
                digest.update(chunk)
            yield chunk
            self._report()

    def ahead(self, work: Callable[[bytes], Result]) -> Generator[Result]:
        if self._with_digest:
            return  # it needs the chunks in their order
        with closing(self._source.ahead(work)) as results:
            while True:
                self._watch.on_access(begins=True)
                try:
                    result = next(results, None)
                finally:
                    self._watch.on_access(begins=False)
                if result is None:
                    return
                if self._watch.cancelled():
                    raise Cancelled
                self.bytes_done += CHUNK_BYTES
                yield result
                self._report()

    def read_at(self, position: int, count: int) -> bytes:
        if self._next_report == 0.0:
            self._next_report = self._clock.steady() + FIRST_PROGRESS_S
        if self._watch.cancelled():
            raise Cancelled
        self._watch.on_access(begins=True)
        try:
            content = self._source.read_at(position, count)
        finally:
            self._watch.on_access(begins=False)
        if self._digest is not None:
            self._digest.update(content)
        self.bytes_done = min(self.size, self.bytes_done + len(content))  # parts can be read more than once
        self._report()
        return content

    def _report(self) -> None:
        now = self._clock.steady()
        if now >= self._next_report:
            self._next_report = now + PROGRESS_EVERY_S
            self._watch.on_progress(self.bytes_done, self.size)

    def change(self) -> Change:
        return self._source.change()

    def digest(self) -> bytes:
        """Return the digest of the content; empty if it is not computed."""
        return b"" if self._digest is None else self._digest.digest()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._source.__exit__(*error)


BUILT_IN: tuple[Processor, ...] = (
    LineProcessor(),
    ChecksumProcessor(),
    TableProcessor(),
    ArchiveProcessor(),
    ImageProcessor(),
    PdfProcessor(),
)
"""The processors of every copy of Filemill, in the order in which they are offered."""


def default_registry(
    clock: Clock | None = None,
    *,
    presets: Iterable[Preset] = (),
    outputs: Outputs | None = None,
    plugins: Iterable[Processor] = (),
    changed_presets: Callable[[], Iterable[Preset] | None] = lambda: None,
) -> ProcessorRegistry:
    """Return a registry of all processors.

    Args:
        clock: See `ProcessorRegistry`.
        presets: The presets of commands.
        outputs: The output folders of the commands; not needed without presets.
        plugins: The plug-ins.
        changed_presets: Returns further presets, or None if they have not changed; see `ProcessorRegistry.refresh`.
    """
    if outputs is None:
        return ProcessorRegistry((*BUILT_IN, *plugins), clock=clock)
    from desktop_app.processing.child_process import CommandRunner
    from desktop_app.processing.command import CommandProcessor

    runner = CommandRunner()

    def commands(presets: Iterable[Preset] | None) -> list[CommandProcessor] | None:
        return None if presets is None else [CommandProcessor(preset, runner, outputs) for preset in presets]

    return ProcessorRegistry(
        (*BUILT_IN, *(commands(presets) or ()), *plugins),
        clock=clock,
        outputs=outputs,
        changed_commands=lambda: commands(changed_presets()),
    )
