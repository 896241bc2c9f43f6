"""What stands in the table's place while the filter or the sidebar leaves nothing of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from desktop_app.gui.texts import tr
from desktop_app.jobs import NO_SEARCH, ListQuery, Status, display_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop_app.gui.look.look import Look

_ICON = 56
_ONLY_FAILED = frozenset({Status.FAILED})


class NoMatch(QWidget):
    """Says that nothing matches, and takes back what is in the way.

    Args:
        clear_filter: Empties the filter box.
        show_all: Takes back everything that was chosen.
        look: How it looks.
        parent: Qt's owner.

    Attributes:
        clear, all: The buttons.
    """

    def __init__(
        self,
        clear_filter: Callable[[], object],
        show_all: Callable[[], object],
        look: Look,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("empty")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._look = look
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
        look.changed.connect(self._draw)

    @property
    def title(self) -> str:
        """What is said."""
        return self._title.text()

    def explain(self, query: ListQuery, typed: str) -> None:
        """Say what was looked for.

        Args:
            query: What leaves nothing.
            typed: What stands in the filter box.
        """
        searches = query.search != NO_SEARCH
        chooses = bool(query.statuses or query.problems or query.batches)
        self._all_is_well = not searches and query.statuses == _ONLY_FAILED and not query.batches
        if self._all_is_well:
            self._title.setText(tr("No problems"))
            self._words.setText(tr("No file has failed."))
        elif searches:
            self._title.setText(tr("No files match “{words}”").format(words=display_text(typed.strip())))
            self._words.setText(tr("Among the files that are chosen in the sidebar.") if chooses else "")
        else:
            self._title.setText(tr("No files here"))
            self._words.setText(tr("No file has everything that is chosen in the sidebar."))
        self._words.setVisible(bool(self._words.text()))
        self.clear.setVisible(searches)
        self.all.setVisible(chooses)
        self._draw()

    def _draw(self) -> None:
        colours = self._look.colours
        name, colour = ("status-processed", colours.processed) if self._all_is_well else ("search", colours.muted)
        self._icon.setPixmap(self._look.icon(name, colour).pixmap(QSize(_ICON, _ICON), self.devicePixelRatio()))
