"""The Settings dialog. Each choice is saved and applied at once, so there is only a Close button."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from desktop_app.config.settings import MAX_CONCURRENCY, Settings
from desktop_app.domain.errors import SettingsError
from desktop_app.gui.i18n import tr, translated
from desktop_app.gui.widgets.dialogs import (
    ButtonRow,
    add_field,
    arrange_dialog,
    caption,
    form_layout,
    plain_label,
    show_problem,
    spaced,
    stacked,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from PySide6.QtGui import QAction, QWheelEvent

    from desktop_app.gui.settings.preferences import Preferences


_WIDTH = 620
_DAYS = (1, 7, 30, 90, 365)
_KEEP_DELAY_MS = 2_000
"""The arrow keys move through shorter periods, which must not take effect on the way."""


class ChoiceBox(QComboBox):
    """A combo box for the values of a setting. The wheel scrolls the dialog and changes no setting.

    Args:
        choices: The values and their texts.
        parent: The parent.
    """

    def __init__(self, choices: Iterable[tuple[object, str]], parent: QWidget) -> None:
        super().__init__(parent)
        for value, text in choices:
            self.addItem(text, value)
        self.view().selectionModel().selectionChanged.connect(self._choose_selected)

    @Slot()
    def _choose_selected(self) -> None:
        """Choose an item that assistive technology has selected in the closed list, which Qt ignores."""
        rows = [index.row() for index in self.view().selectionModel().selectedIndexes()]
        if rows and not self.view().isVisible() and rows[-1] != self.currentIndex():
            self.setCurrentIndex(rows[-1])
            self.activated.emit(rows[-1])

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Leave the wheel to the scroll area."""
        event.ignore()


class SettingsDialog(QDialog):
    """Shows and changes the preferences. It deletes itself when it is closed.

    Signals:
        restart_requested(): The program has to restart to show the chosen language.
        folder_requested(str): The folder of this path has to be shown in the file manager.
        help_requested(): The help has to be shown at the section about where data lies.
        rules_requested(): The rules by file type have to be shown.
        plugins_requested(): The plug-ins have to be shown.
        commands_requested(): The dialog with the commands has to be shown.

    Args:
        preferences: The preferences.
        compact: The checkable action that makes the rows of the list lower.
        keep_in_tray: The checkable action that shows the tray icon; invisible if the desktop has no tray.
        database: The path of the database.
        parent: The parent.
    """

    restart_requested = Signal()
    folder_requested = Signal(str)
    help_requested = Signal()
    rules_requested = Signal()
    plugins_requested = Signal()
    commands_requested = Signal()

    def __init__(
        self,
        preferences: Preferences,
        compact: QAction,
        keep_in_tray: QAction,
        database: Path,
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self._preferences = preferences
        self._fields: dict[str, ChoiceBox] = {}
        self._database = database
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(tr("Settings"))
        self._form = form_layout()
        self._form.setVerticalSpacing(7)  # all of it fits on the screen of a small laptop
        self._keep_timer = QTimer(self, singleShot=True, interval=_KEEP_DELAY_MS)
        self._keep_timer.timeout.connect(self._save_keep_days)
        self._add_appearance(compact)
        self._add_files()
        self._add_processing()
        self._add_brake()
        self._add_desktop(keep_in_tray)
        self._add_storage()
        self.problem = plain_label("", self)
        self.problem.hide()
        buttons = ButtonRow(self)
        buttons.addButton(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        foot = spaced(QVBoxLayout(), 8)
        foot.addWidget(self.problem)
        foot.addWidget(buttons)
        self._place = arrange_dialog(self, self._form, foot, name="settings", size=(_WIDTH, 0))
        self._form.setContentsMargins(16, 6, 16, 8)  # the first title has room above itself
        self.finished.connect(self._save_keep_days)
        preferences.changed.connect(self._show_saved)
        self._show_saved()
        next(field for field in self._fields.values() if field.isEnabled()).setFocus()

    # --- the fields

    def _add_appearance(self, compact: QAction) -> None:
        self._add_title(tr("Appearance"))
        self.language = self._add_choice(
            "language",
            tr("&Language"),
            # Each language is written in itself, so that it can be found by those who read no other.
            (("", tr("As the system")), ("en", "English"), ("de", "Deutsch")),
        )
        self.restart = QPushButton(tr("&Restart Now"), self, autoDefault=False)
        self.restart.clicked.connect(self.restart_requested)
        hint = tr(
            "Filemill has to restart to change the language. The list and your place in it are kept, but earlier "
            "changes can then no longer be undone."
        )
        self.restart.setAccessibleDescription(hint)
        self._restart_row = QWidget(self)
        row = spaced(QVBoxLayout(self._restart_row), 4)
        row.addWidget(plain_label(hint, self, "detailsCaption"))
        row.addWidget(self.restart, 0, Qt.AlignmentFlag.AlignLeft)
        add_field(self._form, self._restart_row)
        self.theme = self._add_choice(
            "theme",
            tr("&Theme"),
            (("system", tr("As the system")), ("light", tr("Light")), ("dark", tr("Dark"))),
        )
        self.compact = self._switch(tr("&Compact rows in the list"), compact)
        add_field(self._form, self.compact)

    def _add_files(self) -> None:
        self._add_title(tr("Files"))
        automatic = tr("Automatic ({count})").format(count=Settings().workers)
        self.concurrency = self._add_choice(
            "concurrency",
            tr("Processed at &once"),
            ((0, automatic), *((count, str(count)) for count in range(1, MAX_CONCURRENCY + 1))),
        )
        self.duplicates = self._add_choice(
            "duplicates",
            tr("Already on the li&st"),
            (("ask", tr("Ask")), ("skip", tr("Skip")), ("add", tr("Add again"))),
        )
        self.keep_days = self._add_choice(
            "keep_days",
            tr("Remove &processed"),
            ((0, tr("Never")), *((days, _age(days)) for days in _DAYS)),
            tr("Only from the list; no file is deleted. Failed files stay."),
        )

    def _add_processing(self) -> None:
        """Add the buttons that open what decides how files are processed."""
        buttons = QWidget(self)
        row = spaced(QHBoxLayout(buttons), 6)
        self.rules = QPushButton(tr("R&ules by File Type…"), buttons, autoDefault=False)
        self.commands = QPushButton(tr("Comman&ds…"), buttons, autoDefault=False)
        self.plugins = QPushButton(tr("Plug-ins…"), buttons, autoDefault=False)
        for button, requested, hint in (
            (self.rules, self.rules_requested, tr("What is done to files of some types.")),
            (self.commands, self.commands_requested, tr("Programs of yours that can be run for each file.")),
            (self.plugins, self.plugins_requested, tr("Processors that others have written.")),
        ):
            button.clicked.connect(requested)
            button.setAccessibleDescription(hint)
            button.setToolTip(hint)
            row.addWidget(button)
        row.addStretch(1)
        self._form.addRow(QLabel(tr("Processing", "what is done to files"), self), buttons)

    def _add_brake(self) -> None:
        self.brake = QCheckBox(tr("Pause a &batch when many of its files fail"), self)
        self.brake.toggled.connect(self._save_brake)
        hint = tr("When more than 20 % and at least 20 of its files have failed for the same reason.")
        self.brake.setAccessibleDescription(hint)
        self.brake.setToolTip(hint)
        add_field(self._form, self.brake)

    def _add_desktop(self, keep_in_tray: QAction) -> None:
        self._add_title(tr("Desktop"))
        self.notifications = self._add_choice(
            "notifications",
            tr("&Notifications"),
            (("all", tr("When finished, and problems")), ("problems", tr("Only problems")), ("none", tr("None"))),
        )
        self.tray = self._switch(tr("&Keep running in the tray"), keep_in_tray)
        hint = tr("When you close the window, Filemill goes on, and its icon in the tray opens the window again.")
        if not keep_in_tray.isVisible():
            self.tray.setEnabled(False)
            hint = tr("This desktop has no tray.")
        self.tray.setAccessibleDescription(hint)
        add_field(self._form, self._with_hint(self.tray, hint))

    def _add_storage(self) -> None:
        self._add_title(tr("Data"))
        self.place = QLineEdit(str(self._database), self, readOnly=True)
        self.place.setCursorPosition(0)
        buttons = QWidget(self)
        row = spaced(QHBoxLayout(buttons), 6)
        self.open_folder = QPushButton(tr("Open &Folder"), buttons, autoDefault=False)
        self.open_folder.clicked.connect(lambda: self.folder_requested.emit(str(self._database)))
        self.how_to_move = QPushButton(tr("How to &Move It"), buttons, autoDefault=False)
        self.how_to_move.clicked.connect(self.help_requested)
        for button in (self.open_folder, self.how_to_move):
            row.addWidget(button)
        row.addStretch(1)
        self._add_row(tr("Location of the l&ist"), self.place, stacked(self, self.place, buttons))
        self.log_level = self._add_choice(
            "log_level",
            tr("Lo&g"),
            (("normal", tr("Normal")), ("debug", tr("Detailed"))),
            tr("Detailed helps to find causes. The contents of files are never logged."),
        )

    def _switch(self, text: str, action: QAction) -> QCheckBox:
        """Return a check box for the same choice as a checkable action of a menu."""
        box = QCheckBox(text, self)
        box.setChecked(action.isChecked())
        box.toggled.connect(action.setChecked)
        action.toggled.connect(box.setChecked)
        return box

    def _add_title(self, text: str) -> None:
        title = QLabel(text, self, textFormat=Qt.TextFormat.PlainText, indent=0)
        title.setObjectName("settingsTitle")
        self._form.addRow(title)

    def _add_choice(self, name: str, text: str, choices: Sequence[tuple[object, str]], hint: str = "") -> ChoiceBox:
        """Add the field for a setting, with its caption and a hint, or why the setting has no effect."""
        field = ChoiceBox(choices, self)
        override = self._preferences.override_of(name)
        field.setEnabled(not override)
        field.setAccessibleDescription(override or hint)
        field.setToolTip(override)
        field.activated.connect(lambda _: self._choose(name))
        self._fields[name] = field
        self._add_row(text, field, self._with_hint(field, override or hint))
        return field

    def _add_row(self, text: str, field: QWidget, row: QWidget) -> None:
        label = caption(text, field)
        field.setAccessibleName(text.replace("&", ""))
        self._form.addRow(label, row)

    def _with_hint(self, field: QWidget, text: str) -> QWidget:
        if not text:
            return stacked(self, field)
        return stacked(self, field, plain_label(text, self, "detailsCaption"))

    # --- saving

    def _choose(self, name: str) -> None:
        if name == "keep_days":
            self._keep_timer.start()
        else:
            self._save(name)

    @Slot()
    def _save_keep_days(self) -> None:
        self._keep_timer.stop()
        self._save("keep_days")

    def _save(self, name: str) -> None:
        """Save the value of a field; if that fails, show the reason and the previous value."""
        value = self._fields[name].currentData()
        if value != self._preferences.value_of(name):
            self._store(**{name: value})

    @Slot(bool)
    def _save_brake(self, is_on: bool) -> None:  # noqa: FBT001 - a slot
        if is_on != self._preferences.value_of("brake"):
            self._store(brake=is_on)

    def _store(self, **changes: Any) -> None:  # noqa: ANN401 - the values of any setting
        try:
            self._preferences.save(**changes)
        except SettingsError as error:
            show_problem(self.problem, translated(error.text))
            self._show_saved()
        else:
            show_problem(self.problem, "")

    @Slot()
    def _show_saved(self) -> None:
        self.brake.setChecked(self._preferences.value_of("brake"))
        for name, field in self._fields.items():
            if name == "keep_days" and self._keep_timer.isActive():
                continue
            value = self._preferences.value_of(name)
            if field.findData(value) < 0:  # written into the file or the variable by hand
                field.addItem(_age(value) if name == "keep_days" else str(value), value)
            field.setCurrentIndex(field.findData(value))
        if self._restart_row.isVisibleTo(self) != self._preferences.needs_restart:
            self._form.setRowVisible(self._restart_row, self._preferences.needs_restart)
            self._place.grow()


def _age(days: int) -> str:
    return tr("After %Ln day(s)", "", days)
