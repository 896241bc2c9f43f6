"""What Qt has to say goes where everything else is logged."""

from __future__ import annotations

import logging
import sys
import threading

from PySide6.QtCore import QMessageLogContext, QtMsgType, qInstallMessageHandler

log = logging.getLogger("qt")

_LEVELS = {
    QtMsgType.QtDebugMsg: logging.DEBUG,
    QtMsgType.QtInfoMsg: logging.INFO,
    QtMsgType.QtWarningMsg: logging.WARNING,
    QtMsgType.QtCriticalMsg: logging.ERROR,
    QtMsgType.QtFatalMsg: logging.CRITICAL,
}
_in_hand = threading.local()


def log_message(kind: QtMsgType, context: QMessageLogContext, text: str) -> None:
    """Write one of Qt's messages to the log. Any thread; never raises, and never calls itself.

    After a fatal one Qt ends the process, so it goes to the terminal too.
    """
    if getattr(_in_hand, "busy", False):
        return  # whoever writes the log has made Qt say something
    _in_hand.busy = True
    try:
        category = f" [{context.category}]" if context.category and context.category != "default" else ""
        log.log(_LEVELS.get(kind, logging.WARNING), "%s%s", text, category)
        if kind is QtMsgType.QtFatalMsg and sys.stderr is not None:
            sys.stderr.write(f"filemill: {text}\n")
    except Exception:  # noqa: BLE001, S110 - Qt can't be told, and the log is what does not work
        pass
    finally:
        _in_hand.busy = False


def install() -> None:
    """From now on, for the whole process."""
    qInstallMessageHandler(log_message)
