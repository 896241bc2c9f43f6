"""The command Commands of the window.

The dialog is imported when it is opened, so that the program starts sooner.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Slot

if TYPE_CHECKING:
    from pathlib import Path

    from PySide6.QtWidgets import QWidget

    from desktop_app.gui.presets.dialog import PresetsDialog
    from desktop_app.gui.processors.choice import ProcessorChoice
    from desktop_app.gui.tasks import Tasks
    from desktop_app.gui.window_memory import WindowMemory
    from desktop_app.services.control import ProcessingControl


class PresetsCommand(QObject):
    """Opens the dialog with the commands, and lets the window and the consumer use what was changed there.

    Attributes:
        dialog: The open dialog, or None.

    Args:
        file: The settings file.
        choices: The choice of what is done to files.
        control: The control of the consumer.
        tasks: The pool for trying a command.
        memory: Keeps the folders of file dialogs.
        window: The window.
    """

    def __init__(
        self,
        file: Path,
        choices: ProcessorChoice,
        control: ProcessingControl,
        *,
        tasks: Tasks,
        memory: WindowMemory,
        window: QWidget,
    ) -> None:
        super().__init__(window)
        self._file = file
        self._choices = choices
        self._control = control
        self._tasks = tasks
        self._memory = memory
        self._window = window
        self.dialog: PresetsDialog | None = None

    @Slot()
    def open(self) -> None:
        """Open the dialog, or bring it to the front."""
        if self.dialog is None:
            from desktop_app.gui.presets.dialog import PresetsDialog

            self.dialog = PresetsDialog(self._file, self._tasks, self._memory, self._window)
            self.dialog.changed.connect(self._apply)
            self.dialog.chosen.connect(self._choices.choose)
            self.dialog.finished.connect(self._forget)
            self.dialog.show()
        self.dialog.raise_()
        self.dialog.activateWindow()

    @Slot()
    def _apply(self) -> None:
        self._control.note_commands_changed()
        self._choices.refresh()

    @Slot()
    def _forget(self) -> None:
        self.dialog = None

    @Slot()
    def close(self) -> None:
        """Close the dialog, and stop a command that is being tried."""
        if self.dialog is not None:
            self.dialog.close()
