"""Statements that are executed for each message or batch: built once, then executed as text with parameters.

Building a query takes peewee ten to twenty times as long as SQLite needs to execute it (measured).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import peewee

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence


class _Slot:
    """Takes the place of a value that is known only when the statement is executed."""

    def __init__(self, name: str) -> None:
        self.name = name


class Statement:
    """A query of peewee that is built at its first use. Any thread.

    Args:
        build: Returns the query, with a `parameter` for each value that differs between executions.
    """

    def __init__(self, build: Callable[[], Any]) -> None:
        self._build = build
        self._built: tuple[str, tuple[object, ...]] | None = None

    def sql(self, database: peewee.Database, values: Mapping[str, object]) -> tuple[str, list[object]]:
        """Return the text of the statement and its parameters, in order.

        Args:
            database: The database, which determines the dialect; always of the same kind.
            values: The value of each parameter.

        Raises:
            KeyError: If a value is missing.
        """
        if self._built is None:
            text, slots = database.get_sql_context().sql(self._build()).query()  # type: ignore[no-untyped-call]
            self._built = text, tuple(slots)
        text, slots = self._built
        return text, [values[slot.name] if isinstance(slot, _Slot) else slot for slot in slots]


def parameter(name: str) -> Any:  # noqa: ANN401 - peewee's terms have no common type
    """Return the term for a parameter of a `Statement`. A name can be used more than once."""
    return peewee.Value(_Slot(name), converter=False, unpack=False)


def as_keys(keys: Iterable[int]) -> str:
    """Return the value of a parameter for `given_keys`, which passes many integers to one statement."""
    return f"[{','.join(map(str, keys))}]"


def as_rows(rows: Iterable[Sequence[object]]) -> str:
    """Return the value of a parameter for `given_rows`, which passes many rows to one statement."""
    return json.dumps(list(rows), ensure_ascii=False, separators=(",", ":"))
