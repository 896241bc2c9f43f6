"""Paused batches in the terminal: `filemill continue`, what `status` says, and when `worker --until-idle` ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from desktop_app.domain.reasons import ReasonCode
from desktop_app.store.held_batches import HeldBatches
from tests.cli.test_worker import Loop, WorkerParts, parts

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Cli, JobSetup

__all__ = ["parts"]


@pytest.fixture
def paused(tmp_path: Path, cli: Cli, setup: JobSetup) -> list[str]:
    """Add a batch of three files, one of which has failed, and pause it."""
    for number in range(3):
        (tmp_path / f"{number}.txt").touch()
    ids = cli.submit(*(tmp_path / f"{number}.txt" for number in range(3)), "--name", "photos")
    setup.fail(ids[0])
    pause(setup, ids[0])
    return ids


def pause(setup: JobSetup, job_id: str) -> None:
    (job,) = setup.program.jobs.find(job_id)
    code = job.reason.code if job.reason else ReasonCode.FILE_GONE
    assert HeldBatches(setup.program.database).hold(job.batch_id, code, now_ms=1)


def test_status_says_which_batch_is_paused_and_why(cli: Cli, paused: list[str]) -> None:
    outcome = cli("status")
    assert outcome.code == 0
    (complaint,) = outcome.complaints
    assert "The batch “photos” is paused: 1 of its 3 files failed for the same reason (" in complaint
    assert "Waiting: 2 files." in complaint
    assert "`filemill continue`" in complaint
    assert outcome.out.count("The batch is paused, because many of its files failed for the same reason") == 2


def test_json_gives_the_pause_as_the_reason(cli: Cli, paused: list[str]) -> None:
    jobs = {job["id"]: job for job in cli("status", "--json").jobs}
    assert jobs[paused[1]]["reason"] == "The batch is paused, because many of its files failed for the same reason"
    assert jobs[paused[1]]["status"] == "PENDING"


@pytest.mark.parametrize("words", [["photos"], ["--all"]])
def test_continue_by_name_or_all(cli: Cli, paused: list[str], words: list[str]) -> None:
    assert cli("continue", *words).out == "Continued one batch.\n"
    assert cli("status").err == ""
    assert cli("continue", "--all").out == "Continued 0 batches.\n"


def test_continue_needs_to_know_which_batches(cli: Cli, paused: list[str]) -> None:
    assert cli("continue").code == 2
    assert cli("continue", "--all", "photos").code == 2
    outcome = cli("continue", "photos", "others")
    assert outcome.code == 1
    assert "No paused batch is called “others”. Nothing was changed." in outcome.err
    assert cli("status").err != ""


def test_until_idle_ends_with_an_error_if_only_paused_batches_are_left(
    cli: Cli, parts: WorkerParts, paused: list[str]
) -> None:
    outcome = cli("worker", "--until-idle")
    assert outcome.code == 1
    assert outcome.err.count("The batch “photos” is paused") == 1
    assert outcome.out == "3 files: 2 PENDING, 0 PROCESSING, 0 PROCESSED, 1 FAILED\n"
    assert parts.consumer.ended


def test_until_idle_processes_the_other_batches_first(
    tmp_path: Path, cli: Cli, parts: WorkerParts, setup: JobSetup, paused: list[str]
) -> None:
    (tmp_path / "other.txt").touch()
    other = cli.submit(tmp_path / "other.txt")
    parts.consumer = Loop(lambda: setup.finish_all(other))
    assert cli("worker", "--until-idle").code == 1
    assert cli("status", "--json", *other).jobs[0]["status"] == "PROCESSED"


def test_batch_that_is_paused_meanwhile_is_reported_once(
    tmp_path: Path, cli: Cli, parts: WorkerParts, setup: JobSetup
) -> None:
    (tmp_path / "a.txt").touch()
    ids = cli.submit(tmp_path / "a.txt", "--name", "late")

    def pause_and_release() -> None:
        pause(setup, ids[0])
        setup.program.database.release()

    parts.consumer = Loop(pause_and_release)
    outcome = cli("worker", "--until-idle")
    assert (outcome.code, outcome.err.count("The batch “late” is paused. Waiting: 1 file.")) == (1, 1)


@pytest.mark.parametrize(("words", "brakes"), [([], True), (["--no-brake"], False)])
def test_brake_can_be_switched_off(
    cli: Cli, parts: WorkerParts, paused: list[str], words: list[str], brakes: bool
) -> None:
    cli("worker", "--until-idle", *words)
    assert parts.program is not None
    assert parts.program.control.brakes is brakes


def test_typo_does_not_fail_all_files(tmp_path: Path, cli: Cli) -> None:
    """The real loops, on the local queue: the files are gone, except those of another batch."""
    gone, kept = tmp_path / "gone", tmp_path / "kept"
    for folder, count in ((gone, 500), (kept, 20)):
        folder.mkdir()
        for number in range(count):
            (folder / f"{number}.txt").touch()
    cli.submit("--recursive", gone)
    cli.submit("--recursive", kept)
    for file in gone.iterdir():
        file.unlink()
    outcome = cli("worker", "--until-idle")
    assert outcome.code == 1
    assert "failed for the same reason (The file no longer exists)" in outcome.err
    statuses = [(job["status"], job["attempts"]) for job in cli("status", "--json").jobs]
    assert statuses.count(("PROCESSED", 1)) == 20
    assert 100 < statuses.count(("FAILED", 1)) < 500
    assert statuses.count(("PENDING", 0)) == 500 - statuses.count(("FAILED", 1))
    cli("continue", "--all")
    assert cli("worker", "--until-idle").code == 0
    statuses = [(job["status"], job["attempts"]) for job in cli("status", "--json").jobs]
    assert (statuses.count(("PROCESSED", 1)), statuses.count(("FAILED", 1))) == (20, 500)
