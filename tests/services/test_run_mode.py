"""Pause, finish and resume."""

from __future__ import annotations

import pytest

from desktop_app.services.control import ProcessingControl, RunMode


def told_by(control: ProcessingControl) -> list[RunMode]:
    told: list[RunMode] = []
    control.add_listener(told.append)
    return told


def test_it_is_turned_and_says_so_once() -> None:
    control = ProcessingControl()
    told = told_by(control)
    allowed = [control.may_begin]
    for turn in (control.pause, control.pause, control.resume, control.resume):
        turn()
        allowed.append(control.may_begin)
    assert allowed == [True, False, False, True, True]
    assert told == [RunMode.PAUSED, RunMode.RUNNING]


def test_finishing_ends_with_the_consumers_word() -> None:
    control = ProcessingControl()
    told = told_by(control)
    with control.consuming(serves_priorities=True):
        control.finish()
        assert (control.mode, control.may_begin) == (RunMode.FINISHING, False)
        control.note_idle()
        assert control.mode is RunMode.PAUSED
    assert told == [RunMode.FINISHING, RunMode.PAUSED]


def test_finishing_can_be_taken_back() -> None:
    control = ProcessingControl()
    with control.consuming(serves_priorities=True):
        control.finish()
        control.resume()
        control.note_idle()
    assert control.mode is RunMode.RUNNING


@pytest.mark.parametrize("ends_later", [False, True])
def test_where_nothing_works_finishing_is_paused_at_once(ends_later: bool) -> None:
    control = ProcessingControl()
    told = told_by(control)
    if ends_later:
        with control.consuming(serves_priorities=True):
            control.finish()
            assert control.mode is RunMode.FINISHING
    else:
        control.finish()
    assert told == [RunMode.FINISHING, RunMode.PAUSED]


def test_what_is_paused_has_nothing_to_finish() -> None:
    control = ProcessingControl()
    control.pause()
    told = told_by(control)
    control.finish()
    assert (control.mode, told) == (RunMode.PAUSED, [])
