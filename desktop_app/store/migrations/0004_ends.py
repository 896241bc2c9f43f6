"""Add an index on the end times of jobs, to compute the progress and the throughput quickly."""


def up(migrator, db):
    db.execute_sql(
        'CREATE INDEX "job_ends" ON "job" ("finished_at", "status", "file_size") WHERE ("finished_at" IS NOT NULL)'
    )
