"""The filter box, which understands keys, statuses and reasons in the user's language."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtGui import QAction, QKeyEvent
from PySide6.QtWidgets import QLineEdit, QSizePolicy

from desktop_app.domain.job import Status
from desktop_app.domain.query import NO_SEARCH, Names, parse_search
from desktop_app.domain.reasons import reasons_containing
from desktop_app.gui.i18n import tr, translated
from desktop_app.gui.wording import status_word

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from desktop_app.domain.query import Search
    from desktop_app.gui.theme.theme import Theme


DELAY_MS = 150
"""Milliseconds without a keystroke before the filter is applied."""

_LONGEST = 500
"""The maximum number of characters; SQLite refuses very long conditions."""

_LEAST, _MOST = 130, 280


def read_search(text: str) -> Search:
    """Return the search that was typed in the user's language or in English."""
    search = parse_search(text, _names())
    looked_for = dict.fromkeys([*search.words, *search.reasons])
    found = {word: reasons_containing(word, translated) - reasons_containing(word) for word in looked_for}
    return replace(search, translated_matches=tuple((word, names) for word, names in found.items() if names))


def _names() -> Names:
    keys = {
        tr("status", "before a colon in the filter box"): "status",
        tr("size", "before a colon in the filter box"): "size",
        tr("reason", "before a colon in the filter box"): "reason",
    }
    return Names(
        {name.casefold(): key for name, key in keys.items()}, {status_word(status): status for status in Status}
    )


class FilterBox(QLineEdit):
    """The filter box; reads its text as a `Search`.

    Signals:
        searched(): `search` has changed.
        left(): A key moves the focus on to the list.

    Attributes:
        search: The current search.
    """

    searched = Signal()
    left = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.search = NO_SEARCH
        self.setObjectName("filter")
        self.setMaxLength(_LONGEST)
        self.setMinimumWidth(_LEAST)
        self.setMaximumWidth(_MOST)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setPlaceholderText(tr("Filter files"))
        self.setAccessibleName(tr("Filter files"))
        tip = tr("Words in the path or the reason; or status:failed, size:>10MB, reason:missing, “two words”")
        self.setAccessibleDescription(tip)
        self.setToolTip(tip)
        self._lens = QAction(tr("Filter files"), self)
        self._lens.triggered.connect(self.begin)
        self._clear = QAction(tr("Clear the filter"), self)
        self._clear.triggered.connect(self.empty)
        self._clear.setVisible(False)
        self.addAction(self._lens, QLineEdit.ActionPosition.LeadingPosition)
        self.addAction(self._clear, QLineEdit.ActionPosition.TrailingPosition)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(DELAY_MS)
        self._timer.timeout.connect(self._search_now)
        self.textChanged.connect(self._wait)
        theme.changed.connect(self._draw)
        self._draw()

    @Slot()
    def begin(self) -> None:
        """Take the focus with the text selected, so that typing replaces it."""
        self.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.selectAll()

    @Slot()
    def empty(self) -> None:
        """Clear the filter at once."""
        self.clear()
        self._search_now()

    @Slot()
    def _wait(self) -> None:
        self._clear.setVisible(bool(self.text()))
        self._timer.start()

    @Slot()
    def _search_now(self) -> None:
        self._timer.stop()
        search = read_search(self.text())
        if search != self.search:
            self.search = search
            self.searched.emit()

    @Slot()
    def _draw(self) -> None:
        colour = self._theme.colours.muted
        self._lens.setIcon(self._theme.icon("search", colour))
        self._clear.setIcon(self._theme.icon("cancel", colour))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Clear or leave the box on Escape; go to the list on Down and Enter."""
        match event.key():
            case Qt.Key.Key_Escape if self.text():
                self.empty()
            case Qt.Key.Key_Escape:
                self.left.emit()
            case Qt.Key.Key_Down | Qt.Key.Key_Return | Qt.Key.Key_Enter:
                self._search_now()
                self.left.emit()
            case _:
                super().keyPressEvent(event)
                return
        event.accept()
