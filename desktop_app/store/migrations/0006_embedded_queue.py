"""Resend all messages of the embedded queue, which was a server process and is now a file without these messages.

The stored server instance is replaced with a creation time that differs from the new file's. The reconciler therefore
detects a new queue and resends all messages. A creation time that has already been stored is that of the file.
"""


def up(migrator, db):
    db.execute_sql(
        "INSERT OR IGNORE INTO fact (name, value) SELECT 'creation of local', MIN(value) FROM fact "
        "WHERE name LIKE 'instance of local%' HAVING COUNT(*) > 0"
    )
    db.execute_sql("DELETE FROM fact WHERE name LIKE 'instance of %'")
