"""`filemill worker` with loops made for the tests; the end-to-end tests use the real ones."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest

from desktop_app.cli import worker
from desktop_app.domain.clock import SystemClock
from desktop_app.domain.errors import StoreError
from desktop_app.domain.reasons import Reason, ReasonCode
from desktop_app.queues.messages import QueueState
from desktop_app.services.loops import LoopState, Phase, StopRequest
from desktop_app.store.models import JobRow
from desktop_app.store.processors import WorkerProcessors
from desktop_app.store.results import Work
from desktop_app.store.rows import reason_columns
from tests.cli.conftest import TICK
from tests.cli.test_submit import Connector
from tests.helpers.fakes import OFFLINE, FakeClient, received

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from desktop_app.bootstrap import Program
    from tests.cli.conftest import Cli, JobSetup

posix = pytest.mark.skipif(os.name == "nt", reason="Windows can't send itself such signals")


class Loop:
    """A loop that calls a function once, then runs until it is stopped."""

    def __init__(self, action: Callable[[], object] = lambda: None) -> None:
        self._action = action
        self.ended = False

    is_drained = True

    def drain(self, *, is_wanted: bool = True) -> None:
        """Receive nothing, as with an empty queue."""

    def run(self, stop: StopRequest) -> None:
        self._action()
        stop.wait(60)
        self.ended = True


class EmptyQueue(Connector):
    """A connector for a queue that contains a number of messages at the end."""

    def __init__(self) -> None:
        super().__init__()
        self.client = FakeClient(queue_state=QueueState(0, 0, 0, 0, 345_600))

    def connect(self) -> FakeClient:
        return self.client


@dataclass
class WorkerParts:
    """The loops of the worker, and the arguments that it built them with."""

    sender: Any = field(default_factory=Loop)
    consumer: Any = field(default_factory=Loop)
    connector: EmptyQueue = field(default_factory=EmptyQueue)
    reports: dict[str, Callable[[LoopState], None]] = field(default_factory=dict)
    concurrency: int | None = None
    wait_s: int = 0
    program: Program | None = None

    def build_sender(self, program: Program, connector: object, report: Callable[[LoopState], None]) -> Any:
        self.reports["sender"] = report
        return self.sender

    def build_consumer(
        self,
        program: Program,
        connector: object,
        report: Callable[[LoopState], None],
        *,
        concurrency: int | None = None,
        wait_s: int = 20,
    ) -> Any:
        self.program = program
        self.reports["consumer"] = report
        self.concurrency = concurrency
        self.wait_s = wait_s
        return self.consumer


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> WorkerParts:
    made = WorkerParts()
    monkeypatch.setattr("desktop_app.bootstrap.connect_queue", lambda *_: made.connector)
    monkeypatch.setattr("desktop_app.bootstrap.build_sender", made.build_sender)
    monkeypatch.setattr("desktop_app.bootstrap.build_consumer", made.build_consumer)
    monkeypatch.setattr(worker, "LOOK_S", 0.01)
    monkeypatch.setattr(worker, "IDLE_LOOK_S", 0.01)
    return made


@pytest.fixture
def two(tmp_path: Path, cli: Cli) -> list[str]:
    for name in ("one.txt", "two.txt"):
        (tmp_path / name).touch()
    return cli.submit(tmp_path / "one.txt", tmp_path / "two.txt")


def test_until_idle_with_nothing_to_do_ends_at_once(cli: Cli, parts: WorkerParts) -> None:
    outcome = cli("worker", "--until-idle")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out == "0 files: 0 PENDING, 0 PROCESSING, 0 PROCESSED, 0 FAILED\n"
    assert parts.reports == {}


def test_until_idle_drains_what_earlier_workers_left_although_no_file_is_waiting(
    cli: Cli, parts: WorkerParts, two: list[str], setup: JobSetup
) -> None:
    setup.finish_all(two)
    parts.connector.client.queue_state = QueueState(1, 0, 0, 0, 345_600)
    parts.consumer = Loop(lambda: setattr(parts.connector.client, "queue_state", QueueState(0, 0, 0, 0, 345_600)))
    assert cli("worker", "--until-idle").code == 0
    assert parts.consumer.ended
    parts.connector.client.queue_state = QueueState(5, 0, 0, 0, 345_600)
    parts.consumer = Loop()
    assert cli("worker", "--until-idle").code == 0
    assert not parts.consumer.ended, "only foreign messages would be received"


@pytest.mark.parametrize("is_away", [True, False])
def test_until_idle_with_nothing_left_or_no_queue_ends_at_once(
    cli: Cli, parts: WorkerParts, two: list[str], setup: JobSetup, monkeypatch: pytest.MonkeyPatch, is_away: bool
) -> None:
    setup.finish_all(two)
    if is_away:
        monkeypatch.setattr(parts.connector, "connect", lambda: (_ for _ in ()).throw(OFFLINE))
    outcome = cli("worker", "--until-idle")
    assert (outcome.code, outcome.complaints) == (0, [])
    assert not parts.consumer.ended


def test_until_idle_ends_when_all_files_are_finished_even_if_some_failed(
    cli: Cli, parts: WorkerParts, setup: JobSetup, two: list[str]
) -> None:
    def work() -> None:
        setup.fail(two[1])
        setup.finish_all(two[:1])

    parts.consumer = Loop(work)
    outcome = cli("worker", "--until-idle")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out == "2 files: 0 PENDING, 0 PROCESSING, 1 PROCESSED, 1 FAILED\n"
    assert (parts.sender.ended, parts.consumer.ended, parts.connector.closed) == (True, True, 1)


@pytest.mark.parametrize("option", [[], ["--fail-on-error"]])
def test_failed_files_change_the_exit_code_only_on_request(
    cli: Cli, parts: WorkerParts, setup: JobSetup, two: list[str], option: list[str]
) -> None:
    setup.fail(two[0])  # before the worker starts
    parts.consumer = Loop(lambda: setup.finish_all(two[1:]))
    assert cli("worker", "--until-idle", *option).code == 0
    cli("retry", two[0], two[1])

    def work() -> None:
        setup.fail(two[0], at_ms=setup.program.clock.now_ms())
        setup.finish_all(two[1:])

    parts.consumer = Loop(work)
    assert cli("worker", "--until-idle", *option).code == (1 if option else 0)


@posix
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_stops_cleanly(cli: Cli, parts: WorkerParts, two: list[str], number: signal.Signals) -> None:
    parts.sender = Loop(lambda: os.kill(os.getpid(), number))
    parts.consumer = Loop(lambda: os.kill(os.getpid(), number))
    outcome = cli("worker", "--until-idle")
    assert (outcome.code, outcome.err) == (0, "")
    assert (parts.sender.ended, parts.consumer.ended, parts.connector.closed) == (True, True, 1)


@posix
def test_without_until_idle_it_waits_for_more(cli: Cli, parts: WorkerParts, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[bool] = []
    look = worker.IdleWatch.look

    def counted_look(self: worker.IdleWatch) -> bool:
        looks.append(look(self))
        if len(looks) == 3:
            os.kill(os.getpid(), signal.SIGTERM)
        return looks[-1]

    monkeypatch.setattr(worker.IdleWatch, "look", counted_look)
    assert cli("worker").code == 0
    assert looks == [True] * 4
    assert parts.wait_s == 20


@pytest.mark.parametrize("number", [1, 7, 64])
def test_concurrency_is_passed_on(cli: Cli, parts: WorkerParts, two: list[str], setup: JobSetup, number: int) -> None:
    parts.consumer = Loop(lambda: setup.finish_all(two))
    assert cli("worker", "--until-idle", "--concurrency", str(number)).code == 0
    assert parts.concurrency == number


@pytest.mark.parametrize("option", ["--shared-queue", "--until-idle"])
def test_messages_of_another_program_do_not_end_a_worker_on_a_shared_queue(
    cli: Cli, parts: WorkerParts, two: list[str], setup: JobSetup, option: str
) -> None:
    def end() -> None:
        setup.finish_all(two)
        signal.raise_signal(signal.SIGTERM)

    parts.consumer = Loop(end)
    assert cli("worker", option).code == 0
    assert parts.program is not None
    assert parts.program.foreign.is_tolerated


def test_messages_of_another_program_are_counted_at_the_end(
    cli: Cli, parts: WorkerParts, two: list[str], setup: JobSetup
) -> None:
    def note() -> None:
        assert parts.program is not None
        for number in range(30):
            parts.program.foreign.note(received("not ours", message_id=f"m{number % 25}"), "not JSON")
        setup.finish_all(two)

    parts.consumer = Loop(note)
    assert "25 messages of another program left in the queue." in cli("worker", "--until-idle").err


def test_worker_that_ends_soon_polls_briefly(cli: Cli, parts: WorkerParts, two: list[str], setup: JobSetup) -> None:
    parts.consumer = Loop(lambda: setup.finish_all(two))
    assert cli("worker", "--until-idle").code == 0
    assert parts.wait_s == worker.ENDING_POLL_SECONDS


def test_known_error_of_a_loop_ends_the_worker(cli: Cli, parts: WorkerParts, two: list[str]) -> None:
    def broken() -> None:
        raise StoreError("The database is damaged.")

    parts.consumer = Loop(broken)
    outcome = cli("worker")
    assert (outcome.code, outcome.err) == (1, "filemill: The database is damaged.\n")
    assert (parts.sender.ended, parts.connector.closed) == (True, 1)


@pytest.mark.expected_log("a bug", level="ERROR")
def test_bug_in_a_loop_ends_the_worker_and_is_logged(
    cli: Cli, parts: WorkerParts, two: list[str], filemill_home: Path
) -> None:
    parts.sender = Loop(lambda: 1 // 0)
    outcome = cli("worker")
    assert (outcome.code, len(outcome.complaints)) == (1, 1)
    assert parts.consumer.ended
    assert "ZeroDivisionError" in (filemill_home / "logs" / "filemill.log").read_text(encoding="utf-8")


def test_loop_that_does_not_end_is_abandoned(
    cli: Cli, parts: WorkerParts, two: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    release = threading.Event()

    class Hanging(Loop):
        def run(self, stop: StopRequest) -> None:
            release.wait()

    parts.consumer = Hanging()
    parts.sender = Loop(lambda: parts.reports["sender"](LoopState(Phase.STARTING)))
    monkeypatch.setattr(worker, "STOP_SECONDS", 0.05)
    idle = iter([False, False, True])
    monkeypatch.setattr(worker.IdleWatch, "look", lambda _: next(idle))
    outcome = cli("worker", "--until-idle")
    release.set()
    assert outcome.code == 1
    assert (
        outcome.err == "filemill: A thread did not end in time; the files it was processing will be processed again.\n"
    )


def test_each_error_and_its_end_are_reported_once(
    cli: Cli, parts: WorkerParts, two: list[str], setup: JobSetup
) -> None:
    offline = [LoopState(Phase.WAITING, "Can't reach it.", next_try_at=number, tries=number) for number in (1, 2, 3)]
    signed_out = LoopState(Phase.WAITING, "Sign in first.")
    running = LoopState(Phase.RUNNING)

    def work() -> None:
        sender, consumer = parts.reports["sender"], parts.reports["consumer"]
        for report in (sender, consumer):
            report(LoopState(Phase.STARTING))
            report(running)
            for state in offline:
                report(state)
        sender(running)
        consumer(signed_out)
        consumer(running)
        consumer(LoopState(Phase.STOPPED))
        setup.finish_all(two)

    parts.consumer = Loop(work)
    outcome = cli("worker", "--until-idle")
    assert outcome.code == 0
    assert outcome.complaints == [
        "filemill: Waiting: Can't reach it.",
        "filemill: Waiting: Sign in first.",
        "filemill: Running again.",
    ]


def test_jobs_of_another_queue_are_not_processed_but_reported(
    cli: Cli, parts: WorkerParts, two: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FILEMILL_QUEUE", "another")
    outcome = cli("worker", "--until-idle")
    assert outcome.code == 0
    assert outcome.err == (
        "filemill: 2 files left waiting for another queue (local): start a worker with that queue, "
        "or choose this queue instead with `filemill retry ID`.\n"
    )


def test_bar_moves_on_a_terminal(
    cli: Cli, parts: WorkerParts, setup: JobSetup, two: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    parts.consumer = Loop(lambda: setup.finish_all(two))
    outcome = cli("worker", "--until-idle")
    assert outcome.code == 0
    assert "Processing: " in outcome.err


class Bar:
    """A progress bar that records its positions and texts."""

    def __init__(self) -> None:
        self.moves: list[tuple[int, int | None]] = []
        self.texts: list[str] = []

    def move_to(self, done: int, total: int | None) -> None:
        self.moves.append((done, total))

    def rest(self, text: str) -> None:
        self.texts.append(text)

    def interrupt(self) -> None: ...


def test_progress_counts_jobs_finished_since_the_start(
    setup: JobSetup, cli: Cli, two: list[str], tmp_path: Path
) -> None:
    setup.finish(two[0])
    bar: Any = Bar()
    watch = worker.IdleWatch(setup.program, bar, lambda _: None)
    watch.look()
    watch.look()
    (tmp_path / "three.txt").touch()
    cli.submit(tmp_path / "three.txt")
    setup.fail(two[1])
    watch.look()
    assert bar.moves == [(0, 1), (1, 2)]
    assert bar.texts == []


@pytest.mark.parametrize("queue", ["", "my-queue"])
def test_idle_worker_says_what_it_waits_for(
    setup: JobSetup, two: list[str], monkeypatch: pytest.MonkeyPatch, queue: str
) -> None:
    program = replace(setup.program, connection=replace(setup.program.connection, queue=queue))
    name = "“my-queue”" if queue else "the local queue"
    errors: list[str] = []
    bar: Any = Bar()
    watch = worker.IdleWatch(program, bar, lambda _: None, is_hindered=lambda: bool(errors))
    if not queue:
        watch.look()
        assert bar.texts == [], "there is work to do"
    setup.finish_all(two)
    watch.look()
    so_far = "" if queue else ", 2 files finished so far"
    assert bar.texts == [f"Waiting for files on {name}{so_far} … (Ctrl+C stops)"]
    errors.append("Can't reach it.")
    watch.look()
    assert bar.texts[-1] == "Trying again … (Ctrl+C stops)"
    ending = worker.IdleWatch(program, bar, lambda _: None, is_ending=True)
    assert ending.look()
    assert bar.texts[-1].startswith(f"All files are finished. Looking for messages that are left on {name}")


def test_until_idle_waits_a_while_for_a_share_that_does_not_respond(
    cli: Cli, parts: WorkerParts, two: list[str], setup: JobSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "SHARE_SECONDS", 0.05)
    silent = Reason(ReasonCode.SHARE_SILENT, {"place": "/mnt"})

    def work() -> None:
        setup.finish(two[0])
        row, token = setup.start(two[1])
        later = TICK + 60_000
        assert Work(setup.program.database).give_back(row, token, now_ms=TICK, reason=silent, next_try_at=later)
        setup.program.database.release()

    parts.consumer = Loop(work)
    outcome = cli("worker", "--until-idle")
    assert (outcome.code, outcome.out) == (1, "2 files: 1 PENDING, 0 PROCESSING, 1 PROCESSED, 0 FAILED\n")
    assert outcome.complaints == [
        "filemill: Waiting: The disk or network share at /mnt does not respond.",
        "filemill: The remaining files will be processed by the next worker once the disk or network share responds.",
    ]


class SetClock(SystemClock):
    """A clock that shows `now`."""

    now = 0.0

    def steady(self) -> float:
        return self.now


def test_files_of_a_share_that_responds_again_are_not_given_up(setup: JobSetup, two: list[str]) -> None:
    silent = Reason(ReasonCode.SHARE_SILENT, {"place": "/mnt"})
    for file_id in two:
        row, token = setup.start(file_id)
        assert Work(setup.program.database).give_back(row, token, now_ms=TICK, reason=silent, next_try_at=TICK)
    bar: Any = Bar()
    clock = SetClock()
    watch = worker.IdleWatch(replace(setup.program, clock=clock), bar, lambda _: None)

    def is_stuck_after(seconds: float) -> bool:
        clock.now += seconds
        watch.look()
        return watch.is_stuck

    assert not is_stuck_after(0)
    row, token = setup.start(two[0])
    assert not is_stuck_after(worker.SHARE_SECONDS), "a large file of the share is being processed"
    setup.finish(two[1])
    assert not is_stuck_after(worker.SHARE_SECONDS)
    assert Work(setup.program.database).give_back(row, token, now_ms=TICK, reason=silent, next_try_at=TICK)
    assert not is_stuck_after(1), "a file was finished since then"
    assert is_stuck_after(worker.SHARE_SECONDS)


class SlowClock(SystemClock):
    """A clock that advances two seconds at each reading."""

    def __init__(self) -> None:
        self._now = 0.0

    def steady(self) -> float:
        self._now += 2
        return self._now


def test_slow_list_is_read_less_often(setup: JobSetup) -> None:
    bar: Any = Bar()
    watch = worker.IdleWatch(replace(setup.program, clock=SlowClock()), bar, lambda _: None)
    assert watch.look()
    assert watch.pause_s == 10.0


def test_messages_that_may_be_left_are_reported(
    cli: Cli, parts: WorkerParts, two: list[str], setup: JobSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("desktop_app.services.consuming.drain.LONGEST_SECONDS", 0.05)
    parts.connector.client.queue_state = QueueState(0, 3, 0, 0, 345_600)
    parts.consumer = Loop(lambda: setup.finish_all(two))
    outcome = cli("worker", "--until-idle")
    assert outcome.code == 0
    assert outcome.complaints == [
        (
            "filemill: 3 messages may still be in the queue: of another program, or hidden by a program that was "
            "killed. If Filemill sent them, the next worker deletes them."
        )
    ]


@pytest.mark.parametrize(
    "variables",
    [
        {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"},
        {"AWS_ENDPOINT_URL_SQS": "not a url"},
        {"AWS_PROFILE": "gone"},
        {"AWS_REGION": "nowhere", "AWS_DEFAULT_REGION": ""},
        {"AWS_ACCESS_KEY_ID": "line\nbreak", "AWS_SECRET_ACCESS_KEY": "", "AWS_SESSION_TOKEN": "ä"},
        {"AWS_CONFIG_FILE": "/nonexistent/config", "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent/credentials"},
        {"AWS_CA_BUNDLE": "/nonexistent.pem", "REQUESTS_CA_BUNDLE": "/nonexistent.pem"},
        {"HTTP_PROXY": "http://127.0.0.1:1", "HTTPS_PROXY": "nonsense://", "ALL_PROXY": "socks5://127.0.0.1:1"},
        {"AWS_MAX_ATTEMPTS": "many", "AWS_RETRY_MODE": "never", "AWS_USE_FIPS_ENDPOINT": "true"},
        {"TEST_SERVER_MODE": "true", "MOTO_CALL_RESET_API": "false", "MOTO_ACCOUNT_ID": "x", "LOCALSTACK_HOST": "x"},
    ],
    ids=lambda variables: next(iter(variables)),
)
def test_variables_of_aws_and_test_tools_do_not_change_the_embedded_queue(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    file = tmp_path / "a.txt"
    file.write_text("a\nb\n")
    assert cli("submit", file).code == 0
    outcome = cli("worker", "--until-idle")
    assert (outcome.code, outcome.complaints) == (0, [])
    assert [(job["status"], job["lines_count"]) for job in cli("status", "--json").jobs] == [("PROCESSED", 2)]
    assert cli("doctor").code == 0


@pytest.mark.parametrize("processor", ["command:gone", "lines"])
def test_until_idle_ends_if_no_running_worker_has_the_processors_of_the_rest(
    cli: Cli, parts: WorkerParts, two: list[str], setup: JobSetup, processor: str
) -> None:
    database, queue = setup.program.database, setup.program.connection.key
    reason = Reason(ReasonCode.NO_WORKER, {"processor": processor, "computer": "here"})
    with database.write() as revision:
        left = JobRow.update(processor=processor, revision=revision, **reason_columns(reason))
        database.run(left.where(JobRow.uuid == two[1]))

    def work() -> None:
        assert parts.program is not None
        name, now_ms = parts.program.identity.name, SystemClock().now_ms()
        WorkerProcessors(database).announce(name, queue=queue, versions={"lines": 1}, fields={}, now_ms=now_ms)
        setup.finish(two[0])
        if processor == "lines":
            time.sleep(0.1)
            setup.finish(two[1])
        database.release()

    parts.consumer = Loop(work)
    outcome = cli("worker", "--until-idle")
    if processor == "lines":
        assert (outcome.code, outcome.complaints) == (0, [])
    else:
        assert (outcome.code, outcome.out) == (1, "2 files: 1 PENDING, 0 PROCESSING, 1 PROCESSED, 0 FAILED\n")
        assert outcome.complaints == [
            f"filemill: 1 file left: {reason}. `filemill processors` shows what there is here."
        ]
