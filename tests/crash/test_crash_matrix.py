"""A program is killed at every point where it could lose or repeat something; another goes on, and all ends well."""

from __future__ import annotations

import sys
import time
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from desktop_app.services.consuming.in_flight import VISIBILITY_SECONDS, Outcome
from desktop_app.services.sending.dead_letters import DeadLetterWatcher
from desktop_app.services.sending.reconciler import Reconciler
from desktop_app.store.claims import Claims
from desktop_app.store.recovery import Recovery
from tests.crash import points, witness
from tests.crash.conftest import EmbeddedBench, kill_at, write_files
from tests.crash.mill import Place
from tests.helpers import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.crash.conftest import SimulatedBench

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL, and a server that forks"),
]

FILES = [f"file {number}" for number in range(25)]
LEFT_BY_SENDER = {  # entries in the outbox, messages in the queue
    "P0 before the claim is committed": (25, 0),
    "P1 after the claim": (25, 0),
    "P2 sent, reply not read": (15, 20),
    "P3 reply read, not noted": (15, 20),
    "P3 before the note is committed": (15, 20),
    "P4 after the note": (5, 20),
}


@pytest.mark.parametrize("point", points.SENDER)
def test_sender(bench: SimulatedBench, point: str) -> None:
    bench.add(*FILES)
    kill_at("sender", point, bench.place)
    before = bench.look()
    assert (before.waiting, before.messages) == LEFT_BY_SENDER[point]
    mill = bench.go_on_and_check(before)
    sent_twice = before.waiting + before.messages - len(FILES)
    # A FIFO queue remembers what it was sent; on a standard one the claim recognises the second message.
    observer = mill.observer
    assert observer.count(Outcome.PROCESSED) == len(FILES)
    assert observer.count(Outcome.DUPLICATE) == (0 if bench.place.connection.is_fifo else sent_twice)
    # A duplicate may come while its file is worked on: then it is released once.
    assert observer.received == len(FILES) + observer.count(Outcome.DUPLICATE) + observer.count(Outcome.RETRIED)


@pytest.mark.parametrize("point", points.CONSUMER)
def test_consumer(bench: SimulatedBench, point: str) -> None:
    bench.add("a", "b", "c")
    bench.send()
    kill_at("consumer", point, bench.place)
    before = bench.look()
    if point[:2] in {"C0", "C1", "C2", "C3"}:
        assert before.statuses == ["PENDING" if point.startswith("C0") else "PROCESSING"] * 3
        assert before.messages == 3
    else:
        assert "PROCESSED" in before.statuses
        assert (before.messages < 3) == (point[:2] in {"C5", "C6"})
    bench.go_on_and_check(before)


@pytest.mark.parametrize("bench", ["FIFO"], indirect=True)
@pytest.mark.parametrize(
    "point",
    [
        "P2 sent, reply not read",
        "C1 after the claim, before the work",
        "C4 after the commit, before the delete",
        "C5 deleted, reply not read",
    ],
)
def test_strict_order_outlives_a_kill(bench: SimulatedBench, point: str) -> None:
    bench.place = replace(bench.place, strict=True)
    ids = bench.add(*FILES)
    kill_at("consumer", point, bench.place)
    before = bench.look()
    bench.go_on_and_check(before)
    assert witness.ends(bench.place.database) == ids


@pytest.mark.parametrize("point", points.RELEASE)
def test_consumer_that_gives_messages_back_because_it_is_stopped(bench: SimulatedBench, point: str) -> None:
    bench.add("slow", "b", "c")
    bench.send()
    kill_at("stopping consumer", point, bench.place)
    before = bench.look()
    assert before.messages == 3
    assert "PROCESSED" not in before.statuses
    bench.go_on_and_check(before)


@pytest.mark.parametrize("point", points.RELEASE)
def test_consumer_that_gives_a_message_back_to_try_the_file_again_later(bench: SimulatedBench, point: str) -> None:
    bench.add("busy")
    bench.send()
    kill_at("consumer", point, bench.place)
    before = bench.look()
    assert (before.statuses, before.messages) == (["PROCESSING" if point.startswith("R0") else "PENDING"], 1)
    bench.go_on_and_check(before)


@pytest.mark.parametrize("point", points.HEARTBEAT)
def test_consumer_that_extends_its_leases(bench: SimulatedBench, point: str) -> None:
    bench.add("slow", "slower")
    bench.send()
    kill_at("quick-hearted consumer", point, replace(bench.place, visibility_s=1))
    before = bench.look()
    assert before.statuses == ["PROCESSING"] * 2
    bench.go_on_and_check(before)


@pytest.mark.parametrize("point", points.RECOVERY)
def test_consumer_that_takes_back_what_another_dead_one_held(bench: SimulatedBench, point: str) -> None:
    bench.add("a", "b", "c")
    bench.send()
    kill_at("consumer", "C1 after the claim, before the work", bench.place)
    kill_at("consumer", point, bench.place)
    before = bench.look()
    assert before.statuses == ["PROCESSING" if point.startswith("F0") else "PENDING"] * 3
    bench.go_on_and_check(before)


@pytest.mark.parametrize("bench", ["standard"], indirect=True)
@pytest.mark.parametrize("point", points.INTAKE)
def test_adding_files(bench: SimulatedBench, point: str) -> None:
    """A file is on the list and will be sent, or it is not on the list."""
    paths = write_files(bench.place.folder, *(f"file {number}" for number in range(230)))
    kill_at("adder", point, bench.place, paths)
    before = bench.look()
    on_the_list = {"I2": 200, "I3": 230}.get(point[:2], 0)
    assert (len(before.jobs), before.waiting, before.messages) == (on_the_list, on_the_list, 0)
    bench.go_on_and_check(before)


@pytest.mark.parametrize("point", points.RETRY)
def test_submitting_again(bench: SimulatedBench, point: str) -> None:
    """It is a new submission with a message, or none."""
    bench.add("a", "b", "c")
    bench.go_on()
    kill_at("retrier", point, bench.place)
    before = bench.look()
    is_new = point.startswith("G1")
    assert before.statuses == ["PENDING" if is_new else "PROCESSED"] * 3
    assert (before.waiting, {job.generation for job in before.jobs.values()}) == ((3, {2}) if is_new else (0, {1}))
    bench.go_on_and_check(before)


@pytest.mark.parametrize("point", points.DEAD_LETTERS)
def test_ending_the_jobs_of_dead_letters(bench: SimulatedBench, point: str) -> None:
    work, dead = bench.put_a_dead_letter_queue_behind(max_receives=1)
    bench.add("a", "b")
    bench.send()
    client = bench.sim.client(work)
    for _ in range(2):  # nobody deletes them, so the second look puts them aside
        client.receive(limit=10, wait_s=0, visibility_s=0)
    assert len(bench.sim.simulator.bodies(dead)) == 2
    kill_at("dead-letter watcher", point, bench.place)
    with closing(bench.mill()) as mill:
        bench.let_time_pass()
        DeadLetterWatcher(Claims(mill.database), mill.connector, mill.clock).do()
        assert {(job.status.name, job.reason_code) for job in mill.all()} == {("FAILED", "dead_lettered")}
    assert witness.complaints(bench.place.database) == []
    assert bench.sim.simulator.bodies(dead) == []


LEFT_BY_EMBEDDED = {  # entries in the outbox, messages in the queue
    "E0 before the messages are committed": (15, 10),
    "E1 sent, not noted": (15, 20),
}


@pytest.mark.parametrize("point", points.EMBEDDED)
def test_embedded_queue(embedded: EmbeddedBench, point: str) -> None:
    embedded.add(*FILES)
    role = "sender" if point in LEFT_BY_EMBEDDED else "consumer"
    if point[:2] in {"E5", "E6"}:
        kill_at("consumer", "C1 after the claim, before the work", embedded.place)
    kill_at(role, point, embedded.place)
    before = embedded.look()
    if point in LEFT_BY_EMBEDDED:
        assert (before.waiting, before.messages) == LEFT_BY_EMBEDDED[point]
    embedded.go_on_and_check(before)


def test_what_a_dead_program_held_is_at_work_at_once(tmp_path: Path) -> None:
    """Also what it had only received; no visibility timeout is waited for."""
    bench = EmbeddedBench(Place(tmp_path))
    bench.add("a", "b", "c")
    bench.send()
    kill_at("consumer", "C0 received, not claimed", bench.place)
    kill_at("consumer", "C1 after the claim, before the work", bench.place)
    before = bench.look()
    assert before.statuses == ["PROCESSING"] * 3
    begun = time.monotonic()
    bench.go_on_and_check(before)
    assert time.monotonic() - begun < VISIBILITY_SECONDS / 2


def test_embedded_queue_that_is_deleted(embedded: EmbeddedBench) -> None:
    """It is made anew, and the reconciler sends everything again."""
    embedded.add("a", "b", "c")
    embedded.send()
    with closing(embedded.mill()) as mill:
        reconciler = Reconciler(Recovery(mill.database), mill.connector, queue=mill.key, clock=mill.clock)
        reconciler.do()
        for file in embedded.place.folder.glob("jobs.db.queue*"):
            file.unlink()
        wait_until(lambda: mill.clock.now_ms() > mill.all()[0].created_at)
        reconciler.do()
        assert mill.waiting() == 3
    embedded.go_on_and_check(embedded.look())
