"""The switch between working and pausing."""

from __future__ import annotations

import pytest

from desktop_app.services.control import PauseControl, RunMode


def told_by(switch: PauseControl) -> list[RunMode]:
    told: list[RunMode] = []
    switch.on_change(told.append)
    return told


def test_it_is_turned_and_says_so_once() -> None:
    switch = PauseControl()
    told = told_by(switch)
    allowed = [switch.may_begin]
    for turn in (switch.pause, switch.pause, switch.resume, switch.resume):
        turn()
        allowed.append(switch.may_begin)
    assert allowed == [True, False, False, True, True]
    assert told == [RunMode.PAUSED, RunMode.RUNNING]


def test_it_can_stand_on_paused_from_the_beginning() -> None:
    switch = PauseControl(is_paused=True)
    assert (switch.pace, switch.may_begin) == (RunMode.PAUSED, False)


def test_finishing_ends_with_the_consumers_word() -> None:
    switch = PauseControl()
    told = told_by(switch)
    with switch.at_work():
        switch.finish()
        assert (switch.pace, switch.may_begin) == (RunMode.FINISHING, False)
        switch.note_idle()
        assert switch.pace is RunMode.PAUSED
    assert told == [RunMode.FINISHING, RunMode.PAUSED]


def test_finishing_can_be_taken_back() -> None:
    switch = PauseControl()
    with switch.at_work():
        switch.finish()
        switch.resume()
        switch.note_idle()
    assert switch.pace is RunMode.RUNNING


@pytest.mark.parametrize("ends_later", [False, True])
def test_where_nothing_works_finishing_is_paused_at_once(ends_later: bool) -> None:
    switch = PauseControl()
    told = told_by(switch)
    if ends_later:
        with switch.at_work():
            switch.finish()
            assert switch.pace is RunMode.FINISHING
    else:
        switch.finish()
    assert told == [RunMode.FINISHING, RunMode.PAUSED]


def test_what_is_paused_has_nothing_to_finish() -> None:
    switch = PauseControl(is_paused=True)
    told = told_by(switch)
    switch.finish()
    assert (switch.pace, told) == (RunMode.PAUSED, [])
