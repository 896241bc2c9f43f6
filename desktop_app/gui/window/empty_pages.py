"""The pages shown in place of an empty table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QApplication, QHBoxLayout, QLabel, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from desktop_app.domain.job import Status, display_text
from desktop_app.domain.query import NO_SEARCH, Filter
from desktop_app.gui.i18n import tr
from desktop_app.gui.theme.theme import program_icon

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop_app.config.settings import Connection
    from desktop_app.gui.commands.actions import Actions
    from desktop_app.gui.table.model import JobsModel
    from desktop_app.gui.table.view import JobsView
    from desktop_app.gui.theme.theme import Theme


_ICON = 80


class EmptyState(QWidget):
    """The page of an empty list: says how to begin, and offers it.

    Attributes:
        words: Explains what happens to files.
        first: The Add Files button.
        other_queue: The link to the Connection dialog.
    """

    def __init__(self, actions: Actions, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("empty")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._theme = theme
        icon = QLabel(self)
        icon.setPixmap(program_icon().pixmap(QSize(_ICON, _ICON), self.devicePixelRatio()))
        title = QLabel(tr("Add files to process"), self)
        title.setObjectName("emptyTitle")
        self.words = words = QLabel(self)
        words.setObjectName("emptyText")
        words.setWordWrap(True)
        words.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self._buttons = [
            (QPushButton(action.text(), self), action) for action in (actions.add_files, actions.add_folder)
        ]
        self._buttons[0][0].setObjectName("primary")
        self.first = self._buttons[0][0]
        buttons = QHBoxLayout()
        buttons.setSpacing(10)
        buttons.addStretch()
        for button, action in self._buttons:
            button.clicked.connect(action.trigger)
            buttons.addWidget(button)
        self.other_queue = QPushButton(tr("Use my AWS &queue instead…"), self)
        self.other_queue.setObjectName("link")
        self.other_queue.setCursor(Qt.CursorShape.PointingHandCursor)
        self.other_queue.clicked.connect(actions.connection.trigger)
        buttons.addStretch()
        column = QVBoxLayout(self)
        column.setContentsMargins(40, 0, 40, 0)
        column.setSpacing(14)
        column.addStretch(4)
        for widget in (icon, title):
            column.addWidget(widget, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addWidget(words)  # without an alignment: otherwise Qt would not give it the height of two lines
        column.addSpacing(6)
        column.addLayout(buttons)
        column.addWidget(self.other_queue, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(5)
        theme.changed.connect(self._draw)
        self._draw()

    def follow(self, connection: Connection) -> None:
        """Explain what happens to files with this queue."""
        self.other_queue.setVisible(connection.is_local)
        self.words.setText(_first_words(connection))

    def _draw(self) -> None:
        colours = self._theme.colours
        for button, action in self._buttons:
            name = str(action.data())
            primary = button.objectName() == "primary"
            button.setIcon(self._theme.icon(name, colours.selected_text if primary else ""))


def _first_words(connection: Connection) -> str:
    if connection.is_local:
        return tr(
            "Drop files or folders anywhere in this window. "
            "They are processed on this computer – no AWS account needed."
        )
    return tr("Drop files or folders anywhere in this window. They are processed through the queue {queue}.").format(
        queue=connection.queue_name
    )


_NO_MATCH_ICON = 56

_ONLY_FAILED = frozenset({Status.FAILED})


class NoMatch(QWidget):
    """The page shown when nothing matches: offers to clear what excludes the files.

    Args:
        clear_filter: Clears the filter box.
        show_all: Clears filter and sidebar.
        theme: Its colours and icons.
        parent: The parent.

    Attributes:
        clear, all: The buttons.
    """

    def __init__(
        self,
        clear_filter: Callable[[], object],
        show_all: Callable[[], object],
        theme: Theme,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("empty")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._theme = theme
        self._all_is_well = False
        self._icon = QLabel(self)
        self._title = QLabel(self)
        self._title.setObjectName("emptyTitle")
        self._title.setTextFormat(Qt.TextFormat.PlainText)
        self._words = QLabel(self)
        self._words.setObjectName("emptyText")
        for label in (self._title, self._words):
            label.setWordWrap(True)
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.clear = QPushButton(tr("&Clear Filter"), self)
        self.all = QPushButton(tr("&Show All Files"), self)
        self.clear.clicked.connect(clear_filter)
        self.all.clicked.connect(show_all)
        buttons = QHBoxLayout()
        buttons.setSpacing(10)
        buttons.addStretch()
        buttons.addWidget(self.clear)
        buttons.addWidget(self.all)
        buttons.addStretch()
        column = QVBoxLayout(self)
        column.setContentsMargins(40, 0, 40, 0)
        column.setSpacing(12)
        column.addStretch(4)
        column.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addWidget(self._title)
        column.addWidget(self._words)
        column.addSpacing(6)
        column.addLayout(buttons)
        column.addStretch(5)
        theme.changed.connect(self._draw)

    @property
    def title(self) -> str:
        """Return the shown title."""
        return self._title.text()

    def explain(self, where: Filter, typed: str) -> None:
        """Explain why nothing matches.

        Args:
            where: The filter that matches nothing.
            typed: The text of the filter box.
        """
        searches = where.search != NO_SEARCH
        chooses = bool(where.statuses or where.problems or where.batches)
        self._all_is_well = not searches and where.statuses == _ONLY_FAILED and not where.batches
        if self._all_is_well:
            self._title.setText(tr("No problems"))
            self._words.setText(tr("No file has failed."))
        elif searches:
            self._title.setText(tr("No files match “{words}”").format(words=display_text(typed.strip())))
            self._words.setText(tr("Only the files selected in the sidebar are searched.") if chooses else "")
        else:
            self._title.setText(tr("No files here"))
            self._words.setText(tr("No file matches everything selected in the sidebar."))
        self._words.setVisible(bool(self._words.text()))
        self.clear.setVisible(searches)
        self.all.setVisible(chooses)
        self._draw()

    def _draw(self) -> None:
        colours = self._theme.colours
        name, colour = ("status-processed", colours.processed) if self._all_is_well else ("search", colours.muted)
        self._icon.setPixmap(
            self._theme.icon(name, colour).pixmap(QSize(_NO_MATCH_ICON, _NO_MATCH_ICON), self.devicePixelRatio())
        )


class Pages(QStackedWidget):
    """The stack of the table and the empty pages."""

    def __init__(self, view: JobsView, empty: EmptyState, no_match: NoMatch, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view = view
        self._empty = empty
        self._no_match = no_match
        self._blank = QWidget(self)
        for page in (self._blank, empty, no_match, view):
            self.addWidget(page)

    def update_page(self, model: JobsModel, *, total: int, typed: str) -> None:
        """Show the table if it has rows, else the matching empty page.

        Args:
            model: The table's model.
            total: The number of files, whether they match or not.
            typed: The text of the filter box.
        """
        page = self._wanted(model, total)
        if page is self._no_match:
            self._no_match.explain(model.shown_filter, typed)
        if page is self.currentWidget():
            return
        focused = QApplication.focusWidget()
        loses_focus = focused is None or self.isAncestorOf(focused)
        # At the start Qt has focused the window's first button.
        first = self.currentWidget() in {self._blank, self._empty}
        self.setCurrentWidget(page)
        if page is self._view and (loses_focus or first):
            page.setFocus()
        elif page is self._empty and (loses_focus or first):
            self._empty.first.setFocus()
        elif page is self._no_match and loses_focus:
            buttons = (self._no_match.clear, self._no_match.all)
            next(button for button in buttons if not button.isHidden()).setFocus()

    def _wanted(self, model: JobsModel, total: int) -> QWidget:
        if model.rowCount():
            return self._view
        if not model.is_loaded:
            return self._blank
        return self._no_match if total and not model.shown_filter.is_empty else self._empty
