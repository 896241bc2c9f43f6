from __future__ import annotations

import gc
import threading
from typing import TYPE_CHECKING

import pytest

from desktop_app.gui.startup import qt_runtime
from desktop_app.gui.startup.qt_runtime import MainThreadGarbageCollector

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytestqt.qtbot import QtBot


@pytest.fixture
def collected() -> Iterator[list[tuple[int, int]]]:
    """Record which generations were collected, and on which thread."""
    seen: list[tuple[int, int]] = []

    def note(phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            seen.append((info["generation"], threading.get_ident()))

    gc.callbacks.append(note)
    yield seen
    gc.callbacks.remove(note)


def make_garbage() -> None:
    for _ in range(5_000):
        cycle: list[object] = []
        cycle.append(cycle)


def test_other_threads_never_collect(
    qtbot: QtBot, collected: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(qt_runtime, "COLLECT_EVERY_MS", 1)
    collector = MainThreadGarbageCollector()
    collector.start()
    worker = threading.Thread(target=make_garbage)
    worker.start()
    worker.join()
    qtbot.waitUntil(lambda: bool(collected))
    assert {thread for _, thread in collected} == {threading.get_ident()}
    collector.stop()
    assert gc.isenabled()
    gc.disable()  # as in the other tests of this folder


def test_garbage_is_not_collected_early(qapp: object, collected: list[tuple[int, int]]) -> None:
    collector = MainThreadGarbageCollector()
    gc.collect()
    collected.clear()
    collector.collect_if_due()
    assert collected == []
    make_garbage()
    collector.collect_if_due()
    assert [generation for generation, _ in collected] == [0]
