"""The life of jobs under any order of events: compares the database with a small model.

Senders and two consumers of two programs work on a few jobs. Messages are lost only where the embedded queue is
restarted; they are duplicated, delayed and outdated. Leases expire, programs crash, and users retry, remove and
restore.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from desktop_app.domain.job import Status
from desktop_app.domain.reasons import Reason, ReasonCode
from desktop_app.store.claims import MAX_CRASHES, ClaimOutcome, ClaimRequest
from desktop_app.store.outbox import OutboxEntry, Sent
from desktop_app.store.recovery import Recovery
from desktop_app.store.results import Result
from tests.helpers import a_reason
from tests.store.kit import LEASE, NOW, QUEUE, Store

if TYPE_CHECKING:
    from collections.abc import Iterable

    from desktop_app.domain.job import Job

pytestmark = pytest.mark.slow

PENDING, PROCESSING, PROCESSED, FAILED = Status
STEPS_OF_A_GENERATION = {
    (PENDING, PROCESSING),
    (PENDING, FAILED),  # the queue rejects its message
    (PROCESSING, PENDING),
    (PROCESSING, PROCESSED),
    (PROCESSING, FAILED),
}
WORKERS = ("w1", "w2")
MAX_ROWS = 2  # few, so that much happens to each


@dataclass
class Row:
    """The model of a job."""

    job: Job
    status: Status = PENDING
    generation: int = 1
    attempts: int = 0
    crashes: int = 0
    is_removed: bool = False
    is_in_outbox: bool = True
    holder: str = ""
    lease_until: int = 0
    tokens: int = 0
    resends: int = 0

    def lease_is_live(self, now: int) -> bool:
        return self.status is PROCESSING and bool(self.holder) and self.lease_until > now


@dataclass(frozen=True)
class Message:
    """A message in the queue."""

    row_id: int
    generation: int


@dataclass(frozen=True)
class Held:
    """A lease that a worker believes to hold."""

    worker: str
    message: Message
    token: int


class JobLife(RuleBasedStateMachine):
    template: ClassVar[Path]

    @initialize()
    def open(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="life-"))
        path = self.folder / "jobs.db"
        shutil.copy(self.template, path)
        self.programs = {worker: Store(path) for worker in WORKERS}
        self.store = self.programs["w1"]
        self.look = sqlite3.connect(path)
        self.now = NOW
        self.rows: dict[int, Row] = {}
        self.queue: list[Message] = []
        self.taken: set[Message] = set()
        self.held: list[Held] = []
        self.sending: list[OutboxEntry] = []
        self.ends: set[tuple[int, int]] = set()
        self.before: dict[int, tuple[Status, int]] = {}
        self.submit()

    def teardown(self) -> None:
        if hasattr(self, "programs"):
            self.look.close()
            for program in self.programs.values():
                program.database.release()
            shutil.rmtree(self.folder)

    # The state of the model

    def pick(self, number: int) -> Row:
        keys = sorted(self.rows)
        return self.rows[keys[number % len(keys)]]

    def end(self, row: Row, status: Status) -> None:
        ended = (row.job.row_id, row.generation)
        assert ended not in self.ends, "one submission ended twice"
        self.ends.add(ended)
        row.status, row.holder = status, ""

    def is_holder(self, held: Held) -> bool:
        row = self.rows[held.message.row_id]
        return row.status is PROCESSING and not row.is_removed and row.tokens == held.token

    # Actions of users

    @precondition(lambda self: len(self.rows) < MAX_ROWS)
    @rule()
    def submit(self) -> None:
        (job,) = self.store.add(f"/data/{len(self.rows)}")
        self.rows[job.row_id] = Row(job)

    @precondition(lambda self: any(row.status.is_final for row in self.rows.values()))
    @rule(number=st.integers(0, MAX_ROWS - 1))
    def retry(self, number: int) -> None:
        row = self.pick(number)
        may = row.status.is_final and not row.is_removed
        assert self.store.intake.retry([row.job.row_id], queue=QUEUE) == may
        if may:
            row.status, row.generation, row.attempts, row.crashes = PENDING, row.generation + 1, 0, 0
            row.tokens += 1
            row.is_in_outbox, row.resends = True, 0

    @precondition(lambda self: not all(row.is_removed for row in self.rows.values()))
    @rule(number=st.integers(0, MAX_ROWS - 1))
    def remove(self, number: int) -> None:
        row = self.pick(number)
        assert self.store.intake.remove([row.job.row_id], now_ms=self.now) == (not row.is_removed)
        if not row.is_removed:
            row.is_removed, row.is_in_outbox, row.holder = True, False, ""
            row.tokens += 1

    @precondition(lambda self: any(row.is_removed for row in self.rows.values()))
    @rule(number=st.integers(0, MAX_ROWS - 1))
    def restore(self, number: int) -> None:
        row = self.pick(number)
        assert self.store.intake.restore([row.job.row_id]) == row.is_removed
        if row.is_removed:
            row.is_removed = False
            if not row.status.is_final:
                row.status, row.generation, row.crashes, row.is_in_outbox = PENDING, row.generation + 1, 0, True
                row.resends = 0

    # Actions of senders

    @precondition(lambda self: any(row.is_in_outbox for row in self.rows.values()))
    @rule(owner=st.sampled_from(["s1", "s2"]), limit=st.integers(1, 3))
    def take(self, owner: str, limit: int) -> None:
        entries = self.store.take(owner=owner, limit=limit, now=self.now)
        for entry in entries:
            row = self.rows[entry.row_id]
            assert row.is_in_outbox
            assert (entry.file_id, entry.generation) == (row.job.id, row.generation)
        self.sending += entries

    @precondition(lambda self: self.sending)
    @rule(number=st.integers(0, 5), is_noted=st.booleans())
    def send(self, number: int, is_noted: bool) -> None:
        """Send a message; the sender may crash before it records that."""
        entry = self.sending.pop(number % len(self.sending))
        message = Message(entry.row_id, entry.generation)
        self.queue.append(message)
        self.taken.add(message)
        if is_noted:
            self.store.outbox.mark_sent([Sent(entry, "m")], now_ms=self.now)
            if self.rows[entry.row_id].resends == entry.resends:  # otherwise, it is sent again
                self._leave_outbox(entry)

    @precondition(lambda self: self.sending)
    @rule(number=st.integers(0, 5))
    def postpone(self, number: int) -> None:
        entry = self.sending.pop(number % len(self.sending))
        self.store.outbox.postpone([entry], until_ms=self.now)

    @precondition(lambda self: self.sending)
    @rule(number=st.integers(0, 5))
    def refuse(self, number: int) -> None:
        """Reject a message; the queue has accepted no earlier message of the same submission."""
        entry = self.sending.pop(number % len(self.sending))
        row = self.rows[entry.row_id]
        is_hidden = row.is_removed and row.generation == entry.generation
        if is_hidden or Message(entry.row_id, entry.generation) in self.taken:
            return
        self.store.outbox.refuse(entry, reason=Reason(ReasonCode.MESSAGE_REFUSED, {"why": "no"}), now_ms=self.now)
        is_current = row.generation == entry.generation
        self._leave_outbox(entry)
        if is_current and row.status is PENDING:
            self.end(row, FAILED)

    def _leave_outbox(self, entry: OutboxEntry) -> None:
        row = self.rows[entry.row_id]
        if row.generation == entry.generation:
            row.is_in_outbox = False

    @precondition(lambda self: any(row.is_in_outbox for row in self.rows.values()))
    @rule(worker=st.sampled_from(WORKERS))
    def go_through(self, worker: str) -> None:
        """Send everything and receive the newest message, without other events in between."""
        self.take("s1", 10)
        while self.sending:
            self.send(0, is_noted=True)
        if self.queue:
            self.receive(len(self.queue) - 1, worker, 0)

    # Events of the queue

    @precondition(lambda self: self.queue)
    @rule(number=st.integers(0, 9))
    def deliver_twice(self, number: int) -> None:
        self.queue.append(self.queue[number % len(self.queue)])

    @precondition(lambda self: self.queue and not any(row.lease_is_live(self.now) for row in self.rows.values()))
    @rule()
    def make_the_queue_anew(self) -> None:
        self.queue.clear()
        again = [
            row for row in self.rows.values() if not row.is_removed and not row.status.is_final and not row.is_in_outbox
        ]
        recovery = Recovery(self.store.database)
        assert recovery.resend(queue=QUEUE, sent_before_ms=self.now, now_ms=self.now) == len(again)
        for row in again:
            row.is_in_outbox = True
            row.resends += 1
        assert recovery.resend(queue=QUEUE, sent_before_ms=self.now, now_ms=self.now) == 0

    @precondition(lambda self: self.held or self.sending)
    @rule(milliseconds=st.sampled_from([1_000, LEASE - 1, LEASE, LEASE]))
    def wait(self, milliseconds: int) -> None:
        self.now += milliseconds

    # Actions of consumers

    @precondition(lambda self: self.queue)
    @rule(number=st.integers(0, 9), worker=st.sampled_from(WORKERS), ahead=st.sampled_from([0, 0, 0, 0, 1]))
    def receive(self, number: int, worker: str, ahead: int) -> None:
        at = number % len(self.queue)
        message = self.queue[at]
        row = self.rows[message.row_id]
        if message.generation == row.generation:  # otherwise, it would be a message that was never sent
            message = replace(message, generation=message.generation + ahead)
        request = ClaimRequest(row.job.id, message.generation, "m", 1)
        (claim,) = self.programs[worker].claims.claim([request], worker=worker, now_ms=self.now, lease_ms=LEASE)
        assert claim.outcome is self._expected(row, message)
        if claim.outcome is ClaimOutcome.CLAIMED:
            row.status, row.holder, row.lease_until = PROCESSING, worker, self.now + LEASE
            row.attempts += 1
            row.crashes += 1
            assert claim.token > row.tokens, "the fencing token grows"
            row.tokens = claim.token
            self.held.append(Held(worker, message, claim.token))
        elif claim.outcome is ClaimOutcome.CRASHED:
            self.end(row, FAILED)
        if claim.outcome in {ClaimOutcome.FINISHED, ClaimOutcome.STALE, ClaimOutcome.CRASHED}:
            del self.queue[at]

    def _expected(self, row: Row, message: Message) -> ClaimOutcome:
        if message.generation > row.generation:
            return ClaimOutcome.FOREIGN
        if message.generation < row.generation or row.is_removed:
            return ClaimOutcome.STALE
        if row.status.is_final:
            return ClaimOutcome.FINISHED
        if row.lease_is_live(self.now):
            return ClaimOutcome.BUSY
        if row.status is PROCESSING and row.crashes >= MAX_CRASHES:
            return ClaimOutcome.CRASHED
        return ClaimOutcome.CLAIMED

    @precondition(lambda self: self.queue)
    @rule()
    def take_over(self) -> None:
        """Let a consumer crash; the other one receives the message when the lease has expired."""
        self.wait(LEASE)
        self.receive(0, WORKERS[len(self.held) % 2], 0)

    @precondition(lambda self: self.queue)
    @rule(times=st.integers(2, MAX_CRASHES + 1))
    def take_over_and_over(self, times: int) -> None:
        """Process a file that crashes every program."""
        for _ in range(times):
            if self.queue:
                self.take_over()

    @precondition(lambda self: self.held)
    @rule(number=st.integers(0, 5), reason=st.sampled_from(["", "It is gone."]))
    def finish(self, number: int, reason: str) -> None:
        held = self.held.pop(number % len(self.held))
        counts = self.is_holder(held)
        lines = None if reason else 1
        result = Result(held.message.row_id, held.token, self.now, lines_count=lines, reason=a_reason(reason))
        assert self.programs[held.worker].work.finish([result]) == [counts]
        if counts:
            row = self.rows[held.message.row_id]
            self.end(row, FAILED if reason else PROCESSED)
            row.is_in_outbox = False
            self._delete(held.message)

    @precondition(lambda self: self.held)
    @rule(number=st.integers(0, 5), is_begun=st.booleans())
    def give_back(self, number: int, is_begun: bool) -> None:
        held = self.held.pop(number % len(self.held))
        row = self.rows[held.message.row_id]
        counts = self.is_holder(held)
        given = self.programs[held.worker].work.give_back(
            held.message.row_id, held.token, now_ms=self.now, uncount=not is_begun
        )
        assert given == counts
        if counts:
            row.status, row.holder = PENDING, ""
            row.tokens += 1
            row.attempts -= not is_begun
            row.crashes = 0 if is_begun else row.crashes - 1

    @precondition(lambda self: self.held)
    @rule(number=st.integers(0, 5))
    def extend(self, number: int) -> None:
        held = self.held[number % len(self.held)]
        counts = self.is_holder(held)
        lease = (held.message.row_id, held.token)
        assert self.programs[held.worker].work.extend([lease], until_ms=self.now + LEASE) == [counts]
        if counts:
            self.rows[held.message.row_id].lease_until = self.now + LEASE

    @precondition(lambda self: self.held)
    @rule(worker=st.sampled_from(WORKERS))
    def die(self, worker: str) -> None:
        """End a program; another one detects it."""
        self.held = [held for held in self.held if held.worker != worker]
        left = [row for row in self.rows.values() if row.holder == worker and row.status is PROCESSING]
        freed = self.store.claims.free_dead_leases(lambda owner: owner != worker, queue=QUEUE, now_ms=self.now)
        assert freed == len(left)
        for row in left:
            if row.crashes >= MAX_CRASHES:
                self.end(row, FAILED)
            else:
                row.status, row.holder = PENDING, ""
                row.tokens += 1

    def _delete(self, message: Message) -> None:
        if message in self.queue:
            self.queue.remove(message)

    # Invariants

    @invariant()
    def database_and_model_agree(self) -> None:
        found = self._read(
            "SELECT id, status, generation, attempts, crashes, removed_at IS NOT NULL, lease_token FROM job"
        )
        assert found == {
            key: (row.status, row.generation, row.attempts, row.crashes, row.is_removed, row.tokens)
            for key, row in self.rows.items()
        }
        waiting = self._read("SELECT job_id, generation FROM outbox")
        assert waiting == {key: (row.generation,) for key, row in self.rows.items() if row.is_in_outbox}

    @invariant()
    def only_legal_steps_are_taken(self) -> None:
        now = {}
        for key, (number, generation) in self._read("SELECT id, status, generation FROM job").items():
            status = Status(number)
            was, was_generation = self.before.get(key, (PENDING, generation))
            if generation != was_generation:
                assert (status, generation) == (PENDING, was_generation + 1)
            elif status is not was:
                assert (was, status) in STEPS_OF_A_GENERATION
            now[key] = (status, generation)
        self.before = now

    @invariant()
    def nothing_unfinished_is_forgotten(self) -> None:
        for key, row in self.rows.items():
            if row.is_removed or row.status.is_final:
                continue
            is_sent = Message(key, row.generation) in self.queue
            assert row.is_in_outbox or is_sent or row.lease_is_live(self.now), f"{row} waits for ever"

    @invariant()
    def whoever_works_has_one_open_attempt(self) -> None:
        running = self._read("SELECT job_id, token, generation, number FROM attempt WHERE ended_at IS NULL")
        assert running == {
            key: (row.tokens, row.generation, row.attempts)
            for key, row in self.rows.items()
            if row.status is PROCESSING and not row.is_removed
        }
        ended = self._read("SELECT job_id, COUNT(*) FROM attempt WHERE outcome IS NULL AND ended_at IS NOT NULL")
        assert ended == {None: (0,)}

    def _read(self, query: str) -> dict[int, tuple[int, ...]]:
        rows: Iterable[tuple[int, ...]] = self.look.execute(query)
        return {key: tuple(rest) for key, *rest in rows}


class TestJobLife(JobLife.TestCase):  # type: ignore[misc, valid-type]
    settings = settings(max_examples=150, stateful_step_count=30, deadline=None, derandomize=True, database=None)

    @classmethod
    def setUpClass(cls) -> None:
        cls.folder = Path(tempfile.mkdtemp(prefix="life-"))
        JobLife.template = cls.folder / "empty.db"
        Store(JobLife.template).database.release()

    @classmethod
    def tearDownClass(cls) -> None:
        shutil.rmtree(cls.folder)
