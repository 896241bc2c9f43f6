"""What stands in the middle of the window: the table, or a page that says why there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QApplication, QStackedWidget, QWidget

if TYPE_CHECKING:
    from desktop_app.gui.empty_state import EmptyState
    from desktop_app.gui.narrowing.no_match import NoMatch
    from desktop_app.gui.table.jobs_model import JobsModel
    from desktop_app.gui.table.jobs_view import JobsView


class Pages(QStackedWidget):
    """Shows the page that fits."""

    def __init__(self, view: JobsView, empty: EmptyState, no_match: NoMatch, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view = view
        self._empty = empty
        self._no_match = no_match
        self._blank = QWidget(self)
        for page in (self._blank, empty, no_match, view):
            self.addWidget(page)

    def update_page(self, model: JobsModel, *, total: int, typed: str) -> None:
        """Show the table if there is something in it.

        Args:
            model: What is in it.
            total: How many files there are, whether they match or not.
            typed: What stands in the filter box.
        """
        page = self._wanted(model, total)
        if page is self._no_match:
            self._no_match.explain(model.shown, typed)
        if page is self.currentWidget():
            return
        focused = QApplication.focusWidget()
        loses_focus = focused is None or self.isAncestorOf(focused)
        # At the start the keyboard is where Qt has put it, at the window's first button.
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
        return self._no_match if total and model.shown.is_narrowed else self._empty
