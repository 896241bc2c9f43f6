from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtTest import QSignalSpy

from desktop_app.domain.errors import StoreError
from desktop_app.domain.job import Changes, Cursor, StatusCounts
from desktop_app.gui.table import job_feed
from desktop_app.gui.table.job_feed import JobFeed, Totals
from desktop_app.gui.tasks import Tasks
from desktop_app.store.change_feed import ChangeFeed
from desktop_app.store.job_list import JobList

if TYPE_CHECKING:
    import pytest
    from pytestqt.qtbot import QtBot

    from tests.gui.jobs_database import JobsDatabase


def test_many_writes_between_two_polls_are_one_change(jobs_db: JobsDatabase, qtbot: QtBot) -> None:
    jobs_db.add("old")
    feed = JobFeed(jobs_db.jobs.changes)
    feed.start()
    spy = QSignalSpy(feed.changed)
    keys = jobs_db.add("a", "b")
    jobs_db.finish(keys[0])
    with qtbot.waitSignal(feed.changed) as seen:
        pass  # the timer finds it
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
        broken.setattr(ChangeFeed, "cursor", _refuse)
        feed.look()
        feed.look()
    assert said == ["No disk."]
    jobs_db.add("a")
    with qtbot.waitSignals([feed.recovered, feed.changed]):
        feed.look()
    feed.stop()


def _refuse(*_: object) -> None:
    raise StoreError("No disk.")


def test_feed_polls_four_times_a_second() -> None:
    assert job_feed.EVERY_MS == 250


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
