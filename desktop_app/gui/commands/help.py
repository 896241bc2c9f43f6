"""The Help menu: keyboard shortcuts, log, support report and About."""

from __future__ import annotations

from typing import TYPE_CHECKING

import PySide6
from PySide6.QtCore import QObject, Qt, Signal, Slot, qVersion
from PySide6.QtGui import QAction, QGuiApplication, QKeySequence

from desktop_app import __version__
from desktop_app.gui.commands.actions import Actions, words_of
from desktop_app.gui.desktop.file_manager import Opener
from desktop_app.gui.diagnostics.log_window import LogWindow
from desktop_app.gui.diagnostics.report_dialog import ReportDialog
from desktop_app.gui.i18n import tr
from desktop_app.gui.theme.theme import Theme, program_icon
from desktop_app.gui.widgets.dialogs import MessageBox, PairsDialog
from desktop_app.services.support.report import SupportReport, SupportSources

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PySide6.QtWidgets import QWidget

    from desktop_app.gui.tasks import Tasks
    from desktop_app.gui.window_memory import WindowMemory


class HelpCommands(QObject):
    """The commands Keyboard Shortcuts, Show Log, Save Support Report and About.

    Signals:
        notice(Notice): A message for the user.

    Attributes:
        log: The log window; None until it is opened for the first time.
        report: The report dialog; None unless it is open.
    """

    notice = Signal(object)

    def __init__(
        self,
        actions: Actions,
        tasks: Tasks,
        support: SupportSources,
        memory: WindowMemory,
        theme: Theme,
        window: QWidget,
    ) -> None:
        super().__init__(window)
        self._tasks = tasks
        self._support = support
        self._memory = memory
        self._theme = theme
        self._window = window
        self._opener = Opener(tasks, self)
        self._opener.notice.connect(self.notice)
        self.log: LogWindow | None = None
        self.report: ReportDialog | None = None
        actions.shortcuts.triggered.connect(self.show_shortcuts)
        actions.about.triggered.connect(self.show_about)
        actions.log.triggered.connect(self.show_log)
        actions.report.triggered.connect(self.make_report)

    @Slot()
    def show_shortcuts(self) -> None:
        """Show a list of all keyboard shortcuts."""
        native = QKeySequence.SequenceFormat.NativeText
        pairs = [
            (words_of(action), ", ".join(keys.toString(native) for keys in action.shortcuts()))
            for action in self._window.findChildren(QAction)
            if not action.shortcut().isEmpty()
        ]
        title, explanation = tr("Keyboard Shortcuts"), tr("Keyboard shortcuts in the main window.")
        PairsDialog(title, explanation, (tr("Action"), tr("Keys")), pairs, self._window, name="keys").show()

    @Slot()
    def show_about(self) -> None:
        """Show the version and the licence."""
        box = MessageBox(self._window, textFormat=Qt.TextFormat.PlainText)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.setWindowTitle(tr("About Filemill"))
        box.setIconPixmap(program_icon().pixmap(64, 64))
        box.setText(tr("Filemill {version}").format(version=__version__))
        about = tr("Pick files, process them through a queue, and follow the status of each file.")
        licence = tr("Free software under the MIT licence.")
        box.setInformativeText(f"{about}\n\n{licence}")
        box.open()

    @Slot()
    def show_log(self) -> None:
        """Open the log window, or bring it to the front if it is open."""
        if self.log is None:
            self.log = LogWindow(self._support.home.logs, self._tasks, self._theme, self._window)
            self.log.report_requested.connect(self.make_report)
        self.log.show()
        self.log.raise_()
        self.log.activateWindow()

    @Slot()
    def make_report(self) -> None:
        """Show a support report that is not about an error."""
        self.show_report()

    def show_report(self, fault: str = "") -> None:
        """Create a support report and show it in a dialog. A report dialog that is already open is closed.

        Args:
            fault: The error that the report is about; empty if there is none.
        """
        if self.report is not None:
            self.report.reject()
        report = SupportReport(self._support, program=_program_facts(), fault=fault)
        self.report = ReportDialog(report, self._tasks, self._memory, self._opener.show, self._window)
        self.report.notice.connect(self.notice)
        self.report.finished.connect(self._forget)
        self.report.show()

    @Slot()
    def _forget(self) -> None:
        if self.report is not None:
            self.report.deleteLater()
            self.report = None

    @Slot()
    def close(self) -> None:
        """Close the log window and the report dialog."""
        if self.log is not None:
            self.log.close()
        if self.report is not None:
            self.report.reject()


def _program_facts() -> Iterator[str]:
    """Yield the support report's lines about Qt and the screens."""
    yield f"Qt {qVersion()}, PySide6 {PySide6.__version__}, platform “{QGuiApplication.platformName()}”"
    for screen in QGuiApplication.screens():
        size = screen.size()
        yield f"Screen {size.width()} x {size.height()} at {screen.devicePixelRatio():g}"
