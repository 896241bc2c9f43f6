"""How a consumer works: what its builder decides."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from desktop_app.domain.errors import Cause, KnownError, QueueError, StoreDamagedError, StoreError
from desktop_app.services.consuming.acknowledger import Acknowledger
from desktop_app.services.consuming.dispatcher import Dispatcher, Hands, MessageGroups
from desktop_app.services.consuming.foreign_messages import (
    BRAKE_TEXT,
    BRAKE_TITLE,
    MANY_IN_A_ROW,
    TOO_MANY_IN_A_ROW,
    ForeignMessages,
)
from desktop_app.services.consuming.in_flight import (
    BEAT_SECONDS,
    VISIBILITY_SECONDS,
    Heartbeat,
    InFlightMessage,
    InFlightMessages,
    Tally,
)
from desktop_app.services.consuming.priority import PriorityDispatcher, PriorityRequests
from desktop_app.services.consuming.receiver import Receiver
from desktop_app.services.consuming.results import WAIT_SECONDS, Committer
from desktop_app.services.consuming.worker_pool import Done, Processing, WorkerPool
from desktop_app.services.control import PauseControl
from desktop_app.services.loops import STOP_CHECK_SECONDS, AwakeClock, Backoff, StateReporter, SupervisedLoop
from desktop_app.store.claims import Claims
from desktop_app.store.outbox import Outbox
from desktop_app.store.priority import Priority
from desktop_app.store.results import Work

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from desktop_app.domain.clock import Clock
    from desktop_app.queues.connector import QueueConnector
    from desktop_app.queues.messages import Received
    from desktop_app.services.loops import LoopState
    from desktop_app.services.worker_identity import WorkerIdentity
    from desktop_app.store.database import Database


log = logging.getLogger(__name__)


SHORT_POLL_SECONDS = 2


@dataclass(frozen=True, slots=True)
class ConsumerOptions:
    """How a consumer works.

    Attributes:
        queue: The key of the queue it consumes.
        concurrency: How many files at once.
        visibility_s: For how long a received message is hidden before it is extended, in seconds.
        wait_s: The longest poll, 0…20 s. Up to `SHORT_POLL_SECONDS` a stop waits for the poll to end, so that no
            message is handed to it that nobody takes; a longer one is left to end by itself.
        work_grace_s: How long running work may go on after a stop, in seconds.
        flush_grace_s: How long the last answers to the queue may take after that.
    """

    queue: str
    concurrency: int = 2
    visibility_s: int = VISIBILITY_SECONDS
    wait_s: int = 20
    work_grace_s: float = 5.0
    flush_grace_s: float = 2.0


COMMIT_ROWS = 200

QUICK_SECONDS = 0.25

LONG_SECONDS = 1.0

PREFETCH = 10

MOST_HELD = 200
"""With so many messages that only wait to be deleted, the queue has trouble: receiving more would add to it."""

PATIENCE_SECONDS = 60.0
"""More than any call to the queue takes with its time-outs and retries."""

CANCEL_GRACE_SECONDS = 0.5

LONGEST_STORE_WAIT_SECONDS = 2.0


class Consumer:
    """Consumes one queue into one database. `run` once, in one thread; the counters from any thread.

    Args:
        database: The jobs.
        connector: The queue.
        registry: What is done to a file.
        identity: This program, as the holder of leases.
        options: How to work.
        clock: The time.
        report: Takes the loop's states, on several threads.
        look_now: Called after the list was changed, on the thread of `run`.
        foreign: Takes note of messages that are not ours.
        switch: Where a person pauses it.
        retry_now: Set by others to have the queue tried again at once after trouble.
        wanted: What a person wants next; None where order must be kept.
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
        look_now: Callable[[], None] = lambda: None,
        foreign: ForeignMessages | None = None,
        switch: PauseControl | None = None,
        retry_now: threading.Event | None = None,
        wanted: PriorityRequests | None = None,
    ) -> None:
        self._database = database
        self._identity = identity
        self._connector = connector
        self._options = options
        self._clock = clock
        self._look_now = look_now
        self._state = StateReporter("consumer", report, clock)
        self._backoff = Backoff(first=0.5, longest=LONGEST_STORE_WAIT_SECONDS)
        self._inbox: SimpleQueue[list[InFlightMessage] | Done] = SimpleQueue()
        self._is_stopping = threading.Event()
        self._is_store_away = False
        self._switch = switch or PauseControl()
        self._end: KnownError | None = None
        """Why it ends by itself."""
        self._claims = Claims(database)
        self._work = Work(database)
        self._outbox = Outbox(database)
        self.tally = Tally()
        self.foreign = foreign or ForeignMessages()
        self._book = InFlightMessages()
        self._acks = Acknowledger(self._book, connector, clock)
        awake = AwakeClock(clock)
        self._pool = WorkerPool(
            options.concurrency, registry, self._inbox.put, clock=awake, may_begin=lambda: self._switch.may_begin
        )
        hands = Hands(self._book, self._acks, MessageGroups(), self._pool, self.tally, clock)
        self._dispatcher = Dispatcher(
            self._claims,
            identity.name,
            hands,
            foreign=self.foreign,
            switch=self._switch,
            visibility_s=options.visibility_s,
        )
        self._committer = Committer(self._work, hands)
        self._first = PriorityDispatcher(
            wanted, Priority(database), self._dispatcher, queue=options.queue, switch=self._switch
        )
        self._keeper = Heartbeat(self._book, connector, self._work, clock, visibility_s=options.visibility_s)
        self._receiver = Receiver(
            connector,
            room=self._room,
            deliver=self._deliver,
            state=self._state,
            clock=clock,
            visibility_s=options.visibility_s,
            wait_s=options.wait_s,
            retry_now=retry_now,
        )
        self._receiving = SupervisedLoop(
            "receiver", self._receiver.run, patience_s=options.wait_s + PATIENCE_SECONDS, clock=awake
        )
        self._acking = SupervisedLoop("acks", self._acks.run, patience_s=PATIENCE_SECONDS, clock=awake)
        self._keeping = SupervisedLoop("keeper", self._keep, patience_s=PATIENCE_SECONDS, clock=awake)
        self._loops = (self._receiving, self._acking, self._keeping)

    @property
    def held(self) -> int:
        """How many messages are in our hands now."""
        return len(self._book)

    def run(self, should_stop: Callable[[], bool]) -> None:
        """Consume until stopped; then end in order, within the graces of the options plus a moment.

        Raises:
            KnownError: If the queue carries so much that is not ours that it can't be meant; it has ended in order.
            StoreDamagedError: If the database is damaged.
        """
        self._state.starting()
        self.foreign.note_own()  # a new start is a new chance
        with self._database.session(), self._switch.at_work(), self._first.served():
            self._pool.start()
            for loop in self._loops:
                loop.start()
            self._attempt(self._free_dead_leases)
            while not should_stop() and self._end is None:
                self._turn(STOP_CHECK_SECONDS)
                self._supervise()
            self._end_work()
            self._end_loops()
        self._state.stopped()
        if self._end is not None:
            raise self._end

    def _brake(self) -> None:
        """End if so much came that is foreign, and nothing of ours is waited for, that this can't be our queue."""
        in_a_row = self.foreign.in_a_row
        if in_a_row >= TOO_MANY_IN_A_ROW or (
            in_a_row >= MANY_IN_A_ROW and not self._outbox.in_queue(self._options.queue)
        ):
            self._end = KnownError(BRAKE_TEXT, title=BRAKE_TITLE, cause=Cause.FOREIGN)

    def _supervise(self) -> None:
        for loop in self._loops:
            loop.check()
        self._pool.give_up_stalled()
        self._attempt(self._committer.give_back_waiting, WAIT_SECONDS if self._switch.may_begin else 0)
        self._attempt(self._first.begin, self._options.concurrency - self._book.open())
        if not self._switch.may_begin and not self._book.open():
            self._switch.note_idle()
        self._attempt(self._brake)

    def _end_loops(self) -> None:
        """In order: the receiver gives back what it brings late, the acks flush, the keeper goes last."""
        if self._options.wait_s <= SHORT_POLL_SECONDS:
            self._receiving.join(self._options.wait_s + 1)
        # What it had brought just before it was stopped.
        self._attempt(lambda: self._committer.interrupt(also_begun=True))
        self._acks.stop()
        self._acking.join(self._options.flush_grace_s)
        self._keeping.stop()
        self._keeping.join(BEAT_SECONDS)

    def _keep(self, should_stop: Callable[[], bool]) -> None:
        with self._database.session():
            self._keeper.run(should_stop)

    def _free_dead_leases(self) -> None:
        freed = self._claims.free_dead_leases(
            self._identity.is_alive,
            queue=self._options.queue,
            now_ms=self._clock.now_ms(),
        )
        if freed:
            log.info("took back %d files from programs that have ended", freed)
        try:
            self._connector.release_abandoned(self._identity.is_alive)
        except QueueError as error:
            log.info("the messages of programs that have ended come back by themselves: %s", error.text)

    def _deliver(self, messages: list[Received], expires: float) -> None:
        """From the receiver's thread: what came is in our hands from now on."""
        now = self._clock.steady()
        arrived = [InFlightMessage(message, expires, taken_at=now) for message in messages]
        self.tally.receive(len(arrived))
        for held in arrived:
            self._book.take(held)
        self._inbox.put(arrived)

    def _room(self) -> int:
        """How many more messages may be held: those that start now, and some more while files take no time."""
        if self._is_store_away or not self._switch.may_begin or self._first.waits or len(self._book) >= MOST_HELD:
            return 0
        is_quick = self._committer.usual_seconds < QUICK_SECONDS and self._pool.longest() < LONG_SECONDS
        spare = PREFETCH if is_quick else 0
        return self._options.concurrency + spare - self._book.open()

    def _turn(self, patience: float) -> None:
        """One round: take in what has arrived, then commit."""
        if not self._attempt(self._take_in, patience) or not self._attempt(self._commit):
            return
        if self._is_store_away:
            self._is_store_away = False
            self._backoff.reset()
            self._state.running()
        self._receiver.has_room.set()

    def _attempt(self, act: Callable[..., None], *arguments: float) -> bool:
        """Do something with the database; if that is away, pause receiving for a while. False then."""
        try:
            act(*arguments)
        except StoreDamagedError as error:
            self._end = error  # waiting does not mend it
            return False
        except StoreError as error:
            self._is_store_away = True
            self._is_stopping.wait(self._state.waiting(error, self._backoff))
            return False
        return True

    def _take_in(self, patience: float) -> None:
        for item in self._arrivals(patience):
            if isinstance(item, Done):
                self._committer.take(item)
            else:
                self._dispatcher.accept(item)

    def _commit(self) -> None:
        if self._committer.commit():
            self._look_now()

    def _arrivals(self, patience: float) -> Iterator[list[InFlightMessage] | Done]:
        """What is there, after waiting for the first; bounded, so that a commit never waits for a flood to end."""
        try:
            yield self._inbox.get(timeout=patience)
            for _ in range(COMMIT_ROWS):
                yield self._inbox.get_nowait()
        except Empty:
            return

    def _end_work(self) -> None:
        """Stop receiving; give back what has not begun; let what runs end; give back what does not."""
        self._is_stopping.set()
        self._receiving.stop()
        self._attempt(self._take_in, 0)
        self._attempt(lambda: self._committer.interrupt(also_begun=False))
        self._pool.stop()
        self._wait_for_work(self._options.work_grace_s)
        for held in self._book.all():
            held.cancelled.set()
        self._wait_for_work(CANCEL_GRACE_SECONDS)
        self._attempt(lambda: self._committer.interrupt(also_begun=True))

    def _wait_for_work(self, seconds: float) -> None:
        """Go on committing until nothing is open any more, or the time is over."""
        end = self._clock.steady() + seconds
        while self._clock.steady() < end and self._book.open():
            self._turn(STOP_CHECK_SECONDS)
        self._attempt(self._commit)
