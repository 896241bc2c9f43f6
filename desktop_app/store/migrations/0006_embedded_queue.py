"""Resend all messages of the embedded queue, which was a server process and is now a file without these messages.

The server's stored instance becomes a creation time that differs from that of the new file. The reconciler therefore
detects another queue and sends all messages again.
"""


def up(migrator, db):
    db.execute_sql(
        "INSERT INTO fact (name, value) SELECT 'creation of local', MIN(value) FROM fact "
        "WHERE name LIKE 'instance of local%' HAVING COUNT(*) > 0"
    )
    db.execute_sql("DELETE FROM fact WHERE name LIKE 'instance of %'")
