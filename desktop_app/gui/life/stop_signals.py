"""SIGINT, SIGTERM and SIGHUP as a Qt signal: Python's own handlers would wait until Qt runs Python code again."""

from __future__ import annotations

from PySide6.QtCore import QObject, QSocketNotifier, Signal, Slot

from desktop_app.gui.life.signal_line import SignalLine


class StopSignals(QObject):
    """Hears the terminal's Ctrl+C and the system's wish to end us.

    Signals:
        stop_asked(): One of them came; if it came before, in the first event loop that runs.

    Args:
        line: What holds them already; closed with this.
        parent: Qt's owner.
    """

    stop_asked = Signal()

    def __init__(self, line: SignalLine | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._line = line or SignalLine()
        self._notifier = QSocketNotifier(self._line.reader.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._take)

    def close(self) -> None:
        """As it was before."""
        self._notifier.setEnabled(False)
        self._line.close()

    @Slot()
    def _take(self) -> None:
        if self._line.take():
            self.stop_asked.emit()
