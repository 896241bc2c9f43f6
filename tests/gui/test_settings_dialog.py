"""The Settings dialog: what is chosen is saved and applied at once."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from PySide6.QtCore import QItemSelectionModel, QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QLineEdit

from desktop_app.config.paths import resource
from desktop_app.config.settings import MAX_CONCURRENCY, Settings, load_settings, update_settings
from desktop_app.domain.job import Status
from desktop_app.domain.query import Filter
from desktop_app.gui.desktop.ports import NoDesktop, Notification, Topic
from desktop_app.gui.i18n import user_locale
from desktop_app.gui.settings.dialog import ChoiceBox, SettingsDialog
from desktop_app.gui.theme.theme import DARK, LIGHT
from desktop_app.gui.window.main_window import MainWindow, Place

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from desktop_app.gui.theme.theme import Theme
    from tests.gui.conftest import WindowFactory

NO_KEY = Qt.KeyboardModifier.NoModifier


@pytest.fixture(autouse=True)
def as_before(theme: Theme) -> Iterator[None]:
    """Undo what applies to the whole program."""
    level = logging.getLogger().level
    yield
    theme.choose("system")
    logging.getLogger().setLevel(level)


@pytest.fixture
def window(windows: WindowFactory) -> MainWindow:
    return opened(windows)


def opened(windows: WindowFactory) -> MainWindow:
    """Open a window whose settings are in a file."""
    windows.settings = Settings()
    window = windows.open_active()
    window.settings.preferences._read = lambda: load_settings(windows.settings_file)
    return window


def dialog_of(window: MainWindow) -> SettingsDialog:
    window.menu_actions.settings.trigger()
    assert window.settings.dialog is not None
    return window.settings.dialog


def choose(field: ChoiceBox, value: object) -> None:
    """Choose a value with the arrow keys."""
    field.setFocus()
    wanted = field.findData(value)
    assert wanted >= 0
    while field.currentIndex() != wanted:
        QTest.keyClick(field, Qt.Key.Key_Down if field.currentIndex() < wanted else Qt.Key.Key_Up)


def test_it_opens_with_its_shortcut_and_the_focus_on_the_first_field(window: MainWindow, qtbot: QtBot) -> None:
    QTest.keyClick(window, Qt.Key.Key_Comma, Qt.KeyboardModifier.ControlModifier)
    assert window.settings.dialog is not None
    dialog = dialog_of(window)
    qtbot.waitUntil(dialog.language.hasFocus)
    assert dialog_of(window) is dialog
    with qtbot.waitSignal(dialog.finished):
        QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert dialog_of(window) is not dialog


def test_each_choice_is_saved_at_once(window: MainWindow, windows: WindowFactory) -> None:
    dialog = dialog_of(window)
    for field, value in (
        (dialog.language, "de"),
        (dialog.theme, "light"),
        (dialog.concurrency, 3),
        (dialog.duplicates, "add"),
        (dialog.notifications, "none"),
        (dialog.log_level, "debug"),
    ):
        choose(field, value)
    assert load_settings(windows.settings_file) == Settings(
        language="de", theme="light", concurrency=3, duplicates="add", notifications="none", log_level="debug"
    )
    assert not dialog.problem.isVisible()


def test_theme_changes_at_once(window: MainWindow, theme: Theme, qapp: QApplication) -> None:
    dialog = dialog_of(window)
    choose(dialog.theme, "dark")
    assert theme.colours.window == DARK.window
    assert qapp.palette().base().color().name() == DARK.base
    choose(dialog.theme, "light")
    assert theme.colours.window == LIGHT.window
    assert qapp.palette().base().color().name() == LIGHT.base


def test_number_of_files_at_once_changes_at_once(window: MainWindow, windows: WindowFactory) -> None:
    dialog = dialog_of(window)
    assert dialog.concurrency.currentText() == f"Automatic ({Settings().workers})"
    choose(dialog.concurrency, 5)
    assert windows.control.concurrency is not None
    assert windows.control.concurrency == 5
    choose(dialog.concurrency, 0)
    assert windows.control.concurrency == Settings().workers
    assert dialog.concurrency.findData(MAX_CONCURRENCY) == MAX_CONCURRENCY


@pytest.mark.parametrize(
    ("level", "shown"), [("all", [True, True, True]), ("problems", [False, True, True]), ("none", [False] * 3)]
)
def test_notifications_are_shown_as_chosen(
    window: MainWindow, level: str, shown: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    notifications = window.progress.notifications
    seen: list[Notification] = []
    monkeypatch.setattr(notifications, "_notifier", NoDesktop())
    monkeypatch.setattr(notifications._notifier, "show", seen.append)
    monkeypatch.setattr(notifications, "_is_watched", lambda: False)
    choose(dialog_of(window).notifications, level)
    sent = [
        Notification(Topic.ENDED, "Finished", ""),
        Notification(Topic.FAILURE, "A file has failed", ""),
        Notification(Topic.ENDED, "Finished with problems", "", is_urgent=True),
    ]
    for notification in sent:
        notifications._notify(notification)
    assert seen == [notification for notification, is_shown in zip(sent, shown, strict=True) if is_shown]


def test_log_level_changes_at_once(window: MainWindow) -> None:
    logging.getLogger().setLevel(logging.INFO)
    dialog = dialog_of(window)
    choose(dialog.log_level, "debug")
    assert logging.getLogger().level == logging.DEBUG
    choose(dialog.log_level, "normal")
    assert logging.getLogger().level == logging.INFO


def test_retention_passed_with_the_arrow_keys_is_not_saved(
    window: MainWindow, windows: WindowFactory, qtbot: QtBot
) -> None:
    """Files would be removed that the user wants to keep."""
    dialog = dialog_of(window)
    choose(dialog.keep_days, 30)
    assert load_settings(windows.settings_file).keep_days == 0
    dialog._keep_timer.setInterval(0)
    choose(dialog.keep_days, 90)
    qtbot.waitUntil(lambda: load_settings(windows.settings_file).keep_days == 90)
    dialog._keep_timer.setInterval(60_000)
    choose(dialog.keep_days, 365)
    dialog.close()
    assert load_settings(windows.settings_file).keep_days == 365


def test_value_written_by_hand_is_shown(window: MainWindow, windows: WindowFactory) -> None:
    update_settings(windows.settings_file, keep_days=45, language="fr")
    dialog = dialog_of(window)
    assert dialog.keep_days.currentText() == "After 45 days"
    assert dialog.language.currentText() == "fr"
    dialog.close()
    assert load_settings(windows.settings_file) == Settings(keep_days=45, language="fr")


def test_other_settings_and_changes_of_other_programs_are_kept(window: MainWindow, windows: WindowFactory) -> None:
    dialog = dialog_of(window)
    windows.settings_file.write_text('queue = "files"  # ours\nfuture = 1\nduplicates = "later"\n')
    choose(dialog.theme, "dark")
    text = windows.settings_file.read_text()
    assert text == 'queue = "files"  # ours\nfuture = 1\nduplicates = "later"\ntheme = "dark"\n'


def test_damaged_file_is_reported_and_kept(window: MainWindow, windows: WindowFactory, theme: Theme) -> None:
    dialog = dialog_of(window)
    windows.settings_file.write_text("queue = ")
    choose_once = dialog.theme
    choose_once.setFocus()
    before = theme.colours
    QTest.keyClick(choose_once, Qt.Key.Key_End)
    assert "is not valid TOML" in dialog.problem.text()
    assert dialog.problem.isVisible()
    assert choose_once.currentData() == "system"
    assert theme.colours is before
    assert windows.settings_file.read_text() == "queue = "
    windows.settings_file.unlink()
    choose(dialog.theme, "dark")
    assert not dialog.problem.isVisible()


def test_setting_that_a_variable_overrides_is_disabled_with_the_reason(windows: WindowFactory) -> None:
    windows.environment["FILEMILL_LANGUAGE"] = "de"
    window = opened(windows)
    update_settings(windows.settings_file, language="en")
    dialog = dialog_of(window)
    assert not dialog.language.isEnabled()
    assert dialog.language.currentText() == "Deutsch", "the language in effect, not the saved one"
    assert not dialog.restart.isVisible()
    reason = "Set by the environment variable FILEMILL_LANGUAGE."
    assert dialog.language.accessibleDescription() == reason
    assert any(label.text() == reason and label.isVisible() for label in dialog.findChildren(QLabel))
    assert dialog.theme.hasFocus() or dialog.focusWidget() is dialog.theme


def test_log_level_is_disabled_if_the_program_was_started_with_debug(windows: WindowFactory) -> None:
    logging.getLogger().setLevel(logging.DEBUG)
    dialog = dialog_of(opened(windows))
    assert not dialog.log_level.isEnabled()
    assert dialog.log_level.toolTip() == "Filemill was started with --debug."
    assert dialog.log_level.currentText() == "Detailed"
    dialog.close()
    assert load_settings(windows.settings_file).log_level == "normal"


def test_tray_is_the_same_choice_as_in_the_view_menu(windows: WindowFactory) -> None:
    window = opened(windows)
    assert not dialog_of(window).tray.isEnabled(), "the offscreen platform has no tray"
    window.settings.close()
    action = window.menu_actions.keep_in_tray
    action.setVisible(True)
    dialog = dialog_of(window)
    dialog.tray.click()
    assert action.isChecked()
    action.setChecked(False)
    assert not dialog.tray.isChecked()


def test_compact_rows_are_the_same_choice_as_in_the_view_menu(window: MainWindow) -> None:
    dialog, action = dialog_of(window), window.menu_actions.compact
    dialog.compact.click()
    assert action.isChecked()
    action.setChecked(False)
    assert not dialog.compact.isChecked()


def test_wheel_scrolls_instead_of_changing_a_setting(window: MainWindow) -> None:
    field = dialog_of(window).concurrency
    point = QPointF(field.rect().center())
    place = QPointF(field.mapToGlobal(field.rect().center()))
    down = QPoint(0, -120)
    buttons, phase = Qt.MouseButton.NoButton, Qt.ScrollPhase.NoScrollPhase
    event = QWheelEvent(point, place, QPoint(), down, buttons, NO_KEY, phase, False)
    QApplication.sendEvent(field, event)
    assert field.currentData() == 0
    assert not event.isAccepted()


def test_assistive_technology_can_choose_in_the_closed_list(window: MainWindow, windows: WindowFactory) -> None:
    """It toggles an item of the list, as AT-SPI does."""
    field = dialog_of(window).theme
    items = field.view().selectionModel()
    for value in ("dark", "light"):
        row = field.findData(value)
        items.select(field.model().index(row, 0), QItemSelectionModel.SelectionFlag.ClearAndSelect)
        assert field.currentIndex() == row
        assert load_settings(windows.settings_file).theme == value


def test_list_that_is_opened_and_left_changes_nothing(window: MainWindow, windows: WindowFactory, qtbot: QtBot) -> None:
    field = dialog_of(window).theme
    field.showPopup()
    qtbot.waitUntil(field.view().isVisible)
    QTest.keyClick(field.view(), Qt.Key.Key_Down)
    QTest.keyClick(field.view(), Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: not field.view().isVisible())
    assert field.currentData() == "system"
    assert load_settings(windows.settings_file) == Settings()


def test_location_of_the_list_is_shown_and_its_folder_opened(
    window: MainWindow, windows: WindowFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[list[str]] = []
    monkeypatch.setattr(window.settings._opener, "show", shown.append)
    dialog = dialog_of(window)
    database = str(windows.jobs_db.database.path)
    assert dialog.place.text() == database
    assert dialog.place.isReadOnly()
    dialog.open_folder.click()
    assert shown == [[database]]


def test_everything_can_be_reached_and_is_named(window: MainWindow) -> None:
    dialog = dialog_of(window)
    dialog.resize(dialog.minimumSize())
    assert dialog.minimumWidth() <= 640
    assert dialog.minimumHeight() <= 400
    fields = [*dialog.findChildren(ChoiceBox), *dialog.findChildren(QLineEdit)]
    assert len(fields) == 8
    assert all(field.accessibleName() for field in fields)
    texts = [label.text() for label in dialog.findChildren(QLabel) if label.buddy() is not None]
    texts += [button.text() for button in dialog.findChildren(QAbstractButton)]
    keys = [text[text.index("&") + 1].lower() for text in texts if "&" in text.replace("&&", "")]
    assert len(keys) == len(set(keys))
    visited = set()
    for _ in range(30):
        QTest.keyClick(dialog, Qt.Key.Key_Tab)
        visited.add(dialog.focusWidget())
    assert {field for field in fields if field.isEnabled()} <= visited


# --- the language


def test_language_asks_for_a_restart_until_it_is_the_windows_again(window: MainWindow) -> None:
    dialog = dialog_of(window)
    assert not dialog.restart.isVisible()
    choose(dialog.language, "de")
    assert dialog.restart.isVisible()
    dialog.close()
    dialog = dialog_of(window)
    assert dialog.restart.isVisible()
    choose(dialog.language, "en")
    # The tests run in the system's locale "C", for which English is used.
    assert dialog.restart.isVisible() is (user_locale("en") != user_locale())
    choose(dialog.language, "")
    assert not dialog.restart.isVisible()
    assert window.reopens_at is None


def test_restart_keeps_the_filter_and_the_place_in_the_list(window: MainWindow, windows: WindowFactory) -> None:
    jobs_db = windows.jobs_db
    keys = jobs_db.add(*(f"/data/file-{number:03}.txt" for number in range(200)))
    jobs_db.fail(keys[:150])
    windows.controller().feed.look()
    windows.settle()
    window.sidebar.choose(Filter(statuses=frozenset({Status.FAILED})))
    window.filter.setText("file-1")
    windows._qtbot.waitUntil(lambda: window._list.model.rowCount() == 50)
    window.view.select_rows(20, 20)
    window.view.scrollTo(window._list.model.index(15, 0), window.view.ScrollHint.PositionAtTop)
    first = window.view.rowAt(0)
    assert first > 0
    choose(dialog_of(window).language, "de")
    assert window.settings.dialog is not None
    window.settings.dialog.restart.click()
    place = window.reopens_at
    assert window.isHidden()
    connection = windows.connection.connection
    assert place == Place(
        connection, "file-1", Filter(statuses=frozenset({Status.FAILED})), keys[100 + first], keys[120]
    )
    again = windows.open(place)
    windows._qtbot.waitUntil(lambda: again._list.model.rowCount() == 50 and again.view.selected_count() == 1)
    windows._qtbot.waitUntil(lambda: again.view.rowAt(0) == first)
    assert again.filter.text() == "file-1"
    assert list(again.view.selected_ids()) == [keys[120]]


def test_restart_waits_for_what_is_running(window: MainWindow, windows: WindowFactory, qtbot: QtBot) -> None:
    operations = windows.controller().operations
    running = operations.begin(lambda _done, _total: "Exporting the list…")
    choose(dialog_of(window).language, "de")
    dialog_of(window).restart.click()
    assert window.isVisible()
    assert window.settings.dialog is None
    assert window.notices.notice is not None
    assert window.notices.notice.text == "Filemill restarts as soon as it has finished this."
    with qtbot.waitSignal(window.closed):
        operations.end(running)
    assert window.reopens_at is not None


def test_restart_that_waits_can_be_cancelled(window: MainWindow, windows: WindowFactory) -> None:
    operations = windows.controller().operations
    running = operations.begin(lambda _done, _total: "Exporting the list…")
    window.restart()
    assert window.notices.notice is not None
    window.notices.notice.actions[0].run()
    assert not window._restart_timer.isActive()
    operations.end(running)
    assert window.isVisible()


def test_restart_waits_for_a_review(window: MainWindow, windows: WindowFactory, tmp_path: Path, qtbot: QtBot) -> None:
    for number in range(60):
        (tmp_path / f"{number}.txt").touch()
    window.add([str(tmp_path)])
    window.restart()
    qtbot.waitUntil(lambda: window.adding.sheet is not None)
    assert not window._list.operations.is_busy
    window.restart()
    assert window.isVisible()


SAY = """
import json, sys
from PySide6.QtCore import QTimer
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QAbstractButton, QLabel, QLineEdit, QWidget
from desktop_app import window_app
from desktop_app.__main__ import main

windows = []
assemble = window_app.assemble

def assembled(program, theme, window):
    running = assemble(program, theme, window)
    windows.append(running)
    QTimer.singleShot(300, step)
    return running

def texts(window):
    found = []
    for kind in (QAction, QLabel, QAbstractButton):
        found += [part.text() for part in window.findChildren(kind)]
    for kind in (QAction, QAbstractButton, QLineEdit):
        found += [part.toolTip().partition(" (Ctrl+")[0] for part in window.findChildren(kind)]
    found += [part.accessibleName() for part in window.findChildren(QWidget)]
    found += [line.placeholderText() for line in window.findChildren(QLineEdit)]
    model = window._list.model
    found += [model.headerData(column, window.view.header.orientation()) for column in range(model.columnCount())]
    found += [str(model.index(0, column).data()) for column in range(model.columnCount())]
    return sorted(set(filter(None, found)))

def step():
    window = windows[-1].window
    if not window._list.model.rowCount() or not window._list.totals.counts.processed:
        QTimer.singleShot(50, step)
    elif len(windows) == int(sys.argv[1]):
        window.settings.open()
        dialog = window.settings.dialog
        print(json.dumps(texts(window)))
        dialog.close()
        window.close()
    else:
        window.settings.open()
        dialog = window.settings.dialog
        dialog.language.setCurrentIndex(dialog.language.findData("de"))
        dialog.language.activated.emit(0)
        dialog.restart.click()

window_app.assemble = assembled
sys.exit(main(sys.argv[2:]))
"""


def said(script: str, windows: int, *paths: str) -> str:
    command = [sys.executable, "-c", script, str(windows), *paths]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_restart_leaves_no_text_in_the_previous_language(filemill_home: Path, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("1\n2\n")
    texts: list[str] = json.loads(said(SAY, 2, str(tmp_path / "a.txt")))
    assert load_settings(filemill_home / "settings.toml").language == "de"
    sources = {
        str(message.findtext("source"))
        for message in ET.parse(resource("translations/filemill_de.ts")).iter("message")
        if message.findtext("translation") != message.findtext("source")
    }
    assert {"Processed", "Files"} <= sources
    assert {"&Beenden", "Verarbeitet"} <= set(texts)
    assert sources & set(texts) == set()


def test_restart_keeps_access_keys_that_were_typed(filemill_home: Path, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("1\n2\n")
    typed = (
        "        server = Connection(queue='in', endpoint_url='http://127.0.0.1:9', keys=AccessKeys('id', 'secret'))"
        "\n        window._controller.change_to(server, process_here=False)\n"
    )
    choose_language = "        dialog.language.setCurrentIndex"
    code = SAY.replace(choose_language, f"{typed}{choose_language}")
    code = code.replace("print(json.dumps(texts(window)))", "print(window._controller.connection.keys.key_id)")
    imports = "from desktop_app.config.settings import Connection\nfrom desktop_app.domain.secrets import AccessKeys\n"
    assert said(f"{imports}{code}", 2, str(tmp_path / "a.txt")) == "id\n"


def test_stop_signal_during_a_restart_ends_the_program(filemill_home: Path, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("1\n2\n")
    stopping = SAY.replace("        dialog.restart.click()", "        dialog.restart.click(); os.kill(os.getpid(), 15)")
    assert said(f"import os\n{stopping}", 2, str(tmp_path / "a.txt")) == ""


def test_theme_of_the_settings_is_used_from_the_start(filemill_home: Path) -> None:
    filemill_home.mkdir()
    code = (
        "import sys\n"
        "from PySide6.QtCore import QTimer\n"
        "from desktop_app import window_app\n"
        "assemble = window_app.assemble\n"
        "def assembled(program, theme, window):\n"
        "    print(theme.colours.is_dark, flush=True)\n"
        "    running = assemble(program, theme, window)\n"
        "    QTimer.singleShot(0, running.window.close)\n"
        "    return running\n"
        "window_app.assemble = assembled\n"
        "from desktop_app.__main__ import run_and_exit\n"
        "sys.argv[1:] = []\n"
        "run_and_exit()\n"
    )
    for theme, is_dark in (("dark", "True"), ("light", "False")):
        update_settings(filemill_home / "settings.toml", theme=theme)
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
        assert done.stdout.strip() == is_dark
