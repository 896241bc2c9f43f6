"""The filter box in the toolbar."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QAction, QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QLineEdit, QSizePolicy, QWidget

from desktop_app.domain.search import NO_SEARCH, KnownValues
from desktop_app.gui.filtering.completions import Completion, CompletionPopup, completions, term_at
from desktop_app.gui.filtering.search_names import HelpRow, help_rows, read_search
from desktop_app.gui.filtering.syntax_help import SyntaxHelp
from desktop_app.gui.i18n import tr, translated
from desktop_app.gui.widgets.dialogs import plain_label

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QResizeEvent

    from desktop_app.domain.fields import ResultField
    from desktop_app.gui.theme.theme import Theme


DELAY_MS = 150
"""The time without a keystroke after which the filter is applied."""

MESSAGE_DELAY_MS = 600
"""The time without a keystroke after which the user is told what was not understood."""

_LONGEST = 10_000
"""The maximum number of characters in the filter box."""

_MIN_WIDTH, _MAX_WIDTH = 150, 420

_ENTER = frozenset({Qt.Key.Key_Return, Qt.Key.Key_Enter})


class FilterBox(QLineEdit):
    """The filter box in the toolbar, with a popup of completions.

    Signals:
        searched(): `search` has changed.
        leave_requested(): A key was pressed that moves the focus to the list.
        values_wanted(): Values of files on the list may be offered soon; see `offer_values`.

    Attributes:
        search: The search currently applied.
        message: The label that tells what was not understood, to be placed under the box.
        popup: The completions.
    """

    searched = Signal()
    leave_requested = Signal()
    values_wanted = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent, maxLength=_LONGEST, placeholderText=tr("Filter files"))
        self._values = KnownValues()
        self._fields: Sequence[ResultField] = ()
        self.search = NO_SEARCH
        self.setObjectName("filter")
        self.setMinimumWidth(_MIN_WIDTH)
        self.setMaximumWidth(_MAX_WIDTH)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(tr("Filter files"))
        self._tip = tr("Words, *.json, status:failed, size:>10MB, added:today and more. Alt+Down lists them all.")
        self.setAccessibleDescription(self._tip)
        self.setToolTip(self._tip)
        self.popup = CompletionPopup(self, theme)
        self.popup.picked.connect(self._complete)
        self.message = plain_label("", self, "filterMessage")
        self.message.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.message.hide()
        self._search_action = QAction(theme.icon("search", "muted"), tr("Filter files"), self)
        self._search_action.triggered.connect(self.activate)
        self._clear_action = QAction(theme.icon("cancel", "muted"), tr("Clear the filter"), self)
        self._clear_action.triggered.connect(self.reset)
        self._help_action = QAction(theme.icon("help", "muted"), tr("What you can type"), self)
        self._help_action.setToolTip(tr("What you can type (Alt+Down)"))
        self._help_action.triggered.connect(self.show_help)
        self.addAction(self._search_action, QLineEdit.ActionPosition.LeadingPosition)
        self.addAction(self._help_action, QLineEdit.ActionPosition.TrailingPosition)
        self.addAction(self._clear_action, QLineEdit.ActionPosition.TrailingPosition)
        self._clear_action.setVisible(False)  # only now, or Qt would show its button until the action changes
        self._timer = QTimer(self, singleShot=True, interval=DELAY_MS)
        self._timer.timeout.connect(self._search_now)
        self._message_timer = QTimer(self, singleShot=True, interval=MESSAGE_DELAY_MS)
        self._message_timer.timeout.connect(self._show_problems)
        self.textChanged.connect(self._wait)
        self.textEdited.connect(self._offer)

    def sizeHint(self) -> QSize:
        """Ask for room for several conditions."""
        return QSize(_MAX_WIDTH, super().sizeHint().height())

    @property
    def is_applied(self) -> bool:
        """Whether `search` corresponds to the text."""
        return not self._timer.isActive()

    @Slot()
    def activate(self) -> None:
        """Focus the filter box and select its text, so that typing replaces it."""
        self.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.selectAll()

    @Slot()
    def reset(self) -> None:
        """Clear the text, and apply the empty filter without delay."""
        self.clear()
        self.popup.hide()
        self._search_now()

    @Slot()
    def _wait(self) -> None:
        self._clear_action.setVisible(bool(self.text()))
        self._timer.start()

    @Slot()
    def _search_now(self) -> None:
        self._timer.stop()
        search = read_search(self.text(), self._fields)
        changed, self.search = search != self.search, search
        if not search.problems or self.message.isVisible():
            self._show_problems()
        else:
            self._message_timer.start()
        if changed:
            self.searched.emit()

    # --- what was not understood

    @Slot()
    def _show_problems(self) -> None:
        self._message_timer.stop()
        text = "".join(translated(problem) for problem in self.search.problems[:1])
        if text and text != self.message.text():
            self._say(text)
        self.message.setText(text)
        self.message.setVisible(bool(text))
        self.setAccessibleDescription(text or self._tip)

    def _say(self, text: str) -> None:
        """Let a screen reader say something, as the focus stays in the box."""
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, text))

    # --- completions

    @Slot(object)
    def offer_values(self, values: KnownValues) -> None:
        """Offer these values of files on the list from now on."""
        self._values = values
        if self.popup.isVisible() and self.popup.current is None:
            self._offer()

    @Slot(object)
    def know_fields(self, fields: Sequence[ResultField]) -> None:
        """Accept these fields of results as keys from now on."""
        self._fields = fields
        if self.is_applied and self.text():
            self._search_now()

    @Slot()
    def _offer(self) -> None:
        start, _ = term_at(self.text(), self.cursorPosition())
        offered = completions(self.text()[start : self.cursorPosition()], self._values, self._fields)
        if offered and self.popup.isHidden():
            self._say(tr("%Ln suggestion(s)", "", len(offered)))
            self.values_wanted.emit()
        self.popup.offer(offered)

    @Slot(object)
    def _complete(self, completion: Completion) -> None:
        """Replace the word or condition at the cursor by a completion."""
        start, end = term_at(self.text(), self.cursorPosition())
        self.popup.hide()
        self.setSelection(start, end - start)
        at_end = end == len(self.text())
        self.insert(completion.term + (" " if at_end and not completion.is_key else ""))
        if completion.is_key:
            self._offer()

    # --- the list of what can be typed

    @Slot()
    def show_help(self) -> None:
        """Show what can be typed."""
        self.popup.hide()
        self.values_wanted.emit()
        syntax = SyntaxHelp(self, help_rows(self._fields))
        syntax.picked.connect(self._insert)
        syntax.open_under(self)

    @Slot(object)
    def _insert(self, row: HelpRow) -> None:
        """Insert a key, whose values are then offered, or the example for words."""
        self.setFocus(Qt.FocusReason.PopupFocusReason)
        before = self.text()[: self.cursorPosition()] if not self.hasSelectedText() else ""
        if before and not before.endswith(" "):
            self.insert(" ")
        self.insert(row.label)
        if row.key:
            self._offer()

    # --- events

    def event(self, event: QEvent) -> bool:
        """Take the Tab key while completions are shown."""
        is_tab = isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Tab and not event.modifiers()
        if is_tab and event.type() == QEvent.Type.KeyPress and self.popup.isVisible():
            self._complete(self.popup.current or self.popup.first)
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move in the completions or use them while they are shown. Otherwise, clear the filter or go to the list.

        Escape clears the text, or leaves the filter box if it is empty. Down and Enter go to the list.
        """
        if not (self.popup.isVisible() and self._press_in_popup(event)):
            match event.key():
                case Qt.Key.Key_Down if event.modifiers() & Qt.KeyboardModifier.AltModifier:
                    self.show_help()
                case Qt.Key.Key_Escape if self.text():
                    self.reset()
                case Qt.Key.Key_Escape:
                    self.leave_requested.emit()
                case Qt.Key.Key_Down | Qt.Key.Key_Return | Qt.Key.Key_Enter:
                    self.popup.hide()
                    self._search_now()
                    self._show_problems()
                    self.leave_requested.emit()
                case _:
                    super().keyPressEvent(event)
                    return
        event.accept()

    def _press_in_popup(self, event: QKeyEvent) -> bool:
        """Return whether the popup has used a key."""
        key = event.key()
        if key in {Qt.Key.Key_Down, Qt.Key.Key_Up} and not event.modifiers() & Qt.KeyboardModifier.AltModifier:
            self.popup.move_by(1 if key == Qt.Key.Key_Down else -1)
            if (chosen := self.popup.current) is not None:
                self._say(f"{chosen.text} {chosen.note}".strip())
            return True
        if key == Qt.Key.Key_Escape:
            self.popup.hide()
            return True
        if key in _ENTER and (chosen := self.popup.current) is not None:
            self._complete(chosen)
            return True
        return False

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Ask for the values to offer."""
        super().focusInEvent(event)
        self.values_wanted.emit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Hide the completions, which are no longer under the box."""
        super().resizeEvent(event)
        self.popup.hide()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Hide the completions."""
        super().focusOutEvent(event)
        self.popup.hide()
