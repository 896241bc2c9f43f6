"""Statements that are built once, and what they have to agree with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from desktop_app.store.backends.sqlite import given_rows
from desktop_app.store.models import JobRow
from desktop_app.store.statements import Statement, as_rows, parameter

if TYPE_CHECKING:
    from tests.store.kit import Store


def test_a_statement_is_built_once_and_takes_other_values_each_time(store: Store) -> None:
    built = []

    def build() -> object:
        built.append(1)
        return JobRow.select(JobRow.file_path).where(JobRow.file_path == parameter("path"))

    statement = Statement(build)
    for name in ("/a", "/b"):
        store.add(name)
    with store.database.read():
        assert [store.database.rows(statement, path=name) for name in ("/a", "/b", "/c")] == [[("/a",)], [("/b",)], []]
    assert built == [1]


def test_a_missing_value_is_an_error(store: Store) -> None:
    statement = Statement(lambda: JobRow.select().where(JobRow.id == parameter("key")))
    with store.database.read(), pytest.raises(KeyError, match="key"):
        store.database.rows(statement, kex=1)


def test_given_rows_arrive_as_they_are(store: Store) -> None:
    rows = [('ä " \\ \n', 1, None), ("", 2**62, "x")]
    given = given_rows(parameter("rows"), "text", "number", "nothing")
    statement = Statement(lambda: JobRow.select(given.c.text, given.c.number, given.c.nothing).from_(given))
    with store.database.read():
        assert store.database.rows(statement, rows=as_rows(rows)) == rows
