"""The details pane beside or below the list of files: tabs about the selected file, and buttons to fix its problem."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Qt, Signal, Slot
from PySide6.QtGui import QAction, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QHBoxLayout,
    QPushButton,
    QSizePolicy,
    QSplitter,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from desktop_app.domain.job import Status
from desktop_app.gui.commands.actions import Actions, text_of
from desktop_app.gui.details.attempts import AttemptsPage
from desktop_app.gui.details.pages import LogPage, MessagePage, SummaryPage, text_label
from desktop_app.gui.details.texts import Fix, Summary, nothing_selected
from desktop_app.gui.i18n import tr
from desktop_app.gui.widgets.dialogs import IconLabel, restyle, spaced

if TYPE_CHECKING:
    from desktop_app.gui.theme.theme import Theme
    from desktop_app.gui.window_memory import WindowMemory
    from desktop_app.gui.wording import Wording


_ICON = 18

_MIN_TITLE_WIDTH = 140

_MARGINS = 60

TABS = ("summary", "attempts", "message", "log")
"""The names of the tabs in order, as stored in the window's settings."""

_SUMMARY, _ATTEMPTS = 0, 1


class FixButtons(QWidget):
    """A row of buttons, one for each `Fix`. Each button triggers an action, and has its text and enabled state.

    Signals:
        focus_lost(): The button that had the focus is no longer shown.
    """

    focus_lost = Signal()

    def __init__(self, actions: Actions, show_attempts: QAction, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown: tuple[Fix, ...] = ()
        self._actions = {
            Fix.RETRY: actions.retry,
            Fix.RETRY_AS: actions.retry_as,
            Fix.LOCATE: actions.locate,
            Fix.SHOW_FILE: actions.show_file,
            Fix.SHOW_ATTEMPTS: show_attempts,
            Fix.REPORT: actions.report,
            Fix.REMOVE: actions.remove,
        }
        self._buttons = {fix: self._button(action) for fix, action in self._actions.items()}
        self._row = spaced(QHBoxLayout(self), 8)
        self._row.addStretch(1)

    def _button(self, action: QAction) -> QPushButton:
        button = QPushButton(text_of(action), self)
        button.setAccessibleDescription(action.whatsThis())
        button.setToolTip(action.toolTip())
        button.setEnabled(action.isEnabled())
        action.changed.connect(lambda: button.setToolTip(action.toolTip()))
        button.clicked.connect(action.trigger)
        action.enabledChanged.connect(button.setEnabled)
        button.hide()
        return button

    @property
    def shown(self) -> tuple[QPushButton, ...]:
        """Return the visible buttons, from left to right."""
        return tuple(self._buttons[fix] for fix in self._shown)

    def button(self, fix: Fix) -> QPushButton:
        """Return the button for a fix, whether or not it is visible."""
        return self._buttons[fix]

    def show_fixes(self, fixes: tuple[Fix, ...], *, emphasise: bool) -> None:
        """Show the buttons for these fixes, except those whose action is hidden in this window.

        Args:
            fixes: The fixes, from left to right.
            emphasise: Whether to highlight the first button.
        """
        fixes = tuple(fix for fix in fixes if self._actions[fix].isVisible())
        if fixes != self._shown:
            self._arrange(fixes)
        primary = self.shown[0] if emphasise and self._shown else None
        for button in self._buttons.values():
            name = "primary" if button is primary else ""
            if button.objectName() != name:
                button.setObjectName(name)
                restyle(button)

    def _arrange(self, fixes: tuple[Fix, ...]) -> None:
        had_focus = any(button.hasFocus() for button in self.shown)
        self._shown = fixes
        for button in self._buttons.values():
            self._row.removeWidget(button)
        for place, button in enumerate(self.shown):
            self._row.insertWidget(place, button)
        for before, after in pairwise(self.shown):
            QWidget.setTabOrder(before, after)
        if had_focus and not any(button.hasFocus() for button in self.shown):
            # Otherwise Qt would focus the next button, and pressing the same key again would trigger another action.
            self.focus_lost.emit()
        for button in self._buttons.values():
            button.setVisible(button in self.shown)


class DetailsPane(QFrame):
    """The details pane: a header with the title and the buttons, and the tabs below it.

    While several files are selected, only the Summary tab is enabled. The tab that the user chose is shown again as
    soon as one file is selected.

    Signals:
        tab_shown(): Another tab was chosen.

    Attributes:
        summary: The current summary.
        chosen_tab: The name of the tab to show while one file is selected.
        tabs: The tab widget.
        summary_page, attempts, message, log: The pages of the tabs.
        fixes: The buttons.
    """

    tab_shown = Signal()

    def __init__(self, actions: Actions, theme: Theme, wording: Wording, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._wording = wording
        self.summary = nothing_selected()
        self.chosen_tab = TABS[_SUMMARY]
        self._is_switching = False
        self._is_narrow = False
        self.setObjectName("details")
        self.setAccessibleName(tr("Details"))
        self.setMinimumSize(300, 170)
        show_attempts = QAction(tr("Show Attempts"), self)
        show_attempts.setWhatsThis(tr("Show each attempt to process this file"))
        show_attempts.triggered.connect(lambda: self.show_tab(TABS[_ATTEMPTS]))
        self._icon = IconLabel(_ICON, self)
        self._title = text_label("detailsTitle", self)
        self._title.setWordWrap(False)
        self._title.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._title.installEventFilter(self)
        self.fixes = FixButtons(actions, show_attempts, self)
        self.tabs = QTabWidget(self, documentMode=True)  # before the pages: the Tab order is the order of creation
        self.summary_page = SummaryPage(self)
        self.attempts = AttemptsPage(wording, self)
        self.message = MessagePage(self)
        self.log = LogPage(wording, self)
        self._arrange()
        self.tabs.currentChanged.connect(self._note_tab)
        self.fixes.focus_lost.connect(self._focus_tab_bar)
        self.show_summary(self.summary)
        self.enable_tabs(enabled=False)

    def _arrange(self) -> None:
        self.tabs.setObjectName("detailsTabs")
        self.tabs.tabBar().setAccessibleName(tr("Detail pages"))
        self.tabs.tabBar().setDrawBase(False)
        self.tabs.tabBar().setExpanding(False)
        for page, title in (
            (self.summary_page, tr("Summary")),
            (self.attempts, tr("Attempts")),
            (self.message, tr("Message")),
            (self.log, tr("Log")),
        ):
            self.tabs.addTab(page, title)
        line = spaced(QHBoxLayout(), 8)
        line.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignVCenter)
        line.addWidget(self._title, 1)
        self._header = spaced(QBoxLayout(QBoxLayout.Direction.LeftToRight), 8, (14, 8, 14, 2))
        self._header.addLayout(line, 1)
        self._header.addWidget(self.fixes)
        column = spaced(QVBoxLayout(self), 0, (1, 1, 0, 0))  # the style sheet draws a border at the top or left
        column.addLayout(self._header)
        column.addWidget(self.tabs, 1)

    @property
    def shown_tab(self) -> str:
        """Return the name of the current tab."""
        return TABS[self.tabs.currentIndex()]

    def show_summary(self, summary: Summary) -> None:
        """Show this summary on its tab and in the header."""
        self.summary = summary
        self._title.setAccessibleName(summary.title)
        self._fit_title()
        self.summary_page.show_summary(summary)
        self.fixes.show_fixes(summary.fixes, emphasise=summary.status is Status.FAILED)
        self._fit_header()
        self._icon.setVisible(summary.status is not None)
        if summary.status is not None:
            self._icon.show_icon(self._theme.status_icon(summary.status))

    def show_attempt_count(self, count: int) -> None:
        """Show the number of attempts in the title of their tab."""
        text = tr("Attempts ({number})").format(number=self._wording.number(count)) if count else tr("Attempts")
        if self.tabs.tabText(_ATTEMPTS) != text:
            self.tabs.setTabText(_ATTEMPTS, text)

    def enable_tabs(self, *, enabled: bool) -> None:
        """Enable all tabs and show the chosen one, or enable and show only the Summary tab."""
        self._is_switching = True
        for number in range(_SUMMARY + 1, len(TABS)):
            self.tabs.setTabEnabled(number, enabled)
        self.tabs.setCurrentIndex(TABS.index(self.chosen_tab) if enabled else _SUMMARY)
        self._is_switching = False

    def show_tab(self, name: str) -> None:
        """Choose a tab by its name; it is shown when it is enabled. Unknown names are ignored."""
        if name in TABS:
            self.chosen_tab = name
            if self.tabs.isTabEnabled(TABS.index(name)):
                self.tabs.setCurrentIndex(TABS.index(name))

    @Slot()
    def _note_tab(self) -> None:
        if not self._is_switching:
            self.chosen_tab = self.shown_tab
            self.tab_shown.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Go to the next or previous tab with Ctrl+Tab or Ctrl+Shift+Tab; Qt does this only inside the tab widget."""
        steps = {Qt.Key.Key_Tab: 1, Qt.Key.Key_Backtab: -1}
        step = steps.get(Qt.Key(event.key())) if event.modifiers() & Qt.KeyboardModifier.ControlModifier else None
        if step is None:
            super().keyPressEvent(event)
            return
        enabled = [number for number in range(len(TABS)) if self.tabs.isTabEnabled(number)]
        place = enabled.index(self.tabs.currentIndex())
        self.tabs.setCurrentIndex(enabled[(place + step) % len(enabled)])

    @Slot()
    def _focus_tab_bar(self) -> None:
        self.tabs.tabBar().setFocus(Qt.FocusReason.OtherFocusReason)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Place the buttons beside the title, or below it if the pane is narrow."""
        super().resizeEvent(event)
        self._fit_header()

    def _fit_header(self) -> None:
        title = self._title.fontMetrics().horizontalAdvance(self.summary.title) + _ICON
        is_narrow = self.width() < self.fixes.sizeHint().width() + min(title, _MIN_TITLE_WIDTH) + _MARGINS
        if is_narrow != self._is_narrow:
            self._is_narrow = is_narrow
            directions = QBoxLayout.Direction
            self._header.setDirection(directions.TopToBottom if is_narrow else directions.LeftToRight)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Elide the title whenever its width changes."""
        if watched is self._title and event.type() == QEvent.Type.Resize:
            self._fit_title()
        return super().eventFilter(watched, event)

    def _fit_title(self) -> None:
        """Elide the title in the middle; the path on the Summary tab contains the full name."""
        metrics, width = self._title.fontMetrics(), self._title.width()
        self._title.setText(metrics.elidedText(self.summary.title, Qt.TextElideMode.ElideMiddle, width))


WIDE = 1_500
"""The minimum width of the window, in pixels, for placing the details beside the list."""

_MIN_LIST_HEIGHT = 110


class DetailsSplit(QSplitter):
    """The splitter between the list and the details. It keeps the size of the details for each orientation."""

    def __init__(self, above: QWidget, details: DetailsPane, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Vertical, parent, childrenCollapsible=False, handleWidth=3)
        self._details = details
        self._sizes = {Qt.Orientation.Vertical: 0, Qt.Orientation.Horizontal: 0}
        self.setAccessibleName(tr("Files and details"))
        self.addWidget(above)
        self.addWidget(details)
        self.setStretchFactor(0, 1)
        # Not the minimum height of the tallest page, because that page is never shown with the details.
        above.setMinimumHeight(_MIN_LIST_HEIGHT)
        details.hide()
        self.splitterMoved.connect(self._note_size)

    def _is_beside(self) -> bool:
        return self.orientation() is Qt.Orientation.Horizontal

    def _note_size(self) -> None:
        self._sizes[self.orientation()] = self._details.width() if self._is_beside() else self._details.height()

    def show_details(self, *, shown: bool) -> None:
        """Show the details with their last size, or hide them."""
        if self._details.isHidden() == shown:
            self._details.setVisible(shown)
            self._apply_size()

    def fit(self, window_width: int) -> None:
        """Place the details beside the list if the window is wide, otherwise below it.

        Args:
            window_width: The width of the window in pixels.
        """
        wanted = Qt.Orientation.Horizontal if window_width >= WIDE else Qt.Orientation.Vertical
        if wanted is not self.orientation():
            self.setOrientation(wanted)
            self._details.setProperty("beside", self._is_beside())
            restyle(self._details)
            self._apply_size()

    def _apply_size(self) -> None:
        size = self._sizes[self.orientation()]
        whole = self.width() if self._is_beside() else self.height()
        self.setSizes([max(1, whole - size), size])

    def restore(self, memory: WindowMemory) -> None:
        """Restore the sizes of the details and the chosen tab."""
        self._sizes = {
            Qt.Orientation.Vertical: memory.details_height,
            Qt.Orientation.Horizontal: memory.details_width,
        }
        self._details.show_tab(memory.details_tab)

    def remember(self, memory: WindowMemory) -> None:
        """Store the sizes of the details and the chosen tab."""
        memory.details_height = self._sizes[Qt.Orientation.Vertical]
        memory.details_width = self._sizes[Qt.Orientation.Horizontal]
        memory.details_tab = self._details.chosen_tab
