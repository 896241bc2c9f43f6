"""Signals that ask the program to end, noticed while Qt's event loop waits.

Without this, Python raises KeyboardInterrupt wherever it happens to be; in the middle of Qt nobody hears of that.
Importing this module does not import Qt, which takes a while.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from desktop_app.services.stop_signals import StopSignals

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtCore import QSocketNotifier


class QtStopSignals(StopSignals):
    """`StopSignals` that Qt's event loop waits for as well. Main thread."""

    def __init__(self) -> None:
        super().__init__()
        self._slots: list[Callable[[], object]] = []
        self._notifier: QSocketNotifier | None = None

    def connect(self, slot: Callable[[], object]) -> None:
        """Call the slot from Qt's event loop when a signal comes, or at once in the first loop if one came before.

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
        """Restore the handlers that were there before."""
        if self._notifier is not None:
            self._notifier.setEnabled(False)
            self._notifier = None
        super().close()
