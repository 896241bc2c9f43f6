"""The details pane beside or below the list: tabs about the selected file, and buttons to fix its problem."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QSize, Qt, Signal, Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QSplitter,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from desktop_app.domain.job import Status
from desktop_app.gui.commands.actions import text_of
from desktop_app.gui.details.advice import Fix
from desktop_app.gui.details.attempts import AttemptsPage
from desktop_app.gui.details.pages import LogPage, MessagePage, SummaryPage, text_label
from desktop_app.gui.details.words import Summary, nothing_selected
from desktop_app.gui.i18n import tr
from desktop_app.gui.table.cells import STATUS_ICONS

if TYPE_CHECKING:
    from PySide6.QtGui import QKeyEvent, QResizeEvent

    from desktop_app.gui.commands.actions import Actions
    from desktop_app.gui.theme.theme import Theme
    from desktop_app.gui.window_memory import WindowMemory
    from desktop_app.gui.wording import Wording


_ICON = 18

_LEAST_TITLE = 140

_MARGINS = 60

TABS = ("summary", "attempts", "message", "log")
"""The stored names of the tabs, in order."""

_SUMMARY, _ATTEMPTS = 0, 1


class FixButtons(QWidget):
    """A row of buttons, some of them shown. Each has the text, effect and enabled state of its action.

    Signals:
        left_alone(): The button that had the focus was hidden.
    """

    left_alone = Signal()

    def __init__(self, actions: Actions, show_attempts: QAction, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown: tuple[Fix, ...] = ()
        self._emphasised: QPushButton | None = None
        self._actions = {
            Fix.RETRY: actions.retry,
            Fix.LOCATE: actions.locate,
            Fix.SHOW_FILE: actions.show_file,
            Fix.SHOW_ATTEMPTS: show_attempts,
            Fix.REPORT: actions.report,
            Fix.REMOVE: actions.remove,
        }
        self._buttons = {fix: self._button(action) for fix, action in self._actions.items()}
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(8)
        self._row.addStretch(1)

    def _button(self, action: QAction) -> QPushButton:
        button = QPushButton(text_of(action), self)
        button.setAccessibleDescription(action.statusTip())
        button.setToolTip(action.toolTip())
        button.setEnabled(action.isEnabled())
        button.clicked.connect(action.trigger)
        action.enabledChanged.connect(button.setEnabled)
        button.hide()
        return button

    @property
    def shown(self) -> tuple[QPushButton, ...]:
        """Return the shown buttons in order."""
        return tuple(self._buttons[fix] for fix in self._shown)

    def button(self, fix: Fix) -> QPushButton:
        """Return the button of this fix, shown or not."""
        return self._buttons[fix]

    def show_fixes(self, fixes: tuple[Fix, ...], *, emphasise: bool) -> None:
        """Show these buttons.

        Args:
            fixes: The fixes in order; those without an action in this window are left out.
            emphasise: Whether to highlight the first button.
        """
        fixes = tuple(fix for fix in fixes if self._actions[fix].isVisible())
        if fixes != self._shown:
            self._arrange(fixes)
        self._emphasise(self.shown[0] if emphasise and self._shown else None)

    def _arrange(self, fixes: tuple[Fix, ...]) -> None:
        had_keyboard = any(button.hasFocus() for button in self.shown)
        self._shown = fixes
        for button in self._buttons.values():
            self._row.removeWidget(button)
        for place, button in enumerate(self.shown):
            self._row.insertWidget(place, button)
        for before, after in zip(self.shown, self.shown[1:], strict=False):
            QWidget.setTabOrder(before, after)
        if had_keyboard and not any(button.hasFocus() for button in self.shown):
            # Otherwise Qt would focus a neighbour, and pressing the same key again would do something else.
            self.left_alone.emit()
        for button in self._buttons.values():
            button.setVisible(button in self.shown)

    def _emphasise(self, button: QPushButton | None) -> None:
        if button is self._emphasised:
            return
        for one, name in ((self._emphasised, ""), (button, "primary")):
            if one is not None:
                one.setObjectName(name)
                one.style().unpolish(one)
                one.style().polish(one)
        self._emphasised = button


class DetailsPane(QFrame):
    """The details pane: a title with buttons, and tabs; reads nothing itself.

    The chosen tab is shown whenever one file is selected; several files only have a summary.

    Signals:
        tab_shown(): Another tab is visible.

    Attributes:
        tabs: The tabs.
        summary_page, attempts, message, log: The pages.
        fixes: The buttons.
    """

    tab_shown = Signal()

    def __init__(self, actions: Actions, theme: Theme, wording: Wording, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._wording = wording
        self._summary = nothing_selected()
        self._wanted = TABS[_SUMMARY]
        self._is_switching = False
        self._is_narrow = False
        self.setObjectName("details")
        self.setAccessibleName(tr("Details"))
        self.setMinimumSize(300, 170)
        show_attempts = QAction(tr("Show Attempts"), self)
        show_attempts.setStatusTip(tr("Show each attempt to process this file"))
        show_attempts.triggered.connect(self.show_attempts_tab)
        self._icon = QLabel(self)
        self._title = text_label("detailsTitle", self)
        self._title.setWordWrap(False)
        self._title.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._title.installEventFilter(self)
        self.fixes = FixButtons(actions, show_attempts, self)
        self.tabs = QTabWidget(self)  # before its pages, so that Tab reaches it first
        self.summary_page = SummaryPage(self)
        self.attempts = AttemptsPage(wording, self)
        self.message = MessagePage(self)
        self.log = LogPage(wording, self)
        self._arrange()
        self.tabs.currentChanged.connect(self._note_tab)
        self.fixes.left_alone.connect(self._take_keyboard)
        theme.changed.connect(self._draw)
        self.show_summary(self._summary)
        self.offer_tabs(offered=False)

    def _arrange(self) -> None:
        self.tabs.setObjectName("detailsTabs")
        self.tabs.setDocumentMode(True)
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
        line = QHBoxLayout()
        line.setSpacing(8)
        line.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignVCenter)
        line.addWidget(self._title, 1)
        self._head = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._head.setContentsMargins(14, 8, 14, 2)
        self._head.setSpacing(8)
        self._head.addLayout(line, 1)
        self._head.addWidget(self.fixes)
        column = QVBoxLayout(self)
        column.setContentsMargins(1, 1, 0, 0)  # room for the line next to the list
        column.setSpacing(0)
        column.addLayout(self._head)
        column.addWidget(self.tabs, 1)

    @property
    def summary(self) -> Summary:
        """Return the summary that is shown."""
        return self._summary

    @property
    def buttons(self) -> tuple[QPushButton, ...]:
        """Return the shown buttons, the best fix first."""
        return self.fixes.shown

    @property
    def shown_tab(self) -> str:
        """Return the name of the current tab."""
        return TABS[self.tabs.currentIndex()]

    @property
    def wanted_tab(self) -> str:
        """Return the name of the tab that the user chose last."""
        return self._wanted

    def show_summary(self, summary: Summary) -> None:
        """Show this content."""
        self._summary = summary
        self._title.setAccessibleName(summary.title)
        self._fit_title()
        self.summary_page.show_summary(summary)
        self.fixes.show_fixes(summary.fixes, emphasise=summary.status is Status.FAILED)
        self._fit_head()
        self._draw()

    def show_attempt_count(self, count: int) -> None:
        """Show the number of attempts on their tab."""
        text = tr("Attempts ({number})").format(number=self._wording.number(count)) if count else tr("Attempts")
        if self.tabs.tabText(_ATTEMPTS) != text:
            self.tabs.setTabText(_ATTEMPTS, text)

    def offer_tabs(self, *, offered: bool) -> None:
        """Offer all tabs for one file, or only the summary."""
        self._is_switching = True
        for number in range(_SUMMARY + 1, len(TABS)):
            self.tabs.setTabEnabled(number, offered)
        self.tabs.setCurrentIndex(TABS.index(self._wanted) if offered else _SUMMARY)
        self._is_switching = False

    def show_tab(self, name: str) -> None:
        """Show the tab of this name; unknown names are ignored."""
        if name in TABS:
            self._wanted = name
            if self.tabs.isTabEnabled(TABS.index(name)):
                self.tabs.setCurrentIndex(TABS.index(name))

    @Slot()
    def show_attempts_tab(self) -> None:
        """Show the Attempts tab."""
        self.show_tab(TABS[_ATTEMPTS])

    @Slot()
    def _note_tab(self) -> None:
        if not self._is_switching:
            self._wanted = self.shown_tab
        self.tab_shown.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Go to the next tab with Ctrl+Tab from anywhere in the pane; inside the tabs Qt does it."""
        steps = {Qt.Key.Key_Tab: 1, Qt.Key.Key_Backtab: -1}
        step = steps.get(Qt.Key(event.key())) if event.modifiers() & Qt.KeyboardModifier.ControlModifier else None
        if step is None:
            super().keyPressEvent(event)
            return
        offered = [number for number in range(len(TABS)) if self.tabs.isTabEnabled(number)]
        place = offered.index(self.tabs.currentIndex())
        self.tabs.setCurrentIndex(offered[(place + step) % len(offered)])

    @Slot()
    def _take_keyboard(self) -> None:
        self.tabs.tabBar().setFocus(Qt.FocusReason.OtherFocusReason)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put the buttons below the title where there is little room."""
        super().resizeEvent(event)
        self._fit_head()

    def _fit_head(self) -> None:
        title = self._title.fontMetrics().horizontalAdvance(self._summary.title) + _ICON
        is_narrow = self.width() < self.fixes.sizeHint().width() + min(title, _LEAST_TITLE) + _MARGINS
        if is_narrow != self._is_narrow:
            self._is_narrow = is_narrow
            directions = QBoxLayout.Direction
            self._head.setDirection(directions.TopToBottom if is_narrow else directions.LeftToRight)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Elide the title when the layout has set its width."""
        if watched is self._title and event.type() == QEvent.Type.Resize:
            self._fit_title()
        return super().eventFilter(watched, event)

    def _fit_title(self) -> None:
        """Elide the title in the middle; the path below shows it in full."""
        metrics, width = self._title.fontMetrics(), self._title.width()
        self._title.setText(metrics.elidedText(self._summary.title, Qt.TextElideMode.ElideMiddle, width))

    @Slot()
    def _draw(self) -> None:
        status = self._summary.status
        self._icon.setVisible(status is not None)
        if status is not None:
            icon = self._theme.icon(STATUS_ICONS[status], self._theme.colours.of(status))
            self._icon.setPixmap(icon.pixmap(QSize(_ICON, _ICON), self.devicePixelRatio()))


WIDE = 1_500
"""From this window width on, the details are placed beside the list."""

_LEAST_LIST = 110


class DetailsSplit(QSplitter):
    """The splitter of list and details; keeps the user's size of the details for each placement."""

    def __init__(self, above: QWidget, details: DetailsPane, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Vertical, parent)
        self._details = details
        self._sizes = {Qt.Orientation.Vertical: 0, Qt.Orientation.Horizontal: 0}
        self.setAccessibleName(tr("Files and details"))
        self.setChildrenCollapsible(False)
        self.setHandleWidth(3)
        self.addWidget(above)
        self.addWidget(details)
        self.setStretchFactor(0, 1)
        self.setStretchFactor(1, 0)
        # The default would be that of the tallest page, which is never shown with the details.
        above.setMinimumHeight(_LEAST_LIST)
        details.hide()
        self.splitterMoved.connect(self._note)

    def _is_beside(self) -> bool:
        return self.orientation() is Qt.Orientation.Horizontal

    def _note(self) -> None:
        self._sizes[self.orientation()] = self._details.width() if self._is_beside() else self._details.height()

    def show_details(self, *, shown: bool) -> None:
        """Show or hide the details in their last size."""
        if self._details.isHidden() == shown:
            self._details.setVisible(shown)
            self._take_size()

    def fit(self, window_width: int) -> None:
        """Place the details beside the list if a window of this width, in pixels, has room, else below it."""
        wanted = Qt.Orientation.Horizontal if window_width >= WIDE else Qt.Orientation.Vertical
        if wanted is not self.orientation():
            self.setOrientation(wanted)
            self._details.setProperty("beside", self._is_beside())
            self._details.style().unpolish(self._details)  # the style sheet has rules for both
            self._details.style().polish(self._details)
            self._take_size()

    def _take_size(self) -> None:
        size = self._sizes[self.orientation()]
        whole = self.width() if self._is_beside() else self.height()
        self.setSizes([max(1, whole - size), size])

    def restore(self, memory: WindowMemory) -> None:
        """Restore the sizes and the tab."""
        self._sizes = {
            Qt.Orientation.Vertical: memory.details_height,
            Qt.Orientation.Horizontal: memory.details_width,
        }
        self._details.show_tab(memory.details_tab)

    def remember(self, memory: WindowMemory) -> None:
        """Save the sizes and the tab."""
        memory.details_height = self._sizes[Qt.Orientation.Vertical]
        memory.details_width = self._sizes[Qt.Orientation.Horizontal]
        memory.details_tab = self._details.wanted_tab
