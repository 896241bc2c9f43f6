"""Add an index on the end times of jobs, so that the progress and the throughput can be computed quickly."""


def up(migrator, db):
    db.execute_sql(
        'CREATE INDEX "job_ends" ON "job" ("finished_at", "status", "file_size") WHERE ("finished_at" IS NOT NULL)'
    )
