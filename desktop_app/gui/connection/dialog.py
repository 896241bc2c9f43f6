"""The answers of a test, one line each, as they come."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QGuiApplication, QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QDialogButtonBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from desktop_app.domain.connection_checks import Finding, FoundQueue, Profiles, Verdict
from desktop_app.domain.errors import KnownError, SettingsError
from desktop_app.gui.connection.form import ConnectionForm, Place
from desktop_app.gui.i18n import tr, translated

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop_app.config.settings import Connection
    from desktop_app.domain.errors import KnownError
    from desktop_app.gui.ports import Office
    from desktop_app.gui.tasks import Stream, Tasks
    from desktop_app.gui.theme.theme import Theme
    from desktop_app.gui.widgets.notice import NoticeAction
    from desktop_app.services.support.connection_advisor import ConnectionAdvisor


_MARKS = {Verdict.FINE: "✓", Verdict.NOTE: "–", Verdict.TROUBLE: "▲"}

_ICONS = {Verdict.FINE: "status-processed", Verdict.NOTE: "info", Verdict.TROUBLE: "status-failed"}


class CheckList(QListWidget):
    """Findings with a shape before each; read line by line, with the keyboard too."""

    def __init__(self, look: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._look = look
        self._findings: list[Finding] = []
        self.setAccessibleName(tr("What the test has found"))
        self.setWordWrap(True)
        self.setIconSize(QSize(16, 16))
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setUniformItemSizes(False)
        self.setFrameShape(QListWidget.Shape.NoFrame)
        look.changed.connect(self._draw)

    @property
    def findings(self) -> list[Finding]:
        """What is listed."""
        return list(self._findings)

    def begin(self) -> None:
        """Forget the last test."""
        self._findings.clear()
        self.clear()

    def add(self, finding: Finding) -> None:
        """One more."""
        self._findings.append(finding)
        item = QListWidgetItem(translated(finding.text), self)
        mark = {Verdict.FINE: tr("Fine"), Verdict.NOTE: tr("Note"), Verdict.TROUBLE: tr("Trouble")}[finding.verdict]
        item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{mark}: {item.text()}")
        self._draw_item(item, finding)
        self.scrollToItem(item)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Copying takes all lines, not only the current one."""
        if event.matches(QKeySequence.StandardKey.Copy):
            QGuiApplication.clipboard().setText(self.as_text())
            event.accept()
        else:
            super().keyPressEvent(event)

    def as_text(self) -> str:
        """All of it, to be copied."""
        return "\n".join(f"{_MARKS[one.verdict]} {translated(one.text)}" for one in self._findings)

    @Slot()
    def _draw(self) -> None:
        for row, finding in enumerate(self._findings):
            self._draw_item(self.item(row), finding)

    def _draw_item(self, item: QListWidgetItem, finding: Finding) -> None:
        colours = self._look.colours
        colour = {
            Verdict.FINE: colours.processed,
            Verdict.NOTE: colours.muted,
            Verdict.TROUBLE: colours.failed,
        }[finding.verdict]
        item.setIcon(self._look.icon(_ICONS[finding.verdict], colour))


_SIZE = (620, 660)

_LEAST = (420, 320)


class ConnectionDialog(QDialog):
    """Never waits: what has to be looked up comes when it comes. Deletes itself when it is closed.

    Signals:
        complained(str): Another connection is used, but something about it could not be done.

    Attributes:
        form, checks, test, connect_now: Its parts.

    Args:
        office: The connection of now.
        look_ups: How things are found out.
        look: How it looks.
        parent: Qt's owner.
    """

    complained = Signal(str)

    def __init__(self, office: Office, look_ups: LookUps, look: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._office = office
        self._ask = look_ups
        self._is_over = False
        self._queues: list[str] = []
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(tr("Connection"))
        self.form = ConnectionForm(self)
        self.checks = CheckList(look, self)
        self._trouble = QLabel(self)
        self._overrides = QLabel(self)
        self._test_title = QLabel(self)
        self.test = QPushButton(tr("&Test"), self)
        self.fix = QPushButton(self)
        self._fix: NoticeAction | None = None
        self._buttons = QDialogButtonBox(self)
        self.connect_now = self._buttons.addButton(tr("C&onnect"), QDialogButtonBox.ButtonRole.AcceptRole)
        self._buttons.addButton(QDialogButtonBox.StandardButton.Cancel)
        self._arrange()
        self._connect()
        self.form.show_connection(office.connection, processes_here=office.processes_here)
        self._load()

    def _arrange(self) -> None:
        for label in (self._trouble, self._overrides):
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setWordWrap(True)
            label.hide()
        self._overrides.setObjectName("detailsCaption")
        self._test_title.setObjectName("noticeTitle")
        self.connect_now.setObjectName("primary")
        self.connect_now.setDefault(True)
        inside = QWidget(self)
        column = QVBoxLayout(inside)
        column.setContentsMargins(18, 16, 18, 8)
        column.setSpacing(10)
        for widget in (self.form, self._overrides, self._trouble, self._test_title):
            column.addWidget(widget)
        column.addWidget(self.checks, 1)
        self.checks.setMinimumHeight(self.fontMetrics().lineSpacing() * 10)
        column.addStretch()
        self._area = area = QScrollArea(self)
        area.setWidget(inside)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 12)
        whole.addWidget(area, 1)
        row = QHBoxLayout()
        row.setContentsMargins(18, 0, 18, 0)
        row.addWidget(self.test)
        row.addWidget(self.fix)
        row.addStretch(1)
        row.addWidget(self._buttons)
        whole.addLayout(row)
        self.setMinimumSize(*_LEAST)
        self.resize(*_SIZE)
        for before, after in pairwise([self.form.process_here, self.checks, self.test, self.fix, self.connect_now]):
            QWidget.setTabOrder(before, after)
        self._show_test(is_shown=False)

    def _connect(self) -> None:
        self.form.changed.connect(self._note_change)
        self.form.list_wanted.connect(self._list_or_stop)
        self.form.reload_wanted.connect(self._load)
        self.test.clicked.connect(self._test_or_stop)
        self.fix.clicked.connect(self._mend)
        self._buttons.accepted.connect(self._accept)
        self._buttons.rejected.connect(self.reject)
        self._ask.listing.result.connect(self._take_queues)
        self._ask.listing.ended.connect(self._take_all_queues)
        self._ask.listing.failed.connect(self._take_no_queues)
        self._ask.testing.result.connect(self.checks.add)
        self._ask.testing.ended.connect(self._take_test_end)
        self.finished.connect(self._end)

    @Slot()
    def _load(self) -> None:
        """Read the profiles and the regions."""
        self._ask.tasks.run(self._ask.advisor.profiles, self._take_profiles)
        self._ask.tasks.run(self._ask.advisor.regions, self._take_regions)

    def _take_profiles(self, profiles: Profiles) -> None:
        if not self._is_over:
            self.form.show_profiles(profiles)

    def _take_regions(self, names: list[str]) -> None:
        if not self._is_over:
            self.form.show_regions(names)

    def focus_on(self, field: str) -> None:
        """Put the keyboard where the trouble is: `profile`, `region` or `queue`."""
        if self.form.place is Place.COMPUTER:
            self.form.places[Place.AWS.value].setChecked(True)
        getattr(self.form, field).setFocus(Qt.FocusReason.OtherFocusReason)

    # --- what is wanted

    def _wanted(self) -> Connection | None:
        """What the fields say, if it can be used; else says why not."""
        wanted = self.form.wanted
        if self.form.place is not Place.COMPUTER and not wanted.queue:
            self._complain(tr("Choose a queue, or type its name, URL or ARN."))
            self.form.queue.setFocus()
            return None
        if self.form.place is Place.SERVER and not wanted.endpoint_url and "://" not in wanted.queue:
            self._complain(tr("Type the server's address, such as http://localhost:9324."))
            self.form.server.setFocus()
            return None
        try:
            self._office.check(wanted)
        except SettingsError as error:
            self._complain(translated(error.text))
            return None
        return wanted

    def _complain(self, text: str) -> None:
        self._trouble.setText(f"▲ {text}" if text else "")
        self._trouble.setVisible(bool(text))

    @Slot()
    def _note_change(self) -> None:
        self._complain("")
        names = self._office.overrides
        self._overrides.setVisible(bool(names))
        self._overrides.setText(
            tr("Set in this program's environment, which decides again at the next start: {names}").format(
                names=", ".join(names)
            )
        )

    @Slot()
    def _accept(self) -> None:
        wanted = self._wanted()
        if wanted is None:
            return
        try:
            self._office.choose(wanted, process_here=self.form.process_here.isChecked())
        except SettingsError as error:
            self.complained.emit(translated(error.text))
        self.accept()

    # --- the list of queues

    @Slot()
    def _list_or_stop(self) -> None:
        if self._ask.listing.is_running:
            self._ask.listing.stop()
            self._end_listing(tr("Stopped."))
            return
        # Its own name does not matter, but a connection without one would be the embedded queue's.
        connection = replace(self.form.wanted, queue="any")
        self._queues = []
        self.form.list_queues.setText(tr("Stop"))
        self.form.say_of_queues(tr("Looking for queues…"))
        self._ask.listing.start(partial(self._ask.advisor.queues, connection))

    @Slot(object)
    def _take_queues(self, page: list[FoundQueue]) -> None:
        self._queues += [queue.name for queue in page]
        self.form.show_queues(self._queues)
        self.form.say_of_queues(tr("%Ln queue(s) so far…", "", len(self._queues)))

    @Slot()
    def _take_all_queues(self) -> None:
        count = len(self._queues)
        self._end_listing(tr("%Ln queue(s) found", "", count) if count else tr("There are no queues here."))

    @Slot(object)
    def _take_no_queues(self, error: KnownError) -> None:
        self._end_listing(tr("▲ {trouble} The name can be typed all the same.").format(trouble=translated(error.text)))

    def _end_listing(self, text: str) -> None:
        self.form.list_queues.setText(tr("List Queues"))
        self.form.say_of_queues(text)

    # --- the test

    def _show_test(self, *, is_shown: bool) -> None:
        self._test_title.setVisible(is_shown)
        self.fix.hide()
        self.checks.setVisible(is_shown)
        if is_shown:
            # Once it has its place.
            QTimer.singleShot(0, self, lambda: self._area.ensureWidgetVisible(self.checks))

    @Slot()
    def _test_or_stop(self) -> None:
        if self._ask.testing.is_running:
            self._ask.testing.stop()
            self._end_test(tr("Test: stopped"))
            return
        wanted = self._wanted()
        if wanted is None:
            return
        connection = self._office.check(wanted)
        self.checks.begin()
        self.fix.hide()
        self._show_test(is_shown=True)
        self._test_title.setText(tr("Testing…"))
        self.test.setText(tr("S&top Test"))
        self._ask.testing.start(partial(self._ask.advisor.test, connection))

    @Slot()
    def _take_test_end(self) -> None:
        troubles = [finding for finding in self.checks.findings if finding.verdict is Verdict.TROUBLE]
        self._end_test(tr("Test: something is in the way") if troubles else tr("Test: everything works"))
        error = troubles[0].error if troubles else None
        self._fix = self._ask.remedy(error) if error is not None else None
        self.fix.setVisible(self._fix is not None)
        if self._fix is not None:
            self.fix.setText(self._fix.text)

    @Slot()
    def _mend(self) -> None:
        """Do what helps against the first thing that is in the way."""
        if self._fix is not None:
            self._fix.run()

    def _end_test(self, text: str) -> None:
        self._test_title.setText(text)
        self.test.setText(tr("&Test"))

    @Slot()
    def _end(self) -> None:
        self._is_over = True
        self._ask.listing.stop()
        self._ask.testing.stop()


@dataclass(frozen=True, slots=True)
class LookUps:
    """How the dialog finds things out; outlives it.

    Attributes:
        advisor: Who knows.
        tasks: Where short questions are asked.
        listing, testing: Where the longer ones are.
        remedy: What helps against an error, if anything here does.
    """

    advisor: ConnectionAdvisor
    tasks: Tasks
    listing: Stream
    testing: Stream
    remedy: Callable[[KnownError], NoticeAction | None]
