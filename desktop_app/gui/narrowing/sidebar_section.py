"""A titled group of the sidebar's entries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from desktop_app.gui.narrowing.sidebar_entry import EntryFacts, SidebarEntry

if TYPE_CHECKING:
    from collections.abc import Collection

    from desktop_app.gui.look.look import Look

Key = TypeVar("Key")
_GAP = 4


class Section(QWidget, Generic[Key]):
    """Keeps an entry for each key; hidden while there is none.

    Signals:
        picked(Key, bool): An entry was clicked; True if with Ctrl.
        acted(Key): The button beside an entry was pressed.
        menu_wanted(Key, QPoint): An entry's context menu.
        moved(SidebarEntry, int): A key wants to leave an entry.
    """

    picked = Signal(object, bool)
    acted = Signal(object)
    menu_wanted = Signal(object, object)
    moved = Signal(object, int)

    def __init__(self, title: str, look: Look, parent: QWidget) -> None:
        super().__init__(parent)
        self._look = look
        self._entries: dict[Key, SidebarEntry] = {}
        self._title = QLabel(title.upper(), self)
        self._title.setObjectName("sectionTitle")
        self._title.setAccessibleName(title)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(1)
        self._column.addWidget(self._title)
        self.hide()

    @property
    def entries(self) -> dict[Key, SidebarEntry]:
        """The entries in their order."""
        return dict(self._entries)

    def show_entries(self, facts: dict[Key, EntryFacts], chosen: Collection[Key]) -> None:
        """Show these, in this order; entries that stay keep the focus."""
        for key in [key for key in self._entries if key not in facts]:
            entry = self._entries.pop(key)
            self._column.removeWidget(entry)
            entry.hide()
            entry.deleteLater()
        ordered: dict[Key, SidebarEntry] = {}
        for at, (key, fact) in enumerate(facts.items()):
            entry = self._entries.get(key) or self._new_entry(key)
            ordered[key] = entry
            if self._column.indexOf(entry) != at + 1:
                self._column.removeWidget(entry)
                self._column.insertWidget(at + 1, entry)
            entry.show_facts(fact, chosen=key in chosen)
            entry.show()
        self._entries = ordered
        self.setVisible(bool(facts))

    def _new_entry(self, key: Key) -> SidebarEntry:
        entry = SidebarEntry(self._look, self)
        entry.picked.connect(lambda add: self.picked.emit(key, add))
        entry.acted.connect(lambda: self.acted.emit(key))
        entry.menu_wanted.connect(lambda place: self.menu_wanted.emit(key, place))
        entry.moved.connect(lambda pressed: self.moved.emit(entry, pressed))
        return entry

    def add_below(self, widget: QWidget) -> None:
        """A widget below the entries, with a little room before it."""
        self._column.addSpacing(_GAP)
        self._column.addWidget(widget)

    def natural_width(self) -> int:
        """The width that everything fits into without wrapping, in pixels."""
        widths = [entry.natural_width() for entry in self._entries.values()]
        return max([self._title.sizeHint().width(), *widths])

    def take_width(self, width: int) -> None:
        """Be this wide."""
        for entry in self._entries.values():
            entry.take_width(width)
