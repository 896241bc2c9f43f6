from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMainWindow

from desktop_app.domain.job import Status, StatusCounts
from desktop_app.gui.connection.status import ConnectionText, Mark
from desktop_app.gui.progress.run import IDLE, Progress
from desktop_app.gui.progress.status_bar import JobsStatusBar
from desktop_app.gui.theme.theme import DARK, LIGHT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytestqt.qtbot import QtBot

    from desktop_app.gui.theme.theme import Theme
    from desktop_app.gui.wording import Wording
    from tests.gui.conftest import WindowFactory

BUSY = Progress(1_044, 1_248, 3_100_000_000, 3_700_000_000, processing=4, failed=3)
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def status(qtbot: QtBot, theme: Theme, wording: Wording) -> Iterator[JobsStatusBar]:
    window = QMainWindow()
    bar = JobsStatusBar(wording, theme, window)
    window.setStatusBar(bar)
    window.setMinimumSize(100, 100)
    window.resize(1100, 200)
    qtbot.addWidget(window)
    window.show()
    yield bar
    window.close()


def busy(bar: JobsStatusBar) -> JobsStatusBar:
    bar.show_connection(ConnectionText(Mark.RUNNING, "Local queue", "Files are sent."))
    bar.show_counts(StatusCounts(200, 4, 1_041, 3))
    bar.show_progress(BUSY)
    bar.show_pace(left="~2 min", text="9.1/s", sentence="9.1 files a second", values=(1.0, 3.0, 2.0))
    bar.show_selection("12 selected · 3.4 MB · 2 failed")
    return bar


def test_all_parts_are_shown_during_a_run(status: JobsStatusBar) -> None:
    busy(status)
    assert status.connection.shown.text == "Local queue"
    assert status.selection.text() == "12 selected · 3.4 MB · 2 failed"
    assert status.files.text() == "1,044 of 1,248 files"
    assert status.percent.text() == "83%"
    assert status.bar.isVisible()
    assert status.bar.value() == 836
    assert status.left.text() == "~2 min"
    assert status.throughput.text() == "9.1/s"
    assert "3.1 GB of 3.7 GB" in status.bar.toolTip()


def test_idle_list_shows_its_number_of_files(status: JobsStatusBar) -> None:
    busy(status)
    status.show_progress(IDLE)
    status.show_pace(left="", text="", sentence="", values=())
    status.show_selection("")
    assert status.files.text() == "1,248 files"
    assert not any(part.isVisible() for part in (status.bar, status.percent, status.left, status.throughput))


def test_statuses_are_shown_only_without_the_sidebar(status: JobsStatusBar, theme: Theme) -> None:
    busy(status)
    status.window().resize(1400, 200)
    assert not status.counts[Status.FAILED].isVisible()
    status.show_statuses(shown=True)
    assert status.counts[Status.FAILED].isVisible()
    assert status.counts[Status.FAILED].words.text() == "3 failed"


@pytest.mark.parametrize("width", [1100, 900, 720, 600, 480, 320])
def test_visible_parts_fit_into_every_width(status: JobsStatusBar, width: int, qtbot: QtBot) -> None:
    busy(status).show_statuses(shown=True)
    status.window().resize(width, 200)
    status.fit()
    assert status.needed_width() <= width
    assert status.percent.isVisible()
    assert status.connection.shown.text


def test_longer_text_gets_its_width_at_once(status: JobsStatusBar) -> None:
    busy(status).show_selection("1 selected")
    QApplication.sendPostedEvents()
    status.show_selection("12 selected · 3.4 MB · 2 failed")
    assert status.selection.width() >= status.selection.sizeHint().width()


def test_long_text_hides_redundant_parts(status: JobsStatusBar) -> None:
    busy(status).show_connection(ConnectionText(Mark.RUNNING, "ingest-of-the-whole-company · eu-central-1" * 2, ""))
    status.window().resize(1000, 200)
    status.fit()
    assert status.needed_width() <= 1000
    assert not status.bar.isVisible()
    assert status.percent.isVisible()


def test_connection_and_throughput_are_buttons_for_mouse_and_keyboard(status: JobsStatusBar, qtbot: QtBot) -> None:
    busy(status)
    for button, signal in (
        (status.connection, status.connection_pressed),
        (status.throughput, status.throughput_pressed),
    ):
        assert button.accessibleName()
        assert button.focusPolicy() & Qt.FocusPolicy.TabFocus
        with qtbot.waitSignal(signal):
            QTest.mouseClick(button, LEFT)
        with qtbot.waitSignal(signal):
            QTest.keyClick(button, Qt.Key.Key_Space)
    assert status.connection.accessibleName() == "Connection: Local queue"
    assert status.throughput.accessibleName() == "Throughput: 9.1 files a second"


@pytest.mark.parametrize("colours", [LIGHT, DARK])
@pytest.mark.parametrize("mark", list(Mark))
def test_every_mark_has_a_shape(status: JobsStatusBar, theme: Theme, mark: Mark, colours: object) -> None:
    theme.use(colours)  # type: ignore[arg-type]
    busy(status).show_connection(ConnectionText(mark, "x", ""))
    assert not status.window().grab().isNull()
    image = status.connection.icon().pixmap(12, 12).toImage()
    assert any(image.pixelColor(x, y).alpha() for x in range(12) for y in range(12))
    theme.use(LIGHT)


def test_selection_is_shown_with_its_sums(windows: WindowFactory, qtbot: QtBot) -> None:
    keys = windows.jobs_db.add_many(12)
    windows.jobs_db.fail(keys[:2])
    window = windows.open()
    window.view.selectAll()
    qtbot.waitUntil(lambda: window.status.selection.text() == "12 selected · 12.0 kB · 2 failed")
    window.view.clearSelection()
    qtbot.waitUntil(lambda: window.status.selection.text() == "")


def test_filtered_list_shows_how_many_files_match(windows: WindowFactory, qtbot: QtBot) -> None:
    keys = windows.jobs_db.add_many(12)
    windows.jobs_db.fail(keys[:2])
    window = windows.open()
    for key in keys[2:]:
        windows.jobs_db.finish(key)
    qtbot.waitUntil(lambda: window.status.files.text() == "12 files")
    window.sidebar.choose_status(Status.FAILED)
    qtbot.waitUntil(lambda: window.status.files.text() == "2 of 12 files")
    window.filter.setText("nothing like that")
    qtbot.waitUntil(lambda: window.status.files.text() == "0 of 12 files")
    window.filter.clear()
    window.sidebar.choose_status(None)
    qtbot.waitUntil(lambda: window.status.files.text() == "12 files")


@pytest.mark.parametrize("direction", [Qt.LayoutDirection.LeftToRight, Qt.LayoutDirection.RightToLeft])
def test_both_ends_have_the_same_margin_in_either_direction(
    direction: Qt.LayoutDirection, qapp: QApplication, theme: Theme, wording: Wording, qtbot: QtBot
) -> None:
    before = qapp.layoutDirection()
    qapp.setLayoutDirection(direction)
    try:
        window = QMainWindow()
        qtbot.addWidget(window)
        bar = JobsStatusBar(wording, theme, window)
        window.setStatusBar(bar)
        window.resize(1100, 200)
        window.show()
        bar.show_counts(StatusCounts(0, 0, 8, 0))
        label = bar.files
        left = label.mapTo(window, label.rect().topLeft()).x()
        is_ltr = direction is Qt.LayoutDirection.LeftToRight
        trailing = window.width() - left - label.width() if is_ltr else left
        assert trailing == 8
    finally:
        qapp.setLayoutDirection(before)
