"""Store where the folder of a path ends, and the type of a file, so that sorting by them is fast."""

import os


def up(migrator, db):
    db.execute_sql('ALTER TABLE "job" ADD COLUMN "folder_length" INTEGER NOT NULL DEFAULT 0')
    db.execute_sql('ALTER TABLE "job" ADD COLUMN "type_key" TEXT NOT NULL DEFAULT \'\'')
    # SQLite has no function that searches backwards, so trim all other characters from the end of the text.
    rest = "REPLACE(file_path, '/', '')"
    if os.sep == "\\":
        rest = f"REPLACE({rest}, '\\', '')"
    name = "LTRIM(name_key, '.')"
    dot = f"LENGTH(RTRIM({name}, REPLACE({name}, '.', '')))"
    db.execute_sql(
        f"UPDATE job SET folder_length = LENGTH(RTRIM(file_path, {rest})),"  # noqa: S608 - our own terms
        f" type_key = CASE WHEN {dot} > 0 THEN SUBSTR({name}, {dot} + 1) ELSE '' END"
    )
