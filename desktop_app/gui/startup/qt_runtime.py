"""Set up Qt for the process: log its messages, and collect garbage on the main thread only."""

from __future__ import annotations

import atexit
import gc
import logging
import sys
import threading
from typing import TYPE_CHECKING

from PySide6.QtCore import QMessageLogContext, QObject, QTimer, QtMsgType, Slot, qInstallMessageHandler

if TYPE_CHECKING:
    from collections.abc import Callable


log = logging.getLogger("qt")

COLLECT_EVERY_MS = 1_000
_LEVELS = {
    QtMsgType.QtDebugMsg: logging.DEBUG,
    QtMsgType.QtInfoMsg: logging.INFO,
    QtMsgType.QtWarningMsg: logging.WARNING,
    QtMsgType.QtCriticalMsg: logging.ERROR,
    QtMsgType.QtFatalMsg: logging.CRITICAL,
}
_DISPLAY_LOST = ("The X11 connection broke", "The Wayland connection broke", "The Wayland connection experienced")
_current = threading.local()


def skip_feature_search() -> None:
    """Keep PySide from reading the source of each module that is imported, to look for `from __feature__ import`.

    No module uses these features. Without this, the start of the program takes about a tenth longer.
    """
    features = sys.modules.get("shibokensupport.feature")
    if hasattr(features, "_mod_uses_pyside"):
        features._mod_uses_pyside = lambda _module: True  # type: ignore[union-attr]  # noqa: SLF001 - there is no other way


def log_message(kind: QtMsgType, context: QMessageLogContext, text: str) -> None:
    """Write a Qt message to the log. Thread-safe; never raises."""
    if getattr(_current, "is_logging", False):
        return  # logging itself caused this message
    _current.is_logging = True
    try:
        category = f" [{context.category}]" if context.category and context.category != "default" else ""
        log.log(_LEVELS.get(kind, logging.WARNING), "%s%s", text, category)
    except Exception:  # noqa: BLE001, S110 - Qt can't handle an exception, and logging itself has failed
        pass
    finally:
        _current.is_logging = False


def install_message_handler(
    *, on_fatal: Callable[[], None] | None = None, on_display_lost: Callable[[], None] | None = None
) -> None:
    """Send all Qt messages of this process to the log from now on.

    Args:
        on_fatal: Called after a fatal message, before Qt aborts the process. By default, the message is written to
            standard error.
        on_display_lost: Called when the X server or the Wayland compositor has exited, before Qt ends the process
            while other threads are still running, which would abort it.
    """

    def handle(kind: QtMsgType, context: QMessageLogContext, text: str) -> None:
        log_message(kind, context, text)
        if kind is QtMsgType.QtFatalMsg:
            if on_fatal is not None:
                on_fatal()
            elif sys.stderr is not None:
                sys.stderr.write(f"filemill: {text}\n")
        elif on_display_lost is not None and text.startswith(_DISPLAY_LOST):
            on_display_lost()

    qInstallMessageHandler(handle)
    atexit.register(qInstallMessageHandler, None)  # Qt's libraries still log after Python has ended


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
