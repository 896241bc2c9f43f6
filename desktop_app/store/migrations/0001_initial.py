"""Create the initial schema. The models are copies that must not change: never import the current ones here."""

from peewee import (
    AutoField,
    BigIntegerField,
    BlobField,
    CharField,
    ForeignKeyField,
    IntegerField,
    Model,
    SmallIntegerField,
    TextField,
)


def up(migrator, db):
    class Batch(Model):
        id = AutoField()
        name = TextField()
        created_at = BigIntegerField()

        class Meta:
            table_name = "batch"
            database = db
            legacy_table_names = False

    class Job(Model):
        id = AutoField()
        uuid = CharField(36, unique=True)
        batch = ForeignKeyField(Batch, on_delete="RESTRICT")
        file_path = TextField()
        raw_path = BlobField(null=True)
        name_key = TextField()
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
        lease_token = BigIntegerField(default=0)
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
        revision = BigIntegerField(index=True)

        class Meta:
            table_name = "job"
            database = db
            legacy_table_names = False
            indexes = ((("status", "queue", "removed_at", "sent_at", "next_try_at"), False),)

    Job.add_index(Job.index(Job.removed_at, name="job_removed", where=Job.removed_at.is_null(False)))

    class Outbox(Model):
        position = AutoField()
        job = ForeignKeyField(Job, unique=True, on_delete="CASCADE")
        queue = TextField(index=True)
        generation = IntegerField()
        tries = IntegerField(default=0)
        next_try_at = BigIntegerField(default=0)
        claim_owner = TextField(null=True)
        claim_until = BigIntegerField(default=0)

        class Meta:
            table_name = "outbox"
            database = db
            legacy_table_names = False

    class Counter(Model):
        name = CharField(32, primary_key=True)
        value = BigIntegerField()

        class Meta:
            table_name = "counter"
            database = db
            legacy_table_names = False

    class Fact(Model):
        name = TextField(primary_key=True)
        value = TextField()

        class Meta:
            table_name = "fact"
            database = db
            legacy_table_names = False

    db.create_tables([Batch, Job, Outbox, Counter, Fact], safe=False)
    Counter.insert(name="revision", value=0).execute()
