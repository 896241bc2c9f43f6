"""The sender: takes entries from the outbox, in order, and sends their messages in batches.

Crash points, and what makes each harmless: after the claim (it runs out), after the request or the reply (the same
deduplication id on a FIFO queue; on a standard queue a duplicate, which the claim of the row absorbs), after the note.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from desktop_app.domain.errors import QueueError, QueueTrouble, StoreDamagedError, StoreError
from desktop_app.domain.sentences import Sentence
from desktop_app.queues.messages import EntryResult, FileMessage, Outgoing, encode, plan_batches
from desktop_app.services.loops import Backoff, StateReporter
from desktop_app.store.outbox import Outbox, OutboxEntry, Sent

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from desktop_app.domain.clock import Clock
    from desktop_app.queues.client import QueueClient
    from desktop_app.queues.connector import QueueConnector
    from desktop_app.services.control import ProcessingControl
    from desktop_app.services.loops import LoopState
    from desktop_app.services.sending.periodic_tasks import PeriodicTasks
    from desktop_app.services.worker_identity import WorkerIdentity
    from desktop_app.store.database import Database


log = logging.getLogger(__name__)

CLAIM_ENTRIES = 50
CLAIM_MS = 30_000
LOCAL_WINDOW = 50
"""So many messages lie in the embedded queue at most; the rest waits in the outbox, where "Process Next" still moves it
to the front for every program. What has been sent comes in the order of sending. No limit would make nothing faster
(measured: 50, 100, 200 and none)."""

IDLE_SECONDS = 0.25
BUSY_SECONDS = 0.02
STRICT_GROUP = "filemill"


def message_group(file_id: str, *, strict_order: bool) -> str:
    """Return the message group on a FIFO queue: each file's own, or one of all where none may overtake another."""
    return STRICT_GROUP if strict_order else file_id


def deduplication_id(file_id: str, generation: int) -> str:
    """Return the deduplication id on a FIFO queue: content-based ones would swallow a wanted retry for five minutes."""
    return f"{file_id}:{generation}"


@dataclass(frozen=True, slots=True)
class SenderOptions:
    """How messages are sent.

    Attributes:
        queue: The key of the queue whose jobs are sent.
        window: At most so many messages in the queue at a time; None for no limit.
        strict_order: On a FIFO queue, all messages in one group instead of one group a file.
    """

    queue: str
    window: int | None = None
    strict_order: bool = False


class Sender:
    """Sends what the outbox holds. `run` in one thread, `send_due` for one pass; not for two threads at once.

    Args:
        database: Its outbox has what waits.
        connector: The queue.
        identity: This program, as the holder of claims.
        options: How to send.
        clock: The time.
        control: Wakes it when there is something to send.
        report: Takes the loop's states, on its thread.
        tasks: Done now and then, between two passes.
        backoff: The waits after trouble.
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
        self._outbox = Outbox(database)
        self._connector = connector
        self._identity = identity
        self._options = options
        self._clock = clock
        self._control = control
        self._state = StateReporter("sender", report, clock)
        self._tasks = tasks
        self._backoff = backoff or Backoff()

    def run(self, should_stop: Callable[[], bool]) -> None:
        """Send until stopped. Trouble outside is waited for, with backoff; it never ends the loop."""
        self._state.starting()
        with self._database.session():
            while not should_stop():
                try:
                    sent = self.send_due()
                    self._tasks.do_due()
                except StoreDamagedError:
                    self._state.stopped()
                    raise  # waiting does not help
                except (QueueError, StoreError) as error:
                    self._control.wait_to_send(self._state.waiting(error, self._backoff), should_stop)
                    continue
                self._backoff.reset()
                self._state.running()
                # A full window empties in moments; an empty outbox may fill at any time from another program.
                if not sent:
                    busy = self._options.window is not None and self._outbox.has_waiting(self._options.queue)
                    self._control.wait_to_send(BUSY_SECONDS if busy else IDLE_SECONDS, should_stop)
        self._state.stopped()

    def send_due(self) -> int:
        """Send what is due now and fits; return how many messages the queue took.

        Raises:
            QueueError: If the queue can't be reached or used. The entries are due again at once.
            StoreError: If the database can't be used.
        """
        client = self._connector.connect()
        room = self._room()
        if room <= 0:
            return 0
        in_order = client.info.is_fifo and self._options.strict_order
        entries = self._outbox.claim(
            queue=self._options.queue,
            owner=self._identity.name,
            limit=min(room, CLAIM_ENTRIES),
            now_ms=self._clock.now_ms(),
            claim_ms=CLAIM_MS,
            in_order=in_order,
        )
        messages = [self._message(client, entry) for entry in entries]
        # One by one where order counts: of a batch the queue may take the later ones without the earlier.
        batches = [[at] for at in range(len(messages))] if in_order else plan_batches(messages)
        sent = done = 0
        for positions in batches:
            try:
                chosen = [entries[at] for at in positions], [messages[at] for at in positions]
                sent += self._send_batch(client, *chosen, in_order=in_order)
            except QueueError as error:
                # Due again at once: how long to wait is the loop's business, for all of them alike.
                self._outbox.postpone(entries[done:], until_ms=self._clock.now_ms())
                if error.trouble.may_look_different:
                    self._connector.reset()
                raise
            done += len(positions)
        return sent

    def send_all(self, deadline: float) -> int:
        """Send until nothing of this queue waits, or the steady clock reaches the deadline; return how many were sent.

        Raises:
            QueueError: If the queue can't be reached or used.
            StoreError: If the database can't be used.
        """
        total = 0
        while self._outbox.has_waiting(self._options.queue) and self._clock.steady() < deadline:
            sent = self.send_due()
            if not sent:
                break
            total += sent
        return total

    def _room(self) -> int:
        if self._options.window is None:
            return CLAIM_ENTRIES
        return self._options.window - self._outbox.in_queue(self._options.queue)

    def _message(self, client: QueueClient, entry: OutboxEntry) -> Outgoing:
        body = encode(FileMessage(entry.file_id, entry.generation))
        if not client.info.is_fifo:
            return Outgoing(body)
        return Outgoing(
            body,
            group_id=message_group(entry.file_id, strict_order=self._options.strict_order),
            deduplication_id=deduplication_id(entry.file_id, entry.generation),
        )

    def _send_batch(
        self, client: QueueClient, entries: Sequence[OutboxEntry], messages: Sequence[Outgoing], *, in_order: bool
    ) -> int:
        try:
            results = client.send(messages)
        except QueueError as error:
            if error.trouble is not QueueTrouble.REFUSED:
                raise
            if len(messages) == 1:
                results = [EntryResult(trouble=QueueTrouble.REFUSED, text=error.text)]
            else:  # one of them is to blame; the others must not suffer for it
                return sum(
                    self._send_batch(client, [entry], [message], in_order=in_order)
                    for entry, message in zip(entries, messages, strict=True)
                )
        trouble = results[0].trouble
        if in_order and trouble is not None and trouble is not QueueTrouble.REFUSED:
            # It holds up all behind it, as trouble with the queue as a whole does.
            raise QueueError(Sentence("The queue did not take a message."), trouble=trouble, detail=results[0].text)
        return self._note(entries, results)

    def _note(self, entries: Sequence[OutboxEntry], results: Sequence[EntryResult]) -> int:
        """Write down what became of each entry of a batch."""
        now = self._clock.now_ms()
        sent: list[Sent] = []
        for entry, result in zip(entries, results, strict=True):
            if result.is_done:
                log.debug("job %s: submission %d sent, %s", entry.file_id, entry.generation, result.message_id)
                sent.append(Sent(entry, result.message_id))
            elif result.trouble is QueueTrouble.REFUSED:
                log.info("job %s: failed: the queue refuses its message: %s", entry.file_id, result.text)
                self._outbox.refuse(
                    entry, reason=Sentence("The queue refuses its message: {why}", why=result.text), now_ms=now
                )
            else:
                log.info("job %s: message not sent yet: %s", entry.file_id, result.text)
                wait = Backoff()
                wait.tries = entry.tries
                self._outbox.postpone([entry], until_ms=now + int(wait.next() * 1000))
        if sent:
            self._outbox.mark_sent(sent, now_ms=now)
        return len(sent)
