"""Each action does what it says, by keyboard and by mouse."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import SIGNAL, Qt
from PySide6.QtGui import QAction
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QMenu, QToolBar, QWidget

from desktop_app.domain.job import Status
from desktop_app.gui.connection.dialog import ConnectionDialog
from desktop_app.gui.diagnostics.report_dialog import ReportDialog
from desktop_app.gui.export.dialog import ExportDialog
from desktop_app.gui.help.about import AboutDialog
from desktop_app.gui.help.help_window import HelpWindow
from desktop_app.gui.processors.dialog import ProcessAsDialog
from desktop_app.gui.settings.dialog import SettingsDialog
from desktop_app.gui.watching.dialog import WatchedFoldersDialog
from desktop_app.gui.watching.form import WatchFolderDialog
from desktop_app.services.control import RunMode
from tests.gui.action_scene import ALSO_GONE, ALSO_WAITING, DONE, GONE, LOCKED, NAMES, RUNNING, WAITING, ActionScene

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytestqt.qtbot import QtBot


LEFT, ALT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.NoModifier


def nothing(_: ActionScene) -> None:
    """Leave the list as it is, with nothing selected."""


@dataclass(frozen=True)
class Line:
    """An action's preparation, and a condition that holds only after it."""

    effect: Callable[[ActionScene], object]
    before: Callable[[ActionScene], object] = nothing


def selecting(first: str, last: str = "") -> Callable[[ActionScene], object]:
    return lambda scene: scene.select(first, last)


def switching(name: str, *, on: bool) -> Callable[[ActionScene], object]:
    return lambda scene: scene.toggle(name, on=on)


def failed(*names: str) -> Callable[[ActionScene], object]:
    return lambda scene: scene.names_of(Status.FAILED) == list(names)


def shows(*names: str) -> Callable[[ActionScene], object]:
    return lambda scene: scene.names == list(names)


def selects(*names: str) -> Callable[[ActionScene], object]:
    return lambda scene: scene.selected == list(names)


def finishing(scene: ActionScene) -> None:
    scene.last.enter_context(scene.windows.control.consuming(serves_priorities=True))


def removed_and_undone(scene: ActionScene) -> None:
    scene.remove(WAITING)
    scene.undo()


FAILED = (GONE, ALSO_GONE, LOCKED)
SUBMENUS = frozenset({"process_as"})
"""The actions that only open a menu; see `test_process_as`."""

TABLE: dict[str, Line] = {
    "add_files": Line(lambda scene: scene.asks_for(QFileDialog.FileMode.ExistingFiles)),
    "add_folder": Line(lambda scene: scene.asks_for(QFileDialog.FileMode.Directory)),
    "watch_folder": Line(lambda scene: scene.dialog(WatchFolderDialog)),
    "watched_folders": Line(lambda scene: scene.dialog(WatchedFoldersDialog)),
    "paste": Line(lambda scene: "new.txt" in scene.names, lambda scene: scene.copy_outside("new.txt")),
    "export": Line(lambda scene: scene.dialog(ExportDialog)),
    "quit": Line(lambda scene: scene.window.isHidden()),
    "undo": Line(shows(*NAMES), lambda scene: scene.remove(WAITING)),
    "redo": Line(shows(*NAMES[1:]), removed_and_undone),
    "copy": Line(lambda scene: scene.clipboard.startswith("Name\t") and DONE in scene.clipboard, selecting(DONE)),
    "copy_path": Line(lambda scene: scene.clipboard.strip() == str(scene.folder / DONE), selecting(DONE)),
    "select_all": Line(selects(*NAMES)),
    "select_none": Line(selects(), selecting(GONE, DONE)),
    "rename_batch": Line(lambda scene: scene.edits_name, lambda scene: scene.choose_batch()),
    "settings": Line(lambda scene: scene.dialog(SettingsDialog)),
    "filter": Line(lambda scene: scene.window.filter.hasFocus()),
    "view 0": Line(shows(*NAMES), lambda scene: scene.filter_by(Status.FAILED)),
    "view 1": Line(shows(WAITING, ALSO_WAITING)),
    "view 2": Line(shows(RUNNING)),
    "view 3": Line(shows(DONE)),
    "view 4": Line(shows(*FAILED)),
    "sidebar": Line(lambda scene: scene.window.sidebar.isVisible(), switching("sidebar", on=False)),
    "details": Line(lambda scene: scene.window.details.isVisible(), switching("details", on=False)),
    "compact": Line(lambda scene: scene.row_padding < 8, switching("compact", on=False)),
    "throughput": Line(lambda scene: scene.window.progress.dock.isVisible(), switching("throughput", on=False)),
    "keep_in_tray": Line(lambda scene: scene.window.progress.tray.is_shown, lambda scene: scene.offer_tray()),
    "next_problem": Line(selects(LOCKED), selecting(ALSO_GONE)),
    "previous_problem": Line(selects(GONE), selecting(ALSO_GONE)),
    "follow": Line(lambda scene: scene.sees_running, lambda scene: scene.run_out_of_sight()),
    "next_pane": Line(lambda scene: scene.keyboard_is_in("status"), switching("details", on=False)),
    "previous_pane": Line(lambda scene: scene.keyboard_is_in("sidebar"), switching("sidebar", on=True)),
    "pause": Line(lambda scene: scene.windows.control.mode is RunMode.PAUSED),
    "stop_after_current": Line(lambda scene: scene.windows.control.mode is RunMode.FINISHING, finishing),
    "check_queue": Line(lambda scene: scene.windows.tried == 1),
    "process_next": Line(lambda scene: scene.first_to_send == ALSO_WAITING, selecting(ALSO_WAITING)),
    "retry": Line(failed(ALSO_GONE, LOCKED), selecting(GONE)),
    "retry_as": Line(lambda scene: scene.dialog(ProcessAsDialog), selecting(GONE)),
    "retry_failed": Line(failed()),
    "retry_reason": Line(failed(LOCKED), selecting(GONE)),
    "locate": Line(lambda scene: scene.asks_for(QFileDialog.FileMode.ExistingFile), selecting(GONE)),
    "remove_processed": Line(shows(*(name for name in NAMES if name != DONE))),
    "remove": Line(shows(*NAMES[1:]), selecting(WAITING)),
    "open": Line(lambda scene: scene.opened == [str(scene.folder / DONE)], selecting(DONE)),
    "show_file": Line(lambda scene: scene.revealed == [(scene.folder / DONE).as_uri()], selecting(DONE)),
    "connection": Line(lambda scene: scene.dialog(ConnectionDialog)),
    "foreign": Line(lambda scene: scene.titled("Other Programs' Messages"), lambda scene: scene.receive_foreign()),
    "shortcuts": Line(lambda scene: scene.titled("Keyboard Shortcuts")),
    "log": Line(lambda scene: scene.window.help.log is not None and scene.window.help.log.isVisible()),
    "report": Line(lambda scene: scene.dialog(ReportDialog)),
    "help": Line(lambda scene: scene.dialog(HelpWindow)),
    "about": Line(lambda scene: scene.dialog(AboutDialog)),
}
"""Every action: the names in `Actions`, the indexes of the status views, and Undo and Redo."""


# --- triggering an action


def way_to(scene: ActionScene, action: QAction) -> tuple[QAction, QMenu]:
    """Return the action's menu and the menu bar's action for it."""
    for title in scene.window.menuBar().actions():
        menu = title.menu()
        if isinstance(menu, QMenu) and action in menu.actions():
            return title, menu
    raise AssertionError(f"{action.text()} is in no menu")


def letter_of(action: QAction) -> Qt.Key:
    place = action.text().index("&") + 1
    return Qt.Key(ord(action.text()[place].upper()))


def press(key: Qt.Key, modifiers: Qt.KeyboardModifier = NONE) -> None:
    target = QApplication.activePopupWidget() or QApplication.focusWidget()
    assert target is not None
    QTest.keyClick(target, key, modifiers)


def by_key(_: ActionScene, action: QAction) -> None:
    focused = QApplication.focusWidget()
    assert focused is not None
    QTest.keySequence(focused, action.shortcut())


def by_letters(scene: ActionScene, action: QAction) -> None:
    title, menu = way_to(scene, action)
    press(letter_of(title), ALT)
    assert QApplication.activePopupWidget() is menu
    press(letter_of(action))


def by_mouse(scene: ActionScene, action: QAction) -> None:
    title, menu = way_to(scene, action)
    bar = scene.window.menuBar()
    QTest.mouseClick(bar, LEFT, pos=bar.actionGeometry(title).center())
    assert QApplication.activePopupWidget() is menu
    click_in(menu, action)


def click_in(menu: QWidget, action: QAction) -> None:
    assert isinstance(menu, QMenu)
    QTest.mouseClick(menu, LEFT, pos=menu.actionGeometry(action).center())


def perform(scene: ActionScene, name: str, way: Callable[[ActionScene, QAction], None], qtbot: QtBot) -> None:
    line, action = TABLE[name], scene.action(name)
    try:
        line.before(scene)
        assert action.isEnabled()
        assert not line.effect(scene)
        way(scene, action)
        qtbot.waitUntil(lambda: bool(line.effect(scene)))
        scene.windows.settle()
    finally:
        scene.close()


# --- the table is complete


def names_of_all(scene: ActionScene) -> dict[str, QAction]:
    offers = scene.window.menu_actions
    made = {name: value for name, value in vars(offers).items() if isinstance(value, QAction)}
    made |= {f"view {place}": action for place, action in enumerate(offers.status_views)}
    return made | {name: scene.action(name) for name in ("undo", "redo")}


def test_every_action_has_a_line_in_the_table(scene: ActionScene) -> None:
    named = names_of_all(scene)
    assert set(named) == {*TABLE, *SUBMENUS}
    assert {id(action) for action in scene.window.menu_actions.all} <= {id(action) for action in named.values()}


def test_every_action_has_a_receiver(scene: ActionScene) -> None:
    for name, action in names_of_all(scene).items():
        if name in {"undo", "redo", *SUBMENUS}:
            continue  # received inside Qt
        deaf = QAction("Nobody hears this", scene.window)
        places = [place for place in action.associatedObjects() if isinstance(place, QMenu | QToolBar)]
        for place in places:
            place.addAction(deaf)  # these receive the events of their children
        heard, base = (
            sum(one.receivers(SIGNAL(signal)) for signal in ("triggered(bool)", "toggled(bool)"))
            for one in (action, deaf)
        )
        assert heard > base, name
        for place in places:
            place.removeAction(deaf)


# --- each action


@pytest.mark.parametrize("name", TABLE)
def test_by_keyboard(scene: ActionScene, name: str, qtbot: QtBot) -> None:
    has_key = bool(scene.action(name).shortcuts())
    perform(scene, name, by_key if has_key else by_letters, qtbot)


@pytest.mark.parametrize("name", TABLE)
def test_by_mouse(scene: ActionScene, name: str, qtbot: QtBot) -> None:
    perform(scene, name, by_mouse, qtbot)
