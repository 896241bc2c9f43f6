"""Fenced claims: grant each job to one worker at a time, and recover the jobs of workers that have exited.

Messages are delivered at least once, but each job takes effect exactly once: a claim is one conditional UPDATE that
increments the row's fencing token, and later writes must match the token. A worker that has lost its lease can't write.
"""

from __future__ import annotations

import json
import logging
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from peewee import Expression, fn

from desktop_app.domain.fields import DEFAULT_PROCESSOR
from desktop_app.domain.job import OPEN_STATUSES, AttemptOutcome, Status
from desktop_app.domain.reasons import Reason, ReasonCode
from desktop_app.logs.log import level_for
from desktop_app.store import attempts
from desktop_app.store.backends.sqlite import as_one_value, given_rows, recognized_damage, unindexed, value_of
from desktop_app.store.held_batches import HELD
from desktop_app.store.models import AttemptRow, JobRow, OutboxRow
from desktop_app.store.outbox import enqueue
from desktop_app.store.processors import workers_with
from desktop_app.store.rows import JOB_COLUMNS, LEASE_ENDED, PENDING_AGAIN, check_kinds, joined_path, reason_columns
from desktop_app.store.statements import Statement, as_rows, parameter

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from desktop_app.store.database import Database


log = logging.getLogger(__name__)


MAX_CRASHES = 10
"""The number of consecutive crashes after which a job fails. The limit is high because crashes can have other causes,
such as a power failure. A file that crashes the program is detected earlier, in a child process."""


FIRST_LEFT_MS = 5_000
LONGEST_LEFT_MS = 300_000
"""The longest time for which a job of a processor that a worker does not have stays in the outbox."""


class ClaimOutcome(StrEnum):
    """The outcome of a claim, which determines what to do with the message."""

    CLAIMED = "claimed"
    """This worker holds the lease. Process the file, then delete the message."""
    FINISHED = "finished"
    """The job has already ended. Delete the message."""
    STALE = "stale"
    """The job was submitted again or removed after the message was sent. Delete the message."""
    BUSY = "busy"
    """Another worker holds the lease. Do not delete the message; it will be redelivered."""
    CRASHED = "crashed"
    """The job crashed its workers too often and is now FAILED. Delete the message."""
    UNABLE = "unable"
    """This worker does not have the processor. If `Claim.is_resent`, the job is in the outbox again, and the message
    has to be deleted; otherwise, release it, since another worker may have the processor."""
    HELD = "held"
    """The batch of the job is paused. As for UNABLE, `Claim.is_resent` is whether the job is in the outbox again."""
    FOREIGN = "foreign"
    """This database does not contain the submission. Never delete the message or act on it."""


class ClaimRequest(NamedTuple):
    """A request to claim the job of a received message. `group` is the message group on a FIFO queue."""

    file_id: str
    generation: int
    message_id: str
    receive_count: int
    group: str = ""


class ClaimedJob(NamedTuple):
    """What a worker needs to know about a job that it has claimed; see `Job`."""

    row_id: int
    id: str
    file_path: str
    generation: int
    attempts: int
    sent_at: int | None
    file_size: int | None
    processor: str = DEFAULT_PROCESSOR
    options: str = ""
    batch_id: int = 0


class Claim(NamedTuple):
    """The result of a claim: its outcome and, for CLAIMED, the job with its fencing token.

    For BUSY, `busy_until_ms` is the time at which the other worker's lease expires. `is_suspect` is True if a program
    exited unexpectedly while processing this job; the file may be the cause. `epoch` is the epoch of the database in
    which the token is valid. For UNABLE and HELD, `is_resent` is whether another message will be sent.
    """

    outcome: ClaimOutcome
    job: ClaimedJob | None = None
    token: int = 0
    busy_until_ms: int = 0
    is_suspect: bool = False
    epoch: int = 0
    is_resent: bool = False


_COLUMNS = tuple(JOB_COLUMNS[name] for name in ClaimedJob._fields)
"""The columns for the fields of a `ClaimedJob`."""


def _claiming() -> Any:  # noqa: ANN401 - peewee's queries have no common type
    """Return the query that claims the jobs of the messages in `requests`, as far as they are free."""
    now = parameter("now_ms")
    given = given_rows(parameter("requests"), "uuid", "generation", "message_id", "receive_count")
    status = unindexed(JobRow.status)
    free = (status == Status.PENDING) | ((status == Status.PROCESSING) & (JobRow.lease_until <= now))
    crashed = (status == Status.PROCESSING) & (JobRow.crashes >= MAX_CRASHES)
    version = value_of(parameter("versions"), JobRow.processor)
    return (
        JobRow.update(
            status=Status.PROCESSING,
            **reason_columns(None),
            bytes_done=0,
            attempts=JobRow.attempts + 1,
            # Assume a crash, since a worker that crashes can't report it; `Work.give_back` corrects the count.
            crashes=JobRow.crashes + 1,
            lease_token=JobRow.lease_token + 1,
            lease_owner=parameter("worker"),
            lease_until=parameter("until_ms"),
            message_id=given.c.message_id,
            receive_count=given.c.receive_count,
            started_at=now,
            finished_at=None,
            next_try_at=None,
            processor_version=version,
            revision=parameter("revision"),
        )
        .from_(given)
        .where(
            JobRow.uuid == given.c.uuid,
            JobRow.generation == given.c.generation,
            free,
            ~crashed,
            JobRow.removed_at.is_null(),
            version.is_null(False),
            JobRow.batch.not_in(HELD),
        )
    )


_STAYS = frozenset({ClaimOutcome.BUSY, ClaimOutcome.UNABLE, ClaimOutcome.HELD})
"""The outcomes after which the message can stay in the queue, so that it blocks its group."""
_LINES_ONLY: Mapping[str, int] = {DEFAULT_PROCESSOR: 1}

_CLAIM = Statement(_claiming)
_CLAIMED = Statement(
    lambda: JobRow.select(as_one_value(*_COLUMNS, fn.HEX(JobRow.raw_path), JobRow.lease_token, JobRow.crashes)).where(
        JobRow.revision == parameter("revision"), JobRow.lease_owner.is_null(False)
    )
)


class Claims:
    """Grants jobs to workers. Any thread.

    Args:
        database: The database.
        versions: The versions of the worker's processors, by name. Jobs of other processors are left alone.

    Attributes:
        versions: See above; it can be replaced between two claims.
    """

    def __init__(self, database: Database, versions: Mapping[str, int] = _LINES_ONLY) -> None:
        self._database = database
        self.versions = versions

    def claim(self, requests: Sequence[ClaimRequest], *, worker: str, now_ms: int, lease_ms: int) -> list[Claim]:
        """Claim the jobs of up to ten messages in one transaction.

        Once a request in a message group is BUSY, all later requests in that group are BUSY too. The same applies to
        UNABLE and HELD, if the message stays in the queue.

        Args:
            requests: The received messages.
            worker: This worker's identity.
            now_ms: The current time, in milliseconds since 1970.
            lease_ms: The duration of the lease in milliseconds.

        Returns:
            A claim for each request, in the same order.

        Raises:
            StoreError: If the database can't be written.
        """
        if not requests:
            return []
        claims: dict[int, Claim] = {}
        held_up: dict[str, Claim] = {}
        left = dict(enumerate(requests))
        taken: set[str] = set()
        with self._database.write() as revision:
            while left:
                part = _first_of_each(left)
                # A later message in the same group must not overtake one that stays in the queue.
                free = {place: request for place, request in part.items() if request.group not in held_up}
                won = self._claim(list(free.values()), worker, now_ms, lease_ms, revision) if free else {}
                for place, request in part.items():
                    claim = held_up.get(request.group)
                    if claim is None and request.file_id not in taken:
                        claim = won.get(request.file_id)
                    claims[place] = claim = claim or self._unclaimed(request, worker, now_ms, revision)
                    if request.group and claim.outcome in _STAYS and not claim.is_resent:
                        held_up[request.group] = claim
                    del left[place]
                taken.update(won)
            self._note_attempts(list(claims.values()), now_ms, revision)
        return [claims[place] for place in range(len(requests))]

    def requests(self, row_ids: Sequence[int], *, queue: str) -> list[ClaimRequest]:
        """Return requests for claiming waiting jobs without receiving their messages. Other jobs are skipped.

        Raises:
            StoreError: If the database can't be read.
        """
        columns = (JobRow.id, JobRow.uuid, JobRow.generation, JobRow.message_id, JobRow.receive_count)
        with self._database.read():
            rows = list(self._database.run(JobRow.select(*columns).where(is_waiting(row_ids, queue)).tuples()))
        found = {key: ClaimRequest(uuid, number, message or "", count) for key, uuid, number, message, count in rows}
        return [found[key] for key in row_ids if key in found]

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

    def _claim(
        self, requests: Sequence[ClaimRequest], worker: str, now_ms: int, lease_ms: int, revision: int
    ) -> dict[str, Claim]:
        """Claim the jobs of messages, each of another job; return the claims of this transaction, by the job's ID."""
        rows = as_rows(
            (request.file_id, request.generation, request.message_id, request.receive_count) for request in requests
        )
        until_ms = now_ms + lease_ms
        versions = json.dumps(dict(self.versions))
        if not self._database.change(
            _CLAIM,
            requests=rows,
            worker=worker,
            now_ms=now_ms,
            until_ms=until_ms,
            versions=versions,
            revision=revision,
        ):
            return {}
        ((joined,),) = self._database.rows(_CLAIMED, revision=revision)
        claims = {}
        with recognized_damage():
            for *values, raw_path, token, crashes in json.loads(joined):
                job = ClaimedJob(*values)
                check_kinds(ClaimedJob._fields, tuple(map(type, job)))
                if raw_path:
                    job = job._replace(file_path=joined_path(job.file_path, bytes.fromhex(raw_path)))
                claims[job.id] = Claim(
                    ClaimOutcome.CLAIMED, job, token, is_suspect=crashes > 1, epoch=self._database.epoch
                )
        return claims

    def _unclaimed(self, request: ClaimRequest, worker: str, now_ms: int, revision: int) -> Claim:
        query = JobRow.select(
            JobRow.id,
            JobRow.status,
            JobRow.generation,
            JobRow.removed_at,
            JobRow.lease_until,
            JobRow.processor,
            JobRow.queue,
            JobRow.resends,
            JobRow.batch.in_(HELD),
        ).where(JobRow.uuid == request.file_id)
        row = next(iter(self._database.run(query.tuples())), None)
        if row is None:
            return Claim(ClaimOutcome.FOREIGN)
        row_id, status, generation, removed_at, lease_until, processor, queue, resends, is_held = row
        if request.generation > generation:
            # The message is newer than the database, which was restored from a backup: treat it as foreign.
            return Claim(ClaimOutcome.FOREIGN)
        if request.generation < generation or removed_at is not None:
            return Claim(ClaimOutcome.STALE)
        if Status(status).is_final:
            return Claim(ClaimOutcome.FINISHED)
        if lease_until > now_ms:
            return Claim(ClaimOutcome.BUSY, busy_until_ms=lease_until)
        is_resent = request.group in {"", request.file_id}  # otherwise, other messages would overtake it
        if is_held:
            self._set_aside(row_id, now_ms, {"visible_at": now_ms}, revision, next_try_at=0 if is_resent else None)
            return Claim(ClaimOutcome.HELD, is_resent=is_resent)
        if processor not in self.versions:
            self._leave(row_id, worker, processor, queue, now_ms, revision, resends=resends if is_resent else None)
            return Claim(ClaimOutcome.UNABLE, is_resent=is_resent)
        self._fail_crashed([row_id], now_ms, revision)
        return Claim(ClaimOutcome.CRASHED)

    def _leave(
        self,
        row_id: int,
        worker: str,
        processor: str,
        queue: str,
        now_ms: int,
        revision: int,
        *,
        resends: int | None,
    ) -> None:
        """Leave a job to the workers that have its processor, and write into the row who these are.

        A new message is sent later. If the same message were received again and again by a worker that can't use it,
        SQS would move it to the dead-letter queue.

        Args:
            row_id: The key of the job.
            worker: This worker's identity.
            processor: The processor of the job.
            queue: The queue of the job.
            now_ms: The current time, in milliseconds since 1970.
            revision: The revision of the transaction.
            resends: How often a message was sent again; None to send none.
        """
        computer = worker.rpartition("/")[0]
        others = [
            name.rpartition("/")[0] for name in workers_with(self._database, processor, queue=queue, now_ms=now_ms)
        ]
        about = {"processor": processor, "computer": computer}
        reason = Reason(ReasonCode.NO_WORKER, about)
        if others:
            reason = Reason(ReasonCode.OTHER_WORKER, {**about, "others": ", ".join(dict.fromkeys(others))})
        changes: dict[str, Any] = {"visible_at": now_ms, **reason_columns(reason)}
        next_try_at = None
        if resends is not None:
            next_try_at = now_ms + min(LONGEST_LEFT_MS, FIRST_LEFT_MS << min(resends, 16))
            changes |= {"visible_at": next_try_at, "next_try_at": next_try_at}
        self._set_aside(row_id, now_ms, changes, revision, next_try_at=next_try_at)

    def _set_aside(
        self, row_id: int, now_ms: int, changes: Mapping[str, Any], revision: int, *, next_try_at: int | None
    ) -> None:
        """Return a job that is not processed now to PENDING, without counting an attempt.

        Args:
            row_id: The key of the job.
            now_ms: The current time, in milliseconds since 1970.
            changes: The values of some columns.
            revision: The revision of the transaction.
            next_try_at: When to send a new message, in milliseconds since 1970; None if the message stays in the queue.
        """
        attempts.end_open(self._database, AttemptRow.job == row_id, AttemptOutcome.STOPPED, now_ms=now_ms)
        again: dict[str, Any] = {}
        if next_try_at is not None:
            again = {"sent_at": None, "message_id": None, "resends": JobRow.resends + 1}
            # The sender may not have recorded yet that it has sent the message of the previous entry.
            self._database.run(OutboxRow.delete().where(OutboxRow.job == row_id))
            enqueue(self._database, JobRow.id == row_id, next_try_at=next_try_at)
        update = JobRow.update(**{**PENDING_AGAIN, **changes, **again, "revision": revision})
        self._database.run(update.where(JobRow.id == row_id))

    def _fail_crashed(self, row_ids: Sequence[int], now_ms: int, revision: int) -> None:
        attempts.end_open(self._database, AttemptRow.job.in_(list(row_ids)), AttemptOutcome.STOPPED, now_ms=now_ms)
        self._database.run(
            JobRow.update(
                status=Status.FAILED,
                **reason_columns(Reason(ReasonCode.CRASHED_OFTEN, {"count": MAX_CRASHES})),
                lease_owner=None,
                lease_until=0,
                finished_at=now_ms,
                revision=revision,
            ).where(JobRow.id.in_(list(row_ids)))
        )

    def dead_letter(self, file_id: str, generation: int, *, receive_count: int, now_ms: int) -> ClaimOutcome:
        """Mark a dead-lettered message's job as FAILED, unless the message is stale or the job is being processed.

        Returns:
            FINISHED if the job has ended, either now or earlier; otherwise STALE, BUSY or FOREIGN, as for a claim.

        Raises:
            StoreError: If the database can't be written.
        """
        request = ClaimRequest(file_id, generation, "", receive_count)
        with self._database.write(durable=True) as revision:
            failed = JobRow.update(
                status=Status.FAILED,
                **reason_columns(Reason(ReasonCode.DEAD_LETTERED, {"count": receive_count})),
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
            return self._unclaimed(request, "", now_ms, revision).outcome

    def free_dead_leases(self, is_alive: Callable[[str], bool], *, queue: str, now_ms: int) -> int:
        """Release the jobs of workers that have exited; return the number of jobs.

        Each release counts as a crash. After `MAX_CRASHES` consecutive crashes, a job fails instead of being retried.

        Args:
            is_alive: Called with a worker's identity; returns whether it is running, and True if that is unknown.
            queue: The key of the queue; jobs of other queues are skipped.
            now_ms: The current time, in milliseconds since 1970.

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
            owners = list(self._database.run(JobRow.select(fn.DISTINCT(JobRow.lease_owner)).where(held).tuples()))
        dead = [owner for (owner,) in owners if not is_alive(owner)]
        if not dead:
            return 0
        with self._database.write() as revision:
            columns = JobRow.id, JobRow.uuid, JobRow.crashes, JobRow.lease_owner
            query = JobRow.select(*columns).where(held, JobRow.lease_owner.in_(dead))
            rows = list(self._database.run(query.tuples()))
            self._fail_crashed([key for key, _, crashes, _ in rows if crashes >= MAX_CRASHES], now_ms, revision)
            again = [key for key, _, crashes, _ in rows if crashes < MAX_CRASHES]
            attempts.end_open(self._database, AttemptRow.job.in_(again), AttemptOutcome.STOPPED, now_ms=now_ms)
            self._database.run(JobRow.update(revision=revision, **PENDING_AGAIN).where(JobRow.id.in_(again)))
        for _, file_id, _, owner in rows:
            log.log(level_for(len(rows)), "job %s: released, because its worker %s has exited", file_id, owner)
        return len(rows)


def _first_of_each(requests: Mapping[int, ClaimRequest]) -> dict[int, ClaimRequest]:
    """Return the requests that do not have to wait for an earlier one of the same job or message group."""
    first = {}
    seen: set[tuple[str, str]] = set()
    for place, request in requests.items():
        keys = {("job", request.file_id), ("group", request.group)} if request.group else {("job", request.file_id)}
        if seen.isdisjoint(keys):
            first[place] = request
        seen |= keys
    return first


def is_waiting(row_ids: Sequence[int], queue: str) -> Expression:
    """Return the condition that a job is one of these jobs and is PENDING in a queue."""
    return (
        JobRow.id.in_(list(row_ids))
        & (JobRow.status == Status.PENDING)
        & (JobRow.queue == queue)
        & JobRow.removed_at.is_null()
    )
