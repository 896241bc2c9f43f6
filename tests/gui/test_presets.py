"""Commands in the window: the list, the form, trying one on a file, importing and exporting, and using one at once."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from pathlib import Path
from tempfile import gettempdir
from typing import TYPE_CHECKING, TypeVar

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QGuiApplication, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QDialog,
    QFileDialog,
    QLabel,
    QLineEdit,
    QMenu,
    QStyledItemDelegate,
    QWidget,
)

from desktop_app.config.presets import Preset, load_presets, preset_text, save_preset
from desktop_app.config.settings import Settings
from desktop_app.domain.fields import Choice
from desktop_app.domain.job import Status
from desktop_app.gui.presets import dialog as presets_dialog
from desktop_app.gui.presets.editor import PresetEditor
from desktop_app.gui.presets.importing import ImportDialog
from desktop_app.gui.presets.trial import TrialDialog
from desktop_app.gui.widgets.dialogs import MessageBox
from tests.clipping.names import unnamed
from tests.gui.running_app import SOON, RunningApp
from tests.gui.test_translations import LANGUAGES, speaking

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytestqt.qtbot import QtBot

    from desktop_app.gui.presets.dialog import PresetsDialog
    from desktop_app.gui.window.main_window import MainWindow
    from tests.gui.conftest import WindowFactory

posix = pytest.mark.skipif(sys.platform == "win32", reason="the commands are for a POSIX shell")

LEFT, ENTER = Qt.MouseButton.LeftButton, Qt.Key.Key_Return
WEBP = Preset(
    "webp",
    "Pictures to WebP",
    ("convert", "{path}", "-quality", "80", "{out}/{stem}.webp"),
    output="{folder}/webp",
    types=("*.png",),
)
Kind = TypeVar("Kind", bound=QDialog)


def sh(name: str, script: str, output: str = "") -> Preset:
    return Preset(name, argv=("sh", "-c", script, "sh", "{path}"), output=output)


@pytest.fixture(autouse=True)
def no_suggestions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Suggest nothing, whatever is installed on this computer."""
    monkeypatch.setattr(presets_dialog, "offered_presets", lambda _: [])


def dialog_with(windows: WindowFactory, *presets: Preset) -> PresetsDialog:
    """Open the dialog in a window that has some commands."""
    for preset in presets:
        save_preset(windows.settings_file, preset)
    window = windows.open_active()
    window.processors.commands_requested.emit()
    assert window.presets.dialog is not None
    windows._qtbot.waitUntil(window.presets.dialog.isActiveWindow)
    return window.presets.dialog


def saved(windows: WindowFactory) -> dict[str, Preset]:
    return load_presets(windows.settings_file).valid


def rows(dialog: PresetsDialog) -> list[tuple[str, str]]:
    table = dialog.table
    texts = [[table.item(row, column) for column in (0, 1)] for row in range(table.rowCount())]
    return [(left.text(), right.text()) for left, right in texts if left is not None and right is not None]


def press(button: QAbstractButton) -> None:
    QTest.mouseClick(button, LEFT)


def newest(parent: QWidget, kind: type[Kind]) -> Kind:
    return [found for found in parent.findChildren(kind) if found.isVisible()][-1]


def editor_of(dialog: PresetsDialog, button: QAbstractButton, qtbot: QtBot) -> PresetEditor:
    """Press a button that opens the form; wait until the form has the focus."""
    press(button)
    editor = newest(dialog, PresetEditor)
    qtbot.waitUntil(editor.isActiveWindow)
    return editor


def fill(editor: PresetEditor, **texts: str) -> None:
    """Replace the texts of some of the other fields."""
    for key, text in texts.items():
        field = editor.fields[key]
        assert isinstance(field, QLineEdit)
        field.setText(text)


def problems(editor: PresetEditor) -> dict[str, str]:
    return {key: label.text() for key, label in editor._problems.items() if label.isVisibleTo(editor)}


def choose_file(parent: QWidget, path: Path) -> None:
    """Choose a file in the file dialog that is open."""
    chooser = newest(parent, QFileDialog)
    chooser.fileSelected.emit(str(path))
    chooser.reject()


def typed_in(editor: QWidget) -> QLineEdit:
    focused = QApplication.focusWidget()
    assert isinstance(focused, QLineEdit)
    assert editor.isAncestorOf(focused)
    return focused


# --- the form


def test_command_is_made_from_a_title_and_a_command_line_and_used_for_new_files(
    windows: WindowFactory, qtbot: QtBot
) -> None:
    window = windows.open_active()
    menu = window.menu_actions.process_as.menu()
    assert isinstance(menu, QMenu)
    menu.aboutToShow.emit()
    next(action for action in menu.actions() if action.text() == "&Commands…").trigger()
    dialog = window.presets.dialog
    assert dialog is not None
    editor = editor_of(dialog, dialog.add, qtbot)
    QTest.keyClicks(typed_in(editor), "Pictures to WebP")
    editor.program.setFocus()
    QTest.keyClicks(editor.program, "convert {path} -quality 80 '{out}/{stem}.webp'")
    editor.arguments.lines.setFocus()  # leaves the field
    assert editor.name.text() == "pictures-to-webp"
    assert editor.program.text() == "convert"
    assert editor.arguments.arguments == ("{path}", "-quality", "80", "{out}/{stem}.webp")
    written = Path(gettempdir(), "filemill-output", "Example 1.webp")
    assert editor.preview.text().endswith(f" -quality 80 '{written}'")
    press(editor.save)
    name = "pictures-to-webp"
    assert saved(windows) == {
        name: Preset(
            name,
            "Pictures to WebP",
            ("convert", "{path}", "-quality", "80", "{out}/{stem}.webp"),
            output="{folder}/pictures-to-webp",
        )
    }
    assert rows(dialog) == [("Pictures to WebP", "convert {path} -quality 80 {out}/{stem}.webp")]
    chosen: list[Choice] = []
    dialog.chosen.connect(chosen.append)
    press(dialog.use)
    assert chosen == [Choice("command:pictures-to-webp")]
    assert window.presets.dialog is None


def test_name_comes_from_the_program_if_there_is_no_title(windows: WindowFactory, qtbot: QtBot) -> None:
    dialog = dialog_with(windows, WEBP, Preset("cat", argv=("cat",)))
    editor = editor_of(dialog, dialog.add, qtbot)
    editor.program.setFocus()
    QTest.keyClicks(editor.program, "/bin/cat {path}")
    editor.arguments.lines.setFocus()
    assert editor.name.text() == "cat-2", "a free one"
    assert editor.arguments.arguments == ("{path}",)


def test_arguments_are_added_changed_moved_and_removed_one_by_one(windows: WindowFactory, qtbot: QtBot) -> None:
    dialog = dialog_with(windows)
    editor = editor_of(dialog, dialog.add, qtbot)
    arguments = editor.arguments
    press(arguments.add)
    QTest.keyClicks(typed_in(editor), "a  b")
    QTest.keyClick(typed_in(editor), ENTER)
    qtbot.waitUntil(lambda: QApplication.focusWidget() is arguments.lines)
    assert editor.isVisible(), "Enter does not save the form"
    press(arguments.add)
    QTest.keyClicks(typed_in(editor), "-o=")
    press(arguments.inserters["out"])
    QTest.keyClicks(typed_in(editor), "/x")
    assert list(arguments.arguments) == ["a  b", "-o={out}/x"], "a click does not end the typing"
    QTest.keyClick(typed_in(editor), ENTER)
    qtbot.waitUntil(lambda: QApplication.focusWidget() is arguments.lines)
    assert editor.output_kind.currentText() == "Beside each file, in a folder named"
    press(arguments.up)
    assert list(arguments.arguments) == ["-o={out}/x", "a  b"]
    assert not arguments.up.isEnabled()
    press(arguments.inserters["stem"])
    assert list(arguments.arguments) == ["-o={out}/x{stem}", "a  b"]
    QGuiApplication.clipboard().setText("one\n\nthree\n")
    QTest.keyClick(arguments.lines, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert list(arguments.arguments) == ["-o={out}/x{stem}", "one", "", "three", "a  b"]
    QTest.keyClick(arguments.lines, Qt.Key.Key_Delete)
    press(arguments.down)
    assert list(arguments.arguments) == ["-o={out}/x{stem}", "one", "", "a  b"]
    assert arguments.lines.currentRow() == 3


def test_line_breaks_in_an_argument_are_shown_escaped_and_kept(windows: WindowFactory, qtbot: QtBot) -> None:
    preset = Preset("py", argv=("python3", "-c", "import sys\nprint(1)", "{path}"))
    dialog = dialog_with(windows, preset)
    editor = editor_of(dialog, dialog.edit, qtbot)
    lines = editor.arguments.lines
    index = lines.model().index(1, 0)
    delegate = lines.itemDelegate()
    assert isinstance(delegate, QStyledItemDelegate)
    assert delegate.displayText(index.data(), lines.locale()) == "import sys\\nprint(1)"
    lines.setFocus()
    lines.setCurrentRow(1)
    QTest.keyClick(lines, ENTER)
    QTest.keyClick(typed_in(editor), Qt.Key.Key_End)
    QTest.keyClicks(typed_in(editor), "#")
    press(editor.save)
    assert saved(windows)["py"].argv == ("python3", "-c", "import sys\nprint(1)#", "{path}")


def test_what_is_wrong_is_shown_at_its_field(windows: WindowFactory, qtbot: QtBot) -> None:
    dialog = dialog_with(windows, WEBP)
    editor = editor_of(dialog, dialog.add, qtbot)
    press(editor.save)
    assert problems(editor) == {"name": "▲ Type a name.", "program": "▲ Type or choose a program."}
    assert QApplication.focusWidget() is editor.name
    editor.name.setText("webp")
    editor.program.setText("bin/x")
    editor.arguments.show_arguments(["{file}"])
    fill(editor, types="a/b")
    press(editor.more)
    fill(editor, ok_codes="zero", environment="AWS_SECRET_ACCESS_KEY")
    press(editor.save)
    shown = problems(editor)
    assert shown.keys() == {"name", "program", "arguments", "types", "ok_codes", "environment"}
    assert shown["name"] == "▲ There is already a command of this name."
    assert shown["program"].startswith("▲ The program must be an absolute path")
    assert "{file}" in shown["arguments"]
    assert "AWS_SECRET_ACCESS_KEY" in shown["environment"]
    assert saved(windows).keys() == {"webp"}
    editor.name.setText("Not Valid")
    editor.program.setText("x")
    editor.arguments.show_arguments(["{out}/a"])
    editor.output_kind.setCurrentIndex(0)
    fill(editor, types="", ok_codes="0, 3;4", environment="LANG")
    press(editor.save)
    assert problems(editor).keys() == {"name", "arguments"}
    assert problems(editor)["arguments"] == "▲ It uses {out}, but has no output folder."
    editor.name.setText("valid")
    editor.output_kind.setCurrentIndex(2)
    editor.output_kind.activated.emit(2)
    editor.output.setText("relative")
    press(editor.save)
    assert problems(editor).keys() == {"output"}
    editor.output.setText("~/out/{ext}")
    press(editor.save)
    assert saved(windows)["valid"] == Preset(
        "valid", argv=("x", "{out}/a"), output="~/out/{ext}", ok_codes=(0, 3, 4), environment=("LANG",)
    )


def test_changed_command_keeps_its_name_and_gets_a_new_version(windows: WindowFactory, qtbot: QtBot) -> None:
    preset = Preset(
        "a", "A", ("x", "{path}"), output="{folder}/a b", conflict="replace", quiet_limit_s=7, retry_codes=()
    )
    dialog = dialog_with(windows, preset)
    editor = editor_of(dialog, dialog.edit, qtbot)
    assert editor.name.isReadOnly()
    assert not editor.more.isVisible(), "it has options of few commands"
    assert editor.read() == preset, "the form shows all of it"
    editor.title.setText("B")
    press(editor.save)
    assert saved(windows)["a"] == replace(preset, title="B", version=2)
    assert rows(dialog) == [("B", "x {path}")]


def test_copy_gets_a_name_of_its_own(windows: WindowFactory, qtbot: QtBot) -> None:
    dialog = dialog_with(windows, WEBP)
    editor = editor_of(dialog, dialog.duplicate, qtbot)
    assert editor.title.text() == "Copy of Pictures to WebP"
    press(editor.save)
    copied = saved(windows)["copy-of-pictures-to-webp"]
    assert (copied.argv, copied.output, copied.types) == (WEBP.argv, WEBP.output, WEBP.types)
    assert saved(windows)["webp"] == WEBP


def test_program_is_chosen_in_a_file_dialog(windows: WindowFactory, qtbot: QtBot, tmp_path: Path) -> None:
    dialog = dialog_with(windows)
    editor = editor_of(dialog, dialog.add, qtbot)
    press(editor.browse)
    choose_file(editor, tmp_path / "my program")
    assert editor.program.text() == str(tmp_path / "my program")
    assert editor._argv == (str(tmp_path / "my program"),), "a path with a space is no command line"


def test_settings_that_cannot_be_written_keep_the_form_open(windows: WindowFactory, qtbot: QtBot) -> None:
    dialog = dialog_with(windows, WEBP)
    editor = editor_of(dialog, dialog.edit, qtbot)
    windows.settings_file.write_text("no TOML")
    editor.title.setText("B")
    press(editor.save)
    assert editor.isVisible()
    assert "is not valid TOML" in editor._problem.text()


def test_wheel_scrolls_the_form_and_changes_no_number(windows: WindowFactory, qtbot: QtBot) -> None:
    dialog = dialog_with(windows, WEBP)
    editor = editor_of(dialog, dialog.edit, qtbot)
    press(editor.more)
    field = editor.fields["time_limit_s"]
    place = QPointF(5, 5)
    none, no_key = Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier
    phase = Qt.ScrollPhase.NoScrollPhase
    event = QWheelEvent(place, place, QPoint(), QPoint(0, -120), none, no_key, phase, False)
    QApplication.sendEvent(field, event)
    assert field.text() == "3600 s"


# --- the list


def test_suggested_command_is_added_with_one_click(windows: WindowFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    words = Preset("words", "Count words (wc)", ("wc", "-w", "{path}"))
    monkeypatch.setattr(presets_dialog, "offered_presets", lambda known: [] if "words" in known else [words])
    dialog = dialog_with(windows)
    (add,) = [one for one in dialog.findChildren(QAbstractButton) if one.accessibleName().startswith("Add “")]
    dialog.import_file.setFocus()
    QTest.keyClick(dialog.import_file, Qt.Key.Key_Tab)
    assert QApplication.focusWidget() is add, "the Tab key reaches it where it is shown"
    press(add)
    assert saved(windows) == {"words": words}
    assert rows(dialog) == [("Count words (wc)", "wc -w {path}")]
    assert dialog._suggested.isHidden()


def test_command_is_removed_after_a_question(windows: WindowFactory) -> None:
    dialog = dialog_with(windows, WEBP, Preset("b", argv=("x",)))
    dialog.table.setFocus()
    QTest.keyClick(dialog.table, Qt.Key.Key_Delete)
    question = newest(dialog, MessageBox)
    assert question.text() == "Remove the command “Pictures to WebP”?"
    question.reject()
    assert saved(windows).keys() == {"webp", "b"}
    press(dialog.remove)
    press(next(one for one in newest(dialog, MessageBox).buttons() if one.text() == "&Remove"))
    assert saved(windows).keys() == {"b"}
    assert rows(dialog) == [("b", "x")]


def test_commands_that_are_not_valid_are_named(windows: WindowFactory) -> None:
    windows.settings_file.write_text('[[command]]\nname = "a"\n\n[[command]]\nname = "b"\nargv = ["x"]\n')
    dialog = dialog_with(windows)
    assert rows(dialog) == [("b", "x")]
    assert dialog.problem.text() == "▲ The command “a” is not valid: argv must contain a program."


def test_import_shows_what_is_run_before_it_is_added(windows: WindowFactory, tmp_path: Path) -> None:
    file = tmp_path / "commands.toml"
    foreign = Preset(
        "webp", "Harmless", ("no-such-program", "{path}", "$(rm -r ~)"), output="~/x", environment=("HOME", "LANG")
    )
    file.write_text(preset_text([foreign]))
    dialog = dialog_with(windows, WEBP)
    press(dialog.import_file)
    choose_file(dialog, file)
    shown = newest(dialog, ImportDialog)
    lines = shown.text.toPlainText().splitlines()
    assert lines[:3] == [
        "Harmless (command:webp)",
        "▲ Replaces the command of this name.",
        "▲ Program: no-such-program, which is not installed",
    ]
    assert "    $(rm -r ~)" in lines
    assert {"Writes into: ~/x", "Gets the variables: HOME, LANG"} <= set(lines)
    shown.reject()
    assert saved(windows) == {"webp": WEBP}
    press(dialog.import_file)
    choose_file(dialog, file)
    press(newest(dialog, ImportDialog).add)
    assert saved(windows)["webp"].argv == foreign.argv
    assert saved(windows)["webp"].version == 2


def test_file_that_cannot_be_imported_is_refused_with_the_reason(windows: WindowFactory, tmp_path: Path) -> None:
    file = tmp_path / "commands.toml"
    file.write_text("a = 1")
    dialog = dialog_with(windows)
    press(dialog.import_file)
    choose_file(dialog, file)
    assert dialog.problem.text() == f"▲ {file} contains no command."


def test_exported_command_can_be_imported_elsewhere(windows: WindowFactory, tmp_path: Path) -> None:
    dialog = dialog_with(windows, WEBP)
    press(dialog.export)
    choose_file(dialog, tmp_path / "webp.toml")
    assert load_presets(tmp_path / "webp.toml").valid == {"webp": WEBP}


# --- trying


def trial_of(dialog: PresetsDialog, file: Path) -> TrialDialog:
    press(dialog.try_one)
    choose_file(dialog, file)
    return newest(dialog, TrialDialog)


@posix
def test_trial_shows_what_the_command_did_and_deletes_its_files_when_it_is_closed(
    windows: WindowFactory, qtbot: QtBot, tmp_path: Path, opened: list[str]
) -> None:
    file = tmp_path / "a b.txt"
    file.write_text("x")
    script = 'cp "$1" copy.txt; echo note >&2; echo "{{\\"answer\\": 42}}"'
    dialog = dialog_with(windows, sh("copy", script, "{folder}/out"))
    trial = trial_of(dialog, file)
    qtbot.waitUntil(trial.stop.isHidden, timeout=SOON)
    assert trial.outcome.text() == "✓ The file would be Processed."
    report = trial.report.toPlainText()
    assert f"sh '{file}'" in report
    assert re.search(r"Exit code 0 after \d+\.\d s", report)
    assert "answer = 42" in report
    assert "Standard error\n    note" in report
    assert [trial.files.item(row).text() for row in range(trial.files.count())] == ["copy.txt"]
    press(trial.open_button)
    qtbot.waitUntil(lambda: len(opened) == 1)
    assert trial._trial is not None
    folder = trial._trial.folder
    assert opened == [str(folder / "copy.txt")]
    trial.reject()
    assert not folder.exists()
    assert not (tmp_path / "out").exists(), "nothing is published"


@posix
def test_trial_warns_that_files_are_deleted_if_there_is_no_output_folder(
    windows: WindowFactory, qtbot: QtBot, tmp_path: Path
) -> None:
    file = tmp_path / "a.txt"
    file.write_text("x")
    trial = trial_of(dialog_with(windows, sh("copy", 'cp "$1" copy.txt', "")), file)
    qtbot.waitUntil(trial.stop.isHidden, timeout=SOON)
    assert "would be deleted, since the command has no output folder" in trial.outcome.text()
    assert "{out}" in trial.outcome.text()
    trial.reject()


@posix
def test_trial_of_a_form_that_is_not_saved_shows_why_the_file_would_fail(
    windows: WindowFactory, qtbot: QtBot, tmp_path: Path
) -> None:
    file = tmp_path / "a"
    file.write_text("x")
    dialog = dialog_with(windows, sh("a", "exit 0"))
    editor = editor_of(dialog, dialog.edit, qtbot)
    editor.arguments.show_arguments(["-c", "echo broken >&2; exit 9", "sh", "{path}"])
    press(editor.trial)
    choose_file(editor, file)
    trial = newest(editor, TrialDialog)
    qtbot.waitUntil(trial.stop.isHidden, timeout=SOON)
    assert trial.outcome.text().startswith("▲ The file would be Failed:")
    assert "broken" in trial.outcome.text()
    assert "Exit code 9" in trial.report.toPlainText()
    assert saved(windows)["a"].argv == sh("a", "exit 0").argv, "trying saves nothing"


@posix
@pytest.mark.parametrize("how", ["stop", "close"])
def test_trial_can_be_stopped(windows: WindowFactory, qtbot: QtBot, tmp_path: Path, how: str) -> None:
    file, begun = tmp_path / "a", tmp_path / "begun"
    file.write_text("x")
    dialog = dialog_with(windows, sh("a", f"touch '{begun}'; sleep 1000"))
    trial = trial_of(dialog, file)
    qtbot.waitUntil(begun.exists, timeout=SOON)
    if how == "stop":
        press(trial.stop)
        qtbot.waitUntil(lambda: trial.outcome.text() == "The command was stopped.", timeout=SOON)
        return
    with qtbot.waitSignal(trial.destroyed, timeout=SOON):
        dialog.close()


# --- using it


def mnemonics(dialog: QWidget) -> list[str]:
    """Return the mnemonics of the visible buttons and captions of a dialog."""
    widgets: list[QAbstractButton | QLabel] = [*dialog.findChildren(QAbstractButton), *dialog.findChildren(QLabel)]
    texts = [widget.text().replace("&&", "") for widget in widgets if widget.window() is dialog and widget.isVisible()]
    return sorted(found[1].upper() for text in texts if (found := re.search(r"&(\w)", text)))


@pytest.mark.parametrize("language", ["en", *LANGUAGES])
def test_dialogs_have_names_for_all_controls_and_unique_mnemonics(
    windows: WindowFactory, qtbot: QtBot, tmp_path: Path, language: str
) -> None:
    file = tmp_path / "x.toml"
    file.write_text(preset_text([WEBP]))
    with speaking(language):
        dialog = dialog_with(windows, WEBP)
        editor = editor_of(dialog, dialog.edit, qtbot)
        press(editor.more)
        shown: list[QDialog] = [dialog, editor]
        for one in shown:
            assert unnamed(one) == []
            letters = mnemonics(one)
            assert len(letters) > 5
            assert len(letters) == len(set(letters)), letters
        editor.reject()
        press(dialog.import_file)
        choose_file(dialog, file)
        assert unnamed(newest(dialog, ImportDialog)) == []


@posix
def test_command_made_in_the_window_processes_the_next_file_without_a_restart(
    open_app: Callable[[Settings], RunningApp], qtbot: QtBot
) -> None:
    app = open_app(Settings())
    app.add("before.txt")
    app.until_processed("before.txt")
    window = app.window
    window.processors.commands_requested.emit()
    dialog = window.presets.dialog
    assert dialog is not None
    dialog._store(sh("shout", "echo HELLO"))
    press(dialog.use)
    assert window.processors.current == Choice("command:shout")
    app.add("after.txt")
    app.until_processed("after.txt")
    job = app.jobs()["after.txt"]
    assert (job.processor, job.processor_version, job.result) == (
        "command:shout",
        1,
        {"exit_code": 0, "printed": "HELLO"},
    )


@posix
def test_files_left_for_want_of_a_command_are_processed_once_it_is_made(
    open_app: Callable[[Settings], RunningApp],
) -> None:
    app = open_app(Settings())
    path = app.path("a.txt")
    path.write_text("x")
    # The message is received only after it was recorded as sent, so that the order is always the same.
    app.program.control.pause()
    app.window._list.adder.add([str(path)], choice=Choice("command:late"))
    app.until(lambda: "a.txt" in app.jobs() and app.jobs()["a.txt"].sent_at is not None)
    app.program.control.resume()
    app.until(lambda: app.jobs()["a.txt"].reason is not None)
    assert app.jobs()["a.txt"].status is Status.PENDING
    app.window.processors.commands_requested.emit()
    dialog = app.window.presets.dialog
    assert dialog is not None
    dialog._store(sh("late", "echo now"))
    app.until_processed("a.txt")
    assert app.jobs()["a.txt"].attempts == 1


def test_settings_dialog_opens_the_commands(windows: WindowFactory) -> None:
    window: MainWindow = windows.open_active()
    window.menu_actions.settings.trigger()
    assert window.settings.dialog is not None
    press(window.settings.dialog.commands)
    assert window.presets.dialog is not None
    assert window.presets.dialog.isVisible()
    window.close()
    assert window.presets.dialog is None
