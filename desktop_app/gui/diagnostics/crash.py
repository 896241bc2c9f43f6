"""Logs unhandled exceptions and shows them in a dialog, whose report can be copied and saved."""

from __future__ import annotations

import logging
import platform
import sys
import threading
import traceback
from collections import Counter
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal, Slot, qVersion
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QVBoxLayout, QWidget

from desktop_app import __version__
from desktop_app.domain.errors import KnownError
from desktop_app.domain.secrets import masked
from desktop_app.gui.i18n import tr, translated
from desktop_app.gui.widgets.dialogs import ButtonRow, arrange_dialog, plain_label, read_only_text, spaced

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType


log = logging.getLogger(__name__)


_MAX_COUNTED_ERRORS = 200

_MAX_SHOWN_ERRORS = 20

_LOGGED_AGAIN = (10, 100, 1_000, 10_000, 100_000)
"""Which occurrences of a repeated error are logged, besides the first."""


class CrashHook(QObject):
    """Replaces `sys.excepthook`, `threading.excepthook` and `sys.unraisablehook`.

    The hooks can be called on any thread and while a widget is being painted, so they only log and emit signals. An
    error that occurs repeatedly is logged with its traceback once, and after that only occasionally.

    Signals:
        crashed(str): An unexpected error occurred; the argument is its report.
        known(str): A `KnownError` was not handled; the argument is its translated text.
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
        """Restore Python's default hooks."""
        sys.excepthook = sys.__excepthook__
        threading.excepthook = threading.__excepthook__
        sys.unraisablehook = sys.__unraisablehook__

    def handle(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        """Log an exception and emit the signal for it."""
        if isinstance(error, KeyboardInterrupt):
            return  # the handler of SIGINT closes the window
        if isinstance(error, KnownError):
            log.warning("%s", error.text)
            self.known.emit(translated(error.text))
            return
        times = self._count(error)
        if times == 1:
            log.critical("unexpected error", exc_info=(kind, error, trace))
        elif times in _LOGGED_AGAIN:
            log.critical("unexpected error, occurrence %d: %s: %s", times, kind.__name__, masked(str(error)))
        self.crashed.emit(report_of(error))

    def _count(self, error: BaseException) -> int:
        key = "".join(traceback.format_exception(error))
        with self._lock:
            if len(self._seen) >= _MAX_COUNTED_ERRORS and key not in self._seen:
                self._seen.clear()
            self._seen[key] += 1
            return self._seen[key]

    def _handle_thread(self, arguments: threading.ExceptHookArgs) -> None:
        if arguments.exc_value is not None:
            self.handle(arguments.exc_type, arguments.exc_value, arguments.exc_traceback)

    def _handle_unraisable(self, arguments: sys.UnraisableHookArgs) -> None:
        """Log an exception that Python ignores because no code can catch it, such as one in `__del__`."""
        if arguments.exc_value is not None and self._count(arguments.exc_value) == 1:
            log.error("ignored exception: %s", arguments.err_msg or "", exc_info=arguments.exc_value)


def report_of(error: BaseException) -> str:
    """Return the report about an error: versions and the traceback, but no values of variables and no secrets."""
    versions = f"Filemill {__version__}\nPython {platform.python_version()}, Qt {qVersion()}\n{platform.platform()}"
    return f"{versions}\n\n{masked(''.join(traceback.format_exception(error)))}"


class CrashDialog(QDialog):
    """The dialog about unexpected errors. Errors that occur while it is open are added to its report.

    Signals:
        save_requested(str): The user wants to save a support report; the argument is the report in this dialog.

    Args:
        report: The report about the first error.
        log_folder: The folder of the log files.
        parent: The parent.
    """

    save_requested = Signal(str)

    def __init__(self, report: str, log_folder: Path, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._versions = report.partition("\n\n")[0]
        self._errors: Counter[str] = Counter()
        self._left_out = 0
        self.setWindowTitle(tr("Something Went Wrong in Filemill"))
        text = plain_label(
            tr(
                "This is an error in Filemill, not in your files. Your list is safe, and you can "
                "keep working. If it happens again, please send this report. It does not include "
                "the content of your files."
            ),
            self,
        )
        self._report = read_only_text(tr("Report"), self)
        folder = plain_label(tr("The log is in {folder}.").format(folder=log_folder), self)
        folder.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        column = spaced(QVBoxLayout(), 12)
        column.addWidget(text)
        column.addWidget(self._report, 1)
        column.addWidget(folder)
        arrange_dialog(self, column, self._make_buttons(), name="crash", size=(680, 440))
        self.add(report)

    def _make_buttons(self) -> QDialogButtonBox:
        buttons = ButtonRow(self)
        for text, slot in ((tr("&Save Support Report…"), self._save), (tr("Copy Report"), self.copy)):
            button = buttons.addButton(text, QDialogButtonBox.ButtonRole.ActionRole)
            button.setAutoDefault(False)
            button.clicked.connect(slot)
        buttons.addButton(tr("Close"), QDialogButtonBox.ButtonRole.RejectRole).setDefault(True)
        buttons.rejected.connect(self.reject)
        return buttons

    @property
    def report(self) -> str:
        """Return the text of the report."""
        return self._report.toPlainText()

    def add(self, report: str) -> None:
        """Add an error to the report, or only count it if it is already there."""
        error = report.partition("\n\n")[2]
        if error not in self._errors and len(self._errors) >= _MAX_SHOWN_ERRORS:
            self._left_out += 1
        else:
            self._errors[error] += 1
        parts = [self._versions]
        parts += [f"{error}({times} times)" if times > 1 else error for error, times in self._errors.items()]
        if self._left_out:
            parts.append(f"{self._left_out} further ones are in the log.")
        bar = self._report.verticalScrollBar()
        position = bar.value()
        self._report.setPlainText("\n\n".join(part.rstrip() for part in parts) + "\n")
        bar.setValue(position)

    def copy(self) -> None:
        """Copy the report to the clipboard."""
        QGuiApplication.clipboard().setText(self.report)

    @Slot()
    def _save(self) -> None:
        report = self.report
        self.accept()  # first: this dialog is modal and would block input to the next one
        self.save_requested.emit(report)


class CrashDialogs(QObject):
    """Opens the crash dialog on the main thread, at most one at a time.

    Args:
        hook: The hook that emits the reports.
        log_folder: The folder of the log files.
        window: The parent of the dialog.
        save: Called with an error report, to open a support report that includes it.
    """

    def __init__(self, hook: CrashHook, log_folder: Path, window: QWidget, save: Callable[[str], None]) -> None:
        super().__init__(window)
        self._log_folder = log_folder
        self._window = window
        self._save = save
        self._dialog: CrashDialog | None = None
        hook.crashed.connect(self.show_report)

    @property
    def dialog(self) -> CrashDialog | None:
        """Return the open dialog; None if there is none."""
        return self._dialog

    @Slot(str)
    def show_report(self, report: str) -> None:
        """Open the dialog with a report, or add the report to the open dialog."""
        if self._dialog is not None:
            self._dialog.add(report)
            return
        self._dialog = CrashDialog(report, self._log_folder, self._window)
        self._dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._dialog.save_requested.connect(self._save)
        self._dialog.finished.connect(self._forget)
        self._dialog.open()

    @Slot()
    def _forget(self) -> None:
        self._dialog = None
