"""Files that were processed long ago are removed from the list."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from desktop_app.config.settings import Settings
from desktop_app.domain.errors import SettingsError
from desktop_app.domain.job import Status
from desktop_app.services.adding.job_editor import JobEditor
from desktop_app.services.control import ProcessingControl
from desktop_app.services.sending import periodic_tasks
from desktop_app.services.sending.periodic_tasks import RetentionTask
from desktop_app.store.results import Result, Work
from tests.helpers import a_reason

if TYPE_CHECKING:
    from desktop_app.domain.job import Job
    from tests.services.conftest import ServicesSetup

DAY = 24 * 3600.0


class Retention:
    """The task, with settings that a test changes."""

    def __init__(self, services: ServicesSetup) -> None:
        self.services = services
        self.settings = Settings(keep_days=30)
        self.editor = JobEditor(services.intake, queue="q", clock=services.clock, control=ProcessingControl())
        self.task = RetentionTask(self.editor, lambda: self.settings, services.clock)

    def process(self, *names: str, reason: str = "") -> list[Job]:
        jobs = self.services.add(*names)
        now = self.services.clock.now_ms()
        for job in jobs:
            token = self.services.claim(job).token
            Work(self.services.database).finish([Result(job.row_id, token, now, reason=a_reason(reason))])
        return jobs

    @property
    def names(self) -> list[str]:
        return [job.name for job in self.services.jobs.all()]


@pytest.fixture
def retention(services: ServicesSetup) -> Retention:
    return Retention(services)


def test_processed_files_are_removed_after_the_days_and_failed_ones_never(
    retention: Retention, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="desktop_app")
    retention.process("old", "older")
    retention.process("failed", reason="No.")
    retention.services.add("waiting")
    retention.services.clock.advance(29 * DAY)
    retention.process("new")
    retention.task.do()
    assert retention.names == ["old", "older", "failed", "waiting", "new"]
    retention.services.clock.advance(DAY + 1)
    retention.task.do()
    assert retention.names == ["failed", "waiting", "new"]
    texts = [record.getMessage() for record in caplog.records if record.name.endswith("periodic_tasks")]
    assert texts == ["removed 2 files from the list that were processed at least 30 days ago"]
    assert all((retention.services.folder / name).exists() for name in ("old", "older"))


def test_it_runs_at_the_start_and_once_an_hour_with_the_settings_of_that_time(retention: Retention) -> None:
    retention.settings = Settings()
    retention.process("a")
    retention.services.clock.advance(100 * DAY)
    retention.task.do()
    assert retention.names == ["a"], "off by default"
    retention.settings = Settings(keep_days=99)
    retention.services.clock.advance(3599)
    retention.task.do()
    assert retention.names == ["a"]
    retention.services.clock.advance(1)
    retention.task.do()
    assert retention.names == []


def test_files_that_the_user_removes_at_the_same_time_can_be_restored_alone(retention: Retention) -> None:
    jobs = retention.process("old", "chosen")
    retention.services.clock.advance(31 * DAY)
    removed_at = retention.editor.removal_time()
    retention.editor.remove([jobs[1].row_id], removed_at=removed_at)
    retention.task.do()
    assert retention.names == []
    assert retention.editor.restore([job.row_id for job in jobs], removed_at={removed_at}) == 1
    assert retention.names == ["chosen"]


def test_many_files_are_removed_in_portions_so_that_the_sender_goes_on(
    retention: Retention, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(periodic_tasks, "REMOVED_AT_ONCE", 2)
    retention.process(*"abcdefghi")
    retention.services.clock.advance(31 * DAY)
    remove = retention.editor.remove_processed

    def slow(*, older_than_days: int, limit: int) -> int:
        retention.services.clock.advance(0.3)
        return remove(older_than_days=older_than_days, limit=limit)

    monkeypatch.setattr(retention.editor, "remove_processed", slow)
    left = []
    for _ in range(4):
        retention.task.do()
        left.append(len(retention.names))
        retention.services.clock.advance(60)
    assert left == [5, 1, 0, 0]


def test_unreadable_settings_remove_nothing_and_are_read_again_soon(retention: Retention) -> None:
    def unreadable() -> Settings:
        raise SettingsError("not valid")

    retention.process("a")
    retention.services.clock.advance(31 * DAY)
    task = RetentionTask(retention.editor, unreadable, retention.services.clock)
    with pytest.raises(SettingsError):
        task.do()
    assert [job.status for job in retention.services.jobs.all()] == [Status.PROCESSED]
    with pytest.raises(SettingsError):
        task.do()
