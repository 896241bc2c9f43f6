"""The schema. Times are milliseconds since 1970, UTC.

The models are not bound to a database: queries are executed by `Database.run`, so there is no global state.
"""

from __future__ import annotations

from peewee import (
    SQL,
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


class _Row(Model):
    """The base class of all models. The name of a model's table is the class name in lower case, without `Row`."""

    class Meta:
        legacy_table_names = False
        table_function = staticmethod(lambda model: model.__name__.removesuffix("Row").lower())


class BatchRow(_Row):
    """A batch: the files that were added together."""

    id = AutoField()
    name = TextField()
    created_at = BigIntegerField()
    processor = TextField(constraints=[SQL("DEFAULT 'lines'")], default="lines")
    """The name of the processor that was chosen for the files; empty if it was chosen for each file by its type."""
    options = TextField(constraints=[SQL("DEFAULT ''")], default="")
    """The options of the processor as JSON; empty if it has none."""
    held_at = BigIntegerField(null=True)
    """The time at which the batch was paused, because many files failed for the same reason. NULL if it is not."""
    tolerated = TextField(constraints=[SQL("DEFAULT ''")], default="")
    """The codes of reasons for which the batch is not paused again, separated by spaces. While it is paused, the last
    one is the reason for that."""


# Each claim looks for paused batches; nearly always, there are none.
BatchRow.add_index(BatchRow.index(BatchRow.id, name="batch_held", where=BatchRow.held_at.is_null(False)))


class JobRow(_Row):
    """A submitted file. Columns that are not documented here are fields of `Job`."""

    id = AutoField()
    uuid = CharField(36, unique=True)
    batch = ForeignKeyField(BatchRow, on_delete="RESTRICT")
    file_path = TextField()
    """The path as text; bytes that are not valid UTF-8 are escaped."""
    raw_path = BlobField(null=True)
    """The bytes of the path if `file_path` contains escapes, otherwise NULL."""
    name_key = TextField()
    """The sort key of the file name, which ignores case and sorts file2 before file10."""
    queue = TextField()
    status = SmallIntegerField(default=0)
    reason_args = TextField(default="")
    """The arguments of the reason as JSON; empty if there are none."""
    reason_code = CharField(32, default="")
    """A `ReasonCode`; empty if there is no reason."""
    file_size = BigIntegerField(null=True)
    lines_count = BigIntegerField(null=True)
    modified_ns = BigIntegerField(null=True)
    bytes_done = BigIntegerField(default=0)
    generation = IntegerField(default=1)
    attempts = IntegerField(default=0)
    crashes = IntegerField(default=0)
    """The number of consecutive claims after which the worker neither wrote a result nor released the job."""
    lease_token = BigIntegerField(default=0)
    """The fencing token, incremented by every claim. Results with an older token are rejected."""
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
    """The time at which the job was removed from the list. The row is kept while messages for it may still arrive."""
    revision = BigIntegerField(index=True)
    visible_at = BigIntegerField(null=True)
    """The time from which the message should be visible in the queue: when it was sent, or will be visible again after
    a receive. NULL if it has not been sent. While the job is claimed, `lease_until` applies instead."""
    resends = IntegerField(default=0, constraints=[SQL("DEFAULT 0")])
    folder_length = IntegerField(constraints=[SQL("DEFAULT 0")])
    """The length of the folder in `file_path`, with the separator at its end. Finding that takes SQLite 1 µs a row."""
    type_key = TextField(constraints=[SQL("DEFAULT ''")])
    """The sort key of the file type: the part of `name_key` after the last dot; empty if there is none."""
    processor = TextField(constraints=[SQL("DEFAULT 'lines'")], default="lines")
    """The name of the processor, which differs from the batch's if the job was retried with another one."""
    options = TextField(constraints=[SQL("DEFAULT ''")], default="")
    processor_version = IntegerField(constraints=[SQL("DEFAULT 0")], default=0)
    """The version of the processor that has processed the file; 0 if it was never claimed."""
    result = TextField(null=True)
    """The fields of the result that have no column of their own, as a JSON object; NULL if there are none."""

    class Meta:
        # Covers all counts, for the whole list and for one queue. `removed_at` must not be first in any index: SQLite
        # would assume that IS NULL is selective, although it is true for nearly every row, and not use the key.
        indexes = ((("status", "queue", "removed_at", "sent_at", "next_try_at"), False),)


JobRow.add_index(
    JobRow.index(JobRow.removed_at, name="job_removed", where=JobRow.removed_at.is_null(False))  # only a few rows
)
# Used to find files that are already on the list. An index on the paths would be several times as large.
JobRow.add_index(JobRow.index(JobRow.modified_ns, name="job_modified"))
JobRow.add_index(
    JobRow.index(
        JobRow.finished_at,
        JobRow.status,
        JobRow.file_size,
        name="job_ends",
        where=JobRow.finished_at.is_null(False),  # excludes unfinished jobs
    )
)


class OutboxRow(_Row):
    """A job whose message still has to be sent. Messages are sent in the order of `position`."""

    position = AutoField()
    job = ForeignKeyField(JobRow, unique=True, on_delete="CASCADE")
    queue = TextField(index=True)
    """A copy of the job's queue, so that queries do not read the entries of other queues; or `held ` and the key of the
    batch, for an entry of a paused batch that the sender has set aside."""
    generation = IntegerField()
    tries = IntegerField(default=0)
    next_try_at = BigIntegerField(default=0)
    claim_owner = TextField(null=True)
    claim_until = BigIntegerField(default=0)


class AttemptRow(_Row):
    """An attempt to process a job; `Attempt` documents the columns."""

    job = ForeignKeyField(JobRow, on_delete="CASCADE", index=False)
    token = BigIntegerField()
    generation = IntegerField()
    number = IntegerField()
    worker = TextField()
    started_at = BigIntegerField()
    ended_at = BigIntegerField(null=True)
    outcome = CharField(16, null=True)
    reason_code = CharField(32, default="")
    reason_args = TextField(default="")

    class Meta:
        # A single B-tree without further indexes keeps claims fast.
        primary_key = CompositeKey("job", "token")
        without_rowid = True


class CounterRow(_Row):
    """A named counter. The change feed uses `revision`."""

    name = CharField(32, primary_key=True)
    value = BigIntegerField()


class SweepRow(_Row):
    """The current sweep of a queue; see `Recovery.end_sweep`."""

    queue = TextField(primary_key=True)
    began_at = BigIntegerField()
    expected = BigIntegerField()
    """The number of messages in the queue at the start, according to the queue."""
    received = BigIntegerField()
    """The number of messages received since then, including foreign ones."""
    empty_at = BigIntegerField()
    """The time at which the queue was empty except for messages in flight, or 0."""


class FieldRow(_Row):
    """A field that a result on the list may contain; see `domain.fields.Field`. It saves a look at all results."""

    processor = TextField()
    name = TextField()
    kind = CharField(8)
    """The name of the type of the values in Python."""
    title = TextField()
    unit = TextField()

    class Meta:
        primary_key = CompositeKey("processor", "name")
        without_rowid = True


class WorkerRow(_Row):
    """A program that processes files."""

    name = TextField(primary_key=True)
    queue = TextField()
    processors = TextField()
    """The versions of its processors by name, as a JSON object."""
    seen_at = BigIntegerField()


class WatchRow(_Row):
    """A watched folder. Columns that are not documented here are fields of `WatchedFolder`."""

    id = AutoField()
    computer = TextField()
    """The name of the computer that the folder is on."""
    folder = TextField()
    raw_folder = BlobField(null=True)
    """The bytes of the path if they are not valid UTF-8; see `JobRow.raw_path`."""
    subfolders = SmallIntegerField()
    only = TextField()
    leave_out = TextField()
    processor = TextField()
    options = TextField()
    settle_s = IntegerField()
    adds_existing = SmallIntegerField()
    is_paused = SmallIntegerField()
    in_window = SmallIntegerField()
    is_begun = SmallIntegerField()
    added = BigIntegerField()
    batch = ForeignKeyField(BatchRow, null=True, on_delete="SET NULL", index=False)
    """The batch to which files were added last."""
    day = TextField()
    """The day of that batch, as in ISO 8601; empty if there is none."""


class SeenFileRow(_Row):
    """A file that was seen in a watched folder, and is not added again."""

    watch = ForeignKeyField(WatchRow, on_delete="CASCADE", index=False)
    key = BigIntegerField()
    """The key of the file; see `seen_key`."""
    gone_at = BigIntegerField(null=True)
    """The time since which the file is not in the folder."""

    class Meta:
        primary_key = CompositeKey("watch", "key")
        without_rowid = True


class FactRow(_Row):
    """A named value, such as the creation time of the queue that messages were sent to."""

    name = TextField(primary_key=True)
    value = TextField()
