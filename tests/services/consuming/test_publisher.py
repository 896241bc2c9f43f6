"""The output of commands: published once the result is committed, discarded if the lease was lost."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from desktop_app.config.presets import Preset, PresetFile, save_preset
from desktop_app.domain.job import Status
from desktop_app.processing.outputs import Outputs
from desktop_app.processing.registry import default_registry
from desktop_app.services.consuming import consumer as consumer_module
from desktop_app.services.consuming.publisher import Publisher
from desktop_app.services.control import ProcessingControl
from desktop_app.store.adding import Intake
from desktop_app.store.models import JobRow
from desktop_app.store.results import Result, Work
from tests.helpers import wait_until
from tests.services.conftest import QUEUE
from tests.services.consuming.running_consumer import RunningConsumer, message

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from desktop_app.processing.outputs import Staged
    from desktop_app.store.claims import Claim
    from tests.services.conftest import ServicesSetup

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the commands are for a POSIX shell")


class PublisherSetup:
    """A publisher, and the output folders of this and another program."""

    def __init__(self, services: ServicesSetup, folder: Path) -> None:
        self.services = services
        self.destination = folder / "out"
        self.destination.mkdir()
        self.alive = {"me"}
        self.work = Work(services.database)
        self.outputs = Outputs(services.database.path, "me")
        self.publisher = Publisher(self.outputs, self.work, owner="me", is_alive=self.alive.__contains__)

    def staged(self, claim: Claim, owner: str = "me") -> Staged:
        assert claim.job is not None
        outputs = Outputs(self.services.database.path, owner)
        staged = outputs.begin(f"{claim.job.id}-{claim.token}", self.destination, replaces=False)
        (staged.folder / f"{claim.token}.txt").write_text("x")
        return staged

    def finish(self, claim: Claim) -> None:
        assert claim.job is not None
        assert self.work.finish([Result(claim.job.row_id, claim.token, self.services.clock.now_ms(), 1)]) == [True]

    def recover(self) -> list[str]:
        """Recover, and return what is in the destination then."""
        self.publisher.recover()
        self.publisher.join(30)
        return sorted(path.name for path in self.destination.iterdir())


@pytest.fixture
def setup(services: ServicesSetup, tmp_path: Path) -> PublisherSetup:
    return PublisherSetup(services, tmp_path)


@pytest.mark.parametrize("owner", ["me", "dead"])
def test_files_of_a_committed_attempt_are_published(setup: PublisherSetup, owner: str) -> None:
    (job,) = setup.services.add("a")
    claim = setup.services.claim(job)
    setup.staged(claim, owner)
    setup.finish(claim)
    assert setup.recover() == ["1.txt"]
    assert setup.outputs.left() == []
    assert setup.recover() == ["1.txt"]


def test_files_of_a_committed_attempt_are_published_although_the_file_was_retried(setup: PublisherSetup) -> None:
    (job,) = setup.services.add("a")
    claim = setup.services.claim(job)
    assert claim.job is not None
    setup.staged(claim, "dead")
    setup.finish(claim)
    intake = Intake(setup.services.database)
    assert intake.retry([claim.job.row_id], queue=QUEUE) == 1
    assert setup.recover() == ["1.txt"]


def test_files_of_a_lost_lease_are_discarded(setup: PublisherSetup) -> None:
    (job,) = setup.services.add("a")
    lost = setup.services.claim(job, lease_ms=0)
    setup.staged(lost, "dead")
    setup.staged(lost._replace(token=7), "dead")
    kept = setup.services.claim(job)
    setup.staged(kept)
    assert setup.recover() == [f".filemill-{job.id}-2"], "the attempt that is in progress is left alone"
    setup.finish(kept)
    assert setup.recover() == ["2.txt"]


def test_files_of_an_attempt_that_died_are_discarded(setup: PublisherSetup) -> None:
    (job,) = setup.services.add("a")
    setup.staged(setup.services.claim(job), "dead")
    assert setup.recover() == []


def test_files_of_a_program_that_is_running_are_left_to_it(setup: PublisherSetup) -> None:
    setup.alive.add("other")
    one, two = setup.services.add("a", "b")
    for job in (one, two):
        setup.staged(setup.services.claim(job), "other")
    claim = setup.services.claim(one, lease_ms=0)
    assert claim.job is None
    assert setup.recover() == sorted(f".filemill-{job.id}-1" for job in (one, two))


def test_files_of_a_job_that_is_not_in_the_database_are_discarded(setup: PublisherSetup) -> None:
    (job,) = setup.services.add("a")
    claim = setup.services.claim(job)
    assert claim.job is not None
    setup.staged(claim._replace(job=claim.job._replace(id="00000000-0000-4000-8000-000000000000")))
    assert setup.recover() == []


def test_files_that_can_not_be_published_now_are_published_later(
    setup: PublisherSetup, caplog: pytest.LogCaptureFixture
) -> None:
    (job,) = setup.services.add("a")
    claim = setup.services.claim(job)
    setup.staged(claim)
    setup.finish(claim)
    unmounted = setup.destination.with_name("unmounted")
    setup.destination.rename(unmounted)
    with caplog.at_level("INFO"):
        for _ in range(2):
            setup.publisher.recover()
            setup.publisher.join(30)
    assert [f"job {job.id}: its output can't be moved" in record.getMessage() for record in caplog.records] == [True]
    unmounted.rename(setup.destination)
    assert setup.recover() == ["1.txt"]


@pytest.mark.expected_log("bug while publishing", level="ERROR")
def test_bug_does_not_end_the_thread(setup: PublisherSetup, monkeypatch: pytest.MonkeyPatch) -> None:
    (job,) = setup.services.add("a")
    claim = setup.services.claim(job)
    staged = setup.staged(claim)
    setup.finish(claim)
    with monkeypatch.context() as patch:
        patch.setattr(setup.outputs, "publish", lambda _: 1 / 0)
        setup.publisher.publish(staged)
        setup.publisher.join(30)
    assert setup.recover() == ["1.txt"]


@contextmanager
def consuming(services: ServicesSetup, script: str) -> Iterator[RunningConsumer]:
    """Enter a context with a running consumer that has one command; in the end, no output folder is left."""
    preset = Preset("test", argv=("sh", "-c", script, "sh", "{path}"), output="{folder}/out")
    outputs = Outputs(services.database.path, services.identity.name)
    with RunningConsumer(services, processing=default_registry(presets=[preset], outputs=outputs)) as running:
        running.start()
        yield running
    assert outputs.left() == []


def test_command_is_run_for_each_file_and_its_output_published(services: ServicesSetup) -> None:
    names = [f"{number}.txt" for number in range(20)]
    jobs = services.add(*names, content="x", processor="command:test")
    with consuming(services, 'cp "$1" .; echo "{{\\"answer\\": 42}}"') as running:
        running.deliver(*map(message, jobs))
        running.settled(20)
        done = [services.job(job) for job in jobs]
        assert {job.status for job in done} == {Status.PROCESSED}, done[0].reason
        out = services.folder / "out"
        assert done[0].result == {"answer": 42, "exit_code": 0, "output": f"{out}/0.txt", "output_files": 1}
        running.stop()
    assert sorted(path.name for path in out.iterdir()) == sorted(names)


def test_what_a_program_has_left_is_published_while_another_one_runs(
    services: ServicesSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumer_module, "RECOVER_SECONDS", 0.01)
    (job,) = services.add("a")
    claim = services.claim(job)
    assert claim.job is not None
    assert Work(services.database).finish([Result(job.row_id, claim.token, 1, 1)]) == [True]
    host = services.identity.name.rpartition("/")[0]
    (services.folder / "out").mkdir()
    dead = Outputs(services.database.path, f"{host}/0123456789ab")
    staged = dead.begin(f"{job.id}-{claim.token}", services.folder / "out", replaces=False)
    (staged.folder / "x").touch()
    record = services.folder / "jobs.db.outputs" / staged.attempt_id
    record.rename(services.folder / "record")
    with consuming(services, "true") as running:
        assert running.polling.wait(30)
        (services.folder / "record").rename(record)
        wait_until((services.folder / "out" / "x").exists)
        running.stop()


def test_result_names_the_file_that_got_a_number(services: ServicesSetup) -> None:
    jobs = services.add("a.x", "a.y", "a.z", processor="command:test")
    with consuming(services, 'cp "$1" a') as running:
        running.deliver(*map(message, jobs))
        running.settled(3)
        running.stop()
    out = services.folder / "out"
    outputs = {str(services.job(job).result["output"]) for job in jobs}
    assert outputs == {f"{out}/a", f"{out}/a (2)", f"{out}/a (3)"}
    assert {str(path) for path in out.iterdir()} == outputs


def test_attempt_that_lost_its_lease_publishes_nothing(services: ServicesSetup) -> None:
    (job,) = services.add("a", processor="command:test")
    begun, go = services.folder / "begun", services.folder / "go"
    with consuming(services, f"touch '{begun}'; while [ ! -e '{go}' ]; do sleep 0.01; done; cp \"$1\" .") as running:
        running.deliver(message(job))
        wait_until(begun.exists)
        taken = services.claim(services.job(job), worker="elsewhere/x")
        assert taken.job is None, "the lease is still held"
        with services.database.write() as revision:
            services.database.run(
                JobRow.update(lease_token=JobRow.lease_token + 1, revision=revision).where(JobRow.id == job.row_id)
            )
        go.touch()
        running.settled(1)
        running.stop()
    assert list((services.folder / "out").iterdir()) == []
    assert services.job(job).status is Status.PROCESSING


def test_interrupted_command_is_ended_and_publishes_nothing(services: ServicesSetup) -> None:
    (job,) = services.add("a", processor="command:test")
    begun = services.folder / "begun"
    with consuming(services, f'cp "$1" .; touch "{begun}"; sleep 1000') as running:
        running.deliver(message(job))
        wait_until(begun.exists)
        running.stop(within=20)
        assert services.job(job).status is Status.PENDING
        wait_until(lambda: list((services.folder / "out").iterdir()) == [])


def test_command_that_is_added_while_the_consumer_runs_is_used_for_the_files_left_for_it(
    services: ServicesSetup,
) -> None:
    (job,) = services.add("a", processor="command:new")
    file = services.folder / "settings.toml"
    outputs = Outputs(services.database.path, services.identity.name)
    registry = default_registry(outputs=outputs, changed_presets=PresetFile(file).read_changed)
    control = ProcessingControl()
    with RunningConsumer(services, processing=registry, control=control) as running:
        running.start()
        running.deliver(message(job))
        wait_until(lambda: services.job(job).reason is not None)
        assert services.job(job).status is Status.PENDING
        left = services.job(job).next_try_at
        assert left is not None
        assert left > services.clock.now_ms()
        save_preset(file, Preset("new", argv=("sh", "-c", "echo 1", "sh", "{path}")))
        control.note_commands_changed()
        wait_until(lambda: (services.job(job).next_try_at or 0) <= services.clock.now_ms(), timeout=3)
        running.deliver(message(services.job(job)))
        wait_until(lambda: services.job(job).status is Status.PROCESSED)
        assert (services.job(job).attempts, services.job(job).processor_version) == (1, 1)
        save_preset(file, Preset("new", argv=("sh", "-c", "exit 3", "sh", "{path}")))
        (again,) = services.add("b", processor="command:new")
        control.note_commands_changed()
        wait_until(lambda: running.consumer._claims.versions["command:new"] == 2)
        running.deliver(message(again))
        wait_until(lambda: services.job(again).status is Status.FAILED)
        assert services.job(again).processor_version == 2
        running.stop()
