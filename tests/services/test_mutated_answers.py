"""The loops on a queue whose responses are mutated: they never end or spin, and every file has its result."""

from __future__ import annotations

import json
import random
import time
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

import pytest

from desktop_app.domain.job import Status
from desktop_app.services.loops import Backoff
from tests.crash import status_log
from tests.crash.program import QUEUES, Installation, ProgramInstance, Running
from tests.crash.served import ServedSimulator
from tests.helpers.sqs.simulator import Simulator
from tests.torture.fuzz import MutatingProxy, fuzz
from tests.torture.proxy import JSON, Exchange, Reply

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow

FILES = 200
VISIBILITY_SECONDS = 3
SPIN_SECONDS = 3.0


class Setup:
    """A program whose requests pass a `MutatingProxy`."""

    def __init__(self, folder: Path, name: str, stack: ExitStack) -> None:
        self.simulator = Simulator()
        self.simulator.create_queue(name)
        self.name = name
        served = stack.enter_context(ServedSimulator(self.simulator))
        self.proxy = MutatingProxy(served.endpoint_url, random.Random(12), rate=0.0)
        self.proxy.start()
        stack.callback(self.proxy.stop)
        installation = Installation(folder, self.proxy.endpoint_url, name, visibility_s=VISIBILITY_SECONDS)
        self.program = stack.enter_context(closing(ProgramInstance(installation)))
        paths = []
        for number in range(FILES):
            path = folder / f"file {number}"
            path.write_bytes(b"text\n" * number)
            paths.append(path)
        self.program.add(paths)

    def run(self) -> Running:
        return Running(self.program.sender, self.program.consumer)


@pytest.fixture(params=list(QUEUES))
def setup(
    request: pytest.FixtureRequest, tmp_path: Path, signed_in: None, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Setup]:
    with ExitStack() as stack:
        yield Setup(tmp_path, QUEUES[request.param], stack)


@pytest.fixture
def signed_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")


def test_mutated_responses_of_all_actions_are_values_or_plain_errors() -> None:
    fuzzer = fuzz(500, seed=12)
    assert fuzzer.wrong == []
    assert fuzzer.proxy.injected.total() == 500
    assert len(fuzzer.proxy.injected) >= 6


def test_files_are_processed_once_although_half_of_the_responses_are_mutated(
    setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    wait = Backoff.next
    monkeypatch.setattr(Backoff, "next", lambda self: min(wait(self), 0.25))
    setup.proxy.rate = 0.5
    running = setup.run()
    running.until(lambda: setup.program.counts().unfinished == 0, "all files are finished", 120)
    setup.proxy.is_kind = True
    running.until(lambda: not setup.simulator.bodies(setup.name), "the queue is empty", 120)
    running.stop()
    assert setup.proxy.injected.total() > 10
    jobs = setup.program.all()
    assert {job.status for job in jobs} == {Status.PROCESSED}
    assert [job.lines_count for job in jobs] == list(range(FILES))
    assert status_log.violations(setup.program.installation.database) == []


def _json(result: object, status: int = 200) -> Reply:
    return Reply(status, [("Content-Type", JSON)], json.dumps(result).encode())


ALWAYS: dict[str, Reply] = {
    "message without fields": _json({"Messages": [{}]}),
    "body that is no text": _json({"Messages": [{"MessageId": "m", "ReceiptHandle": "r", "Body": ["x"]}]}),
    "error code with escape sequences": _json({"__type": "#A\x1b[31mPWN\r\nFORGED", "message": "m"}, 500),
    "web page": Reply(200, [("Content-Type", "text/html")], b"<html>Sign in</html>"),
    "nothing": Reply(200, [], b""),
    "empty object": _json({}),
    "messages that are no list": _json({"Messages": {}, "Successful": 7, "Failed": "no"}),
    "deep nesting": Reply(200, [("Content-Type", JSON)], b'{"Messages":' + b"[" * 100_000),
    "chunk cut off": Reply(200, [], b"", raw=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{}"),
    "wrong length": Reply(200, [], b"", raw=b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{}"),
}


@pytest.mark.parametrize("name", ALWAYS)
def test_responses_that_are_always_malformed_are_requested_again_with_backoff(
    tmp_path: Path, signed_in: None, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    with ExitStack() as stack:
        setup = Setup(tmp_path, QUEUES["standard"], stack)

        def answer(exchange: Exchange) -> Reply:
            setup.proxy.count(exchange.operation)
            is_look_up = exchange.operation.startswith("GetQueue")
            return exchange.forward(exchange.body) if is_look_up else ALWAYS[name]

        monkeypatch.setattr(setup.proxy, "answer", answer)
        running = setup.run()
        begun = time.monotonic()
        running.until(lambda: time.monotonic() - begun > SPIN_SECONDS, "some seconds have passed")
        running.stop()
        took = time.monotonic() - begun
        assert setup.proxy.injected["ReceiveMessage"] >= 1
        assert max(setup.proxy.injected.values()) <= 10 * took
        assert {job.status for job in setup.program.all()} == {Status.PENDING}
