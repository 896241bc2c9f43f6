"""Each action, by keyboard and by mouse, does what it says; none is left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import SIGNAL, Qt
from PySide6.QtGui import QAction
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QMenu, QMessageBox, QToolBar, QWidget

from desktop_app.domain.job import Status
from desktop_app.gui.connection.dialog import ConnectionDialog
from desktop_app.gui.diagnostics.report_dialog import ReportDialog
from desktop_app.gui.export.dialog import ExportDialog
from desktop_app.services.control import RunMode
from tests.gui.stage import ALSO_GONE, ALSO_WAITING, DONE, GONE, LOCKED, NAMES, RUNNING, WAITING, Stage

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from tests.gui.conftest import Desk

LEFT, ALT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.NoModifier


def nothing(_: Stage) -> None:
    """The list as it is, with nothing selected."""


@dataclass(frozen=True)
class Line:
    """What is true once the action has been done, and not before; and what comes before."""

    effect: Callable[[Stage], object]
    before: Callable[[Stage], object] = nothing


def selecting(first: str, last: str = "") -> Callable[[Stage], object]:
    return lambda stage: stage.select(first, last)


def switching(name: str, *, on: bool) -> Callable[[Stage], object]:
    return lambda stage: stage.toggle(name, on=on)


def failed(*names: str) -> Callable[[Stage], object]:
    return lambda stage: stage.names_of(Status.FAILED) == list(names)


def shows(*names: str) -> Callable[[Stage], object]:
    return lambda stage: stage.names == list(names)


def selects(*names: str) -> Callable[[Stage], object]:
    return lambda stage: stage.selected == list(names)


def finishing(stage: Stage) -> None:
    stage.last.enter_context(stage.desk.control.consuming(serves_priorities=True))


def removed_and_undone(stage: Stage) -> None:
    stage.remove(WAITING)
    stage.undo()


FAILED = (GONE, ALSO_GONE, LOCKED)
TABLE: dict[str, Line] = {
    "add_files": Line(lambda stage: stage.asks_for(QFileDialog.FileMode.ExistingFiles)),
    "add_folder": Line(lambda stage: stage.asks_for(QFileDialog.FileMode.Directory)),
    "paste": Line(lambda stage: "new.txt" in stage.names, lambda stage: stage.copy_outside("new.txt")),
    "export": Line(lambda stage: stage.dialog(ExportDialog)),
    "quit": Line(lambda stage: stage.window.isHidden()),
    "undo": Line(shows(*NAMES), lambda stage: stage.remove(WAITING)),
    "redo": Line(shows(*NAMES[1:]), removed_and_undone),
    "copy": Line(lambda stage: stage.clipboard.startswith("Name\t") and DONE in stage.clipboard, selecting(DONE)),
    "copy_path": Line(lambda stage: stage.clipboard.strip() == str(stage.folder / DONE), selecting(DONE)),
    "select_all": Line(selects(*NAMES)),
    "select_none": Line(selects(), selecting(GONE, DONE)),
    "filter": Line(lambda stage: stage.window.filter.hasFocus()),
    "view 0": Line(shows(*NAMES), lambda stage: stage.narrow(Status.FAILED)),
    "view 1": Line(shows(WAITING, ALSO_WAITING)),
    "view 2": Line(shows(RUNNING)),
    "view 3": Line(shows(DONE)),
    "view 4": Line(shows(*FAILED)),
    "sidebar": Line(lambda stage: stage.window.sidebar.isVisible(), switching("sidebar", on=False)),
    "details": Line(lambda stage: stage.window.details.isVisible(), switching("details", on=False)),
    "throughput": Line(lambda stage: stage.window.progress.dock.isVisible(), switching("throughput", on=False)),
    "keep_in_tray": Line(lambda stage: stage.window.progress.tray.is_shown, lambda stage: stage.offer_tray()),
    "next_problem": Line(selects(LOCKED), selecting(ALSO_GONE)),
    "previous_problem": Line(selects(GONE), selecting(ALSO_GONE)),
    "follow": Line(lambda stage: stage.sees_running, lambda stage: stage.run_out_of_sight()),
    "next_pane": Line(lambda stage: stage.keyboard_is_in("status"), switching("details", on=False)),
    "previous_pane": Line(lambda stage: stage.keyboard_is_in("sidebar"), switching("sidebar", on=True)),
    "pause": Line(lambda stage: stage.desk.control.mode is RunMode.PAUSED),
    "stop_after_current": Line(lambda stage: stage.desk.control.mode is RunMode.FINISHING, finishing),
    "check_queue": Line(lambda stage: stage.desk.tried == 1),
    "process_next": Line(lambda stage: stage.first_to_send == ALSO_WAITING, selecting(ALSO_WAITING)),
    "retry": Line(failed(ALSO_GONE, LOCKED), selecting(GONE)),
    "retry_failed": Line(failed()),
    "retry_reason": Line(failed(LOCKED), selecting(GONE)),
    "locate": Line(lambda stage: stage.asks_for(QFileDialog.FileMode.ExistingFile), selecting(GONE)),
    "remove": Line(shows(*NAMES[1:]), selecting(WAITING)),
    "open": Line(lambda stage: stage.opened == [str(stage.folder / DONE)], selecting(DONE)),
    "show_file": Line(lambda stage: stage.revealed == [(stage.folder / DONE).as_uri()], selecting(DONE)),
    "connection": Line(lambda stage: stage.dialog(ConnectionDialog)),
    "foreign": Line(lambda stage: stage.titled("Other Programs' Messages"), lambda stage: stage.receive_foreign()),
    "shortcuts": Line(lambda stage: stage.titled("Keyboard Shortcuts")),
    "log": Line(lambda stage: stage.window.help.log is not None and stage.window.help.log.isVisible()),
    "report": Line(lambda stage: stage.dialog(ReportDialog)),
    "about": Line(lambda stage: stage.dialog(QMessageBox)),
}
"""Every action: the names in `Actions`, the places of the statuses' views, and the list's own Undo and Redo."""


@pytest.fixture
def stage(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    folder = tmp_path / "in"
    folder.mkdir()
    return Stage(desk, folder, monkeypatch)


# --- ways to an action


def way_to(stage: Stage, action: QAction) -> tuple[QAction, QMenu]:
    """The menu that it is in, and the menu bar's action for that."""
    for title in stage.window.menuBar().actions():
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


def by_key(_: Stage, action: QAction) -> None:
    focused = QApplication.focusWidget()
    assert focused is not None
    QTest.keySequence(focused, action.shortcut())


def by_letters(stage: Stage, action: QAction) -> None:
    title, menu = way_to(stage, action)
    press(letter_of(title), ALT)
    assert QApplication.activePopupWidget() is menu
    press(letter_of(action))


def by_mouse(stage: Stage, action: QAction) -> None:
    title, menu = way_to(stage, action)
    bar = stage.window.menuBar()
    QTest.mouseClick(bar, LEFT, pos=bar.actionGeometry(title).center())
    assert QApplication.activePopupWidget() is menu
    click_in(menu, action)


def click_in(menu: QWidget, action: QAction) -> None:
    assert isinstance(menu, QMenu)
    QTest.mouseClick(menu, LEFT, pos=menu.actionGeometry(action).center())


def perform(stage: Stage, name: str, way: Callable[[Stage, QAction], None], qtbot: QtBot) -> None:
    line, action = TABLE[name], stage.action(name)
    try:
        line.before(stage)
        assert action.isEnabled()
        assert not line.effect(stage)
        way(stage, action)
        qtbot.waitUntil(lambda: bool(line.effect(stage)))
        stage.desk.settle()
    finally:
        stage.close()


# --- the table is complete


def names_of_all(stage: Stage) -> dict[str, QAction]:
    offers = stage.window.menu_actions
    made = {name: value for name, value in vars(offers).items() if isinstance(value, QAction)}
    made |= {f"view {place}": action for place, action in enumerate(offers.status_views)}
    return made | {name: stage.action(name) for name in ("undo", "redo")}


def test_every_action_has_a_line_in_the_table(stage: Stage) -> None:
    named = names_of_all(stage)
    assert set(named) == set(TABLE)
    assert {id(action) for action in stage.window.menu_actions.all} <= {id(action) for action in named.values()}


def test_somebody_hears_every_action(stage: Stage) -> None:
    for name, action in names_of_all(stage).items():
        if name in {"undo", "redo"}:
            continue  # heard inside Qt
        deaf = QAction("Nobody hears this", stage.window)
        places = [place for place in action.associatedObjects() if isinstance(place, QMenu | QToolBar)]
        for place in places:
            place.addAction(deaf)  # these hear what is in them
        heard, base = (
            sum(one.receivers(SIGNAL(signal)) for signal in ("triggered(bool)", "toggled(bool)"))
            for one in (action, deaf)
        )
        assert heard > base, name
        for place in places:
            place.removeAction(deaf)


# --- each action


@pytest.mark.parametrize("name", TABLE)
def test_by_keyboard(stage: Stage, name: str, qtbot: QtBot) -> None:
    has_key = bool(stage.action(name).shortcuts())
    perform(stage, name, by_key if has_key else by_letters, qtbot)


@pytest.mark.parametrize("name", TABLE)
def test_by_mouse(stage: Stage, name: str, qtbot: QtBot) -> None:
    perform(stage, name, by_mouse, qtbot)
