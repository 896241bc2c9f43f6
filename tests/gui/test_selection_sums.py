from __future__ import annotations

from typing import TYPE_CHECKING

from desktop_app.domain.errors import StoreError
from desktop_app.domain.job import StatusCounts
from desktop_app.domain.query import SelectionSums
from desktop_app.gui.table import job_feed
from desktop_app.gui.table.job_feed import Selected
from desktop_app.store.job_list import JobList

if TYPE_CHECKING:
    import pytest
    from pytestqt.qtbot import QtBot

    from tests.gui.conftest import WindowFactory


def test_count_is_shown_at_once_and_the_sums_later(windows: WindowFactory, qtbot: QtBot) -> None:
    keys = windows.jobs_db.add("a", "b", "c", size=1000)
    windows.jobs_db.fail(keys[0])
    windows.jobs_db.finish(keys[1], lines=5)
    window = windows.open()
    heard: list[Selected] = []
    window.selected.changed.connect(heard.append)
    window.view.selectAll()
    assert heard == [Selected(3)]
    qtbot.waitUntil(lambda: window.selected.current.sums is not None)
    here = frozenset({windows.connection.connection.key})
    assert window.selected.current == Selected(
        3, SelectionSums(StatusCounts(pending=1, processed=1, failed=1), 3000, 5, here)
    )
    window.view.clearSelection()
    assert window.selected.current == Selected()


def test_sums_follow_changes_of_the_selected_files(
    windows: WindowFactory, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_feed, "_SUMS_EVERY_MS", 0)
    keys = windows.jobs_db.add("a", "b")
    window = windows.open()
    window.view.selectAll()
    qtbot.waitUntil(lambda: window.selected.current.sums is not None)
    windows.jobs_db.fail(keys)
    qtbot.waitUntil(
        lambda: window.selected.current.sums is not None and window.selected.current.sums.counts.failed == 2
    )
    windows.jobs_db.intake.remove(keys[:1])
    qtbot.waitUntil(lambda: window.selected.current.count == 1)


def test_count_follows_selected_files_that_disappear_at_once(
    windows: WindowFactory, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_feed, "_SUMS_EVERY_MS", 1_000_000)
    windows.jobs_db.add("a", "b.txt")
    window = windows.open()
    window.view.selectAll()
    qtbot.waitUntil(lambda: window.selected.current.sums is not None)
    window.filter.setText("txt")
    qtbot.waitUntil(lambda: windows.names() == ["b.txt"])
    assert window.selected.current.count == 1


def test_count_remains_if_the_database_cannot_be_read(
    windows: WindowFactory, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    windows.jobs_db.add("a")
    window = windows.open()

    def refuse(*_: object) -> SelectionSums:
        raise StoreError("Locked.")

    monkeypatch.setattr(JobList, "sums", refuse)
    window.view.selectAll()
    windows.settle()
    assert window.selected.current == Selected(1)
    monkeypatch.undo()
    window.view.clearSelection()
    window.view.selectAll()
    qtbot.waitUntil(lambda: window.selected.current.sums is not None)
