"""The Connection dialog, by keyboard and by mouse, with real requests in a simulated network."""

from __future__ import annotations

import os
import threading
from dataclasses import replace
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QApplication,
    QComboBox,
    QLabel,
    QLineEdit,
    QScrollArea,
    QWidget,
)

from desktop_app.config.paths import resource
from desktop_app.config.settings import Connection, load_settings
from desktop_app.domain.connection_checks import Check, Profile, ProfileKind, Profiles, Verdict
from desktop_app.domain.errors import SettingsError
from desktop_app.domain.secrets import AccessKeys
from desktop_app.gui.connection.dialog import ConnectionDialog, ConnectionPage
from desktop_app.gui.connection.form import Place
from desktop_app.gui.window.main_window import MainWindow
from desktop_app.queues import credential_program
from desktop_app.queues.remembered_keys import remember_keys
from tests.gui.conftest import notice_text
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
    from tests.helpers.keyring import MemoryKeyring
    from tests.helpers.sqs.faults import Fault
    from tests.helpers.sqs.kit import SimulatedSqs

pytest_plugins = ["tests.helpers.keyring", "tests.helpers.sqs.fixtures"]

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
    made = Internet(sim, servers={"127.0.0.1:9324", "127.0.0.1:9325"})
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
    assert "2 queues found: eu-west-1, account 123456789012" in hints(page)
    row = page.form.queue.findText("work")
    said = page.form.queue.itemData(row, Qt.ItemDataRole.AccessibleTextRole)
    assert said == "work, eu-west-1, account 123456789012"
    page.form.queue.setCurrentIndex(row)
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
        (Place.SERVER, {"server": "a b", "queue": "work"}, "▲ “a b” is not the address of a server."),
        (Place.SERVER, {"server": "anna:hush@host", "queue": "work"}, "▲ The server URL contains a user name"),
        (Place.SERVER, {"queue": "work"}, "▲ Type the server's address, such as 127.0.0.1:9324."),
        (Place.AWS, {"queue": "not a name"}, "▲ “not a name” is not a valid queue name"),
        (Place.SERVER, {"queue": "work", "server": "http://[::1"}, "▲ “http://[::1” is not the address of a server."),
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
    assert order[:6] == [form.server, form.key_id, form.secret, form.use_profile, form.queue, form.list_queues]
    assert order[6:] == [form.process_here, page.test, dialog.connect_now]
    form.use_profile.click()
    form.use_profile.setFocus()
    order = []
    for _ in range(5):
        QTest.keyClick(dialog, Qt.Key.Key_Tab)
        order.append(QApplication.focusWidget())
    assert order == [form.profile, form.reload, form.region, form.queue, form.list_queues]


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


# A server other than AWS

KEYS = ("server-user-7", "a typed secret".replace(" ", "-"))


def type_server(dialog: ConnectionDialog, page: QueuePage, qtbot: QtBot, address: str) -> None:
    """Type only the address of a server, and press Enter."""
    QTest.keyClick(dialog, Qt.Key.Key_N, Qt.KeyboardModifier.AltModifier)
    qtbot.waitUntil(lambda: focused() is page.form.server)
    QTest.keyClicks(focused(), address)
    QTest.keyClick(focused(), Qt.Key.Key_Return)


def test_typing_the_address_of_a_server_is_enough_to_connect_to_its_only_queue(
    dialog: ConnectionDialog, page: QueuePage, windows: WindowFactory, internet: Internet, qtbot: QtBot
) -> None:
    internet.sim.simulator.delete_queue("orders")
    with qtbot.waitSignal(dialog.destroyed):
        type_server(dialog, page, qtbot, "127.0.0.1:9324")
    assert windows.chosen == [(Connection("work", endpoint_url="http://127.0.0.1:9324"), False)]
    saved = load_settings(windows.settings_file)
    assert (saved.queue, saved.endpoint_url, saved.process_queue) == ("work", "http://127.0.0.1:9324", "")
    assert windows.connection.connection.label == "work on 127.0.0.1:9324"


def test_queue_of_one_server_is_not_used_for_another(windows: WindowFactory, internet: Internet, qtbot: QtBot) -> None:
    windows.connection.choose(Connection("before", endpoint_url="http://127.0.0.1:9325"), process_here=False)
    page = queue_page(windows.open_active().connection.open_at(""))
    internet.sim.simulator.delete_queue("orders")
    page.form.server.selectAll()
    QTest.keyClicks(page.form.server, "127.0.0.1:9324")
    assert page.form.queue.currentText() == ""
    page.form.server.selectAll()
    QTest.keyClicks(page.form.server, "127.0.0.1:9325")
    assert page.form.queue.currentText() == "before"
    page.form.places[Place.AWS.value].click()
    assert page.form.queue.currentText() == ""
    page.form.places[Place.SERVER.value].click()
    assert page.form.queue.currentText() == "before"
    page.form.server.selectAll()
    QTest.keyClicks(page.form.server, "127.0.0.1:9324")
    with qtbot.waitSignal(page.ready):
        QTest.keyClick(page.form.server, Qt.Key.Key_Return)
    assert windows.chosen[-1] == (Connection("work", endpoint_url="http://127.0.0.1:9324"), False)


def test_typed_queue_stays_when_the_server_changes(page: QueuePage) -> None:
    choose(page, Place.SERVER, queue="orders")
    QTest.keyClicks(page.form.server, "127.0.0.1:9324")
    assert page.form.queue.currentText() == "orders"


def texts(view: QAbstractItemView) -> list[str]:
    return [str(view.model().index(row, 0).data()) for row in range(view.model().rowCount())]


def test_several_queues_of_a_server_are_offered(
    dialog: ConnectionDialog, page: QueuePage, windows: WindowFactory, qtbot: QtBot
) -> None:
    type_server(dialog, page, qtbot, "127.0.0.1:9324")
    offered = page.form.queue.offered
    qtbot.waitUntil(offered.isVisible)
    assert "2 queues found: 127.0.0.1:9324" in hints(page)
    assert page.problem.text().startswith("▲ Choose a queue")
    assert texts(offered) == ["orders", "work"]
    last = offered.visualRect(offered.model().index(1, 0))
    qtbot.waitUntil(lambda: offered.viewport().rect().contains(last.bottomLeft()))
    QTest.keyClicks(offered, "or")
    assert texts(offered) == ["orders", "work"], "any part of a name"
    QTest.keyClicks(offered, "k")
    assert (page.form.queue.currentText(), texts(offered)) == ("ork", ["work"])
    QTest.keyClick(offered, Qt.Key.Key_Down)
    QTest.keyClick(offered, Qt.Key.Key_Return)
    assert page.form.queue.currentText() == "work"
    QTest.keyClick(focused(), Qt.Key.Key_Return)
    assert windows.chosen == [(Connection("work", endpoint_url="http://127.0.0.1:9324"), False)]


def test_server_without_queues_says_so(
    dialog: ConnectionDialog, page: QueuePage, internet: Internet, qtbot: QtBot
) -> None:
    for name in ("orders", "work"):
        internet.sim.simulator.delete_queue(name)
    type_server(dialog, page, qtbot, "127.0.0.1:9324")
    qtbot.waitUntil(lambda: "There are no queues here." in hints(page))
    assert dialog.isVisible()


def test_listing_for_older_values_does_not_connect(
    dialog: ConnectionDialog, page: QueuePage, windows: WindowFactory, internet: Internet, qtbot: QtBot
) -> None:
    internet.sim.simulator.delete_queue("orders")
    release = threading.Event()
    internet.sim.faults.always("ListQueues", held(release))
    type_server(dialog, page, qtbot, "127.0.0.1:9324")
    qtbot.waitUntil(lambda: page._listing.is_running)
    page.form.server.setText("127.0.0.1:9325")
    release.set()
    tasks = page._tasks
    qtbot.waitUntil(lambda: not tasks.busy)
    assert windows.chosen == []
    assert page.form.queue.currentText() == ""


def test_address_that_will_be_used_is_shown(page: QueuePage) -> None:
    choose(page, Place.SERVER)
    for typed, shown in {
        "127.0.0.1:9324": "Filemill will use http://127.0.0.1:9324",
        "sqs.example.org": "Filemill will use https://sqs.example.org",
        "http://localhost:9324": "",
        "a b": "",
    }.items():
        page.form.server.setText(typed)
        assert page.form._server_hint.text() == shown


PASTED: dict[str, tuple[Place, Place, str, Connection]] = {
    "URL of a server": (
        Place.SERVER,
        Place.SERVER,
        "localhost:9324/000000000000/work",
        Connection("work", endpoint_url="http://localhost:9324"),
    ),
    "URL on AWS": (
        Place.SERVER,
        Place.AWS,
        "https://sqs.eu-west-3.amazonaws.com/123456789012/work",
        Connection("https://sqs.eu-west-3.amazonaws.com/123456789012/work", region="eu-west-3"),
    ),
    "ARN": (
        Place.SERVER,
        Place.AWS,
        "arn:aws:sqs:eu-west-3:123456789012:work",
        Connection("arn:aws:sqs:eu-west-3:123456789012:work", region="eu-west-3"),
    ),
}


@pytest.mark.parametrize("what", PASTED)
def test_queue_pasted_as_the_server_is_taken_apart(page: QueuePage, what: str) -> None:
    before, after, text, entered = PASTED[what]
    choose(page, before)
    page.form.server.setFocus()
    QTest.keyClicks(page.form.server, f" {text} ")
    QTest.keyClick(page.form.server, Qt.Key.Key_Tab)
    assert page.form.place is after
    assert page.form.entered == entered


def test_queue_url_of_a_server_pasted_for_aws_selects_the_server(page: QueuePage) -> None:
    choose(page, Place.AWS)
    page.form.queue.setFocus()
    QTest.keyClicks(focused(), "http://localhost:9324/000000000000/work")
    QTest.keyClick(focused(), Qt.Key.Key_Tab)
    assert page.form.place is Place.SERVER
    assert page.form.entered == Connection("work", endpoint_url="http://localhost:9324")


def test_server_may_know_a_queue_by_another_address(page: QueuePage) -> None:
    choose(page, Place.SERVER, server="localhost:9324")
    page.form.queue.setEditText("http://elasticmq:9324/000000000000/work")
    page.form.complete()
    assert page.form.entered == Connection(
        "http://elasticmq:9324/000000000000/work", endpoint_url="http://localhost:9324"
    )


def test_typed_keys_are_used_for_the_session_and_never_written(
    dialog: ConnectionDialog, page: QueuePage, windows: WindowFactory, internet: Internet, qtbot: QtBot
) -> None:
    choose(page, Place.SERVER, server="127.0.0.1:9324", queue="work")
    assert page.form.secret.echoMode() is QLineEdit.EchoMode.Password
    page.form.key_id.setText(KEYS[0])
    page.form.secret.setText(KEYS[1])
    page.test.click()
    qtbot.waitUntil(lambda: page._test_title.text() == "Test: everything works")
    assert page.checks.item(0).text() == "Credentials found: typed keys"
    assert internet.key_ids[-1] == KEYS[0]
    dialog.connect_now.click()
    connection = windows.connection.connection
    assert connection.keys == AccessKeys(*KEYS)
    text = windows.settings_file.read_text()
    assert not any(key in text for key in KEYS)
    again = queue_page(windows.open().connection.open_at(""))
    assert (again.form.key_id.text(), again.form.secret.text()) == KEYS
    assert again.form.entered == connection.entered


def test_test_is_cleared_when_a_key_changes(page: QueuePage, qtbot: QtBot) -> None:
    choose(page, Place.SERVER, server="127.0.0.1:9324", queue="work")
    for line in (page.form.key_id, page.form.secret):
        line.setText("a")
        page.form.key_id.setText("a")
        page.form.secret.setText("b")
        page.test.click()
        qtbot.waitUntil(lambda: page._test_title.text() == "Test: everything works")
        line.setText("another")
        assert not page.checks.isVisible()


@pytest.mark.parametrize("missing", ["key_id", "secret"])
def test_half_of_the_keys_is_reported(dialog: ConnectionDialog, page: QueuePage, missing: str) -> None:
    choose(page, Place.SERVER, server="127.0.0.1:9324", queue="work")
    page.form.key_id.setText("a")
    page.form.secret.setText("b")
    field: QLineEdit = getattr(page.form, missing)
    field.clear()
    dialog.connect_now.click()
    assert page.problem.text() == "▲ Type both the access key ID and the secret access key, or neither."
    assert focused() is field


def type_keys_to_remember(page: QueuePage, qtbot: QtBot) -> None:
    choose(page, Place.SERVER, server="127.0.0.1:9324", queue="work")
    qtbot.waitUntil(page.form.remember.isEnabled)
    page.form.key_id.setText(KEYS[0])
    page.form.secret.setText(KEYS[1])
    page.form.remember.click()


def test_keys_are_remembered_in_the_keyring_and_forgotten(
    dialog: ConnectionDialog, page: QueuePage, windows: WindowFactory, ring: MemoryKeyring, qtbot: QtBot
) -> None:
    type_keys_to_remember(page, qtbot)
    dialog.connect_now.click()
    qtbot.waitUntil(lambda: bool(load_settings(windows.settings_file).remembered_keys))
    assert list(ring.entries) == [("Filemill", "http://127.0.0.1:9324")]
    assert not any(key in windows.settings_file.read_text() for key in KEYS)
    again = windows.open().connection.open_at("")
    page = queue_page(again)
    qtbot.waitUntil(page.form.remember.isEnabled)
    assert page.form.remember.isChecked()
    page.form.remember.click()
    again.connect_now.click()
    qtbot.waitUntil(lambda: not ring.entries)
    assert load_settings(windows.settings_file).remembered_keys == ""


def test_remembered_keys_are_not_shown_but_used(
    windows: WindowFactory, internet: Internet, ring: MemoryKeyring, qtbot: QtBot
) -> None:
    remember_keys("http://127.0.0.1:9324", AccessKeys(*KEYS))
    entered = Connection("work", endpoint_url="http://127.0.0.1:9324").with_keys(AccessKeys(*KEYS))
    windows.connection.choose(replace(entered, keys=None, uses_keyring=True), process_here=True)
    page = queue_page(windows.open().connection.open_at(""))
    form = page.form
    qtbot.waitUntil(form.remember.isEnabled)
    assert (form.key_id.text(), form.secret.text()) == ("", "")
    assert form.key_id.placeholderText() == "In the system's keyring"
    assert form._keys_hint.text() == "Type both to replace those in the system's keyring."
    assert form.process_here.isChecked()
    page.test.click()
    qtbot.waitUntil(lambda: page._test_title.text() == "Test: everything works")
    assert page.checks.item(0).text() == "Credentials found: the system's keyring"
    assert internet.key_ids[-1] == KEYS[0]
    form.server.setText("127.0.0.1:9999")
    assert not form.entered.uses_keyring, "the keys are those of another server"
    assert form.key_id.placeholderText() == "Optional"


def test_locked_keyring_does_not_keep_from_connecting(
    dialog: ConnectionDialog, page: QueuePage, windows: WindowFactory, ring: MemoryKeyring, qtbot: QtBot
) -> None:
    type_keys_to_remember(page, qtbot)
    ring.is_locked = True
    window = dialog.parentWidget()
    assert isinstance(window, MainWindow)
    dialog.connect_now.click()
    qtbot.waitUntil(lambda: "refused to unlock it" in notice_text(window))
    assert windows.connection.connection.keys == AccessKeys(*KEYS)
    assert load_settings(windows.settings_file).remembered_keys == ""


def test_system_without_a_keyring_disables_remembering_with_the_reason(page: QueuePage, qtbot: QtBot) -> None:
    choose(page, Place.SERVER)
    qtbot.waitUntil(lambda: "This system has no keyring" in page.form.remember.toolTip())
    assert not page.form.remember.isEnabled()
    assert page.form.remember.accessibleDescription().startswith("This system has no keyring")


def test_dialog_grows_for_a_text_of_several_lines(dialog: ConnectionDialog, page: QueuePage, qtbot: QtBot) -> None:
    choose(page, Place.SERVER)
    qtbot.waitUntil(lambda: not dialog._fitting.isActive())
    page.form.queue_hint.show_text("The queues of this server can't be listed at the moment. " * 3)
    qtbot.waitUntil(lambda: page.form.queue_hint.height() >= 3 * page.form.queue_hint.fontMetrics().height())
    qtbot.waitUntil(lambda: page.verticalScrollBar().maximum() == 0)
    dialog.resize(dialog.width(), dialog.height() - 40)
    qtbot.waitUntil(lambda: page.verticalScrollBar().maximum() > 0)
    height = dialog.height()
    qtbot.waitUntil(lambda: not dialog._fitting.isActive())
    assert dialog.height() == height, "the user's height is kept"


def is_in_view(page: QueuePage, widget: QWidget) -> bool:
    last_line = QRect(0, widget.height() - page.fontMetrics().height(), 1, page.fontMetrics().height())
    return page.viewport().rect().contains(last_line.translated(widget.mapTo(page.viewport(), QPoint())))


def test_what_happens_is_in_view_on_a_small_screen(
    dialog: ConnectionDialog, page: QueuePage, internet: Internet, qtbot: QtBot
) -> None:
    dialog.setMaximumHeight(260)
    type_server(dialog, page, qtbot, "not a server")
    qtbot.waitUntil(lambda: page.problem.isVisible() and is_in_view(page, page.problem))
    internet.sim.faults.always("ListQueues", service_error("AccessDenied", status=403))
    page.form.server.clear()
    page.form.server.setFocus()
    page.verticalScrollBar().setValue(0)
    type_server(dialog, page, qtbot, "127.0.0.1:9324")
    qtbot.waitUntil(lambda: "You can still type the name." in hints(page))
    qtbot.waitUntil(lambda: is_in_view(page, page.form.queue_hint))
    page.form.queue.setEditText("orders")
    page.verticalScrollBar().setValue(0)
    page.test.click()
    qtbot.waitUntil(lambda: page._test_title.text().startswith("Test: "))
    qtbot.waitUntil(lambda: is_in_view(page, page.checks))
    QTest.keyClick(dialog, Qt.Key.Key_S, Qt.KeyboardModifier.AltModifier)
    qtbot.waitUntil(lambda: is_in_view(page, page.form.server))


def test_dialog_is_as_high_as_its_page(dialog: ConnectionDialog, page: QueuePage, qtbot: QtBot) -> None:
    heights = []
    for place in (Place.COMPUTER, Place.AWS, Place.SERVER, Place.COMPUTER):
        choose(page, place)
        qtbot.waitUntil(lambda: not dialog._fitting.isActive())
        qtbot.waitUntil(lambda: page.verticalScrollBar().maximum() == 0)
        heights.append(dialog.height())
    assert heights[3] <= heights[0] < heights[1] < heights[2]
    assert heights[0] - heights[3] < 10
    dialog.resize(dialog.width(), heights[2] + 50)
    choose(page, Place.AWS)
    qtbot.waitUntil(lambda: not dialog._fitting.isActive())
    assert dialog.height() == heights[2] + 50, "the user's height is kept"


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("place", list(Place))
def test_mnemonics_are_unique_in_each_place(
    dialog: ConnectionDialog, page: QueuePage, place: Place, language: str
) -> None:
    catalogue = ET.parse(resource("translations") / "filemill_de.ts")
    german = {
        message.findtext("source", ""): message.findtext("translation", "") for message in catalogue.iter("message")
    }
    choose(page, place)
    for has_profile in (False, True):
        page.form.use_profile.setChecked(has_profile)
        labelled: list[QAbstractButton | QLabel] = [*dialog.findChildren(QAbstractButton), *dialog.findChildren(QLabel)]
        texts = [widget.text() for widget in labelled if widget.isVisible() and "&" in widget.text()]
        if language == "de":
            texts = [german[text] for text in texts]
        keys = [text.partition("&")[2][:1].lower() for text in texts]
        assert len(keys) == len(set(keys)), texts


def test_long_names_of_profiles_are_not_cut_off(page: QueuePage, qtbot: QtBot) -> None:
    names = [f"{number:03} {'very-long-name-of-a-profile-' * 3}" for number in range(200)]
    page.form.set_profiles(Profiles(tuple(Profile(name, ProfileKind.SSO) for name in names)))
    choose(page, Place.AWS)
    box = page.form.profile
    box.showPopup()
    view = box.view()
    qtbot.waitUntil(view.isVisible)
    assert view.viewport().width() >= min(view.sizeHintForColumn(0), box.screen().availableGeometry().width() - 40)
    assert view.verticalScrollBar().maximum() > 0
    QTest.keyClicks(view, "177")
    assert str(view.currentIndex().data()).startswith("177")
    box.hidePopup()


@pytest.mark.skipif(os.name == "nt", reason="the program is a shell script")
def test_test_and_listing_name_the_program_that_they_wait_for(
    page: QueuePage, isolated_environment: Path, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    monkeypatch.setattr(credential_program, "SLOW_SECONDS", 0.1)
    helper = isolated_environment / "helper"
    helper.write_text("#!/bin/sh\nexec sleep 100\n")
    helper.chmod(0o700)
    with (isolated_environment / ".aws" / "config").open("a") as config:
        config.write(f"[profile slow]\nregion = eu-west-1\ncredential_process = {helper}\n")
    page.form.reload.click()
    qtbot.waitUntil(lambda: page.form.profile.findData("slow") >= 0)
    choose(page, Place.AWS, profile="slow", queue="work")
    page.test.click()
    waiting = f"The program “{helper}” of profile “slow” has not provided credentials yet. Waiting for it …"
    qtbot.waitUntil(lambda: page._test_title.text().endswith(waiting))
    assert not page.checks.isVisible(), "an empty list of results"
    qtbot.waitUntil(lambda: page.verticalScrollBar().maximum() == 0)
    page.form.list_queues.click()
    qtbot.waitUntil(lambda: waiting in hints(page))
    page.form.list_queues.click()
    page.test.click()
    assert page._test_title.text() == "Test: stopped"
    assert "Stopped." in hints(page)
    tasks = page._tasks
    qtbot.waitUntil(lambda: not tasks.busy)
