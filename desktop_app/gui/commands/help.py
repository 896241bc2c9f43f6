"""The Help menu: the help, keyboard shortcuts, log, support report and About.

The windows are imported when they are opened, so that the program starts sooner.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import PySide6
from PySide6.QtCore import QObject, Signal, Slot, qVersion
from PySide6.QtGui import QAction, QGuiApplication

from desktop_app.domain.sentences import display_text
from desktop_app.gui.commands.actions import Actions, words_of
from desktop_app.gui.desktop.file_manager import Opener
from desktop_app.gui.i18n import tr
from desktop_app.gui.widgets.dialogs import PairsDialog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from PySide6.QtWidgets import QWidget

    from desktop_app.gui.diagnostics.log_window import LogWindow
    from desktop_app.gui.diagnostics.report_dialog import ReportDialog
    from desktop_app.gui.help.help_window import HelpWindow
    from desktop_app.gui.tasks import Tasks
    from desktop_app.gui.theme.theme import Theme
    from desktop_app.gui.window_memory import WindowMemory
    from desktop_app.services.support.report import SupportSources


NAMED_ACTIONS = ("add_files", "paste", "settings", "retry", "pause", "filter", "connection")
"""The actions whose keys are shown in the text of the help."""


class HelpCommands(QObject):
    """The commands Help, Keyboard Shortcuts, Show Log, Save Support Report and About.

    Signals:
        notice(Notice): A message for the user.

    Attributes:
        log: The log window; None until it is opened for the first time.
        report: The report dialog; None unless it is open.
        help: The help; None until it is opened for the first time.

    Args:
        actions, tasks, support, memory, theme, window: The parts of the window.
        syntax: Returns what can be typed into the filter box, for the help: examples, and what they find.
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
        *,
        syntax: Callable[[], Iterable[tuple[str, str]]],
    ) -> None:
        super().__init__(window)
        self._syntax = syntax
        self._actions = actions
        self._tasks = tasks
        self._support = support
        self._memory = memory
        self._theme = theme
        self._window = window
        self._opener = Opener(tasks, self)
        self._opener.notice.connect(self.notice)
        self.log: LogWindow | None = None
        self.report: ReportDialog | None = None
        self.help: HelpWindow | None = None
        actions.help.triggered.connect(self.show_help)
        actions.shortcuts.triggered.connect(self.show_shortcuts)
        actions.about.triggered.connect(self.show_about)
        actions.log.triggered.connect(self.show_log)
        actions.report.triggered.connect(lambda: self.show_report())  # noqa: PLW0108 - drop the argument

    @Slot()
    def show_shortcuts(self) -> None:
        """Show a list of all keyboard shortcuts."""
        title, explanation = tr("Keyboard Shortcuts"), tr("Keyboard shortcuts in the main window.")
        pairs = self._shortcuts()
        PairsDialog(title, explanation, (tr("Action"), tr("Keys")), pairs, self._window, name="keys").show()

    def _shortcuts(self) -> list[tuple[str, str]]:
        """Return the actions of the window that have keys, with these."""
        from desktop_app.gui.help.help_window import keys_of

        actions = self._window.findChildren(QAction)
        return [(words_of(action), keys_of(action)) for action in actions if not action.shortcut().isEmpty()]

    @Slot()
    def show_help(self) -> None:
        """Open the help, or bring it to the front."""
        if self.help is None:
            from desktop_app.gui.help.help_window import HelpWindow

            home, database = self._support.home, self._support.database
            places = {"database": database.path, "settings_file": home.settings_file, "logs": home.logs}
            texts = {name: display_text(str(place)) for name, place in places.items()}
            named = {name: getattr(self._actions, name) for name in NAMED_ACTIONS}
            self.help = HelpWindow(texts, named, self._syntax(), self._shortcuts(), self._theme, self._window)
        self.help.show()
        self.help.raise_()
        self.help.activateWindow()

    @Slot()
    def show_help_about_data(self) -> None:
        """Open the help at the section about where the data is."""
        self.show_help()
        if self.help is not None:
            self.help.show_section("data")

    @Slot()
    def show_about(self) -> None:
        """Show the version, the libraries and the licences."""
        from desktop_app.gui.help.about import AboutDialog

        AboutDialog(self._window).open()

    @Slot()
    def show_log(self) -> None:
        """Open the log window, or bring it to the front if it is open."""
        if self.log is None:
            from desktop_app.gui.diagnostics.log_window import LogWindow

            self.log = LogWindow(self._support.home.logs, self._tasks, self._theme, self._window)
            self.log.report_requested.connect(self.show_report)
        self.log.show()
        self.log.raise_()
        self.log.activateWindow()

    def show_report(self, fault: str = "") -> None:
        """Create a support report and show it in a dialog. A report dialog that is already open is closed.

        Args:
            fault: The error that the report is about; empty if there is none.
        """
        from desktop_app.gui.diagnostics.report_dialog import ReportDialog
        from desktop_app.services.support.report import SupportReport

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
        """Close the log window, the help and the report dialog."""
        for window in (self.log, self.help):
            if window is not None:
                window.close()
        if self.report is not None:
            self.report.reject()


def _program_facts() -> Iterator[str]:
    """Yield the support report's lines about Qt and the screens."""
    yield f"Qt {qVersion()}, PySide6 {PySide6.__version__}, platform “{QGuiApplication.platformName()}”"
    for screen in QGuiApplication.screens():
        size = screen.size()
        yield f"Screen {size.width()} x {size.height()} at {screen.devicePixelRatio():g}"
