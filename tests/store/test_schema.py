"""Damage that SQLite does not notice: missing parts of the schema, and values that do not suit their columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from desktop_app.bootstrap import MIGRATIONS
from desktop_app.domain.errors import StoreDamagedError
from desktop_app.store.backups import Backups, check_database
from desktop_app.store.database import open_database
from tests.store.kit import Store, rows_of

if TYPE_CHECKING:
    from pathlib import Path

MISSING = {
    "a table": ("DROP TABLE outbox", "the table outbox is missing"),
    "a column": ("ALTER TABLE job DROP COLUMN resends", "the column job.resends is missing"),
    "an index": ("DROP INDEX job_uuid", "the index job_uuid is missing"),
    "the counter": ("DELETE FROM counter", "the counter revision is missing"),
}
UNSUITABLE = {
    "a status": ("UPDATE job SET status = 7", "job.status"),
    "a word as a time": ("UPDATE job SET created_at = 'yesterday'", "job.created_at"),
    "bytes as a path": ("UPDATE job SET file_path = x'ff'", "job.file_path"),
    "a fraction": ("UPDATE job SET file_size = 1.5", "job.file_size"),
    "text as bytes": ("UPDATE job SET raw_path = 'x'", "job.raw_path"),
    "the outcome of an attempt": ("UPDATE attempt SET outcome = 'lost'", "attempt.outcome"),
    "a word in the outbox": ("UPDATE outbox SET next_try_at = 'now'", "outbox.next_try_at"),
    "a word as the revision": ("UPDATE counter SET value = 'x'", "counter.value"),
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a database with a waiting and a processed file."""
    store = Store(tmp_path / "jobs.db")
    store.process(store.add("/a", "/b")[0])
    store.database.release()
    check_database(store.path)
    assert not Backups(store.path).is_needed()
    return store.path


@pytest.mark.parametrize(("statement", "detail"), MISSING.values(), ids=MISSING)
def test_missing_part_is_damage(path: Path, statement: str, detail: str) -> None:
    rows_of(path, statement)
    for use in (lambda: open_database(path, MIGRATIONS), lambda: check_database(path)):
        with pytest.raises(StoreDamagedError) as error:
            use()
        assert error.value.detail == detail
    assert Backups(path).is_needed()


@pytest.mark.parametrize(("statement", "detail"), UNSUITABLE.values(), ids=UNSUITABLE)
def test_unsuitable_value_is_found_by_the_check(path: Path, statement: str, detail: str) -> None:
    rows_of(path, statement)
    with pytest.raises(StoreDamagedError) as error:
        check_database(path)
    assert error.value.detail == f"{detail} has an invalid value"
    assert Backups(path).is_needed()


@pytest.mark.parametrize("statement", [MISSING["a table"][0], UNSUITABLE["a status"][0]])
def test_database_with_pending_migrations_is_not_compared_with_the_models(path: Path, statement: str) -> None:
    rows_of(path, "DELETE FROM schema_migration WHERE name > '0006'")
    rows_of(path, statement)
    check_database(path)


def test_more_than_the_models_describe_is_no_damage(path: Path) -> None:
    for statement in ("CREATE TABLE more (x)", "ALTER TABLE job ADD COLUMN more", "CREATE INDEX more_x ON more (x)"):
        rows_of(path, statement)
    check_database(path)
    open_database(path, MIGRATIONS).release()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE job SET status = 7",
        "UPDATE job SET created_at = 'yesterday'",
        "UPDATE job SET file_path = x'ff'",
        "UPDATE job SET file_path = CAST(x'ff' AS TEXT)",
        "UPDATE job SET file_size = 9e999",
    ],
)
def test_row_that_can_not_be_read_is_damage(path: Path, statement: str) -> None:
    store = Store(path)
    before = store.cursor
    rows_of(path, statement)
    rows_of(path, "UPDATE job SET revision = revision + 1000")
    for read in (lambda: list(store.jobs.all()), lambda: store.jobs.changes.since(before)):
        with pytest.raises(StoreDamagedError, match="is damaged or is not a Filemill database"):
            read()
    store.database.release()


@pytest.mark.parametrize("statement", ["DROP TABLE job", "ALTER TABLE job RENAME COLUMN file_path TO path"])
def test_schema_that_is_changed_while_it_is_used_is_damage(path: Path, statement: str) -> None:
    store = Store(path)
    rows_of(path, "PRAGMA foreign_keys = 0")
    rows_of(path, statement)
    with pytest.raises(StoreDamagedError):
        list(store.jobs.all())
    store.database.release()


@pytest.mark.parametrize(
    "statement",
    ["ALTER TABLE schema_migration RENAME COLUMN name TO title", "DELETE FROM schema_migration WHERE id > 2"],
)
def test_history_that_does_not_suit_is_damage(path: Path, statement: str) -> None:
    rows_of(path, statement)
    with pytest.raises(StoreDamagedError, match="is damaged or is not a Filemill database"):
        open_database(path, MIGRATIONS)
