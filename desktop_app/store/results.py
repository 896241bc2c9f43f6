"""A consumer's updates to the jobs it has claimed: progress, results, lease extensions and releases.

Each update includes the fencing token of the claim, and has no effect if the row has a newer one.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from peewee import Case, fn

from desktop_app.domain.fields import DEFAULT_PROCESSOR, Field, read_result, stored_result
from desktop_app.domain.job import OPEN_STATUSES, AttemptOutcome, Status
from desktop_app.store import attempts
from desktop_app.store.backends.sqlite import given_rows, unindexed
from desktop_app.store.models import AttemptRow, JobRow, OutboxRow
from desktop_app.store.outbox import enqueue
from desktop_app.store.processors import keep_fields
from desktop_app.store.rows import PENDING_AGAIN, parts, reason_columns
from desktop_app.store.statements import Statement, as_rows, parameter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from desktop_app.domain.fields import Value
    from desktop_app.domain.reasons import Reason
    from desktop_app.store.database import Database


T = TypeVar("T")
_MOST_PARAMETERS = 500


class Result(NamedTuple):
    """The result of one job: FAILED if it has a `reason`, otherwise PROCESSED."""

    row_id: int
    token: int
    finished_at: int
    file_size: int | None = None
    lines_count: int | None = None
    reason: Reason | None = None
    values: Mapping[str, Value] = MappingProxyType({})
    """The other fields of the result, all of which can be stored; see `stored_result`."""
    processor: str = DEFAULT_PROCESSOR


class Tick(NamedTuple):
    """The progress of one job, in bytes."""

    row_id: int
    token: int
    bytes_done: int
    bytes_total: int


def _finishing() -> Any:  # noqa: ANN401 - peewee's queries have no common type
    given = given_rows(
        parameter("rows"),
        "id",
        "token",
        "finished_at",
        "file_size",
        "lines_count",
        "result",
        "reason_code",
        "reason_args",
    )
    is_failed = given.c.reason_code != ""
    size = fn.COALESCE(given.c.file_size, JobRow.file_size)
    return (
        JobRow.update(
            status=Case(None, [(is_failed, Status.FAILED)], Status.PROCESSED),
            reason_code=given.c.reason_code,
            reason_args=given.c.reason_args,
            file_size=size,
            lines_count=given.c.lines_count,
            result=given.c.result,
            bytes_done=Case(None, [(is_failed, 0)], fn.COALESCE(size, 0)),
            lease_owner=None,
            lease_until=0,
            finished_at=given.c.finished_at,
            revision=parameter("revision"),
        )
        .from_(given)
        .where(*_holds(given.c.id, given.c.token))
    )


def _progressing() -> Any:  # noqa: ANN401
    given = given_rows(parameter("rows"), "id", "token", "bytes_done", "bytes_total")
    changed = JobRow.update(
        bytes_done=given.c.bytes_done, file_size=given.c.bytes_total, revision=parameter("revision")
    )
    return changed.from_(given).where(*_holds(given.c.id, given.c.token))


def _extending() -> Any:  # noqa: ANN401
    given = given_rows(parameter("rows"), "id", "token")
    extended = JobRow.update(lease_until=parameter("until_ms")).from_(given)
    return extended.where(*_holds(given.c.id, given.c.token)).returning(JobRow.id, JobRow.lease_token)


_FINISH = Statement(_finishing)
_FINISHED = Statement(
    lambda: JobRow.select(JobRow.id, JobRow.lease_token).where(JobRow.revision == parameter("revision"))
)
# A message that was about to be sent again is no longer needed.
_FORGET_MESSAGES = Statement(
    lambda: OutboxRow.delete().where(
        OutboxRow.job.in_(JobRow.select(JobRow.id).where(JobRow.revision == parameter("revision")))
    )
)
_PROGRESS = Statement(_progressing)
_EXTEND = Statement(_extending)


class Work:
    """Updates the jobs that a consumer has claimed. Any thread.

    Attributes:
        epoch: The epoch of the database in which the jobs were claimed. Nothing is written in another one, where the
            same keys and tokens can belong to other files.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known_fields: set[tuple[str, str]] = set()
        """The fields that are known to be recorded, each with its processor."""
        self._full: set[str] = set()
        """The processors of which no further fields are recorded; see `keep_fields`."""
        self.epoch = database.epoch

    def finish(self, results: Sequence[Result]) -> list[bool]:
        """Write results in one durable transaction; return False for each result whose lease was lost.

        Delete the messages only after this method has returned.

        Raises:
            StoreError: If the database can't be written. In this case, no results are stored.
        """
        if not results:
            return []
        rows = [
            (
                one.row_id,
                one.token,
                one.finished_at,
                one.file_size,
                one.lines_count,
                stored_result(one.values),
                *reason_columns(one.reason).values(),
            )
            for one in results
        ]
        with self._database.write(durable=True, epoch=self.epoch) as revision:
            count = self._database.change(_FINISH, rows=as_rows(rows), revision=revision)
            if count:
                self._database.change(_FORGET_MESSAGES, revision=revision)
                attempts.end_finished(self._database, revision)
                self._note_fields(results)
            if count == len(results):
                return [True] * count
            ended = set(self._database.rows(_FINISHED, revision=revision))
        return [(one.row_id, one.token) in ended for one in results]

    def _note_fields(self, results: Iterable[Result]) -> None:
        """Record the fields in results that are not recorded yet, such as those of a command."""
        found = {
            (one.processor, name): Field(name, type(value), "")
            for one in results
            for name, value in one.values.items()
            if one.processor not in self._full and (one.processor, name) not in self._known_fields
        }
        if found:
            self._full |= keep_fields(self._database, found)
            self._known_fields |= found.keys()

    def finish_and(self, results: Sequence[Result], claim: Callable[[], T]) -> tuple[list[bool], T]:
        """Write results, and call a function that claims further jobs, in the same transaction.

        Returns:
            What `finish` and the function return.

        Raises:
            StoreError: If the database can't be written. In this case, nothing is stored.
        """
        if not results:
            return [], claim()
        with self._database.write(durable=True, epoch=self.epoch):
            return self.finish(results), claim()

    def progress(self, ticks: Iterable[Tick]) -> None:
        """Record the progress of jobs that are being processed; skip jobs whose lease was lost.

        Raises:
            StoreError: If the database can't be written.
        """
        rows = as_rows((tick.row_id, tick.token, tick.bytes_done, tick.bytes_total) for tick in ticks)
        with self._database.write(epoch=self.epoch) as revision:
            self._database.change(_PROGRESS, rows=rows, revision=revision)

    def extend(self, leases: Sequence[tuple[int, int]], *, until_ms: int) -> list[bool]:
        """Extend leases; return False for each lease that was lost.

        Until a lease expires, no other worker can claim the job, even if SQS redelivers the message. The revision does
        not change, since the list does not show leases.

        Args:
            leases: Pairs of a job's key and the fencing token of the claim.
            until_ms: The new end of the leases, in milliseconds since 1970.

        Raises:
            StoreError: If the database can't be written.
        """
        with self._database.write(epoch=self.epoch):
            held = set(self._database.rows(_EXTEND, rows=as_rows(leases), until_ms=until_ms))
        return [lease in held for lease in leases]

    def give_back(
        self,
        row_id: int,
        token: int,
        *,
        now_ms: int,
        reason: Reason | None = None,
        next_try_at: int | None = None,
        uncount: bool = False,
        crashed: bool = False,
        is_resent: bool = False,
    ) -> bool:
        """Return a job to PENDING, because the program is closing or the job is to be tried again later.

        Args:
            row_id: The job's key.
            token: The fencing token of the claim.
            now_ms: The current time, in milliseconds since 1970.
            reason: The reason for trying the job again later, shown until the next attempt.
            next_try_at: The time of the next attempt, in milliseconds since 1970.
            uncount: Whether processing was never started, so that the claim does not count as an attempt.
            crashed: Whether the file crashed its child process, so that the claim still counts as a crash.
            is_resent: Whether to send a new message at the time of the next attempt. The caller deletes the old one.

        Returns:
            False if the lease was lost.

        Raises:
            StoreError: If the database can't be written.
        """
        # The claim has counted as a crash until now.
        crashes = JobRow.crashes if crashed else JobRow.crashes - 1 if uncount else 0
        with self._database.write(epoch=self.epoch) as revision:
            released = {**PENDING_AGAIN, "visible_at": now_ms if next_try_at is None else next_try_at}
            query = JobRow.update(
                **released,
                **reason_columns(reason),
                attempts=JobRow.attempts - (1 if uncount else 0),
                crashes=crashes,
                next_try_at=next_try_at,
                **({"sent_at": None, "message_id": None} if is_resent else {}),
                revision=revision,
            ).where(*_holds(row_id, token))
            if int(self._database.run(query)) != 1:
                return False
            if is_resent:
                enqueue(self._database, JobRow.id == row_id, next_try_at=next_try_at or 0)
            if uncount:
                attempts.discard(self._database, row_id, token)
            else:
                outcome = AttemptOutcome.LATER if reason else AttemptOutcome.RETURNED
                attempts.end(self._database, row_id, token, outcome, reason=reason, now_ms=now_ms)
            return True

    def send_another(self, row_id: int, token: int) -> bool:
        """Put a job that is being processed back into the outbox; return False if the lease was lost.

        Raises:
            StoreError: If the database can't be written.
        """
        with self._database.write(epoch=self.epoch):
            if self._database.scalar(JobRow.select(JobRow.id).where(*_holds(row_id, token))) is None:
                return False
            enqueue(self._database, JobRow.id == row_id)
            self._database.run(JobRow.update(resends=JobRow.resends + 1).where(JobRow.id == row_id))
            return True

    def correct(self, uuid: str, token: int, name: str, value: Value) -> None:
        """Change a field of a result that an attempt has written, if it is still the result of the job.

        Raises:
            StoreError: If the database can't be written.
        """
        is_result = (JobRow.uuid == uuid) & (JobRow.lease_token == token) & (JobRow.status == Status.PROCESSED)
        with self._database.write(epoch=self.epoch) as revision:
            values = read_result(self._database.scalar(JobRow.select(JobRow.result).where(is_result)))
            if name in values:
                result = stored_result({**values, name: value})
                self._database.run(JobRow.update(result=result, revision=revision).where(is_result))

    def attempt_statuses(self, attempts: Sequence[tuple[str, int]]) -> dict[tuple[str, int], Status]:
        """Return the statuses of the jobs whose last claim has a given fencing token.

        The status is PROCESSED if the attempt is the last that has processed the job, also if that was then retried.

        Args:
            attempts: Pairs of a job's ID and a fencing token. Those of other claims are not in the result.

        Raises:
            StoreError: If the database can't be read.
        """
        found: dict[tuple[str, int], Status] = {}
        wanted = set(attempts)
        uuids = sorted({uuid for uuid, _ in attempts})
        columns = JobRow.uuid, JobRow.lease_token, JobRow.status
        with self._database.read():
            for some in parts(uuids, _MOST_PARAMETERS):
                part = JobRow.uuid.in_(some)
                rows = self._database.run(JobRow.select(*columns).where(part).tuples())
                found |= {(uuid, token): Status(status) for uuid, token, status in rows if (uuid, token) in wanted}
                last = AttemptRow.select(JobRow.uuid, fn.MAX(AttemptRow.token)).join(JobRow)
                last = last.where(part, AttemptRow.outcome == AttemptOutcome.PROCESSED).group_by(JobRow.uuid)
                found |= {key: Status.PROCESSED for key in self._database.run(last.tuples()) if key in wanted}
        return found

    def is_stale(self, row_id: int, generation: int) -> bool:
        """Return whether a submission is outdated: its job has ended, was removed or was submitted again.

        Raises:
            StoreError: If the database can't be read.
        """
        query = JobRow.select(JobRow.id).where(
            JobRow.id == row_id,
            JobRow.generation == generation,
            JobRow.removed_at.is_null(),
            JobRow.status.in_(OPEN_STATUSES),
        )
        with self._database.read():
            return self._database.scalar(query) is None


def _holds(row_id: object, token: object) -> tuple[object, ...]:
    """Return the condition that a job is being processed with this fencing token."""
    return (JobRow.id == row_id, JobRow.lease_token == token, unindexed(JobRow.status) == Status.PROCESSING)
