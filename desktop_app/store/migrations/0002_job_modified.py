"""Add an index that finds the files that are on the list already."""


def up(migrator, db):
    db.execute_sql("CREATE INDEX job_modified ON job (modified_ns)")
