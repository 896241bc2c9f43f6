"""A program is killed at every point where it could lose or repeat something; the next one recovers."""

from __future__ import annotations

import sys
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from desktop_app.processing.outputs import Outputs
from desktop_app.services.consuming.in_flight import VISIBILITY_SECONDS, Outcome
from desktop_app.services.sending.dead_letters import DeadLetterWatcher
from desktop_app.services.sending.reconciler import Reconciler
from desktop_app.store.claims import Claims
from desktop_app.store.recovery import Recovery
from tests.crash import points, status_log
from tests.crash.conftest import EmbeddedSetup, kill_at, write_files
from tests.crash.program import COPY, Installation
from tests.helpers import wait_until

if TYPE_CHECKING:
    from tests.crash.conftest import SimulatedSetup

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL, and a server that forks"),
]

FILES = [f"file {number}" for number in range(25)]
LEFT_BY_SENDER = {  # entries in the outbox, messages in the queue
    "P0 before the claim is committed": (25, 0),
    "P1 after the claim": (25, 0),
    "P2 sent, reply not read": (25, 20),
    "P3 reply read, not noted": (25, 20),
    "P3 before the note is committed": (25, 25),
    "P4 after the note": (0, 25),
}


@pytest.mark.parametrize("point", points.SENDER)
def test_sender(simulated: SimulatedSetup, point: str) -> None:
    simulated.add(*FILES)
    kill_at("sender", point, simulated.installation)
    before = simulated.snapshot()
    assert (before.waiting, before.messages) == LEFT_BY_SENDER[point]
    program = simulated.run_again_and_check(before)
    sent_twice = before.waiting + before.messages - len(FILES)
    # A FIFO queue drops the duplicate; on a standard queue, the claim recognizes the second message.
    observer = program.observer
    assert observer.count(Outcome.PROCESSED) == len(FILES)
    # A result discards a message that has not been resent yet.
    assert observer.count(Outcome.DUPLICATE) <= (0 if simulated.installation.connection.is_fifo else sent_twice)
    # A duplicate that arrives while its file is being processed is released once. On a busy machine, the lease of one
    # second can expire; the message is then delivered again.
    others = sum(map(observer.count, (Outcome.DUPLICATE, Outcome.RETRIED, Outcome.LOST)))
    assert observer.received == len(FILES) + others


@pytest.mark.parametrize("point", points.CONSUMER)
def test_consumer(simulated: SimulatedSetup, point: str) -> None:
    simulated.add("a", "b", "c")
    simulated.send()
    kill_at("consumer", point, simulated.installation)
    before = simulated.snapshot()
    if point[:2] in {"C0", "C1", "C2", "C3"}:
        assert before.statuses == ["PENDING" if point.startswith("C0") else "PROCESSING"] * 3
        assert before.messages == 3
    else:
        assert "PROCESSED" in before.statuses
        assert (before.messages < 3) == (point[:2] in {"C5", "C6"})
    simulated.run_again_and_check(before)


@pytest.mark.parametrize("simulated", ["FIFO"], indirect=True)
@pytest.mark.parametrize(
    "point",
    [
        "P2 sent, reply not read",
        "C1 after the claim, before the work",
        "C4 after the commit, before the delete",
        "C5 deleted, reply not read",
    ],
)
def test_strict_order_outlives_a_kill(simulated: SimulatedSetup, point: str) -> None:
    simulated.installation = replace(simulated.installation, strict=True)
    ids = simulated.add(*FILES)
    kill_at("consumer", point, simulated.installation)
    before = simulated.snapshot()
    simulated.run_again_and_check(before)
    assert status_log.ends(simulated.installation.database) == ids


@pytest.mark.parametrize("point", points.PUBLISHING)
def test_output_of_commands_is_published_once(simulated: SimulatedSetup, point: str) -> None:
    """Neither half of it nor that of a lost attempt is visible in the end."""
    simulated.add(*FILES, processor=COPY.processor)
    simulated.send()
    kill_at("consumer with commands", point, simulated.installation)
    simulated.run_again()
    after = simulated.snapshot()
    assert set(after.statuses) == {"PROCESSED"}
    assert status_log.violations(simulated.installation.database) == []
    expected: dict[str, str] = {}
    for job in after.jobs.values():
        text = Path(job.file_path).read_text()
        expected |= {f"{job.name}.copy": text, f"sub/{job.name}.copy": text, f"sub/again-{job.name}": text}
    out = simulated.installation.folder / "out"
    found = {str(file.relative_to(out)): file.read_text() for file in out.rglob("*") if file.is_file()}
    assert found == expected
    assert [file.name for file in out.iterdir() if file.name.startswith(".")] == []
    assert Outputs(simulated.installation.database, "").left() == []


@pytest.mark.parametrize("point", points.RELEASE)
def test_consumer_that_releases_messages_because_it_is_stopped(simulated: SimulatedSetup, point: str) -> None:
    simulated.add("slow", "b", "c")
    simulated.send()
    kill_at("stopping consumer", point, simulated.installation)
    before = simulated.snapshot()
    assert before.messages == 3
    assert "PROCESSED" not in before.statuses
    simulated.run_again_and_check(before)


@pytest.mark.parametrize("point", points.RELEASE)
def test_consumer_that_releases_a_message_to_retry_the_file_later(simulated: SimulatedSetup, point: str) -> None:
    simulated.add("busy")
    simulated.send()
    kill_at("consumer", point, simulated.installation)
    before = simulated.snapshot()
    assert (before.statuses, before.messages) == (["PROCESSING" if point.startswith("R0") else "PENDING"], 1)
    simulated.run_again_and_check(before)


@pytest.mark.parametrize("point", points.HEARTBEAT)
def test_consumer_that_extends_its_leases(simulated: SimulatedSetup, point: str) -> None:
    simulated.add("slow", "slower")
    simulated.send()
    kill_at("consumer with a fast heartbeat", point, replace(simulated.installation, visibility_s=1))
    before = simulated.snapshot()
    assert before.statuses == ["PROCESSING"] * 2
    simulated.run_again_and_check(before)


@pytest.mark.parametrize("point", points.RECOVERY)
def test_consumer_that_releases_messages_of_a_dead_one(simulated: SimulatedSetup, point: str) -> None:
    simulated.add("a", "b", "c")
    simulated.send()
    kill_at("consumer", "C1 after the claim, before the work", simulated.installation)
    kill_at("consumer", point, simulated.installation)
    before = simulated.snapshot()
    assert before.statuses == ["PROCESSING" if point.startswith("F0") else "PENDING"] * 3
    simulated.run_again_and_check(before)


@pytest.mark.parametrize("simulated", ["standard"], indirect=True)
@pytest.mark.parametrize("point", points.INTAKE)
def test_adding_files(simulated: SimulatedSetup, point: str) -> None:
    """A file is on the list and will be sent, or it is not on the list."""
    paths = write_files(simulated.installation.folder, *(f"file {number}" for number in range(230)))
    kill_at("adder", point, simulated.installation, paths)
    before = simulated.snapshot()
    on_the_list = {"I2": 200, "I3": 230}.get(point[:2], 0)
    assert (len(before.jobs), before.waiting, before.messages) == (on_the_list, on_the_list, 0)
    simulated.run_again_and_check(before)


@pytest.mark.parametrize("point", points.RETRY)
def test_submitting_again(simulated: SimulatedSetup, point: str) -> None:
    """The result is a new submission with a message, or none."""
    simulated.add("a", "b", "c")
    simulated.run_again()
    kill_at("retrier", point, simulated.installation)
    before = simulated.snapshot()
    is_new = point.startswith("G1")
    assert before.statuses == ["PENDING" if is_new else "PROCESSED"] * 3
    assert (before.waiting, {job.generation for job in before.jobs.values()}) == ((3, {2}) if is_new else (0, {1}))
    simulated.run_again_and_check(before)


@pytest.mark.parametrize("point", points.DEAD_LETTERS)
def test_ending_the_jobs_of_dead_letters(simulated: SimulatedSetup, point: str) -> None:
    work, dead = simulated.put_a_dead_letter_queue_behind(max_receives=1)
    simulated.add("a", "b")
    simulated.send()
    client = simulated.sim.client(work)
    for _ in range(2):  # no consumer deletes them, so the watcher marks them as failed
        client.receive(limit=10, wait_s=0, visibility_s=0)
    assert len(simulated.sim.simulator.bodies(dead)) == 2
    kill_at("dead-letter watcher", point, simulated.installation)
    with closing(simulated.program()) as program:
        simulated.let_time_pass()
        DeadLetterWatcher(Claims(program.database), program.connector, program.clock).do()
        assert {(job.status.name, job.problem) for job in program.all()} == {("FAILED", "dead_lettered")}
    assert status_log.violations(simulated.installation.database) == []
    assert simulated.sim.simulator.bodies(dead) == []


LEFT_BY_EMBEDDED = {  # entries in the outbox, messages in the queue
    "E0 before the messages are committed": (25, 0),
    "E1 sent, not noted": (25, 25),
}


@pytest.mark.parametrize("point", points.EMBEDDED)
def test_embedded_queue(embedded: EmbeddedSetup, point: str) -> None:
    embedded.add(*FILES)
    role = "sender" if point in LEFT_BY_EMBEDDED else "consumer"
    if point[:2] in {"E5", "E6"}:
        kill_at("consumer", "C1 after the claim, before the work", embedded.installation)
    kill_at(role, point, embedded.installation)
    before = embedded.snapshot()
    if point in LEFT_BY_EMBEDDED:
        assert (before.waiting, before.messages) == LEFT_BY_EMBEDDED[point]
    embedded.run_again_and_check(before)


def test_messages_of_a_dead_program_are_processed_at_once(tmp_path: Path) -> None:
    """This includes messages that it had only received; the next program waits for no visibility timeout."""
    embedded = EmbeddedSetup(Installation(tmp_path))
    embedded.add("a", "b", "c")
    embedded.send()
    kill_at("consumer", "C0 received, not claimed", embedded.installation)
    kill_at("consumer", "C1 after the claim, before the work", embedded.installation)
    before = embedded.snapshot()
    assert before.statuses == ["PROCESSING"] * 3
    begun = time.monotonic()
    embedded.run_again_and_check(before)
    assert time.monotonic() - begun < VISIBILITY_SECONDS / 2


def test_embedded_queue_that_is_deleted(embedded: EmbeddedSetup) -> None:
    """The queue is created again, and the reconciler sends everything again."""
    embedded.add("a", "b", "c")
    embedded.send()
    with closing(embedded.program()) as program:
        reconciler = Reconciler(Recovery(program.database), program.connector, queue=program.key, clock=program.clock)
        reconciler.do()
        for file in embedded.installation.folder.glob("jobs.db.queue*"):
            file.unlink()
        wait_until(lambda: program.clock.now_ms() > program.all()[0].created_at)
        reconciler.do()
        assert program.waiting() == 3
    embedded.run_again_and_check(embedded.snapshot())
