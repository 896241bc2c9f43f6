"""A queue that outlives the killed programs, and a function that kills one."""

from __future__ import annotations

import json
import multiprocessing
import signal
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from desktop_app.domain.fields import DEFAULT_PROCESSOR
from desktop_app.queues.embedded import EmbeddedQueue
from desktop_app.services.consuming import dispatcher as dispatch
from desktop_app.services.consuming.in_flight import VISIBILITY_SECONDS
from tests.crash import child, status_log
from tests.crash.clock import JumpClock
from tests.crash.program import QUEUES, Installation, ProgramInstance, Running
from tests.crash.served import ServedSimulator
from tests.helpers import wait_until
from tests.helpers.sqs.kit import SimulatedSqs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from desktop_app.domain.job import Job

LINES = 3


def write_files(folder: Path, *names: str) -> list[Path]:
    """Create files with known numbers: the n-th has n + `LINES` lines of ten bytes."""
    paths = []
    for number, name in enumerate(names):
        path = folder / name
        path.write_bytes(b"123456789\n" * (number + LINES))
        paths.append(path)
    return paths


def kill_at(role: str, point: str, installation: Installation, files: list[Path] | None = None) -> None:
    """Start a program that is killed at a point, and wait for its end."""
    # A fork server has loaded all modules and has no threads, so a child starts at once.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.crash.child"])
    process = context.Process(target=child.main, args=(role, point, installation, files or []))
    process.start()
    process.join(60)
    code = process.exitcode
    process.kill()
    process.close()
    assert code == -signal.SIGKILL, f"{role} was not killed at {point!r}: exit code {code}"


class CrashSetup:
    """An installation with a queue that outlives its programs."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation

    # Methods that depend on the kind of queue

    def messages(self) -> int:
        """Return the number of messages in the queue, visible or not."""
        raise NotImplementedError

    def let_time_pass(self) -> None:
        """Let time pass until all hidden messages are visible again."""
        raise NotImplementedError

    def cut_off_dead_program(self) -> None:
        """Wait until the queue delivers no more messages to the killed program."""

    def wake_polls(self) -> None:
        """End long polls, so that stopping is quick."""

    def program(self) -> ProgramInstance:
        """Return a program of this installation that is not killed."""
        return ProgramInstance(self.installation)

    # Methods for all kinds of queues

    def add(self, *names: str, processor: str = DEFAULT_PROCESSOR) -> list[str]:
        with closing(self.program()) as program:
            return program.add(write_files(self.installation.folder, *names), processor)

    def send(self) -> None:
        with closing(self.program()) as program:
            program.sender.send_all(program.clock.steady() + 10)
            assert program.waiting() == 0

    def snapshot(self) -> Snapshot:
        with closing(self.program()) as program:
            return Snapshot({job.id: job for job in program.all()}, program.waiting(), self.messages())

    def run_again(self) -> ProgramInstance:
        """Start the program again and let it finish all jobs; return it, for its counters."""
        self.cut_off_dead_program()
        self.let_time_pass()
        with closing(self.program()) as program:
            running = Running(program.sender, program.consumer)
            try:
                running.until(lambda: program.is_done, "all is done")
                # A duplicate that arrived while its file was processed is hidden until that lease has expired.
                self.let_time_pass()
                running.until(lambda: program.is_done and self.messages() == 0, "the queue is empty")
            finally:
                running.stop(nudge=self.wake_polls)
            return program

    def run_again_and_check(self, before: Snapshot) -> ProgramInstance:
        """Run again; check that each file is processed once, with the right numbers and the expected attempts."""
        program = self.run_again()
        after = self.snapshot()
        assert status_log.violations(self.installation.database) == []
        assert (after.waiting, after.messages) == (0, 0)
        assert after.jobs.keys() >= before.jobs.keys()
        for number, job in enumerate(after.jobs.values()):
            assert (job.status.name, job.reason) == ("PROCESSED", None), job
            assert (job.lines_count, job.file_size) == (number + LINES, 10 * (number + LINES)), job
            old = before.jobs[job.id]
            # A lease of one second may expire on a busy machine; the file is then processed once more, as it should be.
            assert job.attempts == old.attempts if old.status.is_final else job.attempts > old.attempts, job
            assert job.generation == old.generation
        return program


class Snapshot:
    """The state of all jobs at one moment."""

    def __init__(self, jobs: dict[str, Job], waiting: int, messages: int) -> None:
        self.jobs = jobs
        self.waiting = waiting
        self.messages = messages

    @property
    def statuses(self) -> list[str]:
        return [job.status.name for job in self.jobs.values()]


class SimulatedSetup(CrashSetup):
    """The strict simulator, served on the loopback interface."""

    def __init__(
        self, installation: Installation, sim: SimulatedSqs, clock: JumpClock, server: ServedSimulator
    ) -> None:
        super().__init__(installation)
        self.sim = sim
        self.clock = clock
        self._server = server

    def messages(self) -> int:
        return len(self.sim.simulator.bodies(self.installation.queue))

    def cut_off_dead_program(self) -> None:
        self.wake_polls()
        wait_until(lambda: self._server.is_idle, what="the dead program's poll has ended")

    def wake_polls(self) -> None:
        self.clock.advance(2)

    def program(self) -> ProgramInstance:
        """Return a program with real clients that bypass the network, whose setup takes a tenth of a second."""
        return ProgramInstance(self.installation, connector=self.sim.connector(self.installation.queue))

    def put_a_dead_letter_queue_behind(self, max_receives: int) -> tuple[str, str]:
        """Add a dead-letter queue for messages received this often; return the names of both queues."""
        name, sqs = self.installation.queue, self.sim.boto()
        dead = f"dead-{name}"
        self.sim.simulator.create_queue(dead)
        policy = {"deadLetterTargetArn": self.sim.simulator.queue(dead).arn, "maxReceiveCount": str(max_receives)}
        url = self.sim.simulator.queue(name).url
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": json.dumps(policy)})
        return name, dead

    def let_time_pass(self) -> None:
        self.clock.advance(VISIBILITY_SECONDS + 20)


@pytest.fixture(params=list(QUEUES))
def simulated(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SimulatedSetup]:
    """Return an installation with a standard or a FIFO queue."""
    clock = JumpClock()
    sim = SimulatedSqs(clock)
    name = QUEUES[request.param]
    sim.simulator.create_queue(name)
    with ServedSimulator(sim.simulator) as server:
        yield SimulatedSetup(Installation(tmp_path, server.endpoint_url, name), sim, clock, server)


class EmbeddedSetup(CrashSetup):
    """The embedded queue."""

    def messages(self) -> int:
        with closing(EmbeddedQueue(self.installation.queue_file)) as queue:
            return queue.state().total

    def let_time_pass(self) -> None:
        """Do nothing: the next program releases the messages of a dead one."""


@pytest.fixture
def embedded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> EmbeddedSetup:
    # This queue's time can't be moved, and a duplicate is hidden until the row's lease has expired.
    monkeypatch.setattr(dispatch, "ROW_MARGIN_MS", 0)
    return EmbeddedSetup(Installation(tmp_path, visibility_s=1))
