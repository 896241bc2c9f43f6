"""Add an index on the end times of jobs, for the progress and the throughput of the last hours."""


def up(migrator, db):
    db.execute_sql(
        'CREATE INDEX "job_ends" ON "job" ("finished_at", "status", "file_size") WHERE ("finished_at" IS NOT NULL)'
    )
