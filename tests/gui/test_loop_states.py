from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtTest import QSignalSpy

from desktop_app.config.settings import Connection
from desktop_app.domain.errors import QueueTrouble
from desktop_app.gui.connection import status as loop_states
from desktop_app.gui.connection.status import LoopStates, Mark, Need, Trouble
from desktop_app.services.loops import LoopState, Phase
from tests.gui.world import NOW_MS
from tests.helpers.fakes import FakeClock

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

RUNNING = LoopState(Phase.RUNNING)
AWS = Connection(queue="ingest", region="eu-west-1")
OFFLINE = LoopState(Phase.WAITING, "Amazon SQS can't be reached.", QueueTrouble.OFFLINE, NOW_MS + 8_000, 3)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOW_MS / 1000)


def test_it_starts_then_names_the_queue(qapp: object, clock: FakeClock) -> None:
    states = LoopStates(AWS, clock)
    assert (states.text.mark, states.text.text) == (Mark.STARTING, "Starting…")
    states.take_sender(RUNNING)
    assert states.text.mark is Mark.STARTING
    states.take_consumer(RUNNING)
    assert (states.text.mark, states.text.text) == (Mark.RUNNING, "ingest · eu-west-1")
    assert "ingest" in states.text.detail
    local = LoopStates(Connection(), clock)
    local.take_sender(RUNNING)
    local.take_consumer(RUNNING)
    assert local.text.text == "Local queue"
    assert "no account needed" in local.text.detail


def test_waiting_counts_down(qtbot: QtBot, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop_states, "_EVERY_MS", 1)
    states = LoopStates(AWS, clock)
    states.take_consumer(RUNNING)
    states.take_sender(OFFLINE)
    assert (states.text.mark, states.text.text) == (Mark.RETRYING, "Trying again in 8 s")
    assert states.text.detail == OFFLINE.text
    clock.advance(5)
    with qtbot.waitSignal(states.text_changed) as changed:
        pass  # its own timer asks the clock
    assert changed.args[0].text == "Trying again in 3 s"
    clock.advance(60)
    assert states.text.text == "Trying again in 1 s"


@pytest.mark.parametrize(
    ("trouble", "text"),
    [
        (QueueTrouble.SIGNED_OUT, "Sign-in needed"),
        (QueueTrouble.NO_RIGHT, "Not allowed to use the queue"),
        (QueueTrouble.NO_QUEUE, "Queue not found"),
        (QueueTrouble.SETUP, "The connection needs attention"),
    ],
)
def test_trouble_that_needs_the_person_has_a_mark_of_its_own(
    qapp: object, clock: FakeClock, trouble: QueueTrouble, text: str
) -> None:
    states = LoopStates(AWS, clock)
    states.take_consumer(LoopState(Phase.WAITING, "Whole sentences.", trouble, NOW_MS + 1))
    assert (states.text.mark, states.text.text) == (Mark.NEEDED, text)


def test_waiting_without_a_time_and_stopped(qapp: object, clock: FakeClock) -> None:
    states = LoopStates(AWS, clock)
    states.take_sender(LoopState(Phase.WAITING, "The disk is full."))
    assert states.text.text == "Waiting"
    states.take_sender(LoopState(Phase.STOPPED))
    assert (states.text.mark, states.text.text) == (Mark.STOPPED, "Stopped")


def test_trouble_is_told_once_and_taken_back(qapp: object, clock: FakeClock) -> None:
    states = LoopStates(AWS, clock)
    spy = QSignalSpy(states.trouble_changed)
    states.take_sender(OFFLINE)
    states.take_consumer(OFFLINE)
    states.take_consumer(LoopState(Phase.WAITING, OFFLINE.text, QueueTrouble.OFFLINE, NOW_MS + 99_000, 4))
    assert [spy.at(n)[0] for n in range(spy.count())] == [Trouble(OFFLINE.text)]
    states.take_sender(RUNNING)
    assert spy.count() == 1  # the consumer still waits, for the same reason
    states.take_consumer(RUNNING)
    assert spy.at(1)[0] is None


def test_death_comes_before_everything_until_the_thread_reports_again(qapp: object, clock: FakeClock) -> None:
    states = LoopStates(AWS, clock)
    spy = QSignalSpy(states.trouble_changed)
    states.take_sender(OFFLINE)
    states.take_consumer_death("Processing has stopped.")
    assert spy.at(1)[0] == Trouble("Processing has stopped.", kind=Need.RESTART)
    assert (states.text.mark, states.text.detail) == (Mark.STOPPED, "Processing has stopped.")
    states.take_sender_death("Sending has stopped.")
    states.take_consumer(RUNNING)
    states.take_sender(RUNNING)
    assert spy.at(spy.count() - 1)[0] is None


def test_a_queue_that_nobody_has_allowed_is_sent_to_only(qapp: object, clock: FakeClock) -> None:
    states = LoopStates(AWS, clock)
    spy = QSignalSpy(states.trouble_changed)
    states.take_sender(RUNNING)
    states.take_consumer(LoopState(Phase.OFF, "None are processed here yet."))
    assert states.text.text.endswith("sending only")
    assert spy.at(spy.count() - 1)[0] == Trouble("None are processed here yet.", kind=Need.PERMISSION)
    states.take_consumer(RUNNING)
    assert spy.at(spy.count() - 1)[0] is None
