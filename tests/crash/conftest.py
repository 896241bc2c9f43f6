"""A queue that outlives the programs that are killed, and how to kill one."""

from __future__ import annotations

import json
import multiprocessing
import signal
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from desktop_app.queues.embedded import EmbeddedQueue
from desktop_app.services import loops as loop
from desktop_app.services.consuming import consumer
from desktop_app.services.consuming import dispatcher as dispatch
from desktop_app.services.consuming.in_flight import VISIBILITY_SECONDS
from tests.crash import child, witness
from tests.crash.clock import JumpClock
from tests.crash.mill import QUEUES, Mill, Place, Running
from tests.crash.served import ServedSimulator
from tests.helpers import wait_until
from tests.sqs.kit import SimulatedSqs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from desktop_app.domain.job import Job

LINES = 3


def write_files(folder: Path, *names: str) -> list[Path]:
    """Files of which every number is known: the n-th has n + `LINES` lines of ten bytes."""
    paths = []
    for number, name in enumerate(names):
        path = folder / name
        path.write_bytes(b"123456789\n" * (number + LINES))
        paths.append(path)
    return paths


def kill_at(role: str, point: str, place: Place, files: list[Path] | None = None) -> None:
    """Start a program that is killed at a point, and wait until it is."""
    # A server that forks: it has loaded everything once, so a child starts at once, and from a process without threads.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.crash.child"])
    process = context.Process(target=child.main, args=(role, point, place, files or []))
    process.start()
    process.join(60)
    code = process.exitcode
    process.kill()
    process.close()
    assert code == -signal.SIGKILL, f"{role} was not killed at {point!r}: exit code {code}"


class Bench:
    """A place with a queue that stays, and what is done there between two programs."""

    def __init__(self, place: Place) -> None:
        self.place = place

    # What the queue's kind knows better

    def messages(self) -> int:
        """How many messages there are in the queue, visible or not."""
        raise NotImplementedError

    def let_time_pass(self) -> None:
        """Until all that was hidden shows up again."""
        raise NotImplementedError

    def bury(self) -> None:
        """See to it that nothing is given to the dead program any more."""

    def wake_polls(self) -> None:
        """End polls that wait, so that a stop takes no time."""

    def mill(self) -> Mill:
        """A program at this place that is not killed."""
        return Mill(self.place)

    # What is alike

    def add(self, *names: str) -> list[str]:
        with closing(self.mill()) as mill:
            return mill.add(write_files(self.place.folder, *names))

    def send(self) -> None:
        with closing(self.mill()) as mill:
            mill.sender.send_all(mill.clock.steady() + 10)
            assert mill.waiting() == 0

    def look(self) -> Look:
        with closing(self.mill()) as mill:
            return Look({job.id: job for job in mill.all()}, mill.waiting(), self.messages())

    def go_on(self) -> Mill:
        """Start the program again, and let it work until all is done; gives it for a look at its counters."""
        self.bury()
        self.let_time_pass()
        with closing(self.mill()) as mill:
            running = Running(mill.sender, mill.consumer)
            try:
                running.until(lambda: mill.is_done, "all is done")
                # A duplicate that came while its file was worked on has been put off until that lease is over.
                self.let_time_pass()
                running.until(lambda: mill.is_done and self.messages() == 0, "the queue is empty")
            finally:
                running.stop(nudge=self.wake_polls)
            return mill

    def go_on_and_check(self, before: Look) -> Mill:
        """Go on; every file is processed once then, with right numbers and as many tries as there were."""
        mill = self.go_on()
        after = self.look()
        assert witness.complaints(self.place.database) == []
        assert (after.waiting, after.messages) == (0, 0)
        assert after.jobs.keys() >= before.jobs.keys()
        for number, job in enumerate(after.jobs.values()):
            assert (job.status.name, job.reason) == ("PROCESSED", ""), job
            assert (job.lines_count, job.file_size) == (number + LINES, 10 * (number + LINES)), job
            old = before.jobs[job.id]
            # A lease of one second may be lost on a busy machine: the file is tried once more then, and that is right.
            assert job.attempts == old.attempts if old.status.is_final else job.attempts > old.attempts, job
            assert job.generation == old.generation
        return mill


class Look:
    """How everything stands at one moment."""

    def __init__(self, jobs: dict[str, Job], waiting: int, messages: int) -> None:
        self.jobs = jobs
        self.waiting = waiting
        self.messages = messages

    @property
    def statuses(self) -> list[str]:
        return [job.status.name for job in self.jobs.values()]


class SimulatedBench(Bench):
    """The strict simulator, served on loopback."""

    def __init__(self, place: Place, sim: SimulatedSqs, clock: JumpClock, server: ServedSimulator) -> None:
        super().__init__(place)
        self.sim = sim
        self.clock = clock
        self._server = server

    def messages(self) -> int:
        return len(self.sim.simulator.bodies(self.place.queue))

    def bury(self) -> None:
        self.wake_polls()
        wait_until(lambda: self._server.is_idle, what="the dead program's poll has ended")

    def wake_polls(self) -> None:
        self.clock.advance(2)

    def mill(self) -> Mill:
        """Real clients, but without the way over loopback, which takes a tenth of a second to set up."""
        return Mill(self.place, connector=self.sim.connector(self.place.queue))

    def put_a_dead_letter_queue_behind(self, max_receives: int) -> tuple[str, str]:
        """Give the queue's name and that of a new one where its messages go after so many receives."""
        name, sqs = self.place.queue, self.sim.boto()
        dead = f"dead-{name}"
        self.sim.simulator.create_queue(dead)
        policy = {"deadLetterTargetArn": self.sim.simulator.queue(dead).arn, "maxReceiveCount": str(max_receives)}
        url = self.sim.simulator.queue(name).url
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": json.dumps(policy)})
        return name, dead

    def let_time_pass(self) -> None:
        self.clock.advance(VISIBILITY_SECONDS + 20)


@pytest.fixture(autouse=True)
def quick_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    """There are many programs here to stop, and each loop looks only ten times a second whether it should."""
    for module in (loop, consumer):
        monkeypatch.setattr(module, "STOP_CHECK_SECONDS", 0.01)


@pytest.fixture(params=list(QUEUES))
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SimulatedBench]:
    """On a standard and on a FIFO queue."""
    clock = JumpClock()
    sim = SimulatedSqs(clock)
    name = QUEUES[request.param]
    sim.simulator.create_queue(name)
    with ServedSimulator(sim.simulator) as server:
        yield SimulatedBench(Place(tmp_path, server.endpoint_url, name), sim, clock, server)


class EmbeddedBench(Bench):
    """The embedded queue."""

    def messages(self) -> int:
        with closing(EmbeddedQueue(self.place.queue_file)) as queue:
            return queue.state().total

    def let_time_pass(self) -> None:
        """Not needed: what a dead program held is released by the next one."""


@pytest.fixture
def embedded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> EmbeddedBench:
    # Nobody can move this queue's time, and a duplicate is put off until the row's lease is over.
    monkeypatch.setattr(dispatch, "ROW_MARGIN_MS", 0)
    return EmbeddedBench(Place(tmp_path, visibility_s=1))
