"""A real database with jobs, and helpers that change them as the loops would."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from desktop_app.domain.job import NewFile, Status
from desktop_app.domain.reasons import Reason, ReasonCode
from desktop_app.services.adding.job_editor import JobEditor
from desktop_app.services.control import ProcessingControl
from desktop_app.store.adding import Intake
from desktop_app.store.job_list import JobList
from desktop_app.store.models import JobRow
from desktop_app.store.rows import reason_columns
from tests.helpers import open_test_database
from tests.helpers.fakes import FakeClock

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

NOW_MS = 1_793_000_000_000
GONE = Reason(ReasonCode.FILE_GONE)


def without_display() -> dict[str, str]:
    """Return the environment of a process without a display."""
    absent = {"DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"}
    return {name: value for name, value in os.environ.items() if name not in absent}


class JobsDatabase:
    """The layers below the window."""

    def __init__(self, path: Path) -> None:
        self.database = open_test_database(path)
        self.session = self.database.session
        self.clock = FakeClock(NOW_MS / 1000)
        self.jobs = JobList(self.database, self.clock)
        self.control = ProcessingControl()
        self.intake = JobEditor(Intake(self.database), queue="local", clock=self.clock, control=self.control)

    def add(self, *names: str, size: int | None = 1000) -> list[int]:
        """Add jobs with these names; return their keys."""
        before = set(self.jobs.ids())
        self.intake.add([NewFile(name if name.startswith("/") else f"/in/{name}", size, 0) for name in names])
        return [key for key in self.jobs.ids() if key not in before]

    def add_many(self, count: int) -> list[int]:
        return self.add(*(f"file{number}.txt" for number in range(count)))

    def change(self, keys: int | Sequence[int], **fields: Any) -> None:
        """Write rows as another thread or program would."""
        chosen = [keys] if isinstance(keys, int) else list(keys)
        for start in range(0, len(chosen), 500):
            with self.database.write() as revision:
                self.database.run(
                    JobRow.update(revision=revision, **fields).where(JobRow.id.in_(chosen[start : start + 500]))
                )

    def fail(self, keys: int | Sequence[int], reason: Reason = GONE) -> None:
        self.change(
            keys,
            status=Status.FAILED,
            **reason_columns(reason),
            started_at=NOW_MS,
            finished_at=NOW_MS + 100,
        )

    def finish(self, keys: int | Sequence[int], lines: int = 7) -> None:
        self.change(keys, status=Status.PROCESSED, lines_count=lines, started_at=NOW_MS, finished_at=NOW_MS + 800)

    def statuses(self) -> list[str]:
        return [job.status.name for job in self.jobs.all()]
