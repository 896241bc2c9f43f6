"""What is done to files that are added: the choice of the user, which is remembered, and its menu."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAction, QActionGroup

from desktop_app.domain.fields import BY_TYPE, DEFAULT_PROCESSOR, Choice
from desktop_app.gui.i18n import tr, translated

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from PySide6.QtWidgets import QMenu

    from desktop_app.gui.ports import ProcessorInfo
    from desktop_app.gui.window_memory import WindowMemory

_KEY = "processor"


class ProcessorChoice(QObject):
    """The processor and the options that the user has chosen for the files to add.

    Signals:
        changed(): Another choice was made.
        options_requested(): The user wants to set the options.
        rules_requested(): The user wants to set the rules by file type.
        commands_requested(): The user wants to set up commands.

    Args:
        read: Reads the processors of this computer, in the order in which to offer them. It takes milliseconds, so it
            is called only by `refresh`.
        rules: Returns the rules by file type; empty if there are none. See `services/adding/type_rules.py`.
        memory: Keeps the choice.
        parent: The parent.
    """

    changed = Signal()
    options_requested = Signal()
    rules_requested = Signal()
    commands_requested = Signal()

    def __init__(
        self,
        read: Callable[[], Sequence[ProcessorInfo]],
        rules: Callable[[], str],
        memory: WindowMemory,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._read = read
        self._known: dict[str, ProcessorInfo] = {}
        self._rules = rules
        self._memory = memory

    def refresh(self) -> None:
        """Read the processors again, because commands, plug-ins or the settings may have changed."""
        self._known = {one.name: one for one in self._read()}
        self.changed.emit()

    def offered(self) -> list[ProcessorInfo]:
        """Return the processors of this computer, in the order in which to offer them."""
        if not self._known:
            self._known = {one.name: one for one in self._read()}
        return list(self._known.values())

    @property
    def current(self) -> Choice:
        """The choice; by the file type if there is none, or if its processor is not available any more."""
        try:
            name, options = json.loads(self._memory.text(_KEY))
        except (ValueError, TypeError):
            return BY_TYPE
        if not (isinstance(name, str) and isinstance(options, str)) or self.find(name) is None:
            return BY_TYPE
        return Choice(name, options)

    def choose(self, choice: Choice) -> None:
        """Change the choice."""
        self._memory.set_text(_KEY, json.dumps(list(choice)) if choice.processor else "")
        self.changed.emit()

    def find(self, name: str) -> ProcessorInfo | None:
        """Return the processor with a name; None if it is not available."""
        self.offered()
        return self._known.get(name)

    def title(self, choice: Choice) -> str:
        """Return the text for a choice."""
        if not choice.processor and self._rules():
            return tr("By file type")
        return self.title_of(choice.processor or DEFAULT_PROCESSOR)

    def title_of(self, name: str) -> str:
        """Return the title of a processor; its name if it is not available on this computer."""
        found = self.find(name)
        return name if found is None else translated(found.title)

    def choices(self) -> list[Choice]:
        """Return what can be chosen, with the default options."""
        by_type = [BY_TYPE] if self._rules() else []
        # Without rules, every choice by the file type is the default processor.
        return [
            *by_type,
            *(BY_TYPE if one.name == DEFAULT_PROCESSOR and not by_type else Choice(one.name) for one in self.offered()),
        ]

    def fill_menu(self, menu: QMenu) -> None:
        """Fill a menu with everything that can be chosen."""
        menu.clear()
        group, current = QActionGroup(menu), self.current
        for choice in self.choices():
            action = QAction(self.title(choice).replace("&", "&&"), group, checkable=True)
            action.setChecked(choice.processor == current.processor)
            found = self.find(choice.processor)
            if found is not None and found.unavailable:
                action.setEnabled(False)
                action.setToolTip(translated(found.unavailable))
            action.triggered.connect(partial(self.choose, choice))
            menu.addAction(action)
        menu.addSeparator()
        options = menu.addAction(tr("&Options…"))
        found = self.find(current.processor or DEFAULT_PROCESSOR)
        options.setEnabled(found is not None and bool(found.options) and bool(current.processor))
        options.triggered.connect(self.options_requested)
        menu.addAction(tr("&Rules by File Type…")).triggered.connect(self.rules_requested)
        menu.addAction(tr("&Commands…")).triggered.connect(self.commands_requested)
