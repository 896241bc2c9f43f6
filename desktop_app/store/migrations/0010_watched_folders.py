"""Store the watched folders, and which files have been seen in them."""


def up(migrator, db):
    db.execute_sql(
        'CREATE TABLE "watch" ("id" INTEGER NOT NULL PRIMARY KEY, "computer" TEXT NOT NULL, "folder" TEXT NOT NULL, '
        '"raw_folder" BLOB, "subfolders" INTEGER NOT NULL, "only" TEXT NOT NULL, "leave_out" TEXT NOT NULL, '
        '"processor" TEXT NOT NULL, "options" TEXT NOT NULL, "settle_s" INTEGER NOT NULL, '
        '"adds_existing" INTEGER NOT NULL, "is_paused" INTEGER NOT NULL, "in_window" INTEGER NOT NULL, '
        '"is_begun" INTEGER NOT NULL, "added" INTEGER NOT NULL, "batch_id" INTEGER, "day" TEXT NOT NULL, '
        'FOREIGN KEY ("batch_id") REFERENCES "batch" ("id") ON DELETE SET NULL)'
    )
    db.execute_sql(
        'CREATE TABLE "seenfile" ("watch_id" INTEGER NOT NULL, "key" INTEGER NOT NULL, "gone_at" INTEGER, '
        'PRIMARY KEY ("watch_id", "key"), FOREIGN KEY ("watch_id") REFERENCES "watch" ("id") ON DELETE CASCADE) '
        "WITHOUT ROWID"
    )
