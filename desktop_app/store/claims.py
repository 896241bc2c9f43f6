"""Fenced claims: who may work on a job, and what becomes of the jobs of programs that died.

Delivery is at least once; the effect is exactly once. A claim is one conditional UPDATE that moves the fencing token;
every later write says which token it holds, so who lost the lease writes nothing.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from peewee import fn

from desktop_app.domain.errors import FileProblem
from desktop_app.domain.job import OPEN_STATUSES, AttemptOutcome, Job, Status
from desktop_app.domain.sentences import Sentence
from desktop_app.logs.job_log import level_for
from desktop_app.store import attempts
from desktop_app.store.models import AttemptRow, JobRow
from desktop_app.store.rows import JOB_COLUMNS, LEASE_ENDED, PENDING_AGAIN, jobs_from

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from desktop_app.store.database import Database


log = logging.getLogger(__name__)


MAX_CRASHES = 10
"""So often in a row may programs end while they work on a job. It takes many, since a power cut is not the file's
fault; a file that is to blame is found out sooner, in a process of its own."""

CRASHED_REASON = Sentence(
    "The program ended {count} times while it worked on this file. The file is put aside; the others go on",
    count=MAX_CRASHES,
)


class ClaimOutcome(StrEnum):
    """What a received message means for its row."""

    CLAIMED = "claimed"
    """The row is ours to work on."""
    FINISHED = "finished"
    """A duplicate: this submission has ended already. Delete the message."""
    STALE = "stale"
    """An older submission, or a job that was taken off the list. Delete the message."""
    BUSY = "busy"
    """Somebody holds a live lease. Leave the message; it comes back."""
    CRASHED = "crashed"
    """The file ended its worker too often; the row is FAILED now. Delete the message."""
    FOREIGN = "foreign"
    """No row of this database. Never delete it, never obey it."""


@dataclass(frozen=True, slots=True)
class ClaimRequest:
    """A received message that asks for its row; `lane` is its group on a FIFO queue."""

    file_id: str
    generation: int
    message_id: str
    receive_count: int
    lane: str = ""


@dataclass(frozen=True, slots=True)
class Claim:
    """The answer: what the message means, and for CLAIMED the job with its fencing token.

    `busy_until_ms` is the end of the other's lease, for BUSY. `is_suspect` says that a program ended while it worked on
    this job, so that the file may be to blame.
    """

    outcome: ClaimOutcome
    job: Job | None = None
    token: int = 0
    busy_until_ms: int = 0
    is_suspect: bool = False


class Claims:
    """What decides who works on a job. Any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(self, requests: Sequence[ClaimRequest], *, worker: str, now_ms: int, lease_ms: int) -> list[Claim]:
        """Claim the rows of up to ten messages in one transaction; the answers stand in the order of the requests.

        In a lane, what comes behind a BUSY one is BUSY as well.

        Args:
            requests: What was received.
            worker: This worker's identity.
            now_ms: The time, in milliseconds since 1970.
            lease_ms: How long the lease lasts if it is not extended.

        Raises:
            StoreError: If the database can't be written.
        """
        if not requests:
            return []
        held_up: dict[str, Claim] = {}
        claims: list[Claim] = []
        with self._database.write() as revision:
            for request in requests:
                # Behind a busy row nothing of the same lane may start: it would overtake it.
                claim = held_up.get(request.lane) or self._claim(request, worker, now_ms, lease_ms, revision)
                if request.lane and claim.outcome is ClaimOutcome.BUSY:
                    held_up[request.lane] = claim
                claims.append(claim)
            self._note_attempts(claims, now_ms, revision)
        return claims

    def _note_attempts(self, claims: Sequence[Claim], now_ms: int, revision: int) -> None:
        won = [(claim.job.row_id, claim) for claim in claims if claim.job is not None]
        if not won:
            return
        taken_over = [row_id for row_id, claim in won if claim.is_suspect]
        if taken_over:
            before = AttemptRow.job.in_(taken_over)
            attempts.end_open(self._database, before, AttemptOutcome.STOPPED, now_ms=now_ms)
        attempts.begin(self._database, revision)
        for row_id, claim in won:
            attempts.prune(self._database, row_id, claim.token)

    def _claim(self, request: ClaimRequest, worker: str, now_ms: int, lease_ms: int, revision: int) -> Claim:
        free = (JobRow.status == Status.PENDING) | (
            (JobRow.status == Status.PROCESSING) & (JobRow.lease_until <= now_ms)
        )
        crashed = (JobRow.status == Status.PROCESSING) & (JobRow.crashes >= MAX_CRASHES)
        ours = (JobRow.uuid == request.file_id) & (JobRow.generation == request.generation)
        query = (
            JobRow.update(
                status=Status.PROCESSING,
                reason="",
                reason_code="",
                bytes_done=0,
                attempts=JobRow.attempts + 1,
                # Counted before the work, for a worker that dies cannot count; who gives the job back takes it off.
                crashes=JobRow.crashes + 1,
                lease_token=JobRow.lease_token + 1,
                lease_owner=worker,
                lease_until=now_ms + lease_ms,
                message_id=request.message_id,
                receive_count=request.receive_count,
                started_at=now_ms,
                finished_at=None,
                next_try_at=None,
                revision=revision,
            )
            .where(ours, free, ~crashed, JobRow.removed_at.is_null())
            .returning(*JOB_COLUMNS, JobRow.lease_token, JobRow.crashes)
            .tuples()
        )
        won = next(iter(self._database.run(query)), None)
        if won is not None:
            *columns, token, crashes = won
            return Claim(ClaimOutcome.CLAIMED, jobs_from([tuple(columns)])[0], token, is_suspect=crashes > 1)
        return self._why_not(request, now_ms, revision)

    def _why_not(self, request: ClaimRequest, now_ms: int, revision: int) -> Claim:
        query = JobRow.select(JobRow.id, JobRow.status, JobRow.generation, JobRow.removed_at, JobRow.lease_until).where(
            JobRow.uuid == request.file_id
        )
        row = next(iter(self._database.run(query.tuples())), None)
        if row is None:
            return Claim(ClaimOutcome.FOREIGN)
        row_id, status, generation, removed_at, lease_until = row
        if request.generation > generation:
            # This database is older than the message (a backup was brought back): not ours to judge.
            return Claim(ClaimOutcome.FOREIGN)
        if request.generation < generation or removed_at is not None:
            return Claim(ClaimOutcome.STALE)
        if Status(status).is_final:
            return Claim(ClaimOutcome.FINISHED)
        if lease_until > now_ms:
            return Claim(ClaimOutcome.BUSY, busy_until_ms=lease_until)
        self._give_up([row_id], now_ms, revision)
        return Claim(ClaimOutcome.CRASHED)

    def _give_up(self, row_ids: Sequence[int], now_ms: int, revision: int) -> None:
        attempts.end_open(self._database, AttemptRow.job.in_(list(row_ids)), AttemptOutcome.STOPPED, now_ms=now_ms)
        self._database.run(
            JobRow.update(
                status=Status.FAILED,
                reason=CRASHED_REASON,
                reason_code=FileProblem.CRASHED,
                lease_owner=None,
                lease_until=0,
                finished_at=now_ms,
                revision=revision,
            ).where(JobRow.id.in_(list(row_ids)))
        )

    def dead_letter(self, file_id: str, generation: int, *, receive_count: int, now_ms: int) -> ClaimOutcome:
        """End the job of a message that SQS has put aside as FAILED, unless that submission is past or worked on.

        Returns:
            FINISHED if the row has an end now or had one, STALE if the message is past, BUSY if somebody works on the
            row (who will end it), FOREIGN if it is none of ours.

        Raises:
            StoreError: If the database can't be written.
        """
        request = ClaimRequest(file_id, generation, "", receive_count)
        with self._database.write(durable=True) as revision:
            failed = JobRow.update(
                status=Status.FAILED,
                reason=_put_aside(receive_count),
                reason_code=FileProblem.DEAD_LETTERED,
                receive_count=receive_count,
                finished_at=now_ms,
                revision=revision,
                **LEASE_ENDED,
            ).where(
                JobRow.uuid == file_id,
                JobRow.generation == generation,
                JobRow.status.in_(OPEN_STATUSES),
                JobRow.lease_until <= now_ms,
                JobRow.removed_at.is_null(),
            )
            if self._database.run(failed):
                job = JobRow.select(JobRow.id).where(JobRow.uuid == file_id)
                of_job = AttemptRow.job.in_(job)
                attempts.end_open(self._database, of_job, AttemptOutcome.PUT_ASIDE, now_ms=now_ms)
                return ClaimOutcome.FINISHED
            return self._why_not(request, now_ms, revision).outcome

    def free_dead_leases(self, is_alive: Callable[[str], bool], *, queue: str, now_ms: int) -> int:
        """Take the jobs back that workers held which are gone; gives how many it were.

        Each counts as a crash: after `MAX_CRASHES` in a row the job is FAILED instead of tried for ever.

        Args:
            is_alive: Tells whether a worker's identity is a running program (True for those it can't know).
            queue: Only jobs of this queue.
            now_ms: The time, in milliseconds since 1970.

        Raises:
            StoreError: If the database can't be written.
        """
        held = (
            JobRow.removed_at.is_null()
            & (JobRow.status == Status.PROCESSING)
            & (JobRow.queue == queue)
            & JobRow.lease_owner.is_null(False)
        )
        with self._database.read():
            owners = [
                owner
                for (owner,) in self._database.run(JobRow.select(fn.DISTINCT(JobRow.lease_owner)).where(held).tuples())
            ]
        dead = [owner for owner in owners if not is_alive(owner)]
        if not dead:
            return 0
        with self._database.write() as revision:
            rows = list(
                self._database.run(
                    JobRow.select(JobRow.id, JobRow.uuid, JobRow.crashes, JobRow.lease_owner)
                    .where(held, JobRow.lease_owner.in_(dead))
                    .tuples()
                )
            )
            self._give_up([key for key, _, crashes, _ in rows if crashes >= MAX_CRASHES], now_ms, revision)
            again = [key for key, _, crashes, _ in rows if crashes < MAX_CRASHES]
            attempts.end_open(self._database, AttemptRow.job.in_(again), AttemptOutcome.STOPPED, now_ms=now_ms)
            self._database.run(JobRow.update(revision=revision, **PENDING_AGAIN).where(JobRow.id.in_(again)))
        for _, file_id, _, owner in rows:
            log.log(level_for(len(rows)), "job %s: taken back from %s, which has ended", file_id, owner)
        return len(rows)


def _put_aside(receive_count: int) -> Sentence:
    if receive_count == 1:
        return Sentence("The queue has put its message aside after one delivery without an end")
    return Sentence("The queue has put its message aside after {count} deliveries without an end", count=receive_count)
