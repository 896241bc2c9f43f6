"""Run the command line in this process on a real database, with jobs in every state."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from desktop_app.__main__ import main
from desktop_app.bootstrap import Program, open_program
from desktop_app.store.claims import ClaimRequest, Claims
from desktop_app.store.results import Result, Work
from tests.helpers import a_reason

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from desktop_app.domain.job import Job

TICK = 1_700_000_000_000


@dataclass(frozen=True)
class Outcome:
    """The result of a command: its exit code and output."""

    code: int
    out: str
    err: str

    @property
    def jobs(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def complaints(self) -> list[str]:
        return self.err.splitlines()


class Cli:
    """Runs `filemill` with the given arguments."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *words: str | Path) -> Outcome:
        self._capsys.readouterr()
        code = main([os.fspath(word) for word in words])
        return Outcome(code, *self._capsys.readouterr())

    def submit(self, *words: str | Path) -> list[str]:
        """Add files; return their ids."""
        outcome = self("submit", "--json", *words)
        assert outcome.code == 0, outcome.err
        return [job["id"] for job in outcome.jobs]


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Cli:
    return Cli(capsys)


class JobSetup:
    """A program on the test's home folder, to inspect the database and to change jobs without a queue."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._work = Work(program.database)

    def job(self, job_id: str) -> Job:
        (job,) = self.program.jobs.find(job_id)
        return job

    def start(self, job_id: str) -> tuple[int, int]:
        """Make a job PROCESSING; return its row and token."""
        request = ClaimRequest(job_id, self.job(job_id).generation, "m-1", 1)
        (claim,) = Claims(self.program.database).claim([request], worker="here/test", now_ms=TICK, lease_ms=60_000)
        assert claim.job is not None
        return claim.job.row_id, claim.token

    def finish(self, job_id: str, *, lines: int = 1, size: int | None = None) -> None:
        row, token = self.start(job_id)
        result = Result(row, token, TICK + 1500, size, lines)
        assert self._work.finish([result]) == [True]

    def finish_all(self, job_ids: list[str]) -> None:
        """Make jobs PROCESSED, on a thread that then ends."""
        for job_id in job_ids:
            self.finish(job_id)
        self.program.database.release()

    def fail(self, job_id: str, reason: str = "The file no longer exists", *, at_ms: int = TICK + 1500) -> None:
        row, token = self.start(job_id)
        assert self._work.finish([Result(row, token, at_ms, reason=a_reason(reason))]) == [True]

    def names(self) -> list[str]:
        return [job.name for job in self.program.jobs.all()]


@pytest.fixture
def setup(isolated_environment: Path) -> Iterator[JobSetup]:
    program = open_program()
    yield JobSetup(program)
    program.close()


@pytest.fixture
def three(tmp_path: Path, cli: Cli, setup: JobSetup) -> list[str]:
    """Return the ids of three files on the list: one PENDING, one PROCESSED, one FAILED."""
    for name in ("one.txt", "two.txt", "three.txt"):
        (tmp_path / name).write_bytes(b"a\nb\n")
    ids = cli.submit(tmp_path / "one.txt", tmp_path / "two.txt", tmp_path / "three.txt")
    setup.finish(ids[1], lines=2, size=4)
    setup.fail(ids[2])
    return ids
