"""The threads that process files."""

from __future__ import annotations

import sys
import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Self

import pytest

from desktop_app.domain.errors import FileError
from desktop_app.domain.fields import DEFAULT_PROCESSOR
from desktop_app.domain.reasons import FileProblem, Reason, ReasonCode
from desktop_app.processing.isolation import HelperProcess
from desktop_app.processing.lines import LineProcessor
from desktop_app.processing.registry import BUILT_IN, FileResult, ProcessorRegistry, default_registry
from desktop_app.services.consuming import worker_pool
from desktop_app.services.consuming.in_flight import InFlightMessage
from desktop_app.services.consuming.mount_health import MountHealth
from desktop_app.services.consuming.results import WAIT_SECONDS
from desktop_app.services.consuming.worker_pool import (
    MAX_SET_ASIDE_PER_MOUNT,
    READ_SILENT_SECONDS,
    Done,
    WorkerPool,
)
from desktop_app.sources.mounts import Mount, MountTable
from tests.helpers import as_claimed, wait_until
from tests.helpers.fakes import FakeClock, received

if TYPE_CHECKING:
    from array import array
    from collections.abc import Mapping

    from desktop_app.domain.fields import Value
    from desktop_app.processing.processor import Watch
    from desktop_app.sources.local import Source
    from tests.services.conftest import ServicesSetup


def message_for(services: ServicesSetup, name: str) -> InFlightMessage:
    (job,) = services.add(name)
    return InFlightMessage(received(), 0, job=as_claimed(job))


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


def test_files_that_a_killed_program_had_claimed_share_a_child_process(services: ServicesSetup) -> None:
    messages = [message_for(services, f"{number}.txt") for number in range(5)]
    for message in messages:
        message.is_suspect = True
    helpers: list[HelperProcess] = []

    class Helper(HelperProcess):
        """Notes the child process of each file."""

        def process(self, *args: Any, **kwargs: Any) -> FileResult:
            result = super().process(*args, **kwargs)
            children.add(self._child)
            return result

    children: set[object] = set()

    def new_helper() -> HelperProcess:
        helpers.append(Helper())
        return helpers[-1]

    done: SimpleQueue[Done] = SimpleQueue()
    pool = WorkerPool(1, default_registry(), done.put, clock=FakeClock())
    pool._new_helper = new_helper
    pool.submit(*messages)
    pool.start()
    assert [done.get(timeout=30).result for _ in messages] == [FileResult(4, 2)] * len(messages)
    assert len(children) == 1
    wait_until(lambda: all(helper._child is None for helper in helpers), what="end of the child process")
    pool.stop()


class Bug(LineProcessor):
    """A processor with a bug."""

    def process(self, source: Source, options: Mapping[str, Value], watch: Watch) -> Mapping[str, Value]:
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
    message.is_cancelled = True
    done = process(message)
    assert (done.result, done.error, message.is_begun) == (None, None, False)


def test_work_cancelled_while_running_has_no_result(services: ServicesSetup) -> None:
    message = message_for(services, "a.txt")

    class Slow(LineProcessor):
        def process(self, source: Source, options: Mapping[str, Value], watch: Watch) -> Mapping[str, Value]:
            message.is_cancelled = True
            return super().process(source, options, watch)

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


@pytest.mark.expected_log("bug while processing", level="ERROR")
def test_bug_in_a_child_process_is_logged_with_its_traceback(
    services: ServicesSetup, caplog: pytest.LogCaptureFixture
) -> None:
    code = (
        "import sys, json\n"
        "for line in sys.stdin:\n"
        "    print(json.dumps([json.loads(line)[0], 'bug', 'ZeroDivisionError: x', 'File y']), flush=True)"
    )
    message = message_for(services, "a.txt")
    message.is_suspect = True
    done: SimpleQueue[Done] = SimpleQueue()
    pool = WorkerPool(1, default_registry(), done.put, clock=FakeClock())
    pool._new_helper = lambda: HelperProcess([sys.executable, "-c", code])
    pool.start()
    pool.submit(message)
    pool.stop()
    error = done.get(timeout=30).error
    assert error is not None
    assert error.reason.code is ReasonCode.INTERNAL
    assert "ZeroDivisionError: x\nFile y" in caplog.text


def test_number_of_parallel_files_is_limited(services: ServicesSetup) -> None:
    together = threading.Barrier(2, timeout=30)
    running: list[int] = []
    most: list[int] = []
    lock = threading.Lock()

    class Counting(LineProcessor):
        def process(self, source: Source, options: Mapping[str, Value], watch: Watch) -> Mapping[str, Value]:
            with lock:
                running.append(1)
                most.append(len(running))
            together.wait()
            with lock:
                running.pop()
            return super().process(source, options, watch)

    messages = [message_for(services, name) for name in ("a", "b", "c", "d")]
    for done in process_all(messages, ProcessorRegistry([Counting()]), threads=2):
        assert done.result is not None
    assert max(most) == 2


@pytest.mark.parametrize(("before", "after"), [(1, 3), (3, 1)])
def test_number_of_threads_can_be_changed_while_files_are_processed(
    services: ServicesSetup, before: int, after: int
) -> None:
    """Files that are being processed go on; each thread that is too many ends after its file."""
    may_end = threading.Semaphore(0)
    begun: SimpleQueue[str] = SimpleQueue()

    class Waiting(LineProcessor):
        def process(self, source: Source, options: Mapping[str, Value], watch: Watch) -> Mapping[str, Value]:
            begun.put("")
            may_end.acquire(timeout=30)
            return super().process(source, options, watch)

    done: SimpleQueue[Done] = SimpleQueue()
    pool = WorkerPool(before, ProcessorRegistry([Waiting()]), done.put, clock=FakeClock())
    pool.start()
    for name in "abcdef":
        pool.submit(message_for(services, name))
    for _ in range(before):
        begun.get(timeout=30)
    pool.resize(after)
    assert pool.size == after
    for _ in range(after - before):
        begun.get(timeout=30)
    may_end.release(6)
    assert all(done.get(timeout=30).result for _ in range(6))
    for name in "ghi":
        pool.submit(message_for(services, name))
    for _ in range(after):
        begun.get(timeout=30)
    may_end.release(3)
    pool.stop()
    assert all(done.get(timeout=30).result for _ in range(3))
    wait_until(lambda: not any(thread.name.startswith("worker-") for thread in threading.enumerate()))


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


class Hanging(ProcessorRegistry):
    """Processing in which files named `bad…` block at an access, or while computing, until a test releases them."""

    def __init__(self, *, at_access: bool = True) -> None:
        super().__init__(BUILT_IN)
        self.at_access = at_access
        self.go_on = threading.Event()
        self.begun: SimpleQueue[str] = SimpleQueue()

    def process(
        self,
        path: str,
        watch: Watch,
        opened: Source | None = None,
        processor: str = DEFAULT_PROCESSOR,
        options: str = "",
    ) -> FileResult:
        self.begun.put(path)
        if "/bad" in path:
            watch.on_access(begins=self.at_access)
            self.go_on.wait(30)
            watch.on_access(begins=False)
        return FileResult(4, 2)


class HangingPool:
    """A pool whose files hang, on a file system whose probe blocks until a test answers it."""

    def __init__(self, services: ServicesSetup, processing: Hanging, threads: int = 1) -> None:
        self.services = services
        self.processing = processing
        self.clock = FakeClock()
        self.done: SimpleQueue[Done] = SimpleQueue()
        self.answer = threading.Event()
        self.probed: SimpleQueue[str] = SimpleQueue()
        self.health = MountHealth(self.clock, self._probe)
        mounts = {"/": Mount("/"), f"{services.folder}/share": Mount(f"{services.folder}/share", "7")}
        self.pool = WorkerPool(
            threads, processing, self.done.put, clock=self.clock, mounts=MountTable(lambda: mounts), health=self.health
        )
        self.pool.start()
        (services.folder / "share").mkdir(exist_ok=True)

    def _probe(self, place: str) -> bool:
        self.probed.put(place)
        return self.answer.wait(30)

    def submit(self, name: str) -> InFlightMessage:
        message = message_for(self.services, name)
        self.pool.submit(message)
        return message

    def hang(self, name: str) -> InFlightMessage:
        """Submit a file that hangs, and let the pool set its thread aside."""
        before = self.pool.count_silent(-1)
        message = self.submit(name)
        self.processing.begun.get(timeout=10)
        wait_until(lambda: self.pool.count_silent(-1) > before)
        self.advance(2)
        if self.answer.is_set():
            wait_until(lambda: not any(thread.name.startswith("probe ") for thread in threading.enumerate()))
        self.advance(3)
        return message

    def advance(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.pool.check_stalled()

    def next(self) -> Done:
        return self.done.get(timeout=10)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.answer.set()
        self.processing.go_on.set()
        self.pool.stop()
        names = ("worker-", "probe ")
        wait_until(lambda: not any(thread.name.startswith(names) for thread in threading.enumerate()))


def code_of(done: Done) -> ReasonCode | None:
    return None if done.error is None else done.error.reason.code


def test_thread_of_a_silent_file_is_set_aside_for_healthy_files(services: ServicesSetup) -> None:
    with HangingPool(services, Hanging()) as hanging:
        bad = hanging.hang("share/bad")
        good = hanging.submit("good")
        assert hanging.next().message is good
        assert hanging.pool.count_set_aside() == 1
        assert not bad.is_cancelled, "it keeps its lease until it is decided"


def test_silent_file_is_given_up_with_the_place_and_a_wait_of_minutes(services: ServicesSetup) -> None:
    with HangingPool(services, Hanging()) as hanging:
        bad = hanging.hang("share/bad")
        hanging.advance(10)
        assert hanging.done.empty(), "not yet"
        hanging.advance(10)
        done = hanging.next()
        assert done.message is bad
        assert done.error is not None
        assert done.error.reason == Reason(ReasonCode.SHARE_SILENT, {"place": f"{services.folder}/share"})
        assert (done.error.passing, done.was_tried, done.retry_after_s) == (True, True, 60)
        hanging.processing.go_on.set()
        good = hanging.submit("good")
        assert hanging.next().message is good, "the late result is discarded"


def test_slow_file_that_answers_again_has_its_result_accepted(services: ServicesSetup) -> None:
    with HangingPool(services, Hanging()) as hanging:
        slow = hanging.hang("share/bad")
        assert hanging.pool.count_set_aside() == 1
        hanging.processing.go_on.set()
        done = hanging.next()
        assert (done.message, done.result, done.error) == (slow, FileResult(4, 2), None)
        wait_until(lambda: hanging.pool.count_set_aside() == 0)


def test_file_that_makes_progress_is_never_set_aside(services: ServicesSetup) -> None:
    with HangingPool(services, Hanging()) as hanging:
        slow = hanging.submit("share/bad")
        hanging.processing.begun.get(timeout=10)
        wait_until(lambda: hanging.pool.count_silent(-1) > 0)
        for megabytes in range(100):
            slow.progress = (megabytes, 100)
            hanging.advance(3)
        assert hanging.pool.count_set_aside() == 0
        assert hanging.done.empty()


def test_computing_without_an_access_is_not_silence(services: ServicesSetup) -> None:
    with HangingPool(services, Hanging(at_access=False)) as hanging:
        hanging.submit("share/bad")
        hanging.processing.begun.get(timeout=10)
        hanging.advance(599)
        assert hanging.pool.count_set_aside() == 0
        assert hanging.done.empty()
        hanging.advance(2)
        assert code_of(hanging.next()) is ReasonCode.NO_ANSWER


def test_files_of_a_silent_share_wait_for_its_probe_without_being_opened(services: ServicesSetup) -> None:
    with HangingPool(services, Hanging()) as hanging:
        hanging.hang("share/bad")
        assert hanging.probed.get(timeout=10) == f"{services.folder}/share"
        other = hanging.submit("share/other")
        done = hanging.next()
        assert (done.message, code_of(done), done.was_tried) == (other, ReasonCode.SHARE_SILENT, False)
        assert hanging.processing.begun.empty(), "it was not opened"
        hanging.answer.set()
        wait_until(lambda: not hanging.health.is_unresponsive(Mount(f"{services.folder}/share", "7")))
        again = hanging.submit("share/again")
        done = hanging.next()
        assert (done.message, done.result) == (again, FileResult(4, 2))
        assert hanging.pool.take_recovered() == [f"{services.folder}/share"]


def test_files_of_a_share_that_answers_do_not_wait_for_one_that_hangs(services: ServicesSetup) -> None:
    with HangingPool(services, Hanging()) as hanging:
        hanging.answer.set()
        hanging.hang("share/bad")
        good = hanging.submit("share/good")
        assert hanging.next().message is good
        assert hanging.pool.take_recovered() == [], "nothing had to wait"


def test_file_that_still_hangs_is_not_opened_a_second_time(services: ServicesSetup) -> None:
    with HangingPool(services, Hanging()) as hanging:
        hanging.answer.set()
        bad = hanging.hang("share/bad")
        hanging.advance(20)
        hanging.next()
        hanging.pool.submit(InFlightMessage(received(), 0, job=bad.job))
        done = hanging.next()
        assert (code_of(done), done.was_tried) == (ReasonCode.SHARE_SILENT, False)


def test_number_of_threads_set_aside_is_limited(services: ServicesSetup) -> None:
    with HangingPool(services, Hanging(), threads=2) as hanging:
        hanging.answer.set()
        for number in range(MAX_SET_ASIDE_PER_MOUNT):
            hanging.hang(f"share/bad{number}")
        full = hanging.submit("share/good")
        good = hanging.submit("good")
        by_message: dict[InFlightMessage, Done] = {}
        while not by_message.keys() >= {full, good}:
            done = hanging.next()
            by_message[done.message] = done
        assert (code_of(by_message[full]), by_message[full].was_tried) == (ReasonCode.SHARE_SILENT, False)
        assert by_message[good].result == FileResult(4, 2)


def small_file(services: ServicesSetup, name: str) -> InFlightMessage:
    message = message_for(services, name)
    assert message.job is not None
    message.job = message.job._replace(file_size=4)
    return message


class StuckReading:
    """Reads many files at once, but does not respond at the file named `stuck` until a test releases it."""

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.calls: SimpleQueue[list[str]] = SimpleQueue()

    def __call__(self, paths: list[str], place: array[int], seconds: float) -> list[bytes | None]:
        assert seconds < WAIT_SECONDS / 10, "otherwise, the files that wait meanwhile would be released"
        for index, path in enumerate(paths):
            place[0] = index
            if path.endswith("/stuck"):
                self.calls.put(paths)
                assert self.go_on.wait(30)
        return [b"read together"] * len(paths)


@pytest.fixture
def reading(monkeypatch: pytest.MonkeyPatch) -> StuckReading:
    """Let pools read many files at once with a fake."""
    made = StuckReading()
    monkeypatch.setattr(worker_pool, "read_small_files", made)
    return made


def test_files_that_were_to_be_read_together_are_read_alone_if_one_does_not_respond(
    services: ServicesSetup, reading: StuckReading
) -> None:
    clock = FakeClock()
    done: SimpleQueue[Done] = SimpleQueue()
    pool = WorkerPool(1, default_registry(), done.put, clock=clock)
    pool.usual_seconds = 0.0
    pool.start()
    pool.submit(*(small_file(services, name) for name in ("a", "stuck", "b")))
    assert len(reading.calls.get(timeout=30)) == 3
    pool.check_stalled()  # it is the second file now
    clock.advance(READ_SILENT_SECONDS)
    pool.check_stalled()
    assert done.empty(), "not yet"

    clock.advance(READ_SILENT_SECONDS)
    pool.check_stalled()

    assert [done.get(timeout=30).result for _ in range(3)] == [FileResult(4, 2)] * 3
    pool.submit(*(small_file(services, name) for name in ("c", "stuck too")))
    assert [done.get(timeout=30).result for _ in range(2)] == [FileResult(4, 2)] * 2, "none is read together meanwhile"
    reading.go_on.set()
    wait_until(lambda: sum(thread.name.startswith("worker-") for thread in threading.enumerate()) == 1)
    pool.submit(*(small_file(services, name) for name in ("d", "e")))
    assert [done.get(timeout=30).result for _ in range(2)] == [FileResult(13, 1)] * 2, "now they are again"
    pool.stop()
    wait_until(lambda: not any(thread.name.startswith("worker-") for thread in threading.enumerate()))


def test_accesses_are_watched_although_the_file_was_read_with_others_meanwhile(
    services: ServicesSetup, reading: StuckReading
) -> None:
    silent, clock = list[int](), FakeClock()
    is_processing, done = threading.Event(), SimpleQueue[Done]()

    class Watched(ProcessorRegistry):
        """Processes a file while the thread that reads files together comes back."""

        def process(
            self,
            path: str,
            watch: Watch,
            opened: Source | None = None,
            processor: str = DEFAULT_PROCESSOR,
            options: str = "",
        ) -> FileResult:
            if path.endswith("/a"):
                watch.on_access(begins=True)
                is_processing.set()
                wait_until(lambda: not pool._readings)
                watch.on_access(begins=False)
                clock.advance(1)
                silent.append(pool.count_silent(0))
            return super().process(path, watch, opened, processor, options)

    pool = WorkerPool(2, Watched(BUILT_IN), done.put, clock=clock)
    pool.usual_seconds = 0.0
    pool.start()
    files = [small_file(services, name) for name in ("a", "stuck", "b")]
    pool.submit(*files)
    reading.calls.get(timeout=30)
    pool.check_stalled()
    pool.check_stalled()  # the other thread begins
    assert is_processing.wait(30)
    reading.go_on.set()
    outcomes = {one.message: one.result for one in (done.get(timeout=30) for _ in files)}
    pool.stop()

    assert silent == [0]
    assert outcomes[files[0]] == FileResult(4, 2)
    assert [message.opened for message in files] == [None] * 3, "memory is not kept while messages wait for deletion"


def test_files_that_do_not_fit_into_memory_together_are_read_alone(
    services: ServicesSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    def has_no_memory(_paths: list[str], _place: array[int], _seconds: float) -> list[bytes | None]:
        raise MemoryError

    monkeypatch.setattr(worker_pool, "read_small_files", has_no_memory)
    done: SimpleQueue[Done] = SimpleQueue()
    pool = WorkerPool(1, default_registry(), done.put, clock=FakeClock())
    pool.usual_seconds = 0.0
    pool.submit(*(small_file(services, name) for name in ("a", "b")))
    pool.start()
    assert [done.get(timeout=10).result for _ in range(2)] == [FileResult(4, 2)] * 2
    pool.stop()


def test_file_in_memory_does_not_show_that_its_file_system_responds(
    services: ServicesSetup, reading: StuckReading
) -> None:
    reading.go_on.set()
    clock, done, never = FakeClock(), SimpleQueue[Done](), threading.Event()
    health = MountHealth(clock, probe=lambda _: never.wait(30))
    mounts = MountTable(lambda: {"/": Mount("/")})
    pool = WorkerPool(1, default_registry(), done.put, clock=clock, mounts=mounts, health=health)
    pool.usual_seconds = 0.0
    pool.submit(*(small_file(services, name) for name in ("a", "b")))
    health.suspect(Mount("/"), clock.steady())
    pool.start()
    assert [done.get(timeout=30).result for _ in range(2)] == [FileResult(13, 1)] * 2
    clock.advance(60)

    assert health.is_unresponsive(Mount("/"))
    never.set()
    pool.stop()


def test_files_that_may_not_respond_or_may_crash_the_program_are_not_read_together(
    services: ServicesSetup, reading: StuckReading
) -> None:
    reading.go_on.set()
    (services.folder / "share").mkdir()
    shared = f"{services.folder}/share"
    mounts = MountTable(lambda: {"/": Mount("/"), shared: Mount(shared, "7", is_remote=True)})
    done: SimpleQueue[Done] = SimpleQueue()
    pool = WorkerPool(1, default_registry(), done.put, clock=FakeClock(), mounts=mounts)
    names = ("stuck", "share/remote", "suspect", "b")
    messages = {name: small_file(services, name) for name in names}
    messages["suspect"].is_suspect = True
    pool.usual_seconds = 0.0
    pool.start()
    pool.submit(*messages.values())
    results = {done.get(timeout=30).message: name for name in names}
    pool.stop()

    assert results.keys() == set(messages.values())
    assert [path.rpartition("/")[2] for path in reading.calls.get(timeout=30)] == ["stuck", "b"]
