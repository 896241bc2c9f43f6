"""Find the processor for a file, run it, and ensure that the result is of the whole, unchanged file.

A new processor needs a module with a `Processor` and a line in `default_registry` before `LineProcessor`, which accepts
every file.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from desktop_app.domain.clock import SystemClock
from desktop_app.domain.errors import FileError
from desktop_app.domain.reasons import Reason, ReasonCode
from desktop_app.processing.lines import LINES_COUNT, LineProcessor
from desktop_app.processing.processor import Cancelled
from desktop_app.sources.local import CHUNK_BYTES, Source, open_source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from desktop_app.domain.clock import Clock
    from desktop_app.processing.processor import Processor, Value, Watch

FIRST_PROGRESS_S = 0.25
"""A file that is done sooner reports no progress, which would be too brief to see."""
PROGRESS_EVERY_S = 0.1
PAUSES_S = (0.1, 0.5)
"""Seconds to wait before a changed file is read again, so that a program can finish saving it."""


@dataclass(frozen=True, slots=True)
class FileResult:
    """The result of processing a file.

    Attributes:
        file_size: The size in bytes; exactly as many were read.
        lines_count: The number of lines, if counted.
        values: Other values of the processor, by field name; not stored yet.
    """

    file_size: int
    lines_count: int | None = None
    values: Mapping[str, Value] = field(default_factory=dict)


class ProcessorRegistry:
    """Finds the processor for a file and runs it. Any thread, several at once.

    Args:
        processors: The processors, in order of preference.
        clock: Only `steady` is used.
        opener: Opens a path as a source; raises FileError.
        pause: Waits some seconds.
    """

    def __init__(
        self,
        processors: Sequence[Processor],
        *,
        clock: Clock | None = None,
        opener: Callable[[str], Source] = open_source,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._processors = tuple(processors)
        self._clock = clock or SystemClock()
        self._open = opener
        self._pause = pause

    def process(self, path: str, watch: Watch) -> FileResult:
        """Process one file. The duration depends on the size of the file.

        Args:
            path: The path as decoded by `os.fsdecode`.
            watch: Receives the progress and tells whether to stop.

        Raises:
            FileError: If the file can't be processed, or changed during each of three attempts.
            Cancelled: If the watch said so.
        """
        processor = next((processor for processor in self._processors if processor.accepts(path)), None)
        if processor is None:
            raise FileError(Reason(ReasonCode.NO_PROCESSOR))
        for pause_s in PAUSES_S:
            try:
                return self._read_once(processor, path, watch)
            except _NumbersDoNotFitError:
                self._pause(pause_s)
        try:
            return self._read_once(processor, path, watch)
        except _NumbersDoNotFitError as error:
            code = ReasonCode.CHANGED_WHILE_READ if error.changed else ReasonCode.SIZE_UNTRUE
            raise FileError(Reason(code)) from error

    def _read_once(self, processor: Processor, path: str, watch: Watch) -> FileResult:
        if watch.cancelled():
            raise Cancelled
        with self._open(path) as source:
            watched = _WatchedSource(source, watch, self._clock)
            values = _checked(processor, processor.process(watched))
            changed = source.changed()
            if changed or watched.bytes_done != source.size:
                raise _NumbersDoNotFitError(changed=changed)
            lines_count = values.pop(LINES_COUNT.name, None)
            return FileResult(source.size, None if lines_count is None else int(lines_count), values)


def _checked(processor: Processor, values: Mapping[str, Value]) -> dict[str, Value]:
    """Return a result after checking that it contains only fields that its processor declares.

    Raises:
        TypeError: If it contains anything else, which is a bug of the processor.
    """
    fields = {declared.name: declared for declared in processor.fields}
    for name, value in values.items():
        if name not in fields or not fields[name].admits(value):
            raise TypeError(f"the processor {processor.name} does not declare {name}={value!r}")
    return dict(values)


class _NumbersDoNotFitError(Exception):
    """The bytes read do not match the file as it was opened."""

    def __init__(self, *, changed: bool) -> None:
        super().__init__()
        self.changed = changed


class _WatchedSource:
    """A source that counts the bytes read, reports the progress, and stops when cancelled."""

    def __init__(self, source: Source, watch: Watch, clock: Clock) -> None:
        self._source = source
        self._watch = watch
        self._clock = clock
        self.bytes_done = 0

    @property
    def size(self) -> int:
        return self._source.size

    def chunks(self, chunk_bytes: int = CHUNK_BYTES) -> Iterator[bytes]:
        self.bytes_done = 0
        next_report = self._clock.steady() + FIRST_PROGRESS_S
        for chunk in self._source.chunks(chunk_bytes):
            if self._watch.cancelled():
                raise Cancelled
            self.bytes_done += len(chunk)
            if self.bytes_done > self._source.size:
                return  # it grew; a file that grows as fast as it is read would never end
            yield chunk
            now = self._clock.steady()
            if now >= next_report:
                next_report = now + PROGRESS_EVERY_S
                self._watch.on_progress(self.bytes_done, self._source.size)

    def changed(self) -> bool:
        return self._source.changed()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._source.__exit__(*error)


def default_registry(clock: Clock | None = None) -> ProcessorRegistry:
    """Return the registry of the program's processors, specialized ones first.

    Args:
        clock: The clock; None for the system's.
    """
    return ProcessorRegistry((LineProcessor(),), clock=clock)
