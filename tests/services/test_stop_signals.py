"""Signals that stop a program."""

from __future__ import annotations

import os
import select
import signal
import threading
from contextlib import closing
from typing import Any

import pytest

from desktop_app.services import stop_signals
from desktop_app.services.stop_signals import StopSignals, raising_stop_signals

posix = pytest.mark.skipif(os.name == "nt", reason="Windows can't send itself such signals")


@posix
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)])
def test_signal_ends_a_pause_at_once(number: signal.Signals) -> None:
    with closing(StopSignals()) as stop:
        assert not stop.is_set()
        os.kill(os.getpid(), number)
        assert not stop.pause(60)
        os.kill(os.getpid(), number)  # a second signal changes nothing
        assert stop.is_set()


def test_pause_runs_out() -> None:
    with closing(StopSignals()) as stop:
        assert stop.pause(0.001)
        assert stop.pause(0)


def test_stop_from_another_thread_ends_a_pause() -> None:
    with closing(StopSignals()) as stop:
        threading.Thread(target=stop.set).start()
        assert not stop.pause(60)


def test_handlers_are_as_before_afterwards() -> None:
    before = [signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)]
    with closing(StopSignals()):
        assert signal.getsignal(signal.SIGINT) is not before[0]
    assert [signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)] == before


@posix
def test_ignored_signal_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with closing(StopSignals()) as stop:
            os.kill(os.getpid(), signal.SIGHUP)
            assert stop.pause(0.001)
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_signals_are_not_handled_on_another_thread() -> None:
    seen: list[Any] = []

    def enter() -> None:
        with closing(StopSignals()) as stop:
            seen.append(stop.is_set())

    before = signal.getsignal(signal.SIGINT)
    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert seen == [False]
    assert signal.getsignal(signal.SIGINT) is before


@posix
def test_signal_wakes_a_wait_on_the_socket() -> None:
    with closing(StopSignals()) as stop:
        assert select.select([stop.reader], [], [], 0)[0] == []
        os.kill(os.getpid(), signal.SIGTERM)
        assert select.select([stop.reader], [], [], 10)[0] == [stop.reader]
        assert stop.drain()
        assert select.select([stop.reader], [], [], 0)[0] == [], "an event loop is not woken again and again"


@posix
def test_signal_of_another_kind_stops_nothing() -> None:
    before = signal.signal(signal.SIGUSR1, lambda *_: None)
    try:
        with closing(StopSignals()) as stop:
            os.kill(os.getpid(), signal.SIGUSR1)
            assert stop.pause(0.01)
            assert not stop.is_set()
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_many_stop_requests_do_no_harm() -> None:
    with closing(StopSignals()) as stop:
        for _ in range(200_000):
            stop.set()
        assert not stop.pause(60)


@posix
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_second_signal_does_not_interrupt_the_clean_up(number: signal.Signals) -> None:
    cleaned_up = []
    before = signal.getsignal(number)
    with raising_stop_signals():
        try:
            signal.raise_signal(number)
        except KeyboardInterrupt:
            signal.raise_signal(number)
            cleaned_up.append(number)
    assert cleaned_up == [number]
    assert signal.getsignal(number) is before


@posix
def test_later_signal_ends_a_clean_up_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stop_signals, "REPEAT_SECONDS", -1.0)
    with raising_stop_signals():
        for _ in range(2):
            with pytest.raises(KeyboardInterrupt):
                signal.raise_signal(signal.SIGINT)
