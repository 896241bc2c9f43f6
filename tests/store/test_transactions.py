"""Transactions: one state per read, one revision per write, one connection per thread."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from desktop_app.store.models import CounterRow, JobRow

if TYPE_CHECKING:
    from tests.store.kit import Store


def test_every_query_of_a_read_sees_the_same_state(store: Store, other: Store) -> None:
    store.add("/a")

    def count() -> int:
        return len(list(store.database.run(JobRow.select(JobRow.id))))

    with store.database.read():
        assert count() == 1
        other.add("/b")
        assert count() == 1
    with store.database.read():
        assert count() == 2


def test_revision_grows_by_one_with_every_write_of_every_program(store: Store, other: Store) -> None:
    seen = []
    for database in (store.database, other.database, store.database):
        with database.write() as revision:
            seen.append(revision)
    assert seen == [1, 2, 3]
    assert store.revision == other.revision == 3


def test_revisions_of_concurrent_writers_commit_in_their_order(store: Store) -> None:
    """A reader of revision n never sees a lower one appear later."""
    seen: list[int] = []
    gate = threading.Barrier(3)

    def write(_: int) -> None:
        with store.database.session():
            gate.wait(10)
            for _ in range(15):
                with store.database.write() as revision:
                    seen.append(revision)

    with ThreadPoolExecutor(3) as threads:
        list(threads.map(write, range(3)))
    assert seen == list(range(1, 46))


def test_scalar_without_a_row_is_none(store: Store) -> None:
    with store.database.read():
        assert store.database.scalar(CounterRow.select(CounterRow.value).where(CounterRow.name == "no such")) is None


def test_session_closes_the_connection_of_its_thread_only(store: Store) -> None:
    store.add("/a")
    states: list[bool] = []

    def run() -> None:
        with store.database.session():
            store.jobs.counts()
            states.append(store.database._peewee.is_closed())
        states.append(store.database._peewee.is_closed())

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(10)
    assert states == [False, True]
    assert not store.database._peewee.is_closed()


def test_release_may_be_called_again_and_before_anything(store: Store) -> None:
    store.database.release()
    store.database.release()
    assert store.revision == 0


def test_durable_transactions_are_flushed(store: Store) -> None:
    levels = {}
    for durable in (True, False):
        with store.database.write(durable=durable):
            row = store.database._peewee.execute_sql("PRAGMA synchronous").fetchone()  # type: ignore[no-untyped-call]
            levels[durable] = row[0]
    assert levels == {True: 2, False: 1}


def test_writing_within_a_read_is_refused_before_anything_is_written(store: Store) -> None:
    def write_within() -> None:
        with store.database.read():
            store.jobs.counts()
            with store.database.write():
                pass

    with pytest.raises(RuntimeError, match="within a read transaction"):
        write_within()
    assert store.revision == 0


def test_a_write_within_a_write_is_part_of_it(store: Store) -> None:
    (job,) = store.add("/a")

    def write_both() -> None:
        with store.database.write() as outer:
            with store.database.write() as inner:
                assert inner == outer
                store.database.run(JobRow.update(resends=7).where(JobRow.id == job.row_id))
            raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011 - our own
        write_both()
    with store.database.read():
        assert store.database.scalar(JobRow.select(JobRow.resends)) == 0


def test_a_durable_write_is_never_part_of_one_that_is_not_flushed(store: Store) -> None:
    def write_both() -> None:
        with store.database.write(), store.database.write(durable=True):
            pass

    with pytest.raises(RuntimeError, match="durable"):
        write_both()
    with store.database.write(durable=True), store.database.write():
        pass
