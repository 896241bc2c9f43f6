"""The command `filemill worker`, which runs the sender and the consumer in the terminal."""

from __future__ import annotations

import threading
import time
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from desktop_app.cli.batches import paused_text
from desktop_app.cli.output import Progress, counted, emit, quoted, say
from desktop_app.cli.parser import Command, whole_number
from desktop_app.cli.queue_calls import result_of
from desktop_app.cli.table import totals
from desktop_app.config.settings import MAX_CONCURRENCY
from desktop_app.domain.errors import KnownError, StoreError
from desktop_app.domain.job import Cursor, StatusCounts
from desktop_app.domain.queue_key import queue_label
from desktop_app.domain.reasons import Reason, ReasonCode
from desktop_app.queues.messages import MAX_WAIT_SECONDS
from desktop_app.services.loops import Backoff, Loop, LoopState, Phase, StateReporter, StopRequest
from desktop_app.services.stop_signals import StopSignals, pause_after

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Callable, Sequence

    from desktop_app.bootstrap import Program
    from desktop_app.config.settings import Connection
    from desktop_app.queues.connector import QueueConnector
    from desktop_app.services.consuming.drain import Drain
    from desktop_app.store.recovery import Recovery

T = TypeVar("T")

LOOK_S = 0.25
IDLE_LOOK_S = 1.0
"""The interval while nothing is left to do, at which files of other programs are noticed."""
STOP_HINT = "(Ctrl+C stops)"
DRAIN_LOOK_SECONDS = 0.05
ENDING_POLL_SECONDS = 1
LONGEST_IDENTITY_SECONDS = 15.0
"""The longest time between two attempts to find out a queue's account."""
BRIEF_SECONDS = 5.0
"""The time to wait at the start for the number of the queue's messages."""
SHARE_SECONDS = 120.0
"""How long `--until-idle` waits if all that is left are files on shares that do not respond."""
STOP_SECONDS = 20.0
"""More time than a clean shutdown needs. A loop that is still blocked in a network call afterwards is abandoned."""


def _options(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--until-idle", action="store_true", help="exit once no file of this queue is PENDING or PROCESSING"
    )
    parser.add_argument(
        "--concurrency",
        type=whole_number(1, MAX_CONCURRENCY),
        metavar="N",
        help=f"process N files at once, 1 to {MAX_CONCURRENCY} (default: from the settings)",
    )
    parser.add_argument(
        "--shared-queue",
        action="store_true",
        help="keep running even if only messages of another program are received",
    )
    parser.add_argument(
        "--no-brake",
        action="store_true",
        help="do not pause a batch when many of its files fail for the same reason",
    )
    parser.add_argument(
        "--fail-on-error",
        action="store_true",
        help="exit with code 1 if a file became FAILED while the worker was running",
    )


def _worker(options: Namespace) -> int:
    from desktop_app.bootstrap import open_program

    program = open_program()
    # In this order, so that a second Ctrl+C does not interrupt the end.
    with closing(StopSignals()) as stop, closing(program):
        started_at = program.clock.now_ms()
        program.control.brakes = program.settings.brake and not options.no_brake
        code = _run(program, options, stop)
        if options.fail_on_error:
            sums = program.jobs.run_sums(queue=program.connection.key, since_ms=started_at - 1)
            code = 1 if sums.failed else code
        return code


def _run(opened: Program, options: Namespace, stop: StopSignals) -> int:
    """Process files until the worker has to end; return the exit code without regard to failed files."""
    from desktop_app.bootstrap import build_consumer, build_sender, connect_queue
    from desktop_app.services.consuming.drain import Drain
    from desktop_app.store.recovery import Recovery

    with closing(Progress("Processing", "files")) as bar:
        program = opened
        errors = ErrorReporter(bar, stop)

        def watch_of(program: Program) -> IdleWatch:
            return IdleWatch(
                program,
                bar,
                partial(errors.report, "list"),
                is_hindered=lambda: errors.is_waiting,
                is_ending=options.until_idle,
            )

        watch = watch_of(program)
        has_other_keys = program.connection.may_have_another_key and bool(program.jobs.unfinished_by_queue())
        is_idle = options.until_idle and not has_other_keys and watch.look()
        if options.shared_queue or options.until_idle:
            opened.foreign.tolerate()
        if program.connection.may_have_another_key and not is_idle:
            bar.rest(f"Connecting to {watch.queue} … {STOP_HINT}")
            program = _identified(program, errors, stop)
            watch = watch_of(program)
        if stop.is_set():
            watch.look()
            watch.report()
            return 0
        recovery = Recovery(program.database)
        with closing(connect_queue(program, errors.notify)) as connector:
            if is_idle and not _may_be_left(recovery, program, connector, stop):
                watch.report()
                return 0
            consumer = build_consumer(
                program,
                connector,
                partial(errors.report, "consumer"),
                concurrency=options.concurrency,
                # Short, since messages received by a poll that is abandoned at the end would not be processed.
                wait_s=ENDING_POLL_SECONDS if options.until_idle else MAX_WAIT_SECONDS,
            )
            loops: dict[str, Loop] = {
                "sender": build_sender(program, connector, partial(errors.report, "sender")),
                "consumer": consumer,
            }
            request = StopRequest()
            threads = [LoopThread(name, loop, request, stop.set) for name, loop in loops.items()]
            drain = Drain(
                consumer, connector, program.foreign, recovery, queue=program.connection.key, clock=program.clock
            )

            def end() -> None:
                request.set()
                bar.rest("Stopping …")
                connector.interrupt()

            run_loops(threads, stop, watch, drain if options.until_idle else None, on_stop=end)
        bar.close()
        watch.look()
        watch.report()
        if drain.left:
            say(
                f"{counted(drain.left, 'message')} may still be in the queue: of another program, or hidden by "
                "a program that was killed. If Filemill sent them, the next worker deletes them."
            )
        if program.foreign.count:
            say(f"{counted(program.foreign.count, 'message')} of another program left in the queue.")
    return 1 if options.until_idle and _has_rest(watch) else 0


def _has_rest(watch: IdleWatch) -> bool:
    """Return whether files are left that can't be processed now, and say what happens to them."""
    if watch.is_stuck:
        say("The remaining files will be processed by the next worker once the disk or network share responds.")
    if watch.is_left:
        watch.report_left()
    return watch.is_stuck or watch.is_paused or watch.is_left


def _identified(program: Program, errors: ErrorReporter, stop: StopSignals) -> Program:
    """Return the program with the account of its queue as soon as the queue responds, or unchanged after a stop signal.

    Without the account, the files of the queue may be waiting under another key, and would not be processed.
    """
    reporter = StateReporter("queue", partial(errors.report, "queue"), program.clock)
    backoff = Backoff(longest=LONGEST_IDENTITY_SECONDS)
    while program.connection.may_have_another_key and not stop.is_set():
        try:
            learnt = _learnt(program, errors, stop)
            if learnt is None or learnt == program.connection:
                break
            program = program.identified(learnt)
        except KnownError as error:
            stop.pause(reporter.waiting(error, backoff))
    if not stop.is_set():
        reporter.running()
    return program


def _learnt(program: Program, errors: ErrorReporter, stop: StopSignals) -> Connection | None:
    """Return what the queue's response tells about the connection; None after a stop signal.

    Raises:
        KnownError: If the queue can't be used, or the database can't be read or written.
    """
    from desktop_app.bootstrap import connect_queue

    def learn() -> Connection:
        learnt = program.queues.learn(program.connection, connector)
        if learnt == program.connection:  # boto3 can't resolve the connection; this raises the reason
            connector.connect()
        return learnt

    with closing(connect_queue(program, errors.notify)) as connector:
        return result_of(learn, program.database, connector.interrupt, stop)


def _may_be_left(recovery: Recovery, program: Program, connector: QueueConnector, stop: StopSignals) -> bool:
    """Return whether messages of finished files may be in the queue; no if the queue does not respond soon."""
    key, now = program.connection.key, program.clock.now_ms()
    if not recovery.may_be_drained(queue=key):
        return False
    try:
        state = result_of(
            lambda: connector.connect().state(), program.database, connector.interrupt, stop, BRIEF_SECONDS
        )
        if state is not None and not state.total:
            recovery.note_drained(queue=key, at_ms=now)
    except KnownError:
        return False
    return state is not None and state.total > 0


def run_loops(
    threads: Sequence[LoopThread],
    stop: StopSignals,
    watch: IdleWatch,
    drain: Drain | None,
    *,
    on_stop: Callable[[], None],
) -> None:
    """Run loops until a stop signal arrives or, with `drain`, nothing is left to do; then wait for them to end.

    Args:
        threads: The threads that run the loops.
        stop: The stop signals.
        watch: Monitors the list.
        drain: Decides when to stop once all files are finished; None to run until a stop signal.
        on_stop: Called when the loops have to stop, before waiting for them.

    Raises:
        KnownError: If a loop does not end in time.
        Exception: The exception that a loop raised, if any.
    """
    watch.look()  # so that it counts what the loops finish at once
    for thread in threads:
        thread.start()
    try:
        pause_s = watch.pause_s
        while stop.pause(pause_s) and all(thread.is_alive() for thread in threads):
            is_idle, pause_s = watch.look(), watch.pause_s
            if drain is None:
                continue
            if watch.is_stuck or watch.is_paused or watch.is_left or (is_idle and drain.is_over()):
                break
            if is_idle:
                pause_s = min(pause_s, DRAIN_LOOK_SECONDS)
            else:
                drain.interrupt()
    finally:
        stop.set()
        on_stop()
        join_loops(threads)
    raise_errors(threads)


def join_loops(threads: Sequence[LoopThread]) -> None:
    """Wait until loops that have to stop have ended, at most `STOP_SECONDS`."""
    end = time.monotonic() + STOP_SECONDS
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))


def raise_errors(threads: Sequence[LoopThread]) -> None:
    """Raise the error of loops that have not ended in time or have failed.

    Raises:
        KnownError: If a loop has not ended.
        BaseException: The exception that a loop raised, if any.
    """
    for thread in threads:
        if thread.is_alive():
            raise KnownError("A thread did not end in time; the files it was processing will be processed again.")
        if thread.error is not None:
            raise thread.error


class LoopThread(threading.Thread):
    """A daemon thread that runs a loop.

    Args:
        name: The name of the thread.
        loop: The loop.
        request: The request that ends the loop.
        on_error: Called if the loop raises an exception, on this thread.

    Attributes:
        error: The exception that the loop raised, or None.
    """

    def __init__(self, name: str, loop: Loop, request: StopRequest, on_error: Callable[[], None]) -> None:
        super().__init__(name=name, daemon=True)
        self._loop = loop
        self._request = request
        self._on_error = on_error
        self.error: BaseException | None = None

    def run(self) -> None:
        """Run the loop."""
        try:
            self._loop.run(self._request)
        except BaseException as error:  # noqa: BLE001 - raised again on the main thread
            self.error = error
            self._on_error()


class IdleWatch:
    """Monitors the list, updates the progress bar, and detects when nothing is left to do. Main thread.

    Args:
        program: The program.
        bar: The progress bar.
        report: Called with WAITING while the list can't be read, and with RUNNING once it can be read again.
        is_hindered: Returns whether an error keeps the loops from working.
        is_ending: Whether the worker ends once nothing is left to do.
    """

    def __init__(
        self,
        program: Program,
        bar: Progress,
        report: Callable[[LoopState], None],
        *,
        is_hindered: Callable[[], bool] = lambda: False,
        is_ending: bool = False,
    ) -> None:
        self._is_hindered = is_hindered
        self._is_ending = is_ending
        self._state = report
        self._jobs = program.jobs
        self._steady = program.clock.steady
        self._connection = program.connection
        self._queue = program.connection.key
        self._bar = bar
        self._seen: Cursor | None = None
        self._counts = StatusCounts()
        self._ended_before: int | None = None
        self._done = 0
        self._silent = ""
        self._silent_since = 0.0
        self._keeps_order = program.keeps_order
        self._worker = program.identity.name
        self._paused: set[int] = set()
        self.is_paused = False
        """Whether all files that are left have to wait, because batches are paused."""
        self.is_left = False
        """Whether all files that are left have to wait, because no running worker has the processors of some."""
        self.pause_s = LOOK_S
        """The time to wait before the next call to `look`, in seconds."""

    def look(self) -> bool:
        """Update the counts and the progress bar; return whether no file of this queue is PENDING or PROCESSING.

        While the database can't be read, the answer is no.
        """
        try:
            is_idle = self._look()
        except StoreError as error:
            self._state(LoopState(Phase.WAITING, error.text))
            return False
        self._state(LoopState(Phase.WAITING if self._silent else Phase.RUNNING, self._silent))
        return is_idle

    @property
    def is_stuck(self) -> bool:
        """Whether all files that are left have been waiting for a long time for shares that do not respond."""
        is_waiting = bool(self._silent) and not self._counts.processing
        return is_waiting and self._steady() - self._silent_since >= SHARE_SECONDS

    def _look(self) -> bool:
        started = self._steady()
        newest = self._jobs.changes.cursor()
        if newest != self._seen:
            self._seen = newest
            self._counts = self._jobs.counts(self._queue)
            ended = self._counts.processed + self._counts.failed
            if self._ended_before is None:
                self._ended_before = ended
            done = max(0, ended - self._ended_before)
            if self._counts.unfinished:
                self._bar.move_to(done, done + self._counts.unfinished)
            if done != self._done:
                self._done, self._silent_since = done, started
            if not self._counts.processing:  # otherwise, one of the shares may only be tried again
                self._look_at_shares(started)
            self._look_at_batches()
        if self._is_ending:
            self._look_at_left()
        if not self._counts.unfinished:
            self._bar.rest(self._resting())
        is_resting = not self._counts.unfinished and not self._is_ending
        self.pause_s = pause_after(self._steady() - started, least_s=IDLE_LOOK_S if is_resting else LOOK_S)
        return self._counts.unfinished == 0

    @property
    def queue(self) -> str:
        """The queue, as it is called in a sentence."""
        return "the local queue" if self._connection.is_local else quoted(self._connection.queue_name)

    def _resting(self) -> str:
        if self._is_hindered():
            return f"Trying again … {STOP_HINT}"
        if self._is_ending:
            return f"All files are finished. Looking for messages that are left on {self.queue} … {STOP_HINT}"
        so_far = f", {counted(self._done, 'file')} finished so far" if self._done else ""
        return f"Waiting for files on {self.queue}{so_far} … {STOP_HINT}"

    def _look_at_batches(self) -> None:
        """Find out whether only files of paused batches are left, and say so for each batch that was paused."""
        held = self._jobs.count_held(self._queue)
        is_all = held == self._counts.pending or self._keeps_order  # no file may overtake a paused one
        self.is_paused = held > 0 and is_all and not self._counts.processing
        batches = {batch.id: batch for batch in self._jobs.held_batches()} if held else {}
        for key in batches.keys() - self._paused:
            self._bar.interrupt()
            say(paused_text(batches[key]))
        self._paused = set(batches)

    def _look_at_left(self) -> None:
        if self._counts.processing or not self._counts.pending:
            self.is_left = False
            return
        left = self._jobs.count_left(self._queue, self._worker)
        if left is not None:  # otherwise the consumer has not begun, or has ended
            held = self._jobs.count_held(self._queue) if left else 0
            is_all = left + held == self._counts.pending or self._keeps_order  # no file may overtake one that is left
            self.is_left = left > 0 and is_all

    def _waiting_because(self, code: ReasonCode) -> dict[Reason, int]:
        return self._jobs.waiting_because(code, self._queue) if self._counts.pending else {}

    def report_left(self) -> None:
        """Say which files are left because there is no worker for them."""
        for reason, count in self._waiting_because(ReasonCode.NO_WORKER).items():
            say(f"{counted(count, 'file')} left: {reason}. `filemill processors` shows what there is here.")

    def _look_at_shares(self, now: float) -> None:
        waiting = self._waiting_because(ReasonCode.SHARE_SILENT)
        is_all = sum(waiting.values()) == self._counts.pending
        silent = " ".join(sorted(f"{reason}." for reason in waiting)) if is_all else ""
        if silent != self._silent:
            self._silent, self._silent_since = silent, now

    def report(self) -> None:
        """Print the totals of this queue and the number of files that are waiting for other queues.

        While it is unknown which files belong to this queue, print the totals of the list.

        Raises:
            StoreError: If the database can't be read.
        """
        self._bar.interrupt()
        for queue, count in self._jobs.unfinished_by_queue().items():
            if queue == self._queue:
                continue
            waiting = f"{counted(count, 'file')} left waiting for"
            if not self._connection.may_use(queue):
                say(
                    f"{waiting} another queue ({queue_label(queue)}): start a worker "
                    "with that queue, or choose this queue instead with `filemill retry ID`."
                )
            elif self._connection.may_have_another_key:
                say(
                    f"{waiting} the queue {queue_label(queue)}. Whether that is this worker's queue is known once the "
                    "queue responds."
                )
            else:
                say(
                    f"{waiting} the queue {queue_label(queue)}, which has not responded to these credentials. If that "
                    "is this worker's queue, move them to it with `filemill retry ID`."
                )
        emit(totals(self._jobs.counts() if self._connection.may_have_another_key else self._counts))


class ErrorReporter:
    """Prints the errors that loops are waiting for, each error only once. Any thread.

    Args:
        bar: The progress bar, which is cleared before each message.
        stop: The stop signals; after one of them, errors only mean that the connection is being closed.
    """

    def __init__(self, bar: Progress, stop: StopSignals) -> None:
        self._bar = bar
        self._stop = stop
        self._lock = threading.Lock()
        self._texts: dict[str, str] = {}

    def report(self, name: str, state: LoopState) -> None:
        """Print the error of a loop, unless it was printed before, or that all loops are running again."""
        with self._lock:
            before = set(self._texts.values())
            if state.phase is Phase.WAITING:
                self._texts[name] = state.text
                if state.text not in before and not self._stop.is_set():
                    self._say(f"Waiting: {state.text}")
            elif state.phase is Phase.RUNNING and self._texts.pop(name, "") and not self._texts:
                self._say("Running again.")

    @property
    def is_waiting(self) -> bool:
        """Whether a loop is waiting because of an error."""
        return bool(self._texts)

    def notify(self, text: str) -> None:
        """Print a message."""
        with self._lock:
            self._say(text)

    def _say(self, text: str) -> None:
        self._bar.interrupt()
        say(text)


WORKER = Command(
    name="worker",
    usage="[--until-idle] [--concurrency N] [--shared-queue]\n                       [--fail-on-error] [--no-brake]",
    summary="process files in the terminal",
    details="It sends waiting messages and processes files until Ctrl+C or SIGTERM; then it shuts down cleanly.\n"
    "If the queue can't be used, it says so and keeps trying, even with --until-idle. If only files on disks or\n"
    "network shares that do not respond are left, --until-idle exits with code 1 after two minutes, and at once if\n"
    "only files of paused batches are left, or of processors that no running worker has. It exits if it receives\n"
    "only messages of another program and no file is waiting, unless --shared-queue is given. FAILED files do not\n"
    "change the exit code, unless --fail-on-error is given.",
    add_options=_options,
    run=_worker,
)
