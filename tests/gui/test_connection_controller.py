"""Switching to another queue without a restart, with real loops, a real database and a simulated server."""

from __future__ import annotations

import threading
import uuid
from typing import TYPE_CHECKING

import pytest

from desktop_app.config.settings import Connection, Settings, load_settings
from desktop_app.domain.errors import SettingsError
from desktop_app.domain.job import Status
from desktop_app.gui.connection.controller import OVERRIDING_VARIABLES, ConnectionController
from desktop_app.services.control import ProcessingControl
from desktop_app.services.queue_identity import QueueIdentity
from desktop_app.services.support.connection_advisor import ConnectionAdvisor
from tests.gui.conftest import FakeLoops
from tests.gui.running_app import RunningApp, allowed, queue_page
from tests.helpers.fakes import FakeClock
from tests.helpers.sqs.kit import boto_client
from tests.helpers.sqs.simulator import REGION

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from PySide6.QtWidgets import QApplication
    from pytestqt.qtbot import QtBot

    from desktop_app.gui.theme.theme import Theme
    from tests.gui.jobs_database import JobsDatabase

pytest_plugins = ["tests.helpers.sqs.fixtures"]

NOWHERE = "http://127.0.0.1:1"


class Line(RunningApp):
    """A running window connected to a server on which the test can create queues."""

    def __init__(self, qtbot: QtBot, theme: Theme, folder: Path, url: str) -> None:
        self.url = url
        self._sqs = boto_client(endpoint_url=url)
        self.first = self.queue()
        settings = Settings(queue=self.first.queue, region=REGION, endpoint_url=url)
        super().__init__(qtbot, theme, folder, allowed(settings))

    def put_foreign_messages(self, connection: Connection, count: int) -> None:
        """Send messages of another program to a queue."""
        for number in range(count):
            self._sqs.send_message(QueueUrl=self._queue_url(connection), MessageBody=f"foreign {number}")

    def receive_counts(self, connection: Connection) -> list[int]:
        """Receive all messages of a queue; return how often each has been received, including this time."""
        found: list[int] = []
        while True:
            answer = self._sqs.receive_message(
                QueueUrl=self._queue_url(connection),
                MaxNumberOfMessages=10,
                MessageSystemAttributeNames=["ApproximateReceiveCount"],
            )
            if not answer.get("Messages"):
                return found
            found += [int(message["Attributes"]["ApproximateReceiveCount"]) for message in answer["Messages"]]

    def _queue_url(self, connection: Connection) -> str:
        return self._sqs.get_queue_url(QueueName=connection.queue)["QueueUrl"]

    def queue(self) -> Connection:
        """Create a queue and return its connection."""
        name = f"q-{uuid.uuid4().hex[:8]}"
        self._sqs.create_queue(QueueName=name)
        return Connection(queue=name, endpoint_url=self.url, region=REGION)


@pytest.fixture
def app(qtbot: QtBot, theme: Theme, tmp_path: Path, filemill_home: Path, moto_url: str) -> Iterator[Line]:
    made = Line(qtbot, theme, tmp_path, moto_url)
    yield made
    if made.window.isVisible():
        made.close()
    made.window.deleteLater()
    assert made.running.left_over == []


def test_switching_changes_the_window_and_moves_no_job(app: Line) -> None:
    app.add("one.txt")
    app.until_processed("one.txt")
    second = app.queue()
    app.connection.choose(second, process_here=True)
    assert second.queue in app.window.windowTitle()
    assert app.window.status.connection.shown.text == "Starting…"
    app.add("two.txt")
    app.until_processed("two.txt")
    app.until(lambda: second.queue in app.window.status.connection.shown.text)
    queues = {name: job.queue for name, job in app.jobs().items()}
    assert app.first.queue in queues["one.txt"]
    assert second.queue in queues["two.txt"]
    assert second.queue in app.window._empty.words.text()


def test_files_of_an_unreachable_queue_stay_pending_until_they_are_retried_on_another(app: Line) -> None:
    app.connection.choose(Connection(queue="away", endpoint_url=NOWHERE), process_here=True)
    app.add("waits.txt")
    app.until(lambda: app.connection.connection.queue == "away" and app.window.banner.isVisible())
    app.connection.choose(app.first, process_here=True)
    app.add("goes.txt")
    app.until_processed("goes.txt")
    assert app.jobs()["waits.txt"].status is Status.PENDING
    assert app.text_of("waits.txt").endswith("Waiting for the queue away on 127.0.0.1:1 · default credentials")
    assert not app.window.banner.isVisible()
    app.window.view.selectAll()
    app.window.menu_actions.retry.trigger()
    app.until_processed("waits.txt", "goes.txt")


def test_switching_twice_while_processing_ends_at_the_last_queue(app: Line) -> None:
    app.add(*(f"f{number}.txt" for number in range(20)))
    between, last = app.queue(), app.queue()
    app.connection.choose(between, process_here=True)
    app.connection.choose(last, process_here=True)
    app.add("last.txt")
    app.until_processed("last.txt")
    app.until(lambda: last.queue in app.window.status.connection.shown.text)
    app.connection.choose(app.first, process_here=True)
    app.until_processed(*(f"f{number}.txt" for number in range(20)))
    assert {job.status for job in app.jobs().values()} == {Status.PROCESSED}


def threads_of_the_consumer() -> set[str]:
    # A long poll is not cancelled; see `services/consuming/receiver.py`.
    names = {thread.name.rpartition("-")[0] or thread.name for thread in threading.enumerate()}
    return names & {"acknowledger", "heartbeat", "worker"}


def test_closing_while_switching_leaves_no_thread(app: Line) -> None:
    app.add("one.txt")
    app.until_processed("one.txt")
    app.until(lambda: threads_of_the_consumer() == {"acknowledger", "heartbeat", "worker"})  # so they are called
    app.connection.choose(app.queue(), process_here=True)
    app.connection.choose(Connection(), process_here=True)
    app.close()
    assert app.running.left_over == []
    assert threads_of_the_consumer() == set()


def test_queue_without_permission_is_only_sent_to_until_permission_is_given(app: Line) -> None:
    app.connection.choose(app.queue(), process_here=False)
    app.add("one.txt")
    app.until(lambda: app.window.status.connection.shown.text.endswith("sending only"))
    app.until(lambda: app.jobs()["one.txt"].sent_at is not None)
    assert not app.connection.processes_here
    assert [button.text() for button in app.window.banner.buttons][:1] == ["Process Here"]
    app.window.banner.buttons[0].click()
    app.until_processed("one.txt")
    assert load_settings(app.program.home.settings_file).process_queue == app.connection.connection.permission_key


def test_queue_typed_in_the_dialog_is_not_consumed_with_the_permission_for_another_queue(app: Line) -> None:
    app.add("one.txt")
    app.until_processed("one.txt")
    other = app.queue()
    app.put_foreign_messages(other, 5)
    dialog = app.window.connection.open_at("queue")
    form = queue_page(dialog).form
    assert form.process_here.isChecked()
    form.queue.setEditText(other.queue)
    dialog.connect_now.click()
    app.add("two.txt")
    app.until(lambda: app.jobs()["two.txt"].sent_at is not None)
    app.until(lambda: app.window.status.connection.shown.text.endswith("sending only"))
    assert not app.connection.processes_here
    assert app.receive_counts(other) == [1] * 6
    app.connection.choose(app.first, process_here=False)
    assert not app.connection.processes_here


def test_permission_is_kept_when_the_queue_responds_for_the_first_time(app: Line) -> None:
    assert app.connection.processes_here
    app.until(lambda: app.connection.connection.account)
    assert app.connection.processes_here
    app.add("one.txt")
    app.until_processed("one.txt")
    assert app.connection.connection.label == f"{app.first.queue} on {app.url.partition('://')[2]}"


def test_saving_the_connection_keeps_the_comments_of_the_settings_file(app: Line, filemill_home: Path) -> None:
    file = filemill_home / "settings.toml"
    file.write_text("# mine\nconcurrency = 3 # not more\n")
    chosen = app.queue()
    app.connection.choose(chosen, process_here=True)
    text = file.read_text()
    assert "# mine" in text
    assert "concurrency = 3 # not more" in text
    saved = load_settings(file)
    assert (saved.queue, saved.endpoint_url) == (chosen.queue, chosen.endpoint_url)
    assert saved.process_queue == app.connection.connection.permission_key
    app.connection.choose(chosen, process_here=False)
    assert load_settings(file).process_queue == ""
    app.until(lambda: app.window.status.connection.shown.text.endswith("sending only"))


def controller(folder: Path, jobs_db: JobsDatabase, environment: dict[str, str]) -> ConnectionController:
    """Return a controller whose loops are not started."""
    return ConnectionController(
        FakeLoops,
        ProcessingControl(),
        ConnectionAdvisor(folder / "run"),
        resolve=QueueIdentity(jobs_db.database).resolve,
        connection=Connection(),
        settings_file=folder / "settings.toml",
        clock=FakeClock(),
        environment=environment,
    )


def test_overriding_environment_variables_are_named(qapp: QApplication, tmp_path: Path, jobs_db: JobsDatabase) -> None:
    made = controller(tmp_path, jobs_db, {"AWS_PROFILE": "prod", "AWS_REGION": " "})
    assert made.overrides == ("AWS_PROFILE",)
    assert set(made.overrides) <= set(OVERRIDING_VARIABLES)
    # The variables do not change the entered connection.
    assert made.check(Connection("work", "other", "eu-west-3")).region == "eu-west-3"


def test_endpoint_from_the_environment_applies_to_an_entered_connection(
    qapp: QApplication, tmp_path: Path, jobs_db: JobsDatabase
) -> None:
    made = controller(tmp_path, jobs_db, {"AWS_ENDPOINT_URL": NOWHERE})
    assert made.check(Connection("work", region="eu-west-3")).endpoint_url == NOWHERE
    other = Connection("work", endpoint_url="http://localhost:9324")
    assert made.check(other).endpoint_url == other.endpoint_url


def test_permission_that_can_not_be_saved_holds_until_the_program_ends(
    qapp: QApplication, tmp_path: Path, jobs_db: JobsDatabase
) -> None:
    made = controller(tmp_path, jobs_db, {})
    made.choose(Connection("work", region="eu-west-3"), process_here=False)
    (tmp_path / "settings.toml").write_text("not = [toml")
    with pytest.raises(SettingsError):
        made.allow_processing()
    assert made.processes_here
    with pytest.raises(SettingsError):
        made.choose(Connection(), process_here=True)
    assert made.connection.is_local
    with pytest.raises(SettingsError):
        made.choose(Connection("not a name"), process_here=True)
    assert made.connection.is_local


def test_connection_is_resolved_as_soon_as_its_profile_exists(app: Line, isolated_environment: Path) -> None:
    chosen = Connection(queue=app.first.queue, profile="late")
    app.connection.choose(chosen, process_here=True)
    app.add("waits.txt")
    assert app.jobs()["waits.txt"].queue == f"? {app.first.queue} with profile late"
    app.until(app.window.banner.isVisible)
    assert app.connection.connection.label == app.first.queue
    (isolated_environment / ".aws").mkdir()
    (isolated_environment / ".aws" / "config").write_text(
        f"[profile late]\nregion={REGION}\nendpoint_url={app.url}\naws_access_key_id=a\naws_secret_access_key=b\n"
    )
    app.program.control.try_now()
    app.until(lambda: app.connection.connection.account)
    app.until(lambda: app.jobs()["waits.txt"].sent_at is not None)
    assert not app.connection.processes_here  # the user had not seen which queue it is
    assert app.connection.connection.label == f"{app.first.queue} on {app.url.partition('://')[2]}"
