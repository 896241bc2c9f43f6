"""Set up Qt for the process: log its messages, and collect garbage on the main thread only."""

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
    """Write a Qt message to the log. Thread-safe; never raises.

    A fatal message is also written to standard error, since Qt then aborts the process.
    """
    if getattr(_current, "is_logging", False):
        return  # logging itself caused this message
    _current.is_logging = True
    try:
        category = f" [{context.category}]" if context.category and context.category != "default" else ""
        log.log(_LEVELS.get(kind, logging.WARNING), "%s%s", text, category)
        if kind is QtMsgType.QtFatalMsg and sys.stderr is not None:
            sys.stderr.write(f"filemill: {text}\n")
    except Exception:  # noqa: BLE001, S110 - Qt can't handle an exception, and logging itself has failed
        pass
    finally:
        _current.is_logging = False


def install_message_handler() -> None:
    """Send all Qt messages of this process to the log from now on."""
    qInstallMessageHandler(log_message)


class MainThreadGarbageCollector(QObject):
    """Runs Python's garbage collector only on this object's thread, which must be the main thread.

    By default, the collector runs on whichever thread exceeds the allocation threshold. On a worker thread, it can
    destroy unused Qt objects, such as a closed dialog. The process then crashes, or deadlocks on a Qt lock and
    Python's global interpreter lock; both have been observed.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._timer = QTimer(self, interval=COLLECT_EVERY_MS)
        self._timer.timeout.connect(self.collect_if_due)

    def start(self) -> None:
        """Disable automatic garbage collection, and collect garbage at intervals instead."""
        gc.disable()
        self._timer.start()

    def stop(self) -> None:
        """Collect all garbage, so that no other thread has to, and enable automatic garbage collection again."""
        self._timer.stop()
        gc.collect()
        gc.enable()

    @Slot()
    def collect_if_due(self) -> None:
        """Collect the oldest generation whose threshold is exceeded."""
        counts, thresholds = gc.get_count(), gc.get_threshold()
        due = [number for number in (2, 1, 0) if thresholds[number] and counts[number] > thresholds[number]]
        if due:
            gc.collect(due[0])
