"""Small things to remember between two starts, such as which queue the messages were sent to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from desktop_app.store.models import FactRow

if TYPE_CHECKING:
    from desktop_app.store.database import Database


def remembered(database: Database, name: str) -> str | None:
    """What is remembered under a name; in a `read` or `write` scope of the database."""
    value = database.scalar(FactRow.select(FactRow.value).where(FactRow.name == name))
    return None if value is None else str(value)


def remember(database: Database, name: str, value: str) -> str | None:
    """Remember a value; gives what was remembered before. In a `write` scope of the database."""
    before = remembered(database, name)
    if before != value:
        database.run(FactRow.delete().where(FactRow.name == name))
        database.run(FactRow.insert(name=name, value=value))
    return before
