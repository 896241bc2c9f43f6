"""The command Process As, whose menu chooses what is done to files that are added."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QMenu, QWidget

from desktop_app.gui.i18n import tr
from desktop_app.gui.processors.dialog import ProcessAsDialog

if TYPE_CHECKING:
    from desktop_app.gui.commands.actions import Actions
    from desktop_app.gui.processors.choice import ProcessorChoice


class ProcessAsCommand(QObject):
    """The action Process As: its menu, its text, and the dialog with the options of the chosen processor.

    Args:
        actions: The actions of the window.
        choices: The choice of the user.
        window: The parent of the dialog.
    """

    def __init__(self, actions: Actions, choices: ProcessorChoice, window: QWidget) -> None:
        super().__init__(window)
        self._actions = actions
        self._choices = choices
        self._window = window
        menu = QMenu(window, toolTipsVisible=True)
        menu.aboutToShow.connect(self._fill_menu)
        self._menu = menu
        actions.process_as.setMenu(menu)
        choices.changed.connect(self.show_choice)
        choices.options_requested.connect(self.open_options)
        self.show_choice()

    @Slot()
    def _fill_menu(self) -> None:
        self._choices.refresh()
        self._choices.fill_menu(self._menu)

    @Slot()
    def show_choice(self) -> None:
        """Show what is chosen in the text of the action."""
        title = self._choices.title(self._choices.current)
        self._actions.process_as.setText(tr("Pro&cess as: {title}").format(title=title.replace("&", "&&")))
        self._actions.process_as.setIconText(title)

    @Slot()
    def open_options(self) -> None:
        """Open the dialog with the options."""
        dialog = ProcessAsDialog(
            self._choices, self._choices.current, self._window, title=tr("Process As"), button=tr("&Choose")
        )
        dialog.chosen.connect(self._choices.choose)
        dialog.open()
