"""An index over when jobs ended: how far a run is, and what was done in the last hours, without reading the table."""


def up(migrator, db):
    db.execute_sql(
        'CREATE INDEX "job_ends" ON "job" ("finished_at", "status", "file_size") WHERE ("finished_at" IS NOT NULL)'
    )
