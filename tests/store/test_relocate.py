"""Relocating a file: the same job with a new path and a new submission."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from desktop_app.domain.job import NewFile, Status
from desktop_app.store.claims import ClaimOutcome
from tests.store.kit import QUEUE, Store

if TYPE_CHECKING:
    from desktop_app.domain.job import Job

FOUND = NewFile("/other/file10.txt", 77, 5)


@pytest.fixture
def job(store: Store) -> Job:
    (job,) = store.add("/data/a.txt")
    store.send()
    store.process(job, reason="It is gone.")
    return store.job(job)


def test_job_is_submitted_again_with_its_new_path(store: Store, job: Job) -> None:
    assert store.intake.relocate(job.row_id, FOUND, queue="q2")
    now = store.job(job)
    assert (now.file_path, now.file_size, now.status, now.generation, now.queue) == (
        "/other/file10.txt",
        77,
        Status.PENDING,
        2,
        "q2",
    )
    assert (now.reason, now.attempts, now.message_id) == (None, 0, None)
    assert store.column("name_key", job) == "file00210.txt"
    assert store.column("modified_ns", job) == 5
    assert store.outbox_rows() == [(job.row_id, 2)]


def test_message_of_the_previous_submission_is_past(store: Store, job: Job) -> None:
    store.intake.relocate(job.row_id, FOUND, queue=QUEUE)
    assert store.claim(job, generation=1).outcome is ClaimOutcome.STALE
    claim = store.claim(job, generation=2)
    assert claim.job is not None
    assert claim.job.file_path == FOUND.path


@pytest.mark.skipif(os.name != "posix", reason="names that are not text")
def test_path_that_is_not_text_is_kept_byte_for_byte(store: Store, job: Job) -> None:
    store.intake.relocate(job.row_id, NewFile("/other/\udce9", 1, 1), queue=QUEUE)
    assert store.job(job).file_path == "/other/\udce9"
    store.process(store.job(job), reason="Again.")
    store.intake.relocate(job.row_id, FOUND, queue=QUEUE)
    assert store.job(job).file_path == FOUND.path


@pytest.mark.parametrize("state", ["pending", "processing", "processed", "removed"])
def test_job_that_has_not_failed_keeps_its_path(store: Store, state: str) -> None:
    (job,) = store.add("/data/b.txt")
    token = 0 if state == "pending" else store.start(job)
    if state == "processed":
        store.finish(job, token)
    if state == "removed":
        store.finish(job, token, reason="No.")
        store.intake.remove([job.row_id], now_ms=0)
    assert not store.intake.relocate(job.row_id, FOUND, queue=QUEUE)
    assert store.column("file_path", job) == "/data/b.txt"
    assert store.column("generation", job) == 1
