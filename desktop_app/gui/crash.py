"""Exceptions that nobody caught: logged, and shown in a dialog with a report that can be copied."""

from __future__ import annotations

import logging
import platform
import sys
import threading
import traceback
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal, Slot, qVersion
from PySide6.QtGui import QFontDatabase, QGuiApplication
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QPlainTextEdit, QVBoxLayout, QWidget

from desktop_app import __version__
from desktop_app.errors import KnownError
from desktop_app.gui.texts import tr, translated

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

log = logging.getLogger(__name__)


class CrashHook(QObject):
    """Stands in for `sys.excepthook` and `threading.excepthook`. May be called on any thread.

    It only logs and emits: it can be called in the middle of anything, where no dialog may be opened.

    Signals:
        crashed(str): A bug; the report.
        known(str): A `KnownError` that came through; its plain text.
    """

    crashed = Signal(str)
    known = Signal(str)

    def install(self) -> None:
        """Hear of every exception that nobody catches."""
        sys.excepthook = self.handle
        threading.excepthook = self._handle_thread

    def uninstall(self) -> None:
        """As it was before."""
        sys.excepthook = sys.__excepthook__
        threading.excepthook = threading.__excepthook__

    def handle(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        """Take one exception."""
        if isinstance(error, KeyboardInterrupt):
            return  # the signal closes the window by itself
        if isinstance(error, KnownError):
            log.warning("%s", error.text)
            self.known.emit(translated(error.text))
            return
        log.critical("a fault in Filemill", exc_info=(kind, error, trace))
        self.crashed.emit(report_of(error))

    def _handle_thread(self, arguments: threading.ExceptHookArgs) -> None:
        if arguments.exc_value is not None:
            self.handle(arguments.exc_type, arguments.exc_value, arguments.exc_traceback)


def report_of(error: BaseException) -> str:
    """What helps to mend a fault. No file's content, no environment, no keys."""
    facts = [
        f"Filemill {__version__}",
        f"Python {platform.python_version()}, Qt {qVersion()}",
        platform.platform(),
    ]
    return "\n".join(facts) + "\n\n" + "".join(traceback.format_exception(error))


class CrashDialog(QDialog):
    """Tells of a fault once; further ones while it is open are added to its report."""

    def __init__(self, report: str, log_folder: Path, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Something Went Wrong in Filemill"))
        self.resize(680, 440)
        text = QLabel(
            tr(
                "This is a fault of Filemill, not of your files. What is in the list is safe; you can go on working. "
                "If it happens again, please send this report. It contains no content of your files."
            ),
            self,
        )
        text.setTextFormat(Qt.TextFormat.PlainText)
        text.setWordWrap(True)
        self._report = QPlainTextEdit(report, self)
        self._report.setReadOnly(True)
        self._report.setAccessibleName(tr("Report"))
        self._report.setTabChangesFocus(True)
        self._report.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        where = QLabel(tr("The log is in {folder}.").format(folder=log_folder), self)
        where.setTextFormat(Qt.TextFormat.PlainText)
        where.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        buttons = QDialogButtonBox(self)
        copy = buttons.addButton(tr("Copy Report"), QDialogButtonBox.ButtonRole.ActionRole)
        copy.clicked.connect(self.copy)
        buttons.addButton(QDialogButtonBox.StandardButton.Close).setDefault(True)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 14, 16, 14)
        column.setSpacing(10)
        column.addWidget(text)
        column.addWidget(self._report, 1)
        column.addWidget(where)
        column.addWidget(buttons)

    @property
    def report(self) -> str:
        """All that is in the report."""
        return self._report.toPlainText()

    def add(self, report: str) -> None:
        """Another fault."""
        self._report.appendPlainText(f"\n{report}")

    def copy(self) -> None:
        """Put the report on the clipboard."""
        QGuiApplication.clipboard().setText(self.report)


class CrashDialogs(QObject):
    """Opens the dialog in the main thread, one at a time."""

    def __init__(self, hook: CrashHook, log_folder: Path, window: QWidget) -> None:
        super().__init__(window)
        self._log_folder = log_folder
        self._window = window
        self._dialog: CrashDialog | None = None
        hook.crashed.connect(self.show_report)

    @property
    def dialog(self) -> CrashDialog | None:
        """The dialog that is open."""
        return self._dialog

    @Slot(str)
    def show_report(self, report: str) -> None:
        """Show a report, or add it to the one that is shown."""
        if self._dialog is not None:
            self._dialog.add(report)
            return
        self._dialog = CrashDialog(report, self._log_folder, self._window)
        self._dialog.finished.connect(self._forget)
        self._dialog.open()

    @Slot()
    def _forget(self) -> None:
        if self._dialog is not None:
            self._dialog.deleteLater()
            self._dialog = None
