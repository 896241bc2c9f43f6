"""A real database, a clock that a test moves, and files to process."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from desktop_app.domain.fields import DEFAULT_PROCESSOR, Choice
from desktop_app.domain.job import Job, NewFile
from desktop_app.services.control import ProcessingControl
from desktop_app.services.worker_identity import WorkerIdentity
from desktop_app.store.adding import Intake
from desktop_app.store.claims import Claim, ClaimRequest, Claims
from desktop_app.store.job_list import JobList
from desktop_app.store.outbox import Outbox
from tests.helpers import open_test_database
from tests.helpers.fakes import FakeClock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from desktop_app.store.database import Database
    from tests.services.consuming.running_consumer import RunningConsumer

QUEUE = "q"


class ServicesSetup:
    """The database, clock and files of a test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database: Database = open_test_database(folder / "jobs.db")
        self.clock = FakeClock()
        self.jobs = JobList(self.database)
        self.intake = Intake(self.database)
        self.outbox = Outbox(self.database)
        self.identity = WorkerIdentity(self.database.path)

    def add(self, *names: str, content: str = "a\nb\n", processor: str = DEFAULT_PROCESSOR) -> list[Job]:
        """Create files and submit them."""
        files = []
        for name in names:
            path = self.folder / name
            path.write_text(content)
            files.append(NewFile(str(path), len(content), None))
        now = self.clock.now_ms()
        added = self.intake.add(files, queue=QUEUE, name="batch", now_ms=now, choice=Choice(processor))
        return [self.jobs.find(job_id)[0] for job_id in added.job_ids]

    def job(self, job: Job) -> Job:
        """Return the current job."""
        return self.jobs.page([job.row_id])[job.row_id]

    def claim(self, job: Job, *, worker: str = "elsewhere/x", lease_ms: int = 20_000) -> Claim:
        """Claim a row as another program does."""
        request = ClaimRequest(job.id, job.generation, "m", 1)
        (claim,) = Claims(self.database).claim([request], worker=worker, now_ms=self.clock.now_ms(), lease_ms=lease_ms)
        return claim

    def close(self) -> None:
        self.identity.close()
        self.database.release()


@pytest.fixture
def services(tmp_path: Path) -> Iterator[ServicesSetup]:
    services = ServicesSetup(tmp_path)
    yield services
    services.close()


@pytest.fixture
def control() -> ProcessingControl:
    return ProcessingControl()


@pytest.fixture
def concurrency() -> int:
    """Return the number of threads of `running`; a module can override this."""
    return 2


@pytest.fixture
def running(services: ServicesSetup, concurrency: int, control: ProcessingControl) -> Iterator[RunningConsumer]:
    """Return a consumer that is stopped at the end if the test has started it."""
    from tests.services.consuming.running_consumer import RunningConsumer  # it needs this file

    with RunningConsumer(services, concurrency, control) as running:
        yield running
