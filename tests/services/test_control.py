"""Pause, finish and resume, and permission to consume a queue."""

from __future__ import annotations

import threading
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from desktop_app.bootstrap import open_program
from desktop_app.config.settings import Settings, load_settings, update_settings
from desktop_app.services.control import OFF_TEXT, PermissionGate, ProcessingControl, RunMode
from desktop_app.services.loops import LoopState, Phase, StopRequest
from tests.helpers import wait_until
from tests.helpers.fakes import Countdown

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


# Pause, finish and resume


def told_by(control: ProcessingControl) -> list[RunMode]:
    told: list[RunMode] = []
    control.add_listener(told.append)
    return told


def test_change_of_the_mode_is_reported_once() -> None:
    control = ProcessingControl()
    told = told_by(control)
    allowed = [control.may_begin]
    for turn in (control.pause, control.pause, control.resume, control.resume):
        turn()
        allowed.append(control.may_begin)
    assert allowed == [True, False, False, True, True]
    assert told == [RunMode.PAUSED, RunMode.RUNNING]


def test_finishing_ends_when_the_consumer_is_idle() -> None:
    control = ProcessingControl()
    told = told_by(control)
    with control.consuming(serves_priorities=True):
        control.finish()
        assert (control.mode, control.may_begin) == (RunMode.FINISHING, False)
        control.note_idle()
        assert control.mode is RunMode.PAUSED
    assert told == [RunMode.FINISHING, RunMode.PAUSED]


def test_finishing_can_be_cancelled() -> None:
    control = ProcessingControl()
    with control.consuming(serves_priorities=True):
        control.finish()
        control.resume()
        control.note_idle()
    assert control.mode is RunMode.RUNNING


@pytest.mark.parametrize("ends_later", [False, True])
def test_finishing_without_a_consumer_pauses_at_once(ends_later: bool) -> None:
    control = ProcessingControl()
    told = told_by(control)
    if ends_later:
        with control.consuming(serves_priorities=True):
            control.finish()
            assert control.mode is RunMode.FINISHING
    else:
        control.finish()
    assert told == [RunMode.FINISHING, RunMode.PAUSED]


def test_paused_control_has_nothing_to_finish() -> None:
    control = ProcessingControl()
    control.pause()
    told = told_by(control)
    control.finish()
    assert (control.mode, told) == (RunMode.PAUSED, [])


# Permission to consume a queue


class RecordingLoop:
    """A loop that records that it ran."""

    def __init__(self) -> None:
        self.runs = 0

    def run(self, stop: StopRequest) -> None:
        self.runs += 1


def test_waiting_for_permission_is_reported_and_can_be_stopped() -> None:
    loop, told = RecordingLoop(), list[LoopState]()
    PermissionGate(loop, ProcessingControl(), told.append, queue="q").run(Countdown(3))
    assert loop.runs == 0
    assert told == [LoopState(Phase.OFF, OFF_TEXT), LoopState(Phase.STOPPED)]


def test_waiting_for_permission_ends_at_the_stop() -> None:
    loop, told, stop = RecordingLoop(), list[LoopState](), StopRequest()
    gate = PermissionGate(loop, ProcessingControl(), told.append, queue="q")
    thread = threading.Thread(target=gate.run, args=(stop,))
    thread.start()
    wait_until(lambda: told)
    stop.set()
    thread.join(20)
    assert (loop.runs, told[-1].phase) == (0, Phase.STOPPED)


def test_each_change_wakes_the_consumers_of_this_program() -> None:
    control, woken = ProcessingControl(), list[str]()
    changes: dict[str, Callable[[], object]] = {
        "pause": control.pause,
        "resume": control.resume,
        "permission": lambda: control.permit("q"),
        "priority": lambda: control.prioritize([1]),
        "concurrency": lambda: setattr(control, "concurrency", 3),
    }
    with control.consuming(serves_priorities=True):
        for name, change in changes.items():
            with control.waking(lambda name=name: woken.append(name)):  # type: ignore[misc]
                change()
    control.pause()
    assert woken == list(changes)


def test_consumer_starts_once_it_is_permitted() -> None:
    loop, told, control = RecordingLoop(), list[LoopState](), ProcessingControl()
    thread = threading.Thread(target=PermissionGate(loop, control, told.append, queue="q").run, args=(StopRequest(),))
    thread.start()
    wait_until(lambda: told)
    control.permit("q")
    thread.join(5)
    assert loop.runs == 1
    assert control.is_permitted("q"), "it stays permitted"


def test_permitted_queue_is_consumed_at_once() -> None:
    loop, told, control = RecordingLoop(), list[LoopState](), ProcessingControl()
    control.permit("q")
    PermissionGate(loop, control, told.append, queue="q").run(StopRequest())
    assert (loop.runs, told) == (1, [])


def test_embedded_queue_needs_no_permission(filemill_home: Path) -> None:
    program = open_program({})
    assert program.control.is_permitted(program.connection.key)
    program.close()


def test_named_queue_needs_permission_once(filemill_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named = {"FILEMILL_QUEUE": "ingest", "AWS_REGION": "eu-west-1"}
    program = open_program(named)
    assert not program.control.is_permitted(program.connection.key)
    program.control.permit(program.connection.key)
    update_settings(program.home.settings_file, process_queue=program.connection.permission_key)
    assert program.control.is_permitted(program.connection.key)
    program.close()
    again = open_program(named)
    assert again.control.is_permitted(again.connection.key)
    again.close()
    other = open_program({**named, "FILEMILL_QUEUE": "another"})
    assert not other.control.is_permitted(other.connection.key)
    other.close()
    assert load_settings(filemill_home / "settings.toml") == Settings(
        process_queue="eu-west-1 ingest with default credentials"
    )


@pytest.mark.parametrize(
    "change",
    [
        {"FILEMILL_QUEUE": "another"},
        {"FILEMILL_QUEUE": "https://sqs.eu-west-1.amazonaws.com/123456789012/ingest"},
        {"AWS_REGION": "us-east-1"},
        {"AWS_REGION": "", "AWS_DEFAULT_REGION": "us-east-1"},
        {"AWS_ENDPOINT_URL": "http://localhost:4566"},
        {"AWS_PROFILE": "other"},
        {"AWS_ACCESS_KEY_ID": "AKIDOTHER"},
    ],
)
def test_permission_does_not_apply_after_a_change_in_the_environment(
    change: dict[str, str], filemill_home: Path
) -> None:
    named = {"FILEMILL_QUEUE": "ingest", "AWS_REGION": "eu-west-1"}
    with closing(open_program(named)) as program:
        update_settings(program.home.settings_file, process_queue=program.connection.permission_key)
    for environment, is_permitted in ((named, True), ({**named, **change}, False), (named, True)):
        with closing(open_program(environment)) as program:
            assert program.control.is_permitted(program.connection.key) is is_permitted


@pytest.mark.parametrize(
    "change",
    [{"queue": "another"}, {"region": "us-east-1"}, {"endpoint_url": "http://localhost:4566"}, {"profile": "other"}],
)
def test_permission_does_not_apply_after_a_change_in_the_settings_file(
    change: dict[str, str], existing_home: Path
) -> None:
    file = existing_home / "settings.toml"
    update_settings(file, queue="ingest", region="eu-west-1")
    with closing(open_program({})) as program:
        update_settings(file, process_queue=program.connection.permission_key)
    with closing(open_program({})) as program:
        assert program.control.is_permitted(program.connection.key)
    update_settings(file, **change)
    with closing(open_program({})) as program:
        assert not program.control.is_permitted(program.connection.key)


def test_permission_of_0_1_0_does_not_apply_to_the_queue(existing_home: Path) -> None:
    """It names no credentials, so it could be meant for a queue in another account."""
    update_settings(
        existing_home / "settings.toml", queue="ingest", region="eu-west-1", process_queue="eu-west-1 ingest"
    )
    with closing(open_program({})) as program:
        assert not program.control.is_permitted(program.connection.key)
