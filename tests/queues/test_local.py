"""The embedded queue: one server for all programs of a folder, there while one of them lives, and never longer."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
from typing import TYPE_CHECKING

import pytest

from desktop_app.queues.local import LocalQueue
from desktop_app.queues.local_facts import LOOPBACK, ServerFacts
from desktop_app.queues.local_server import ALREADY_RUNNING, log_file
from tests.queues.local_programs import (
    DEADLINE,
    ROOT,
    Program,
    attach,
    facts_of,
    kill,
    on_posix,
    reset_at_close,
    serve_command,
    sqs,
    wait_until,
    wait_until_ended,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def program(run: Path) -> Iterator[Callable[[], Program]]:
    started: list[Program] = []

    def start() -> Program:
        started.append(Program(run))
        return started[-1]

    yield start
    for one in started:
        one.kill()


def test_it_starts_serves_and_ends_with_its_last_user(run: Path) -> None:
    with attach(run) as queue:
        client = sqs(queue)
        assert queue.alive()
        client.send_message(QueueUrl=queue.queue_url, MessageBody="hello")
        [message] = client.receive_message(QueueUrl=queue.queue_url)["Messages"]
        assert message["Body"] == "hello"
        client.delete_message(QueueUrl=queue.queue_url, ReceiptHandle=message["ReceiptHandle"])
        wanted = ["VisibilityTimeout", "MessageRetentionPeriod", "ApproximateNumberOfMessagesNotVisible"]
        attributes = client.get_queue_attributes(QueueUrl=queue.queue_url, AttributeNames=wanted)["Attributes"]
        assert [attributes[name] for name in wanted] == ["30", "1209600", "0"]
        client.close()
        facts = facts_of(run)
    assert not queue.alive()
    wait_until_ended(run, facts)


def test_a_second_user_joins_and_the_first_may_go(run: Path) -> None:
    first = attach(run)
    second = attach(run)
    assert second.instance_id == first.instance_id
    assert second.endpoint_url == first.endpoint_url
    first.close()
    first.close()
    assert second.alive()
    facts = facts_of(run)
    second.close()
    wait_until_ended(run, facts)


def test_programs_that_attach_at_the_same_moment_share_one_server(run: Path, program: Callable[[], Program]) -> None:
    programs = [program() for _ in range(3)]
    assert len({one.instance_id() for one in programs}) == 1
    facts = facts_of(run)
    for one in programs:
        one.end()
    wait_until_ended(run, facts)


def test_threads_that_attach_at_the_same_moment_share_one_server(run: Path) -> None:
    queues: list[LocalQueue] = []
    threads = [threading.Thread(target=lambda: queues.append(attach(run))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE)
    assert len(queues) == 3
    assert len({queue.instance_id for queue in queues}) == 1
    for queue in queues:
        queue.close()


def test_it_survives_one_killed_user_and_ends_with_the_other(run: Path, program: Callable[[], Program]) -> None:
    one, other = program(), program()
    instance = one.instance_id()
    assert other.instance_id() == instance
    one.kill()
    with attach(run) as third:
        assert third.instance_id == instance
    facts = facts_of(run)
    other.kill()
    wait_until_ended(run, facts)


def test_a_server_that_was_killed_is_noticed_and_the_next_is_another(run: Path) -> None:
    old = attach(run)
    assert old.alive()
    kill(facts_of(run).pid)
    wait_until(lambda: not old.alive(), "the loss is noticed")
    with attach(run) as new:
        assert new.alive()
        assert new.instance_id != old.instance_id
    old.close()


def test_a_lifeline_that_was_cut_counts_as_lost() -> None:
    with socket.create_server((LOOPBACK, 0)) as server:
        lifeline = socket.create_connection(server.getsockname())
        lifeline.setblocking(False)
        queue = LocalQueue(ServerFacts(1, 2, "token", "http://127.0.0.1:1", "http://127.0.0.1:1/q", "id"), lifeline)
        connection, _ = server.accept()
        assert queue.alive()
        reset_at_close(connection)
        connection.close()
        wait_until(lambda: not queue.alive(), "the loss is noticed")
    queue.close()


def test_a_server_that_starts_without_us_is_joined_and_not_doubled(run: Path) -> None:
    run.mkdir()
    orphan = subprocess.Popen(serve_command(run), env=os.environ | {"PYTHONPATH": str(ROOT)}, stderr=subprocess.DEVNULL)
    try:
        wait_until((run / "local-queue.server.lock").exists, "it has its lock")
        with attach(run) as queue:
            assert queue.alive()
            assert facts_of(run).pid == orphan.pid
        assert orphan.wait(DEADLINE) == 0
    finally:
        orphan.kill()
        orphan.wait()


def test_a_second_server_on_a_folder_gives_up(run: Path) -> None:
    with attach(run):
        second = subprocess.run(
            serve_command(run),
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            timeout=DEADLINE,
            check=False,
        )
    assert second.returncode == ALREADY_RUNNING
    assert b"another server" in second.stderr


@on_posix
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(run: Path, number: signal.Signals) -> None:
    with attach(run) as queue:
        facts = facts_of(run)
        os.kill(facts.pid, number)
        wait_until(lambda: not queue.alive(), "it has ended")
        wait_until_ended(run, facts)
    assert log_file(run).read_text().rstrip().endswith("ended")
