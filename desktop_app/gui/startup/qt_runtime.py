"""Qt in this process: its messages go to the log, and garbage is collected on the main thread only."""

from __future__ import annotations

import gc
import logging
import sys
import threading

from PySide6.QtCore import QMessageLogContext, QObject, QTimer, QtMsgType, Slot, qInstallMessageHandler

log = logging.getLogger("qt")

COLLECT_EVERY_MS = 1_000
_LEVELS = {
    QtMsgType.QtDebugMsg: logging.DEBUG,
    QtMsgType.QtInfoMsg: logging.INFO,
    QtMsgType.QtWarningMsg: logging.WARNING,
    QtMsgType.QtCriticalMsg: logging.ERROR,
    QtMsgType.QtFatalMsg: logging.CRITICAL,
}
_current = threading.local()


def log_message(kind: QtMsgType, context: QMessageLogContext, text: str) -> None:
    """Write a Qt message to the log. Any thread; never raises and never recurses.

    After a fatal message Qt aborts the process, so it is also written to the terminal.
    """
    if getattr(_current, "is_logging", False):
        return  # logging has made Qt emit a message
    _current.is_logging = True
    try:
        category = f" [{context.category}]" if context.category and context.category != "default" else ""
        log.log(_LEVELS.get(kind, logging.WARNING), "%s%s", text, category)
        if kind is QtMsgType.QtFatalMsg and sys.stderr is not None:
            sys.stderr.write(f"filemill: {text}\n")
    except Exception:  # noqa: BLE001, S110 - Qt can't be told, and the log is what does not work
        pass
    finally:
        _current.is_logging = False


def install_message_handler() -> None:
    """Send Qt's messages to the log from now on, for the whole process."""
    qInstallMessageHandler(log_message)


class MainThreadGarbageCollector(QObject):
    """Runs Python's garbage collection on its own thread only.

    By default the collector runs on any thread that happens to exceed the allocation threshold. If that is a
    worker and the garbage includes Qt objects (a closed dialog), they are destroyed off the main thread: the
    process crashes, or deadlocks between Qt's lock and Python's. Both have been observed here.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._timer = QTimer(self)
        self._timer.setInterval(COLLECT_EVERY_MS)
        self._timer.timeout.connect(self.collect_if_due)

    def start(self) -> None:
        """Disable Python's collector and begin to collect."""
        gc.disable()
        self._timer.start()

    def stop(self) -> None:
        """Collect once more, so that other threads find nothing, and enable Python's collector again."""
        self._timer.stop()
        gc.collect()
        gc.enable()

    @Slot()
    def collect_if_due(self) -> None:
        """Collect the oldest generation that is due by Python's thresholds."""
        counts, thresholds = gc.get_count(), gc.get_threshold()
        due = [number for number in (2, 1, 0) if thresholds[number] and counts[number] > thresholds[number]]
        if due:
            gc.collect(due[0])
