"""The sender, which sends the messages in the outbox in order and in batches.

A crash at any point is harmless. The claim on the outbox entries expires. Messages that were sent, but whose entries
were not yet marked as sent, are resent: a FIFO queue recognizes them by their deduplication ID, and on a standard queue
the claim on the row prevents duplicate processing.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from concurrent.futures import wait
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from desktop_app.domain.background import in_background
from desktop_app.domain.errors import QueueError, QueueTrouble, StoreError
from desktop_app.domain.reasons import Reason, ReasonCode
from desktop_app.domain.sentences import Sentence
from desktop_app.queues.messages import EntryResult, FileMessage, Outgoing, encode, plan_batches
from desktop_app.services.loops import Backoff, LoopState, ResponseTimes, StateReporter, StopRequest
from desktop_app.store.outbox import Outbox, OutboxEntry, Sent
from desktop_app.store.strict_group import StrictGroup

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence
    from concurrent.futures import Future

    from desktop_app.domain.clock import Clock
    from desktop_app.queues.client import QueueClient
    from desktop_app.queues.connector import QueueConnector
    from desktop_app.services.control import ProcessingControl
    from desktop_app.services.sending.periodic_tasks import PeriodicTasks
    from desktop_app.services.worker_identity import WorkerIdentity
    from desktop_app.store.database import Database


log = logging.getLogger(__name__)

CLAIM_ENTRIES = 1_000
CLAIM_MS = 30_000
FEW_ENTRIES = 500
"""The number of waiting entries at which the next ones are claimed while messages are being sent."""
SECONDS_A_DELIVERY = 1.0
"""How long messages are sent without a break, in seconds; what is left is claimed again. A stop takes effect then."""
NOTE_ENTRIES = 200
NOTE_SECONDS = 0.25
"""After how many results, and how many seconds, results are recorded. After a crash, messages whose results are not
recorded are sent again."""
MAX_THREADS = 4
BATCHES_ALONE = 5
"""The number of batches up to which they are sent on the sender's thread; otherwise, it records results meanwhile."""

LOCAL_WINDOW = 200
"""The maximum number of messages in the embedded queue. The others stay in the outbox, where "Process Next" can move
them to the front. With 50, the consumer waits for the sender; 400 are not faster (measured)."""

IDLE_SECONDS = 1.0
"""The interval at which the sender looks for entries of other programs, and for those that are due again. Its own
program wakes it, also when the window has room again."""


def deduplication_id(file_id: str, generation: int, resends: int) -> str:
    """Return the deduplication ID on a FIFO queue.

    SQS discards a second message with the same ID within five minutes, even if the first one is gone. The ID therefore
    differs for each retry by the user and for each replacement of a lost message.
    """
    return f"{file_id}:{generation}:{resends}" if resends else f"{file_id}:{generation}"


@dataclass(frozen=True, slots=True)
class SenderOptions:
    """The options of a sender.

    Attributes:
        queue: The key of the queue to send to.
        window: The maximum number of messages in the queue; None for no limit.
        strict_order: Whether all messages on a FIFO queue share one message group, instead of having one group per
            file.
    """

    queue: str
    window: int | None = None
    strict_order: bool = False


class Sender:
    """Sends the messages in the outbox, continuously with `run` or once with `send_all`. One thread at a time.

    Args:
        database: The database that contains the outbox.
        connector: The connector for the queue.
        identity: The name under which this program claims outbox entries.
        options: The options.
        clock: The clock.
        control: The `ProcessingControl` that wakes the sender when there are messages to send.
        report: Called with each new state of the loop, on its thread.
        tasks: The periodic tasks to run between two batches.
        backoff: The wait times after errors.
    """

    def __init__(
        self,
        database: Database,
        connector: QueueConnector,
        identity: WorkerIdentity,
        *,
        options: SenderOptions,
        clock: Clock,
        control: ProcessingControl,
        report: Callable[[LoopState], None],
        tasks: PeriodicTasks,
        backoff: Backoff | None = None,
    ) -> None:
        self._database = database
        self._epoch = database.epoch
        self._outbox = Outbox(database)
        self._connector = connector
        self._identity = identity
        self._options = options
        self._strict_group = StrictGroup(database, options.queue)
        self._clock = clock
        self._control = control
        self._state = StateReporter("sender", report, clock)
        self._tasks = tasks
        self._backoff = backoff or Backoff()

    def run(self, stop: StopRequest) -> None:
        """Send until a stop is requested. After an error, try again with backoff."""
        self._state.starting()
        with self._database.session():
            must_connect = True
            while not stop.is_set():
                try:
                    self._follow_database()
                    has_resumed = self._outbox.take_resumed()
                    sent = self.send_due() if must_connect or self._has_due() else 0
                    self._tasks.do_due()
                except (QueueError, StoreError) as error:
                    if not stop.is_set():  # otherwise, the error might only mean that the connection is being closed
                        self._control.wait_to_send(self._state.waiting(error, self._backoff), stop)
                    must_connect = True
                    continue
                self._backoff.reset()
                self._state.running()
                has_window = self._options.window is not None
                must_connect = not (sent or has_resumed) and self._control.wait_to_send(
                    IDLE_SECONDS, stop, for_room=has_window
                )
        self._state.stopped()

    def _follow_database(self) -> None:
        """If the database was replaced, check at once which messages of its files are missing in the queue."""
        if self._epoch != self._database.epoch:
            self._identity.renew()
            self._control.try_now()
            self._epoch = self._database.epoch

    def send_due(self) -> int:
        """Send as many due messages as the window allows, and return the number that the queue accepted.

        Raises:
            QueueError: If the queue can't be reached or used. The entries are due again immediately.
            StoreError: If the database can't be used.
        """
        client = self._connector.connect()
        room = self._room()
        if room <= 0:
            return 0
        in_order = client.info.is_fifo and self._options.strict_order
        delivery = _Delivery(client, in_order=in_order)
        unsent: dict[int, OutboxEntry] = {}

        def claim(limit: int) -> bool:
            """Deliver further messages; return whether more of them may be due."""
            waiting = {entry.row_id for entry in unsent.values()}
            claimed = self._outbox.claim(
                queue=self._options.queue,
                owner=self._identity.name,
                limit=limit + len(waiting),
                now_ms=self._clock.now_ms(),
                claim_ms=CLAIM_MS,
                in_order=in_order,
            )
            entries = [entry for entry in claimed if entry.row_id not in waiting]
            group = self._strict_group.name() if in_order and entries else ""
            places = delivery.add([self._message(client, entry, group) for entry in entries])
            unsent.update(zip(places, entries, strict=True))
            return len(entries) == CLAIM_ENTRIES and not in_order

        may_claim_more, sent = claim(min(room, CLAIM_ENTRIES)), 0
        with closing(delivery.results(self._clock)) as parts:
            for results in parts:
                sent += self._note([(unsent.pop(place), result) for place, result in results])
                if may_claim_more and delivery.is_short_of_messages:
                    may_claim_more = claim(CLAIM_ENTRIES)
        if delivery.error is not None:
            # Due again immediately, since the loop waits before the next attempt.
            self._outbox.postpone(unsent.values(), until_ms=self._clock.now_ms())
            if delivery.error.trouble.needs_reconnect:
                self._connector.reset()
            raise delivery.error
        return sent

    def send_all(self, deadline: float) -> int:
        """Send until no message of this queue is due, and return the number of messages sent.

        Args:
            deadline: When to stop, in seconds of the steady clock.

        Raises:
            QueueError: If the queue can't be reached or used.
            StoreError: If the database can't be used.
        """
        total = 0
        while self._has_due() and self._clock.steady() < deadline:
            sent = self.send_due()
            if not sent:
                break
            total += sent
        return total

    def _has_due(self) -> bool:
        return self._outbox.has_due(self._options.queue, now_ms=self._clock.now_ms())

    def _room(self) -> int:
        if self._options.window is None:
            return CLAIM_ENTRIES
        return self._options.window - self._outbox.in_queue(self._options.queue)

    def _message(self, client: QueueClient, entry: OutboxEntry, group: str) -> Outgoing:
        body = encode(FileMessage(entry.file_id, entry.generation))
        if not client.info.is_fifo:
            return Outgoing(body)
        return Outgoing(
            body,
            group_id=group or entry.file_id,
            deduplication_id=deduplication_id(entry.file_id, entry.generation, entry.resends),
        )

    def _note(self, results: Sequence[tuple[OutboxEntry, EntryResult]]) -> int:
        """Record the results of messages, and return the number of messages sent."""
        now = self._clock.now_ms()
        sent: list[Sent] = []
        is_logged = log.isEnabledFor(logging.DEBUG)
        for entry, result in results:
            if result.is_done:
                if is_logged:
                    log.debug("job %s: submission %d sent, %s", entry.file_id, entry.generation, result.message_id)
                sent.append(Sent(entry, result.message_id))
            elif result.trouble is QueueTrouble.REFUSED:
                log.info("job %s: failed: the queue rejected its message: %s", entry.file_id, result.text)
                reason = Reason(ReasonCode.MESSAGE_REFUSED, {"why": result.text})
                self._outbox.refuse(entry, reason=reason, now_ms=now)
            else:
                log.info("job %s: message not sent yet: %s", entry.file_id, result.text)
                wait = Backoff()
                wait.tries = entry.tries
                self._outbox.postpone([entry], until_ms=now + int(wait.next() * 1000))
        if sent:
            self._outbox.mark_sent(sent, now_ms=now)
        return len(sent)


class _Delivery:
    """Sends messages in batches; on several threads if there are many and each request takes long.

    Args:
        client: The client.
        in_order: Whether no message may overtake another.

    Attributes:
        error: The first error that kept messages from being sent, after which no further batch is sent.
    """

    def __init__(self, client: QueueClient, *, in_order: bool) -> None:
        self._client = client
        self._messages: list[Outgoing] = []
        self._in_order = in_order
        self._waiting: deque[list[int]] = deque()
        self._results: deque[tuple[int, EntryResult]] = deque()
        self._has_news = threading.Event()
        self._times = ResponseTimes()
        self._may_start = True
        self._threads: list[Future[None]] = []
        self.error: QueueError | None = None

    def add(self, messages: Sequence[Outgoing]) -> range:
        """Send further messages; return their positions. Between two parts of `results`, or before them."""
        start = len(self._messages)
        self._messages += messages
        # In order, one by one: the queue could accept one entry of a batch but reject the entries before it.
        limit = 1 if self._in_order else self._client.info.max_entries
        for batch in plan_batches(messages, max_entries=limit):
            self._waiting.append([start + place for place in batch])
        return range(start, len(self._messages))

    @property
    def is_short_of_messages(self) -> bool:
        """Whether the threads that send will soon have nothing to do, although there is time left."""
        return self._may_start and len(self._waiting) * self._client.info.max_entries < FEW_ENTRIES

    def results(self, clock: Clock) -> Generator[list[tuple[int, EntryResult]]]:
        """Send for a limited time, and yield the results with the positions of their messages, at intervals."""
        until = clock.steady() + SECONDS_A_DELIVERY
        due = clock.steady() + NOTE_SECONDS
        is_alone = self._in_order or len(self._waiting) <= BATCHES_ALONE
        try:
            while self._send_next() if is_alone else self._are_others_sending():
                if clock.steady() >= until:
                    self._end()
                if not is_alone or clock.steady() >= due:
                    yield self._taken()
                    due = clock.steady() + NOTE_SECONDS
        finally:
            self._end()
            wait(self._threads)
        for thread in self._threads:
            thread.result()
        yield self._taken()

    def _end(self) -> None:
        self._may_start = False
        self._waiting.clear()

    def _are_others_sending(self) -> bool:
        """Let threads send, and wait for some results; return whether there will be more."""
        count = MAX_THREADS if self._times.are_long else 1
        running = sum(not thread.done() for thread in self._threads)
        if self._waiting and self._may_start:
            for number in range(running, count):
                thread = in_background(self._send_waiting, f"sender-{number + 1}")
                thread.add_done_callback(lambda _: self._has_news.set())
                self._threads.append(thread)
        elif not running:
            return False
        self._has_news.wait(NOTE_SECONDS)
        self._has_news.clear()
        return True

    def _taken(self) -> list[tuple[int, EntryResult]]:
        return [self._results.popleft() for _ in range(len(self._results))]

    def _send_waiting(self) -> None:
        while self._send_next():
            if len(self._results) >= NOTE_ENTRIES:
                self._has_news.set()

    def _send_next(self) -> bool:
        """Send the next batch; return False if there is none, or after an error."""
        try:
            places = self._waiting.popleft()
        except IndexError:
            return False
        begun = time.monotonic()
        try:
            self._send(places)
        except QueueError as error:
            self.error = self.error or error
            self._end()
            return False
        self._times.note(time.monotonic() - begun)
        return True

    def _send(self, places: Sequence[int]) -> None:
        try:
            results = self._client.send([self._messages[place] for place in places])
        except QueueError as error:
            if error.trouble is not QueueTrouble.REFUSED:
                raise
            if len(places) > 1:  # send the messages separately to find the one that causes the error
                for place in places:
                    self._send([place])
                return
            results = [EntryResult(trouble=QueueTrouble.REFUSED, text=error.said or error.text)]
        trouble = results[0].trouble
        if self._in_order and trouble is not None and trouble is not QueueTrouble.REFUSED:
            # The messages after it have to wait too, as they do when the whole request fails.
            raise QueueError(Sentence("The queue did not accept a message."), trouble=trouble, detail=results[0].text)
        self._results.extend(zip(places, results, strict=True))
