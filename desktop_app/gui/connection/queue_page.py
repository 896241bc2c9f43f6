"""The queue page of the Connection dialog: the form, the list of queues, and the connection test."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, QTimer, Slot
from PySide6.QtGui import QGuiApplication, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QLabel, QListWidget, QListWidgetItem, QPushButton

from desktop_app.domain.connection_checks import Finding, FoundQueue, Profiles, Verdict
from desktop_app.domain.errors import KnownError, SettingsError
from desktop_app.gui.connection.dialog import ConnectionPage
from desktop_app.gui.connection.form import ConnectionForm, Hint, Place
from desktop_app.gui.i18n import tr, translated

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop_app.config.settings import Connection
    from desktop_app.gui.connection.controller import ConnectionController
    from desktop_app.gui.tasks import Stream, Tasks
    from desktop_app.gui.theme.theme import Theme
    from desktop_app.gui.widgets.notice import NoticeAction


_MARKS = {Verdict.FINE: "✓", Verdict.NOTE: "–", Verdict.TROUBLE: "▲"}
_ICONS = {Verdict.FINE: "status-processed", Verdict.NOTE: "info", Verdict.TROUBLE: "status-failed"}


class QueuePage(ConnectionPage):
    """The page on which the user selects the queue. Profiles, regions and queues are loaded off the main thread.

    Attributes:
        form: The fields.
        checks: The findings of the connection test.
        test, fix: The buttons that start the test and fix the first problem found.

    Args:
        controller: The current connection.
        tasks: The thread pool on which the profiles and regions are read.
        listing, testing: The streams that list the queues and test the connection; they must outlive the page.
        button_for: Called with an error found by the test; returns the button that fixes the error, or None.
        theme: The colours and icons.
    """

    def __init__(
        self,
        controller: ConnectionController,
        tasks: Tasks,
        *,
        listing: Stream,
        testing: Stream,
        button_for: Callable[[KnownError], NoticeAction | None],
        theme: Theme,
    ) -> None:
        super().__init__(tr("Queue"))
        self._controller = controller
        self._tasks = tasks
        self._listing = listing
        self._testing = testing
        self._button_for = button_for
        self._is_closed = False
        self._queues: list[str] = []
        self._fix: NoticeAction | None = None
        self._listed: Connection | None = None
        self._tested: Connection | None = None
        self.form = ConnectionForm()
        self.checks = CheckList(theme)
        self.test = QPushButton(tr("&Test"))
        self.fix = QPushButton()
        self._overrides = Hint(self)
        self._test_title = QLabel()
        self._test_title.setObjectName("noticeTitle")
        for widget in (self.form, self._overrides, self.problem, self._test_title):
            self.column.addWidget(widget)
        self.column.addWidget(self.checks, 1)
        self.checks.setMinimumHeight(self.fontMetrics().lineSpacing() * 10)
        self.column.addStretch()
        self.buttons.addWidget(self.test)
        self.buttons.addWidget(self.fix)
        self.buttons.addStretch(1)
        self.setFocusProxy(self.form.places[0])
        self._show_overrides()
        self._test_title.hide()
        self.checks.hide()
        self.fix.hide()
        self._connect()
        self.form.set_connection(controller.connection, processes_here=controller.processes_here)

    def _connect(self) -> None:
        self.form.changed.connect(partial(self.show_problem, ""))
        self.form.changed.connect(self._discard_outdated)
        self.form.list_queues.clicked.connect(self._list_or_stop)
        self.form.reload.clicked.connect(self.load)
        self.test.clicked.connect(self._test_or_stop)
        self.fix.clicked.connect(self._run_fix)
        self._listing.result.connect(self._add_queues)
        self._listing.finished.connect(self._finish_listing)
        self._listing.failed.connect(self._fail_listing)
        self._testing.result.connect(self.checks.add)
        self._testing.finished.connect(self._finish_test)

    def _show_overrides(self) -> None:
        names = self._controller.overrides
        text = tr("Set by environment variables, which will apply again at the next start: {names}").format(
            names=", ".join(names)
        )
        self._overrides.show_text(text if names else "")

    # --- overrides of ConnectionPage

    @Slot()
    def load(self) -> None:
        """Read the profiles and the regions."""
        self._tasks.run(self._controller.advisor.profiles, self._set_profiles)
        self._tasks.run(self._controller.advisor.regions, self._set_regions)

    def _set_profiles(self, profiles: Profiles) -> None:
        if not self._is_closed:
            self.form.set_profiles(profiles)

    def _set_regions(self, names: list[str]) -> None:
        if not self._is_closed:
            self.form.region.set_names(names)

    def validate(self) -> bool:
        """Return whether the entered connection is valid; if not, show the reason."""
        return self._entered() is not None

    def save(self) -> None:
        """Save the entered connection for the next start.

        Raises:
            SettingsError: If it can't be saved.
        """
        self._controller.save(self.form.entered, process_here=self.form.process_here.isChecked())

    def connect_to_entered(self) -> None:
        """Switch to the entered connection, which must be valid."""
        self._controller.change_to(self.form.entered, process_here=self.form.process_here.isChecked())

    @Slot()
    def stop(self) -> None:
        """Stop listing and testing."""
        self._is_closed = True
        self._listing.stop()
        self._testing.stop()

    def focus_on(self, field: str) -> bool:
        """Focus the field `profile`, `region` or `queue`; return False for any other name."""
        widgets = {"profile": self.form.profile, "region": self.form.region, "queue": self.form.queue}
        if field not in widgets:
            return False
        if self.form.place is Place.COMPUTER:
            self.form.places[Place.AWS.value].setChecked(True)
        widgets[field].setFocus(Qt.FocusReason.OtherFocusReason)
        return True

    def _entered(self) -> Connection | None:
        """Return the entered connection if it is valid; otherwise show the reason and return None."""
        entered = self.form.entered
        if self.form.place is not Place.COMPUTER and not entered.queue:
            self.show_problem(tr("Choose a queue, or type its name, URL or ARN."))
            self.form.queue.setFocus()
            return None
        if self.form.place is Place.SERVER and not entered.endpoint_url and "://" not in entered.queue:
            self.show_problem(tr("Type the server's address, such as http://localhost:9324."))
            self.form.server.setFocus()
            return None
        try:
            return self._controller.check(entered)
        except SettingsError as error:
            self.show_problem(translated(error.text))
            return None

    @Slot()
    def _discard_outdated(self) -> None:
        """Discard the results of listing and testing that belong to a connection which is no longer the entered one."""
        entered = self.form.entered
        if self._listed is not None and self._listed != replace(entered, queue=self._listed.queue):
            self._listed = None
            self._listing.stop()
            self._queues = []
            self.form.queue.set_names([])
            self._end_listing("")
        if self._tested is not None and self._tested != entered:
            self._tested = None
            self._testing.stop()
            self._end_test("")
            for widget in (self._test_title, self.checks, self.fix):
                widget.hide()

    # --- listing the queues

    @Slot()
    def _list_or_stop(self) -> None:
        if self._listing.is_running:
            self._listing.stop()
            self._end_listing(tr("Stopped."))
            return
        # Any name will do; without one, the connection would use the embedded queue.
        self._listed = connection = replace(self.form.entered, queue="any")
        self._queues = []
        self.form.list_queues.setText(tr("Stop"))
        self.form.queue_hint.show_text(tr("Looking for queues…"))
        self._listing.start(partial(self._controller.advisor.queues, connection))

    @Slot(object)
    def _add_queues(self, found: list[FoundQueue]) -> None:
        self._queues += [queue.name for queue in found]
        self.form.queue.set_names(self._queues)
        self.form.queue_hint.show_text(tr("%Ln queue(s) so far…", "", len(self._queues)))

    @Slot()
    def _finish_listing(self) -> None:
        count = len(self._queues)
        self._end_listing(tr("%Ln queue(s) found", "", count) if count else tr("There are no queues here."))

    @Slot(object)
    def _fail_listing(self, error: KnownError) -> None:
        self._end_listing(tr("▲ {trouble} You can still type the name.").format(trouble=translated(error.text)))

    def _end_listing(self, text: str) -> None:
        self.form.list_queues.setText(tr("List Queues"))
        self.form.queue_hint.show_text(text)

    # --- testing the connection

    @Slot()
    def _test_or_stop(self) -> None:
        if self._testing.is_running:
            self._testing.stop()
            self._end_test(tr("Test: stopped"))
            return
        connection = self._entered()
        if connection is None:
            return
        self._tested = self.form.entered
        self.checks.clear()
        self.fix.hide()
        self.checks.show()
        self._test_title.show()
        self._test_title.setText(tr("Testing…"))
        self.test.setText(tr("S&top Test"))
        QTimer.singleShot(0, self, lambda: self.ensureWidgetVisible(self.checks))  # once the layout is updated
        self._testing.start(partial(self._controller.advisor.test, connection))

    @Slot()
    def _finish_test(self) -> None:
        troubles = [finding for finding in self.checks.findings if finding.verdict is Verdict.TROUBLE]
        self._end_test(tr("Test: problems found") if troubles else tr("Test: everything works"))
        error = troubles[0].error if troubles else None
        self._fix = self._button_for(error) if error is not None else None
        self.fix.setVisible(self._fix is not None)
        if self._fix is not None:
            self.fix.setText(self._fix.text)

    @Slot()
    def _run_fix(self) -> None:
        if self._fix is not None:
            self._fix.run()

    def _end_test(self, text: str) -> None:
        self._test_title.setText(text)
        self.test.setText(tr("&Test"))


class CheckList(QListWidget):
    """The findings of a connection test, each with an icon.

    Attributes:
        findings: The findings, one per item.
    """

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.findings: list[Finding] = []
        self.setAccessibleName(tr("Test results"))
        self.setWordWrap(True)
        self.setIconSize(QSize(16, 16))
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFrameShape(QListWidget.Shape.NoFrame)
        theme.changed.connect(self._draw)

    def clear(self) -> None:
        """Remove all findings."""
        self.findings.clear()
        super().clear()

    def add(self, finding: Finding) -> None:
        """Append a finding."""
        self.findings.append(finding)
        item = QListWidgetItem(translated(finding.text), self)
        verdict = {Verdict.FINE: tr("OK"), Verdict.NOTE: tr("Note"), Verdict.TROUBLE: tr("Problem")}[finding.verdict]
        item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{verdict}: {item.text()}")
        self._draw_item(item, finding)
        self.scrollToItem(item)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Copy all findings on Ctrl+C; Qt would copy only the current one."""
        if event.matches(QKeySequence.StandardKey.Copy):
            lines = (f"{_MARKS[finding.verdict]} {translated(finding.text)}" for finding in self.findings)
            QGuiApplication.clipboard().setText("\n".join(lines))
            event.accept()
        else:
            super().keyPressEvent(event)

    @Slot()
    def _draw(self) -> None:
        for row, finding in enumerate(self.findings):
            self._draw_item(self.item(row), finding)

    def _draw_item(self, item: QListWidgetItem, finding: Finding) -> None:
        hues = self._theme.colours
        colours = {Verdict.FINE: hues.processed, Verdict.NOTE: hues.muted, Verdict.TROUBLE: hues.failed}
        item.setIcon(self._theme.icon(_ICONS[finding.verdict], colours[finding.verdict]))
