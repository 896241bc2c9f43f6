"""The command Settings of the window.

The dialog is imported when it is opened, so that the program starts sooner.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

from desktop_app.domain.errors import SettingsError
from desktop_app.gui.desktop.file_manager import Opener
from desktop_app.gui.i18n import translated
from desktop_app.gui.settings.preferences import Preferences
from desktop_app.gui.widgets.notice import Kind, Notice

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from desktop_app.gui.commands.actions import Actions
    from desktop_app.gui.processors.choice import ProcessorChoice
    from desktop_app.gui.progress.presenter import RunNotifications
    from desktop_app.gui.settings.dialog import SettingsDialog
    from desktop_app.gui.tasks import Tasks
    from desktop_app.gui.theme.theme import Theme
    from desktop_app.services.control import ProcessingControl
    from desktop_app.services.support.report import SupportSources


class SettingsCommand(QObject):
    """Opens the Settings dialog.

    Signals:
        notice(Notice): A message for the user.
        restart_requested(): The program has to restart to show the chosen language.
        help_requested(): The help has to be shown at the section about where data lies.
        processors_changed(): This computer has other processors than before.
        commands_requested(): The dialog with the commands has to be shown.

    Attributes:
        preferences: The preferences.
        dialog: The open dialog, or None.

    Args:
        actions: The actions of the window.
        tasks: The pool for showing the folder.
        support: The sources of the settings, the environment variables and the path of the database.
        theme: The theme of the window.
        control: The control of the consumer.
        notifications: The notifications of the window.
        choices: Lists the processors.
        window: The window.
    """

    notice = Signal(object)
    restart_requested = Signal()
    help_requested = Signal()
    processors_changed = Signal()
    commands_requested = Signal()

    def __init__(
        self,
        actions: Actions,
        tasks: Tasks,
        support: SupportSources,
        *,
        theme: Theme,
        control: ProcessingControl,
        notifications: RunNotifications,
        choices: ProcessorChoice,
        window: QWidget,
    ) -> None:
        super().__init__(window)
        self._choices = choices
        self._switches = (actions.compact, actions.keep_in_tray)
        self._database = support.database.path
        self._home = support.home.folder
        self._tasks = tasks
        self._window = window
        self._opener = Opener(tasks, self)
        self._opener.notice.connect(self.notice)
        self.dialog: SettingsDialog | None = None
        self.preferences = Preferences(
            support.home.settings_file,
            support.settings,
            support.environment,
            theme=theme,
            control=control,
            notifications=notifications,
            parent=self,
        )
        actions.settings.triggered.connect(self.open)

    @Slot()
    def open(self) -> None:
        """Open the dialog, or bring it to the front."""
        if self.dialog is None:
            from desktop_app.gui.settings.dialog import SettingsDialog

            self.preferences.reread()
            self.dialog = SettingsDialog(self.preferences, *self._switches, self._database, self._window)
            self.dialog.restart_requested.connect(self.restart_requested)
            self.dialog.help_requested.connect(self.help_requested)
            self.dialog.commands_requested.connect(self.commands_requested)
            self.dialog.folder_requested.connect(self._show_folder)
            self.dialog.plugins_requested.connect(self.open_plugins)
            self.dialog.rules_requested.connect(self.open_rules)
            self.dialog.finished.connect(self._forget)
            self.dialog.show()
        self.dialog.raise_()
        self.dialog.activateWindow()

    @Slot()
    def open_plugins(self) -> None:
        """Open the dialog with the plug-ins."""
        from desktop_app.gui.settings.plugins import PluginsDialog
        from desktop_app.services.plugins import Plugins

        dialog = PluginsDialog(Plugins(self._home), self._tasks, self.dialog or self._window)
        dialog.changed.connect(self.processors_changed)
        dialog.folder_requested.connect(self._show_folder)
        dialog.open()

    @Slot(str)
    def _show_folder(self, path: str) -> None:
        self._opener.show([path])

    @Slot()
    def open_rules(self) -> None:
        """Open the dialog with the rules by file type."""
        from desktop_app.gui.processors.rules_dialog import RulesDialog

        self.preferences.reread()
        dialog = RulesDialog(self.preferences.value_of("type_rules"), self._choices, self.dialog or self._window)
        dialog.changed.connect(self._save_rules)
        dialog.open()

    @Slot(str)
    def _save_rules(self, text: str) -> None:
        try:
            self.preferences.save(type_rules=text)
        except SettingsError as error:
            self.notice.emit(Notice(translated(error.text), Kind.PROBLEM))

    @Slot()
    def _forget(self) -> None:
        self.dialog = None

    @Slot()
    def close(self) -> None:
        """Close the dialog; what was chosen is saved."""
        if self.dialog is not None:
            self.dialog.close()
