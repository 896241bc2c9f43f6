"""Store which processor is chosen for a file, its options and its result, and which processors each worker has."""


def up(migrator, db):
    for table in "batch", "job":
        db.execute_sql(f'ALTER TABLE "{table}" ADD COLUMN "processor" TEXT NOT NULL DEFAULT \'lines\'')
        db.execute_sql(f'ALTER TABLE "{table}" ADD COLUMN "options" TEXT NOT NULL DEFAULT \'\'')
    db.execute_sql('ALTER TABLE "job" ADD COLUMN "processor_version" INTEGER NOT NULL DEFAULT 0')
    db.execute_sql('ALTER TABLE "job" ADD COLUMN "result" TEXT')
    db.execute_sql("UPDATE job SET processor_version = 1 WHERE status IN (2, 3)")
    db.execute_sql('ALTER TABLE "batch" ADD COLUMN "held_at" INTEGER')
    db.execute_sql('ALTER TABLE "batch" ADD COLUMN "tolerated" TEXT NOT NULL DEFAULT \'\'')
    db.execute_sql('CREATE INDEX "batch_held" ON "batch" ("id") WHERE ("held_at" IS NOT NULL)')
    db.execute_sql(
        'CREATE TABLE "field" ("processor" TEXT NOT NULL, "name" TEXT NOT NULL, "kind" VARCHAR(8) NOT NULL, '
        '"title" TEXT NOT NULL, "unit" TEXT NOT NULL, PRIMARY KEY ("processor", "name")) WITHOUT ROWID'
    )
    db.execute_sql(
        'CREATE TABLE "worker" ("name" TEXT NOT NULL PRIMARY KEY, "queue" TEXT NOT NULL, "processors" TEXT NOT NULL, '
        '"seen_at" INTEGER NOT NULL)'
    )
