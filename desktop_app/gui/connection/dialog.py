"""The Connection dialog and the base of its pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QStackedWidget,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from desktop_app.domain.errors import SettingsError
from desktop_app.gui.i18n import tr, translated

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_SIZE = (620, 660)
_LEAST = (420, 320)


class ConnectionPage(QScrollArea):
    """The base of a page: a column of widgets that scrolls, and buttons of its own beside the dialog's.

    A page fills its `column` and `buttons` in its constructor and implements `save`, and
    `load`, `validate` and `stop` where it needs them.
    When Connect is pressed, all pages are validated; if all are valid, all are saved, then the dialog connects once.
    Its focus proxy gets the focus first. To add a page, write its class in its own module and name it in
    `ConnectionCommands.open_at`.

    Attributes:
        title: The text of its tab; a single page has no tab.
        column: The layout of its widgets.
        buttons: The layout of its buttons.
        button_row: The widget that holds them; the dialog shows it while the page is shown.
        problem: Shows why the page can't be saved; hidden at first.

    Args:
        title: See the attribute.
    """

    def __init__(self, title: str) -> None:
        super().__init__()
        self.title = title
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        inside = QWidget(self)
        self.column = QVBoxLayout(inside)
        self.column.setContentsMargins(18, 16, 18, 8)
        self.column.setSpacing(10)
        self.setWidget(inside)
        self.button_row = QWidget()
        self.buttons = QHBoxLayout(self.button_row)
        self.buttons.setContentsMargins(0, 0, 0, 0)
        self.problem = QLabel(inside)
        self.problem.setTextFormat(Qt.TextFormat.PlainText)
        self.problem.setWordWrap(True)
        self.problem.hide()

    def show_problem(self, text: str) -> None:
        """Show why the page can't be saved; hide it if the text is empty."""
        self.problem.setText(f"▲ {text}" if text else "")
        self.problem.setVisible(bool(text))

    def load(self) -> None:
        """Begin to load the choices, if the page has any; called once, when the dialog opens. Must not block."""

    def validate(self) -> bool:
        """Return whether the page can be saved; show the reason if not. Must not change anything outside the page."""
        return True

    def save(self) -> None:
        """Save what was entered, for the loops that are made next; other pages are saved even if this one fails.

        Raises:
            SettingsError: If it could not be saved.
        """
        raise NotImplementedError

    def stop(self) -> None:
        """Stop loading, if the page loads anything; called when the dialog is closed."""

    def focus_on(self, field: str) -> bool:  # noqa: ARG002 - for pages that have such fields
        """Focus the field of this name; return False if the page has no such field."""
        return False


class ConnectionDialog(QDialog):
    """Shows the pages; Connect saves them all and connects. Deletes itself when closed.

    Signals:
        failed(str): A part could not be saved, although the connection was changed; a plain text.

    Attributes:
        pages: Its pages.
        connect_now: The Connect button.

    Args:
        pages: The pages in the order of their tabs.
        connect: Switches to the entered connection; called once, after all pages were saved.
        parent: The parent.
    """

    failed = Signal(str)

    def __init__(self, pages: Sequence[ConnectionPage], connect: Callable[[], object], parent: QWidget) -> None:
        super().__init__(parent)
        self.pages = pages
        self._connect = connect
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(tr("Connection"))
        self._tabs = QTabWidget(self)
        self._tabs.setDocumentMode(True)
        self._tabs.setTabBarAutoHide(True)
        button_rows = QStackedWidget(self)
        for page in pages:
            self._tabs.addTab(page, page.title)
            button_rows.addWidget(page.button_row)
        self._tabs.currentChanged.connect(button_rows.setCurrentIndex)
        buttons = QDialogButtonBox(self)
        self.connect_now = buttons.addButton(tr("C&onnect"), QDialogButtonBox.ButtonRole.AcceptRole)
        self.connect_now.setObjectName("primary")
        self.connect_now.setDefault(True)
        buttons.addButton(QDialogButtonBox.StandardButton.Cancel)
        buttons.accepted.connect(self._save_and_connect)
        buttons.rejected.connect(self.reject)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 12)
        whole.addWidget(self._tabs, 1)
        row = QHBoxLayout()
        row.setContentsMargins(18, 0, 18, 0)
        row.addWidget(button_rows, 1)
        row.addWidget(buttons)
        whole.addLayout(row)
        self.setMinimumSize(*_LEAST)
        self.resize(*_SIZE)
        for page in pages:
            self.finished.connect(page.stop)
            page.load()
        pages[0].setFocus()

    def focus_on(self, field: str) -> None:
        """Focus a field, on whichever page it is."""
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
