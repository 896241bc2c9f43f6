"""From the actions that tell what goes on inside to their windows: the log, the support report."""

from __future__ import annotations

from typing import TYPE_CHECKING

import PySide6
from PySide6.QtCore import QObject, Signal, Slot, qVersion
from PySide6.QtGui import QGuiApplication

from desktop_app.gui.diagnostics.log_window import LogWindow
from desktop_app.gui.diagnostics.report_dialog import ReportDialog
from desktop_app.services.support.report import SupportReport

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PySide6.QtWidgets import QWidget

    from desktop_app.gui.commands.actions import Actions
    from desktop_app.gui.tasks import Tasks
    from desktop_app.gui.theme.theme import Theme
    from desktop_app.gui.window_memory import WindowMemory
    from desktop_app.services.support.report import SupportSources


class HelpCommands(QObject):
    """Opens each of them once, beside the main window.

    Signals:
        said(Notice): What a person should know about it.

    Attributes:
        log: The log's window; None before it was asked for.
        report: The report's dialog, while it is open.
    """

    said = Signal(object)

    def __init__(
        self,
        actions: Actions,
        tasks: Tasks,
        support: SupportSources,
        memory: WindowMemory,
        look: Theme,
        window: QWidget,
    ) -> None:
        super().__init__(window)
        self._tasks = tasks
        self._support = support
        self._memory = memory
        self._look = look
        self._window = window
        self.log: LogWindow | None = None
        self.report: ReportDialog | None = None
        actions.log.triggered.connect(self.show_log)
        actions.report.triggered.connect(self.make_report)

    @Slot()
    def show_log(self) -> None:
        """Open the log's window, or bring it to the front."""
        if self.log is None:
            self.log = LogWindow(self._support.home.logs, self._tasks, self._look, self._window)
            self.log.report_wanted.connect(self.make_report)
        self.log.show()
        self.log.raise_()
        self.log.activateWindow()

    @Slot()
    def make_report(self) -> None:
        """Collect a report without a fault."""
        self.show_report()

    def show_report(self, fault: str = "") -> None:
        """Collect a report and show it; one that is open is replaced, since its facts are old.

        Args:
            fault: What has just happened; empty if nothing has.
        """
        if self.report is not None:
            self.report.reject()
        report = SupportReport(self._support, program=_program_facts(), fault=fault)
        self.report = ReportDialog(report, self._tasks, self._memory, self._window)
        self.report.said.connect(self.said)
        self.report.finished.connect(self._forget)
        self.report.show()

    @Slot()
    def _forget(self) -> None:
        if self.report is not None:
            self.report.deleteLater()
            self.report = None

    @Slot()
    def close(self) -> None:
        """The main window is gone, so these go too."""
        if self.log is not None:
            self.log.close()
        if self.report is not None:
            self.report.reject()


def _program_facts() -> Iterator[str]:
    yield f"Qt {qVersion()}, PySide6 {PySide6.__version__}, platform “{QGuiApplication.platformName()}”"
    for screen in QGuiApplication.screens():
        size = screen.size()
        yield f"Screen {size.width()} x {size.height()} at {screen.devicePixelRatio():g}"
