"""The toolbar: one primary button with its menu, flat ones beside it, and what they do where there is little room."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtGui import QAccessible, QIcon
from PySide6.QtWidgets import QApplication, QToolBar, QToolButton

from desktop_app.gui.theme.theme import DARK, LIGHT

if TYPE_CHECKING:
    from PySide6.QtGui import QAction
    from pytestqt.qtbot import QtBot

    from desktop_app.gui.theme.theme import Theme
    from desktop_app.gui.window.main_window import MainWindow
    from tests.gui.conftest import WindowFactory


def button(window: MainWindow, action: QAction) -> QToolButton:
    (bar,) = window.findChildren(QToolBar)
    found = bar.widgetForAction(action)
    assert isinstance(found, QToolButton)
    return found


def test_add_files_has_a_menu_with_all_ways_to_add(windows: WindowFactory) -> None:
    window = windows.open()
    actions = window.menu_actions
    add = button(window, actions.add_files)
    assert add.popupMode() is QToolButton.ToolButtonPopupMode.MenuButtonPopup
    assert add.actions() == [actions.add_files, actions.add_folder, actions.paste]


def test_assistive_technology_can_press_add_files(windows: WindowFactory) -> None:
    window = windows.open()
    add = QAccessible.queryAccessibleInterface(button(window, window.menu_actions.add_files)).actionInterface()
    assert add.pressAction() in add.actionNames()


def test_filter_box_has_room_for_several_conditions(windows: WindowFactory) -> None:
    window = windows.open()
    window.resize(1100, 600)
    typed = "type:json status:failed finished:today"
    icons = 3 * 30
    assert window.filter.width() >= window.filter.fontMetrics().horizontalAdvance(typed) + icons


def test_pause_and_resume_are_equally_wide(windows: WindowFactory, qtbot: QtBot) -> None:
    windows.jobs_db.add_many(2)
    window = windows.open()
    window.resize(1100, 500)
    pause = button(window, window.menu_actions.pause)
    before, remove_at = pause.width(), button(window, window.menu_actions.remove).x()
    window.menu_actions.pause.trigger()
    qtbot.waitUntil(lambda: window.menu_actions.pause.text() == "Res&ume")
    QApplication.processEvents()
    assert (pause.width(), button(window, window.menu_actions.remove).x()) == (before, remove_at)
    assert pause.width() >= pause.sizeHint().width()


def test_icons_stand_six_to_eight_pixels_from_their_texts(windows: WindowFactory) -> None:
    window = windows.open()
    (bar,) = window.findChildren(QToolBar)
    area = bar.iconSize()
    image = button(window, window.menu_actions.remove).icon().pixmap(area).toImage()
    last = max(x for x in range(image.width()) if any(image.pixelColor(x, y).alpha() for y in range(image.height())))
    # Qt draws the text two pixels after the area of the icon.
    assert 6 <= area.width() - 1 - last + 2 <= 8


def test_a_disabled_button_and_the_primary_button_have_their_own_icon_colours(
    windows: WindowFactory, theme: Theme
) -> None:
    window = windows.open()
    for colours in (LIGHT, DARK):
        theme.use(colours)
        add = _strongest(button(window, window.menu_actions.add_files).icon(), QIcon.Mode.Normal)
        remove = button(window, window.menu_actions.remove).icon()
        assert add in {colours.text, colours.selected_text}
        assert _strongest(remove, QIcon.Mode.Disabled) == colours.disabled
    theme.use(LIGHT)


def _strongest(icon: QIcon, mode: QIcon.Mode) -> str:
    """Return the colour of the most opaque pixel."""
    image = icon.pixmap(64, 64, mode).toImage()
    colours = (image.pixelColor(x, y) for x in range(image.width()) for y in range(image.height()))
    return max(colours, key=lambda colour: colour.alpha()).name()


def test_an_empty_window_has_only_one_primary_button(windows: WindowFactory, qtbot: QtBot) -> None:
    window = windows.open()
    add = button(window, window.menu_actions.add_files)
    assert not add.property("primary")
    windows.jobs_db.add_many(1)
    windows.controller().feed.look()
    qtbot.waitUntil(lambda: bool(add.property("primary")))


def test_the_sidebar_makes_room_in_a_narrow_window_and_comes_back(windows: WindowFactory) -> None:
    windows.jobs_db.add_many(2)
    window = windows.open()
    window.resize(1000, 500)
    assert window.sidebar.isVisible()
    window.resize(640, 480)
    assert not window.sidebar.isVisible()
    assert window.width() == 640
    window.menu_actions.sidebar.trigger()
    assert window.sidebar.isVisible()  # where the user asks for it
    window.menu_actions.sidebar.trigger()
    window.resize(1000, 500)
    assert window.sidebar.isVisible()
    window.menu_actions.sidebar.trigger()
    window.resize(640, 480)
    window.resize(1000, 500)
    assert not window.sidebar.isVisible()  # the user has hidden it


def test_a_narrow_window_does_not_forget_the_sidebar(windows: WindowFactory) -> None:
    windows.jobs_db.add_many(2)
    window = windows.open()
    window.resize(640, 480)
    window.close()
    again = windows.open()
    again.resize(1000, 500)
    assert again.sidebar.isVisible()
