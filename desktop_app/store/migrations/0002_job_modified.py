"""Add an index for finding files that are already on the list."""


def up(migrator, db):
    db.execute_sql("CREATE INDEX job_modified ON job (modified_ns)")
