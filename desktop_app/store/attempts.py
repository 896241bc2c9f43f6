"""The attempt history of jobs: an attempt starts with a claim, and ends when its outcome is written.

Call these functions in the `write` transaction that changes the job's row, so that both changes are atomic. Functions
that take a `revision` apply to all jobs changed in that transaction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from peewee import Case, Expression, Value

from desktop_app.domain.job import AttemptOutcome, Status
from desktop_app.store.models import AttemptRow, JobRow
from desktop_app.store.rows import reason_columns
from desktop_app.store.statements import Statement, parameter

if TYPE_CHECKING:
    from desktop_app.domain.reasons import Reason
    from desktop_app.store.database import Database

KEPT = 50
"""The maximum number of attempts stored per job. Older attempts are deleted."""


def _beginning() -> Any:  # noqa: ANN401 - peewee's queries have no common type
    claimed = JobRow.select(
        JobRow.id,
        JobRow.lease_token,
        JobRow.generation,
        JobRow.attempts,
        JobRow.lease_owner,
        JobRow.started_at,
        # INSERT … SELECT ignores the default values of the model.
        Value("").alias("code"),
        Value("").alias("args"),
    ).where(JobRow.revision == parameter("revision"), JobRow.lease_owner.is_null(False))
    fields = [
        AttemptRow.job,
        AttemptRow.token,
        AttemptRow.generation,
        AttemptRow.number,
        AttemptRow.worker,
        AttemptRow.started_at,
        AttemptRow.reason_code,
        AttemptRow.reason_args,
    ]
    return AttemptRow.insert_from(claimed, fields)


def _ending() -> Any:  # noqa: ANN401
    processed = Case(None, [(JobRow.status == Status.PROCESSED, AttemptOutcome.PROCESSED)], AttemptOutcome.FAILED)
    ended = AttemptRow.update(
        ended_at=JobRow.finished_at,
        outcome=processed,
        reason_code=JobRow.reason_code,
        reason_args=JobRow.reason_args,
    )
    return ended.from_(JobRow).where(
        JobRow.revision == parameter("revision"),
        AttemptRow.job == JobRow.id,
        AttemptRow.token == JobRow.lease_token,
        AttemptRow.ended_at.is_null(),
    )


_BEGIN = Statement(_beginning)
_END_FINISHED = Statement(_ending)


def begin(database: Database, revision: int) -> None:
    """Start an attempt for each job that this transaction has claimed."""
    database.change(_BEGIN, revision=revision)


def end_finished(database: Database, revision: int) -> None:
    """End the attempts of the jobs whose results this transaction has written. Call it before jobs are claimed."""
    database.change(_END_FINISHED, revision=revision)


def end(
    database: Database, row_id: int, token: int, outcome: AttemptOutcome, *, reason: Reason | None, now_ms: int
) -> None:
    """End one attempt."""
    database.run(
        AttemptRow.update(ended_at=now_ms, outcome=outcome, **reason_columns(reason)).where(
            AttemptRow.job == row_id, AttemptRow.token == token
        )
    )


def end_open(database: Database, which: Expression, outcome: AttemptOutcome, *, now_ms: int) -> None:
    """End all unfinished attempts that match a condition on `AttemptRow`."""
    unfinished = which & AttemptRow.ended_at.is_null()
    database.run(AttemptRow.update(ended_at=now_ms, outcome=outcome).where(unfinished))


def discard(database: Database, row_id: int, token: int) -> None:
    """Delete the attempt of a claim whose processing never started."""
    database.run(AttemptRow.delete().where(AttemptRow.job == row_id, AttemptRow.token == token))


def prune(database: Database, row_id: int, token: int) -> None:
    """Delete all but the newest `KEPT` attempts of a job.

    Args:
        database: The database, in a `write` transaction.
        row_id: The job's key.
        token: The fencing token of the newest attempt.
    """
    if token <= KEPT:  # each attempt increments the token, so there are at most `KEPT` attempts
        return
    oldest_kept = (
        AttemptRow.select(AttemptRow.token)
        .where(AttemptRow.job == row_id)
        .order_by(AttemptRow.token.desc())
        .limit(1)
        .offset(KEPT - 1)
    )
    database.run(AttemptRow.delete().where(AttemptRow.job == row_id, AttemptRow.token < oldest_kept))
