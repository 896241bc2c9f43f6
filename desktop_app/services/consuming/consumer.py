"""The consumer loop, which connects the receiver, the dispatcher, the worker pool and the committer.

Only the thread that calls `Consumer.run` writes results. Separate threads receive messages, acknowledge them, extend
leases and process files.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from desktop_app.domain.errors import Cause, KnownError, QueueError, StoreError
from desktop_app.domain.reasons import Reason, ReasonCode
from desktop_app.domain.sentences import Sentence
from desktop_app.queues.messages import MAX_WAIT_SECONDS, Received
from desktop_app.services.consuming.acknowledger import Acknowledger
from desktop_app.services.consuming.brake import Brake
from desktop_app.services.consuming.dispatcher import Dispatcher
from desktop_app.services.consuming.foreign_messages import (
    HELD_UP_BY,
    HELD_UP_TITLE,
    MANY_IN_A_ROW,
    TOO_MANY_TEXT,
    TOO_MANY_TITLE,
    ForeignMessages,
)
from desktop_app.services.consuming.in_flight import (
    HEARTBEAT_SECONDS,
    VISIBILITY_SECONDS,
    Heartbeat,
    InFlightMessage,
    InFlightMessages,
    MessageGroups,
)
from desktop_app.services.consuming.mount_health import MountHealth
from desktop_app.services.consuming.publisher import RECOVER_SECONDS, Publisher
from desktop_app.services.consuming.receiver import PollRecord, Receiver
from desktop_app.services.consuming.results import WAIT_SECONDS, Committer
from desktop_app.services.consuming.worker_pool import Done, Processing, WorkerPool
from desktop_app.services.loops import AwakeClock, Backoff, LoopState, StateReporter, StopRequest, SupervisedLoop
from desktop_app.store.claims import ClaimOutcome, Claims
from desktop_app.store.held_batches import HeldBatches
from desktop_app.store.outbox import Outbox
from desktop_app.store.processors import WorkerProcessors
from desktop_app.store.recovery import Recovery
from desktop_app.store.results import Work
from desktop_app.store.strict_group import StrictGroup

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from desktop_app.domain.clock import Clock
    from desktop_app.queues.connector import QueueConnector
    from desktop_app.services.control import ProcessingControl
    from desktop_app.services.worker_identity import WorkerIdentity
    from desktop_app.store.database import Database


log = logging.getLogger(__name__)

SHORT_POLL_SECONDS = 2
COMMIT_ROWS = 200
QUICK_SECONDS = 0.25
LONG_SECONDS = 1.0
PREFETCH = 10
"""The number of claimed files that wait for a thread, if they are processed in less than `QUICK_SECONDS`."""
READY_SECONDS = 0.25
"""The processing time of the files that wait for a thread, if there are more than `PREFETCH` of them."""
MOST_READY = 200
MOST_IN_FLIGHT = 800
"""The number of messages in flight at which receiving pauses: the queue is not responding to delete requests."""
PATIENCE_SECONDS = 60.0
"""How long a loop may take to respond: longer than any request to the queue, including timeouts and retries."""
DRAIN_FLUSH_SECONDS = 10.0
"""How long the last acknowledgements may take after a drain."""
NOTE_POLLS_SECONDS = 5.0
"""The interval at which the outcome of the polls is written to the database."""
SILENT_SECONDS = 1.0
"""A shutdown does not wait for files that have not responded for this time."""
LONGEST_STORE_WAIT_SECONDS = 2.0
TURN_LEAST_SECONDS = 0.02
"""The shortest interval between two transactions while more than `PREFETCH` messages are in flight."""
MANY = 50
"""The number of results and received batches for which a transaction is made earlier."""
ANNOUNCE_SECONDS = 60.0
TURN_SECONDS = 0.1
"""The interval at which files that are being processed are supervised."""
IDLE_TURN_SECONDS = 5.0
HELD_TURN_SECONDS = 1.0
"""The interval at which a consumer that keeps the order looks whether a paused batch continues."""


@dataclass(frozen=True, slots=True)
class ConsumerOptions:
    """The options of a consumer.

    Attributes:
        queue: The key of the queue to consume.
        concurrency: The number of files to process at once, unless the user changes it in the `ProcessingControl`.
        visibility_s: The visibility timeout of received messages in seconds; the heartbeat extends it.
        wait_s: The wait time of a poll in seconds, 0 to `MAX_WAIT_SECONDS`. A shutdown waits for a poll of up to
            `SHORT_POLL_SECONDS` to end, so that its messages can be released; a longer poll is abandoned.
        work_grace_s: How long running files may take to finish after a stop request, in seconds.
        cancel_grace_s: How long files that have not finished by then may take to respond to their cancellation.
        flush_grace_s: How long the last acknowledgements may then take, in seconds.
        keeps_order: Whether files must be processed in the queue's order, without priorities.
        requests_at_once: How many requests of a kind may be in progress while messages flow, at least 1. It must be 1
            for a FIFO queue, and there is no use in more for one on this computer.
    """

    queue: str
    concurrency: int = 2
    visibility_s: int = VISIBILITY_SECONDS
    wait_s: int = MAX_WAIT_SECONDS
    work_grace_s: float = 5.0
    cancel_grace_s: float = 0.5
    flush_grace_s: float = 2.0
    keeps_order: bool = False
    requests_at_once: int = 1


class _Inbox:
    """What the consumer's thread has to handle: received messages and the outcomes of files.

    Only the consumer's thread may call `wait_for_many` and `take`.
    """

    def __init__(self) -> None:
        self._items: deque[list[InFlightMessage] | Done] = deque()
        self._is_due = threading.Event()
        self._has_many = threading.Event()

    def put(self, item: list[InFlightMessage] | Done, *, wakes: bool = True) -> None:
        """Add an item; `wakes` is whether to end the wait in `take`. Any thread."""
        self._items.append(item)
        if wakes or len(self._items) >= COMMIT_ROWS:
            self._is_due.set()
        if len(self._items) >= MANY:
            self._has_many.set()

    def wait_for_many(self, seconds: float) -> None:
        """Wait until there are `MANY` items, at most for a time in seconds."""
        self._has_many.wait(seconds)

    def take(self, patience_s: float) -> list[list[InFlightMessage] | Done]:
        """Wait for an item that wakes, at most for a time in seconds; then return up to `COMMIT_ROWS` items."""
        if patience_s:
            self._is_due.wait(patience_s)
        self._is_due.clear()  # first, since items can be added now
        self._has_many.clear()
        items = [self._items.popleft() for _ in range(min(COMMIT_ROWS, len(self._items)))]
        if self._items:
            self._is_due.set()
        return items


class Consumer:
    """Processes the files of one queue and stores the results in a database. Call `run` once.

    Args:
        database: The database.
        connector: The connector for the queue.
        registry: The registry that processes the files.
        identity: The name under which this program holds leases.
        options: The options.
        clock: The clock.
        report: Called with each new state of the loop, on various threads.
        control: The `ProcessingControl` for pausing and priorities.
        foreign: The record of foreign messages.
    """

    def __init__(
        self,
        database: Database,
        connector: QueueConnector,
        registry: Processing,
        identity: WorkerIdentity,
        *,
        options: ConsumerOptions,
        clock: Clock,
        report: Callable[[LoopState], None],
        control: ProcessingControl,
        foreign: ForeignMessages,
    ) -> None:
        self._database = database
        self._identity = identity
        self._connector = connector
        self._options = options
        self._clock = clock
        self._control = control
        self._foreign = foreign
        self._state = StateReporter("consumer", report, clock)
        self._backoff = Backoff(first=0.5, longest=LONGEST_STORE_WAIT_SECONDS)
        self._inbox = _Inbox()
        self._next_turn = 0.0
        self._is_stopping = threading.Event()
        self._is_store_away = False
        self._is_held = False
        """Whether nothing is received, because a batch is paused and the order has to be kept."""
        self._next_look = clock.steady()
        self._held_up_by = 0
        """The number of foreign messages that the user was last told about."""
        self._end: KnownError | None = None
        """The error that ends the loop, if any."""
        self._registry = registry
        self._processors = WorkerProcessors(database)
        self._next_announcement = clock.steady()
        self._claims = Claims(database, registry.versions)
        self._outbox = Outbox(database)
        self._recovery = Recovery(database)
        self._held = HeldBatches(database)
        self._brake = Brake(self._held, clock)
        self._strict_group = StrictGroup(database, options.queue)
        self._polls = PollRecord()
        self._next_note = clock.steady()
        self._work = work = Work(database)
        groups = MessageGroups(is_single=options.keeps_order)
        self._in_flight = InFlightMessages()
        self._acknowledger = Acknowledger(self._in_flight, connector, clock)
        awake = AwakeClock(clock)
        self._pool = WorkerPool(
            options.concurrency,
            registry,
            self._note_done,
            clock=awake,
            may_begin=lambda: control.may_begin,
            health=MountHealth(awake, on_recovered=self._wake),
        )
        self._dispatcher = Dispatcher(
            self._claims,
            worker=identity.name,
            queue=options.queue,
            in_flight=self._in_flight,
            acknowledger=self._acknowledger,
            groups=groups,
            pool=self._pool,
            foreign=foreign,
            control=control,
            clock=clock,
            visibility_s=options.visibility_s,
        )

        self._publisher = Publisher(registry.outputs, work, owner=identity.name, is_alive=identity.is_alive)
        self._next_recovery = clock.steady() + RECOVER_SECONDS
        self._committer = Committer(
            work,
            in_flight=self._in_flight,
            acknowledger=self._acknowledger,
            groups=groups,
            pool=self._pool,
            publisher=self._publisher,
            clock=clock,
        )
        self._heartbeat = Heartbeat(self._in_flight, connector, work, clock, visibility_s=options.visibility_s)
        self._receiver = Receiver(
            connector,
            room=self._room,
            pause_s=lambda: self._dispatcher.pause_s,
            deliver=self._deliver,
            before_poll=self._acknowledger.send_full_batches,
            state=self._state,
            control=control,
            clock=clock,
            visibility_s=options.visibility_s,
            wait_s=options.wait_s,
            polls=self._polls,
        )
        self._receiving = SupervisedLoop(
            "receiver", self._receiver.run, patience_s=options.wait_s + PATIENCE_SECONDS, clock=awake
        )
        self._acknowledging = SupervisedLoop(
            "acknowledger", self._acknowledger.run, patience_s=PATIENCE_SECONDS, clock=awake
        )
        self._extending = SupervisedLoop("heartbeat", self._run_heartbeat, patience_s=PATIENCE_SECONDS, clock=awake)
        self._assisting = [
            SupervisedLoop(f"{name}-{number}", assist, patience_s=PATIENCE_SECONDS, clock=awake)
            for name, assist in (("receiver", self._receiver.assist), ("acknowledger", self._acknowledger.assist))
            for number in range(2, options.requests_at_once + 1)
        ]
        self._loops = (self._receiving, self._acknowledging, self._extending, *self._assisting)

    def run(self, stop: StopRequest) -> None:
        """Consume until a stop is requested, then shut down within the grace periods of the options.

        Raises:
            KnownError: If the queue appears to belong to another program: it contains many foreign messages, and no own
                file is waiting for a message.
        """
        self._state.starting()
        self._foreign.note_own()  # count foreign messages from zero
        serves_priorities = not self._options.keeps_order
        with (
            self._database.session(),
            self._control.consuming(serves_priorities=serves_priorities),
            self._identity.serving(self._options.queue),
            self._control.waking(self._wake),
            stop.waking(self._is_stopping.set),
            stop.waking(self._wake),
        ):
            self._pool.start()
            for loop in self._loops:
                loop.start()
            self._attempt(self._free_dead_leases)
            self._attempt(self._publisher.recover)
            self._attempt(self._follow_group)
            self._attempt(self._take_left)
            while not stop.is_set() and self._end is None:
                self._attempt(self._follow_database)
                idle_s = HELD_TURN_SECONDS if self._is_held else IDLE_TURN_SECONDS
                self._turn(TURN_SECONDS if self._in_flight else idle_s)
                self._supervise()
            self._end_work()
            self._attempt(self._processors.withdraw, self._identity.name)
            self._end_loops()
        self._state.stopped()
        if self._end is not None:
            raise self._end

    def drain(self, *, is_wanted: bool = True) -> None:
        """Receive until a poll finds no message, then stop receiving; or undo this. Any thread."""
        self._polls.drain(is_wanted=is_wanted)
        self._receiver.note_room()

    @property
    def is_drained(self) -> bool:
        """Whether a poll has found no message since `drain` was called, and all messages are settled."""
        return self._polls.is_drained and not self._in_flight

    def _follow_database(self) -> None:
        """If the database was replaced, abandon the files that were claimed in the previous one."""
        epoch = self._database.epoch
        if epoch != self._work.epoch:
            self._identity.renew()
            self._committer.discard_others(epoch)
            self._brake.forget()
            self._work.epoch = epoch

    def _check_foreign(self) -> None:
        """End the loop if the queue appears to belong to another program; continue if own files are waiting."""
        in_a_row, foreign = self._foreign.in_a_row, self._foreign
        if self._polls.is_draining:
            foreign.is_own_expected = True  # messages of finished files
            return
        if in_a_row < MANY_IN_A_ROW:
            self._note_held_up(0)
            return
        foreign.is_own_expected = self._outbox.has_unfinished(self._options.queue)
        if foreign.is_own_expected:
            self._note_held_up(in_a_row)
        elif not foreign.is_tolerated:
            self._end = KnownError(TOO_MANY_TEXT, title=TOO_MANY_TITLE, cause=Cause.FOREIGN)

    def _release_hidden(self) -> None:
        # While draining, they would be received again instead of what is left of ours.
        is_early = not self._foreign.has_hidden or self._polls.is_draining or self._in_flight.count_unsettled()
        if not is_early and not self._outbox.has_unfinished(self._options.queue):
            self._dispatcher.release_hidden()

    def _note_held_up(self, in_a_row: int) -> None:
        """Report that foreign messages hold up own files, again whenever their number has doubled."""
        count = self._foreign.count
        if in_a_row >= HELD_UP_BY and count >= 2 * self._held_up_by:
            self._held_up_by = count
            text = Sentence(
                "Filemill has received {count} messages of another program so far, and left them unchanged. It keeps "
                "looking for the messages of your files, but more slowly, because each time a message is received, "
                "it counts as a delivery attempt. Choose a queue that only Filemill uses.",
                count=count,
            )
            self._state.hinder(KnownError(text, title=HELD_UP_TITLE, cause=Cause.FOREIGN))
        elif not in_a_row and self._state.is_hindered:
            self._state.hinder(None)

    def _supervise(self) -> None:
        for loop in self._loops:
            loop.check()
        self._pool.resize(self._control.concurrency or self._options.concurrency)
        self._pool.check_stalled()
        for place in self._pool.take_recovered():
            self._attempt(self._retry_recovered, place)
        self._attempt(self._committer.release_waiting, WAIT_SECONDS if self._control.may_begin else 0)
        self._attempt(self._dispatcher.start_prioritized, self._free_threads())
        if not self._control.may_begin and not self._in_flight.count_unsettled():
            self._control.note_idle()
        self._attempt(self._check_foreign)
        self._attempt(self._release_hidden)
        if self._control.brakes:
            self._attempt(self._pause_batches)
        if self._options.keeps_order and self._clock.steady() >= self._next_look:
            self._next_look = self._clock.steady() + HELD_TURN_SECONDS
            self._attempt(self._look_for_held)
        if self._registry.refresh() or self._clock.steady() >= self._next_announcement:
            self._next_announcement = self._clock.steady() + ANNOUNCE_SECONDS
            self._attempt(self._follow_processors)
        self._attempt(self._publisher.note_numbers)
        if self._clock.steady() >= self._next_recovery:
            self._next_recovery = self._clock.steady() + RECOVER_SECONDS
            self._attempt(self._publisher.recover)
        if self._clock.steady() >= self._next_note:
            self._next_note = self._clock.steady() + NOTE_POLLS_SECONDS
            self._attempt(self._note_polls)
            self._attempt(self._follow_group)

    def _follow_processors(self) -> None:
        """Use the processors that can be used now, such as new commands, and tell other programs which these are."""
        versions = self._registry.versions
        are_new = not versions.keys() <= self._claims.versions.keys()
        self._claims.versions = versions
        if are_new:
            self._take_left()
        self._processors.announce(
            self._identity.name,
            queue=self._options.queue,
            versions=versions,
            fields=self._registry.fields,
            now_ms=self._clock.now_ms(),
        )

    def _pause_batches(self) -> None:
        """Pause the batches of which too many files have failed."""
        if paused := self._brake.check():
            self._next_look = self._clock.steady()
            self._committer.release_batches(paused)

    def _look_for_held(self) -> None:
        """Receive nothing while a batch is paused, since no file may overtake its files."""
        self._is_held = self._held.any_waits(self._options.queue)
        self._receiver.note_room()

    def _take_left(self) -> None:
        """Send the messages of the files that were left, at a time when this program did not have their processors."""
        if self._outbox.bring_left_forward(
            queue=self._options.queue, processors=self._claims.versions, now_ms=self._clock.now_ms()
        ):
            self._control.wake_sender()

    def _follow_group(self) -> None:
        """Leave the message group of the strict order if a foreign message blocks it."""
        if not self._options.keeps_order:
            return
        foreign = self._foreign
        foreign.own_group = self._strict_group.name()
        blocked, foreign.blocked_group = foreign.blocked_group, ""
        if not blocked or self._in_flight.count_unsettled() or not self._outbox.has_unfinished(self._options.queue):
            return
        if count := self._strict_group.leave(blocked, now_ms=self._clock.now_ms()):
            log.info("a message of another program blocks the message group; %d files are sent in a new one", count)
            foreign.own_group = self._strict_group.name()
            self._control.wake_sender()

    def _note_polls(self) -> None:
        received, empty_at = self._polls.take()
        if received or empty_at:
            self._recovery.note_polls(
                queue=self._options.queue,
                received=received,
                again_before_own=self._foreign.take_again_before_own(),
                empty_at_ms=empty_at,
            )

    def _end_loops(self) -> None:
        """Stop the receiver, then the acknowledger, and finally the heartbeat, since leases are needed until then."""
        if self._options.wait_s <= SHORT_POLL_SECONDS:
            for loop in (self._receiving, *self._assisting):
                loop.join(self._options.wait_s + 1)
        # Release the messages that the receiver delivered just before it stopped.
        self._attempt(lambda: self._committer.interrupt(also_begun=True))
        self._dispatcher.release_hidden()
        self._acknowledger.stop()
        # A drain leaves many hidden messages to release.
        self._acknowledging.join(DRAIN_FLUSH_SECONDS if self._polls.is_draining else self._options.flush_grace_s)
        self._publisher.join(DRAIN_FLUSH_SECONDS if self._polls.is_draining else self._options.flush_grace_s)
        self._attempt(self._publisher.note_numbers)
        self._registry.end_idle()
        self._extending.stop()
        self._extending.join(min(HEARTBEAT_SECONDS, self._options.flush_grace_s))

    def _run_heartbeat(self, stop: StopRequest) -> None:
        with self._database.session():
            self._heartbeat.run(stop)

    def _free_dead_leases(self) -> None:
        freed = self._claims.free_dead_leases(
            self._identity.is_alive, queue=self._options.queue, now_ms=self._clock.now_ms()
        )
        if freed:
            log.info("released %d files of programs that have ended", freed)
        try:
            self._connector.release_abandoned(self._identity.is_alive)
        except QueueError as error:
            log.info("messages of programs that have ended stay hidden until their timeout: %s", error.text)

    def _deliver(self, messages: list[Received], expires: float) -> None:
        """Register received messages, and pass them to the consumer's thread. Runs on the receiver's thread."""
        now = self._clock.steady()
        arrived = [InFlightMessage(received, expires, now) for received in messages]
        for message in arrived:
            self._in_flight.add(message)
        self._inbox.put(arrived)

    def _note_done(self, done: Done) -> None:
        """Accept the outcome of a file. While others wait for a thread, it is handled together with theirs."""
        self._inbox.put(done, wakes=not self._pool.has_waiting)

    def _wake(self) -> None:
        """End the wait of the consumer's thread for messages and finished files. Any thread."""
        self._inbox.put([])

    def _room(self) -> int:
        """Return the number of messages to receive: one per free thread, and more if files are processed quickly."""
        may_receive = self._control.may_begin and not self._control.has_priorities and not self._is_store_away
        if not may_receive or self._is_held or self._polls.is_drained or len(self._in_flight) >= MOST_IN_FLIGHT:
            return 0
        are_foreign = self._foreign.in_a_row >= MANY_IN_A_ROW
        if are_foreign and not self._foreign.is_own_expected:
            return 0  # only foreign messages would be received, and each time counts as a delivery attempt
        spare = 0
        if are_foreign:
            spare = PREFETCH
        elif self._pool.usual_seconds < QUICK_SECONDS and (
            quick := self._pool.size - self._pool.count_long(LONG_SECONDS)
        ):
            # If these threads get long files too, what waits for them is released after `WAIT_SECONDS`.
            ready = int(READY_SECONDS * quick / max(self._pool.usual_seconds, 0.0001))
            spare = min(max(PREFETCH, ready), MOST_READY)
        return self._free_threads() + spare

    def _free_threads(self) -> int:
        """Return the number of free threads; negative if claimed files are waiting for one."""
        return self._pool.size - (self._in_flight.count_unsettled() - self._pool.count_set_aside())

    def _retry_recovered(self, place: str) -> None:
        """Send the messages of the files that are waiting for a disk or share that responds again."""
        reason = Reason(ReasonCode.SHARE_SILENT, {"place": place})
        if count := self._outbox.bring_forward(queue=self._options.queue, reason=reason, now_ms=self._clock.now_ms()):
            log.info("%d files on %s are tried again", count, place)
            self._control.wake_sender()

    def _turn(self, patience: float) -> None:
        """Wait for received messages or finished files, handle them, and commit the results."""
        now = self._clock.steady()
        if len(self._in_flight) > PREFETCH and (left := self._next_turn - now) > 0:
            self._inbox.wait_for_many(left)
        items = self._inbox.take(patience)
        self._next_turn = self._clock.steady() + TURN_LEAST_SECONDS
        if not self._attempt(self._settle, items):
            return
        if self._is_store_away:
            self._is_store_away = False
            self._backoff.reset()
            self._state.running()
        self._receiver.note_room()

    def _attempt(self, act: Callable[..., None], *arguments: object) -> bool:
        """Call a function that uses the database; return False and stop receiving if the database is unavailable."""
        try:
            act(*arguments)
        except StoreError as error:
            self._is_store_away = True
            self._is_stopping.wait(self._state.waiting(error, self._backoff))
            return False
        return True

    def _settle(self, items: Sequence[list[InFlightMessage] | Done]) -> None:
        """Write the results of finished files, and claim the jobs of received messages, in one transaction."""
        arrived: list[InFlightMessage] = []
        for item in items:
            if isinstance(item, Done):
                self._committer.take(item)
            else:
                arrived += item
        ours = self._dispatcher.requests(arrived) if arrived else []
        is_changed = self._committer.has_results
        try:
            claims = self._committer.finish(lambda: self._dispatcher.claim([request for _, request in ours]))
        except StoreError:
            self._dispatcher.refuse(ours)
            raise
        if self._options.keeps_order and any(claim.outcome is ClaimOutcome.HELD for claim in claims):
            self._is_held = True  # before the messages are released
        self._dispatcher.accept(ours, claims, len(arrived))
        self._brake.note(self._committer.take_failed())
        if self._committer.put_back() or is_changed:
            self._control.note_finished()

    def _end_work(self) -> None:
        """Stop receiving, release waiting messages, and let running files finish; release those that take too long."""
        self._is_stopping.set()
        for loop in (self._receiving, *self._assisting):
            loop.stop()
        self._attempt(self._settle, self._inbox.take(0))
        self._attempt(lambda: self._committer.interrupt(also_begun=False))
        self._pool.stop()
        self._wait_for_work(self._options.work_grace_s)
        for message in self._in_flight.all():
            message.is_cancelled = True
        self._wait_for_work(self._options.cancel_grace_s)
        self._attempt(lambda: self._committer.interrupt(also_begun=True))

    def _wait_for_work(self, seconds: float) -> None:
        """Commit results until all messages are settled or the time is up."""
        end = self._clock.steady() + seconds
        while self._clock.steady() < end and self._in_flight.count_unsettled() > self._pool.count_silent(
            SILENT_SECONDS
        ):
            self._turn(TURN_SECONDS)
        self._attempt(self._settle, ())
