"""Handles signals that ask the program to end while Qt's event loop waits.

Without this, Python raises KeyboardInterrupt wherever it happens to be; inside Qt code that goes unnoticed.
Importing this module does not import Qt, which is slow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from desktop_app.services.stop_signals import StopSignals

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtCore import QSocketNotifier


class QtStopSignals(StopSignals):
    """`StopSignals` that also wake Qt's event loop. Main thread."""

    def __init__(self) -> None:
        super().__init__()
        self._slots: list[Callable[[], object]] = []
        self._notifier: QSocketNotifier | None = None

    def connect(self, slot: Callable[[], object]) -> None:
        """Call the slot from Qt's event loop when a signal comes, or in its first iteration if one came before.

        Python's own handlers would wait until Qt runs Python code again.
        """
        from PySide6.QtCore import QSocketNotifier

        self._slots.append(slot)
        if self._notifier is None:
            self._notifier = QSocketNotifier(self.reader.fileno(), QSocketNotifier.Type.Read)
            self._notifier.activated.connect(self._activate)

    def _activate(self) -> None:
        if self.drain():
            for slot in self._slots:
                slot()

    def close(self) -> None:
        """Restore the previous handlers."""
        if self._notifier is not None:
            self._notifier.setEnabled(False)
            self._notifier = None
        super().close()
