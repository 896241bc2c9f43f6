"""Dialogs fit the screen, open on the screen of their window, and remember their size and place."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLineEdit, QMainWindow, QScrollArea, QVBoxLayout, QWidget

from desktop_app.gui.settings.dialog import SettingsDialog
from desktop_app.gui.widgets import dialogs
from desktop_app.gui.widgets.dialogs import (
    ButtonRow,
    DialogMemory,
    WindowPlace,
    add_field,
    arrange_dialog,
    form_layout,
    plain_label,
    spaced,
)
from desktop_app.gui.window_memory import WindowMemory

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from tests.gui.conftest import WindowFactory


_SCREEN = QRect(0, 0, 640, 400)


@pytest.fixture(autouse=True)
def small_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Open everything on a screen of 1280 by 800 at 200 %."""
    monkeypatch.setattr(dialogs, "screen_room", lambda _window: _SCREEN)


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> QMainWindow:
    made = QMainWindow()
    made.setGeometry(20, 60, 600, 320)
    DialogMemory(WindowMemory(tmp_path / "window.ini"), made)
    qtbot.addWidget(made)
    with qtbot.waitExposed(made):
        made.show()
    return made


class _Asking(QDialog):
    """A dialog with a number of fields."""

    def __init__(self, fields: int, parent: QWidget, size: tuple[int, int] = (0, 0)) -> None:
        super().__init__(parent)
        column = spaced(QVBoxLayout(), 8)
        self.note = plain_label("", self)
        column.addWidget(self.note)
        self.fields = [QLineEdit(self) for _ in range(fields)]
        for field in self.fields:
            column.addWidget(field)
        column.addStretch(1)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok, self)
        self.place = arrange_dialog(self, column, self.buttons, name="asking", size=size)


def _shown(dialog: QDialog, qtbot: QtBot) -> QDialog:
    with qtbot.waitExposed(dialog):
        dialog.show()
    return dialog


def test_a_dialog_that_is_too_high_scrolls_and_keeps_its_buttons_visible(window: QMainWindow, qtbot: QtBot) -> None:
    asking = _Asking(40, window)
    _shown(asking, qtbot)
    asking.activateWindow()
    qtbot.waitUntil(asking.isActiveWindow)
    assert _SCREEN.contains(asking.frameGeometry())
    below = asking.buttons.mapTo(asking, asking.buttons.rect().bottomLeft()).y()
    assert below < asking.height()
    asking.fields[-1].setFocus()
    assert asking.rect().contains(asking.fields[-1].mapTo(asking, asking.fields[-1].rect().center()))
    assert asking.fields[-1].mapTo(asking, asking.fields[-1].rect().bottomLeft()).y() < asking.buttons.y()


def test_buttons_are_a_column_only_where_a_row_does_not_fit(window: QMainWindow, qtbot: QtBot) -> None:
    dialog = QDialog(window)
    buttons = ButtonRow(dialog)
    for text in ("Copy the Report", "Save the Report", "Close This Dialog"):
        buttons.addButton(text, ButtonRow.ButtonRole.ActionRole)
    column = spaced(QVBoxLayout(dialog), 0)
    column.addWidget(buttons)

    def is_laid_out(orientation: Qt.Orientation) -> bool:
        fits = all(button.width() >= button.sizeHint().width() for button in buttons.buttons())
        return fits and buttons.orientation() is orientation

    _shown(dialog, qtbot)
    for width, orientation in (
        (600, Qt.Orientation.Horizontal),
        (200, Qt.Orientation.Vertical),
        (600, Qt.Orientation.Horizontal),
    ):
        dialog.resize(width, 200)
        qtbot.waitUntil(partial(is_laid_out, orientation))


def test_a_small_dialog_is_as_high_as_its_content(window: QMainWindow, qtbot: QtBot) -> None:
    asking = _Asking(2, window, size=(400, 0))
    _shown(asking, qtbot)
    assert asking.width() == 400
    assert asking.height() < 240
    assert abs(asking.frameGeometry().center().x() - window.frameGeometry().center().x()) <= 1


def test_a_dialog_of_a_window_at_the_edge_opens_inside_the_screen(window: QMainWindow, qtbot: QtBot) -> None:
    window.move(560, 300)
    asking = _Asking(2, window, size=(400, 0))
    _shown(asking, qtbot)
    assert _SCREEN.contains(asking.frameGeometry())


def test_the_size_that_the_user_chose_is_used_the_next_time(window: QMainWindow, qtbot: QtBot) -> None:
    first = _shown(_Asking(2, window, size=(400, 0)), qtbot)
    first.resize(500, 260)
    first.close()
    again = _shown(_Asking(2, window, size=(400, 0)), qtbot)
    assert again.size() == QSize(500, 260)


def test_a_size_from_a_larger_screen_fits_this_one(window: QMainWindow, qtbot: QtBot) -> None:
    first = _shown(_Asking(2, window), qtbot)
    first.setGeometry(900, 700, 1200, 900)
    first.close()
    again = _shown(_Asking(2, window), qtbot)
    assert _SCREEN.contains(again.frameGeometry())


def test_a_dialog_that_was_left_alone_stays_centred_on_its_window(window: QMainWindow, qtbot: QtBot) -> None:
    _shown(_Asking(2, window, size=(200, 0)), qtbot).close()
    window.setGeometry(150, 40, 400, 300)
    again = _shown(_Asking(2, window, size=(200, 0)), qtbot)
    assert abs(again.frameGeometry().center().x() - window.frameGeometry().center().x()) <= 1


def test_a_dialog_grows_with_its_text_but_not_over_the_screen(window: QMainWindow, qtbot: QtBot) -> None:
    asking = _Asking(2, window, size=(300, 0))
    _shown(asking, qtbot)
    before = asking.height()
    asking.note.setText("This is a long text. " * 12)
    asking.place.grow()
    assert before < asking.height() < _SCREEN.height()
    asking.note.setText("This is a long text. " * 300)
    asking.place.grow()
    assert _SCREEN.contains(asking.frameGeometry())


def test_a_minimum_size_larger_than_the_screen_does_not_count(window: QMainWindow, qtbot: QtBot) -> None:
    dialog = QDialog(window)
    dialog.setMinimumSize(900, 700)
    WindowPlace(dialog, "asking")
    _shown(dialog, qtbot)
    assert dialog.width() <= _SCREEN.width()
    assert dialog.height() <= _SCREEN.height()


def test_every_dialog_of_the_window_fits_a_small_screen(windows: WindowFactory, qtbot: QtBot) -> None:
    window = windows.open()
    window.resize(600, 340)
    for action in ("shortcuts", "report", "log", "connection", "export"):
        getattr(window.menu_actions, action).trigger()
    opened = [child for child in window.findChildren(QWidget) if child.isWindow() and child.isVisible()]
    found = {type(child).__name__ for child in opened}
    assert {"PairsDialog", "ReportDialog", "LogWindow", "ConnectionDialog"} <= found
    for child in opened:
        assert _SCREEN.contains(child.frameGeometry()), type(child).__name__
        child.close()
    windows.settle()


def test_the_window_can_be_as_narrow_as_half_a_small_screen(windows: WindowFactory) -> None:
    window = windows.open()
    assert window.minimumWidth() <= 620
    window.resize(window.minimumSize())
    assert window.width() <= 620


def test_a_text_without_a_caption_is_as_high_as_its_lines(window: QMainWindow, qtbot: QtBot) -> None:
    dialog = QDialog(window)
    form = form_layout()
    text = plain_label("A text that fits on one line of this dialog, but not on one of a narrow label.", dialog)
    inside = QWidget(dialog)
    spaced(QVBoxLayout(inside), 4).addWidget(text)
    add_field(form, inside)
    arrange_dialog(dialog, form, ButtonRow(dialog), name="one text", size=(600, 0))
    _shown(dialog, qtbot)
    assert text.height() == text.heightForWidth(text.width())


def test_settings_are_shown_at_once_on_a_small_laptop(
    windows: WindowFactory, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dialogs, "screen_room", lambda _window: QRect(0, 0, 1280, 800))
    window = windows.open_active()
    window.menu_actions.settings.trigger()
    dialog = window.findChild(SettingsDialog)
    assert isinstance(dialog, SettingsDialog)
    qtbot.waitUntil(dialog.isVisible)
    area = dialog.findChild(QScrollArea)
    assert isinstance(area, QScrollArea)
    assert dialog.height() <= 800 - 50  # pixels for the window's title and a panel
    assert area.verticalScrollBar().maximum() == 0
