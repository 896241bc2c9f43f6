"""The threads that process files."""

from __future__ import annotations

import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING

import pytest

from desktop_app.domain.errors import FileError
from desktop_app.domain.reasons import FileProblem
from desktop_app.processing.lines import LineProcessor
from desktop_app.processing.registry import FileResult, ProcessorRegistry, default_registry
from desktop_app.services.consuming.in_flight import InFlightMessage
from desktop_app.services.consuming.worker_pool import Done, WorkerPool
from tests.helpers import wait_until
from tests.helpers.fakes import FakeClock, received

if TYPE_CHECKING:
    from collections.abc import Mapping

    from desktop_app.processing.processor import Value, Watch
    from desktop_app.sources.local import Source
    from tests.services.conftest import ServicesSetup


def message_for(services: ServicesSetup, name: str) -> InFlightMessage:
    (job,) = services.add(name)
    return InFlightMessage(received(), 0, job=job)


def process(message: InFlightMessage, registry: ProcessorRegistry | None = None) -> Done:
    (done,) = process_all([message], registry or default_registry())
    return done


def process_all(messages: list[InFlightMessage], registry: ProcessorRegistry, threads: int = 1) -> list[Done]:
    done: SimpleQueue[Done] = SimpleQueue()
    pool = WorkerPool(threads, registry, done.put, clock=FakeClock())
    pool.start()
    for message in messages:
        pool.submit(message)
    pool.stop()
    return [done.get(timeout=30) for _ in messages]


class Bug(LineProcessor):
    """A processor with a bug."""

    def process(self, source: Source) -> Mapping[str, Value]:
        raise ZeroDivisionError("a mistake")


def test_file_returns_its_numbers(services: ServicesSetup) -> None:
    done = process(message_for(services, "a.txt"))
    assert done.result == FileResult(4, 2)
    assert done.error is None
    assert done.message.is_begun


def test_missing_file_returns_the_reason(services: ServicesSetup) -> None:
    message = message_for(services, "a.txt")
    (services.folder / "a.txt").unlink()
    error = process(message).error
    assert error is not None
    assert error.reason.code.problem is FileProblem.MISSING


def test_work_cancelled_before_its_start_is_not_started(services: ServicesSetup) -> None:
    message = message_for(services, "a.txt")
    message.cancelled.set()
    done = process(message)
    assert (done.result, done.error, message.is_begun) == (None, None, False)


def test_work_cancelled_while_running_has_no_result(services: ServicesSetup) -> None:
    message = message_for(services, "a.txt")

    class Slow(LineProcessor):
        def process(self, source: Source) -> Mapping[str, Value]:
            message.cancelled.set()
            return super().process(source)

    done = process(message, ProcessorRegistry([Slow()]))
    assert (done.result, done.error, message.is_begun) == (None, None, True)


@pytest.mark.expected_log("bug while processing", level="ERROR")
def test_bug_fails_one_file_and_keeps_the_thread(services: ServicesSetup) -> None:
    for done in process_all(
        [message_for(services, "a.txt"), message_for(services, "b.txt")], ProcessorRegistry([Bug()])
    ):
        error = done.error
        assert isinstance(error, FileError)
        assert error.reason.code.problem is FileProblem.INTERNAL
        assert "mistake" in error.detail


def test_number_of_parallel_files_is_limited(services: ServicesSetup) -> None:
    together = threading.Barrier(2, timeout=30)
    running: list[int] = []
    most: list[int] = []
    lock = threading.Lock()

    class Counting(LineProcessor):
        def process(self, source: Source) -> Mapping[str, Value]:
            with lock:
                running.append(1)
                most.append(len(running))
            together.wait()
            with lock:
                running.pop()
            return super().process(source)

    messages = [message_for(services, name) for name in ("a", "b", "c", "d")]
    for done in process_all(messages, ProcessorRegistry([Counting()]), threads=2):
        assert done.result is not None
    assert max(most) == 2


def test_progress_of_a_long_file_is_stored_with_its_message(services: ServicesSetup) -> None:
    message = message_for(services, "a.txt")

    class Ticking:
        """A clock that advances one second at each reading."""

        def __init__(self) -> None:
            self.now = 0.0

        def now_ms(self) -> int:
            return 0

        def steady(self) -> float:
            self.now += 1
            return self.now

    process(message, default_registry(Ticking()))
    assert message.progress == (4, 4)


def test_hung_read_is_abandoned_and_its_thread_replaced(services: ServicesSetup) -> None:
    clock = FakeClock()
    hung, go_on = threading.Event(), threading.Event()
    done: SimpleQueue[Done] = SimpleQueue()

    class Hanging:
        def process(self, path: str, watch: Watch) -> FileResult:
            if path.endswith("bad"):
                hung.set()
                go_on.wait(10)
            return FileResult(4, 2)

    pool = WorkerPool(1, Hanging(), done.put, clock=clock)
    pool.start()
    bad, good = message_for(services, "bad"), message_for(services, "good")
    pool.submit(bad)
    pool.submit(good)
    assert hung.wait(5)
    clock.advance(599)
    pool.give_up_stalled()
    assert done.empty(), "not yet"
    bad.progress = (1, 2)
    pool.give_up_stalled()
    clock.advance(599)
    pool.give_up_stalled()
    assert done.empty(), "progress is a sign of life"
    clock.advance(2)
    pool.give_up_stalled()
    given_up = done.get(timeout=30)
    assert given_up.message is bad
    assert given_up.error is not None
    assert (given_up.error.reason.code.problem, given_up.error.passing) == (FileProblem.UNREADABLE, True)
    assert done.get(timeout=30).message is good
    go_on.set()
    pool.stop()
    wait_until(lambda: not any(thread.name == "worker-1" for thread in threading.enumerate()))
    assert done.empty(), "what it brings late is thrown away"
