"""What a consumer does to jobs: fenced claims, progress, results, giving back.

Delivery is at least once; the effect is exactly once. A claim is one conditional UPDATE that moves the fencing token;
every later write says which token it holds, so who lost the lease writes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from peewee import fn

from desktop_app.errors import FileProblem
from desktop_app.jobs import Job, Status
from desktop_app.store.models import JobRow
from desktop_app.store.outbox import enqueue
from desktop_app.store.rows import JOB_COLUMNS, jobs_from, storable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from desktop_app.store.database import Database

MAX_CRASHES = 3
CRASHED_REASON = (
    f"The program ended {MAX_CRASHES} times while it worked on this file. The file is put aside; the others go on."
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
    """A received message that asks for its row."""

    file_id: str
    generation: int
    message_id: str
    receive_count: int


@dataclass(frozen=True, slots=True)
class Claim:
    """The answer: what the message means, and for CLAIMED the job with its fencing token.

    `busy_until_ms` is the end of the other's lease, for BUSY.
    """

    outcome: ClaimOutcome
    job: Job | None = None
    token: int = 0
    busy_until_ms: int = 0


@dataclass(frozen=True, slots=True)
class Result:
    """How the work on one job ended; FAILED where `reason` is not empty."""

    row_id: int
    token: int
    finished_at: int
    file_size: int | None = None
    lines_count: int | None = None
    reason: str = ""
    reason_code: str = ""


@dataclass(frozen=True, slots=True)
class Tick:
    """How far the work on one job is, in bytes."""

    row_id: int
    token: int
    bytes_done: int
    bytes_total: int


class Work:
    """What the consumer needs of the database. Any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(self, requests: Sequence[ClaimRequest], *, worker: str, now_ms: int, lease_ms: int) -> list[Claim]:
        """Claim the rows of up to ten messages in one transaction; the answers stand in the order of the requests.

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
        with self._database.write() as revision:
            return [self._claim(request, worker, now_ms, lease_ms, revision) for request in requests]

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
            .returning(*JOB_COLUMNS, JobRow.lease_token)
            .tuples()
        )
        won = next(iter(self._database.run(query)), None)
        if won is not None:
            return Claim(ClaimOutcome.CLAIMED, jobs_from([won[:-1]])[0], won[-1])
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

    def finish(self, results: Sequence[Result]) -> list[bool]:
        """Write results in one durable transaction; False where the lease was lost and the result is thrown away.

        Only after this returned may the messages be deleted.

        Raises:
            StoreError: If the database can't be written; nothing of it is written then.
        """
        with self._database.write(durable=True) as revision:
            return [self._finish(result, revision) for result in results]

    def _finish(self, result: Result, revision: int) -> bool:
        failed = bool(result.reason)
        size = JobRow.file_size if result.file_size is None else result.file_size
        query = JobRow.update(
            status=Status.FAILED if failed else Status.PROCESSED,
            reason=storable(result.reason),
            reason_code=result.reason_code,
            file_size=size,
            lines_count=result.lines_count,
            bytes_done=0 if failed else fn.COALESCE(size, 0),
            lease_owner=None,
            lease_until=0,
            finished_at=result.finished_at,
            revision=revision,
        ).where(*_holds(result.row_id, result.token))
        return int(self._database.run(query)) == 1

    def progress(self, ticks: Iterable[Tick]) -> None:
        """Note how far running work is; what no longer holds its lease is passed over.

        Raises:
            StoreError: If the database can't be written.
        """
        with self._database.write() as revision:
            for tick in ticks:
                self._database.run(
                    JobRow.update(bytes_done=tick.bytes_done, file_size=tick.bytes_total, revision=revision).where(
                        *_holds(tick.row_id, tick.token)
                    )
                )

    def extend(self, leases: Sequence[tuple[int, int]], *, until_ms: int) -> list[bool]:
        """Keep leases, given as (row, token); False where it is lost.

        The database is the second clock beside the message's visibility: a lease that is live here is nobody else's,
        even if SQS delivers the message again. The list does not change by it, so the rows keep their revision.

        Raises:
            StoreError: If the database can't be written.
        """
        with self._database.write():
            return [
                int(self._database.run(JobRow.update(lease_until=until_ms).where(*_holds(row_id, token)))) == 1
                for row_id, token in leases
            ]

    def give_back(
        self,
        row_id: int,
        token: int,
        *,
        reason: str = "",
        next_try_at: int | None = None,
        uncount: bool = False,
    ) -> bool:
        """Return a job to PENDING: the program stops, or it is tried again later. False if the lease was lost.

        Args:
            row_id: The row.
            token: The fencing token of the claim.
            reason: What a person reads meanwhile.
            next_try_at: When it is tried again, in milliseconds since 1970.
            uncount: True if the work was not begun, so that the claim does not count as an attempt.

        Raises:
            StoreError: If the database can't be written.
        """
        with self._database.write() as revision:
            query = JobRow.update(
                status=Status.PENDING,
                reason=storable(reason),
                bytes_done=0,
                attempts=JobRow.attempts - (1 if uncount else 0),
                crashes=JobRow.crashes - 1 if uncount else 0,
                lease_token=JobRow.lease_token + 1,
                lease_owner=None,
                lease_until=0,
                started_at=None,
                next_try_at=next_try_at,
                revision=revision,
            ).where(*_holds(row_id, token))
            return int(self._database.run(query)) == 1

    def is_stale(self, row_id: int, generation: int) -> bool:
        """Whether a submission is past: the job was taken off the list, submitted again, or has ended.

        Raises:
            StoreError: If the database can't be read.
        """
        query = JobRow.select(JobRow.id).where(
            JobRow.id == row_id,
            JobRow.generation == generation,
            JobRow.removed_at.is_null(),
            JobRow.status.in_((Status.PENDING, Status.PROCESSING)),
        )
        with self._database.read():
            return self._database.scalar(query) is None

    def free_dead_leases(self, is_alive: Callable[[str], bool], *, queue: str, now_ms: int, resend: bool) -> int:
        """Take the jobs back that workers held which are gone; gives how many it were.

        Each counts as a crash: after `MAX_CRASHES` in a row the job is FAILED instead of tried for ever.

        Args:
            is_alive: Tells whether a worker's identity is a running program (True for those it can't know).
            queue: Only jobs of this queue.
            now_ms: The time, in milliseconds since 1970.
            resend: True to send the messages anew at once; False to leave that to the queue's visibility timeout.

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
                    JobRow.select(JobRow.id, JobRow.crashes).where(held, JobRow.lease_owner.in_(dead)).tuples()
                )
            )
            self._give_up([key for key, crashes in rows if crashes >= MAX_CRASHES], now_ms, revision)
            again = [key for key, crashes in rows if crashes < MAX_CRASHES]
            self._free(again, revision)
            if resend:
                enqueue(self._database, JobRow.id.in_(again))
        return len(rows)

    def _free(self, row_ids: Sequence[int], revision: int) -> None:
        self._database.run(
            JobRow.update(
                status=Status.PENDING,
                bytes_done=0,
                lease_token=JobRow.lease_token + 1,
                lease_owner=None,
                lease_until=0,
                started_at=None,
                revision=revision,
            ).where(JobRow.id.in_(list(row_ids)))
        )


def _holds(row_id: int, token: int) -> tuple[object, ...]:
    """The fence: only who holds the newest token of a running job may write."""
    return (JobRow.id == row_id, JobRow.lease_token == token, JobRow.status == Status.PROCESSING)
