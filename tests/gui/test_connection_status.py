from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtTest import QSignalSpy

from desktop_app.config.settings import Connection
from desktop_app.domain.errors import QueueTrouble
from desktop_app.gui.connection import status as status_module
from desktop_app.gui.connection.status import ConnectionStatus, LoopKind, Mark, Need, Trouble
from desktop_app.services.loops import LoopState, Phase
from tests.gui.jobs_database import NOW_MS
from tests.helpers.fakes import FakeClock

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

RUNNING = LoopState(Phase.RUNNING)
AWS = Connection(queue="ingest", region="eu-west-1")
OFFLINE = LoopState(Phase.WAITING, "Amazon SQS can't be reached.", QueueTrouble.OFFLINE, NOW_MS + 8_000, 3)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOW_MS / 1000)


def test_text_is_starting_and_then_the_queue(qapp: object, clock: FakeClock) -> None:
    states = ConnectionStatus(AWS, clock)
    assert (states.text.mark, states.text.text) == (Mark.STARTING, "Starting…")
    states.set_state(LoopKind.SENDER, RUNNING)
    assert states.text.mark is Mark.STARTING
    states.set_state(LoopKind.CONSUMER, RUNNING)
    assert (states.text.mark, states.text.text) == (Mark.RUNNING, "ingest · eu-west-1")
    assert "ingest" in states.text.detail
    local = ConnectionStatus(Connection(), clock)
    local.set_state(LoopKind.SENDER, RUNNING)
    local.set_state(LoopKind.CONSUMER, RUNNING)
    assert local.text.text == "Local queue"
    assert "no account is needed" in local.text.detail


def test_text_counts_down_to_the_next_attempt(qtbot: QtBot, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status_module, "_UPDATE_MS", 1)
    states = ConnectionStatus(AWS, clock)
    states.set_state(LoopKind.CONSUMER, RUNNING)
    states.set_state(LoopKind.SENDER, OFFLINE)
    assert (states.text.mark, states.text.text) == (Mark.RETRYING, "Trying again in 8 s")
    assert states.text.detail == OFFLINE.text
    clock.advance(5)
    with qtbot.waitSignal(states.text_changed) as changed:
        pass  # its own timer reads the clock
    assert changed.args[0].text == "Trying again in 3 s"
    clock.advance(60)
    assert states.text.text == "Trying again in 1 s"


@pytest.mark.parametrize(
    ("trouble", "text"),
    [
        (QueueTrouble.SIGNED_OUT, "Sign-in required"),
        (QueueTrouble.NO_RIGHT, "Access to the queue denied"),
        (QueueTrouble.NO_QUEUE, "Queue not found"),
        (QueueTrouble.SETUP, "The connection needs attention"),
    ],
)
def test_problem_that_needs_the_user_has_its_own_mark(
    qapp: object, clock: FakeClock, trouble: QueueTrouble, text: str
) -> None:
    states = ConnectionStatus(AWS, clock)
    states.set_state(LoopKind.CONSUMER, LoopState(Phase.WAITING, "Whole sentences.", trouble, NOW_MS + 1))
    assert (states.text.mark, states.text.text) == (Mark.NEEDED, text)


def test_text_while_waiting_without_a_time_and_when_stopped(qapp: object, clock: FakeClock) -> None:
    states = ConnectionStatus(AWS, clock)
    states.set_state(LoopKind.SENDER, LoopState(Phase.WAITING, "The disk is full."))
    assert states.text.text == "Waiting"
    states.set_state(LoopKind.SENDER, LoopState(Phase.STOPPED))
    assert (states.text.mark, states.text.text) == (Mark.STOPPED, "Stopped")


def test_problem_is_reported_once_and_cleared(qapp: object, clock: FakeClock) -> None:
    states = ConnectionStatus(AWS, clock)
    spy = QSignalSpy(states.trouble_changed)
    states.set_state(LoopKind.SENDER, OFFLINE)
    states.set_state(LoopKind.CONSUMER, OFFLINE)
    states.set_state(
        LoopKind.CONSUMER, LoopState(Phase.WAITING, OFFLINE.text, QueueTrouble.OFFLINE, NOW_MS + 99_000, 4)
    )
    assert [spy.at(n)[0] for n in range(spy.count())] == [Trouble(OFFLINE.text)]
    states.set_state(LoopKind.SENDER, RUNNING)
    assert spy.count() == 1  # the consumer still waits for the same reason
    states.set_state(LoopKind.CONSUMER, RUNNING)
    assert spy.at(1)[0] is None


def test_failed_loop_takes_precedence_until_it_reports_a_state(qapp: object, clock: FakeClock) -> None:
    states = ConnectionStatus(AWS, clock)
    spy = QSignalSpy(states.trouble_changed)
    states.set_state(LoopKind.SENDER, OFFLINE)
    states.set_failure(LoopKind.CONSUMER, "Processing has stopped.")
    assert spy.at(1)[0] == Trouble("Processing has stopped.", need=Need.RESTART)
    assert (states.text.mark, states.text.detail) == (Mark.STOPPED, "Processing has stopped.")
    states.set_failure(LoopKind.SENDER, "Sending has stopped.")
    states.set_state(LoopKind.CONSUMER, RUNNING)
    states.set_state(LoopKind.SENDER, RUNNING)
    assert spy.at(spy.count() - 1)[0] is None


def test_text_without_permission_is_sending_only(qapp: object, clock: FakeClock) -> None:
    states = ConnectionStatus(AWS, clock)
    spy = QSignalSpy(states.trouble_changed)
    states.set_state(LoopKind.SENDER, RUNNING)
    states.set_state(LoopKind.CONSUMER, LoopState(Phase.OFF, "None are processed here yet."))
    assert states.text.text.endswith("sending only")
    assert spy.at(spy.count() - 1)[0] == Trouble("None are processed here yet.", need=Need.PERMISSION)
    states.set_state(LoopKind.CONSUMER, RUNNING)
    assert spy.at(spy.count() - 1)[0] is None


WAITING_FOR = "The program “helper” of profile “p” has not provided credentials yet. Waiting for it …"


def test_program_that_provides_credentials_is_named_while_it_is_waited_for(
    qtbot: QtBot, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status_module, "_UPDATE_MS", 1)
    states = ConnectionStatus(AWS, clock)
    troubles: list[Trouble | None] = []
    states.trouble_changed.connect(troubles.append)
    states.set_waiting_for(WAITING_FOR)
    assert (states.text.text, states.text.detail) == ("Waiting for credentials – 3 s", WAITING_FOR)
    assert troubles == [Trouble(WAITING_FOR, Need.CREDENTIALS)]
    clock.advance(4)
    with qtbot.waitSignal(states.text_changed) as changed:
        pass  # its own timer reads the clock
    assert changed.args[0].text == "Waiting for credentials – 7 s"
    states.set_state(LoopKind.SENDER, LoopState(Phase.STARTING))
    assert states.text.detail == WAITING_FOR, "the other loop says nothing about it"
    states.set_state(LoopKind.SENDER, RUNNING)
    assert troubles[1:] == [None]
    assert states.text.text == "Starting…"
