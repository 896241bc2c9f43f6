"""Unhandled exceptions: logged, and shown in a dialog with a report that can be copied and saved."""

from __future__ import annotations

import logging
import platform
import sys
import threading
import traceback
from collections import Counter
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal, Slot, qVersion
from PySide6.QtGui import QFontDatabase, QGuiApplication
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from desktop_app import __version__
from desktop_app.domain.errors import KnownError
from desktop_app.gui.i18n import tr, translated

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType


log = logging.getLogger(__name__)


_KNOWN_FAULTS = 200

_SHOWN_FAULTS = 20

_LOGGED_AGAIN = (10, 100, 1_000, 10_000, 100_000)


class CrashHook(QObject):
    """Replaces `sys.excepthook`, `threading.excepthook` and `sys.unraisablehook`. Any thread.

    It only logs and emits signals: it may be called where no dialog may be opened. An error that
    happens repeatedly (in each repaint, say) is logged in full once, and then only occasionally.

    Signals:
        crashed(str): The report about a bug.
        known(str): The plain text of an unhandled `KnownError`.
    """

    crashed = Signal(str)
    known = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()
        self._seen: Counter[str] = Counter()

    def install(self) -> None:
        """Install the hooks."""
        sys.excepthook = self.handle
        threading.excepthook = self._handle_thread
        sys.unraisablehook = self._handle_unraisable

    def uninstall(self) -> None:
        """Restore Python's own hooks."""
        sys.excepthook = sys.__excepthook__
        threading.excepthook = threading.__excepthook__
        sys.unraisablehook = sys.__unraisablehook__

    def handle(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        """Handle one exception."""
        if isinstance(error, KeyboardInterrupt):
            return  # the signal closes the window by itself
        if isinstance(error, KnownError):
            log.warning("%s", error.text)
            self.known.emit(translated(error.text))
            return
        times = self._count(error)
        if times == 1:
            log.critical("unexpected error", exc_info=(kind, error, trace))
        elif times in _LOGGED_AGAIN:
            log.critical("unexpected error, occurrence %d: %s: %s", times, kind.__name__, error)
        self.crashed.emit(report_of(error))

    def _count(self, error: BaseException) -> int:
        key = "".join(traceback.format_exception(error))
        with self._lock:
            if len(self._seen) >= _KNOWN_FAULTS and key not in self._seen:
                self._seen.clear()
            self._seen[key] += 1
            return self._seen[key]

    def _handle_thread(self, arguments: threading.ExceptHookArgs) -> None:
        if arguments.exc_value is not None:
            self.handle(arguments.exc_type, arguments.exc_value, arguments.exc_traceback)

    def _handle_unraisable(self, arguments: sys.UnraisableHookArgs) -> None:
        """Log an exception that can't be caught, as in `__del__`; it interrupted nothing."""
        if arguments.exc_value is not None and self._count(arguments.exc_value) == 1:
            about = (arguments.exc_type, arguments.exc_value, arguments.exc_traceback)
            log.error("ignored exception: %s", arguments.err_msg or "", exc_info=about)


def report_of(error: BaseException) -> str:
    """Return the report about an error: no file content, no environment variables, no keys."""
    facts = [
        f"Filemill {__version__}",
        f"Python {platform.python_version()}, Qt {qVersion()}",
        platform.platform(),
    ]
    return "\n".join(facts) + "\n\n" + "".join(traceback.format_exception(error))


class CrashDialog(QDialog):
    """The dialog about an error. Further errors while it is open are added to its report; equal ones are counted.

    Signals:
        save_wanted(str): The user wants to save a support report with this error report.
    """

    save_wanted = Signal(str)

    def __init__(self, report: str, log_folder: Path, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._facts = report.partition("\n\n")[0]
        self._faults: Counter[str] = Counter()
        self._left_out = 0
        self.setWindowTitle(tr("Something Went Wrong in Filemill"))
        self.resize(680, 440)
        text = QLabel(
            tr(
                "This is an error in Filemill, not in your files. Your list is safe, and you can keep working. "
                "If it happens again, please send this report. It contains no content of your files."
            ),
            self,
        )
        text.setTextFormat(Qt.TextFormat.PlainText)
        text.setWordWrap(True)
        self._report = QPlainTextEdit(self)
        self._report.setReadOnly(True)
        self._report.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self._report.setAccessibleName(tr("Report"))
        self._report.setTabChangesFocus(True)
        self._report.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        where = QLabel(tr("The log is in {folder}.").format(folder=log_folder), self)
        where.setTextFormat(Qt.TextFormat.PlainText)
        where.setWordWrap(True)
        where.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 14, 16, 14)
        column.setSpacing(10)
        column.addWidget(text)
        column.addWidget(self._report, 1)
        column.addWidget(where)
        column.addWidget(self._make_buttons())
        self.add(report)

    def _make_buttons(self) -> QDialogButtonBox:
        buttons = QDialogButtonBox(self)
        save = buttons.addButton(tr("&Save Support Report…"), QDialogButtonBox.ButtonRole.ActionRole)
        save.setAutoDefault(False)
        save.clicked.connect(self._save)
        copy = buttons.addButton(tr("Copy Report"), QDialogButtonBox.ButtonRole.ActionRole)
        copy.setAutoDefault(False)
        copy.clicked.connect(self.copy)
        close = QPushButton(tr("Close"), buttons)
        buttons.addButton(close, QDialogButtonBox.ButtonRole.RejectRole)
        close.setDefault(True)
        buttons.rejected.connect(self.reject)
        return buttons

    @property
    def report(self) -> str:
        """Return the whole report."""
        return self._report.toPlainText()

    def add(self, report: str) -> None:
        """Add another error, or count a repeated one."""
        fault = report.partition("\n\n")[2]
        if fault not in self._faults and len(self._faults) >= _SHOWN_FAULTS:
            self._left_out += 1
        else:
            self._faults[fault] += 1
        pieces = [self._facts]
        pieces += [f"{fault}({times} times)" if times > 1 else fault for fault, times in self._faults.items()]
        if self._left_out:
            pieces.append(f"{self._left_out} further ones are in the log.")
        bar = self._report.verticalScrollBar()
        place = bar.value()
        self._report.setPlainText("\n\n".join(piece.rstrip() for piece in pieces) + "\n")
        bar.setValue(place)

    def copy(self) -> None:
        """Put the report on the clipboard."""
        QGuiApplication.clipboard().setText(self.report)

    @Slot()
    def _save(self) -> None:
        report = self.report
        self.accept()  # first: while it is open, its parent's other dialogs take no input
        self.save_wanted.emit(report)


class CrashDialogs(QObject):
    """Opens the crash dialog on the main thread, one at a time.

    Args:
        hook: Reports the errors.
        log_folder: The folder of the log.
        window: The dialog's parent.
        save: Makes a support report with an error report; None while there is no window for it.
    """

    def __init__(
        self, hook: CrashHook, log_folder: Path, window: QWidget, save: Callable[[str], None] | None = None
    ) -> None:
        super().__init__(window)
        self._log_folder = log_folder
        self._window = window
        self._save = save
        self._dialog: CrashDialog | None = None
        hook.crashed.connect(self.show_report)

    @property
    def dialog(self) -> CrashDialog | None:
        """Return the dialog while it is open."""
        return self._dialog

    @Slot(str)
    def show_report(self, report: str) -> None:
        """Show a report, or add it to the open dialog."""
        if self._dialog is not None:
            self._dialog.add(report)
            return
        self._dialog = CrashDialog(report, self._log_folder, self._window)
        if self._save is not None:
            self._dialog.save_wanted.connect(self._save)
        self._dialog.finished.connect(self._forget)
        self._dialog.open()

    @Slot()
    def _forget(self) -> None:
        if self._dialog is not None:
            self._dialog.deleteLater()
            self._dialog = None
