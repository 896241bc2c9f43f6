"""A pool of threads that process files, and that replaces the threads on which a file does not respond.

A read from an unresponsive disk or network share can't be interrupted. Its thread is set aside: a new thread takes its
place, and the file keeps its lease until it responds or is given up. Other files on a file system that does not respond
are reported as unresponsive without being opened.
"""

from __future__ import annotations

import itertools
import logging
import threading
from array import array
from collections import deque
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol

from desktop_app.domain.errors import FileError
from desktop_app.domain.reasons import Reason, ReasonCode
from desktop_app.processing.isolation import HelperProcess, ProcessDiedError
from desktop_app.processing.processor import Cancelled, Limits, Watch
from desktop_app.services.consuming.mount_health import MountHealth
from desktop_app.sources.local import MOST_SMALL_FILES, SMALL_FILE_BYTES, SmallSource, read_small_files
from desktop_app.sources.mounts import Mount, MountTable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from desktop_app.domain.clock import Clock
    from desktop_app.domain.fields import Field
    from desktop_app.processing.outputs import Outputs
    from desktop_app.processing.registry import FileResult
    from desktop_app.services.consuming.in_flight import InFlightMessage
    from desktop_app.sources.local import Source
    from desktop_app.store.claims import ClaimedJob


log = logging.getLogger(__name__)

FIRST_USUAL_SECONDS = 0.02
"""The processing time that is assumed before any file was processed."""
SMALL_BYTES = 256 * 1024
ONE_THREAD_SECONDS = 0.01
"""The usual processing time up to which small files are processed by one thread. It includes waits for the interpreter
lock; a file that is in memory takes less than 0.1 ms."""
READ_TOGETHER_SECONDS = 0.05
"""How long files are read together. From a slow disk, the others are read one by one while results are reported."""
READ_SILENT_SECONDS = 0.25
"""How long a file that is read together with others may not respond before other threads process these files."""
PROBE_SECONDS = 1.0
"""How long a file may not respond before its file system is probed."""
SET_ASIDE_SECONDS = 3.0
SET_ASIDE_SOON_SECONDS = 1.5
"""The time for a file on a file system where another file does not respond."""
GIVE_UP_SECONDS = 20.0
STALL_SECONDS = 600.0
"""How long a processor may work on a file without reading it."""
MAX_SET_ASIDE = 16
MAX_SET_ASIDE_PER_MOUNT = 8
"""Reached only on file systems that respond although some of their files do not; the others are not used further."""
_SMOOTHING = 0.1


class Processing(Protocol):
    """The interface of `ProcessorRegistry`."""

    @property
    def versions(self) -> dict[str, int]:
        """See `ProcessorRegistry.versions`."""
        ...

    @property
    def fields(self) -> dict[str, tuple[Field, ...]]:
        """See `ProcessorRegistry.fields`."""
        ...

    @property
    def outputs(self) -> Outputs | None:
        """See `ProcessorRegistry`."""
        ...

    def refresh(self) -> bool:
        """See `ProcessorRegistry.refresh`."""
        ...

    def limits(self, name: str) -> Limits | None:
        """See `ProcessorRegistry.limits`."""
        ...

    def end_idle(self) -> None:
        """See `ProcessorRegistry.end_idle`."""
        ...

    def is_command(self, name: str) -> bool:
        """See `ProcessorRegistry.is_command`."""
        ...

    def process(
        self, path: str, watch: Watch, opened: Source | None = None, processor: str = ..., options: str = ...
    ) -> FileResult:
        """Process a file; see `ProcessorRegistry.process`."""
        ...


class Done(NamedTuple):
    """The outcome of one file: a result or an error, or neither if the file was cancelled or not started."""

    message: InFlightMessage
    result: FileResult | None = None
    error: FileError | None = None
    seconds: float = 0.0
    """The processing time in seconds."""
    retry_after_s: float | None = None
    """The time to wait before the next attempt at a file that does not respond, in seconds; None for other errors."""
    was_tried: bool = True
    """Whether the file was opened. If not, the attempt does not count."""


@dataclass(slots=True)
class _Activity:
    """The processing of a file on one thread; times are in seconds of the steady clock.

    Attributes:
        begun: When it started.
        at: When it last made progress: an access to the file began or ended, or bytes were processed.
        mount: The file system of the file.
        progress: The last progress in bytes.
        is_accessing: Whether an access to the file is in progress.
        is_set_aside: Whether another thread has taken the place of this one.
        is_given_up: Whether the file was reported as failed.
    """

    begun: float
    at: float
    mount: Mount
    progress: tuple[int, int] | None = None
    is_accessing: bool = False
    is_set_aside: bool = False
    is_given_up: bool = False


@dataclass(eq=False, slots=True)
class _Reading:
    """The reading of several files with one call.

    Attributes:
        at: When it last made progress, in seconds of the steady clock.
        place: Contains the index of the file that is being read.
        seen: The last known index.
        is_replaced: Whether another thread has taken the place of this one.
    """

    at: float
    place: array[int] = field(default_factory=lambda: array("q", [0]))
    seen: int = 0
    is_replaced: bool = False


@dataclass(frozen=True, slots=True)
class _MessageWatch:
    """Connects the processing of a file to its message: stores the progress and checks for cancellation."""

    message: InFlightMessage
    activity: _Activity
    clock: Clock

    @property
    def attempt_id(self) -> str:
        return f"{_id(self.message)}-{self.message.token}"

    def on_progress(self, bytes_done: int, bytes_total: int) -> None:
        self.message.progress = (bytes_done, bytes_total)

    def on_access(self, *, begins: bool) -> None:
        if self.message.opened is not None:
            return  # it is in memory
        self.activity.at = self.clock.steady()
        self.activity.is_accessing = begins

    def cancelled(self) -> bool:
        return self.message.is_cancelled


class WorkerPool:
    """Processes submitted files in order on a limited number of threads. Any thread.

    The threads are daemon threads, so that a thread blocked by an unresponsive disk does not keep the program from
    exiting. Files on network shares are processed in child processes, since Linux does not end a program while a thread
    is blocked by a share. So are the files that had been claimed by a program when it ended unexpectedly. There can be
    many, and most are innocent, so that a thread processes them in one child process until that crashes, too.

    Attributes:
        size: The number of threads.
        usual_seconds: The moving average of the processing times, in seconds.

    Args:
        size: The number of threads at first, at least 1.
        registry: The registry that processes the files.
        on_done: Called once for each submitted file, on a thread of the pool or on the thread that calls
            `check_stalled`; must return quickly.
        clock: The clock; only `steady` is used.
        may_begin: A function that returns whether files may be started; if not, files are reported as done without a
            result.
        mounts: The mounted file systems.
        health: The record of the file systems that do not respond.
    """

    def __init__(
        self,
        size: int,
        registry: Processing,
        on_done: Callable[[Done], None],
        *,
        clock: Clock,
        may_begin: Callable[[], bool] = lambda: True,
        mounts: MountTable | None = None,
        health: MountHealth | None = None,
    ) -> None:
        self.size = size
        self.usual_seconds = FIRST_USUAL_SECONDS
        self._registry = registry
        self._new_helper: Callable[[], HelperProcess] = HelperProcess
        self._on_done = on_done
        self._clock = clock
        self._may_begin = may_begin
        self._mounts = mounts or MountTable()
        self._health = health or MountHealth(clock)
        self._todo: deque[InFlightMessage] = deque()
        self._surplus = 0
        """The number of threads that end as soon as no file is waiting."""
        self._busy = 0
        """The number of threads that are not waiting for files, except for those that were set aside."""
        self._has_work = threading.Condition()
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._running: dict[InFlightMessage, _Activity] = {}
        self._readings: list[_Reading] = []
        self._taken = self._taken_before = 0
        """The number of files that threads have taken, now and at the last `check_stalled`."""

    def start(self) -> None:
        """Start the threads."""
        for _ in range(self.size):
            self._start_thread()

    def resize(self, size: int) -> None:
        """Change the number of threads. A thread that is too many ends after its file. Call it on one thread only."""
        for _ in range(size - self.size):
            self._start_thread()
        self._end_threads(self.size - size)
        self.size = size

    def _end_threads(self, count: int) -> None:
        if count > 0:
            with self._has_work:
                self._surplus += count
                self._has_work.notify_all()

    def _start_thread(self) -> None:
        with self._has_work:
            self._busy += 1
        threading.Thread(target=self._run, name=f"worker-{next(self._numbers)}", daemon=True).start()

    def submit(self, *messages: InFlightMessage) -> None:
        """Process the files of messages as soon as threads are free.

        Many small files are processed by one thread: with each further one, the threads would mainly wait for the
        interpreter lock, which each access to a file releases.
        """
        if not messages:
            return
        is_one_enough = self.usual_seconds <= ONE_THREAD_SECONDS and all(map(_is_small, messages))
        with self._has_work:
            self._todo.extend(messages)
            if not is_one_enough:
                self._has_work.notify(len(messages))
            elif not self._busy:
                self._has_work.notify()

    @property
    def has_waiting(self) -> bool:
        """Whether submitted files are waiting for a thread."""
        return bool(self._todo)

    def count_long(self, seconds: float) -> int:
        """Return the number of files that were started longer ago than a time in seconds.

        Files on threads that were set aside are not counted.
        """
        now = self._clock.steady()
        with self._lock:
            return sum(
                now - activity.begun > seconds and not activity.is_set_aside for activity in self._running.values()
            )

    def count_set_aside(self) -> int:
        """Return the number of unfinished files on threads that were set aside."""
        with self._lock:
            return sum(
                activity.is_set_aside and not activity.is_given_up and not message.is_settled
                for message, activity in self._running.items()
            )

    def count_silent(self, seconds: float) -> int:
        """Return the number of unfinished files that have not responded for a time in seconds."""
        now = self._clock.steady()
        with self._lock:
            return sum(
                activity.is_accessing and now - activity.at > seconds and not message.is_settled
                for message, activity in self._running.items()
            )

    def withdraw(self, message: InFlightMessage) -> bool:
        """Withdraw a submitted file; return False if its processing has started."""
        with self._lock:
            if message.is_begun:
                return False
            message.is_cancelled = True
            return True

    def stop(self) -> None:
        """Tell the threads to exit after processing the submitted files, and return immediately."""
        self._end_threads(self.size)

    def check_stalled(self) -> None:
        """Set aside the threads of files that do not respond, and report the files that stay silent as failed.

        Call this several times per second. A result of a file that was reported is discarded. If files are waiting, and
        none was taken since the last call because the others take longer than usual, all threads are woken.
        """
        if self._todo and self._taken == self._taken_before:
            with self._has_work:
                self._has_work.notify_all()
        self._taken_before = self._taken
        now = self._clock.steady()
        given_up: list[Done] = []
        with self._lock:
            for reading in self._readings:
                self._check_reading(reading, now)
            for message, activity in self._running.items():
                if activity.progress != message.progress:
                    activity.progress, activity.at = message.progress, now
                silent = now - activity.at
                if activity.is_given_up:
                    continue
                if activity.is_accessing and silent > PROBE_SECONDS:
                    self._health.suspect(activity.mount, activity.at)
                if activity.is_accessing and self._may_set_aside(activity, silent):
                    self._set_aside(message, activity)
                if silent > (GIVE_UP_SECONDS if activity.is_accessing else STALL_SECONDS):
                    activity.is_given_up = True
                    given_up.append(self._given_up(message, activity))
        self._health.check()
        for done in given_up:
            done.message.is_cancelled = True
            self._on_done(done)

    def take_recovered(self) -> list[str]:
        """Return the mount points that have responded again since the last call."""
        return self._health.take_recovered()

    def _check_reading(self, reading: _Reading, now: float) -> None:
        """Start another thread if one of several files does not respond: each of them can also be read alone."""
        if (place := reading.place[0]) != reading.seen:
            reading.seen, reading.at = place, now
        elif now - reading.at > READ_SILENT_SECONDS and not reading.is_replaced:
            reading.is_replaced = True
            self._replace_thread()

    def _replace_thread(self) -> None:
        with self._has_work:
            self._busy -= 1
        self._start_thread()

    def _may_set_aside(self, activity: _Activity, silent: float) -> bool:
        others = [other for other in self._running.values() if other.is_set_aside]
        on_mount = sum(other.mount == activity.mount for other in others)
        if activity.is_set_aside or len(others) >= MAX_SET_ASIDE or on_mount >= MAX_SET_ASIDE_PER_MOUNT:
            return False
        return silent > (SET_ASIDE_SOON_SECONDS if on_mount else SET_ASIDE_SECONDS)

    def _set_aside(self, message: InFlightMessage, activity: _Activity) -> None:
        activity.is_set_aside = True
        log.info("job %s: its thread is set aside: %s", _id(message), activity.mount.place)
        self._replace_thread()

    def _given_up(self, message: InFlightMessage, activity: _Activity) -> Done:
        """Return the outcome of a file on which an access, or the processor, has taken too long."""
        if activity.is_accessing:
            return self._silent(message, activity.mount, activity.begun, was_tried=True)
        return Done(message, error=FileError(Reason(ReasonCode.NO_ANSWER), passing=True))

    def _silent(self, message: InFlightMessage, mount: Mount, since: float, *, was_tried: bool) -> Done:
        """Return the outcome of a file whose file system, or the file itself, does not respond."""
        reason = Reason(ReasonCode.SHARE_SILENT, {"place": mount.place})
        seconds = self._health.retry_after(mount, since)
        return Done(message, error=FileError(reason, passing=True), retry_after_s=seconds, was_tried=was_tried)

    def _run(self) -> None:
        with closing(self._new_helper()) as helper, closing(self._new_helper()) as for_suspects:
            is_replaced = False
            while not is_replaced and (message := self._next()) is not None:
                is_replaced = self._handle(message, for_suspects if message.is_suspect else helper)
                if not self._todo:
                    for_suspects.close()  # they are rare

    def _next(self) -> InFlightMessage | None:
        """Wait for a file, and return it; return None if this thread has to end."""
        while True:
            with self._has_work:
                while not self._todo:
                    self._busy -= 1
                    if self._surplus:
                        self._surplus -= 1
                        return None
                    self._has_work.wait()
                    self._busy += 1
                together = self._choose_together()
                if not together:
                    self._taken += 1
                    return self._todo.popleft()
            if not self._read_together(together):
                return None

    def _choose_together(self) -> list[InFlightMessage]:
        """Return the next files if they are to be read with one call; the caller holds the lock `_has_work`.

        They remain in the order of the files that are waiting, so that another thread can process them, whatever
        happens to this call.
        """
        is_usual = self.usual_seconds <= ONE_THREAD_SECONDS and not self._todo[0].was_read
        if read_small_files is None or not is_usual or any(reading.is_replaced for reading in self._readings):
            return []
        together = [each for each in itertools.islice(self._todo, MOST_SMALL_FILES) if self._can_be_read_together(each)]
        for message in together:
            message.was_read = True
        return together if len(together) > 1 else []

    def _can_be_read_together(self, message: InFlightMessage) -> bool:
        job = message.job
        if job is None or job.file_size is None or job.file_size > SMALL_FILE_BYTES:
            return False
        if self._registry.is_command(job.processor) or self._registry.limits(job.processor):
            return False
        return not (message.is_suspect or message.was_read)

    def _read_together(self, messages: Sequence[InFlightMessage]) -> bool:
        """Read small files with one call, so that threads wait less often for the interpreter lock.

        Returns:
            False if another thread has taken the place of this one, because a file did not respond.
        """
        reading = _Reading(self._clock.steady())
        with self._lock:
            self._readings.append(reading)
        paths = {message: message.job.file_path for message in messages if message.job is not None}
        local = [message for message, path in paths.items() if self._is_responding(path)]
        contents: Sequence[bytes | None] = [None] * len(local)
        if read_small_files is not None:
            try:
                contents = read_small_files([paths[message] for message in local], reading.place, READ_TOGETHER_SECONDS)
            except MemoryError:
                log.info("%d files are read one by one: there is not enough memory for all of them", len(local))
        with self._lock:
            self._readings.remove(reading)
            for message, content in zip(local, contents, strict=True):
                if content is not None and not message.is_begun:  # otherwise, another thread accesses the file
                    message.opened = SmallSource(content, paths[message])
        return not reading.is_replaced

    def _is_responding(self, path: str) -> bool:
        """Return whether a file may be read with others, if it is not a symbolic link."""
        mount = self._mounts.mount_of(path, may_be_link=False)
        return not mount.is_remote and not self._health.is_unresponsive(mount)

    def _handle(self, message: InFlightMessage, helper: HelperProcess) -> bool:
        """Process one file and report its outcome; return whether this thread was replaced in the meantime."""
        begun, job = self._clock.steady(), message.job
        activity = None if job is None else _Activity(begun, begun, self._mounts.by_name(job.file_path))
        with self._lock:
            may_begin = not message.is_cancelled and self._may_begin()
            if activity is not None and may_begin:
                message.is_begun = True
                self._running[message] = activity
        if job is None or activity is None or not may_begin:
            self._on_done(Done(message))
            return False
        watch = _MessageWatch(message, activity, self._clock)
        silent = None
        is_in_memory = message.opened is not None
        if not is_in_memory:
            watch.on_access(begins=True)
            activity.mount = self._mounts.mount_of(job.file_path)
            watch.on_access(begins=False)
            with self._lock:
                silent = self._obstacle(message, job, activity)
        if silent is None:
            result, error = self._outcome(message, job, activity.mount, watch, helper)
            seconds = self._clock.steady() - begun
            self.usual_seconds += _SMOOTHING * (seconds - self.usual_seconds)
            done = Done(message, result, error, seconds)
        else:
            done = silent
        with self._lock:
            del self._running[message]
        message.opened = None  # the message may stay in flight for long
        if done.result is not None and not is_in_memory:
            self._health.note_answer(activity.mount)
        if not activity.is_given_up:
            self._on_done(done)
        return activity.is_set_aside

    def _obstacle(self, message: InFlightMessage, job: ClaimedJob, activity: _Activity) -> Done | None:
        """Return the outcome of a file that can't be opened because its file system does not respond, or None."""
        mount = activity.mount
        silent = [
            (other.job, hung)
            for other, hung in self._running.items()
            if other is not message and hung.mount == mount and hung.is_set_aside and hung.is_accessing
        ]
        is_open = any(hung_job is not None and hung_job.id == job.id for hung_job, _ in silent)
        is_full = len(silent) >= MAX_SET_ASIDE_PER_MOUNT or (
            sum(hung.is_set_aside for hung in self._running.values()) >= MAX_SET_ASIDE and (mount.is_remote or silent)
        )
        if not (is_open or is_full or self._health.is_unresponsive(mount)):
            return None
        since = min((hung.begun for _, hung in silent), default=activity.begun)
        return self._silent(message, mount, since, was_tried=False)

    def _outcome(
        self, message: InFlightMessage, job: ClaimedJob, mount: Mount, watch: Watch, helper: HelperProcess
    ) -> tuple[FileResult | None, FileError | None]:
        try:
            limits = self._registry.limits(job.processor)
            needs_child = message.is_suspect or mount.is_remote or limits is not None
            if needs_child and not self._registry.is_command(job.processor):
                return helper.process(job.file_path, watch, job.processor, job.options, limits), None
            return self._registry.process(job.file_path, watch, message.opened, job.processor, job.options), None
        except Cancelled:
            return None, None
        except FileError as error:
            return None, error
        except ProcessDiedError as error:
            log.info("job %s: %s", job.id, error)
            return None, FileError(Reason(ReasonCode.CRASHED), passing=True, detail=str(error))
        except Exception as error:
            # A bug must not end the thread.
            log.exception("job %s: bug while processing it", job.id)
            return None, FileError(Reason(ReasonCode.INTERNAL), detail=repr(error))


def _is_small(message: InFlightMessage) -> bool:
    size = None if message.job is None else message.job.file_size
    return size is not None and size <= SMALL_BYTES


def _id(message: InFlightMessage) -> str:
    return "?" if message.job is None else message.job.id
