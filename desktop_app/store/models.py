"""The tables. Schema only: queries are in the sibling modules, and no model is bound to a database.

A query names its database when it runs (`Database.run`), so there is nothing global to fill.
Times are milliseconds since 1970, UTC.
"""

from __future__ import annotations

from peewee import (
    AutoField,
    BigIntegerField,
    BlobField,
    CharField,
    CompositeKey,
    ForeignKeyField,
    IntegerField,
    Model,
    SmallIntegerField,
    TextField,
)


class BatchRow(Model):
    """The files of one Add."""

    id = AutoField()
    name = TextField()
    created_at = BigIntegerField()

    class Meta:
        table_name = "batch"
        legacy_table_names = False


class JobRow(Model):
    """One submitted file. `Job` documents what the columns mean; here is what only the database needs."""

    id = AutoField()
    uuid = CharField(36, unique=True)
    batch = ForeignKeyField(BatchRow, on_delete="RESTRICT")
    file_path = TextField()
    """Readable UTF-8; bytes of the name that are not UTF-8 stand as escapes."""
    raw_path = BlobField(null=True)
    """The path's true bytes, only where `file_path` had to escape some."""
    name_key = TextField()
    """Sorts file2 before file10, upper and lower case alike."""
    queue = TextField()
    status = SmallIntegerField(default=0)
    reason = TextField(default="")
    reason_code = CharField(32, default="")
    file_size = BigIntegerField(null=True)
    lines_count = BigIntegerField(null=True)
    modified_ns = BigIntegerField(null=True)
    bytes_done = BigIntegerField(default=0)
    generation = IntegerField(default=1)
    attempts = IntegerField(default=0)
    crashes = IntegerField(default=0)
    """Claims in a row that ended with their worker: neither a result nor the job came back."""
    lease_token = BigIntegerField(default=0)
    """The fencing token: grows with every claim, and only the newest holder's result is taken."""
    lease_owner = TextField(null=True)
    lease_until = BigIntegerField(default=0)
    message_id = TextField(null=True)
    receive_count = IntegerField(default=0)
    created_at = BigIntegerField()
    sent_at = BigIntegerField(null=True)
    started_at = BigIntegerField(null=True)
    finished_at = BigIntegerField(null=True)
    next_try_at = BigIntegerField(null=True)
    removed_at = BigIntegerField(null=True)
    """Taken off the list. The row stays until its message can't come any more, so that the message is known as ours."""
    revision = BigIntegerField(index=True)

    class Meta:
        table_name = "job"
        legacy_table_names = False
        # Covers all counts, of the list and of the queue. `removed_at` must not stand first in any index: SQLite would
        # take “IS NULL”, which nearly every row is, for a rare thing, and prefer that index to the row's own key.
        indexes = ((("status", "queue", "removed_at", "sent_at", "next_try_at"), False),)


JobRow.add_index(
    JobRow.index(JobRow.removed_at, name="job_removed", where=JobRow.removed_at.is_null(False))  # a few rows
)
# Finds the files that are on the list already. An index on their paths would do as well, at several times its size.
JobRow.add_index(JobRow.index(JobRow.modified_ns, name="job_modified"))
JobRow.add_index(
    JobRow.index(
        JobRow.finished_at,
        JobRow.status,
        JobRow.file_size,
        name="job_ends",
        where=JobRow.finished_at.is_null(False),  # left out: what waits
    )
)


class OutboxRow(Model):
    """A job whose message still has to be sent, in the order of sending."""

    position = AutoField()
    job = ForeignKeyField(JobRow, unique=True, on_delete="CASCADE")
    queue = TextField(index=True)
    """The job's own, so that what waits for another queue is never read."""
    generation = IntegerField()
    tries = IntegerField(default=0)
    next_try_at = BigIntegerField(default=0)
    claim_owner = TextField(null=True)
    claim_until = BigIntegerField(default=0)

    class Meta:
        table_name = "outbox"
        legacy_table_names = False


class AttemptRow(Model):
    """One try at a job; `Attempt` documents what the columns mean."""

    job = ForeignKeyField(JobRow, on_delete="CASCADE", index=False)
    token = BigIntegerField()
    generation = IntegerField()
    number = IntegerField()
    worker = TextField()
    started_at = BigIntegerField()
    ended_at = BigIntegerField(null=True)
    outcome = CharField(16, null=True)
    reason = TextField(default="")

    class Meta:
        table_name = "attempt"
        legacy_table_names = False
        # One tree and no index beside it: a claim must not cost more than it has to.
        primary_key = CompositeKey("job", "token")
        without_rowid = True


class CounterRow(Model):
    """Named numbers that only grow; `revision` is the change feed's."""

    name = CharField(32, primary_key=True)
    value = BigIntegerField()

    class Meta:
        table_name = "counter"
        legacy_table_names = False


class FactRow(Model):
    """Small things to remember, such as when the queue was made that the messages were sent to."""

    name = TextField(primary_key=True)
    value = TextField()

    class Meta:
        table_name = "fact"
        legacy_table_names = False


ALL_MODELS: tuple[type[Model], ...] = (BatchRow, JobRow, OutboxRow, AttemptRow, CounterRow, FactRow)
