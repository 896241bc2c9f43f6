"""Add the table of attempts. The models are copies that must not change: never import the current ones here."""

from peewee import (
    AutoField,
    BigIntegerField,
    CharField,
    CompositeKey,
    ForeignKeyField,
    IntegerField,
    Model,
    TextField,
)


def up(migrator, db):
    class Job(Model):
        id = AutoField()

        class Meta:
            table_name = "job"
            database = db
            legacy_table_names = False

    class Attempt(Model):
        job = ForeignKeyField(Job, on_delete="CASCADE", index=False)
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
            database = db
            legacy_table_names = False
            primary_key = CompositeKey("job", "token")
            without_rowid = True

    db.create_tables([Attempt], safe=False)
