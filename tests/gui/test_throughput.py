from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from desktop_app.gui.progress.run_watch import Span
from desktop_app.gui.progress.throughput import graph_number, nice_top, time_marks, value_marks
from desktop_app.gui.theme.theme import DARK, LIGHT
from tests.gui.test_colours import contrast

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from desktop_app.gui.theme.theme import Theme
    from desktop_app.gui.window.main_window import MainWindow
    from tests.gui.conftest import WindowFactory

CONTROL = Qt.KeyboardModifier.ControlModifier
LEFT = Qt.MouseButton.LeftButton


@pytest.mark.parametrize(
    ("highest", "top"), [(0, 1), (0.7, 1), (1, 1), (9.1, 10), (10.1, 20), (37, 40), (41, 80), (1_234, 2_000)]
)
def test_axis_ends_at_a_round_number(highest: float, top: float) -> None:
    assert nice_top(highest) == pytest.approx(top)


def test_axis_has_small_steps_for_low_rates(qapp: object) -> None:
    assert nice_top(0.03, 0.01) == pytest.approx(0.04)
    assert [mark.text for mark in value_marks(0.1, graph_number)] == ["0.025", "0.05", "0.075", "0.1"]
    assert graph_number(1_250.0) == "1,250"


def test_time_axis_shows_ages_for_minutes_and_times_of_day_for_hours(qapp: object) -> None:
    end = 1_793_000_000
    assert [mark.text for mark in time_marks(Span.MINUTE, end)] == ["now", "-15 s", "-30 s", "-45 s", "-60 s"]
    assert [mark.text for mark in time_marks(Span.MINUTES_5, end)][:2] == ["now", "-1 min"]
    for span, count in ((Span.HOUR, 4), (Span.HOURS_6, 6), (Span.DAY, 6)):
        marks = time_marks(span, end)
        assert len(marks) in {count, count + 1}
        assert all(0 <= mark.at <= 1 for mark in marks)
        assert all(":" in mark.text for mark in marks)


@pytest.fixture
def window(windows: WindowFactory, qtbot: QtBot) -> MainWindow:
    keys = windows.jobs_db.add_many(20)
    made = windows.open_active()
    qtbot.waitUntil(lambda: made._list.run.progress.files_total == 20)
    windows.jobs_db.clock.advance(2)
    windows.jobs_db.finish(keys[:10])
    qtbot.waitUntil(lambda: made._list.run.progress.files_done == 10)
    windows.jobs_db.clock.advance(1)
    return made


def test_shortcut_shows_and_hides_the_graphs(window: MainWindow, qtbot: QtBot) -> None:
    assert not window.progress.dock.isVisible()
    QTest.keyClick(window.view, Qt.Key.Key_G, CONTROL)
    qtbot.waitUntil(window.progress.dock.isVisible)
    window.progress.dock.choose(Span.MINUTE)
    files, sizes = window.progress.dock.graphs
    assert files.summary.startswith("Files per second, last minute: now ")
    assert "peak" in sizes.accessibleDescription()
    assert max(files._values) > 0
    QTest.keyClick(window.view, Qt.Key.Key_G, CONTROL)
    assert not window.progress.dock.isVisible()


def test_throughput_button_opens_the_graphs(window: MainWindow) -> None:
    window.status.throughput_pressed.emit()
    assert window.progress.dock.isVisible()
    assert window.menu_actions.throughput.isChecked()


def test_span_is_chosen_by_mouse_and_by_keyboard(window: MainWindow) -> None:
    window.menu_actions.throughput.trigger()
    dock = window.progress.dock
    QTest.mouseClick(dock.buttons[Span.HOUR], LEFT)
    assert dock.span.name == "HOUR"
    dock.buttons[Span.HOUR].setFocus()
    QTest.keyClick(dock.buttons[Span.HOUR], Qt.Key.Key_Right)
    assert dock.span.name == "HOURS_6"
    assert len(dock.graphs[0]._values) == Span.HOURS_6.seconds // Span.HOURS_6.step


def test_f6_reaches_the_graphs(window: MainWindow, qtbot: QtBot) -> None:
    window.menu_actions.throughput.trigger()
    visited = []
    for _ in range(8):
        window.menu_actions.next_pane.trigger()
        visited.append(window.progress.dock.isAncestorOf(QApplication.focusWidget() or window))
    assert any(visited)


def test_graphs_and_their_span_are_restored_at_the_next_start(window: MainWindow, windows: WindowFactory) -> None:
    window.menu_actions.throughput.trigger()
    window.progress.dock.choose(Span.DAY)
    window.close()
    again = windows.open()
    assert again.progress.dock.isVisible()
    assert again.progress.dock.span is Span.DAY
    assert again.menu_actions.throughput.isChecked()


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_graph_has_enough_contrast(window: MainWindow, theme: Theme, colours: object) -> None:
    theme.use(colours)  # type: ignore[arg-type]
    window.menu_actions.throughput.trigger()
    window.progress.dock.choose(Span.MINUTE)
    image = window.progress.dock.grab().toImage()
    ground = image.pixelColor(3, 3).name()
    best = max(
        contrast(image.pixelColor(x, y).name(), ground)
        for x in range(0, image.width() // 2, 2)
        for y in range(30, image.height(), 2)
    )
    assert best >= 4.5
    theme.use(LIGHT)
