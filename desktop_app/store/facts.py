"""Named values that are not part of the list, such as the creation time of a queue. All in a transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from desktop_app.store.models import FactRow

if TYPE_CHECKING:
    from desktop_app.store.database import Database


def fact(database: Database, name: str) -> str | None:
    """Return a stored value, in a `read` or `write` transaction; None if there is none."""
    value: str | None = database.scalar(FactRow.select(FactRow.value).where(FactRow.name == name))
    return value


def store_fact(database: Database, name: str, value: str) -> None:
    """Store a value in place of the previous one, in a `write` transaction."""
    database.run(
        FactRow.insert(name=name, value=value).on_conflict(conflict_target=(FactRow.name,), preserve=(FactRow.value,))
    )
