from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QCoreApplication
from PySide6.QtTest import QSignalSpy

from desktop_app.bootstrap import MIGRATIONS
from desktop_app.domain.errors import StoreError
from desktop_app.domain.job import Changes, Cursor, StatusCounts
from desktop_app.gui.table import job_feed
from desktop_app.gui.table.job_feed import JobFeed, Totals
from desktop_app.gui.tasks import Tasks
from desktop_app.store.change_feed import ChangeFeed
from desktop_app.store.database import open_database
from desktop_app.store.job_list import JobList

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from tests.gui.jobs_database import JobsDatabase


def test_many_writes_between_two_looks_are_one_change(jobs_db: JobsDatabase, qtbot: QtBot) -> None:
    jobs_db.add("old")
    feed = JobFeed(jobs_db.jobs.changes)
    feed.start()
    spy = QSignalSpy(feed.changed)
    keys = jobs_db.add("a", "b")
    jobs_db.finish(keys[0])
    with qtbot.waitSignal(feed.changed) as seen:
        pass
    changes = seen.args[0]
    assert isinstance(changes, Changes)
    assert [job.name for job in changes.jobs] == ["a", "b"]
    feed.look()
    assert spy.count() == 1
    feed.stop()


def test_problem_and_recovery_are_reported_once(
    jobs_db: JobsDatabase, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    feed = JobFeed(jobs_db.jobs.changes)
    feed.start()
    said: list[str] = []
    feed.problem.connect(lambda error: said.append(error.text))
    with monkeypatch.context() as broken:
        broken.setattr(ChangeFeed, "since", _refuse)
        feed.look()
        feed.look()
    assert said == ["No disk."]
    jobs_db.add("a")
    with qtbot.waitSignals([feed.recovered, feed.changed]):
        feed.look()
    feed.stop()


def _refuse(*_: object) -> None:
    raise StoreError("No disk.")


@pytest.fixture
def no_poll(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_feed, "IDLE_MS", 100_000)


def test_write_on_another_thread_is_shown_without_a_poll(jobs_db: JobsDatabase, no_poll: None, qtbot: QtBot) -> None:
    feed = JobFeed(jobs_db.jobs.changes)
    feed.start()

    def add() -> None:
        with jobs_db.session():
            jobs_db.add("a")

    for _ in range(3):  # at once, and after a moment
        thread = threading.Thread(target=add)
        with qtbot.waitSignal(feed.changed):
            thread.start()
        thread.join()
    feed.stop()


def test_stopped_feed_follows_nothing(jobs_db: JobsDatabase, no_poll: None, qtbot: QtBot) -> None:
    feed = JobFeed(jobs_db.jobs.changes)
    feed.start()
    jobs_db.add("a")
    feed.stop()
    jobs_db.add("b")
    with qtbot.assertNotEmitted(feed.changed):
        QCoreApplication.processEvents()


def test_writes_of_another_program_are_followed_more_closely_while_it_works(
    jobs_db: JobsDatabase, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    monkeypatch.setattr(job_feed, "IDLE_MS", 30)
    monkeypatch.setattr(job_feed, "WORKING_MS", 20)
    feed = JobFeed(jobs_db.jobs.changes)
    feed.start()
    other = open_database(jobs_db.database.path, MIGRATIONS)
    with other.session():
        changed = QSignalSpy(feed.changed)
        with other.write():
            pass
        qtbot.waitUntil(lambda: changed.count() == 1)
        assert feed._poll.interval() == 20
    qtbot.waitUntil(lambda: feed._poll.interval() == 30)
    feed.stop()


def test_totals_include_changes_made_while_counting(jobs_db: JobsDatabase, qtbot: QtBot) -> None:
    tasks = Tasks(jobs_db.session, threads=1)
    totals = Totals(jobs_db.jobs, tasks)
    totals.count()
    jobs_db.add("a", "b")
    totals.count()
    totals.count()
    qtbot.waitUntil(lambda: totals.counts == StatusCounts(pending=2))
    tasks.close(1000)


def test_totals_are_counted_again_after_an_error(
    jobs_db: JobsDatabase, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    monkeypatch.setattr(job_feed, "_RETRY_MS", 0)
    tasks = Tasks(jobs_db.session, threads=1)
    jobs_db.add("a")
    count_jobs, calls = jobs_db.jobs.counts, []

    def fail_twice(_reader: JobList) -> StatusCounts:
        calls.append(1)
        if len(calls) <= 2:
            raise StoreError("No disk.")
        return count_jobs()

    monkeypatch.setattr(JobList, "counts", fail_twice)
    totals = Totals(jobs_db.jobs, tasks)
    totals.count()
    qtbot.waitUntil(lambda: totals.counts.total == 1)
    assert len(calls) == 3
    tasks.close(1000)


def test_counts_follow_after_a_bug(jobs_db: JobsDatabase, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot) -> None:
    """A bug in one count must not freeze the counts for ever."""
    tasks = Tasks(jobs_db.session, threads=1)
    totals = Totals(jobs_db.jobs, tasks)
    bugs: list[object] = []
    monkeypatch.setattr("sys.excepthook", lambda *bug: bugs.append(bug))
    count, first = totals._task._prepare, [True]

    def fail_first() -> object:
        if first.pop():
            raise ZeroDivisionError
        return None

    monkeypatch.setattr(totals._task, "_prepare", lambda: fail_first)
    totals.count()
    qtbot.waitUntil(lambda: len(bugs) == 1)
    monkeypatch.setattr(totals._task, "_prepare", count)
    jobs_db.add("a", "b")
    totals.count()
    qtbot.waitUntil(lambda: totals.counts == StatusCounts(pending=2))
    tasks.close(1000)


def test_replaced_database_is_reported_before_its_changes(jobs_db: JobsDatabase, qtbot: QtBot) -> None:
    jobs_db.add("old")
    feed = JobFeed(jobs_db.jobs.changes)
    feed.start()
    order: list[str] = []
    feed.replaced.connect(lambda: order.append("replaced"))
    feed.changed.connect(lambda changes: order.append(f"changed {changes.overflow}"))
    feed._cursor = Cursor(99, epoch=7)
    feed.look()
    assert order == ["replaced", "changed True"]
    feed.stop()
