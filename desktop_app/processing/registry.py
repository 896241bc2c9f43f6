"""What is done to one file: who does it, under whose eyes, and that the numbers fit the file.

Another kind of processing is a new file with a `Processor` and a line in `default_registry`.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from desktop_app.domain.clock import SystemClock
from desktop_app.domain.errors import FileError
from desktop_app.domain.reasons import Reason, ReasonCode
from desktop_app.processing.lines import LineProcessor
from desktop_app.sources.local import Source, open_source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from desktop_app.domain.clock import Clock

FIRST_PROGRESS_S = 0.25
"""A file that is done sooner reports no progress: nobody could read it."""
PROGRESS_EVERY_S = 0.1
PAUSES_S = (0.1, 0.5)
"""How long is waited before a file that changed is read again, seconds: a program that is saving it gets done."""


@dataclass(frozen=True, slots=True)
class FileResult:
    """What is known of a file after it was processed."""

    file_size: int
    """Bytes; exactly as many were read."""
    lines_count: int


class Watch(Protocol):
    """Who looks on while a file is processed. Called on the thread that processes."""

    def on_progress(self, bytes_done: int, bytes_total: int) -> None:
        """How far it is; at most every 100 ms, not at all for small files. Starts afresh if a file is read again."""
        ...

    def cancelled(self) -> bool:
        """Whether to stop; asked before every chunk, so it must answer at once."""
        ...


class Processor(Protocol):
    """One kind of processing. Called on several threads at once, so it keeps nothing of a file in itself."""

    def accepts(self, path: str) -> bool:
        """Whether this kind of processing is for such a file, by its name; the first that says yes does it."""
        ...

    def count(self, chunks: Iterable[bytes]) -> int:
        """The `lines_count` of a content.

        Args:
            chunks: Non-empty pieces, to be taken up to the last one; what they raise is not to be caught.

        Raises:
            FileError: If the content can't be processed.
        """
        ...


class Cancelled(Exception):  # noqa: N818 - nothing went wrong
    """The watch asked to stop; there is no result, and the job is as it was."""


class ProcessorRegistry:
    """Finds the processor for a file and runs it. Any thread, several at once.

    Args:
        processors: Asked in this order.
        clock: Only its `steady` is used.
        opener: How a path becomes a source; raises FileError.
        pause: Waits so many seconds.
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
        """Process one file. Takes as long as the file is long.

        Args:
            path: As `os.fsdecode` gives it.
            watch: Told of the progress and asked whether to stop.

        Raises:
            FileError: If the file can't be processed, or changed during each of three tries.
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
            reading = _Reading(source, watch, self._clock)
            lines_count = processor.count(reading.chunks())
            changed = source.changed()
            if changed or reading.bytes_done != source.size:
                raise _NumbersDoNotFitError(changed=changed)
            return FileResult(source.size, lines_count)


class _NumbersDoNotFitError(Exception):
    """What was read is not what lay there when the file was opened."""

    def __init__(self, *, changed: bool) -> None:
        super().__init__()
        self.changed = changed


class _Reading:
    """One way through a source: counts the bytes, tells the progress, stops when asked."""

    def __init__(self, source: Source, watch: Watch, clock: Clock) -> None:
        self._source = source
        self._watch = watch
        self._clock = clock
        self.bytes_done = 0

    def chunks(self) -> Iterator[bytes]:
        next_report = self._clock.steady() + FIRST_PROGRESS_S
        for chunk in self._source.chunks():
            if self._watch.cancelled():
                raise Cancelled
            self.bytes_done += len(chunk)
            if self.bytes_done > self._source.size:
                return  # it grew; one that grows as fast as we read would never end
            yield chunk
            now = self._clock.steady()
            if now >= next_report:
                next_report = now + PROGRESS_EVERY_S
                self._watch.on_progress(self.bytes_done, self._source.size)


def default_registry(clock: Clock | None = None) -> ProcessorRegistry:
    """The program's kinds of processing, the special ones first.

    Args:
        clock: The computer's own if None.
    """
    return ProcessorRegistry((LineProcessor(),), clock=clock)
