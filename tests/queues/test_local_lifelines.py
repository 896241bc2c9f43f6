"""The control port: programs that know the token keep the server alive, anybody else is turned away."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from desktop_app.queues import local_lifelines
from desktop_app.queues.local_facts import LINE_LIMIT, LOOPBACK, ServerFacts, greeted_token, greeting
from desktop_app.queues.local_lifelines import Lifelines
from tests.helpers import wait_until
from tests.queues.local_programs import reset_at_close

if TYPE_CHECKING:
    from collections.abc import Iterator

DEADLINE = 10.0
turned_away = pytest.mark.expected_log("without the right token was turned away")


class Running:
    """Lifelines in a thread, as in the server's main thread."""

    def __init__(self, *, first_grace: float = DEADLINE, grace: float = 0.05) -> None:
        listener = socket.create_server((LOOPBACK, 0))
        self._port = listener.getsockname()[1]
        self.facts = ServerFacts(1, self._port, "secret", "http://127.0.0.1:1", "http://127.0.0.1:1/1/q", "id")
        self._lifelines = Lifelines(listener, self.facts, first_grace=first_grace, grace=grace)
        self._stop, self._stopped = socket.socketpair()
        self._thread = threading.Thread(target=self._lifelines.run, args=(self._stopped,))
        self._thread.start()

    def connect(self) -> socket.socket:
        return socket.create_connection((LOOPBACK, self._port), timeout=DEADLINE)

    def wait_until_heard(self, count: int) -> None:
        wait_until(lambda: sum(len(caller.heard) for caller in set(self._lifelines._callers)) == count, DEADLINE)

    def has_ended(self) -> bool:
        self._thread.join(DEADLINE)
        return not self._thread.is_alive()

    def runs(self) -> bool:
        return self._thread.is_alive()

    def stop(self) -> None:
        self._stop.send(b"x")

    def close(self) -> None:
        self.stop()
        assert self.has_ended()
        self._stop.close()
        self._stopped.close()


@pytest.fixture
def running() -> Iterator[Running]:
    one = Running()
    yield one
    one.close()


def greet(running: Running) -> socket.socket:
    lifeline = running.connect()
    lifeline.sendall(greeting("secret"))
    with lifeline.makefile("rb") as answer:
        assert ServerFacts.from_line(answer.readline()) == running.facts
    return lifeline


def is_dropped(connection: socket.socket) -> bool:
    try:
        return connection.recv(1) == b""
    except ConnectionError:
        return True


def test_it_ends_with_the_last_program(running: Running) -> None:
    first, second = greet(running), greet(running)
    first.close()
    third = greet(running)
    second.close()
    fourth = greet(running)
    third.close()
    assert running.runs()
    fourth.close()
    assert running.has_ended()


def test_it_ends_if_nobody_ever_comes() -> None:
    running = Running(first_grace=0.05)
    assert running.has_ended()
    running.close()


def test_it_ends_when_it_is_told_to_and_lets_everybody_go(running: Running) -> None:
    lifeline = greet(running)
    running.stop()
    assert is_dropped(lifeline)
    lifeline.close()


def test_a_greeting_may_come_in_pieces(running: Running) -> None:
    with running.connect() as slow:
        whole = greeting("secret")
        slow.sendall(whole[:5])
        running.wait_until_heard(5)
        slow.sendall(whole[5:])
        assert ServerFacts.from_line(slow.recv(LINE_LIMIT)) == running.facts


def test_what_a_program_says_later_is_ignored(running: Running) -> None:
    with greet(running) as chatty:
        chatty.sendall(b"x" * 100_000)
        with greet(running):
            assert running.runs()
        chatty.setblocking(False)
        with pytest.raises(BlockingIOError):
            chatty.recv(1)


@turned_away
@pytest.mark.parametrize(
    "said",
    [
        greeting("wrong"),
        greeting(""),
        greeting("sécret"),
        b"\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\x00\n",
        b'{"token": 7}\n',
        b'["token"]\n',
        b'{"token": "\\ud800"}\n',
        b"[" * 3000 + b"\n",
        b"x" * LINE_LIMIT,
    ],
)
def test_garbage_is_dropped_without_disturbing_others(running: Running, said: bytes) -> None:
    with greet(running) as lifeline, running.connect() as stranger:
        stranger.sendall(said)
        assert is_dropped(stranger)
        lifeline.setblocking(False)
        with pytest.raises(BlockingIOError):
            lifeline.recv(1)


def test_who_says_nothing_is_dropped_and_does_not_keep_it_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_lifelines, "_GREETING_SECONDS", 0.05)
    running = Running()
    with greet(running), running.connect() as silent:
        assert is_dropped(silent)
        assert running.runs()
    monkeypatch.setattr(local_lifelines, "_GREETING_SECONDS", DEADLINE)
    with running.connect() as silent:
        assert running.has_ended()
        assert is_dropped(silent)
    running.close()


def test_a_program_that_is_cut_off_counts_as_gone(running: Running) -> None:
    lifeline = greet(running)
    reset_at_close(lifeline)
    lifeline.close()
    assert running.has_ended()


def test_a_flood_of_strangers_does_not_reach_the_programs(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_lifelines, "_MOST_CALLERS", 5)
    with greet(running) as lifeline, ExitStack() as strangers:
        crowd = [strangers.enter_context(running.connect()) for _ in range(8)]
        assert sum(is_dropped(one) for one in crowd[4:]) == 4
        lifeline.setblocking(False)
        with pytest.raises(BlockingIOError):
            lifeline.recv(1)


def test_it_sleeps_while_nothing_changes(running: Running) -> None:
    with greet(running):
        wait_until(lambda: running._lifelines._patience() is None, DEADLINE)


def test_it_waits_no_longer_than_its_grace() -> None:
    before = time.monotonic()
    running = Running(first_grace=DEADLINE, grace=0.1)
    greet(running).close()
    assert running.has_ended()
    assert time.monotonic() - before >= 0.1
    running.close()


@pytest.mark.parametrize("line", [b"", b"{}", b"null", b"\xff", b'{"token": null}'])
def test_what_is_no_greeting_has_no_token(line: bytes) -> None:
    assert greeted_token(line) == ""
