"""The log shows what happened to each job, by its id, without a line for each of thousands of successes."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

from desktop_app.queues.messages import FileMessage, encode
from desktop_app.services.sending.dead_letters import DeadLetterWatcher
from desktop_app.store.claims import Claims
from tests.helpers.fakes import FakeConnector, in_use, received
from tests.services.conftest import QUEUE
from tests.services.consuming.running_consumer import RunningConsumer, message, suspect

if TYPE_CHECKING:
    import pytest

    from desktop_app.domain.job import Job
    from tests.services.conftest import ServicesSetup


def told(caplog: pytest.LogCaptureFixture, job: Job, level: int = logging.DEBUG) -> list[str]:
    mark = f"job {job.id}: "
    lines = [record.getMessage() for record in caplog.records if record.levelno >= level]
    return [line.removeprefix(mark) for line in lines if line.startswith(mark)]


def test_ordinary_job_is_logged_only_at_debug_level(running: RunningConsumer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", logger="desktop_app")
    jobs = running.services.add(*(f"{number}.txt" for number in range(20)))
    for start in (0, 10):
        running.deliver(*(message(job) for job in jobs[start : start + 10]))
    running.start()
    running.settled(20)
    running.stop()
    story = told(caplog, jobs[3])
    assert story[:2] == ["claimed, attempt 1 of submission 1", "message m, delivery 1"]
    assert story[2].startswith("attempt 1: processed, 2 lines, 4 bytes, ")
    assert [line for job in jobs for line in told(caplog, job, logging.INFO)] == []


def test_failed_job_is_logged_with_the_systems_text(running: RunningConsumer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", logger="desktop_app")
    (job,) = running.services.add("a.txt")
    (running.services.folder / "a.txt").unlink()
    running.deliver(message(job))
    running.start()
    running.settled(1)
    assert told(caplog, job) == [
        "attempt 1: failed (missing): The file no longer exists (ENOENT: No such file or directory)"
    ]


def test_failed_attempt_before_a_retry_is_logged(running: RunningConsumer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", logger="desktop_app")
    (job,) = running.services.add("a.txt")
    running.registry.acts["a.txt"] = in_use
    running.deliver(message(job))
    running.start()
    running.settled(1)
    (line,) = told(caplog, job)
    assert line.startswith("attempt 1: Another program is using this file; attempt 2 of 5 will follow (), again in ")


def test_job_of_a_crashed_program_is_logged(running: RunningConsumer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", logger="desktop_app")
    job = suspect(running, "a.txt")
    running.deliver(message(job))
    running.start()
    running.settled(1)
    assert [line.partition(",")[0].partition(" from")[0] for line in told(caplog, job)] == ["released", "claimed"]
    assert told(caplog, job)[1].endswith("whose last attempt ended without a result")


def test_dead_lettered_job_is_logged(running: RunningConsumer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", logger="desktop_app")
    (job,) = running.services.add("a.txt")
    dead = received(encode(FileMessage(job.id, 1)), count=5)
    running.client.dead_letters = lambda: running.client  # type: ignore[attr-defined]
    running.client.polls.append([dead])
    DeadLetterWatcher(Claims(running.services.database), FakeConnector(running.client), running.services.clock).do()
    assert told(caplog, job) == ["moved to the dead-letter queue after 5 deliveries"]


def test_retry_is_logged_for_a_few_jobs_but_not_for_thousands(
    services: ServicesSetup, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", logger="desktop_app")
    jobs = services.add("a", "b")
    keys = [job.row_id for job in jobs]
    services.intake.retry(keys, queue=f"not {QUEUE}")
    assert told(caplog, jobs[0], logging.INFO) == ["submitted again, submission 2"]
    many = services.add(*(f"f{number}" for number in range(100)))
    services.intake.retry([job.row_id for job in many], queue=f"not {QUEUE}")
    assert told(caplog, many[0], logging.INFO) == []
    assert told(caplog, many[0]) == ["submitted again, submission 2"]


def test_no_line_contains_a_message_body(running: RunningConsumer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", logger="desktop_app")
    (job,) = running.services.add("a.txt")
    running.deliver(message(job))
    running.start()
    running.settled(1)
    body = json.dumps(json.loads(encode(FileMessage(job.id, 1))))
    assert not any(body in record.getMessage() or "a.txt" in record.getMessage() for record in caplog.records)
