"""Add what is needed to detect that the message of a single job was lost.

Messages that were sent earlier should be visible since then.
"""


def up(migrator, db):
    db.execute_sql('ALTER TABLE "job" ADD COLUMN "visible_at" INTEGER')
    db.execute_sql('ALTER TABLE "job" ADD COLUMN "resends" INTEGER NOT NULL DEFAULT 0')
    db.execute_sql('UPDATE "job" SET "visible_at" = "sent_at"')
    db.execute_sql(
        'CREATE TABLE "sweep" ("queue" TEXT NOT NULL PRIMARY KEY, "began_at" INTEGER NOT NULL, '
        '"expected" INTEGER NOT NULL, "received" INTEGER NOT NULL, "empty_at" INTEGER NOT NULL)'
    )
