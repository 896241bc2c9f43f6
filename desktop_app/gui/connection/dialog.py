"""The Connection dialog and the base class of its pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, QTimer, Signal, Slot
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QStackedWidget,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from desktop_app.domain.errors import SettingsError
from desktop_app.gui.i18n import tr, translated
from desktop_app.gui.widgets.dialogs import (
    FormArea,
    WindowPlace,
    height_at,
    plain_label,
    primary_button,
    show_problem,
    spaced,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from PySide6.QtGui import QShowEvent

_WIDTH = 620
_MIN_SIZE = (420, 200)


class ConnectionPage(FormArea):
    """The base class of the dialog's pages: a scrolling column of widgets, and a row of buttons.

    Signals:
        ready(): The page, which was not valid when Connect was pressed, has become valid by itself.
        resized(): The page needs more or less room.

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

    ready = Signal()
    resized = Signal()

    def __init__(self, title: str) -> None:
        super().__init__()
        self.title = title
        inside = self._inside = QWidget(self)
        self.column = spaced(QVBoxLayout(inside), 10, (18, 16, 18, 8))
        self.setWidget(inside)
        self.button_row = QWidget()
        self.buttons = spaced(QHBoxLayout(self.button_row), 6)
        self.problem = plain_label("", inside)
        self.problem.hide()
        self._revealed: QWidget | None = None
        # A new text has its height only after the layouts around it were updated, one by one.
        self.verticalScrollBar().rangeChanged.connect(self._scroll)

    def show_problem(self, text: str) -> None:
        """Show why the page is invalid, or hide the message if the text is empty."""
        show_problem(self.problem, text)
        self.resized.emit()
        self.reveal(self.problem if text else None)

    def reveal(self, widget: QWidget | None) -> None:
        """Scroll to a widget whose text is new, and follow it while it grows; stop doing so if it is None."""
        self._revealed = widget
        QTimer.singleShot(0, self, self._scroll)

    @Slot()
    def _scroll(self) -> None:
        if self._revealed is not None and self._revealed.isVisible():
            self.ensureWidgetVisible(self._revealed)

    def height_for(self, width: int) -> int:
        """Return the height that the page needs to show everything at a width."""
        self.column.activate()
        return height_at(self._inside, width)

    def sizeHint(self) -> QSize:
        """Return the size of the whole content; Qt's would be another one."""
        return QSize(self._inside.sizeHint().width(), self.height_for(_WIDTH))

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
        self._place = WindowPlace(self, "connection", (_WIDTH, 0))
        self._fitted = 0
        """The height that was last set for the pages; 0 before that."""
        self._fitting = QTimer(self, singleShot=True, interval=0)
        self._fitting.timeout.connect(self._fit)
        self._tabs.currentChanged.connect(self._fitting.start)
        for page in pages:
            self.finished.connect(page.stop)
            page.ready.connect(self._save_and_connect)
            page.resized.connect(self._fitting.start)
            # A new text has its height only after the layouts around it were updated, one by one.
            page.verticalScrollBar().rangeChanged.connect(self._fit_again)
            page.load()
        self.resize(_WIDTH, self._needed_height(_WIDTH))
        pages[0].setFocus()

    def showEvent(self, event: QShowEvent) -> None:
        """Open with the height of the current page."""
        super().showEvent(event)
        if not self._fitted:
            self._place.fit(self._needed_height(self.width()))
            self._fitted = self.height()

    def _needed_height(self, width: int) -> int:
        """Return the height at which the current page shows everything."""
        page = self._tabs.currentWidget()
        if not isinstance(page, ConnectionPage):
            return 0
        # After the page has changed, the hints of the layouts around it are still those for its previous content.
        around = self.height() - page.height() if self._fitted else self.sizeHint().height() - page.sizeHint().height()
        return around + page.height_for(width)

    @Slot()
    def _fit(self) -> None:
        """Follow the height of the current page, unless the user has given the dialog another one that suffices."""
        needed = self._needed_height(self.width())
        if self.isVisible() and (self.height() == self._fitted or self.height() < needed):
            self._place.fit(needed)
            self._fitted = self.height()

    @Slot()
    def _fit_again(self) -> None:
        """Follow the height of the current page, unless the user has given the dialog another one."""
        if self.height() == self._fitted:
            self._fitting.start()

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
