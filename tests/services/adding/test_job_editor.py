"""The user's changes to the list."""

from __future__ import annotations

import logging
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from desktop_app.domain.errors import KnownError, StoreBusyError
from desktop_app.domain.job import NewFile, Status
from desktop_app.services.adding.job_editor import KEEP_REMOVED_MS, JobEditor
from desktop_app.services.control import ProcessingControl
from desktop_app.sources.file_list import FileList
from desktop_app.sources.scan import ScanResult
from desktop_app.store.adding import ROWS_A_PART, Intake
from desktop_app.store.results import Result, Work
from tests.helpers import a_reason
from tests.store.kit import quick_to_give_up

if TYPE_CHECKING:
    from pathlib import Path

    from desktop_app.domain.job import Job
    from desktop_app.services.adding.review import Review
    from tests.services.conftest import ServicesSetup

QUEUE = "the queue of now"


class CountingControl(ProcessingControl):
    """Counts how often the sender was woken."""

    def __init__(self, services: ServicesSetup) -> None:
        super().__init__()
        self.waiting_at_wake: list[int] = []
        self._services = services

    def wake_sender(self) -> None:
        self.waiting_at_wake.append(self._services.outbox.waiting(QUEUE))


class Service(JobEditor):
    """The real editor, with a queue for the tests."""

    def __init__(self, services: ServicesSetup) -> None:
        self.control = CountingControl(services)
        super().__init__(Intake(services.database), queue=QUEUE, clock=services.clock, control=self.control)


@pytest.fixture
def service(services: ServicesSetup) -> Service:
    return Service(services)


def add(services: ServicesSetup, service: Service, *paths: str) -> list[Job]:
    added = service.add([NewFile(path, 1, None) for path in paths], name="batch")
    return [services.jobs.find(job_id)[0] for job_id in added.job_ids]


def end(services: ServicesSetup, job: Job, *, reason: str = "") -> None:
    """Process a job without a consumer."""
    token = services.claim(job).token
    result = Result(
        job.row_id, token, services.clock.now_ms(), lines_count=None if reason else 1, reason=a_reason(reason)
    )
    assert Work(services.database).finish([result]) == [True]


def test_added_files_have_the_current_queue_and_time(services: ServicesSetup, service: Service) -> None:
    (job,) = add(services, service, "/a")
    assert (job.queue, job.created_at) == (QUEUE, services.clock.now_ms())


def test_log_has_one_line_for_each_batch_without_the_secrets_of_its_name(
    services: ServicesSetup, service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    files = [NewFile(f"/in/{number}.csv", 1, 0) for number in range(3)]
    service.add(files, name="3 files from https://me:hunter2222@host/in")
    (line,) = [record.getMessage() for record in caplog.records if "files added" in record.getMessage()]
    assert line.startswith("batch 1, 3 files from https://")
    assert line.endswith("host/in: 3 files added")
    assert "hunter2222" not in line


def test_sender_is_woken_after_entries_are_written(services: ServicesSetup, service: Service) -> None:
    jobs = add(services, service, "/a", "/b")
    assert service.control.waiting_at_wake == [2]
    end(services, jobs[0])
    service.retry([jobs[0].row_id])
    service.remove([jobs[0].row_id])
    assert len(service.control.waiting_at_wake) == 2, "removing leaves nothing to send"
    service.restore([jobs[0].row_id])
    assert service.control.waiting_at_wake == [2, 2, 2]


def test_sender_is_not_woken_when_nothing_could_be_written(
    services: ServicesSetup, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick_to_give_up(services.database, monkeypatch)
    with closing(sqlite3.connect(services.database.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreBusyError):
            add(services, service, "/a")
    assert len(service.control.waiting_at_wake) == 0


def test_retried_job_moves_to_the_current_queue(services: ServicesSetup, service: Service) -> None:
    (before,) = services.add("a.txt")
    end(services, before)
    assert before.queue != QUEUE
    assert service.retry([before.row_id]) == 1
    now = services.job(before)
    assert (now.queue, now.status, now.generation) == (QUEUE, Status.PENDING, 2)


def test_relocated_file_is_submitted_from_its_new_path(
    services: ServicesSetup, service: Service, tmp_path: Path
) -> None:
    (before,) = services.add("a.txt")
    found = tmp_path / "found.txt"
    found.write_text("12345")
    assert not service.relocate(before.row_id, str(found)), "it has not failed"
    end(services, before, reason="It is gone.")
    wakes = len(service.control.waiting_at_wake)
    assert service.relocate(before.row_id, str(found))
    now = services.job(before)
    assert (now.file_path, now.file_size, now.generation, now.queue) == (str(found), 5, 2, QUEUE)
    assert len(service.control.waiting_at_wake) == wakes + 1


@pytest.mark.parametrize("name", ["", "no such file"])
def test_only_an_ordinary_file_can_take_the_place_of_another(
    services: ServicesSetup, service: Service, tmp_path: Path, name: str
) -> None:
    (job,) = services.add("a.txt")
    end(services, job, reason="It is gone.")
    with pytest.raises(KnownError):
        service.relocate(job.row_id, str(tmp_path / name))
    assert services.job(job).generation == 1


def test_removed_job_is_restored(services: ServicesSetup, service: Service) -> None:
    (job,) = add(services, service, "/a")
    assert service.remove([job.row_id]) == 1
    assert list(services.jobs.all()) == []
    assert service.restore([job.row_id]) == 1
    assert services.job(job).generation == 2


def test_removed_job_is_forgotten_when_its_message_can_not_come_any_more(
    services: ServicesSetup, service: Service
) -> None:
    jobs = add(services, service, "/a", "/b")
    service.remove([jobs[0].row_id])
    services.clock.advance(KEEP_REMOVED_MS / 1000)
    assert service.delete_removed() == 0
    services.clock.advance(1)
    assert service.delete_removed() == 1
    assert service.restore([jobs[0].row_id]) == 0
    assert [job.file_path for job in services.jobs.all()] == ["/b"]


def test_messages_of_removed_jobs_are_recognized_for_longer_than_sqs_keeps_any() -> None:
    assert KEEP_REMOVED_MS > 14 * 24 * 60 * 60 * 1000


def reviewed(service: Service, *files: NewFile) -> Review:
    return service.review(ScanResult(FileList(files), ()))


def test_files_added_since_the_review_are_left_out(services: ServicesSetup, service: Service) -> None:
    files = [NewFile("/a", 1, 7), NewFile("/b", 1, 7), NewFile("/c", 1, None)]
    before = reviewed(service, *files)
    service.add([files[0], files[2], NewFile("/b", 1, 8)])
    added = service.add(before.files(again=False), name="rest", skip_since=before.revision)
    assert [services.jobs.find(job_id)[0].file_path for job_id in added.job_ids] == ["/b", "/c"]
    assert len(service.add(files, name="again").job_ids) == 3


def test_no_batch_is_created_if_all_files_are_on_the_list(services: ServicesSetup, service: Service) -> None:
    file = NewFile("/a", 1, 7)
    before = reviewed(service, file)
    service.add([file])
    wakes = len(service.control.waiting_at_wake)
    added = service.add(before.files(again=False), name="again", skip_since=before.revision)
    assert (added.batch_id, added.job_ids) == (0, ())
    now = reviewed(service, file)
    added = service.add(now.files(again=False), name="again", skip_since=now.revision)
    assert (added.batch_id, added.job_ids) == (0, ())
    assert len(services.jobs.batches()) == 1
    assert len(service.control.waiting_at_wake) == wakes


def test_batch_whose_addition_was_stopped_is_named_by_what_was_added(services: ServicesSetup, service: Service) -> None:
    files = [NewFile(f"/in/{number}", 1, None) for number in range(ROWS_A_PART + 1)]
    added = service.add(
        files, automatic_name=lambda added: f"{len(added)} files from in", proceed=lambda done: done < ROWS_A_PART
    )
    assert (len(added.job_ids), added.name) == (ROWS_A_PART, f"{ROWS_A_PART} files from in")
    assert [batch.name for batch in services.jobs.batches()] == [added.name]
