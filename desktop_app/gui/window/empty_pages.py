"""The pages shown in place of an empty table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtWidgets import QApplication, QHBoxLayout, QLineEdit, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from desktop_app.domain.job import Status
from desktop_app.domain.search import NO_SEARCH
from desktop_app.domain.sentences import display_text, shortened
from desktop_app.gui.i18n import tr
from desktop_app.gui.theme.theme import Theme, program_icon
from desktop_app.gui.widgets.dialogs import IconLabel, leading, plain_label, spaced

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from desktop_app.config.settings import Connection
    from desktop_app.domain.query import Filter
    from desktop_app.gui.commands.actions import Actions
    from desktop_app.gui.table.model import JobsModel
    from desktop_app.gui.table.view import JobsView


_ICON, _NO_MATCH_ICON = 80, 56

_BUTTON_ICON, _GAP = 18, 2

_LONGEST_SHOWN = 100


class _EmptyPage(QWidget):
    """The base class of the pages: an icon, a title, a text and a row of buttons, from top to bottom.

    Attributes:
        words: The label with the text.
        column: The layout of the page.
    """

    def __init__(self, icon: int, buttons: Sequence[QPushButton], spacing: int, parent: QWidget | None) -> None:
        super().__init__(parent)
        self.setObjectName("empty")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._icon = IconLabel(icon, self)
        self._title, self.words = plain_label("", self, "emptyTitle"), plain_label("", self, "emptyText")
        for label in (self._title, self.words):
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        row = spaced(QHBoxLayout(), 10)
        row.addStretch()
        for button in buttons:
            row.addWidget(button)
        row.addStretch()
        self.column = spaced(QVBoxLayout(self), spacing, (40, 0, 40, 0))
        self.column.addStretch(4)
        self.column.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignHCenter)
        # No alignment here, so that Qt makes the labels high enough for several lines.
        self.column.addWidget(self._title)
        self.column.addWidget(self.words)
        self.column.addSpacing(6)
        self.column.addLayout(row)

    def event(self, event: QEvent) -> bool:
        """Leave out the icon where there is no room for it, because Qt would cut off the text as well."""
        done = super().event(event)
        if event.type() in {QEvent.Type.Resize, QEvent.Type.LayoutRequest}:
            needed = self.column.minimumHeightForWidth(self.width())
            if self._icon.isHidden():
                needed += self._icon.height() + self.column.spacing()
            self._icon.setHidden(needed > self.height())
        return done


class EmptyState(_EmptyPage):
    """The page shown while the list is empty, which explains how to add files.

    Attributes:
        first: The Add Files button.
        other_queue: The link to the Connection dialog.
    """

    def __init__(self, actions: Actions, theme: Theme, parent: QWidget | None = None) -> None:
        buttons = {QPushButton(action.text()): action for action in (actions.add_files, actions.add_folder)}
        super().__init__(_ICON, list(buttons), 14, parent)
        self._icon.show_icon(program_icon())
        self._title.setText(tr("Add files to process"))
        self.first = next(iter(buttons))
        for button, action in buttons.items():
            button.clicked.connect(action.trigger)
            colour = "selected_text" if button is self.first else "text"
            button.setIcon(theme.icon(str(action.data()), colour, alignment=leading(self)))
            button.setIconSize(QSize(_BUTTON_ICON + _GAP, _BUTTON_ICON))
        self.first.setObjectName("primary")
        self.other_queue = QPushButton(tr("Use my AWS &queue instead…"), self)
        self.other_queue.setObjectName("link")
        self.other_queue.setCursor(Qt.CursorShape.PointingHandCursor)
        self.other_queue.clicked.connect(actions.connection.trigger)
        self.column.addWidget(self.other_queue, 0, Qt.AlignmentFlag.AlignHCenter)
        self.column.addStretch(5)

    def follow(self, connection: Connection) -> None:
        """Explain where files are processed when this connection is used."""
        self.other_queue.setVisible(connection.is_local)
        if connection.is_local:
            text = tr(
                "Drop files or folders anywhere in this window. "
                "They are processed on this computer – no AWS account needed."
            )
        else:
            text = tr("Drop files or folders anywhere in this window. They are processed through the queue {queue}.")
            text = text.format(queue=connection.queue_name)
        self.words.setText(text)


class NoMatch(_EmptyPage):
    """The page shown while no file matches the filter, with buttons that clear the filter.

    Args:
        clear_filter: Called to clear the filter box.
        show_all: Called to clear the selection in the sidebar.
        theme: The colours and icons.
        parent: The parent.

    Attributes:
        clear, all: The buttons Clear Filter, and Search All Files or Show All Files.
    """

    def __init__(
        self,
        clear_filter: Callable[[], object],
        show_all: Callable[[], object],
        theme: Theme,
        parent: QWidget | None = None,
    ) -> None:
        buttons = QPushButton(tr("&Clear Filter")), QPushButton()
        super().__init__(_NO_MATCH_ICON, buttons, 12, parent)
        self._theme = theme
        self.clear, self.all = buttons
        self.clear.clicked.connect(clear_filter)
        self.all.clicked.connect(show_all)
        self.column.addStretch(5)

    @property
    def title(self) -> str:
        """Return the title."""
        return self._title.text()

    def explain(self, where: Filter, typed: str) -> None:
        """Explain why no file matches.

        Args:
            where: The filter.
            typed: The text in the filter box.
        """
        searches = where.search != NO_SEARCH
        chooses = bool(where.statuses or where.problems or where.batches)
        has_no_failures = not searches and where.statuses == {Status.FAILED} and not where.batches
        icon = ("status-processed", "processed") if has_no_failures else ("search", "muted")
        self._icon.show_icon(self._theme.icon(*icon))
        if has_no_failures:
            self._title.setText(tr("No problems"))
            self.words.setText(tr("No files have failed."))
        elif searches:
            shown = shortened(" ".join(typed.split()), _LONGEST_SHOWN)
            self._title.setText(tr("No files match “{words}”").format(words=display_text(shown)))
            self.words.setText(
                tr("Only the files that match the selection in the sidebar are searched.") if chooses else ""
            )
        else:
            self._title.setText(tr("No files here"))
            self.words.setText(tr("No files match the selection in the sidebar."))
        self.words.setVisible(bool(self.words.text()))
        self.clear.setVisible(searches)
        self.all.setVisible(chooses)
        self.all.setText(tr("&Search All Files") if searches else tr("&Show All Files"))


class Pages(QStackedWidget):
    """A stack that holds the table and the pages shown in its place."""

    def __init__(self, view: JobsView, empty: EmptyState, no_match: NoMatch, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view = view
        self._empty = empty
        self._no_match = no_match
        self._blank = QWidget(self)
        for page in (self._blank, empty, no_match, view):
            self.addWidget(page)

    def update_page(self, model: JobsModel, *, total: int, typed: str) -> None:
        """Show the table if it has rows, or else one of the other pages.

        Args:
            model: The model of the table.
            total: The total number of files, including those that do not match the filter.
            typed: The text in the filter box.
        """
        page = self._page(model, total)
        if page is self._no_match:
            self._no_match.explain(model.shown_filter, typed)
        if page is self.currentWidget():
            return
        focused = QApplication.focusWidget()
        loses_focus = focused is None or self.isAncestorOf(focused)
        # When the window opens, Qt gives the focus to the first button of the window; the filter box is a choice.
        first = self.currentWidget() in {self._blank, self._empty} and not isinstance(focused, QLineEdit)
        self.setCurrentWidget(page)
        if page is self._view and (loses_focus or first):
            page.setFocus()
        elif page is self._empty and (loses_focus or first):
            self._empty.first.setFocus()
        elif page is self._no_match and loses_focus:
            buttons = (self._no_match.clear, self._no_match.all)
            next(button for button in buttons if not button.isHidden()).setFocus()

    def _page(self, model: JobsModel, total: int) -> QWidget:
        if model.rowCount():
            return self._view
        if not model.is_loaded:
            return self._blank
        return self._no_match if total and not model.shown_filter.is_empty else self._empty
