"""The Connection dialog and the base class of its pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFrame,
    QHBoxLayout,
    QScrollArea,
    QStackedWidget,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from desktop_app.domain.errors import SettingsError
from desktop_app.gui.i18n import tr, translated
from desktop_app.gui.widgets.dialogs import WindowPlace, plain_label, primary_button, spaced

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_SIZE = (620, 660)
_MIN_SIZE = (420, 320)


class ConnectionPage(QScrollArea):
    """The base class of the dialog's pages: a scrolling column of widgets, and a row of buttons.

    A subclass adds its widgets to `column` and `buttons`, sets its focus proxy, and implements `save`. It can also
    reimplement `load`, `validate`, `stop` and `focus_on`. When Connect is pressed, the dialog validates all pages; if
    all are valid, it saves them and then connects. To add a page, write a subclass in a module of its own and create
    it in `ConnectionCommands.open_at`.

    Attributes:
        title: The text of the tab; the tab bar is hidden if there is only one page.
        column: The layout for the widgets.
        buttons: The layout for the buttons.
        button_row: The widget that contains the buttons; visible while the page is current.
        problem: The label that shows why the page is invalid; hidden at first.

    Args:
        title: See the attribute.
    """

    def __init__(self, title: str) -> None:
        super().__init__(widgetResizable=True)
        self.title = title
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        inside = QWidget(self)
        self.column = spaced(QVBoxLayout(inside), 10, (18, 16, 18, 8))
        self.setWidget(inside)
        self.button_row = QWidget()
        self.buttons = spaced(QHBoxLayout(self.button_row), 6)
        self.problem = plain_label("", inside)
        self.problem.hide()

    def show_problem(self, text: str) -> None:
        """Show why the page is invalid, or hide the message if the text is empty."""
        self.problem.setText(f"▲ {text}" if text else "")
        self.problem.setVisible(bool(text))

    def load(self) -> None:
        """Start loading the choices off the main thread; called when the dialog opens."""

    def validate(self) -> bool:
        """Return whether the entered values are valid; if not, show the reason. This must have no other effect."""
        return True

    def save(self) -> None:
        """Save the entered values; called before the dialog connects. If this fails, the other pages are still saved.

        Raises:
            SettingsError: If the values could not be saved.
        """
        raise NotImplementedError

    def stop(self) -> None:
        """Stop loading; called when the dialog is closed."""

    def focus_on(self, field: str) -> bool:  # noqa: ARG002 - for subclasses
        """Focus the field with this name, and return whether the page has such a field."""
        return False


class ConnectionDialog(QDialog):
    """Shows the pages; its Connect button saves them all and then connects. It deletes itself when it is closed.

    Signals:
        failed(str): A page could not be saved; the argument is the text of the error. The dialog still connects.

    Attributes:
        pages: The pages.
        connect_now: The Connect button.

    Args:
        pages: The pages, in the order of their tabs.
        connect: Called to switch to the entered connection, after all pages have been saved.
        parent: The parent.
    """

    failed = Signal(str)

    def __init__(self, pages: Sequence[ConnectionPage], connect: Callable[[], object], parent: QWidget) -> None:
        super().__init__(parent)
        self.pages = pages
        self._connect = connect
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(tr("Connection"))
        self._tabs = QTabWidget(self, documentMode=True, tabBarAutoHide=True)
        button_rows = QStackedWidget(self)
        for page in pages:
            self._tabs.addTab(page, page.title)
            button_rows.addWidget(page.button_row)
        self._tabs.currentChanged.connect(button_rows.setCurrentIndex)
        buttons = QDialogButtonBox(self)
        self.connect_now = primary_button(tr("C&onnect"), buttons)
        buttons.addButton(QDialogButtonBox.StandardButton.Cancel)
        buttons.accepted.connect(self._save_and_connect)
        buttons.rejected.connect(self.reject)
        row = spaced(QHBoxLayout(), 6, (18, 0, 18, 0))
        row.addWidget(button_rows, 1)
        row.addWidget(buttons)
        column = spaced(QVBoxLayout(self), 6, (0, 0, 0, 12))
        column.addWidget(self._tabs, 1)
        column.addLayout(row)
        self.setMinimumSize(*_MIN_SIZE)
        WindowPlace(self, "connection", _SIZE)
        for page in pages:
            self.finished.connect(page.stop)
            page.load()
        pages[0].setFocus()

    def focus_on(self, field: str) -> None:
        """Show the page that has this field, and focus the field."""
        page = next(page for page in self.pages if page.focus_on(field))
        self._tabs.setCurrentWidget(page)

    @Slot()
    def _save_and_connect(self) -> None:
        for page in self.pages:
            if not page.validate():
                self._tabs.setCurrentWidget(page)
                return
        for page in self.pages:
            try:
                page.save()
            except SettingsError as error:
                self.failed.emit(translated(error.text))
        self._connect()
        self.accept()
