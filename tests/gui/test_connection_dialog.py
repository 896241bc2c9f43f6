"""The Connection dialog, by keyboard and by mouse, with real requests in a simulated network."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QLineEdit, QScrollArea, QWidget

from desktop_app.config.paths import resource
from desktop_app.config.settings import Connection, load_settings
from desktop_app.domain.connection_checks import Check, ProfileKind, Verdict
from desktop_app.domain.errors import SettingsError
from desktop_app.gui.connection.dialog import ConnectionDialog, ConnectionPage
from desktop_app.gui.connection.form import Place
from desktop_app.gui.window.main_window import MainWindow
from tests.gui.running_app import queue_page
from tests.helpers.sqs.faults import service_error
from tests.helpers.sqs.internet import Internet

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from botocore.awsrequest import AWSPreparedRequest, AWSResponse
    from pytestqt.qtbot import QtBot

    from desktop_app.gui.connection.queue_page import QueuePage
    from tests.gui.conftest import WindowFactory
    from tests.helpers.sqs.faults import Fault
    from tests.helpers.sqs.kit import SimulatedSqs

pytest_plugins = ["tests.helpers.sqs.fixtures"]

CONFIG = """
[profile work-account]
region = eu-west-1
aws_access_key_id = A
aws_secret_access_key = B
[profile broken]
role_arn = arn:aws:iam::1:role/x
source_profile = base
"""


@pytest.fixture
def internet(sim: SimulatedSqs, monkeypatch: pytest.MonkeyPatch, isolated_environment: Path) -> Internet:
    (isolated_environment / ".aws").mkdir()
    (isolated_environment / ".aws" / "config").write_text(CONFIG)
    for name in ("orders", "work"):
        sim.simulator.create_queue(name)
    made = Internet(sim)
    made.install(monkeypatch)
    return made


@pytest.fixture
def dialog(windows: WindowFactory, internet: Internet, qtbot: QtBot) -> ConnectionDialog:
    """Open the dialog and wait for the profiles."""
    window = windows.open_active()
    QTest.keyClick(window, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    opened = window.connection.dialog
    assert opened is not None
    page = queue_page(opened)
    qtbot.waitUntil(lambda: page.form.profile.findData("work-account") >= 0 and page.form.region.count() > 10)
    qtbot.waitUntil(opened.isActiveWindow)
    return opened


@pytest.fixture
def page(dialog: ConnectionDialog) -> QueuePage:
    return queue_page(dialog)


def choose(page: QueuePage, place: Place, **fields: str) -> None:
    page.form.places[place.value].click()
    if "profile" in fields:
        page.form.profile.setCurrentIndex(page.form.profile.findData(fields["profile"]))
    for name in ("queue", "region"):
        if name in fields:
            getattr(page.form, name).setEditText(fields[name])
    page.form.server.setText(fields.get("server", ""))


def focused() -> QWidget:
    widget = QApplication.focusWidget()
    assert widget is not None
    return widget


def hints(page: QueuePage) -> str:
    form = page.form
    return " ".join(hint.text() for hint in (form._profile_hint, form._region_hint, form.queue_hint))


def test_dialog_opens_once_and_shows_the_current_connection(
    dialog: ConnectionDialog, page: QueuePage, windows: WindowFactory
) -> None:
    assert page.form.place is Place.COMPUTER
    assert dialog.focusWidget() is page.form.places[0]
    assert not page.form.queue.isVisible()
    assert not page.form.process_here.isVisible()
    window = dialog.parentWidget()
    assert isinstance(window, MainWindow)
    assert window.connection.open_at("") is dialog


def test_profile_sets_the_region_and_the_queue_is_selected_from_a_list(
    dialog: ConnectionDialog, page: QueuePage, windows: WindowFactory, qtbot: QtBot
) -> None:
    choose(page, Place.AWS, profile="work-account")
    assert page.form.region.currentText() == "eu-west-1"
    assert "From the profile." in hints(page)
    page.form.list_queues.click()
    qtbot.waitUntil(lambda: "2 queues found" in hints(page))
    page.form.queue.setCurrentIndex(page.form.queue.findText("work"))
    dialog.connect_now.click()
    assert windows.chosen == [(Connection("work", "work-account", "eu-west-1"), False)]


def test_kinds_of_credentials_are_translated() -> None:
    catalogue = (resource("translations") / "filemill_de.ts").read_text(encoding="utf-8")
    assert [kind for kind in ProfileKind if f"<source>{kind}</source>" not in catalogue] == []


def test_list_of_profiles_is_not_cut_off(page: QueuePage, qtbot: QtBot) -> None:
    choose(page, Place.AWS, profile="broken")
    page.form.profile.showPopup()
    rows = page.form.profile.view()
    qtbot.waitUntil(rows.isVisible)
    last = rows.visualRect(rows.model().index(page.form.profile.count() - 1, 0))
    assert rows.viewport().rect().contains(last.left(), last.bottom())
    popup = rows.parentWidget()
    assert popup is not None
    beside = [child for child in popup.findChildren(QWidget) if child.parent() is popup and child is not rows]
    assert not beside, "Qt's scroll arrows take the room of a row"
    page.form.profile.hidePopup()


def test_broken_profile_is_listed_with_its_problem(page: QueuePage) -> None:
    row = page.form.profile.findData("broken")
    assert "Its source profile “base” does not exist." in page.form.profile.itemText(row)
    choose(page, Place.AWS, profile="broken")
    assert "▲ Its source profile “base” does not exist." in hints(page)


def test_saved_profile_that_no_longer_exists_stays_selected(
    windows: WindowFactory, internet: Internet, qtbot: QtBot
) -> None:
    windows.connection.choose(Connection("work", "gone", "eu-west-1"), process_here=False)
    dialog = windows.open().connection.open_at("")
    page = queue_page(dialog)
    qtbot.waitUntil(lambda: "This profile does not exist" in hints(page))
    assert page.form.entered == Connection("work", "gone", "eu-west-1")
    dialog.reject()


def test_typed_region_is_kept_when_the_profile_changes(page: QueuePage) -> None:
    choose(page, Place.AWS)
    page.form.region.setFocus()
    QTest.keyClicks(focused(), "eu-north-1")
    choose(page, Place.AWS, profile="work-account")
    assert page.form.region.currentText() == "eu-north-1"


def test_denied_listing_is_reported_and_the_name_can_be_typed(
    dialog: ConnectionDialog, page: QueuePage, windows: WindowFactory, internet: Internet, qtbot: QtBot
) -> None:
    internet.sim.faults.always("ListQueues", service_error("AccessDenied", "no", status=403))
    choose(page, Place.AWS, profile="work-account")
    page.form.list_queues.click()
    qtbot.waitUntil(lambda: "You can still type the name." in hints(page))
    assert "sqs:ListQueues" in hints(page)
    arn = "arn:aws:sqs:eu-west-1:123456789012:work"
    choose(page, Place.AWS, queue=arn)
    dialog.connect_now.click()
    assert windows.connection.connection.queue_name == "work"
    assert load_settings(windows.settings_file).queue == arn


def test_findings_appear_one_after_another(page: QueuePage, qtbot: QtBot) -> None:
    choose(page, Place.AWS, profile="work-account", queue="work")
    page.test.click()
    assert page._test_title.text() == "Testing…"
    qtbot.waitUntil(lambda: page._test_title.text() == "Test: everything works")
    assert [finding.check for finding in page.checks.findings] == list(Check)
    first = page.checks.item(0)
    assert first.text() == "Credentials found: configuration file, profile “work-account”"
    assert first.data(Qt.ItemDataRole.AccessibleTextRole) == f"OK: {first.text()}"
    QTest.keyClick(page.checks, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    copied = QGuiApplication.clipboard().text().splitlines()
    assert copied[0].startswith("✓ Credentials found")
    assert len(copied) == len(list(Check))
    assert not page.fix.isVisible()


def test_results_of_another_connection_are_discarded(page: QueuePage, qtbot: QtBot) -> None:
    choose(page, Place.AWS, profile="work-account", queue="work")
    page.form.list_queues.click()
    qtbot.waitUntil(lambda: "2 queues found" in hints(page))
    page.test.click()
    qtbot.waitUntil(lambda: page._test_title.text() == "Test: everything works")
    choose(page, Place.AWS, queue="another")
    assert not page.checks.isVisible()
    assert not page._test_title.isVisible()
    assert "2 queues found" in hints(page)
    choose(page, Place.AWS, profile="broken")
    assert "found" not in hints(page)
    assert page.form.queue.count() == 0
    assert page.form.queue.currentText() == "another"


def test_test_of_another_connection_is_stopped(page: QueuePage, internet: Internet, qtbot: QtBot) -> None:
    release = threading.Event()
    internet.sim.faults.always("GetQueueUrl", held(release))
    choose(page, Place.AWS, profile="work-account", queue="work")
    page.test.click()
    qtbot.waitUntil(lambda: len(page.checks.findings) == 2)
    choose(page, Place.AWS, queue="another")
    release.set()
    assert page.test.text() == "&Test"
    assert not page._testing.is_running
    assert not page._test_title.isVisible()


def test_missing_right_found_by_the_test_offers_to_copy_the_request(
    page: QueuePage, internet: Internet, qtbot: QtBot
) -> None:
    internet.sim.faults.always("ReceiveMessage", service_error("AccessDenied", "no", status=403))
    choose(page, Place.AWS, profile="work-account", queue="work")
    page.test.click()
    qtbot.waitUntil(lambda: page._test_title.text() == "Test: problems found")
    troubles = [finding for finding in page.checks.findings if finding.verdict is Verdict.TROUBLE]
    assert [finding.check for finding in troubles] == [Check.RECEIVE]
    assert page.fix.text() == "Copy Request"
    page.fix.click()
    assert "sqs:ReceiveMessage" in QApplication.clipboard().text()


def held(release: threading.Event) -> Fault:
    """A response that waits until it is released."""

    def wait(request: AWSPreparedRequest, pass_on: Callable[[AWSPreparedRequest], AWSResponse]) -> AWSResponse:
        release.wait(10)
        return pass_on(request)

    return wait


def test_stopping_test_and_listing_drops_late_results(page: QueuePage, internet: Internet, qtbot: QtBot) -> None:
    release = threading.Event()
    for operation in ("GetQueueUrl", "ListQueues"):
        internet.sim.faults.always(operation, held(release))
    choose(page, Place.AWS, profile="work-account", queue="work")
    page.test.click()
    page.form.list_queues.click()
    qtbot.waitUntil(lambda: len(page.checks.findings) == 2)
    page.test.click()
    page.form.list_queues.click()
    assert page._test_title.text() == "Test: stopped"
    assert "Stopped." in hints(page)
    release.set()
    tasks = page._tasks
    qtbot.waitUntil(lambda: not tasks.busy)
    assert len(page.checks.findings) == 2


def test_dialog_can_be_closed_while_requests_are_running(
    dialog: ConnectionDialog, page: QueuePage, internet: Internet, qtbot: QtBot
) -> None:
    release = threading.Event()
    internet.sim.faults.always("GetQueueUrl", held(release))
    choose(page, Place.AWS, profile="work-account", queue="work")
    page.test.click()
    tasks = page._tasks
    with qtbot.waitSignal(dialog.destroyed):
        QTest.keyClick(dialog, Qt.Key.Key_Escape)
    release.set()
    qtbot.waitUntil(lambda: not tasks.busy)


@pytest.mark.parametrize(
    ("place", "fields", "said"),
    [
        (Place.AWS, {}, "▲ Choose a queue, or type its name, URL or ARN."),
        (Place.SERVER, {"queue": "work"}, "▲ Type the server's address, such as http://localhost:9324."),
        (Place.AWS, {"queue": "not a name"}, "▲ “not a name” is not a valid queue name"),
        (Place.SERVER, {"queue": "work", "server": "http://[::1"}, "▲ “http://[::1” is not a valid server URL."),
    ],
)
def test_invalid_values_are_reported_in_the_dialog(
    dialog: ConnectionDialog, page: QueuePage, windows: WindowFactory, place: Place, fields: dict[str, str], said: str
) -> None:
    choose(page, place, **fields)
    for button in (dialog.connect_now, page.test):
        button.click()
        assert page.problem.text().startswith(said)
    assert dialog.isVisible()
    assert windows.chosen == []
    page.form.queue.setEditText("other")
    assert not page.problem.isVisible()


class RecordingPage(ConnectionPage):
    """A page that records the calls of its methods."""

    def __init__(self, title: str, noted: list[str], *, is_valid: bool = True, can_save: bool = True) -> None:
        super().__init__(title)
        self.noted = noted
        self.is_valid = is_valid
        self.can_save = can_save

    def load(self) -> None:
        self.noted.append(f"load {self.title}")

    def validate(self) -> bool:
        self.noted.append(f"validate {self.title}")
        return self.is_valid

    def save(self) -> None:
        self.noted.append(f"save {self.title}")
        if not self.can_save:
            raise SettingsError("The disk is full.")

    def stop(self) -> None:
        self.noted.append(f"stop {self.title}")


def test_all_pages_are_saved_before_it_connects_once(windows: WindowFactory) -> None:
    noted: list[str] = []
    pages = [RecordingPage("one", noted, can_save=False), RecordingPage("two", noted)]
    dialog = ConnectionDialog(pages, lambda: noted.append("connect"), windows.open())
    failures: list[str] = []
    dialog.failed.connect(failures.append)
    dialog.connect_now.click()
    assert noted == [
        *("load one", "load two", "validate one", "validate two"),
        *("save one", "save two", "connect", "stop one", "stop two"),
    ]
    assert failures == ["The disk is full."]


def test_nothing_is_saved_if_a_page_is_invalid(windows: WindowFactory) -> None:
    noted: list[str] = []
    pages = [RecordingPage("one", noted), RecordingPage("two", noted, is_valid=False)]
    dialog = ConnectionDialog(pages, lambda: noted.append("connect"), windows.open())
    dialog.connect_now.click()
    assert noted == ["load one", "load two", "validate one", "validate two"]
    dialog.reject()


def test_variables_that_override_the_next_start_are_named(windows: WindowFactory, internet: Internet) -> None:
    windows.environment |= {"FILEMILL_QUEUE": "other", "AWS_PROFILE": "prod"}
    dialog = windows.open().connection.open_at("")
    page = queue_page(dialog)
    assert page._overrides.isVisible()
    assert page._overrides.text().endswith("FILEMILL_QUEUE, AWS_PROFILE")
    dialog.reject()


def test_connection_can_be_changed_by_keyboard_alone(
    dialog: ConnectionDialog, page: QueuePage, windows: WindowFactory, qtbot: QtBot
) -> None:
    """Six keys, and those of the queue's name, are enough to switch to a known queue."""
    QTest.keyClick(dialog, Qt.Key.Key_N, Qt.KeyboardModifier.AltModifier)  # another server
    qtbot.waitUntil(lambda: page.form.place is Place.SERVER)  # the button is animated
    QTest.keyClick(dialog, Qt.Key.Key_S, Qt.KeyboardModifier.AltModifier)
    QTest.keyClicks(focused(), "http://localhost:9324")
    QTest.keyClick(dialog, Qt.Key.Key_Q, Qt.KeyboardModifier.AltModifier)
    QTest.keyClicks(focused(), "work")
    QTest.keyClick(dialog, Qt.Key.Key_P, Qt.KeyboardModifier.AltModifier)
    qtbot.waitUntil(page.form.process_here.isChecked)
    QTest.keyClick(dialog, Qt.Key.Key_Return)
    assert windows.chosen == [(Connection("work", endpoint_url="http://localhost:9324"), True)]


def test_every_control_has_an_accessible_name_and_a_place_in_the_tab_order(
    dialog: ConnectionDialog, page: QueuePage
) -> None:
    choose(page, Place.SERVER, queue="work", server="http://localhost:9324")
    for field in (*dialog.findChildren(QComboBox), *dialog.findChildren(QLineEdit)):
        assert field.accessibleName() or isinstance(field.parentWidget(), QComboBox)
    for button in dialog.findChildren(QAbstractButton):
        assert not button.isVisible() or button.accessibleName() or button.text()
    form = page.form
    form.places[2].setFocus()
    order = []
    for _ in range(9):
        QTest.keyClick(dialog, Qt.Key.Key_Tab)
        order.append(QApplication.focusWidget())
    assert order[:6] == [form.server, form.profile, form.reload, form.region, form.queue, form.list_queues]
    assert order[6] is form.process_here
    assert order[7:] == [page.test, dialog.connect_now]


@pytest.mark.parametrize("place", list(Place))
def test_dialog_is_usable_at_its_minimum_size(dialog: ConnectionDialog, page: QueuePage, place: Place) -> None:
    choose(page, place)
    dialog.resize(dialog.minimumSize())
    (area,) = [area for area in dialog.findChildren(QScrollArea) if area.isVisible()]
    assert area.horizontalScrollBar().maximum() == 0
    assert dialog.minimumWidth() <= 720
    assert dialog.minimumHeight() <= 440
    assert dialog.connect_now.isVisible()


PERMITTED = Connection("orders", "work-account", endpoint_url="http://localhost:9324")


@pytest.fixture
def permitted(windows: WindowFactory, internet: Internet, qtbot: QtBot) -> QueuePage:
    """Open the dialog for a queue whose files are processed on this computer, and wait for the profiles."""
    windows.connection.choose(PERMITTED, process_here=True)
    page = queue_page(windows.open().connection.open_at(""))
    qtbot.waitUntil(lambda: page.form.profile.findData("broken") >= 0 and page.form.region.count() > 10)
    return page


def test_permission_to_process_stays_selected_while_the_profiles_are_read(permitted: QueuePage) -> None:
    assert permitted.form.region.currentText() == "eu-west-1"
    assert permitted.form.process_here.isChecked()
    permitted.load()
    assert permitted.form.process_here.isChecked()


CHANGES: dict[str, Callable[[QueuePage], object]] = {
    "queue": lambda page: QTest.keyClicks(page.form.queue.line, "2"),
    "queue URL": lambda page: page.form.queue.setEditText("http://localhost:9324/000000000000/orders"),
    "queue from the list": lambda page: page.form.queue.setEditText("work"),
    "server": lambda page: QTest.keyClicks(page.form.server, "5"),
    "region": lambda page: page.form.region.setEditText("us-east-1"),
    "typed region": lambda page: QTest.keyClick(page.form.region.line, Qt.Key.Key_Backspace),
    "profile": lambda page: page.form.profile.setCurrentIndex(page.form.profile.findData("broken")),
    "default profile": lambda page: page.form.profile.setCurrentIndex(page.form.profile.findData("")),
    "Amazon SQS": lambda page: page.form.places[Place.AWS.value].click(),
    "this computer": lambda page: page.form.places[Place.COMPUTER.value].click(),
}


@pytest.mark.parametrize("change", CHANGES)
def test_permission_to_process_is_cleared_with_every_change(
    change: str, permitted: QueuePage, windows: WindowFactory
) -> None:
    form = permitted.form
    before = form.entered
    CHANGES[change](permitted)
    assert not form.process_here.isChecked()
    form.places[Place.SERVER.value].click()
    form.set_connection(before, processes_here=False)
    assert not form.process_here.isChecked()
    dialog = permitted.window()
    assert isinstance(dialog, ConnectionDialog)
    dialog.connect_now.click()
    assert windows.chosen[-1] == (before, False)
    assert load_settings(windows.settings_file).process_queue == ""


def test_permission_belongs_to_what_is_entered_when_it_is_selected(
    permitted: QueuePage, windows: WindowFactory
) -> None:
    permitted.form.queue.setEditText("work")
    permitted.form.process_here.click()
    dialog = permitted.window()
    assert isinstance(dialog, ConnectionDialog)
    dialog.connect_now.click()
    assert windows.chosen[-1][1]
    saved = load_settings(windows.settings_file).process_queue
    assert saved == "http://127.0.0.1:9324 eu-west-1 work with profile work-account"
