"""The attempts to process jobs: begun in the transaction of the claim, ended in the one that writes the outcome.

Code that changes a job's row calls these functions in the same `write` scope, so that both changes are atomic. One
statement serves all jobs of a transaction, which it finds by the revision.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from peewee import SQL, Case, Expression, Value, fn

from desktop_app.domain.job import Attempt, AttemptOutcome, Status
from desktop_app.store.models import AttemptRow, JobRow
from desktop_app.store.rows import reason_columns, reason_of

if TYPE_CHECKING:
    from desktop_app.domain.reasons import Reason
    from desktop_app.store.database import Database

KEPT = 50
"""The number of attempts that are kept for a job, the newest."""
_COLUMNS = (
    AttemptRow.token,
    AttemptRow.generation,
    AttemptRow.number,
    AttemptRow.worker,
    AttemptRow.started_at,
    AttemptRow.ended_at,
    AttemptRow.outcome,
    AttemptRow.reason_code,
    AttemptRow.reason_args,
)


def begin(database: Database, revision: int) -> None:
    """Record an attempt for every job that was claimed in this transaction."""
    claimed = JobRow.select(
        JobRow.id,
        JobRow.lease_token,
        JobRow.generation,
        JobRow.attempts,
        JobRow.lease_owner,
        JobRow.started_at,
        # peewee's own defaults do not apply to INSERT … SELECT.
        Value("").alias("code"),
        Value("").alias("args"),
    ).where(JobRow.revision == revision, JobRow.lease_owner.is_null(False))
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
    database.run(AttemptRow.insert_from(claimed, fields))


def end_finished(database: Database, revision: int) -> None:
    """Record the results written in this transaction with their attempts."""
    database.run(
        AttemptRow.update(
            ended_at=JobRow.finished_at,
            outcome=Case(None, [(JobRow.status == Status.PROCESSED, AttemptOutcome.PROCESSED)], AttemptOutcome.FAILED),
            reason_code=JobRow.reason_code,
            reason_args=JobRow.reason_args,
        )
        .from_(JobRow)
        .where(
            JobRow.revision == revision,
            AttemptRow.job == JobRow.id,
            AttemptRow.token == JobRow.lease_token,
            AttemptRow.ended_at.is_null(),
        )
    )


def end(
    database: Database, row_id: int, token: int, outcome: AttemptOutcome, *, reason: Reason | None, now_ms: int
) -> None:
    """Record the outcome of one attempt."""
    database.run(
        AttemptRow.update(ended_at=now_ms, outcome=outcome, **reason_columns(reason)).where(
            AttemptRow.job == row_id, AttemptRow.token == token
        )
    )


def end_open(database: Database, which: Expression, outcome: AttemptOutcome, *, now_ms: int) -> None:
    """End the open attempts that match `which`, a condition on `AttemptRow`."""
    open_ones = which & AttemptRow.ended_at.is_null()
    database.run(AttemptRow.update(ended_at=now_ms, outcome=outcome).where(open_ones))


def take_back(database: Database, row_id: int, token: int) -> None:
    """Delete the attempt of a claim whose work was not started."""
    database.run(AttemptRow.delete().where(AttemptRow.job == row_id, AttemptRow.token == token))


def prune(database: Database, row_id: int, token: int) -> None:
    """Keep the newest `KEPT` attempts of the job with this newest token; tokens grow by one or more per attempt."""
    if token <= KEPT:
        return
    oldest_kept = (
        AttemptRow.select(AttemptRow.token)
        .where(AttemptRow.job == row_id)
        .order_by(AttemptRow.token.desc())
        .limit(1)
        .offset(KEPT - 1)
    )
    limit = database.scalar(oldest_kept)
    if limit is not None:
        database.run(AttemptRow.delete().where(AttemptRow.job == row_id, AttemptRow.token < limit))


def attempts_of(database: Database, row_id: int) -> list[Attempt]:
    """Return the attempts of a job, oldest first. Call inside a `read` scope."""
    query = AttemptRow.select(*_COLUMNS).where(AttemptRow.job == row_id).order_by(AttemptRow.token)
    return [
        Attempt(token, generation, number, worker, started, ended, outcome and AttemptOutcome(outcome), reason_of(*why))
        for token, generation, number, worker, started, ended, outcome, *why in database.run(query.tuples())
    ]


def count_of(database: Database, row_id: int) -> int:
    """Return the number of attempts kept for a job. Call inside a `read` scope."""
    return int(database.scalar(AttemptRow.select(fn.COUNT(SQL("*"))).where(AttemptRow.job == row_id)) or 0)
