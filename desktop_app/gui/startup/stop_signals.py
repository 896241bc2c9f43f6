"""Handle stop signals in Qt's event loop.

By default, Python raises KeyboardInterrupt in whatever code is running; in a slot called by Qt, the exception has no
effect. This module imports Qt only when a slot is connected, since the import is slow.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from desktop_app.services.stop_signals import StopSignals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from PySide6.QtCore import QSocketNotifier


class QtStopSignals(StopSignals):
    """`StopSignals` that call slots from Qt's event loop. Main thread."""

    def __init__(self) -> None:
        super().__init__()
        self._slots: list[Callable[[], object]] = []
        self._notifier: QSocketNotifier | None = None

    def connect(self, slot: Callable[[], object]) -> None:
        """Call a slot when a stop signal arrives or, if one has already arrived, once the event loop is running.

        Without a notifier, Python's signal handlers would not run until Qt next calls Python code.
        """
        from PySide6.QtCore import QSocketNotifier

        self._slots.append(slot)
        if self._notifier is None:
            self._notifier = QSocketNotifier(self.reader.fileno(), QSocketNotifier.Type.Read)
            self._notifier.activated.connect(self._activate)

    @contextmanager
    def connected(self, slot: Callable[[], object]) -> Iterator[None]:
        """Return a context manager during which a slot is connected; see `connect`."""
        self.connect(slot)
        try:
            yield
        finally:
            self._slots.remove(slot)

    def _activate(self) -> None:
        if self.drain():
            for slot in list(self._slots):
                slot()

    def close(self) -> None:
        """Restore the previous signal handlers."""
        if self._notifier is not None:
            self._notifier.setEnabled(False)
            self._notifier = None
        super().close()
