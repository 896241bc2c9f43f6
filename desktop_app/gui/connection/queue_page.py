"""The queue page of the Connection dialog: the form, the list of queues, and the connection test."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QElapsedTimer, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QGuiApplication, QKeyEvent, QKeySequence, QResizeEvent
from PySide6.QtWidgets import QLabel, QListWidget, QListWidgetItem, QPushButton, QWidget

from desktop_app.config.server_address import is_server_url
from desktop_app.domain.assurances import text_in_test
from desktop_app.domain.connection_checks import Check, Finding, FoundQueue, Verdict
from desktop_app.domain.errors import KnownError, SettingsError
from desktop_app.domain.queue_key import NO_ACCOUNT, account_of
from desktop_app.domain.secrets import masked
from desktop_app.domain.sentences import display_text
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
_UPDATE_MS = 1_000
_MOVING_MS = 100
"""How long the field may move after its hint has appeared, so that a list opened before would lie beside it."""
_LEAST_LINES, _MOST_LINES = 4, 16
"""The height of the list of findings."""
_SILENT_SECONDS = 3
"""After this time, the duration of a test is shown."""
_ICONS = {
    Verdict.FINE: ("status-processed", "processed"),
    Verdict.NOTE: ("info", "muted"),
    Verdict.TROUBLE: ("status-failed", "failed"),
}


class QueuePage(ConnectionPage):
    """The page on which the user selects the queue. Profiles, regions and queues are loaded off the main thread.

    Signals:
        ready(): The queue that was missing is the only one there is, and is now entered.

    Attributes:
        form: The fields.
        checks: The findings of the connection test.
        test, fix: The buttons that start the test and fix the first problem found.

    Args:
        controller: The current connection.
        tasks: The thread pool on which the profiles and regions are read.
        listing, testing: The streams that list the queues and test the connection; they must outlive the page.
        button_for: Called with an error found by the test; returns the button that fixes the error, or None.
        keep_keys: Called with the saved connection, the connection whose keys were remembered before, if any, and
            whether to remember the keys of the saved one.
        local_facts: The text about the queue on this computer.
        theme: The colours and icons.
    """

    _slow = Signal(object, object)

    def __init__(
        self,
        controller: ConnectionController,
        tasks: Tasks,
        *,
        listing: Stream,
        testing: Stream,
        button_for: Callable[[KnownError], NoticeAction | None],
        keep_keys: Callable[[Connection, Connection | None, bool], object],
        local_facts: str,
        theme: Theme,
    ) -> None:
        super().__init__(tr("Queue"))
        self._controller = controller
        self._tasks = tasks
        self._listing = listing
        self._testing = testing
        self._button_for = button_for
        self._keep_keys = keep_keys
        self._queues: list[str] = []
        self._place = ""
        """Where the listed queues are."""
        self._fix: NoticeAction | None = None
        self._listed: Connection | None = None
        self._tested: Connection | None = None
        self._connects_then = False
        """Whether to connect if the listing finds a single queue."""
        self._knows_keyring = False
        self._remembered = controller.remembered
        self._since_test = QElapsedTimer()
        self._waiting_for = ""
        """The sentence about what the test waits for, if that is known."""
        self._timer = QTimer(self, interval=_UPDATE_MS)
        self.form = ConnectionForm()
        self.checks = CheckList(theme)
        self.test = QPushButton(tr("&Test"))
        self.fix = QPushButton()
        self._overrides = Hint(self)
        self.form.set_local_facts(local_facts)
        self._test_title = QLabel(textFormat=Qt.TextFormat.PlainText, wordWrap=True)
        self._test_title.setObjectName("noticeTitle")
        for widget in (self.form, self._overrides, self.problem, self._test_title):
            self.column.addWidget(widget)
        self.column.addWidget(self.checks, 1)
        self.column.addStretch()
        self.buttons.addWidget(self.test)
        self.buttons.addWidget(self.fix)
        self.buttons.addStretch(1)
        self._show_overrides()
        self._test_title.hide()
        self.checks.hide()
        self.fix.hide()
        self._connect()
        self.form.set_connection(
            controller.connection, processes_here=controller.processes_here, remembered=self._remembered
        )
        self.setFocusProxy(self.form.first_field)

    def _connect(self) -> None:
        self.form.changed.connect(partial(self.show_problem, ""))
        self.form.changed.connect(self._discard_outdated)
        self.form.changed.connect(self._look_for_keyring)
        self.form.resized.connect(self.resized)
        self.form.list_queues.clicked.connect(self._list_or_stop)
        self.form.reload.clicked.connect(self.load)
        self.test.clicked.connect(self._test_or_stop)
        self.fix.clicked.connect(self._run_fix)
        self._listing.result.connect(self._add_queues)
        self._listing.finished.connect(self._finish_listing)
        self._listing.failed.connect(self._fail_listing)
        self._testing.result.connect(self._add_finding)
        self._testing.finished.connect(self._finish_test)
        self._testing.failed.connect(self._fail_test)
        self._slow.connect(self._show_slow)
        self._timer.timeout.connect(self._show_duration)

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
        self._tasks.run(self._controller.advisor.profiles, self.form.set_profiles)
        self._tasks.run(self._controller.advisor.regions, self.form.region.set_names)

    @Slot()
    def _look_for_keyring(self) -> None:
        """Find out whether the system's keyring can be used, once the page for a server is shown."""
        if not self._knows_keyring and self.form.place is Place.SERVER:
            self._knows_keyring = True
            self._tasks.run(self._controller.advisor.keyring_problem, self._set_keyring_problem)

    def _set_keyring_problem(self, why: str) -> None:
        self.form.set_keyring_problem(translated(why))

    def validate(self) -> bool:
        """Return whether the entered connection is valid; if not, show the reason, or list the queues to choose from.

        If there is only one on the entered server, the page then becomes valid by itself.
        """
        return self._entered(connects_then=self.form.place is Place.SERVER) is not None

    def save(self) -> None:
        """Save the entered connection for the next start.

        Raises:
            SettingsError: If it can't be saved.
        """
        entered = self.form.entered
        self._controller.save(entered, process_here=self.form.process_here.isChecked())
        self._keep_keys(entered, self._remembered, self.form.remember.isChecked())

    def connect_to_entered(self) -> None:
        """Switch to the entered connection, which must be valid."""
        self._controller.change_to(self.form.entered, process_here=self.form.process_here.isChecked())

    @Slot()
    def stop(self) -> None:
        """Stop listing and testing."""
        self._timer.stop()
        self._listing.stop()
        self._testing.stop()

    def focus_on(self, field: str) -> bool:
        """Focus the field `profile`, `region`, `queue` or `keys`; return False for any other name."""
        form = self.form
        widgets = {"profile": form.profile, "region": form.region, "queue": form.queue, "keys": form.key_id}
        if field not in widgets:
            return False
        if field == "keys":
            form.places[Place.SERVER.value].setChecked(True)
            form.use_profile.setChecked(False)
        elif form.place is Place.COMPUTER:
            form.places[Place.AWS.value].setChecked(True)
        elif field != "queue" and form.place is Place.SERVER:
            form.use_profile.setChecked(True)
        widgets[field].setFocus(Qt.FocusReason.OtherFocusReason)
        return True

    def _entered(self, *, connects_then: bool = False) -> Connection | None:
        """Return the entered connection if it is valid; otherwise show the reason and return None.

        Args:
            connects_then: Whether to connect if a missing queue turns out to be the only one there is.
        """
        self.form.complete()
        entered = self.form.entered
        if not self._is_reached(entered):
            return None
        if self.form.place is not Place.COMPUTER and not entered.queue:
            self._connects_then = connects_then
            if not connects_then:
                self.show_problem(tr("Choose a queue, or type its name, URL or ARN."))
            self.form.queue.setFocus()
            if not self._listing.is_running:
                self._list()
            return None
        try:
            return self._controller.check(entered)
        except SettingsError as error:
            self.show_problem(translated(error.text))
            self.form.queue.setFocus()
            return None

    def _is_reached(self, entered: Connection) -> bool:
        """Return whether the entered server and keys can be used; if not, show the reason."""
        if (why := self._why_not_reached(entered)) is None:
            return True
        text, field = why
        self.show_problem(text)
        field.setFocus()
        return False

    def _why_not_reached(self, entered: Connection) -> tuple[str, QWidget] | None:
        """Return why the entered server and keys can't be used, with the field to correct; None if they can."""
        if self.form.place is not Place.SERVER:
            return None
        if not entered.endpoint_url and "://" not in entered.queue:
            return tr("Type the server's address, such as 127.0.0.1:9324."), self.form.server
        if entered.endpoint_url and not is_server_url(entered.endpoint_url):
            text = tr(
                "“{text}” is not the address of a server. Type it as in 127.0.0.1:9324 or https://sqs.example.org."
            )
            return text.format(text=display_text(masked(self.form.server.text().strip()))), self.form.server
        if self.form.is_half_of_keys_missing:
            missing = self.form.secret if self.form.key_id.text().strip() else self.form.key_id
            return tr("Type both the access key ID and the secret access key, or neither."), missing
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
            self.resized.emit()

    # --- listing the queues

    @Slot()
    def _list_or_stop(self) -> None:
        self._connects_then = False
        if self._listing.is_running:
            self._listing.stop()
            self._end_listing(tr("Stopped."))
            return
        self.form.complete()
        if self._is_reached(self.form.entered):
            self._list()

    def _list(self) -> None:
        # Any name will do; without one, the connection would use the embedded queue.
        self._listed = connection = replace(self.form.entered, queue="any")
        self._queues = []
        self.form.list_queues.setText(tr("Stop"))
        self._show_in_hint(tr("Looking for queues…"))
        notify = partial(self._slow.emit, self._listing)
        self._listing.start(lambda stop: self._controller.advisor.queues(connection, stop, notify))

    @Slot(object)
    def _add_queues(self, found: list[FoundQueue]) -> None:
        self._queues = sorted([*self._queues, *(queue.name for queue in found)])
        if found:
            self._place = self._place_of(found[0])
        self.form.queue.set_names(self._queues, self._place)
        self._show_in_hint(tr("%Ln queue(s) so far…", "", len(self._queues)))

    def _place_of(self, queue: FoundQueue) -> str:
        """Return where a queue is: its server, or its region and account."""
        server = self._listed.place[0].partition("://")[2] if self._listed is not None else ""
        if server:
            return server
        account = account_of(queue.url)
        if not account or account == NO_ACCOUNT:
            return queue.region
        return tr("{region}, account {account}").format(region=queue.region, account=account)

    @Slot()
    def _finish_listing(self) -> None:
        count = len(self._queues)
        connects, self._connects_then = self._connects_then, False
        if not count:
            self._end_listing(tr("There are no queues here. You can type the name of one that you will create."))
            return
        self._end_listing(tr("%Ln queue(s) found: {place}", "", count).format(place=self._place))
        if connects and count == 1:
            self.form.queue.setEditText(self._queues[0])
            self.ready.emit()
        elif connects:
            self.show_problem(tr("Choose a queue, or type its name, URL or ARN."))
            self.form.queue.setFocus()
            QTimer.singleShot(_MOVING_MS, self, self._show_queues)

    @Slot()
    def _show_queues(self) -> None:
        if self.form.queue.isVisible() and not self.form.queue.currentText():
            self.form.queue.offer()

    @Slot(object)
    def _fail_listing(self, error: KnownError) -> None:
        self._connects_then = False
        self._end_listing(
            tr("▲ {trouble} You can still type the name.").format(trouble=translated(text_in_test(error)))
        )

    def _end_listing(self, text: str) -> None:
        self.form.list_queues.setText(tr("List Queues"))
        self._show_in_hint(text)

    def _show_in_hint(self, text: str) -> None:
        """Show how the listing goes."""
        self.form.queue_hint.show_text(text)
        self.resized.emit()
        if text:
            self.reveal(self.form.queue_hint)

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
        self._waiting_for = ""
        self.checks.clear()
        self.fix.hide()
        self.checks.hide()
        self._test_title.show()
        self._since_test.start()
        self._timer.start()
        self._show_duration()
        self.test.setText(tr("S&top Test"))
        self.resized.emit()
        self.reveal(self._test_title)
        notify = partial(self._slow.emit, self._testing)
        self._testing.start(lambda stop: self._controller.advisor.test(connection, stop, notify))

    @Slot(object)
    def _add_finding(self, finding: Finding) -> None:
        self.checks.add(finding)
        self.checks.show()
        self.resized.emit()
        self.reveal(self.checks)

    @Slot()
    def _show_duration(self) -> None:
        """Show how long the test has been running, and what it waits for."""
        seconds = self._since_test.elapsed() // 1000
        text = tr("Testing…") if seconds < _SILENT_SECONDS else tr("Testing… {seconds} s").format(seconds=seconds)
        self._test_title.setText(f"{text} {self._waiting_for}".strip())

    @Slot(object, object)
    def _show_slow(self, stream: Stream, sentence: str) -> None:
        """Show which program the test or the listing waits for. It can be stopped."""
        if not stream.is_running:
            return
        if stream is self._listing:
            self._show_in_hint(translated(sentence))
        else:
            self._waiting_for = translated(sentence)
            self._show_duration()
            self.resized.emit()

    @Slot(object)
    def _fail_test(self, error: KnownError) -> None:
        self._add_finding(Finding(Check.QUEUE, Verdict.TROUBLE, text_in_test(error), error))
        self._finish_test()

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
        self._timer.stop()
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
        self.setVerticalScrollMode(QListWidget.ScrollMode.ScrollPerPixel)
        self.setIconSize(QSize(16, 16))
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFrameShape(QListWidget.Shape.NoFrame)

    def clear(self) -> None:
        """Remove all findings."""
        self.findings.clear()
        super().clear()
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Wrap the texts at the new width."""
        super().resizeEvent(event)
        self._fit()

    def sizeHint(self) -> QSize:
        """Return the size at which the findings are visible."""
        return QSize(super().sizeHint().width(), self.minimumHeight())

    def _fit(self) -> None:
        """Be as high as the findings, within limits."""
        line = self.fontMetrics().lineSpacing()
        self.doItemsLayout()
        rows = sum(self.visualItemRect(self.item(row)).height() for row in range(self.count()))
        self.setMinimumHeight(max(_LEAST_LINES * line, min(rows + line // 2, _MOST_LINES * line)))

    def add(self, finding: Finding) -> None:
        """Append a finding."""
        self.findings.append(finding)
        item = QListWidgetItem(translated(finding.text), self)
        verdict = {Verdict.FINE: tr("OK"), Verdict.NOTE: tr("Note"), Verdict.TROUBLE: tr("Problem")}[finding.verdict]
        item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{verdict}: {item.text()}")
        item.setIcon(self._theme.icon(*_ICONS[finding.verdict]))
        self._fit()
        self.scrollToItem(item)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Copy all findings on Ctrl+C; Qt would copy only the current one."""
        if event.matches(QKeySequence.StandardKey.Copy):
            lines = (f"{_MARKS[finding.verdict]} {translated(finding.text)}" for finding in self.findings)
            QGuiApplication.clipboard().setText("\n".join(lines))
            event.accept()
        else:
            super().keyPressEvent(event)
