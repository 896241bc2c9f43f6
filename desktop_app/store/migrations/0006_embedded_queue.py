"""The embedded queue is a file of its own, which holds nothing of what was sent to the server that it was before.

That the server was known becomes the date of another queue: the first look at the new one sends everything again.
"""


def up(migrator, db):
    db.execute_sql(
        "INSERT INTO fact (name, value) SELECT 'creation of local', MIN(value) FROM fact "
        "WHERE name LIKE 'instance of local%' HAVING COUNT(*) > 0"
    )
    db.execute_sql("DELETE FROM fact WHERE name LIKE 'instance of %'")
