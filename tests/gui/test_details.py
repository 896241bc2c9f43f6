from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit

from desktop_app.domain.errors import StoreError
from desktop_app.domain.job import Status, StatusCounts
from desktop_app.domain.query import SelectionSums
from desktop_app.domain.reasons import FileProblem, Reason, ReasonCode
from desktop_app.gui.details.texts import Fix, nothing_selected, summary_of_many, summary_of_one
from desktop_app.gui.window_memory import WindowMemory
from desktop_app.store.job_list import JobList
from tests.gui.jobs_database import NOW_MS

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from desktop_app.gui.window.main_window import MainWindow
    from desktop_app.gui.wording import Wording
    from tests.gui.conftest import WindowFactory
    from tests.gui.jobs_database import JobsDatabase

ALT = Qt.KeyboardModifier.AltModifier
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def window(windows: WindowFactory) -> MainWindow:
    a, b, _ = windows.jobs_db.add("/data/in/a.txt", "/data/in/b.txt", "/data/in/c.txt", size=12_345)
    windows.jobs_db.fail(a)
    windows.jobs_db.finish(b, lines=1_000)
    return windows.open_active()


def opened(window: MainWindow, qtbot: QtBot) -> MainWindow:
    QTest.keyClick(window.view, Qt.Key.Key_Return, ALT)
    qtbot.waitUntil(window.details.isVisible)
    return window


# --- texts


def test_details_of_a_file_show_what_happened_and_what_to_do(jobs_db: JobsDatabase, wording: Wording) -> None:
    (key,) = jobs_db.add("/data/in/a.txt", size=12_345)
    jobs_db.fail(key)
    jobs_db.change(key, attempts=2)
    summary = summary_of_one(jobs_db.jobs.page([key])[key], wording)
    assert summary.title == "a.txt"
    assert summary.happened == "Failed \N{EN DASH} The file no longer exists"
    assert summary.advice == (
        f"It was moved, renamed or deleted after it was added ({wording.moment(NOW_MS)}). Locate it, put it "
        "back and retry, or remove it from the list."
    )
    assert summary.path == "/data/in/a.txt"
    facts = dict(summary.facts)
    assert facts["Size"] == "12,345 bytes"
    assert facts["Finished"] == wording.stamp(NOW_MS + 100)
    assert facts["Duration"] == "0.1\N{NO-BREAK SPACE}s"
    assert "Lines" not in facts


def test_missing_times_are_left_out(jobs_db: JobsDatabase, wording: Wording) -> None:
    (key,) = jobs_db.add("/data/in/a.txt", size=None)
    summary = summary_of_one(jobs_db.jobs.page([key])[key], wording)
    assert [caption for caption, _ in summary.facts] == ["Added"]
    assert summary.advice == ""


def test_every_problem_has_an_advice(jobs_db: JobsDatabase, wording: Wording) -> None:
    (key,) = jobs_db.add("a")
    of_files = [code for code in ReasonCode if code.problem]
    assert {code.problem for code in of_files} == set(FileProblem)
    for code in of_files:
        jobs_db.fail(key, Reason(code, dict.fromkeys(re.findall(r"{(\w+)}", code.template), 2)))
        assert summary_of_one(jobs_db.jobs.page([key])[key], wording).advice
    jobs_db.change(key, reason_code="from a newer version")
    assert summary_of_one(jobs_db.jobs.page([key])[key], wording).advice == ""


def test_summary_of_several_files_shows_sums(wording: Wording) -> None:
    sums = SelectionSums(StatusCounts(pending=1, processed=9, failed=2), 3_400_000, 1)
    summary = summary_of_many(12, sums, wording)
    assert summary.title == "12 files selected"
    assert summary.happened == "2 failed · 9 processed · 1 pending"
    assert summary.facts == (("Size", "3.4 MB (3,400,000 bytes)"), ("Lines", "1"))
    assert wording.bytes(1) == "1 byte"
    assert wording.bytes(987_654_321_000) == "987,654,321,000 bytes"
    unread = summary_of_many(2, SelectionSums(StatusCounts(pending=2), 10, 0), wording)
    assert unread.facts == (("Size", "10 bytes"),)


def test_file_that_waits_for_another_queue_can_be_moved(jobs_db: JobsDatabase, wording: Wording) -> None:
    (key,) = jobs_db.add("/data/in/a.txt")
    job = jobs_db.jobs.page([key])[key]
    wording.queue = job.queue
    assert Fix.RETRY not in summary_of_one(job, wording).fixes
    wording.queue = "another"
    summary = summary_of_one(job, wording)
    assert summary.fixes[0] is Fix.RETRY
    assert summary.advice.endswith("Choose Retry to move it to the current queue.")


# --- the pane in the window


def test_pane_follows_the_selection(window: MainWindow, qtbot: QtBot) -> None:
    assert not window.details.isVisible()
    window.view.select_rows(0, 0)
    opened(window, qtbot)
    qtbot.waitUntil(lambda: window.details.summary.title == "a.txt")
    QTest.keyClick(window.view, Qt.Key.Key_Down)
    assert window.details.summary.title == "b.txt"
    assert window.details.summary.status is Status.PROCESSED
    window.view.clearSelection()
    assert window.details.summary == nothing_selected()
    assert window.details.fixes.shown == ()


def test_pane_sums_up_the_selection(window: MainWindow, qtbot: QtBot) -> None:
    opened(window, qtbot)
    window.view.selectAll()
    qtbot.waitUntil(lambda: window.details.summary.happened == "1 failed · 1 processed · 1 pending")
    assert dict(window.details.summary.facts)["Lines"] == "1,000"


def test_sums_of_an_older_selection_are_not_shown(window: MainWindow, windows: WindowFactory, qtbot: QtBot) -> None:
    opened(window, qtbot)
    window.view.selectAll()
    window.view.select_rows(1, 2)
    window.view.select_rows(0, 1)
    assert window.details.summary.title == "2 files selected"
    qtbot.waitUntil(lambda: window.details.summary.happened == "1 failed · 1 processed")
    window.view.selectAll()
    window.view.select_rows(1, 1)
    windows.settle()
    assert window.details.summary.title == "b.txt"


def test_sums_are_shown_while_the_list_keeps_changing(window: MainWindow, qtbot: QtBot) -> None:
    opened(window, qtbot)
    window.view.selectAll()
    for _ in range(3):
        window.view.model().dataChanged.emit(window.view.model().index(0, 0), window.view.model().index(2, 0))
    qtbot.waitUntil(lambda: window.details.summary.happened == "1 failed · 1 processed · 1 pending")


def test_pane_follows_changes(window: MainWindow, windows: WindowFactory, qtbot: QtBot) -> None:
    opened(window, qtbot)
    window.view.select_rows(2, 2)
    assert window.details.summary.happened.startswith("Pending")
    key = windows.jobs_db.jobs.ids()[2]
    windows.jobs_db.finish(key)
    qtbot.waitUntil(lambda: window.details.summary.happened == "Processed")
    window.view.selectAll()
    qtbot.waitUntil(lambda: window.details.summary.happened == "1 failed · 2 processed")
    windows.jobs_db.fail(key)
    qtbot.waitUntil(lambda: window.details.summary.happened == "2 failed · 1 processed")


def test_sums_that_could_not_be_read_are_read_later(
    window: MainWindow, windows: WindowFactory, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened(window, qtbot)
    asked: list[object] = []

    def refuse(*arguments: object) -> None:
        asked.append(arguments)
        raise StoreError("No disk.")

    with monkeypatch.context() as broken:
        broken.setattr(JobList, "sums", refuse)
        window.view.selectAll()
        qtbot.waitUntil(lambda: len(asked) > 0)
        windows.settle()
    assert window.details.summary.happened == "Calculating…"
    windows.jobs_db.finish(windows.jobs_db.jobs.ids()[2])
    qtbot.waitUntil(lambda: window.details.summary.happened == "1 failed · 2 processed")


def test_buttons_trigger_the_actions(window: MainWindow, windows: WindowFactory, qtbot: QtBot) -> None:
    opened(window, qtbot)
    window.view.select_rows(0, 0)
    QTest.mouseClick(window.details.fixes.button(Fix.RETRY), LEFT)
    qtbot.waitUntil(lambda: windows.jobs_db.statuses()[0] == "PENDING")
    QTest.mouseClick(window.details.fixes.button(Fix.REMOVE), LEFT)
    qtbot.waitUntil(lambda: len(windows.jobs_db.statuses()) == 2)


def test_path_can_be_selected_by_keyboard(window: MainWindow, qtbot: QtBot) -> None:
    opened(window, qtbot)
    window.view.select_rows(0, 0)
    path = window.details.findChild(QLineEdit, "detailsPath")
    assert isinstance(path, QLineEdit)
    assert path.isReadOnly()
    path.setFocus(Qt.FocusReason.TabFocusReason)
    path.selectAll()
    assert path.selectedText() == "/data/in/a.txt"


@pytest.mark.parametrize("size", [(720, 440), (720, 700), (1100, 700)])
def test_no_text_in_the_pane_is_cut_off(window: MainWindow, qtbot: QtBot, size: tuple[int, int]) -> None:
    opened(window, qtbot)
    window.resize(*size)
    window.view.select_rows(0, 0)
    QApplication.sendPostedEvents()
    page = window.details.summary_page
    inside = page.widget()
    assert inside is not None
    qtbot.waitUntil(lambda: inside.minimumSizeHint().width() <= page.viewport().width())
    assert window.details.minimumSizeHint().width() <= window.details.width()


def test_long_name_is_shortened_in_its_middle(window: MainWindow, windows: WindowFactory, qtbot: QtBot) -> None:
    opened(window, qtbot)
    name = f"{'begin' * 40}end.txt"
    windows.jobs_db.add(f"/data/{name}")
    qtbot.waitUntil(lambda: window.view.model().rowCount() == 4)
    window.view.select_rows(3, 3)
    title = next(label for label in window.details.findChildren(QLabel) if label.objectName() == "detailsTitle")
    assert title.accessibleName() == name
    qtbot.waitUntil(lambda: "…" in title.text())
    assert title.text().endswith("end.txt")
    assert title.sizeHint().width() <= title.width()
    window.resize(window.width() + 100, window.height())
    qtbot.waitUntil(lambda: title.sizeHint().width() > title.width() - 40)


def test_pane_and_its_height_are_remembered(
    window: MainWindow, windows: WindowFactory, tmp_path: Path, qtbot: QtBot
) -> None:
    opened(window, qtbot)
    window.resize(1100, 800)
    handle = window._split.handle(1)
    QTest.mousePress(handle, LEFT)
    QTest.mouseMove(handle, handle.rect().center())
    window._split.moveSplitter(window._split.height() - 300, 1)
    QTest.mouseRelease(handle, LEFT)
    height = window.details.height()
    window.close()
    memory = WindowMemory(tmp_path / "window.ini")
    assert memory.shows_details
    assert memory.details_height == height
    again = windows.open()
    assert again.details.isVisible()
    qtbot.waitUntil(lambda: abs(again.details.height() - height) < 5)
    QTest.keyClick(again.view, Qt.Key.Key_Return, ALT)
    assert not again.details.isVisible()


@pytest.mark.parametrize("value", ["", "tall", "-5", "3", "99999"])
def test_invalid_height_is_ignored(tmp_path: Path, value: str) -> None:
    file = tmp_path / "w.ini"
    usual = WindowMemory(file).details_height
    file.write_text(f"[General]\nversion=1\ndetails_height={value}\n")
    assert WindowMemory(file).details_height == usual
